"""Closed forms, preconditioners and auto through the command line: against dense linear algebra in NumPy.

Every quadratic here is small enough for its Hessian as a matrix: H vec(X) = c, column-major.
"""

import pathlib
import sys
import tempfile

import numpy as np

from tracegrad_run import Checks, run, run_job

RANKS = [1, 2, 3, 4, 7]
M, N, ROWS = 13, 9, 31


def spd(random, n, condition):
    q, _ = np.linalg.qr(random.standard_normal((n, n)))
    return symmetric(q @ np.diag(np.geomspace(1, 1 / condition, n)) @ q.T)


def symmetric(a):
    return (a + a.T) / 2


def make_data():
    random = np.random.default_rng(5)
    data = {name: spd(random, n, 300) for name, n in (("A", M), ("D", M), ("F", M), ("B", N), ("E", N), ("G", N))}
    data["C"] = random.standard_normal((M, N))
    data["X0"] = random.standard_normal((ROWS, M))
    data["Y"] = random.standard_normal((ROWS, N))
    data["L"] = 2 * np.eye(N) - np.roll(np.eye(N), 1, 0) - np.roll(np.eye(N), -1, 0)
    data["K"] = symmetric(random.standard_normal((M, M)))  # indefinite
    data["P"] = symmetric(np.diag([1.0] * (M - 1) + [0.0]))  # singular
    data["R"] = random.standard_normal((M, M))  # not symmetric
    data["Q"] = random.standard_normal((N, N))
    data["H"], data["T"] = random.standard_normal((3, M)), random.standard_normal((3, N))  # few rows
    data["J"], data["V"] = random.standard_normal((N, 2)), random.standard_normal((M, 2))
    return data


PROPERTIES = {name: "spd: true" for name in "ADFBEG"} | {name: "symmetric: true" for name in "LKP"}


def write_job(folder, name, objective, used, extra=""):
    lines = [f'minimize: "{objective}"', "variables:",
             f"  X: {{rows: {M}, columns: {M if 'logdet' in objective else N}, start: normal, seed: 3}}"]
    if used:
        lines.append("data:")
    for key in used:
        properties = ", " + PROPERTIES[key] if key in PROPERTIES else ""
        lines.append(f"  {key}: {{file: {folder}/{key}.npy{properties}}}")
    lines += [extra, "output: {directory: out, variables: {X: X.npy}}", ""]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join(lines))
    return path


def solve_terms(terms, c):
    """X with sum_k L X R = c, by the matrix of the operator."""
    h = sum(np.kron(right.T, left) for left, right in terms)
    return np.linalg.solve(h, c.reshape(-1, order="F")).reshape(c.shape, order="F")


def cases(d):
    """name, objective, data used, the minimiser, words of the explanation."""
    im, iv = np.eye(M), np.eye(N)
    x0, y, c = d["X0"], d["Y"], d["C"]
    gram = 2 * x0.T @ x0
    return [
        ("product", "tr(A*X*B*X') - 2*tr(C'*X)", "ABC", solve_terms([(d["A"], d["B"])], c), "2*A*V*B"),
        ("one sided", "tr(X'*A*X) - tr(C'*X)", "AC", np.linalg.solve(2 * d["A"], c), "2*A*V"),
        ("sylvester", "tr(X'*A*X) + tr(X*B*X') - tr(C'*X)", "ABC",
         solve_terms([(2 * d["A"], iv), (im, 2 * d["B"])], c), "V*B"),
        ("squares", "sumsq(A*X + X*B - C)", "ABC", solve_terms([(d["A"], iv), (im, d["B"])], c), "4*A*V*B"),
        ("squares of a product", "sumsq(X0'*X0*X + X*B - C)", ["X0", "B", "C"],
         solve_terms([(gram / 2, iv), (im, d["B"])], c), "2*(X0'*X0)^2*V"),
        ("two terms", "tr(X'*A*X*B) + tr(X'*D*X*E) - tr(C'*X)", "ABDEC",
         solve_terms([(2 * d["A"], d["B"]), (2 * d["D"], d["E"])], c), "2*D*V*E"),
        ("ridge", "sumsq(Y - X0*X) + 0.3*sumsq(X)", ["X0", "Y"],
         np.linalg.solve(gram + 0.6 * im, 2 * x0.T @ y), "X0'*X0"),
        ("least squares", "sumsq(Y - X0*X)", ["X0", "Y"], np.linalg.lstsq(x0, y, rcond=None)[0], "X0'*X0"),
        ("laplacian", "sumsq(Y - X0*X) + 0.1*tr(X*L*X') + 0.2*sumsq(X)", ["X0", "Y", "L"],
         solve_terms([(gram + 0.4 * im, iv), (im, 0.2 * d["L"])], 2 * x0.T @ y), "X0'*X0"),
        ("wide ridge", "sumsq(T - H*X) + 0.3*sumsq(X)", ["H", "T"],
         np.linalg.solve(2 * d["H"].T @ d["H"] + 0.6 * im, 2 * d["H"].T @ d["T"]), "by the smaller 2*H*H' + 0.6*eye(3)"),
        ("wide ridge on the right", "sumsq(V - X*J) + 0.3*sumsq(X)", ["J", "V"],
         np.linalg.solve(2 * d["J"] @ d["J"].T + 0.6 * iv, 2 * d["J"] @ d["V"].T).T, "by the smaller 2*J'*J + 0.6*eye(2)"),
        ("underdetermined", "sumsq(T - H*X)", ["H", "T"], np.linalg.lstsq(d["H"], d["T"], rcond=None)[0], "of least norm"),
        ("underdetermined on the right", "2*sumsq(V - X*J)", ["J", "V"],
         np.linalg.lstsq(d["J"].T, d["V"].T, rcond=None)[0].T, "of least norm"),
        ("logdet", "tr(A*X) - 2*logdet(X) + 7", "A", 2 * np.linalg.inv(d["A"]), "inv(A)"),
    ]


def check_solution(checks, what, done, expected):
    if not checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
        return
    checks.equal(f"{what}: status", done.report["status"], "converged")
    found = np.load(done.folder / "X.npy")
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    checks.check(error < 1e-6, f"{what}: the minimiser is {error:.1e} away")


def test_closed_forms(checks, folder, data):
    for name, objective, used, expected, words in cases(data):
        job = write_job(folder, "job", objective, list(used), "solver: {gradient_tolerance: 1e-10}")
        for ranks in RANKS:
            done = run_job(job, folder / f"{name} {ranks}", ranks=ranks)
            check_solution(checks, f"{name} on {ranks}", done, expected)
            checks.equal(f"{name}: method", done.report and done.report["method"], "direct")
            checks.check(done.report and done.report["iterations"] <= 3, f"{name}: {done.report['iterations']} steps")
        reason = done.report["method_reason"]
        checks.check(words in reason and reason.startswith("direct, because"), f"{name}: reason {reason}")
        plan = run(["plan", job])
        checks.check("method direct, because" in plan.out, f"{name}: plan says {plan.out[:200]}")


def test_start_kept(checks, folder, data):
    """Without an iteration direct judges the job's own start: the minimiser is one, another point is none."""
    expected = solve_terms([(data["A"], data["B"])], data["C"])
    for name, start, status, label in (("minimiser", expected, 0, "converged"), ("other", expected + 1, 3, "iteration_limit")):
        np.save(folder / "X-start.npy", start)
        job = write_job(folder, "job", "tr(A*X*B*X') - 2*tr(C'*X)", list("ABC"), "solver: {method: direct}")
        job.write_text(job.read_text().replace("start: normal, seed: 3", f"start: {{file: {folder}/X-start.npy}}"))
        done = run_job(job, folder / f"start {name}", ranks=2, settings={"solver.max_iterations": 0})
        checks.equal(f"{name}: exit status {done.err[-300:]}", done.status, status)
        checks.equal(f"{name}: status", done.report["status"], label)
        gradient = 2 * (data["A"] @ start @ data["B"] - data["C"])
        checks.check(abs(done.report["gradient_norm"] - np.linalg.norm(gradient)) <= 1e-10 * np.linalg.norm(data["C"]),
                     f"{name}: gradient norm {done.report['gradient_norm']}, expected {np.linalg.norm(gradient)}")
        checks.equal(f"{name}: gradient norm at the start", done.report["gradient_norm_start"],
                     done.report["gradient_norm"])


REFUSED = [
    ("three terms", "tr(X'*A*X*B) + tr(X'*D*X*E) + tr(X'*F*X*G) - tr(C'*X)", "ABDEFGC",
     ["3 terms", "diagonal together", "method: auto"], 2),
    ("quartic", "sumsq(X'*X) - tr(C'*X)", "C", ["degree 4", "not quadratic"], 2),
    ("not a polynomial", "sum(exp(X)) - tr(C'*X)", "C", ["not quadratic"], 2),
    ("linear", "tr(C'*X)", "C", ["linear", "unbounded below"], 2),
    ("transposed", "sumsq(X*C' + C*X')", "C", ["V'"], 2),
    ("unknown symmetry", "tr(X'*R*X*Q) - tr(C'*X)", "RQC", ["not known to be symmetric", "declare"], 2),
    ("of low rank", "sumsq(H*X) - tr(C'*X)", "HC", ["rank of at most 3", "ridge"], 2),
]


def test_refusals(checks, folder):
    for name, objective, used, words, status in REFUSED:
        job = write_job(folder, "job", objective, list(used), "solver: {method: direct}")
        done = run_job(job, folder / name, ranks=2)
        checks.equal(f"{name}: exit status {done.err[-300:]}", done.status, status)
        checks.equal(f"{name}: one error", done.err.count("error: "), 1)
        for word in words:
            checks.check(word in done.err, f"{name}: '{word}' is not in {done.err[-400:]}")
    two = folder / "two.yaml"
    two.write_text("minimize: sumsq(U) + sumsq(W) - sum(U)\nvariables: {U: {rows: 3, columns: 2}, W: {rows: 3, columns: 2}}\n"
                   "solver: {method: direct}\n")
    done = run_job(two, folder / "two", ranks=1)
    checks.check(done.status == 2 and "there are 2 variables" in done.err, f"two variables: {done.err}")


# direct goes on as auto does where the numbers refuse: the right side of the singular ones decides.
AFTER_DIRECT = [
    ("indefinite", "tr(X'*K*X*B) - tr(C'*X)", "KBC", 4, "not positive definite"),
    ("indefinite, without a linear term", "tr(X'*K*X)", "K", 4, "not positive definite"),
    ("indefinite sum", "tr(X'*K*X) + tr(X*B*X') - tr(C'*X)", "KBC", 4, "indefinite"),
    ("singular", "tr(X'*P*X*B) - tr(C'*X)", "PBC", 4, "not positive definite"),
    ("singular by luck", "tr(X'*Z*X) - tr(C'*X)", "ZC", 4, ""),
    ("singular by luck, consistent", "tr(X'*Z*X) - tr((Z*C)'*X)", "ZC", 0, ""),
    ("consistent", "tr(X'*P*X*B) - tr((P*C)'*X)", "PBC", 0, "not positive definite"),
    ("singular sum", "tr(X'*P*X) + tr(X*L*X') - tr(C'*X)", "PLC", 4, "singular"),
]


def test_after_direct(checks, folder):
    """Exit 4 with a ray, or the minimum; of singular matrices, whose factorisation may pass by luck, several."""
    for name, objective, used, status, words in AFTER_DIRECT:
        for attempt in range(6 if "Z" in used else 1):
            factor = np.random.default_rng(attempt).standard_normal((M, M - 1))
            np.save(folder / "Z.npy", symmetric(factor @ factor.T))
            job = write_job(folder, "job", objective, list(used), "solver: {method: direct}")
            done = run_job(job, folder / f"after direct {name}", ranks=2)
            if not checks.equal(f"direct, {name} {attempt}: exit status {done.err[-300:]}", done.status, status):
                continue
            checks.equal(f"direct, {name}: method", done.report["method"], "conjugate-gradient")
            checks.check(words in done.report["method_reason"], f"direct, {name}: {done.report['method_reason']}")
            checks.check(status != 4 or "X" in done.report.get("ray", {}), f"direct, {name}: no ray")


# auto goes on where the numbers or the structure refuse.
FALLBACKS = [
    ("indefinite", "tr(X'*K*X*B) - tr(C'*X)", "KBC", 4, "conjugate-gradient", "not positive definite"),
    ("consistent", "tr(X'*P*X*B) - tr((P*C)'*X)", "PBC", 0, "conjugate-gradient", "not positive definite"),
    ("three terms", "tr(X'*A*X*B) + tr(X'*D*X*E) + tr(X'*F*X*G) - tr(C'*X)", "ABDEFGC", 0, "conjugate-gradient",
     "3 terms"),
    ("quartic", "sumsq(X'*X) - tr(C'*X)", "C", 0, "l-bfgs", "line polynomial of degree 4"),
    ("exponential", "sum(exp(X)) - sum(X)", "", 0, "l-bfgs", "not a polynomial"),
    ("linear", "tr(C'*X)", "C", 4, "conjugate-gradient", "unbounded below"),
]


def test_auto_falls_back(checks, folder):
    for name, objective, used, status, method, words in FALLBACKS:
        job = write_job(folder, "job", objective, list(used))
        done = run_job(job, folder / f"auto {name}", ranks=2)
        if not checks.equal(f"auto, {name}: exit status {done.err[-300:]}", done.status, status):
            continue
        checks.equal(f"auto, {name}: method", done.report["method"], method)
        checks.check(words in done.report["method_reason"], f"auto, {name}: {done.report['method_reason']}")
        checks.check(words in done.err, f"auto, {name}: the reason is not shown: {done.err}")


def test_auto_in_several_variables(checks, folder):
    """A factorisation is alternated, one with a ridge takes conjugate gradients; the singular values say both optima."""
    values = np.linalg.svd(np.load(folder / "C.npy"), compute_uv=False)
    kept = np.maximum(values[:2] - 0.7, 0)
    shrunk = np.sum((values[:2] - kept) ** 2) + 2 * 0.7 * np.sum(kept)
    for name, ridge, line, optimum in (
            ("several variables", "", "method alternating, because the objective has a closed form in U, W alone", 0),
            ("with a ridge", " + 0.7*sumsq(U) + 0.7*sumsq(W)",
             "method conjugate-gradient, with exact steps along the line polynomial of degree 4 in 2 variables", shrunk)):
        job = folder / "several.yaml"
        job.write_text(f"minimize: sumsq(C - U*W'){ridge}\nvariables:\n  U: {{rows: {M}, columns: 2, start: normal, seed: 1}}\n"
                       f"  W: {{rows: {N}, columns: 2, start: normal, seed: 2}}\n"
                       f"data: {{C: {{file: {folder}/C.npy}}}}\n")
        done = run_job(job, folder / "several", ranks=3)
        if not checks.equal(f"{name}: exit status {done.err[-300:]}", done.status, 0):
            continue
        checks.check(line.startswith(f"method {done.report['method']},"), f"{name}: method {done.report['method']}")
        checks.close(f"{name}: objective", done.report["objective"], optimum + np.sum(values[2:] ** 2), 1e-8)
        plan = run(["plan", job])
        checks.check(line in plan.out, f"{name}: plan says {plan.out[:300]}")


def test_preconditioners(checks, folder, data):
    terms = [(2 * data["A"], data["B"]), (2 * data["D"], data["E"]), (0.04 * data["F"], data["G"])]
    expected = solve_terms(terms, data["C"])
    job = write_job(folder, "job", "tr(X'*A*X*B) + tr(X'*D*X*E) + 0.02*tr(X'*F*X*G) - tr(C'*X)", list("ABDEFGC"),
                    "solver: {gradient_tolerance: 1e-10, max_iterations: 5000}")
    iterations = {}
    for choice in ("none", "diagonal", "kronecker", "auto"):
        for ranks in (1, 3, 4) if choice != "none" else (2,):
            done = run_job(job, folder / f"{choice} {ranks}", ranks=ranks, settings={"solver.preconditioner": choice})
            check_solution(checks, f"preconditioner {choice} on {ranks}", done, expected)
            iterations[choice] = done.report["iterations"]
        checks.equal(f"preconditioner {choice}", done.report["preconditioner"],
                     "kronecker" if choice == "auto" else choice)
    checks.check(2 * iterations["kronecker"] < iterations["none"], f"kronecker halves the iterations: {iterations}")
    # Diagonal data: the diagonal is the Hessian, and one step is enough; a V' term has its part in it.
    plain = write_job(folder, "job", "sumsq(X) + 3*sumsq(diagvec(X'*C)) - tr(C'*X)", "C",
                      "solver: {preconditioner: diagonal}")
    done = run_job(plain, folder / "no products", ranks=1)
    checks.check(done.status == 2 and "preconditioner diagonal" in done.err, f"no operator: {done.err}")
    for choice in ("diagonal", "kronecker"):
        for method, why in (("l-bfgs", "no Hessian at zero"),
                            ("barzilai-borwein", "the proximal step of norm1 has no use for one")):
            job = write_job(folder, "job", "sum(abs(X)) + sum(exp(X)) - sum(X)", "",
                            f"solver: {{preconditioner: {choice}, method: {method}}}")
            done = run_job(job, folder / "exp", ranks=1)
            checks.check(done.status == 2 and why in done.err, f"{choice} of a kink by {method}: {done.err}")
        # Automatic is the proximal Newton method, which a diagonal metric scales.
        job = write_job(folder, "job", "sum(abs(X)) + sum(exp(X)) - sum(X)", "", f"solver: {{preconditioner: {choice}}}")
        done = run_job(job, folder / "exp", ranks=1)
        if choice == "diagonal":
            checks.equal(f"diagonal of a kink: exit status ({done.err.strip()[-300:]})", done.status, 0)
            checks.equal("diagonal of a kink: method", done.report["method"], "proximal-newton-cg")
        else:
            checks.check(done.status == 2 and "does not go with constraints" in done.err, f"a kink: {done.err}")
        job = write_job(folder, "job", "sumsq(X)", "",
                        f"solver: {{preconditioner: {choice}, method: barzilai-borwein}}")
        done = run_job(job, folder / "exp", ranks=1)
        checks.check(done.status == 2 and "barzilai-borwein has no use for one" in done.err,
                     f"{choice} with barzilai-borwein: {done.err}")
    job = write_job(folder, "job", "tr(X'*K*X) + 40*sumsq(X*B) - tr(C'*X)", "KBC",
                    "solver: {method: conjugate-gradient, preconditioner: diagonal}")
    done = run_job(job, folder / "negative", ranks=2)
    checks.check(done.status == 1 and "diagonal of the Hessian" in done.err and "take none" in done.err,
                 f"negative diagonal: {done.err}")


def test_one_row(checks, folder):
    """A variable of one row or column: the Hessian's factor on that side is a number, and so is the identity added to it."""
    generator = np.random.default_rng(21)
    C, d = generator.standard_normal((26, 15)), generator.standard_normal((26, 1))
    np.save(folder / "one-C.npy", C)
    np.save(folder / "one-d.npy", d)
    expected = d.T @ C / ((d * d).sum() + 0.3)
    for name, loss, shape, answer in (("row", "sumsq(C - d*X)", "rows: 1, columns: 15", expected),
                                      ("column", "sumsq(C' - X*d')", "rows: 15, columns: 1", expected.T)):
        job = folder / f"one-{name}.yaml"
        job.write_text(f"minimize: {loss} + 0.3*sumsq(X)\nvariables: {{X: {{{shape}}}}}\n"
                       f"data: {{C: {{file: {folder}/one-C.npy}}, d: {{file: {folder}/one-d.npy}}}}\n"
                       "output: {directory: out, variables: {X: X.npy}}\n")
        for settings in ({}, {"solver.method": "conjugate-gradient", "solver.preconditioner": "diagonal"}):
            done = run_job(job, folder / f"one {name}", ranks=2, settings=settings)
            check_solution(checks, f"one {name}, {settings}", done, answer)


def test_loss(checks, folder):
    """A convex loss under auto is preconditioned by its Hessian at zero: fewer products, the minimum of Newton's method."""
    generator = np.random.default_rng(8)
    design = generator.standard_normal((90, M)) * np.logspace(0, 2, M) / 30
    labels = (generator.random((90, 2)) < 0.5).astype(float)
    np.save(folder / "design.npy", design)
    np.save(folder / "labels.npy", labels)
    job = folder / "loss.yaml"
    job.write_text("minimize: sum(softplus(K*X)) - dot(T, K*X) + mu*sumsq(X)\n"
                   f"variables: {{X: {{rows: {M}, columns: 2, start: normal}}}}\n"
                   f"data: {{K: {{file: {folder}/design.npy}}, T: {{file: {folder}/labels.npy}}, mu: 1.0e-3}}\n"
                   "solver: {gradient_tolerance: 1e-9, max_iterations: 5000}\n"
                   "output: {variables: {X: X.npy}}\n")
    expected = np.zeros((M, 2))
    for k in range(2):
        for _ in range(60):
            p = 1 / (1 + np.exp(-design @ expected[:, k]))
            slope = design.T @ (p - labels[:, k]) + 2e-3 * expected[:, k]
            hessian = design.T @ (design * (p * (1 - p))[:, None]) + 2e-3 * np.eye(M)
            expected[:, k] -= np.linalg.solve(hessian, slope)
    products = {}
    for choice, taken in (("auto", "kronecker"), ("diagonal", "diagonal"), ("none", "none")):
        for ranks in (1, 3) if choice == "auto" else (2,):
            done = run_job(job, folder / f"loss {choice}", ranks=ranks, settings={"solver.preconditioner": choice})
            if not checks.equal(f"loss {choice}: exit status ({done.err.strip()[-300:]})", done.status, 0):
                return
            checks.equal(f"loss {choice}: preconditioner", done.report["preconditioner"].split(",")[0], taken)
            error = np.linalg.norm(np.load(folder / f"loss {choice}" / "X.npy") - expected) / np.linalg.norm(expected)
            checks.check(error < 1e-5, f"loss {choice} on {ranks} ranks: X is off by {error:.1e}")
            products[choice] = done.report["products"]
    checks.check(2 * products["auto"] < products["none"], f"the Hessian at zero halves the products: {products}")
    named = run_job(job, folder / "loss named", ranks=1, settings={"solver.method": "l-bfgs"})
    checks.equal("a named method stays as it is", named.report["preconditioner"], "none")


def test_nearly_singular(checks, folder):
    """A sum of squares whose Hessian's condition rounding hides: bounded below, whatever the curvatures' last digits say."""
    job = folder / "hilbert.yaml"
    job.write_text("minimize: sumsq(H*X - C)\nvariables: {X: {rows: 8, columns: 3}}\n"
                   "data: {H: {generate: hilbert, rows: 100, columns: 8}, C: {generate: normal, rows: 100, columns: 3}}\n")
    for method in ("conjugate-gradient", "l-bfgs", "barzilai-borwein"):
        done = run_job(job, folder / f"hilbert {method}", ranks=1, settings={"solver.method": method})
        checks.check(done.report is not None and done.report["status"] in ("converged", "stalled", "iteration_limit"),
                     f"{method} on a Hilbert matrix: {done.report and done.report['reason']} {done.err}")


def test_floor(checks, folder):
    """Condition 1e14: the gradient cannot fall to 1e-8; direct says so at its rounding error, near the true optimum."""
    generator = np.random.default_rng(9)
    spectra, matrices, bases = (np.logspace(0, -8, 40), np.logspace(0, -6, 30)), [], []
    for spectrum in spectra:
        basis = np.linalg.qr(generator.standard_normal((len(spectrum), len(spectrum))))[0]
        bases.append(basis)
        matrices.append((basis * spectrum) @ basis.T)
    linear = generator.standard_normal((40, 30))
    for name, matrix in (("left", matrices[0]), ("right", matrices[1]), ("linear", linear)):
        np.save(folder / f"{name}.npy", (matrix + matrix.T) / 2 if name != "linear" else matrix)
    job = folder / "floor.yaml"
    job.write_text("minimize: tr(A*X*B*X') - 2*tr(C'*X)\nvariables: {X: {rows: 40, columns: 30}}\n"
                   f"data: {{A: {{file: {folder}/left.npy, spd: true}}, B: {{file: {folder}/right.npy, spd: true}}, "
                   f"C: {{file: {folder}/linear.npy}}}}\n")
    done = run_job(job, folder / "floor", ranks=2)
    checks.equal(f"floor: exit status ({done.err.strip()[-300:]})", done.status, 3)
    checks.equal("floor: status", done.report["status"], "stalled")
    checks.check("rounding error" in done.report["reason"] and "ridge" in done.report["reason"],
                 f"floor: the reason {done.report['reason']!r}")
    turned = bases[0].T @ linear @ bases[1]
    checks.close("floor: objective", done.report["objective"], -(turned**2 / np.outer(*spectra)).sum(), 1e-6)


def test_transposed_diagonal(checks, folder, data):
    """tr(S1 X S2 X) + shift |X|^2 has V' terms; with them the diagonal still solves a quadratic in fewer steps."""
    job = folder / "turned.yaml"
    job.write_text("minimize: \"5*tr(X'*A*X*A) + tr(A*X*A*X) + sumsq(X) - tr(A*X)\"\n"
                   f"variables: {{X: {{rows: {M}, columns: {M}}}}}\n"
                   f"data: {{A: {{file: {folder}/A.npy, spd: true}}}}\n"
                   "solver: {preconditioner: diagonal, gradient_tolerance: 1e-10}\n"
                   "output: {directory: out, variables: {X: X.npy}}\n")
    a = data["A"]
    h = 10 * np.kron(a, a) + 2 * np.eye(M * M)
    turn = np.zeros((M * M, M * M))
    for i in range(M):
        for j in range(M):
            turn[i + j * M, j + i * M] = 1
    h += 2 * np.kron(a, a) @ turn
    expected = np.linalg.solve(h, a.reshape(-1, order="F")).reshape(M, M, order="F")
    for ranks in (1, 4):
        check_solution(checks, "transposed terms", run_job(job, folder / "turned", ranks=ranks), expected)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = make_data()
        for key, matrix in data.items():
            np.save(folder / f"{key}.npy", np.asfortranarray(matrix))
        test_closed_forms(checks, folder, data)
        test_start_kept(checks, folder, data)
        test_refusals(checks, folder)
        test_after_direct(checks, folder)
        test_auto_falls_back(checks, folder)
        test_auto_in_several_variables(checks, folder)
        test_preconditioners(checks, folder, data)
        test_one_row(checks, folder)
        test_loss(checks, folder)
        test_floor(checks, folder)
        test_nearly_singular(checks, folder)
        test_transposed_diagonal(checks, folder, data)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
