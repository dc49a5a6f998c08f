"""The kernels of OpenBLAS that the program runs: the best for this CPU, the user's where set, never one that computes wrongly.

What is expected is derived from the flags in /proc/cpuinfo and from what the library takes when a process of its own loads it.
"""

import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import tracegrad_run
from tracegrad_run import Checks, ROOT, run, run_job

JOB = """minimize: sumsq(A*X - B)
variables:
  X: {rows: 40, columns: 7}
data:
  A: {generate: normal, rows: 60, columns: 40, seed: 3}
  B: {generate: normal, rows: 60, columns: 7, seed: 4}
"""
ENGINE = str(pathlib.Path(tracegrad_run.PROGRAM).with_name("tracegrad-mpi"))
WRONG = os.environ["WRONG_DGEMM"]
FMA = {"avx2", "fma", "avx", "sse4_2"}
WIDE = FMA | {"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl", "f16c", "bmi1", "bmi2", "abm", "movbe"}
LEVELS = {"Prescott": 0, "Nehalem": 1, "Sandybridge": 2, "Haswell": 3, "Zen": 3, "SkylakeX": 4, "Cooperlake": 4, "SapphireRapids": 4}


def cpu_flags():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def environment(**variables):
    """The caller's environment without a choice of kernels; ASan complains about preloaded libraries."""
    return {"ASAN_OPTIONS": "verify_asan_link_order=0:handle_segv=0:handle_sigill=0", **variables}


def loaded_core(variables):
    """What OpenBLAS takes in a process of its own; None where it is not there, or has one core only."""
    program = ("import ctypes; b = ctypes.CDLL('libopenblas.so.0'); b.openblas_get_corename.restype = ctypes.c_char_p; "
               "b.openblas_get_config.restype = ctypes.c_char_p; print(b.openblas_get_corename().decode(), 'DYNAMIC_ARCH' in "
               "b.openblas_get_config().decode())")
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **variables}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    words = done.stdout.split()
    return words[0] if words[1:] == ["True"] else None


def core_of(checks, finished):
    """Name and reason of the line of `info`."""
    found = re.search(r"^BLAS core +(\w+), (.*)$", finished.out, re.MULTILINE)
    checks.check(found is not None, f"info names the core: {finished.out}{finished.err}")
    return found.groups() if found else ("", "")


def engine(arguments, variables):
    """The program behind `tracegrad`, as mpirun may start it."""
    return subprocess.run([ENGINE, *arguments], cwd=ROOT, env={**os.environ, **variables}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def test_choice(checks, natural, flags):
    """The best by features, the same whoever starts it."""
    core, reason = core_of(checks, run(["info"], environment=environment()))
    best = 4 if flags >= WIDE else 3 if flags >= FMA else 0
    checks.check(LEVELS.get(core, 9) >= best, f"{core} on a CPU with {sorted(flags & WIDE)}")
    if core == natural:
        checks.equal("reason", reason, "OpenBLAS' own choice")
    else:
        checks.check(f"OpenBLAS by itself takes {natural}" in reason, f"reason: {reason}")
        checks.check(LEVELS[core] > LEVELS[natural], f"{core} instead of {natural}")
    for ranks in (1, 2):
        checks.equal(f"core on {ranks} ranks", core_of(checks, run(["info"], ranks=ranks, environment=environment())), (core, reason))
    started = engine(["info"], environment())
    checks.check(f"BLAS core   {core}, {reason}\n" in started.stdout, f"tracegrad-mpi by itself: {started.stdout}{started.stderr}")
    return core


def test_user(checks, folder, job):
    """The user's word counts, is named, and is questioned where it costs speed."""
    core, reason = core_of(checks, run(["info"], environment=environment(OPENBLAS_CORETYPE="Haswell")))
    checks.equal("user's core", (core, reason), ("Haswell", "set by OPENBLAS_CORETYPE=Haswell"))
    slow = run(["info"], environment=environment(OPENBLAS_CORETYPE="Prescott"))
    checks.equal("user's slow core", core_of(checks, slow), ("Prescott", "set by OPENBLAS_CORETYPE=Prescott"))
    checks.check(re.search("warning: OpenBLAS runs its Prescott kernels on a CPU with AVX.*: unset OPENBLAS_CORETYPE", slow.err)
                 is not None, f"warning of a slow core: {slow.err}")
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"
    done = run_job(job, folder / "user")
    del os.environ["OPENBLAS_CORETYPE"]
    checks.equal("exit status", done.status, 0)
    kernel = done.report["blas_kernel"]
    checks.equal("report", (kernel["core"], kernel["chosen_by"], kernel["by_itself"]), ("Haswell", "user", None))
    checks.check("  kernel    Haswell, set by OPENBLAS_CORETYPE=Haswell\n" in done.err, f"header: {done.err}")


def test_unknown(checks, natural):
    """A name that is none leads to a core that the CPU has, and is named."""
    done = run(["info"], environment=environment(OPENBLAS_CORETYPE="NoSuchCore"))
    core, reason = core_of(checks, done)
    checks.check("NoSuchCore" in reason, f"a core that is none: {core}, {reason}")
    checks.check("names no kernel of this OpenBLAS" in done.err or "instead of" in reason, f"a core that is none: {done.err}")
    checks.check(LEVELS.get(core, -1) >= 0 or core == natural, f"a core that is none gives {core}")


def test_wrong(checks, folder, job, core, natural):
    """A core that computes wrongly, or ends the program, is left; where all do, nothing runs."""
    answer = run_job(job, folder / "right").report["objective"]
    for fault in ({}, {"WRONG_DGEMM_ILLEGAL": "1"}):
        variables = environment(LD_PRELOAD=WRONG, WRONG_DGEMM_CORES=core, **fault)
        other, reason = core_of(checks, run(["info"], environment=variables))
        checks.check(other != core and f"{core} computes wrongly here" in reason, f"a wrong {core}: {other}, {reason}")
        os.environ.update(variables)
        done = run_job(job, folder / "wrong")
        for name in variables:
            del os.environ[name]
        checks.equal(f"a wrong {core}: exit status\n{done.err}", done.status, 0)
        checks.check(abs(done.report["objective"] - answer) <= 1e-9 * answer, f"a wrong {core}: {done.report['objective']}")
        checks.check(f"{core} computes wrongly here" in done.report["blas_kernel"]["reason"], f"report: {done.report['blas_kernel']}")
        checks.check(f"{core} computes wrongly here" in done.err, f"header: {done.err}")
    for ranks in (0, 2):
        none = run(["run", job, "--output", folder / "none"], ranks=ranks, environment=environment(LD_PRELOAD=WRONG))
        checks.equal(f"all cores wrong, {ranks} ranks: exit status", none.status, 1)
        found = re.findall(r"error: the BLAS computes wrongly with every kernel tried, .*: dgemm NN of 1 x 1 x 1 is off by", none.err)
        checks.check(len(found) == 1 and core in none.err and natural in none.err, f"all cores wrong: {none.err}")
        checks.check(not (folder / "none").exists(), "all cores wrong: a result was written")
    kept = run(["info"], environment=environment(LD_PRELOAD=WRONG, WRONG_DGEMM_CORES="Haswell", OPENBLAS_CORETYPE="Haswell"))
    checks.check("instead of the user's choice; Haswell computes wrongly here" in kept.out, f"the user's core is wrong: {kept.out}")


def test_ranks_differ(checks, core):
    """Each rank decides by itself; what differs is said."""
    command = [str(ROOT / "scripts" / "mpirun-local"), "1", "env", "OPENBLAS_CORETYPE=Sandybridge", ENGINE, "info", ":", "-n", "2",
               tracegrad_run.PROGRAM, "info"]
    done = subprocess.run(command, env={**os.environ, **environment()}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    expected = f"the ranks differ: Sandybridge on 1 rank (from rank 0), {core} on 2 ranks (from rank 1)"
    # The first rank's program is another one than the others': `tracegrad` hands over to the same.
    checks.check(expected in done.stdout, f"ranks that differ: {done.stdout}{done.stderr}")


def start_library(ranks, **variables):
    """tests/mpi/test_api.c, a program that uses the library, with these kernels."""
    command = [str(ROOT / "scripts" / "mpirun-local"), str(ranks), os.environ["MPI_TESTS"], "api"]
    return subprocess.run(command, env={**os.environ, **environment(**variables)}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def test_library(checks):
    """A library cannot restart its program: it warns once, with the remedy, and refuses wrong kernels."""
    warning = "OpenBLAS runs its Prescott kernels on a CPU with AVX.*: unset OPENBLAS_CORETYPE, or set it to "
    for ranks in (1, 2):
        slow = start_library(ranks, OPENBLAS_CORETYPE="Prescott")
        checks.equal(f"library, slow kernels, {ranks} ranks: exit status\n{slow.stderr}", slow.returncode, 0)
        checks.equal(f"library, {ranks} ranks: warnings\n{slow.stderr}", len(re.findall("tracegrad: warning: " + warning, slow.stderr)), 1)
    taken = start_library(1, OPENBLAS_CORETYPE="Prescott", TEST_WARNING_HANDLER="1")
    checks.equal(f"library with a handler\n{taken.stdout}", len(re.findall("taken: " + warning, taken.stdout, re.MULTILINE)), 1)
    checks.equal("library with a handler: standard error", taken.stderr, "")
    wrong = start_library(2, LD_PRELOAD=WRONG)
    checks.check(wrong.returncode != 0 and "dgemm NN of 1 x 1 x 1 is off by" in wrong.stdout + wrong.stderr,
                 f"library, wrong kernels: {wrong.stdout}{wrong.stderr}")


def main():
    checks = Checks()
    for name in ("OPENBLAS_CORETYPE", "TRACEGRAD_BLAS_CORES"):
        os.environ.pop(name, None)
    flags = cpu_flags()
    natural = loaded_core({})
    if platform.machine() != "x86_64" or natural is None or not flags >= FMA:
        print("skipped: OpenBLAS with several cores on an x86-64 CPU with AVX2 is needed")
        return checks.finish()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        job = folder / "job.yaml"
        job.write_text(JOB)
        core = test_choice(checks, natural, flags)
        test_user(checks, folder, job)
        test_unknown(checks, natural)
        test_wrong(checks, folder, job, core, natural)
        test_ranks_differ(checks, core)
        test_library(checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
