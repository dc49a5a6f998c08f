"""tune: numbers found by derivatives of a score: against the best point of a grid, differences and NumPy, and refused."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run, run_job, wait_for_ranks

checks = Checks()
rng = np.random.default_rng(9)
N, P, T = 90, 30, 3
X = rng.standard_normal((N, P)) @ np.diag(np.linspace(1, 0.05, P))
Y = X @ rng.standard_normal((P, T)) + 1.5 * rng.standard_normal((N, T))
DATA = {"X": X[:60], "Y": Y[:60], "U": X[60:], "V": Y[60:], "L": np.diag(np.linspace(0.1, 3, P))}
HEAD = "variables: {W: {}}\ndata: {X: {file: X.npy}, Y: {file: Y.npy}, U: {file: U.npy}, V: {file: V.npy}, L: {file: L.npy, symmetric: true}, lambda: 1, mu: 0.5}\n"
RIDGE = "minimize: sumsq(Y - X*W) + lambda*sumsq(W)\n" + HEAD.replace(", U: {file: U.npy}, V: {file: V.npy}, L: {file: L.npy, symmetric: true}", "").replace(", mu: 0.5", "")
FOLDS = 'folds: {of: [X, Y], rows: 5, score: "sumsq(Y - X*W)/sumsq(Y)"}\n'
TWO = "minimize: sumsq(Y - X*W) + lambda*sumsq(W) + mu*tr(W'*L*W)\n" + HEAD
SCORE = 'score: "sumsq(V - U*W)/sumsq(V) + 1e-4*lambda"'


def write(folder, name, text):
    for key, matrix in DATA.items():
        np.save(folder / f"{key}.npy", matrix)
    job = folder / f"{name}.yaml"
    job.write_text(text)
    return job


def rows_of(folder):
    return [json.loads(line) for line in (Path(folder) / "tune.jsonl").read_text().splitlines()]


def two_score(lam, mu):
    w = np.linalg.solve(DATA["X"].T @ DATA["X"] + lam * np.eye(P) + mu * DATA["L"], DATA["X"].T @ DATA["Y"])
    return np.sum((DATA["V"] - DATA["U"] @ w) ** 2) / np.sum(DATA["V"] ** 2) + 1e-4 * lam, w


def test_ridge(folder):
    """Five folds: at most 15 evaluations, and no point of a grid of 100 is better; from both sides, on ranks."""
    grid = write(folder, "grid", RIDGE + "sweep: {lambda: {logspace: [1e-3, 1e3, 100]}}\nkeep: []\n" + FOLDS)
    run(["run", grid, "--output", folder / "grid", "--quiet"])
    least = min(point["mean"] for point in json.loads((folder / "grid" / "scores.json").read_text())["points"])
    job = write(folder, "ridge", RIDGE + "tune: {over: [lambda]}\n" + FOLDS)
    kept = None
    for start, ranks in ((1, 1), (1e-4, 3), (1e4, 7)):
        done = run_job(job, folder / "tuned", ranks=ranks, settings={"data.lambda": start})
        what = f"ridge from {start} on {ranks}"
        if not checks.equal(f"{what}: {done.err[-300:]}", done.status, 0):
            continue
        found = done.report["tune"]
        rows = rows_of(folder / "tuned")
        checks.check(found["evaluations"] <= 15 and found["evaluations"] == len(rows) and found["fits"] == 5 * len(rows), f"{what}: {found}")
        checks.check(found["score"] <= least, f"{what}: {found['score']} is above the grid's {least}")
        checks.close(f"{what}: score", np.mean(min(rows, key=lambda row: row["score"])["scores"]), found["score"], 1e-12)
        lam = found["parameters"]["lambda"]
        w = np.linalg.solve(DATA["X"].T @ DATA["X"] + lam * np.eye(P), DATA["X"].T @ DATA["Y"])
        checks.check(np.allclose(np.load(folder / "tuned" / "W.npy"), w, rtol=1e-8), f"{what}: W is not that of all data")
        checks.close(f"{what}: lambda of the report", done.report["job"]["data"]["lambda"], lam, 1e-12)
        checks.check("best: lambda = " in done.out and "tune: " in done.out, f"{what}: {done.out}")
        if kept is not None:
            checks.close(f"{what}: lambda", lam, kept, 1e-2)
        kept = lam


def test_two(folder):
    """Two numbers and validation data: the slopes are those of NumPy's scores, the minimum no worse than a grid's."""
    job = write(folder, "two", TWO + f"tune: {{over: [lambda, mu], smallest: 1e-5, largest: 1e5, {SCORE}}}\n")
    done = run_job(job, folder / "two", ranks=2)
    checks.equal(f"two: {done.err[-300:]}", done.status, 0)
    rows = rows_of(folder / "two")
    for row in rows[:3]:
        lam, mu = row["parameters"]["lambda"], row["parameters"]["mu"]
        checks.close("two: score", row["score"], two_score(lam, mu)[0], 1e-10)
        for k, name in enumerate(("lambda", "mu")):
            h = 1e-4
            near = [two_score(lam * np.exp(d * (k == 0)), mu * np.exp(d * (k == 1)))[0] for d in (h, -h)]
            checks.close(f"two: slope by {name}", row["slopes"][name], (near[0] - near[1]) / (2 * h), 1e-5)
    values = np.logspace(-5, 5, 41)
    least = min(two_score(lam, mu)[0] for lam in values for mu in values)
    found = done.report["tune"]
    checks.check(found["score"] <= least * (1 + 1e-6) and found["evaluations"] <= 15, f"two: {found}, the grid has {least}")
    checks.check("does not occur" not in done.err, f"two: {done.err}")
    drawn = run(["plot", folder / "two"])
    script = (folder / "two" / "sweep.gp").read_text() if drawn.status == 0 else drawn.err
    checks.check("set xlabel 'mu'" in script and "'evaluations'" in script and "'lowest'" in script, f"plot of tune: {script[-500:]}")
    # The rows go with the next run of the job that finds nothing.
    plain = folder / "two.yaml"
    plain.write_text(TWO)
    run_job(plain, folder / "two", ranks=1)
    checks.check(not (folder / "two" / "tune.jsonl").exists(), "two: tune.jsonl is left by a run without tune")


def test_logistic(folder):
    """The digits: iterations begin warm, and the slopes are those of differences of the score."""
    data = ROOT / "configs" / "data"
    job = write(folder, "digits", "minimize: sum(softplus(X*W/16)) - dot(Y, X*W/16) + mu*sumsq(W)\nvariables: {W: {}}\n"
                f"data: {{X: {{file: {data}/digits-x.npy}}, Y: {{file: {data}/digits-y.npy}}, mu: 0.2}}\nsolver: {{gradient_tolerance: 1e-6}}\n"
                'folds: {of: [X, Y], rows: 2, score: "sum(softplus(X*W/16)) - dot(Y, X*W/16)"}\ntune: {over: [mu], tolerance: 1e-4}\n')
    done = run_job(job, folder / "digits", ranks=2)
    checks.equal(f"digits: {done.err[-300:]}", done.status, 0)
    rows = rows_of(folder / "digits")
    checks.check(len(rows) <= 8, f"digits: {len(rows)} evaluations")
    checks.check(all(row["score"] >= done.report["tune"]["score"] for row in rows), f"digits: {rows}")
    mu = rows[0]["parameters"]["mu"]
    near = []
    for factor in (1.01, 1 / 1.01):
        run_job(job, folder / "near", ranks=1, settings={"data.mu": repr(mu * factor), "tune.evaluations": 1, "solver.gradient_tolerance": 1e-9})
        near.append(rows_of(folder / "near")[0]["score"])
    checks.close("digits: slope", rows[0]["slopes"]["mu"], (near[0] - near[1]) / (2 * np.log(1.01)), 1e-3)


GRIDS = {
    # name: (job without its data, numbers, data)
    "ridge, validation": ('minimize: sumsq(Y - X*W) + lambda*sumsq(W)\nvariables: {W: {}}\ntune: {over: [lambda], score: "sumsq(V - U*W)/sumsq(V)"}\n', "lambda", "XYUV"),
    "laplacian": (f"minimize: sumsq(Y - X*W) + 1e-3*sumsq(W) + lambda*tr(W'*L*W)\nvariables: {{W: {{}}}}\ntune: {{over: [lambda]}}\n{FOLDS}", "lambda", "XYL"),
    "nonnegative": (f"minimize: sumsq(Y - X*W) + lambda*sumsq(W)\nvariables: {{W: {{constraint: nonnegative}}}}\ntune: {{over: [lambda]}}\n{FOLDS}", "lambda", "XY"),
    "logistic": ("minimize: sum(softplus(X*W)) - dot(B, X*W) + lambda*sumsq(W)\nvariables: {W: {}}\ntune: {over: [lambda]}\n"
                 'folds: {of: [X, B], rows: 4, score: "sum(softplus(X*W)) - dot(B, X*W)"}\n', "lambda", "XB"),
    "smooth norm": ("minimize: sumsq(Y - X*W) + lambda*sum((W.^2 + 1e-2*ones).^0.5)\nvariables: {W: {}}\ntune: {over: [lambda]}\n" + FOLDS, "lambda", "XY"),
}


def test_grids(folder):
    """Several kinds of jobs: from a number far away no point of a grid of 41 is better than what at most 15 evaluations find."""
    DATA["B"] = (DATA["Y"] > 0).astype(float)
    for k, (name, (text, number, names)) in enumerate(GRIDS.items()):
        data = ", ".join(f"{key}: {{file: {key}.npy{', symmetric: true' if key == 'L' else ''}}}" for key in names)
        job = write(folder, "tuned", text + f"data: {{{data}, {number}: 0.01}}\nsolver: {{gradient_tolerance: 1e-9}}\n")
        done = run_job(job, folder / "tuned", ranks=1 + 2 * (k % 2))
        if not checks.equal(f"{name}: {done.err[-300:]}", done.status, 0):
            continue
        found = done.report["tune"]
        scores = []
        if "folds:" in text:
            head = "\n".join(line for line in text.splitlines() if not line.startswith("tune:"))
            grid = write(folder, "grid", head + f"\ndata: {{{data}, {number}: 1}}\nsweep: {{{number}: {{logspace: [1e-4, 1e4, 41]}}}}\nkeep: []\nsolver: {{gradient_tolerance: 1e-9}}\n")
            run(["run", grid, "--output", folder / "grid", "--quiet", "--force"])
            scores = [point["mean"] for point in json.loads((folder / "grid" / "scores.json").read_text())["points"] if point["mean"] is not None]
        else:
            for lam in np.logspace(-4, 4, 41):
                w = np.linalg.solve(DATA["X"].T @ DATA["X"] + lam * np.eye(P), DATA["X"].T @ DATA["Y"])
                scores.append(np.sum((DATA["V"] - DATA["U"] @ w) ** 2) / np.sum(DATA["V"] ** 2))
        checks.check(len(scores) > 30, f"{name}: {len(scores)} scores of the grid")
        checks.check(found["evaluations"] <= 15, f"{name}: {found['evaluations']} evaluations")
        checks.check(found["score"] <= min(scores) * (1 + 1e-6), f"{name}: {found['score']!r} is above the grid's {min(scores)!r}")
        print(f"{name}: {found['evaluations']} evaluations, {found['fits']} fits, score {found['score']:.8g}, the grid's {min(scores):.8g}", flush=True)


def test_resume(folder):
    """Killed after each evaluation and resumed, on ranks, a search ends with the rows of one that was not; other data and other jobs are refused."""
    text = GRIDS["logistic"][0] + "data: {X: {file: X.npy}, B: {file: B.npy}, lambda: 0.01}\nsolver: {gradient_tolerance: 1e-9}\n"
    DATA["B"] = (DATA["Y"] > 0).astype(float)
    job = write(folder, "resumed", text)
    same = ("parameters", "score", "scores", "slopes", "iterations", "standard_error")
    for ranks in (0, 3):
        whole, out = folder / f"whole-{ranks}", folder / f"killed-{ranks}"
        done = run_job(job, whole, ranks=ranks)
        checks.equal(f"whole on {ranks}: {done.err[-300:]}", done.status, 0)
        command = ([str(ROOT / "scripts" / "mpirun-local"), str(ranks)] if ranks > 1 else []) + [PROGRAM, "run", str(job), "--output", str(out), "--quiet", "--resume"]
        killed = 0
        for rows in (0, 2, 3, 5):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment_of(), start_new_session=True)
            while process.poll() is None and ((out / "tune.jsonl").read_bytes().count(b"\n") if (out / "tune.jsonl").exists() else 0) < rows:
                time.sleep(0.002)
            if rows == 0:
                time.sleep(0.3)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                killed += 1
            process.wait()
            wait_for_ranks(out)
        checks.check(killed >= 2, f"killed on {ranks}: {killed} times")
        done = run_job(job, out, ranks=ranks, options=["--resume"], force=False)
        checks.equal(f"killed on {ranks}: {done.err[-300:]}", done.status, 0)
        found, expected = ([{key: row[key] for key in same} for row in rows_of(at)] for at in (out, whole))
        checks.equal(f"killed {killed} times on {ranks} ranks: rows", found, expected)
        # The last run may have to make what fits have left to it, by another sum.
        checks.check(np.allclose(np.load(out / "W.npy"), np.load(whole / "W.npy"), rtol=1e-8, atol=1e-10), f"killed on {ranks}: W")
        checks.check(not (out / ".starts").exists(), f"killed on {ranks}: starts are left behind")
    # Limits may change, the rest may not.
    done = run_job(job, whole, ranks=0, options=["--resume"], force=False, settings={"tune.evaluations": 4})
    checks.equal(f"fewer: {done.err[-300:]}", (done.status, done.report["tune"]["evaluations"]), (0, 4))
    done = run(["run", job, "--output", out, "--resume", "--set", "data.lambda=0.02"])
    checks.check(done.status == 2 and "rows of another job" in done.err and "tune.jsonl" in done.err, f"other job: {done.err}")
    DATA["X"] = DATA["X"] + 1e-3
    write(folder, "resumed", text)
    done = run(["run", job, "--output", out, "--resume"])
    checks.check(done.status == 2 and "the data are not those of the rows" in done.err, f"other data: {done.status} {done.err}")
    DATA["X"] = DATA["X"] - 1e-3


def test_memory(folder):
    """The forecast has the parts of all folds, and a rank takes no more than it says."""
    A, B = rng.standard_normal((6000, 200)), rng.standard_normal((6000, 2))
    np.save(folder / "C.npy", A), np.save(folder / "D.npy", B)
    text = ("minimize: sumsq(B - A*W) + lambda*sumsq(W)\nvariables: {W: {}}\ndata: {A: {file: C.npy}, B: {file: D.npy}, lambda: 1}\n"
            'folds: {of: [A, B], rows: 5, score: "sumsq(B - A*W)/sumsq(B)"}\ntune: {over: [lambda], evaluations: 3}\n')
    job = write(folder, "large", text)
    done = run_job(job, folder / "large", ranks=0)
    if checks.equal(f"large: {done.err[-300:]}", done.status, 0):
        # Of the whole, and in five folds once more what is left and what is not.
        least = 6 * A.nbytes
        plan, peak = done.report["plan"], done.report["peak_memory_bytes_per_rank"]
        checks.check(plan["memory"]["data"] >= least, f"large: {plan['memory']}, at least {least} of data")
        checks.check(least <= peak <= plan["predicted_memory_bytes_per_rank"], f"large: {peak} of {plan['predicted_memory_bytes_per_rank']}")


def test_bad(folder):
    for name, text, sentence in (
        ("over", RIDGE + FOLDS + "tune: {tolerance: 1e-3}\n", "needs over:"),
        ("empty", RIDGE + FOLDS + "tune: {over: []}\n", "is empty"),
        ("name", RIDGE + FOLDS + "tune: {over: [lamda]}\n", "did you mean 'lambda'?"),
        ("matrix", RIDGE + FOLDS + "tune: {over: [X]}\n", "X is a matrix, expected the name of a number"),
        ("score", RIDGE + "tune: {over: [lambda]}\n", "needs score:"),
        ("scores", RIDGE + FOLDS + f"tune: {{over: [lambda], {SCORE}}}\n", "with folds the score is that of folds:"),
        ("sweep", RIDGE + FOLDS + "sweep: {lambda: [1, 2]}\ntune: {over: [lambda]}\n", "sweep does not go with tune"),
        ("range", RIDGE + FOLDS + "tune: {over: [lambda], smallest: 2, largest: 3}\n", "begins with 1, outside"),
        ("order", RIDGE + FOLDS + "tune: {over: [lambda], smallest: 3, largest: 2}\n", "expected more than smallest"),
        ("sign", RIDGE.replace("lambda: 1", "lambda: -1") + FOLDS + "tune: {over: [lambda]}\n", "expected a positive number"),
        ("unused", TWO.replace("mu*tr(W'*L*W)", "tr(W'*L*W)") + f"tune: {{over: [mu], {SCORE}}}\n", "mu does not occur in the objective"),
        ("kinks", TWO + f"tune: {{over: [mu], {SCORE}}}\n", "kinks"),
        ("depends", TWO + 'tune: {over: [mu], score: "sumsq(V)"}\n', "the score depends on no variable"),
    ):
        job = write(folder, "bad", text if name != "kinks" else text.replace("minimize: ", "minimize: norm1(W) + "))
        done = run(["run", job, "--output", folder / "bad"])
        checks.check(done.status == 2 and sentence in done.err and "bad.yaml:" in done.err, f"{name}: {done.status} {done.err}")
    job = write(folder, "bad", RIDGE + FOLDS + "tune: {over: [lambda]}\n")
    done = run(["plan", job])
    checks.check(done.status == 0 and "at most 30 evaluations of the score, 5 fits each: 150 fits" in done.out, f"plan: {done.out} {done.err}")
    done = run(["plan", job, "--format", "json"])
    checks.check(json.loads(done.out)["tune"]["fits"] == 150, f"plan: {done.out}")
    # The first fit does not converge: there is nothing to begin with.
    job = write(folder, "bad", TWO.replace("sumsq(W)", "sum(softplus(W))") + f"tune: {{over: [mu], {SCORE}}}\nsolver: {{max_iterations: 1}}\n")
    done = run(["run", job, "--output", folder / "bad"])
    checks.check(done.status == 1 and "there is no score with the numbers of data: the run has not converged" in done.err, f"early: {done.status} {done.err}")


def main():
    with tempfile.TemporaryDirectory() as name:
        for test in (test_ridge, test_two, test_logistic, test_grids, test_resume, test_memory, test_bad):
            if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                test(Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
