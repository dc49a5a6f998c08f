"""Programs that are not ours, over the installed library: examples/ built by pkg-config and run on one and two ranks."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of

checks = Checks()
BUILD = pathlib.Path(PROGRAM).resolve().parent


def call(command, **more):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, timeout=300,
                          env=environment_of(**more))


def good(title, command, **more):
    done = call(command, **more)
    checks.equal(f"{title}: {(done.stdout + done.stderr)[-2000:]}", done.returncode, 0)
    return done.stdout


def build(compiler, sources, program, prefix, extra=(), modules=("tracegrad",)):
    found = good("pkg-config", ["pkg-config", "--cflags", "--libs", *modules],
                 PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig")).split()
    good(program.name, [*compiler, *sources, "-o", program, *found, *extra, f"-Wl,-rpath,{prefix}/lib", "-lm"])


def start(program, ranks, *arguments):
    return good(f"{program.name} on {ranks}", [ROOT / "scripts/mpirun-local", ranks, program, *arguments], OMP_NUM_THREADS="1")


C = ["mpicc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def test_arrays(prefix, folder):
    program = folder / "minimise_arrays"
    build(C, [ROOT / "examples/minimise_arrays.c"], program, prefix)
    # The same by normal equations.
    x = np.sin(0.3 + 1.7 * np.arange(12000) + 0.001 * np.arange(12000) ** 2).reshape(400, 30)
    y = np.sin(0.9 + 1.7 * np.arange(1200) + 0.001 * np.arange(1200) ** 2).reshape(400, 3)
    for ranks in (1, 2):
        out = start(program, ranks)
        found = [(float(a), float(b)) for a, b in re.findall(r"lambda (\S+): converged .* objective (\S+),", out)]
        checks.equal(f"weights: {out}", [a for a, _ in found], [0.1, 1, 10, 100])
        for weight, objective in found:
            w = np.linalg.solve(x.T @ x + weight * np.eye(30), x.T @ y)
            checks.close(f"weight {weight}", objective, ((y - x @ w) ** 2).sum() + weight * (w**2).sum(), 1e-9)


def test_scalapack(prefix, folder):
    program = folder / "scalapack"
    build(C, [ROOT / "examples/scalapack.c"], program, prefix, ["-lscalapack-openmpi"])
    i, j = np.mgrid[0:60, 0:60]
    a = 0.05 * np.sin(0.1 + i + 3 * j + i * j / 9) + 4 * np.eye(60)
    b = 0.05 * np.sin(0.7 + i + 3 * j + i * j / 9) + 4 * np.eye(60)
    c = a @ b
    d = (np.sin(0.4 + i + 3 * j + i * j / 9) + 4 * np.eye(60))[:, :8]
    best = np.linalg.solve(c.T @ c + 0.01 * np.eye(60), c.T @ d)
    for ranks in (1, 2, 4):
        output = folder / f"out{ranks}"
        out = start(program, ranks, 60, 7, output)
        status, mine, theirs = re.match(r"(\w+) after \d+ iterations, C borrowed\nobjective (\S+)\nby pdgemm (\S+)", out).groups()
        checks.equal("status", status, "converged")
        checks.close("the residual by pdgemm", float(theirs), float(mine), 1e-12)
        error = np.abs(np.load(output / "X.npy") - best).max()
        checks.check(error < 1e-6, f"X on {ranks} ranks is off by {error}")
        report = json.loads((output / "report.json").read_text())
        checks.equal("arrays in the report", report["arrays"], {"C": "borrowed", "D": "borrowed"})
        checks.equal("grid in the report", report["grid"]["block"], 7)


def test_foreign(prefix, folder):
    """A ScaLAPACK program with a grid of its own: the bits that the command line has from files on that grid."""
    program = folder / "pdgemm_demo"
    build(C, [ROOT / "tests/system/pdgemm_demo.c"], program, prefix, ["-lscalapack-openmpi"])
    n, block = 48, 5
    i, j = np.mgrid[1 : n + 1, 1 : n + 1]
    a = ((3 * i + 7 * j + i * j) % 11 - 5) / 8 + 4 * np.eye(n)
    b = ((5 * i + 2 * j + i * j) % 13 - 6) / 8 + 4 * np.eye(n)
    np.save(folder / "C.npy", a @ b)
    np.save(folder / "B.npy", b)
    (folder / "same.yaml").write_text("minimize: sumsq(C*X - B) + sumsq(X)\nvariables: {X: {}}\n"
                                      "data: {C: {file: C.npy}, B: {file: B.npy}}\nsolver: {method: l-bfgs}\n")
    report = json.loads(good("info", [PROGRAM, "info", "--format", "json"]))["blas_kernel"]
    kernel = {"OPENBLAS_CORETYPE": report["core"]} if report["chosen_by"] == "tracegrad" else {}
    for rows, columns in ((1, 1), (1, 2), (2, 2), (4, 1)):
        ranks, mine, theirs = rows * columns, folder / f"mine{rows}x{columns}", folder / f"theirs{rows}x{columns}"
        out = good(f"demo on {rows} x {columns}", [ROOT / "scripts/mpirun-local", ranks, program, rows, columns, n, block, mine],
                   OMP_NUM_THREADS="1", **kernel)
        status, way, objective = out.split()
        checks.equal(f"the demo on {rows} x {columns}", (status, way), ("converged", "borrowed"))
        good("the command line", [ROOT / "scripts/mpirun-local", ranks, PROGRAM, "run", folder / "same.yaml", "--quiet", "--set",
                                  f"process_grid={{rows: {rows}, columns: {columns}, block: {block}}}", "--set",
                                  f"output.directory={theirs}"], OMP_NUM_THREADS="1")
        checks.equal(f"objective on {rows} x {columns}", float(objective), json.loads((theirs / "report.json").read_text())["objective"])
        checks.check(np.array_equal(np.load(mine / "X.npy"), np.load(theirs / "X.npy")), f"bits of X on {rows} x {columns}")


def test_memory():
    """Problems made, misused and destroyed under valgrind: what is lost belongs to MPI, and nothing wrong is read."""
    tests = BUILD / "tests/mpi_tests"
    if shutil.which("valgrind") is None or not tests.exists():
        print("no valgrind: problems are not watched")
        return
    # Kernels that valgrind knows, and one rank without a network.
    watched = call(["valgrind", "--leak-check=full", tests, "api_random"], TRACEGRAD_SEEDS="1", OPENBLAS_CORETYPE="Haswell",
                   OMP_NUM_THREADS="1", OMPI_MCA_btl="self", OMPI_MCA_pml="ob1")
    checks.equal(f"under valgrind: {watched.stdout[-500:]}", watched.returncode, 0)
    records = re.split(r"==\d+== \n", watched.stderr)
    ours = [record for record in records if re.search(r"by 0x\w+: (tg_|tracegrad_|opt_)", record)
            and re.search("lost in loss record|Invalid|uninitialised", record)]
    checks.equal(f"records of ours, of {len(records)}", ours, [])
    checks.check("in use at exit" in watched.stderr, "valgrind has watched to the end")


def test_own_solver(prefix, folder):
    program = folder / "own_solver"
    build(C, [ROOT / "examples/own_solver.c"], program, prefix)
    for ranks in (1, 2):
        checks.check("own solver" in start(program, ranks), "both objectives")


def test_petsc(prefix, folder):
    if call(["pkg-config", "--exists", "petsc"]).returncode != 0:
        print("PETSc is not installed (Debian: libpetsc-real-dev): TAO over the library is skipped")
        return
    program = folder / "petsc_tao"
    build(C, [ROOT / "examples/petsc_tao.c"], program, prefix, modules=("tracegrad", "petsc"))
    # By gradients alone and by Hessian actions; of 7 ranks some have no part of the 20 x 4 variable.
    for ranks, options in ((1, ["-tao_type", "lmvm"]), (2, ["-tao_type", "ntr", "-tao_ntr_pc_type", "none"]), (7, ["-tao_type", "bncg"])):
        out = start(program, ranks, *options)
        found = re.findall(r"objective (\S+)", out)
        checks.equal(f"objectives: {out}", len(found), 2)
        checks.close("by TAO and by tracegrad", float(found[0]), float(found[1]), 1e-10)


def test_fortran(prefix, folder):
    if shutil.which("mpif90") is None:
        return
    program = folder / "minimise_f90"
    module = prefix / "include/tracegrad.f90"
    build(["mpif90", "-std=f2008", "-Wall", "-J", folder], [module, ROOT / "examples/minimise.f90"], program, prefix)
    for ranks in (1, 2):
        checks.check("ended with 0" in start(program, ranks), "a Fortran program converges")


def main():
    if "TRACEGRAD_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text():
        print("a build with sanitizers is not for others to link: skipped")
        return
    with tempfile.TemporaryDirectory(prefix="tracegrad-library-") as name:
        folder = pathlib.Path(name)
        prefix = folder / "prefix"
        good("install", ["cmake", "--install", BUILD, "--prefix", prefix])
        test_arrays(prefix, folder)
        test_scalapack(prefix, folder)
        test_foreign(prefix, folder)
        test_own_solver(prefix, folder)
        test_petsc(prefix, folder)
        test_fortran(prefix, folder)
    test_memory()
    sys.exit(checks.finish())


main()
