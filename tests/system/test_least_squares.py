"""Ill-conditioned least squares by direct and auto: against exact rational arithmetic.

The design matrices are of the kinds of NIST's StRD: polynomials far from zero, columns of very different units, columns that
depend on one another. The solution of the normal equations in fractions of the numbers in the files is the oracle.
"""

import fractions
import pathlib
import re
import sys
import tempfile

import numpy as np
import scipy.optimize

import random_free
from random_jobs import random_case
from solve_job import solve as solve_job
from tracegrad_run import Checks, run_job

CHECKS = Checks()


def solve_exactly(a, b, ridge=0.0, towards=0):
    """The minimiser of |A X - B|^2 + ridge |X - towards|^2 by Gauss and Jordan on fractions."""
    to_fractions = np.vectorize(fractions.Fraction, otypes=[object])
    a, b = to_fractions(a), to_fractions(b)
    n = a.shape[1]
    system = np.hstack([a.T @ a, a.T @ b])
    for i in range(n):
        system[i, i] += fractions.Fraction(ridge)
        system[i, n:] += fractions.Fraction(ridge) * towards
    for i in range(n):
        pivot = next(k for k in range(i, n) if system[k, i] != 0)
        system[[i, pivot]] = system[[pivot, i]]
        system[i] = system[i] / system[i, i]
        for k in range(n):
            if k != i:
                system[k] = system[k] - system[k, i] * system[i]
    return system[:, n:].astype(float)


def polynomial(random, points, low, high, degree):
    t = np.sort(random.uniform(low, high, points))
    return np.vander(t, degree + 1, increasing=True), (0.8 + 0.1 * np.sin(t) + 0.003 * random.standard_normal(points))[:, None]


def solve(folder, name, objective, a, b, shape, ranks=1, settings=None, extra=()):
    np.save(folder / "A.npy", a)
    np.save(folder / "B.npy", b)
    job = folder / "job.yaml"
    job.write_text("\n".join([f'minimize: "{objective}"', "variables:", f"  X: {{rows: {shape[0]}, columns: {shape[1]}}}",
                              "data:", f"  A: {{file: {folder}/A.npy}}", f"  B: {{file: {folder}/B.npy}}", *extra,
                              "output: {directory: out, variables: {X: X.npy}}", ""]))
    found = run_job(job, folder / f"{name}-{ranks}", ranks=ranks, settings=settings)
    CHECKS.check(found.status == 0, f"{name} on {ranks} ranks: exit {found.status}: {found.err[-300:]}")
    if found.status != 0:
        return None, {"method_reason": ""}
    return np.load(folder / f"{name}-{ranks}" / "X.npy"), found.report


def compare(name, found, expected, digits):
    """Every entry to so many digits."""
    if found is None:
        return
    error = np.max(np.abs(found - expected) / np.abs(expected))
    CHECKS.check(error <= 10.0 ** -digits, f"{name}: {error:.1e} away from the exact entries, expected {digits} digits")


def test_full_rank(folder):
    random = np.random.default_rng(3)
    far, y = polynomial(random, 82, -8.8, -3.1, 10)  # condition 5e9 with scaled columns, 1e15 without
    several = np.hstack([y, y**2, np.cos(far[:, 1:2])])
    for ranks in (1, 2, 3, 4):
        for method in ("auto", "direct") if ranks < 3 else ("auto",):
            found, report = solve(folder, f"far-{method}", "sumsq(A*X - B)", far, y, (11, 1), ranks, {"solver.method": method})
            compare(f"polynomial, {method} on {ranks} ranks", found, solve_exactly(far, y), 8)
            CHECKS.check("by orthogonal factors" in report["method_reason"], f"far: {report['method_reason']}")
    for name, objective, b, shape in (("several", "sumsq(B - A*X)/2", several, (11, 3)),
                                      ("right", "sumsq(X*A' - B')", several, (3, 11))):
        found, _ = solve(folder, name, objective, far, b, shape, 2)
        exact = solve_exactly(far, b)
        compare(name, found, exact if shape[0] == 11 else exact.T, 8)
    found, _ = solve(folder, "ridge", "sumsq(A*X - B) + mu*sumsq(X)", far, y, (11, 1), 3, extra=["  mu: 1.0e-6"])
    compare("ridge", found, solve_exactly(far, y, 1e-6), 8)
    found, _ = solve(folder, "towards", "sumsq(A*X - B) + mu*sumsq(X - ones(11,1))", far, y, (11, 1), extra=["  mu: 1.0e-6"])
    compare("ridge towards ones", found, solve_exactly(far, y, 1e-6, 1), 8)
    whole = np.vander(np.arange(21.0), 6, increasing=True)
    found, _ = solve(folder, "whole", "sumsq(A*X - B)", whole, whole.sum(axis=1, keepdims=True), (6, 1))
    compare("whole numbers", found, np.ones((6, 1)), 12)


def test_units(folder):
    """The units of the columns change neither the digits nor the rank."""
    random = np.random.default_rng(4)
    a, b = random.standard_normal((40, 7)), random.standard_normal((40, 2))
    a[:, 1] = a[:, 0] + 1e-5 * a[:, 1]
    for power in (0, 8, -8):
        units = 10.0 ** (power * np.linspace(-1, 1, 7))
        found, report = solve(folder, f"units{power}", "sumsq(A*X - B)", a * units, b, (7, 2), 2)
        compare(f"units 1e{power}", found, solve_exactly(a * units, b), 9)
        CHECKS.check("by orthogonal factors" in report["method_reason"], f"units: {report['method_reason']}")


def test_few_digits_lost(folder):
    """A well-conditioned Gram matrix serves, whatever the units."""
    random = np.random.default_rng(5)
    a, b = random.standard_normal((60, 5)) * 10.0 ** np.arange(-6, 9, 3), random.standard_normal((60, 1))
    found, report = solve(folder, "well", "sumsq(A*X - B)", a, b, (5, 1))
    compare("well-conditioned", found, solve_exactly(a, b), 10)
    CHECKS.check("orthogonal" not in report["method_reason"], f"well-conditioned: {report['method_reason']}")


def test_deficient(folder):
    random = np.random.default_rng(6)
    thin, b = random.standard_normal((30, 5)), random.standard_normal((30, 2))
    mix = np.hstack([np.eye(5), random.integers(-2, 3, (5, 3))])
    a = np.round(64 * thin) / 64 @ mix  # exact: rank 5
    for ranks in (1, 3):
        for name, objective, shape in (("deficient", "sumsq(A*X - B)", (8, 2)), ("turned", "sumsq(X*A' - B')", (2, 8))):
            found, report = solve(folder, name, objective, a, b, shape, ranks)
            answer = np.linalg.pinv(a, rcond=1e-12) @ b
            answer = answer if shape[0] == 8 else answer.T
            if found is not None:
                CHECKS.check(np.abs(found - answer).max() <= 1e-11 * np.abs(answer).max(), f"{name}: not the least norm")
            CHECKS.check("rank 5 for 8 unknowns: the minimiser of least norm" in report["method_reason"],
                         f"{name}: {report['method_reason']}")
    zero = np.hstack([thin, np.zeros((30, 1))])
    found, _ = solve(folder, "zero", "sumsq(A*X - B)", zero, b, (6, 2), 2)
    if found is not None:
        CHECKS.check(np.all(found[5] == 0), "a column of zeros: its unknowns are 0 at the least norm")


def test_wide(folder):
    random = np.random.default_rng(7)
    a, b = np.vander(np.linspace(0.5, 1.5, 8), 20, increasing=True), random.standard_normal((8, 2))
    for ranks in (1, 3):
        found, _ = solve(folder, "wide", "sumsq(A*X - B)", a, b, (20, 2), ranks)
        answer = np.linalg.pinv(a, rcond=1e-15) @ b
        if found is not None:
            CHECKS.check(np.abs(a @ found - b).max() <= 1e-9, "wide: the equations do not hold")
            CHECKS.check(np.abs(found - answer).max() <= 1e-8 * np.abs(answer).max(), "wide: not the least norm")
    twice = np.vstack([a, a[:2]])
    found, _ = solve(folder, "wide-twice", "sumsq(A*X - B)", twice, np.vstack([b, b[:2] + 1]), (20, 2))
    if found is not None:
        residual = twice @ found - np.vstack([b, b[:2] + 1])
        CHECKS.check(np.abs(np.abs(residual[:2]) - 0.5).max() <= 1e-8, "rows given twice: their mean is met")


def test_what_is_left(folder):
    """Eigenvalues of a Gram matrix below its rounding: a run by iterations says that more is to be had, or has it."""
    for number in (5031, 3051, 3075, 7078):  # conditions of 1e16 to 1e19
        case = random_case(random_free.polynomial_fit, number)
        for method, ranks in (("newton-cg", 1), ("newton-cg", 3), ("l-bfgs", 1), ("conjugate-gradient", 1)):
            case.solver["method"] = method
            report = solve_job(case.job(), case.arrays(), folder / f"left-{number}-{method}-{ranks}", ranks=ranks).report
            y = case.data["y"]
            left = (report["objective"] - case.best) / (case.data.get("factor", 1) * np.sum(y**2))
            is_true = report["status"] != "converged" or left <= 1e-6 or "an estimated" in report["reason"]
            CHECKS.check(report["status"] != "unbounded", f"a sum of squares, {method} on {ranks}: {report['reason']}")
            CHECKS.check(is_true, f"left, {method} on {ranks}: {left:.1e} of the fall, {report['reason']}")


def test_far_start(folder):
    """A start so far away that all that matters at the minimum is rounding beside the fall: the run goes on from where it has come to."""
    rng = np.random.default_rng(0)
    n = 6
    A, B, c = rng.standard_normal((10, n)), rng.standard_normal((10, n)), rng.standard_normal((10, 1))
    direction, y = rng.standard_normal((n, 1)), rng.standard_normal((n, 1))
    b = A @ np.ones((n, 1)) + rng.standard_normal((10, 1))
    of_y = np.sum((B @ np.linalg.lstsq(B, c, rcond=None)[0] - c) ** 2)
    for far in (1e6, 1e8, 1e12, 1e16):
        for weight in (1.0, 1e-6):
            best = np.sum((A @ np.linalg.lstsq(A, b, rcond=None)[0] - b) ** 2) + weight * of_y
            for method, ranks in (("auto", 1), ("auto", 3), ("l-bfgs", 1), ("newton-cg", 1), ("barzilai-borwein", 1)):
                job = {"minimize": f"sumsq(A*x - b) + {weight!r}*sumsq(B*y - c)", "data": {}, "solver": {"method": method},
                       "variables": {"x": {"rows": n, "columns": 1}, "y": {"rows": n, "columns": 1}}}
                report = solve_job(job, {"A": A, "B": B, "b": b, "c": c}, folder / f"far-{far}-{weight}-{method}-{ranks}", ranks=ranks,
                                   starts={"x": far * direction, "y": y}).report
                left = report["objective"] / best - 1
                CHECKS.check(report["status"] != "converged" or left <= 1e-6, f"from {far}, {weight}, {method} on {ranks}: {left:.1e}, {report['reason']}")
                if method == "auto":
                    CHECKS.equal(f"from {far}, {weight} on {ranks}: {report['reason']}", report["status"], "converged")


def test_far_start_on_sets(folder):
    """The same under bounds, with norm1, under constraints, and where one factor stays far away."""
    rng = np.random.default_rng(3)
    n = 5
    A = rng.standard_normal((12, n))
    b = A @ rng.standard_normal((n, 1)) + rng.standard_normal((12, 1))
    start, M = np.abs(rng.standard_normal((n, 1))), rng.standard_normal((8, 6))
    column = {"x": {"rows": n, "columns": 1}}
    bordered = np.block([[2 * A.T @ A, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    on_plane = np.linalg.solve(bordered, np.vstack([2 * A.T @ b, [[1]]]))[:n]
    bounded = {"x": {**column["x"], "constraint": "nonnegative"}}
    lasso = scipy.optimize.minimize(lambda z: (np.sum((A @ (z[:n] - z[n:]) - b[:, 0]) ** 2) + z.sum() / 2,
                                               np.outer([1, -1], 2 * A.T @ (A @ (z[:n] - z[n:]) - b[:, 0])).ravel() + 0.5),
                                    np.zeros(2 * n), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 2 * n, options={"ftol": 1e-16, "gtol": 1e-12})
    quartic = scipy.optimize.minimize(lambda x: np.sum((A @ x - b[:, 0]) ** 4), np.linalg.lstsq(A, b, rcond=None)[0][:, 0], method="BFGS",
                                      jac=lambda x: 4 * A.T @ (A @ x - b[:, 0]) ** 3, options={"gtol": 1e-12})
    jobs = {"nonnegative": ("sumsq(A*x - b)", bounded, (), "newton-cg", scipy.optimize.nnls(A, b[:, 0])[1] ** 2),
            "norm1": ("sumsq(A*x - b) + 0.5*norm1(x)", column, (), "auto", lasso.fun),
            "plane": ("sumsq(A*x - b)", column, ("sum(x) = 1",), "auto", np.sum((A @ on_plane - b) ** 2)),
            "quartic": ("sum((A*x - b).^4)", column, (), "newton-cg", quartic.fun),
            "factors": ("sumsq(M - U*V)", {"U": {"rows": 8, "columns": 2}, "V": {"rows": 2, "columns": 6}}, (), "l-bfgs",
                        np.sum(np.linalg.svd(M, compute_uv=False)[2:] ** 2))}
    for far in (1e6, 1e8, 1e12):
        for name, (text, variables, subject_to, method, best) in jobs.items():
            job = {"minimize": text, "variables": {key: dict(of) for key, of in variables.items()}, "solver": {"method": method}, "data": {}}
            if subject_to:
                job["subject_to"] = list(subject_to)
            data = {"M": M} if name == "factors" else {"A": A, "b": b}
            starts = {"U": far * rng.standard_normal((8, 2)), "V": rng.standard_normal((2, 6))} if name == "factors" else {"x": far * start}
            for ranks in (1, 3):
                report = solve_job(job, data, folder / f"far-{name}-{far}-{ranks}", ranks=ranks, starts=starts).report
                left = abs(report["objective"] / best - 1)
                is_true = report["status"] != "converged" or left <= (1e-4 if name == "quartic" else 1e-6) or "start nearer" in report["reason"]
                CHECKS.check(is_true, f"{name} from {far} on {ranks}: {left:.1e}, {report['reason']}")
                CHECKS.check(report["status"] in ("converged", "stalled"), f"{name} from {far} on {ranks}: {report['reason']}")


def test_what_rounding_hides(folder):
    """A Gaussian kernel without a penalty: what lies in eigenvalues below the rounding of the largest is said, to a factor of ten."""
    rng = np.random.default_rng(1)
    n = 20
    t = np.sort(rng.uniform(0, 1, n))
    y = (np.sin(6 * t) + 0.3 * rng.standard_normal(n)).reshape(-1, 1)
    counts = rng.poisson(np.exp(1 + y)).astype(float)
    least = np.sum(counts - np.where(counts > 0, counts * np.log(np.maximum(counts, 1)), 0))
    for name, text, data, infimum in (("counts", "sum(exp(K*a)) - y'*K*a", counts, least), ("robust", "sum(sqrt((K*a - y).^2 + 1))", y, n)):
        for width in (0.1, 0.3):
            K = np.exp(-((t[:, None] - t[None]) ** 2) / (2 * width**2))
            job = {"minimize": text, "variables": {"a": {"rows": n, "columns": 1}}, "data": {"K": {"symmetric": True}}, "solver": {"max_iterations": 2000}}
            for ranks in (1, 3):
                what = f"{name}, {width} on {ranks}"
                solved = solve_job(job, {"K": K, "y": data}, folder / f"hidden-{name}-{width}-{ranks}", ranks=ranks)
                report = solved.report
                left, fall = report["objective"] - infimum, solved.history[0]["objective"] - infimum
                CHECKS.check(left > 1e-4 * fall, f"{what}: only {left / fall:.1e} of the fall is left")
                if report["status"] != "converged":
                    CHECKS.equal(f"{what}: {report['reason']}", report["status"], "stalled")
                    continue
                found = re.search(r"estimated (decrease of )?[-+.e0-9]+%? to ([-+.e0-9]+)%? ", report["reason"])
                if CHECKS.check(found is not None and "rounding hides how much" in report["reason"], f"{what}: {report['reason']}"):
                    most = float(found[2]) * (1 if found[1] else abs(report["objective"]) / 100)
                    CHECKS.check(0.1 * left <= most <= 10 * left, f"{what}: {left:.1e} is left, at most {most:.1e} is said")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test in (test_full_rank, test_units, test_few_digits_lost, test_deficient, test_wide, test_what_is_left, test_far_start,
                     test_far_start_on_sets, test_what_rounding_hides):
            test(folder)
    return CHECKS.finish()


if __name__ == "__main__":
    sys.exit(main())
