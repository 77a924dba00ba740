# libtandem_lapack (OpenBLAS and LAPACKE) and libtandem_onednn, opened by libtandem at the first call that needs them,
# from its own folder: a process that multiplies nothing large does not load 60 MB of libraries. Nothing links them.
function(tandem_host_library name entry)
  add_library(${name} MODULE ${ARGN})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${TANDEM_LAPACKE_INCLUDE})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE tandem_warnings)
  target_link_options(${name} PRIVATE -Wl,-z,nodelete)
  set_target_properties(${name} PROPERTIES BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN")
  if(NOT TANDEM_SANITIZE)
    set(exports ${PROJECT_BINARY_DIR}/exports_${name}.map)
    file(CONFIGURE OUTPUT ${exports} CONTENT "{ global: ${entry}; local: *; };\n")
    target_link_options(${name} PRIVATE -Wl,--version-script=${exports})
  endif()
  add_dependencies(tandem ${name})  # whoever builds a program finds it beside libtandem
endfunction()

tandem_host_library(tandem_onednn tandem_onednn_open ${PROJECT_SOURCE_DIR}/host/onednn/onednn.cpp)
target_link_libraries(tandem_onednn PRIVATE DNNL::dnnl Threads::Threads)

tandem_host_library(tandem_lapack tandem_lapack_open ${PROJECT_SOURCE_DIR}/host/lapack/lapack.cpp)
if(TANDEM_STATIC_BLAS)
  target_sources(tandem_lapack PRIVATE ${PROJECT_SOURCE_DIR}/host/lapack/fortran.c)
  target_link_libraries(tandem_lapack PRIVATE ${TANDEM_STATIC_BLAS} OpenMP::OpenMP_CXX m)
  target_link_options(tandem_lapack PRIVATE -Wl,-z,defs)
else()
  target_link_libraries(tandem_lapack PRIVATE PkgConfig::OPENBLAS ${TANDEM_LAPACKE_LIBRARY})
endif()
target_include_directories(tandem_lapack SYSTEM PRIVATE ${OPENBLAS_INCLUDE_DIRS})
