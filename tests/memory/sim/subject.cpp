// The pools of the simulated devices, and the allocator that never reuses.
#include "tests/memory/sim/subject.h"

#include <algorithm>

#include "tandem/error.h"

namespace tandem::test {

PoolSubject::PoolSubject(SimMachine& machine)
    : machine_(machine), granularity_(machine.options().granularity) {
  for (unsigned d = 1; d <= machine.options().devices; ++d) {
    const Device device{DeviceKind::CUDA, static_cast<int>(d) - 1};
    pools_.push_back(std::make_unique<Pool>(machine.driver(d), device, d, order_));
  }
  points_.resize(pools_.size());
}

StreamId PoolSubject::now(StreamId stream) {
  const std::uint32_t capture = machine_.capture_of(stream);
  if (capture == 0) return stream;
  StreamId& captured = captured_[{capture, stream.id}];
  if (captured.id == 0) captured = order_.captured_stream(stream.device());
  return captured;
}

/// Called before the capture is over.
void PoolSubject::end_private(unsigned device, PoolId id) {
  std::vector<StreamId>& mine = streams_[{device, id}];
  for (const auto& [key, stream] : captured_) mine.push_back(stream);
  captured_.clear();  // there is one capture at a time
  pool(device).end_private(id);
}

void PoolSubject::close_private(unsigned device, PoolId id, const std::vector<StreamId>& replays) {
  auto points = std::make_shared<std::vector<memory::Point>>();
  for (const StreamId s : replays) points->push_back({s.id, order_.fence(s)});
  for (const StreamId s : streams_[{device, id}]) order_.finish(s, points);
  streams_.erase({device, id});
  pool(device).close_private(id);
}

void PoolSubject::before_wait() {
  for (unsigned d = 1; d <= pools_.size(); ++d) points_[d - 1] = order_.waiting_for_device(d);
}

void PoolSubject::stream_synchronized(StreamId stream) {
  for (const memory::Point& p : points_[stream.device() - 1]) {
    if (p.stream == stream.id) order_.waited_for(p);
  }
}

void PoolSubject::device_synchronized(unsigned device) { order_.waited_for(points_[device - 1]); }

void PoolSubject::stream_destroyed(StreamId stream) {
  for (const auto& p : pools_) p->stream_destroyed(stream);
}

std::size_t PoolSubject::footprint(std::size_t bytes) const {
  if (bytes <= memory::kLargeLimit) return memory::round_up(memory::kSmallSegment, granularity_);
  return memory::round_up(memory::range_bytes(bytes), granularity_);
}

// ---- The allocator that never reuses. ----

PlainSubject::PlainSubject(SimMachine& machine)
    : machine_(machine), reserved_(machine.options().devices + 1) {
  for (unsigned d = 1; d <= machine.options().devices; ++d) drivers_.push_back(machine.driver(d));
}

PlainSubject::~PlainSubject() {
  for (unsigned d = 1; d <= drivers_.size(); ++d) empty_cache(d);
}

std::size_t PlainSubject::footprint(std::size_t bytes) const {
  return memory::round_up(bytes, machine_.options().granularity);
}

Block* PlainSubject::allocate(std::size_t bytes, StreamId stream, PoolId id) {
  const unsigned device = stream.device();
  void* p = nullptr;
  const std::size_t size = footprint(bytes);
  if (bytes != 0 && drivers_[device - 1]->allocate(size, &p) != DriverStatus::Ok) {
    empty_cache(device);
    if (drivers_[device - 1]->allocate(size, &p) != DriverStatus::Ok) throw OutOfMemory("none");
  }
  auto b = std::make_unique<Block>();
  b->data = static_cast<std::byte*>(p);
  b->size = size;
  b->requested = bytes;
  b->stream = stream;
  reserved_[device] += size;
  if (id != PoolId::Shared && std::find(open_.begin(), open_.end(), id) == open_.end())
    open_.push_back(id);
  blocks_.push_back({std::move(b), id});
  return blocks_.back().block.get();
}

void PlainSubject::free(Block* block) {
  const auto at = std::find_if(blocks_.begin(), blocks_.end(),
                               [&](const Owned& o) { return o.block.get() == block; });
  at->freed = true;
}

void PlainSubject::close_private(unsigned, PoolId id, const std::vector<StreamId>&) {
  std::erase(open_, id);
}

void PlainSubject::empty_cache(unsigned device) {
  if (machine_.capturing()) return;  // cannot wait now
  for (const auto& driver : drivers_) {
    if (driver->synchronize() != DriverStatus::Ok) return;
  }
  std::erase_if(blocks_, [&](const Owned& o) {
    if (!o.freed || o.block->stream.device() != device ||
        std::find(open_.begin(), open_.end(), o.id) != open_.end())
      return false;
    if (o.block->data == nullptr) return true;
    if (drivers_[device - 1]->free(o.block->data, o.block->size) != DriverStatus::Ok) return false;
    reserved_[device] -= o.block->size;
    return true;
  });
}

}  // namespace tandem::test
