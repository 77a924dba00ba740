#include "runtime/source/host_compiler.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/io/atomic_file.h"
#include "runtime/memory/fork.h"
#include "runtime/source/headers.h"
#include "runtime/source/store.h"
#include "tandem/about.h"
#include "tandem/error.h"

extern char** environ;

namespace tandem::source {

namespace {

/// NVRTC has no standard library and not all of the compilers' built-ins; this is all that the
/// headers want of them.
constexpr const char* kForNvrtc =
    "#pragma once\nnamespace std {\nusing int8_t = signed char;\n"
    "using uint8_t = unsigned char;\nusing int16_t = short;\n"
    "using uint16_t = unsigned short;\nusing int32_t = int;\n"
    "using uint32_t = unsigned int;\nusing int64_t = long;\n"
    "using uint64_t = unsigned long;\nusing uintptr_t = unsigned long;\n}\n"
    "#define __builtin_inf() __builtin_bit_cast(double, 0x7ff0000000000000ull)\n"
    "#define __builtin_inff() __builtin_bit_cast(float, 0x7f800000u)\n"
    "#define __builtin_nan(text) __builtin_bit_cast(double, 0x7ff8000000000000ull)\n"
    "#define __builtin_nanf(text) __builtin_bit_cast(float, 0x7fc00000u)\n";

/// The first of the words that PATH has, or empty.
std::string found_in_path(std::initializer_list<const char*> words) {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "/usr/bin:/bin" : path;
  for (const char* word : words) {
    for (std::size_t at = 0; at <= folders.size();) {
      const std::size_t end = std::min(folders.find(':', at), folders.size());
      std::string file = folders.substr(at, end - at) + "/" + word;
      if (end > at && access(file.c_str(), X_OK) == 0) return file;
      at = end + 1;
    }
  }
  return "";
}

std::string compiler(const char* op) {
  if (const char* own = std::getenv("TANDEM_CXX"); own != nullptr && *own != '\0') return own;
  std::string found = found_in_path({"c++", "g++", "clang++"});
  TANDEM_EXPECTS(!found.empty(), NotImplemented,
                 fmt::format("[{}] expected a C++ compiler for the host (TANDEM_CXX, else c++, g++ "
                             "or clang++ in PATH), found none",
                             op));
  return found;
}

/// The flags on which bits depend, and the SIMD level that the ops use.
std::vector<std::string> flags() {
  std::vector<std::string> all = {"-std=c++20",
                                  "-O3",
                                  "-fPIC",
                                  "-shared",
                                  "-w",
                                  "-ffp-contract=off",
                                  "-fno-math-errno",
                                  "-fno-trapping-math",
                                  "-fvisibility=hidden"};
#if defined(__x86_64__)
  const std::string level(simd_level());
  all.push_back(level == "baseline" ? "-march=x86-64" : "-march=x86-64-" + level);
  if (level == "v4") all.emplace_back("-mprefer-vector-width=512");
#endif
  return all;
}

/// Runs a program whose own temporary files go to `folder` as well; its exit status, with what it
/// printed in the file `log`.
int run(const std::vector<std::string>& words, const std::string& folder, const std::string& log,
        const char* op) {
  std::vector<char*> arguments, environment;
  for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
  arguments.push_back(nullptr);
  std::string temporary = "TMPDIR=" + folder;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    if (!std::string_view(*at).starts_with("TMPDIR=")) environment.push_back(*at);
  }
  environment.push_back(temporary.data());
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  TANDEM_EXPECTS(error == 0, NotImplemented,
                 fmt::format("[{}] expected a C++ compiler that runs, got '{}': {}", op, words[0],
                             std::strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    // A program that ignores its children's ends has none to wait for: the result tells.
    if (errno != EINTR) return 0;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// The first lines of what a compiler said.
std::string first_lines(const std::string& text) {
  std::size_t end = 0;
  for (int line = 0; line < 12 && end < text.size(); ++line)
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  return text.substr(0, end);
}

/// Whether the disk has too little room for what a compiler writes beside its result.
bool is_full(const std::string& place) {
  constexpr std::uint64_t kWanted = 8 << 20;
  struct statvfs s {};
  return statvfs(place.c_str(), &s) == 0 && std::uint64_t{s.f_bavail} * s.f_frsize < kWanted;
}

/// What is kept beside a library: its program, and what the library is. Loading one that was cut
/// short would end the process.
std::string stamp_of(const std::string& program, const std::string& library) {
  return program + "// " + key_of(library) + "\n";
}

/// The library that a program is compiled to, in a folder at `place`. Raises FileError where that
/// is full.
std::string compiled(const std::string& program, const std::string& place, const char* op) {
  std::vector<std::string> words = {compiler(op)};
  const ScratchFolder scratch(place, op);
  {
    io::AtomicFile text(op, scratch.path("kernel.cpp"));
    text.write(program.data(), program.size());
    text.commit(false);
  }
  for (std::string& flag : flags()) words.push_back(std::move(flag));
  for (const std::string& w : {std::string("-I") + include_folder(op), scratch.path("kernel.cpp"),
                               std::string("-o"), scratch.path("kernel.so")}) {
    words.push_back(w);
  }
  const int status = run(words, scratch.path("."), scratch.path("log"), op);
  const std::string said = read_file(scratch.path("log")).value_or("");
  auto library = read_file(scratch.path("kernel.so"));
  if (status == 0 && library) return *std::move(library);
  constexpr std::string_view kFull = "No space left on device";  // which may cost the words too
  if (is_full(place) && (said.empty() || said.find(kFull) != said.npos)) {
    detail::fail<FileError>(
        fmt::format("[{}] expected room to compile in, got a full disk at '{}'", op, place));
  }
  if (said.empty()) {
    detail::fail<ValueError>(fmt::format(
        "[{}] argument 'source': expected C++ that compiles, got exit status {} of '{}', {}", op,
        status, words[0], library ? "which said nothing" : "which said nothing and made nothing"));
  }
  detail::fail<ValueError>(fmt::format(
      "[{}] argument 'source': expected C++ that compiles, got:\n{}", op, first_lines(said)));
}

void compile(const std::string& key, const std::string& program, const char* op) {
  std::string library;
  const std::vector<std::string> places = ScratchFolder::places();
  for (const std::string& place : places) {
    try {
      library = compiled(program, place, op);
      break;
    } catch (const FileError&) {
      if (&place == &places.back()) throw;
    }
  }
  const Store& store = Store::process();
  store.write(key + ".so", library, op);
  store.write(key + ".cpp", stamp_of(program, library), op);  // last: the library is there
}

/// The folder's name says what is in it.
const std::string& include_name() {
  static constinit std::atomic<const std::string*> kept{nullptr};
  return made_once(kept, [] {
    std::string all = kForNvrtc;
    for (const Header& h : headers()) all += std::string(h.name) + '\n' + h.text;
    return std::make_unique<const std::string>("include-" + key_of(all));
  });
}

}  // namespace

std::string include_folder(const char* op) {
  static std::atomic<pid_t> seen{0};
  const Store& store = Store::process();
  const std::string& name = include_name();
  std::string found = store.path(name);
  if (seen.load() == getpid() && access(found.c_str(), F_OK) == 0) return found;
  // Once a process: all files are there and whole, or are written. They are not worth waiting for
  // the disk.
  std::vector<std::pair<std::string, std::string_view>> files;
  for (const Header& h : headers()) files.emplace_back(h.name, h.text);
  files.emplace_back("nvrtc/cstdint", kForNvrtc);
  const bool whole = std::ranges::all_of(
      files, [&](const auto& f) { return read_file(found + "/" + f.first, true) == f.second; });
  for (std::string folder; !whole && folder != store.folder();) {
    folder = store.folder();  // another one after a write that failed
    for (const auto& [file, text] : files)
      store.write(fmt::format("{}/{}", name, file), text, op, false);
  }
  seen.store(getpid());
  return whole ? found : store.folder() + "/" + name;
}

HostFunction host_function(const std::string& program, const char* op) {
  const Store& store = Store::process();
  std::string text = program + "// " + include_name();
  for (const std::string& flag : flags()) text += " " + flag;
  text += "\n";
  const std::string key = key_of(text);
  const auto is_kept = [&] {
    const auto library = store.read(key + ".so");
    return library && store.read(key + ".cpp") == stamp_of(text, *library);
  };
  if (!is_kept()) {
    // One at a time: threads that want the same find it made by the first.
    static constinit std::atomic<ForkMutex*> there{nullptr};
    const std::lock_guard lock(made_once(there));
    if (!is_kept()) compile(key, text, op);
  }
  const auto load = [&] { return dlopen(store.path(key + ".so").c_str(), RTLD_NOW | RTLD_LOCAL); };
  void* library = load();
  if (library == nullptr) {  // damaged, or of another system
    compile(key, text, op);
    library = load();
  }
  TANDEM_EXPECTS(library != nullptr, FileError,
                 fmt::format("[{}] the compiled kernel cannot be loaded: {}", op, dlerror()));
  auto function = reinterpret_cast<HostFunction>(dlsym(library, "tandem_source_run"));
  TANDEM_EXPECTS(function != nullptr, FileError,
                 fmt::format("[{}] {} is not what was compiled", op, store.path(key + ".so")));
  return function;
}

}  // namespace tandem::source
