// Fourier transforms: powers of two, a large prime, short and long rows, outer axes, two axes;
// short-time transforms; convolution.
#include "perf/cases.h"

namespace tandem::perf {
namespace {

constexpr Domain kUnit{-1, 1};

template <class F>
Case make(const char* op, const std::string& form, DType t, const Dims& shape, F f) {
  Case c;
  c.op = op;
  c.form = form;
  c.dtype = t;
  c.shape = shape;
  c.domain = kUnit;
  c.run = [t, shape, f](benchmark::State& state) { f(state, input(shape, t, kUnit)); };
  return c;
}

/// A function of one tensor.
template <class F>
Case plain(const char* op, const std::string& form, DType t, const Dims& shape, F f) {
  return make(op, form, t, shape, [f](benchmark::State& state, const Tensor& x) {
    timed(state, [&] { return f(x); });
  });
}

void add_transforms(std::vector<Case>& cases) {
  const auto one = [](const Tensor& x) { return fft::fft(x); };
  const auto real = [](const Tensor& x) { return fft::rfft(x); };
  for (const Dims& shape : {Dims{16}, Dims{1024}, Dims{65536}, Dims{1 << 20}, Dims{1'000'003},
                            Dims{10'000, 16}, Dims{1000, 1024}, Dims{10, 65536}}) {
    cases.push_back(plain("fft_fft", "fresh", DType::complex64, shape, one));
  }
  for (const Dims& shape : {Dims{10'000, 16}, Dims{1000, 1024}}) {
    cases.push_back(plain("fft_fft", "fresh", DType::complex128, shape, one));
  }
  cases.push_back(plain("fft_fft", "outer", DType::complex64, {1024, 1000},
                        [](const Tensor& x) { return fft::fft(x, {}, 0); }));
  cases.push_back(plain("fft_fft2", "fresh", DType::complex64, {1024, 1024},
                        [](const Tensor& x) { return fft::fft2(x); }));
  for (const Dims& shape : {Dims{16}, Dims{1024}, Dims{1 << 20}, Dims{10'000, 16}, Dims{1000, 1024},
                            Dims{1000, 1000}}) {
    cases.push_back(plain("fft_rfft", "fresh", DType::float32, shape, real));
  }
  cases.push_back(plain("fft_rfft", "fresh", DType::float64, {1000, 1024}, real));
  cases.push_back(plain("fft_irfft", "fresh", DType::complex64, {1000, 513},
                        [](const Tensor& x) { return fft::irfft(x); }));
}

/// Ten seconds of sound, and four channels of a minute.
void add_frames(std::vector<Case>& cases) {
  for (const Dims& shape : {Dims{160'000}, Dims{4, 960'000}}) {
    for (const std::int64_t n : {400, 1024}) {
      const std::string form = "n" + std::to_string(n);
      const auto window = [n](const Tensor& x) {
        return hann_window(n, true, {.dtype = x.dtype(), .device = x.device()});
      };
      cases.push_back(make("stft", form, DType::float32, shape,
                           [n, window](benchmark::State& state, const Tensor& x) {
                             const Tensor w = window(x);
                             timed(state, [&] { return stft(x, n, {}, {}, w); });
                           }));
      cases.push_back(make("istft", form, DType::float32, shape,
                           [n, window](benchmark::State& state, const Tensor& x) {
                             const Tensor w = window(x);
                             const Tensor bins = stft(x, n, {}, {}, w);
                             timed(state, [&] { return istft(bins, n, {}, {}, w); });
                           }));
    }
  }
}

void add_convolutions(std::vector<Case>& cases) {
  const auto add = [&](const char* op, const Dims& shape, std::int64_t taps, auto f) {
    cases.push_back(make(op, "k" + std::to_string(taps), DType::float32, shape,
                         [taps, f](benchmark::State& state, const Tensor& x) {
                           const Tensor y = filled({taps}, DType::float32, kUnit, 2).to(x.device());
                           timed(state, [&] { return f(x, y, "full", std::nullopt); });
                         }));
  };
  add("signal_fftconvolve", {100'000}, 100'000, &signal::fftconvolve);
  add("signal_fftconvolve", {1'000'000}, 501, &signal::fftconvolve);
  add("signal_oaconvolve", {1'000'000}, 501, &signal::oaconvolve);
}

}  // namespace

std::vector<Case> fft_cases() {
  std::vector<Case> cases;
  add_transforms(cases);
  add_frames(cases);
  add_convolutions(cases);
  return cases;
}

}  // namespace tandem::perf
