"""Families of random jobs whose Hessian has eigenvalues of all sizes down to rounding: kernels, Hilbert's matrix, powers of points.

The minimum is Newton's, in a basis where the problem is well-conditioned: K = R R', a'K a = |z|^2 for z = R'a.
"""

import numpy as np
import scipy.optimize

from random_case import Case, family, sizes


def gaussian_kernel(rng, n):
    points = rng.uniform(-1, 1, (n, int(rng.integers(1, 3))))
    squares = ((points[:, None] - points[None]) ** 2).sum(-1)
    return points[:, 0], np.exp(-squares / (2 * 10 ** rng.uniform(-1, 1)))


def newton(value, derivatives, z):
    """The minimum of a strictly convex function, None where it is not reached: derivatives(z) gives gradient and Hessian."""
    for _ in range(200):
        g, H = derivatives(z)
        d = -np.linalg.solve(H, g)
        t = 1.0
        while t > 1e-8 and not value(z + t * d) < value(z):
            t /= 2
        if t <= 1e-8:
            return value(z) if -g @ d <= 1e-9 * abs(value(z)) else None
        z = z + t * d
    return None


def ones(text, n):
    return {"E": np.ones((n, 1))} if "E +" in text else {}


def sigmoid(u):
    return 0.5 * (1 + np.tanh(u / 2))


# Each: the text (E holds ones), random data y, and of u = K*a the value, its slopes and its curvatures.
LOSSES = {
    "logistic": ("sum(softplus(-y.*(K*a)))", lambda rng, t: np.where(t + 0.3 * rng.standard_normal(len(t)) < 0, -1.0, 1.0),
                 lambda u, y: np.logaddexp(0, -y * u).sum(), lambda u, y: -y * sigmoid(-y * u), lambda u, y: sigmoid(u) * sigmoid(-u)),
    "counts": ("sum(exp(K*a)) - y'*K*a", lambda rng, t: rng.poisson(np.exp(t)).astype(float),
               lambda u, y: np.exp(np.minimum(u, 300)).sum() - y @ u, lambda u, y: np.exp(u) - y, lambda u, y: np.exp(u)),
    "robust": ("sum(sqrt(E + (K*a - y).^2))", lambda rng, t: t + rng.standard_normal(len(t)),
               lambda u, y: np.hypot(1, u - y).sum(), lambda u, y: (u - y) / np.hypot(1, u - y), lambda u, y: np.hypot(1, u - y) ** -3),
    "squares": ("sumsq(K*a - y)", lambda rng, t: t + 0.1 * rng.standard_normal(len(t)),
                lambda u, y: ((u - y) ** 2).sum(), lambda u, y: 2 * (u - y), lambda u, y: np.full_like(u, 2)),
}


@family
def kernel_losses(rng):
    n = sizes(rng, (15, 60))[0]
    mu = 10 ** rng.uniform(-6, 0)
    text, labels, loss, slopes, curvatures = LOSSES[rng.choice(sorted(LOSSES))]
    points, K = gaussian_kernel(rng, n)
    y = labels(rng, np.sin(3 * points))
    values, vectors = np.linalg.eigh(K)
    R = vectors * np.sqrt(np.maximum(values, 0))
    best = newton(lambda z: loss(R @ z, y) + mu * z @ z,
                  lambda z: (R.T @ slopes(R @ z, y) + 2 * mu * z, (R.T * curvatures(R @ z, y)) @ R + 2 * mu * np.eye(n)), np.zeros(n))
    return Case(text + " + mu*a'*K*a", {"a": (n, 1)}, {"K": K, "y": y.reshape(-1, 1), "mu": mu, **ones(text, n)}, declared={"K": {"symmetric": True}},
                solver={"max_iterations": 3000}, convex=True, bounded=True, best=best)


# The infimum over all u of the losses, which a regular K comes to.
LEAST = {
    "logistic": lambda y: 0.0,
    "counts": lambda y: float(sum(y - np.where(y > 0, y * np.log(np.maximum(y, 1)), 0))),
    "robust": lambda y: float(len(y)),
    "squares": lambda y: 0.0,
}


@family
def bare_kernels(rng):
    """Without a penalty: what eigenvalues below the rounding of the largest hold of the fall is for no search to gain, and has to be said."""
    n = int(np.exp(rng.uniform(np.log(6), np.log(60))))
    name = rng.choice(sorted(LOSSES))
    text, labels, *_ = LOSSES[name]
    points = rng.uniform(0, 1, n)
    K = np.exp(-((points[:, None] - points[None]) ** 2) / (2 * 10 ** rng.uniform(-2, 0)))
    y = labels(rng, np.sin(6 * points) + 0.3 * rng.standard_normal(n))
    method = {} if rng.random() < 0.5 else {"method": rng.choice(["l-bfgs", "conjugate-gradient", "newton-cg"])}
    return Case(text, {"a": (n, 1)}, {"K": K, "y": y.reshape(-1, 1), **ones(text, n)}, declared={"K": {"symmetric": True}},
                solver={"max_iterations": 3000, **method}, convex=True, bounded=True, best=LEAST[name](y))


@family
def units_between_bounds(rng):
    """Columns in units up to 1e8 apart, nonnegative coefficients: the minimum is found in units where they are alike."""
    m, n = sizes(rng, (15, 60), (2, 10))
    name = rng.choice(sorted(set(LOSSES) - {"counts"}))
    text, labels, loss, slopes, _ = LOSSES[name]
    A = rng.standard_normal((m, n))
    y = labels(rng, A @ rng.standard_normal(n) + 0.5 * rng.standard_normal(m))
    units = 10 ** rng.uniform(-4, 4, n)
    least = scipy.optimize.minimize(lambda x: (loss(A @ x, y), A.T @ slopes(A @ x, y)), np.zeros(n), jac=True, method="L-BFGS-B",
                                    bounds=[(0, None)] * n, options={"maxiter": 10000, "maxfun": 100000, "ftol": 1e-15, "gtol": 1e-10})
    return Case(text.replace("K*a", "A*a"), {"a": (n, 1)}, {"A": A * units, "y": y.reshape(-1, 1), **ones(text, m)}, "bounds", {"a": "nonnegative"},
                convex=True, bounded=True, best=least.fun if least.success else None)


@family
def polynomial_features(rng):
    """Logistic and robust losses of powers of points in (0, 1), few enough for their basis to be known to rounding."""
    m, n = sizes(rng, (20, 40), (4, 9))
    text, labels, loss, slopes, curvatures = LOSSES[rng.choice(["logistic", "robust", "counts"])]
    points = np.sort(rng.uniform(0, 1, m))
    A = np.vander(points, n, increasing=True)
    y = labels(rng, np.sin(7 * points) + rng.standard_normal(m))
    Q = np.linalg.qr(A)[0]
    mu = 1e-9
    best = newton(lambda z: loss(Q @ z, y), lambda z: (Q.T @ slopes(Q @ z, y), (Q.T * curvatures(Q @ z, y)) @ Q + mu * np.eye(n)), np.zeros(n))
    return Case(text.replace("K*a", "A*a"), {"a": (n, 1)}, {"A": A, "y": y.reshape(-1, 1), **ones(text, m)}, solver={"max_iterations": 3000}, convex=True,
                bounded=True, best=best)


@family
def hilbert(rng):
    n, p = sizes(rng, (4, 12), (1, 3))
    H = 1 / (np.arange(n)[:, None] + np.arange(n)[None] + rng.integers(1, 4))
    B = H @ rng.standard_normal((n, p)) + (1e-3 * rng.standard_normal((n, p)) if rng.random() < 0.5 else 0)
    mu = 10 ** rng.uniform(-12, -2)
    values, vectors = np.linalg.eigh(H)
    C = vectors.T @ B
    best = (mu * C**2 / (values[:, None] ** 2 + mu)).sum()
    return Case("sumsq(H*X - B) + mu*sumsq(X)", {"X": (n, p)}, {"H": H, "B": B, "mu": mu}, declared={"H": {"symmetric": True}},
                solver={"max_iterations": 3000}, convex=True, bounded=True, best=best)
