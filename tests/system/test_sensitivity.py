"""Derivatives of a minimum by numbers of its job: against differences of runs, on several numbers of ranks, and refused.

A difference of four runs, of fourth order, knows nothing of the Newton equation.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import ROOT, Checks, run, run_job

CONFIGS = ROOT / "configs"
checks = Checks()
rng = np.random.default_rng(17)
N, P = 7, 3
MATRICES = {
    "S": rng.standard_normal((N, N)),
    "B": rng.standard_normal((N, N)),
    "A": rng.standard_normal((N, P)),
    "D": np.diag([3.0, 2.0, 1.0]),
}
MATRICES["S"] += MATRICES["S"].T
MATRICES["B"] += MATRICES["B"].T

MATRICES["G"] = MATRICES["S"] @ MATRICES["S"] + np.eye(N)
CONSTRAINED = {"solver.constraint_tolerance": "1e-11"}

# name: (objective, variables, t, settings)
JOBS = {
    "scaled": ("minimize: sumsq(A*X - S) + t*sumsq(X) + exp(t)", "X: {rows: 3, columns: 7}", 0.5, {}),
    "box": ("minimize: sumsq(A*X - S) + t*sumsq(X) + sum(t*X)", "X: {rows: 3, columns: 7, constraint: {box: [-0.2, 0.3]}}", 0.5, {}),
    "symmetric": ("minimize: sumsq(X*A - A*D) + t*sumsq(X) + t^2*dot(B, X)", "X: {rows: 7, columns: 7, constraint: symmetric}", 0.3, {}),
    "orthonormal": ("maximize: tr(X'*(S + t*B)*X*D)", "X: {rows: 7, columns: 3, seed: 2, constraint: orthonormal_columns}", 0.1, {}),
    "unit": ("minimize: tr(X'*(S + t*B)*X) - 2*dot(A, X)", "X: {rows: 7, columns: 3, seed: 2, constraint: unit_columns}", 0.1, {}),
    "simplex-rows": ("minimize: sumsq(A*X - S) + t*sumsq(X) + t^2*sum(X)", "X: {rows: 3, columns: 7, constraint: simplex_rows}", 0.5, {}),
    "simplex-columns": ("minimize: sumsq(X*A' - S) + t*sumsq(X) + t*dot(A, X)", "X: {rows: 7, columns: 3, constraint: {simplex_columns: 2}}", 0.5, {}),
    "ball": ("minimize: sumsq(A*X - S) + t*sumsq(X) + t^2*sum(X)", "X: {rows: 3, columns: 7, constraint: {frobenius_ball: 0.8}}", 0.5, {}),
    "inside-ball": ("minimize: sumsq(A*X - S) + t*sumsq(X)", "X: {rows: 3, columns: 7, constraint: {frobenius_ball: 50}}", 0.5, {}),
    "stochastic": ("minimize: sumsq(S*X - B) + t*sumsq(X) + t^2*dot(B, X)", "X: {rows: 7, columns: 7, constraint: doubly_stochastic}", 0.5, {}),
    "semidefinite": ("minimize: sumsq(X - S) + t*sumsq(X*A) + t^2*dot(B, X)", "X: {rows: 7, columns: 7, constraint: positive_semidefinite}", 0.3, {}),
    "several": ("minimize: sumsq(S - X*Z') + t*sumsq(X) + 2*t^2*sumsq(Z) + dot(A, X) + sumsq(Z - A)",
                "X: {rows: 7, columns: 3, start: normal, constraint: {frobenius_ball: 1}}\n  Z: {rows: 7, columns: 3, start: normal, seed: 4, constraint: nonnegative}", 0.5, {}),
    "metric": ("maximize: tr(X'*(S + t*B)*X*D)", "X: {rows: 7, columns: 3, seed: 2, constraint: {orthonormal_columns: {metric: G}}}", 0.1, {}),
    "equality": ("minimize: sumsq(A*X - S) + t*sumsq(X)\nsubject_to: [\"X*ones(7, 1) = t*ones(3, 1)\"]", "X: {rows: 3, columns: 7}", 0.5, CONSTRAINED),
    "curved": ("minimize: sumsq(A*X - S) + t*dot(X, A')\nsubject_to: [\"sumsq(X) = 1 + t\"]", "X: {rows: 3, columns: 7}", 0.5, CONSTRAINED),
    "inequality": ("minimize: sumsq(A*X - S) + t*sumsq(X)\nsubject_to: [\"X <= t/4*ones(3, 7)\", \"sum(X) <= 0.3\"]", "X: {rows: 3, columns: 7}", 0.5, CONSTRAINED),
    "bounded": ("minimize: sumsq(A*X - S) + t*sumsq(X)\nsubject_to: [\"sum(X) = t\"]", "X: {rows: 3, columns: 7, constraint: nonnegative}", 0.5, CONSTRAINED),
    "two": ("minimize: sumsq(S - X*Z') + t*sumsq(X) + t^2*sumsq(Z) + dot(A, X) + sumsq(Z - A)",
            "X: {rows: 7, columns: 3, start: normal}\n  Z: {rows: 7, columns: 3, start: normal, seed: 4}", 0.5, {}),
}
# job of configs/: (number, value, step, settings)
GALLERY = {
    "ridge-digits": [("lambda", 0.1, 1e-2, {}), ("mu", 1.0, 1e-2, {"solver.method": "conjugate-gradient"})],
    "logistic-digits": [("mu", 0.1, 1e-2, {})],
    "nonnegative-digits": [("mu", 1000.0, 1e-3, {})],
    "precision-digits": [("rho", 5.0, 1e-2, {})],
    "nearly-orthogonal": [("rho", 1.0, 1e-2, {})],
    "poisson": [("h", 1 / 41, 1e-2, {})],
    "balanced-digits": [("mu", 1000.0, 1e-2, {"solver.constraint_tolerance": "1e-11"})],
    "sensitivity-digits": [("mu", 1.0, 1e-2, {}), ("lambda", 0.1, 1e-2, {})],
    "quadratic-generated": [("t", 0.5, 1e-2, {"minimize": "tr(A*X*B*X') - 2*tr(C'*X) + t*sumsq(X)", "data.t": "0.5"})],
    "precision-factor-digits": [("rho", 5.0, 1e-2, {"minimize": "tr((S + rho*eye(64))*F*F') - logdet(F*F') + 10*sumsq(F - eye(64))"})],
    "pca-orthonormal-digits": [("t", 0.5, 1e-2, {"minimize": "", "maximize": "tr(V'*S*V*diag([5; 4; 3; 2; 1])) + t*sum(V)", "data.t": "0.5"})],
    "qap-relaxation-nug12": [("t", 2000.0, 1e-2, {"minimize": "tr(F*X*D*X') + t*sumsq(X) + t*sum(F.*X)/1000", "data.t": "2000", "solver.method": "auto"})],
}


def write(folder, name, text, variables, value, more=""):
    for key, matrix in MATRICES.items():
        np.save(folder / f"{key}.npy", matrix)
    head = text.split(":", 1)[1].replace("dot", "").replace("exp", "")
    data = "".join(f"  {key}: {{file: {key}.npy{', symmetric: true' if key in 'SB' else ', spd: true, symmetric: true' if key == 'G' else ''}}}\n"
                   for key in MATRICES if key in head or (key == "G" and "metric: G" in variables))
    job = folder / f"{name}.yaml"
    job.write_text(f"{text}\nvariables:\n  {variables}\ndata:\n{data}  t: {value}\n{more}")
    return job


def differentiate(folder, job, number, value, step, settings, ranks=1):
    """Compares the derivatives of one run with those of four."""
    settings = {"solver.gradient_tolerance": "1e-12", **settings}
    base = run_job(job, folder / "base", ranks=ranks, settings={**settings, "sensitivity": f"[{number}]"})
    what = f"{job.stem} by {number} on {ranks}"
    if not checks.equal(f"{what}: exit status {base.err[-300:]}", base.status, 0):
        return
    found = base.report["sensitivity"]
    if not checks.check("refused" not in found, f"{what}: {found.get('refused')}"):
        return
    row = found["numbers"][0]
    at = {}
    for k in (-2, -1, 1, 2):
        done = run_job(job, folder / "near", ranks=1, settings={**settings, f"data.{number}": repr(value * (1 + k * step))})
        at[k] = done.report["objective"], {name: np.load(folder / "near" / f"{name}.npy") for name in row["files"]}

    def difference(part):
        return (8 * (part(at[1]) - part(at[-1])) - (part(at[2]) - part(at[-2]))) / (12 * value * step)

    checks.close(f"{what}: objective", row["objective"], difference(lambda p: p[0]), 1e-6)
    checks.check(f"d/d{number}: objective" in base.out, f"{what}: {base.out}")
    for name, file in row["files"].items():
        expected = difference(lambda p: p[1][name])
        error = np.linalg.norm(np.load(folder / "base" / file) - expected) / np.linalg.norm(expected)
        checks.check(error <= 1e-6, f"{what}: d{name} is off by {error:.1e}")
        checks.check(file in base.report["files"], f"{what}: {file} is not among the files")


def test_gallery(folder):
    for name, cases in GALLERY.items():
        for number, value, step, settings in cases:
            differentiate(folder, CONFIGS / f"{name}.yaml", number, value, step, settings)


def test_sets(folder):
    for k, (name, (text, variables, value, settings)) in enumerate(JOBS.items()):
        job = write(folder, name, text, variables, value)
        differentiate(folder, job, "t", value, 1e-3, settings, ranks=(1, 2, 3, 4, 7)[k % 5])


def test_vanishing(folder):
    """X does not move with a factor of the objective, nor with a constant: what is left of the right side is rounding."""
    for text in ("t*sumsq(A*X - S)", "sumsq(A*X - S) + 7*t"):
        job = write(folder, "still", "minimize: " + text, "X: {rows: 3, columns: 7}", 0.5, "sensitivity: [t]\n")
        done = run_job(job, folder / "still", ranks=2)
        checks.check(np.abs(np.load(folder / "still" / "dX_dt.npy")).max() < 1e-12, f"{text}: {done.report['sensitivity']}")


def refused(folder, name, text, variables, value, *sentences, settings=None):
    """A run that ends well, with a sentence in the place of dX/dt and no file, also where an earlier run has left one."""
    job = write(folder, name, text, variables, value, "sensitivity: [t]\n")
    done = run_job(job, folder / name, ranks=2, settings=settings)
    found = (done.report or {}).get("sensitivity", {})
    for sentence in sentences:
        checks.check(sentence in found.get("refused", ""), f"{name}: {sentence!r} is not in {found} {done.err}")
        checks.check(sentence in done.out, f"{name}: {done.out}")
    checks.check(not (folder / name / "dX_dt.npy").exists(), f"{name}: a derivative is there")
    return done


def test_refused(folder):
    at_zero = ("minimize: sumsq(X - t*D)", "X: {rows: 3, columns: 3, constraint: nonnegative}")
    refused(folder, "degenerate", *at_zero, 0.0, "9 entries are at a bound", "there is no derivative")
    # A simplex whose vertex is left by one entry, to one side of t; a ball that is touched.
    refused(folder, "vertex", "minimize: sumsq(X - [1; 0; 0; 0; 0; 0; 0] - (t - 1)*[-1; 1; 0; 0; 0; 0; 0])",
            "X: {rows: 7, columns: 1, constraint: simplex_columns}", 1.0, "there is no derivative", settings={"solver.gradient_tolerance": "1e-12"})
    refused(folder, "touched", "minimize: sumsq(X - t*eye(3)/3^0.5)", "X: {rows: 3, columns: 3, constraint: {frobenius_ball: 1}}", 1.0, "there is no derivative",
            settings={"solver.gradient_tolerance": "1e-12"})
    # An inequality that is met with the multiplier zero, and equalities that say the same twice: these are no obstacle.
    refused(folder, "chance", "minimize: sumsq(X - t*eye(3))\nsubject_to: [\"sum(X) <= 3\"]", "X: {rows: 3, columns: 3}", 1.0, "there is no derivative",
            settings={"solver.gradient_tolerance": "1e-10"})
    job = write(folder, "twice", "minimize: sumsq(X - t*eye(3))\nsubject_to: [\"sum(X) = 1\", \"2*sum(X) = 2\"]", "X: {rows: 3, columns: 3}", 1.0, "sensitivity: [t]\n")
    done = run_job(job, folder / "twice", ranks=2, settings={"solver.gradient_tolerance": "1e-10"})
    checks.check(np.allclose(np.load(folder / "twice" / "dX_dt.npy"), np.eye(3) - 1 / 3, atol=1e-7), f"twice: {done.report['sensitivity']}")
    # What holds nine entries off the diagonal of D is not moved by t.
    job = write(folder, "held", *at_zero, 1.0, "sensitivity: [t]\n")
    done = run_job(job, folder / "degenerate", ranks=2)
    checks.check(np.allclose(np.load(folder / "degenerate" / "dX_dt.npy"), MATRICES["D"]), f"held: {done.report['sensitivity']}")
    # The file of a run before goes.
    refused(folder, "degenerate", *at_zero, 0.0, "there is no derivative")
    refused(folder, "flat", "minimize: sumsq(A'*X - D) + t*sum(A'*X)", "X: {rows: 7, columns: 3}", 0.5, "singular",
            settings={"solver.method": "l-bfgs"})
    refused(folder, "turned", "maximize: tr(X'*(S + t*B)*X)", "X: {rows: 7, columns: 3, seed: 2, constraint: orthonormal_columns}", 0.1,
            "singular", settings={"solver.method": "newton-cg"})
    done = refused(folder, "early", "minimize: sumsq(A*X - S) + t*sum(softplus(X))", "X: {rows: 3, columns: 7}", 0.5, "has not converged",
                   settings={"solver.max_iterations": "1"})
    checks.equal("early: d(objective)", done.report["sensitivity"]["numbers"][0]["objective"], None)


def test_bad(folder):
    free = "X: {rows: 3, columns: 7}"
    text = "minimize: sumsq(A*X - S) + t*sumsq(X)"
    job = write(folder, "bad", text, free, 0.5)
    for names, sentence in {
        "[]": "is empty",
        "t": "needs a list of names",
        "[s]": "'s' is no number of data, expected the name of a number of data",
        "[A]": "A is a matrix, expected the name of a number",
        "[X]": "'X' is a variable",
        "[t, data.t]": "t is named twice",
        "[solver.memory]": "is an option of the solver",
        "[variables.X.rows]": "is a size or a start",
    }.items():
        done = run(["plan", job, "--set", f"sensitivity={names}"])
        checks.check(done.status == 2 and sentence in done.err and f"sensitivity={names}:1:" in done.err, f"{names}: {done.err}")
    for text, variables, more, sentence in (
        (text, free, "subject_to: [\"sum(abs(X)) = 1\"]\n", "kinks"),
        (text + " + norm1(X)", free, "", "kinks"),
        ("minimize: sumsq(A*X - Z) + t*sumsq(X)", "X: {rows: 3, columns: 7, constraint: {frobenius_ball: 1}}\n  Z: {rows: 7, columns: 7, constraint: orthonormal_columns}", "",
         "not implemented for the constraint"),
        (text, "X: {rows: 3, columns: 7, constraint: {box: [-1, t]}}", "", "in the constraint of X"),
        ("minimize: sumsq(A*X - S)", free, "", "t does not occur in the objective"),
    ):
        job = write(folder, "bad", text, variables, 0.5, more + "sensitivity: [t]\n")
        for command in ("plan", "run"):
            done = run([command, job, "--output", folder / "bad"] if command == "run" else [command, job])
            checks.check(done.status == 2 and sentence in done.err, f"{command} {text} {variables} {more}: {done.err}")
    # The file of dX/dt is another variable's.
    job = write(folder, "clash", JOBS["two"][0], JOBS["two"][1], 0.5, "sensitivity: [t]\noutput: {variables: {Z: dX_dt.npy}}\n")
    done = run(["run", job, "--output", folder / "clash"])
    checks.check(done.status == 2 and "is already" in done.err, f"clash: {done.err}")


def main():
    with tempfile.TemporaryDirectory() as name:
        for test in (test_gallery, test_sets, test_vanishing, test_refused, test_bad):
            if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                test(Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
