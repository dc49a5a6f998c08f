"""Named parts: `derive --define`, `where`, and the parts that long Hessians are printed with, in every format. The Hessian
action in the language and in NumPy against differences of the textbook gradient.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from tg_eval import evaluate
from tracegrad_run import ROOT, Checks, run

checks = Checks()

# Objective, name, sizes, textbook gradient; the Hessian is long enough to share parts.
OBJECTIVES = (
    ("sum(sin(X*W).*exp(X*W))^3*sumsq(W)", "W", "X=4x3,W=3x2",
     "3*sumsq(W)*sum(sin(X*W).*exp(X*W))^2*(X'*((sin(X*W) + cos(X*W)).*exp(X*W))) + 2*sum(sin(X*W).*exp(X*W))^3*W"),
    ("tr(X*X'*X*X'*X*X'*X*X')*sumsq(A*X - B)", "X", "X=3x2,A=4x3,B=4x2",
     "8*X*X'*X*X'*X*X'*X*sumsq(A*X - B) + 2*tr(X*X'*X*X'*X*X'*X*X')*A'*(A*X - B)"),
    ("logdet(eye(3) + X*X')^2*tr(inv(eye(3) + X*X'))", "X", "X=3x2",
     "4*logdet(eye(3) + X*X')*tr(inv(eye(3) + X*X'))*(inv(eye(3) + X*X')*X)"
     " - 2*logdet(eye(3) + X*X')^2*(inv(eye(3) + X*X')*inv(eye(3) + X*X')*X)"),
)


def run_numpy(text, values):
    names = {name: float(x[0, 0]) if x.shape == (1, 1) else x for name, x in values.items()}
    names["np"] = np
    *assignments, value = text.strip().split("\n")
    exec("\n".join(assignments), names)  # noqa: S102, the program's own output
    return eval(value, names)  # noqa: S307


def test_hessians():
    for text, wrt, dims, gradient in OBJECTIVES:
        generator = np.random.default_rng(5)
        values = {}
        for piece in f"{dims},V={dict(p.split('=') for p in dims.split(','))[wrt]}".split(","):
            name, shape = piece.split("=")
            values[name] = generator.uniform(-1, 1, [int(n) for n in shape.split("x")])
        step = 1e-5
        ends = [evaluate(gradient, dict(values, **{wrt: values[wrt] + s * step * values["V"]})) for s in (1, -1)]
        expected = (ends[0] - ends[1]) / (2 * step)
        found = {}
        for format in ("expr", "latex", "numpy", "octave", "json", "human"):
            finished = run(["derive", text, "--wrt", wrt, "--dims", dims, "--hessian", "--format", format])
            checks.check(finished.status == 0, f"{text} {format}: {finished}")
            found[format] = finished.out.strip()
        checks.check("\n" not in found["expr"] and " where T1 = " in found["expr"], f"{text}: {found['expr']}")
        checks.check(found["octave"].startswith("T1 = ") and ";\n" in found["octave"], f"{text}: {found['octave']}")
        checks.check("\\begin{aligned}" in found["latex"] and "\\text{where } T_{1} = " in found["latex"], found["latex"])
        checks.check("\n    where T1 = " in found["human"], found["human"])
        action = json.loads(found["json"])["derivatives"][0]["hessian_action"]
        checks.equal("expr of JSON", action["expr"], found["expr"])
        checks.equal("parts of JSON", [part["name"] for part in action["parts"]], re.findall(r"(T\d+) = ", found["expr"]))
        checks.check(all(part["expr"] in found["expr"] for part in action["parts"]), "parts of JSON are those of expr")
        for name, value in (("expr", evaluate(found["expr"], values)), ("numpy", run_numpy(found["numpy"], values))):
            error = np.max(np.abs(value - expected)) / np.max(np.abs(expected))
            checks.check(error < 1e-7, f"{text}, {name}: {found[name]} is off by {error:.1e}")
        # What is printed is a claim, and reads back with its parts.
        plain = run(["derive", f"dot(V, {gradient})", "--wrt", wrt, "--dims", f"{dims},V={dict(p.split('=') for p in dims.split(','))[wrt]}",
                     "--claim", found["numpy"]])
        checks.equal(f"{text}: the Hessian is symmetric", (plain.status, plain.out[:5]), (0, "equal"))


def test_define():
    finished = run(["derive", "sumsq(R)", "--define", "R=Y - X*W", "--wrt", "W", "--format", "expr"])
    checks.equal("a part", (finished.status, finished.out), (0, "2*X'*(X*W - Y)\n"))
    finished = run(["derive", "tr(Q)", "--define", "Q=R'*R", "--define", "R = Y - X*W", "--wrt", "W", "--claim", "-2*X'*R"])
    checks.equal("a claim with a part", (finished.status, finished.out[:5]), (0, "equal"))
    refused = (
        (["--define", "R=Y - X*"], "--define:1:9: error: expected a number, a name or '(', found the end of the expression"),
        (["--define", "R=Y - X*W", "--dims", "Y=3x4,X=5x2"],
         "--define:1:7: error: a sum needs equal shapes: Y is 3 x 4, X*W is 5 x m"),
        (["--define", "R=Y - Q", "--define", "Q=X*R"], "--define:1:5: error: the part 'R' is defined in terms of itself"),
        (["--define", "R=Y", "--define", "R=X"], "--define:1:1: error: the part 'R' is defined twice"),
        (["--define", "R=Y", "--define", "Q=X"], "--define:1:1: error: the part 'Q' is not used in the expression"),
        (["--define", "R=Y", "--dims", "R=3x4"], "what is declared of it follows from its definition"),
        (["--define", "R=W", "--wrt", "R"], "differentiate by the names that it is made of"),
        (["--define", "tr=W"], "'tr' is a function and cannot name a part"),
        (["--define", "R"], "--define expects NAME=EXPRESSION, found 'R'"),
        (["--define", "2R=W"], "--define expects a name made of letters, digits and '_', found '2R'"))
    for options, message in refused:
        finished = run(["derive", "sumsq(R)", "--wrt", "W", *options])
        checks.check(finished.status == 2 and message in finished.err, f"{options}: {finished}, expected {message}")


JOB = """minimize: sumsq(R) + lambda*sumsq(W)
define:
  R: Y - P
  P: >-
    X*
    W
variables: {W: {rows: 4, columns: 3}}
data:
  X: {generate: normal, rows: 9, columns: 4}
  Y: {generate: normal, rows: 9, columns: 3, seed: 2}
  lambda: 0.1
"""
WHOLE = JOB.replace("sumsq(R)", "sumsq(Y - X*W)").replace(JOB[JOB.index("define"):JOB.index("variables")], "")


def test_jobs(folder):
    def job(text):
        path = folder / "job.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def answer(text):
        finished = run(["run", job(text), "--quiet", "--force", "--output", str(folder / "out")])
        checks.check(finished.status == 0, f"{text}: {finished}")
        return json.loads((folder / "out" / "report.json").read_text())

    more = 'subject_to: ["{} = 1", "{} >= -0.5"]\n'
    for named, whole in ((JOB, WHOLE), (JOB + more.format("sum(P)", "tr(Q)").replace("Q", "P(1:3,:)"),
                                        WHOLE + more.format("sum(X*W)", "tr((X*W)(1:3,:))")),
                         (JOB.replace("{rows: 4, columns: 3}", "{}"), WHOLE)):
        a, b = answer(named), answer(whole)
        checks.check(abs(a["objective"] - b["objective"]) <= 1e-10 * abs(b["objective"]), f"{a['objective']}, {b['objective']}")
        checks.equal("the same plan", a["flops"] if "flops" in a else None, b["flops"] if "flops" in b else None)
        checks.equal("the job of the report", a["job"]["define"]["R"], "Y - P")
    shown = run(["plan", job(JOB)])
    checks.check("\ndefine R: Y - P\ndefine P: X* W\n" in shown.out, f"plan: {shown}")
    for text, message in (
            (JOB.replace("X*\n", "X+*\n"), "job.yaml:5:7: error: expected a number, a name or '(', found '*'"),
            (JOB.replace("    W\n", "    Z\n"), "job.yaml:6:5: error: unknown name 'Z'"),
            (JOB.replace("    W\n", "    W'\n"), "job.yaml:5:5: error: X*W' needs columns(X) = rows(W'), found 4 and 3"),
            (JOB.replace("    W\n", "    R\n"), "job.yaml:6:5: error: the part 'R' is defined in terms of itself"),
            (JOB.replace("R: Y - P", "R: Y - P\n  Q: 3"), "job.yaml:4:3: error: the part 'Q' is not used"),
            (JOB.replace("R: Y - P", "R: Y - P\n  X: 3"), "job.yaml:4:3: error: 'X' is declared under 'data:' as well"),
            (JOB.replace("R: Y - P", "R: Y - P\n  W: 3"), "'W' is declared under 'variables:' as well"),
            (JOB.replace("R: Y - P", "R: Y - P\n  R: 3"), "job.yaml:4:3: error: "),
            (JOB.replace("R: Y - P", "R: Y - P\n  tr: 3"), "'tr' is a function and cannot be declared"),
            (JOB.replace("R: Y - P", "R: [1, 2]"), "job.yaml:3:6: error: define.R needs an expression"),
            (JOB.replace("define:", "defin:"), "did you mean 'define'?")):
        for extra in ("", more.format("sum(P)", "P")):
            finished = run(["check", job(text + extra)])
            checks.check(finished.status == 2 and message in finished.err and finished.err.count(message) == 1,
                         f"{text}: {finished}, expected {message}")
    text = JOB.replace("define:\n  R: Y - P\n  P: >-\n    X*\n    W\n", "").replace("lambda*sumsq(W)", "lambda*sumsq(W) where R = Y - X*W")
    checks.equal("where in a job", run(["plan", job(text)]).status, 0)
    finished = run(["check", job(text + 'subject_to: ["sum(P) = 1 where P = X*W"]\n')])
    checks.check(finished.status == 2 and "name parts under define:" in finished.err and finished.err.count("error: ") == 1, f"{finished}")
    # A checkpoint belongs to the parts as well.
    text = JOB + f"solver: {{method: l-bfgs, max_iterations: 1, gradient_tolerance: 1e-14}}\ncheckpoint: {{directory: {folder}/ckpt}}\n"
    checks.equal("stopped", run(["run", job(text), "--quiet", "--force", "--output", str(folder / "out")]).status, 3)
    other = run(["run", job(text.replace("    W\n", "    (2*W)\n")), "--quiet", "--resume", "--output", str(folder / "out2")])
    checks.check(other.status == 2, f"resumed with another part: {other}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        test_jobs(Path(name))
    test_hessians()
    test_define()
    sys.exit(checks.finish())
