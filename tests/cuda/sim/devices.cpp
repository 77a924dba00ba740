// The owners of memory, and peers.
#include "devices.h"

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "cuda_runtime_api.h"

namespace sim {
namespace {

struct Owned {
  std::size_t bytes;
  int owner;
};
std::mutex mutex;
std::map<const char*, Owned> memory;  // by address
std::set<std::pair<int, int>> peers;  // device, peer: enabled

const Owned* find(const void* p) {
  const auto* at = static_cast<const char*>(p);
  const auto behind = memory.upper_bound(at);
  if (behind == memory.begin()) return nullptr;
  const auto& [start, owned] = *std::prev(behind);
  return at < start + owned.bytes ? &owned : nullptr;
}

}  // namespace

void own_memory(const void* p, std::size_t bytes, int owner) {
  const std::lock_guard lock(mutex);
  memory[static_cast<const char*>(p)] = {bytes, owner};
}
void disown_memory(const void* p) {
  const std::lock_guard lock(mutex);
  memory.erase(static_cast<const char*>(p));
}
int owner_of(const void* p) {
  const std::lock_guard lock(mutex);
  const Owned* owned = find(p);
  return owned == nullptr ? kHost : owned->owner;
}
bool pinned(const void* p) {
  const std::lock_guard lock(mutex);
  const Owned* owned = find(p);
  return owned != nullptr && owned->owner == kHost;
}
bool reaches(int device, const void* p) {
  const int owner = owner_of(p);
  if (owner == kHost || owner == device) return true;
  const std::lock_guard lock(mutex);
  return peers.contains({device, owner});
}
bool holds(int device, const void* p, std::size_t bytes) {
  const std::lock_guard lock(mutex);
  const auto* at = static_cast<const char*>(p);
  const auto behind = memory.upper_bound(at);
  if (behind == memory.begin()) return false;
  const auto& [start, owned] = *std::prev(behind);
  return owned.owner == device && at + bytes <= start + owned.bytes;
}
bool can_reach_peer(int device, int peer) { return device != peer && device < 2 && peer < 2; }

}  // namespace sim

/// For stand-ins of libraries: whether memory is one piece of the stream's device's; the current
/// device; whose memory it is.
extern "C" {
__attribute__((visibility("default"))) int tandem_sim_holds(cudaStream_t stream, const void* p,
                                                            std::size_t bytes) {
  int device = 0;
  cudaStreamGetDevice(stream, &device);
  return sim::holds(device, p, bytes) ? 1 : 0;
}
__attribute__((visibility("default"))) int tandem_sim_device() {
  int device = 0;
  cudaGetDevice(&device);
  return device;
}
__attribute__((visibility("default"))) int tandem_sim_owner(const void* p) {
  return sim::owner_of(p);
}
}

cudaError_t cudaDeviceCanAccessPeer(int* out, int device, int peer) {
  *out = sim::can_reach_peer(device, peer) ? 1 : 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  int device = 0;
  cudaGetDevice(&device);
  if (!sim::can_reach_peer(device, peer)) return cudaErrorPeerAccessUnsupported;
  const std::lock_guard lock(sim::mutex);
  return sim::peers.insert({device, peer}).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
}
