// Special values by dtype, in the order of their importance: where several inputs are crossed, the
// first ones are taken.
#include "tests/cuda/ptx/inputs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "tandem/fn.h"

namespace tandem::ptx {

namespace {

/// Elements of one dtype, one after the other.
struct Values {
  std::size_t size;
  std::vector<char> bytes;
  std::size_t count() const { return bytes.size() / size; }
  const char* at(std::size_t i) const { return bytes.data() + i * size; }
};

template <class T>
void append(std::vector<char>& bytes, const T& v) {
  const char* p = reinterpret_cast<const char*>(&v);
  bytes.insert(bytes.end(), p, p + sizeof v);
}

/// A float type by its layout, to step between neighbours.
template <class T>
struct Bits {
  using type = fn::unsigned_t<T>;
  static constexpr int digits = std::numeric_limits<T>::digits;
};
template <>
struct Bits<Half> {
  using type = std::uint16_t;
  static constexpr int digits = 11;
};
template <>
struct Bits<BFloat16> {
  using type = std::uint16_t;
  static constexpr int digits = 8;
};

template <class T>
class Specials {
 public:
  using U = typename Bits<T>::type;
  static constexpr int kWidth = 8 * sizeof(T);
  static constexpr int kFraction = Bits<T>::digits - 1;
  static constexpr U kSign = U(U(1) << (kWidth - 1));
  static constexpr U kInf = U(U(~U(0)) >> 1) >> kFraction << kFraction;

  std::vector<T> list() {
    limits();
    for (const double x : {1.0, 0.5, 2.0, 1.5, 3.0, 2.5, 0.25, 10.0, 0.1, 7.0}) number(x);
    near_limits();
    halfway();
    for (int k = 1; k <= 8; ++k) near(k * M_PI_2);
    for (const double k : {100.0, 1e4, 65537.0, 83443.0, 1e6, 1e9, 1e15, 1e22, 1e100, 1e300})
      near(k * M_PI_2);
    for (const double x : {M_LN2, M_E, 1 / M_E, M_SQRT2, M_SQRT1_2, 0.5 * M_LN2, 1e-3, 1e-5, 1e-8})
      near(x);
    // Where exp, exp2, expm1, sinh and tanh over- and underflow or change their formulas.
    for (const double x : {88.72283,
                           89.4159,
                           87.33654,
                           103.9721,
                           128.0,
                           126.0,
                           149.0,
                           150.0,
                           16.6355,
                           9.0,
                           709.782712893384,
                           710.475860073944,
                           708.396418532264,
                           745.133219101941,
                           1024.0,
                           1022.0,
                           1074.0,
                           36.7368,
                           19.0615,
                           22.0,
                           11.0899,
                           17.3287})
      near(x);
    for (int e = -1074; e <= 1023; e += e >= -8 && e < 8 ? 1 : (e % 9 == 0 ? 8 : 1))
      near(std::ldexp(1.0, e));
    return std::move(values_);
  }

 private:
  void bits(U u) {
    const T v = std::bit_cast<T>(u);
    if (std::find_if(values_.begin(), values_.end(),
                     [&](const T& w) { return std::bit_cast<U>(w) == u; }) == values_.end())
      values_.push_back(v);
  }
  void both(U magnitude) {
    bits(magnitude);
    bits(U(magnitude | kSign));
  }
  static U nearest(double x) { return std::bit_cast<U>(fn::cast<T>(x)); }
  void number(double x) { both(nearest(x)); }
  void near(double x) {
    const U u = nearest(x);
    if (u == 0 || u >= kInf) return;
    both(u);
    both(U(u - 1));
    both(U(u + 1));
  }
  void limits() {
    both(0);
    number(1.0);
    both(kInf);
    both(U(kInf | U(1) << (kFraction - 1)));  // NaN
    both(U(kInf - 1));                        // the greatest
    both(U(U(1) << kFraction));               // the least normal
    both(1);                                  // the least of all
  }
  void near_limits() {
    both(U(kInf - 2));
    both(U((U(1) << kFraction) - 1));
    both(U((U(1) << kFraction) + 1));
    both(2);
    both(U(kInf + 1));  // a signalling NaN
    both(U(~kSign));    // every bit of a NaN
    both(U(kInf >> 1));
  }
  void halfway() {
    for (int k = 0; k < 6; ++k) near(k + 0.5);
    for (int e : {kFraction - 1, kFraction, kFraction + 1}) {
      near(std::ldexp(1.0, e));
      number(std::ldexp(1.0, e) - 0.5);
      number(std::ldexp(1.0, e) - 1.5);
    }
    for (int e : {7, 8, 15, 16, 31, 32, 63, 64}) near(std::ldexp(1.0, e));
  }

  std::vector<T> values_;
};

template <class T>
std::vector<T> integer_specials() {
  using U = fn::unsigned_t<T>;
  std::vector<T> list;
  const auto add = [&](U u) {
    if (std::find(list.begin(), list.end(), T(u)) == list.end()) list.push_back(T(u));
  };
  const U top = U(U(1) << (8 * sizeof(T) - 1));
  for (const U u : {U(0), U(1), U(~U(0)), top, U(top - 1), U(2), U(~U(1)), U(top + 1), U(3), U(7),
                    U(10), U(~U(0) - 2)})
    add(u);
  for (int e = 2; e < static_cast<int>(8 * sizeof(T)); ++e) {
    const U p = U(U(1) << e);
    for (const U u : {p, U(p - 1), U(p + 1), U(U(0) - p)}) add(u);
  }
  for (const U u : {U(100), U(1000), U(12345), U(0x5555555555555555u), U(0xaaaaaaaaaaaaaaaau),
                    U(0x123456789abcdef1u)})
    add(u);
  return list;
}

std::size_t all_of_width(std::size_t bytes) { return bytes == 1 ? 256 : 65536; }

/// All values of a dtype of 8 bits, all of 16 where `most` allows it, else the special ones.
template <class T>
Values values_for(std::size_t most) {
  Values v{sizeof(T), {}};
  if constexpr (fn::is_complex_v<T>) {
    auto parts = Specials<fn::real_t<T>>().list();
    const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(most)));
    parts.resize(std::min(parts.size(), side));
    for (const auto re : parts) {
      for (const auto im : parts) append(v.bytes, T{re, im});
    }
  } else if constexpr (fn::is_bool_v<T>) {
    v.bytes = {0, 1};
  } else if (sizeof(T) <= 2 && all_of_width(sizeof(T)) <= most) {
    using U = std::conditional_t<sizeof(T) == 1, std::uint8_t, std::uint16_t>;
    for (std::uint32_t u = 0; u <= std::numeric_limits<U>::max(); ++u)
      append(v.bytes, static_cast<U>(u));
  } else {
    std::vector<T> list;
    if constexpr (fn::is_int_v<T>)
      list = integer_specials<T>();
    else
      list = Specials<T>().list();
    if (list.size() > most) list.resize(most);
    for (const T& x : list) append(v.bytes, x);
  }
  return v;
}

const Values& specials(DType t, std::size_t most) {
  static std::map<std::pair<DType, std::size_t>, Values> made;
  const auto found = made.find({t, most});
  if (found != made.end()) return found->second;
  return made.emplace(std::pair(t, most), visit(t, [&]<class T>() { return values_for<T>(most); }))
      .first->second;
}

/// How many special values of an input are crossed, by the number of inputs.
std::size_t crossed(int arity) {
  constexpr std::size_t kMost[] = {0, 65536, 256, 40, 16};
  return kMost[arity];
}

class Random {
 public:
  Random(const OpRow& row, std::uint64_t seed) : rng_(seed), row_(row) {}

  void element(char* at, DType t) {
    const std::size_t size = element_size(t);
    const std::uint64_t bits[2] = {rng_(), rng_()};
    if (t == DType::bool_) {
      *at = static_cast<char>(bits[0] & 1);
    } else if (is_integer(t)) {
      const std::uint64_t v = bits[1] >> (bits[0] % 64);
      std::memcpy(at, (bits[0] >> 8) % 4 == 0 ? &v : bits + 1, size);
    } else if (bits[0] % 8 == 0) {
      const Values& s = specials(t, 1024);
      std::memcpy(at, s.at(bits[1] % s.count()), size);
    } else if (bits[0] % 2 == 0) {
      const std::uint64_t fresh[2] = {rng_(), bits[1]};
      std::memcpy(at, fresh, size);
    } else {
      visit(t, [&]<class T>() { in_domain<T>(at); });
    }
  }

  /// In place of `at`, sometimes: something of the element of another input that makes differences
  /// cancel and quotients whole, or nearly so.
  void relate(char* at, const char* other, DType t) {
    const std::uint64_t pick = rng_();
    if (&row_ == &op::logaddexp || &row_ == &op::logaddexp2) return near_root(at, other, t);
    if (pick % 8 != 0 || t == DType::bool_) return;
    std::memcpy(at, other, element_size(t));
    if (is_complex(t) || pick / 8 % 8 == 0) return;
    visit(t, [&]<class T>() {
      if constexpr (!fn::is_bool_v<T> && !fn::is_complex_v<T>) related<T>(at, pick / 64);
    });
  }

 private:
  /// Half of the time what makes log(e^x + e^y), or log2, all but 0; a zero sometimes.
  void near_root(char* at, const char* other, DType t) {
    if (is_complex(t)) return;
    const std::uint64_t pick = rng_();
    visit(t, [&]<class T>() {
      if constexpr (!fn::is_complex_v<T>) {
        T v;
        std::memcpy(&v, other, sizeof v);
        const auto x = static_cast<double>(fn::load(v));
        const double y = &row_ == &op::logaddexp ? std::log1p(-std::exp(x))
                                                 : std::log2(-std::expm1(x * std::log(2.0)));
        const T related = fn::cast<T>(pick % 8 == 0 ? 0.0 : y);
        if (pick % 2 == 0 && (x < 0 || pick % 8 == 0)) std::memcpy(at, &related, sizeof related);
      }
    });
  }

  template <class T>
  void related(char* at, std::uint64_t pick) {
    using U = typename Bits<T>::type;
    T v;
    std::memcpy(&v, at, sizeof v);
    const std::uint64_t factor = 1 + (rng_() >> (40 + pick % 24));  // up to 2^24
    if constexpr (fn::is_int_v<T>) {
      v = static_cast<T>(static_cast<std::uint64_t>(v) * (pick / 32 % 2 == 0 ? factor : 1));
    } else {
      const auto x = static_cast<double>(fn::load(v));
      const auto by = static_cast<double>(factor);
      v = fn::cast<T>(pick / 32 % 4 == 0 ? -x : (pick / 32 % 4 == 1 ? x * by : x / by));
    }
    // ... and up to two places beside.
    const auto u = static_cast<U>(std::bit_cast<U>(v) + static_cast<U>(pick / 128 % 5) - U(2));
    std::memcpy(at, &u, sizeof u);
  }

  double number() {
    const bool given = row_.lo < row_.hi;
    return std::uniform_real_distribution<double>(given ? row_.lo : -3, given ? row_.hi : 3)(rng_);
  }
  template <class T>
  void in_domain(char* at) {
    T v{};
    if constexpr (fn::is_complex_v<T>)
      v = T{static_cast<fn::real_t<T>>(number()), static_cast<fn::real_t<T>>(number())};
    else
      v = fn::cast<T>(number());
    std::memcpy(at, &v, sizeof v);
  }

  std::mt19937_64 rng_;
  const OpRow& row_;
};

}  // namespace

Inputs make_inputs(const KernelCase& c, std::int64_t random, std::uint64_t seed) {
  Inputs in;
  std::size_t crossings = 1;
  std::vector<const Values*> values;
  for (int k = 1; k <= c.arity; ++k) {
    values.push_back(&specials(c.storage[k], crossed(c.arity)));
    crossings *= values.back()->count();
  }
  in.count = static_cast<std::int64_t>(crossings) + random;
  Random rng(*c.row, seed);
  std::size_t period = 1;
  for (int k = 1; k <= c.arity; ++k) {
    const Values& v = *values[static_cast<std::size_t>(k) - 1];
    auto& bytes = in.elements.emplace_back(static_cast<std::size_t>(in.count) * v.size);
    for (std::size_t i = 0; i < crossings; ++i)
      std::memcpy(bytes.data() + i * v.size, v.at(i / period % v.count()), v.size);
    for (std::size_t i = crossings; i < static_cast<std::size_t>(in.count); ++i) {
      rng.element(bytes.data() + i * v.size, c.storage[k]);
      if (k > 1 && c.storage[k] == c.storage[k - 1]) {
        const auto& other = in.elements[static_cast<std::size_t>(k) - 2];
        rng.relate(bytes.data() + i * v.size, other.data() + i * v.size, c.storage[k]);
      }
    }
    period *= v.count();
  }
  return in;
}

}  // namespace tandem::ptx
