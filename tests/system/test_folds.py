"""Cross-validation: folds of rows, columns and entries, their scores, the best point, against fits by NumPy."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import ROOT, Checks, run, run_job

checks = Checks()
rng = np.random.default_rng(18)
N, P, T = 47, 8, 3
X = rng.standard_normal((N, P))
Y = X @ rng.standard_normal((P, T)) + 2 * rng.standard_normal((N, T))

RIDGE = """minimize: sumsq(Y - X*W) + lambda*sumsq(W)
variables: {W: {}}
data: {X: {file: X.npy}, Y: {file: Y.npy}, lambda: 0.1}
sweep: {lambda: {logspace: [1e-2, 1e3, 6]}}
folds: {of: [X, Y], rows: 5, score: "sumsq(Y - X*W)/sumsq(Y)"}
keep: [W]
"""


def write(folder, name, text, x=X, y=Y):
    np.save(folder / "X.npy", x)
    np.save(folder / "Y.npy", y)
    job = folder / f"{name}.yaml"
    job.write_text(text)
    return job


def rows_of(folder):
    return [json.loads(line) for line in (Path(folder) / "sweep.jsonl").read_text().splitlines()]


def neighbours(n, k):
    """The folds without shuffling: the first ones have one more."""
    sizes = [n // k + (f < n % k) for f in range(k)]
    ends = np.cumsum(sizes)
    return [np.arange(end - size, end) for size, end in zip(sizes, ends)]


def scramble(z):
    mask = (1 << 64) - 1
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    return z ^ z >> 31


def draw(seed, place):
    golden, mask = 0x9E3779B97F4A7C15, (1 << 64) - 1
    return scramble((scramble((seed + golden) & mask) + (place + 1) * golden) & mask)


def drawn(n, k, seed):
    order = sorted(range(n), key=lambda i: (draw(seed, i), i))
    return [np.sort(np.array(order)[part]) for part in neighbours(n, k)]


def fit(x, y, lam):
    return np.linalg.solve(x.T @ x + lam * np.eye(x.shape[1]), x.T @ y)


def judged(x, y, lam, own):
    left = np.setdiff1d(np.arange(len(x)), own)
    W = fit(x[left], y[left], lam)
    return W, ((y[own] - x[own] @ W) ** 2).sum() / (y[own] ** 2).sum()


def compare(name, out, folds, x=X, y=Y, tolerance=1e-9):
    rows = rows_of(out)
    for row in rows:
        own = folds[int(row["parameters"]["fold"]) - 1]
        W, score = judged(x, y, row["parameters"]["lambda"], own)
        checks.close(f"{name}: score of {row['parameters']}", row["score"], score, tolerance)
        found = np.load(out / row["folder"] / "W.npy")
        checks.check(np.linalg.norm(found - W) <= tolerance * np.linalg.norm(W), f"{name}: W of {row['parameters']}")
    return rows


def test_rows(folder):
    job = write(folder, "rows", RIDGE)
    for ranks in (0, 2, 3, 4, 7):
        out = folder / f"rows-{ranks}"
        done = run_job(job, out, ranks=ranks, settings={} if ranks <= 2 else {"sweep.lambda": "[1]"})
        if not checks.equal(f"rows on {ranks} ranks: exit status ({done.err[-400:]})", done.status, 0):
            return
        shown = done.out if ranks == 0 else shown
        rows = compare(f"rows on {ranks} ranks", out, drawn(N, 5, 1))
        checks.equal("rows: one for each point and fold", len(rows), 30 if ranks <= 2 else 5)
        checks.check("X'*X of all the data" in done.err, f"rows: the Gram matrix of all the data serves: {done.err[-2500:]}")
    summary = json.loads((folder / "rows-0" / "scores.json").read_text())
    lambdas = [point["parameters"]["lambda"] for point in summary["points"]]
    scores = np.array([[judged(X, Y, lam, own)[1] for own in drawn(N, 5, 1)] for lam in lambdas])
    mean, error = scores.mean(axis=1), scores.std(axis=1, ddof=1) / np.sqrt(5)
    for k, point in enumerate(summary["points"]):
        checks.close("summary: mean", point["mean"], mean[k], 1e-9)
        checks.close("summary: standard error", point["standard_error"], error[k], 1e-9)
    best = int(mean.argmin())
    simplest = max(k for k in range(6) if mean[k] <= mean[best] + error[best])
    checks.equal("summary: best", summary["best"], best)
    checks.equal("summary: one standard error", summary["one_standard_error"], simplest)
    checks.check(f"best: lambda = {lambdas[best]:.6g}: score" in shown, f"the best on the terminal: {shown[-500:]}")
    checks.check(f"one standard error: lambda = {lambdas[simplest]:.6g}: score" in shown, f"the simplest: {shown[-500:]}")


def test_neighbours(folder):
    """Without shuffling, and without a sweep: a point for each fold."""
    text = RIDGE.replace("sweep: {lambda: {logspace: [1e-2, 1e3, 6]}}\n", "").replace("rows: 5", "rows: 4, shuffle: false")
    out = folder / "neighbours"
    done = run_job(write(folder, "neighbours", text), out, ranks=2)
    checks.equal(f"neighbours: exit status ({done.err[-300:]})", done.status, 0)
    rows = rows_of(out)
    checks.equal("neighbours: points", [row["parameters"] for row in rows], [{"fold": k} for k in (1, 2, 3, 4)])
    for row, own in zip(rows, neighbours(N, 4)):
        checks.close("neighbours: score", row["score"], judged(X, Y, 0.1, own)[1], 1e-9)


def test_columns(folder):
    text = RIDGE.replace("X*W", "W*X").replace("rows: 5", "columns: 5, seed: 7")
    for ranks in (0, 4):
        out = folder / f"columns-{ranks}"
        done = run_job(write(folder, "columns", text, X.T, Y.T), out, ranks=ranks)
        checks.equal(f"columns: exit status ({done.err[-300:]})", done.status, 0)
        for row in rows_of(out):
            own = drawn(N, 5, 7)[int(row["parameters"]["fold"]) - 1]
            checks.close("columns: score", row["score"], judged(X, Y, row["parameters"]["lambda"], own)[1], 1e-9)


def test_entries(folder):
    """Entries are left out by the matrix of weights, which holds those of the fold in the score."""
    mask = (rng.random((N, T)) < 0.8).astype(float)
    np.save(folder / "M.npy", mask)
    text = """minimize: sumsq(M .* (Y - X*W)) + lambda*sumsq(W)
variables: {W: {}}
data: {X: {file: X.npy}, Y: {file: Y.npy}, M: {file: M.npy}, lambda: 0.1}
sweep: {lambda: [0.1, 10]}
folds: {of: [M], entries: 3, score: "sumsq(M .* (Y - X*W))/sum(M)", seed: 5}
solver: {gradient_tolerance: 1e-9}
"""
    fold_of = np.array([[1 + draw(5, i + j * N) % 3 for j in range(T)] for i in range(N)])
    for ranks in (0, 3):
        out = folder / f"entries-{ranks}"
        done = run_job(write(folder, "entries", text), out, ranks=ranks)
        checks.equal(f"entries: exit status ({done.err[-300:]})", done.status, 0)
        for row in rows_of(out):
            own = mask * (fold_of == row["parameters"]["fold"])
            left = mask - own
            W = np.column_stack([np.linalg.solve(X.T @ (left[:, [t]] * X) + row["parameters"]["lambda"] * np.eye(P), X.T @ (left[:, t] * Y[:, t]))
                                 for t in range(T)])
            checks.close(f"entries: score of {row['parameters']}", row["score"], (own * (Y - X @ W) ** 2).sum() / own.sum(), 1e-7)
    np.save(folder / "M.npy", np.eye(N, T))
    done = run_job(folder / "entries.yaml", folder / "few", ranks=2, settings={"folds.entries": 40})
    checks.check(done.status == 2 and "of the 3 entries that are not zero none is in fold" in done.err and "--set" in done.err,
                 f"entries: an empty fold: {done.status} {done.err[-400:]}")


def test_cancellation(folder):
    """A column that is nearly all in one fold: without it the Gram matrix is made from its own rows."""
    x = X.copy()
    x[:, 0] *= 1e-7
    x[3, 0] = 1e3
    out = folder / "cancelled"
    job = write(folder, "cancelled", RIDGE.replace("[1e-2, 1e3, 6]", "[1e-16, 1e-14, 2]"), x)
    done = run_job(job, out, ranks=2)
    checks.equal(f"cancellation: exit status ({done.err[-300:]})", done.status, 0)
    for row in rows_of(out):
        own = drawn(N, 5, 1)[int(row["parameters"]["fold"]) - 1]
        left = np.setdiff1d(np.arange(N), own)
        W = np.linalg.lstsq(np.vstack([x[left], np.sqrt(row["parameters"]["lambda"]) * np.eye(P)]), np.vstack([Y[left], np.zeros((P, T))]), rcond=None)[0]
        found = np.load(out / row["folder"] / "W.npy")
        error = np.linalg.norm((found - W) / np.linalg.norm(W, axis=1)[:, None])
        checks.check(error <= 1e-6, f"cancellation: W of {row['parameters']} is off by {error:.1e}")


def test_resume(folder):
    """Parts by themselves and together, and a sweep that goes on at another fold: the hashes are of all the data."""
    job = write(folder, "resumed", RIDGE)
    out = folder / "resumed"
    for points in ("14..29", "0..3"):
        done = run_job(job, out, ranks=0, options=["--points", points, "--resume"], force=False)
        checks.equal(f"part {points}: exit status ({done.err[-300:]})", done.status, 0)
    done = run_job(job, out, ranks=2, options=["--resume"], force=False)
    checks.equal(f"resumed: exit status ({done.err[-300:]})", done.status, 0)
    summary, whole = (json.loads((folder / name / "scores.json").read_text()) for name in ("resumed", "rows-0"))
    checks.equal("resumed: best", summary["best"], whole["best"])
    for a, b in zip(summary["points"], whole["points"]):
        checks.close("resumed: mean", a["mean"], b["mean"], 1e-10)
    done = run_job(job, out, ranks=0, settings={"folds.seed": 2}, options=["--resume"], force=False)
    checks.check(done.status == 2 and "rows of another sweep" in done.err, f"other folds: {done.err}")


def test_plan(folder):
    job = write(folder, "planned", RIDGE)
    plan = run(["plan", job])
    checks.check("sweep of 30 points" in plan.out and "X'*X, X'*Y: made once of all the data" in plan.out and "with what they share" in plan.out, plan.out[-900:] + plan.err)
    sweep = json.loads(run(["plan", job, "--format", "json"]).out)["sweep"]
    checks.equal("plan: points and axes", (sweep["points"], sweep["axes"]), (30, {"fold": 5, "lambda": 6}))
    checks.check(0 < sweep["shared_flops"] < sweep["flops"] < 30 * (sweep["point_flops"] + sweep["iteration_flops"]), f"plan: {sweep}")
    for limit, status in ((29, 2), (30, 0)):
        done = run(["plan", job, "--set", f"sweep_limit={limit}"])
        checks.equal(f"sweep_limit {limit}: {done.err}", (done.status, "30 points, expected at most 29" in done.err), (status, status == 2))


def test_several_variables(folder):
    """The score needs neither all variables nor all parts, and a smooth fit begins where the one before ended."""
    text = """minimize: sum(softplus(F)) - dot(Y, F) + mu*sumsq(W) + sumsq(b - c*ones(1,3))
define: {F: X*W, R: Y - X*W}
variables: {W: {}, c: {rows: 1, columns: 1}}
data: {X: {file: X.npy}, Y: {file: Y.npy}, b: {file: b.npy}, mu: 1}
sweep: {mu: [1, 2, 3]}
folds: {of: [Y, X], rows: 2, score: "sum(softplus(F)) - dot(Y, F)"}
solver: {gradient_tolerance: 1e-9}
"""
    np.save(folder / "b.npy", rng.standard_normal((1, 3)))
    labels = (Y > 0).astype(float)
    out = folder / "several"
    done = run_job(write(folder, "several", text.replace(", R: Y - X*W", ""), X, labels), out, ranks=2)
    checks.equal(f"several: exit status ({done.err[-400:]})", done.status, 0)
    rows = rows_of(out)
    checks.equal("several: warm", [row["warm"] for row in rows], [False] + 5 * [True])
    for row in rows:
        own = drawn(N, 2, 1)[int(row["parameters"]["fold"]) - 1]
        W = np.load(out / row["folder"] / "W.npy")
        F = X[own] @ W
        checks.close("several: score", row["score"], np.logaddexp(0, F).sum() - (labels[own] * F).sum(), 1e-10)


def test_gallery(folder):
    digits, labels = (np.load(ROOT / "configs" / "data" / f"digits-{k}.npy").astype(float) for k in "xy")
    out = folder / "gallery"
    done = run_job(ROOT / "configs" / "sweeps" / "ridge-folds-digits.yaml", out, ranks=2)
    checks.equal(f"gallery: exit status ({done.err[-300:]})", done.status, 0)
    points = json.loads((out / "scores.json").read_text())["points"]
    checks.equal("gallery: combinations", len(points), 9)
    for point in points[::4]:
        scores = [judged(digits, labels, point["parameters"]["lambda"], own)[1] for own in drawn(len(digits), 10, 1)]
        checks.check(np.allclose(point["scores"], scores, rtol=1e-9), f"gallery: scores of {point['parameters']}")


def test_bad(folder):
    job = write(folder, "bad", RIDGE.replace("lambda: 0.1}", "lambda: 0.1, G: {generate: normal, rows: 47, columns: 3}, S: {file: S.npy, symmetric: true}, Z: {file: Z.npy}}"))
    np.save(folder / "S.npy", np.eye(N))
    np.save(folder / "Z.npy", np.ones((N + 1, P)))
    for setting, words in [
        ("folds.rows=48", "48 folds of 47 rows of X: some would be empty"),
        ("folds.rows=1", "folds.rows"),
        ("folds.columns=3", "either rows, columns or entries"),
        ("folds.of=[Q]", "'Q' is no matrix of data"),
        ("folds.of=[W]", "'W' is no matrix of data"),
        ("folds.of=[lambda]", "lambda is a number"),
        ("folds.of=[G]", "G is generated"),
        ("folds.of=[S]", "S is declared symmetric"),
        ("folds.of=[X, X]", "X is named twice"),
        ("folds.of=[]", "needs of:"),
        ("folds.of=[X, Z]", "Z does not occur in the objective"),
        ("folds.score=sumsq(Y - X*V)", "V"),
        ("folds.score=Y - X*W", "scalar"),
        ("folds.score=sumsq(Y)", "the score depends on no variable"),
        ("folds.score=sumsq(Y - W)", "Y is 10 x 3"),
        ("folds.shuffle=maybe", "true or false"),
        ("folds.seed=-1", "folds.seed"),
        ("folds.rank=3", "unknown key 'rank' in folds"),
        ("folds={of: [X, Y], rows: 3}", "needs score:"),
        ("folds={of: [X, Y], score: sumsq(W)}", "needs rows:, columns: or entries:"),
        ("folds={of: [X, Y], entries: 3, score: sumsq(W)}", "one matrix of weights"),
        ("folds={of: [X, Y], rows: 3, score: sumsq(W), shuffle: false, seed: 3}", "a seed draws nothing"),
        ("folds={of: [X], entries: 3, score: sumsq(W), shuffle: false}", "always drawn by the seed"),
        ("sweep.fold=[1]", "'fold' is no number"),
    ]:
        done = run(["run", job, "--output", folder / "bad-out", "--set", setting])
        checks.check(done.status == 2 and words in done.err and "error:" in done.err, f"--set {setting}: {done.status}, {done.err}")
        checks.check(":" in done.err.split("error:")[0], f"--set {setting} has a place: {done.err}")
    job.write_text(RIDGE.replace("Y: {file: Y.npy}", "Y: {file: Z.npy}"))
    done = run(["run", job, "--output", folder / "bad-out"])
    checks.check(done.status == 2 and "Y has 48 rows, and X has 47: they cannot be divided alike" in done.err and "bad.yaml:5" in done.err, done.err)
    done = run(["plan", job])
    checks.check(done.status == 2 and "they cannot be divided alike" in done.err, f"plan: {done.err}")


with tempfile.TemporaryDirectory() as name:
    for test in [t for t in (test_rows, test_neighbours, test_columns, test_entries, test_cancellation, test_resume, test_plan, test_several_variables, test_gallery, test_bad) if not sys.argv[1:] or t.__name__ in sys.argv[1:]]:
        test(Path(name))
sys.exit(checks.finish())
