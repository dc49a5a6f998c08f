"""Sets with numbers by entries and lines: optima against KKT certificates in NumPy, on ranks; what is wrong is placed."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()
rng = np.random.default_rng(11)

# (m, n, block, ranks): non-square grids, blocks larger than the matrix, one row, one column.
SHAPES = [(7, 5, 2, 4), (9, 4, 64, 3), (1, 6, 1, 2), (6, 1, 4, 2), (11, 8, 3, 7), (5, 5, 2, 1)]


def solve(folder, name, objective, constraint, data, shape, ranks, block, solver, settings=None):
    """The minimiser X of a job whose data are arrays; its report."""
    here = folder / name
    here.mkdir(exist_ok=True)
    for key, value in data.items():
        np.save(here / f"{key}.npy", value)
    listing = "".join(f"  {key}: {{file: {key}.npy}}\n" for key in data)
    (here / "job.yaml").write_text(
        f"minimize: {objective}\nvariables:\n  X: {{rows: {shape[0]}, columns: {shape[1]}, constraint: {constraint}}}\n"
        f"data:\n{listing}solver: {{{solver}}}\nprocess_grid: {{block: {block}}}\noutput: {{variables: {{X: X.npy}}}}\n")
    finished = run_job(here / "job.yaml", here / "out", ranks=ranks, settings=settings)
    X = np.load(here / "out" / "X.npy") if (here / "out" / "X.npy").exists() else None
    return finished, X


def expect_converged(what, finished, most_violation=1e-11):
    status = finished.report["status"] if finished.report else finished.err.strip()[-300:]
    checks.equal(f"{what}: status", status, "converged")
    if finished.report:
        checks.check(finished.report["constraint_violation"] <= most_violation,
                     f"{what}: violation {finished.report['constraint_violation']}")
    return status == "converged"


def test_bounds(folder):
    """Each entry at its lower bound has a gradient >= 0, at its upper bound <= 0, between them 0; fixed ones any."""
    for m, n, block, ranks in SHAPES:
        A, B = rng.normal(size=(m + 6, m)), rng.normal(size=(m + 6, n))
        low = rng.normal(size=(m, n)) * 0.3 - 0.2
        high = low + rng.random((m, n))
        fixed = rng.random((m, n)) < 0.2
        high[fixed] = low[fixed]
        high[rng.random((m, n)) < 0.2] = np.inf
        low[(rng.random((m, n)) < 0.2) & ~fixed] = -np.inf
        high[fixed] = low[fixed]
        for method in ("auto", "l-bfgs", "newton-cg", "barzilai-borwein"):
            what = f"bounds {m} x {n} on {ranks} by {method}"
            finished, X = solve(folder, "bounds", "sumsq(A*X - B)", "{box: [low, high]}",
                                {"A": A, "B": B, "low": low, "high": high}, (m, n), ranks, block,
                                f"method: {method}, max_iterations: 20000, gradient_tolerance: 1.0e-10")
            if not expect_converged(what, finished, 0):
                continue
            G = 2 * A.T @ (A @ X - B)
            tolerance = 1e-7 * np.abs(2 * A.T @ B).max()
            checks.check((G[(X > low) & (X < high)].__abs__() <= tolerance).all(), f"{what}: free entries")
            checks.check((G[(X == low) & ~fixed] >= -tolerance).all(), f"{what}: entries at lower bounds")
            checks.check((G[(X == high) & ~fixed] <= tolerance).all(), f"{what}: entries at upper bounds")
            checks.check((X >= low).all() and (X <= high).all() and (X[fixed] == low[fixed]).all(), f"{what}: feasible")
            checks.close(f"{what}: objective", finished.report["objective"], ((A @ X - B) ** 2).sum(), 1e-9)


def test_number_and_matrix(folder):
    """One bound a matrix, the other a number, of the job or 1 x 1 data."""
    C = rng.normal(size=(4, 3))
    low = rng.normal(size=(4, 3)) - 1
    for constraint, high in (("{box: [low, 0.25]}", 0.25), ("{box: [low, top]}", 0.5), ("{box: [low, .inf]}", np.inf)):
        finished, X = solve(folder, "mixed", "sumsq(X - C)", constraint,
                            {"C": C, "low": np.minimum(low, 0.2), "top": np.array([[0.5]])}, (4, 3), 3, 2, "method: auto")
        if expect_converged(constraint, finished, 0):
            checks.check(np.abs(X - np.clip(C, np.minimum(low, 0.2), high)).max() <= 1e-12, f"{constraint}: X")


def test_simplices(folder):
    """On each line the gradient is least, and equal, where there are entries."""
    for m, n, block, ranks in SHAPES:
        A, B = rng.normal(size=(m + 6, m)), rng.normal(size=(m + 6, n))
        for by_rows in (True, False):
            lines = m if by_rows else n
            totals = rng.random(lines) * 3
            totals[0] = 0 if lines > 1 else totals[0]
            name = "simplex_rows" if by_rows else "simplex_columns"
            for argument, wanted in (("2.5", np.full(lines, 2.5)), ("s", totals)):
                what = f"{name}: {argument}, {m} x {n} on {ranks}"
                finished, X = solve(folder, "simplex", "sumsq(A*X - B)", f"{{{name}: {argument}}}",
                                    {"A": A, "B": B, "s": totals[None, :]}, (m, n), ranks, block,
                                    "max_iterations: 20000, gradient_tolerance: 1.0e-10")
                if not expect_converged(what, finished):
                    continue
                G = 2 * A.T @ (A @ X - B)
                if not by_rows:
                    X, G = X.T, G.T
                checks.check(X.min() >= 0 and np.abs(X.sum(axis=1) - wanted).max() <= 1e-11, f"{what}: feasible")
                above = np.where(X > 1e-9, G - G.min(axis=1, keepdims=True), 0).max()
                checks.check(above <= 1e-6 * np.abs(G).max(), f"{what}: the gradient at entries is {above} above the least")


def transport_gap(G, X, r, c):
    """<G, X> less the least <G, Z> over the set, by Bellman's cycles: at most n m times the worst negative cycle."""
    m, n = G.shape
    best = np.full((m, m), np.inf)  # cheapest way from row i to row k: take up column j in i, give it up in k
    for i in range(m):
        for k in range(m):
            giving = X[k] > 1e-9
            if giving.any():
                best[i, k] = (G[i, giving] - G[k, giving]).min()
    for mid in range(m):
        best = np.minimum(best, best[:, mid:mid + 1] + best[mid:mid + 1, :])
    return -min(np.diag(best).min(), 0)


def test_transport(folder):
    """Sums hold, and no exchange of entries along a cycle of rows lowers the objective."""
    for m, n, block, ranks in SHAPES:
        C, W = rng.normal(size=(m, n)), rng.random((m, n)) + 0.5
        r, c = rng.random(m), rng.random(n)
        r[0] = 0 if m > 1 else r[0]
        c *= r.sum() / c.sum()
        for objective, methods in (("tr(C'*X)", ("auto", "frank-wolfe")), ("sumsq(W.*(X - C))", ("auto",))):
            values = []
            for method in methods:
                what = f"transport {m} x {n} on {ranks}, {objective} by {method}"
                finished, X = solve(folder, "transport", objective, "{transport: [r, c]}", {"C": C, "W": W, "r": r, "c": c},
                                    (m, n), ranks, block, f"method: {method}, max_iterations: 20000, gradient_tolerance: 1.0e-10")
                if not expect_converged(what, finished):
                    continue
                sums = max(np.abs(X.sum(axis=1) - r).max(), np.abs(X.sum(axis=0) - c).max())
                checks.check(X.min() >= 0 and sums <= 1e-12, f"{what}: sums are off by {sums}")
                gap = transport_gap(C if "tr" in objective else 2 * W**2 * (X - C), X, r, c)
                checks.check(gap <= 1e-7, f"{what}: an exchange gains {gap}")
                values.append(finished.report["objective"])
            if len(values) == 2:
                checks.check(abs(values[0] - values[1]) <= 1e-8, f"{m} x {n}: the linear programme has values {values}")


GOOD = {"low": np.zeros((3, 2)), "high": np.ones((3, 2)), "r": np.array([1.0, 2, 3]), "c": np.array([2.0, 4])}
BAD = [  # constraint, data that are other, solver, exit status, texts
    ("{box: [low, high]}", {"low": np.array([[0.0, 0], [0, 2], [5, 0]])}, "", ["(2,2)", "at least 2", "at most 1"]),
    ("{box: [low, high]}", {"high": np.zeros((2, 3))}, "", ["2 x 3", "expected 3 x 2"]),
    ("{box: [low, nothing]}", {}, "", ["'nothing'", "declared"]),
    ("{box: [low, high]}", {"low": np.full((3, 2), np.nan)}, "", ["NaN"]),
    ("{box: [low, high]}", {"high": np.full((3, 2), np.inf)}, "method: frank-wolfe", ["frank-wolfe"]),
    ("{box: [low, high]}", {"high": np.full((3, 2), -np.inf)}, "", ["(1,1)"]),
    ("{transport: [r, c]}", {"c": np.array([2.0, 5])}, "", ["add up to 6", "7"]),
    ("{transport: [r, c]}", {"c": np.array([7.0, -1])}, "", ["column 2", "-1"]),
    ("{transport: [c, r]}", {}, "", ["vector of 3 entries"]),
    ("{transport: [1, 2]}", {}, "", ["two names"]),
    ("transport", {}, "", ["[r, c]"]),
    ("{simplex_rows: c}", {}, "", ["vector of 3 entries"]),
    ("{simplex_rows: -1}", {}, "", ["positive number"]),
    ("{simplex_columns: c}", {"c": np.array([1.0, -2])}, "", ["column 2", "-2"]),
    ("{simplex_columns: other}", {}, "", ["'other'", "declared"]),
]


def test_bad(folder):
    """Exit 2, the place of the constraint and what is wrong, on any number of ranks."""
    for k, (constraint, changes, solver, texts) in enumerate(BAD):
        for ranks in (1, 4):
            finished, _ = solve(folder, f"bad-{k}", "sumsq(X)", constraint, {**GOOD, **changes}, (3, 2), ranks, 1, solver)
            what = f"{constraint} with {list(changes)} on {ranks}"
            checks.equal(f"{what}: exit status", finished.status, 2)
            for text in ["job.yaml:", *texts]:
                checks.check(text in finished.err, f"{what}: no {text!r} in {finished.err.strip()[-400:]}")
            checks.equal(f"{what}: errors", finished.err.count("error:"), 1)


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-sets-") as temporary:
        folder = Path(temporary)
        tests = [value for name, value in globals().items() if name.startswith("test_")]
        for test in tests:
            if len(sys.argv) == 1 or test.__name__ in sys.argv[1:]:
                test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
