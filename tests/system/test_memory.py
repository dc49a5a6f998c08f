"""The forecast of memory against the peak that the run itself reports, for jobs whose matrices outweigh the libraries.

The kinds that mpi/test_forecast.c follows phase by phase are run here with TRACEGRAD_MEMORY=all only, or by their name:
test_memory.py NAME.
"""

import os
import pathlib
import shutil
import sys
import tempfile

import numpy

from tracegrad_run import Checks, run, run_job

QUADRATIC = """minimize: tr(A*X*B*X') - 2*tr(C'*X)
variables: {{X: {{rows: {n}, columns: {n}}}}}
data:
  A: {{generate: spd, rows: {n}, condition: 1e3, seed: 1, spd: true, trust: {trust}}}
  B: {{generate: spd, rows: {n}, condition: 1e3, seed: 2, spd: true, trust: {trust}}}
  C: {{generate: normal, rows: {n}, seed: 3}}
solver: {{method: {method}, preconditioner: {preconditioner}, max_iterations: 3, gradient_tolerance: 1e-14}}
output: {{directory: out, variables: {{X: X.npy}}}}
"""

SYLVESTER = """minimize: tr(X'*A*X) + tr(X*B*X') - 2*tr(C'*X)
variables: {X: {rows: 900, columns: 900}}
data:
  A: {generate: spd, rows: 900, condition: 1e2, seed: 1, spd: true}
  B: {generate: spd, rows: 900, condition: 1e2, seed: 2, spd: true}
  C: {generate: normal, rows: 900, seed: 3}
solver: {method: direct}
output: {directory: out}
"""

MASKED = """minimize: sumsq(W.*(A*X*B - C)) + 0.01*sumsq(X)
variables: {X: {rows: 740, columns: 740}}
data:
  A: {generate: normal, rows: 740, columns: 740, seed: 1, scale: 0.03}
  B: {generate: normal, rows: 740, columns: 740, seed: 2, scale: 0.03}
  C: {generate: normal, rows: 740, seed: 3}
  W: {generate: uniform, rows: 740, seed: 4}
solver: {method: conjugate-gradient, preconditioner: kronecker, max_iterations: 3}
output: {directory: out}
"""

REGRESSION = """minimize: sumsq(X*W - Y) + mu*sumsq(W)
variables: {W: {rows: 96, columns: 16}}
data:
  X: {file: X.npy}
  Y: {file: Y.npy}
  mu: 0.5
solver: {method: conjugate-gradient, preconditioner: none, max_iterations: 5}
output: {directory: out, variables: {W: W.npy}}
"""

SMOOTH = """minimize: sum(softplus(X - A)) + sumsq(X)
variables: {X: {rows: 1400, columns: 1400, start: normal}}
data: {A: {generate: normal, rows: 1400, columns: 1400}}
solver: {method: l-bfgs, max_iterations: 12}
output: {directory: out, variables: {X: X.npy}}
"""

# An iteration costs enough for more than 10 pairs, which outweigh the rest.
LOSS = """minimize: sum(softplus(K*X)) - dot(T, K*X) + sumsq(X)
variables: {X: {rows: 200, columns: 200, start: zeros}}
data:
  K: {generate: normal, rows: 20000, columns: 200, seed: 1, scale: 0.05}
  T: {generate: uniform, rows: 20000, columns: 200, seed: 2}
solver: {method: l-bfgs, preconditioner: none, max_iterations: 5}
output: {directory: out}
"""

FACTORS = """minimize: sumsq(A - U*V')
variables:
  U: {rows: 3000, columns: 200, start: normal, seed: 1}
  V: {rows: 2500, columns: 200, start: normal, seed: 2}
data: {A: {generate: normal, rows: 3000, columns: 2500, seed: 3}}
solver: {max_iterations: 2}
output: {directory: out}
"""

ENTROPY = """minimize: tr(S*X) - logdet(X) + sumsq(X)
variables: {X: {rows: 760, columns: 760, start: identity}}
data: {S: {generate: spd, rows: 760, condition: 1e1, spd: true, trust: true}}
solver: {method: newton-cg, max_iterations: 1}
output: {directory: out}
"""

SEMIDEFINITE = """minimize: sumsq(X - A)
variables: {X: {rows: 800, columns: 800, constraint: positive_semidefinite}}
data: {A: {generate: normal, rows: 800, columns: 800}}
solver: {max_iterations: 20}
output: {directory: out}
"""

ORTHONORMAL = """minimize: tr(X'*A*X)
variables: {X: {rows: 2000, columns: 300, start: normal, constraint: orthonormal_columns}}
data: {A: {generate: normal, rows: 2000, columns: 2000, symmetric: true, trust: true}}
solver: {method: conjugate-gradient, max_iterations: 2}
output: {directory: out}
"""


# A square variable in a set.
IN_SET = """minimize: sumsq(A*X - B)
variables: {{X: {{rows: {n}, columns: {n}, constraint: {constraint}}}}}
data:
  A: {{generate: normal, rows: 600, columns: {n}, seed: 1, scale: 0.05}}
  B: {{generate: normal, rows: 600, columns: {n}, seed: 2}}
solver: {{method: {method}, max_iterations: 2}}
output: {{directory: out}}
"""

SPLIT = """minimize: sumsq(A*X - B) + 0.1*norm1(X)
variables: {X: {rows: 1500, columns: 1500}}
data:
  A: {generate: normal, rows: 800, columns: 1500, seed: 1, scale: 0.05}
  B: {generate: normal, rows: 800, columns: 1500, seed: 2}
solver: {max_iterations: 2}
output: {directory: out}
"""

EQUALITIES = """minimize: sumsq(X - A)
subject_to: ["X*r = s"]
variables: {X: {rows: 1800, columns: 1800}}
data:
  A: {generate: normal, rows: 1800, columns: 1800, seed: 1}
  r: {generate: normal, rows: 1800, columns: 1, seed: 2}
  s: {generate: normal, rows: 1800, columns: 1, seed: 3}
solver: {max_iterations: 5}
output: {directory: out}
"""

RIDGE = """minimize: sumsq(X*W - Y) + mu*sumsq(W)
variables: {W: {rows: 900, columns: 900}}
data:
  X: {generate: normal, rows: 2000, columns: 900, seed: 1}
  Y: {generate: normal, rows: 2000, columns: 900, seed: 2}
  mu: 0.5
solver: {method: direct}
output: {directory: out}
"""

MATRIX_FUNCTION = """minimize: tr(sqrtm(X*X' + S)) + sumsq(X)
variables: {X: {rows: 600, columns: 600, start: normal}}
data: {S: {generate: spd, rows: 600, condition: 1e1, spd: true, trust: true}}
solver: {method: l-bfgs, max_iterations: 1}
output: {directory: out}
"""


def in_set(n, constraint, method="auto"):
    return IN_SET.format(n=n, constraint=constraint, method=method)


def quadratic(n, method, preconditioner="none", trust="true"):
    return QUADRATIC.format(n=n, method=method, preconditioner=preconditioner, trust=trust)


# name, job, ranks
JOBS = [
    ("conjugate gradients on ranks", quadratic(1800, "conjugate-gradient"), 2),
    ("verified claims", quadratic(960, "gradient-descent", trust="false"), 1),
    ("Cholesky on ranks", quadratic(1500, "direct"), 2),
    ("spectral", SYLVESTER, 1),
    ("masked", MASKED, 1),
    ("masked, auto", MASKED.replace("method: conjugate-gradient, preconditioner: kronecker", "method: auto"), 1),
    ("files on ranks", REGRESSION, 2),
    ("l-bfgs", SMOOTH, 1),
    ("l-bfgs, many pairs", LOSS, 1),
    ("alternating", FACTORS, 1),
    ("logdet", ENTROPY, 1),
    ("orthonormal", ORTHONORMAL, 1),
]
MORE_JOBS = [
    ("conjugate gradients", quadratic(1500, "conjugate-gradient"), 1),
    ("Cholesky", quadratic(1300, "direct"), 1),
    ("kronecker", quadratic(1200, "conjugate-gradient", "kronecker"), 1),
    ("semidefinite", SEMIDEFINITE, 1),
    ("nonnegative", in_set(1500, "nonnegative"), 1),
    ("nonnegative, Newton", in_set(1500, "nonnegative", "newton-cg"), 1),
    ("nonnegative, spectral steps, on ranks", in_set(1800, "nonnegative", "barzilai-borwein"), 3),
    ("box", in_set(1500, "{box: [0, 1]}", "l-bfgs"), 1),
    ("ball", in_set(1500, "{frobenius_ball: 5}"), 1),
    ("symmetric", in_set(1500, "symmetric"), 1),
    ("simplex of rows", in_set(1500, "simplex_rows"), 1),
    ("simplex of columns", in_set(1500, "simplex_columns", "frank-wolfe"), 1),
    ("doubly stochastic", in_set(1200, "doubly_stochastic"), 1),
    ("positive definite", ENTROPY.replace("start: identity", "constraint: positive_definite"), 1),
    ("unit columns", in_set(1500, "unit_columns", "l-bfgs"), 1),
    ("orthonormal, l-bfgs", in_set(900, "orthonormal_columns", "l-bfgs"), 1),
    ("norm1", SPLIT, 1),
    ("equalities", EQUALITIES, 1),
    ("ridge", RIDGE, 1),
    ("a function of matrices", MATRIX_FUNCTION, 1),
    ("Newton's method on ranks", SMOOTH.replace("l-bfgs, max_iterations: 12", "newton-cg, max_iterations: 2"), 2),
    ("gradient descent", quadratic(1400, "gradient-descent"), 1),
]


def write_data(folder):
    generator = numpy.random.default_rng(1)
    numpy.save(folder / "X.npy", generator.standard_normal((150000, 96)))
    numpy.save(folder / "Y.npy", generator.standard_normal((150000, 16)))


def check_job(checks, folder, name, text, ranks):
    job = folder / "job.yaml"
    job.write_text(text)
    shutil.rmtree(folder / "out", ignore_errors=True)
    done = run_job(job, folder / "out", ranks=ranks)
    if not checks.check(done.report is not None, f"{name}: {done.err}"):
        return
    peak = done.report["peak_memory_bytes_per_rank"]
    plan = done.report["plan"]
    forecast = plan["predicted_memory_bytes_per_rank"]
    parts = {key: round(value / 2**20, 1) for key, value in plan["memory"].items()}
    print(f"{name}: peak {peak / 2**20:.1f} MiB, forecast {forecast / peak - 1:+.1%}, {done.seconds:.0f} s", flush=True)
    checks.check(peak > 60 * 2**20, f"{name}: a peak of {peak} bytes is that of the libraries")
    # Of the work space of pdsyevd for a semidefinite set a part is never touched.
    allowed = 0.15 if "semidefinite" in name else 0.1
    checks.check(abs(forecast / peak - 1) < allowed, f"{name}: forecast {forecast / 2**20:.1f} MiB {parts}, "
                                                 f"peak {peak / 2**20:.1f} MiB")
    # `plan` says the same without running it.
    planned = run(["plan", job, "--ranks", ranks, "--threads", done.report["threads"]])
    line = next((line for line in planned.out.splitlines() if line.startswith("  peak")), "")
    checks.check(line.split()[1:2] == [f"{forecast / 2**20:.2f}"], f"{name}: plan says {line!r}, {planned.err}")


PAIRS = """minimize: OBJECTIVE
variables: {{X: {{rows: {rows}, columns: {cols}, start: zeros}}}}
data:
  K: {{generate: normal, rows: {samples}, columns: {rows}, seed: 1}}
  T: {{generate: uniform, rows: {samples}, columns: {cols}, seed: 2}}
solver: {{method: l-bfgs, max_iterations: 3}}
output: {{directory: out}}
""".replace("OBJECTIVE", "sum(softplus(K*X)) - dot(T, K*X)")


def check_pairs(checks, folder):
    """`memory: 0` against the rule of docs/methods.md, from the flops of an iteration in the report; on all ranks alike."""
    found = {}
    for name, samples, rows, cols in (("tiny", 20, 12, 5), ("tall", 9000, 60, 25), ("in between", 900, 60, 30),
                                      ("large", 1000, 700, 700)):
        job = folder / "pairs.yaml"
        job.write_text(PAIRS.format(samples=samples, rows=rows, cols=cols))
        for ranks in (1, 2):
            report = run_job(job, folder / "out", ranks=ranks).report
            if not checks.check(report is not None, f"pairs, {name} on {ranks} ranks: no report"):
                return
            size = rows * cols
            least = 50 if 16 * 50 * size <= 2**20 else 10
            expected = min(100, 2**26 / 16 / size, max(least, report["plan"]["iteration_flops"] / 4 / (80 * size)))
            checks.equal(f"pairs, {name} on {ranks} ranks", report["pairs"], max(10, int(expected)))
            found[name] = report["pairs"]
        report = run_job(job, folder / "out", ranks=1, settings={"solver.memory": 7}).report
        checks.equal(f"pairs, {name}: those asked for", report["pairs"], 7)
    checks.check(found["tiny"] == 50 and found["tall"] == 100 and found["large"] == 10 and 10 < found["in between"] < 50,
                 f"pairs: the jobs do not show the rule: {found}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder)
        if len(sys.argv) < 2:
            check_pairs(checks, folder)
        wants_all = len(sys.argv) > 1 or os.environ.get("TRACEGRAD_MEMORY") == "all"
        for row in JOBS + (MORE_JOBS if wants_all else []):
            if len(sys.argv) < 2 or sys.argv[1] in row[0]:
                check_job(checks, folder, *row)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
