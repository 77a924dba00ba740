// The simulated device with kernels run from their PTX: launchers are the backend's sources
// compiled as C++ (tests/cuda/sim), and each launch takes the kernel of the same name out of the
// library that TANDEM_PTX_LIBRARY names. Paths there are separated by colons; a kernel that none of
// them has is an error, or runs by its C++ where TANDEM_PTX_PARTIAL is set.
#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <unordered_map>

#include "cuda_runtime.h"
#include "tests/cuda/ptx/library.h"
#include "tests/cuda/ptx/machine.h"

namespace tandem::ptx {

namespace {

/// nvcc names an anonymous namespace after its file, g++ does not.
std::string without_file(std::string symbol) {
  static const std::string kMark = "_GLOBAL__N_";
  const std::size_t at = symbol.find(kMark);
  if (at == std::string::npos) return symbol;
  std::size_t digits = at;
  while (digits > 0 && symbol[digits - 1] >= '0' && symbol[digits - 1] <= '9') --digits;
  const auto length = static_cast<std::size_t>(std::atoi(symbol.c_str() + digits));
  return symbol.replace(digits, at - digits + length, "12_GLOBAL__N_1");
}

/// Functions of the library that holds `address`, by their address in it.
std::unordered_map<std::uint64_t, std::string> own_symbols(const Dl_info& info) {
  std::ifstream file(info.dli_fname, std::ios::binary);
  const std::string data{std::istreambuf_iterator<char>(file), {}};
  const auto read = [&]<class T>(std::size_t at, T) {
    T value;
    std::memcpy(&value, data.data() + at, sizeof value);
    return value;
  };
  std::unordered_map<std::uint64_t, std::string> names;
  const auto elf = read(0, Elf64_Ehdr());
  for (std::size_t i = 0; i < elf.e_shnum; ++i) {
    const auto table = read(elf.e_shoff + i * elf.e_shentsize, Elf64_Shdr());
    if (table.sh_type != SHT_SYMTAB) continue;
    const auto texts = read(elf.e_shoff + table.sh_link * elf.e_shentsize, Elf64_Shdr());
    for (std::size_t at = 0; at < table.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = read(table.sh_offset + at, Elf64_Sym());
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
        names[symbol.st_value] = data.data() + texts.sh_offset + symbol.st_name;
    }
  }
  return names;
}

class Device {
 public:
  ~Device() {
    std::printf("PTX device: %zu launches of %zu kernels; %zu launches by C++\n", launches_,
                seen_.size(), missing_);
  }

  bool run(const void* kernel, unsigned blocks, unsigned threads, const void* params,
           std::size_t bytes, std::size_t shared) {
    const std::lock_guard lock(mutex_);
    if (modules_.empty()) open(kernel);
    Program* program = program_of(kernel);
    if (program == nullptr) {
      ++missing_;
      return false;
    }
    ++launches_;
    const Range memory[] = {{nullptr, std::numeric_limits<std::size_t>::max(), true}};
    program->run({.blocks = blocks,
                  .threads = threads,
                  .params = {static_cast<const std::byte*>(params), bytes},
                  .memory = memory,
                  .shared = shared});
    return true;
  }

 private:
  void open(const void* kernel) {
    std::istringstream paths(std::getenv("TANDEM_PTX_LIBRARY"));
    for (std::string path; std::getline(paths, path, ':');) {
      for (std::string& text : read_ptx(path))
        modules_.push_back(std::make_unique<Module>(std::move(text)));
    }
    for (const auto& m : modules_) {
      for (const std::string& name : m->entries()) entries_[without_file(name)] = {m.get(), name};
    }
    Dl_info info;
    if (dladdr(kernel, &info) == 0) throw std::runtime_error("a kernel of no library");
    base_ = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
    names_ = own_symbols(info);
  }

  Program* program_of(const void* kernel) {
    const auto known = programs_.find(kernel);
    if (known != programs_.end()) return known->second.get();
    const auto name = names_.find(reinterpret_cast<std::uintptr_t>(kernel) - base_);
    if (name == names_.end()) throw std::runtime_error("a kernel without a name");
    const auto entry = entries_.find(name->second);
    if (entry == entries_.end()) {
      if (std::getenv("TANDEM_PTX_PARTIAL") != nullptr) return nullptr;
      throw std::runtime_error(name->second + " is not in the library");
    }
    // fmod estimates: parity.cpp shows that they do not matter.
    const Options options{.contract = true, .estimates = true};
    auto program = std::make_unique<Program>(*entry->second.first, entry->second.second, options);
    seen_.insert(kernel);
    if (programs_.size() >= kMostPrograms) programs_.clear();
    return programs_.emplace(kernel, std::move(program)).first->second.get();
  }

  static constexpr std::size_t kMostPrograms = 100;  // a few MiB of registers each

  std::mutex mutex_;
  std::vector<std::unique_ptr<Module>> modules_;
  std::map<std::string, std::pair<const Module*, std::string>> entries_;
  std::unordered_map<std::uint64_t, std::string> names_;
  std::uintptr_t base_ = 0;
  std::unordered_map<const void*, std::unique_ptr<Program>> programs_;
  std::set<const void*> seen_;
  std::size_t launches_ = 0, missing_ = 0;
};

bool execute(const void* kernel, unsigned blocks, unsigned threads, const void* params,
             std::size_t bytes, std::size_t shared, cudaError_t* answer) {
  static Device device;
  try {
    return device.run(kernel, blocks, threads, params, bytes, shared);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "PTX device: %s\n", e.what());
    *answer = cudaErrorLaunchFailure;
    return true;
  }
}

/// A kernel of NVRTC's, which says itself what it is.
cudaError_t execute_loaded(cudaKernel_t kernel, const char* image, const char* name,
                           unsigned blocks, unsigned threads, const void* params,
                           std::size_t bytes) {
  struct Kept {
    Module module;
    Program program;
    Kept(const char* text, const char* entry)
        : module(text), program(module, entry, {.contract = true, .estimates = true}) {}
  };
  static std::mutex mutex;
  static std::map<cudaKernel_t, std::unique_ptr<Kept>> all;
  try {
    const std::lock_guard lock(mutex);
    auto& kept = all[kernel];
    if (kept == nullptr) kept = std::make_unique<Kept>(image, name);
    const Range memory[] = {{nullptr, std::numeric_limits<std::size_t>::max(), true}};
    kept->program.run({.blocks = blocks,
                       .threads = threads,
                       .params = {static_cast<const std::byte*>(params), bytes},
                       .memory = memory});
    return cudaSuccess;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "PTX device: %s\n", e.what());
    return cudaErrorLaunchFailure;
  }
}

const bool g_set = [] {
  sim::loaded_executor = &execute_loaded;
  if (std::getenv("TANDEM_PTX_LIBRARY") != nullptr) sim::executor = &execute;
  return true;
}();

}  // namespace

}  // namespace tandem::ptx
