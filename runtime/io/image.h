// What the readers and writers of pictures share. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tandem/tensor.h"

namespace tandem::io {

/// A picture's size, as its header tells it.
struct Picture {
  std::int64_t rows = 0, columns = 0, channels = 0;
  DType dtype = DType::uint8;
  std::size_t row_bytes() const {
    return static_cast<std::size_t>(columns * channels) * element_size(dtype);
  }
};

/// An encoder's output. Plain, since the C libraries leave their functions by longjmp.
struct Buffer {
  unsigned char* data = nullptr;
  std::size_t size = 0, capacity = 0;
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();
  /// False where there is no memory; never throws.
  bool append(const unsigned char* p, std::size_t n) noexcept;
};

constexpr std::size_t kErrorText = 256;

/// A tensor for the picture; raises FileError where a file of `file_bytes` cannot hold it, since it
/// would have been packed more than `most_expansion` times.
Tensor picture_tensor(const std::string& path, const Picture& p, std::size_t file_bytes,
                      std::size_t most_expansion);
[[noreturn]] void fail_picture(const std::string& path, const std::string& kind,
                               const std::string& why);

Tensor decode_png(const std::string& path, const std::vector<unsigned char>& file);
Tensor decode_jpeg(const std::string& path, const std::vector<unsigned char>& file);
/// False with a text in `error` (kErrorText bytes) on failure. `pixels` are dense rows.
bool encode_png(const Picture& p, const unsigned char* pixels, int level, Buffer& out, char* error);
bool encode_jpeg(const Picture& p, const unsigned char* pixels, int quality, Buffer& out,
                 char* error);

std::string png_version();
std::string jpeg_version();

}  // namespace tandem::io
