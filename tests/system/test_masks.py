"""Weights and masks, sumsq(W.*(A*X*B - C)): preconditioners against NumPy's dense solution and against none at all."""

import pathlib
import sys
import tempfile

import numpy as np

from tracegrad_run import Checks, run_job

M, N, ROWS = 14, 11, 40
RANKS = (1, 4)


def spd(random, n, condition):
    q, _ = np.linalg.qr(random.standard_normal((n, n)))
    a = q @ np.diag(np.geomspace(1, 1 / condition, n)) @ q.T
    return (a + a.T) / 2


def make_data():
    random = np.random.default_rng(11)
    data = {"A": spd(random, M, 30), "B": spd(random, N, 30), "C": random.standard_normal((M, N))}
    data["K"] = random.standard_normal((ROWS, M)) * np.geomspace(1, 1e-2, M)
    data["Y"] = random.standard_normal((ROWS, N))
    data["S"] = spd(random, M, 1000)
    data["W"] = random.uniform(0.5, 1.5, (M, N))
    data["U"] = random.uniform(0, 1, (ROWS, N))
    data["P"] = (random.uniform(0, 1, (M, N)) < 0.7) * 1.0
    data["Z"] = data["P"] * (np.arange(M) != 3)[:, None] * (np.arange(N) != 5)  # a row and a column without weight
    data["O"] = np.zeros((M, N))
    # Nearly diagonal: single weights do not average out.
    data["D"] = np.diag(np.geomspace(1, 1e-2, M))
    data["E"] = np.diag(np.geomspace(1, 1e-1, N))
    return data


def write_job(folder, name, objective, used, extra="gradient_tolerance: 1e-10, max_iterations: 20000"):
    lines = [f'minimize: "{objective}"', f"variables: {{X: {{rows: {M}, columns: {N}}}}}", "data:"]
    for key in used:
        lines.append(f"  {key}: {{file: {folder}/{key}.npy{', spd: true' if key in 'ABSDE' else ''}}}")
    lines += [f"solver: {{{extra}}}", "output: {variables: {X: X.npy}}", ""]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join(lines))
    return path


def solve(weight, left, right, target, rest):
    """The minimiser of sumsq(weight.*(left X right - target)) + <X, rest(X)>, rest as a matrix on vec(X)."""
    g = np.kron(right.T, left)
    q = (weight**2).reshape(-1, order="F")
    h = g.T @ (q[:, None] * g) + rest
    return np.linalg.solve(h, g.T @ (q * target.reshape(-1, order="F"))).reshape(M, N, order="F")


def cases(d):
    """name, objective, data, the minimiser, what auto takes, its largest share of the iterations of none."""
    one, im, iv = np.eye(M * N), np.eye(M), np.eye(N)
    return [
        ("weights", "sumsq(W.*(A*X*B - C))", "WABC", solve(d["W"], d["A"], d["B"], d["C"], 0 * one), "kronecker", 0.1),
        ("mask", "sumsq(P.*(A*X*B - C)) + 0.01*sumsq(X)", "PABC", solve(d["P"], d["A"], d["B"], d["C"], 0.01 * one),
         "kronecker", 0.5),
        ("mask with a hole", "sumsq(Z.*(A*X*B - C)) + 0.01*sumsq(X)", "ZABC",
         solve(d["Z"], d["A"], d["B"], d["C"], 0.01 * one), "kronecker", 0.5),
        ("regression", "sumsq(U.*(K*X*B - Y)) + 0.0001*sumsq(X)", "UKBY",
         solve(d["U"], d["K"], d["B"], d["Y"], 1e-4 * one), "kronecker", 0.3),
        ("smoothing", "sumsq(P.*(X - C)) + 100*tr(X'*S*X) + tr(X*B*X')", "PCSB",
         solve(d["P"], im, iv, d["C"], 100 * np.kron(iv, d["S"]) + np.kron(d["B"], im)), "kronecker", 0.5),
        # Columns of few unknowns, each minimised as if alone: nothing is left to save.
        ("columns apart", "sumsq(U.*(K*X - Y)) + 0.0001*sumsq(X)", "UKY",
         solve(d["U"], d["K"], iv, d["Y"], 1e-4 * one), "none", 1),
        ("entry by entry", "sumsq(W.*(X - C)) + 0.1*sumsq(X)", "WC", solve(d["W"], im, iv, d["C"], 0.1 * one),
         "diagonal", 0.2),
    ]


def test_solutions(checks, folder, data):
    for name, objective, used, expected, taken, share in cases(data):
        job = write_job(folder, "job", objective, used)
        iterations = {}
        for choice in ("none", "diagonal", "kronecker", "auto"):
            for ranks in RANKS if choice in ("kronecker", "auto") else RANKS[:1]:
                what = f"{name}, {choice} on {ranks}"
                done = run_job(job, folder / "out", ranks=ranks, settings={"solver.preconditioner": choice})
                if not checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
                    continue
                error = np.linalg.norm(np.load(done.folder / "X.npy") - expected) / np.linalg.norm(expected)
                checks.check(error < 1e-5, f"{what}: the minimiser is {error:.1e} away")
                known = iterations.setdefault(choice, done.report["iterations"])
                checks.check(abs(done.report["iterations"] - known) <= 1 + known // 20,
                             f"{what}: {done.report['iterations']} iterations, {known} on one rank")
                checks.equal(f"{what}: preconditioner", done.report["preconditioner"].split(":")[0],
                             taken if choice == "auto" else choice)
        print(f"{name}: {iterations}", flush=True)
        checks.check(iterations["auto"] <= share * iterations["none"], f"{name}: {iterations}")


def test_hole_alone(checks, folder, data):
    """Nothing but a mask with an empty row and column: A and B are regular, so that f falls to zero; many X do it."""
    job = write_job(folder, "job", "sumsq(Z.*(A*X*B - C))", "ZABC", "gradient_tolerance: 1e-9")
    for ranks in RANKS:
        done = run_job(job, folder / "out", ranks=ranks)
        checks.equal(f"a hole on {ranks}: exit status {done.err[-300:]}", done.status, 0)
        checks.equal(f"a hole on {ranks}: preconditioner", done.report["preconditioner"], "kronecker")
        x = np.load(done.folder / "X.npy")
        residual = data["Z"] * (data["A"] @ x @ data["B"] - data["C"])
        checks.check(np.linalg.norm(residual) < 1e-6, f"a hole on {ranks}: |residual| = {np.linalg.norm(residual):.1e}")


def test_nothing_seen(checks, folder):
    """An empty mask has no stand-in: kronecker says so, auto goes on without one and gives the reason."""
    job = write_job(folder, "job", "sumsq(O.*(A*X*B)) + sumsq(X) - tr(C'*X)", "OABC")
    done = run_job(job, folder / "wish", ranks=2, settings={"solver.preconditioner": "kronecker"})
    checks.check(done.status == 1 and "positive definite factors" in done.err, f"an empty mask: {done.err[-300:]}")
    done = run_job(job, folder / "auto", ranks=2)
    checks.equal("an empty mask, auto: exit status", done.status, 0)
    checks.check(done.report["preconditioner"].startswith("none: no term"), done.report["preconditioner"])
    error = np.linalg.norm(np.load(done.folder / "X.npy") - np.load(folder / "C.npy") / 2)
    checks.check(error < 1e-8, f"an empty mask, auto: off by {error:.1e}")


def test_not_worth_it(checks, folder):
    """auto does without where it does not pay: a mask that leaves too little, weights that do not average out."""
    for name, objective, used in (
            ("good condition", "sumsq(P.*((A + 3*eye(14))*X*(B + 3*eye(11)))) + sumsq(X) - tr(C'*X)", "PABC"),
            ("nearly diagonal", "sumsq((W - 0.49*ones(14,11)).*(D*X*E)) + 0.01*sumsq(X) - tr(C'*X)", "WCDE")):
        job = write_job(folder, "job", objective, used)
        plain = run_job(job, folder / "none", ranks=1, settings={"solver.preconditioner": "none"})
        auto = run_job(job, folder / "auto", ranks=1)
        print(f"{name}: {plain.report['products']} products, auto {auto.report['products']}", flush=True)
        checks.equal(f"{name}: exit status {auto.err[-300:]}", auto.status, 0)
        said = auto.report["preconditioner"]
        checks.check(said.startswith("none: kronecker with separable weights would not pay"), f"{name}: {said}")
        checks.equal(f"{name}: iterations", auto.report["iterations"], plain.report["iterations"])
        checks.check(auto.report["products"] <= plain.report["products"] + 25, f"{name}: {auto.report['products']}")


def test_refusals(checks, folder):
    job = write_job(folder, "job", "sumsq(W.*(A*(C.*X)*B - C))", "WABC", "max_iterations: 5")
    for choice in ("kronecker", "diagonal"):
        done = run_job(job, folder / "refused", ranks=1, settings={"solver.preconditioner": choice})
        checks.check(done.status == 2 and f"preconditioner {choice}: " in done.err,
                     f"a weight within a weight, {choice}: {done.err[-300:]}")
    # A factor on the side of 200 rows would be larger than all data.
    job = folder / "tall.yaml"
    job.write_text("minimize: sumsq(V.*(X*B - V)) + 0.001*sumsq(X)\nvariables: {X: {rows: 200, columns: 11}}\n"
                   f"data: {{V: {{generate: normal, rows: 200, columns: 11}}, B: {{file: {folder}/B.npy, spd: true}}}}\n")
    done = run_job(job, folder / "tall", ranks=1)
    checks.check(done.status == 0 and "larger than the data" in done.report["preconditioner"],
                 f"tall: {done.err[-300:]} {done.report and done.report['preconditioner']}")


def test_loss(checks, folder):
    """The Hessian at zero of a loss with an offset is weighted: l-bfgs with it takes fewer products to the same minimum."""
    job = write_job(folder, "job", "sum(softplus(A*X*B + C)) + 0.0001*sumsq(X)", "ABC", "gradient_tolerance: 1e-9")
    reports = {choice: run_job(job, folder / choice, ranks=2, settings={"solver.preconditioner": choice}).report
               for choice in ("none", "auto")}
    checks.check(reports["auto"]["preconditioner"].startswith("kronecker, renewed"), f"a loss: {reports['auto']['preconditioner']}")
    checks.close("a loss: objective", reports["auto"]["objective"], reports["none"]["objective"], 1e-9)
    products = {choice: report["products"] for choice, report in reports.items()}
    checks.check(products["auto"] < 0.8 * products["none"], f"a loss: {products}")


def test_weighted_loss(checks, folder):
    """Weights of samples without a sign by symbols: convex by their numbers. With a negative one nothing is concluded."""
    random = np.random.default_rng(4)
    A = random.standard_normal((300, 40)) @ np.diag(np.geomspace(1, 1e-2, 40)) @ np.linalg.qr(random.standard_normal((40, 40)))[0]
    np.save(folder / "wA.npy", A)
    np.save(folder / "wY.npy", np.sign(random.standard_normal((300, 4))))
    W = random.uniform(0.1, 2, (300, 4))
    job = folder / "weighted.yaml"
    job.write_text("\n".join(['minimize: "sum(W.*softplus(-(Y.*(A*X)))) + 0.001*sumsq(X)"', "variables: {X: {rows: 40, columns: 4}}",
                              "data:", *[f"  {name}: {{file: {folder}/w{name}.npy}}" for name in "AYW"], ""]))
    reports = {}
    for choice in ("none", "auto"):
        np.save(folder / "wW.npy", W)
        reports[choice] = run_job(job, folder / f"weighted-{choice}", ranks=2, settings={"solver.preconditioner": choice}).report
    checks.check(reports["auto"]["preconditioner"].startswith("kronecker"), f"weights: {reports['auto']['preconditioner']}")
    checks.close("weights: objective", reports["auto"]["objective"], reports["none"]["objective"], 1e-9)
    products = {choice: report["products"] for choice, report in reports.items()}
    checks.check(3 * products["auto"] < products["none"], f"weights: {products}")
    W[7, 2] = -0.01
    np.save(folder / "wW.npy", W)
    report = run_job(job, folder / "weighted-negative", ranks=3).report
    checks.check(report["preconditioner"].startswith("none"), f"a negative weight: {report['preconditioner']}")


def logistic_minimum(design, labels, ridge):
    """min sum(log(1 + e^Z)) - <Y,Z> + ridge |X|^2, Z = K X, each column by Newton's method."""
    total = 0.0
    for y in labels.T:
        x = np.zeros(design.shape[1])
        for _ in range(100):
            p = 1 / (1 + np.exp(-design @ x))
            step = np.linalg.solve(design.T @ ((p * (1 - p))[:, None] * design) + 2 * ridge * np.eye(len(x)),
                                   design.T @ (p - y) + 2 * ridge * x)
            x = x - step
        z = design @ x
        total += np.sum(np.logaddexp(0, z)) - y @ z + ridge * x @ x
    return total


def test_small_loss(checks, folder):
    """Columns of few unknowns, well-conditioned: auto leaves the Hessian at zero out, says why, and that saves products."""
    random = np.random.default_rng(13)
    np.save(folder / "G.npy", 0.3 * random.standard_normal((60, M)))
    np.save(folder / "V.npy", random.uniform(size=(60, N)))
    job = write_job(folder, "job", "sum(exp(G*X)) - dot(V, G*X) + 0.01*sumsq(X)", "GV", "gradient_tolerance: 1e-9")
    reports = {choice: run_job(job, folder / choice, ranks=2, settings={"solver.preconditioner": choice}).report
               for choice in ("kronecker", "auto")}
    checks.check("would not pay" in reports["auto"]["preconditioner"], f"a small loss: {reports['auto']['preconditioner']}")
    products = {choice: report["products"] for choice, report in reports.items()}
    checks.check(products["auto"] < products["kronecker"], f"a small loss: {products}")


def test_renewal(checks, folder):
    """Far from zero the weights p(1 - p) of a logistic loss are others: the preconditioner follows them."""
    random = np.random.default_rng(12)
    design = 10 * random.standard_normal((300, M)) * np.geomspace(1, 1e-2, M)
    labels = (design @ random.standard_normal((M, N)) > 1.0) * 1.0
    np.save(folder / "F.npy", design)
    np.save(folder / "L.npy", labels)
    job = write_job(folder, "job", "sum(softplus(F*X)) - dot(L, F*X) + mu*sumsq(X)", "FL", "gradient_tolerance: 1e-9")
    job.write_text(job.read_text().replace("data:", "data:\n  mu: 0.01"))
    expected = logistic_minimum(design, labels, 0.01)
    none = run_job(job, folder / "none", ranks=1, settings={"solver.preconditioner": "none"}).report
    for ranks in RANKS:
        report = run_job(job, folder / "kronecker", ranks=ranks, settings={"solver.preconditioner": "kronecker"}).report
        checks.check("renewed" in report["preconditioner"], f"renewal on {ranks}: {report['preconditioner']}")
        checks.close(f"renewal on {ranks}: objective", report["objective"], expected, 1e-10)
        checks.check(report["iterations"] < 0.5 * none["iterations"],
                     f"renewal on {ranks}: {report['iterations']} iterations, {none['iterations']} without")
    newton = run_job(job, folder / "newton", ranks=2,
                     settings={"solver.method": "newton-cg", "solver.preconditioner": "kronecker"}).report
    checks.close("renewal, newton-cg: objective", newton["objective"], expected, 1e-10)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = make_data()
        for key, matrix in data.items():
            np.save(folder / f"{key}.npy", np.asfortranarray(matrix))
        test_solutions(checks, folder, data)
        test_hole_alone(checks, folder, data)
        test_nothing_seen(checks, folder)
        test_not_worth_it(checks, folder)
        test_refusals(checks, folder)
        test_loss(checks, folder)
        test_weighted_loss(checks, folder)
        test_small_loss(checks, folder)
        test_renewal(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
