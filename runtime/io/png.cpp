// PNG through libpng. The library leaves its functions by longjmp, so the functions here that call
// it hold no C++ objects.
#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "runtime/io/image.h"

namespace tandem::io {
namespace {

constexpr int kRuns = 3;                      // zlib's Z_RLE, whose header is not needed otherwise
constexpr std::size_t kMostExpansion = 1040;  // deflate packs at most 1032 bytes into one

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const unsigned char* data;
  std::size_t size;
  std::size_t at = 0;
  char error[kErrorText] = "";
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

void on_error(png_structp png, png_const_charp message) {
  std::snprintf(static_cast<char*>(png_get_error_ptr(png)), kErrorText, "%s", message);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, png_size_t n) {
  auto* r = static_cast<Reader*>(png_get_io_ptr(png));
  if (r->size - r->at < n) png_error(png, "the file ends too early");
  std::memcpy(out, r->data + r->at, n);
  r->at += n;
}

bool read_header(Reader& r, Picture& p) {
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r.error, on_error, on_warning);
  r.info = r.png == nullptr ? nullptr : png_create_info_struct(r.png);
  if (r.info == nullptr) {
    std::snprintf(r.error, kErrorText, "libpng does not start");
    return false;
  }
  if (setjmp(png_jmpbuf(r.png)) != 0) return false;
  png_set_user_limits(r.png, 1000000, 1000000);
  png_set_chunk_malloc_max(r.png, 8u << 20);
  png_set_read_fn(r.png, &r, read_bytes);
  png_read_info(r.png, r.info);
  png_set_expand(r.png);  // palettes, fewer than 8 bits, transparency as a colour
  if (std::endian::native == std::endian::little) png_set_swap(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  p.rows = png_get_image_height(r.png, r.info);
  p.columns = png_get_image_width(r.png, r.info);
  p.channels = png_get_channels(r.png, r.info);
  p.dtype = png_get_bit_depth(r.png, r.info) == 16 ? DType::uint16 : DType::uint8;
  if (png_get_rowbytes(r.png, r.info) != p.row_bytes()) png_error(r.png, "rows of another size");
  return true;
}

bool read_pixels(Reader& r, png_bytepp rows) {
  if (setjmp(png_jmpbuf(r.png)) != 0) return false;
  png_read_image(r.png, rows);
  png_read_end(r.png, nullptr);
  return true;
}

void write_bytes(png_structp png, png_bytep data, png_size_t n) {
  if (!static_cast<Buffer*>(png_get_io_ptr(png))->append(data, n)) png_error(png, "out of memory");
}

void flush_bytes(png_structp) {}

bool write_all(png_structp png, png_infop info, const Picture& p, const unsigned char* pixels,
               int level, Buffer& out) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  static constexpr int kColour[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                    PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  const bool wide = p.dtype == DType::uint16;
  png_set_write_fn(png, &out, write_bytes, flush_bytes);
  png_set_compression_level(png, level);
  if (level == 1) {  // most of what packing a photograph brings, and little of what it costs
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_AVG);
    png_set_compression_strategy(png, kRuns);
  }
  png_set_IHDR(png, info, static_cast<png_uint_32>(p.columns), static_cast<png_uint_32>(p.rows),
               wide ? 16 : 8, kColour[p.channels - 1], PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  if (wide && std::endian::native == std::endian::little) png_set_swap(png);
  for (std::int64_t row = 0; row < p.rows; ++row) {
    png_write_row(png, pixels + static_cast<std::size_t>(row) * p.row_bytes());
  }
  png_write_end(png, nullptr);
  return true;
}

}  // namespace

Tensor decode_png(const std::string& path, const std::vector<unsigned char>& file) {
  Reader r{.data = file.data(), .size = file.size()};
  Picture p;
  if (!read_header(r, p)) fail_picture(path, "PNG", r.error);
  Tensor out = picture_tensor(path, p, file.size(), kMostExpansion);
  std::vector<png_bytep> rows(static_cast<std::size_t>(p.rows));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<png_bytep>(out.data_ptr()) + i * p.row_bytes();
  }
  if (!read_pixels(r, rows.data())) fail_picture(path, "PNG", r.error);
  return out;
}

bool encode_png(const Picture& p, const unsigned char* pixels, int level, Buffer& out,
                char* error) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, error, on_error, on_warning);
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  const bool ok = info != nullptr && write_all(png, info, p, pixels, level, out);
  png_destroy_write_struct(&png, &info);
  return ok;
}

std::string png_version() { return std::string("libpng ") + png_get_libpng_ver(nullptr); }

}  // namespace tandem::io
