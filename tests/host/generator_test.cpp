// Creation and random numbers: every generator in every dtype, against formulas in long double and
// an own Philox.
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tests/support/elements.h"

using namespace tandem;
using namespace tandem::test;

namespace {

template <class F>
void for_dtypes(const OpRow& row, F&& f) {
  for (int i = 0; i < kNumDTypes; ++i) {
    if (row.dtypes.has(static_cast<DType>(i))) f(static_cast<DType>(i));
  }
}

/// x as an element of the dtype.
Element stored(Real x, DType t) {
  char memory[16];
  const Real r = is_half(t) ? rounded(x, DType::float32) : x;
  write_element(memory, t, {.i = static_cast<Int>(x), .re = r});
  return read_element(memory, t);
}

void expect_elements(const Tensor& t, const std::function<Real(std::int64_t)>& f) {
  const auto got = elements(t);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Element e = stored(f(static_cast<std::int64_t>(i)), t.dtype());
    ASSERT_TRUE(got[i].i == e.i && got[i].re == e.re && got[i].im == e.im)
        << name(t.dtype()) << " at " << i << ": expected " << text(e, t.dtype()) << ", got "
        << text(got[i], t.dtype());
  }
}

TEST(Fill, EveryDtypeAndLayout) {
  for_dtypes(op::fill, [](DType t) {
    expect_elements(full({37, 3}, 1, {.dtype = t}), [](std::int64_t) { return 1; });
    expect_elements(zeros({5}, {.dtype = t}), [](std::int64_t) { return 0; });
    for (const Layout l : kLayouts) {
      Tensor x = in_layout({7, 33}, t, l);
      x.fill_(t == DType::bool_ ? 1 : 77);
      expect_elements(x, [t](std::int64_t) { return t == DType::bool_ ? 1 : 77; });
      EXPECT_TRUE(untouched(x)) << name(t) << " " << text(l);
    }
  });
  EXPECT_EQ(full({2}, true).dtype(), DType::bool_);
  EXPECT_EQ(full({2}, 3).dtype(), DType::int64);
  EXPECT_EQ(full({2}, 3.0).dtype(), DType::float32);
  EXPECT_EQ(full({2}, std::complex<double>(1, 2)).dtype(), DType::complex64);
  EXPECT_EQ(elements(full({}, INT64_MIN))[0].i, Int(INT64_MIN));
  EXPECT_EQ(elements(full({}, UINT64_MAX))[0].i, Int(UINT64_MAX));
}

TEST(Arange, CountsFromTheStart) {
  for_dtypes(op::arange, [](DType t) {
    expect_elements(arange(3, 100, 2, {.dtype = t}), [](std::int64_t i) { return 3 + 2 * i; });
    EXPECT_EQ(arange(3, 100, 2, {.dtype = t}).numel(), 49);
  });
  expect_elements(arange(0.5, 2, 0.1, {.dtype = DType::float64}),
                  [](std::int64_t i) { return 0.5 + static_cast<double>(i) * 0.1; });
  expect_elements(arange(5, -5, -3), [](std::int64_t i) { return 5 - 3 * i; });
  EXPECT_EQ(arange(5, -5, -3).numel(), 4);
  EXPECT_EQ(arange(0).numel(), 0);
  EXPECT_EQ(arange(3).dtype(), DType::int64);
  EXPECT_EQ(arange(3.0).dtype(), DType::float32);
  EXPECT_EQ(elements(arange(INT64_MAX - 2, INT64_MAX))[1].i, Int(INT64_MAX - 1));
  EXPECT_THROW(arange(0, 3, 0), ValueError);
  EXPECT_THROW(arange(0, 3, -1), ValueError);
  EXPECT_THROW(arange(0, HUGE_VAL), ValueError);
}

TEST(Linspace, HasBothEndsExactly) {
  for (const std::int64_t n : {2, 3, 50, 51, 1000}) {
    const Tensor x = linspace(-0.3, 1.7, n, {.dtype = DType::float64});
    const auto v = elements(x);
    EXPECT_EQ(v.front().re, Real(-0.3));
    EXPECT_EQ(v.back().re, Real(1.7));
    for (std::int64_t i = 0; i < n; ++i) {
      const Real right =
          -0.3 + (Real(1.7) - Real(-0.3)) * static_cast<Real>(i) / static_cast<Real>(n - 1);
      EXPECT_NEAR(static_cast<double>(v[static_cast<std::size_t>(i)].re),
                  static_cast<double>(right), 4e-16);
    }
  }
  EXPECT_EQ(linspace(3, 9, 1)[0].item<double>(), 3);
  EXPECT_EQ(linspace(3, 9, 0).numel(), 0);
  for_dtypes(op::linspace, [](DType t) {
    expect_elements(linspace(0, 100, 11, {.dtype = t}), [](std::int64_t i) { return 10 * i; });
  });
}

TEST(Eye, EveryDtype) {
  for_dtypes(op::eye, [](DType t) {
    expect_elements(eye(3, 5, {.dtype = t}), [](std::int64_t i) { return i / 5 == i % 5 ? 1 : 0; });
    expect_elements(eye(4, 2, {.dtype = t}), [](std::int64_t i) { return i / 2 == i % 2 ? 1 : 0; });
  });
  EXPECT_EQ(eye(0).numel(), 0);
  EXPECT_THROW(eye(-1), ValueError);
}

// ---- Philox4x32-10 (Salmon et al. 2011), from the paper's description
using Words = std::array<std::uint32_t, 4>;

Words philox(Words c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ull * c[0];
    const std::uint64_t b = 0xCD9E8D57ull * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return c;
}

/// Known answers of Random123's kat_vectors.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

constexpr std::uint64_t kSeed = 0x123456789abcdef0;

/// The words of a block of the call-th call since the seed.
Words words(std::uint64_t block, std::uint32_t call) {
  return philox(
      {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), call, 0},
      {static_cast<std::uint32_t>(kSeed), static_cast<std::uint32_t>(kSeed >> 32)});
}

/// The n-th number in [0, 1) of a call, of a float dtype.
Real uniform(DType t, std::size_t n, std::uint32_t call) {
  if (t == DType::float64) {
    const Words w = words(n / 2, call);
    const std::uint64_t u = (std::uint64_t(w[n % 2 * 2]) << 32 | w[n % 2 * 2 + 1]);
    const std::uint64_t high = u >> 37;                // 27 bits
    const std::uint64_t low = (u & 0xffffffffu) >> 6;  // 26 bits
    return std::ldexp(static_cast<Real>(high << 26 | low), -53);
  }
  const int digits = format_of(t).digits;
  return std::ldexp(static_cast<Real>(words(n / 4, call)[n % 4] >> (32 - digits)), -digits);
}

TEST(Rand, IsPhiloxByElement) {
  for_dtypes(op::rand, [](DType t) {
    const bool pairs = category(t) == Category::Complex;
    const DType part = !pairs ? t : (t == DType::complex64 ? DType::float32 : DType::float64);
    manual_seed(kSeed);
    for (std::uint32_t call = 0; call < 2; ++call) {
      const auto got = elements(rand({7, 151}, {.dtype = t}));
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i].re, uniform(part, pairs ? 2 * i : i, call)) << name(t) << " at " << i;
        ASSERT_LT(got[i].re, 1);
        if (pairs) {
          ASSERT_EQ(got[i].im, uniform(part, 2 * i + 1, call)) << name(t) << " at " << i;
        }
      }
    }
  });
}

TEST(Randn, HasTheMomentsOfANormal) {
  for_dtypes(op::randn, [](DType t) {
    manual_seed(kSeed);
    const auto v = elements(randn({100'000}, {.dtype = t}));
    Real sum = 0;
    Real squares = 0;
    Real fourth = 0;
    for (const Element& e : v) {
      sum += e.re;
      squares += e.re * e.re + e.im * e.im;
      fourth += e.re * e.re * e.re * e.re;
      ASSERT_TRUE(std::isfinite(e.re));
    }
    const auto n = static_cast<Real>(v.size());
    EXPECT_NEAR(static_cast<double>(sum / n), 0, 0.02) << name(t);
    EXPECT_NEAR(static_cast<double>(squares / n), 1, 0.03) << name(t);
    EXPECT_NEAR(static_cast<double>(fourth / n), is_complex(t) ? 0.75 : 3, 0.15) << name(t);
  });
}

TEST(Randn, IsBoxAndMullersPair) {
  manual_seed(kSeed);
  const auto got = elements(randn({64}, {.dtype = DType::float64}));
  const Real pi = 3.141592653589793238462643383279502884L;
  for (std::size_t i = 0; i < got.size(); i += 2) {
    const Words w = words(i / 2, 0);
    const auto bits53 = [](std::uint32_t high, std::uint32_t low) {
      return static_cast<Real>(std::uint64_t(high >> 5) << 26 | (low >> 6));
    };
    const Real u = (bits53(w[0], w[1]) + 1) * 0x1p-53L;
    const Real v = bits53(w[2], w[3]) * 0x1p-53L;
    const Real radius = std::sqrt(-2 * std::log(u));
    EXPECT_NEAR(static_cast<double>(got[i].re), static_cast<double>(radius * std::cos(2 * pi * v)),
                4e-15);
    EXPECT_NEAR(static_cast<double>(got[i + 1].re),
                static_cast<double>(radius * std::sin(2 * pi * v)), 4e-15);
  }
}

TEST(Random, SeedsRepeatAndSlicesAgree) {
  manual_seed(5);
  const Tensor a = rand({1000});
  const Tensor b = rand({1000});
  manual_seed(5);
  EXPECT_TRUE(equal(rand({10, 100}).reshape({1000}), a)) << "by element, whatever the shape";
  EXPECT_FALSE(equal(a, b));
  EXPECT_TRUE(equal(rand({7}), b.narrow(0, 0, 7))) << "a short call is the start of a long one";
  EXPECT_THROW(rand({3}, {.dtype = DType::int32}), TypeError);
}

}  // namespace
