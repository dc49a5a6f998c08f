"""Jobs with constraints, their optima against NumPy: active sets, secular equations, eigenvalues, never gradients.

Each job runs on 1 and 4 ranks; report, constraint violation and variables are checked.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from assignment import least_assignment
from tracegrad_run import ROOT, Checks, run_job

DATA = ROOT / "configs" / "data"
checks = Checks()


def digits():
    return np.load(DATA / "digits-x.npy").astype(float), np.load(DATA / "digits-y.npy").astype(float)


def covariance():
    return np.load(DATA / "digits-covariance.npy")


def bounded_quadratic(hessian, linear, low, high):
    """min x'Hx/2 - c'x, low <= x <= high, by the primal active-set method with one change at a time."""
    n = len(linear)
    x, side = np.full(n, low), np.full(n, -1)  # -1: at low, 1: at high, 0: free
    for _ in range(100 * n):
        free = side == 0
        target = x.copy()
        if free.any():
            rest = linear[free] - hessian[np.ix_(free, ~free)] @ x[~free]
            target[free] = np.linalg.solve(hessian[np.ix_(free, free)], rest)
        step = target - x
        room = np.full(n, np.inf)
        room[step > 1e-14] = (high - x[step > 1e-14]) / step[step > 1e-14]
        room[step < -1e-14] = (low - x[step < -1e-14]) / step[step < -1e-14]
        first = int(np.argmin(room))
        if room[first] < 1:
            x = x + room[first] * step
            side[first] = 1 if step[first] > 0 else -1
            x[first] = high if step[first] > 0 else low
            continue
        x = target
        pull = (linear - hessian @ x) * -side  # > 0: wants to leave its bound
        if pull.max() <= 1e-11 * np.abs(linear).max():
            return x
        side[int(np.argmax(pull))] = 0
    raise RuntimeError("the active-set method does not end")


def in_ball(hessian, linear, radius):
    """min <X, HX>/2 - <C, X>, |X| <= radius: the secular equation |(H + m)^-1 C| = radius by bisection."""
    values, vectors = np.linalg.eigh(hessian)
    turned = vectors.T @ linear
    norm = lambda m: np.linalg.norm(turned / (values + m)[:, None])
    low, high = 0.0, 1e12
    if norm(0.0) <= radius:
        high = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if norm(middle) > radius else (low, middle)
    return vectors @ (turned / (values + high)[:, None])


RIDGE = """
minimize: sumsq(Y - X*W) + 1000*sumsq(W)
variables:
  W: {rows: 64, columns: 10, constraint: CONSTRAINT}
data:
  X: {file: DATA/digits-x.npy}
  Y: {file: DATA/digits-y.npy}
solver: {max_iterations: 3000, gradient_tolerance: 1e-9}
output: {variables: {W: W.npy}}
"""


def ridge(W):
    X, Y = digits()
    return ((Y - X @ W) ** 2).sum() + 1000 * (W**2).sum()


def normal_equations():
    X, Y = digits()
    return X.T @ X + 1000 * np.eye(64), X.T @ Y


def ridge_between(low, high):
    hessian, linear = normal_equations()
    return np.column_stack([bounded_quadratic(hessian, linear[:, k], low, high) for k in range(10)])


def nonnegative(folder):
    W = ridge_between(0.0, 1e9)
    checks.check((np.load(folder / "W.npy") >= 0).all(), "nonnegative: a weight is negative")
    return ridge(W), {"W": (np.load(folder / "W.npy"), W, 1e-5)}


def box(folder):
    W = ridge_between(-0.002, 0.005)
    return ridge(W), {"W": (np.load(folder / "W.npy"), W, 1e-5)}


def half_box(folder):
    W = ridge_between(0.001, 1e9)
    return ridge(W), {"W": (np.load(folder / "W.npy"), W, 1e-5)}


def ball(folder):
    W = in_ball(*normal_equations(), 0.05)
    return ridge(W), {"W": (np.load(folder / "W.npy"), W, 1e-6)}


PROCRUSTES = """
minimize: sumsq(A*X - B)
variables:
  X: {rows: 12, columns: 12, start: normal, constraint: CONSTRAINT}
data:
  A: {file: FOLDER/A.npy}
  B: {file: FOLDER/B.npy}
solver: {gradient_tolerance: 1e-10}
output: {variables: {X: X.npy}}
"""


def symmetric(folder):
    """A'A X + X A'A = A'B + B'A, solved in the eigenvectors of A'A."""
    A, B = np.load(folder.parent / "A.npy"), np.load(folder.parent / "B.npy")
    gram, right = A.T @ A, A.T @ B + B.T @ A
    values, vectors = np.linalg.eigh(gram)
    X = vectors @ ((vectors.T @ right @ vectors) / (values[:, None] + values)) @ vectors.T
    found = np.load(folder / "X.npy")
    checks.close("symmetric: distance from its transpose", 1 + np.abs(found - found.T).max(), 1.0, 1e-14)
    return ((A @ X - B) ** 2).sum(), {"X": (found, X, 1e-8)}


EIGENVECTORS = """
minimize: tr(X'*H*X*N)
variables:
  X: {rows: 12, columns: 3, start: normal, seed: 2, constraint: CONSTRAINT}
data:
  H: {file: FOLDER/H.npy, symmetric: true}
  N: {file: FOLDER/WEIGHTS.npy, symmetric: true}
solver: {gradient_tolerance: 1e-10, SOLVER}
output: {variables: {X: X.npy}}
"""


def check_orthonormal(X):
    error = np.linalg.norm(X.T @ X - np.eye(X.shape[1]))
    checks.check(error <= 1e-12, f"X'X differs from eye by {error:.2e}")


def subspace(folder):
    """tr(X'HX): the three smallest eigenvalues; X is free up to rotation."""
    values, vectors = np.linalg.eigh(np.load(folder.parent / "H.npy"))
    X = np.load(folder / "X.npy")
    check_orthonormal(X)
    basis = vectors[:, :3]
    return values[:3].sum(), {"X*X'": (X @ X.T, basis @ basis.T, 1e-7)}


def brockett(folder):
    """tr(X'HXN), N = diag(3, 2, 1): the eigenvectors themselves, up to their signs."""
    values, vectors = np.linalg.eigh(np.load(folder.parent / "H.npy"))
    X = np.load(folder / "X.npy")
    check_orthonormal(X)
    return values[:3] @ [3, 2, 1], {"|V'*X|": (np.abs(vectors[:, :3].T @ X), np.eye(3), 1e-7)}


SPHERES = """
minimize: sumsq(A*X - B)
variables:
  X: {rows: 12, columns: 12, start: normal, constraint: CONSTRAINT}
data:
  A: {file: FOLDER/A.npy}
  B: {file: FOLDER/B.npy}
solver: {gradient_tolerance: 1e-10, SOLVER}
output: {variables: {X: X.npy}}
"""


def spheres(folder):
    """Column by column the secular equation |(A'A - m)^-1 A'b| = 1, m below the least eigenvalue: the global minimum."""
    A, B = np.load(folder.parent / "A.npy"), np.load(folder.parent / "B.npy")
    values, vectors = np.linalg.eigh(A.T @ A)
    columns = []
    for b in B.T:
        turned = vectors.T @ (A.T @ b)
        low, high = values[0] - 1e6, values[0]
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if np.linalg.norm(turned / (values - middle)) < 1 else (low, middle)
        columns.append(vectors @ (turned / (values - low)))
    X = np.column_stack(columns)
    return ((A @ X - B) ** 2).sum(), {"X": (np.load(folder / "X.npy"), X, 1e-7)}


SIMPLEX = PROCRUSTES.replace("start: normal, ", "").replace("1e-10", "1e-9, max_iterations: 3000")


def gap(folder, by_rows):
    """f(X) - min f <= <G, X> - min <G, Z> over the simplices, which is a sum of least entries (Frank and Wolfe)."""
    A, B = np.load(folder.parent / "A.npy"), np.load(folder.parent / "B.npy")
    X = np.load(folder / "X.npy")
    axis = 1 if by_rows else 0
    checks.check(X.min() >= 0, f"simplex: an entry {X.min()} is negative")
    checks.check(np.abs(X.sum(axis) - 1).max() <= 1e-13, "simplex: a sum is not 1")
    G = 2 * A.T @ (A @ X - B)
    bound = (G * X).sum() - G.min(axis).sum()
    value = ((A @ X - B) ** 2).sum()
    checks.check(-1e-9 <= bound <= 1e-6 * value, f"simplex: the duality gap is {bound:.2e} at the value {value:.6g}")
    return value, {}


def simplex_rows(folder):
    return gap(folder, True)


def simplex_columns(folder):
    return gap(folder, False)


def nearest_in_simplices(folder):
    """min |X - H|: each column by sorting."""
    columns = []
    for y in np.load(folder.parent / "H.npy").T:
        ordered = np.sort(y)[::-1]
        shifts = (np.cumsum(ordered) - 1) / np.arange(1, len(y) + 1)
        columns.append(np.maximum(y - shifts[ordered > shifts][-1], 0))
    X, H = np.column_stack(columns), np.load(folder.parent / "H.npy")
    return ((X - H) ** 2).sum(), {"X": (np.load(folder / "X.npy"), X, 1e-8)}


def stochastic(folder):
    """A convex problem: f(X) - min f <= <G, X> - min <G, Z> over the permutations."""
    A, B = np.load(folder.parent / "A.npy"), np.load(folder.parent / "B.npy")
    X = np.load(folder / "X.npy")
    sums = max(np.abs(X.sum(0) - 1).max(), np.abs(X.sum(1) - 1).max())
    checks.check(X.min() >= 0 and sums <= 1e-13, f"doubly stochastic: entries from {X.min()}, sums off by {sums:.2e}")
    G = 2 * A.T @ (A @ X - B)
    value, bound = ((A @ X - B) ** 2).sum(), (G * X).sum() - least_assignment(G)[0]
    checks.check(-1e-9 <= bound <= 1e-6 * value, f"doubly stochastic: the duality gap is {bound:.2e} at {value:.6g}")
    return value, {}


def nearest_stochastic(folder):
    """min |X - H|: alternating projections onto the row and the column simplices with Dykstra's corrections."""
    H = np.load(folder.parent / "H.npy")

    def simplices(Y):
        ordered = np.sort(Y, axis=0)[::-1]
        shifts = (np.cumsum(ordered, axis=0) - 1) / np.arange(1, len(Y) + 1)[:, None]
        count = (ordered > shifts).sum(0)
        return np.maximum(Y - shifts[count - 1, np.arange(Y.shape[1])], 0)

    X, P, Q = H.copy(), np.zeros_like(H), np.zeros_like(H)
    for _ in range(20000):
        Y = simplices(X + P)
        P += X - Y
        X = simplices((Y + Q).T).T
        Q += Y - X
    return ((X - H) ** 2).sum(), {"X": (np.load(folder / "X.npy"), X, 1e-8)}


def nearest_semidefinite(folder):
    H = np.load(folder.parent / "H.npy")
    values, vectors = np.linalg.eigh(H)
    X = (vectors * np.maximum(values, 0)) @ vectors.T
    return (np.minimum(values, 0) ** 2).sum(), {"X": (np.load(folder / "X.npy"), X, 1e-8)}


def semidefinite(folder):
    """A convex problem: X is optimal if and only if the symmetric part of G is semidefinite and <G, X> = 0."""
    A, B = np.load(folder.parent / "A.npy"), np.load(folder.parent / "B.npy")
    X = np.load(folder / "X.npy")
    G = A.T @ (A @ X - B)
    scale = np.linalg.norm(A.T @ B)
    least, multiplier = np.linalg.eigvalsh(X)[0], np.linalg.eigvalsh(G + G.T)[0]
    checks.check(least >= -1e-12, f"semidefinite: an eigenvalue {least:.2e} of X")
    checks.check(np.linalg.matrix_rank(X, 1e-8) < 12, "semidefinite: the constraint is not active")
    checks.check(multiplier >= -1e-7 * scale, f"semidefinite: an eigenvalue {multiplier:.2e} of the multiplier")
    checks.check(abs((G * X).sum()) <= 1e-7 * scale, f"semidefinite: <G, X> = {(G * X).sum():.2e}")
    return ((A @ X - B) ** 2).sum(), {}


NEAREST = """
minimize: sumsq(X - H)
variables:
  X: {rows: 12, columns: 12, constraint: CONSTRAINT}
data:
  H: {file: FOLDER/H.npy, symmetric: true}
output: {variables: {X: X.npy}}
"""


def with_solver(text, solver, weights="N"):
    return text.replace("SOLVER", solver).replace("WEIGHTS", weights)


# Hessian of condition 1e6; the constraint is active in about half of the entries.
ILL = PROCRUSTES.replace("FOLDER/A.npy", "FOLDER/ill-A.npy").replace("FOLDER/B.npy", "FOLDER/ill-B.npy").replace(
    "{rows: 12, columns: 12, start: normal,", "{rows: 40, columns: 3,").replace("gradient_tolerance: 1e-10", "SOLVER")


def ill_between(folder, low, high):
    A, B = np.load(folder.parent / "ill-A.npy"), np.load(folder.parent / "ill-B.npy")
    X = np.column_stack([bounded_quadratic(A.T @ A, A.T @ b, low, high) for b in B.T])
    held = ((X == low) | (X == high)).mean()
    checks.check(0.2 < held < 0.9, f"ill-conditioned: {held:.0%} of the entries are at a bound")
    return ((A @ X - B) ** 2).sum(), {"X": (np.load(folder / "X.npy"), X, 1e-3)}


def ill_nonnegative(folder):
    checks.check(np.load(folder / "X.npy").min() >= 0, "ill-conditioned: an entry is negative")
    return ill_between(folder, 0.0, 1e9)


def ill_box(folder):
    return ill_between(folder, -0.1, 0.4)


# job, its constraint, the oracle, the relative tolerance of the objective
JOBS = {
    "nonnegative": (RIDGE, "nonnegative", nonnegative, 1e-12),
    "box": (RIDGE, "{box: [-0.002, 0.005]}", box, 1e-12),
    "half box": (RIDGE, "{box: [0.001, .inf]}", half_box, 1e-12),
    "nonnegative newton": (RIDGE.replace("solver: {", "solver: {method: newton-cg, "), "nonnegative", nonnegative, 1e-12),
    "box diagonal": (RIDGE.replace("solver: {", "solver: {preconditioner: diagonal, "), "{box: [-0.002, 0.005]}", box, 1e-12),
    "box conjugate": (RIDGE.replace("solver: {", "solver: {method: conjugate-gradient, "), "{box: [-0.002, 0.005]}", box, 1e-12),
    "ill nonnegative": (with_solver(ILL, "max_iterations: 10000"), "nonnegative", ill_nonnegative, 1e-7),
    "ill nonnegative newton": (with_solver(ILL, "method: newton-cg, max_iterations: 3000"), "nonnegative", ill_nonnegative, 1e-7),
    "ill box": (with_solver(ILL, "method: l-bfgs, max_iterations: 10000"), "{box: [-0.1, 0.4]}", ill_box, 1e-7),
    "ball": (RIDGE, "{frobenius_ball: 0.05}", ball, 1e-12),
    "symmetric": (PROCRUSTES, "symmetric", symmetric, 1e-12),
    "simplex rows": (SIMPLEX, "simplex_rows", simplex_rows, 1e-12),
    "simplex columns": (SIMPLEX, "simplex_columns", simplex_columns, 1e-12),
    "nearest in simplices": (NEAREST, "simplex_columns", nearest_in_simplices, 1e-12),
    "doubly stochastic": (SIMPLEX, "doubly_stochastic", stochastic, 1e-12),
    "nearest stochastic": (NEAREST, "doubly_stochastic", nearest_stochastic, 1e-12),
    "nearest semidefinite": (NEAREST, "positive_semidefinite", nearest_semidefinite, 1e-12),
    "semidefinite": (PROCRUSTES, "positive_semidefinite", semidefinite, 1e-12),
    "subspace": (with_solver(EIGENVECTORS, "method: auto", "I"), "orthonormal_columns", subspace, 1e-12),
    "subspace descent": (with_solver(EIGENVECTORS, "method: gradient-descent", "I"), "orthonormal_columns", subspace, 1e-12),
    "brockett": (with_solver(EIGENVECTORS, "method: conjugate-gradient"), "orthonormal_columns", brockett, 1e-12),
    "brockett hager-zhang": (with_solver(EIGENVECTORS, "beta: hager-zhang, line_search: strong-wolfe"), "orthonormal_columns",
                             brockett, 1e-12),
    "brockett descent": (with_solver(EIGENVECTORS, "method: barzilai-borwein"), "orthonormal_columns", brockett, 1e-12),
    "spheres": (with_solver(SPHERES, "method: auto"), "unit_columns", spheres, 1e-12),
    "spheres descent": (with_solver(SPHERES, "method: barzilai-borwein"), "unit_columns", spheres, 1e-12),
}


def write_data(folder):
    """Matrices that both sides read."""
    generator = np.random.default_rng(5)
    for name, shape in (("A", (30, 12)), ("B", (30, 12))):
        np.save(folder / f"{name}.npy", generator.standard_normal(shape))
    square = generator.standard_normal((12, 12))
    np.save(folder / "H.npy", square + square.T)
    left = np.linalg.qr(generator.standard_normal((80, 40)))[0]
    right = np.linalg.qr(generator.standard_normal((40, 40)))[0]
    ill = (left * np.logspace(0, -3, 40)) @ right.T
    np.save(folder / "ill-A.npy", ill)
    np.save(folder / "ill-B.npy", ill @ np.maximum(generator.standard_normal((40, 3)), 0)
            + 1e-3 * generator.standard_normal((80, 3)))
    np.save(folder / "I.npy", np.eye(3))
    np.save(folder / "N.npy", np.diag([3.0, 2.0, 1.0]))


def test_job(name, folder):
    text, constraint, oracle, tolerance = JOBS[name]
    job = folder / f"{name}.yaml"
    text = text.replace("CONSTRAINT", constraint).replace("DATA", str(DATA)).replace("FOLDER", str(folder))
    job.write_text(text)
    for ranks in (1, 4):
        results = folder / f"{name}-{ranks}"
        finished = run_job(job, results, ranks=ranks)
        what = f"{name} on {ranks} ranks"
        if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
            continue
        report = finished.report
        checks.equal(f"{what}: status", report["status"], "converged")
        checks.check(0 <= report["constraint_violation"] <= 1e-12,
                     f"{what}: constraint violation {report['constraint_violation']}")
        optimum, variables = oracle(results)
        checks.close(f"{what}: objective", report["objective"], optimum, tolerance)
        for variable, (found, expected, bound) in variables.items():
            error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
            checks.check(error <= bound, f"{what}: {variable} is off by {error:.2e} relative, allowed {bound:.0e}")


def test_ties(folder):
    """From ones/12 many assignments are equally good: which one is taken must not hang on rounding, so on the ranks."""
    settings = {"solver.method": "frank-wolfe", "solver.max_iterations": 200}
    objectives = {}
    for ranks in (1, 2, 3, 4, 7):
        finished = run_job(ROOT / "configs" / "qap-relaxation-nug12.yaml", folder / f"ties-{ranks}", ranks=ranks,
                           settings=settings)
        if checks.check(finished.report is not None, f"ties on {ranks} ranks: {finished.err.strip()[-300:]}"):
            objectives[ranks] = finished.report["objective"]
    for ranks, objective in objectives.items():
        checks.close(f"ties: {ranks} ranks and 1", objective, objectives[1], 1e-9)


LINEAR_LEAST = {
    "{box: [-0.1, 0.3]}": lambda G: (np.where(G > 0, -0.1, 0.3) * G).sum(),
    "{frobenius_ball: 0.5}": lambda G: -0.5 * np.linalg.norm(G),
    "simplex_rows": lambda G: G.min(1).sum(),
    "simplex_columns": lambda G: G.min(0).sum(),
    "doubly_stochastic": lambda G: least_assignment(G)[0],
}


def test_frank_wolfe(folder):
    """The gap that is reported is the true one, and bounds the distance to the optimum, which other methods find."""
    A, B = np.load(folder / "A.npy"), np.load(folder / "B.npy")
    for k, (constraint, least) in enumerate(LINEAR_LEAST.items()):
        job = folder / f"frank-wolfe-{k}.yaml"
        job.write_text(SIMPLEX.replace("CONSTRAINT", constraint).replace("FOLDER", str(folder)))
        best = run_job(job, folder / f"frank-wolfe-{k}-best", ranks=2)
        checks.equal(f"{constraint}: exit status {best.err.strip()[-400:]}", best.status, 0)
        for ranks in (1, 4):
            what = f"frank-wolfe in {constraint} on {ranks} ranks"
            finished = run_job(job, folder / f"frank-wolfe-{k}-{ranks}", ranks=ranks, settings={
                "solver.method": "frank-wolfe", "solver.gradient_tolerance": 1e-3, "solver.max_iterations": 20000})
            if not checks.equal(f"{what}: exit status ({finished.err.strip()[-400:]})", finished.status, 0):
                continue
            report, X = finished.report, np.load(finished.folder / "X.npy")
            G = 2 * A.T @ (A @ X - B)
            checks.equal(f"{what}: method", report["method"], "frank-wolfe")
            checks.equal(f"{what}: measure", report["stopping_measure"], "gap")
            checks.close(f"{what}: gap", report["gradient_norm"], (G * X).sum() - least(G), 1e-6)
            above = report["objective"] - best.report["objective"]
            checks.check(-1e-9 <= above <= report["gradient_norm"], f"{what}: {above:.3e} above the optimum, the gap is "
                                                                    f"{report['gradient_norm']:.3e}")
            checks.check(report["constraint_violation"] <= 1e-12, f"{what}: violation {report['constraint_violation']}")


# objective, the variable's other keys, methods, exit status
STATUSES = [
    ("-sum(exp(X))", "", ("auto", "gradient-descent", "barzilai-borwein", "newton-cg"), 4),
    ("-sum(exp(exp(X)))", ", constraint: nonnegative", ("auto", "newton-cg", "barzilai-borwein"), 4),
    ("-sum(exp(X))", ", constraint: positive_semidefinite", ("auto",), 4),
    ("-tr(X)", ", constraint: positive_semidefinite", ("auto",), 4),
    ("-sumsq(X)", ", start: identity, constraint: positive_semidefinite", ("auto",), 4),
    ("sum(X)", ", constraint: symmetric", ("auto",), 4),
    ("-sum(X)", ", constraint: nonnegative", ("auto", "newton-cg", "barzilai-borwein"), 4),
    ("norm1(X) - 2*sum(X)", "", ("auto",), 4),
    # Along directions without curvature, which a region or a line search has to find.
    ("exp(tr(X)) - tr(X) - sum(X)", "", ("auto", "newton-cg", "barzilai-borwein", "conjugate-gradient"), 4),
    ("sum(exp(X)) - 2*sum(X) - sum(Y)", ", start: normal}, Y: {rows: 2, columns: 1", ("auto",), 4),
    ("sum(exp(X)) - 2*sum(X) - sum(Y)", "}, Y: {rows: 2, columns: 1", ("auto", "newton-cg"), 4),
    # A first trial that overflows has no say in what the next may lose: never not_finite.
    ("sum(exp(X)) - 2*sum(X) - sum(Y)", ", start: normal}, Y: {rows: 2, columns: 1, constraint: nonnegative",
     ("auto", "barzilai-borwein"), (3, 4)),
    # Bounded, though the start is outside, or though a value on the way overflows to minus infinity.
    ("sum(X)", ", start: normal, constraint: nonnegative", ("auto", "newton-cg", "barzilai-borwein"), 0),
    ("norm1(X) - 0.5*sum(X)", ", start: normal", ("auto",), 0),
    ("sum(X - log(ones + exp(X))) + 1e-6*sumsq(X)", ", start: ones, scale: 700", ("auto", "gradient-descent"), (0, 3)),
]


def test_statuses(folder):
    """What falls without end is unbounded, also where numbers end; what has a minimum is not."""
    for k, (objective, keys, methods, expected) in enumerate(STATUSES):
        job = folder / f"status-{k}.yaml"
        job.write_text(f"minimize: {objective}\nvariables: {{X: {{rows: 3, columns: 3{keys}}}}}\n")
        for method in methods:
            finished = run_job(job, folder / f"status-{k}", ranks=2, settings={"solver.method": method})
            what = f"{objective}{keys} by {method}: exit status ({finished.err.strip()[-300:]})"
            allowed = expected if isinstance(expected, tuple) else (expected,)
            checks.check(finished.status in allowed, f"{what}: found {finished.status}, expected {expected}")
            if expected == 4 and finished.report is not None:
                checks.equal(f"{what}: status", finished.report["status"], "unbounded")
                checks.check("unbounded below" in finished.report["reason"], f"{what}: {finished.report['reason']}")


def test_limit(folder):
    """Stopped early, a run says so, and its point is feasible nevertheless."""
    finished = run_job(folder / "box.yaml", folder / "limit", ranks=2, settings={"solver.max_iterations": 3})
    checks.equal("three iterations: exit status", finished.status, 3)
    checks.equal("three iterations: violation", finished.report["constraint_violation"], 0)
    W = np.load(folder / "limit" / "W.npy")
    checks.check(W.min() >= -0.002 and W.max() <= 0.005, "three iterations: outside the box")


def test_start(folder):
    """Zeros have no nearest orthonormal matrix: said at the constraint, before anything runs."""
    job = folder / "zeros.yaml"
    job.write_text(with_solver(EIGENVECTORS, "method: auto").replace("CONSTRAINT", "orthonormal_columns")
                   .replace("FOLDER", str(folder)).replace("start: normal", "start: zeros"))
    for ranks in (1, 3):
        finished = run_job(job, folder / "zeros", ranks=ranks)
        checks.equal(f"zeros on {ranks} ranks: exit status", finished.status, 2)
        for text in ("zeros.yaml:4:", "linearly dependent", "start: feasible"):
            checks.check(text in finished.err, f"zeros on {ranks} ranks: no {text!r} in {finished.err.strip()[-400:]}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-constrained-") as temporary:
        folder = Path(temporary)
        write_data(folder)
        for name in sys.argv[1:] or JOBS:
            test_job(name, folder)
        if len(sys.argv) == 1:
            test_limit(folder)
            test_frank_wolfe(folder)
            test_ties(folder)
            test_statuses(folder)
            test_start(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
