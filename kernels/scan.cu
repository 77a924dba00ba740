// The host side of the scans: which walk, and the three phases of rows of several tiles.
#include "kernels/cuda/scan.h"

#include <utility>

#include "kernels/cuda/context.h"

namespace tandem::cuda {

namespace {

std::int64_t magnitude(std::int64_t x) { return x < 0 ? -x : x; }

std::int64_t tiles_of(std::int64_t n) { return (n + kScanTile - 1) / kScanTile; }

/// One scan on its way to the device.
struct Scan {
  const ScanLaunch& l;
  const ScanEntry& entry;
  ScanParams p{};

  /// Integers are carried in 64 bits, from which they wrap to what is stored.
  DType kernel(DType asked) const { return dtypes::BoolInts.has(asked) ? entry.dtype : asked; }

  void set_operands() {
    p.in = static_cast<const char*>(l.in.data);
    p.in_cast = element_cast(l.in.dtype, kernel(l.dtype));
    p.in_stride = l.in_stride;
    for (int k = 0; k < l.n_out; ++k) {
      p.out[k] = static_cast<char*>(l.out[k].data);
      p.out_cast[k] = element_cast(l.out[k].dtype, k == 0 ? kernel(l.dtype) : DType::int64);
      p.out_stride[k] = l.out_stride[k];
    }
    p.rows = l.numel;
    set_length(p, l.n);
  }

  /// The other dimensions, sorted so that neighbouring rows are neighbours in the input, and merged
  /// where they nest.
  void set_rows() {
    int order[kMaxRank];
    int rank = 0;
    for (int d = 0; d < l.rank; ++d) {
      if (l.shape[d] != 1) order[rank++] = d;
    }
    for (int i = 1; i < rank; ++i) {
      for (int j = i;
           j > 0 && magnitude(l.in.strides[order[j - 1]]) < magnitude(l.in.strides[order[j]]);
           --j) {
        std::swap(order[j - 1], order[j]);
      }
    }
    std::int64_t size = 1;
    for (int i = rank - 1; i >= 0; --i) {
      auto& r = p.at_row;
      const int d = order[i];
      std::int64_t s[3] = {l.in.strides[d], l.out[0].strides[d],
                           l.n_out > 1 ? l.out[1].strides[d] : 0};
      bool nests = r.rank > 0;
      for (int k = 0; k < 3; ++k) nests = nests && s[k] == r.strides[r.rank - 1][k] * size;
      if (nests) {
        size *= l.shape[d];
        r.sizes[r.rank - 1] = FastDiv64(static_cast<std::uint64_t>(size));
        continue;
      }
      size = l.shape[d];
      for (int k = 0; k < 3; ++k) r.strides[r.rank][k] = s[k];
      r.push(size);
    }
  }

  void set_length(ScanParams& q, std::int64_t n) const {
    q.n = n;
    q.tiles = tiles_of(n);
    const std::int64_t in_tile = (std::min(n, kScanTile) + kScanSegment - 1) / kScanSegment;
    q.segments = static_cast<std::int32_t>(std::min<std::int64_t>(in_tile, kScanThreads));
    q.rows_of_block = q.tiles > 1 ? 1 : kScanThreads / q.segments;
    q.by_segments = FastDiv(static_cast<std::uint32_t>(q.segments));
    q.by_length = FastDiv(static_cast<std::uint32_t>(std::min(n, kScanTile)));
    q.by_tiles = FastDiv64(static_cast<std::uint64_t>(q.tiles));
    q.by_columns =
        FastDiv64(static_cast<std::uint64_t>((q.rows + kScanColumns - 1) / kScanColumns));
  }

  /// Whether rows lie densely, stored as they are computed, and fit for vectors of 16 bytes.
  bool dense() const {
    const auto item = static_cast<std::int64_t>(element_size(entry.dtype));
    const auto aligned = [](const void* at) {
      return reinterpret_cast<std::uintptr_t>(at) % 16 == 0;
    };
    bool ok = l.in.dtype == entry.dtype && l.out[0].dtype == entry.dtype &&
              kernel(l.dtype) == entry.dtype && l.in_stride == item && l.out_stride[0] == item &&
              aligned(p.in) && aligned(p.out[0]);
    for (int d = 0; d < p.at_row.rank; ++d) {
      ok = ok && p.at_row.strides[d][0] % 16 == 0 && p.at_row.strides[d][1] % 16 == 0;
    }
    return ok;
  }

  bool by_columns() const {
    if (p.at_row.rank == 0 || l.numel < kScanColumns / 2) return false;
    const std::int64_t across = magnitude(p.at_row.strides[0][0]);
    return across != 0 && across < magnitude(l.in_stride);
  }

  cudaError_t rows(void (*kernel)(ScanParams), const ScanParams& q) const {
    const std::int64_t units =
        q.tiles > 1 ? q.rows * q.tiles : (q.rows + q.rows_of_block - 1) / q.rows_of_block;
    return launch(kernel, grid_for(units), kScanThreads, q, l.device, l.stream);
  }

  cudaError_t pass(const ScanParams& q) const {
    if (!by_columns()) return rows(entry.rows, q);
    const std::int64_t units = (q.rows + kScanColumns - 1) / kScanColumns * q.tiles;
    return launch(entry.columns, grid_for(units), kScanColumnThreads, q, l.device, l.stream);
  }

  std::size_t row_bytes(std::int64_t count) const {
    const std::size_t bytes = static_cast<std::size_t>(l.numel) * static_cast<std::size_t>(count) *
                              static_cast<std::size_t>(entry.acc_size);
    return (bytes + 255) / 256 * 256;
  }

  /// Each row of `count` totals becomes what comes before each of them. Their own tiles' totals are
  /// behind them in memory.
  cudaError_t scan_totals(char* totals, std::int64_t count) const {
    ScanParams q{};
    q.in = totals;
    q.out[0] = totals;
    q.in_stride = q.out_stride[0] = entry.acc_size;
    q.rows = l.numel;
    q.exclusive = true;
    set_length(q, count);
    q.at_row.strides[0][0] = q.at_row.strides[0][1] = count * entry.acc_size;
    q.at_row.strides[0][2] = 0;
    q.at_row.push(l.numel);
    q.dense = !entry.indexed && (l.numel == 1 || count * entry.acc_size % 16 == 0);
    if (q.tiles > 1) {
      char* next = totals + row_bytes(count);
      q.totals = next;
      cudaError_t e = rows(entry.totals, q);
      if (e == cudaSuccess) e = scan_totals(next, q.tiles);
      if (e != cudaSuccess) return e;
      q.totals = nullptr;
      q.before = next;
    }
    return rows(entry.totals, q);
  }

  cudaError_t run() {
    set_operands();
    set_rows();
    p.dense = dense();
    if (p.tiles == 1) return pass(p);
    std::size_t bytes = 0;
    for (std::int64_t n = p.tiles; n > 1; n = tiles_of(n)) bytes += row_bytes(n);
    const Workspace memory(l.device, bytes, l.stream, l.row->name);
    if (memory.data() == nullptr) return cudaSuccess;
    ScanParams first = p;
    first.totals = memory.data();
    cudaError_t e = pass(first);
    if (e == cudaSuccess) e = scan_totals(static_cast<char*>(memory.data()), p.tiles);
    if (e != cudaSuccess) return e;
    p.before = memory.data();
    return pass(p);
  }
};

void launch_scan(const void* desc, const void* self) {
  const auto& l = *static_cast<const ScanLaunch*>(desc);
  if (l.numel == 0 || l.n == 0) return;
  const auto& row = *static_cast<const ScanRow*>(self);
  const ScanEntry& entry = row.by_dtype[static_cast<int>(scan_dtype(l.dtype, l.n_out > 1))];
  if (entry.rows == nullptr) return check(cudaErrorInvalidValue, l.row->name);
  check(Scan{l, entry}.run(), l.row->name);
}

}  // namespace

int bind_scan() {
  static const ScanRow sum =
      scan_row<fn::ScanSum, std::int64_t, float, double, Complex64, Complex128>();
  static const ScanRow prod =
      scan_row<fn::ScanProd, std::int64_t, float, double, Complex64, Complex128>();
  static const ScanRow log_add_exp =
      scan_row<fn::ScanLogAddExp, float, double, Complex64, Complex128>();
  static const ScanRow max = scan_row<fn::ScanMax, std::int64_t, std::uint64_t, float, double>();
  static const ScanRow min = scan_row<fn::ScanMin, std::int64_t, std::uint64_t, float, double>();
  int unknown = 0;
  const auto bind = [&](const char* name, const ScanRow& row) {
    unknown += host().bind(name, DeviceKind::CUDA, Kernel{&launch_scan, &row});
  };
  bind("cumsum", sum);
  bind("cumprod", prod);
  bind("logcumsumexp", log_add_exp);
  bind("cummax", max);
  bind("cummin", min);
  return unknown;
}

}  // namespace tandem::cuda
