"""One call of a rank fails, each in turn: the run ends with one message, promptly, and nothing of before is lost.

usage: run_faults.py SHIM [--sample N] [--ranks 1,2] [--kinds alloc,read,...] [--seed S]

Without --sample all calls of a small job are taken. A table of kinds and endings is the result.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy

from tracegrad_run import PROGRAM, ROOT, environment_of

KINDS = ("alloc", "read", "write", "fsync", "rename", "mpi", "factor")
SECONDS = 30  # far beyond what the job takes on a busy machine: a hang

JOB = """minimize: sumsq(U*V - M) + tr(U'*S*U)
variables:
  U: {rows: 12, columns: 2, start: normal}
  V: {rows: 2, columns: 9, start: normal, seed: 2}
data:
  M: {file: M.npy}
  S: {file: S.mtx, spd: true}
solver: {method: l-bfgs, max_iterations: 6, gradient_tolerance: 0}
checkpoint: {directory: ckpt, every: 0.001, keep: 2}
output: {directory: out, variables: {U: U.npy, V: V.mtx}}
"""


def start(folder, shim, ranks, kind, at, rank):
    variables = environment_of(LD_PRELOAD=str(shim), FAULT_KIND=kind, FAULT_AT=str(at), FAULT_RANK=str(rank),
                               FAULT_COUNTS=str(folder / "counts"), OMP_NUM_THREADS="1")
    if at > 0:  # a rank that counts has to write the number down
        variables["OMPI_MCA_odls_base_sigkill_timeout"] = "0"
    launcher = ["env", "-u", "LD_PRELOAD", str(ROOT / "scripts/mpirun-local"), str(ranks), "env", f"LD_PRELOAD={shim}"] if ranks > 1 else []
    if not launcher:
        variables.update({"OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self"})
    command = [*launcher, PROGRAM, "run", "job.yaml", "--quiet"]
    process = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, "", ""
    return process.returncode, out, err


def state(folder):
    """The results of an earlier run, which must stay whole."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / "out").glob("*"))
            if path.is_file() and path.suffix in (".npy", ".mtx", ".json")}


def faults_of(folder, kind, before, status, err):
    """What is wrong with an ending, as a list of words."""
    wrong = []
    if status is None:
        return ["hang"]
    messages = err.count("error: ")
    if status < 0 or status > 128:
        wrong.append(f"killed ({status})")
    elif status in (0, 3, 75):
        if messages:
            wrong.append("an error and success")
    elif messages != 1:
        wrong.append(f"{messages} messages")
    after = state(folder)
    for name, content in before.items():
        if name.endswith(".json") and name not in after:
            continue  # the report of before is taken away while a new run goes on
        if after.get(name) != content and not is_whole(folder / name):
            wrong.append(f"{name} is not whole")
    left = [path.name for path in (folder / "out").glob("*.tmp")] + [path.name for path in (folder / "out").glob(".*")]
    if left and kind != "mpi":  # there every rank is ended at once, as by a kill; the next run removes what it left
        wrong.append(f"{left[0]} is left")
    for manifest in (folder / "ckpt").glob("0*"):
        if not (manifest / "manifest.json").exists():
            wrong.append("a checkpoint without a manifest")
    return wrong


def is_whole(path):
    """A result that was replaced is one that can be read to its end."""
    if not path.exists():
        return False
    if path.suffix == ".npy":
        return numpy.load(path).size > 0
    if path.suffix == ".json":
        return "status" in json.loads(path.read_text())
    lines = path.read_text().splitlines()
    return lines[0].startswith("%%MatrixMarket") and len(lines) == 2 + 18


def count_calls(folder, shim, ranks, kind, rank):
    (folder / "counts").unlink(missing_ok=True)
    status, _, err = start(folder, shim, ranks, kind, 0, rank)
    if status != 3:
        sys.exit(f"the job without a fault ends with {status}: {err}")
    return max(int(line.split()[1]) for line in (folder / "counts").read_text().splitlines())


def prepare(folder):
    generator = numpy.random.default_rng(3)
    numpy.save(folder / "M.npy", generator.standard_normal((12, 9)))
    lines = "".join(f"{k} {k} {1 + k / 4}\n" for k in range(1, 13))
    (folder / "S.mtx").write_text(f"%%MatrixMarket matrix coordinate real symmetric\n12 12 12\n{lines}")
    (folder / "job.yaml").write_text(JOB)


def run_kind(folder, shim, ranks, kind, sample, generator, table):
    for rank in range(ranks):
        total = count_calls(folder, shim, ranks, kind, rank)
        chosen = range(1, total + 1) if sample is None or sample >= total else sorted(generator.sample(range(1, total + 1), sample))
        for at in chosen:
            before = state(folder)
            status, _, err = start(folder, shim, ranks, kind, at, rank)
            wrong = faults_of(folder, kind, before, status, err)
            table[ranks, kind]["trials"] += 1
            table[ranks, kind][f"exit {status}"] += 1
            for word in wrong:
                table[ranks, kind]["wrong"] += 1
                print(f"FAILED: {ranks} ranks, {kind} {at} of {total} on rank {rank}: {word}\n    exit {status}: {err.strip()[-400:]}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shim", type=pathlib.Path)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    generator = random.Random(given.seed)
    print(f"seed {given.seed}")
    table = collections.defaultdict(collections.Counter)
    for ranks in (int(text) for text in given.ranks.split(",")):
        with tempfile.TemporaryDirectory(prefix="tracegrad-faults-") as name:
            folder = pathlib.Path(name)
            prepare(folder)
            for kind in given.kinds.split(","):
                run_kind(folder, given.shim.resolve(), ranks, kind, given.sample, generator, table)
    for (ranks, kind), row in table.items():
        endings = ", ".join(f"{row[word]} x {word}" for word in sorted(row) if word.startswith("exit"))
        print(f"{ranks} ranks  {kind:7} {row['trials']:5} trials  {row['wrong']:3} wrong   {endings}")
    trials = sum(row["trials"] for row in table.values())
    wrong = sum(row["wrong"] for row in table.values())
    print(f"{trials - wrong} passed, {wrong} failed")
    return 0 if wrong == 0 and trials > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
