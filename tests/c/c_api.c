/* The functions of tandem/c.h but those that call ops, from C99: what they give, their errors, who
   holds what. */
#include <stdlib.h>

#include "check.h"

static void version(void) {
  CHECK(strlen(tandem_version()) >= 5);
  CHECK(tandem_abi() == TANDEM_C_ABI);
  OK(tandem_check_abi(TANDEM_C_ABI));
  FAILS(tandem_check_abi(TANDEM_C_ABI + 1), TANDEM_NOT_IMPLEMENTED, "[tandem_check_abi]");
  CHECK(strcmp(tandem_status_name(TANDEM_OK), "ok") == 0);
  CHECK(strcmp(tandem_status_name(TANDEM_NOT_IMPLEMENTED), "not implemented") == 0);
  CHECK(strcmp(tandem_status_name(-1), "unknown status") == 0);
  CHECK(strcmp(tandem_status_name(10), "unknown status") == 0);
}

static void dtypes(void) {
  size_t count = 0, i, bytes = 0;
  const char* name = NULL;
  OK(tandem_dtype_count(&count));
  CHECK(count >= 15);
  for (i = 0; i < count; ++i) {
    tandem_tensor* t = NULL;
    const char* own = NULL;
    size_t size = 0;
    OK(tandem_dtype_at(i, &name, &bytes));
    OK(tandem_empty(name, "cpu", 2, kShape, &t));
    OK(tandem_tensor_dtype(t, &own));
    OK(tandem_tensor_element_size(t, &size));
    CHECK(own == name && size == bytes);
    OK(tandem_tensor_release(t));
  }
  OK(tandem_dtype_at(0, NULL, NULL));
  FAILS(tandem_dtype_at(count, &name, NULL), TANDEM_INDEX_ERROR, "[tandem_dtype_at]");
  FAILS(tandem_dtype_count(NULL), TANDEM_VALUE_ERROR, "'count': expected a pointer, got null");
}

static void making(void) {
  tandem_tensor* t = NULL;
  int64_t value = 0;
  const int64_t negative[] = {2, -3};
  const int64_t huge[] = {INT64_MAX, INT64_MAX};
  OK(tandem_full("int64", "cpu", 0, NULL, 7, &t));
  OK(tandem_copy_to_host(t, &value, sizeof value));
  CHECK(value == 7);
  OK(tandem_tensor_release(t));
  t = NULL;
  FAILS(tandem_empty("float31", "cpu", 2, kShape, &t), TANDEM_VALUE_ERROR, "'float31'");
  FAILS(tandem_empty(NULL, "cpu", 2, kShape, &t), TANDEM_VALUE_ERROR, "'dtype'");
  FAILS(tandem_empty("float32", "tpu", 2, kShape, &t), TANDEM_VALUE_ERROR, "'tpu'");
  FAILS(tandem_empty("float32", NULL, 2, kShape, &t), TANDEM_VALUE_ERROR, "'device'");
  FAILS(tandem_empty("float32", "cpu:3", 2, kShape, &t), TANDEM_DEVICE_ERROR, "cpu:3");
  FAILS(tandem_empty("float32", "cpu", 2, NULL, &t), TANDEM_VALUE_ERROR, "'shape'");
  FAILS(tandem_empty("float32", "cpu", 2, kShape, NULL), TANDEM_VALUE_ERROR, "'out'");
  CHECK(tandem_empty("float32", "cpu", 2, negative, &t) != TANDEM_OK);
  CHECK(tandem_empty("float32", "cpu", 2, huge, &t) != TANDEM_OK);
  CHECK(tandem_full("uint8", "cpu", 2, kShape, 1e9, &t) != TANDEM_OK);
  FAILS(tandem_from_host(kData, 23, "float32", "cpu", 2, kShape, &t), TANDEM_VALUE_ERROR,
        "expected 24, got 23");
  FAILS(tandem_from_host(NULL, 24, "float32", "cpu", 2, kShape, &t), TANDEM_VALUE_ERROR, "'data'");
  CHECK(tandem_from_host(kData, 24, "float32", "cpu", 2, huge, &t) == TANDEM_VALUE_ERROR);
  CHECK(t == NULL);
}

static void properties(void) {
  tandem_tensor* t = counted();
  size_t ndim = 0, bytes = 0;
  int64_t dims[2] = {-1, -1}, numel = 0;
  const char* text = NULL;
  int flag = -1;
  void* data = NULL;
  OK(tandem_tensor_ndim(t, &ndim));
  CHECK(ndim == 2);
  OK(tandem_tensor_shape(t, dims, 2));
  CHECK(dims[0] == 2 && dims[1] == 3);
  OK(tandem_tensor_strides(t, dims, 2));
  CHECK(dims[0] == 3 && dims[1] == 1);
  FAILS(tandem_tensor_shape(t, dims, 1), TANDEM_VALUE_ERROR, "'capacity'");
  FAILS(tandem_tensor_strides(t, NULL, 2), TANDEM_VALUE_ERROR, "'strides'");
  OK(tandem_tensor_numel(t, &numel));
  CHECK(numel == 6);
  OK(tandem_tensor_element_size(t, &bytes));
  CHECK(bytes == 4);
  OK(tandem_tensor_dtype(t, &text));
  CHECK(strcmp(text, "float32") == 0);
  OK(tandem_tensor_device(t, &text));
  CHECK(strcmp(text, "cpu") == 0);
  OK(tandem_tensor_is_contiguous(t, &flag));
  CHECK(flag == 1);
  OK(tandem_tensor_data(t, &data));
  CHECK(data != NULL && memcmp(data, kData, sizeof kData) == 0);
  FAILS(tandem_tensor_numel(NULL, &numel), TANDEM_VALUE_ERROR,
        "[tandem_tensor_numel] argument 't'");
  FAILS(tandem_tensor_ndim(NULL, &ndim), TANDEM_VALUE_ERROR, "'t'");
  FAILS(tandem_tensor_dtype(t, NULL), TANDEM_VALUE_ERROR, "'dtype'");
  FAILS(tandem_tensor_device(t, NULL), TANDEM_VALUE_ERROR, "'device'");
  FAILS(tandem_tensor_element_size(t, NULL), TANDEM_VALUE_ERROR, "'bytes'");
  FAILS(tandem_tensor_is_contiguous(NULL, &flag), TANDEM_VALUE_ERROR, "'t'");
  FAILS(tandem_tensor_data(t, NULL), TANDEM_VALUE_ERROR, "'data'");
  OK(tandem_tensor_release(t));
}

static void names(void) {
  static const char* const two[] = {"rows", NULL};
  static const char* const twice[] = {"rows", "rows"};
  static const char* const wrong[] = {"not a name", NULL};
  tandem_tensor *t = counted(), *named = NULL, *sum = NULL;
  const char* got[2] = {"", ""};
  char text[32] = "";
  size_t length = 0;
  tandem_value args[2];
  OK(tandem_tensor_names(t, got, 2));
  CHECK(got[0] == NULL && got[1] == NULL);
  OK(tandem_with_names(t, two, 2, &named));
  OK(tandem_tensor_names(named, got, 2));
  CHECK(got[0] != NULL && strcmp(got[0], "rows") == 0 && got[1] == NULL);
  OK(tandem_tensor_names(t, got, 2));
  CHECK(got[0] == NULL);
  args[0] = tandem_tensor_value("x", named);
  args[1] = tandem_text("dim", "rows");
  OK(tandem_call_tensor("sum", args, 2, &sum));
  OK(tandem_tensor_text(sum, text, sizeof text, &length));
  CHECK(strcmp(text, "tensor([3., 5., 7.])") == 0 && length == strlen(text));
  OK(tandem_tensor_text(sum, text, 7, &length));
  CHECK(strcmp(text, "tensor") == 0 && length == 20);
  OK(tandem_tensor_text(sum, NULL, 0, &length));
  FAILS(tandem_tensor_text(sum, NULL, 5, NULL), TANDEM_VALUE_ERROR, "'text'");
  FAILS(tandem_tensor_names(t, got, 1), TANDEM_VALUE_ERROR, "'capacity'");
  FAILS(tandem_tensor_names(t, NULL, 2), TANDEM_VALUE_ERROR, "'names'");
  FAILS(tandem_with_names(t, two, 1, &named), TANDEM_SHAPE_ERROR, "expected 2 names, got 1");
  FAILS(tandem_with_names(t, NULL, 2, &named), TANDEM_VALUE_ERROR, "'names'");
  FAILS(tandem_with_names(t, wrong, 2, &named), TANDEM_VALUE_ERROR, "not a name");
  CHECK(tandem_with_names(t, twice, 2, &named) != TANDEM_OK);
  OK(tandem_tensor_release(sum));
  OK(tandem_tensor_release(named));
  OK(tandem_tensor_release(t));
}

/* ---- memory of the caller */

struct calls {
  int count;
  void* data;
};

static void count_call(void* data, void* context) {
  struct calls* c = context;
  ++c->count;
  c->data = data;
}

static void wrapping(void) {
  float memory[6];
  struct calls calls = {0, NULL};
  const int64_t strides[] = {1, 2};
  const int64_t backwards[] = {-3, -1};
  const tandem_value one = tandem_float(NULL, 1);
  tandem_tensor *t = NULL, *view = NULL;
  tandem_value args[2];
  float back[6] = {0};
  void* data = NULL;
  memcpy(memory, kData, sizeof memory);
  OK(tandem_wrap(memory, "float32", "cpu", 2, kShape, NULL, count_call, &calls, &t));
  OK(tandem_tensor_data(t, &data));
  CHECK(data == memory);
  args[0] = tandem_tensor_value(NULL, t);
  args[1] = one;
  OK(tandem_call_tensor("add_", args, 2, NULL));
  CHECK(memory[0] == 1 && memory[5] == 6);
  /* A view keeps the memory when the tensor it was made from is gone. */
  OK(tandem_call_tensor("t", args, 1, &view));
  OK(tandem_tensor_retain(t));
  OK(tandem_tensor_release(t));
  OK(tandem_tensor_release(t));
  CHECK(calls.count == 0);
  OK(tandem_copy_to_host(view, back, sizeof back));
  CHECK(back[0] == 1 && back[1] == 4 && back[2] == 2);
  OK(tandem_tensor_release(view));
  CHECK(calls.count == 1 && calls.data == memory);
  /* The other order. */
  OK(tandem_wrap(memory, "float32", "cpu", 2, kShape, strides, count_call, &calls, &t));
  args[0] = tandem_tensor_value(NULL, t);
  OK(tandem_call_tensor("t", args, 1, &view));
  OK(tandem_tensor_release(view));
  CHECK(calls.count == 1);
  OK(tandem_copy_to_host(t, back, sizeof back));
  CHECK(back[0] == 1 && back[1] == 3 && back[3] == 2);
  OK(tandem_tensor_release(t));
  CHECK(calls.count == 2);
  OK(tandem_wrap(memory + 5, "float32", "cpu", 2, kShape, backwards, count_call, &calls, &t));
  OK(tandem_copy_to_host(t, back, sizeof back));
  CHECK(back[0] == 6 && back[5] == 1);
  OK(tandem_tensor_release(t));
  CHECK(calls.count == 3 && calls.data == memory + 5);
}

static void count_stream_call(void* data, void* native_stream, void* context) {
  CHECK(native_stream == NULL); /* the host's */
  count_call(data, context);
}

static void wrapping_on_a_stream(void) {
  float memory[6] = {0};
  struct calls calls = {0, NULL};
  tandem_stream* stream = NULL;
  tandem_tensor* t = NULL;
  const char* device = NULL;
  OK(tandem_stream_create("cpu", 0, &stream));
  OK(tandem_wrap_on(memory, "float32", stream, 2, kShape, NULL, count_stream_call, &calls, &t));
  OK(tandem_tensor_device(t, &device));
  CHECK(strcmp(device, "cpu") == 0 && calls.count == 0);
  OK(tandem_tensor_release(t));
  CHECK(calls.count == 1 && calls.data == memory);
  t = NULL;
  FAILS(tandem_wrap_on(memory, "float32", NULL, 2, kShape, NULL, count_stream_call, &calls, &t),
        TANDEM_VALUE_ERROR, "'stream'");
  FAILS(tandem_wrap_on(memory, "float32", stream, 2, kShape, NULL, NULL, &calls, &t),
        TANDEM_VALUE_ERROR, "'deleter'");
  FAILS(tandem_wrap_on(NULL, "float32", stream, 2, kShape, NULL, count_stream_call, &calls, &t),
        TANDEM_VALUE_ERROR, "'data'");
  CHECK(t == NULL && calls.count == 1);
  OK(tandem_stream_release(stream));
}

static void failed_wrapping(void) {
  float memory[6] = {0};
  struct calls calls = {0, NULL};
  const int64_t far[] = {INT64_MAX / 2, INT64_MAX / 2};
  tandem_tensor* t = NULL;
  const int64_t none[] = {0};
  FAILS(tandem_wrap(NULL, "float32", "cpu", 2, kShape, NULL, count_call, &calls, &t),
        TANDEM_VALUE_ERROR, "'data'");
  FAILS(tandem_wrap(memory, "float31", "cpu", 2, kShape, NULL, count_call, &calls, &t),
        TANDEM_VALUE_ERROR, "'dtype'");
  FAILS(tandem_wrap(memory, "float32", "cpu", 2, NULL, NULL, count_call, &calls, &t),
        TANDEM_VALUE_ERROR, "'shape'");
  FAILS(tandem_wrap((char*)memory + 1, "float32", "cpu", 2, kShape, NULL, count_call, &calls, &t),
        TANDEM_VALUE_ERROR, "aligned");
  FAILS(tandem_wrap(memory, "float32", "cpu", 2, kShape, far, count_call, &calls, &t),
        TANDEM_VALUE_ERROR, "address space");
  CHECK(tandem_wrap(memory, "float32", "cpu:1", 2, kShape, NULL, count_call, &calls, &t) ==
        TANDEM_DEVICE_ERROR);
  CHECK(tandem_wrap(memory, "float32", "cpu", 2, kShape, NULL, count_call, &calls, NULL) ==
        TANDEM_VALUE_ERROR);
  CHECK(calls.count == 0 && t == NULL);
  /* Without a deleter the memory stays the caller's; no elements need no memory. */
  OK(tandem_wrap(memory, "float32", "cpu", 2, kShape, NULL, NULL, NULL, &t));
  OK(tandem_tensor_release(t));
  OK(tandem_wrap(NULL, "float32", "cpu", 1, none, NULL, count_call, &calls, &t));
  CHECK(calls.count == 0);
  OK(tandem_tensor_release(t));
  CHECK(calls.count == 1 && calls.data == NULL);
  OK(tandem_tensor_release(NULL));
  FAILS(tandem_tensor_retain(NULL), TANDEM_VALUE_ERROR, "'t'");
}

static void copies(void) {
  tandem_tensor *t = counted(), *same = NULL, *other = NULL, *meta = NULL;
  float back[6] = {0};
  double wide[6] = {0};
  int flag = -1;
  void* data = NULL;
  tandem_value args[1];
  const float fresh[] = {9, 8, 7, 6, 5, 4};
  FAILS(tandem_copy_to_host(t, back, 20), TANDEM_VALUE_ERROR, "expected 24, got 20");
  FAILS(tandem_copy_to_host(t, back, 28), TANDEM_VALUE_ERROR, "expected 24, got 28");
  FAILS(tandem_copy_to_host(t, NULL, 24), TANDEM_VALUE_ERROR, "'data'");
  FAILS(tandem_copy_from_host(t, fresh, 4), TANDEM_VALUE_ERROR, "'bytes'");
  OK(tandem_copy_from_host(t, fresh, sizeof fresh));
  OK(tandem_copy_to_host(t, back, sizeof back));
  CHECK(memcmp(back, fresh, sizeof back) == 0);
  OK(tandem_to(t, "cpu", "float32", 0, &same));
  CHECK(same == t);
  OK(tandem_tensor_release(same));
  OK(tandem_to(t, NULL, "float64", 0, &other));
  OK(tandem_copy_to_host(other, wide, sizeof wide));
  CHECK(wide[0] == 9 && wide[5] == 4);
  OK(tandem_tensor_release(other));
  OK(tandem_to(t, "meta", NULL, 0, &meta));
  OK(tandem_tensor_data(meta, &data));
  CHECK(data == NULL);
  OK(tandem_tensor_release(meta));
  FAILS(tandem_to(t, "nowhere", NULL, 0, &other), TANDEM_VALUE_ERROR, "nowhere");
  FAILS(tandem_to(t, NULL, NULL, 0, NULL), TANDEM_VALUE_ERROR, "'out'");
  args[0] = tandem_tensor_value("x", t);
  OK(tandem_call_tensor("t", args, 1, &other));
  OK(tandem_tensor_is_contiguous(other, &flag));
  CHECK(flag == 0);
  OK(tandem_contiguous(other, &same));
  OK(tandem_tensor_is_contiguous(same, &flag));
  CHECK(flag == 1 && same != other);
  OK(tandem_tensor_release(same));
  OK(tandem_tensor_release(other));
  OK(tandem_contiguous(t, &same));
  CHECK(same == t);
  OK(tandem_tensor_release(same));
  OK(tandem_tensor_release(t));
}

static void streams(void) {
  tandem_stream *stream = NULL, *other = NULL, *current = NULL;
  tandem_tensor* t = counted();
  void *native = &failures, *data = NULL, *plain = NULL;
  int done = -1, least = -1, greatest = -1;
  OK(tandem_stream_create("cpu", 0, &stream));
  OK(tandem_stream_wrap("cpu", NULL, &other));
  OK(tandem_stream_priorities("cpu", &least, &greatest));
  CHECK(least == 0 && greatest == 0);
  FAILS(tandem_stream_create("cpu", 1, &current), TANDEM_VALUE_ERROR, "priorit");
  FAILS(tandem_stream_priorities("cpu", NULL, &greatest), TANDEM_VALUE_ERROR, "'least'");
  OK(tandem_stream_native(stream, &native));
  CHECK(native == NULL);
  OK(tandem_stream_push(stream));
  OK(tandem_stream_push(other));
  OK(tandem_stream_current("cpu", &current));
  OK(tandem_tensor_data_on(t, stream, &data));
  OK(tandem_tensor_data(t, &plain));
  CHECK(data == plain);
  FAILS(tandem_tensor_data_on(t, NULL, &data), TANDEM_VALUE_ERROR, "'stream'");
  OK(tandem_stream_wait(stream, other));
  FAILS(tandem_stream_wait(stream, NULL), TANDEM_VALUE_ERROR, "'other'");
  OK(tandem_stream_query(stream, &done));
  CHECK(done == 1);
  OK(tandem_stream_synchronize(stream));
  OK(tandem_synchronize("cpu"));
  OK(tandem_stream_pop());
  OK(tandem_stream_pop());
  FAILS(tandem_stream_pop(), TANDEM_VALUE_ERROR, "got none");
  FAILS(tandem_stream_push(NULL), TANDEM_VALUE_ERROR, "'stream'");
  FAILS(tandem_stream_synchronize(NULL), TANDEM_VALUE_ERROR, "'stream'");
  FAILS(tandem_stream_query(NULL, &done), TANDEM_VALUE_ERROR, "'stream'");
  FAILS(tandem_stream_create("cpu", 0, NULL), TANDEM_VALUE_ERROR, "'out'");
  FAILS(tandem_stream_wrap(NULL, NULL, &other), TANDEM_VALUE_ERROR, "'device'");
  FAILS(tandem_stream_current("x", &other), TANDEM_VALUE_ERROR, "'x'");
  FAILS(tandem_stream_native(stream, NULL), TANDEM_VALUE_ERROR, "'native'");
  FAILS(tandem_synchronize(NULL), TANDEM_VALUE_ERROR, "'device'");
  OK(tandem_stream_release(current));
  OK(tandem_stream_release(stream));
  OK(tandem_stream_release(other));
  OK(tandem_stream_release(NULL));
  OK(tandem_tensor_release(t));
}

static void* given_back_on = NULL;

static void note_stream(void* data, void* native_stream, void* context) {
  given_back_on = native_stream;
  count_call(data, context);
}

/* The memory of a tensor on a device as if it were the program's. */
static void wrapping_there(const tandem_tensor* owner, const tandem_stream* stream) {
  struct calls calls = {0, NULL};
  tandem_stream* other = NULL;
  tandem_tensor *t = NULL, *sum = NULL;
  const char* device = NULL;
  void *data = NULL, *native = NULL;
  float total = 0;
  tandem_value args[1];
  OK(tandem_stream_create("cuda", 0, &other));
  OK(tandem_stream_native(stream, &native));
  OK(tandem_tensor_data_on(owner, stream, &data));
  OK(tandem_wrap_on(data, "float32", stream, 2, kShape, NULL, note_stream, &calls, &t));
  OK(tandem_tensor_device(t, &device));
  CHECK(strcmp(device, "cuda:0") == 0);
  OK(tandem_stream_wait(other, stream));
  OK(tandem_stream_push(other));
  args[0] = tandem_tensor_value(NULL, t);
  OK(tandem_call_tensor("sum", args, 1, &sum));
  OK(tandem_stream_pop());
  OK(tandem_tensor_release(t));
  CHECK(calls.count == 1 && calls.data == data && given_back_on == native);
  OK(tandem_stream_synchronize(other));
  OK(tandem_copy_to_host(sum, &total, sizeof total));
  CHECK(total == 55);
  OK(tandem_tensor_release(sum));
  OK(tandem_stream_release(other));
}

/* Where there is a device, the same work there. */
static void devices(void) {
  int usable = -1;
  const char* why = NULL;
  tandem_stream* stream = NULL;
  tandem_tensor *t = counted(), *there = NULL;
  float back[6] = {0};
  OK(tandem_device_usable("cpu", &usable, NULL));
  CHECK(usable == 1);
  FAILS(tandem_device_usable("tpu", &usable, NULL), TANDEM_VALUE_ERROR, "tpu");
  FAILS(tandem_device_usable("cpu", NULL, NULL), TANDEM_VALUE_ERROR, "'usable'");
  OK(tandem_device_usable("cuda:1000", &usable, &why));
  CHECK(usable == 0 && strlen(why) > 0);
  OK(tandem_device_usable("cuda", &usable, &why));
  CHECK(strlen(why) > 0);
  if (usable == 0) {
    CHECK(tandem_to(t, "cuda", NULL, 0, &there) == TANDEM_DEVICE_ERROR);
    CHECK(tandem_stream_create("cuda", 0, &stream) == TANDEM_DEVICE_ERROR);
    CHECK(tandem_synchronize("cuda") == TANDEM_DEVICE_ERROR);
    printf("no GPU: %s\n", why);
  } else {
    tandem_value args[1];
    OK(tandem_stream_create("cuda", 0, &stream));
    OK(tandem_stream_push(stream));
    OK(tandem_to(t, "cuda", NULL, 1, &there));
    args[0] = tandem_tensor_value(NULL, there);
    OK(tandem_call_tensor("square_", args, 1, NULL));
    OK(tandem_stream_pop());
    OK(tandem_stream_synchronize(stream));
    OK(tandem_copy_to_host(there, back, sizeof back));
    CHECK(back[5] == 25);
    wrapping_there(there, stream);
    OK(tandem_stream_release(stream));
    OK(tandem_tensor_release(there));
  }
  OK(tandem_tensor_release(t));
}

/* Whether a file has a text; the file is small. */
static int file_has(const char* path, const char* text) {
  static char all[1 << 20];
  FILE* file = fopen(path, "rb");
  size_t n = 0;
  if (file == NULL) return 0;
  n = fread(all, 1, sizeof all - 1, file);
  all[n] = 0;
  fclose(file);
  return strstr(all, text) != NULL;
}

static void snapshots(void) {
  static const char* const kPath = "c_api_snapshot.json";
  tandem_tensor* t = NULL;
  OK(tandem_memory_tag_push("from C"));
  OK(tandem_memory_tag_push("inner"));
  t = counted();
  OK(tandem_memory_write_snapshot(kPath, "cpu"));
  CHECK(file_has(kPath, "\"tag\": \"from C/inner\""));
  OK(tandem_tensor_release(t));
  OK(tandem_memory_tag_pop());
  OK(tandem_memory_tag_pop());
  OK(tandem_memory_write_snapshot(kPath, "cpu"));
  CHECK(!file_has(kPath, "from C"));
  CHECK(remove(kPath) == 0);
  FAILS(tandem_memory_tag_pop(), TANDEM_VALUE_ERROR, "[tandem_memory_tag_pop] expected");
  FAILS(tandem_memory_tag_push(""), TANDEM_VALUE_ERROR, "[memory_tag] expected");
  FAILS(tandem_memory_tag_push(NULL), TANDEM_VALUE_ERROR, "'name'");
  FAILS(tandem_memory_write_snapshot(NULL, "cpu"), TANDEM_VALUE_ERROR, "'path'");
  FAILS(tandem_memory_write_snapshot("/no such folder/s", "cpu"), TANDEM_FILE_ERROR, "/no such");
}

static void memory(void) {
  tandem_memory before, after;
  const int64_t shape[] = {1 << 20};
  const int64_t large[] = {INT64_C(1) << 40};
  tandem_tensor *t = NULL, *none = NULL;
  uint64_t freed = 0;
  int threads = 0;
  struct {
    size_t size;
    uint64_t requested;
    uint64_t beyond;
  } old = {0, 0, 77};
  before.size = after.size = sizeof before;
  OK(tandem_memory_stats("cpu", &before));
  OK(tandem_empty("float32", "cpu", 1, shape, &t));
  OK(tandem_memory_stats("cpu", &after));
  CHECK(after.requested - before.requested == 4u << 20);
  CHECK(after.limit == UINT64_MAX && after.allocated >= after.requested);
  /* A program with a smaller struct gets what it knows. */
  old.size = offsetof(tandem_memory, allocated);
  OK(tandem_memory_stats("cpu", (tandem_memory*)(void*)&old));
  CHECK(old.requested == after.requested && old.beyond == 77);
  after.size = 3;
  FAILS(tandem_memory_stats("cpu", &after), TANDEM_VALUE_ERROR, "size");
  FAILS(tandem_memory_stats("cpu", NULL), TANDEM_VALUE_ERROR, "'stats'");
  OK(tandem_memory_set_limit("cpu", 64u << 20));
  FAILS(tandem_empty("float32", "cpu", 1, large, &none), TANDEM_OUT_OF_MEMORY, "");
  OK(tandem_memory_set_limit("cpu", UINT64_MAX));
  CHECK(none == NULL);
  OK(tandem_tensor_release(t));
  OK(tandem_memory_reset_peak("cpu"));
  OK(tandem_memory_empty_cache("cpu", &freed));
  CHECK(freed >= 4u << 20);
  OK(tandem_memory_empty_cache("cpu", NULL));
  snapshots();
  FAILS(tandem_memory_empty_cache("cpu:9", NULL), TANDEM_DEVICE_ERROR, "cpu:9");
  OK(tandem_get_num_threads(&threads));
  OK(tandem_set_num_threads(1));
  OK(tandem_set_num_threads(threads));
  CHECK(tandem_set_num_threads(-1) != TANDEM_OK);
  FAILS(tandem_get_num_threads(NULL), TANDEM_VALUE_ERROR, "'n'");
}

int main(void) {
  CHECK(strcmp(tandem_last_error(), "") == 0);
  version();
  dtypes();
  making();
  properties();
  names();
  wrapping();
  wrapping_on_a_stream();
  failed_wrapping();
  copies();
  streams();
  devices();
  memory();
  printf("%s\n", failures == 0 ? "passed" : "FAILED");
  /* Under a preloaded address sanitizer a library that HDF5's file access brings along deadlocks in
     its destructor, once strerror was called (glibc's lock of locales, taken while the sanitizer
     starts): not ours to test. */
  if (getenv("LD_PRELOAD") != NULL) {
    fflush(stdout);
    _Exit(failures == 0 ? 0 : 1);
  }
  return failures == 0 ? 0 : 1;
}
