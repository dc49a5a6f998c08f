"""Gradients, Jacobians and Hessian actions as formulas."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char_p, c_int, c_void_p
from dataclasses import dataclass
from typing import Iterable, Mapping, Optional, Union

from ._errors import as_bytes, check, invalid
from ._library import Size, Symbol, calculus, text_of

Names = Union[str, Iterable[str]]

EVERYTHING, EXPRESSION, DERIVATIVE, HESSIAN, STEPS, STRUCTURE, NOTES, FUNCTION = range(8)
FORMATS = ("human", "ascii", "expr", "latex", "numpy", "octave", "json",
           "julia", "matlab", "pytorch", "jax", "c", "fortran")  # these and numpy, octave have functions
VERDICTS = {0: "equal", 1: "different", 3: "undecided"}
PROPERTIES = ("symmetric", "spd", "psd", "diagonal", "orthogonal", "positive")


@dataclass(frozen=True)
class Claim:
    """The verdict on a derivative of one's own: "equal", "different" (with a counterexample) or "undecided"; and why."""

    verdict: str
    text: str

    def __bool__(self) -> bool:
        return self.verdict == "equal"

    def __repr__(self) -> str:
        return self.text.rstrip("\n")


def joined(names: Names) -> str:
    return names if isinstance(names, str) else ",".join(names)


def dims_text(dims: Union[str, Mapping[str, object]]) -> str:
    """ "A=3x4,x=5" of a text or of {"A": (3, 4), "x": 5, "B": "mxn"}."""
    if isinstance(dims, str):
        return dims
    parts = []
    for name, size in dims.items():
        sizes = [str(s) for s in size] if isinstance(size, (tuple, list)) else [str(size)]
        parts.append(f"{name}={'x'.join(sizes)}")
    return ",".join(parts)


class CDerivation:
    """Owns a tracegrad_derivation."""

    def __init__(self, expression: str, options: Iterable[tuple[str, str]]) -> None:
        self.library = calculus()
        self.pointer = c_void_p()
        if not isinstance(expression, str):
            raise invalid(f"the expression is a {type(expression).__name__}, expected a text")
        check(self.library, self.library.tracegrad_derivation_create(byref(self.pointer)))
        for option, value in options:
            check(self.library, self.library.tracegrad_derivation_set(self.pointer, as_bytes(option), as_bytes(value)))
        check(self.library, self.library.tracegrad_derivation_derive(self.pointer, as_bytes(expression)))

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self.library.tracegrad_derivation_destroy(byref(self.pointer))

    def text(self, part: int, k: int, form: str) -> str:
        if form not in FORMATS:
            raise invalid(f"{form!r} is no format; there are {', '.join(FORMATS)}")
        out = c_char_p()
        status = self.library.tracegrad_derivation_text(self.pointer, part, k, FORMATS.index(form), byref(out))
        check(self.library, status)
        return text_of(out.value)

    def symbols(self) -> dict[str, tuple[str, str]]:
        found = {}
        for k in range(self.library.tracegrad_derivation_symbol_count(self.pointer)):
            symbol = Symbol()
            check(self.library, self.library.tracegrad_derivation_symbol(self.pointer, k, ctypes.sizeof(symbol), byref(symbol)))
            found[text_of(symbol.name)] = (text_of(symbol.rows.text), text_of(symbol.columns.text))
        return found


class Derivation:
    """An expression with its derivatives by some of its names: what `derive` returns. repr() shows the formulas.

    Of a scalar f: the gradient G by X has X's shape, f(X+H) = f(X) + tr(G'H) + o(|H|). Of a p x q matrix F: the Jacobian
    d vec(F)/d vec(X)', pq x mn, columns stacked. With one name in wrt each property is a text, with several a dict
    from the names to texts.
    """

    def __init__(self, expression: str, options: list[tuple[str, str]]) -> None:
        self._expression = expression
        self._options = options
        self._c = CDerivation(expression, options)
        self._with_hessian: Optional[CDerivation] = None
        c, library = self._c, self._c.library
        self.wrt = tuple(text_of(library.tracegrad_derivation_wrt(c.pointer, k))
                         for k in range(library.tracegrad_derivation_count(c.pointer)))
        self.is_scalar = bool(library.tracegrad_derivation_is_scalar(c.pointer))

    def _each(self, c: CDerivation, part: int, form: str):
        texts = {name: c.text(part, k, form) for k, name in enumerate(self.wrt)}
        return texts if len(texts) != 1 else next(iter(texts.values()))

    def _second(self) -> CDerivation:
        if self._with_hessian is None:
            self._with_hessian = CDerivation(self._expression, [*self._options, ("hessian", "true")])
        return self._with_hessian

    def gradient_as(self, form: str):
        """The gradient (of a matrix expression the Jacobian) as "human", "ascii", "expr", "latex", "numpy", "octave", "json"."""
        return self._each(self._c, DERIVATIVE, form)

    def hessian_as(self, form: str):
        """The Hessian action in the same formats."""
        return self._each(self._second(), HESSIAN, form)

    @property
    def expression(self) -> str:
        """The expression in normal form."""
        return self._c.text(EXPRESSION, 0, "expr")

    @property
    def gradient(self):
        """In the input language: it can be read again."""
        return self.gradient_as("expr")

    @property
    def hessian(self):
        """H[V], the derivative of the gradient along V. Scalar expressions only."""
        return self.hessian_as("expr")

    @property
    def latex(self):
        """The gradient in LaTeX of amsmath, without $."""
        return self.gradient_as("latex")

    @property
    def numpy(self):
        """The gradient as Python code."""
        return self.gradient_as("numpy")

    @property
    def octave(self):
        """The gradient as code of Octave and MATLAB."""
        return self.gradient_as("octave")

    @property
    def steps(self):
        """The derivation, a line for each step with its rule."""
        return self._each(self._c, STEPS, "human")

    @property
    def structure(self):
        """Degree, homogeneity, the Hessian as an operator, convexity. Scalar expressions only."""
        return self._each(self._c, STRUCTURE, "human")

    @property
    def notes(self) -> list[str]:
        """What was read otherwise than its letters suggest."""
        return [line for line in self._c.text(NOTES, 0, "human").splitlines() if line]

    def program(self, language: str = "numpy") -> str:
        """A function of value and gradient: in numpy, jax, pytorch, octave, matlab, julia, c or fortran."""
        return self._c.text(FUNCTION, 0, language)

    @property
    def shape(self):
        """Rows and columns of the gradient: numbers, or texts of names such as "m"."""
        shapes = {}
        for k, name in enumerate(self.wrt):
            rows, columns = Size(), Size()
            check(self._c.library, self._c.library.tracegrad_derivation_shape(self._c.pointer, DERIVATIVE, k, byref(rows), byref(columns)))
            shapes[name] = tuple(s.number if s.number >= 0 else text_of(s.text) for s in (rows, columns))
        return shapes if len(shapes) != 1 else next(iter(shapes.values()))

    def claim(self, formula: str, wrt: Optional[str] = None) -> Claim:
        """Compares a derivative of one's own with the derived one: by normal form, then at some hundred random points.

        wrt: which of several names; the first by default. The result is true where they are equal.
        """
        if wrt is not None and wrt not in self.wrt:
            raise invalid(f"{wrt!r} is not among {', '.join(self.wrt)}", "name")
        verdict, text = c_int(0), c_char_p()
        k = self.wrt.index(wrt) if wrt is not None else 0
        status = self._c.library.tracegrad_derivation_claim(self._c.pointer, k, as_bytes(formula), byref(verdict), byref(text))
        check(self._c.library, status)
        return Claim(VERDICTS[verdict.value], text_of(text.value))

    def __repr__(self) -> str:
        return self._c.text(EVERYTHING, 0, "human").rstrip("\n")

    def _repr_latex_(self) -> str:
        value = self._c.text(EXPRESSION, 0, "latex")
        lines = []
        for k, name in enumerate(self.wrt):
            by = name[:-1] + r"^{\top}" if name.endswith("'") else name
            if self.is_scalar:
                left = rf"\frac{{\partial f}}{{\partial {by}}}"
            else:
                left = rf"\frac{{\partial \operatorname{{vec}} F}}{{\partial \operatorname{{vec}}({by})^{{\top}}}}"
            lines.append(rf"{left} &= {self._c.text(DERIVATIVE, k, 'latex')}")
        first = ("f" if self.is_scalar else "F") + f" &= {value}"
        return "$$\\begin{aligned}" + r" \\ ".join([first, *lines]) + "\\end{aligned}$$"


def derive(expression: str, wrt: Names, *, dims: Union[str, Mapping[str, object], None] = None, symmetric: Names = (),
           spd: Names = (), psd: Names = (), diagonal: Names = (), orthogonal: Names = (), positive: Names = (),
           within: Optional[str] = None, define: Optional[Mapping[str, str]] = None,
           max_nodes: Optional[int] = None, max_bytes: Optional[int] = None) -> Derivation:
    """Derives an expression symbolically by one name or several.

    wrt: "X", "X'", "X,Y" or a list. dims: {"A": (3, 4), "x": 5, "B": "mxn"} or "A=3x4,x=5"; what is not given is
    inferred. symmetric, spd, psd, diagonal, orthogonal, positive: names with that property. within: "symmetric",
    "diagonal", "skew" or "lower", the set that the gradient stays in. define: parts by name, {"R": "Y - X*W"}.
    max_nodes, max_bytes: limits for expressions from strangers.

    Raises ExpressionError, UnknownName, ShapeError, Unsupported, InvalidInput: with place and caret.

    >>> derive("tr(A*X*B*X')", wrt="X", symmetric="A,B").gradient
    '2*A*X*B'
    """
    options = [("wrt", joined(wrt))]
    if dims:
        options.append(("dims", dims_text(dims)))
    given = {"symmetric": symmetric, "spd": spd, "psd": psd, "diagonal": diagonal, "orthogonal": orthogonal, "positive": positive}
    options += [(name, joined(value)) for name, value in given.items() if joined(value)]
    if within is not None:
        options.append(("within", within))
    options += [("define", f"{name}={text}") for name, text in (define or {}).items()]
    for name, limit in (("max_nodes", max_nodes), ("max_bytes", max_bytes)):
        if limit is not None:
            options.append((name, str(limit)))
    return Derivation(expression, options)
