// The folder with what was compiled at run time, kept from one process to the next.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/export.h"

namespace tandem::source {

/// TANDEM_CACHE_DIR, else tandem in XDG_CACHE_HOME or ~/.cache. Code is loaded from it, so that one
/// that another user could write to is not used. Where that is so, or nothing can be written there
/// (a full disk, one that is only read), a folder of this process alone takes what is written, and
/// goes with the process; where that cannot be made either, a FileError is raised.
class TANDEM_API Store {
 public:
  static const Store& process();

  /// What is written goes there; of a child of a fork another than its parent's, where it is one of
  /// a process alone.
  std::string folder() const;
  /// Of a file that is there, or else of one to be written.
  std::string path(std::string_view name) const;
  /// Nothing where there is no such file, or one that others can write to.
  std::optional<std::string> read(std::string_view name) const;
  /// The file appears whole or not at all; `durable`: also where the machine goes down. Raises
  /// FileError, naming `op`.
  void write(std::string_view name, std::string_view bytes, const char* op,
             bool durable = true) const;
  /// The same with a seal, by which `read_sealed` knows what is not whole.
  void write_sealed(std::string_view name, std::string_view bytes, const char* op) const;
  std::optional<std::string> read_sealed(std::string_view name) const;

 private:
  Store();
  std::string shared_;  // empty: there is none
  mutable std::atomic<bool> alone_;
};

/// A folder of this process for a short while; it and what is in it are removed at the end.
class ScratchFolder {
 public:
  /// Where there can be one, the better places first.
  static std::vector<std::string> places();
  /// Raises FileError, naming `op`.
  ScratchFolder(const std::string& place, const char* op);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

 private:
  std::string folder_;
};

/// All of a file; nothing where there is none. `ours_alone`: nor where others can write to it.
std::optional<std::string> read_file(const std::string& path, bool ours_alone = false);

/// A name for a text: 128 bits in hexadecimal. Texts are compared besides.
std::string key_of(std::string_view text);

}  // namespace tandem::source
