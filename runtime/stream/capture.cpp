// Captures under way, and what they mean for allocations, uses and waits.
#include "runtime/stream/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "runtime/base/trace.h"
#include "runtime/memory/fork.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/stream_id.h"
#include "runtime/tensor/transfer.h"
#include "tandem/error.h"

namespace tandem::detail {

constinit std::atomic<int> captures_under_way{0};
constinit std::atomic<bool> replayed_elsewhere{false};

namespace {

struct Captures {
  ForkMutex mutex;
  std::vector<std::shared_ptr<Recording>> open;
  /// By stream that graphs were replayed on: the streams that their work was recorded on.
  std::map<std::uint64_t, std::vector<Stream>> replayed;
};
Captures& captures() {
  static constinit std::atomic<Captures*> c{nullptr};
  return made_once(c);
}

const Recording::Member* member(const Recording& r, std::uint64_t stream) {
  const auto at =
      std::find_if(r.members.begin(), r.members.end(),
                   [stream](const Recording::Member& m) { return m.stream.id() == stream; });
  return at == r.members.end() ? nullptr : &*at;
}

/// With the lock.
std::shared_ptr<Recording> find(Captures& c, std::uint64_t stream) {
  for (const auto& r : c.open) {
    if (member(*r, stream) != nullptr) return r;
  }
  return nullptr;
}

/// With the lock.
[[noreturn]] void refuse(Recording& r, const std::string& got) {
  const char* op = trace::t_current_op == nullptr ? "graph" : trace::t_current_op;
  std::string text = fmt::format(
      "[{}] expected a call that waits for nothing, because a stream of {} is being captured into "
      "a graph, got {}",
      op, r.device.str(), got);
  if (r.spoilt.empty()) r.spoilt = text;
  throw DeviceError(text);
}

}  // namespace

std::shared_ptr<Recording> Recording::open(const Stream& origin) {
  auto r = std::make_shared<Recording>();
  r->device = origin.device();
  r->members.reserve(4);
  Pool& pool = pool_for(r->device);
  r->pool = pool.open_private();
  try {
    r->members.push_back({origin, pool.order().captured_stream(device_number(r->device))});
  } catch (...) {
    pool.end_private(r->pool);
    pool.close_private(r->pool);
    throw;
  }
  return r;
}

void Recording::close(const std::vector<Stream>& replays) noexcept {
  Pool& home = pool_for(device);
  std::shared_ptr<std::vector<memory::Point>> points;
  try {
    points = std::make_shared<std::vector<memory::Point>>();
    for (const Stream& s : replays) {
      for (const Storage& storage : kept) note_use(storage.body(), s);
      points->push_back({s.id(), home.order().fence(stream_id(s))});
    }
  } catch (...) {  // what cannot be noted has to be over
    points = nullptr;
    home.driver().synchronize();
  }
  for (const Member& m : members) home.order().finish(m.captured, points);
  home.close_private(pool);
  kept.clear();
}

void enter_capture(const std::shared_ptr<Recording>& recording) {
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  c.open.push_back(recording);
  captures_under_way.fetch_add(1);
}

void leave_capture(const std::shared_ptr<Recording>& recording) noexcept {
  Captures& c = captures();
  std::vector<std::function<void()>> later;
  {
    const std::lock_guard lock(c.mutex);
    if (std::erase(c.open, recording) == 0) return;
    recording->over = true;
    recording->known.clear();
    later.swap(recording->later);
    captures_under_way.fetch_sub(1);
  }
  for (const auto& f : later) f();
}

bool run_after_capture(Device device, const std::function<void()>& f) noexcept {
  if (!may_capture()) return false;
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  for (const auto& r : c.open) {
    if (r->device != device) continue;
    try {
      r->later.push_back(f);
    } catch (const std::bad_alloc&) {  // rather kept for ever than given back too early
    }
    return true;
  }
  return false;
}

/// Alone in the process: the lock may still be held from before the fork. What the captures hold is
/// kept for ever, since the device that it is of is gone.
void forget_captures() noexcept {
  if (!may_capture()) return;
  new (&captures().open) std::vector<std::shared_ptr<Recording>>();  // the old one is not destroyed
  captures_under_way.store(0);
}

std::shared_ptr<Recording> recording_of(const Stream& stream) {
  if (!may_capture()) return nullptr;
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  return find(c, stream.id());
}

Place captured_place(StreamId stream) {
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  const auto r = find(c, stream.id);
  return r == nullptr ? Place{stream} : Place{member(*r, stream.id)->captured, r->pool};
}

bool captured_use(StorageBody* storage, const Stream& stream) {
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  const auto r = find(c, stream.id());
  if (r == nullptr) return false;
  auto* block = static_cast<Block*>(storage->block);
  const bool own = block != nullptr && std::any_of(r->members.begin(), r->members.end(),
                                                   [&](const Recording::Member& m) {
                                                     return m.captured == block->stream;
                                                   });
  if (own) {
    block->pool->record_use(block, member(*r, stream.id())->captured);
    return true;
  }
  if (r->known.contains(storage)) return true;
  r->kept.reserve(r->kept.size() + 1);
  r->known.insert(storage);
  retain(storage);
  r->kept.push_back(Storage::adopt(storage));
  return true;
}

StreamId join_capture(Recording& recording, const Stream& stream) {
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  if (const auto* m = member(recording, stream.id())) return m->captured;
  recording.members.reserve(recording.members.size() + 1);
  const StreamId id =
      pool_for(recording.device).order().captured_stream(device_number(recording.device));
  recording.members.push_back({stream, id});
  return id;
}

void refuse_wait(const Stream& stream) {
  if (!may_capture()) return;
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  if (const auto r = find(c, stream.id())) refuse(*r, "a wait for that stream");
}

void refuse_wait(Device device) {
  if (!may_capture()) return;
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  for (const auto& r : c.open) {
    if (r->device == device) refuse(*r, "a wait for all streams of the device");
  }
}

void refuse_copy(const Stream& stream, bool waits, bool pageable) {
  if (!may_capture() || (!waits && !pageable)) return;
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  const auto r = find(c, stream.id());
  if (r == nullptr) return;
  refuse(*r, waits ? "a copy with the host that waits (non_blocking copies do not)"
                   : "a copy with pageable memory of the host (pin_memory() makes it pinned)");
}

void note_replay(const Recording& recording, const Stream& on) {
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  for (const Recording::Member& m : recording.members) {
    if (m.stream == on) continue;
    replayed_elsewhere.store(true);
    std::vector<Stream>& behind = c.replayed[on.id()];
    if (std::find(behind.begin(), behind.end(), m.stream) == behind.end())
      behind.push_back(m.stream);
  }
}

std::vector<Stream> flags_behind(const Stream& stream) {
  if (!replayed_elsewhere.load(std::memory_order_relaxed)) return {};
  Captures& c = captures();
  const std::lock_guard lock(c.mutex);
  const auto at = c.replayed.find(stream.id());
  return at == c.replayed.end() ? std::vector<Stream>() : at->second;
}

}  // namespace tandem::detail
