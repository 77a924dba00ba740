# The traces beside this file: the program that records them, and the test that it makes the same ones.
set(traces ${PROJECT_SOURCE_DIR}/perf/traces)
add_executable(record_traces ${traces}/record.cpp ${traces}/cnn.cpp ${traces}/frames.cpp ${traces}/streams.cpp
  ${traces}/transformer.cpp)
target_include_directories(record_traces PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(record_traces PRIVATE tandem_warnings Tandem::tandem fmt::fmt)
set_target_properties(record_traces PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/tests
  BUILD_RPATH "$ORIGIN/../../lib")
add_test(NAME memory.traces_recorded COMMAND record_traces ${traces} --check)
set_tests_properties(memory.traces_recorded PROPERTIES TIMEOUT 120 LABELS "unit")
