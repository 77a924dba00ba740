// Copies and casts: movement by the width of an element, transposes through shared memory where the
// fast axes differ, and one casting kernel a compute type.
#include "kernels/cuda/context.h"
#include "kernels/cuda/masks.h"
#include "tandem/cuda/plan.h"

namespace tandem::cuda {

namespace {

struct Identity {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    return x;
  }
};

// ---- transposes

struct TransposeParams {
  const char* in;
  char* out;
  std::uint32_t rows, columns;      // out is dense along columns, in along rows
  std::int64_t in_column, out_row;  // the other strides, bytes
  FastDiv tiles_per_plane, tiles_per_row;
  std::uint32_t tiles;
  Offsets<2> planes;  // out, in
};

/// Side of a tile: wide enough that a line of it is at least 64 bytes.
template <class T>
inline constexpr int kSide = sizeof(T) <= 2 ? 64 : 32;

// A block moves one tile: reads along the input's dense axis, writes along the output's. A row of
// the tile is padded by one element, so that a column of it falls into different banks.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads)
    transpose_kernel(const __grid_constant__ TransposeParams p) {
  constexpr int S = kSide<T>;
  constexpr int kStep = static_cast<int>(kThreads) / S;
  __shared__ T tile[S][S + 1];
  const int x = static_cast<int>(threadIdx.x) % S;
  const int y = static_cast<int>(threadIdx.x) / S;
  for (std::uint32_t t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    const std::uint32_t plane = p.tiles_per_plane.div(t);
    const std::uint32_t in_plane = t - plane * p.tiles_per_plane.divisor;
    const std::uint32_t tile_row = p.tiles_per_row.div(in_plane);
    const std::uint32_t row0 = tile_row * S;
    const std::uint32_t column0 = (in_plane - tile_row * p.tiles_per_row.divisor) * S;
    std::int64_t at[2];
    p.planes.get(plane, at);
    const std::uint32_t from_row = row0 + static_cast<std::uint32_t>(x);
#pragma unroll
    for (int k = 0; k < S; k += kStep) {
      const std::uint32_t column = column0 + static_cast<std::uint32_t>(y + k);
      if (from_row < p.rows && column < p.columns) {
        tile[y + k][x] = reinterpret_cast<const T*>(p.in + at[1] + column * p.in_column)[from_row];
      }
    }
    __syncthreads();
    const std::uint32_t to_column = column0 + static_cast<std::uint32_t>(x);
#pragma unroll
    for (int k = 0; k < S; k += kStep) {
      const std::uint32_t row = row0 + static_cast<std::uint32_t>(y + k);
      if (row < p.rows && to_column < p.columns) {
        reinterpret_cast<T*>(p.out + at[0] + row * p.out_row)[to_column] = tile[x][y + k];
      }
    }
    __syncthreads();  // before the next tile is read
  }
}

// ---- dense casts

struct CastParams {
  const char* in;
  char* out;
  std::int64_t count;
  ElementCast from, to;
};

// Eight loads in flight a thread, each coalesced over the warp.
// Occupancy: 3 blocks of 256 threads.
template <class C>
__global__ void __launch_bounds__(kThreads) cast_kernel(const __grid_constant__ CastParams p) {
  constexpr int E = sizeof(C) > 8 ? 4 : 8;
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads * E;
  for (std::int64_t base = std::int64_t(blockIdx.x) * kThreads * E + threadIdx.x; base < p.count;
       base += step) {
    C r[E];
    bool valid[E];
    std::int64_t from[E];
    std::int64_t to[E];
#pragma unroll
    for (int e = 0; e < E; ++e) {
      const std::int64_t i = base + e * static_cast<int>(kThreads);
      valid[e] = i < p.count;
      from[e] = (valid[e] ? i : base) * p.from.bytes;
      to[e] = i * p.to.bytes;
    }
    load_cast<C, E>(r, p.in, from, p.from);
    store_cast<C, E>(r, p.out, to, valid, p.to);
  }
}

// ---- the choice

struct CopyTables {
  ElementwiseEntry<1> by_dtype[kNumDTypes];   // casts through the dtype's compute type
  void (*cast[kNumDTypes])(CastParams) = {};  // the same, dense
  ElementwiseEntry<1> by_width[17];           // movement, by bytes of an element
  void (*transpose[17])(TransposeParams) = {};
  int side[17] = {};
  DType carrier[17] = {};  // a dtype of that width
};

template <class T>
void add_width(CopyTables& t) {
  t.by_width[sizeof(T)] = make_entry<Identity, T, 1>(std::make_integer_sequence<int, 1>());
  t.transpose[sizeof(T)] = &transpose_kernel<T>;
  t.side[sizeof(T)] = kSide<T>;
  t.carrier[sizeof(T)] = dtype_of<T>;
}

const CopyTables* make_tables() {
  auto* t = new CopyTables();  // bound to the end of the process
  for_each_dtype<mask(dtypes::All)>([&]<class T>(int d) {
    t->by_dtype[d].general = &general_kernel<Identity, wide_t<T>, 1>;
    t->cast[d] = &cast_kernel<wide_t<T>>;
  });
  add_width<std::uint8_t>(*t);
  add_width<std::uint16_t>(*t);
  add_width<std::uint32_t>(*t);
  add_width<std::uint64_t>(*t);
  add_width<Complex128>(*t);
  return t;
}

/// The dimension along which the input is dense, where the output is dense along the last one and
/// the input is not; -1 where there is none.
int conflicting_axis(const ElementwiseLaunch& l, std::int64_t item) {
  const int last = l.rank - 1;
  if (last < 1 || l.operands[0].strides[last] != item || l.operands[1].strides[last] == item ||
      l.operands[1].strides[last] == 0) {
    return -1;
  }
  for (int d = last - 1; d >= 0; --d) {
    // A short side would leave most of a tile empty.
    if (l.operands[1].strides[d] == item && l.shape[d] >= 8 && l.shape[last] >= 8) return d;
  }
  return -1;
}

cudaError_t transpose(const ElementwiseLaunch& l, const CopyTables& t, std::size_t width,
                      int axis) {
  const int last = l.rank - 1;
  const int side = t.side[width];
  TransposeParams p;
  p.in = static_cast<const char*>(l.operands[1].data);
  p.out = static_cast<char*>(l.operands[0].data);
  p.rows = static_cast<std::uint32_t>(l.shape[axis]);
  p.columns = static_cast<std::uint32_t>(l.shape[last]);
  p.in_column = l.operands[1].strides[last];
  p.out_row = l.operands[0].strides[axis];
  const std::int64_t across = (l.shape[last] + side - 1) / side;
  const std::int64_t in_plane = (l.shape[axis] + side - 1) / side * across;
  p.tiles_per_row = FastDiv(static_cast<std::uint32_t>(across));
  p.tiles_per_plane = FastDiv(static_cast<std::uint32_t>(in_plane));
  std::int64_t planes = 1;
  for (int d = last - 1; d >= 0; --d) {
    if (d == axis) continue;
    for (int k = 0; k < 2; ++k) p.planes.strides[p.planes.rank][k] = l.operands[k].strides[d];
    p.planes.push(l.shape[d]);
    planes *= l.shape[d];
  }
  p.tiles = static_cast<std::uint32_t>(planes * in_plane);
  return launch(t.transpose[width], grid_for(p.tiles), kThreads, p, l.device, l.stream);
}

cudaError_t move(ElementwiseLaunch l, const CopyTables& t) {
  const std::size_t width = element_size(l.operands[0].dtype);
  const DType carrier = t.carrier[width];
  for (int k = 0; k < 2; ++k) l.operands[k].dtype = l.operands[k].kernel = carrier;
  l.dtype = carrier;
  const int axis = conflicting_axis(l, static_cast<std::int64_t>(width));
  const bool fits = l.numel <= kMaxElements && l.rank <= kKernelRank;
  if (axis >= 0 && fits) return transpose(l, t, width, axis);
  return run_elementwise<1>(l, t.by_width[width]);
}

cudaError_t cast(ElementwiseLaunch l, const CopyTables& t) {
  const OperandDesc& to = l.operands[0];
  const OperandDesc& from = l.operands[1];
  const auto d = static_cast<int>(to.dtype);
  const auto to_size = static_cast<int>(element_size(to.dtype));
  const auto from_size = static_cast<int>(element_size(from.dtype));
  const bool dense =
      l.rank == 0 || (l.rank == 1 && to.strides[0] == to_size && from.strides[0] == from_size);
  if (dense && from.data != nullptr) {
    const CastParams p{static_cast<const char*>(from.data), static_cast<char*>(to.data), l.numel,
                       element_cast(from.dtype, to.dtype), element_cast(to.dtype, to.dtype)};
    return launch(t.cast[d], grid_for((l.numel + kThreads * 8 - 1) / (kThreads * 8)), kThreads, p,
                  l.device, l.stream);
  }
  for (int k = 0; k < 2; ++k) l.operands[k].kernel = to.dtype;
  l.dtype = to.dtype;
  l.contiguous = false;
  return run_elementwise<1>(l, t.by_dtype[d]);
}

/// The launch struct is that of an elementwise op of one input; elements are cast from dtype to
/// dtype at once.
void launch_copy(const void* desc, const void* self) {
  const auto& l = *static_cast<const ElementwiseLaunch*>(desc);
  const auto& t = *static_cast<const CopyTables*>(self);
  if (l.numel == 0) return;
  const bool same = l.operands[0].dtype == l.operands[1].dtype && l.operands[1].data != nullptr;
  check(same ? move(l, t) : cast(l, t), l.row->name);
}

}  // namespace

int bind_copy() {
  static const CopyTables* t = make_tables();
  return host().bind("copy_", DeviceKind::CUDA, Kernel{&launch_copy, t});
}

}  // namespace tandem::cuda
