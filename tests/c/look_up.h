/* Symbols of a library that was opened at run time. */
#ifndef TANDEM_TESTS_C_LOOK_UP_H
#define TANDEM_TESTS_C_LOOK_UP_H

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* 1 where there is none. ISO C has no conversion from an object's pointer to a function's; dlsym's
   answer is one all the same. */
static int look_up(void* library, const char* name, void* function) {
  void* const symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
  if (symbol == NULL) printf("%s: %s\n", name, dlerror());
  return symbol == NULL;
}

#endif
