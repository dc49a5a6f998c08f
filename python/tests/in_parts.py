"""Run on several ranks: arrays of which each rank holds a part."""

import numpy as np
from mpi4py import MPI

import tracegrad as tg

comm = MPI.COMM_WORLD
rank, size = comm.Get_rank(), comm.Get_size()
root = rank == 0
rng = np.random.default_rng(7)
X, Y = rng.standard_normal((40, 6)), rng.standard_normal((40, 3))
objective, keys = "sumsq(Y - X*W) + lam*sumsq(W)", {"comm": comm, "method": "l-bfgs"}
whole = {"X": X, "Y": Y, "lam": 0.1} if root else {}
expected = tg.minimize(objective, **keys, **whole)
W = comm.bcast(expected.W)


def cuts(n):
    """Uneven; of three and more parts the second is empty."""
    found = [n * k * k // size**2 for k in range(size + 1)]
    return [found[0], found[1], found[1], *found[3:]] if size > 2 else found


def mine(n):
    return slice(cuts(n)[rank], cuts(n)[rank + 1])


def same(r):
    assert r.status == "converged", r
    if root:
        assert r.fun == expected.fun, (r.fun, expected.fun)
        np.testing.assert_array_equal(r.W, W)


# Rows and columns, in either order of memory, beside what is whole on rank 0; the bits are those of whole arrays.
rows, columns = mine(40), mine(6)
x, y = tg.Part(X[rows], rows), tg.Part(np.asfortranarray(Y[rows]), np.s_[rows, :])
same(tg.minimize(objective, X=x, Y=y, lam=0.1, **keys))
same(tg.minimize(objective, data={"X": tg.Part(X[:, columns], np.s_[:, columns])}, **{"Y": Y, "lam": 0.1} if root else {}, **keys))
if size == 4:
    where = np.s_[(0, 25)[rank % 2]:(25, 40)[rank % 2], (0, 2)[rank // 2]:(2, 6)[rank // 2]]
    same(tg.minimize(objective, X=tg.Part(X[where], where), Y=y, lam=0.1, **keys))
# A start point in parts, and the result.
part = np.full((6, 3), np.nan)[mine(6)]
started = tg.minimize(objective, X=x, Y=y, lam=0.1, start={"W": tg.Part(W[mine(6)], mine(6))}, into={"W": tg.Part(part, mine(6))}, **keys)
assert started.nit <= 1 and started.W is part, started
np.testing.assert_allclose(part, W[mine(6)], atol=1e-8)
column = tg.minimize("sumsq(Y - X*w)", X=x, Y=tg.Part(Y[rows, 0], rows), start=tg.Part(np.zeros(6)[mine(6)], mine(6)), comm=comm)
assert not root or column.w.shape == (6,)
with tg.function(objective, wrt="W", comm=comm, X=x, Y=y, lam=0.1) as f:
    np.testing.assert_allclose(f.gradient(W), 2 * X.T @ (X @ W - Y) + 0.2 * W, atol=1e-10)


def deal(n, block, p, me):
    return [i for i in range(n) if i // block % p == me]


def cyclic(a, block, p, q):
    """The local part on a p x q grid, row by row, in columns."""
    return np.asfortranarray(a[np.ix_(deal(a.shape[0], block, p, rank // q), deal(a.shape[1], block, q, rank % q))])


for p, q in {(size, 1), (1, size), (2, size // 2) if size % 2 == 0 else (1, 1)}:
    if p * q != size:
        continue
    grid = {"rows": p, "columns": q, "block": 2}
    there = tg.minimize(objective, options={"process_grid": grid}, **keys, **whole)
    into = np.empty(cyclic(W, 2, p, q).shape, order="F")
    r = tg.minimize(objective, X=tg.Cyclic(cyclic(X, 2, p, q), X.shape, 2, (p, q)), Y=tg.Cyclic(cyclic(Y, 2, p, q), Y.shape, (2, 2), (p, q)),
                    lam=0.1, into={"W": tg.Cyclic(into, W.shape, 2, (p, q))}, **keys)
    assert set(r.data_way.values()) == {"borrowed"} and r.fun == there.fun, (r.data_way, r.fun, there.fun)
    np.testing.assert_array_equal(into, cyclic(comm.bcast(there.W), 2, p, q))
rows_only = tg.Cyclic(np.asfortranarray(X[deal(40, 3, size, rank)]), X.shape, (3, 6), (size, 1), order="column")
same(tg.minimize(objective, X=rows_only, Y=y, lam=0.1, **keys))


def refuse(text, **given):
    try:
        tg.minimize(objective, **{"X": x, "Y": y, "lam": 0.1, **keys, **given})
    except tg.Error as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"not refused: {text}")


last = rank == size - 1
refuse("its part here has", X=tg.Part(X[:5] if last else X[rows], slice(35, 39) if last else rows))
refuse("without a step", X=tg.Part(X[rows], slice(0, 40, 2) if last else rows))
refuse("expected places from the beginning", X=tg.Part(X[:3], slice(-3, 0)))
refuse("is nan", X=tg.Part(X[rows] * np.nan if last else X[rows], rows))
refuse("the process grid is", X=tg.Cyclic(X, X.shape, 2, (size + 1, 1)))
refuse("expected 'row' or 'column'", X=tg.Cyclic(X, X.shape, 2, (1, 1), order="C"))
refuse("into names 'V'", into={"V": tg.Part(part, mine(6))})
refuse("expected a Part", into={"W": part})
refuse("the parts of into['W'] make", into={"W": tg.Part(part[:, :2].copy(), mine(6))} if size == 1 else {"W": tg.Part(np.empty((1, 2)), np.s_[rank:rank + 1])})
refuse("to be written to", into={"W": tg.Part(part.astype(np.float32), mine(6))})
refuse("must lie in columns", into={"W": tg.Cyclic(np.empty((6, 3)), W.shape, 2, (1, 1))})
if size > 1:
    refuse("is a part on some ranks", X=x if root else X)
    refuse("both hold X(1,1)", X=tg.Part(X, np.s_[:]))
    refuse("different shapes of X", X=tg.Cyclic(X, (40 + rank, 6), 2, (1, 1)))
if root:
    try:
        started.save("nowhere")
    except tg.Error as error:
        assert "came in parts" in str(error), error
    else:
        raise AssertionError("parts are saved as if they were whole")
print("this rank is right", flush=True)
