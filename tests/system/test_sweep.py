"""Sweeps: one minimisation for each combination of values, along a path; their rows, what they leave, killed and resumed.

A ridge has its minimum in closed form for every lambda; NumPy computes them.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run, run_job

checks = Checks()
rng = np.random.default_rng(17)
X = rng.standard_normal((40, 12))
Y = rng.standard_normal((40, 3))

RIDGE = """minimize: sumsq(Y - X*W) + lambda*sumsq(W)
variables:
  W: {rows: 12, columns: 3}
data:
  X: {file: X.npy}
  Y: {file: Y.npy}
  lambda: 0.1
sweep:
  lambda: {logspace: [1e-2, 1e2, 5]}
"""

SMOOTH = """minimize: sum(softplus(X*W)) - dot(Y, X*W) + lambda*sumsq(W) + mu*sumsq(X*W)
variables:
  W: {rows: 12, columns: 3}
data:
  X: {file: X.npy}
  Y: {file: Y.npy}
  lambda: 1
  mu: 1
  nu: 3
sweep:
  mu: [0.1, 0.2]
  lambda: {linspace: [3, 1, 3]}
solver: {gradient_tolerance: 1e-9}
"""


def write(folder, name, text):
    np.save(folder / "X.npy", X)
    np.save(folder / "Y.npy", Y)
    job = folder / f"{name}.yaml"
    job.write_text(text)
    return job


def rows_of(folder, name="sweep.jsonl"):
    path = Path(folder) / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ridge(lam):
    W = np.linalg.solve(X.T @ X + lam * np.eye(12), X.T @ Y)
    return W, ((Y - X @ W) ** 2).sum() + lam * (W**2).sum()


def without_seconds(rows):
    return [{k: v for k, v in row.items() if k not in ("seconds", "data")} for row in rows]


def test_ridge(folder):
    job = write(folder, "ridge", RIDGE)
    for ranks in (0, 2, 3, 4, 7):
        out = folder / f"ridge-{ranks}"
        done = run_job(job, out, ranks=ranks)
        if not checks.equal(f"ridge on {ranks} ranks: exit status ({done.err[-400:]})", done.status, 0):
            return
        rows = rows_of(out)
        checks.equal("ridge: points", [row["point"] for row in rows], list(range(5)))
        checks.equal("ridge: ends", (rows[0]["parameters"]["lambda"], rows[4]["parameters"]["lambda"]), (0.01, 100.0))
        for row in rows:
            W, value = ridge(row["parameters"]["lambda"])
            checks.equal("ridge: status", row["status"], "converged")
            checks.close("ridge: objective", row["objective"], value, 1e-12)
            found = np.load(out / row["folder"] / "W.npy")
            checks.check(np.linalg.norm(found - W) <= 1e-9 * np.linalg.norm(W), f"ridge: W of {row['parameters']}")
        checks.check("best: point 0, lambda = 0.01" in done.out, f"ridge: the best point: {done.out[-300:]}")
    report = json.loads((folder / "ridge-0" / "point-0002" / "report.json").read_text())
    checks.close("report: the point's number in the job", report["job"]["data"]["lambda"], 1.0, 1e-15)
    checks.equal("report: point", (report["sweep"]["point"], report["sweep"]["points"]), (2, 5))
    checks.check(not (folder / "ridge-0" / ".starts").exists(), "no starts stay behind")


def test_path(folder):
    """Two axes: neighbours differ by a step of one of them, and points begin where the one before ended."""
    job = write(folder, "smooth", SMOOTH)
    out = folder / "smooth"
    done = run_job(job, out, ranks=0, options=["--set", "keep=[W]"])
    rows = rows_of(out)
    pairs = [(row["parameters"]["mu"], row["parameters"]["lambda"]) for row in rows]
    checks.equal(f"path ({done.err[-300:]})", pairs, [(0.1, 3.0), (0.1, 2.0), (0.1, 1.0), (0.2, 1.0), (0.2, 2.0), (0.2, 3.0)])
    checks.equal("path: warm", [row["warm"] for row in rows], [False] + 5 * [True])
    checks.equal("keep: files", sorted(p.name for p in (out / "point-0003").iterdir()), ["W.npy"])
    cold = folder / "cold"
    run_job(job, cold, ranks=0, settings={"sweep_start": "cold", "keep": "[]"})
    checks.equal("cold", [row["warm"] for row in rows_of(cold)], 6 * [False])
    checks.equal("keep nothing: files", sorted(p.name for p in cold.iterdir()), ["sweep.jsonl"])
    checks.equal("keep nothing: no folder", {row["folder"] for row in rows_of(cold)}, {None})
    for a, b in zip(rows, rows_of(cold)):
        checks.close("warm and cold: objective", a["objective"], b["objective"], 1e-10)
        single = run_job(job, folder / "single", ranks=0, settings={"sweep": "", **{f"data.{k}": v for k, v in a["parameters"].items()}}) if a is rows[4] else None
        if single is not None and single.report is not None:
            checks.close("a run of its own: objective", a["objective"], single.report["objective"], 1e-10)


def test_kept(folder):
    """The preconditioner of a point serves those that follow, with their own numbers, until it does not pay; a ridge spares the look at the end."""
    text = SMOOTH.replace(" + mu*sumsq(X*W)", "").replace("  mu: [0.1, 0.2]\n", "").replace("linspace: [3, 1, 3]", "logspace: [10, 0.01, 12]")
    text = text.replace("1e-9}", "1e-9, preconditioner: kronecker}").replace("columns: 3}", "columns: 3, start: zeros}").replace("Y.npy", "labels.npy")
    labels = (Y > 0).astype(float)
    np.save(folder / "labels.npy", labels)
    job = write(folder, "kept", text)
    for ranks in (0, 3):
        out = folder / f"kept-{ranks}"
        done = run_job(job, out, ranks=ranks, options=["--set", "keep=[report, W]"])
        if not checks.equal(f"kept on {ranks} ranks: exit status ({done.err[-300:]})", done.status, 0):
            return
        checks.check("shared      by the points, made once: " in done.err and "the preconditioner" in done.err, f"kept: {done.err[:1500]}")
        rows = rows_of(out)
        reports = [json.loads((out / row["folder"] / "report.json").read_text()) for row in rows]
        # An iteration takes X W, X'R and two uses of the bases; to make these takes X'DX and an eigenproblem.
        iteration = 2 * (2 * 40 * 12 * 3) + 2 * (2 * 2 * 12 * 12 * 3 + 2 * 2 * 12 * 3 * 3)
        made = 2 * 40 * 12 * 12 + 9 * 12**3
        beside = [row["flops"] - row["iterations"] * iteration for row in rows[1:]]
        spared = sum(flops < min(beside) + made / 2 for flops in beside)
        checks.check(len(rows) / 2 <= spared < len(rows), f"kept: {spared} points of {beside}, a making takes {made}")
        checks.equal("kept: no look at the points that a bound spares", [r["evaluations"]["hessians"] for r in reports[1:6]], 5 * [0])
        for row in rows:
            W, lam = np.load(out / row["folder"] / "W.npy"), row["parameters"]["lambda"]
            gradient = X.T @ (1 / (1 + np.exp(-X @ W)) - labels) + 2 * lam * W
            checks.check(np.abs(gradient).max() <= 1e-7, f"kept: gradient {np.abs(gradient).max():.1e} of {row['parameters']}")
    # Files of starts that are damaged are no obstacle: the point begins as a run of its own.
    out = folder / "kept-0"
    lines = (out / "sweep.jsonl").read_text().splitlines(keepends=True)
    (out / "sweep.jsonl").write_text("".join(lines[:5]))
    (out / ".starts" / "4").mkdir(parents=True)
    (out / ".starts" / "4" / "W.npy").write_bytes(b"no matrix")
    done = run_job(job, out, ranks=0, options=["--resume"], force=False)
    found = rows_of(out)
    checks.equal(f"damaged start: exit status ({done.err[-300:]})", (done.status, [row["warm"] for row in found][4:7]), (0, [True, False, True]))
    for row, before in zip(found, lines, strict=True):
        checks.close("damaged start: objective", row["objective"], json.loads(before)["objective"], 1e-12)


def test_shared(folder):
    """What no swept number is in is made once, and a closed form of many points has one basis; each point is that of a run of its own."""
    A, B = rng.standard_normal((60, 40)), rng.standard_normal((60, 3))
    L = rng.standard_normal((3, 3))
    np.save(folder / "A.npy", A), np.save(folder / "B.npy", B), np.save(folder / "L.npy", L @ L.T)
    text = """minimize: sumsq(B - A*W) + lambda*tr(W*L*W') + mu*sumsq(W)
variables: {W: {rows: 40, columns: 3}}
data: {A: {file: A.npy}, B: {file: B.npy}, L: {file: L.npy, symmetric: true}, lambda: 1, mu: 1}
sweep: {lambda: {logspace: [1e-3, 1e3, 6]}, mu: {logspace: [1e-2, 1e2, 3]}}
keep: [W]
"""
    job = write(folder, "shared", text)
    for ranks in (0, 3):
        out = folder / f"shared-{ranks}"
        done = run_job(job, out, ranks=ranks)
        if not checks.equal(f"shared on {ranks} ranks: exit status ({done.err[-400:]})", done.status, 0):
            return
        checks.check("made once: " in done.err and "A'*A" in done.err and "eigenbasis on the left" in done.err, f"shared: {done.err[:1800]}")
        rows = rows_of(out)
        checks.check(max(row["products"] for row in rows[1:]) < rows[0]["products"], f"shared: products {[r['products'] for r in rows]}")
        for row in rows:
            lam, mu = row["parameters"]["lambda"], row["parameters"]["mu"]
            H = np.kron(np.eye(3), A.T @ A + mu * np.eye(40)) + lam * np.kron(L @ L.T, np.eye(40))
            W = np.linalg.solve(H, (A.T @ B).flatten("F")).reshape(40, 3, order="F")
            found = np.load(out / row["folder"] / "W.npy")
            checks.check(np.linalg.norm(found - W) <= 1e-9 * np.linalg.norm(W), f"shared: W of {row['parameters']}")
    plan = run(["plan", job])
    checks.check("no swept number is in " in plan.out and all(name in plan.out.split("swept number is in ")[-1].split(": made once")[0] for name in ("A'*A", "A'*B")), f"shared: plan {plan.out[-600:]}{plan.err}")
    # A condition that the basis would lose digits by, and numbers that make H singular: each point's own form.
    hard = write(folder, "hard", text.replace("+ lambda*tr(W*L*W')", "").replace("lambda: {logspace: [1e-3, 1e3, 6]}, mu: {logspace: [1e-2, 1e2, 3]}", "mu: {logspace: [1e-6, 1e-12, 40]}")
                 .replace("file: A.npy", "file: C.npy").replace(", lambda: 1", ""))
    C = A.copy()
    C[:, 0] = C[:, 1] + 1e-7 * C[:, 2]
    np.save(folder / "C.npy", C)
    done = run_job(hard, folder / "hard", ranks=0)
    checks.equal(f"hard: exit status ({done.err[-400:]})", done.status, 0)
    for row in rows_of(folder / "hard")[::13]:
        mu = row["parameters"]["mu"]
        W = np.linalg.lstsq(np.vstack([C, np.sqrt(mu) * np.eye(40)]), np.vstack([B, np.zeros((40, 3))]), rcond=None)[0]
        value = ((B - C @ W) ** 2).sum() + mu * (W**2).sum()
        checks.close(f"hard: objective at {mu}", row["objective"], value, 1e-10)


def test_flops(folder):
    """100 weights in one basis take less than ten single runs, and what is shared is counted once."""
    n, p = 400, 120
    np.save(folder / "A.npy", rng.standard_normal((n, p)))
    np.save(folder / "B.npy", rng.standard_normal((n, 4)))
    job = folder / "flops.yaml"
    job.write_text("minimize: sumsq(B - A*W) + lambda*sumsq(W)\nvariables: {W: {}}\ndata: {A: {file: A.npy}, B: {file: B.npy}, lambda: 1}\n")
    single = run_job(job, folder / "single", ranks=2).report["counted"]["all_flops"]
    checks.check(single >= 2 * n * p * p, f"flops of a single run: {single}")
    done = run(["run", job, "--output", folder / "flops", "--set", "sweep={lambda: {logspace: [1e-2, 1e2, 100]}}", "--set", "keep=[]"], ranks=2)
    flops = [row["flops"] for row in rows_of(folder / "flops")]
    checks.check(len(flops) == 100 and sum(flops) < 10 * single, f"flops: {sum(flops)} of 100 points, {single} of one")
    checks.check(max(flops[1:]) < flops[0] / 3, f"flops: {flops[:3]}")
    checks.check(f"flops: {sum(flops):.4g}" in done.out, f"flops: {done.out[-200:]}")


def test_plot(folder):
    """Over the number with the most values, a curve for each of the others; of folds with standard errors."""
    job = write(folder, "drawn", SMOOTH)
    run(["run", job, "--output", folder / "drawn", "--quiet", "--set", "keep=[]"])
    rows = rows_of(folder / "drawn")
    checks.check(all(row["norm"] > 0 for row in rows), f"plot: {rows[0]}")
    done = run(["plot", folder / "drawn"])
    script = (folder / "drawn" / "sweep.gp").read_text() if done.status == 0 else ""
    checks.check(done.status == 0 and (folder / "drawn" / "sweep.png").read_bytes()[:4] == b"\x89PNG", f"plot: {done.err}")
    checks.check("set xlabel 'lambda'" in script and "title 'mu = 0.1'" in script and "norm of the solution" in script, f"plot: {script[-800:]}")
    folds = 'folds={of: [X, Y], rows: 4, score: "sumsq(Y - X*W)"}'
    run(["run", write(folder, "folded", RIDGE), "--output", folder / "folded", "--quiet", "--set", folds, "--set", "keep=[]"])
    done = run(["plot", folder / "folded", "--format", "svg", "--output", folder / "picture"])
    script = (folder / "picture.gp").read_text() if done.status == 0 else done.err
    checks.check("yerrorbars" in script and "set ylabel 'score'" in script and "set logscale x" in script, f"plot of folds: {script[-800:]}")
    # A solution of at most 30 entries is drawn entry by entry.
    small = write(folder, "small", RIDGE.replace("columns: 3}", "columns: 1}").replace("Y.npy", "y.npy"))
    np.save(folder / "y.npy", Y[:, :1])
    for ranks in (0, 3):
        run_job(small, folder / "small", ranks=ranks)
        rows = rows_of(folder / "small")
        checks.check(all(np.array_equal(row["coefficients"], np.load(folder / "small" / row["folder"] / "W.npy").ravel("F")) for row in rows), f"plot: entries {rows[0]}")
    checks.check("coefficients" not in rows_of(folder / "drawn")[0], "plot: 36 entries are too many for a row")
    done = run(["plot", folder / "small"])
    script = (folder / "small" / "sweep.gp").read_text() if done.status == 0 else done.err
    checks.check("entries of the solution" in script and script.count("$curve0 using 1:") >= 12 and "norm of" not in script, f"plot of entries: {script[-900:]}")
    (folder / "folded" / "sweep.jsonl").write_text("{}\n")
    done = run(["plot", folder / "folded"])
    checks.check(done.status == 2 and "no row has a number" in done.err, f"plot of nothing: {done.status} {done.err}")


def test_other_axes(folder):
    text = """minimize: sumsq(U.*U - ones) + 0.3*sum(U)
variables: {U: {rows: 3, columns: 1, start: normal, seed: 1}}
sweep: {variables.U.seed: {linspace: [1, 3, 3]}, solver.method: [l-bfgs, newton-cg]}
"""
    job = write(folder, "seeds", text)
    done = run_job(job, folder / "seeds", ranks=2)
    rows = rows_of(folder / "seeds")
    checks.equal(f"seeds: exit status ({done.err[-300:]})", done.status, 0)
    checks.equal("seeds: points", [(r["parameters"]["variables.U.seed"], r["parameters"]["solver.method"]) for r in rows],
                 [(1, "l-bfgs"), (1, "newton-cg"), (2, "newton-cg"), (2, "l-bfgs"), (3, "l-bfgs"), (3, "newton-cg")])
    checks.equal("seeds: cold", {row["warm"] for row in rows}, {False})
    for row in rows:
        report = json.loads((folder / "seeds" / row["folder"] / "report.json").read_text())
        checks.equal("seeds: method", report["method"], row["parameters"]["solver.method"])
        checks.equal("seeds: seed", report["job"]["variables"]["U"]["seed"], row["parameters"]["variables.U.seed"])
    best = min(rows, key=lambda row: row["objective"])["point"]
    checks.check(f"best: point {best}," in done.out, f"seeds: best is {best}: {done.out[-300:]}")


def test_failing_point(folder):
    """A point that fails is reported and does not end the others; the exit status is that of the worst."""
    text = RIDGE.replace("{logspace: [1e-2, 1e2, 5]}", "[1, -1000, 2]")
    job = write(folder, "failing", text)
    done = run_job(job, folder / "failing", ranks=2)
    rows = rows_of(folder / "failing")
    checks.equal("failing: statuses", [row["status"] for row in rows], ["converged", "unbounded", "converged"])
    checks.equal("failing: exit status", done.status, 4)
    text = RIDGE.replace("{logspace: [1e-2, 1e2, 5]}", "[1, 2, 3]") + "output: {directory: x}\n"
    job = write(folder, "blocked", text)
    out = folder / "blocked"
    (out / "point-0001" / "W.npy").mkdir(parents=True)
    done = run_job(job, out, ranks=2)
    rows = rows_of(out)
    checks.equal("blocked: statuses", [row["status"] for row in rows], ["converged", "failed", "converged"])
    checks.equal("blocked: exit status", done.status, 1)
    checks.check("point 1 (lambda = 2) has failed" in done.err and "W.npy" in done.err, f"blocked: {done.err[-400:]}")
    (out / "point-0001" / "W.npy").rmdir()
    done = run_job(job, out, ranks=2, options=["--resume"], force=False)
    checks.equal("blocked: tried again", [(r["point"], r["status"]) for r in rows_of(out)][3:], [(1, "converged")])
    checks.equal("blocked: exit status then", done.status, 0)


def test_parts(folder):
    job = write(folder, "parts", RIDGE)
    whole = folder / "whole"
    run_job(job, whole, ranks=0)
    out = folder / "parts"
    done = run_job(job, out, ranks=0, options=["--points", "0..1"])
    checks.equal(f"part: exit status ({done.err[-300:]})", done.status, 0)
    checks.equal("part: rows", [r["point"] for r in rows_of(out, "sweep.0-1.jsonl")], [0, 1])
    checks.check(not (out / "sweep.jsonl").exists(), "part: not the whole")
    array = {"SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "5", "SLURM_ARRAY_TASK_ID": "5"}
    done = run(["run", job, "--output", out], environment=array)
    checks.equal("array: rows", [r["point"] for r in rows_of(out, "sweep.3-4.jsonl")], [3, 4])
    checks.check("task 5 takes points 3..4" in done.err, f"array: {done.err[:300]}")
    done = run(["run", job, "--output", out], environment={**array, "SLURM_ARRAY_TASK_ID": "4"})
    rows = rows_of(out)
    checks.equal("parts together", [r["point"] for r in rows], list(range(5)))
    checks.equal("parts together: as the whole", [r["objective"] for r in rows], [r["objective"] for r in rows_of(whole)])
    done = run(["run", job, "--output", out], environment={**array, "SLURM_ARRAY_TASK_ID": "9"})
    checks.check(done.status == 2 and "do not fit together" in done.err, f"array: {done.err}")


def test_resume(folder):
    """Killed at random moments and resumed, on other ranks too, a sweep ends with the rows of an undisturbed one."""
    text = SMOOTH.replace("[0.1, 0.2]", "{linspace: [0.1, 0.2, 5]}") + "checkpoint: {directory: CKPT, every: 0.3}\n"
    job = write(folder, "resumed", text.replace("CKPT", str(folder / "ckpt")))
    settings = {"solver.method": "gradient-descent", "solver.gradient_tolerance": "1e-5", "solver.max_iterations": 5000}
    undisturbed = folder / "undisturbed"
    done = run_job(job, undisturbed, ranks=0, settings=settings)
    if not checks.equal(f"undisturbed: exit status ({done.err[-300:]})", done.status, 0):
        return
    out = folder / "killed"
    command = [PROGRAM, "run", str(job), "--output", str(out), "--quiet"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    for k in range(4):
        process = subprocess.Popen(command + (["--resume"] if k > 0 else []), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env=environment_of())
        time.sleep(0.4 + 0.3 * k)
        process.send_signal(signal.SIGKILL if k % 2 == 0 else signal.SIGTERM)
        process.wait()
        checks.check(process.returncode in (-9, 75, 0), f"killed: exit status {process.returncode}: {process.stderr.read()[-300:]}")
    done = run_job(job, out, ranks=0, settings=settings, options=["--resume"], force=False)
    checks.equal(f"killed and resumed: exit status ({done.err[-300:]})", done.status, 0)
    expected = {row["point"]: row for row in without_seconds(rows_of(undisturbed))}
    found = {row["point"]: row for row in without_seconds(rows_of(out))}
    checks.equal("killed and resumed: points", sorted(found), sorted(expected))
    for point, row in expected.items():
        for key in ("status", "objective", "iterations", "warm"):
            checks.equal(f"killed and resumed: point {point}, {key}", found[point][key], row[key])
    checks.check(not (folder / "ckpt" / "point-0000").exists(), "checkpoints of points that are done are removed")
    done = run_job(job, out, ranks=2, settings=settings, options=["--resume"], force=False)
    checks.equal("all done: nothing is run again", len(rows_of(out)), len(found))


def test_groups(folder):
    """Groups of ranks that take points side by side leave the table of one that does not, also killed and resumed."""
    job = write(folder, "grouped", SMOOTH)
    plain = folder / "ungrouped"
    run_job(job, plain, ranks=0)
    for ranks, groups in ((2, "2"), (3, "auto"), (4, "3"), (7, "2")):
        out = folder / f"groups-{ranks}"
        done = run_job(job, out, ranks=ranks, settings={"sweep_groups": groups})
        checks.equal(f"{groups} groups of {ranks} ranks: exit status ({done.err[-300:]})", done.status, 0)
        checks.equal("groups: one file of rows", sorted(p.name for p in out.glob("sweep*")), ["sweep.jsonl"])
        for row, own in zip(rows_of(out), rows_of(plain), strict=True):
            checks.equal("groups: point", (row["point"], row["status"]), (own["point"], "converged"))
            checks.close("groups: objective", row["objective"], own["objective"], 1e-10)
            found, expected = (np.load(at / row["folder"] / "W.npy") for at in (out, plain))
            checks.check(np.linalg.norm(found - expected) <= 1e-6 * np.linalg.norm(expected), f"groups: W of {row['parameters']}")
    # A point that fails in one group ends no other; what is missing is made by other groups.
    out = folder / "groups-failing"
    (out / "point-0004" / "W.npy").mkdir(parents=True)
    done = run_job(job, out, ranks=4, settings={"sweep_groups": 2})
    checks.equal("groups: statuses", [row["status"] for row in rows_of(out)], 4 * ["converged"] + ["failed", "converged"])
    checks.equal("groups: exit status", done.status, 1)
    (out / "point-0004" / "W.npy").rmdir()
    (out / "sweep.jsonl").rename(out / "kept")
    (out / "sweep.0-2.jsonl").write_text("".join(line + "\n" for line in (out / "kept").read_text().splitlines()[:2]) + '{"point": 2, "sta')
    (out / "kept").unlink()
    done = run_job(job, out, ranks=3, settings={"sweep_groups": 3}, options=["--resume"], force=False)
    checks.equal(f"groups resumed: exit status ({done.err[-300:]})", done.status, 0)
    checks.equal("groups resumed: points", [(row["point"], row["status"]) for row in rows_of(out)], [(k, "converged") for k in range(6)])
    for words, message in (({"sweep_groups": 3}, "3 groups need as many ranks, there are 2"), ({"sweep_groups": "many"}, "sweep_groups is auto or how many"),
                           ({"sweep_groups": 0}, "sweep_groups is auto or how many"),
                           ({"sweep_groups": 2, "process_grid": "{rows: 2, columns: 1}"}, "in 2 groups needs 4 ranks")):
        done = run_job(job, folder / "groups-bad", ranks=2, settings=words)
        checks.check(done.status == 2 and message in done.err, f"{words}: {done.status} {done.err[-300:]}")


def test_gallery(folder):
    """The jobs of configs/sweeps: each W against the normal equations, or its gradient in NumPy."""
    digits, labels = (np.load(ROOT / "configs" / "data" / f"digits-{k}.npy").astype(float) for k in "xy")
    ring = 2 * np.eye(10) - np.roll(np.eye(10), 1, 0) - np.roll(np.eye(10), -1, 0)
    for name, points in (("ridge-path-digits", 45), ("logistic-path-digits", 13)):
        out = folder / name
        done = run_job(ROOT / "configs" / "sweeps" / f"{name}.yaml", out, ranks=2)
        rows = rows_of(out)
        if not checks.equal(f"{name}: exit status and points ({done.err[-300:]})", (done.status, len(rows)), (0, points)):
            continue
        for row in rows:
            W = np.load(out / row["folder"] / "W.npy")
            mu = row["parameters"]["mu"]
            if name.startswith("ridge"):
                gradient = digits.T @ (digits @ W - labels) + row["parameters"]["lambda"] * W @ ring + mu * W
                scale = np.linalg.norm(digits.T @ labels)
            else:
                gradient = digits.T @ (1 / (1 + np.exp(-digits @ W / 16)) - labels) / 16 + 2 * mu * W
                scale = np.linalg.norm(digits.T @ (0.5 - labels)) / 16
            checks.check(np.linalg.norm(gradient) <= 2e-7 * scale, f"{name}: gradient of {row['parameters']}")
        checks.check(any(row["warm"] for row in rows) == name.startswith("logistic"), f"{name}: warm")
        plan = run(["plan", ROOT / "configs" / "sweeps" / f"{name}.yaml", "--ranks", 4])
        checks.check(plan.status == 0 and f"sweep of {points} points" in plan.out, f"{name}: plan {plan.out[-300:]}{plan.err}")


def test_bad(folder):
    job = write(folder, "bad", SMOOTH)
    for setting, words in [
        ("sweep={}", "sweep: is empty"),
        ("sweep={mu: []}", "the list of mu is empty"),
        ("sweep={mu: {logspace: [1, 2, 0]}}", "the range of mu is empty"),
        ("sweep={mu: {logspace: [-1, 2, 3]}}", "between positive numbers"),
        ("sweep={mu: {logspace: [1, 2]}}", "needs [FIRST, LAST, HOW MANY]"),
        ("sweep={mu: {linspace: [1, 2, 1]}}", "one value of mu cannot reach"),
        ("sweep={mu: {geomspace: [1, 2, 3]}}", "is a list, {logspace"),
        ("sweep={mu: 3}", "is a list, {logspace"),
        ("sweep={mu: [1, two]}", "needs a finite number, found 'two'"),
        ("sweep={muh: [1]}", "'muh' is no number of data; did you mean 'mu'?"),
        ("sweep={W: [1]}", "'W' is a variable, expected a number of data, solver.KEY"),
        ("sweep={X: [1]}", "X is a matrix"),
        ("sweep={nu: [1, 2]}", "nu does not occur in the objective"),
        ("sweep={mu: [1], data.mu: [2]}", "data.mu is swept twice"),
        ("sweep={solver.memoy: [3]}", "did you mean 'memory'?"),
        ("sweep={solver.memory: [0.5]}", "memory"),
        ("sweep={variables.W.seed: [1]}", "does not depend on a seed"),
        ("sweep={variables.V.seed: [1]}", "'V' is no variable"),
        ("sweep={mu: {linspace: [1, 2, 200]}, lambda: {linspace: [1, 2, 200]}}", "40000 points, expected at most 10000"),
        ("sweep_start=hot", "auto, warm or cold"),
        ("keep=[V]", "neither report nor history nor a variable"),
        ("keep=W", "a list of names"),
    ]:
        done = run(["run", job, "--output", folder / "bad-out", "--set", setting])
        checks.check(done.status == 2 and words in done.err and "error:" in done.err, f"--set {setting}: {done.status}, {done.err}")
        checks.check(":" in done.err.split("error:")[0], f"--set {setting} has a place: {done.err}")
    for points in ("7..8", "3..1", "x", "1..", "-1"):
        done = run(["run", job, "--output", folder / "bad-out", "--points", points])
        checks.check(done.status == 2 and "--points" in done.err, f"--points {points}: {done.err}")
    plain = write(folder, "plain", RIDGE.split("sweep:")[0] + "keep: [W]\n")
    done = run(["run", plain, "--output", folder / "bad-out"])
    checks.check(done.status == 2 and "keep belongs to a sweep" in done.err, done.err)
    # A job of somebody else: no link leads out of its folder.
    job = write(folder, "confined", RIDGE)
    (folder / "inside" / "point-0001").mkdir(parents=True)
    done = run(["run", job, "--output", "inside", "--confined"], cwd=folder)
    checks.equal(f"confined: exit status ({done.err[-300:]})", done.status, 0)
    (folder / "elsewhere").mkdir()
    (folder / "inside" / "point-0003" / "W.npy").unlink()
    (folder / "inside" / "point-0003" / "W.npy").symlink_to(folder / "elsewhere" / "W.npy")
    done = run(["run", job, "--output", "inside", "--confined"], cwd=folder)
    checks.check(done.status == 2 and "is a link" in done.err and "point-0003/W.npy" in done.err, f"confined: {done.err}")
    # The rows of another sweep, and those of other data.
    job = write(folder, "ridge", RIDGE)
    done = run(["run", job, "--output", folder / "ridge-0", "--set", "sweep.lambda=[1, 2]"])
    checks.check(done.status == 2 and "rows of another sweep" in done.err, done.err)
    global Y
    kept, Y = Y, Y + 1
    write(folder, "ridge", RIDGE)
    rows = (folder / "ridge-0" / "sweep.jsonl").read_text().splitlines()
    (folder / "ridge-0" / "sweep.jsonl").write_text("\n".join(rows[:3]) + '\n{"point": 3, "stat')
    done = run(["run", job, "--output", folder / "ridge-0", "--resume"])
    checks.check(done.status == 2 and "data Y are not those of the rows" in done.err, done.err)
    Y = kept
    write(folder, "ridge", RIDGE)
    done = run(["run", job, "--output", folder / "ridge-0", "--resume"])
    checks.equal("a line that was cut short", [r["point"] for r in rows_of(folder / "ridge-0")], list(range(5)))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for test in [t for t in (test_ridge, test_path, test_kept, test_shared, test_flops, test_plot, test_other_axes, test_failing_point, test_parts, test_resume, test_groups, test_gallery, test_bad) if not sys.argv[1:] or t.__name__ in sys.argv[1:]]:
            begin = time.monotonic()
            test(folder)
            print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
