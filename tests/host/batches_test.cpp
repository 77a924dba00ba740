// Batches of factorisations are shared by OpenMP's own number of threads: nobody calls
// set_num_threads in this file, which would hide what a library's limit of one does to that.
#include <gtest/gtest.h>
#include <omp.h>

#include <cstdint>
#include <mutex>
#include <set>
#include <thread>

#include "host/linalg.h"
#include "tandem/threads.h"

using namespace tandem;

namespace {

struct Seen {
  std::set<std::thread::id> threads;
  std::set<int> of_library;  // what a library that f calls may use
  std::int64_t matrices = 0;
};

Seen over(std::int64_t batch, double work) {
  FactorLaunch l;
  l.batch = batch;
  Seen seen;
  std::mutex mutex;
  host::over_batch(l, work, [&](std::int64_t first, std::int64_t last) {
    const std::scoped_lock lock(mutex);
    seen.threads.insert(std::this_thread::get_id());
    seen.of_library.insert(omp_get_max_threads());
    seen.matrices += last - first;
  });
  return seen;
}

TEST(Batches, AllThreadsShareThem) {
  omp_set_num_threads(3);
  ASSERT_EQ(get_num_threads(), 3);
  const Seen many = over(100, 1e6);
  EXPECT_EQ(many.threads.size(), 3U);
  EXPECT_EQ(many.of_library, std::set<int>{1});
  EXPECT_EQ(many.matrices, 100);
  EXPECT_EQ(omp_get_max_threads(), 3);
  EXPECT_EQ(get_num_threads(), 3);
}

TEST(Batches, LittleWorkIsOneThreads) {
  omp_set_num_threads(3);
  const Seen little = over(100, 10);
  EXPECT_EQ(little.threads, std::set<std::thread::id>{std::this_thread::get_id()});
  EXPECT_EQ(little.of_library, std::set<int>{1});
  EXPECT_EQ(little.matrices, 100);
}

TEST(Batches, AFewLargeOnesAreTheLibrarys) {
  omp_set_num_threads(3);
  const Seen few = over(2, 1e9);
  EXPECT_EQ(few.threads.size(), 1U);
  EXPECT_EQ(few.of_library, std::set<int>{3});
  EXPECT_EQ(omp_get_max_threads(), 3);
}

}  // namespace
