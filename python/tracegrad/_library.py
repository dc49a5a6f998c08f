"""The two shared libraries: the calculus, and what minimises. Each is loaded when it is first needed."""

from __future__ import annotations

import ctypes
import functools
import os
import pathlib
import warnings
from ctypes import POINTER, Structure, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p

from ._errors import CFailure


class Size(Structure):
    _fields_ = [("number", c_int64), ("text", c_char_p)]


class Symbol(Structure):
    _fields_ = [("name", c_char_p), ("rows", Size), ("columns", Size), ("properties", c_uint32), ("wrt", c_int32)]


class Array(Structure):
    _fields_ = [("size", c_size_t), ("numbers", c_void_p), ("rows", c_int64), ("columns", c_int64),
                ("leading_dimension", c_int64), ("order", c_int32), ("place", c_int32), ("descriptor", c_void_p),
                ("row_begin", c_int64), ("column_begin", c_int64), ("local_rows", c_int64), ("local_columns", c_int64)]


class Figures(Structure):
    _fields_ = [("iteration", c_int64), ("objective", c_double), ("gradient_norm", c_double), ("step", c_double),
                ("seconds", c_double), ("products", c_int64)]


class Report(Structure):
    _fields_ = [("status", ctypes.c_char * 32), ("exit_status", c_int), ("reason", ctypes.c_char * 512), ("objective", c_double),
                ("gradient_norm", c_double), ("iterations", c_int64), ("products", c_int64), ("seconds", c_double)]


class Constraint(Structure):
    _fields_ = [("text", c_char_p), ("is_kink", c_int32), ("reserved", c_int32), ("violation", c_double),
                ("size", c_double), ("multiplier_norm", c_double), ("rows", c_int64), ("columns", c_int64)]


# tracegrad_result begins with seven texts, then six numbers of 32 bits: what is read of it. The rest is in the report.
class ResultData(Structure):
    _fields_ = ([(name, c_char_p) for name in ("status", "reason", "method", "method_reason", "line_search", "preconditioner",
                                               "stopping_measure")]
                + [(name, c_int32) for name in ("exit_status", "ranks", "threads", "grid_rows", "grid_columns", "constraints")]
                + [("block", c_int64)]
                + [(name, c_double) for name in ("objective", "gradient_norm", "gradient_norm_start", "gradient_target",
                                                 "constraint_violation")]
                + [(name, c_int64) for name in ("iterations", "values", "gradients", "lines", "hessians", "products")]
                + [("rest", c_int64 * 21)])


Callback = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Figures), c_void_p)
Warning_ = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)

ERRORS = {
    "tracegrad_version": (c_char_p,),
    "tracegrad_error": (c_char_p,),
    "tracegrad_error_count": (c_int,),
    "tracegrad_error_get": (c_int, c_int, c_size_t, POINTER(CFailure)),
}
CALCULUS = {
    "tracegrad_derivation_create": (c_int, POINTER(c_void_p)),
    "tracegrad_derivation_destroy": (None, POINTER(c_void_p)),
    "tracegrad_derivation_set": (c_int, c_void_p, c_char_p, c_char_p),
    "tracegrad_derivation_derive": (c_int, c_void_p, c_char_p),
    "tracegrad_derivation_text": (c_int, c_void_p, c_int, c_int, c_int, POINTER(c_char_p)),
    "tracegrad_derivation_is_scalar": (c_int, c_void_p),
    "tracegrad_derivation_count": (c_int, c_void_p),
    "tracegrad_derivation_wrt": (c_char_p, c_void_p, c_int),
    "tracegrad_derivation_symbol_count": (c_int, c_void_p),
    "tracegrad_derivation_symbol": (c_int, c_void_p, c_int, c_size_t, POINTER(Symbol)),
    "tracegrad_derivation_shape": (c_int, c_void_p, c_int, c_int, POINTER(Size), POINTER(Size)),
    "tracegrad_derivation_claim": (c_int, c_void_p, c_int, c_char_p, POINTER(c_int), POINTER(c_char_p)),
}
P = c_void_p
SOLVE = {
    "tracegrad_on_warning": (None, Warning_, P),
    "tracegrad_problem_destroy": (None, POINTER(P)),
    "tracegrad_problem_objective": (c_int, P, c_char_p, c_int),
    "tracegrad_problem_variable": (c_int, P, c_char_p, c_int64, c_int64),
    "tracegrad_problem_start": (c_int, P, c_char_p, POINTER(Array)),
    "tracegrad_problem_number": (c_int, P, c_char_p, c_double),
    "tracegrad_problem_data": (c_int, P, c_char_p, POINTER(Array)),
    "tracegrad_problem_subject_to": (c_int, P, c_char_p),
    "tracegrad_problem_set": (c_int, P, c_char_p, c_char_p),
    "tracegrad_problem_variable_count": (c_int, P, POINTER(c_int)),
    "tracegrad_problem_variable_get": (c_int, P, c_int, POINTER(c_char_p), POINTER(c_int64), POINTER(c_int64)),
    "tracegrad_problem_plan": (c_int, P, c_int, c_int, POINTER(c_char_p)),
    "tracegrad_point_create": (c_int, P, POINTER(P)),
    "tracegrad_point_destroy": (None, POINTER(P)),
    "tracegrad_point_start": (c_int, P),
    "tracegrad_point_set": (c_int, P, c_char_p, POINTER(Array)),
    "tracegrad_point_get": (c_int, P, c_char_p, POINTER(Array)),
    "tracegrad_point_local": (c_int, P, c_char_p, POINTER(c_void_p), POINTER(c_int64), POINTER(c_int64), POINTER(c_int64)),
    "tracegrad_problem_evaluate": (c_int, P, P, POINTER(c_double), P),
    "tracegrad_problem_hessian": (c_int, P, P, P, P),
    "tracegrad_problem_line": (c_int, P, P, P, c_int, POINTER(c_double), POINTER(c_double)),
    "tracegrad_problem_on_iteration": (c_int, P, Callback, P),
    "tracegrad_problem_minimise": (c_int, P),
    "tracegrad_problem_result": (c_int, P, c_size_t, POINTER(ResultData)),
    "tracegrad_problem_constraint": (c_int, P, c_int, c_size_t, POINTER(Constraint)),
    "tracegrad_problem_multipliers": (c_int, P, c_int, POINTER(Array)),
    "tracegrad_problem_get": (c_int, P, c_char_p, POINTER(Array)),
    "tracegrad_problem_report": (c_int, P, POINTER(c_char_p)),
    "tracegrad_problem_data_way": (c_int, P, c_char_p, POINTER(c_char_p)),
}


def _declare(library: ctypes.CDLL, table: dict) -> None:
    for name, (result, *arguments) in table.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


def _load(file: str) -> ctypes.CDLL:
    """From the folder TRACEGRAD_LIBRARIES, from the package, or by the system's search path."""
    folders = [os.environ.get("TRACEGRAD_LIBRARIES"), pathlib.Path(__file__).parent / "lib"]
    for folder in folders:
        if folder and (pathlib.Path(folder) / file).exists():
            return ctypes.CDLL(str(pathlib.Path(folder) / file))
    try:
        return ctypes.CDLL(file)
    except OSError as error:
        raise ImportError(f"{file} is neither in the package nor on the library path: pip install ./python builds it; "
                          f"or set TRACEGRAD_LIBRARIES to its folder ({error})") from None


@functools.lru_cache(maxsize=None)
def calculus() -> ctypes.CDLL:
    """libtracegrad-calculus: no MPI, no BLAS."""
    library = _load("libtracegrad-calculus.so")
    _declare(library, {**ERRORS, **CALCULUS})
    return library


@Warning_
def _warn(_self, text):
    try:
        warnings.warn(text.decode("utf-8", "replace"), RuntimeWarning, stacklevel=2)
    except Warning as problem:  # warnings are errors here: there is nobody to raise to
        import sys

        print(f"tracegrad: warning: {problem}", file=sys.stderr)


@functools.lru_cache(maxsize=None)
def solver() -> ctypes.CDLL:
    """libtracegrad, with MPI and BLAS. MPI may not run yet."""
    library = _load("libtracegrad.so")
    try:
        _declare(library, {**ERRORS, **SOLVE})
    except AttributeError as error:
        raise ImportError(f"{library._name} is of another version than this package: {error}") from None
    library.tracegrad_on_warning(_warn, None)
    return library


def text_of(given) -> str:
    return (given or b"").decode("utf-8", "replace")


