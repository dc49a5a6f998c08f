"""Checkpoints: a run that was saved, killed or stopped and resumed ends with the bits of one that nobody touched.

test_checkpoint.py [--all]: with --all every method and set is interrupted, which takes a minute.
"""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run, run_job, small_disk
from xxh64 import xxh64

checks = Checks()

DATA = """data:
  A: {generate: normal, rows: 12, columns: 9, seed: 3}
  S: {generate: spd, rows: 12, columns: 12, condition: 100, seed: 4, spd: true}
  D: {generate: diagonal, rows: 3, columns: 3, condition: 10}
  T: {generate: uniform, rows: 12, columns: 2, seed: 9}
  Q: {generate: normal, rows: 12, columns: 12, seed: 5, symmetric: true}
  R: {generate: uniform, rows: 3, columns: 3, seed: 9}
"""
FACTORS = "U: {rows: 12, columns: 3, start: normal, seed: 1}, V: {rows: 9, columns: 3, start: normal, seed: 2}"
PARTS = ("U: {rows: 12, columns: 3, start: uniform, seed: 1, constraint: nonnegative}, "
         "V: {rows: 9, columns: 3, start: uniform, seed: 2, constraint: nonnegative}")
QUADRATIC = "minimize: tr(X'*S*X) - 2*sum(X)"
QUARTIC = "minimize: sumsq(A - U*V') + 0.01*sumsq(U) + 0.01*sumsq(V)"
IMAGES = "minimize: sumsq(X'*S*X - R) + 0.1*sumsq(S*X)"  # S*X moves along with X
LOSS = "minimize: sum(exp(A*X)) - 3*dot(A*X, T) + 0.01*sumsq(X)"
WELLS = "minimize: sumsq(X.*X - ones) + 0.3*sum(X)"
TALL = "X: {rows: 12, columns: 3}"
FRAME = "X: {rows: 12, columns: 3, constraint: orthonormal_columns}"
BIRKHOFF = "X: {rows: 12, columns: 12, start: feasible, constraint: doubly_stochastic}"

# name: objective, variables, solver, more of the job. Those before None are always tested.
CASES = {
    "l-bfgs, images": (IMAGES + " + 0.05*sumsq(X)", "X: {rows: 12, columns: 3, start: normal}", "method: l-bfgs, memory: 3", ""),
    "metric renewed": (LOSS, "X: {rows: 9, columns: 2}", "method: l-bfgs, memory: 3, preconditioner: kronecker", ""),
    "alternating": (QUARTIC, FACTORS, "method: alternating", ""),
    "frank-wolfe": ("minimize: sumsq(X - Q)", BIRKHOFF, "method: frank-wolfe, gradient_tolerance: 1e-2", ""),
    "maximize on a manifold": ("maximize: tr(X'*S*X*D)", FRAME, "method: conjugate-gradient", ""),
    "attempts under subject_to": (WELLS, "X: {rows: 3, columns: 2, start: normal, seed: 4}", "method: l-bfgs, restarts: 3",
                                  "subject_to: ['sum(X) = 1']\n"),
    "nonnegative factors": ("minimize: sumsq(A.*A - U*V')", PARTS, "method: auto", ""),
    None: None,
    "conjugate gradients": (QUADRATIC, TALL, "method: conjugate-gradient, preconditioner: none", ""),
    "barzilai-borwein": (QUADRATIC, TALL, "method: barzilai-borwein", ""),
    "nesterov": (QUADRATIC, TALL, "method: nesterov", ""),
    "gradient descent": (QUARTIC, FACTORS, "method: gradient-descent, gradient_tolerance: 1e-3", ""),
    "newton-cg": ("minimize: tr(S*X) - logdet(X) + 0.1*sumsq(X)", "X: {rows: 12, columns: 12, start: identity}", "method: newton-cg", ""),
    "newton-cg on a manifold": ("minimize: tr(X'*Q*X*X'*S*X)", FRAME, "method: newton-cg", ""),
    "metric of a manifold": ("minimize: tr(X'*Q*X*X'*Q*X)", FRAME.replace("orthonormal_columns", "{orthonormal_columns: {metric: S}}"),
                             "method: l-bfgs", ""),
    "metric renewed, conjugate gradients": (LOSS, "X: {rows: 9, columns: 2}", "method: conjugate-gradient, preconditioner: kronecker", ""),
    "direct": (QUADRATIC, TALL, "method: direct", ""),
    "spectral projected gradient": ("minimize: sumsq(X*Q - Q*X)", BIRKHOFF, "max_iterations: 200", ""),
    "bounded newton": (QUADRATIC, "X: {rows: 12, columns: 3, constraint: {box: [0, 0.5]}}", "method: newton-cg", ""),
    "proximal newton": ("minimize: sumsq(A*X - ones(12,2)) + 0.5*norm1(X)", "X: {rows: 9, columns: 2, start: normal}", "method: auto", ""),
    "proximal steps": ("minimize: sumsq(A*X - ones(12,2)) + 0.5*norm1(X)", "X: {rows: 9, columns: 2, start: normal}", "method: barzilai-borwein", ""),
    "alternating within bounds": ("minimize: sumsq(A.*A - U*V')", PARTS, "method: alternating", ""),
    "subject_to": (QUADRATIC, TALL, "method: auto", "subject_to: ['X''*X = 2*eye(3)', 'sum(X) <= 1']\n"),
    "saddle under subject_to": ("minimize: sumsq(A.*A - U*V')", PARTS.replace("uniform", "zeros").replace(", seed: 1", "").replace(", seed: 2", "").replace(", constraint: nonnegative", ""), "method: auto",
                                "subject_to: ['U >= 0', 'V >= 0']\n"),
    "linear subject_to": (QUADRATIC, TALL, "method: auto", "subject_to: ['sum(X) = 1']\n"),
    "split kinks": ("minimize: norm1(A*X - ones(12,2)) + 0.1*norm1(X)", "X: {rows: 9, columns: 2}", "method: auto", ""),
    "attempts": (WELLS, "X: {rows: 3, columns: 2, start: normal, seed: 4}", "method: l-bfgs, restarts: 4", ""),
}

# A quarter of a second with images that drift: what can be interrupted.
LONG = (IMAGES, "X: {rows: 12, columns: 3, start: normal}",
        "method: gradient-descent, gradient_tolerance: 1e-13, max_iterations: 8000", "")


def write_job(folder, case):
    goal, variables, solver, more = case
    names = re.findall(r"(\w+): \{rows", variables)
    folder.mkdir(parents=True, exist_ok=True)
    job = folder / "job.yaml"
    outputs = ", ".join(f"{name}: {name}.npy" for name in names)
    job.write_text(f"{goal}\nvariables: {{{variables}}}\n{DATA}solver: {{{solver}}}\n{more}output: {{variables: {{{outputs}}}}}\n")
    return job


def saving(directory, every=0, keep=1000, **more):
    return {"checkpoint.directory": directory, "checkpoint.every": every, "checkpoint.keep": keep, **more}


def generations(directory):
    return sorted(entry for entry in Path(directory).iterdir() if not entry.name.startswith("."))


def records(job, apart):
    return [{key: value for key, value in record.items() if key not in apart} for record in job.history]


def variables(job):
    return {path.name: path.read_bytes() for path in sorted(job.folder.glob("*.npy"))}


FIGURES = ("status", "objective", "gradient_norm", "constraint_violation", "iterations", "evaluations", "drift", "restarts", "subject_to")


def same(what, found, expected, apart=("seconds",)):
    """Bit for bit: status, variables, history but for seconds, and the figures of the report."""
    if not checks.equal(f"{what}: exit status {found.err[-400:]}", found.status, expected.status):
        return
    checks.check(variables(found) == variables(expected), f"{what}: the variables differ")
    checks.check(records(found, apart) == records(expected, apart), f"{what}: the history differs")
    for key in FIGURES:
        checks.equal(f"{what}: {key}", found.report.get(key), expected.report.get(key))
    # Fractions of products, of a metric that is made again, are rounded up.
    checks.check(abs(found.report["products"] - expected.report["products"]) <= 1, f"{what}: {found.report['products']} products, "
                                                                                f"expected {expected.report['products']}")


def resume_from(folder, job, kept, name, ranks=0, source="seen", settings=None):
    """Resumes from copies of these generations and of the folder of results."""
    directory, out = folder / f"ckpt-{name}", folder / name
    directory.mkdir()
    for generation in kept:
        shutil.copytree(generation, directory / generation.name)
    shutil.copytree(folder / source, out)
    return run_job(job, out, ranks=ranks, settings=saving(directory, every="1h", **(settings or {})), options=["--resume"])


# ---- the same bits ----


def test_case(folder, name, case):
    job = write_job(folder, case)
    straight = run_job(job, folder / "straight", ranks=0)
    if not checks.check(straight.status in (0, 3), f"{name}: {straight.err[-400:]}"):
        return
    seen = run_job(job, folder / "seen", ranks=0, settings=saving(folder / "ckpt"))
    same(f"{name}, saved at each iteration", seen, straight)
    all_of_them = generations(folder / "ckpt")
    places = {len(all_of_them) // 3, 2 * len(all_of_them) // 3} if len(all_of_them) > 2 else {0}
    for place in sorted(places):
        found = resume_from(folder, job, all_of_them[:place + 1], f"resumed-{place}")
        same(f"{name}, resumed from {all_of_them[place].name}", found, straight)
        if found.report:
            checks.equal(f"{name}: runs", found.report["resumed"]["runs"], 2)
            checks.check(f"resumed   from {found.report['resumed']['from']}, after" in found.err, f"{name}: {found.err[:600]}")
            checks.equal(f"{name}: from", Path(found.report["resumed"]["from"]).name, all_of_them[place].name)


def test_ranks(folder):
    """Written on some ranks, resumed on as many: the same bits; on others: the same numbers."""
    job = write_job(folder, CASES["l-bfgs, images"])
    straight = {ranks: run_job(job, folder / f"straight-{ranks}", ranks=ranks) for ranks in (1, 2, 3)}
    for writers in (1, 3):
        run_job(job, folder / f"seen-{writers}", ranks=writers,
                settings=saving(folder / f"ckpt-{writers}", **{"solver.gradient_tolerance": 1e-3}))
        kept = generations(folder / f"ckpt-{writers}")[:-1]  # the last one ends that run
        for readers in (1, 2, 3):
            settings = {"process_grid": "{rows: 1, columns: 2, block: 5}"} if readers == 2 else None
            name = f"{writers}-to-{readers}"
            found = resume_from(folder, job, kept, name, ranks=readers, source=f"seen-{writers}", settings=settings)
            if readers == writers:
                # The run that wrote the checkpoint had another tolerance, and so other targets.
                same(f"ranks {name}", found, straight[readers], ("seconds", "gradient_target"))
                continue
            if checks.equal(f"ranks {name}: exit status {found.err[-400:]}", found.status, 0):
                checks.close(f"ranks {name}: objective", found.report["objective"], straight[1].report["objective"], 1e-12)
                checks.check(np.abs(np.load(found.folder / "X.npy") - np.load(straight[1].folder / "X.npy")).max() < 1e-6,
                             f"ranks {name}: another minimum")
                checks.equal(f"ranks {name}: history", len(found.history), found.report["iterations"] + 1)


# ---- signals, kills, limits ----


def start(job, out, settings, ranks=0, options=()):
    command = [PROGRAM, "run", str(job), "--output", str(out), *options]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    if ranks:
        command = [str(ROOT / "scripts" / "mpirun-local"), str(ranks)] + command
    environment = environment_of(OMPI_MCA_odls_base_sigkill_timeout="0")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for(out, lines, process):
    deadline = time.monotonic() + 30
    history = out / "history.jsonl"
    while time.monotonic() < deadline and process.poll() is None:
        if history.exists() and history.read_text().count("\n") >= lines:
            return
        time.sleep(0.002)


def finish(process):
    try:
        return process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def test_signals(folder, long):
    job, straight = long
    for number, ranks in ((signal.SIGUSR1, 1), (signal.SIGUSR1, 2), (signal.SIGTERM, 0)):
        out, directory = folder / f"out-{number}-{ranks}", folder / f"ckpt-{number}-{ranks}"
        process = start(job, out, saving(directory, every="1h", keep=2), ranks=ranks)
        wait_for(out, random.randint(2, 3000), process)
        process.send_signal(number)
        _, errors = finish(process)
        what = f"{signal.Signals(number).name} on {ranks} ranks"
        if not checks.equal(f"{what}: exit status {errors[-400:]}", process.returncode, 75):
            continue
        kept = generations(directory)
        checks.equal(f"{what}: checkpoints", len(kept), 1)
        checks.check(str(kept[0]) in errors and "--resume" in errors, f"{what}: says how to go on: {errors[-300:]}")
        report = json.loads((out / "report.json").read_text())
        checks.equal(f"{what}: status", report["status"], "interrupted")
        checks.equal(f"{what}: last", report["checkpoint"]["last"], str(kept[0]))
        found = run_job(job, out, ranks=ranks, settings=saving(directory, every="1h", keep=2), options=["--resume"])
        same(f"{what}, resumed", found, straight[max(ranks, 1)])


def kill_one_rank(process):
    """SIGKILL to a rank: a child of the mpirun that scripts/mpirun-local has started, or the program itself.

    Returns the numbers of all ranks: the others may outlive mpirun for a moment, and finish what they write.
    """

    def children(number):
        return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]

    ranks = [rank for child in children(process.pid) for rank in children(child)]
    os.kill(random.choice(ranks) if ranks else process.pid, signal.SIGKILL)
    return ranks


def wait_until_gone(numbers):
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{number}").exists() for number in numbers) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_kills(folder, long):
    """Saving at each iteration, most kills fall into the writing of a checkpoint; those that are there are whole."""
    job, straight = long
    for trial in range(3):
        ranks = (0, 2)[trial % 2]
        out, directory = folder / f"out-{trial}", folder / f"ckpt-{trial}"
        options = []
        for _ in range(2):
            process = start(job, out, saving(directory, keep=2), ranks=ranks, options=options)
            lines = (out / "history.jsonl").read_text().count("\n") if options else 0
            wait_for(out, lines + random.randint(5, 60), process)
            time.sleep(random.random() * 0.01)
            killed = []
            with contextlib.suppress(OSError):
                killed = kill_one_rank(process)
            finish(process)
            wait_until_gone(killed)
            options = ["--resume"]
        if ranks > 0:
            checks.equal(f"kill {trial}: exit status", process.returncode, 128 + signal.SIGKILL)
        checks.check(process.returncode not in (0, 3, 75), f"kill {trial}: exit status {process.returncode}")
        last = generations(directory)[-1]
        found = run_job(job, out, ranks=ranks, settings=saving(directory, every="1h", keep=2), options=["--resume"])
        checks.check("damaged" not in found.err, f"kill {trial}: {found.err[-400:]}")
        same(f"kill {trial}, resumed", found, straight[max(ranks, 1)])
        if found.report:
            checks.equal(f"kill {trial}: from the newest", Path(found.report["resumed"]["from"]).name, last.name)
            checks.equal(f"kill {trial}: runs", found.report["resumed"]["runs"], 3)
        checks.equal(f"kill {trial}: nothing unfinished stays", [path.name for path in directory.glob(".*")], [])


def test_limits(folder, long):
    job, straight = long
    out, directory = folder / "time", folder / "ckpt-time"
    limited = run_job(job, out, ranks=0, settings=saving(directory, every="1h", **{"solver.time_limit": "0.05s"}))
    checks.equal(f"time limit: exit status {limited.err[-300:]}", limited.status, 3)
    checks.equal("time limit: status", limited.report["status"], "time_limit")
    again = run_job(job, out, ranks=0, settings=saving(directory, every="1h", **{"solver.time_limit": "30s"}), options=["--resume"])
    same("time limit, resumed", again, straight[1])
    total, first = again.report["seconds"], limited.report["seconds"]
    checks.check(total["solve"] > first["solve"] and total["total"] >= total["solve"], f"seconds of all runs: {first}, {total}")
    # The same limit, counted from the restart: it goes on for a while each time.
    out, directory = folder / "share", folder / "ckpt-share"
    settings = saving(directory, every="1h", **{"solver.time_limit": "0.05s"})
    parts = [run_job(job, out, ranks=0, settings=settings, options=["--resume"] if k else []) for k in range(2)]
    checks.check(parts[1].report["iterations"] > parts[0].report["iterations"], "the limit counts from the restart")
    # More iterations than were asked for first.
    out, directory = folder / "more", folder / "ckpt-more"
    fewer = run_job(job, out, ranks=0, settings=saving(directory, every="1h", **{"solver.max_iterations": 7000}))
    checks.equal("iteration limit: exit status", fewer.status, 3)
    checks.check("with a larger limit" in fewer.err, f"iteration limit: {fewer.err[-300:]}")
    same("iteration limit, resumed", run_job(job, out, ranks=0, settings=saving(directory, every="1h"), options=["--resume"]),
         straight[1])


def test_converged(folder):
    job = write_job(folder, CASES["l-bfgs, images"])
    straight = run_job(job, folder / "straight", ranks=0)
    settings = saving(folder / "ckpt", every="1h")
    first = run_job(job, folder / "out", ranks=0, settings={**settings, "solver.gradient_tolerance": 1e-4})
    again = run_job(job, folder / "out", ranks=0, settings={**settings, "solver.gradient_tolerance": 1e-4}, options=["--resume"])
    same("converged, resumed", again, first)
    tighter = run_job(job, folder / "out", ranks=0, settings=settings, options=["--resume"])
    checks.equal("a smaller tolerance: exit status", tighter.status, 0)
    checks.check(tighter.report["iterations"] > first.report["iterations"], "a smaller tolerance: goes on")
    checks.close("a smaller tolerance: objective", tighter.report["objective"], straight.report["objective"], 1e-12)
    checks.equal("a smaller tolerance: history", len(tighter.history), tighter.report["iterations"] + 1)


# ---- damage ----


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_damage(folder, long):
    """Each file of a checkpoint flipped, cut, lengthened and removed: named, and the one before is taken."""
    job, _ = long
    settings = saving(folder / "ckpt", **{"solver.max_iterations": 4})
    run_job(job, folder / "seen", ranks=0, settings=settings)
    good, newest = generations(folder / "ckpt")[-2:]
    other = generations(folder / "ckpt")[0]
    files = sorted(path.name for path in newest.iterdir())
    checks.check("manifest.json" in files and "x.npy" in files and "image0.npy" in files, f"files: {files}")
    for name in ("x.npy", "gradient.npy", "image0.npy"):
        checks.check(np.isfinite(np.load(newest / name)).all(), f"{name} opens with NumPy")
    damages = []
    for name in files:
        size = (newest / name).stat().st_size
        bits = [8 * random.randrange(size) + random.randrange(8) for _ in range(2)] + [8 * size - 1]
        damages += [(f"{name}: bit {bit} flipped", name, lambda path, bit=bit: flip(path, bit)) for bit in bits]
        damages.append((f"{name}: cut", name, lambda path, size=size: os.truncate(path, random.randrange(size))))
    for name in ("x.npy", "manifest.json"):
        damages.append((f"{name}: missing", name, lambda path: path.unlink()))
        damages.append((f"{name}: longer", name, lambda path: path.write_bytes(path.read_bytes() + b"\0")))
        damages.append((f"{name}: of another generation", name, lambda path, name=name: shutil.copy(other / name, path)))
    for k, (what, name, spoil) in enumerate(damages):
        directory = folder / f"ckpt-{k}"
        for generation in (good, newest):
            shutil.copytree(generation, directory / generation.name)
        spoil(directory / newest.name / name)
        if what == "manifest.json: of another generation":
            what += " (files do not fit)"
        found = run(["run", job, "--output", folder / "out", "--resume", "--quiet",
                     "--set", "solver.max_iterations=3", "--set", f"checkpoint.directory={directory}"])
        said = [line for line in found.err.splitlines() if "damaged and not used" in line]
        checks.check(len(said) == 1 and newest.name in said[0] and ("expected" in said[0] or "cannot be read" in said[0]),
                     f"{what}: {found.err[-400:]}")
        checks.equal(f"{what}: exit status", found.status, 3)
        report = json.loads((folder / "out/report.json").read_text())
        checks.equal(f"{what}: from", Path(report["resumed"]["from"]).name, good.name)
        # Whose it is tells the manifest: with that damaged nobody knows, and it stays.
        stays = name == "manifest.json" and "do not fit" not in what
        checks.equal(f"{what}: is removed when there is a newer one", (directory / newest.name).exists(), stays)
        shutil.rmtree(directory)
    print(f"{len(damages)} damages", flush=True)
    spoilt = folder / "ckpt-all"
    shutil.copytree(good, spoilt / good.name)
    flip(spoilt / good.name / "x.npy", 2001)
    found = run_job(job, folder / "out", ranks=2, settings=saving(spoilt), options=["--resume"])
    checks.check(found.status == 2 and "no intact checkpoint" in found.err, f"all damaged: {found.status} {found.err[-300:]}")


def test_forged(folder, long):
    """A manifest whose checksum fits is not believed either: numbers that are out of range are named."""
    job, _ = long
    settings = saving(folder / "ckpt", every="1h", **{"solver.method": "l-bfgs", "solver.max_iterations": 30})
    first = run_job(job, folder / "out", ranks=0, settings=settings)
    checks.equal(f"forged: exit status {first.err[-300:]}", first.status, 3)
    manifest = generations(folder / "ckpt")[0] / "manifest.json"
    text = manifest.read_bytes().split(b"\n", 1)[1]
    for name, values in (("pairs", (-1, 1 << 40)), ("next_pair", (-1, 1 << 40)), ("renewals", (-1, 1 << 62)), ("iteration", (-5,)),
                         ("last_failure", (-2,))):
        for value in values:
            forged = re.sub(rb'("counts": ?\{.*?"%s": ?)-?\d+' % name.encode(), rb"\g<1>%d" % value, text, count=1, flags=re.S)
            checks.check(forged != text, f"forged {name}: the manifest has it")
            manifest.write_bytes(b'{"xxh64": "%016x",\n' % xxh64(forged) + forged)
            found = run_job(job, folder / "out", ranks=0, settings={**settings, "solver.max_iterations": 40}, options=["--resume"])
            checks.check(found.status == 2 and f"'{name}' is {value}, expected" in found.err, f"forged {name} = {value}: {found.status} {found.err[-300:]}")


def test_refusals(folder, long):
    job, _ = long
    settings = saving(folder / "ckpt", every="1h", **{"solver.max_iterations": 5})
    run_job(job, folder / "out", ranks=0, settings=settings)
    kept = generations(folder / "ckpt")
    for what, more, part in (
            ("another option", {"solver.line_search": "armijo"}, "solver.line_search is \"auto\" in the checkpoint, \"armijo\" now"),
            ("another size", {"variables.X.columns": 2, "data.R.rows": 2, "data.R.columns": 2}, "variables.X.columns is 3 in the checkpoint, 2 now"),
            ("another seed", {"data.S.seed": 5}, "data.S.seed is 4 in the checkpoint, 5 now"),
            ("another objective", {"minimize": "sumsq(S*X)"}, "minimize is ")):
        found = run_job(job, folder / "refused", ranks=0, settings={**settings, **more}, options=["--resume"])
        checks.check(found.status == 2 and part in found.err and "another job" in found.err, f"{what}: {found.status} {found.err[-400:]}")
    checks.equal("a refusal leaves the checkpoints alone", generations(folder / "ckpt"), kept)
    found = run_job(job, folder / "refused", ranks=2, settings=saving(folder / "nowhere"), options=["--resume"])
    checks.check(found.status == 2 and "no checkpoint in" in found.err, f"no checkpoint: {found.status} {found.err[-300:]}")
    checks.equal("no checkpoint: said once", found.err.count("error:"), 1)
    found = run_job(job, folder / "refused", ranks=0, options=["--resume"])
    checks.check(found.status == 2 and "no checkpoint section" in found.err, f"no section: {found.status} {found.err[-300:]}")
    # A file of the same name and size with other numbers.
    numbers = np.random.default_rng(1).standard_normal((3, 3))
    np.save(folder / "R.npy", numbers)
    text = job.read_text().replace("{generate: uniform, rows: 3, columns: 3, seed: 9}", f"{{file: {folder}/R.npy}}")
    (folder / "file.yaml").write_text(text)
    settings = saving(folder / "ckpt-file", every="1h", **{"solver.max_iterations": 5})
    run_job(folder / "file.yaml", folder / "out-file", ranks=0, settings=settings)
    found = run_job(folder / "file.yaml", folder / "out-file", ranks=2, settings=settings, options=["--resume"])
    checks.equal(f"the same data on other ranks: exit status {found.err[-400:]}", found.status, 3)
    numbers[2, 1] += 1e-12
    np.save(folder / "R.npy", numbers)
    found = run_job(folder / "file.yaml", folder / "out-file", ranks=2, settings=settings, options=["--resume"])
    checks.check(found.status == 2 and "R.numbers" in found.err, f"other data: {found.status} {found.err[-400:]}")


def test_keep(folder, long):
    """Of this job so many are kept; those of others are left alone, as is what nobody knows; a new start says so."""
    job, _ = long
    foreign = folder / "ckpt"
    run_job(job, folder / "other", ranks=0, settings=saving(foreign, every="1h", **{"solver.max_iterations": 3, "solver.seed": 7}))
    (foreign / "notes").mkdir()
    run_job(job, folder / "out", ranks=2, settings=saving(foreign, keep=3, **{"solver.max_iterations": 9}))
    names = [path.name for path in generations(foreign)]
    checks.equal("keep: names", names, ["000001-iteration-0000000003", "000009-iteration-0000000007", "000010-iteration-0000000008",
                                        "000011-iteration-0000000009", "notes"])
    (foreign / ".partial-0123456789abcdef").mkdir()
    owner = next(foreign.glob(".partial-*")).name
    again = run_job(job, folder / "again", ranks=0, settings=saving(foreign, every="1h", keep=3, **{"solver.max_iterations": 2}))
    checks.check("--resume goes on from it" in again.err, f"a new start: {again.err[-400:]}")
    newest = [path.name for path in generations(foreign)][-2]
    checks.equal("a new start: its checkpoint is the newest", newest, "000012-iteration-0000000002")
    checks.check((foreign / owner).exists(), "what another job has not finished is left alone")
    found = run_job(job, folder / "again", ranks=0, settings=saving(foreign, every="1h", keep=3, **{"solver.max_iterations": 4}),
                    options=["--resume"])
    checks.equal("the report's job", found.report["job"]["checkpoint"], {"directory": str(foreign), "every": "1h", "keep": 3})
    checks.equal("the newest is taken, not the furthest", found.report["resumed"]["iteration"], 2)
    checks.equal("history of the newest", [record["iteration"] for record in found.history], list(range(5)))
    # Another folder of results has no history to go on with.
    found = run_job(job, folder / "elsewhere", ranks=0, settings=saving(foreign, every="1h", **{"solver.max_iterations": 6}),
                    options=["--resume"])
    checks.check("is not the history of the run that is resumed" in found.err, f"history elsewhere: {found.err[-400:]}")
    checks.equal("history elsewhere", [record["iteration"] for record in found.history], [5, 6])


# ---- disks ----


def test_disks(folder, long):
    """A disk that fills up costs no good checkpoint and no results."""
    job, _ = long
    disk = folder / "disk"
    settings = {"checkpoint.directory": disk / "ckpt", "checkpoint.every": 0, "checkpoint.keep": 2, "solver.max_iterations": 6}
    expected, further = (run_job(job, folder / f"expected-{n}", ranks=0, settings={"solver.max_iterations": n}) for n in (6, 12))
    # One checkpoint takes 9 pages with its folder: none, one, two fit, or two and half of the third.
    for kibibytes in (8, 28, 40, 52, 64, 80):
        with small_disk(disk, kibibytes) as mounted:
            if not mounted:
                print("no tmpfs can be mounted here: skipped", flush=True)
                return
            what = f"disk of {kibibytes} KiB"
            ranks = 2 if kibibytes == 52 else 0
            shutil.rmtree(folder / "out", ignore_errors=True)
            found = run_job(job, folder / "out", ranks=ranks, settings=settings)
            checks.equal(f"{what}: exit status", found.status, 3)
            if ranks == 0:
                checks.check(variables(found) == variables(expected), f"{what}: the variables differ")
            told = found.report["checkpoint"]
            checks.equal(f"{what}: tries", told["written"] + told["failed"], 7)
            if told["failed"]:
                checks.check("no checkpoint was written at iteration" in found.err and "needs" in found.err and "free" in found.err,
                             f"{what}: {found.err[-500:]}")
            checks.equal(f"{what}: nothing unfinished stays", [path.name for path in (disk / "ckpt").glob(".*")], [])
            kept = generations(disk / "ckpt")
            checks.equal(f"{what}: last", told["last"], str(kept[-1]) if kept else None)
            if not kept:
                continue
            target = folder / f"ckpt-{kibibytes}"
            shutil.copytree(disk / "ckpt", target)
            again = run_job(job, folder / "out", ranks=0, options=["--resume"],
                            settings=saving(target, every="1h", **{"solver.max_iterations": 12}))
            checks.check("damaged" not in again.err, f"{what}: {again.err[-300:]}")
            if ranks == 0:
                same(f"{what}, resumed", again, further)
    with small_disk(disk, 4) as mounted:
        process = start(job, folder / "signal", {**settings, "checkpoint.every": "1h", "solver.max_iterations": 10000000})
        wait_for(folder / "signal", 5, process)
        process.send_signal(signal.SIGUSR1)
        _, errors = finish(process)
        if mounted:
            checks.equal("signal on a full disk: exit status", process.returncode, 1)
            checks.check("error: no checkpoint was written" in errors, f"signal on a full disk: {errors[-400:]}")
            checks.check((folder / "signal/X.npy").exists(), "signal on a full disk: the variables are written")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False, stderr=subprocess.PIPE)
        found = run_job(job, folder / "read-only", ranks=2, settings=settings)
        if mounted:
            checks.check(found.status == 1 and "cannot make the folder" in found.err and not found.history,
                         f"read-only: {found.status} {found.err[-300:]}")
    (folder / "file").write_text("")
    found = run_job(job, folder / "blocked", ranks=2, settings={**settings, "checkpoint.directory": folder / "file"})
    checks.check(found.status == 1 and not found.history, f"a file for a folder: {found.status} {found.err[-300:]}")


def timed(test, *arguments):
    begin = time.monotonic()
    test(*arguments)
    what = f" of {arguments[1]}" if test is test_case else ""
    print(f"{test.__name__}{what}: {time.monotonic() - begin:.1f} s", flush=True)


def main():
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"SEED={seed}", flush=True)
    random.seed(seed)
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # syncing costs nothing there
    with tempfile.TemporaryDirectory(dir=base) as name:
        folder = Path(name)
        names = list(CASES)
        chosen = [key for key in names if key] if "--all" in sys.argv else names[:names.index(None)]
        for k, key in enumerate(chosen):
            timed(test_case, folder / f"case-{k}", key, CASES[key])
        timed(test_ranks, folder / "ranks")
        job = write_job(folder / "long", LONG)
        long = job, {ranks: run_job(job, folder / f"long/straight-{ranks}", ranks=ranks) for ranks in (1, 2)}
        for test in (test_signals, test_kills, test_limits, test_damage, test_forged, test_refusals, test_keep, test_disks):
            (folder / test.__name__).mkdir()
            timed(test, folder / test.__name__, long)
        timed(test_converged, folder / "converged")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
