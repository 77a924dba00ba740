// Calls of products that the libraries behind them must be kept from getting wrong: several threads
// at once, and batches whose matrices overlap, repeat or lie backwards.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/threads.h"

using namespace tandem;

namespace {

/// Small integers, so that every product is exact.
Tensor counted(const std::vector<std::int64_t>& shape, DType t) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  return remainder(arange(n), Scalar(5)).to(t).reshape(shape);
}

TEST(ProductCalls, ThreadsAtOnce) {
  const int before = get_num_threads();
  for (const int inner : {1, 2}) {
    set_num_threads(inner);
    for (const DType t : {DType::float32, DType::bfloat16, DType::float64, DType::complex64}) {
      // Not multiples of a block, so that the libraries pack what they read.
      for (const bool transposed : {false, true}) {
        const Tensor a = counted({150, 100}, t);
        const Tensor b =
            transposed ? counted({130, 100}, t).transpose(0, 1) : counted({100, 130}, t);
        const Tensor want = matmul(a, b);
        ASSERT_TRUE(equal(
            want.to(DType::complex128),
            matmul(a.to(DType::complex128), b.to(DType::complex128)).to(t).to(DType::complex128)));
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) {
          threads.emplace_back([&] {
            for (int k = 0; k < 20; ++k) wrong += equal(matmul(a, b), want) ? 0 : 1;
          });
        }
        for (std::thread& one : threads) one.join();
        EXPECT_EQ(wrong, 0) << name(t) << (transposed ? " transposed, " : ", ") << inner
                            << " threads";
      }
    }
  }
  set_num_threads(before);
}

/// The same product of what a batch shows, a matrix at a time.
void expect_each(const Tensor& a, const Tensor& b, const char* what) {
  const Tensor c = matmul(a, b);
  ASSERT_EQ(c.dim(), 3) << what;
  for (std::int64_t i = 0; i < c.size(0); ++i) {
    const Tensor one = matmul(a.select(0, i).clone(), b.select(0, i).clone());
    EXPECT_TRUE(equal(c.select(0, i), one)) << what << ", " << name(a.dtype()) << ", matrix " << i;
  }
}

TEST(ProductCalls, BatchesOfEveryStride) {
  for (const DType t : {DType::float32, DType::bfloat16, DType::float64}) {
    const Tensor x = counted({10, 64, 64}, t);
    const Tensor y = counted({10, 64, 60}, t);
    expect_each(flip(x, {0}), y, "backwards");
    expect_each(y.transpose(1, 2), flip(x, {0}), "the other backwards");
    expect_each(x.as_strided({10, 64, 64}, {64, 64, 1}), y, "windows that overlap");
    expect_each(x.as_strided({10, 64, 64}, {1, 64, 1}), y, "windows a step of one apart");
    expect_each(x.as_strided({10, 60, 64}, {64, 640, 1}), x, "interleaved rows");
    const Tensor first = x.narrow(0, 0, 1).expand({10, 64, 64});
    expect_each(first, y, "one matrix for all");
    expect_each(first, y.narrow(0, 0, 1).expand({10, 64, 60}), "one product for all");
    expect_each(first, first, "one product for all of itself");
  }
}

}  // namespace
