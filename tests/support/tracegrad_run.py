"""Runs the program as a user does, on any number of ranks, and reads what it leaves behind.

The program is $TRACEGRAD (ctest sets it), else build/release/tracegrad. Nothing here needs NumPy.
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TRACEGRAD", str(ROOT / "build" / "release" / "tracegrad"))

# seconds are for people to read; what is asserted is the processor's time, which other work on the machine does not change
Finished = collections.namedtuple("Finished", "status out err seconds processor_seconds")
Job = collections.namedtuple("Job", "status out err seconds processor_seconds report history folder")


def environment_of(**more):
    """The variables of a process that starts the program: without mpirun it starts MPI by itself, in a container as root."""
    return {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **more}


def processor_seconds():
    """Of all processes that this one has started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def places(ranks):
    """Holds `ranks` of the machine's places, two a core, or all of them. Tests run side by side, and ranks that wait for each
    other while the ranks of other tests have their cores take many times their time."""
    # A place is a lock on a file, and so is the turn to gather places: no two tests hold some and wait for the rest. Locks
    # end with their process.
    folder = pathlib.Path(tempfile.gettempdir()) / f"tracegrad-test-places-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    count = 2 * len(os.sched_getaffinity(0))
    with contextlib.ExitStack() as files:
        turn, *free = [files.enter_context(open(folder / str(k), "w")) for k in range(count + 1)]
        wanted = min(ranks, count)
        fcntl.flock(turn, fcntl.LOCK_EX)
        while wanted > 0:
            for place in list(free):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    free.remove(place)
                    wanted -= 1
                if wanted == 0:
                    break
            else:
                time.sleep(0.01)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield


def run(arguments, ranks=0, cwd=ROOT, timeout=400, environment=None):
    """Runs `tracegrad ARGUMENTS`, by mpirun on several ranks; one starts as a user's does, without it."""
    command = [PROGRAM] + [str(argument) for argument in arguments]
    if ranks > 1:
        command = [str(ROOT / "scripts" / "mpirun-local"), str(ranks)] + command
    # mpirun gives ranks that ended with a status other than 0 another second or two to end: nothing in a job that fails on
    # purpose waits for that.
    variables = environment_of(**{"OMPI_MCA_odls_base_sigkill_timeout": "0", **(environment or {})})
    # `derive` starts no ranks and takes milliseconds, fewer than the locks of a busy machine.
    with contextlib.nullcontext() if list(arguments[:1]) == ["derive"] else places(max(1, ranks)):
        begin, before = time.monotonic(), processor_seconds()
        process = subprocess.run(command, cwd=cwd, env=variables, timeout=timeout, text=True, errors="replace",
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return Finished(process.returncode, process.stdout, process.stderr, time.monotonic() - begin, processor_seconds() - before)


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


def wait_for_ranks(path):
    """Ranks outlive a killed mpirun for a moment, and must not write beside those that go on."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        lines = []
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                lines.append(process.read_bytes())
        if not any(os.fsencode(str(path)) in line.split(b"\0") for line in lines):
            return
        time.sleep(0.01)


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
