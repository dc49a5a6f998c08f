"""Every job of configs/ through the command line, its optimum and its variables against NumPy.

The independent answers come from closed forms or from another algorithm (normal equations, singular values,
Newton's method), never from the gradient that the program derived.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from assignment import least_assignment
from tracegrad_run import ROOT, Checks, run, run_job

CONFIGS = ROOT / "configs"
DATA = CONFIGS / "data"
checks = Checks()


def load(name):
    return np.load(DATA / name).astype(float)


def load_mtx(name):
    """A symmetric integer Matrix Market file, array or coordinate."""
    lines = [line for line in (DATA / name).read_text().splitlines()]
    banner = lines[0].split()
    numbers = [line.split() for line in lines[1:] if not line.startswith("%")]
    n = int(numbers[0][0])
    matrix = np.zeros((n, n))
    if banner[2] == "coordinate":
        for i, j, value in numbers[1:]:
            matrix[int(i) - 1, int(j) - 1] = float(value)
    else:
        rows, columns = np.tril_indices(n)
        order = np.lexsort((rows, columns))
        matrix[rows[order], columns[order]] = [float(entry[0]) for entry in numbers[1:]]
    return np.tril(matrix) + np.tril(matrix, -1).T


def relative(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


# One function a job: from the folder of its results to (optimum, {what: (found, expected, tolerance)}).


def ridge_digits(folder):
    X, Y, L = load("digits-x.npy"), load("digits-y.npy"), load_mtx("ring-laplacian-10.mtx")
    hessian = np.kron(np.eye(10), X.T @ X + np.eye(64)) + 0.1 * np.kron(L, np.eye(64))
    W = np.linalg.solve(hessian, (X.T @ Y).flatten("F")).reshape(64, 10, order="F")
    value = ((Y - X @ W) ** 2).sum() + 0.1 * np.trace(W @ L @ W.T) + (W**2).sum()
    return value, {"W": (np.load(folder / "W.npy"), W, 1e-4)}


def sensitivity_digits(folder):
    """W by its normal equations H w = c, and dW by H dw = -(dH) w."""
    X, Y, L = load("digits-x.npy"), load("digits-y.npy"), load_mtx("ring-laplacian-10.mtx")
    coupling = np.kron(L, np.eye(64))
    hessian = np.kron(np.eye(10), X.T @ X + np.eye(64)) + 0.1 * coupling
    w = np.linalg.solve(hessian, (X.T @ Y).flatten("F"))
    by = {"lambda": -np.linalg.solve(hessian, coupling @ w), "mu": -np.linalg.solve(hessian, w)}
    W = w.reshape(64, 10, order="F")
    value = ((Y - X @ W) ** 2).sum() + 0.1 * np.trace(W @ L @ W.T) + (W**2).sum()
    variables = {f"dW_d{name}": (np.load(folder / f"dW_d{name}.npy"), d.reshape(64, 10, order="F"), 1e-6) for name, d in by.items()}
    return value, {"W": (np.load(folder / "W.npy"), W, 1e-4), **variables}


def logistic_digits(folder):
    X, Y, mu = load("digits-x.npy") / 16, load("digits-y.npy"), 0.1
    W, value = np.zeros((64, 10)), 0.0
    for k in range(10):
        w = W[:, k]
        for _ in range(40):
            p = 1 / (1 + np.exp(-X @ w))
            hessian = X.T @ (X * (p * (1 - p))[:, None]) + 2 * mu * np.eye(64)
            w -= np.linalg.solve(hessian, X.T @ (p - Y[:, k]) + 2 * mu * w)
        value += np.logaddexp(0, X @ w).sum() - Y[:, k] @ X @ w + mu * w @ w
    return value, {"W": (np.load(folder / "W.npy"), W, 1e-4)}


def nonnegative_least_squares(hessian, linear):
    """min x'Hx/2 - c'x, x >= 0, by the active-set method of Lawson and Hanson."""
    x, passive = np.zeros(len(linear)), np.zeros(len(linear), bool)
    while True:
        pull = np.where(passive, -np.inf, linear - hessian @ x)
        if pull.max() <= 1e-11 * np.abs(linear).max():
            return x
        passive[int(np.argmax(pull))] = True
        while True:
            target = np.zeros(len(linear))
            target[passive] = np.linalg.solve(hessian[np.ix_(passive, passive)], linear[passive])
            bad = passive & (target <= 0)
            if not bad.any():
                x = target
                break
            x = x + np.min(x[bad] / (x[bad] - target[bad])) * (target - x)
            passive &= x > 1e-14
            x[~passive] = 0


def nonnegative_digits(folder):
    X, Y = load("digits-x.npy"), load("digits-y.npy")
    hessian = X.T @ X + 1000 * np.eye(64)
    W = np.column_stack([nonnegative_least_squares(hessian, X.T @ Y[:, k]) for k in range(10)])
    found = np.load(folder / "W.npy")
    checks.check(found.min() >= 0, "nonnegative-digits: a weight is negative")
    return ((Y - X @ W) ** 2).sum() + 1000 * (W**2).sum(), {"W": (found, W, 1e-5)}


def balanced_digits(folder):
    """The KKT system: the multipliers take the mean out of each row of the unconstrained solution."""
    X, Y = load("digits-x.npy"), load("digits-y.npy")
    free = np.linalg.solve(X.T @ X + 1000 * np.eye(64), X.T @ Y)
    W = free - free.mean(axis=1, keepdims=True)
    return ((Y - X @ W) ** 2).sum() + 1000 * (W**2).sum(), {"W": (np.load(folder / "W.npy"), W, 1e-7)}


def pca_digits(folder):
    values, vectors = np.linalg.eigh(load("digits-covariance.npy"))
    basis = vectors[:, -5:]
    V = np.load(folder / "V.npy")
    return values[-5:].sum(), {"V*V'": (V @ V.T, basis @ basis.T, 1e-5)}


def factorise_digits(folder):
    left, values, right = np.linalg.svd(load("digits-x.npy"), full_matrices=False)
    product = np.load(folder / "U.npy") @ np.load(folder / "V.npy").T
    return (values[5:] ** 2).sum(), {"U*V'": (product, (left[:, :5] * values[:5]) @ right[:5], 1e-4)}


def precision_digits(folder):
    shrunk = load("digits-covariance.npy") + 5 * np.eye(64)
    return 64 + np.linalg.slogdet(shrunk)[1], {"X": (np.load(folder / "X.npy"), np.linalg.inv(shrunk), 1e-4)}


def precision_factor_digits(folder):
    shrunk = load("digits-covariance.npy") + 5 * np.eye(64)
    F = np.load(folder / "F.npy")
    return 64 + np.linalg.slogdet(shrunk)[1], {"F*F'": (F @ F.T, np.linalg.inv(shrunk), 1e-6)}


def poisson(folder):
    n = 40
    k = np.arange(1, n + 1)
    sines = np.sqrt(2 / (n + 1)) * np.sin(np.outer(k, k) * np.pi / (n + 1))
    values = 2 - 2 * np.cos(k * np.pi / (n + 1))
    transformed = sines @ np.full((n, n), 1 / (n + 1) ** 2) @ sines
    solution = transformed / (values[:, None] + values[None, :])
    return -0.5 * (transformed * solution).sum(), {"U": (np.load(folder / "U.npy"), sines @ solution @ sines, 1e-6)}


def generated(folder, name, spec, rows, columns):
    """The program's own generated matrix, read out by minimising the distance to it."""
    job = folder / f"generate-{name}.yaml"
    job.write_text(f"minimize: sumsq(M - {name})\n"
                   f"variables: {{M: {{rows: {rows}, columns: {columns}, start: zeros}}}}\n"
                   f"data: {{{name}: {{generate: {spec}, rows: {rows}, columns: {columns}}}}}\n"
                   f"solver: {{method: gradient-descent, gradient_tolerance: 1e-13}}\n"
                   f"output: {{variables: {{M: M.npy}}}}\n")
    out = folder / f"generated-{name}"
    finished = run_job(job, out, ranks=3)
    checks.equal(f"reading out generated {name}: exit status {finished.err}", finished.status, 0)
    return np.load(out / "M.npy")


def quadratic_generated(folder):
    A = generated(folder, "A", "spd, seed: 1, condition: 100", 300, 300)
    B = generated(folder, "B", "spd, seed: 2, condition: 10", 200, 200)
    C = generated(folder, "C", "normal, seed: 3", 300, 200)
    for name, matrix, condition in (("A", A, 100), ("B", B, 10)):
        checks.close(f"condition of generated {name}", np.linalg.cond(matrix), condition, 1e-8)
        checks.check(relative(matrix, matrix.T) < 1e-13, f"generated {name} is not symmetric")
    X = np.linalg.solve(A, np.linalg.solve(B, C.T).T)
    return -np.sum(C * X), {"X": (np.load(folder / "X.npy"), X, 1e-7)}


def nearly_orthogonal(folder):
    left, values, right = np.linalg.svd(load("procrustes-a.npy"), full_matrices=False)
    rho, best, total = 1, [], 0.0
    for a in values:
        roots = np.roots([2 * rho, 0, 1 - 2 * rho, -a])
        costs = [((s - a) ** 2 + rho * (s * s - 1) ** 2, s) for s in roots[abs(roots.imag) < 1e-9].real]
        total += min(costs)[0]
        best.append(min(costs)[1])
    return total, {"X": (np.load(folder / "X.npy"), (left * best) @ right, 1e-6)}


def qap_nug12(folder):
    F, D = load_mtx("nug12-flow.mtx"), load_mtx("nug12-distance.mtx")
    X = np.full((12, 12), 1 / 12)
    return np.trace(F @ X @ D @ X.T), {}


def qap_relaxation_nug12(folder):
    F, D = load_mtx("nug12-flow.mtx"), load_mtx("nug12-distance.mtx")
    X = np.load(folder / "X.npy")
    outside = max(abs(X.sum(0) - 1).max(), abs(X.sum(1) - 1).max(), -X.min())
    checks.check(outside <= 1e-12, f"qap-relaxation-nug12: X is not doubly stochastic by {outside:.2e}")
    G = 2 * F @ X @ D
    gap = (G * X).sum() - least_assignment(G)[0]
    report = json.loads((folder / "report.json").read_text())
    checks.equal("qap-relaxation-nug12: what is reported", report["stopping_measure"], "gap")
    checks.close("qap-relaxation-nug12: gap", report["gradient_norm"], gap, 1e-6)
    centre = np.trace(F @ np.full((12, 12), 1 / 12) @ D @ np.full((12, 12), 1 / 12))
    value = np.trace(F @ X @ D @ X.T)
    checks.check(value < 0.9 * centre, f"qap-relaxation-nug12: {value:.6g} is no descent from {centre:.6g}")
    return value, {}


# job: (reference, ranks, exit status, status, tolerance of the optimum)
GALLERY = {
    "ridge-digits": (ridge_digits, 2, 0, "converged", 1e-9),
    "sensitivity-digits": (sensitivity_digits, 2, 0, "converged", 1e-9),
    "logistic-digits": (logistic_digits, 2, 0, "converged", 1e-9),
    "pca-digits": (pca_digits, 3, 0, "converged", 1e-9),
    "pca-orthonormal-digits": (pca_digits, 3, 0, "converged", 1e-12),
    "factorise-digits": (factorise_digits, 2, 0, "converged", 1e-9),
    "precision-digits": (precision_digits, 2, 0, "converged", 1e-9),
    "precision-factor-digits": (precision_factor_digits, 2, 0, "converged", 1e-9),
    "poisson": (poisson, 4, 0, "converged", 1e-9),
    "quadratic-generated": (quadratic_generated, 2, 0, "converged", 1e-9),
    "nearly-orthogonal": (nearly_orthogonal, 2, 0, "converged", 1e-9),
    "nonnegative-digits": (nonnegative_digits, 2, 0, "converged", 1e-10),
    "qap-relaxation-nug12": (qap_relaxation_nug12, 2, 0, "converged", 1e-12),
    "balanced-digits": (balanced_digits, 2, 0, "converged", 1e-8),
    "qap-nug12": (qap_nug12, 1, 3, "iteration_limit", 1e-12),
}


def stated_optimum(job):
    """The number in the job's header, None where it states none."""
    found = re.search(r"^# Optimum: +(-?[0-9.]+(?:e-?[0-9]+)?)(?=[\s,:.])", job.read_text(), re.M)
    return float(found.group(1).rstrip(".")) if found else None


def test_job(name, folder):
    reference, ranks, exit_status, status, tolerance = GALLERY[name]
    job = CONFIGS / f"{name}.yaml"
    finished = run_job(job, folder, ranks=ranks)
    print(f"{name}: {ranks} ranks, {finished.seconds:.1f} s", flush=True)
    if not checks.equal(f"{name}: exit status ({finished.err.strip()[-400:]})", finished.status, exit_status):
        return
    checks.equal(f"{name}: status", finished.report["status"], status)
    optimum, variables = reference(folder)
    checks.close(f"{name}: objective", finished.report["objective"], optimum, tolerance)
    for what, (found, expected, bound) in variables.items():
        error = relative(found, expected)
        checks.check(error <= bound, f"{name}: {what} is off by {error:.2e} relative, allowed {bound:.0e}")
    stated = stated_optimum(job)
    if stated is not None:
        checks.close(f"{name}: optimum stated in the file's header", stated, optimum, 1e-12)
    checks.equal(f"{name}: ranks in the report", finished.report["ranks"], ranks)
    checks.check(len(finished.history) >= 1, f"{name}: history.jsonl is empty")


def test_headers():
    """Each job says what, why, which optimum and from where, and is in the table above."""
    names = {job.stem for job in CONFIGS.glob("*.yaml")}
    checks.equal("jobs in configs/", names, set(GALLERY))
    for name in sorted(names):
        header = (CONFIGS / f"{name}.yaml").read_text()
        for word in ("# Why:", "# Optimum:", "# Source:"):
            checks.check(word in header, f"{name}: its header has no {word}")


def test_rank_counts(name, variable, folder, settings):
    """The same answer on every number of ranks: objective to 1e-12, the iterate to 1e-10, relative."""
    results = {}
    for ranks in (1, 2, 3, 4, 7):
        finished = run_job(CONFIGS / f"{name}.yaml", folder / str(ranks), ranks=ranks, settings=settings)
        if checks.check(finished.status in (0, 3), f"{name} on {ranks} ranks: exit status {finished.status}, "
                                                   f"{finished.err.strip()[-400:]}"):
            results[ranks] = (finished.report["objective"], np.load(folder / str(ranks) / f"{variable}.npy"))
    for ranks in results.keys() - {1}:
        if 1 in results:
            checks.close(f"{name}: objective on {ranks} ranks and on 1", results[ranks][0], results[1][0], 1e-12)
            error = relative(results[ranks][1], results[1][1])
            checks.check(error <= 1e-10, f"{name}: {variable} on {ranks} ranks differs by {error:.2e} from 1 rank")


def test_unbounded(folder):
    """The assignment objective without its constraints falls without end: found out, not iterated."""
    finished = run_job(CONFIGS / "qap-nug12.yaml", folder, ranks=2, settings={"solver.max_iterations": 100})
    checks.equal(f"qap-nug12 descended: exit status ({finished.err.strip()[-400:]})", finished.status, 4)
    checks.equal("qap-nug12 descended: status", finished.report and finished.report["status"], "unbounded")


def test_wrong_shape(folder):
    """A gallery job with one size changed is refused by name, before anything runs."""
    finished = run_job(CONFIGS / "poisson.yaml", folder, ranks=2, settings={"variables.U.rows": 39})
    checks.equal("poisson with 39 rows: exit status", finished.status, 2)
    checks.check("39" in finished.err and "40" in finished.err and finished.report is None,
                 f"poisson with 39 rows: the message names no sizes: {finished.err.strip()[-400:]}")


def test_plans():
    """Each job can be priced without reading its data and without mpirun."""
    for name in sorted(GALLERY):
        finished = run(["plan", CONFIGS / f"{name}.yaml", "--ranks", 16])
        checks.equal(f"plan {name}: exit status ({finished.err.strip()[-400:]})", finished.status, 0)


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-gallery-") as temporary:
        folder = Path(temporary)
        chosen = sys.argv[1:]
        for name in chosen or GALLERY:
            test_job(name, folder / name)
        if not chosen:
            test_headers()
            test_rank_counts("quadratic-generated", "X", folder / "ranks-quadratic", {"solver.gradient_tolerance": 1e-12})
            test_rank_counts("precision-factor-digits", "F", folder / "ranks-precision", {"solver.max_iterations": 15})
            test_unbounded(folder / "unbounded")
            test_wrong_shape(folder / "shape")
            test_plans()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
