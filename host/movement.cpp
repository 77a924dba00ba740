// Movement of elements: borders (pad, roll), triangles, slices repeated, choices. By bytes of an
// element; rows are copied whole where they are dense.
#include <cstring>
#include <vector>

#include "host/launchers.h"
#include "host/parallel.h"
#include "host/registry.h"
#include "host/tile.h"
#include "kernels/functors/generator.h"
#include "kernels/functors/movement.h"
#include "tandem/backend/movement.h"
#include "tandem/backend/units.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kGrainBytes = 128 << 10;

/// Writes bytes, past the caches where the output is large and the piece is worth it.
class Writer {
 public:
  explicit Writer(std::int64_t bytes) : streams_(bytes >= kStreamBytes) {}
  ~Writer() {
    if (streams_) stream_fence();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void copy(char* to, const char* from, std::int64_t bytes) const {
    if (streams_ && bytes >= kPiece) {
      level().stream(to, from, static_cast<std::size_t>(bytes));
    } else if (bytes > 0) {
      std::memcpy(to, from, static_cast<std::size_t>(bytes));
    }
  }
  void zero(char* to, std::int64_t bytes) const {
    alignas(64) static constexpr char kZeros[4096] = {};
    for (; streams_ && bytes >= kPiece; bytes -= kPiece, to += kPiece) {
      level().stream(to, kZeros, kPiece);
    }
    if (bytes > 0) std::memset(to, 0, static_cast<std::size_t>(bytes));
  }

 private:
  static constexpr std::int64_t kPiece = 2048;
  bool streams_;
};

// ---- borders

template <class T>
class Border {
 public:
  explicit Border(const BorderLaunch& l)
      : l_(l), columns_(l.rank > 0 ? l.shape[l.rank - 1] : 1), writer_(l.numel * kSize) {
    std::memcpy(&value_, &l.value, sizeof(T));
    if (l.rank == 0) return;
    const int last = l.rank - 1;
    step_ = l.in_strides[last];
    before_ = l.before[last];
    n_ = l.in_shape[last];
    // Columns [from_, to_) of a row are a run of the input's.
    from_ = std::clamp<std::int64_t>(before_, 0, columns_);
    to_ = std::clamp<std::int64_t>(before_ + n_, from_, columns_);
  }

  void rows(std::int64_t first, std::int64_t last) const {
    std::int64_t at[kMaxRank];
    std::int64_t left = first;
    for (int d = l_.rank - 2; d >= 0; --d) {
      at[d] = left % l_.shape[d];
      left /= l_.shape[d];
    }
    auto* out = static_cast<T*>(l_.out) + first * columns_;
    for (std::int64_t row = first; row < last; ++row, out += columns_) {
      const char* in = row_of(at);
      if (in == nullptr) {
        std::fill_n(out, columns_, value_);
      } else {
        fill_row(out, in);
      }
      for (int d = l_.rank - 2; d >= 0 && ++at[d] == l_.shape[d]; --d) at[d] = 0;
    }
  }

 private:
  static constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));

  /// Where the input's row begins; null where the row is all value.
  const char* row_of(const std::int64_t* at) const {
    const char* in = static_cast<const char*>(l_.in);
    for (int d = 0; d + 1 < l_.rank; ++d) {
      const std::int64_t j = fn::border_source(at[d], l_.before[d], l_.in_shape[d], mode_);
      if (j < 0) return nullptr;
      in += j * l_.in_strides[d];
    }
    return in;
  }

  T element(const char* in, std::int64_t column) const {
    const std::int64_t j = fn::border_source(column, before_, n_, mode_);
    T v = value_;
    if (j >= 0) std::memcpy(&v, in + j * step_, sizeof(T));
    return v;
  }

  void fill_row(T* out, const char* in) const {
    if (l_.mode == BorderMode::Circular && step_ == kSize) {
      const std::int64_t tail = columns_ - to_;
      writer_.copy(reinterpret_cast<char*>(out), in + (n_ - from_) * kSize, from_ * kSize);
      writer_.copy(reinterpret_cast<char*>(out + to_), in + (to_ - before_ - n_) * kSize,
                   tail * kSize);
    } else {
      for (std::int64_t c = 0; c < from_; ++c) out[c] = element(in, c);
      for (std::int64_t c = to_; c < columns_; ++c) out[c] = element(in, c);
    }
    const char* run = in + (from_ - before_) * step_;
    if (step_ == kSize) {
      writer_.copy(reinterpret_cast<char*>(out + from_), run, (to_ - from_) * kSize);
      return;
    }
    for (std::int64_t c = from_; c < to_; ++c, run += step_) std::memcpy(out + c, run, sizeof(T));
  }

  const BorderLaunch& l_;
  const std::int32_t mode_ = static_cast<std::int32_t>(l_.mode);
  std::int64_t columns_, step_ = 0, before_ = 0, n_ = 1, from_ = 0, to_ = 1;
  Writer writer_;
  T value_;
};

// ---- triangles

void triangle_rows(const TriangleLaunch& l, std::int64_t first, std::int64_t last) {
  const Writer writer(l.numel * l.width);
  const auto* in = static_cast<const char*>(l.in);
  auto* out = static_cast<char*>(l.out);
  const std::int64_t bytes = l.columns * l.width;
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t r = row % l.rows;
    // The kept columns are [0, cut) or [cut, columns).
    const std::int64_t cut =
        std::clamp<std::int64_t>(r + l.diagonal + (l.upper ? 0 : 1), 0, l.columns) * l.width;
    const char* from = in + row * bytes;
    char* to = out + row * bytes;
    if (l.upper) {
      writer.zero(to, cut);
      writer.copy(to + cut, from + cut, bytes - cut);
    } else {
      writer.copy(to, from, cut);
      writer.zero(to + cut, bytes - cut);
    }
  }
}

// ---- repeats

/// Slices [first, last) of the output's [outer * total], from the running sums.
void repeat_slices(const RepeatLaunch& l, std::int64_t first, std::int64_t last) {
  const auto* in = static_cast<const char*>(l.in);
  auto* out = static_cast<char*>(l.out);
  std::int64_t i = 0;
  for (std::int64_t slice = first; slice < last;) {
    const std::int64_t o = slice / l.total;
    const std::int64_t at = slice - o * l.total;
    if (slice == first || at == 0) i = std::upper_bound(l.ends, l.ends + l.n, at) - l.ends;
    while (i < l.n && l.ends[i] <= at) ++i;
    const std::int64_t end = std::min(i < l.n ? l.ends[i] : l.total, l.total);
    const std::int64_t run = std::min(end - at, last - slice);
    char* to = out + slice * l.inner;
    const char* from = in + (o * l.n + i) * l.inner;
    for (std::int64_t k = 0; k < run; ++k, to += l.inner) {
      if (i < l.n) {
        std::memcpy(to, from, static_cast<std::size_t>(l.inner));
      } else {
        std::memset(to, 0, static_cast<std::size_t>(l.inner));
      }
    }
    slice += run;
  }
}

template <class T>
void repeat_elements(const RepeatLaunch& l, std::int64_t first, std::int64_t last) {
  const auto* in = static_cast<const T*>(l.in);
  auto* out = static_cast<T*>(l.out);
  for (std::int64_t slice = first; slice < last;) {
    const std::int64_t o = slice / l.total;
    std::int64_t at = slice - o * l.total;
    const std::int64_t stop = std::min(l.total, at + last - slice);
    std::int64_t i = std::upper_bound(l.ends, l.ends + l.n, at) - l.ends;
    T* const row = out + o * l.total;
    slice += stop - at;
    for (; i < l.n && at < stop; ++i) {
      const T v = in[o * l.n + i];
      const std::int64_t end = std::min(l.ends[i], stop);
      for (; at < end; ++at) row[at] = v;
    }
    std::fill(row + at, row + stop, T{});
  }
}

void sum_repeats(const RepeatLaunch& l) {
  if (l.repeats == nullptr) return;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < l.n; ++i) {
    sum += std::max<std::int64_t>(l.repeats[l.one_for_all ? 0 : i], 0);
    l.ends[i] = sum;
  }
}

// ---- choices

/// Places of choice number q; see Note [Numbers of choices] in kernels/functors/movement.h.
void places_of(std::int64_t q, const ChoiceLaunch& l, std::vector<std::int64_t>& places) {
  const std::int64_t n = l.with_replacement ? l.n + l.r - 1 : l.n;
  fn::ChoiceWalk walk(n, l.r, l.choices);
  for (std::int64_t k = 0; k < l.r; ++k) places[static_cast<std::size_t>(k)] = walk.next(q);
}

/// The choice after this one: the last place that can grow grows, those after it follow closely.
void advance(const ChoiceLaunch& l, std::vector<std::int64_t>& places) {
  const std::int64_t n = l.with_replacement ? l.n + l.r - 1 : l.n;
  std::int64_t k = l.r - 1;
  while (k > 0 && places[static_cast<std::size_t>(k)] == n - l.r + k) --k;
  std::int64_t c = places[static_cast<std::size_t>(k)];
  for (; k < l.r; ++k) places[static_cast<std::size_t>(k)] = ++c;
}

template <class T>
void choices(const ChoiceLaunch& l, std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(l.r));
  places_of(first, l, places);
  auto* out = static_cast<T*>(l.out) + first * l.r;
  const auto* in = static_cast<const char*>(l.in);
  for (std::int64_t q = first; q < last; ++q) {
    for (std::int64_t k = 0; k < l.r; ++k) {
      const std::int64_t place = places[static_cast<std::size_t>(k)] - (l.with_replacement ? k : 0);
      std::memcpy(out++, in + place * l.in_stride, sizeof(T));
    }
    if (q + 1 < last) advance(l, places);
  }
}

// ---- indices of triangles

/// Elements [first, last) of the rows (or columns) of a triangle, row by row of the matrix: what
/// the functor gives one by one.
template <class T>
void triangle_places(const GeneratorLaunch& l, bool upper, bool columns, std::int64_t first,
                     std::int64_t last) {
  const std::int64_t n = l.numel / 2;
  const auto rows = static_cast<std::int64_t>(l.f[0]);
  const std::int64_t width = l.i[0];
  const std::int64_t offset = upper ? width - rows - l.i[1] : l.i[1];
  fn::MatrixPlace at = fn::lower_place(upper ? n - 1 - first : first, rows, width, l.i[1]);
  if (upper) at = {rows - 1 - at.row, width - 1 - at.column};
  auto* out = static_cast<T*>(l.out.data) + (columns ? n : 0) + first;
  for (std::int64_t left = last - first; left > 0; ++at.row) {
    const std::int64_t start = upper ? std::max<std::int64_t>(at.row + offset, 0) : 0;
    const std::int64_t end = upper ? width : std::min(width, at.row + 1 + offset);
    const std::int64_t from = left == last - first ? at.column : start;
    const std::int64_t run = std::min(left, end - from);
    if (columns) {
      for (std::int64_t k = 0; k < run; ++k) out[k] = static_cast<T>(from + k);
    } else {
      std::fill_n(out, run, static_cast<T>(at.row));
    }
    out += run;
    left -= run;
  }
}

void launch_places(const GeneratorLaunch& l, bool upper) {
  visit(l.out.dtype, [&]<class T>() {
    if constexpr (fn::is_int_v<T>) {
      for (const bool columns : {false, true}) {
        parallel_for(l.numel / 2, kGrainBytes / static_cast<std::int64_t>(sizeof(T)),
                     [&](std::int64_t first, std::int64_t last) {
                       triangle_places<T>(l, upper, columns, first, last);
                     });
      }
    }
  });
}

}  // namespace

void launch_tril_indices(const void* desc, const void*) {
  launch_places(*static_cast<const GeneratorLaunch*>(desc), false);
}

void launch_triu_indices(const void* desc, const void*) {
  launch_places(*static_cast<const GeneratorLaunch*>(desc), true);
}

void launch_border(const void* desc, const void*) {
  const auto& l = *static_cast<const BorderLaunch*>(desc);
  with_unit<Complex128>(static_cast<std::size_t>(l.width), [&]<class T>() {
    const std::int64_t columns = l.rank > 0 ? l.shape[l.rank - 1] : 1;
    const std::int64_t bytes = columns * l.width;
    parallel_for(l.numel / columns, kGrainBytes / bytes + 1,
                 [&](std::int64_t first, std::int64_t last) { Border<T>(l).rows(first, last); });
  });
}

void launch_triangle(const void* desc, const void*) {
  const auto& l = *static_cast<const TriangleLaunch*>(desc);
  const std::int64_t bytes = l.columns * l.width;
  parallel_for(l.numel / l.columns, kGrainBytes / bytes + 1,
               [&](std::int64_t first, std::int64_t last) { triangle_rows(l, first, last); });
}

void launch_repeat(const void* desc, const void*) {
  const auto& l = *static_cast<const RepeatLaunch*>(desc);
  sum_repeats(l);
  if (l.out == nullptr) return;
  const std::int64_t grain = kGrainBytes / std::max<std::int64_t>(l.inner, 1) + 1;
  const auto run = [&](auto&& f) {
    parallel_for(l.outer * l.total, grain,
                 [&](std::int64_t first, std::int64_t last) { f(l, first, last); });
  };
  switch (l.inner) {
    case 1:
      return run(&repeat_elements<std::uint8_t>);
    case 2:
      return run(&repeat_elements<std::uint16_t>);
    case 4:
      return run(&repeat_elements<std::uint32_t>);
    case 8:
      return run(&repeat_elements<std::uint64_t>);
    default:
      return run(&repeat_slices);
  }
}

void launch_choices(const void* desc, const void*) {
  const auto& l = *static_cast<const ChoiceLaunch*>(desc);
  const std::int64_t bytes = l.r * l.width;
  with_unit<Complex128>(static_cast<std::size_t>(l.width), [&]<class T>() {
    parallel_for(l.choices, kGrainBytes / bytes + 1,
                 [&](std::int64_t first, std::int64_t last) { choices<T>(l, first, last); });
  });
}

}  // namespace tandem::host
