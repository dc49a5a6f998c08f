"""The library as others link it: installed under a temporary prefix, found by pkg-config and by CMake, used from C and C++, with
the symbols of tests/data/symbols.txt and no others."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of, run

checks = Checks()
BUILD = pathlib.Path(PROGRAM).resolve().parent
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"]
CLAIMED = ["2*W*lambda - 2*X'*(Y - X*W)", "-2*X'*(Y - X*W) + 2*lambda*W"]


def call(command, **more):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, timeout=300, **more)


def good(title, command, **more):
    done = call(command, **more)
    checks.equal(f"{title}: {(done.stdout + done.stderr)[-2000:]}", done.returncode, 0)
    return done


def cache():
    return dict(re.findall(r"^(\w+):\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M))


# ---- what is exported ----


def listed():
    rows = [line.split() for line in (ROOT / "tests/data/symbols.txt").read_text().splitlines() if line and line[0] != "#"]
    calculus = {name for library, name, _ in rows if library == "calculus"}
    return {"tracegrad-calculus": calculus, "tracegrad": {name for _, name, _ in rows}}


def test_symbols(prefix):
    for name, expected in listed().items():
        library = prefix / f"lib/lib{name}.so"
        out = good(f"nm {name}", ["nm", "-D", "--defined-only", library]).stdout
        exported = {line.split()[2] for line in out.splitlines()}
        checks.equal(f"{name} exports what tests/data/symbols.txt lists (scripts/symbols)", exported, expected)
        dynamic = good(f"readelf {name}", ["readelf", "-d", library]).stdout
        checks.check(f"lib{name}.so.0.1]" in dynamic, f"soname of {name}: {dynamic}")
        needed = re.findall(r"NEEDED.*\[(.*?)\]", dynamic)
        if name == "tracegrad-calculus":
            checks.check(not [n for n in needed if re.search("mpi|blas|lapack|gomp|hdf5|yaml", n)], f"{name} needs {needed}")


# ---- the examples ----


def expect_derive(title, program):
    done = good(title, [program, "tr(A*X*X')", "X,A'", "symmetric=A", "dims=A=3x3", "hessian=true"])
    for part in ("X is 3 x m", "gradient 2*A*X", "by A':", "gradient X*X'", "Hessian action"):
        checks.check(part in done.stdout, f"{title}: '{part}' is not in {done.stdout}")
    # The program says the same.
    answer = run(["derive", "sum(log(1 + exp(A*X)))", "--wrt", "X", "--format", "expr"]).out.strip()
    done = good(title, [program, "sum(log(1 + exp(A*X)))", "X"])
    checks.check(f"gradient {answer}\n" in done.stdout, f"{title}: {done.stdout}, the program {answer}")
    wrong = call([program, "tr(X) + sin(", "X", "dims=X=0"])
    checks.equal(f"{title}: exit status of two mistakes", wrong.returncode, 2)
    for part in ("dims:1:3: error: ", "expression:1:13: error: ", "usage: 1 bytes from 2 of the dims"):
        checks.check(part in wrong.stderr, f"{title}: '{part}' is not in {wrong.stderr}")


def expect_cpp(title, program):
    out = good(title, [program]).stdout
    checks.check(any(text in out for text in CLAIMED) or "X'" in out, f"{title}: {out}")
    checks.check("Derivation by W" in out and "true false" in out, f"{title}: {out}")
    checks.check("expression:1:7: error: " in out, f"{title}: {out}")


def flags(prefix, *options):
    found = good("pkg-config", ["pkg-config", *options, "tracegrad-calculus"],
                 env=environment_of(PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig")))
    return found.stdout.split()


def test_pkg_config(prefix, folder):
    compile_c = ["cc", "-std=c17", *STRICT, ROOT / "examples/derive.c", "-o"]
    shared = folder / "derive_shared"
    good("derive.c by pkg-config", [*compile_c, shared, *flags(prefix, "--cflags", "--libs"), f"-Wl,-rpath,{prefix}/lib"])
    expect_derive("derive.c, shared", shared)
    static = folder / "derive_static"
    words = [word if word != "-ltracegrad-calculus" else "-l:libtracegrad-calculus.a"
             for word in flags(prefix, "--static", "--cflags", "--libs")]
    good("derive.c by pkg-config --static", [*compile_c, static, *words])
    expect_derive("derive.c, static", static)
    cpp = folder / "derive_cpp"
    good("derive.cpp by pkg-config", ["c++", "-std=c++17", *STRICT, ROOT / "examples/derive.cpp", "-o", cpp,
                                      *flags(prefix, "--cflags", "--libs"), f"-Wl,-rpath,{prefix}/lib"])
    expect_cpp("derive.cpp", cpp)
    if shutil.which("valgrind") is not None:
        good("valgrind", ["valgrind", "-q", "--leak-check=full", "--error-exitcode=9", static, "tr(A*X*X')", "X", "hessian=true"])
        leaks = call(["valgrind", "-q", "--leak-check=full", "--error-exitcode=9", static, "tr(A*X*", "X"])
        checks.equal(f"valgrind of a failure: {leaks.stderr}", leaks.returncode, 2)


def test_cmake(prefix, folder):
    good("examples: cmake", ["cmake", "-S", ROOT / "examples", "-B", folder / "examples", f"-DCMAKE_PREFIX_PATH={prefix}",
                             "-DCMAKE_BUILD_TYPE=Debug"])
    good("examples: build", ["cmake", "--build", folder / "examples", "-j2"])
    expect_derive("derive.c by CMake", folder / "examples/derive")
    expect_cpp("derive.cpp by CMake", folder / "examples/derive_cpp")


# As part of another project there are no tests, no programs, nothing installed; only what is asked for is built.
def test_subproject(folder):
    project = folder / "outer"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(outer C)\n"
        "set(TRACEGRAD_CALCULUS_ONLY ON)\nset(BUILD_SHARED_LIBS OFF)\n"
        f"add_subdirectory({ROOT} tracegrad)\n"
        f"add_executable(derive {ROOT}/examples/derive.c)\ntarget_link_libraries(derive PRIVATE tracegrad::calculus)\n")
    good("subproject: cmake", ["cmake", "-S", project, "-B", project / "build"])
    targets = good("subproject: targets", ["cmake", "--build", project / "build", "--target", "help"]).stdout
    checks.check("tracegrad_calculus_static" in targets and "tracegrad_calculus_shared" not in targets, targets)
    checks.check(not re.search(r"\b(bench|test_\w+|mpi_tests|tracegrad-mpi|tracegrad_engine)\b", targets), targets)
    installed = good("subproject: install", ["cmake", "-DCMAKE_INSTALL_PREFIX=" + str(project / "nothing"), "-P",
                                             project / "build/tracegrad/cmake_install.cmake"]).stdout
    checks.check(not (project / "nothing").exists(), f"a subproject installs nothing: {installed}")


# What is missing is said with the names of its packages.
def test_missing(folder):
    done = call(["cmake", "-S", ROOT, "-B", folder / "missing", "-DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON"])
    checks.check(done.returncode != 0, "a configuration without MPI")
    for part in ("tracegrad needs MPI for C", "libopenmpi-dev", "openmpi-devel", "Spack: openmpi", "TRACEGRAD_CALCULUS_ONLY"):
        checks.check(part in done.stderr, f"'{part}' is not in {done.stderr}")


def main():
    if cache().get("TRACEGRAD_SANITIZE") == "ON":
        print("a build with sanitizers is not for others to link: skipped")
        return
    with tempfile.TemporaryDirectory(prefix="tracegrad-install-") as name:
        folder = pathlib.Path(name)
        good("install", ["cmake", "--install", BUILD, "--prefix", folder / "first"])
        (folder / "first").rename(folder / "prefix")  # it can be moved
        prefix = folder / "prefix"
        test_symbols(prefix)
        test_pkg_config(prefix, folder)
        test_cmake(prefix, folder)
        test_subproject(folder)
        test_missing(folder)
    sys.exit(checks.finish())


main()
