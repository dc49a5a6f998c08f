"""Entropies whose minima have entries of any size: exp(-1 - C), free, positive, on simplices, under sums; and other borders at zero.

The answers are formulas; where a quadratic is added the gradient is recomputed, in the units of each entry.
"""

import pathlib
import sys
import tempfile

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()
ENTROPY = "sum(X.*log(X)) + dot(C, X)"


def log_sum_exp(z, axis):
    top = z.max(axis=axis, keepdims=True)
    return np.log(np.exp(z - top).sum(axis=axis)) + top.squeeze(axis)


def solve(folder, objective, shape, data, extra="", subject=(), ranks=1, **solver):
    for name, matrix in data.items():
        np.save(folder / f"{name}.npy", matrix)
    lines = [f'minimize: "{objective}"', f"variables: {{X: {{rows: {shape[0]}, columns: {shape[1]}{extra}}}}}", "data:"]
    lines += [f"  {name}: {{file: {folder}/{name}.npy}}" for name in data]
    lines += ["subject_to:"] + [f'  - "{text}"' for text in subject] if subject else []
    job = folder / "job.yaml"
    job.write_text("\n".join(lines) + "\n")
    done = run_job(job, folder / "out", ranks=ranks, settings={f"solver.{key}": value for key, value in solver.items()})
    what = f"{objective} {shape}{extra} {subject} {solver} on {ranks}"
    checks.equal(f"{what}: exit status ({(done.report or {}).get('reason', done.err)[-300:]})", done.status, 0)
    return what, done.report if done.status == 0 else None, np.load(done.folder / "X.npy") if done.status == 0 else None


def expect(folder, value, tolerance, most, *arguments, **options):
    what, report, _ = solve(folder, *arguments, **options)
    if report is None:
        return
    checks.close(f"{what}: objective", report["objective"], value, tolerance)
    checks.check(report["iterations"] <= most, f"{what}: {report['iterations']} iterations")


def test_closed_forms(folder, rng):
    for scale, shape in ((1, (6, 4)), (10, (20, 10)), (30, (6, 4))):
        C = scale * rng.standard_normal(shape)
        free = -np.exp(-1 - C).sum()
        for method in ("auto", "l-bfgs", "newton-cg", "conjugate-gradient"):
            expect(folder, free, 1e-9, 400, ENTROPY, shape, {"C": C}, method=method)
        expect(folder, free, 1e-9, 100, ENTROPY, shape, {"C": C}, ", constraint: nonnegative", ranks=3)
        for axis, name in ((0, "simplex_columns"), (1, "simplex_rows")):
            value = -log_sum_exp(-C, axis).sum()
            for ranks in (1, 3):
                expect(folder, value, 1e-9, 150, ENTROPY, shape, {"C": C}, f", constraint: {name}", ranks=ranks)
        value = -log_sum_exp(-C, 0).sum()
        expect(folder, value, 1e-7, 900, ENTROPY, shape, {"C": C}, subject=[f"ones({shape[0]},1)'*X = ones(1,{shape[1]})"])


def test_scalar_sum(folder, rng):
    """The square of a scalar constraint has no diagonal of its own: that of the other terms serves."""
    for scale in (1, 5, 20, 40):
        C = scale * rng.standard_normal((8, 1))
        for method in ("auto", "newton-cg"):
            expect(folder, -log_sum_exp(-C, 0)[0], 1e-6, 300, ENTROPY, (8, 1), {"C": C}, subject=["sum(X) = 1"], method=method)


def test_coupled(folder, rng):
    """With a quadratic: X .* gradient vanishes, on a simplex less its mean by X."""
    A = rng.standard_normal((12, 12))
    for scale in (1, 10):
        C, B = scale * rng.standard_normal((12, 4)), rng.standard_normal((12, 4))
        for extra in ("", ", constraint: simplex_columns"):
            what, report, X = solve(folder, ENTROPY + " + sumsq(A*X - B)", (12, 4), {"C": C, "A": A, "B": B}, extra)
            if report is None:
                continue
            G = np.log(X) + 1 + C + 2 * A.T @ (A @ X - B)
            if extra:
                G = G - (X * G).sum(axis=0) / X.sum(axis=0)
                checks.check(abs(X.sum(axis=0) - 1).max() <= 1e-12, f"{what}: the sums are off by {abs(X.sum(axis=0) - 1).max():.1e}")
            left = np.sqrt((X * G**2).sum()) / (1 + scale)
            checks.check(X.min() > 0 and left <= 1e-6, f"{what}: {left:.1e} is left, the least entry is {X.min():.1e}")


def test_other_borders(folder, rng):
    """-log, a negative power, and a root, whose slope is infinite at zero, where the start would be."""
    C = 10 ** rng.uniform(-3, 3, (8, 5))
    for method in ("auto", "l-bfgs", "newton-cg"):
        expect(folder, (1 + np.log(C)).sum(), 1e-8, 60, "dot(C, X) - sum(log(X))", C.shape, {"C": C}, method=method)
        expect(folder, -(1 / (4 * C)).sum(), 1e-6, 100, "dot(C, X) - sum(sqrt(X))", C.shape, {"C": C}, method=method)
        expect(folder, 1.5 * np.cbrt(2 * C).sum(), 1e-8, 60, "dot(C, X) + sum(X.^-0.5)", C.shape, {"C": C}, method=method)


def test_far_minima(folder, rng):
    """Minima a hundred powers of ten from the start, where f still falls 1e12 times as far as any line search goes; and what has none."""
    for c in (-100, -200, 100, 200):
        C = c + rng.standard_normal((3, 2))
        for method in ("auto", "l-bfgs", "newton-cg"):
            expect(folder, -np.exp(-1 - C).sum(), 1e-9, 400, ENTROPY, C.shape, {"C": C}, method=method)
    C = -np.exp(rng.standard_normal((3, 2)))
    np.save(folder / "C.npy", C)
    job = folder / "job.yaml"
    job.write_text(f'minimize: "dot(C, X) - sum(log(X))"\nvariables: {{X: {{rows: 3, columns: 2}}}}\ndata: {{C: {{file: {folder}/C.npy}}}}\n')
    checks.equal("dot(C, X) - sum(log(X)), C < 0: unbounded", run_job(job, folder / "out", ranks=1).status, 4)


def test_border_after_projection(folder, rng):
    """Entries so small that a projection makes them zero, where X.*log(X) is not known: the value is that of a point inside."""
    C = rng.uniform(0, 1, (6, 6))
    np.save(folder / "C.npy", C)
    job = folder / "job.yaml"
    job.write_text('minimize: "dot(C, X) + 0.01*sum(X.*log(X))"\nvariables: {X: {rows: 6, columns: 6, constraint: doubly_stochastic}}\n'
                   f"data: {{C: {{file: {folder}/C.npy}}}}\nsolver: {{max_iterations: 300}}\n")
    done = run_job(job, folder / "out", ranks=1)
    found = done.report["objective"]
    X = np.load(folder / "out" / "X.npy")
    checks.check(found is not None and X.min() > 0, f"doubly stochastic: {found} at a point with the least entry {X.min()}")
    if found is not None:
        checks.close("doubly stochastic: objective", found, (C * X).sum() + 0.01 * (X * np.log(X)).sum(), 1e-12)


def main():
    rng = np.random.default_rng(20261130)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test in (test_closed_forms, test_scalar_sum, test_coupled, test_other_borders, test_far_minima, test_border_after_projection):
            test(folder, rng)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
