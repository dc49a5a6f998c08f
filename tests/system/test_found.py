"""Properties that the numbers show: a job that does not say that its data are symmetric, diagonal or definite takes the way of
the one that does, and ends as it does.

Each row of the table is run with the words and without. With data that equal their transposes all that the two reports say of
the minimisation is equal to the last digit; with data that are symmetric up to rounding method and optimum are.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()
M, N = 14, 6

FREE = f"X: {{rows: {M}, columns: {N}}}"
SQUARE = f"X: {{rows: {M}, columns: {M}}}"
FRAME = f"X: {{rows: {M}, columns: 4, start: feasible, constraint: orthonormal_columns}}"
METRIC = f"X: {{rows: {M}, columns: 4, start: feasible, constraint: {{orthonormal_columns: {{metric: S}}}}}}"
FACTORS = f"U: {{rows: {M}, columns: 3, start: normal}}\n  V: {{rows: 3, columns: {M}, start: normal, seed: 2}}"
LINEAR = " - 2*tr(C'*X)"

# name: objective, variables, subject_to, the word that must stand in method_reason or in preconditioner
TABLE = {
    # closed forms
    "Cholesky, one side": ("tr(X'*S*X)" + LINEAR, FREE, "", "direct"),
    "Cholesky, both sides": ("tr(X'*S*X*T)" + LINEAR, FREE, "", "direct"),
    "Sylvester": ("tr(X'*S*X) + tr(X*T*X')" + LINEAR, FREE, "", "direct"),
    "Sylvester squared": ("sumsq(S*X + X*T - C)", FREE, "", "direct"),
    "powers": ("tr(X'*S*S*X) + tr(X'*S*X) + sumsq(X)" + LINEAR, FREE, "", "direct"),
    "pencils, a definite one second": ("0.01*tr(X'*K*X*L) + 40*tr(X'*S*X*T)" + LINEAR, FREE, "", "direct"),
    "inverse": ("tr(S*X) - logdet(X)", SQUARE, "", "direct"),
    "eigenvectors": ("tr(X'*K*X)", FRAME, "", "direct"),
    "Brockett": ("tr(X'*K*X*B)", FRAME, "", "direct"),
    "a metric of the set": ("tr(X'*K*X)", METRIC, "", "direct"),
    "rounds with a closed form": ("tr(X'*S*X)" + LINEAR, FREE, "sum(X) = 1", "augmented"),
    # preconditioners
    "kronecker": ("tr(X'*S*X*T) + tr(X'*K*K*X) + sumsq(G*X*T)" + LINEAR, FREE, "", "conjugate-gradient"),
    "kronecker of a loss": ("sum(softplus(G*X)) + 20*tr(X'*S*X)", FREE, "", "l-bfgs"),
    "X*G*X": ("tr(S*X) - logdet(X) + 0.1*sumsq(X)", SQUARE, "", "X*G*X"),
    "joined with logdet": ("tr(S*X) - logdet(X) + 300*tr(D*X*S*X)", SQUARE, "", "kronecker"),
    # what else hangs on symmetry
    "the domain": ("tr(T*X) - logdet(X + T)", f"X: {{rows: {N}, columns: {N}}}", "", ""),
    "factors": ("sumsq(S*U*V - K)", FACTORS, "", "alternating"),
    "diagonal data": ("sum(softplus(D*X)) + tr(X'*D*X)", FREE, "", ""),
}
WORDS = {"S": "spd", "T": "spd", "K": "symmetric", "L": "symmetric", "B": "symmetric", "D": "diagonal"}
EQUAL = ("status", "method", "preconditioner", "pairs", "groups", "line_search", "iterations", "evaluations", "products", "objective",
         "gradient_norm", "gradient_target", "saddles")


def definite(random, n, condition):
    basis = np.linalg.qr(random.standard_normal((n, n)))[0]
    return (basis * np.geomspace(1, 1 / condition, n)) @ basis.T


def symmetric(a):
    return (a + a.T) / 2


def write_data(folder):
    random = np.random.default_rng(7)
    rounded = {"S": definite(random, M, 30), "T": definite(random, N, 10)}
    exact = {name: symmetric(matrix) for name, matrix in rounded.items()}
    exact |= {"K": symmetric(random.standard_normal((M, M))), "L": symmetric(random.standard_normal((N, N))) / 9,
              "B": symmetric(random.standard_normal((4, 4))), "D": np.diag(random.uniform(1, 2, M))}
    rest = {"C": random.standard_normal((M, N)), "G": random.standard_normal((40, M))}
    for name, matrix in (exact | rest).items():
        np.save(folder / f"{name}.npy", matrix)
    for name, matrix in rounded.items():
        checks.check(not np.array_equal(matrix, matrix.T), f"{name}: no rounding to see")
        np.save(folder / f"rounded-{name}.npy", matrix)
        np.save(folder / f"skew-{name}.npy", matrix + 1e-9 * np.triu(matrix, 1))


def write_job(folder, name, row, words, prefix=""):
    objective, variables, relation, _ = TABLE[row]
    used = [datum for datum in list(WORDS) + ["C", "G"] if datum in objective + variables]
    lines = [f'minimize: "{objective}"', f"variables:\n  {variables}", f"subject_to: ['{relation}']" if relation else "", "data:"]
    for datum in used:
        word = f", {WORDS[datum]}: true" if words and datum in WORDS else ""
        changed = prefix if datum in ("S", "T") else ""
        lines.append(f"  {datum}: {{file: {folder}/{changed}{datum}.npy{word}}}")
    job = folder / f"{name}.yaml"
    job.write_text("\n".join(lines) + "\n")
    return job


def solve(folder, name, row, words, prefix="", ranks=0, settings=None):
    job = write_job(folder, name, row, words, prefix)
    finished = run_job(job, folder / name, ranks=ranks, settings=settings or {})
    if not checks.check(finished.report is not None, f"{row}, {name}: {finished.err[-400:]}"):
        return None
    return finished


def test_table(folder):
    for row, (_, _, _, word) in TABLE.items():
        said = solve(folder, "said", row, True)
        found = solve(folder, "found", row, False)
        if said is None or found is None:
            continue
        chosen = said.report["method_reason"] + "; " + said.report["preconditioner"]
        checks.check(word in chosen, f"{row}: {chosen}")
        checks.equal(f"{row}: ended", said.report["status"], "converged")
        for key in EQUAL:
            checks.equal(f"{row}: {key}", found.report[key], said.report[key])
        checks.check(found.report["found"] != {} and ": found in the numbers" in found.err, f"{row}: {found.report['found']}, {found.err}")


def test_rounding(folder):
    """Data that rounding keeps from being symmetric count as such; a difference that a product can see does not."""
    for row in ("Cholesky, both sides", "Sylvester", "inverse", "a metric of the set", "X*G*X"):
        said = solve(folder, "said", row, True)
        found = solve(folder, "rounded", row, False, "rounded-")
        if said is None or found is None:
            continue
        checks.equal(f"{row}, rounded: method", found.report["method"], said.report["method"])
        checks.equal(f"{row}, rounded: found", found.report["found"]["S"][:9], "symmetric")
        checks.close(f"{row}, rounded: objective", found.report["objective"], said.report["objective"], 1e-10)
    skew = solve(folder, "skew", "Cholesky, both sides", False, "skew-")
    checks.equal("skew: found", skew.report["found"], {})
    checks.check(skew.report["method"] != "direct", f"skew: {skew.report['method_reason']}")
    job = write_job(folder, "declared", "Cholesky, both sides", True, "skew-")
    declared = run(["run", job, "--output", folder / "declared"])
    checks.check(declared.status == 2 and "is declared symmetric" in declared.err, f"skew, declared: {declared.err}")


def test_units(folder):
    """Neither zeros nor other units of a row make a matrix symmetric: what stands against a zero is no rounding."""
    for name, matrix in (("units", [[1e20, 0], [1, 1]]), ("far", [[1e40, 0], [1, 0]]), ("sign", [[1, 2], [-2, 1]])):
        np.save(folder / "A.npy", np.array(matrix))
        job = folder / "units.yaml"
        job.write_text(f"minimize: \"sumsq(A*X - A')\"\nvariables: {{X: {{rows: 2, columns: 2}}}}\ndata: {{A: {{file: {folder}/A.npy}}}}\n")
        done = run_job(job, folder / name, ranks=0)
        checks.equal(f"{name}: found", done.report["found"], {})
    s = np.load(folder / "rounded-S.npy")
    scales = np.diag(10.0 ** np.linspace(-8, 8, M))
    np.save(folder / "A.npy", scales @ s @ scales)
    job.write_text(f"minimize: \"tr(X'*A*X) - sum(X)\"\nvariables: {{X: {{rows: {M}, columns: 2}}}}\ndata: {{A: {{file: {folder}/A.npy}}}}\n")
    checks.equal("rounding in other units: found", run_job(job, folder / "scaled", ranks=0).report["found"], {"A": "symmetric"})


def test_ranks(folder):
    for row in ("pencils, a definite one second", "kronecker of a loss", "the domain"):
        alone = solve(folder, "one", row, False, "rounded-")
        for ranks in (2, 3):
            together = solve(folder, f"on {ranks}", row, False, "rounded-", ranks)
            for key in ("found", "method", "status"):
                checks.equal(f"{row}, {ranks} ranks: {key}", together.report[key], alone.report[key])
            checks.close(f"{row}, {ranks} ranks: objective", together.report["objective"], alone.report["objective"], 1e-10)


def test_wishes(folder):
    """A wish that needs symmetric data is granted where the numbers are; else it is refused as before."""
    row = "Cholesky, both sides"
    for settings in ({"solver.method": "direct"}, {"solver.method": "conjugate-gradient", "solver.preconditioner": "kronecker"}):
        said = solve(folder, "said", row, True, settings=settings)
        found = solve(folder, "found", row, False, settings=settings)
        for name in EQUAL:
            checks.equal(f"{settings}: {name}", found.report[name], said.report[name])
        sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        planned = run(["plan", write_job(folder, "plan", row, False), *sets])
        checks.check("supposed to be symmetric, which run demands" in planned.out, f"plan, {settings}: {planned.out[:300]}{planned.err}")
    job = write_job(folder, "skewed", "Cholesky, both sides", False, "skew-")
    for ranks in (0, 2):
        done = run(["run", job, "--output", folder / "skewed", "--set", "solver.method=direct"], ranks=ranks)
        checks.check(done.status == 2 and "the factor S is not known to be symmetric" in done.err, f"skew, direct: {done.err}")
    forbidden = run(["run", job, "--set", "solver.method=direct", "--set", "data.S.symmetric=false"])
    checks.check(forbidden.status == 2 and "not known to be symmetric" in forbidden.err, f"symmetric: false, direct: {forbidden.err}")


def test_refused(folder):
    """What the job forbids is not looked at; what would make it an error is not taken."""
    kept = solve(folder, "kept", "Cholesky, both sides", False, settings={"data.S.symmetric": "false", "data.T.symmetric": "false"})
    checks.equal("symmetric: false", (kept.report["found"], kept.report["method"]), ({}, "conjugate-gradient"))
    job = write_job(folder, "restarts", "Cholesky, both sides", False)
    job.write_text(job.read_text().replace(f"columns: {N}", f"columns: {N}, start: normal"))
    again = run_job(job, folder / "restarts", ranks=0, settings={"solver.restarts": 2})
    checks.equal("restarts go on without the closed form", (again.status, again.report["found"]), (0, {}))
    planned = run(["plan", write_job(folder, "plan", "Sylvester", False)])
    checks.check("data S, T: run looks whether" in planned.out, f"plan: {planned.out[:600]}")
    checked = run(["check", write_job(folder, "check", "Sylvester", False)])
    checks.check("S.npy, symmetric (found)" in checked.out, f"check: {checked.out[:600]}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-found-") as temporary:
        folder = Path(temporary)
        write_data(folder)
        test_table(folder)
        test_rounding(folder)
        test_units(folder)
        test_ranks(folder)
        test_wishes(folder)
        test_refused(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
