"""Values and derivatives of an objective for other solvers."""

from __future__ import annotations

import ctypes
import math
import os
import weakref
from ctypes import byref, c_double, c_int64, c_void_p
from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Optional, Union

import numpy as np

from . import _arrays as arrays
from ._derive import Names, joined
from ._errors import invalid
from ._mpi import Ranks, refuse_fork
from ._problem import PROPERTIES, Problem, Shape
from ._solve import described_on_root


class _Point:
    """A tracegrad_point, and its variables as arrays where one rank has all of them."""

    def __init__(self, problem: Problem, shapes: Mapping[str, Shape]) -> None:
        self.problem, self.shapes, self.pointer = problem, shapes, c_void_p()
        problem.check(problem.library.tracegrad_point_create(problem.pointer, byref(self.pointer)))
        alone = problem.ranks.size == 1
        self.views = [self._view(name) if alone else None for name in shapes]

    def _view(self, name: str) -> np.ndarray:
        numbers, rows, columns, leading = c_void_p(), c_int64(), c_int64(), c_int64()
        self.problem.check(self.problem.library.tracegrad_point_local(
            self.pointer, name.encode(), byref(numbers), byref(rows), byref(columns), byref(leading)))
        m, n, ld = rows.value, columns.value, leading.value
        memory = np.ctypeslib.as_array((c_double * (ld * (n - 1) + m)).from_address(numbers.value or 0))
        return np.lib.stride_tricks.as_strided(memory, (m, n), (8, 8 * ld))

    def put(self, blocks: Iterable[np.ndarray]) -> None:
        for (name, shape), view, block in zip(self.shapes.items(), self.views, blocks):
            if view is not None:
                view[...] = block
            else:
                array = arrays.described(np.ascontiguousarray(block), shape, arrays.ON_ALL)
                self.problem.check(self.problem.library.tracegrad_point_set(self.pointer, name.encode(), byref(array)))

    def take(self, blocks: Iterable[np.ndarray]) -> None:
        for (name, shape), view, block in zip(self.shapes.items(), self.views, blocks):
            if view is not None:
                block[...] = view
            else:
                array = arrays.described(block, shape, arrays.ON_ALL)
                self.problem.check(self.problem.library.tracegrad_point_get(self.pointer, name.encode(), byref(array)))

    def destroy(self) -> None:
        self.views = []
        self.problem.library.tracegrad_point_destroy(byref(self.pointer))


class _Ended(list[Any]):
    """In the place of points that cannot be used any more."""

    def __getitem__(self, _: Any) -> Any:
        refuse_fork()
        raise invalid("the function is closed")

    def __iter__(self) -> Any:
        return self[0]


_living: "weakref.WeakSet[Function]" = weakref.WeakSet()


def _end_in_child() -> None:
    for function_ in list(_living):
        function_._points = _Ended()  # nothing is freed: MPI stays with the parent


os.register_at_fork(after_in_child=_end_in_child)


class Function:
    """f, its gradient and its Hessian action at points that the caller chooses: what `function` returns.

    A point is an array with the variable's shape. With any number of variables it may have all entries in one axis, row
    by row, in the order of wrt. Gradients and H[v] have the shape of the point. shapes: the variables' sizes. Data
    arrays of float64 are not copied: they must not change while the function is used. One thread at a time. On several
    ranks all of them call it, with the same points. close() ends it; so does `with`.
    """

    def __init__(self, problem: Problem, order: Optional[list[str]]) -> None:
        self._problem = problem
        found = problem.variables()
        self._check_names(found, order)
        self.shapes: dict[str, Shape] = found
        self._order = order or list(found)
        self._points = [_Point(problem, {name: found[name] for name in self._order}) for _ in range(4)]
        _living.add(self)
        self._evaluate = problem.library.tracegrad_problem_evaluate
        self._hessian = problem.library.tracegrad_problem_hessian
        self._value = c_double()
        self._at = byref(self._value)
        self.size = sum(m * n for m, n in found.values())

    @staticmethod
    def _check_names(found: Mapping[str, Shape], order: Optional[list[str]]) -> None:
        if order is None:
            return
        missing = [name for name in found if name not in order]
        if missing:
            raise invalid(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} neither given nor in wrt", "name")
        unknown = [name for name in order if name not in found]
        if unknown:
            raise invalid(f"wrt names {', '.join(unknown)}, which the objective does not depend on or which is given", "name")

    @property
    def wrt(self) -> tuple[str, ...]:
        """The variables, in the order of their entries in a point of one axis."""
        return tuple(self._order)

    def _blocks(self, a: np.ndarray) -> list[np.ndarray]:
        """Views of a point, variable by variable."""
        if len(self._order) == 1:
            return [a.reshape(self.shapes[self._order[0]])]
        blocks, begin = [], 0
        for name in self._order:
            m, n = self.shapes[name]
            blocks.append(a[begin:begin + m * n].reshape(m, n))
            begin += m * n
        return blocks

    def _read(self, what: str, point: Any) -> np.ndarray:
        a = point if type(point) is np.ndarray else arrays._as_array(what, point)
        if a.dtype != np.float64:
            a = arrays._as_float64(what, a)
        fits = a.size == self.size and (a.ndim == 1 or (len(self._order) == 1 and a.shape == self.shapes[self._order[0]]))
        if not fits:
            sizes = ", ".join(f"{name} {m} x {n}" for name, (m, n) in self.shapes.items())
            raise invalid(f"{what} has shape {a.shape}, expected {self.size} entries in one axis, of {sizes}"
                          + ("" if len(self._order) > 1 else ", or that shape"), "shape")
        return a

    def value(self, point: Any) -> float:
        """f; infinite or NaN outside of the objective's domain."""
        x = self._points[0]
        x.put(self._blocks(self._read("the point", point)))
        status = self._evaluate(self._problem.pointer, x.pointer, self._at, None)
        if status:
            self._problem.check(status)
        return self._value.value

    __call__ = value

    def value_and_gradient(self, point: Any) -> tuple[float, np.ndarray]:
        """f and its gradient, with f(x+h) = f(x) + <gradient, h> + o(|h|): for scipy.optimize.minimize(..., jac=True)."""
        x, g = self._points[:2]
        a = self._read("the point", point)
        x.put(self._blocks(a))
        status = self._evaluate(self._problem.pointer, x.pointer, self._at, g.pointer)
        if status:
            self._problem.check(status)
        gradient = np.empty(a.shape)
        g.take(self._blocks(gradient))
        return self._value.value, gradient

    def gradient(self, point: Any) -> np.ndarray:
        """The gradient, in the shape of the point."""
        return self.value_and_gradient(point)[1]

    def hessian_product(self, point: Any, direction: Any) -> np.ndarray:
        """H(x)[v], the derivative of the gradient along v, in the shape of v: scipy's hessp. After the gradient at the same
        point it costs the products of the action alone."""
        x, _, v, hv = self._points
        a = self._read("the direction", direction)
        x.put(self._blocks(self._read("the point", point)))
        v.put(self._blocks(a))
        status = self._hessian(self._problem.pointer, x.pointer, v.pointer, hv.pointer)
        if status:
            self._problem.check(status)
        out = np.empty(a.shape)
        hv.take(self._blocks(out))
        return out

    def line(self, point: Any, direction: Any, steps: Any) -> np.ndarray:
        """f(x + t d) for each t of steps; of a polynomial the products of one direction serve all of them."""
        x, _, d, _ = self._points
        x.put(self._blocks(self._read("the point", point)))
        d.put(self._blocks(self._read("the direction", direction)))
        t = np.ascontiguousarray(steps, dtype=float).reshape(-1)
        f = np.empty(len(t))
        pointer = ctypes.POINTER(c_double)
        self._problem.check(self._problem.library.tracegrad_problem_line(
            self._problem.pointer, x.pointer, d.pointer, len(t), t.ctypes.data_as(pointer), f.ctypes.data_as(pointer)))
        return f

    def start(self) -> np.ndarray:
        """The start point of the problem, entries in one axis."""
        x = self._points[0]
        self._problem.check(self._problem.library.tracegrad_point_start(x.pointer))
        a = np.empty(self.size)
        x.take(self._blocks(a))
        return a

    def close(self) -> None:
        """Frees it. On several ranks all of them call it."""
        if isinstance(self._points, _Ended):
            return
        for point in self._points:
            point.destroy()
        self._points = _Ended()
        self._problem.destroy()

    def __enter__(self) -> "Function":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __del__(self) -> None:
        # Freeing is collective: ranks collect garbage when they like, so that of several nothing is freed here.
        problem = getattr(self, "_problem", None)
        if problem is not None and problem.pointer and problem.ranks.size == 1 and getattr(self, "_points", None):
            self.close()


def function(objective: str, wrt: Optional[Names] = None, *, data: Optional[Mapping[str, Any]] = None, variables: Any = None,
             start: Any = None, define: Optional[Mapping[str, str]] = None, symmetric: Names = (), spd: Names = (),
             diagonal: Names = (), orthogonal: Names = (), trust: Names = (),
             options: Optional[Mapping[str, Any]] = None, comm: Any = None, **given: Any) -> Function:
    """An objective with its derivatives, for other solvers; the keywords are those of minimize.

    >>> f = function("sumsq(Y - X*W)", wrt="W", X=X, Y=Y)
    >>> scipy.optimize.minimize(f.value_and_gradient, w0, jac=True, hessp=f.hessian_product, method="trust-ncg")
    """
    ranks = Ranks(comm)
    order = None if wrt is None else [name.strip() for name in joined(wrt).split(",")]
    if order is not None and variables is None:
        variables = order
    properties = dict(zip(PROPERTIES, (symmetric, spd, diagonal, orthogonal, trust)))
    arguments = {"objective": objective, "maximize": False, "data": data, "variables": variables, "start": start,
                 "constraints": None, "subject_to": (), "define": define, "options": options, "properties": properties,
                 "given": given}
    description, numbers = described_on_root(ranks, arguments)
    problem = Problem(ranks)
    try:
        return Function(problem.create(description, numbers), order)
    except BaseException:
        problem.destroy()
        raise


@dataclass(frozen=True)
class Check:
    """Observed orders of the Taylor remainders: 2 for a right gradient, 3 with a right Hessian action.

    infinite where the remainder is rounding alone: the objective is of a lower degree.
    """

    gradient_order: float
    hessian_order: float

    def __bool__(self) -> bool:
        return self.gradient_order > 1.8 and self.hessian_order > 2.7


def _order(remainders: np.ndarray, steps: np.ndarray, noise: float) -> float:
    seen = np.abs(remainders) > 100 * noise
    if seen.sum() < 2:
        return math.inf
    return float(np.polyfit(np.log(steps[seen]), np.log(np.abs(remainders[seen])), 1)[0])


def check(objective: Union[str, Function], *, point: Any = None, seed: int = 1, **keywords: Any) -> Check:
    """Tests gradient and Hessian action by their Taylor remainders along a random direction.

    |f(x+td) - f(x) - t<G,d>| falls as t^2, with - t^2/2 <d,H[d]> as t^3. point: the start of the problem plus noise by
    default. True where both hold. The keywords are those of function.
    """
    f = objective if isinstance(objective, Function) else function(objective, **keywords)
    try:
        random = np.random.default_rng(seed)
        x = f._read("the point", point).reshape(-1) if point is not None else f.start() + 0.1 * random.standard_normal(f.size)
        d = random.standard_normal(f.size)
        d *= max(1.0, float(np.linalg.norm(x))) / np.linalg.norm(d)
        value, gradient = f.value_and_gradient(x)
        curvature = float(d @ f.hessian_product(x, d))
        steps = 2.0 ** -np.arange(3, 13)
        first = f.line(x, d, steps) - value - steps * float(gradient @ d)
        noise = np.finfo(float).eps * max(abs(value), float(np.abs(gradient) @ np.abs(d)) * steps[-1], abs(curvature) * 1e-3)
        return Check(_order(first, steps, noise), _order(first - steps**2 / 2 * curvature, steps, noise))
    finally:
        if f is not objective:
            f.close()


