"""What `derive` says on convexity against the eigenvalues of the Hessian: random sums and compositions of the rules' functions,
and near misses, at random points of the domain. Where convexity is claimed, no eigenvalue is negative beyond rounding.

CURVATURES=N tries N objectives; without it some dozens, in seconds.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from tg_eval import evaluate
from tracegrad_run import Checks, run

checks = Checks()
COUNT = int(os.environ.get("CURVATURES", "60"))
N = 3
DIMS = "X=3x3,A=3x3,B=3x3,C=3x3,P=3x3,L=3x3,u=3x1,w=1,t=1,c=1"
DECLARED = ("--spd", "P", "--psd", "L", "--positive", "w,t", "--dims", DIMS)

# Terms that are defined at every X, symmetric positive definite or not.
ANYWHERE = (
    "sumsq(A*X - B)", "tr(X'*P*X)", "tr(X*L*X')", "tr(X'*C*X)", "norm2(X - A)", "sum(exp(A*X))", "sum(softplus(X*B))",
    "sum(abs(X)) + sumsq(X)", "tr(C*X)", "log(sum(exp(X)))", "sum(softplus(X.^2))", "sum(sin(X))", "sum(sqrt(1 + (A*X).^2))",
    "sumsq(X*u)/t", "u'*X'*P*X*u/t", "tr(X*L*X'*P)", "sumsq(X'*X)", "sum(X.^3)", "sum((X - A).^4)", "tr(X*X)", "tr(A*X*B*X')",
    "sum(exp(-X.^2))", "tr(X'*L*X*C)", "(u'*X*u)^2",
    "sum(cosh(A*X))", "sum(cosh(X.^2))", "sum(log(cosh(X)))", "sum(sinh(X))", "sum(atan(X))", "sum(expm1(A*X))",
    "sum(log1p(exp(X)))", "-sum(log1p(t*softplus(X)))", "sum(acos(0.3*sin(X)))", "logsumexp(A*X + B)",
    "sum(logsumexp_rows(X.^2))", "logsumexp(sin(X))", "-logsumexp(-exp(X))", "sum(log(exp(A*X)*ones))",
    "sum(max(A*X, X.^2))", "sum(min(X, A*X))", "sum(min(X.^2, B))", "sum(max(sin(X), c))", "-sum(min(X, w)*2)", "var(A*X)",
    "sum(relu(X).^2)", "sumsq(softplus(A*X))", "norm2(relu(A*X - B))", "sqrt(tr(softplus(X)))", "sqrt(tr(relu(X)))", "sum(exp(X))^2",
    "sum(abs(X))^3", "sum(sqrt(X.^2 + softplus(X)))", "(sum(X.^2) + sum(X))^2", "sumsq(relu(X)*u)", "sumsq(sin(X))", "sumsq(relu(X) - A)",
    "norm2(X.^2)", "sqrt(sum((X.^2)*u))", "sumsq(relu(X)'*relu(X))", "sum(relu(X).^1.5)", "sum(sqrt(relu(X)))", "tr(relu(X)*P*relu(X)')",
    "mean(exp(X))", "sumsq(triu(X) - B)", "sum(softmax_rows(X).*A)", "nuclear_norm(A*X - B)", "nuclear_norm(X*X)",
    "spectral_norm(X + A)", "spectral_norm(X)*w", "-nuclear_norm(X')", "spectral_norm(sin(X))", "sum(log2(1 + exp(X)))", "sum(tril(exp(X)))")
DEFINITE = (
    "logdet(X)", "-logdet(X)", "logdet(P + X)", "-logdet(A*X*A' + P)", "-logdet(P + X*X')", "tr(inv(X))", "tr(L*inv(X))",
    "u'*inv(X + P)*u", "tr(inv(X + L))", "tr(C*inv(X))", "logdet(inv(X))", "tr(A'*inv(X)*A)", "tr(A'*inv(X)*L*inv(X)*A)",
    "-logdet(P + A*X)", "-logdet(2*eye + X - X')", "logdet(X + X')", "exp(-logdet(X))", "tr(inv(X)*P)*w", "tr(X*inv(X + P))",
    "-log(tr(X))", "tr(inv(X))^2", "-logdet(eye + X*X)", "exp(tr(inv(X)))",
    "tr(expm(X))", "-tr(sqrtm(X + L))", "tr(expm(P - X))", "tr(sqrtm(X))", "tr(L*expm(X))", "exp(tr(expm(X)))", "tr(expm(X)*X)",
    "tr(C*logm(X))", "tr(expm(inv(X)))")


def objective(rng, terms):
    picked = [terms[rng.integers(len(terms))] for _ in range(rng.integers(1, 4))]
    return " + ".join(f"{rng.choice(['1', '0.5', 'w', 't', '2', 'c', '-1'], p=[.4, .1, .15, .15, .1, .05, .05])}*({term})"
                      for term in picked)


def values(rng, definite):
    scale = np.exp(rng.uniform(-1, 1))
    named = {name: rng.uniform(-1, 1, (N, N)) for name in "ABCXQ"}
    named["u"] = rng.uniform(-1, 1, (N, 1))
    named["P"] = named["Q"] @ named["Q"].T + 0.1 * np.eye(N)
    thin = rng.uniform(-1, 1, (N, 1))
    named["L"] = thin @ thin.T
    for name in "wt":
        named[name] = rng.uniform(0.1, 2, (1, 1))
    named["c"] = rng.uniform(-1, 1, (1, 1))
    square = rng.uniform(-1, 1, (N, N))
    named["X"] = scale * (square @ square.T + 0.05 * np.eye(N) if definite else square)
    return named


def directions(symmetric):
    for i in range(N):
        for j in range(i if symmetric else 0, N):
            v = np.zeros((N, N))
            v[i, j] = 1.0
            if symmetric and i != j:
                v[i, j] = v[j, i] = np.sqrt(0.5)
            yield v


def least_eigenvalue(action, point, symmetric, sign):
    """Of the Hessian in an orthonormal basis, against the largest in size."""
    basis = list(directions(symmetric))
    columns = [evaluate(action, dict(point, V=v), {"m": N}) for v in basis]
    hessian = np.array([[np.sum(v * column) for column in columns] for v in basis])
    if not np.all(np.isfinite(hessian)):  # at a kink, as norm2(relu(X)) where relu(X) = 0
        return np.nan
    eigenvalues = np.linalg.eigvalsh(sign * (hessian + hessian.T) / 2)
    return eigenvalues[0] / max(abs(eigenvalues).max(), 1e-300)


def statement(text, definite):
    options = DECLARED if not definite else DECLARED[:1] + ("P,X",) + DECLARED[2:]
    finished = run(["derive", text, "--wrt", "X", *options])
    found = re.search(r"convexity in X: (.*?) \((.*)\)", finished.out)
    if finished.status != 0 or found is None:
        return None, "", ""
    action = run(["derive", text, "--wrt", "X", *options, "--hessian", "--format", "expr"]).out.strip()
    return found.group(1), found.group(2), action


def test_random():
    stated = 0
    for seed in range(1, COUNT + 1):
        rng = np.random.default_rng(seed)
        definite = bool(seed % 2)
        text = objective(rng, DEFINITE + (ANYWHERE[:6] if rng.integers(2) else ()) if definite else ANYWHERE)
        word, reason, action = statement(text, definite)
        checks.check(word is not None, f"seed {seed}: {text} is refused")
        if word not in ("convex", "concave") or not action:
            continue
        stated += 1
        symmetric = definite and "among" in reason
        for _ in range(4):
            least = least_eigenvalue(action, values(rng, definite), symmetric, 1 if word == "convex" else -1)
            if np.isfinite(least):
                checks.check(least > -1e-9, f"seed {seed}: {text} is called {word} ({reason}); least eigenvalue {least:.3g}")
    print(f"{stated} of {COUNT} objectives are called convex or concave")
    checks.check(stated > COUNT // 8, "few statements were made")


# In x, y, s and S together: y and s positive, S definite.
JOINT = (
    "sumsq(x)/s", "sumsq(M*x - b)/s", "x'*inv(S)*x", "(M*x - b)'*inv(S + P)*(M*x - b)", "tr(inv(S)*L)", "sum((x.^2)./y)", "sum(x.^2./y.^2)",
    "(sumsq(x) + w*sumsq(y))/(s + 2*sum(y))", "(sumsq(x) + sum(x))/s", "1/s", "s^1.5", "-sqrt(s)", "-sum(sqrt(y))", "sum(y.^-2)", "s*sumsq(x)",
    "sum(y.*log(y))", "s*log(s)", "y'*log(y)", "sum(y.*log(y + y))", "x'*y/s", "sumsq(x)/s^2", "x'*inv(S)*y", "x'*inv(S)*inv(S)*x", "sum(x.*log(y))",
    "s*log(sum(y))", "-logdet(S) + x'*inv(S)*x", "sumsq(x)/(s - 5)", "sumsq(relu(x))/s", "c*sumsq(x)/s", "sum(w*x.^2./y)", "-s^1.5", "s/sum(y)",
    "s*exp(sum(x)/s)", "s*log(s/sum(y))", "-s*log(sum(y)/s)", "s*sum(exp(x/s))", "s*logsumexp(x/s)", "s*sum(sin(x/s))", "s*log(s/t)", "t*exp(s/t)",
    "s*sqrt(1 + sumsq(x)/s^2)", "s*exp(sum(x))", "s^2*exp(sum(x)/s)", "s*sum(softplus(M*x/s))", "-s*sum(sqrt(y/s))", "s*log(sum(y)/s)", "s*sum((x/s).^4)",
    "sumsq(x)*sumsq(y)", "sum(exp(x))/s", "tr(inv(S)*(x*x'))", "sumsq(x)/(s*w)", "sumsq(x)/(s*t + c)", "norm2(x)/s", "sumsq(x)/sqrt(s)")


def joint_values(rng):
    named = {name: rng.uniform(-1, 1, (N, N)) for name in "MQR"}
    named.update({name: rng.uniform(-1, 1, (N, 1)) for name in "xb"})
    named["y"] = np.exp(rng.uniform(-2, 1, (N, 1)))
    for name in "swt":
        named[name] = np.exp(rng.uniform(-2, 1, (1, 1)))
    named["c"] = rng.uniform(-1, 1, (1, 1))
    named["S"] = named["Q"] @ named["Q"].T + 0.05 * np.eye(N)
    named["P"] = named["R"] @ named["R"].T + 0.1 * np.eye(N)
    thin = rng.uniform(-1, 1, (N, 1))
    named["L"] = thin @ thin.T
    return named


def joint_hessian(actions, point):
    """In an orthonormal basis of x, y, s and the symmetric S."""
    shapes = {"x": (N, 1), "y": (N, 1), "s": (1, 1)}
    basis = []
    for name, shape in shapes.items():
        for i in range(shape[0]):
            basis.append((name, np.eye(shape[0])[:, i:i + 1]))
    basis += [("S", v) for v in directions(True)]
    zero = {f"V_{name}": np.zeros(point[name].shape) for name in actions}
    rows = []
    for name, v in basis:
        if name not in actions:
            continue
        along = dict(point, **{**zero, f"V_{name}": v})
        found = {other: evaluate(action, along, {"m": N}) for other, action in actions.items()}
        rows.append([float(np.sum(found[other] * u)) for other, u in basis if other in actions])
    return np.array(rows)


def test_joint():
    stated = 0
    count = max(len(JOINT), COUNT)
    for seed in range(count):
        rng = np.random.default_rng(seed)
        texts = [JOINT[seed]] if seed < len(JOINT) else [JOINT[k] for k in rng.integers(len(JOINT), size=2)]
        text = " + ".join(f"{rng.choice(['1', '2', 'w'])}*({one})" for one in texts)
        names = [name for name in "xysS" if re.search(rf"\b{name}\b", text)]
        if names in ([], ["S"], ["s"], ["y"]):
            text += " + sumsq(x)"
            names = ["x"] + names
        if len(names) < 2:
            text += " + s^2"
            names = names + ["s"]
        options = ("--wrt", ",".join(names), "--positive", "y,s,w,t", "--spd", "S,P", "--psd", "L", "--dims",
                   "x=3x1,y=3x1,s=1,b=3x1,M=3x3,S=3x3,P=3x3,L=3x3,w=1,t=1,c=1")
        finished = run(["derive", text, *options])
        found = re.search(r"convexity in .* together: (.*?) \((.*)\)", finished.out)
        checks.check(found is not None, f"joint {text}: {finished}")
        if found is None or found.group(1) not in ("convex", "concave"):
            continue
        stated += 1
        lines = run(["derive", text, *options, "--hessian", "--format", "expr"]).out.strip().split("\n")
        actions = dict(zip(names, lines))
        sign = 1 if found.group(1) == "convex" else -1
        for _ in range(4):
            hessian = joint_hessian(actions, joint_values(rng))
            if not np.all(np.isfinite(hessian)):
                continue
            eigenvalues = np.linalg.eigvalsh(sign * (hessian + hessian.T) / 2)
            least = eigenvalues[0] / max(abs(eigenvalues).max(), 1e-300)
            checks.check(least > -1e-9, f"{text} is called {found.group(1)} ({found.group(2)}); least eigenvalue {least:.3g}")
    print(f"{stated} of {count} objectives are called convex or concave together")
    checks.check(stated > count // 5, "few statements were made of several names")


def test_known():
    for text, wrt, options, word in (
            ("logdet(eye + X - X')", "X", (), "not decided"),
            ("logdet(A + B*X)", "X", (), "not decided"),
            ("logdet(X*A)", "X", ("--spd", "A"), "not decided"),
            ("logdet(X)", "X", (), "concave"),
            ("logdet(X + X')", "X", (), "concave"),
            ("logdet(eye + A*diag(x)*A')", "x", (), "concave"),
            ("tr(inv(X))", "X", (), "not decided"),
            ("tr(inv(X))", "X", ("--spd", "X"), "convex"),
            ("tr(C*inv(X))", "X", ("--spd", "X"), "not decided"),
            ("tr(C*inv(X))", "X", ("--spd", "X", "--psd", "C"), "convex"),
            ("sumsq(Y - X*W) + lambda*tr(W*L*W')", "W", (), "not decided"),
            ("sumsq(Y - X*W) + lambda*tr(W*L*W')", "W", ("--psd", "L"), "not decided"),
            ("sumsq(Y - X*W) + lambda*tr(W*L*W')", "W", ("--psd", "L", "--positive", "lambda"), "convex"),
            ("tr(expm(X))", "X", ("--symmetric", "X"), "convex"),
            ("tr(sqrtm(2*X + P))", "X", ("--spd", "X,P"), "concave"),
            ("tr(P*expm(X))", "X", ("--spd", "X,P"), "not decided"),
            ("tr(expm(X*X'))", "X", (), "not decided"),
            ("sum(relu(X).^2)", "X", (), "convex"),
            ("sum(exp(x))^2", "x", (), "convex"),
            ("norm2(relu(A*x - b))", "x", (), "convex"),
            ("sqrt(tr(softplus(X)))", "X", (), "not decided"),
            ("sum(x.*log(x))", "x", (), "convex"),
            ("sum(sqrt(x))", "x", (), "concave"),
            ("sum(1./x)", "x", (), "not decided"),
            ("sum(1./x)", "x", ("--positive", "x"), "convex"),
            ("x'*x/t", "x", (), "not decided"),
            ("x'*x/t", "x", ("--positive", "t"), "convex"),
            ("t*exp(s/t)", "t", (), "not decided"),
            ("t*exp(s/t)", "t", ("--positive", "t"), "convex"),
            ("t*log(s/t)", "t", ("--positive", "s,t"), "concave"),
            ("t*sin(s/t)", "t", ("--positive", "t"), "not decided"),
            ("t*tr(Q*X)*exp(tr(Q*X)/t)/t", "X", ("--positive", "t", "--orthogonal", "Q"), "not decided")):
        finished = run(["derive", text, "--wrt", wrt, *options])
        checks.check(f"convexity in {wrt}: {word}" in finished.out, f"{text} {options}: {finished}, expected {word}")
    for text, options, word in (
            ("sumsq(x)/s", (), "not decided"),
            ("sumsq(x)/s", ("--positive", "s"), "convex"),
            ("x'*inv(S)*x", (), "not decided"),
            ("x'*inv(S)*x", ("--spd", "S"), "convex"),
            ("x'*inv(S)*x - logdet(S)", ("--spd", "S"), "convex"),
            ("s*sumsq(x)", ("--positive", "s"), "not decided")):
        names = "x,S" if "S" in text else "x,s"
        finished = run(["derive", text, "--wrt", names, *options])
        checks.check(f"convexity in {names.replace(',', ', ')} together: {word}" in finished.out, f"{text} {options}: {finished}")
    finished = run(["derive", "tr(X'*L*X)", "--wrt", "X", "--dims", "L=3x4", "--psd", "L"])
    checks.check(finished.status == 2 and "positive semidefinite but is not square" in finished.err, f"{finished}")


def test_numbers_of_a_job():
    """The sign of a number under data decides: lambda > 0 keeps a term convex, lambda < 0 does not."""
    for number, objective, word in (("0.3", "sumsq(Y - X*W) + lambda*sumsq(W)", "convex"),
                                    ("-0.3", "sumsq(Y - X*W) + lambda*sumsq(W)", "not decided"),
                                    ("0", "sumsq(Y - X*W) + lambda*sumsq(W)", "not decided"),
                                    ("0.3", "sumsq(Y - X*W) - lambda*sumsq(W)", "not decided"),
                                    ("2", "sum(exp(X*W))*lambda + norm1(W)/lambda", "convex")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "job.yaml"
            path.write_text(f"minimize: {objective}\nvariables: {{W: {{rows: 4, columns: 3, start: normal, scale: 0.1}}}}\ndata:\n"
                            "  X: {generate: normal, rows: 9, columns: 4}\n  Y: {generate: normal, rows: 9, columns: 3}\n"
                            f"  lambda: {number}\n", encoding="utf-8")
            finished = run(["check", str(path)])
        checks.check(f"convexity in W: {word}" in finished.out, f"{objective}, lambda {number}: {finished}")


if __name__ == "__main__":
    test_known()
    test_numbers_of_a_job()
    test_random()
    test_joint()
    sys.exit(checks.finish())
