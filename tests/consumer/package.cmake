# For the scripts of this folder: an installed Tandem in ${WORK}/moved.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}\n${output}")
  endif()
  message("${output}")
  set(RUN_OUTPUT "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
# Moved after the installation: no absolute path of the build may matter.
file(RENAME ${WORK}/prefix ${WORK}/moved)

# Writes the first block of a language that stands in a document to a file, so that the document stays true.
function(write_block document language file)
  file(READ ${document} text)
  if(NOT text MATCHES "```${language}\n(([^`]|`[^`])*)\n```")
    message(FATAL_ERROR "${document}: no block of ${language} found")
  endif()
  file(WRITE ${file} "${CMAKE_MATCH_1}\n")
endfunction()

function(build_project source build)
  run(${CMAKE_COMMAND} -S ${source} -B ${build} -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/moved -DCMAKE_BUILD_TYPE=Release
    ${ARGN})
  run(${CMAKE_COMMAND} --build ${build})
endfunction()
