// lint: oracle table. Calls of the rows of window.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

/// The rows whose arguments are a length, a flag and options, and those that take parameters.
inline Calls window_calls(std::int64_t n, std::int64_t m, DType t) {
  const Value none;
  const Value cpu = kCPU;  // moved as a tensor is
  const Dims a{3, -2, 5, 1};
  Calls c;
  for (const char* name : {"bartlett_window", "blackman_window", "hann_window"}) {
    c[name] = {{n, true, none, cpu}, {m, false, t, cpu}};
  }
  c["hamming_window"] = {{n, true, 0.5, 0.25, none, cpu}, {m, false, none, none, t, cpu}};
  c["kaiser_window"] = {{n, true, 8.5, none, cpu}, {m, false, none, t, cpu}};
  for (const char* name : {"bartlett", "blackman", "cosine", "hamming", "hann", "nuttall"}) {
    c[std::string("signal_windows_") + name] = {{n, true, none, cpu}, {m, false, t, cpu}};
  }
  c["signal_windows_exponential"] = {
      {n, none, 3.5, true, none, cpu}, {m, 2.0, 7.5, false, t, cpu}, {m, none, 7.5, false, t, cpu}};
  c["signal_windows_gaussian"] = {{n, 2.5, true, none, cpu}, {m, 900.0, false, t, cpu}};
  c["signal_windows_general_cosine"] = {{n, a, true, none, cpu}, {m, a, false, t, cpu}};
  c["signal_windows_general_hamming"] = {{n, 0.6, true, none, cpu}, {m, none, false, t, cpu}};
  c["signal_windows_kaiser"] = {{n, 8.5, true, none, cpu}, {m, none, false, t, cpu}};
  return c;
}

inline void add_window_calls(Calls& c) {
  const Value none;
  const Value cpu = kCPU;
  for (auto& [name, calls] : window_calls(9, 1, DType::float16)) {
    const std::size_t device = calls[0].size() - 1;
    Args named = calls[0];
    named.push_back(Strings{"t"});
    Args negative = calls[0];
    negative[0] = Value(-1);
    Args integral = calls[0];
    integral[device - 1] = DType::int32;
    Args empty_one = calls[0];
    empty_one[0] = Value(0);
    c[name] = calls;
    c[name].insert(c[name].end(), {named, negative, integral, empty_one});
  }
  c["kaiser_window"].push_back({9, true, 701.0, none, cpu});
  c["signal_windows_gaussian"].push_back({9, 0.0, true, none, cpu});
  c["signal_windows_exponential"].push_back({9, 1.0, 1.0, true, none, cpu});
  c["signal_windows_exponential"].push_back({9, none, -1.0, true, none, cpu});
}

inline void add_window_long_calls(Calls& c) {
  for (auto& [name, calls] : window_calls(300001, 200000, DType::float64)) c[name] = calls;
}

/// Kernels that the first call of a row launches on a device: the places of half of the window,
/// arithmetic, both halves to one, the rounding. A cosine takes two to four more each.
inline void add_window_launches(Launches& l) {
  for (const std::string name : {"bartlett", "blackman", "hamming", "hann", "kaiser"}) {
    const long n = name == "bartlett" ? 6 : name == "blackman" || name == "kaiser" ? 13 : 9;
    l[name + "_window"] = l["signal_windows_" + name] = n;
  }
  l["signal_windows_cosine"] = 7;
  l["signal_windows_exponential"] = 8;
  l["signal_windows_gaussian"] = l["signal_windows_general_hamming"] = 9;
  l["signal_windows_general_cosine"] = l["signal_windows_nuttall"] = 17;
}

}  // namespace tandem::test
