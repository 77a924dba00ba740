// QR of small matrices on the host: what a SIMD level offers (host/isa/small_qr.cpp).
#pragma once

#include "tandem/backend/linalg.h"

namespace tandem::host {

/// Some matrices of a launch, [first, last) of its batch, on the calling thread.
using SmallQrLoop = void (*)(const SmallQrLaunch& l, std::int64_t first, std::int64_t last);

struct SmallQrLoops {
  SmallQrLoop run = nullptr;
  int lanes = 1;  // matrices at a time
};
/// Called by the level's registration.
void bind_small_qr_loops(DType t, SmallQrLoops loops);

void run_small_qr(const SmallQrLaunch& l);

}  // namespace tandem::host
