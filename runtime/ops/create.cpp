// Creation: empty, full, arange, linspace, logspace, eye, from_blob.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/generator.h"
#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace detail {

Tensor generate(const OpRow& row, IntSpan shape, DType dtype, const Options& options,
                GeneratorLaunch& launch, Tensor* out, const char* op) {
  if (op == nullptr) op = row.name;
  TANDEM_EXPECTS(
      row.dtypes.has(dtype), TypeError,
      fmt::format("[{}] argument 'dtype': not implemented for '{}'", op, info(dtype).title));
  (void)checked_numel(shape, element_size(dtype), op);
  OutSpec spec{Dims(shape), dtype, resolve_device(options.device.value_or(kCPU), op),
               checked_names(options.names, shape.size(), op)};
  const auto go = [&](const Tensor& t) {
    std::int64_t strides[kMaxRank];
    set_output(launch, row, t, dtype, strides);
    if (launch.numel > 0) detail::launch(row, t.device(), &launch);
  };
  return run_one(
      row, out, [&] { return std::move(spec); }, go);
}

}  // namespace detail

namespace {

using detail::generate;

Device device_of(const Options& options, const char* op) {
  return resolve_device(options.device.value_or(kCPU), op);
}

void set_value(GeneratorLaunch& launch, const Scalar& value, DType dtype) {
  const std::complex<double> z = value.to_complex();
  launch.value = {z.real(), z.imag()};
  // Integers do not fit in a double: they travel on their own.
  launch.i[0] = visit(dtype, [&]<class T>() -> std::int64_t {
    if constexpr (fn::is_int_v<T> || fn::is_bool_v<T>)
      return static_cast<std::int64_t>(value.to<T>());
    else
      return 0;
  });
}

void check_fits(const char* op, const Scalar& value, DType dtype) {
  TANDEM_EXPECTS(dtype == DType::bool_ || value.fits(dtype), ValueError,
                 fmt::format("[{}] value {} cannot be converted to type {} without overflow", op,
                             value.str(), name(dtype)));
}

Options options_like(const Tensor& x, const Options& options) {
  Options o = options;
  if (!o.dtype) o.dtype = x.dtype();
  if (!o.device) o.device = x.device();
  if (o.names.empty() && x.has_names()) o.names = x.names();
  return o;
}

/// Elements of any value; `op` is what the caller is called.
Tensor empty_as(const char* op, IntSpan shape, const Options& options) {
  const DType dtype = options.dtype.value_or(default_dtype());
  Names names = detail::checked_names(options.names, shape.size(), op);
  Tensor t = detail::make_empty(shape, dtype, device_of(options, op));
  t.body_ptr()->names = std::move(names);
  return t;
}

Tensor empty_like_as(const char* op, const Tensor& x, const Options& options) {
  const Options o = options_like(x, options);
  (void)detail::checked_numel(x.shape(), element_size(*o.dtype), op);
  const Tensor* like[] = {&x};
  Tensor t = empty_as(op, x.shape(), o);
  t.body_ptr()->strides = detail::output_strides(x.shape(), like);
  return t;
}

Tensor full_as(const char* op, IntSpan shape, const Scalar& value, const Options& options,
               DType dtype) {
  check_fits(op, value, dtype);
  GeneratorLaunch launch{};
  set_value(launch, value, dtype);
  return generate(op::fill, shape, dtype, options, launch, nullptr, op);
}

Tensor full_like_as(const char* op, const Tensor& x, const Scalar& value, const Options& options) {
  check_fits(op, value, options.dtype.value_or(x.dtype()));
  Tensor t = empty_like_as(op, x, options);
  return t.fill_(value);
}

}  // namespace

Tensor empty(IntSpan shape, const Options& options) { return empty_as("empty", shape, options); }

Tensor empty_strided(IntSpan shape, IntSpan strides, const Options& options) {
  const DType dtype = options.dtype.value_or(default_dtype());
  TANDEM_EXPECTS(shape.size() == strides.size(), ShapeError,
                 fmt::format("[empty_strided] expected as many strides as sizes, got {} and {}",
                             strides.size(), shape.size()));
  const std::int64_t n = detail::checked_numel(shape, element_size(dtype), "empty_strided");
  std::int64_t last = 0;
  bool overflow = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    TANDEM_EXPECTS(strides[i] >= 0, ValueError,
                   fmt::format("[empty_strided] expected strides >= 0, got {}", strides[i]));
    std::int64_t reach = 0;
    overflow =
        __builtin_mul_overflow(std::max<std::int64_t>(shape[i] - 1, 0), strides[i], &reach) ||
        overflow;
    overflow = __builtin_add_overflow(last, reach, &last) || overflow;
  }
  std::int64_t bytes = 0;
  overflow = overflow || __builtin_mul_overflow(
                             last + 1, static_cast<std::int64_t>(element_size(dtype)), &bytes);
  TANDEM_EXPECTS(!overflow, ValueError,
                 "[empty_strided] the tensor has more bytes than an address can count");
  Names names = detail::checked_names(options.names, shape.size(), "empty_strided");
  Storage s(n == 0 ? 0 : static_cast<std::size_t>(bytes), device_of(options, "empty_strided"));
  return detail::make_tensor(s, dtype, 0, Dims(shape), Dims(strides), std::move(names));
}

namespace {

/// What from_blob makes of its arguments: where the storage begins, and the tensor in it.
struct Blob {
  char* base;
  std::size_t bytes;
  std::int64_t offset;
  Dims steps;
  Names names;
};

Blob checked_blob(void* data, IntSpan shape, DType dtype, const Options& options,
                  std::optional<IntSpan> strides) {
  const std::int64_t n = detail::checked_numel(shape, element_size(dtype), "from_blob");
  TANDEM_EXPECTS(data != nullptr || n == 0, ValueError,
                 "[from_blob] argument 'data': expected memory, got null");
  TANDEM_EXPECTS(!strides || strides->size() == shape.size(), ShapeError,
                 fmt::format("[from_blob] expected as many strides as sizes, got {} and {}",
                             strides->size(), shape.size()));
  TANDEM_EXPECTS(
      reinterpret_cast<std::uintptr_t>(data) % std::min<std::size_t>(element_size(dtype), 8) == 0,
      ValueError,
      fmt::format("[from_blob] argument 'data': expected an address aligned for {}", name(dtype)));
  Dims steps;
  if (strides) {
    steps = Dims(*strides);
  } else {
    detail::contiguous_strides(shape, steps);
  }
  // The storage begins at the lowest address that the strides reach.
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::size_t i = 0; i < shape.size() && n > 0; ++i) {
    std::int64_t reach = 0;
    TANDEM_EXPECTS(!__builtin_mul_overflow(shape[i] - 1, steps[i], &reach), ValueError,
                   "[from_blob] the strides reach beyond the address space");
    std::int64_t& end = reach < 0 ? low : high;
    TANDEM_EXPECTS(!__builtin_add_overflow(end, reach, &end), ValueError,
                   "[from_blob] the strides reach beyond the address space");
  }
  const auto size = static_cast<std::int64_t>(element_size(dtype));
  const __int128 span = (static_cast<__int128>(high) - low + 1) * size;
  TANDEM_EXPECTS(span <= INT64_MAX, ValueError,
                 "[from_blob] the strides reach beyond the address space");
  const auto bytes = n == 0 ? 0 : static_cast<std::size_t>(span);
  Names names = detail::checked_names(options.names, shape.size(), "from_blob");
  return {static_cast<char*>(data) + low * size, bytes, -low, std::move(steps), std::move(names)};
}

Tensor tensor_of(const Storage& storage, IntSpan shape, DType dtype, Blob& blob) {
  return detail::make_tensor(storage, dtype, blob.offset, Dims(shape), std::move(blob.steps),
                             std::move(blob.names));
}

}  // namespace

Tensor from_blob(void* data, IntSpan shape, DType dtype, const Options& options,
                 std::function<void(void*)> deleter, std::optional<IntSpan> strides) {
  Blob blob = checked_blob(data, shape, dtype, options, strides);
  std::function<void(void*)> release;
  if (deleter) release = [deleter = std::move(deleter), data](void*) { deleter(data); };
  const Storage s(blob.base, blob.bytes, device_of(options, "from_blob"), std::move(release));
  return tensor_of(s, shape, dtype, blob);
}

Tensor from_blob(void* data, IntSpan shape, DType dtype, const Options& options,
                 const Stream& stream, std::function<void(void*, Stream)> deleter,
                 std::optional<IntSpan> strides) {
  const Device device = stream.device();
  TANDEM_EXPECTS(
      !options.device || resolve_device(*options.device, "from_blob") == device, DeviceError,
      fmt::format("[from_blob] argument 'stream': expected a stream of {}, got one of {}",
                  options.device->str(), device.str()));
  Blob blob = checked_blob(data, shape, dtype, options, strides);
  std::function<void(void*, Stream)> release;
  if (deleter) {
    release = [deleter = std::move(deleter), data](void*, Stream s) { deleter(data, s); };
  }
  const Storage s(blob.base, blob.bytes, stream, std::move(release));
  return tensor_of(s, shape, dtype, blob);
}

Tensor full(IntSpan shape, const Scalar& value, const Options& options) {
  return full_as("full", shape, value, options, options.dtype.value_or(value.dtype()));
}

Tensor zeros(IntSpan shape, const Options& options) {
  return full_as("zeros", shape, 0, options, options.dtype.value_or(default_dtype()));
}

Tensor ones(IntSpan shape, const Options& options) {
  return full_as("ones", shape, 1, options, options.dtype.value_or(default_dtype()));
}

Tensor scalar_tensor(const Scalar& value, const Options& options) {
  return full_as("scalar_tensor", {}, value, options, options.dtype.value_or(value.dtype()));
}

Tensor empty_like(const Tensor& x, const Options& options) {
  return empty_like_as("empty_like", x, options);
}
Tensor zeros_like(const Tensor& x, const Options& options) {
  return full_like_as("zeros_like", x, 0, options);
}
Tensor ones_like(const Tensor& x, const Options& options) {
  return full_like_as("ones_like", x, 1, options);
}
Tensor full_like(const Tensor& x, const Scalar& value, const Options& options) {
  return full_like_as("full_like", x, value, options);
}

Tensor& Tensor::fill_(const Scalar& value) {
  check_fits("fill_", value, dtype());
  // Any order of elements will do, so that an expanded tensor is written once an element of memory.
  Dims shape;
  Dims strides;
  for (std::size_t i = 0; i < body().shape.size(); ++i) {
    const bool repeated = body().strides[i] == 0 && body().shape[i] > 1;
    shape.push_back(repeated ? 1 : body().shape[i]);
    strides.push_back(body().strides[i]);
  }
  Tensor target = detail::make_view(*this, body().offset, shape, strides, {});
  if (detail::may_overlap_itself(shape, strides)) {  // windows that share elements: in turn
    std::size_t d = shape.size();
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] > 1 && (d == shape.size() || shape[i] < shape[d])) d = i;
    }
    for (std::int64_t i = 0; i < shape[d]; ++i) {
      target.select(static_cast<std::int64_t>(d), i).fill_(value);
    }
    return *this;
  }
  if (detail::is_dense(shape, strides) && target.numel() > 0) {
    Dims flat{target.numel()};
    target = detail::make_view(target, body().offset, flat, Dims{1}, {});
  }
  GeneratorLaunch launch{};
  set_value(launch, value, dtype());
  Options o;
  o.device = device();
  generate(op::fill, target.shape(), dtype(), o, launch, &target);
  return *this;
}

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const Options& options) {
  const bool integral = start.is_integral() && end.is_integral() && step.is_integral();
  const DType dtype = options.dtype.value_or(integral ? DType::int64 : default_dtype());
  const double first = start.to_double();
  const double last = end.to_double();
  const double by = step.to_double();
  TANDEM_EXPECTS(!step.is_zero(), ValueError, "[arange] argument 'step': must be nonzero");
  TANDEM_EXPECTS(std::isfinite(first) && std::isfinite(last) && std::isfinite(by), ValueError,
                 fmt::format("[arange] unsupported range: {} -> {}", start.str(), end.str()));
  TANDEM_EXPECTS((by > 0 && last >= first) || (by < 0 && last <= first), ValueError,
                 "[arange] upper bound and lower bound inconsistent with step sign");
  std::int64_t n = 0;
  if (integral) {
    const __int128 span = static_cast<__int128>(end.to_int()) - start.to_int();
    const __int128 by_int = step.to_int();
    const __int128 count = (span + by_int - (by_int > 0 ? 1 : -1)) / by_int;
    TANDEM_EXPECTS(
        count <= INT64_MAX, ValueError,
        fmt::format("[arange] expected fewer elements than from {} to {}", start.str(), end.str()));
    n = static_cast<std::int64_t>(count);
  } else {
    const double count = std::ceil((last - first) / by);
    TANDEM_EXPECTS(count < 0x1p62, ValueError,
                   fmt::format("[arange] expected fewer elements than {}", count));
    n = static_cast<std::int64_t>(count);
  }
  GeneratorLaunch launch{};
  launch.f[0] = first;
  launch.f[1] = by;
  launch.i[0] = start.to_int();
  launch.i[1] = step.to_int();
  return generate(op::arange, {n}, dtype, options, launch);
}

namespace {

/// linspace and logspace: the row's numbers are spaced evenly from start to end.
Tensor spaced(const OpRow& row, const Scalar& start, const Scalar& end, std::int64_t steps,
              const Options& options, GeneratorLaunch launch) {
  TANDEM_EXPECTS(steps >= 0, ValueError,
                 fmt::format("[{}] argument 'steps': expected >= 0, got {}", row.name, steps));
  const bool complex = start.kind() == Scalar::Kind::Complex || end.kind() == Scalar::Kind::Complex;
  const DType dtype = options.dtype.value_or(
      complex ? promote_types(default_dtype(), DType::complex64) : default_dtype());
  TANDEM_EXPECTS(
      !complex || is_complex(dtype), TypeError,
      fmt::format("[{}] argument 'dtype': expected a complex dtype for complex ends, got "
                  "{}",
                  row.name, name(dtype)));
  const std::complex<double> first = start.to_complex();
  const std::complex<double> last = end.to_complex();
  launch.f[0] = first.real();
  launch.f[1] = last.real();
  launch.f[2] = first.imag();
  launch.f[3] = last.imag();
  return generate(row, {steps}, dtype, options, launch);
}
}  // namespace

Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps,
                const Options& options) {
  return spaced(op::linspace, start, end, steps, options, {});
}

Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps, double base,
                const Options& options) {
  GeneratorLaunch launch{};
  launch.value = {base, 0};
  return spaced(op::logspace, start, end, steps, options, launch);
}

Tensor eye(std::int64_t n, std::optional<std::int64_t> m, const Options& options) {
  const std::int64_t columns = m.value_or(n);
  TANDEM_EXPECTS(n >= 0 && columns >= 0, ValueError,
                 fmt::format("[eye] expected sizes >= 0, got {} and {}", n, columns));
  GeneratorLaunch launch{};
  launch.i[0] = columns;
  return generate(op::eye, {n, columns}, options.dtype.value_or(default_dtype()), options, launch);
}

// ---- boxed forms
// ---------------------------------------------------------------------------------------
namespace ops {

Options options_of(MaybeDType dtype, MaybeDevice device, const MaybeNames& names) {
  Options o{dtype, device, {}};
  if (names) {
    for (const std::string& n : *names)
      o.names.push_back(n.empty() || n == "None" ? Name() : Name(n));
  }
  return o;
}

Tensor fill(IntSpan size, const Scalar& value, MaybeDType dtype, MaybeDevice device,
            MaybeNames names) {
  return full_as("fill", size, value, options_of(dtype, device, names),
                 dtype.value_or(value.dtype()));
}
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, MaybeDType dtype,
              MaybeDevice device, MaybeNames names) {
  return tandem::arange(start, end, step, options_of(dtype, device, names));
}
Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps, MaybeDType dtype,
                MaybeDevice device, MaybeNames names) {
  return tandem::linspace(start, end, steps, options_of(dtype, device, names));
}
Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps, double base,
                MaybeDType dtype, MaybeDevice device, MaybeNames names) {
  return tandem::logspace(start, end, steps, base, options_of(dtype, device, names));
}
Tensor eye(std::int64_t n, std::optional<std::int64_t> m, MaybeDType dtype, MaybeDevice device,
           MaybeNames names) {
  return tandem::eye(n, m, options_of(dtype, device, names));
}
}  // namespace ops

}  // namespace tandem
