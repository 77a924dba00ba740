// Debug mode (tandem/check.h): what is looked for, how it is reported, and the lives of blocks of
// memory. Knows no tensors; runtime/dispatch/check.h does.
//
// Note [Use after free]
// With TANDEM_CHECK=memory the pools give each block on without a front cache. A block that is
// freed, and that other streams are done with, is filled with kPoison: on the host at once, on a
// device in the order of the block's stream. Then it is held back until newer frees push it out,
// or memory is wanted that is not there otherwise. The ranges that blocks had are remembered, with
// the ops of their lives, until their memory is given out again (its poison is looked at then, on
// the host), or given back to where it came from. A device's memory is looked at by empty_cache
// alone, which waits anyway: only there can it be read.
// Memory of a graph, or freed while one is captured, is left alone: a fill would become part of the
// graph.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>

#include "runtime/memory/blocks.h"
#include "tandem/check.h"
#include "tandem/device.h"

namespace tandem::debug {

/// kPinned is not of the debug mode: there are copies with pinned memory, which ops on the host
/// wait for at the same places (runtime/tensor/host_copies.h).
enum Part : std::uint32_t { kStreams = 1, kMemory = 2, kReport = 4, kPinned = 8 };
inline constexpr std::uint32_t kChecks = kStreams | kMemory;
inline constexpr std::uint32_t kAny = kChecks | kPinned;

/// NaN in every floating-point format, -1 in every signed integer.
inline constexpr unsigned char kPoison = 0xff;

extern std::atomic<std::uint32_t> g_parts;
inline bool on(std::uint32_t parts) noexcept {
  return (g_parts.load(std::memory_order_relaxed) & parts) != 0;
}

/// Guards all that the checks know. Held across a fork; taken after a pool's lock, before the
/// order's.
std::mutex& mutex();

/// Raises CheckError, or prints the message where only reports are asked for.
void mistake(const std::string& message);
/// Prints it either way: where nothing may be raised.
void print_mistake(const std::string& message) noexcept;

/// The op that this thread is in, in words for a message; what it did last where it is in none.
std::string current_op();
/// The op to name at the head of a message.
const char* op_name(const char* otherwise);
/// Notes the op that this thread is in as the one it did last.
void note_op() noexcept;

// ---- The lives of blocks. Addresses are those of one space, as they are for the host and CUDA.

/// A block is given out. What is wrong with its memory in words: its poison was written to (only
/// looked at on the host); empty where nothing is.
std::string given_out(Device device, const Block& block);
/// A block was freed.
void taken_back(const Block& block) noexcept;
/// It is filled with kPoison from now on.
void poisoned(const Block& block) noexcept;
/// The memory does not belong to the pools any more.
void forget(const void* data, std::size_t bytes) noexcept;
/// The op that runs uses the memory.
void used(const void* data);
/// A number for the life of the block that the address is in; 0 where it is in none.
std::uint64_t life_of(const void* data);
/// Who freed the memory that the range touches, in words; empty where it was not freed.
std::string freed_by(const void* data, std::size_t bytes);
/// What is wrong with a block that is held back, given a copy of its bytes from an offset on.
std::string written_to(const Block& block, std::size_t offset, const unsigned char* copy,
                       std::size_t bytes);

}  // namespace tandem::debug

namespace tandem::memory {

/// The freed blocks of a pool that are held back, oldest first. Under the pool's lock.
class Quarantine {
 public:
  explicit Quarantine(std::size_t most) : most_(most) {}
  bool takes(const Block& b) const { return b.size <= most_ / 4; }
  void push(Block* b) {
    blocks_.push_back(b);
    bytes_ += b->size;
  }
  bool full() const { return bytes_ > most_ || blocks_.size() > kMostBlocks; }
  bool empty() const { return blocks_.empty(); }
  Block* pop() noexcept {
    Block* b = blocks_.front();
    blocks_.pop_front();
    bytes_ -= b->size;
    return b;
  }
  std::size_t bytes() const { return bytes_; }
  const std::deque<Block*>& blocks() const { return blocks_; }

  // Streams whose handles are dead: nothing can be queued on them.
  void ended(StreamId stream) { dead_.insert(stream.id); }
  bool is_dead(StreamId stream) const { return dead_.contains(stream.id); }

 private:
  static constexpr std::size_t kMostBlocks = std::size_t{1} << 16;
  std::size_t most_;
  std::size_t bytes_ = 0;
  std::deque<Block*> blocks_;
  std::set<std::uint64_t> dead_;
};

}  // namespace tandem::memory
