/* Opens and closes the library again and again, with threads that used it and end before, while and
   after it is closed: their thread-local objects have destructors in the library.
   Usage: dlclose PATH_OF_LIBTANDEM */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include <tandem/c.h>

#include "../c/look_up.h"

static const char* path;
static sem_t used, closed;

/* 1 + 2 + 3 through the library, which is opened for it; null where something failed. */
static void* use(void) {
  int (*from_host)(const void*, size_t, const char*, const char*, size_t, const int64_t*,
                   tandem_tensor**);
  int (*call_tensor)(const char*, const tandem_value*, size_t, tandem_tensor**);
  int (*copy_to_host)(const tandem_tensor*, void*, size_t);
  int (*release)(tandem_tensor*);
  const float data[] = {3, 1, 2};
  const int64_t shape[] = {3};
  float sum = 0;
  tandem_tensor *t = NULL, *total = NULL;
  tandem_value args[1];
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return NULL;
  if (look_up(library, "tandem_from_host", &from_host) +
          look_up(library, "tandem_call_tensor", &call_tensor) +
          look_up(library, "tandem_copy_to_host", &copy_to_host) +
          look_up(library, "tandem_tensor_release", &release) !=
      0)
    return NULL;
  from_host(data, sizeof data, "float32", "cpu", 1, shape, &t);
  args[0] = tandem_tensor_value("x", t);
  if (call_tensor("sum", args, 1, &total) == TANDEM_OK) copy_to_host(total, &sum, sizeof sum);
  release(total);
  release(t);
  return sum == 6 ? library : NULL;
}

static void* use_and_close(void* right) {
  void* const library = use();
  if (library != NULL && dlclose(library) == 0) ++*(int*)right;
  return NULL;
}

/* Ends after the main thread has closed the library for the last time. */
static void* outlive(void* right) {
  void* const library = use();
  if (library != NULL && dlclose(library) == 0) ++*(int*)right;
  sem_post(&used);
  sem_wait(&closed);
  return NULL;
}

int main(int argc, char** argv) {
  int right = 0, round;
  const int rounds = 30;
  if (argc != 2) return 2;
  path = argv[1];
  sem_init(&used, 0, 0);
  sem_init(&closed, 0, 0);
  for (round = 0; round < rounds; ++round) {
    pthread_t thread;
    void* library;
    if (pthread_create(&thread, NULL, round % 2 == 0 ? use_and_close : outlive, &right) != 0)
      return 2;
    if (round % 2 != 0) sem_wait(&used);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL || dlclose(library) != 0) return 1;
    if (round % 2 != 0) sem_post(&closed);
    pthread_join(thread, NULL);
  }
  printf("%d of %d rounds\n", right, rounds);
  return right == rounds ? 0 : 1;
}
