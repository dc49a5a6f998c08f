"""The package over the libraries of TRACEGRAD_LIBRARIES, beside the program TRACEGRAD."""

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

# The program chooses the kernels of OpenBLAS for itself, and a library cannot: the same for both, before NumPy loads it.
os.environ["OMP_NUM_THREADS"] = "1"
_kernel = json.loads(subprocess.run([os.environ["TRACEGRAD"], "info", "--format", "json"], capture_output=True, check=True).stdout)["blas_kernel"]
if _kernel["chosen_by"] == "tracegrad":
    os.environ["OPENBLAS_CORETYPE"] = _kernel["core"]

import numpy as np  # noqa: E402
import scipy.io  # noqa: E402
import scipy.optimize  # noqa: E402
import yaml  # noqa: E402

import tracegrad as tg  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
PROGRAM = os.environ["TRACEGRAD"]
GALLERY = ["balanced-digits", "logistic-digits", "nearly-orthogonal", "nonnegative-digits", "pca-orthonormal-digits", "poisson",
           "precision-digits", "qap-nug12", "quadratic-generated", "ridge-digits", "pca-digits"]
HAS_MPI4PY = importlib.util.find_spec("mpi4py") is not None
rng = np.random.default_rng(7)  # of the data: the same whichever tests run
X = rng.standard_normal((40, 6))
Y = rng.standard_normal((40, 3))
y = (rng.random(40) > 0.5).astype(float)
LOGISTIC = "sum(softplus(X*w)) - dot(y, X*w) + mu*sumsq(w)"


def program(*arguments, **more):
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True, timeout=120, check=False, **more)
    return done


def load(path):
    if path.suffix == ".npy":
        return np.load(path)
    found = scipy.io.mmread(path)
    return found.toarray() if hasattr(found, "toarray") else found


def keywords_of(job):
    """A job of the gallery as keywords of minimize, its files as arrays, the sizes of variables left out where arrays say them."""
    data, properties = {}, {}
    for name, entry in job["data"].items():
        if isinstance(entry, dict) and "file" in entry:
            data[name] = load(CONFIGS / entry["file"])
            for key in ("symmetric", "spd"):
                if entry.get(key):
                    properties.setdefault(key, []).append(name)
        else:
            data[name] = eval(entry, {}) if isinstance(entry, str) else entry  # noqa: S307 - h: 1/41
    variables, start = {}, {}
    for name, entry in job["variables"].items():
        entry = dict(entry)
        if isinstance(entry.get("start"), dict):
            start[name] = load(CONFIGS / entry.pop("start")["file"])
        variables[name] = entry
    return {"data": data, "variables": variables, "start": start, "subject_to": job.get("subject_to", ()), **properties,
            **job.get("solver", {})}


class Gallery(unittest.TestCase):
    def test_same_bits(self):
        for name in GALLERY:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                path = CONFIGS / f"{name}.yaml"
                done = program("run", path, "--set", f"output.directory={folder}", cwd=ROOT)
                report = json.loads((pathlib.Path(folder) / "report.json").read_text())
                job = yaml.safe_load(path.read_text())
                optimise = tg.maximize if "maximize" in job else tg.minimize
                r = optimise(job.get("minimize", job.get("maximize")), **keywords_of(job))
                self.assertEqual(r.fun, report["objective"])
                self.assertEqual(r.exit_status, done.returncode)
                for variable in job["variables"]:
                    file = pathlib.Path(folder) / f"{variable}.npy"
                    np.testing.assert_array_equal(r[variable], np.load(file))


class Derive(unittest.TestCase):
    def test_program_says_the_same(self):
        for expression, wrt, more in (("tr(A*X*B*X')", "X", {}), ("sumsq(Y - X*W) + lambda*sumsq(W)", "W", {}),
                                      ("logdet(S)", "S", {"spd": "S"}), ("A*X*B", "X", {}), ("sumsq(X - U*V')", "U,V", {})):
            d = tg.derive(expression, wrt=wrt, **more)
            options = [f"--{key}={value}" for key, value in more.items()]
            for form in ("expr", "latex", "numpy", "octave"):
                out = program("derive", expression, "--wrt", wrt, "--format", form, *options).stdout.rstrip("\n")
                found = d.gradient_as(form)
                self.assertEqual("\n".join(found.values()) if isinstance(found, dict) else found, out)
            self.assertEqual(repr(d), program("derive", expression, "--wrt", wrt, *options).stdout.rstrip("\n"))

    def test_parts(self):
        d = tg.derive("tr(A*X*B*X')", wrt="X", symmetric=["A", "B"], dims={"A": (3, 3), "B": "2x2"})
        self.assertEqual((d.gradient, d.hessian, d.shape), ("2*A*X*B", "2*A*V*B", (3, 2)))
        self.assertIn("product rule", d.steps)
        self.assertIn(r"\frac{\partial f}{\partial X}", d._repr_latex_())
        self.assertTrue(d.claim("A*X*B*2"))
        wrong = d.claim("A*X*B")
        self.assertEqual((bool(wrong), wrong.verdict), (False, "different"))
        self.assertIn("counterexample", repr(wrong))

    def test_errors(self):
        with self.assertRaises(tg.ShapeError) as caught:
            tg.derive("tr(A*B)", wrt="A", dims={"A": (3, 4), "B": (5, 3)})
        self.assertEqual((caught.exception.code, caught.exception.span), ("shape", (3, 6)))
        self.assertIn("    tr(A*B)\n       ^~~", str(caught.exception))
        with self.assertRaises(tg.ExpressionError):
            tg.derive("tr(A", wrt="A")
        with self.assertRaisesRegex(tg.InvalidInput, "hessian needs a scalar expression"):
            tg.derive("A*X", wrt="X").hessian
        with self.assertRaises(ValueError):
            tg.derive("tr(A)", wrt="A").claim("eye", wrt="B")


class Minimise(unittest.TestCase):
    def test_ridge(self):
        r = tg.minimize("sumsq(Y - X*W) + lam*sumsq(W)", X=X, Y=Y, lam=0.1)
        W = np.linalg.solve(X.T @ X + 0.1 * np.eye(6), X.T @ Y)
        np.testing.assert_allclose(r.W, W, atol=1e-12)
        self.assertIs(r.x, r.W)
        self.assertEqual((r.status, r.success, r.report["status"]), ("converged", True, "converged"))
        self.assertEqual(len(r.history), r.nit + 1)
        self.assertAlmostEqual(r.history.objective[-1], r.fun)
        self.assertIn("converged", repr(r))

    def test_columns_and_numbers(self):
        r = tg.minimize(LOGISTIC, X=X, y=y, mu=0.1)
        self.assertEqual(r.w.shape, (6,))
        self.assertEqual(tg.minimize(LOGISTIC, X=X, y=y, mu=0.1, start={"w": np.zeros((6, 1))}).w.shape, (6, 1))
        self.assertEqual(tg.minimize("sumsq(T - A)", A=Y).T.shape, (40, 3))
        self.assertEqual(list(tg.minimize("sumsq(Y - X W^T)", X=X, Y=Y).x.shape), [3, 6])
        for more in ({}, {"start": {"t": 0.1}}):
            self.assertIsInstance(tg.minimize("sumsq(A - t*B)", A=Y, B=2 * Y, **more).t, float)
        two = tg.minimize("sumsq(M - U*V')", M=X, variables={"U": (40, 2), "V": (6, 2)}, gradient_tolerance=1e-6)
        self.assertEqual({name: a.shape for name, a in two.x.items()}, {"U": (40, 2), "V": (6, 2)})
        self.assertAlmostEqual(tg.minimize("lambda*sumsq(x - b)", b=y, lambda_=2).fun, 0)

    def test_layouts_give_the_same(self):
        """Any strides and exact types; a column-major array is not copied, and none is written to."""
        whole = rng.integers(-9, 9, (80, 12)).astype(float)
        part = whole[::2, ::2]
        objective, more = "sumsq(Y - X*W) + sumsq(W)", {"Y": Y}
        expected = tg.minimize(objective, X=np.ascontiguousarray(part), **more)
        for a in (part, np.asfortranarray(part), part.astype(np.float32), part.astype(np.int8), part.tolist(),
                  np.asfortranarray(whole)[:40, :6] * 0 + part, part[::-1][::-1], part.astype(">f8")):
            r = tg.minimize(objective, X=a, **more)
            self.assertEqual(r.fun, expected.fun)
        fortran = np.asfortranarray(X)
        fortran.setflags(write=False)
        self.assertEqual(tg.minimize(objective, X=fortran, Y=Y).data_way["X"], "borrowed")
        column, row = np.arange(1.0, 7), np.ones((1, 3))
        ways = tg.minimize("sumsq(x - a) + sumsq(z - b) + sumsq(w - c) + sumsq(v - d)", a=column, b=column[:, None], c=row,
                           d=np.arange(12.0)[::2]).data_way
        self.assertEqual(ways, {"a": "borrowed", "b": "borrowed", "c": "borrowed", "d": "copied"})

    def test_dlpack(self):
        class Tensor:
            def __init__(self, a):
                self.a = a

            def __dlpack__(self, **more):
                return self.a.__dlpack__(**more)

            def __dlpack_device__(self):
                return self.a.__dlpack_device__()

        self.assertEqual(tg.minimize("sumsq(Y - X*W)", X=Tensor(X), Y=Y).fun, tg.minimize("sumsq(Y - X*W)", X=X, Y=Y).fun)

    def test_constraints(self):
        r = tg.minimize("sumsq(Y - X*W)", X=X, Y=Y, constraints={"W": "nonnegative"})
        expected = sum(scipy.optimize.nnls(X, Y[:, k])[1] ** 2 for k in range(3))
        self.assertAlmostEqual(r.fun, expected, places=6)
        self.assertGreaterEqual(r.W.min(), 0)
        r = tg.minimize("sumsq(X*w - y)", X=X, y=y, subject_to="sum(w) = 1")
        self.assertAlmostEqual(r.w.sum(), 1, places=7)
        gradient = 2 * X.T @ (X @ r.w - y)
        np.testing.assert_allclose(gradient + r.multipliers[0].values[0, 0], 0, atol=1e-4)
        r = tg.minimize("sumsq(X*w - y)", X=X, y=y, constraints={"w": {"box": [-0.01, "u"]}}, u=0.02)
        self.assertTrue(-0.01 <= r.w.min() and r.w.max() <= 0.02)

    def test_maximize(self):
        S = X.T @ X
        r = tg.maximize("tr(V'*S*V)", S=S, symmetric="S", variables={"V": (6, 2)}, constraints={"V": "orthonormal_columns"})
        self.assertAlmostEqual(r.fun, np.linalg.eigvalsh(S)[-2:].sum(), places=6)

    def test_job(self):
        """A result as a job file, run by the program and by run."""
        more = {"method": "l-bfgs", "gradient_tolerance": 1e-9, "subject_to": [], "start": {"w": np.full(6, 0.1)}}
        r = tg.minimize(LOGISTIC, X=X, y=y, mu=0.1, **more)
        with tempfile.TemporaryDirectory() as folder:
            path = r.save(folder)
            done = program("run", path, "--set", f"output.directory={folder}/out")
            self.assertEqual(done.returncode, 0, done.stderr)
            np.testing.assert_array_equal(np.load(f"{folder}/out/w.npy")[:, 0], r.w)
            again = tg.run(path)
            self.assertEqual(again.fun, r.fun)
            self.assertEqual(tg.run(path, max_iterations=1).status, "iteration_limit")
            with self.assertRaises(tg.Error):
                again.save(folder)

    def test_callback(self):
        seen = []

        def stop(state):
            seen.append((state.iteration, state.objective, state["w"].copy()))
            return state.iteration == 3

        r = tg.minimize(LOGISTIC, X=X, y=y, mu=1e-3, method="gradient-descent", callback=stop)
        self.assertEqual((r.status, r.nit, len(seen)), ("interrupted", 3, 4))
        with tg.function(LOGISTIC, wrt="w", X=X, y=y, mu=1e-3) as f:
            self.assertAlmostEqual(f(seen[2][2]), seen[2][1], places=12)

        def broken(_state):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            tg.minimize(LOGISTIC, X=X, y=y, mu=1e-3, callback=broken)
        kept = []
        tg.minimize(LOGISTIC, X=X, y=y, mu=1e-3, callback=kept.append, max_iterations=2)
        with self.assertRaisesRegex(tg.Error, "during the callback"):
            kept[0]["w"]

    def test_interrupt(self):
        def press(state):
            if state.iteration == 2:
                os.kill(os.getpid(), signal.SIGINT)

        r = tg.minimize(LOGISTIC, X=X, y=y, mu=1e-3, method="gradient-descent", callback=press)
        self.assertEqual(r.status, "interrupted")
        self.assertIn(r.nit, (2, 3))
        self.assertTrue(np.isfinite(r.w).all())
        with self.assertRaises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(5)

    def test_progress(self):
        code = ("import numpy as np, tracegrad as tg\n"
                "tg.minimize('sumsq(A*x - b)', A=np.eye(3), b=np.ones(3), progress=True)")
        done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, check=True, timeout=300)
        self.assertRegex(done.stderr, rb"\r0 it \[00:00, \S+ it/s\]  f = 3, gradient ")
        self.assertRegex(done.stderr, rb"\r[1-9]\d* it \[.*  f = 0, gradient 0 *\n$")
        self.assertEqual(done.stdout, b"")


class Errors(unittest.TestCase):
    def refuse(self, kind, pattern, objective="sumsq(Y - X*W)", **given):
        given = {"X": X, "Y": Y, **given}
        with self.assertRaisesRegex(kind, pattern) as caught:
            tg.minimize(objective, **{name: value for name, value in given.items() if value is not None})
        self.assertIsInstance(caught.exception, tg.InvalidInput)
        return caught.exception

    def test_arrays(self):
        bad = X.copy()
        bad[3, 4] = np.nan
        self.refuse(tg.InvalidInput, r"X\[3, 4\] is nan", X=bad)
        self.refuse(tg.InvalidInput, "X is complex", X=X * 1j)
        self.refuse(tg.InvalidInput, "X is a masked array", X=np.ma.array(X, mask=X > 0))
        self.refuse(tg.InvalidInput, "type <U1", X=[["a"]])
        self.refuse(tg.InvalidInput, "2\\^53", X=np.full((40, 2), 2**60))
        self.refuse(tg.ShapeError, "3 axes", X=np.zeros((2, 2, 2)))
        self.refuse(tg.ShapeError, "empty", X=np.zeros((0, 2)))
        self.refuse(tg.InvalidInput, "sparse", X=scipy.sparse.eye(3))
        self.refuse(tg.ShapeError, "equal shapes", X=X[:20])
        self.refuse(tg.InvalidInput, "finite number", objective="sumsq(Y - X*W) + a*sumsq(W)", a=float("inf"))
        self.refuse(tg.InvalidInput, "declared symmetric", objective="sumsq(Y - S*W)", X=None, Y=X[:6], S=X[:6], symmetric="S")

    def test_names(self):
        e = self.refuse(tg.ExpressionError, r"\n +\^", objective="sumsq(Y - X*W")
        self.assertEqual((e.code, e.span), ("syntax", (13, 13)))
        self.refuse(tg.UnknownName, "no expression mentions it; the names are Y, X, W", Z=X)
        self.refuse(tg.InvalidInput, "did you mean 'gradient_tolerance'", gradient_tolerence=1e-3)
        self.refuse(tg.InvalidInput, "out of range", max_iterations=-1)
        self.refuse(tg.InvalidInput, "no name of the expressions either: W, X, Y", lam=3)
        self.refuse(tg.UnknownName, "constraint of 'V'", constraints={"V": "nonnegative"})
        self.refuse(tg.UnknownName, "did you mean 'nonnegative'", constraints={"W": "nonegative"})
        self.refuse(tg.UnknownName, "unknown name 'a'", subject_to=["sum(W) = a"])
        self.refuse(tg.UnknownName, "nothing is left", objective="sumsq(Y - X)")
        self.refuse(tg.ShapeError, "the start of W is 2 x 2", variables={"W": (6, 3)}, start={"W": np.eye(2)})
        self.refuse(tg.ShapeError, "stays open", objective="sumsq(Y - U*V)", X=None)
        self.refuse(tg.InvalidInput, "communicator of mpi4py", comm="world")
        self.refuse(tg.InvalidInput, "callback is a int", callback=3)

    def test_texts_and_sizes(self):
        """Nothing of a text is dropped, nor of a size."""
        for call in (lambda: tg.minimize("sumsq(Y - X*W)\0junk", X=X, Y=Y), lambda: tg.derive("tr(X)\0", wrt="X"),
                     lambda: tg.minimize("sumsq(Y - X*W)", X=X, Y=Y, subject_to="sum(W) = 1\0"),
                     lambda: tg.minimize("sumsq(Y - X*W)", X=X, Y=Y, options={"solver.method\0": "auto"})):
            with self.assertRaisesRegex(tg.InvalidInput, "a NUL at byte"):
                call()
        with self.assertRaisesRegex(tg.InvalidInput, "UTF-8"):
            tg.derive("tr(X) + \udc80", wrt="X")
        for sizes in ((2.5, 2), {"rows": 2.5, "columns": 2}, (1 << 63, 2)):
            with self.assertRaisesRegex(tg.InvalidInput, "size of A"):
                tg.minimize("sumsq(A)", variables={"A": sizes})

    def test_closed(self):
        with tg.function("sumsq(Y - X*W)", wrt="W", X=X, Y=Y) as f:
            pass
        f.close()
        for call in (f.value, f.gradient, lambda x: f.hessian_product(x, x), lambda x: f.line(x, x, [1])):
            with self.assertRaisesRegex(tg.InvalidInput, "closed"):
                call(np.zeros(18))

    def test_fork(self):
        """A forked process has neither MPI nor threads: an error, and no wait."""
        script = ("import os, numpy as np, tracegrad as tg\n"
                  "f = tg.function('sumsq(x - b)', b=np.ones(5))\n"
                  "tg.minimize('sumsq(x - b)', b=np.ones(5))\n"
                  "child = os.fork()\n"
                  "for call in (lambda: f(np.zeros(5)), lambda: tg.minimize('sumsq(x - b)', b=np.ones(5))):\n"
                  "    try:\n"
                  "        print(call())\n"
                  "    except tg.InvalidInput as error:\n"
                  "        print('forked' in str(error))\n"
                  "if child: print(os.waitpid(child, 0)[1])\n")
        done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, timeout=300, check=False)
        self.assertEqual((done.stdout.count("True"), done.stdout.splitlines()[-1]), (2, "0"), done.stdout + done.stderr)

    def test_missing_job(self):
        with self.assertRaises(tg.Error) as caught:
            tg.run("/nowhere/job.yaml")
        self.assertIn("/nowhere/job.yaml", str(caught.exception))


class Function(unittest.TestCase):
    def test_scipy(self):
        with tg.function(LOGISTIC, wrt="w", X=X, y=y, mu=0.1) as f:
            s = scipy.optimize.minimize(f.value_and_gradient, np.zeros(6), jac=True, hessp=f.hessian_product, method="trust-ncg")
        self.assertAlmostEqual(s.fun, tg.minimize(LOGISTIC, X=X, y=y, mu=0.1).fun, places=9)
        with tg.function("sumsq(M - U*V')", wrt=["U", "V"], M=X, variables={"U": (40, 2), "V": (6, 2)}) as f:
            w0 = np.random.default_rng(3).standard_normal(f.size)
            s = scipy.optimize.minimize(f.value_and_gradient, w0, jac=True, method="L-BFGS-B",
                                        options={"ftol": 1e-15, "maxiter": 5000})
        self.assertAlmostEqual(s.fun, (np.linalg.svd(X)[1][2:] ** 2).sum(), places=3)

    def test_against_numpy(self):
        W, V = rng.standard_normal((2, 6, 3))
        with tg.function("sumsq(Y - X*W)", wrt="W", X=X, Y=Y) as f:
            for shape in ((6, 3), (18,)):
                value, gradient = f.value_and_gradient(W.reshape(shape))
                self.assertAlmostEqual(value, ((Y - X @ W) ** 2).sum(), places=9)
                np.testing.assert_allclose(gradient, (-2 * X.T @ (Y - X @ W)).reshape(shape), atol=1e-10)
                np.testing.assert_allclose(f.hessian_product(W.reshape(shape), V.reshape(shape)),
                                           (2 * X.T @ X @ V).reshape(shape), atol=1e-10)
            np.testing.assert_allclose(f.line(W, V, [0, 0.5]), [f(W), f(W + V / 2)])
            np.testing.assert_allclose(f.gradient(W.T.copy().T), -2 * X.T @ (Y - X @ W), atol=1e-10)
            with self.assertRaisesRegex(tg.ShapeError, "expected 18 entries"):
                f(np.zeros(4))
        with self.assertRaisesRegex(tg.UnknownName, "W is neither given nor in wrt"):
            tg.function("sumsq(Y - X*W - V)", wrt="V", X=X, Y=Y)

    def test_points_do_not_mix(self):
        """The gradient at one point, then H at another and back: nothing remembered is of the wrong point."""
        with tg.function(LOGISTIC, wrt="w", X=X, y=y, mu=0.1) as f:
            a, b, v = rng.standard_normal((3, 6))
            expected = {}
            for name, w in (("a", a), ("b", b)):
                s = 1 / (1 + np.exp(-X @ w))
                expected[name] = X.T @ (s * (1 - s) * (X @ v)) + 0.2 * v
            f.gradient(a)
            np.testing.assert_allclose(f.hessian_product(b, v), expected["b"], atol=1e-12)
            np.testing.assert_allclose(f.hessian_product(a, v), expected["a"], atol=1e-12)
            f.gradient(b)
            np.testing.assert_allclose(f.hessian_product(b, v), expected["b"], atol=1e-12)

    def test_check(self):
        self.assertTrue(tg.check(LOGISTIC, X=X, y=y, mu=0.1))
        self.assertTrue(tg.check("sumsq(Y - X*W)", X=X, Y=Y))
        with tg.function(LOGISTIC, wrt="w", X=X, y=y, mu=0.1) as f:
            class Wrong(tg.Function):
                def __init__(self):
                    self.__dict__.update({**f.__dict__, "_points": f._points})

                def value_and_gradient(self, point):
                    value, gradient = tg.Function.value_and_gradient(self, point)
                    return value, 1.01 * gradient

                def __del__(self):
                    pass

            self.assertFalse(tg.check(Wrong(), point=np.ones(6)))

    def test_end_of_the_interpreter(self):
        """Open objects at the end, also behind MPI_Finalize, and MPI that mpi4py has started."""
        code = ("import numpy as np, tracegrad as tg\n{}f = tg.function('sumsq(A*x - b)', wrt='x', A=np.eye(3), b=np.ones(3))\n"
                "print(f(np.zeros(3)))\nkept = [f, f._problem]\n{}")
        for before, after in (("", ""), ("", "f._problem.library.MPI_Finalize()"), ("from mpi4py import MPI\n", ""),
                              ("from mpi4py import MPI\n", "MPI.Finalize()")):
            if before and not HAS_MPI4PY:
                continue
            done = subprocess.run([sys.executable, "-B", "-c", code.format(before, after)], text=True, capture_output=True,
                                  env=dict(os.environ), timeout=300, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "3.0\n", ""), (before, after))

    def test_many(self):
        """Objects come and go, in any order, also beside each other."""
        fs = [tg.function("sumsq(A*x - b)", wrt="x", A=np.eye(3), b=np.full(3, float(k))) for k in range(20)]
        for k, f in reversed(list(enumerate(fs))):
            self.assertEqual(f(np.zeros(3)), 3.0 * k * k)
        del fs


class Tutorial(unittest.TestCase):
    def test_docs(self):
        """The Python blocks of docs/python.md run as one program; what they show is what they expect."""
        text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
        self.assertGreater(len(blocks), 5)
        space = {}
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            os.chdir(folder)
            try:
                for block in blocks:
                    exec(compile(block, "docs/python.md", "exec"), space)  # noqa: S102
            finally:
                os.chdir(before)
        self.assertEqual(space["shown"], space["expected"])

    def test_readme(self):
        """The lines of README.md run from the root of the repository."""
        text = (ROOT / "README.md").read_text(encoding="utf-8").split("**From Python.**")[1]
        code = "".join(line[4:] + "\n" for line in text.split("\n## ")[0].splitlines() if line.startswith("    "))
        space, before, shown = {}, os.getcwd(), io.StringIO()
        os.chdir(ROOT)
        try:
            with contextlib.redirect_stdout(shown):
                exec(compile(code, "README.md", "exec"), space)  # noqa: S102
        finally:
            os.chdir(before)
        self.assertTrue(shown.getvalue().startswith("converged (64, 10) "), shown.getvalue())
        given = {name: space[name].astype(float) for name in ("X", "Y")}
        right = np.linalg.solve(given["X"].T @ given["X"] + np.eye(64), given["X"].T @ given["Y"])
        np.testing.assert_allclose(space["r"].W, right, rtol=1e-9, atol=1e-11)
        self.assertGreater(space["f"].value_and_gradient(right)[0], 0)


class Notebook(unittest.TestCase):
    def test_cells(self):
        """The code cells of docs/tutorial.ipynb run in order; what they print is what is kept in the file, but for numbers."""
        cells = json.loads((ROOT / "docs/tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        self.assertGreater(len(code), 10)
        space = {}
        before, path = os.getcwd(), os.environ["PATH"]
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.environ["PATH"] = f"{pathlib.Path(PROGRAM).resolve().parent}{os.pathsep}{path}"
            try:
                for cell in code:
                    self.run_cell(cell, space)
            finally:
                os.chdir(before)
                os.environ["PATH"] = path

    def run_cell(self, cell, space):
        source, kept = "".join(cell["source"]), cell["outputs"]
        if "matplotlib" in cell["metadata"].get("tags", ()) and importlib.util.find_spec("matplotlib") is None:
            return
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(source, "docs/tutorial.ipynb", "exec"), space)  # noqa: S102
        self.assertFalse([o for o in kept if o["output_type"] == "error"], source)
        if source.endswith(("r", "d")) and "print" not in source:
            self.assertTrue(kept, source)  # shown by the notebook
        said = "".join("".join(o["text"]) for o in kept if o["output_type"] == "stream" and o["name"] == "stdout")
        self.assertEqual(without_numbers(out.getvalue()), without_numbers(said), source)


def without_numbers(text):
    return re.sub(r"-?\d[\d.]*(e[+-]?\d+)?", "#", text)


class Ranks(unittest.TestCase):
    @unittest.skipUnless(HAS_MPI4PY, "mpi4py is not installed")
    def test_on_ranks(self):
        """Arrays whole on rank 0, and in parts."""
        for script, ranks in (("on_ranks.py", 2), ("in_parts.py", 1), ("in_parts.py", 2), ("in_parts.py", 4)):
            path = pathlib.Path(__file__).with_name(script)
            # What MPI has left in the environment of this process is not for another mpirun: os.environ was read before.
            done = subprocess.run([ROOT / "scripts/mpirun-local", str(ranks), sys.executable, "-B", path], text=True,
                                  capture_output=True, timeout=100, check=False, env=dict(os.environ))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(done.stdout.count("rank is right"), ranks, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
