// Reductions on the fixed tree of docs/numerics.md, "Reductions", for any functor of
// kernels/functors/reduction.h: tiles of 4096 elements, 128 lanes that stride through a tile and
// are joined by halving, and the tiles' results by the same tree again.
//
// Note [Two walks]
// rows: a warp takes one tile of one outer index; its 32 threads hold the 128 lanes, four each, so
// that dense elements come in 16-byte loads, four loads in flight a thread. Halving is done with
// shuffles down to 4 lanes, then inside the first thread.
// columns: for elements that lie densely across the outer index. A block of 1024 takes one tile of
// 32 outer indices: thread (w, c) holds the four lanes w, w + 32, ... of column c, so that halving
// down to 32 lanes stays inside a thread and the rest goes through shared memory. Both give the
// same bits, which depend on n and the logical order alone: a lane that has no element is skipped,
// never padded.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "kernels/functors/reduction.h"
#include "tandem/cuda/access.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"
#include "tandem/stored.h"

namespace tandem::cuda {

inline constexpr std::int64_t kTile = 4096;
inline constexpr int kLanes = 128;
inline constexpr int kColumns = 32;   // of a block of the columns walk
inline constexpr int kResidues = 32;  // its threads a column
inline constexpr unsigned kColumnThreads = kColumns * kResidues;

struct ReduceParams {
  const char* data[2];
  ElementCast cast[2];
  ScalarBits number[2];
  bool is_number[2];
  char* out[2];
  ElementCast out_cast[2];
  void* partials;  // one accumulator a tile, [outer][tiles]; null: finish and store
  std::int64_t outer, n, tiles;
  std::int64_t total;  // elements of the whole reduction: what finish divides by
  double param;
  WideOffsets<4> at_outer;        // inputs 0 and 1, outputs 0 and 1
  WideOffsets<2> at_reduced;      // inputs 0 and 1
  FastDiv64 by_tiles, by_blocks;  // of a unit of the rows walk, of the columns walk

  void set_divisors() {
    by_tiles = FastDiv64(static_cast<std::uint64_t>(tiles));
    by_blocks = FastDiv64(static_cast<std::uint64_t>((outer + kColumns - 1) / kColumns));
  }
};

/// Passes an accumulator down a warp, word by word.
template <class A>
__device__ __forceinline__ A shuffle_down(A a, unsigned delta) {
  constexpr unsigned kAll = 0xffffffffu;
  if constexpr (sizeof(A) < 4) {
    return static_cast<A>(__shfl_down_sync(kAll, static_cast<unsigned>(a), delta));
  } else if constexpr (std::is_arithmetic_v<A>) {
    if constexpr (std::is_same_v<A, float> || std::is_same_v<A, double>) {
      return __shfl_down_sync(kAll, a, delta);
    } else if constexpr (sizeof(A) == 8) {
      return static_cast<A>(__shfl_down_sync(kAll, static_cast<unsigned long long>(a), delta));
    } else {
      return static_cast<A>(__shfl_down_sync(kAll, static_cast<unsigned>(a), delta));
    }
  } else if constexpr (requires { a.re; }) {
    return A{shuffle_down(a.re, delta), shuffle_down(a.im, delta)};
  } else {
    return A{shuffle_down(a.key, delta), shuffle_down(a.index, delta)};
  }
}

/// Joins 128 lanes, four a thread, of which the first `count` hold something; lane 0 of the warp
/// gets the result.
template <class Op, class A>
__device__ __forceinline__ A join_warp(A (&a)[4], int count) {
  const int lane = static_cast<int>(threadIdx.x % 32) * 4;
#pragma unroll
  for (int half = 64; half >= 4; half /= 2) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const A other = shuffle_down(a[j], static_cast<unsigned>(half / 4));
      if (lane + j < half && lane + j + half < count) a[j] = Op::combine(a[j], other);
    }
  }
  if (count > 2) a[0] = Op::combine(a[0], a[2]);
  if (count > 3) a[1] = Op::combine(a[1], a[3]);
  if (count > 1) a[0] = Op::combine(a[0], a[1]);
  return a[0];
}

/// Writes what a tile gave: its partial result, or the finished one.
template <class Task>
__device__ __forceinline__ void put(const ReduceParams& p, std::int64_t outer, std::int64_t tile,
                                    typename Task::Acc acc, const std::int64_t (&at)[4]) {
  if (p.partials != nullptr) {
    static_cast<typename Task::Acc*>(p.partials)[outer * p.tiles + tile] = acc;
  } else {
    Task::store(p, acc, at);
  }
}

/// Four neighbouring elements of the reduced sequence as accumulators. Those from `end` on repeat
/// the first one, which always exists; the caller leaves them out.
template <class Task>
__device__ __forceinline__ void read_four(typename Task::Acc (&r)[4], const ReduceParams& p,
                                          const std::int64_t (&base)[4], std::int64_t i,
                                          std::int64_t end) {
  std::int64_t at[2][4];
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    std::int64_t o[2] = {0, 0};
    if (i + j < end) p.at_reduced.get(static_cast<std::uint64_t>(i + j), o);
    at[0][j] = base[0] + o[0];
    at[1][j] = base[1] + o[1];
  }
  Task::template read<4>(r, p, at, i);
}

// Occupancy: 2 blocks of 256 threads; dense rows of 32 bits get 4.
template <class Task>
__global__ void __launch_bounds__(kThreads)
    reduce_rows_kernel(const __grid_constant__ ReduceParams p) {
  using Acc = typename Task::Acc;
  constexpr int kBatch = Task::kDense ? 4 : 1;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t units = p.outer * p.tiles;
  const std::int64_t step = std::int64_t(gridDim.x) * (kThreads / 32);
  for (std::int64_t unit = std::int64_t(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
       unit < units; unit += step) {
    const auto outer = static_cast<std::int64_t>(p.by_tiles.div(static_cast<std::uint64_t>(unit)));
    const std::int64_t tile = unit - outer * p.tiles;
    const std::int64_t start = tile * kTile;
    const std::int64_t end = start + kTile < p.n ? start + kTile : p.n;
    std::int64_t base[4];
    p.at_outer.get(static_cast<std::uint64_t>(outer), base);
    Acc acc[4]{};
    for (std::int64_t i = start + lane * 4; i < end; i += kLanes * kBatch) {
      Acc x[kBatch][4];
#pragma unroll
      for (int b = 0; b < kBatch; ++b) {
        if constexpr (Task::kDense) {
          Task::read_dense(x[b], p, base[0], i + b * kLanes, end);
        } else {
          read_four<Task>(x[b], p, base, i + b * kLanes, end);
        }
      }
#pragma unroll
      for (int b = 0; b < kBatch; ++b) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          if (i + b * kLanes + j >= end) continue;
          const bool first = b == 0 && i == start + lane * 4;
          acc[j] = first ? x[b][j] : Task::Op::combine(acc[j], x[b][j]);
        }
      }
    }
    const std::int64_t m = end - start;
    const Acc r = join_warp<typename Task::Op>(acc, static_cast<int>(m < kLanes ? m : kLanes));
    if (lane == 0) put<Task>(p, outer, tile, p.total == 0 ? Task::empty_acc() : r, base);
  }
}

// Occupancy: 1 block of 1024 threads; half of a multiprocessor's warps, of which each has four
// loads in flight.
template <class Task>
__global__ void __launch_bounds__(kColumnThreads)
    reduce_columns_kernel(const __grid_constant__ ReduceParams p) {
  using Acc = typename Task::Acc;
  using Op = typename Task::Op;
  constexpr int kMine = kLanes / kResidues;  // lanes of a thread
  static_assert(kMine == 4);
  __shared__ Acc joined[kResidues][kColumns + 1];
  const int c = static_cast<int>(threadIdx.x % kColumns);
  const int w = static_cast<int>(threadIdx.x / kColumns);
  const std::int64_t blocks = (p.outer + kColumns - 1) / kColumns;
  for (std::int64_t unit = blockIdx.x; unit < blocks * p.tiles; unit += gridDim.x) {
    const auto tile = static_cast<std::int64_t>(p.by_blocks.div(static_cast<std::uint64_t>(unit)));
    const std::int64_t outer = (unit - tile * blocks) * kColumns + c;
    const bool exists = outer < p.outer;
    const std::int64_t start = tile * kTile;
    const std::int64_t m = (start + kTile < p.n ? kTile : p.n - start);
    const int count = static_cast<int>(m < kLanes ? m : kLanes);
    std::int64_t base[4];
    p.at_outer.get(static_cast<std::uint64_t>(exists ? outer : 0), base);
    Acc acc[kMine]{};
    for (std::int64_t row = 0; row < m; row += kLanes) {
      bool valid[kMine];
      std::int64_t at[2][kMine];
#pragma unroll
      for (int q = 0; q < kMine; ++q) {
        const std::int64_t i = row + w + q * kResidues;
        valid[q] = exists && i < m;
        std::int64_t o[2] = {0, 0};
        if (valid[q]) p.at_reduced.get(static_cast<std::uint64_t>(start + i), o);
        at[0][q] = base[0] + o[0];
        at[1][q] = base[1] + o[1];
      }
      Acc x[kMine];
      Task::template read<kMine>(x, p, at, start + row + w, kResidues);
#pragma unroll
      for (int q = 0; q < kMine; ++q) {
        if (valid[q]) acc[q] = row == 0 ? x[q] : Op::combine(acc[q], x[q]);
      }
    }
    if (w + 2 * kResidues < count) acc[0] = Op::combine(acc[0], acc[2]);
    if (w + 3 * kResidues < count) acc[1] = Op::combine(acc[1], acc[3]);
    if (w + kResidues < count) acc[0] = Op::combine(acc[0], acc[1]);
    joined[w][c] = acc[0];
    __syncthreads();
    for (int half = kResidues / 2; half > 0; half /= 2) {
      if (w < half && w + half < count) {
        joined[w][c] = Op::combine(joined[w][c], joined[w + half][c]);
      }
      __syncthreads();
    }
    if (w == 0 && exists) {
      put<Task>(p, outer, tile, p.total == 0 ? Task::empty_acc() : joined[0][c], base);
    }
    __syncthreads();  // before the next unit writes `joined`
  }
}

/// Results of a reduction as they are stored: rounded to the output's kernel dtype, then cast.
template <class R>
__device__ __forceinline__ void store_result(const ReduceParams& p, int which, R value,
                                             const std::int64_t (&at)[4]) {
  const R r[1] = {value};
  const std::int64_t where[1] = {at[2 + which]};
  const bool valid[1] = {true};
  store_cast<R, 1>(r, p.out[which], where, valid, p.out_cast[which]);
}

/// How an accumulator becomes the result.
template <class O>
struct PlainFinish {
  template <class A>
  static __device__ __forceinline__ void store(const ReduceParams& p, A acc,
                                               const std::int64_t (&at)[4]) {
    store_result(p, 0, p.total == 0 ? O::empty() : O::finish(acc, p.total), at);
  }
};

/// The type in which functor F takes elements of dtype S: bool where it only asks whether they are
/// zero, so that all dtypes share its casting walks; else the wide type.
template <template <class> class F, class S>
struct Element {
  using type = wide_t<S>;
};
template <class S>
struct Element<fn::Any, S> {
  using type = bool;
};
template <class S>
struct Element<fn::All, S> {
  using type = bool;
};
template <class S>
struct Element<fn::CountNonzero, S> {
  using type = bool;
};

/// A functor of one input of element type S (dense) or of any storage dtype (not).
template <template <class> class F, class S, bool Dense>
struct OneInput : PlainFinish<F<typename Element<F, S>::type>> {
  using C = typename Element<F, S>::type;
  using Op = F<C>;
  using Acc = typename Op::Acc;
  static constexpr bool kDense = Dense;
  static __device__ __forceinline__ Acc empty_acc() { return Acc{}; }

  static __device__ __forceinline__ void read_dense(Acc (&r)[4], const ReduceParams& p,
                                                    std::int64_t base, std::int64_t i,
                                                    std::int64_t end) {
    const S* s = reinterpret_cast<const S*>(p.data[0] + base) + i;
    if (i + 4 <= end) {
      using M = fn::stored_t<S>;
      const Vec<M, 4> v = *reinterpret_cast<const Vec<M, 4>*>(s);
#pragma unroll
      for (int j = 0; j < 4; ++j) r[j] = Op::map(fn::cast<C>(fn::value_of<S>(v.at[j])));
    } else {
#pragma unroll
      for (int j = 0; j < 4; ++j)
        r[j] = Op::map(i + j < end ? fn::cast<C>(fn::element_at(s + j)) : C{});
    }
  }
  template <int E>
  static __device__ __forceinline__ void read(Acc (&r)[E], const ReduceParams& p,
                                              const std::int64_t (&at)[2][E], std::int64_t,
                                              int = 1) {
    C x[E];
    load_cast<C, E>(x, p.data[0], at[0], p.cast[0]);
#pragma unroll
    for (int e = 0; e < E; ++e) r[e] = Op::map(x[e]);
  }
};

/// A functor of two inputs: B is the second one's element type.
template <class O, class Finish, class S, class B>
struct TwoInputs : Finish {
  using C = wide_t<S>;
  using Op = O;
  using Acc = typename Op::Acc;
  static constexpr bool kDense = false;
  static __device__ __forceinline__ Acc empty_acc() { return Acc{}; }

  template <int E>
  static __device__ __forceinline__ void read(Acc (&r)[E], const ReduceParams& p,
                                              const std::int64_t (&at)[2][E], std::int64_t,
                                              int = 1) {
    C x[E];
    B y[E];
    load_cast<C, E>(x, p.data[0], at[0], p.cast[0]);
    if (p.is_number[1]) {
#pragma unroll
      for (int e = 0; e < E; ++e) y[e] = wrap_to(scalar_value<B>(p.number[1]), p.cast[1]);
    } else {
      load_cast<B, E>(y, p.data[1], at[1], p.cast[1]);
    }
#pragma unroll
    for (int e = 0; e < E; ++e) r[e] = Op::map(x[e], y[e]);
  }
};

/// A functor of an element and its index.
template <class O, class Finish, class S>
struct Indexed : Finish {
  using C = wide_t<S>;
  using Op = O;
  using Acc = typename Op::Acc;
  static constexpr bool kDense = false;
  static __device__ __forceinline__ Acc empty_acc() { return Op::identity(); }

  template <int E>
  static __device__ __forceinline__ void read(Acc (&r)[E], const ReduceParams& p,
                                              const std::int64_t (&at)[2][E], std::int64_t i,
                                              int step = 1) {
    C x[E];
    load_cast<C, E>(x, p.data[0], at[0], p.cast[0]);
#pragma unroll
    for (int e = 0; e < E; ++e) r[e] = Op::map(x[e], i + e * step);
  }
};

/// The tree over the tiles' accumulators.
template <class Task>
struct Joined {
  using Op = typename Task::Op;
  using Acc = typename Task::Acc;
  static constexpr bool kDense = true;
  static __device__ __forceinline__ Acc empty_acc() { return Task::empty_acc(); }
  static __device__ __forceinline__ void read_dense(Acc (&r)[4], const ReduceParams& p,
                                                    std::int64_t base, std::int64_t i,
                                                    std::int64_t end) {
    const Acc* s = reinterpret_cast<const Acc*>(p.data[0] + base) + i;
#pragma unroll
    for (int j = 0; j < 4; ++j) r[j] = i + j < end ? s[j] : Acc{};
  }
  static __device__ __forceinline__ void store(const ReduceParams& p, Acc acc,
                                               const std::int64_t (&at)[4]) {
    Task::store(p, acc, at);
  }
};

/// The root or not of the mean square distance, from n and the correction.
template <class O, bool Root>
struct VarianceFinish {
  template <class A>
  static __device__ __forceinline__ void store(const ReduceParams& p, A acc,
                                               const std::int64_t (&at)[4]) {
    const bool none = p.total == 0;
    const A v = O::variance(none ? A(0) : acc, p.total, none ? 0.0 : p.param);
    store_result(p, 0, Root ? fn::sqrt_rn(v) : v, at);
  }
};

/// The index of the extreme element and, with two outputs, the element itself before it. The input
/// is also at place 1 of the parameters, where the later passes leave it alone.
template <class C>
struct IndexFinish {
  template <class A>
  static __device__ __forceinline__ void store(const ReduceParams& p, A acc,
                                               const std::int64_t (&at)[4]) {
    if (p.out[1] == nullptr) return store_result(p, 0, acc.index, at);
    std::int64_t o[2];
    p.at_reduced.get(static_cast<std::uint64_t>(acc.index), o);
    const std::int64_t where[1] = {at[1] + o[1]};
    C x[1];
    load_cast<C, 1>(x, p.data[1], where, p.cast[1]);
    store_result(p, 0, x[0], at);
    store_result(p, 1, acc.index, at);
  }
};

/// The kernels of one reduction in one dtype.
struct ReduceEntry {
  void (*dense)(ReduceParams) =
      nullptr;  // rows of elements stored as they are computed; may be null
  void (*rows)(ReduceParams) = nullptr;
  void (*columns)(ReduceParams) = nullptr;
  void (*joined)(ReduceParams) = nullptr;
  int acc_size = 0;
  DType storage = DType::kCount;  // of `dense`
  bool indexed = false;           // the input is needed at place 1 as well
  bool computed_second =
      false;  // the second input is seen in the compute dtype, not rounded to l.dtype
};

/// JoinTask: one of the same accumulator and result, whose joining kernel serves.
template <class Task, class JoinTask = Task>
ReduceEntry general_entry() {
  static_assert(fn::same_v<typename Task::Acc, typename JoinTask::Acc>);
  ReduceEntry e;
  e.rows = &reduce_rows_kernel<Task>;
  e.columns = &reduce_columns_kernel<Task>;
  e.joined = &reduce_rows_kernel<Joined<JoinTask>>;
  e.acc_size = static_cast<int>(sizeof(typename Task::Acc));
  return e;
}

/// The element type that stands for all with the same accumulator and result, when it comes to
/// joining: sums of every integer dtype are joined in 64 bits.
template <template <class> class F, class C, class A = typename F<C>::Acc>
constexpr auto joined_as() {
  if constexpr (fn::same_v<typename F<A>::Acc, A> &&
                fn::same_v<typename F<A>::Result, typename F<C>::Result>) {
    return A{};
  } else {
    return C{};
  }
}

/// Dtypes of one element type share the kernels that cast.
template <template <class> class F, class S>
ReduceEntry one_input_entry() {
  using C = typename Element<F, S>::type;
  using Joining = OneInput<F, decltype(joined_as<F, C>()), false>;
  ReduceEntry e = general_entry<OneInput<F, C, false>, Joining>();
  e.dense = &reduce_rows_kernel<OneInput<F, S, true>>;
  e.storage = dtype_of<S>;
  return e;
}

struct ReduceRow {
  ReduceEntry by_dtype[kNumDTypes];
  ReduceEntry pair[kNumDTypes];  // the same of the product of two inputs
};

/// The rows of reduction.def, then the irregular reductions, by number.
enum ReductionNumber : int {
#define TANDEM_REDUCTION(name, ...) reduction_##name,
#include "tandem/ops/reduction.def"
  kReductionRows
};
struct ReduceTables {
  ReduceRow rows[kReductionRows];
  ReduceRow argmax, argmin, var, std;
  ReduceRow abs_sum, square_sum, abs_max, abs_min;  // norms
};

// One a translation unit, named after its dtypes or ops.
void fill_reductions_float32(ReduceTables& t);   // and the 16-bit floats
void fill_reductions_float64(ReduceTables& t);   // and the complex dtypes
void fill_reductions_integers(ReduceTables& t);  // and bool
void fill_reductions_pair(ReduceTables& t);
void fill_reductions_indexed(ReduceTables& t);
void fill_reductions_norm(ReduceTables& t);

/// Queues a reduction; the answer is that of the launches. Reports a lack of memory itself.
cudaError_t run_reduction(const ReduceLaunch& l, const ReduceEntry& entry);

/// Kernel::launch of every reduction; `self` is its ReduceRow.
void launch_reduction(const void* desc, const void* self);

}  // namespace tandem::cuda
