"""A unit is no information: f, the unknowns and the constraints multiplied by powers of two and ten change no ending and no count.

Every gallery job is rewritten as c*f((1/s)*X) with the start s*X0, and k*h((1/s)*X) for each constraint. With powers of two no
product rounds differently, so that every iterate is the base's to the last bit; with powers of ten iterates agree up to the growth of
rounding. TRACEGRAD_INVARIANCE=full tries all scales.
"""

import fractions
import os
import pathlib
import re
import sys
import tempfile

import numpy as np
import yaml

from tracegrad_run import ROOT, Checks, run_job

FULL = os.environ.get("TRACEGRAD_INVARIANCE") == "full"
BOUNDED = {"orthonormal_columns", "unit_columns", "doubly_stochastic", "simplex_rows", "simplex_columns"}


def number(value):
    """A number of a job, which may be a fraction."""
    return float(fractions.Fraction(value)) if isinstance(value, str) and "/" in value else float(value)


def scaled_start(variable, s, base, folder, name):
    """The variable's entry with its start times s."""
    out = dict(variable)
    start = out.get("start", "zeros")
    if isinstance(start, dict):
        path = pathlib.Path(folder) / f"start-{name}.npy"
        np.save(path, s * np.load(base / start["file"]))
        out["start"] = {"file": str(path)}
    elif start != "zeros":
        out["scale"] = number(out.get("scale", 1)) * s
    constraint = out.get("constraint")
    if isinstance(constraint, dict) and "box" in constraint:
        out["constraint"] = {"box": [s * bound for bound in constraint["box"]]}
    if isinstance(constraint, dict) and "frobenius_ball" in constraint:
        out["constraint"] = {"frobenius_ball": s * constraint["frobenius_ball"]}
    return out


def rewritten(job, base, folder, f=1.0, x=1.0, h=1.0):
    """The job with its objective times f, its unknowns times x, its constraints times h; numbers come in as data."""
    out = {key: value for key, value in job.items() if key not in ("minimize", "maximize", "subject_to", "variables", "output")}

    def substitute(text):
        for name in job["variables"]:
            text = re.sub(rf"\b{name}\b", f"(unit_x*{name})", text)
        return text

    key = "minimize" if "minimize" in job else "maximize"
    out[key] = f"unit_f*({substitute(job[key])})"
    if "subject_to" in job:
        out["subject_to"] = []
        for line in job["subject_to"]:
            left, relation, right = re.match(r"(.*?)(<=|>=|=)(.*)", line).groups()
            right = "0" if right.strip() == "0" else f"unit_h*({substitute(right)})"
            out["subject_to"].append(f"unit_h*({substitute(left)}) {relation} {right}")
    out["variables"] = {name: scaled_start(variable, x, base, folder, name) for name, variable in job["variables"].items()}
    data = {}
    for name, value in job.get("data", {}).items():
        data[name] = {**value, "file": str(base / value["file"])} if isinstance(value, dict) and "file" in value else value
    data["unit_f"] = f
    data["unit_x"] = 1 / x
    if "subject_to" in job:
        data["unit_h"] = h
    out["data"] = data
    out["output"] = {"variables": {name: f"{name}.npy" for name in job["variables"]}}
    return out


def solve(job, folder, ranks=1):
    path = pathlib.Path(folder) / "job.yaml"
    path.write_text(yaml.safe_dump(job, sort_keys=False))
    return run_job(path, pathlib.Path(folder) / "out", ranks=0 if ranks == 1 else ranks)


def compare(checks, label, base, other, f, x, exact, variables):
    """The same ending and counts, and the same values and points in other units."""
    if base.report is None or other.report is None:
        checks.check(False, f"{label}: no report: {(base.err + other.err)[-300:]}")
        return
    one, two = base.report, other.report
    checks.check(one["status"] == two["status"], f"{label}: {two['status']} after {two['iterations']}, in the first units "
                 f"{one['status']} after {one['iterations']}: {two['reason'][:300]}")
    room = 0 if exact else max(2, 0.1 * one["iterations"])
    checks.check(abs(one["iterations"] - two["iterations"]) <= room,
                 f"{label}: {two['iterations']} iterations, in the first units {one['iterations']} ({two['reason'][:200]})")
    if one["status"] != two["status"]:
        return
    if exact:
        checks.check(one["objective"] == two["objective"] / f, f"{label}: f {two['objective'] / f!r}, not {one['objective']!r}")
    else:
        checks.check(abs(one["objective"] - two["objective"] / f) <= 1e-6 * abs(one["objective"]),
                     f"{label}: f {two['objective'] / f!r}, not {one['objective']!r}")
    for name in variables:
        a = np.load(base.folder / f"{name}.npy")
        b = np.load(other.folder / f"{name}.npy") / x
        away = np.linalg.norm(a - b)
        checks.check(away <= (0 if exact else 1e-3) * np.linalg.norm(a), f"{label}: {name} is {away:.2e} away")


def scales_of(job, rng):
    """Pairs (f, x, h, exact) to try."""
    bounded = any(isinstance(v.get("constraint"), str) and v["constraint"] in BOUNDED for v in job["variables"].values())
    exact = [(2.0**k, 2.0**j) for k in (-40, 0, 40) for j in (-40, 0, 40) if (k, j) != (0, 0)]
    round_ = [(10.0**k, 10.0**j) for k in (-12, -6, 0, 6, 12) for j in (-12, -6, 0, 6, 12) if (k, j) != (0, 0)]
    out = [(f, x, True) for f, x in exact] + [(f, x, False) for f, x in round_]
    if bounded:
        out = [(f, 1.0, e) for f, x, e in out if x == 1.0]
    if not FULL:
        out = [out[i] for i in rng.permutation(len(out))[:2]]
    return out


# Random multipliers of size 1 choose the first penalty of subject_to, so that the last bits are not the base's.
def try_job(checks, name, job, base, rng, ranks=1):
    with tempfile.TemporaryDirectory() as folder:
        first = pathlib.Path(folder) / "first"
        first.mkdir()
        straight = solve(rewritten(job, base, first), first, ranks)
        for number, (f, x, exact) in enumerate(scales_of(job, rng)):
            there = pathlib.Path(folder) / str(number)
            there.mkdir()
            h = float(2.0 ** int(rng.integers(-40, 41)) if exact else 10.0 ** int(rng.integers(-12, 13))) if "subject_to" in job else 1.0
            other = solve(rewritten(job, base, there, f, x, h), there, ranks)
            exact = exact and "subject_to" not in job
            compare(checks, f"{name}: f times {f:.3g}, x times {x:.3g}, h times {h:.3g}", straight, other, f, x, exact,
                    job["variables"])


def gallery(checks, rng):
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        if len(sys.argv) > 1 and path.stem not in sys.argv[1:]:
            continue
        job = yaml.safe_load(path.read_text())
        try_job(checks, path.stem, job, path.parent, rng)


# ---- jobs with a certificate of their own ----

def shortfall(kind, X, G, size):
    """How much a first-order step into the set may still gain, of the size of the gradient's terms and of X."""
    scale = np.linalg.norm(size) * max(np.linalg.norm(X), 1e-300)
    if kind == "nonnegative":
        pulled = np.where(X > 0, G, np.minimum(G, 0))
        return np.linalg.norm(pulled) / np.linalg.norm(size)
    if kind == "simplex_columns":
        return float((G * X).sum() - G.min(axis=0).sum()) / scale
    if kind == "frobenius_ball":
        return float((G * X).sum() + np.linalg.norm(G)) / scale
    G = (G + G.T) / 2
    if kind == "symmetric":
        return np.linalg.norm(G) / np.linalg.norm(size)
    least = max(0.0, -np.linalg.eigvalsh(G)[0])
    return max(abs(float((G * X).sum())) / scale, least / np.linalg.norm(size))


def certified(checks, rng, trials):
    """factor*sumsq(A*X*C - B) on sets, in any unit: the gradient recomputed at the point returned leaves nothing to gain."""
    kinds = ["nonnegative", "simplex_columns", "frobenius_ball", "symmetric", "positive_semidefinite"]
    for trial in range(trials):
        kind = kinds[trial % len(kinds)]
        n = int(rng.integers(2, 7))
        cols = n if kind in ("symmetric", "positive_semidefinite") else int(rng.integers(1, 5))
        rows = n + int(rng.integers(0, 5))
        unit = 10.0 ** int(rng.integers(-8, 9))
        factor = 10.0 ** int(rng.integers(-12, 13))
        A = rng.standard_normal((rows, n))
        B = rng.standard_normal((rows, cols))
        if kind == "nonnegative":  # columns of different units too
            A *= 10.0 ** rng.integers(-3, 4, n)
        A, B = unit * A, unit * B
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/A.npy", A)
            np.save(f"{folder}/B.npy", B)
            job = {"minimize": "factor*sumsq(A*X - B)",
                   "variables": {"X": {"rows": n, "columns": cols,
                                       "constraint": {"frobenius_ball": 1.0} if kind == "frobenius_ball" else kind}},
                   "data": {"A": {"file": f"{folder}/A.npy"}, "B": {"file": f"{folder}/B.npy"}, "factor": factor},
                   "solver": {"max_iterations": 20000}, "output": {"variables": {"X": "X.npy"}}}
            done = solve(job, folder)
            label = f"{kind} {n} x {cols}, data times {unit:.0e}, f times {factor:.0e}, trial {trial}"
            if not checks.check(done.report is not None, f"{label}: {done.err[-300:]}"):
                continue
            if done.report["status"] != "converged":
                checks.check(done.report["status"] in ("iteration_limit", "stalled"), f"{label}: {done.report['reason'][:200]}")
                continue
            X = np.load(done.folder / "X.npy")
            G = 2 * A.T @ (A @ X - B)
            left = shortfall(kind, X, G, 2 * A.T @ B)
            checks.check(left <= 1e-6, f"{label}: converged with {left:.1e} to gain; {done.report['reason'][:200]}")


def named(checks):
    """Where the unit decided the answer."""
    A = 1e4 * np.array([[4, 1, 4], [4, 6, 5], [4, 2, 5], [4, 7, 6.0]])
    b = 1e4 * np.array([[6], [5], [3], [3.0]])
    simplex = ["sum(x) = 1", "x >= 0"]
    for unit in (1e-9, 1.0, 1e9):
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/A.npy", unit * A)
            np.save(f"{folder}/b.npy", unit * b)
            np.save(f"{folder}/c.npy", unit * np.array([[1], [2.0]]))
            np.save(f"{folder}/Q.npy", unit * np.diag([1, 2.0]))
            files = {name: {"file": f"{folder}/{name}.npy"} for name in "AbcQ"}
            for label, objective, rows, more, value, point in (
                    ("least squares", "sumsq(A*x - b)", 3, {}, 6.75e8 * unit**2, [1.0625, 0, 0]),
                    ("linear", "c'*x", 2, {"subject_to": simplex}, unit, [1, 0]),
                    ("quadratic", "x'*Q*x", 2, {"subject_to": simplex}, unit * 2 / 3, [2 / 3, 1 / 3])):
                variable = {"rows": rows, "columns": 1} if more else {"rows": rows, "columns": 1, "constraint": "nonnegative"}
                job = {"minimize": objective, "variables": {"x": variable}, **more, "output": {"variables": {"x": "x.npy"}},
                       "data": {name: files[name] for name in files if name in objective}}
                done = solve(job, folder)
                what = f"{label} times {unit:.0e}"
                if not checks.check(done.report is not None and done.report["status"] == "converged",
                                    f"{what}: {done.report and done.report['reason']} {done.err[-200:]}"):
                    continue
                checks.close(what, done.report["objective"], value, 1e-7)
                checks.check(abs(np.load(done.folder / "x.npy").ravel() - point).max() <= 1e-6, f"{what}: x")


def main():
    checks = Checks()
    rng = np.random.default_rng(int(os.environ.get("TRACEGRAD_FIRST", 20)))
    named(checks)
    certified(checks, rng, 500 if FULL else 15)
    gallery(checks, rng)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
