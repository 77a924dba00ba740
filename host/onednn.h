// oneDNN's matrix products for the host, in a plug-in that is opened at the first one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tandem::host {

/// One operand: `rank` 2 (a matrix) or 3 (a batch of them); strides in elements, of which that of
/// the batch is anything where there is one matrix for all of it.
struct OnednnOperand {
  std::int64_t shape[3];
  std::int64_t strides[3];
};

/// C = A B.
struct OnednnProduct {
  enum Type : std::int64_t { Float32, BFloat16, Int8ToInt32 };
  std::int64_t rank;
  std::int64_t type;
  std::int64_t threads;  // that OpenMP is set to: a plan is made for so many
  OnednnOperand a, b, c;
};

/// Memory of one call, of `bytes`; null for none.
struct OnednnScratch {
  void* (*get)(void* context, std::size_t bytes);
  void* context;
};

enum class OnednnStatus : int { Done, None, OutOfMemory };

/// What the plug-in fills in.
struct OnednnTable {
  /// None: the library has no such product, and nothing is written. What `scratch` throws passes.
  OnednnStatus (*multiply)(const OnednnProduct& p, const void* a, const void* b, void* c,
                           const OnednnScratch& scratch);
  char version[32];  // "oneDNN 2.7.3"
};

/// Changes with the structs above.
inline constexpr int kOnednnAbi = 1;
/// The plug-in's entry point, tandem_onednn_open: fills the table, or returns a status other than 0
/// where it has another version of the structs.
using OnednnOpen = int (*)(OnednnTable* table, int abi);

/// The plug-in's table, opened at the first call; null where it cannot be opened.
const OnednnTable* onednn();
/// "oneDNN 2.7.3", or why there is none.
std::string onednn_version();

}  // namespace tandem::host
