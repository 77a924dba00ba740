// Finding mistakes: use of memory without order between streams, and of memory that was freed.
// Off by default, when it costs next to nothing. docs/memory.md says what is found.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tandem/error.h"
#include "tandem/export.h"

namespace tandem {

class Tensor;

/// What is looked for. The environment asks for it as TANDEM_CHECK=streams, which is both of the
/// first two, or as a list of order, memory and report.
struct Checks {
  bool streams = false;  // use of memory without order between streams, and by the host
  bool memory = false;   // use and writes after free; freed memory is filled with bytes 0xff
  bool report = false;   // mistakes are printed to stderr, and the program goes on
  /// Bytes of freed memory of each device that are held back before they are given out again.
  std::size_t quarantine = std::size_t{256} << 20;
};

/// A mistake that was found; nothing was launched. Python sees it as tandem.DeviceError.
class TANDEM_API CheckError : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

/// Sets what is looked for from now on, in place of the environment. `streams` and `report` may be
/// set at any time: what was done before `streams` was set is not known. `memory` and `quarantine`
/// only before memory is allocated: raises ValueError, and nothing has changed, where they differ
/// from what is set and there is a pool already.
TANDEM_API void set_checks(const Checks& checks);
TANDEM_API Checks checks();

/// Says that the host is about to use a tensor's memory by its plain pointer, as Tandem's own ops
/// on the host say by themselves: raises CheckError where a copy that was asked not to block, or
/// freed memory, stands against it. Does nothing for tensors of devices, or where nothing is looked
/// for.
TANDEM_API void check_host_use(const Tensor& t, bool writes = false);

/// How many mistakes were found since the start, raised and printed.
TANDEM_API std::uint64_t mistakes_found();

}  // namespace tandem
