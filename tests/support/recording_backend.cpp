// A backend of two devices in host memory that writes down what is asked of it. Its work is done
// when a call returns; its ops are fill, copy_, neg and (with a workspace) abs of contiguous
// float32.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "tandem/backend.h"
#include "tandem/export.h"

namespace {

using tandem::ElementwiseLaunch;
using tandem::GeneratorLaunch;

std::mutex mutex;
std::string calls;
bool memory_refused = false;
bool device_lost = false;
std::uintptr_t made = 0;  // streams and events are numbers
int current = 0;
bool staged = false;  // copies have read memory of the host when they return
std::string failing;  // the call that fails once, after so many that do not
int failing_after = 0;
std::map<void*, int> device_of_stream;

void note(const std::string& call) {
  const std::lock_guard hold(mutex);
  calls += call + ";";
}
bool fails(const char* call) {
  const std::lock_guard hold(mutex);
  if (failing != call || failing_after-- > 0) return false;
  failing.clear();
  return true;
}
std::string number(const void* p) { return std::to_string(reinterpret_cast<std::uintptr_t>(p)); }

int allocate(int, std::size_t bytes, void** out) {
  if (memory_refused || device_lost) return 2;
  *out = std::aligned_alloc(std::size_t(2) << 20, bytes);
  return *out == nullptr ? 2 : 0;
}
int release(int, void* p) {
  std::free(p);
  return 0;
}
int memory_info(int, std::size_t* free_bytes, std::size_t* total) {
  if (device_lost) return 9;
  *free_bytes = *total = std::size_t(1) << 34;
  return 0;
}
int copy(int, void* dst, const void* src, std::size_t bytes, int, void* stream) {
  std::memcpy(dst, src, bytes);
  note("copy on " + number(stream));
  return 0;
}
int zero(int, void* dst, std::size_t bytes, void*) {
  std::memset(dst, 0, bytes);
  return 0;
}
int pinned_allocate(std::size_t bytes, void** out) { return allocate(0, bytes, out); }
int pinned_free(void* p) { return release(0, p); }
int current_device(int* out) {
  *out = current;
  return 0;
}
int make(int, void** out) {
  const std::lock_guard hold(mutex);
  *out = reinterpret_cast<void*>(++made);
  return 0;
}
int make_stream(int device, void** out) {
  make(device, out);
  const std::lock_guard hold(mutex);
  device_of_stream[*out] = device;
  return 0;
}
int make_stream_with_priority(int device, int priority, void** out) {
  make_stream(device, out);
  note("stream " + number(*out) + " of priority " + std::to_string(priority));
  return 0;
}
int priority_range(int, int* least, int* greatest) {
  *least = 0;
  *greatest = -2;
  return 0;
}
int stream_device(void* stream, int* out) {
  const std::lock_guard hold(mutex);
  const auto found = device_of_stream.find(stream);
  *out = found == device_of_stream.end() ? -1 : found->second;
  return 0;
}
int read_at_once(int, const void*, int* out) {
  *out = staged ? 1 : 0;
  return 0;
}
int drop_caches(int device) {
  note("drop caches of " + std::to_string(device));
  return 0;
}
int stream_id(int, void* stream, std::uint64_t* out) {
  note("id of " + number(stream));
  *out = reinterpret_cast<std::uintptr_t>(stream);
  return 0;
}
int stream_query(int, void*) { return 1; }  // as its events: pending
int stream_synchronize(int, void* stream) {
  note("synchronize " + number(stream));
  return 0;
}
int device_synchronize(int device) {
  note("synchronize device " + std::to_string(device));
  return 0;
}
int event_destroy(void*) { return 0; }
int event_record(int device, void* event, void* stream) {
  if (fails("event_record")) return 7;
  note("device " + std::to_string(device) + " records " + number(event) + " on " + number(stream));
  return 0;
}
// As long as this says so, memory that another stream used stays away from its own stream.
int event_query(void*) { return 1; }
int event_synchronize(void*) { return 0; }
int stream_wait_event(int device, void* stream, void* event) {
  if (fails("stream_wait_event")) return 7;
  note("device " + std::to_string(device) + " makes " + number(stream) + " wait for " +
       number(event));
  return 0;
}
int peer_copy(int, void* dst, int, const void* src, std::size_t bytes, void* stream) {
  if (fails("peer_copy")) return 7;
  std::memcpy(dst, src, bytes);
  note("peer copy on " + number(stream));
  return 0;
}
void range_push(const char* name) { note(std::string("push ") + name); }
void range_pop() { note("pop"); }
const char* error_text(int) { return "the device is lost"; }
int device_name(int, char* out, std::size_t size) {
  std::snprintf(out, size, "recording device");
  return 0;
}

const tandem::HostTable* host_table = nullptr;

void refuse() { host_table->raise("expected contiguous float32, got other"); }

void fill(const void* desc, const void*) {
  const auto& l = *static_cast<const GeneratorLaunch*>(desc);
  if (!l.contiguous || l.out.dtype != tandem::DType::float32) return refuse();
  for (std::int64_t i = 0; i < l.numel; ++i) {
    static_cast<float*>(l.out.data)[i] = static_cast<float>(l.value.re);
  }
}

void unary(const void* desc, const void* self) {
  const auto& l = *static_cast<const ElementwiseLaunch*>(desc);
  if (!l.contiguous || l.operands[1].dtype != tandem::DType::float32) return refuse();
  const float sign = self == nullptr ? 1.0f : -1.0f;
  for (std::int64_t i = 0; i < l.numel; ++i) {
    static_cast<float*>(l.operands[0].data)[i] =
        sign * static_cast<const float*>(l.operands[1].data)[i];
  }
}

void with_workspace(const void* desc, const void*) {
  const auto& l = *static_cast<const ElementwiseLaunch*>(desc);
  const std::size_t bytes = static_cast<std::size_t>(l.numel) * sizeof(float);
  void* memory = host_table->workspace_allocate(l.device.index, bytes, l.stream);
  if (memory == nullptr) return host_table->raise("no memory for the workspace");
  unary(desc, nullptr);
  host_table->workspace_free(l.device.index, memory, l.stream);
}

}  // namespace

extern "C" TANDEM_API const char* recorded_calls() {
  static std::string shown;
  const std::lock_guard hold(mutex);
  shown.swap(calls);
  calls.clear();
  return shown.c_str();
}
extern "C" TANDEM_API void refuse_memory(bool refuse, bool lost) {
  memory_refused = refuse;
  device_lost = lost;
}

extern "C" TANDEM_API void set_current_device(int device) { current = device; }
extern "C" TANDEM_API void set_staged(bool yes) { staged = yes; }
extern "C" TANDEM_API void fail_next(const char* call, int after) {
  const std::lock_guard hold(mutex);
  failing = call;
  failing_after = after;
}

extern "C" TANDEM_API int tandem_backend_open(const tandem::HostTable* host,
                                              tandem::BackendTable* table) {
  host_table = host;
  table->abi = tandem::kBackendAbi;
  table->kind = tandem::DeviceKind::CUDA;
  table->device_count = 2;
  table->error_text = &error_text;
  table->device_name = &device_name;
  tandem::BackendDriver& d = table->driver;
  d.allocate = allocate;
  d.free = release;
  d.memory_info = memory_info;
  d.copy = copy;
  d.zero = zero;
  d.pinned_allocate = pinned_allocate;
  d.pinned_free = pinned_free;
  d.current_device = current_device;
  d.stream_create = make_stream;
  d.stream_id = stream_id;
  d.stream_query = stream_query;
  d.stream_synchronize = stream_synchronize;
  d.device_synchronize = device_synchronize;
  d.event_create = make;
  d.event_destroy = event_destroy;
  d.event_record = event_record;
  d.event_query = event_query;
  d.event_synchronize = event_synchronize;
  d.stream_wait_event = stream_wait_event;
  d.peer_copy = peer_copy;
  d.range_push = range_push;
  d.range_pop = range_pop;
  d.stream_create_with_priority = make_stream_with_priority;
  d.stream_priority_range = priority_range;
  d.stream_device = stream_device;
  d.read_at_once = read_at_once;
  d.drop_caches = drop_caches;
  const auto cuda = tandem::DeviceKind::CUDA;
  return host->bind("fill", cuda, {&fill, nullptr}) + host->bind("copy_", cuda, {&unary, nullptr}) +
         host->bind("neg", cuda, {&unary, table}) +
         host->bind("abs", cuda, {&with_workspace, nullptr});
}
