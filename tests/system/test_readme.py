"""Every command of README.md and of docs is run as it stands there, and what is shown of its output is what comes out.

A command is an indented line that begins with "$ "; the indented lines behind it are lines of its output, in their order, others
between them left out. Numbers may differ in the last digits, and be shown with fewer. A page has a folder of its own; a block of code
with a title, ```yaml title="job.yaml", is written there under that name before the commands behind it. Of commands that stand
elsewhere, in blocks and in the text, program and options are looked up.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of

checks = Checks()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")


TITLE = re.compile(r'^```\w+ title="([\w.-]+)"$')


def files(page):
    """(line, name, text) of each block of code with a title."""
    found, text = [], None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        title = TITLE.match(line)
        if title:
            text = []
            found.append((number, title.group(1), text))
        elif line.startswith("```"):
            text = None
        elif text is not None:
            text.append(line + "\n")
    return found


def commands(page):
    """(line, command, lines shown) of each."""
    found, shown = [], None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("    $ "):
            shown = []
            found.append((number, line[6:], shown))
        elif line.startswith("    ") and shown is not None:
            shown.append(line[4:])
        elif line.strip():
            shown = None
    return found


def is_same(shown, line):
    """Words alike, numbers with a point to nine digits. Columns may stand further apart than in the page."""
    ours, theirs = NUMBER.findall(shown), NUMBER.findall(line)
    squeeze = lambda text: " ".join(NUMBER.sub("#", text).split())
    digits = lambda text: len(text.split("e")[0].split(".")[1]) - int((text.split("e") + ["0"])[1])
    near = lambda a, b: abs(float(a) - float(b)) <= max(2e-9 * abs(float(b)), 0.51 * 10.0 ** -digits(a))
    return squeeze(shown) == squeeze(line) and all(near(a, b) for a, b in zip(ours, theirs))


def run_command(command, folder):
    """Its status and output; rooms of the repository are reached from `folder`."""
    # A plain mpirun, on a machine of one core and beside other tests.
    variables = environment_of(PATH=f"{Path(PROGRAM).parent}:{os.environ['PATH']}", OMPI_MCA_rmaps_base_oversubscribe="1",
                               OMPI_MCA_hwloc_base_binding_policy="none", OMPI_MCA_mpi_yield_when_idle="1")
    words = [sys.executable if word == "python3" else word for word in shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=variables, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    return done.returncode, done.stdout.splitlines()


def test_page(page, folder):
    blocks = files(page)
    for number, command, shown in commands(page):
        while blocks and blocks[0][0] < number:
            _, name, text = blocks.pop(0)
            (folder / name).write_text("".join(text))
        where = f"{page.name}:{number}: {command}"
        status, output = run_command(command, folder)
        fails = any(": error: " in line for line in shown)
        checks.check((status == 2) if fails else status == 0, f"{where}: exit status {status}: {output[-5:]}")
        rest = iter(output)
        for line in filter(str.strip, shown):
            if not checks.check(any(is_same(line, other) for other in rest), f"{where}: does not print, or not in this place: {line!r}"):
                break


NAMED = re.compile(r"(?<![\w.-])(?:tracegrad +|(?<=`))(derive|check|plan|run|plot|info)\b(?=[ `])|(?<![\w./-])((?:scripts|bench|packaging)/[\w-]+)(?![\w./-])")


def named_commands(page):
    """(line, command of the program or None, script or None, options) of all that is named in code."""
    text = re.sub(r"\\\n *", lambda found: " " * len(found[0]), page.read_text())
    for code in re.finditer(r"^    .*|^[a-z]\S* .*--\w.*|`[^`]+`", text, re.M):
        begins = list(NAMED.finditer(code[0]))
        ends = [found.start() for found in begins[1:]] + [len(code[0])]
        for found, end in zip(begins, ends):
            rest = re.split(r"[|;#`&]", re.sub(r"'[^']*'|\"[^\"]*\"", "", code[0][found.end() : end]))[0]
            options = re.findall(r"(?<![\w-])(--[a-z][\w-]*)", rest) if found[2] != "scripts/mpirun-local" else []
            yield text.count("\n", 0, code.start()) + 1, found[1], found[2], options


def test_named(page, known={}):
    """Commands that are not run here: their programs are there and know their options."""
    for number, command, script, options in named_commands(page):
        where = f"{page.name}:{number}: {command or script}"
        if command is not None:
            known[command] = known.get(command) or run_command(f"tracegrad {command} --help", ROOT)[1]
            text = "\n".join(known[command])
        else:
            if not checks.check((ROOT / script).exists(), f"{where} is not there"):
                continue
            text = (ROOT / script).read_text() if (ROOT / script).is_file() else ""
        for option in options:
            checks.check(option == "--help" or re.search(rf"(?<![\w-]){option}(?![\w-])", text), f"{where} has no {option}")


def fenced(page, language):
    return re.findall(rf"^```{language}(?: title=[^\n]*)?\n(.*?)^```", page.read_text(), re.M | re.S)


def test_programs(folder):
    """The program that the README compares with comes near the same minimum: how near, its BLAS decides."""
    status, output = run_command("tracegrad run ridge.yaml --quiet --force", folder)
    ours = float(next(line for line in output if line.startswith("objective: ")).split()[1])
    checks.equal("ridge.yaml", status, 0)
    for text in fenced(ROOT / "README.md", "python"):
        try:
            import scipy.optimize  # noqa: F401
        except ImportError:
            print("no SciPy: the program of README.md is not run")
            continue
        done = subprocess.run([sys.executable, "-c", text], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, text=True, capture_output=True, check=False)
        if checks.equal(f"the program of README.md: {done.stderr[-300:]}", done.returncode, 0):
            checks.close("its minimum", float(done.stdout), ours, 1e-4)


def test_files():
    """What the README names is there, and the citation is of this version."""
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        checks.check((ROOT / target).exists(), f"README.md names {target}, which is not there")
    for script in re.findall(r"^    (scripts/\S+)$", text, re.M):
        checks.check(os.access(ROOT / script, os.X_OK), f"README.md names {script}, which cannot be run")
    version = re.search(r'TG_VERSION "(.*)"', (ROOT / "src/base/version.h").read_text()).group(1)
    checks.check(f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(), "CITATION.cff is of another version")
    jobs = fenced(ROOT / "README.md", "yaml")
    checks.equal("lines of the job", len(jobs[0].splitlines()), 8)


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-readme-") as temporary:
        for page in PAGES:
            folder = Path(temporary) / page.stem
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name in ("configs", "scripts"):
                (folder / name).symlink_to(ROOT / name)
            (folder / "build").mkdir()
            (folder / "build" / "release").symlink_to(Path(PROGRAM).parent)
            test_page(page, folder)
            test_named(page)
        test_programs(Path(temporary) / "README")
        test_files()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
