# libtandem: the runtime and the OpenMP backend. Shared only: the backend registry must exist once a process.
file(GLOB_RECURSE TANDEM_RUNTIME_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/*.cpp)
# host/*.cpp are compiled once; host/isa/*.cpp once a SIMD level, each in the namespace of its level.
file(GLOB TANDEM_HOST_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/*.cpp)
file(GLOB TANDEM_ISA_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/isa/*.cpp)

# The functors' texts, for kernels that are compiled at run time.
file(GLOB TANDEM_TEXTS CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/kernels/functors/*.h)
list(APPEND TANDEM_TEXTS runtime/include/tandem/fn.h runtime/include/tandem/stored.h
  kernels/include/tandem/ops/unary.def kernels/include/tandem/ops/binary.def runtime/include/tandem/dtypes.def)
set(TANDEM_TEXTS_CPP ${PROJECT_BINARY_DIR}/generated/source_headers.cpp)
list(TRANSFORM TANDEM_TEXTS PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE TANDEM_TEXT_PATHS)
add_custom_command(OUTPUT ${TANDEM_TEXTS_CPP} VERBATIM
  COMMAND ${CMAKE_COMMAND} -DOUT=${TANDEM_TEXTS_CPP} -DROOT=${PROJECT_SOURCE_DIR} "-DFILES=${TANDEM_TEXTS}"
    -P ${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake
  DEPENDS ${TANDEM_TEXT_PATHS} ${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake)

add_library(tandem SHARED ${TANDEM_RUNTIME_SOURCES} ${TANDEM_HOST_SOURCES} ${TANDEM_TEXTS_CPP})
add_library(Tandem::tandem ALIAS tandem)
target_compile_definitions(tandem PRIVATE TANDEM_BUILDING TANDEM_VERSION="${PROJECT_VERSION}")
target_compile_options(tandem PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${TANDEM_NUMERIC_FLAGS}>)
target_compile_features(tandem PUBLIC cxx_std_20)
target_include_directories(tandem
  PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime/include>
         $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/kernels/include>
         $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  PRIVATE ${PROJECT_SOURCE_DIR} ${TANDEM_LAPACKE_INCLUDE} ${OPENBLAS_INCLUDE_DIRS})
target_link_libraries(tandem PRIVATE tandem_warnings OpenMP::OpenMP_CXX fmt::fmt
  nlohmann_json::nlohmann_json Threads::Threads ${CMAKE_DL_LIBS})
if(TANDEM_STATIC_IO)
  target_sources(tandem PRIVATE ${PROJECT_SOURCE_DIR}/runtime/io/hdf5_streams.c)
  target_include_directories(tandem SYSTEM PRIVATE ${HDF5_INCLUDE_DIRS} ${JPEG_INCLUDE_DIRS} ${PNG_INCLUDE_DIRS})
  target_link_libraries(tandem PRIVATE ${TANDEM_STATIC_IO_OPTIONS} ${TANDEM_STATIC_IO} m)
else()
  target_link_libraries(tandem PRIVATE PNG::PNG JPEG::JPEG HDF5::HDF5 ${HDF5_HL_LIBRARIES})
endif()
set_target_properties(tandem PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN")
# Threads that used the library run destructors of it when they end, and a fork calls into it: it stays once it is there.
target_link_options(tandem PRIVATE -Wl,-z,nodelete)
if(NOT TANDEM_SANITIZE)  # which has names of its own to share
  set(TANDEM_EXPORTS ${PROJECT_SOURCE_DIR}/tools/cmake/exports.map)
  # No name is left open: one of OpenBLAS, say, which is for its plug-in (host/lapack.h).
  target_link_options(tandem PRIVATE -Wl,--version-script=${TANDEM_EXPORTS} -Wl,-z,defs)
  set_property(TARGET tandem APPEND PROPERTY LINK_DEPENDS ${TANDEM_EXPORTS})
endif()

if(NOT TANDEM_SANITIZE)  # sanitizer builds keep their own level: -O3 would double their time
  set(TANDEM_ISA_OPTIMIZE -O3)
endif()
foreach(level IN LISTS TANDEM_ISA_LEVELS)
  add_library(tandem_isa_${level} OBJECT ${TANDEM_ISA_SOURCES})
  target_compile_definitions(tandem_isa_${level} PRIVATE TANDEM_BUILDING TANDEM_ISA=${level})
  target_compile_options(tandem_isa_${level} PRIVATE ${TANDEM_ISA_OPTIMIZE}
    ${TANDEM_NUMERIC_FLAGS} ${TANDEM_ISA_FLAGS_${level}})
  target_include_directories(tandem_isa_${level} PRIVATE ${PROJECT_SOURCE_DIR}
    ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_SOURCE_DIR}/kernels/include)
  target_link_libraries(tandem_isa_${level} PRIVATE tandem_warnings)
  target_sources(tandem PRIVATE $<TARGET_OBJECTS:tandem_isa_${level}>)
  string(TOUPPER TANDEM_HAS_${level} has)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/host/registry.cpp APPEND PROPERTY COMPILE_DEFINITIONS ${has})
endforeach()
list(JOIN TANDEM_ISA_LEVELS "," TANDEM_ISA_LIST)
target_compile_definitions(tandem PRIVATE TANDEM_ISA_LEVELS="${TANDEM_ISA_LIST}")
