// The table of lent blocks, and the public functions that lend. Few blocks are lent at a time:
// lists, in shards so that threads seldom meet.
#include "runtime/memory/lend.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/memory/fork.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "tandem/error.h"
#include "tandem/memory.h"

namespace tandem {
namespace memory {
namespace {

struct alignas(64) Shard {
  ForkMutex mutex;
  std::vector<Block*> lent;
};

Shard& shard_of(const void* p) {
  static constinit std::atomic<std::array<Shard, 16>*> kept{nullptr};
  std::array<Shard, 16>& shards = made_once(kept);
  // Large blocks lie at multiples of 64 KiB and more: all bits have a say (Knuth's multiplier).
  const std::uint64_t mixed = (reinterpret_cast<std::uintptr_t>(p) >> 6) * 0x9E3779B97F4A7C15u;
  return shards[mixed >> 60];
}

}  // namespace

Block* allocate_lent(std::size_t bytes, StreamId stream, Device device) {
  const detail::Place place = detail::place_of(stream);
  Pool& pool = pool_for(device);
  // Null says that there is no memory: none of no bytes.
  Block* block = pool.allocate(std::max<std::size_t>(bytes, 1), place.stream, place.pool);
  Shard& shard = shard_of(block->data);
  try {
    const std::lock_guard lock(shard.mutex);
    shard.lent.push_back(block);
  } catch (...) {
    pool.free(block);
    throw;
  }
  return block;
}

Block* take_lent(const void* p, std::optional<Device> device) noexcept {
  Shard& shard = shard_of(p);
  const std::lock_guard lock(shard.mutex);
  const auto at = std::find_if(shard.lent.begin(), shard.lent.end(),
                               [p](const Block* b) { return b->data == p; });
  if (at == shard.lent.end() || (device && (*at)->pool->device() != *device)) return nullptr;
  Block* block = *at;
  *at = shard.lent.back();
  shard.lent.pop_back();
  return block;
}

}  // namespace memory

void* allocate_memory(std::size_t bytes, const Stream& stream) {
  TANDEM_EXPECTS(!stream.device().is_meta(), DeviceError,
                 "[allocate_memory] expected a stream of a device with memory, got one of meta");
  return memory::allocate_lent(bytes, stream_id(stream), stream.device())->data;
}

void deallocate_memory(void* p, const Stream& stream) {
  if (p == nullptr) return;
  Block* block = memory::take_lent(p, stream.device());
  TANDEM_EXPECTS(block != nullptr, ValueError,
                 "[deallocate_memory] expected memory that allocate_memory lent on a stream of " +
                     stream.device().str() + ", got another pointer");
  block->pool->free(block, detail::place_of(stream_id(stream)).stream);
}

}  // namespace tandem
