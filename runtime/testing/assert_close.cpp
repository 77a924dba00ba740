// assert_close: element by element on the host, in long double (which holds every element of every
// dtype exactly); the message.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tandem/ops.h"
#include "tandem/stored.h"
#include "tandem/testing.h"

namespace tandem::testing {
namespace {

using Real = long double;

struct Number {
  Real re = 0, im = 0;
};

struct Tolerance {
  Real rtol, atol;
};

/// PyTorch's by dtype: by the bits of the significand here.
Tolerance tolerance_of(DType t) {
  if (category(t) < Category::Float) return {0, 0};
  const int bits = info(t).bits;
  if (bits >= 53) return {1e-7L, 1e-7L};
  if (bits >= 24) return {1.3e-6L, 1e-5L};
  if (bits >= 11) return {1e-3L, 1e-5L};
  if (bits >= 8) return {1.6e-2L, 1e-5L};
  return {std::ldexp(Real(1), -bits), 1e-5L};  // half a place
}

Tolerance tolerance(const Closeness& how, DType actual, DType expected) {
  TANDEM_EXPECTS(how.rtol.has_value() == how.atol.has_value(), ValueError,
                 std::string("[assert_close] expected both rtol and atol or neither, got ") +
                     (how.rtol ? "rtol" : "atol") + " alone");
  if (how.rtol) {
    TANDEM_EXPECTS(*how.rtol >= 0 && *how.atol >= 0, ValueError,
                   fmt::format("[assert_close] expected rtol and atol not below 0, got {} and {}",
                               *how.rtol, *how.atol));
    return {*how.rtol, *how.atol};
  }
  const Tolerance a = tolerance_of(actual);
  const Tolerance b = tolerance_of(expected);
  return {std::max(a.rtol, b.rtol), std::max(a.atol, b.atol)};
}

Number element(const Tensor& t, std::int64_t i) {
  return visit(t.dtype(), [&]<class T>() -> Number {
    const T v = fn::element_at(static_cast<const T*>(t.data_ptr()) + i);
    if constexpr (fn::is_complex_v<T>) {
      return {v.re, v.im};
    } else if constexpr (fn::is_half_v<T>) {
      return {fn::widen(v), 0};
    } else {
      return {static_cast<Real>(v), 0};
    }
  });
}

bool is_nan(const Number& x) { return std::isnan(x.re) || std::isnan(x.im); }
bool is_finite(const Number& x) { return std::isfinite(x.re) && std::isfinite(x.im); }

/// Two elements that are not close.
struct Pair {
  std::int64_t at = 0;
  Number actual, expected;
  Real difference = 0, relative = 0, badness = 0;
};

/// Whether the pair is close; fills in how far it is not.
bool close(Pair& p, const Tolerance& tol, bool equal_nan) {
  if (is_nan(p.actual) || is_nan(p.expected)) {
    if (equal_nan && is_nan(p.actual) && is_nan(p.expected)) return true;
    p.difference = p.relative = std::numeric_limits<Real>::quiet_NaN();
    p.badness = HUGE_VALL;
    return false;
  }
  if (p.actual.re == p.expected.re && p.actual.im == p.expected.im) return true;
  p.difference = std::hypot(p.actual.re - p.expected.re, p.actual.im - p.expected.im);
  const Real size = std::hypot(p.expected.re, p.expected.im);
  p.relative = std::isinf(size) ? HUGE_VALL : p.difference / size;
  const Real allowed = tol.atol + tol.rtol * size;
  p.badness = is_finite(p.actual) && is_finite(p.expected) ? p.difference / allowed : HUGE_VALL;
  return is_finite(p.actual) && is_finite(p.expected) && p.difference <= allowed;
}

/// What a comparison found.
struct Findings {
  static constexpr std::size_t kShown = 5;
  std::int64_t wrong = 0;
  Pair absolute, relative;    // the greatest
  std::vector<Pair> worst{};  // at most kShown, the worst first

  void add(const Pair& p) {
    // NaN is beyond every difference; the first of equals stays.
    const auto beyond = [](Real a, Real b) { return std::isnan(a) ? !std::isnan(b) : a > b; };
    if (wrong == 0 || beyond(p.difference, absolute.difference)) absolute = p;
    if (wrong == 0 || beyond(p.relative, relative.relative)) relative = p;
    ++wrong;
    if (worst.size() == kShown && !(p.badness > worst.back().badness)) return;
    const auto place = std::find_if(worst.begin(), worst.end(),
                                    [&](const Pair& q) { return p.badness > q.badness; });
    worst.insert(place, p);
    if (worst.size() > kShown) worst.pop_back();
  }
};

/// "(1, 2)" of an element's number in row-major order.
std::string index_text(std::int64_t at, IntSpan shape) {
  std::string s;
  for (std::size_t d = shape.size(); d-- > 0;) {
    s.insert(0, std::to_string(at % shape[d]) + (s.empty() ? "" : ", "));
    at /= shape[d];
  }
  return "(" + s + (shape.size() == 1 ? ",)" : ")");
}

std::string text(const Number& x, DType t) {
  if (is_complex(t)) return fmt::format("{:.9g}{:+.9g}j", x.re, x.im);
  if (t == DType::bool_) return x.re != 0 ? "True" : "False";
  if (is_integer(t)) return fmt::format("{:.0f}", x.re);
  return fmt::format("{:.{}g}", x.re, info(t).bits > 24 ? 17 : 9);
}

std::string amount(Real x) { return fmt::format("{:.9g}", x); }

std::string allowed(Real x) {
  return x == 0 ? std::string() : fmt::format(" (up to {:g} allowed)", x);
}

std::string attribute(const char* name, const std::string& actual, const std::string& expected) {
  return fmt::format("The values for attribute '{}' do not match: {} != {}.", name, actual,
                     expected);
}

std::string text(IntSpan sizes) {
  std::string s;
  for (const std::int64_t n : sizes) s += (s.empty() ? "" : ", ") + std::to_string(n);
  return "[" + s + "]";
}

bool equal(IntSpan a, IntSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

/// Empty where the attributes that count are equal.
std::string attributes(const Tensor& a, const Tensor& b, const Closeness& how) {
  if (!equal(a.shape(), b.shape())) return attribute("shape", text(a.shape()), text(b.shape()));
  if (how.check_device && a.device() != b.device())
    return attribute("device", a.device().str(), b.device().str());
  if (how.check_dtype && a.dtype() != b.dtype())
    return attribute("dtype", std::string(name(a.dtype())), std::string(name(b.dtype())));
  if (how.check_stride && !equal(a.strides(), b.strides()))
    return attribute("stride()", text(a.strides()), text(b.strides()));
  return {};
}

std::string table(const Findings& found, IntSpan shape, DType actual, DType expected) {
  std::vector<std::array<std::string, 5>> rows = {
      {"index", "actual", "expected", "difference", "relative"}};
  for (const Pair& p : found.worst) {
    rows.push_back({index_text(p.at, shape), text(p.actual, actual), text(p.expected, expected),
                    amount(p.difference), amount(p.relative)});
  }
  std::string s = "\nWorst elements:";
  for (const auto& row : rows) {
    s += "\n ";
    for (std::size_t k = 0; k < row.size(); ++k) {
      std::size_t width = 0;
      for (const auto& r : rows) width = std::max(width, r[k].size());
      s += fmt::format(" {:>{}}", row[k], width);
    }
  }
  return s;
}

std::string report(const Findings& found, const Tensor& actual, const Tensor& expected,
                   const Tolerance& tol) {
  const std::int64_t n = actual.numel();
  std::string s =
      tol.rtol == 0 && tol.atol == 0 ? "Tensors are not equal!" : "Tensors are not close!";
  s += fmt::format("\n\nMismatched elements: {} / {} ({:.1f}%)", found.wrong, n,
                   100.0 * static_cast<double>(found.wrong) / static_cast<double>(n));
  s += fmt::format("\nGreatest absolute difference: {} at index {}{}",
                   amount(found.absolute.difference), index_text(found.absolute.at, actual.shape()),
                   allowed(tol.atol));
  s += fmt::format("\nGreatest relative difference: {} at index {}{}",
                   amount(found.relative.relative), index_text(found.relative.at, actual.shape()),
                   allowed(tol.rtol));
  return s + table(found, actual.shape(), actual.dtype(), expected.dtype());
}

void raise(const std::string& found, const std::string& where, const Closeness& how) {
  if (found.empty()) return;
  throw AssertionError(!how.msg.empty() ? how.msg
                       : where.empty()  ? found
                                        : found + "\n\nThe failure occurred for item " + where);
}

}  // namespace

std::string mismatch(const Tensor& actual, const Tensor& expected, const Closeness& how) {
  const Tolerance tol = tolerance(how, actual.dtype(), expected.dtype());
  std::string other = attributes(actual, expected, how);
  if (!other.empty() || actual.is_meta() || expected.is_meta()) return other;
  const Tensor a = actual.cpu().contiguous();
  const Tensor b = expected.cpu().contiguous();
  Findings found;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    Pair p{.at = i, .actual = element(a, i), .expected = element(b, i)};
    if (!close(p, tol, how.equal_nan)) found.add(p);
  }
  return found.wrong == 0 ? std::string() : report(found, actual, expected, tol);
}

std::string mismatch(const Scalar& actual, const Scalar& expected, const Closeness& how) {
  const auto dtype = [](const Scalar& s) {  // what holds the number as it is
    constexpr DType kHolds[] = {DType::bool_, DType::int64, DType::float64, DType::complex128};
    return kHolds[static_cast<int>(s.category())];
  };
  const Tolerance tol = tolerance(how, dtype(actual), dtype(expected));
  if (how.check_dtype && actual.category() != expected.category()) {
    constexpr const char* kNames[] = {"bool", "int", "float", "complex"};
    return fmt::format("The numbers' types do not match: {} != {}.",
                       kNames[static_cast<int>(actual.category())],
                       kNames[static_cast<int>(expected.category())]);
  }
  const auto number = [](const Scalar& s) -> Number {
    if (s.kind() == Scalar::Kind::UInt) return {static_cast<Real>(s.to<std::uint64_t>()), 0};
    if (s.is_integral()) return {static_cast<Real>(s.to_int()), 0};
    return {s.to_double(), s.to_complex().imag()};
  };
  Pair p{.actual = number(actual), .expected = number(expected)};
  if (close(p, tol, how.equal_nan)) return {};
  return fmt::format(
      "Scalars are not {}!\n\nExpected {} but got {}.\nAbsolute difference: {}{}\nRelative "
      "difference: {}{}",
      tol.rtol == 0 && tol.atol == 0 ? "equal" : "close", expected.str(), actual.str(),
      amount(p.difference), allowed(tol.atol), amount(p.relative), allowed(tol.rtol));
}

void assert_close(const Tensor& actual, const Tensor& expected, const Closeness& how) {
  raise(mismatch(actual, expected, how), "", how);
}

void assert_close(const Scalar& actual, const Scalar& expected, const Closeness& how) {
  raise(mismatch(actual, expected, how), "", how);
}

void assert_close(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected,
                  const Closeness& how) {
  if (actual.size() != expected.size()) {
    raise(fmt::format("The length of the sequences mismatch: {} != {}", actual.size(),
                      expected.size()),
          "", how);
  }
  for (std::size_t i = 0; i < actual.size(); ++i)
    raise(mismatch(actual[i], expected[i], how), fmt::format("[{}]", i), how);
}

void assert_close(const std::map<std::string, Tensor>& actual,
                  const std::map<std::string, Tensor>& expected, const Closeness& how) {
  std::string missing;
  std::string additional;
  for (const auto& [key, value] : expected)
    if (!actual.contains(key)) missing += " '" + key + "'";
  for (const auto& [key, value] : actual)
    if (!expected.contains(key)) additional += " '" + key + "'";
  if (!missing.empty() || !additional.empty()) {
    raise("The keys of the mappings do not match:" +
              (missing.empty() ? "" : "\nMissing keys in the actual mapping:" + missing) +
              (additional.empty() ? "" : "\nAdditional keys in the actual mapping:" + additional),
          "", how);
  }
  for (const auto& [key, value] : actual)
    raise(mismatch(value, expected.at(key), how), "['" + key + "']", how);
}

}  // namespace tandem::testing
