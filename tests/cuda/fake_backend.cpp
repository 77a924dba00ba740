// A backend library that misbehaves on request (TANDEM_FAKE_BACKEND): for the tests of the loader.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tandem/backend.h"
#include "tandem/export.h"
#include "tandem/ops/hash.h"

namespace {

bool asked_for(const char* what) {
  const char* mode = std::getenv("TANDEM_FAKE_BACKEND");
  return mode != nullptr && std::strcmp(mode, what) == 0;
}

const char* error_text(int) { return "an error of the fake backend"; }

}  // namespace

extern "C" TANDEM_API int tandem_backend_open(const tandem::HostTable* host,
                                              tandem::BackendTable* table) {
  table->abi = asked_for("other abi") ? tandem::kBackendAbi + 1 : tandem::kBackendAbi;
  table->kind = tandem::DeviceKind::CUDA;
  table->error_text = &error_text;
  if (asked_for("other table") || host->op_table_hash != tandem::detail::compiled_op_table_hash()) {
    std::snprintf(table->status, sizeof table->status, "built for another op table");
    return 1;
  }
  if (asked_for("unknown op") &&
      host->bind("no_such_op", tandem::DeviceKind::CUDA, {nullptr, nullptr}) != 0) {
    std::snprintf(table->status, sizeof table->status, "no such op");
    return 1;
  }
  if (asked_for("silent")) return 1;
  std::snprintf(table->status, sizeof table->status, "no device");
  return asked_for("no device") || asked_for("other abi") ? 0 : 1;
}
