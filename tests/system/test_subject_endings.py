"""How rounds of subject_to end where f falls without end, where the violation has a local minimum, and where f begins at its least.

NumPy knows the answers: of linear programs over cones, of quadratics along kernels, of squares that vanish.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from solve_job import solve
from tracegrad_run import Checks

checks = Checks()

METHODS = ("auto", "l-bfgs", "newton-cg", "conjugate-gradient")


def run(folder, name, minimize, shapes, relations, arrays, starts=None, method="auto", ranks=0, more=None):
    variables = {key: {"rows": rows, "columns": columns, **(more or {})} for key, (rows, columns) in shapes.items()}
    job = {"minimize": minimize, "variables": variables, "subject_to": relations, "solver": {"method": method}}
    return solve(job, arrays, folder / name, starts=starts, ranks=ranks)


def expect(what, solved, exit_status, value=None, scale=1):
    report = solved.report or {}
    if checks.equal(f"{what}: exit status ({report.get('reason', solved.err)})", solved.status, exit_status) and value is not None:
        checks.check(abs(report["objective"] - value) <= 1e-6 * scale, f"{what}: {report['objective']}, right is {value}")


def test_linear(folder):
    """c'x on x >= 0 is 0 where no entry of c is negative and unbounded elsewhere; under x <= u it is sum(min(c u, 0))."""
    rng = np.random.default_rng(11)
    for trial in range(6):
        c = rng.uniform(0.5, 2, (4, 1)) * np.where(rng.uniform(size=(4, 1)) < (0.4 if trial % 2 else 0), -1, 1)
        falls = c.min() < 0
        for method in METHODS:
            solved = run(folder, f"linear-{trial}-{method}", "c'*x", {"x": (4, 1)}, ["x >= 0"], {"c": c}, method=method)
            expect(f"linear {trial} {method}", solved, 4 if falls else 0, None if falls else 0)
    c = np.array([[-1.0, 2, 1]]).T
    for size in (1e-6, 1e6, 1e12):
        solved = run(folder, f"far-{size:.0e}", "c'*x", {"x": (3, 1)}, ["x >= 0", "x <= u"], {"c": c, "u": size * np.ones((3, 1))})
        expect(f"bounded at {size}", solved, 0, -size, size)


def test_kernel(folder):
    """tr(X'SX) - 2 tr(X), S semidefinite: unbounded along its kernel unless the constraints close it."""
    for n in (2, 3):
        S = np.diag([1.0] + [0.0] * (n - 1))
        for method in METHODS:
            solved = run(folder, f"kernel-{n}-{method}", "tr(X'*S*X) - 2*tr(X)", {"X": (n, n)}, ["sum(X) = 1"], {"S": S}, method=method)
            expect(f"kernel {n} {method}", solved, 4)
        solved = run(folder, f"closed-{n}", "tr(X'*S*X) - 2*tr(X)", {"X": (n, n)}, ["P*X = Z"],
                     {"S": S, "P": np.eye(n)[1:], "Z": np.zeros((n - 1, n))})
        expect(f"closed kernel {n}", solved, 0, -1)


def test_least_start(folder):
    """A square that is zero at its minimum: rounds that begin there see nothing but rounding, which is no fall without end."""
    listed = np.array([[0.741240863362, 0.076558740798, 0.59323089747, 0.445563200034]]).T
    rng = np.random.default_rng(12)
    for trial, w in enumerate([listed] + [rng.uniform(0.05, 1, (n, 1)) for n in (3, 4, 5, 6)]):
        for scale in (1, 1e-6):
            S = scale * w @ w.T
            solved = run(folder, f"square-{trial}-{scale}", "sumsq(X*X' - S)", {"X": w.shape}, ["X >= 0"], {"S": S})
            checks.check(solved.status in (0, 3), f"square {trial} {scale}: {solved.status}, {solved.report['reason']}")
            checks.check(solved.report["objective"] <= 1e-10 * np.sum(S**2), f"square {trial} {scale}: {solved.report['objective']}")
            at_minimum = run(folder, f"there-{trial}-{scale}", "sumsq(X*X' - S)", {"X": w.shape}, ["X >= 0"], {"S": S},
                             starts={"X": np.sqrt(scale) * w})
            checks.check(at_minimum.status != 4, f"square {trial} {scale} from its minimum: {at_minimum.report['reason']}")


def test_restoration(folder):
    """Concave f on a plane and a sphere, HS 63 and its siblings: the first rounds go where the violation has a local minimum."""
    rng = np.random.default_rng(13)
    for trial in range(4):
        a = np.array([[8.0, 14, 7]]).T if trial == 0 else rng.uniform(5, 15, (3, 1))
        q = np.array([1.0, 2, 1]) if trial == 0 else rng.uniform(1, 2, 3)
        p = np.array([[2.0, 2, 2]]).T
        total = 56.0 if trial == 0 else float(a[:, 0] @ np.array([3.5, 0.5, 3.5]))
        job = {"minimize": "1000 - x'*Q*x", "subject_to": [f"a'*x = {total!r}", "sumsq(x) = 25"],
               "variables": {"x": {"rows": 3, "columns": 1, "constraint": "nonnegative"}}}
        Q = np.diag(q) + (0.5 * np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]) if trial == 0 else 0)
        solved = solve(job, {"Q": Q, "a": a}, folder / f"sphere-{trial}", starts={"x": p})
        # The feasible set is an arc of a circle: every point of it by its angle.
        centre = a[:, 0] * total / (a[:, 0] @ a[:, 0])
        radius = np.sqrt(25 - centre @ centre)
        basis = np.linalg.svd(a.T)[2][1:]
        angles = np.linspace(0, 2 * np.pi, 200001)
        points = centre[:, None] + radius * (basis.T @ np.array([np.cos(angles), np.sin(angles)]))
        inside = points[:, (points >= -1e-9).all(axis=0)]
        values = 1000 - np.einsum("ij,ik,kj->j", inside, Q, inside)
        expect(f"sphere {trial}", solved, 0)
        if solved.status == 0 and trial == 0:
            expect("HS 63", solved, 0, 961.715172130, 100)
        if solved.status == 0:
            checks.check(solved.report["objective"] >= values.min() - 1e-4, f"sphere {trial}: {solved.report['objective']} is lower than any feasible point")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-endings-") as temporary:
        folder = Path(temporary)
        for test in (test_linear, test_kernel, test_least_start, test_restoration):
            test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
