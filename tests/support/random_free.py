"""Families of random jobs without constraints: quadratics, losses, factorisations, logdet."""

import itertools

import numpy as np

from random_case import Case, family, indefinite, sizes, spd, stretch, symmetric, tall

# Least squares and quadratics without constraints.


@family
def least_squares(rng):
    m, n, p = sizes(rng, (5, 9), (1, 5), (1, 3))
    A, B = stretch(rng) * tall(rng, m, n), stretch(rng) * rng.standard_normal((m, p))
    r = B - A @ np.linalg.lstsq(A, B, rcond=None)[0]
    return Case("sumsq(A*X - B)", {"X": (n, p)}, {"A": A, "B": B}, convex=True, bounded=True, best=(r**2).sum())


@family
def least_squares_singular(rng):
    m, n = sizes(rng, (3, 6), (3, 6))
    A = rng.standard_normal((m, 2)) @ rng.standard_normal((2, n))
    B = rng.standard_normal((m, 2))
    r = B - A @ np.linalg.lstsq(A, B, rcond=1e-12)[0]
    return Case("sumsq(A*X - B)", {"X": (n, 2)}, {"A": A, "B": B}, convex=True, bounded=True, best=(r**2).sum())


@family
def ridge(rng):
    m, n = sizes(rng, (4, 9), (2, 6))
    mu = 10 ** rng.uniform(-4, 1)
    A, B = tall(rng, m, n), rng.standard_normal((m, 2))
    X = np.linalg.solve(A.T @ A + mu * np.eye(n), A.T @ B)
    best = ((A @ X - B) ** 2).sum() + mu * (X**2).sum()
    return Case("sumsq(A*X - B) + mu*sumsq(X)", {"X": (n, 2)}, {"A": A, "B": B, "mu": mu}, convex=True, bounded=True, best=best)


@family
def weighted(rng):
    m, n, p = sizes(rng, (6, 9), (2, 4), (1, 3))
    A, B, W = stretch(rng) * tall(rng, m, n), stretch(rng) * rng.standard_normal((m, p)), rng.uniform(0.2, 1, (m, p))
    best = 0.0
    for k in range(p):
        a, b = A * W[:, [k]], B[:, k] * W[:, k]
        best += ((b - a @ np.linalg.lstsq(a, b, rcond=None)[0]) ** 2).sum()
    return Case("sumsq(W.*(A*X - B))", {"X": (n, p)}, {"A": A, "B": B, "W": W}, convex=True, bounded=True, best=best)


@family
def trace_quadratic(rng):
    m, n = sizes(rng, (2, 4), (2, 4))
    A, B, C = stretch(rng) * spd(rng, m), spd(rng, n), stretch(rng) * rng.standard_normal((m, n))
    X = np.linalg.solve(A, C) @ np.linalg.inv(B)
    return Case("tr(X'*A*X*B) - 2*tr(C'*X)", {"X": (m, n)}, {"A": A, "B": B, "C": C},
                declared={"A": {"symmetric": True}, "B": {"symmetric": True}}, convex=True, bounded=True, best=-np.sum(C * X))


@family
def indefinite_quadratic(rng):
    m, n = sizes(rng, (2, 5), (1, 3))
    A, C = stretch(rng) * indefinite(rng, m), stretch(rng) * rng.standard_normal((m, n))
    bounded = bool(np.linalg.eigvalsh(A)[0] > 0)
    return Case("tr(X'*A*X) - 2*tr(C'*X)", {"X": (m, n)}, {"A": A, "C": C}, convex=bounded, bounded=bounded)


@family
def singular_quadratic(rng):
    """The linear term is in the range of the singular matrix, or not: then the objective is unbounded."""
    n = sizes(rng, (2, 5))[0]
    F = rng.standard_normal((n, n - 1))
    bounded = bool(rng.random() < 0.5)
    A = F @ F.T
    C = A @ rng.standard_normal((n, 2)) if bounded else rng.standard_normal((n, 2))
    return Case("sumsq(F'*X) - 2*tr(C'*X)" if rng.random() < 0.5 else "tr(X'*F*F'*X) - 2*tr(C'*X)",
                {"X": (n, 2)}, {"F": F, "C": C}, convex=True, bounded=bounded)


@family
def diagonal_unbounded(rng):
    """Integers: the flat direction is exact."""
    n = sizes(rng, (2, 4))[0]
    d = rng.integers(0, 3, n).astype(float)
    d[0] = 0
    return Case("tr(X'*S*X) - 2*tr(C'*X)", {"X": (n, n)}, {"S": np.diag(d), "C": rng.integers(1, 4, (n, n)).astype(float)},
                declared={"S": {"symmetric": True}}, convex=True, bounded=False)


# Losses.


@family
def logistic(rng):
    m, n = sizes(rng, (8, 14), (2, 4))
    A, y = tall(rng, m, n), (rng.random((m, 1)) < 0.5).astype(float)
    mu = 10 ** rng.uniform(-3, 0)
    return Case("sum(softplus(A*x)) - dot(y, A*x) + mu*sumsq(x)", {"x": (n, 1)}, {"A": A, "y": y, "mu": mu}, convex=True, bounded=True)


@family
def logistic_weighted(rng):
    m, n = sizes(rng, (8, 14), (2, 4))
    A, y = tall(rng, m, n) * 10 ** rng.uniform(0, 2), (rng.random((m, 1)) < 0.5).astype(float)
    w = rng.uniform(0.1, 3, (m, 1))
    return Case(f"sum(w.*(log(ones({m},1) + exp(A*x)) - y.*(A*x))) + 0.01*sumsq(x)", {"x": (n, 1)}, {"A": A, "y": y, "w": w}, convex=True, bounded=True)


@family
def poisson(rng):
    m, n = sizes(rng, (8, 14), (2, 4))
    A = 0.7 * tall(rng, m, n)
    y = rng.poisson(np.exp(A @ rng.standard_normal((n, 1)))).astype(float)
    return Case("sum(exp(A*x)) - dot(y, A*x) + 0.01*sumsq(x)", {"x": (n, 1)}, {"A": A, "y": y}, convex=True, bounded=True)


@family
def steep_softplus(rng):
    m, n = sizes(rng, (4, 8), (1, 3))
    A = rng.standard_normal((m, n)) * 10 ** rng.uniform(2, 5)
    return Case("sum(softplus(-A*x)) + 0.5*sumsq(x)", {"x": (n, 1)}, {"A": A}, convex=True, bounded=True)


@family
def pseudo_huber(rng):
    m, n = sizes(rng, (6, 10), (2, 4))
    A, B = tall(rng, m, n), 10 ** rng.uniform(-1, 2) * rng.standard_normal((m, 2))
    return Case(f"sum(sqrt(ones({m},2) + (A*X - B).^2))", {"X": (n, 2)}, {"A": A, "B": B}, convex=True, bounded=True)


@family
def exponentials(rng):
    """A sum of exponentials whose exponents span the space positively has a minimum."""
    m, n = sizes(rng, (3, 6), (1, 3))
    A = rng.standard_normal((m, n))
    A = np.vstack([A, -A.sum(axis=0, keepdims=True)])
    return Case("sum(exp(A*x + b))", {"x": (n, 1)}, {"A": A, "b": rng.standard_normal((m + 1, 1))}, convex=True, bounded=True)


@family
def entropy(rng):
    n = sizes(rng, (3, 5))[0]
    c = rng.standard_normal((n, 1)) * 10 ** rng.uniform(-1, 1)
    best = -np.log(np.exp(-c - (-c).max()).sum()) - (-c).max()
    return Case("sum(x.*log(x)) + c'*x", {"x": (n, 1)}, {"c": c}, "compact", {"x": "simplex_columns"}, convex=True, bounded=True,
                best=float(best))


# norm1.


@family
def lasso(rng):
    m, n = sizes(rng, (5, 9), (2, 5))
    A, b = stretch(rng) * tall(rng, m, n), stretch(rng) * rng.standard_normal((m, 1))
    mu = 10 ** rng.uniform(-2, 0) * 2 * np.abs(A.T @ b).max()
    best = np.inf
    for signs in itertools.product((-1, 0, 1), repeat=n):
        s = np.array(signs, float)
        on = s != 0
        x = np.zeros(n)
        if on.any():
            x[on] = np.linalg.lstsq(2 * A[:, on].T @ A[:, on], 2 * A[:, on].T @ b.ravel() - mu * s[on], rcond=None)[0]
        best = min(best, ((A @ x - b.ravel()) ** 2).sum() + mu * np.abs(x).sum())
    return Case("sumsq(A*x - b) + mu*norm1(x)", {"x": (n, 1)}, {"A": A, "b": b, "mu": mu}, "auto", convex=True, bounded=True, best=best)


@family
def graphical_lasso(rng):
    n = sizes(rng, (2, 4))[0]
    Z = rng.standard_normal((12, n)) * 10 ** rng.uniform(-1, 1, n)
    S = symmetric(Z.T @ Z / 12)
    return Case("tr(S*X) - logdet(X) + mu*norm1(X)", {"X": (n, n)}, {"S": S, "mu": 0.1 * np.trace(S) / n}, "auto",
                starts={"X": "identity"}, implied={"X": "symmetric"}, convex=True, bounded=True)


# Factorisations and polynomials.


@family
def factorisation(rng):
    """Eckart and Young: every local minimum is a global one."""
    m, n, r = sizes(rng, (3, 6), (3, 5), (1, 2))
    M = stretch(rng) * rng.standard_normal((m, n))
    best = (np.linalg.svd(M, compute_uv=False)[r:] ** 2).sum()
    return Case("sumsq(M - U*V)", {"U": (m, r), "V": (r, n)}, {"M": M}, convex=True, bounded=True, best=best,
                starts={} if rng.random() < 0.5 else {"U": "normal", "V": "normal"})


@family
def masked_factorisation(rng):
    m, n, r = sizes(rng, (4, 6), (4, 6), (1, 2))
    W, M = (rng.random((m, n)) < 0.8).astype(float), stretch(rng) * rng.standard_normal((m, n))
    return Case("sumsq(W.*(M - U*V)) + mu*sumsq(U) + mu*sumsq(V)", {"U": (m, r), "V": (r, n)},
                {"M": M, "W": W, "mu": 0.01 * np.abs(M).max()}, bounded=True,
                starts={} if rng.random() < 0.5 else {"U": "normal", "V": "normal"})


@family
def centred_factorisation(rng):
    m, n = sizes(rng, (3, 5), (3, 5))
    A = rng.standard_normal((m, n)) + 3
    best = (np.linalg.svd(A - A.mean(axis=0), compute_uv=False)[1:] ** 2).sum()
    return Case(f"sumsq(A - ones({m},1)*b - U*V)", {"b": (1, n), "U": (m, 1), "V": (1, n)}, {"A": A}, convex=True, bounded=True, best=best)


@family
def low_rank_psd(rng):
    n, r = sizes(rng, (3, 5), (1, 2))
    S = stretch(rng) * indefinite(rng, n)
    values = np.sort(np.linalg.eigvalsh(S))[::-1]
    best = (S**2).sum() - (np.maximum(values[:r], 0) ** 2).sum()
    return Case("sumsq(X*X' - S)", {"X": (n, r)}, {"S": S}, convex=True, bounded=True, best=best)


@family
def factor_analysis(rng):
    n = sizes(rng, (4, 5))[0]
    Z = rng.standard_normal((30, n)) + 1.5 * rng.standard_normal((30, 1)) @ rng.uniform(0.3, 1, (1, n))
    R = np.corrcoef(Z.T)
    starts = {"d": np.full((n, 1), 0.7)} if rng.random() < 0.5 else {"d": np.full((n, 1), 0.7), "L": "normal"}
    return Case("logdet(L*L' + diag(d.*d)) + tr(R*inv(L*L' + diag(d.*d)))", {"L": (n, 1), "d": (n, 1)}, {"R": R}, starts=starts)


@family
def powers(rng):
    """Even powers of affine forms that span the space, and a linear term: convex, bounded."""
    m, n, p = int(rng.integers(4, 8)), int(rng.integers(1, 4)), int(rng.choice([4, 6, 8]))
    return Case(f"sum((A*x - b).^{p}) + c'*x", {"x": (n, 1)},
                {"A": rng.standard_normal((m, n)), "b": rng.standard_normal((m, 1)), "c": rng.standard_normal((n, 1))}, convex=True,
                bounded=True)


@family
def wells(rng):
    """From its crest, or from elsewhere: a global minimum of zero, no other local one."""
    n = sizes(rng, (1, 4))[0]
    B = spd(rng, n, 1)
    return Case("(x'*B*x - 1)^2", {"x": (n, 1)}, {"B": B}, bounded=True, best=0.0, convex=True,
                starts={} if rng.random() < 0.5 else {"x": "normal"})


@family
def valley(rng):
    """Rosenbrock's function with another factor, and products of higher degree."""
    a = 10 ** rng.uniform(0, 3)
    text = rng.choice(["a*(y - x^2)^2 + (1 - x)^2", "(x - y)^2 + (y - z)^4 + a*((1 + y^2)*x + z^4 - 3)^2",
                       "(x + 10*y)^2 + 5*(z - w)^2 + (y - 2*z)^4 + a*(x - w)^4", "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + a*(2.625 - x + x*y^3)^2"])
    names = [name for name in "xyzw" if name in text]
    starts = {name: np.array([[rng.uniform(-3, 3)]]) for name in names}
    return Case(str(text), {name: (1, 1) for name in names}, {"a": a}, starts=starts, bounded=True)


@family
def quartic_orthogonal(rng):
    n, p = sizes(rng, (3, 5), (1, 3))
    return Case(f"sumsq(X'*X - eye({p}))", {"X": (n, p)}, {}, convex=True, bounded=True, best=0.0,
                starts={"X": ["normal", np.eye(n, p), "zeros"][rng.integers(3)]})


@family
def falling_polynomial(rng):
    n = sizes(rng, (1, 3))[0]
    return Case("sum(x.^4) - a*sum(x.^6) + c'*x", {"x": (n, 1)}, {"a": 10 ** rng.uniform(-6, 0), "c": rng.standard_normal((n, 1))},
                bounded=False)


# logdet.


@family
def precision(rng):
    n = sizes(rng, (2, 4))[0]
    S = stretch(rng) * spd(rng, n)
    kind = rng.integers(3)
    start = {"X": "identity"}
    if kind == 0:
        return Case("tr(S*X) - logdet(X)", {"X": (n, n)}, {"S": S}, "auto", starts=start, implied={"X": "symmetric"}, convex=True, bounded=True,
                    best=n + np.linalg.slogdet(S)[1], declared={"S": {"symmetric": True}})
    if kind == 1:
        mu = 10 ** rng.uniform(-3, 0) * np.trace(S) ** 2
        values = np.linalg.eigvalsh(S)
        x = 2 / (values + np.sqrt(values**2 + 8 * mu))
        return Case("tr(S*X) - logdet(X) + mu*sumsq(X)", {"X": (n, n)}, {"S": S, "mu": mu}, starts=start, implied={"X": "symmetric"}, convex=True, bounded=True,
                    best=(values * x - np.log(x) + mu * x**2).sum())
    return Case("tr(S*X) - logdet(X)", {"X": (n, n)}, {"S": S - 2 * np.linalg.eigvalsh(S)[-1] * np.eye(n)}, "auto", starts=start, implied={"X": "symmetric"},
                bounded=False)


@family
def precision_factor(rng):
    n = sizes(rng, (2, 4))[0]
    S = spd(rng, n, 2)
    return Case("tr(F'*S*F) - logdet(F*F')", {"F": (n, n)}, {"S": S}, starts={"F": "identity"}, convex=True, bounded=True,
                best=n + np.linalg.slogdet(S)[1])


@family
def analytic_centre(rng):
    """A barrier whose domain holds the default start, or does not."""
    m, n = sizes(rng, (4, 8), (1, 3))
    A = rng.standard_normal((m, n))
    A = np.vstack([A, -A.sum(axis=0, keepdims=True)])
    inside = rng.standard_normal((n, 1)) * (rng.random() < 0.5)
    b = A @ inside + rng.uniform(0.3, 1, (m + 1, 1))
    return Case("-sum(log(b - A*x))", {"x": (n, 1)}, {"A": A, "b": b}, convex=True, bounded=True, starts={"x": inside} if np.any(inside) else {})


@family
def losses_by_columns(rng):
    """A regression of each column with a scale of its own: groups."""
    m, n, p = sizes(rng, (8, 12), (2, 3), (2, 4))
    A = tall(rng, m, n)
    Y = rng.poisson(2.0, (m, p)).astype(float)
    scales = 10 ** rng.uniform(-2, 2, (1, p))
    text = rng.choice(["sum(exp(A*X)) - dot(Y, A*X)", "sum(w.*(exp(A*X) - Y.*(A*X)))", "sum(softplus(A*X)) - 0.3*sum(A*X) + 0.01*sumsq(X)"])
    return Case(str(text), {"X": (n, p)}, {"A": A, "Y": Y + (Y.sum(axis=0) == 0), "w": np.ones((m, 1)) * scales}, convex=True, bounded=True)


@family
def polynomial_fit(rng):
    """Monomials as regressors: conditions up to 1e10."""
    k = sizes(rng, (3, 6))[0]
    x = rng.uniform(0, 10 ** rng.uniform(-1, 1), 12) + rng.uniform(0, 3)
    A = np.vander(x, k, increasing=True)
    y = A @ rng.standard_normal((k, 1)) + 10 ** rng.uniform(-6, 0) * rng.standard_normal((12, 1))
    q = np.linalg.qr(A)[0]
    return Case("sumsq(A*x - y)", {"x": (k, 1)}, {"A": A, "y": y}, convex=True, bounded=True, best=((y - q @ (q.T @ y)) ** 2).sum())


@family
def least_deviations(rng):
    """The best of the fits that pass through as many points as there are unknowns."""
    m, n = sizes(rng, (5, 8), (1, 3))
    A, y = stretch(rng) * rng.standard_normal((m, n)), stretch(rng) * rng.standard_normal((m, 1))
    best = min(np.abs(A @ np.linalg.solve(A[list(on)], y[list(on)]) - y).sum() for on in itertools.combinations(range(m), n))
    return Case("norm1(A*x - y)", {"x": (n, 1)}, {"A": A, "y": y}, "auto", convex=True, bounded=True, best=best)


@family
def weighted_lasso(rng):
    """An orthogonal design: soft thresholds, one for each entry."""
    n = sizes(rng, (2, 5))[0]
    Q, z = np.linalg.qr(rng.standard_normal((n, n)))[0], stretch(rng) * rng.standard_normal((n, 1))
    W = np.abs(z).max() * rng.uniform(0, 1.5, (n, 1)) * rng.integers(0, 2, (n, 1))
    best = (z**2).sum() - (np.maximum(np.abs(z) - W / 2, 0) ** 2).sum()
    return Case("sumsq(Q*x - b) + norm1(W.*x)", {"x": (n, 1)}, {"Q": Q, "b": Q @ z, "W": W}, "auto", convex=True, bounded=True, best=best)


@family
def graphical_lasso_pair(rng):
    """2 x 2, the diagonal penalised or not: closed form."""
    Z = rng.standard_normal((6, 2)) * 10 ** rng.uniform(-2, 2, 2)
    S = symmetric(Z.T @ Z / 6)
    mu, diagonal = np.abs(S[0, 1]) * rng.uniform(0.1, 1.5), float(rng.integers(0, 2))
    off = max(np.abs(S[0, 1]) - mu, 0)
    best = 2 + np.log((S[0, 0] + mu * diagonal) * (S[1, 1] + mu * diagonal) - off**2)
    return Case("tr(S*X) - logdet(X) + mu*norm1(W.*X)", {"X": (2, 2)}, {"S": S, "mu": mu, "W": np.ones((2, 2)) - (1 - diagonal) * np.eye(2)},
                "auto", implied={"X": "symmetric"}, convex=True, bounded=True, best=best)
