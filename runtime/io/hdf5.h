// What reading and writing HDF5 share: handles, the lock, errors and types. Internal.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

#include "runtime/memory/fork.h"
#include "tandem/dtype.h"
#include "tandem/error.h"

namespace tandem::io::h5 {

/// Owns an HDF5 identifier.
class Id {
 public:
  using Close = herr_t (*)(hid_t);
  Id() = default;
  Id(hid_t id, Close closer) : id_(id), close_(closer) {}
  Id(Id&& o) noexcept : id_(std::exchange(o.id_, -1)), close_(o.close_) {}
  Id& operator=(Id&& o) noexcept {
    std::swap(id_, o.id_);
    std::swap(close_, o.close_);
    return *this;
  }
  ~Id() {
    if (id_ >= 0) close_(id_);
  }
  /// Closes now; false where the library reports an error.
  bool close_now() { return id_ < 0 || close_(std::exchange(id_, -1)) >= 0; }
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

inline Id file(hid_t id) { return {id, H5Fclose}; }
inline Id type(hid_t id) { return {id, H5Tclose}; }
inline Id space(hid_t id) { return {id, H5Sclose}; }
inline Id dataset(hid_t id) { return {id, H5Dclose}; }
inline Id attribute(hid_t id) { return {id, H5Aclose}; }
inline Id plist(hid_t id) { return {id, H5Pclose}; }
inline Id object(hid_t id) { return {id, H5Oclose}; }

/// Held around every use of the library in this process, which is not thread-safe everywhere; and,
/// once made, across every fork, so that a child finds the library whole.
ForkMutex& process_mutex();

/// One call of Tandem's into HDF5: keeps the library from printing its errors.
class Session {
 public:
  /// `op` and `path` go into messages.
  Session(const char* op, const std::string& path);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& path() const { return path_; }
  /// Raises FileError "[op] expected <expected>, got <got>", with the library's own words, if any.
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const;
  /// Checks a new identifier of the file's own state.
  Id expect(Id id) const;
  /// The library's innermost message of the last failed call.
  static std::string message();

 private:
  const char* op_;
  std::string path_;
  H5E_auto2_t printer_ = nullptr;
  void* printer_data_ = nullptr;
};

/// A property list for writing a new file to a descriptor. The library never learns of a failed
/// write, since it cannot close a file after one; the first errno is kept in `error` instead.
/// `error` must live until the file is closed.
Id sink(int descriptor, int* error);

/// The type of a dtype's elements in files and in memory (little-endian).
Id type_of(DType t);

/// What a type in a file becomes.
struct ElementType {
  DType dtype = DType::kCount;  // kCount: cannot be loaded
  Id memory;                    // the type to read into, of dtype's size
  std::string words;            // dtype's name, or what the type is
};
ElementType element_type(hid_t file_type);

}  // namespace tandem::io::h5
