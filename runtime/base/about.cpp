// Versions of Tandem and of the libraries it uses.
#include "tandem/about.h"

#include <hdf5.h>

#include <sstream>

#include "runtime/io/image.h"

namespace tandem {

namespace detail {
std::string_view simd_level();  // host/registry.cpp
}
// The host's plug-ins, which are opened to be asked.
namespace host {
std::string onednn_version();  // host/onednn_library.cpp
std::string lapack_version();  // host/lapack_library.cpp
}  // namespace host

std::string_view version() { return TANDEM_VERSION; }

std::string_view simd_level() { return detail::simd_level(); }

std::vector<std::string> simd_levels() {
  std::vector<std::string> out;
  std::istringstream list(TANDEM_ISA_LEVELS);
  for (std::string level; std::getline(list, level, ',');) out.push_back(level);
  return out;
}

std::vector<std::string> library_versions() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  const std::string hdf5 =
      std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release);
  return {host::onednn_version(), host::lapack_version(), "HDF5 " + hdf5, io::png_version(),
          io::jpeg_version()};
}

}  // namespace tandem
