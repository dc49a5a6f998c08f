"""Standard errors and determinants of the Hessian at a minimum: against NumPy, on several numbers of ranks, and refused."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()
rng = np.random.default_rng(5)
M, N, P = 23, 7, 4
A = rng.standard_normal((M, N))
Y = rng.standard_normal((M, P))
B = rng.standard_normal((P, P))
S = np.cov(rng.standard_normal((N, 5 * N)))
WIDE = rng.standard_normal((3, N))
DATA = {"A": A, "Y": Y, "L": B @ B.T + np.eye(P), "K": A.T @ A + np.eye(N), "S": S, "V": WIDE, "C": rng.standard_normal((N, P)),
        "T": (Y > 0).astype(float), "G": rng.standard_normal((9, 9))}
SYMMETRIC = {"L": "spd: true", "K": "spd: true", "S": "spd: true"}


def kron(left, right):
    """Of V -> left V right by columns."""
    return np.kron(right.T, left)


def symmetric_basis(n):
    """Orthonormal, of the symmetric n x n matrices, as columns."""
    columns = []
    for j in range(n):
        for i in range(j, n):
            e = np.zeros((n, n))
            e[i, j] = e[j, i] = 1 if i == j else np.sqrt(0.5)
            columns.append(e.ravel(order="F"))
    return np.array(columns).T


def logistic_hessian(w):
    p = 1 / (1 + np.exp(-A @ w))
    h = np.zeros((N * P, N * P))
    for j in range(P):
        h[j * N:(j + 1) * N, j * N:(j + 1) * N] = A.T @ np.diag(p[:, j] * (1 - p[:, j])) @ A
    return h + 0.6 * np.eye(N * P)


EYE, EYE_P = np.eye(N), np.eye(P)
FREE = "X: {rows: 7, columns: 4}"
# name: (objective, variable, how, the Hessian at the solutions, basis of its space or None, settings)
JOBS = {
    "least squares": ("sumsq(Y - A*X)", FREE, "closed form", lambda x: 2 * kron(A.T @ A, EYE_P), None, {}),
    "scaled": ("3*tr(X'*K*X*L) - tr(C'*X)", FREE, "closed form", lambda x: 6 * kron(DATA["K"], DATA["L"]), None, {}),
    "spectral": ("sumsq(Y - A*X) + 0.3*tr(X*L*X') + 0.1*sumsq(X)", FREE, "closed form",
                 lambda x: 2 * (kron(A.T @ A, EYE_P) + 0.3 * kron(EYE, DATA["L"]) + 0.1 * np.eye(N * P)), None, {}),
    "pencil": ("tr(X'*K*X) + tr(X'*S*X*L)", FREE, "closed form", lambda x: 2 * (kron(DATA["K"], EYE_P) + kron(S, DATA["L"])), None, {}),
    "wide": ("sumsq(V*X) + 0.3*sumsq(X) - tr(C'*X)", FREE, "closed form", lambda x: 2 * kron(WIDE.T @ WIDE + 0.3 * EYE, EYE_P), None, {}),
    "gaussian": ("tr(S*X) - logdet(X)", "X: {rows: 7, columns: 7}", "closed form",
                 lambda x: kron(np.linalg.inv(x), np.linalg.inv(x)), symmetric_basis(N), {}),
    "gaussian with a ridge": ("tr(S*X) - 2*logdet(X) + 0.2*sumsq(X)", "X: {rows: 7, columns: 7}", "inverse",
                              lambda x: 2 * kron(np.linalg.inv(x), np.linalg.inv(x)) + 0.4 * np.eye(N * N), symmetric_basis(N), {}),
    "symmetric": ("sumsq(X*V' - X'*V') + sumsq(A*X - A)", "X: {rows: 7, columns: 7, constraint: symmetric}", "inverse",
                  lambda x: 2 * kron(A.T @ A, EYE), symmetric_basis(N), {}),
    "logistic": ("sum(softplus(A*X)) - sum(T .* (A*X)) + 0.3*sumsq(X)", FREE, "inverse", logistic_hessian, None, {"solver.gradient_tolerance": "1e-10"}),
}


def write(folder, name, objective, variables, more="", sense="minimize"):
    data = "".join(f"  {key}: {{file: {key}.npy{', ' + SYMMETRIC[key] if key in SYMMETRIC else ''}}}\n"
                   for key in DATA if key in objective)
    for key, matrix in DATA.items():
        np.save(folder / f"{key}.npy", matrix)
    job = folder / f"{name.replace(' ', '-')}.yaml"
    job.write_text(f"{sense}: {objective}\nvariables:\n  {variables}\ndata:\n{data}{more}")
    return job


def expected(hessian, basis):
    if basis is None:
        basis = np.eye(len(hessian))
    inner = basis.T @ hessian @ basis
    inverse = basis @ np.linalg.inv(inner) @ basis.T
    return np.sqrt(np.diag(inverse)), np.linalg.slogdet(inner)[1]


def test_exact(folder):
    for k, (name, (objective, variable, how, hessian, basis, settings)) in enumerate(JOBS.items()):
        job = write(folder, name, objective, variable, "covariance: diagonal\n")
        ranks = (1, 2, 3, 4, 7)[k % 5]
        done = run_job(job, folder / "out", ranks=ranks, settings=settings)
        what = f"{name} on {ranks}"
        if not checks.equal(f"{what}: exit status {done.err[-400:]}", done.status, 0):
            continue
        found = done.report["covariance"]
        if not checks.check("refused" not in found, f"{what}: {found}"):
            continue
        x = np.load(folder / "out" / "X.npy")
        errors, logdet = expected(hessian(x), basis)
        mine = np.load(folder / "out" / found["files"]["X"])
        checks.equal(f"{what}: way", found["by"], how)
        checks.check(np.allclose(mine.ravel(order="F"), errors, rtol=1e-7, atol=0), f"{what}: {mine.ravel(order='F')[:5]} {errors[:5]}")
        checks.close(f"{what}: log-determinant", found["log_determinant"], logdet, 1e-8)
        checks.equal(f"{what}: error", found["log_determinant_error"], 0)
        checks.check("X.stderr.npy" in done.report["files"] and "covariance: by" in done.out, f"{what}: {done.out}")


def test_maximize(folder):
    """The inverse is that of -f."""
    job = write(folder, "most", "-1*sumsq(Y - A*X)", FREE, "covariance: diagonal\n", "maximize")
    run_job(job, folder / "most", ranks=2)
    errors, _ = expected(2 * kron(A.T @ A, EYE_P), None)
    checks.check(np.allclose(np.load(folder / "most" / "X.stderr.npy").ravel(order="F"), errors), "maximize")


def test_probes(folder):
    """More unknowns than are inverted: estimates within their error bars, the same for the same seed on any number of ranks."""
    n, p = 60, 40
    big = rng.standard_normal((90, n))
    weights = rng.uniform(0.5, 2, (90, p))
    np.save(folder / "big.npy", big)
    np.save(folder / "weights.npy", weights)
    job = folder / "probes.yaml"
    job.write_text("minimize: sum(weights .* (big*X).^2) + 20*sumsq(X) - sum(X)\nvariables: {X: {rows: 60, columns: 40}}\n"
                   "data: {big: {file: big.npy}, weights: {file: weights.npy}}\ncovariance: diagonal\ncovariance_probes: 60\ncovariance_seed: 3\n")
    hessians = [2 * big.T @ np.diag(weights[:, j]) @ big + 40 * np.eye(n) for j in range(p)]
    errors = np.array([np.sqrt(np.diag(np.linalg.inv(h))) for h in hessians]).T
    logdet = sum(np.linalg.slogdet(h)[1] for h in hessians)
    kept = None
    for ranks in (1, 3, 7):
        done = run_job(job, folder / "probes", ranks=ranks, settings={"solver.gradient_tolerance": "1e-9"})
        found = done.report["covariance"]
        if not checks.check("refused" not in found, f"probes on {ranks}: {found}"):
            return
        checks.equal("probes: way", found["by"], "probes")
        mine = np.load(folder / "probes" / "X.stderr.npy")
        bars = np.load(folder / "probes" / "X.stderr.error.npy")
        off = np.abs(mine - errors) / bars
        checks.check(np.mean(off < 2) > 0.9 and np.mean(off) > 0.5, f"probes on {ranks}: {np.mean(off < 2)} within two bars, mean {np.mean(off)}")
        checks.check(abs(found["log_determinant"] - logdet) < 4 * found["log_determinant_error"], f"probes on {ranks}: {found} {logdet}")
        checks.check(0 < found["relative_error"] < 0.2 and found["undetermined"] == 0, f"probes on {ranks}: {found}")
        if kept is not None:
            checks.check(np.allclose(mine, kept, rtol=1e-6), f"probes on {ranks}: other numbers than on one rank")
        kept = mine
    done = run_job(job, folder / "other", ranks=1, settings={"solver.gradient_tolerance": "1e-9", "covariance_seed": 4})
    checks.check(not np.allclose(np.load(folder / "other" / "X.stderr.npy"), kept, rtol=1e-6), "another seed draws other vectors")


def test_refused(folder):
    for name, objective, variable, settings, sentence in (
        ("flat", "sumsq(V*X)", FREE, {}, "singular"),
        ("flat by l-bfgs", "sumsq(V*X - V*C)", FREE, {"solver.method": "l-bfgs"}, "singular"),
        ("early", "sum(softplus(A*X)) - sum(T .* (A*X)) + 0.3*sumsq(X)", FREE, {"solver.max_iterations": 1}, "has not converged"),
    ):
        job = write(folder, name, objective, variable, "covariance: diagonal\n")
        done = run_job(job, folder / "refused", ranks=2, settings=settings)
        found = (done.report or {}).get("covariance", {})
        checks.check(sentence in found.get("refused", "") and sentence in done.out, f"{name}: {found} {done.err}")
        checks.check(not (folder / "refused" / "X.stderr.npy").exists(), f"{name}: a file is there")


def test_bad(folder):
    for objective, variable, more, sentence in (
        ("sumsq(Y - A*X)", FREE, "covariance: whole\n", "covariance is diagonal, found 'whole'"),
        ("sumsq(Y - A*X)", FREE, "covariance_probes: 5\n", "covariance_probes belongs to covariance"),
        ("sumsq(Y - A*X)", FREE, "covariance: diagonal\ncovariance_probes: 1\n", "covariance_probes"),
        ("sumsq(Y - A*X)", FREE, "covariance: diagonal\nsubject_to: sum(X) = 1\n", "subject_to"),
        ("sumsq(Y - A*X)", "X: {rows: 7, columns: 4, constraint: nonnegative}", "covariance: diagonal\n", "X has the constraint nonnegative"),
        ("sumsq(Y - A*X) + norm1(X)", FREE, "covariance: diagonal\n", "kinks"),
    ):
        job = write(folder, "bad", objective, variable, more)
        done = run(["run", job, "--output", folder / "bad"])
        checks.check(done.status == 2 and sentence in done.err and "bad.yaml:" in done.err, f"{objective} {more}: {done.err}")
    job = write(folder, "clash", "sumsq(Y - A*X) + sumsq(A*Z)", FREE + "\n  Z: {rows: 7, columns: 4}",
                "covariance: diagonal\noutput: {variables: {Z: X.stderr.npy}}\n")
    done = run(["run", job, "--output", folder / "clash"])
    checks.check(done.status == 2 and "X.stderr.npy of covariance is already" in done.err, f"clash: {done.err}")


def main():
    with tempfile.TemporaryDirectory() as name:
        for test in (test_exact, test_maximize, test_probes, test_refused, test_bad):
            if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                test(Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
