"""The nuclear and the spectral norm in jobs on ranks: the minimum by soft thresholds, gradients by differences, honest endings at kinks;
and what derive says of them."""

import pathlib
import sys
import tempfile

import numpy as np

import tg_eval
from solve_job import solve
from tracegrad_run import Checks, run

checks = Checks()
M, N = 8, 5
RANDOM = np.random.default_rng(4)
A = RANDOM.standard_normal((M, 3)) @ RANDOM.standard_normal((3, N)) + 0.05 * RANDOM.standard_normal((M, N))
B = RANDOM.standard_normal((M, N))


def test_thresholds(folder):
    """0.5*sumsq(A - X) + lam*nuclear_norm(X) is least where the singular values of A are lowered by lam, to 0 at the lowest: a kink."""
    u, s, vt = np.linalg.svd(A, full_matrices=False)
    for lam, ranks, word in ((1.0, 3, ("stalled",)), (0.5 * s[-1], 2, ("converged",)), (1.0, 1, ("stalled",))):
        job = {"minimize": "0.5*sumsq(A - X) + lam*nuclear_norm(X)", "variables": {"X": {"rows": M, "columns": N}},
               "data": {"lam": lam}}
        solved = solve(job, {"A": A}, folder / f"threshold-{ranks}", ranks=ranks)
        x = solved.values["X"]
        best = u @ np.diag(np.maximum(s - lam, 0)) @ vt
        checks.check(np.abs(x - best).max() < 1e-5, f"lam {lam}: the minimum is off by {np.abs(x - best).max()}")
        checks.check(solved.report["status"] in word, f"lam {lam} on {ranks} ranks: {solved.report['status']}")
        if word == ("stalled",):
            checks.check("kinks" in solved.err + solved.out, f"the reason says nothing of kinks: {solved.out}")


def test_no_minimum(folder):
    """polar_factor(X) reaches the one of C while X vanishes: the least value is not attained, the gradient grows on the way, and what
    was largest of it makes nothing small. `converged` only where the gradient is small beside the one at the start and nothing is
    left to be had; never below the bound."""
    generator = np.random.default_rng(11)
    for k in range(4):
        c = generator.standard_normal((4, 3))
        u, _, vt = np.linalg.svd(c, full_matrices=False)
        job = {"minimize": "sumsq(polar_factor(X) - C) + 0.1*sumsq(X)", "variables": {"X": {"rows": 4, "columns": 3, "start": "normal", "seed": k}},
               "solver": {"max_iterations": 20000}}
        solved = solve(job, {"C": c}, folder / f"polar-{k}", ranks=(1, 3)[k % 2])
        least = ((u @ vt - c)**2).sum()
        found = solved.report["objective"]
        checks.check(found >= least * (1 - 1e-14), f"polar {k}: {found} is below {least}")
        if checks.check(solved.report["status"] in ("stalled", "iteration_limit", "converged"), f"polar {k}: {solved.report['status']}") \
                and solved.report["status"] == "converged":
            first, last = solved.history[0]["gradient_norm"], solved.history[-1]["gradient_norm"]
            checks.check(last <= 1e-8 * first, f"polar {k}: converged with a gradient of {last}, {first} at the start")
            checks.check(found - least <= 1e-12 * least, f"polar {k}: converged at {found}, {least} is to be had")


def differences(objective, values):
    x = values["X"]
    out = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        sides = []
        for step in (1e-5, -1e-5):
            moved = x.copy()
            moved[index] += step
            sides.append(tg_eval.evaluate(objective, dict(values, X=moved), {})[0, 0])
        out[index] = (sides[0] - sides[1]) / 2e-5
    return out


def test_smooth(folder):
    """Minima at points of full rank, with the Hessian action; wide and tall arguments, on ranks."""
    for k, (objective, ranks) in enumerate((("sumsq(X - A) + spectral_norm(X) + 0.1*nuclear_norm(X - B)", 3),
                                            ("0.001*nuclear_norm(X')^2 + sumsq(X - B)", 2))):
        job = {"minimize": objective, "variables": {"X": {"rows": M, "columns": N, "start": "normal", "seed": 7}},
               "solver": {"method": "newton-cg"}}
        used = {"A": A, "B": B} if "A" in objective else {"B": B}
        solved = solve(job, used, folder / f"smooth-{k}", ranks=ranks)
        checks.equal(f"{objective}: exit status {solved.err[-300:]}", solved.status, 0)
        values = {"A": A, "B": B, **solved.values}
        checks.close(f"{objective}: the value", solved.report["objective"],
                     float(tg_eval.evaluate(objective, values, {})[0, 0]), 1e-8)
        size = np.abs(differences(objective, values)).max()
        checks.check(size < 1e-4, f"{objective}: the gradient at the result is {size}")
    finished = run(["check", folder / "smooth-0" / "job.yaml"], ranks=2)
    checks.equal(f"check {finished.out[-400:]} {finished.err[-400:]}", finished.status, 0)


DERIVED = [
    (["nuclear_norm(X)", "--wrt", "X"], "polar_factor(X)"),
    (["spectral_norm(A*X - B)", "--wrt", "X"], "A'*leading_dyad(A*X - B)"),
    (["nuclear_norm(-2*X')", "--wrt", "X"], "2*polar_factor(X)"),
    (["nuclear_norm(x)", "--wrt", "x"], "x/norm2(x)"),
    (["spectral_norm(X)", "--wrt", "X", "--hessian"], "dleading_dyad(X, V)"),
    (["norm(X, 'nuc')", "--wrt", "X"], "polar_factor(X)"),
    (["np.linalg.norm(X, 2)", "--wrt", "X"], "leading_dyad(X)"),
    (["sum(svd(X))", "--wrt", "X"], "polar_factor(X)"),
    (["nuclearNorm(X)", "--wrt", "X"], "polar_factor(X)"),
    (["\u2016X\u2016_*", "--wrt", "X"], "polar_factor(X)"),
]


def test_derive():
    for arguments, expected in DERIVED:
        finished = run(["derive", *arguments, "--format", "expr"])
        checks.equal(f"derive {arguments} {finished.err}", finished.out.strip(), expected)
    for fmt in ("latex", "numpy", "octave"):  # what each prints is read back
        for text in ("nuclear_norm(X)*X", "spectral_norm(X)*X"):
            printed = run(["derive", f"sumsq({text})/2", "--wrt", "X", "--dims", "X=3x4", "--format", fmt]).out.strip()
            again = run(["derive", f"sum({printed})", "--wrt", "X", "--dims", "X=3x4", "--format", "expr"])
            checks.equal(f"{fmt}: {printed} reads back: {again.err}", again.status, 0)
    finished = run(["derive", "nuclear_norm(A*X - B)", "--wrt", "X", "--steps"])
    checks.check("convex (a norm of an affine function)" in finished.out and "polar_factor(X)'*dX" in finished.out, finished.out)
    finished = run(["derive", "sum(dpolar_factor(X, A))", "--wrt", "X"])
    checks.check(finished.status == 2 and "by its point is not in the language" in finished.err, finished.err)


def main():
    with tempfile.TemporaryDirectory() as name:
        test_derive()
        test_thresholds(pathlib.Path(name))
        test_no_minimum(pathlib.Path(name))
        test_smooth(pathlib.Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
