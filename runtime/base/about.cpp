// Versions of Tandem and of the libraries it uses.
#include "tandem/about.h"

#include <cblas.h>
#include <hdf5.h>
#include <oneapi/dnnl/dnnl.h>

#include <sstream>

#include "runtime/io/image.h"

namespace tandem {

namespace detail {
std::string_view simd_level();  // host/registry.cpp
}

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
  const auto dotted = [](unsigned a, unsigned b, unsigned c) {
    return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
  };
  const dnnl_version_t* dnnl = dnnl_version();
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the first two words.
  std::istringstream config(openblas_get_config());
  std::string blas, blas_version;
  config >> blas >> blas_version;
  return {"oneDNN " + dotted(static_cast<unsigned>(dnnl->major), static_cast<unsigned>(dnnl->minor),
                             static_cast<unsigned>(dnnl->patch)),
          blas + " " + blas_version, "HDF5 " + dotted(major, minor, release), io::png_version(),
          io::jpeg_version()};
}

}  // namespace tandem
