"""The page of scripts/web: its calculus gives the very texts of the program, and it works in a browser under real typing.

Skipped where it was not built, or where node or Chromium is missing. test_web.py --pictures FOLDER keeps the pictures.
"""

import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools import Browser, find_chromium
from test_derive import options_of, read_corpus
from tracegrad_run import ROOT, Checks, run

checks = Checks()
PAGE = ROOT / "build" / "web" / "tracegrad.html"
CALCULUS = ROOT / "build" / "web" / "calculus.js"
EVERYTHING, FUNCTION = 0, 7
FORMATS = {"human": 0, "expr": 2, "latex": 3, "numpy": 4, "octave": 5}
LANGUAGES = {"julia": 7, "c": 11}
READY = "document.documentElement.dataset.ready === 'true'"


# ---- the corpus ----


def library_options(arguments):
    """["derive", EXPR, "--wrt", X, ...] as lines NAME=VALUE."""
    pairs = zip(arguments[2::2], arguments[3::2])
    return "\n".join(f"{name.lstrip('-')}={value.replace(' ', '')}" for name, value in pairs)


def in_webassembly(cases):
    node = shutil.which("node") or shutil.which("nodejs")
    done = subprocess.run([node, ROOT / "tests" / "support" / "web_corpus.js", CALCULUS], input=json.dumps(cases), text=True,
                          capture_output=True, check=False)
    checks.equal(f"status of node: {done.stderr[-500:]}", done.returncode, 0)
    return json.loads(done.stdout)


def test_corpus():
    """Each row in one format of the command and, some of them, as a program."""
    rows = [(row, file) for file in ("derivatives.txt", "jacobians.txt") for row in read_corpus(file)]
    wanted, cases = [], []
    for number, (row, file) in enumerate(rows):
        arguments = options_of(row)
        formats = [list(FORMATS)[number % len(FORMATS)], "expr"]
        parts = [[EVERYTHING, FORMATS[format]] for format in formats]
        commands = [[*arguments, "--format", format] for format in formats]
        if number % 10 == 0 and file == "derivatives.txt":
            language = list(LANGUAGES)[number // 10 % 2]
            parts.append([FUNCTION, LANGUAGES[language]])
            commands.append([*arguments, "--function", "--format", language])
        cases.append([row[0], library_options(arguments), parts])
        wanted.append(commands)
    for commands, case, answer in zip(wanted, cases, in_webassembly(cases)):
        for k, command in enumerate(commands):
            expected = run(command, environment={"LC_ALL": "C.UTF-8"}).out
            found = answer.get("texts", [answer.get("message")] * 9)[k]
            checks.equal(f"{' '.join(command)} in WebAssembly", (found or "").rstrip("\n"), expected.rstrip("\n"))
    print(f"{len(cases)} rows of the corpus in WebAssembly")


def test_failures():
    expressions = ["tr(A*B", "lgdet(X)", "tr(A*X) + A*X*A", "sum(X) + ", "A*X + A"]
    answers = in_webassembly([[text, "wrt=X\ndims=A=3x4", []] for text in expressions])
    for text, answer in zip(expressions, answers):
        expected = run(["derive", text, "--wrt", "X", "--dims", "A=3x4"]).err
        if expected:
            checks.equal(f"errors of {text}", answer.get("message"), expected.rstrip("\n"))


def test_examples():
    """Every example of the page is derived."""
    node = shutil.which("node") or shutil.which("nodejs")
    source = ROOT / "web" / "examples.js"
    groups = json.loads(subprocess.run([node, "-p", f"JSON.stringify(require('{source}'))"], capture_output=True, text=True,
                                       check=True).stdout)
    cases = [[expression, "\n".join([f"wrt={wrt}", *(f"{name}={value}" for name, value in (declared or [{}])[0].items())]), []]
             for rows in groups.values() for _, expression, wrt, *declared in rows]
    for case, answer in zip(cases, in_webassembly(cases)):
        checks.check("texts" in answer, f"example {case[0]}: {answer.get('message')}")
    checks.check(len(cases) >= 25, f"only {len(cases)} examples")


# ---- the browser ----


def content(page, selector):
    return page.evaluate(f"document.querySelector({selector!r}).textContent")


def open_page(page, fragment="", **more):
    page.open(PAGE.as_uri() + fragment, **more)
    checks.check(page.wait(READY), f"no first gradient at {fragment!r}")


def replace_expression(page, text):
    page.evaluate("document.getElementById('expression').focus(); document.getElementById('expression').select()")
    page.type(text)


def choose_language(page, language):
    page.evaluate("document.getElementById('tab-code').click(); var l = document.getElementById('language');"
                  f"l.value = {language!r}; l.dispatchEvent(new Event('change'))")
    return content(page, "#code")


def test_typing(page):
    open_page(page)
    checks.check(content(page, "#spoken") == "By X: (A + Aᵀ)·X", f"first gradient: {content(page, '#spoken')}")
    replace_expression(page, "sumsq(A*X - B")
    checks.check("expected ','" in content(page, "#errors"), f"an open parenthesis: {content(page, '#errors')}")
    caret = content(page, "#errors .place").splitlines()
    checks.equal("the caret stands behind the text", caret, ["sumsq(A*X - B", " " * 13 + "^"])
    page.type(")")
    checks.equal("errors when it is closed", content(page, "#errors"), "")
    checks.equal("gradient as spoken", content(page, "#spoken"), "By X: 2·Aᵀ·(A·X - B)")
    checks.check(page.evaluate("document.querySelectorAll('#gradients math mfrac').length") == 1, "the gradient is typeset")
    checks.check("sumsq" in page.evaluate("decodeURIComponent(location.hash)"), "the address has the expression")
    rules = page.evaluate("[...document.querySelectorAll('.steps .rule')].map((rule) => rule.textContent)")
    checks.check(not any(set("{}\\\\") & set(rule) for rule in rules), f"LaTeX is left in the rules: {rules}")
    checks.check(len(rules) >= 3 and any("read off" in rule for rule in rules), f"rules of the steps: {rules}")


def test_address(page):
    """A link written by hand has a sum where it has a plus; the page's own link opens as itself."""
    open_page(page, "#f=sumsq(Y-X*W)+lambda*sumsq(W)&wrt=W")
    checks.equal("a plus in a link", page.evaluate("document.getElementById('expression').value"), "sumsq(Y-X*W)+lambda*sumsq(W)")
    for text in ("sumsq(A*X + B') - tr(C)", "x'*A*x + 2*b'*x"):
        replace_expression(page, text)
        own = page.evaluate("location.hash")
        checks.check(not set("+ ()'*") & set(own), f"a link with signs at which links end: {own}")
        open_page(page, own)
        checks.equal("its own link", page.evaluate("document.getElementById('expression').value"), text)


def test_names(page):
    open_page(page, "#f=tr(A*X*B*X')&wrt=X")
    for name in ("A", "B"):
        page.evaluate(f"var s = document.querySelector('[aria-label=\"property of {name}\"]'); s.value = 'symmetric';"
                      "s.dispatchEvent(new Event('change'))")
    checks.equal("gradient with A, B symmetric", content(page, "#spoken"), "By X: 2·A·X·B")
    page.evaluate("document.querySelector('[aria-label=\"rows of X\"]').focus(); document.activeElement.select()")
    page.type("40")
    page.press("Tab", 9)
    shape = page.evaluate("document.querySelector('.shape').textContent")
    checks.check(shape.startswith("40 ×"), f"a size that was typed: {shape}")
    checks.check("dims" in page.evaluate("location.hash"), "the address has the size")
    page.evaluate("document.querySelector('[aria-label=\"differentiate by A\"]').click()")
    checks.equal("two gradients", page.evaluate("document.querySelectorAll('#gradients .gradient').length"), 2)


def test_details(page):
    open_page(page, "#f=tr(X'*A*X)&wrt=X&symmetric=A")
    page.evaluate("document.getElementById('tab-steps').focus()")
    page.press("ArrowRight", 39)
    checks.check(page.evaluate("!document.getElementById('panel-hessian').hidden"), "arrows change the tab")
    checks.check("H" in content(page, "#panel-hessian") and "V" in content(page, "#panel-hessian"), "Hessian")
    checks.check("degree in X" in content(page, "#panel-structure"), "structure")
    page.evaluate("document.getElementById('tab-check').click(); document.getElementById('claim').focus()")
    page.type("A*X")
    checks.check(page.evaluate("document.querySelector('#verdict pre').className") == "different", "a wrong claim")
    page.evaluate("document.getElementById('claim').select()")
    page.type("2*A*X")
    checks.check(page.evaluate("document.querySelector('#verdict pre').className") == "equal", "a right claim")
    for language, words in (("latex", "2 A X"), ("expr", "2*A*X"), ("job", "minimize: tr(X'*A*X)"), ("numpy", "def value_and_gradient"),
                            ("jax", "import jax"), ("pytorch", "import torch"), ("julia", "using LinearAlgebra"),
                            ("matlab", "function ["), ("c", "cblas_dgemm"), ("fortran", "end module")):
        code = choose_language(page, language)
        checks.check(words in code, f"code in {language}: {code[:300]}")


def test_copying(page):
    """What is shown is what is copied, with a clipboard and without one."""
    page.call("Emulation.setFocusEmulationEnabled", enabled=True)
    page.call("Page.bringToFront")
    open_page(page, "#f=sumsq(Y - X*W)&wrt=W")
    shown = {language: choose_language(page, language) for language in ("latex", "julia", "job")}
    listen = "window.copied = []; document.addEventListener('copy', () => window.copied.push(String(document.activeElement.value)))"
    clipboard = "Object.defineProperty(navigator, 'clipboard', {configurable: true, value: {writeText: async (text) => {%s}}})"
    page.evaluate(listen)

    def press(button):
        page.call("Runtime.evaluate", expression=f"window.copied = []; document.getElementById({button!r}).click()", userGesture=True)

    for way in (clipboard % "window.copied.push(text)", clipboard % "throw new Error('refused')"):
        page.evaluate(way)
        for language, text in shown.items():
            choose_language(page, language)
            press("copy")
            checks.check(page.wait("window.copied.length > 0", 5), f"{language} is not copied by {way}")
            checks.equal(f"{language} as it is copied", page.evaluate("window.copied[0]"), text)
        press("link")
        checks.check(page.wait("window.copied.length > 0", 5), "the link is not copied")
        checks.equal("the link", page.evaluate("window.copied[0]"), page.evaluate("location.href"))


def test_jobs(page):
    """The job that the page writes is one."""
    import numpy as np
    for declared, means in (("symmetric", "symmetric"), ("spd", "spd"), ("psd", "symmetric"), ("diagonal", "diagonal"), ("orthogonal", "orthogonal")):
        open_page(page, f"#f=tr(S*W*W') - tr(W)&wrt=W&dims=S=4x4,W=4x4&{declared}=S")
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "job.yaml").write_text(choose_language(page, "job"))
            checks.check(f"{means}: true" in (Path(name) / "job.yaml").read_text(), f"the page's job has no {means}")
            np.save(Path(name) / "S.npy", np.eye(4))
            done = run(["check", "job.yaml"], cwd=name)
            checks.check(done.status == 0, f"the page's job with {declared}: {done.err}")
    open_page(page, "#f=sumsq(Y - X*W) + lambda*sumsq(W)&wrt=W&dims=X=20x4,Y=20x3")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "job.yaml").write_text(choose_language(page, "job"))
        np.save(Path(name) / "X.npy", np.random.default_rng(1).normal(size=(20, 4)))
        np.save(Path(name) / "Y.npy", np.random.default_rng(2).normal(size=(20, 3)))
        done = run(["check", "job.yaml"], cwd=name)
        checks.check(done.status == 0, f"the page's job: {(Path(name) / 'job.yaml').read_text()}\n{done.err}")


def test_pages(page, folder):
    """Light, dark, and a phone: nothing is wider than the screen."""
    for name, more in (("light", {}), ("dark", {"dark": True}), ("phone", {"width": 390, "height": 844, "phone": True})):
        open_page(page, "#f=logdet(X'*A*X) - tr(B'*X)&wrt=X&spd=A", **more)
        page.photograph(folder / f"{name}.png")
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        checks.equal(f"what sticks out at the side, {name}", width, 0)
        checks.check((folder / f"{name}.png").stat().st_size > 20000, f"the picture {name} is empty")
        checks.equal(f"theme of {name}", page.evaluate("document.documentElement.dataset.theme"), "dark" if name == "dark" else "light")
    unnamed = page.evaluate("[...document.querySelectorAll('button, input, select, textarea')].filter((field) => !field.ariaLabel"
                            " && !field.textContent.trim() && !(field.labels || []).length).map((field) => field.outerHTML)")
    checks.equal("fields without a name", unnamed, [])


def test_browser(folder):
    with Browser() as page:
        test_typing(page)
        test_address(page)
        test_names(page)
        test_details(page)
        test_copying(page)
        test_jobs(page)
        test_pages(page, folder)
        open_page(page)
        print("first gradient", page.evaluate("document.documentElement.dataset.firstGradient"), "ms after the script began, at",
              page.evaluate("document.documentElement.dataset.at"), "ms; load ended at",
              page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd.toFixed(1)"), "ms")
        checks.equal("errors, and what was fetched", page.complaints(), [])


def main():
    if not PAGE.exists():
        print("the page is not built (scripts/web): skipped")
        return 0
    size = len(gzip.compress(PAGE.read_bytes(), 9))
    print(f"{PAGE.stat().st_size} bytes, {size} gzipped")
    checks.check(size < 1_000_000, f"the page has {size} bytes gzipped, more than 1 MB")
    checks.equal("what the page refers to", re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', PAGE.read_text().split("<script>")[0]), [])
    if shutil.which("node") or shutil.which("nodejs"):
        test_corpus()
        test_failures()
        test_examples()
    else:
        print("node is not installed: the corpus is not run")
    if find_chromium() is None:
        print("Chromium is not installed: the page is not opened")
        return checks.finish()
    if "--pictures" in sys.argv:
        folder = Path(sys.argv[sys.argv.index("--pictures") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        test_browser(folder)
    else:
        with tempfile.TemporaryDirectory() as name:
            test_browser(Path(name))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
