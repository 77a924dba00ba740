// The op table's hash, computed where the table is compiled in: a backend library compares its own
// with the one libtandem hands over (tandem::op_table_hash), and is refused if they differ.
#pragma once

#include <cstdint>

#include "tandem/backend.h"

namespace tandem::detail {

/// FNV-1a over a string and an end mark, so that "ab" "c" and "a" "bc" differ.
constexpr std::uint64_t hash_text(std::uint64_t h, const char* s) {
  for (; *s != '\0'; ++s) h = (h ^ static_cast<unsigned char>(*s)) * 1099511628211ull;
  return (h ^ 0xffu) * 1099511628211ull;
}

/// Of what a backend's kernels are bound by: the names of ops and dtypes, in order, and the version
/// of the interface.
constexpr std::uint64_t compiled_op_table_hash() {
  std::uint64_t h = 14695981039346656037ull;
#define TANDEM_ROW(name) h = hash_text(h, #name);
#include "tandem/ops/ops.def"
#define TANDEM_DTYPE(id, ...) h = hash_text(h, #id);
#include "tandem/dtypes.def"
  return h ^ kBackendAbi;
}

}  // namespace tandem::detail
