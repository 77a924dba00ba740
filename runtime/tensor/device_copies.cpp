// Copies between devices: directly, or through the host.
#include "runtime/tensor/device_copies.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/memory/pinned.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "runtime/tensor/transfer.h"
#include "tandem/stream.h"

namespace tandem::detail {

namespace {

enum class Way : std::uint8_t { Unknown, Direct, Staged };

constexpr std::size_t kMostDevices = 64;
/// Half of what a copy through the host takes there at a time: both halves are under way at once.
constexpr std::size_t kChunk = std::size_t{4} << 20;

/// Whether the destination reaches the source's memory; found out once a pair.
Way find_way(const BackendTable& backend, int to, int from) {
  const BackendDriver& driver = backend.driver;
  if (driver.can_access_peer == nullptr) return Way::Direct;  // the backend deals with it
  int yes = 0;
  if (driver.can_access_peer(to, from, &yes) == 0 && yes != 0 &&
      (driver.enable_peer == nullptr || driver.enable_peer(to, from) == 0)) {
    return Way::Direct;
  }
  return driver.pinned_allocate != nullptr ? Way::Staged : Way::Direct;
}

Way way_between(const BackendTable& backend, int to, int from) {
  if (to == from) return Way::Direct;
  static std::array<std::array<std::atomic<Way>, kMostDevices>, kMostDevices> ways{};
  std::atomic<Way>& known = ways[static_cast<std::size_t>(to) % kMostDevices]
                                [static_cast<std::size_t>(from) % kMostDevices];
  Way way = known.load(std::memory_order_acquire);
  if (way != Way::Unknown) return way;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  way = known.load();
  if (way == Way::Unknown) known.store(way = find_way(backend, to, from));
  return way;
}

/// The copy is work of the destination's stream.
void copy_directly(const BackendTable& backend, const Tensor& out, const Tensor& source,
                   const Stream& stream, const Stream& origin) {
  Event ready, read;
  ready.record(origin);
  ready.wait(stream);
  check_driver(backend,
               backend.driver.peer_copy(out.device().index, out.data_ptr(), source.device().index,
                                        source.data_ptr(), out.nbytes(), stream.native()),
               "copy_");
  try {
    read.record(stream);
    read.wait(origin);
  } catch (...) {  // the source's memory is in no order with the copy: it has to be over
    (void)backend.driver.stream_synchronize(stream.device().index, stream.native());
    throw;
  }
}

/// Chunk by chunk to the host on the source's stream, and on from there on the destination's.
void copy_through_host(const BackendTable& backend, const Tensor& out, const Tensor& source,
                       const Stream& stream, const Stream& origin) {
  const std::size_t bytes = out.nbytes();
  const std::size_t chunk = std::min(bytes, kChunk);
  const Storage stage = pinned_storage(std::min(bytes, 2 * kChunk), "copy_");
  auto* block = static_cast<Block*>(stage.body()->block);
  block->pool->record_use(block, stream_id(origin));
  block->pool->record_use(block, stream_id(stream));
  if (may_capture()) captured_use(stage.body(), stream);  // replays go through it too
  std::array<Event, 2> full, empty;
  auto* const to = static_cast<std::byte*>(out.data_ptr());
  const auto* const from = static_cast<const std::byte*>(source.data_ptr());
  for (std::size_t at = 0, turn = 0; at < bytes; at += chunk, ++turn) {
    const std::size_t half = turn % 2;
    const std::size_t n = std::min(chunk, bytes - at);
    std::byte* const host = static_cast<std::byte*>(stage.data()) + half * chunk;
    empty[half].wait(origin);  // nothing in the first two turns
    check_driver(backend,
                 backend.driver.copy(origin.device().index, host, from + at, n, kDeviceToHost,
                                     origin.native()),
                 "copy_");
    full[half].record(origin);
    full[half].wait(stream);
    check_driver(backend,
                 backend.driver.copy(stream.device().index, to + at, host, n, kHostToDevice,
                                     stream.native()),
                 "copy_");
    empty[half].record(stream);
  }
}

}  // namespace

void copy_between_devices(const Tensor& out, const Tensor& source) {
  const BackendTable& backend = *backend_for(out.device().kind);
  const Stream stream = current_stream(out.device());
  const Stream origin = current_stream(source.device());
  record_use(source.body_ptr()->storage, origin);
  record_use(out.body_ptr()->storage, stream);
  const Way way = way_between(backend, out.device().index, source.device().index);
  (way == Way::Staged ? copy_through_host : copy_directly)(backend, out, source, stream, origin);
}

}  // namespace tandem::detail
