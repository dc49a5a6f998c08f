"""A problem of the library, described by keywords or by a job file."""

from __future__ import annotations

import ctypes
import operator
from ctypes import byref, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional, Union

import numpy as np

from . import _arrays as arrays
from . import _texts as texts
from ._errors import InvalidInput, as_bytes, check, invalid
from ._library import Array, solver, text_of
from ._mpi import Ranks, is_over
from ._parts import Contexts, Held, Placed

Shape = tuple[int, int]
PROPERTIES = ("symmetric", "spd", "diagonal", "orthogonal", "trust")
TOP = ("process_grid", "products", "checkpoint", "output")


@dataclass
class Description:
    """What all ranks know of a problem: everything but the numbers of its arrays."""

    objective: str
    maximize: bool = False
    define: dict[str, str] = field(default_factory=dict)
    subject_to: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)  #: of the arrays of the data
    layouts: dict[str, tuple[int, int]] = field(default_factory=dict)  #: order and leading dimension of them
    start_layouts: dict[str, tuple[int, int]] = field(default_factory=dict)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)  #: other keys of them
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts: dict[str, tuple[int, ...]] = field(default_factory=dict)  #: shapes of the start points in arrays
    settings: dict[str, Any] = field(default_factory=dict)  #: dotted keys of a job file

    def job(self) -> str:
        """As a job file; arrays are the files NAME.npy, start points NAME-start.npy beside it."""
        tree: dict[str, Any] = {"maximize" if self.maximize else "minimize": self.objective}
        if self.define:
            tree["define"] = dict(self.define)
        if self.subject_to:
            tree["subject_to"] = list(self.subject_to)
        tree["variables"] = {name: dict(keys) for name, keys in self.variables.items()}
        for name in self.starts:
            tree["variables"][name]["start"] = {"file": f"{name}-start.npy"}
        data: dict[str, Any] = dict(self.numbers)
        for name in [*self.shapes, *(name for name in self.data if name not in self.shapes)]:
            file = {"file": f"{name}.npy"} if name in self.shapes else {}
            data[name] = {**file, **self.data.get(name, {})}
        if data:
            tree["data"] = data
        for key, value in self.settings.items():
            place = tree
            *path, last = key.split(".")
            for step in path:
                if not isinstance(place.get(step), dict):
                    place[step] = {}
                place = place[step]
            place[last] = value
        return texts.block(tree)


@dataclass
class Numbers:
    """The arrays of rank 0, empty on the others; the parts of each rank."""

    data: dict[str, np.ndarray] = field(default_factory=dict)
    starts: dict[str, np.ndarray] = field(default_factory=dict)
    parts: dict[str, Held] = field(default_factory=dict)
    start_parts: dict[str, Held] = field(default_factory=dict)


def _variable_keys(name: str, given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, (int, np.integer)):
        return {"rows": int(given), "columns": 1}
    try:
        rows, columns = (*given, 1) if len(given) == 1 else given
        return {"rows": operator.index(rows), "columns": operator.index(columns)}
    except (TypeError, ValueError):
        raise invalid(f"the size of {name} is {given!r}, expected (rows, columns), a number of rows, or keys of a job file") from None


def _size(name: str, given: Any) -> int:
    try:
        found = operator.index(given)
    except TypeError:
        raise invalid(f"a size of {name} is {given!r}, expected a whole number") from None
    if abs(found) >= 2**63:
        raise invalid(f"a size of {name} is {given}, expected less than 2^63")
    return found


def _add_datum(d: Description, numbers: Numbers, name: str, value: Any) -> None:
    if isinstance(value, str):
        d.data[name] = {"file": value}
    elif isinstance(value, Mapping):
        d.data[name] = dict(value)
    elif value is None:
        raise invalid(f"{name} is None, expected a number or an array; leave it out, and it is a variable")
    elif isinstance(value, Placed):
        d.shapes[name] = value.shape
    elif arrays.is_number(value):
        d.numbers[name] = arrays.number(name, value)
    else:
        a = arrays.matrix(name, value)
        if a.size == 1:
            d.numbers[name] = float(a.reshape(-1)[0])
            return
        d.shapes[name], numbers.data[name] = arrays.shape2(a), a
        d.layouts[name] = arrays.layout_of(a)


def _add_start(d: Description, numbers: Numbers, name: str, value: Any) -> None:
    if name not in d.variables:
        raise invalid(f"start of {name!r}: the variables are {', '.join(d.variables)}", "name")
    if isinstance(value, (str, Mapping)):
        d.variables[name]["start"] = dict(value) if isinstance(value, Mapping) else value
        return
    a = None if isinstance(value, Placed) else arrays.matrix(f"the start of {name}", value)
    rows, columns = value.shape if a is None else arrays.shape2(a)
    keys = d.variables[name]
    keys.setdefault("rows", rows)
    keys.setdefault("columns", columns)
    if (keys["rows"], keys["columns"]) != (rows, columns):
        raise invalid(f"the start of {name} is {rows} x {columns}, {name} is {keys['rows']} x {keys['columns']}", "shape")
    if a is None:
        d.starts[name] = (rows, columns)[:value.axes]
        return
    d.starts[name], numbers.starts[name] = () if arrays.is_number(value) else a.shape, a
    d.start_layouts[name] = arrays.layout_of(a)


def _without_underscore(name: str, words: Iterable[str]) -> str:
    """lambda_ stands for lambda, a word of Python."""
    return name[:-1] if name.endswith("_") and name not in words and name[:-1] in words else name


def _sort_keywords(d: Description, numbers: Numbers, words: set[str], given: Mapping[str, Any], names: list[str]) -> None:
    """Names of the texts are data, others options: of the solver, or of the whole job."""
    for keyword, value in given.items():
        name = _without_underscore(keyword, words)
        if name in words:
            _add_datum(d, numbers, name, value)
        elif name in TOP:
            d.settings["output.directory" if name == "output" and isinstance(value, str) else name] = value
        elif isinstance(value, (str, bool, int, float, np.generic, Mapping)):
            d.settings[f"solver.{name}"] = value
        else:
            raise invalid(f"{name} is given, but no expression mentions it; the names are {', '.join(names)}", "name")


def describe(objective: str, *, maximize: bool, given: Mapping[str, Any], data: Optional[Mapping[str, Any]],
             variables: Union[Mapping[str, Any], Iterable[str], None], start: Any,
             constraints: Optional[Mapping[str, Any]], subject_to: Union[str, Iterable[str]],
             define: Optional[Mapping[str, str]], options: Optional[Mapping[str, Any]],
             properties: Mapping[str, Union[str, Iterable[str]]], beside: Iterable[str] = ()) -> tuple[Description, Numbers]:
    """Sorts the keywords of minimize and function; beside: expressions that name data as well, and no variable of their own."""
    if not isinstance(objective, str):
        raise invalid(f"the objective is a {type(objective).__name__}, expected a text")
    relations = [subject_to] if isinstance(subject_to, str) else list(subject_to)
    d = Description(objective, maximize, dict(define or {}), relations)
    numbers = Numbers()
    every = [objective, *relations, *d.define.values(), *beside]
    words = set(texts.identifiers(every))
    words |= {word for value in (constraints or {}).values() for word in texts.words_of(value)}
    _sort_keywords(d, numbers, words, given, texts.plain_names(every))
    for name, value in (data or {}).items():
        _add_datum(d, numbers, name, value)
    known: dict[str, Optional[Shape]] = {**dict.fromkeys(d.numbers, (1, 1)), **dict.fromkeys(d.data), **d.shapes}
    if isinstance(variables, str):
        variables = [name.strip() for name in variables.split(",")]
    sizes = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables or ())
    found = texts.unknown_names(objective, known, d.define)
    d.variables = {name: _variable_keys(name, sizes.get(name)) for name in dict.fromkeys([*found, *sizes])}
    if not d.variables:
        raise invalid(f"every name of {objective!r} is given: nothing is left to be found", "name")
    if isinstance(start, (np.ndarray, str, Placed)) and len(d.variables) == 1:
        start = {next(iter(d.variables)): start}
    for name, value in (start or {}).items():
        _add_start(d, numbers, name, value)
    for name, value in (constraints or {}).items():
        if name not in d.variables:
            raise invalid(f"constraint of {name!r}: the variables are {', '.join(d.variables)}", "name")
        d.variables[name]["constraint"] = value
    _add_properties(d, properties)
    d.settings.update(options or {})
    return d, numbers


def _add_properties(d: Description, properties: Mapping[str, Union[str, Iterable[str]]]) -> None:
    for key, names in properties.items():
        for name in names.split(",") if isinstance(names, str) else names:
            name = name.strip()
            if not name:
                continue
            if name not in d.shapes and name not in d.data:
                raise invalid(f"{key}={name!r}: the matrices given are {', '.join([*d.shapes, *d.data]) or 'none'}", "name")
            d.data.setdefault(name, {})[key] = True


class Problem:
    """Owns a tracegrad_problem, and the arrays it reads."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.library = solver()
        self.pointer = c_void_p()
        self.numbers = Numbers()
        self.description: Optional[Description] = None
        self._contexts = Contexts()

    def context_of(self, grid: Any, order: str) -> int:
        """The BLACS context of a process grid: freed with the problem."""
        return self._contexts.of(self.ranks, grid, order)

    def check(self, status: int) -> None:
        check(self.library, status)

    def create(self, description: Description, numbers: Numbers, place: int = arrays.ON_ROOT) -> "Problem":
        make = self.library.tracegrad_problem_create
        make.restype = c_int
        self.check(make(self.ranks.argument(), byref(self.pointer)))
        self.description, self.numbers = description, numbers
        d = description
        for name, part in d.define.items():
            self.set(f"define.{name}", part)
        for name, value in d.numbers.items():
            self.check(self.library.tracegrad_problem_number(self.pointer, name.encode(), value))
        for name, shape in d.shapes.items():
            if name in numbers.parts:
                array = numbers.parts[name].described(self)
            else:
                array = arrays.described(numbers.data.get(name), shape, self.place(place), d.layouts[name])
            self.check(self.library.tracegrad_problem_data(self.pointer, name.encode(), byref(array)))
        for name, keys in d.data.items():
            if name not in d.shapes:
                self.set(f"data.{name}", keys)
            else:
                for key, value in keys.items():
                    self.set(f"data.{name}.{key}", value)
        for name, keys in d.variables.items():
            self._add_variable(name, keys, place)
        self.check(self.library.tracegrad_problem_objective(self.pointer, as_bytes(d.objective), int(d.maximize)))
        for relation in d.subject_to:
            self.check(self.library.tracegrad_problem_subject_to(self.pointer, as_bytes(relation)))
        for key, value in d.settings.items():
            self._set_option(key, value)
        return self

    def _set_option(self, key: str, value: Any) -> None:
        try:
            self.set(key, value)
        except InvalidInput as error:
            if error.code != "job" or self.description is None:
                raise
            d = self.description
            known = ", ".join([*d.variables, *d.numbers, *d.shapes, *d.data, *d.define])
            raise type(error)(f"{error}\n{key.split('.')[-1]!r} is no name of the expressions either: {known}", error.failures) from None

    def _add_variable(self, name: str, keys: Mapping[str, Any], place: int) -> None:
        rows, columns = (_size(name, keys.get(key, keys.get(other, 0))) for key, other in (("rows", ""), ("columns", "cols")))
        self.check(self.library.tracegrad_problem_variable(self.pointer, name.encode(), rows, columns))
        assert self.description is not None
        if name in self.description.starts:
            if name in self.numbers.start_parts:
                array = self.numbers.start_parts[name].described(self)
            else:
                laid = self.description.start_layouts[name]
                array = arrays.described(self.numbers.starts.get(name), (rows, columns), self.place(place), laid)
            self.check(self.library.tracegrad_problem_start(self.pointer, name.encode(), byref(array)))
        for key, value in keys.items():
            if key not in ("rows", "columns", "cols"):
                self.set(f"variables.{name}.{key}", value)

    def place(self, place: int) -> int:
        return arrays.ON_ALL if self.ranks.size == 1 else place

    def read_job(self, path: str, overrides: Mapping[str, Any]) -> "Problem":
        make = self.library.tracegrad_problem_from_job
        make.restype = c_int
        self.check(make(self.ranks.argument(), c_char_p(as_bytes(path)), byref(self.pointer)))
        for key, value in overrides.items():
            self.set(key, value)
        return self

    def set(self, key: str, value: Any) -> None:
        self.check(self.library.tracegrad_problem_set(self.pointer, as_bytes(key), as_bytes(texts.flow(value))))

    def destroy(self) -> None:
        if self.pointer:
            self.library.tracegrad_problem_destroy(byref(self.pointer))
        if not is_over(solver()):
            self._contexts.free()

    def variables(self) -> dict[str, Shape]:
        """Names and sizes, those that were left open as they follow. Collective."""
        count = c_int(0)
        self.check(self.library.tracegrad_problem_variable_count(self.pointer, byref(count)))
        found = {}
        for k in range(count.value):
            name, rows, columns = c_char_p(), c_int64(), c_int64()
            self.check(self.library.tracegrad_problem_variable_get(self.pointer, k, byref(name), byref(rows), byref(columns)))
            found[text_of(name.value)] = (rows.value, columns.value)
        return found

    def fetch(self, shape: Shape, call) -> Optional[np.ndarray]:
        """A new array on rank 0, filled by call(array); None elsewhere. Collective."""
        a = np.empty(shape) if self.ranks.rank == 0 else None
        array: Array = arrays.described(a, shape, self.place(arrays.ON_ROOT))
        self.check(call(byref(array)))
        return a

    def as_given(self, name: str, a: Optional[np.ndarray]) -> Any:
        """A column as one axis and a single number as a float, where no start point had another shape."""
        if a is None:
            return None
        start = self.description.starts.get(name) if self.description is not None else None
        if start is not None:
            return a.reshape(start) if len(start) else float(a[0, 0])
        if a.shape == (1, 1):
            return float(a[0, 0])
        return a[:, 0] if a.shape[1] == 1 else a


def struct_of(kind):
    out = kind()
    return out, ctypes.sizeof(out)
