# Warnings, sanitizers and tuning, carried by interface targets.
add_library(tracegrad_warnings INTERFACE)
target_compile_options(tracegrad_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wwrite-strings -Wstrict-prototypes
  -Wmissing-prototypes -Wdouble-promotion -Wcast-qual)
# Nothing here reads floating-point flags or the errno of a mathematical function: selections and square roots may be
# those of vectors.
target_compile_options(tracegrad_warnings INTERFACE -fno-trapping-math -fno-math-errno)
target_compile_definitions(tracegrad_warnings INTERFACE _XOPEN_SOURCE=700 _FILE_OFFSET_BITS=64)
if(CMAKE_C_COMPILER_ID MATCHES Clang)
  # clang counts INFINITY and NAN, float constants in C, as promotions; gcc warns of the real cases. And it warns of
  # an `omp simd` loop that it could not vectorise, because it calls exp.
  target_compile_options(tracegrad_warnings INTERFACE -Wno-double-promotion -Wno-pass-failed)
endif()
if(TRACEGRAD_WERROR)
  target_compile_options(tracegrad_warnings INTERFACE -Werror)
endif()
if(TRACEGRAD_NATIVE)
  target_compile_options(tracegrad_warnings INTERFACE -march=native)
endif()

if(TRACEGRAD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  # -rdynamic: the program's own dlclose, below, must be seen by the MPI library.
  add_link_options(-fsanitize=address,undefined -rdynamic)
  add_library(tracegrad_no_dlclose OBJECT ${PROJECT_SOURCE_DIR}/tests/support/no_dlclose.c)
endif()

# Finishes an executable that uses MPI: under the sanitizers it must keep the plugins of MPI in memory.
function(tracegrad_mpi_program target)
  target_link_libraries(${target} PRIVATE tracegrad_warnings)
  if(TARGET tracegrad_no_dlclose)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:tracegrad_no_dlclose>)
  endif()
endfunction()
