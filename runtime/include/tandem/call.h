// Calls of any op by its name with named arguments, into given tensors and in place: what a binding
// to another language needs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/op_table.h"
#include "tandem/tensor.h"
#include "tandem/value.h"

namespace tandem {

/// An argument as a caller gives it; without a name it is the next positional one.
struct NamedValue {
  std::string name;
  Value value;
};

/// The arguments in the order of the row's parameters, converted as their types ask for: a text
/// where a dtype or a device is expected names one, integers are axes. None stands where a
/// parameter takes its default. Raises TypeError, naming op and argument, for one that is missing,
/// unknown, given twice or of a wrong kind; ValueError for the name of no dtype or device.
TANDEM_API std::vector<Value> arguments_by_name(const OpRow& row, std::span<const NamedValue> args);

/// Whether the op has a form that writes to its first argument, called NAME_.
TANDEM_API bool has_in_place(const OpRow& row);

/// The calls of one row. The arguments are those that arguments_by_name gives.
class TANDEM_API RowCall {
 public:
  explicit RowCall(const OpRow& row);
  const OpRow& row() const { return *row_; }

  std::vector<Value> operator()(std::span<const Value> args) const;
  /// Whether the row gives one tensor and its C++ function takes these arguments as they are.
  bool is_plain(std::span<const Value> args) const;
  /// The result of a call that is plain.
  Tensor plain(std::span<const Value> args) const { return plain_(args); }
  /// Writes the results to given tensors (`in_place`: to the first argument, which is given again),
  /// at once where the op has such a form; else through temporaries, with the same bits. Raises
  /// NotImplemented for an op that gives something else than tensors.
  void write(std::span<const Value> args, std::span<Tensor* const> out,
             bool in_place = false) const;
  /// Writes what a call gave.
  static void write_made(const OpRow& row, std::span<const Value> made,
                         std::span<Tensor* const> out, bool in_place = false);

 private:
  bool takes(std::span<const Value> args) const;

  using Plain = Tensor (*)(std::span<const Value>);
  using Into = void (*)(Tensor&, std::span<const Value>);
  const OpRow* row_;
  Plain plain_;  // null: the row has no such function
  Into into_;
  Into in_place_;
  std::size_t n_args_;  // arguments that these functions take
};

/// Calls the op of a name: the table's, another name of it, or NAME_ for its form in place, which
/// gives back its first argument. An argument `out` (a tensor or a list of them) is written to and
/// given back. Raises ValueError where there is no such op.
TANDEM_API std::vector<Value> call_named(std::string_view op, std::span<const NamedValue> args);

}  // namespace tandem
