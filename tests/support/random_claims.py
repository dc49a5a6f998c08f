"""Random objectives of matrices, and claims on their gradients that are wrong in ten ways or right in several.

A claim is taken for wrong only where NumPy finds it so: exchanging the factors of a symmetric product is no error.
"""

import re

import numpy as np

from tg_eval import EvaluationError, evaluate

SIZES = {"m": 3, "n": 4}
SHAPES = {"A": "mm", "B": "mm", "S": "mm", "C": "mn", "D": "mn", "E": "nn", "u": "m1", "v": "n1", "s": "11"}
FUNCTIONS = ("exp", "sin", "cos", "tanh", "sigmoid", "softplus", "relu", "abs", "sinh", "cosh", "atan", "logcosh")


def dims(shape):
    """The names with their sizes, X of the shape given: what --dims takes."""
    names = dict(SHAPES, X=shape)
    return ",".join(f"{name}={'x'.join(str(SIZES.get(c, 1)) for c in size)}" for name, size in names.items())


def values(rng, shape, scale):
    """Matrices with entries of both signs."""
    found = {}
    for name, size in dict(SHAPES, X=shape).items():
        found[name] = scale * rng.uniform(-1, 1, [SIZES.get(c, 1) for c in size])
        if name == "S":
            found[name] = found[name] + found[name].T
    return found


class Objectives:
    """Well-shaped expressions in which X stands."""

    def __init__(self, rng, shape):
        self.rng = rng
        self.names = dict(SHAPES, X=shape)

    def pick(self, items):
        return items[self.rng.integers(len(items))]

    def matrix(self, shape, depth):
        """An expression of a shape: 'mn'."""
        rows, cols = shape
        names = [n for n, s in self.names.items() if s == shape] + ["X"] * 3 * (self.names["X"] == shape)
        names += [n + "'" for n, s in self.names.items() if s[::-1] == shape and s != shape]
        if depth == 0 and names:
            return self.pick(names)
        kinds = ["sum", "product", "product", "had", "entry", "transpose", "scale", "square"]
        if rows == cols and rows != "1":
            kinds += ["inv", "eye"]
        kind = self.pick(kinds)
        deeper = max(depth - 1, 0)
        if kind == "sum":
            return f"({self.matrix(shape, deeper)} {self.pick('+-')} {self.matrix(shape, deeper)})"
        if kind == "product" or (depth == 0 and not names):
            inner = self.pick("mn")
            return f"{self.matrix(rows + inner, deeper)}*{self.matrix(inner + cols, deeper)}"
        if kind == "had":
            return f"({self.matrix(shape, deeper)}).*({self.matrix(shape, deeper)})"
        if kind == "entry":
            return f"{self.pick(FUNCTIONS)}({self.matrix(shape, deeper)})"
        if kind == "transpose":
            return f"({self.matrix(cols + rows, deeper)})'"
        if kind == "scale":
            return f"{self.pick(['2', '0.5', '-3', 's'])}*({self.matrix(shape, deeper)})"
        if kind == "square":
            return f"({self.matrix(shape, deeper)}).^2"
        if kind == "inv":
            inner = self.matrix(shape, deeper)
            return f"inv(2*eye({SIZES[rows]}) + ({inner})*({inner})')"
        return f"(({self.matrix(shape, deeper)}) + eye({SIZES[rows]}))"

    def term(self):
        """A scalar term with X in it."""
        while True:
            shape = self.pick(["mm", "mn", "nm", "nn", "m1"])
            depth = int(self.rng.integers(1, 3))
            heads = ["sum", "sumsq", "norm1"] + (["tr", "tr", "logdet"] if shape[0] == shape[1] else [])
            head = self.pick(heads)
            inner = self.matrix(shape, depth)
            if "X" not in inner:
                continue
            if head == "logdet":
                return f"logdet(3*eye({SIZES[shape[0]]}) + ({inner})*({inner})')"
            return f"{head}({inner})"


def derivable(run, text, shape):
    """The printed gradient, or None where the program or the oracle refuses it or it is long."""
    finished = run(["derive", text, "--wrt", "X", "--dims", dims(shape), "--symmetric", "S", "--format", "expr"])
    printed = finished.out.strip()
    return printed if finished.status == 0 and len(printed) < 1500 else None


def is_wrong(claim, gradient, shape, seed):
    """Whether NumPy sees a difference at points of moderate size; None where it cannot tell."""
    rng = np.random.default_rng(seed)
    seen = False
    for scale in (1.0, 0.4, 2.0, 1.0, 0.7, 1.5):
        point = values(rng, shape, scale)
        try:
            with np.errstate(all="ignore"):
                mine, theirs = evaluate(gradient, point), evaluate(claim, point)
        except (EvaluationError, ValueError, KeyError, IndexError, np.linalg.LinAlgError):
            return None
        if mine.shape != theirs.shape:
            return None
        if not (np.isfinite(mine).all() and np.isfinite(theirs).all()):
            continue
        seen = True
        size = np.maximum(abs(mine), abs(theirs)) + 1e-6 * max(abs(mine).max(), abs(theirs).max())
        if (abs(mine - theirs) > 1e-6 * size + 1e-300).any():
            return True
    return False if seen else None


def replace_one(rng, pattern, replacement, text):
    """One occurrence of the pattern, chosen at random; None where there is none."""
    places = list(re.finditer(pattern, text))
    if not places:
        return None
    place = places[rng.integers(len(places))]
    made = replacement(place) if callable(replacement) else place.expand(replacement)
    return text[:place.start()] + made + text[place.end():]


def wrong_sign(rng, gradient, _parts):
    exchanged = {" + ": " - ", " - ": " + "}
    return (rng.integers(2) and replace_one(rng, r" [+-] ", lambda p: exchanged[p.group()], gradient)) or f"-({gradient})"


def wrong_factor(rng, gradient, _parts):
    changed = replace_one(rng, r"\b2\*", "", gradient) if rng.integers(2) else None
    return changed or f"{rng.choice(['2', '0.5', '3', '1.001', '0.999999'])}*({gradient})"


def missing_term(_rng, _gradient, parts):
    return parts[0]


def transposed(rng, gradient, _parts):
    changed = replace_one(rng, r"\b([A-Z])'", r"\1", gradient) if rng.integers(2) else None
    return changed or f"({gradient})'"


def absolute(rng, gradient, _parts):
    changed = replace_one(rng, r"\b[A-Zuvs]\b(?!\()", lambda p: f"abs({p.group()})", gradient) if rng.integers(2) else None
    return changed or f"abs({gradient})"


def scalar_factor(rng, gradient, _parts):
    scalar = rng.choice(["sumsq(X)", "norm2(X)", "s", "tr(A*B)", "exp(s)", "(1 + s^2)", "sigmoid(sum(X))"])
    return f"{scalar}*({gradient})"


def other_name(rng, gradient, _parts):
    others = {"A": "B", "B": "A", "S": "A", "C": "D", "D": "C", "X": "A"}
    return replace_one(rng, r"\b[ABSCDX]\b", lambda p: others[p.group()], gradient)


def constant(rng, gradient, _parts):
    return f"{gradient} {rng.choice(['+ ones', '- ones', '+ 0.001*ones', '+ eye', '- 1'])}" if rng.integers(4) else "0*X"


def swapped(rng, gradient, _parts):
    return replace_one(rng, r"\b([ABSEX]'?)\*([ABSEX]'?)(?![\w'(])", r"\2*\1", gradient)


def wrong_function(rng, gradient, _parts):
    others = {"exp": "softplus", "sin": "cos", "cos": "sin", "tanh": "sin", "sigmoid": "tanh", "relu": "abs",
              "abs": "relu", "sign": "tanh", "softplus": "relu", "inv": "exp", "logdet": "det",
              "sinh": "cosh", "cosh": "sinh", "atan": "tanh"}
    return replace_one(rng, r"\b(" + "|".join(others) + r")\b(?=\()", lambda p: others[p.group()], gradient)


WRONG = (wrong_sign, wrong_factor, missing_term, transposed, absolute, scalar_factor, other_name, constant, swapped,
         wrong_function)


# ---- right ones, in other words ----

def reordered(gradient, parts):
    return f"{parts[1]} + ({parts[0]})"


def doubled(gradient, _parts):
    return f"(2*({gradient}) + ({gradient}))/3"


def weighted(gradient, _parts):
    return f"({gradient}).*(sigmoid(X) + sigmoid(-X))"


def shifted(gradient, _parts):
    return f"({gradient} + Z) - Z + 0*X"


def expanded(gradient, parts):
    return f"(s + 1)*({parts[0]}) - s*({parts[0]}) + (1 - s)*({parts[1]}) + s*({parts[1]})"


def other_functions(gradient, _parts):
    """sigmoid, tanh, relu, abs and squares in terms of others."""
    def rewrite(name, write, text):
        at = 0
        while len(text) < 5000 and (place := re.compile(rf"\b{name}\(").search(text, at)) is not None:
            depth, end = 1, place.end()
            while depth > 0:
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
            made = write(text[place.end():end - 1])
            text, at = text[:place.start()] + made + text[end:], place.start() + 1
        return text
    text = rewrite("sigmoid", lambda a: f"(0.5 + 0.5*tanh(0.5*({a})))", gradient)
    text = rewrite("cos", lambda a: f"sin(({a}) + {np.pi / 2!r})", text)
    text = rewrite("softplus", lambda a: f"(({a}) + SOFTPLUS(-({a})))", text)
    return text.replace("SOFTPLUS", "softplus")


RIGHT = (reordered, doubled, weighted, shifted, expanded, other_functions)
