"""Bad job files and flags: exit 2, one error line with its place and cause, within a second, at any rank count."""

import pathlib
import re
import struct
import sys
import tempfile

from tracegrad_run import Checks, run

GOOD = """minimize: sumsq(A*X - B) + mu*sumsq(X)
variables:
  X: {rows: 6, columns: 3, start: zeros}
data:
  A: {generate: normal, rows: 8, columns: 6, seed: 1}
  B: {generate: normal, rows: 8, columns: 3, seed: 2}
  mu: 0.5
solver:
  max_iterations: 20
process_grid: auto
output: {directory: out, variables: {X: X.npy}}
"""


def change(old, new):
    """The good job with one place made bad."""
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


OBJECTIVE = "sumsq(A*X - B) + mu*sumsq(X)"


def objective(text):
    return change(OBJECTIVE, text)


# (name, job text, substrings of the message). None as line: no place is asked for.
STRUCTURE = [
    ("empty", "", ["empty", "minimize"]),
    ("only a comment", "# nothing\n", ["empty"]),
    ("only dashes", "---\n", ["empty"]),
    ("a list", "- 1\n- 2\n", ["mapping"]),
    ("a word", "hello\n", ["mapping"]),
    ("a number", "42\n", ["mapping"]),
    ("second document", GOOD + "---\na: 1\n", ["second YAML document"]),
    ("duplicate key", GOOD + "solver: {}\n", ["'solver'", "twice", "line 8"]),
    ("duplicate name", change("  mu: 0.5", "  mu: 0.5\n  mu: 0.6"), ["'mu'", "twice"]),
    ("key is a list", GOOD + "[1, 2]: 3\n", ["key"]),
    ("unclosed bracket", change("start: zeros}", "start: zeros"), ["YAML"]),
    ("unclosed list", "minimize: [1, 2\n", ["bracket"]),
    ("unclosed quote", 'minimize: "tr(X)\nvariables: {X: {rows: 1, columns: 1}}\n', ["quote"]),
    ("tab", "variables:\n\tX: {rows: 1, columns: 1}\n", ["tab", "spaces"]),
    ("bad indent", "variables:\n    X: {rows: 1, columns: 1}\n  Y: {rows: 1, columns: 1}\n", ["YAML"]),
    ("colon in plain text", "minimize: a: b\n", ["YAML"]),
    ("at sign", "minimize: @x\n", ["quotes"]),
    ("unknown alias", "minimize: *nowhere\n", ["alias", "nowhere"]),
    ("recursive alias", "variables: &v {X: *v}\n", ["alias"]),
    ("not UTF-8", b"minimize: \xff\xfe\n", ["UTF-8"]),
    ("overlong UTF-8", b"minimize: \xc0\xaf\n", ["UTF-8"]),
    ("surrogate", b"minimize: \xed\xa0\x80\n", ["UTF-8"]),
    ("zero byte", b"minimize: tr(X)\0\n", ["control character"]),
    ("escape byte", b"minimize: \x1b[31m\n", ["control character"]),
    ("binary file", bytes(range(256)), ["control character"]),
    ("npy instead of a job", b"\x93NUMPY\x01\x00", ["UTF-8"]),
    ("deep nesting", "data: " + "{a: " * 60 + "}" * 60 + "\n", ["nest"]),
    ("deep lists", "a: " + "[" * 100000 + "\n", [""]),
    ("many values", "a: [" + "1, " * 300000 + "1]\n", ["too many", "more than"]),
    ("no objective", change("minimize: " + OBJECTIVE + "\n", ""), ["objective is missing"]),
    ("two objectives", GOOD + "maximize: sumsq(X)\n", ["both minimize and maximize"]),
    ("no variables", re.sub(r"variables:\n.*\n", "", GOOD, count=1), ["variables"]),
    ("empty variables", change("  X: {rows: 6, columns: 3, start: zeros}\n", ""), ["variables"]),
    ("variables as a list", re.sub(r"variables:\n.*\n", "variables: [X]\n", GOOD, count=1), ["variables", "a list"]),
    ("variable as a number", change("X: {rows: 6, columns: 3, start: zeros}", "X: 5"), ["variables.X", "mapping"]),
    ("data as text", re.sub(r"data:\n(  .*\n)+", "data: none\n", GOOD, count=1), ["data", "'none'"]),
    ("objective empty", objective(""), ["minimize"]),
    ("objective blank", objective('"  "'), ["minimize", "blank"]),
    ("objective a mapping", objective("{f: X}"), ["minimize", "mapping"]),
    ("objective a list", objective("[X]"), ["minimize", "a list"]),
    ("solver as text", change("solver:\n  max_iterations: 20", "solver: l-bfgs"), ["solver", "'l-bfgs'"]),
    ("output as text", re.sub(r"output: .*", "output: out", GOOD), ["output", "mapping"]),
    ("merge key", change("X: {rows: 6, columns: 3, start: zeros}", "X: {<<: 1, rows: 6, columns: 3}"), ["'<<'"]),
    ("key with a dot", GOOD + "solver.method: l-bfgs\n", ["solver.method"]),
]

VALUES = [
    ("rows negative", change("rows: 6", "rows: -6"), ["variables.X.rows", "-6", "out of range"]),
    ("rows zero", change("rows: 6", "rows: 0"), ["variables.X.rows", "out of range"]),
    ("rows fraction", change("rows: 6", "rows: 6.5"), ["whole number", "6.5"]),
    ("rows exponent", change("rows: 6", "rows: 6e0"), ["whole number", "digits"]),
    ("rows text", change("rows: 6", "rows: six"), ["whole number", "'six'"]),
    ("rows quoted", change("rows: 6", "rows: '6'"), ["whole number"]),
    ("rows list", change("rows: 6", "rows: [6]"), ["whole number", "a list"]),
    ("rows empty", change("rows: 6", "rows: "), ["whole number", "nothing"]),
    ("rows nan", change("rows: 6", "rows: .nan"), ["whole number"]),
    ("rows true", change("rows: 6", "rows: true"), ["whole number"]),
    ("rows hex", change("rows: 6", "rows: 0x10"), ["whole number"]),
    ("rows beyond 32 bits", change("rows: 6", "rows: 2147483648"), ["out of range"]),
    ("rows beyond 64 bits", change("rows: 6", "rows: 99999999999999999999999"), ["out of range"]),
    ("matrix beyond any memory", change("rows: 6, columns: 3", "rows: 2000000000, columns: 2000000000"), ["bytes"]),
    ("data beyond any memory", change("rows: 8, columns: 6", "rows: 2000000000, columns: 2000000000"), ["bytes"]),
    ("columns and cols", change("columns: 3, start", "columns: 3, cols: 3, start"), ["same key"]),
    ("start unknown", change("start: zeros", "start: random"), ["start", "'random'"]),
    ("start misspelt", change("start: zeros", "start: zeroes"), ["did you mean 'zeros'"]),
    ("start a number", change("start: zeros", "start: 0"), ["start"]),
    ("start a list", change("start: zeros", "start: [zeros]"), ["start", "a list"]),
    ("start feasible of a free variable", change("start: zeros", "start: feasible"), ["X has no constraint", "normal"]),
    ("start without file", change("start: zeros", "start: {dataset: /W}"), ["'file'"]),
    ("start file missing", change("start: zeros", "start: {file: none.npy}"), ["none.npy"]),
    ("start file unknown suffix", change("start: zeros", "start: {file: none.csv}"), [".npy"]),
    ("start identity not square", change("start: zeros", "start: identity"), ["identity", "6 x 3"]),
    ("start of another shape", change("start: zeros", "start: {file: a.npy}"), ["4 x 2", "6 x 3"]),
    ("seed negative", change("start: zeros", "start: normal, seed: -1"), ["seed", "out of range"]),
    ("seed fraction", change("start: zeros", "start: normal, seed: 1.5"), ["seed", "whole number"]),
    ("scale text", change("start: zeros", "start: normal, scale: big"), ["scale", "'big'"]),
    ("scale infinite", change("start: zeros", "start: normal, scale: .inf"), ["scale", "finite"]),
    ("scale overflow", change("start: zeros", "start: normal, scale: 1e999"), ["scale", "finite"]),
    ("constraint unknown", change("start: zeros", "constraint: positive"), ["constraint", "'positive'"]),
    ("constraint misspelt", change("start: zeros", "constraint: nonegative"), ["did you mean 'nonnegative'? there are nonnegative, box,", ", unit_columns"]),
    ("constraint two keys", change("start: zeros", "constraint: {box: [0, 1], symmetric: true}"), ["constraint"]),
    ("constraint a list", change("start: zeros", "constraint: [nonnegative]"), ["constraint", "a list"]),
    ("box without interval", change("start: zeros", "constraint: box"), ["box", "[low, high]"]),
    ("box one number", change("start: zeros", "constraint: {box: [1]}"), ["two numbers"]),
    ("box reversed", change("start: zeros", "constraint: {box: [1, 0]}"), ["low <= high"]),
    ("box of everything", change("start: zeros", "constraint: {box: [-.inf, .inf]}"), ["bounds nothing"]),
    ("box infinite the wrong way", change("start: zeros", "constraint: {box: [.inf, 3]}"), ["low <= high"]),
    ("box nan", change("start: zeros", "constraint: {box: [.nan, 1]}"), ["two numbers"]),
    ("ball without radius", change("start: zeros", "constraint: frobenius_ball"), ["frobenius_ball", "argument"]),
    ("ball negative", change("start: zeros", "constraint: {frobenius_ball: -1}"), ["positive number"]),
    ("metric undeclared", change("start: zeros", "constraint: {orthonormal_columns: {metric: S}}"), ["'S'", "data"]),
    ("nonnegative with argument", change("start: zeros", "constraint: {nonnegative: 3}"), ["no argument"]),
    ("generate unlike any kind", change("generate: normal, rows: 8, columns: 6", "generate: qqqqqq, rows: 8, columns: 6"),
     ["qqqqqq", "laplacian-path", "lehmer"]),
    ("two variables, one file", change("X: {rows: 6, columns: 3, start: zeros}",
                                       "X: {rows: 6, columns: 3}\n  Y: {rows: 1, columns: 1}")
     .replace("{X: X.npy}", "{X: X.npy, Y: X.npy}"), ["'X.npy'", "file of X"]),
    ("number nan", change("mu: 0.5", "mu: .nan"), ["data.mu", "finite"]),
    ("number NaN", change("mu: 0.5", "mu: NaN"), ["data.mu", "finite"]),
    ("number infinite", change("mu: 0.5", "mu: -.inf"), ["data.mu", "finite"]),
    ("number overflow", change("mu: 0.5", "mu: 1e400"), ["data.mu", "finite"]),
    ("number text", change("mu: 0.5", "mu: half"), ["data.mu", "'half'"]),
    ("number list", change("mu: 0.5", "mu: [0.5]"), ["data.mu", "a list"]),
    ("number empty", change("mu: 0.5", "mu:"), ["data.mu", "nothing"]),
    ("number boolean", change("mu: 0.5", "mu: true"), ["data.mu"]),
    ("data without source", change("{generate: normal, rows: 8, columns: 6, seed: 1}", "{symmetric: true}"), ["file or generate"]),
    ("data with both sources", change("{generate: normal, rows: 8", "{file: a.npy, generate: normal, rows: 8"), ["not both"]),
    ("generate unknown", change("generate: normal, rows: 8, columns: 6", "generate: gaussian, rows: 8, columns: 6"), ["gaussian"]),
    ("generate misspelt", change("generate: normal, rows: 8, columns: 6", "generate: nomal, rows: 8, columns: 6"), ["normal"]),
    ("generate without rows", change("rows: 8, columns: 6, seed: 1", "seed: 1"), ["A needs rows"]),
    ("generate spd without condition", change("generate: normal, rows: 8, columns: 6, seed: 1", "generate: spd, rows: 8"), ["condition"]),
    ("generate spd not square", change("generate: normal, rows: 8, columns: 6, seed: 1", "generate: spd, rows: 8, columns: 6, condition: 10"), ["square"]),
    ("condition below one", change("generate: normal, rows: 8, columns: 6, seed: 1", "generate: spd, rows: 8, condition: 0.5"), ["condition", "out of range"]),
    ("condition not taken", change("rows: 8, columns: 6, seed: 1", "rows: 8, columns: 6, condition: 5"), ["takes no condition"]),
    ("seed not taken", change("generate: normal, rows: 8, columns: 6", "generate: ones, rows: 8, columns: 6"), ["takes no seed"]),
    ("rows with a file", change("{generate: normal, rows: 8, columns: 6, seed: 1}", "{file: a.npy, rows: 4}"), ["generated"]),
    ("dataset with npy", change("{generate: normal, rows: 8, columns: 6, seed: 1}", "{file: a.npy, dataset: /A}"), ["no datasets"]),
    ("dataset with generate", change("seed: 1", "dataset: /A"), ["dataset"]),
    ("symmetric not boolean", change("seed: 1", "symmetric: 1"), ["true or false"]),
    ("symmetric yes", change("seed: 1", "symmetric: yes"), ["true or false"]),
    ("symmetric not square", change("seed: 1", "symmetric: true"), ["8 x 6"]),
    ("orthogonal not square", change("seed: 1", "orthogonal: true"), ["orthogonal", "8 x 6"]),
    ("trust text", change("seed: 1", "trust: maybe"), ["true or false"]),
    ("name with a dash", change("  mu: 0.5", "  m-u: 0.5"), ["'m-u'", "not a name"]),
    ("name with a digit first", change("  mu: 0.5", "  2mu: 0.5"), ["not a name"]),
    ("name empty", change("  mu: 0.5", '  "": 0.5'), ["not a name"]),
    ("name with a space", change("  mu: 0.5", '  "m u": 0.5'), ["not a name"]),
    ("name not ASCII", change("  mu: 0.5", "  \u03bc: 0.5"), ["not a name"]),
    ("name very long", change("  mu: 0.5", "  " + "m" * 1000 + ": 0.5"), ["not a name"]),
    ("name of 64 letters", change("  mu: 0.5", "  " + "m" * 64 + ": 0.5"), ["m" * 64 + "' is not a name", "at most 63"]),
    ("variable of 64 letters", change("  X: {rows", "  " + "X" * 64 + ": {rows"), ["is not a name", "at most 63"]),
    *((f"data named {name}", change("  mu: 0.5", f"  mu: 0.5\n  {name}: {{generate: minij, rows: 6}}"),
       [f"'{name}' is a function and cannot be declared"]) for name in ("eye", "ones", "zeros", "tr", "kron", "sum", "comm")),
    ("variable named eye", GOOD.replace("  X: {rows", "  eye: {rows").replace("*X", "*eye").replace("(X)", "(eye)"),
     ["'eye' is a function and cannot be declared"]),
    ("name of both kinds", change("  mu: 0.5", "  mu: 0.5\n  X: 1"), ["'X'", "variables"]),
    ("method unknown", change("max_iterations: 20", "method: magic"), ["method", "'magic'"]),
    ("method empty", change("max_iterations: 20", "method:"), ["method", "nothing"]),
    ("method a list", change("max_iterations: 20", "method: [l-bfgs]"), ["method", "a list"]),
    ("line search unknown", change("max_iterations: 20", "line_search: guess"), ["line_search", "'guess'"]),
    ("preconditioner unknown", change("max_iterations: 20", "preconditioner: ilu"), ["preconditioner", "'ilu'"]),
    ("tolerance text", change("max_iterations: 20", "gradient_tolerance: small"), ["gradient_tolerance", "small"]),
    ("tolerance negative", change("max_iterations: 20", "gradient_tolerance: -1"), ["gradient_tolerance"]),
    ("tolerance nan", change("max_iterations: 20", "gradient_tolerance: .nan"), ["gradient_tolerance"]),
    ("tolerance above one", change("max_iterations: 20", "gradient_tolerance: 2"), ["gradient_tolerance"]),
    ("iterations negative", change("max_iterations: 20", "max_iterations: -1"), ["max_iterations"]),
    ("iterations fraction", change("max_iterations: 20", "max_iterations: 1.5"), ["max_iterations"]),
    ("iterations text", change("max_iterations: 20", "max_iterations: many"), ["max_iterations", "many"]),
    ("time limit unit", change("max_iterations: 20", "time_limit: 2 weeks"), ["time_limit"]),
    ("time limit negative", change("max_iterations: 20", "time_limit: -5"), ["time_limit"]),
    ("grid text", change("process_grid: auto", "process_grid: square"), ["process_grid", "'square'"]),
    ("grid list", change("process_grid: auto", "process_grid: [2, 2]"), ["process_grid", "a list"]),
    ("grid rows only", change("process_grid: auto", "process_grid: {rows: 2}"), ["both rows and columns"]),
    ("grid zero", change("process_grid: auto", "process_grid: {rows: 0, columns: 1}"), ["process_grid.rows"]),
    ("products misspelt", change("process_grid: auto", "products: scalapak"), ["products is auto", "'scalapack'"]),
    ("block zero", change("process_grid: auto", "process_grid: {block: 0}"), ["process_grid.block"]),
    ("block huge", change("process_grid: auto", "process_grid: {block: 10000000}"), ["process_grid.block"]),
    ("checkpoint without directory", GOOD + "checkpoint: {every: 10min}\n", ["directory"]),
    ("checkpoint every", GOOD + "checkpoint: {directory: c, every: often}\n", ["checkpoint.every", "'often'"]),
    ("checkpoint keep", GOOD + "checkpoint: {directory: c, keep: 0}\n", ["checkpoint.keep"]),
    ("checkpoint text", GOOD + "checkpoint: here\n", ["checkpoint", "mapping"]),
    ("checkpoint nowhere", GOOD + "checkpoint: {directory: ''}\n", ["checkpoint.directory", "blank"]),
    ("subject_to text", GOOD + "subject_to: X = 0\n", ["subject_to", "list"]),
    ("subject_to mapping entry", GOOD + "subject_to: [{a: 1}]\n", ["subject_to"]),
    ("subject_to without a sign", GOOD + "subject_to: [sum(X) - 1]\n", ["no =, <= or >=", "sum(X) - 1 = 0"]),
    ("subject_to empty", GOOD + "subject_to: []\n", ["subject_to is empty", "tr(X) = 1"]),
    ("output of unknown variable", change("{X: X.npy}", "{Z: Z.npy}"), ["'Z'", "no variable"]),
    ("output of data", change("{X: X.npy}", "{A: A.npy}"), ["'A'", "no variable"]),
    ("output unknown suffix", change("{X: X.npy}", "{X: X.csv}"), ["X.csv", ".npy"]),
    ("output without suffix", change("{X: X.npy}", "{X: result}"), ["result"]),
    ("output a list", change("{X: X.npy}", "[X.npy]"), ["output.variables", "a list"]),
    ("output directory empty", change("directory: out", "directory: ''"), ["output.directory"]),
]

FILES = [
    ("file missing", "none.npy", ["none.npy", "No such file"]),
    ("file a directory", "folder.npy", ["folder.npy"]),
    ("file of unknown kind", "a.txt", [".npy", ".mtx", ".h5"]),
    ("file without suffix", "a", [".npy"]),
    ("file empty", "empty.npy", ["empty.npy"]),
    ("file cut short", "short.npy", ["short.npy"]),
    ("file with bad magic", "magic.npy", ["magic.npy"]),
    ("file of text", "text.npy", ["text.npy"]),
    ("file of complex numbers", "complex.npy", ["complex"]),
    ("file three-dimensional", "cube.npy", ["cube.npy"]),
    ("file mtx without header", "bad.mtx", ["bad.mtx"]),
    ("file of another shape", "a.npy", ["A*X"]),
]

EXPRESSIONS = [
    ("undeclared name", "sumsq(A*X - B) + nu*sumsq(X)", ["nu"]),
    ("unknown function", "sumsqr(A*X - B)", ["sumsqr"]),
    ("shapes do not agree", "sumsq(X*A - B)", ["X*A"]),
    ("sum of different shapes", "sumsq(A + B)", ["A"]),
    ("matrix objective", "A*X - B", [""]),
    ("trace of a rectangle", "tr(A*X)", ["8"]),
    ("determinant of a rectangle", "det(X)", [""]),
    ("missing bracket", "sumsq(A*X - B", [""]),
    ("extra bracket", "sumsq(A*X - B))", [""]),
    ("missing operand", "sumsq(A*)", [""]),
    ("two operators", "sumsq(A*/X)", [""]),
    ("empty call", "sumsq()", ["sumsq"]),
    ("too many arguments", "sumsq(X, X)", ["sumsq"]),
    ("bad character", "sumsq(X) $ 2", ["$"]),
    ("sign of a sum", "∑(A·X − B)", ["sum(...)"]),
    ("bad number", "sumsq(X) + 1.2.3", [""]),
    ("huge number", "sumsq(X) + 1e999", [""]),
    ("no variable in it", "sumsq(B)", ["does not depend", "X"]),
    ("variable cancels", "sumsq(B) + sum(X - X)", ["does not depend", "X"]),
    ("deep brackets", "(" * 5000 + "sumsq(X)" + ")" * 5000, [""]),
    ("many signs", "-" * 20000, [""]),
    ("a comparison", "sumsq(X) <= 3", [""]),
    ("an assignment", "f = sumsq(X)", ["="]),
]

# (argument, substrings)
SETS = [
    ("solver.methd=l-bfgs", ["--set solver.methd=l-bfgs:1:8: error:", "'methd'", "did you mean 'method'"]),
    ("solver.method", ["KEY=VALUE"]),
    ("=5", ["1:1", "name is missing"]),
    (".method=5", ["name is missing"]),
    ("solver.=5", ["name is missing"]),
    ("solver..memory=5", ["name is missing"]),
    ("solver.memory=[1", [":1:", "YAML"]),
    ("solver.memory=", ["1:15", "nothing"]),
    ("solver.memory=201", ["1:15", "memory"]),
    ("solver=5", ["1:8", "mapping"]),
    ("minimize.x=5", ["minimize needs an expression", "a mapping"]),
    ("data.mu.fil=a.npy", ["1:9", "did you mean 'file'"]),
    ("data.mu.file=none.npy", ["1:14", "none.npy"]),
    ("data.A.rows.x=5", ["data.A.rows needs a whole number"]),
    ("process_grid.rows=2", ["--set process_grid.rows=2:1:", "both rows and columns"]),
    ("minimise=sumsq(X)", ["1:1", "did you mean 'minimize'"]),
    ("minimize=sumsq(A*Y - B)", ["--set minimize=", "1:18", "Y"]),
    ("minimize='sumsq(A*Y - B)'", ["1:19", "Y"]),
    ("variables.X.rows=7", ["A*X"]),
    ("variables.X.rows=seven", ["1:18", "'seven'"]),
    ("variables.Z={rows: 2, columns: 2}", ["Z", "does not depend"]),
    ("output.variables.Y=Y.npy", ["1:18", "no variable"]),
    ("data.mu=*x", ["alias"]),
    ("data.mu=1\n---\n2", [""]),
    ("max_iterations=5", ["'max_iterations'", "belongs under 'solver:'"]),
]

# Keys one slip away from a known one: (path of the section, wrong, right).
MISSPELT = [
    ("", "minimise", "minimize"), ("", "minimze", "minimize"), ("", "maximise", "maximize"), ("", "variabels", "variables"),
    ("", "varaibles", "variables"), ("", "variable", "variables"), ("", "dta", "data"), ("", "datas", "data"),
    ("", "solvers", "solver"), ("", "slover", "solver"), ("", "process_gird", "process_grid"),
    ("", "processgrid", "process_grid"), ("", "process-grid", "process_grid"), ("", "checkpoints", "checkpoint"),
    ("", "chekpoint", "checkpoint"), ("", "ouput", "output"), ("", "outputs", "output"), ("", "subjectto", "subject_to"),
    ("", "subject-to", "subject_to"), ("solver", "methd", "method"), ("solver", "methods", "method"),
    ("solver", "linesearch", "line_search"), ("solver", "line-search", "line_search"),
    ("solver", "gradient_tolerence", "gradient_tolerance"), ("solver", "gradient-tolerance", "gradient_tolerance"),
    ("solver", "max_iteration", "max_iterations"), ("solver", "maxiterations", "max_iterations"),
    ("solver", "max_iters", "max_iterations"), ("solver", "time_limits", "time_limit"), ("solver", "timelimit", "time_limit"),
    ("solver", "memry", "memory"), ("solver", "preconditoner", "preconditioner"), ("solver", "sead", "seed"),
    ("process_grid", "row", "rows"), ("process_grid", "colums", "columns"), ("process_grid", "column", "columns"),
    ("process_grid", "blocks", "block"), ("process_grid", "blok", "block"), ("checkpoint", "dir", "directory"),
    ("checkpoint", "directroy", "directory"), ("checkpoint", "evry", "every"), ("checkpoint", "keeps", "keep"),
    ("output", "directroy", "directory"), ("output", "variabels", "variables"), ("variables.X", "row", "rows"),
    ("variables.X", "column", "columns"), ("variables.X", "strat", "start"), ("variables.X", "sart", "start"),
    ("variables.X", "constrain", "constraint"), ("variables.X", "constraints", "constraint"), ("variables.X", "sacle", "scale"),
    ("data.A", "flie", "file"), ("data.A", "files", "file"), ("data.A", "datset", "dataset"), ("data.A", "generat", "generate"),
    ("data.A", "symetric", "symmetric"), ("data.A", "symmetrical", "symmetric"), ("data.A", "sdp", "spd"),
    ("data.A", "digonal", "diagonal"), ("data.A", "orthogonl", "orthogonal"), ("data.A", "condtion", "condition"),
    ("data.A", "truts", "trust"), ("data.A", "ratios", "ratio"),
]

# (arguments, substrings): usage errors, which have no place in a file.
FLAGS = [
    ([], ["command is missing"]),
    (["runn"], ["did you mean 'run'"]),
    (["derve", "X"], ["did you mean 'derive'"]),
    (["pln"], ["did you mean 'plan'"]),
    (["chek"], ["did you mean 'check'"]),
    (["--verison"], ["--verison"]),
    (["frobnicate"], ["unknown command"]),
    (["run"], ["JOB is missing"]),
    (["plan"], ["JOB is missing"]),
    (["check"], ["JOB is missing"]),
    (["plot"], ["DIR|FILE is missing"]),
    (["run", "a.yaml", "b.yaml"], ["unexpected argument 'b.yaml'"]),
    (["run", "job.yaml", "--ouput", "x"], ["did you mean '--output'"]),
    (["run", "job.yaml", "--sets", "a=b"], ["did you mean '--set'"]),
    (["run", "job.yaml", "--quite"], ["did you mean '--quiet'"]),
    (["run", "job.yaml", "--output"], ["needs a value"]),
    (["run", "job.yaml", "--output", ""], ["--output"]),
    (["run", "job.yaml", "--output", "a", "--output", "b"], ["twice"]),
    (["run", "job.yaml", "--quiet=yes"], ["takes no value"]),
    (["run", "job.yaml", "--progress", "loud"], ["rows, live or none", "'loud'"]),
    (["run", "job.yaml", "--resume"], ["--resume", "no checkpoint section", "checkpoint: {directory: ckpt}"]),
    (["run", "job.yaml", "--resume", "--set", "checkpoint={directory: none}"], ["--resume", "no checkpoint in none"]),
    (["plan", "job.yaml", "--ranks", "0"], ["--ranks", "'0'"]),
    (["plan", "job.yaml", "--ranks", "two"], ["--ranks", "'two'"]),
    (["plan", "job.yaml", "--ranks", "4x"], ["--ranks"]),
    (["plan", "job.yaml", "--ranks", "99999999999999999999"], ["--ranks"]),
    (["plan", "job.yaml", "--threads", "-1"], ["--threads"]),
    (["plan", "job.yaml", "--grid", "2"], ["--grid"]),
    (["plan", "job.yaml", "--grid", "2x"], ["--grid"]),
    (["plan", "job.yaml", "--grid", "0x2"], ["--grid"]),
    (["plan", "job.yaml", "--grid", "2x2", "--ranks", "3"], ["--grid", "3"]),
    (["plan", "job.yaml", "--ranks", "3", "--set", "process_grid={rows: 2, columns: 2}"], ["4 ranks", "there are 3"]),
    (["plan", "job.yaml", "--plan-without", "magic"], ["magic"]),
    (["plan", "job.yaml", "--plan-without", "fusin"], ["fusion"]),
    (["plan", "nowhere.yaml"], ["nowhere.yaml", "No such file"]),
    (["run", "nowhere.yaml"], ["nowhere.yaml", "No such file"]),
    (["check", "nowhere.yaml"], ["nowhere.yaml", "No such file"]),
    (["plan", "."], ["directory"]),
    (["plan", "/dev/zero"], ["regular file"]),
    (["plan", "big.yaml"], ["bytes"]),
    (["plot", "nowhere"], ["nowhere/history.jsonl", "No such file"]),
    (["info", "--rank"], ["unknown option"]),
    (["info", "extra"], ["unexpected argument"]),
]

UNAVAILABLE = [
    ("rectangular set", change("start: zeros", "constraint: doubly_stochastic"),
     ["constraint doubly_stochastic needs a square matrix, X is 6 x 3"]),
    ("square set", change("start: zeros", "constraint: symmetric"), ["constraint symmetric needs a square matrix"]),
    ("constrained method", change("start: zeros", "constraint: simplex_rows").replace("max_iterations: 20", "method: l-bfgs"),
     ["method: l-bfgs does not know these convex constraints", "barzilai-borwein"]),
    ("bounded method", change("start: zeros", "constraint: nonnegative").replace("max_iterations: 20", "method: nesterov"),
     ["method: nesterov does not know bounds", "l-bfgs"]),
    ("orthonormal wide", change("{rows: 6, columns: 3, start: zeros}", "{rows: 6, columns: 7, constraint: orthonormal_columns}")
     .replace("rows: 8, columns: 3", "rows: 8, columns: 7"), ["at least as many rows as columns", "6 x 7"]),
    ("manifold method", change("start: zeros", "constraint: unit_columns").replace("max_iterations: 20", "method: nesterov"),
     ["method: nesterov does not know manifolds"]),
    ("manifold search", change("start: zeros", "constraint: unit_columns").replace("max_iterations: 20", "line_search: exact"),
     ["line_search: exact does not know manifolds"]),
    ("constrained metric", change("start: zeros", "constraint: simplex_rows").replace(
        "max_iterations: 20", "preconditioner: diagonal"), ["preconditioner diagonal", "does not go with these constraints"]),
    ("bounded metric", change("start: zeros", "constraint: nonnegative").replace(
        "max_iterations: 20", "preconditioner: kronecker"), ["preconditioner kronecker", "does not go with constraints"]),
    ("frank-wolfe", change("max_iterations: 20", "method: frank-wolfe"),
     ["method: frank-wolfe needs a bounded convex constraint on every variable"]),
    ("frank-wolfe unbounded", change("start: zeros", "constraint: nonnegative").replace(
        "max_iterations: 20", "method: frank-wolfe"), ["frank-wolfe needs a bounded", "simplex_rows"]),
    ("frank-wolfe large", "minimize: sumsq(X)\nvariables: {X: {rows: 4097, columns: 4097, constraint: doubly_stochastic}}\n"
     "solver: {method: frank-wolfe}\n", ["4097 x 4097 matrix is solved on one rank, at most 4096 x 4096"]),
    ("semidefinite rectangle", change("start: zeros", "constraint: positive_semidefinite"),
     ["constraint positive_semidefinite needs a square matrix"]),
    ("search of a quartic", change("max_iterations: 20", "line_search: exact").replace("+ mu", "+ sum(exp(X)) + mu"),
     ["line_search"]),
    ("restarts from zeros", change("max_iterations: 20", "restarts: 3"), ["restarts", "no variable has a random start"]),
    ("alternating", change("max_iterations: 20", "method: alternating"), ["method: alternating", "X is the only one"]),
]


def npy(descr, shape, payload):
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + payload


def make_files(folder):
    (folder / "folder.npy").mkdir()
    (folder / "empty.npy").write_bytes(b"")
    (folder / "a.npy").write_bytes(npy("<f8", (4, 2), struct.pack("<8d", *range(8))))
    (folder / "short.npy").write_bytes(npy("<f8", (4, 2), struct.pack("<7d", *range(7))))
    (folder / "magic.npy").write_bytes(b"\x93NUMPX" + bytes(200))
    (folder / "text.npy").write_text("1 2 3\n")
    (folder / "complex.npy").write_bytes(npy("<c16", (4, 2), bytes(128)))
    (folder / "cube.npy").write_bytes(npy("<f8", (2, 2, 2), bytes(64)))
    (folder / "bad.mtx").write_text("1 2 3\n")
    (folder / "a.txt").write_text("1 2 3\n")
    (folder / "a").write_text("1 2 3\n")
    (folder / "big.yaml").write_bytes(b"#" * (5 << 20))


PLACE = re.compile(r"^(job\.yaml|--set .*):\d+:\d+: error: ", re.MULTILINE)
CRASH = re.compile(r"Sanitizer|runtime error|Assertion|Segmentation|Aborted|internal error|Traceback|MPI_ABORT")


def expect_refusal(checks, name, finished, substrings, place=True, limit=1.0, allowed=(2,)):
    errors = [line for line in finished.err.splitlines() if ": error: " in line]
    problems = []
    if finished.status not in allowed:
        problems.append(f"exit status {finished.status}")
    if len(errors) != 1:
        problems.append(f"{len(errors)} error lines")
    if place and not PLACE.search(finished.err):
        problems.append("no place")
    problems += [f"no {text!r}" for text in substrings if text not in finished.err]
    if finished.processor_seconds > limit:
        problems.append(f"{finished.processor_seconds:.2f} s of the processor")
    if CRASH.search(finished.err):
        problems.append("a crash")
    if finished.out:
        problems.append("output on stdout")
    checks.check(not problems, f"{name}: {', '.join(problems)}\n{finished.err[:600]}")


def refuse_job(checks, folder, name, text, substrings, command=("plan", "job.yaml"), **rest):
    job = folder / "job.yaml"
    if isinstance(text, bytes):
        job.write_bytes(text)
    else:
        job.write_text(text, encoding="utf-8")
    ranks = rest.pop("ranks", 0)
    expect_refusal(checks, name, run(command, ranks=ranks, cwd=folder), substrings, **rest)


def some_of(substrings):
    return [text for text in substrings if text]


def test_files(checks, folder):
    for name, text, substrings in STRUCTURE:
        if name == "many values":
            substrings = []
        refuse_job(checks, folder, name, text, some_of(substrings))
    for name, text, substrings in VALUES:
        refuse_job(checks, folder, name, text, substrings)
    for name, file, substrings in FILES:
        text = change("{generate: normal, rows: 8, columns: 6, seed: 1}", f"{{file: {file}}}")
        refuse_job(checks, folder, name, text, substrings)
    for name, text, substrings in EXPRESSIONS:
        refuse_job(checks, folder, name, objective(text), some_of(substrings))
    for name, text, substrings in UNAVAILABLE:
        for command in ("run", "plan"):
            refuse_job(checks, folder, f"{command}: {name}", text, substrings, command=(command, "job.yaml"), limit=3.0)


def misspell(section, wrong):
    """The good job with a wrong key in a section."""
    if section == "":
        return GOOD + f"{wrong}: 1\n"
    if section == "checkpoint":
        return GOOD + f"checkpoint: {{{wrong}: 1}}\n"
    place = {"solver": "max_iterations: 20", "process_grid": "process_grid: auto", "output": "directory: out",
             "variables.X": "start: zeros", "data.A": "seed: 1"}[section]
    if section == "process_grid":
        return change(place, f"process_grid: {{{wrong}: 1}}")
    return change(place, f"{wrong}: 1")


def test_misspelt(checks, folder):
    for section, wrong, right in MISSPELT:
        wanted = [f"unknown key '{wrong}'", f"did you mean '{right}'"]
        refuse_job(checks, folder, f"misspelt {section} {wrong}", misspell(section, wrong), wanted)


def test_flags(checks, folder):
    (folder / "job.yaml").write_text(GOOD)
    for argument, substrings in SETS:
        finished = run(["plan", "job.yaml", "--set", argument], cwd=folder)
        expect_refusal(checks, f"--set {argument}", finished, some_of(substrings), place=argument != "")
    for arguments, substrings in FLAGS:
        limit = 3.0 if arguments[:1] in (["run"], ["check"]) else 1.0
        expect_refusal(checks, " ".join(arguments) or "nothing", run(arguments, cwd=folder), substrings, place=False,
                       limit=limit)


def test_ranks(checks, folder):
    """The same errors, once, when several ranks find them."""
    cases = [("typo", change("max_iterations", "max_iteration"), ["did you mean"], True),
             ("shape", objective("sumsq(X*A - B)"), ["X*A"], True),
             ("empty", "", ["empty"], True),
             ("missing file", change("{generate: normal, rows: 8, columns: 6, seed: 1}", "{file: none.npy}"), ["none.npy"], True),
             ("grid", change("process_grid: auto", "process_grid: {rows: 5, columns: 7}"), ["35 ranks"], True)]
    for ranks in (1, 3):
        for name, text, substrings, place in cases:
            for command in ("run", "check"):
                refuse_job(checks, folder, f"{command} {name} on {ranks} ranks", text, substrings,
                           command=(command, "job.yaml"), ranks=ranks, place=place, limit=5.0)
        expect_refusal(checks, f"usage on {ranks} ranks", run(["run", "--bad"], ranks=ranks, cwd=folder), ["--bad"],
                       place=False, limit=5.0)
        expect_refusal(checks, f"no command on {ranks} ranks", run(["bad"], ranks=ranks, cwd=folder), ["bad"],
                       place=False, limit=5.0)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_files(folder)
        # The job that all others are made from is good: what is refused is the change.
        (folder / "job.yaml").write_text(GOOD)
        good = run(["plan", "job.yaml"], cwd=folder)
        checks.check(good.status == 0, f"the good job: exit status {good.status}\n{good.err}")
        test_files(checks, folder)
        test_misspelt(checks, folder)
        test_flags(checks, folder)
        test_ranks(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
