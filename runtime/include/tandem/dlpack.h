// DLPack, version 1: tensors to and from other libraries without a copy
// (https://dmlc.github.io/dlpack/latest/). The structs are those of the standard's own header,
// which a caller who looks into them includes; Tandem needs none.
#pragma once

#include <utility>

#include "tandem/tensor.h"

struct DLManagedTensor;           // before version 1: no flags
struct DLManagedTensorVersioned;  // version 1

namespace tandem {

/// The version of what to_dlpack makes, and the newest that from_dlpack knows all of.
inline constexpr std::pair<int, int> kDLPackVersion{1, 3};

/// The tensor's memory for another library, with its shape and its strides, which may be negative
/// (elements). `is_copy` is the flag of that name: nobody else has this memory. A read-only tensor
/// is flagged so. The caller hands it on, or calls free_dlpack; the memory stays as long. Orders no
/// work: on a device, the consumer's stream must wait for the current one, and Tensor::data(stream)
/// tells Tandem of the use. Raises ValueError for tensors without memory (meta, an outside
/// backend).
TANDEM_API DLManagedTensorVersioned* to_dlpack(const Tensor& t, bool is_copy = false);
/// The same in the form before version 1, which can't say that memory is read-only: raises
/// ValueError for such a tensor.
TANDEM_API DLManagedTensor* to_dlpack_unversioned(const Tensor& t);

/// A tensor over another library's memory, which is given back as from_foreign says when the last
/// tensor lets go. Memory of the CPU and pinned memory are on `cpu`, CUDA's and managed memory on
/// `cuda`. The tensor owns `managed`, unless it raises: ValueError (a newer major version, sizes,
/// strides, alignment), TypeError (a dtype that Tandem has not, several lanes), DeviceError. Orders
/// no work: the current stream must wait for the producer's.
TANDEM_API Tensor from_dlpack(DLManagedTensorVersioned* managed);
TANDEM_API Tensor from_dlpack(DLManagedTensor* managed);

/// Gives back what nobody has taken.
TANDEM_API void free_dlpack(DLManagedTensorVersioned* managed) noexcept;
TANDEM_API void free_dlpack(DLManagedTensor* managed) noexcept;

/// DLPack's device type and number of the tensor's memory. Raises as to_dlpack.
TANDEM_API std::pair<int, int> dlpack_device(const Tensor& t);

}  // namespace tandem
