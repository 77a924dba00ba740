// Runs kernels on the CPU: the threads of a block are fibers, switched at barriers and shuffles.
// Finds wrong indices, missed tails, barriers not met by all threads, races in shared memory
// (races.cpp) and reads of memory that was never written; it knows nothing of a GPU's timing or
// memory order.
#include <ucontext.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(TANDEM_SIM_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

#include "cuda_runtime.h"
#include "devices.h"
#include "races.h"

namespace sim {

Builtins builtins;
Executor executor = nullptr;
LoadedExecutor loaded_executor = nullptr;

namespace {

// The address sanitizer keeps account of stacks. The odd size spreads the fibers' stacks over the
// caches' sets: with a power of two they would all meet in the same ones.
constexpr std::size_t kStack = 64 * 1024 + 33 * 64;
#if defined(TANDEM_SIM_ASAN)
void leave(void** keep, const void* stack, std::size_t bytes) {
  __sanitizer_start_switch_fiber(keep, stack, bytes);
}
void arrive(void* kept, const void** from = nullptr, std::size_t* bytes = nullptr) {
  __sanitizer_finish_switch_fiber(kept, from, bytes);
}
#else
void leave(void**, const void*, std::size_t) {}
void arrive(void*, const void** = nullptr, std::size_t* = nullptr) {}
#endif
constexpr int kWarp = 32;
constexpr unsigned kVote = 32;                   // in place of the lane that a shuffle reads
constexpr std::size_t kMostShared = 227 * 1024;  // of a block, compute capability 9.0
alignas(16) char shared_of_launch[kMostShared];
bool partial_warp = false;
enum class State { Ready, AtBarrier, AtShuffle, Done };

/// Where a jump goes to: the compiler's own, which save three words and are known to no sanitizer.
using Place = void* [5];
[[gnu::noinline]] void jump(Place& to) { __builtin_longjmp(to, 1); }

/// A fiber is entered once by setcontext and lives on; later switches are jumps, which unlike
/// swapcontext make no system call.
struct Fiber {
  ucontext_t context;
  Place here;
  bool entered = false;
  std::vector<char> stack;
  void* kept = nullptr;  // the sanitizer's
  State state = State::Ready;
  std::uint64_t value = 0;  // what it passes in a shuffle
  std::uint64_t got = 0;
  unsigned from = 0;
};

struct Block {
  Place scheduler;
  const void* scheduler_stack = nullptr;
  std::size_t scheduler_bytes = 0;
  std::deque<Fiber> fibers;  // never moved: a fiber's stack holds its address
  std::size_t running = 0;   // those of the block at hand
  std::size_t current = 0;
  const std::function<void()>* body = nullptr;
};
Block block;
std::mutex one_at_a_time;
std::atomic<int> failure{0};
std::atomic<long> launches{0};

void pause(State why) {
  Fiber& f = block.fibers[block.current];
  f.state = why;
  leave(&f.kept, block.scheduler_stack, block.scheduler_bytes);
  if (__builtin_setjmp(f.here) == 0) jump(block.scheduler);
  arrive(block.fibers[block.current].kept);
}

/// One thread of one block after the other: the fiber stays for the next block.
void enter() {
  arrive(nullptr, &block.scheduler_stack, &block.scheduler_bytes);
  for (;;) {
    (*block.body)();
    pause(State::Done);
  }
}

void resume(std::size_t i) {
  Fiber& f = block.fibers[i];
  block.current = i;
  builtins.thread.x = static_cast<unsigned>(i);
  watch(static_cast<int>(i));
  void* kept = nullptr;
  leave(&kept, f.stack.data(), f.stack.size());
  if (__builtin_setjmp(block.scheduler) != 0) {
    arrive(kept);
    return watch(-1);
  }
  if (f.entered) jump(f.here);
  f.entered = true;
  setcontext(&f.context);
}

/// Lets threads that all wait at the same point go on. False where nothing can.
bool release() {
  bool any = false;
  const std::size_t n = block.running;
  for (std::size_t w = 0; w < n; w += kWarp) {
    const std::size_t end = std::min(n, w + kWarp);
    bool all = true;
    for (std::size_t i = w; i < end; ++i) all &= block.fibers[i].state == State::AtShuffle;
    if (!all) continue;
    std::uint32_t votes = 0;
    for (std::size_t i = w; i < end; ++i) {
      votes |= static_cast<std::uint32_t>(block.fibers[i].value & 1) << (i - w);
    }
    for (std::size_t i = w; i < end; ++i) {
      if (block.fibers[i].from == kVote) {
        block.fibers[i].got = votes;
        continue;
      }
      block.fibers[i].got = block.fibers[std::min(n - 1, w + block.fibers[i].from)].value;
    }
    for (std::size_t i = w; i < end; ++i) block.fibers[i].state = State::Ready;
    any = true;
  }
  if (any) return true;
  for (std::size_t i = 0; i < n; ++i) {
    if (block.fibers[i].state != State::AtBarrier) return false;
  }
  for (std::size_t i = 0; i < n; ++i) block.fibers[i].state = State::Ready;
  next_epoch();
  return true;
}

void add_fiber() {
  Fiber& f = block.fibers.emplace_back();
  f.stack.resize(kStack);
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack.data();
  f.context.uc_stack.ss_size = f.stack.size();
  f.context.uc_link = nullptr;
  makecontext(&f.context, enter, 0);
}

bool run_block(unsigned threads) {
  while (block.fibers.size() < threads) add_fiber();
  block.running = threads;
  next_epoch();
  for (std::size_t i = 0; i < threads; ++i) block.fibers[i].state = State::Ready;
  for (;;) {
    bool pending = false;
    for (std::size_t i = 0; i < threads; ++i) {
      if (block.fibers[i].state == State::Ready) resume(i);
      pending |= block.fibers[i].state != State::Done;
    }
    if (!pending) return true;
    if (!release()) return false;
  }
}

}  // namespace

void barrier() { pause(State::AtBarrier); }

std::uint64_t exchange(std::uint64_t bits, unsigned from) {
  Fiber& f = block.fibers[block.current];
  f.value = bits;
  f.from = from;
  pause(State::AtShuffle);
  return block.fibers[block.current].got;
}

std::uint32_t vote(bool yes) { return static_cast<std::uint32_t>(exchange(yes ? 1 : 0, kVote)); }

void* dynamic_shared() { return shared_of_launch; }

void expect_whole_warp(unsigned mask) { partial_warp |= mask != 0xffffffffu; }

cudaError_t run(unsigned blocks, unsigned threads, const std::function<void()>& body, cudaStream_t,
                std::size_t shared) {
  ++launches;
  if (shared > kMostShared) return cudaErrorInvalidValue;
  const int planned = failure.exchange(0);
  if (planned != 0) return static_cast<cudaError_t>(planned);
  const std::lock_guard lock(one_at_a_time);
  builtins = {};
  builtins.block_size.x = threads;
  builtins.grid_size.x = blocks;
  block.body = &body;
  for (unsigned b = 0; b < blocks; ++b) {
    builtins.block.x = b;
    std::memset(shared_of_launch, 0xa5, shared);  // reads before writes show
    if (run_block(threads)) continue;
    block.fibers.clear();  // some wait for what will not come
    return cudaErrorLaunchFailure;
  }
  const bool unknown = std::exchange(partial_warp, false);
  return take_races() == 0 && !unknown ? cudaSuccess : cudaErrorLaunchFailure;
}

}  // namespace sim

// What was asked of the device so far, in the order that tests/cuda/calls_test.cpp knows.
namespace {
struct Counts {
  std::atomic<long> allocations{0}, frees{0}, copies{0}, fills{0}, waits{0}, records{0}, queries{0};
};
Counts counts;
}  // namespace
extern "C" __attribute__((visibility("default"))) void tandem_sim_counts(long (&out)[8]) {
  const std::atomic<long>* all[] = {&sim::launches,  &counts.allocations, &counts.frees,
                                    &counts.copies,  &counts.fills,       &counts.waits,
                                    &counts.records, &counts.queries};
  for (int i = 0; i < 8; ++i) out[i] = *all[i];
}

/// Makes the next launch of the process fail.
extern "C" __attribute__((visibility("default"))) void tandem_sim_fail_next(int code) {
  sim::failure = code;
}

/// Work of a library on a stream: at once, or whenever the graph is launched that records it.
extern "C" __attribute__((visibility("default"))) int tandem_sim_queue(
    cudaStream_t stream, const std::function<void()>& work) {
  if (!sim::capturing(stream)) {
    work();
    return cudaSuccess;
  }
  return sim::record(stream, {5}, [work] {
    work();
    return cudaSuccess;
  });
}

// ---- the runtime's calls

namespace {
thread_local int device = 0;
thread_local cudaError_t last = cudaSuccess;
using sim::kDevices;
std::atomic<unsigned long long> made{0};

cudaError_t answer(cudaError_t e) {
  if (e != cudaSuccess) last = e;
  return e;
}
}  // namespace

struct CUstream_st {
  unsigned long long id;
  int device;
};
struct CUevent_st {
  sim::CapturedPoint point;
};

cudaError_t cudaGetDevice(int* out) {
  *out = device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int d) {
  if (d < 0 || d >= kDevices) return answer(cudaErrorInvalidDevice);
  device = d;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* out) {
  *out = kDevices;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const cudaError_t e = last;
  last = cudaSuccess;
  return e;
}
const char* cudaGetErrorString(cudaError_t) { return "a planned error"; }
const char* cudaGetErrorName(cudaError_t) { return "simulated"; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int) {
  std::strcpy(out->name, "simulated device");
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* out, cudaDeviceAttr attribute, int) {
  *out = attribute == cudaDevAttrMultiProcessorCount ? 2 : 0;
  return cudaSuccess;
}
namespace {
cudaError_t take(void** out, std::size_t bytes, int owner) {
  ++counts.allocations;
  // Not rounded: a sanitizer is to see where it ends.
  if (posix_memalign(out, 512, bytes) != 0) return answer(cudaErrorMemoryAllocation);
  std::memset(*out, 0xa5, bytes);  // reads before writes show
  sim::own_memory(*out, bytes, owner);
  return cudaSuccess;
}

/// Where work of the stream runs.
int device_of(cudaStream_t s) {
  int of = device;
  cudaStreamGetDevice(s, &of);
  return of;
}
}  // namespace
cudaError_t cudaMalloc(void** out, std::size_t bytes) { return take(out, bytes, device); }
cudaError_t cudaFree(void* p) {
  if (const cudaError_t e = sim::forbid_of_device(-1); e != cudaSuccess) return answer(e);
  ++counts.frees;
  sim::disown_memory(p);
  std::free(p);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  *free_bytes = *total = std::size_t(1) << 34;
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** out, std::size_t bytes, unsigned) {
  return take(out, bytes, sim::kHost);
}
cudaError_t cudaFreeHost(void* p) { return cudaFree(p); }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* out, const void* p) {
  out->type = sim::pinned(p)                   ? cudaMemoryTypeHost
              : sim::owner_of(p) == sim::kHost ? cudaMemoryTypeUnregistered
                                               : cudaMemoryTypeDevice;
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t n, cudaMemcpyKind kind,
                            cudaStream_t s) {
  const int of = device_of(s);
  if (!sim::reaches(of, to) || !sim::reaches(of, from)) return answer(cudaErrorInvalidValue);
  if (sim::capturing(s))
    return sim::record(s, {2}, [=] { return cudaMemcpyAsync(to, from, n, kind, nullptr); });
  ++counts.copies;
  std::memmove(to, from, n);
  return cudaSuccess;
}
cudaError_t cudaMemcpyPeerAsync(void* to, int there, const void* from, int here, std::size_t n,
                                cudaStream_t s) {
  if (sim::owner_of(to) != there || sim::owner_of(from) != here)
    return answer(cudaErrorInvalidValue);
  if (sim::capturing(s)) {
    return sim::record(s, {3},
                       [=] { return cudaMemcpyPeerAsync(to, there, from, here, n, nullptr); });
  }
  ++counts.copies;
  std::memmove(to, from, n);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t n, cudaStream_t s) {
  if (!sim::reaches(device_of(s), to)) return answer(cudaErrorInvalidValue);
  if (sim::capturing(s))
    return sim::record(s, {4}, [=] { return cudaMemsetAsync(to, value, n, nullptr); });
  ++counts.fills;
  std::memset(to, value, n);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) {
  *out = new CUstream_st{++made, device};
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  delete s;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* out, unsigned flags, int) {
  return cudaStreamCreateWithFlags(out, flags);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaStreamGetDevice(cudaStream_t s, int* out) {
  *out = s == nullptr || s == cudaStreamLegacy || s == cudaStreamPerThread ? device : s->device;
  return cudaSuccess;
}
cudaError_t cudaStreamGetId(cudaStream_t s, unsigned long long* out) {
  if (s == cudaStreamPerThread) {
    thread_local unsigned long long own[kDevices] = {};
    if (own[device] == 0) own[device] = ++made;
    *out = own[device];
    return cudaSuccess;
  }
  *out = s == nullptr || s == cudaStreamLegacy ? 0 : s->id;
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t s) {
  if (const cudaError_t e = sim::forbid_of(s); e != cudaSuccess) return answer(e);
  ++counts.queries;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  if (const cudaError_t e = sim::forbid_of(s); e != cudaSuccess) return answer(e);
  ++counts.waits;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  if (const cudaError_t e = sim::forbid_of_device(device); e != cudaSuccess) return answer(e);
  ++counts.waits;
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t f, void* data) {
  return static_cast<cudaError_t>(tandem_sim_queue(s, [=] { f(data); }));
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned) {
  *out = new CUevent_st{};
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t s) {
  if (sim::record_event(s, &event->point)) return cudaSuccess;
  ++counts.records;
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (event->point.captured) return answer(cudaErrorStreamCaptureUnsupported);
  ++counts.queries;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->point.captured) return answer(cudaErrorStreamCaptureUnsupported);
  ++counts.waits;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t event, unsigned) {
  if (const cudaError_t e = sim::wait_event(s, event->point); e != cudaSuccess) return answer(e);
  ++counts.records;
  return cudaSuccess;
}

// ---- libraries loaded at run time

struct CUkern_st {
  const std::string* image;
  std::string name;
};
struct CUlib_st {
  std::string image;
  CUkern_st kernel;
};

cudaError_t cudaLibraryLoadData(cudaLibrary_t* out, const void* code, const void*, const void*,
                                unsigned, const void*, const void*, unsigned) {
  const auto* text = static_cast<const char*>(code);
  if (std::string_view(text).find(".version") == std::string_view::npos)
    return cudaErrorInvalidValue;
  *out = new CUlib_st{text, {}};
  return cudaSuccess;
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* out, cudaLibrary_t library, const char* name) {
  if (library->image.find(std::string(".entry ") + name) == std::string::npos)
    return cudaErrorInvalidValue;
  library->kernel = {&library->image, name};
  *out = &library->kernel;
  return cudaSuccess;
}

cudaError_t sim::run_loaded(cudaKernel_t kernel, unsigned blocks, unsigned threads,
                            const void* params, std::size_t bytes) {
  if (loaded_executor == nullptr) return cudaErrorNotSupported;
  return loaded_executor(kernel, kernel->image->c_str(), kernel->name.c_str(), blocks, threads,
                         params, bytes);
}
