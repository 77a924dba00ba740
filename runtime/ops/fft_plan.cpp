// Plans of the built-in Fourier transform. Factors are computed here on the host in long double,
// one rounding from the number, and are the same on every device.
#include "runtime/ops/fft_plan.h"

#include <cmath>
#include <list>
#include <mutex>
#include <numbers>
#include <tuple>

#include "runtime/memory/fork.h"
#include "runtime/stream/capture.h"
#include "tandem/fft.h"
#include "tandem/ops.h"

namespace tandem::detail {

std::int64_t fft_good_length(std::int64_t least) {
  std::int64_t best = 1;
  while (best < least) best *= 2;
  for (std::int64_t five = 1, i = 0; five < 2 * least && i < 3; five *= 5, ++i) {
    for (std::int64_t three = five, j = 0; three < 2 * least && j < 3; three *= 3, ++j) {
      std::int64_t n = three;
      while (n < least) n *= 2;
      if (n + n * (i + j) / 16 < best) best = n;
    }
  }
  return best;
}

namespace {

using Wide = Complex<long double>;

constexpr std::int64_t kGreatestRadix = 31;  // primes beyond: Bluestein

/// exp(-2 pi i a / n), of an octant's angle so that the argument is exact but for one division.
Wide root_of_unity(std::int64_t a, std::int64_t n) {
  const auto eighth = static_cast<std::int64_t>(static_cast<__int128>(a) * 8 / n);
  const __int128 scaled = static_cast<__int128>(a) * 8;
  const bool mirrored = (eighth & 1) != 0;
  // In units of 1/8 of a turn: the distance from the nearest multiple of a quarter.
  const __int128 rest = mirrored ? static_cast<__int128>(eighth + 1) * n - scaled
                                 : scaled - static_cast<__int128>(eighth) * n;
  const long double angle = std::numbers::pi_v<long double> / 4 * static_cast<long double>(rest) /
                            static_cast<long double>(n);
  long double c = std::cos(angle);
  long double s = mirrored ? -std::sin(angle) : std::sin(angle);
  switch ((eighth + 1) / 2 % 4) {  // quarters to turn by
    case 1:
      std::swap(c, s);
      c = -c;
      break;
    case 2:
      c = -c;
      s = -s;
      break;
    case 3:
      std::swap(c, s);
      s = -s;
      break;
    default:
      break;
  }
  return {c, -s};
}

/// Roots of unity of one order by two short tables: exp of the coarse part times that of the rest.
class Roots {
 public:
  explicit Roots(std::int64_t n) : n_(n) {
    for (std::int64_t i = 0; i < std::min(n, kFine); ++i) fine_.push_back(root_of_unity(i, n));
    for (std::int64_t i = 0; i < n; i += kFine) coarse_.push_back(root_of_unity(i, n));
  }
  Wide operator()(std::int64_t a) const {
    a %= n_;
    const Wide& x = coarse_[static_cast<std::size_t>(a / kFine)];
    const Wide& y = fine_[static_cast<std::size_t>(a % kFine)];
    return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
  }

 private:
  static constexpr std::int64_t kFine = 1024;
  std::int64_t n_;
  std::vector<Wide> fine_, coarse_;
};

/// A table on the host in the plan's dtype; f(i) is element i.
template <class F>
Tensor table_of(std::int64_t n, DType dtype, F&& f) {
  Tensor t = empty({n}, {.dtype = dtype});
  const auto fill = [&]<class T>(Complex<T>* p) {
    for (std::int64_t i = 0; i < n; ++i) {
      const Wide w = f(i);
      p[i] = {static_cast<T>(w.re), static_cast<T>(w.im)};
    }
  };
  if (dtype == DType::complex64) {
    fill(static_cast<Complex64*>(t.data_ptr()));
  } else {
    fill(static_cast<Complex128*>(t.data_ptr()));
  }
  return t;
}

/// The radices of a length without prime factors beyond kGreatestRadix; empty otherwise, and for 1.
std::vector<int> radices_of(std::int64_t n) {
  std::vector<int> radices;
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  // 8 where it goes; 4 and 4 before 8 and 2.
  for (; twos > 4 || twos == 3; twos -= 3) radices.push_back(8);
  for (; twos >= 2; twos -= 2) radices.push_back(4);
  if (twos == 1) radices.push_back(2);
  for (int r = 3; r <= kGreatestRadix; r += 2) {
    for (; n % r == 0; n /= r) radices.push_back(r);
  }
  if (n != 1) radices.clear();
  return radices;
}

bool is_smooth(std::int64_t n) { return n == 1 || !radices_of(n).empty(); }

/// The lengths of the passes: one where the length fits, else two near the square root, else the
/// greatest that fits and those of the rest.
std::vector<std::int64_t> lengths_of(std::int64_t n, std::int64_t most) {
  if (n <= most) return {n};
  std::int64_t best = 0, greatest = 1;
  for (std::int64_t d = 2; d <= most; ++d) {
    if (n % d != 0) continue;
    greatest = d;
    if (n / d <= most && (best == 0 || d + n / d < best + n / best)) best = d;
  }
  if (best != 0) return {n / best, best};
  std::vector<std::int64_t> lengths = lengths_of(n / greatest, most);
  lengths.insert(lengths.begin(), greatest);
  return lengths;
}

FftPass make_pass(std::int64_t m, std::int64_t p, std::int64_t s, DType dtype) {
  FftPass pass{m, p, s, radices_of(m), {}, {}};
  std::vector<Wide> stages;
  std::int64_t left = m;
  for (const int r : pass.radices) {
    const std::int64_t after = left / r;
    if (!has_butterfly(r)) {
      for (int j = 0; j < r; ++j) stages.push_back(root_of_unity(j, r));
    }
    for (std::int64_t q = 0; after > 1 && q < after; ++q) {
      for (int k = 0; k < r; ++k) stages.push_back(root_of_unity(q * k, left));
    }
    left = after;
  }
  pass.stages = table_of(static_cast<std::int64_t>(stages.size()), dtype,
                         [&](std::int64_t i) { return stages[static_cast<std::size_t>(i)]; });
  if (p > 1) {
    const Roots roots(m * p);
    pass.twiddles = table_of(m * p, dtype, [&](std::int64_t i) { return roots(i / p * (i % p)); });
  }
  return pass;
}

void add_passes(FftPlan& plan, DType dtype) {
  const auto most = kFftPassBytes / static_cast<std::int64_t>(element_size(dtype));
  std::int64_t left = plan.n, s = 1;
  for (const std::int64_t m : lengths_of(plan.n, most)) {
    left /= m;
    plan.passes.push_back(make_pass(m, left, s, dtype));
    s *= m;
  }
}

/// The tables of Bluestein's algorithm: with c[j] = exp(-pi i j^2 / n), bin k is
/// c[k] sum over j of (x[j] c[j]) conj(c[k - j]).
void add_convolution(FftPlan& plan, DType dtype) {
  const std::int64_t n = plan.n;
  const std::int64_t m = fft_good_length(2 * n - 1);
  plan.inner = fft_plan(m, dtype, kCPU);
  const Roots roots(2 * n);
  const auto chirp = [&](std::int64_t j) {
    return roots(static_cast<std::int64_t>(static_cast<__int128>(j) * j % (2 * n)));
  };
  const auto conjugate = [&](std::int64_t j) {
    const Wide w = chirp(j);
    return Wide{w.re, -w.im};
  };
  plan.chirp = table_of(n, dtype, chirp);
  plan.chirp_conjugate = table_of(n, dtype, conjugate);
  const Tensor wrapped = table_of(m, DType::complex128, [&](std::int64_t j) {
    if (j < n) return conjugate(j);
    return m - j < n ? conjugate(m - j) : Wide{0, 0};
  });
  // By the built-in transform: the plan's bits do not depend on what libraries are there.
  const fft::ProviderGuard own("built-in");
  plan.kernel = fft::fft(wrapped, {}, -1, "forward").to(dtype);
}

std::size_t bytes_of(const FftPlan& plan) {
  std::size_t bytes = 0;
  const auto add = [&](const Tensor& t) {
    if (t.defined()) bytes += t.nbytes();
  };
  for (const Tensor* t : {&plan.chirp, &plan.chirp_conjugate, &plan.kernel, &plan.half}) add(*t);
  for (const FftPass& p : plan.passes) {
    add(p.stages);
    add(p.twiddles);
  }
  return bytes;
}

std::shared_ptr<const FftPlan> make_plan(std::int64_t n, DType dtype) {
  auto plan = std::make_shared<FftPlan>();
  plan->n = n;
  if (is_smooth(n)) {
    add_passes(*plan, dtype);
  } else {
    add_convolution(*plan, dtype);
  }
  return plan;
}

std::shared_ptr<const FftPlan> half_table(std::int64_t h, DType dtype) {
  auto plan = std::make_shared<FftPlan>();
  plan->n = h;
  const Roots roots(2 * h);
  plan->half = table_of(h + 1, dtype, roots);
  return plan;
}

/// The host's plan with its tables on a device.
std::shared_ptr<const FftPlan> upload(const FftPlan& host, DType dtype, Device device) {
  auto plan = std::make_shared<FftPlan>(host);
  const auto move = [&](Tensor& t) {
    if (t.defined()) t = t.to(device);
  };
  for (Tensor* t : {&plan->chirp, &plan->chirp_conjugate, &plan->kernel, &plan->half}) move(*t);
  for (FftPass& p : plan->passes) {
    move(p.stages);
    move(p.twiddles);
  }
  if (host.inner) plan->inner = fft_plan(host.inner->n, dtype, device);
  return plan;
}

/// The same, complete on the device before work that a graph records: the copies are no part of the
/// graph, before whose first replay other work of the stream may use the tables.
std::shared_ptr<const FftPlan> upload_beside(const FftPlan& host, DType dtype, Device device) {
  if (recording_of(current_stream(device)) == nullptr) return upload(host, dtype, device);
  const Stream aside = Stream::create(device);
  const StreamGuard guard(aside);
  auto plan = upload(host, dtype, device);
  aside.synchronize();
  return plan;
}

/// Tables that were uploaded on a stream are used on that one alone: no stream has to wait for
/// another.
struct Key {
  std::int64_t n;
  bool half;
  DType dtype;
  Device device;
  std::uint64_t stream;
  bool operator==(const Key& o) const {
    return n == o.n && half == o.half && dtype == o.dtype && device == o.device &&
           stream == o.stream;
  }
};

struct Cache {
  struct Entry {
    Key key;
    std::shared_ptr<const FftPlan> plan;
    std::size_t bytes;
  };
  ForkMutex mutex;
  std::list<Entry> entries;  // the last used first
  std::size_t bytes = 0;

  std::shared_ptr<const FftPlan> find(const Key& key) {
    const std::lock_guard lock(mutex);
    for (auto it = entries.begin(); it != entries.end(); ++it) {
      if (!(it->key == key)) continue;
      entries.splice(entries.begin(), entries, it);
      return it->plan;
    }
    return nullptr;
  }

  /// Plans that are let go are destroyed without the lock: their tensors take others.
  void add(const Key& key, std::shared_ptr<const FftPlan> plan) {
    std::list<Entry> gone;
    const std::lock_guard lock(mutex);
    const std::size_t size = bytes_of(*plan);
    entries.push_front({key, std::move(plan), size});
    bytes += size;
    while (entries.size() > kFftPlans || (bytes > kFftPlanBytes && entries.size() > 1)) {
      bytes -= entries.back().bytes;
      gone.splice(gone.begin(), entries, std::prev(entries.end()));
    }
  }
};

Cache& cache() {
  static constinit std::atomic<Cache*> c{nullptr};
  return made_once(c);
}

std::shared_ptr<const FftPlan> cached(std::int64_t n, bool half, DType dtype, Device device) {
  const Key key{n, half, dtype, device, device.is_cpu() ? 0 : current_stream(device).id()};
  std::shared_ptr<const FftPlan> plan = cache().find(key);
  if (plan) return plan;
  if (!device.is_cpu()) {
    plan = upload_beside(*cached(n, half, dtype, kCPU), dtype, device);
  } else {
    plan = half ? half_table(n, dtype) : make_plan(n, dtype);
  }
  cache().add(key, plan);
  return plan;
}

}  // namespace

std::shared_ptr<const FftPlan> fft_plan(std::int64_t n, DType dtype, Device device) {
  return cached(n, false, dtype, device);
}

Tensor fft_half_table(std::int64_t h, DType dtype, Device device) {
  return cached(h, true, dtype, device)->half;
}

std::size_t fft_plans_kept() {
  Cache& c = cache();
  const std::lock_guard lock(c.mutex);
  return c.entries.size();
}

}  // namespace tandem::detail
