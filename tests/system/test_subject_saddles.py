"""Saddles under subject_to: left where a feasible point is lower, returned where none is. NumPy knows the minima."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from solve_job import solve
from tracegrad_run import Checks

checks = Checks()


def run(folder, name, minimize, shapes, relations, arrays, ranks=0, solver=None):
    job = {"minimize": minimize, "subject_to": relations, "solver": solver or {},
           "variables": {key: {"rows": rows, "columns": columns, "start": "zeros"} for key, (rows, columns) in shapes.items()}}
    return solve(job, arrays, folder / name, ranks=ranks)


def expect(what, solved, value, scale, saddles=True):
    report = solved.report or {}
    if not checks.equal(f"{what}: exit status ({report.get('reason', solved.err)})", solved.status, 0):
        return
    checks.check(abs(report["objective"] - value) <= 1e-6 * scale, f"{what}: {report['objective']}, right is {value}")
    checks.check(not saddles or report["saddles"] > 0, f"{what}: no saddle was counted")


def test_factors(folder):
    """Of rank one and positive, the best factors are those of Perron, Eckart and Young."""
    for seed in range(3):
        M = np.random.default_rng(seed).uniform(0.1, 1, (5 + seed, 4))
        S = M @ M.T
        w = np.linalg.eigvalsh(S)
        for method in ("auto", "newton-cg"):
            solved = run(folder, f"symmetric-{seed}-{method}", "sumsq(X*X' - S)", {"X": (5 + seed, 1)}, ["X >= 0"], {"S": S},
                         solver={"method": method})
            expect(f"symmetric {seed} {method}", solved, (w[:-1] ** 2).sum(), (w**2).sum())
        s = np.linalg.svd(M, compute_uv=False)
        solved = run(folder, f"two-{seed}", "sumsq(M - U*V)", {"U": (5 + seed, 1), "V": (1, 4)}, ["U >= 0", "V >= 0"], {"M": M})
        expect(f"two factors {seed}", solved, (s[1:] ** 2).sum(), (s**2).sum())
        solved = run(folder, f"more-{seed}", "sumsq(M - U*V)", {"U": (5 + seed, 2), "V": (2, 4)}, ["U >= 0", "V >= 0"], {"M": M})
        checks.check(solved.status == 0 and solved.report["objective"] <= 1.0001 * (s[1:] ** 2).sum(),
                     f"factors of rank two {seed}: {solved.report['objective']}, of rank one {(s[1:]**2).sum()}")


def least_on_cone(Q):
    """min d'Qd over d >= 0, sum(d) = 1, by a fine grid."""
    t = np.linspace(0, 1, 201)
    a, b = np.meshgrid(t, t)
    inside = a + b <= 1
    d = np.array([a[inside], b[inside], 1 - a[inside] - b[inside]])
    return np.einsum("ik,ij,jk->k", d, Q, d).min()


def test_cone(folder):
    """x'Qx on x >= 0, sum(x) <= 1, from zero: zero is the answer only of a copositive Q, definite or not."""
    rng = np.random.default_rng(21)
    seen = set()
    for trial in range(12):
        Q = rng.standard_normal((3, 3))
        Q = Q + Q.T if trial % 2 else np.abs(Q + Q.T) * (1 - np.eye(3)) + np.diag(rng.uniform(0.1, 0.5, 3))
        least = least_on_cone(Q)
        if abs(least) < 0.05 or np.linalg.eigvalsh(Q)[0] > 0:
            continue
        solved = run(folder, f"cone-{trial}", "x'*Q*x", {"x": (3, 1)}, ["x >= 0", "sum(x) <= 1"], {"Q": Q})
        seen.add(least < 0)
        what = f"cone {trial}, least {least:.3g}"
        if not checks.equal(f"{what}: exit status ({(solved.report or {}).get('reason', solved.err)})", solved.status, 0):
            continue
        f, x = solved.report["objective"], solved.values["x"][:, 0]
        if least > 0:
            checks.check(abs(f) <= 1e-8, f"{what}: {f}, right is 0")
            continue
        checks.check(f <= -1e-3, f"{what}: {f}, called converged")
        # A local minimum: no pair of entries can trade, none can grow or shrink.
        for d in list(np.eye(3)) + list(-np.eye(3)) + [a - b for a in np.eye(3) for b in np.eye(3)]:
            y = x + 1e-3 * d
            if y.min() >= 0 and y.sum() <= 1:
                checks.check(y @ Q @ y >= f - 1e-8, f"{what}: {f} falls along {d}")
    checks.equal("both kinds of cones were met", seen, {True, False})


def test_ray(folder):
    """Without a bound on the sum the same falls without end."""
    solved = run(folder, "ray", "x'*Q*x", {"x": (2, 1)}, ["x >= 0"], {"Q": np.array([[1.0, -3], [-3, 1]])})
    checks.equal(f"ray: exit status ({solved.report['reason']})", solved.status, 4)


def test_well(folder):
    """Two equal wells under sum(x) = 0: from the crest one entry goes to either side."""
    for size in (1, 1e-4, 1e4):
        solved = run(folder, f"well-{size}", f"sumsq(x.^2 - {size**2!r}*ones(2,1))", {"x": (2, 1)}, ["sum(x) = 0"], {})
        expect(f"well {size}", solved, 0, size**4)


def test_invariant(folder):
    """From a start without the least eigenvector no step leads to it, exactly: the rounds end at a saddle, which the last multipliers show."""
    for seed in (1, 3):
        rng = np.random.default_rng(seed)
        w = np.sort(rng.uniform(-2, 3, 4))
        start = np.vstack([np.zeros(2), rng.standard_normal((3, 2))])
        for columns, best in ((1, w[0]), (2, 2 * w[0] + w[1])):
            job = {"minimize": "tr(X'*A*X*N)", "subject_to": [f"X'*X = eye({columns})"],
                   "variables": {"X": {"rows": 4, "columns": columns, "start": {"file": "start.npy"}}}}
            arrays = {"A": np.diag(w), "N": np.diag([2.0, 1.0]) if columns == 2 else np.eye(1), "start": start[:, :columns]}
            solved = solve(job, arrays, folder / f"invariant-{seed}-{columns}")
            expect(f"invariant {seed}, {columns} columns", solved, best, abs(w).max())


def test_stop(folder):
    S = np.array([[2.0, 1], [1, 3]])
    solved = run(folder, "stop", "sumsq(X*X' - S)", {"X": (2, 1)}, ["X >= 0"], {"S": S}, solver={"saddles": "stop"})
    checks.equal(f"stop: exit status ({solved.report['reason']})", solved.status, 3)
    checks.check("saddle" in solved.report["reason"], f"stop: {solved.report['reason']}")
    checks.check(not solved.values["X"].any(), f"stop: x has moved to {solved.values['X']}")


def test_ranks(folder):
    M = np.random.default_rng(7).uniform(0.1, 1, (6, 5))
    s = np.linalg.svd(M, compute_uv=False)
    for ranks in (1, 3):
        solved = run(folder, f"ranks-{ranks}", "sumsq(M - U*V)", {"U": (6, 1), "V": (1, 5)}, ["U >= 0", "V >= 0"], {"M": M}, ranks=ranks)
        expect(f"{ranks} ranks", solved, (s[1:] ** 2).sum(), (s**2).sum())


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-subject-saddles-") as temporary:
        folder = Path(temporary)
        for test in (test_factors, test_cone, test_ray, test_well, test_invariant, test_stop, test_ranks):
            test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
