// That the CPU run of kernels finds mistakes: each kernel here has one.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "races.h"
#include "tandem/cuda/launch.h"

namespace {

constexpr unsigned kThreads = 64;

struct Params {
  const int* in;
  int* out;
  int count;
  bool barrier, late_barrier;
};

/// Reverses a block's elements through shared memory.
void __global__ reverse_kernel(const Params p) {
  __shared__ int tile[kThreads];
  const unsigned i = threadIdx.x;
  tile[i] = p.in[i];
  if (p.barrier) __syncthreads();
  p.out[i] = tile[kThreads - 1 - i];
  if (p.late_barrier) __syncthreads();
}

cudaError_t reverse(bool barrier, unsigned blocks, bool late_barrier, std::vector<int>* out) {
  std::vector<int> in(kThreads);
  std::iota(in.begin(), in.end(), 0);
  out->assign(kThreads, -1);
  return sim::launch(&reverse_kernel, blocks, kThreads,
                     Params{in.data(), out->data(), 0, barrier, late_barrier}, nullptr);
}

/// Sums a warp's elements with shuffles up, and counts the odd ones by a vote; the results pass
/// through dynamic shared memory.
void __global__ warp_kernel(const Params p) {
  TANDEM_DYNAMIC_SHARED(int, results);
  const unsigned warp = threadIdx.x / 32;
  const unsigned lane = threadIdx.x % 32;
  int sum = p.in[threadIdx.x];
  for (unsigned d = 1; d < 32; d *= 2) {
    const int before = __shfl_up_sync(0xffffffffu, sum, d);
    if (lane >= d) sum += before;
  }
  const unsigned odd = __ballot_sync(0xffffffffu, p.in[threadIdx.x] % 2);
  const bool all = __all_sync(0xffffffffu, p.in[threadIdx.x] >= 0) != 0;
  const bool any = __any_sync(0xffffffffu, p.in[threadIdx.x] == 3) != 0;
  if (lane == 31) {
    results[2 * warp] = sum;
    results[2 * warp + 1] = __builtin_popcount(odd) + (all ? 100 : 0) + (any ? 1000 : 0);
  }
  __syncthreads();
  if (threadIdx.x < 4) p.out[threadIdx.x] = results[threadIdx.x];
}

/// A shuffle that leaves lanes out, which is not simulated.
void __global__ partial_kernel(const Params p) {
  p.out[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, p.in[threadIdx.x], 1);
}

/// Every thread adds to one word.
void __global__ add_kernel(const Params p) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  sum += p.in[threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) p.out[0] = sum;
}

/// Half of the threads wait where the others do not come.
void __global__ half_barrier_kernel(const Params p) {
  if (threadIdx.x < kThreads / 2) __syncthreads();
  p.out[threadIdx.x] = 1;
}

/// A grid-stride copy whose last element is one too far (`count` is to be less than it).
void __global__ copy_kernel(const Params p) {
  const auto step = static_cast<int>(gridDim.x * blockDim.x);
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i <= p.count; i += step) {
    p.out[i] = i;
  }
}

}  // namespace

TEST(Planted, ABarrierThatIsThereIsEnough) {
  std::vector<int> out;
  ASSERT_EQ(reverse(true, 3, false, &out), cudaSuccess);  // blocks have their own shared memory
  for (unsigned i = 0; i < kThreads; ++i) EXPECT_EQ(out[i], int(kThreads - 1 - i));
}

TEST(Planted, WarpsVoteAndShareDynamicMemory) {
  std::vector<int> in(kThreads);
  std::vector<int> out(4);
  std::iota(in.begin(), in.end(), 0);
  const Params p{in.data(), out.data(), 0, true, false};
  ASSERT_EQ(sim::launch(&warp_kernel, 1, kThreads, p, nullptr, 4 * sizeof(int)), cudaSuccess);
  EXPECT_EQ(out, (std::vector<int>{31 * 16, 16 + 100 + 1000, 31 * 16 + 32 * 32, 16 + 100}));
  out.assign(kThreads, 0);
  const Params q{in.data(), out.data(), 0, true, false};
  EXPECT_EQ(sim::launch(&partial_kernel, 1, kThreads, q, nullptr), cudaErrorLaunchFailure);
  EXPECT_EQ(sim::launch(&warp_kernel, 1, kThreads, p, nullptr, std::size_t(1) << 20),
            cudaErrorInvalidValue);
}

#if defined(__SANITIZE_THREAD__)
TEST(Planted, AMissingBarrierIsFound) {
  std::vector<int> out;
  testing::internal::CaptureStderr();
  EXPECT_EQ(reverse(false, 1, false, &out), cudaErrorLaunchFailure);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("race in shared memory"),
            std::string::npos);
  // One that comes after the use does not help.
  testing::internal::CaptureStderr();
  EXPECT_EQ(reverse(false, 1, true, &out), cudaErrorLaunchFailure);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("wrote"), std::string::npos);
}

TEST(Planted, TwoWritersOfAWordAreFound) {
  std::vector<int> in(kThreads, 1), out(1);
  testing::internal::CaptureStderr();
  EXPECT_EQ(
      sim::launch(&add_kernel, 1, kThreads, Params{in.data(), out.data(), 0, true, false}, nullptr),
      cudaErrorLaunchFailure);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("race in shared memory"),
            std::string::npos);
}
#endif

TEST(Planted, ABarrierThatSomeThreadsSkipIsFound) {
  std::vector<int> out(kThreads);
  EXPECT_EQ(sim::launch(&half_barrier_kernel, 1, kThreads,
                        Params{nullptr, out.data(), 0, true, false}, nullptr),
            cudaErrorLaunchFailure);
}

#if defined(__SANITIZE_ADDRESS__)
TEST(PlantedDeathTest, AnElementTooFarIsFound) {
  EXPECT_DEATH(
      {
        std::vector<int> out(100);
        static_cast<void>(sim::launch(&copy_kernel, 2, kThreads,
                                      Params{nullptr, out.data(), 100, true, false}, nullptr));
      },
      "heap-buffer-overflow");
}
#else
TEST(Planted, AnElementTooFarMeetsAGuard) {
  std::vector<int> out(110, -7);
  ASSERT_EQ(sim::launch(&copy_kernel, 2, kThreads, Params{nullptr, out.data(), 100, true, false},
                        nullptr),
            cudaSuccess);
  EXPECT_EQ(std::count(out.begin() + 100, out.end(), -7), 9);
}
#endif
