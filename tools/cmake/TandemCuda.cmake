# libtandem_cuda: the CUDA backend, opened by libtandem at run time. The CUDA runtime is linked statically; the
# driver (libcuda) and the vendor libraries are opened when they are needed, never linked.
file(GLOB TANDEM_CUDA_KERNELS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)
file(GLOB TANDEM_CUDA_HOST CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)

option(TANDEM_CUDA_COMPRESS "Compress the device code; OFF where tools/ptx_scan.py is to read it" ON)

# Whether the tests can read the kernels: their PTX lies open in the library, and is that of the architecture for which
# occupancy is claimed and instructions are known.
set(TANDEM_CUDA_READABLE OFF)
if(NOT TANDEM_CUDA_COMPRESS AND "${CMAKE_CUDA_ARCHITECTURES}" STREQUAL "90")
  set(TANDEM_CUDA_READABLE ON)
endif()

add_library(tandem_cuda MODULE ${TANDEM_CUDA_KERNELS} ${TANDEM_CUDA_HOST})
list(JOIN CMAKE_CUDA_ARCHITECTURES " " TANDEM_CUDA_ARCHITECTURE_LIST)
target_compile_definitions(tandem_cuda PRIVATE TANDEM_BUILDING
  TANDEM_CUDA_ARCHITECTURES="${TANDEM_CUDA_ARCHITECTURE_LIST}")
target_compile_options(tandem_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:${TANDEM_NUMERIC_FLAGS}>
  $<$<COMPILE_LANGUAGE:CUDA>:${TANDEM_CUDA_NUMERIC_FLAGS} --expt-relaxed-constexpr
    $<$<NOT:$<BOOL:${TANDEM_CUDA_COMPRESS}>>:-no-compress>
    -diag-suppress=186  # comparisons with zero in code that is generic over signed and unsigned types
    -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas,-ffp-contract=off>)
target_include_directories(tandem_cuda PRIVATE ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/kernels/include)
target_link_options(tandem_cuda PRIVATE -Wl,-z,nodelete)
if(NOT TANDEM_SANITIZE)
  set(TANDEM_CUDA_EXPORTS ${PROJECT_SOURCE_DIR}/tools/cmake/exports_cuda.map)
  target_link_options(tandem_cuda PRIVATE -Wl,--version-script=${TANDEM_CUDA_EXPORTS})
  set_property(TARGET tandem_cuda APPEND PROPERTY LINK_DEPENDS ${TANDEM_CUDA_EXPORTS})
endif()
target_link_libraries(tandem_cuda PRIVATE tandem_warnings CUDA::cudart_static ${CMAKE_DL_LIBS})
set_target_properties(tandem_cuda PROPERTIES PREFIX lib CUDA_RUNTIME_LIBRARY Static
  CUDA_SEPARABLE_COMPILATION OFF CUDA_VISIBILITY_PRESET hidden
  BUILD_RPATH "$ORIGIN;${CUDAToolkit_LIBRARY_DIR}" INSTALL_RPATH "$ORIGIN")
