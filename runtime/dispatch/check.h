// Debug mode at the funnel: uses of tensors without order between streams, or over freed memory.
//
// Note [Use without order]
// With TANDEM_CHECK=order every use of memory by work of a stream is remembered: who wrote it
// last, and who read it since then, with the bytes, the stream, the op and the fence of the work
// (memory/order.h). An op that uses bytes which another stream wrote, or writes bytes which another
// stream read, is in order if its stream waited for the fence or the host saw it pass. Else it is
// reported, before anything is launched. Memory counts as written where it is allocated, since work
// of its earlier owner may be pending on that stream, and where from_blob says on which stream it
// is. Two views of one storage that share no byte are no conflict.
//
// The host is another user: what work of a stream does to the host's memory (copies that were asked
// not to block) has to have been seen to pass before an op on the host uses it.
//
// What is recorded into a graph runs later and elsewhere: neither checked nor remembered, so that
// mistakes with it are missed. Waits by CUDA's own calls, and what CUDA's default stream waits for
// by itself, are not known here and are reported: Event is how to tell.
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>

#include "runtime/memory/check.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"

namespace tandem::debug {

/// Tensors of a launch; null pointers and undefined ones are none.
class Tensors {
 public:
  Tensors(std::initializer_list<const Tensor*> list) : list_(list.begin(), list.size()) {}
  template <class List>
  requires std::convertible_to<const List&, std::span<const Tensor* const>> Tensors(
      const List& list)
      : list_(list) {}  // NOLINT(google-explicit-constructor)
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

 private:
  std::span<const Tensor* const> list_;
};

/// Before a launch on a stream, of the host's (`Stream{}`) or a device's: raises CheckError where
/// the tensors may not be used there, else remembers their use.
void launching(const Stream& stream, Tensors written, Tensors read);
/// Before a copy by work of `stream`; `from` is the stream in whose order the source is read,
/// another one for copies between devices. `at_once`: it is read by the time that the call returns.
void copying(const Tensor& out, const Tensor& source, const Stream& stream, const Stream& from,
             bool at_once = false);
/// The host uses a tensor's memory outside of a launch.
void on_host(const Tensor& host, bool writes = false);
/// The user takes the memory for work of his own on the stream: to read and to write.
void handing_out(const Tensor& t, const Stream& stream);

/// Memory of the pool was allocated in the order of a stream of a device, or memory of the user is
/// in it (`from_blob` with a stream).
void created(const detail::StorageBody& storage, const Stream& stream) noexcept;
/// Memory of the user is wrapped.
void wrapped(const detail::StorageBody& storage) noexcept;
/// Before the storage's memory is let go of.
void destroyed(const detail::StorageBody& storage) noexcept;

}  // namespace tandem::debug
