// tandem/cuda_mr.h, compiled with CCCL's own headers where a toolkit is found (memory.mr), and with
// a stand-in of their later spelling everywhere (memory.mr_later). On the CPU's pool, and on the
// device's where there is one.
#include "tandem/cuda_mr.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tandem/tandem.h"

using namespace tandem;

namespace {

#ifdef TANDEM_MR_LATER
static_assert(cuda::mr::resource<PoolResource>);
static_assert(cuda::mr::resource_with<PoolResource, cuda::mr::device_accessible>);
#else
static_assert(cuda::mr::async_resource<PoolResource>);
static_assert(cuda::mr::async_resource_with<PoolResource, cuda::mr::device_accessible>);
#endif

/// A source of the C library's memory, which says what it was asked for.
struct Log {
  std::size_t out = 0;  // bytes
  int calls = 0;
  std::vector<void*> streams;
  void* take(std::size_t bytes, std::size_t align) {
    ++calls;
    out += bytes;
    return std::aligned_alloc(align, (bytes + align - 1) / align * align);
  }
  void give(void* p, std::size_t bytes) {
    out -= bytes;
    std::free(p);
  }
};

struct Before31 {
  Log* log;
  void* allocate(std::size_t n, std::size_t align) { return log->take(n, align); }
  void deallocate(void* p, std::size_t n, std::size_t) { log->give(p, n); }
  void* allocate_async(std::size_t n, std::size_t align, cuda::stream_ref s) {
    log->streams.push_back(s.get());
    return log->take(n, align);
  }
  void deallocate_async(void* p, std::size_t n, std::size_t, cuda::stream_ref) { log->give(p, n); }
  bool operator==(const Before31&) const = default;
};
struct Since31 {
  Log* log;
  void* allocate_sync(std::size_t n, std::size_t align) { return log->take(n, align); }
  void deallocate_sync(void* p, std::size_t n, std::size_t) { log->give(p, n); }
  void* allocate(cuda::stream_ref s, std::size_t n, std::size_t align) {
    log->streams.push_back(s.get());
    return log->take(n, align);
  }
  void deallocate(cuda::stream_ref, void* p, std::size_t n, std::size_t) { log->give(p, n); }
  bool operator==(const Since31&) const = default;
};
/// Synchronous alone.
struct Ready {
  Log* log;
  void* allocate(std::size_t n, std::size_t align) { return log->take(n, align); }
  void deallocate(void* p, std::size_t n, std::size_t) { log->give(p, n); }
  bool operator==(const Ready&) const = default;
};
struct ReadyLater {
  Log* log;
  void* allocate_sync(std::size_t n, std::size_t align) { return log->take(n, align); }
  void deallocate_sync(void* p, std::size_t n, std::size_t) { log->give(p, n); }
  bool operator==(const ReadyLater&) const = default;
};

template <class R>
class Adapter : public testing::Test {};
using Sources = testing::Types<Before31, Since31, Ready, ReadyLater>;
TYPED_TEST_SUITE(Adapter, Sources);

TYPED_TEST(Adapter, ServesThePool) {
  Log log;
  ResourceAdapter adapter(TypeParam{&log});
  constexpr bool kOrdered =
      std::is_same_v<TypeParam, Before31> || std::is_same_v<TypeParam, Since31>;
  EXPECT_EQ(adapter.stream_ordered(), kOrdered);
  empty_cache(kCPU);
  set_memory_resource(kCPU, &adapter);
  {
    const Tensor t = ones({1 << 23});
    EXPECT_GE(log.out, std::size_t{32} << 20);
    EXPECT_EQ(t.sum().item<float>(), 1 << 23);
    EXPECT_EQ(log.streams.empty(), !kOrdered);
  }
  set_memory_resource(kCPU, nullptr);
  empty_cache(kCPU);
  EXPECT_EQ(log.out, 0u);
}

TYPED_TEST(Adapter, ByPointerToo) {
  Log log;
  TypeParam source{&log};
  ResourceAdapter adapter(&source);
  void* p = adapter.allocate(1000, 64, nullptr);
  EXPECT_EQ(log.out, 1000u);
  adapter.deallocate(p, 1000, 64, nullptr);
  EXPECT_EQ(log.out, 0u);
}

/// The pool through the concept's calls, in whichever spelling there is.
void lend(Device device) {
  PoolResource pool(device), again(device);
  EXPECT_TRUE(pool == again);
  EXPECT_FALSE(pool != again);
  EXPECT_EQ(pool == PoolResource(kCPU), device.is_cpu());
  const std::size_t before = memory_stats(pool.device()).allocated.current;
  const Stream stream = Stream::create(device);
  const cuda::stream_ref s(static_cast<mr::Handle>(stream.native()));
  void* p = pool.allocate(s, 100000, 16);
  void* q = pool.allocate_async(5000, 16, s);
  void* r = pool.allocate_sync(300, 16);
  void* t = pool.allocate(300, 16);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 64, 0u);
  EXPECT_GE(memory_stats(pool.device()).allocated.current, before + 105600);
  EXPECT_THROW(pool.allocate(s, 8, 4096), std::bad_alloc);
  int stranger = 0;
  EXPECT_THROW(pool.deallocate(s, &stranger, 4, 4), ValueError);
  pool.deallocate(s, p, 100000, 16);
  EXPECT_THROW(pool.deallocate(s, p, 100000, 16), ValueError);
  pool.deallocate_async(q, 5000, 16, s);
  pool.deallocate_sync(r, 300, 16);
  pool.deallocate(t, 300, 16);
  EXPECT_EQ(memory_stats(pool.device()).allocated.current, before);
}

TEST(Lend, TheHostsPool) { lend(kCPU); }

TEST(Lend, ADevicesPool) {
  if (!is_available(DeviceKind::CUDA)) GTEST_SKIP() << device_status(DeviceKind::CUDA);
  lend(Device(DeviceKind::CUDA, 0));
}

TEST(Lend, BorrowedOnOneStreamAndGivenBackOnAnother) {
  if (!is_available(DeviceKind::CUDA)) GTEST_SKIP() << device_status(DeviceKind::CUDA);
  const Device device(DeviceKind::CUDA, 0);
  const Stream first = Stream::create(device), second = Stream::create(device);
  for (int i = 0; i < 20; ++i) {
    void* p = allocate_memory(1 << 20, first);
    Tensor t = from_blob(p, {1 << 18}, DType::float32, {.device = device});
    {
      const StreamGuard guard(second);
      t.fill_(i);
    }
    deallocate_memory(p, second);
    const StreamGuard guard(first);
    const Tensor other = full({1 << 18}, -1, {.device = device});
    EXPECT_EQ(other.sum().item<float>(), -(1 << 18));
  }
}

}  // namespace
