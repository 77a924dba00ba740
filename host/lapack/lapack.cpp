// libtandem_lapack: the functions of OpenBLAS and LAPACKE that libtandem asks for. Nothing else
// links these libraries.
#include "host/lapack.h"

extern "C" __attribute__((visibility("default"))) int tandem_lapack_open(
    tandem::host::LapackTable* table, std::size_t size) {
  if (size != sizeof *table) return 1;
#define TANDEM_FILL(name) table->name = &::name;
  TANDEM_LAPACK_FUNCTIONS(TANDEM_FILL)
#undef TANDEM_FILL
  return 0;
}
