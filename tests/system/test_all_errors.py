"""`check`, `plan`, `run` and `derive` report every independent error at once, each with its place, in a bounded number; what
follows from another error is not reported.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run

checks = Checks()

JOB = """minimize: {objective}
{more}variables: {{X: {{rows: 4, columns: 3}}}}
data:
  A: {{generate: normal, rows: 5, columns: 4}}
  B: {{generate: normal, rows: 5, columns: 2}}
  C: {{generate: normal, rows: 4, columns: 4}}
"""


def places(text):
    """(line, column) of each error, in the order of the output."""
    return [(int(a), int(b)) for a, b in re.findall(r":(\d+):(\d+): error: ", text)]


def job(folder, objective, more="", extra=""):
    path = Path(folder) / "job.yaml"
    path.write_text(JOB.format(objective=objective, more=more) + extra, encoding="utf-8")
    return str(path)


def test_jobs(folder):
    wrong = job(folder, "sumsq(A*X - B) + tr(C*X) + lamda*sumsq(X) + lamda*sum(X)", 'subject_to: ["X >= Q", "sum(X*A) = 1"]\n',
                "solver: {metod: auto, max_iterations: many, line_search: exct}\noutput: {directry: x}\n")
    finished = run(["check", wrong])
    checks.check(finished.status == 2 and not finished.out, f"check: {finished}")
    checks.equal("check: places", places(finished.err),
                 [(8, 10), (8, 39), (8, 58), (9, 10), (1, 23), (1, 31), (1, 38), (2, 20), (2, 29)])
    for command in ("plan", "run"):
        finished = run([command, wrong])
        checks.check(finished.status == 2 and places(finished.err)[:4] == [(8, 10), (8, 39), (8, 58), (9, 10)], f"{command}: {finished}")
    # What hangs on a wrong section is not said.
    finished = run(["check", job(folder, "sumsq(A*X)", extra="  D: {generate: normal, rows: 0}\n  E: {generate: normal, rows: many}\n")])
    checks.check(finished.status == 2 and len(places(finished.err)) == 2 and "unknown name" not in finished.err, f"data: {finished}")
    finished = run(["check", job(folder, "sumsq(A*X)", extra="variabels: 3\n")])
    checks.check(finished.status == 2 and len(places(finished.err)) == 1, f"a section misspelt: {finished}")
    # Missing files, both.
    finished = run(["check", job(folder, "sumsq(A*X) + sum(F) + sum(G)", extra="  F: {file: no.npy}\n  G: {file: none.npy}\n")])
    checks.check(finished.status == 2 and "no.npy" in finished.err and "none.npy" in finished.err, f"files: {finished}")
    # A right one is checked as before; an option that was refused must not be left out silently.
    checks.equal("a right job", run(["check", job(folder, "sumsq(A*X)")]).status, 0)
    checks.equal("one wrong option", run(["run", job(folder, "sumsq(A*X)", extra="solver: {metod: direct}\n")]).status, 2)
    many = " + ".join(f"n{k}*sumsq(X)" for k in range(60))
    finished = run(["check", job(folder, many)])
    checks.check(len(places(finished.err)) == 20 and "40 more errors" in finished.err, f"many: {finished}")


def test_derive():
    sizes = ("--dims", "A=3x4,B=5x3,C=2x3,D=2x3")
    text = "tr(A*B) + sum(C*D) + foo(A*C)"
    finished = run(["derive", text, "--wrt", "X", *sizes, "--format", "jsn", "--spd", "A"])
    checks.check(finished.status == 2 and not finished.out, f"derive: {finished}")
    checks.equal("derive: errors", finished.err.count("error: "), 6)
    checks.equal("derive: places", places(finished.err), [(1, 4), (1, 15), (1, 22), (1, 26)])
    finished = run(["derive", text, "--wrt", "X", *sizes, "--format", "json"])
    errors = json.loads(finished.out)["errors"]
    checks.equal("JSON: columns", [error["column"] for error in errors], [4, 15, 22, 26])
    checks.equal("JSON: codes", [error["code"] for error in errors], ["shape", "shape", "name", "shape"])
    checks.equal("JSON: texts", [text[error["begin"]:error["end"]] for error in errors], ["A*B", "C*D", "foo", "A*C"])
    finished = run(["derive", "sumsq(A*X)", "--wrt", "X,Q,R", "--format", "json"])
    checks.equal("two names that do not occur", len(json.loads(finished.out)["errors"]), 2)
    finished = run(["derive", "sumsq(A*X)", "--wrt", "X,A", "--claim", "2*A'*A*(X", "--claim", "A*Y*Z*"])
    checks.check(finished.status == 2 and finished.err.count("claim:1:") == 2, f"claims: {finished}")
    # Every wrong piece of a list of sizes or names, and what is wrong with the expression.
    finished = run(["derive", "sumsq(A*X) + tr(C*D)", "--wrt", "X", "--dims", "A=3x0,B=2.5x1,C,A=2x2,C=2x3,D=2x3,E=-x(,X=4x5",
                    "--symmetric", "tr,1a,S"])
    checks.equal("derive: sizes", places(finished.err),
                 [(1, 5), (1, 9), (1, 15), (1, 17), (1, 37), (1, 39), (1, 1), (1, 4), (1, 17)])
    # Symbolic sizes: one error is one error.
    finished = run(["derive", "tr(A*X) + sumsq(X) + sumsq(A - X)", "--wrt", "X", "--dims", "A=3x4"])
    checks.equal("a consequence", len(places(finished.err)), 1)


# A term, where its error stands in it, and words of the message.
WRONG_TERMS = (("sum(A*B)", 4, "columns(A) = rows(B)"), ("tr(C)", 3, "square"), ("foo(A, A)", 0, "unknown function"), ("logdet(C)", 7, "square"),
               ("sum(A + C)", 8, "equal shapes"), ("sumsq(inv(A)*X)", 10, "square"), ("sum(A.*B)", 4, "'.*'"), ("sum(X^2)", 4, "square"),
               ("sum(sin(A, C))", 4, "sin takes 1 argument"), ("det(X)", 4, "square"), ("sum(kron(A))", 4, "kron takes 2 arguments"),
               ("sum(A(9:12,:))", 4, "exceeds the size"), ("sum([A, B])", 8, "blocks beside one another"),
               ("sum(cholesky(C))", 4, "a Cholesky factor"), ("sum(A/C)", 6, "divides by a scalar"))
RIGHT_TERMS = ("sumsq(X)", "2*sum(A*X)", "norm1(C)", "x'*x", "sum(exp(X).*X)")


def test_several_wrong_terms():
    """One to six wrong terms among right ones: as many errors, each in its place, in the order of the text."""
    random = np.random.default_rng(12)
    for trial in range(40):
        wrong = random.permutation(len(WRONG_TERMS))[:1 + trial % 6]
        terms = [WRONG_TERMS[k] for k in wrong] + [(str(term), None, "") for term in random.choice(RIGHT_TERMS, 3)]
        text, expected = "", []
        for k in random.permutation(len(terms)):
            term, at, words = terms[k]
            text += (" - " if random.integers(2) else " + ") if text else ""
            if at is not None:
                expected.append(((1, len(text) + at + 1), words))
            text += term
        finished = run(["derive", text, "--wrt", "X", "--dims", "A=3x4,B=5x3,C=2x3,X=4x5,x=4"])
        checks.equal(f"{text}: places {finished.err}", places(finished.err), [place for place, _ in expected])
        messages = re.findall(r"error: (.*)", finished.err)
        for message, (place, words) in zip(messages, expected):
            checks.check(words in message, f"{text} at {place}: {message}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_jobs(folder)
    test_derive()
    test_several_wrong_terms()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
