"""Minimisation."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import threading
import time
from ctypes import byref, c_char_p, c_void_p
from typing import Any, Callable, Iterable, Mapping, Optional, Union

import numpy as np

from ._errors import Error, invalid
from ._library import Callback, Constraint, ResultData, solver, text_of
from ._mpi import Ranks
from ._parts import Cyclic, Held, Part, Placed, collect
from ._problem import PROPERTIES, Description, Numbers, Problem, Shape, describe, struct_of
from ._variables import Variables

Names = Union[str, Iterable[str]]
HISTORY = np.dtype([("iteration", np.int64), ("objective", float), ("gradient_norm", float), ("step", float),
                    ("seconds", float), ("products", np.int64)])


class Iteration:
    """An iteration, as a callback gets it: figures, and the current point on request.

    state["W"] is the variable W, whole, on rank 0 (None on the others); on several ranks all must ask for it. Only
    during the call.
    """

    def __init__(self, problem: Problem, shapes: Mapping[str, Shape], figures: Any, point: Any) -> None:
        self.iteration = int(figures.iteration)
        self.objective = float(figures.objective)
        self.gradient_norm = float(figures.gradient_norm)
        self.step = float(figures.step)
        self.seconds = float(figures.seconds)
        self.products = int(figures.products)
        self._problem, self._shapes, self._point = problem, shapes, point

    def __getitem__(self, name: str) -> Any:
        if self._point is None:
            raise Error("the point of an iteration can be read during the callback only")
        if name not in self._shapes:
            raise KeyError(name)
        get = self._problem.library.tracegrad_point_get
        return self._problem.as_given(name, self._problem.fetch(
            self._shapes[name], lambda array: get(self._point, name.encode(), array)))

    @property
    def x(self) -> Any:
        """The variable, or a dict of all of them."""
        found = {name: self[name] for name in self._shapes}
        return found if len(found) != 1 else next(iter(found.values()))

    def __repr__(self) -> str:
        return f"iteration {self.iteration}: f = {self.objective:.10g}, gradient {self.gradient_norm:.3g}"


class Multiplier:
    """An entry of subject_to at the point returned: its text, violation, and multipliers (None but on rank 0).

    L = f + <multipliers, left - right> is stationary at the point.
    """

    def __init__(self, text: str, violation: float, is_kink: bool, values: Any) -> None:
        self.text, self.violation, self.is_kink, self.values = text, violation, is_kink, values

    def __repr__(self) -> str:
        return f"Multiplier({self.text!r}, violation={self.violation:.3g})"


class Result(Variables):
    """How a minimisation ended.

    x: the variable, or a dict of all of them, whole on rank 0, None on the other ranks. Each is an attribute by its
    name as well, r.W, and r["W"]. fun: the objective. status: "converged", "iteration_limit", "time_limit", "stalled",
    "unbounded", "interrupted", "not_finite"; reason: a sentence; success: whether it converged. nit: iterations.
    history: a record array of iteration, objective, gradient_norm, step, seconds, products. report: report.json as a
    dict. multipliers: of subject_to. data_way: how each array was taken, "borrowed" for one without a copy. job: as a
    job file.
    """

    _what = "a result"
    fun: float
    status: str
    reason: str
    method: str
    nit: int
    exit_status: int
    gradient_norm: float
    history: np.recarray
    report: dict
    multipliers: list
    data_way: dict
    job: Optional[str]

    @property
    def x(self) -> Any:
        return self.variables if len(self.variables) != 1 else next(iter(self.variables.values()))

    @property
    def success(self) -> bool:
        return self.status == "converged"

    @property
    def message(self) -> str:
        return self.reason

    def save(self, directory: Union[str, os.PathLike]) -> pathlib.Path:
        """Writes job.yaml and its arrays as NAME.npy: `tracegrad run` does there what was done here. Rank 0."""
        numbers: Optional[Numbers] = self.__dict__.get("_numbers")
        if numbers is None or self.job is None:
            raise Error("this result came from a job file, which is on disk already; of several ranks rank 0 saves")
        split = [*numbers.parts, *numbers.start_parts]
        if split:
            raise Error(f"{', '.join(split)} came in parts, and no rank has the whole: save the arrays yourself, {self.job!r} is the job")
        folder = pathlib.Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        for name, a in numbers.data.items():
            np.save(folder / f"{name}.npy", a.reshape(a.shape[0], -1))
        for name, a in numbers.starts.items():
            np.save(folder / f"{name}-start.npy", a.reshape(a.shape[0], -1))
        (folder / "job.yaml").write_text(self.job, encoding="utf-8")
        return folder / "job.yaml"

    def plot(self, ax: Any = None) -> Any:
        """Objective and gradient norm over the iterations, by matplotlib; the axes."""
        try:
            import matplotlib.pyplot as plt  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            raise ImportError("plot() needs matplotlib: pip install matplotlib") from None
        ax = ax if ax is not None else plt.subplots()[1]
        h = self.history
        ax.semilogy(h.iteration, h.gradient_norm, label="gradient norm")
        ax.semilogy(h.iteration, np.abs(h.objective - self.fun), label="|objective - last|")
        ax.set_xlabel("iteration")
        ax.set_title(f"{self.status}: f = {self.fun:.10g}")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {'x'.join(map(str, np.shape(a))) or 'number'}" for name, a in self.variables.items() if a is not None)
        return (f"{self.status}: f = {self.fun!r} after {self.nit} iterations of {self.method}\n"
                f"  reason    {self.reason}\n  gradient  {self.gradient_norm:.3e}\n  found     {sizes}")


class _Interrupts:
    """While it is entered on the main thread, Ctrl-C sets `pressed` instead of raising KeyboardInterrupt."""

    def __init__(self) -> None:
        self.pressed = False
        self._before: Any = None

    def _press(self, _number, _frame) -> None:
        self.pressed = True

    def __enter__(self) -> "_Interrupts":
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


class _Watch:
    """What is called after each iteration: history, progress, the caller's function."""

    def __init__(self, problem: Problem, shapes: Mapping[str, Shape], callback, progress: bool, interrupts: _Interrupts) -> None:
        self.problem, self.shapes, self.callback, self.interrupts = problem, shapes, callback, interrupts
        self.progress = progress and problem.ranks.rank == 0
        self.rows: list[tuple] = []
        self.error: Optional[BaseException] = None
        self.shown = float("-inf")
        self.width = 0
        self.c = Callback(self.call)

    def call(self, _self, figures, point) -> int:
        try:
            f = figures.contents
            self.rows.append((f.iteration, f.objective, f.gradient_norm, f.step, f.seconds, f.products))
            if self.progress and time.monotonic() - self.shown > 0.1:
                self.show(self.rows[-1])
            stop = False
            if self.callback is not None:
                state = Iteration(self.problem, self.shapes, f, c_void_p(point))
                try:
                    stop = bool(self.callback(state))
                finally:
                    state._point = None
            return int(stop or self.interrupts.pressed)
        except BaseException as error:  # noqa: BLE001 - no exception crosses C; it is raised when the library is back
            self.error = error
            return 1

    def show(self, row: tuple) -> None:
        """120 it [00:03, 41.2 it/s]  f = 1.25, gradient 3.1e-05"""
        iteration, objective, gradient_norm, _, seconds, _ = row
        minutes, rest = divmod(int(seconds), 60)
        rate = f"{iteration / seconds:.3g}" if seconds > 0 else "?"
        line = f"{iteration} it [{minutes:02d}:{rest:02d}, {rate} it/s]  f = {objective:.12g}, gradient {gradient_norm:.3g}"
        self.shown = time.monotonic()
        self.width = max(self.width, len(line))
        print("\r" + line.ljust(self.width), end="", file=sys.stderr, flush=True)

    def raise_error(self) -> None:
        """What the caller's function raised: on the other ranks, which were stopped with it, an error that says so."""
        ranks = self.problem.ranks
        texts = [None if self.error is None else repr(self.error)]
        if ranks.size > 1:
            texts = ranks.comm.allgather(texts[0])
        if self.error is not None:
            raise self.error
        for rank, text in enumerate(texts):
            if text is not None:
                raise Error(f"the callback of rank {rank} raised {text}")

    def end(self) -> None:
        if self.progress and self.rows:
            self.show(self.rows[-1])
            print(file=sys.stderr)


def _report(problem: Problem) -> dict:
    text = c_char_p()
    problem.check(problem.library.tracegrad_problem_report(problem.pointer, byref(text)))
    return json.loads(text_of(text.value))


def _multipliers(problem: Problem, count: int) -> list[Multiplier]:
    library, found = problem.library, []
    for k in range(count):
        c, size = struct_of(Constraint)
        problem.check(library.tracegrad_problem_constraint(problem.pointer, k, size, byref(c)))
        text, violation, is_kink, shape = text_of(c.text), c.violation, bool(c.is_kink), (c.rows, c.columns)
        values = problem.fetch(shape, lambda array: library.tracegrad_problem_multipliers(problem.pointer, k, array))
        found.append(Multiplier(text, violation, is_kink, values))
    return found


def _data_way(problem: Problem) -> dict[str, str]:
    found = {}
    for name in problem.description.shapes if problem.description is not None else ():
        way = c_char_p()
        problem.check(problem.library.tracegrad_problem_data_way(problem.pointer, name.encode(), byref(way)))
        found[name] = text_of(way.value)
    return found


def _take(problem: Problem, shapes: Mapping[str, Shape], into: Mapping[str, Held]) -> dict[str, Any]:
    """The variables of the last minimisation: whole on rank 0, or each rank's part where its array is given."""
    get = solver().tracegrad_problem_get
    found = {}
    for name, shape in shapes.items():
        if name in into:
            problem.check(get(problem.pointer, name.encode(), byref(into[name].described(problem))))
            found[name] = into[name].given.local
        else:
            found[name] = problem.as_given(name, problem.fetch(shape, lambda array: get(problem.pointer, name.encode(), array)))
    return found


def _check_into(into: Mapping[str, Held], shapes: Mapping[str, Shape]) -> None:
    for name, held in into.items():
        if name not in shapes:
            raise invalid(f"into names {name!r}: the variables are {', '.join(shapes)}", "name")
        if held.shape != shapes[name]:
            raise invalid(f"the parts of into[{name!r}] make {held.shape[0]} x {held.shape[1]}, "
                          f"{name} is {shapes[name][0]} x {shapes[name][1]}", "shape")


def _minimise(problem: Problem, callback, progress: bool, into: Optional[Mapping[str, Any]] = None) -> Result:
    targets = collect(problem.ranks, into or {}, is_target=True)
    if callback is not None and not callable(callback):
        raise invalid(f"callback is a {type(callback).__name__}, expected a function")
    library = problem.library
    shapes = problem.variables()
    _check_into(targets, shapes)
    with _Interrupts() as interrupts:
        watch = _Watch(problem, shapes, callback, progress, interrupts)
        problem.check(library.tracegrad_problem_on_iteration(problem.pointer, watch.c, None))
        status = library.tracegrad_problem_minimise(problem.pointer)
        watch.end()
    watch.raise_error()
    problem.check(status)
    c, size = struct_of(ResultData)
    problem.check(library.tracegrad_problem_result(problem.pointer, size, byref(c)))
    found = _take(problem, shapes, targets)
    d: Optional[Description] = problem.description
    return Result(variables=found, fun=c.objective, status=text_of(c.status), reason=text_of(c.reason),
                  method=text_of(c.method), nit=c.iterations, exit_status=c.exit_status, gradient_norm=c.gradient_norm,
                  history=np.array(watch.rows, dtype=HISTORY).view(np.recarray), report=_report(problem),
                  multipliers=_multipliers(problem, c.constraints), data_way=_data_way(problem),
                  job=None if d is None else d.job(), _numbers=problem.numbers if problem.ranks.rank == 0 and d else None)


def _renamed(held: dict[str, Held], names: Iterable[str], alone: str = "") -> dict[str, Held]:
    """By the names of the problem: lambda for lambda_, and the one variable of a start without a name."""
    known = set(names)
    return {name if name in known else name[:-1] or alone: h for name, h in held.items()}


def described_on_root(ranks: Ranks, arguments: Mapping[str, Any]) -> tuple[Description, Numbers]:
    """Rank 0 sorts the keywords; the others learn everything but the numbers of the arrays, of which they may hold parts."""
    start = arguments["start"]
    start = {"": start} if isinstance(start, (Part, Cyclic)) else start
    held = collect(ranks, {**(arguments["data"] or {}), **arguments["given"]})
    held_starts = collect(ranks, start if isinstance(start, Mapping) else {})
    kept: list[Numbers] = []

    def with_places(given: Mapping[str, Any], parts: Mapping[str, Held]) -> dict[str, Any]:
        return {name: Placed(parts[name].shape, parts[name].axes) if name in parts else value for name, value in given.items()}

    def make() -> Description:
        placed = dict(arguments, data=with_places(arguments["data"] or {}, held), given=with_places(arguments["given"], held))
        if isinstance(start, Mapping):
            starts = with_places(start, held_starts)
            placed["start"] = starts.get("", starts)
        description, numbers = describe(**placed)
        kept.append(numbers)
        return description

    description = ranks.of_root(make)
    numbers = kept[0] if kept else Numbers()
    numbers.parts = _renamed(held, description.shapes)
    numbers.start_parts = _renamed(held_starts, description.starts, next(iter(description.variables)))
    return description, numbers


def _optimise(objective: str, maximize: bool, comm: Any, callback, progress: bool, into: Any, arguments: dict[str, Any]) -> Result:
    ranks = Ranks(comm)
    description, numbers = described_on_root(ranks, {"objective": objective, "maximize": maximize, **arguments})
    problem = Problem(ranks)
    try:
        return _minimise(problem.create(description, numbers), callback, progress, into)
    finally:
        problem.destroy()


def minimize(objective: str, *, data: Optional[Mapping[str, Any]] = None, variables: Any = None, start: Any = None,
             constraints: Optional[Mapping[str, Any]] = None, subject_to: Union[str, Iterable[str]] = (),
             define: Optional[Mapping[str, str]] = None, symmetric: Names = (), spd: Names = (), diagonal: Names = (),
             orthogonal: Names = (), trust: Names = (), options: Optional[Mapping[str, Any]] = None, comm: Any = None,
             callback: Optional[Callable[[Iteration], Optional[bool]]] = None, progress: bool = False,
             into: Optional[Mapping[str, Any]] = None, **given: Any) -> Result:
    """Minimises a scalar expression. What is not given is a variable; its size follows from the rest.

    Keywords that are names of the expressions are data: numbers, arrays of one axis (columns) or two, texts (files) or
    {"generate": ...}. float64 arrays are not copied, and must not change during the call. lambda_ is lambda. Other
    keywords are the solver's, by the names of a job file: method="l-bfgs", gradient_tolerance=1e-9, max_iterations=50;
    also output, checkpoint, products and process_grid.

    data: names that cannot be keywords. variables: names, or {"W": (64, 10)}, or {"W": {"start": "normal", "seed": 3}}.
    start: {"W": W0}, or W0 of a single variable. constraints: {"W": "nonnegative"}, {"W": {"box": [0, 1]}}.
    subject_to: ["X*ones = r", "tr(X) <= 1"]. define: parts, {"R": "Y - X*W"}. symmetric, spd, diagonal, orthogonal:
    properties of data, verified unless trust names them too. options: any dotted key of a job file.

    comm: a communicator of mpi4py. Arrays are then whole on rank 0 and may be left out elsewhere, or each rank gives
    its Part or its Cyclic part. Results are whole on rank 0 and None elsewhere, or parts where into={"W": Part(array,
    ...)}. callback: called with an Iteration after each; True stops. Ctrl-C stops at the next iteration. Both end with
    status "interrupted" and the best point. progress: a line of figures on standard error.

    Raises InvalidInput and its kinds for what is wrong with the input, Error for failures while running. A limit that was
    reached is no error: see status.
    """
    properties = dict(zip(PROPERTIES, (symmetric, spd, diagonal, orthogonal, trust)))
    arguments = {"data": data, "variables": variables, "start": start, "constraints": constraints, "subject_to": subject_to,
                 "define": define, "options": options, "properties": properties, "given": given}
    return _optimise(objective, False, comm, callback, progress, into, arguments)


def maximize(objective: str, *, data: Optional[Mapping[str, Any]] = None, variables: Any = None, start: Any = None,
             constraints: Optional[Mapping[str, Any]] = None, subject_to: Union[str, Iterable[str]] = (),
             define: Optional[Mapping[str, str]] = None, symmetric: Names = (), spd: Names = (), diagonal: Names = (),
             orthogonal: Names = (), trust: Names = (), options: Optional[Mapping[str, Any]] = None, comm: Any = None,
             callback: Optional[Callable[[Iteration], Optional[bool]]] = None, progress: bool = False,
             into: Optional[Mapping[str, Any]] = None, **given: Any) -> Result:
    """Makes a scalar expression as large as possible: otherwise like minimize."""
    properties = dict(zip(PROPERTIES, (symmetric, spd, diagonal, orthogonal, trust)))
    arguments = {"data": data, "variables": variables, "start": start, "constraints": constraints, "subject_to": subject_to,
                 "define": define, "options": options, "properties": properties, "given": given}
    return _optimise(objective, True, comm, callback, progress, into, arguments)


def run(path: Union[str, os.PathLike], *, comm: Any = None, options: Optional[Mapping[str, Any]] = None,
        callback: Optional[Callable[[Iteration], Optional[bool]]] = None, progress: bool = False,
        into: Optional[Mapping[str, Any]] = None, **overrides: Any) -> Result:
    """Runs a job file, read on rank 0. overrides are the solver's keys; options any dotted keys, as of `run --set`.

    Files are written where the job, or options, name output.directory.
    """
    problem = Problem(Ranks(comm))
    keys = {**(options or {}), **{f"solver.{name}": value for name, value in overrides.items()}}
    try:
        return _minimise(problem.read_job(os.fspath(path), keys), callback, progress, into)
    finally:
        problem.destroy()
