// Temporary folders, bytes of files and damage to them, for the tests of files.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "tandem/ops.h"

namespace tandem::test {

namespace fs = std::filesystem;

/// A folder that goes away with the object.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "tandem-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// A file may not grow past the limit while the object lives: a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_;
  void (*handler_)(int);
};

/// A tensor of pseudo-random bits; NaN payloads included, bools 0 or 1.
inline Tensor random_bits(IntSpan shape, DType dtype, unsigned seed) {
  Tensor t = empty(shape, {.dtype = dtype});
  std::mt19937 random(seed);
  auto* p = static_cast<unsigned char*>(t.data_ptr());
  for (std::size_t i = 0; i < t.nbytes(); ++i) {
    p[i] = static_cast<unsigned char>(random() & (dtype == DType::bool_ ? 1u : 255u));
  }
  return t;
}

inline ::testing::AssertionResult same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) return ::testing::AssertionFailure() << "dtypes differ";
  if (!std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end())) {
    return ::testing::AssertionFailure() << "shapes differ";
  }
  const Tensor x = a.contiguous(), y = b.contiguous();
  if (x.nbytes() != 0 && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) != 0) {
    return ::testing::AssertionFailure() << "values differ";
  }
  return ::testing::AssertionSuccess();
}

/// Calls `read(path)` on damaged copies of a file: every truncation (or `cuts` of them), then
/// `flips` copies with one to four bytes changed. A FileError or an answer is right; anything else
/// fails the test. Returns how many raised.
template <class Read>
int try_damaged(const std::string& good, const std::string& path, std::size_t cuts, int flips,
                Read&& read) {
  int raised = 0;
  const auto attempt = [&](const std::string& bytes, const std::string& what) {
    put(path, bytes);
    try {
      read(path);
    } catch (const FileError& e) {
      ++raised;
      EXPECT_EQ(std::strncmp(e.what(), "[", 1), 0) << e.what();
    } catch (const std::exception& e) {
      ADD_FAILURE() << what << ": " << e.what();
    }
  };
  const std::size_t step = std::max<std::size_t>(1, good.size() / cuts);
  for (std::size_t n = 0; n < good.size(); n += step) {
    attempt(good.substr(0, n), "cut to " + std::to_string(n));
  }
  std::mt19937 random(1);
  constexpr unsigned char kValues[] = {0, 1, 0x7f, 0x80, 0xff};
  for (int i = 0; i < flips; ++i) {
    std::string bytes = good;
    const unsigned edits = 1 + random() % 4;
    for (unsigned k = 0; k < edits; ++k) {
      const std::size_t at = random() % bytes.size();
      bytes[at] = static_cast<char>(random() % 2 ? kValues[random() % 5]
                                                 : bytes[at] ^ (1 << (random() % 8)));
    }
    attempt(bytes, "damage " + std::to_string(i));
  }
  return raised;
}

}  // namespace tandem::test
