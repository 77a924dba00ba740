// Opens the plug-in of OpenBLAS at the first call.
#include <dlfcn.h>

#include <sstream>

#include "host/lapack.h"
#include "runtime/dispatch/library.h"
#include "tandem/error.h"

namespace tandem::host {

namespace {

struct Plugin {
  LapackTable table{};
  bool usable = false;
  std::string status;

  explicit Plugin(const char* why) : status(why) {}
  Plugin() {
    void* library = detail::open_beside("TANDEM_LAPACK_LIBRARY", "libtandem_lapack.so", &status);
    if (library == nullptr) return;
    const auto open = reinterpret_cast<LapackOpen>(dlsym(library, "tandem_lapack_open"));
    if (open == nullptr || open(&table, sizeof table) != 0) {
      status = "libtandem_lapack is of another version of Tandem";
      return;
    }
    // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the first two words.
    std::istringstream config(table.openblas_get_config());
    std::string name, version;
    config >> name >> version;
    status = name + " " + version;
    usable = true;
  }
};

const Plugin& plugin() {
  static constinit std::atomic<const Plugin*> p{nullptr};
  return detail::opened_once(p);
}

}  // namespace

const LapackTable* lapack_or_null() {
  const Plugin& p = plugin();
  return p.usable ? &p.table : nullptr;
}

const LapackTable& lapack() { return plugin().table; }

void require_lapack(std::string_view op) {
  const Plugin& p = plugin();
  TANDEM_EXPECTS(
      p.usable, Error,
      "[" + std::string(op) +
          "] expected the library libtandem_lapack beside libtandem, got none: " + p.status);
}

std::string lapack_version() {
  const Plugin& p = plugin();
  return p.usable ? p.status : "no OpenBLAS (" + p.status + ")";
}

}  // namespace tandem::host
