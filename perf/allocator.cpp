// What memory from the host's pool costs without a tensor around it, and from malloc.
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "perf/cases.h"
#include "runtime/memory/pool.h"
#include "runtime/memory/pools.h"

namespace tandem::perf {
namespace {

constexpr std::int64_t kSmall = 64, kMiddle = 300 << 10, kLarge = 3 << 20, kHuge = 64 << 20,
                       kAtOnce = 1000;
constexpr DType kBytes = dtype_of<std::uint8_t>;

/// An allocation and its end; the memory is not touched.
void pool_pair(std::size_t bytes) {
  Block* b = host_pool().allocate(bytes);
  benchmark::DoNotOptimize(b->data);
  host_pool().free(b);
}

void malloc_pair(std::size_t bytes) {
  void* p = std::malloc(bytes);
  benchmark::DoNotOptimize(p);
  std::free(p);
}

/// More than a thread's cache holds: half of it comes from the pool each time. A round is a pair a
/// block.
template <class Take, class Give>
void many(benchmark::State& state, Take take, Give give) {
  std::vector<decltype(take())> blocks(kAtOnce);
  while (state.KeepRunningBatch(kAtOnce)) {
    for (auto& b : blocks) b = take();
    for (auto& b : blocks) give(b);
  }
}

/// A second thread that does what the first does, at the same time.
class Second {
 public:
  explicit Second(void (*pair)(std::size_t), std::size_t bytes)
      : thread_([this, pair, bytes] { run(pair, bytes); }) {}
  ~Second() {
    start(-1);
    thread_.join();
  }
  void start(std::int64_t pairs) {
    const std::lock_guard<std::mutex> hold(mutex_);
    pairs_ = pairs;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> hold(mutex_);
    changed_.wait(hold, [this] { return pairs_ == 0; });
  }

 private:
  void run(void (*pair)(std::size_t), std::size_t bytes) {
    for (;;) {
      std::unique_lock<std::mutex> hold(mutex_);
      changed_.wait(hold, [this] { return pairs_ != 0; });
      const std::int64_t pairs = pairs_;
      hold.unlock();
      if (pairs < 0) return;
      for (std::int64_t i = 0; i < pairs; ++i) pair(bytes);
      hold.lock();
      pairs_ = 0;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t pairs_ = 0;
  std::thread thread_;
};

/// The time of a pair of one thread while another does as many.
void on_two_threads(benchmark::State& state, void (*pair)(std::size_t), std::size_t bytes) {
  constexpr std::int64_t kBatch = 20000;
  Second second(pair, bytes);
  while (state.KeepRunningBatch(kBatch)) {
    second.start(kBatch);
    for (std::int64_t i = 0; i < kBatch; ++i) pair(bytes);
    second.wait();
  }
}

void add(std::vector<Case>& cases, const char* op, std::int64_t bytes, const char* form,
         std::function<void(benchmark::State&)> run) {
  Case c;
  c.op = op;
  c.form = form;
  c.dtype = kBytes;
  c.shape = {bytes};
  c.run = std::move(run);
  cases.push_back(std::move(c));
}

void add_pairs(std::vector<Case>& cases, const char* op, void (*pair)(std::size_t)) {
  for (const std::int64_t n : {kSmall, kMiddle, kLarge, kHuge}) {
    const auto bytes = static_cast<std::size_t>(n);
    add(cases, op, n, "pair", [pair, bytes](benchmark::State& state) {
      for ([[maybe_unused]] auto _ : state) pair(bytes);
    });
    add(cases, op, n, "pair_2_threads",
        [pair, bytes](benchmark::State& state) { on_two_threads(state, pair, bytes); });
  }
}

}  // namespace

std::vector<Case> allocator_cases() {
  std::vector<Case> cases;
  if (place().on_device()) return cases;
  add_pairs(cases, "allocate", pool_pair);
  add(cases, "allocate", kSmall, "1000_at_once", [](benchmark::State& state) {
    many(
        state, [] { return host_pool().allocate(kSmall); }, [](Block* b) { host_pool().free(b); });
  });
  add_pairs(cases, "malloc", malloc_pair);
  add(cases, "malloc", kSmall, "1000_at_once", [](benchmark::State& state) {
    many(
        state, [] { return std::malloc(kSmall); }, [](void* p) { std::free(p); });
  });
  return cases;
}

}  // namespace tandem::perf
