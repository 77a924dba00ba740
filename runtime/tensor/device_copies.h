// Copies between devices. Internal to transfer.cpp.
#pragma once

#include "tandem/tensor.h"

namespace tandem::detail {

/// The bytes of a dense tensor of one device to one of another, of one dtype and layout, between
/// what the current streams of both have to do by now and what they get from now on. Waits for
/// nothing. From device to device where the hardware can, else by way of pinned memory of the host.
void copy_between_devices(const Tensor& out, const Tensor& source);

}  // namespace tandem::detail
