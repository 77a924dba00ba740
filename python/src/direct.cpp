// The C++ functions of the table's regular rows, by expanding the table once.
#include "direct.h"

#include <unordered_map>

#include "tandem/ops.h"

namespace tandem::python {
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
  return table;
}

}  // namespace

Direct direct_of(const OpRow& row) {
  static const auto table = make_table();
  const auto found = table.find(&row);
  return found == table.end() ? Direct() : found->second;
}

}  // namespace tandem::python
