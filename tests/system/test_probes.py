"""The Taylor probe of `run` and the tables of `check`: steep, flat and shifted objectives are never condemned."""

import random
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()

S = "s: {rows: 1, columns: 1}"
X = "x: {rows: 6, columns: 1}"
NORMAL = "x: {rows: 6, columns: 1, start: normal}"

# Objective, variable, whether the gradient can be tested at the start (None: either).
RIGHT = [
    ("softplus(3e4*s) + s^2", S, True),
    ("softplus(3e10*s) + s^2", S, True),
    ("sqrt(s^2 + 1e-12) + s^2", S, True),
    ("sqrt(s^2 + 1e-40) + s^2", S, False),
    ("sum(softplus(-A*x)) + 0.5*sumsq(x)", X, True),
    ("sum(softplus(-A*x)) + 0.5*sumsq(x)", NORMAL, None),
    ("sum(relu(-A*x)) + 0.5*sumsq(x)", X, None),
    ("norm1(A*x) + 0.5*sumsq(x)", X, None),
    ("sum(sigmoid(A*x)) + 0.5*sumsq(x)", NORMAL, None),
    ("cos(1e6*s) + s^2", S, True),
    ("exp(1e4*s) + s^2", S, True),
    ("sigmoid(sumsq(x) + 10)", NORMAL, None),
    ("sigmoid(sumsq(x) + 20)", NORMAL, None),
    ("sigmoid(sumsq(x) + 30)", NORMAL, None),
    ("tanh(sumsq(x) + 8)", NORMAL, None),
    ("softplus(-sumsq(x) - 15)", NORMAL, True),
    ("sum(exp(x)) + 1e12", "x: {rows: 6, columns: 1, start: normal, scale: 1e-6}", False),
    ("sumsq(A*x - ones(20, 1))", "x: {rows: 6, columns: 1, start: normal, scale: 1e-12}", True),
]


def write(folder, objective, variables):
    data = "data:\n  A: {file: A.npy}\n" if "A*" in objective else ""
    job = folder / "job.yaml"
    job.write_text(f'minimize: "{objective}"\nvariables:\n  {variables}\n{data}solver: {{max_iterations: 0}}\n')
    return job


def check_right(folder):
    rng = np.random.default_rng(5)
    np.save(folder / "A.npy", 1e5 * rng.standard_normal((20, 6)))
    for objective, variables, can_test in RIGHT:
        job = write(folder, objective, variables)
        tested = run(["check", job])
        checks.check(tested.status == 0 or "not finite at the test point" in tested.err,
                     f"check of {objective}: {tested.out}{tested.err}")
        done = run_job(job, folder / "out", ranks=1)
        if not checks.check(done.status in (0, 3), f"run of {objective}: exit {done.status}: {done.err}"):
            continue
        verdict = done.report["taylor_probe"]["verdict"]
        checks.check(verdict != "failed", f"run of {objective}: {verdict}")
        if can_test is not None:
            checks.equal(f"{objective}: tested", verdict in ("passed", "exact"), can_test)
        checks.equal(f"{objective}: said so", "cannot be tested" in done.err, verdict == "unresolved")


def random_matrix(rng, depth):
    """Text and value, as a function of g and h, of a 2 x 2 matrix of numbers and scalars alone."""
    leaves = [("ones(2,2)", lambda g, h: np.ones((2, 2))), ("eye(2)", lambda g, h: np.eye(2)),
              ("zeros(2,2)", lambda g, h: np.zeros((2, 2))),
              ("ones(2,1)*ones(1,2)", lambda g, h: np.ones((2, 2))),
              ("eye(2)*ones(2,2)", lambda g, h: np.ones((2, 2)))]
    kind = rng.randrange(6)
    if depth == 0 or kind == 0:
        return rng.choice(leaves)
    text, value = random_matrix(rng, depth - 1)
    if kind <= 2:
        scalar, number = rng.choice([("g", lambda g, h: g), ("h", lambda g, h: h), ("g*h", lambda g, h: g * h),
                                     ("g^2", lambda g, h: g * g)])
        return f"{scalar}*({text})", lambda g, h: number(g, h) * value(g, h)
    if kind == 3:
        name, function = rng.choice([("exp", np.exp), ("sin", np.sin), ("tanh", np.tanh), ("cos", np.cos)])
        return f"{name}({text})", lambda g, h: function(value(g, h))
    other, second = random_matrix(rng, depth - 1)
    if kind == 4:
        return f"({text} + {other})", lambda g, h: value(g, h) + second(g, h)
    return f"({text}) .* ({other})", lambda g, h: value(g, h) * second(g, h)


def check_equal_entries(folder):
    """Scalars times ones, eye and zeros inside entrywise functions and sums: value and derivatives."""
    rng = random.Random(11)
    for _ in range(40):
        text, value = random_matrix(rng, 3)
        name, total = rng.choice([("sum", np.sum), ("sumsq", lambda m: np.sum(m * m)), ("tr", np.trace)])
        objective = f"{name}({text}) + g*h"
        g, h = (round(rng.uniform(-1, 1), 3) for _ in range(2))
        np.save(folder / "g.npy", np.array([[g]]))
        np.save(folder / "h.npy", np.array([[h]]))
        job = write(folder, objective, "g: {rows: 1, columns: 1, start: {file: g.npy}}\n"
                                       "  h: {rows: 1, columns: 1, start: {file: h.npy}}")
        tested = run(["check", job])
        checks.equal(f"check of {objective}: {tested.err}", tested.status, 0)
        done = run_job(job, folder / "out", ranks=1)
        if not checks.check(done.report is not None, f"run of {objective}: {done.err}"):
            continue
        checks.check(abs(done.report["objective"] - total(value(g, h)) - g * h) <= 1e-12 * (1 + abs(total(value(g, h)))),
                     f"{objective} at {g}, {h}: {done.report['objective']}")


def check_kink(folder):
    """A kink at the test point is said, and does not end the run."""
    np.save(folder / "A.npy", np.eye(6))
    job = write(folder, "sum(relu(A*x)) + 0.5*sumsq(x)", X)
    done = run_job(job, folder / "out", ranks=1)
    checks.check(done.status in (0, 3), f"a kink at the start: {done.err}")
    checks.check(re.search(r"gradient +(Taylor|cannot)", done.err) is not None, f"a kink at the start: {done.err}")


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        check_right(folder)
        check_equal_entries(folder)
        check_kink(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
