# libtandem_fftw: FFTW for tandem::fft on the host, opened by libtandem where it lies beside it. FFTW is under the GPL:
# nothing links this library, and it is installed as a component of its own, which is in no wheel and no image.
add_library(tandem_fftw MODULE ${PROJECT_SOURCE_DIR}/host/fftw/fftw.cpp)
target_include_directories(tandem_fftw PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include
  ${PROJECT_SOURCE_DIR}/kernels/include)
target_include_directories(tandem_fftw SYSTEM PRIVATE ${TANDEM_FFTW_INCLUDE})
target_compile_features(tandem_fftw PRIVATE cxx_std_20)
target_link_libraries(tandem_fftw PRIVATE tandem_warnings ${TANDEM_fftw3_threads_LIBRARY}
  ${TANDEM_fftw3f_threads_LIBRARY} ${TANDEM_fftw3_LIBRARY} ${TANDEM_fftw3f_LIBRARY} Threads::Threads)
target_link_options(tandem_fftw PRIVATE -Wl,-z,nodelete)
if(NOT TANDEM_SANITIZE)
  set(TANDEM_FFTW_EXPORTS ${PROJECT_SOURCE_DIR}/tools/cmake/exports_fftw.map)
  target_link_options(tandem_fftw PRIVATE -Wl,--version-script=${TANDEM_FFTW_EXPORTS})
  set_property(TARGET tandem_fftw APPEND PROPERTY LINK_DEPENDS ${TANDEM_FFTW_EXPORTS})
endif()
add_dependencies(tandem tandem_fftw)  # whoever builds a program finds it beside libtandem
