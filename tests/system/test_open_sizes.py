"""Blocks and submatrices of open sizes: derived, printed in each format, read back, compiled and run.

The value of each objective is a Python function of its own; gradients are compared with its differences.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run

checks = Checks()
SIZES = {"m": 4, "n": 3, "p": 2, "q": 5, "k": 2, "j": 2}
FORMATS = ("expr", "latex", "numpy", "octave")

# text, name, shapes by size names, the value in NumPy
CASES = (
    ("sumsq([A, B; C, D]*X)", "X", "A=mxn,B=mxp,C=qxn,D=qxp,X=n+pxk",
     lambda v: np.sum((np.block([[v.A, v.B], [v.C, v.D]]) @ v.X) ** 2)),
    ("sumsq([A, B; C, D]*X)", "B", "A=mxn,B=mxp,C=qxn,D=qxp,X=n+pxk",
     lambda v: np.sum((np.block([[v.A, v.B], [v.C, v.D]]) @ v.X) ** 2)),
    ("sum(exp([A; B]*X))", "A", "A=mxn,B=qxn,X=nxk", lambda v: np.sum(np.exp(np.vstack([v.A, v.B]) @ v.X))),
    ("tr(inv([A, B; B', C])*[A, B; B', 2*C])", "C", "A=nxn,B=nxp,C=pxp",
     lambda v: np.trace(np.linalg.inv(np.block([[v.A, v.B], [v.B.T, v.C]])) @ np.block([[v.A, v.B], [v.B.T, 2 * v.C]]))),
    ("sumsq(X(1:n,:)*B)", "X", "X=mxk,B=kxq", lambda v: np.sum((v.X[:3] @ v.B) ** 2)),
    ("sumsq(X(n+1:end,:) - Y)", "X", "X=mxk,Y=m-nxk", lambda v: np.sum((v.X[3:] - v.Y) ** 2)),
    ("sumsq(x(2:end) - x(1:end-1))", "x", "x=mx1", lambda v: np.sum(np.diff(v.x[:, 0]) ** 2)),
    ("sum(log(1 + exp(-y(2:end).*x(1:end-1))))", "x", "x=mx1,y=mx1",
     lambda v: np.sum(np.log(1 + np.exp(-v.y[1:] * v.x[:-1])))),
    ("sumsq(X(:,j))", "X", "X=mxn", lambda v: np.sum(v.X[:, 1] ** 2)),
    ("sumsq(X(1:k,1:n)'*Y)", "X", "X=mxq,Y=kxp", lambda v: np.sum((v.X[:2, :3].T @ v.Y) ** 2)),
    ("mean([A, B].^2)", "B", "A=mxn,B=mxp", lambda v: np.mean(np.hstack([v.A, v.B]) ** 2)),
    ("sumsq((X*X')(1:n,1:k))", "X", "X=mxp", lambda v: np.sum((v.X @ v.X.T)[:3, :2] ** 2)),
    ("sumsq([A; sqrt(s)*eye]*x - [b; zeros(n,1)])", "x", "A=mxn,x=nx1,b=mx1,s=1x1",
     lambda v: np.sum((v.A @ v.x - v.b) ** 2) + v.s * np.sum(v.x ** 2)),
)


class Values:
    """The names of a case as attributes."""

    def __init__(self, shapes, seed):
        rng = np.random.default_rng(seed)
        for entry in shapes.split(","):
            name, shape = entry.split("=")
            rows, cols = (eval(size, dict(SIZES)) for size in shape.split("x", 1))
            setattr(self, name, rng.uniform(0.2, 1, (rows, cols)))
            if rows == cols and name.isupper():
                setattr(self, name, getattr(self, name) + 3 * np.eye(rows))


def differences(value, values, name):
    x = getattr(values, name)
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        f = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[index] += step
            setattr(values, name, moved)
            f.append(float(np.squeeze(value(values))))
        gradient[index] = (f[0] - f[1]) / 2e-6
    setattr(values, name, x)
    return gradient


def test_gradients():
    for number, (text, name, shapes, value) in enumerate(CASES):
        values = Values(shapes, number)
        expected = differences(value, values, name)
        shown = {}
        for format in FORMATS:
            finished = run(["derive", text, "--wrt", name, "--format", format])
            if not checks.check(finished.status == 0, f"{text} in {format}: {finished.err}"):
                continue
            shown[format] = finished.out.strip()
            claim = run(["derive", text, "--wrt", name, "--claim", shown[format]])
            checks.check(claim.out.startswith("equal"), f"{shown[format]} of {text}: {claim.out}{claim.err}")
        names = {**SIZES, **vars(values), "np": np}
        if "n" in shown.get("numpy", "") or "numpy" in shown:
            sizes = sizes_of(text, name, values)
            found = eval(shown["numpy"], {**names, **sizes})
            error = np.max(np.abs(found - expected))
            checks.check(error <= 1e-6 * (1 + np.max(np.abs(expected))), f"{text}: {shown['numpy']} is off by {error:.1e}")
        wrong = run(["derive", text, "--wrt", name, "--claim", f"2*({shown['expr']})"])
        checks.check("different" in wrong.out, f"twice the gradient of {text}: {wrong.out}{wrong.err}")


def sizes_of(text, name, values):
    """The numbers of the sizes that were inferred, from the shapes that JSON reports."""
    report = json.loads(run(["derive", text, "--wrt", name, "--format", "json"]).out)
    sizes = {}
    for symbol in report["symbols"]:
        for size, number in zip((symbol["rows"], symbol["columns"]), np.shape(getattr(values, symbol["name"]))):
            if isinstance(size, str) and size.isidentifier():
                sizes[size] = number
    return sizes


def test_functions():
    for number, (text, name, shapes, value) in enumerate(CASES):
        values = Values(shapes, number)
        finished = run(["derive", text, "--wrt", name, "--function", "--format", "numpy"])
        if finished.status == 2:
            checks.check("no argument has the size" in finished.err, f"{text}: {finished.err}")
            checks.check(":n" in text or ",j" in text or "k" in text or "n+1" in text, f"{text}: {finished.err}")
            continue
        space = {}
        exec(finished.out, space)
        order = space["value_and_gradient"].__code__.co_varnames[:space["value_and_gradient"].__code__.co_argcount]
        found = space["value_and_gradient"](*[getattr(values, argument) for argument in order])
        expected = differences(value, values, name)
        checks.check(abs(found[0] - np.squeeze(value(values))) < 1e-12 * (1 + abs(found[0])), f"value of {text}")
        checks.check(np.max(np.abs(found[1] - expected)) < 1e-6 * (1 + np.max(np.abs(expected))), f"gradient of {text}")


def test_jobs():
    """In a job the sizes are numbers; a number of the data is a bound."""
    job = """minimize: sumsq([A; 0.5*eye]*X - [B; zeros]) + sumsq(X(1:r,:)) + sumsq(X(2:end,:) - X(1:end-1,:))
variables: {X: {rows: 6, columns: 3, start: normal}}
data:
  A: {generate: normal, rows: 8, columns: 6}
  B: {generate: normal, rows: 8, columns: 3}
  r: 2
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.yaml"
        path.write_text(job)
        for command in ("plan", "check"):
            finished = run([command, str(path)])
            checks.check(finished.status == 0, f"{command}: {finished.out}{finished.err}")
        path.write_text(job.replace("1:r", "1:7"))
        finished = run(["plan", str(path)])
        checks.check(finished.status == 2 and "index 7 exceeds the size 6" in finished.err, f"1:7: {finished.err}")
        path.write_text(job.replace("1:r", "1:u"))
        finished = run(["plan", str(path)])
        checks.check(finished.status == 2 and "is not known here; write numbers" in finished.err, f"1:u: {finished.err}")


if __name__ == "__main__":
    test_gradients()
    test_functions()
    test_jobs()
    sys.exit(checks.finish())
