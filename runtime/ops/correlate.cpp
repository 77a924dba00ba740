// Convolution and correlation by sums of products, or by transforms where these are faster.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/contract.h"
#include "runtime/ops/convolve.h"
#include "runtime/tensor/names.h"
#include "tandem/fft.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/signal.h"

namespace tandem::signal {

namespace {

enum class Method { Auto, Direct, Fft };

/// A call with everything checked. Convolution commutes: `b` has the fewer elements. Elements
/// start to start + size of the full convolution are wanted.
struct Call {
  const OpRow& row;
  DType dtype;
  Tensor a, b;  // unnamed
  Dims start, size;
  Names names;
  bool swapped;  // b is in1
};

Method method_of(const OpRow& row, const std::string& method) {
  if (method == "auto") return Method::Auto;
  if (method == "direct") return Method::Direct;
  if (method == "fft") return Method::Fft;
  detail::fail<ValueError>(fmt::format(
      "[{}] argument 'method': expected 'auto', 'direct' or 'fft', got '{}'", row.name, method));
}

/// What the mode wants along one axis.
void add_axis(Call& c, Mode mode, std::int64_t n1, std::int64_t n2) {
  const std::int64_t full = n1 == 0 || n2 == 0 ? 0 : n1 + n2 - 1;
  std::int64_t size = full;
  if (mode == Mode::Same) size = std::min(full, n1);
  if (mode == Mode::Valid) size = full == 0 ? 0 : std::max(n1, n2) - std::min(n1, n2) + 1;
  c.start.push_back((full - size) / 2);
  c.size.push_back(size);
}

Call call_of(const OpRow& row, const Tensor& in1, const Tensor& in2, const std::string& word) {
  TANDEM_EXPECTS(in1.dim() == in2.dim(), ShapeError,
                 fmt::format("[{}] expected inputs with as many dimensions as each other, got {} "
                             "and {}",
                             row.name, in1.dim(), in2.dim()));
  const Mode mode = mode_of(row, word);
  Call c{row, result_type(in1, in2), in1, in2, {}, {}, {}, in2.numel() > in1.numel()};
  const auto rank = static_cast<std::size_t>(in1.dim());
  c.names = detail::unify_names(in1.body_ptr()->names, rank, in2.body_ptr()->names, rank, row.name);
  const Tensor* both[] = {&in1, &in2};
  (void)detail::common_device(row, both);
  bool first = true, second = true;
  for (std::size_t d = 0; d < rank; ++d) {
    first = first && in1.shape()[d] >= in2.shape()[d];
    second = second && in2.shape()[d] >= in1.shape()[d];
    add_axis(c, mode, in1.shape()[d], in2.shape()[d]);
  }
  TANDEM_EXPECTS(mode != Mode::Valid || first || second, ShapeError,
                 fmt::format("[{}] argument 'mode': expected one input to be as long as the other "
                             "along every axis for 'valid', got shapes [{}] and [{}]",
                             row.name, fmt::join(in1.shape(), ", "), fmt::join(in2.shape(), ", ")));
  for (Tensor* t : {&c.a, &c.b}) {
    if (t->has_names()) *t = t->rename(std::nullopt);
  }
  if (c.swapped) std::swap(c.a, c.b);
  return c;
}

bool is_empty(const Call& c) { return c.a.numel() == 0 || c.b.numel() == 0; }

/// Dimensions of the view of windows: those of the result, and again those along which b has more
/// than one element.
std::int64_t window_rank(const Call& c) {
  const IntSpan shape = c.b.shape();
  return c.b.dim() + std::count_if(shape.begin(), shape.end(), [](auto n) { return n != 1; });
}

// ---- directly

/// The part of `a` that the wanted elements need, with zeros where it reaches beyond an end; a view
/// where it does not.
Tensor needed_part(const Call& c, Tensor a) {
  const auto rank = static_cast<std::size_t>(a.dim());
  Dims border(2 * rank, 0);
  bool grows = false;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t n = a.shape()[d];
    const std::int64_t first = c.start[d] - (c.b.shape()[d] - 1);
    const std::int64_t end = c.start[d] + c.size[d];
    const std::int64_t from = std::max<std::int64_t>(first, 0);
    a = a.narrow(static_cast<std::int64_t>(d), from, std::min(end, n) - from);
    border[2 * (rank - 1 - d)] = from - first;
    border[2 * (rank - 1 - d) + 1] = std::max<std::int64_t>(end - n, 0);
    grows = grows || first < 0 || end > n;
  }
  return grows ? pad(a, border) : a;
}

/// Each element is the sum over a window of `a`, a view whose strides occur twice, times `b`
/// backwards.
Tensor direct(const Call& c) {
  TANDEM_EXPECTS(window_rank(c) <= kMaxRank, ShapeError,
                 fmt::format("[{}] expected at most {} dimensions, those of windows counted twice, "
                             "got {}; transforms take more",
                             c.row.name, kMaxRank, window_rank(c)));
  // A sum of bool does not exist, and counts do not wrap around to 0.
  const DType dtype = c.dtype == DType::bool_ ? DType::int64 : c.dtype;
  const Tensor a = needed_part(c, c.a.to(dtype));
  const Tensor b = flip(c.b.to(dtype));
  Dims shape(c.size), a_strides(a.strides());
  Dims b_strides(c.size.size(), 0);
  for (std::size_t d = 0; d < c.size.size(); ++d) {
    if (b.shape()[d] == 1) continue;
    shape.push_back(b.shape()[d]);
    a_strides.push_back(a.strides()[d]);
    b_strides.push_back(b.strides()[d]);
  }
  const Tensor out = detail::product_sum(c.row, a.as_strided(shape, a_strides, a.storage_offset()),
                                         b.as_strided(shape, b_strides, b.storage_offset()),
                                         static_cast<std::int64_t>(c.size.size()));
  return c.dtype == DType::bool_ ? out.to(DType::bool_) : out;
}

// ---- by transforms

/// The greatest magnitude in an integer or bool tensor: that of the dtype, or on the CPU, if
/// `look`, that of the elements.
double magnitude(const Tensor& x, bool look) {
  if (x.dtype() == DType::bool_) return 1;
  if (!look || !x.device().is_cpu()) return std::ldexp(1.0, info(x.dtype()).bits);
  return std::max(std::abs(x.amax().item().to_double()), std::abs(x.amin().item().to_double()));
}

/// Whether rounding what the transforms give makes no error. Those of a and b and that of their
/// product each err by at most 5 eps for each level of their lengths, relative to the product of
/// the inputs' norms (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 24.1).
bool rounds_exactly(const Call& c) {
  double levels = 0;
  for (std::size_t d = 0; d < c.size.size(); ++d) {
    const std::int64_t n = c.a.shape()[d] + c.b.shape()[d] - 1;
    if (n > 1) levels += std::log2(static_cast<double>(n)) + 4;
  }
  const double elements =
      std::sqrt(static_cast<double>(c.a.numel())) * std::sqrt(static_cast<double>(c.b.numel()));
  const double each = 15 * std::ldexp(1.0, -52) * levels * elements;
  const auto fits = [&](bool look) {
    return each * magnitude(c.a, look) * magnitude(c.b, look) < 0.25;
  };
  return fits(false) || fits(true);
}

/// Whether transforms take less time. In units of a sum's product: what a level of three
/// transforms, each with its product, costs an element, and what a call does at all.
bool fft_is_faster(const Call& c) {
  constexpr double kLevel = 2.5, kCall = 25000;
  double wanted = 1, length = 1, levels = 0;
  for (std::size_t d = 0; d < c.size.size(); ++d) {
    const std::int64_t full = c.a.shape()[d] + c.b.shape()[d] - 1;
    wanted *= static_cast<double>(c.size[d]);
    length *= static_cast<double>(full);
    levels += std::log2(static_cast<double>(full));
  }
  return wanted * static_cast<double>(c.b.numel()) > kCall + kLevel * length * levels;
}

bool uses_fft(const Call& c, Method method) {
  if (method == Method::Direct || is_empty(c) || c.b.numel() == 1) return false;
  const bool both = window_rank(c) <= kMaxRank;
  if (method == Method::Auto && both && !fft_is_faster(c)) return false;
  return category(c.dtype) >= Category::Float || rounds_exactly(c);
}

Tensor by_fft(const Call& c) {
  Tensor out = oaconvolve(c.a, c.b);
  for (std::size_t d = 0; d < c.size.size(); ++d) {
    out = out.narrow(static_cast<std::int64_t>(d), c.start[d], c.size[d]);
  }
  if (category(c.dtype) >= Category::Float) return out.to(c.dtype).contiguous();
  // By way of int64: what a conversion of an integer does not hold wraps around.
  return round(out).to(DType::int64).to(c.dtype);
}

Tensor run(const Call& c, Method method) {
  Tensor out;
  if (is_empty(c)) {
    out = zeros(c.size, {.dtype = c.dtype, .device = c.a.device()});
  } else {
    out = uses_fft(c, method) ? by_fft(c) : direct(c);
  }
  out.body_ptr()->names = c.names;
  return out;
}

}  // namespace

Tensor convolve(const Tensor& in1, const Tensor& in2, const std::string& mode,
                const std::string& method) {
  const OpRow& row = op::signal_convolve;
  const trace::OpScope scope(row.name);
  return run(call_of(row, in1, in2, mode), method_of(row, method));
}

Tensor correlate(const Tensor& in1, const Tensor& in2, const std::string& mode,
                 const std::string& method) {
  const OpRow& row = op::signal_correlate;
  const trace::OpScope scope(row.name);
  Call c = call_of(row, in1, flip(in2), mode);
  const Method by = method_of(row, method);
  Tensor& second = c.swapped ? c.a : c.b;
  if (is_complex(second.dtype())) second = conj(second);
  return run(c, by);
}

Tensor correlation_lags(std::int64_t in1_len, std::int64_t in2_len, const std::string& mode,
                        std::optional<Device> device) {
  const OpRow& row = op::signal_correlation_lags;
  const trace::OpScope scope(row.name);
  TANDEM_EXPECTS(in1_len > 0 && in2_len > 0, ShapeError,
                 fmt::format("[{}] arguments 'in1_len' and 'in2_len': expected lengths above 0, "
                             "got {} and {}",
                             row.name, in1_len, in2_len));
  Call c{row, DType::int64, {}, {}, {}, {}, {}, false};
  add_axis(c, mode_of(row, mode), in1_len, in2_len);
  const std::int64_t first = c.start[0] - (in2_len - 1);
  return arange(first, first + c.size[0], 1,
                {.dtype = DType::int64, .device = device.value_or(kCPU)});
}

std::string choose_conv_method(const Tensor& in1, const Tensor& in2, const std::string& mode) {
  return uses_fft(call_of(op::signal_convolve, in1, in2, mode), Method::Auto) ? "fft" : "direct";
}

}  // namespace tandem::signal
