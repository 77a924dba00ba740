// Operands of einsum by labels: checked against the equation and against each other. Internal.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "runtime/ops/einsum_grammar.h"
#include "tandem/op_row.h"

namespace tandem::detail {

/// A tensor whose dimensions carry distinct labels, without names and without dimensions of size 1.
struct Labelled {
  Tensor tensor;
  Labels labels;
};

/// What is known of a label: its size and its name.
struct Extent {
  std::int64_t size = 1;
  Name name;
  bool used = false;
};

/// An equation with its operands. Dimensions of size 1 are gone: they broadcast, and the result
/// gets back those it needs.
class Expression {
 public:
  /// Checks everything. `op`: the row, for messages.
  Expression(const OpRow& row, const std::string& equation, const std::vector<Tensor>& operands);

  const Equation& equation() const { return equation_; }
  const std::vector<Labelled>& terms() const { return terms_; }
  const Labels& output() const { return output_; }
  std::int64_t size(std::int64_t label) const { return extents_[at(label)].size; }
  Dims sizes(const Labels& labels) const;
  /// Of the result.
  Names names() const;
  /// Whether the output or a term other than `term` has the label.
  bool needed(std::int32_t label, std::size_t term) const;
  /// The search's view: terms without the labels that only they have.
  Contraction contraction() const;

 private:
  static std::size_t at(std::int64_t label) { return static_cast<std::size_t>(label); }
  void measure(const Labels& s, const Tensor& t, std::size_t i);
  Labels spread(const Labels& s, std::int64_t count) const;
  Labelled load(const Labels& s, const Tensor& t, std::size_t i);
  void note(std::int32_t label, std::int64_t size, Name name, std::size_t operand);
  std::string shown(std::int32_t label) const;
  Labels implicit_output() const;
  Labels explicit_output() const;

  const char* op_;
  Equation equation_;
  std::int64_t ellipsis_ = 0;  // dimensions that '...' stands for at most
  std::array<Extent, kMaxLabels> extents_{};
  std::vector<Labelled> terms_;
  Labels output_;
};

}  // namespace tandem::detail
