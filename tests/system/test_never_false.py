"""No run says what is not true: small random jobs of many families, each answer examined by a search that shares nothing with the program.

A failure is: `converged` where a better point is near or the global minimum is known to be lower; `unbounded` of what is bounded;
another exit status than the report's; a value that is not the objective's at the point returned; a point outside its set; a worse
point than one that the history holds; a failure (exit 1, 2) of a legal job. Not converging is honest: it is counted, no more.

One job in twelve runs on 2 or 3 ranks. A family in PENDING fails today for the reason that stands there: it is shown, and once it is right the mark has to go.

TRACEGRAD_TRIALS=100 runs so many jobs of each family, TRACEGRAD_FIRST=50 begins at that one, TRACEGRAD_FAMILY=nmf takes one family only,
TRACEGRAD_KEEP=FOLDER keeps the jobs that fail, TRACEGRAD_JOBS is how many run at a time.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy: its threads would wait for one another

import collections
import concurrent.futures
import shutil
import sys
import tempfile
import traceback
import zlib
from pathlib import Path

import numpy as np

from certificate import Space, best_nearby, rounding
from feasible_sets import resolved
from random_jobs import FAMILIES, random_case
from solve_job import solve
from stationarity import Constraint, not_stationary, violation
from tg_adjoint import Function
from tracegrad_run import Checks

TRIALS = int(os.environ.get("TRACEGRAD_TRIALS", "2"))
FIRST = int(os.environ.get("TRACEGRAD_FIRST", "0"))
ONLY = os.environ.get("TRACEGRAD_FAMILY")
KEEP = os.environ.get("TRACEGRAD_KEEP")
EXITS = {"converged": 0, "iteration_limit": 3, "time_limit": 3, "stalled": 3, "unbounded": 4}
JOBS = int(os.environ.get("TRACEGRAD_JOBS", "2"))
GAIN = 1e-6  # of the decrease from the start: less was not to be had
PENDING = {}

checks = Checks()


def warned(report):
    """The run itself says that it is not sure how much is left."""
    return "estimated" in report["reason"] or "ill-conditioned" in report["reason"]


def judge(case, solved, rng):
    """What is false of this answer, or None; and the word by which it is counted."""
    report = solved.report
    if report is None or solved.status not in (0, 3, 4):
        return f"exit {solved.status} for a legal job: {solved.err.strip()[-300:]}", "failed"
    status = report["status"]
    if EXITS.get(status) != solved.status:
        return f"exit {solved.status} beside the status {status}", status
    function = Function(case.minimize, case.shapes, case.data)
    if status == "unbounded":
        return ("unbounded, but the objective is bounded" if case.bounded else None), status
    x = function.join(solved.values)
    if not np.all(np.isfinite(x)):
        return "the point holds entries that are not finite", status
    fx, found = function.value(x), report["objective"]
    noise = rounding(function, x, rng)
    if not abs(fx - found) <= 10 * noise + 1e-11 * abs(fx):
        return f"the objective is {fx!r} at the point returned, not {found!r}", status
    space = Space(function, {**case.implied, **{name: resolved(value, case.data) for name, value in case.constraints.items()}})
    if not space.violation(x) <= 1e-9:
        return f"outside its set by {space.violation(x):.1e}", status
    # Where the expanded form cancels the report says so: the history is as far from the objective as the last value was.
    iterated = report.get("objective_iterated")
    values = [record["objective"] for record in solved.history if record["objective"] is not None]
    last = abs(values[-1] - found) if values else 0  # where that is little the report does not
    blur = 2 * (abs(iterated - found) if iterated is not None else last if last <= 1e-6 * abs(found) else 0)
    blur = max(blur, report["objective_drift"])  # of values carried along from row to row, where they were recomputed
    augmented = "subject_to" in report  # also where norm1 is split: the history is that of the augmented Lagrangian
    # A value below the global minimum is one by rounding alone: no point had it.
    seen = max(min(values), case.best if case.convex and case.best is not None else -np.inf) if values else np.inf
    is_last = bool(values) and values[-1] == min(values)  # it is that point which is returned: its value is as written
    if not augmented and values and not is_last and seen < found - blur - 10 * noise - 1e-11 * max(abs(found), abs(values[0])):
        return f"returned {found!r}, but iteration {int(np.argmin(values))} had {min(values)!r}", status
    if status != "converged":
        return None, status
    constraints = [Constraint(entry, case.shapes, case.data) for entry in case.subject_to]
    if not violation(constraints, x) <= 1e-6:
        return f"the constraints are violated by {violation(constraints, x):.1e}", status
    if constraints:
        wrong = not_stationary(function, space, constraints, x)
        if wrong and not warned(report):
            return f"converged at {fx!r}, but {wrong}", status
    best = case.best
    if not case.subject_to and (best is None or not case.convex):
        best = min(best_nearby(function, space, x, rng)[1], fx)
    if best is None:
        return None, status
    decrease = abs(best) if augmented else max(values[0] - best, 0.0) if values else 0.0
    gain = fx - best
    if gain > GAIN * decrease + 10 * noise and not warned(report):
        share = gain / max(decrease, 1e-300)
        return (f"converged at {fx!r}, but {best!r} is to be had: {share:.1e} of the decrease; "
                f"{report['method']}, {report['iterations']} iterations"), status
    # What the constraints are violated by, within their tolerance, is worth so much to f.
    slack = 10 * violation(constraints, x) * np.linalg.norm(function.gradient(x)[1]) * np.linalg.norm(x) if constraints else 0
    if gain < -1e-6 * max(decrease, abs(best)) - 100 * noise - slack and case.convex:
        return f"{fx!r} is below the global minimum {best!r}: the point or the oracle is wrong", status
    if case.bounded is False:
        return "converged, but the objective is unbounded", status
    return None, status


def describe(case):
    starts = {name: start if isinstance(start, str) else "given" for name, start in case.starts.items()}
    return f"{case.minimize} | {case.constraints} {case.subject_to} {case.solver} {starts}"


def trial(folder, make, number):
    name, case = f"{make.__name__}/{number}", random_case(make, number)
    where = folder / name.replace("/", "-")
    ranks = {0: 2, 1: 3}.get(zlib.crc32(name.encode()) % 24, 0)
    try:
        solved = solve(case.job(), case.arrays(), where, ranks=ranks, starts=case.start_arrays())
        wrong, word = judge(case, solved, np.random.default_rng(number + 1))
    except Exception:  # of the test itself, or a run that does not end
        wrong, word = traceback.format_exc(), "failed"
    if wrong and KEEP:
        shutil.copytree(where, Path(KEEP) / where.name, dirs_exist_ok=True)
    shutil.rmtree(where, ignore_errors=True)
    return name, wrong, word, describe(case)


def main():
    jobs = [(make, number) for number in range(FIRST, FIRST + TRIALS) for make in FAMILIES if ONLY in (None, make.__name__)]
    counts, false = collections.defaultdict(collections.Counter), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="tracegrad-never-false-") as temporary, \
            concurrent.futures.ProcessPoolExecutor(JOBS) as pool:
        for name, wrong, word, text in pool.map(trial, [Path(temporary)] * len(jobs), *zip(*jobs)):
            family = name.split("/")[0]
            counts[family][word] += 1
            false[family] += bool(wrong)
            if wrong and family in PENDING:
                print(f"pending: {name}: {wrong}\n    {text}", flush=True)
            else:
                checks.check(not wrong, f"{name}: {wrong}\n    {text}")
    if "TRACEGRAD_TRIALS" not in os.environ and not ONLY:
        for family in PENDING:
            checks.check(false[family] > 0, f"{family} is right now: take its mark out of PENDING")
    for family in sorted(counts):
        words = ", ".join(f"{number} {word}" for word, number in sorted(counts[family].items()))
        print(f"{family}: {words}" + (f"; {false[family]} false" if false[family] else ""))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
