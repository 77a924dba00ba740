// Streaming loops of the benchmark's own, so that the yardstick does not move with the library.
#include "perf/rates.h"

#include <omp.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace tandem::perf {
namespace {

constexpr std::size_t kLine = 64;        // bytes of a cache line
constexpr std::size_t kAhead = 2048;     // bytes asked for ahead: a hint, which never faults
constexpr std::size_t kHuge = 2u << 20;  // bytes of a huge page

/// Page-aligned memory with huge pages where the system gives them: what the library's pool uses.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes) : data_(std::aligned_alloc(kHuge, bytes)) {
    if (data_ == nullptr) throw std::bad_alloc();
    ::madvise(data_, bytes, MADV_HUGEPAGE);  // only advice: a refusal is a slower buffer
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }
  float* data() const { return static_cast<float*>(data_); }

 private:
  void* data_;
};

#if defined(__SSE2__)
/// Stores that go around the caches, four floats at a time.
void stream(float* to, __m128 v) { _mm_stream_ps(to, v); }
__m128 load(const float* from) { return _mm_load_ps(from); }
__m128 sum(__m128 a, __m128 b) { return _mm_add_ps(a, b); }
__m128 splat(float x) { return _mm_set1_ps(x); }
void fence() { _mm_sfence(); }
constexpr std::size_t kLanes = 4;
#else
void stream(float* to, float v) { *to = v; }
float load(const float* from) { return *from; }
float sum(float a, float b) { return a + b; }
float splat(float x) { return x; }
void fence() {}
constexpr std::size_t kLanes = 1;
#endif

constexpr std::size_t kLineFloats = kLine / sizeof(float);
constexpr std::size_t kAheadFloats = kAhead / sizeof(float);

void write_part(float* c, std::size_t n) {
  const auto v = splat(1.0f);
  for (std::size_t i = 0; i < n; i += kLineFloats) {
    for (std::size_t j = 0; j < kLineFloats; j += kLanes) stream(c + i + j, v);
  }
  fence();
}

void copy_part(float* c, const float* a, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLineFloats) {
    __builtin_prefetch(a + i + kAheadFloats);
    for (std::size_t j = 0; j < kLineFloats; j += kLanes) stream(c + i + j, load(a + i + j));
  }
  fence();
}

void add_part(float* c, const float* a, const float* b, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLineFloats) {
    __builtin_prefetch(a + i + kAheadFloats);
    __builtin_prefetch(b + i + kAheadFloats);
    for (std::size_t j = 0; j < kLineFloats; j += kLanes) {
      stream(c + i + j, sum(load(a + i + j), load(b + i + j)));
    }
  }
  fence();
}

/// Integer sums, which the compiler may reorder and so vectorise.
std::uint32_t read_part(const float* a, std::size_t n) {
  std::uint32_t lanes[kLineFloats] = {};
  for (std::size_t i = 0; i < n; i += kLineFloats) {
    __builtin_prefetch(a + i + kAheadFloats);
    std::uint32_t words[kLineFloats];
    std::memcpy(words, a + i, kLine);
    for (std::size_t j = 0; j < kLineFloats; ++j) lanes[j] += words[j];
  }
  std::uint32_t total = 0;
  for (const std::uint32_t lane : lanes) total += lane;
  return total;
}

/// Runs body(first, count) on each thread's part, in whole lines.
template <class Body>
void in_parts(std::size_t n, int threads, const Body& body) {
#pragma omp parallel num_threads(threads)
  {
    const auto count = static_cast<std::size_t>(omp_get_num_threads());
    const auto index = static_cast<std::size_t>(omp_get_thread_num());
    const std::size_t lines = n / kLineFloats;
    const std::size_t first = lines * index / count * kLineFloats;
    const std::size_t last = lines * (index + 1) / count * kLineFloats;
    body(first, last - first);
  }
}

template <class Body>
double median_rate(double bytes, std::size_t n, int threads, int passes, const Body& body) {
  std::vector<double> seconds;
  for (int i = 0; i <= passes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    in_parts(n, threads, body);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (i > 0) seconds.push_back(took.count());  // the first pass wakes the threads
  }
  std::nth_element(seconds.begin(), seconds.begin() + passes / 2, seconds.end());
  return bytes / seconds[static_cast<std::size_t>(passes / 2)] / 1e9;
}

}  // namespace

Rates measure_rates(std::size_t bytes, int threads, int passes) {
  bytes = std::max<std::size_t>(bytes / kHuge, 1) * kHuge;
  const std::size_t n = bytes / sizeof(float);
  const Buffer x(bytes), y(bytes), z(bytes);
  float *a = x.data(), *b = y.data(), *c = z.data();
  in_parts(n, threads, [&](std::size_t i, std::size_t count) {
    for (float* p : {a, b, c}) std::fill(p + i, p + i + count, 0.5f);
  });
  const auto measure = [&](int t) {
    const double size = static_cast<double>(bytes);
    Rate r{};
    r.threads = t;
    r.write = median_rate(size, n, t, passes,
                          [&](std::size_t i, std::size_t count) { write_part(c + i, count); });
    const double copied =
        median_rate(2 * size, n, t, passes, [&](std::size_t i, std::size_t count) {
          std::memcpy(c + i, a + i, count * sizeof(float));
        });
    const double streamed =
        median_rate(2 * size, n, t, passes,
                    [&](std::size_t i, std::size_t count) { copy_part(c + i, a + i, count); });
    r.copy = std::max(copied, streamed);
    r.add = median_rate(3 * size, n, t, passes, [&](std::size_t i, std::size_t count) {
      add_part(c + i, a + i, b + i, count);
    });
    std::uint32_t all = 0;
    r.read = median_rate(size, n, t, passes, [&](std::size_t i, std::size_t count) {
      const std::uint32_t part = read_part(a + i, count);
#pragma omp atomic
      all += part;
    });
    volatile std::uint32_t keep = all;  // or the reading could be left out
    static_cast<void>(keep);
    return r;
  };
  Rates rates{};
  rates.one = measure(1);
  rates.all = threads == 1 ? rates.one : measure(threads);
  return rates;
}

}  // namespace tandem::perf
