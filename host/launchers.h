// The host launchers: what runs a launch struct of tandem/backend.h. `self` is the op's loops.
#pragma once

namespace tandem::host {

class HostRegistry;

void launch_elementwise(const void* desc, const void* self);
void launch_copy(const void* desc, const void* self);
void launch_generator(const void* desc, const void* self);
void launch_gemm(const void* desc, const void* self);
void register_indexing(HostRegistry& r);
void register_linalg(HostRegistry& r);
void launch_index(const void* desc, const void* self);
void launch_index_put(const void* desc, const void* self);
void launch_mask(const void* desc, const void* self);
void launch_border(const void* desc, const void* self);
void launch_triangle(const void* desc, const void* self);
void launch_repeat(const void* desc, const void* self);
void launch_choices(const void* desc, const void* self);
void launch_tril_indices(const void* desc, const void* self);
void launch_triu_indices(const void* desc, const void* self);

}  // namespace tandem::host
