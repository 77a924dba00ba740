// That the CPU run of kernels finds mistakes: each kernel here has one.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "cuda_runtime.h"
#include "races.h"

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
