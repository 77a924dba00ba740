// Where a tensor lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tandem/export.h"

namespace tandem {

/// Meta has shapes and dtypes but no memory. `Private` is the slot of an outside backend.
enum class DeviceKind : std::uint8_t { CPU, CUDA, Meta, Private, kCount };

/// A device; index -1 means the current one of its kind and compares unequal to every index, as in
/// PyTorch.
struct Device {
  DeviceKind kind = DeviceKind::CPU;
  std::int16_t index = -1;

  constexpr Device() = default;
  constexpr Device(DeviceKind k, int i = -1) : kind(k), index(static_cast<std::int16_t>(i)) {}
  /// Parses "cpu", "cuda", "cuda:1", "meta". Raises ValueError with the known kinds.
  TANDEM_API explicit Device(std::string_view text);

  constexpr bool operator==(const Device&) const = default;
  constexpr bool is_cpu() const { return kind == DeviceKind::CPU; }
  constexpr bool is_cuda() const { return kind == DeviceKind::CUDA; }
  constexpr bool is_meta() const { return kind == DeviceKind::Meta; }
  TANDEM_API std::string str() const;
};

inline constexpr Device kCPU{DeviceKind::CPU};
inline constexpr Device kCUDA{DeviceKind::CUDA};
inline constexpr Device kMeta{DeviceKind::Meta};

/// Whether a backend for the kind is loaded and has at least one usable device. Opens the backend
/// library at the first call; never throws.
TANDEM_API bool is_available(DeviceKind kind);
/// Number of usable devices of a kind; 0 where its backend cannot be used.
TANDEM_API int device_count(DeviceKind kind);
/// The device of the calling thread that a kind without an index stands for, as the driver knows it
/// (cudaGetDevice); the CPU and meta have one. Raises DeviceError.
TANDEM_API Device current_device(DeviceKind kind);
/// Changes it, for the driver too (cudaSetDevice). Does nothing for the CPU and meta. Nothing else
/// in Tandem changes it. Raises DeviceError.
TANDEM_API void set_current_device(Device device);

/// Makes a device the current one of this thread for the life of the guard.
class TANDEM_API DeviceGuard {
 public:
  explicit DeviceGuard(Device device);
  ~DeviceGuard();
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  Device previous_;
};

/// Why a kind is or is not in use, in words, as `tandem info` prints it.
TANDEM_API std::string device_status(DeviceKind kind);

}  // namespace tandem
