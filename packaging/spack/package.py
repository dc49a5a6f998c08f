# Recipe for Spack: spack repo create ..., then packages/tracegrad/package.py.
from spack.package import *


class Tracegrad(CMakePackage):
    """Matrix objectives as text: gradients as formulas, minimised over MPI ranks."""

    homepage = "https://tracegrad.example.org"
    git = "https://tracegrad.example.org/tracegrad.git"

    license("BSD-3-Clause")
    version("main", branch="main")

    variant("hdf5", default=True, description="Read and write HDF5 files")
    variant("plot", default=False, description="tracegrad plot")

    depends_on("c", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3:")
    depends_on("blas")
    depends_on("openblas threads=openmp", when="^[virtuals=blas] openblas")
    depends_on("scalapack")
    depends_on("libfyaml")
    depends_on("jansson@2.10:")
    depends_on("xxhash")
    depends_on("random123@1.14:", type="build")
    depends_on("hdf5@1.10:", when="+hdf5")
    depends_on("gnuplot@5:", when="+plot", type="run")

    generator("ninja")

    def cmake_args(self):
        return [self.define_from_variant("TRACEGRAD_HDF5", "hdf5"), self.define("BUILD_TESTING", False)]

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def smoke_test(self):
        Executable(join_path(self.prefix.share, "tracegrad", "scripts", "smoke-test"))(self.prefix)
