// Random numbers whose parameters are tensors, permutations and draws by weight.
#include <fmt/format.h>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/ops/random.h"
#include "runtime/ops/turn.h"
#include "tandem/backend/random.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/random.h"

namespace tandem {

namespace {

/// The dtype a row computes a float dtype in; raises TypeError for others.
DType computed(const OpRow& row, const char* argument, DType dtype) {
  TANDEM_EXPECTS(is_float(dtype), TypeError,
                 fmt::format("[{}] argument '{}': not implemented for '{}'", row.name, argument,
                             info(dtype).title));
  return info(dtype).compute;
}

Names names_of(const Tensor& t) { return t.has_names() ? t.names() : Names(); }

/// Whether all elements are in [low, high]; for checks before work, which the host can afford and a
/// device cannot.
bool within(const Tensor& t, double low, double high) {
  if (!t.device().is_cpu() || t.numel() == 0) return true;
  return t.ge(low).all().item().to_bool() && t.le(high).all().item().to_bool();
}

/// A parameter as a launch takes it: dense, or one number.
struct Parameter {
  Tensor tensor;
  bool single;

  Parameter(const Tensor& t, IntSpan shape, DType dtype, Device device)
      : single(t.numel() == 1 && t.dim() == 0) {
    const Tensor wide = single ? t : t.expand(shape);
    tensor = wide.to(device, dtype).contiguous();
  }
};

/// Runs a row of TANDEM_SAMPLE on parameters that have been checked, into a fresh tensor of dtype
/// `stored`.
Tensor sample(const OpRow& row, detail::OutSpec spec, DType dtype,
              std::span<const Tensor* const> parameters, const Generator& generator) {
  const auto go = [&](const Tensor& out) {
    std::vector<Parameter> in;
    for (const Tensor* p : parameters) in.emplace_back(*p, out.shape(), dtype, out.device());
    const Tensor made = out.dtype() == dtype ? out : empty(out.shape(), {dtype, out.device()});
    detail::Turn turn(generator, row.name);
    SampleLaunch launch{};
    launch.row = &row;
    launch.numel = out.numel();
    launch.dtype = dtype;
    launch.n_in = static_cast<int>(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      launch.in[i] = in[i].tensor.data_ptr();
      launch.single[i] = in[i].single;
    }
    launch.out = made.data_ptr();
    launch.seed = turn.seed();
    launch.offset = turn.counter();
    launch.device = out.device();
    launch.stream = detail::launch_stream(launch.device, {&made},
                                          {&in[0].tensor, in.size() > 1 ? &in[1].tensor : nullptr});
    if (launch.numel > 0) detail::launch(row, launch.device, &launch);
    if (out.dtype() != dtype) detail::copy_elements(out, made);
    turn.keep();
  };
  return detail::run_one(
      row, nullptr, [&] { return std::move(spec); }, go);
}

void check_probabilities(const OpRow& row, const Tensor& p) {
  TANDEM_EXPECTS(
      within(p, 0, 1), ValueError,
      fmt::format("[{}] Expected p_in >= 0 && p_in <= 1: all probabilities in [0, 1]", row.name));
}

}  // namespace

Tensor bernoulli(const Tensor& p, const Generator& generator) {
  const OpRow& row = op::bernoulli;
  const DType dtype = computed(row, "x", p.dtype());
  check_probabilities(row, p);
  const Tensor* parameters[] = {&p};
  return sample(row, {Dims(p.shape()), p.dtype(), p.device(), names_of(p)}, dtype, parameters,
                generator);
}

Tensor bernoulli_(const Tensor& x, const Tensor& p, const Generator& generator) {
  const OpRow& row = op::bernoulli_;
  TANDEM_EXPECTS(
      dtypes::BoolReals.has(x.dtype()), TypeError,
      fmt::format("[bernoulli_] argument 'x': not implemented for '{}'", info(x.dtype()).title));
  const DType dtype = computed(row, "p", p.dtype());
  check_probabilities(row, p);
  const Tensor* both[] = {&x, &p};
  const Device device = detail::common_device(row, both);
  TANDEM_EXPECTS(device == x.device(), DeviceError,
                 fmt::format("[bernoulli_] argument 'p': expected device {}, got {}",
                             x.device().str(), p.device().str()));
  const Dims shape = detail::broadcast_shape(both, row.name);
  TANDEM_EXPECTS(
      std::ranges::equal(std::span<const std::int64_t>(shape), x.shape()), ShapeError,
      fmt::format("[bernoulli_] output with shape [{}] doesn't match the broadcast shape "
                  "[{}]",
                  fmt::join(x.shape(), ", "), fmt::join(shape, ", ")));
  Tensor target = x;
  (void)detail::bind_output(row, {shape, x.dtype(), device, names_of(x)}, &target);
  const Tensor* parameters[] = {&p};
  const Tensor made =
      sample(op::bernoulli, {shape, dtype, device, {}}, dtype, parameters, generator);
  target.copy_(made);
  return x;
}

Tensor poisson(const Tensor& mean, const Generator& generator) {
  const OpRow& row = op::poisson;
  const DType dtype = computed(row, "x", mean.dtype());
  TANDEM_EXPECTS(within(mean, 0, HUGE_VAL), ValueError,
                 "[poisson] invalid Poisson rate, expected rate to be non-negative");
  const Tensor* parameters[] = {&mean};
  return sample(row, {Dims(mean.shape()), mean.dtype(), mean.device(), names_of(mean)}, dtype,
                parameters, generator);
}

Tensor binomial(const Arg& count, const Arg& prob, const Generator& generator) {
  const OpRow& row = op::binomial;
  TANDEM_EXPECTS(count.is_tensor() || prob.is_tensor(), TypeError,
                 "[binomial] expected count or prob as a tensor, got two numbers");
  DType stored = result_type(count, prob);
  if (!is_float(stored) && !is_complex(stored)) stored = default_dtype();
  const DType dtype = computed(row, "count", stored);
  const auto tensor_of = [&](const Arg& a) {
    return a.is_tensor() ? a.tensor() : scalar_tensor(a.scalar(), {.dtype = dtype});
  };
  const Tensor n = tensor_of(count);
  const Tensor p = tensor_of(prob);
  const Tensor* both[] = {&n, &p};
  const Device device = detail::common_device(row, both);
  const Dims shape = detail::broadcast_shape(both, row.name);
  Names names = detail::unify_names(n.body_ptr()->names, n.shape().size(), p.body_ptr()->names,
                                    p.shape().size(), row.name);
  if (!device.is_meta()) {
    TANDEM_EXPECTS(within(n, 0, 0x1p1000), ValueError,
                   "[binomial] argument 'count': expected numbers of trials >= 0");
    check_probabilities(row, p);
  }
  return sample(row, {shape, stored, device, std::move(names)}, dtype, both, generator);
}

Tensor randperm(std::int64_t n, const Options& options, const Generator& generator) {
  const OpRow& row = op::randperm;
  const DType dtype = options.dtype.value_or(DType::int64);
  TANDEM_EXPECTS(n >= 0, ValueError,
                 fmt::format("[randperm] argument 'n': n must be non-negative, got {}", n));
  TANDEM_EXPECTS(
      dtypes::Reals.has(dtype), TypeError,
      fmt::format("[randperm] argument 'dtype': not implemented for '{}'", info(dtype).title));
  const bool has_sign = is_integer(dtype) && info(dtype).is_signed;
  const int bits = info(dtype).bits - (has_sign ? 1 : 0);
  TANDEM_EXPECTS(
      bits >= 63 || n - 1 <= (std::int64_t(1) << bits) - (is_float(dtype) ? 0 : 1), ValueError,
      fmt::format("[randperm] n is too large to be exactly represented in {}", name(dtype)));
  (void)detail::checked_numel(Dims{n}, sizeof(std::int64_t), row.name);
  detail::OutSpec spec{Dims{n}, dtype, resolve_device(options.device.value_or(kCPU), row.name),
                       detail::checked_names(options.names, 1, row.name)};
  const auto go = [&](const Tensor& out) {
    const Tensor made =
        dtype == DType::int64 ? out : empty(out.shape(), {DType::int64, out.device()});
    detail::Turn turn(generator, row.name);
    PermutationLaunch launch{};
    launch.row = &row;
    launch.n = n;
    launch.out = static_cast<std::int64_t*>(made.data_ptr());
    launch.seed = turn.seed();
    launch.offset = turn.counter();
    launch.device = out.device();
    launch.stream = detail::launch_stream(launch.device, {&made}, {});
    if (n > 0) detail::launch(row, launch.device, &launch);
    if (dtype != DType::int64) detail::copy_elements(out, made);
    turn.keep();
  };
  return detail::run_one(
      row, nullptr, [&] { return std::move(spec); }, go);
}

namespace {

constexpr std::int64_t kMostCategories = std::int64_t(1) << 24;

/// What can be said of weights on the host.
void check_weights(const Tensor& weights, std::int64_t num_samples, bool replacement) {
  if (!weights.device().is_cpu() || weights.numel() == 0) return;
  TANDEM_EXPECTS(within(weights, 0, info(weights.dtype()).max), ValueError,
                 "[multinomial] probability tensor contains either `inf`, `nan` or element < 0");
  const Tensor some = weights.gt(0).sum({-1});
  TANDEM_EXPECTS(some.ge(1).all().item().to_bool(), ValueError,
                 "[multinomial] invalid multinomial distribution (sum of probabilities <= 0)");
  TANDEM_EXPECTS(replacement || some.ge(num_samples).all().item().to_bool(), ValueError,
                 "[multinomial] invalid multinomial distribution (with replacement=False, not "
                 "enough non-negative category to sample)");
}

detail::OutSpec multinomial_spec(const Tensor& weights, std::int64_t num_samples,
                                 bool replacement) {
  TANDEM_EXPECTS(weights.dim() == 1 || weights.dim() == 2, ShapeError,
                 fmt::format("[multinomial] prob_dist must be 1 or 2 dim, got {}", weights.dim()));
  const std::int64_t categories = weights.shape().back();
  TANDEM_EXPECTS(
      num_samples > 0, ValueError,
      fmt::format("[multinomial] cannot sample n_sample <= 0 samples, got {}", num_samples));
  TANDEM_EXPECTS(
      categories > 0 && categories <= kMostCategories, ValueError,
      fmt::format("[multinomial] number of categories cannot exceed 2^24 or be 0, got {}",
                  categories));
  TANDEM_EXPECTS(replacement || num_samples <= categories, ValueError,
                 "[multinomial] cannot sample n_sample > prob_dist.size(-1) samples without "
                 "replacement");
  detail::OutSpec spec{Dims(weights.shape()), DType::int64, weights.device(), names_of(weights)};
  spec.shape.back() = num_samples;
  if (!spec.names.empty()) spec.names.back() = Name();
  return spec;
}

}  // namespace

Tensor multinomial(const Tensor& weights, std::int64_t num_samples, bool replacement,
                   const Generator& generator) {
  const OpRow& row = op::multinomial;
  const DType dtype = computed(row, "x", weights.dtype());
  detail::OutSpec spec = multinomial_spec(weights, num_samples, replacement);
  check_weights(weights, num_samples, replacement);
  const auto go = [&](const Tensor& out) {
    const Tensor dense = weights.to(dtype).contiguous();
    detail::Turn turn(generator, row.name);
    MultinomialLaunch launch{};
    launch.row = &row;
    launch.categories = weights.shape().back();
    launch.rows = weights.numel() / launch.categories;
    launch.samples = num_samples;
    launch.replacement = replacement;
    launch.dtype = dtype;
    launch.weights = dense.data_ptr();
    launch.out = static_cast<std::int64_t*>(out.data_ptr());
    launch.seed = turn.seed();
    launch.offset = turn.counter();
    launch.device = out.device();
    launch.stream = detail::launch_stream(launch.device, {&out}, {&dense});
    if (out.numel() > 0) detail::launch(row, launch.device, &launch);
    turn.keep();
  };
  return detail::run_one(
      row, nullptr, [&] { return std::move(spec); }, go);
}

// ---- boxed forms
namespace ops {
namespace {
const Generator& given(const MaybeGenerator& g) { return g ? *g : default_generator(); }
}  // namespace

Tensor bernoulli(const Tensor& x, std::optional<double> p, MaybeGenerator generator) {
  if (!p) return tandem::bernoulli(x, given(generator));
  return tandem::bernoulli_(empty_like(x), *p, given(generator));
}
Tensor poisson(const Tensor& x, MaybeGenerator generator) {
  return tandem::poisson(x, given(generator));
}
Tensor binomial(const Arg& count, const Arg& prob, MaybeGenerator generator) {
  return tandem::binomial(count, prob, given(generator));
}
Tensor randperm(std::int64_t n, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                MaybeNames names) {
  return tandem::randperm(n, options_of(dtype, device, names), given(generator));
}
Tensor multinomial(const Tensor& x, std::int64_t num_samples, bool replacement,
                   MaybeGenerator generator) {
  return tandem::multinomial(x, num_samples, replacement, given(generator));
}
}  // namespace ops

}  // namespace tandem
