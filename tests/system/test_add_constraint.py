"""CONTRIBUTING's "add a constraint": one row, its distributed operations and their plain twin, and nothing else, pass the
suites that run over the table of constraints, on plain arrays and on ranks. A row without operations is not linked, one with a
fact too few does not compile, operations that are wrong fail.

Only what reads the table is compiled; the rest comes from the libraries of the build."""

import os
import pathlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from added_rows import FLAGS, ROOT, Rows, run
from tracegrad_run import Checks

BUILD = pathlib.Path(os.environ["TRACEGRAD"]).resolve().parent
DATA = ROOT / "tests/data"
ROW = DATA / "added_constraint.def"
MPICC = shutil.which("mpicc") or "mpicc"
LIBRARIES = [str(BUILD / "tests/libtests_support.a"), *(str(BUILD / f"libtracegrad_{name}.a") for name in ("mpi", "opt", "grad", "base")),
             "-lscalapack-openmpi", "-lopenblas", "-ljansson", "-lcmocka", "-lm"]

checks = Checks()


def reads_table(source):
    """Whether the table of constraints is among the headers of a source."""
    return "opt/constraints.def" in run(MPICC, *FLAGS, "-MM", source).stdout


def sources():
    with ThreadPoolExecutor(2) as pool:
        for folder in ("src/opt", "src/mpi/constraint", "src/mpi/problem", "tests/support"):
            files = sorted((ROOT / folder).glob("**/*.c"))
            yield from (file for file, reads in zip(files, pool.map(reads_table, files)) if reads)


def link(program, objects):
    return run(MPICC, "-fopenmp", *objects, *LIBRARIES, "-o", program)


def link_and_run(program, objects, *launcher):
    done = link(program, objects)
    checks.equal(f"{program.name} is linked: {done.stderr[-1500:]}", done.returncode, 0)
    if done.returncode != 0:
        return None
    return run(*launcher, program)


def test_suites(rows, folder, common):
    """Laws and solvers on plain arrays; both implementations on three ranks."""
    (folder / "mpi_tests.def").write_text("MPI_TEST(constraints, program_constraints)\n")
    twins = rows.compile_all(MPICC, [DATA / "added_constraint_mpi.c", DATA / "added_constraint_serial.c"])
    serial = rows.compile_all(MPICC, [ROOT / "tests/conformance/test_constraints.c"])
    ranks = rows.compile_all(MPICC, [ROOT / "tests/mpi/test_constraints.c", ROOT / "tests/mpi/main.c"])
    done = link_and_run(folder / "laws", serial + twins + common)
    checks.check(done is not None and done.returncode == 0, f"laws: {done and (done.stdout + done.stderr)[-2000:]}")
    launcher = (ROOT / "scripts/mpirun-local", "3")
    done = link_and_run(folder / "ranks", ranks + twins + common, *launcher)
    checks.check(done is not None and done.returncode == 0, f"ranks: {done and (done.stdout + done.stderr)[-2000:]}")
    return ranks, twins


def test_failures(rows, folder, common, ranks, twins):
    missing = link(folder / "missing", ranks + twins[1:] + common)
    checks.check("tg_set_centred" in missing.stderr, f"a row without operations is linked: {missing.stderr[-300:]}")
    short = folder / "short.def"
    short.write_text(ROW.read_text().replace("NONE,", ""))
    _, done = rows.compile_one(MPICC, ROOT / "src/opt/constraint.c", row=short)
    checks.check(done.returncode != 0, "a row with a fact too few compiles")

    for index, (right, wrong) in enumerate((("-= set->numbers", "+= set->numbers"), ("k == e % m ? 1", "k == e % m ? 2"))):
        source = folder / f"wrong_{index}.c"
        text = (DATA / ("added_constraint_mpi.c", "added_constraint_serial.c")[index]).read_text()
        checks.equal(f"places of {right}", text.count(right), 1)
        source.write_text(text.replace(right, wrong))
        objects = list(twins)
        objects[index] = rows.compile_all(MPICC, [source])[0]
        done = link_and_run(folder / f"wrong{index}", ranks + objects + common)
        checks.check(done is not None and done.returncode != 0, f"{right} may be {wrong}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = Rows(checks, folder, "OPT_CONSTRAINTS_MORE", ROW, "-O1", "-fopenmp", f"-I{ROOT}/tests/mpi", f"-I{folder}")
        common = rows.compile_all(MPICC, list(sources()))
        ranks, twins = test_suites(rows, folder, common)
        test_failures(rows, folder, common, ranks, twins)
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
