"""Functions of symmetric matrices in jobs on ranks: minima with a closed form, values and gradients by NumPy's complex steps, domains,
refusals; and what derive says of them."""

import pathlib
import sys
import tempfile

import numpy as np

import tg_eval
from solve_job import solve
from tracegrad_run import Checks, run

checks = Checks()
N = 6
RANKS = (1, 3)


def definite(seed, low, high):
    random = np.random.default_rng(seed)
    q = np.linalg.qr(random.standard_normal((N, N)))[0]
    s = q @ np.diag(np.linspace(low, high, N)) @ q.T
    return (s + s.T) / 2


C = definite(1, 0.3, 4)
B = np.random.default_rng(2).standard_normal((N, N))

# The objective, the set of S, and the minimum where a formula gives it.
JOBS = {
    "tr(expm(S)) - tr(C*S)": ("start: zeros", lambda: tg_eval.FUNCTIONS["logm"](C)),
    "tr(S) - tr(C*logm(S))": ("", lambda: None),
    "sumsq(sqrtm(S) - C)": ("", lambda: C @ C),
    "sumsq(logm(S) - C) + 0.01*sumsq(S)": ("", lambda: None),
    "tr(S*C) - tr(B*sqrtm(S)*B')": ("", lambda: None),
    "sumsq(expm(0.3*S)*B - B*B) + 0.1*sumsq(S)": ("start: zeros", lambda: None),
}


def gradient(objective, values):
    x = values["S"]
    out = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        out[index] = tg_eval.evaluate(objective, dict(values, S=moved), {})[0, 0].imag / 1e-30
    return (out + out.T) / 2


def test_jobs(folder):
    for k, (objective, (start, closed)) in enumerate(JOBS.items()):
        variable = {"rows": N, "columns": N, **({"start": "zeros"} if start else {})}
        job = {"minimize": objective, "variables": {"S": variable}, "data": {"C": {"spd": True}},
               "solver": {"gradient_tolerance": 1e-9, "max_iterations": 3000}}
        arrays = {"C": C, "B": B}
        if "C" not in objective:
            del job["data"]
        ranks_here = RANKS if k < 1 else RANKS[1:]
        found = {}
        for ranks in ranks_here:
            solved = solve(job, {key: arrays[key] for key in arrays if key in objective}, folder / f"{k}-{ranks}", ranks=ranks)
            if checks.equal(f"{objective} on {ranks} ranks: exit status {solved.err[-300:]}", solved.status, 0):
                found[ranks] = solved
        if len(found) < len(ranks_here):
            continue
        s = found[3].values["S"]
        value = found[3].report["objective"]
        expected = float(tg_eval.evaluate(objective, {"S": s, "C": C, "B": B}, {})[0, 0])
        for other in (found[ranks_here[0]].report["objective"], expected):
            checks.check(abs(value - other) <= 1e-9 * max(1, abs(value)), f"{objective}: {value} and {other}")
        values = {"S": s, "C": C, "B": B}
        size = np.abs(gradient(objective, values)).max()
        checks.check(size < 1e-5, f"{objective}: the gradient at the result is {size}")
        if closed() is not None:
            checks.check(np.abs(s - closed()).max() < 1e-5, f"{objective}: the minimum is off by {np.abs(s - closed()).max()}")
        if k > 0:
            continue
        finished = run(["check", folder / f"{k}-3" / "job.yaml"], ranks=1)
        checks.equal(f"{objective}: check {finished.out[-400:]} {finished.err[-400:]}", finished.status, 0)


def test_newton(folder):
    """The Hessian action in a solver that needs it to be right."""
    job = {"minimize": "tr(expm(S)) - tr(C*S)", "variables": {"S": {"rows": N, "columns": N, "start": "zeros"}},
           "data": {"C": {"spd": True}}, "solver": {"method": "newton-cg", "gradient_tolerance": 1e-9}}
    solved = solve(job, {"C": C}, folder / "newton", ranks=2)
    checks.equal(f"newton-cg: exit status {solved.err[-300:]}", solved.status, 0)
    checks.check(solved.report["iterations"] <= 15, f"newton-cg takes {solved.report['iterations']} iterations")


def test_third_derivatives(folder):
    """Without a formula for the Hessian action methods by gradients run, with a warning; what needs it is refused."""
    objective = "sumsq(dexpm(S, C) - 3*C) + 0.1*sumsq(S)"
    job = {"minimize": objective, "variables": {"S": {"rows": N, "columns": N, "start": "zeros"}},
           "data": {"C": {"spd": True}}, "solver": {"gradient_tolerance": 1e-9}}
    for ranks in (1, 3):
        solved = solve(job, {"C": C}, folder / f"third-{ranks}", ranks=ranks)
        if checks.equal(f"{objective}: exit status {solved.err[-300:]}", solved.status, 0):
            checks.check(solved.err.count("the third derivative of expm is not in the language: the objective has no Hessian "
                                          "action") == 1, solved.err)
            size = np.abs(gradient(objective, {"S": solved.values["S"], "C": C})).max()
            checks.check(size < 1e-5, f"{objective}: the gradient at the result is {size}")
    job["solver"]["method"] = "newton-cg"
    solved = solve(job, {"C": C}, folder / "third-newton")
    checks.equal("newton-cg without a Hessian action", solved.status, 2)
    checks.check("needs the Hessian action, which this objective does not offer" in solved.err, solved.err)


def test_refusals(folder):
    skew = C + np.triu(B, 1)
    job = {"minimize": "sumsq(X - expm(C))", "variables": {"X": {"rows": N, "columns": N}}}
    solved = solve(job, {"C": C}, folder / "undeclared")
    checks.equal("a datum that is not declared symmetric", solved.status, 2)
    checks.check("give C the property symmetric: true" in solved.err, solved.err)
    solved = solve({**job, "data": {"C": {"symmetric": True, "trust": True}}}, {"C": skew}, folder / "skew", ranks=3)
    checks.equal("a datum that is trusted and not symmetric", solved.status, 1)
    checks.check("is not symmetric" in solved.err and "mirror images" in solved.err, solved.err)
    solved = solve({**job, "minimize": "sumsq(X - logm(C))", "data": {"C": {"symmetric": True}}}, {"C": C - np.eye(N)},
                   folder / "indefinite", ranks=3)
    checks.equal("the logarithm of an indefinite matrix", solved.status, 1)
    checks.check("not positive definite: its smallest eigenvalue is -0.7" in solved.err, solved.err)


DERIVED = [  # arguments, what the line of expr is
    (["tr(expm(X))", "--wrt", "X", "--symmetric", "X"], "expm(X)'"),
    (["tr(logm(X))", "--wrt", "X", "--spd", "X"], "inv(X)'"),
    (["tr(sqrtm(X))", "--wrt", "X", "--spd", "X"], "0.5*inv(sqrtm(X))'"),
    (["logdet(expm(A + t*B))", "--wrt", "t", "--symmetric", "A,B"], "tr(B)"),
    (["tr(C*logm(X))", "--wrt", "X", "--spd", "X", "--symmetric", "C"], "dlogm(X, C)'"),
    (["sumsq(sqrtm(X*X'))", "--wrt", "X"], "2*X"),
    (["tr(S*logm(S)) - tr(S)", "--wrt", "S", "--spd", "S"], "logm(S)'"),
    (["tr(A*dexpm(S, S))", "--wrt", "A", "--symmetric", "S"], "expm(S)*S"),
    (["tr(A*dsqrtm(S, S^2))", "--wrt", "A", "--spd", "S"], "0.5*sqrtm(S)*S"),
    (["tr(A*d2logm(S, S, B))", "--wrt", "A", "--symmetric", "B", "--spd", "S"], "-dlogm(S, B)"),
    (["t*dot(logm(S), 2*eye(3))", "--wrt", "t", "--symmetric", "S", "--dims", "S=3x3,t=1"], "2*logdet(S)"),  # tr(X') = tr(X)
    (["tr(B*expm(logm(X)))", "--wrt", "X", "--spd", "X"], "B'"),
]
REFUSED = [  # arguments, a piece of the message
    (["tr(expm(X))", "--wrt", "X"], "declare it by --symmetric X"),
    (["tr(rho*logm(rho))", "--wrt", "rho"], "declare it by --symmetric rho"),
    (["tr(B*sqrtm(A + B))", "--wrt", "A"], "declare it by --symmetric B,A"),
    (["tr(logm(A*B))", "--wrt", "A", "--symmetric", "A,B"], "which is none whatever its names are"),
    (["sum(expm(X*v))", "--wrt", "X", "--dims", "X=3x4,v=4"], "expm"),
    (["dexpm(X, A)", "--wrt", "X", "--symmetric", "X"], "its action along W has: d2expm(S, V, W)"),
    (["eigvalues(X)", "--wrt", "X"], "declare it by --symmetric X"),
    (["sum(eigvalues(X).^2)", "--wrt", "X", "--symmetric", "X"], "eigvalues has no derivative"),
    (["sum(divided_exp(A, X))", "--wrt", "X"], "divided_exp has no derivative"),
    (["divided_exp(A, B)", "--wrt", "A", "--dims", "A=2x3,B=3x2"], "equal shapes"),
    (["tr(d2expm(X, A, B))", "--wrt", "X", "--symmetric", "X"], "the third derivative of expm"),
    (["scipy.linalg.expm_frechet(X, V)", "--wrt", "V", "--symmetric", "X"], "compute_expm=False"),
]


def test_derive():
    for arguments, expected in DERIVED:
        finished = run(["derive", *arguments, "--format", "expr"])
        checks.equal(f"derive {arguments}", finished.out.strip(), expected)
    for arguments, expected in REFUSED:
        finished = run(["derive", *arguments])
        checks.equal(f"derive {arguments}: exit status", finished.status, 2)
        checks.check(expected in finished.err, f"derive {arguments}: {finished.err}")
    for fmt in ("human", "expr", "latex", "numpy", "octave"):  # what each prints is read back
        text = run(["derive", "tr(A*expm(X))", "--wrt", "X", "--symmetric", "X", "--format", fmt]).out
        if fmt == "human":
            continue
        again = run(["derive", f"sum({text.strip()})", "--wrt", "A", "--symmetric", "X", "--dims", "A=3x3,X=3x3", "--format", "expr"])
        checks.equal(f"{fmt} reads back: {again.err}", again.status, 0)


JACOBIANS = ("expm(X)", "A*expm(X)*B", "logm(X)*A", "expm(2*X + X*X)", "sqrtm(X)", "logm(X)^2", "expm(X)'.*A", "dexpm(C, X)", "dlogm(C, A*X)",
             "inv(expm(X))", "dsqrtm(C, X)", "expm(-X)*logm(X)", "d2expm(C, A, X)")


def test_jacobians():
    """Against complex steps in each entry, at matrices with eigenvalues apart and with equal ones; every format reads back."""
    n = 3
    random = np.random.default_rng(5)
    q = np.linalg.qr(random.standard_normal((n, n)))[0]
    arrays = {name: random.standard_normal((n, n)) for name in "AB"}
    arrays["C"] = q @ np.diag([0.4, 1.1, 1.1 + 1e-9]) @ q.T
    arrays["C"] = (arrays["C"] + arrays["C"].T) / 2
    for text in JACOBIANS:
        refused = "d2" in text
        used = [name for name in "ABC" if name in text] + ["X"]
        options = ["--wrt", "X", "--spd", "C,X" if "C" in used else "X", "--dims", ",".join(f"{name}={n}x{n}" for name in used)]
        if "d" == text[0] and "C, X" in text:
            options[3] = "C"
        found = run(["derive", text, *options, "--format", "expr"])
        checks.equal(f"{text}: exit status {found.err}", found.status, 2 if refused else 0)
        if refused or found.status != 0:
            continue
        for spread in ([0.3, 1.0, 2.5], [0.7, 0.7, 0.7], [0.2, 1.3, 1.3 + 1e-7]):
            x = q.T @ np.diag(spread) @ q
            values = dict(arrays, X=(x + x.T) / 2)
            expected = []
            for column in range(n * n):
                moved = values["X"].astype(complex)
                moved[column % n, column // n] += 1e-30j
                expected.append(tg_eval.evaluate(text, dict(values, X=moved), {}).imag.flatten("F") / 1e-30)
            expected = np.array(expected).T
            error = np.abs(tg_eval.evaluate(found.out.strip(), values, {}) - expected).max()
            checks.check(error <= 1e-7 * np.abs(expected).max(), f"Jacobian of {text} at {spread}: off by {error}: {found.out}")
        for style in ("expr", "human", "latex", "numpy", "octave"):
            printed = run(["derive", text, *options, "--format", style]).out
            if style == "human":
                lines = [line.split("    (")[0].strip() for line in printed.split("d vec(F)/d vec(X)' = ", 1)[1].split("\n\n")[0].split("\n")]
                printed = " ".join(lines)
            again = run(["derive", text, *options, "--claim", printed.strip()])
            checks.check(again.out.startswith("equal"), f"{text}: {style} {printed.strip()!r}: {again.out}{again.err}")
    for claim, word in (("kron(expm(X), eye(3))", "different"), ("kron(eigvectors(X), eigvectors(X))", "different")):
        again = run(["derive", "expm(X)", "--wrt", "X", "--symmetric", "X", "--dims", "X=3x3", "--claim", claim])
        checks.check(again.out.startswith(word), f"the claim {claim}: {again.out}{again.err}")


def test_eigenvectors_in_jobs(folder):
    """Of data they are matrices of setup: min |X - Q'CQ|, with the eigenvalues as weights."""
    job = {"minimize": "sumsq(X - eigvectors(C)'*C*eigvectors(C)) + sum(eigvalues(C).*diagvec(X))",
           "variables": {"X": {"rows": N, "columns": N}}, "data": {"C": {"symmetric": True}},
           "solver": {"gradient_tolerance": 1e-10}}
    for ranks in RANKS:
        solved = solve(job, {"C": C}, folder / f"eigen-{ranks}", ranks=ranks)
        if checks.equal(f"eigenvectors of data: exit status {solved.err[-300:]}", solved.status, 0):
            error = np.abs(solved.values["X"] - np.diag(np.linalg.eigvalsh(C)) / 2).max()
            checks.check(error < 1e-8, f"eigenvectors of data on {ranks} ranks: off by {error}")


def main():
    with tempfile.TemporaryDirectory() as name:
        test_derive()
        test_jacobians()
        test_eigenvectors_in_jobs(pathlib.Path(name))
        test_jobs(pathlib.Path(name))
        test_newton(pathlib.Path(name))
        test_third_derivatives(pathlib.Path(name))
        test_refusals(pathlib.Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
