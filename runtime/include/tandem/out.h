// Results into tensors that the caller has, for what computes fresh ones: name_out of the functions
// with two results, and the out= of Python.
#pragma once

#include <span>
#include <tuple>

#include "tandem/op_row.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// Writes what an op gave into as many given tensors, by the rules of every out=: dtypes that cast,
/// shapes that are equal or an empty tensor, which is resized (not `in_place`), the same device, no
/// memory twice. All is checked before anything changes.
TANDEM_API void write_results(const OpRow& row, std::span<const Tensor> made,
                              std::span<Tensor* const> given, bool in_place = false);
/// The same by the row's name.
TANDEM_API void write_results(const char* op, const std::tuple<Tensor, Tensor>& made, Tensor& first,
                              Tensor& second);

}  // namespace tandem::detail

/// name_out(first, second, ...): the results of name(...) into two tensors.
#define TANDEM_OUT_OF_TWO(name)                                                                 \
  template <class... Args>                                                                      \
  std::tuple<Tensor&, Tensor&> name##_out(Tensor& first, Tensor& second, const Args&... args) { \
    detail::write_results(#name, tandem::name(args...), first, second);                         \
    return {first, second};                                                                     \
  }
