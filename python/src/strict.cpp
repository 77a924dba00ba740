// The elementwise functions of tandem.array_api: an op behind a look at its operands' dtypes, since
// the Array API standard takes fewer dtypes than Tandem's ops do and promotes less.
#include <nanobind/stl/string.h>

#include <array>
#include <string>

#include "convert.h"
#include "function.h"
#include "tandem/op_table.h"

namespace tandem::python {
namespace {

struct Rule {
  std::string name;
  std::array<bool, kNumDTypes> accepted{};

  bool has(DType t) const { return accepted[static_cast<std::size_t>(t)]; }
  [[noreturn]] void refuse(const std::string& expected, const std::string& got) const {
    detail::fail<TypeError>("[" + name + "] expected " + expected + ", got " + got);
  }
  void expect(DType t) const {
    if (has(t)) return;
    std::string names;
    for (int i = 0; i < kNumDTypes; ++i) {
      const auto known = static_cast<DType>(i);
      if (has(known)) names += (names.empty() ? "" : ", ") + std::string(tandem::name(known));
    }
    refuse("a dtype of " + names, "tandem." + std::string(tandem::name(t)));
  }
};

/// Dtypes promote within a kind alone; real and complex floats are one.
Category kind(Category c) { return c == Category::Complex ? Category::Float : c; }

bool is_number(PyObject* o) {
  return PyBool_Check(o) || PyLong_Check(o) || PyFloat_Check(o) || PyComplex_Check(o);
}

/// A number of a kind that the tensor's dtype holds, and a result that the function takes.
void check_number(const Rule& rule, DType t, PyObject* object, const Scalar& number) {
  const Category c = number.category(), own = kind(category(t));
  const bool fits = c == Category::Bool      ? own == Category::Bool
                    : c == Category::Integer ? own != Category::Bool
                                             : own == Category::Float;
  if (!is_number(object) || !fits) {
    rule.refuse("numbers of the dtype's kind",
                type_name(object) + " with tandem." + std::string(name(t)));
  }
  if (c == Category::Complex) rule.expect(promote_types(t, DType::complex64));
}

void check_pair(const Rule& rule, Call& c) {
  PyObject* const o1 = c.objects[0];
  PyObject* const o2 = c.objects[1];
  if (!is_tensor(o1) || !is_tensor(o2)) {
    const bool first = is_tensor(o1);
    if (!first && !is_tensor(o2)) rule.refuse("a tensor", type_name(o1) + " and " + type_name(o2));
    const DType t = as_tensor(first ? o1 : o2).dtype();
    rule.expect(t);
    PyObject* const other = first ? o2 : o1;
    if (!is_number(other)) rule.refuse("a tensor or a number", type_name(other));
    return check_number(rule, t, other, c.values[first ? 1 : 0].as<Scalar>());
  }
  const DType a = as_tensor(o1).dtype(), b = as_tensor(o2).dtype();
  rule.expect(a);
  if (a == b) return;
  rule.expect(b);
  if (kind(category(a)) != kind(category(b))) {
    rule.refuse("dtypes of one kind", "tandem." + std::string(name(a)) + " and tandem." +
                                          std::string(name(b)) +
                                          ", which the Array API does not promote");
  }
  const DType both = promote_types(a, b);
  // A tensor without dimensions would give way to one that has them.
  if ((as_tensor(o1).dim() == 0) == (as_tensor(o2).dim() == 0)) return;
  for (const std::size_t i : {0, 1}) c.values[i] = Value(c.tensor(i).to(both));
}

/// The function `name` of the standard, of as many operands as the op has arguments without a
/// default.
nb::object strict_elementwise(const std::string& name, const std::string& op,
                              const nb::tuple& dtypes, const std::string& doc) {
  const OpRow* row = find_op(op);
  TANDEM_EXPECTS(row != nullptr, ValueError, "[" + name + "] expected a row, got '" + op + "'");
  Rule rule{name};
  for (const nb::handle t : dtypes) {
    rule.accepted[static_cast<std::size_t>(as_dtype(t.ptr()))] = true;
  }
  Function f = row_function(*row);
  std::erase_if(f.parameters, [](const Parameter& p) { return !p.required; });
  const bool one = f.parameters.size() == 1;
  for (std::size_t i = 0; i < f.parameters.size(); ++i) {
    Parameter& p = f.parameters[i];
    p.text = one ? "x" : "x" + std::to_string(i + 1);
    p.name = PyUnicode_InternFromString(p.text.c_str());
    p.accepts = one ? Accepts::Tensor : Accepts::Arg;
  }
  f.name = name;
  f.module = "tandem.array_api";
  f.doc = doc;
  f.n_out = 0;
  f.positional_only = true;
  f.run = [rule, one, run = f.run](Call& c) {
    if (!one) {
      check_pair(rule, c);
    } else if (is_tensor(c.objects[0])) {
      rule.expect(c.tensor(0).dtype());
    } else {
      rule.refuse("a tensor", type_name(c.objects[0]));
    }
    return run(c);
  };
  return function_object(std::move(f));
}

}  // namespace

void init_strict(nb::module_& m) {
  m.def("_strict_elementwise", strict_elementwise,
        "A function of the Array API that is an elementwise op of some dtypes.");
}

}  // namespace tandem::python
