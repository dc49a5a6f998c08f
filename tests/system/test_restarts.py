"""The best of several random starts (solver.restarts): a sum of double wells, whose minima are roots of a cubic."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()

WELLS = """GOAL
variables:
  X: {rows: 3, columns: 1, start: START, seed: 4}
solver: {restarts: 5, gradient_tolerance: 1e-10, method: l-bfgs}
output: {variables: {X: X.npy}}
"""


def wells(X):
    return ((X * X - 1) ** 2).sum() + 0.3 * X.sum()


def levels():
    """Values at the 8 minima: each entry is in its left or its right well."""
    roots = np.sort(np.roots([4, 0, -4, 0.3]).real)
    low, high = wells(roots[0]), wells(roots[2])
    return np.array([(3 - k) * low + k * high for k in range(4)])


def write(folder, name, goal="minimize: sumsq(X.*X - ones) + 0.3*sum(X)", start="normal", more=""):
    job = folder / f"{name}.yaml"
    job.write_text(WELLS.replace("GOAL", goal).replace("START", start) + more)
    return job


def test_best(folder):
    job = write(folder, "wells")
    lists = {}
    for ranks in (1, 2, 4):
        finished = run_job(job, folder / f"wells-{ranks}", ranks=ranks)
        if not checks.equal(f"wells on {ranks} ranks: exit status ({finished.err[-300:]})", finished.status, 0):
            return
        report, attempts = finished.report, finished.report["restarts"]
        checks.equal("wells: seeds", [a["seeds"] for a in attempts], [{"X": 4 + k} for k in range(5)])
        checks.equal("wells: statuses", {a["status"] for a in attempts}, {"converged"})
        values = np.array([a["objective"] for a in attempts])
        for value in values:
            checks.check(abs(levels() - value).min() <= 1e-9, f"wells: {value} is the value of no minimum: {levels()}")
        checks.check(len(set(np.round(values, 6))) > 1, "wells: all attempts end alike: the test tests nothing")
        checks.equal("wells: objective", report["objective"], values.min())
        checks.close("wells: objective at X.npy", wells(np.load(finished.folder / "X.npy")), values.min(), 1e-14)
        checks.equal("wells: iterations are the best one's", report["iterations"], attempts[values.argmin()]["iterations"])
        checks.check("the best of 5 attempts is number" in report["reason"], f"wells: {report['reason']}")
        numbers = [record["iteration"] for record in finished.history]
        checks.equal("wells: history", numbers, list(range(sum(a["iterations"] + 1 for a in attempts))))
        lists[ranks] = values
    for ranks in (2, 4):
        checks.check(abs(lists[ranks] - lists[1]).max() <= 1e-12, f"wells: {ranks} ranks and 1 differ")


def test_single_starts_agree(folder):
    """Attempt k is the run with the seed k further on."""
    job = write(folder, "single")
    several = run_job(job, folder / "several", ranks=1).report
    for k in (0, 2):
        settings = {"variables.X.seed": 4 + k, "solver.restarts": 1}
        one = run_job(job, folder / f"single-{k}", ranks=1, settings=settings).report
        checks.check("restarts" not in one, "a single run lists attempts")
        checks.equal(f"single: attempt {k}", several["restarts"][k]["objective"], one["objective"])


def test_maximize(folder):
    goal = "maximize: -sumsq(X.*X - ones) - 0.3*sum(X)"
    finished = run_job(write(folder, "maximize", goal), folder / "maximize", ranks=2)
    values = [a["objective"] for a in finished.report["restarts"]]
    checks.equal("maximize: objective", finished.report["objective"], max(values))


def test_constrained(folder):
    """With subject_to: the best of the attempts that meet it; on a set: start: feasible."""
    job = write(folder, "subject", more="subject_to: ['sum(X) = 1']\n")
    finished = run_job(job, folder / "subject", ranks=2)
    if checks.equal(f"subject: exit status ({finished.err[-300:]})", finished.status, 0):
        report, X = finished.report, np.load(finished.folder / "X.npy")
        checks.equal("subject: objective", report["objective"], min(a["objective"] for a in report["restarts"]))
        checks.check(abs(abs(X.sum() - 1) - report["subject_to"]["constraints"][0]["violation"]) <= 1e-15,
                     "subject: the violation is another attempt's")
        checks.close("subject: objective at X.npy", wells(X), report["objective"], 1e-13)
    job = write(folder, "set", start="feasible, constraint: unit_columns").read_text().replace("method: l-bfgs", "")
    (folder / "set.yaml").write_text(job)
    finished = run_job(folder / "set.yaml", folder / "set", ranks=2)
    if checks.equal(f"set: exit status ({finished.err[-300:]})", finished.status, 0):
        checks.equal("set: attempts", len(finished.report["restarts"]), 5)
        checks.check(finished.report["constraint_violation"] <= 1e-13, "set: the point has left the set")


def test_cut_short(folder):
    """The limit of time ends the attempts; what was found is returned."""
    finished = run_job(write(folder, "cut"), folder / "cut", ranks=1, settings={"solver.time_limit": 1e-6})
    checks.equal("cut: exit status", finished.status, 3)
    checks.equal("cut: status", finished.report["status"], "time_limit")
    job = write(folder, "falls", "minimize: sum(X.^4) - 3*sum(X.^6)")
    finished = run_job(job, folder / "falls", ranks=1)
    checks.equal("falls: exit status", finished.status, 4)


def test_refusals(folder):
    for name, start, settings, words in (
            ("fixed", "ones", [], ["5 attempts would all begin at the same point", "start: normal"]),
            ("direct", "normal", ["solver.method=auto"], ["the method is direct"]),
            ("none", "normal", ["solver.restarts=0"], ["restarts", "1"])):
        goal = "minimize: sumsq(X) + sum(X)" if name == "direct" else "minimize: sumsq(X.*X - X)"
        job = write(folder, name, goal, start)
        finished = run(["run", job] + [part for setting in settings for part in ("--set", setting)])
        checks.equal(f"{name}: exit status", finished.status, 2)
        for word in words:
            checks.check(word in finished.err, f"{name}: no '{word}' in {finished.err}")
    checks.check("none.yaml" not in finished.err, "the fault of --set is shown in the file")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-restarts-") as temporary:
        folder = Path(temporary)
        for test in (test_best, test_single_starts_agree, test_maximize, test_constrained, test_cut_short, test_refusals):
            test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
