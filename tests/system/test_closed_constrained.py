"""Closed forms on orthonormal columns, metric: S too, through the command line, against NumPy's decompositions.

Every job is run as `method: auto`, which must take direct; the numbers of ranks go round.
"""

import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()
RANKS = ((1, 4), (2, 3), (1, 7))

JOB = """
GOAL: OBJECTIVE
variables:
  X: {rows: ROWS, columns: COLUMNS, start: START, constraint: orthonormal_columns}
data:
  A: {file: FOLDER/A.npy, symmetric: true}
  D: {file: FOLDER/D.npy, symmetric: true}
  N: {file: FOLDER/N.npy, symmetric: true}
  R: {file: FOLDER/R.npy}
  C: {file: FOLDER/C.npy}
  E: {file: FOLDER/E.npy}
solver: {SOLVER}
process_grid: GRID
output: {variables: {X: X.npy}}
"""


def write_data(folder):
    generator = np.random.default_rng(11)
    square = generator.standard_normal((30, 30))
    basis = np.linalg.qr(generator.standard_normal((4, 4)))[0]
    data = {
        "A": square + square.T,
        "D": np.diag(np.repeat(np.arange(6.0), 5)),  # eigenvalues of multiplicity 5
        "N": basis @ np.diag([3.0, 1.5, -0.5, -2.0]) @ basis.T,
        "R": generator.standard_normal((30, 30)),
        "C": generator.standard_normal((30, 4)),
        "E": generator.standard_normal((30, 30)),
    }
    for name, matrix in data.items():
        np.save(folder / f"{name}.npy", matrix)
    return data


def write_job(folder, name, objective, columns=4, goal="minimize", start="normal", solver="method: auto", grid="auto"):
    text = JOB
    for word, value in (("GOAL", goal), ("OBJECTIVE", objective), ("ROWS", "30"), ("COLUMNS", str(columns)),
                        ("START", start), ("SOLVER", solver), ("GRID", grid), ("FOLDER", str(folder))):
        text = text.replace(word, value)
    job = folder / f"{name}.yaml"
    job.write_text(text)
    return job


def matching(values, weights):
    """The least sum of weights times distinct values: the candidates are the extreme ones, all orders tried."""
    values = np.sort(values)
    p = len(weights)
    candidates = np.concatenate([values[:p], values[-p:]]) if len(values) > 2 * p else values
    return min(sum(w * v for w, v in zip(weights, chosen)) for chosen in itertools.permutations(candidates, p))


# objective, columns, minimize or maximize, optimum from the data
def cases(data):
    eigenvalues = np.linalg.eigvalsh(data["A"])
    singular = lambda matrix: np.linalg.svd(matrix, compute_uv=False).sum()
    square_terms = lambda left, right: (left**2).sum() + (right**2).sum()
    A, D, N, R, C, E = (data[name] for name in "ADNRCE")
    return {
        "subspace": ("tr(X'*A*X)", 4, "minimize", eigenvalues[:4].sum()),
        "principal": ("tr(X'*A*X)", 4, "maximize", eigenvalues[-4:].sum()),
        "half of all": ("tr(A*X*X')", 15, "minimize", eigenvalues[:15].sum()),
        "most": ("tr(X'*A*X) + 2*sumsq(X)", 28, "minimize", eigenvalues[:28].sum() + 56),
        "brockett": ("tr(X'*A*X*N) + sum(A)", 4, "minimize",
                     matching(eigenvalues, np.linalg.eigvalsh(N)) + A.sum()),
        "brockett maximised": ("tr(X'*A*X*N)", 4, "maximize", -matching(eigenvalues, -np.linalg.eigvalsh(N))),
        "multiple eigenvalues": ("tr(X'*D*X*N)", 4, "minimize",
                                 matching(np.diag(D), np.linalg.eigvalsh(N))),
        "not symmetric": ("tr(X'*R*X)", 4, "minimize", np.linalg.eigvalsh((R + R.T) / 2)[:4].sum()),
        "of a product": ("sumsq(R*X)", 4, "minimize", np.linalg.eigvalsh(R.T @ R)[:4].sum()),
        "nearest": ("sumsq(X - C)", 4, "minimize", 4 + (C**2).sum() - 2 * singular(C)),
        "linear": ("dot(C, X)", 4, "maximize", singular(C)),
        "procrustes": ("sumsq(R*X - E)", 30, "minimize", square_terms(R, E) - 2 * singular(R.T @ E)),
        "procrustes from the right": ("sumsq(E'*X - R)", 30, "minimize", square_terms(E, R) - 2 * singular(E @ R)),
    }


def test_cases(folder, data):
    for number, (name, (objective, columns, goal, optimum)) in enumerate(cases(data).items()):
        for ranks in RANKS[number % len(RANKS)]:
            what = f"{name} on {ranks} ranks"
            job = write_job(folder, name, objective, columns, goal, grid="{block: 8}" if ranks % 2 == 0 else "auto")
            finished = run_job(job, folder / f"{name}-{ranks}", ranks=ranks)
            if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
                continue
            report = finished.report
            checks.equal(f"{what}: method", report["method"], "direct")
            checks.equal(f"{what}: iterations", report["iterations"], 1)
            checks.check(abs(report["objective"] - optimum) <= 1e-12 * max(abs(optimum), np.abs(data["R"]).sum()),
                         f"{what}: objective {report['objective']!r}, expected {optimum!r}")
            checks.check(report["gradient_norm"] <= 1e-11 * report["gradient_norm_start"],
                         f"{what}: gradient norm {report['gradient_norm']:.2e}")
            X = np.load(folder / f"{name}-{ranks}" / "X.npy")
            violation = np.linalg.norm(X.T @ X - np.eye(columns))
            checks.check(violation <= 1e-12, f"{what}: X'X differs from eye by {violation:.2e}")
            checks.check(abs(report["constraint_violation"] - violation) <= 1e-13,
                         f"{what}: violation reported {report['constraint_violation']:.2e}, found {violation:.2e}")


def test_saddle_start(folder, data):
    """A start at eigenvectors, the wrong ones, is stationary: direct goes on to the minimum all the same."""
    vectors = np.linalg.eigh(data["A"])[1]
    np.save(folder / "saddle.npy", vectors[:, [2, 9, 17, 21]])
    job = write_job(folder, "saddle", "tr(X'*A*X)", start=f"{{file: {folder}/saddle.npy}}")
    finished = run_job(job, folder / "saddle", ranks=2)
    checks.equal("saddle: exit status", finished.status, 0)
    optimum = np.linalg.eigvalsh(data["A"])[:4].sum()
    checks.close("saddle: objective", finished.report["objective"], optimum, 1e-12)
    stopped = run_job(job, folder / "saddle-0", ranks=2, settings={"solver.max_iterations": 0})
    checks.equal("saddle without iterations: exit status", stopped.status, 3)


def test_refusals(folder):
    """What has no closed form is refused by name where direct is asked for, and descended under auto."""
    rows = (("quadratic and linear", "sumsq(R*X - C)", "a quadratic and a linear part"),
            ("two terms", "tr(X'*A*X*N) + sumsq(R*X)", "2 terms"),
            ("quartic", "sumsq(C - X*X'*C)", "no closed form"))
    for name, objective, message in rows:
        job = write_job(folder, f"refused {name}", objective, solver="method: direct")
        finished = run_job(job, folder / f"refused-{name}", ranks=2)
        checks.equal(f"{name}: exit status", finished.status, 2)
        for text in (".yaml:", "method direct", message):
            checks.check(text in finished.err, f"{name}: no {text!r} in {finished.err.strip()[-300:]}")
        finished = run_job(job, folder / f"descended-{name}", ranks=2,
                           settings={"solver.method": "auto", "solver.gradient_tolerance": 1e-5,
                                     "solver.max_iterations": 3000})
        checks.equal(f"{name} under auto: exit status ({finished.err.strip()[-300:]})", finished.status, 0)


METRIC = """
minimize: OBJECTIVE
variables:
  X: {rows: 30, columns: 4, start: START, seed: 5, constraint: {orthonormal_columns: {metric: S}}}
data:
  A: {file: FOLDER/A.npy, symmetric: true}
  C: {file: FOLDER/C.npy}
  S: DECLARED
output: {variables: {X: X.npy}}
"""


def write_metric(folder, name, objective, start="normal", declared="{file: FOLDER/S.npy, spd: true}"):
    job = folder / f"{name}.yaml"
    job.write_text(METRIC.replace("OBJECTIVE", objective).replace("START", start).replace("DECLARED", declared)
                   .replace("FOLDER", str(folder)))
    return job


def generalised(A, S):
    """Eigenvalues of A v = t S v by a root of S that is not triangular."""
    values, vectors = np.linalg.eigh(S)
    root = vectors / np.sqrt(values) @ vectors.T
    return np.linalg.eigvalsh(root @ A @ root), root


def test_metric(folder, data):
    generator = np.random.default_rng(12)
    factor = generator.standard_normal((30, 40))
    S = factor @ factor.T / 40
    np.save(folder / "S.npy", S)
    values, root = generalised(data["A"], S)
    weight = np.linalg.svd(root @ data["C"], compute_uv=False).sum()
    rows = (("generalised", "tr(X'*A*X)", "auto", values[:4].sum(), "direct"),
            ("generalised descent", "tr(X'*A*X)", "conjugate-gradient", values[:4].sum(), "conjugate-gradient"),
            ("metric in the objective", "tr(X'*A*X) + tr(X'*S*X) + sum(S)", "l-bfgs",
             values[:4].sum() + 4 + S.sum(), "l-bfgs"),
            ("linear in a metric", "-dot(C, X)", "auto", -weight, "direct"))
    for name, objective, method, optimum, taken in rows:
        job = write_metric(folder, name, objective)
        for ranks in (1, 3, 4):
            what = f"{name} on {ranks} ranks"
            finished = run_job(job, folder / f"{name}-{ranks}", ranks=ranks,
                               settings={"solver.method": method, "solver.gradient_tolerance": 1e-9})
            if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
                continue
            checks.equal(f"{what}: method", finished.report["method"], taken)
            checks.close(f"{what}: objective", finished.report["objective"], optimum, 1e-11)
            X = np.load(folder / f"{name}-{ranks}" / "X.npy")
            violation = np.linalg.norm(X.T @ S @ X - np.eye(4))
            checks.check(violation <= 1e-12, f"{what}: X'SX differs from eye by {violation:.2e}")
            checks.check(abs(finished.report["constraint_violation"] - violation) <= 1e-13,
                         f"{what}: violation reported {finished.report['constraint_violation']:.2e}, "
                         f"found {violation:.2e}")


def test_metric_start(folder, data):
    """A start in the set is kept: without iterations it is the result."""
    S = np.load(folder / "S.npy")
    X = generalised(data["A"], S)[1][:, :4]
    np.save(folder / "X0.npy", X)
    job = write_metric(folder, "kept", "tr(X'*A*X)", start=f"{{file: {folder}/X0.npy}}")
    finished = run_job(job, folder / "kept", ranks=2, settings={"solver.max_iterations": 0})
    checks.equal(f"kept: exit status ({finished.err.strip()[-300:]})", finished.status, 3)
    error = np.abs(np.load(folder / "kept" / "X.npy") - X).max()
    checks.check(error <= 1e-13, f"kept: the start moved by {error:.2e}")
    checks.check("metric" in finished.err and "X = Q_S*Y" in finished.err, "kept: the header does not tell the change")


def test_metric_refusals(folder):
    np.save(folder / "indefinite.npy", np.diag([1.0] * 29 + [-1.0]))
    rows = (("not symmetric", "{file: FOLDER/R.npy}", "the metric S is not positive definite: it is not symmetric"),
            ("number", "2", "the metric S of X is 1 x 1, expected 30 x 30"),
            ("size", "{file: FOLDER/N.npy, spd: true}", "the metric S of X is 4 x 4, expected 30 x 30"),
            ("indefinite", "{file: FOLDER/indefinite.npy, symmetric: true}", "the metric S is not positive definite"),
            ("trusted", "{file: FOLDER/indefinite.npy, spd: true, trust: true}", "the metric S is not positive definite"),
            ("claimed", "{file: FOLDER/indefinite.npy, spd: true}", "S is declared"))
    for name, declared, message in rows:
        job = write_metric(folder, f"metric {name}", "tr(X'*A*X)", declared=declared)
        finished = run_job(job, folder / f"metric-{name}", ranks=3)
        checks.equal(f"metric {name}: exit status", finished.status, 2)
        place = f"metric {name}.yaml:{8 if name == 'claimed' else 4}:"
        for text in (place, message):
            checks.check(text in finished.err, f"metric {name}: no {text!r} in {finished.err.strip()[-400:]}")
        checks.equal(f"metric {name}: said once", finished.err.count(message), 1)
    job = write_metric(folder, "metric subject", "tr(X'*A*X)")
    job.write_text(job.read_text() + "subject_to: ['sum(X) = 0']\n")
    finished = run_job(job, folder / "metric-subject", ranks=1)
    checks.equal("metric and subject_to: exit status", finished.status, 2)
    checks.check("does not go with subject_to" in finished.err, f"metric and subject_to: {finished.err.strip()[-300:]}")


def test_metric_check(folder):
    finished = run(["check", folder / "generalised.yaml"], ranks=2)
    checks.equal(f"check with a metric: exit status ({finished.err.strip()[-300:]})", finished.status, 0)


def test_plan(folder):
    finished = run(["plan", folder / "brockett.yaml", "--ranks", 4])
    checks.equal("plan: exit status", finished.status, 0)
    checks.check("method direct, because on X'*X = eye" in finished.out, f"plan: no reason in {finished.out[:400]}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-closed-") as temporary:
        folder = Path(temporary)
        data = write_data(folder)
        test_cases(folder, data)
        test_saddle_start(folder, data)
        test_refusals(folder)
        test_plan(folder)
        test_metric(folder, data)
        test_metric_start(folder, data)
        test_metric_refusals(folder)
        test_metric_check(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
