// Opens libraries by an environment variable, next to libtandem, or by the system's loader.
#include "runtime/dispatch/library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace tandem::detail {

namespace {

std::string folder_of_libtandem() {
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&open_beside), &here) == 0) return {};
  const char* slash = std::strrchr(here.dli_fname, '/');
  return slash == nullptr ? std::string() : std::string(here.dli_fname, slash + 1);
}

}  // namespace

void* open_beside(const char* variable, const char* name, std::string* why) {
  const char* asked = std::getenv(variable);
  if (asked != nullptr && *asked == '\0') {
    *why = std::string("switched off: ") + variable + " is empty";
    return nullptr;
  }
  const std::string path = asked != nullptr ? asked : folder_of_libtandem() + name;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const std::string first = library == nullptr ? dlerror() : "";
  if (library == nullptr && asked == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) *why = first;
  return library;
}

namespace {
constinit std::atomic<pid_t> g_opener{
    0};  // the process with a thread that opens a library; 0: none
}  // namespace

Opening::Opening() noexcept {
  const pid_t own = getpid();
  for (pid_t holder = 0; !g_opener.compare_exchange_weak(holder, own); holder = 0) {
    if (holder != 0 && holder != own) return;
    usleep(200);  // another thread: loading takes milliseconds
  }
  given_ = true;
}

Opening::~Opening() {
  if (given_) g_opener.store(0);
}

}  // namespace tandem::detail
