"""Objectives that are defined for some points only: logdet and inv among symmetric positive definite matrices, log.

The answers are computed by NumPy from eigenvalues, or judged by a certificate: the gradient of the objective at the point that
is returned, by formulas of its own, and the eigenvalues of that point.
"""

import pathlib
import sys
import tempfile

import numpy as np

from tracegrad_run import Checks, run, run_job

METHODS = ("auto", "gradient-descent", "barzilai-borwein", "nesterov", "conjugate-gradient", "l-bfgs", "newton-cg")


def root(a):
    values, vectors = np.linalg.eigh(a)
    return vectors @ np.diag(np.sqrt(values)) @ vectors.T


def symmetric(a):
    return (a + a.T) / 2


def write_job(folder, objective, n, data, variable="", solver=""):
    for name, matrix in data.items():
        np.save(folder / f"{name}.npy", matrix)
    lines = [f'minimize: "{objective}"', "variables:", f"  X: {{rows: {n}, columns: {n}{variable}}}", "data:"]
    lines += [f"  {name}: {{file: {folder}/{name}.npy}}" for name in data]
    lines += [solver, "output: {directory: out, variables: {X: X.npy}}", ""]
    path = folder / "job.yaml"
    path.write_text("\n".join(lines))
    return path


def load(done):
    return np.load(done.folder / "X.npy")


def minij(n):
    return np.minimum.outer(np.arange(1.0, n + 1), np.arange(1.0, n + 1))


def test_every_method(checks, folder):
    """tr(S*X) - logdet(X) + 0.1*sumsq(X): in the eigenvectors of S each eigenvalue has a quadratic of its own."""
    s = np.linalg.eigvalsh(minij(5))
    x = (np.sqrt(s**2 + 0.8) - s) / 0.4
    value = np.sum(s * x - np.log(x) + 0.1 * x**2)
    checks.close("the value known from elsewhere", value, 6.158, 1e-4)
    job = write_job(folder, "tr(S*X) - logdet(X) + 0.1*sumsq(X)", 5, {"S": minij(5)}, ", start: identity")
    for method in METHODS:
        for ranks in (1, 3) if method in ("auto", "newton-cg") else (1,):
            done = run_job(job, folder / method, ranks=ranks, settings={"solver.method": method})
            what = f"{method} on {ranks}"
            if not checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
                continue
            checks.close(f"{what}: objective", done.report["objective"], value, 1e-9)
            checks.check(np.array_equal(load(done), load(done).T), f"{what}: not symmetric")
            checks.check(np.linalg.eigvalsh(load(done))[0] > 0, f"{what}: not positive definite")


def test_sets_met_by_the_domain(checks, folder, random):
    """A semidefinite set is open under logdet: nothing is projected, and every method serves it."""
    a = random.standard_normal((6, 6))
    s = a @ a.T / 6
    expected = np.linalg.inv(s)
    for constraint in ("positive_semidefinite", "positive_definite", "symmetric"):
        job = write_job(folder, "tr(S*X) - logdet(X)", 6, {"S": s}, f", constraint: {constraint}")
        for method in ("auto", "newton-cg"):
            done = run_job(job, folder / f"{constraint} {method}", ranks=1, settings={"solver.method": method})
            checks.equal(f"{constraint} by {method}: exit status {done.err[-300:]}", done.status, 0)
            error = np.linalg.norm(load(done) - expected) / np.linalg.norm(expected)
            checks.check(error < 1e-6, f"{constraint} by {method}: {error:.1e} away")
            checks.check(f"which is all that constraint {constraint} asks" in done.err, f"{constraint}: header {done.err}")
        checks.check("X symmetric positive definite" in run(["plan", job]).out, f"{constraint}: plan says nothing")


def test_raw_graphical_lasso(checks, folder, random):
    """Rows and columns in units that differ by 1000: what the certificate says, not slower than is sane, on any ranks."""
    n, weight = 30, 0.1
    basis = np.eye(n) - 0.4 * np.eye(n, k=1) - 0.4 * np.eye(n, k=-1)
    samples = random.standard_normal((3 * n, n)) @ np.linalg.cholesky(np.linalg.inv(basis)).T
    units = np.geomspace(1, 1e3, n)[random.permutation(n)]
    for name, scales in (("raw", units), ("standard", np.ones(n))):
        s = np.cov(samples.T) * np.outer(scales, scales)
        job = write_job(folder, f"tr(S*X) - logdet(X) + {weight}*norm1(X)", n, {"S": s})
        for ranks in (1, 3):
            done = run_job(job, folder / f"lasso {name} {ranks}", ranks=ranks)
            what = f"graphical lasso, {name}, on {ranks}"
            if not checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
                continue
            x = load(done)
            gradient = s - np.linalg.inv(x)
            rest = np.where(x != 0, gradient + weight * np.sign(x), np.maximum(np.abs(gradient) - weight, 0))
            units_of = np.sqrt(np.outer(np.diag(s), np.diag(s)))
            checks.check(np.abs(rest / units_of).max() <= 1e-6, f"{what}: residual {np.abs(rest / units_of).max():.1e}")
            checks.check(done.report["iterations"] <= 300, f"{what}: {done.report['iterations']} iterations")
            checks.check("X*G*X" in done.report["preconditioner"], f"{what}: {done.report['preconditioner']}")
            checks.check("X = the best diagonal matrix" in done.err, f"{what}: header {done.err[-600:]}")


def test_inverse_in_the_cone(checks, folder, random):
    """tr(A*X) + tr(B*inv(X)) has its minimum at inv(R) root(R*B*R) inv(R), R the root of A."""
    a, b = (m @ m.T / 7 for m in random.standard_normal((2, 7, 7)))
    r = root(a)
    middle = root(r @ b @ r)
    expected = np.linalg.solve(r, np.linalg.solve(r, middle).T)
    for constraint in ("positive_semidefinite", "positive_definite"):
        job = write_job(folder, "tr(A*X) + tr(B*inv(X))", 7, {"A": a, "B": b}, f", constraint: {constraint}",
                        "solver: {max_iterations: 5000}")
        done = run_job(job, folder / f"inverse {constraint}", ranks=2)
        checks.equal(f"inverse, {constraint}: exit status {done.err[-300:]}", done.status, 0)
        checks.close(f"inverse, {constraint}: objective", done.report["objective"], 2 * np.trace(middle), 1e-9)
        checks.check(np.linalg.norm(load(done) - expected) < 1e-4 * np.linalg.norm(expected), f"inverse, {constraint}: X")
        checks.check("start     X = " in done.err and "*eye, inside the domain" in done.err, f"header: {done.err}")


def test_starts(checks, folder, random):
    a = random.standard_normal((5, 5))
    s = 1e6 * (a @ a.T + np.eye(5))
    job = write_job(folder, "tr(S*X) - logdet(X) + 0.1*sumsq(X)", 5, {"S": s})
    done = run_job(job, folder / "scaled", ranks=1)
    checks.equal(f"scaled: exit status {done.err[-300:]}", done.status, 0)
    multiple = float(done.err.split("start     X = ")[1].split("*eye")[0])
    checks.close("the multiple of the identity", multiple, 5 / np.trace(s), 0.2)
    done = run_job(write_job(folder, "sum(S.*X) - sum(log(X))", 5, {"S": np.abs(s)}), folder / "log", ranks=2)
    checks.equal(f"log: exit status {done.err[-300:]}", done.status, 0)
    checks.check("*ones, inside the domain" in done.err, f"log: header {done.err}")
    checks.close("log: objective", done.report["objective"], 25 + np.sum(np.log(np.abs(s))), 1e-9)
    np.save(folder / "skew.npy", np.eye(5) + 0.1 * a)
    for name, variable, text in (
            ("skew start", f", start: {{file: {folder}/skew.npy}}", "the start of X is not symmetric"),
            ("no barrier", ", constraint: positive_definite", "keeps X inside; take positive_semidefinite"),
            ("simplex", ", constraint: simplex_rows", "does not keep so")):
        objective = "tr(S*X)" if name == "no barrier" else "tr(S*X) - logdet(X) + sumsq(X)"
        done = run_job(write_job(folder, objective, 5, {"S": s}, variable), folder / name, ranks=2)
        checks.equal(f"{name}: exit status", done.status, 2)
        checks.check(text in done.err and "job.yaml:3:" in done.err, f"{name}: {done.err[-400:]}")
    job = write_job(folder, "tr(S*X) - logdet(X)", 5, {"S": s}, ", start: normal", "solver: {method: l-bfgs}")
    done = run_job(job, folder / "outside", ranks=1)
    checks.equal("outside: exit status", done.status, 1)
    checks.check("not finite at the start" in done.err and "not positive definite" in done.err, f"outside: {done.err[-400:]}")


def test_unbounded(checks, folder, random):
    """With the ray, by every method; and never where norm1 bounds what S does not."""
    a = random.standard_normal((8, 5))
    indefinite = np.diag([1, 0.5, 2, -0.3, 1, 1, 3, 1.0]) + 0.01 * symmetric(random.standard_normal((8, 8)))
    smallest = np.linalg.eigvalsh(indefinite)[0]
    for name, s, words in (("indefinite", indefinite, f"indefinite, and along X + t*v*v', v the eigenvector of the eigenvalue {smallest:.4g}"),
                           ("singular", a @ a.T, "singular, and along")):
        job = write_job(folder, "tr(S*X) - 2*logdet(X)", 8, {"S": s})
        for method in ("auto", "newton-cg", "l-bfgs", "direct"):
            done = run_job(job, folder / f"{name} {method}", ranks=1, settings={"solver.method": method})
            checks.equal(f"{name} by {method}: exit status {done.err[-300:]}", done.status, 4)
            checks.equal(f"{name} by {method}: status", done.report["status"], "unbounded")
            checks.check(words in done.report["reason"], f"{name} by {method}: {done.report['reason']}")
    done = run_job(write_job(folder, "tr(S*X) + logdet(X)", 8, {"S": a @ a.T}), folder / "concave", ranks=2)
    checks.equal("concave: status", (done.status, done.report["status"]), (4, "unbounded"))
    done = run_job(write_job(folder, "tr(S*X) - logdet(X) + 0.6*norm1(X)", 8, {"S": indefinite}), folder / "bounded", ranks=1)
    checks.equal(f"bounded: exit status {done.err[-300:]}", done.status, 0)
    check_point(checks, "bounded", done, indefinite, 0.6, 0, None)


def test_metric(checks, folder, random):
    """X*G*X where -logdet rules, one eigenbasis with the rest where it does not: products at all conditions, and the right point."""
    n = 40
    basis = np.linalg.qr(random.standard_normal((n, n)))[0]
    for condition in (1e2, 1e6):
        s = np.logspace(0, -np.log10(condition), n)
        matrix = symmetric(basis @ np.diag(s) @ basis.T)
        for name, linear, square, bound, words in (("alone", 1, 0.05, 60, "X*G*X"), ("joined", -100, 0.5, 150, "not semidefinite")):
            job = write_job(folder, f"tr({linear}*S*X) - logdet(X) + {square}*sumsq(X)", n, {"S": matrix})
            done = run_job(job, folder / f"{name} {condition}", ranks=2)
            x = (np.sqrt((linear * s) ** 2 + 8 * square) - linear * s) / (4 * square)
            what = f"metric {name}, condition {condition:g}"
            if not checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
                continue
            checks.close(f"{what}: objective", done.report["objective"], np.sum(linear * s * x - np.log(x) + square * x**2), 1e-9)
            checks.check(done.report["products"] <= bound, f"{what}: {done.report['products']} products")
            checks.check(words in done.report["preconditioner"], f"{what}: {done.report['preconditioner']}")
    job = write_job(folder, "tr(S*X) - logdet(X) + 3*tr(A*X*A*X)", n, {"S": matrix, "A": symmetric(basis.T @ matrix @ basis)})
    job.write_text(job.read_text().replace("A.npy}", "A.npy, symmetric: true}"))
    done = run_job(job, folder / "terms", ranks=1)
    checks.equal(f"terms: exit status {done.err[-300:]}", done.status, 0)
    a = symmetric(basis.T @ matrix @ basis)
    g = matrix - np.linalg.inv(load(done)) + 6 * a @ load(done) @ a
    checks.check(np.linalg.norm(g) < 1e-5 * np.linalg.norm(np.linalg.inv(load(done))), f"terms: gradient {np.linalg.norm(g):.1e}")
    checks.check(done.report["products"] <= 1000, f"terms: {done.report['products']} products")


def check_point(checks, what, done, s, weight, square, terms):
    """The certificate: -G is a subgradient of weight*norm1 where X is zero and elsewhere its sign, G the gradient of the rest."""
    x = load(done)
    if not checks.check(np.array_equal(x, x.T) and np.linalg.eigvalsh(x)[0] > 0, f"{what}: X is not positive definite"):
        return
    g = symmetric(s) - np.linalg.inv(x) + 2 * square * x
    if terms is not None:
        g += symmetric(terms[0] @ x @ terms[1] + terms[0].T @ x @ terms[1].T)
    free = np.abs(g + weight * np.sign(x))
    bound = np.maximum(0, np.abs(g) - weight)
    rest = np.max(np.where(x != 0, free, bound))
    scale = np.max(np.abs(s)) + np.max(np.abs(np.linalg.inv(x)))
    checks.check(rest <= 1e-5 * scale, f"{what}: the gradient is {rest:.1e} of {scale:.1e}")


def test_siblings(checks, folder, random):
    """Random jobs: weights, sets, methods and ranks drawn; the certificate judges."""
    for trial in range(30):
        n = int(random.integers(2, 13))
        a, b = (m @ m.T / n + 0.05 * np.eye(n) for m in random.standard_normal((2, n, n)))
        s = a if random.random() < 0.5 else a - 0.5 * np.trace(a) / n * np.eye(n)
        if random.random() < 0.3:
            s = s + 0.1 * (m := random.standard_normal((n, n))) - 0.1 * m.T
        scale = 10.0 ** random.integers(-3, 4)
        square = 10.0 ** random.integers(-2, 1) * scale
        has_terms = random.random() < 0.4
        weight = 0.1 * scale if random.random() < 0.3 else 0
        objective = f"tr(S*X) - logdet(X) + {square!r}*sumsq(X)"
        objective += " + tr(A*X*B*X)" if has_terms else ""
        objective += f" + {weight!r}*norm1(X)" if weight else ""
        constraint = random.choice(["", ", constraint: positive_semidefinite", ", constraint: positive_definite", ", constraint: symmetric"])
        method = "auto" if weight else str(random.choice(METHODS))
        ranks = int(random.integers(1, 4)) if trial % 3 == 0 else 1
        data = {"S": scale * s} | ({"A": scale * a, "B": b} if has_terms else {})
        job = write_job(folder, objective, n, data, constraint, "solver: {max_iterations: 20000, gradient_tolerance: 1e-7}")
        done = run_job(job, folder / f"sibling {trial}", ranks=ranks, settings={"solver.method": method})
        what = f"{trial}: {objective}, n = {n}, scale {scale:g}{constraint} by {method} on {ranks}"
        if checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
            check_point(checks, what, done, scale * s, weight, square, (scale * a, b) if has_terms else None)


def test_units(checks, folder):
    """A start in other units: the gradient there says nothing of what is small at the minimum. What is left is a share of what f fell."""
    for number, condition in ((0, 2), (1, 2), (2, 3), (3, 3)):
        random = np.random.default_rng(number)
        q = np.linalg.qr(random.standard_normal((4, 4)))[0]
        s = symmetric(q @ np.diag(1e-8 * 10 ** -np.linspace(0, condition, 4)) @ q.T)
        value = 4 + np.linalg.slogdet(s)[1]
        job = write_job(folder, "factor*(tr(S*X) - logdet(X))", 4, {"S": s}, ", start: identity").read_text()
        for factor in (1, 300):
            path = folder / "units.yaml"
            path.write_text(job.replace("data:", f"data:\n  factor: {factor}"))
            for method in ("auto", "l-bfgs", "newton-cg", "conjugate-gradient"):
                done = run_job(path, folder / "units", ranks=1, settings={"solver.method": method, "solver.max_iterations": 3000})
                what = f"units {number}, {factor} by {method}"
                if not checks.check(done.status in (0, 3), f"{what}: exit {done.status}: {done.err[-300:]}") or done.status == 3:
                    continue
                left, fall = done.report["objective"] - factor * value, factor * (np.trace(s) - value)
                checks.check(left <= 1e-6 * fall or "estimated" in done.report["reason"], f"{what}: {left / fall:.1e} of the fall is left")


def main():
    checks = Checks()
    random = np.random.default_rng(20261130)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_every_method(checks, folder)
        test_sets_met_by_the_domain(checks, folder, random)
        test_inverse_in_the_cone(checks, folder, random)
        test_starts(checks, folder, random)
        test_unbounded(checks, folder, random)
        test_metric(checks, folder, random)
        test_siblings(checks, folder, random)
        test_raw_graphical_lasso(checks, folder, np.random.default_rng(5))
        test_units(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
