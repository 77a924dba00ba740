// The op table's hash, computed where the table is compiled in: a backend library compares its own
// with the one libtandem hands over, and is refused if they differ.
#pragma once

#include <cstdint>

namespace tandem::detail {

/// FNV-1a over a string and its closing zero, so that "ab" "c" and "a" "bc" differ.
constexpr std::uint64_t hash_text(std::uint64_t h, const char* s) {
  do {
    h = (h ^ static_cast<unsigned char>(*s)) * 0x100000001b3ull;
  } while (*s++ != '\0');
  return h;
}

/// Hash of every row as it is written: name, functor, dtypes, result rule and schema.
constexpr std::uint64_t compiled_op_table_hash() {
  std::uint64_t h = 0xcbf29ce484222325ull;
#define TANDEM_UNARY(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#define TANDEM_BINARY(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#define TANDEM_TERNARY(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#define TANDEM_QUATERNARY(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#define TANDEM_GENERATOR(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#define TANDEM_REDUCTION(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#define TANDEM_FUNC(name, ...) h = hash_text(hash_text(h, #name), #__VA_ARGS__);
#include "tandem/ops/ops.def"
  return h;
}

}  // namespace tandem::detail
