// Errors that only the device finds (an index out of range): a sticky word a stream in pinned host
// memory, which a kernel writes and the core reads when it has waited for the stream
// (BackendDriver::take_error). Nothing is launched or copied for it, and the context stays usable.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tandem/device.h"

namespace tandem::cuda {

/// What a kernel gets: where to write, and what its word begins with.
struct ErrorFlag {
  unsigned long long* word = nullptr;
  unsigned long long tag = 0;
};

enum class FlagKind : std::uint8_t { Index = 0, ShortSource = 1 };

/// The flag of work on a stream; without memory for it a launch error is raised and word is null.
ErrorFlag error_flag(Device device, void* stream, const char* op, FlagKind kind = FlagKind::Index);

/// Takes what was flagged on the stream (or on all of the device's): 1 and a sentence, or 0.
int take_error(int device, void* stream, int all, char* text, std::size_t size);

inline constexpr int kFlagIndexBits = 48;  // of the word: the index; above it the tag

#if defined(__CUDACC__) || defined(TANDEM_CUDA_SIM)
/// One store of 8 bytes: of several errors one stays.
__device__ __forceinline__ void report(const ErrorFlag& flag, std::int64_t index) {
  constexpr std::int64_t kMost = (std::int64_t(1) << (kFlagIndexBits - 1)) - 1;
  const std::int64_t shown = index > kMost ? kMost : (index < -kMost ? -kMost : index);
  const auto bits = static_cast<unsigned long long>(shown);
  *flag.word = flag.tag | (bits & ((1ull << kFlagIndexBits) - 1));
}
#endif

}  // namespace tandem::cuda
