"""Matrices of which each rank holds a part."""

from __future__ import annotations

import ctypes
import operator
from ctypes import byref, c_int, c_void_p
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Union

import numpy as np

from . import _arrays as arrays
from ._errors import Error, invalid
from ._library import Array, solver
from ._mpi import Ranks

PARTS, CYCLIC = 3, 2
Where = Union[slice, tuple[slice, ...]]


class Part:
    """The rectangle of a matrix that this rank holds.

    X=Part(mine, np.s_[10:20]) for rows 10 to 19, np.s_[:, 3:6] for columns, np.s_[10:20, 3:6] for both. Rows must be cut
    alike in all columns, every entry is on one rank, and a rank without entries gives an empty slice or None. All ranks
    give a Part; the size of the whole follows. Of data and start points; in `into` the array gets the result.
    """

    def __init__(self, local: Any, where: Where) -> None:
        self.local, self.where = local, where


class Cyclic:
    """The local part of a block-cyclic matrix, as ScaLAPACK has it: read without a copy where it lies in columns.

    shape: of the whole. block: rows and columns of a block, or one number for both. grid: (rows, columns) of the
    process grid, over the ranks of comm row by row, or column by column with order="column". It may also be the BLACS
    context of a grid that the program has made. source: the process of the first block. Of data and start points; in
    `into` the array, in columns, gets the result.
    """

    def __init__(self, local: Any, shape: tuple[int, int], block: Union[int, tuple[int, int]],
                 grid: Union[tuple[int, int], int], *, order: str = "row", source: tuple[int, int] = (0, 0)) -> None:
        self.local, self.shape, self.grid, self.order, self.source = local, shape, grid, order, source
        self.block = (block, block) if isinstance(block, int) else block


@dataclass(frozen=True)
class Placed:
    """What stands for a part in the keywords: the size of the whole, and the axes a caller sees."""

    shape: tuple[int, int]
    axes: int


def _range(name: str, given: Any, count: int, what: str) -> tuple[int, int]:
    if not isinstance(given, slice) or given.step not in (None, 1):
        raise invalid(f"the {what} of {name} are {given!r}, expected a slice without a step, such as np.s_[10:20]", "shape")
    begin = 0 if given.start is None else operator.index(given.start)
    end = begin + count if given.stop is None else operator.index(given.stop)
    if begin < 0 or end < 0:
        raise invalid(f"the {what} of {name} are {begin}:{end}, expected places from the beginning", "shape")
    if max(0, end - begin) != count:
        raise invalid(f"the {what} of {name} are {begin}:{end}, its part here has {count}", "shape")
    return begin, end


def _matrix(name: str, local: Any) -> Optional[np.ndarray]:
    """As arrays.matrix, which refuses what is empty."""
    if local is None or getattr(local, "size", None) == 0:
        return None
    return arrays.matrix(name, local)


class Held:
    """A part, ready for a call of the library. Of the caller's memory nothing is copied that lies as it should."""

    def __init__(self, ranks: Ranks, name: str, given: Union[Part, Cyclic], is_target: bool) -> None:
        self.name, self.given = name, given
        self.array = self._target() if is_target else _matrix(name, given.local)
        self.shape: tuple[int, int] = (0, 0)
        self.axes = 0 if self.array is None else self.array.ndim
        self.descriptor: Any = None
        if isinstance(given, Part):
            self.begin, self.count, self.end = self._find_rectangle(given)
            return
        check_grid(ranks, given.grid, given.order)
        self.end = (operator.index(given.shape[0]), operator.index(given.shape[1]))
        if self.array is not None and not is_target:
            self.array = np.asfortranarray(self.array)

    def _target(self) -> Optional[np.ndarray]:
        a = self.given.local
        if a is None or getattr(a, "size", None) == 0:
            return None
        if not isinstance(a, np.ndarray) or a.dtype != np.float64 or a.ndim not in (1, 2) or arrays.layout(a) is None or not a.flags.writeable:
            raise invalid(f"into[{self.name!r}] needs a float64 array of NumPy, rows or columns one after the other, to be written to",
                          "data")
        if isinstance(self.given, Cyclic) and arrays.shape2(a)[1] > 1 and arrays.layout_of(a)[0] != arrays.COLUMN_MAJOR:
            raise invalid(f"into[{self.name!r}] must lie in columns: np.empty(shape, order='F')", "data")
        return a

    def _find_rectangle(self, given: Part) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        where = given.where if isinstance(given.where, tuple) else (given.where,)
        where = (*where, slice(None))[:2]
        if self.array is None:
            return (0, 0), (0, 0), (0, 0)
        rows, columns = arrays.shape2(self.array)
        (r0, r1), (c0, c1) = _range(self.name, where[0], rows, "rows"), _range(self.name, where[1], columns, "columns")
        return (r0, c0), (rows, columns), (r1, c1)

    def described(self, problem: Any) -> Array:
        """The array for a call; it and what it points to must live as long as the library may read it."""
        a, pointer = self.array, None if self.array is None else self.array.ctypes.data
        rows, columns = self.shape
        if isinstance(self.given, Part):
            order, leading = (arrays.COLUMN_MAJOR, 0) if a is None else arrays.layout_of(a)
            return Array(ctypes.sizeof(Array), pointer, rows, columns, leading, order, PARTS, None, *self.begin, *self.count)
        g = self.given
        leading = rows  # where nothing lies here, local rows may still be counted
        if a is not None:
            leading = a.strides[1] // 8 if a.ndim == 2 and a.shape[1] > 1 else max(1, a.shape[0])
        context = problem.context_of(g.grid, g.order)
        self.descriptor = (c_int * 9)(1, context, rows, columns, *g.block, *g.source, leading)
        return Array(ctypes.sizeof(Array), pointer, 0, 0, 0, 0, CYCLIC, ctypes.addressof(self.descriptor), 0, 0, 0, 0)


def collect(ranks: Ranks, given: Mapping[str, Any], is_target: bool = False) -> dict[str, Held]:
    """The parts among the values, the same names on all ranks; their sizes follow. A failure of one is that of all."""
    found: dict[str, Held] = {}
    facts: dict[str, tuple[str, tuple[int, int], int]] = {}
    failure: Optional[Exception] = None
    try:
        for name, value in given.items():
            if isinstance(value, (Part, Cyclic)):
                found[name] = held = Held(ranks, name, value, is_target)
                facts[name] = type(value).__name__, held.end, held.axes
            elif is_target:
                raise invalid(f"into[{name!r}] is a {type(value).__name__}, expected a Part or a Cyclic")
    except Exception as error:  # noqa: BLE001 - raised on all ranks
        failure = error
    every = ranks.of_all((facts, failure))
    for _, error in every:
        if error is not None:
            raise error
    for name in sorted({name for names, _ in every for name in names}):
        kinds = {names[name][0] if name in names else None for names, _ in every}
        if len(kinds) != 1:
            raise invalid(f"{name} is a part on some ranks, and no part or another kind on others")
        ends = [names[name][1] for names, _ in every]
        if "Cyclic" in kinds and len(set(ends)) != 1:
            raise invalid(f"the ranks give different shapes of {name}", "shape")
        found[name].shape = (max(m for m, _ in ends), max(n for _, n in ends))
        found[name].axes = max(names[name][2] for names, _ in every)
    return found


def check_grid(ranks: Ranks, grid: Any, order: str) -> None:
    if isinstance(grid, int):
        return
    rows, columns = (operator.index(n) for n in grid)
    if order not in ("row", "column"):
        raise invalid(f"the order of the process grid is {order!r}, expected 'row' or 'column'")
    if rows < 1 or columns < 1 or rows * columns > ranks.size:
        raise invalid(f"the process grid is {rows} x {columns}, there are {ranks.size} ranks")


class Contexts:
    """BLACS contexts over a communicator, one for each process grid."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, str], tuple[c_int, c_int]] = {}

    def of(self, ranks: Ranks, grid: Any, order: str) -> int:
        if isinstance(grid, int):
            return grid
        rows, columns = grid
        key = (rows, columns, order)
        if key not in self._made:
            library = _blacs()
            handle = c_int(library.Csys2blacs_handle(ranks.argument()))
            context = c_int(handle.value)
            library.Cblacs_gridinit(byref(context), order[:1].upper().encode(), rows, columns)
            self._made[key] = (handle, context)
        return self._made[key][1].value

    def free(self) -> None:
        for handle, context in self._made.values():
            if context.value >= 0:
                _blacs().Cblacs_gridexit(context)
            _blacs().Cfree_blacs_system_handle(handle)
        self._made.clear()


def _blacs() -> Any:
    library = solver()
    if not hasattr(library, "Cblacs_gridinit"):
        raise Error("the ScaLAPACK of the library has no BLACS that can be called: give Part instead of Cyclic")
    library.Csys2blacs_handle.restype = c_int
    library.Cblacs_gridinit.argtypes = [c_void_p, ctypes.c_char_p, c_int, c_int]
    return library
