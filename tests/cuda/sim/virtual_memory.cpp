// kernels/cuda/virtual_memory.cpp with a driver that is not one: what is asked of it, in which
// order, and what is left when a call fails. Built with the toolkit's headers and none of its
// libraries.
#include "kernels/cuda/virtual_memory.cpp"  // NOLINT(bugprone-suspicious-include)

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace {

struct Driver {
  std::string calls;
  std::string failing;  // this call answers out of memory
  std::string missing;  // the driver has no such call
  int supported = 1;
  int current = 0;
} driver;

CUresult answer(const std::string& call) {
  driver.calls += call + ";";
  return driver.failing == call ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult address_reserve(CUdeviceptr* out, std::size_t, std::size_t, CUdeviceptr,
                         unsigned long long) {
  *out = 0x200000;
  return answer("reserve");
}
CUresult address_free(CUdeviceptr, std::size_t) { return answer("free"); }
CUresult create(CUmemGenericAllocationHandle* out, std::size_t, const CUmemAllocationProp* p,
                unsigned long long) {
  *out = 5;
  EXPECT_EQ(p->type, CU_MEM_ALLOCATION_TYPE_PINNED);
  EXPECT_EQ(p->location.type, CU_MEM_LOCATION_TYPE_DEVICE);
  return answer("create on " + std::to_string(p->location.id));
}
CUresult release(CUmemGenericAllocationHandle) { return answer("release"); }
CUresult map(CUdeviceptr, std::size_t, std::size_t offset, CUmemGenericAllocationHandle memory,
             unsigned long long) {
  EXPECT_EQ(offset, 0u);
  EXPECT_EQ(memory, 5u);
  return answer("map");
}
CUresult unmap(CUdeviceptr, std::size_t) { return answer("unmap"); }
CUresult set_access(CUdeviceptr, std::size_t, const CUmemAccessDesc* access, std::size_t n) {
  std::string who;
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_EQ(access[i].flags, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
    who += " " + std::to_string(access[i].location.id);
  }
  return answer("access of" + who);
}
CUresult granularity(std::size_t* out, const CUmemAllocationProp*,
                     CUmemAllocationGranularity_flags) {
  *out = std::size_t{2} << 20;
  return CUDA_SUCCESS;
}
CUresult device_get(CUdevice* out, int i) {
  *out = i;
  return CUDA_SUCCESS;
}
CUresult attribute(int* out, CUdevice_attribute, CUdevice) {
  *out = driver.supported;
  return CUDA_SUCCESS;
}

}  // namespace

// The runtime's calls that the file uses.
extern "C" {
cudaError_t cudaGetDevice(int* out) {
  *out = driver.current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  driver.current = device;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaFree(void*) {
  driver.calls += "context of " + std::to_string(driver.current) + ";";
  return cudaSuccess;
}
cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** out, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  const struct {
    const char* name;
    void* call;
  } known[] = {
      {"cuMemAddressReserve", reinterpret_cast<void*>(&address_reserve)},
      {"cuMemAddressFree", reinterpret_cast<void*>(&address_free)},
      {"cuMemCreate", reinterpret_cast<void*>(&create)},
      {"cuMemRelease", reinterpret_cast<void*>(&release)},
      {"cuMemMap", reinterpret_cast<void*>(&map)},
      {"cuMemUnmap", reinterpret_cast<void*>(&unmap)},
      {"cuMemSetAccess", reinterpret_cast<void*>(&set_access)},
      {"cuMemGetAllocationGranularity", reinterpret_cast<void*>(&granularity)},
      {"cuDeviceGet", reinterpret_cast<void*>(&device_get)},
      {"cuDeviceGetAttribute", reinterpret_cast<void*>(&attribute)},
  };
  *out = nullptr;
  *found = cudaDriverEntryPointSymbolNotFound;
  for (const auto& k : known) {
    if (std::strcmp(symbol, k.name) != 0 || driver.missing == symbol) continue;
    *out = k.call;
    *found = cudaDriverEntryPointSuccess;
  }
  return cudaSuccess;
}
}

namespace {

class VirtualMemory : public testing::Test {
 protected:
  void SetUp() override {
    driver = {};
    tandem::cuda::add_virtual_memory(d);
  }
  std::string calls() { return std::exchange(driver.calls, {}); }
  tandem::BackendDriver d{};
  static constexpr std::size_t kStep = std::size_t{2} << 20;
};

TEST_F(VirtualMemory, OnItsDeviceAndBack) {
  std::size_t step = 0;
  EXPECT_EQ(d.virtual_granularity(1, &step), 0);
  EXPECT_EQ(step, kStep);
  std::uintptr_t at = 0;
  std::uint64_t memory = 0;
  EXPECT_EQ(d.reserve(1, 4 * kStep, &at), 0);
  EXPECT_EQ(d.create(1, kStep, &memory), 0);
  EXPECT_EQ(calls(), "context of 1;reserve;context of 1;create on 1;");
  EXPECT_EQ(d.map(1, at, kStep, memory), 0);
  EXPECT_EQ(calls(), "map;access of 1;");
  EXPECT_EQ(d.unmap(1, at, kStep), 0);
  EXPECT_EQ(d.destroy(1, memory, kStep), 0);
  EXPECT_EQ(d.release(1, at, 4 * kStep), 0);
  EXPECT_EQ(calls(), "unmap;release;free;");
  EXPECT_EQ(driver.current, 0);
}

TEST_F(VirtualMemory, AFailedMapLeavesNothing) {
  driver.failing = "access of 0";
  EXPECT_EQ(d.map(0, 0x200000, kStep, 5), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(calls(), "map;access of 0;unmap;");
  driver.failing = "map";
  EXPECT_EQ(d.map(0, 0x200000, kStep, 5), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(calls(), "map;");
}

TEST_F(VirtualMemory, APeerReachesWhatIsMappedAndWhatWillBe) {
  EXPECT_EQ(d.map(5, 0x200000, kStep, 5), 0);
  EXPECT_EQ(d.map(5, 0x400000, kStep, 5), 0);
  EXPECT_EQ(d.unmap(5, 0x200000, kStep), 0);
  calls();
  driver.failing = "access of 6";
  EXPECT_EQ(tandem::cuda::share_virtual_memory(5, 6), CUDA_ERROR_OUT_OF_MEMORY);
  driver.failing.clear();
  EXPECT_EQ(d.map(5, 0x600000, kStep, 5), 0);
  EXPECT_EQ(calls(), "access of 6;map;access of 5;");
  EXPECT_EQ(tandem::cuda::share_virtual_memory(5, 6), 0);
  EXPECT_EQ(calls(), "access of 6;access of 6;");
  EXPECT_EQ(d.map(5, 0x200000, kStep, 5), 0);
  EXPECT_EQ(tandem::cuda::share_virtual_memory(5, 6), 0);  // again
  EXPECT_EQ(d.map(5, 0x800000, kStep, 5), 0);
  EXPECT_EQ(calls(), "map;access of 5 6;access of 6;access of 6;access of 6;map;access of 5 6;");
  EXPECT_EQ(d.unmap(5, 0x200000, 4 * kStep), 0);
  calls();
  EXPECT_EQ(tandem::cuda::share_virtual_memory(5, 7), 0);
  EXPECT_EQ(calls(), "");  // nothing is mapped
}

TEST_F(VirtualMemory, ADeviceWithoutIt) {
  driver.supported = 0;
  std::size_t step = 1;
  EXPECT_EQ(d.virtual_granularity(0, &step), 0);
  EXPECT_EQ(step, 0u);
}

TEST_F(VirtualMemory, ADriverWithoutIt) {
  driver.missing = "cuMemUnmap";
  EXPECT_FALSE(tandem::cuda::Calls().usable);
  driver.missing.clear();
  EXPECT_TRUE(tandem::cuda::Calls().usable);
}

}  // namespace
