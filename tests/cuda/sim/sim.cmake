# The CUDA backend's own sources, compiled as C++ and run on the CPU (tests/cuda/sim/sim.cpp). As libtandem_cuda_sim
# the parity tests open them in place of libtandem_cuda, so that launchers and kernels are executed where no GPU is.
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

if(TANDEM_CUDA_FOUND)
  add_test(NAME cuda.ptx COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/ptx_scan.py
    --nvcc ${CMAKE_CUDA_COMPILER} --root ${PROJECT_SOURCE_DIR})
  set_tests_properties(cuda.ptx PROPERTIES TIMEOUT 600 LABELS "unit")
endif()
if(NOT TANDEM_CUDA_SIM)
  return()
endif()

file(GLOB TANDEM_SIM_KERNELS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)
list(REMOVE_ITEM TANDEM_SIM_KERNELS ${PROJECT_SOURCE_DIR}/kernels/probe.cu)
file(GLOB TANDEM_SIM_HOST CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
list(REMOVE_ITEM TANDEM_SIM_HOST ${PROJECT_SOURCE_DIR}/kernels/cuda/blas.cpp)
set_source_files_properties(${TANDEM_SIM_KERNELS} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")

set(folder ${PROJECT_SOURCE_DIR}/tests/cuda/sim)
add_library(tandem_sim_base INTERFACE)
target_include_directories(tandem_sim_base INTERFACE ${folder} ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/kernels/include)
target_compile_definitions(tandem_sim_base INTERFACE TANDEM_CUDA_ARCHITECTURES="simulated")
# -O1: most of the time goes into compiling; the bits are the same at every level.
target_compile_options(tandem_sim_base INTERFACE -O1 -g0 ${TANDEM_NUMERIC_FLAGS} -Wno-unknown-pragmas)

add_library(tandem_sim_objects OBJECT ${TANDEM_SIM_KERNELS} ${TANDEM_SIM_HOST}
  ${folder}/sim.cpp ${folder}/probe.cpp ${folder}/no_blas.cpp)
target_link_libraries(tandem_sim_objects PRIVATE tandem_sim_base)
add_library(tandem_cuda_sim MODULE $<TARGET_OBJECTS:tandem_sim_objects>)
set_target_properties(tandem_cuda_sim PROPERTIES LINKER_LANGUAGE CXX
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim)

# The kernels and launchers by hand-made launches, without libtandem.
function(tandem_add_sim_test name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE tandem_sim_base GTest::gtest GTest::gtest_main Threads::Threads
    ${CMAKE_DL_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "unit")
endfunction()
tandem_add_sim_test(cuda.sim.kernels ${folder}/kernels.cpp ${folder}/sim.cpp)
tandem_add_sim_test(cuda.sim.launchers ${folder}/launchers.cpp $<TARGET_OBJECTS:tandem_sim_objects>)

# The parity tests once with whatever device there is, once with the simulated one.
add_test(NAME cuda.sim.parity COMMAND cuda.parity_test --gtest_brief=1)
set_tests_properties(cuda.sim.parity PROPERTIES TIMEOUT 1200 LABELS "unit"
  ENVIRONMENT "TANDEM_CUDA_LIBRARY=$<TARGET_FILE:tandem_cuda_sim>")
add_dependencies(cuda.parity_test tandem_cuda_sim)
if(TARGET tandem_bench)
  add_test(NAME perf.smoke.device COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/perf/smoke.py
    $<TARGET_FILE:tandem_bench> $<TARGET_FILE:tandem_cuda_sim>)
  set_tests_properties(perf.smoke.device PROPERTIES TIMEOUT 300 LABELS "perf")
endif()
