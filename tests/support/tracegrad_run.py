"""Runs the program as a user does, on any number of ranks, and reads what it leaves behind.

The program is $TRACEGRAD (ctest sets it), else build/release/tracegrad. Nothing here needs NumPy.
"""

import collections
import contextlib
import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TRACEGRAD", str(ROOT / "build" / "release" / "tracegrad"))

Finished = collections.namedtuple("Finished", "status out err seconds")
Job = collections.namedtuple("Job", "status out err seconds report history folder")


def environment_of(**more):
    """The variables of a process that starts the program: without mpirun it starts MPI by itself, in a container as root."""
    return {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **more}


def run(arguments, ranks=0, cwd=ROOT, timeout=400, environment=None):
    """Runs `tracegrad ARGUMENTS`; ranks = 0 starts it without mpirun."""
    command = [PROGRAM] + [str(argument) for argument in arguments]
    if ranks > 0:
        command = [str(ROOT / "scripts" / "mpirun-local"), str(ranks)] + command
    # mpirun gives ranks that ended with a status other than 0 another second or two to end: nothing in a job that fails on
    # purpose waits for that.
    variables = environment_of(**{"OMPI_MCA_odls_base_sigkill_timeout": "0", **(environment or {})})
    begin = time.monotonic()
    process = subprocess.run(command, cwd=cwd, env=variables, timeout=timeout, text=True, errors="replace",
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return Finished(process.returncode, process.stdout, process.stderr, time.monotonic() - begin)


def run_job(job, folder, ranks=2, settings=None, options=(), timeout=400, force=True):
    """Runs a job into `folder`, whatever is there, and reads its report and history (None and [] where there are none)."""
    arguments = ["run", job, "--output", folder, *(["--force"] if force else []), *options]
    for key, value in (settings or {}).items():
        arguments += ["--set", f"{key}={value}"]
    finished = run(arguments, ranks=ranks, timeout=timeout)
    folder = pathlib.Path(folder)
    report = folder / "report.json"
    history = folder / "history.jsonl"
    return Job(*finished,
               report=json.loads(report.read_text()) if report.exists() else None,
               history=[json.loads(line) for line in history.read_text().splitlines()] if history.exists() else [],
               folder=folder)


@contextlib.contextmanager
def small_disk(path, kibibytes):
    """A file system of so many KiB at `path`, gone afterwards; gives whether it could be mounted."""
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(path)], stderr=subprocess.PIPE, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(path)], check=False)


class Checks:
    """Counts checks, prints the ones that fail and, at the end, the line by which a test is judged."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, holds, message):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {message}", flush=True)
        return bool(holds)

    def equal(self, what, found, expected):
        return self.check(found == expected, f"{what}: found {found!r}, expected {expected!r}")

    def close(self, what, found, expected, relative):
        """|found - expected| <= relative * max(|expected|, smallest normal); NaN fails."""
        error = abs(found - expected) / max(abs(expected), 1e-300)
        return self.check(error <= relative, f"{what}: found {found!r}, expected {expected!r}, "
                                             f"relative error {error:.2e} above {relative:.0e}")

    def finish(self):
        """The exit status of the test. A test without a single check has failed."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed > 0 else 1
