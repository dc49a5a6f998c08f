"""General equalities and inequalities (subject_to), against NumPy: KKT systems, optimality certificates, eigenvalues.

The independent answers are linear systems, closed forms, or a certificate: for a convex job, multipliers fitted to the
point found by least squares must have the right signs and leave no gradient.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run, run_job

checks = Checks()


def save_data(folder):
    rng = np.random.default_rng(5)
    n, p = 20, 3
    M, N = rng.standard_normal((2, n, n))
    data = {"S": M @ M.T / n + 0.1 * np.eye(n), "N": N + N.T, "R": rng.standard_normal((n, p)),
            "r": rng.standard_normal((n, 1)), "G": rng.standard_normal((5, n)), "B": 0.1 * rng.standard_normal((5, p))}
    for name, matrix in data.items():
        np.save(folder / f"{name}.npy", matrix)
    return data


DATA_LINES = {"S": "  S: {file: S.npy, spd: true}\n", "N": "  N: {file: N.npy, symmetric: true}\n",
              "R": "  R: {file: R.npy}\n", "r": "  r: {file: r.npy}\n", "G": "  G: {file: G.npy}\n", "B": "  B: {file: B.npy}\n"}


def write_job(folder, name, objective, relations, variable="", data="", solver="", goal="minimize"):
    """A job in X, 20 x 3; `data` are letters of DATA_LINES."""
    text = f"{goal}: {objective}\nsubject_to:\n" + "".join(f"  - {relation}\n" for relation in relations)
    text += f"variables:\n  X: {{rows: 20, columns: 3{variable}}}\n"
    if data:
        text += "data:\n" + "".join(DATA_LINES[letter] for letter in data)
    text += f"solver: {{{solver}}}\noutput: {{variables: {{X: X.npy}}}}\n"
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def solve(folder, name, job, ranks, status="converged", exit_status=0, settings=None):
    finished = run_job(job, folder / f"{name}-{ranks}", ranks=ranks, settings=settings)
    what = f"{name} on {ranks} ranks"
    if not checks.equal(f"{what}: exit status ({finished.err.strip()[-300:]})", finished.status, exit_status):
        return None, None
    report = finished.report
    checks.equal(f"{what}: status", report["status"], status)
    if status == "converged":
        for entry in report["subject_to"]["constraints"]:
            checks.check(entry["violation"] <= 1e-8 * entry["size"] and 0 < entry["size"] < 1000, f"{what}: violation {entry}")
        iterations = [record["iteration"] for record in finished.history]
        checks.equal(f"{what}: iterations in the history", iterations, list(range(report["iterations"] + 1)))
    return report, np.load(finished.folder / "X.npy")


def check_point(what, report, X, value, violation):
    """What the report claims of the point is recomputed from the point."""
    checks.close(f"{what}: objective in the report", report["objective"], value, 1e-12)
    checks.check(abs(report["constraint_violation"] - violation) <= 1e-13 + 1e-9 * violation,
                 f"{what}: violation {report['constraint_violation']}, recomputed {violation}")
    checks.check(np.isfinite(X).all(), f"{what}: not finite")


def test_equality(folder, d):
    """min tr(X'SX)/2 - <R, X>, X ones = r: the KKT system S X + m 1' = R, X 1 = r."""
    n, p = d["R"].shape
    inverse, one = np.linalg.inv(d["S"]), np.ones((p, 1))
    m = np.linalg.solve(inverse * p, inverse @ d["R"] @ one - d["r"])
    X = inverse @ (d["R"] - m @ one.T)
    job = write_job(folder, "equality", "0.5*tr(X'*S*X) - dot(R, X)", ["X*ones = r"], data="SRr")
    found = {}
    for ranks in (1, 2, 3, 4, 7):
        report, found[ranks] = solve(folder, "equality", job, ranks)
        if report is None:
            return
        Y = found[ranks]
        check_point(f"equality {ranks}", report, Y, 0.5 * np.trace(Y.T @ d["S"] @ Y) - (d["R"] * Y).sum(),
                    abs(Y @ one - d["r"]).max())
        checks.check(abs(Y - X).max() <= 1e-7 * abs(X).max(), f"equality on {ranks} ranks: X is off by {abs(Y - X).max()}")
        checks.close("equality: |multipliers|", report["subject_to"]["multiplier_norm"], np.linalg.norm(m), 1e-6)
        checks.check(np.abs(Y - found[1]).max() <= 1e-11, f"equality: {ranks} ranks and 1 differ")
    # The quadratic stays one: each round is solved directly, in a handful of rounds.
    checks.equal("equality: method", report["method"], "direct")
    checks.check(report["subject_to"]["rounds"] <= 15, f"equality: {report['subject_to']['rounds']} rounds")


def certificate(what, gradient, normals, is_active, is_equality, tolerance):
    """gradient + sum of m_k normals_k = 0 with m_k >= 0 on active inequalities, 0 on others."""
    used = is_active | is_equality
    m, *_ = np.linalg.lstsq(normals[:, used], -gradient, rcond=None)
    rest = np.linalg.norm(gradient + normals[:, used] @ m)
    checks.check(rest <= tolerance * np.linalg.norm(gradient), f"{what}: no multipliers fit, rest {rest:.2e}")
    lowest = m[~is_equality[used]].min(initial=0)
    checks.check(lowest >= -tolerance, f"{what}: a multiplier is {lowest:.2e}")


def test_units(folder):
    """From zero, where the gradient of f vanishes, another unit of f changes no iteration; x'Qx under sum(x) = 1 is 1/sum(1/q)."""
    counts = []
    for scale in (1e-12, 1e-6, 1, 1e12):
        job = folder / "units.yaml"
        job.write_text(f"minimize: x'*Q*x\nvariables: {{x: {{rows: 2, columns: 1}}}}\ndata: {{Q: {{file: Q.npy}}}}\n"
                       "subject_to: ['sum(x) = 1']\n")
        np.save(folder / "Q.npy", scale * np.diag([1.0, 2]))
        done = run_job(job, folder / "units", ranks=1)
        if checks.equal(f"units {scale}: exit status ({(done.report or {}).get('reason', done.err)})", done.status, 0):
            checks.close(f"units {scale}: objective", done.report["objective"], scale * 2 / 3, 1e-7)
            counts.append(done.report["iterations"])
    checks.equal("units: iterations", len(set(counts)), 1)


def test_loss(folder, d):
    """A convex loss under a linear equality has its preconditioner in the rounds, too; the KKT residual is NumPy's."""
    loss = "sum(softplus(N*X)) + 0.1*sumsq(X) - dot(R, X)"
    job = write_job(folder, "loss", loss, ["G*X = B"], data="NRGB", solver="max_iterations: 20000")
    products = {}
    for choice, ranks in (("auto", 1), ("auto", 3), ("none", 2)):
        report, X = solve(folder, "loss", job, ranks, settings={"solver.preconditioner": choice})
        if report is None:
            return
        products[choice] = report["products"]
        checks.equal(f"loss, {choice}: preconditioner", report["preconditioner"].split(",")[0],
                     "kronecker" if choice == "auto" else "none")
        gradient = d["N"] @ (1 / (1 + np.exp(-d["N"] @ X))) + 0.2 * X - d["R"]
        multipliers = np.linalg.lstsq(d["G"].T, -gradient, rcond=None)[0]
        checks.check(np.linalg.norm(gradient + d["G"].T @ multipliers) <= 1e-5, f"loss, {choice}: not stationary")
    checks.check(2.5 * products["auto"] < products["none"], f"loss: products {products}")


def test_portfolio(folder, d):
    """min tr(X'SX)/2 - <R, X>, 1'X = 1', G X <= B: columns apart, certified by multipliers."""
    job = write_job(folder, "portfolio", "0.5*tr(X'*S*X) - dot(R, X)", ["ones(1,20)*X = ones", "G*X <= B"], data="SRGB")
    for ranks in (1, 2, 4):
        report, X = solve(folder, "portfolio", job, ranks)
        if report is None:
            return
        check_point(f"portfolio {ranks}", report, X, 0.5 * np.trace(X.T @ d["S"] @ X) - (d["R"] * X).sum(),
                    max(abs(X.sum(0) - 1).max(), (d["G"] @ X - d["B"]).max(), 0))
    normals = np.column_stack([np.ones(20), d["G"].T])
    is_equality = np.array([True] + 5 * [False])
    count = 0
    for k in range(3):
        is_active = np.concatenate([[False], d["G"] @ X[:, k] - d["B"][:, k] > -1e-6])
        certificate(f"portfolio, column {k}", d["S"] @ X[:, k] - d["R"][:, k], normals, is_active, is_equality, 1e-6)
        count += is_active.sum()
    checks.check(0 < count < 15, f"portfolio: {count} of 15 inequalities are active: the test tests too little")


def test_bounds_three_ways(folder, d):
    """X on simplices: as entries of subject_to, with a set for one part, and as a set: one optimum."""
    objective = "0.5*tr(X'*S*X) - dot(R, X)"
    ways = {"entries": (["ones(1,20)*X = 1", "X >= 0"], ""), "mixed": (["1 = ones(1,20)*X"], ", constraint: nonnegative"),
            "set": (["sum(X) <= 1000"], ", constraint: simplex_columns")}
    points = {}
    for name, (relations, variable) in ways.items():
        job = write_job(folder, name, objective, relations, variable, "SR")
        report, points[name] = solve(folder, name, job, 2)
        if report is None:
            return
    for name in ("entries", "mixed"):
        error = abs(points[name] - points["set"]).max()
        checks.check(error <= 1e-6, f"simplex by {name}: off by {error:.1e}")
    checks.equal("simplex by set: multipliers of what does not bind", report["subject_to"]["multiplier_norm"], 0.0)


def test_eigenvalues(folder, d):
    """The largest eigenvalues by X'X = I as an entry: not convex, every local optimum is global."""
    top = np.linalg.eigvalsh(d["N"])[-3:].sum()
    job = write_job(folder, "stiefel", "tr(X'*N*X)", ["X'*X = eye"], ", start: normal", "N", goal="maximize")
    for ranks in (1, 4):
        report, X = solve(folder, "stiefel", job, ranks)
        if report is None:
            return
        check_point("stiefel", report, X, np.trace(X.T @ d["N"] @ X), abs(X.T @ X - np.eye(3)).max())
        checks.close("stiefel: objective", report["objective"], top, 1e-7)


def test_manifold(folder, d):
    """On orthonormal columns, orthogonal to the ones vector: eigenvalues of the projected matrix."""
    P = np.eye(20) - np.ones((20, 20)) / 20
    top = np.linalg.eigvalsh(P @ d["N"] @ P)[-3:].sum()
    job = write_job(folder, "deflated", "-tr(X'*N*X)", ["ones(1,20)*X = 0"],
                    ", start: normal, constraint: orthonormal_columns", "N")
    report, X = solve(folder, "deflated", job, 2)
    if report is None:
        return
    checks.close("deflated: objective", report["objective"], -top, 1e-7)
    checks.check(abs(X.T @ X - np.eye(3)).max() <= 1e-12, "deflated: X has left the manifold")


def test_ball(folder, d):
    """maximize <R, X>, |X|^2 <= 4: 2 |R|, and the multiplier |R| / 4."""
    job = write_job(folder, "ball", "dot(R, X)", ["sumsq(X) <= 4"], data="R", goal="maximize")
    report, _ = solve(folder, "ball", job, 3)
    if report is None:
        return
    norm = np.linalg.norm(d["R"])
    checks.close("ball: objective", report["objective"], 2 * norm, 1e-8)
    checks.close("ball: multiplier", report["subject_to"]["constraints"][0]["multiplier_norm"], norm / 4, 1e-6)


def test_held_by_the_constraint(folder, d):
    """An indefinite quadratic that only its constraint bounds: the penalty has to grow first."""
    job = write_job(folder, "held", "tr(X'*N*X)", ["X = R"], data="NR")
    report, X = solve(folder, "held", job, 2)
    if report is not None:
        checks.check(abs(X - d["R"]).max() <= 1e-8 * abs(d["R"]).max(), "held: X is not R")


def pool(y):
    """Isotonic regression by pooling adjacent violators."""
    blocks = []
    for value in y:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (b, n), (a, m) = blocks.pop(), blocks.pop()
            blocks.append([(a * m + b * n) / (m + n), m + n])
    return np.concatenate([np.full(n, value) for value, n in blocks])


def test_first_penalty(folder):
    """A feasible start: the penalty follows the curvatures, whatever the units of f, and the rounds are few and short."""
    y = np.arange(60) / 20 + np.random.default_rng(0).standard_normal(60)
    np.save(folder / "Y.npy", y[:, None])
    np.save(folder / "D.npy", -np.diff(np.eye(60), axis=0))
    answer = pool(y)
    counts = {}
    for method, scale, most in (("auto", 1, 450), ("newton-cg", 1, 80), ("auto", 1e6, 450)):
        job = folder / "isotonic.yaml"
        job.write_text("\n".join([f'minimize: "{scale}*sumsq(x - Y)"', "variables:", "  x: {rows: 60, columns: 1}", "data:",
                                  f"  Y: {{file: {folder}/Y.npy}}", f"  D: {{file: {folder}/D.npy}}", "subject_to:", "  - D*x <= 0",
                                  f"solver: {{method: {method}, max_iterations: 3000}}",
                                  "output: {directory: out, variables: {x: x.npy}}", ""]))
        name = f"isotonic-{method}-{scale}"
        found = run_job(job, folder / name, ranks=1)
        if not checks.check(found.status == 0, f"{name}: exit {found.status}: {found.err[-300:]}"):
            continue
        counts[name] = found.report["iterations"]
        checks.check(counts[name] <= most, f"{name}: {counts[name]} iterations, at most {most} expected")
        checks.check(abs(np.load(folder / name / "x.npy")[:, 0] - answer).max() <= 1e-6, f"{name}: not the isotonic regression")
        checks.check(scale / 10 <= found.report["subject_to"]["penalty"] <= 1e5 * scale,
                     f"{name}: the penalty ends at {found.report['subject_to']['penalty']}")


def test_entropy(folder):
    """sum(x.*log(x)) + c'*x with sum(x) = 1 by subject_to: -log(sum(exp(-c))); trial points leave the domain of log."""
    for seed, scale in ((1, 0), (1, 3), (2, 1), (3, 3), (4, 1), (5, 3), (6, 1)):
        c = scale * np.random.default_rng(seed).standard_normal((6, 1))
        np.save(folder / "c.npy", c)
        job = folder / "entropy.yaml"
        job.write_text("minimize: sum(x.*log(x)) + c'*x\nsubject_to: [sum(x) = 1]\nvariables: {x: {rows: 6, columns: 1}}\n"
                       "data: {c: {file: c.npy}}\noutput: {variables: {x: x.npy}}\n")
        finished = run_job(job, folder / f"entropy-{seed}-{scale}")
        what = f"entropy, seed {seed}, scale {scale}"
        if checks.equal(f"{what}: exit status ({finished.err[-300:]})", finished.status, 0):
            checks.close(f"{what}: objective", finished.report["objective"], -np.log(np.exp(-c).sum()), 1e-6)


def test_ends(folder):
    """Contradiction, no bound, limits: a true status and a sentence."""
    job = write_job(folder, "contradiction", "sumsq(X)", ["sum(X) = 1", "sum(X) = 2"], ", start: normal")
    report, X = solve(folder, "contradiction", job, 2, "stalled", 3)
    if report is not None:
        checks.check("the constraints cannot be met: 'sum(X) = " in report["reason"], f"contradiction: {report['reason']}")
        checks.check(abs(report["constraint_violation"] - max(abs(X.sum() - 1), abs(X.sum() - 2))) < 1e-9,
                     f"contradiction: violation {report['constraint_violation']}, the sum is {X.sum()}")
    job = write_job(folder, "unbounded", "dot(R, X)", ["ones(1,20)*X = 1"], data="R")
    report, _ = solve(folder, "unbounded", job, 1, "unbounded", 4)
    job = write_job(folder, "saddle", "-tr(X'*N*X)", ["X'*X = eye"], ", start: zeros", data="N")
    report, _ = solve(folder, "saddle", job, 1)
    if report is not None:
        least = -np.linalg.eigvalsh(np.load(folder / "N.npy"))[-3:].sum()
        checks.close("saddle: objective", report["objective"], least, 1e-7)
        checks.check(report["saddles"] > 0, "saddle: none was left")
    report, _ = solve(folder, "saddle", job, 1, "stalled", 3, {"solver.saddles": "stop"})
    checks.check(report and "or a saddle" in report["reason"],
                 f"saddle: {report and report['reason']}")
    job = write_job(folder, "limit", "sumsq(X'*X - 4*eye) + sum(X)", ["ones(1,20)*X = 1"], ", start: normal")
    report, X = solve(folder, "limit", job, 2, "iteration_limit", 3, {"solver.max_iterations": 4})
    if report is not None:
        checks.equal("limit: iterations", report["iterations"], 4)
        check_point("limit", report, X, ((X.T @ X - 4 * np.eye(3)) ** 2).sum() + X.sum(), abs(X.sum(0) - 1).max())


def test_options(folder, d):
    """The tolerance and the first penalty are the job's."""
    job = write_job(folder, "options", "0.5*tr(X'*S*X) - dot(R, X)", ["X*ones = r"], data="SRr")
    rounds = {}
    for name, settings in (("default", {}), ("loose", {"solver.constraint_tolerance": 1e-3}),
                           ("heavy", {"solver.penalty": 1e4})):
        finished = run_job(job, folder / f"options-{name}", ranks=1, settings=settings)
        checks.equal(f"options {name}: exit status ({finished.err[-300:]})", finished.status, 0)
        X, report = np.load(finished.folder / "X.npy"), finished.report
        violation = abs(X.sum(axis=1, keepdims=True) - d["r"]).max()
        rounds[name] = report["subject_to"]["rounds"]
        size = report["subject_to"]["constraints"][0]["size"] # of the terms X*ones and r
        checks.check(violation <= (1e-3 if name == "loose" else 1e-8) * size and size < 5 * np.sqrt((d["r"]**2).mean()),
                     f"options {name}: violation {violation}, size {size}")
        checks.check(name != "heavy" or report["subject_to"]["penalty"] >= 1e4, "options: the penalty is not the job's")
    checks.check(rounds["loose"] < rounds["default"] and rounds["heavy"] < rounds["default"], f"options: rounds {rounds}")


REFUSED = [  # entry, place in it (column from 1), words of the message
    ("G*X <= X", 8, ["5 x 3", "20 x 3"]),
    ("X - R", 1, ["no =, <= or >=", "X - R = 0"]),
    ("X < R", 3, ["found '<'"]),
    ("0 <= X <= 1", 8, ["a second sign"]),
    ("X =< R", 3, ["found '=<'"]),
    ("X = Q", 5, ["Q"]),
    ("X = R +", 8, ["expected"]),
    ("(X = R)", 3, ["expected ')'"]),
    ("= R", 1, ["nothing stands on the left"]),
    ("tr(R'*R) = 1", 1, ["does not depend on any variable"]),
    ("X*sum(ones) = R", 7, ["size of ones cannot be inferred"]),
]


def test_refusals(folder):
    for number, (entry, column, words) in enumerate(REFUSED):
        job = write_job(folder, f"refused-{number}", "sumsq(X - R)", ["'" + entry.replace("'", "''") + "'"], data="RG")
        for command in ("plan", "run"):
            finished = run([command, job], ranks=2 if command == "run" and number == 0 else 0)
            checks.equal(f"{command} with {entry}: exit status ({finished.err[-300:]})", finished.status, 2)
            for word in words:
                checks.check(word in finished.err, f"{command} with {entry}: no '{word}' in {finished.err}")
        place = f"refused-{number}.yaml:3:{column + 5 + entry[:column - 1].count(chr(39))}:"
        checks.check(place in finished.err, f"{entry}: expected {place} in {finished.err}")


def test_commands(folder, d):
    """check tests the derivatives of the augmented Lagrangian; plan prices it and says what each round does."""
    job = write_job(folder, "commands", "0.5*tr(X'*S*X) - dot(R, X)", ["X*ones = r", "G*X <= B"], data="SRrGB")
    finished = run(["check", job], ranks=2)
    checks.equal(f"check: exit status ({finished.err[-300:]})", finished.status, 0)
    checks.check("subject to: G*X <= B" in finished.out and "passed" in finished.out, f"check says: {finished.out}")
    finished = run(["plan", job])
    checks.check("augmented Lagrangian" in finished.out and "subject to: X*ones = r" in finished.out,
                 f"plan says: {finished.out} {finished.err}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-subject-") as temporary:
        folder = Path(temporary)
        data = save_data(folder)
        for test in (test_equality, test_loss, test_portfolio, test_bounds_three_ways, test_eigenvalues, test_manifold,
                     test_ball, test_held_by_the_constraint, test_options, test_commands):
            test(folder, data)
        test_first_penalty(folder)
        test_units(folder)
        test_entropy(folder)
        test_ends(folder)
        test_refusals(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
