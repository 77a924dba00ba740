/* What the C programs of this folder check with. */
#ifndef TANDEM_TESTS_C_CHECK_H
#define TANDEM_TESTS_C_CHECK_H

#include <stdio.h>
#include <string.h>

#include <tandem/c.h>

static int failures = 0;

#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) {                                                \
      printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                      \
    }                                                                  \
  } while (0)

#define OK(call)                                                                 \
  do {                                                                           \
    if ((call) != TANDEM_OK) {                                                   \
      printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, tandem_last_error()); \
      ++failures;                                                                \
    }                                                                            \
  } while (0)

/* The call fails with the status, and the text has the words. */
#define FAILS(call, status, words)                                                       \
  do {                                                                                   \
    const int got_ = (call);                                                             \
    if (got_ != (status) || strstr(tandem_last_error(), words) == NULL) {                \
      printf("%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, tandem_status_name(got_), \
             tandem_last_error());                                                       \
      ++failures;                                                                        \
    }                                                                                    \
  } while (0)

static const int64_t kShape[] = {2, 3};
static const float kData[] = {0, 1, 2, 3, 4, 5};

static tandem_tensor* counted(void) {
  tandem_tensor* t = NULL;
  OK(tandem_from_host(kData, sizeof kData, "float32", "cpu", 2, kShape, &t));
  return t;
}

#endif
