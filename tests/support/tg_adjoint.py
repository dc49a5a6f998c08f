"""Value, gradient and Hessian of an expression by reverse accumulation over NumPy: an oracle that knows no symbolic rule.

    function = Function("sumsq(A*X - B)", {"X": (3, 2)}, {"A": A, "B": B})
    value, gradient = function.gradient(x)        # x: all variables in one vector, columns stacked
    hessian = function.hessian(x)                 # the gradient at complex points: exact to rounding
"""

import numpy as np

import tg_eval
from tg_eval import Evaluator, is_scalar, logsumexp, scalar, vec


class Node:
    """A matrix and how the matrices that it was made of take its adjoint: pairs (node, pull)."""

    __array_ufunc__ = None  # a NumPy array on the left leaves the operation to Node

    def __init__(self, value, pulls=()):
        self.value = value
        self.pulls = pulls
        self.adjoint = None

    @property
    def shape(self):
        return self.value.shape

    def __getitem__(self, index):
        return self.value[index]

    @property
    def T(self):
        return Node(self.value.T, ((self, lambda g: g.T),))

    def __add__(self, other):
        other = node(other)
        return Node(self.value + other.value, ((self, lambda g: g), (other, lambda g: g)))

    __radd__ = __add__

    def __mul__(self, other):
        other = node(other)
        return Node(self.value * other.value, ((self, lambda g: g * other.value), (other, lambda g: g * self.value)))

    __rmul__ = __mul__

    def __truediv__(self, other):
        other = node(other)
        return Node(self.value / other.value, ((self, lambda g: g / other.value),
                                               (other, lambda g: -g * self.value / other.value**2)))

    def __rtruediv__(self, other):
        return node(other) / self

    def __matmul__(self, other):
        other = node(other)
        return Node(self.value @ other.value, ((self, lambda g: g @ other.value.T), (other, lambda g: self.value.T @ g)))

    def __rmatmul__(self, other):
        return node(other) @ self

    def __pow__(self, other):
        exponent = node(other)
        if is_scalar(exponent) and not exponent.pulls:
            p = whole(exponent.value[0, 0])
            return Node(self.value**p, ((self, lambda g: g * p * self.value ** (p - 1) if p != 0 else 0 * g),))
        result = self.value**exponent.value
        return Node(result, ((self, lambda g: g * exponent.value * self.value ** (exponent.value - 1)),
                             (exponent, lambda g: g * result * np.log(self.value))))

    def __rpow__(self, other):
        return node(other) ** self


def whole(p):
    return int(p) if p == int(p) else p


def node(value):
    if isinstance(value, Node):
        return value
    return Node(np.asarray(value) if np.ndim(value) == 2 else scalar(value))


def entrywise(function, slope):
    def apply(x):
        x = node(x)
        return Node(function(x.value), ((x, lambda g: g * slope(x.value)),))
    return apply


def sigmoid(x):
    return np.where(x.real > 0, 1 / (1 + np.exp(-np.where(x.real > 0, x, 0))),
                    np.exp(np.where(x.real > 0, 0, x)) / (1 + np.exp(np.where(x.real > 0, 0, x))))


def softplus(x):
    return np.where(x.real > 0, x, 0) + np.log1p(np.exp(np.where(x.real > 0, -x, x)))


def sign(x):
    return np.sign(x.real)


def matrix(function, pull):
    def apply(x):
        x = node(x)
        result = function(x.value)
        return Node(result, ((x, lambda g: pull(g, x.value, result)),))
    return apply


def whole_matrix_power(x, k):
    base, result = (inverse(x), None) if k < 0 else (x, None)
    for _ in range(abs(k)):
        result = base if result is None else result @ base
    return node(np.eye(x.shape[0])) if result is None else result


def diagonal(v):
    return matrix(lambda x: np.diag(x.ravel()), lambda g, x, _: np.diag(g).reshape(x.shape))(v)


def kronecker(a, b):
    a, b = node(a), node(b)
    (m, n), (p, q) = a.shape, b.shape
    return Node(np.kron(a.value, b.value),
                ((a, lambda g: np.einsum("ipjq,pq->ij", g.reshape(m, p, n, q), b.value)),
                 (b, lambda g: np.einsum("ipjq,ij->pq", g.reshape(m, p, n, q), a.value))))


def as_scalar(x):
    return np.array([[x]])


def logdet(x):
    """Infinite outside the symmetric positive definite matrices, as the language has it."""
    s = (x.real + x.real.T) / 2
    if np.linalg.eigvalsh(s)[0] <= 0:
        return np.array([[-np.inf]])
    return as_scalar(np.log(np.linalg.det(x)))


inverse = matrix(np.linalg.inv, lambda g, x, r: -r.T @ g @ r.T)
total = matrix(lambda x: as_scalar(np.sum(x)), lambda g, x, _: g[0, 0] * np.ones(x.shape))

FUNCTIONS = {
    "tr": matrix(lambda x: as_scalar(np.trace(x)), lambda g, x, _: g[0, 0] * np.eye(len(x))),
    "det": matrix(lambda x: as_scalar(np.linalg.det(x)), lambda g, x, r: g[0, 0] * r[0, 0] * np.linalg.inv(x).T),
    "logdet": matrix(logdet, lambda g, x, _: g[0, 0] * np.linalg.inv(x).T),
    "inv": inverse,
    "dot": lambda x, y: total(node(x) * y),
    "sum": total,
    "sumsq": matrix(lambda x: as_scalar(np.sum(x * x)), lambda g, x, _: 2 * g[0, 0] * x),
    "norm2": matrix(lambda x: as_scalar(np.sqrt(np.sum(x * x))), lambda g, x, r: g[0, 0] * x / r[0, 0]),
    "norm1": matrix(lambda x: as_scalar(np.sum(x * sign(x))), lambda g, x, _: g[0, 0] * sign(x)),
    "diag": diagonal,
    "diagvec": matrix(lambda x: np.diag(x).reshape(-1, 1), lambda g, x, _: np.diag(g.ravel())),
    "kron": kronecker,
    "vec": matrix(vec, lambda g, x, _: g.reshape(x.shape, order="F")),
    "exp": entrywise(np.exp, np.exp),
    "log": entrywise(np.log, lambda x: 1 / x),
    "sqrt": entrywise(np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "sin": entrywise(np.sin, np.cos),
    "cos": entrywise(np.cos, lambda x: -np.sin(x)),
    "tan": entrywise(np.tan, lambda x: 1 / np.cos(x) ** 2),
    "tanh": entrywise(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "abs": entrywise(lambda x: x * sign(x), sign),
    "sign": entrywise(sign, lambda x: 0 * x),
    "sigmoid": entrywise(sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "relu": entrywise(lambda x: x * (x.real > 0), lambda x: 1.0 * (x.real > 0)),
    "softplus": entrywise(softplus, sigmoid),
    "sinh": entrywise(np.sinh, np.cosh),
    "cosh": entrywise(np.cosh, np.sinh),
    "logcosh": entrywise(lambda x: np.log(np.cosh(x)), np.tanh),
    "asin": entrywise(np.arcsin, lambda x: 1 / np.sqrt(1 - x**2)),
    "acos": entrywise(np.arccos, lambda x: -1 / np.sqrt(1 - x**2)),
    "atan": entrywise(np.arctan, lambda x: 1 / (1 + x**2)),
    "log1p": entrywise(np.log1p, lambda x: 1 / (1 + x)),
    "expm1": entrywise(np.expm1, np.exp),
    "log2": entrywise(lambda x: np.log(x) / np.log(2), lambda x: 1 / (x * np.log(2))),
    "log10": entrywise(lambda x: np.log(x) / np.log(10), lambda x: 1 / (x * np.log(10))),
    "sum_rows": matrix(lambda x: x.sum(axis=1, keepdims=True), lambda g, x, _: g + 0 * x),
    "sum_columns": matrix(lambda x: x.sum(axis=0, keepdims=True), lambda g, x, _: g + 0 * x),
    "mean": matrix(lambda x: as_scalar(np.mean(x)), lambda g, x, _: g[0, 0] * np.ones(x.shape) / x.size),
    "var": matrix(lambda x: as_scalar(np.mean((x - np.mean(x)) ** 2)), lambda g, x, _: 2 * g[0, 0] * (x - np.mean(x)) / x.size),
    "logsumexp": matrix(lambda x: logsumexp(x, None), lambda g, x, r: g * np.exp(x - r)),
    "logsumexp_rows": matrix(lambda x: logsumexp(x, 1), lambda g, x, r: g * np.exp(x - r)),
    "logsumexp_columns": matrix(lambda x: logsumexp(x, 0), lambda g, x, r: g * np.exp(x - r)),
    "softmax_rows": matrix(lambda x: np.exp(x - logsumexp(x, 1)), lambda g, x, r: r * (g - np.sum(r * g, axis=1, keepdims=True))),
    "softmax_columns": matrix(lambda x: np.exp(x - logsumexp(x, 0)), lambda g, x, r: r * (g - np.sum(r * g, axis=0, keepdims=True))),
    "triu": matrix(np.triu, lambda g, x, _: np.triu(g)),
    "tril": matrix(np.tril, lambda g, x, _: np.tril(g)),
}


class AdjointEvaluator(Evaluator):
    functions = FUNCTIONS
    constants = {name: (lambda *sizes, make=make: node(make(*sizes))) for name, make in tg_eval.CONSTANTS.items()}
    matrix_power = staticmethod(whole_matrix_power)


def accumulate(root, seed):
    """Gives every node below the root its adjoint: the sum of what its users hand down."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        at, done = stack.pop()
        if done:
            order.append(at)
        elif id(at) not in seen:
            seen.add(id(at))
            stack.append((at, True))
            stack.extend((below, False) for below, _ in at.pulls)
    root.adjoint = seed
    for at in reversed(order):
        for below, pull in at.pulls:
            part = pull(at.adjoint)
            if below.shape == (1, 1) and part.shape != (1, 1):
                part = as_scalar(part.sum())
            below.adjoint = part if below.adjoint is None else below.adjoint + part


class Function:
    """The expression as a function of one vector: the variables in their order, columns stacked."""

    def __init__(self, text, shapes, data, sizes=None):
        self.text = text
        self.shapes = shapes
        self.data = {name: node(value) for name, value in data.items()}
        self.sizes = sizes or {}
        self.tokens = tg_eval.tokens_of(text)

    def split(self, x):
        values, at = {}, 0
        for name, (m, n) in self.shapes.items():
            values[name] = x[at:at + m * n].reshape((m, n), order="F")
            at += m * n
        return values

    def join(self, values):
        return np.concatenate([np.asarray(values[name]).ravel(order="F") for name in self.shapes])

    def at(self, x):
        nodes = {name: Node(value) for name, value in self.split(x).items()}
        evaluator = AdjointEvaluator(self.text, {**self.data, **nodes}, self.sizes)
        with np.errstate(all="ignore"):
            root = node(evaluator.expression())
        if evaluator.tokens[evaluator.at][0] != "end":
            raise tg_eval.EvaluationError(f"left over: {evaluator.tokens[evaluator.at:]}")
        return root, nodes

    def matrix(self, x):
        return self.at(x)[0].value

    def value(self, x):
        """NaN where an inverse does not exist."""
        try:
            return float(self.matrix(x)[0, 0].real)
        except np.linalg.LinAlgError:
            return np.nan

    def pull(self, x, seed=None):
        """The matrix at x and the gradient of its inner product with the seed."""
        root, nodes = self.at(x)
        with np.errstate(all="ignore"):
            accumulate(root, np.ones(root.shape) if seed is None else seed)
        zero = {name: np.zeros(shape) for name, shape in self.shapes.items()}
        return root.value, self.join({name: zero[name] if at.adjoint is None else at.adjoint + zero[name]
                                      for name, at in nodes.items()})

    def gradient(self, x):
        value, gradient = self.pull(x)
        return value[0, 0], gradient

    def hessian(self, x, seed=None):
        h, columns = 1e-30, []
        for k in range(len(x)):
            shifted = x.astype(complex)
            shifted[k] += 1j * h
            columns.append(self.pull(shifted, seed)[1].imag / h)
        hessian = np.array(columns)
        return (hessian + hessian.T) / 2
