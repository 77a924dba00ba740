// Runs kernels from their PTX on the CPU: the threads of a block in lock-step, one block after
// the other.
//
// Note [Lock-step]
// A register is an array over the threads, an instruction a loop over all of them: every one is
// defined for any value, so the threads that do not take part are computed too and then left as
// they were. Each thread has its own program counter; those with the least one run to the end of
// their basic block, so that threads that parted meet again where their paths do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tests/cuda/ptx/ops.h"
#include "tests/cuda/ptx/parser.h"

namespace tandem::ptx {

struct Options {
  /// Runs products and sums without a rounding in their names as one fused operation where the
  /// assembler may: the worst that it may do.
  bool contract = false;
  /// Runs approximate instructions, wrong by as much as they may be. Without it they are errors.
  bool estimates = false;
};

/// Memory that a kernel may read, and write where it says so; anything else is an error.
struct Range {
  const void* begin;
  std::size_t bytes;
  bool writable;
};

struct Launch {
  unsigned blocks = 1;
  unsigned threads = 256;
  std::span<const std::byte> params;  // of the kernel, as C++ lays them out
  std::span<const Range> memory;
  std::size_t shared = 0;  // bytes given to each block, besides what the kernel declares
};

/// A kernel ready to run. Not to be used by two threads at a time.
class Program {
 public:
  Program(const Module& module, std::string_view entry, Options options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void run(const Launch& launch);

  std::size_t param_bytes() const;
  /// Instructions executed, each for all threads of a block.
  std::uint64_t executed() const;
  /// Basic blocks of the kernel and its functions, and how many of them ran at least once.
  std::size_t blocks() const;
  std::size_t blocks_run() const;
  std::vector<int> lines_not_run() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem::ptx
