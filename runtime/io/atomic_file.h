// A file that appears at its path only when it is complete. Internal.
#pragma once

#include <cstddef>
#include <string>

namespace tandem::io {

/// Where the file system can, the file has no name until commit(), so that nothing is left behind
/// even if the process is killed. Without a commit the old file stays.
class AtomicFile {
 public:
  /// Opens a new file for the path's folder. Raises FileError, with the op in the message.
  AtomicFile(const char* op, const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// The descriptor, to read and write; stays the object's.
  int descriptor() const { return fd_; }
  void write(const void* data, std::size_t bytes);
  /// Puts the file at its path, by default when the data is on the disk: without that the file may
  /// be cut short after the machine went down.
  void commit(bool durable = true);
  [[noreturn]] void fail(const std::string& why) const;

 private:
  bool make_name();

  const char* op_;
  std::string path_;    // as the caller wrote it
  std::string target_;  // links resolved
  std::string folder_;
  std::string temporary_;  // the hidden name; empty while there is none
  int fd_ = -1;
};

}  // namespace tandem::io
