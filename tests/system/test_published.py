"""Published optima: regressions, test problems and bounds whose answers stand in books, each with its source in tests/data/published.yaml.

An entry marked `pending` fails today for the reason that stands there: it is shown, and once it is right the mark has to go.
TRACEGRAD_ONLY=hs runs the entries whose names begin so.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy: its threads would wait for one another

import concurrent.futures
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import yaml

from solve_job import solve
from tg_adjoint import Function
from tracegrad_run import ROOT, Checks

DATA = ROOT / "tests" / "data"
EXITS = {"converged": 0, "unbounded": 4}
FEWEST = 80

checks = Checks()


def load_tables():
    tables = {"np": np}
    for path in sorted((DATA / "published").glob("*.txt")):
        names, *rows = path.read_text().splitlines()
        matrix = np.array([row.split() for row in rows], float)
        tables[path.stem] = types.SimpleNamespace(**{name: matrix[:, [k]] for k, name in enumerate(names.split())})
    return tables


def load_mtx(name):
    """A symmetric array of integers in Matrix Market's format."""
    lines = [line for line in (ROOT / "configs" / "data" / f"{name}.mtx").read_text().splitlines() if not line.startswith("%")]
    n = int(lines[0].split()[0])
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n)] = [float(line) for line in lines[1:]]  # the lower triangle by columns is the upper one by rows
    return np.triu(matrix) + np.triu(matrix, 1).T


def evaluated(value, known):
    """A number, rows, or an expression: what it stands for."""
    if not isinstance(value, str):
        return np.array(value, float) if isinstance(value, list) else value
    if value.startswith("nug12"):
        return load_mtx(value)
    return eval(value, dict(known))


def build(entry, tables):
    """(job, arrays, starts, everything known by name) of an entry."""
    known = dict(tables)
    for name, value in entry.get("data", {}).items():
        known[name] = evaluated(value, known)
    variables = {name: dict(value) for name, value in entry.get("variables", {}).items()}
    starts = {name: evaluated(value, known) for name, value in entry.get("starts", {}).items()}
    for name, value in entry.get("scalars", {}).items():
        start, *bounds = value if isinstance(value, list) else [value]
        variables[name] = {"rows": 1, "columns": 1}
        if bounds:
            variables[name]["constraint"] = {"box": bounds}
        starts[name] = np.array([[float(start)]])
    job = {key: entry[key] for key in ("minimize", "maximize", "subject_to", "solver") if key in entry}
    text = " ".join([job.get("minimize", ""), job.get("maximize", ""), str(variables)] + job.get("subject_to", []))
    data = {name: known[name] for name in entry.get("data", {}) if mentioned(name, text)}
    job.update(variables=variables, data={k: float(v) for k, v in data.items() if np.ndim(v) == 0})
    for name, declared in entry.get("declared", {}).items():
        job["data"][name] = declared
    return job, {name: value for name, value in data.items() if np.ndim(value) > 0}, starts, known


def mentioned(name, text):
    words = "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
    return name in words


def nearest(found, entry, known):
    """(the expected optimum nearest to the one found, how far it may be off)."""
    optima = entry["optimum"] if isinstance(entry["optimum"], list) else [entry["optimum"]]
    best = min((float(evaluated(value, known)) for value in optima), key=lambda value: abs(found - value))
    return best, entry["absolute"] if best == 0 else 10.0 ** -entry.get("digits", 7 if "subject_to" in entry else 8) * abs(best)


def faults(entry, solved, known):
    """What is not as published, in words."""
    expected = entry.get("status", "converged")
    if solved.report is None or solved.report["status"] != expected or solved.status != EXITS[expected]:
        ended = solved.report["status"] + ", " + solved.report["reason"] if solved.report else solved.err.strip()[-300:]
        value = f" at {solved.report['objective']!r}" if solved.report else ""
        yield f"exit {solved.status}{value}: {ended}; expected {expected}"
    if solved.report is None or "optimum" not in entry:
        return
    found = solved.report["objective"]
    optimum, tolerance = nearest(found, entry, known)
    if not abs(found - optimum) <= tolerance:
        yield f"objective {found!r}, published {optimum!r}, off by {abs(found - optimum):.1e}, allowed {tolerance:.1e}"
    shapes = {name: value.shape for name, value in solved.values.items()}
    function = Function(entry.get("minimize") or entry["maximize"], shapes, {k: v for k, v in known.items() if isinstance(v, (float, int, np.ndarray))})
    value = function.value(function.join(solved.values))
    if not abs(value - found) <= max(tolerance, 1e-12 * abs(found)):
        yield f"objective {found!r} in the report, {value!r} at the point returned"
    for name, point in entry.get("point", {}).items():
        point = np.array(point, float)
        difference = np.abs(solved.values[name].reshape(point.shape) - point).max()
        if not difference <= 10.0 ** -entry.get("point_digits", 4) * max(np.abs(point).max(), 0.1):
            yield f"{name} is {solved.values[name].ravel()}, published {point.ravel()}"


def trial(folder, name, entry):
    try:
        job, arrays, starts, known = build(entry, load_tables())
        return list(faults(entry, solve(job, arrays, folder / name, entry.get("ranks", 0), starts), known))
    except Exception as error:  # of the entry itself, or a run that does not end
        return [f"{type(error).__name__}: {error}"]


def main():
    entries = yaml.safe_load((DATA / "published.yaml").read_text())
    checks.check(len(entries) >= FEWEST, f"{len(entries)} problems, expected {FEWEST} at least")
    only = os.environ.get("TRACEGRAD_ONLY", "")
    entries = {name: entry for name, entry in entries.items() if name.startswith(only)}
    pending = 0
    with tempfile.TemporaryDirectory(prefix="tracegrad-published-") as temporary, concurrent.futures.ProcessPoolExecutor(2) as pool:
        found = pool.map(trial, [Path(temporary)] * len(entries), entries, entries.values())
        for (name, entry), wrong in zip(entries.items(), found):
            checks.check("source" in entry, f"{name}: no source")
            if "pending" in entry and wrong:
                pending += 1
                print(f"pending: {name} ({entry['pending']}): {'; '.join(wrong)}")
            elif "pending" in entry:
                checks.check(False, f"{name} is right now: take its pending mark away")
            else:
                checks.check(not wrong, f"{name} ({entry['source']}): {'; '.join(wrong)}")
    print(f"{len(entries)} problems, {pending} pending")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
