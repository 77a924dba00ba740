// Threads that call ops at once: each on tensors of its own, all reading one, and tensors handed
// from one to another. The thread sanitizer sees here what the library shares between its callers.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tandem/ops.h"
#include "tandem/print.h"

using namespace tandem;

namespace {

constexpr int kThreads = 4;

/// Runs f(0) ... f(kThreads - 1) at once; the threads wait for the last to start.
void at_once(const std::function<void(int)>& f) {
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      while (ready.load() < kThreads) std::this_thread::yield();
      f(t);
    });
  }
  for (std::thread& t : threads) t.join();
}

/// A result of every family of ops, as one number. `x` is 8 x 8.
double walk(const Tensor& x) {
  const Tensor y = x.t().slice(1, 1).exp().mul(0.5).to(DType::float64) + x.slice(1, 1);
  const Tensor z = softmax(cat({y, y.sqrt()}, 1), 1);
  const Tensor p = matmul(x, x.t()).sum(0).add(x.mean());
  const Tensor named = x.refine_names({"row", "column"}).sum("row");
  return z.sum().item<double>() + max(p).item<double>() + named.sum().item<double>() +
         static_cast<double>(argmax(z).item<std::int64_t>()) + static_cast<double>(p.str().size());
}

// The first test of the program: its threads also make what the library makes at its first call.
TEST(Threads, FirstCallsAtOnce) {
  double got[kThreads];
  at_once([&](int t) { got[t] = walk(arange(64, {.dtype = DType::float32}).view({8, 8}) / 64); });
  for (const double v : got) EXPECT_EQ(v, got[0]);
}

TEST(Threads, ReadOneTensorTogether) {
  const Tensor x = rand({8, 8});
  const double right = walk(x);
  int wrong[kThreads] = {};
  at_once([&](int t) {
    for (int i = 0; i < 50; ++i) wrong[t] += walk(x) == right ? 0 : 1;
  });
  for (const int n : wrong) EXPECT_EQ(n, 0);
}

/// Long enough for a team of threads under each of the callers.
TEST(Threads, EachHasItsOwnTeam) {
  const Tensor x = arange(200'000, {.dtype = DType::float32});
  const double right = (x * 2).sum().item<double>();
  int wrong[kThreads] = {};
  at_once([&](int t) {
    for (int i = 0; i < 10; ++i) wrong[t] += (x * 2).sum().item<double>() == right ? 0 : 1;
  });
  for (const int n : wrong) EXPECT_EQ(n, 0);
}

TEST(Threads, HandTensorsOver) {
  std::mutex mutex;
  std::vector<Tensor> shared;
  std::atomic<int> broken{0};
  at_once([&](int t) {
    for (int i = 0; i < 500; ++i) {
      Tensor mine = full({16}, t * 1000 + i);
      const Tensor view = mine.slice(0, 8);
      Tensor other;
      {
        const std::lock_guard hold(mutex);
        shared.push_back(view);
        if (shared.size() > 3) {
          other = std::move(shared.front());
          shared.erase(shared.begin());
        }
      }
      if (!other.defined()) continue;
      if (min(other).item<std::int64_t>() != max(other).item<std::int64_t>()) ++broken;
      other = Tensor();  // made by another thread, dropped by this one
    }
  });
  EXPECT_EQ(broken.load(), 0);
}

/// The counter of random numbers is the process's: each call takes numbers of its own.
TEST(Threads, RandomNumbersAreTakenOnce) {
  manual_seed(11);
  Tensor drawn[kThreads];
  at_once([&](int t) {
    std::vector<Tensor> mine;
    for (int i = 0; i < 50; ++i) mine.push_back(rand({2}, {.dtype = DType::float64}));
    drawn[t] = cat(mine);
  });
  const Tensor all = cat({drawn[0], drawn[1], drawn[2], drawn[3]});
  std::vector<double> values(all.data<double>(), all.data<double>() + all.numel());
  std::sort(values.begin(), values.end());
  EXPECT_EQ(std::adjacent_find(values.begin(), values.end()), values.end());
}

}  // namespace
