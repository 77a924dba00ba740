// OpRow: what the op table says of one op, and what a backend has bound to it. The rows themselves:
// op_table.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "tandem/device.h"
#include "tandem/dtype.h"

namespace tandem {

/// How the funnel infers and launches an op.
enum class Family : std::uint8_t {
  Elementwise,  // arity inputs, broadcast; ElementwiseLaunch
  Generator,    // no tensor inputs: element i from i alone; GeneratorLaunch
  Reduction,    // one output an op's outer index; ReduceLaunch
  Irregular     // its own front-end in runtime/ops; the launch struct is in backend.h or
                // tandem/backend/
};

/// The dtype of the result (and of the computation), from the promoted dtype P of the inputs.
enum class Result : std::uint8_t {
  Same,     // P
  Number,   // P; bool counts as int64
  Float,    // P if a float or complex, else default_dtype()
  Bool,     // computed in P, stored as bool
  Real,     // computed in P; the real dtype of a complex P
  Wide,     // integers and bool accumulate in int64
  Index,    // computed in P, stored as int64
  Int32,    // computed in P, stored as int32
  Complex,  // computed in the real P, stored as its complex dtype: complex64 of the half types
};

/// Properties that tests and later passes use.
enum OpFlag : std::uint32_t {
  kCommutative = 1u << 0,
  kView = 1u << 1,          // shares storage with its input
  kSyncs = 1u << 2,         // waits for the device: said in the docs
  kExactCompare = 1u << 3,  // integers of different signs compare by value
  kVendor = 1u << 4,        // a vendor library's product: not bit-equal between backends
  kNoInPlace = 1u << 5,
  kFirstIsBool = 1u << 6,  // the first input is a bool condition, outside promotion
  kInPlace = 1u << 7,      // a row with a front-end of its own that Python also has in place
};

/// What a backend bound to a row: `launch` gets the family's launch struct (backend.h) and `self`.
struct Kernel {
  void (*launch)(const void* desc, const void* self);
  const void* self;
};

/// One op. The funnel takes rows, not an enum, so that users' own ops are rows like any other.
struct OpRow {
  const char* name;
  Family family;
  std::int8_t arity;  // tensor-like inputs of an elementwise op
  DTypeSet dtypes;    // dtypes it computes in
  Result result;
  double max_ulp;  // against the exact result in the computed dtype; 0: correctly rounded or exact
  double lo, hi;   // test domain of the float inputs
  const char* schema;  // parameters, defaults, hints and gradient: grammar in dispatch/schema.h
  const char* doc;
  std::uint32_t flags = 0;
  mutable std::atomic<const Kernel*> kernels[static_cast<int>(DeviceKind::kCount)] = {};
};

}  // namespace tandem
