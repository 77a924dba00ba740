#include "runtime/source/store.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tandem/error.h"

namespace tandem::source {

namespace {

namespace fs = std::filesystem;

std::string wanted_folder() {
  const auto set = [](const char* variable) {
    const char* value = std::getenv(variable);
    return value == nullptr ? std::string() : std::string(value);
  };
  if (std::string own = set("TANDEM_CACHE_DIR"); !own.empty()) return own;
  if (const std::string all = set("XDG_CACHE_HOME"); !all.empty()) return all + "/tandem";
  const std::string home = set("HOME");
  return home.empty() ? "" : home + "/.cache/tandem";
}

/// Whether the folder is there, ours, and nobody else can write to it.
bool is_safe(const std::string& folder) {
  struct stat s {};
  return stat(folder.c_str(), &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == geteuid() &&
         (s.st_mode & (S_IWGRP | S_IWOTH)) == 0 && access(folder.c_str(), W_OK | X_OK) == 0;
}

std::string private_folder() {
  static std::string folder;  // outlives the exit function
  std::error_code ignored;
  std::string name = (fs::temp_directory_path(ignored) / "tandem-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    detail::fail<FileError>(fmt::format(
        "[compile] expected a folder for compiled kernels (TANDEM_CACHE_DIR), got none: {}: {}",
        name, std::strerror(errno)));
  }
  folder = name;
  const pid_t owner = getpid();
  static pid_t made_by;
  made_by = owner;
  std::atexit([] {
    std::error_code error;
    if (getpid() == made_by) fs::remove_all(folder, error);
  });
  return folder;
}

std::string make_folder() {
  const std::string wanted = wanted_folder();
  if (wanted.empty()) return private_folder();
  const mode_t before = umask(0077);
  std::error_code error;
  fs::create_directories(wanted, error);
  umask(before);
  return is_safe(wanted) ? wanted : private_folder();
}

}  // namespace

Store::Store() : folder_(make_folder()) {}

const Store& Store::process() {
  static const auto* store = new Store;
  return *store;
}

std::optional<std::string> Store::read(std::string_view name) const {
  std::ifstream file(path(name), std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return std::nullopt;
  return bytes;
}

void Store::write(std::string_view name, std::string_view bytes, const char* op) const {
  static std::atomic<unsigned> count{0};
  const std::string last = path(name);
  const std::string temporary = fmt::format("{}.{}.{}", last, getpid(), count++);
  std::error_code error;
  fs::create_directories(fs::path(last).parent_path(), error);
  bool ok = false;
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    ok = !file.fail();
  }
  if (ok && std::rename(temporary.c_str(), last.c_str()) == 0) return;
  const int why = errno;
  fs::remove(temporary, error);
  detail::fail<FileError>(fmt::format("[{}] cannot write {}: {}", op, last, std::strerror(why)));
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
