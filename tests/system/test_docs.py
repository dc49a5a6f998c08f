"""The documents are current: what is made from tables, links and anchors, the navigation."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tracegrad_run import PROGRAM, ROOT, Checks

checks = Checks()


def run_script(*words, folder=ROOT):
    return subprocess.run(words, cwd=folder, env={**os.environ, "TRACEGRAD": str(PROGRAM)}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)


def test_current():
    done = run_script(ROOT / "scripts/reference", "--check")
    checks.check(done.returncode == 0, f"scripts/reference --check: {done.stdout}")
    done = run_script(ROOT / "scripts/docs")
    checks.check(done.returncode == 0, f"scripts/docs: {done.stdout}")


def test_site():
    """The pages become a site without a warning, where mkdocs is installed."""
    if shutil.which("mkdocs") is None:
        print("no mkdocs: the site is not built")
        return
    done = run_script(ROOT / "scripts/site")
    checks.check(done.returncode == 0 and " pages in build/site" in done.stdout, f"scripts/site: {done.stdout[-2000:]}")
    checks.check((ROOT / "build/site/solvers.html").exists(), "scripts/site: there is no solvers.html")


def test_faults_are_found():
    """A copy of the pages with one fault of each kind."""
    with tempfile.TemporaryDirectory(prefix="tracegrad-docs-") as temporary:
        copy = Path(temporary)
        (copy / "scripts").mkdir()
        (copy / "docs").mkdir()
        (copy / "scripts/docs").write_text((ROOT / "scripts/docs").read_text())
        (copy / "mkdocs.yml").write_text("nav:\n  - One: one.md\n  - Gone: gone.md\n")
        (copy / "docs/one.md").write_text("# One\n\nTo [a page](two.md#a-place), [a file](three.md), [no place](#nowhere).\n" + "word " * 40 + "\n")
        (copy / "docs/two.md").write_text("# Two\n\n## The place\n")
        done = run_script(sys.executable, "-B", copy / "scripts/docs", folder=copy)
        checks.equal("a wrong copy: exit status", done.returncode, 1)
        for fault in ("two.md has no such heading", "three.md: there is no such file", "#nowhere", "200 characters",
                      "docs/two.md is not in the navigation", "docs/gone.md is in the navigation and not there"):
            checks.check(fault in done.stdout, f"scripts/docs does not say: {fault}: {done.stdout}")
        run_script(sys.executable, "-B", copy / "scripts/docs", "--wrap", copy / "docs/one.md", folder=copy)
        lines = (copy / "docs/one.md").read_text().splitlines()
        checks.check(max(map(len, lines)) <= 120 and lines[0] == "# One", f"--wrap: {lines}")


def test_long_sentences_are_found():
    """Of each form one sentence of 30 words and one of 31; tables, code, headings and sources are not counted."""
    def words(count):
        return "Word " + "word " * (count - 2) + "end"

    page = [f"{words(30)}. {words(31)}.", "", f"- {words(31)}", f"- {words(30)}", "", f"{words(27)} `some code` [a link](#one).",
            f"{words(27)} `some code` [a long link](#one).", "", f"| {words(31)} |", "", f"    {words(31)}", "", "```", words(31), "```", "",
            f"## {words(31)}", "", f"{words(20)}, e.g. N. Higham in 1, 2, ... words with a long end.", "", f"*{words(31)}.*", "",
            f"{words(16)}\n{words(15)}."]
    with tempfile.TemporaryDirectory(prefix="tracegrad-docs-") as temporary:
        copy = Path(temporary)
        (copy / "scripts").mkdir()
        (copy / "docs").mkdir()
        (copy / "scripts/docs").write_text((ROOT / "scripts/docs").read_text())
        (copy / "docs/one.md").write_text("\n".join(page) + "\n")
        done = run_script(sys.executable, "-B", copy / "scripts/docs", "--sentences", folder=copy)
        checks.equal("long sentences: exit status", done.returncode, 1)
        found = [line.split(": ")[:2] for line in done.stdout.splitlines() if line.startswith("docs/")]
        checks.equal("long sentences: places and lengths", [(place, text.split()[3]) for place, text in found],
                     [("docs/one.md:1", "31"), ("docs/one.md:3", "31"), ("docs/one.md:6", "31"), ("docs/one.md:19", "31"),
                      ("docs/one.md:23", "31")])
        (copy / "mkdocs.yml").write_text("nav:\n  - One: one.md\n")
        whole = run_script(sys.executable, "-B", copy / "scripts/docs", folder=copy)
        checks.check("docs/one.md:1: a sentence of 31 words" in whole.stdout, f"long sentences are a fault: {whole.stdout} {whole.stderr}")
        (copy / "docs/one.md").write_text(f"{words(30)}.\n")
        done = run_script(sys.executable, "-B", copy / "scripts/docs", "--sentences", folder=copy)
        checks.equal("short sentences: exit status", done.returncode, 0)


def main():
    test_current()
    test_site()
    test_faults_are_found()
    test_long_sentences_are_found()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
