// A plug-in that answers with another interface version than any libtandem has.
#include "tandem/backend/fft_library.h"

extern "C" __attribute__((visibility("default"))) int tandem_fftw_open(const tandem::FftwHost*,
                                                                       tandem::FftwTable* out) {
  out->abi = tandem::kFftwAbi + 1;
  return 0;
}
