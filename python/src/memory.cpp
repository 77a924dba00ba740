// The devices' memory: statistics, snapshots, tags, limits; tandem/memory.py has the Python faces.
#include "tandem/memory.h"

#include <nanobind/stl/string.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "convert.h"

namespace tandem::python {
namespace {

/// The tags that this thread is in, in order.
thread_local std::vector<std::unique_ptr<MemoryTag>> tags;

Device memory_device(nb::handle o, const std::string& op) {
  std::optional<Device> d = to_device(o.ptr());
  if (PyBool_Check(o.ptr()) == 0) {
    if (const auto i = to_int(o.ptr())) d = Device(DeviceKind::CUDA, static_cast<int>(*i));
  }
  TANDEM_EXPECTS(d.has_value(), TypeError,
                 "[" + op + "] expected a device, got " + type_name(o.ptr()));
  return *d;
}

nb::object limit_object(std::size_t bytes) {
  return bytes == std::numeric_limits<std::size_t>::max() ? nb::none()
                                                          : nb::object(nb::int_(bytes));
}

nb::dict counter(const MemoryCounter& c) {
  nb::dict d;
  d["current"] = c.current;
  d["peak"] = c.peak;
  d["total"] = c.total;
  return d;
}

/// What statistics of a device and of a part of its pool have in common.
template <class Stats>
void common(nb::dict& d, const Stats& s) {
  d["requested"] = counter(s.requested);
  d["allocated"] = counter(s.allocated);
  d["reserved"] = counter(s.reserved);
  d["cached"] = s.cached;
  d["free_ranges"] = s.free_ranges;
  d["pending"] = s.pending;
  d["largest_free"] = s.largest_free;
  d["fragmentation"] = s.fragmentation();
  d["limit"] = limit_object(s.limit);
  d["allocations"] = s.allocations;
  d["frees"] = s.frees;
}

nb::dict stats_dict(const MemoryStats& s) {
  nb::dict d;
  common(d, s);
  d["cache_hits"] = s.cache_hits;
  d["driver_allocations"] = s.driver_allocations;
  d["driver_frees"] = s.driver_frees;
  d["events"] = s.events;
  d["waits"] = s.waits;
  d["out_of_memory"] = s.out_of_memory;
  d["retries"] = s.retries;
  return d;
}

nb::list pools_list(const std::vector<PoolStats>& pools) {
  nb::list all;
  for (const PoolStats& p : pools) {
    nb::dict d;
    d["id"] = p.id;
    d["kept"] = p.kept;
    common(d, p);
    all.append(d);
  }
  return all;
}

std::size_t bytes_argument(nb::handle o, const char* op) {
  if (o.is_none()) return std::numeric_limits<std::size_t>::max();
  const auto n = PyBool_Check(o.ptr()) != 0 ? std::nullopt : to_int(o.ptr());
  TANDEM_EXPECTS(n.has_value(), TypeError,
                 std::string("[") + op + "] expected bytes as an int, got " + type_name(o.ptr()));
  TANDEM_EXPECTS(*n >= 0, ValueError,
                 std::string("[") + op + "] expected 0 bytes or more, got " + std::to_string(*n));
  return static_cast<std::size_t>(*n);
}

/// Calls f without the interpreter's lock.
template <class F>
auto unlocked(F&& f) {
  const nb::gil_scoped_release release;
  return f();
}

}  // namespace

void init_memory(nb::module_& m) {
  m.def("_memory_tag_push", [](const std::string& name) {
    tags.reserve(tags.size() + 1);
    tags.push_back(std::make_unique<MemoryTag>(name));
  });
  m.def("_memory_tag_pop", [] {
    TANDEM_EXPECTS(!tags.empty(), ValueError,
                   "[memory_tag] expected a tag that this thread is in, got none");
    tags.pop_back();
  });
  m.def("_memory_snapshot", [](nb::handle device) {
    const Device d = memory_device(device, "memory_snapshot");
    return unlocked([&] { return memory_snapshot(d); });
  });
  m.def("_write_memory_snapshot", [](const std::string& path, nb::handle device) {
    const Device d = memory_device(device, "write_memory_snapshot");
    unlocked([&] { write_memory_snapshot(path, d); });
  });
  m.def("_memory_stats", [](nb::handle device) {
    return stats_dict(memory_stats(memory_device(device, "memory_stats")));
  });
  m.def("_memory_pools", [](nb::handle device) {
    return pools_list(memory_pools(memory_device(device, "memory_pools")));
  });
  m.def("_reset_peak_memory",
        [](nb::handle device) { reset_peak_memory(memory_device(device, "reset_peak_memory")); });
  m.def("_empty_cache", [](nb::handle device) {
    const Device d = memory_device(device, "empty_cache");
    return unlocked([&] { return empty_cache(d); });
  });
  m.def(
      "_set_memory_limit",
      [](nb::handle bytes, nb::handle device) {
        const Device d = memory_device(device, "set_memory_limit");
        set_memory_limit(d, bytes_argument(bytes, "set_memory_limit"));
      },
      nb::arg("bytes").none(), nb::arg("device"));
}

}  // namespace tandem::python
