// The funnel: every op call goes through `run` (or, for views, makes nothing but a tensor). It
// checks, infers, allocates or checks the outputs, launches, and writes names and versions. Hooks
// attach here only.
#pragma once

#include <optional>
#include <span>

#include "runtime/base/trace.h"
#include "runtime/dispatch/check.h"
#include "runtime/dispatch/registry.h"
#include "runtime/tensor/body.h"
#include "runtime/tensor/names.h"

namespace tandem::detail {

/// What inference says of an output.
struct OutSpec {
  Dims shape;
  DType dtype;
  Device device;
  Names names;
  Dims strides = {};  // empty: dense row-major
};

/// Checks a given out= tensor against the spec (dtype category, device, overlap with itself),
/// resizing an empty one; allocates a fresh tensor otherwise. Changes nothing but an empty `out`.
Tensor bind_output(const OpRow& row, const OutSpec& spec, Tensor* out);

/// Whether writing `out` would disturb reading `in` element by element: shared memory in another
/// layout. Returns the input to read: itself, or a clone. Raises ShapeError where PyTorch does
/// (dense partial overlap).
Tensor guard_overlap(const OpRow& row, const Tensor& in, const Tensor& out);

/// Runs the row's kernel for the device on a launch struct. Turns errors of the backend into
/// DeviceError.
void launch(const OpRow& row, Device device, const void* desc);

/// The native handle of the stream that work on the device goes to, null on the host. The tensors'
/// storages remember the stream: their memory is not given out again before that work is done. To
/// be called before each launch with all tensors that it uses, null and undefined ones aside; one
/// that is written and read is written. Raises CheckError in debug mode.
void* launch_stream(Device device, debug::Tensors written, debug::Tensors read);

/// The device of a call: that of the tensors, which must agree; 0-d CPU tensors go with any device.
Device common_device(const OpRow& row, std::span<const Tensor* const> tensors);

/// The one path of an op with outputs. `infer()` is pure and returns OutSpec (or an array of them);
/// `go(outs)` plans and launches on tensors that have memory.
template <std::size_t N, class Infer, class Go>
std::array<Tensor, N> run(const OpRow& row, std::array<Tensor*, N> given, Infer&& infer, Go&& go) {
  const trace::OpScope scope(row.name);
  std::array<OutSpec, N> specs = infer();
  std::array<Tensor, N> outs;
  for (std::size_t i = 0; i < N; ++i) outs[i] = bind_output(row, specs[i], given[i]);
  if (!specs[0].device.is_meta()) go(outs);
  for (std::size_t i = 0; i < N; ++i) {
    outs[i].body_ptr()->names = std::move(specs[i].names);
    if (given[i] != nullptr) bump_version(outs[i]);
  }
  return outs;
}

/// run() for one output.
template <class Infer, class Go>
Tensor run_one(const OpRow& row, Tensor* given, Infer&& infer, Go&& go) {
  return run<1>(
      row, {given}, [&] { return std::array<OutSpec, 1>{infer()}; },
      [&](std::array<Tensor, 1>& outs) { go(outs[0]); })[0];
}

/// Elementwise ops: broadcasting, promotion, names, overlap. `out` may be one of the inputs (in
/// place).
Tensor elementwise(const OpRow& row, std::span<const Arg> args, Tensor* out = nullptr,
                   bool in_place = false);

/// Runs the call at once where nothing is to be inferred or planned: unnamed, dense CPU tensors of
/// one dtype and shape, `out` among them. False where the call is not so plain: nothing was done.
bool elementwise_plain(const OpRow& row, std::span<const Arg> args, Tensor& out);

/// out[...] = source[...] with broadcasting and casting; both on the host or both on one device.
void copy_elements(const Tensor& out, const Tensor& source);

}  // namespace tandem::detail
