# What `cmake --install` puts where, so that find_package(Tandem) and pkg-config find it.
include(CMakePackageConfigHelpers)
set(TANDEM_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Tandem)

install(TARGETS tandem EXPORT TandemTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
# Opened by libtandem, from its own folder; nothing links to them.
install(TARGETS tandem_lapack tandem_onednn LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime)
if(TARGET tandem_cuda)
  install(TARGETS tandem_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime)
endif()
if(TARGET tandem_fftw)
  # Under the GPL with FFTW in it: `cmake --install BUILD --component fftw`, and never with the rest.
  install(TARGETS tandem_fftw LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT fftw EXCLUDE_FROM_ALL)
endif()
if(TARGET tandem_command)
  install(TARGETS tandem_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/ ${PROJECT_SOURCE_DIR}/kernels/include/
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)

install(EXPORT TandemTargets NAMESPACE Tandem:: DESTINATION ${TANDEM_CONFIG_DIR} COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/TandemConfig.cmake.in
  ${CMAKE_BINARY_DIR}/TandemConfig.cmake INSTALL_DESTINATION ${TANDEM_CONFIG_DIR})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/TandemConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/TandemConfig.cmake ${CMAKE_BINARY_DIR}/TandemConfigVersion.cmake
  DESTINATION ${TANDEM_CONFIG_DIR} COMPONENT development)

# Relative to the file's own place, so that an installation can be moved.
file(RELATIVE_PATH TANDEM_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" TANDEM_PC_PREFIX "${TANDEM_PC_PREFIX}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/tandem.pc.in ${CMAKE_BINARY_DIR}/tandem.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/tandem.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
