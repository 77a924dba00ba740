// The host side of a reduction: the order of the loops, which walk, and the passes over tiles.
#include <optional>
#include <utility>

#include "kernels/cuda/context.h"
#include "kernels/cuda/reduce.h"

namespace tandem::cuda {

namespace {

std::int64_t magnitude(std::int64_t x) { return x < 0 ? -x : x; }

std::int64_t stride_of(const OperandDesc& o, int d) { return o.data == nullptr ? 0 : o.strides[d]; }

/// One reduction on its way to the device.
struct Reduction {
  const ReduceLaunch& l;
  const ReduceEntry& entry;
  ReduceParams p{};

  const OperandDesc& input(int k) const { return l.operands[l.n_out + (entry.indexed ? 0 : k)]; }
  int n_in() const { return entry.indexed ? 2 : l.n_in; }

  void set_operands() {
    for (int k = 0; k < l.n_in; ++k) {
      const OperandDesc& o = input(k);
      p.data[k] = static_cast<const char*>(o.data);
      const bool computed = k == 1 && entry.computed_second;
      p.cast[k] = element_cast(o.dtype, computed ? info(l.dtype).compute : o.kernel);
      p.number[k] = o.scalar;
      p.is_number[k] = o.data == nullptr;
    }
    if (entry.indexed) {
      p.data[1] = p.data[0];
      p.cast[1] = p.cast[0];
    }
    for (int k = 0; k < l.n_out; ++k) {
      const OperandDesc& o = l.operands[k];
      p.out[k] = static_cast<char*>(o.data);
      p.out_cast[k] = element_cast(o.dtype, o.kernel);
    }
    p.outer = l.numel;
    p.n = p.total = l.n;
    p.tiles = l.n == 0 ? 1 : (l.n + kTile - 1) / kTile;
    p.set_divisors();
    p.param = l.param;
  }

  /// Outer dimensions, sorted so that neighbouring indices are neighbours in the first input.
  void set_outer() {
    int order[kMaxRank];
    int rank = 0;
    for (int d = 0; d < l.rank_outer; ++d) {
      if (l.shape[d] != 1) order[rank++] = d;
    }
    for (int i = 1; i < rank; ++i) {
      for (int j = i; j > 0 && magnitude(stride_of(input(0), order[j - 1])) <
                                   magnitude(stride_of(input(0), order[j]));
           --j) {
        std::swap(order[j - 1], order[j]);
      }
    }
    for (int i = rank - 1; i >= 0; --i) {
      std::int64_t* s = p.at_outer.strides[p.at_outer.rank];
      for (int k = 0; k < 2; ++k) s[k] = k < n_in() ? stride_of(input(k), order[i]) : 0;
      for (int k = 0; k < 2; ++k) s[2 + k] = k < l.n_out ? l.operands[k].strides[order[i]] : 0;
      p.at_outer.push(l.shape[order[i]]);
    }
  }

  /// Reduced dimensions in their order, innermost first, merged where they nest.
  void set_reduced() {
    if (l.n == 0) return;  // nothing is read
    auto& r = p.at_reduced;
    std::int64_t size = 1;
    for (int d = l.rank_outer + l.rank_reduced - 1; d >= l.rank_outer; --d) {
      if (l.shape[d] == 1) continue;
      std::int64_t s[2] = {0, 0};
      bool nests = r.rank > 0;
      for (int k = 0; k < n_in(); ++k) {
        s[k] = stride_of(input(k), d);
        nests = nests && s[k] == r.strides[r.rank - 1][k] * size;
      }
      if (nests) {
        size *= l.shape[d];
        r.sizes[r.rank - 1] = FastDiv64(static_cast<std::uint64_t>(size));
        continue;
      }
      size = l.shape[d];
      r.strides[r.rank][0] = s[0];
      r.strides[r.rank][1] = s[1];
      r.push(size);
    }
  }

  /// Whether each row is dense, stored as it is computed and fit for loads of four elements.
  bool dense_rows() const {
    if (entry.dense == nullptr || l.n_in != 1 || input(0).dtype != entry.storage ||
        input(0).kernel != entry.storage || p.at_reduced.rank > 1) {
      return false;
    }
    const auto item = static_cast<std::int64_t>(element_size(entry.storage));
    const auto bytes = 4 * item;
    if (p.at_reduced.rank == 1 && p.at_reduced.strides[0][0] != item) return false;
    bool ok = reinterpret_cast<std::uintptr_t>(p.data[0]) % static_cast<std::uintptr_t>(bytes) == 0;
    for (int d = 0; d < p.at_outer.rank; ++d) ok &= p.at_outer.strides[d][0] % bytes == 0;
    return ok;
  }

  bool by_columns() const {
    constexpr std::int64_t kShort = 64;  // a row that leaves most of a warp's lanes idle
    if (p.at_outer.rank == 0 || l.numel < kColumns / 2) return false;
    const std::int64_t across = magnitude(p.at_outer.strides[0][0]);
    const std::int64_t along = p.at_reduced.rank == 0 ? 0 : magnitude(p.at_reduced.strides[0][0]);
    return l.n < kShort || (across != 0 && across < along);
  }

  cudaError_t first_pass() const {
    if (by_columns()) {
      const std::int64_t units = (p.outer + kColumns - 1) / kColumns * p.tiles;
      return launch(entry.columns, grid_for(units), kColumnThreads, p, l.device, l.stream);
    }
    const std::int64_t blocks = (p.outer * p.tiles + kThreads / 32 - 1) / (kThreads / 32);
    return launch(dense_rows() ? entry.dense : entry.rows, grid_for(blocks), kThreads, p, l.device,
                  l.stream);
  }

  /// The tree over `count` accumulators of each outer index; the last pass stores the results.
  cudaError_t join(const void* from, std::int64_t count, void* to) const {
    ReduceParams q = p;
    q.data[0] = static_cast<const char*>(from);
    q.n = count;
    q.tiles = (count + kTile - 1) / kTile;
    q.set_divisors();
    q.partials = q.tiles > 1 ? to : nullptr;
    // The accumulators are dense rows; outputs keep their strides.
    std::int64_t row = count * entry.acc_size;
    for (int d = 0; d < q.at_outer.rank; ++d) {
      q.at_outer.strides[d][0] = row;
      row *= static_cast<std::int64_t>(q.at_outer.sizes[d].divisor);
    }
    const std::int64_t blocks = (q.outer * q.tiles + kThreads / 32 - 1) / (kThreads / 32);
    return launch(entry.joined, grid_for(blocks), kThreads, q, l.device, l.stream);
  }

  cudaError_t run() {
    set_operands();
    set_outer();
    set_reduced();
    if (p.tiles == 1) return first_pass();
    const auto row = static_cast<std::size_t>(p.outer) * static_cast<std::size_t>(entry.acc_size);
    const auto second = static_cast<std::size_t>((p.tiles + kTile - 1) / kTile);
    const std::size_t first_bytes = (row * static_cast<std::size_t>(p.tiles) + 255) / 256 * 256;
    const Workspace memory(l.device, first_bytes + (second > 1 ? row * second : 0), l.stream,
                           l.row->name);
    if (memory.data() == nullptr) return cudaSuccess;
    char* here = static_cast<char*>(memory.data());
    char* there = here + first_bytes;
    p.partials = here;
    cudaError_t e = first_pass();
    // Sums of at most 4096 * 4096 tiles fit two passes; longer ones take turns.
    for (std::int64_t count = p.tiles; e == cudaSuccess && count > 0;) {
      e = join(here, count, there);
      count = count > kTile ? (count + kTile - 1) / kTile : 0;
      std::swap(here, there);
    }
    return e;
  }
};

/// var and std: the mean on the tree, kept in the compute type, then the squared distances from it.
struct SpreadKernels {
  const ReduceRow* mean;
  const ReduceRow* spread;
};

void launch_spread(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& k = *static_cast<const SpreadKernels*>(self);
  if (l.numel == 0) return;
  const auto d = static_cast<int>(l.dtype);
  const DType compute = info(l.dtype).compute;
  const std::size_t size = element_size(compute);
  std::optional<Workspace> memory;
  void* means = l.operands[1].data;
  if (l.n_out != 2) {  // else the means are a result too, dense and in the compute type
    memory.emplace(l.device, static_cast<std::size_t>(l.numel) * size, l.stream, l.row->name);
    means = memory->data();
    if (means == nullptr) return;
  }
  std::int64_t strides[kMaxRank] = {};  // 0 along the reduced dimensions
  auto step = static_cast<std::int64_t>(size);
  for (int i = l.rank_outer - 1; i >= 0; --i) {
    strides[i] = step;
    step *= l.shape[i];
  }
  const OperandDesc mean{means, strides, {}, compute, compute};
  ReduceLaunch first = l;
  first.n_out = 1;
  first.operands[0] = mean;
  first.operands[1] = l.operands[l.n_out];
  ReduceLaunch second = first;
  second.n_in = 2;
  second.operands[0] = l.operands[0];
  second.operands[2] = mean;
  cudaError_t e = run_reduction(first, k.mean->by_dtype[d]);
  if (e == cudaSuccess) e = run_reduction(second, k.spread->by_dtype[d]);
  check(e, l.row->name);
}

/// By the order of the norm.
void launch_norm(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& t = *static_cast<const ReduceTables*>(self);
  const ReduceRow& row = l.param == 1   ? t.abs_sum
                         : l.param == 2 ? t.square_sum
                         : l.param > 0  ? t.abs_max
                                        : t.abs_min;
  launch_reduction(desc, &row);
}

ReduceTables* make_tables() {
  auto* t = new ReduceTables();  // bound to the end of the process
  fill_reductions_float32(*t);
  fill_reductions_float64(*t);
  fill_reductions_integers(*t);
  fill_reductions_pair(*t);
  fill_reductions_indexed(*t);
  fill_reductions_norm(*t);
  return t;
}

}  // namespace

cudaError_t run_reduction(const ReduceLaunch& l, const ReduceEntry& entry) {
  if (l.numel == 0) return cudaSuccess;
  if (entry.rows == nullptr) return cudaErrorInvalidValue;
  return Reduction{l, entry}.run();
}

void launch_reduction(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& row = *static_cast<const ReduceRow*>(self);
  const auto d = static_cast<int>(l.dtype);
  const ReduceEntry& entry =
      l.n_in == 2 && row.pair[d].rows != nullptr ? row.pair[d] : row.by_dtype[d];
  check(run_reduction(l, entry), l.row->name);
}

int bind_reductions() {
  static const ReduceTables& t = *make_tables();
  int unknown = 0;
#define TANDEM_REDUCTION(name, ...) \
  unknown +=                        \
      host().bind(#name, DeviceKind::CUDA, Kernel{&launch_reduction, &t.rows[reduction_##name]});
#include "tandem/ops/reduction.def"
  const auto bind = [&](const char* name, const ReduceRow& row) {
    unknown += host().bind(name, DeviceKind::CUDA, Kernel{&launch_reduction, &row});
  };
  bind("argmax", t.argmax);
  bind("argmin", t.argmin);
  bind("max", t.argmax);  // two outputs: values and indices
  bind("min", t.argmin);
  static const SpreadKernels var{&t.rows[reduction_mean], &t.var};
  static const SpreadKernels deviation{&t.rows[reduction_mean], &t.std};
  unknown += host().bind("var", DeviceKind::CUDA, Kernel{&launch_spread, &var});
  unknown += host().bind("std", DeviceKind::CUDA, Kernel{&launch_spread, &deviation});
  unknown += host().bind("vector_norm", DeviceKind::CUDA, Kernel{&launch_norm, &t});
  return unknown;
}

}  // namespace tandem::cuda
