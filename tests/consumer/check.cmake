# Installs the build into an empty prefix, builds this folder's project against it in another place, and runs it.
# Run by CTest as: cmake -D BUILD=... -D SOURCE=... -D WORK=... -P check.cmake
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}\n${output}")
  endif()
  message("${output}")
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
# Moved after the installation: no absolute path of the build may matter.
file(RENAME ${WORK}/prefix ${WORK}/moved)
# The README's program is built too, so that it stays true.
file(READ ${SOURCE}/../../README.md readme)
if(NOT readme MATCHES "```cpp\n(([^`]|`[^`])*)\n```")
  message(FATAL_ERROR "README.md: no block of C++ found")
endif()
file(WRITE ${WORK}/readme.cpp "${CMAKE_MATCH_1}\n")
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/moved
  -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=Release -DREADME=${WORK}/readme.cpp)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
run(${WORK}/build/readme)
if(EXISTS ${WORK}/moved/bin/tandem)
  run(${WORK}/moved/bin/tandem info)
endif()
