"""What a run survives outside its iterations: signals at any moment, outputs that cannot be written, disks that fill up, refusals."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, run, run_job, small_disk

checks = Checks()

JOB = """minimize: sumsq(U*V - M)
variables:
  U: {rows: 6, columns: 2, start: normal}
  V: {rows: 2, columns: 5, start: normal, seed: 2}
data: {M: {file: M.npy}}
output: {directory: results, variables: {U: U.npy, V: V.npy}}
"""

LONG = """minimize: sumsq(X'*S*X) - tr(X'*R)
variables: {X: {rows: 20, columns: 3, start: normal}}
data:
  S: {generate: spd, rows: 20, condition: 1e6, seed: 4, spd: true}
  R: {generate: uniform, rows: 20, columns: 3, seed: 9}
solver: {method: gradient-descent, gradient_tolerance: 0, max_iterations: 3000}
output: {directory: results, variables: {X: X.npy}}
"""

SYLVESTER = """minimize: sumsq(A*X + X*B - C)
variables: {X: {rows: 60, columns: 40}}
data:
  A: {generate: spd, rows: 60, seed: 1, condition: 100, spd: true}
  B: {generate: spd, rows: 40, seed: 2, condition: 100, spd: true}
  C: {generate: normal, rows: 60, columns: 40, seed: 3}
solver: {method: direct}
output: {directory: results, variables: {X: X.npy}}
"""


def write_jobs(folder):
    np.save(folder / "M.npy", np.random.default_rng(3).standard_normal((6, 5)))
    for name, text in (("job", JOB), ("long", LONG), ("sylvester", SYLVESTER)):
        (folder / f"{name}.yaml").write_text(text)


# ---- the same bits ----


def test_repeats(folder):
    """Eigenvectors on three ranks: sums of several ranks are taken in one order, not as they arrive."""
    seen = set()
    for k in range(4):
        found = run_job(folder / "sylvester.yaml", folder / f"repeat-{k}", ranks=3)
        checks.equal(f"repeat {k}: exit status {found.err[-300:]}", found.status, 0)
        seen.add((folder / f"repeat-{k}/X.npy").read_bytes())
    checks.equal("eigenvectors on 3 ranks: distinct results of 4 runs", len(seen), 1)


# ---- targets ----


def test_targets(folder):
    """A target that cannot be written is found before the first iteration, named, and leaves everything as it was."""
    job, out = folder / "job.yaml", folder / "targets"
    first = run_job(job, out, ranks=0)
    checks.equal(f"first run: exit status {first.err[-300:]}", first.status, 0)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    matrix = (folder / "M.npy").read_bytes()
    (out / "folder.npy").mkdir()
    os.mkfifo(out / "pipe.npy")
    name = "V" * 252 + ".npy"
    cases = [("a folder", "folder.npy", 1, "is a directory"), ("a pipe", "pipe.npy", 1, "is not a regular file"),
             ("a long name", name, 1, "the name has 256 bytes, the file system takes 255"),
             ("an input", "../M.npy", 2, "is already a data file of the job"),
             ("another output", "./U.npy", 2, "is already the file of another variable"),
             ("another output through a folder", "../targets/U.npy", 2, "is already the file of another variable")]
    for what, target, status, part in cases:
        for ranks in (0, 2):
            found = run_job(job, out, ranks=ranks, settings={"output.variables.V": target})
            checks.check(found.status == status and part in found.err and found.err.count("error:") == 1,
                         f"{what}, {ranks} ranks: {found.status} {found.err[-400:]}")
    (out / "folder.npy").rmdir()
    (out / "pipe.npy").unlink()
    checks.check({path.name: path.read_bytes() for path in out.iterdir()} == before, "refused targets leave the folder as it was")
    checks.check((folder / "M.npy").read_bytes() == matrix, "refused targets leave the input as it was")
    for kind in ("history.jsonl", "report.json"):
        (out / kind).unlink()
        os.mkfifo(out / kind)
        found = run(["run", job, "--output", out], timeout=300)
        checks.check(found.status == 1 and f"{kind}: is not a regular file" in found.err, f"a pipe for {kind}: {found.err[-300:]}")
        (out / kind).unlink()


def test_unfinished(folder):
    """What a killed run leaves under a temporary name is removed by the next run of the job; other files stay."""
    out = folder / "unfinished"
    process = subprocess.Popen([PROGRAM, "run", str(folder / "long.yaml"), "--output", str(out), "--quiet"],
                               stdout=subprocess.DEVNULL)
    process.wait(timeout=300)
    (out / "report.json.4711.tmp").write_text("half")
    (out / "notes.tmp").write_text("mine")
    run_job(folder / "long.yaml", out, ranks=0)
    checks.equal("files after a killed run", sorted(path.name for path in out.iterdir()),
                 ["X.npy", "history.jsonl", "notes.tmp", "report.json"])


def test_vanished(folder):
    """Folders that vanish while a run computes are made again, for checkpoints and for results."""
    out, directory = folder / "vanished", folder / "vanished-ckpt"
    process = subprocess.Popen([PROGRAM, "run", str(folder / "long.yaml"), "--output", str(out), "--set", "solver.max_iterations=10000000",
                                "--set", f"checkpoint={{directory: {directory}, every: 1h}}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    history = out / "history.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (history.exists() and history.stat().st_size > 0):
        time.sleep(0.01)
    history.unlink()
    out.rmdir()
    directory.rmdir()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=300)
    checks.equal(f"vanished folders: exit status {errors[-400:]}", process.returncode, 75)
    checks.equal("vanished folders: results", sorted(path.name for path in out.iterdir()), ["X.npy", "report.json"])
    checks.check(any(path.name == "manifest.json" for path in directory.rglob("*")), "vanished folders: a checkpoint")


# ---- disks ----


def test_full_disk(folder):
    """A full disk of results costs neither the run nor its checkpoint; a moment later the history is whole."""
    disk, directory = folder / "disk", folder / "disk-ckpt"
    settings = {"checkpoint.directory": directory, "checkpoint.every": "1h"}
    with small_disk(disk, 64) as mounted:
        if not mounted:
            print("no tmpfs can be mounted here: skipped", flush=True)
            return
        found = run_job(folder / "long.yaml", disk / "out", ranks=2, settings=settings)
        checks.equal(f"full disk: exit status {found.err[-400:]}", found.status, 1)
        checks.check("history.jsonl: No space left on device; the run goes on" in found.err, f"full disk: {found.err[-600:]}")
        checks.check("status: iteration_limit" in found.out and "objective:" in found.out, f"full disk: the answer is shown: {found.out}")
        checks.check(any(directory.rglob("manifest.json")), "full disk: the checkpoint on another disk is written")
        text = (disk / "out/history.jsonl").read_text()
        checks.check(text.endswith("}\n"), "full disk: the history has whole records")
    with small_disk(disk, 2048) as mounted:
        (disk / "fill").write_bytes(b"0" * 1980000)
        process = subprocess.Popen([PROGRAM, "run", str(folder / "long.yaml"), "--output", str(disk / "out")], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        warned = ""
        for line in process.stderr:
            warned += line
            if "the run goes on" in line:
                break
        (disk / "fill").unlink()
        warned += process.communicate(timeout=300)[1]
        checks.equal(f"full for a moment: exit status {warned[-400:]}", process.returncode, 3)
        records = [json.loads(line)["iteration"] for line in (disk / "out/history.jsonl").read_text().splitlines()]
        checks.check(records == list(range(3001)), f"full for a moment: {len(records)} records, {warned[-300:]}")


# ---- signals ----


def blocks(pid, number):
    """Whether the program runs already and lets this signal wait or catches it."""
    if f"/{Path(PROGRAM).name}" not in Path(f"/proc/{pid}/cmdline").read_text():
        return False
    status = Path(f"/proc/{pid}/status").read_text()
    return any(int(mask, 16) >> (number - 1) & 1 for mask in re.findall(r"^Sig(?:Blk|Cgt):\s*(\w+)", status, re.M))


def test_signals(folder):
    """At any moment from the start of the process: 75, and no result of an earlier run is lost."""
    out = folder / "signals"
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU, signal.SIGINT)
    for k, delay in enumerate((0.004, 0.008, 0.015, 0.03, 0.06, 0.12)):
        for number in (numbers[k], numbers[(k + 3) % 6]):
            process = subprocess.Popen([PROGRAM, "run", str(folder / "long.yaml"), "--output", str(out), "--set", "solver.max_iterations=100000000"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            # The front program blocks the signals in its first lines; before that a signal ends what has not begun.
            while not blocks(process.pid, number):
                pass
            time.sleep(delay)
            process.send_signal(number)
            shown, errors = process.communicate(timeout=300)
            checks.equal(f"{signal.Signals(number).name} after {delay} s: exit status {errors[-300:]}", process.returncode, 75)
            checks.check("status: interrupted" in shown, f"{signal.Signals(number).name} after {delay} s: {shown}")
    ignoring = ["sh", "-c", f"trap '' HUP; exec {PROGRAM} run {folder}/long.yaml --output {out}"]
    process = subprocess.Popen(ignoring, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.05)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=300)
    checks.equal("under nohup: exit status", process.returncode, 3)
    line = f"{PROGRAM} run {folder}/long.yaml --output {out} 2>&1; echo $? > {folder}/status"
    subprocess.run(["bash", "-c", f"({line}) | head -n 1"], stdout=subprocess.DEVNULL, check=False)
    checks.equal("a reader that has gone: exit status", (folder / "status").read_text().strip(), "3")


# ---- refusals ----


def test_refusals(folder):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }"
    for name, rows, cols in (("tall", 2**31, 1), ("square", 46341, 46341)):
        text = header % (rows, cols)
        text += b" " * (117 - len(text)) + b"\n"
        with open(folder / f"{name}.npy", "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
            file.truncate(10 + len(text) + 8 * rows * cols)
        job = f"minimize: sumsq(B*x)\nvariables: {{x: {{rows: {cols}, columns: 1}}}}\ndata: {{B: {{file: {name}.npy}}}}\n"
        (folder / f"{name}.yaml").write_text(job)
    found = run(["plan", folder / "tall.yaml"])
    checks.check(found.status == 2 and "2147483648 x 1, expected at most 2147483647" in found.err, f"2^31 rows: {found.err}")
    limited = subprocess.run(["bash", "-c", f"ulimit -v 3000000; exec {PROGRAM} check {folder}/square.yaml"], capture_output=True, text=True,
                             check=False, timeout=300)
    checks.check(limited.returncode == 1 and "the job needs" in limited.stderr and "is available" in limited.stderr,
                 f"check beyond memory: {limited.returncode} {limited.stderr}")
    for grid, ranks in (("65537x65537", 65537**2), ("1000000x1000000", 10**12), ("2x600000", 1200000)):
        found = run(["plan", folder / "job.yaml", "--grid", grid])
        checks.check(found.status == 2 and ("--grid" in found.err), f"--grid {grid}: {found.status} {found.err}")
        rows, cols = grid.split("x")
        found = run(["plan", folder / "job.yaml", "--set", f"process_grid={{rows: {rows}, columns: {cols}}}"])
        checks.check(found.status == 2 and ("expected" in found.err), f"process_grid of {ranks} ranks: {found.status} {found.err}")


def test_folders(folder):
    """Every variable is written; the folder of another job is refused; what an earlier run left and this one does not write goes."""
    out, job = folder / "mine", folder / "plain.yaml"
    text = JOB.replace(", variables: {U: U.npy, V: V.npy}", "")
    job.write_text(text)
    shapes = lambda: {path.name for path in out.iterdir() if path.suffix in (".npy", ".mtx")}
    first = run_job(job, out, ranks=2)
    checks.equal(f"every variable: {first.err[-300:]}", shapes(), {"U.npy", "V.npy"})
    np.save(out / "kept.npy", np.ones(3))
    for setting, expected in (("{U: Z.mtx}", {"Z.mtx", "V.npy"}), ("{V: none}", {"U.npy"}), ("none", set())):
        found = run_job(job, out, ranks=0, settings={"output.variables": setting}, options=["--quiet"])
        checks.equal(f"output.variables {setting}: {found.err}", shapes(), expected | {"kept.npy"})
    report = json.loads((out / "report.json").read_text())
    for key in ("date", "host", "cpu"):
        checks.check(len(report[key]) > 0, f"report: {key} is {report[key]!r}")
    checks.equal("report: command", report["command"][:3], ["tracegrad", "run", str(job)])
    checks.equal("report: job_file", report["job_file"], str(job.resolve()))
    other = folder / "other.yaml"
    other.write_text(text)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    refused = run_job(other, out, ranks=2, force=False)
    checks.check(refused.status == 2 and "holds the results of another job" in refused.err and "--force" in refused.err, f"another job: {refused.err}")
    checks.check({path.name: path.read_bytes() for path in out.iterdir()} == before, "another job: the folder is as it was")
    checks.equal("another job, --force", run_job(other, out, ranks=0).status, 0)
    piped = subprocess.run([PROGRAM, "run", "-", "--output", str(folder / "piped"), "--quiet"], input=text.replace("M.npy", str(folder / "M.npy")),
                           text=True, capture_output=True, check=False)
    checks.check(piped.returncode == 0 and (folder / "piped/U.npy").exists(), f"a job from standard input: {piped.stderr}")
    empty = subprocess.run([PROGRAM, "run", "-"], input="minimise: 3\n", text=True, capture_output=True, check=False)
    checks.check(empty.returncode == 2 and "<stdin>:1:1: error: unknown key" in empty.stderr, f"a bad job from standard input: {empty.stderr}")
    limited = run_job(folder / "long.yaml", folder / "limited", ranks=0, options=["--quiet"],
                      settings={"solver.max_iterations": 7, "checkpoint.directory": folder / "limited-ckpt", "data.unused": 3})
    checks.check("--set 'solver.max_iterations=70'" in limited.err and "max_iterations=7'" not in limited.err, f"a larger limit: {limited.err}")
    beyond = run_job(folder / "long.yaml", folder / "limited", ranks=0, options=["--quiet", "--resume"],
                     settings={"solver.max_iterations": 3, "checkpoint.directory": folder / "limited-ckpt", "data.unused": 3})
    checks.check("--set 'solver.max_iterations=70'" in beyond.err, f"a limit below the checkpoint: {beyond.err}")
    checks.check("warning: unused does not occur" in limited.err, f"--quiet keeps warnings: {limited.err}")


def test_different_ranks(folder):
    """Ranks that were started differently would wait for one another; one message says so."""
    other = folder / "other-mpi"
    other.write_bytes(Path(PROGRAM + "-mpi").read_bytes() + b"\n")
    other.chmod(0o755)
    for what, line in (("command lines", f"{PROGRAM} run {folder}/job.yaml --set solver.seed=3"),
                       ("command lines", f"{PROGRAM} check {folder}/job.yaml"), ("programs", f"{other} run {folder}/job.yaml")):
        script = folder / "rank.sh"
        script.write_text(f"#!/bin/sh\n[ $OMPI_COMM_WORLD_RANK = 1 ] && exec {line}\nexec {PROGRAM} run {folder}/job.yaml\n")
        script.chmod(0o755)
        found = subprocess.run([ROOT / "scripts/mpirun-local", "3", script], capture_output=True, text=True, timeout=300, check=False)
        checks.check(found.returncode == 2 and f"started with different {what}" in found.stderr and found.stderr.count("error:") == 1,
                     f"different {what}: {found.returncode} {found.stderr[-300:]}")


def test_hostile_keys(folder):
    job = folder / "hostile.yaml"
    job.write_text('minimize: sumsq(X)\nvariables: {X: {rows: 2, columns: 2}}\n"a\\e[31mb\\x9b": 3\n')
    found = run(["plan", job])
    checks.check(found.status == 2 and "unknown key 'a\\x1B[31mb\\x9B'" in found.err, f"control characters: {found.err}")
    numbers = "".join(f"  a{k}: {k}\n" for k in range(30000))
    job.write_text(f"minimize: sumsq(X)\nvariables: {{X: {{rows: 2, columns: 2}}}}\ndata:\n{numbers}")
    found = run(["plan", job])
    checks.equal(f"30,000 unused data: exit status {found.err[-300:]}", found.status, 0)
    checks.equal("30,000 unused data: warnings", found.err.count("warning:"), 9)
    checks.check("29992 more data do not occur" in found.err, f"30,000 unused data: {found.err[-300:]}")
    job.write_text(f"minimize: sumsq(X)\nvariables: {{X: {{rows: 2, columns: 2}}}}\ndata:\n{numbers}  a7: 1\n  a3: 2\n")
    found = run(["plan", job])
    checks.check(found.status == 2 and "30004:3: error: key 'a7' stands twice" in found.err and "in line 11" in found.err, f"a key twice: {found.err}")
    job.write_text("minimize: sumsq(X)\nvariables: {X: {rows: 2, columns: 2, start: normal, scale: 1e308}}\n")
    found = run(["plan", job])
    checks.check("out of range: -1e+300 to 1e+300" in found.err, f"scale: {found.err}")


def main():
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base) as name:
        folder = Path(name)
        write_jobs(folder)
        for test in (test_repeats, test_targets, test_unfinished, test_vanished, test_full_disk, test_signals, test_refusals,
                     test_folders, test_different_ranks, test_hostile_keys):
            begin = time.monotonic()
            test(folder)
            print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
