"""`tracegrad derive` as a user calls it: every row of the corpus in every format against NumPy, claims, errors, time.

The answers are textbook gradients, evaluated by tests/support/tg_eval.py, which knows the language from its description
alone. NumPy output is executed; Octave output too, and LaTeX compiled, where these programs are installed.
"""

import json
import keyword
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tg_eval import EvaluationError, evaluate
from tracegrad_run import ROOT, Checks, run

checks = Checks()
TOLERANCE = 1e-9


def read_corpus(name):
    """Rows of tests/data/NAME: expression, by, sizes, properties, expected."""
    lines = (ROOT / "tests" / "data" / name).read_text().splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line and not line.startswith("#")]


def shapes_of(sizes):
    shapes = {}
    for piece in sizes.split(","):
        name, shape = piece.split("=")
        numbers = [int(number) for number in shape.split("x")]
        shapes[name.strip()] = (numbers + [1])[:2]
    return shapes


def random_values(sizes, properties, seed):
    """Values with the properties of the row, as its header describes them."""
    generator = np.random.default_rng(seed)
    values = {name: generator.uniform(-1, 1, shape) for name, shape in shapes_of(sizes).items()}
    for piece in filter(None, properties.split(",")):
        name, what = piece.split(":")
        x = values[name.strip()]
        n = x.shape[0]
        if what == "positive":
            x = 1 + x / 2
        elif what == "symmetric":
            x = x + x.T
        elif what in ("spd", "definite"):
            x = x + x.T + 2 * n * np.eye(n)
        elif what == "diagonal":
            x = np.diag(np.diag(x))
        elif what == "orthogonal":
            x = np.linalg.qr(x)[0]
        values[name.strip()] = x
    return values


def options_of(row):
    """The command line that tells the program what the row tells the reader."""
    expression, wrt, sizes, properties, _ = row
    arguments = ["derive", expression, "--wrt", wrt, "--dims", sizes]
    for piece in filter(None, properties.split(",")):
        name, what = (word.strip() for word in piece.split(":"))
        if what in ("spd", "symmetric", "diagonal", "orthogonal") and name != wrt:
            arguments += [f"--{what}", name]
    return arguments


def derive(arguments, format="expr", status=0):
    finished = run([*arguments, "--format", format])
    if not checks.check(finished.status == status and (status != 0 or finished.out.strip()),
                        f"{arguments} --format {format}: exit {finished.status}, {finished.out!r} {finished.err!r}"):
        return None
    return finished.out.strip()


def near(what, found, expected):
    scale = max(1e-3, float(np.max(np.abs(expected))))
    same = found.shape == expected.shape and bool(np.max(np.abs(found - expected)) <= TOLERANCE * scale)
    return checks.check(same, f"{what}:\n  found    {found.tolist()}\n  expected {expected.tolist()}")


# ---- numbers ----


def run_numpy(text, values):
    """Matrices of NumPy as they are; a number where the result is one. lambda is lambda_ in Python."""
    names = {name + "_" * keyword.iskeyword(name): (float(x[0, 0]) if x.shape == (1, 1) else x)
             for name, x in values.items()}
    found = np.asarray(eval(text, {"np": np, **names}), dtype=float)  # noqa: S307, the program's own output
    return found.reshape(1, 1) if found.size == 1 else found


def test_corpus(name):
    rows = read_corpus(name)
    checks.check(len(rows) >= 60, f"{name} has only {len(rows)} rows")
    for row in rows:
        values = random_values(row[2], row[3], 11)
        expected = evaluate(row[4], values)
        text = derive(options_of(row))
        if text is not None:
            near(f"{row[0]} by {row[1]} = {text}", evaluate(text, values), expected)
            # In Octave a pair of signs is a decrement.
            checks.check("--" not in text, f"{row[0]} by {row[1]} has two signs in a row: {text}")
        text = derive(options_of(row), "numpy")
        if text is not None:
            near(f"{row[0]} by {row[1]}, NumPy {text}", run_numpy(text, values), expected)


def bind_sizes(symbols, values):
    """The numbers that the inferred size names stand for, None where a shape was guessed otherwise."""
    sizes = {}
    for symbol in symbols:
        for size, number in zip((symbol["rows"], symbol["columns"]), values[symbol["name"]].shape):
            if isinstance(size, int) and size != number:
                return None
            if isinstance(size, str) and "*" not in size and sizes.setdefault(size, number) != number:
                return None
    return sizes


def test_inferred_sizes():
    """Without --dims: the sizes that the program names, bound to numbers, must give the same gradient."""
    fitting = 0
    rows = [row for row in read_corpus("derivatives.txt") if not re.search(r"(eye|ones|zeros|comm|kron)\(|\[", row[0])]
    for row in rows:
        arguments = options_of(row)
        at = arguments.index("--dims")
        del arguments[at : at + 2]
        text = derive(arguments, "json")
        if text is None:
            continue
        answer = json.loads(text)
        values = random_values(row[2], row[3], 12)
        sizes = bind_sizes(answer["symbols"], values)
        if sizes is None or answer["value"]["rows"] != 1 or answer["value"]["columns"] != 1:
            continue  # lower-case names may be read as vectors or as scalars
        fitting += 1
        printed = derive(arguments)
        if printed is not None:
            near(f"{row[0]} by {row[1]}, sizes {sizes}: {printed}", evaluate(printed, values, sizes),
                 evaluate(row[4], values))
    checks.check(fitting >= 0.75 * len(rows), f"only {fitting} of {len(rows)} rows have the sizes one would expect")


# ---- Octave and LaTeX ----


def octave_matrix(x):
    return "[" + ";".join(" ".join(repr(float(entry)) for entry in row) for row in x) + "]"


def test_octave():
    octave = shutil.which("octave-cli") or shutil.which("octave")
    script, rows = [], []
    for name in ("derivatives.txt", "jacobians.txt"):
        for row in read_corpus(name):
            text = derive(options_of(row), "octave")
            if text is None:
                continue
            values = random_values(row[2], row[3], 13)
            script += [f"{key} = {octave_matrix(x)};" for key, x in values.items()]
            script += [f"found = {text};", "printf('%d %d', rows(found), columns(found)); printf(' %.17g', found);",
                       "printf('\\n'); clear all"]
            rows.append((row, text, evaluate(row[4], values)))
    if octave is None:
        print("Octave is not installed: its output is not executed")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".m") as file:
        file.write("\n".join(script))
        file.flush()
        finished = subprocess.run([octave, "--norc", "--quiet", file.name], capture_output=True, text=True, timeout=300)
    lines = finished.stdout.splitlines()
    checks.equal("results of Octave", len(lines), len(rows))
    for line, (row, text, expected) in zip(lines, rows):
        words = line.split()
        found = np.array([float(word) for word in words[2:]]).reshape((int(words[0]), int(words[1])), order="F")
        near(f"{row[0]} by {row[1]}, Octave {text}", found, expected)


def test_notes_and_letters():
    result = run(["derive", "tr(X)/N + λ*sum(X)", "--wrt", "λ", "--format", "expr"])
    checks.equal("by a Greek letter", (result.status, result.out), (0, "sum(X)\n"))
    checks.check("N is read as a scalar" in result.err and "--dims N=mxn" in result.err, f"note of N: {result.err}")
    result = run(["derive", "tr(X)/N", "--wrt", "X", "--format", "numpy", "--dims", "N=1"])
    checks.equal("no note of a declared N", (result.status, result.err), (0, ""))


def test_latex():
    formulas = []
    for row in read_corpus("derivatives.txt") + read_corpus("jacobians.txt"):
        text = derive(options_of(row), "latex")
        if text is None:
            continue
        bare = text.replace("\\{", "").replace("\\}", "")
        checks.equal(f"braces of {text}", bare.count("{"), bare.count("}"))
        checks.equal(f"\\left of {text}", len(re.findall(r"\\left\b", text)), len(re.findall(r"\\right\b", text)))
        checks.check("*" not in text and "'" not in text, f"signs of the language in {text}")
        formulas.append(text)
    for sizes, size in (("A=mxn,B=pxq", "I_{pq}"), ("A=mxn,B=pxwidth", "I_{p\\,\\mathrm{width}}")):
        text = derive(["derive", "kron(A, B)", "--wrt", "B", "--dims", sizes], "latex")
        checks.check(text and size in text, f"kron(A, B), {sizes}: {text}, expected a size {size}")
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        print("pdflatex is not installed: LaTeX output is not compiled")
        return
    with tempfile.TemporaryDirectory() as folder:
        body = "\n".join(f"\\[{formula}\\]" for formula in formulas)
        (Path(folder) / "all.tex").write_text(
            f"\\documentclass{{article}}\\usepackage{{amsmath,amssymb}}\\begin{{document}}\n{body}\n\\end{{document}}\n")
        finished = subprocess.run([pdflatex, "-interaction=nonstopmode", "-halt-on-error", "all.tex"], cwd=folder,
                                  capture_output=True, text=True, errors="replace", timeout=300)
        checks.check(finished.returncode == 0, f"pdflatex: {finished.stdout[-2000:]}")


# ---- the command ----


def test_known_answers():
    """Printed exactly as one would write them."""
    for expression, wrt, options, answer in (
            ("tr(A*B)", "B", [], "A'"),
            ("tr(A*B*A')", "A", [], "A*(B + B')"),
            ("u'*A*u", "u", ["--dims", "A=nxn,u=n"], "(A + A')*u"),
            ("det(A)", "A", [], "det(A)*inv(A)'"),
            ("A*B", "A", ["--dims", "A=3x4,B=4x5"], "kron(B', eye(3))"),
            ("sumsq(A*X)", "X", [], "2*A'*A*X"),
            ("tr(X'*X)", "X", [], "2*X"),
            ("norm2(X)", "X", [], "X/norm2(X)"),
            # Without sizes a small letter is what its use suggests: a column, or a number where no column fits.
            ("x'*A*x", "x", [], "(A + A')*x"),
            ("tr(diag(d)*X)", "d", [], "diagvec(X)"),
            ("diag(x)", "x", [], "kron(eye(m), ones(m,1)).*kron(ones(m,1), eye(m))"),
            ("c*sumsq(X)", "X", [], "2*c*X"),
            ("lambda*tr(X)", "X", [], "lambda*eye(m)"),
            ("A*inv(X)*B", "X", [], "-kron(B'*inv(X)', A*inv(X))"),
            ("tr(A)", "B", ["--dims", "B=2x3"], "zeros(2,3)")):
        checks.equal(f"{expression} by {wrt}", derive(["derive", expression, "--wrt", wrt, *options]), answer)
    text = derive(["derive", "tr(A*B*A'*C)", "--wrt", "A"])
    checks.check(text in ("C*A*B + C'*A*B'", "C'*A*B' + C*A*B"), f"tr(A*B*A'*C) by A: {text}")
    text = derive(["derive", "tr(A*B*A'*C)", "--wrt", "A", "--symmetric", "B,C"])
    checks.equal("tr(A*B*A'*C) by A, B and C symmetric", text, "2*C*A*B")


def test_several_names_and_transposes():
    sizes = "A=3x4,B=4x5,C=3x5"
    values = random_values(sizes, "", 14)
    arguments = ["derive", "sumsq(A*B - C)", "--dims", sizes]
    lines = (derive([*arguments, "--wrt", "A,B", "--wrt", "C"]) or "").splitlines()
    expected = ("2*(A*B - C)*B'", "2*A'*(A*B - C)", "2*(C - A*B)")
    checks.equal("lines for three names", len(lines), 3)
    for line, text in zip(lines, expected):
        near(f"several names: {line}", evaluate(line, values), evaluate(text, values))
    near("by A'", evaluate(derive([*arguments, "--wrt", "A'"]), values), evaluate(f"({expected[0]})'", values))
    jacobian = derive(["derive", "A*B", "--dims", sizes, "--wrt", "A'"])
    near("Jacobian by A'", evaluate(jacobian, values), evaluate("kron(B', eye(3))*comm(4,3)", values))


def test_several_names_with_properties():
    """While one name varies the others are as declared, so that each result is that of its name alone."""
    rows = (("tr(W'*A*W)", ("--symmetric", "A"), "W", "2*A*W"), ("tr(A*W*A*W')", ("--symmetric", "A"), "W", "2*A*W*A"),
            ("A*W*A'", ("--symmetric", "A"), "W", "kron(A, A)"), ("sumsq(A*W + B)", ("--orthogonal", "A"), "W", None),
            ("tr(W'*V*W)", ("--symmetric", "V"), "W", "2*V*W"), ("logdet(A)*tr(W'*A*W)", ("--spd", "A"), "W", None))
    for expression, declared, name, expected in rows:
        other = declared[1]
        alone = [derive(["derive", expression, "--wrt", x, *declared]).strip() for x in (name, other)]
        together = derive(["derive", expression, "--wrt", f"{name},{other}", *declared]).splitlines()
        checks.equal(f"{expression} by {name} and {other}", together, alone)
        if expected is not None:
            checks.equal(f"{expression} by {name}", together[0], expected)
    arguments = ["derive", "tr(W'*A*W)", "--symmetric", "A", "--wrt"]
    mixed = derive([*arguments, "W,A", "--hessian"]).splitlines()
    checks.equal("mixed Hessian action", mixed, ["2*A*V_W + (V_A + V_A')*W", "V_W*W' + W*V_W'"])
    shown = derive([*arguments, "W,A"], format="human")
    checks.check("H[V] = 2 A V;" in shown, f"structure by W: {shown}")
    shown = derive(["derive", "tr(W'*V*W)", "--symmetric", "V", "--wrt", "W"], format="human")
    checks.check("H[V_] = 2 V V_;" in shown, f"a direction of another name than V: {shown}")
    shown = derive(["derive", "tr(W'*V*W)", "--symmetric", "V", "--wrt", "W,V"], format="human")
    checks.check("H[V_] = 2 V V_;" in shown, f"a direction of another name than V, held: {shown}")
    shown = derive([*arguments, "W,A"], format="human")
    checks.equal("names are shown once", shown.count("A: m x m symmetric"), 1)
    graph = json.loads(derive([*arguments, "W,A"], format="json"))
    checks.equal("symbols of the JSON output", [s["name"] for s in graph["symbols"]], ["W", "A"])
    checks.equal("operator of the JSON output", graph["derivatives"][0]["structure"]["operator"],
                 [{"coefficient": 2.0, "transposed": False, "left": "A"}])


def test_hessian():
    """H[V] against differences of the textbook gradient."""
    sizes, step = "X=4x3,A=4x4,V=4x3", 1e-5
    for expression, gradient in (("tr(X'*A*X)", "(A + A')*X"), ("sumsq(X*X')", "4*X*X'*X"),
                                 ("logdet(eye(3) + X'*X)", "2*X*inv(eye(3) + X'*X)"),
                                 ("sum(exp(A*X))", "A'*exp(A*X)")):
        values = random_values(sizes, "", 15)
        text = derive(["derive", expression, "--wrt", "X", "--dims", "X=4x3,A=4x4", "--hessian"])
        moved = [evaluate(gradient, {**values, "X": values["X"] + t * values["V"]}) for t in (step, -step)]
        expected = (moved[0] - moved[1]) / (2 * step)
        found = evaluate(text, values)
        checks.check(np.max(np.abs(found - expected)) < 1e-7 * max(1, np.max(np.abs(expected))),
                     f"H[V] of {expression}: {text}")


def test_formats():
    for format in ("human", "expr", "latex", "numpy", "octave", "json"):
        for extra in ([], ["--hessian"], ["--steps"]):
            finished = run(["derive", "logdet(eye(n) + X*X') + tr(A*X)", "--wrt", "X", "--format", format, *extra])
            checks.check(finished.status == 0 and finished.out.endswith("\n") and finished.err == "",
                         f"--format {format} {extra}: {finished}")
            if format in ("expr", "latex", "numpy", "octave") and not extra:
                checks.equal(f"lines of --format {format}", finished.out.count("\n"), 1)
    unused = run(["derive", "tr(A*X)", "--wrt", "X", "--dims", "A=3x4,B=2x2", "--symmetric", "S", "--format", "expr"])
    checks.check(unused.status == 0 and unused.out == "A'\n" and "'B'" in unused.err and "'S'" in unused.err,
                 f"declared names that do not occur: {unused}")
    answer = json.loads(derive(["derive", "tr(A*X)", "--wrt", "X", "--steps"], "json") or "{}")
    checks.check({"symbols"} <= set(answer), f"JSON: {sorted(answer)}")
    ascii_only = run(["derive", "tr(A*X*X')", "--wrt", "X"], environment={"LC_ALL": "C"})
    checks.check(ascii_only.out.isascii() and "df/dX" in ascii_only.out, f"human in the C locale: {ascii_only.out!r}")
    steps = run(["derive", "tr(A*B*A'*C)", "--wrt", "A", "--steps"], environment={"LC_ALL": "C"})
    checks.check(steps.status == 0 and steps.out.count("\n") >= 6, f"--steps: {steps.out!r}")


def test_claims():
    """Two errors that published code has made, and the right answers beside them."""
    for expression, wrt, sizes, claim, equal in (
            ("sumsq(A*X - B)", "X", "A=4x3,X=3x2,B=4x2", "2*A'*(A*X - B)", True),
            ("sumsq(A*X - B)", "X", "A=4x3,X=3x2,B=4x2", "A'*(A*X - B)", False),
            ("tr(X'*A*X)", "X", "A=4x4,X=4x3", "A*X + A'*X", True),
            ("tr(X'*A*X)", "X", "A=4x4,X=4x3", "2*A*X", False),
            ("tr(A*X)", "X", "A=4x4,X=4x4", "A", False),
            ("tr(A*X)", "X", None, "A", False),
            ("tr(A*X)", "X", "A=4x3,X=3x4", "A", False),
            ("det(X)", "X", "X=3x3", "det(X)*inv(X)'", True),
            ("det(X)", "X", "X=3x3", "det(X)*inv(X)", False)):
        arguments = ["derive", expression, "--wrt", wrt, "--claim", claim] + (["--dims", sizes] if sizes else [])
        finished = run(arguments)
        checks.check(finished.status == (0 if equal else 1) and finished.out.strip() and not finished.err,
                     f"{expression}, claim {claim} ({'right' if equal else 'wrong'}): {finished}")
    finished = run(["derive", "tr(A*X)", "--wrt", "X", "--claim", "A*"])
    checks.check(finished.status == 2 and "1:3" in finished.err, f"a claim that cannot be read: {finished}")


def test_errors():
    """Exit 2, the place, a caret, and a word about what to do; nothing on stdout."""
    for arguments, words in (
            (["tr(A*B", "--wrt", "A"], ("expression:1:7", "expected ',' or ')'", "^")),
            (["tr(A*B)", "--wrt", "A", "--dims", "A=mxn,B=nxp"],
             ("expression:1:4", "A*B is m x p; that needs p = m", "^")),
            (["tr(A*B)", "--wrt", "A", "--dims", "A=3x4,B=5x3"], ("found 4 and 5", "^~~")),
            (["tr(A*X)", "--wrt", "Y"], ("'Y' does not occur",)),
            (["tr(A*Xy)", "--wrt", "Xx"], ("did you mean",)),
            (["tr(A)", "--wrt", "A", "--dims", "A"], ("NAME=ROWSxCOLUMNS", "^")),
            (["tr(A)", "--wrt", "A", "--dims", "A=0x3"], ("whole number from 1",)),
            (["tr(A*eye)", "--wrt", "A", "--dims", "A=3x3,eye=3x3"], ("--dims:1:7", "'eye' is a function")),
            (["tr(A*ones)", "--wrt", "A", "--dims", "A=3xones"], ("--dims:1:5", "'ones' is a function")),
            (["tr(A)", "--wrt", "A", "--dims", "A=3x3,A=4x4"], ("given twice",)),
            (["tr(A)", "--wrt", "A", "--format", "latx"], ("did you mean 'latex'",)),
            (["tr(A)", "--wrt", "tr"], ("--wrt expects a name",)),
            (["tr(A)", "--wrt", "A,A"], ("given twice",)),
            (["tr(A)", "--wrt", ""], ("--wrt",)),
            (["tr(A)"], ("--wrt",)),
            ([], ("EXPR",)),
            (["tr(A)", "tr(B)", "--wrt", "A"], ("derive",)),
            (["tr(A)", "--wrt", "A", "--frobnicate"], ("frobnicate",)),
            (["A*X", "--wrt", "X", "--hessian"], ("scalar",)),
            (["sumsq(A*X)", "--wrt", "X", "--orthogonal", "X", "--dims", "X=3x4"],
             ("'X' is declared orthogonal", "as many rows as columns", "3 x 4")),
            (["sumsq(A*X)", "--wrt", "X", "--spd", "A", "--dims", "A=3x4"],
             ("'A' is declared positive definite", "not square: 3 x 4")),
            (["sumsq(A*X)", "--wrt", "X", "--diagonal", "A", "--dims", "A=3x4"], ("'A' is declared diagonal",)),
            (["sumsq(A*X)", "--wrt", "X", "--symmetric", "A", "--dims", "A=3x4"], ("'A' is declared symmetric",)),
            (["X + ", "--wrt", "X"], ("expression:1:5", "found the end")),
            (["1/0*tr(X)", "--wrt", "X"], ("expression:1:3", "division by zero")),
            (["(" * 300 + "X" + ")" * 300, "--wrt", "X"], ("nested deeper than 200",)),
            (["x" * 64, "--wrt", "X"], ("at most 63",))):
        finished = run(["derive", *arguments])
        text = finished.err
        checks.check(finished.status == 2 and finished.out == "" and all(word in text for word in words),
                     f"derive {arguments}: exit {finished.status}, {finished.out!r}, {text!r}, expected {words}")
        checks.check(finished.processor_seconds < 1, f"derive {arguments}: {finished.processor_seconds:.2f} s")


def test_time():
    """A few milliseconds of the processor: no MPI is started."""
    seconds = [run(["derive", "sumsq(Y - X*W) + mu*sumsq(W)", "--wrt", "W"]).processor_seconds for _ in range(20)]
    print(f"derive: median {1000 * statistics.median(seconds):.1f} ms, least {1000 * min(seconds):.1f} ms")
    checks.check(statistics.median(seconds) < 0.05, f"derive takes {statistics.median(seconds):.3f} s")


def test_large_powers():
    """Gradients of large powers: short in every format, and right by complex steps."""
    random = np.random.default_rng(9)
    values = {"X": 0.4 * random.standard_normal((4, 4)), "A": random.standard_normal((4, 4))}
    for objective, exponents in (("sumsq(X^{})", (12, 13, 14, 15, 31, 64, 99)), ("tr(A*X^{})", (13, 22, 99, 100))):
        for k in exponents:
            text = objective.format(k)
            gradient = run(["derive", text, "--wrt", "X", "--dims", "X=4x4", "--format", "expr"]).out.strip()
            found = evaluate(gradient, values, {})
            expected = np.zeros((4, 4))
            for index in np.ndindex(4, 4):
                moved = values["X"].astype(complex)
                moved[index] += 1e-30j
                expected[index] = evaluate(text, dict(values, X=moved), {})[0, 0].imag / 1e-30
            error = np.abs(found - expected).max() / np.abs(expected).max()
            checks.check(error < 1e-9, f"{text}: relative error {error:.1e} of {gradient}")
    for fmt in ("human", "expr", "latex", "numpy", "octave"):
        out = run(["derive", "sumsq(X^99)", "--wrt", "X", "--format", fmt]).out
        checks.check(0 < len(out) < 2000, f"{fmt}: the gradient of sumsq(X^99) has {len(out)} characters")
    finished = run(["derive", "tr(X^(k/2 - k/2 + 0.5))", "--wrt", "X", "--dims", "k=1"])
    checks.check(finished.status == 2 and "whole number, found 0.5" in finished.err, finished.err)
    # The Hessian action of what doubles at each level is not followed on all of its ways.
    doubled = "; ".join(["P0 = X"] + [f"P{i + 1} = P{i} + P{i}*A" for i in range(17)]) + "; sumsq(P17)"
    nested = "tr(X)"
    for _ in range(120):
        nested = f"abs(1 + {nested}^3)"
    for text, options, piece in ((doubled, (), "degree in X: 2"), (nested, ("--hessian",), "not a polynomial")):
        finished = run(["derive", text, "--wrt", "X", "--dims", "X=3x3", *options], timeout=300)
        checks.check(finished.status == 0 and piece in finished.out, f"{text[:60]}: {finished.err[-300:]}")
    # What occurs twice at each level is printed once, and steps that would repeat it are left out.
    shared = "; ".join(["P0 = X"] + [f"P{i + 1} = inv(P{i} + 5*eye)*P{i}" for i in range(30)]) + "; sum(P30)"
    for options, piece in (((), "where T1 = "), (("--format", "json"), '"parts"'), (("--steps",), "... (shown up to"),
                           (("--steps", "--format", "latex"), "\\dots"), (("--format", "octave"), "T1 = ")):
        finished = run(["derive", shared, "--wrt", "X", "--dims", "X=3x3", *options], timeout=60)
        checks.check(finished.status == 0 and piece in finished.out, f"{options}: {finished.err[-300:]}")
        checks.check(len(finished.out) < 2000000, f"{options}: {len(finished.out)} characters")
    for text, wrt, expected in (("s^k", "s", "k*s^(k - 1)"), ("sum(X.^k)", "X", "k*X.^(k - 1)"), ("s^k", "k", "s^k*log(s)")):
        out = run(["derive", text, "--wrt", wrt, "--format", "expr"]).out.strip()
        checks.equal(f"derivative of {text} by {wrt}", out, expected)


DOMAINS = (  # arguments, where the expression is defined; "" where it is everywhere
    (["sum(X.^k)", "--wrt", "X"], "X > 0 entry by entry, or k is a whole number"),
    (["sum(X.^k)", "--wrt", "k"], "X > 0 entry by entry"),
    (["sum(X.^k)", "--wrt", "X", "--positive", "X"], ""),
    (["sum(X.^3)", "--wrt", "X"], ""),
    (["sum(X.^-2)", "--wrt", "X"], ""),
    (["sum(X.^2.5)", "--wrt", "X"], "X >= 0 entry by entry"),
    (["sum(sqrt(X))", "--wrt", "X"], "X > 0 entry by entry"),
    (["sum(X.^2.5) + sum(sqrt(X'))", "--wrt", "X"], "X > 0 entry by entry"),
    (["sum(sqrt(X.^2 + 1))", "--wrt", "X"], ""),
    (["norm2(X)", "--wrt", "X"], ""),
    (["sum(X.^Y)", "--wrt", "X"], "X > 0 entry by entry, or Y holds whole numbers"),
    (["sum(exp(X).^k)", "--wrt", "X"], ""),
    (["sum(2.^X)", "--wrt", "X"], ""),
    (["tr(X)^k", "--wrt", "X"], "tr(X) > 0, or k is a whole number"),
    (["sum(log(A*x - b))", "--wrt", "x"], "A*x - b > 0 entry by entry"),
    (["sum(log(A*x - b))", "--wrt", "b"], "A*x - b > 0 entry by entry"),
    (["sum(log(A)*x)", "--wrt", "x"], ""),
    (["log(tr(X))", "--wrt", "X"], "tr(X) > 0"),
    (["sum(log1p(X))", "--wrt", "X"], "X > -1 entry by entry"),
    (["sum(log1p(X.^2))", "--wrt", "X"], ""),
    (["sum(asin(X))", "--wrt", "X"], "-1 < X < 1 entry by entry"),
    (["logdet(X)", "--wrt", "X"], "X is positive definite"),
    (["logdet(X)", "--wrt", "X", "--spd", "X"], ""),
    (["logdet(eye + X*X')", "--wrt", "X"], ""),
    (["tr(A*sqrtm(X))", "--wrt", "X", "--symmetric", "X"], "X is positive semidefinite"),
    (["logm(X)", "--wrt", "X", "--symmetric", "X"], "X is positive definite"),
    (["sqrtm(X'*A'*A*X)", "--wrt", "X"], ""),
    (["logdet(X'*X)", "--wrt", "X"], "X'*X is positive definite"),
    (["sum(log(X))", "--wrt", "X'"], "X > 0 entry by entry"),
    (["sum(log(x)) + sum(log(y))", "--wrt", "x,y"], "x > 0 entry by entry; y > 0 entry by entry"),
)


def test_domains():
    for arguments, expected in DOMAINS:
        found = run(["derive", *arguments, "--format", "json"])
        checks.equal(f"domain of {arguments}: {found.err}", json.loads(found.out).get("domain", ""), expected)
        words = [line for line in run(["derive", *arguments]).out.splitlines() if line.startswith("  defined where ")]
        checks.equal(f"lines on the domain of {arguments}", len(words), 1 if expected else 0)


def main():
    for test in (test_known_answers, test_domains, test_large_powers, test_several_names_and_transposes,
                 test_several_names_with_properties, test_hessian, test_formats, test_claims,
                 test_errors, test_inferred_sizes, test_octave, test_notes_and_letters, test_latex, test_time):
        try:
            test()
        except EvaluationError as error:
            checks.check(False, f"{test.__name__}: {error}")
    for name in ("derivatives.txt", "jacobians.txt"):
        test_corpus(name)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
