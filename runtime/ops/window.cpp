// Window functions, made of elementwise ops in float64.
#include "tandem/window.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/movement.h"
#include "runtime/ops/window.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

/// What every window is asked for. `points` is the length of the symmetric window whose first n
/// elements are wanted.
struct Request {
  const OpRow& row;
  std::int64_t n;
  bool sym;
  const Options& options;
  std::int64_t points() const { return sym ? n : n + 1; }
  /// The place of the last point, counted from 0.
  double last() const { return static_cast<double>(points() - 1); }
};

void check_number(const Request& r, const char* argument, double x) {
  TANDEM_EXPECTS(
      std::isfinite(x), ValueError,
      fmt::format("[{}] argument '{}': expected a finite number, got {}", r.row.name, argument, x));
}

void check_positive(const Request& r, const char* argument, double x) {
  check_number(r, argument, x);
  TANDEM_EXPECTS(x > 0, ValueError,
                 fmt::format("[{}] argument '{}': expected a number above 0, got {}", r.row.name,
                             argument, x));
}

/// The options with everything checked and filled in.
Options checked(const Request& r) {
  const char* argument = r.row.name[0] == 's' ? "M" : "window_length";
  TANDEM_EXPECTS(
      r.n >= 0 && r.n < INT64_MAX, ValueError,
      fmt::format("[{}] argument '{}': expected a length >= 0, got {}", r.row.name, argument, r.n));
  Options o = r.options;
  o.dtype = o.dtype.value_or(default_dtype());
  TANDEM_EXPECTS(category(*o.dtype) == Category::Float, TypeError,
                 fmt::format("[{}] argument 'dtype': expected a float dtype, got {}", r.row.name,
                             name(*o.dtype)));
  (void)detail::checked_numel(Dims{r.n}, element_size(DType::float64), r.row.name);
  o.names = detail::checked_names(o.names, 1, r.row.name);
  return o;
}

Tensor rounded(const Tensor& w, const Options& o) {
  Tensor out = w.to(*o.dtype);
  return o.names.empty() ? out : out.rename_(o.names);
}

/// Places first, first + 1, ... of so many elements.
Tensor places(double first, std::int64_t n, const Options& o) {
  const Options wide{.dtype = DType::float64, .device = o.device, .names = {}};
  return arange(first, first + static_cast<double>(n), 1.0, wide);
}

/// A window whose element i is value(i) up to the middle and mirrored from there.
template <class F>
Tensor mirrored(const Request& r, F&& value) {
  const Options o = checked(r);
  if (r.n <= 1) return ones({r.n}, o);
  const std::int64_t half = (r.points() + 1) / 2;
  const Tensor left = value(places(0, half, o));
  const Tensor right = left.narrow(0, r.points() - r.n, r.n - half);
  return rounded(cat({left, flip(right)}), o);
}

/// Sums from the left, each product and sum rounded.
Tensor cosines(const Request& r, std::span<const double> a) {
  for (const double x : a) check_number(r, "a", x);
  return mirrored(r, [&](const Tensor& i) {
    const Tensor turn = mul(i, 2 * std::numbers::pi / r.last());
    Tensor sum = full_like(i, a[0]);
    for (std::size_t k = 1; k < a.size(); ++k) {
      const Tensor wave = cos(k == 1 ? turn : mul(turn, static_cast<double>(k)));
      sum = add(sum, mul(wave, k % 2 == 1 ? -a[k] : a[k]));
    }
    return sum;
  });
}

Tensor hamming_of(const Request& r, double alpha, double beta) {
  check_number(r, "alpha", alpha);
  check_number(r, "beta", beta);
  const double a[] = {alpha, beta};
  return cosines(r, a);
}

Tensor hann_of(const Request& r) { return hamming_of(r, 0.5, 0.5); }

Tensor blackman_of(const Request& r) {
  const double a[] = {0.42, 0.5, 0.08};
  return cosines(r, a);
}

Tensor bartlett_of(const Request& r) {
  return mirrored(r, [&](const Tensor& i) { return div(mul(i, 2.0), r.last()); });
}

/// 1 - r^2 is the product i (last - i) * 4 / last^2: nothing is lost near the ends.
Tensor kaiser_of(const Request& r, double beta) {
  check_number(r, "beta", beta);
  TANDEM_EXPECTS(std::abs(beta) <= 700, ValueError,
                 fmt::format("[{}] argument 'beta': expected a number from -700 to 700, got {}",
                             r.row.name, beta));
  return mirrored(r, [&](const Tensor& i) {
    const Tensor across = mul(i, add(neg(i), r.last()));
    const Tensor x = mul(sqrt(across), 2 * std::abs(beta) / r.last());
    const Tensor top = full({1}, std::abs(beta), {.dtype = DType::float64, .device = i.device()});
    return div(i0(x), i0(top));
  });
}

}  // namespace

Tensor bartlett_window(std::int64_t n, bool periodic, const Options& options) {
  return bartlett_of({op::bartlett_window, n, !periodic, options});
}
Tensor blackman_window(std::int64_t n, bool periodic, const Options& options) {
  return blackman_of({op::blackman_window, n, !periodic, options});
}
Tensor hamming_window(std::int64_t n, bool periodic, double alpha, double beta,
                      const Options& options) {
  return hamming_of({op::hamming_window, n, !periodic, options}, alpha, beta);
}
Tensor hann_window(std::int64_t n, bool periodic, const Options& options) {
  return hann_of({op::hann_window, n, !periodic, options});
}
Tensor kaiser_window(std::int64_t n, bool periodic, double beta, const Options& options) {
  return kaiser_of({op::kaiser_window, n, !periodic, options}, beta);
}

namespace signal::windows {

Tensor bartlett(std::int64_t n, bool sym, const Options& options) {
  return bartlett_of({op::signal_windows_bartlett, n, sym, options});
}
Tensor blackman(std::int64_t n, bool sym, const Options& options) {
  return blackman_of({op::signal_windows_blackman, n, sym, options});
}
Tensor cosine(std::int64_t n, bool sym, const Options& options) {
  const Request r{op::signal_windows_cosine, n, sym, options};
  return mirrored(r, [&](const Tensor& i) {
    return sin(mul(add(i, 0.5), std::numbers::pi / static_cast<double>(r.points())));
  });
}
Tensor exponential(std::int64_t n, std::optional<double> center, double tau, bool sym,
                   const Options& options) {
  const Request r{op::signal_windows_exponential, n, sym, options};
  check_positive(r, "tau", tau);
  TANDEM_EXPECTS(!sym || !center, ValueError,
                 "[signal_windows_exponential] argument 'center': expected none with sym=True");
  const auto value = [&](const Tensor& i) { return exp(div(abs(i), -tau)); };
  if (!center) {
    return mirrored(r, [&](const Tensor& i) { return value(sub(i, r.last() / 2)); });
  }
  check_number(r, "center", *center);
  const Options o = checked(r);
  if (n <= 1) return ones({n}, o);
  return rounded(value(sub(places(0, n, o), *center)), o);
}
Tensor gaussian(std::int64_t n, double std, bool sym, const Options& options) {
  const Request r{op::signal_windows_gaussian, n, sym, options};
  check_positive(r, "std", std);
  return mirrored(
      r, [&](const Tensor& i) { return exp(mul(square(div(sub(i, r.last() / 2), std)), -0.5)); });
}
Tensor general_cosine(std::int64_t n, std::span<const double> a, bool sym, const Options& options) {
  TANDEM_EXPECTS(!a.empty(), ValueError,
                 "[signal_windows_general_cosine] argument 'a': expected one or more numbers");
  return cosines({op::signal_windows_general_cosine, n, sym, options}, a);
}
Tensor general_hamming(std::int64_t n, double alpha, bool sym, const Options& options) {
  return hamming_of({op::signal_windows_general_hamming, n, sym, options}, alpha, 1 - alpha);
}
Tensor hamming(std::int64_t n, bool sym, const Options& options) {
  return hamming_of({op::signal_windows_hamming, n, sym, options}, 0.54, 0.46);
}
Tensor hann(std::int64_t n, bool sym, const Options& options) {
  return hann_of({op::signal_windows_hann, n, sym, options});
}
Tensor kaiser(std::int64_t n, double beta, bool sym, const Options& options) {
  return kaiser_of({op::signal_windows_kaiser, n, sym, options}, beta);
}
Tensor nuttall(std::int64_t n, bool sym, const Options& options) {
  const double a[] = {0.3635819, 0.4891775, 0.1365995, 0.0106411};
  return cosines({op::signal_windows_nuttall, n, sym, options}, a);
}

}  // namespace signal::windows

// ---- boxed forms
// ---------------------------------------------------------------------------------------
namespace ops {

#define TANDEM_CREATES MaybeDType dtype, MaybeDevice device, MaybeNames names
#define TANDEM_OPTIONS options_of(dtype, device, names)
#define TANDEM_PLAIN_WINDOW(name)                                          \
  Tensor name##_window(std::int64_t n, bool periodic, TANDEM_CREATES) {    \
    return tandem::name##_window(n, periodic, TANDEM_OPTIONS);             \
  }                                                                        \
  Tensor signal_windows_##name(std::int64_t n, bool sym, TANDEM_CREATES) { \
    return signal::windows::name(n, sym, TANDEM_OPTIONS);                  \
  }
TANDEM_PLAIN_WINDOW(bartlett)
TANDEM_PLAIN_WINDOW(blackman)
TANDEM_PLAIN_WINDOW(hann)

Tensor hamming_window(std::int64_t n, bool periodic, double alpha, double beta, TANDEM_CREATES) {
  return tandem::hamming_window(n, periodic, alpha, beta, TANDEM_OPTIONS);
}
Tensor kaiser_window(std::int64_t n, bool periodic, double beta, TANDEM_CREATES) {
  return tandem::kaiser_window(n, periodic, beta, TANDEM_OPTIONS);
}
Tensor signal_windows_cosine(std::int64_t n, bool sym, TANDEM_CREATES) {
  return signal::windows::cosine(n, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_exponential(std::int64_t n, std::optional<double> center, double tau,
                                  bool sym, TANDEM_CREATES) {
  return signal::windows::exponential(n, center, tau, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_gaussian(std::int64_t n, double std, bool sym, TANDEM_CREATES) {
  return signal::windows::gaussian(n, std, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_general_cosine(std::int64_t n, const Value& a, bool sym, TANDEM_CREATES) {
  std::vector<double> weights;
  if (a.is<Scalar>()) {
    weights.push_back(a.as<Scalar>().to_double());
  } else if (a.is<Dims>()) {
    for (const std::int64_t x : a.as<Dims>()) weights.push_back(static_cast<double>(x));
  } else {  // a list of floats
    TANDEM_EXPECTS(a.is<Tensor>() && a.as<Tensor>().device().is_cpu() && a.as<Tensor>().dim() == 1,
                   TypeError, "[signal_windows_general_cosine] argument 'a': expected numbers");
    const Tensor dense = a.as<Tensor>().to(DType::float64).contiguous();
    weights.assign(dense.data<double>(), dense.data<double>() + dense.numel());
  }
  return signal::windows::general_cosine(n, weights, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_general_hamming(std::int64_t n, double alpha, bool sym, TANDEM_CREATES) {
  return signal::windows::general_hamming(n, alpha, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_hamming(std::int64_t n, bool sym, TANDEM_CREATES) {
  return signal::windows::hamming(n, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_kaiser(std::int64_t n, double beta, bool sym, TANDEM_CREATES) {
  return signal::windows::kaiser(n, beta, sym, TANDEM_OPTIONS);
}
Tensor signal_windows_nuttall(std::int64_t n, bool sym, TANDEM_CREATES) {
  return signal::windows::nuttall(n, sym, TANDEM_OPTIONS);
}

}  // namespace ops

}  // namespace tandem
