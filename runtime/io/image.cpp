// Reads and writes pictures: what is common to PNG and JPEG.
#include "runtime/io/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime/io/atomic_file.h"
#include "tandem/check.h"
#include "tandem/io.h"

namespace tandem::io {
namespace {

// Small pictures of one colour are packed more than any rule of thumb allows.
constexpr std::size_t kAlwaysAllowed = std::size_t(16) << 20;

std::vector<unsigned char> file_bytes(const std::string& path) {
  const auto fail = [&](const std::string& why) {
    throw FileError("[read_image] expected path to be a file that can be read, got '" + path +
                    "': " + why);
  };
  if (path.find('\0') != std::string::npos) fail("not a name of a file");
  // Not blocking: a pipe without a writer must not hang here.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(std::strerror(errno));
  struct Close {
    int fd;
    ~Close() { ::close(fd); }
  } close{fd};
  struct stat st;
  if (::fstat(fd, &st) != 0) fail(std::strerror(errno));
  if (!S_ISREG(st.st_mode)) fail("it is not a regular file");
  std::vector<unsigned char> out(static_cast<std::size_t>(st.st_size));
  std::size_t at = 0;
  while (at < out.size()) {
    const ssize_t n = ::read(fd, out.data() + at, out.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(std::strerror(errno));
    if (n == 0) break;
    at += static_cast<std::size_t>(n);
  }
  out.resize(at);
  return out;
}

bool starts_with(const std::vector<unsigned char>& file, std::initializer_list<unsigned char> v) {
  return file.size() >= v.size() && std::equal(v.begin(), v.end(), file.begin());
}

/// Checks a picture to be written; the tensor on the host, dense.
Tensor checked(const std::string& op, const Tensor& t, bool png, Picture& p) {
  const std::int64_t channels = t.dim() == 3 ? t.shape()[2] : 1;
  const bool shape = (t.dim() == 2 || t.dim() == 3) && t.shape()[0] > 0 && t.shape()[1] > 0 &&
                     (png ? channels >= 1 && channels <= 4 : channels == 1 || channels == 3);
  if (!shape) {
    std::string got;
    for (const std::int64_t n : t.shape()) got += (got.empty() ? "" : ", ") + std::to_string(n);
    throw ValueError("[" + op + "] expected picture to have the shape rows x columns or rows x " +
                     "columns x " + (png ? "1 to 4" : "1 or 3") + ", got (" + got + ")");
  }
  const std::int64_t most = png ? 1000000 : 65500;
  if (t.shape()[0] > most || t.shape()[1] > most) {
    throw ValueError("[" + op + "] expected picture to have at most " + std::to_string(most) +
                     " rows and columns, got " + std::to_string(t.shape()[0]) + " x " +
                     std::to_string(t.shape()[1]));
  }
  if (t.dtype() != DType::uint8 && !(png && t.dtype() == DType::uint16)) {
    throw TypeError("[" + op + "] expected picture to be of dtype uint8" +
                    (png ? " or uint16" : "") + ", got " + std::string(name(t.dtype())));
  }
  TANDEM_EXPECTS(!t.is_meta(), ValueError,
                 "[" + op + "] expected picture to hold values, got one on the meta device");
  p = {t.shape()[0], t.shape()[1], channels, t.dtype()};
  const Tensor host = t.cpu().contiguous();
  check_host_use(host);
  return host;
}

void store(const char* op, const std::string& path, const Buffer& out) {
  AtomicFile file(op, path);
  file.write(out.data, out.size);
  file.commit();
}

}  // namespace

Buffer::~Buffer() { std::free(data); }

bool Buffer::append(const unsigned char* p, std::size_t n) noexcept {
  if (capacity - size < n) {
    const std::size_t fresh = std::max(size + n, 2 * capacity);
    void* moved = std::realloc(data, fresh);
    if (moved == nullptr) return false;
    data = static_cast<unsigned char*>(moved);
    capacity = fresh;
  }
  std::memcpy(data + size, p, n);
  size += n;
  return true;
}

void fail_picture(const std::string& path, const std::string& kind, const std::string& why) {
  throw FileError("[read_image] expected an intact " + kind + " picture, got '" + path +
                  "': " + why);
}

Tensor picture_tensor(const std::string& path, const Picture& p, std::size_t file_bytes,
                      std::size_t most_expansion) {
  // At most 2^20 x 2^20 x 4 x 2 bytes: no overflow.
  const std::size_t bytes = p.row_bytes() * static_cast<std::size_t>(p.rows);
  if (bytes > kAlwaysAllowed && bytes / most_expansion > file_bytes) {
    throw FileError("[read_image] expected '" + path + "' to hold the " + std::to_string(p.rows) +
                    " x " + std::to_string(p.columns) + " pixels its header tells of, got " +
                    std::to_string(file_bytes) + " bytes");
  }
  return empty({p.rows, p.columns, p.channels},
               {.dtype = p.dtype, .device = kCPU, .names = {"rows", "columns", "channels"}});
}

Tensor read_image(const std::string& path) {
  const std::vector<unsigned char> file = file_bytes(path);
  if (starts_with(file, {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a})) {
    return decode_png(path, file);
  }
  if (starts_with(file, {0xff, 0xd8, 0xff})) return decode_jpeg(path, file);
  throw FileError("[read_image] expected a PNG or JPEG picture, got '" + path + "' of " +
                  std::to_string(file.size()) + " bytes in another format");
}

void write_png(const std::string& path, const Tensor& picture, int level) {
  TANDEM_EXPECTS(level >= 0 && level <= 9, ValueError,
                 "[write_png] expected level from 0 to 9, got " + std::to_string(level));
  Picture p;
  const Tensor host = checked("write_png", picture, true, p);
  Buffer out;
  char error[kErrorText] = "";
  if (!encode_png(p, static_cast<const unsigned char*>(host.data_ptr()), level, out, error)) {
    throw FileError("[write_png] expected libpng to write the picture, got: " + std::string(error));
  }
  store("write_png", path, out);
}

void write_jpeg(const std::string& path, const Tensor& picture, int quality) {
  TANDEM_EXPECTS(quality >= 1 && quality <= 100, ValueError,
                 "[write_jpeg] expected quality from 1 to 100, got " + std::to_string(quality));
  Picture p;
  const Tensor host = checked("write_jpeg", picture, false, p);
  Buffer out;
  char error[kErrorText] = "";
  if (!encode_jpeg(p, static_cast<const unsigned char*>(host.data_ptr()), quality, out, error)) {
    throw FileError("[write_jpeg] expected libjpeg to write the picture, got: " +
                    std::string(error));
  }
  store("write_jpeg", path, out);
}

void write_image(const std::string& path, const Tensor& picture) {
  std::string end = path.substr(std::min(path.rfind('.'), path.size()));
  std::transform(end.begin(), end.end(), end.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (end == ".png") {
    write_png(path, picture);
  } else if (end == ".jpg" || end == ".jpeg") {
    write_jpeg(path, picture);
  } else {
    throw ValueError("[write_image] expected path to end in .png, .jpg or .jpeg, got '" + path +
                     "'");
  }
}

}  // namespace tandem::io
