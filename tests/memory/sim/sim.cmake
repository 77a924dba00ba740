# The simulated driver and the random programs on it. The pool is compiled in, without the rest of libtandem: a build with
# a sanitizer takes a minute.
set(folder ${PROJECT_SOURCE_DIR}/tests/memory/sim)

file(GLOB TANDEM_MEMORY_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/memory/*.cpp)
list(FILTER TANDEM_MEMORY_SOURCES EXCLUDE REGEX "/(pools|backend_driver|pinned|lend)\\.cpp$")
add_library(tandem_memory_alone OBJECT ${TANDEM_MEMORY_SOURCES} ${PROJECT_SOURCE_DIR}/runtime/base/device.cpp
  ${PROJECT_SOURCE_DIR}/runtime/base/trace.cpp)
target_compile_definitions(tandem_memory_alone PRIVATE TANDEM_BUILDING)
target_include_directories(tandem_memory_alone PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime/include
  ${PROJECT_SOURCE_DIR}/kernels/include)
target_link_libraries(tandem_memory_alone PRIVATE tandem_warnings PUBLIC fmt::fmt
  nlohmann_json::nlohmann_json Threads::Threads)

file(GLOB TANDEM_MEMORY_SIM CONFIGURE_DEPENDS ${folder}/*.cpp)
list(FILTER TANDEM_MEMORY_SIM EXCLUDE REGEX "/(soak|fuzz|trace_replay|[a-z_]*_test)\\.cpp$")
add_library(tandem_memory_sim OBJECT ${TANDEM_MEMORY_SIM})
# A million steps are many: as fast as it gets in every build.
target_compile_options(tandem_memory_sim PRIVATE -O2)
target_link_libraries(tandem_memory_sim PRIVATE tandem_warnings PUBLIC tandem_memory_alone)

foreach(test IN ITEMS sim_driver_test sim_mapped_test programs_test failings_test growth_test moves_test traces_test
    host_programs_test inspect_test)
  add_executable(memory.${test} ${folder}/${test}.cpp)
  target_link_libraries(memory.${test} PRIVATE tandem_warnings tandem_memory_sim
    tandem_memory_alone GTest::gtest GTest::gtest_main)
  target_compile_options(memory.${test} PRIVATE -O1)
  set_target_properties(memory.${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
  add_test(NAME memory.${test} COMMAND memory.${test} --gtest_brief=1)
  set_tests_properties(memory.${test} PROPERTIES TIMEOUT 600 LABELS "unit")
endforeach()

set_tests_properties(memory.traces_test PROPERTIES ENVIRONMENT TANDEM_TRACES=${PROJECT_SOURCE_DIR}/perf/traces)

add_executable(memory_fuzz ${folder}/fuzz.cpp)
target_link_libraries(memory_fuzz PRIVATE tandem_warnings tandem_memory_sim tandem_memory_alone)
set_target_properties(memory_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
add_test(NAME memory.fuzz COMMAND memory_fuzz --draw 3000)
set_tests_properties(memory.fuzz PROPERTIES TIMEOUT 600 LABELS "unit")

add_executable(memory_soak ${folder}/soak.cpp)
target_link_libraries(memory_soak PRIVATE tandem_warnings tandem_memory_sim tandem_memory_alone)
set_target_properties(memory_soak PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)

add_executable(trace_replay ${folder}/trace_replay.cpp)
target_link_libraries(trace_replay PRIVATE tandem_warnings tandem_memory_sim tandem_memory_alone)
set_target_properties(trace_replay PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)

# The tests with threads once more with the thread sanitizer, in every build that has none itself.
if(NOT TANDEM_SANITIZE)
  add_executable(memory.pool_threads_tsan ${PROJECT_SOURCE_DIR}/tests/memory/pool_threads_test.cpp
    $<TARGET_PROPERTY:tandem_memory_alone,SOURCES>)
  target_include_directories(memory.pool_threads_tsan PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime/include
    ${PROJECT_SOURCE_DIR}/kernels/include)
  target_compile_definitions(memory.pool_threads_tsan PRIVATE TANDEM_BUILDING)
  target_compile_options(memory.pool_threads_tsan PRIVATE -O1 -g1 -fsanitize=thread)
  target_link_options(memory.pool_threads_tsan PRIVATE -fsanitize=thread)
  target_link_libraries(memory.pool_threads_tsan PRIVATE tandem_warnings fmt::fmt nlohmann_json::nlohmann_json
    Threads::Threads GTest::gtest
    GTest::gtest_main)
  set_target_properties(memory.pool_threads_tsan PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests)
  add_test(NAME memory.pool_threads_tsan COMMAND memory.pool_threads_tsan --gtest_brief=1)
  set_tests_properties(memory.pool_threads_tsan PROPERTIES TIMEOUT 600 LABELS "unit")
endif()

include(${PROJECT_SOURCE_DIR}/perf/traces/traces.cmake)
