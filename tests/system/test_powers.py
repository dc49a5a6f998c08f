"""Powers X^k of a matrix with an open exponent: what derive prints, at several k, against complex steps; the normal
form; jobs, where k is a number of the data; refusals."""

import json
import pathlib
import sys
import tempfile

import numpy as np

import tg_eval
from solve_job import solve
from tracegrad_run import Checks, run

checks = Checks()
N = 3
EXPONENTS = (-2, -1, 0, 1, 2, 3, 6)
random = np.random.default_rng(12)
VALUES = {name: random.uniform(-1, 1, (N, N)) + (2 * np.eye(N) if name == "X" else 0) for name in "ABXV"}
VALUES["v"] = random.uniform(-1, 1, (N, 1))
VALUES["c"] = tg_eval.scalar(1.25)

OBJECTIVES = (
    "tr(X^k)", "tr(A*X^k)", "sumsq(X^k)", "sumsq(X^k - A)", "tr(A*X^k*B*X^(k+1))", "tr(A*X'^k)", "v'*X^k*v",
    "tr(A*inv(X)^k)",
    "tr(A*X^(-k))", "sum((A + X)^k)", "tr((A*X)^k*B)", "tr((2*c*X)^k*A)", "tr(X^k*X*A)", "tr(A*X*X^(2*k)*inv(X))",
    "exp(tr(A*X^k)/50)", "sum(sin(X^k/9).*A)", "tr((X^2)^k*A)", "tr(A*(X^k)^2)", "tr(A*X^k*X^(1-k))", "det(X^k)",
    "tr(kron(X, A)^k)", "tr(A*dpower(X, k, B))", "sumsq(dpower(X, k, B))", "sum_columns(X^k)*v", "norm2(X^k*v)",
)


def step(text, values, name, direction):
    moved = dict(values, **{name: values[name] + 1e-30j * direction})
    return tg_eval.evaluate(text, moved, {"m": N}).imag / 1e-30


def gradient(text, values):
    out = np.zeros((N, N))
    for index in np.ndindex(N, N):
        unit = np.zeros((N, N))
        unit[index] = 1
        out[index] = step(text, values, "X", unit)[0, 0]
    return out


def near(what, found, expected):
    scale = max(1e-3, float(np.max(np.abs(expected))), 1.0)
    checks.check(found.shape == expected.shape and float(np.max(np.abs(found - expected))) <= 1e-9 * scale,
                 f"{what}:\n  found    {found.tolist()}\n  expected {expected.tolist()}")


def derive(*arguments):
    return run(["derive", *arguments])


def test_numbers():
    for text in OBJECTIVES:
        dims = [f"{name}={N}x{N}" for name in "ABX" if name in text] + ["k=1"]
        dims += [f"v={N}"] * ("v" in text.replace("inv", "")) + ["c=1"] * ("c*" in text)
        options = ["--wrt", "X", "--dims", ",".join(dims)]
        wants = ["--hessian"] * ("dpower" not in text)  # the third derivative is refused
        found = derive(text, *options, *wants, "--format", "json")
        if not checks.check(found.status == 0, f"{text}: {found.err}"):
            continue
        entry = json.loads(found.out)["derivatives"][0]
        slope = entry["gradient"]["expr"]
        action = entry["hessian_action"]["expr"] if wants else None
        for k in EXPONENTS:
            values = dict(VALUES, k=tg_eval.scalar(k))
            if "det" not in text:
                near(f"{text}, k = {k}: {slope}", tg_eval.evaluate(slope, values, {"m": N}), gradient(text, values))
            if action:
                near(f"{text}, k = {k}: {action}", tg_eval.evaluate(action, values, {"m": N}),
                     step(slope, values, "X", VALUES["V"]))
            if k in (-2, 3):  # with the number written out the derivative is the same
                fixed = derive(text.replace("k", f"({k})").replace(f"({k})ron", "kron"), *options[:3],
                               options[3].replace(",k=1", ""), "--format", "expr")
                near(f"{text}, k = {k} written out", tg_eval.evaluate(fixed.out.strip(), values, {"m": N}),
                     tg_eval.evaluate(slope, values, {"m": N}))
        for style in ("expr", "human", "latex", "numpy", "octave"):  # what is printed is read back
            printed = derive(text, *options, "--format", style).out
            if style == "human":
                printed = printed.split(" = ", 2)[2].split("    (")[0]
            again = derive(text, *options, "--claim", printed.strip())
            checks.check(again.out.startswith("equal"), f"{text}: {style} {printed.strip()!r}: {again.out}{again.err}")


def jacobian(text, values):
    columns = []
    for index in np.ndindex(N, N):  # X(i,j) in the order of vec(X)
        unit = np.zeros((N, N))
        unit[index[::-1]] = 1
        columns.append(step(text, values, "X", unit).flatten("F"))
    return np.array(columns).T


def test_jacobians():
    """Of powers, of their derivatives by X and by the direction: at several k, read back from every format."""
    for text in ("X^k", "A*X^k*B", "X'^(k + 1)", "(A*X)^k*v", "X^k.*A", "dpower(X, k, A)", "dpower(A, k, X)",
                 "dpower(X, k, X*A)", "d2power(A, k, X, B)", "X*dpower(X, k, A)'"):
        dims = [f"{name}={N}x{N}" for name in "ABX" if name in text] + ["k=1"] + [f"v={N}"] * ("*v" in text)
        options = ["--wrt", "X", "--dims", ",".join(dims)]
        found = derive(text, *options, "--format", "expr")
        if not checks.check(found.status == 0, f"{text}: {found.err}"):
            continue
        for k in EXPONENTS:
            values = dict(VALUES, k=tg_eval.scalar(k), A=VALUES["A"] + 2 * np.eye(N))
            near(f"Jacobian of {text}, k = {k}: {found.out}", tg_eval.evaluate(found.out.strip(), values, {"m": N}),
                 jacobian(text, values))
        for style in ("expr", "human", "latex", "numpy", "octave"):
            printed = derive(text, *options, "--format", style).out
            if style == "human":
                printed = printed.split("d vec(F)/d vec(X)' = ", 1)[1].split("    (")[0]
            again = derive(text, *options, "--claim", printed.strip())
            checks.check(again.out.startswith("equal"), f"{text}: {style} {printed.strip()!r}: {again.out}{again.err}")
    open_sizes = derive("X^k", "--wrt", "X", "--format", "numpy").out  # the text is a program
    x = VALUES["X"]
    near("X^k in NumPy", eval(open_sizes, {"np": np, "X": x, "k": 4, "m": N}), jacobian("X^k", dict(VALUES, k=tg_eval.scalar(4))))


def test_normal_form():
    for text, expected in (("tr(X^k)", "k*X'^(k - 1)"), ("tr(X^k*X)", "(k + 1)*X'^k"), ("logdet(X^k)", "k*inv(X)'"),
                           ("tr(inv(X^k)*X^k*X)", "eye(m)"), ("tr(A*X^k)", "dpower(X, k, A)'")):
        found = derive(text, "--wrt", "X", "--format", "expr").out.strip()
        checks.equal(f"the gradient of {text}", found, expected)
    for claim, word in (("dpower(X', k, A')", "equal"), ("k*(X^(k-1))'*A'", "different"),
                        ("dpower(X, k, A)", "different")):
        found = derive("tr(A*X^k)", "--wrt", "X", "--claim", claim)
        checks.check(found.out.startswith(word), f"the claim {claim}: {found.out}{found.err}")
    steps = derive("tr(A*X^k)", "--wrt", "X", "--steps").out
    checks.check("d X^k = dpower(X, k, dX)" in steps, steps)


def test_jobs(folder):
    arrays = {"A": random.uniform(-1, 1, (5, 5)) + 3 * np.eye(5)}
    endings = []
    for exponent, data in (("k", {"k": 3}), ("3", {})):
        variable = {"rows": 5, "columns": 5, "start": "identity"}
        job = {"minimize": f"sumsq(X^{exponent} - A) + 0.1*sumsq(X)", "variables": {"X": variable},
               "data": dict(data), "solver": {"gradient_tolerance": 1e-9}}
        solved = solve(job, arrays, folder / exponent, 1 if data else 2)
        checks.equal("the ending", solved.report["status"], "converged")
        endings.append(solved.report["objective"])
    checks.close("the objective", endings[0], endings[1], 1e-9)


def test_refusals(folder):
    for arguments, words in ((["tr(A*X^k)", "--wrt", "k"], "there is no derivative by it"),
                             (["sumsq(dpower(X, k, B))", "--wrt", "X", "--hessian"], "third derivative"),
                             (["X^k", "--wrt", "k"], "there is no derivative by it"),
                             (["d2power(X, k, A, B)", "--wrt", "X"], "third derivative"),
                             (["tr(X^2.5)", "--wrt", "X"], "whole number, found 2.5")):
        found = derive(*arguments)
        checks.check(found.status == 2 and words in found.err, f"{arguments}: exit {found.status}, {found.err}")
    for number, words in ((2.5, "whole number, found 2.5"), (101, "at most 100, found 101")):
        path = folder / "refused.yaml"
        job = {"minimize": "sumsq(X^k)", "variables": {"X": {"rows": 3, "columns": 3}}, "data": {"k": number}}
        path.write_text(json.dumps(job))
        found = run(["check", path])
        checks.check(found.status == 2 and words in found.err, f"k = {number}: exit {found.status}, {found.err}")


def main():
    test_numbers()
    test_jacobians()
    test_normal_form()
    with tempfile.TemporaryDirectory() as folder:
        test_jobs(pathlib.Path(folder))
        test_refusals(pathlib.Path(folder))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
