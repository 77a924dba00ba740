// The C++ functions of the table's regular rows, called without boxing: plain, into a given output,
// in place. Internal to tandem/call.h.
#pragma once

#include <span>

#include "tandem/op_table.h"
#include "tandem/tensor.h"
#include "tandem/value.h"

namespace tandem::detail {

/// Null members: the row has no such form.
struct Direct {
  Tensor (*plain)(std::span<const Value> args) = nullptr;
  void (*into)(Tensor& out, std::span<const Value> args) = nullptr;
  void (*in_place)(Tensor& self, std::span<const Value> args) = nullptr;
  std::size_t n_args = 0;  // arguments that the C++ functions take; the others must be absent
};

/// The functions of a row; empty for irregular and for users' rows.
Direct direct_of(const OpRow& row);

}  // namespace tandem::detail
