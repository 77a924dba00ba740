// The copies under way of each pinned storage, an event a stream and direction.
#include "runtime/tensor/host_copies.h"

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/memory/check.h"
#include "runtime/memory/fork.h"

namespace tandem::detail {
namespace {

struct HostCopy {
  Stream stream;
  bool writes = false;
  Event done;
};

struct HostCopies {
  ForkMutex mutex;
  std::unordered_map<const StorageBody*, std::vector<HostCopy>> of;
};
HostCopies& host_copies() {
  static constinit std::atomic<HostCopies*> c{nullptr};
  return made_once(c);
}

}  // namespace

void note_host_copy(const StorageBody& storage, const Stream& stream, bool writes) {
  debug::g_parts.fetch_or(debug::kPinned);  // from here on ops on the host look
  Event done;
  done.record(stream);
  HostCopies& c = host_copies();
  const std::lock_guard lock(c.mutex);
  std::vector<HostCopy>& list = c.of[&storage];
  for (HostCopy& copy : list) {
    if (copy.stream != stream || copy.writes != writes) continue;
    copy.done = std::move(done);
    return;
  }
  list.push_back({stream, writes, std::move(done)});
}

void wait_for_host_copies(const StorageBody& storage, bool host_writes) {
  HostCopies& c = host_copies();
  std::vector<Event> events;  // waited for without the lock
  {
    const std::lock_guard lock(c.mutex);
    const auto at = c.of.find(&storage);
    if (at == c.of.end()) return;
    for (const HostCopy& copy : at->second) {
      if ((copy.writes || host_writes) && !copy.done.query()) events.push_back(copy.done);
    }
  }
  for (const Event& e : events) e.synchronize();
}

void forget_host_copies(const StorageBody& storage) noexcept {
  HostCopies& c = host_copies();
  const std::lock_guard lock(c.mutex);
  c.of.erase(&storage);
}

}  // namespace tandem::detail
