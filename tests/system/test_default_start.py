"""Default starts: random and scaled where zero is a point that no gradient leads away from; zeros where it is a start."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()
rng = np.random.default_rng(7)


def write(folder, objective, variables, data, extra=""):
    lines = [f'minimize: "{objective}"', "variables:"] + [f"  {v}" for v in variables]
    if data:
        lines.append("data:")
    for name, matrix in data.items():
        np.save(folder / f"{name}.npy", matrix)
        lines.append(f"  {name}: {{file: {name}.npy}}")
    job = folder / "job.yaml"
    job.write_text("\n".join(lines) + "\n" + extra)
    return job


def solve(folder, what, *job, ranks=1, settings=None):
    path = write(folder, *job)
    checks.equal(f"{what}: check", run(["check", path]).status, 0)
    done = run_job(path, folder / "out", ranks=ranks, settings=settings)
    checks.check(done.report is not None, f"{what}: {done.err}")
    return done


def is_said(done, name):
    start = done.report["job"]["variables"][name]["start"]
    return start in ("normal", "uniform") and f"{name} {start} (seed" in done.err


def check_factors(folder):
    m = rng.standard_normal((8, 6))
    rest = np.sum(np.linalg.svd(m, compute_uv=False)[2:] ** 2)
    variables = ["U: {rows: 8, columns: 2}", "V: {rows: 2, columns: 6}"]
    iterations = set()
    for scale in (1, 1e-9, 1e6):
        done = solve(folder, f"factors of M times {scale}", "sumsq(M - U*V)", variables, {"M": scale * m})
        checks.equal(f"factors of M times {scale}: {done.err}", done.status, 0)
        checks.close(f"Eckart and Young, times {scale}", done.report["objective"] / scale ** 2, rest, 1e-9)
        checks.check(is_said(done, "U") and is_said(done, "V"), f"factors: the start is not said: {done.err}")
        iterations.add(done.report["iterations"])
    checks.check(max(iterations) <= 1.1 * min(iterations) + 1, f"iterations by scale of the data: {iterations}")
    # U and V' of one shape are not to be the same numbers.
    square = solve(folder, "factors of one shape", "sumsq(M - U*V')",
                   ["U: {rows: 6, columns: 2}", "V: {rows: 6, columns: 2}"], {"M": m[:6] - m[:6].T})
    values = np.linalg.svd(m[:6] - m[:6].T, compute_uv=False)
    checks.close("an antisymmetric M", square.report["objective"], np.sum(values[2:] ** 2), 1e-8)
    # What the job says is done.
    zeros = solve(folder, "zeros asked for", "sumsq(M - U*V)",
                  [v.replace("}", ", start: zeros}") for v in variables], {"M": m}, "solver: {max_iterations: 0}\n")
    checks.close("zeros asked for", zeros.report["objective"], np.sum(m ** 2), 1e-14)
    # With a mean beside them, which has a gradient at zero.
    mean = solve(folder, "factors and a mean", "sumsq(M - ones(8,1)*m - U*V)", ["m: {rows: 1, columns: 6}"] + variables, {"M": m})
    centred = m - m.mean(axis=0)
    checks.close("factors and a mean", mean.report["objective"],
                 np.sum(np.linalg.svd(centred, compute_uv=False)[2:] ** 2), 1e-6)
    checks.equal("the mean starts at zero", mean.report["job"]["variables"]["m"]["start"], "zeros")


def check_sets(folder):
    u, v = np.abs(rng.standard_normal((8, 3))), np.abs(rng.standard_normal((3, 6)))
    pair = ["U: {rows: 8, columns: 3, constraint: nonnegative}", "V: {rows: 3, columns: 6, constraint: nonnegative}"]
    done = solve(folder, "nonnegative factors", "sumsq(M - U*V)", pair, {"M": u @ v})
    checks.check(done.report["objective"] <= 1e-3 * np.sum((u @ v) ** 2), f"nonnegative factors: {done.report['objective']}")
    checks.check(is_said(done, "U"), f"nonnegative factors: {done.err}")
    s = rng.standard_normal((5, 5))
    s = s @ s.T
    for extra, constraint in (("", ", constraint: nonnegative"), ("subject_to: ['X >= 0']\n", "")):
        done = solve(folder, "completely positive", "sumsq(X*X' - S)", [f"X: {{rows: 5, columns: 2{constraint}}}"], {"S": s}, extra)
        checks.check(done.report["objective"] < 0.9 * np.sum(s * s), f"X*X' by {extra}{constraint}: {done.report['objective']}")
    c = s - 3 * np.eye(5)
    done = solve(folder, "Burer and Monteiro", "tr(C*X*X')", ["X: {rows: 5, columns: 2}"], {"C": c}, "subject_to: ['sumsq(X) = 1']\n")
    checks.close("Burer and Monteiro", done.report["objective"], np.linalg.eigvalsh(c)[0], 1e-6)
    q = np.array([[1.0, -3], [-3, 1]])
    done = solve(folder, "a cone", "x'*Q*x", ["x: {rows: 2, columns: 1, constraint: nonnegative}"], {"Q": q})
    checks.equal(f"a cone: {done.err}", done.status, 4)
    a, b = rng.standard_normal((5, 5)), rng.standard_normal((5, 5))
    done = solve(folder, "assignment", "tr(A*X*B*X')", ["X: {rows: 5, columns: 5, constraint: doubly_stochastic}"],
                 {"A": a + a.T, "B": b + b.T})
    checks.check(is_said(done, "X"), f"assignment: {done.err}")
    centre = np.full((5, 5), 0.2)
    checks.check(done.report["objective"] < np.trace((a + a.T) @ centre @ (b + b.T) @ centre.T), "assignment: no better than the centre")


def check_general(folder):
    r = np.corrcoef(rng.standard_normal((6, 40)))
    done = solve(folder, "factor analysis", "logdet(L*L' + diag(d.*d)) + tr(R*inv(L*L' + diag(d.*d)))",
                 ["L: {rows: 6, columns: 2}", "d: {rows: 6, columns: 1, start: ones}"], {"R": r})
    checks.check(is_said(done, "L"), f"factor analysis: {done.err}")
    checks.check(done.report["iterations"] > 1 and done.report["objective"] < 6 - 1e-3,
                 f"factor analysis: {done.report['objective']} after {done.report['iterations']} iterations")


def check_zeros_stay(folder):
    a = rng.standard_normal((9, 4))
    for objective, variable in (("sumsq(A*x - ones(9,1))", "x: {rows: 4, columns: 1}"),
                                ("sum(softplus(A*x)) + sumsq(x)", "x: {rows: 4, columns: 1}"),
                                ("sumsq(A*x) + sumsq(x)", "x: {rows: 4, columns: 1}"),
                                ("sumsq(A*x)", "x: {rows: 4, columns: 1, constraint: nonnegative}")):
        done = solve(folder, objective, objective, [variable], {"A": a})
        checks.equal(f"{objective}: {done.err}", done.status, 0)
        checks.equal(f"{objective}: start", done.report["job"]["variables"]["x"]["start"], "zeros")


def check_ranks(folder):
    """The same start on any number of ranks, and again with a seed of one's own; restarts take others."""
    m = rng.standard_normal((7, 5))
    variables = ["U: {rows: 7, columns: 2, seed: 5}", "V: {rows: 2, columns: 5}"]
    values = [solve(folder, f"{ranks} ranks", "sumsq(M - U*V) + 0.1*sumsq(U)", variables, {"M": m}, ranks=ranks,
                    settings={"solver.max_iterations": 0}).report["objective"] for ranks in (1, 3)]
    checks.close("one start on one and three ranks", values[1], values[0], 1e-12)
    several = solve(folder, "restarts", "sumsq(M - U*V) + 0.1*sumsq(U)", variables, {"M": m}, settings={"solver.restarts": 3})
    checks.equal(f"restarts: {several.err}", len((several.report or {}).get("restarts", [])), 3)


def check_beside_manifold(folder):
    """U on a sphere and V nonnegative: where U'A is negative at the first U, zeros of V would hold both."""
    for seed in (1, 2, 3, 4):
        a = np.random.default_rng(seed).random((4, 4))
        a = a if seed % 2 else -a
        done = solve(folder, f"beside a manifold {seed}", "sumsq(A - U*V)",
                     ["U: {rows: 4, columns: 1, constraint: orthonormal_columns}", "V: {rows: 1, columns: 4, constraint: nonnegative}"], {"A": a})
        checks.equal(f"beside a manifold {seed}: {done.err}", done.status, 0)
        checks.check(is_said(done, "V"), f"beside a manifold {seed}: the start is not said")
        checks.close(f"beside a manifold {seed}", done.report["objective"], np.sum(np.linalg.svd(a, compute_uv=False)[1:] ** 2), 1e-8)


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for check in (check_factors, check_sets, check_general, check_zeros_stay, check_ranks, check_beside_manifold):
            check(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
