# Objects of the layers go into shared libraries too, which export what the public headers say and nothing else.
function(tracegrad_hide target)
  set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
endfunction()

# A layer is a static library whose include path holds exactly one entry: a directory with a link named
# like the layer. A source file writes #include "grad/graph/graph.h", and the compiler finds it only when its
# target links the grad layer, so an arrow against the architecture does not compile.
function(tracegrad_include_root name)
  set(root ${PROJECT_BINARY_DIR}/layers/${name}/${name})
  get_filename_component(parent ${root} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${name} ${root} SYMBOLIC)
  set(include_root ${parent} PARENT_SCOPE)
endfunction()

function(tracegrad_layer name)
  cmake_parse_arguments(arg "" "" "LINK;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.c ${PROJECT_SOURCE_DIR}/src/${name}/*/*.c)
  foreach(excluded IN LISTS arg_EXCLUDE)
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/src/${name}/${excluded})
  endforeach()
  tracegrad_include_root(${name})
  add_library(tracegrad_${name} STATIC ${sources})
  target_include_directories(tracegrad_${name} PUBLIC ${include_root})
  target_link_libraries(tracegrad_${name} PUBLIC ${arg_LINK} PRIVATE tracegrad_warnings)
  tracegrad_hide(tracegrad_${name})
endfunction()

# A room of a layer that sees less than the layer does: src/LAYER/ROOM, included as "LAYER/ROOM/header.h".
function(tracegrad_room layer name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  set(root ${PROJECT_BINARY_DIR}/layers/tracegrad_${name})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${layer}/${name}/*.c)
  file(MAKE_DIRECTORY ${root}/${layer})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${layer}/${name} ${root}/${layer}/${name} SYMBOLIC)
  add_library(tracegrad_${name} STATIC ${sources})
  target_include_directories(tracegrad_${name} PUBLIC ${root})
  target_link_libraries(tracegrad_${name} PUBLIC ${arg_LINK} PRIVATE tracegrad_warnings)
  tracegrad_hide(tracegrad_${name})
endfunction()

# The narrow doors through which the mpi layer sees the two above it: single headers, not whole layers.
function(tracegrad_api target layer)
  set(root ${PROJECT_BINARY_DIR}/layers/${target})
  foreach(header IN LISTS ARGN)
    get_filename_component(room ${root}/${layer}/${header} DIRECTORY)
    file(MAKE_DIRECTORY ${room})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${layer}/${header} ${root}/${layer}/${header} SYMBOLIC)
  endforeach()
  add_library(${target} INTERFACE)
  target_include_directories(${target} INTERFACE ${root})
endfunction()

tracegrad_api(tracegrad_plan_api grad plan/plan.h plan/closed.h plan/cost.h plan/cost_terms.h entrywise.def entrywise.h divided.h)
tracegrad_api(tracegrad_spec_api engine spec.h)
tracegrad_api(tracegrad_task_api engine task.h)
tracegrad_api(tracegrad_opt_api opt space.h constraint.h constraints.def listing.h problem.h)
# The code behind the doors, linked without its include path.
add_library(tracegrad_grad_objects INTERFACE)
target_link_libraries(tracegrad_grad_objects INTERFACE $<LINK_ONLY:tracegrad_grad> $<LINK_ONLY:tracegrad_opt>)
# What spec.h includes of its own layer.
tracegrad_api(tracegrad_sweep_api engine spec_sweep.h)
target_link_libraries(tracegrad_spec_api INTERFACE tracegrad_sweep_api)
target_link_libraries(tracegrad_task_api INTERFACE tracegrad_spec_api)
