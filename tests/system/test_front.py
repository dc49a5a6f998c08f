"""The first hour: sizes left out, numbers as expressions, jobs from standard input, a warm start's tolerance."""

import json
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run, run_job

checks = Checks()


def piped(command, text, *options, ranks=0):
    """`tracegrad COMMAND - OPTIONS` with the job on standard input."""
    launcher = [str(ROOT / "scripts" / "mpirun-local"), str(ranks)] if ranks > 0 else []
    return subprocess.run([*launcher, PROGRAM, command, "-", *map(str, options)], input=text, text=True, capture_output=True,
                          env=environment_of(), timeout=120, check=False)


def uniform(rows, columns, more=""):
    return f"{{generate: uniform, rows: {rows}, columns: {columns}{more}}}"


def spelt(objective, variables, data, relations=()):
    text = f"minimize: {objective}\nvariables: {variables}\n"
    if data:
        text += "data:\n" + "".join(f"  {name}: {what}\n" for name, what in data.items())
    return text + ("subject_to:\n" + "".join(f"  - {entry}\n" for entry in relations) if relations else "")


SYMMETRIC = uniform(6, 6, ", symmetric: true")
METRIC = "{generate: spd, rows: 6, condition: 3, spd: true}"
FOURS, FIVES = "{generate: ones, rows: 5, columns: 1, scale: 4}", "{generate: ones, rows: 4, columns: 1, scale: 5}"

# objective, variables, data, entries of subject_to, sizes
SIZED = [
    ("sumsq(A*X - B)", "{X: {}}", {"A": uniform(8, 5), "B": uniform(8, 3)}, (), "X 5 x 3"),
    ("sumsq(A*X - B)", "{X: }", {"A": uniform(8, 5), "B": uniform(8, 3)}, (), "X 5 x 3"),
    ("sumsq(A*X - B)", "{X: {rows: 5}}", {"A": uniform(8, 5), "B": uniform(8, 3)}, (), "X 5 x 3"),
    ("sumsq(A*X - B)", "{X: {columns: 3, start: normal}}", {"A": uniform(8, 5), "B": uniform(8, 3)}, (), "X 5 x 3"),
    ("sumsq(A*x - b)", "{x: {}}", {"A": uniform(8, 5), "b": uniform(8, 1)}, (), "x 5 x 1"),
    ("sumsq(A*x - B)", "{x: {}}", {"A": uniform(8, 5), "B": uniform(8, 3)}, (), "x 5 x 3"),
    ("sumsq(Y - alpha*Z) + (t - 1)^2", "{alpha: {}, t: {}}", {"Y": uniform(6, 4), "Z": uniform(6, 4)}, (), "alpha 1 x 1, t 1 x 1"),
    ("tr(S*X) - logdet(X)", "{X: {}}", {"S": SYMMETRIC}, (), "X 6 x 6"),
    ("-tr(V'*S*V)", "{V: {columns: 2, constraint: orthonormal_columns}}", {"S": SYMMETRIC}, (), "V 6 x 2"),
    ("sumsq(V)", "{V: {columns: 2, constraint: {orthonormal_columns: {metric: M}}}}", {"M": METRIC}, (), "V 6 x 2"),
    ("sumsq(X)", "{X: {constraint: {transport: [r, c]}}}", {"r": FIVES, "c": FOURS}, (), "X 4 x 5"),
    ("sumsq(X)", "{X: {constraint: {box: [L, 3]}}}", {"L": uniform(4, 5)}, (), "X 4 x 5"),
    ("sumsq(X)", "{X: {columns: 3, constraint: {simplex_rows: s}}}", {"s": FIVES}, (), "X 4 x 3"),
    ("sumsq(X)", "{X: {rows: 3, constraint: {simplex_columns: s}}}", {"s": FIVES}, (), "X 3 x 4"),
    ("sumsq(X)", "{X: {}}", {"B": uniform(4, 5)}, ("X >= B",), "X 4 x 5"),
    ("sumsq(X)", "{X: {}}", {"A": uniform(4, 5), "b": uniform(4, 1)}, ("A*X*ones(3,1) = b",), "X 5 x 3"),
    ("sumsq(X)", "{X: {rows: 4, constraint: symmetric}}", {}, (), "X 4 x 4"),
    ("sumsq(X - 1)", "{X: {columns: 2*2, start: identity}}", {}, (), "X 4 x 4"),
    ("tr(F*X*D*X')", "{X: {constraint: doubly_stochastic}}", {"F": uniform(4, 4), "D": uniform(4, 4)}, (), "X 4 x 4"),
    ("sumsq(M - U*V')", "{U: {columns: 3}, V: {}}", {"M": uniform(9, 7)}, (), "U 9 x 3, V 7 x 3"),
    ("sumsq(kron(A,B)*x - 1)", "{x: {}}", {"A": uniform(3, 4), "B": uniform(2, 2)}, (), "x 8 x 1"),
    ("sumsq(y - X*w - b*ones)", "{w: {}, b: {}}", {"X": uniform(9, 4), "y": uniform(9, 1)}, (), "w 4 x 1"),
    ("sumsq(X*ones - r)", "{X: {columns: 4}}", {"r": uniform(9, 1)}, (), "X 9 x 4"),
]

# The same, with what the message says.
OPEN = [
    ("sumsq(M - U*V')", "{U: {}, V: {}}", {"M": uniform(9, 7)}, (),
     "2:13: error: the size of U stays open: it is 9 x m, V 7 x m, and nothing fixes m; write U: {columns: N}"),
    ("sumsq(X)", "{X: {}}", {}, (), "2:13: error: the size of X stays open: it is m x n, and nothing fixes m and n; write X: {rows: M, columns: N}"),
    ("sumsq(X)", "{X: {constraint: symmetric}}", {}, (), "it is m x m, and nothing fixes m; write X: {rows: M, columns: N}"),
    ("sumsq(Y - Z*W)", "{W: {}}", {"Y": uniform(9, 7)}, (), "1:21: error: unknown name 'Z'"),
    ("sumsq(Y - X*W)", "{W: {}}", {"Y": uniform(9, 7), "X": uniform(8, 3)}, (), "1:21: error: a sum needs equal shapes"),
    ("sumsq(A)", "{X: {}}", {"A": uniform(2, 2)}, (), "2:13: error: the objective does not depend on the variable X"),
    ("sumsq(A*X)", "{X: {rows: 3}}", {"A": uniform(9, 7)}, (), "A*X needs columns(A) = rows(X), found 7 and 3"),
    ("sumsq(X)", "{X: {}}", {"B": uniform(4, 5)}, ("X >= B*C",), "unknown name 'C'"),
]


def test_sizes(folder):
    for objective, variables, data, relations, expected in SIZED:
        found = piped("plan", spelt(objective, variables, data, relations))
        checks.check(found.returncode == 0 and f"sizes {expected}" in found.stdout,
                     f"sizes of {objective}, {variables}: {found.stdout[:120]} {found.stderr[:300]}")
    for objective, variables, data, relations, expected in OPEN:
        for command, ranks in (("plan", 0), *((("check", 2),) if "U*V" in objective else ())):
            found = piped(command, spelt(objective, variables, data, relations), ranks=ranks)
            checks.check(found.returncode == 2 and expected in found.stderr,
                         f"{command} of open sizes of {objective}, {variables}: {found.returncode} {found.stderr[:400]}")
    np.save(folder / "start.npy", np.ones((3, 2)))
    started = piped("plan", f"minimize: sumsq(X)\nvariables: {{X: {{start: {{file: {folder}/start.npy}}}}}}\n")
    checks.check("sizes X 3 x 2" in started.stdout, f"the size of the start's file: {started.stderr}")


def test_runs_without_sizes(folder):
    """The run is that of the job with its sizes, on any number of ranks; report and checkpoint know them."""
    text = ("minimize: sumsq(A*X - B) + norm1(X)/10\nvariables:\n  X: {ROWS}\n"
            "data:\n  A: {generate: normal, rows: 30, columns: 11}\n  B: {generate: normal, rows: 30, columns: 4, seed: 2}\n")
    open_job, full_job = folder / "open.yaml", folder / "full.yaml"
    open_job.write_text(text.replace("ROWS", ""))
    full_job.write_text(text.replace("ROWS", "rows: 11, columns: 4"))
    full = run_job(full_job, folder / "full", ranks=1)
    for ranks in (1, 2, 3, 4, 7):
        found = run_job(open_job, folder / f"open-{ranks}", ranks=ranks, settings={"checkpoint.directory": folder / f"ckpt-{ranks}"})
        if checks.equal(f"sizes left out on {ranks} ranks ({found.err[-300:]})", found.status, 0):
            checks.close(f"the objective on {ranks} ranks", found.report["objective"], full.report["objective"], 1e-12)
            shape = found.report["job"]["variables"]["X"]
            checks.equal(f"the report's sizes on {ranks} ranks", (shape["rows"], shape["columns"]), (11, 4))
    again = run_job(open_job, folder / "open-2", ranks=2, options=["--resume"], settings={"checkpoint.directory": folder / "ckpt-2"})
    checks.equal(f"resumed without sizes: {again.err[-300:]}", again.status, 0)


NUMBERS = {"1/3": 1 / 3, "2/3": 2 / 3, "2*pi": 2 * math.pi, "1e-3*4": 4e-3, "sqrt(2)": math.sqrt(2), "pi": math.pi, "-pi": -math.pi,
           "(1+2)/7": 3 / 7, "2^-3": 0.125, "exp(1)": math.e, "1/sqrt(2*pi)": 1 / math.sqrt(2 * math.pi), "3-1": 2, "log(2)": math.log(2),
           "10^3": 1000, "1/2 + 1/3": 5 / 6}

# The text and the message behind "<stdin>:4:", with the column.
NO_NUMBERS = {"foo": "7: error: data.mu needs a finite number", "lambda/2": "7: error: unknown name 'lambda': a number is written with",
              "1/0": "9: error: division by zero", "2*pie": "9: error: unknown name 'pie'", "sqrt(-1)": "7: error: -1 ^ 0.5 is not a real",
              "sqrt(2": "13: error: expected", "1,5": "7: error: data.mu needs", "nan": "7: error: data.mu needs", "1e999": "7: error: data.mu needs",
              "eye(3)": "7: error: 'eye(3)' is a matrix, expected a number", "a/x2.npy": "7: error: data.mu is the name of a file: write {file: a/x2.npy}",
              "1//2": "9: error: expected a number", "10^400": "7: error: a number in the expression", '"1/3"': "8: error: data.mu needs"}


def test_numbers(folder):
    text = "minimize: sumsq(X - mu)\nvariables: {X: {rows: 2*2, columns: 4/2}}\ndata:\n  mu: NUMBER\n"
    for written, value in NUMBERS.items():
        found = piped("run", text.replace("NUMBER", written), "--output", folder / "number", "--force", "--quiet")
        if checks.equal(f"mu: {written} ({found.stderr})", found.returncode, 0):
            job = json.loads((folder / "number" / "report.json").read_text())["job"]
            checks.close(f"mu: {written}", job["data"]["mu"], value, 4e-16)
            checks.equal("rows and columns", (job["variables"]["X"]["rows"], job["variables"]["X"]["columns"]), (4, 2))
            checks.close(f"X for mu: {written}", np.load(folder / "number" / "X.npy")[3, 1], value, 1e-12)
    for written, expected in NO_NUMBERS.items():
        found = piped("plan", text.replace("NUMBER", written))
        checks.check(found.returncode == 2 and f"<stdin>:4:{expected}" in found.stderr, f"mu: {written}: {found.returncode} {found.stderr}")
    good, bad = text.replace("NUMBER", "1"), {}
    bad["variables.X.rows=7/2"] = "--set variables.X.rows=7/2:1:18: error: variables.X.rows needs a whole number"
    bad["variables.X.rows=1-1"] = "out of range"
    bad["solver.gradient_tolerance=1/0"] = "--set solver.gradient_tolerance=1/0:1:29: error: division by zero"
    bad["solver.max_iterations=5/2"] = "solver.max_iterations"
    bad["variables.X.constraint={box: [1/2, 1/3]}"] = "needs low <= high"
    bad["variables.X.constraint={box: [mi, 1/3]}"] = "'mi' is neither a number nor declared"
    bad["variables.X.constraint={frobenius_ball: 1-2}"] = "needs a positive number"
    for setting, expected in bad.items():
        found = piped("plan", good, "--set", setting)
        checks.check(found.returncode == 2 and expected in found.stderr, f"--set {setting}: {found.returncode} {found.stderr}")
    for setting in ("variables.X.constraint={box: [-1/2, sqrt(2)]}", "variables.X.constraint={box: [mu, pi]}", "solver.gradient_tolerance=10^-6", "solver.max_iterations=10^3",
                    "variables.X.scale=-1/12", "variables.X.constraint={frobenius_ball: 1/2}", "variables.X.constraint={simplex_rows: 1/2}"):
        found = piped("plan", good, "--set", setting)
        checks.equal(f"--set {setting}: {found.stderr}", found.returncode, 0)


def test_standard_input(folder):
    """A job from standard input, which rank 0 reads."""
    text = "minimize: sumsq(X - A)\nvariables: {X: {}}\ndata: {A: {generate: normal, rows: 9, columns: 5}}\n"
    for command, ranks, more in (("plan", 0, ()), ("check", 0, ()), ("check", 3, ()), ("run", 3, ("--output", folder / "piped", "--quiet"))):
        found = piped(command, text, *more, ranks=ranks)
        checks.equal(f"{command} - on {ranks} ranks: {found.stderr[-300:]}", found.returncode, 0)
        wrong = piped(command, text.replace("sumsq", "sumsk"), *more, ranks=ranks)
        checks.check(wrong.returncode == 2 and wrong.stderr.count("<stdin>:1:11: error: unknown function 'sumsk'") == 1,
                     f"{command} - of a misspelt function on {ranks} ranks: {wrong.returncode} {wrong.stderr[-300:]}")


NORMALS = {"A": "{generate: normal, rows: 60, columns: 20}", "B": "{generate: normal, rows: 60, columns: 5, seed: 2}"}
DEFINITE = {"A": "{generate: spd, rows: 20, condition: 10, symmetric: true}"}
DIAGONAL = {**DEFINITE, "D": "{generate: diagonal, rows: 3, condition: 3}"}

# name: objective, keys of X, data, method, entries of subject_to
WARM = {
    "least squares": ("sumsq(A*X - B)", "", NORMALS, "conjugate-gradient", ()),
    "logistic": ("sum(softplus(A*X)) - dot(B, A*X) + sumsq(X)/10", "", NORMALS, "l-bfgs", ()),
    "nonnegative": ("sumsq(A*X - B)", "constraint: nonnegative", NORMALS, "auto", ()),
    "norm1": ("sumsq(A*X - B) + 5*norm1(X)", "", NORMALS, "auto", ()),
    "logdet": ("tr(A*X) - logdet(X)", "", DEFINITE, "l-bfgs", ()),
    "orthonormal": ("tr(X'*A*X*D)", "columns: 3, constraint: orthonormal_columns", DIAGONAL, "l-bfgs", ()),
    "unit columns": ("-tr(X'*A*X) + sumsq(X'*X - eye(3))", "columns: 3, constraint: unit_columns", DEFINITE, "l-bfgs", ()),
    "beside a manifold": ("tr(X'*A*X*D) + sumsq(Y - X)", "columns: 3, constraint: orthonormal_columns", DIAGONAL, "l-bfgs", ()),
    "frank-wolfe": ("-sumsq(A*X - B)", "columns: 5, constraint: simplex_columns", NORMALS, "frank-wolfe", ()),
    "equalities": ("sumsq(A*X - B)", "", NORMALS, "auto", ("X*ones = 0*ones(20,1)",)),
}


def tolerance(report):
    return float(re.search(r"within the tolerance ([0-9.e+-]+)", report["reason"]).group(1))


def test_warm_starts(folder):
    """A run that starts at or near the result of another one has its tolerance, and next to nothing to do."""
    for number, (name, (objective, keys, data, method, relations)) in enumerate(WARM.items()):
        both = "Y" in objective
        names = ["X", "Y"] if both else ["X"]
        text = spelt(objective, f"{{X: {{{keys}START_X}}" + (", Y: {START_Y}}" if both else "}"), data, relations)
        text += f"solver: {{method: {method}, max_iterations: 3000}}\n"
        cold_job = folder / f"{number}.yaml"
        cold_job.write_text(text.replace("START_X", "").replace("START_Y", ""))
        cold = run_job(cold_job, folder / f"{number}-cold", ranks=0, options=["--quiet"])
        if not checks.equal(f"{name}, cold ({cold.err})", cold.status, 0):
            continue
        for change in (0, 1e-9):
            for x in names:
                found = np.load(folder / f"{number}-cold" / f"{x}.npy")
                np.save(folder / f"start-{x}.npy", (1 + change) * found if x == "X" and "constraint" not in keys else found)
            job = folder / f"{number}-warm.yaml"
            job.write_text(text.replace("START_X", f"{', ' if keys else ''}start: {{file: start-X.npy}}").replace("START_Y", "start: {file: start-Y.npy}"))
            warm = run_job(job, folder / f"{number}-warm", ranks=2 if change else 0, options=["--quiet"])
            if checks.equal(f"{name}, warm ({warm.err})", warm.status, 0):
                ratio = tolerance(warm.report) / tolerance(cold.report)
                checks.check(0.1 <= ratio <= 10, f"{name}: the tolerance is {ratio:.1e} times that of the first run")
                checks.check(warm.report["iterations"] <= max(3, 0.3 * cold.report["iterations"]),
                             f"{name}: {warm.report['iterations']} iterations from the solution, {cold.report['iterations']} from afar")


LOGGED = """minimize: sum(softplus(A*X)) - dot(B, A*X) + sumsq(X)
variables: {X: {}}
data: {A: {generate: normal, rows: 90, columns: 20}, B: {generate: uniform, rows: 90, columns: 4, seed: 2}}
"""
FACTORED = """minimize: sumsq(A - U*V') + sumsq(U) + sumsq(V)
variables: {U: {columns: 3, constraint: nonnegative}, V: {}}
data: {A: {generate: uniform, rows: 20, columns: 14}}
solver: {method: alternating, gradient_tolerance: 1.0e-5}
"""


def test_log(folder):
    """Time, calls, flops and bytes of each program and operation, in the report and on stderr where asked for."""
    for name, text, ranks in (("logged", LOGGED, 0), ("logged", LOGGED, 3), ("factored", FACTORED, 2)):
        job = folder / f"{name}.yaml"
        job.write_text(text)
        done = run_job(job, folder / name, ranks=ranks, options=["--quiet", "--log-view"])
        if not checks.equal(f"{name} on {ranks} ranks ({done.err[-300:]})", done.status, 0):
            continue
        report, log = done.report, done.report["log"]
        if name == "logged":
            checks.close(f"flops of the log on {ranks}", sum(part["flops"] for part in log), report["counted"]["flops"], 1e-12)
            checks.close(f"bytes of the log on {ranks}", sum(part["bytes"] for part in log) + 1, report["counted"]["bytes"] + 1, 1e-12)
            gradient = next(part for part in log if part["program"] == "gradient")
            taken = report["evaluations"]["gradients"]
            checks.check(gradient["calls"] >= taken, f"{gradient['calls']} calls of the gradient for {taken} gradients")
        else:
            checks.equal("half-steps in the log", {part.get("variable") for part in log}, {None, "U", "V"})
        for part in log:
            inside = part["operations"]
            checks.check(part["calls"] > 0 and part["imbalance"] >= 1 - 1e-9 and part["seconds"] >= 0, f"{name}: {part['program']}: {part}")
            checks.check(abs(sum(one["flops"] for one in inside) - part["flops"]) <= 1e-9 * max(part["flops"], 1), f"flops inside {part['program']}")
            checks.check(all(one["calls"] <= part["calls"] and one["result"] and one["operation"] for one in inside),
                         f"{name}: operations of {part['program']}: {inside}")
            checks.check(f"\n{part['program']}" in done.err, f"{name}: the table has no {part['program']}")
        checks.check(f"log of {max(ranks, 1)} rank" in done.err and "all programs" in done.err and "ratio" in done.err, f"{name}: {done.err[:200]}")
    silent = run_job(folder / "logged.yaml", folder / "logged", ranks=0, options=["--quiet"])
    checks.equal("without --log-view", silent.err, "")


def test_progress(folder):
    """Rows with their target, rounds and violation; how often is asked for."""
    job = folder / "job.yaml"
    job.write_text(LOGGED)
    every = run_job(job, folder / "out", ranks=0, options=["--progress-interval", "0"])
    heading = re.compile(r"^ +iteration +objective +gradient norm +target +step +seconds$", re.M)
    checks.check(heading.search(every.err), f"heading: {every.err[-600:]}")
    rows = [line.split() for line in every.err.splitlines() if re.match(r" +\d+  ", line)]
    checks.equal("rows", [int(row[0]) for row in rows], list(range(len(every.history))))
    for row, record in zip(rows, every.history):
        checks.close("target of a row", float(row[3]), record["gradient_target"], 1e-2)
    checks.close("the last target", every.history[-1]["gradient_target"], every.report["gradient_target"], 0.5)
    live = run_job(job, folder / "out", ranks=0, options=["--progress", "live", "--progress-interval", "0"])
    checks.check("it/s  remaining\n" in live.err and "  ~" in live.err, f"live: {live.err[-600:]}")
    limited = run_job(job, folder / "out", ranks=0, options=["--progress", "live", "--progress-interval", "0"], settings={"solver.max_iterations": 1})
    checks.check(re.search(r"<= \d+ s", limited.err), f"live with a limit: {limited.err[-600:]}")
    seldom = run_job(job, folder / "out", ranks=0, options=["--progress-interval", "1e9"])
    checks.equal("rows of a long interval", len(re.findall(r"^ +\d+  ", seldom.err, re.M)), 2)
    for wrong in ("-1", "inf", "1x", ""):
        refused = run_job(job, folder / "out", ranks=0, options=["--progress-interval", wrong])
        checks.check(refused.status == 2 and "--progress-interval is a number of seconds" in refused.err, f"--progress-interval {wrong!r}: {refused.err}")
    job.write_text("minimize: sumsq(A*X - B) + sum(exp(X))\nvariables: {X: {}}\n"
                   f"data: {{A: {NORMALS['A']}, B: {NORMALS['B']}}}\nsubject_to:\n  - X*ones <= ones(20,1)\n")
    rounds = run_job(job, folder / "out", ranks=0, options=["--progress-interval", "0"])
    found = [record["round"] for record in rounds.history]
    checks.check(found == sorted(found) and found[0] == 1 and found[-1] == rounds.report["subject_to"]["rounds"], f"rounds of the history: {found}")
    violations = [record["constraint_violation"] for record in rounds.history]
    checks.check(violations[-1] < violations[0] or violations[0] == 0, f"violations of the history: {violations}")
    checks.check("seconds  round  violation" in rounds.err, f"heading of rounds: {rounds.err[-500:]}")
    checks.check("round" not in every.history[0], "rounds without subject_to")


def test_multipliers(folder):
    """The multipliers that are written make the gradient of the Lagrangian vanish, on any number of ranks."""
    rng = np.random.default_rng(5)
    A, B = rng.standard_normal((12, 6)), rng.standard_normal((12, 3))
    np.save(folder / "A.npy", A)
    np.save(folder / "B.npy", B)
    text = ("minimize: sumsq(A*X - B)\nvariables: {X: {}}\ndata: {A: {file: A.npy}, B: {file: B.npy}}\n"
            "subject_to:\n  - sum(X) = 1\n  - X <= 0.2*ones(6,3)\n  - X*ones(3,1) >= -0.1*ones(6,1)\n"
            "solver: {gradient_tolerance: 1.0e-9, constraint_tolerance: 1.0e-9}\noutput: {multipliers: true}\n")
    for sign, ranks in ((1, 0), (1, 3), (-1, 2)):
        job = folder / "job.yaml"
        job.write_text(text if sign > 0 else text.replace("minimize: sumsq(A*X - B)", "maximize: -sumsq(A*X - B)"))
        out = folder / f"out-{ranks}"
        done = run_job(job, out, ranks=ranks, options=["--quiet"])
        if not checks.equal(f"multipliers on {ranks} ranks: {done.err}", done.status, 0):
            continue
        X, m = np.load(out / "X.npy"), [np.load(out / f"multiplier.{k}.npy") for k in (1, 2, 3)]
        gradient = 2 * A.T @ (A @ X - B)
        rest = gradient + m[0].item() * np.ones((6, 3)) + m[1] - m[2].reshape(6, 1) @ np.ones((1, 3))
        checks.check(abs(rest).max() <= 1e-6 * abs(gradient).max(), f"the Lagrangian's gradient on {ranks} ranks: {abs(rest).max():.1e}")
        checks.check(min(m[1].min(), m[2].min()) >= 0 and m[1].max() > 0, f"signs on {ranks} ranks: {m}")
        checks.equal("files in the report", [entry["multiplier"] for entry in done.report["subject_to"]["constraints"]],
                     [f"multiplier.{k}.npy" for k in (1, 2, 3)])
    run_job(job, out, ranks=0, options=["--quiet"], settings={"output.multipliers": "false"})
    checks.equal("stale multipliers", sorted(path.name for path in out.glob("*.npy")), ["X.npy"])
    for settings, expected in (({"solver.restarts": 2, "variables.X.start": "normal"}, "does not go with solver.restarts"),
                               ({"output.variables": "{X: multiplier.2.npy}"}, "multiplier.2.npy of output.multipliers is already the file of another variable")):
        found = run_job(job, folder / "refused", ranks=0, settings=settings)
        checks.check(found.status == 2 and expected in found.err, f"{settings}: {found.err}")
    none = piped("run", "minimize: sumsq(X - 1)\nvariables: {X: {rows: 2, columns: 2}}\noutput: {multipliers: true}\n")
    checks.check(none.returncode == 2 and "<stdin>:3:" in none.stderr and "has no subject_to" in none.stderr, f"no subject_to: {none.stderr}")


def test_json(folder):
    """plan and info in JSON say what they say in words."""
    facts = json.loads(run(["info", "--format", "json"]).out)
    words = run(["info"]).out
    checks.check(facts["versions"]["tracegrad"] in words and facts["cpu"] in words and facts["grid"]["reason"] in words, f"info: {facts}")
    job = folder / "job.yaml"
    job.write_text(LOGGED)
    plan = json.loads(run(["plan", job, "--format", "json", "--ranks", 4, "--threads", 1]).out)
    words = run(["plan", job, "--ranks", 4, "--threads", 1]).out
    checks.equal("plan: sizes", plan["variables"]["X"], {"rows": 20, "columns": 4, "constraint": None})
    checks.equal("plan: grid", plan["grid"]["rows"] * plan["grid"]["columns"], 4)
    checks.check(f"method {plan['method']}" in words, f"plan: method {plan['method']}")
    for program in plan["programs"]:
        row = re.search(rf"^{program['program']} +(\d+) +(\S+) ", words, re.M)
        checks.check(row and int(row[1]) == program["products"] and abs(float(row[2]) - program["flops"]) <= 1e-3 * program["flops"],
                     f"plan: {program['program']}: {row and row[0]}")
        checks.close(f"plan: flops of {program['program']}", sum(one["flops"] for one in program["operations"]) + 1, program["flops"] + 1, 1e-12)
    checks.check(set(plan["iteration"]) <= {program["program"] for program in plan["programs"]}, f"plan: iteration {plan['iteration']}")
    done = run(["check", job, "--format", "json"], ranks=2)
    found = json.loads(done.out)
    checks.equal(f"check: exit status {done.err}", done.status, 0)
    checks.equal("check: sizes", found["variables"]["X"], {"rows": 20, "columns": 4, "constraint": None})
    checks.equal("check: data", (found["data"]["A"]["rows"], found["data"]["A"]["generate"]), (90, "normal"))
    for what in ("gradient", "hessian"):
        checks.check(found[what]["order"] > 1.8 and len(found[what]["rows"]) > 3, f"check: {what}: {found[what]}")
    checks.check(found["products"] and all(0 <= one["residual"] < 30 and " = " in one["result"] for one in found["products"]),
                 f"check: products {found['products']}")
    for command in (["plan", job], ["check", job], ["info"]):
        wrong = run([*command, "--format", "xml"])
        checks.check(wrong.status == 2 and "--format is human or json, found 'xml'" in wrong.err, f"{command[0]} --format xml: {wrong.err}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-front-", dir="/dev/shm") as temporary:
        folder = Path(temporary)
        for test in (test_sizes, test_runs_without_sizes, test_numbers, test_standard_input, test_warm_starts, test_log, test_progress, test_multipliers, test_json):
            (folder / test.__name__).mkdir()
            test(folder / test.__name__)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
