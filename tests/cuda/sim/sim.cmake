# The CUDA backend's own sources, compiled as C++ and run on the CPU (tests/cuda/sim/sim.cpp). As
# libtandem_cuda_sim_* the parity tests open them in place of libtandem_cuda, so that launchers and kernels are executed
# where no GPU is.
option(TANDEM_CUDA_SIM "Build the CUDA backend for the CPU too, for its tests" ON)

# For the loader's tests: a library that answers what it is asked to.
add_library(tandem_fake_backend MODULE ${PROJECT_SOURCE_DIR}/tests/cuda/fake_backend.cpp)
target_include_directories(tandem_fake_backend PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include
  ${PROJECT_SOURCE_DIR}/kernels/include)
target_link_libraries(tandem_fake_backend PRIVATE tandem_warnings)
set_target_properties(tandem_fake_backend PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim)
target_compile_definitions(cuda.loader_test PRIVATE
  TANDEM_FAKE_BACKEND_PATH="$<TARGET_FILE:tandem_fake_backend>")
add_dependencies(cuda.loader_test tandem_fake_backend)

if(TANDEM_CUDA_READABLE)
  add_test(NAME cuda.ptx COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/ptx_scan.py
    $<TARGET_FILE:tandem_cuda> --root ${PROJECT_SOURCE_DIR})
  set_tests_properties(cuda.ptx PROPERTIES TIMEOUT 600 LABELS "unit")
endif()
if(NOT TANDEM_CUDA_SIM)
  return()
endif()

file(GLOB TANDEM_SIM_KERNELS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)
# CUB cannot be compiled as C++: no_cub.cpp has what the launchers call.
list(REMOVE_ITEM TANDEM_SIM_KERNELS ${PROJECT_SOURCE_DIR}/kernels/probe.cu ${PROJECT_SOURCE_DIR}/kernels/cub_sort.cu)
file(GLOB TANDEM_SIM_HOST CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
list(REMOVE_ITEM TANDEM_SIM_HOST ${PROJECT_SOURCE_DIR}/kernels/cuda/blas.cpp)
set_source_files_properties(${TANDEM_SIM_KERNELS} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
set(folder ${PROJECT_SOURCE_DIR}/tests/cuda/sim)

# Those that use shared memory, themselves or by the headers of the reductions and scans; in any other file __shared__ is an error.
set(TANDEM_SIM_SHARED "")
foreach(source IN LISTS TANDEM_SIM_KERNELS)
  file(STRINGS ${source} uses REGEX "__shared__|kernels/cuda/(reduce|scan)")
  if(uses)
    list(APPEND TANDEM_SIM_SHARED ${source})
  endif()
endforeach()
set(TANDEM_SIM_PLAIN ${TANDEM_SIM_KERNELS})
list(REMOVE_ITEM TANDEM_SIM_PLAIN ${TANDEM_SIM_SHARED})

# The backend and the programs that test it, twice: `asan` whole, with the address and undefined behaviour sanitizers;
# `races` without the elementwise rows, and with a call before each of its accesses (races.cpp; the flag is the thread
# sanitizer's, its run time is not).
function(tandem_add_sim variant flags)
  set(base tandem_sim_base_${variant})
  add_library(${base} INTERFACE)
  target_include_directories(${base} INTERFACE ${folder} ${PROJECT_SOURCE_DIR}
    ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/kernels/include)
  target_compile_definitions(${base} INTERFACE TANDEM_CUDA_ARCHITECTURES="simulated")
  # -O1: most of the time goes into compiling; the bits are the same at every level.
  target_compile_options(${base} INTERFACE -O1 -g0 ${TANDEM_NUMERIC_FLAGS} -Wno-unknown-pragmas)

  # Fibers are switched and accesses are checked here.
  add_library(tandem_sim_${variant} OBJECT ${folder}/sim.cpp ${folder}/races.cpp)
  target_link_libraries(tandem_sim_${variant} PRIVATE ${base})
  set(link "")
  if(variant STREQUAL "asan")
    target_compile_definitions(tandem_sim_${variant} PRIVATE TANDEM_SIM_ASAN)
    set(link ${flags})
  endif()
  set(sim $<TARGET_OBJECTS:tandem_sim_${variant}>)

  set(plain ${TANDEM_SIM_PLAIN})
  if(variant STREQUAL "races")
    list(FILTER plain EXCLUDE REGEX "/(elementwise|generator|(unary|binary|ternary)_[a-z0-9_]+)\\.cu$")
    list(APPEND plain ${folder}/no_elementwise.cpp)
  endif()
  add_library(tandem_sim_plain_${variant} OBJECT ${plain} ${TANDEM_SIM_HOST} ${folder}/probe.cpp ${folder}/no_blas.cpp
    ${folder}/no_cub.cpp)
  target_compile_options(tandem_sim_plain_${variant} PRIVATE ${link})
  target_link_libraries(tandem_sim_plain_${variant} PRIVATE ${base})
  add_library(tandem_sim_shared_${variant} OBJECT ${TANDEM_SIM_SHARED})
  target_compile_options(tandem_sim_shared_${variant} PRIVATE ${flags})
  target_link_libraries(tandem_sim_shared_${variant} PRIVATE ${base})
  set(objects $<TARGET_OBJECTS:tandem_sim_plain_${variant}> $<TARGET_OBJECTS:tandem_sim_shared_${variant}> ${sim})

  add_library(tandem_cuda_sim_${variant} MODULE ${objects})
  set_target_properties(tandem_cuda_sim_${variant} PROPERTIES LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim)
  target_link_options(tandem_cuda_sim_${variant} PRIVATE ${link})

  # Kernels and launchers by hand-made launches, without libtandem; and kernels with planted mistakes.
  foreach(name IN ITEMS kernels launchers planted)
    set(test cuda.sim.${name}.${variant})
    set(rest ${sim})
    set(own ${link})
    if(name STREQUAL "launchers")
      set(rest ${objects})
    elseif(name STREQUAL "planted")
      set(own ${flags})
    endif()
    add_executable(${test} ${folder}/${name}.cpp ${rest})
    target_compile_options(${test} PRIVATE ${own})
    target_link_options(${test} PRIVATE ${link})
    target_link_libraries(${test} PRIVATE ${base} GTest::gtest GTest::gtest_main Threads::Threads ${CMAKE_DL_LIBS})
    set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
    add_test(NAME ${test} COMMAND ${test} --gtest_brief=1)
    set_tests_properties(${test} PROPERTIES TIMEOUT 600 LABELS "unit")
  endforeach()

  # The parity tests, which are otherwise run with whatever device there is.
  set(environment "TANDEM_CUDA_LIBRARY=$<TARGET_FILE:tandem_cuda_sim_${variant}>")
  set(filter "Parity.Copies*:Parity.*Reductions*:Parity.Columns*:Parity.*Calls*")
  if(variant STREQUAL "asan")
    list(APPEND environment "LD_PRELOAD=${TANDEM_ASAN_LIBRARY}"
      "ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0")
    set(TANDEM_SIM_ENVIRONMENT "${environment}" PARENT_SCOPE)
    set(TANDEM_SIM_ASAN_OBJECTS "${objects}" PARENT_SCOPE)
    # Every allocation of its own, so that the sanitizer sees the end of each.
    list(APPEND environment "TANDEM_POOL=direct")
    set(filter "*")
  else()
    list(APPEND environment "TANDEM_SIM_PARTIAL=1")  # a call that needs an elementwise kernel is left out
  endif()
  add_test(NAME cuda.sim.parity.${variant} COMMAND cuda.parity_test --gtest_brief=1 --gtest_filter=${filter})
  set_tests_properties(cuda.sim.parity.${variant} PROPERTIES TIMEOUT 1200 LABELS "unit" ENVIRONMENT "${environment}")
  add_dependencies(cuda.parity_test tandem_cuda_sim_${variant})
  set(moves "MovementParity.*Size*:MovementParity.Sums*")
  if(variant STREQUAL "asan")
    set(moves "*")
  endif()
  add_test(NAME cuda.sim.movement.${variant} COMMAND cuda.movement_test --gtest_brief=1 --gtest_filter=${moves})
  set_tests_properties(cuda.sim.movement.${variant} PROPERTIES TIMEOUT 600 LABELS "unit"
    ENVIRONMENT "${environment};TANDEM_REQUIRE_GPU=1")
  add_dependencies(cuda.movement_test tandem_cuda_sim_${variant})
  set(filter "-*SeveralPasses")  # elementwise kernels in between, which `races` has not
  if(variant STREQUAL "asan")
    set(filter "-*TotalsOfTotals")  # takes minutes
  endif()
  add_test(NAME cuda.sim.scan.${variant} COMMAND cuda.scan_parity_test --gtest_brief=1 --gtest_filter=${filter})
  set_tests_properties(cuda.sim.scan.${variant} PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT "${environment}")
  add_dependencies(cuda.scan_parity_test tandem_cuda_sim_${variant})
endfunction()

tandem_add_sim(races -fsanitize=thread)
# The masks' kernels use shared memory.
add_test(NAME cuda.sim.indexing.races COMMAND cuda.indexing_test --gtest_brief=1 --gtest_filter=*MasksThemselves*)
set_tests_properties(cuda.sim.indexing.races PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT
  "TANDEM_CUDA_LIBRARY=$<TARGET_FILE:tandem_cuda_sim_races>")
add_dependencies(cuda.indexing_test tandem_cuda_sim_races)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libasan.so OUTPUT_VARIABLE TANDEM_ASAN_LIBRARY
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT IS_ABSOLUTE "${TANDEM_ASAN_LIBRARY}")
  message(STATUS "Tandem: no address sanitizer, the kernels are not run under it")
  return()
endif()
tandem_add_sim(asan "-fsanitize=address,undefined;-fno-sanitize-recover=all")

add_dependencies(cuda.random_parity_test tandem_cuda_sim_asan)
add_test(NAME cuda.sim.random COMMAND cuda.random_parity_test --gtest_brief=1)
set_tests_properties(cuda.sim.random PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT "${TANDEM_SIM_ENVIRONMENT};TANDEM_POOL=direct")

add_test(NAME cuda.sim.sorting COMMAND cuda.sorting_parity_test --gtest_brief=1)
set_tests_properties(cuda.sim.sorting PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT
  "${TANDEM_SIM_ENVIRONMENT};TANDEM_POOL=direct;TANDEM_REQUIRE_GPU=1")
add_dependencies(cuda.sorting_parity_test tandem_cuda_sim_asan)

# What each row asks of the device.
add_test(NAME cuda.sim.calls COMMAND cuda.calls_test --gtest_brief=1)
set_tests_properties(cuda.sim.calls PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT "${TANDEM_SIM_ENVIRONMENT}")
add_dependencies(cuda.calls_test tandem_cuda_sim_asan)
add_test(NAME cuda.sim.indexing.asan COMMAND cuda.indexing_test --gtest_brief=1)
set_tests_properties(cuda.sim.indexing.asan PROPERTIES TIMEOUT 1200 LABELS "unit" ENVIRONMENT "${TANDEM_SIM_ENVIRONMENT};TANDEM_POOL=direct")
add_dependencies(cuda.indexing_test tandem_cuda_sim_asan)

# docs/ops.md, with a column for the device.
if(TARGET tandem_command)
  add_test(NAME docs.ops COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/tools/check_ops_page.py
    $<TARGET_FILE:tandem_command> ${PROJECT_SOURCE_DIR}/docs/ops.md)
  set_tests_properties(docs.ops PROPERTIES TIMEOUT 300 LABELS "lint" ENVIRONMENT "${TANDEM_SIM_ENVIRONMENT}")
endif()

if(TARGET tandem_bench)
  add_test(NAME perf.smoke.device COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/perf/smoke.py
    $<TARGET_FILE:tandem_bench> $<TARGET_FILE:tandem_cuda_sim_asan>)
  set_tests_properties(perf.smoke.device PROPERTIES TIMEOUT 300 LABELS "perf" ENVIRONMENT "${TANDEM_SIM_ENVIRONMENT}")
endif()
