"""bench/scaling: rows and their arithmetic, resuming, projection and refusals, with stand-ins for what takes time."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of

SIZES = ["variables.X.rows", "variables.X.columns", "data.A.rows", "data.A.columns", "data.B.rows", "data.B.columns",
         "data.C.rows", "data.C.columns"]
JOB = ROOT / "configs" / "quadratic-generated.yaml"

# Two measurements around a run: the better one, 4e9 flops/s a thread, is the limit. Every call is written down.
MACHINE = """echo machine >> "$CALLS"
n=$(grep -c machine "$CALLS")
echo '# a table'
echo "{\\"flops_per_thread\\": $((4 - n % 2))e9, \\"link_bytes\\": 5e9, \\"memory_bytes\\": 6e9, \\"latency_sec\\": 1e-6, \\"on\\": {\\"ranks\\": 1}}"
"""
# A run of five iterations that took 9 s for the first and 0.5 s for the others, but for one of 3 s.
RUN = """if [ "$1" = plan ]; then exec "$REAL" "$@"; fi
echo "run $OMP_NUM_THREADS $*" >> "$CALLS"
while [ "$1" != --output ]; do shift; done
k=0
for s in 0 9 9.5 10 13 13.5; do
  echo "{\\"iteration\\": $k, \\"objective\\": 1, \\"seconds\\": $s, \\"products\\": 2}"
  k=$((k + 1))
done > "$2/history.jsonl"
exit ${RUN_STATUS:-3}
"""


def stub(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def call(folder, *options, status="3", job=JOB):
    command = [str(ROOT / "bench" / "scaling"), str(job), "--build", str(folder / "build"), "--launch", "env R={ranks}",
               "--output", str(folder / "out"), "--iterations", "5", "--cores", "2"]
    command += ["--size-key", ",".join(SIZES[1:]), "--size-key", SIZES[0]]
    variables = environment_of(CALLS=str(folder / "calls"), REAL=PROGRAM, RUN_STATUS=status)
    return subprocess.run(command + list(options), cwd=ROOT, env=variables, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def rows_of(folder):
    with open(folder / "out" / "scaling.csv", encoding="ascii") as file:
        return list(csv.DictReader(file))


def runs_of(folder):
    return sum(line.startswith("run ") for line in (folder / "calls").read_text().splitlines())


def test_sweep(checks, folder):
    done = call(folder, "--sizes", "104 208")
    checks.equal(f"sweep: exit status\n{done.stdout}{done.stderr}", done.returncode, 0)
    rows = rows_of(folder)
    found = {(r["kind"], r["base"], r["size"], r["ranks"], r["threads"]) for r in rows}
    expected = {(kind, str(n), str(n if kind == "strong" or p * t == 1 else grown), str(p), str(t))
                for kind in ("strong", "weak") for n, grown in ((104, 128), (208, 264)) for p, t in ((1, 1), (2, 1), (1, 2))}
    checks.equal("sweep: points", found, expected)
    for r in rows:
        cores = int(r["ranks"]) * int(r["threads"])
        checks.equal("sweep: the median iteration", float(r["seconds"]), 0.5)
        checks.equal("sweep: the better limit", float(r["limit"]), 4e9 * cores)
        checks.check(0.999 * 2 * 2 * int(r["size"]) ** 3 < float(r["flops"]) < 1.2 * 4 * int(r["size"]) ** 3, f"flops: {r}")
        checks.close("sweep: efficiency", float(r["efficiency"]), float(r["flops"]) / (4e9 * cores) / 0.5, 0.05)
        checks.close("sweep: model", float(r["model_efficiency"]), float(r["flops"]) / (4e9 * cores) /
                     float(r["model_seconds"]), 0.01)
        checks.check((float(r["bytes_per_rank"]) > 0) == (int(r["ranks"]) > 1), f"sweep: bytes: {r}")
    checks.check("<svg" in (folder / "out" / "scaling.svg").read_text(), "sweep: picture")
    calls = (folder / "calls").read_text()
    checks.check("run 2 run" in calls and "data.C.columns=264" in calls, f"sweep: threads and sizes: {calls}")
    checks.check("solver.max_iterations=5" in calls, f"sweep: iterations: {calls}")


def test_resume(checks, folder):
    before = (folder / "out" / "scaling.csv").read_text().splitlines()
    (folder / "out" / "scaling.csv").write_text("\n".join(before[:-1]) + "\n")
    calls = runs_of(folder)
    done = call(folder, "--sizes", "104 208")
    checks.equal("resume: exit status", done.returncode, 0)
    checks.equal("resume: one run", runs_of(folder) - calls, 1)
    checks.equal("resume: said", done.stdout.count("done before"), len(before) - 2)
    checks.equal("resume: the same rows", (folder / "out" / "scaling.csv").read_text().splitlines(), before)


def test_projection(checks, folder):
    done = call(folder, "--sizes", "104 208", "--project", "16384", "--project-size", "50000")
    checks.equal(f"projection: exit status\n{done.stderr}", done.returncode, 0)
    rows = [r for r in rows_of(folder) if r["kind"].startswith("projection")]
    checks.equal("projection: ranks", sorted({int(r["ranks"]) for r in rows}), [4 ** k for k in range(8)])
    last = [r for r in rows if r["ranks"] == "16384"]
    checks.equal("projection: sizes", [(r["kind"], r["size"]) for r in last],
                 [("projection-strong", "50000"), ("projection-weak", str(208 * 128))])
    checks.equal("projection: the grid", {r["grid"] for r in last}, {"128x128"})
    checks.check(all(r["seconds"] == "" and r["efficiency"] == "" for r in rows), "projection: nothing measured")
    checks.check("nothing measured" in (folder / "out" / "scaling.svg").read_text(), "projection: marked in the picture")


def test_refusals(checks, folder):
    for options, status, text in [
            (["--mode", "huge"], 2, "--mode is strong, weak or both, found huge"),
            (["--sizes", "12x"], 2, "'12x' is not a whole number"),
            (["--bogus", "1"], 2, "there is no option --bogus"),
            (["--iterations", "2"], 1, "at least 3"),
            (["--output"], 2, "--output needs a value"),
            (["--build", str(folder / "nothing")], 1, "build the targets all and bench")]:
        done = call(folder, *options)
        checks.check(done.returncode == status and text in done.stderr, f"{options}: {done.returncode}: {done.stderr}")
    missing = call(folder, job=folder / "missing.yaml")
    checks.check(missing.returncode == 1 and "there is no job" in missing.stderr, f"no job: {missing.stderr}")
    failed = call(folder, "--sizes", "64", "--mode", "strong", status="1")
    checks.check(failed.returncode == 1 and "ended with status 1" in failed.stderr, f"failed run: {failed.stderr}")
    checks.check(not any(r["size"] == "64" for r in rows_of(folder)), "a failed run leaves no row")
    (folder / "out" / "scaling.csv").write_text("other,columns\n")
    other = call(folder)
    checks.check(other.returncode == 1 and "has other columns" in other.stderr, f"other columns: {other.stderr}")


# A product takes ranks 2 and 3 s, threads 5 and 3 s: the best of each counts.
GRADIENT = """[ "${OMPI_COMM_WORLD_RANK:-0}" = 0 ] || exit 0
echo "gradient $OMP_NUM_THREADS $BENCH_PYTHON $*" >> "$CALLS"
n=$(wc -l < "$CALLS")
if [ "$OMP_NUM_THREADS" = 1 ]; then limit=$((n == 1 ? 2 : 3)); else limit=$((n == 2 ? 5 : 3)); fi
echo '# a table'
echo "{\\"benchmark\\": \\"gradient\\", \\"limit_seconds\\": $limit, \\"general\\": 9, \\"general_best\\": 4.5, \\"symmetric\\": 2, \\"symmetric_best\\": 2.0, \\"pdgemm\\": 8}"
"""


def test_placement(checks, folder):
    cores = int(subprocess.run([str(ROOT / "scripts" / "cores")], text=True, stdout=subprocess.PIPE, check=True).stdout)
    (folder / "placed").mkdir()
    stub(folder / "placed" / "bench" / "bench_gradient", GRADIENT)
    (folder / "placements").write_text("")
    variables = dict(os.environ, CALLS=str(folder / "placements"), BUILD=str(folder / "placed"))
    done = subprocess.run([str(ROOT / "bench" / "placement"), "200", "2"], cwd=ROOT, env=variables, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if cores < 2:
        checks.check(done.returncode == 1 and "one core" in done.stderr, f"placement: {done.stderr}")
        return
    checks.equal(f"placement: exit status\n{done.stdout}{done.stderr}", done.returncode, 0)
    calls = (folder / "placements").read_text().splitlines()
    checks.equal("placement: runs take turns", calls, [f"gradient {t} false 200 3" for t in (1, cores, 1, cores)])
    table = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if "." in line and "{" not in line}
    checks.equal(f"placement: best seconds\n{done.stdout}", table.get("general"), ["9.0000", "13.5000", "0.667"])
    bad = subprocess.run([str(ROOT / "bench" / "placement"), "many"], text=True, stderr=subprocess.PIPE, check=False)
    checks.check(bad.returncode == 2 and "usage" in bad.stderr, f"placement: {bad.stderr}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        stub(folder / "build" / "tracegrad", RUN)
        (folder / "build" / "bench").mkdir()
        stub(folder / "build" / "bench" / "bench_machine", MACHINE)
        test_sweep(checks, folder)
        test_resume(checks, folder)
        test_projection(checks, folder)
        test_refusals(checks, folder)
        test_placement(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
