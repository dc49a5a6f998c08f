"""What auto takes: a table of objectives, constraints and options, as `plan` says it; no run."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()
M, N, R = 12, 9, 3

DATA = f"""data:
  A: {{generate: normal, rows: {M}, columns: {N}, seed: 1}}
  P: {{generate: uniform, rows: {M}, columns: {N}, seed: 2}}
  W: {{generate: uniform, rows: {M}, columns: {N}, seed: 3}}
  S: {{generate: spd, rows: {M}, columns: {M}, condition: 10, seed: 4, spd: true}}
  T: {{generate: spd, rows: {R}, columns: {R}, condition: 5, seed: 5, spd: true}}
  B: {{generate: normal, rows: {M}, columns: {R}, seed: 6}}
  Q: {{generate: normal, rows: {M}, columns: {M}, seed: 7, symmetric: true}}
  K: {{generate: normal, rows: 20, columns: {M}, seed: 8}}
"""
FACTORS = (("U", M, R), ("V", R, N))
ONE = (("X", M, R),)
SQUARE = (("X", M, M),)
NONNEGATIVE = {"U": "nonnegative", "V": "nonnegative"}
LOSS = "sum(softplus(K*X)) + 0.01*sumsq(X)"
LASSO = "sumsq(S*X - B) + 0.1*norm1(X)"

# objective, variables, constraints, solver options, subject_to, the method
TABLE = [
    # closed forms
    ("sumsq(S*X - B)", ONE, {}, {}, "", "direct"),
    ("tr(X'*S*X) - 2*tr(B'*X)", ONE, {}, {}, "", "direct"),
    ("tr(X'*S*X*T) - 2*tr(B'*X)", ONE, {}, {}, "", "direct"),
    ("tr(X'*S*X) + tr(X*T*X') - 2*tr(B'*X)", ONE, {}, {}, "", "direct"),
    ("tr(S*X) - logdet(X)", SQUARE, {}, {}, "", "direct"),
    ("tr(X'*S*X)", ONE, {"X": "orthonormal_columns"}, {}, "", "direct"),
    ("tr(X'*S*X*T)", ONE, {"X": "orthonormal_columns"}, {}, "", "direct"),
    ("sumsq(X - B)", ONE, {"X": "orthonormal_columns"}, {}, "", "direct"),
    ("sumsq(S*X - B)", ONE, {}, {}, "sum(X) = 1", "augmented"),
    # quadratics without one
    ("sumsq(S*X - B) + sum(X.*X.*B.*B)", ONE, {}, {}, "", "conjugate-gradient"),
    ("tr(X'*S*X*T) + tr(X'*Q*Q*X) + sumsq(K*X*T) - tr(B'*X)", ONE, {}, {}, "", "conjugate-gradient"),
    # other objectives in one variable
    ("sumsq(X'*X - T)", ONE, {}, {}, "", "l-bfgs"),
    (LOSS, ONE, {}, {}, "", "l-bfgs"),
    ("sum(exp(K*X)) + sumsq(X)", ONE, {}, {}, "", "l-bfgs"),
    ("tr(S*X) - logdet(X) + sumsq(X)", SQUARE, {}, {}, "", "l-bfgs"),
    ("tr(X'*S*X) + sumsq(X'*X)", ONE, {"X": "orthonormal_columns"}, {}, "", "l-bfgs"),
    ("sumsq(S*X - B)", ONE, {"X": "unit_columns"}, {}, "", "l-bfgs"),
    # factors
    ("sumsq(A - U*V)", FACTORS, {}, {}, "", "alternating"),
    ("0.5*sumsq(A - U*V) + sum(A)", FACTORS, {}, {}, "", "alternating"),
    ("sumsq(A - U*V)", FACTORS, {}, {"preconditioner": "none"}, "", "alternating"),
    ("sumsq(A - U*V) + sumsq(U) + sumsq(V)", FACTORS, {}, {}, "", "conjugate-gradient"),
    ("sumsq(A - U*V) + 0.1*sumsq(V)", FACTORS, {}, {}, "", "conjugate-gradient"),
    ("sumsq(A - U*V)", FACTORS, {}, {"line_search": "strong-wolfe"}, "", "conjugate-gradient"),
    ("sumsq(A - U*V)", FACTORS, {}, {}, "sum(U) = 1", "augmented"),
    ("sum(softplus(U*V)) - dot(A, U*V)", FACTORS, {}, {}, "", "l-bfgs"),
    # factors with weights
    ("sumsq(W.*(A - U*V))", FACTORS, {}, {}, "", "alternating"),
    ("sumsq(W.*(A - U*V)) + 0.1*sumsq(U)", FACTORS, {}, {}, "", "conjugate-gradient"),
    ("sumsq(W.*(A - U*V))", FACTORS, NONNEGATIVE, {}, "", "bounded-l-bfgs"),
    # nonnegative factors
    ("sumsq(P - U*V)", FACTORS, NONNEGATIVE, {}, "", "alternating"),
    ("sumsq(P - U*V)", FACTORS, {"U": "{box: [0, 1]}", "V": "nonnegative"}, {}, "", "alternating"),
    ("sumsq(P - U*V)", FACTORS, {"U": "{box: [-1, 1]}"}, {}, "", "alternating"),
    ("sumsq(P - U*V) + sum(U) + 2*sum(V)", FACTORS, NONNEGATIVE, {}, "", "alternating"),
    ("sumsq(P - U*V) + norm1(U)", FACTORS, NONNEGATIVE, {}, "", "alternating"),
    ("sumsq(P - U*V) + sumsq(U)", FACTORS, NONNEGATIVE, {}, "", "bounded-l-bfgs"),
    ("sumsq(P - U*V)", FACTORS, {"U": "simplex_columns", "V": "nonnegative"}, {}, "", "spectral-projected-gradient"),
    ("sumsq(P - U*V)", FACTORS, {"U": "orthonormal_columns", "V": "nonnegative"}, {}, "", "spectral-projected-gradient"),
    ("sumsq(P - U*V)", (("U", M, 12), ("V", 12, N)), NONNEGATIVE, {}, "", "bounded-l-bfgs"),
    # convex sets
    ("sumsq(S*X - B)", ONE, {"X": "nonnegative"}, {}, "", "bounded-l-bfgs"),
    ("sumsq(S*X - B)", ONE, {"X": "{box: [-1, 1]}"}, {}, "", "bounded-l-bfgs"),
    (LOSS, ONE, {"X": "nonnegative"}, {}, "", "bounded-l-bfgs"),
    ("sumsq(S*X - B)", ONE, {"X": "simplex_columns"}, {}, "", "spectral-projected-gradient"),
    ("sumsq(S*X - B)", ONE, {"X": "{frobenius_ball: 1}"}, {}, "", "spectral-projected-gradient"),
    ("sumsq(S*X - Q)", SQUARE, {"X": "positive_semidefinite"}, {}, "", "spectral-projected-gradient"),
    ("sumsq(S*X - Q)", SQUARE, {"X": "doubly_stochastic"}, {}, "", "spectral-projected-gradient"),
    # norm1
    (LASSO, ONE, {}, {}, "", "proximal-newton-cg"),
    (LASSO, ONE, {"X": "{box: [-1, 1]}"}, {}, "", "proximal-newton-cg"),
    (LASSO, ONE, {"X": "nonnegative"}, {}, "", "bounded-l-bfgs"),
    ("sumsq(A - U*V) + norm1(V)", FACTORS, {"U": "orthonormal_columns"}, {}, "", "spectral-proximal-gradient"),
    # what the job says
    ("sumsq(S*X - B)", ONE, {}, {"method": "l-bfgs"}, "", "l-bfgs"),
    ("sumsq(S*X - B)", ONE, {"X": "nonnegative"}, {"method": "newton-cg"}, "", "bounded-newton-cg"),
    ("sumsq(P - U*V)", FACTORS, NONNEGATIVE, {"method": "l-bfgs"}, "", "bounded-l-bfgs"),
]


def test_table(folder):
    job = folder / "job.yaml"
    for objective, variables, sets, options, relation, method in TABLE:
        rows = []
        for name, rows_of, cols in variables:
            part = f", constraint: {sets[name]}" if name in sets else ""
            rows.append(f"  {name}: {{rows: {rows_of}, columns: {cols}{part}, start: "
                        f"{'feasible' if part else 'identity' if 'logdet' in objective else 'uniform'}}}\n")
        more = f"subject_to: ['{relation}']\n" if relation else ""
        solver = ", ".join(f"{key}: {value}" for key, value in options.items())
        job.write_text(f"minimize: {objective}\n{more}variables:\n{''.join(rows)}{DATA}solver: {{{solver}}}\n")
        planned = run(["plan", job])
        line = next((line for line in planned.out.splitlines() if line.startswith("method ")), planned.err.strip()[-300:])
        words = line.replace(",", " ").split()
        checks.equal(f"{objective}, {sets}, {options}, {relation or 'free'}: {line!r}", words[1:2], [method])


def test_weighted_factors(folder):
    """Half the entries of a matrix of rank 2, in units that the start does not have: recovered all the same."""
    rng = np.random.default_rng(4)
    truth = rng.standard_normal((30, 2)) @ rng.standard_normal((2, 25))
    np.save(folder / "W.npy", (rng.random(truth.shape) < 0.6).astype(float))
    # From a start 1e4 times as large as the data, what is left is the rounding of what f has fallen by.
    for unit, allowed in ((1, 1e-4), (1e-4, 1e-2), (1e4, 1e-4)):
        np.save(folder / "A.npy", unit * truth)
        job = folder / "mask.yaml"
        job.write_text("minimize: sumsq(W.*(A - U*V))\nvariables:\n  U: {rows: 30, columns: 2, start: normal}\n"
                       "  V: {rows: 2, columns: 25, start: normal, seed: 2}\ndata: {A: {file: A.npy}, W: {file: W.npy}}\n"
                       "output: {variables: {U: U.npy, V: V.npy}}\n")
        finished = run_job(job, folder / f"mask-{unit}")
        if not checks.equal(f"mask, unit {unit}: exit status ({finished.err[-300:]})", finished.status, 0):
            continue
        found = np.load(finished.folder / "U.npy") @ np.load(finished.folder / "V.npy")
        gap = np.linalg.norm(found - unit * truth) / np.linalg.norm(unit * truth)
        checks.check(gap <= allowed, f"mask, unit {unit}: off by {gap}")
        checks.check("quadratic with weights" in finished.report["method_reason"], finished.report["method_reason"])


# objective, solver options, what the method's rows of `plan` are called, the steps that have to be among them
PRICES = [
    ("sumsq(S*X - B)", "", "direct", ["Cholesky factors, 12 x 12", "solve with the factors, 12 x 3"]),
    ("tr(X'*S*X) + tr(X*T*X') - 2*tr(B'*X)", "", "direct", ["eigenvectors, 12 x 12", "eigenvectors, 3 x 3", "division, entry by entry, 12 x 3"]),
    ("tr(X'*S*X*T) + tr(X'*Q*Q*X) + sumsq(K*X*T) - tr(B'*X)", "", "kronecker", ["eigenvectors, 12 x 12", "product, 12 x 12 by 12 x 3"]),
    ("sumsq(S*X - B)", "method: l-bfgs", "diagonal", ["division, entry by entry, 12 x 3"]),
    ("sumsq(X'*X - T)", "", None, []),
]


def test_prices(folder):
    """What direct and a preconditioner run stands in `plan` like any program, and in the report."""
    job = folder / "price.yaml"
    for objective, options, name, steps in PRICES:
        job.write_text(f"minimize: {objective}\nvariables:\n  X: {{rows: {M}, columns: {R}, start: uniform}}\n{DATA}solver: {{{options}}}\n")
        planned = run(["plan", job]).out
        for step in steps:
            checks.check(step in planned, f"{objective}, {options}: no '{step}' in\n{planned}")
        row = next((line.split() for line in planned.splitlines() if line.startswith(("solve ", "apply "))), None)
        checks.equal(f"{objective}, {options}: a row of its own", row is not None, name is not None)
        finished = run_job(job, folder / "price", settings={"solver.max_iterations": 3, "output.variables": "none"}, ranks=0)
        price = finished.report["plan"]["method"]
        checks.equal(f"{objective}, {options}: report", None if price is None else price["name"], name)
        if price is not None and row is not None:
            checks.check(abs(float(row[2]) - price["use_flops"]) <= 1e-3 * price["use_flops"], f"{objective}: {row} and {price}")
            checks.equal(f"{objective}: products of a use", int(row[1]), price["use_products"])


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-choice-") as temporary:
        test_table(Path(temporary))
        test_weighted_factors(Path(temporary))
        test_prices(Path(temporary))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
