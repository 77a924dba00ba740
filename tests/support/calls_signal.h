// lint: oracle table. Calls of the rows of signal.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

inline void add_signal_calls(Calls& c) {
  Tensor x = varied({2, 40}, DType::float32, 1);
  x.rename_({"n", "t"});
  const Tensor d = varied({50}, DType::float64, 2);
  const Tensor z = varied_complex({3, 30}, DType::complex64, 3);
  const Tensor w = abs(varied({8}, DType::float32, 4)) + 0.5;
  const Value none;
  // x, n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided,
  // return_complex, align_to_window
  c["stft"] = {
      {x, 8, none, none, w, false, "reflect", false, none, true},
      {x, 8, 3, none, w, true, "circular", true, none, true},
      {d, 15, 4, 8, w, true, "replicate", false, false, false},
      {flip(d, Axes{0}), 15, 4, 8, w, false, "constant", false, none, true, true},
      {z, 8, 2, none, w, true, "constant"},
      {x, 8},
      {x, 80, none, none, none, true, "reflect", false, none, true},
      {x, 8, 0, none, none, true, "reflect", false, none, true},
      {z, 8, none, none, none, true, "reflect", false, true},
      {varied({9}, DType::int32, 5), 4, none, none, none, true, "reflect", false, none, true}};
  Tensor s = varied_complex({2, 5, 7}, DType::complex64, 6);
  s.rename_({"n", Name(), "t"});
  const Tensor all = varied_complex({8, 6}, DType::complex128, 7);
  c["istft"] = {{s, 8, none, none, w},
                {s, 8, 3, none, w, false, true, none, 20},
                {all, 8, none, none, none, true, false, none, 50, true},
                {all, 8, 2, 4, none, true, false, false},
                {x, 8},
                {s, 9},
                {s, 8, 9},
                {s, 8, none, none, none, true, false, none, -1},
                {s, 8, none, none, none, true, false, none, none, true}};
  Tensor k = varied({1, 5}, DType::float32, 8);
  const Tensor i = varied({4, 30}, DType::int16, 9);
  for (const char* name : {"signal_fftconvolve", "signal_oaconvolve"}) {
    c[name] = {{x, k, "full", 1},
               {x, k, "same", "t"},
               {i, i.narrow(-1, 0, 3), "valid"},
               {z, z.narrow(-1, 0, 4), "full", 1},
               {d.narrow(0, 0, 2), d},
               {i, k.narrow(-1, 0, 1)},
               {x, ones_of({0, 4}, DType::float32)},
               {x, d},
               {x, k, "other"},
               {x, i, "full", 1},
               {x, k, "full", 2}};
  }
  const Tensor on = gt(i, 0);
  for (const char* name : {"signal_convolve", "signal_correlate"}) {
    c[name] = {{x, k},
               {x, k, "same", "direct"},
               {x, k, "full", "fft"},
               {i, i.narrow(-1, 0, 3), "valid"},
               {i, i, "same", "fft"},
               {i, k},
               {on, on.narrow(-1, 0, 4)},
               {on, on, "valid", "fft"},
               {x.to(DType::bfloat16), k.to(DType::bfloat16)},
               {flip(z, Axes{1}), z.narrow(-1, 0, 4), "same"},
               {d.narrow(0, 0, 2), d, "valid", "direct"},
               {i, ones_of({0, 4}, DType::float32)},
               {Tensor(x.select(0, 0).select(0, 0)), Tensor(k.select(0, 0).select(0, 0))},
               {x, d},
               {x, k, "other"},
               {x, k, "full", "other"},
               {x, flip(i.t(), Axes{0}), "valid"}};
  }
  c["signal_correlation_lags"] = {{5, 3, "full", kCPU},
                                  {3, 4, "same", kCPU},
                                  {3, 6, "valid", kCPU},
                                  {3, 6, "other", kCPU},
                                  {0, 6, "full", kCPU}};
}

inline void add_signal_long_calls(Calls& c) {
  const Tensor x = varied({4, 30'000}, DType::float32, 1);
  const Tensor z = varied_complex({60'000}, DType::complex128, 2);
  const Tensor w = abs(varied({400}, DType::float32, 3)) + 0.5;
  const Value none;
  c["stft"] = {{x, 512, 128, 400, w, true, "reflect", false, none, true},
               {z, 400, none, none, w, false}};
  const Tensor s = varied_complex({3, 201, 300}, DType::complex64, 4);
  c["istft"] = {{s, 400, 100, none, w}, {s, 400, 30, none, w, false, true}};
  const Tensor k = varied({1, 300}, DType::float32, 5);
  for (const char* name : {"signal_fftconvolve", "signal_oaconvolve"}) {
    c[name] = {{x, k, "same", 1}, {z, z.narrow(0, 0, 50)}};
  }
  const Tensor i = varied({300, 200}, DType::int32, 6);
  for (const char* name : {"signal_convolve", "signal_correlate"}) {
    c[name] = {{x, k, "same", "direct"},
               {z, z.narrow(0, 0, 50), "valid", "direct"},
               {z, z.narrow(0, 0, 50), "full", "fft"},
               {i, i.narrow(0, 0, 5).narrow(1, 0, 7)}};
  }
  c["signal_correlation_lags"] = {{100'000, 3, "full", kCPU}};
}

/// Kernels that the first call of a row launches on a device, where not one.
inline void add_signal_launches(Launches& l) {
  l["stft"] = 3;    // times the window, 2 of rfft
  l["istft"] = 17;  // 2 of irfft, 1 + 5 + 2 of the sums of squares, 1 + 5 of the frames, 1
  // 3 of each rfft, which fills with zeros; the product; 2 of irfft; what is cut off.
  l["signal_fftconvolve"] = l["signal_oaconvolve"] = 10;
  l["signal_convolve"] = l["signal_correlate"] = 2;  // zeros around x, sums
}

}  // namespace tandem::test
