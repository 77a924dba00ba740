// What driver.cpp asks of virtual_memory.cpp besides its calls.
#pragma once

namespace tandem::cuda {

/// Lets a device reach the mapped memory of another, present and to come; 0 or an error.
int share_virtual_memory(int owner, int with);

}  // namespace tandem::cuda
