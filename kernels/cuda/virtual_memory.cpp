// Address space and memory apart, for the pools: the driver's cuMem calls. They are looked up
// through the runtime, because nothing links the driver.
#include <cuda.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "kernels/cuda/context.h"
#include "kernels/cuda/virtual_memory.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

#define TANDEM_DRIVER_CALLS(X)     \
  X(cuMemAddressReserve)           \
  X(cuMemAddressFree)              \
  X(cuMemCreate)                   \
  X(cuMemRelease)                  \
  X(cuMemMap)                      \
  X(cuMemUnmap)                    \
  X(cuMemSetAccess)                \
  X(cuMemGetAllocationGranularity) \
  X(cuDeviceGet)                   \
  X(cuDeviceGetAttribute)

/// All or none: `usable` says.
struct Calls {
#define TANDEM_MEMBER(call) decltype(&::call) call = nullptr;
  TANDEM_DRIVER_CALLS(TANDEM_MEMBER)
#undef TANDEM_MEMBER
  bool usable = true;

  Calls() {
#define TANDEM_LOOK_UP(call) usable = usable && look_up(#call, reinterpret_cast<void**>(&call));
    TANDEM_DRIVER_CALLS(TANDEM_LOOK_UP)
#undef TANDEM_LOOK_UP
  }
  static bool look_up(const char* name, void** out) {
    cudaDriverEntryPointQueryResult found{};
#if CUDART_VERSION >= 12050
    // As CUDA 10.2, which brought the last of them, declared them.
    const cudaError_t e =
        cudaGetDriverEntryPointByVersion(name, out, 10020, cudaEnableDefault, &found);
#else
    const cudaError_t e = cudaGetDriverEntryPoint(name, out, cudaEnableDefault, &found);
#endif
    if (e != cudaSuccess) static_cast<void>(cudaGetLastError());
    return e == cudaSuccess && found == cudaDriverEntryPointSuccess && *out != nullptr;
  }
};

const Calls& calls() {
  static const Calls& c = *new Calls();
  return c;
}

/// The driver's errors have the runtime's numbers.
template <class F>
int on_device(int device, F f) {
  if (!calls().usable) return cudaErrorNotSupported;
  const DeviceGuard guard(device);
  return guard.error != cudaSuccess ? static_cast<int>(guard.error) : static_cast<int>(f());
}

/// The runtime makes a device's context at the first call that needs one; the driver's calls do
/// not.
int with_context() {
  const cudaError_t e = cudaFree(nullptr);
  if (e != cudaSuccess) static_cast<void>(cudaGetLastError());
  return e;
}

CUmemAllocationProp memory_of(int device) {
  CUmemAllocationProp p{};
  p.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  p.location = {CU_MEM_LOCATION_TYPE_DEVICE, device};
  return p;
}

int virtual_granularity(int device, std::size_t* out) {
  *out = 0;
  const Calls& c = calls();
  CUdevice number = 0;
  int supported = 0;
  constexpr auto kAttribute = CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED;
  if (!c.usable || c.cuDeviceGet(&number, device) != CUDA_SUCCESS ||
      c.cuDeviceGetAttribute(&supported, kAttribute, number) != CUDA_SUCCESS || supported == 0) {
    return 0;
  }
  const CUmemAllocationProp p = memory_of(device);
  return c.cuMemGetAllocationGranularity(out, &p, CU_MEM_ALLOC_GRANULARITY_MINIMUM);
}
int reserve(int device, std::size_t bytes, std::uintptr_t* out) {
  CUdeviceptr at = 0;
  const int e = on_device(device, [&] {
    const int ready = with_context();
    return ready != 0 ? ready : static_cast<int>(calls().cuMemAddressReserve(&at, bytes, 0, 0, 0));
  });
  *out = at;
  return e;
}
int release(int device, std::uintptr_t address, std::size_t bytes) {
  return on_device(device, [&] { return calls().cuMemAddressFree(address, bytes); });
}
int create(int device, std::size_t bytes, std::uint64_t* out) {
  const CUmemAllocationProp p = memory_of(device);
  CUmemGenericAllocationHandle memory = 0;
  const int e = on_device(device, [&] {
    const int ready = with_context();
    return ready != 0 ? ready : static_cast<int>(calls().cuMemCreate(&memory, bytes, &p, 0));
  });
  *out = memory;
  return e;
}
int destroy(int device, std::uint64_t memory, std::size_t) {
  return on_device(device, [&] { return calls().cuMemRelease(memory); });
}
/// A device's mappings, and the other devices that reach them.
struct Mappings {
  std::mutex mutex;
  std::map<std::uintptr_t, std::size_t> of;  // by address: bytes
  std::vector<int> readers;
};
Mappings& mappings_of(int device) {
  static auto& all = *new std::array<Mappings, 64>();
  return all[static_cast<std::size_t>(device) % all.size()];
}

CUmemAccessDesc access_of(int device) {
  CUmemAccessDesc access{};
  access.location = {CU_MEM_LOCATION_TYPE_DEVICE, device};
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  return access;
}

int map(int device, std::uintptr_t at, std::size_t bytes, std::uint64_t memory) {
  Mappings& m = mappings_of(device);
  const std::lock_guard lock(m.mutex);
  std::vector<CUmemAccessDesc> access;
  try {
    access.push_back(access_of(device));
    for (const int reader : m.readers) access.push_back(access_of(reader));
    m.of[at] = bytes;
  } catch (const std::bad_alloc&) {
    return cudaErrorMemoryAllocation;
  }
  const int e = on_device(device, [&] {
    CUresult r = calls().cuMemMap(at, bytes, 0, memory, 0);
    if (r != CUDA_SUCCESS) return r;
    r = calls().cuMemSetAccess(at, bytes, access.data(), access.size());
    if (r != CUDA_SUCCESS) static_cast<void>(calls().cuMemUnmap(at, bytes));  // leave nothing
    return r;
  });
  if (e != 0) m.of.erase(at);
  return e;
}
int unmap(int device, std::uintptr_t at, std::size_t bytes) {
  Mappings& m = mappings_of(device);
  const std::lock_guard lock(m.mutex);
  const int e = on_device(device, [&] { return calls().cuMemUnmap(at, bytes); });
  if (e == 0) m.of.erase(m.of.lower_bound(at), m.of.lower_bound(at + bytes));
  return e;
}

}  // namespace

int share_virtual_memory(int owner, int with) {
  Mappings& m = mappings_of(owner);
  const std::lock_guard lock(m.mutex);
  try {
    m.readers.reserve(m.readers.size() + 1);
  } catch (const std::bad_alloc&) {
    return cudaErrorMemoryAllocation;
  }
  const CUmemAccessDesc access = access_of(with);
  for (const auto& [at, bytes] : m.of) {
    const int e = on_device(owner, [&, at = at, bytes = bytes] {
      return calls().cuMemSetAccess(at, bytes, &access, 1);
    });
    if (e != 0) return e;  // who has access to a part keeps it, and copies go another way
  }
  if (std::find(m.readers.begin(), m.readers.end(), with) == m.readers.end())
    m.readers.push_back(with);
  return 0;
}

void add_virtual_memory(BackendDriver& driver) {
  driver.virtual_granularity = virtual_granularity;
  driver.reserve = reserve;
  driver.release = release;
  driver.create = create;
  driver.destroy = destroy;
  driver.map = map;
  driver.unmap = unmap;
}

}  // namespace tandem::cuda
