// In which order einsum contracts its operands. Sets of labels and sizes only, no tensors.
// Internal.
#pragma once

#include <bitset>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tandem/export.h"

namespace tandem::detail {

inline constexpr int kMaxLabels = 128;
using LabelSet = std::bitset<kMaxLabels>;

/// Operands as sets of labels, every label with its size; a label that only one operand has and the
/// output has not is gone already.
struct Contraction {
  std::vector<LabelSet> terms;
  LabelSet output;
  std::vector<double> sizes;  // by label
};

/// Two places in the list of terms, the first one lower. The terms there are taken out of the list,
/// and their product is added to its end.
struct Step {
  std::size_t first, second;
  bool operator==(const Step&) const = default;
};
using Steps = std::vector<Step>;

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();
/// Operands whose orders are all looked at unless told otherwise, and at most.
inline constexpr std::size_t kOptimalTerms = 8;
inline constexpr std::size_t kMostOptimalTerms = 16;

/// Elements of a tensor with these labels.
TANDEM_API double elements(const Contraction& c, const LabelSet& labels);

/// The order with the fewest operations among those whose intermediates have at most `limit`
/// elements, and of several such the one with the least elements alive at once; where no order
/// stays within, the limit is the least that one can stay within. The costs do not depend on the
/// order of the terms. Dynamic programming over the subsets of terms, so at most kMostOptimalTerms:
/// 3^n / 2 pairs. Source: Pfeifer, Haegeman, Verstraete, "Faster identification of optimal
/// contraction sequences for tensor networks", 2014.
TANDEM_API Steps optimal_steps(const Contraction& c, double limit = kNoLimit);

/// The pair next that makes the tensors of the list smallest, over and over; pairs beyond the limit
/// only where there is no other, the smallest first. Independent of the order of the terms, but for
/// terms with equal labels.
TANDEM_API Steps greedy_steps(const Contraction& c, double limit = kNoLimit);

/// From left to right.
TANDEM_API Steps left_steps(std::size_t terms);

/// What steps cost.
struct StepCosts {
  double flops = 0;    // multiplications and additions
  double largest = 0;  // elements of the largest intermediate; the result is none
  double peak = 0;     // elements of intermediates and result that live at once, at most
};
TANDEM_API StepCosts costs_of(const Contraction& c, const Steps& steps);

/// A total order of sets of labels, so that what is decided by it does not depend on the order in
/// which terms come.
bool comes_before(const LabelSet& a, const LabelSet& b);

/// Labels of the product of terms a and b that a term of `others` or the output needs.
LabelSet kept_labels(const LabelSet& a, const LabelSet& b, const LabelSet& others);

/// Operations of one contraction: a multiplication an element of all labels, and an addition where
/// labels are summed.
double step_flops(const Contraction& c, const LabelSet& a, const LabelSet& b, const LabelSet& kept);

}  // namespace tandem::detail
