// What the memory of this machine gives to plain loops: the yardstick of every memory-bound row.
#pragma once

#include <cstddef>

namespace tandem::perf {

/// GB/s (1e9 bytes), counting bytes read and bytes written; medians over several passes.
struct Rate {
  int threads;
  double write;  // streaming stores, nothing read
  double copy;   // the better of memcpy and a loop with streaming stores
  double add;    // c = a + b with streaming stores
  double read;   // the sum of all words
  /// The most that any loop which reads and writes reached.
  double streaming() const { return copy > add ? copy : add; }
};

struct Rates {
  Rate one, all;
  /// The better of both thread counts, as the limit of what an op could reach.
  double copy() const { return one.copy > all.copy ? one.copy : all.copy; }
  double read() const { return one.read > all.read ? one.read : all.read; }
  double streaming() const {
    return one.streaming() > all.streaming() ? one.streaming() : all.streaming();
  }
};

/// Measures over three arrays of `bytes` each, with one thread and with `threads`.
Rates measure_rates(std::size_t bytes, int threads, int passes);

}  // namespace tandem::perf
