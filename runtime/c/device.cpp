// Devices, memory, threads and generators of the C interface.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "runtime/c/boundary.h"
#include "runtime/dispatch/backend_loader.h"
#include "tandem/memory.h"
#include "tandem/threads.h"

using namespace tandem;

namespace {

/// The tags that this thread pushed, in order.
thread_local std::vector<std::unique_ptr<MemoryTag>> t_tags;

std::uint64_t limit_in_c(std::size_t bytes) { return bytes == SIZE_MAX ? UINT64_MAX : bytes; }

}  // namespace

int tandem_device_usable(const char* device, int* usable, const char** why) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_device_usable";
    int& to = c::given(usable, {kFunction, "usable"});
    const Device asked = c::device(device, kFunction);
    thread_local std::string reason;
    try {
      const Device found = resolve_device(asked, kFunction);
      to = found.is_cpu() || found.is_meta() || found.index < device_count(found.kind) ? 1 : 0;
      reason = device_status(asked.kind);
    } catch (const DeviceError& e) {
      to = 0;
      reason = is_available(asked.kind) ? e.what() : device_status(asked.kind);
    }
    if (why != nullptr) *why = reason.c_str();
  });
}

int tandem_memory_stats(const char* device, tandem_memory* stats) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_stats";
    tandem_memory& to = c::given(stats, {kFunction, "stats"});
    TANDEM_EXPECTS(to.size >= sizeof(std::size_t) + sizeof(std::uint64_t), ValueError,
                   "[tandem_memory_stats] expected stats->size to be sizeof(tandem_memory)");
    const MemoryStats s = memory_stats(resolve_device(c::device(device, kFunction), kFunction));
    const tandem_memory now{std::min(to.size, sizeof(tandem_memory)),
                            s.requested.current,
                            s.allocated.current,
                            s.allocated.peak,
                            s.reserved.current,
                            s.reserved.peak,
                            s.pending,
                            s.cached,
                            s.largest_free,
                            limit_in_c(s.limit),
                            s.allocations,
                            s.frees,
                            s.cache_hits,
                            s.out_of_memory,
                            s.events,
                            s.waits};
    std::memcpy(&to, &now, now.size);
  });
}

int tandem_memory_reset_peak(const char* device) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_reset_peak";
    reset_peak_memory(resolve_device(c::device(device, kFunction), kFunction));
  });
}

int tandem_memory_set_limit(const char* device, uint64_t bytes) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_set_limit";
    set_memory_limit(resolve_device(c::device(device, kFunction), kFunction),
                     static_cast<std::size_t>(std::min<std::uint64_t>(bytes, SIZE_MAX)));
  });
}

int tandem_memory_empty_cache(const char* device, uint64_t* freed) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_empty_cache";
    const std::size_t bytes = empty_cache(resolve_device(c::device(device, kFunction), kFunction));
    if (freed != nullptr) *freed = bytes;
  });
}

int tandem_memory_tag_push(const char* name) {
  return c::guarded([&] {
    const char& text = c::given(name, {"tandem_memory_tag_push", "name"});
    t_tags.reserve(t_tags.size() + 1);
    t_tags.push_back(std::make_unique<MemoryTag>(&text));
  });
}

int tandem_memory_tag_pop(void) {
  return c::guarded([&] {
    TANDEM_EXPECTS(!t_tags.empty(), ValueError,
                   "[tandem_memory_tag_pop] expected a tag that this thread pushed, got none");
    t_tags.pop_back();
  });
}

int tandem_memory_write_snapshot(const char* path, const char* device) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_write_snapshot";
    const char& to = c::given(path, {kFunction, "path"});
    write_memory_snapshot(&to, resolve_device(c::device(device, kFunction), kFunction));
  });
}

int tandem_set_num_threads(int n) {
  return c::guarded([&] { set_num_threads(n); });
}

int tandem_get_num_threads(int* n) {
  return c::guarded([&] { c::given(n, {"tandem_get_num_threads", "n"}) = get_num_threads(); });
}

int tandem_manual_seed(uint64_t seed) {
  return c::guarded([&] { default_generator().manual_seed(seed); });
}

int tandem_generator_create(uint64_t seed, tandem_generator** out) {
  return c::guarded([&] {
    tandem_generator*& to = c::given(out, {"tandem_generator_create", "out"});
    to = new tandem_generator{Generator(seed)};
  });
}

int tandem_generator_release(tandem_generator* generator) {
  delete generator;
  return TANDEM_OK;
}
