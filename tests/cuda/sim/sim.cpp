// Runs kernels on the CPU: the threads of a block are fibers, switched at barriers and shuffles.
// Finds wrong indices, missed tails, barriers not met by all threads and reads of memory that was
// never written; it knows nothing of a GPU's timing or memory order.
#include <ucontext.h>
#include <csetjmp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <vector>

#include "cuda_runtime.h"

namespace sim {

Builtins builtins;

namespace {

constexpr std::size_t kStack = 64 * 1024;
constexpr int kWarp = 32;
enum class State { Ready, AtBarrier, AtShuffle, Done };

/// A fiber is entered once by setcontext and lives on; later switches are jumps, which unlike
/// swapcontext make no system call.
struct Fiber {
  ucontext_t context;
  std::jmp_buf here;
  bool entered = false;
  std::vector<char> stack;
  State state = State::Ready;
  std::uint64_t value = 0;  // what it passes in a shuffle
  std::uint64_t got = 0;
  unsigned from = 0;
};

struct Block {
  std::jmp_buf scheduler;
  std::deque<Fiber> fibers;  // never moved: a fiber's stack holds its address
  std::size_t running = 0;   // those of the block at hand
  std::size_t current = 0;
  const std::function<void()>* body = nullptr;
};
Block block;
std::mutex one_at_a_time;
std::atomic<int> failure{0};

void pause(State why) {
  Fiber& f = block.fibers[block.current];
  f.state = why;
  if (_setjmp(f.here) == 0) std::longjmp(block.scheduler, 1);
}

/// One thread of one block after the other: the fiber stays for the next block.
void enter() {
  for (;;) {
    (*block.body)();
    pause(State::Done);
  }
}

void resume(std::size_t i) {
  block.current = i;
  builtins.thread.x = static_cast<unsigned>(i);
  Fiber& f = block.fibers[i];
  if (_setjmp(block.scheduler) != 0) return;
  if (f.entered) std::longjmp(f.here, 1);
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
    for (std::size_t i = w; i < end; ++i) {
      block.fibers[i].got = block.fibers[w + block.fibers[i].from].value;
    }
    for (std::size_t i = w; i < end; ++i) block.fibers[i].state = State::Ready;
    any = true;
  }
  if (any) return true;
  for (std::size_t i = 0; i < n; ++i) {
    if (block.fibers[i].state != State::AtBarrier) return false;
  }
  for (std::size_t i = 0; i < n; ++i) block.fibers[i].state = State::Ready;
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

cudaError_t run(unsigned blocks, unsigned threads, const std::function<void()>& body,
                cudaStream_t) {
  const int planned = failure.exchange(0);
  if (planned != 0) return static_cast<cudaError_t>(planned);
  const std::lock_guard lock(one_at_a_time);
  builtins = {};
  builtins.block_size.x = threads;
  builtins.grid_size.x = blocks;
  block.body = &body;
  for (unsigned b = 0; b < blocks; ++b) {
    builtins.block.x = b;
    if (run_block(threads)) continue;
    block.fibers.clear();  // some wait for what will not come
    return cudaErrorLaunchFailure;
  }
  return cudaSuccess;
}

}  // namespace sim

/// Makes the next launch of the process fail.
extern "C" __attribute__((visibility("default"))) void tandem_sim_fail_next(int code) {
  sim::failure = code;
}

// ---- the runtime's calls

namespace {
thread_local int device = 0;
thread_local cudaError_t last = cudaSuccess;
constexpr int kDevices = 2;
std::atomic<unsigned long long> made{0};

cudaError_t answer(cudaError_t e) {
  if (e != cudaSuccess) last = e;
  return e;
}
}  // namespace

struct CUstream_st {
  unsigned long long id;
};
struct CUevent_st {
  int unused;
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
cudaError_t cudaDeviceGetAttribute(int* out, cudaDeviceAttr, int) {
  *out = 2;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** out, std::size_t bytes) {
  *out = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  if (*out != nullptr) std::memset(*out, 0xa5, bytes);  // reads before writes show
  return *out == nullptr ? answer(cudaErrorMemoryAllocation) : cudaSuccess;
}
cudaError_t cudaFree(void* p) {
  std::free(p);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  *free_bytes = *total = std::size_t(1) << 34;
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** out, std::size_t bytes, unsigned) {
  return cudaMalloc(out, bytes);
}
cudaError_t cudaFreeHost(void* p) { return cudaFree(p); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t n, cudaMemcpyKind,
                            cudaStream_t) {
  std::memmove(to, from, n);
  return cudaSuccess;
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, std::size_t n, cudaStream_t) {
  std::memmove(to, from, n);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t n, cudaStream_t) {
  std::memset(to, value, n);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) {
  *out = new CUstream_st{++made};  // streams live to the end of the process
  return cudaSuccess;
}
cudaError_t cudaStreamGetId(cudaStream_t s, unsigned long long* out) {
  *out = s == nullptr ? 0 : s->id;
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* out, unsigned) {
  *out = new CUevent_st{};
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
