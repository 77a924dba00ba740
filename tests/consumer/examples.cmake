# Builds examples/pipeline and the program of docs/c.md against an installed package and runs them. The pipelines wait
# for a device no more often than they say themselves: once a batch.
# Run by CTest as: cmake -D BUILD=... -D ROOT=... -D WORK=... -D CC=... -D CXX=... [-D SIM=...] -P examples.cmake
# SIM: the environment of a simulated device, where one was built.
include(${CMAKE_CURRENT_LIST_DIR}/package.cmake)
build_project(${ROOT}/examples/pipeline ${WORK}/pipeline -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX})
function(check_pipelines where)
  foreach(program IN ITEMS pipeline_c pipeline_cpp)
    run(${CMAKE_COMMAND} -E env TANDEM_LOG=sync ${ARGN} ${WORK}/pipeline/${program})
    string(REGEX MATCHALL "waits for[^\n]*" waits "${RUN_OUTPUT}")
    string(REGEX MATCHALL "waits for a stream" own "${RUN_OUTPUT}")
    list(LENGTH waits n_waits)
    list(LENGTH own n_own)
    if(NOT RUN_OUTPUT MATCHES "${where}")
      message(FATAL_ERROR "${program} does not say '${where}'")
    endif()
    if(n_waits GREATER 4 OR NOT n_waits EQUAL n_own)
      message(FATAL_ERROR "${program} waits ${n_waits} times: ${waits}")
    endif()
  endforeach()
endfunction()
check_pipelines("on ")
if(SIM)
  check_pipelines("simulated on the CPU" ${SIM})
endif()

# docs/c.md's own project and program: C alone, no C++ compiler.
write_block(${ROOT}/docs/c.md c ${WORK}/page/program.c)
write_block(${ROOT}/docs/c.md cmake ${WORK}/page/CMakeLists.txt)
build_project(${WORK}/page ${WORK}/page/build -DCMAKE_C_COMPILER=${CC} "-DCMAKE_C_FLAGS=-std=c99 -pedantic -Wall -Wextra -Werror")
run(${WORK}/page/build/program)
if(NOT RUN_OUTPUT MATCHES "0.090 0.245 0.665")
  message(FATAL_ERROR "the program of docs/c.md printed:\n${RUN_OUTPUT}")
endif()
