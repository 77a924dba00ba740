// What streams did to memory, and what is in no order.
#include "runtime/dispatch/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/memory/order.h"
#include "runtime/memory/pinned.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/stream_id.h"
#include "runtime/tensor/host_copies.h"
#include "runtime/tensor/region.h"

namespace tandem::debug {

namespace {

using detail::Region;
using detail::StorageBody;

enum class Kind : std::uint8_t { Read, Write, Allocation, Wrapping };
constexpr const char* kVerbs[] = {"read", "wrote", "allocated", "wrapped"};

/// What work of a stream did to memory.
struct Use {
  StreamId stream;
  Device device;  // of the stream
  std::uint64_t fence = 0;
  Kind kind = Kind::Read;
  Region bytes;
  std::string op;
  bool writes() const { return kind != Kind::Read; }
};

/// Memory that uses are remembered of: a storage's, or what several storages wrap.
struct Memory {
  std::uint64_t bytes = 0;
  int storages = 0;
  std::vector<Use> uses;
};
constexpr std::size_t kMostUses = 256;  // of one memory

/// By address. Under debug::mutex(); never destroyed.
struct Known {
  std::map<std::uint64_t, Memory> memory;
  std::unordered_map<const StorageBody*, std::uint64_t> wrapped;  // the life of a block inside
};
Known& known() {
  static Known& k = *new Known;
  return k;
}
/// Memory of the host has uses: its ops need not look otherwise.
constinit std::atomic<bool> g_host_uses{false};

std::uint64_t address(const StorageBody& s) { return reinterpret_cast<std::uintptr_t>(s.data); }

/// What a new use would be of.
struct Access {
  const Tensor* tensor;
  bool write;
};

/// The memory around an address; null where none is known.
Memory* find(std::uint64_t at) {
  auto& all = known().memory;
  auto i = all.upper_bound(at);
  if (i == all.begin()) return nullptr;
  --i;
  return at - i->first < i->second.bytes ? &i->second : nullptr;
}

Memory& memory_of(const StorageBody& s) {
  if (Memory* m = find(address(s))) return *m;
  return known().memory[address(s)] = {s.bytes, 1, {}};
}

/// Of a storage that is new.
Memory& memory_of_new(const StorageBody& s) {
  auto& all = known().memory;
  if (s.block != nullptr) {  // what is known of the place is of earlier owners
    const std::uint64_t end = address(s) + s.bytes;
    auto i = all.upper_bound(address(s));
    if (i != all.begin() && std::prev(i)->first + std::prev(i)->second.bytes > address(s)) --i;
    while (i != all.end() && i->first < end) i = all.erase(i);
  } else if (const auto i = all.find(address(s)); i != all.end()) {
    ++i->second.storages;
    i->second.bytes = std::max<std::uint64_t>(i->second.bytes, s.bytes);
    return i->second;
  }
  return memory_of(s);
}

std::string in_words(Device device, StreamId stream) {
  if (device.is_cpu()) return "the host";
  const std::uint64_t number = stream.id & ((std::uint64_t{1} << StreamId::kDeviceShift) - 1);
  if (number == 0) return fmt::format("the default stream of {}", device.str());
  return fmt::format("stream {} ({:#x}) of {}", number - 1, stream.handle, device.str());
}

std::string in_words(const Tensor& t) {
  return fmt::format("a tensor of {} [{}] at {} in the {} bytes at {}", name(t.dtype()),
                     fmt::join(t.shape(), ", "), t.data_ptr(), t.body_ptr()->storage->bytes,
                     t.body_ptr()->storage->data);
}

struct Found {
  const Use* use = nullptr;
  const Access* access = nullptr;
};

/// Whether work of the stream, or the host, comes after a use by itself.
bool after(Device device, StreamId stream, const Use& use) {
  return memory::Order::process().told(device.is_cpu() ? kHostStream : stream, use.stream,
                                       use.fence);
}

/// What is in no order with the accesses.
Found find_conflict(Device device, StreamId stream, std::span<const Access> accesses) {
  for (const Access& a : accesses) {
    const Memory* m = find(address(*a.tensor->body_ptr()->storage));
    if (m == nullptr) continue;
    const Region bytes = detail::region_of(*a.tensor->body_ptr());
    for (auto at = m->uses.rbegin(); at != m->uses.rend(); ++at) {  // the newest says most
      const Use& use = *at;
      if (!a.write && !use.writes()) continue;
      if (bytes.empty() || bytes.last < use.bytes.first || use.bytes.last < bytes.first) continue;
      if (after(device, stream, use) || !detail::share_bytes(bytes, use.bytes)) continue;
      return {&use, &a};
    }
  }
  return {};
}

std::string message(Device device, StreamId stream, const Found& f, const char* otherwise) {
  const char* op = op_name(otherwise);
  const Use& use = *f.use;
  const std::string before = in_words(use.device, use.stream);
  const std::string text = fmt::format(
      "[{}] expected memory that {} may {}, got {}, which '{}' {} on {} without an order between "
      "the two: ",
      op, in_words(device, stream), f.access->write ? "write" : "read", in_words(*f.access->tensor),
      use.op, kVerbs[static_cast<int>(use.kind)], before);
  if (device.is_cpu()) {
    return text + fmt::format("wait for {} before '{}' (Stream::synchronize, Event::synchronize)",
                              before, op);
  }
  return text + fmt::format(
                    "record an Event on {} after '{}' and have {} wait for it before '{}' "
                    "(Event::record, Event::wait)",
                    before, use.op, in_words(device, stream), op);
}

/// Adds a use, and forgets those that it stands for: whoever comes after it comes after them.
void remember(Memory& m, Use use) {
  std::erase_if(m.uses, [&](const Use& old) {
    return (use.writes() || (!old.writes() && old.stream == use.stream)) &&
           detail::covers(use.bytes, old.bytes);
  });
  if (m.uses.size() >= kMostUses / 4) {
    std::erase_if(m.uses, [](const Use& old) {
      return memory::Order::process().told(kHostStream, old.stream, old.fence);
    });
  }
  if (m.uses.size() >= kMostUses) m.uses.erase(m.uses.begin());
  m.uses.push_back(std::move(use));
}

void remember(const Stream& stream, std::span<const Access> accesses, const char* otherwise) {
  const StreamId id = stream_id(stream);
  memory::Order& order = memory::Order::process();
  order.know(id);
  const std::uint64_t fence = order.fence(id);
  for (std::size_t i = accesses.size(); i-- > 0;) {  // writes, which stand for reads, last
    const Access& a = accesses[i];
    const detail::TensorBody& t = *a.tensor->body_ptr();
    Region bytes = detail::region_of(t);
    if (bytes.empty()) continue;
    if (t.storage->device.is_cpu()) g_host_uses.store(true, std::memory_order_relaxed);
    remember(memory_of(*t.storage), {id, stream.device(), fence, a.write ? Kind::Write : Kind::Read,
                                     std::move(bytes), op_name(otherwise)});
  }
}

/// Memory of the user that was Tandem's, and is not any more.
void check_alive(std::span<const Access> accesses, const char* otherwise) {
  for (const Access& a : accesses) {
    const StorageBody& s = *a.tensor->body_ptr()->storage;
    if (s.data == nullptr || a.tensor->numel() == 0) continue;
    if (s.block != nullptr) {
      used(s.data);
      continue;
    }
    const Region bytes = detail::region_of(*a.tensor->body_ptr());
    const auto* first = reinterpret_cast<const void*>(bytes.first);
    const char* op = op_name(otherwise);
    if (const std::string freed = freed_by(first, bytes.last - bytes.first + 1); !freed.empty()) {
      mistake(fmt::format("[{}] expected memory that is alive, got {}, which was freed: {}", op,
                          in_words(*a.tensor), freed));
      continue;
    }
    std::uint64_t life = 0;
    {
      const std::lock_guard<std::mutex> hold(mutex());
      const auto i = known().wrapped.find(&s);
      if (i != known().wrapped.end()) life = i->second;
    }
    if (life != 0 && life_of(s.data) != life) {
      mistake(
          fmt::format("[{}] expected memory that is alive, got {}, whose tensor is gone and whose "
                      "memory was given out again",
                      op, in_words(*a.tensor)));
    }
  }
}

/// Work of a stream that is recorded into a graph.
bool capturing(const Stream& stream) {
  return !stream.device().is_cpu() &&
         pool_for(stream.device()).driver().capturing(stream_id(stream));
}

void check(const Stream& stream, std::span<const Access> accesses, const char* otherwise) {
  if (on(kMemory)) check_alive(accesses, otherwise);
  const Device device = stream.device();
  if (!on(kStreams) || (device.is_cpu() && !g_host_uses.load(std::memory_order_relaxed))) return;
  std::string wrong;
  {
    const std::lock_guard<std::mutex> hold(mutex());
    const StreamId id = stream_id(stream);
    const Found found = find_conflict(device, id, accesses);
    if (found.use != nullptr) wrong = message(device, id, found, otherwise);
  }
  if (!wrong.empty()) mistake(wrong);
}

void check_and_remember(const Stream& stream, std::span<const Access> accesses,
                        const char* otherwise) {
  if (capturing(stream)) return;
  check(stream, accesses, otherwise);
  note_op();
  if (!on(kStreams) || stream.device().is_cpu()) return;  // the host's work is done at once
  const std::lock_guard<std::mutex> hold(mutex());
  remember(stream, accesses, otherwise);
}

}  // namespace

namespace {
/// Host code that touches pinned memory waits for the copies that devices make with it.
void wait_for_copies(const Tensors& tensors, bool writes) {
  for (const Tensor* t : tensors) {
    if (t != nullptr && t->defined() && t->device().is_cpu())
      detail::wait_for_host_copies(*t->body_ptr()->storage, writes);
  }
}
}  // namespace

void launching(const Stream& stream, Tensors written, Tensors read) {
  if (on(kPinned) && stream.device().is_cpu()) {
    wait_for_copies(written, true);
    wait_for_copies(read, false);
  }
  if (!on(kChecks)) return;
  std::vector<Access> accesses;
  for (const Tensor* t : written) {
    if (t != nullptr && t->defined()) accesses.push_back({t, true});
  }
  for (const Tensor* t : read) {
    if (t != nullptr && t->defined()) accesses.push_back({t, false});
  }
  check_and_remember(stream, accesses, "launch");
}

void copying(const Tensor& out, const Tensor& source, const Stream& stream, const Stream& from,
             bool at_once) {
  if (!on(kChecks)) return;
  const Access both[] = {{&out, true}, {&source, false}};
  if (from == stream && !at_once) return check_and_remember(stream, both, "copy_");
  const std::span<const Access> all(both);
  check(from, all.last(1), "copy_");
  check_and_remember(stream, all.first(1), "copy_");
  if (!at_once) check_and_remember(from, all.last(1), "copy_");
}

void on_host(const Tensor& host, bool writes) {
  if (on(kPinned)) wait_for_copies({&host}, writes);
  if (!on(kChecks)) return;
  const Access use[] = {{&host, writes}};
  check(Stream{}, use, "data");
}

void handing_out(const Tensor& t, const Stream& stream) {
  if (!on(kChecks)) return;
  const Access both[] = {{&t, true}};
  check_and_remember(stream, both, "data(stream)");
}

void created(const StorageBody& storage, const Stream& stream) noexcept try {
  if (storage.data == nullptr || storage.bytes == 0 || capturing(stream)) return;
  const StreamId id = stream_id(stream);
  const std::lock_guard<std::mutex> hold(mutex());
  memory::Order& order = memory::Order::process();
  order.know(id);
  const bool own = storage.block != nullptr;
  remember(memory_of_new(storage),
           {id, stream.device(), order.fence(id), own ? Kind::Allocation : Kind::Wrapping,
            detail::region_of(storage.data, storage.bytes), op_name(own ? "empty" : "from_blob")});
} catch (const std::bad_alloc&) {  // less is known
}

void wrapped(const StorageBody& storage) noexcept try {
  if (!on(kChecks)) return;
  if (storage.data == nullptr || storage.bytes == 0) return;
  const std::uint64_t life = on(kMemory) ? life_of(storage.data) : 0;
  const std::lock_guard<std::mutex> hold(mutex());
  if (life != 0) known().wrapped[&storage] = life;
  if (on(kStreams) && storage.foreign == nullptr) (void)memory_of_new(storage);
} catch (const std::bad_alloc&) {  // less is known
}

void destroyed(const StorageBody& storage) noexcept {
  if (on(kPinned) && detail::is_pinned(storage)) detail::forget_host_copies(storage);
  if (!on(kChecks)) return;
  if (storage.data == nullptr) return;
  const std::lock_guard<std::mutex> hold(mutex());
  known().wrapped.erase(&storage);
  const auto i = known().memory.find(address(storage));
  if (i == known().memory.end()) return;
  if (storage.block != nullptr || --i->second.storages <= 0) known().memory.erase(i);
}

}  // namespace tandem::debug

void tandem::check_host_use(const Tensor& t, bool writes) {
  if (debug::on(debug::kAny) && t.defined() && t.device().is_cpu()) debug::on_host(t, writes);
}
