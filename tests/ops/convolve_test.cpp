// convolve, correlate and what chooses their method, by the C++ names, against sums of integers in
// loops. lint: oracle table
#include <gtest/gtest.h>

#include "tandem/tandem.h"
#include "tests/support/expect_error.h"

using namespace tandem;
using tandem::testing::expect_error;

namespace {

/// Element k of the full convolution of two rows, in 64 bits that wrap around.
std::int64_t element(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b,
                     std::int64_t k) {
  std::uint64_t sum = 0;
  for (std::size_t j = 0; j < b.size(); ++j) {
    const std::int64_t i = k - static_cast<std::int64_t>(j);
    if (i < 0 || i >= static_cast<std::int64_t>(a.size())) continue;
    sum += static_cast<std::uint64_t>(a[static_cast<std::size_t>(i)]) *
           static_cast<std::uint64_t>(b[j]);
  }
  return static_cast<std::int64_t>(sum);
}

std::vector<std::int64_t> numbers(std::int64_t n, std::uint64_t seed) {
  std::vector<std::int64_t> v;
  for (std::int64_t i = 0; i < n; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    v.push_back(static_cast<std::int64_t>(seed));
  }
  return v;
}

Tensor row_of(const std::vector<std::int64_t>& v) {
  Tensor t = empty({static_cast<std::int64_t>(v.size())}, {.dtype = DType::int64});
  std::copy(v.begin(), v.end(), static_cast<std::int64_t*>(t.data_ptr()));
  return t;
}

std::int64_t at(const Tensor& t, std::int64_t i) {
  return static_cast<const std::int64_t*>(t.data_ptr())[i * t.strides()[0]];
}

TEST(Convolve, IntegersOf64BitsAreExact) {
  for (const std::int64_t n1 : {1, 2, 7, 64, 301}) {
    for (const std::int64_t n2 : {1, 3, 7, 90}) {
      const auto a = numbers(n1, 1), b = numbers(n2, 2);
      const std::vector<std::int64_t> back(b.rbegin(), b.rend());
      for (const char* method : {"auto", "direct", "fft"}) {
        const Tensor c = signal::convolve(row_of(a), row_of(b), "full", method);
        const Tensor r = signal::correlate(row_of(a), row_of(b), "full", method);
        ASSERT_EQ(c.numel(), n1 + n2 - 1);
        for (std::int64_t k = 0; k < c.numel(); ++k) {
          ASSERT_EQ(at(c, k), element(a, b, k)) << n1 << " " << n2 << " " << method << " " << k;
          ASSERT_EQ(at(r, k), element(a, back, k)) << n1 << " " << n2 << " " << method << " " << k;
        }
      }
    }
  }
}

TEST(Convolve, BackwardsAndSteppedInputs) {
  const auto a = numbers(41, 3), b = numbers(22, 4);
  std::vector<std::int64_t> backwards(a.rbegin(), a.rend()), every;
  for (std::size_t i = 0; i < b.size(); i += 3) every.push_back(b[i]);
  const Tensor x = flip(row_of(a), Axes{0});
  const Tensor y = row_of(b).slice(0, 0, 22, 3);
  const Tensor c = signal::convolve(x, y, "valid", "direct");
  ASSERT_EQ(c.numel(), 41 - 8 + 1);
  for (std::int64_t k = 0; k < c.numel(); ++k) {
    EXPECT_EQ(at(c, k), element(backwards, every, k + 7));
  }
}

TEST(Convolve, MethodsAndLengths) {
  const Tensor x = ones({100'000}), y = ones({5});
  EXPECT_EQ(signal::choose_conv_method(x, y), "direct");
  EXPECT_EQ(signal::choose_conv_method(x, x), "fft");
  const Tensor big = full({100'000}, std::int64_t(1) << 40, {.dtype = DType::int64});
  EXPECT_EQ(signal::choose_conv_method(big, big), "direct");
  EXPECT_EQ(fft::next_fast_len(1), 1);
  EXPECT_EQ(fft::next_fast_len(1, true), 1);
  EXPECT_EQ(fft::next_fast_len(1024), 1024);
  EXPECT_EQ(fft::next_fast_len(3, true) % 2, 0);
  expect_error<ValueError>(
      [] { (void)fft::next_fast_len(0); },
      "[fft.next_fast_len] argument 'target': expected a length from 1 to 2^60");
  expect_error<ShapeError>([&] { (void)signal::correlation_lags(2, 0); }, "lengths above 0");
}

}  // namespace
