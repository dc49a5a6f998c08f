# Warnings, sanitizers and tuning, carried by two interface targets.
add_library(tracegrad_warnings INTERFACE)
target_compile_options(tracegrad_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wwrite-strings -Wstrict-prototypes
  -Wmissing-prototypes -Wdouble-promotion -Wcast-qual)
target_compile_definitions(tracegrad_warnings INTERFACE _POSIX_C_SOURCE=200809L _FILE_OFFSET_BITS=64)
if(TRACEGRAD_WERROR)
  target_compile_options(tracegrad_warnings INTERFACE -Werror)
endif()
if(TRACEGRAD_NATIVE)
  target_compile_options(tracegrad_warnings INTERFACE -march=native)
endif()
if(TRACEGRAD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
