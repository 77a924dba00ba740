// How far a vendor's product of floats may be from the exact one: libraries sum in orders of their
// own, and what a chain of products leaves may have cancelled. So errors are held against the
// product of the absolute values, not against the result.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/call_data.h"
#include "tests/support/calls_linalg.h"

namespace tandem::test {

/// The call in double, of the arguments or of their absolute values.
inline Args in_double(const Args& args, bool absolute) {
  const auto one = [&](const Tensor& x) {
    if (!x.defined() || x.dtype() == DType::bool_) return x;
    const Tensor y = absolute ? abs(x) : x;
    switch (category(x.dtype())) {
      case Category::Complex:
        return y.to(DType::complex128);
      case Category::Float:
        return y.to(DType::float64);
      default:
        return y;
    }
  };
  Args list;
  for (const Value& v : args) {
    if (v.is<Tensor>()) {
      list.emplace_back(one(v.as<Tensor>()));
    } else if (v.is<std::vector<Tensor>>()) {
      std::vector<Tensor> tensors;
      for (const Tensor& x : v.as<std::vector<Tensor>>()) tensors.push_back(one(x));
      list.emplace_back(tensors);
    } else if (absolute && v.is<Scalar>()) {
      const auto& number = v.as<Scalar>();
      const auto z = number.to<Complex128>();
      list.emplace_back(number.is_integral() ? Scalar(std::abs(number.to_int()))
                                             : Scalar(std::hypot(z.re, z.im)));
    } else {
      list.push_back(v);
    }
  }
  return list;
}

/// No fewer than the terms that the sums of the call have together.
inline double terms_of(const Args& args) {
  std::int64_t n = 2;
  const auto add = [&](const Tensor& x) {
    if (!x.defined()) return;
    for (const std::int64_t size : x.shape()) n += size;
  };
  for (const Value& v : args) {
    if (v.is<Tensor>()) add(v.as<Tensor>());
    if (!v.is<std::vector<Tensor>>()) continue;
    for (const Tensor& x : v.as<std::vector<Tensor>>()) add(x);
  }
  return static_cast<double>(n);
}

/// Rows that take differences before they multiply: their absolute values bound nothing.
inline bool is_plain_product(const OpRow& row) {
  return (row.flags & kVendor) != 0 && &row != &op::cov && &row != &op::corrcoef &&
         !is_factorisation(row);
}

/// What is wrong with a product; empty where it is within n * eps * |A| |B| ... of the exact one in
/// each element (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., (3.13)).
/// Half types are summed in float, and rounded to their own digits once a product.
inline std::string product_error(const OpRow& row, const Args& args, const Tensor& got) {
  const Tensor exact = call_boxed(row, in_double(args, false))[0].as<Tensor>().contiguous();
  const Tensor size = real(call_boxed(row, in_double(args, true))[0].as<Tensor>()).contiguous();
  const Tensor error = abs(sub(got.cpu().to(exact.dtype()), exact)).contiguous();
  const bool half = is_half(got.dtype());
  const double complex = category(got.dtype()) == Category::Complex ? 4 : 1;
  const auto eps = [](DType t) { return std::ldexp(1.0, 1 - info(t).bits); };
  const double summed = eps(half ? DType::float32 : got.dtype());
  const double roundings = half ? eps(got.dtype()) * static_cast<double>(args.size() + 4) : 0;
  const double relative = complex * terms_of(args) * summed + roundings;
  for (std::int64_t i = 0; i < error.numel(); ++i) {
    const double e = error.data<double>()[i];
    const double most = relative * size.data<double>()[i];
    if (e <= most || !std::isfinite(most)) continue;
    return "element " + std::to_string(i) + " of " + std::to_string(error.numel()) + " is " +
           std::to_string(e) + " from the exact one, expected at most " + std::to_string(most);
  }
  return {};
}

}  // namespace tandem::test
