// How tensors are printed: PyTorch's text, byte for byte, and its options.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "tandem/export.h"
#include "tandem/tensor.h"

namespace tandem {

struct PrintOptions {
  int precision = 4;              // digits after the point
  double threshold = 1000;        // tensors of more elements are summarised; may be infinite
  int edgeitems = 3;              // items shown at both ends of a summarised dimension
  int linewidth = 80;             // columns
  std::optional<bool> sci_mode;   // none: chosen by the values
  std::string module = "torch.";  // stands before the name of a dtype
};

/// The options of a profile: "default", "short" or "full". Raises ValueError for another name.
TANDEM_API PrintOptions print_profile(std::string_view name);
/// The options of the process.
TANDEM_API PrintOptions print_options();
/// Sets the options of the process. Raises ValueError where precision or edgeitems is negative,
/// precision above 1000, linewidth below 1 or threshold NaN.
TANDEM_API void set_print_options(const PrintOptions& options);

/// The text of a tensor. A tensor on a device costs one copy of the shown elements and waits for
/// it.
TANDEM_API std::string str(const Tensor& t, const PrintOptions& options);
TANDEM_API std::ostream& operator<<(std::ostream& out, const Tensor& t);

}  // namespace tandem
