"""Is a run's word true? Searches, from the point that a run returned, for a better one nearby.

The search knows the objective by tg_adjoint and the sets by feasible_sets; it shares nothing with the program. What it finds is
evaluated, so that a gain that it reports is one.
"""

import numpy as np

import feasible_sets as sets


class Space:
    """The product of the sets of all variables, in one vector."""

    def __init__(self, function, constraints):
        self.function = function
        self.constraints = constraints
        parts = [(constraints.get(name), shape) for name, shape in function.shapes.items()]
        self.parts = parts
        self.low = np.concatenate([sets.bounds(*part)[0] for part in parts])
        self.high = np.concatenate([sets.bounds(*part)[1] for part in parts])
        self.linear = all(sets.is_linear(constraint) for constraint, _ in parts)
        self.manifold = any(sets.name_of(constraint) in sets.MANIFOLDS for constraint, _ in parts)
        n = len(self.low)
        rows, at = [np.zeros((0, n))], 0
        for constraint, shape in parts:
            block = sets.equalities(constraint, shape)
            wide = np.zeros((len(block), n))
            wide[:, at:at + block.shape[1]] = block
            at += block.shape[1]
            rows.append(wide)
        self.equalities = np.vstack(rows)

    def each(self, x, operation):
        values = self.function.split(x)
        return self.function.join({name: operation(self.constraints.get(name), value) for name, value in values.items()})

    def project(self, x):
        return self.each(x, sets.project)

    def value(self, x):
        """The objective on the set, infinite outside: no step of a search gains by leaving it."""
        return self.function.value(x) if self.violation(x) <= 1e-11 else np.inf

    def violation(self, x):
        return max(sets.violation(self.constraints.get(name), value) for name, value in self.function.split(x).items())


def null_space(matrix):
    if len(matrix) == 0:
        return np.eye(matrix.shape[1])
    _, values, right = np.linalg.svd(matrix)
    rank = int((values > 1e-11 * max(values[0], 1e-300)).sum())
    return right[rank:].T


def newton_direction(gradient, hessian):
    """-|H|^-1 g, zero where that is not finite."""
    if not np.any(hessian):
        return -gradient
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300 + 1e-12 * np.abs(hessian).max()))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    along = vectors.T @ (gradient / scale)
    floor = 1e-14 * max(np.abs(values).max(), 1e-300)
    direction = -(vectors @ (along / np.maximum(np.abs(values), floor))) / scale
    return direction if np.all(np.isfinite(direction)) else np.zeros(len(gradient))


def search(value, move, start, first, tries=40):
    """The best of the steps first/2^k, or of doublings while the value falls."""
    best, step, at = start, 0.0, first
    for _ in range(tries):
        here = value(move(at))
        if np.isfinite(here) and here < best:
            best, step = here, at
            break
        at *= 0.5
    while step == first and tries > 0:
        here = value(move(2 * at))
        if not (np.isfinite(here) and here < best):
            break
        best, step, at, tries = here, 2 * at, 2 * at, tries - 1
        first = at
    return best, step


def face_step(f, space, x, fx):
    """One Newton step within the face of bounds and equalities that the gradient leaves binding."""
    _, g = f.gradient(x)
    size = np.maximum(np.abs(x), 1e-12 * max(np.abs(x).max(), 1e-300))
    low, high = x <= space.low + 1e-13 * size, x >= space.high - 1e-13 * size
    hessian = f.hessian(x)
    if not (np.all(np.isfinite(g)) and np.all(np.isfinite(hessian))):
        return x, fx
    free = ~(low | high)
    E = space.equalities
    multipliers = np.linalg.lstsq(E[:, free].T, g[free], rcond=None)[0] if len(E) and free.any() else np.zeros(len(E))
    reduced = g - E.T @ multipliers
    free |= (low & (reduced < 0)) | (high & (reduced > 0))
    for _ in range(10):
        Z = null_space(E[:, free])
        if Z.shape[1] == 0:
            return x, fx
        d = np.zeros(len(x))
        d[free] = Z @ newton_direction(Z.T @ g[free], Z.T @ hessian[np.ix_(free, free)] @ Z)
        wrong = free & ((low & (d < 0)) | (high & (d > 0)))
        if not wrong.any():
            break
        free &= ~wrong
    else:
        return x, fx
    with np.errstate(all="ignore"):
        room = np.where(d < 0, (space.low - x) / d, np.where(d > 0, (space.high - x) / d, np.inf))
    reach = np.nanmin(np.append(room, np.inf))

    def move(t):
        return np.clip(x + t * d, space.low, space.high) if t <= reach else space.project(x + t * d)

    best, step = search(space.value, move, fx, min(1.0, reach) if reach > 0 else 1.0)
    return (move(step), best) if step > 0 else (x, fx)


def gradient_step(f, space, x, fx, length):
    _, g = f.gradient(x)
    if not np.all(np.isfinite(g)):
        return x, fx, length
    if space.manifold:
        g = tangent(space, x, g)
    best, step = search(space.value, lambda t: space.project(x - t * g), fx, length)
    return (space.project(x - step * g), best, 2 * step) if step > 0 else (x, fx, length)


def tangent(space, x, v):
    values = space.function.split(x)

    def part(name, block):
        at, kind = values[name], sets.name_of(space.constraints.get(name))
        if kind == "orthonormal_columns":
            inner = at.T @ block
            return block - at @ (inner + inner.T) / 2
        if kind == "unit_columns":
            return block - at * (at * block).sum(axis=0)
        return block
    return space.function.join({name: part(name, block) for name, block in space.function.split(v).items()})


def manifold_step(f, space, x, fx):
    """A Newton step in the tangent space: the Hessian of f at the projected point x + Z t, by differences."""
    n = len(x)
    Z = np.linalg.svd(np.array([tangent(space, x, e) for e in np.eye(n)]).T)
    Z = Z[0][:, Z[1] > 0.5]
    if Z.shape[1] == 0:
        return x, fx
    h = 1e-5
    g = Z.T @ f.gradient(x)[1]

    def slope(t):
        y = space.project(x + Z @ t)
        back = np.array([(space.project(x + Z @ (t + h * e)) - space.project(x + Z @ (t - h * e))) / (2 * h)
                         for e in np.eye(len(t))])
        return back @ f.gradient(y)[1]

    hessian = np.array([(slope(h * e) - slope(-h * e)) / (2 * h) for e in np.eye(Z.shape[1])])
    if not np.all(np.isfinite(hessian)):
        return x, fx
    d = Z @ newton_direction(g, (hessian + hessian.T) / 2)
    best, step = search(space.value, lambda t: space.project(x + t * d), fx, 1.0)
    return (space.project(x + step * d), best) if step > 0 else (x, fx)


def descend(f, space, x, steps=30):
    """Monotone descent from x: Newton steps where the set allows them, projected gradient steps in between."""
    fx = f.value(x)
    if not np.isfinite(fx):
        return x, np.inf
    length = max(np.linalg.norm(x), 1e-8) / max(np.linalg.norm(f.gradient(x)[1]), 1e-300)
    for k in range(steps):
        before = fx
        if space.linear:
            x, fx = face_step(f, space, x, fx)
        elif space.manifold and k % 5 == 4 and len(x) <= 16:
            x, fx = manifold_step(f, space, x, fx)
        for _ in range(2 if space.linear else 10):
            x, fx, length = gradient_step(f, space, x, fx, length)
        if not before - fx > 1e-13 * abs(fx) or not np.isfinite(fx) or fx < -1e250:
            break
    return x, fx


def rounding(f, x, rng):
    """How much f moves when x moves in its last digits."""
    fx = f.value(x)
    moved = [abs(f.value(x * (1 + 4e-16 * rng.standard_normal(len(x)))) - fx) for _ in range(6)]
    return 10 * max(moved) + 1e-14 * abs(fx)


def is_strict_vertex(f, space, x):
    """Whether bounds hold every entry of x, each by a multiplier above rounding: then x is a minimum among its neighbours, though
    steps of a search may go over the ridge beside it."""
    g = f.gradient(x)[1]
    floor = 1e-9 * np.abs(g).max()
    return space.linear and len(space.equalities) == 0 and bool(np.all(np.where(g > 0, x <= space.low, x >= space.high) & (np.abs(g) > floor)))


def best_nearby(f, space, x, rng, attempts=4):
    """The lowest point that descent reaches from x and from small displacements of it that stay in the set."""
    if is_strict_vertex(f, space, x):
        return x, f.value(x)
    best = descend(f, space, x)
    sizes = np.array([0.0, 1e-6, 1e-3, 1e-2])
    largest = np.abs(x).max() if np.any(x) else 1.0
    scale = space.each(x, lambda _, value: np.full(value.shape, np.abs(value).max() if np.any(value) else largest))
    for k in range(attempts):
        y = space.project(x + sizes[(k % 3) + 1] * scale * rng.standard_normal(len(x)))
        found = descend(f, space, y)
        if found[1] < best[1]:
            best = found
    return best
