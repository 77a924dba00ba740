// Exact mode: products on the host bit for bit against the order of docs/numerics.md written as
// plain loops, at every SIMD level and number of threads, and on the device against the host. Where
// there is no GPU the backend is the simulated one (tests/cuda/sim).
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tandem/exact.h"
#include "tandem/tandem.h"
#include "tests/support/call_data.h"
#include "tests/support/needs.h"
#include "tests/support/outcome.h"

using namespace tandem;
using test::same_bits;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);
constexpr std::int64_t kBlock = 256;  // of k, as documented

std::vector<DType> dtypes_with_products() {
  std::vector<DType> list;
  for (int d = 0; d < kNumDTypes; ++d) {
    if (static_cast<DType>(d) != DType::bool_) list.push_back(static_cast<DType>(d));
  }
  return list;
}
const std::vector<DType> kProducts = dtypes_with_products();

/// A chain of fused multiply-adds a block, the blocks added in order.
template <class R>
R ordered_dot(const R* a, std::int64_t a_step, const R* b, std::int64_t b_step, std::int64_t k) {
  R total{};
  for (std::int64_t start = 0; start < k; start += kBlock) {
    R sum = 0;
    for (std::int64_t i = start; i < std::min(k, start + kBlock); ++i) {
      sum = std::fma(a[i * a_step], b[i * b_step], sum);
    }
    total = start == 0 ? sum : total + sum;
  }
  return total;
}

Tensor values(IntSpan shape, DType t, std::uint64_t seed) {
  if (is_complex(t)) return test::varied_complex(shape, t, seed);
  return test::varied(shape, t, seed);
}

/// The same matrix with its elements elsewhere: dense, transposed, every other column.
Tensor laid_out(const Tensor& x, int layout) {
  const std::int64_t r = x.size(0), c = x.size(1);
  const Options options{.dtype = x.dtype(), .device = x.device()};
  Tensor room = empty({r, c}, options);
  if (layout == 1) room = empty({c, r}, options).t();
  if (layout == 2) room = empty({r, 2 * c}, options).slice(1, 0, {}, 2);
  room.copy_(x);
  return room;
}

template <class R>
void expect_ordered(std::int64_t m, std::int64_t k, std::int64_t n, int layout) {
  const DType t = dtype_of<R>;
  const Tensor a = values({m, k}, t, 3), b = values({k, n}, t, 4);
  const ExactGuard exact;
  const Tensor c = matmul(laid_out(a, layout), laid_out(b, layout));
  ASSERT_EQ(Dims(c.shape()), (Dims{m, n}));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const R want = ordered_dot(a.data<R>() + i * k, 1, b.data<R>() + j, n, k);
      const R got = c.data<R>()[i * n + j];
      ASSERT_EQ(std::memcmp(&got, &want, sizeof got), 0)
          << m << " x " << k << " x " << n << " layout " << layout << " at " << i << ", " << j;
    }
  }
}

TEST(Exact, HostFollowsTheDocumentedOrder) {
  // Both sides of groups of rows, panels of columns, blocks of k, of rows and of columns.
  const Dims sizes[] = {{2, 1, 2},     {5, 7, 3},     {12, 255, 32},  {13, 256, 33}, {11, 257, 15},
                        {25, 300, 70}, {6, 513, 129}, {150, 20, 140}, {97, 600, 65}};
  for (const Dims& s : sizes) {
    for (int layout = 0; layout < 3; ++layout) {
      expect_ordered<float>(s[0], s[1], s[2], layout);
      expect_ordered<double>(s[0], s[1], s[2], layout);
    }
  }
  expect_ordered<float>(3, 5, 1100, 0);
}

TEST(Exact, ThreadsAndBatchesChangeNoBit) {
  const int before = get_num_threads();
  for (const DType t : kProducts) {
    const Tensor a = values({3, 130, 270}, t, 5), b = values({3, 270, 140}, t, 6);
    const ExactGuard exact;
    set_num_threads(1);
    const Tensor one = matmul(a, b);
    for (const int threads : {2, 3, 4}) {
      set_num_threads(threads);
      EXPECT_TRUE(same_bits(matmul(a, b), one)) << name(t) << " " << threads;
      for (std::int64_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(same_bits(matmul(a.select(0, i), b.select(0, i)), one.select(0, i)))
            << name(t) << " " << threads;
      }
    }
    set_num_threads(before);
  }
}

TEST(Exact, HalfTypesRoundTheFloatSumOnce) {
  for (const DType t : {DType::float16, DType::bfloat16}) {
    const Tensor a = values({40, 520}, t, 7), b = values({520, 50}, t, 8);
    const ExactGuard exact;
    const Tensor wide = matmul(a.to(DType::float32), b.to(DType::float32)).to(t);
    EXPECT_TRUE(same_bits(matmul(a, b), wide)) << name(t);
  }
}

/// In processes of their own: a process has one level.
TEST(Exact, EveryLevelFollowsTheOrder) {
  for (const std::string level : {"baseline", "v3", "v4"}) {
    const std::string command = "TANDEM_SIMD=" + level + " /proc/" + std::to_string(getpid()) +
                                "/exe --gtest_filter='Exact.Host*:Exact.Half*' > /dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << level;
  }
}

TEST(Exact, DeviceGivesTheBitsOfTheHost) {
  TANDEM_NEEDS_GPU();
  for (const DType t : kProducts) {
    for (const Dims& s : {Dims{3, 5, 4}, Dims{65, 257, 33}, Dims{17, 600, 66}}) {
      const Tensor a = values({s[0], s[1]}, t, 9), b = values({s[1], s[2]}, t, 10);
      const ExactGuard exact;
      for (int layout = 0; layout < 3; ++layout) {
        const Tensor x = laid_out(a.to(kDevice), layout), y = laid_out(b.to(kDevice), layout);
        EXPECT_TRUE(same_bits(matmul(x, y).cpu(), matmul(a, b))) << name(t) << " " << layout;
      }
    }
  }
}

TEST(Exact, EinsumGivesTheBitsOfTheHostToo) {
  TANDEM_NEEDS_GPU();
  const Tensor a = values({2, 20, 300}, DType::float32, 11);
  const Tensor b = values({2, 30, 300}, DType::float32, 12);
  const ExactGuard exact;
  const Tensor host = einsum("bik,bjk->bij", {a, b});
  EXPECT_TRUE(same_bits(einsum("bik,bjk->bij", {a.to(kDevice), b.to(kDevice)}).cpu(), host));
}

TEST(Exact, BelongsToItsThreadAndScope) {
  EXPECT_FALSE(is_exact());
  {
    const ExactGuard on;
    EXPECT_TRUE(is_exact());
    std::thread([] { EXPECT_FALSE(is_exact()); }).join();
    {
      const ExactGuard off(false);
      EXPECT_FALSE(is_exact());
    }
    EXPECT_TRUE(is_exact());
  }
  EXPECT_FALSE(is_exact());
}

}  // namespace
