/* For a libtandem that holds HDF5's archive, which is compiled for programs: its references to the
   C library's streams (linked with --wrap) mean these copies, since a shared library cannot refer
   to variables of another in that way. */
#include <stdio.h>

FILE *__wrap_stdin, *__wrap_stdout, *__wrap_stderr;

__attribute__((constructor)) static void copy_streams(void) {
  extern FILE *__real_stdin, *__real_stdout, *__real_stderr;
  __wrap_stdin = __real_stdin;
  __wrap_stdout = __real_stdout;
  __wrap_stderr = __real_stderr;
}
