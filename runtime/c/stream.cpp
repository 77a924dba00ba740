// Streams of the C interface.
#include <memory>
#include <vector>

#include "runtime/c/boundary.h"

using namespace tandem;

namespace {
/// The pushes of this thread.
thread_local std::vector<std::unique_ptr<StreamGuard>> pushed;
}  // namespace

int tandem_stream_create(const char* device, int priority, tandem_stream** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_stream_create";
    tandem_stream*& to = c::given(out, {kFunction, "out"});
    to = new tandem_stream{Stream::create(c::device(device, kFunction), priority)};
  });
}

int tandem_stream_create_owned(const char* device, int priority, tandem_stream** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_stream_create_owned";
    tandem_stream*& to = c::given(out, {kFunction, "out"});
    auto made = std::make_unique<tandem_stream>();
    made->stream = Stream::create_owned(c::device(device, kFunction), priority);
    to = made.release();
  });
}

int tandem_stream_destroy(const tandem_stream* stream) {
  return c::guarded([&] { c::stream(stream, "tandem_stream_destroy").destroy(); });
}

int tandem_stream_retire(const tandem_stream* stream) {
  return c::guarded([&] { c::stream(stream, "tandem_stream_retire").retire(); });
}

int tandem_stream_priorities(const char* device, int* least, int* greatest) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_stream_priorities";
    int& low = c::given(least, {kFunction, "least"});
    int& high = c::given(greatest, {kFunction, "greatest"});
    const StreamPriorities range = stream_priority_range(c::device(device, kFunction));
    low = range.least;
    high = range.greatest;
  });
}

int tandem_stream_wrap(const char* device, void* native, tandem_stream** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_stream_wrap";
    tandem_stream*& to = c::given(out, {kFunction, "out"});
    to = new tandem_stream{Stream::wrap(c::device(device, kFunction), native)};
  });
}

int tandem_stream_current(const char* device, tandem_stream** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_stream_current";
    tandem_stream*& to = c::given(out, {kFunction, "out"});
    to = new tandem_stream{current_stream(c::device(device, kFunction))};
  });
}

int tandem_stream_release(tandem_stream* stream) {
  delete stream;
  return TANDEM_OK;
}

int tandem_stream_native(const tandem_stream* stream, void** native) {
  return c::guarded([&] {
    c::given(native, {"tandem_stream_native", "native"}) =
        c::stream(stream, "tandem_stream_native").native();
  });
}

int tandem_stream_synchronize(const tandem_stream* stream) {
  return c::guarded([&] { c::stream(stream, "tandem_stream_synchronize").synchronize(); });
}

int tandem_stream_query(const tandem_stream* stream, int* done) {
  return c::guarded([&] {
    int& to = c::given(done, {"tandem_stream_query", "done"});
    to = c::stream(stream, "tandem_stream_query").query() ? 1 : 0;
  });
}

int tandem_stream_wait(const tandem_stream* stream, const tandem_stream* other) {
  return c::guarded([&] {
    const Stream& later = c::stream(stream, "tandem_stream_wait");
    Event point;
    point.record(c::given(other, {"tandem_stream_wait", "other"}).stream);
    point.wait(later);
  });
}

int tandem_stream_push(const tandem_stream* stream) {
  return c::guarded([&] {
    pushed.reserve(pushed.size() + 1);  // nothing fails once the stream is current
    pushed.push_back(std::make_unique<StreamGuard>(c::stream(stream, "tandem_stream_push")));
  });
}

int tandem_stream_pop() {
  return c::guarded([&] {
    TANDEM_EXPECTS(!pushed.empty(), ValueError,
                   "[tandem_stream_pop] expected a stream that this thread pushed, got none");
    pushed.pop_back();
  });
}

int tandem_synchronize(const char* device) {
  return c::guarded([&] { synchronize(c::device(device, "tandem_synchronize")); });
}
