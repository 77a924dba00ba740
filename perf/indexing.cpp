// Rows that read and write at given places: whole rows, single elements, masks of which half is
// set.
#include "perf/cases.h"

namespace tandem::perf {
namespace {

constexpr DType kFloat = dtype_of<float>;
constexpr Domain kUnit{-1, 1};
const Dims kMatrix{4096, 4096};
constexpr std::int64_t kMany = 1 << 24;
constexpr std::int64_t kFew = 1 << 22;

/// Indices in no order.
Tensor places(IntSpan shape, std::int64_t below) {
  Tensor x = empty(shape, {.dtype = DType::int64});
  std::uint64_t state = 7;
  auto* p = x.data<std::int64_t>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    p[i] = static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(below));
  }
  return x.to(place().device);
}

template <class F>
Case make(std::string op, std::string form, Dims shape, double bytes, F f) {
  Case c;
  c.op = std::move(op);
  c.form = std::move(form);
  c.dtype = kFloat;
  c.shape = shape;
  c.bytes = bytes;
  c.domain = kUnit;
  c.run = [shape, f](benchmark::State& state) { f(input(shape, kFloat, kUnit), state); };
  return c;
}

void add_reads(std::vector<Case>& cases) {
  const double rows = 2.0 * 4 * 4096 * 4096;
  cases.push_back(make("index_select", "rows", kMatrix, rows, [](const Tensor& x, auto& state) {
    const Tensor i = places({4096}, 4096);
    timed(state, [&] { return index_select(x, 0, i); });
  }));
  cases.push_back(
      make("index_select", "elements", {kMany}, 16.0 * kFew, [](const Tensor& x, auto& state) {
        const Tensor i = places({kFew}, kMany);
        timed(state, [&] { return index_select(x, 0, i); });
      }));
  cases.push_back(make("gather", "along1", kMatrix, 2 * rows, [](const Tensor& x, auto& state) {
    const Tensor i = places(kMatrix, 4096);
    timed(state, [&] { return gather(x, 1, i); });
  }));
}

void add_masks(std::vector<Case>& cases) {
  const double half = 4.0 * kMany + kMany + 2.0 * kMany;
  cases.push_back(make("masked_select", "half", {kMany}, half, [](const Tensor& x, auto& state) {
    const Tensor mask = gt(x, 0);
    timed(state, [&] { return masked_select(x, mask); });
  }));
  cases.push_back(make("nonzero", "half", {kMany}, 5.0 * kMany, [](const Tensor& x, auto& state) {
    const Tensor mask = gt(x, 0);
    timed(state, [&] { return nonzero(mask); });
  }));
  cases.push_back(
      make("masked_fill", "half", {kMany}, 9.0 * kMany, [](const Tensor& x, auto& state) {
        const Tensor mask = gt(x, 0);
        timed(state, [&] { return masked_fill(x, mask, 2); });
      }));
}

void add_writes(std::vector<Case>& cases) {
  const double rows = 3.0 * 4 * 4096 * 4096;
  cases.push_back(make("index_add_", "rows", kMatrix, rows, [](const Tensor& x, auto& state) {
    const Tensor i = places({4096}, 4096);
    const Tensor to = x.clone();
    timed(state, [&] { index_add_(to, 0, i, x); });
  }));
  cases.push_back(make("scatter_add_", "along0", kMatrix, rows + 2 * rows / 3,
                       [](const Tensor& x, auto& state) {
                         const Tensor i = places(kMatrix, 4096);
                         const Tensor to = x.clone();
                         timed(state, [&] { scatter_add_(to, 0, i, x); });
                       }));
  cases.push_back(
      make("index_put_", "elements", {kFew}, 16.0 * kFew, [](const Tensor& x, auto& state) {
        const Tensor i = places({kFew}, kFew);
        const Tensor to = x.clone();
        timed(state, [&] { index_put_(to, {i}, x); });
      }));
  cases.push_back(
      make("index_put_", "accumulated", {kFew}, 20.0 * kFew, [](const Tensor& x, auto& state) {
        const Tensor i = places({kFew}, kFew);
        const Tensor to = x.clone();
        timed(state, [&] { index_put_(to, {i}, x, true); });
      }));
}

}  // namespace

std::vector<Case> indexing_cases() {
  std::vector<Case> cases;
  add_reads(cases);
  add_masks(cases);
  add_writes(cases);
  return cases;
}

}  // namespace tandem::perf
