// The C++ functions of the table's regular rows, by expanding the table once.
#include "runtime/dispatch/direct.h"

#include <unordered_map>

#include "tandem/movement.h"
#include "tandem/ops.h"

namespace tandem::detail {
namespace {

using Args = std::span<const Value>;

Arg arg(const Value& v) {
  if (v.is<Tensor>()) return Arg(v.as<Tensor>());
  return Arg(v.as<Scalar>());
}

Axes axes(const Value& v) {
  if (v.is_none()) return {};
  return Axes(v.as<SmallVector<Axis, 6>>());
}

std::vector<Tensor> tensors(const Value& v) {
  if (v.is<std::vector<Tensor>>()) return v.as<std::vector<Tensor>>();
  return {};
}

/// The first one where none is given.
Axis axis(const Value& v) {
  if (v.is<std::string>()) return Axis(v.as<std::string>());
  return Axis(v.is_none() ? 0 : v.as<Scalar>().to_int());
}

bool flag(Args a, std::size_t i) {
  return i < a.size() && !a[i].is_none() && a[i].as<Scalar>().to_bool();
}

std::optional<DType> dtype(Args a, std::size_t i) {
  if (i >= a.size() || a[i].is_none()) return std::nullopt;
  return a[i].as<DType>();
}

std::unordered_map<const OpRow*, Direct> make_table() {
  std::unordered_map<const OpRow*, Direct> table;
#define TANDEM_UNARY(name, ...)                                                                \
  table[&op::name] = {[](Args a) { return tandem::name(a[0].as<Tensor>()); },                  \
                      [](Tensor& out, Args a) { tandem::name##_out(out, a[0].as<Tensor>()); }, \
                      [](Tensor& self, Args) { self.name##_(); }, 1};
#define TANDEM_BINARY(name, ...)                                                                  \
  table[&op::name] = {[](Args a) { return tandem::name(arg(a[0]), arg(a[1])); },                  \
                      [](Tensor& out, Args a) { tandem::name##_out(out, arg(a[0]), arg(a[1])); }, \
                      [](Tensor& self, Args a) { self.name##_(arg(a[1])); }, 2};
#define TANDEM_TERNARY(name, ...)                                                            \
  table[&op::name] = {                                                                       \
      [](Args a) { return tandem::name(arg(a[0]), arg(a[1]), arg(a[2])); },                  \
      [](Tensor& out, Args a) { tandem::name##_out(out, arg(a[0]), arg(a[1]), arg(a[2])); }, \
      [](Tensor& self, Args a) { self.name##_(arg(a[1]), arg(a[2])); }, 3};
#define TANDEM_REDUCTION(name, ...)                                                                \
  table[&op::name] = {                                                                             \
      [](Args a) { return tandem::name(a[0].as<Tensor>(), axes(a[1]), flag(a, 2), dtype(a, 3)); }, \
      [](Tensor& out, Args a) {                                                                    \
        tandem::name##_out(out, a[0].as<Tensor>(), axes(a[1]), flag(a, 2), dtype(a, 3));           \
      },                                                                                           \
      nullptr, 4};
#include "tandem/ops/ops.def"
  // Rows of their own that can write to a given tensor.
  table[&op::cat].into = [](Tensor& out, Args a) { cat_out(out, tensors(a[0]), axis(a[1])); };
  table[&op::stack].into = [](Tensor& out, Args a) {
    stack_out(out, tensors(a[0]), axis(a[1]).index());
  };
  return table;
}

}  // namespace

Direct direct_of(const OpRow& row) {
  static const auto table = make_table();
  const auto found = table.find(&row);
  return found == table.end() ? Direct() : found->second;
}

}  // namespace tandem::detail
