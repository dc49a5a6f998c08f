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
  MPI::MPI_C OpenMP::OpenMP_C PkgConfig::OPENBLAS ${scalapack} PkgConfig::XXHASH m ${CMAKE_DL_LIBS})
# HDF5 is loaded when a file needs it (src/mpi/file/hdf5_library.h), by the name that its users link with.
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
  TG_HDF5_NAME="${hdf5_name}" TG_HDF5_FILE="${hdf5_file}")
# Open MPI's headers define C++-style macros and casts that our warnings reject.
target_compile_definitions(tracegrad_mpi_dependencies INTERFACE OMPI_SKIP_MPICXX)

add_library(tracegrad_job_dependencies INTERFACE)
target_link_libraries(tracegrad_job_dependencies INTERFACE PkgConfig::FYAML PkgConfig::JANSSON)
