"""Compiles sources with one more row in a table, as a contributor adds it: MACRO names the file of the row."""

import pathlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=c17", "-D_XOPEN_SOURCE=700", "-D_FILE_OFFSET_BITS=64", f"-I{ROOT}/src", f"-I{ROOT}/tests"]


def run(*command, timeout=300):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=ROOT, timeout=timeout, check=False)


class Rows:
    """Objects go to `folder`; what fails to compile is counted by `checks`."""

    def __init__(self, checks, folder, macro, row, *flags):
        self.checks, self.folder, self.macro, self.row = checks, folder, macro, row
        self.flags = [*FLAGS, *flags]

    def compile_one(self, compiler, source, *more, row=None):
        parts = source.relative_to(ROOT).parts if source.is_relative_to(ROOT) else (source.name,)
        out = self.folder / ("_".join(parts) + ".o")
        return out, run(compiler, *self.flags, f'-D{self.macro}="{row or self.row}"', *more, "-c", source, "-o", out)

    def compile_all(self, compiler, files, *more):
        with ThreadPoolExecutor(2) as pool:
            built = list(pool.map(lambda source: self.compile_one(compiler, source, *more), files))
        for out, done in built:
            self.checks.check(done.returncode == 0, f"{out.name}: {done.stderr[:2000]}")
        return [out for out, _ in built]
