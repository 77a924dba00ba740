# The `tandem` command: tools/tandem/*.cpp. The target has another name, since `tandem` is the library.
file(GLOB TANDEM_COMMAND_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/tandem/*.cpp)
find_package(CLI11 REQUIRED)
add_executable(tandem_command ${TANDEM_COMMAND_SOURCES})
set_target_properties(tandem_command PROPERTIES OUTPUT_NAME tandem
  BUILD_RPATH "$ORIGIN/../lib" INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
target_link_libraries(tandem_command PRIVATE tandem_warnings Tandem::tandem CLI11::CLI11
  nlohmann_json::nlohmann_json fmt::fmt)
target_include_directories(tandem_command PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_options(tandem_command PRIVATE -O1)  # the work is in the library; its headers cost most of the build
target_compile_definitions(tandem_command PRIVATE TANDEM_VERSION="${PROJECT_VERSION}")
