"""Run on several ranks: arrays whole on rank 0."""

import numpy as np
from mpi4py import MPI

import tracegrad as tg

comm = MPI.COMM_WORLD
root = comm.Get_rank() == 0
rng = np.random.default_rng(7)
X, Y = rng.standard_normal((40, 6)), rng.standard_normal((40, 3))
W = np.linalg.solve(X.T @ X + 0.1 * np.eye(6), X.T @ Y)
objective = "sumsq(Y - X*W) + lam*sumsq(W)"
whole = {"X": X, "Y": Y, "lam": 0.1} if root else {}

seen = []
r = tg.minimize(objective, comm=comm, callback=lambda state: seen.append(state["W"]), method="conjugate-gradient", **whole)
assert r.status == "converged" and r.report["ranks"] == comm.Get_size(), r
if root:
    np.testing.assert_allclose(r.W, W, atol=1e-6)
    assert set(r.data_way.values()) == {"scattered from one rank"}, r.data_way
    np.testing.assert_allclose(seen[-1], r.W, atol=1e-6)
else:
    assert r.W is None and seen[-1] is None
assert len(seen) == r.nit + 1

stopped = tg.minimize(objective, comm=comm, callback=lambda state: not root and state.iteration == 1, method="gradient-descent",
                      **whole)
assert (stopped.status, stopped.nit) == ("interrupted", 1), stopped



def broken(state):
    if not root and state.iteration == 1:
        raise KeyError("mine")


try:
    tg.minimize(objective, comm=comm, callback=broken, method="gradient-descent", **whole)
except (KeyError if not root else tg.Error) as error:
    assert "mine" in str(error), error
else:
    raise AssertionError("a broken callback ends as if nothing was")

with tg.function(objective, wrt="W", comm=comm, **whole) as f:
    value, gradient = f.value_and_gradient(W)
    assert abs(value - ((Y - X @ W) ** 2).sum() - 0.1 * (W**2).sum()) < 1e-10
    np.testing.assert_allclose(gradient, 0, atol=1e-10)
    np.testing.assert_allclose(f.hessian_product(W, W), 2 * X.T @ X @ W + 0.2 * W, atol=1e-10)

for bad in ({"X": X * 1j, "Y": Y, "lam": 0.1}, {"X": X[:5], "Y": Y, "lam": 0.1}):
    try:
        tg.minimize(objective, comm=comm, **(bad if root else {}))
    except tg.InvalidInput:
        pass
    else:
        raise AssertionError("not refused")

alone = tg.minimize(objective, X=X, Y=Y, lam=0.1)  # each rank for itself
np.testing.assert_allclose(alone.W, W, atol=1e-6)
print("this rank is right", flush=True)
