// Finds races in the shared memory of kernels that run on the CPU: two threads of a block touch the
// same byte, one of them writing, and no barrier lies between. The kernels' sources are compiled
// with -fsanitize=thread, which puts a call before every access of memory; here are those calls, in
// place of the sanitizer's run time, whose notion of a thread is the operating system's. A byte's
// shadow holds who wrote and who read it last and between which barriers. Shared variables are
// static ones here (cuda_runtime_api.h), so what is watched is the writable data of this library.
#include "races.h"

#include <link.h>

#include <cstddef>
#include <cstdio>
#include <vector>

namespace sim {

namespace {

constexpr int kNobody = -1;
constexpr int kSeveral = -2;
constexpr int kTold = 5;

struct Shadow {
  std::uint32_t written = 0, read = 0;  // epochs
  std::int16_t writer = kNobody, reader = kNobody;
};

std::uint32_t epoch = 1;
int thread = kNobody;
std::uint64_t races = 0;
// What is watched: `bytes` is 0 while no thread of a block runs, so that one comparison lets the
// many accesses to other memory pass.
std::uintptr_t begin = 0;
std::size_t bytes = 0;
std::vector<Shadow> shadow;

/// The writable segment that holds `address`.
int find_segment(dl_phdr_info* info, std::size_t, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(&races);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& p = info->dlpi_phdr[i];
    const std::uintptr_t start = info->dlpi_addr + p.p_vaddr;
    if (p.p_type != PT_LOAD || (p.p_flags & PF_W) == 0) continue;
    if (address < start || address >= start + p.p_memsz) continue;
    begin = start;
    shadow.resize(p.p_memsz);
    return 1;
  }
  return 0;
}

void tell(std::uintptr_t address, const char* what, int other, const char* before) {
  if (++races > kTold) return;
  std::fprintf(stderr, "race in shared memory at %#zx: thread %d %s what thread ", address, thread,
               what);
  if (other == kSeveral) {
    std::fprintf(stderr, "and others %s without a barrier between\n", before);
  } else {
    std::fprintf(stderr, "%d %s without a barrier between\n", other, before);
  }
}

void note(std::uintptr_t at, std::size_t n, bool writes) {
  bool told = false;
  for (std::size_t i = 0; i < n; ++i) {
    Shadow& s = shadow[at - begin + i];
    const bool after_write = s.written == epoch && s.writer != thread;
    const bool after_read = writes && s.read == epoch && s.reader != thread;
    if ((after_write || after_read) && !told) {
      told = true;
      tell(at, writes ? "writes" : "reads", after_write ? s.writer : s.reader,
           after_write ? "wrote" : "read");
    }
    if (writes) {
      s.written = epoch;
      s.writer = static_cast<std::int16_t>(thread);
    } else {
      const bool first = s.read != epoch || s.reader == thread;
      s.read = epoch;
      s.reader = static_cast<std::int16_t>(first ? thread : kSeveral);
    }
  }
}

inline void access(const void* p, std::size_t n, bool writes) {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  if (at - begin < bytes) [[unlikely]]
    note(at, n, writes);
}

}  // namespace

void next_epoch() { ++epoch; }
void watch(int t) {
  if (shadow.empty()) dl_iterate_phdr(&find_segment, nullptr);
  thread = t;
  bytes = t == kNobody ? 0 : shadow.size();
}
std::uint64_t take_races() {
  const std::uint64_t n = races;
  races = 0;
  return n;
}

}  // namespace sim

// The names that -fsanitize=thread calls.
// NOLINTBEGIN(bugprone-reserved-identifier)
#define TANDEM_ACCESS(n)                                               \
  void __tsan_read##n(void* p) { sim::access(p, n, false); }           \
  void __tsan_write##n(void* p) { sim::access(p, n, true); }           \
  void __tsan_unaligned_read##n(void* p) { sim::access(p, n, false); } \
  void __tsan_unaligned_write##n(void* p) { sim::access(p, n, true); } \
  void __tsan_volatile_read##n(void* p) { sim::access(p, n, false); }  \
  void __tsan_volatile_write##n(void* p) { sim::access(p, n, true); }
extern "C" {
TANDEM_ACCESS(1)
TANDEM_ACCESS(2)
TANDEM_ACCESS(4)
TANDEM_ACCESS(8)
TANDEM_ACCESS(16)
void __tsan_read_range(void* p, unsigned long n) { sim::access(p, n, false); }
void __tsan_write_range(void* p, unsigned long n) { sim::access(p, n, true); }
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
// Guards of static variables; the kernels have no atomics.
unsigned char __tsan_atomic8_load(const volatile unsigned char* p, int) {
  return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
}
// NOLINTEND(bugprone-reserved-identifier)
