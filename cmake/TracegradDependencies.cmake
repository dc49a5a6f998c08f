# Third-party libraries, gathered into one interface target a layer.
find_package(MPI REQUIRED COMPONENTS C)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(PkgConfig REQUIRED)
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# Debian ships a pkg-config file for ScaLAPACK; elsewhere the library alone is looked for.
pkg_check_modules(SCALAPACK IMPORTED_TARGET scalapack-openmpi)
if(SCALAPACK_FOUND)
  set(scalapack PkgConfig::SCALAPACK)
else()
  find_library(scalapack NAMES scalapack-openmpi scalapack REQUIRED)
endif()

# OpenBLAS comes before ScaLAPACK so that its BLAS is the one that is used.
add_library(tracegrad_mpi_dependencies INTERFACE)
target_link_libraries(tracegrad_mpi_dependencies INTERFACE
  MPI::MPI_C OpenMP::OpenMP_C PkgConfig::OPENBLAS ${scalapack} PkgConfig::HDF5 PkgConfig::XXHASH m)
# Open MPI's headers define C++-style macros and casts that our warnings reject.
target_compile_definitions(tracegrad_mpi_dependencies INTERFACE OMPI_SKIP_MPICXX)

add_library(tracegrad_job_dependencies INTERFACE)
target_link_libraries(tracegrad_job_dependencies INTERFACE PkgConfig::FYAML PkgConfig::JANSSON)
