// Poisson and binomial numbers, permutations and draws by weight, element by element against naive
// algorithms in long double on an own Philox; what is checked before any work.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tandem/tandem.h"
#include "tests/support/elements.h"
#include "tests/support/expect_error.h"
#include "tests/support/philox_words.h"

using namespace tandem;
using namespace tandem::test;
using tandem::testing::expect_error;

namespace {

constexpr std::int64_t kCount = 4001;

Real bits53(std::uint32_t high, std::uint32_t low) {
  return static_cast<Real>(std::uint64_t(high >> 5) << 26 | low >> 6) * 0x1p-53L;
}
/// The double that stands for it, as an open uniform number.
Real open(std::uint32_t high, std::uint32_t low) {
  const auto u = static_cast<double>(bits53(high, low) + 0x1p-54L);
  return std::min<Real>(u, 1 - 0x1p-53L);
}

/// Adds up probabilities until they pass u.
template <class Probability>
Real search(Real u, Real most, const Probability& p) {
  Real sum = p(0);
  Real k = 0;
  while (u >= sum && k < most) sum += p(k += 1);
  return k;
}

/// Hörmann's PTRS as in his paper (and in NumPy).
Real ptrs(std::uint64_t i, Real mean) {
  const Real b = 0.931L + 2.53L * std::sqrt(mean);
  const Real a = -0.059L + 0.02483L * b;
  const Real inverse = 1.1239L + 1.1328L / (b - 3.4L);
  for (std::uint64_t draw = 0;; ++draw) {
    const Words w = words(i, draw);
    const Real u = open(w[0], w[1]) - 0.5L;
    const Real v = open(w[2], w[3]);
    const Real us = 0.5L - std::fabs(u);
    const Real k = std::floor((2 * a / us + b) * u + mean + 0.43L);
    if (us >= 0.07L && v <= 0.9277L - 3.6224L / (b - 2)) return k;
    if (k < 0 || (us < 0.013L && v > us)) continue;
    if (std::log(v) + std::log(inverse) - std::log(a / (us * us) + b) <=
        -mean + k * std::log(mean) - std::lgamma(k + 1))
      return k;
  }
}

Real log_binomial(Real k, Real n, Real p) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(p) +
         (n - k) * std::log1p(-p);
}

Real btrs(std::uint64_t i, Real n, Real p) {
  const Real deviation = std::sqrt(n * p * (1 - p));
  const Real b = 1.15L + 2.53L * deviation;
  const Real a = -0.0873L + 0.0248L * b + 0.01L * p;
  const Real alpha = (2.83L + 5.1L / b) * deviation;
  const Real mode = std::floor((n + 1) * p);
  for (std::uint64_t draw = 0;; ++draw) {
    const Words w = words(i, draw);
    const Real u = open(w[0], w[1]) - 0.5L;
    const Real v = open(w[2], w[3]);
    const Real us = 0.5L - std::fabs(u);
    const Real k = std::floor((2 * a / us + b) * u + n * p + 0.5L);
    if (us >= 0.07L && v <= 0.92L - 4.2L / b) return k;
    if (k < 0 || k > n) continue;
    if (std::log(v * alpha / (a / (us * us) + b)) <=
        log_binomial(k, n, p) - log_binomial(mode, n, p))
      return k;
  }
}

// A comparison that rounding turns would show once in 10^11 elements.
TEST(Poisson, IsHoermannsOrTheFirstAboveU) {
  for (const double mean : {0.01, 0.7, 3.5, 9.9999, 10.0, 17.25, 150.0, 12345.0, 3e6}) {
    const Tensor x = poisson(full({kCount}, mean, {.dtype = DType::float64}), Generator(kSeed));
    const auto got = elements(x);
    for (std::uint64_t i = 0; i < got.size(); ++i) {
      Real right = 0;
      if (mean < 10) {
        const Words w = words(i);
        right = search(open(w[0], w[1]), 110, [mean](Real k) {
          return std::exp(k * std::log(static_cast<Real>(mean)) - mean - std::lgamma(k + 1));
        });
      } else {
        right = ptrs(i, mean);
      }
      ASSERT_EQ(got[i].re, right) << mean << " at " << i;
    }
    const Tensor h = full({kCount}, mean < 1e4 ? mean : 1.0, {.dtype = DType::float16});
    EXPECT_TRUE(equal(poisson(h, Generator(kSeed)),
                      poisson(h.to(DType::float32), Generator(kSeed)).to(DType::float16)));
  }
}

TEST(Binomial, IsHoermannsOrTheFirstAboveU) {
  struct Case {
    double n, p;
  };
  for (const Case c :
       {Case{1, 0.25}, {7, 0.5}, {90, 0.1}, {90, 0.875}, {20, 0.5}, {1000, 0.75}, {1e6, 0.3}}) {
    const auto got =
        elements(binomial(full({kCount}, c.n, {.dtype = DType::float64}),
                          full({1}, c.p, {.dtype = DType::float64}), Generator(kSeed)));
    const bool turned = c.p > 0.5;
    const Real p = turned ? 1 - static_cast<Real>(c.p) : static_cast<Real>(c.p);
    for (std::uint64_t i = 0; i < got.size(); ++i) {
      Real k = 0;
      if (c.n * p < 10) {
        const Words w = words(i);
        k = search(open(w[0], w[1]), c.n,
                   [&](Real j) { return std::exp(log_binomial(j, c.n, p)); });
      } else {
        k = btrs(i, c.n, p);
      }
      ASSERT_EQ(got[i].re, turned ? c.n - k : k) << c.n << " " << c.p << " at " << i;
    }
  }
}

TEST(Bernoulli, OfTensorsIsThatOfNumbers) {
  const Tensor p = full({1003}, 0.3, {.dtype = DType::float64});
  const Tensor x = empty({1003}, {.dtype = DType::float64});
  bernoulli_(x, 0.3, Generator(kSeed));
  EXPECT_TRUE(equal(bernoulli(p, Generator(kSeed)), x));
  EXPECT_TRUE(equal(bernoulli_(empty({1003}, {.dtype = DType::float64}), p, Generator(kSeed)), x));
  // Where the first word ties, the next draw's decides.
  Tensor tied = empty({64}, {.dtype = DType::float64});
  for (std::uint64_t i = 0; i < 64; ++i) {
    tied.data<double>()[i] = (words(i / 4)[i % 4] + 0.5) * 0x1p-32;
  }
  const auto got = elements(bernoulli(tied, Generator(kSeed)));
  for (std::uint64_t i = 0; i < 64; ++i) {
    EXPECT_EQ(got[i].re == 1, words(i / 4, 1)[i % 4] < 0x80000000u) << i;
  }
}

TEST(Randperm, SortsWhatItsElementsDraw) {
  const int before = get_num_threads();
  for (const std::int64_t n : {1, 2, 3, 1023, 70'001, 300'000}) {
    std::vector<std::uint64_t> keys;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n); ++i) {
      const Words w = words(i / 2);
      keys.push_back(std::uint64_t(w[i % 2 * 2]) << 32 | w[i % 2 * 2 + 1]);
    }
    std::vector<std::int64_t> right(keys.size());
    std::iota(right.begin(), right.end(), std::int64_t(0));
    std::stable_sort(right.begin(), right.end(), [&](std::int64_t a, std::int64_t b) {
      return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
    });
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      const Tensor x = randperm(n, {}, Generator(kSeed));
      EXPECT_TRUE(std::equal(right.begin(), right.end(), x.data<std::int64_t>())) << n;
    }
  }
  set_num_threads(before);
  EXPECT_EQ(randperm(0).numel(), 0);
  EXPECT_EQ(randperm(200, {.dtype = DType::uint8}).dtype(), DType::uint8);
  EXPECT_TRUE(equal(randperm(2048, {.dtype = DType::float16}, Generator(1)).to(DType::int64),
                    randperm(2048, {}, Generator(1))));
}

TEST(Multinomial, IsTheInverseOfCumulativeWeights) {
  const std::int64_t n = 1000;
  const Tensor weights = rand({3, n}, Generator(5), {.dtype = DType::float64});
  weights.narrow(1, 100, 300).zero_();
  const Tensor x = multinomial(weights, 5000, true, Generator(kSeed));
  for (std::int64_t r = 0; r < 3; ++r) {
    const double* w = weights.data<double>() + r * n;
    std::vector<Real> cumulative(static_cast<std::size_t>(n));
    std::partial_sum(w, w + n, cumulative.begin(), [](Real a, Real b) { return a + b; });
    for (std::int64_t s = 0; s < 5000; ++s) {
      const auto i = static_cast<std::uint64_t>(r * 5000 + s);
      const Words d = words(i / 2);
      const Real share = bits53(d[i % 2 * 2], d[i % 2 * 2 + 1]) * cumulative.back();
      const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), share);
      ASSERT_EQ(x.data<std::int64_t>()[i], at - cumulative.begin()) << r << " " << s;
    }
  }
}

TEST(Multinomial, WithoutReplacementIsARace) {
  const std::int64_t n = 333;
  const Tensor weights = rand({4, n}, Generator(6));
  weights.narrow(1, 50, 30).zero_();
  const Tensor x = multinomial(weights, 303, false, Generator(kSeed));
  for (std::int64_t r = 0; r < 4; ++r) {
    std::vector<std::pair<Real, std::int64_t>> runners;
    for (std::int64_t c = 0; c < n; ++c) {
      const auto i = static_cast<std::uint64_t>(r * n + c);
      const Words d = words(i / 2);
      const Real w = weights.data<float>()[i];
      if (w > 0) runners.emplace_back(-std::log(open(d[i % 2 * 2], d[i % 2 * 2 + 1])) / w, c);
    }
    std::sort(runners.begin(), runners.end());
    for (std::int64_t s = 0; s < 303; ++s) {
      ASSERT_EQ(x.data<std::int64_t>()[r * 303 + s], runners[static_cast<std::size_t>(s)].second);
    }
  }
}

TEST(Samples, ErrorsComeBeforeWork) {
  const Generator g(1);
  const Tensor p = full({3}, 0.5);
  const Tensor i = ones({3}, {.dtype = DType::int64});
  expect_error<ValueError>([&] { bernoulli(full({3}, 1.5), g); }, "[bernoulli]");
  expect_error<ValueError>([&] { bernoulli(full({3}, NAN), g); }, "[bernoulli]");
  expect_error<TypeError>([&] { bernoulli(i, g); }, "not implemented for 'Long'");
  expect_error<ValueError>([&] { poisson(full({3}, -1.0), g); },
                           "expected rate to be non-negative");
  expect_error<ValueError>([&] { binomial(full({3}, -1.0), p, g); }, "'count'");
  expect_error<ValueError>([&] { binomial(full({3}, 4.0), 1.5, g); }, "[binomial]");
  expect_error<ValueError>([&] { randperm(300, {.dtype = DType::uint8}, g); }, "too large");
  expect_error<ValueError>([&] { randperm(-1, {}, g); }, "non-negative");
  expect_error<ValueError>([&] { multinomial(full({3}, -1.0), 1, false, g); }, "element < 0");
  expect_error<ValueError>([&] { multinomial(full({3}, INFINITY), 1, false, g); }, "`inf`");
  expect_error<ValueError>([&] { multinomial(zeros({3}), 1, true, g); },
                           "sum of probabilities <= 0");
  expect_error<ValueError>([&] { multinomial(p, 4, false, g); }, "without replacement");
  expect_error<ShapeError>([&] { multinomial(full({1, 1, 3}, 0.5), 1, true, g); }, "1 or 2 dim");
  expect_error<ShapeError>([&] { bernoulli_(empty({2}), p, g); }, "must match");
  Tensor few = zeros({5});
  few.narrow(0, 1, 2).fill_(1);
  expect_error<ValueError>([&] { multinomial(few, 3, false, g); }, "not enough");
  EXPECT_EQ(g.offset(), 0u);
}

TEST(Samples, KeepNames) {
  const Tensor x = full({2, 3}, 0.5, {.names = {"n", "c"}});
  for (const Tensor& t : {bernoulli(x), poisson(x), binomial(x, 0.5)}) {
    EXPECT_EQ(str(t.names()), str(x.names()));
  }
  const Names drawn = multinomial(x, 2).names();
  EXPECT_EQ(str(drawn), str(Names{Name("n"), Name()}));
}

}  // namespace
