// The words of flag.h: one page of pinned memory a device, a word a stream.
#include "kernels/cuda/flag.h"

#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/cuda/context.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

constexpr std::size_t kWords = 512;  // streams beyond them share the last

struct DeviceWords {
  unsigned long long* words = nullptr;
  std::vector<std::uint64_t> streams;  // words[i] is of streams[i], by key_of
};

struct Flags {
  std::mutex mutex;
  std::array<DeviceWords, 64> devices;
  std::vector<std::string> ops;  // a tag's number, from 1
};
Flags& flags() {
  static Flags& f = *new Flags();
  return f;
}

DeviceWords& words_of(Flags& f, int device) {
  return f.devices[static_cast<std::size_t>(device < 0 ? 0 : device) % f.devices.size()];
}

/// The handle, but for the stream that each thread knows by one handle: its number there.
std::uint64_t key_of(int device, void* stream) {
  if (stream != cudaStreamPerThread) return reinterpret_cast<std::uint64_t>(stream);
  const DeviceGuard guard(device);
  unsigned long long id = 0;
  if (cudaStreamGetId(cudaStreamPerThread, &id) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
  }
  return id | std::uint64_t{1} << 63;  // no address
}

std::size_t slot_of(const DeviceWords& d, std::uint64_t key) {
  std::size_t i = 0;
  while (i < d.streams.size() && d.streams[i] != key) ++i;
  return i;
}

unsigned long long number_of(Flags& f, const char* op) {
  for (std::size_t i = 0; i < f.ops.size(); ++i) {
    if (f.ops[i] == op) return i + 1;
  }
  f.ops.emplace_back(op);
  return f.ops.size();
}

/// The words are written by the device: each is read once, whole.
unsigned long long take(unsigned long long& word) {
  return __atomic_exchange_n(&word, 0, __ATOMIC_ACQ_REL);
}

void describe(const Flags& f, unsigned long long word, char* text, std::size_t size) {
  const unsigned long long tag = word >> kFlagIndexBits;
  const std::size_t number = static_cast<std::size_t>(tag >> 1);
  const char* op = number >= 1 && number <= f.ops.size() ? f.ops[number - 1].c_str() : "?";
  if ((tag & 1) == static_cast<unsigned>(FlagKind::ShortSource)) {
    std::snprintf(text, size,
                  "[%s] Number of elements of source < number of ones in mask, found on the "
                  "device: the elements beyond were left out",
                  op);
    return;
  }
  constexpr int kShift = 64 - kFlagIndexBits;
  const auto index = static_cast<long long>(word << kShift) >> kShift;
  std::snprintf(text, size,
                "[%s] index %lld is out of bounds, found on the device: its element was left out",
                op, index);
}

}  // namespace

ErrorFlag error_flag(Device device, void* stream, const char* op, FlagKind kind) {
  const std::uint64_t key = key_of(device.index, stream);
  Flags& f = flags();
  const std::lock_guard lock(f.mutex);
  DeviceWords& d = words_of(f, device.index);
  if (d.words == nullptr) {
    void* memory = nullptr;
    constexpr std::size_t kBytes = kWords * sizeof(unsigned long long);
    const cudaError_t e = cudaHostAlloc(&memory, kBytes, cudaHostAllocPortable);
    if (e != cudaSuccess) {
      check(e, op);
      return {};
    }
    std::memset(memory, 0, kBytes);
    d.words = static_cast<unsigned long long*>(memory);
  }
  std::size_t slot = slot_of(d, key);
  if (slot == d.streams.size()) {
    if (slot < kWords) d.streams.push_back(key);
    if (slot >= kWords) slot = kWords - 1;
  }
  const unsigned long long tag = number_of(f, op) << 1 | static_cast<unsigned>(kind);
  return {d.words + slot, tag << kFlagIndexBits};
}

int take_error(int device, void* stream, int all, char* text, std::size_t size) {
  const std::uint64_t key = key_of(device, stream);
  Flags& f = flags();
  const std::lock_guard lock(f.mutex);
  DeviceWords& d = words_of(f, device);
  if (d.words == nullptr) return 0;
  const std::size_t own = slot_of(d, key);
  for (std::size_t i = 0; i < d.streams.size(); ++i) {
    const bool shared = own == d.streams.size() && i == kWords - 1;
    if (all == 0 && i != own && !shared) continue;
    const unsigned long long word = take(d.words[i]);
    if (word == 0) continue;
    describe(f, word, text, size);
    if (all != 0) {  // one is told; the others went with it
      for (std::size_t k = i + 1; k < d.streams.size(); ++k) static_cast<void>(take(d.words[k]));
    }
    return 1;
  }
  return 0;
}

}  // namespace tandem::cuda
