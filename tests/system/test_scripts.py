"""The scripts a newcomer meets first: what they do, and what they say when it cannot be done."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tracegrad_run import PROGRAM, ROOT, Checks

SCRIPTS = ROOT / "scripts"
checks = Checks()


def call(command, environment=None, path=None, cwd=ROOT):
    variables = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    variables.update(environment or {})
    if path is not None:
        variables["PATH"] = str(path)
    return subprocess.run([str(word) for word in command], cwd=cwd, env=variables, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def stub(folder, name, text):
    path = folder / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)


def tools(folder, *names):
    """A folder that holds these tools and nothing else, to serve as PATH."""
    for name in names:
        for where in os.environ["PATH"].split(":"):
            if (Path(where) / name).exists():
                (folder / name).symlink_to(Path(where) / name)
                break


def test_mpirun_local():
    cores = int(call([SCRIPTS / "cores"]).stdout)
    checks.check(cores >= 1, f"scripts/cores prints {cores}")
    for ranks in (1, 2, cores + 3):
        done = call([SCRIPTS / "mpirun-local", ranks, "sh", "-c", "echo threads=$OMP_NUM_THREADS"])
        lines = done.stdout.split()
        checks.equal(f"mpirun-local {ranks}: lines ({done.stderr})", len(lines), ranks)
        threads = int(lines[0].split("=")[1]) if lines else 0
        checks.check(threads >= 1 and (threads == 1 or threads * ranks <= cores),
                     f"mpirun-local {ranks} gives {threads} threads each on {cores} cores")
    done = call([SCRIPTS / "mpirun-local", 1, "sh", "-c", "echo $OMP_NUM_THREADS"], {"OMP_NUM_THREADS": "5"})
    checks.equal("threads the caller asked for", done.stdout.strip(), "5")
    checks.equal("exit status of the program", call([SCRIPTS / "mpirun-local", 2, "sh", "-c", "exit 3"]).returncode, 3)
    for wrong in ([], ["2"], ["two", "true"], ["0", "true"], ["-1", "true"]):
        done = call([SCRIPTS / "mpirun-local", *wrong])
        checks.check(done.returncode == 2 and "usage: scripts/mpirun-local RANKS PROGRAM" in done.stderr,
                     f"mpirun-local {wrong}: status {done.returncode}, {done.stderr!r}")


def test_layers(folder):
    """The arrows of this tree are right; one against the tables and two circles are found in a copy of it."""
    done = call([SCRIPTS / "layers"])
    checks.check(done.returncode == 0, f"scripts/layers: {done.stdout}{done.stderr}")
    for part in ("docs/architecture.md", "scripts/layers", "scripts/web"):
        (folder / part).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / part, folder / part)
    for part in ("src", "web"):
        shutil.copytree(ROOT / part, folder / part)
    files = {"src/opt/upwards.c": '#include "engine/spec.h"',
             "src/grad/graph/later.c": '#include "grad/lower/lower.h"',
             "src/base/one.h": '#include "base/two.h"',
             "src/grad/graph/writer.c": '#include "base/json.h"',
             "src/base/two.h": '#include "base/one.h"'}
    for name, text in files.items():
        (folder / name).write_text(text + "\n")
    done = call([folder / "scripts" / "layers"])
    checks.equal("scripts/layers: exit status", done.returncode, 1)
    for words in ("src/opt/upwards.c includes engine/spec.h: the layer opt may not use engine",
                  "src/grad/graph/later.c includes grad/lower/lower.h: the room graph stands before lower",
                  "src/grad/graph/writer.c is compiled by scripts/web, and src/base/json.h includes <jansson.h>",
                  "headers include each other: base/one.h, base/two.h", "files need each other: base/one, base/two"):
        checks.check(words in done.stdout, f"scripts/layers says '{words}': {done.stdout}")


def test_mpirun_killed():
    """A rank that is killed is said in one line, one that ends by itself is not; input arrives, signals are passed on."""
    kill = "[ $OMPI_COMM_WORLD_RANK = 0 ] || kill -{} $$; sleep 20"
    for number, words in ((signal.SIGKILL, "SIGKILL (does the system log"), (signal.SIGBUS, "SIGBUS (is /dev/shm"), (signal.SIGSEGV, "signal 11;")):
        done = call([SCRIPTS / "mpirun-local", 2, "sh", "-c", kill.format(int(number))])
        checks.equal(f"{number.name}: exit status", done.returncode, 128 + number)
        checks.check(done.stderr.count("\n") == 1 and f"mpirun-local: a rank was killed by {words}" in done.stderr, f"{number.name}: {done.stderr!r}")
    done = call([SCRIPTS / "mpirun-local", 2, "sh", "-c", "exit 75"])
    checks.equal("a rank that ends by itself", (done.returncode, done.stderr), (75, ""))
    process = subprocess.Popen([SCRIPTS / "mpirun-local", "1", "sh", "-c", "read line; echo got $line; trap 'exit 7' USR1; echo up; while :; do sleep 0.1; done"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write("word\n")
    process.stdin.flush()
    heard = [process.stdout.readline().strip() for _ in range(2)]
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=300)
    checks.equal(f"input and a signal {errors}", (heard, process.returncode, "mpirun-local" in errors), (["got word", "up"], 7, False))


def test_mpirun_without_memory():
    """A container's /dev/shm of 64 KiB: the ranks share their memory elsewhere, and this is said."""
    script = f"mount -t tmpfs -o size=64k tmpfs /dev/shm && exec {SCRIPTS}/mpirun-local 2 {PROGRAM} info"
    if call(["unshare", "-m", "true"]).returncode != 0:
        print("no mount namespaces here: a small /dev/shm is not tested")
        return
    done = call(["unshare", "-m", "sh", "-c", script])
    checks.equal(f"small /dev/shm: exit status {done.stderr[-300:]}", done.returncode, 0)
    checks.check("/dev/shm has 64 KiB free, 2 ranks need" in done.stderr, f"small /dev/shm: {done.stderr}")


def test_mpirun_without_program():
    done = call([SCRIPTS / "mpirun-local", 2, "./no-such-program", "run"])
    checks.equal("a program that is not there", (done.returncode, done.stderr), (127, "mpirun-local: there is no program ./no-such-program that can be run\n"))


def test_demo(folder):
    """What it shows, with a build that is there."""
    if Path(PROGRAM).resolve() != (ROOT / "build/release/tracegrad").resolve():
        print("not the release build: scripts/demo is not run")
        return
    stub(folder, "cmake", "exit 0")
    stub(folder, "apt-get", "exit 1")
    done = call([SCRIPTS / "demo"], path=f"{folder}:{os.environ['PATH']}")
    checks.equal(f"scripts/demo: {done.stderr[-500:]}", done.returncode, 0)
    parts = ("everything needed is installed", "df/dW = ", "status: converged", "results/demo/convergence.svg", " iterations\n")
    places = [done.stdout.find(part) for part in parts]
    checks.check(-1 not in places and places == sorted(places), f"scripts/demo shows {parts} at {places}: {done.stdout}")
    for name in ("report.json", "W.npy", "convergence.svg", "convergence.png"):
        checks.check((ROOT / "results/demo" / name).exists(), f"scripts/demo leaves no {name}")


def test_mpirun_missing(folder):
    tools(folder, "sh", "dirname", "env", "nproc")
    done = call(["/bin/sh", SCRIPTS / "mpirun-local", 2, "true"], path=folder)
    checks.check(done.returncode == 127 and "scripts/install-dependencies" in done.stderr,
                 f"no mpirun: status {done.returncode}, {done.stderr!r}")


def install(folder, arguments, installed, root=True, sudo=True):
    """install-dependencies against a pretended package system; returns its result and what apt-get was told."""
    record = folder / "apt.txt"
    record.write_text("")
    tools(folder, "env", "sh")
    stub(folder, "dpkg-query", 'for last; do :; done\ncase " ' + installed + ' " in\n'
         '*" ALL "* | *" $last "*) printf installed ;;\n*) exit 1 ;;\nesac')
    stub(folder, "apt-get", f'echo "$*" >> {record}')
    stub(folder, "id", f"echo {0 if root else 1000}")
    if sudo:
        stub(folder, "sudo", f'echo sudo >> {record}\nexec "$@"')
    done = call(["/bin/sh", SCRIPTS / "install-dependencies", *arguments], path=folder)
    return done, record.read_text()


def test_install(folder):
    def fresh(name):
        (folder / name).mkdir()
        return folder / name

    done, told = install(fresh("all"), ["--test"], "ALL")
    checks.check(done.returncode == 0 and told == "" and "everything needed is installed" in done.stdout,
                 f"nothing missing: status {done.returncode}, told apt-get {told!r}")

    done, told = install(fresh("some"), [], "gcc libc6-dev cmake ninja-build pkg-config openmpi-bin")
    words = told.split()
    checks.check(done.returncode == 0 and "libfyaml-dev" in words and "gcc" not in words and "clang" not in words,
                 f"some missing: told apt-get {told!r}")
    checks.check("sudo" not in words, f"root needs no sudo: {told!r}")

    done, told = install(fresh("test"), ["--test"], "gcc")
    checks.check("clang" in told.split() and "python3-numpy" in told.split(), f"--test: told apt-get {told!r}")

    done, told = install(fresh("sudo"), [], "gcc", root=False)
    checks.check(done.returncode == 0 and told.split()[0] == "sudo", f"not root: told apt-get {told!r}")

    done, told = install(fresh("helpless"), [], "gcc", root=False, sudo=False)
    checks.check(done.returncode == 1 and told == "" and "apt-get install libc6-dev" in done.stderr.replace("  ", " "),
                 f"not root, no sudo: status {done.returncode}, {done.stderr!r}")

    elsewhere = fresh("elsewhere")
    tools(elsewhere, "sh")
    done = call(["/bin/sh", SCRIPTS / "install-dependencies"], path=elsewhere)
    checks.check(done.returncode == 1 and "ScaLAPACK" in done.stderr and "cmocka" not in done.stderr,
                 f"another system: status {done.returncode}, {done.stderr!r}")

    done = call([SCRIPTS / "install-dependencies", "--tests"])
    checks.check(done.returncode == 2 and "usage:" in done.stderr, f"--tests: status {done.returncode}")


def test_sketch(folder):
    history = folder / "history.jsonl"
    history.write_text("".join(f'{{"iteration": {k}, "gradient_norm": {10.0 ** -k}}}\n' for k in range(10)))
    done = call([SCRIPTS / "sketch-convergence", history])
    rows = [line for line in done.stdout.splitlines() if "|" in line]
    places = [row.index("*") for row in rows if "*" in row]
    checks.check(len(places) == 10 and places == sorted(places) and places[0] < places[-1],
                 f"a falling norm is not drawn falling:\n{done.stdout}{done.stderr}")
    checks.check("1.0e+00" in rows[0] and "1.0e-09" in rows[-1], f"the axis is not that of the data:\n{done.stdout}")
    history.write_text("not a record\n")
    checks.equal("sketch of a history without records", call([SCRIPTS / "sketch-convergence", history]).stdout, "")


def test_usage():
    done = call([SCRIPTS / "test", "--fast"])
    checks.check(done.returncode == 2 and "usage: scripts/test" in done.stderr, f"test --fast: {done.stderr!r}")


def main():
    test_mpirun_local()
    test_mpirun_killed()
    test_mpirun_without_memory()
    test_mpirun_without_program()
    for test in (test_mpirun_missing, test_demo, test_install, test_sketch, test_layers):
        with tempfile.TemporaryDirectory(prefix="tracegrad-scripts-") as folder:
            test(Path(folder))
    test_usage()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
