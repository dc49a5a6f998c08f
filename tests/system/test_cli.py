"""The program around a run: help, exit statuses, --set, report, history, signals, plots, on several rank counts."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run, run_job

COMMANDS = ["derive", "check", "plan", "run", "plot", "info"]

# sumsq(A*X - B) + mu*sumsq(X): strictly convex, a linear system away from its answer.
JOB = """minimize: sumsq(A*X - B) + mu*sumsq(X)
variables:
  X: {rows: 30, columns: 4, start: zeros}
data:
  A: {generate: normal, rows: 50, columns: 30, seed: 1}
  B: {generate: normal, rows: 50, columns: 4, seed: 2}
  mu: 0.5
solver: {gradient_tolerance: 1e-9, max_iterations: 500}
output: {directory: out, variables: {X: X.npy}}
"""

# -sumsq is a concave quadratic with no largest descent: unbounded below.
UNBOUNDED = """minimize: -sumsq(X) + sum(X)
variables: {X: {rows: 3, columns: 3, start: ones}}
"""

# 3 GB of operands.
LARGE = """minimize: tr(A*X*B*X')
variables: {X: {rows: 14000, columns: 14000}}
data:
  A: {generate: normal, rows: 14000, columns: 14000}
  B: {generate: normal, rows: 14000, columns: 14000}
output: {directory: large}
"""

# A slow one for signals and time limits: an ill-conditioned problem with a first-order method.
SLOW = """minimize: tr(A*X*B*X') - 2*tr(C'*X)
variables: {X: {rows: 200, columns: 200}}
data:
  A: {generate: spd, rows: 200, condition: 1e7, seed: 1}
  B: {generate: spd, rows: 200, condition: 1e7, seed: 2}
  C: {generate: normal, rows: 200, seed: 3}
solver: {method: gradient-descent, max_iterations: 100000000, gradient_tolerance: 1e-14}
output: {directory: out, variables: {X: X.npy}}
"""

REPORT_KEYS = ["status", "objective", "gradient_norm", "constraint_violation", "iterations", "evaluations", "products",
               "seconds", "plan", "counted", "peak_memory_bytes_per_rank", "ranks", "threads", "grid", "versions", "job"]


def write_job(folder, text, name="job.yaml"):
    (folder / name).write_text(text)
    return folder / name


def test_help(checks):
    checks.equal("--version", run(["--version"]).status, 0)
    finished = run(["--help"])
    checks.equal("--help", finished.status, 0)
    for command in COMMANDS:
        checks.check(command in finished.out, f"--help does not name {command}")
        help_of = run([command, "--help"])
        checks.equal(f"{command} --help", help_of.status, 0)
        checks.check("--" in help_of.out and not help_of.err, f"{command} --help: {help_of.out!r} {help_of.err!r}")
        checks.check(help_of.processor_seconds < 0.5, f"{command} --help took {help_of.processor_seconds:.2f} s")
    info = run(["info"])
    for word in ("Open MPI", "OpenBLAS", "ranks", "threads", "grid"):
        checks.check(word in info.out, f"info does not name {word}")
    on_three = run(["info"], ranks=3)
    checks.check(re.search(r"^ranks +3 ", on_three.out, re.MULTILINE) is not None, f"info on 3 ranks: {on_three.out}")
    checks.equal("info is printed once", on_three.out.count("BLAS core"), 1)
    checks.equal("plan is printed once", run(["plan", ROOT / "configs" / "qap-nug12.yaml"], ranks=3).out.count("grid "), 1)


def test_environment(checks):
    """A wrong environment is reported, with the remedy."""
    crowded = run(["info"], ranks=2, environment={"OMP_NUM_THREADS": "64"})
    checks.check("warning: " in crowded.err and "2 ranks x 64 threads share" in crowded.err,
                 f"too many threads: {crowded.err}")
    checks.equal("too many threads: exit status", crowded.status, 0)
    right = run(["info"], ranks=1, environment={"OMP_NUM_THREADS": "1"})
    checks.equal("nothing to mend", right.err, "")


def test_documentation(checks):
    """The tables of the documentation are those of the program."""
    tables = run(["info", "--keys"]).out
    text = (ROOT / "docs" / "job-keys.md").read_text()
    for table in tables.strip().split("\n\n"):
        checks.check(table in text, f"docs/job-keys.md lacks or differs from this table of `tracegrad info --keys`:\n{table[:300]}")


def check_report(checks, name, job, ranks):
    report = job.report
    for key in REPORT_KEYS:
        checks.check(key in report, f"{name}: the report has no {key}")
    checks.equal(f"{name}: ranks", report["ranks"], ranks)
    grid = report["grid"]
    checks.equal(f"{name}: grid", grid["rows"] * grid["columns"], ranks)
    seconds = report["seconds"]
    parts = seconds["setup"] + seconds["read"] + seconds["solve"] + seconds["write"]
    checks.check(0 <= parts <= seconds["total"] * 1.01 + 1e-3, f"{name}: seconds {seconds}")
    checks.close(f"{name}: flops", report["counted"]["flops"], report["plan"]["predicted_flops"], 1e-12)
    checks.close(f"{name}: bytes", report["counted"]["bytes"] + 1, report["plan"]["predicted_bytes"] + 1, 1e-12)
    checks.check(report["peak_memory_bytes_per_rank"] > 1e6, f"{name}: peak memory")
    checks.equal(f"{name}: effective job", report["job"]["solver"]["max_iterations"], 500)
    checks.equal(f"{name}: a default in the job", report["job"]["solver"]["line_search"], "auto")
    checks.check(isinstance(report["evaluations"]["gradients"], int), f"{name}: evaluations")


def check_history(checks, name, job):
    checks.equal(f"{name}: history from 0 on", [r["iteration"] for r in job.history], list(range(len(job.history))))
    last = job.history[-1]
    checks.equal(f"{name}: last iteration", last["iteration"], job.report["iterations"])
    checks.close(f"{name}: last objective", last["objective"], job.report["objective"], 1e-10)
    for key in ("iteration", "objective", "gradient_norm", "step", "seconds", "products"):
        checks.check(all(key in r for r in job.history), f"{name}: history without {key}")


def test_run(checks, folder):
    job = write_job(folder, JOB)
    objectives = []
    for ranks in (0, 1, 2, 3):
        name = f"run on {ranks} ranks"
        done = run_job(job, folder / f"out{ranks}", ranks=ranks)
        if not checks.equal(f"{name}: exit status\n{done.err}", done.status, 0):
            continue
        checks.equal(f"{name}: status", done.report["status"], "converged")
        check_report(checks, name, done, max(ranks, 1))
        check_history(checks, name, done)
        objectives.append(done.report["objective"])
        shown = re.search(r"^objective: (\S+)$", done.out, re.MULTILINE)
        checks.check(shown is not None and float(shown.group(1)) == done.report["objective"], f"{name}: summary {done.out}")
        checks.check((done.folder / "X.npy").stat().st_size == 30 * 4 * 8 + 128, f"{name}: X.npy")
        checks.equal(f"{name}: nothing else is left", sorted(os.listdir(done.folder)),
                     ["X.npy", "history.jsonl", "report.json"])
    for value in objectives[1:]:
        checks.close("the same objective on other ranks", value, objectives[0], 1e-12)


def test_many_alone(checks, folder):
    """Runs without mpirun that start and end at the same time do not meet: 100, eight at a time."""
    job = write_job(folder, JOB)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda k: run(["run", job, "--quiet", "--output", folder / f"alone{k}"]), range(100)))
    failed = [one for one in done if one.status != 0]
    checks.check(not failed, f"{len(failed)} of 100 runs at the same time failed: {failed[0].err[:300] if failed else ''}")


UNUSED = """
minimize: sumsq(A*X - B) + sum(exp(X))
variables: {X: {rows: 4, columns: 3, START}}
data:
  A: {generate: normal, rows: 9, columns: 4, seed: 1}
  B: {generate: normal, rows: 9, columns: 3, seed: 2}
solver: {SOLVER}
"""

# keys of solver:, of the variable, what the warning says; "" for none
UNUSED_KEYS = [
    ("method: l-bfgs, beta: dai-yuan", "start: zeros", "beta is an option of conjugate-gradient; this job is minimised by l-bfgs"),
    ("method: newton-cg, memory: 7", "start: zeros", "memory is an option of l-bfgs"),
    ("trust_radius: 3", "start: zeros", "trust_radius is an option of newton-cg"),
    ("method: barzilai-borwein, line_search: armijo", "start: zeros", "barzilai-borwein has its own step rule"),
    ("step_length: 0.5", "start: zeros", "step_length is the step of line_search: fixed"),
    ("retraction: polar", "start: zeros", "retraction is for orthonormal_columns"),
    ("penalty: 10", "start: zeros", "penalty is for subject_to"),
    ("memory: 7", "start: zeros, seed: 3", "seed is for a random start"),
    ("memory: 7, method: l-bfgs", "start: normal, seed: 3", ""),
    ("method: conjugate-gradient, beta: dai-yuan, line_search: strong-wolfe", "start: zeros", ""),
    ("memory: 7", "start: zeros, constraint: nonnegative", ""),
    ("beta: auto, memory: 0, step_length: 1", "start: zeros", ""),
]


def test_unused_keys(checks, folder):
    """Keys that the method does not use are warned of, by all that read the job, at their place; others are not."""
    for solver, start, words in UNUSED_KEYS:
        job = write_job(folder, UNUSED.replace("SOLVER", solver).replace("START", start))
        for command in (["plan", job], ["check", job], ["run", job, "--output", folder / "unused"]):
            done = run(command)
            what = f"unused keys, {command[0]} with {solver}, {start}"
            checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0)
            if words:
                checks.check("warning: " + words in done.err, f"{what}: {done.err[:600]}")
            else:
                checks.check("warning" not in done.err, f"{what}: {done.err[:600]}")


def test_long_names(checks, folder):
    """Data, numbers and variables with names of the 63 letters that are allowed; 64 are refused: test_jobs_bad."""
    a, mu, x = "A" * 63, "m" * 63, "X" * 63
    text = (f"minimize: sumsq({a}*{x}) + {mu}*sumsq({x} - {a}')\nvariables: {{{x}: {{rows: 3, columns: 4}}}}\n"
            f"data: {{{a}: {{generate: normal, rows: 4, columns: 3}}, {mu}: 2}}\noutput: {{variables: {{{x}: X.npy}}}}\n")
    for ranks in (0, 2):
        done = run_job(write_job(folder, text), folder / f"long{ranks}", ranks=ranks)
        checks.equal(f"names of 63 letters on {ranks} ranks: exit status\n{done.err}", done.status, 0)


def test_maximize(checks, folder):
    lower = run_job(write_job(folder, JOB, "min.yaml"), folder / "min", ranks=1)
    text = JOB.replace("minimize: sumsq(A*X - B) + mu*sumsq(X)", "maximize: -sumsq(A*X - B) - mu*sumsq(X)")
    upper = run_job(write_job(folder, text, "max.yaml"), folder / "max", ranks=1)
    checks.equal("maximize: exit status", upper.status, 0)
    if lower.report and upper.report:
        checks.close("maximize", upper.report["objective"], -lower.report["objective"], 1e-12)
        checks.check(upper.history[-1]["objective"] > upper.history[0]["objective"], "the history of maximize rises")


# A line, a quadratic at its stationary start and off it, a function that is no polynomial.
UPWARDS = [
    ("sum(X)", "", "auto", 4, ["unbounded above", "f(x + t d) - f(x) = 9 t"]),
    ("sumsq(X)", "", "l-bfgs", 4, ["unbounded above", "from a stationary point", "0 t + 1 t^2"]),
    ("sumsq(X) - sum(X)", "", "gradient-descent", 4, ["unbounded above", " t^2"]),
    ("sum(exp(X))", "", "gradient-descent", 4, ["unbounded above"]),
]


def test_maximum_reasons(checks, folder):
    """Why a maximisation ended is said of the job's own objective."""
    for k, (objective, keys, method, status, texts) in enumerate(UPWARDS):
        job = write_job(folder, f"maximize: {objective}\nvariables: {{X: {{rows: 3, columns: 3{keys}}}}}\n")
        done = run_job(job, folder / f"up{k}", ranks=2, settings={"solver.method": method})
        reason = done.report["reason"] if done.report else done.err
        checks.equal(f"maximize {objective}: exit status {reason}", done.status, status)
        for text in texts:
            checks.check(text in reason, f"maximize {objective}: no {text!r} in {reason!r}")
        for text in ("below", "fell", "falls", "-9 t", "descent"):
            checks.check(text not in reason, f"maximize {objective}: {text!r} in {reason!r}")
        checks.check(f"reason: {reason}" in done.out, f"maximize {objective}: summary {done.out}")


def test_statuses(checks, folder):
    limit = run_job(write_job(folder, JOB), folder / "limit", ranks=2,
                    settings={"solver.method": "conjugate-gradient", "solver.max_iterations": 1})
    checks.equal("iteration limit: exit status", limit.status, 3)
    checks.equal("iteration limit: status", limit.report and limit.report["status"], "iteration_limit")
    hint = limit.err.splitlines()[-1]
    checks.check("once more with a larger limit: mpirun -n 2 tracegrad run " in hint and "--set 'solver.max_iterations=10'" in hint
                 and "max_iterations=1'" not in hint, f"iteration limit: no hint in {hint!r}")
    quiet = run_job(write_job(folder, JOB), folder / "limit", ranks=1, options=["--quiet"],
                    settings={"solver.method": "conjugate-gradient", "solver.max_iterations": 1})
    checks.equal("iteration limit: --quiet", quiet.err, "")
    zero = run_job(write_job(folder, JOB), folder / "zero", ranks=1, settings={"solver.max_iterations": 0})
    checks.check("larger limit" not in zero.err, f"no iterations: what is meant has a hint: {zero.err}")
    checks.equal("no iterations: exit status", zero.status, 3)
    checks.equal("no iterations: one record", len(zero.history), 1)
    down = run_job(write_job(folder, UNBOUNDED), folder / "down", ranks=2)
    checks.equal(f"unbounded: exit status {down.err}", down.status, 4)
    checks.equal("unbounded: status", down.report and down.report["status"], "unbounded")
    slow = run_job(write_job(folder, SLOW), folder / "slow", ranks=1, settings={"solver.time_limit": "0.5s"})
    checks.equal("time limit: exit status", slow.status, 3)
    checks.equal("time limit: status", slow.report and slow.report["status"], "time_limit")
    checks.check("--set 'solver.time_limit=5'" in slow.err.splitlines()[-1], f"time limit: no hint in {slow.err!r}")
    domain = "minimize: tr(X) - logdet(X)\nvariables: {X: {rows: 4, columns: 4, start: zeros}}\n"
    outside = run_job(write_job(folder, domain), folder / "outside", ranks=2, settings={"solver.method": "l-bfgs"})
    checks.equal("start outside the domain: exit status", outside.status, 1)
    checks.equal("start outside the domain: one error line", outside.err.count(": error: "), 1)
    checks.equal("start outside the domain: status", outside.report and outside.report["status"], "not_finite")
    for objective, operation in (("norm2(X) + tr(X)", "a scalar becomes inf"), ("sum(sqrt(X))", "1./sqrt(X) has entries")):
        root = f"minimize: {objective}\nvariables: {{X: {{rows: 4, columns: 4, start: zeros}}}}\n"
        steep = run_job(write_job(folder, root), folder / "steep", ranks=2)
        checks.equal(f"{objective}: status", steep.report and steep.report["status"], "not_finite")
        checks.check("the gradient is not finite at the start" in steep.err and operation in steep.err,
                     f"{objective} at zero: {steep.err}")


def raw_errors(job, folder, mode):
    """Standard error as bytes: reading it as text would turn carriage returns into line ends."""
    command = [str(ROOT / "scripts" / "mpirun-local"), "1", PROGRAM, "run", str(job), "--output", str(folder / mode),
               "--progress", mode]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True).stderr


def test_settings(checks, folder):
    job = write_job(folder, JOB)
    done = run_job(job, folder / "set", ranks=1, settings={"solver.method": "gradient-descent", "data.mu": "2.5",
                                                           "solver.max_iterations": "7", "data.B.seed": 9})
    checks.equal("--set: method", done.report["method"], "gradient-descent")
    checks.equal("--set: job", done.report["job"]["data"]["mu"], 2.5)
    checks.equal("--set: iterations", done.report["iterations"], 7)
    checks.equal("--set: new key", done.report["job"]["data"]["B"]["seed"], 9)
    quiet = run_job(job, folder / "quiet", ranks=2, options=["--quiet"])
    checks.equal("--quiet: nothing on stderr", quiet.err, "")
    checks.check("converged" in quiet.out, "--quiet: the summary is printed")
    checks.check(b"\r" in raw_errors(job, folder, "live"), "--progress live redraws")
    rows = raw_errors(job, folder, "rows")
    checks.check(b"\r" not in rows and b"iteration" in rows, f"rows: {rows!r}")
    checks.check(b"iteration" not in raw_errors(job, folder, "none"), "no rows")
    run_job(job, folder / "rows", ranks=1)
    twice = run_job(job, folder / "rows", ranks=1)
    checks.equal("running again replaces the history", len(twice.history), twice.report["iterations"] + 1)


def test_signal(checks, folder):
    job = write_job(folder, SLOW)
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        out = folder / f"signal{int(number)}"
        process = subprocess.Popen([PROGRAM, "run", str(job), "--output", str(out)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env=environment_of())
        deadline = time.monotonic() + 20
        history = out / "history.jsonl"
        while time.monotonic() < deadline and not (history.exists() and history.read_text().count("\n") > 3):
            time.sleep(0.05)
        process.send_signal(number)
        try:
            process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        name = signal.Signals(number).name
        checks.equal(f"{name}: exit status", process.returncode, 75)
        report = json.loads((out / "report.json").read_text()) if (out / "report.json").exists() else {}
        checks.equal(f"{name}: status", report.get("status"), "interrupted")
        checks.check(name in report.get("reason", ""), f"{name}: reason {report.get('reason')}")
        checks.check((out / "X.npy").exists(), f"{name}: the variable is written")


def test_failures(checks, folder):
    job = write_job(folder, JOB)
    (folder / "file").write_text("")
    blocked = run_job(job, folder / "file", ranks=2)
    checks.equal("output is a file: exit status", blocked.status, 1)
    checks.check("a file of that name exists" in blocked.err, f"output is a file: {blocked.err}")
    blocked = run(["run", job, "--output", "/proc/nowhere"], ranks=2)
    checks.equal("output cannot be made: exit status", blocked.status, 1)
    checks.equal("output cannot be made: one error line", blocked.err.count(": error: "), 1)
    deep = write_job(folder, JOB.replace("{X: X.npy}", "{X: some/where/X.npy}"))
    checks.equal("variable in a folder of its own: exit status", run_job(deep, folder / "deep", ranks=2).status, 0)
    checks.check((folder / "deep/some/where/X.npy").is_file(), "variable in a folder of its own")
    deep = write_job(folder, JOB.replace("{X: X.npy}", "{X: /proc/nowhere/X.npy}"))
    blocked = run_job(deep, folder / "blocked", ranks=2)
    checks.equal("folder of a variable cannot be made: exit status", blocked.status, 1)
    checks.check("/proc/nowhere" in blocked.err, f"folder of a variable cannot be made: {blocked.err}")
    checks.check(not (folder / "blocked/history.jsonl").exists(), "folder of a variable is made before the iterations")
    huge = JOB.replace("rows: 50, columns: 30", "rows: 1000000, columns: 1000000")
    huge = huge.replace("rows: 50, columns: 4", "rows: 1000000, columns: 4").replace("rows: 30", "rows: 1000000")
    refused = run(["run", write_job(folder, huge)], ranks=2, cwd=folder)
    checks.equal("too much memory: exit status", refused.status, 1)
    found = re.search(r"needs ([\d.]+) TiB of memory per rank, .* is available to each of 2 ranks; (\d+) ranks with as much "
                      r"each would do", refused.err)
    checks.check(found is not None, f"too much memory: {refused.err}")
    # A and A'*A are 8e12 bytes each, half of them on each rank; a preconditioner is made from A'*A.
    checks.check(found is not None and 7.2 < float(found[1]) < 40 and int(found[2]) > 1000, f"too much memory: {refused.err}")
    limited = subprocess.run(["sh", "-c", f"ulimit -v 2000000; exec {PROGRAM} run {write_job(folder, LARGE)}"], text=True,
                             stderr=subprocess.PIPE, cwd=folder, check=False,
                             env=environment_of())
    checks.equal(f"too little address space: exit status {limited.stderr}", limited.returncode, 1)
    checks.check("of memory per rank" in limited.stderr, f"too little address space: {limited.stderr}")
    spoilt = run(["run", write_job(folder, "minimize: sum(log(X))\nvariables: {X: {rows: 3, columns: 3, start: ones, "
                                           "scale: -1}}\n"), "--output", folder / "spoilt"], ranks=2)
    checks.equal("log of a negative number: exit status", spoilt.status, 1)
    checks.check("a scalar becomes nan: sum log(X)" in spoilt.err, f"log of a negative number: {spoilt.err}")
    zero = run(["run", write_job(folder, "maximize: sum(X) - sumsq(X)\nvariables: {X: {rows: 3, columns: 3}}\n"),
                "--output", folder / "zero"], ranks=1)
    checks.check("-0.0" not in (folder / "zero/history.jsonl").read_text(), f"a maximum starts at 0, not -0: {zero.err}")
    at_start = run(["run", write_job(folder, "minimize: sumsq(X)\nvariables: {X: {rows: 3, columns: 3, start: ones}}\n"),
                    "--output", folder / "start", "--set", "solver.max_iterations=0"], ranks=2)
    checks.equal(f"no iterations: exit status {at_start.err}", at_start.status, 3)
    checks.equal("no iterations: the start's objective", json.loads((folder / "start/report.json").read_text())["objective"], 9)
    full = subprocess.run([PROGRAM, "--help"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE, text=True, check=False)
    checks.equal("help to a full disk: exit status", full.returncode, 1)
    checks.check("standard output" in full.stderr, f"help to a full disk: {full.stderr}")


def test_failing_writes(checks, folder):
    """A failing write is reported; nothing half done stays behind, no report of an earlier run, and the rest is written."""
    out = folder / "limited"
    first = run_job(write_job(folder, JOB), out, ranks=0)
    checks.equal(f"before the limit: exit status {first.err}", first.status, 0)
    # The history fits into the limit of a file's size (in units of 512 or 1024 bytes), the variable does not.
    large = JOB.replace("rows: 30, columns: 4", "rows: 30, columns: 40000").replace("rows: 50, columns: 4", "rows: 50, columns: 40000")
    job = write_job(folder, large)
    limited = subprocess.run(["sh", "-c", f"ulimit -f 2000; exec {PROGRAM} run {job} --output {out}"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                             env=environment_of())
    checks.equal(f"ulimit -f: exit status {limited.stderr}", limited.returncode, 1)
    checks.check("X.npy" in limited.stderr and "File too large" in limited.stderr, f"ulimit -f: {limited.stderr}")
    checks.equal("ulimit -f: no temporary file", sorted(os.listdir(out)), ["X.npy", "history.jsonl", "report.json"])
    report = json.loads((out / "report.json").read_text())
    checks.equal("ulimit -f: the report is that of this run", report["job"]["variables"]["X"]["columns"], 40000)
    checks.equal("ulimit -f: the earlier variable stays whole", (out / "X.npy").stat().st_size, 30 * 4 * 8 + 128)
    (out / "report.json").unlink()
    (out / "report.json").mkdir()
    blocked = run(["run", job, "--output", out], ranks=2)
    checks.equal("report is a folder: exit status", blocked.status, 1)
    checks.check("report.json" in blocked.err and blocked.err.count(": error: ") == 1, f"report is a folder: {blocked.err}")


def claimed(folder, claim):
    """A generated matrix that is not what the job says it is."""
    return write_job(folder, f"minimize: tr(X'*A*X)\nvariables: {{X: {{rows: 9, columns: 2, start: normal}}}}\n"
                             f"data:\n  A: {{generate: {claim}}}\n")


def test_properties(checks, folder):
    claims = [("orthogonal, rows: 9, symmetric: true", "declared symmetric", "row "),
              ("minij, rows: 9, diagonal: true", "declared diagonal", "(row 1, column 2) is 1"),
              ("minij, rows: 9, orthogonal: true", "declared orthogonal", "(row 1, column 1)"),
              ("laplacian, rows: 9, scale: -1, spd: true", "declared spd", "Cholesky")]
    for claim, words, place in claims:
        for ranks in (1, 3):
            wrong = run(["check", claimed(folder, claim)], ranks=ranks)
            checks.equal(f"{claim}: exit status", wrong.status, 2)
            checks.check(words in wrong.err and place in wrong.err and "job.yaml:4:3" in wrong.err, f"{claim}: {wrong.err}")
    # The claim takes its matrix out of the plan, and has to be verified all the same.
    vanishing = write_job(folder, "minimize: sumsq(A*X) + tr(X)\nvariables: {X: {rows: 9, columns: 9, start: normal}}\n"
                                  "data:\n  A: {generate: hilbert, rows: 9, orthogonal: true}\n")
    wrong = run(["run", vanishing, "--output", folder / "vanishing"], ranks=2)
    checks.equal("claim that removes its matrix: exit status", wrong.status, 2)
    checks.check("declared orthogonal" in wrong.err, f"claim that removes its matrix: {wrong.err}")
    trusted = run(["check", claimed(folder, "minij, rows: 9, symmetric: true, spd: true, trust: true")], ranks=1)
    checks.equal(f"trust: exit status {trusted.err}", trusted.status, 0)


def test_check(checks, folder):
    for ranks in (0, 2):
        done = run(["check", write_job(folder, JOB)], ranks=ranks)
        checks.equal(f"check on {ranks} ranks: exit status\n{done.err}", done.status, 0)
        for text in ("30 x 4", "50 x 30", "degree 2", "gradient", "Hessian action", "observed order 2.00", "\nok\n"):
            checks.check(text in done.out, f"check does not say {text!r}:\n{done.out}")
        residuals = [float(line.split()[0]) for line in done.out.split("products:")[1].splitlines()[2:] if " x " in line]
        checks.check(len(residuals) >= 2 and all(0 <= r < 2 for r in residuals), f"check: residuals\n{done.out}")
    # A BLAS that returns wrong numbers is found, and its product named.
    for ranks in (0, 2):
        wrong = run(["check", write_job(folder, JOB)], ranks=ranks,
                    environment={"LD_PRELOAD": os.environ["WRONG_DGEMM"], "WRONG_DGEMM_LATE": "1", "ASAN_OPTIONS": "verify_asan_link_order=0"})
        checks.equal(f"wrong dgemm on {ranks} ranks: exit status", wrong.status, 1)
        checks.check(re.search(r"the product .* \* .* of \w+ is wrong: .* residual", wrong.err) is not None,
                     f"wrong dgemm: {wrong.err}{wrong.out}")
    unused = write_job(folder, JOB.replace("  mu: 0.5", "  mu: 0.5\n  nu: 1\n  Z: {file: none.npy}"))
    done = run(["check", unused], ranks=2)
    checks.equal("unused data: exit status", done.status, 0)
    checks.check(done.err.count("warning: nu does not occur") == 1 and "warning: Z does not occur" in done.err,
                 f"unused data: {done.err}")


def test_plan(checks, folder):
    job = write_job(folder, JOB)
    one = run(["plan", job])
    checks.equal(f"plan: exit status\n{one.err}", one.status, 0)
    checks.check("memory" in one.out and "flops" in one.out, f"plan: {one.out}")
    many = run(["plan", job, "--ranks", "16384", "--threads", "4"])
    checks.equal("plan for 16384 ranks: exit status", many.status, 0)
    checks.check(many.processor_seconds < 1, f"plan for 16384 ranks: {many.processor_seconds:.2f} s")
    # Square matrices on a square grid: the products send what no two-dimensional algorithm can go below.
    square = [f"--set={key}=25600" for key in ("variables.X.rows", "variables.X.columns", "data.A.rows",
              "data.A.columns", "data.B.rows", "data.B.columns", "data.C.rows", "data.C.columns")]
    bound = run(["plan", ROOT / "configs" / "quadratic-generated.yaml", "--grid", "10x10", *square])
    rows = {line.split()[0]: line.split() for line in bound.out.splitlines() if line.strip()}
    checks.equal(f"plan: products of an iteration\n{bound.out}", rows["iteration"][1:2], ["2"])
    checks.check("1.00 times the 2-D lower bound" in bound.out, f"plan: lower bound: {bound.out}")
    checks.close("plan: bytes of the bound", float(rows["2-D"][2]), 4 * 8 * 25600**2 * (1 / 10 - 1 / 100), 1e-3)
    # Seven products as on paper, two here: of 2 n^3 each.
    trace = write_job(folder, "minimize: tr(A*B*A'*C)\nvariables: {A: {rows: 40, columns: 40}}\ndata:\n"
                              "  B: {generate: normal, rows: 40, columns: 40, symmetric: true}\n"
                              "  C: {generate: normal, rows: 40, columns: 40, symmetric: true, seed: 2}\n")
    written = run(["plan", trace])
    rows = {line.split()[0]: line.split() for line in written.out.splitlines() if line.strip()}
    words = re.search(r"^as written +(\d+) +(\S+)$", written.out, re.MULTILINE)
    checks.check(words is not None and words[1] == "7", f"plan: products as written\n{written.out}")
    checks.equal("plan: products of the trace", rows["iteration"][1:2], ["2"])
    checks.close("plan: flops as written", float(words[2]), 7 * 2 * 40**3, 1e-2)
    ratio = re.search(r"nothing shared: (\S+) times the flops", written.out)
    checks.close(f"plan: ratio {written.out}", float(ratio[1]), float(words[2]) / float(rows["iteration"][2]), 1e-2)
    machine = folder / "machine.json"
    machine.write_text('{"flops_per_thread": 1e3, "link_bytes": 1, "memory_bytes": 1, "latency_sec": 1}\n')
    slow = run(["plan", job, "--grid", "2x4"], environment={"TRACEGRAD_MACHINE": str(machine)})
    checks.check(f"measured: {machine}" in slow.out, f"plan: machine: {slow.out}{slow.err}")
    machine.write_text('{"flops_per_thread": 1e3}\n')
    broken = run(["plan", job], environment={"TRACEGRAD_MACHINE": str(machine)})
    checks.equal("plan: broken machine: exit status", broken.status, 2)
    checks.check('has no "link_bytes"' in broken.err, f"plan: broken machine: {broken.err}")
    checks.check("grid 2 x 4" in run(["plan", job, "--grid", "2x4"]).out, "plan --grid")
    without = run(["plan", job, "--plan-without", "hoisting", "--plan-without", "images"])
    checks.equal("plan --plan-without: exit status", without.status, 0)
    checks.check(without.out != one.out, "switching optimisations off changes the plan")


def test_plot(checks, folder):
    job = run_job(write_job(folder, JOB), folder / "plot", ranks=1)
    checks.equal("plot: the run", job.status, 0)
    drawn = run(["plot", folder / "plot"])
    checks.equal(f"plot: exit status {drawn.err}", drawn.status, 0)
    checks.check((folder / "plot" / "convergence.svg").read_text().startswith("<?xml"), "plot: SVG")
    checks.equal("plot: PNG", (folder / "plot" / "convergence.png").read_bytes()[:4], b"\x89PNG")
    script = (folder / "plot" / "convergence.gp").read_text()
    checks.check("title 'target'" in script and "minimize " in script and ", converged'" in script, f"plot: the script: {script[-1500:]}")
    # Several runs, one of them under constraints, in one picture of a given size and name.
    bound = run_job(write_job(folder, JOB + "subject_to: ['sum(X) <= -1']\n", "bound.yaml"), folder / "bound", ranks=1)
    checks.check(bound.status in (0, 3), f"plot: the bound run {bound.err}")
    both = run(["plot", folder / "plot", f"{folder}/bound/", "--format", "pdf,png", "--size", "640x480", "--output", folder / "it's both"])
    checks.equal(f"plot of two: exit status {both.err}", both.status, 0)
    checks.equal("plot of two: PDF", (folder / "it's both.pdf").read_bytes()[:4], b"%PDF")
    header = (folder / "it's both.png").read_bytes()[16:24]
    checks.equal("plot of two: size", (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")), (640, 480))
    script = (folder / "it's both.gp").read_text()
    checks.check("'violation'" in script and f"title '{folder}/bound'" in script, f"plot of two: {script[-1500:]}")
    for wrong, words in ((["--format", "jpg"], "unknown format 'jpg'"), (["--size", "12"], "--size takes WxH"), (["--size", "9x9"], "from 100")):
        bad = run(["plot", folder / "plot", *wrong])
        checks.check(bad.status == 2 and words in bad.err, f"plot {wrong}: {bad.err}")
    # The last line in the history of a running job may be unfinished.
    with open(folder / "plot" / "history.jsonl", "a", encoding="utf-8") as history:
        history.write('{"iteration": 99, "objec')
    checks.equal("plot of a running job", run(["plot", folder / "plot"]).status, 0)
    (folder / "plot" / "history.jsonl").write_text("{}\nno record\n")
    bad = run(["plot", folder / "plot"])
    checks.check(bad.status == 2 and "history.jsonl:2" in bad.err, f"plot of garbage: {bad.err}")
    (folder / "plot" / "history.jsonl").write_text("")
    bad = run(["plot", folder / "plot"])
    checks.check(bad.status == 2 and "no iteration" in bad.err, f"plot of nothing: {bad.err}")
    shell = folder / "bin"
    shell.mkdir()
    (shell / "sh").symlink_to(shutil.which("sh"))
    shutil.copy(folder / "min" / "history.jsonl", folder / "plot" / "history.jsonl")
    missing = run(["plot", folder / "plot"], environment={"PATH": str(shell)})
    checks.check(missing.status == 1 and "gnuplot is not found" in missing.err, f"plot without gnuplot: {missing.err}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_help(checks)
        test_environment(checks)
        test_documentation(checks)
        test_run(checks, folder)
        test_many_alone(checks, folder)
        test_unused_keys(checks, folder)
        test_long_names(checks, folder)
        test_maximize(checks, folder)
        test_maximum_reasons(checks, folder)
        test_statuses(checks, folder)
        test_settings(checks, folder)
        test_signal(checks, folder)
        test_failures(checks, folder)
        test_failing_writes(checks, folder)
        test_properties(checks, folder)
        test_check(checks, folder)
        test_plan(checks, folder)
        test_plot(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
