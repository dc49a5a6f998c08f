"""`tracegrad derive --claim`: wrong claims of ten kinds are not accepted, right ones in many words are not refused.

CLAIMS=N makes N claims of each kind; without it a few, in seconds.
"""

import collections
import os
import re
import sys

import numpy as np

from random_claims import RIGHT, WRONG, Objectives, derivable, dims, is_wrong
from tracegrad_run import Checks, run

checks = Checks()
COUNT = int(os.environ.get("CLAIMS", "15"))
EQUAL, DIFFERENT, UNDECIDED = 0, 1, 3


def claim(text, claims, *options, wrt="X"):
    arguments = ["derive", text, "--wrt", wrt, *options]
    for one in claims if isinstance(claims, tuple) else (claims,):
        arguments.append(f"--claim={one}")
    return run(arguments)


def test_known():
    """What points of one sign, of one size or with large diagonals do not show; what only sizes and rounding made wrong."""
    sizes = "--dims"
    for text, claimed, options, status in (
            ("sum(relu(X).^2)", "2*X", (), DIFFERENT),
            ("norm1(X)", "ones(2,2)", (sizes, "X=2x2"), DIFFERENT),
            ("sum(sin(X))", "abs(cos(X))", (), DIFFERENT),
            ("tr(S*X)", "abs(S)", (sizes, "S=3x3"), DIFFERENT),
            ("sigmoid(tr(X))", "zeros(8,8)", (sizes, "X=8x8"), DIFFERENT),
            ("log(det(X)) + tanh(tr(X))", "inv(X)'", (), DIFFERENT),
            ("sum(exp(X.^2))", "2*X'.*exp(X'.^2)", (sizes, "X=4x4"), DIFFERENT),
            ("sum(relu(X - 1000*ones))", "0*X", (), DIFFERENT),
            ("sum(sqrt(X.^2 + 1e-8))", "sign(X)", (), DIFFERENT),
            ("sum(softplus(X).^2)", "2*sign(relu(X).^2).*sigmoid(X).*softplus(X)", (), DIFFERENT),
            ("sum(X)", "ones(n,m)", (), DIFFERENT),
            ("sumsq(X)", "2", (), DIFFERENT),
            ("sumsq(X)", "2*Y", (), DIFFERENT),
            ("sum(X)", "ones", (), EQUAL),
            ("sum(X)", "ones(m,n)", (), EQUAL),
            ("sumsq(X - eye)", "2*X - 2*eye", (), EQUAL),
            ("sumsq(X - eye)", "2*X - 2*eye(m)", (), EQUAL),
            ("tr(X)", "eye", (), EQUAL),
            ("logdet(eye + X'*X)", "2*X*inv(eye + X'*X)", (), EQUAL),
            ("logdet(eye + X'*X)", "2*inv(eye + X*X')*X", (), EQUAL),
            ("sumsq(X)", "2*X + Y - Y", (), EQUAL),
            ("sumsq(X)", "X*(Y*inv(Y)) + X", (sizes, "X=3x3"), EQUAL),
            ("sum(sigmoid(X))", "sigmoid(X).*sigmoid(-X)", (), EQUAL),
            ("sum(sigmoid(100*X))", "100*exp(-100*X)./(1 + exp(-100*X)).^2", (), EQUAL),
            ("sum(softplus(X))", "exp(X)./(ones + exp(X))", (), EQUAL),
            ("sum(log(X))", "abs(1./X)", (), EQUAL),
            ("tr(Q'*A*Q)", "(A + A')*Q*Q'*Q", ("--orthogonal", "Q"), EQUAL),
            ("sum(relu(X - 1e30*ones))", "0*X", (), DIFFERENT),
            # Kinks that no random point lies between.
            ("norm1(inv(2*eye(3) + A*A') - X)", "sign(X - inv(2*eye(3) + A'*A))", (sizes, "A=3x3,X=3x3"), DIFFERENT),
            ("norm1(inv(2*eye(3) + A*A') - X)", "sign(X - inv(A*A' + 2*eye(3)))", (sizes, "A=3x3,X=3x3"), EQUAL),
            ("sum(relu(X - 1.0001*A))", "(1 + sign(X - A))/2", (), DIFFERENT),
            ("sum(abs(exp(X)))", "exp(X)", (), EQUAL),
            # Inside a set.
            ("logdet(X)", "inv(X)", ("--within", "symmetric"), EQUAL),
            ("tr(A*X)", "A'", ("--within", "symmetric"), DIFFERENT),
            ("tr(A*X)", "(A + A')/2", ("--within", "symmetric"), EQUAL),
            ("tr(A*X*B*X)", "diag(diagvec(A*X*B + B*X*A))", ("--within", "diagonal"), EQUAL),
            ("tr(A*X*B*X)", "A*X*B + B*X*A", ("--within", "diagonal"), DIFFERENT),
            ("sumsq(X - A)", "2*X - A + A'", ("--within", "skew"), EQUAL),
            ("sumsq(X - A)", "2*X - 2*A", ("--within", "skew"), DIFFERENT),
            ("sumsq(X)", "2*X + 1e-12*X", (), UNDECIDED)):
        finished = claim(text, claimed, *options, wrt="Q" if "Q" in text else "X")
        checks.check(finished.status == status and not finished.err,
                     f"{text}, claim {claimed} {options}: {finished}, expected status {status}")


def test_words():
    """What a wrong claim is instead, said only where it is so."""
    for text, claimed, options, words in (
            ("sumsq(X)", "X", (), "0.5 times"),
            ("(x'*x)^2", "2*x", (), "not the gradient"),
            ("det(X)", "det(X)*inv(X)", (), "the transpose"),
            ("logdet(X)", "2*inv(X) - diag(diagvec(inv(X)))", ("--symmetric", "X"), "G + G' - diag(G)"),
            ("tr(A*X)", "(A + A')/2", ("--dims", "A=3x3"), "(G + G')/2"),
            ("sum(X.*A)", "2*A + X", (), "not the gradient"),
            ("sum(X.*A)", "X", (), "not the gradient"),
            ("sumsq(X)", "0*X", (), "not the gradient")):
        finished = claim(text, claimed, *options, wrt="x" if "X" not in text else "X")
        checks.check(finished.status == DIFFERENT and words in finished.out, f"{text}, claim {claimed}: {finished}")


def test_sizes():
    """The name of a size is no number: it would be one of the claim's own, and the claim wrong for no reason."""
    finished = run(["derive", "var(x)", "--wrt", "x", "--claim", "2*(x - mean(x))/m"])
    checks.check(finished.status == 2 and "'m' of the claim is the name of a size" in finished.err and "sum(ones(m,1))" in finished.err, f"{finished}")
    finished = run(["derive", "var(x)", "--wrt", "x", "--claim", "2*(x - mean(x))/sum(ones(m,1))"])
    checks.check(finished.status == EQUAL, f"{finished}")


def test_orders_of_sizes():
    """A formula for tall matrices is none for wide ones: with open sizes both are tried."""
    for claim, dims, status, word in (
            ("X*inv(sqrtm(X'*X))", None, UNDECIDED, "where m = 4, n = 3"), ("inv(sqrtm(X*X'))*X", None, UNDECIDED, "where m = 3, n = 4"),
            ("X*inv(sqrtm(X'*X))", "X=5x3", 0, "equal"), ("inv(sqrtm(X*X'))*X", "X=3x5", 0, "equal"),
            ("2*X*inv(sqrtm(X'*X))", None, 1, "different")):
        finished = run(["derive", "nuclear_norm(X)", "--wrt", "X", "--claim", claim] + (["--dims", dims] if dims else []))
        checks.check((finished.status, word in finished.out) == (status, True), f"{claim} {dims}: {finished}")


def test_several():
    """Jacobians; one claim for each name; too few of them."""
    checks.equal("Jacobian", claim("A*X*B", "kron(B', A)").status, EQUAL)
    checks.equal("Jacobian", claim("X.*A", "diag(vec(A))").status, EQUAL)
    checks.equal("Jacobian", claim("A*X*B", "kron(B, A)", "--dims", "B=3x3").status, DIFFERENT)
    checks.equal("Jacobian", claim("X*A", "kron(A', eye)").status, EQUAL)
    both = claim("sumsq(A*X)", ("2*A*X*X'", "2*A'*A*X"), wrt="A,X")
    checks.check(both.status == EQUAL and both.out.startswith("A: equal") and "\nX: equal" in both.out, f"two names: {both}")
    checks.equal("one of two wrong", claim("sumsq(A*X)", ("2*A*X*X'", "A'*A*X"), wrt="A,X").status, DIFFERENT)
    checks.equal("transposed name", claim("tr(A*X)", "A", wrt="X'").status, EQUAL)
    finished = claim("sumsq(A*X)", "2*A*X*X'", wrt="A,X")
    checks.check(finished.status == 2 and "one claim for each name" in finished.err, f"too few claims: {finished}")


def printed_forms(text, shape):
    """What each format prints, as claims."""
    for style in ("expr", "latex", "numpy", "octave"):
        finished = run(["derive", text, "--wrt", "X", "--dims", dims(shape), "--symmetric", "S", "--format", style])
        yield style, finished.out.strip()
    finished = run(["derive", text, "--wrt", "X", "--dims", dims(shape), "--symmetric", "S"])
    found = re.search(r"df/dX = (.*?)    \(", finished.out)
    yield "human", found.group(1) if found else ""


def random_case(seed):
    """An objective of two terms, the gradient of it and of each; None where one is refused."""
    rng = np.random.default_rng(seed)
    shape = ("mm", "mn")[seed % 2]
    objectives = Objectives(rng, shape)
    terms = [objectives.term(), objectives.term()]
    text = " + ".join(terms)
    parts = [derivable(run, term, shape) for term in terms]
    gradient = derivable(run, text, shape)
    return (rng, shape, text, gradient, parts) if gradient and all(parts) else None


def test_random():
    wrong = collections.Counter()
    right = collections.Counter()
    undecided = 0
    seed = 0
    while (min(wrong[f.__name__] for f in WRONG) < COUNT or sum(right.values()) < COUNT) and seed < 40 * COUNT + 200:
        seed += 1
        if seed % 200 == 0:
            print(f"seed {seed}: wrong {sum(wrong.values())}, right {sum(right.values())}", flush=True)
        case = random_case(seed)
        if case is None:
            continue
        rng, shape, text, gradient, parts = case
        options = ("--dims", dims(shape), "--symmetric", "S")
        square = shape == "mm"
        for make in WRONG:
            made = make(rng, gradient, parts)
            plain = re.sub(r"\bones\b(?!\()", "ones(3,3)" if square else "ones(3,4)", made or "")
            plain = re.sub(r"\beye$", "eye(3)", plain)
            if wrong[make.__name__] >= COUNT or not made or is_wrong(plain, gradient, shape, seed) is not True:
                continue
            finished = claim(text, made, *options)
            wrong[make.__name__] += finished.status in (DIFFERENT, UNDECIDED)
            undecided += finished.status == UNDECIDED
            checks.check(finished.status in (DIFFERENT, UNDECIDED, 2),
                         f"seed {seed}, {make.__name__}: {text}\n  claim {made}\n  {finished}")
        if sum(right.values()) >= COUNT:
            continue
        forms = list(printed_forms(text, shape)) + [(make.__name__, make(gradient, parts)) for make in RIGHT]
        for name, made in forms:
            finished = claim(text, made, *options)
            right[name] += 1
            checks.check(finished.status == EQUAL, f"seed {seed}, {name}: {text}\n  claim {made}\n  {finished}")
    print(f"wrong claims: {dict(wrong)}, {undecided} undecided; right ones: {dict(right)}")
    checks.check(min(wrong[f.__name__] for f in WRONG) >= COUNT, "too few wrong claims were made")
    checks.check(sum(right.values()) >= COUNT, "too few right claims were made")


def main():
    test_known()
    test_words()
    test_sizes()
    test_orders_of_sizes()
    test_several()
    test_random()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
