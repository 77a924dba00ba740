// A user's resource under a pool on simulated devices: memory in the order of a stream, resources
// that fail, that allocate from their own pool, that go while others ask them.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tandem/memory.h"
#include "tandem/tandem.h"

using namespace tandem;

namespace {

class Source : public MemoryResource {
 public:
  void* allocate(std::size_t bytes, std::size_t align, void*) override {
    void* p = std::aligned_alloc(align, (bytes + align - 1) / align * align);
    if (p != nullptr) ++out;
    return p;
  }
  void deallocate(void* p, std::size_t, std::size_t, void*) override {
    std::free(p);
    --out;
  }
  std::atomic<long> out{0};
};

/// Under the host's pool for a scope, which has nothing cached at both ends.
class Under {
 public:
  explicit Under(MemoryResource& r) {
    empty_cache(kCPU);
    set_memory_resource(kCPU, &r);
  }
  ~Under() {
    set_memory_resource(kCPU, nullptr);
    empty_cache(kCPU);
  }
};

TEST(Resource, OneThatThrowsHasNoMemory) {
  struct Throws : Source {
    void* allocate(std::size_t, std::size_t, void*) override { throw std::runtime_error("mine"); }
  } source;
  const Tensor before = ones({100});
  {
    const Under under(source);
    EXPECT_THROW(empty({64 << 20}), OutOfMemory);
    EXPECT_EQ(before.sum().item<float>(), 100);
  }
  EXPECT_NO_THROW(empty({64 << 20}));
}

TEST(Resource, OneThatIsMisalignedHasNoMemoryAndGetsItBack) {
  struct Crooked : Source {
    void* allocate(std::size_t bytes, std::size_t align, void* s) override {
      return static_cast<char*>(Source::allocate(bytes + align, align, s)) + 8;
    }
    void deallocate(void* p, std::size_t n, std::size_t align, void* s) override {
      Source::deallocate(static_cast<char*>(p) - 8, n, align, s);
    }
  } source;
  {
    const Under under(source);
    EXPECT_THROW(empty({64 << 20}), OutOfMemory);
  }
  EXPECT_EQ(source.out, 0);
}

TEST(Resource, OneThatAllocatesFromItsOwnPoolGetsTheDriversMemory) {
  struct Nested : Source {
    std::vector<Tensor> mine;
    void* allocate(std::size_t bytes, std::size_t align, void* s) override {
      mine.push_back(ones({8 << 20}));  // each time
      return Source::allocate(bytes, align, s);
    }
  } source;
  {
    const Under under(source);
    std::vector<Tensor> all;
    for (int i = 0; i < 4; ++i) all.push_back(full({16 << 20}, i));
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(all[static_cast<std::size_t>(i)].select(0, 5).item<float>(), i);
    EXPECT_GE(source.mine.size(), 4u);
    const Tensor first = source.mine[0];  // sums allocate, too
    EXPECT_EQ(first.sum().item<float>(), 8 << 20);
  }
  source.mine.clear();
  empty_cache(kCPU);
  EXPECT_EQ(source.out, 0);
}

TEST(Resource, ASwapWaitsForCallsUnderWay) {
  struct Slow : Source {
    std::atomic<bool> inside{false}, gone{false};
    void* allocate(std::size_t bytes, std::size_t align, void* s) override {
      inside = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      EXPECT_FALSE(gone.load());
      return Source::allocate(bytes, align, s);
    }
  } source;
  empty_cache(kCPU);
  set_memory_resource(kCPU, &source);
  std::thread asks([] { const Tensor t = empty({32 << 20}); });
  while (!source.inside) std::this_thread::yield();
  set_memory_resource(kCPU, nullptr);
  source.gone = true;
  asks.join();
  empty_cache(kCPU);
  EXPECT_EQ(source.out, 0);
}

TEST(Lent, ManyBlocksAreFoundAgain) {
  const Stream stream = current_stream(kCPU);
  std::vector<void*> lent;
  std::set<void*> distinct;
  for (int i = 0; i < 3000; ++i) {
    lent.push_back(allocate_memory(static_cast<std::size_t>(i) * 97 % 400000, stream));
    distinct.insert(lent.back());
  }
  EXPECT_EQ(distinct.size(), lent.size());
  for (void* p : lent) deallocate_memory(p, stream);
  EXPECT_THROW(deallocate_memory(lent[7], stream), ValueError);
}

TEST(Lent, OnAStreamThatIsCapturedItIsTheGraphs) {
  if (!is_available(DeviceKind::CUDA)) GTEST_SKIP() << device_status(DeviceKind::CUDA);
  const Device device(DeviceKind::CUDA, 0);
  const Stream stream = Stream::create(device);
  const std::size_t before = memory_stats(device).allocated.current;
  Tensor x = ones({1 << 18}, {.device = device});
  Tensor y;
  synchronize(device);
  {
    const Graph graph = Graph::capture(stream, [&] {
      void* p = allocate_memory(1 << 20, stream);
      Tensor scratch = from_blob(p, {1 << 18}, DType::float32, {.device = device});
      scratch.copy_(x);
      y = scratch * 2;
      deallocate_memory(p, stream);
    });
    const Tensor other = zeros({1 << 18}, {.device = device});  // is not given that memory
    synchronize(device);
    graph.replay(stream);
    stream.synchronize();
    EXPECT_EQ(y.sum().item<float>(), 2 << 18);
    EXPECT_EQ(other.sum().item<float>(), 0);
    EXPECT_THROW(deallocate_memory(x.data_ptr(), stream), ValueError);
    void* p = allocate_memory(100, stream);
    EXPECT_THROW(deallocate_memory(p, current_stream(kCPU)), ValueError);
    deallocate_memory(p, stream);
  }
  x = y = Tensor();
  synchronize(device);
  EXPECT_EQ(memory_stats(device).allocated.current, before);
}

}  // namespace
