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

# One source of the backend on the toolkit's headers, with a driver of its own.
if(TARGET tandem_cuda AND CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.5)
  add_executable(cuda.sim.virtual_memory ${PROJECT_SOURCE_DIR}/tests/cuda/sim/virtual_memory.cpp)
  target_include_directories(cuda.sim.virtual_memory PRIVATE ${PROJECT_SOURCE_DIR}
    ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/kernels/include)
  target_include_directories(cuda.sim.virtual_memory SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(cuda.sim.virtual_memory PRIVATE tandem_warnings GTest::gtest GTest::gtest_main Threads::Threads)
  set_target_properties(cuda.sim.virtual_memory PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
  add_test(NAME cuda.sim.virtual_memory COMMAND cuda.sim.virtual_memory --gtest_brief=1)
  set_tests_properties(cuda.sim.virtual_memory PROPERTIES TIMEOUT 60 LABELS "unit")
endif()

if(NOT TANDEM_CUDA_SIM)
  return()
endif()

# Stands in for cuBLASLt where TANDEM_VENDOR_LIBRARIES names its folder.
add_library(tandem_fake_blas MODULE ${PROJECT_SOURCE_DIR}/tests/cuda/sim/fake_blas.cpp)
target_include_directories(tandem_fake_blas PRIVATE ${PROJECT_SOURCE_DIR}/tests/cuda/sim
  ${PROJECT_SOURCE_DIR}/runtime/include)
target_link_libraries(tandem_fake_blas PRIVATE tandem_warnings ${CMAKE_DL_LIBS})
set_target_properties(tandem_fake_blas PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim/vendor
  OUTPUT_NAME cublasLt SUFFIX .so.13)

# The same in place of cuFFT.
add_library(tandem_fake_cufft MODULE ${PROJECT_SOURCE_DIR}/tests/cuda/sim/fake_cufft.cpp)
target_link_libraries(tandem_fake_cufft PRIVATE tandem_warnings ${CMAKE_DL_LIBS})
set_target_properties(tandem_fake_cufft PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim/vendor
  OUTPUT_NAME cufft SUFFIX .so.0)

# The same in place of cuBLAS and cuSOLVER, in a folder of their own: with them alone products are our kernels'.
foreach(name IN ITEMS cublas cusolver)
  add_library(tandem_fake_${name} MODULE ${PROJECT_SOURCE_DIR}/tests/cuda/sim/fake_${name}.cpp)
  target_include_directories(tandem_fake_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/cuda/sim ${TANDEM_LAPACKE_INCLUDE})
  target_link_libraries(tandem_fake_${name} PRIVATE tandem_warnings PkgConfig::OPENBLAS ${TANDEM_LAPACKE_LIBRARY}
    ${CMAKE_DL_LIBS})
  set_target_properties(tandem_fake_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/sim/solver
    OUTPUT_NAME ${name})
endforeach()
set_target_properties(tandem_fake_cublas PROPERTIES SUFFIX .so.13)
set_target_properties(tandem_fake_cusolver PROPERTIES SUFFIX .so.12)

file(GLOB TANDEM_SIM_KERNELS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)
# CUB cannot be compiled as C++: no_cub.cpp has what the launchers call.
list(REMOVE_ITEM TANDEM_SIM_KERNELS ${PROJECT_SOURCE_DIR}/kernels/probe.cu ${PROJECT_SOURCE_DIR}/kernels/cub_sort.cu)
file(GLOB TANDEM_SIM_HOST CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
list(REMOVE_ITEM TANDEM_SIM_HOST ${PROJECT_SOURCE_DIR}/kernels/cuda/virtual_memory.cpp)
set_source_files_properties(${PROJECT_SOURCE_DIR}/kernels/cuda/library.cpp PROPERTIES
  COMPILE_DEFINITIONS TANDEM_CUDA_SIMULATED)
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
  add_library(tandem_sim_${variant} OBJECT ${folder}/sim.cpp ${folder}/capture.cpp ${folder}/devices.cpp ${folder}/races.cpp)
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
  add_library(tandem_sim_plain_${variant} OBJECT ${plain} ${TANDEM_SIM_HOST} ${folder}/probe.cpp
    ${folder}/no_cub.cpp ${folder}/no_virtual_memory.cpp)
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

  set(environment "TANDEM_CUDA_LIBRARY=$<TARGET_FILE:tandem_cuda_sim_${variant}>")
  if(variant STREQUAL "asan")
    list(APPEND environment "LD_PRELOAD=${TANDEM_ASAN_LIBRARY}"
      "ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0")
    set(TANDEM_SIM_ASAN_OBJECTS "${objects}" PARENT_SCOPE)
  endif()
  set(TANDEM_SIM_ENVIRONMENT_${variant} "${environment}" PARENT_SCOPE)
endfunction()

# cuda.sim.NAME: a program of tests/cuda, which is otherwise run with whatever device there is, on a simulated one.
#   tandem_add_sim_test(NAME PROGRAM VARIANT [FILTER filter] [TIMEOUT seconds] [ENVIRONMENT NAME=value...])
function(tandem_add_sim_test name program variant)
  cmake_parse_arguments(PARSE_ARGV 3 own "" "FILTER;TIMEOUT" "ENVIRONMENT")
  set(command ${program} --gtest_brief=1)
  if(own_FILTER)
    list(APPEND command --gtest_filter=${own_FILTER})
  endif()
  if(NOT own_TIMEOUT)
    set(own_TIMEOUT 600)
  endif()
  set(environment ${TANDEM_SIM_ENVIRONMENT_${variant}} ${own_ENVIRONMENT})
  add_test(NAME cuda.sim.${name} COMMAND ${command})
  set_tests_properties(cuda.sim.${name} PROPERTIES TIMEOUT ${own_TIMEOUT} LABELS "unit" ENVIRONMENT "${environment}")
  add_dependencies(${program} tandem_cuda_sim_${variant})
endfunction()

tandem_add_sim(races -fsanitize=thread)
# PARTIAL: a call that needs an elementwise kernel, which `races` has not, is left out.
tandem_add_sim_test(parity.races cuda.parity_test races TIMEOUT 1200 ENVIRONMENT TANDEM_SIM_PARTIAL=1
  FILTER "Parity.Copies*:Parity.*Reductions*:Parity.Columns*:Parity.*Calls*")
tandem_add_sim_test(movement.races cuda.movement_test races ENVIRONMENT TANDEM_SIM_PARTIAL=1 TANDEM_REQUIRE_GPU=1
  FILTER "MovementParity.*Size*:MovementParity.Sums*")
tandem_add_sim_test(scan.races cuda.scan_parity_test races ENVIRONMENT TANDEM_SIM_PARTIAL=1 FILTER "-*SeveralPasses")
# The masks' kernels use shared memory.
tandem_add_sim_test(indexing.races cuda.indexing_test races FILTER "*MasksThemselves*")
# So do those of small matrices.
tandem_add_sim_test(small_qr.races cuda.small_qr_test races ENVIRONMENT TANDEM_REQUIRE_GPU=1
  FILTER "*HostsBits*")
tandem_add_sim_test(small_matrix.races cuda.small_matrix_test races ENVIRONMENT TANDEM_REQUIRE_GPU=1
  FILTER "*HostsBits*")
tandem_add_sim_test(small_spectral.races cuda.small_spectral_test races ENVIRONMENT TANDEM_REQUIRE_GPU=1
  FILTER "*Hosts*")

# That the walks about the tiles' boundaries find one that is off by one: launchers.cpp with one source changed in one place.
#   tandem_add_sim_mutant(NAME SOURCE WALK WAS IS)
add_library(tandem_sim_launchers OBJECT ${folder}/launchers.cpp)
target_link_libraries(tandem_sim_launchers PRIVATE tandem_sim_base_races GTest::gtest)
function(tandem_add_sim_mutant name source walk was is)
  set(original ${PROJECT_SOURCE_DIR}/kernels/${source})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${original})
  file(READ ${original} text)
  string(FIND "${text}" "${was}" first)
  string(FIND "${text}" "${was}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "tests/cuda/sim: expected '${was}' once in kernels/${source}: change the mutant ${name} with it")
  endif()
  string(REPLACE "${was}" "${is}" text "${text}")
  set(changed ${CMAKE_CURRENT_BINARY_DIR}/mutants/${name}.cu)
  file(GENERATE OUTPUT ${changed} CONTENT "${text}")
  set_source_files_properties(${changed} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++" GENERATED TRUE)
  add_library(tandem_sim_mutant_${name} OBJECT ${changed})
  target_compile_options(tandem_sim_mutant_${name} PRIVATE -fsanitize=thread)
  target_link_libraries(tandem_sim_mutant_${name} PRIVATE tandem_sim_base_races)

  set(test cuda.sim.mutant.${name})
  string(REPLACE "." "\\." pattern "/${source}")
  set(others $<TARGET_OBJECTS:tandem_sim_plain_races> $<TARGET_OBJECTS:tandem_sim_shared_races>)
  add_executable(${test} "$<FILTER:${others},EXCLUDE,${pattern}>" $<TARGET_OBJECTS:tandem_sim_mutant_${name}>
    $<TARGET_OBJECTS:tandem_sim_races> $<TARGET_OBJECTS:tandem_sim_launchers>)
  target_link_libraries(${test} PRIVATE tandem_sim_base_races GTest::gtest GTest::gtest_main Threads::Threads
    ${CMAKE_DL_LIBS})
  set_target_properties(${test} PROPERTIES LINKER_LANGUAGE CXX RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
  add_test(NAME ${test} COMMAND ${test} --gtest_brief=1 --gtest_filter=Launchers.${walk})
  # A crash, or no test of that name, is no find.
  set_tests_properties(${test} PROPERTIES TIMEOUT 600 LABELS "unit"
    PASS_REGULAR_EXPRESSION "\\[  FAILED  \\] Launchers\\.${walk}")
endfunction()
set(transposes TransposesOfEverySizeAroundTheTiles)
set(products ProductsOfEverySizeAroundTheTiles)
tandem_add_sim_mutant(copy_column copy.cu ${transposes} "&& to_column < p.columns" "&& to_column <= p.columns")
tandem_add_sim_mutant(copy_row copy.cu ${transposes} "if (row < p.rows" "if (row <= p.rows")
tandem_add_sim_mutant(gemm_column gemm.cu ${products} "row < l.m && column < l.n" "row < l.m && column <= l.n")
tandem_add_sim_mutant(gemm_tiles gemm.cu ${products} "(l.m + side - 1) / side" "(l.m + side - 2) / side")

execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libasan.so OUTPUT_VARIABLE TANDEM_ASAN_LIBRARY
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT IS_ABSOLUTE "${TANDEM_ASAN_LIBRARY}")
  message(STATUS "Tandem: no address sanitizer, the kernels are not run under it")
  return()
endif()
tandem_add_sim(asan "-fsanitize=address,undefined;-fno-sanitize-recover=all")
# Every allocation of its own, so that the sanitizer sees the end of each.
set(direct TANDEM_POOL=direct)
tandem_add_sim_test(parity.asan cuda.parity_test asan TIMEOUT 1200 ENVIRONMENT ${direct})
tandem_add_sim_test(movement.asan cuda.movement_test asan ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(scan.asan cuda.scan_parity_test asan ENVIRONMENT ${direct}
  FILTER "-*TotalsOfTotals")  # takes minutes
tandem_add_sim_test(indexing.asan cuda.indexing_test asan TIMEOUT 1200 ENVIRONMENT ${direct})
tandem_add_sim_test(small_matrix cuda.small_matrix_test asan ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1
  FILTER "*Device*")
tandem_add_sim_test(small_qr cuda.small_qr_test asan ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1 FILTER "*Device*")
tandem_add_sim_test(small_spectral cuda.small_spectral_test asan ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(bool_bytes cuda.bool_bytes_test asan TIMEOUT 1200 ENVIRONMENT TANDEM_SIMULATED=1 TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(exact cuda.exact_test asan ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1)
set(vendor TANDEM_VENDOR_LIBRARIES=${CMAKE_BINARY_DIR}/lib/sim/vendor)
tandem_add_sim_test(vendor cuda.vendor_test asan ENVIRONMENT ${direct} ${vendor} TANDEM_REQUIRE_GPU=1)
add_dependencies(cuda.vendor_test tandem_fake_blas)
tandem_add_sim_test(random cuda.random_parity_test asan ENVIRONMENT ${direct})
tandem_add_sim_test(sorting cuda.sorting_parity_test asan ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(fft cuda.fft_library_test asan
  ENVIRONMENT TANDEM_REQUIRE_GPU=1 ${vendor})
tandem_add_sim_test(fft.direct cuda.fft_library_test asan
  ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1 ${vendor})
tandem_add_sim_test(fft.checked cuda.fft_library_test asan
  ENVIRONMENT TANDEM_CHECK=streams TANDEM_REQUIRE_GPU=1 ${vendor})
add_dependencies(cuda.fft_library_test tandem_fake_cufft)
# One thread: LAPACK's small calls are many, and two threads that wait for each other by turns take minutes.
set(solver TANDEM_VENDOR_LIBRARIES=${CMAKE_BINARY_DIR}/lib/sim/solver OMP_NUM_THREADS=1)
# With memory that is given back at once each call waits.
tandem_add_sim_test(solver cuda.solver_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1 ${solver})
tandem_add_sim_test(solver.direct cuda.solver_test asan FILTER "-*DoNotWait"
  ENVIRONMENT ${direct} TANDEM_REQUIRE_GPU=1 ${solver})
tandem_add_sim_test(solver.checked cuda.solver_test asan
  ENVIRONMENT TANDEM_CHECK=streams TANDEM_REQUIRE_GPU=1 ${solver})
add_dependencies(cuda.solver_test tandem_fake_cublas tandem_fake_cusolver)
# What each row asks of the device.
tandem_add_sim_test(calls cuda.calls_test asan ENVIRONMENT ${solver})
add_dependencies(cuda.calls_test tandem_fake_cublas tandem_fake_cusolver)
tandem_add_sim_test(streams cuda.streams_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1)
# Debug mode: what it finds, and that it finds nothing in programs that are right.
tandem_add_sim_test(check cuda.check_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1)
set(checked TANDEM_CHECK=streams)
# That memory is held back shows in what the test counts.
tandem_add_sim_test(streams.checked cuda.streams_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1 TANDEM_CHECK=order)
tandem_add_sim_test(pinned.checked cuda.pinned_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1 TANDEM_CHECK=order)
tandem_add_sim_test(devices.checked cuda.devices_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1 TANDEM_CHECK=order
  FILTER "-*EveryTwo")  # of many sizes
tandem_add_sim_test(graph.checked cuda.graph_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1 ${checked})
tandem_add_sim_test(scan.checked cuda.scan_parity_test asan ENVIRONMENT ${checked} FILTER "-*TotalsOfTotals")
tandem_add_sim_test(c_calls.checked c.c_calls asan ENVIRONMENT ${checked})
tandem_add_sim_test(graph cuda.graph_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(graph.plain cuda.graph_test asan ENVIRONMENT TANDEM_POOL=plain TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(c_api c.c_api asan)
tandem_add_sim_test(c_calls c.c_calls asan)
tandem_add_sim_test(c_graphs c.c_graphs asan)
tandem_add_sim_test(c_memory c.c_memory asan ENVIRONMENT TANDEM_SIMULATED=1)
tandem_add_sim_test(mr_later memory.mr_later asan)
tandem_add_sim_test(resource memory.resource_test asan)
# The sanitizer of GCC 12 does not hold its own allocator's locks across a fork: the child of a process where another
# thread allocates for the first time may find one taken.
tandem_add_sim_test(fork process.fork_test asan FILTER "-*FirstTime*:*BeginWithOps*")
tandem_add_sim_test(devices cuda.devices_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1)
tandem_add_sim_test(pinned cuda.pinned_test asan ENVIRONMENT TANDEM_REQUIRE_GPU=1)
if(TARGET tandem_python)
  # The sanitizer looks for the C++ run time, which the interpreter does not have, when it starts.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libstdc++.so OUTPUT_VARIABLE TANDEM_STDCXX_LIBRARY
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(python "${TANDEM_SIM_ENVIRONMENT_asan};LD_PRELOAD=${TANDEM_ASAN_LIBRARY} ${TANDEM_STDCXX_LIBRARY};PYTHONPATH=${CMAKE_BINARY_DIR}/python")
  function(tandem_add_sim_python name environment)
    list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/tests/python/test_)
    list(TRANSFORM ARGN APPEND .py)
    add_test(NAME cuda.sim.${name} COMMAND ${Python_EXECUTABLE} -m pytest -q -p no:cacheprovider ${ARGN})
    set_tests_properties(cuda.sim.${name} PROPERTIES TIMEOUT 600 LABELS "unit" ENVIRONMENT "${python};${environment}")
  endfunction()
  # With the stand-ins of cuSOLVER and cuBLAS.
  tandem_add_sim_python(python "${solver}" cuda_streams memory exchange_cuda array_api array_api_tensor tour)
  # A missing wait between libraries' streams is an error here.
  tandem_add_sim_python(python.checked TANDEM_CHECK=order exchange_cuda)
  # Memory is overwritten when it is freed: what reads it then, instrumented or not, reads something else.
  tandem_add_sim_python(python.exchange
    "${direct};ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:max_free_fill_size=1048576:free_fill_byte=85" exchange_cuda exchange_dlpack exchange_buffer exchange_lifetimes)
  add_test(NAME cuda.sim.docstrings COMMAND ${Python_EXECUTABLE} -m pytest -q -p no:cacheprovider
    ${PROJECT_SOURCE_DIR}/tests/python/test_docstrings.py -k "cuda or Stream or record_stream")
  set_tests_properties(cuda.sim.docstrings PROPERTIES TIMEOUT 300 LABELS "unit" ENVIRONMENT "${python}")
endif()
set(TANDEM_SIM_ENVIRONMENT "${TANDEM_SIM_ENVIRONMENT_asan}")  # of other folders' tests too

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
