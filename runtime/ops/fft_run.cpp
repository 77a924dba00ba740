// Transforms along one axis: by a library, or launches of the built-in transform: passes of a plan,
// Bluestein's two transforms, real rows.
#include <fmt/format.h>

#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/fft.h"
#include "runtime/ops/fft_plan.h"
#include "runtime/ops/fft_provider.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/threads.h"

namespace tandem::detail {

namespace {

/// Rows along an axis of a tensor, of elements of `size` bytes.
struct Rows {
  const Tensor* tensor;
  char* data;
  std::int64_t n, stride;
  Dims shape, strides;                   // of the other dimensions
  std::int64_t columns = 1, column = 0;  // side by side, where with_columns() found some
  std::int64_t imaginary = 0;  // bytes from an element's real part to the other, where apart
};

Rows rows_of(const Tensor& t, std::int64_t axis) {
  const auto size = static_cast<std::int64_t>(t.element_size());
  Rows r{&t, static_cast<char*>(t.data_ptr()), 1, size, {}, {}};
  for (std::size_t d = 0; d < t.shape().size(); ++d) {
    if (static_cast<std::int64_t>(d) == axis) {
      r.n = t.shape()[d];
      r.stride = t.strides()[d] * size;
    } else {
      r.shape.push_back(t.shape()[d]);
      r.strides.push_back(t.strides()[d] * size);
    }
  }
  return r;
}

/// Pairs of neighbours of real rows that lie densely, as complex elements.
Rows paired(Rows r) {
  r.n /= 2;
  r.stride *= 2;
  return r;
}

/// Dense complex memory for rows of n elements, and these rows.
Tensor memory_for(const Rows& rows, std::int64_t n, DType dtype, Device device) {
  Dims shape(rows.shape);
  shape.push_back(n);
  if (rows.columns > 1) shape.push_back(rows.columns);
  return empty(shape, {.dtype = dtype, .device = device});
}
Rows rows_of_memory(const Tensor& t, std::int64_t columns) {
  Rows r = rows_of(t, t.dim() - (columns > 1 ? 2 : 1));
  if (columns > 1) {
    r.columns = columns;
    r.column = r.strides.back();
    r.shape.pop_back();
    r.strides.pop_back();
  }
  return r;
}

std::int64_t size_of(const Rows& r) { return static_cast<std::int64_t>(r.tensor->element_size()); }

/// Columns at both ends that are neighbours in memory become columns of the rows.
void with_columns(Rows& in, Rows& out) {
  if (in.stride == size_of(in)) return;
  for (std::size_t d = 0; d < in.shape.size();) {
    const std::int64_t n = in.columns;
    if (in.shape[d] == 1 || in.strides[d] != n * size_of(in) ||
        out.strides[d] != n * size_of(out)) {
      ++d;
      continue;
    }
    in.columns = out.columns = n * in.shape[d];
    for (Rows* r : {&in, &out}) {
      r->column = size_of(*r);
      r->shape.erase(d);
      r->strides.erase(d);
    }
    d = 0;
  }
}

bool has_columns(const Rows& in, const Rows& out) {
  if (in.stride == size_of(in)) return false;
  for (std::size_t d = 0; d < in.shape.size(); ++d) {
    if (in.shape[d] > 1 && in.strides[d] == size_of(in) && out.strides[d] == size_of(out))
      return true;
  }
  return false;
}

/// As with_columns() where only the input's are neighbours, for a pass between other rows.
void with_columns_in(Rows& in, Rows& out) {
  if (in.columns > 1 || in.stride == size_of(in)) return;
  for (std::size_t d = 0; d < in.shape.size(); ++d) {
    if (in.shape[d] == 1 || in.strides[d] != size_of(in)) continue;
    for (Rows* r : {&in, &out}) {
      r->columns = r->shape[d];
      r->column = r->strides[d];
      r->shape.erase(d);
      r->strides.erase(d);
    }
    return;
  }
}

/// Columns [first, first + count) alone, and rows along the first of the other dimensions.
Rows columns_of(Rows r, std::int64_t first, std::int64_t count) {
  r.data += first * r.column;
  r.columns = count;
  return r;
}
Rows outer_of(Rows r, std::int64_t first, std::int64_t count) {
  r.data += first * r.strides[0];
  r.shape[0] = count;
  return r;
}

struct End {
  Rows rows;
  bool conjugate = false;
  const Tensor* table = nullptr;
  FftSide side() const {
    return {rows.data,  rows.stride, rows.strides.data(),
            rows.n,     conjugate,   table == nullptr ? nullptr : table->data_ptr(),
            rows.column};
  }
};

std::int64_t count_of(IntSpan shape) {
  std::int64_t n = 1;
  for (const std::int64_t size : shape) n *= size;
  return n;
}

struct Job {
  DType dtype;
  Device device;
  double scale = 1;
};

/// `half`: fft_half_table() of the pass, where bins of real rows are made in it.
void run_pass(const Job& job, const FftPass& pass, const End& in, const End& out, double scale,
              const Tensor* half = nullptr, bool pack = false) {
  FftPassLaunch l{};
  const OpRow& row = op::fft_fft;
  l.row = &row;
  l.dtype = job.dtype;
  l.device = job.device;
  l.m = pass.m;
  l.p = pass.p;
  l.s = pass.s;
  for (const int r : pass.radices) l.radices[l.n_radices++] = r;
  l.stages = pass.stages.data_ptr();
  l.twiddles = pass.twiddles.defined() ? pass.twiddles.data_ptr() : nullptr;
  l.shape = in.rows.shape.data();
  l.rank = static_cast<int>(in.rows.shape.size());
  l.rows = count_of(in.rows.shape);
  l.columns = in.rows.columns;
  l.in = in.side();
  l.out = out.side();
  l.real_in = !is_complex(in.rows.tensor->dtype());
  l.imaginary = in.rows.imaginary;
  l.scale = scale;
  l.half = half == nullptr ? nullptr : half->data_ptr();
  l.pack = pack;
  l.stream = launch_stream(job.device, {out.rows.tensor},
                           {in.rows.tensor, in.table, out.table, &pass.stages, &pass.twiddles});
  launch(row, l.device, &l);
}

/// A forward transform of a smooth length; `spare` is memory for the rows, or none yet.
void run_passes(const Job& job, const FftPlan& plan, const End& in, const End& out,
                Tensor (&spare)[2]) {
  End from = in;
  for (std::size_t i = 0; i + 1 < plan.passes.size(); ++i) {
    Tensor& next = spare[from.rows.tensor == &spare[0] ? 1 : 0];
    if (!next.defined()) next = memory_for(in.rows, plan.n, job.dtype, job.device);
    const End to{rows_of_memory(next, in.rows.columns)};
    End beside = to;
    if (job.device.is_cpu()) with_columns_in(from.rows, beside.rows);
    run_pass(job, plan.passes[i], from, beside, 1);
    from = to;
  }
  run_pass(job, plan.passes.back(), from, out, job.scale);
}

/// By a plan of a convolution or none.
void run_plan(const Job& job, const FftPlan& plan, bool inverse, const Rows& in, const Rows& out) {
  Tensor spare[2];
  if (!plan.inner) return run_passes(job, plan, {in, inverse}, {out, inverse}, spare);
  // The inverse transform of the product is the conjugate of a forward one.
  const Job plain{job.dtype, job.device};
  const FftPlan& inner = *plan.inner;
  spare[0] = memory_for(in, inner.n, job.dtype, job.device);
  const Rows middle = rows_of_memory(spare[0], in.columns);
  End first{in, inverse, &plan.chirp};
  first.rows.n = std::min(in.n, plan.n);
  run_passes(plain, inner, first, {middle, true, &plan.kernel}, spare);
  run_passes(job, inner, {middle}, {out, !inverse, &plan.chirp_conjugate}, spare);
}

/// f(first, count) for parts of about `most`, the last of which has what is left.
template <class F>
void for_parts(std::int64_t n, std::int64_t most, F&& f) {
  const std::int64_t parts = std::max<std::int64_t>(n / most, 1);
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t first = i * most;
    f(first, i + 1 < parts ? most : n - first);
  }
}

/// Columns in parts that go through all passes together: what is between passes stays in the
/// threads' second caches (4096 x 1024 points by 2 threads of Zen 5: 5.2 ms, at once 7.7).
template <class F>
void by_parts(const Job& job, std::int64_t n, const Rows& in, const Rows& out, F&& f) {
  constexpr std::int64_t kShare = 1 << 20;  // bytes of a thread
  constexpr std::int64_t kBlock = 16;       // columns of a block at the most
  const std::int64_t fit =
      kShare * get_num_threads() / (n * static_cast<std::int64_t>(element_size(job.dtype)));
  const std::int64_t rows = count_of(in.shape);
  const bool at_once = rows * in.columns <= fit;
  if (at_once || rows == 1) {
    const std::int64_t most = at_once ? in.columns : std::max(fit / kBlock * kBlock, kBlock);
    return for_parts(in.columns, most, [&](std::int64_t first, std::int64_t count) {
      f(columns_of(in, first, count), columns_of(out, first, count));
    });
  }
  const std::int64_t inner = rows / in.shape[0];
  const std::int64_t most = std::max<std::int64_t>(fit / (inner * in.columns), 1);
  for_parts(in.shape[0], most, [&](std::int64_t first, std::int64_t count) {
    Rows from = outer_of(in, first, count);
    Rows to = outer_of(out, first, count);
    if (count == 1) {
      for (Rows* r : {&from, &to}) {
        r->shape.erase(0);
        r->strides.erase(0);
      }
      return by_parts(job, n, from, to, f);
    }
    f(from, to);
  });
}

/// The rows as columns where the host has several passes over them.
void run_beside(const Job& job, const FftPlan& plan, std::int64_t n, bool inverse, Rows in,
                Rows out) {
  with_columns(in, out);
  by_parts(job, n, in, out,
           [&](const Rows& from, const Rows& to) { run_plan(job, plan, inverse, from, to); });
}

void transform(const Job& job, std::int64_t n, bool inverse, const Rows& in, const Rows& out) {
  if (out.tensor->numel() == 0) return;
  const auto plan = fft_plan(n, job.dtype, job.device);
  const FftPlan& last = plan->inner ? *plan->inner : *plan;
  const bool beside =
      job.device.is_cpu() && last.passes.size() > 1 && in.columns == 1 && has_columns(in, out);
  if (!beside) return run_plan(job, *plan, inverse, in, out);
  run_beside(job, *plan, last.n, inverse, in, out);
}

void run_half(const Job& job, std::int64_t h, bool pack, const End& in, const End& out) {
  const Tensor table = fft_half_table(h, job.dtype, job.device);
  FftHalfLaunch l{};
  const OpRow& row = pack ? op::fft_irfft : op::fft_rfft;
  l.row = &row;
  l.dtype = job.dtype;
  l.device = job.device;
  l.h = h;
  l.pack = pack;
  l.twiddles = table.data_ptr();
  l.shape = in.rows.shape.data();
  l.rank = static_cast<int>(in.rows.shape.size());
  l.rows = count_of(in.rows.shape);
  l.columns = in.rows.columns;
  l.in = in.side();
  l.out = out.side();
  l.scale = job.scale;
  l.stream = launch_stream(job.device, {out.rows.tensor}, {in.rows.tensor, &table});
  launch(row, l.device, &l);
}

/// Pairs and the bins of real rows in one go, where the host does it in one pass: false elsewhere.
bool run_fused(const Job& job, std::int64_t h, bool pack, const End& in, const End& out) {
  if (!job.device.is_cpu() || (pack && in.rows.n <= h)) return false;
  const auto plan = fft_plan(h, job.dtype, job.device);
  if (plan->inner || plan->passes.size() != 1) return false;
  const Tensor table = fft_half_table(h, job.dtype, job.device);
  run_pass(job, plan->passes[0], in, out, job.scale, &table, pack);
  return true;
}

/// Bins of columns of real elements, whose pairs are read where they lie: false where they are not
/// those of several passes, or narrower than a block.
bool run_columns(const Job& job, std::int64_t n, Rows in, Rows out, bool conjugate) {
  if (!job.device.is_cpu() || (in.n < n && in.n % 2 != 0)) return false;
  with_columns(in, out);
  if (in.columns < 128 / static_cast<std::int64_t>(element_size(job.dtype))) return false;
  const std::int64_t h = n / 2;
  const auto plan = fft_plan(h, job.dtype, job.device);
  const FftPlan& last = plan->inner ? *plan->inner : *plan;
  if (last.passes.size() == 1) return false;
  in.imaginary = in.stride;
  in.stride *= 2;
  in.n = std::min(in.n, n) / 2;
  by_parts(job, last.n, in, out, [&](const Rows& from, const Rows& to) {
    const Tensor bins = memory_for(from, h, job.dtype, job.device);
    const Rows middle = rows_of_memory(bins, from.columns);
    run_plan({job.dtype, job.device}, *plan, false, from, middle);
    run_half(job, h, false, {middle}, {to, conjugate});
  });
  return true;
}

/// x cut or filled with zeros to n along an axis, its rows dense there and on even elements.
Tensor dense_rows(const Tensor& x, std::int64_t axis, std::int64_t n) {
  Tensor t = x.has_names() ? x.rename(std::nullopt) : x;
  t = t.movedim(Axis(axis), Axis(-1));
  if (t.shape().back() > n) t = t.narrow(-1, 0, n);
  if (t.shape().back() < n) return pad(t, Dims{0, n - t.shape().back()});
  bool pairs = t.strides().back() == 1 && t.storage_offset() % 2 == 0 &&
               reinterpret_cast<std::uintptr_t>(t.data_ptr()) % (2 * t.element_size()) == 0;
  for (std::size_t i = 0; i + 1 < t.shape().size(); ++i)
    pairs = pairs && (t.shape()[i] == 1 || t.strides()[i] % 2 == 0);
  return pairs ? t : t.is_contiguous() ? t.clone() : t.contiguous();
}

}  // namespace

void fft_complex(const FftCall& c, const Tensor& x, const Tensor& out) {
  if (fft_by_library(FftEnds::Complex, c, x, out)) return;
  const Rows in = rows_of(x, c.axis);
  transform({out.dtype(), out.device(), c.scale}, c.n, c.inverse, in, rows_of(out, c.axis));
}

void fft_real_to_bins(const FftCall& c, const Tensor& x, const Tensor& out) {
  if (out.numel() == 0 || fft_by_library(FftEnds::RealIn, c, x, out)) return;
  const Job job{out.dtype(), out.device(), c.scale};
  const Rows to = rows_of(out, c.axis);
  if (c.n % 2 != 0) {  // all bins, of which those beyond the middle are not written
    const Rows in = rows_of(x, c.axis);
    return transform(job, c.n, c.conjugate, in, to);
  }
  if (x.strides()[static_cast<std::size_t>(c.axis)] != 1 &&
      run_columns(job, c.n, rows_of(x, c.axis), to, c.conjugate)) {
    return;
  }
  const std::int64_t h = c.n / 2;
  const Tensor real = dense_rows(x, c.axis, c.n);
  // Rows of real elements that are read as complex ones.
  const Tensor pairs = real.view_as(job.dtype);
  Rows from = paired(rows_of(real, real.dim() - 1));
  from.tensor = &pairs;
  if (run_fused(job, h, false, {from}, {to, c.conjugate})) return;
  const Tensor bins = memory_for(from, h, job.dtype, job.device);
  const Rows middle = rows_of(bins, bins.dim() - 1);
  transform({job.dtype, job.device}, h, false, from, middle);
  run_half(job, h, false, {middle}, {to, c.conjugate});
}

void fft_bins_to_real(const FftCall& c, const Tensor& x, const Tensor& out) {
  if (out.numel() == 0 || fft_by_library(FftEnds::RealOut, c, x, out)) return;
  const DType dtype = x.dtype();
  const Rows in = rows_of(x, c.axis);
  if (c.n % 2 != 0) {
    Tensor half = x.has_names() ? x.rename(std::nullopt) : x;
    const std::int64_t bins = c.n / 2 + 1;
    half = half.movedim(Axis(c.axis), Axis(-1));
    if (half.shape().back() > bins) half = half.narrow(-1, 0, bins);
    if (half.shape().back() < bins) half = pad(half, Dims{0, bins - half.shape().back()});
    const Tensor rest = conj(flip(half.narrow(-1, 1, bins - 1), Axes{-1}));
    const Tensor whole = cat({half, rest}, -1);
    const FftCall complex{c.row, whole.dim() - 1, c.n, c.inverse, c.scale};
    fft_complex(complex, whole, whole);
    const Tensor plain = out.has_names() ? out.rename(std::nullopt) : out;
    const Tensor real = whole.view_as(real_part(dtype)).slice(-1, {}, {}, 2);
    copy_elements(plain, real.movedim(Axis(-1), Axis(c.axis)));
    return;
  }
  const std::int64_t h = c.n / 2;
  const Job job{dtype, x.device(), c.scale};
  if (run_fused(job, h, true, {in, c.conjugate}, {paired(rows_of(out, c.axis)), true})) return;
  const Tensor bins = memory_for(in, h, dtype, x.device());
  const Rows middle = rows_of(bins, bins.dim() - 1);
  // irfft is an inverse transform; hfft a forward one of the conjugates, which is the same.
  run_half({dtype, x.device()}, h, true, {in, c.conjugate}, {middle});
  transform(job, h, true, middle, paired(rows_of(out, c.axis)));
}

}  // namespace tandem::detail
