"""Names in expressions, and values as YAML."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Iterable, Mapping, Optional, Union

import numpy as np

from ._derive import CDerivation
from ._errors import Error

IDENTIFIER = re.compile(r"(?<![\w.])([^\W\d]\w*)(\s*\()?")
CONSTANTS = frozenset({"I", "pi", "eye", "ones", "zeros", "end", "where", "np", "T"})


def identifiers(texts: Iterable[str]) -> list[str]:
    """Every word of the texts once, in their order: names and functions."""
    found: dict[str, None] = {}
    for text in texts:
        for match in IDENTIFIER.finditer(text):
            found.setdefault(match.group(1))
    return list(found)


def plain_names(texts: Iterable[str]) -> list[str]:
    """The words that stand somewhere without a parenthesis behind: no functions."""
    found = {m.group(1): None for text in texts for m in IDENTIFIER.finditer(text) if not m.group(2)}
    return [name for name in found if name not in CONSTANTS]


def _candidates(text: str) -> list[str]:
    plain: dict[str, None] = {}
    called: dict[str, None] = {}
    for match in IDENTIFIER.finditer(text):
        (called if match.group(2) else plain).setdefault(match.group(1))
    letters = [name for name in plain if name not in CONSTANTS]
    # T last: it may be the transpose of X^T.
    return letters + [name for name in called if name not in plain] + [name for name in plain if name == "T"]


def unknown_names(text: str, given: Mapping[str, Optional[tuple[int, int]]], define: Mapping[str, str]) -> list[str]:
    """The names of an expression that are not given, in its order. given: sizes, None where they are not known.

    The calculus reads it; what it refuses is left to the problem, whose message says more, and letters decide here.
    """
    words = identifiers([text, *define.values()])
    sizes = [f"{name}={size[0]}x{size[1]}" for name, size in given.items() if size is not None and name in words]
    options = [("define", f"{name}={part}") for name, part in define.items()]
    if sizes:
        options.append(("dims", ",".join(sizes)))
    candidates = [name for name in _candidates("\n".join([text, *define.values()])) if name not in given and name not in define]
    for candidate in candidates[:4]:
        try:
            symbols = CDerivation(text, [("wrt", candidate), ("max_nodes", "100000"), *options]).symbols()
        except Error:
            continue
        found = [name for name in symbols if name not in given]
        return sorted(found, key=lambda name: words.index(name) if name in words else len(words))
    called = {m.group(1) for m in IDENTIFIER.finditer(text) if m.group(2)}
    return [name for name in candidates if name not in called and name not in CONSTANTS]


def flow(value: Any) -> str:
    """A value of a job file on one line; texts as they are."""
    return value if isinstance(value, str) else _inner(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_inner(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return "[" + ", ".join(_inner(item) for item in value) + "]"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value)) if math.isfinite(value) else ("-inf" if value < 0 else "inf")
    if value is None:
        return "none"
    return json.dumps(str(value), ensure_ascii=False)


def block(mapping: Mapping[str, Any], depth: int = 0) -> str:
    """A job file: mappings as blocks down to the second level, the rest on its line."""
    lines = []
    for key, value in mapping.items():
        if isinstance(value, Mapping) and depth == 0 and value:
            lines.append(f"{key}:\n{block(value, 1)}")
        else:
            lines.append(f"{'  ' * depth}{key}: {_inner(value)}\n")
    return "".join(lines)


def words_of(value: Union[str, Mapping, Iterable, Any]) -> list[str]:
    """The names that an argument of a constraint may mention."""
    if isinstance(value, str):
        return identifiers([value])
    if isinstance(value, Mapping):
        return [name for item in value.values() for name in words_of(item)]
    if isinstance(value, (list, tuple)):
        return [name for item in value for name in words_of(item)]
    return []
