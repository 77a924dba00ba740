/* For a libtandem_lapack that holds libgfortran: it prints numbers of 128 bits by this function of
   libquadmath (under the LGPL), which is not wanted in a wheel. LAPACK has no such numbers, so that
   it is never called. */
#include <stdlib.h>

int quadmath_snprintf(char* text, size_t size, const char* format, ...);

int quadmath_snprintf(char* text, size_t size, const char* format, ...) {
  (void)text, (void)size, (void)format;
  abort();
}
