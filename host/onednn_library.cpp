// Opens the plug-in of oneDNN at the first product.
#include <dlfcn.h>

#include "host/onednn.h"
#include "runtime/dispatch/library.h"

namespace tandem::host {

namespace {

struct Plugin {
  OnednnTable table{};
  bool usable = false;
  std::string status;

  explicit Plugin(const char* why) : status(why) {}
  Plugin() {
    void* library = detail::open_beside("TANDEM_ONEDNN_LIBRARY", "libtandem_onednn.so", &status);
    if (library == nullptr) return;
    const auto open = reinterpret_cast<OnednnOpen>(dlsym(library, "tandem_onednn_open"));
    if (open == nullptr || open(&table, kOnednnAbi) != 0) {
      status = "libtandem_onednn is of another version of Tandem";
      return;
    }
    usable = true;
  }
};

const Plugin& plugin() {
  static constinit std::atomic<const Plugin*> p{nullptr};
  return detail::opened_once(p);
}

}  // namespace

const OnednnTable* onednn() {
  const Plugin& p = plugin();
  return p.usable ? &p.table : nullptr;
}

std::string onednn_version() {
  const Plugin& p = plugin();
  return p.usable ? p.table.version : "no oneDNN (" + p.status + ")";
}

}  // namespace tandem::host
