// A function of PTX made ready: registers have memory, instructions are steps.
#pragma once

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/cuda/ptx/machine.h"
#include "tests/cuda/ptx/ops.h"
#include "tests/cuda/ptx/parser.h"

namespace tandem::ptx {

using Mask = std::uint8_t[kMaxLanes];  // 1: the lane takes part

class Code;

/// Where a variable lies: once for all lanes, or one after the other.
struct Place {
  std::byte* begin = nullptr;
  std::size_t bytes = 0;
  bool each_lane = false;
  std::uint64_t shared_at = 0;  // of a shared variable that is used: its address
};

enum class StepKind : std::uint8_t {
  Alu,
  Convert,
  Pack,    // vector of registers into one, as they lie in memory
  Unpack,  // and back
  Load,
  Store,
  Branch,
  Return,
  Call,
  Shuffle,
  Vote,
  AtomicAdd,
  Barrier
};

struct Step {
  StepKind kind = StepKind::Alu;
  std::uint8_t dst_bytes = 0;
  bool guard_not = false;
  bool leads = false;  // a basic block
  bool ran = false;
  int target = 0;  // of a branch: a step
  int line = 0;
  Loop loop = nullptr;
  void* dst = nullptr;
  const void* src[3] = {};
  const std::uint8_t* guard = nullptr;
  // Convert
  std::uint8_t src_bytes = 0;
  bool src_signed = false;
  // Load, Store, Pack, Unpack: registers of the vector, elements in memory
  void* parts[4] = {};
  std::uint8_t n_parts = 0, part_bytes = 0, element_bytes = 0;
  bool element_signed = false;
  Place place;                    // of a variable that an address names
  const void* address = nullptr;  // or a register
  std::uint8_t address_bytes = 8;
  std::int64_t offset = 0;
  bool is_param = false, is_shared = false;
  // Shuffle: src holds value, distance, clamp. Vote: a predicate; the answer is a word of those for
  // which it holds, or whether there is one
  const void* members = nullptr;
  bool up = false, ballot = false;
  // Call
  Code* callee = nullptr;
  std::vector<std::pair<Place, Place>> given, results;  // from, to
};

/// What runs of one launch need.
struct Machine {
  std::vector<Range> memory;
  Range params{};
  std::vector<std::byte> shared;  // of the block that runs
  std::uint64_t executed = 0;
};

class Code {
 public:
  using Functions = std::map<std::string, std::unique_ptr<Code>, std::less<>>;

  Code(const Module& module, Function function, const Options& options, Functions& functions,
       int lanes);

  /// Runs the lanes of the mask to their end.
  void run(Machine& machine, const Mask& mask);

  /// Values of the special registers that a block has.
  void set_special(std::string_view name, const std::uint32_t (&values)[kMaxLanes]);
  void set_special(std::string_view name, std::uint32_t value);

  const Function& function() const { return function_; }
  const Place& place(int variable) const { return places_[static_cast<std::size_t>(variable)]; }
  const std::vector<Step>& steps() const { return steps_; }
  int lanes() const { return lanes_; }
  /// Where the shared memory that a launch gives begins: a kernel declares at most 48 KiB.
  static constexpr std::size_t kGivenShared = 65536;
  /// Of a block with `given` bytes of its launch.
  std::size_t shared_bytes(std::size_t given) const {
    return is_shared_given_ ? kGivenShared + given : shared_bytes_;
  }

 private:
  friend class Builder;

  // run.cpp
  void run_block(Machine& machine, std::uint32_t first, const Mask& mask, bool full);
  void execute(Machine& machine, const Step& step, const Mask& mask, bool full);
  void convert(const Step& step, const Mask& mask, bool full) const;
  void load(const Machine& machine, const Step& step, const Mask& mask);
  void store(const Machine& machine, const Step& step, const Mask& mask);
  void call(Machine& machine, const Step& step, const Mask& mask);
  void shuffle(const Step& step, const Mask& mask);
  void vote(const Step& step, const Mask& mask);
  void atomic_add(const Machine& machine, const Step& step, const Mask& mask);

  Function function_;
  int lanes_;
  std::size_t shared_bytes_ = 0;
  bool is_shared_given_ = false;
  std::deque<std::vector<std::byte>> memory_;
  std::vector<void*> registers_;
  std::vector<Place> places_;
  std::map<std::string, std::uint32_t*, std::less<>> special_;
  std::vector<Step> steps_;
  alignas(64) std::uint32_t pc_[kMaxLanes];
  alignas(64) std::uint32_t resume_[kMaxLanes];
};

}  // namespace tandem::ptx
