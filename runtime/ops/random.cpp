// Random numbers: front-ends of the rows that are one launch of a distribution with numbers as its
// parameters, and of what is made from them.
#include "tandem/random.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/ops/generator.h"
#include "runtime/ops/random.h"
#include "runtime/ops/turn.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

/// Where numbers go: the infer part of every row here.
detail::OutSpec spec_of(const OpRow& row, IntSpan shape, DType dtype, const Options& options) {
  (void)detail::checked_numel(shape, element_size(dtype), row.name);
  return {Dims(shape), dtype, resolve_device(options.device.value_or(kCPU), row.name),
          detail::checked_names(options.names, shape.size(), row.name)};
}

/// Runs the row's kernel, computing in `kernel`, into a fresh tensor or into `out`.
Tensor draw(const OpRow& row, const detail::OutSpec& spec, DType kernel, GeneratorLaunch& launch,
            const Generator& generator, Tensor* out = nullptr) {
  const auto go = [&](const Tensor& t) {
    detail::Turn turn(generator, row.name);
    std::int64_t strides[kMaxRank];
    detail::set_output(launch, row, t, kernel, strides);
    launch.seed = turn.seed();
    launch.offset = turn.counter();
    if (launch.numel > 0) detail::launch(row, t.device(), &launch);
    turn.keep();
  };
  return detail::run_one(
      row, out, [&] { return spec; }, go);
}

Tensor draw_into(const OpRow& row, const Tensor& x, DType kernel, GeneratorLaunch& launch,
                 const Generator& generator) {
  Tensor target = x;
  const Options options{x.dtype(), x.device(), x.has_names() ? x.names() : Names()};
  draw(row, spec_of(row, x.shape(), x.dtype(), options), kernel, launch, generator, &target);
  return x;
}

[[noreturn]] void not_implemented(const OpRow& row, const char* argument, DType dtype) {
  detail::fail<TypeError>(fmt::format("[{}] argument '{}': not implemented for '{}'", row.name,
                                      argument, info(dtype).title));
}

/// float32 for the half types, which are rounded on the store; a float's own dtype otherwise.
DType float_kernel(const OpRow& row, DType dtype, DTypeSet accepted = dtypes::Floats) {
  if (!accepted.has(dtype)) not_implemented(row, "x", dtype);
  return is_float(dtype) || is_complex(dtype) ? info(dtype).compute : DType::float64;
}

Options options_like(const Tensor& x, const Options& options) {
  Options o = options;
  if (!o.dtype) o.dtype = x.dtype();
  if (!o.device) o.device = x.device();
  if (o.names.empty() && x.has_names()) o.names = x.names();
  return o;
}

/// Numbers of a row of generator.def; errors name `named`.
Tensor of_table(const OpRow& row, const OpRow& named, IntSpan shape, const Options& options,
                const Generator& generator) {
  const DType dtype = options.dtype.value_or(default_dtype());
  if (!row.dtypes.has(dtype)) not_implemented(named, "dtype", dtype);
  GeneratorLaunch launch{};
  return draw(row, spec_of(named, shape, dtype, options), dtype, launch, generator);
}

/// The greatest number of a float dtype below x.
double greatest_below(double x, DType dtype) {
  return visit(dtype, [x]<class T>() -> double {
    if constexpr (fn::is_half_v<T> || fn::is_real_float_v<T>) {
      using U = fn::unsigned_t<T>;
      constexpr U kSign = U(1) << (8 * sizeof(T) - 1);
      const T near = fn::cast<T>(x);
      const auto value = [](T v) -> double { return fn::cast<double>(v); };
      if (value(near) < x) return value(near);
      auto bits = __builtin_bit_cast(U, near);
      if ((bits & ~kSign) == 0) {
        bits = kSign | 1;
      } else {
        bits = static_cast<U>((bits & kSign) != 0 ? bits + 1 : bits - 1);
      }
      return value(__builtin_bit_cast(T, bits));
    } else {
      return x;
    }
  });
}

__extension__ using Wide = __int128;

/// The integers that a dtype holds, all of them up to the first that it does not: [low, high].
struct Integers {
  Wide low, high;
};
Integers integers_of(DType dtype) {
  if (dtype == DType::bool_) return {0, 1};
  const bool has_sign = !is_float(dtype) && info(dtype).is_signed;
  const Wide last = Wide(1) << (info(dtype).bits - (has_sign ? 1 : 0));
  if (is_float(dtype)) return {-last, last};
  return {has_sign ? -last : Wide(0), last - 1};
}

void check_interval(const OpRow& row, Wide low, Wide high, DType dtype) {
  if (!dtypes::BoolReals.has(dtype)) not_implemented(row, "dtype", dtype);
  const auto text = [](Wide v) { return Scalar(static_cast<std::int64_t>(v)).str(); };
  TANDEM_EXPECTS(low < high, ValueError,
                 fmt::format("[{}] random_ expects 'from' to be less than 'to', but got from={} >= "
                             "to={}",
                             row.name, text(low), text(high)));
  // Floats round integers beyond their significand's bits.
  const Wide most = is_float(dtype) && info(dtype).max < 0x1p64 ? static_cast<Wide>(info(dtype).max)
                                                                : Wide(1) << 64;
  const Integers all = is_float(dtype) ? Integers{-most, most} : integers_of(dtype);
  const bool below = low < all.low;
  TANDEM_EXPECTS(!below && high - 1 <= all.high, ValueError,
                 fmt::format("[{}] expected integers that {} holds, got {}", row.name, name(dtype),
                             text(below ? low : high - 1)));
}

/// Sets a launch for [low, high); int32 where that holds them all, else int64: which of the two
/// decides the words an element takes.
DType set_interval(GeneratorLaunch& launch, Wide low, Wide high) {
  launch.i[0] = static_cast<std::int64_t>(low);
  launch.i[1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(high - low));
  return low >= INT32_MIN && high - 1 <= INT32_MAX ? DType::int32 : DType::int64;
}

Tensor integers(const OpRow& row, std::int64_t low, std::int64_t high, IntSpan shape,
                const Options& options, const Generator& generator) {
  const DType dtype = options.dtype.value_or(DType::int64);
  check_interval(row, low, high, dtype);
  GeneratorLaunch launch{};
  const DType kernel = set_interval(launch, low, high);
  return draw(op::randint, spec_of(row, shape, dtype, options), kernel, launch, generator);
}

void check_deviation(double std) {
  TANDEM_EXPECTS(std >= 0, ValueError,
                 fmt::format("[normal] normal expects std >= 0.0, but found std {}", std));
}

void check_positive(const OpRow& row, const char* word, double value) {
  TANDEM_EXPECTS(value > 0, ValueError,
                 fmt::format("[{}] {} expects {} > 0.0, but found {}={}", row.name, row.name, word,
                             word, value));
}

}  // namespace

// ---- fresh tensors
Tensor rand(IntSpan shape, const Options& options) {
  return of_table(op::rand, op::rand, shape, options, default_generator());
}
Tensor rand(IntSpan shape, const Generator& generator, const Options& options) {
  return of_table(op::rand, op::rand, shape, options, generator);
}
Tensor randn(IntSpan shape, const Options& options) {
  return of_table(op::randn, op::randn, shape, options, default_generator());
}
Tensor randn(IntSpan shape, const Generator& generator, const Options& options) {
  return of_table(op::randn, op::randn, shape, options, generator);
}
Tensor rand_like(const Tensor& x, const Options& options, const Generator& generator) {
  return of_table(op::rand, op::rand_like, x.shape(), options_like(x, options), generator);
}
Tensor randn_like(const Tensor& x, const Options& options, const Generator& generator) {
  return of_table(op::randn, op::randn_like, x.shape(), options_like(x, options), generator);
}
Tensor randint(std::int64_t low, std::int64_t high, IntSpan shape, const Options& options,
               const Generator& generator) {
  return integers(op::randint, low, high, shape, options, generator);
}
Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high, const Options& options,
                    const Generator& generator) {
  return integers(op::randint_like, low, high, x.shape(), options_like(x, options), generator);
}

Tensor normal(double mean, double std, IntSpan shape, const Options& options,
              const Generator& generator) {
  check_deviation(std);
  const DType dtype = options.dtype.value_or(default_dtype());
  const DType kernel = float_kernel(op::normal_, dtype, dtypes::Inexact);
  GeneratorLaunch launch{};
  launch.f[0] = mean;
  launch.f[1] = std;
  return draw(op::normal_, spec_of(op::normal, shape, dtype, options), kernel, launch, generator);
}

namespace {
Tensor normal_of(const Arg& mean, const Arg& std, const Options& given,
                 const Generator& generator) {
  TANDEM_EXPECTS(mean.is_tensor() || std.is_tensor(), TypeError,
                 "[normal] expected a size, or mean or std as a tensor");
  if (!std.is_tensor()) {
    check_deviation(std.scalar().to_double());
  } else if (std.tensor().device().is_cpu() && std.tensor().numel() > 0) {
    TANDEM_EXPECTS(is_float(std.tensor().dtype()), TypeError,
                   fmt::format("[normal] argument 'std': expected a float dtype, got {}",
                               name(std.tensor().dtype())));
    TANDEM_EXPECTS(std.tensor().ge(0).all().item().to_bool(), ValueError,
                   "[normal] normal expects all elements of std >= 0.0");
  }
  const Tensor* tensors[] = {mean.is_tensor() ? &mean.tensor() : nullptr,
                             std.is_tensor() ? &std.tensor() : nullptr};
  if (mean.is_tensor() && std.is_tensor()) {
    const detail::TensorBody* a = mean.tensor().body_ptr();
    const detail::TensorBody* b = std.tensor().body_ptr();
    (void)detail::unify_names(a->names, a->shape.size(), b->names, b->shape.size(), "normal");
  }
  Options o = given;
  if (!o.dtype) o.dtype = result_type(mean, std);
  if (!o.device) o.device = detail::common_device(op::normal, tensors);
  const Tensor z = randn(detail::broadcast_shape(tensors, "normal"), generator, o);
  return z.mul(std).add(mean);
}
}  // namespace

Tensor normal(const Arg& mean, const Arg& std, const Generator& generator) {
  return normal_of(mean, std, {}, generator);
}

// ---- in place
Tensor uniform_(const Tensor& x, double from, double to, const Generator& generator) {
  const OpRow& row = op::uniform_;
  if (!is_float(x.dtype())) not_implemented(row, "x", x.dtype());
  TANDEM_EXPECTS(
      from <= to, ValueError,
      fmt::format("[uniform_] uniform_ expects to return a [from, to) range, but found from={} > "
                  "to={}",
                  from, to));
  const double most = info(x.dtype()).max;
  TANDEM_EXPECTS(from >= -most && to <= most && to - from <= most, ValueError,
                 fmt::format("[uniform_] expected a range that {} holds, got [{}, {})",
                             name(x.dtype()), from, to));
  GeneratorLaunch launch{};
  launch.f[0] = from;
  launch.f[1] = to - from;
  launch.value.re = from < to ? greatest_below(to, x.dtype()) : to;
  return draw_into(row, x, x.dtype(), launch, generator);
}

Tensor normal_(const Tensor& x, double mean, double std, const Generator& generator) {
  const DType kernel = float_kernel(op::normal_, x.dtype(), dtypes::Inexact);
  check_deviation(std);
  GeneratorLaunch launch{};
  launch.f[0] = mean;
  launch.f[1] = std;
  return draw_into(op::normal_, x, kernel, launch, generator);
}

Tensor log_normal_(const Tensor& x, double mean, double std, const Generator& generator) {
  const DType kernel = float_kernel(op::log_normal_, x.dtype());
  check_positive(op::log_normal_, "std", std);
  GeneratorLaunch launch{};
  launch.f[0] = mean;
  launch.f[1] = std;
  return draw_into(op::log_normal_, x, kernel, launch, generator);
}

Tensor exponential_(const Tensor& x, double lambd, const Generator& generator) {
  const DType kernel = float_kernel(op::exponential_, x.dtype());
  check_positive(op::exponential_, "lambda", lambd);
  GeneratorLaunch launch{};
  launch.f[0] = lambd;
  return draw_into(op::exponential_, x, kernel, launch, generator);
}

Tensor cauchy_(const Tensor& x, double median, double sigma, const Generator& generator) {
  const DType kernel = float_kernel(op::cauchy_, x.dtype());
  check_positive(op::cauchy_, "sigma", sigma);
  GeneratorLaunch launch{};
  launch.f[0] = median;
  launch.f[1] = sigma;
  return draw_into(op::cauchy_, x, kernel, launch, generator);
}

Tensor geometric_(const Tensor& x, double p, const Generator& generator) {
  const DType kernel = float_kernel(op::geometric_, x.dtype(), dtypes::Reals);
  TANDEM_EXPECTS(p > 0 && p < 1, ValueError,
                 fmt::format("[geometric_] geometric_ expects p to be in (0, 1), but got p={}", p));
  GeneratorLaunch launch{};
  launch.f[0] = p;
  return draw_into(op::geometric_, x, kernel, launch, generator);
}

Tensor random_(const Tensor& x, std::int64_t from, std::optional<std::int64_t> to,
               const Generator& generator) {
  const Wide high = to ? Wide(*to) : integers_of(x.dtype()).high + 1;
  check_interval(op::random_, from, high, x.dtype());
  GeneratorLaunch launch{};
  const DType kernel = set_interval(launch, from, high);
  return draw_into(op::random_, x, kernel, launch, generator);
}

Tensor bernoulli_(const Tensor& x, double p, const Generator& generator) {
  if (!dtypes::BoolReals.has(x.dtype())) not_implemented(op::bernoulli_, "x", x.dtype());
  TANDEM_EXPECTS(p >= 0 && p <= 1, ValueError,
                 fmt::format("[bernoulli_] bernoulli_ expects p to be in [0, 1], but got p={}", p));
  GeneratorLaunch launch{};
  launch.f[0] = p;
  return draw_into(op::bernoulli_, x, DType::bool_, launch, generator);
}

// ---- boxed forms
namespace ops {
namespace {
const Generator& given(const MaybeGenerator& g) { return g ? *g : default_generator(); }
}  // namespace

Tensor rand(IntSpan size, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
            MaybeNames names) {
  return tandem::rand(size, given(generator), options_of(dtype, device, names));
}
Tensor randn(IntSpan size, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
             MaybeNames names) {
  return tandem::randn(size, given(generator), options_of(dtype, device, names));
}
Tensor rand_like(const Tensor& x, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                 MaybeNames names) {
  return tandem::rand_like(x, options_of(dtype, device, names), given(generator));
}
Tensor randn_like(const Tensor& x, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                  MaybeNames names) {
  return tandem::randn_like(x, options_of(dtype, device, names), given(generator));
}

Tensor randint(std::int64_t low, const Value& high, std::optional<Dims> size,
               MaybeGenerator generator, MaybeDType dtype, MaybeDevice device, MaybeNames names) {
  TANDEM_EXPECTS(!high.is<Dims>() || !size, TypeError,
                 "[randint] argument 'high': expected an int before a size, got a list of ints");
  if (high.is<Dims>()) size = high.as<Dims>();
  TANDEM_EXPECTS(size.has_value(), TypeError, "[randint] missing argument 'size'");
  const bool both = high.is<Scalar>();
  TANDEM_EXPECTS(both ? high.as<Scalar>().is_integral() : high.is_none() || high.is<Dims>(),
                 TypeError, "[randint] argument 'high': expected an int");
  const std::int64_t end = both ? high.as<Scalar>().to_int() : low;
  return tandem::randint(both ? low : 0, end, *size, options_of(dtype, device, names),
                         given(generator));
}

Tensor randint_like(const Tensor& x, std::int64_t low, std::optional<std::int64_t> high,
                    MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                    MaybeNames names) {
  return tandem::randint_like(x, high ? low : 0, high.value_or(low),
                              options_of(dtype, device, names), given(generator));
}

Tensor normal(const Arg& mean, const Arg& std, std::optional<Dims> size, MaybeGenerator generator,
              MaybeDType dtype, MaybeDevice device, MaybeNames names) {
  const Options o = options_of(dtype, device, names);
  if (!size) return normal_of(mean, std, o, given(generator));
  TANDEM_EXPECTS(!mean.is_tensor() && !std.is_tensor(), TypeError,
                 "[normal] argument 'size': expected none beside a tensor");
  return tandem::normal(mean.scalar().to_double(), std.scalar().to_double(), *size, o,
                        given(generator));
}

Tensor uniform_(const Tensor& x, double from, double to, MaybeGenerator generator) {
  return tandem::uniform_(x, from, to, given(generator));
}
Tensor normal_(const Tensor& x, double mean, double std, MaybeGenerator generator) {
  return tandem::normal_(x, mean, std, given(generator));
}
Tensor log_normal_(const Tensor& x, double mean, double std, MaybeGenerator generator) {
  return tandem::log_normal_(x, mean, std, given(generator));
}
Tensor exponential_(const Tensor& x, double lambd, MaybeGenerator generator) {
  return tandem::exponential_(x, lambd, given(generator));
}
Tensor cauchy_(const Tensor& x, double median, double sigma, MaybeGenerator generator) {
  return tandem::cauchy_(x, median, sigma, given(generator));
}
Tensor geometric_(const Tensor& x, double p, MaybeGenerator generator) {
  return tandem::geometric_(x, p, given(generator));
}
Tensor random_(const Tensor& x, std::optional<std::int64_t> from, std::optional<std::int64_t> to,
               MaybeGenerator generator) {
  const bool upper_alone = from && !to;
  return tandem::random_(x, upper_alone ? 0 : from.value_or(0), upper_alone ? from : to,
                         given(generator));
}
Tensor bernoulli_(const Tensor& x, const Arg& p, MaybeGenerator generator) {
  if (p.is_tensor()) return tandem::bernoulli_(x, p.tensor(), given(generator));
  return tandem::bernoulli_(x, p.scalar().to_double(), given(generator));
}

}  // namespace ops

}  // namespace tandem
