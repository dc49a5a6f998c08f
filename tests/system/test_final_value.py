"""The objective that is reported is the form as written: sums of squares are not negative, whatever the plan multiplies out."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()


def solve(folder, goal, objective, method, ranks=1, extra=""):
    job = folder / "job.yaml"
    job.write_text(f'{goal}: "{objective}"\nvariables:\n  x: {{rows: 6, columns: 1{extra}}}\n'
                   "data:\n  A: {file: A.npy}\n  b: {file: b.npy}\noutput: {variables: {x: x.npy}}\n")
    done = run_job(job, folder / "out", ranks=ranks, settings={"solver.method": method, "solver.max_iterations": 200})
    checks.check(done.report is not None and done.status in (0, 3), f"{objective} by {method}: {done.err}")
    return done.report, np.load(folder / "out" / "x.npy").reshape(6, 1)


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # R. Wampler, J. Amer. Statist. Assoc. 65 (1970): y = 1 + x + ... + x^5 at 0, ..., 20 (NIST, Wampler1).
        A = np.vander(np.arange(21.0), 6, increasing=True)
        b = A.sum(axis=1, keepdims=True)
        np.save(folder / "A.npy", A)
        np.save(folder / "b.npy", b)
        for goal, objective, sign in (("minimize", "sumsq(A*x - b)", 1), ("minimize", "tr((A*x - b)*(A*x - b)')", 1),
                                      ("maximize", "-sumsq(A*x - b)", -1)):
            for method in ("auto", "conjugate-gradient", "l-bfgs"):
                for ranks in (1, 3) if method == "auto" else (1,):
                    report, x = solve(folder, goal, objective, method, ranks)
                    exact = float(np.sum((A @ x - b) ** 2))
                    value = sign * report["objective"]
                    # What the residual's own rounding leaves open.
                    noise = float(np.sum((16 * 2.0 ** -52 * (np.abs(A) @ np.abs(x) + np.abs(b))) ** 2))
                    checks.check(value >= 0, f"{objective} by {method}: {value}")
                    checks.check(abs(value - exact) <= 1e-8 * exact + 4 * np.sqrt(noise * exact) + 4 * noise,
                                 f"{objective} by {method}: {value}, recomputed {exact}")
        # The iteration's own value stands beside it where it is another one, and only there.
        report, _ = solve(folder, "minimize", "sumsq(A*x - b)", "conjugate-gradient")
        checks.check("objective_iterated" in report, "the value of the iteration is missing")
        np.save(folder / "A.npy", np.eye(6))
        np.save(folder / "b.npy", np.ones((6, 1)))
        report, x = solve(folder, "minimize", "sumsq(A*x - b) + 0.5*sumsq(x)", "auto")
        checks.check("objective_iterated" not in report, "two values that are the same")
        report, x = solve(folder, "minimize", "sumsq(A*x - b) + norm1(x)", "auto")
        checks.close("with norm1", report["objective"], float(np.sum((x - 1) ** 2) + np.abs(x).sum()), 1e-13)
        checks.check("proximal" in report["method"], f"norm1: {report['method']}")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
