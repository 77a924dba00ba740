// The programs whose allocations are recorded, and what they tell the recorder beside what tensors
// say by themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "tandem/tandem.h"

namespace tandem::traces {

// ---- What a trace has of streams: meta has but one, so programs say which they mean.

/// Allocations and uses are on this stream from here on; 0 is the default one.
void on_stream(unsigned stream);
/// The current stream uses a tensor that another stream made.
void uses(const Tensor& x);
/// What is queued on `later` from here on comes after what is queued on `earlier`.
void waits(unsigned later, unsigned earlier);
/// The host waits for the device, as where it reads a result.
void host_waits();

// ---- For the programs.

/// Numbers that are the same everywhere: the standard's distributions need not be.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : rng_(seed) {}
  /// From `low` to `high`, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::mt19937_64 rng_;
};

inline Tensor meta(IntSpan shape, DType dtype) {
  return empty(shape, {.dtype = dtype, .device = kMeta});
}
/// What a library asks for beside inputs and outputs.
inline Tensor workspace(std::int64_t bytes) { return meta({bytes}, dtype_of<std::uint8_t>); }

struct Program {
  const char* name;   // of the file, without its ending
  const char* about;  // a line
  void (*run)();
};
std::span<const Program> programs();

void transformer_training();
void transformer_inference();
void cnn_training();
void dataframe();
void variable_batches();
void library_workspaces();
void pictures();

}  // namespace tandem::traces
