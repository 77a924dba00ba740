// One long row by FFTW: n = p q elements as q columns of length p and p rows of length q, which
// stay in the cache (Bailey's four steps; "FFTs in external or hierarchical memory", 1990). An
// estimate of FFTW for 2^20 elements takes twice as long, and measuring takes it seconds.
#include <bit>
#include <cmath>
#include <mutex>
#include <numbers>
#include <vector>

#include "host/fft_grid.h"
#include "host/fft_library.h"
#include "host/parallel.h"
#include "runtime/memory/fork.h"
#include "runtime/ops/fft_provider.h"
#include "tandem/tensor.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kLeast = 1 << 17, kMost = 1 << 23;  // elements of a row that is split
constexpr std::int64_t kLongest = 8192;                    // transform

/// The divisor of n nearest its root, which makes two lengths of at most kLongest; 0: none.
std::int64_t divisor_of(std::int64_t n) {
  auto d = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  while (d > 0 && n % d != 0) --d;
  return d == 0 || n / d > kLongest ? 0 : d;
}

/// exp(-2 pi i c k / n) at [c][k], c < q, k < p: products of two roots, in long double.
template <class T>
Tensor make_factors(std::int64_t p, std::int64_t q) {
  using Wide = Complex<long double>;
  const std::int64_t n = p * q;
  const std::int64_t fine = std::int64_t(1) << (std::bit_width(static_cast<std::uint64_t>(n)) / 2);
  const auto root = [n](std::int64_t i) {
    const long double angle = 2 * std::numbers::pi_v<long double> * static_cast<long double>(i) /
                              static_cast<long double>(n);
    return Wide{std::cos(angle), -std::sin(angle)};
  };
  std::vector<Wide> small, large;
  for (std::int64_t i = 0; i < fine; ++i) small.push_back(root(i));
  for (std::int64_t i = 0; i < n; i += fine) large.push_back(root(i));
  Tensor t = empty({q, p}, {.dtype = sizeof(T) == 4 ? DType::complex64 : DType::complex128});
  auto* out = static_cast<Complex<T>*>(t.data_ptr());
  parallel_for(q, 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t c = first; c < last; ++c) {
      for (std::int64_t k = 0; k < p; ++k) {
        const Wide& a = large[static_cast<std::size_t>(c * k / fine)];
        const Wide& b = small[static_cast<std::size_t>(c * k % fine)];
        out[c * p + k] = {static_cast<T>(a.re * b.re - a.im * b.im),
                          static_cast<T>(a.re * b.im + a.im * b.re)};
      }
    }
  });
  return t;
}

struct Factors {
  struct Key {
    std::int64_t n, wide;
    bool operator==(const Key&) const = default;
  };
  ForkMutex mutex;
  RecentlyUsed<Key, Tensor> kept{4};
};

template <class T>
Tensor factors(std::int64_t p, std::int64_t q) {
  static constinit std::atomic<Factors*> there{nullptr};
  Factors& f = made_once(there);
  const Factors::Key key{p * q, sizeof(T) == 8};
  {
    const std::lock_guard lock(f.mutex);
    if (const Tensor* t = f.kept.find(key)) return *t;
  }
  Tensor made = make_factors<T>(p, q);
  std::vector<Tensor> gone;  // freed without the lock
  const std::lock_guard lock(f.mutex);
  if (const Tensor* t = f.kept.find(key)) return *t;  // another thread was faster
  f.kept.add(key, made);
  f.kept.trim([&](const Factors::Key&, Tensor& last) { gone.push_back(std::move(last)); },
              [](const Tensor&) { return false; });
  return made;
}

/// Panels of up to `width` of `count` transforms of length n, each loaded, transformed in place and
/// stored. False where FFTW has no plan.
template <class T, class Load, class Store>
bool panels(std::int64_t n, std::int64_t count, bool inverse, Load&& load, Store&& store) {
  using Z = Complex<T>;
  const std::int64_t distance = padded_row(n, sizeof(Z));
  const std::int64_t line = kLine / static_cast<std::int64_t>(sizeof(Z));
  const std::int64_t fit = kPanelBytes / (n * static_cast<std::int64_t>(sizeof(Z)));
  const std::int64_t width = std::min(std::max(fit / line * line, line), count);
  const auto room = [&] {
    return empty({width * distance * static_cast<std::int64_t>(sizeof(Z))},
                 {.dtype = DType::uint8});
  };
  const auto plan_of = [&](std::int64_t rows, void* at) {
    FftwProblem p{};
    p.ends = FftEnds::Complex;
    p.wide = sizeof(T) == 8 ? 1 : 0;
    p.inverse = inverse ? 1 : 0;
    p.threads = 1;
    p.effort = detail::fft_effort();
    p.in_place = 1;
    p.n = n;
    p.howmany = rows;
    p.in_distance = p.out_distance = rows == 1 ? 0 : distance;
    return fftw_plan(p, at, at);
  };
  const Tensor first_room = room();
  if (plan_of(width, first_room.data_ptr()) == nullptr) return false;
  parallel_for((count + width - 1) / width, 1, [&](std::int64_t first, std::int64_t last) {
    const Tensor memory = room();
    char* at = static_cast<char*>(memory.data_ptr());
    std::shared_ptr<const FftwPlan> plan;
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t rows = std::min(width, count - i * width);
      if (plan == nullptr || plan->problem().howmany != rows) plan = plan_of(rows, at);
      if (plan == nullptr) throw std::bad_alloc();
      const Grid panel{at, sizeof(Z), distance * static_cast<std::int64_t>(sizeof(Z))};
      load(i * width, rows, panel);
      plan->run(at, at);
      store(i * width, rows, panel);
    }
  });
  return true;
}

}  // namespace

template <class T>
bool fft_split(const FftRowsLaunch& l, char* in, char* out) {
  using Z = Complex<T>;
  if (l.n < kLeast || l.n > kMost || l.in.n < l.n || l.out.n < l.n || l.in.conjugate) return false;
  const std::int64_t p = divisor_of(l.n);
  if (p == 0) return false;
  const std::int64_t q = l.n / p;
  const Tensor table = factors<T>(p, q);
  const Tensor middle = empty({q, p}, {.dtype = l.dtype});
  const auto size = static_cast<std::int64_t>(sizeof(Z));
  // Element j q + c of the row is element j of column c.
  const auto columns = [&](std::int64_t c, std::int64_t rows, const Grid& panel) {
    const Grid from{in + c * l.in.stride, q * l.in.stride, l.in.stride};
    copy_grid<Z>(from, panel, 0, p, rows, [](Z z, std::int64_t, std::int64_t) { return z; });
  };
  const T sign = l.inverse ? T(-1) : T(1);
  const auto turned = [&](std::int64_t c, std::int64_t rows, const Grid& panel) {
    const Z* factor = static_cast<const Z*>(table.data_ptr()) + c * p;
    const Grid to{static_cast<char*>(middle.data_ptr()) + c * p * size, size, p * size};
    copy_grid<Z>(panel, to, 0, p, rows, [=](Z z, std::int64_t i, std::int64_t j) {
      const Z w = factor[j * p + i];
      const T im = sign * w.im;
      return Z{z.re * w.re - z.im * im, z.re * im + z.im * w.re};
    });
  };
  if (!panels<T>(p, q, l.inverse, columns, turned)) return false;
  // Bin k of all columns is a row, whose bin m is bin k + m p of the result.
  const auto across = [&](std::int64_t k, std::int64_t rows, const Grid& panel) {
    const Grid from{static_cast<char*>(middle.data_ptr()) + k * size, p * size, size};
    copy_grid<Z>(from, panel, 0, q, rows, [](Z z, std::int64_t, std::int64_t) { return z; });
  };
  const auto scale = static_cast<T>(l.scale);
  const auto placed = [&](std::int64_t k, std::int64_t rows, const Grid& panel) {
    const Grid to{out + k * l.out.stride, p * l.out.stride, l.out.stride};
    copy_grid<Z>(panel, to, 0, q, rows, [scale](Z z, std::int64_t, std::int64_t) {
      return Z{z.re * scale, z.im * scale};
    });
  };
  if (!panels<T>(q, p, l.inverse, across, placed)) throw std::bad_alloc();
  return true;
}

template bool fft_split<float>(const FftRowsLaunch&, char*, char*);
template bool fft_split<double>(const FftRowsLaunch&, char*, char*);

}  // namespace tandem::host
