// JPEG through libjpeg-turbo. The library is left by longjmp, so the functions here that call it
// hold no C++ objects.
// clang-format off
#include <cstdio>  // jpeglib.h needs it first
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>

#include "runtime/io/image.h"

namespace tandem::io {
namespace {

// A block of 64 samples takes a bit or more in a Huffman-coded picture, and chroma may be halved
// twice in both directions.
constexpr std::size_t kMostExpansion = 4096;
constexpr int kMostScans = 500;  // a small file can ask for many passes over a large picture

struct Errors {
  jpeg_error_mgr manager;  // first: the library hands out its address
  jmp_buf jump;
  char* text;
};

[[noreturn]] void on_error(j_common_ptr c) {
  auto* e = reinterpret_cast<Errors*>(c->err);
  char text[JMSG_LENGTH_MAX];
  c->err->format_message(c, text);
  std::snprintf(e->text, kErrorText, "%s", text);
  longjmp(e->jump, 1);
}

/// The library goes on with grey pixels where data is missing; here that is an error.
void on_message(j_common_ptr c, int level) {
  if (level >= 0) return;
  switch (c->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
      on_error(c);
    default:
      break;
  }
}

void on_progress(j_common_ptr c) {
  if (reinterpret_cast<j_decompress_ptr>(c)->input_scan_number <= kMostScans) return;
  auto* e = reinterpret_cast<Errors*>(c->err);
  std::snprintf(e->text, kErrorText, "more than %d scans", kMostScans);
  longjmp(e->jump, 1);
}

void watch(Errors& e, char* text) {
  jpeg_std_error(&e.manager);
  e.manager.error_exit = on_error;
  e.manager.emit_message = on_message;
  e.text = text;
}

struct Reader {
  jpeg_decompress_struct jpeg{};
  jpeg_progress_mgr progress{};
  Errors errors{};
  char error[kErrorText] = "";
  bool refused = false;  // intact, but of a kind that is not read
  ~Reader() { jpeg_destroy_decompress(&jpeg); }
};

bool read_header(Reader& r, const unsigned char* data, std::size_t size, Picture& p) {
  watch(r.errors, r.error);
  r.jpeg.err = &r.errors.manager;
  if (setjmp(r.errors.jump) != 0) return false;
  jpeg_create_decompress(&r.jpeg);
  r.progress.progress_monitor = on_progress;
  r.jpeg.progress = &r.progress;
  jpeg_mem_src(&r.jpeg, data, size);
  jpeg_read_header(&r.jpeg, TRUE);
  if (r.jpeg.jpeg_color_space == JCS_CMYK || r.jpeg.jpeg_color_space == JCS_YCCK) {
    r.refused = true;
    return false;
  }
  const bool grey = r.jpeg.jpeg_color_space == JCS_GRAYSCALE;
  r.jpeg.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  r.jpeg.dct_method = JDCT_ISLOW;  // the exact one: equal pixels on every machine
  p.rows = r.jpeg.image_height;
  p.columns = r.jpeg.image_width;
  p.channels = grey ? 1 : 3;
  return true;
}

bool read_pixels(Reader& r, unsigned char* pixels, std::size_t row_bytes) {
  if (setjmp(r.errors.jump) != 0) return false;
  jpeg_start_decompress(&r.jpeg);
  while (r.jpeg.output_scanline < r.jpeg.output_height) {
    JSAMPROW row = pixels + r.jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&r.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&r.jpeg);
  return true;
}

/// Collects the output.
struct Destination {
  jpeg_destination_mgr manager;  // first: the library hands out its address
  Buffer* out;
  unsigned char block[1 << 14];
};

void start_block(j_compress_ptr c) {
  auto* d = reinterpret_cast<Destination*>(c->dest);
  d->manager.next_output_byte = d->block;
  d->manager.free_in_buffer = sizeof(d->block);
}

void append(j_compress_ptr c, std::size_t n) {
  auto* d = reinterpret_cast<Destination*>(c->dest);
  if (!d->out->append(d->block, n)) {
    c->err->msg_code = JERR_OUT_OF_MEMORY;
    c->err->msg_parm.i[0] = 0;
    on_error(reinterpret_cast<j_common_ptr>(c));
  }
}

boolean full_block(j_compress_ptr c) {
  append(c, sizeof(Destination::block));
  start_block(c);
  return TRUE;
}

void last_block(j_compress_ptr c) {
  append(c, sizeof(Destination::block) - c->dest->free_in_buffer);
}

struct Encoder {
  jpeg_compress_struct jpeg{};
  Errors errors{};
  Destination destination{};
  ~Encoder() { jpeg_destroy_compress(&jpeg); }
};

bool write_all(Encoder& w, const Picture& p, const unsigned char* pixels, int quality, Buffer& out,
               char* error) {
  watch(w.errors, error);
  w.jpeg.err = &w.errors.manager;
  if (setjmp(w.errors.jump) != 0) return false;
  jpeg_create_compress(&w.jpeg);
  w.destination.manager.init_destination = start_block;
  w.destination.manager.empty_output_buffer = full_block;
  w.destination.manager.term_destination = last_block;
  w.destination.out = &out;
  w.jpeg.dest = &w.destination.manager;
  w.jpeg.image_width = static_cast<JDIMENSION>(p.columns);
  w.jpeg.image_height = static_cast<JDIMENSION>(p.rows);
  w.jpeg.input_components = static_cast<int>(p.channels);
  w.jpeg.in_color_space = p.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&w.jpeg);
  jpeg_set_quality(&w.jpeg, quality, TRUE);
  w.jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_compress(&w.jpeg, TRUE);
  while (w.jpeg.next_scanline < w.jpeg.image_height) {
    auto* row = const_cast<unsigned char*>(pixels) + w.jpeg.next_scanline * p.row_bytes();
    jpeg_write_scanlines(&w.jpeg, &row, 1);
  }
  jpeg_finish_compress(&w.jpeg);
  return true;
}

}  // namespace

Tensor decode_jpeg(const std::string& path, const std::vector<unsigned char>& file) {
  Reader r;
  Picture p;
  if (!read_header(r, file.data(), file.size(), p)) {
    if (!r.refused) fail_picture(path, "JPEG", r.error);
    throw FileError("[read_image] expected a grey or RGB picture, got '" + path + "' in CMYK");
  }
  Tensor out = picture_tensor(path, p, file.size(), kMostExpansion);
  if (!read_pixels(r, static_cast<unsigned char*>(out.data_ptr()), p.row_bytes())) {
    fail_picture(path, "JPEG", r.error);
  }
  return out;
}

bool encode_jpeg(const Picture& p, const unsigned char* pixels, int quality, Buffer& out,
                 char* error) {
  Encoder w;
  return write_all(w, p, pixels, quality, out, error);
}

std::string jpeg_version() {
#define TANDEM_TEXT_OF(x) #x
#define TANDEM_TEXT(x) TANDEM_TEXT_OF(x)
#ifdef LIBJPEG_TURBO_VERSION
  return "libjpeg-turbo " TANDEM_TEXT(LIBJPEG_TURBO_VERSION);
#else
  return "libjpeg " TANDEM_TEXT(JPEG_LIB_VERSION);
#endif
#undef TANDEM_TEXT
#undef TANDEM_TEXT_OF
}

}  // namespace tandem::io
