"""The constraint sets in NumPy, by their definitions: projection, violation, and the linear ones as bounds and equalities."""

import numpy as np

MANIFOLDS = ("orthonormal_columns", "unit_columns")


def name_of(constraint):
    return constraint if isinstance(constraint, str) or constraint is None else next(iter(constraint))


def argument_of(constraint):
    return None if isinstance(constraint, str) or constraint is None else next(iter(constraint.values()))


def resolved(constraint, data):
    """The constraint with the matrices of the data in the place of their names."""
    name, argument = name_of(constraint), argument_of(constraint)
    if argument is None:
        return constraint
    known = [data[part] if isinstance(part, str) else part for part in (argument if isinstance(argument, list) else [argument])]
    return {name: known if isinstance(argument, list) else known[0]}


def sums_of(constraint, shape):
    """(of the rows, of the columns): the sums that a set prescribes, None where it does not."""
    name, argument = name_of(constraint), argument_of(constraint)
    if name == "doubly_stochastic":
        return np.ones(shape[0]), np.ones(shape[1])
    if name == "transport":
        return np.ravel(argument[0]), np.ravel(argument[1])
    total = 1.0 if argument is None else argument
    if name == "simplex_rows":
        return np.ravel(total) * np.ones(shape[0]), None
    if name == "simplex_columns":
        return None, np.ravel(total) * np.ones(shape[1])
    return None, None


def simplex(v, total=1.0):
    """The nearest nonnegative vector of that sum: sorting finds the threshold. Far away its rounding is that of v: the sum is mended."""
    if total == 0:
        return np.zeros(len(v))
    u = np.sort(v)[::-1]
    excess = (np.cumsum(u) - total) / np.arange(1, len(v) + 1)
    nearest = np.maximum(v - excess[np.nonzero(u > excess)[0][-1]], 0)
    return nearest * (total / nearest.sum())


def transport(x, rows, columns):
    """Dykstra's rounds between the matrices of these row and column sums and the nonnegative ones."""
    y, correction = x.copy(), np.zeros_like(x)
    m, n = x.shape
    for _ in range(4000):
        row, column = y.sum(axis=1) - rows, y.sum(axis=0) - columns
        z = y - row[:, None] / n - column[None, :] / m + row.sum() / (m * n)
        after = np.maximum(z + correction, 0)
        correction += z - after
        if np.abs(after - y).max() <= 1e-15 * max(rows.max(), 1e-300):
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
    rows, columns = sums_of(constraint, x.shape)
    if rows is not None and columns is not None:
        return transport(x, rows, columns)
    if rows is not None:
        return np.array([simplex(line, total) for line, total in zip(x, rows)])
    if columns is not None:
        return np.array([simplex(line, total) for line, total in zip(x.T, columns)]).T
    return {"nonnegative": lambda: np.maximum(x, 0),
            "orthonormal_columns": lambda: polar(x),
            "unit_columns": lambda: x / np.linalg.norm(x, axis=0),
            "positive_definite": lambda: (x + x.T) / 2,
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
    sums = [(axis, s) for axis, s in zip((1, 0), sums_of(constraint, x.shape)) if s is not None]
    if sums:
        size = max(s.max() for _, s in sums)
        return max([max(-x.min(), 0.0)] + [np.abs(x.sum(axis=axis) - s).max() for axis, s in sums]) / size
    return {"nonnegative": lambda: max(-x.min(), 0.0) / size,
            "orthonormal_columns": lambda: np.abs(x.T @ x - np.eye(x.shape[1])).max(),
            "unit_columns": lambda: np.abs(np.linalg.norm(x, axis=0) - 1).max(),
            "symmetric": lambda: np.abs(x - x.T).max() / size,
            "positive_definite": lambda: max(np.abs(x - x.T).max(), -np.linalg.eigvalsh((x + x.T) / 2)[0]) / size,
            "positive_semidefinite": lambda: max(np.abs(x - x.T).max(), -np.linalg.eigvalsh((x + x.T) / 2)[0]) / size}[name]()


def bounds(constraint, shape):
    """(low, high) of each entry, columns stacked."""
    name, argument = name_of(constraint), argument_of(constraint)
    n = shape[0] * shape[1]
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    if name == "box":
        low[:], high[:] = (np.asarray(bound, float).ravel(order="F") for bound in argument)
    elif name in ("nonnegative", "simplex_rows", "simplex_columns", "doubly_stochastic", "transport"):
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
    if name in ("doubly_stochastic", "transport"):
        return np.vstack([rows, columns])
    if name in ("symmetric", "positive_semidefinite", "positive_definite"):
        swap = np.zeros((m * n, m * n))
        for i in range(m):
            for j in range(n):
                swap[j * m + i, i * n + j] = 1
        return np.eye(m * n) - swap
    return np.zeros((0, m * n))


def is_linear(constraint):
    return name_of(constraint) not in MANIFOLDS + ("positive_semidefinite", "frobenius_ball")
