// The distributions of random.def, bit by bit against an own Philox and formulas in long double;
// and what must not change a number: shape, layout, threads, the count of calls.
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "kernels/functors/philox.h"
#include "tandem/tandem.h"
#include "tests/support/elements.h"
#include "tests/support/expect_error.h"
#include "tests/support/philox_words.h"

using namespace tandem;
using namespace tandem::test;
using tandem::testing::expect_error;

namespace {

/// The open uniform number of element i: 32 bits of one word, or 53 of two.
Real open_unit(std::uint64_t i, bool wide) {
  if (!wide) {
    const Real u = (static_cast<Real>(words(i / 4)[i % 4]) + 0.5L) * 0x1p-32L;
    return std::min<Real>(static_cast<float>(u), 1 - 0x1p-24L);
  }
  const Words w = words(i / 2);
  const std::uint64_t high = w[i % 2 * 2] >> 5;
  const std::uint64_t low = w[i % 2 * 2 + 1] >> 6;
  const Real u = (static_cast<Real>(high << 26 | low) + 0.5L) * 0x1p-53L;
  return std::min<Real>(static_cast<double>(u), 1 - 0x1p-53L);
}

const DType kFloats[] = {DType::float16, DType::bfloat16, DType::float32, DType::float64};

/// Every element of x within `units` of f(i), in units of the dtype's last place.
void expect_near(const Tensor& x, Real units, const std::function<Real(std::uint64_t)>& f) {
  const auto got = elements(x);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Real right = rounded(f(i), x.dtype());
    ASSERT_LE(std::fabs(got[i].re - right), units * ulp(right, x.dtype()))
        << name(x.dtype()) << " at " << i << ": expected " << static_cast<double>(right) << ", got "
        << static_cast<double>(got[i].re);
  }
}

TEST(Exponential, IsTheLogarithmOfAnOpenUniform) {
  for (const DType t : kFloats) {
    const Tensor x = empty({1003}, {.dtype = t});
    exponential_(x, 2.5, Generator(kSeed));
    expect_near(
        x, 2, [t](std::uint64_t i) { return -std::log(open_unit(i, t == DType::float64)) / 2.5L; });
    EXPECT_TRUE(x.gt(0).all().item().to_bool()) << name(t);
  }
}

TEST(Geometric, CountsTrials) {
  for (const double p : {0.001, 0.25, 0.9}) {
    for (const DType t : {DType::float32, DType::float64, DType::int64, DType::int16}) {
      const Tensor x = empty({1003}, {.dtype = t});
      geometric_(x, p, Generator(kSeed));
      const auto got = elements(x);
      const bool wide = t != DType::float32;
      const Real scale = wide ? std::log1p(-static_cast<Real>(p))
                              : std::log1p(-static_cast<Real>(static_cast<float>(p)));
      for (std::size_t i = 0; i < got.size(); ++i) {
        const Real exact = std::log(open_unit(i, wide)) / scale;
        const Real k = is_float(t) ? got[i].re : static_cast<Real>(got[i].i);
        // One less or more only where the quotient is an integer but for rounding.
        const Real slack = exact * (wide ? 1e-15L : 4e-7L);
        EXPECT_TRUE(k >= 1 && k >= exact - slack && k < exact + slack + 1)
            << name(t) << " at " << i << ": " << static_cast<double>(k) << " of "
            << static_cast<double>(exact);
      }
    }
  }
}

TEST(Cauchy, IsACotangentWithASign) {
  for (const DType t : {DType::float32, DType::float64}) {
    const Tensor x = empty({1003}, {.dtype = t});
    cauchy_(x, 0, 2, Generator(kSeed));
    expect_near(x, 6, [t](std::uint64_t i) {
      Real sign = 1;
      Real v = 0;
      if (t == DType::float32) {
        const std::uint32_t w = words(i / 4)[i % 4];
        sign = w >> 31 != 0 ? -1 : 1;
        v = (static_cast<Real>(w << 1) + 0.5L) * 0x1p-33L;
        v = static_cast<float>(v);
      } else {
        const Words w = words(i / 2);
        const std::uint32_t high = w[i % 2 * 2];
        sign = high >> 31 != 0 ? -1 : 1;
        const std::uint64_t bits = std::uint64_t((high << 1) >> 5) << 26 | w[i % 2 * 2 + 1] >> 6;
        v = static_cast<double>((static_cast<Real>(bits) + 0.5L) * 0x1p-54L);
      }
      const Real pi = 3.141592653589793238462643383279502884L;
      return 2 * sign / std::tan(pi * v);
    });
  }
}

TEST(Normal, IsRandnScaled) {
  for (const DType t : {DType::float32, DType::float64, DType::complex64}) {
    const Tensor z = randn({7, 143}, Generator(kSeed), {.dtype = t});
    const Tensor x = empty({7, 143}, {.dtype = t});
    normal_(x, 3, 0.5, Generator(kSeed));
    EXPECT_TRUE(equal(x, z.mul(0.5).add(3))) << name(t);
    if (is_complex(t)) continue;
    EXPECT_TRUE(equal(normal(3, 0.5, {7, 143}, {.dtype = t}, Generator(kSeed)), x));
    const Tensor mean = full({143}, 3.0, {.dtype = t});
    EXPECT_TRUE(equal(normal(mean, full({7, 1}, 0.5, {.dtype = t}), Generator(kSeed)), x));
  }
  // The half types round once.
  const Tensor h = empty({1000}, {.dtype = DType::float16});
  normal_(h, 3, 0.5, Generator(kSeed));
  const Tensor f = normal(3, 0.5, {1000}, {.dtype = DType::float32}, Generator(kSeed));
  EXPECT_TRUE(equal(h, f.to(DType::float16)));
  const Tensor l = empty({1000}, {.dtype = DType::float32});
  log_normal_(l, 3, 0.5, Generator(kSeed));
  expect_near(l, 2, [v = elements(f)](std::uint64_t i) { return std::exp(v[i].re); });
}

TEST(Uniform, ComplexNumbersAreTheirParts) {
  const Tensor x = rand({7, 143}, Generator(kSeed), {.dtype = DType::complex64});
  const Tensor y = rand({7, 143, 2}, Generator(kSeed), {.dtype = DType::float32});
  EXPECT_TRUE(equal(view_as_real(x), y));
  const Tensor z = rand({7, 143}, Generator(kSeed), {.dtype = DType::complex128});
  EXPECT_TRUE(
      equal(view_as_real(z), rand({7, 143, 2}, Generator(kSeed), {.dtype = DType::float64})));
}

TEST(Uniform, StaysBelowItsEnd) {
  for (const DType t : kFloats) {
    const Tensor x = empty({4099}, {.dtype = t});
    uniform_(x, 0, 1, Generator(kSeed));
    EXPECT_TRUE(equal(x, rand({4099}, Generator(kSeed), {.dtype = t}))) << name(t);
    // A range of few numbers: the end must not appear, both sides of 1 must.
    const Real step = ulp(1, t);
    uniform_(x, 1, static_cast<double>(1 + 2 * step), Generator(kSeed));
    std::set<Real> seen;
    for (const Element& e : elements(x)) seen.insert(e.re);
    EXPECT_EQ(seen, (std::set<Real>{1, 1 + step})) << name(t);
    uniform_(x, -3, -3, Generator(kSeed));
    EXPECT_TRUE(x.eq(-3).all().item().to_bool());
    uniform_(x, -1, 0, Generator(kSeed));
    EXPECT_TRUE(x.lt(0).all().item().to_bool()) << name(t);
    EXPECT_TRUE(x.ge(-1).all().item().to_bool()) << name(t);
  }
}

/// Lemire's method in 128 bits.
Int integer(std::uint64_t i, Int low, Int n, bool wide) {
  const int bits = wide ? 64 : 32;
  for (std::uint64_t draw = 0;; ++draw) {
    std::uint64_t w = 0;
    if (wide) {
      const Words b = words(i / 2, draw);
      w = std::uint64_t(b[i % 2 * 2]) << 32 | b[i % 2 * 2 + 1];
    } else {
      w = words(i / 4, draw)[i % 4];
    }
    const auto product = static_cast<unsigned __int128>(w) * static_cast<unsigned __int128>(n);
    const auto all = static_cast<unsigned __int128>(1) << bits;
    if (product % all >= all % static_cast<unsigned __int128>(n))
      return low + static_cast<Int>(product / all);
  }
}

TEST(Integers, AreUnbiasedByRejection) {
  struct Interval {
    std::int64_t low, high;
  };
  const Interval intervals[] = {{0, 10},
                                {-3, 4},
                                {5, 6},
                                {-(std::int64_t(1) << 30), (std::int64_t(1) << 30) + 1},
                                {INT32_MIN, std::int64_t(INT32_MAX) + 1},
                                {0, std::int64_t(1) << 32},
                                {-5, (std::int64_t(1) << 62) + 1},
                                {INT64_MIN, INT64_MAX}};
  for (const auto& [low, high] : intervals) {
    const bool wide = low < INT32_MIN || high - 1 > INT32_MAX;
    const auto got = elements(randint(low, high, {5003}, {}, Generator(kSeed)));
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(static_cast<std::int64_t>(got[i].i),
                static_cast<std::int64_t>(integer(i, low, Int(high) - low, wide)))
          << "[" << low << ", " << high << ") at " << i;
    }
  }
  for (int k = 0; k < kNumDTypes; ++k) {
    const auto t = static_cast<DType>(k);
    if (!dtypes::BoolReals.has(t)) continue;
    const Tensor x = empty({300}, {.dtype = t});
    random_(x, 0, 2, Generator(kSeed));
    const auto got = elements(x);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const Int v = is_float(t) ? static_cast<Int>(got[i].re) : got[i].i;
      ASSERT_EQ(static_cast<int>(v), static_cast<int>(integer(i, 0, 2, false))) << name(t);
    }
    random_(x, 0, {}, Generator(kSeed));  // all that the dtype holds from 0 on
    if (t == DType::uint64) {
      EXPECT_EQ(elements(x)[0].i, Int(std::uint64_t(words(0)[0]) << 32 | words(0)[1]));
    }
  }
}

TEST(Bernoulli, IsExactToTheLastBit) {
  const Tensor x = empty({100'000}, {.dtype = DType::uint8});
  bernoulli_(x, 0.3, Generator(kSeed));
  const auto got = elements(x);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].i == 1, words(i / 4)[i % 4] < 0.3 * 0x1p32) << i;
  }
  bernoulli_(x, 0, Generator(kSeed));
  EXPECT_FALSE(x.any().item().to_bool());
  bernoulli_(x, 1, Generator(kSeed));
  EXPECT_TRUE(x.all().item().to_bool());
  // A probability whose first 32 bits are those of element i's word: the next draw's decides.
  for (std::uint64_t i = 0; i < 64; ++i) {
    const std::uint32_t w = words(i / 4)[i % 4];
    bernoulli_(x.narrow(0, 0, 64), (w + 0.5) * 0x1p-32, Generator(kSeed));
    EXPECT_EQ(elements(x)[i].i == 1, words(i / 4, 1)[i % 4] < 0x80000000u) << i;
  }
}

TEST(Random, LayoutsAndThreadsChangeNothing) {
  const auto fill = [](const Tensor& x) {
    const Generator g(kSeed);
    normal_(x, 0, 1, g);
    return x;
  };
  const Tensor right = fill(empty({331, 257}));
  EXPECT_TRUE(equal(fill(empty({257, 331}).t()), right));
  EXPECT_TRUE(equal(fill(empty({331, 600}).slice(1, 3, 517, 2)), right));
  const int before = get_num_threads();
  for (const int threads : {1, 2, 3, 4}) {
    set_num_threads(threads);
    EXPECT_TRUE(equal(fill(empty({331, 257})), right)) << threads;
  }
  set_num_threads(before);
  EXPECT_TRUE(equal(fill(empty({1000})), right.reshape({-1}).narrow(0, 0, 1000)));
  for (const Layout l : kLayouts) {
    const Tensor x = in_layout({7, 33}, DType::float32, l);
    fill(x);
    EXPECT_TRUE(untouched(x)) << text(l);
  }
  EXPECT_THROW(normal_(empty({1}).expand({5})), ShapeError);
  // Stored wider than computed, and strided.
  const Tensor wide = empty({257, 331}, {.dtype = DType::float64}).t();
  const Tensor narrow = empty({331, 257}, {.dtype = DType::bool_});
  bernoulli_(wide, 0.3, Generator(kSeed));
  bernoulli_(narrow, 0.3, Generator(kSeed));
  EXPECT_TRUE(equal(wide, narrow.to(DType::float64)));
}

TEST(Random, TakesAndKeepsNames) {
  const Tensor x = empty({2, 3}, {.names = {"n", "c"}});
  EXPECT_EQ(str(uniform_(x).names()), str(x.names()));
  EXPECT_EQ(str(rand_like(x).names()), str(x.names()));
  EXPECT_EQ(str(normal(x, 1.0).names()), str(x.names()));
}

// ---- generators

/// Random123's kat_vectors for philox4x32, 10 rounds: the functor of both backends, and this test's
/// own.
TEST(Philox, KnownAnswers) {
  struct Vector {
    std::uint64_t low, high, key;
    Words right;
  };
  const Vector vectors[] = {{0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                            {~0ull, ~0ull, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                            {0x85a308d3243f6a88,
                             0x0370734413198a2e,
                             0x299f31d0a4093822,
                             {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const Vector& v : vectors) {
    const fn::PhiloxWords got = fn::philox(v.low, v.high, v.key);
    EXPECT_TRUE(std::equal(v.right.begin(), v.right.end(), got.w));
    EXPECT_EQ(philox(v.low, v.high, v.key), v.right);
  }
}

TEST(Generators, ThreadsShareOne) {
  const Generator g(kSeed);
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<Real> seen;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const Real v = elements(rand({4}, g, {.dtype = DType::float64}))[3].re;
        const std::lock_guard lock(mutex);
        seen.insert(v);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(g.offset(), 800u);
  std::set<Real> right;
  for (std::uint64_t call = 0; call < 800; ++call) {
    const Words w = words(1, 0, call);
    right.insert(std::ldexp(static_cast<Real>(std::uint64_t(w[2] >> 5) << 26 | w[3] >> 6), -53));
  }
  EXPECT_EQ(seen, right);
}

TEST(Generators, CountCallsAndStreams) {
  Generator g(kSeed);
  EXPECT_EQ(g.initial_seed(), kSeed);
  for (std::uint64_t call = 0; call < 3; ++call) {
    EXPECT_EQ(g.offset(), call);
    const Tensor x = rand({6}, g);
    EXPECT_EQ(elements(x)[5].re, std::ldexp(Real(words(1, 0, call)[1] >> 8), -24));
  }
  for (const std::uint64_t i : {std::uint64_t(1), std::uint64_t(77), Generator::kMaxStreams - 1}) {
    const Generator s = g.stream(i);
    EXPECT_EQ(s.stream_index(), i);
    EXPECT_EQ(s.offset(), 0u);
    rand({6}, s);
    const Tensor x = rand({6}, s);
    EXPECT_EQ(elements(x)[5].re, std::ldexp(Real(words(1, 0, 1, i)[1] >> 8), -24));
  }
  EXPECT_EQ(g.offset(), 3u) << "streams take nothing from where they come from";
  EXPECT_THROW(g.stream(Generator::kMaxStreams), ValueError);
  EXPECT_EQ(g.stream(0).stream_index(), 0u);
}

TEST(Generators, StatesAreSavedAndChecked) {
  Generator g(7);
  g = g.stream(3);
  rand({5}, g);
  const Tensor state = g.get_state();
  const Generator twin = g.clone();
  const Tensor a = randn({9}, g);
  EXPECT_TRUE(equal(randn({9}, twin), a));
  EXPECT_EQ(state.dtype(), DType::uint8);
  Generator other;
  other.set_state(state);
  EXPECT_TRUE(equal(randn({9}, other), a));
  EXPECT_EQ(other.initial_seed(), 7u);
  const Tensor before = other.get_state();
  EXPECT_THROW(other.set_state(state.to(DType::int32)), TypeError);
  EXPECT_THROW(other.set_state(state.narrow(0, 0, 31)), ValueError);
  EXPECT_THROW(other.set_state(state.reshape({4, 8})), ValueError);
  Tensor bad = state.clone();
  bad.data<std::uint8_t>()[0] ^= 1;
  EXPECT_THROW(other.set_state(bad), ValueError);
  bad = state.clone();
  bad.data<std::uint8_t>()[31] = 1;  // no such stream
  EXPECT_THROW(other.set_state(bad), ValueError);
  EXPECT_TRUE(equal(other.get_state(), before));
}

TEST(Generators, AFailedCallTakesNothing) {
  Generator g(7);
  EXPECT_THROW(rand({3}, g, {.dtype = DType::int32}), TypeError);
  EXPECT_THROW(rand({-3}, g), Error);
  EXPECT_THROW(rand({2, 3}, g, {.names = {"a"}}), Error);
  EXPECT_THROW(rand({std::int64_t(1) << 60}, g), Error);
  EXPECT_THROW(normal_(empty({3}), 0, -1, g), ValueError);
  EXPECT_THROW(randint(3, 3, {2}, {}, g), ValueError);
  EXPECT_THROW(uniform_(empty({1}).expand({3}), 0, 1, g), ShapeError);
  EXPECT_EQ(g.offset(), 0u);
  rand({3}, g, {.device = kMeta});
  EXPECT_EQ(g.offset(), 0u);
  rand({0}, g);
  EXPECT_EQ(g.offset(), 1u) << "one a call, whatever its size";
  g.set_offset(Generator::kMaxCalls - 1);
  rand({3}, g);
  EXPECT_THROW(rand({3}, g), ValueError);
  EXPECT_THROW(g.set_offset(Generator::kMaxCalls + 1), ValueError);
}

TEST(Generators, SeedThemselvesAndTheDefaultOne) {
  Generator g;
  EXPECT_EQ(g.initial_seed(), Generator::kDefaultSeed);
  const std::uint64_t a = g.seed();
  EXPECT_EQ(g.initial_seed(), a);
  EXPECT_NE(g.seed(), a);
  manual_seed(5);
  EXPECT_EQ(default_generator().initial_seed(), 5u);
  EXPECT_TRUE(equal(rand({4}), rand({4}, Generator(5))));
  EXPECT_EQ(default_generator().offset(), 1u);
}

TEST(Random, ErrorsNameWhatIsWrong) {
  const Tensor x = empty({3});
  const Tensor i = empty({3}, {.dtype = DType::int8});
  expect_error<ValueError>([&] { normal_(x, 0, -1); },
                           "normal expects std >= 0.0, but found std -1");
  expect_error<ValueError>([&] { exponential_(x, 0); },
                           "exponential_ expects lambda > 0.0, but found lambda=0");
  expect_error<ValueError>([&] { uniform_(x, 2, 1); }, "found from=2 > to=1");
  expect_error<ValueError>([&] { geometric_(x, 1); }, "expects p to be in (0, 1), but got p=1");
  expect_error<ValueError>([&] { bernoulli_(x, NAN); }, "expects p to be in [0, 1]");
  expect_error<ValueError>([&] { randint(5, 5, {2}); }, "but got from=5 >= to=5");
  expect_error<ValueError>([&] { random_(i, 0, 129); },
                           "expected integers that int8 holds, got 128");
  expect_error<ValueError>([&] { randint(-1, 5, {2}, {.dtype = DType::uint8}); }, "got -1");
  expect_error<TypeError>([&] { uniform_(i); },
                          "[uniform_] argument 'x': not implemented for 'Char'");
}

}  // namespace
