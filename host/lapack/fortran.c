/* For a libtandem_lapack that holds OpenBLAS's archive: what LAPACK's Fortran calls of its run-time
   library. With these the archive of that, compiled for programs and not for shared libraries, is
   not needed, nor libquadmath behind it. */
#include <stdlib.h>
#include <string.h>

void _gfortran_concat_string(size_t size, char* to, size_t n, const char* first, size_t m,
                             const char* second);
float _gfortran_etime(void* times);

/* to = first // second, padded with blanks or cut. */
void _gfortran_concat_string(size_t size, char* to, size_t n, const char* first, size_t m,
                             const char* second) {
  if (n > size) n = size;
  memcpy(to, first, n);
  if (m > size - n) m = size - n;
  memcpy(to + n, second, m);
  memset(to + n + m, ' ', size - n - m);
}

/* Of SECOND and DSECND, the clocks of LAPACK's own timing programs, which no other routine calls.
 */
float _gfortran_etime(void* times) {
  (void)times;
  abort();
}
