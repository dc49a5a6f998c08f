"""Arrays of the caller, as the library takes them."""

from __future__ import annotations

import ctypes
import math
import numbers
from typing import Any, Optional

import numpy as np

from ._errors import invalid
from ._library import Array

COLUMN_MAJOR, ROW_MAJOR = 0, 1
ON_ALL, ON_ROOT = 0, 1


def is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _as_array(name: str, value: Any) -> np.ndarray:
    if isinstance(value, np.ma.MaskedArray):
        raise invalid(f"{name} is a masked array: fill its gaps, or leave their rows out; a mask as data is the 0-1 matrix M "
                      f"of sumsq(M.*(Y - X))", "data")
    if hasattr(value, "tocsr"):
        raise invalid(f"{name} is a sparse matrix, expected a dense one: {name}.toarray()", "data")
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value)
        except Exception as error:
            raise invalid(f"{name} cannot be taken by DLPack: {error}; expected an array on the CPU, of a type that NumPy has and "
                          f"without a recorded gradient, such as {name}.detach().cpu()", "data") from error
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise invalid(f"{name} is no array: {error}", "data") from error


def _as_float64(name: str, a: np.ndarray) -> np.ndarray:
    kind = a.dtype.kind
    if kind == "c":
        raise invalid(f"{name} is complex, expected real numbers: its real and imaginary parts are two matrices", "data")
    if kind not in "fiub" or a.dtype.itemsize > 8:
        raise invalid(f"{name} has numbers of type {a.dtype}, expected float64 or what it holds exactly", "data")
    converted = np.asarray(a, dtype=np.float64)
    if kind in "iu" and a.dtype.itemsize == 8 and a.size and max(abs(int(a.max())), abs(int(a.min()))) > 2**53:
        raise invalid(f"{name} has whole numbers beyond 2^53, which float64 does not hold exactly", "data")
    return converted


def _refuse_nonfinite(name: str, a: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        if math.isfinite(float(a.sum())):
            return
    bad = np.argwhere(~np.isfinite(a))
    if len(bad):
        place = ", ".join(str(int(i)) for i in bad[0])
        raise invalid(f"{name}[{place}] is {a[tuple(bad[0])]}, expected finite numbers ({len(bad)} of {a.size} are not)", "data")


def matrix(name: str, value: Any) -> np.ndarray:
    """float64 with 1 or 2 axes, finite. The same memory where value has it already; else a copy, converted exactly."""
    a = _as_array(name, value)
    if a.ndim == 0:
        a = a.reshape(1, 1)
    if a.ndim > 2:
        raise invalid(f"{name} has {a.ndim} axes, shape {a.shape}, expected a matrix", "shape")
    if a.size == 0:
        raise invalid(f"{name} is empty, shape {a.shape}", "shape")
    a = _as_float64(name, a)
    _refuse_nonfinite(name, a)
    return a if layout(a) is not None else np.ascontiguousarray(a)


def number(name: str, value: Any) -> float:
    """A finite number."""
    if isinstance(value, np.ndarray):
        value = _as_float64(name, value).item()
    found = float(value)
    if not math.isfinite(found):
        raise invalid(f"{name} is {found}, expected a finite number", "value")
    return found


def shape2(a: np.ndarray) -> tuple[int, int]:
    return (a.shape[0], 1) if a.ndim == 1 else (a.shape[0], a.shape[1])


def layout(a: np.ndarray) -> Optional[tuple[int, int]]:
    """Order and leading dimension, where the numbers need no copy."""
    if not a.flags.aligned or not a.dtype.isnative:
        return None
    rows, columns = shape2(a)
    row, column = (a.strides[0], 8) if a.ndim == 1 else a.strides
    row = row if rows > 1 else 8 * columns
    column = column if columns > 1 else 8
    if a.ndim == 1 or columns == 1:  # a column: rows of one number each, wherever they lie
        return (ROW_MAJOR, row // 8) if row > 0 and row % 8 == 0 else None
    if column == 8 and row % 8 == 0 and row >= 8 * columns:
        return ROW_MAJOR, row // 8
    if (row == 8 or rows == 1) and column % 8 == 0 and column >= 8 * rows:
        return COLUMN_MAJOR, column // 8
    return None


def layout_of(a: np.ndarray) -> tuple[int, int]:
    """The same of an array that matrix has made fit."""
    found = layout(a)
    assert found is not None
    return found


def described(a: Optional[np.ndarray], shape: tuple[int, int], place: int,
              laid: Optional[tuple[int, int]] = None) -> Array:
    """The array for a call. a is None on the ranks that have no numbers; laid is then the layout that rank 0 has."""
    rows, columns = shape
    order, leading = laid if laid is not None else (ROW_MAJOR, columns) if a is None else layout_of(a)
    return Array(ctypes.sizeof(Array), None if a is None else a.ctypes.data, rows, columns, leading, order, place, None)
