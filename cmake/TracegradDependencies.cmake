# Third-party libraries, gathered into one interface target a layer. What is missing is said with the names of its packages.
include(CheckCSourceCompiles)
include(CheckIncludeFile)

# tracegrad_missing(WHAT DEBIAN FEDORA SPACK [HINT]): ends the configuration.
function(tracegrad_missing what debian fedora spack)
  message(FATAL_ERROR "tracegrad needs ${what}, which was not found.\n"
    "  Debian, Ubuntu: ${debian}\n  Fedora: ${fedora}\n  Spack: ${spack}\n${ARGN}")
endfunction()

# tracegrad_pkg(PREFIX MODULES WHAT DEBIAN FEDORA SPACK): the first of these pkg-config modules, as PkgConfig::PREFIX.
function(tracegrad_pkg prefix modules what debian fedora spack)
  foreach(module IN LISTS modules)
    if(NOT TARGET PkgConfig::${prefix})
      pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${module})
      if(${prefix}_FOUND)
        set(${prefix}_MODULE ${module} CACHE INTERNAL "pkg-config module of ${prefix}")
      endif()
    endif()
  endforeach()
  if(NOT TARGET PkgConfig::${prefix})
    list(JOIN modules " or " names)
    tracegrad_missing("${what}" "${debian}" "${fedora}" "${spack}"
      "It is looked for by pkg-config as ${names}: set PKG_CONFIG_PATH where it is not in a system folder.")
  endif()
endfunction()

find_package(PkgConfig)
if(NOT PKG_CONFIG_FOUND)
  tracegrad_missing("pkg-config" pkg-config pkgconf-pkg-config pkgconf)
endif()

# ---- the calculus ----

tracegrad_pkg(JANSSON jansson "jansson 2.10 or later" libjansson-dev jansson-devel jansson)
if(TRACEGRAD_CALCULUS_ONLY)
  return()
endif()

# ---- ranks ----

find_package(MPI QUIET COMPONENTS C)
if(NOT MPI_C_FOUND)
  tracegrad_missing("MPI for C (Open MPI 4, MPICH 4 or another MPI-3)" "openmpi-bin libopenmpi-dev (or mpich libmpich-dev)"
    "openmpi-devel, then: module load mpi" openmpi
    "Another MPI is chosen by -DMPI_C_COMPILER=/path/mpicc. The calculus alone needs none: -DTRACEGRAD_CALCULUS_ONLY=ON.")
endif()
find_package(OpenMP QUIET COMPONENTS C)
if(NOT OpenMP_C_FOUND)
  tracegrad_missing("OpenMP of the C compiler" "gcc has it; for clang: libomp-dev" "gcc has it; for clang: libomp-devel"
    "gcc has it; for clang: llvm-openmp")
endif()

# ---- BLAS: OpenBLAS, or by -DBLA_VENDOR any other with CBLAS ----

# tracegrad_try_cblas(RESULT LIBRARY...): whether cblas_dgemm of <cblas.h> links with these.
function(tracegrad_try_cblas result)
  set(CMAKE_REQUIRED_LIBRARIES ${ARGN} m)
  set(CMAKE_REQUIRED_QUIET ON)
  check_c_source_compiles("#include <cblas.h>
int main(void) { double x = 1; cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, 1, 1, 1, 1.0, &x, 1, &x, 1, 0.0, &x, 1);
return 0; }" ${result})
endfunction()

if(NOT BLA_VENDOR)
  pkg_check_modules(OPENBLAS QUIET IMPORTED_TARGET openblas)
endif()
if(NOT BLA_VENDOR AND OPENBLAS_FOUND)
  set(tracegrad_blas PkgConfig::OPENBLAS)
  set(tracegrad_blas_module openblas)
else()
  find_package(BLAS QUIET)
  if(NOT BLAS_FOUND)
    tracegrad_missing("a BLAS with CBLAS" libopenblas-openmp-dev openblas-devel "openblas threads=openmp"
      "OpenBLAS is looked for by pkg-config as openblas. Another one: -DBLA_VENDOR=Intel10_64lp, FLAME, AOCL_mt, ... (FindBLAS).")
  endif()
  # MKL and others have CBLAS in the library itself, the reference BLAS beside it; mkl_cblas.h stands for cblas.h with MKL.
  find_path(TRACEGRAD_CBLAS_INCLUDE NAMES cblas.h PATH_SUFFIXES openblas blis flexiblas cblas
    HINTS $ENV{MKLROOT}/include $ENV{AOCL_ROOT}/include)
  set(tracegrad_blas BLAS::BLAS)
  if(TRACEGRAD_CBLAS_INCLUDE)
    set(CMAKE_REQUIRED_INCLUDES ${TRACEGRAD_CBLAS_INCLUDE})
  endif()
  tracegrad_try_cblas(TRACEGRAD_BLAS_HAS_CBLAS BLAS::BLAS)
  if(NOT TRACEGRAD_BLAS_HAS_CBLAS)
    find_library(TRACEGRAD_CBLAS_LIBRARY NAMES cblas)
    if(TRACEGRAD_CBLAS_LIBRARY)
      tracegrad_try_cblas(TRACEGRAD_CBLAS_LINKS ${TRACEGRAD_CBLAS_LIBRARY} BLAS::BLAS)
    endif()
    if(NOT TRACEGRAD_CBLAS_LINKS)
      tracegrad_missing("CBLAS (cblas.h and cblas_dgemm) of the BLAS ${BLAS_LIBRARIES}" "libopenblas-openmp-dev, libblis-dev or libblas-dev"
        "openblas-devel or blis-devel" "openblas threads=openmp" "The header is looked for in TRACEGRAD_CBLAS_INCLUDE.")
    endif()
    list(PREPEND tracegrad_blas ${TRACEGRAD_CBLAS_LIBRARY})
  endif()
  set(tracegrad_blas_includes ${TRACEGRAD_CBLAS_INCLUDE})
  unset(CMAKE_REQUIRED_INCLUDES)
  message(STATUS "BLAS: ${BLAS_LIBRARIES}")
endif()

# ---- ScaLAPACK, built for this MPI ----

set(CMAKE_REQUIRED_LIBRARIES MPI::MPI_C)
check_c_source_compiles("#include <mpi.h>
#ifndef MPICH_VERSION
#error another MPI
#endif
int main(void) { return 0; }" TRACEGRAD_MPI_IS_MPICH)
unset(CMAKE_REQUIRED_LIBRARIES)
set(scalapack_flavour openmpi)
if(TRACEGRAD_MPI_IS_MPICH)
  set(scalapack_flavour mpich)
endif()
# Debian ships a pkg-config file for each MPI; elsewhere there is one, or the library alone.
foreach(module scalapack-${scalapack_flavour} scalapack)
  if(NOT TARGET PkgConfig::SCALAPACK)
    pkg_check_modules(SCALAPACK QUIET IMPORTED_TARGET ${module})
    if(SCALAPACK_FOUND)
      set(tracegrad_scalapack_module ${module})
    endif()
  endif()
endforeach()
if(TARGET PkgConfig::SCALAPACK)
  set(tracegrad_scalapack PkgConfig::SCALAPACK)
else()
  find_library(TRACEGRAD_SCALAPACK_LIBRARY NAMES scalapack-${scalapack_flavour} scalapack)
  if(NOT TRACEGRAD_SCALAPACK_LIBRARY)
    tracegrad_missing("ScaLAPACK 2.1, built for the MPI in use" "libscalapack-${scalapack_flavour}-dev" "scalapack-${scalapack_flavour}-devel"
      netlib-scalapack "It is looked for by pkg-config, and as libscalapack: -DCMAKE_LIBRARY_PATH=/path/lib.")
  endif()
  set(tracegrad_scalapack ${TRACEGRAD_SCALAPACK_LIBRARY})
endif()

# ---- files ----

tracegrad_pkg(FYAML libfyaml "libfyaml" libfyaml-dev libfyaml-devel libfyaml)
tracegrad_pkg(XXHASH libxxhash "xxHash" libxxhash-dev xxhash-devel xxhash)
check_include_file(Random123/philox.h TRACEGRAD_HAS_RANDOM123)
if(NOT TRACEGRAD_HAS_RANDOM123)
  tracegrad_missing("the headers of Random123" librandom123-dev Random123-devel random123
    "They are looked for on the include path: -DCMAKE_C_FLAGS=-I/path/include.")
endif()

# OpenBLAS comes before ScaLAPACK so that its BLAS is the one that is used.
set(tracegrad_solve_libraries MPI::MPI_C OpenMP::OpenMP_C ${tracegrad_blas} ${tracegrad_scalapack} PkgConfig::XXHASH
  PkgConfig::FYAML PkgConfig::JANSSON m ${CMAKE_DL_LIBS})
add_library(tracegrad_mpi_dependencies INTERFACE)
target_link_libraries(tracegrad_mpi_dependencies INTERFACE
  MPI::MPI_C OpenMP::OpenMP_C ${tracegrad_blas} ${tracegrad_scalapack} PkgConfig::XXHASH m ${CMAKE_DL_LIBS})
target_include_directories(tracegrad_mpi_dependencies SYSTEM INTERFACE ${tracegrad_blas_includes})
# Open MPI's headers define C++-style macros and casts that our warnings reject.
target_compile_definitions(tracegrad_mpi_dependencies INTERFACE OMPI_SKIP_MPICXX)
# MPICH declares statuses as arrays, and MPI_STATUSES_IGNORE is a pointer to none: gcc warns of each use.
if(TRACEGRAD_MPI_IS_MPICH AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tracegrad_mpi_dependencies INTERFACE -Wno-stringop-overflow)
endif()

# HDF5 is optional, and loaded when a file needs it (src/mpi/file/hdf5_library.h), by the name that its users link with.
foreach(module hdf5-serial hdf5)
  if(TRACEGRAD_HDF5 AND NOT TARGET PkgConfig::HDF5)
    pkg_check_modules(HDF5 QUIET IMPORTED_TARGET ${module})
  endif()
endforeach()
if(TARGET PkgConfig::HDF5)
  find_library(hdf5_file NAMES ${HDF5_LIBRARIES} HINTS ${HDF5_LIBRARY_DIRS} REQUIRED NO_CACHE)
  file(REAL_PATH ${hdf5_file} hdf5_file)
  execute_process(COMMAND ${CMAKE_READELF} -d ${hdf5_file} OUTPUT_VARIABLE hdf5_dynamic ERROR_QUIET)
  if(hdf5_dynamic MATCHES "\\(SONAME\\)[^[]*\\[([^]]+)\\]")
    set(hdf5_name ${CMAKE_MATCH_1})
  else()
    get_filename_component(hdf5_name ${hdf5_file} NAME)
  endif()
  message(STATUS "HDF5 is loaded when needed: ${hdf5_name}, else ${hdf5_file}")
  target_include_directories(tracegrad_mpi_dependencies SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
  target_compile_definitions(tracegrad_mpi_dependencies INTERFACE
    TG_HAS_HDF5=1 TG_HDF5_NAME="${hdf5_name}" TG_HDF5_FILE="${hdf5_file}")
else()
  message(STATUS "HDF5: none, .h5 files are refused (Debian: libhdf5-dev, Fedora: hdf5-devel, Spack: hdf5)")
  target_compile_definitions(tracegrad_mpi_dependencies INTERFACE TG_HAS_HDF5=0)
endif()

add_library(tracegrad_job_dependencies INTERFACE)
target_link_libraries(tracegrad_job_dependencies INTERFACE PkgConfig::FYAML PkgConfig::JANSSON)
