"""`derive --function`: the programs that it prints, run, against the description of the language.

Every row of the corpus and random objectives, with sizes given and open, in NumPy; a part of them in C, Fortran, Octave
(which stands for MATLAB too), PyTorch and JAX where these are installed. Julia is looked at as text.
"""

import ctypes
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of matrices of four rows

import numpy as np  # noqa: E402

from random_claims import SHAPES, SIZES, Objectives
from tg_eval import EvaluationError, evaluate
from tracegrad_run import ROOT, Checks, run

checks = Checks()
TOLERANCE = 1e-12
EVERY = {"c": 10, "fortran": 16, "octave": 3, "pytorch": 2, "jax": 5}


class Case:
    """An objective with numbers for its names, its value, gradient and Hessian product."""

    def __init__(self, arguments, wrt, values, seed, derivatives=None):
        self.arguments = arguments
        self.wrt = wrt
        self.tolerance = TOLERANCE
        self.values = values
        expression = arguments[1]
        rng = np.random.default_rng(seed)
        self.direction = rng.uniform(-1, 1, values[wrt].shape)
        self.sizes = {"m": SIZES["m"], "n": SIZES["n"], "p": 2}
        try:
            self.value = evaluate(expression, values, self.sizes)[0, 0]
        except EvaluationError: # the notation of another system: its normal form
            shown = run(arguments, environment={"LC_ALL": "C"}).out
            self.value = evaluate(re.match(r"f = (.*?)    \(", shown)[1], values, self.sizes)[0, 0]
        printed = derivatives or self.derive(["--format", "json", "--hessian"], allowed=(0, 2)) \
            or self.derive(["--format", "json"])  # third derivatives are refused
        derivative = json.loads(printed)["derivatives"][0]
        self.gradient = evaluate(derivative["gradient"]["expr"], values, self.sizes)
        self.hessian = None
        if "hessian_action" in derivative:
            directed = {**values, derivative["direction"]: self.direction}
            self.hessian = evaluate(derivative["hessian_action"]["expr"], directed, self.sizes)

    def derive(self, more, allowed=(0,)):
        finished = run([*self.arguments, *more])
        checks.check(finished.status in allowed, f"{self.arguments} {more}: exit {finished.status}: {finished.err}")
        return finished.out if finished.status == 0 else None

    def program(self, format):
        return self.derive(["--function", "--format", format, *(["--hessian"] if self.hessian is not None else [])])

    def is_fit(self):
        numbers = [self.value, *np.ravel(self.gradient), *(np.ravel(self.hessian) if self.hessian is not None else [])]
        return bool(np.all(np.isfinite(numbers))) and np.max(np.abs(numbers)) < 1e8

    def compare(self, language, value, gradient, hessian):
        what = f"{' '.join(self.arguments)} in {language}"
        for name, found, expected in (("value", value, self.value), ("gradient", gradient, self.gradient),
                                      ("Hessian", hessian, self.hessian)):
            if expected is None:
                continue
            scale = max(1.0, float(np.max(np.abs(expected))), float(np.max(np.abs(self.gradient))))
            error = float(np.max(np.abs(np.reshape(found, np.shape(expected), order="F") - expected)))
            checks.check(error <= self.tolerance * scale, f"{name} of {what}: off by {error:.2e}\n{found}\n{expected}")


# ---- objectives ----


def corpus_cases():
    from test_derive import options_of, random_values, read_corpus
    for number, row in enumerate(read_corpus("derivatives.txt")):
        values = random_values(row[2], row[3], 21)
        try:
            case = Case(options_of(row), row[1], values, number)
        except (EvaluationError, AttributeError) as error:
            checks.check(False, f"{row[0]}: {error}")
            continue
        # The corpus takes the determinant's logarithm of a matrix that is not symmetric: the program refuses its numbers.
        if case.is_fit() and row[0] != "logdet(A*X*B)":
            yield case


def spectral_cases():
    """Functions of eigenvalues and singular values, also where these are equal: divided differences at their limits."""
    rng = np.random.default_rng(8)
    dims = "A=3x3,S=3x3,X=3x3,C=3x4,Y=3x4"
    for expression, wrt, sizes in (("tr(A*expm(X + X'))", "X", (1.0, 0.0)), ("tr(A*sqrtm(X*X' + eye(3)))", "X", (1.0, 0.0)),
                                   ("tr(A*logm(X*X' + eye(3)))", "X", (1.0, 1e-7)), ("nuclear_norm(Y - C)", "Y", (1.0,)),
                                   ("spectral_norm(Y)^2 + sum(Y)", "Y", (1.0,)), ("det(X*X' + eye(3))", "X", (1.0,)),
                                   ("sumsq(logm(Y*Y' + eye(3)) - S)", "Y", (2.0,)), ("tr(expm(4*(X + X')))", "X", (0.3,))):
        for size in sizes:
            values = {name: rng.uniform(-1, 1, [int(n) for n in shape.split("x")])
                      for name, shape in (entry.split("=") for entry in dims.split(","))}
            values["S"] = values["S"] + values["S"].T
            values[wrt] = size * values[wrt]
            case = Case(["derive", expression, "--wrt", wrt, "--dims", dims, "--symmetric", "S"], wrt, values, 3)
            case.tolerance = 1e-9  # of second differences where eigenvalues are close
            case.values = {name: x for name, x in values.items() if re.search(rf"\b{name}\b", expression)}
            if checks.check(case.is_fit(), f"{expression} is not finite"):
                yield case


def random_cases(count, is_open):
    """Sizes as numbers, or as the names m and n that the functions take from their arguments."""
    rng = np.random.default_rng(5)
    shapes = ["mm", "mn", "nm", "nn"]
    while count > 0:
        shape = shapes[rng.integers(len(shapes))]
        objectives = Objectives(rng, shape)
        text = " + ".join(objectives.term() for _ in range(rng.integers(1, 3)))
        names = dict(SHAPES, X=shape)
        if is_open:
            text = re.sub(r"eye\((\d)\)", lambda found: f"eye({ {'3': 'm', '4': 'n'}.get(found[1], found[1])})", text) \
                if (SIZES["m"], SIZES["n"]) == (3, 4) else text
            if rng.integers(2) == 0:
                text += f" + mean(({objectives.matrix('mn', 1)}).^2)"
            dims = ",".join(f"{name}={'x'.join(size)}" for name, size in names.items())
        else:
            dims = ",".join(f"{name}={'x'.join(str(SIZES.get(c, 1)) for c in size)}" for name, size in names.items())
        values = {name: rng.uniform(-1, 1, [SIZES.get(c, 1) for c in size]) for name, size in names.items()}
        values["S"] = values["S"] + values["S"].T
        arguments = ["derive", text, "--wrt", "X", "--dims", dims, "--symmetric", "S"]
        found = run([*arguments, "--format", "json", "--hessian"]) if len(text) <= 300 else None
        if found is None or found.status != 0:
            continue
        case = Case(arguments, "X", values, count, found.out)
        if case.is_fit():
            count -= 1
            yield case


def open_cases():
    """Where the cheapest order hangs on the proportions of sizes, exponents are sizes, a matrix must be tall."""
    rng = np.random.default_rng(9)
    for expression, wrt, dims, options in (
            ("sumsq(A*X')", "X", "A=mxn,X=pxn", []), ("tr(A*X*B*X'*C)", "X", "A=pxm,X=mxn,B=nxn,C=mxp", []),
            ("tr(B'*X'*C*X*B)", "X", "B=nxp,X=mxn,C=mxm", []), ("tr(B'*X'*C*X*X'*C*X*B)", "X", "B=nxp,X=mxn,C=mxm", []),
            ("det(s*A)", "s", "s=1,A=mxm", []), ("det(s*A) + s^2*tr(A)", "s", "s=1,A=nxn", []),
            ("sumsq(Q*X - Y)", "X", "Q=nxm,X=mxp,Y=nxp", ["--orthogonal", "Q"])):
        sizes = {"m": SIZES["m"], "n": SIZES["n"], "p": 2, "1": 1}
        values = {}
        for entry in dims.split(","):
            name, _, shape = entry.partition("=")
            values[name] = rng.uniform(-1, 1, [sizes[c] for c in (shape if shape != "1" else "1x1").split("x")])
        if options:
            values["Q"] = np.linalg.qr(values["Q"])[0]
        case = Case(["derive", expression, "--wrt", wrt, "--dims", dims, *options], wrt, values, 4)
        if checks.check(case.is_fit(), f"{expression} is not finite"):
            yield case


# ---- arguments ----


def chosen(language, cases):
    """A part of them, for a language whose programs take long to build or run."""
    return cases[:: EVERY[language]]


def names_of(program, function="value_and_gradient"):
    """The arguments of the NumPy function, in order."""
    return re.search(rf"def {function}\((.*)\):", program)[1].split(", ")


def inputs_of(case, names):
    """Numbers for them: lambda_1 stands for lambda."""
    return [case.values[name] if name in case.values else
            case.direction if name.startswith("V_") else case.values[re.sub(r"_\d+$", "", name)] for name in names]


# ---- Python ----


def run_python(case, language, as_array=lambda x: x, to_numpy=np.asarray):
    program = case.program(language)
    if program is None:
        return
    space = {}
    exec(program, space)  # noqa: S102, the program's own output
    try:
        call_python(case, language, program, space, as_array, to_numpy)
    except Exception as error:  # noqa: BLE001, whatever the program raises
        checks.check(False, f"{' '.join(case.arguments)} in {language}: {error!r}")


def call_python(case, language, program, space, as_array, to_numpy):
    with np.errstate(all="ignore"):
        value, gradient = space["value_and_gradient"](*map(as_array, inputs_of(case, names_of(program))))
        hessian = None
        if case.hessian is not None:
            hessian = to_numpy(space["hessian_product"](*map(as_array, inputs_of(case, names_of(program, "hessian_product")))))
    case.compare(language, float(value), to_numpy(gradient), hessian)


def test_numpy(cases):
    for case in cases:
        run_python(case, "numpy")


def test_pytorch(cases):
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: its programs are not run")
        return
    for case in cases:
        run_python(case, "pytorch", lambda x: torch.from_numpy(np.array(x)), lambda x: x.numpy())
        differentiate(case, torch)


def differentiate(case, torch):
    """PyTorch's own derivative of the program's value."""
    space = {}
    program = case.program("pytorch") or ""
    exec(program, space)  # noqa: S102
    names = names_of(program)
    arguments = [torch.tensor(np.array(x), requires_grad=name == case.wrt) for name, x in zip(names, inputs_of(case, names))]
    value, _ = space["value_and_gradient"](*arguments)
    if case.wrt in names and isinstance(value, torch.Tensor) and value.requires_grad:
        found, = torch.autograd.grad(value, arguments[names.index(case.wrt)])
        if not torch.isfinite(found).all() and ("linalg.eigh" in program or "linalg.svd" in program):
            return  # equal eigenvalues, whose vectors have no derivative
        scale = max(1.0, float(np.max(np.abs(case.gradient))))
        error = float(np.max(np.abs(found.numpy().reshape(np.shape(case.gradient)) - case.gradient)))
        checks.check(error <= 1e-6 * scale, f"the gradient of {' '.join(case.arguments)} by PyTorch: off by {error:.2e}")


def test_jax(cases):
    if importlib.util.find_spec("jax") is None:
        print("JAX is not installed: its programs are not run")
        return
    for case in cases:
        run_python(case, "jax")


# ---- compiled ----


def sizes_of(case, program):
    """Sizes that are open, in the order of the C function."""
    head = re.search(r"int value_and_gradient\((.*)\)", program)[1]
    return [case.sizes[name] for name in re.findall(r"int (\w+)", head)]


def outputs_of(case):
    return np.zeros(1), np.zeros(case.values[case.wrt].shape, order="F"), np.zeros(case.values[case.wrt].shape, order="F")


def pointer(x):
    return x.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def test_c(cases, folder):
    """One library of all programs, each compiled alone with warnings as errors."""
    programs, commands = [], []
    for number, case in enumerate(cases):
        program = case.program("c") or ""
        programs.append(program)
        source = folder / f"c{number}.c"
        source.write_text(re.sub(r"\b(value_and_gradient|hessian_product)\(", rf"\1_{number}(", program))
        commands.append(source)
    objects = ["-I" + path for path in ("/usr/include/x86_64-linux-gnu",) if os.path.isdir(path)]
    built = subprocess.run(["cc", "-std=c11", "-O0", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", *objects, "-o",
                            folder / "c.so", *commands, "-lopenblas", "-lm"], capture_output=True, text=True, check=False)
    if not checks.check(built.returncode == 0, f"C does not compile: {built.stderr[:3000]}"):
        return
    library = ctypes.CDLL(str(folder / "c.so"))
    for number, (case, program) in enumerate(zip(cases, programs)):
        names = re.findall(r"const double \*(\w+)", re.search(r"int value_and_gradient\((.*)\)", program)[1])
        arrays = [np.asfortranarray(x, dtype=float) for x in inputs_of(case, names)]
        value, gradient, hessian = outputs_of(case)
        call = [*sizes_of(case, program), *map(pointer, arrays)]
        status = getattr(library, f"value_and_gradient_{number}")(*call, pointer(value), pointer(gradient))
        if case.hessian is not None:
            direction = np.asfortranarray(case.direction)
            status |= getattr(library, f"hessian_product_{number}")(*call, pointer(direction), pointer(hessian))
        checks.equal(f"status of {case.arguments} in C", status, 0)
        case.compare("C", value[0], gradient, hessian)


def fortran_driver(number, case, names):
    """A subroutine with a C interface around the module of a case."""
    def shape(x):
        return f"{x.shape[0]}, {x.shape[1]}"
    arrays = [(f"a{k}", x) for k, x in enumerate(inputs_of(case, names))]
    x = case.values[case.wrt]
    lines = [f"subroutine case{number}({', '.join(name for name, _ in arrays)}, v, f, g, h, info) bind(c)",
             f"  use objective_{number}", "  implicit none", "  integer, intent(out) :: info"]
    lines += [f"  real(8), intent(in) :: {name}({shape(a)})" for name, a in [*arrays, ("v", x)]]
    lines += ["  real(8), intent(out) :: f", f"  real(8), intent(out) :: g({shape(x)}), h({shape(x)})"]
    call = ", ".join(name for name, _ in arrays)
    lines.append(f"  call value_and_gradient({call}, f, g, info)")
    if case.hessian is not None:
        lines.append(f"  if (info == 0) call hessian_product({call}, v, h, info)")
    return "\n".join([*lines, f"end subroutine case{number}", ""])


def test_fortran(cases, folder):
    if shutil.which("gfortran") is None:
        print("gfortran is not installed: Fortran is not run")
        return
    names, sources = [], []
    for number, case in enumerate(cases):
        program = case.program("fortran") or ""
        head = re.search(r"subroutine value_and_gradient\(((?:.|\n)*?)\bf,", program)[1]
        names.append(re.findall(r"\w+", head))
        sources.append(folder / f"f{number}.f90")
        sources[-1].write_text(re.sub(r"\bmodule objective\b", f"module objective_{number}", program) +
                               fortran_driver(number, case, names[-1]))
    # gfortran 12 takes allocatable results for uninitialised.
    quiet = [f"-Wno-{name}" for name in ("compare-reals", "unused-dummy-argument", "c-binding-type", "uninitialized",
                                         "maybe-uninitialized")]
    built = subprocess.run(["gfortran", "-std=f2008", "-O0", "-Wall", *quiet, "-fPIC", "-shared", "-J", folder,
                            "-o", folder / "f.so", *sources, "-lopenblas"], capture_output=True, text=True, check=False)
    if not checks.check(built.returncode == 0, f"Fortran does not compile: {built.stderr[:3000]}"):
        return
    checks.check("Warning" not in built.stderr, f"warnings of Fortran: {built.stderr[:3000]}")
    library = ctypes.CDLL(str(folder / "f.so"))
    for number, case in enumerate(cases):
        arrays = [np.asfortranarray(x, dtype=float) for x in inputs_of(case, names[number])]
        value, gradient, hessian = outputs_of(case)
        info = ctypes.c_int(0)
        direction = np.asfortranarray(case.direction)
        getattr(library, f"case{number}")(*map(pointer, arrays), pointer(direction), pointer(value), pointer(gradient),
                                          pointer(hessian), ctypes.byref(info))
        checks.equal(f"info of {case.arguments} in Fortran", info.value, 0)
        case.compare("Fortran", value[0], gradient, hessian)


# ---- Octave ----


def octave_matrix(x):
    return "[" + ";".join(" ".join(repr(float(entry)) for entry in row) for row in np.atleast_2d(x)) + "]"


def test_octave(cases, folder):
    """The text for MATLAB is run as well: it differs in its first lines."""
    octave = shutil.which("octave-cli") or shutil.which("octave")
    if octave is None:
        print("Octave is not installed: Octave and MATLAB are not run")
        return
    script = []
    for number, case in enumerate(cases):
        program = case.program("octave" if number % 2 == 0 else "matlab") or ""
        (folder / f"o{number}.m").write_text("1;\n" + program)
        names = re.search(r"= value_and_gradient\((.*)\)", program)[1].split(", ")
        call = ", ".join(octave_matrix(x) for x in inputs_of(case, names))
        script += [f"source('{folder}/o{number}.m');", f"[f, G] = value_and_gradient({call});", "H = 0*G;"]
        if case.hessian is not None:
            script.append(f"H = hessian_product({call}, {octave_matrix(case.direction)});")
        script.append("printf(' %.17g', f, G, H); printf('\\n');")
    (folder / "all.m").write_text("\n".join(script))
    done = subprocess.run([octave, "--norc", "--quiet", folder / "all.m"], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    checks.equal(f"results of Octave ({done.stderr[:500]})", len(lines), len(cases))
    for line, case in zip(lines, cases):
        numbers = np.array([float(word) for word in line.split()])
        count = case.values[case.wrt].size
        case.compare("Octave", numbers[0], numbers[1 : 1 + count], numbers[1 + count :])


# ---- texts ----


def test_julia(cases):
    """Parentheses pair, and no mark of a template is left."""
    for case in cases[::3]:
        program = case.program("julia") or ""
        program = re.sub(r"  # .*", "", program)
        for pair in ("()", "[]"):
            checks.equal(f"{pair} of {program}", program.count(pair[0]), program.count(pair[1]))
        code = re.sub(r'""".*?"""', "", program, flags=re.S)
        checks.equal(f"blocks of {program}", len(re.findall(r"^\s*(?:function|for)\b", code, re.M)),
                     len(re.findall(r"^\s*end\b", code, re.M)))


def test_products():
    """As few as the plan's: tr(A*B*A'*C) costs 7 as written."""
    for expression, options, products in (("tr(A*B*A'*C)", [], 4), ("tr(A*B*A'*C)", ["--symmetric", "B,C"], 2),
                                          ("sumsq(Y - X*A)", [], 2), ("tr(A'*L*A)/tr(A'*M*A)", ["--symmetric", "L,M"], 2),
                                          ("logdet(eye(n) + A*A')", ["--dims", "A=nxp"], 2)):
        for format in ("numpy", "jax", "pytorch", "octave", "matlab", "julia", "c", "fortran"):
            text = run(["derive", expression, "--wrt", "A", *options, "--function", "--format", format]).out
            found = re.search(r"(\d+) matrix products?\.", text)
            checks.check(found and int(found[1]) <= products, f"products of {expression} in {format}: {found}")


def test_overflow():
    """What is finite comes out finite, without a warning."""
    for expression, x in (("logsumexp(X)", 1000.0), ("sum(softplus(X))", 1000.0), ("sum(logcosh(X))", -1000.0),
                          ("sum(sigmoid(X))", -1000.0), ("sum(logsumexp_rows(X))", 800.0)):
        program = run(["derive", expression, "--wrt", "X", "--dims", "X=2x3", "--function", "--format", "numpy"]).out
        space = {}
        exec(program, space)  # noqa: S102
        with np.errstate(over="raise", invalid="raise"):
            value, gradient = space["value_and_gradient"](np.full((2, 3), x))
        checks.check(np.isfinite(value) and np.all(np.isfinite(gradient)), f"{expression} at {x}: {value} {gradient}")


def test_names_and_shapes():
    """Keywords get another name, vectors and numbers keep their shape, wrong shapes are said."""
    program = run(["derive", "lambda*sumsq(x - b)", "--wrt", "x", "--function", "--format", "numpy"]).out
    space = {}
    exec(program, space)  # noqa: S102
    checks.check("lambda_1" in program, f"lambda is a keyword of Python: {program}")
    value, gradient = space["value_and_gradient"](2.0, np.ones(3), np.zeros(3))
    checks.equal("value and shape by a vector", (float(value), gradient.shape), (6.0, (3,)))
    for arguments in ((2.0, np.ones(3), np.zeros(4)), (np.ones(2), np.ones(3), np.zeros(3))):
        try:
            space["value_and_gradient"](*arguments)
            checks.check(False, f"wrong shapes are taken: {arguments}")
        except ValueError as error:
            checks.check("expected" in str(error), f"message of a wrong shape: {error}")
    program = run(["derive", "tr(X*x*x')", "--wrt", "X", "--function", "--format", "fortran", "--dims", "x=n"]).out
    checks.check(re.search(r"value_and_gradient\((X, x_1|x_1, X|X_1, x|x, X_1)", program), f"X and x are one name: {program}")


def test_plain_numbers():
    """A number may be one of the language; float32 stays that."""
    arguments = ["derive", "lambda*sumsq(x - b)", "--wrt", "x", "--function", "--format"]
    numbers = {"jax": np.array}
    try:
        import torch
        numbers["pytorch"] = torch.tensor
    except ImportError:
        print("PyTorch is not installed: its programs are not run")
    for language, as_array in numbers.items():
        if language == "jax" and importlib.util.find_spec("jax") is None:
            continue
        space = {}
        exec(run([*arguments, language]).out, space)  # noqa: S102
        value, gradient = space["value_and_gradient"](1 / 3, as_array([1.0, 2.0]), as_array([0.0, 0.0]))
        checks.close(f"value by a plain number in {language}", float(value), 5 / 3, 1e-6)
        checks.equal(f"gradient by a plain number in {language}", tuple(gradient.shape), (2,))
        if language == "pytorch":
            checks.equal("kind of its numbers", gradient.dtype, torch.float32)


def test_refusals():
    for arguments, words in ((["A*X", "--wrt", "X", "--format", "numpy"], "scalar"),
                             (["tr(X)", "--wrt", "X", "--format", "latex"], "numpy, jax"),
                             (["tr(X)", "--wrt", "X'", "--format", "c"], "transpose"),
                             (["tr(X*X)", "--wrt", "X", "--within", "symmetric", "--format", "c"], "--within")):
        finished = run(["derive", *arguments, "--function"])
        checks.check(finished.status == 2 and words in finished.err, f"{arguments}: {finished}")
    finished = run(["derive", "det(2*X)", "--wrt", "X", "--function", "--format", "numpy"])
    checks.check(finished.status == 2 and "give them with the option dims" in finished.err, f"2^n: {finished}")
    finished = run(["derive", "sumsq(X(1:k,:))", "--wrt", "X", "--function", "--format", "numpy"])
    checks.check(finished.status == 2 and "no argument has the size k" in finished.err, f"k in an index alone: {finished}")
    finished = run(["derive", "tr(X)", "--wrt", "X", "--format", "julia"])
    checks.check(finished.status == 0 and "function value_and_gradient" in finished.out, f"julia: {finished}")


def main():
    cases = [*corpus_cases(), *random_cases(25, False), *random_cases(25, True)]
    spectral = [*spectral_cases(), *open_cases()]
    print(f"{len(cases)} objectives, {sum(case.hessian is not None for case in cases)} with a Hessian")
    test_numpy(cases + spectral)
    test_pytorch(chosen("pytorch", cases) + spectral)
    test_jax(chosen("jax", cases) + spectral)
    with tempfile.TemporaryDirectory() as name:
        test_c(chosen("c", cases) + spectral, Path(name))
        test_fortran(chosen("fortran", cases) + spectral, Path(name))
        test_octave(chosen("octave", cases) + spectral, Path(name))
    test_julia(cases)
    test_products()
    test_overflow()
    test_names_and_shapes()
    test_plain_numbers()
    test_refusals()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
