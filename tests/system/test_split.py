"""norm1 and relu of affine expressions: what an augmented Lagrangian's envelopes end with, against certificates in NumPy.

At a minimum of g(x) + sum max(a e, b e), e = E x - f, there are y between a and b, y = b where e > 0 and a where e < 0, with
grad g + E'y = 0. Where as many entries of e vanish as there are unknowns the system gives those y; then they are bounded.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()
rng = np.random.default_rng(23)


def solve(folder, name, objective, shape, data, solver="method: auto", more="", keys="", ranks=2, goal="minimize"):
    here = folder / name.replace(" ", "-").replace(",", "")
    here.mkdir(exist_ok=True)
    listing = ""
    for key, value in data.items():
        if np.isscalar(value):
            listing += f"  {key}: {value}\n"
        else:
            np.save(here / f"{key}.npy", value)
            listing += f"  {key}: {{file: {key}.npy}}\n"
    (here / "job.yaml").write_text(
        f"{goal}: {objective}\nvariables: {{X: {{rows: {shape[0]}, columns: {shape[1]}{keys}}}}}\ndata:\n{listing}"
        f"solver: {{{solver}, max_iterations: 20000}}\n{more}process_grid: {{block: 3}}\noutput: {{variables: {{X: X.npy}}}}\n")
    finished = run_job(here / "job.yaml", here / "out", ranks=ranks)
    status = finished.report["status"] if finished.report else finished.err.strip()[-300:]
    checks.equal(f"{name} on {ranks}: status", status, "converged")
    return finished, np.load(here / "out" / "X.npy") if (here / "out" / "X.npy").exists() else None


def certify(name, pieces, gradient, free=None, tolerance=1e-5):
    """pieces: (E, e, a, b) with numbers a < b. free: the unknowns that no bound holds."""
    rest, columns, lows, highs = gradient.copy(), [], [], []
    for E, e, a, b in pieces:
        zero = np.abs(e) <= 1e-6 * max(np.abs(e).max(), 1e-3)
        rest += E[~zero].T @ np.where(e[~zero] > 0, b, a)
        columns.append(E[zero].T)
        lows += [a] * int(zero.sum())
        highs += [b] * int(zero.sum())
    K = np.hstack(columns)
    rows = slice(None) if free is None else free
    y = np.linalg.lstsq(K[rows], -rest[rows], rcond=None)[0] if K.shape[1] else np.zeros(0)
    left = np.abs(K[rows] @ y + rest[rows]).max(initial=0)
    outside = max((np.array(lows) - y).max(initial=0), (y - np.array(highs)).max(initial=0))
    size = max(np.abs(rest).max(), 1)
    checks.check(left <= tolerance * size, f"{name}: the gradient and multipliers leave {left}")
    checks.check(outside <= tolerance * size, f"{name}: multipliers are outside by {outside}")
    return K @ y + rest


def regression(m, n, scale=1.0):
    A = rng.normal(size=(m, n))
    return A, scale * (A @ rng.normal(size=n) + rng.standard_t(2, size=m))


def test_absolute_deviations(folder):
    """Data of any scale, several methods and ranks; the objective of the report is the sum itself."""
    for m, n, scale, ranks, methods in ((25, 4, 1, 3, ("auto", "l-bfgs", "newton-cg", "barzilai-borwein")),
                                        (60, 8, 1e5, 2, ("auto",)), (60, 8, 1e-5, 4, ("auto",)), (9, 1, 1, 7, ("auto",))):
        A, b = regression(m, n, scale)
        for method in methods:
            name = f"deviations {m} x {n} {scale} {method}"
            finished, X = solve(folder, name, "norm1(A*X - B)", (n, 1), {"A": A, "B": b[:, None]}, f"method: {method}", ranks=ranks)
            e = A @ X[:, 0] - b
            certify(name, [(A, e, -1, 1)], np.zeros(n))
            checks.close(f"{name}: objective", finished.report["objective"], np.abs(e).sum(), 1e-12)
            checks.equal(f"{name}: constraints", finished.report["subject_to"]["constraints"], [])
            if n > 1:
                checks.equal(f"{name}: split", [term["term"] for term in finished.report["subject_to"]["split"]], ["norm1(A*X - B)"])


def test_quantiles(folder):
    """relu of E and of -E are one kink; maximize as well; several columns at once."""
    A, b = regression(40, 5)
    B = np.stack([b, b[::-1]], axis=1)
    finished, X = solve(folder, "quantile", "sum(0.2*relu(B - A*X) + t*relu(A*X - B))", (5, 2), {"A": A, "B": B, "t": 0.8})
    E = A @ X - B
    for k in range(2):
        certify(f"quantile column {k}", [(A, E[:, k], -0.2, 0.8)], np.zeros(5))
    value = (0.2 * np.maximum(-E, 0) + 0.8 * np.maximum(E, 0)).sum()
    checks.close("quantile: objective", finished.report["objective"], value, 1e-12)
    checks.equal("quantile: one kink", len(finished.report["subject_to"]["split"]), 1)
    finished, Y = solve(folder, "quantile maximized", "-t*sum(relu(A*X - B)) - 0.2*sum(relu(B - A*X))", (5, 2),
                        {"A": A, "B": B, "t": 0.8}, goal="maximize")
    checks.close("quantile maximized: objective", -finished.report["objective"], value, 1e-8)


def test_variation(folder):
    """Differences of neighbours, with a smooth term, alone and beside a norm1 of X."""
    n = 30
    y = np.repeat(rng.normal(size=3) * 2, 10) + 0.3 * rng.normal(size=n)
    D = np.diff(np.eye(n), axis=0)
    data = {"D": D, "Y": y[:, None], "lambda": 0.7}
    _, X = solve(folder, "variation", "0.5*sumsq(X - Y) + lambda*norm1(D*X)", (n, 1), data, ranks=3)
    x = X[:, 0]
    certify("variation", [(D, D @ x, -0.7, 0.7)], x - y)
    _, X = solve(folder, "fused", "0.5*sumsq(X - Y) + lambda*norm1(D*X) + 0.2*norm1(X)", (n, 1), data)
    shrunk = np.sign(x) * np.maximum(np.abs(x) - 0.2, 0)  # J. Friedman, T. Hastie, H. Hofling, R. Tibshirani 2007, lemma A.1
    checks.check(np.abs(X[:, 0] - shrunk).max() <= 1e-5, f"fused: {np.abs(X[:, 0] - shrunk).max()} from the soft threshold")


def test_hinge(folder):
    A, b = regression(40, 5)
    y = np.sign(b)
    finished, X = solve(folder, "hinge", "0.05*sumsq(X) + sum(relu(ones - y.*(A*X)))", (5, 1), {"A": A, "y": y[:, None]})
    e = 1 - y * (A @ X[:, 0])
    certify("hinge", [(-y[:, None] * A, e, 0, 1)], 0.1 * X[:, 0])


def test_weights(folder):
    """Weights on the entries, and none on the diagonal; what carries no weight has no kink."""
    A, b = regression(30, 6)
    w = rng.random(6) * 20
    w[2] = 0
    for objective in ("0.5*sumsq(A*X - B) + norm1(w.*X)", "0.5*sumsq(A*X - B) + norm1(diag(w)*X)",
                      "0.5*sumsq(A*X - B) + w'*abs(X)", "0.5*sumsq(A*X - B) + sum(w.*abs(X))"):
        _, X = solve(folder, "weights", objective, (6, 1), {"A": A, "B": b[:, None], "w": w[:, None]})
        x = X[:, 0]
        g = A.T @ (A @ x - b)
        zero = np.abs(x) <= 1e-7
        checks.check(np.abs(g[~zero] + w[~zero] * np.sign(x[~zero])).max() <= 1e-5 * np.abs(A.T @ b).max(), f"{objective}: entries")
        checks.check((np.abs(g[zero]) <= w[zero] + 1e-5).all() and zero.any(), f"{objective}: zeros")
    S = np.cov(rng.normal(size=(30, 5)), rowvar=False)
    for penalty in ("0.1*norm1(X - diag(diagvec(X)))", "0.1*norm1((ones - eye).*X)", "0.1*sum((ones - eye).*abs(X))"):
        _, X = solve(folder, "precision", f"tr(S*X) - logdet(X) + {penalty}", (5, 5), {"S": S}, keys=", start: identity")
        G = S - np.linalg.inv(X)
        zero = np.abs(X) <= 1e-6
        off = ~np.eye(5, dtype=bool)
        checks.check(np.abs(np.diag(G)).max() <= 1e-5, f"{penalty}: the diagonal is free, its gradient {np.abs(np.diag(G)).max()}")
        checks.check((np.abs(G[zero & off]) <= 0.1 + 1e-5).all() and (zero & off).any(), f"{penalty}: zeros")
        checks.check(np.abs(G + 0.1 * np.sign(X))[~zero & off].max() <= 1e-5, f"{penalty}: entries")


def test_negative_weights(folder):
    """Refused with the first entry, at the objective, whatever the ranks."""
    W = np.ones((5, 4))
    W[2, 1] = W[3, 0] = -0.5
    np.save(folder / "W.npy", W)
    job = folder / "negative.yaml"
    job.write_text("minimize: sumsq(X - ones) + 2*sum(W.*abs(X))\nvariables: {X: {rows: 5, columns: 4}}\ndata: {W: {file: W.npy}}\n")
    for ranks in (1, 4):
        finished = run_job(job, folder / "negative", ranks=ranks)
        checks.equal(f"negative weights on {ranks}: exit status", finished.status, 2)
        for text in ("negative.yaml:1:", "entry (3,2)", "-1"):
            checks.check(text in finished.err, f"negative weights: no {text!r} in {finished.err.strip()[-300:]}")


def test_sets(folder):
    """Bounds, symmetric and semidefinite matrices, sums of lines; a norm1 that has no proximal step there is split too."""
    A, b = regression(40, 6)
    for method in ("auto", "newton-cg"):
        _, X = solve(folder, f"bounded deviations {method}", "norm1(A*X - B)", (6, 1), {"A": A, "B": b[:, None]}, f"method: {method}",
                     keys=", constraint: {box: [-0.3, 0.4]}")
        x = X[:, 0]
        free = (x > -0.3) & (x < 0.4)
        left = certify(f"bounded deviations {method}", [(A, A @ x - b, -1, 1)], np.zeros(6), free)
        checks.check((left[x == -0.3] >= -1e-5).all() and (left[x == 0.4] <= 1e-5).all(), f"bounded deviations {method}: bounds")
    C = rng.normal(size=(6, 6))
    for constraint in ("symmetric", "positive_semidefinite"):
        _, X = solve(folder, f"norm1 on {constraint}", "0.5*sumsq(X - C) + 0.2*norm1(X)", (6, 6), {"C": C}, keys=f", constraint: {constraint}")
        Y = (C + C.T) / 2
        if constraint == "symmetric":
            checks.check(np.abs(X - np.sign(Y) * np.maximum(np.abs(Y) - 0.2, 0)).max() <= 1e-6, "norm1 on symmetric: X")
            continue
        # X = argmin |Z - (Y - 0.2 y)|^2 on the cone, y of the subdifferential: y from where X has entries, then by passes.
        checks.check(np.linalg.eigvalsh(X).min() >= -1e-9, "norm1 on positive_semidefinite: feasible")
        y = np.sign(X) * (np.abs(X) > 1e-6)
        for _ in range(20000):  # dual ascent: y moves along X(y), the projection of Y - 0.2 y, within [-1, 1]
            values, vectors = np.linalg.eigh(Y - 0.2 * y)
            P = (vectors * np.maximum(values, 0)) @ vectors.T
            y = np.clip(y + 2 * P, -1, 1)
        value = lambda Z: 0.5 * ((Z - C) ** 2).sum() + 0.2 * np.abs(Z).sum()
        dual = 0.5 * ((C - Y) ** 2).sum() + 0.5 * (Y**2).sum() - 0.5 * (P**2).sum()
        checks.check(value(X) - dual <= 1e-6 * value(X), f"norm1 on positive_semidefinite: {value(X)}, at least {dual}")
        checks.check(np.linalg.eigvalsh(X).min() <= 1e-7, "norm1 on positive_semidefinite: the bound binds")
    _, X = solve(folder, "norm1 on lines", "0.5*sumsq(X - C) + 0.2*norm1(X)", (6, 6), {"C": C}, keys=", constraint: {simplex_rows: 2}")
    checks.check(np.abs(X.sum(axis=1) - 2).max() <= 1e-9 and X.min() >= 0, "norm1 on lines: sums")


def test_equalities(folder):
    """The sparsest solution in norm1 of a linear system, certified by a multiplier of the equations."""
    A = rng.normal(size=(12, 20))
    x0 = np.zeros(20)
    x0[[3, 11]] = 1.5, -2
    finished, X = solve(folder, "pursuit", "norm1(X)", (20, 1), {"A": A, "B": (A @ x0)[:, None]}, more="subject_to: [A*X = B]\n")
    support = x0 != 0
    nu = np.linalg.lstsq(A[:, support].T, np.sign(x0[support]), rcond=None)[0]
    checks.check(np.abs(A.T @ nu).max() <= 1 + 1e-12, "pursuit: the sample has the certificate")
    checks.check(np.abs(X[:, 0] - x0).max() <= 1e-6, f"pursuit: off by {np.abs(X[:, 0] - x0).max()}")
    checks.close("pursuit: objective", finished.report["objective"], 3.5, 1e-7)
    checks.check(finished.report["constraint_violation"] <= 1e-8, "pursuit: violation")


def test_said(folder):
    """What is split is said; what is not affine keeps its kinks, and method: alternating refuses a set without a step."""
    A, b = regression(12, 3)
    finished, _ = solve(folder, "said", "norm1(A*X - B)", (3, 1), {"A": A, "B": b[:, None]})
    checks.check("norm1 and relu of affine expressions" in finished.report["method_reason"], finished.report["method_reason"])
    (folder / "kept.yaml").write_text("minimize: norm1(U*V' - ones(5,4)) + 0.1*sumsq(U) + 0.1*sumsq(V)\n"
                                      "variables: {U: {rows: 5, columns: 2, start: normal}, V: {rows: 4, columns: 2, start: normal}}\n")
    finished = run_job(folder / "kept.yaml", folder / "kept")
    checks.check("kinks" in finished.report["method_reason"], f"norm1(U*V'): {finished.report['method_reason']}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-split-") as temporary:
        folder = Path(temporary)
        for name, test in list(globals().items()):
            if name.startswith("test_") and (len(sys.argv) == 1 or name in sys.argv[1:]):
                test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
