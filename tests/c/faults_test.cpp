// Every allocation of the C++ heap that a function of tandem/c.h makes fails once: the status is
// out of memory, nothing leaves the interface, and wrapped memory stays the caller's.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "tandem/c.h"

namespace {

thread_local long fail_in = -1;  // allocations until one fails; -1: none does
thread_local bool failed = false;

void* allocate(std::size_t n) {
  if (fail_in >= 0 && fail_in-- == 0) {
    failed = true;
    throw std::bad_alloc();
  }
  void* p = std::malloc(n == 0 ? 1 : n);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(std::size_t n) { return allocate(n); }
void* operator new[](std::size_t n) { return allocate(n); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

namespace {

/// Calls f again and again, another allocation failing each time, until none is left to fail; the
/// number of those that failed. `after(status)` looks at each call.
template <class F, class After>
int each_fault(F&& f, After&& after) {
  for (int n = 0; n < 1000; ++n) {
    failed = false;
    fail_in = n;
    const int status = f();
    fail_in = -1;
    EXPECT_TRUE(status == TANDEM_OK || (failed && status == TANDEM_OUT_OF_MEMORY))
        << status << ": " << tandem_last_error();
    after(status);
    if (!failed) return n;
  }
  ADD_FAILURE() << "no end of allocations";
  return 0;
}

void count_call(void*, void* context) { ++*static_cast<int*>(context); }

TEST(CFaults, WrappedMemoryStaysTheCallers) {
  static float memory[6] = {};
  const int64_t shape[] = {2, 3};
  int runs = 0;
  tandem_tensor* kept[600] = {};
  // More tensors than the thread keeps bodies of, so that their allocations fail too.
  for (auto& t : kept) {
    each_fault(
        [&] {
          return tandem_wrap(memory, "float32", "cpu", 2, shape, nullptr, count_call, &runs, &t);
        },
        [&](int status) {
          EXPECT_EQ(runs, 0);
          EXPECT_EQ(t != nullptr, status == TANDEM_OK);
        });
  }
  for (tandem_tensor* t : kept) tandem_tensor_release(t);
  EXPECT_EQ(runs, 600);
}

TEST(CFaults, MemoryWrappedOnAStreamToo) {
  static float memory[6] = {};
  const int64_t shape[] = {2, 3};
  int runs = 0;
  tandem_stream* stream = nullptr;
  ASSERT_EQ(tandem_stream_create("cpu", 0, &stream), TANDEM_OK);
  tandem_tensor* kept[16] = {};
  const auto count = [](void*, void*, void* context) { ++*static_cast<int*>(context); };
  for (auto& t : kept) {
    each_fault(
        [&] {
          return tandem_wrap_on(memory, "float32", stream, 2, shape, nullptr, count, &runs, &t);
        },
        [&](int) { EXPECT_EQ(runs, 0); });
  }
  for (tandem_tensor* t : kept) tandem_tensor_release(t);
  EXPECT_EQ(runs, 16);
  tandem_stream_release(stream);
}

TEST(CFaults, Calls) {
  const int64_t shape[] = {2, 3};
  tandem_tensor* x = nullptr;
  ASSERT_EQ(tandem_full("float32", "cpu", 2, shape, 1, &x), TANDEM_OK);
  const double range[] = {0, 2};
  const tandem_value args[] = {tandem_tensor_value("x", x), tandem_int("bins", 5),
                               tandem_floats("range", range, 2)};
  tandem_results* results = nullptr;
  const int faults = each_fault([&] { return tandem_call("histogram", args, 3, &results); },
                                [&](int status) {
                                  EXPECT_EQ(results != nullptr, status == TANDEM_OK);
                                  tandem_results_release(results);
                                  results = nullptr;
                                });
  EXPECT_GT(faults, 5);
  tandem_tensor* out = nullptr;
  each_fault([&] { return tandem_call_tensor("exp", args, 1, &out); },
             [&](int) {
               tandem_tensor_release(out);
               out = nullptr;
             });
  tandem_tensor_release(x);
}

TEST(CFaults, Handles) {
  tandem_stream* stream = nullptr;
  EXPECT_GT(each_fault([&] { return tandem_stream_create("cpu", 0, &stream); },
                       [&](int status) { EXPECT_EQ(stream != nullptr, status == TANDEM_OK); }),
            0);
  each_fault(
      [&] { return tandem_stream_push(stream); },
      [&](int status) { EXPECT_TRUE(status != TANDEM_OK || tandem_stream_pop() == TANDEM_OK); });
  EXPECT_EQ(tandem_stream_pop(), TANDEM_VALUE_ERROR) << "a failed push counted";
  tandem_stream_release(stream);
  tandem_generator* generator = nullptr;
  EXPECT_GT(each_fault([&] { return tandem_generator_create(7, &generator); },
                       [&](int status) { EXPECT_EQ(generator != nullptr, status == TANDEM_OK); }),
            0);
  tandem_generator_release(generator);
}

/// Without memory for the text either.
TEST(CFaults, TheErrorItself) {
  tandem_tensor* t = nullptr;
  const std::string name(200, 'x');
  for (int n = 0; n < 20; ++n) {
    fail_in = n;
    const int status = tandem_empty(name.c_str(), "cpu", 0, nullptr, &t);
    fail_in = -1;
    EXPECT_TRUE(status == TANDEM_VALUE_ERROR || status == TANDEM_OUT_OF_MEMORY);
    EXPECT_NE(std::string(tandem_last_error()), "");
  }
}

}  // namespace
