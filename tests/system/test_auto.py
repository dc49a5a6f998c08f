"""auto against every explicit method, by products, on the gallery and a few small jobs: at most 1.2 times the best.

test_auto.py [--all | NAME...]: without arguments the jobs that take seconds; --all takes minutes.
Counts, never seconds. A method counts where it converges to the objective that auto reaches, or a lower one.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import ROOT, Checks, run, run_job

CONFIGS = ROOT / "configs"
METHODS = ("gradient-descent", "barzilai-borwein", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg", "direct",
           "alternating")
FACTOR = 1.2
checks = Checks()

# Jobs of the gallery that converge in seconds by most methods.
GALLERY = ("ridge-digits", "logistic-digits", "pca-digits", "pca-orthonormal-digits", "precision-digits", "poisson",
           "nearly-orthogonal", "nonnegative-digits", "factorise-digits")
QUICK = ("ridge-digits", "poisson", "precision-digits", "nearly-orthogonal", "factorise-digits")

FACTORS = "U: {rows: 40, columns: 4, start: normal, seed: 1}\n  V: {rows: 30, columns: 4, start: normal, seed: 2}"

# name: objective, variables, data
SMALL = {
    "third term": ("tr(X'*A*X*B) + tr(X'*D*X*E) + 0.01*tr(X'*A*D*A*X) - tr(C'*X)", "X: {rows: 40, columns: 30, start: zeros}"),
    "masked": ("sumsq(M.*(A*X*B)) + 0.01*sumsq(X) - dot(C, X)", "X: {rows: 40, columns: 30, start: zeros}"),
    "brockett": ("tr(X'*A*X*G)", "X: {rows: 40, columns: 5, start: normal, constraint: orthonormal_columns}"),
    "procrustes": ("sumsq(A*X*P - C*P)", "X: {rows: 40, columns: 30, start: normal, constraint: orthonormal_columns}"),
    "quartic": ("sumsq(A*X*B - C) + 0.1*sumsq(X'*X)", "X: {rows: 40, columns: 30, start: zeros}"),
    "factors": ("sumsq(C - U*V')", FACTORS),
    "factors with a ridge": ("sumsq(A*C - U*V') + 0.1*sumsq(U) + 0.1*sumsq(V)", FACTORS),
    "factors of two matrices": ("sumsq(C - U*V') + sumsq(A*C - U*W')", FACTORS + "\n  W: {rows: 30, columns: 4, start: normal, seed: 3}"),
    "three factors": ("sumsq(C - U*S*V')", FACTORS + "\n  S: {rows: 4, columns: 4, start: normal, seed: 3}"),
    "poisson loss": ("sum(exp(K*X)) - dot(T, K*X) + 0.01*sumsq(X)", "X: {rows: 10, columns: 3, start: zeros}"),
}

JOB = """
minimize: OBJECTIVE
variables:
  VARIABLE
data:
  A: {generate: spd, rows: 40, columns: 40, condition: 100, seed: 1, spd: true}
  B: {generate: spd, rows: 30, columns: 30, condition: 10, seed: 2, spd: true}
  D: {generate: spd, rows: 40, columns: 40, condition: 10, seed: 3, spd: true}
  E: {generate: spd, rows: 30, columns: 30, condition: 100, seed: 4, spd: true}
  G: {generate: spd, rows: 5, columns: 5, condition: 5, seed: 5, spd: true}
  C: {generate: normal, rows: 40, columns: 30, seed: 6}
  M: {generate: uniform, rows: 40, columns: 30, seed: 7}
  P: {generate: spd, rows: 30, columns: 30, condition: 3, seed: 8, spd: true}
  K: {generate: normal, rows: 50, columns: 10, seed: 9, scale: 0.3}
  T: {generate: uniform, rows: 50, columns: 3, seed: 10}
solver: {max_iterations: 5000}
"""


def try_method(job, folder, method, evaluations):
    """(products, objective, method taken, reason), None where it is refused or does not converge."""
    finished = run_job(job, folder, ranks=1, settings={"solver.method": method, "solver.max_iterations": 5000,
                                                       "solver.max_evaluations": evaluations})
    report = finished.report
    if finished.status != 0 or report is None or report["status"] != "converged":
        return None
    return report["products"], report["objective"], report["method"], report["method_reason"]


def compare(name, job, folder, maximize):
    auto = try_method(job, folder / f"{name}-auto", "auto", 20000)
    if not checks.check(auto is not None, f"{name}: auto does not converge"):
        return
    checks.check(auto[3].startswith(auto[2]), f"{name}: the reason {auto[3]!r} does not name {auto[2]}")
    checks.check("\n" not in auto[3] and len(auto[3]) < 400, f"{name}: the reason is not one line: {auto[3]!r}")
    planned = run(["plan", job, "--set", "solver.method=auto"])
    checks.check(f"method {auto[3]}" in planned.out, f"{name}: plan does not print {auto[3]!r}")
    row, best, whose = [], None, "none"
    for method in METHODS:
        # An evaluation costs a product or more, nearly always: a method that needs more of them is not the best.
        found = try_method(job, folder / f"{name}-{method}", method, auto[0] + 30)
        row.append(f"{method} {found[0] if found else '-'}")
        worse = found is not None and (auto[1] - found[1] if maximize else found[1] - auto[1]) > 1e-6 * abs(auto[1])
        if found is None or worse:
            continue
        if best is None or found[0] < best:
            best, whose = found[0], method
    print(f"{name}: auto {auto[0]} ({auto[2]}); " + ", ".join(row), flush=True)
    # A few products of rounding up count nothing.
    if best is not None:
        checks.check(auto[0] <= FACTOR * best + 2, f"{name}: auto takes {auto[0]} products, {whose} {best}")


def wanted(names, quick):
    """Those named on the command line; every one with --all; without arguments the quick ones."""
    if "--all" in sys.argv:
        return tuple(names)
    return [name for name in names if name in sys.argv[1:]] if len(sys.argv) > 1 else quick


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-auto-") as temporary:
        folder = Path(temporary)
        for name in wanted(GALLERY, QUICK):
            job = CONFIGS / f"{name}.yaml"
            compare(name, job, folder, "\nmaximize:" in job.read_text())
        for name, (objective, variable) in SMALL.items():
            if name not in wanted(SMALL, SMALL):
                continue
            job = folder / f"{name}.yaml"
            job.write_text(JOB.replace("OBJECTIVE", objective).replace("VARIABLE", variable))
            compare(name, job, folder, False)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
