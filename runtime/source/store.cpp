#include "runtime/source/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <vector>

#include "runtime/io/atomic_file.h"
#include "runtime/memory/fork.h"
#include "tandem/error.h"

namespace tandem::source {

namespace {

namespace fs = std::filesystem;

std::string wanted_folder() {
  const auto set = [](const char* variable) {
    const char* value = std::getenv(variable);
    return value == nullptr ? std::string() : std::string(value);
  };
  // A relative path would be another folder once the process goes elsewhere.
  std::error_code error;
  if (std::string own = set("TANDEM_CACHE_DIR"); !own.empty()) return fs::absolute(own, error);
  // One that is relative is to be ignored: the XDG base directory specification.
  if (const std::string all = set("XDG_CACHE_HOME"); all.starts_with('/')) return all + "/tandem";
  const std::string home = set("HOME");
  return home.empty() ? "" : home + "/.cache/tandem";
}

bool is_ours_alone(const struct stat& s) {
  return s.st_uid == geteuid() && (s.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Whether the folder is there, ours, and nobody else can write to it.
bool is_safe(const std::string& folder) {
  struct stat s {};
  return stat(folder.c_str(), &s) == 0 && S_ISDIR(s.st_mode) && is_ours_alone(s) &&
         access(folder.c_str(), R_OK | X_OK) == 0;
}

/// The folders of a name below `folder`, for this user alone whatever the process gives to others.
void make_folders(const std::string& folder, std::string_view name) {
  for (auto end = name.find('/'); end != name.npos; end = name.find('/', end + 1))
    mkdir((folder + "/" + std::string(name.substr(0, end))).c_str(), 0700);
}

std::optional<std::string> read_open(int descriptor, bool ours_alone) {
  struct stat s {};
  if (fstat(descriptor, &s) != 0 || !S_ISREG(s.st_mode)) return std::nullopt;
  if (ours_alone && !is_ours_alone(s)) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(s.st_size), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::read(descriptor, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    at += static_cast<std::size_t>(n);
  }
  return bytes;
}

/// The folder for what all processes share, made; empty where there can be none.
std::string shared_folder() {
  std::string wanted = wanted_folder();
  if (wanted.empty()) return "";
  const mode_t before = umask(0077);
  std::error_code error;
  fs::create_directories(wanted, error);
  umask(before);
  return is_safe(wanted) ? wanted : "";
}

/// A new folder that is ours alone, in the first of the places where one can be made.
std::string new_folder(const std::vector<std::string>& places, const char* op) {
  std::string wrong;
  for (const std::string& place : places) {
    std::string name = place + "/tandem-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) return name;
    wrong += (wrong.empty() ? "" : "; ") + name + ": " + std::strerror(errno);
  }
  detail::fail<FileError>(fmt::format(
      "[{}] expected a folder for compiled kernels (TANDEM_CACHE_DIR, TMPDIR), got none: {}", op,
      wrong));
}

std::string temporary_place() {
  std::error_code ignored;
  const fs::path place = fs::temp_directory_path(ignored);
  return place.empty() ? "/tmp" : place.string();
}

/// The folder of this process alone, made at its first use and removed when the process ends.
struct Own {
  ForkMutex mutex;
  pid_t made_by = 0;
  std::string folder;
};

Own& own() {
  static constinit std::atomic<Own*> there{nullptr};
  return made_once(there);
}

std::string own_folder() {
  Own& o = own();
  const std::lock_guard lock(o.mutex);
  // A parent's goes with the parent; ours may have been cleaned away.
  if (o.made_by == getpid() && is_safe(o.folder)) return o.folder;
  o.folder = new_folder({temporary_place()}, "compile");
  if (o.made_by == 0) {
    std::atexit([] {
      std::error_code error;
      if (own().made_by == getpid()) fs::remove_all(own().folder, error);
    });
  }
  o.made_by = getpid();
  return o.folder;
}

}  // namespace

Store::Store() : shared_(shared_folder()), alone_(shared_.empty()) {}

const Store& Store::process() {
  static constinit std::atomic<const Store*> kept{nullptr};
  return made_once(kept, [] { return std::unique_ptr<const Store>(new Store); });
}

std::string Store::folder() const { return alone_.load() ? own_folder() : shared_; }

std::string Store::path(std::string_view name) const {
  std::string here = folder() + "/" + std::string(name);
  if (!alone_.load() || shared_.empty() || access(here.c_str(), F_OK) == 0) return here;
  std::string there = shared_ + "/" + std::string(name);
  return access(there.c_str(), F_OK) == 0 ? there : here;
}

std::optional<std::string> read_file(const std::string& path, bool ours_alone) {
  const int descriptor =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would wait
  if (descriptor < 0) return std::nullopt;
  auto bytes = read_open(descriptor, ours_alone);
  close(descriptor);
  return bytes;
}

std::optional<std::string> Store::read(std::string_view name) const {
  return read_file(path(name), true);
}

void Store::write(std::string_view name, std::string_view bytes, const char* op,
                  bool durable) const {
  const auto to = [&](const std::string& folder) {
    make_folders(folder, name);
    io::AtomicFile file(op, folder + "/" + std::string(name));
    fchmod(file.descriptor(), 0600);
    file.write(bytes.data(), bytes.size());
    file.commit(durable);
  };
  if (!alone_.load()) {
    try {
      if (!is_safe(shared_)) (void)shared_folder();  // was removed: is made again
      return to(shared_);
    } catch (const FileError&) {  // full, or not to be written to: from now on without it
      alone_.store(true);
    }
  }
  to(own_folder());
}

void Store::write_sealed(std::string_view name, std::string_view bytes, const char* op) const {
  write(name, std::string(bytes) + key_of(bytes), op);
}

std::optional<std::string> Store::read_sealed(std::string_view name) const {
  constexpr std::size_t kSeal = 32;
  auto bytes = read(name);
  if (!bytes || bytes->size() < kSeal) return std::nullopt;
  const std::string seal = bytes->substr(bytes->size() - kSeal);
  bytes->resize(bytes->size() - kSeal);
  return key_of(*bytes) == seal ? bytes : std::nullopt;
}

std::vector<std::string> ScratchFolder::places() {
  return {temporary_place(), Store::process().folder()};
}

ScratchFolder::ScratchFolder(const std::string& place, const char* op)
    : folder_(new_folder({place}, op)) {}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string key_of(std::string_view text) {
  // FNV-1a, twice from different starts: a name, no more.
  const auto hash = [&](std::uint64_t h) {
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return h;
  };
  return fmt::format("{:016x}{:016x}", hash(0xcbf29ce484222325ULL), hash(0x84222325cbf29ce4ULL));
}

}  // namespace tandem::source
