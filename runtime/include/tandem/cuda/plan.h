// The host side of an elementwise launch: which kernel, with which parameters.
#pragma once

#include <cstdint>

#include "tandem/backend.h"
#include "tandem/cuda/elementwise.h"

namespace tandem::cuda {

/// Whether vectors of `bytes` can be read from the operand: start and outer strides are multiples.
inline bool aligned(const OperandDesc& o, int outer_rank, std::int64_t bytes) {
  bool ok = reinterpret_cast<std::uintptr_t>(o.data) % static_cast<std::uintptr_t>(bytes) == 0;
  for (int d = 0; d < outer_rank; ++d) ok &= o.strides[d] % bytes == 0;
  return ok;
}

template <int A>
struct ElementwisePlan {
  const ElementwiseLaunch& l;
  const ElementwiseEntry<A>& entry;

  std::int64_t item(int k) const {
    return static_cast<std::int64_t>(element_size(l.operands[k].dtype));
  }

  /// Whether every operand is stored as the functor sees it, and there are kernels for that.
  bool direct() const {
    if (entry.flat == nullptr) return false;
    for (int k = 0; k <= A; ++k) {
      const OperandDesc& o = l.operands[k];
      if (o.kernel != entry.storage[k]) return false;
      if (o.data != nullptr && o.dtype != o.kernel) return false;
    }
    return true;
  }

  /// Whether the innermost dimension is dense in the output and dense or broadcast in the inputs.
  bool dense_rows() const {
    const int inner = l.rank - 1;
    for (int k = 0; k <= A; ++k) {
      const OperandDesc& o = l.operands[k];
      if (o.data == nullptr || inner < 0) continue;
      const std::int64_t stride = o.strides[inner];
      if (stride != item(k) && (k == 0 || stride != 0)) return false;
    }
    return true;
  }

  FlatParams<A> flat(std::int64_t count) const {
    FlatParams<A> p{};
    p.count = count;
    const int inner = l.rank - 1;
    for (int k = 0; k <= A; ++k) {
      const OperandDesc& o = l.operands[k];
      p.data[k] = static_cast<char*>(o.data);
      p.number[k] = o.scalar;
      if (o.data == nullptr) {
        p.access[k] = Access::Number;
      } else if (k != 0 && inner >= 0 && o.strides[inner] == 0 && count > 1) {
        p.access[k] = Access::Broadcast;
      } else {
        p.access[k] = aligned(o, inner, entry.vector * item(k)) ? Access::Vector : Access::Elements;
      }
    }
    return p;
  }

  cudaError_t run_flat() const {
    const std::int64_t chunk = std::int64_t(kThreads) * entry.vector * entry.unroll;
    return launch(entry.flat, grid_for((l.numel + chunk - 1) / chunk), kThreads, flat(l.numel),
                  l.device, l.stream);
  }

  cudaError_t run_rows() const {
    const std::int64_t n = l.rank > 0 ? l.shape[l.rank - 1] : 1;
    RowsParams<A> p;
    p.flat = flat(n);
    const std::int64_t per_row = (n + entry.vector - 1) / entry.vector;
    p.units = static_cast<std::uint32_t>(l.numel / n * per_row);
    p.units_per_row = FastDiv(static_cast<std::uint32_t>(per_row));
    fill(p.rows, l.rank - 1);
    const std::int64_t chunk = std::int64_t(kThreads) * entry.unroll;
    return launch(entry.rows, grid_for((p.units + chunk - 1) / chunk), kThreads, p, l.device,
                  l.stream);
  }

  GeneralParams<A> general() const {
    GeneralParams<A> p;
    p.count = static_cast<std::uint32_t>(l.numel);
    for (int k = 0; k <= A; ++k) {
      const OperandDesc& o = l.operands[k];
      p.data[k] = static_cast<char*>(o.data);
      p.number[k] = o.scalar;
      p.is_number[k] = o.data == nullptr;
      p.cast[k] = element_cast(o.dtype, o.kernel);
    }
    fill(p.offsets, l.rank);
    return p;
  }

  cudaError_t run_general() const {
    const std::int64_t chunk = std::int64_t(kThreads) * 2;
    return launch(entry.general, grid_for((l.numel + chunk - 1) / chunk), kThreads, general(),
                  l.device, l.stream);
  }

  /// The first `rank` dimensions, innermost first.
  void fill(Offsets<A + 1>& offsets, int rank) const {
    for (int d = rank - 1; d >= 0; --d) {
      for (int k = 0; k <= A; ++k) {
        const OperandDesc& o = l.operands[k];
        offsets.strides[offsets.rank][k] = o.data == nullptr ? 0 : o.strides[d];
      }
      offsets.push(l.shape[d]);
    }
  }
};

/// Elements [begin, end) of the outermost dimension; a single one drops it.
inline ElementwiseLaunch part(const ElementwiseLaunch& l, std::int64_t begin, std::int64_t end,
                              std::int64_t* shape) {
  ElementwiseLaunch r = l;
  r.numel = l.numel / l.shape[0] * (end - begin);
  for (int k = 0; k < l.n_out + l.n_in; ++k) {
    OperandDesc& o = r.operands[k];
    if (o.data == nullptr) continue;
    o.data = static_cast<char*>(o.data) + begin * o.strides[0];
    if (end - begin == 1) ++o.strides;
  }
  for (int d = 0; d < l.rank; ++d) shape[d] = l.shape[d];
  shape[0] = end - begin;
  r.shape = end - begin == 1 ? shape + 1 : shape;
  r.rank = end - begin == 1 ? l.rank - 1 : l.rank;
  return r;
}

/// Queues a launch of one output and A inputs. The entry is that of `l.dtype`.
template <int A>
cudaError_t run_elementwise(const ElementwiseLaunch& l, const ElementwiseEntry<A>& entry) {
  if (l.numel == 0) return cudaSuccess;
  if (l.n_out != 1 || l.n_in != A || entry.general == nullptr) return cudaErrorInvalidValue;
  if (l.numel > kMaxElements || l.rank > kKernelRank) {
    std::int64_t shape[kMaxRank];
    const std::int64_t n = l.shape[0];
    const bool too_deep = l.rank > kKernelRank;
    // Pieces of a single long dimension stay multiples of the vector width.
    const std::int64_t step = too_deep || n < 4096 ? 1 : (n / 2 + 1023) / 1024 * 1024;
    for (std::int64_t i = 0; i < n; i += step) {
      const cudaError_t e = run_elementwise<A>(part(l, i, std::min(n, i + step), shape), entry);
      if (e != cudaSuccess) return e;
    }
    return cudaSuccess;
  }
  const ElementwisePlan<A> plan{l, entry};
  if (!plan.direct()) return plan.run_general();
  if (l.contiguous) return plan.run_flat();
  // A row much shorter than a vector would leave most of its lanes idle.
  const bool wide = l.rank == 0 || 2 * l.shape[l.rank - 1] >= entry.vector;
  return plan.dense_rows() && wide ? plan.run_rows() : plan.run_general();
}

}  // namespace tandem::cuda
