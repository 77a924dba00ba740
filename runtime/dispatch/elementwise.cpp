// Elementwise calls: the fast path for plain tensors, and the general one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/dispatch/promote.h"
#include "runtime/tensor/foreign_memory.h"
#include "tandem/value.h"

namespace tandem::detail {

namespace {

constexpr std::size_t kMaxInputs = 4;

ScalarBits scalar_bits(const Scalar& s, DType kernel) {
  ScalarBits bits{};
  visit(kernel, [&]<class T>() {
    using C = compute_t<T>;
    const C v = s.to<C>();
    __builtin_memcpy(&bits, &v, sizeof v);
  });
  return bits;
}

/// The inputs of one call, sorted out: tensors and numbers.
struct Inputs {
  const OpRow& row;
  std::size_t n = 0;
  Tensor kept[kMaxInputs];                 // clones against overlap
  const Tensor* tensors[kMaxInputs] = {};  // null: a number
  Scalar scalars[kMaxInputs];

  Inputs(const OpRow& r, std::span<const Arg> in) : row(r), n(in.size()) {
    for (std::size_t i = 0; i < n; ++i) {
      if (in[i].is_tensor()) {
        TANDEM_EXPECTS(in[i].tensor().defined(), ValueError,
                       fmt::format("[{}] argument '{}': expected a tensor, got an undefined one",
                                   row.name, schema_of(row).params[i].name));
        tensors[i] = &in[i].tensor();
      } else {
        scalars[i] = in[i].scalar();
      }
    }
  }

  /// A 0-d CPU tensor beside tensors of another device becomes a number: it is read here, on the
  /// host.
  void read_host_scalars(Device device) {
    if (device.is_cpu()) return;
    for (std::size_t i = 0; i < n; ++i) {
      if (tensors[i] == nullptr || tensors[i]->device() == device) continue;
      scalars[i] = tensors[i]->item();
      tensors[i] = nullptr;
    }
  }
};

Names broadcast_names(const Inputs& in) {
  Names names;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < in.n; ++i) {
    if (in.tensors[i] == nullptr) continue;
    const std::size_t r = in.tensors[i]->shape().size();
    names = unify_names(names, rank, in.tensors[i]->body_ptr()->names, r, in.row.name);
    rank = std::max(rank, r);
  }
  return names;
}

bool first_is_condition(const OpRow& row) { return (row.flags & kFirstIsBool) != 0; }

/// The dtype each input is cast to; the first of a conditional row is bool.
DType input_dtype(const OpRow& row, std::size_t i, DType computed) {
  return i == 0 && first_is_condition(row) ? DType::bool_ : computed;
}

/// Numbers must fit; 0-d tensors that became numbers were tensors to the caller, and wrap like
/// them.
void check_scalars(const Inputs& in, std::span<const Arg> args, DType computed) {
  if (!is_integer(computed)) return;
  for (std::size_t i = 0; i < in.n; ++i) {
    if (args[i].is_tensor() || (i == 0 && first_is_condition(in.row))) continue;
    TANDEM_EXPECTS(in.scalars[i].fits(computed), ValueError,
                   fmt::format("[{}] value {} cannot be converted to type {} without overflow",
                               in.row.name, in.scalars[i].str(), name(computed)));
  }
}

void fill_launch(ElementwiseLaunch& launch, const Inputs& in, DType computed, DType result,
                 const Tensor& out) {
  launch.row = &in.row;
  launch.n_out = 1;
  launch.n_in = static_cast<int>(in.n);
  launch.dtype = computed;
  launch.device = out.device();
  launch.operands[0].dtype = out.dtype();
  launch.operands[0].kernel = result;
  for (std::size_t i = 0; i < in.n; ++i) {
    OperandDesc& op = launch.operands[i + 1];
    op.kernel = input_dtype(in.row, i, computed);
    op.dtype = in.tensors[i] == nullptr ? op.kernel : in.tensors[i]->dtype();
    if (in.tensors[i] == nullptr) op.scalar = scalar_bits(in.scalars[i], op.kernel);
  }
}

void plan_and_launch(Inputs& in, DType computed, DType result, const Tensor& out) {
  if (out.numel() == 0) return;
  for (std::size_t i = 0; i < in.n; ++i) {
    if (in.tensors[i] == nullptr || !in.tensors[i]->shares_storage(out)) continue;
    in.kept[i] = guard_overlap(in.row, *in.tensors[i], out);
    in.tensors[i] = &in.kept[i];
  }
  ElementwiseLaunch launch;
  PlanStorage storage;
  fill_launch(launch, in, computed, result, out);
  const Tensor* all[kMaxInputs + 1] = {&out};
  for (std::size_t i = 0; i < in.n; ++i) all[i + 1] = in.tensors[i];
  launch.stream = launch_stream(launch.device, {&out}, std::span(all + 1, in.n));
  plan_elementwise(launch, storage, out.shape(), {all, in.n + 1});
  detail::launch(in.row, launch.device, &launch);
}

bool is_plain(const TensorBody* b) {
  return b != nullptr && b->names.empty() && b->storage->device.is_cpu();
}

/// A number that changes neither dtype nor range of the computation.
bool is_plain(const Scalar& s, DType t) {
  return s.category() <= category(t) && (!is_integer(t) || s.fits(t));
}

/// Whether a dense output of the same bytes may be written while the input is read.
bool may_write(const Tensor& out, const Tensor& in) {
  const auto a = reinterpret_cast<std::intptr_t>(out.data_ptr());
  const auto b = reinterpret_cast<std::intptr_t>(in.data_ptr());
  const auto bytes = static_cast<std::intptr_t>(out.nbytes());
  return a == b || a + bytes <= b || b + bytes <= a;
}

/// The same shape and dense strides, given that `b` has both. Without a call: most shapes are
/// short.
bool is_dense_like(const TensorBody& a, const TensorBody& b) {
  const std::size_t rank = b.shape.size();
  if (a.shape.size() != rank) return false;
  std::int64_t differ = 0;
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    differ |= a.shape[i] ^ b.shape[i];
    steps |= (a.strides[i] ^ b.strides[i]) & (a.shape[i] == 1 ? 0 : -1);
  }
  return (differ | steps) == 0;
}

/// The first tensor of a call that is plain: contiguous, unnamed CPU tensors of one dtype and
/// shape, numbers that promote nothing, and an output of the same kind or none. Null where the call
/// is not: the general path.
const TensorBody* plain_call(const OpRow& row, std::span<const Arg> in, const Tensor* out) {
  if ((row.result != Result::Same && row.result != Result::Float) ||
      (row.flags & kFirstIsBool) != 0) {
    return nullptr;
  }
  const TensorBody* first = nullptr;
  for (const Arg& a : in) {
    if (!a.is_tensor()) continue;
    const TensorBody* b = a.tensor().body_ptr();
    if (!is_plain(b)) return nullptr;
    if (first == nullptr) {
      if (!a.tensor().is_contiguous()) return nullptr;
      first = b;
    } else if (b->dtype != first->dtype || !is_dense_like(*b, *first)) {
      return nullptr;
    }
    if (out != nullptr && out->defined() && !may_write(*out, a.tensor())) return nullptr;
  }
  if (first == nullptr || first->numel == 0 || !row.dtypes.has(first->dtype)) return nullptr;
  for (const Arg& a : in) {
    if (!a.is_tensor() && !is_plain(a.scalar(), first->dtype)) return nullptr;
  }
  if (out != nullptr) {
    const TensorBody* o = out->body_ptr();
    if (!is_plain(o) || o->dtype != first->dtype || !is_dense_like(*o, *first)) return nullptr;
    if (is_read_only(*o->storage)) return nullptr;
  }
  return first;
}

/// What debug mode wants to know of a plain call.
__attribute__((cold, noinline)) void check_plain(std::span<const Arg> in, const Tensor& out) {
  const Tensor* read[kMaxInputs] = {};
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i].is_tensor()) read[i] = &in[i].tensor();
  }
  debug::launching(Stream{}, {&out}, std::span(read));
}

/// Runs a plain call on its whole arrays.
void launch_plain(const OpRow& row, std::span<const Arg> in, const TensorBody& first,
                  const Tensor& out) {
  ElementwiseLaunch launch;
  const std::int64_t stride = static_cast<std::int64_t>(element_size(first.dtype));
  launch.row = &row;
  launch.numel = first.numel;
  launch.shape = &launch.numel;
  launch.rank = 1;
  launch.n_out = 1;
  launch.n_in = static_cast<int>(in.size());
  launch.dtype = first.dtype;
  launch.contiguous = true;
  launch.device = kCPU;
  launch.stream = nullptr;
  if (debug::on(debug::kAny)) [[unlikely]]
    check_plain(in, out);
  for (std::size_t i = 0; i <= in.size(); ++i) {
    OperandDesc& op = launch.operands[i];
    const bool number = i > 0 && !in[i - 1].is_tensor();
    if (number) op.scalar = scalar_bits(in[i - 1].scalar(), first.dtype);
    op.data = number ? nullptr : (i == 0 ? out : in[i - 1].tensor()).data_ptr();
    op.strides = &stride;
    op.dtype = op.kernel = first.dtype;
  }
  detail::launch(row, kCPU, &launch);
}

}  // namespace

bool elementwise_plain(const OpRow& row, std::span<const Arg> args, Tensor& out) {
  const TensorBody* first = plain_call(row, args, &out);
  if (first == nullptr) return false;
  const trace::OpScope scope(row.name);
  launch_plain(row, args, *first, out);
  bump_version(out);
  return true;
}

Tensor elementwise(const OpRow& row, std::span<const Arg> args, Tensor* out, bool in_place) {
  // What most small calls are: no inference, no plan.
  if (out != nullptr) {
    if (elementwise_plain(row, args, *out)) return *out;
  } else if (const TensorBody* first = plain_call(row, args, nullptr); first != nullptr) {
    const trace::OpScope scope(row.name);
    Tensor fresh = make_dense_like(*first);
    launch_plain(row, args, *first, fresh);
    return fresh;
  }
  Inputs in(row, args);
  DType computed = DType::kCount;
  DType result = DType::kCount;
  const auto infer = [&] {
    TANDEM_EXPECTS(!in_place || out->defined(), ValueError, "the tensor is undefined");
    const Device device = common_device(row, {in.tensors, in.n});
    in.read_host_scalars(device);
    const std::size_t skip = first_is_condition(row) ? 1 : 0;
    if (skip == 1 && in.tensors[0] != nullptr) {
      TANDEM_EXPECTS(in.tensors[0]->dtype() == DType::bool_, TypeError,
                     fmt::format("[{}] argument 'condition': expected a bool tensor, got {}",
                                 row.name, name(in.tensors[0]->dtype())));
    }
    computed = compute_dtype(row, promote_args(args.subspan(skip)));
    check_scalars(in, args, computed);
    result = result_dtype(row, computed);
    OutSpec spec{broadcast_shape({in.tensors, in.n}, in.row.name), result, device,
                 broadcast_names(in)};
    TANDEM_EXPECTS(
        !in_place ||
            std::ranges::equal(std::span(out->shape()), std::span<const std::int64_t>(spec.shape)),
        ShapeError,
        fmt::format("[{}] output with shape [{}] doesn't match the broadcast shape [{}]", row.name,
                    fmt::join(out->shape(), ", "), fmt::join(spec.shape, ", ")));
    if (out == nullptr) spec.strides = output_strides(spec.shape, {in.tensors, in.n});
    return spec;
  };
  const auto go = [&](const Tensor& target) { plan_and_launch(in, computed, result, target); };
  return run_one(row, out, infer, go);
}

}  // namespace tandem::detail
