// Free functions: those of the op table in all their forms, and the irregular ones by hand.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tandem/out.h"
#include "tandem/tensor.h"
#include "tandem/threads.h"

namespace tandem {

// ---- from the table: f(x), and f_out(out, x), which resizes an empty out and casts to out's dtype
// ------
#define TANDEM_UNARY(name, ...)            \
  TANDEM_API Tensor name(const Tensor& x); \
  TANDEM_API Tensor& name##_out(Tensor& out, const Tensor& x);
#include "tandem/ops/unary.def"
#define TANDEM_BINARY(name, ...)                      \
  TANDEM_API Tensor name(const Arg& x, const Arg& y); \
  TANDEM_API Tensor& name##_out(Tensor& out, const Arg& x, const Arg& y);
#include "tandem/ops/binary.def"
#define TANDEM_TERNARY(name, ...)                                   \
  TANDEM_API Tensor name(const Arg& x, const Arg& y, const Arg& z); \
  TANDEM_API Tensor& name##_out(Tensor& out, const Arg& x, const Arg& y, const Arg& z);
#include "tandem/ops/ternary.def"
#define TANDEM_REDUCTION(name, ...)                                                    \
  TANDEM_API Tensor name(const Tensor& x, const Axes& axes = {}, bool keepdim = false, \
                         std::optional<DType> dtype = std::nullopt);                   \
  TANDEM_API Tensor& name##_out(Tensor& out, const Tensor& x, const Axes& axes = {},   \
                                bool keepdim = false, std::optional<DType> dtype = std::nullopt);
#include "tandem/ops/reduction.def"

/// x + alpha * y, the product rounded first.
TANDEM_API Tensor add(const Arg& x, const Arg& y, const Scalar& alpha);
/// x - alpha * y, the product rounded first.
TANDEM_API Tensor sub(const Arg& x, const Arg& y, const Scalar& alpha);
/// rounding_mode: "" (true division), "floor" or "trunc".
TANDEM_API Tensor div(const Arg& x, const Arg& y, const std::string& rounding_mode);
/// x + value * a * b
TANDEM_API Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Scalar& value);

// ---- reductions with a form of their own
// -----------------------------------------------------------
/// Values and first indices of the greatest elements along an axis.
TANDEM_API std::tuple<Tensor, Tensor> max(const Tensor& x, Axis axis, bool keepdim = false);
TANDEM_OUT_OF_TWO(max)
TANDEM_API std::tuple<Tensor, Tensor> min(const Tensor& x, Axis axis, bool keepdim = false);
TANDEM_OUT_OF_TWO(min)
/// The greatest element of all.
TANDEM_API Tensor max(const Tensor& x);
TANDEM_API Tensor min(const Tensor& x);
/// Index of the first greatest element; over all elements in row-major order where no axis is
/// given.
TANDEM_API Tensor argmax(const Tensor& x, std::optional<Axis> axis = {}, bool keepdim = false);
TANDEM_API Tensor argmin(const Tensor& x, std::optional<Axis> axis = {}, bool keepdim = false);
TANDEM_API Tensor var(const Tensor& x, const Axes& axes = {}, double correction = 1,
                      bool keepdim = false);
TANDEM_API Tensor std(const Tensor& x, const Axes& axes = {}, double correction = 1,
                      bool keepdim = false);
TANDEM_API Tensor softmax(const Tensor& x, Axis axis, std::optional<DType> dtype = {});
TANDEM_API Tensor log_softmax(const Tensor& x, Axis axis, std::optional<DType> dtype = {});

// ---- creation
// --------------------------------------------------------------------------------------
TANDEM_API Tensor zeros(IntSpan shape, const Options& options = {});
TANDEM_API Tensor ones(IntSpan shape, const Options& options = {});
/// dtype from the value where none is given.
TANDEM_API Tensor full(IntSpan shape, const Scalar& value, const Options& options = {});
TANDEM_API Tensor scalar_tensor(const Scalar& value, const Options& options = {});
/// start, start + step, ... below end; int64 from integers, default dtype otherwise.
TANDEM_API Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step = 1,
                         const Options& options = {});
inline Tensor arange(const Scalar& end, const Options& options = {}) {
  return arange(0, end, 1, options);
}
/// `steps` values from start to end, both included.
TANDEM_API Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps,
                           const Options& options = {});
TANDEM_API Tensor eye(std::int64_t n, std::optional<std::int64_t> m = {},
                      const Options& options = {});
/// Uninitialised, ones, ... with the shape, dtype, device, names of another tensor unless options
/// differ.
TANDEM_API Tensor empty_like(const Tensor& x, const Options& options = {});
TANDEM_API Tensor zeros_like(const Tensor& x, const Options& options = {});
TANDEM_API Tensor ones_like(const Tensor& x, const Options& options = {});
TANDEM_API Tensor full_like(const Tensor& x, const Scalar& value, const Options& options = {});

// ---- random numbers: Philox4x32-10 by element index, see docs/numerics.md
// --------------------------
/// Seeds the default generator and sets its offset to 0.
TANDEM_API void manual_seed(std::uint64_t seed);
/// Uniform in [0, 1).
TANDEM_API Tensor rand(IntSpan shape, const Options& options = {});
/// Standard normal.
TANDEM_API Tensor randn(IntSpan shape, const Options& options = {});

// ---- joining, products
// -----------------------------------------------------------------------------
TANDEM_API Tensor cat(const std::vector<Tensor>& tensors, Axis axis = 0);
TANDEM_API Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis = 0);
TANDEM_API Tensor matmul(const Tensor& a, const Tensor& b);
/// Einstein summation: the grammar of torch.einsum, ellipses, repeated and implicit indices
/// included, or names in place of letters; the cheapest order of contractions. Names of the inputs'
/// dimensions are kept. Options, paths and the form with lists of numbers: tandem/einsum.h.
TANDEM_API Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands);

/// Whether all |x - y| <= atol + rtol * |y|; waits for the device.
TANDEM_API bool allclose(const Tensor& x, const Tensor& y, double rtol = 1e-5, double atol = 1e-8,
                         bool equal_nan = false);
/// Same shape and equal elements (NaN differs from itself); waits for the device.
TANDEM_API bool equal(const Tensor& x, const Tensor& y);
/// The dtype of op(x, y) by promotion.
TANDEM_API DType result_type(const Arg& x, const Arg& y);

// ---- operators
// -------------------------------------------------------------------------------------
inline Tensor operator+(const Tensor& x, const Arg& y) { return add(x, y); }
inline Tensor operator-(const Tensor& x, const Arg& y) { return sub(x, y); }
inline Tensor operator*(const Tensor& x, const Arg& y) { return mul(x, y); }
inline Tensor operator/(const Tensor& x, const Arg& y) { return div(x, y); }
inline Tensor operator+(const Scalar& x, const Tensor& y) { return add(x, y); }
inline Tensor operator-(const Scalar& x, const Tensor& y) { return sub(x, y); }
inline Tensor operator*(const Scalar& x, const Tensor& y) { return mul(x, y); }
inline Tensor operator/(const Scalar& x, const Tensor& y) { return div(x, y); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator<(const Tensor& x, const Arg& y) { return lt(x, y); }
inline Tensor operator<=(const Tensor& x, const Arg& y) { return le(x, y); }
inline Tensor operator>(const Tensor& x, const Arg& y) { return gt(x, y); }
inline Tensor operator>=(const Tensor& x, const Arg& y) { return ge(x, y); }

}  // namespace tandem
