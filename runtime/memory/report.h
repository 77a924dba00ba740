// The words of an out-of-memory error: what was asked for, who has the memory, what would help.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "runtime/memory/driver.h"
#include "runtime/memory/snapshot.h"

namespace tandem::memory {

/// What is known when an allocation has failed.
struct OutOfMemoryFacts {
  std::size_t bytes = 0;
  LabelName label;  // of the request
  StreamId stream;
  std::uint32_t pool = 0;
  bool failed = false;               // the driver reported an error other than no memory
  std::optional<MemoryInfo> device;  // what the driver says
  Snapshot held;                     // without the list of segments
};

/// One or two sentences, chosen from the facts.
std::string advice(const OutOfMemoryFacts& facts);
/// At most twelve lines: the error's text.
std::string report(const OutOfMemoryFacts& facts);

}  // namespace tandem::memory
