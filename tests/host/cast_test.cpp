// Casts between every pair of dtypes and layouts, against their rules in wide arithmetic: floats to
// integers truncate and saturate, integers wrap, floats round once to the nearest.
#include <gtest/gtest.h>

#include <random>

#include "tandem/ops.h"
#include "tests/support/elements.h"

using namespace tandem;
using namespace tandem::test;

namespace {

std::vector<DType> all_dtypes() {
  std::vector<DType> list;
  for (int i = 0; i < kNumDTypes; ++i) list.push_back(static_cast<DType>(i));
  return list;
}

/// Numbers about every limit that a conversion can meet, and random ones of all sizes.
std::vector<Element> sources(DType t, std::size_t n) {
  std::mt19937_64 rng(static_cast<std::uint64_t>(t) + 1);
  std::vector<Element> v;
  if (category(t) < Category::Float) {
    for (int bit = 0; bit < 64; ++bit)
      for (const int d : {-1, 0, 1}) v.push_back({.i = (Int(1) << bit) + d});
    while (v.size() < n) v.push_back({.i = Int(rng() >> rng() % 64)});
  } else {
    for (const Real x : {Real(0), Real(NAN), Real(HUGE_VALL), Real(0.5), Real(1.5), Real(65504),
                         Real(65519.996), Real(65520), Real(0x1p-24L), Real(0x1.8p-25L),
                         Real(0x1p-25L), Real(0x1.004p0L), Real(0x1.00200000001p0L),
                         Real(0x1.01p0L), Real(0x1.010000000001p0L), Real(3e38L), Real(1e-45L)}) {
      v.push_back({.re = x, .im = 1});
      v.push_back({.re = -x, .im = 0});
    }
    for (int bit = 0; bit < 66; ++bit)
      for (const Real d : {-0.75L, 0.0L, 0.75L})
        for (const Real sign : {-1.0L, 1.0L})
          v.push_back({.re = sign * (std::ldexp(1.0L, bit) + d)});
    while (v.size() < n) {
      const Real m = static_cast<Real>(static_cast<std::int64_t>(rng())) * 0x1p-63L;
      v.push_back({.re = std::ldexp(m, static_cast<int>(rng() % 300) - 150), .im = m});
    }
  }
  v.resize(n);
  for (Element& e : v) {  // as the dtype holds it
    char stored[16];
    write_element(stored, t, e);
    e = read_element(stored, t);
  }
  return v;
}

/// What the cast must give, before it is stored.
Element expected(const Element& e, DType from, DType to) {
  const bool integral = category(from) < Category::Float;
  if (to == DType::bool_) return {.i = integral ? e.i != 0 : !(e.re == 0 && e.im == 0)};
  if (is_integer(to)) {
    if (integral) return e;  // wraps
    const int bits = 8 * static_cast<int>(element_size(to));
    const Int low = info(to).is_signed ? -(Int(1) << (bits - 1)) : 0;
    const Int high = low + (Int(1) << bits) - 1;
    if (std::isnan(e.re)) return {.i = 0};
    if (e.re <= static_cast<Real>(low)) return {.i = low};
    if (e.re >= static_cast<Real>(high)) return {.i = high};
    return {.i = static_cast<Int>(e.re)};
  }
  if (!integral) return {.re = e.re, .im = is_complex(to) ? e.im : 0};
  // An integer becomes a half by way of a float.
  const Real x = static_cast<Real>(e.i);
  return {.re = is_half(to) ? rounded(x, DType::float32) : x};
}

bool same(Real a, Real b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

class Cast : public ::testing::TestWithParam<DType> {};

TEST_P(Cast, ToEveryDtype) {
  constexpr std::int64_t kRows = 15, kColumns = 67;
  const DType from = GetParam();
  const auto values = sources(from, kRows * kColumns);
  for (const DType to : all_dtypes()) {
    std::vector<Element> right;
    for (const Element& e : values) {
      char stored[16];
      write_element(stored, to, expected(e, from, to));
      right.push_back(read_element(stored, to));
    }
    for (const Layout in : kLayouts) {
      for (const Layout out : kLayouts) {
        const Tensor x = tensor_of(values, {kRows, kColumns}, from, in);
        Tensor y = in_layout({kRows, kColumns}, to, out);
        y.copy_(x);
        const auto got = elements(y);
        for (std::size_t i = 0; i < got.size(); ++i) {
          ASSERT_TRUE(got[i].i == right[i].i && same(got[i].re, right[i].re) &&
                      same(got[i].im, right[i].im))
              << text(values[i], from) << " of " << name(from) << " to " << name(to) << ", "
              << text(in) << " to " << text(out) << ": expected " << text(right[i], to) << ", got "
              << text(got[i], to);
        }
        ASSERT_TRUE(untouched(y)) << name(from) << " to " << name(to) << " " << text(out);
      }
    }
  }
}

TEST_P(Cast, Broadcasts) {
  const DType from = GetParam();
  const auto values = sources(from, 35);
  Tensor y = in_layout({4, 35}, DType::float64, Layout::Gaps);
  y.copy_(tensor_of(values, {35}, from));
  for (std::int64_t r = 0; r < 4; ++r) {
    for (std::int64_t c = 0; c < 35; ++c) {
      const Element e = read_element(address(y, r * 35 + c), DType::float64);
      const Real right = expected(values[static_cast<std::size_t>(c)], from, DType::float64).re;
      ASSERT_TRUE(same(e.re, rounded(right, DType::float64)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(From, Cast, ::testing::ValuesIn(all_dtypes()),
                         [](const auto& p) { return std::string(name(p.param)); });

}  // namespace
