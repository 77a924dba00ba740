// What the host's pool takes of the machine beside the blocks that it gives out.
#pragma once

namespace tandem::perf {

/// Shares of the resident memory that came with live blocks and is not in them: descriptors, thread
/// caches, rounding to pages. 0 where the system does not tell what is resident.
struct Overhead {
  double mixed = 0;  // many blocks of 64 bytes to 4 MiB, evenly by the logarithm
  double small = 0;  // of 1 KiB alone
};

/// Fills the pool (some 400 MiB, for less than a second) and gives it back.
Overhead measure_overhead();

}  // namespace tandem::perf
