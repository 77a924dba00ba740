// Tells ThreadSanitizer the order that OpenMP gives: GCC's libgomp is not built with it and
// synchronises by futexes, so that every parallel region would look like a race. This library
// stands before libgomp and wraps the calls that g++ makes for the constructs Tandem uses: parallel
// regions, barriers and critical sections. A data race between the threads of one region is still
// found.
#include <dlfcn.h>

#include <utility>

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace {

struct Region {
  void (*body)(void*);
  void* data;
  char fork, join;  // addresses that stand for the two orders
};

char barrier_order, critical_order;

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

void run_region(void* p) {
  auto* region = static_cast<Region*>(p);
  __tsan_acquire(&region->fork);
  region->body(region->data);
  __tsan_release(&region->join);
}

template <class Call>
void ordered(void (*body)(void*), void* data, Call call) {
  Region region{body, data, 0, 0};
  __tsan_release(&region.fork);
  std::forward<Call>(call)(&region);
  __tsan_acquire(&region.join);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

using ParallelCall = void (*)(void (*)(void*), void*, unsigned, unsigned);
void GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags) {
  static const auto real = next<ParallelCall>("GOMP_parallel");
  ordered(body, data, [&](Region* r) { real(run_region, r, threads, flags); });
}

// A parallel loop of a dynamic schedule; the iterations' shares are taken inside the region.
using LoopCall = void (*)(void (*)(void*), void*, unsigned, long, long, long, long, unsigned);
#define TANDEM_TSAN_LOOP(name)                                                                  \
  void name(void (*body)(void*), void* data, unsigned threads, long start, long end, long step, \
            long chunk, unsigned flags) {                                                       \
    static const auto real = next<LoopCall>(#name);                                             \
    ordered(body, data,                                                                         \
            [&](Region* r) { real(run_region, r, threads, start, end, step, chunk, flags); });  \
  }
TANDEM_TSAN_LOOP(GOMP_parallel_loop_dynamic)
TANDEM_TSAN_LOOP(GOMP_parallel_loop_guided)
TANDEM_TSAN_LOOP(GOMP_parallel_loop_nonmonotonic_dynamic)
TANDEM_TSAN_LOOP(GOMP_parallel_loop_nonmonotonic_guided)
#undef TANDEM_TSAN_LOOP

using PlainCall = void (*)();
#define TANDEM_TSAN_BARRIER(name)                    \
  void name() {                                      \
    static const auto real = next<PlainCall>(#name); \
    __tsan_release(&barrier_order);                  \
    real();                                          \
    __tsan_acquire(&barrier_order);                  \
  }
TANDEM_TSAN_BARRIER(GOMP_barrier)
TANDEM_TSAN_BARRIER(GOMP_loop_end)
#undef TANDEM_TSAN_BARRIER

void GOMP_critical_start() {
  static const auto real = next<PlainCall>("GOMP_critical_start");
  real();
  __tsan_acquire(&critical_order);
}
void GOMP_critical_end() {
  static const auto real = next<PlainCall>("GOMP_critical_end");
  __tsan_release(&critical_order);
  real();
}

}  // extern "C"
#pragma GCC visibility pop
