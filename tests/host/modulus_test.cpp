// fmod, remainder and floor_divide of floats against the C++ library and 113-bit arithmetic, to the
// bit, at every SIMD level: the whole range of exponents, quotients about integers, special values.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <random>

#include "runtime/dispatch/host_backend.h"
#include "tandem/ops.h"
#include "tests/support/elements.h"

using namespace tandem;

namespace {

using Wide = __float128;  // 113 digits

template <class T>
struct Pairs {
  std::vector<T> x, y;
  void add(T a, T b) {
    x.push_back(a);
    y.push_back(b);
  }
};

template <class T>
constexpr int kDigits = std::numeric_limits<T>::digits;

template <class T>
T random_bits(std::mt19937_64& rng) {
  T v;
  const std::uint64_t bits = rng();
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

template <class T>
T random_finite(std::mt19937_64& rng) {
  for (;;) {
    const T v = random_bits<T>(rng);
    if (std::isfinite(v) && v != 0) return v;
  }
}

/// x some places further.
template <class T>
T stepped(T x, int places) {
  for (; places > 0; --places) x = std::nextafter(x, T(HUGE_VAL));
  for (; places < 0; ++places) x = std::nextafter(x, T(-HUGE_VAL));
  return x;
}

/// Every special value with every other.
template <class T>
Pairs<T> specials() {
  using L = std::numeric_limits<T>;
  const T list[] = {0,
                    L::denorm_min(),
                    2 * L::denorm_min(),
                    3 * L::denorm_min(),
                    stepped(L::min(), -1),
                    L::min(),
                    stepped(L::min(), 1),
                    stepped(T(1), -1),
                    1,
                    stepped(T(1), 1),
                    1.5,
                    2,
                    3,
                    std::ldexp(T(1), kDigits<T> - 3),
                    std::ldexp(T(1), kDigits<T>),
                    L::max() / 2,
                    L::max(),
                    L::infinity()};
  Pairs<T> p;
  std::vector<T> all(std::begin(list), std::end(list));
  for (const T v : list) all.push_back(-v);
  all.push_back(L::quiet_NaN());
  for (const T a : all)
    for (const T b : all) p.add(a, b);
  return p;
}

/// Any bits; most quotients are huge or below 1.
template <class T>
Pairs<T> any_bits(std::mt19937_64& rng, int n) {
  Pairs<T> p;
  for (int i = 0; i < n; ++i) p.add(random_bits<T>(rng), random_bits<T>(rng));
  return p;
}

/// Quotients below 2^bits at any exponents, an integer or a few places beside it.
template <class T>
Pairs<T> near_integers(std::mt19937_64& rng, int n, int bits) {
  Pairs<T> p;
  while (p.x.size() < static_cast<std::size_t>(n)) {
    const T y = random_finite<T>(rng);
    const auto shift = rng() % static_cast<unsigned>(bits);
    const T x = static_cast<T>(rng() >> (63 - shift)) * y;
    const int places = static_cast<int>(rng() % 7) - 3;
    if (std::isfinite(x)) p.add(std::signbit(x) ? -stepped(-x, places) : stepped(x, places), y);
  }
  return p;
}

/// Quotients of any kind below 2^bits, or below 1, at any exponents.
template <class T>
Pairs<T> any_quotients(std::mt19937_64& rng, int n, int bits) {
  Pairs<T> p;
  std::uniform_real_distribution<T> log2(-3, static_cast<T>(bits));
  while (p.x.size() < static_cast<std::size_t>(n)) {
    const T y = random_finite<T>(rng);
    const T x = std::exp2(log2(rng)) * y * (rng() % 2 == 0 ? 1 : -1);
    if (std::isfinite(x)) p.add(x, y);
  }
  return p;
}

template <class T>
T python_modulus(T x, T y) {
  const T m = std::fmod(x, y);
  if (m == 0) return std::copysign(m, y);
  return (y < 0) != (m < 0) ? m + y : m;
}

/// The documented rule, with the library's fmod.
template <class T>
T python_quotient(T x, T y) {
  if (y == 0 || std::isinf(x)) return x / y;
  const T m = std::fmod(x, y);
  T q = (x - m) / y;
  if (m != 0 && (y < 0) != (m < 0)) q -= 1;
  if (q == 0) return std::copysign(T(0), x / y);
  const T f = std::floor(q);
  return q - f > T(0.5) ? f + 1 : f;
}

/// The floor of the quotient without an error, for quotients below 2^(digits - 3).
template <class T>
T exact_quotient(T x, T y) {
  const T m = std::fmod(x, y);
  const bool negative = std::signbit(x) != std::signbit(y);
  Wide q = (static_cast<Wide>(x) - static_cast<Wide>(m)) / static_cast<Wide>(y);
  if (m != 0 && negative) q -= 1;
  return q == 0 ? std::copysign(T(0), negative ? T(-1) : T(1)) : static_cast<T>(q);
}

template <class T>
std::string text(T v) {
  char s[64];
  std::snprintf(s, sizeof s, "%a", static_cast<double>(v));
  return s;
}

template <class T>
void expect_same(const char* op, T got, T expected, T x, T y) {
  const bool same =
      (std::isnan(got) && std::isnan(expected)) || std::memcmp(&got, &expected, sizeof got) == 0;
  EXPECT_TRUE(same) << op << "(" << text(x) << ", " << text(y) << ") gives " << text(got)
                    << ", expected " << text(expected);
}

template <class T>
Tensor tensor_of(const std::vector<T>& v) {
  Tensor t = empty({static_cast<std::int64_t>(v.size())}, {.dtype = dtype_of<T>});
  std::memcpy(t.data<T>(), v.data(), v.size() * sizeof(T));
  return t;
}

template <class T>
void check(const Pairs<T>& p) {
  const Tensor x = tensor_of(p.x);
  const Tensor y = tensor_of(p.y);
  const Tensor mod = fmod(x, y);
  const Tensor rest = remainder(x, y);
  const Tensor quotient = floor_divide(x, y);
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    const T a = p.x[i];
    const T b = p.y[i];
    const T q = quotient.data<T>()[i];
    expect_same("fmod", mod.data<T>()[i], std::fmod(a, b), a, b);
    expect_same("remainder", rest.data<T>()[i], python_modulus(a, b), a, b);
    expect_same("floor_divide", q, python_quotient(a, b), a, b);
    if (std::fabs(a / b) < std::ldexp(T(1), kDigits<T> - 3) && std::isfinite(b))
      expect_same("floor_divide", q, exact_quotient(a, b), a, b);
    if (testing::Test::HasFailure()) return;
  }
}

template <class T>
void check_all() {
  std::mt19937_64 rng(kDigits<T>);
  constexpr int n = 100'000;
  check(specials<T>());
  check(any_bits<T>(rng, n));
  // Within what the loop without branches serves, and about its end.
  for (const int bits : {kDigits<T> - 5, kDigits<T> + 2}) {
    check(near_integers<T>(rng, n, bits));
    check(any_quotients<T>(rng, n, bits));
  }
}

TEST(Modulus, Float32) { check_all<float>(); }
TEST(Modulus, Float64) { check_all<double>(); }

TEST(Modulus, EveryLevel) {
  for (const std::string level : {"baseline", "v3", "v4"}) {  // a lower one where there is none
    if (level == detail::simd_level()) continue;
    const std::string command = "TANDEM_SIMD=" + level + " /proc/" + std::to_string(getpid()) +
                                "/exe --gtest_brief=1 --gtest_filter=Modulus.Float*";
    EXPECT_EQ(std::system(command.c_str()), 0) << level;
  }
}

}  // namespace
