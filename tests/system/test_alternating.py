"""method: alternating on factorisations: optima from singular values, stationarity recomputed in NumPy."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import ROOT, Checks, run, run_job

checks = Checks()
ROWS, COLS, RANK = 23, 17, 4


def save_data(folder):
    rng = np.random.default_rng(8)
    A = rng.standard_normal((ROWS, COLS)) @ np.diag(0.8 ** np.arange(COLS))
    P = 1 / (1 + np.exp(-rng.standard_normal((ROWS, COLS))))
    N = rng.random((ROWS, RANK)) @ rng.random((RANK, COLS)) + 0.1 * rng.random((ROWS, COLS))
    for name, matrix in {"A": A, "P": P, "N": N}.items():
        np.save(folder / f"{name}.npy", matrix)
    return A, P, N


def write(folder, name, objective, data, u="start: normal", v="start: normal, seed: 2", more=""):
    job = folder / f"{name}.yaml"
    job.write_text(f"minimize: {objective}\nvariables:\n"
                   f"  U: {{rows: {ROWS}, columns: {RANK}, {u}}}\n  V: {{rows: {COLS}, columns: {RANK}, {v}}}\n"
                   f"data:\n  {data}: {{file: {data}.npy}}\n"
                   f"solver: {{method: alternating, max_iterations: 5000}}\n"
                   f"output: {{variables: {{U: U.npy, V: V.npy}}}}\n{more}")
    return job


def solve(folder, name, job, ranks, settings=None):
    finished = run_job(job, folder / f"{name}-{ranks}", ranks=ranks, settings=settings)
    what = f"{name} on {ranks} ranks"
    if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
        return None, None, None
    report = finished.report
    checks.equal(f"{what}: status", report["status"], "converged")
    values = [record["objective"] for record in finished.history]
    rises = np.diff(values).max()
    checks.check(rises <= 1e-13 * abs(values[0]), f"{what}: the objective rises by {rises}")
    products = [record["products"] for record in finished.history]
    checks.check((np.diff(products) > 0).all(), f"{what}: a pass costs no products: {products[:5]}")
    # What the examination of the last point takes stands in the report alone: Hessian actions of the whole.
    last = report["products"] - products[-1]
    checks.check(0 <= last <= 10 + 32 * 16, f"{what}: {report['products']} products in the report, {products[-1]} in the history")
    return report, np.load(finished.folder / "U.npy"), np.load(finished.folder / "V.npy")


def test_singular_values(folder, A):
    """|A - U V'|^2: the tail of the singular values; each half-step is direct."""
    s = np.linalg.svd(A, compute_uv=False)
    job = write(folder, "svd", "sumsq(A - U*V')", "A")
    found = {}
    for ranks in (1, 2, 3, 4, 7):
        report, U, V = solve(folder, "svd", job, ranks)
        if report is None:
            return
        found[ranks] = U @ V.T
        checks.close(f"svd on {ranks} ranks: objective", report["objective"], (s[RANK:] ** 2).sum(), 1e-9)
        checks.close("svd: objective at U, V", ((A - U @ V.T) ** 2).sum(), report["objective"], 1e-12)
        checks.equal("svd: method", report["method"], "alternating")
        checks.check("U by direct, V by direct" in report["method_reason"], f"svd: {report['method_reason']}")
        checks.check(abs(found[ranks] - found[1]).max() <= 1e-6, f"svd: {ranks} ranks and 1 differ")


def test_ridge(folder, A):
    """|A - U V'|^2 + l |U|^2 + l |V|^2: singular values above l are shrunk by l, the others cut."""
    s, ridge = np.linalg.svd(A, compute_uv=False), 0.7
    kept = np.where((np.arange(COLS) < RANK) & (s > ridge), s - ridge, 0)
    optimum = ((s - kept) ** 2).sum() + 2 * ridge * kept.sum()
    job = write(folder, "ridge", f"sumsq(A - U*V') + {ridge}*sumsq(U) + {ridge}*sumsq(V)", "A")
    for ranks in (1, 4):
        report, _, _ = solve(folder, "ridge", job, ranks)
        if report is not None:
            checks.close("ridge: objective", report["objective"], optimum, 1e-9)


def test_nonnegative(folder, N):
    """Nonnegative factors: stationary, projected gradients recomputed."""
    job = write(folder, "nmf", "sumsq(N - U*V')", "N", "start: uniform, constraint: nonnegative",
                "start: uniform, seed: 2, constraint: nonnegative")
    for ranks in (1, 2):
        report, U, V = solve(folder, "nmf", job, ranks, {"solver.gradient_tolerance": 1e-6})
        if report is None:
            return
        checks.check(U.min() >= 0 and V.min() >= 0, "nmf: a factor is negative")
        rest = U @ V.T - N
        steps = [np.maximum(X - G, 0) - X for X, G in ((U, 2 * rest @ V), (V, 2 * rest.T @ U))]
        norm = np.sqrt(sum((step**2).sum() for step in steps))
        checks.check(abs(norm - report["gradient_norm"]) <= 1e-9 and norm <= report["gradient_target"],
                     f"nmf: projected gradient {norm}, reported {report['gradient_norm']}")
        checks.check((rest**2).sum() < 0.01 * (N**2).sum(), f"nmf: the fit is poor: {(rest ** 2).sum()}")


def bounds_gap(X, G, high=np.inf):
    return np.linalg.norm(np.where(X <= 0, np.minimum(G, 0), np.where(X >= high, np.maximum(G, 0), G)))


def test_coordinate_descent(folder, N):
    """Bounded factors: what auto takes, stationarity by NumPy, the same on any ranks and blocks; both orientations."""
    bounded = "start: uniform, constraint: nonnegative"
    low = folder / "transposed.yaml"
    job = write(folder, "nmf auto", "sumsq(N - U*V')", "N", bounded, bounded + ", seed: 2")
    low.write_text(f"minimize: sumsq(N - U*W) + 3*sum(W)\nvariables:\n  U: {{rows: {ROWS}, columns: {RANK}, start: uniform, "
                   f"constraint: {{box: [0, 0.7]}}}}\n  W: {{rows: {RANK}, columns: {COLS}, {bounded}, seed: 2}}\n"
                   "data: {N: {file: N.npy}}\noutput: {variables: {U: U.npy, W: W.npy}}\n")
    found = {}
    for path, high, cost in ((job, np.inf, 0), (low, 0.7, 3)):
        for ranks, block in ((1, 64), (3, 2), (4, 1)):
            what = f"{path.stem} on {ranks} ranks, blocks of {block}"
            finished = run_job(path, folder / f"{path.stem}-{ranks}-{block}", ranks=ranks,
                               settings={"solver.method": "auto", "solver.max_iterations": 3000, "process_grid.block": block})
            if not checks.equal(f"{what}: exit status ({finished.err[-300:]})", finished.status, 0):
                continue
            report = finished.report
            checks.equal(f"{what}: method", report["method"], "alternating")
            checks.check("small matrix for all lines" in report["method_reason"], f"{what}: {report['method_reason']}")
            U = np.load(finished.folder / "U.npy")
            W = np.load(finished.folder / "W.npy") if cost else np.load(finished.folder / "V.npy").T
            rest = U @ W - N
            norm = np.hypot(bounds_gap(U, 2 * rest @ W.T, high), bounds_gap(W, 2 * U.T @ rest + cost))
            checks.check(min(U.min(), W.min()) >= 0 and U.max() <= high, f"{what}: outside the bounds")
            checks.check(norm <= 1.001 * report["gradient_target"], f"{what}: gradient {norm}, {report['gradient_target']}")
            found.setdefault(path, []).append(report["objective"])
        checks.check(np.ptp(found[path]) <= 1e-9 * found[path][0], f"{path.stem}: objectives {found[path]}")
    finished = run_job(job, folder / "nmf asked", settings={"solver.gradient_tolerance": 1e-6})
    checks.equal("nmf asked: the half-steps", finished.report["method_reason"],
                 "alternating: U by coordinate descent, V by coordinate descent")


def test_digits(folder):
    """Nonnegative factors of the digits: passes and products, and the objective that scikit-learn's NMF ends at."""
    job = folder / "digits.yaml"
    job.write_text("minimize: sumsq(X - U*V)\nvariables:\n"
                   "  U: {rows: 1797, columns: 5, start: uniform, seed: 8, constraint: nonnegative}\n"
                   "  V: {rows: 5, columns: 64, start: uniform, seed: 108, constraint: nonnegative}\n"
                   f"data: {{X: {{file: {ROOT / 'configs/data/digits-x.npy'}}}}}\nsolver: {{gradient_tolerance: 1e-6}}\n")
    finished = run_job(job, folder / "digits")
    if checks.equal(f"digits: exit status ({finished.err[-300:]})", finished.status, 0):
        report = finished.report
        checks.check(report["objective"] <= 1153188.08, f"digits: objective {report['objective']}, by NMF 1153188.066")
        checks.check(report["iterations"] <= 60 and report["products"] <= 800,
                     f"digits: {report['iterations']} passes, {report['products']} products")


def test_manifold_block(folder, A):
    """U orthonormal: its half-step is an orthogonal Procrustes problem."""
    s = np.linalg.svd(A, compute_uv=False)
    job = write(folder, "orthonormal", "sumsq(A - U*V')", "A", "start: feasible, constraint: orthonormal_columns")
    report, U, _ = solve(folder, "orthonormal", job, 2)
    if report is not None:
        checks.close("orthonormal: objective", report["objective"], (s[RANK:] ** 2).sum(), 1e-9)
        checks.check(abs(U.T @ U - np.eye(RANK)).max() <= 1e-13, "orthonormal: U has left the manifold")


def test_sparse(folder, A):
    """norm1 of one factor by proximal steps inside its half-step: the proximal gradient, recomputed."""
    job = write(folder, "sparse", "sumsq(A - U*V') + sumsq(U) + norm1(V)", "A")
    report, U, V = solve(folder, "sparse", job, 2, {"solver.gradient_tolerance": 1e-6})
    if report is None:
        return
    rest = U @ V.T - A
    moved = V - 2 * rest.T @ U
    shrunk = np.sign(moved) * np.maximum(abs(moved) - 1, 0) - V
    norm = np.sqrt(((2 * rest @ V + 2 * U) ** 2).sum() + (shrunk**2).sum())
    checks.check(abs(norm - report["gradient_norm"]) <= 1e-10, f"sparse: {norm}, reported {report['gradient_norm']}")
    checks.close("sparse: objective", report["objective"], (rest**2).sum() + (U**2).sum() + abs(V).sum(), 1e-12)
    checks.check((V == 0).sum() > 0, "sparse: no entry is zero")
    checks.check("V by proximal-newton-cg" in report["method_reason"], f"sparse: {report['method_reason']}")


def test_not_quadratic(folder, P):
    """A logistic loss: the half-steps iterate; the gradient is recomputed."""
    job = write(folder, "logistic", "sum(softplus(U*V')) - dot(P, U*V') + 0.2*sumsq(U) + 0.2*sumsq(V)", "P")
    report, U, V = solve(folder, "logistic", job, 2)
    if report is None:
        return
    rest = 1 / (1 + np.exp(-U @ V.T)) - P
    norm = np.sqrt(((rest @ V + 0.4 * U) ** 2).sum() + ((rest.T @ U + 0.4 * V) ** 2).sum())
    checks.check(abs(norm - report["gradient_norm"]) <= 1e-10, f"logistic: gradient {norm}, {report['gradient_norm']}")
    checks.check("U by l-bfgs, V by l-bfgs" in report["method_reason"], f"logistic: {report['method_reason']}")


def test_quadratic(folder, A):
    """Degree 2 in both variables together: the step along the direction of the passes is the Hessian action's."""
    job = write(folder, "quadratic", "sumsq(A*V - U) + sumsq(U) + 0.1*sumsq(V) - 2*sum(U)", "A", "start: zeros", "start: zeros")
    H = np.block([[2 * np.eye(ROWS), -A], [-A.T, A.T @ A + 0.1 * np.eye(COLS)]])
    answer = np.linalg.solve(H, np.vstack([np.ones((ROWS, RANK)), np.zeros((COLS, RANK))]))
    for ranks in (1, 3):
        report, U, V = solve(folder, "quadratic", job, ranks)
        if report is not None:
            checks.check(abs(np.vstack([U, V]) - answer).max() <= 1e-6, f"quadratic on {ranks} ranks: U, V")
            checks.close(f"quadratic on {ranks} ranks: objective", report["objective"], -answer[:ROWS].sum(), 1e-12)


def test_auto(folder):
    """What auto takes: alternating for closed half-steps without regularising terms, and only where it heeds all of the job."""
    loss = "sumsq(A - U*V')"
    takes = {"plain": (loss, {}), "no metric": (loss, {"solver.preconditioner": "none"}),
             "scaled": ("0.5*sumsq(A - U*V') + sum(A.^2)", {})}
    leaves = {"ridge": (loss + " + 1e-3*sumsq(U) + 1e-3*sumsq(V)", {}), "ridge on one": (loss + " + 0.1*sumsq(V)", {}),
              "search": (loss, {"solver.line_search": "strong-wolfe"}), "quartic": (loss + " + sumsq(U'*U)", {}),
              "loss": ("sum(softplus(U*V')) - dot(A, U*V')", {}), "sparse": (loss + " + norm1(V)", {})}
    for name, (objective, settings) in {**takes, **leaves}.items():
        job = write(folder, f"auto {name}", objective, "A")
        settings = {"solver.method": "auto", **settings}
        planned = run(["plan", job, *[word for key, value in settings.items() for word in ("--set", f"{key}={value}")]])
        line = next((line for line in planned.out.splitlines() if line.startswith("method ")), "none")
        checks.equal(f"auto, {name}: {line!r} {planned.err}", line.startswith("method alternating, because"), name in takes)
    for name, u, more in (("constraint", "start: feasible, constraint: orthonormal_columns", ""),
                          ("relation", "start: normal", "subject_to: [sum(U) = 1]\n")):
        job = write(folder, f"auto {name}", loss, "A", u, more=more)
        planned = run(["plan", job, "--set", "solver.method=auto"])
        checks.check("method alternating" not in planned.out and "method " in planned.out, f"auto, {name}: {planned.out}")
    job = write(folder, "auto diagonal", loss, "A")
    refused = run(["plan", job, "--set", "solver.method=auto", "--set", "solver.preconditioner=diagonal"])
    checks.check(refused.status == 2 and "not quadratic" in refused.err, f"auto, diagonal: {refused.err}")
    job = write(folder, "auto run", loss, "A")
    finished = run_job(job, folder / "auto-run", ranks=2, settings={"solver.method": "auto"})
    checks.equal(f"auto: exit status ({finished.err[-300:]})", finished.status, 0)
    reason = finished.report["method_reason"]
    checks.check("closed form in U, V alone" in reason and reason in finished.err, f"auto: {reason!r} in {finished.err}")
    checks.equal("auto: method", (finished.report["method"], finished.report["line_search"]), ("alternating", "exact"))


def test_noise(folder):
    """No gap among the singular values: the passes alone take thousands, as preconditioner some tens."""
    N = np.random.default_rng(5).standard_normal((ROWS, COLS))
    np.save(folder / "N.npy", N)
    s = np.linalg.svd(N, compute_uv=False)
    job = write(folder, "noise", "sumsq(N - U*V')", "N")
    report, _, _ = solve(folder, "noise", job, 2)
    if report is not None:
        rate = (s[RANK] / s[RANK - 1]) ** 2
        checks.close("noise: objective", report["objective"], (s[RANK:] ** 2).sum(), 1e-9)
        checks.check(report["iterations"] < 0.5 * np.log(1e-8) / np.log(rate),
                     f"noise: {report['iterations']} passes, the passes alone fall by {rate} each")


def test_restarts(folder, A):
    job = write(folder, "several", "sumsq(A - U*V')", "A")
    finished = run_job(job, folder / "several", ranks=2, settings={"solver.restarts": 3})
    checks.equal(f"several: exit status ({finished.err[-300:]})", finished.status, 0)
    checks.equal("several: attempts", len(finished.report["restarts"]), 3)


def test_ends(folder, A):
    """A start from which no half-step leads away, left and not, and an objective that falls without end in one variable."""
    job = write(folder, "zero", "sumsq(A - U*V')", "A", "start: zeros", "start: zeros")
    s = np.linalg.svd(A, compute_uv=False)
    report, _, _ = solve(folder, "zero", job, 2)
    if report:
        checks.close("zero: objective", report["objective"], (s[RANK:] ** 2).sum(), 1e-9)
        checks.check(report["saddles"] > 0, "zero: no saddle was left")
    finished = run_job(job, folder / "zero", ranks=2, settings={"solver.saddles": "stop"})
    checks.equal("zero: exit status", finished.status, 3)
    checks.check("saddle" in finished.report["reason"], f"zero: {finished.report['reason']}")
    job = write(folder, "falls", "sumsq(A - U*V') - 50*sumsq(U)", "A")
    finished = run_job(job, folder / "falls", ranks=2)
    checks.equal("falls: exit status", finished.status, 4)
    checks.check("in variable 1 of 2 alone" in finished.report["reason"], f"falls: {finished.report['reason']}")


def test_refusals(folder):
    job = folder / "one.yaml"
    job.write_text("minimize: sumsq(X - A)\nvariables: {X: {rows: 23, columns: 17}}\ndata: {A: {file: A.npy}}\n"
                   "solver: {method: alternating}\n")
    for command in ("plan", "run", "check"):
        finished = run([command, job])
        checks.equal(f"{command} with one variable: exit status", finished.status, 2)
        for word in ("one.yaml:4:18:", "X is the only one", "conjugate-gradient or l-bfgs"):
            checks.check(word in finished.err, f"{command} with one variable: no '{word}' in {finished.err}")
    job = write(folder, "related", "sumsq(A - U*V')", "A", more="subject_to: [sum(U) = 1]\n")
    finished = run(["run", job], ranks=2)
    checks.equal("alternating with subject_to: exit status", finished.status, 2)
    checks.check("does not serve the rounds of subject_to" in finished.err, f"related: {finished.err}")
    job = write(folder, "metric", "sumsq(A - U*V')", "A", "start: normal, constraint: {orthonormal_columns: {metric: S}}")
    job.write_text(job.read_text().replace("data:", "data:\n  S: {generate: minij, rows: 23, spd: true}"))
    finished = run(["run", job])
    checks.equal("alternating with a metric: exit status", finished.status, 2)
    checks.check("does not go with the metric of U" in finished.err, f"metric: {finished.err}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-alternating-") as temporary:
        folder = Path(temporary)
        A, P, N = save_data(folder)
        for test, argument in ((test_singular_values, A), (test_ridge, A), (test_quadratic, A), (test_nonnegative, N),
                               (test_coordinate_descent, N), (test_manifold_block, A), (test_sparse, A), (test_not_quadratic, P), (test_restarts, A)):
            test(folder, argument)
        test_digits(folder)
        test_noise(folder)
        test_auto(folder)
        test_ends(folder, A)
        test_refusals(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
