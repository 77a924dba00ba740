// Scans in scan order 1 of docs/numerics.md, for any functor of kernels/functors/scan.h: segments
// of 16 elements, 16 segments a group, 16 groups a tile of 4096.
//
// Note [Three phases]
// A row of several tiles takes three: the tiles' totals, the scan of the totals (a row of its own,
// exclusive, by the same kernel), then the tiles again, each with what comes before it. Both walks
// give the same bits:
// rows: a block takes a tile of one row, or as many rows as fit where they are short, through
// shared memory, so that loads and stores are coalesced; each thread owns a segment, and adds up
// the totals of the segments and groups before its own.
// columns: for elements that lie densely across the rows. A block takes a tile of 32 rows (columns
// in memory), one group after the other: thread (w, c) holds segment w of column c in registers.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/functors/scan.h"
#include "tandem/backend/scan.h"
#include "tandem/cuda/access.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

inline constexpr int kScanSegment = 16;
inline constexpr int kScanGroup = 256;
inline constexpr std::int64_t kScanTile = 4096;
inline constexpr int kScanColumns = 32;  // of a block of the columns walk
inline constexpr unsigned kScanColumnThreads = kScanColumns * kScanSegment;

struct ScanParams {
  const char* in;
  ElementCast in_cast;
  char* out[2];
  ElementCast out_cast[2];
  std::int64_t in_stride, out_stride[2];  // bytes along a row
  void* totals;        // one accumulator a tile, [rows][tiles]: nothing else is written then
  const void* before;  // what comes before each tile, the same; null: nothing does
  std::int64_t rows, n, tiles;
  std::int32_t segments;       // of a row in a tile
  std::int32_t rows_of_block;  // rows walk: rows that a block takes at a time
  bool exclusive;              // an element of the result leaves the element itself out
  bool dense;             // elements in and out lie densely and are stored as they are computed
  WideOffsets<3> at_row;  // input, outputs
  FastDiv64 by_tiles, by_columns;
  FastDiv by_segments, by_length;
};

/// Threads of a block of the rows walk, each with a segment in shared memory: half a tile at a
/// time.
inline constexpr int kScanThreads = 128;

/// A segment's elements are strided by 17 in shared memory, so that threads meet different banks.
__device__ __forceinline__ int scan_place(int i) { return i + i / kScanSegment; }

/// Elements of any stored dtype; accumulators in between are their own elements.
template <class O, bool Totals>
struct ScanTask {
  using Op = O;
  using Acc = typename O::Acc;
  using Elem = typename O::Elem;

  static __device__ __forceinline__ Acc read(const ScanParams& p, std::int64_t at, std::int64_t i) {
    if constexpr (Totals) {
      return *reinterpret_cast<const Acc*>(p.in + at);
    } else {
      Elem x[1];
      const std::int64_t where[1] = {at};
      load_cast<Elem, 1>(x, p.in, where, p.in_cast);
      return O::map(x[0], i);
    }
  }
  static __device__ __forceinline__ void write(const ScanParams& p, Acc a,
                                               const std::int64_t (&row)[3], std::int64_t i) {
    if constexpr (Totals) {
      *reinterpret_cast<Acc*>(p.out[0] + row[1] + i * p.out_stride[0]) = a;
    } else {
      const bool valid[1] = {true};
      const Elem v[1] = {O::value(a)};
      const std::int64_t at[1] = {row[1] + i * p.out_stride[0]};
      store_cast<Elem, 1>(v, p.out[0], at, valid, p.out_cast[0]);
      if constexpr (O::kIndexed) {
        const std::int64_t index[1] = {O::index(a)};
        const std::int64_t place[1] = {row[2] + i * p.out_stride[1]};
        store_cast<std::int64_t, 1>(index, p.out[1], place, valid, p.out_cast[1]);
      }
    }
  }
};

/// A prefix that may be missing, joined to an accumulator after it.
template <class Op, class A>
__device__ __forceinline__ A after(bool has, A before, A a) {
  return has ? Op::combine(before, a) : a;
}

/// The rows walk's units: which rows and elements a block takes.
struct ScanUnit {
  std::int64_t row, tile, start;  // the first row; its tile, and the tile's first element
  int rows, length;               // rows, and elements of each
};

__device__ __forceinline__ ScanUnit scan_unit(const ScanParams& p, std::int64_t unit) {
  ScanUnit u;
  if (p.tiles == 1) {
    u.row = unit * p.rows_of_block;
    u.tile = 0;
    const std::int64_t left = p.rows - u.row;
    u.rows = static_cast<int>(left < p.rows_of_block ? left : p.rows_of_block);
  } else {
    u.row = static_cast<std::int64_t>(p.by_tiles.div(static_cast<std::uint64_t>(unit)));
    u.tile = unit - u.row * p.tiles;
    u.rows = 1;
  }
  u.start = u.tile * kScanTile;
  const std::int64_t left = p.n - u.start;
  u.length = static_cast<int>(left < kScanTile ? left : kScanTile);
  return u;
}

/// Where a thread's element of a block lies: row by row, each from the start of a segment.
struct ScanPlace {
  int row, i, place;
};
__device__ __forceinline__ ScanPlace scan_element(const ScanParams& p, const ScanUnit& u, int k,
                                                  int first) {
  ScanPlace e;
  e.row = u.rows == 1 ? 0 : static_cast<int>(p.by_length.div(static_cast<std::uint32_t>(k)));
  e.i = first + k - e.row * u.length;
  e.place = scan_place(e.row * p.segments * kScanSegment + e.i - first);
  return e;
}

/// Elements [first, first + count) of the unit's rows to shared memory; a whole run of one dense
/// row in loads of 16 bytes.
template <class Task>
__device__ __forceinline__ void scan_load(const ScanParams& p, const ScanUnit& u, int first,
                                          int count, typename Task::Acc* shared) {
  using Elem = typename Task::Elem;
  const int lane = static_cast<int>(threadIdx.x);
  if constexpr (fn::same_v<Elem, typename Task::Acc> && sizeof(Elem) < 16) {
    constexpr int kVec = 16 / static_cast<int>(sizeof(Elem));
    if (p.dense && u.rows == 1 && count == kScanThreads * kScanSegment) {
      std::int64_t row[3];
      p.at_row.get(static_cast<std::uint64_t>(u.row), row);
      const auto* x = reinterpret_cast<const Vec<Elem, kVec>*>(
          p.in + row[0] + (u.start + first) * static_cast<std::int64_t>(sizeof(Elem)));
#pragma unroll
      for (int k = 0; k < kScanSegment / kVec; ++k) {
        const int v = k * kScanThreads + lane;
        const Vec<Elem, kVec> four = x[v];
#pragma unroll
        for (int j = 0; j < kVec; ++j) shared[scan_place(v * kVec + j)] = four.at[j];
      }
      return;
    }
  }
  std::int64_t row[3];
  p.at_row.get(static_cast<std::uint64_t>(u.row), row);
  for (int k = lane; k < u.rows * count; k += kScanThreads) {
    const ScanPlace e = scan_element(p, u, k, first);
    if (u.rows > 1) p.at_row.get(static_cast<std::uint64_t>(u.row + e.row), row);
    const std::int64_t i = u.start + e.i;
    shared[e.place] = Task::read(p, row[0] + i * p.in_stride, i);
  }
}

/// The same way back.
template <class Task>
__device__ __forceinline__ void scan_store(const ScanParams& p, const ScanUnit& u, int first,
                                           int count, const typename Task::Acc* shared) {
  using Elem = typename Task::Elem;
  const int lane = static_cast<int>(threadIdx.x);
  if constexpr (fn::same_v<Elem, typename Task::Acc> && sizeof(Elem) < 16) {
    constexpr int kVec = 16 / static_cast<int>(sizeof(Elem));
    if (p.dense && u.rows == 1 && count == kScanThreads * kScanSegment) {
      std::int64_t row[3];
      p.at_row.get(static_cast<std::uint64_t>(u.row), row);
      auto* to = reinterpret_cast<Vec<Elem, kVec>*>(
          p.out[0] + row[1] + (u.start + first) * static_cast<std::int64_t>(sizeof(Elem)));
#pragma unroll
      for (int k = 0; k < kScanSegment / kVec; ++k) {
        const int v = k * kScanThreads + lane;
        Vec<Elem, kVec> four;
#pragma unroll
        for (int j = 0; j < kVec; ++j) four.at[j] = shared[scan_place(v * kVec + j)];
        to[v] = four;
      }
      return;
    }
  }
  std::int64_t row[3];
  p.at_row.get(static_cast<std::uint64_t>(u.row), row);
  for (int k = lane; k < u.rows * count; k += kScanThreads) {
    const ScanPlace e = scan_element(p, u, k, first);
    if (u.rows > 1) p.at_row.get(static_cast<std::uint64_t>(u.row + e.row), row);
    Task::write(p, shared[e.place], row, u.start + e.i);
  }
}

/// Joins a thread's segment in place; its total.
template <class Op, class A>
__device__ __forceinline__ A scan_segment(A* mine, int count) {
  A a = mine[0];
  for (int i = 1; i < count; ++i) {
    a = Op::combine(a, mine[i]);
    mine[i] = a;
  }
  return a;
}

/// Puts what comes before in front of a joined segment. Exclusive: each element gets what its
/// predecessor has, and the first one what comes before.
template <class Op, class A>
__device__ __forceinline__ void scan_finish(A* mine, int count, bool has, A before,
                                            bool exclusive) {
  A last = before;
  for (int i = 0; i < count; ++i) {
    const A a = after<Op>(has, before, mine[i]);
    mine[i] = exclusive ? last : a;
    last = a;
  }
}

// Occupancy: 4 blocks of 128 threads; twice as many where accumulators have 8 bytes or less.
template <class Task>
__global__ void __launch_bounds__(kScanThreads)
    scan_rows_kernel(const __grid_constant__ ScanParams p) {
  using Op = typename Task::Op;
  using Acc = typename Task::Acc;
  constexpr int kMost = kScanThreads * kScanSegment;  // elements at a time
  __shared__ Acc elements[kMost + kScanThreads];
  __shared__ Acc of_segment[kScanThreads];
  __shared__ Acc of_group[kScanThreads];
  const int lane = static_cast<int>(threadIdx.x);
  const int mine_row = static_cast<int>(p.by_segments.div(static_cast<std::uint32_t>(lane)));
  const int segment = lane - mine_row * p.segments;  // of the row in this part of the tile
  const int group = segment / kScanSegment;
  const std::int64_t units =
      p.tiles == 1 ? (p.rows + p.rows_of_block - 1) / p.rows_of_block : p.rows * p.tiles;
  for (std::int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const ScanUnit u = scan_unit(p, unit);
    const bool has_tile = p.before != nullptr && u.tile != 0;
    const Acc before_tile =
        has_tile ? static_cast<const Acc*>(p.before)[u.row * p.tiles + u.tile] : Acc{};
    Acc groups{};  // of the parts before, joined
    for (int first = 0; first < u.length; first += kMost) {
      const int count = u.length - first < kMost ? u.length - first : kMost;
      scan_load<Task>(p, u, first, count, elements);
      __syncthreads();
      const int left = count - segment * kScanSegment;
      const int own =
          mine_row >= u.rows || left <= 0 ? 0 : (left < kScanSegment ? left : kScanSegment);
      Acc* mine = elements + scan_place(lane * kScanSegment);
      if (own > 0) of_segment[lane] = scan_segment<Op>(mine, own);
      __syncthreads();
      // The totals of the segments before this one in its group, from the left.
      const int begin = lane - segment % kScanSegment;
      Acc joined{};
      if (own > 0 && lane != begin) {
        joined = of_segment[begin];
        for (int s = begin + 1; s < lane; ++s) joined = Op::combine(joined, of_segment[s]);
      }
      const bool ends = own > 0 && (segment % kScanSegment == kScanSegment - 1 ||
                                    (segment + 1) * kScanSegment >= count);
      if (ends) {  // the group's last segment
        of_group[mine_row * p.segments + group] =
            after<Op>(lane != begin, joined, of_segment[lane]);
      }
      __syncthreads();
      // The groups before it in the tile: those of earlier parts, then those of this one.
      const bool has_groups = first > 0 || group > 0;
      Acc so_far = groups;
      for (int g = 0; g < group; ++g) {
        const Acc total = of_group[mine_row * p.segments + g];
        so_far = after<Op>(first > 0 || g > 0, so_far, total);
      }
      const int n_groups = (count + kScanGroup - 1) / kScanGroup;
      const bool more = first + kMost < u.length;
      if (more || (p.totals != nullptr && lane == 0)) {
        for (int g = 0; g < n_groups; ++g) {
          groups = after<Op>(first > 0 || g > 0, groups, of_group[g]);
        }
      }
      if (p.totals == nullptr && own > 0) {
        const Acc outer = has_groups ? after<Op>(has_tile, before_tile, so_far) : before_tile;
        const bool has_outer = has_groups || has_tile;
        const Acc before = lane != begin ? after<Op>(has_outer, outer, joined) : outer;
        scan_finish<Op>(mine, own, has_outer || lane != begin, before, p.exclusive);
      }
      __syncthreads();
      if (p.totals == nullptr) {
        scan_store<Task>(p, u, first, count, elements);
        __syncthreads();  // before the next part or unit is loaded
      }
    }
    if (p.totals != nullptr && lane == 0) {
      static_cast<Acc*>(p.totals)[u.row * p.tiles + u.tile] = groups;
    }
  }
}

// Occupancy: 1 block of 512 threads; a thread has the loads of a whole segment in flight.
template <class Task>
__global__ void __launch_bounds__(kScanColumnThreads, 1)
    scan_columns_kernel(const __grid_constant__ ScanParams p) {
  using Op = typename Task::Op;
  using Acc = typename Task::Acc;
  __shared__ Acc of_segment[kScanSegment][kScanColumns];
  __shared__ Acc of_group[kScanColumns];
  const int c = static_cast<int>(threadIdx.x % kScanColumns);
  const int w = static_cast<int>(threadIdx.x / kScanColumns);
  const std::int64_t blocks = (p.rows + kScanColumns - 1) / kScanColumns;
  for (std::int64_t unit = blockIdx.x; unit < blocks * p.tiles; unit += gridDim.x) {
    const auto tile = static_cast<std::int64_t>(p.by_columns.div(static_cast<std::uint64_t>(unit)));
    const std::int64_t row = (unit - tile * blocks) * kScanColumns + c;
    const bool exists = row < p.rows;
    std::int64_t base[3];
    p.at_row.get(static_cast<std::uint64_t>(exists ? row : 0), base);
    const std::int64_t start = tile * kScanTile;
    const std::int64_t end = start + kScanTile < p.n ? start + kScanTile : p.n;
    const bool has_tile = p.before != nullptr && tile != 0;
    const Acc before_tile =
        has_tile && exists ? static_cast<const Acc*>(p.before)[row * p.tiles + tile] : Acc{};
    Acc groups{};
    for (std::int64_t first = start; first < end; first += kScanGroup) {
      const std::int64_t at = first + w * kScanSegment;
      const std::int64_t left = exists ? end - at : 0;
      const int own = static_cast<int>(left < 0 ? 0 : (left < kScanSegment ? left : kScanSegment));
      Acc a[kScanSegment];
#pragma unroll
      for (int i = 0; i < kScanSegment; ++i) {
        a[i] = i < own ? Task::read(p, base[0] + (at + i) * p.in_stride, at + i) : Acc{};
      }
#pragma unroll
      for (int i = 1; i < kScanSegment; ++i) {
        a[i] = i < own ? Op::combine(a[i - 1], a[i]) : a[i - 1];
      }
      of_segment[w][c] = a[kScanSegment - 1];
      __syncthreads();
      Acc joined{};
      for (int s = 0; s < w; ++s) joined = after<Op>(s > 0, joined, of_segment[s][c]);
      const std::int64_t in_group = end - first < kScanGroup ? end - first : kScanGroup;
      if (w == static_cast<int>((in_group - 1) / kScanSegment)) {  // the group's last segment
        of_group[c] = after<Op>(w > 0, joined, a[kScanSegment - 1]);
      }
      __syncthreads();
      const bool has_groups = first > start;
      if (p.totals == nullptr) {
        const Acc outer = has_groups ? after<Op>(has_tile, before_tile, groups) : before_tile;
        const bool has_outer = has_groups || has_tile;
        const Acc before = w > 0 ? after<Op>(has_outer, outer, joined) : outer;
        const bool has = has_outer || w > 0;
#pragma unroll
        for (int i = 0; i < kScanSegment; ++i) {
          if (i < own) Task::write(p, after<Op>(has, before, a[i]), base, at + i);
        }
      }
      groups = after<Op>(has_groups, groups, of_group[c]);
      // of_group is not written again before the next barrier.
    }
    if (p.totals != nullptr && w == 0 && exists) {
      static_cast<Acc*>(p.totals)[row * p.tiles + tile] = groups;
    }
    __syncthreads();  // before the next unit writes of_segment
  }
}

/// The kernels of one scan in one dtype.
struct ScanEntry {
  void (*rows)(ScanParams) = nullptr;
  void (*columns)(ScanParams) = nullptr;
  void (*totals)(ScanParams) = nullptr;  // of accumulators
  int acc_size = 0;
  DType dtype = DType::kCount;
  bool indexed = false;
};

template <class Op>
ScanEntry scan_entry() {
  using Acc = typename Op::Acc;
  ScanEntry e;
  e.rows = &scan_rows_kernel<ScanTask<Op, false>>;
  e.columns = &scan_columns_kernel<ScanTask<Op, false>>;
  e.totals = &scan_rows_kernel<ScanTask<Op, true>>;
  e.acc_size = static_cast<int>(sizeof(Acc));
  e.dtype = dtype_of<typename Op::Elem>;
  e.indexed = Op::kIndexed;
  return e;
}

/// A row's kernels by scan_dtype.
struct ScanRow {
  ScanEntry by_dtype[kNumDTypes];
};

template <template <class> class F, class... Elem>
ScanRow scan_row() {
  ScanRow r;
  ((r.by_dtype[static_cast<int>(dtype_of<Elem>)] = scan_entry<F<Elem>>()), ...);
  return r;
}

}  // namespace tandem::cuda
