// DLPack's structs and memory of other libraries: what is in the structs, who frees what and when,
// hostile ones, read-only memory.
#include "tandem/dlpack.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/exchange/dlpack_abi.h"
#include "tandem/foreign.h"
#include "tandem/memory.h"
#include "tandem/ops.h"

using namespace tandem;

// The layout that other libraries' headers have, on a machine of 64 bits.
static_assert(sizeof(DLTensor) == 48 && offsetof(DLTensor, byte_offset) == 40);
static_assert(sizeof(DLManagedTensor) == 64 && offsetof(DLManagedTensor, deleter) == 56);
static_assert(sizeof(DLManagedTensorVersioned) == 80 &&
              offsetof(DLManagedTensorVersioned, dl_tensor) == 32);

namespace {

/// A producer of the test: counts its deleter's calls.
struct Producer {
  DLManagedTensorVersioned managed{};
  std::vector<std::int64_t> shape, strides;
  std::vector<double> memory = std::vector<double>(24);
  int freed = 0;

  Producer() {
    shape = {2, 3};
    strides = {3, 1};
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<double>(i);
    managed.version = {1, 0};
    managed.manager_ctx = this;
    managed.deleter = [](DLManagedTensorVersioned* m) {
      ++static_cast<Producer*>(m->manager_ctx)->freed;
    };
    managed.dl_tensor = {memory.data(), {1, 0}, 2, {2, 64, 1}, shape.data(), strides.data(), 0};
  }
};

TEST(DLPack, ExportsTheTensorsOwnMemory) {
  const Tensor t = arange(24, {.dtype = DType::int16}).reshape({4, 6}).t().slice(0, 1, 6, 2);
  DLManagedTensorVersioned* m = to_dlpack(t);
  EXPECT_EQ(m->version.major, 1u);
  EXPECT_EQ(m->flags, 0u);
  const DLTensor& d = m->dl_tensor;
  EXPECT_EQ(static_cast<char*>(d.data) + d.byte_offset, t.data_ptr());
  EXPECT_EQ(d.device.device_type, 1);
  EXPECT_EQ(d.dtype.code, 0);
  EXPECT_EQ(d.dtype.bits, 16);
  EXPECT_EQ(d.dtype.lanes, 1);
  ASSERT_EQ(d.ndim, 2);
  EXPECT_EQ(std::vector<std::int64_t>(d.shape, d.shape + 2), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(std::vector<std::int64_t>(d.strides, d.strides + 2), (std::vector<std::int64_t>{2, 6}));
  free_dlpack(m);
  m = to_dlpack(t, true);
  EXPECT_EQ(m->flags, 2u);
  free_dlpack(m);
  m = to_dlpack(empty({0, 3}));
  EXPECT_EQ(m->dl_tensor.data, nullptr);
  free_dlpack(m);
  EXPECT_THROW(to_dlpack(empty({2}, {.device = kMeta})), ValueError);
}

TEST(DLPack, TheMemoryLivesUntilItIsGivenBack) {
  const auto before = memory_stats(kCPU).allocated.current;
  DLManagedTensor* m = nullptr;
  {
    const Tensor t = full({1000}, 3.0F);
    m = to_dlpack_unversioned(t);
  }
  EXPECT_GT(memory_stats(kCPU).allocated.current, before);
  EXPECT_EQ(static_cast<float*>(m->dl_tensor.data)[999], 3.0F);
  std::thread([&] { free_dlpack(m); }).join();
  EXPECT_EQ(memory_stats(kCPU).allocated.current, before);
}

TEST(DLPack, ImportsEveryLayoutAndFreesOnce) {
  Producer p;
  {
    const Tensor t = from_dlpack(&p.managed);
    EXPECT_EQ(t.data<double>(), p.memory.data());
    Tensor row = t[1];
    row.mul_(2);
    EXPECT_EQ(p.memory[4], 8);
    EXPECT_EQ(p.freed, 0);
  }
  EXPECT_EQ(p.freed, 1);
  p.managed.dl_tensor.strides = nullptr;  // compact, before 1.2
  p.managed.dl_tensor.byte_offset = 16;
  EXPECT_EQ(from_dlpack(&p.managed)[0][0].item<double>(), 2);
  p.strides = {-3, -1};
  p.managed.dl_tensor.strides = p.strides.data();
  p.managed.dl_tensor.byte_offset = 5 * sizeof(double);
  {
    const Tensor t = from_dlpack(&p.managed);
    EXPECT_EQ(t[0][0].item<double>(), 10);
    EXPECT_EQ(t[1][2].item<double>(), 0);
  }
  p.managed.dl_tensor.ndim = 0;
  p.managed.dl_tensor.shape = p.managed.dl_tensor.strides = nullptr;
  EXPECT_EQ(from_dlpack(&p.managed).item<double>(), 10);
  EXPECT_EQ(p.freed, 4);
  p.managed.deleter = nullptr;  // allowed: nothing to free
  EXPECT_EQ(from_dlpack(&p.managed).dim(), 0);
}

TEST(DLPack, EveryDTypeGoesRound) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    const Tensor t = ones({3}, {.dtype = dtype});
    const Tensor back = from_dlpack(to_dlpack(t));
    EXPECT_EQ(back.dtype(), dtype);
    EXPECT_EQ(back.data_ptr(), t.data_ptr());
  }
}

TEST(DLPack, EmptyOnesMayHaveNoAddress) {
  Producer p;
  p.shape = {0, 3};
  for (void* data : {static_cast<void*>(nullptr), reinterpret_cast<void*>(13)}) {
    p.managed.dl_tensor.data = data;
    EXPECT_EQ(from_dlpack(&p.managed).numel(), 0);
  }
  EXPECT_EQ(p.freed, 2);
}

template <class Error>
void refused(const char* what, void (*spoil)(DLManagedTensorVersioned&)) {
  Producer p;
  spoil(p.managed);
  EXPECT_THROW(from_dlpack(&p.managed), Error) << what;
  EXPECT_EQ(p.freed, 0) << what << ": the struct is still the caller's";
}

TEST(DLPack, HostileStructsAreRefused) {
  using M = DLManagedTensorVersioned&;
  refused<ValueError>("a newer major version", [](M m) { m.version.major = 2; });
  refused<TypeError>("lanes", [](M m) { m.dl_tensor.dtype.lanes = 4; });
  refused<TypeError>("float8", [](M m) { m.dl_tensor.dtype = {13, 8, 1}; });
  refused<TypeError>("float4", [](M m) { m.dl_tensor.dtype = {17, 4, 1}; });
  refused<TypeError>("int128", [](M m) { m.dl_tensor.dtype = {0, 128, 1}; });
  refused<TypeError>("unknown code", [](M m) { m.dl_tensor.dtype = {250, 8, 1}; });
  refused<DeviceError>("Vulkan", [](M m) { m.dl_tensor.device.device_type = 7; });
  refused<DeviceError>("CUDA 9999", [](M m) { m.dl_tensor.device = {2, 9999}; });
  refused<DeviceError>("CUDA -1", [](M m) { m.dl_tensor.device = {2, -1}; });
  refused<ValueError>("negative rank", [](M m) { m.dl_tensor.ndim = -1; });
  refused<ValueError>("huge rank", [](M m) { m.dl_tensor.ndim = 1 << 20; });
  refused<ValueError>("no shape", [](M m) { m.dl_tensor.shape = nullptr; });
  refused<ValueError>("no memory", [](M m) { m.dl_tensor.data = nullptr; });
  refused<ValueError>("misaligned", [](M m) { m.dl_tensor.byte_offset = 4; });
  refused<ValueError>("offset beyond the address space", [](M m) {
    m.dl_tensor.byte_offset = std::numeric_limits<std::uint64_t>::max() - 7;
  });
  refused<ValueError>("negative size", [](M m) { m.dl_tensor.shape[0] = -2; });
  refused<ValueError>("sizes overflow", [](M m) {
    m.dl_tensor.shape[0] = m.dl_tensor.shape[1] = std::int64_t{1} << 33;
  });
  refused<ValueError>("bytes overflow", [](M m) {
    m.dl_tensor.shape[0] = std::int64_t{1} << 61;
    m.dl_tensor.shape[1] = 1;
  });
  refused<ValueError>("strides overflow", [](M m) {
    m.dl_tensor.strides[0] = std::numeric_limits<std::int64_t>::max();
  });
  EXPECT_THROW(from_dlpack(static_cast<DLManagedTensor*>(nullptr)), ValueError);
}

TEST(DLPack, ReadOnlyMemoryIsNotWritten) {
  Producer p;
  p.managed.flags = 1;
  {
    Tensor t = from_dlpack(&p.managed);
    EXPECT_TRUE(is_read_only(t));
    EXPECT_THROW(t.mul_(2), ValueError);
    EXPECT_THROW(t.copy_(zeros({2, 3}, {.dtype = DType::float64})), ValueError);
    EXPECT_THROW(t[0].fill_(1), ValueError);
    EXPECT_EQ(p.memory[3], 3);
    EXPECT_EQ((t + t)[1][0].item<double>(), 6);
    Tensor own = t.clone();
    EXPECT_FALSE(is_read_only(own));
    own.mul_(2);
    EXPECT_THROW(to_dlpack_unversioned(t), ValueError);
    DLManagedTensorVersioned* again = to_dlpack(t);
    EXPECT_EQ(again->flags, 1u);
    free_dlpack(again);
    EXPECT_EQ(p.freed, 0);
  }
  EXPECT_EQ(p.freed, 1);
}

TEST(Foreign, ReleasesOnceWhereItSucceedsAndNeverWhereItFails) {
  float memory[6] = {0, 1, 2, 3, 4, 5};
  for (const bool read_only : {false, true}) {
    int released = 0;
    ForeignMemoryView m;
    m.data = memory;
    m.shape = {2, 3};
    m.device = kCPU;
    m.read_only = read_only;
    m.release = [&] { ++released; };
    ForeignMemoryView wrong = m;
    wrong.strides = Dims{1};
    EXPECT_THROW(from_foreign(wrong), ShapeError);
    wrong = m;
    wrong.data = reinterpret_cast<char*>(memory) + 1;
    EXPECT_THROW(from_foreign(wrong), ValueError);
    EXPECT_EQ(released, 0);
    Tensor part = from_foreign(m)[1];
    EXPECT_EQ(released, 0) << "a view keeps the memory";
    EXPECT_EQ(part[2].item<float>(), 5);
    std::thread([&] { part = Tensor(); }).join();
    EXPECT_EQ(released, 1);
  }
}

}  // namespace
