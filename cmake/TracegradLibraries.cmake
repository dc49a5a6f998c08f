# The libraries that others link: libtracegrad-calculus, which needs neither MPI nor BLAS, and libtracegrad, which contains it.
#
# Both are built shared and static; -DBUILD_SHARED_LIBS=ON or OFF builds one kind. Only the functions of the public headers
# are exported: everything is compiled with hidden visibility (cmake/TracegradLayers.cmake).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(tracegrad_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tracegrad)

# Kinds to build, the one that the plain target names first.
if(NOT DEFINED BUILD_SHARED_LIBS)
  set(tracegrad_kinds shared static)
elseif(BUILD_SHARED_LIBS)
  set(tracegrad_kinds shared)
else()
  set(tracegrad_kinds static)
endif()

# tracegrad_library(NAME FILE LAYERS layers... HEADERS files... PUBLIC libraries... PRIVATE libraries...): the targets
# tracegrad::NAME and, of the second kind, tracegrad::NAME_static. The first layer has the public functions.
function(tracegrad_library name file)
  cmake_parse_arguments(arg "" "" "LAYERS;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  list(TRANSFORM arg_LAYERS REPLACE "(.+)" "$<TARGET_OBJECTS:tracegrad_\\1>" OUTPUT_VARIABLE objects)
  foreach(kind IN LISTS tracegrad_kinds)
    set(target tracegrad_${name}_${kind})
    string(TOUPPER ${kind} type)
    add_library(${target} ${type} ${objects})
    if(kind STREQUAL "shared" OR NOT "shared" IN_LIST tracegrad_kinds)
      set(export_name ${name})
    else()
      set(export_name ${name}_static)
    endif()
    # While the version is 0.x, each minor version may break what was linked before.
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${file} EXPORT_NAME ${export_name} LINKER_LANGUAGE C
      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    target_include_directories(${target} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    add_library(tracegrad::${export_name} ALIAS ${target})
    if(kind STREQUAL "shared" AND NOT TRACEGRAD_SANITIZE)
      target_link_options(${target} PRIVATE LINKER:--no-undefined)
    endif()
    if(TRACEGRAD_INSTALL)
      install(TARGETS ${target} EXPORT tracegrad-${name}-targets COMPONENT ${name})
    endif()
  endforeach()
  if(NOT TRACEGRAD_INSTALL)
    return()
  endif()
  install(FILES ${arg_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${name})
  install(EXPORT tracegrad-${name}-targets NAMESPACE tracegrad:: DESTINATION ${tracegrad_config_folder} COMPONENT ${name})
endfunction()

# tracegrad_pc(FILE DESCRIPTION LIBS): FILE.pc, relative to where it lies. What a static library needs stands in it as flags,
# so that the shared one asks for no other package.
function(tracegrad_pc pc_name pc_description pc_libs)
  if(NOT TRACEGRAD_INSTALL)
    return()
  endif()
  file(RELATIVE_PATH pc_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/tracegrad.pc.in ${PROJECT_BINARY_DIR}/${pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# tracegrad_dependencies(NAME TEXT): what the package file does before it makes the targets of NAME.
function(tracegrad_dependencies name text)
  if(TRACEGRAD_INSTALL)
    set(path ${PROJECT_BINARY_DIR}/tracegrad-${name}-dependencies.cmake)
    file(CONFIGURE OUTPUT ${path} CONTENT "${text}" @ONLY)
    install(FILES ${path} DESTINATION ${tracegrad_config_folder} COMPONENT ${name})
  endif()
endfunction()

# tracegrad_flags(RESULT PREFIX...): how to link these pkg-config modules, then the mathematical library.
function(tracegrad_flags result)
  set(flags "")
  foreach(prefix IN LISTS ARGN)
    list(APPEND flags ${${prefix}_LDFLAGS})
  endforeach()
  list(APPEND flags -lm)
  list(JOIN flags " " flags)
  set(${result} "${flags}" PARENT_SCOPE)
endfunction()

set(calculus_dependencies "")
if("static" IN_LIST tracegrad_kinds)
  set(calculus_dependencies "tracegrad_find_module(JANSSON ${JANSSON_MODULE})\n")
endif()

tracegrad_flags(pc_libraries JANSSON)
tracegrad_library(calculus tracegrad-calculus LAYERS api_calculus derive grad base
  HEADERS include/tracegrad.h PRIVATE PkgConfig::JANSSON m)
tracegrad_pc(tracegrad-calculus "Gradients of matrix expressions, derived symbolically" "${pc_libraries}")
tracegrad_dependencies(calculus "${calculus_dependencies}")
set(tracegrad_component "")

if(NOT TRACEGRAD_CALCULUS_ONLY)
  set(tracegrad_component " tracegrad")
  # The header of the solving library includes mpi.h.
  set(solve_dependencies "find_dependency(MPI COMPONENTS C)\n")
  if("static" IN_LIST tracegrad_kinds)
    string(APPEND solve_dependencies "find_dependency(OpenMP COMPONENTS C)\n" "${calculus_dependencies}"
      "tracegrad_find_module(FYAML ${FYAML_MODULE})\ntracegrad_find_module(XXHASH ${XXHASH_MODULE})\n")
    if(TARGET PkgConfig::SCALAPACK)
      string(APPEND solve_dependencies "tracegrad_find_module(SCALAPACK ${tracegrad_scalapack_module})\n")
    endif()
    if(tracegrad_blas_module)
      string(APPEND solve_dependencies "tracegrad_find_module(OPENBLAS ${tracegrad_blas_module})\n")
    else()
      string(APPEND solve_dependencies "set(BLA_VENDOR \"${BLA_VENDOR}\")\nfind_dependency(BLAS)\n")
    endif()
  endif()
  tracegrad_flags(pc_libraries FYAML XXHASH JANSSON OPENBLAS SCALAPACK)
  set(pc_others ${OpenMP_C_FLAGS} ${MPI_C_LINK_FLAGS})
  if(NOT TARGET PkgConfig::SCALAPACK)
    list(APPEND pc_others ${tracegrad_scalapack})
  endif()
  if(NOT tracegrad_blas_module)
    list(APPEND pc_others ${TRACEGRAD_CBLAS_LIBRARY} ${BLAS_LIBRARIES})
  endif()
  list(JOIN pc_others " " pc_others)
  tracegrad_library(tracegrad tracegrad LAYERS api api_calculus report job engine strategy mpi opt derive grad base
    HEADERS include/tracegrad_solve.h include/tracegrad.f90 PUBLIC MPI::MPI_C PRIVATE ${tracegrad_solve_libraries})
  tracegrad_pc(tracegrad "Minimisation of matrix objectives on MPI ranks; compile with mpicc" "${pc_others} ${pc_libraries}")
  tracegrad_dependencies(tracegrad "${solve_dependencies}")
endif()

if(TRACEGRAD_INSTALL)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/tracegradConfig.cmake.in ${PROJECT_BINARY_DIR}/tracegradConfig.cmake
    INSTALL_DESTINATION ${tracegrad_config_folder})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/tracegradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/tracegradConfig.cmake ${PROJECT_BINARY_DIR}/tracegradConfigVersion.cmake
    DESTINATION ${tracegrad_config_folder})
endif()
