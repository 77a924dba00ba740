// Statistics of the distributions against their exact laws. Seeds are fixed, so the outcome is; for
// a random seed a right generator would fail
//   * a Kolmogorov-Smirnov test (below) once in 10^6 times: sqrt(n) D > 2.69, 2 exp(-2 * 2.69^2);
//   * a chi-square test, a correlation or a moment once in 1.7 * 10^6 times: 5 standard deviations
//     of a normal number (chi-square by Wilson and Hilferty's cube root).
// There are about 300 tests in this file: all of them together would fail once in 4000 times.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <vector>

#include "tandem/tandem.h"

using namespace tandem;

namespace {

constexpr std::int64_t kMany = 300'000;
constexpr double kSigmas = 5;

using Numbers = std::vector<double>;

Numbers numbers(const Tensor& t) {
  const Tensor d = t.to(DType::float64).contiguous();
  return {d.data<double>(), d.data<double>() + d.numel()};
}

/// Kolmogorov-Smirnov: the greatest distance between the empirical and the exact distribution.
void expect_law(Numbers x, const std::function<double(double)>& cdf, const std::string& what) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double distance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double f = cdf(x[i]);
    distance =
        std::max({distance, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  EXPECT_LT(distance * std::sqrt(n), 2.69) << what;
}

/// Chi-square of counts against probabilities, as a normal number.
double chi_square_sigmas(const Numbers& counts, const Numbers& probabilities) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = n * probabilities[i];
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  const double k = static_cast<double>(counts.size()) - 1;
  return (std::cbrt(sum / k) - (1 - 2 / (9 * k))) / std::sqrt(2 / (9 * k));
}

/// Chi-square of integers by their probabilities; values of fewer than 20 expected go together at
/// the two ends.
void expect_counts(const Numbers& x, const std::function<double(double)>& probability, double low,
                   double high, const std::string& what) {
  const auto n = static_cast<double>(x.size());
  Numbers counts;
  Numbers expected;
  std::map<double, double> seen;
  for (const double v : x) seen[v] += 1;
  double count = 0;
  double p = 0;
  double all = 0;
  for (double v = low; v <= high; v += 1) {
    count += seen.count(v) != 0 ? seen[v] : 0;
    p += probability(v);
    all += probability(v);
    if (p * n >= 20 && (1 - all) * n >= 20) {
      counts.push_back(count);
      expected.push_back(p);
      count = p = 0;
    }
  }
  for (const auto& [v, c] : seen) count += v < low || v > high ? c : 0;
  counts.push_back(count);
  expected.push_back(p + 1 - all);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0.0), n) << what;
  EXPECT_LT(std::fabs(chi_square_sigmas(counts, expected)), kSigmas) << what;
}

double correlation_sigmas(const Numbers& x, const Numbers& y) {
  const std::size_t n = std::min(x.size(), y.size());
  double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sx += x[i];
    sy += y[i];
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
  }
  const auto m = static_cast<double>(n);
  return (xy - sx * sy / m) / std::sqrt((xx - sx * sx / m) * (yy - sy * sy / m)) * std::sqrt(m);
}

Numbers later(const Numbers& x, std::size_t by) {
  return {x.begin() + static_cast<long>(by), x.end()};
}

Numbers squares(Numbers x) {
  for (double& v : x) v *= v;
  return x;
}

void expect_moments(const Numbers& x, double mean, double variance, double fourth,
                    const std::string& what) {
  const auto n = static_cast<double>(x.size());
  double sum = 0;
  double second = 0;
  for (const double v : x) {
    sum += v;
    second += (v - mean) * (v - mean);
  }
  EXPECT_LT(std::fabs(sum / n - mean), kSigmas * std::sqrt(variance / n)) << what;
  EXPECT_LT(std::fabs(second / n - variance),
            kSigmas * std::sqrt((fourth - variance * variance) / n))
      << what;
}

double phi(double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }

const DType kWide[] = {DType::float32, DType::float64};

TEST(Statistics, ContinuousLaws) {
  for (const DType t : kWide) {
    const std::string s(name(t));
    const Tensor x = empty({kMany}, {.dtype = t});
    const auto drawn = [&](const auto& f) {
      f(x, Generator(2024).stream(static_cast<std::uint64_t>(t)));
      return numbers(x);
    };
    expect_law(
        drawn([](const Tensor& o, const Generator& g) { uniform_(o, -2, 3, g); }),
        [](double v) { return (v + 2) / 5; }, "uniform " + s);
    expect_law(
        drawn([](const Tensor& o, const Generator& g) { normal_(o, 1, 2, g); }),
        [](double v) { return phi((v - 1) / 2); }, "normal " + s);
    expect_law(
        drawn([](const Tensor& o, const Generator& g) { exponential_(o, 2.5, g); }),
        [](double v) { return -std::expm1(-2.5 * v); }, "exponential " + s);
    expect_law(
        drawn([](const Tensor& o, const Generator& g) { log_normal_(o, 0.5, 0.75, g); }),
        [](double v) { return phi((std::log(v) - 0.5) / 0.75); }, "log-normal " + s);
    expect_law(
        drawn([](const Tensor& o, const Generator& g) { cauchy_(o, 1, 2, g); }),
        [](double v) { return 0.5 + std::atan((v - 1) / 2) / M_PI; }, "Cauchy " + s);
    const Tensor z = randn({kMany}, Generator(7), {.dtype = promote_types(t, DType::complex64)});
    const Tensor parts = z.view_as(t);
    for (int part = 0; part < 2; ++part) {
      expect_law(
          numbers(parts.slice(0, part, std::nullopt, 2)),
          [](double v) { return phi(v * std::sqrt(2.0)); }, "complex normal " + s);
    }
  }
}

TEST(Statistics, Tails) {
  // Beyond 4.5 standard deviations, on both sides: about 68 of 10^7 normal numbers.
  const Numbers z = numbers(randn({10'000'000}, Generator(5)));
  const auto beyond = [&](const Numbers& x, double limit) {
    return static_cast<double>(
        std::count_if(x.begin(), x.end(), [&](double v) { return v > limit; }));
  };
  const double expected = 1e7 * phi(-4.5);
  Numbers turned = z;
  for (double& v : turned) v = -v;
  for (const Numbers& side : {z, turned}) {
    EXPECT_LT(std::fabs(beyond(side, 4.5) - expected), kSigmas * std::sqrt(expected));
  }
  const Tensor x = empty({10'000'000});
  exponential_(x, 1, Generator(5));  // beyond 14: about 8
  EXPECT_LT(std::fabs(beyond(numbers(x), 14) - 1e7 * std::exp(-14)),
            6 * std::sqrt(1e7 * std::exp(-14)));
}

TEST(Statistics, UniformBinsAndPairs) {
  for (const DType t : {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
    const Numbers u = numbers(rand({kMany}, Generator(31), {.dtype = t}));
    Numbers bins(256);
    Numbers pairs(32 * 32);
    for (std::size_t i = 0; i + 1 < u.size(); i += 2) {
      bins[static_cast<std::size_t>(u[i] * 256)] += 1;
      pairs[static_cast<std::size_t>(u[i] * 32) * 32 + static_cast<std::size_t>(u[i + 1] * 32)] +=
          1;
    }
    EXPECT_LT(std::fabs(chi_square_sigmas(bins, Numbers(256, 1.0 / 256))), kSigmas) << name(t);
    EXPECT_LT(std::fabs(chi_square_sigmas(pairs, Numbers(1024, 1.0 / 1024))), kSigmas) << name(t);
    const double step = std::ldexp(1.0, -info(t).bits);  // of the grid, which begins at 0
    expect_moments(u, (1 - step) / 2, (1 - step * step) / 12, 1.0 / 80, std::string(name(t)));
  }
}

TEST(Statistics, MomentsOfNormals) {
  for (const DType t : kWide) {
    const Numbers z = numbers(randn({kMany}, Generator(12), {.dtype = t}));
    expect_moments(z, 0, 1, 3, std::string(name(t)));
    for (const std::size_t lag : {1, 2, 3, 4, 5, 7, 8, 64, 1024}) {
      EXPECT_LT(std::fabs(correlation_sigmas(z, later(z, lag))), kSigmas) << lag;
      EXPECT_LT(std::fabs(correlation_sigmas(squares(z), later(squares(z), lag))), kSigmas) << lag;
    }
  }
}

TEST(Statistics, SerialCorrelation) {
  for (const DType t : kWide) {
    const Numbers u = numbers(rand({kMany}, Generator(8), {.dtype = t}));
    for (std::size_t lag = 1; lag <= 32; ++lag) {
      EXPECT_LT(std::fabs(correlation_sigmas(u, later(u, lag))), kSigmas) << lag;
    }
  }
}

TEST(Statistics, StreamsSeedsAndCallsAreIndependent) {
  const auto call = [](Generator g, std::uint64_t offset) {
    g.set_offset(offset);
    return numbers(rand({100'000}, g));
  };
  const Numbers base = call(Generator(1), 0);
  for (const std::uint64_t i :
       {std::uint64_t(1), std::uint64_t(2), std::uint64_t(3), std::uint64_t(255),
        std::uint64_t(65536), Generator::kMaxStreams - 1}) {
    const Numbers stream = call(Generator(1).stream(i), 0);
    EXPECT_LT(std::fabs(correlation_sigmas(base, stream)), kSigmas) << "stream " << i;
    EXPECT_LT(std::fabs(correlation_sigmas(base, later(stream, 1))), kSigmas) << "stream " << i;
    EXPECT_LT(std::fabs(correlation_sigmas(later(base, 4), stream)), kSigmas) << "stream " << i;
    EXPECT_LT(std::fabs(correlation_sigmas(base, call(Generator(1 + i), 0))), kSigmas)
        << "seed " << i;
    EXPECT_LT(std::fabs(correlation_sigmas(base, call(Generator(1), i))), kSigmas) << "call " << i;
    // Stream 1 of one call and stream 0 of another: what one word more or less would mix up.
    EXPECT_LT(std::fabs(correlation_sigmas(call(Generator(1), i), stream)), kSigmas) << i;
  }
  // Across the streams: element 0 of 100,000 of them, bin by bin, and next to each other.
  Numbers first;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    first.push_back(rand({1}, Generator(9).stream(i)).item<double>());
  }
  expect_law(
      first, [](double v) { return v; }, "over streams");
  EXPECT_LT(std::fabs(correlation_sigmas(first, later(first, 1))), kSigmas);
}

TEST(Statistics, Integers) {
  for (const std::int64_t n : {2, 3, 10, 1000}) {
    const Numbers x = numbers(randint(-1, n - 1, {kMany}, {}, Generator(3)));
    expect_counts(
        x, [n](double) { return 1.0 / static_cast<double>(n); }, -1, static_cast<double>(n - 2),
        "randint " + std::to_string(n));
  }
  // Three parts of a range that rejects a quarter of the words; a wide one.
  for (const std::int64_t n : {std::int64_t(3) << 30, std::int64_t(3) << 61}) {
    Numbers counts(3);
    for (const double v : numbers(randint(-(n / 2), n - n / 2, {kMany}, {}, Generator(3)))) {
      counts[std::min<std::size_t>(2, static_cast<std::size_t>((v + static_cast<double>(n / 2)) /
                                                               static_cast<double>(n) * 3))] += 1;
    }
    EXPECT_LT(std::fabs(chi_square_sigmas(counts, Numbers(3, 1.0 / 3))), kSigmas) << n;
  }
}

TEST(Statistics, Bernoulli) {
  for (const double p : {0.001, 0.25, 0.5, 0.9}) {
    const auto check = [p](const Tensor& t, const char* what) {
      const double n = static_cast<double>(t.numel());
      const double sum = t.to(DType::float64).sum().item<double>();
      EXPECT_LT(std::fabs(sum - n * p), kSigmas * std::sqrt(n * p * (1 - p))) << what << " " << p;
    };
    const Tensor x = empty({kMany}, {.dtype = DType::int8});
    check(bernoulli_(x, p, Generator(4)), "number");
    check(bernoulli(full({kMany}, p, {.dtype = DType::float64}), Generator(40)), "tensor");
    check(bernoulli_(x, full({1}, p, {.dtype = DType::float64}), Generator(41)), "in place");
  }
}

TEST(Statistics, Geometric) {
  for (const double p : {0.02, 0.3, 0.95}) {
    for (const DType t : {DType::float32, DType::int64}) {
      const Tensor x = empty({kMany}, {.dtype = t});
      geometric_(x, p, Generator(6));
      expect_counts(
          numbers(x), [p](double k) { return p * std::pow(1 - p, k - 1); }, 1, 2000,
          "geometric " + std::to_string(p));
    }
  }
}

double log_poisson(double k, double mean) { return k * std::log(mean) - mean - std::lgamma(k + 1); }

TEST(Statistics, Poisson) {
  for (const double mean : {0.05, 1.0, 4.5, 9.99, 10.0, 12.5, 35.0, 1000.0}) {
    for (const DType t : kWide) {
      const double exact = full({}, mean, {.dtype = t}).item<double>();
      const Numbers x = numbers(poisson(full({kMany}, mean, {.dtype = t}), Generator(77)));
      expect_counts(
          x, [exact](double k) { return std::exp(log_poisson(k, exact)); }, 0,
          mean + 12 * std::sqrt(mean) + 20, "Poisson " + std::to_string(mean));
      expect_moments(x, exact, exact, exact + 3 * exact * exact, "Poisson " + std::to_string(mean));
    }
  }
  // So large that it is normal, to within the test: from the squeeze and from the logarithms.
  for (const double mean : {1e8, 1e12}) {
    const Numbers x =
        numbers(poisson(full({kMany}, mean, {.dtype = DType::float64}), Generator(78)));
    expect_law(
        x, [mean](double k) { return phi((k + 0.5 - mean) / std::sqrt(mean)); },
        "Poisson " + std::to_string(mean));
  }
  EXPECT_EQ(numbers(poisson(zeros({3}), Generator(1))), Numbers(3));
}

TEST(Statistics, Binomial) {
  struct Case {
    double n, p;
  };
  for (const Case c : {Case{1, 0.3},
                       {5, 0.5},
                       {40, 0.1},
                       {40, 0.9},
                       {20, 0.5},
                       {100, 0.4},
                       {1000, 0.7},
                       {100'000, 0.0002}}) {
    const Numbers x = numbers(binomial(full({kMany}, c.n, {.dtype = DType::float64}),
                                       full({}, c.p, {.dtype = DType::float64}), Generator(15)));
    const std::string what = "binomial " + std::to_string(c.n) + " " + std::to_string(c.p);
    expect_counts(
        x,
        [c](double k) {
          return std::exp(std::lgamma(c.n + 1) - std::lgamma(k + 1) - std::lgamma(c.n - k + 1) +
                          k * std::log(c.p) + (c.n - k) * std::log1p(-c.p));
        },
        0, std::min(c.n, 2000.0), what);
    const double v = c.n * c.p * (1 - c.p);
    expect_moments(x, c.n * c.p, v, v * (1 + (3 * c.n - 6) * c.p * (1 - c.p)), what);
  }
  const Tensor n = full({4}, 7.0);
  EXPECT_EQ(numbers(binomial(n, 0.0)), Numbers(4, 0.0));
  EXPECT_EQ(numbers(binomial(n, 1.0)), Numbers(4, 7.0));
}

TEST(Statistics, Permutations) {
  // All 120 orders of five; where the first of a thousand goes.
  const Generator g(123);
  std::map<std::vector<double>, double> orders;
  constexpr int kTimes = 30'000;
  for (int i = 0; i < kTimes; ++i) orders[numbers(randperm(5, {}, g))] += 1;
  EXPECT_EQ(orders.size(), 120u);
  Numbers counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  EXPECT_LT(std::fabs(chi_square_sigmas(counts, Numbers(120, 1.0 / 120))), kSigmas);
  for (const std::int64_t n : {1, 2, 1000, 70'001}) {
    Numbers x = numbers(randperm(n, {}, g));
    Numbers places(static_cast<std::size_t>(n));
    std::iota(places.begin(), places.end(), 0.0);
    if (n > 100) {
      EXPECT_LT(std::fabs(correlation_sigmas(x, places)), kSigmas);
      EXPECT_LT(std::fabs(correlation_sigmas(x, later(x, 1))), kSigmas);
    }
    std::sort(x.begin(), x.end());
    EXPECT_EQ(x, places) << n;
  }
}

TEST(Statistics, Multinomial) {
  const Numbers weights = {1, 0, 3, 0.5, 0, 4, 1.5};  // of 10
  const Tensor w = empty({7}, {.dtype = DType::float64});
  std::copy(weights.begin(), weights.end(), w.data<double>());
  const auto p = [&](double k) { return weights[static_cast<std::size_t>(k)] / 10; };
  const auto counted = [&](const Numbers& x) {
    Numbers counts;
    Numbers chances;
    for (std::size_t k = 0; k < 7; ++k) {
      const auto count =
          static_cast<double>(std::count(x.begin(), x.end(), static_cast<double>(k)));
      if (weights[k] == 0) {
        EXPECT_EQ(count, 0);
      } else {
        counts.push_back(count);
        chances.push_back(p(static_cast<double>(k)));
      }
    }
    return chi_square_sigmas(counts, chances);
  };
  EXPECT_LT(std::fabs(counted(numbers(multinomial(w, kMany, true, Generator(2))))), kSigmas);
  // Without replacement: the first, and the second where the first was category 5.
  const Tensor rows = w.expand({100'000, 7});
  const Tensor drawn = multinomial(rows, 2, false, Generator(3));
  const Numbers first = numbers(drawn.select(1, 0));
  const Numbers second = numbers(drawn.select(1, 1));
  EXPECT_LT(std::fabs(counted(first)), kSigmas);
  Numbers counts(7);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_NE(first[i], second[i]);
    if (first[i] == 5) counts[static_cast<std::size_t>(second[i])] += 1;
  }
  Numbers some;
  Numbers chances;
  for (std::size_t k = 0; k < 7; ++k) {
    if (weights[k] == 0 || k == 5) continue;
    some.push_back(counts[k]);
    chances.push_back(weights[k] / 6);
  }
  EXPECT_LT(std::fabs(chi_square_sigmas(some, chances)), kSigmas);
  // More categories than a chunk, rows that differ: weight i + r for category i of row r.
  const Tensor many = arange(1000, Options{.dtype = DType::float32})
                          .add(arange(3, Options{.dtype = DType::float32}).unsqueeze(1));
  const Tensor x = multinomial(many, kMany, true, Generator(8));
  for (std::int64_t r = 0; r < 3; ++r) {
    const double total = 999 * 500 + 1000.0 * static_cast<double>(r);
    expect_counts(
        numbers(x.select(0, r)), [&](double k) { return (k + static_cast<double>(r)) / total; }, 0,
        999, "multinomial row " + std::to_string(r));
  }
}

}  // namespace
