# The kernels' PTX, run on the CPU and compared with the host backend: the interpreter, its tests, and tests that it
# finds what is planted in a kernel written by hand. The kernels of libtandem_cuda where its PTX can be read.
set(folder ${PROJECT_SOURCE_DIR}/tests/cuda/ptx)
add_library(tandem_ptx STATIC ${folder}/lexer.cpp ${folder}/parser.cpp ${folder}/ops.cpp ${folder}/convert.cpp
  ${folder}/code.cpp ${folder}/run.cpp)
target_include_directories(tandem_ptx PUBLIC ${PROJECT_SOURCE_DIR})
target_compile_options(tandem_ptx PRIVATE -O3 ${TANDEM_NUMERIC_FLAGS} ${TANDEM_ISA_FLAGS_v3})
target_link_libraries(tandem_ptx PRIVATE tandem_warnings)
target_link_libraries(cuda.ptx.machine_test PRIVATE tandem_ptx)

add_executable(ptx_parity ${folder}/parity.cpp ${folder}/checker.cpp ${folder}/inputs.cpp ${folder}/library.cpp ${folder}/cases.cpp)
target_compile_options(ptx_parity PRIVATE -O2 -Wno-unknown-pragmas)
target_include_directories(ptx_parity PRIVATE ${PROJECT_SOURCE_DIR}/tests/cuda/sim)
target_link_libraries(ptx_parity PRIVATE tandem_test_base tandem_ptx)
set_target_properties(ptx_parity PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests
  BUILD_RPATH "$ORIGIN/../../lib")

function(tandem_add_ptx_test name)
  add_test(NAME cuda.ptx.${name} COMMAND ptx_parity ${ARGN})
  set_tests_properties(cuda.ptx.${name} PROPERTIES TIMEOUT 600 LABELS "unit" SKIP_RETURN_CODE 77)
endfunction()

# `expected` is a regular expression of what must be printed.
function(tandem_add_planted name expected)
  set(plants "")
  foreach(plant IN LISTS ARGN)
    list(APPEND plants --plant "${plant}")
  endforeach()
  tandem_add_ptx_test(${name} ${folder}/planted.ptx --only "AddScaled, float" ${plants})
  set_tests_properties(cuda.ptx.${name} PROPERTIES PASS_REGULAR_EXPRESSION "${expected}")
endfunction()
tandem_add_ptx_test(accepts ${folder}/planted.ptx --only "AddScaled, float")
tandem_add_planted(finds.contraction "[0-9]+ of [0-9]+ elements differ" "mul.rn.f32=mul.f32" "add.rn.f32=add.f32")
tandem_add_planted(finds.one_too_few "got a5a5a5a5" "sub.s64 \t%rd1, %rd1, 0=sub.s64 \t%rd1, %rd1, 1")
tandem_add_planted(finds.one_too_many "a load of 4 bytes outside the operands" "setp.ge.s64=setp.gt.s64")
tandem_add_planted(finds.estimate "an approximate instruction in div.approx.f32" "mul.rn.f32=div.approx.f32")
tandem_add_planted(finds.flush "unknown instruction in add.rn.ftz.f32" "add.rn.f32=add.rn.ftz.f32")

if(TANDEM_CUDA_READABLE)
  tandem_add_ptx_test(parity $<TARGET_FILE:tandem_cuda>)
endif()

# The simulated device (tests/cuda/sim) with kernels run from their PTX: every kernel that the parity tests launch. Its
# launchers are those that are built with the address sanitizer.
if(TARGET tandem_cuda_sim_asan)
  add_library(tandem_cuda_ptx MODULE ${TANDEM_SIM_ASAN_OBJECTS} ${folder}/device.cpp ${folder}/library.cpp)
  target_link_libraries(tandem_cuda_ptx PRIVATE tandem_sim_base_asan tandem_ptx tandem_warnings ${CMAKE_DL_LIBS})
  target_link_options(tandem_cuda_ptx PRIVATE -fsanitize=address,undefined)
  set_target_properties(tandem_cuda_ptx PROPERTIES LINKER_LANGUAGE CXX
    BUILD_RPATH "${CUDAToolkit_LIBRARY_DIR}"  # NVRTC's
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim)
  set(TANDEM_SIM_ENVIRONMENT_PTX ${TANDEM_SIM_ENVIRONMENT})
  list(FILTER TANDEM_SIM_ENVIRONMENT_PTX EXCLUDE REGEX "^TANDEM_CUDA_LIBRARY=")
  if(TANDEM_CUDA_READABLE)
    add_test(NAME cuda.ptx.device COMMAND cuda.parity_test --gtest_brief=1)
    set_tests_properties(cuda.ptx.device PROPERTIES TIMEOUT 1200 LABELS "unit" ENVIRONMENT
      "TANDEM_CUDA_LIBRARY=$<TARGET_FILE:tandem_cuda_ptx>;TANDEM_PTX_LIBRARY=$<TARGET_FILE:tandem_cuda>;${TANDEM_SIM_ENVIRONMENT_PTX}")
    add_dependencies(cuda.parity_test tandem_cuda_ptx)
  endif()
  # NVRTC's PTX of users' kernels; all others run by their C++.
  add_test(NAME cuda.ptx.source_kernels COMMAND cuda.source_kernel_test --gtest_brief=1)
  set_tests_properties(cuda.ptx.source_kernels PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT
    "TANDEM_CUDA_LIBRARY=$<TARGET_FILE:tandem_cuda_ptx>;${TANDEM_SIM_ENVIRONMENT_PTX}")
  add_dependencies(cuda.source_kernel_test tandem_cuda_ptx)
endif()
