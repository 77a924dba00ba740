// Runs programs on the host's memory: every block holds its owner's pattern from its allocation to
// its end.
#include "tests/memory/sim/host_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "runtime/memory/host_driver.h"
#include "runtime/memory/pool.h"
#include "tandem/error.h"
#include "tests/memory/sim/checked_driver.h"
#include "tests/memory/sim/ranges.h"

namespace tandem::test {

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20, kPage = 4096;
constexpr std::size_t kWrittenWhole =
    64 * 1024;  // larger blocks: a word a page, and the last bytes
constexpr std::size_t kMostMemory = 200 * kMiB;
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

std::uint64_t word(std::uint64_t owner, std::size_t at) {
  std::uint64_t x = owner * 0x9e3779b97f4a7c15 + at;
  x ^= x >> 31;
  return x * 0xbf58476d1ce4e5b9;
}

/// Calls f(position, bytes, word) for each piece of a block that has a pattern.
template <class F>
void for_each_word(std::size_t bytes, std::uint64_t owner, F f) {
  const std::size_t step = bytes <= kWrittenWhole ? sizeof(std::uint64_t) : kPage;
  for (std::size_t at = 0; at < bytes; at += step) {
    f(at, std::min(sizeof(std::uint64_t), bytes - at), word(owner, at));
  }
  const std::size_t last = bytes - std::min(bytes, sizeof(std::uint64_t));
  if (step == kPage) f(last, bytes - last, word(owner, last));
}

class HostRun {
 public:
  HostRun(const Program& program, HostCounters& counters, bool planted)
      : world_(program.world), counters_(counters), blocks_(world_.blocks) {
    account_.capacity = std::min(world_.machine.capacity, kMostMemory);
    account_.virtual_memory = world_.machine.virtual_memory;
    account_.discards_neighbour = planted;
    pool_ = std::make_unique<Pool>(
        std::make_unique<CheckedDriver>(make_host_driver(program.seed % 2 == 0), account_), kCPU, 0,
        order_);
  }

  std::string run(const std::vector<Op>& ops, std::size_t* at) {
    for (*at = 0; *at < ops.size() && error_.empty(); ++*at) {
      counters_.steps += perform(ops[*at]);
      if (error_.empty() && *at % world_.verify_every == 0) verify();
      if (!error_.empty()) break;
    }
    if (error_.empty()) finish();
    for (Live& b : blocks_) {
      if (b.block != nullptr) pool_->free(b.block);
    }
    pool_.reset();
    if (error_.empty() && account_.left() != 0) fail("the pool left something behind");
    ++counters_.programs;
    counters_.growths += account_.growths();
    counters_.returns += account_.returns();
    counters_.faults += account_.faults();
    counters_.refused += account_.system_refusals();
    return error_;
  }

 private:
  struct Live {
    Block* block = nullptr;
    std::uint64_t owner = 0;
  };

  void fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }

  bool perform(const Op& op) {
    Live& b = blocks_[op.a % blocks_.size()];
    switch (op.kind) {
      case OpKind::Allocate:
        return allocate(b, op.n);
      case OpKind::Free:
      case OpKind::FreeOn:
        return free(b);
      case OpKind::Use:
        return b.block != nullptr && use(b);
      case OpKind::EmptyCache:
      case OpKind::Trim:
        return give_back(op);
      case OpKind::SetLimit:
        limit_ = op.n == 0 ? kUnlimited : op.n;
        limited_ = true;
        pool_->set_limit(limit_);
        ++counters_.limits;
        return true;
      case OpKind::Fault:
        if (!world_.faults) return false;
        account_.fail(
            op.b < static_cast<unsigned>(Call::kFallible) ? static_cast<Call>(op.b) : Call::kCount,
            op.n, op.a % 2 == 0 ? DriverStatus::Failed : DriverStatus::OutOfMemory);
        return true;
      default:
        return false;  // of streams
    }
  }

  bool allocate(Live& b, std::size_t bytes) {
    if (b.block != nullptr) return false;
    const std::uint64_t faults = account_.faults(), growths = account_.growths(),
                        returns = account_.returns(), refused = account_.system_refusals();
    const bool fits = idle_fits(bytes);
    try {
      b.block = pool_->allocate(bytes);
    } catch (const OutOfMemory&) {
      ++counters_.out_of_memory;
      ranges_.forget_idle([](const auto&) { return true; });
      if (account_.faults() == faults && account_.system_refusals() == refused)
        out_of_memory(bytes);
      return true;
    } catch (const DeviceError& e) {
      ++counters_.out_of_memory;
      ranges_.forget_idle([](const auto&) { return true; });
      if (account_.faults() == faults) fail(e.what());
      return true;
    }
    ++counters_.allocations;
    if (fits && account_.growths() != growths)
      fail(fmt::format("the pool grew for {} bytes, though an idle block fits", bytes));
    if (account_.returns() != returns)  // pages went elsewhere
      ranges_.forget_idle([](const auto&) { return true; });
    return enter(b, bytes);
  }

  /// Large blocks only, and only while memory was never short: see Interpreter::idle_fits.
  bool idle_fits(std::size_t bytes) const {
    if (bytes <= memory::kLargeLimit || limited_ || account_.refusals() != 0) return false;
    return ranges_.any_idle([&](const auto& idle) {
      return idle.second.to - idle.first >= memory::range_bytes(bytes);
    });
  }

  bool enter(Live& b, std::size_t bytes) {
    b.owner = ++last_owner_;
    if (bytes == 0) {
      if (b.block->data != nullptr) fail("zero bytes have an address");
      return true;
    }
    const auto from = reinterpret_cast<std::uint64_t>(b.block->data);
    if (b.block->size < bytes || b.block->requested != bytes)
      fail("the block is not what was asked for");
    if (from % 64 != 0) fail("the block is not aligned");
    if (!ranges_.add(from, from + b.block->size))
      fail(fmt::format("two live blocks overlap at [{:#x}, +{})", from, b.block->size));
    if (error_.empty()) write_pattern(b.block->data, bytes, b.owner);
    counters_.bytes_written += bytes;
    return true;
  }

  bool use(const Live& b) {
    if (b.block->data == nullptr) return true;
    ++counters_.checks;
    if (!has_pattern(b.block->data, b.block->requested, b.owner))
      fail(fmt::format("a block of {} bytes does not hold what was written", b.block->requested));
    return true;
  }

  bool free(Live& b) {
    if (b.block == nullptr) return false;
    use(b);
    const auto from = reinterpret_cast<std::uint64_t>(b.block->data);
    const std::size_t size = b.block->size;
    ranges_.remove(from);
    if (size > memory::kLargeLimit) {
      Ranges::Idle idle;
      idle.to = from + size;
      ranges_.idle(from, idle);
    }
    pool_->free(b.block);
    b = Live{};
    ++counters_.frees;
    return true;
  }

  bool give_back(const Op& op) {
    ranges_.forget_idle([](const auto&) { return true; });
    ++counters_.trims;
    if (op.kind == OpKind::EmptyCache) {
      pool_->empty_cache();
    } else {
      pool_->trim(op.n);
    }
    return true;
  }

  /// An allocation may fail only if too little would be left with all idle pieces given back.
  void out_of_memory(std::size_t bytes) {
    std::size_t busy = 0;
    for (const auto& [at, size] : account_.pieces()) {
      if (ranges_.live_in(at, at + size)) busy += size;
    }
    const std::size_t most = std::min(limit_, account_.capacity);
    const std::size_t need =
        bytes <= memory::kLargeLimit
            ? memory::kSmallSegment
            : memory::round_up(memory::range_bytes(bytes), memory::kSmallSegment);
    if (busy <= most && need <= most - busy)
      fail(
          fmt::format("out of memory for {} bytes, though of {} only {} are in pieces with live "
                      "blocks",
                      bytes, most, busy));
  }

  void verify() {
    if (std::string wrong = pool_->verify(); !wrong.empty()) fail(std::move(wrong));
    const std::size_t held = account_.held(), said = pool_->stats().reserved.current;
    if (held != said) fail(fmt::format("the driver holds {} bytes, the pool says {}", held, said));
  }

  void finish() {
    account_.fail_nothing();
    for (const Live& b : blocks_) {
      if (b.block != nullptr) use(b);
    }
    for (Live& b : blocks_) free(b);
    verify();
    pool_->empty_cache();
    verify();
    if (const std::size_t n = pool_->stats().reserved.current; n != 0)
      fail(fmt::format("{} bytes are reserved with nothing live", n));
  }

  const World world_;
  HostCounters& counters_;
  Account account_;
  memory::Order order_;
  std::unique_ptr<Pool> pool_;
  std::vector<Live> blocks_;
  Ranges ranges_;
  std::size_t limit_ = kUnlimited;
  bool limited_ = false;  // ever
  std::uint64_t last_owner_ = 0;
  std::string error_;
};

}  // namespace

void write_pattern(std::byte* data, std::size_t bytes, std::uint64_t owner) {
  for_each_word(bytes, owner, [data](std::size_t at, std::size_t n, std::uint64_t w) {
    std::memcpy(data + at, &w, n);
  });
}

bool has_pattern(const std::byte* data, std::size_t bytes, std::uint64_t owner) {
  bool same = true;
  const std::size_t last = bytes - std::min(bytes, sizeof(std::uint64_t));
  for_each_word(bytes, owner, [&](std::size_t at, std::size_t n, std::uint64_t w) {
    // What the last word was written over.
    if (bytes > kWrittenWhole && at != last && at + n > last) return;
    same = same && std::memcmp(data + at, &w, n) == 0;
  });
  return same;
}

std::string run_on_host(const Program& program, HostCounters* counters, std::size_t* at,
                        bool planted) {
  HostCounters unused;
  std::size_t where = 0;
  HostRun it(program, counters != nullptr ? *counters : unused, planted);
  return it.run(program.ops, at != nullptr ? at : &where);
}

std::string soak_on_host(std::uint64_t seed, std::uint64_t steps, HostCounters* counters,
                         bool planted) {
  const Runner again = [planted](const Program& p, std::size_t* at) {
    return run_on_host(p, nullptr, at, planted);
  };
  for (; counters->steps < steps; ++seed) {
    const Program p = generate(seed, seed % 8 == 0 ? 8000 : 1500);
    const std::string wrong = run_on_host(p, counters, nullptr, planted);
    if (wrong.empty()) continue;
    const Program small = shrink(p, again);
    return fmt::format("seed {}, on the host: {}\nshrunk to {} ops: {}\n{}", seed, wrong,
                       small.ops.size(), run_on_host(small, nullptr, nullptr, planted),
                       print(small));
  }
  return "";
}

std::string HostCounters::str() const {
  return fmt::format(
      "{} programs, {} steps, {} allocations, {} frees, {} patterns read, {} MiB asked for, {} "
      "growths, {} returns, {} trims, {} limits, {} out of memory, {} faults, "
      "refused {} times",
      programs, steps, allocations, frees, checks, bytes_written >> 20, growths, returns, trims,
      limits, out_of_memory, faults, refused);
}

}  // namespace tandem::test
