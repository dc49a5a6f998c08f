"""Builds the C library by CMake and puts it into the package.

TRACEGRAD_BUILD: a folder in which the library is built already; it is then taken from there.
CMAKE_ARGS: further arguments of cmake, separated by spaces.
"""

import os
import pathlib
import shlex
import shutil
import subprocess

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70.1
    from wheel.bdist_wheel import bdist_wheel

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent
LIBRARIES = ("libtracegrad-calculus.so", "libtracegrad.so")


def built(folder):
    """The folder that holds the libraries, made where it is not given."""
    given = os.environ.get("TRACEGRAD_BUILD")
    if given:
        return pathlib.Path(given)
    if not (SOURCE / "CMakeLists.txt").exists():
        raise SystemExit(f"tracegrad: no CMakeLists.txt in {SOURCE}: install from the source tree, pip install ./python")
    if shutil.which("cmake") is None:
        raise SystemExit("tracegrad: cmake is not installed; docs/install.md says what the build needs")
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON", "-DBUILD_TESTING=OFF", "-DTRACEGRAD_INSTALL=OFF",
               "-DTRACEGRAD_PROGRAMS=OFF"]
    if shutil.which("ninja"):
        options.append("-GNinja")
    options += shlex.split(os.environ.get("CMAKE_ARGS", ""))
    subprocess.run(["cmake", "-S", str(SOURCE), "-B", str(folder), *options], check=True)
    targets = ["tracegrad_calculus_shared", "tracegrad_tracegrad_shared"]
    subprocess.run(["cmake", "--build", str(folder), "--parallel", str(os.cpu_count() or 1), "--target", *targets], check=True)
    return folder


class Build(build_py):
    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            target = HERE / "tracegrad/lib"
        else:
            target = pathlib.Path(self.build_lib).resolve() / "tracegrad/lib"
        folder = built(HERE / "build/cmake")
        target.mkdir(parents=True, exist_ok=True)
        for name in LIBRARIES:
            shutil.copy2((folder / name).resolve(), target / name)


class Wheel(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class Binary(Distribution):
    def has_ext_modules(self):
        return True


setup(cmdclass={"build_py": Build, "bdist_wheel": Wheel}, distclass=Binary)
