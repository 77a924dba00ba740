# Installs the build into an empty prefix, builds this folder's project against it in another place, and runs it.
# Run by CTest as: cmake -D BUILD=... -D SOURCE=... -D WORK=... -P check.cmake
include(${CMAKE_CURRENT_LIST_DIR}/package.cmake)
write_block(${SOURCE}/../../README.md cpp ${WORK}/readme.cpp)
build_project(${SOURCE} ${WORK}/build -DCMAKE_CXX_COMPILER=${CXX} -DREADME=${WORK}/readme.cpp)
run(${WORK}/build/consumer)
run(${WORK}/build/readme)
if(EXISTS ${WORK}/moved/bin/tandem)
  run(${WORK}/moved/bin/tandem info)
endif()
