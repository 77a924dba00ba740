// For tests of programs that use Tandem: assert_close compares tensors and says where they differ.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tandem/error.h"
#include "tandem/export.h"
#include "tandem/scalar.h"
#include "tandem/tensor.h"

namespace tandem::testing {

/// What assert_close raises; Python: AssertionError.
class TANDEM_API AssertionError : public Error {
 public:
  using Error::Error;
};

/// How close is close. An element is if |actual - expected| <= atol + rtol * |expected|, or if both
/// are the same infinity.
struct Closeness {
  /// Both or neither. By default those of the dtype, the greater ones of two dtypes: float16 1e-3
  /// and 1e-5, bfloat16 1.6e-2 and 1e-5, float32 and complex64 1.3e-6 and 1e-5, float64 and
  /// complex128 1e-7 and 1e-7, others 0.
  std::optional<double> rtol = std::nullopt, atol = std::nullopt;
  /// Whether NaN is close to NaN.
  bool equal_nan = false;
  /// Whether devices, dtypes and layouts (all are strided) must be equal; without check_dtype the
  /// two are promoted, without check_device compared on the host.
  bool check_device = true, check_dtype = true, check_layout = true;
  /// Whether strides must be equal.
  bool check_stride = false;
  /// Stands in place of the message.
  std::string msg = {};
};

/// What differs between the tensors: empty if they are close. Waits for the device. Shapes are
/// never broadcast; of tensors on meta nothing but shape, dtype and strides is compared. Raises
/// ValueError if one of rtol and atol is given alone, or one is negative.
TANDEM_API std::string mismatch(const Tensor& actual, const Tensor& expected,
                                const Closeness& how = {});
/// The same for numbers; their kind (bool, integer, float, complex) is their dtype.
TANDEM_API std::string mismatch(const Scalar& actual, const Scalar& expected,
                                const Closeness& how = {});

/// Raises AssertionError unless the tensors are close. The message has the number of elements that
/// differ, the greatest absolute and relative difference with its index, and the worst elements.
TANDEM_API void assert_close(const Tensor& actual, const Tensor& expected,
                             const Closeness& how = {});
TANDEM_API void assert_close(const Scalar& actual, const Scalar& expected,
                             const Closeness& how = {});
/// Item by item; of equal length.
TANDEM_API void assert_close(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected,
                             const Closeness& how = {});
/// Key by key; of equal keys.
TANDEM_API void assert_close(const std::map<std::string, Tensor>& actual,
                             const std::map<std::string, Tensor>& expected,
                             const Closeness& how = {});

}  // namespace tandem::testing
