"""The constraint sets in NumPy, by their definitions: projection, violation, and the linear ones as bounds and equalities."""

import numpy as np

MANIFOLDS = ("orthonormal_columns", "unit_columns")


def name_of(constraint):
    return constraint if isinstance(constraint, str) or constraint is None else next(iter(constraint))


def argument_of(constraint):
    return None if isinstance(constraint, str) or constraint is None else next(iter(constraint.values()))


def simplex(v, total=1.0):
    """The nearest nonnegative vector of that sum: sorting finds the threshold."""
    u = np.sort(v)[::-1]
    excess = (np.cumsum(u) - total) / np.arange(1, len(v) + 1)
    return np.maximum(v - excess[np.nonzero(u > excess)[0][-1]], 0)


def doubly_stochastic(x):
    """Dykstra's rounds between the matrices of these row and column sums and the nonnegative ones."""
    y, correction, n = x.copy(), np.zeros_like(x), len(x)
    for _ in range(2000):
        row, column = y.sum(axis=1) - 1, y.sum(axis=0) - 1
        z = y - row[:, None] / n - column[None, :] / n + row.sum() / n**2
        after = np.maximum(z + correction, 0)
        correction += z - after
        if np.abs(after - y).max() < 1e-15:
            break
        y = after
    return after


def psd(x):
    values, vectors = np.linalg.eigh((x + x.T) / 2)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def polar(x):
    left, _, right = np.linalg.svd(x, full_matrices=False)
    return left @ right


def project(constraint, x):
    name, argument = name_of(constraint), argument_of(constraint)
    if name is None:
        return x
    if name == "box":
        return np.clip(x, argument[0], argument[1])
    if name == "frobenius_ball":
        return x * min(1.0, argument / max(np.linalg.norm(x), 1e-300))
    return {"nonnegative": lambda: np.maximum(x, 0),
            "orthonormal_columns": lambda: polar(x),
            "unit_columns": lambda: x / np.linalg.norm(x, axis=0),
            "simplex_rows": lambda: np.apply_along_axis(simplex, 1, x),
            "simplex_columns": lambda: np.apply_along_axis(simplex, 0, x),
            "doubly_stochastic": lambda: doubly_stochastic(x),
            "symmetric": lambda: (x + x.T) / 2,
            "positive_semidefinite": lambda: psd(x)}[name]()


def violation(constraint, x):
    """How far x is outside, relative to the size of the set or of x."""
    name, argument = name_of(constraint), argument_of(constraint)
    size = max(np.abs(x).max(), 1e-300)
    if name is None:
        return 0.0
    if name == "box":
        return max((argument[0] - x).max(), (x - argument[1]).max(), 0.0) / size
    if name == "frobenius_ball":
        return max(np.linalg.norm(x) / argument - 1, 0.0)
    sums = {"simplex_rows": (1,), "simplex_columns": (0,), "doubly_stochastic": (0, 1)}.get(name)
    if sums is not None:
        return max([max(-x.min(), 0.0)] + [np.abs(x.sum(axis=axis) - 1).max() for axis in sums])
    return {"nonnegative": lambda: max(-x.min(), 0.0) / size,
            "orthonormal_columns": lambda: np.abs(x.T @ x - np.eye(x.shape[1])).max(),
            "unit_columns": lambda: np.abs(np.linalg.norm(x, axis=0) - 1).max(),
            "symmetric": lambda: np.abs(x - x.T).max() / size,
            "positive_semidefinite": lambda: max(np.abs(x - x.T).max(), -np.linalg.eigvalsh((x + x.T) / 2)[0]) / size}[name]()


def bounds(constraint, shape):
    """(low, high) of each entry, columns stacked."""
    name, argument = name_of(constraint), argument_of(constraint)
    n = shape[0] * shape[1]
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    if name == "box":
        low[:], high[:] = argument
    elif name in ("nonnegative", "simplex_rows", "simplex_columns", "doubly_stochastic"):
        low[:] = 0
    return low, high


def equalities(constraint, shape):
    """The matrix E of the linear equalities E vec(X) = e."""
    name = name_of(constraint)
    m, n = shape
    rows, columns = np.kron(np.ones((1, n)), np.eye(m)), np.kron(np.eye(n), np.ones((1, m)))
    if name == "simplex_rows":
        return rows
    if name == "simplex_columns":
        return columns
    if name == "doubly_stochastic":
        return np.vstack([rows, columns])
    if name in ("symmetric", "positive_semidefinite"):
        swap = np.zeros((m * n, m * n))
        for i in range(m):
            for j in range(n):
                swap[j * m + i, i * n + j] = 1
        return np.eye(m * n) - swap
    return np.zeros((0, m * n))


def is_linear(constraint):
    return name_of(constraint) not in MANIFOLDS + ("positive_semidefinite", "frobenius_ball")
