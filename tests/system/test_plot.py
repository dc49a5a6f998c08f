"""The pictures of `plot`, by the numbers in their scripts: attempts and rounds, time, scaling, Taylor remainders, matrices."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from tracegrad_run import ROOT, Checks, run, run_job

checks = Checks()


def block(script, name):
    """The rows of a data block of a script for gnuplot, split at blanks."""
    lines = script.split(f"${name} << EOD\n")[1].split("EOD\n")[0].splitlines()
    return [line.split() for line in lines]


def plot(arguments, name):
    """The script of a picture that must come out as SVG."""
    finished = run(["plot", *arguments, "--format", "svg"])
    checks.equal(f"plot {arguments}: exit status ({finished.err})", finished.status, 0)
    checks.check(Path(f"{name}.svg").read_text().startswith("<?xml"), f"{name}.svg is no picture")
    return Path(f"{name}.gp").read_text()


def refused(what, arguments, says, status=2):
    finished = run(["plot", *arguments])
    checks.equal(f"{what}: exit status", finished.status, status)
    checks.check(says in finished.err, f"{what}: {finished.err!r} does not say {says!r}")


def test_beginnings(folder):
    """Attempts are curves of their own, rounds have lines."""
    job = folder / "attempts.yaml"
    job.write_text("minimize: sumsq(S - X*X')\nvariables: {X: {rows: 6, columns: 2}}\n"
                   "data: {S: {generate: spd, rows: 6, condition: 10}}\nsolver: {method: l-bfgs, restarts: 3}\n")
    finished = run_job(job, folder / "attempts", ranks=1)
    attempts = [record["attempt"] for record in finished.history]
    checks.equal("attempts of the history", sorted(set(attempts)), [1, 2, 3])
    checks.equal("they follow one another", attempts, sorted(attempts))
    for entry, k in zip(finished.report["restarts"], (1, 2, 3)):
        checks.equal(f"records of attempt {k}", attempts.count(k), entry["iterations"] + 1)
    script = plot([folder / "attempts"], folder / "attempts" / "convergence")
    checks.equal("attempts: gaps in the curve", sum(row == [] for row in block(script, "run0")), 2)
    checks.equal("attempts: lines in six panels", script.count("\nset arrow"), 12)
    job.write_text("minimize: sumsq(X - A)\nsubject_to: [\"X*ones(3,1) = ones(4,1)\"]\nvariables: {X: {rows: 4, columns: 3}}\n"
                   "data: {A: {generate: normal, rows: 4, columns: 3}}\nsolver: {method: l-bfgs}\n")
    finished = run_job(job, folder / "rounds", ranks=1)
    rounds = [record["round"] for record in finished.history]
    begins = sum(a != b for a, b in zip(rounds, rounds[1:]))
    script = plot([folder / "rounds"], folder / "rounds" / "convergence")
    checks.check(begins > 0, "rounds: there is one round alone")
    checks.equal("rounds: lines in nine panels", script.count("\nset arrow"), 9 * begins)
    checks.check("round begins" in script, "rounds: no legend")
    script = plot([folder / "rounds", "--by", "products", "--log-x", "--y-range", "1e-9:", "--output", folder / "one"], folder / "one")
    checks.equal("--by: panels", script.count("set xlabel"), 3)
    checks.check("set yrange [1e-9:]" in script and "set logscale x" in script, "axes are not those asked for")


def test_time(folder):
    finished = run_job(ROOT / "configs" / "factorise-digits.yaml", folder / "time", ranks=2)
    kinds = {}
    for program in finished.report["log"]:
        for operation in program["operations"]:
            kinds[operation["kind"]] = kinds.get(operation["kind"], 0) + operation["seconds"]
    checks.check({"product AB", "product A'B", "product AB'"} <= set(kinds), f"time: kinds of work are {sorted(kinds)}")
    script = plot([folder / "time", "--what", "time"], folder / "time" / "time")
    shown = {line.split('"')[1]: float(line.split('"')[2]) for line in script.split("$time << EOD\n")[1].split("EOD\n")[0].splitlines()}
    for kind, seconds in kinds.items():
        checks.close(f"time: seconds of {kind}", shown[kind], seconds, 1e-12)
    seconds = finished.report["seconds"]
    for name, phase in (("reading", "read"), ("setup", "setup"), ("writing", "write")):
        checks.close(f"time: {name}", shown[name], seconds[phase], 1e-12)
    inside = sum(program["seconds"] for program in finished.report["log"])
    checks.close("time: what the programs leave", shown["method, set, vectors"], max(0, seconds["solve"] - inside), 1e-9)
    checks.check("$sent" in script and "libraries" in script, "time: no messages or no memory")
    (folder / "time" / "report.json").write_text("{}")
    refused("a report without a log", [folder / "time", "--what", "time"], "has no log of a run")
    refused("two folders", [folder / "time", folder / "time", "--what", "time"], "draws one run, found 2 folders")
    refused("no report", [folder / "nowhere", "--what", "time"], "nowhere/report.json")


def test_scaling(folder):
    """Seconds over cores, from reports of known numbers."""
    runs = {1: 8.0, 2: 5.0, 4: 2.5}
    for ranks, seconds in runs.items():
        (folder / f"on{ranks}").mkdir()
        (folder / f"on{ranks}" / "report.json").write_text(json.dumps(
            {"ranks": ranks, "threads": 2, "seconds": {"solve": seconds}, "job": {"minimize": "sumsq(X)"}}))
    folders = [folder / f"on{ranks}" for ranks in (4, 1, 2)]
    rows = block(plot([*folders, "--what", "scaling", "--output", folder / "scaling"], folder / "scaling"), "runs")
    checks.equal("scaling", [[float(number) for number in row] for row in rows],
                 [[2, 8, 8, 1], [4, 5, 4, 0.8], [8, 2.5, 2, 0.8]])
    refused("scaling of one run", [folders[0], "--what", "scaling"], "at least two numbers of cores, found 8 alone")
    report = json.loads((folder / "on4" / "report.json").read_text())
    report["job"]["minimize"] = "sumsq(X) + 1"
    (folder / "on4" / "report.json").write_text(json.dumps(report))
    refused("scaling of two objectives", [*folders, "--what", "scaling"], "runs of one objective")


def test_taylor(folder):
    finished = run(["check", ROOT / "configs" / "factorise-digits.yaml", "--format", "json"])
    (folder / "check.json").write_text(finished.out)
    script = plot([folder / "check.json"], folder / "check")
    rows = json.loads(finished.out)["gradient"]["rows"]
    for row, shown in zip(rows, block(script, "gradient")):
        checks.equal("Taylor: step", float(shown[0]), row["t"])
        checks.equal("Taylor: remainder", float(shown[1]), row["remainder"])
        checks.close("Taylor: slope 2", float(shown[2]), rows[0]["remainder"] * (row["t"] / rows[0]["t"]) ** 2, 1e-12)
    (folder / "other.json").write_text('{"gradient": {"rows": []}}')
    refused("no remainders", [folder / "other.json"], "holds no Taylor remainders")
    (folder / "broken.json").write_text("{")
    refused("no JSON", [folder / "broken.json"], "cannot read")


def test_matrix(folder):
    generator = np.random.default_rng(5)
    matrix = generator.standard_normal((7, 4))
    np.save(folder / "M.npy", matrix)
    script = plot([folder / "M.npy"], folder / "M")
    cells = np.array(block(script, "cells"), float)
    checks.check(np.allclose(cells, matrix, rtol=1e-4), "matrix: the cells are not its entries")
    values = [float(row[1]) for row in block(script, "values")]
    checks.check(np.allclose(values, np.linalg.svd(matrix)[1], rtol=1e-12), "matrix: singular values")
    large = generator.random((1601, 1600))
    np.save(folder / "large.npy", large)
    script = plot([folder / "large.npy"], folder / "large")
    cells = np.array(block(script, "cells"), float)
    checks.equal("a large matrix: cells", cells.shape, (400, 400))
    groups = np.arange(1601) * 400 // 1601
    means = np.array([[large[groups == i][:, 4 * j:4 * j + 4].mean() for j in range(3)] for i in range(3)])
    checks.check(np.allclose(cells[:3, :3], means, rtol=1e-4), "a large matrix: means of blocks")
    checks.check("$values" not in script, "a large matrix: singular values")
    np.save(folder / "nan.npy", np.array([[1.0, np.nan]]))
    refused("a matrix with NaN", [folder / "nan.npy"], "nan.npy")
    refused("no such matrix", [folder / "none.npy"], "none.npy")


def test_legends(folder):
    """The legend stands under the title, a long title has lines of its own, few points have marks, and nothing warns."""
    job = folder / "one.yaml"
    job.write_text("minimize: sumsq(X - A) + 0*tr(X*X') + 0*sumsq(X*X'*X) + sumsq(2*X - 2*A)\nvariables: {X: {rows: 4, columns: 3}}\n"
                   "data: {A: {generate: normal, rows: 4, columns: 3}}\n")
    for name, settings in (("one", {}), ("none", {"solver.max_iterations": 0})):
        run_job(job, folder / name, ranks=1, settings=settings)
        finished = run(["plot", folder / name, "--format", "svg,png,pdf", "--size", "400x400"])
        checks.equal(f"{name}: warnings of gnuplot", finished.err, "")
    script = (folder / "one" / "convergence.gp").read_text()
    title = next(line for line in script.splitlines() if line.startswith("set multiplot"))
    checks.check(title.count("\\n") >= 3 and "'minimize sumsq(X - A)" in title, f"a long title is one line: {title}")
    checks.check(set(re.findall('"([^"]*)"', title)) <= {"\\n", "\\n "}, f"gnuplot reads what is in double quotes: {title}")
    checks.check("set key at screen 0.5" in script and "linespoints pointtype 7" in script, "no legend under the title, or no marks")
    ticks = [float(line.split()[-1]) for line in script.splitlines() if line.startswith("set xtics nomirror ")]
    checks.equal("ticks of whole iterations and products", [tick for tick in ticks[:4] if tick % 1], [])
    narrow = plot([folder / "one", "--by", "iterations", "--size", "120x400", "--output", folder / "narrow"], folder / "narrow")
    checks.check(" ...'" in narrow, "a title of more than three lines is not cut")
    wide = plot([folder / "one", folder / "none", "--output", folder / "wide"], folder / "wide")
    checks.check("maxrows 1 " in wide, "two folders need two lines of a legend")


def test_options(folder):
    refused("--what", [folder, "--what", "speed"], "convergence, time or scaling, found 'speed'")
    refused("--by", [folder, "--by", "iterations,hours"], "found 'hours'")
    for text in ("1", "a:b", "2:1", "1:2;system('true')", "nan:1", "0x1:2"):
        refused(f"--x-range {text}", [folder, "--x-range", text], "takes LOW:HIGH")


def main():
    if shutil.which("gnuplot") is None:
        print("there is no gnuplot")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        test_beginnings(folder)
        test_time(folder)
        test_scaling(folder)
        test_taylor(folder)
        test_matrix(folder)
        test_legends(folder)
        test_options(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
