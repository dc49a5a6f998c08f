"""Families of random jobs on sets and under subject_to."""

import itertools

import numpy as np

from random_case import Case, family, indefinite, sizes, spd, stretch, symmetric, tall

# Bounds.


def enumerate_faces(Q, c, low, high):
    """min x'Qx + c'x in a box: the best stationary point of all faces (for convex Q; n <= 5)."""
    n, best = len(c), np.inf
    for state in itertools.product((0, 1, 2), repeat=n):
        state = np.array(state)
        if (np.isinf(low) & (state == 1)).any() or (np.isinf(high) & (state == 2)).any():
            continue
        x = np.where(state == 1, low, np.where(state == 2, high, 0.0))
        free = state == 0
        if free.any():
            rest = c[free] + 2 * Q[np.ix_(free, ~free)] @ x[~free]
            x[free] = np.linalg.lstsq(2 * Q[np.ix_(free, free)], -rest, rcond=None)[0]
        tolerance = 1e-11 * max(np.abs(x).max(), 1e-300)
        if (x >= low - tolerance).all() and (x <= high + tolerance).all():
            best = min(best, x @ Q @ x + c @ x)
    return best


@family
def nonnegative_least_squares(rng):
    m, n = sizes(rng, (4, 8), (2, 5))
    A, b = tall(rng, m, n), rng.standard_normal((m, 1))
    if rng.random() < 0.5:
        A, b = np.round(3 * A) + 1, np.round(3 * b)
    A, b = stretch(rng) * A, stretch(rng) * b
    best = enumerate_faces(A.T @ A, -2 * (A.T @ b).ravel(), np.zeros(n), np.full(n, np.inf)) + (b**2).sum()
    return Case("sumsq(A*x - b)", {"x": (n, 1)}, {"A": A, "b": b}, "bounds", {"x": "nonnegative"}, convex=True, bounded=True, best=best)


@family
def box_quadratic(rng):
    n = sizes(rng, (2, 5))[0]
    convex = rng.random() < 0.5
    Q, c = spd(rng, n) if convex else indefinite(rng, n), stretch(rng) * rng.standard_normal((n, 1))
    low, high = np.sort(rng.uniform(-2, 2, 2)) * stretch(rng)
    best = enumerate_faces(Q, c.ravel(), np.full(n, low), np.full(n, high)) if convex else None
    return Case("x'*Q*x + c'*x", {"x": (n, 1)}, {"Q": Q, "c": c}, "bounds", {"x": {"box": [float(low), float(high)]}},
                convex=convex, bounded=True, best=best)


@family
def nonnegative_nonconvex(rng):
    """x'Qx over the orthant: zero where Q is copositive, else unbounded. 2 x 2: copositive by its entries."""
    a, b, c = rng.integers(1, 4), -rng.integers(-2, 4), rng.integers(1, 4)
    Q = np.array([[a, b], [b, c]], float)
    bounded = bool(b >= -np.sqrt(a * c) + 1e-9)
    if abs(b * b - a * c) < 1e-9:
        bounded = None
    return Case("x'*Q*x", {"x": (2, 1)}, {"Q": Q}, "bounds", {"x": "nonnegative"}, bounded=bounded, best=0.0 if bounded else None)


@family
def box_matrix(rng):
    m, n = sizes(rng, (3, 5), (2, 3))
    A, B = tall(rng, m, n), rng.standard_normal((m, 2))
    return Case("sumsq(A*X - B) + mu*sumsq(X)", {"X": (n, 2)}, {"A": A, "B": B, "mu": 0.01}, "bounds",
                {"X": {"box": [-0.3, 0.4]}}, convex=True, bounded=True,
                best=sum(enumerate_faces(A.T @ A + 0.01 * np.eye(n), -2 * A.T @ B[:, k], np.full(n, -0.3), np.full(n, 0.4))
                         + (B[:, k] ** 2).sum() for k in range(2)))


@family
def nmf(rng):
    m, n, r = sizes(rng, (3, 5), (3, 5), (1, 2))
    M = stretch(rng) * rng.uniform(0, 1, (m, n))
    starts = {} if rng.random() < 0.6 else {"U": "uniform", "V": "uniform"}
    return Case("sumsq(M - U*V)", {"U": (m, r), "V": (r, n)}, {"M": M}, "bounds",
                {"U": "nonnegative", "V": "nonnegative"}, starts=starts, bounded=True)


@family
def symmetric_nmf(rng):
    n, r = sizes(rng, (3, 5), (1, 2))
    W = rng.uniform(0, 1, (n, r))
    return Case("sumsq(X*X' - S)", {"X": (n, r)}, {"S": symmetric(W @ W.T + 0.1 * rng.uniform(0, 1, (n, n)))}, "bounds",
                {"X": "nonnegative"}, bounded=True)


# Simplices, doubly stochastic matrices, balls, cones.


@family
def simplex_linear(rng):
    m, n = sizes(rng, (2, 4), (2, 4))
    C = stretch(rng) * rng.standard_normal((m, n))
    rows = rng.random() < 0.5
    return Case("dot(C, X)", {"X": (m, n)}, {"C": C}, "compact", {"X": "simplex_rows" if rows else "simplex_columns"},
                convex=True, bounded=True, best=C.min(axis=1 if rows else 0).sum())


@family
def simplex_quadratic(rng):
    """The standard quadratic program; supports are enumerated."""
    n = sizes(rng, (3, 6))[0]
    convex = rng.random() < 0.5
    Q = spd(rng, n) if convex else indefinite(rng, n)
    best = np.inf
    for size in range(1, n + 1):
        for support in itertools.combinations(range(n), size):
            q = Q[np.ix_(support, support)]
            kkt = np.block([[q, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
            x = np.linalg.lstsq(kkt, np.append(np.zeros(size), 1), rcond=None)[0][:size]
            if x.min() >= 0:
                best = min(best, x @ q @ x)
    return Case("x'*Q*x", {"x": (n, 1)}, {"Q": Q}, "compact", {"x": "simplex_columns"}, convex=convex, bounded=True,
                best=best if convex else None)


@family
def mixture(rng):
    m, n = sizes(rng, (5, 8), (2, 4))
    A = rng.uniform(0.05, 1, (m, n))
    return Case("-sum(log(A*x))", {"x": (n, 1)}, {"A": A}, "compact", {"x": "simplex_columns"}, convex=True, bounded=True)


@family
def assignment(rng):
    n = sizes(rng, (2, 4))[0]
    C = rng.standard_normal((n, n))
    best = min(sum(C[i, p[i]] for i in range(n)) for p in itertools.permutations(range(n)))
    return Case("dot(C, X)", {"X": (n, n)}, {"C": C}, "compact", {"X": "doubly_stochastic"}, convex=True, bounded=True, best=best)


@family
def quadratic_assignment(rng):
    n = sizes(rng, (3, 4))[0]
    A, B = (symmetric(np.round(rng.uniform(0, 5, (n, n)))) for _ in range(2))
    np.fill_diagonal(A, 0)
    np.fill_diagonal(B, 0)
    return Case("tr(A*X*B*X')", {"X": (n, n)}, {"A": A, "B": B}, "compact", {"X": "doubly_stochastic"}, bounded=True,
                starts={} if rng.random() < 0.5 else {"X": "feasible"})


@family
def doubly_nearest(rng):
    n = sizes(rng, (3, 4))[0]
    return Case("sumsq(X - M)", {"X": (n, n)}, {"M": rng.standard_normal((n, n))}, "compact", {"X": "doubly_stochastic"},
                convex=True, bounded=True)


@family
def ball(rng):
    """The trust-region subproblem; its global minimum by the secular equation."""
    n = sizes(rng, (2, 5))[0]
    convex = rng.random() < 0.5
    Q, c, r = spd(rng, n) if convex else indefinite(rng, n), stretch(rng) * rng.standard_normal((n, 1)), 10 ** rng.uniform(-1, 1)
    values, vectors = np.linalg.eigh(Q)
    along = (vectors.T @ c).ravel()
    low, high = max(0.0, -values[0]), max(0.0, -values[0]) + np.linalg.norm(c) / r + 1

    def length(s):
        return np.linalg.norm(along / (2 * (values + s)))

    best = None
    if values[0] > 0 and length(0.0) <= r:
        s = 0.0
    else:
        for _ in range(200):
            s = (low + high) / 2
            low, high = (s, high) if length(s) > r else (low, s)
    x = vectors @ (-along / (2 * (values + s)))
    if convex:
        best = x @ Q @ x + c.ravel() @ x
    return Case("x'*Q*x + c'*x", {"x": (n, 1)}, {"Q": Q, "c": c}, "compact", {"x": {"frobenius_ball": float(r)}},
                convex=convex, bounded=True, best=best)


@family
def psd_nearest(rng):
    n = sizes(rng, (2, 4))[0]
    M = stretch(rng) * indefinite(rng, n)
    values = np.linalg.eigvalsh(M)
    return Case("sumsq(X - M)", {"X": (n, n)}, {"M": M}, "convex", {"X": "positive_semidefinite"}, convex=True, bounded=True,
                best=(np.minimum(values, 0) ** 2).sum())


@family
def symmetric_nearest(rng):
    n = sizes(rng, (2, 4))[0]
    A, M = spd(rng, n), rng.standard_normal((n, n))
    return Case("sumsq(A*X - M)", {"X": (n, n)}, {"A": A, "M": M}, "convex", {"X": "symmetric"}, convex=True, bounded=True)


@family
def psd_inverse(rng):
    """tr(AX) + tr(B inv(X)): twice the trace of (A^1/2 B A^1/2)^1/2."""
    n = sizes(rng, (2, 3))[0]
    A, B = spd(rng, n, 1), spd(rng, n, 1)
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(values)) @ vectors.T
    best = 2 * np.sqrt(np.linalg.eigvalsh(root @ B @ root)).sum()
    return Case("tr(A*X) + tr(B*inv(X))", {"X": (n, n)}, {"A": A, "B": B}, "convex", {"X": "positive_semidefinite"},
                convex=True, bounded=True, best=best, starts={"X": "identity"})


@family
def box_by_entries(rng):
    """Bounds of the data, some of them equal, some open."""
    m, n = sizes(rng, (4, 7), (2, 4))
    A, b = stretch(rng) * tall(rng, m, n), rng.standard_normal((m, 1))
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    low = x + np.abs(x).max() * rng.uniform(-1, 0.5, (n, 1))
    high = low + np.abs(x).max() * rng.choice([0.0, 0.5, 2.0], (n, 1))
    low[rng.random((n, 1)) < 0.2] = -np.inf
    best = enumerate_faces(A.T @ A, -2 * (A.T @ b).ravel(), low.ravel(), high.ravel()) + (b**2).sum()
    return Case("sumsq(A*x - b)", {"x": (n, 1)}, {"A": A, "b": b, "l": low, "u": high}, "bounds", {"x": {"box": ["l", "u"]}},
                convex=True, bounded=True, best=best)


@family
def simplex_totals(rng):
    """Rows or columns that add up to numbers of their own; the best corner of each."""
    m, n = sizes(rng, (2, 4), (2, 4))
    rows = rng.random() < 0.5
    C, s = stretch(rng) * rng.standard_normal((m, n)), stretch(rng) * rng.uniform(0, 2, (m if rows else n, 1))
    return Case("dot(C, X)", {"X": (m, n)}, {"C": C, "s": s}, "compact", {"X": {"simplex_rows" if rows else "simplex_columns": "s"}},
                convex=True, bounded=True, best=C.min(axis=1 if rows else 0) @ s.ravel())


@family
def portfolio(rng):
    """Markowitz's quadratic on a simplex of another sum."""
    n = sizes(rng, (3, 6))[0]
    total = float(stretch(rng) * rng.uniform(0.5, 2))
    return Case("x'*Q*x - c'*x", {"x": (n, 1)}, {"Q": stretch(rng) * spd(rng, n), "c": rng.uniform(0, 1, (n, 1))}, "compact",
                {"x": {"simplex_columns": total}}, convex=True, bounded=True)


@family
def transport_set(rng):
    """Linear, or with a quadratic regularisation, on given row and column sums."""
    m, n = sizes(rng, (2, 4), (2, 4))
    r, c = rng.uniform(0.2, 1, (m, 1)), rng.uniform(0.2, 1, (n, 1))
    c *= r.sum() / c.sum()
    text = "dot(C, X)" if rng.random() < 0.5 else "dot(C, X) + 0.3*sumsq(X)"
    return Case(text, {"X": (m, n)}, {"C": stretch(rng) * rng.uniform(0, 1, (m, n)), "r": r, "c": c}, "compact",
                {"X": {"transport": ["r", "c"]}}, convex=True, bounded=True)


# Manifolds.


@family
def rayleigh(rng):
    n, p = sizes(rng, (3, 6), (1, 2))
    A = indefinite(rng, n)
    return Case("tr(X'*A*X)", {"X": (n, p)}, {"A": A}, "manifold", {"X": "orthonormal_columns"}, convex=True, bounded=True,
                best=np.sort(np.linalg.eigvalsh(A))[:p].sum(), declared={"A": {"symmetric": True}},
                starts={} if rng.random() < 0.6 else {"X": np.eye(n, p)})


@family
def brockett(rng):
    n, p = sizes(rng, (3, 5), (2, 2))
    A = indefinite(rng, n)
    values = np.sort(np.linalg.eigvalsh(A))
    return Case("tr(X'*A*X*N)", {"X": (n, p)}, {"A": A, "N": np.diag([2.0, 1.0])}, "manifold", {"X": "orthonormal_columns"},
                convex=True, bounded=True, best=2 * values[0] + values[1])


@family
def procrustes(rng):
    n = sizes(rng, (2, 4))[0]
    A, B = stretch(rng) * rng.standard_normal((n + 2, n)), rng.standard_normal((n + 2, n))
    closed = rng.random() < 0.5
    best = (A**2).sum() + (B**2).sum() - 2 * np.linalg.svd(A.T @ B, compute_uv=False).sum()
    return Case("sumsq(A*X - B)", {"X": (n, n)}, {"A": A, "B": B}, "auto" if closed else "manifold", {"X": "orthonormal_columns"},
                convex=closed, bounded=True, best=best if closed else None)


@family
def trace_ratio(rng):
    n, p = sizes(rng, (3, 5), (1, 2))
    return Case("-tr(X'*A*X)/tr(X'*B*X)", {"X": (n, p)}, {"A": indefinite(rng, n), "B": spd(rng, n, 1)}, "manifold",
                {"X": "orthonormal_columns"}, bounded=True)


@family
def max_cut(rng):
    """Burer and Monteiro's factor, wide enough: every local minimum is a global one."""
    n = sizes(rng, (3, 5))[0]
    W = symmetric(np.round(rng.uniform(-2, 3, (n, n))))
    return Case("tr(W*X'*X)", {"X": (n, n)}, {"W": W}, "manifold", {"X": "unit_columns"}, bounded=True,
                starts={} if rng.random() < 0.6 else {"X": "identity"})


@family
def rayleigh_quotient(rng):
    n = sizes(rng, (2, 5))[0]
    A = indefinite(rng, n)
    return Case("x'*A*x/(x'*x)", {"x": (n, 1)}, {"A": A}, starts={"x": "normal"}, convex=True, bounded=True, best=np.linalg.eigvalsh(A)[0])


# subject_to.


@family
def equality_quadratic(rng):
    n, k = sizes(rng, (3, 5), (1, 2))
    Q, c, A, b = spd(rng, n), rng.standard_normal((n, 1)), rng.standard_normal((k, n)), rng.standard_normal((k, 1))
    kkt = np.block([[2 * Q, A.T], [A, np.zeros((k, k))]])
    x = np.linalg.solve(kkt, np.vstack([-c, b]))[:n]
    return Case("x'*Q*x + c'*x", {"x": (n, 1)}, {"Q": Q, "c": c, "A": A, "b": b}, "auto", subject_to=("A*x = b",), convex=True,
                bounded=True, best=(x.T @ Q @ x + c.T @ x)[0, 0])


@family
def linear_program(rng):
    """min c'x, A x = b, x >= 0 with b from a feasible point and c positive: the best basic solution."""
    n, k = sizes(rng, (3, 6), (1, 2))
    A, c = rng.standard_normal((k, n)), rng.uniform(0.5, 2, (n, 1))
    b = A @ rng.uniform(0.2, 1, (n, 1))
    best = np.inf
    for basis in itertools.combinations(range(n), k):
        try:
            x = np.linalg.solve(A[:, basis], b)
        except np.linalg.LinAlgError:
            continue
        if x.min() >= -1e-11:
            best = min(best, (c[list(basis)].T @ x)[0, 0])
    if rng.random() < 0.5:
        return Case("c'*x", {"x": (n, 1)}, {"c": c, "A": A, "b": b}, "auto", subject_to=("A*x = b", "x >= 0"), convex=True, bounded=True, best=best)
    return Case("c'*x", {"x": (n, 1)}, {"c": c, "A": A, "b": b}, "auto", {"x": "nonnegative"}, subject_to=("A*x = b",), convex=True,
                bounded=True, best=best)


@family
def simplex_by_constraints(rng):
    n = sizes(rng, (2, 4))[0]
    Q = stretch(rng) * np.diag(rng.uniform(0.5, 3, n))
    linear = rng.random() < 0.5
    c = stretch(rng) * rng.uniform(1, 3, (n, 1))
    best = c.min() if linear else 1 / (1 / np.diag(Q)).sum()
    return Case("c'*x" if linear else "x'*Q*x", {"x": (n, 1)}, {"c": c} if linear else {"Q": Q}, "auto",
                subject_to=("sum(x) = 1", "x >= 0"), convex=True, bounded=True, best=best)


@family
def inequality_quadratic(rng):
    """Convex, with inequalities: the active sets are enumerated."""
    n, k = sizes(rng, (2, 4), (2, 4))
    Q, c, A = spd(rng, n, 2), rng.standard_normal((n, 1)), rng.standard_normal((k, n))
    b = A @ rng.standard_normal((n, 1)) + rng.uniform(0, 0.5, (k, 1))
    best = np.inf
    for size in range(0, min(n, k) + 1):
        for active in itertools.combinations(range(k), size):
            a = A[list(active)]
            kkt = np.block([[2 * Q, a.T], [a, np.zeros((size, size))]])
            x = np.linalg.lstsq(kkt, np.vstack([-c, b[list(active)]]), rcond=None)[0][:n]
            if (A @ x - b).max() <= 1e-9:
                best = min(best, (x.T @ Q @ x + c.T @ x)[0, 0])
    return Case("x'*Q*x + c'*x", {"x": (n, 1)}, {"Q": Q, "c": c, "A": A, "b": b}, "auto", subject_to=("A*x <= b",), convex=True,
                bounded=True, best=best)


@family
def sphere_constrained(rng):
    """The least eigenvalue, by an equality that is no set of the program."""
    n = sizes(rng, (2, 4))[0]
    A = indefinite(rng, n)
    return Case("x'*A*x", {"x": (n, 1)}, {"A": A}, "auto", subject_to=("sumsq(x) = 1",), bounded=True, convex=True,
                best=np.linalg.eigvalsh(A)[0], starts={"x": "normal"})


@family
def disc_constrained(rng):
    """A linear objective on an ellipsoid."""
    n = sizes(rng, (2, 4))[0]
    Q, c = spd(rng, n, 1), rng.standard_normal((n, 1))
    best = -np.sqrt((c.T @ np.linalg.solve(Q, c))[0, 0])
    return Case("c'*x", {"x": (n, 1)}, {"Q": Q, "c": c}, "auto", subject_to=("x'*Q*x <= 1",), convex=True, bounded=True, best=best)


@family
def transport(rng):
    m, n = sizes(rng, (2, 3), (2, 3))
    C, r = rng.uniform(0, 1, (m, n)), rng.uniform(0.5, 1, (m, 1))
    s = rng.uniform(0.5, 1, (1, n))
    s *= r.sum() / s.sum()
    best = np.inf
    E = np.vstack([np.kron(np.ones((1, n)), np.eye(m)), np.kron(np.eye(n), np.ones((1, m)))])[:-1]
    e = np.append(r.ravel(), s.ravel())[:-1]
    for basis in itertools.combinations(range(m * n), m + n - 1):
        sub = E[:, basis]
        if abs(np.linalg.det(sub)) > 1e-9:
            x = np.linalg.solve(sub, e)
            if x.min() >= -1e-12:
                best = min(best, C.ravel(order="F")[list(basis)] @ x)
    return Case("dot(C, X)", {"X": (m, n)}, {"C": C, "r": r, "s": s}, "auto", {"X": "nonnegative"},
                subject_to=(f"X*ones({n},1) = r", f"ones(1,{m})*X = s"), convex=True, bounded=True, best=best)


@family
def nonconvex_equality(rng):
    """An indefinite quadratic on a plane within a sphere: a saddle of the Lagrangian is where a solver may stop."""
    n = sizes(rng, (3, 5))[0]
    return Case("x'*Q*x + c'*x", {"x": (n, 1)}, {"Q": indefinite(rng, n), "c": (rng.random() < 0.5) * rng.standard_normal((n, 1)),
                                                 "a": rng.standard_normal((n, 1))}, "auto",
                subject_to=("sumsq(x) = 1", "a'*x = 0"), bounded=True, starts={} if rng.random() < 0.3 else {"x": "normal"})


@family
def products_constrained(rng):
    """A polynomial with a product bounded from below, as in many problems of Hock and Schittkowski."""
    a, b = 10 ** rng.uniform(-1, 1, 2)
    starts = {name: np.array([[rng.uniform(0.5, 3)]]) for name in "xyz"}
    return Case("a*x^2 + y^2 + b*z^2 + x*y", {name: (1, 1) for name in "xyz"}, {"a": a, "b": b}, "auto",
                {name: {"box": [-5.0, 5.0]} for name in "xz"}, starts=starts,
                subject_to=(str(rng.choice(["x*y >= 1", "x*y*z >= 1", "x^2 + y*z = 2"])),), bounded=True)


@family
def mixed_quadratic(rng):
    """Convex, with bounds as a set, an equality and an inequality."""
    n = sizes(rng, (3, 5))[0]
    x = rng.uniform(0.1, 1, (n, 1))
    A, a = rng.standard_normal((1, n)), rng.standard_normal((2, n))
    return Case("x'*Q*x + c'*x", {"x": (n, 1)}, {"Q": stretch(rng) * spd(rng, n, 2), "c": rng.standard_normal((n, 1)), "A": A, "b": A @ x,
                                                 "a": a, "d": a @ x + 0.1}, "auto", {"x": {"box": [0.0, 2.0]}},
                subject_to=("A*x = b", "a*x <= d"), convex=True, bounded=True)


@family
def unbounded_on_sets(rng):
    """A direction of the recession cone along which the objective falls."""
    n = sizes(rng, (2, 4))[0]
    kind = rng.integers(4)
    if kind == 0:
        a = rng.uniform(0.1, 1, (1, n))
        return Case("sumsq(a*x) - c'*x", {"x": (n, 1)}, {"a": np.hstack([a[:, :-1], [[0.0]]]), "c": rng.uniform(0.5, 1, (n, 1))}, "bounds",
                    {"x": "nonnegative"}, bounded=False)
    if kind == 1:
        S = indefinite(rng, n)
        return Case("tr(S*X)", {"X": (n, n)}, {"S": S - (np.linalg.eigvalsh(S)[0] + 1) * np.eye(n)}, "convex",
                    {"X": "positive_semidefinite"}, bounded=False)
    if kind == 2:
        return Case("tr(X'*S*X) - 2*tr(C'*X)", {"X": (n, 3)}, {"S": np.diag(np.r_[np.zeros(1), np.ones(n - 1)]), "C": rng.uniform(0.5, 1, (n, 3))},
                    bounded=False)
    return Case("c'*x", {"x": (n, 1)}, {"c": rng.standard_normal((n, 1)), "a": np.ones((1, n))}, "auto", subject_to=("a*x = 1",), bounded=False)


@family
def semidefinite_logdet(rng):
    """logdet on a cone, default start; the closed form of the ridge."""
    n = sizes(rng, (2, 4))[0]
    S, mu = stretch(rng) * spd(rng, n), 10 ** rng.uniform(-3, 0)
    mu *= np.trace(S) ** 2
    values = np.linalg.eigvalsh(S)
    x = 2 / (values + np.sqrt(values**2 + 8 * mu))
    return Case("tr(S*X) - logdet(X) + mu*sumsq(X)", {"X": (n, n)}, {"S": S, "mu": mu}, "auto",
                {"X": str(rng.choice(["positive_semidefinite", "positive_definite", "symmetric"]))}, convex=True, bounded=True,
                best=(values * x - np.log(x) + mu * x**2).sum())


@family
def isotonic(rng):
    """Pooled adjacent violators."""
    n = sizes(rng, (4, 12))[0]
    y = stretch(rng) * (np.arange(n) * rng.uniform(0, 0.3) + rng.standard_normal(n))
    blocks = []
    for value in y:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            value, count = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + value * count) / (blocks[-1][1] + count), blocks[-1][1] + count]
    fit = np.concatenate([np.full(count, value) for value, count in blocks])
    return Case("sumsq(x - y)", {"x": (n, 1)}, {"y": y.reshape(-1, 1), "D": np.eye(n - 1, n, 1) - np.eye(n - 1, n)}, "auto",
                subject_to=("D*x >= 0",), convex=True, bounded=True, best=((fit - y) ** 2).sum())


@family
def symmetric_nmf_constrained(rng):
    """X >= 0 by subject_to: zero is a saddle of the Lagrangian."""
    n, r = sizes(rng, (3, 4), (1, 2))
    W = rng.uniform(0, 1, (n, r))
    return Case("sumsq(X*X' - S)", {"X": (n, r)}, {"S": W @ W.T}, "auto", subject_to=("X >= 0",), bounded=True)


@family
def free_and_bounded(rng):
    """An intercept without bounds beside nonnegative weights; two variables of different scales."""
    m, n = sizes(rng, (5, 9), (1, 4))
    A, b = rng.uniform(0, 1, (m, n)) * 10 ** rng.uniform(-3, 3), rng.standard_normal((m, 1))
    best = np.inf
    for size in range(n + 1):
        for on in itertools.combinations(range(n), size):
            M = np.hstack([np.ones((m, 1)), A[:, list(on)]])
            x = np.linalg.lstsq(M, b, rcond=None)[0]
            if x[1:].min(initial=0) >= 0:
                best = min(best, ((M @ x - b) ** 2).sum())
    return Case(f"sumsq(ones({m},1)*a + A*x - b)", {"a": (1, 1), "x": (n, 1)}, {"A": A, "b": b}, "bounds", {"x": "nonnegative"},
                convex=True, bounded=True, best=best)


@family
def orthonormal_beside_nonnegative(rng):
    """A factorisation with an orthonormal factor and a nonnegative one."""
    n, m = sizes(rng, (3, 5), (3, 4))
    return Case("sumsq(A - U*V)", {"U": (n, 1), "V": (1, m)}, {"A": stretch(rng) * rng.uniform(0, 1, (n, m))}, "auto",
                {"U": "orthonormal_columns", "V": "nonnegative"}, bounded=True)
