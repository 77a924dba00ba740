// The folder with what was compiled at run time, kept from one process to the next.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tandem/export.h"

namespace tandem::source {

/// TANDEM_CACHE_DIR, else tandem in XDG_CACHE_HOME or ~/.cache. Code is loaded from it, so that one
/// that another user could write to is not used: a folder of this process alone stands in then, and
/// where that cannot be made either, a FileError is raised.
class TANDEM_API Store {
 public:
  static const Store& process();

  const std::string& folder() const { return folder_; }
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  /// Nothing where there is no such file.
  std::optional<std::string> read(std::string_view name) const;
  /// The file appears whole or not at all. Raises FileError, naming `op`.
  void write(std::string_view name, std::string_view bytes, const char* op) const;

 private:
  Store();
  std::string folder_;
};

/// A name for a text: 128 bits in hexadecimal. Texts are compared besides.
std::string key_of(std::string_view text);

}  // namespace tandem::source
