// The launch of a scan: what kernels of cumsum and its kin get. Plain data, as backend.h.
#pragma once

#include "tandem/backend.h"

namespace tandem {

/// Rows of length n along one dimension; out[i] joins in[0], ..., in[i] in the order of
/// docs/numerics.md, "Scans". The output may be the input itself. `kernel` of the operands is the
/// dtype that is asked for; it is computed in `scan_dtype` of that.
struct ScanLaunch {
  const OpRow* row;
  std::int64_t numel;         // rows
  std::int64_t n;             // length of a row
  const std::int64_t* shape;  // the dimensions besides the scanned one
  int rank;
  int n_out;    // 2: values and int64 indices
  DType dtype;  // elements are cast to it on load, values on store
  Device device;
  void* stream;
  std::int64_t in_stride, out_stride[2];  // bytes along the row
  OperandDesc in, out[2];                 // strides over the other dimensions
};

/// The dtype that a scan carries: integers and bool in 64 bits, the half types in float32.
inline DType scan_dtype(DType t, bool indexed) {
  if (dtypes::BoolInts.has(t)) {
    return indexed && t == DType::uint64 ? DType::uint64 : DType::int64;
  }
  return info(t).compute;
}

}  // namespace tandem
