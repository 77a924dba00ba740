// Programs for real: a pool on the host's memory, which is written and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/memory/sim/program.h"

namespace tandem::test {

struct HostCounters {
  std::uint64_t programs = 0, steps = 0, allocations = 0, frees = 0, checks = 0, bytes_written = 0,
                growths = 0, returns = 0, trims = 0, limits = 0, out_of_memory = 0, faults = 0,
                refused = 0;  // by the system
  std::string str() const;
};

/// The owner's pattern, all over small blocks and once a page in large ones.
void write_pattern(std::byte* data, std::size_t bytes, std::uint64_t owner);
/// Whether the pattern is there.
bool has_pattern(const std::byte* data, std::size_t bytes, std::uint64_t owner);

/// Runs what a program does with memory (streams and captures aside) on a pool over the host's
/// driver. Empty, or what went wrong; `at` becomes the index of the op in question.
/// `planted`: with a driver that loses pages.
std::string run_on_host(const Program& program, HostCounters* counters, std::size_t* at,
                        bool planted = false);

/// The programs of a seed and those after it, on the host. At the first failure: its shrunk
/// program.
std::string soak_on_host(std::uint64_t seed, std::uint64_t steps, HostCounters* counters,
                         bool planted = false);

}  // namespace tandem::test
