// lint: oracle table. A call of every row with its tensors on a device.
#pragma once

#include <vector>

#include "tests/support/outcome.h"
#include "tests/support/row_calls.h"

namespace tandem::test {

inline Value to_device(const Value& v, Device device) {
  if (v.is<Tensor>()) return v.as<Tensor>().to(device);
  if (v.is<Device>()) return device;
  if (!v.is<std::vector<Tensor>>()) return v;
  std::vector<Tensor> list;
  for (const Tensor& t : v.as<std::vector<Tensor>>())
    list.push_back(t.defined() ? t.to(device) : t);
  return list;
}

/// A call that the row takes, with its tensors on the device.
inline Args device_call(const OpRow& row, Device device) {
  static const auto irregular = irregular_calls();
  if (row.family == Family::Generator) {
    const DType t = row.dtypes.has(DType::float32) ? DType::float32 : DType::int64;
    return generator_call(row, t, device);
  }
  Args args;
  if (const auto at = irregular.find(row.name); at != irregular.end()) {
    for (const Value& v : at->second.front()) args.push_back(to_device(v, device));
    return args;
  }
  const DType t = row.dtypes.has(DType::float32) ? DType::float32
                  : row.dtypes.has(DType::int32) ? DType::int32
                                                 : DType::complex64;
  const Tensor x = ones_of({70, 30}, t).to(device);
  if (row.family != Family::Elementwise) return {Value(x), Value(1)};
  for (std::size_t a = 0; a < static_cast<std::size_t>(row.arity); ++a) {
    const bool number = schema_of(row).params[a].type == "Scalar";
    const bool condition = a == 0 && (row.flags & kFirstIsBool) != 0;
    args.push_back(number ? Value(1) : condition ? Value(x.to(DType::bool_)) : Value(x));
  }
  return args;
}

/// Whether the row hands its work to a library that the device's machine has not.
inline bool needs_absent_library(const OpRow& row, Device device) {
  return is_factorisation(row) && outcome(row, device_call(row, device), device).no_library;
}

}  // namespace tandem::test
