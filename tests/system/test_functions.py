"""Jobs with functions of rows, columns, blocks and the table on ranks: the value at X.npy and the gradient there against
NumPy's complex steps, the same value on every number of ranks, and exponents that would overflow."""

import pathlib
import sys
import tempfile

import numpy as np

import tg_eval
from tracegrad_run import Checks, run, run_job

checks = Checks()
M, N, P = 7, 4, 3
RANKS = (1, 3)

# Objectives with a minimum, smooth near it; the last with exponents beyond the range of exp.
OBJECTIVES = {
    "softmax": "(sum(logsumexp_rows(A*X)) - tr(Y'*A*X))/7 + 0.1*sumsq(X)",
    "written": "(sum(log(exp(A*X)*ones(3,1))) - tr(Y'*A*X))/7 + 0.1*sumsq(X)",
    "columns": "sum(logsumexp_columns(A*X)) + logsumexp(X) + sumsq(X - B)",
    "robust": "sum(log(cosh(A*X - Y))) + 0.01*sumsq(X) + sum(atan(X).^2)",
    "table": "sum(cosh(X)) + sum(expm1(X)) + sum(log1p(X.^2)) + sumsq(sinh(0.5*X)) + "
             "sum(log2(2*ones(4,3) + X.^2)) + sum(log10(2*ones(4,3) + X.^2))",
    "larger": "sumsq(max(A*X, 0.2*Y)) + sumsq(min(A*X, Y)) + 0.3*sumsq(X - B)",
    "moments": "var(A*X) + mean(X.^2) + sumsq(sum_rows(X) - B(:,1)) + sumsq(sum_columns(X))",
    "triangles": "sumsq(triu(A*X) - Y) + sumsq(tril(X)) + sumsq(X - B)",
    "submatrix": "sumsq(A(:,2:4)*X(2:4,:) - Y) + sumsq(X(1,1:2)) + 3*(X(1,3) - 1)^2",
    "blocks": "sumsq([A, ones(7,1)]*[X; X(1,:)] - Y) + sumsq([X, B]) + sumsq([X(:,1); B(:,1)])",
    "large": "(sum(logsumexp_rows(1000*A*X)) - 1000*tr(Y'*A*X))/700 + sumsq(X)",
}


def make_data():
    random = np.random.default_rng(5)
    labels = random.integers(0, P, M)
    return {"A": random.standard_normal((M, N)), "B": random.standard_normal((N, P)), "Y": np.eye(P)[labels]}


def write_job(folder, name, objective):
    used = [key for key in "ABY" if key in objective]
    lines = [f'minimize: "{objective}"',
             f"variables: {{X: {{rows: {N}, columns: {P}, start: normal, seed: 3, scale: 0.3}}}}",
             *(["data:"] if used else []), *(f"  {key}: {{file: {folder}/{key}.npy}}" for key in used),
             "solver: {gradient_tolerance: 1e-9, max_iterations: 5000}", "output: {variables: {X: X.npy}}", ""]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join(lines))
    return path


def gradient(objective, values):
    """By complex steps: exact to rounding, where the functions are real ones of real arguments."""
    x = values["X"]
    out = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        out[index] = tg_eval.evaluate(objective, dict(values, X=moved), {})[0, 0].imag / 1e-30
    return out


def test_jobs(folder):
    data = make_data()
    for key, value in data.items():
        np.save(folder / f"{key}.npy", value)
    for name, objective in OBJECTIVES.items():
        job = write_job(folder, name, objective)
        found = {}
        for ranks in RANKS:
            finished = run_job(job, folder / name, ranks=ranks)
            checks.equal(f"{name} on {ranks} ranks: exit status {finished.err[-300:]}", finished.status, 0)
            if finished.report is not None:
                found[ranks] = finished.report["objective"]
        if len(found) < len(RANKS):
            continue
        checks.close(f"{name}: the value on {RANKS[1]} ranks", found[RANKS[1]], found[RANKS[0]], 1e-9)
        values = dict(data, X=np.load(folder / name / "X.npy"))
        value = float(tg_eval.evaluate(objective, values, {})[0, 0])
        checks.close(f"{name}: the value at X.npy", found[RANKS[1]], value, 1e-10)
        size = np.abs(gradient(objective, values)).max()
        checks.check(size < 1e-5, f"{name}: the gradient at X.npy is {size}")
        finished = run(["check", job], ranks=RANKS[1])
        checks.equal(f"{name}: check {finished.out[-400:]} {finished.err[-400:]}", finished.status, 0)


def main():
    with tempfile.TemporaryDirectory() as name:
        test_jobs(pathlib.Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
