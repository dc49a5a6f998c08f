"""Quadratics and linear functions that fall for ever: exit 4 with the direction, by every method; singular but solvable ones converge."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()
rng = np.random.default_rng(3)

FREE = ["auto", "conjugate-gradient", "l-bfgs", "gradient-descent", "barzilai-borwein", "nesterov", "newton-cg"]
BOUNDS = ["auto", "l-bfgs", "newton-cg", "barzilai-borwein"]

basis = np.linalg.qr(rng.standard_normal((6, 6)))[0]
K = (basis * np.array([5, 3, 2, 1, 0.1, 0])) @ basis.T
DATA = {"S": np.diag([1.0, 0]), "K": K, "b": rng.standard_normal((6, 1)), "B": rng.standard_normal((6, 4)),
        "d": K @ rng.standard_normal((6, 1)), "D": K @ rng.standard_normal((6, 4)), "c": np.array([[1.0], [-2], [3]])}


def write(folder, objective, variables, subject=()):
    used = [name for name in DATA if name in objective]
    lines = [f'minimize: "{objective}"', "variables:"] + [f"  {v}" for v in variables]
    lines += ["data:"] + [f"  {name}: {{file: {name}.npy}}" for name in used] if used else []
    lines += ["subject_to:"] + [f'  - "{text}"' for text in subject] if subject else []
    job = folder / "job.yaml"
    job.write_text("\n".join(lines) + "\n")
    return job


def expect(folder, status, methods, objective, variables, subject=()):
    job = write(folder, objective, variables, subject)
    for method in methods:
        done = run_job(job, folder / "out", ranks=1, settings={"solver.method": method})
        what = f"{objective}, {variables}, {subject} by {method}"
        checks.equal(f"{what}: exit status ({(done.report or {}).get('reason', done.err)[:200]})", done.status, status)
        if done.report is not None and status == 4:
            checks.equal(f"{what}: status", done.report["status"], "unbounded")
            checks.check("unbounded below" in done.report["reason"] or "for ever" in done.report["reason"],
                         f"{what}: {done.report['reason']}")


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, matrix in DATA.items():
            np.save(folder / f"{name}.npy", matrix)
        square = "tr(X'*S*X) - 2*tr(X)"
        expect(folder, 4, FREE, square, ["X: {rows: 2, columns: 2}"])
        expect(folder, 4, FREE, "x'*K*x - 2*b'*x", ["x: {rows: 6, columns: 1}"])
        for scale in ("1e-9", "1e9"):
            expect(folder, 4, ["auto", "l-bfgs", "gradient-descent"], f"{scale}*x'*K*x - 2*b'*x", ["x: {rows: 6, columns: 1}"])
        expect(folder, 4, FREE, "tr(X'*K*X) - 2*dot(B, X)", ["X: {rows: 6, columns: 4}"])
        expect(folder, 4, FREE[:4], "x'*K*x - 2*b'*x + sumsq(y) - sum(y)",
               ["x: {rows: 6, columns: 1}", "y: {rows: 3, columns: 1}"])
        expect(folder, 0, ["auto", "conjugate-gradient", "l-bfgs", "newton-cg", "barzilai-borwein"], "x'*K*x - 2*d'*x",
               ["x: {rows: 6, columns: 1}"])
        expect(folder, 0, ["auto", "conjugate-gradient", "l-bfgs", "newton-cg"], "tr(X'*K*X) - 2*dot(D, X)",
               ["X: {rows: 6, columns: 4}"])
        expect(folder, 4, FREE[:4], "c'*x", ["x: {rows: 3, columns: 1}"])
        for constraint in ("nonnegative", "{box: [-1, .inf]}"):
            expect(folder, 4, BOUNDS, square, [f"X: {{rows: 2, columns: 2, constraint: {constraint}}}"])
            expect(folder, 4, BOUNDS, "c'*x", [f"x: {{rows: 3, columns: 1, constraint: {constraint}}}"])
        expect(folder, 0, BOUNDS, "c'*x", ["x: {rows: 3, columns: 1, constraint: {box: [-1, 1]}}"])
        expect(folder, 0, BOUNDS, "tr(X'*S*X) + 2*tr(X)", ["X: {rows: 2, columns: 2, constraint: nonnegative}"])
        for constraint in ("positive_semidefinite", "symmetric"):
            expect(folder, 4, ["auto"], square, [f"X: {{rows: 2, columns: 2, constraint: {constraint}}}"])
        expect(folder, 4, ["auto"], "-tr(S*X)", ["X: {rows: 2, columns: 2, constraint: positive_semidefinite}"])
        expect(folder, 4, ["auto", "l-bfgs", "newton-cg"], "c'*x", ["x: {rows: 3, columns: 1}"], ["sum(x) = 1"])
        # A closed form that there is not, for want of a minimum.
        expect(folder, 4, ["direct", "auto"], "tr(S*X) + logdet(X)", ["X: {rows: 2, columns: 2, start: identity}"])
        expect(folder, 4, ["direct", "auto"], "2*dot(B, X) - sumsq(X)", ["X: {rows: 6, columns: 4}"])
        # Some entries settle while others fall.
        for start in ("normal", "normal, seed: 7", "zeros"):
            expect(folder, 4, ["newton-cg", "auto"], "sum(exp(X)) - 2*sum(X) - sum(Y)",
                   [f"X: {{rows: 3, columns: 3, start: {start}}}", f"Y: {{rows: 3, columns: 3, start: {start}}}"])
        expect(folder, 4, ["auto"], square, ["X: {rows: 2, columns: 2}"], ["sum(X) = 1"])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
