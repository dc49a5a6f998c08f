"""Objectives that are sums over columns or rows: plan and report say so, fewer iterations, the same on all ranks."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()

DATA = """
data:
  A: {generate: normal, rows: 90, columns: 12, seed: 1}
  B: {generate: normal, rows: 90, columns: 17, seed: 2}
  W: {generate: uniform, rows: 90, columns: 17, seed: 3}
  K: {generate: normal, rows: 17, columns: 17, seed: 4}
solver: {SOLVER, gradient_tolerance: 1.0e-9, max_iterations: 2000}
output: {directory: OUT, variables: {X: X.npy}}
"""
X = "X: {rows: 12, columns: 17, start: zeros}"

# name: objective, variables, solver, groups, what plan says of them
JOBS = {
    "weights, by columns": ("sumsq(W.*(A*X - B)) + 0.01*sumsq(X)", X, "method: conjugate-gradient, preconditioner: none",
                            17, "groups 17, for the objective is a sum over the columns of X"),
    "weights, transposed": ("sumsq(W'.*(X'*A' - B')) + 0.01*sumsq(X)", X, "method: conjugate-gradient, preconditioner: diagonal",
                         17, "the columns of X"),
    "loss, transposed": ("sum(softplus(X*A')) - dot(B', X*A') + 0.1*sumsq(X)", "X: {rows: 17, columns: 12, start: zeros}",
                         "method: auto", 17, "the rows of X"),
    "loss with an intercept": ("sum(softplus(A*X + ones*b)) - dot(B, A*X + ones*b) + 0.1*sumsq(X) + 0.1*sumsq(b)",
                               X + "\n  b: {rows: 1, columns: 17, start: zeros}", "method: l-bfgs", 17,
                               "the columns of X, the columns of b"),
    "coupled": ("sumsq((W + 1).*(A*X*K - B)) + 0.01*sumsq(X)", X, "method: conjugate-gradient, preconditioner: none", 1, None),
    "bounds": ("sum(softplus(A*X)) - dot(B, A*X)", X[:-1] + ", constraint: {box: [-1, 1]}}", "method: auto", 17,
               "the columns of X"),
    "bounds by newton-cg": ("sumsq(A*X - B)", X[:-1] + ", constraint: nonnegative}", "method: newton-cg", 1, None),
    "simplex": ("sumsq(A*X - B)", X[:-1] + ", constraint: simplex_columns}", "method: auto", 1, None),
}


def write(folder, name):
    objective, variables, solver, _, _ = JOBS[name]
    job = folder / "job.yaml"
    job.write_text(f"minimize: {objective}\nvariables:\n  {variables}\n"
                   + DATA.replace("SOLVER", solver).replace("OUT", str(folder / "out")))
    return job


def check_job(folder, name):
    groups, words = JOBS[name][3:]
    job = write(folder, name)
    plan = run(["plan", str(job)]).out
    checks.check((words in plan) if words else ("groups" not in plan), f"{name}: plan says {plan[:400]}")
    first = None
    for ranks in (1, 3, 4):
        done = run_job(job, folder / "out", ranks=ranks)
        report = done.report
        if not checks.check(report is not None and report["status"] == "converged", f"{name} on {ranks}: {done.err}"):
            return
        checks.equal(f"{name} on {ranks}: groups", report["groups"], groups)
        x = np.load(folder / "out" / "X.npy")
        first = first or (report, x)
        checks.check(abs(report["iterations"] - first[0]["iterations"]) <= 2,
                     f"{name}: {report['iterations']} iterations on {ranks} ranks, {first[0]['iterations']} on one")
        error = np.linalg.norm(x - first[1]) / np.linalg.norm(first[1])
        checks.check(error < 1e-7, f"{name} on {ranks}: X differs by {error:.1e}")


def check_gain(folder):
    """Told apart, the columns take fewer iterations than with one column's entry coupled to another by next to nothing."""
    job = write(folder, "weights, by columns")
    apart = run_job(job, folder / "out").report["iterations"]
    text = job.read_text().replace("0.01*sumsq(X)", "0.01*sumsq(X) + 1.0e-30*sum(X)^2")
    job.write_text(text)
    together = run_job(job, folder / "out").report
    checks.equal("coupled by next to nothing: groups", together["groups"], 1)
    checks.check(apart < 0.8 * together["iterations"], f"{apart} iterations apart, {together['iterations']} together")


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in JOBS:
            check_job(folder, name)
        check_gain(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
