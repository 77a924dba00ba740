// What a backend gets to compile and run a user's elementwise kernel. A backend library that can
// has a function tandem_backend_source_kernel beside its entry point.
#pragma once

#include <cstddef>

#include "tandem/device.h"

namespace tandem {

struct SourceArgs;

/// Compiled forms that are kept on disk; the caller's.
struct SourceStore {
  const void* context;
  /// Calls `take` with the bytes kept under a name; nothing where there are none.
  void (*read)(const void* context, const char* name, void (*take)(void*, const char*, std::size_t),
               void* to);
  void (*write)(const void* context, const char* name, const char* bytes, std::size_t size);
};

struct SourceLaunch {
  const char* op;       // for messages
  const char* program;  // with a kernel tandem_source_kernel(SourceArgs)
  const char* key;      // a name of the program
  const char* headers;  // the folder with what it includes
  const SourceStore* store;
  const SourceArgs* args;
  Device device;
  void* stream;
};

/// Queues the kernel on the stream. Returns null, or what is wrong with the program as the compiler
/// says it, which lives until the thread's next call; other failures go to HostTable::raise.
using SourceKernelLaunch = const char* (*)(const SourceLaunch* launch);

}  // namespace tandem
