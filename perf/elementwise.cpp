// The elementwise rows of the op table at three sizes, into fresh and into existing outputs.
#include "perf/cases.h"
#include "tandem/op_table.h"
#include "tandem/value.h"

namespace tandem::perf {
namespace {

using In = const Tensor*;

/// How a program calls a row: the functions that the table declares.
struct Forms {
  const OpRow* row;
  Tensor (*fresh)(In);
  void (*out)(Tensor&, In);
};

// The table itself, expanded once more.
const Forms kForms[] = {
#define TANDEM_UNARY(name, ...)                        \
  {&op::name, [](In x) { return tandem::name(x[0]); }, \
   [](Tensor& out, In x) { tandem::name##_out(out, x[0]); }},
#define TANDEM_BINARY(name, ...)                             \
  {&op::name, [](In x) { return tandem::name(x[0], x[1]); }, \
   [](Tensor& out, In x) { tandem::name##_out(out, x[0], x[1]); }},
#define TANDEM_TERNARY(name, ...)                                  \
  {&op::name, [](In x) { return tandem::name(x[0], x[1], x[2]); }, \
   [](Tensor& out, In x) { tandem::name##_out(out, x[0], x[1], x[2]); }},
#include "tandem/ops/ops.def"
};

/// Null where the row has none, or where it takes numbers: those go through the boxed call.
const Forms* forms_of(const OpRow& row) {
  if (tensors_of(row) < row.arity) return nullptr;
  for (const Forms& f : kForms) {
    if (f.row == &row) return &f;
  }
  return nullptr;
}

/// Arguments of a boxed call: the tensors, and 1 for each number that must be given.
std::vector<Value> arguments_of(const OpRow& row, const std::vector<Tensor>& tensors) {
  std::vector<Value> args(tensors.begin(), tensors.end());
  const auto& params = schema_of(row).params;
  while (args.size() < params.size() && params[args.size()].required()) args.emplace_back(1);
  return args;
}

DType result_dtype(const OpRow& row, DType t) {
  const bool condition = (row.flags & kFirstIsBool) != 0;
  std::vector<Tensor> inputs;
  for (int i = 0; i < tensors_of(row); ++i) {
    const DType own = condition && i == 0 ? dtype_of<bool> : t;
    inputs.push_back(empty({1}, {.dtype = own, .device = Device("meta")}));
  }
  return call_boxed(row, arguments_of(row, inputs))[0].as<Tensor>().dtype();  // inference alone
}

std::vector<DType> measured_dtypes(const OpRow& row, const std::vector<DType>& dtypes) {
  std::vector<DType> found;
  for (const DType t : dtypes) {
    if (row.dtypes.has(t)) found.push_back(t);
  }
  if (found.empty()) {
    found.push_back(row.dtypes.has(dtype_of<std::int32_t>) ? dtype_of<std::int32_t>
                    : row.dtypes.has(dtype_of<bool>)       ? dtype_of<bool>
                                                           : dtype_of<Complex64>);
  }
  return found;
}

Case base_case(const OpRow& row, DType t, std::int64_t n) {
  Case c;
  c.op = row.name;
  c.dtype = t;
  c.shape = {n};
  c.domain = domain_of(row);
  c.inputs = tensors_of(row);
  const bool condition = (row.flags & kFirstIsBool) != 0;
  const double wide = static_cast<double>(tensors_of(row) - (condition ? 1 : 0));
  const double element = wide * static_cast<double>(element_size(t)) + (condition ? 1 : 0) +
                         static_cast<double>(element_size(result_dtype(row, t)));
  c.bytes = element * static_cast<double>(n);
  return c;
}

/// Rows that take numbers or whose C++ function is written by hand, and users' rows: by the boxed
/// call.
void add_boxed(std::vector<Case>& cases, const OpRow& row, Case c, std::int64_t n) {
  c.form = "fresh";
  c.run = [&row, t = c.dtype, n](benchmark::State& state) {
    const std::vector<Value> args = arguments_of(row, inputs_of(row, t, n));
    timed(state, [&] { return call_boxed(row, args); });
  };
  cases.push_back(std::move(c));
}

void add_forms(std::vector<Case>& cases, const OpRow& row, const Forms& f, Case c, std::int64_t n) {
  c.form = "fresh";
  c.run = [&row, &f, t = c.dtype, n](benchmark::State& state) {
    In in = inputs_of(row, t, n).data();
    timed(state, [&] { return f.fresh(in); });
  };
  cases.push_back(c);
  c.form = "out";
  c.run = [&row, &f, t = c.dtype, n](benchmark::State& state) {
    In in = inputs_of(row, t, n).data();
    Tensor out = f.fresh(in);
    timed(state, [&] { f.out(out, in); });
  };
  cases.push_back(std::move(c));
}

}  // namespace

std::vector<Case> elementwise_cases(const std::vector<DType>& dtypes) {
  std::vector<Case> cases;
  for (const OpRow* row : op_rows()) {
    if (row->family != Family::Elementwise) continue;
    const Forms* f = forms_of(*row);
    for (const DType t : measured_dtypes(*row, dtypes)) {
      for (const std::int64_t n :
           {std::int64_t(16), std::int64_t(1) << 20, std::int64_t(1) << 24}) {
        Case c = base_case(*row, t, n);
        if (f != nullptr) {
          add_forms(cases, *row, *f, std::move(c), n);
        } else {
          add_boxed(cases, *row, std::move(c), n);
        }
      }
    }
  }
  return cases;
}

}  // namespace tandem::perf
