"""bench/solvers and bench/methods at tiny sizes: the formulas written for the peers, what is counted, and refusals."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, run_job

sys.path.insert(0, str(ROOT / "bench" / "peers"))
import problems  # noqa: E402


def call(folder, script, *options, path=""):
    build = folder / "build"
    if not build.exists():
        # The ScaLAPACK program belongs to the target bench, which tests do not build.
        (build / "bench").mkdir(parents=True)
        (build / "tracegrad").symlink_to(PROGRAM)
        (build / "bench" / "scalapack_cg").symlink_to("/bin/false")
    command = [sys.executable, "-B", str(ROOT / "bench" / script), "--build", str(build), "--output", str(folder / "out"), *options]
    return subprocess.run(command, cwd=ROOT, env=dict(os.environ, PYTHONPATH=path), text=True, timeout=300,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def test_formulas(checks):
    rng = np.random.default_rng(1)
    for name, make in problems.catalogue(0.02, "").items():
        problem = make()
        if problem.evaluate is None:
            continue
        start = problem.start if problem.peer_start is None else problem.peer_start
        x, d = start + 0.1 * rng.standard_normal(start.shape), rng.standard_normal(start.shape)
        # Central differences of the value, extrapolated once: an error of h^4.
        def slope(h):
            ahead, back = (problem.evaluate(problem.matrices, x + t * d)[0] for t in (h, -h))
            return (ahead - back) / (2 * h)
        gradient = problem.evaluate(problem.matrices, x)[1]
        checks.close(f"{name}: <G,D>", np.vdot(gradient, d), (4 * slope(5e-4) - slope(1e-3)) / 3, 1e-6)
        if problem.closed is not None and problem.peer_start is None:
            at = problem.evaluate(problem.matrices, problem.closed(problem.matrices))[1]
            first = problem.evaluate(problem.matrices, problem.start)[1]
            checks.check(np.linalg.norm(at) < 1e-8 * np.linalg.norm(first), f"{name}: the closed form is not stationary")
        if problem.linear is not None:
            rhs, terms, weights = problem.linear(problem.matrices)
            left, right = (lambda m, v: v if m is None else m @ v), (lambda v, m: v if m is None else v @ m)
            image = sum(c * right(left(a, x), b) for c, a, b in terms)
            if weights is not None:
                image = right(left(terms[0][1], weights * image), terms[0][2])
            checks.check(np.linalg.norm(2 * (image - rhs) - gradient) < 1e-10 * np.linalg.norm(gradient),
                         f"{name}: the equations are not those of the gradient")


def test_run(checks, folder):
    done = call(folder, "solvers", "--scale", "0.02", "--peers", "scipy", "--problems", "quadratic-1e4,third-term,logdet,orbital",
                "--limit", "2", "--ranks", "2")
    if not checks.equal(f"solvers: exit status\n{done.stderr}", done.returncode, 0):
        return
    last = json.loads((folder / "out" / "solvers.json").read_text())
    targets = [t for p in last["problems"] for t in p["targets"]]
    checks.equal("solvers: the last line", done.stdout.splitlines()[-1],
                 f"{len(targets)} targets, {sum(not t['holds'] for t in targets)} missed")
    found = {p["problem"]: p for p in last["problems"]}
    rows = found["quadratic-1e4"]["rows"]
    checks.equal("contestants", list(rows), ["auto", "cg", "cg-plain", "by-hand", "scipy-lbfgsb", "scipy-cg"])
    checks.equal("quadratic: products of auto", rows["auto"]["reached"]["1e-08"]["products"], 5)
    for name, p in found.items():
        for who, row in p["rows"].items():
            checks.check(row["unit"] > 0, f"{name}: {who} has no unit")
            at = row["reached"]
            if who.startswith("scipy") and "1e-06" in at:
                checks.equal(f"{name}: products of {who}", at["1e-06"]["products"], at["1e-06"]["evaluations"] * p["products_by_hand"])
            if "1e-08" in at:
                checks.check(row["gradient"] <= 1e-8, f"{name}: {who} claims 1e-8 with {row['gradient']}")
                checks.check(at["1e-08"]["seconds"] >= at["1e-06"]["seconds"] > 0 and
                             at["1e-08"]["products"] >= at["1e-06"]["products"] > 0, f"{name}: {who} out of order: {at}")
    plain = found["third-term"]["rows"]
    for who in ("cg", "cg-plain", "scipy-lbfgsb"):
        checks.close(f"third-term: objective of {who}", plain[who]["objective"], plain["auto"]["objective"], 1e-6)
    row = found["orbital"]["rows"]["auto"]
    checks.check(row["status"] == "converged" and row["gradient"] <= 1e-8, f"orbital: bounded data, and yet {row}")
    bound = [t for t in found["logdet"]["targets"] if t["what"] == "products of auto"]
    checks.check(len(bound) == 1 and bound[0]["bound"] == 3 and bound[0]["holds"], f"logdet: targets {found['logdet']['targets']}")
    checks.check("by hand, 6 products" in done.stdout, "the formula is not shown")


def test_missing(checks, folder):
    (folder / "torch.py").write_text("raise ImportError('no torch here')\n")
    done = call(folder, "solvers", "--scale", "0.02", "--peers", "torch,scalapack", "--problems", "quadratic-1e4", "--limit", "20",
                path=str(folder))
    checks.check(done.returncode == 0 and "torch-lbfgs    skipped: no torch here" in done.stdout,
                 f"missing peer: {done.returncode}: {done.stdout}{done.stderr}")
    checks.check("scalapack-cg" in done.stdout and "broke: exit status 1" in done.stdout, f"broken peer: {done.stdout}")


FAKE_DATASETS = """
import types
import numpy as np
def load_wine():
    rng = np.random.default_rng(3)
    return types.SimpleNamespace(data=rng.random((20, 6)) @ rng.random((6, 9)))
"""
# Multiplicative updates, which take many more iterations.
FAKE_DECOMPOSITION = """
class NMF:
    def __init__(self, n_components, solver, init, tol, max_iter):
        self.max_iter = max_iter
    def fit_transform(self, m, W, H):
        w, h = W.copy(), H.copy()
        for _ in range(self.max_iter):
            w *= (m @ h.T) / (w @ (h @ h.T))
            h *= (w.T @ m) / ((w.T @ w) @ h)
        self.components_ = h
        return w
"""


def test_nmf(checks, folder):
    """Nonnegative factorisations beside a package that is scikit-learn in name only."""
    package = folder / "packages" / "sklearn"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "datasets.py").write_text(FAKE_DATASETS)
    (package / "decomposition.py").write_text(FAKE_DECOMPOSITION)
    done = call(folder, "solvers", "--problems", "nmf-wine", "--limit", "1", path=str(package.parent))
    if not checks.equal(f"nmf: exit status\n{done.stderr}", done.returncode, 0):
        return
    (problem,) = json.loads((folder / "out" / "solvers.json").read_text())["problems"]
    for row in problem["rows"].values():
        m, u, v = (np.load(folder / "out" / "nmf-wine" / str(row["seed"]) / f"{name}.npy") for name in "MUV")
        start = np.sum((m - u @ v) ** 2)
        checks.check(0 <= row["ours"] < start and 0 <= row["peer"] < start, f"nmf: a start of {start} led to {row}")
        checks.check(row["seconds"] >= 0 and row["peer_seconds"] > 0, f"nmf: {row}")
    checks.check(len(problem["targets"]) == 1 and problem["targets"][0]["found"] > 0, f"nmf: {problem['targets']}")
    (package / "__init__.py").write_text("raise ImportError('no scikit-learn here')\n")
    done = call(folder, "solvers", "--problems", "nmf-wine", path=str(package.parent))
    checks.check(done.returncode == 0 and "skipped: no scikit-learn here" in done.stdout, f"nmf: {done.stdout}{done.stderr}")


def test_refusals(checks, folder):
    for options, status, text in [
            (["--peers", "scipy,matlab"], 2, "there is no peer 'matlab': scalapack, scipy, torch, tao"),
            (["--problems", "rigde"], 2, "there is no problem 'rigde': quadratic-1e4"),
            (["--scale", "0"], 2, "invalid number above 0 value: '0'"),
            (["--limit", "soon"], 2, "invalid number above 0 value: 'soon'"),
            (["--bogus"], 2, "unrecognized arguments: --bogus"),
            (["--build", str(folder / "nothing")], 1, "build the targets all and bench")]:
        done = call(folder, "solvers", *options)
        checks.check(done.returncode == status and text in done.stderr, f"{options}: {done.returncode}: {done.stderr}")


def test_methods(checks, folder):
    document = folder / "table.md"
    document.write_text("before\n<!-- bench/methods: begin -->\nold\n<!-- bench/methods: end -->\nafter\n")
    done = call(folder, "methods", "--jobs", "poisson", "--iterations", "100", "--document", str(document))
    if not checks.equal(f"methods: exit status\n{done.stderr}", done.returncode, 0):
        return
    text = document.read_text()
    checks.check(text.startswith("before\n<!--") and text.endswith("-->\nafter\n") and "old" not in text, f"methods: {text}")
    rows = {cells[2]: cells[3:] for cells in ([c.strip() for c in line.split("|")] for line in text.splitlines()) if len(cells) > 5}
    checks.check("**auto**: direct" in rows and "alternating" not in rows, f"methods: rows {list(rows)}")
    checks.equal("methods: gradient-descent ends", rows["gradient-descent (diagonal)"][3], "iteration limit")
    alone = run_job(ROOT / "configs" / "poisson.yaml", folder / "alone", settings={"solver.method": "conjugate-gradient"}).report
    checks.equal("methods: counts", rows["conjugate-gradient (diagonal)"][:2], [str(alone["iterations"]), str(alone["products"])])
    document.write_text("no place for it\n")
    done = call(folder, "methods", "--document", str(document))
    checks.check(done.returncode == 1 and "has no lines <!-- bench/methods: begin -->" in done.stderr, f"no place: {done.stderr}")
    done = call(folder, "methods", "--jobs", "poissen")
    checks.check(done.returncode == 2 and "there is no job configs/poissen.yaml" in done.stderr, f"no job: {done.stderr}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_formulas(checks)
        test_run(checks, folder)
        test_missing(checks, folder)
        test_nmf(checks, folder)
        test_methods(checks, folder)
        test_refusals(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
