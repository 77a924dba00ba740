// Runs a part of reading in a child process. Internal.
//
// Note [Isolated reading]: HDF5's library crashes, hangs or allocates without bound on some damaged
// files, old releases more often. So a forked child does the reading under limits of memory and
// processor time and leaves its answer in shared memory; whatever becomes of it, this process lives
// and raises a FileError. The child runs the library, the allocator and system calls, nothing else:
// no lock of Tandem's, no device, no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace tandem::io {

/// Numbers and texts in a row of bytes.
class Parcel {
 public:
  Parcel() = default;
  explicit Parcel(std::string bytes) : bytes_(std::move(bytes)) {}
  void put(std::int64_t n);
  void put(const std::string& s);
  /// In the order of the calls of put; 0 and "" past the end.
  std::int64_t number();
  std::string text();
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// The child's side.
class Child {
 public:
  explicit Child(int memory) : memory_(memory) {}
  /// Memory that the parent gets. One call at most. Raises std::bad_alloc.
  void* allocate(std::size_t bytes);
  /// Raises the limits for `bytes` more of data.
  static void expect_bytes(std::uint64_t bytes);
  Parcel answer;

 private:
  int memory_;
};

/// The parent's side: the answer and the memory, which is the caller's to unmap.
struct Isolated {
  Parcel answer;
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// Raises FileError with the message of the FileError that `work` raised, or `crashed` where it
/// came to no end.
Isolated run_isolated(const char* op, const std::string& crashed, std::uint64_t file_bytes,
                      const std::function<void(Child&)>& work);

}  // namespace tandem::io
