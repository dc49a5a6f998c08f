"""Failures of the library as exceptions."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Failure:
    """One thing that was wrong: its code ("shape"), a sentence, and its place, where it has one."""

    code: str
    message: str
    source: Optional[str]  #: the text at fault: "expression", the name of an option, a file
    line: int  #: from 1; 0 without a place
    column: int  #: in characters, from 1
    span: Optional[tuple[int, int]]  #: begin and end in that text, in bytes of UTF-8


class Error(Exception):
    """What the library refused or could not do. str() is the message with line and caret.

    code: "syntax", "name", "shape", "value", "limit", "unsupported", "job", "data", "io", "memory", "mpi", "numeric",
    "usage" or "internal". span: begin and end of the place in the text at fault, in bytes of UTF-8; None without one.
    failures: everything that was found, the first of which code and span belong to.
    """

    def __init__(self, text: str, failures: tuple[Failure, ...] = ()) -> None:
        super().__init__(text)
        self.failures = failures

    @property
    def code(self) -> str:
        return self.failures[0].code if self.failures else "usage"

    @property
    def span(self) -> Optional[tuple[int, int]]:
        return self.failures[0].span if self.failures else None

    def __reduce__(self):
        return type(self), (str(self), self.failures)


class InvalidInput(Error, ValueError):
    """An expression, an array or an option is wrong."""


class ExpressionError(InvalidInput):
    """A text is not in the language."""


class UnknownName(InvalidInput):
    """A name is not known, or used for something else."""


class ShapeError(InvalidInput):
    """Sizes do not agree."""


class Unsupported(InvalidInput):
    """It has a meaning, but cannot be done."""


class OutOfMemory(Error, MemoryError):
    """Memory ran out."""


class NumericError(Error, ArithmeticError):
    """A factorisation or a value failed."""


BY_CODE: dict[str, type[Error]] = {"syntax": ExpressionError, "name": UnknownName, "shape": ShapeError, "unsupported": Unsupported,
           "memory": OutOfMemory, "numeric": NumericError}


class CFailure(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int32), ("line", ctypes.c_int32), ("column", ctypes.c_int32),
                ("reserved", ctypes.c_int32), ("label", ctypes.c_char_p), ("message", ctypes.c_char_p),
                ("source", ctypes.c_char_p), ("begin", ctypes.c_size_t), ("length", ctypes.c_size_t)]


def _text(given: Optional[bytes]) -> Optional[str]:
    return None if given is None else given.decode("utf-8", "replace")


def _failure(c: CFailure) -> Failure:
    span = (c.begin, c.begin + c.length) if c.source is not None else None
    return Failure(_text(c.label) or "", _text(c.message) or "", _text(c.source), c.line, c.column, span)


def invalid(message: str, code: str = "usage") -> InvalidInput:
    """A refusal of this package, before the library is asked."""
    kind = BY_CODE.get(code)
    if kind is None or not issubclass(kind, InvalidInput):
        kind = InvalidInput
    return kind(message, (Failure(code, message, None, 0, 0, None),))


def as_bytes(text: str) -> bytes:
    """A text for the library, where it would end at its first NUL."""
    try:
        found = text.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"{text!r} has no UTF-8: {error.reason}", "usage") from None
    if b"\0" in found:
        raise invalid(f"{text!r} has a NUL at byte {found.index(0)}, expected a text without", "usage")
    return found


def check(library: ctypes.CDLL, status: int) -> None:
    """Raises what the library says of its last call, where status is not 0. On the thread of that call."""
    if status == 0:
        return
    failures = []
    for k in range(library.tracegrad_error_count()):
        c = CFailure()
        if library.tracegrad_error_get(k, ctypes.sizeof(c), ctypes.byref(c)) == 0:
            failures.append(_failure(c))
    text = (_text(library.tracegrad_error()) or "").rstrip("\n")
    kind = BY_CODE.get(failures[0].code if failures else "", InvalidInput if status == 2 else Error)
    raise kind(text, tuple(failures))
