// lint: oracle table. A call of every row with its tensors on the device, for walks over the table.
#pragma once

#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"
#include "tests/support/row_calls.h"

namespace tandem::test {

inline const Device kDevice(DeviceKind::CUDA, 0);

inline Value to_device(const Value& v) {
  if (v.is<Tensor>()) return v.as<Tensor>().to(kDevice);
  if (v.is<Device>()) return kDevice;
  if (!v.is<std::vector<Tensor>>()) return v;
  std::vector<Tensor> list;
  for (const Tensor& t : v.as<std::vector<Tensor>>())
    list.push_back(t.defined() ? t.to(kDevice) : t);
  return list;
}

/// A call that the row takes, with its tensors on the device.
inline Args call_of(const OpRow& row) {
  static const auto irregular = irregular_calls();
  if (row.family == Family::Generator) {
    const DType t = row.dtypes.has(DType::float32) ? DType::float32 : DType::int64;
    return generator_call(row, t, kDevice);
  }
  Args args;
  if (const auto at = irregular.find(row.name); at != irregular.end()) {
    for (const Value& v : at->second.front()) args.push_back(to_device(v));
    return args;
  }
  const DType t = row.dtypes.has(DType::float32) ? DType::float32
                  : row.dtypes.has(DType::int32) ? DType::int32
                                                 : DType::complex64;
  const Tensor x = ones_of({70, 30}, t).to(kDevice);
  if (row.family != Family::Elementwise) return {Value(x), Value(1)};
  for (std::size_t a = 0; a < static_cast<std::size_t>(row.arity); ++a) {
    const bool number = schema_of(row).params[a].type == "Scalar";
    const bool condition = a == 0 && (row.flags & kFirstIsBool) != 0;
    args.push_back(number ? Value(1) : condition ? Value(x.to(DType::bool_)) : Value(x));
  }
  return args;
}

}  // namespace tandem::test
