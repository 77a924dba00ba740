# TANDEM_STATIC=ON, for a wheel: archives of the libraries above in the place of shared ones. Distributions make some of
# their archives for programs alone, so that each list is linked into a shared library here and now: TANDEM_STATIC_BLAS and
# TANDEM_STATIC_IO are empty where that fails, and shared libraries are linked, which auditwheel puts into a wheel.
set(TANDEM_STATIC_BLAS "")
set(TANDEM_STATIC_IO "")
set(TANDEM_STATIC_IO_OPTIONS -Wl,--wrap=stdin,--wrap=stdout,--wrap=stderr)  # runtime/io/hdf5_streams.c

function(tandem_archives list)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "NAMES;SOURCES;INCLUDES;OPTIONS")
  set(found "")
  foreach(name IN LISTS arg_NAMES)
    find_library(TANDEM_ARCHIVE_${name} NAMES lib${name}.a HINTS ${OPENBLAS_LIBRARY_DIRS})
    if(NOT TANDEM_ARCHIVE_${name})
      message(WARNING "TANDEM_STATIC=ON, but lib${name}.a was not found; shared libraries are linked instead")
      return()
    endif()
    list(APPEND found ${TANDEM_ARCHIVE_${name}})
  endforeach()
  list(TRANSFORM arg_INCLUDES PREPEND -I)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -shared -fPIC -fopenmp -o ${PROJECT_BINARY_DIR}/archives.so
    ${arg_INCLUDES} ${arg_SOURCES} ${arg_OPTIONS} -Wl,-z,defs
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/tools/cmake/exports.map ${found} -lm
    RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  file(REMOVE ${PROJECT_BINARY_DIR}/archives.so)
  if(failed)
    string(SUBSTRING "${output}" 0 2000 output)
    message(WARNING "TANDEM_STATIC=ON, but these do not link: ${found}; shared libraries are linked instead\n${output}")
    return()
  endif()
  message(STATUS "Tandem: linked in: ${found}")
  set(${list} ${found} PARENT_SCOPE)
endfunction()

tandem_archives(TANDEM_STATIC_BLAS NAMES lapacke openblas INCLUDES ${PROJECT_SOURCE_DIR} ${TANDEM_LAPACKE_INCLUDE}
  ${OPENBLAS_INCLUDE_DIRS} SOURCES ${PROJECT_SOURCE_DIR}/host/lapack/lapack.cpp -x c
  ${PROJECT_SOURCE_DIR}/host/lapack/fortran.c -x none)
file(WRITE ${PROJECT_BINARY_DIR}/archives.cpp "#include <cstdio>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <jpeglib.h>
#include <png.h>
void* uses[] = {(void*)&H5Fopen, (void*)&H5Dread, (void*)&H5Dwrite, (void*)&H5DSset_scale, (void*)&H5DSset_label,
  (void*)&png_create_read_struct, (void*)&png_create_write_struct, (void*)&jpeg_CreateDecompress, (void*)&jpeg_CreateCompress};
")
tandem_archives(TANDEM_STATIC_IO NAMES hdf5_serial_hl hdf5_serial sz aec png16 jpeg z INCLUDES ${HDF5_INCLUDE_DIRS}
  ${PNG_INCLUDE_DIRS} ${JPEG_INCLUDE_DIRS} OPTIONS ${TANDEM_STATIC_IO_OPTIONS}
  SOURCES ${PROJECT_BINARY_DIR}/archives.cpp -x c ${PROJECT_SOURCE_DIR}/runtime/io/hdf5_streams.c -x none)
