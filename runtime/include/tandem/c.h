// Tandem's C interface, for pipelines in other languages or built by other compilers: C99, opaque
// handles, no C++ in its ABI. docs/c.md shows it at work.
//
// Every function that can fail returns a status, TANDEM_OK (0) or one of the codes below, and
// tandem_last_error() then has the text. A failed call changes nothing that its pointers lead to,
// and nothing throws or aborts across this interface. Null where a pointer is needed is an error;
// what is said to be optional may be null.
//
// A tensor handle counts its holders: every tandem_tensor** of this header gives one count away,
// which tandem_tensor_release takes back. Threads may use different tensors freely and read one
// together; writing one needs the caller's order. A status is that of the calling thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tandem/export.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- version, errors
// --------------------------------------------------------------------------------

/// Changes when a program built with this header may need a newer library; functions and kinds of
/// value are only ever added, no struct changes its layout.
#define TANDEM_C_ABI 1

enum {
  TANDEM_OK = 0,
  TANDEM_ERROR = 1,           // of no kind below
  TANDEM_VALUE_ERROR = 2,     // a value that is not allowed, null among them
  TANDEM_TYPE_ERROR = 3,      // a dtype or a kind of argument that is not allowed
  TANDEM_INDEX_ERROR = 4,     // an index or axis out of range
  TANDEM_SHAPE_ERROR = 5,     // shapes, names or layouts that do not fit
  TANDEM_OUT_OF_MEMORY = 6,   // the text is the pool's report
  TANDEM_DEVICE_ERROR = 7,    // a device is missing, unusable or reported an error
  TANDEM_FILE_ERROR = 8,      // a file is missing, malformed or could not be written
  TANDEM_NOT_IMPLEMENTED = 9  // the op exists, but not for these arguments
};

/// Such as "0.1.0".
TANDEM_API const char* tandem_version(void);
/// The library's own TANDEM_C_ABI.
TANDEM_API int tandem_abi(void);
/// Call it with TANDEM_C_ABI: an error unless the library serves programs built with that header.
TANDEM_API int tandem_check_abi(int abi);
/// The text of this thread's last failed call, "" before the first. Valid until the next one; calls
/// that succeed leave it.
TANDEM_API const char* tandem_last_error(void);
/// "ok", "value error", ...; of an unknown code "unknown status".
TANDEM_API const char* tandem_status_name(int status);

// ---- handles
// ----------------------------------------------------------------------------------------

typedef struct tandem_tensor tandem_tensor;
typedef struct tandem_stream tandem_stream;
typedef struct tandem_capture tandem_capture;
typedef struct tandem_graph tandem_graph;
typedef struct tandem_generator tandem_generator;
typedef struct tandem_results tandem_results;

// dtypes are named as in Python: "float32", "int64", "bool", ... (tandem_dtype_at lists them);
// devices too: "cpu", "cuda" (the current one), "cuda:0", "meta" (shapes without memory).

TANDEM_API int tandem_dtype_count(size_t* count);
/// Name and bytes an element of the i-th dtype; both optional.
TANDEM_API int tandem_dtype_at(size_t i, const char** name, size_t* element_size);

// ---- making tensors
// ---------------------------------------------------------------------------------

/// Uninitialised. `shape` may be null where ndim is 0.
TANDEM_API int tandem_empty(const char* dtype, const char* device, size_t ndim,
                            const int64_t* shape, tandem_tensor** out);
/// Filled. For numbers that a double does not hold, call an op that fills.
TANDEM_API int tandem_full(const char* dtype, const char* device, size_t ndim, const int64_t* shape,
                           double value, tandem_tensor** out);
/// A copy of dense row-major elements in host memory, `bytes` of them: as many as the shape says,
/// or it is an error. Waits for the copy.
TANDEM_API int tandem_from_host(const void* data, size_t bytes, const char* dtype,
                                const char* device, size_t ndim, const int64_t* shape,
                                tandem_tensor** out);

/// Called once with the wrapped pointer and the context, on the thread that lets the last tensor
/// go. It must not throw or leave by longjmp.
typedef void (*tandem_deleter)(void* data, void* context);
/// A tensor of memory that the caller has, on the host or a device, without a copy. `strides`
/// (optional: dense) are in elements and may be negative; data is then that of element [0, 0, ...].
/// `deleter` (optional) runs when the last tensor of the memory is gone, at once: on a device work
/// that uses the memory may be queued still, and `deleter` must wait for it (cudaFree does). Where
/// wrapping fails it does not run, and the memory stays the caller's.
TANDEM_API int tandem_wrap(void* data, const char* dtype, const char* device, size_t ndim,
                           const int64_t* shape, const int64_t* strides, tandem_deleter deleter,
                           void* context, tandem_tensor** out);

/// The same with the native handle of a stream.
typedef void (*tandem_stream_deleter)(void* data, void* native_stream, void* context);
/// The same for memory on the stream's device that is given back in the stream's order, as by
/// cudaFreeAsync: before `deleter` (needed) is called the stream is made to wait for the others on
/// which the memory was used. The host does not wait.
TANDEM_API int tandem_wrap_on(void* data, const char* dtype, const tandem_stream* stream,
                              size_t ndim, const int64_t* shape, const int64_t* strides,
                              tandem_stream_deleter deleter, void* context, tandem_tensor** out);

/// One more holder.
TANDEM_API int tandem_tensor_retain(tandem_tensor* t);
/// One holder less; null is allowed.
TANDEM_API int tandem_tensor_release(tandem_tensor* t);

// ---- properties
// -------------------------------------------------------------------------------------

TANDEM_API int tandem_tensor_ndim(const tandem_tensor* t, size_t* ndim);
/// Writes ndim sizes; an error where `capacity` is less.
TANDEM_API int tandem_tensor_shape(const tandem_tensor* t, int64_t* shape, size_t capacity);
/// In elements.
TANDEM_API int tandem_tensor_strides(const tandem_tensor* t, int64_t* strides, size_t capacity);
TANDEM_API int tandem_tensor_numel(const tandem_tensor* t, int64_t* numel);
TANDEM_API int tandem_tensor_element_size(const tandem_tensor* t, size_t* bytes);
/// A text that lives as long as the library.
TANDEM_API int tandem_tensor_dtype(const tandem_tensor* t, const char** dtype);
/// A text that lives as long as the library.
TANDEM_API int tandem_tensor_device(const tandem_tensor* t, const char** device);
/// The names of the ndim dimensions, null where one has none; texts that live as long as the
/// library.
TANDEM_API int tandem_tensor_names(const tandem_tensor* t, const char** names, size_t capacity);
/// 1 where the elements are dense and in row-major order, else 0.
TANDEM_API int tandem_tensor_is_contiguous(const tandem_tensor* t, int* contiguous);
/// The first element; null on meta and where there are no elements. On a device the caller orders
/// its work after Tandem's: see tandem_tensor_data_on.
TANDEM_API int tandem_tensor_data(const tandem_tensor* t, void** data);
/// The first element for work of the caller on a stream: records the use, so that the memory is not
/// given out again before that work is done.
TANDEM_API int tandem_tensor_data_on(const tandem_tensor* t, const tandem_stream* stream,
                                     void** data);

/// As it is printed, cut to `capacity` bytes with the zero at the end; `length` (optional) is that
/// of the whole text without it. Waits for a device.
TANDEM_API int tandem_tensor_text(const tandem_tensor* t, char* text, size_t capacity,
                                  size_t* length);
/// The same elements with these names of dimensions (ndim of them; null: no name). It shares the
/// memory.
TANDEM_API int tandem_with_names(const tandem_tensor* t, const char* const* names, size_t count,
                                 tandem_tensor** out);

// ---- copies
// -----------------------------------------------------------------------------------------

/// The elements in row-major order, whatever the layout; `bytes` must be numel times element size.
/// Waits for the tensor's work and the copy.
TANDEM_API int tandem_copy_to_host(const tandem_tensor* t, void* data, size_t bytes);
/// Overwrites the elements with dense row-major ones; waits for the copy.
TANDEM_API int tandem_copy_from_host(tandem_tensor* t, const void* data, size_t bytes);
/// On another device and of another dtype (each optional: as it is); the tensor itself where
/// nothing changes. Waits only if `non_blocking` is 0 and the copy crosses to the host.
TANDEM_API int tandem_to(const tandem_tensor* t, const char* device, const char* dtype,
                         int non_blocking, tandem_tensor** out);
/// The tensor itself where it is dense and row-major, else a copy.
TANDEM_API int tandem_contiguous(const tandem_tensor* t, tandem_tensor** out);

// ---- streams
// ----------------------------------------------------------------------------------------

/// A stream of the device from Tandem's pool, of a priority (0 is always one); on the CPU work is
/// done at once, by the caller.
TANDEM_API int tandem_stream_create(const char* device, int priority, tandem_stream** out);
/// The priorities of a device's streams; lower numbers come first.
TANDEM_API int tandem_stream_priorities(const char* device, int* least, int* greatest);
/// A stream of the caller's, such as a cudaStream_t (null: the default stream). It must outlive its
/// use and the memory that its work used.
TANDEM_API int tandem_stream_wrap(const char* device, void* native, tandem_stream** out);
/// The stream that this thread's calls on the device go to.
TANDEM_API int tandem_stream_current(const char* device, tandem_stream** out);
/// Lets the handle go, not the work; null is allowed.
TANDEM_API int tandem_stream_release(tandem_stream* stream);
TANDEM_API int tandem_stream_native(const tandem_stream* stream, void** native);
/// Waits for the stream's work; errors of that work are errors of this call.
TANDEM_API int tandem_stream_synchronize(const tandem_stream* stream);
/// 1 where all work is done, else 0; does not wait.
TANDEM_API int tandem_stream_query(const tandem_stream* stream, int* done);
/// The stream's work from now on comes after what `other` has to do by now; does not wait.
TANDEM_API int tandem_stream_wait(const tandem_stream* stream, const tandem_stream* other);
/// Makes the stream current on this thread until the pop that belongs to it.
TANDEM_API int tandem_stream_push(const tandem_stream* stream);
/// Back to what was current before this thread's last push; an error where there was none.
TANDEM_API int tandem_stream_pop(void);
/// A stream of the caller's alone, which tandem_stream_destroy ends.
TANDEM_API int tandem_stream_create_owned(const char* device, int priority, tandem_stream** out);
/// Ends a stream of tandem_stream_create_owned without waiting: its work goes on. Later uses of the
/// stream fail; the handle itself still has to be released.
TANDEM_API int tandem_stream_destroy(const tandem_stream* stream);
/// To be called before the owner of a wrapped stream destroys it, where memory that was used on it
/// may live on.
TANDEM_API int tandem_stream_retire(const tandem_stream* stream);
/// Waits for all work of all streams of a device.
TANDEM_API int tandem_synchronize(const char* device);

// ---- graphs
// -----------------------------------------------------------

/// Begins to record the work of a stream, which is not the default one, and makes it current on
/// this thread until the capture ends (before streams that were pushed earlier are popped). Calls
/// that wait for the device fail meanwhile. Fails on the CPU: see tandem/graph.h.
TANDEM_API int tandem_capture_begin(const tandem_stream* stream, tandem_capture** out);
/// Ends a capture on the thread that began it; `capture` is gone, whether it succeeds or not. With
/// *out a graph (not null) that graph takes the work over, and `kept` (may be null) says whether
/// its executable was kept, which is cheap: the work has the same shape. Else *out gets a new
/// graph.
TANDEM_API int tandem_capture_end(tandem_capture* capture, tandem_graph** out, int* kept);
/// Gives a capture up: nothing of it is left.
TANDEM_API int tandem_capture_abandon(tandem_capture* capture);
/// Runs the recorded work on a stream (null: the current one of its device), on the same memory as
/// at the capture. Does not wait.
TANDEM_API int tandem_graph_replay(const tandem_graph* graph, const tandem_stream* stream);
/// Kernels, copies and fills in it.
TANDEM_API int tandem_graph_nodes(const tandem_graph* graph, size_t* nodes);
/// Its memory goes back when its replays are done; does not wait.
TANDEM_API int tandem_graph_release(tandem_graph* graph);

// ---- devices, memory, threads
// -----------------------------------------------------------------------

/// Whether tensors can live and be computed on the device; `why` (optional) says it in words and is
/// valid until this thread asks again. No error for a device that is not there.
TANDEM_API int tandem_device_usable(const char* device, int* usable, const char** why);

typedef struct tandem_memory {
  size_t size;              // set it to sizeof(tandem_memory): a later header may add fields
  uint64_t requested;       // bytes that live allocations asked for
  uint64_t allocated;       // the same, rounded as the pool rounds
  uint64_t allocated_peak;  // since the start or tandem_memory_reset_peak
  uint64_t reserved;        // bytes taken from the device, live and cached
  uint64_t reserved_peak;
  uint64_t pending;       // freed, but another stream may still use it
  uint64_t cached;        // reserved, and neither allocated nor pending
  uint64_t largest_free;  // cached range
  uint64_t limit;         // UINT64_MAX: none
  uint64_t allocations;
  uint64_t frees;
  uint64_t cache_hits;
  uint64_t out_of_memory;  // allocations that failed
  uint64_t events;         // recorded for memory, on the device's streams
  uint64_t waits;          // of these streams for others, likewise
} tandem_memory;

TANDEM_API int tandem_memory_stats(const char* device, tandem_memory* stats);
TANDEM_API int tandem_memory_reset_peak(const char* device);
/// Caps what the pool may take from the device; UINT64_MAX removes the cap.
TANDEM_API int tandem_memory_set_limit(const char* device, uint64_t bytes);
/// Gives memory that no tensor uses back, after waiting for the device; `freed` is optional.
TANDEM_API int tandem_memory_empty_cache(const char* device, uint64_t* freed);
/// Gives idle memory back until at most `keep` bytes are held; waits for nothing. `freed` is
/// optional.
TANDEM_API int tandem_memory_trim(const char* device, uint64_t keep, uint64_t* freed);

/// A source of memory of the caller's, that a pool takes its segments from. Functions may be called
/// from any thread; they may call Tandem, but for these functions on the same device.
typedef struct tandem_memory_resource {
  size_t size;  // sizeof(tandem_memory_resource), set by the caller
  void* context;
  /// Memory of `bytes` aligned to `align`, or null when there is none. `stream` is null and the
  /// memory ready for use in any order, but see stream_ordered.
  void* (*allocate)(void* context, size_t bytes, size_t align, void* stream);
  /// With the sizes of the allocation; all work that used the memory is done.
  void (*deallocate)(void* context, void* data, size_t bytes, size_t align, void* stream);
  /// Called once when the resource is put under a pool, and once when it is not any more and all
  /// its memory is back. Either may be null.
  void (*retain)(void* context);
  void (*release)(void* context);
  /// Not 0: memory is given in the order of `stream` (a cudaStream_t), as by cudaMallocAsync.
  int stream_ordered;
} tandem_memory_resource;
/// Puts a resource under the device's pool; the struct is copied. Null: the device's own driver
/// again. Memory that was taken stays and goes back to where it came from.
TANDEM_API int tandem_memory_set_resource(const char* device,
                                          const tandem_memory_resource* resource);

/// Lends memory of the pool of the stream's device for work in the stream's order.
TANDEM_API int tandem_memory_allocate(size_t bytes, const tandem_stream* stream, void** data);
/// Gives lent memory back after what the stream has to do by now; nothing for null.
TANDEM_API int tandem_memory_deallocate(void* data, const tandem_stream* stream);

/// Names what this thread allocates until the pop, in snapshots and out-of-memory reports; a tag
/// within a tag is "outer/inner". Control characters, an empty name and one of more than 200 bytes
/// are TANDEM_VALUE_ERROR, and so is a pop without a push.
TANDEM_API int tandem_memory_tag_push(const char* name);
TANDEM_API int tandem_memory_tag_pop(void);
/// Writes all that the device's pool holds as a JSON file, for `tandem memory`.
TANDEM_API int tandem_memory_write_snapshot(const char* path, const char* device);

/// Threads that host ops may use.
TANDEM_API int tandem_set_num_threads(int n);
TANDEM_API int tandem_get_num_threads(int* n);

/// The seed of calls that name no generator.
TANDEM_API int tandem_manual_seed(uint64_t seed);
TANDEM_API int tandem_generator_create(uint64_t seed, tandem_generator** out);
/// Null is allowed.
TANDEM_API int tandem_generator_release(tandem_generator* generator);

// ---- ops
// --------------------------------------------------------------------------------------------

TANDEM_API int tandem_op_count(size_t* count);
/// Name, schema and one line of documentation of the i-th op (each optional), texts that live as
/// long as the library. A schema reads "(x: Tensor, dim: axis, *, dtype: dtype?=None)"; a parameter
/// without a type takes a tensor or a number, what follows a * is given by name only.
TANDEM_API int tandem_op_at(size_t i, const char** name, const char** schema, const char** doc);

/// What a tandem_value holds.
enum {
  TANDEM_NONE = 0,       // stands for the default
  TANDEM_TENSOR = 1,     // as.tensor
  TANDEM_TENSORS = 2,    // as.tensors, count of them; null among them is "none"
  TANDEM_BOOL = 3,       // as.integer, 0 or not
  TANDEM_INT = 4,        // as.integer
  TANDEM_UINT = 5,       // as.natural
  TANDEM_FLOAT = 6,      // as.number
  TANDEM_COMPLEX = 7,    // as.complex_parts: real, imaginary
  TANDEM_TEXT = 8,       // as.text: a str, the name of an axis, a dtype or a device
  TANDEM_TEXTS = 9,      // as.texts, count of them: names of axes; null among them is "no name"
  TANDEM_INTS = 10,      // as.integers, count of them: a shape, axes
  TANDEM_FLOATS = 11,    // as.numbers, count of them
  TANDEM_DTYPE = 12,     // as.text, where a TANDEM_TEXT could be something else
  TANDEM_DEVICE = 13,    // as.text
  TANDEM_GENERATOR = 14  // as.generator
};

/// An argument or a result of an op: 40 bytes where pointers have 8, the same in every version.
typedef struct tandem_value {
  const char* name;  // the parameter; null: the next one by position
  int32_t kind;
  int32_t reserved;  // 0
  size_t count;      // of lists
  union {
    tandem_tensor* tensor;
    tandem_tensor* const* tensors;
    int64_t integer;
    uint64_t natural;
    double number;
    double complex_parts[2];
    const char* text;
    const char* const* texts;
    const int64_t* integers;
    const double* numbers;
    const tandem_generator* generator;
  } as;
} tandem_value;

/// Runs any op. `op` is a name of tandem_op_at or another name of that op; with _ at its end the
/// form that writes to its first argument. Arguments are matched to the schema by name or by
/// position; missing ones take their defaults. An argument named `out`, a tensor or a list of them,
/// takes the results, which are given back as well. A failed call has written nothing.
TANDEM_API int tandem_call(const char* op, const tandem_value* args, size_t count,
                           tandem_results** results);
/// The same for an op that gives one tensor, which is given away as any other; TANDEM_TYPE_ERROR
/// for what gives something else. `out` is optional: in place there is nothing new.
TANDEM_API int tandem_call_tensor(const char* op, const tandem_value* args, size_t count,
                                  tandem_tensor** out);

TANDEM_API int tandem_results_count(const tandem_results* results, size_t* count);
/// The i-th result. What it points to lives as long as the results.
TANDEM_API int tandem_results_at(const tandem_results* results, size_t i, tandem_value* value);
/// The i-th result, which must be a tensor, for the caller to keep.
TANDEM_API int tandem_results_tensor(const tandem_results* results, size_t i, tandem_tensor** out);
/// Null is allowed.
TANDEM_API int tandem_results_release(tandem_results* results);

#ifdef __cplusplus
}
#endif

// ---- arguments, for programs in C and C++
// -----------------------------------------------------------

static inline tandem_value tandem_none(const char* name) {
  tandem_value v;
  v.name = name;
  v.kind = TANDEM_NONE;
  v.reserved = 0;
  v.count = 0;
  v.as.complex_parts[0] = v.as.complex_parts[1] = 0;
  return v;
}
static inline tandem_value tandem_tensor_value(const char* name, tandem_tensor* tensor) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_TENSOR;
  v.as.tensor = tensor;
  return v;
}
static inline tandem_value tandem_tensors_value(const char* name, tandem_tensor* const* tensors,
                                                size_t count) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_TENSORS;
  v.count = count;
  v.as.tensors = tensors;
  return v;
}
static inline tandem_value tandem_bool(const char* name, int flag) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_BOOL;
  v.as.integer = flag != 0;
  return v;
}
static inline tandem_value tandem_int(const char* name, int64_t integer) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_INT;
  v.as.integer = integer;
  return v;
}
static inline tandem_value tandem_uint(const char* name, uint64_t natural) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_UINT;
  v.as.natural = natural;
  return v;
}
static inline tandem_value tandem_float(const char* name, double number) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_FLOAT;
  v.as.number = number;
  return v;
}
static inline tandem_value tandem_complex(const char* name, double real, double imaginary) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_COMPLEX;
  v.as.complex_parts[0] = real;
  v.as.complex_parts[1] = imaginary;
  return v;
}
static inline tandem_value tandem_text(const char* name, const char* text) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_TEXT;
  v.as.text = text;
  return v;
}
static inline tandem_value tandem_texts(const char* name, const char* const* texts, size_t count) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_TEXTS;
  v.count = count;
  v.as.texts = texts;
  return v;
}
static inline tandem_value tandem_ints(const char* name, const int64_t* integers, size_t count) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_INTS;
  v.count = count;
  v.as.integers = integers;
  return v;
}
static inline tandem_value tandem_floats(const char* name, const double* numbers, size_t count) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_FLOATS;
  v.count = count;
  v.as.numbers = numbers;
  return v;
}
static inline tandem_value tandem_dtype(const char* name, const char* dtype) {
  tandem_value v = tandem_text(name, dtype);
  v.kind = TANDEM_DTYPE;
  return v;
}
static inline tandem_value tandem_device(const char* name, const char* device) {
  tandem_value v = tandem_text(name, device);
  v.kind = TANDEM_DEVICE;
  return v;
}
static inline tandem_value tandem_generator_value(const char* name,
                                                  const tandem_generator* generator) {
  tandem_value v = tandem_none(name);
  v.kind = TANDEM_GENERATOR;
  v.as.generator = generator;
  return v;
}
