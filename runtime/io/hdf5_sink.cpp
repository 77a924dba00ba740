// HDF5's view of a file that is being written: a driver over a descriptor that keeps the first
// error to itself. After a failed write the library could not close its file, nor end in peace.
#include <hdf5.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime/io/hdf5.h"

namespace tandem::io::h5 {
namespace {

struct Target {
  int descriptor;
  int* error;
};

struct Sink {
  H5FD_t base;  // first: the library hands out its address
  Target target;
  haddr_t allocated, end;
};

Sink* sink_of(const H5FD_t* f) { return const_cast<Sink*>(reinterpret_cast<const Sink*>(f)); }

H5FD_t* open_sink(const char*, unsigned, hid_t access, haddr_t) {
  const auto* target = static_cast<const Target*>(H5Pget_driver_info(access));
  auto* s = target == nullptr ? nullptr : static_cast<Sink*>(std::calloc(1, sizeof(Sink)));
  if (s == nullptr) return nullptr;
  s->target = *target;
  return &s->base;
}

herr_t close_sink(H5FD_t* f) {
  std::free(sink_of(f));
  return 0;
}

herr_t features(const H5FD_t*, unsigned long* flags) {
  if (flags != nullptr) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
  }
  return 0;
}

haddr_t get_allocated(const H5FD_t* f, H5FD_mem_t) { return sink_of(f)->allocated; }

herr_t set_allocated(H5FD_t* f, H5FD_mem_t, haddr_t at) {
  sink_of(f)->allocated = at;
  return 0;
}

haddr_t get_end(const H5FD_t* f, H5FD_mem_t) {
  return std::max(sink_of(f)->end, sink_of(f)->allocated);
}

herr_t read_back(H5FD_t* f, H5FD_mem_t, hid_t, haddr_t at, size_t bytes, void* out) {
  auto* p = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t n = ::pread(sink_of(f)->target.descriptor, p, bytes, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) {  // allocated, never written
      std::memset(p, 0, bytes);
      return 0;
    }
    p += n;
    at += static_cast<haddr_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  return 0;
}

herr_t write_out(H5FD_t* f, H5FD_mem_t, hid_t, haddr_t at, size_t bytes, const void* data) {
  Sink* s = sink_of(f);
  const auto* p = static_cast<const char*>(data);
  while (bytes > 0 && *s->target.error == 0) {
    const ssize_t n = ::pwrite(s->target.descriptor, p, bytes, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      *s->target.error = errno;
      break;
    }
    p += n;
    at += static_cast<haddr_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  s->end = std::max(s->end, at + bytes);
  return 0;
}

#if H5_VERSION_GE(1, 10, 1)
using Closing = hbool_t;
#else
using Closing = unsigned;
#endif

herr_t set_length(H5FD_t* f, hid_t, Closing) {
  Sink* s = sink_of(f);
  if (*s->target.error == 0 &&
      ::ftruncate(s->target.descriptor, static_cast<off_t>(s->allocated)) != 0) {
    *s->target.error = errno;
  }
  s->end = s->allocated;
  return 0;
}

H5FD_class_t make_class() {
  static constexpr H5FD_mem_t kMap[] = H5FD_FLMAP_DICHOTOMY;
  H5FD_class_t c{};
#if H5_VERSION_GE(1, 13, 0)
  c.version = H5FD_CLASS_VERSION;
  c.value = static_cast<H5FD_class_value_t>(440);  // of the range for testing; the file keeps none
#endif
  c.name = "tandem_sink";
  c.maxaddr = (haddr_t(1) << 62) - 1;
  c.fc_degree = H5F_CLOSE_STRONG;
  c.fapl_size = sizeof(Target);
  c.open = open_sink;
  c.close = close_sink;
  c.query = features;
  c.get_eoa = get_allocated;
  c.set_eoa = set_allocated;
  c.get_eof = get_end;
  c.read = read_back;
  c.write = write_out;
  c.truncate = set_length;
  std::memcpy(c.fl_map, kMap, sizeof(c.fl_map));
  return c;
}

}  // namespace

Id sink(int descriptor, int* error) {
  static const H5FD_class_t kClass = make_class();
  static const hid_t driver = H5FDregister(&kClass);
  const Target target{descriptor, error};
  Id access = plist(H5Pcreate(H5P_FILE_ACCESS));
  if (driver < 0 || !access.ok() || H5Pset_driver(access, driver, &target) < 0) return {};
  return access;
}

}  // namespace tandem::io::h5
