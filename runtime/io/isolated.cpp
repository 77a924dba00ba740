// Runs a part of reading in a child process; see Note [Isolated reading] in isolated.h.
#include "runtime/io/isolated.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "tandem/error.h"

namespace tandem::io {
namespace {

constexpr std::uint64_t kOwnMemory = std::uint64_t(1) << 30;  // for the library's own needs
constexpr std::uint64_t kOwnSeconds = 5;
constexpr std::uint64_t kBytesPerSecond =
    4 << 20;  // slower than any machine that is worth waiting for
constexpr std::int64_t kComplete = 0x7461'6e64'656d'6f6b;

/// A descriptor of memory that a child shares.
class Memory {
 public:
  explicit Memory(const char* op) : fd_(::memfd_create("tandem", MFD_CLOEXEC)) {
    if (fd_ < 0) fail(op);
  }
  ~Memory() { ::close(fd_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  int descriptor() const { return fd_; }
  std::size_t size(const char* op) const {
    struct stat st;
    if (::fstat(fd_, &st) != 0) fail(op);
    return static_cast<std::size_t>(st.st_size);
  }
  [[noreturn]] static void fail(const char* op) {
    throw OutOfMemory("[" + std::string(op) +
                      "] expected shared memory to read into, got: " + std::strerror(errno));
  }

 private:
  int fd_;
};

void raise_limit(decltype(RLIMIT_AS) which, std::uint64_t by) {
  rlimit limit;
  if (::getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur + by, limit.rlim_max);
  ::setrlimit(which, &limit);
}

void set_soft_limit(decltype(RLIMIT_AS) which, std::uint64_t value) {
  rlimit limit;
  if (::getrlimit(which, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(value, limit.rlim_max);
  ::setrlimit(which, &limit);
}

std::uint64_t address_space() {
  std::uint64_t pages = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%lu", &pages) != 1) pages = 0;
    std::fclose(f);
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool write_all(int fd, const std::string& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<std::size_t>(n);
  }
  return true;
}

/// What the child does; it leaves by _exit, so that nothing of the parent's is flushed or ended.
[[noreturn]] void be_the_child(int answer, int memory, std::uint64_t file_bytes,
                               const std::function<void(Child&)>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int s : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU, SIGTERM, SIGINT}) {
    std::signal(s, SIG_DFL);
  }
  std::signal(SIGXFSZ, SIG_IGN);
  set_soft_limit(RLIMIT_CORE, 0);
  set_soft_limit(RLIMIT_CPU, kOwnSeconds + file_bytes / kBytesPerSecond);
  if (const std::uint64_t now = address_space(); now != 0)
    set_soft_limit(RLIMIT_AS, now + kOwnMemory);
  Parcel out;
  try {
    Child child(memory);
    work(child);
    out.put(1);
    out.put(child.answer.bytes());
  } catch (const std::bad_alloc&) {
    out.put(0);
    out.put("out of memory");
  } catch (const std::exception& e) {
    out.put(0);
    out.put(e.what());
  }
  out.put(kComplete);
  ::_exit(write_all(answer, out.bytes()) ? 0 : 1);
}

std::string read_all(int fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    const ssize_t n = ::pread(fd, bytes.data() + at, size - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  bytes.resize(at);
  return bytes;
}

}  // namespace

void Parcel::put(std::int64_t n) { bytes_.append(reinterpret_cast<const char*>(&n), sizeof(n)); }

void Parcel::put(const std::string& s) {
  put(static_cast<std::int64_t>(s.size()));
  bytes_ += s;
}

std::int64_t Parcel::number() {
  std::int64_t n = 0;
  if (bytes_.size() - at_ < sizeof(n)) return 0;
  std::memcpy(&n, bytes_.data() + at_, sizeof(n));
  at_ += sizeof(n);
  return n;
}

std::string Parcel::text() {
  const auto n = static_cast<std::size_t>(std::max<std::int64_t>(0, number()));
  if (bytes_.size() - at_ < n) return {};
  at_ += n;
  return bytes_.substr(at_ - n, n);
}

void* Child::allocate(std::size_t bytes) {
  if (::ftruncate(memory_, static_cast<off_t>(bytes)) != 0) throw std::bad_alloc();
  void* p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return p;
}

void Child::expect_bytes(std::uint64_t bytes) {
  raise_limit(RLIMIT_CPU, bytes / kBytesPerSecond);
  raise_limit(RLIMIT_AS, bytes);
}

Isolated run_isolated(const char* op, const std::string& crashed, std::uint64_t file_bytes,
                      const std::function<void(Child&)>& work) {
  const Memory answer(op), memory(op);
  const pid_t pid = ::fork();
  if (pid == 0) be_the_child(answer.descriptor(), memory.descriptor(), file_bytes, work);
  if (pid < 0) Memory::fail(op);
  int status = 0;
  // Where the program ignores or reaps its children, this waits all the same; the answer tells.
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  Parcel in(read_all(answer.descriptor(), answer.size(op)));
  const bool ok = in.number() == 1;
  const std::string words = in.text();
  if (in.number() != kComplete) throw FileError(crashed);
  if (!ok) throw FileError(words);
  Isolated out{.answer = Parcel(words)};
  out.bytes = memory.size(op);
  if (out.bytes == 0) return out;
  out.data = ::mmap(nullptr, out.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.descriptor(), 0);
  if (out.data == MAP_FAILED) Memory::fail(op);
  return out;
}

}  // namespace tandem::io
