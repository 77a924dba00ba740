// Transforms by a library (FFTW on the host, cuFFT on a device): the launch, the interface of the
// plug-in that holds FFTW, and the cache of plans. Plain data, as backend.h.
#pragma once

#include <list>
#include <memory>
#include <utility>

#include "tandem/backend/fft.h"

namespace tandem {

enum class FftEnds : std::int32_t { Complex, RealIn, RealOut };

/// What a launch answers.
struct FftAnswer {
  bool done = false;       // else the library was not used, and nothing is written
  bool usable = false;     // the library is there
  bool retry = false;      // it would take dense rows
  bool unplanned = false;  // it would have to plan, which a capture does not allow
  char text[256] = {};     // its version, or why it is not there or was not used
};

/// Rows of transforms of length n by the library of the device, launched on the row fft_ifft. The
/// kernel of the host takes ends as FftSide says; that of a device has every element (in.n and
/// out.n), conjugates and scales nothing, does not read real parts as complex numbers, and may
/// overwrite the input where the output is real. n = 0 asks whether the library can be used.
struct FftRowsLaunch {
  const OpRow* row;
  DType dtype;  // of the complex end
  Device device;
  void* stream;
  FftEnds ends;
  bool inverse;   // of complex ends
  bool real_in;   // of complex ends: the input is the real parts alone
  bool captured;  // the stream is being captured: nothing may be planned
  std::int64_t n;
  std::int64_t rows;
  const std::int64_t* shape;
  int rank;
  FftSide in, out;  // without tables
  double scale;
  FftAnswer* answer;
};

/// One problem for FFTW: `howmany` transforms of length n, elements side by side.
struct FftwProblem {
  FftEnds ends;
  std::int32_t wide;     // in double precision
  std::int32_t inverse;  // of complex ends
  std::int32_t threads;
  std::int32_t effort;  // 0 estimate, 1 measure, 2 patient
  std::int32_t in_place;
  std::int32_t align_in, align_out;  // as alignment() says of the pointers
  std::int64_t n, howmany;
  std::int64_t in_distance, out_distance;  // between transforms, in elements of that end

  bool operator==(const FftwProblem&) const = default;
};

/// What the plug-in asks of libtandem: FFTW's own signature of a parallel loop.
struct FftwHost {
  void (*parallel)(void* (*work)(char*), char* jobs, std::size_t size, int count, void* data);
};

/// Planning and destroying: one thread at a time. Executing: any number of threads.
struct FftwTable {
  std::int32_t abi;
  char version[64];
  int (*alignment)(const void* p, int wide);
  /// For pointers of these alignments; `in` and `out` are overwritten unless `effort` is 0 (then
  /// they may be those of the transform). Null where FFTW has no plan.
  void* (*plan)(const FftwProblem*, void* in, void* out);
  /// A real output's transform overwrites its input.
  void (*execute)(const FftwProblem*, void* plan, void* in, void* out);
  void (*destroy)(const FftwProblem*, void* plan);
};

inline constexpr std::int32_t kFftwAbi = 1;
/// The plug-in's entry point, tandem_fftw_open. Not 0: the table is not filled.
using FftwOpen = int (*)(const FftwHost*, FftwTable*);

/// What was used last, at most `most` of it. Without a lock.
template <class Key, class Value>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(std::size_t most) : most_(most) {}
  /// Null where it is not there.
  Value* find(const Key& key) {
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (!(it->first == key)) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return &it->second;
    }
    return nullptr;
  }
  Value& add(const Key& key, Value value) {
    return entries_.emplace_front(key, std::move(value)).second;
  }
  /// Lets go of what is too much, but for the last one added and what keep(value) is true of, and
  /// calls f(key, value) before.
  template <class F, class Keep>
  void trim(F&& f, Keep&& keep) {
    for (auto it = entries_.end(); entries_.size() > most_ && --it != entries_.begin();) {
      if (keep(it->second)) continue;
      f(it->first, it->second);
      it = entries_.erase(it);
    }
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::size_t most_;
  std::list<std::pair<Key, Value>> entries_;
};

}  // namespace tandem
