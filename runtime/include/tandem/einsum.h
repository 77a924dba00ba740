// Einstein summation beyond the plain call of tandem/ops.h: options, paths, lists of numbers. The
// grammar, names in place of letters and the order of contractions: docs/einsum.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tandem/tensor.h"

namespace tandem {

/// How einsum orders its contractions.
struct EinsumOptions {
  /// "auto": optimal up to 8 operands, greedy beyond; "optimal" (up to 16), "greedy"; "left": from
  /// left to right; or a path: "(0, 2), (0, 1)" with places in the list of operands, from which
  /// those contracted go and to whose end the result is added.
  std::string optimize = "auto";
  /// Elements of the largest intermediate tensor that is allowed. Where no order stays within, the
  /// one with the least such limit is taken.
  std::optional<std::int64_t> memory_limit = std::nullopt;
};

/// Raises ValueError for an equation or option that is none, ShapeError for operands that do not
/// fit it, TypeError where dtypes differ.
TANDEM_API Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands,
                         const EinsumOptions& options);

/// Stands for `...` in a list of subscripts.
inline constexpr std::int64_t kEinsumEllipsis = -1;

/// A tensor and the subscripts of its dimensions, 0 to 51 or kEinsumEllipsis.
struct EinsumOperand {
  Tensor tensor;
  std::vector<std::int64_t> subscripts;
};

/// einsum({{a, {0, 1}}, {b, {1, 2}}}, {{0, 2}}): numbers in place of letters. Without an output it
/// is that of an equation without "->".
TANDEM_API Tensor einsum(const std::vector<EinsumOperand>& operands,
                         const std::optional<std::vector<std::int64_t>>& output = std::nullopt,
                         const EinsumOptions& options = {});

/// What einsum would do, with nothing computed.
struct EinsumPath {
  /// Places in the list of operands, two a contraction; one where there is one operand alone.
  std::vector<std::vector<std::int64_t>> contractions;
  /// Multiplications and additions in this order, and with all operands at once.
  double flops = 0, naive_flops = 0;
  /// Elements of the largest intermediate, and of all that live at once at most.
  double largest = 0, peak = 0;
  /// All of it as a table to print.
  std::string report;
};
TANDEM_API EinsumPath einsum_path(const std::string& equation, const std::vector<Tensor>& operands,
                                  const EinsumOptions& options = {});

}  // namespace tandem
