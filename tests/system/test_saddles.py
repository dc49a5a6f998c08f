"""Points that are stationary but no minima: left along negative curvature, on every kind of set. NumPy certifies the minima."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()

NONNEGATIVE = ("constraint: nonnegative", lambda X: np.maximum(X, 0))
FREE = ("", lambda X: X)


def box(low, high):
    return f"constraint: {{box: [{low}, {high}]}}", lambda X: np.clip(X, low, high)


def simplex(X):
    """The projection of each column onto the simplex, by sorting."""
    out = np.empty_like(X)
    for j, y in enumerate(X.T):
        u = np.sort(y)[::-1]
        excess = (np.cumsum(u) - 1) / np.arange(1, len(y) + 1)
        out[:, j] = np.maximum(y - excess[np.nonzero(u > excess)[0][-1]], 0)
    return out


SIMPLEX = ("constraint: simplex_columns", simplex)


class Problem:
    """A job and the same objective in NumPy. variables: name -> (start, (constraint, projection))."""

    def __init__(self, name, text, variables, f, data=None, more=""):
        self.name, self.text, self.variables, self.f, self.data, self.more = name, text, variables, f, data or {}, more

    def write(self, folder):
        lines = [f"minimize: {self.text}", "variables:"]
        for name, (start, (constraint, _)) in self.variables.items():
            np.save(folder / f"start-{name}.npy", start)
            lines.append(f"  {name}: {{rows: {start.shape[0]}, columns: {start.shape[1]}, "
                         f"start: {{file: start-{name}.npy}}{', ' if constraint else ''}{constraint}}}")
        if self.data:
            lines.append("data:")
        for name, matrix in self.data.items():
            np.save(folder / f"{name}.npy", matrix)
            lines.append(f"  {name}: {{file: {name}.npy}}")
        lines.append("output: {variables: {" + ", ".join(f"{name}: {name}.npy" for name in self.variables) + "}}")
        path = folder / "job.yaml"
        path.write_text("\n".join(lines) + "\n" + self.more)
        return path

    def unpack(self, z):
        out, at = [], 0
        for start, (_, project) in self.variables.values():
            out.append(project(z[at:at + start.size].reshape(start.shape)))
            at += start.size
        return out

    def value(self, z):
        return self.f(*self.unpack(z))

    def largest_fall(self, point, rng):
        """How far f falls from the point along eigenvectors of a Hessian made of differences, and along random directions."""
        z = np.concatenate([np.asarray(X).ravel() for X in point])
        n, here, size = z.size, self.value(z), 1 + np.linalg.norm(z)
        h, H = 1e-4 * size / np.sqrt(n), np.empty((n, n))
        e = np.eye(n) * h
        for i in range(n):
            for j in range(i + 1):
                H[i, j] = H[j, i] = sum(s * t * self.f(*[X for X in self.raw(z + s * e[i] + t * e[j])])
                                        for s in (1, -1) for t in (1, -1)) / (4 * h * h)
        directions = list(np.linalg.eigh(H)[1].T) + list(rng.standard_normal((100, n))) + list(np.abs(rng.standard_normal((50, n))))
        lowest = here
        for v in directions:
            v = v / np.linalg.norm(v) * size
            for t in (0.05, 0.02, 0.01, 0.003):
                lowest = min(lowest, self.value(z + t * v), self.value(z - t * v))
        return here - lowest

    def raw(self, z):
        out, at = [], 0
        for start, _ in self.variables.values():
            out.append(z[at:at + start.size].reshape(start.shape))
            at += start.size
        return out


def solve(folder, problem, settings=None, ranks=0):
    place = folder / problem.name.replace(" ", "-").replace(",", "")
    place.mkdir(exist_ok=True)
    return run_job(problem.write(place), place / "out", ranks=ranks, settings=settings)


def expect_minimum(folder, problem, value=None, settings=None, ranks=0, saddles=True):
    """Converged, at `value` where it is known, and at a point from which nothing falls."""
    finished = solve(folder, problem, settings, ranks)
    what = problem.name
    if not checks.equal(f"{what}: exit status ({finished.err.strip()[-300:]})", finished.status, 0):
        return
    report = finished.report
    if saddles:
        checks.check(report["saddles"] > 0, f"{what}: no saddle was left: {report['reason']}")
        checks.check("saddles: " in finished.out, f"{what}: the summary does not speak of saddles: {finished.out}")
    point = [np.load(finished.folder / f"{name}.npy") for name in problem.variables]
    f = problem.f(*point)
    checks.check(abs(report["objective"] - f) <= 1e-9 * max(1, abs(f)), f"{what}: {report['objective']} in the report, {f} at the point")
    if value is not None:
        checks.check(abs(f - value) <= 1e-7 * max(1, abs(value)), f"{what}: minimum {f}, right is {value}")
    fall = problem.largest_fall(point, np.random.default_rng(3))
    checks.check(fall <= 1e-6 * max(1, abs(f)), f"{what}: converged at {f}, which can fall by {fall}: {report['reason']}")


# ---- the problems ----


def factors(seed, rank, constraint, start):
    """|M - U V|^2 with positive M: from zeros, where all of the gradient vanishes."""
    M = np.random.default_rng(seed).uniform(0.1, 1, (6, 5))
    s = np.linalg.svd(M, compute_uv=False)
    value = (s[1:] ** 2).sum() if rank == 1 else (s[rank:] ** 2).sum() if constraint is FREE else None
    variables = {"U": (np.full((6, rank), start), constraint), "V": (np.full((rank, 5), start), constraint)}
    return Problem(f"factors {seed} {rank} {constraint[0]}", "sumsq(M - U*V)", variables,
                   lambda U, V: ((M - U @ V) ** 2).sum(), {"M": M}), value


def symmetric_factor(seed, rank, constraint):
    B = np.random.default_rng(seed).uniform(0.1, 1, (6, 6))
    S = B @ B.T
    w = np.linalg.eigvalsh(S)[::-1]
    value = (w[rank:] ** 2).sum() if rank == 1 or constraint is FREE else None
    return Problem(f"symmetric factor {seed} {rank} {constraint[0]}", "sumsq(X*X' - S)", {"X": (np.zeros((6, rank)), constraint)},
                   lambda X: ((X @ X.T - S) ** 2).sum(), {"S": S}), value


def double_well(seed, n, constraint):
    """From the crest in all entries; the wells are a apart."""
    a = np.random.default_rng(seed).uniform(0.5, 2, (n, 1))
    return Problem(f"double well {seed} {constraint[0]}", "sum((x.^2 - a).^2)", {"x": (np.zeros((n, 1)), constraint)},
                   lambda x: ((x ** 2 - a) ** 2).sum(), {"a": a}), 0 if constraint is FREE else None


def factor_analysis(seed, rank):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((60, rank)) @ rng.standard_normal((rank, 6)) + 0.7 * rng.standard_normal((60, 6))
    R = np.corrcoef(data.T)

    def f(L, d):
        S = L @ L.T + np.diag(d.ravel() ** 2)
        return np.linalg.slogdet(S)[1] + np.trace(np.linalg.solve(S, R))

    return Problem(f"factor analysis {seed}", "logdet(L*L' + diag(d.*d)) + tr(R*inv(L*L' + diag(d.*d)))",
                   {"L": (np.zeros((6, rank)), FREE), "d": (np.ones((6, 1)), FREE)}, f, {"R": R}), None


def quadratic(seed, constraint, start):
    """An indefinite quadratic whose gradient vanishes at the start: on a box its minima are vertices."""
    rng = np.random.default_rng(seed)
    n = len(start)
    Q = rng.standard_normal((n, n))
    Q = Q + Q.T
    if constraint is SIMPLEX:  # equal row sums: the barycentre is stationary
        Q = Q - np.diag(Q.sum(axis=1)) - np.eye(n)
    return Problem(f"quadratic {seed} {constraint[0]}", "x'*Q*x", {"x": (start, constraint)}, lambda x: (x.T @ Q @ x).item(),
                   {"Q": Q}), None


def test_minima(folder):
    zeros = np.zeros((5, 1))
    problems = []
    for seed in range(3):
        problems += [factors(seed, 1, NONNEGATIVE, 0.0), factors(seed, 2, NONNEGATIVE, 0.0), factors(seed, 2, FREE, 0.0),
                     symmetric_factor(seed, 1, NONNEGATIVE), symmetric_factor(seed, 2, NONNEGATIVE), symmetric_factor(seed, 2, FREE),
                     double_well(seed, 4, FREE), double_well(seed, 4, box(-0.3, 2)), double_well(seed, 4, box(0, 0.5)),
                     factor_analysis(seed, 1), quadratic(seed, box(-1, 1), zeros), quadratic(seed, box(-1, 3), zeros),
                     quadratic(seed, box(0, 2), zeros), quadratic(seed, SIMPLEX, np.full((5, 1), 0.2))]
    for problem, value in problems:
        expect_minimum(folder, problem, value)


def test_methods(folder):
    """By every method, and on three ranks; stop says so and stays."""
    problem, value = factors(7, 2, FREE, 0.0)
    for method in ("l-bfgs", "conjugate-gradient", "newton-cg", "barzilai-borwein", "nesterov", "gradient-descent", "alternating"):
        expect_minimum(folder, problem, value, {"solver.method": method, "solver.max_iterations": 20000})
    expect_minimum(folder, problem, value, ranks=3)
    finished = solve(folder, problem, {"solver.saddles": "stop"})
    checks.equal("stop: exit status", finished.status, 3)
    checks.equal("stop: iterations", finished.report["iterations"], 0)
    for words in ("stationary at the start", "negative curvature", "saddles: leave"):
        checks.check(words in finished.report["reason"], f"stop: no {words!r} in {finished.report['reason']}")
    finished = solve(folder, problem, {"solver.saddles": "stay"})
    checks.equal("stay: exit status", finished.status, 2)
    checks.check("did you mean 'stop'" in finished.err, f"stay: {finished.err}")


def test_reached(folder):
    """A saddle that the first step leads to: m is right at once, while U and V stay zero."""
    A = np.random.default_rng(2).standard_normal((4, 5))
    problem = Problem("reached", "sumsq(A - ones(4,1)*m - U*V)",
                      {"m": (np.zeros((1, 5)), FREE), "U": (np.zeros((4, 1)), FREE), "V": (np.zeros((1, 5)), FREE)},
                      lambda m, U, V: ((A - m - U @ V) ** 2).sum(), {"A": A})
    s = np.linalg.svd(A - A.mean(axis=0), compute_uv=False)
    expect_minimum(folder, problem, (s[1:] ** 2).sum())


def test_unbounded(folder):
    """A quadratic of negative curvature along a ray that stays feasible."""
    Q = np.array([[1.0, -3], [-3, 1]])
    for name, constraint, start in (("free", FREE, 0.0), ("nonnegative", NONNEGATIVE, 0.0)):
        problem = Problem(f"falls {name}", "x'*Q*x", {"x": (np.full((2, 1), start), constraint)}, None, {"Q": Q})
        finished = solve(folder, problem)
        checks.equal(f"{name}: exit status", finished.status, 4)
        checks.check("t^2 along a" in finished.report["reason"], f"{name}: {finished.report['reason']}")
    finished = solve(folder, Problem("copositive", "x'*Q*x", {"x": (np.zeros((2, 1)), NONNEGATIVE)}, None, {"Q": np.array([[1.0, 3], [3, 1]])}))
    checks.equal("copositive: exit status", finished.status, 0)
    checks.equal("copositive: objective", finished.report["objective"], 0)


def test_subject_to(folder):
    """A start where f and the violation are stationary."""
    B = np.random.default_rng(4).uniform(0.1, 1, (6, 6))
    S = B @ B.T
    P = np.eye(6) - 1 / 6
    w = np.linalg.eigvalsh(P @ S @ P)
    problem = Problem("subject", "sumsq(X*X' - S)", {"X": (np.zeros((6, 1)), FREE)}, None, {"S": S}, more="subject_to:\n  - sum(X) = 0\n")
    finished = solve(folder, problem)
    if checks.equal(f"subject_to: exit status ({finished.err.strip()[-300:]})", finished.status, 0):
        checks.check(finished.report["saddles"] > 0, "subject_to: no saddle was left")
        checks.close("subject_to: objective", finished.report["objective"], (S ** 2).sum() - w[-1] ** 2, 1e-6)


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-saddles-") as temporary:
        for test in (test_minima, test_methods, test_reached, test_unbounded, test_subject_to):
            test(Path(temporary))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
