// Accuracy of elementwise rows in float32, float16 and bfloat16: every input of the functions of
// one, samples for the others; named special values of every dtype.
#include <algorithm>
#include <cstring>

#include "tests/accuracy/rows.h"

namespace tandem::testing {
namespace {

using fn::from_bits;
using fn::to_bits;

constexpr std::int64_t kChunk = std::int64_t(1) << 20;  // elements a call

struct Worst {
  double ulp = 0;
  Real in[4] = {}, got = 0, exact = 0;

  void take(const Worst& o) {
    if (o.ulp > ulp) *this = o;
  }
};

/// A block against libm in double. Screened first: only what may be worse than the worst so far is
/// compared with the scalar function.
void check_fast(const OpRow& row, const Fast& f, const float* in, const float* out, Worst& worst) {
  double error[kBlock];
  const bool screened = has_v3();
  if (screened && screen_block(f, in, out, error) <= worst.ulp) return;
  for (int i = 0; i < kBlock; ++i) {
    if (screened && error[i] <= worst.ulp) continue;
    const double exact = f.exact(in[i]);
    const double ulp = error_in(DType::float32, out[i], exact, exact, false);
    if (ulp > worst.ulp && !forgiven(row, DType::float32, in[i], out[i], exact))
      worst = {ulp, {in[i]}, out[i], exact};
  }
}

/// Elements of a function that is exact or correctly rounded: all bits count.
template <class T>
void check_exact(const Oracle& o, const float* in, const T* out, std::int64_t n, Worst& worst) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float exact = o.exact32(in + i);
    const auto got = static_cast<float>(out[i]);
    if (to_bits(exact) == to_bits(got) || (exact != exact && got != got)) continue;
    if (worst.ulp == 0) worst = {HUGE_VAL, {in[i]}, got, exact};
  }
}

/// Elements against the oracle.
void check_oracle(const OpRow& row, const Oracle& o, DType t, const Real* const* in, Real got,
                  std::int64_t i, Worst& worst) {
  Real args[4] = {};
  test::Cplx terms[4] = {};
  for (int k = 0; k < row.arity; ++k) terms[k] = args[k] = in[k][i];
  const Real exact = reference(o, t, args, row.arity);
  const Real unit = o.scale ? std::max(std::fabs(exact), o.scale(terms)) : exact;
  if (o.scale && !(unit <= test::format_of(t).max)) return;  // a term of the sum overflows
  double ulp = 0;
  if (is_exact(o) && !o.scale) {
    const Real e = test::rounded(exact, t);
    const bool same =
        std::isnan(e) ? std::isnan(got) : e == got && std::signbit(e) == std::signbit(got);
    ulp = same ? 0 : HUGE_VAL;
  } else {
    ulp = error_in(t, got, exact, unit, bool(o.scale));
  }
  if (!(ulp > worst.ulp) || forgiven(row, t, args[0], got, exact)) return;
  worst.ulp = ulp;
  std::copy(args, args + 4, worst.in);
  worst.got = got;
  worst.exact = exact;
}

Real element(const Tensor& t, std::int64_t i) {
  const auto size = static_cast<std::int64_t>(t.element_size());
  const test::Element e =
      test::read_element(static_cast<const char*>(t.data_ptr()) + i * size, t.dtype());
  return category(t.dtype()) < Category::Float ? Real(e.i) : e.re;
}

/// celu refuses an alpha of 0.
void replace_refused(const OpRow& row, DType t, std::vector<Tensor>& inputs) {
  if (&row == &op::celu && element(inputs[1], 0) == 0)
    test::write_element(static_cast<char*>(inputs[1].data_ptr()), t, {.re = 1});
}

/// All elements of a call against the oracle.
Worst check_call(const OpRow& row, const Oracle& o, DType t, const std::vector<Tensor>& inputs) {
  const Tensor out = call_row(row, inputs);
  const std::int64_t n = out.numel();
  Worst worst;
#pragma omp parallel
  {
    Worst mine;
#pragma omp for schedule(static)
    for (std::int64_t i = 0; i < n; ++i) {
      Real in[4] = {};
      const Real* at[4] = {&in[0], &in[1], &in[2], &in[3]};
      for (std::size_t k = 0; k < inputs.size(); ++k)
        in[k] = element(inputs[k], schema_of(row).params[k].type == "Scalar" ? 0 : i);
      check_oracle(row, o, t, at, element(out, i), 0, mine);
    }
#pragma omp critical
    worst.take(mine);
  }
  return worst;
}

void fill_in(Finding& f, const Worst& w, int arity) {
  f.worst = w.ulp;
  for (int k = 0; k < arity; ++k) f.at += (k == 0 ? "" : ", ") + text_of(w.in[k]);
  f.got = text_of(w.got);
  f.expected = text_of(w.exact);
}

Finding without_reference() {
  return {
      .reference = "none", .note = "no line in tests/host/elementwise_oracle.h", .worst = HUGE_VAL};
}

/// One of many inputs: any bits, the row's domain, near each other, near 1, small integers.
Real draw(const OpRow& row, DType t, std::uint64_t i, Rng& rng, Real other) {
  const bool given = row.lo < row.hi;
  const double lo = given ? row.lo : -3;
  const double hi = given ? row.hi : 3;
  const test::FloatFormat f = test::format_of(t);
  Real x = 0;
  switch (i % 6) {
    case 0:
      x = std::ldexp(1 + Real(rng.unit()),
                     f.min_exponent - f.digits + 1 +
                         int(rng.next() % std::uint64_t(-2 * f.min_exponent + f.digits)));
      break;
    case 1:
      x = lo + (hi - lo) * rng.unit();
      break;
    case 2:
      x = other == 0 ? 1
                     : other * (1 + Real(int(rng.next() % 17) - 8) *
                                        std::ldexp(Real(1), -int(rng.next() % 24)));
      break;
    case 3:
      x = 1 + (Real(rng.unit()) - 0.5L) * std::ldexp(Real(1), -int(rng.next() % 24));
      break;
    case 4:
      x = Real(int(rng.next() % 129) - 64) / 2;
      break;
    default:
      x = std::ldexp(1 + Real(rng.unit()), int(rng.next() % 41) - 20);
  }
  if (rng.next() % 2 == 0 && i % 6 != 1) x = -x;
  return test::rounded(x, t);
}

}  // namespace

std::string text_of(Real x) {
  char s[64];
  std::snprintf(s, sizeof s, "%.9Lg (%a)", x, static_cast<double>(x));
  return s;
}

namespace {

void check_chunk(const OpRow& row, const Oracle* oracle, const Fast* fast, const Tensor& x,
                 Worst& worst) {
  if (fast == nullptr && !is_exact(*oracle)) {
    worst.take(check_call(row, *oracle, DType::float32, {x}));
    return;
  }
  const Tensor y = call_row(row, {x});
  const auto* in = x.data<float>();
#pragma omp parallel
  {
    Worst mine = worst;
#pragma omp for schedule(static)
    for (std::int64_t at = 0; at < kChunk; at += kBlock) {
      if (fast != nullptr) {
        check_fast(row, *fast, in + at, y.data<float>() + at, mine);
      } else if (y.dtype() == DType::bool_) {
        check_exact(*oracle, in + at, y.data<bool>() + at, kBlock, mine);
      } else if (y.dtype() == DType::int32) {
        check_exact(*oracle, in + at, y.data<std::int32_t>() + at, kBlock, mine);
      } else {
        check_exact(*oracle, in + at, y.data<float>() + at, kBlock, mine);
      }
    }
#pragma omp critical
    worst.take(mine);
  }
}

}  // namespace

namespace {

/// kBlock floats about x, in order of their bits.
void fill_near(float x, float* in) {
  const std::uint32_t first = to_bits(x) - kBlock / 2;
  for (int i = 0; i < kBlock; ++i) in[i] = from_bits(first + static_cast<std::uint32_t>(i));
}

}  // namespace

Finding check_float32(const OpRow& row, const Effort& o) {
  const Oracle* oracle = oracle_of(row);
  const Fast* fast = fast_reference(row.name);
  if (oracle == nullptr && fast == nullptr) return without_reference();
  Finding f{.reference = fast != nullptr ? "libm in double" : "long double",
            .budget = budget_of(row, oracle, DType::float32)};
  if (fast == nullptr && is_exact(*oracle)) f.reference = "exact";
  const std::uint64_t count = ((std::uint64_t(1) << 32) + o.stride - 1) / o.stride;
  Worst worst;
  Tensor x = empty({kChunk});
  auto* in = x.data<float>();
  for (std::uint64_t first = 0; first < count; first += std::uint64_t(kChunk)) {
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < kChunk; ++i)
      in[i] = from_bits(static_cast<std::uint32_t>((first + std::uint64_t(i)) * o.stride));
    // Into the end of the first chunk: a sparse stride leaves room for them there.
    if (o.stride > 1 && first == 0) {
      for (std::size_t k = 0; k < o.near.size(); ++k)
        fill_near(o.near[k], in + kChunk - static_cast<std::int64_t>(k + 1) * kBlock);
    }
    check_chunk(row, oracle, fast, x, worst);
  }
  f.count = count;
  fill_in(f, worst, 1);
  return f;
}

Finding check_half(const OpRow& row, DType t) {
  const Oracle* oracle = oracle_of(row);
  if (oracle == nullptr) return without_reference();
  Finding f{.reference = is_exact(*oracle) ? "exact" : "long double",
            .budget = budget_of(row, oracle, t)};
  Tensor x = empty({65536}, {.dtype = t});
  auto* bits = static_cast<std::uint16_t*>(x.data_ptr());
  for (int i = 0; i < 65536; ++i) bits[i] = static_cast<std::uint16_t>(i);
  f.count = 65536;
  fill_in(f, check_call(row, *oracle, t, {x}), 1);
  return f;
}

Finding check_samples(const OpRow& row, DType t, const Effort& o) {
  const Oracle* oracle = oracle_of(row);
  if (oracle == nullptr) return without_reference();
  Finding f{.reference = is_exact(*oracle) ? "exact" : "long double",
            .budget = budget_of(row, oracle, t)};
  Rng rng(7);
  Worst worst;
  const auto size = static_cast<std::int64_t>(element_size(t));
  const std::int64_t chunk = std::min<std::int64_t>(kChunk, static_cast<std::int64_t>(o.samples));
  for (; f.count < o.samples; f.count += std::uint64_t(chunk)) {
    std::vector<Tensor> inputs;
    for (int k = 0; k < row.arity; ++k) inputs.push_back(empty({chunk}, {.dtype = t}));
    for (std::int64_t i = 0; i < chunk; ++i) {
      Real last = 0;
      for (Tensor& x : inputs) {
        last = draw(row, t, rng.next(), rng, last);
        test::write_element(static_cast<char*>(x.data_ptr()) + i * size, t, {.re = last});
      }
    }
    if ((row.flags & kFirstIsBool) != 0) inputs[0] = inputs[0].to(DType::bool_);
    replace_refused(row, t, inputs);
    worst.take(check_call(row, *oracle, t, inputs));
  }
  fill_in(f, worst, row.arity);
  return f;
}

Finding check_specials(const OpRow& row, DType t) {
  const Oracle* oracle = oracle_of(row);
  if (oracle == nullptr) return without_reference();
  Finding f{.reference = is_exact(*oracle) ? "exact" : "long double",
            .budget = budget_of(row, oracle, t)};
  const std::vector<Named> named = named_values(t);
  const auto n = static_cast<std::int64_t>(named.size());
  std::int64_t count = n;
  for (int k = 1; k < std::min<int>(row.arity, 2); ++k) count *= n;
  const auto size = static_cast<std::int64_t>(element_size(t));
  std::vector<Tensor> inputs;
  std::int64_t step = 1;
  for (int k = 0; k < row.arity; ++k) {
    Tensor x = empty({count}, {.dtype = t});
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t which = k < 2 ? i / step % n : i * 7 % n;
      test::write_element(static_cast<char*>(x.data_ptr()) + i * size, t,
                          {.re = named[static_cast<std::size_t>(which)].value});
    }
    step *= n;
    inputs.push_back(k == 0 && (row.flags & kFirstIsBool) != 0 ? x.to(DType::bool_) : x);
  }
  replace_refused(row, t, inputs);
  f.count = static_cast<std::uint64_t>(count);
  fill_in(f, check_call(row, *oracle, t, inputs), row.arity);
  return f;
}

}  // namespace tandem::testing
