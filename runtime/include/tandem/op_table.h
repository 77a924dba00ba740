// The op table at run time: one OpRow an op, made from the rows of tandem/ops/*.def and from users'
// own ops.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/export.h"
#include "tandem/op_row.h"

namespace tandem {

class Value;

/// The rows, one object each: op::exp, op::add, ...
namespace op {
#define TANDEM_ROW(name) TANDEM_API extern OpRow name;
#include "tandem/ops/ops.def"
}  // namespace op

/// Every row of the table in its order, then users' rows in the order of their registration.
TANDEM_API std::vector<const OpRow*> op_rows();
/// The row of a name; null where there is none.
TANDEM_API const OpRow* find_op(std::string_view name);
/// Calls any op with arguments in its schema's order (missing ones at the end take their defaults).
/// What the Python binding, the tests and the benchmark use.
TANDEM_API std::vector<Value> call_boxed(const OpRow& row, std::span<const Value> args);
/// Hash of names and schemas: a backend library built for another table is refused.
TANDEM_API std::uint64_t op_table_hash();

}  // namespace tandem
