"""Jobs on manifolds: methods and retractions by name, random feasible starts, saddles; NumPy knows the optima."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()

JOB = """
minimize: OBJECTIVE
variables:
  X: {rows: 12, columns: 3, START}
data:
DATA
solver: {gradient_tolerance: 1e-9, SOLVER}
output: {variables: {X: X.npy}}
"""

DATA = {
    "A": "  A: {file: FOLDER/A.npy, symmetric: true}",
    "B": "  B: {file: FOLDER/B.npy, symmetric: true}",
    "M": "  M: {file: FOLDER/M.npy}",
    "N": "  N: {file: FOLDER/N.npy, symmetric: true}",
}


def write_data(folder):
    generator = np.random.default_rng(11)
    square = generator.standard_normal((12, 12))
    np.save(folder / "A.npy", square + square.T)
    half = generator.standard_normal((12, 12))
    np.save(folder / "B.npy", half @ half.T + np.eye(12))
    np.save(folder / "M.npy", generator.standard_normal((12, 3)))
    np.save(folder / "N.npy", np.diag([3.0, 2.0, 1.0]))


def write_job(folder, name, objective, data, start="start: feasible, constraint: orthonormal_columns", solver=""):
    text = JOB.replace("OBJECTIVE", objective).replace("START", start).replace("SOLVER", solver or "method: auto")
    text = text.replace("DATA", "\n".join(DATA[key] for key in data)).replace("FOLDER", str(folder))
    job = folder / f"{name}.yaml"
    job.write_text(text)
    return job


def brockett_optimum(folder):
    return np.linalg.eigvalsh(np.load(folder / "A.npy"))[:3] @ [3, 2, 1]


def ratio_optimum(folder):
    """The r at which the three least eigenvalues of A - r B add up to 0, by bisection: the sum falls with r."""
    A, B = np.load(folder / "A.npy"), np.load(folder / "B.npy")
    low, high = -1e3, 1e3
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.eigvalsh(A - middle * B)[:3].sum() > 0 else (low, middle)
    return low


def quartic_value(folder, X):
    return np.trace(X.T @ np.load(folder / "A.npy") @ X) + 2 * (X**4).sum()


def test_methods(folder):
    """What is asked for by name runs by that name and ends at the optimum of the spectrum."""
    jobs = {
        "brockett": (write_job(folder, "brockett", "tr(X'*A*X*N)", "AN"), brockett_optimum(folder)),
        "ratio": (write_job(folder, "ratio", "tr(X'*A*X)/tr(X'*B*X)", "AB"), ratio_optimum(folder)),
    }
    wishes = [("gradient-descent", {"solver.max_iterations": 5000}), ("barzilai-borwein", {}), ("conjugate-gradient", {}),
              ("l-bfgs", {}), ("newton-cg", {}), ("newton-cg", {"solver.retraction": "polar"}),
              ("l-bfgs", {"solver.retraction": "qr"})]
    for turn, (name, (job, optimum)) in enumerate(jobs.items()):
        for place, (method, settings) in enumerate(wishes):
            ranks = (1, 3)[(turn + place) % 2]
            settings = dict(settings, **{"solver.method": method})
            finished = run_job(job, folder / "out", ranks=ranks, settings=settings)
            what = f"{name}, {method}, {settings.get('solver.retraction', '')} on {ranks} ranks"
            if not checks.equal(f"{what}: exit status ({finished.err.strip()[-300:]})", finished.status, 0): continue
            report = finished.report
            checks.equal(f"{what}: method", report["method"], method)
            checks.close(f"{what}: objective", report["objective"], optimum, 1e-11)
            X = np.load(folder / "out" / "X.npy")
            checks.check(np.linalg.norm(X.T @ X - np.eye(3)) <= 1e-12, f"{what}: X'X is not eye")


def test_auto(folder):
    """Without a closed form auto is l-bfgs, and says for what."""
    job = write_job(folder, "quartic", "tr(X'*A*X) + 2*sum((X.*X).*(X.*X))", "A")
    finished = run_job(job, folder / "quartic", ranks=2)
    checks.equal(f"quartic: exit status ({finished.err.strip()[-300:]})", finished.status, 0)
    checks.equal("quartic: method", finished.report["method"], "l-bfgs")
    checks.equal("quartic: line search", finished.report["line_search"], "hager-zhang")
    checks.check("orthonormal_columns" in finished.report["method_reason"], finished.report["method_reason"])
    X = np.load(folder / "quartic" / "X.npy")
    checks.close("quartic: objective", finished.report["objective"], quartic_value(folder, X), 1e-13)
    A = np.load(folder / "A.npy")
    G = 2 * A @ X + 8 * X**3
    tangent = G - X @ (X.T @ G + G.T @ X) / 2
    checks.check(np.linalg.norm(tangent) <= finished.report["gradient_target"] * (1 + 1e-6),
                 f"quartic: the Riemannian gradient is {np.linalg.norm(tangent):.2e}")


def test_several(folder):
    """Two manifolds, and a manifold beside a free variable: both optima are sums over singular values."""
    two = write_job(folder, "two", "tr(X'*M*Z)", "M")
    two.write_text(two.read_text().replace("minimize", "maximize").replace("columns: 3", "columns: 2")
                   .replace("data:", "  Z: {rows: 3, columns: 2, start: feasible, seed: 2, constraint: orthonormal_columns}\ndata:"))
    mixed = write_job(folder, "mixed", "sumsq(M - X*W) + 0.01*sumsq(W)", "M")
    mixed.write_text(mixed.read_text().replace("columns: 3", "columns: 2")
                     .replace("data:", "  W: {rows: 2, columns: 3, start: normal}\ndata:"))
    values = np.linalg.svd(np.load(folder / "M.npy"), compute_uv=False)
    optima = {two: values[:2].sum(), mixed: (values[:2] ** 2).sum() * 0.01 / 1.01 + values[2] ** 2}
    for job, optimum in optima.items():
        for method, ranks in (("auto", 3), ("newton-cg", 1), ("conjugate-gradient", 2)):
            finished = run_job(job, folder / "several", ranks=ranks, settings={"solver.method": method})
            what = f"{job.stem}, {method}"
            if checks.equal(f"{what}: exit status ({finished.err.strip()[-300:]})", finished.status, 0):
                checks.close(f"{what}: objective", finished.report["objective"], optimum, 1e-11)


def test_slopes_that_never_turn(folder):
    """Far along a retraction the slopes of hager-zhang stay negative where f rises: no reason to stop at the start."""
    generator = np.random.default_rng(3)
    C = generator.standard_normal((56, 2)) @ generator.standard_normal((2, 54)) + generator.standard_normal((56, 54))
    np.save(folder / "C.npy", 2 * C)
    job = write_job(folder, "steep", "sumsq(C - X*W)", "")
    job.write_text(job.read_text().replace("rows: 12, columns: 3, start: feasible", "rows: 56, columns: 2, start: normal")
                   .replace("data:", f"  W: {{rows: 2, columns: 54, start: normal, seed: 2}}\ndata: {{C: {{file: {folder}/C.npy}}}}"))
    optimum = (np.linalg.svd(2 * C, compute_uv=False)[2:] ** 2).sum()
    for beta in ("hager-zhang", "polak-ribiere", "dai-yuan"):
        finished = run_job(job, folder / "steep", ranks=2, settings={"solver.method": "conjugate-gradient", "solver.beta": beta})
        if checks.equal(f"steep, {beta}: exit status ({finished.err.strip()[-300:]})", finished.status, 0):
            checks.close(f"steep, {beta}: objective", finished.report["objective"], optimum, 1e-11)


STARTS = {
    "orthonormal_columns": lambda X: np.linalg.norm(X.T @ X - np.eye(3)),
    "unit_columns": lambda X: np.abs(np.linalg.norm(X, axis=0) - 1).max(),
    "{box: [-0.5, 0.25]}": lambda X: max(0, X.max() - 0.25, -0.5 - X.min()),
    "simplex_columns": lambda X: max(np.abs(X.sum(axis=0) - 1).max(), -X.min()),
    "{frobenius_ball: 2}": lambda X: max(0, np.linalg.norm(X) - 2),
}


def test_feasible_starts(folder):
    """start: feasible is a point of the set, of its seed, and of no number of ranks."""
    for constraint, violation in STARTS.items():
        points = []
        for ranks, seed in ((1, 1), (3, 1), (2, 2)):
            start = f"start: feasible, seed: {seed}, constraint: {constraint}"
            job = write_job(folder, "start", "sumsq(X - M)", "M", start, "max_iterations: 0")
            finished = run_job(job, folder / "start", ranks=ranks)
            checks.equal(f"{constraint}: exit status ({finished.err.strip()[-300:]})", finished.status, 3)
            points.append(np.load(folder / "start" / "X.npy"))
            checks.check(violation(points[-1]) <= 1e-13, f"{constraint}: violated by {violation(points[-1]):.2e}")
        checks.check(np.abs(points[0] - points[1]).max() <= 1e-13, f"{constraint}: another start on 3 ranks")
        checks.check(np.abs(points[0] - points[2]).max() > 1e-2, f"{constraint}: the same start from another seed")


def test_saddles(folder):
    """A stationary start that is no minimum is left, or said to be none, by every method; on a quadratic f is unbounded."""
    values, vectors = np.linalg.eigh(np.load(folder / "A.npy"))
    np.save(folder / "wrong.npy", vectors[:, [1, 0, 2]])
    eigenvectors = "start: {file: FOLDER/wrong.npy}, constraint: orthonormal_columns"
    swapped = write_job(folder, "swapped", "tr(X'*A*X*N)", "AN", eigenvectors)
    orbital = write_job(folder, "orbital", "tr(X'*X*X'*B*X) - 2*tr(X'*B*X)", "B", "start: zeros")
    for job, ranks, method in ((swapped, 1, "l-bfgs"), (swapped, 3, "newton-cg"), (orbital, 2, "auto"),
                               (orbital, 1, "newton-cg")):
        what = f"{job.stem}, {method}"
        least = values[:3] @ [3, 2, 1] if job is swapped else -np.linalg.eigvalsh(np.load(folder / "B.npy"))[-3:].sum()
        finished = run_job(job, folder / "saddle", ranks=ranks, settings={"solver.method": method})
        checks.equal(f"{what}: exit status when left ({finished.err.strip()[-300:]})", finished.status, 0)
        checks.check(finished.report["saddles"] > 0, f"{what}: no saddle was left")
        checks.close(f"{what}: objective", finished.report["objective"], least, 1e-9)
        finished = run_job(job, folder / "saddle", ranks=ranks, settings={"solver.method": method, "solver.saddles": "stop"})
        checks.equal(f"{what}: exit status ({finished.err.strip()[-300:]})", finished.status, 3)
        checks.equal(f"{what}: status", finished.report["status"], "stalled")
        for text in ("stationary at the start", "negative curvature", "start elsewhere"):
            checks.check(text in finished.report["reason"], f"{what}: no {text!r} in {finished.report['reason']}")
    precision = write_job(folder, "precision", "tr(X) - logdet(X)", "", "start: identity")
    precision.write_text(precision.read_text().replace("rows: 12", "rows: 3").replace("data:\n", ""))
    finished = run_job(precision, folder / "saddle", ranks=2, settings={"solver.method": "l-bfgs"})
    checks.equal(f"precision: exit status ({finished.err.strip()[-300:]})", finished.status, 0)
    ridge = write_job(folder, "ridge", "tr(X'*A*X)", "A", "start: zeros")
    finished = run_job(ridge, folder / "saddle", ranks=2, settings={"solver.method": "l-bfgs"})
    checks.equal(f"quadratic: exit status ({finished.err.strip()[-300:]})", finished.status, 4)
    minimum = write_job(folder, "minimum", "tr(X'*B*X)", "B", "start: zeros")
    finished = run_job(minimum, folder / "saddle", ranks=2, settings={"solver.method": "l-bfgs"})
    checks.equal(f"minimum: exit status ({finished.err.strip()[-300:]})", finished.status, 0)


def test_default_starts(folder):
    """Without a start a random feasible point; zeros only where the method takes nothing of the start."""
    expected = -np.linalg.eigvalsh(np.load(folder / "A.npy"))[-3:].sum()
    for name in ("orthonormal_columns", "unit_columns"):
        job = write_job(folder, "startless", "-tr(X'*A*X)", "A", f"constraint: {name}")
        for ranks, method in ((1, "auto"), (3, "l-bfgs")):
            finished = run_job(job, folder / "startless", ranks=ranks, settings={"solver.method": method})
            what = f"{name} without a start, {method} on {ranks}"
            checks.equal(f"{what}: exit status ({finished.err.strip()[-300:]})", finished.status, 0)
            checks.equal(f"{what}: effective job", finished.report["job"]["variables"]["X"]["start"], "feasible")
            if name == "orthonormal_columns":
                checks.close(what, finished.report["objective"], expected, 1e-9)
        zeros = write_job(folder, "zeros", "-tr(X'*A*X)", "A", f"start: zeros, constraint: {name}", "method: l-bfgs")
        for ranks in (1, 3):
            finished = run(["run", zeros, "--output", folder / "zeros"], ranks=ranks)
            checks.equal(f"{name} from zeros on {ranks}: exit status", finished.status, 2)
            checks.check("zeros.yaml:" in finished.err and "give start: feasible" in finished.err, f"zeros: {finished.err}")
    zeros = write_job(folder, "zeros", "-tr(X'*A*X)", "A", "start: zeros, constraint: orthonormal_columns", "method: direct")
    finished = run_job(zeros, folder / "direct", ranks=3)
    checks.equal(f"direct from zeros: exit status ({finished.err.strip()[-300:]})", finished.status, 0)
    checks.close("direct from zeros", finished.report["objective"], expected, 1e-9)
    finished = run(["run", zeros, "--output", folder / "value", "--set", "solver.max_iterations=0"], ranks=1)
    checks.equal("the value at zeros is asked for: exit status", finished.status, 2)


def test_refusals(folder):
    """A method without a meaning on manifolds, named with those that have one."""
    job = write_job(folder, "refused", "tr(X'*A*X*N)", "AN", solver="method: nesterov")
    finished = run(["check", job], ranks=2)
    checks.equal("nesterov: exit status", finished.status, 2)
    for text in ("refused.yaml:", "nesterov does not know manifolds", "newton-cg"):
        checks.check(text in finished.err, f"nesterov: no {text!r} in {finished.err.strip()[-300:]}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-manifold-") as temporary:
        folder = Path(temporary)
        write_data(folder)
        for test in (test_methods, test_auto, test_several, test_slopes_that_never_turn, test_feasible_starts, test_default_starts, test_saddles, test_refusals):
            test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
