// Host memory by mmap on 2 MiB boundaries, with huge pages where the system has them: segments, or
// address space whose pages the system fills when they are touched and takes back when told.
#include "runtime/memory/host_driver.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace tandem {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
// Below this a segment is not worth reading /proc for; what the pool holds already is still
// counted.
constexpr std::size_t kAskSystem = std::size_t{32} << 20;

/// Reads a small text file; empty where it does not exist.
std::string slurp(const char* path) {
  std::string text;
  std::FILE* f = std::fopen(path, "re");
  if (f == nullptr) return text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, f)) != 0;) text.append(buffer, n);
  std::fclose(f);
  return text;
}

/// The number after `key` at the start of a line; `missing` where there is none.
std::size_t field(const std::string& text, const char* key, std::size_t missing) {
  const std::size_t length = std::strlen(key);
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, length, key) == 0)
      return std::strtoull(text.c_str() + at + length, nullptr, 10);
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return missing;
}

std::size_t number(const std::string& text, std::size_t missing) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return missing;  // "max"
  return std::strtoull(text.c_str(), nullptr, 10);
}

/// Where this process's control group keeps its memory files, and their names in the two versions.
struct Group {
  std::string limit, usage, stat;
};

Group find_group() {
  const std::string groups = slurp("/proc/self/cgroup");
  for (std::size_t at = 0; at < groups.size();) {
    const std::size_t end = std::min(groups.find('\n', at), groups.size());
    const std::string line = groups.substr(at, end - at);
    at = end + 1;
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string kind = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    // Inside a container the path is often that of the outside, and the group's files lie at the
    // mount itself.
    for (const std::string& sub : {path, std::string()}) {
      if (kind == "memory") {
        const std::string base = "/sys/fs/cgroup/memory" + sub;
        if (access((base + "/memory.limit_in_bytes").c_str(), R_OK) == 0) {
          return {base + "/memory.limit_in_bytes", base + "/memory.usage_in_bytes",
                  base + "/memory.stat"};
        }
      } else if (kind.empty()) {
        const std::string base = "/sys/fs/cgroup" + sub;
        if (access((base + "/memory.max").c_str(), R_OK) == 0) {
          return {base + "/memory.max", base + "/memory.current", base + "/memory.stat"};
        }
      }
    }
  }
  return {};
}

class HostDriver final : public Driver {
 public:
  explicit HostDriver(bool huge_pages) : huge_pages_(huge_pages) {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    page_ = page > 0 ? static_cast<std::size_t>(page) : 4096;
    total_ = pages > 0 ? static_cast<std::size_t>(pages) * page_ : kNoLimit;
    const std::size_t swap = field(slurp("/proc/meminfo"), "SwapTotal:", 0) * 1024;
    if (total_ <= kNoLimit - swap) total_ += swap;
    group_ = find_group();
    if (!group_.limit.empty())
      total_ = std::min(total_, number(slurp(group_.limit.c_str()), kNoLimit));
  }

  const char* name() const noexcept override { return "host"; }
  DriverFeatures features() const noexcept override { return {.virtual_memory = true}; }
  std::size_t granularity() const noexcept override { return kHugePage; }
  std::size_t block_alignment() const noexcept override { return 64; }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    // The kernel promises more than it has and kills later; so what cannot be had is refused here.
    const std::size_t held = held_.load(std::memory_order_relaxed);
    if (bytes > total_ || held > total_ - bytes) return DriverStatus::OutOfMemory;
    if (bytes >= kAskSystem && bytes > available()) return DriverStatus::OutOfMemory;
    if (!map_aligned(bytes, PROT_READ | PROT_WRITE, 0, out)) return DriverStatus::OutOfMemory;
    held_.fetch_add(bytes, std::memory_order_relaxed);
    return DriverStatus::Ok;
  }

  DriverStatus free(void* p, std::size_t bytes) noexcept override {
    if (munmap(p, bytes) != 0) return DriverStatus::Failed;
    held_.fetch_sub(bytes, std::memory_order_relaxed);
    return DriverStatus::Ok;
  }

  // Address space has no access at first, so that it costs nothing where a process has all its
  // memory locked (mlockall). Pages that have been there stay accessible: the system bounds the
  // number of pieces that a mapping may be in. A page's handle is a token.
  DriverStatus reserve(std::size_t bytes, DriverAddress* out) noexcept override {
    void* p = nullptr;
    if (!map_aligned(bytes, PROT_NONE, MAP_NORESERVE, &p)) return DriverStatus::OutOfMemory;
    *out = reinterpret_cast<DriverAddress>(p);
    return DriverStatus::Ok;
  }
  DriverStatus release(DriverAddress address, std::size_t bytes) noexcept override {
    return munmap(reinterpret_cast<void*>(address), bytes) == 0 ? DriverStatus::Ok
                                                                : DriverStatus::Failed;
  }
  DriverStatus create(std::size_t bytes, PhysicalHandle* out) noexcept override {
    if (held_.fetch_add(bytes, std::memory_order_relaxed) > total_ - std::min(bytes, total_)) {
      held_.fetch_sub(bytes, std::memory_order_relaxed);
      return DriverStatus::OutOfMemory;
    }
    *out = 1;
    return DriverStatus::Ok;
  }
  DriverStatus destroy(PhysicalHandle, std::size_t bytes) noexcept override {
    held_.fetch_sub(bytes, std::memory_order_relaxed);
    return DriverStatus::Ok;
  }
  DriverStatus map(DriverAddress at, std::size_t bytes, PhysicalHandle) noexcept override {
    return mprotect(reinterpret_cast<void*>(at), bytes, PROT_READ | PROT_WRITE) == 0
               ? DriverStatus::Ok
               : DriverStatus::OutOfMemory;
  }
  DriverStatus unmap(DriverAddress at, std::size_t bytes) noexcept override {
    return madvise(reinterpret_cast<void*>(at), bytes, MADV_DONTNEED) == 0 ? DriverStatus::Ok
                                                                           : DriverStatus::Failed;
  }

  DriverStatus memory_info(MemoryInfo* out) noexcept override {
    *out = {std::min(available(), total_), total_};
    return DriverStatus::Ok;
  }

 private:
  bool map_aligned(std::size_t bytes, int access, int flags, void** out) const noexcept {
    if (bytes > kNoLimit - kHugePage) return false;
    void* raw =
        mmap(nullptr, bytes + kHugePage, access, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (raw == MAP_FAILED) return false;
    const auto start = reinterpret_cast<std::uintptr_t>(raw);
    const std::uintptr_t aligned = (start + kHugePage - 1) & ~(kHugePage - 1);
    const std::size_t before = aligned - start;
    if (before != 0) munmap(raw, before);
    if (before != kHugePage) munmap(reinterpret_cast<void*>(aligned + bytes), kHugePage - before);
    // Refused where huge pages are off: then it is ordinary memory.
    if (huge_pages_) madvise(reinterpret_cast<void*>(aligned), bytes, MADV_HUGEPAGE);
    *out = reinterpret_cast<void*>(aligned);
    return true;
  }

  /// What the system says could be had now without swapping out the process; kNoLimit where it says
  /// nothing.
  std::size_t available() const noexcept {
    try {
      std::size_t free = kNoLimit;
      const std::string info = slurp("/proc/meminfo");
      if (const std::size_t kib = field(info, "MemAvailable:", kNoLimit); kib != kNoLimit) {
        free = (kib + field(info, "SwapFree:", 0)) * 1024;
      }
      if (group_.limit.empty()) return free;
      const std::size_t limit = number(slurp(group_.limit.c_str()), kNoLimit);
      if (limit == kNoLimit) return free;
      std::size_t used = number(slurp(group_.usage.c_str()), 0);
      // Cached file pages count as used but are dropped when needed.
      used -= std::min(used, field(slurp(group_.stat.c_str()), "inactive_file ", 0));
      return std::min(free, limit > used ? limit - used : 0);
    } catch (...) {  // no memory for the text: let mmap decide
      return kNoLimit;
    }
  }

  bool huge_pages_;
  std::size_t page_ = 4096;
  std::size_t total_ = kNoLimit;
  Group group_;
  std::atomic<std::size_t> held_{0};
};

}  // namespace

std::unique_ptr<Driver> make_host_driver(bool huge_pages) {
  return std::make_unique<HostDriver>(huge_pages);
}

}  // namespace tandem
