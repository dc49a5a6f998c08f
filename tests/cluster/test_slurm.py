"""Batch jobs of Slurm on two nodes: preempted, stopped before their time limit, requeued, and an array of points of a sweep. All of them
end unattended with the bits, or the table, of a run that nobody disturbed.

Skipped (exit status 77) where there can be no network namespaces or no Slurm.
"""

import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import numpy as np

from hosts import Hosts
from hosts import lacking as hosts_lacking
from slurm import Slurm
from slurm import lacking as slurm_lacking
from test_cluster import JOB, SKIPPED
from tracegrad_run import PROGRAM, Checks, run

# docs/checkpoints.md has these lines; a signal at a given time before the limit comes in whole minutes, so scancel sends it here.
BATCH = """#!/bin/bash
#SBATCH --nodes={nodes} --ntasks={ranks} --cpus-per-task=1 --time=10 --requeue --open-mode=append --output={folder}/log
export OMP_NUM_THREADS=1 OMPI_MCA_btl_tcp_if_include={net}.0/24 OMPI_MCA_mpi_yield_when_idle=1
ls {folder}/ckpt/*/manifest.json > /dev/null 2>&1 && resume=--resume
srun --mpi=pmix --cpus-per-task=1 {program} run {folder}/job.yaml --output {folder}/out --quiet $resume
status=$?
echo "run ended with $status" >> {folder}/ends
[ $status -ne 75 ] || scontrol requeue $SLURM_JOB_ID
exit $status
"""

ARRAY = """#!/bin/bash
#SBATCH --ntasks=1 --array=0-3 --time=10 --requeue --open-mode=append --output={folder}/log-%a
export OMP_NUM_THREADS=1
srun --mpi=pmix {program} run {folder}/job.yaml --output {folder}/out --quiet --resume
"""

SWEEP = """minimize: sum(log(ones + exp(-A*x))) + mu*sumsq(x)
variables: {x: {rows: 40, columns: 1}}
data: {A: {generate: normal, rows: 200, columns: 40, seed: 1}, mu: 1}
sweep: {mu: {logspace: [1e-2, 1, 8]}}
solver: {gradient_tolerance: 1e-10}
"""


def undisturbed(folder, ranks):
    run(["run", folder / "job.yaml", "--output", folder / "straight", "--quiet", "--set", f"checkpoint.directory={folder}/ckpt-straight"],
        ranks=ranks)
    return np.load(folder / "straight" / "X.npy")


def test_requeue(checks, slurm, folder, nodes, disturb):
    """A batch job is stopped twice, by USR1 before its limit or by a requeue from outside as under preemption, and goes on by itself."""
    what = f"{disturb} on {nodes} nodes"
    folder = folder / what.replace(" ", "-")
    folder.mkdir()
    (folder / "job.yaml").write_text(JOB.replace("COUNT", "15000").replace("CKPT", str(folder / "ckpt")))
    expected = undisturbed(folder, 2)
    job = slurm.submit(BATCH.format(nodes=nodes, ranks=2, folder=folder, program=PROGRAM, net=slurm.hosts.net))
    for round in range(2):
        before = len(list((folder / "ckpt").glob("[0-9]*"))) if round else 0
        newest = max([p.name for p in (folder / "ckpt").glob("[0-9]*")], default="")
        slurm.wait(lambda: slurm.states(job) == ["RUNNING"] and max([p.name for p in (folder / "ckpt").glob("[0-9]*")], default="") > newest,
                   f"a checkpoint of {what}, {before} before", 200)
        slurm.run(*(["scancel", "--signal=USR1", job] if disturb == "signal" else ["scontrol", "requeue", job]))
        slurm.wait(lambda: slurm.states(job) != ["RUNNING"], f"the end of {what}", 100)
        slurm.run("scontrol", "update", f"jobid={job}", "StartTime=now")  # a requeued job waits two minutes otherwise
    slurm.wait(lambda: slurm.states(job)[0] in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"), f"the last end of {what}", 300)
    ends = (folder / "ends").read_text().split("\n")[:-1]
    log = (folder / "log").read_text()[-600:]
    checks.equal(f"{what}: the last run {log}", ends[-1:], ["run ended with 3"])
    if disturb == "signal":
        checks.equal(f"{what}: ends of runs {log}", ends, ["run ended with 75"] * 2 + ["run ended with 3"])
    found = np.load(folder / "out" / "X.npy") if (folder / "out" / "X.npy").exists() else None
    checks.check(found is not None and np.array_equal(found, expected), f"{what}: not the bits of a straight run")


def test_array(checks, slurm, folder):
    """Tasks of an array take points of a sweep into one folder; one task is requeued while it runs."""
    folder = folder / "array"
    folder.mkdir()
    (folder / "job.yaml").write_text(SWEEP)
    run(["run", folder / "job.yaml", "--output", folder / "straight", "--quiet"])
    job = slurm.submit(ARRAY.format(folder=folder, program=PROGRAM))
    slurm.wait(lambda: any(state == "RUNNING" for state in slurm.states(job)) or (folder / "out").exists(), "the first task", 120)
    slurm.run("scontrol", "requeue", f"{job}_1")
    for _ in range(3):
        time.sleep(1)
        slurm.run("scontrol", "update", f"jobid={job}_1", "StartTime=now")
    slurm.wait(lambda: set(slurm.states(job)) <= {"COMPLETED", "FAILED"}, "the tasks", 300)
    checks.equal(f"array: states {slurm.run('scontrol', 'show', 'job', '-o', job)[-300:]}", set(slurm.states(job)), {"COMPLETED"})
    rows = [{row["point"]: row for row in map(json.loads, (folder / name / "sweep.jsonl").read_text().splitlines())}
            for name in ("straight", "out")]
    checks.equal("array: points", sorted(rows[1]), sorted(rows[0]))
    for point, row in rows[0].items():
        found = rows[1].get(point, {})
        checks.equal(f"array: point {point}: status", found.get("status"), row["status"])
        checks.close(f"array: point {point}: objective", found.get("objective", np.nan), row["objective"], 1e-9)


def main():
    reason = hosts_lacking() or slurm_lacking()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    checks = Checks()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that daemons and hosts go
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tracegrad-slurm-", dir="/var/tmp"))  # seen by all nodes: each has a /tmp of its own
    try:
        with Hosts(2) as hosts:
            (folder / "slurm").mkdir()
            with Slurm(hosts, folder / "slurm") as slurm:
                for nodes in (1, 2):
                    for disturb in ("signal", "requeue"):
                        test_requeue(checks, slurm, folder, nodes, disturb)
                        print(f"{disturb} on {nodes} nodes: done", flush=True)
                test_array(checks, slurm, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
