"""The expression language evaluated with NumPy, from its description alone: an oracle for what the program prints.

    value = evaluate("tr(A*B')", {"A": ..., "B": ...}, sizes={"n": 3})

Every value is a matrix: scalars are 1 x 1, vectors n x 1 or 1 x n. Sizes may be numbers, names found in `sizes`, or
products of these.
"""

import math
import operator
import re

import numpy as np

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\.[*/^]|[-+*/^'(),:;\[\]]))")


class EvaluationError(Exception):
    pass


def tokens_of(text):
    """(kind, text) pairs; the dot of .* ./ .^ does not belong to the number before it."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if match is None:
            raise EvaluationError(f"not a token: {text[at:]!r}")
        number, name, symbol = match.groups()
        end = match.end()
        if number is not None and number.endswith(".") and end < len(text) and text[end] in "*/^":
            number, end = number[:-1], end - 1
        tokens.append(("number", number) if number else ("name", name) if name else ("symbol", symbol))
        at = end
    return tokens + [("end", "")]


def scalar(value):
    return np.array([[value if isinstance(value, complex) else float(value)]])


def is_scalar(value):
    return value.shape == (1, 1)


def entrywise(operation, a, b):
    if not (is_scalar(a) or is_scalar(b) or a.shape == b.shape):
        raise EvaluationError(f"entrywise on {a.shape} and {b.shape}")
    return operation(a, b)


def times(a, b):
    if is_scalar(a) or is_scalar(b):
        return a * b
    if a.shape[1] != b.shape[0]:
        raise EvaluationError(f"product of {a.shape} and {b.shape}")
    return a @ b


def over(a, b):
    if not is_scalar(b):
        raise EvaluationError("'/' by a matrix")
    return a / b


def plus(a, b, sign):
    if a.shape != b.shape:
        raise EvaluationError(f"sum of {a.shape} and {b.shape}")
    return a + sign * b


def commutation(m, n):
    """K with K vec(X) = vec(X') for X m x n."""
    k = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            k[i * n + j, j * m + i] = 1.0
    return k


def vec(x):
    return x.reshape((-1, 1), order="F")


def logsumexp(x, axis):
    most = np.max(x.real, axis=axis, keepdims=True)
    return most + np.log(np.sum(np.exp(x - most), axis=axis, keepdims=True))


def series(function, x):
    """A function of a matrix: exp by scaling and squaring, log by roots, sqrt by Newton's iteration; complex ones too."""
    eye = np.eye(len(x))
    if function == "expm":
        halvings = max(0, int(np.ceil(np.log2(max(np.abs(x).sum(axis=0).max(), 1e-300)))) + 1)
        term, total = eye.astype(x.dtype), eye.astype(x.dtype)
        for k in range(1, 24):
            term = term @ x / (k * 2.0 ** halvings)
            total = total + term
        return np.linalg.matrix_power(total, 2 ** halvings)
    if function == "sqrtm":
        y, z = x, eye
        for _ in range(60):
            y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
        return y
    roots = 0
    while np.abs(x - eye).sum(axis=0).max() > 0.3:
        x, roots = series("sqrtm", x), roots + 1
    ratio = (x - eye) @ np.linalg.inv(x + eye)
    return 2.0 ** roots * sum(2 / k * np.linalg.matrix_power(ratio, k) for k in range(1, 50, 2))


def derivative(function, s, *directions):
    """By the block matrix [S, V; 0, S] and, of the second order, one of four by four blocks."""
    n, zero = len(s), np.zeros_like(s)
    if len(directions) == 1:
        return series(function, np.block([[s, directions[0]], [zero, s]]))[:n, n:]
    v, w = directions
    return series(function, np.block([[s, v, w, zero], [zero, s, zero, w], [zero, zero, s, v],
                                      [zero, zero, zero, s]]))[:n, 3 * n:]


def power_along(x, exponent, *directions):
    """The derivative of X^k along one direction, or two: sums over the words that have each direction once."""
    k = int(exponent[0, 0])
    letter = x if k > 0 else np.linalg.inv(x)
    moved = list(directions)
    if k < 0:  # of inv(X): -Y V Y, and Y V Y W Y + Y W Y V Y
        moved = [-letter @ v @ letter for v in directions]
    power = [np.linalg.matrix_power(letter, i) for i in range(abs(k) + 1)]
    first = lambda v: sum((power[i] @ v @ power[abs(k) - 1 - i] for i in range(abs(k))), np.zeros_like(x))
    if len(directions) == 1:
        return first(moved[0])
    out = np.zeros_like(x)
    for v, w in (moved, moved[::-1]):
        for i in range(abs(k) - 1):
            for j in range(abs(k) - 1 - i):
                out = out + power[i] @ v @ power[j] @ w @ power[abs(k) - 2 - i - j]
    if k < 0:
        v, w = directions
        out = out + first(letter @ (v @ letter @ w + w @ letter @ v) @ letter)
    return out


def matrix_functions():
    out = {}
    for name in ("sqrtm", "expm", "logm"):
        out[name] = lambda s, name=name: series(name, s)
        out["d" + name] = lambda s, v, name=name: derivative(name, s, v)
        out["d2" + name] = lambda s, v, w, name=name: derivative(name, s, v, w)
    return out


def singular(x, nuclear):
    """U diag(f) V', the derivative of the nuclear norm (f = 1) or of the spectral norm (f = 1, 0, ...)."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return u, s, vt, (s > 1e-13 * s[0]) * (np.ones(len(s)) if nuclear else np.eye(len(s))[0])


def subgradient(x, nuclear):
    u, _, vt, f = singular(x, nuclear)
    return u @ np.diag(f) @ vt


def subgradient_along(x, w, nuclear):
    u, s, vt, f = singular(x, nuclear)
    k = u.T @ w @ vt.T
    rows, cols = s[:, None], s[None, :]
    even = np.where(f[:, None] == f[None, :], 0.0, (f[:, None] - f[None, :]) / np.where(rows == cols, 1.0, rows - cols))
    odd = (f[:, None] + f[None, :]) / (rows + cols)
    inner = 0.5 * (k + k.T) * even + 0.5 * (k - k.T) * odd
    outside = (w @ vt.T - u @ k) @ np.diag(f / s) @ vt + u @ np.diag(f / s) @ (u.T @ w - k @ vt)
    return u @ inner @ vt + outside


def divided(function, rate, a, b):
    """(f(a) - f(b))/(a - b) in more digits than are needed, f'(a) where the two are equal."""
    a, b = a.astype(np.longdouble), b.astype(np.longdouble)
    near = abs(a - b) < 1e-9 * np.maximum(1, abs(a))
    apart = np.where(near, 1, a - b)
    return np.where(near, rate((a + b) / 2), (function(a) - function(b)) / apart).astype(float)


FUNCTIONS = {
    "eigvectors": lambda s: np.linalg.eigh(s)[1],
    "eigvalues": lambda s: np.linalg.eigvalsh(s).reshape(-1, 1),
    "divided_exp": lambda a, b: divided(np.exp, np.exp, a, b),
    "divided_log": lambda a, b: divided(np.log, lambda x: 1 / x, a, b),
    **matrix_functions(),
    "dpower": power_along,
    "d2power": power_along,
    "polar_factor": lambda x: subgradient(x, True),
    "leading_dyad": lambda x: subgradient(x, False),
    "dpolar_factor": lambda x, w: subgradient_along(x, w, True),
    "dleading_dyad": lambda x, w: subgradient_along(x, w, False),
    "nuclear_norm": lambda x: scalar(np.linalg.norm(x, "nuc")),
    "spectral_norm": lambda x: scalar(np.linalg.norm(x, 2)),
    "tr": lambda x: scalar(np.trace(x)),
    "det": lambda x: scalar(np.linalg.det(x)),
    "logdet": lambda x: scalar(np.log(np.linalg.det(x))),
    "inv": np.linalg.inv,
    "dot": lambda x, y: scalar(np.sum(x * y)),
    "sum": lambda x: scalar(np.sum(x)),
    "sumsq": lambda x: scalar(np.sum(x * x)),
    "norm2": lambda x: scalar(np.sqrt(np.sum(x * x))),
    "norm1": lambda x: scalar(np.sum(np.abs(x))),
    "diag": lambda x: np.diag(x.ravel()),
    "diagvec": lambda x: np.diag(x).reshape(-1, 1),
    "kron": np.kron,
    "vec": vec,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "abs": np.abs,
    "sign": np.sign,
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "sinh": np.sinh,
    "cosh": np.cosh,
    "logcosh": lambda x: np.log(np.cosh(x)),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log2": np.log2,
    "log10": np.log10,
    "max": np.maximum,
    "min": np.minimum,
    "sum_rows": lambda x: x.sum(axis=1, keepdims=True),
    "sum_columns": lambda x: x.sum(axis=0, keepdims=True),
    "mean": lambda x: scalar(np.mean(x)),
    "var": lambda x: scalar(np.mean((x - np.mean(x)) ** 2)),
    "logsumexp": lambda x: logsumexp(x, None),
    "logsumexp_rows": lambda x: logsumexp(x, 1),
    "logsumexp_columns": lambda x: logsumexp(x, 0),
    "softmax_rows": lambda x: np.exp(x - logsumexp(x, 1)),
    "softmax_columns": lambda x: np.exp(x - logsumexp(x, 0)),
    "triu": np.triu,
    "tril": np.tril,
}
CONSTANTS = {
    "eye": lambda n: np.eye(n),
    "ones": lambda m, n: np.ones((m, n)),
    "zeros": lambda m, n: np.zeros((m, n)),
    "comm": commutation,
}


class Evaluator:
    """Recursive descent over the grammar of the language's description, one method a rule."""

    functions = FUNCTIONS
    constants = CONSTANTS
    matrix_power = staticmethod(np.linalg.matrix_power)

    def __init__(self, text, values, sizes):
        self.tokens = tokens_of(text)
        self.at = 0
        self.values = values
        self.sizes = sizes

    def peek(self):
        return self.tokens[self.at][1] if self.tokens[self.at][0] == "symbol" else None

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, symbol):
        if self.peek() != symbol:
            raise EvaluationError(f"expected {symbol!r} at token {self.at}: {self.tokens[self.at]}")
        self.next()

    def expression(self):
        value = self.term()
        while self.peek() in ("+", "-"):
            sign = 1.0 if self.next()[1] == "+" else -1.0
            value = plus(value, self.term(), sign)
        return value

    def term(self):
        operations = {"*": times, "/": over, ".*": lambda a, b: entrywise(operator.mul, a, b),
                      "./": lambda a, b: entrywise(operator.truediv, a, b)}
        value = self.factor()
        while self.peek() in operations:
            operation = operations[self.next()[1]]
            value = operation(value, self.factor())
        return value

    def signs(self):
        sign = 1.0
        while self.peek() in ("+", "-"):
            sign *= 1.0 if self.next()[1] == "+" else -1.0
        return sign

    def factor(self):
        return self.signs() * self.power()

    def power(self):
        value = self.primary()
        while self.peek() in ("'", "^", ".^", "("):
            symbol = self.next()[1]
            if symbol == "(":
                value = self.indexed(value)
                continue
            if symbol == "'":
                value = value.T
                continue
            exponent = self.signs() * self.primary()
            if symbol == ".^" or is_scalar(value):
                value = entrywise(operator.pow, value, exponent)
            else:
                value = self.matrix_power(value, int(exponent[0, 0]))
        return value

    def primary(self):
        kind, text = self.next()
        if kind == "number":
            return scalar(text)
        if kind == "name":
            return self.call(text) if self.peek() == "(" and text not in self.values else self.named(text)
        if text == "[":
            return self.blocks()
        if text != "(":
            raise EvaluationError(f"unexpected {text!r}")
        value = self.expression()
        self.expect(")")
        return value

    def blocks(self):
        rows = [[self.expression()]]
        while self.peek() in (",", ";"):
            if self.next()[1] == ";":
                rows.append([])
            rows[-1].append(self.expression())
        self.expect("]")
        return np.block(rows)

    def indexed(self, value):
        """i, i:j or : of the rows and of the columns; of a vector one of them."""
        ranges = [self.range()]
        while self.peek() == ",":
            self.next()
            ranges.append(self.range())
        self.expect(")")
        if len(ranges) == 1:
            ranges = [slice(None), *ranges] if value.shape[0] == 1 else [*ranges, slice(None)]
        return value[tuple(ranges)]

    def range(self):
        begin, end = 1, None
        if self.peek() != ":":
            begin = end = self.size()
        if self.peek() == ":":
            self.next()
            end = self.size() if self.peek() is None else None
        return slice(begin - 1, end)

    def named(self, name):
        if name not in self.values:
            raise EvaluationError(f"no value for {name}")
        return self.values[name]

    def call(self, name):
        read = self.size if name in self.constants else self.expression
        self.expect("(")
        arguments = [read()]
        while self.peek() == ",":
            self.next()
            arguments.append(read())
        self.expect(")")
        functions = self.constants if name in self.constants else self.functions
        if name not in functions:
            raise EvaluationError(f"no function {name}")
        return functions[name](*arguments)

    def size(self):
        """A sum of products of numbers and names of sizes."""
        total, sign = 0, 1
        while True:
            total += sign * self.size_product()
            if self.peek() not in ("+", "-"):
                return total
            sign = 1 if self.next()[1] == "+" else -1

    def size_product(self):
        factors = []
        while True:
            kind, text = self.next()
            factors.append(int(text) if kind == "number" else self.sizes[text])
            if self.peek() != "*":
                return math.prod(factors)
            self.next()


def evaluate(text, values, sizes=None):
    """The matrix that the text stands for: E, or E where T1 = ..., T2 = ... with each name before its definition."""
    text, _, rest = text.partition(" where ")
    for definition in reversed(re.split(r", (?=\w+ = )", rest) if rest else []):
        name, _, part = definition.partition(" = ")
        values = dict(values, **{name: evaluate(part, values, sizes)})
    evaluator = Evaluator(text, values, sizes or {})
    value = evaluator.expression()
    if evaluator.tokens[evaluator.at][0] != "end":
        raise EvaluationError(f"left over: {evaluator.tokens[evaluator.at:]}")
    return value
