"""Sweeps: one minimisation for each combination of values, and arrays over the grid."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
from ctypes import byref, c_char_p, c_int
from typing import Any, Iterable, Mapping, Optional, Union

import numpy as np

from ._errors import as_bytes, check, invalid
from ._library import Report, solver
from ._mpi import Ranks
from ._problem import PROPERTIES, Numbers, describe
from ._variables import Variables

Names = Union[str, Iterable[str]]


class Sweep(Variables):
    """What came of a sweep. All arrays have an axis for each key of `over`, in its order.

    axes: the values by key. objective, gradient_norm, seconds: floats; iterations, products: integers; status: texts. A
    variable is an attribute by its name and s["W"]: its entries behind the axes. With folds: scores (an axis of the
    folds behind the others), mean and standard_error of them. best: the values with the lowest mean;
    one_standard_error: the largest ones within a standard error of it. The other arrays have the axis of the folds
    first. Without: best, the values with the lowest objective. sensitivity: {number: {"objective": array, "W": array}}.
    rows: sweep.jsonl as dicts.
    """

    _what = "a sweep"
    axes: dict
    objective: np.ndarray
    gradient_norm: np.ndarray
    iterations: np.ndarray
    products: np.ndarray
    seconds: np.ndarray
    status: np.ndarray
    best: Optional[dict]
    sensitivity: dict
    rows: list

    def __repr__(self) -> str:
        shape = " x ".join(f"{name} ({len(values)})" for name, values in self.axes.items())
        return f"sweep of {shape}: {int(np.sum(self.status == 'converged'))} of {self.status.size} points converged, best {self.best}"


class Tune(Variables):
    """What came of tune. parameters: the numbers found; score, standard_error (with folds), evaluations, fits, reason.

    A variable of the run with these numbers is an attribute by its name and t["W"]; objective and status are its own. rows:
    tune.jsonl as dicts; report: report.json as a dict.
    """

    _what = "what tune found"
    parameters: dict
    score: float
    standard_error: Optional[float]
    evaluations: int
    fits: int
    reason: str
    objective: float
    status: str
    rows: list
    report: dict

    def __repr__(self) -> str:
        found = ", ".join(f"{name} = {value:.6g}" for name, value in self.parameters.items())
        return f"tune: {found}, score {self.score:.6g}, {self.evaluations} evaluations, {self.fits} fits"


def _values(key: str, given: Any) -> Any:
    """A list, or {"logspace": [a, b, n]} as a job file has it."""
    if isinstance(given, Mapping):
        return dict(given)
    found = np.asarray(given).reshape(-1).tolist()
    if not found:
        raise invalid(f"the list of {key} is empty")
    return found


def _write(folder: pathlib.Path, text: str, numbers: Numbers) -> pathlib.Path:
    for name, a in numbers.data.items():
        np.save(folder / f"{name}.npy", a.reshape(a.shape[0], -1))
    for name, a in numbers.starts.items():
        np.save(folder / f"{name}-start.npy", a.reshape(a.shape[0], -1))
    (folder / "job.yaml").write_text(text, encoding="utf-8")
    return folder / "job.yaml"


def _run(ranks: Ranks, job: str, output: str) -> Any:
    library = solver()
    overrides = (c_char_p * 1)(as_bytes("output.directory=" + output))
    report = Report()
    run = library.tracegrad_run
    run.restype = c_int  # the communicator is a pointer of Open MPI and a number of MPICH
    check(library, run(ranks.argument(), as_bytes(job), 1, overrides, byref(report)))
    return report


def _axes(rows: list) -> dict[str, list]:
    """The values of each key in the order of the path, which runs through them one step at a time."""
    found: dict[str, list] = {}
    for row in rows:
        for name, value in row["parameters"].items():
            if value not in found.setdefault(name, []):
                found[name].append(value)
    return found


def _over_grid(rows: list, axes: dict[str, list], read) -> Optional[np.ndarray]:
    """read(row) of all rows, an axis for each key; None where no row has one."""
    found = [read(row) for row in rows]
    first = next((np.asarray(a) for a in found if a is not None), None)
    if first is None:
        return None
    out = np.full((*map(len, axes.values()), *first.shape), np.nan if first.dtype.kind == "f" else 0, dtype=first.dtype)
    for row, a in zip(rows, found):
        if a is not None:
            out[tuple(values.index(row["parameters"][name]) for name, values in axes.items())] = a
    return out


def _file(output: pathlib.Path, row: dict, name: str) -> Optional[np.ndarray]:
    path = output / row.get("folder", "") / name
    return np.load(path) if row.get("folder") and path.exists() else None


def _sensitivity(output: pathlib.Path, rows: list, axes: dict[str, list], names: list[str], variables: Iterable[str]) -> dict:
    def slope(row: dict, k: int) -> Optional[float]:
        path = output / row.get("folder", "") / "report.json"
        found = json.loads(path.read_text(encoding="utf-8")).get("sensitivity", {}) if path.exists() else {}
        value = found["numbers"][k]["objective"] if found else None
        return None if value is None else float(value)

    out: dict[str, dict] = {}
    for k, name in enumerate(names):
        out[name] = {"objective": _over_grid(rows, axes, lambda row, k=k: slope(row, k))}
        for variable in variables:
            out[name][variable] = _over_grid(rows, axes, lambda row, v=variable, n=name: _file(output, row, f"d{v}_d{n}.npy"))
    return out


def _scores(output: pathlib.Path, axes: dict[str, list]) -> dict[str, Any]:
    path = output / "scores.json"
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    points = found["points"]
    values = {name: axes[name] for name in axes if name != "fold"}

    def numbers(read) -> Any:
        return _over_grid(points, values, lambda point: np.array(read(point), dtype=float))

    def chosen(k: Optional[int]) -> Optional[dict]:
        return None if k is None else points[k]["parameters"]

    return {"scores": numbers(lambda p: p["scores"]), "mean": numbers(lambda p: p["mean"]),
            "standard_error": numbers(lambda p: p["standard_error"]), "best": chosen(found["best"]),
            "one_standard_error": chosen(found["one_standard_error"])}


def _read(output: pathlib.Path, variables: list[str], sensitivity: list[str]) -> Sweep:
    rows = [json.loads(line) for line in (output / "sweep.jsonl").read_text(encoding="utf-8").splitlines()]
    axes = _axes(rows)
    number = {key: _over_grid(rows, axes, lambda row, key=key: None if row[key] is None else float(row[key]))
              for key in ("objective", "gradient_norm", "seconds")}
    count = {key: _over_grid(rows, axes, lambda row, key=key: int(row[key])) for key in ("iterations", "products")}
    status = _over_grid(rows, axes, lambda row: np.array(row["status"], dtype="U20"))
    kept = {name: _over_grid(rows, axes, lambda row, n=name: _file(output, row, f"{n}.npy")) for name in variables}
    converged = [row for row in rows if row["exit_status"] == 0 and row["objective"] is not None]
    best = min(converged, key=lambda row: row["objective"])["parameters"] if converged else None
    return Sweep(variables={name: a for name, a in kept.items() if a is not None}, status=status, rows=rows,
                 axes={name: np.array(values) for name, values in axes.items()}, sensitivity=_sensitivity(output, rows, axes, sensitivity, variables),
                 **{"best": best, **number, **count, **_scores(output, axes)})


def sweep(objective: str, over: Optional[Mapping[str, Any]] = None, *, folds: Optional[Mapping[str, Any]] = None,
          sensitivity: Names = (), keep: Optional[Names] = None, data: Optional[Mapping[str, Any]] = None, variables: Any = None,
          start: Any = None, constraints: Optional[Mapping[str, Any]] = None, define: Optional[Mapping[str, str]] = None,
          symmetric: Names = (), spd: Names = (), diagonal: Names = (), orthogonal: Names = (), trust: Names = (),
          options: Optional[Mapping[str, Any]] = None, directory: Union[str, os.PathLike, None] = None, comm: Any = None,
          **given: Any) -> Sweep:
    """Minimises once for each combination of the values: in one run that reads the data once and shares what it can.

    over: {"lam": np.logspace(-2, 2, 9), "solver.memory": [5, 50]}, or {"logspace": [first, last, n]} for the values. folds:
    {"of": ["X", "Y"], "rows": 5, "score": "sumsq(Y - X*W)/sumsq(Y)"}, cross-validation. sensitivity: numbers by which each
    minimum is differentiated. keep: names of variables that are returned; default: all of them. directory: where the files
    of the sweep stay; default: a temporary one that goes. The other keywords are those of minimize; a number that is swept
    need not be given. The result is the same on every rank; comm: all of its ranks must call it, and arrays are rank 0's.
    """
    ranks = Ranks(comm)
    over = dict(over or {})
    if not over and folds is None:
        raise invalid("there is nothing to sweep: give over={'lam': [0.1, 1]} or folds")
    asked = [sensitivity] if isinstance(sensitivity, str) else list(sensitivity)
    properties = dict(zip(PROPERTIES, (symmetric, spd, diagonal, orthogonal, trust)))
    numbers_given = {key: 1.0 for key in over if "." not in key and key not in given and key not in (data or {})}
    with tempfile.TemporaryDirectory(prefix="tracegrad-") as name:
        def make() -> tuple[str, str, list[str]]:
            swept = {key: _values(key, values) for key, values in over.items()}
            description, numbers = describe(objective, maximize=False, given=given, data={**(data or {}), **numbers_given},
                                            variables=variables, start=start, constraints=constraints, subject_to=(), define=define,
                                            options=None, properties=properties)
            kept = list(description.variables) if keep is None else [keep] if isinstance(keep, str) else list(keep)
            # Keys with dots are names here, and no paths: they go behind the rest as they are.
            if swept:
                description.settings["sweep"] = swept
            if folds is not None:
                description.settings["folds"] = dict(folds)
            if asked:
                description.settings["sensitivity"] = asked
            description.settings["keep"] = [*kept, *(["report"] if asked else [])]
            description.settings.update(options or {})
            return str(_write(pathlib.Path(name), description.job(), numbers)), str(directory or pathlib.Path(name) / "results"), kept
        job, output, kept = ranks.of_root(make)
        _run(ranks, job, output)
        return ranks.of_root(lambda: _read(pathlib.Path(output), kept, asked))


def _read_tune(output: pathlib.Path, variables: list[str]) -> Tune:
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (output / "tune.jsonl").read_text(encoding="utf-8").splitlines()]
    found = report["tune"]
    return Tune(variables={name: np.load(output / f"{name}.npy") for name in variables}, rows=rows, report=report,
                objective=report["objective"], status=report["status"],
                **{key: found[key] for key in ("parameters", "score", "standard_error", "evaluations", "fits", "reason")})


def tune(objective: str, over: Mapping[str, float], *, folds: Optional[Mapping[str, Any]] = None, score: Optional[str] = None,
         smallest: Optional[float] = None, largest: Optional[float] = None, evaluations: Optional[int] = None,
         tolerance: Optional[float] = None, data: Optional[Mapping[str, Any]] = None, variables: Any = None, start: Any = None,
         constraints: Optional[Mapping[str, Any]] = None, define: Optional[Mapping[str, str]] = None, symmetric: Names = (),
         spd: Names = (), diagonal: Names = (), orthogonal: Names = (), trust: Names = (),
         options: Optional[Mapping[str, Any]] = None, directory: Union[str, os.PathLike, None] = None, comm: Any = None,
         **given: Any) -> Tune:
    """Finds positive numbers by which a score of the fit is lowest, by its derivatives, and minimises with them.

    over: {"lam": 1.0}, the numbers and what they begin with. folds: {"of": ["X", "Y"], "rows": 5, "score": "sumsq(Y -
    X*W)/sumsq(Y)"}. The score is then the mean over the folds. Or score: an expression on data of its own, among the
    keywords or in data. smallest, largest: bounds of each number; evaluations: of the score, at most; tolerance: done
    when the score may fall by less than this share. directory: where tune.jsonl and the files of the run stay; default:
    a temporary one that goes. The other keywords are those of minimize. The same on every rank; comm: all of its ranks
    must call it.
    """
    ranks = Ranks(comm)
    if not over:
        raise invalid("there is nothing to find: give over={'lam': 1.0}")
    if (folds is None) == (score is None):
        raise invalid("tune needs folds, or score on data that are not fitted to, and not both")
    properties = dict(zip(PROPERTIES, (symmetric, spd, diagonal, orthogonal, trust)))
    asked = {"over": list(over), "score": score, "smallest": smallest, "largest": largest, "evaluations": evaluations, "tolerance": tolerance}
    with tempfile.TemporaryDirectory(prefix="tracegrad-") as name:
        def make() -> tuple[str, str, list[str]]:
            numbers_given = {key: float(value) for key, value in over.items()}
            description, numbers = describe(objective, maximize=False, given=given, data={**(data or {}), **numbers_given}, variables=variables,
                                            start=start, constraints=constraints, subject_to=(), define=define, options=None,
                                            properties=properties, beside=[score] if score is not None else [])
            description.settings["tune"] = {key: value for key, value in asked.items() if value is not None}
            if folds is not None:
                description.settings["folds"] = dict(folds)
            description.settings.update(options or {})
            return (str(_write(pathlib.Path(name), description.job(), numbers)), str(directory or pathlib.Path(name) / "results"),
                    list(description.variables))
        job, output, kept = ranks.of_root(make)
        _run(ranks, job, output)
        return ranks.of_root(lambda: _read_tune(pathlib.Path(output), kept))
