// A file that appears at its path only when it is complete.
#include "runtime/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tandem/error.h"

namespace tandem::io {
namespace {

/// The file behind symbolic links, also behind one that points to nothing yet.
std::string resolve(const std::string& path) {
  char real[PATH_MAX];
  std::string at = path;
  for (int links = 0; links < 40; ++links) {
    if (::realpath(at.c_str(), real) != nullptr) return real;
    char to[PATH_MAX];
    const ssize_t n = ::readlink(at.c_str(), to, sizeof(to));
    if (n <= 0 || n == static_cast<ssize_t>(sizeof(to))) return at;
    const std::string next(to, static_cast<std::size_t>(n));
    const auto slash = at.rfind('/');
    if (next[0] == '/' || slash == std::string::npos) {
      at = next;
    } else {
      at.resize(slash + 1);
      at += next;
    }
  }
  return at;
}

std::string temporary_name(const std::string& folder) {
  static std::atomic<unsigned> counter{0};
  return folder + "/.tandem-" + std::to_string(::getpid()) + "-" +
         std::to_string(counter.fetch_add(1)) + ".tmp";
}

std::string own_link(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace

AtomicFile::AtomicFile(const char* op, const std::string& path)
    : op_(op), path_(path), target_(resolve(path)) {
  if (path.empty() || path.find('\0') != std::string::npos) fail("not a name of a file");
  struct stat old;
  const bool exists = ::stat(target_.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    fail(S_ISDIR(old.st_mode) ? "it is a folder" : "it is not a regular file");
  }
  // Replacing needs no permission on the old file itself; one that was made read-only is meant to
  // stay.
  if (exists && ::access(target_.c_str(), W_OK) != 0) fail(std::strerror(errno));
  const auto slash = target_.rfind('/');
  folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : target_.substr(0, slash);
  fd_ = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (fd_ >= 0 && ::access(own_link(fd_).c_str(), F_OK) != 0) {  // no /proc to name it by later
    ::close(fd_);
    fd_ = -1;
  }
  while (fd_ < 0) {
    const std::string fresh = temporary_name(folder_);
    fd_ = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (fd_ >= 0) temporary_ = fresh;
    if (fd_ < 0 && errno != EEXIST) fail(std::strerror(errno));
  }
  if (exists) ::fchmod(fd_, old.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const std::string& why) const {
  throw FileError("[" + std::string(op_) +
                  "] expected path to be a file that can be written, got '" + path_ + "': " + why);
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(fd_, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(std::strerror(errno));
    p += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

/// Gives a file without a name a hidden one beside its target.
bool AtomicFile::make_name() {
  while (temporary_.empty()) {
    const std::string fresh = temporary_name(folder_);
    if (::linkat(AT_FDCWD, own_link(fd_).c_str(), AT_FDCWD, fresh.c_str(), AT_SYMLINK_FOLLOW) ==
        0) {
      temporary_ = fresh;
    } else if (errno != EEXIST) {
      return false;
    }
  }
  return true;
}

void AtomicFile::commit(bool durable) {
  if ((durable && ::fsync(fd_) != 0) || !make_name() ||
      ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(std::strerror(errno));
  }
  temporary_.clear();
  if (!durable) return;
  // The new name itself; some file systems cannot, and then it is as durable as they make it.
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

}  // namespace tandem::io
