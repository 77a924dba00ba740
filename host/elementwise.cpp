// Runs elementwise launches: whole arrays where everything is dense and of one dtype, tiles through
// first-level-cache blocks (gather, cast, loop, cast, scatter) otherwise.
#include <cstring>

#include "host/launchers.h"
#include "host/parallel.h"
#include "host/registry.h"
#include "host/tile.h"

namespace tandem::host {

namespace {

/// Elements below which a second thread costs more than it brings.
constexpr std::int64_t kGrain = 32768;
/// Elements streamed at a time are this many bytes: reading and writing then overlap.
constexpr std::int64_t kStreamBlock = 1024;

DType compute_of(DType t) { return info(t).compute; }

/// Work buffers of one thread; a block of each operand, once as stored and once as computed.
struct alignas(64) Buffers {
  char computed[kMaxOperands][kTileBytes];
  char stored[kTileBytes];
  char rounded[kTileBytes];
};

// ---- dense launches
// --------------------------------------------------------------------------------

bool aliases(const ElementwiseLaunch& l) {
  for (int i = 1; i <= l.n_in; ++i) {
    if (l.operands[i].data == l.operands[0].data) return true;
  }
  return false;
}

std::int64_t widest_element(const ElementwiseLaunch& l) {
  std::size_t widest = 1;
  for (int i = 0; i < l.n_out + l.n_in; ++i) {
    const OperandDesc& op = l.operands[i];
    widest = std::max({widest, element_size(op.dtype), element_size(compute_of(op.kernel))});
  }
  return static_cast<std::int64_t>(widest);
}

template <class Word>
void splat_words(char* block, const ScalarBits& scalar, std::int64_t n) {
  Word word;
  std::memcpy(&word, &scalar, sizeof word);
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(block + i * sizeof word, &word, sizeof word);
}

/// A number, n times.
void splat(char* block, const OperandDesc& op, std::int64_t n) {
  switch (element_size(compute_of(op.kernel))) {
    case 1:
      return splat_words<std::uint8_t>(block, op.scalar, n);
    case 2:
      return splat_words<std::uint16_t>(block, op.scalar, n);
    case 4:
      return splat_words<std::uint32_t>(block, op.scalar, n);
    case 8:
      return splat_words<std::uint64_t>(block, op.scalar, n);
    default:
      return splat_words<Complex128>(block, op.scalar, n);
  }
}

/// The operands of a dense launch, for up to `most` elements at a time: numbers stand as blocks.
class DenseOperands {
 public:
  DenseOperands(const ElementwiseLaunch& l, std::int64_t most) : l_(l) {
    for (int i = 1; i <= l.n_in; ++i) {
      if (l.operands[i].data == nullptr) splat(numbers_[i], l.operands[i], std::min(most, l.numel));
    }
  }

  void locate(char** p, std::int64_t first) {
    for (int i = 0; i <= l_.n_in; ++i) {
      const OperandDesc& op = l_.operands[i];
      const auto size = static_cast<std::int64_t>(element_size(op.kernel));
      p[i] = op.data == nullptr ? numbers_[i] : static_cast<char*>(op.data) + first * size;
    }
  }

 private:
  const ElementwiseLaunch& l_;
  alignas(64) char numbers_[kMaxOperands][kTileBytes];
};

bool has_numbers(const ElementwiseLaunch& l) {
  for (int i = 1; i <= l.n_in; ++i) {
    if (l.operands[i].data == nullptr) return true;
  }
  return false;
}

/// Elements [first, last), directly on the operands' memory.
void run_direct(const ElementwiseLaunch& l, Loop loop, std::int64_t first, std::int64_t last) {
  char* p[kMaxOperands];
  if (!has_numbers(l)) {
    for (int i = 0; i <= l.n_in; ++i) {
      const auto size = static_cast<std::int64_t>(element_size(l.operands[i].kernel));
      p[i] = static_cast<char*>(l.operands[i].data) + first * size;
    }
    loop(p, last - first);
    return;
  }
  const std::int64_t most = kTileBytes / widest_element(l);
  DenseOperands operands(l, most);
  for (std::int64_t i = first; i < last; i += most) {
    operands.locate(p, i);
    loop(p, std::min(most, last - i));
  }
}

/// The same through a block, whose results are streamed to memory.
void run_streaming(const ElementwiseLaunch& l, Loop loop, std::int64_t first, std::int64_t last) {
  alignas(64) char block[kStreamBlock];
  const auto size = static_cast<std::int64_t>(element_size(l.operands[0].kernel));
  auto* out = static_cast<char*>(l.operands[0].data);
  const std::int64_t step = std::min(kStreamBlock / size, kTileBytes / widest_element(l));
  DenseOperands operands(l, step);
  // The first block ends on a line, so that the others write whole ones.
  const auto past_line = static_cast<std::int64_t>(
      reinterpret_cast<std::uintptr_t>(out + first * size) % 64 / static_cast<std::size_t>(size));
  char* p[kMaxOperands];
  for (std::int64_t i = first, count = step - past_line % step; i < last;
       i += count, count = step) {
    count = std::min(count, last - i);
    operands.locate(p, i);
    p[0] = block;
    loop(p, count);
    level().stream(out + i * size, block, static_cast<std::size_t>(count * size));
  }
  stream_fence();
}

bool direct_possible(const ElementwiseLaunch& l) {
  if (!l.contiguous) return false;
  for (int i = 0; i < l.n_out + l.n_in; ++i) {
    const OperandDesc& op = l.operands[i];
    if (compute_of(op.kernel) != op.kernel) return false;
  }
  return true;
}

// ---- tiled launches
// --------------------------------------------------------------------------------

/// How one operand's tile comes to be, or goes, as a dense block of its compute type.
class OperandPath {
 public:
  OperandPath(const ElementwiseLaunch& l, int index) : op_(l.operands[index]), rank_(l.rank) {
    const LevelTable& t = level();
    stored_size_ = static_cast<std::int64_t>(element_size(op_.dtype));
    const DType computed = compute_of(op_.kernel);
    if (op_.data == nullptr) return;
    row_ = rank_ > 1 ? op_.strides[rank_ - 2] : 0;
    column_ = rank_ > 0 ? op_.strides[rank_ - 1] : stored_size_;
    gather_ = t.gather[width_index(element_size(op_.dtype))];
    scatter_ = t.scatter[width_index(element_size(op_.dtype))];
    const auto cast = [&t](DType to, DType from) -> CastLoop {
      return to == from ? nullptr : t.cast[static_cast<int>(to)][static_cast<int>(from)];
    };
    // A half-typed kernel dtype rounds: stored -> kernel -> compute, and back.
    const bool rounds = computed != op_.kernel && op_.dtype != op_.kernel;
    load_first_ = rounds ? cast(op_.kernel, op_.dtype) : nullptr;
    load_ = rounds ? cast(computed, op_.kernel) : cast(computed, op_.dtype);
    store_first_ = rounds ? cast(op_.kernel, computed) : nullptr;
    store_ = rounds ? cast(op_.dtype, op_.kernel) : cast(op_.dtype, computed);
  }

  bool is_scalar() const { return op_.data == nullptr; }

  /// The block of a tile's values: the operand's memory itself where that is dense, else filled
  /// into `block`.
  char* load(const Tiling::Tile& t, char* block, Buffers& b) const {
    char* first = static_cast<char*>(op_.data) + tile_offset(t, op_.strides, rank_);
    const bool dense = is_dense(t);
    if (dense && load_ == nullptr) return first;
    const std::int64_t n = t.rows * t.columns;
    char* stored = first;
    if (!dense) {
      stored = load_ == nullptr ? block : b.stored;
      gather_(stored, first, t.rows, t.columns, row_, column_);
    }
    if (load_first_ != nullptr) {
      load_first_(b.rounded, stored, n);
      stored = b.rounded;
    }
    if (load_ != nullptr) load_(block, stored, n);
    return block;
  }

  /// Where the loop may write a tile: the output's memory itself, or the block.
  char* target(const Tiling::Tile& t, char* block) const {
    if (store_ != nullptr || !is_dense(t)) return block;
    return static_cast<char*>(op_.data) + tile_offset(t, op_.strides, rank_);
  }

  /// Brings a block that the loop wrote to the output.
  void store(const Tiling::Tile& t, char* block, Buffers& b) const {
    if (store_ == nullptr && is_dense(t)) return;
    char* first = static_cast<char*>(op_.data) + tile_offset(t, op_.strides, rank_);
    const std::int64_t n = t.rows * t.columns;
    char* values = block;
    if (store_first_ != nullptr) {
      store_first_(b.rounded, values, n);
      values = b.rounded;
    }
    const bool dense = is_dense(t);
    if (store_ != nullptr) {
      char* to = dense ? first : b.stored;
      store_(to, values, n);
      values = to;
    }
    if (!dense) scatter_(values, first, t.rows, t.columns, row_, column_);
  }

 private:
  bool is_dense(const Tiling::Tile& t) const {
    return (t.columns == 1 || column_ == stored_size_) &&
           (t.rows == 1 || row_ == t.columns * stored_size_);
  }

  const OperandDesc& op_;
  int rank_;
  std::int64_t stored_size_, row_ = 0, column_ = 0;
  MoveLoop gather_ = nullptr, scatter_ = nullptr;
  CastLoop load_first_ = nullptr, load_ = nullptr, store_first_ = nullptr, store_ = nullptr;
};

/// Whether some operand runs fast along another dimension than the innermost one.
bool fast_dimensions_conflict(const ElementwiseLaunch& l) {
  if (l.rank < 2) return false;
  for (int i = 0; i < l.n_out + l.n_in; ++i) {
    const OperandDesc& op = l.operands[i];
    if (op.data == nullptr) continue;
    const auto size = static_cast<std::int64_t>(element_size(op.dtype));
    const std::int64_t row = std::abs(op.strides[l.rank - 2]);
    const std::int64_t column = std::abs(op.strides[l.rank - 1]);
    if (row == size && column > size) return true;
  }
  return false;
}

void run_tiled(const ElementwiseLaunch& l, Loop loop) {
  const std::int64_t most = kTileBytes / widest_element(l);
  const Tiling tiling(l.shape, l.rank, most, fast_dimensions_conflict(l));
  const std::int64_t per_tile = std::max<std::int64_t>(l.numel / tiling.count(), 1);
  parallel_for(tiling.count(), kGrain / per_tile + 1, [&](std::int64_t first, std::int64_t last) {
    Buffers buffers;
    const OperandPath out(l, 0);
    OperandPath* inputs[kMaxOperands] = {};
    alignas(OperandPath) char place[kMaxOperands][sizeof(OperandPath)];
    for (int i = 1; i <= l.n_in; ++i) {
      inputs[i] = new (place[i]) OperandPath(l, i);
      if (inputs[i]->is_scalar()) {
        splat(buffers.computed[i], l.operands[i], std::min(most, l.numel));
      }
    }
    Tiling::Tile tile;
    for (std::int64_t k = first; k < last; ++k) {
      tiling.locate(k, tile);
      char* p[kMaxOperands];
      for (int i = 1; i <= l.n_in; ++i) {
        p[i] = inputs[i]->is_scalar() ? buffers.computed[i]
                                      : inputs[i]->load(tile, buffers.computed[i], buffers);
      }
      p[0] = out.target(tile, buffers.computed[0]);
      loop(p, tile.rows * tile.columns);
      out.store(tile, p[0], buffers);
    }
  });
}

}  // namespace

void launch_elementwise(const void* desc, const void* self) {
  const auto& l = *static_cast<const ElementwiseLaunch*>(desc);
  const Loop loop = static_cast<const ElementwiseLoops*>(self)->by_dtype[static_cast<int>(l.dtype)];
  if (!direct_possible(l)) {
    run_tiled(l, loop);
    return;
  }
  if (l.numel < 2 * kGrain) {
    run_direct(l, loop, 0, l.numel);
    return;
  }
  const auto bytes = l.numel * static_cast<std::int64_t>(element_size(l.operands[0].kernel));
  const bool stream = bytes >= kStreamBytes && !aliases(l);
  parallel_for(l.numel, kGrain, [&](std::int64_t first, std::int64_t last) {
    if (stream) {
      run_streaming(l, loop, first, last);
    } else {
      run_direct(l, loop, first, last);
    }
  });
}

}  // namespace tandem::host
