/* The caller's own memory under a pool, and memory of a pool lent to the caller, through
   tandem/c.h, from C99. On the CPU, and on the device where there is one. */
#include <stdlib.h>

#include "check.h"

struct source {
  int taken, returned, retained, released, misaligned, empty;
  size_t bytes;
  void* streams[64];
};

/* Of the C library; aligned by hand, since C99 has no aligned_alloc. */
static void* take(void* context, size_t bytes, size_t align, void* stream) {
  struct source* s = context;
  char* raw;
  size_t shift;
  if (s->empty) return NULL;
  raw = malloc(bytes + 2 * align);
  if (raw == NULL) return NULL;
  shift = align - (size_t)raw % align;
  if (s->taken < 64) s->streams[s->taken] = stream;
  ++s->taken;
  s->bytes += bytes;
  memcpy(raw + shift + bytes, &raw, sizeof raw);
  return raw + shift + (s->misaligned ? 1 : 0);
}

static void give(void* context, void* data, size_t bytes, size_t align, void* stream) {
  struct source* s = context;
  char* raw;
  (void)align;
  CHECK(stream == NULL);
  memcpy(&raw, (char*)data - (s->misaligned ? 1 : 0) + bytes, sizeof raw);
  free(raw);
  ++s->returned;
  s->bytes -= bytes;
}

static void retain(void* context) { ++((struct source*)context)->retained; }
static void release(void* context) { ++((struct source*)context)->released; }

static tandem_memory_resource resource_of(struct source* s) {
  tandem_memory_resource r;
  memset(&r, 0, sizeof r);
  r.size = sizeof r;
  r.context = s;
  r.allocate = take;
  r.deallocate = give;
  r.retain = retain;
  r.release = release;
  return r;
}

static tandem_tensor* large(const char* device) {
  const int64_t shape[] = {1 << 23};
  tandem_tensor* t = NULL;
  OK(tandem_full("float32", device, 1, shape, 2, &t));
  return t;
}

static void own_memory_under_the_pool(const char* device) {
  struct source s;
  tandem_memory_resource r = resource_of(&s);
  tandem_tensor* t;
  memset(&s, 0, sizeof s);
  OK(tandem_memory_empty_cache(device, NULL));
  OK(tandem_memory_set_resource(device, &r));
  CHECK(s.retained == 1);
  t = large(device);
  CHECK(s.taken > 0 && s.bytes >= sizeof(float) << 23);
  CHECK(s.streams[0] == NULL);
  OK(tandem_memory_set_resource(device, NULL));
  CHECK(s.released == 0); /* a tensor is in its memory */
  OK(tandem_tensor_release(t));
  OK(tandem_memory_empty_cache(device, NULL));
  CHECK(s.bytes == 0 && s.taken == s.returned && s.released == 1);
}

static void what_a_bad_source_does(const char* device) {
  const int64_t shape[] = {1 << 23};
  struct source s;
  tandem_memory_resource r = resource_of(&s);
  tandem_tensor* t = NULL;
  memset(&s, 0, sizeof s);
  OK(tandem_memory_empty_cache(device, NULL));
  s.empty = 1;
  OK(tandem_memory_set_resource(device, &r));
  FAILS(tandem_empty("float32", device, 1, shape, &t), TANDEM_OUT_OF_MEMORY, "[");
  s.empty = 0;
  s.misaligned = 1;
  FAILS(tandem_empty("float32", device, 1, shape, &t), TANDEM_OUT_OF_MEMORY, "[");
  CHECK(t == NULL && s.taken == s.returned);
  s.misaligned = 0;
  t = large(device);
  OK(tandem_tensor_release(t));
  OK(tandem_memory_set_resource(device, NULL));
  OK(tandem_memory_empty_cache(device, NULL));
  CHECK(s.bytes == 0 && s.released == 1);
  r.size = 3;
  FAILS(tandem_memory_set_resource(device, &r), TANDEM_VALUE_ERROR, "size");
  r.size = sizeof r;
  r.allocate = NULL;
  FAILS(tandem_memory_set_resource(device, &r), TANDEM_VALUE_ERROR, "null");
  FAILS(tandem_memory_set_resource("meta", NULL), TANDEM_DEVICE_ERROR, "meta");
}

static void in_the_order_of_a_stream(void) {
  struct source s;
  tandem_memory_resource r = resource_of(&s);
  tandem_stream *first = NULL, *second = NULL;
  tandem_tensor *a, *b;
  void *native = NULL, *other = NULL;
  memset(&s, 0, sizeof s);
  r.stream_ordered = 1;
  OK(tandem_memory_empty_cache("cuda", NULL));
  OK(tandem_stream_create("cuda", 0, &first));
  OK(tandem_stream_create("cuda", 0, &second));
  OK(tandem_stream_native(first, &native));
  OK(tandem_stream_native(second, &other));
  OK(tandem_memory_set_resource("cuda", &r));
  OK(tandem_stream_push(first));
  a = large("cuda");
  OK(tandem_stream_pop());
  CHECK(s.taken == 1 && s.streams[0] == native);
  OK(tandem_stream_push(second));
  b = large("cuda");
  OK(tandem_stream_pop());
  CHECK(s.taken == 2 && s.streams[1] == other);
  OK(tandem_tensor_release(a));
  OK(tandem_tensor_release(b));
  OK(tandem_memory_set_resource("cuda", NULL));
  OK(tandem_memory_empty_cache("cuda", NULL));
  CHECK(s.bytes == 0 && s.released == 1);
  OK(tandem_stream_release(first));
  OK(tandem_stream_release(second));
}

static void memory_lent(const char* device) {
  tandem_stream* stream = NULL;
  void *p = NULL, *q = NULL;
  tandem_memory before, now;
  uint64_t freed = 0;
  before.size = now.size = sizeof now;
  OK(tandem_stream_current(device, &stream));
  OK(tandem_memory_stats(device, &before));
  OK(tandem_memory_allocate(100000, stream, &p));
  OK(tandem_memory_allocate(0, stream, &q));
  CHECK(p != NULL && q != NULL && p != q);
  CHECK((size_t)p % 64 == 0);
  OK(tandem_memory_stats(device, &now));
  CHECK(now.allocated >= before.allocated + 100000);
  OK(tandem_memory_deallocate(p, stream));
  FAILS(tandem_memory_deallocate(p, stream), TANDEM_VALUE_ERROR, "another pointer");
  OK(tandem_memory_deallocate(q, stream));
  OK(tandem_memory_deallocate(NULL, stream));
  FAILS(tandem_memory_deallocate(&now, stream), TANDEM_VALUE_ERROR, "another pointer");
  FAILS(tandem_memory_allocate(1, NULL, &p), TANDEM_VALUE_ERROR, "'stream'");
  FAILS(tandem_memory_allocate(1, stream, NULL), TANDEM_VALUE_ERROR, "'data'");
  OK(tandem_memory_stats(device, &now));
  CHECK(now.allocated == before.allocated);
  OK(tandem_synchronize(device));
  OK(tandem_memory_trim(device, 0, &freed));
  OK(tandem_memory_stats(device, &now));
  CHECK(now.cached == 0 || strcmp(device, "cpu") != 0);
  OK(tandem_stream_release(stream));
}

static void on(const char* device) {
  own_memory_under_the_pool(device);
  what_a_bad_source_does(device);
  memory_lent(device);
}

int main(void) {
  int usable = 0;
  on("cpu");
  OK(tandem_device_usable("cuda", &usable, NULL));
  /* Memory of the C library is the device's on the simulated one alone. */
  if (usable && getenv("TANDEM_SIMULATED") != NULL) {
    on("cuda");
    in_the_order_of_a_stream();
  }
  printf("%s\n", failures == 0 ? "passed" : "FAILED");
  (void)counted;
  return failures == 0 ? 0 : 1;
}
