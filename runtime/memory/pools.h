// The pools of the devices: one a device, made once and never destroyed.
#pragma once

#include <memory>

#include "runtime/memory/pool.h"
#include "tandem/device.h"

namespace tandem {

/// The host's pool.
TANDEM_API Pool& host_pool();

/// The pool of a device; index -1 is device 0. Raises DeviceError where none is registered, and for
/// meta.
TANDEM_API Pool& pool_for(Device device);

/// The number of a device in the identities of its streams (StreamId::device): 1, 2, ... in the
/// order in which pools were registered. 0: the host, meta, and devices without a pool.
unsigned device_number(Device device) noexcept;

/// Every device's number becomes 0, so that none can be used any more: for the child of a fork.
/// Their pools stay, for the memory that is still held.
void forget_device_numbers() noexcept;

/// Gives a device its pool; called once a device by the code that opens its backend. Raises
/// DeviceError if it has one.
TANDEM_API Pool& register_pool(Device device, std::unique_ptr<Driver> driver);

}  // namespace tandem
