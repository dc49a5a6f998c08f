"""Quadratics and linear functions that fall without end: exit 4 with the direction, by every method; singular but solvable ones converge."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tg_adjoint import Function
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


def judge_ray(what, done, objective):
    """The direction that the run has left lowers f by as much again and again."""
    files = done.report.get("ray")
    if not checks.check(files is not None, f"{what}: no ray"):
        return
    shapes, x, d = {}, {}, {}
    for name, file in files.items():
        checks.check(file in done.report["files"], f"{what}: {file} is not among the files")
        x[name], d[name] = np.load(done.folder / f"{name}.npy"), np.load(done.folder / file)
        shapes[name] = x[name].shape
    function = Function(objective, shapes, {name: value for name, value in DATA.items() if name in objective})
    start, ray = function.join(x), function.join(d)
    size = max(1.0, np.linalg.norm(start)) / np.linalg.norm(ray)
    values = [function.value(start + t * size * ray) for t in (0, 1e2, 1e4, 1e6)]
    checks.check(values[3] < values[2] < values[1] < values[0] and values[0] - values[3] > 1e3 * (values[0] - values[1]),
                 f"{what}: f is {values} along the ray")


def expect(folder, status, methods, objective, variables, subject=(), has_ray=False, ranks=1):
    job = write(folder, objective, variables, subject)
    for method in methods:
        done = run_job(job, folder / "out", ranks=ranks, settings={"solver.method": method})
        what = f"{objective}, {variables}, {subject} by {method}"
        checks.equal(f"{what}: exit status ({(done.report or {}).get('reason', done.err)[:200]})", done.status, status)
        if done.report is not None and status == 4:
            checks.equal(f"{what}: status", done.report["status"], "unbounded")
            if has_ray or "ray" in done.report:
                judge_ray(what, done, objective)
            checks.check("unbounded below" in done.report["reason"] or "without end" in done.report["reason"],
                         f"{what}: {done.report['reason']}")


def test_files(folder):
    """A bounded run takes an earlier ray away; one that the job reads is left alone, and so is that of a variable without a file."""
    job = folder / "files.yaml"
    text = "minimize: g*sumsq(x) - sum(x)\nvariables: {x: {rows: 3, columns: 1}}\n"
    job.write_text(text + "data: {g: 0}\n")
    place = folder / "files"
    run_job(job, place, ranks=1)
    checks.check((place / "ray.x.npy").exists(), "files: no ray")
    done = run_job(job, place, ranks=1, settings={"output.variables": "none"})
    checks.check(not (place / "ray.x.npy").exists() and done.report.get("ray") == {}, f"files: a ray of no file: {done.report.get('ray')}")
    run_job(job, place, ranks=1)
    done = run_job(job, place, ranks=1, settings={"data.g": "1"})
    checks.check(done.status == 0 and "ray" not in done.report, f"files: status {done.status}, a ray of a bounded run")
    checks.check(not (place / "ray.x.npy").exists(), "files: the ray of an earlier run is there still")
    run_job(job, place, ranks=1)
    ray = np.load(place / "ray.x.npy")
    job.write_text(text.replace("sum(x)", "dot(d, x)") + "data: {g: 0, d: {file: files/ray.x.npy}}\n")
    np.save(place / "ray.x.npy", 3 * ray)
    done = run_job(job, place, ranks=1)
    checks.check(done.status == 4 and done.report.get("ray") == {}, f"files: status {done.status}, {done.report.get('ray')}")
    checks.check((np.load(place / "ray.x.npy") == 3 * ray).all(), "files: a ray has overwritten data of the job")


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, matrix in DATA.items():
            np.save(folder / f"{name}.npy", matrix)
        square = "tr(X'*S*X) - 2*tr(X)"
        expect(folder, 4, FREE, square, ["X: {rows: 2, columns: 2}"], has_ray=True)
        expect(folder, 4, FREE, "x'*K*x - 2*b'*x", ["x: {rows: 6, columns: 1}"], has_ray=True)
        for scale in ("1e-9", "1e9"):
            expect(folder, 4, ["auto", "l-bfgs", "gradient-descent"], f"{scale}*x'*K*x - 2*b'*x", ["x: {rows: 6, columns: 1}"])
        expect(folder, 4, FREE, "tr(X'*K*X) - 2*dot(B, X)", ["X: {rows: 6, columns: 4}"], has_ray=True)
        expect(folder, 4, ["auto"], "tr(X'*K*X) - 2*dot(B, X)", ["X: {rows: 6, columns: 4}"], has_ray=True, ranks=3)
        expect(folder, 4, FREE[:4], "x'*K*x - 2*b'*x + sumsq(y) - sum(y)",
               ["x: {rows: 6, columns: 1}", "y: {rows: 3, columns: 1}"])
        expect(folder, 0, ["auto", "conjugate-gradient", "l-bfgs", "newton-cg", "barzilai-borwein"], "x'*K*x - 2*d'*x",
               ["x: {rows: 6, columns: 1}"])
        expect(folder, 0, ["auto", "conjugate-gradient", "l-bfgs", "newton-cg"], "tr(X'*K*X) - 2*dot(D, X)",
               ["X: {rows: 6, columns: 4}"])
        expect(folder, 4, FREE[:4], "c'*x", ["x: {rows: 3, columns: 1}"])
        for constraint in ("nonnegative", "{box: [-1, .inf]}"):
            expect(folder, 4, BOUNDS, square, [f"X: {{rows: 2, columns: 2, constraint: {constraint}}}"], has_ray=True)
            expect(folder, 4, BOUNDS, "c'*x", [f"x: {{rows: 3, columns: 1, constraint: {constraint}}}"], has_ray=True)
        expect(folder, 0, BOUNDS, "c'*x", ["x: {rows: 3, columns: 1, constraint: {box: [-1, 1]}}"])
        expect(folder, 0, BOUNDS, "tr(X'*S*X) + 2*tr(X)", ["X: {rows: 2, columns: 2, constraint: nonnegative}"])
        for constraint in ("positive_semidefinite", "symmetric"):
            expect(folder, 4, ["auto"], square, [f"X: {{rows: 2, columns: 2, constraint: {constraint}}}"])
        expect(folder, 4, ["auto"], "-tr(S*X)", ["X: {rows: 2, columns: 2, constraint: positive_semidefinite}"])
        expect(folder, 4, ["auto", "l-bfgs", "newton-cg"], "c'*x", ["x: {rows: 3, columns: 1}"], ["sum(x) = 1"], has_ray=True)
        # A closed form that there is not, for want of a minimum.
        expect(folder, 4, ["direct", "auto"], "tr(S*X) + logdet(X)", ["X: {rows: 2, columns: 2, start: identity}"])
        expect(folder, 4, ["direct", "auto"], "2*dot(B, X) - sumsq(X)", ["X: {rows: 6, columns: 4}"], has_ray=True)
        # Some entries settle while others fall.
        for start in ("normal", "normal, seed: 7", "zeros"):
            expect(folder, 4, ["newton-cg", "auto"], "sum(exp(X)) - 2*sum(X) - sum(Y)",
                   [f"X: {{rows: 3, columns: 3, start: {start}}}", f"Y: {{rows: 3, columns: 3, start: {start}}}"], has_ray=True)
        test_files(folder)
        expect(folder, 4, ["auto"], square, ["X: {rows: 2, columns: 2}"], ["sum(X) = 1"])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
