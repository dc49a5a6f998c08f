"""Karush, Kuhn and Tucker's conditions under subject_to, recomputed: multipliers by least squares, curvature on the binding constraints.

    reason = not_stationary(function, space, entries, data, x)      # None where the point passes
"""

import numpy as np

from certificate import null_space
from tg_adjoint import Function

RELATIONS = {"<=": -1.0, ">=": 1.0, "=": 1.0}


class Constraint:
    """One entry of subject_to: equality or not, and c(x) = 0 or c(x) >= 0 entry by entry, as a function of x."""

    def __init__(self, text, shapes, data):
        relation = next(sign for sign in ("<=", ">=", "=") if sign in text)
        self.equality = relation == "="
        self.sign = RELATIONS[relation]
        self.sides = [Function(side, shapes, data) for side in text.split(relation)]

    def values(self, x):
        """(c, the size of the terms that it is a difference of)"""
        left, right = (side.matrix(x) for side in self.sides)
        size = (np.maximum(np.abs(left), np.abs(right)) * np.ones((left - right).shape)).ravel(order="F")
        return self.sign * (left - right).ravel(order="F"), np.maximum(size, np.abs(self.jacobian(x)) @ np.abs(x))

    def weighted(self, x, weights, operation):
        """operation (pull or hessian) of the sum of the weighted entries."""
        shape = np.broadcast_shapes(*(side.matrix(x).shape for side in self.sides))
        seed = self.sign * np.reshape(weights, shape, order="F")
        total = 0.0
        for side, sign in zip(self.sides, (1.0, -1.0)):
            own = side.matrix(x).shape
            total = total + operation(side, sign * (seed if own == shape else np.full(own, seed.sum())))
        return total

    def jacobian(self, x):
        left, right = (side.matrix(x) for side in self.sides)
        rows = (left - right).size
        return np.array([self.weighted(x, e, lambda side, seed: side.pull(x, seed)[1]) for e in np.eye(rows)])

    def hessian(self, x, weights):
        return self.weighted(x, weights, lambda side, seed: side.hessian(x, seed))


def violation(constraints, x):
    """The largest violation of an entry, relative to its terms where these are above 1."""
    worst = 0.0
    for constraint in constraints:
        c, size = constraint.values(x)
        excess = np.abs(c) if constraint.equality else np.maximum(-c, 0)
        worst = max(worst, (excess / np.maximum(size, 1.0)).max())
    return worst


def bound_rows(space, x):
    """Gradients of the bounds that bind, pointing inwards."""
    size = 1e-6 * np.maximum(np.abs(x), 1e-3 * max(np.abs(x).max(), 1e-300))
    eye = np.eye(len(x))
    return np.vstack([eye[x <= space.low + size], -eye[x >= space.high - size]])


def multipliers(g, free, signed):
    """Minimises |g - free' l - signed' m| over l and m >= 0: the active set is grown and shrunk as Lawson and Hanson do."""
    def fit(on):
        rows = np.vstack([free, signed[on]])
        weights = np.linalg.lstsq(rows.T, g, rcond=1e-12)[0] if len(rows) else np.zeros(0)
        return weights[:len(free)], weights[len(free):], g - rows.T @ weights

    on = np.zeros(len(signed), bool)
    lengths = np.maximum(np.linalg.norm(signed, axis=1), 1e-300) if len(signed) else np.ones(0)
    for _ in range(3 * len(signed) + 1):
        _, _, residual = fit(on)
        gain = np.where(on, -np.inf, signed @ residual / lengths) if len(signed) else np.zeros(0)
        if len(gain) == 0 or gain.max() <= 1e-9 * np.linalg.norm(g):
            break
        on[int(np.argmax(gain))] = True
        while on.any() and fit(on)[1].min() < 0:
            on[np.nonzero(on)[0][int(np.argmin(fit(on)[1]))]] = False
    equal, inequal, residual = fit(on)
    weights = np.zeros(len(signed))
    weights[on] = inequal
    return equal, weights, residual


def not_stationary(function, space, constraints, x):
    """What is wrong with x as a local minimum, or None. Only gross faults are named: a relative residual above 1e-3, curvature below
    -1e-3 of the Hessian's size along a direction that stays feasible to first order."""
    _, g = function.gradient(x)
    free, signed, owners = [space.equalities], [bound_rows(space, x)], []
    for constraint in constraints:
        c, size = constraint.values(x)
        rows = constraint.jacobian(x)
        binding = np.ones(len(c), bool) if constraint.equality else c <= 1e-5 * size.max()
        (free if constraint.equality else signed).append(rows[binding])
        owners.append(binding)
    free, signed = np.vstack(free), np.vstack(signed)
    equal, inequal, residual = multipliers(g, free, signed)
    hessian = function.hessian(x)
    parts = sum(np.abs(part).sum() for part in (free.T * equal, signed.T * inequal, g, hessian * x))
    if np.abs(residual).sum() > 1e-3 * parts:
        return f"the conditions of Karush, Kuhn and Tucker are off by {np.abs(residual).sum() / parts:.1e} of their terms"
    at_free, at_signed = len(space.equalities), len(bound_rows(space, x))
    for constraint, binding in zip(constraints, owners):
        count = int(binding.sum())
        weights = np.zeros(len(binding))
        if constraint.equality:
            weights[binding], at_free = equal[at_free:at_free + count], at_free + count
        else:
            weights[binding], at_signed = inequal[at_signed:at_signed + count], at_signed + count
        hessian = hessian - constraint.hessian(x, weights)
    strong = inequal > 1e-6 * max(np.abs(inequal).max(initial=0), 1e-300)
    Z = null_space(np.vstack([free, signed[strong]]))
    if Z.shape[1] == 0:
        return None
    values, vectors = np.linalg.eigh(Z.T @ hessian @ Z)
    if values[0] >= -1e-3 * max(np.abs(hessian).max(), 1e-300):
        return None
    d = Z @ vectors[:, 0]
    weak = signed[~strong] @ d
    if len(weak) == 0 or weak.min() >= -1e-9 or weak.max() <= 1e-9:
        return f"the Lagrangian has the curvature {values[0]:.1e} along a direction that stays feasible, the Hessian's size is {np.abs(hessian).max():.1e}"
    return None
