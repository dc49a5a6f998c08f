"""Jobs and folders of people who mean no good, or of nobody's: text of any kind, paths that lead away, links, files that change."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run

checks = Checks()

HEAD = "minimize: sumsq(X - A)\nvariables: {X: {rows: 2, columns: 2}}\n"
BASE = HEAD + "data: {A: {generate: normal, rows: 2, columns: 2}}\n"
ESCAPE = '"a\\e[2J\\e]0;x\\a.npy"'


def chained(depth, width):
    """Lists of aliases of lists of aliases: width**depth values when they are followed."""
    links = (f"k{k}: &k{k} [" + ",".join([f"*k{k - 1}"] * width) + "]\n" for k in range(1, depth))
    return "k0: &k0 [x]\n" + "".join(links)


# name: the text of the job, the exit status of `plan`, words of the message
TEXTS = {
    "a zero byte": (BASE.encode() + b"\0", 2, "control character 0x00"),
    "UTF-16": (BASE.encode("utf-16"), 2, "is text in UTF-16"),
    "UTF-16 without a mark": (BASE.encode("utf-16-be"), 2, "is text in UTF-16"),
    "UTF-32": (BASE.encode("utf-32"), 2, "is text in UTF-16 or UTF-32"),
    "a byte-order mark": (b"\xef\xbb\xbf" + BASE.encode(), 0, ""),
    "Latin-1": (BASE.replace("A", "\xc4").encode("latin-1"), 2, "is not UTF-8"),
    "a control sequence": (BASE.replace("- A", "- A + \x9b2J").encode(), 2, "error: unexpected character"),
    "an anchor twice": (BASE + "solver: {memory: &a 5, max_iterations: &a 7, seed: *a}\n", 0, ""),
    "a bomb of aliases": (BASE + chained(40, 9), 2, "unknown key 'k0'"),
    "a bomb in a value": (BASE + "subject_to: [" + ", ".join(f"&b{k} [*b{k - 1}, *b{k - 1}]" if k else "&b0 [x, x]"
                                                         for k in range(60)) + "]\n", 2, "found a list"),
    "an alias of itself": ("a: &a [*a]\n", 2, "stands inside its own anchor"),
    "300 anchors": (BASE + "solver: {" + ",".join(f"k{k}: &x{k} 1" for k in range(300)) + "}\n", 2, "more than 256 anchors"),
    "100,000 brackets": (BASE + "solver: " + "[" * 100000, 2, "nested deeper than 32"),
    "100,000 mappings": (BASE + "solver: " + "{a: " * 100000, 2, "nested deeper than 32"),
    "2,000 indentations": ("\n".join(" " * k + "a:" for k in range(2000)), 2, "nested deeper than 32"),
    "100,000 parentheses": ("minimize: " + "(" * 100000 + "\nvariables: {X: {rows: 2, columns: 2}}\n", 2, "nested deeper than 200"),
    "2 MB of terms": ("minimize: " + "X+" * 1000000 + "X\nvariables: {X: {rows: 1, columns: 1}}\n", 2, "1:11: error: the expression has"),
    "20,000 variables": ("minimize: tr(X)\nvariables:\n" + "".join(f"  X{k}: {{rows: 1, columns: 1}}\n" for k in range(20000)),
                         2, "did you mean 'X0'"),
    "a line with %": (BASE + "%s%n: 5\n", 2, "4:1: error: '%' at the beginning of a line"),
    "a comment with %": ("% of LaTeX\n" + BASE, 2, "1:1: error: '%' at the beginning of a line"),
    "a directive": ("%YAML 1.2\n---\n" + BASE, 0, ""),
    "two documents": (BASE + "---\n" + BASE, 2, "4:1: error: a second YAML document"),
    "a format in a name": (BASE.replace("A", "A%s%n"), 2, "'A%s%n' is not a name"),
    "a format in a path": (HEAD + "data: {A: {file: '%s%n%1000000d.npy'}}\n", 2, "%s%n%1000000d.npy: cannot be read"),
    "an escape in a path": (HEAD + f"data: {{A: {{file: {ESCAPE}}}}}\n", 2, "a\\x1B[2J\\x1B]0;x\\x07.npy: cannot be read"),
    "an escape in a value": (BASE + f"solver: {{method: {ESCAPE}}}\n", 2, "unknown method 'a\\x1B[2J"),
    "an escape in a formula": (BASE.replace("sumsq(X - A)", '"sumsq(X - A) + \\e[2J"'), 2, "byte 0x1B"),
    "a zero byte in a path": (HEAD + 'data: {A: {file: "a\\0.npy"}}\n', 2, "contains a zero byte"),
    "a name of 5,000 bytes": (HEAD + f"data: {{A: {{file: {'a' * 5000}.npy}}}}\n", 2, "aaa.npy: cannot be read"),
    "a device": (HEAD + "data: {A: {file: device.npy}}\n", 2, "is not a regular file"),
    "a pipe": (HEAD + "data: {A: {file: pipe.npy}}\n", 2, "is not a regular file"),
    "a list as a key": ("? [a, b]\n: c\n", 2, "a key must be a name"),
}


def test_texts(folder):
    """One message for each error with its place, without a byte that a terminal obeys; nothing crashes, nothing takes long."""
    os.mkfifo(folder / "pipe.npy")
    (folder / "device.npy").symlink_to("/dev/zero")
    for name, (text, status, words) in TEXTS.items():
        job = folder / "job.yaml"
        job.write_bytes(text if isinstance(text, bytes) else text.encode())
        found = run(["plan", job], timeout=300)
        checks.equal(f"{name}: exit status {found.err[-300:]}", found.status, status)
        checks.check(words in found.err, f"{name}: '{words}' is not in: {found.err[:400]}")
        n_errors = found.err.count("error:")
        checks.check(n_errors == 0 if status == 0 else 1 <= n_errors <= 20, f"{name}: {n_errors} errors: {found.err[:400]}")
        checks.check(all(c in "\n\t" or (" " <= c and not "\x7f" <= c <= "\x9f") for c in found.err), f"{name}: {found.err[:200]!r}")


# ---- what a job may touch ----


def test_confined(folder):
    """Below the job's folder it reads, below the working directory it writes, links followed; without the flag it may."""
    jobs, here, away = folder / "jobs", folder / "here", folder / "away"
    for path in (jobs / "deep", here, away):
        path.mkdir(parents=True)
    for path in (jobs / "A.npy", jobs / "deep/A.npy", away / "A.npy"):
        np.save(path, np.ones((2, 2)))
    (jobs / "link.npy").symlink_to(away / "A.npy")
    (jobs / "up").symlink_to(away)
    (here / "out-link").symlink_to(away)
    (here / "planted").mkdir()
    (here / "planted/report.json").symlink_to(away / "victim")
    (here / "nowhere").symlink_to(away / "not-yet")
    fine = "data: {A: {file: A.npy}}\noutput: {directory: results, variables: {X: deep/X.npy}}\n"
    inside = {"plain": fine, "deep": fine.replace("A.npy}}", "deep/../deep/A.npy}}"),
              "a new folder": fine.replace("results", "a/b/c"), "a checkpoint": fine + "checkpoint: {directory: ckpt}\n",
              "absolute": fine.replace("A.npy}}", f"{jobs}/A.npy}}}}")}
    outside = {"data above": (fine.replace("A.npy}}", "../away/A.npy}}"), "file: "),
               "absolute data": (fine.replace("A.npy}}", f"{away}/A.npy}}}}"), "file: "),
               "data by a link": (fine.replace("A.npy}}", "link.npy}}"), "file: "),
               "data by a linked folder": (fine.replace("A.npy}}", "up/A.npy}}"), "file: "),
               "a folder of a like name": (fine.replace("A.npy}}", f"{jobs}-2/A.npy}}}}"), "file: "),
               "output above": (fine.replace("results", "../away"), "directory: "),
               "absolute output": (fine.replace("results", str(away)), "directory: "),
               "output by a link": (fine.replace("results", "out-link"), "directory: "),
               "output by a dangling link": (fine.replace("results", "nowhere/x"), "directory: "),
               "output beyond what exists": (fine.replace("results", "new/../../away"), "directory: "),
               "a planted report": (fine.replace("results", "planted"), "directory: "),
               "a variable above": (fine.replace("deep/X.npy", "../X.npy"), "X: "),
               "an absolute variable": (fine.replace("deep/X.npy", f"{away}/X.npy"), "X: "),
               "checkpoints above": (fine + "checkpoint: {directory: ../ckpt}\n", "directory: ")}
    head = "minimize: sumsq(X - A)\nvariables: {X: {rows: 2, columns: 2}}\n"
    job = jobs / "job.yaml"
    for name, text in inside.items():
        job.write_text(head + text)
        found = run(["plan", "../jobs/job.yaml", "--confined"], cwd=here)
        checks.equal(f"{name}: exit status {found.err[-300:]}", found.status, 0)
    before = sorted(path.name for path in away.iterdir())
    for name, (text, key) in outside.items():
        job.write_text(head + text)
        found = run(["plan", job, "--confined"], cwd=here)
        checks.equal(f"{name}: exit status", found.status, 2)
        checks.check("error: --confined: " in found.err and key in found.err.splitlines()[1], f"{name}: {found.err}")
    job.write_text(head + outside["a variable above"][0])
    for command in ("run", "check"):
        found = run([command, job, "--confined"], ranks=2, cwd=here)
        checks.check(found.status == 2 and found.err.count("--confined: ") == 1, f"{command}: {found.status} {found.err}")
    checks.equal("nothing was written away", sorted(path.name for path in away.iterdir()), before)
    job.write_text(head + fine)
    found = run(["run", job, "--confined"], cwd=here)
    checks.check(found.status == 0 and (here / "results/deep/X.npy").exists(), f"run: {found.err}")
    found = run(["run", job, "--confined", "--output", away / "mine"], cwd=here)
    checks.equal(f"the user's own --output: {found.err[-300:]}", found.status, 0)


# ---- links, other files, files that change ----


def test_planted(folder):
    """A link under the temporary name of a file, whose number anybody can guess, is not written through."""
    job, out, victim = folder / "plain.yaml", folder / "planted", folder / "victim"
    job.write_text(BASE)
    out.mkdir()
    victim.write_text("precious")
    script = f'ln -s {victim} {out}/report.json.$$.tmp; exec {PROGRAM} run {job} --output {out} --quiet'
    done = subprocess.run(["sh", "-c", script], env=environment_of(), timeout=300, capture_output=True, text=True, check=False)
    checks.equal(f"planted link: exit status {done.stderr[-300:]}", done.returncode, 0)
    checks.equal("what the link leads to", victim.read_text(), "precious")
    checks.check((out / "report.json").is_file() and not (out / "report.json").is_symlink(), "report.json is a file")


def test_changing(folder):
    """A file that is written while it is read is refused. The moment is short: some runs may miss it, not all."""
    data, job = folder / "changing.npy", folder / "changing.yaml"
    np.save(data, np.ones((1000, 1000)))
    job.write_text("minimize: sumsq(X - A)\nvariables: {X: {rows: 1000, columns: 1000}}\ndata: {A: {file: changing.npy}}\n"
                   "output: {variables: none}\n")
    stop = threading.Event()

    def touch():
        while not stop.wait(0.0005):
            os.utime(data)

    writer = threading.Thread(target=touch)
    writer.start()
    found = None
    for _ in range(10):
        found = run(["run", job, "--output", folder / "changing", "--force", "--quiet"], environment={"OMP_NUM_THREADS": "1"})
        if found.status == 2:
            break
    stop.set()
    writer.join()
    checks.equal("changing file: exit status", found.status, 2)
    checks.check("was written while it was read" in found.err, f"changing file: {found.err}")
    found = run(["run", job, "--output", folder / "changing", "--force", "--quiet"], environment={"OMP_NUM_THREADS": "1"})
    checks.check(found.status in (0, 3), f"the same at rest: {found.status} {found.err}")


def test_other_content(folder):
    """A rank that sees another file of equal size, as a node with an old copy does, is named."""
    np.save(folder / "same.npy", np.ones((300, 2)))
    other = np.ones((300, 2))
    other[217, 1] = 1 + 2**-50
    np.save(folder / "other.npy", other)
    job = folder / "same.yaml"
    job.write_text("minimize: sumsq(X - A)\nvariables: {X: {rows: 300, columns: 2}}\ndata: {A: {file: same.npy}}\n")
    wrapper = folder / "rank.sh"
    wrapper.write_text("#!/bin/sh\n"
                       f'[ "$OMPI_COMM_WORLD_RANK" = 1 ] || exec {PROGRAM} "$@"\n'
                       f"exec unshare -m sh -c 'mount --bind {folder}/other.npy {folder}/same.npy && exec {PROGRAM} \"$@\"' sh \"$@\"\n")
    wrapper.chmod(0o755)
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("no mount namespaces here: another file on one rank is not tested")
        return
    command = [ROOT / "scripts/mpirun-local", 2, wrapper, "run", job, "--output", folder / "same", "--quiet"]
    done = subprocess.run([str(part) for part in command], env=environment_of(), timeout=300, capture_output=True, text=True, check=False)
    checks.equal("another file: exit status", done.returncode, 2)
    checks.check(done.stderr.count("rank 1 sees another content than rank 0, of equal size") == 1, f"another file: {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name:
        for test in (test_texts, test_confined, test_planted, test_changing, test_other_content):
            folder = Path(os.path.realpath(name)) / test.__name__
            folder.mkdir()
            test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
