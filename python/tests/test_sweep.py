"""Sweeps by the package: arrays over the grid against NumPy, folds, derivatives, tune and what is refused."""

import os
import pathlib
import tempfile
import unittest

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

import tracegrad as tg  # noqa: E402

rng = np.random.default_rng(7)
X = rng.standard_normal((40, 6))
Y = rng.standard_normal((40, 3))
RIDGE = "sumsq(Y - X*W) + lam*sumsq(W) + mu*sumsq(X*W)"
LAMBDAS, MUS = [0.1, 1.0, 10.0], [0.5, 2.0]


def solution(lam, mu):
    return np.linalg.solve((1 + mu) * X.T @ X + lam * np.eye(6), X.T @ Y)


class Sweeps(unittest.TestCase):
    def test_grid(self):
        s = tg.sweep(RIDGE, {"lam": LAMBDAS, "mu": MUS}, X=X, Y=Y, sensitivity="lam")
        self.assertEqual((s.objective.shape, s.W.shape), ((3, 2), (3, 2, 6, 3)))
        np.testing.assert_array_equal(s.axes["lam"], LAMBDAS)
        for i, lam in enumerate(LAMBDAS):
            for j, mu in enumerate(MUS):
                w = solution(lam, mu)
                np.testing.assert_allclose(s["W"][i, j], w, rtol=1e-8)
                f = np.sum((Y - X @ w) ** 2) + lam * np.sum(w ** 2) + mu * np.sum((X @ w) ** 2)
                self.assertAlmostEqual(s.objective[i, j] / f, 1, 10)
                self.assertAlmostEqual(s.sensitivity["lam"]["objective"][i, j] / np.sum(w ** 2), 1, 8)
                slope = -np.linalg.solve((1 + mu) * X.T @ X + lam * np.eye(6), w)
                np.testing.assert_allclose(s.sensitivity["lam"]["W"][i, j], slope, rtol=1e-6)
        self.assertTrue((s.status == "converged").all())
        self.assertEqual(s.best, {"lam": 0.1, "mu": 0.5})
        self.assertIn("lam (3) x mu (2): 6 of 6", repr(s))

    def test_folds(self):
        with tempfile.TemporaryDirectory() as folder:
            s = tg.sweep("sumsq(Y - X*W) + lam*sumsq(W)", {"lam": {"logspace": [1e-2, 1e3, 6]}}, X=X, Y=Y, keep=[], directory=folder,
                         folds={"of": ["X", "Y"], "rows": 4, "shuffle": False, "score": "sumsq(Y - X*W)/sumsq(Y)"})
            self.assertTrue((pathlib.Path(folder) / "scores.json").exists())
        self.assertEqual((s.scores.shape, s.mean.shape, s.objective.shape), ((6, 4), (6,), (4, 6)))
        np.testing.assert_allclose(s.scores.mean(axis=1), s.mean)
        self.assertEqual(s.variables, {})
        rest, own = slice(10, 40), slice(0, 10)
        w = np.linalg.solve(X[rest].T @ X[rest] + 1e-2 * np.eye(6), X[rest].T @ Y[rest])
        self.assertAlmostEqual(s.scores[0, 0], np.sum((Y[own] - X[own] @ w) ** 2) / np.sum(Y[own] ** 2), 10)
        self.assertEqual(s.best["lam"], s.axes["lam"][np.argmin(s.mean)])

    def test_tune(self):
        rest, own = slice(0, 28), slice(28, 40)
        job = {"X": X[rest], "Y": Y[rest], "U": X[own], "V": Y[own]}

        def score(lam):
            w = np.linalg.solve(job["X"].T @ job["X"] + lam * np.eye(6), job["X"].T @ job["Y"])
            return np.sum((job["V"] - job["U"] @ w) ** 2), w

        t = tg.tune("sumsq(Y - X*W) + lam*sumsq(W)", {"lam": 0.01}, score="sumsq(V - U*W)", tolerance=1e-9, **job)
        found = t.parameters["lam"]
        self.assertEqual((t.status, t.evaluations, t.fits), ("converged", len(t.rows), len(t.rows)))
        np.testing.assert_allclose(t.W, score(found)[1], rtol=1e-8)
        self.assertAlmostEqual(t.score / score(found)[0], 1, 10)
        self.assertLessEqual(t.score, min(score(lam)[0] for lam in np.logspace(-4, 4, 41)) * (1 + 1e-9))
        self.assertIn("tune: lam = ", repr(t))
        with tempfile.TemporaryDirectory() as folder:
            t = tg.tune("sumsq(Y - X*W) + lam*sumsq(W)", {"lam": 1.0}, X=X, Y=Y, directory=folder, evaluations=3,
                        folds={"of": ["X", "Y"], "rows": 4, "score": "sumsq(Y - X*W)/sumsq(Y)"})
            self.assertTrue((pathlib.Path(folder) / "tune.jsonl").exists())
        self.assertLessEqual(t.evaluations, 3)
        self.assertEqual(t.fits, 4 * t.evaluations)
        self.assertGreater(t.standard_error, 0)
        with self.assertRaises(tg.InvalidInput):
            tg.tune("sumsq(Y - X*W) + lam*sumsq(W)", {}, X=X, Y=Y, score="sumsq(W)")
        with self.assertRaises(tg.InvalidInput):
            tg.tune("sumsq(Y - X*W) + lam*sumsq(W)", {"lam": 1.0}, X=X, Y=Y)
        with self.assertRaises(tg.Error):
            tg.tune("sumsq(Y - X*W) + lam*sumsq(W)", {"lam": -1.0}, X=X, Y=Y, score="sumsq(Y - X*W)")

    def test_options(self):
        s = tg.sweep("sum(softplus(X*w)) - sum(X*w)/2 + mu*sumsq(w)", {"solver.method": ["l-bfgs", "newton-cg"]}, X=X, mu=0.1,
                     variables={"w": (6, 1)})
        self.assertEqual(s.axes["solver.method"].tolist(), ["l-bfgs", "newton-cg"])
        np.testing.assert_allclose(s.objective[0], s.objective[1], rtol=1e-8)

    def test_refused(self):
        for arguments, kind, words in ((({"lan": [1]},), tg.InvalidInput, "lan"), ((), tg.InvalidInput, "nothing to sweep"),
                                       (({"lam": []},), tg.InvalidInput, "is empty")):
            with self.assertRaisesRegex(kind, words):
                tg.sweep(RIDGE, *arguments, X=X, Y=Y, lam=1, mu=1)


if __name__ == "__main__":
    unittest.main()
