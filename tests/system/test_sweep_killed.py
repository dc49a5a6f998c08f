"""Sweeps that are killed at random moments and resumed end with the rows of undisturbed ones, bit by bit; each point is that of a run of its own.

A path of a logistic regression, whose points begin where others ended, with their preconditioner; a ridge, whose points share their bases; folds.
With `test_sweep_killed.py KILLS [RANKS...]` each is killed so often, on so many ranks.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, places, run_job, wait_for_ranks

checks = Checks()
rng = np.random.default_rng(171)
X = rng.standard_normal((300, 24)) * np.logspace(0, -1.5, 24)
Y = (rng.random((300, 4)) < 1 / (1 + np.exp(-X @ rng.standard_normal((24, 4))))).astype(float)

JOBS = {
    "logistic": """minimize: sum(softplus(X*W)) - dot(Y, X*W) + lambda*sumsq(W)
variables: {W: {rows: 24, columns: 4, start: zeros}}
data: {X: {file: X.npy}, Y: {file: Y.npy}, lambda: 1}
sweep: {lambda: {logspace: [30, 1e-3, 30]}}
solver: {gradient_tolerance: 1e-9, preconditioner: kronecker}
checkpoint: {directory: CKPT, every: 0.05}
""",
    "ridge": """minimize: sumsq(Y - X*W) + lambda*sumsq(W)
variables: {W: {rows: 24, columns: 4}}
data: {X: {file: X.npy}, Y: {file: Y.npy}, lambda: 1}
sweep: {lambda: {logspace: [1e-2, 1e2, 30]}}
""",
    "folds": """minimize: sum(softplus(X*W)) - dot(Y, X*W) + lambda*sumsq(W)
variables: {W: {rows: 24, columns: 4, start: zeros}}
data: {X: {file: X.npy}, Y: {file: Y.npy}, lambda: 1}
sweep: {lambda: {logspace: [30, 1e-2, 6]}}
folds: {of: [X, Y], rows: 4, score: "sum(softplus(X*W)) - dot(Y, X*W)"}
solver: {gradient_tolerance: 1e-9, preconditioner: kronecker}
keep: []
""",
}
SAME = ("point", "parameters", "status", "objective", "gradient_norm", "iterations", "norm", "warm", "score", "exit_status")


def rows_of(folder):
    return [json.loads(line) for line in (folder / "sweep.jsonl").read_text().splitlines()]


def newest(folder):
    """By point: a row of a point that is tried again stands behind the one before."""
    return {row["point"]: {key: row.get(key) for key in SAME} for row in rows_of(folder)}


def count_rows(folder):
    try:
        return (folder / "sweep.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def kill(command, folder, rows, delay):
    """Ends all ranks `delay` seconds after the sweep has so many rows. False: it was over before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment_of(), cwd=ROOT, start_new_session=True)
    limit = time.monotonic() + 120
    while process.poll() is None and count_rows(folder) < rows and time.monotonic() < limit:
        time.sleep(0.002)
    time.sleep(delay)
    killed = process.poll() is None
    if killed:
        os.killpg(process.pid, signal.SIGKILL)
    error = process.communicate()[1]
    wait_for_ranks(folder)
    checks.check(killed or process.returncode == 0, f"killed: exit status {process.returncode}: {error[-300:]}")
    return killed


def test_killed(folder, name, ranks, kills):
    chance = random.Random(f"{name} {ranks}")
    np.save(folder / "X.npy", X), np.save(folder / "Y.npy", Y)
    job = folder / f"{name}.yaml"
    undisturbed, out = folder / f"{name}-{ranks}", folder / f"{name}-{ranks}-killed"
    job.write_text(JOBS[name].replace("CKPT", str(folder / f"ckpt-{name}-{ranks}")))
    done = run_job(job, undisturbed, ranks=ranks)
    if not checks.equal(f"{name}: exit status ({done.err[-300:]})", done.status, 0):
        return
    expected = newest(undisturbed)
    command = ([str(ROOT / "scripts" / "mpirun-local"), str(ranks)] if ranks > 1 else []) + [PROGRAM, "run", str(job), "--output", str(out), "--quiet", "--resume"]
    n_killed = 0
    with places(max(1, ranks)):
        for k in range(kills):
            rows = count_rows(out) + chance.randint(0, max(1, 2 * len(expected) // kills - 1))
            n_killed += kill(command, out, min(rows, len(expected) - 1), chance.uniform(0, 0.03))
    checks.check(n_killed > kills / 4, f"{name} on {ranks} ranks: only {n_killed} kills")
    done = run_job(job, out, ranks=ranks, options=["--resume"], force=False)
    checks.equal(f"{name} on {ranks} ranks, killed: exit status ({done.err[-300:]})", done.status, 0)
    found = newest(out)
    checks.equal(f"{name} on {ranks} ranks, killed: points", sorted(found), sorted(expected))
    for point, row in expected.items():
        checks.equal(f"{name} on {ranks} ranks, {n_killed} kills: point {point}", found.get(point), row)
    if name == "folds":
        checks.equal("folds, killed: scores", (out / "scores.json").read_text(), (undisturbed / "scores.json").read_text())
    checks.check(not list(out.glob(".starts*")), f"{name}: starts are left behind")
    print(f"{name} on {max(1, ranks)} ranks: {n_killed} kills, {len(expected)} rows", flush=True)


def test_separate(folder, name, ranks, points):
    """Each point beside a run of its own."""
    np.save(folder / "X.npy", X), np.save(folder / "Y.npy", Y)
    out = folder / f"{name}-{ranks}"
    own = folder / "own.yaml"
    text = "\n".join(line for line in JOBS[name].splitlines() if not line.startswith(("sweep:", "checkpoint:"))) + "\n"
    worst = 0
    rows = rows_of(out)
    for row in rows[:: max(1, len(rows) // points)]:
        own.write_text(text.replace("lambda: 1}", f"lambda: {row['parameters']['lambda']!r}}}"))
        done = run_job(own, folder / "own", ranks=ranks, settings={} if name == "ridge" else {"solver.gradient_tolerance": "1e-11"})
        if not checks.equal(f"{name}, own run: exit status ({done.err[-300:]})", done.status, 0):
            return
        W, swept = np.load(folder / "own" / "W.npy"), np.load(out / row["folder"] / "W.npy")
        worst = max(worst, np.linalg.norm(W - swept) / np.linalg.norm(W))
    checks.check(worst <= 1e-8, f"{name} on {ranks} ranks: W of a point is {worst:.1e} from that of its own run")
    print(f"{name} on {max(1, ranks)} ranks: each W within {worst:.1e} of its own run", flush=True)


def main():
    kills = int(sys.argv[1]) if sys.argv[1:] else 4
    all_ranks = [int(text) for text in sys.argv[2:]] or [0, 3]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for ranks in all_ranks:
            for name in JOBS:
                test_killed(folder, name, ranks, kills)
                if name != "folds":
                    test_separate(folder, name, ranks, 4 if kills < 20 else 30)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
