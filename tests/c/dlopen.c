/* A program that links nothing of Tandem: it opens the library, looks up C symbols alone, and runs
   an op. Usage: dlopen PATH_OF_LIBTANDEM */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <tandem/c.h>

#include "look_up.h"

int main(int argc, char** argv) {
  int (*check_abi)(int);
  const char* (*last_error)(void);
  int (*from_host)(const void*, size_t, const char*, const char*, size_t, const int64_t*,
                   tandem_tensor**);
  int (*call_tensor)(const char*, const tandem_value*, size_t, tandem_tensor**);
  int (*copy_to_host)(const tandem_tensor*, void*, size_t);
  int (*release)(tandem_tensor*);
  const float data[] = {3, 1, 2};
  const int64_t shape[] = {3};
  float sum = 0;
  int missing = 0;
  tandem_tensor *t = NULL, *total = NULL;
  tandem_value args[2];
  void* const library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (library == NULL) {
    printf("usage: dlopen LIBRARY: %s\n", argc == 2 ? dlerror() : "no library");
    return 1;
  }
  missing += look_up(library, "tandem_check_abi", &check_abi);
  missing += look_up(library, "tandem_last_error", &last_error);
  missing += look_up(library, "tandem_from_host", &from_host);
  missing += look_up(library, "tandem_call_tensor", &call_tensor);
  missing += look_up(library, "tandem_copy_to_host", &copy_to_host);
  missing += look_up(library, "tandem_tensor_release", &release);
  if (missing != 0 || check_abi(TANDEM_C_ABI) != TANDEM_OK) return 1;
  if (from_host(data, sizeof data, "float32", "cpu", 1, shape, &t) == TANDEM_OK) {
    args[0] = tandem_tensor_value("x", t);
    args[1] = tandem_int("dim", 0);
    if (call_tensor("sum", args, 2, &total) == TANDEM_OK) copy_to_host(total, &sum, sizeof sum);
  }
  printf("sum %g, error '%s'\n", sum, last_error());
  release(total);
  release(t);
  return sum == 6 ? 0 : 1;
}
