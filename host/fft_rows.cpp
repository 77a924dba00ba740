// Rows of Fourier transforms by FFTW.
//
// Note [Panels]
// FFTW plans strided rows too, but without measuring it plans them badly (columns of 1024 x 1024:
// 14 times as long as rows), and measuring takes it a second. So what does not lie element by
// element goes through a panel: a few rows, copied side by side into memory that stays in the
// cache, transformed there and copied to where they belong. Filling with zeros, conjugates, real
// parts and the norm's factor are part of the copies. Rows that lie element by element are
// transformed where they are. A panel is a thread's; where there are fewer panels than threads,
// FFTW's own plans of several threads take one row at a time.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "host/fft.h"
#include "host/fft_grid.h"
#include "host/fft_library.h"
#include "host/parallel.h"
#include "runtime/ops/fft_provider.h"
#include "tandem/tensor.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kPerThread = 16384;     // elements that are worth a thread
constexpr std::int64_t kInsideFftw = 1 << 15;  // a row that is worth FFTW's own threads

/// The rows by two sets of strides, the dimension that panels are of last.
struct Batch {
  int rank = 0;
  std::int64_t shape[kMaxRank], in[kMaxRank], out[kMaxRank];

  std::int64_t inner() const { return rank == 0 ? 1 : shape[rank - 1]; }
  std::int64_t in_step() const { return rank == 0 ? 0 : in[rank - 1]; }
  std::int64_t out_step() const { return rank == 0 ? 0 : out[rank - 1]; }
  std::int64_t outer() const {
    std::int64_t n = 1;
    for (int d = 0; d + 1 < rank; ++d) n *= shape[d];
    return n;
  }
};

/// Sorted so that neighbours in memory are of the last dimension, those that go on in both joined.
Batch batch_of(const FftRowsLaunch& l, bool by_in) {
  std::array<int, kMaxRank> order{};
  int count = 0;
  for (int d = 0; d < l.rank; ++d) {
    if (l.shape[d] != 1) order[static_cast<std::size_t>(count++)] = d;
  }
  const std::int64_t* key = by_in ? l.in.strides : l.out.strides;
  const auto size = [&](int d) { return key[d] == 0 ? INT64_MAX : std::abs(key[d]); };
  std::stable_sort(order.begin(), order.begin() + count,
                   [&](int a, int b) { return size(a) > size(b); });
  Batch b;
  for (int i = 0; i < count; ++i) {
    const int d = order[static_cast<std::size_t>(i)];
    const std::int64_t n = l.shape[d];
    const int last = b.rank - 1;
    if (b.rank > 0 && b.in[last] == n * l.in.strides[d] && b.out[last] == n * l.out.strides[d]) {
      b.shape[last] *= n;
      b.in[last] = l.in.strides[d];
      b.out[last] = l.out.strides[d];
      continue;
    }
    b.shape[b.rank] = n;
    b.in[b.rank] = l.in.strides[d];
    b.out[b.rank++] = l.out.strides[d];
  }
  return b;
}

/// One call: what is between its ends and FFTW.
template <class T>
class Call {
 public:
  using Z = Complex<T>;

  explicit Call(const FftRowsLaunch& l)
      : l_(l),
        from_real_(l.ends == FftEnds::RealIn || l.real_in),
        expands_(l.ends == FftEnds::Complex && l.real_in),
        bins_(l.n / 2 + 1),
        in_count_(l.ends == FftEnds::RealOut ? bins_ : l.n),
        out_count_(from_real_ ? bins_ : l.n),
        in_size_(from_real_ ? sizeof(T) : sizeof(Z)),
        out_size_(l.ends == FftEnds::RealOut ? sizeof(T) : sizeof(Z)),
        scale_(static_cast<T>(l.scale)),
        direct_in_(l.ends != FftEnds::RealOut && l.in.stride == in_size_ && l.in.n >= in_count_ &&
                   !l.in.conjugate),
        direct_out_(!expands_ && l.out.stride == out_size_ && l.out.n >= out_count_),
        batch_(batch_of(l, !direct_in_ || direct_out_)) {
    distance_in_ = padded_row(in_count_, in_size_);
    distance_out_ = padded_row(out_count_, out_size_);
    // FFTW is asked for rows that follow one another.
    const bool several = batch_.inner() > 1;
    direct_in_ = direct_in_ && !(several && batch_.in_step() <= 0);
    direct_out_ = direct_out_ && !(several && batch_.out_step() <= 0);
    // A complex transform in a panel is in place.
    one_panel_ = !from_real_ && l.ends == FftEnds::Complex;
    choose_width();
  }

  /// False where FFTW has no plan.
  bool run() {
    const std::int64_t of_row = (batch_.inner() + width_ - 1) / width_;
    const std::int64_t panels = batch_.outer() * of_row;
    const int threads = get_num_threads();
    if (panels < threads && l_.n >= kInsideFftw && omp_in_parallel() == 0)
      return run_inside(threads);
    {
      const Memory memory(*this, width_);
      const Pointers at = pointers(l_.in.data, l_.out.data, memory);
      if (fftw_plan(problem(std::min(width_, batch_.inner()), 1, at), at.in, at.out) == nullptr)
        return false;
    }
    const std::int64_t grain = std::max<std::int64_t>(kPerThread / (l_.n * width_), 1);
    parallel_for(panels, grain, [&](std::int64_t first, std::int64_t last) {
      const Memory memory(*this, width_);
      std::vector<std::shared_ptr<const FftwPlan>> plans;
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t j = i % of_row * width_;
        run_panel(i / of_row, j, std::min(width_, batch_.inner() - j), memory, plans);
      }
    });
    return true;
  }

 private:
  /// Room for the panels that a part of the work needs.
  struct Memory {
    Memory(const Call& c, std::int64_t width) {
      const auto bytes = [&](std::int64_t distance, std::int64_t size) {
        return empty({width * distance * size}, {.dtype = DType::uint8});
      };
      if (!c.direct_in_) in = bytes(c.distance_in_, c.in_size_);
      if (!c.direct_out_ && (c.direct_in_ || !c.one_panel_))
        out = bytes(c.distance_out_, c.out_size_);
    }
    Tensor in, out;
  };
  /// Where FFTW reads and writes, and how far rows are apart there, in elements.
  struct Pointers {
    char* in;
    char* out;
    std::int64_t in_distance, out_distance;
  };

  void choose_width() {
    const std::int64_t bytes = std::max(in_count_ * in_size_, out_count_ * out_size_);
    // A line of neighbours, where rows are columns.
    const bool columns =
        (!direct_in_ && l_.in.stride != in_size_) || (!direct_out_ && l_.out.stride != out_size_);
    const std::int64_t least = columns ? kLine / std::min(in_size_, out_size_) : 1;
    const std::int64_t rows = batch_.outer() * batch_.inner();
    const std::int64_t share = rows / (2 * get_num_threads());
    width_ = std::max(std::min(kPanelBytes / bytes, share), least);
    width_ = std::max<std::int64_t>(std::min(width_, batch_.inner()), 1);
  }

  Pointers pointers(void* in, void* out, const Memory& m) const {
    Pointers p{static_cast<char*>(in), static_cast<char*>(out), batch_.in_step() / in_size_,
               batch_.out_step() / out_size_};
    if (!direct_in_) {
      p.in = static_cast<char*>(m.in.data_ptr());
      p.in_distance = distance_in_;
    }
    if (!direct_out_) {
      const bool own = m.out.defined();
      p.out = static_cast<char*>(own ? m.out.data_ptr() : m.in.data_ptr());
      p.out_distance = own ? distance_out_ : distance_in_;
    }
    return p;
  }

  FftwProblem problem(std::int64_t count, int threads, const Pointers& at) const {
    FftwProblem p{};
    p.ends = from_real_ ? FftEnds::RealIn : l_.ends;
    p.wide = sizeof(T) == 8 ? 1 : 0;
    p.inverse = l_.inverse && !from_real_ ? 1 : 0;
    p.threads = threads;
    p.effort = detail::fft_effort();
    p.in_place = at.in == at.out ? 1 : 0;
    p.n = l_.n;
    p.howmany = count;
    p.in_distance = count == 1 ? 0 : at.in_distance;
    p.out_distance = count == 1 ? 0 : at.out_distance;
    return p;
  }

  /// A panel's plan; a part has few, by the alignment of its rows.
  static const FftwPlan& plan_of(const FftwProblem& wanted, const Pointers& at,
                                 std::vector<std::shared_ptr<const FftwPlan>>& plans) {
    FftwProblem p = wanted;
    p.align_in = fftw_table()->alignment(at.in, p.wide);
    p.align_out = fftw_table()->alignment(at.out, p.wide);
    for (const auto& plan : plans) {
      if (plan->problem() == p) return *plan;
    }
    auto plan = fftw_plan(wanted, at.in, at.out);
    if (plan == nullptr) throw std::bad_alloc();
    plans.push_back(std::move(plan));
    return *plans.back();
  }

  void run_panel(std::int64_t outer, std::int64_t j, std::int64_t count, const Memory& memory,
                 std::vector<std::shared_ptr<const FftwPlan>>& plans) const {
    const int rank = std::max(batch_.rank - 1, 0);
    char* in = static_cast<char*>(l_.in.data) +
               fft_row_offset(batch_.shape, batch_.in, rank, outer) + j * batch_.in_step();
    char* out = static_cast<char*>(l_.out.data) +
                fft_row_offset(batch_.shape, batch_.out, rank, outer) + j * batch_.out_step();
    const Pointers at = pointers(in, out, memory);
    if (!direct_in_) {
      load(in, at, 0, in_count_, count);
      finish_load(at, count);
    }
    plan_of(problem(count, 1, at), at, plans).run(at.in, at.out);
    store(out, at, 0, l_.ends == FftEnds::Complex ? l_.n : out_count_, count);
  }

  /// One row after the other, each by several threads.
  bool run_inside(int threads) const {
    const Memory memory(*this, 1);
    const std::int64_t rows = batch_.outer() * batch_.inner();
    for (std::int64_t row = 0; row < rows; ++row) {
      char* in = static_cast<char*>(l_.in.data) +
                 fft_row_offset(batch_.shape, batch_.in, batch_.rank, row);
      char* out = static_cast<char*>(l_.out.data) +
                  fft_row_offset(batch_.shape, batch_.out, batch_.rank, row);
      const Pointers at = pointers(in, out, memory);
      if (l_.ends == FftEnds::Complex && !l_.real_in && fft_split<T>(l_, in, out)) continue;
      // One row that is read and written where it lies has its own alignment.
      const auto plan = fftw_plan(problem(1, threads, at), at.in, at.out);
      if (plan == nullptr && row == 0) return false;
      if (plan == nullptr) throw std::bad_alloc();
      if (!direct_in_) {
        parallel_for(in_count_, kPerThread,
                     [&](std::int64_t a, std::int64_t b) { load(in, at, a, b, 1); });
        finish_load(at, 1);
      }
      team_made();
      plan->run(at.in, at.out);
      const std::int64_t count = l_.ends == FftEnds::Complex ? l_.n : out_count_;
      if (!direct_out_ || scale_ != T(1) || l_.out.conjugate) {
        parallel_for(count, kPerThread,
                     [&](std::int64_t a, std::int64_t b) { store(out, at, a, b, 1); });
      }
    }
    return true;
  }

  /// Elements [first, last) of rows into the panel, zeros where the row has none.
  void load(char* in, const Pointers& at, std::int64_t first, std::int64_t last,
            std::int64_t rows) const {
    const Grid from{in, l_.in.stride, batch_.in_step()};
    const Grid to{at.in, in_size_, at.in_distance * in_size_};
    const std::int64_t there = std::clamp(l_.in.n, first, last);
    if (from_real_) {
      copy_grid<T>(from, to, first, there, rows, [](T x, std::int64_t, std::int64_t) { return x; });
      fill_zeros<T>(to, there, last, rows);
      return;
    }
    const T sign = l_.in.conjugate ? T(-1) : T(1);
    copy_grid<Z>(from, to, first, there, rows, [sign](Z z, std::int64_t, std::int64_t) {
      return Z{z.re, sign * z.im};
    });
    fill_zeros<Z>(to, there, last, rows);
  }

  template <class E>
  static void fill_zeros(const Grid& to, std::int64_t first, std::int64_t last, std::int64_t rows) {
    for (std::int64_t j = 0; first < last && j < rows; ++j) {
      std::fill_n(reinterpret_cast<E*>(to.data + j * to.row) + first, last - first, E{});
    }
  }

  /// Bins without a partner are real.
  void finish_load(const Pointers& at, std::int64_t rows) const {
    if (l_.ends != FftEnds::RealOut) return;
    for (std::int64_t j = 0; j < rows; ++j) {
      Z* bins = reinterpret_cast<Z*>(at.in) + j * at.in_distance;
      bins[0].im = 0;
      if (l_.n % 2 == 0) bins[bins_ - 1].im = 0;
    }
  }

  /// Elements [first, last) of the result from FFTW's memory to their places, which may be the
  /// same.
  void store(char* out, const Pointers& at, std::int64_t first, std::int64_t last,
             std::int64_t rows) const {
    const T scale = scale_;
    const Grid to{out, l_.out.stride, batch_.out_step()};
    const Grid from{at.out, out_size_, at.out_distance * out_size_};
    if (l_.ends == FftEnds::RealOut) {
      if (direct_out_ && scale == T(1)) return;
      return copy_grid<T>(from, to, first, last, rows,
                          [scale](T x, std::int64_t, std::int64_t) { return x * scale; });
    }
    const bool conjugate = l_.out.conjugate != (expands_ && l_.inverse);
    if (direct_out_ && scale == T(1) && !conjugate) return;
    const auto by = [scale](T sign) {
      return [scale, sign](Z z, std::int64_t, std::int64_t) {
        return Z{z.re * scale, z.im * sign};
      };
    };
    const T sign = conjugate ? -scale : scale;
    const std::int64_t middle = expands_ ? std::clamp(bins_, first, last) : last;
    copy_grid<Z>(from, to, first, middle, rows, by(sign));
    // Bin k is the conjugate of bin n - k.
    const Grid mirror{at.out + l_.n * out_size_, -out_size_, from.row};
    copy_grid<Z>(mirror, to, middle, last, rows, by(-sign));
  }

  const FftRowsLaunch& l_;
  bool from_real_, expands_;
  std::int64_t bins_, in_count_, out_count_, in_size_, out_size_;
  T scale_;
  bool direct_in_, direct_out_;
  Batch batch_;
  bool one_panel_ = false;
  std::int64_t distance_in_ = 0, distance_out_ = 0, width_ = 1;
};

void launch_fft_rows(const void* desc, const void*) {
  const auto& l = *static_cast<const FftRowsLaunch*>(desc);
  FftAnswer& answer = *l.answer;
  answer.usable = fftw_table() != nullptr;
  std::snprintf(answer.text, sizeof answer.text, "%s", fftw_status().c_str());
  if (!answer.usable || l.n == 0) return;
  answer.done = l.dtype == DType::complex64 ? Call<float>(l).run() : Call<double>(l).run();
  if (!answer.done) std::snprintf(answer.text, sizeof answer.text, "FFTW has no plan for this");
}

}  // namespace

void register_fft_rows(HostRegistry& r) { r.bind("fft_ifft", Kernel{&launch_fft_rows, nullptr}); }

}  // namespace tandem::host
