"""CONTRIBUTING's "add an entrywise function": one row, and nothing else, is compiled into the calculus, both executors and the
suites that run over the table, and they pass. A row with a fact too few does not compile."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from added_rows import FLAGS, ROOT, Rows
from tracegrad_run import Checks

ROW = ROOT / "tests/data/added_function.def"
SUITES = ("test_entrywise", "test_lower_serial", "test_plan_serial")
SUPPORT = ("calculus_check", "calculus_world", "entry_text", "jacobi", "plan_emit", "sample_opcodes", "sample_plans", "serial_exec", "text_eval")

checks = Checks()


def sources():
    yield from sorted((ROOT / "src/base").glob("*.c"))
    yield from sorted((ROOT / "src/grad").glob("**/*.c"))
    yield from (ROOT / f"tests/support/{name}.c" for name in SUPPORT)


def run_suite(command, name):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    checks.equal(f"{name}: exit status {(done.stdout + done.stderr)[-2000:]}", done.returncode, 0)


def test_calculus(rows, folder, compiler):
    objects = rows.compile_all(compiler, list(sources()))
    for suite in SUITES:
        main = rows.compile_all(compiler, [ROOT / f"tests/conformance/{suite}.c"])
        program = folder / suite
        linked = subprocess.run([compiler, *main, *objects, "-o", str(program), "-lcmocka", "-ljansson", "-lm"],
                                capture_output=True, text=True, check=False)
        checks.equal(f"{suite} is linked: {linked.stderr[:500]}", linked.returncode, 0)
        if linked.returncode == 0:
            run_suite([str(program)], suite)
    return objects


def test_program(folder, compiler, objects):
    """The new name in a text, in a message and in the formats."""
    source = folder / "print.c"
    source.write_text("""
#include <stdio.h>
#include <string.h>
#include "grad/calculus.h"
int main(void)
{
  tg_graph *g = NULL; tg_node f = 0; tg_node gradient = 0; tg_text out;
  const char *text = "sum(arcsinh(X))";
  const tg_compile_options options = {.infer_undeclared = true};
  tg_text_init(&out);
  if (tg_graph_create(&g) != TG_OK || tg_compile(g, text, strlen(text), &options, &f) != TG_OK) return 1;
  const int x = tg_symbol_find(g, "X");
  if (tg_gradient(g, f, 1, &x, &gradient) != TG_OK) return 2;
  tg_print(g, f, TG_FORMAT_EXPR, &out); tg_text_add(&out, " ");
  tg_print(g, f, TG_FORMAT_NUMPY, &out); tg_text_add(&out, " ");
  tg_print(g, gradient, TG_FORMAT_EXPR, &out);
  puts(tg_text_string(&out));
  return 0;
}
""")
    program = folder / "print"
    built = subprocess.run([compiler, *FLAGS, str(source), *objects, "-o", str(program), "-ljansson", "-lm",
                            f'-DTG_ENTRYWISE_MORE="{ROW}"'], capture_output=True, text=True, check=False)
    checks.equal(f"the program is built: {built.stderr[:500]}", built.returncode, 0)
    if built.returncode != 0:
        return
    found = subprocess.run([str(program)], capture_output=True, text=True, check=False).stdout.strip()
    checks.equal("texts", found, "sum(asinh(X)) np.sum(np.arcsinh(X)) 1./sqrt(X.^2 + ones(m,n))")


def test_kernel(rows, folder):
    """The executor's kernel on one rank."""
    mpicc = shutil.which("mpicc")
    checks.check(mpicc is not None, "mpicc is needed")
    files = [*sorted((ROOT / "src/mpi/matrix").glob("*.c")), ROOT / "tests/mpi/test_kernels.c", ROOT / "tests/mpi/main.c"]
    (folder / "mpi_tests.def").write_text("MPI_TEST(kernels, program_kernels)\n")
    objects = rows.compile_all(mpicc, files, f"-I{folder}", f"-I{ROOT}/tests/mpi")
    others = [str(out) for out in folder.glob("src_*.o") if "_mpi_" not in out.name]
    program = folder / "kernels"
    linked = subprocess.run([mpicc, *objects, *others, "-o", str(program), "-lscalapack-openmpi", "-lopenblas",
                             "-ljansson", "-lm"], capture_output=True, text=True, check=False)
    checks.equal(f"kernels are linked: {linked.stderr[:1500]}", linked.returncode, 0)
    if linked.returncode == 0:
        run_suite([str(ROOT / "scripts/mpirun-local"), "1", str(program)], "kernels")


def test_missing_fact(rows, folder, compiler):
    """Without its last column, and with a column that is no such fact."""
    row = ROW.read_text()
    for name, text in (("short", row[: row.rindex("{{0.5")].rstrip().rstrip(",") + ")\n"),
                       ("wrong", row.replace("TG_INCREASING", "TG_RISING"))):
        path = folder / f"{name}.def"
        path.write_text(text)
        _, done = rows.compile_one(compiler, ROOT / "src/grad/graph/op_entrywise.c", "-Wextra", "-Werror", row=path)
        checks.check(done.returncode != 0, f"a {name} row compiles")


def main():
    compiler = os.environ.get("CC") or shutil.which("cc")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = Rows(checks, folder, "TG_ENTRYWISE_MORE", ROW, "-O0")
        objects = test_calculus(rows, folder, compiler)
        test_program(folder, compiler, objects)
        test_kernel(rows, folder)
        test_missing_fact(rows, folder, compiler)
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
