"""Exact steps on polynomials: published minima, f never rises by a step, and no point worse than one seen is returned."""

import random
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()

METHODS = ["auto", "conjugate-gradient", "l-bfgs", "gradient-descent", "barzilai-borwein", "newton-cg", "nesterov"]

# J. More, B. Garbow, K. Hillstrom, ACM TOMS 7 (1981); W. Hock, K. Schittkowski, Test Examples for Nonlinear Programming Codes,
# 1981; L. Dixon, G. Szego, Towards Global Optimisation 2, 1978. Objective, start, values of its minima, constraints.
PUBLISHED = {
    "a far minimum of rounding": ("(x-y)^2 + (y-z)^4 + 100*((1+y^2)*x + z^4 - 3)^2", (-2.6, 2, 2), (0,), []),
    "Rosenbrock": ("100*(y - x^2)^2 + (1 - x)^2", (-1.2, 1), (0,), []),
    "Freudenstein and Roth": ("(-13 + x + ((5 - y)*y - 2)*y)^2 + (-29 + x + ((y + 1)*y - 14)*y)^2", (0.5, -2),
                              (0, 48.98425367924), []),
    "Brown, badly scaled": ("(x - 1e6)^2 + (y - 2e-6)^2 + (x*y - 2)^2", (1, 1), (0,), []),
    "Beale": ("(1.5 - x*(1 - y))^2 + (2.25 - x*(1 - y^2))^2 + (2.625 - x*(1 - y^3))^2", (1, 1), (0,), []),
    "Powell, singular": ("(w + 10*x)^2 + 5*(y - z)^2 + (x - 2*y)^4 + 10*(w - z)^4", (3, -1, 0, 1), (0,), []),
    "Wood": ("100*(x - w^2)^2 + (1 - w)^2 + 90*(z - y^2)^2 + (1 - y)^2 + 10.1*((x - 1)^2 + (z - 1)^2) "
             "+ 19.8*(x - 1)*(z - 1)", (-3, -1, -3, -1), (0,), []),
    "Goldstein and Price": ("(1 + (x + y + 1)^2*(19 - 14*x + 3*x^2 - 14*y + 6*x*y + 3*y^2))"
                            "*(30 + (2*x - 3*y)^2*(18 - 32*x + 12*x^2 + 48*y - 36*x*y + 27*y^2))", (0.2, -0.8),
                            (3, 30, 84, 840), []),
    "six-hump camel": ("4*x^2 - 2.1*x^4 + x^6/3 + x*y - 4*y^2 + 4*y^4", (1.5, 1),
                       (-1.031628453489, -0.215463824383, 2.104250310311), []),
    "HS26": ("(x - y)^2 + (y - z)^4", (-2.6, 2, 2), (0,), ["(1 + y^2)*x + z^4 = 3"]),
    "HS6": ("(1 - x)^2", (-1.2, 1), (0,), ["10*(y - x^2) = 0"]),
    "HS7-like": ("(x - 2)^4 + (x - 2*y)^2", (0, 3), (1.0,), ["x = 1"]),
    "HS27": ("0.01*(x - 1)^2 + (y - x^2)^2", (2, 2, 2), (0.04,), ["x + z^2 = -1"]),
    "HS39": ("-w", (2, 2, 2, 2), (-1,), ["x - w^3 = y^2", "w^2 - x = z^2"]),
    "HS40": ("-w*x*y*z", (0.8, 0.8, 0.8, 0.8), (-0.25,), ["w^3 + x^2 = 1", "w^2*z = y", "z^2 = x"]),
    "HS43": ("w^2 + x^2 + 2*y^2 + z^2 - 5*w - 5*x - 21*y + 7*z", (0, 0, 0, 0), (-44,),
             ["w^2 + x^2 + y^2 + z^2 + w - x + y - z <= 8", "w^2 + 2*x^2 + y^2 + 2*z^2 - w - z <= 10",
              "2*w^2 + x^2 + y^2 + 2*w - x - z <= 5"]),
}


def write(folder, objective, start, constraints, extra=""):
    names = "wxyz" if len(start) == 4 else "xyz"[:len(start)]
    lines = [f'minimize: "{objective}"', "variables:"]
    lines += [f"  {name}: {{rows: 1, columns: 1, start: {'ones' if value else 'zeros'}, scale: {value or 1}}}"
              for name, value in zip(names, start)]
    if constraints:
        lines += ["subject_to:"] + [f'  - "{text}"' for text in constraints]
    job = folder / "job.yaml"
    job.write_text("\n".join(lines) + "\n" + extra)
    return job


def check_monotone(name, done, monotone=True):
    """f never rises along the history (by more than rounding), and no better point was seen than the one returned."""
    values = [record["objective"] for record in done.history]
    if not checks.check(all(isinstance(value, (int, float)) for value in values), f"{name}: a value that is not finite"):
        return
    scale = 1e-13 * abs(values[0])
    checks.check(done.report["objective"] <= min(values) + 1e-9 * abs(min(values)) + scale,
                 f"{name}: {done.report['objective']} returned, {min(values)} seen")
    rises = [after - before for before, after in zip(values, values[1:]) if after > before + 1e-9 * abs(before) + scale]
    checks.check(not monotone or not rises, f"{name}: f rose by {rises[:3]}")


def check_published(folder):
    for name, (objective, start, minima, constraints) in PUBLISHED.items():
        job = write(folder, objective, start, constraints)
        for method in ["auto", "l-bfgs", "newton-cg"] if constraints else METHODS:
            if (name, method) == ("Wood", "nesterov"):
                continue  # comes to rest at the saddle of 7.877
            done = run_job(job, folder / "out", ranks=1, settings={"solver.method": method, "solver.max_iterations": 3000})
            what = f"{name} by {method}"
            if not checks.check(done.report is not None and done.status in (0, 3), f"{what}: exit {done.status} {done.err}"):
                continue
            value = done.report["objective"]
            near = min(abs(value - minimum) for minimum in minima)
            if not constraints:
                check_monotone(what, done, method not in ("barzilai-borwein", "nesterov"))
            if done.status == 0:
                checks.check(near <= 1e-4 * max(1, abs(value)), f"{what}: {value}, published {minima}")
            if constraints and done.status == 0:
                checks.check(done.report["constraint_violation"] <= 1e-7,
                             f"{what}: violation {done.report['constraint_violation']}")
            if method in ("auto", "newton-cg") and name not in ("HS27",):
                checks.equal(f"{what}: {done.report['reason']}", done.status, 0)


def random_polynomial(rng):
    """A sum of squares and fourth powers with coefficients over eight magnitudes: bounded below."""
    def inner():
        names = rng.sample("xyz", rng.choice([2, 3]))
        text = " + ".join(f"{rng.uniform(-3, 3):.2f}*{name}" for name in names) + f" + {rng.uniform(-3, 3):.2f}"
        if rng.random() < 0.4:
            text += f" + {10 ** rng.uniform(-4, 2):.3g}*{rng.choice('xyz')}^{rng.choice([2, 3])}"
        return text
    terms = []
    for _ in range(rng.randint(2, 4)):
        text = inner()
        power = 2 if "^" in text else rng.choice([2, 4])
        terms.append(f"{10 ** rng.uniform(-4, 4):.3g}*({text})^{power}")
    return " + ".join(terms) + " + 1e-3*(x^2 + y^2 + z^2)"


def check_random(folder):
    rng = random.Random(29)
    for k in range(28):
        objective = random_polynomial(rng)
        start = [round(rng.uniform(-3, 3), 2) for _ in range(3)]
        job = write(folder, objective, start, [])
        method = METHODS[k % len(METHODS)]
        done = run_job(job, folder / "out", ranks=1, settings={"solver.method": method, "solver.max_iterations": 300})
        what = f"{objective} from {start} by {method}"
        if checks.check(done.report is not None and done.status in (0, 3), f"{what}: exit {done.status} {done.err}"):
            check_monotone(what, done, method not in ("barzilai-borwein", "nesterov"))


def check_best_returned(folder):
    """General objectives rise within the noise of a search: no row of the history is lower than what is returned."""
    text = ("minimize: 0.7*(sum(X.*log(X)) + sum(C.*X))\n"
            "variables: {X: {rows: 3, columns: 2, start: ones, constraint: simplex_columns}}\n"
            "data: {C: {generate: normal, rows: 3, columns: 2, seed: SEED}}\n")
    for seed in range(1, 7):
        job = folder / "best.yaml"
        job.write_text(text.replace("SEED", str(seed)))
        name = f"the best, seed {seed}"
        done = run_job(job, folder / "best", ranks=1, settings={"solver.method": "frank-wolfe", "solver.max_iterations": 200,
                                                                "solver.gradient_tolerance": 1e-12})
        if not checks.check(done.status in (0, 3), f"{name}: {done.err.strip()[-300:]}"):
            continue
        least, found = min(record["objective"] for record in done.history), done.report["objective"]
        checks.check(found <= least + 4e-15 * abs(least), f"{name}: returned {found!r}, seen {least!r}")


def check_valley(folder):
    """a (xy - 1)^2 + y^2 + 1 falls towards 1 without end as x grows: converged far from there is said with what remains."""
    for a in ("1e2", "1e3"):
        for method in ("auto", "newton-cg"):
            job = write(folder, f"{a}*(x*y - 1)^2 + y^2 + 1", (3, 3), [], f"solver: {{method: {method}}}\n")
            done = run_job(job, folder / "valley", ranks=1)
            if not checks.check(done.status in (0, 3), f"valley {a} {method}: {done.err.strip()[-300:]}"):
                continue
            checks.check(done.status == 3 or done.report["objective"] < 1 + 1e-5 or "estimated" in done.report["reason"],
                         f"valley {a} {method}: converged at {done.report['objective']}")


def check_steepness(folder):
    """Data of 1e-4 from starts of size 1: a gradient that is small beside the first one need not be small for f."""
    rng = np.random.default_rng(2)
    A = 1e-4 * (rng.standard_normal((10, 2)) @ rng.standard_normal((2, 8)) + 0.1 * rng.standard_normal((10, 8)))
    W = (rng.random((10, 8)) < 0.7).astype(float)
    np.save(folder / "A.npy", A)
    np.save(folder / "W.npy", W)
    job = folder / "steep.yaml"
    job.write_text("minimize: sumsq(W.*(A - U*V'))\nvariables:\n  U: {rows: 10, columns: 2, start: normal}\n"
                   "  V: {rows: 8, columns: 2, start: normal}\ndata: {A: {file: A.npy}, W: {file: W.npy}}\n")
    for method in ("auto", "l-bfgs", "conjugate-gradient", "newton-cg"):
        done = run_job(job, folder / "steep", ranks=1, settings={"solver.method": method})
        if not checks.check(done.status in (0, 3), f"steepness {method}: {done.err.strip()[-300:]}") or done.status == 3:
            continue
        U, V = np.load(done.folder / "U.npy"), np.load(done.folder / "V.npy")
        R = W * (U @ V.T - A)
        slope = np.hypot(np.linalg.norm(2 * R @ V), np.linalg.norm(2 * R.T @ U)) * np.hypot(np.linalg.norm(U), np.linalg.norm(V))
        checks.check(slope <= 0.02 * np.sum(R**2) or "estimated" in done.report["reason"],
                     f"steepness {method}: converged at {np.sum(R**2)} where |g||x| is {slope}")


def check_far_start(folder):
    """From far the gradient at the start makes any other small: where f could still become negative, the point is no minimum."""
    job = folder / "camel.yaml"
    job.write_text("minimize: 4*x^2 - 2.1*x^4 + x^6/3 + x*y - 4*y^2 + 4*y^4\n"
                   "variables:\n  x: {rows: 1, columns: 1, start: ones, scale: 1000}\n  y: {rows: 1, columns: 1, start: ones, scale: -1000}\n")
    for method in ("auto", "l-bfgs", "conjugate-gradient", "newton-cg", "gradient-descent"):
        done = run_job(job, folder / "camel", ranks=1, settings={"solver.method": method})
        least = min(abs(done.report["objective"] - value) for value in (-1.0316284534899, -0.2154638243837, 2.1042503103))
        checks.check(done.report["status"] != "converged" or least <= 1e-6, f"camel {method}: converged at {done.report['objective']}")


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        check_published(folder)
        check_random(folder)
        check_best_returned(folder)
        check_valley(folder)
        check_steepness(folder)
        check_far_start(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
