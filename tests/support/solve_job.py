"""Runs a job that is a mapping with its matrices in memory: writes both into a folder and reads the answer back."""

import collections
import json
from pathlib import Path

import numpy as np
import yaml

from tracegrad_run import run_job

Solved = collections.namedtuple("Solved", "status err out report history values")


def write_job(job, arrays, folder, starts=None):
    """`arrays` are data, `starts` start points, by name; a mapping in job['data'] may add what is declared of a matrix."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    job = json.loads(json.dumps(job))  # a copy: every number that NumPy made becomes Python's
    data = job.setdefault("data", {})
    for name, value in arrays.items():
        np.save(folder / f"{name}.npy", np.asfortranarray(np.atleast_2d(np.asarray(value, float))))
        data[name] = {**(data.get(name) or {}), "file": f"{name}.npy"}
    for name, value in (starts or {}).items():
        np.save(folder / f"{name}-start.npy", np.asfortranarray(np.atleast_2d(np.asarray(value, float))))
        job["variables"][name]["start"] = {"file": f"{name}-start.npy"}
    job["output"] = {"variables": {name: f"{name}-result.npy" for name in job["variables"]}}
    if not data:
        del job["data"]
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job, sort_keys=False, width=1000))
    return path


def solve(job, arrays, folder, ranks=0, starts=None, timeout=400):
    """The run's exit status, report, history and variables. ranks = 0: without mpirun."""
    folder = Path(folder)
    path = write_job(job, arrays, folder, starts)
    finished = run_job(path, folder / "results", ranks=ranks, options=("--progress", "none"), timeout=timeout)
    values = {}
    for name in job["variables"]:
        result = folder / "results" / f"{name}-result.npy"
        if result.exists():
            values[name] = np.load(result).reshape(size(job["variables"][name]), order="F")
    return Solved(finished.status, finished.err, finished.out, finished.report, finished.history, values)


def size(variable):
    return variable["rows"], variable["columns"]
