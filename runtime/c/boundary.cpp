// Errors of the C interface, its version, and the names of dtypes and devices.
#include "runtime/c/boundary.h"

#include <fmt/format.h>

#include <array>
#include <mutex>
#include <new>
#include <set>

#include "tandem/about.h"

namespace tandem::c {

namespace {

thread_local std::string last_error;
thread_local bool no_text = false;  // there was no memory for the text

int keep(int status, const char* text) noexcept {
  try {
    last_error = text;
    no_text = false;
  } catch (...) {
    no_text = true;
  }
  return status;
}

}  // namespace

int status_of_exception() noexcept {
  try {
    throw;
  } catch (const ValueError& e) {
    return keep(TANDEM_VALUE_ERROR, e.what());
  } catch (const TypeError& e) {
    return keep(TANDEM_TYPE_ERROR, e.what());
  } catch (const IndexError& e) {
    return keep(TANDEM_INDEX_ERROR, e.what());
  } catch (const ShapeError& e) {
    return keep(TANDEM_SHAPE_ERROR, e.what());
  } catch (const OutOfMemory& e) {
    return keep(TANDEM_OUT_OF_MEMORY, e.what());
  } catch (const DeviceError& e) {
    return keep(TANDEM_DEVICE_ERROR, e.what());
  } catch (const FileError& e) {
    return keep(TANDEM_FILE_ERROR, e.what());
  } catch (const NotImplemented& e) {
    return keep(TANDEM_NOT_IMPLEMENTED, e.what());
  } catch (const std::bad_alloc&) {
    return keep(TANDEM_OUT_OF_MEMORY, "no memory for the bookkeeping of the call");
  } catch (const std::exception& e) {
    return keep(TANDEM_ERROR, e.what());
  } catch (...) {
    return keep(TANDEM_ERROR, "an exception that is no std::exception");
  }
}

void fail_null(const Argument& a) {
  detail::fail<ValueError>(
      fmt::format("[{}] argument '{}': expected a pointer, got null", a.function, a.name));
}

DType dtype(const char* name, const char* function) {
  const std::string_view text = &given(name, {function, "dtype"});
  const DType t = dtype_by_name(text);
  TANDEM_EXPECTS(t != DType::kCount, ValueError,
                 fmt::format("[{}] argument 'dtype': expected a dtype such as float32, got '{}'",
                             function, text));
  return t;
}

Device device(const char* name, const char* function) {
  return Device(std::string_view(&given(name, {function, "device"})));
}

IntSpan dims(const std::int64_t* p, std::size_t n, const Argument& a) {
  if (n != 0) (void)given(p, a);
  return std::span<const std::int64_t>(p, n);
}

const char* text_of(DType t) {
  static const auto* texts = [] {
    auto* list = new std::array<std::string, kNumDTypes>;
    for (int i = 0; i < kNumDTypes; ++i)
      (*list)[static_cast<std::size_t>(i)] = name(static_cast<DType>(i));
    return list;
  }();
  return (*texts)[static_cast<std::size_t>(t)].c_str();
}

namespace {
const char* kept(std::string text) {
  static std::mutex mutex;
  static auto* texts = new std::set<std::string>;  // an element stays where it is
  const std::lock_guard lock(mutex);
  return texts->insert(std::move(text)).first->c_str();
}
}  // namespace

const char* text_of(Device d) { return kept(d.str()); }
const char* text_of(Name n) { return n.is_none() ? nullptr : kept(std::string(n.str())); }

}  // namespace tandem::c

using namespace tandem;

const char* tandem_version() {
  static const auto* text = new std::string(version());
  return text->c_str();
}

int tandem_abi() { return TANDEM_C_ABI; }

int tandem_check_abi(int abi) {
  return c::guarded([&] {
    TANDEM_EXPECTS(abi == TANDEM_C_ABI, NotImplemented,
                   fmt::format("[tandem_check_abi] the program was built for C interface {}, this "
                               "library (Tandem {}) has {}",
                               abi, version(), TANDEM_C_ABI));
  });
}

const char* tandem_last_error() {
  return c::no_text ? "no memory for the text of the error" : c::last_error.c_str();
}

const char* tandem_status_name(int status) {
  static constexpr const char* kNames[] = {
      "ok",          "error",         "value error",  "type error", "index error",
      "shape error", "out of memory", "device error", "file error", "not implemented"};
  const bool known = status >= 0 && static_cast<std::size_t>(status) < std::size(kNames);
  return known ? kNames[status] : "unknown status";
}

int tandem_dtype_count(size_t* count) {
  return c::guarded([&] { c::given(count, {"tandem_dtype_count", "count"}) = kNumDTypes; });
}

int tandem_dtype_at(size_t i, const char** name, size_t* element_size) {
  return c::guarded([&] {
    TANDEM_EXPECTS(
        i < static_cast<std::size_t>(kNumDTypes), IndexError,
        fmt::format("[tandem_dtype_at] expected an index below {}, got {}", kNumDTypes, i));
    const auto t = static_cast<DType>(i);
    if (name != nullptr) *name = c::text_of(t);
    if (element_size != nullptr) *element_size = tandem::element_size(t);
  });
}
