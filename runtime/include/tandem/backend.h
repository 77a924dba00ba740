// What a backend implements: the launch structs its kernels get and the C table it registers
// through. Used by host/, by libtandem_cuda and by outside accelerators; plain data, no Tensor. The
// structs of ops that fit none of the families here are in tandem/backend/, a file a family.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tandem/device.h"
#include "tandem/dtype.h"
#include "tandem/op_row.h"

namespace tandem {

inline constexpr int kMaxRank = 32;     // dimensions of a tensor
inline constexpr int kMaxOperands = 6;  // outputs and inputs of one launch
inline constexpr std::uint32_t kBackendAbi = 6;

/// A number in the compute type of the operand's kernel dtype; wide enough for complex128.
union ScalarBits {
  double f64;
  float f32;
  std::int64_t i64;
  std::uint64_t u64;
  Complex64 c64;
  Complex128 c128;
};

/// One output or input of a launch. A kernel loads `dtype`, casts to `kernel`, computes in its
/// compute type and on the store rounds once to `dtype`.
struct OperandDesc {
  void* data;                   // first element; null for a scalar
  const std::int64_t* strides;  // bytes, one a dimension of the launch; null for a scalar
  ScalarBits scalar;            // the value, where data is null: in compute_t of `kernel`
  DType dtype;                  // as stored
  DType kernel;                 // as the functor sees it
};

/// out[...] = f(in[...]). Dimensions are sorted (outermost first) and merged where all operands
/// allow it. An operand with data == nullptr is a number.
struct ElementwiseLaunch {
  const OpRow* row;
  std::int64_t numel;
  const std::int64_t* shape;
  int rank;
  int n_out, n_in;
  DType dtype;      // the dtype of the computation: which instantiation runs
  bool contiguous;  // every tensor operand is dense in one order and stored in its kernel dtype
  Device device;
  void* stream;
  OperandDesc operands[kMaxOperands];  // outputs first
};

/// out[i] = f(i): i is the linear index in row-major order of the output's logical shape.
struct GeneratorLaunch {
  const OpRow* row;
  std::int64_t numel;
  const std::int64_t* shape;  // logical order, not sorted
  int rank;
  bool contiguous;
  Device device;
  void* stream;
  OperandDesc out;
  // arange: start, step; linspace: start, end, and their imaginary parts; uniform ranges
  double f[4];
  std::int64_t i[2];  // integer arange: start, step; eye: columns
  std::uint64_t seed, offset;
  Complex128 value;  // fill
};

/// Reduces `n` elements (the reduced dimensions in logical row-major order) for each outer index,
/// on the fixed tree of docs/numerics.md. With two inputs their product is reduced (einsum).
struct ReduceLaunch {
  const OpRow* row;
  std::int64_t numel;         // outer elements
  std::int64_t n;             // reduced elements of each
  const std::int64_t* shape;  // outer dimensions, then reduced dimensions
  int rank_outer, rank_reduced;
  int n_out, n_in;  // two outputs: values and indices
  DType dtype;      // inputs are cast to it on load
  double param;     // var, std: the correction
  Device device;
  void* stream;
  // Strides of outputs run over the outer dimensions, those of inputs over outer then reduced.
  OperandDesc operands[4];
};

/// Softmax and its kin: rows of length n along one dimension, a row written for a row read.
struct RowLaunch {
  const OpRow* row;
  std::int64_t numel;         // rows
  std::int64_t n;             // length of a row
  const std::int64_t* shape;  // outer dimensions
  int rank;
  DType dtype;
  std::int64_t out_stride, in_stride;  // bytes along the row
  Device device;
  void* stream;
  OperandDesc out, in;  // strides over the outer dimensions
};

/// C[b] = A[b] B[b]: batch of m x k by k x n products. Strides in elements; a batch stride may be
/// 0.
struct GemmLaunch {
  std::int64_t batch, m, n, k;
  const void* a;
  const void* b;
  void* c;
  std::int64_t a_batch, a_row, a_col;
  std::int64_t b_batch, b_row, b_col;
  std::int64_t c_batch, c_row, c_col;
  DType dtype;
  Device device;
  void* stream;
};

/// Driver calls of a backend, device by device. Return 0 or an error code that `error_text`
/// explains.
struct BackendDriver {
  int (*allocate)(int device, std::size_t bytes, void** out);
  int (*free)(int device, void* p);
  int (*memory_info)(int device, std::size_t* free_bytes, std::size_t* total_bytes);
  int (*copy)(int device, void* dst, const void* src, std::size_t bytes, int kind, void* stream);
  int (*zero)(int device, void* dst, std::size_t bytes, void* stream);
  int (*pinned_allocate)(std::size_t bytes, void** out);
  int (*pinned_free)(void* p);
  int (*current_device)(int* out);  // of the calling thread
  int (*stream_create)(int device, void** out);
  int (*stream_id)(int device, void* stream, std::uint64_t* out);  // unique, never reused
  int (*stream_query)(int device, void* stream);                   // 0 done, 1 busy, else an error
  int (*stream_synchronize)(int device, void* stream);
  int (*device_synchronize)(int device);
  int (*event_create)(int device, void** out);
  int (*event_destroy)(void* event);
  int (*event_record)(int device, void* event, void* stream);
  int (*event_query)(void* event);  // 0 done, 1 pending
  int (*event_synchronize)(void* event);
  int (*stream_wait_event)(int device, void* stream, void* event);
  int (*peer_copy)(int dst_device, void* dst, int src_device, const void* src, std::size_t bytes,
                   void* stream);
  // Takes an error that the device found in work on the stream (all != 0: on any of the device's),
  // such as an index out of range: 1 and a sentence for an IndexError, or 0. Asked after every
  // wait; may be null.
  int (*take_error)(int device, void* stream, int all, char* text, std::size_t size);
  void (*range_push)(const char* name);  // profiler ranges (NVTX)
  void (*range_pop)();

  // Since version 5. Each of these may be null where the backend has no such thing.
  /// A stream of a priority: lower numbers come first, as in stream_priority_range.
  int (*stream_create_with_priority)(int device, int priority, void** out);
  int (*stream_priority_range)(int device, int* least, int* greatest);
  int (*stream_device)(void* stream, int* out);  // that a stream was made on; -1: cannot be told
  int (*capturing)(int device, void* stream, int* out);  // 1: its work is recorded, not run
  int (*can_access_peer)(int device, int peer, int* out);
  /// 1: a copy from this host memory to the device has read all of it when `copy` returns.
  int (*read_at_once)(int device, const void* host, int* out);
  /// Gives back memory of the device that the backend keeps on its own (libraries' workspaces).
  int (*drop_caches)(int device);
  /// Address space and memory apart, joined by map; sizes and addresses are multiples of the
  /// granularity, which is 0 where the device has no such thing. Mapped memory is readable and
  /// writable on its device. A call that fails changed nothing.
  int (*virtual_granularity)(int device, std::size_t* out);
  int (*reserve)(int device, std::size_t bytes, std::uintptr_t* out);
  int (*release)(int device, std::uintptr_t address, std::size_t bytes);
  int (*create)(int device, std::size_t bytes, std::uint64_t* out);
  int (*destroy)(int device, std::uint64_t memory, std::size_t bytes);
  int (*map)(int device, std::uintptr_t at, std::size_t bytes, std::uint64_t memory);
  int (*unmap)(int device, std::uintptr_t at, std::size_t bytes);
  /// Handles with a meaning of their own: another name of the default stream, and the name by which
  /// each thread knows a stream of its own.
  void* default_stream_alias;
  void* per_thread_stream;

  // Since version 6. Each of these may be null where the backend has no such thing.
  int (*set_device)(int device);  // of the calling thread: the one call that changes it
  int (*stream_destroy)(int device, void* stream);  // work queued on it goes on
  /// Every byte; in stream order.
  int (*fill)(int device, void* dst, int byte, std::size_t bytes, void* stream);
  /// From now on the device reaches the peer's memory directly, also what is mapped later; 0 where
  /// it does already. To be called where can_access_peer says that it can.
  int (*enable_peer)(int device, int peer);
  /// From capture_begin to capture_end, work that the calling thread queues on the stream, and on
  /// streams that wait for its events, is recorded into a graph instead of run. capture_end leaves
  /// *graph null where it fails, as it does where something in between was not allowed; the stream
  /// works as before then.
  int (*capture_begin)(int device, void* stream);
  int (*capture_end)(int device, void* stream, void** graph);
  int (*graph_nodes)(void* graph, std::size_t* out);
  int (*graph_destroy)(void* graph);
  /// What can be launched, any number of times; independent of the graph that it was made of.
  int (*graph_instantiate)(int device, void* graph, void** executable);
  /// Gives an executable the arguments of another graph of the same shape. *updated = 0, and
  /// nothing changed, where the shapes differ.
  int (*graph_update)(int device, void* executable, void* graph, int* updated);
  int (*graph_launch)(int device, void* executable, void* stream);
  int (*executable_destroy)(void* executable);
};

/// `kind` of BackendDriver::copy.
enum CopyKind : int { kHostToDevice = 0, kDeviceToHost = 1, kDeviceToDevice = 2 };

/// What the core offers to a backend library.
struct HostTable {
  std::uint32_t abi;
  std::uint64_t op_table_hash;
  /// Binds a kernel to the op of a name; returns 0, or 1 where the table has no such op.
  int (*bind)(const char* op, DeviceKind kind, Kernel kernel);
  /// Memory from the device's pool in the order of the stream, for workspaces. Null on failure: the
  /// launch that asked should return then, and the op raises what the pool said (OutOfMemory).
  void* (*workspace_allocate)(int device, std::size_t bytes, void* stream);
  void (*workspace_free)(int device, void* p, void* stream);
  /// Called by a kernel's `launch` that could not do its work, at most once, before it returns: no
  /// exception crosses the boundary. The funnel turns the message into a DeviceError.
  void (*raise)(const char* message);
};

/// What a backend library answers.
struct BackendTable {
  std::uint32_t abi;
  DeviceKind kind;
  int device_count;
  char status[512];  // why it is or is not usable, in words
  char versions[256];
  BackendDriver driver;
  const char* (*error_text)(int code);
  int (*device_name)(int device, char* out, std::size_t size);
};

/// The one entry point of a backend library: `tandem_backend_open`. Returns 0 when usable; fills
/// table->status either way.
using BackendOpen = int (*)(const HostTable* host, BackendTable* table);

}  // namespace tandem
