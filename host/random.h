// What the host's random launchers get from a SIMD level. Internal to host/.
#pragma once

#include <cstdint>

#include "kernels/functors/sample.h"

namespace tandem::host {

/// Whole blocks of a distribution from first_block on. A step of 0 reads one number for all
/// elements.
using SampleLoop = void (*)(const fn::SampleArgs* args, std::uint64_t first_block,
                            std::int64_t blocks, const void* a, std::int64_t a_step, const void* b,
                            std::int64_t b_step, void* out);

struct SampleLoops {
  int block;  // elements of a block
  SampleLoop of_float, of_double;
};

/// fn::race_time of elements from `first` on.
using RaceLoop = void (*)(const fn::SampleArgs* args, std::uint64_t first, std::int64_t n,
                          const void* weights, double* out);
struct RaceLoops {
  RaceLoop of_float, of_double;
};

/// The words of blocks from `first` on, four a block.
using WordsLoop = void (*)(std::uint64_t first, std::int64_t blocks, std::uint64_t counter_high,
                           std::uint64_t key, std::uint32_t* out);
struct WordsLoops {
  WordsLoop words;
};

// The launchers; `self` is one of the structs above.
void launch_sample(const void* desc, const void* self);
void launch_permutation(const void* desc, const void* self);
void launch_multinomial(const void* desc, const void* self);

}  // namespace tandem::host
