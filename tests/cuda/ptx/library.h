// The PTX texts that a CUDA library, an object or a .ptx file holds.
#pragma once

#include <string>
#include <vector>

namespace tandem::ptx {

/// Throws std::runtime_error for a file that is none of these or holds no readable PTX (one linked
/// with compressed device code, say).
std::vector<std::string> read_ptx(const std::string& path);

}  // namespace tandem::ptx
