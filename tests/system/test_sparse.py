"""Zeros in the answer: nonnegative factors and norm1, against coordinate descent and subgradients computed in NumPy."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()


def write_data(folder):
    """Matrices that both sides read."""
    generator = np.random.default_rng(5)
    for name, shape in (("A", (30, 12)), ("B", (30, 12))):
        np.save(folder / f"{name}.npy", generator.standard_normal(shape))
    np.save(folder / "Y.npy", np.abs(generator.standard_normal((40, 30))))


FACTORS = """
minimize: sumsq(Y - U*V)
variables:
  U: {rows: 40, columns: 4, start: uniform, constraint: nonnegative}
  V: {rows: 4, columns: 30, start: uniform, seed: 2, constraint: nonnegative}
data: {Y: {file: FOLDER/Y.npy}}
output: {variables: {U: U.npy, V: V.npy}}
"""


def test_factors(folder):
    """Nonnegative factors: the measure reported is that of the point, and `auto` earns its keep."""
    job, Y, products = folder / "factors.yaml", np.load(folder / "Y.npy"), {}
    job.write_text(FACTORS.replace("FOLDER", str(folder)))
    for method, ranks in (("auto", 1), ("auto", 4), ("newton-cg", 2), ("barzilai-borwein", 1)):
        what = f"factors by {method} on {ranks} ranks"
        finished = run_job(job, folder / f"factors-{method}-{ranks}", ranks=ranks,
                           settings={"solver.method": method, "solver.max_iterations": 5000})
        if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
            continue
        U, V = np.load(finished.folder / "U.npy"), np.load(finished.folder / "V.npy")
        checks.check(min(U.min(), V.min()) >= 0, f"{what}: an entry is negative")
        checks.check((U == 0).sum() + (V == 0).sum() > 10, f"{what}: the constraint is not active")
        checks.close(f"{what}: objective", finished.report["objective"], ((Y - U @ V) ** 2).sum(), 1e-12)
        R = 2 * (U @ V - Y)
        away = np.hypot(np.linalg.norm(U - np.maximum(U - R @ V.T, 0)), np.linalg.norm(V - np.maximum(V - U.T @ R, 0)))
        checks.check(abs(away - finished.report["gradient_norm"]) <= 1e-9 and away <= finished.report["gradient_target"],
                     f"{what}: |P(x - g) - x| is {away:.3e}, reported {finished.report['gradient_norm']:.3e}")
        products[method] = finished.report["products"]
        expected = {"auto": "alternating", "newton-cg": "bounded-newton-cg", "barzilai-borwein": "spectral-projected-gradient"}
        checks.equal(f"{what}: method", finished.report["method"], expected[method])
    checks.check(products["auto"] < products["barzilai-borwein"], f"products by method: {products}")


LASSO = """
minimize: sumsq(A*X - B) + lambda*norm1(X) + 0.5*norm1(X)
variables: {X: {rows: 12, columns: 12CONSTRAINT}}
data: {A: {file: FOLDER/A.npy}, B: {file: FOLDER/B.npy}, lambda: 5.5}
solver: {gradient_tolerance: 1e-10}
output: {variables: {X: X.npy}}
"""


def lasso(A, b, weight, low, high):
    """min |A x - b|^2 + weight |x|_1, low <= x <= high, by coordinate descent."""
    x, rest, squares = np.zeros(A.shape[1]), b.copy(), (A**2).sum(0)
    for _ in range(100000):
        change = 0.0
        for j, a in enumerate(A.T):
            wanted = a @ rest + squares[j] * x[j]
            new = np.clip(np.sign(wanted) * max(abs(wanted) - weight / 2, 0) / squares[j], low, high)
            rest -= a * (new - x[j])
            change, x[j] = max(change, abs(new - x[j])), new
        if change < 1e-14:
            return x
    raise RuntimeError("coordinate descent does not end")


def test_lasso(folder):
    """norm1 by proximal steps: the same zeros as coordinate descent; of nonnegative variables it is a sum."""
    A, B = np.load(folder / "A.npy"), np.load(folder / "B.npy")
    for k, (constraint, low, high, method) in enumerate((("", -np.inf, np.inf, "proximal-newton-cg"),
                                                 (", constraint: {box: [-0.1, 0.2]}", -0.1, 0.2, "proximal-newton-cg"),
                                                 (", constraint: nonnegative", 0, np.inf, "bounded-l-bfgs"))):
        X = np.column_stack([lasso(A, b, 6.0, low, high) for b in B.T])
        value = ((A @ X - B) ** 2).sum() + 6.0 * np.abs(X).sum()
        checks.check(20 < (X == 0).sum() < 125, f"lasso {k}: {(X == 0).sum()} zeros of 144 make no test")
        text = LASSO.replace("CONSTRAINT", constraint).replace("FOLDER", str(folder))
        for sense, ranks in (("minimize", 1), ("minimize", 4), ("maximize", 2)):
            job = folder / f"lasso-{k}-{sense}.yaml"
            sign = 1 if sense == "minimize" else -1
            job.write_text(text if sign == 1 else text.replace("minimize: sumsq", "maximize: -sumsq").replace("+", "-"))
            finished = run_job(job, folder / f"lasso-{k}-{sense}-{ranks}", ranks=ranks)
            what = f"lasso{constraint}, {sense} on {ranks} ranks"
            if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
                continue
            report, found = finished.report, np.load(finished.folder / "X.npy")
            checks.equal(f"{what}: method", report["method"], method)
            checks.close(f"{what}: objective", sign * report["objective"], value, 1e-12)
            checks.check(np.linalg.norm(found - X) <= 1e-8, f"{what}: X is off by {np.linalg.norm(found - X):.2e}")
            checks.equal(f"{what}: zeros", ((found == 0) != (X == 0)).sum(), 0)


def test_raw_lasso(folder):
    """Columns of units from 1e-3 to 1e3: no more than tens of products, certified by the subgradient."""
    random = np.random.default_rng(1)
    A = random.standard_normal((200, 40)) * 10.0 ** random.uniform(-3, 3, 40)
    b = A @ (random.standard_normal(40) * (random.random(40) < 0.3) / np.linalg.norm(A, axis=0) * 10) + 0.1 * random.standard_normal(200)
    weight = 0.5 * np.median(np.abs(2 * A.T @ b))
    np.save(folder / "raw-A.npy", A)
    np.save(folder / "raw-b.npy", b[:, None])
    job = folder / "raw.yaml"
    job.write_text(f"minimize: sumsq(A*X - b) + {weight!r}*norm1(X)\nvariables: {{X: {{rows: 40, columns: 1}}}}\n"
                   f"data: {{A: {{file: {folder}/raw-A.npy}}, b: {{file: {folder}/raw-b.npy}}}}\noutput: {{variables: {{X: X.npy}}}}\n")
    for ranks, method in ((1, "auto"), (3, "newton-cg")):
        finished = run_job(job, folder / f"raw-{ranks}", ranks=ranks, settings={"solver.method": method})
        if not checks.equal(f"raw lasso: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
            continue
        x = np.load(finished.folder / "X.npy")[:, 0]
        checks.check(finished.report["products"] <= 100, f"raw lasso: {finished.report['products']} products")
        g = 2 * A.T @ (A @ x - b)
        away = np.where(x == 0, np.maximum(np.abs(g) - weight, 0), g + weight * np.sign(x))
        checks.check(np.max(np.abs(away) / (weight + np.abs(g))) <= 1e-6, f"raw lasso: {np.abs(away).max():.2e} from stationary")
        checks.check(5 <= (x == 0).sum() <= 35, f"raw lasso: {(x == 0).sum()} zeros")


def test_graphical_lasso(folder):
    """tr(S*X) - logdet(X) + a norm1(X): certified by |S - inv(X)| <= a at zeros, S - inv(X) = -a sign(X) elsewhere."""
    random, n, a = np.random.default_rng(2), 60, 0.1
    chain = 2 * np.eye(n) - 0.9 * (np.eye(n, k=1) + np.eye(n, k=-1))
    Z = random.standard_normal((2 * n, n)) @ np.linalg.cholesky(np.linalg.inv(chain)).T
    for name, units, most in (("even", np.ones(n), 800), ("raw", 10.0 ** random.uniform(-0.5, 0.5, n), 8000)):
        S = np.cov((Z * units).T)
        weight = a * np.median(np.diag(S))
        np.save(folder / "gl-S.npy", S)
        job = folder / "gl.yaml"
        job.write_text(f"minimize: tr(S*X) - logdet(X) + {weight!r}*norm1(X)\nvariables: {{X: {{rows: {n}, columns: {n}}}}}\n"
                       f"data: {{S: {{file: {folder}/gl-S.npy, symmetric: true}}}}\noutput: {{variables: {{X: X.npy}}}}\n"
                       "solver: {gradient_tolerance: 1e-6}\n")
        finished = run_job(job, folder / f"gl-{name}", ranks=2)
        if not checks.equal(f"graphical lasso, {name}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
            continue
        X = np.load(finished.folder / "X.npy")
        G = S - np.linalg.inv(X)
        away = np.where(X == 0, np.maximum(np.abs(G) - weight, 0), G + weight * np.sign(X))
        checks.check(np.linalg.norm(away) <= 1e-5 * np.linalg.norm(S), f"graphical lasso, {name}: {np.linalg.norm(away):.2e} from stationary")
        checks.check(finished.report["products"] <= most, f"graphical lasso, {name}: {finished.report['products']} products")
        checks.check((X == 0).sum() > n * n // 4, f"graphical lasso, {name}: {(X == 0).sum()} zeros")


def test_sparse_factors(folder):
    """norm1 of two variables at once: stationary for both, and sparse."""
    job, Y = folder / "sparse.yaml", np.load(folder / "Y.npy")
    job.write_text(FACTORS.replace("sumsq(Y - U*V)", "sumsq(Y - U*V) + 2*norm1(U) + norm1(V)")
                   .replace("seed: 2, constraint: nonnegative", "seed: 2, constraint: {box: [-1, 1]}")
                   .replace("start: uniform, constraint: nonnegative", "start: uniform").replace("FOLDER", str(folder)))
    finished = run_job(job, folder / "sparse", ranks=3, settings={"solver.max_iterations": 20000})
    if not checks.equal(f"sparse factors: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
        return
    U, V = np.load(finished.folder / "U.npy"), np.load(finished.folder / "V.npy")
    R = 2 * (U @ V - Y)
    shrink = lambda Z, w: np.sign(Z) * np.maximum(np.abs(Z) - w, 0)
    away = np.hypot(np.linalg.norm(U - shrink(U - R @ V.T, 2)),
                    np.linalg.norm(V - np.clip(shrink(V - U.T @ R, 1), -1, 1)))
    value = ((Y - U @ V) ** 2).sum() + 2 * np.abs(U).sum() + np.abs(V).sum()
    checks.close("sparse factors: objective", finished.report["objective"], value, 1e-12)
    checks.equal("sparse factors: measure", finished.report["stopping_measure"], "proximal gradient norm")
    checks.check(abs(away - finished.report["gradient_norm"]) <= 1e-9, f"sparse factors: {away:.3e} from stationary, "
                                                                       f"reported {finished.report['gradient_norm']:.3e}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-sparse-") as temporary:
        folder = Path(temporary)
        write_data(folder)
        test_factors(folder)
        test_lasso(folder)
        test_raw_lasso(folder)
        test_graphical_lasso(folder)
        test_sparse_factors(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
