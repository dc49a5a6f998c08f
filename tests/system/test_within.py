"""`derive --within`: the gradient inside a set against the projection of the free one by NumPy, at points of the set; its last
step in every format. Long results name their shared parts; derivations in LaTeX are an align* environment.
"""

import json
import re
import sys

import numpy as np

from tg_eval import evaluate
from tracegrad_run import Checks, run

checks = Checks()
N = 3
SETS = {
    "symmetric": lambda x: (x + x.T) / 2,
    "diagonal": lambda x: np.diag(np.diag(x)),
    "skew": lambda x: (x - x.T) / 2,
    "lower": np.tril,
}
OBJECTIVES = ("tr(A*X*B*X)", "logdet(4*eye(3) + X*X')", "sumsq(A*X - B) + tr(C*X')", "sum(exp(X)) + tr(X*X*A)", "tr(inv(5*eye(3) + X)*A)",
              "norm2(X - A)*tr(X*B)", "sum(tanh(X'*A).*X)")
DIMS = "X=3x3,A=3x3,B=3x3,C=3x3"


def derive(text, *options):
    finished = run(["derive", text, "--wrt", "X", "--dims", DIMS, *options])
    checks.check(finished.status == 0, f"{text} {options}: {finished.err}")
    return finished.out.strip()


def test_projections():
    rng = np.random.default_rng(5)
    for text in OBJECTIVES:
        free = derive(text, "--format", "expr")
        action = derive(text, "--format", "expr", "--hessian")
        for name, project in SETS.items():
            point = {letter: rng.uniform(-1, 1, (N, N)) for letter in "ABC"}
            point["X"], point["V"] = (project(rng.uniform(-1, 1, (N, N))) for _ in range(2))
            for what, whole, options in (("gradient", free, ()), ("Hessian", action, ("--hessian",))):
                inside = derive(text, "--within", name, "--format", "expr", *options)
                found, expected = evaluate(inside, point, {}), project(evaluate(whole, point, {}))
                checks.check(np.allclose(found, expected, rtol=1e-10, atol=1e-12), f"{what} of {text} in {name}: {inside}")
            claim = run(["derive", text, "--wrt", "X", "--dims", DIMS, "--within", name, f"--claim={derive(text, '--within', name, '--format', 'expr')}"])
            checks.equal(f"claim on {text} in {name}", claim.status, 0)


def test_last_step():
    steps = derive("tr(A*X)", "--within", "symmetric", "--steps")
    checks.check(re.search(r"G  = A.*\n  P  = 0.5·A \+ 0.5·Aᵀ +\| inside symmetric matrices", steps) or
                 re.search(r"G  = A'.*\n  P  = 0.5\*A \+ 0.5\*A' +\| inside symmetric matrices", steps), f"steps: {steps}")
    found = json.loads(derive("tr(A*X)", "--within", "skew", "--format", "json"))
    checks.equal("JSON: the set", found["within"], "skew")
    checks.check("inside skew matrices" in found["derivatives"][0]["steps"][-1]["rule"], f"JSON: {found['derivatives'][0]['steps']}")
    for style, words in (("numpy", "np.tril("), ("octave", "tril("), ("latex", "\\operatorname{tril}")):
        checks.check(words in derive("tr(A*X)", "--within", "lower", "--format", style), f"lower in {style}")
    checks.equal("short forms", [derive("logdet(X)", "--within", name, "--format", "expr") for name in ("symmetric", "diagonal")],
                 ["inv(X)", "inv(X)"])
    for options, words in ((("--within", "symetric"), "did you mean 'symmetric'"), (("--within", "orthogonal"), "one of symmetric")):
        finished = run(["derive", "tr(A*X)", "--wrt", "X", *options])
        checks.check(finished.status == 2 and words in finished.err, f"{options}: {finished}")
    for text, wrt, dims, words in (("tr(A*X)", "X", "X=3x4", "square"), ("A*X", "X", "A=3x3", "scalar expression"),
                                   ("tr(A*X)", "X'", "A=3x3", "transpose")):
        finished = run(["derive", text, "--wrt", wrt, "--dims", dims, "--within", "skew"])
        checks.check(finished.status == 2 and words in finished.err, f"{text} by {wrt}, {dims}: {finished}")


def test_latex_steps():
    text = derive("sumsq(A*X - B) + 3e-7*sum(sigmoid(X))", "--steps", "--format", "latex")
    lines = text.splitlines()
    checks.check(lines[0] == "\\begin{align*}" and lines[-1] == "\\end{align*}", f"environment: {text}")
    checks.check(all(line.endswith(" \\\\") for line in lines[1:-2]) and not lines[-2].endswith("\\\\"), f"rows: {text}")
    checks.check("3 \\cdot 10^{-7}" in text and "\\mathrm{d}X" in text and "\\operatorname{tr}\\left(" in text, f"signs: {text}")
    checks.check("e-07" not in text, f"numbers: {text}")
    for line in lines[1:-1]:
        outside = re.sub(r"\\text\{[^}]*\}", "", line)
        checks.check("*" not in outside and "'" not in outside, f"signs of the language: {line}")
        checks.equal(f"brackets of {line}", line.count("\\left("), line.count("\\right)"))


def test_shared_parts():
    text = "sum(tanh(A*tanh(B*X)))"
    out = derive(text, "--hessian")
    lines = re.findall(r"(?:where|^         ) (T\d+) = (.*?),?$", out, re.MULTILINE)
    checks.check(len(lines) >= 2, f"shared parts: {out}")
    whole = re.search(r"H\[V\] = (.*)    \(", out).group(1)
    for name, part in lines:  # a name is used before it is defined
        checks.check(re.search(rf"\b{name}\b", whole) is not None, f"{name} in {whole}")
        whole = re.sub(rf"\b{name}\b", f"({part})", whole)
    checks.check("T1" not in whole, f"names left over: {whole}")
    value, _, parts = derive(text, "--hessian", "--format", "expr").strip().partition(" where ")
    parts = f" where {parts}" if parts else ""
    checks.check(derive(f"({whole}) - ({value}){parts}", "--format", "expr").startswith("zeros"), f"not the same: {whole}")
    shown = re.search(r"H\[V\] = (.*)    \(.*\)\n((?:    .*\n)+)", out)
    checks.check(derive(f"({whole}) - ({shown.group(1)}) {shown.group(2)}", "--format", "expr").startswith("zeros"), "as it is shown")
    checks.check(len(derive("norm2(X^9)^9", "--hessian")) < 4000, "a tower of powers is long")


def main():
    test_projections()
    test_last_step()
    test_latex_steps()
    test_shared_parts()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
