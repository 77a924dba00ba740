// Opens libtandem_cuda (or an outside accelerator's library) at first use and keeps its table.
//
// Note [Opening a backend]
// libtandem_cuda.so is looked for where TANDEM_CUDA_LIBRARY says, else next to libtandem, else by
// the system's loader. Whatever goes wrong leaves a sentence for device_status and no backend: a
// CUDA-enabled install starts on a machine without a driver. A library that opened is never closed,
// because kernels and device code of it stay registered.
#include "runtime/dispatch/backend_loader.h"

#include <dlfcn.h>
#include <pthread.h>

#include <mutex>
#include <string>
#include <utility>

#include "runtime/base/trace.h"
#include "runtime/dispatch/library.h"
#include "runtime/dispatch/registry.h"
#include "runtime/memory/backend_driver.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "tandem/op_table.h"

namespace tandem {

namespace detail {

thread_local bool launch_failed = false;

namespace {
thread_local std::string launch_message;
thread_local std::exception_ptr launch_exception;  // in place of a message
}  // namespace

void throw_launch_error() {
  launch_failed = false;
  if (launch_exception != nullptr) {
    std::exception_ptr why;
    why.swap(launch_exception);
    std::rethrow_exception(std::move(why));
  }
  std::string message;
  message.swap(launch_message);
  throw DeviceError(message);
}

void fail_launch(std::exception_ptr why) noexcept {
  if (launch_failed) return;  // the first failure tells most
  launch_failed = true;
  launch_exception = std::move(why);
}

}  // namespace detail

namespace {

void raise_on_thread(const char* message) {
  if (detail::launch_failed) return;  // the first failure tells most
  detail::launch_failed = true;
  try {
    detail::launch_message = message;
  } catch (...) {
    detail::launch_message.clear();
  }
}

// One kind has a library by now; a second one gets calls that name it.
int bind(const char* op, DeviceKind kind, Kernel kernel) {
  try {
    return detail::bind_kernel(op, kind, kernel);
  } catch (...) {
    return 1;
  }
}
void* workspace_allocate(int device, std::size_t bytes, void* stream) {
  return backend_workspace_allocate(Device(DeviceKind::CUDA, device), bytes, stream);
}
void workspace_free(int, void* p, void*) { backend_workspace_free(p); }

/// One kind's backend: opened once, by the first thread that asks.
struct Slot {
  std::once_flag once;
  void* library = nullptr;
  BackendTable table{};
  bool usable = false;
  std::string status;
};

/// The library and, where it cannot be opened, why.
void* open_library(std::string* why) {
  void* library = detail::open_beside("TANDEM_CUDA_LIBRARY", "libtandem_cuda.so", why);
  if (library == nullptr && !why->starts_with("switched off")) {
    why->insert(0, "the backend library could not be opened: ");
  }
  return library;
}

bool open_table(Slot& slot) {
  void* library = open_library(&slot.status);
  if (library == nullptr) return false;
  slot.library = library;
  auto open = reinterpret_cast<BackendOpen>(dlsym(library, "tandem_backend_open"));
  if (open == nullptr) {
    slot.status = "the backend library has no entry point tandem_backend_open";
    return false;
  }
  static HostTable host{};  // a backend may keep the pointer
  host.abi = kBackendAbi;
  host.op_table_hash = op_table_hash();
  host.bind = &bind;
  host.workspace_allocate = &workspace_allocate;
  host.workspace_free = &workspace_free;
  host.raise = &raise_on_thread;
  const int code = open(&host, &slot.table);
  slot.table.status[sizeof(slot.table.status) - 1] = '\0';
  slot.status = slot.table.status;
  if (code != 0) {
    if (slot.status.empty()) slot.status = "the backend refused without a reason";
    return false;
  }
  if (slot.table.abi != kBackendAbi || slot.table.kind != DeviceKind::CUDA) {
    slot.status = "the backend library answered with another interface version or device kind";
    return false;
  }
  return slot.table.device_count > 0;
}

void in_child();

void open_slot(Slot& slot) noexcept {
  try {
    slot.usable = open_table(slot);
    if (!slot.usable) return;
    register_backend_pools(slot.table);
    trace::set_backend_ranges({slot.table.driver.range_push, slot.table.driver.range_pop});
    pthread_atfork(nullptr, nullptr, in_child);
  } catch (const std::exception& e) {
    slot.usable = false;
    try {
      slot.status = std::string("opening the backend failed: ") + e.what();
    } catch (...) {
      slot.status.clear();
    }
  }
}

Slot& cuda_slot();

/// A driver's state does not survive a fork: in the child every call of a device is an error that
/// says so, and what the parent had is only let go of.
void in_child() {
  Slot& slot = cuda_slot();
  slot.usable = false;
  slot.status =
      "it was in use before this process forked, and CUDA cannot be used in the child: start "
      "processes otherwise (in Python: multiprocessing's spawn), or fork before the first use";
  slot.table.versions[0] = '\0';
  forget_device_numbers();
  detail::forget_captures();
}

/// The CUDA slot; never destroyed, since tensors may outlive the end of main.
Slot& cuda_slot() {
  static Slot& slot = *new Slot();
  std::call_once(slot.once, [] { open_slot(slot); });
  return slot;
}

}  // namespace

const BackendTable* backend_for(DeviceKind kind) {
  if (kind != DeviceKind::CUDA) return nullptr;
  const Slot& slot = cuda_slot();
  return slot.usable ? &slot.table : nullptr;
}

void* backend_function(DeviceKind kind, const char* name) {
  return backend_for(kind) == nullptr ? nullptr : dlsym(cuda_slot().library, name);
}

void check_driver(const BackendTable& backend, int code, const char* op) {
  if (code == 0) [[likely]]
    return;
  const char* text = backend.error_text != nullptr ? backend.error_text(code) : "unknown error";
  throw DeviceError("[" + std::string(op) + "] the device reported: " + text);
}

Device resolve_device(Device device, const char* op) {
  if (device.is_cpu()) {  // one device, with or without its number, as in PyTorch
    TANDEM_EXPECTS(device.index <= 0, DeviceError,
                   "[" + std::string(op) + "] expected cpu or cpu:0, got " + device.str());
    return kCPU;
  }
  if (device.is_meta()) return kMeta;
  if (device.kind != DeviceKind::CUDA) return device;
  const BackendTable* backend = backend_for(device.kind);
  if (backend == nullptr) {
    throw DeviceError("[" + std::string(op) + "] expected a usable device, got " + device.str() +
                      ": " + device_status(device.kind));
  }
  int index = device.index;
  if (index < 0) check_driver(*backend, backend->driver.current_device(&index), op);
  if (index >= backend->device_count) {
    throw DeviceError("[" + std::string(op) + "] expected a device below cuda:" +
                      std::to_string(backend->device_count) + ", got " + device.str());
  }
  return Device(device.kind, index);
}

Device current_device(DeviceKind kind) { return resolve_device(Device(kind), "current_device"); }

void set_current_device(Device device) {
  device = resolve_device(device, "set_current_device");
  if (device.is_cpu() || device.is_meta()) return;
  const BackendTable& backend = *backend_for(device.kind);
  TANDEM_EXPECTS(
      backend.driver.set_device != nullptr, DeviceError,
      "[set_current_device] expected a backend with a current device, got that of " + device.str());
  check_driver(backend, backend.driver.set_device(device.index), "set_current_device");
}

DeviceGuard::DeviceGuard(Device device) : previous_(current_device(device.kind)) {
  set_current_device(device);
}

DeviceGuard::~DeviceGuard() {
  const BackendTable* backend = backend_for(previous_.kind);
  if (backend != nullptr) backend->driver.set_device(previous_.index);
}

bool is_available(DeviceKind kind) { return device_count(kind) > 0; }

int device_count(DeviceKind kind) {
  if (kind == DeviceKind::CPU || kind == DeviceKind::Meta) return 1;
  const BackendTable* backend = backend_for(kind);
  return backend == nullptr ? 0 : backend->device_count;
}

std::string device_status(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::CPU:
    case DeviceKind::Meta:
      return "usable";
    case DeviceKind::CUDA: {
      const Slot& slot = cuda_slot();
      return slot.usable && slot.table.versions[0] != '\0'
                 ? slot.status + "; " + slot.table.versions
                 : slot.status;
    }
    default:
      return "no backend is registered";
  }
}

}  // namespace tandem
