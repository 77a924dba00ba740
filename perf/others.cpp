// The rows that are no elementwise ops. Families and schemas of the op table say what is a
// generator, a reduction or a softmax; joins, products, copies and views have shapes of their own.
#include <algorithm>
#include <span>

#include "perf/cases.h"
#include "tandem/graph.h"
#include "tandem/sorting.h"
#include "tandem/value.h"

namespace tandem::perf {
namespace {

constexpr DType kFloat = dtype_of<float>;
constexpr Domain kUnit{-1, 1};
constexpr std::int64_t kMany = 1 << 24;
const Dims kMatrix{4096, 4096};
const Dims kFrames{2, 3, 2160, 3840};  // two pictures of 8 megapixels, three channels each
constexpr double kFloatBytes = 4;

double count(const Dims& shape) {
  double n = 1;
  for (const std::int64_t s : shape) n *= static_cast<double>(s);
  return n;
}

Case make(std::string op, std::string form, Dims shape, double bytes, Domain domain,
          std::function<void(benchmark::State&)> run) {
  Case c;
  c.op = std::move(op);
  c.form = std::move(form);
  c.dtype = kFloat;
  c.shape = std::move(shape);
  c.bytes = bytes;
  c.domain = domain;
  c.run = std::move(run);
  return c;
}

const Param* parameter(const OpRow& row, std::string_view name) {
  for (const Param& p : schema_of(row).params) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

// ---- generators: arguments by the names of the schema's parameters

Value generator_argument(const Param& p) {
  if (p.name == "size") return Dims{kMany};
  if (p.name == "n") return kMatrix[0];
  if (p.name == "end" || p.name == "steps") return kMany;
  if (p.name == "start") return 0;
  if (p.name == "fill_value") return 1.5;
  if (p.name == "dtype") return kFloat;
  if (p.name == "device" && place().on_device()) return place().device;
  return {};
}

void add_generators(std::vector<Case>& cases) {
  for (const OpRow* row : op_rows()) {
    if (row->family != Family::Generator || !row->dtypes.has(kFloat)) continue;
    std::vector<Value> args;
    for (const Param& p : schema_of(*row).params) args.push_back(generator_argument(p));
    const bool square = parameter(*row, "n") != nullptr;
    const Dims shape = square ? kMatrix : Dims{kMany};
    cases.push_back(make(row->name, "fresh", shape, kFloatBytes * count(shape), kUnit,
                         [row, args](benchmark::State& state) {
                           timed(state, [&] { return call_boxed(*row, args); });
                         }));
  }
}

/// Distributions into a given tensor: rows that write to x and take a generator.
void add_draws(std::vector<Case>& cases) {
  for (const OpRow* row : op_rows()) {
    const bool writes = std::string_view(row->name).ends_with('_');
    if (!writes || parameter(*row, "generator") == nullptr) continue;
    const Param* p = parameter(*row, "p");
    const bool needs_p = p != nullptr && p->required();
    const Dims shape{kMany};
    cases.push_back(make(row->name, "in_place", shape, kFloatBytes * count(shape), kUnit,
                         [row, needs_p, shape](benchmark::State& state) {
                           std::vector<Value> args{filled(shape, kFloat, kUnit, 1)};
                           if (needs_p) args.emplace_back(0.25);
                           timed(state, [&] { return call_boxed(*row, args); });
                         }));
  }
}

// ---- reductions and what resembles them

/// Whether the second parameter of a row with a front-end of its own is the axis.
bool has_axis(const OpRow& row) {
  return row.family == Family::Irregular && parameter(row, "dim") &&
         schema_of(row).params[1].name == "dim";
}

/// Rows with an axis to reduce: those of the family, and irregular ones with `dim` and `keepdim`.
bool reduces(const OpRow& row) {
  if (row.family == Family::Reduction) return row.dtypes.has(kFloat);
  return has_axis(row) && parameter(row, "keepdim");
}

/// Scans along an axis.
bool scans(const OpRow& row) {
  const std::string_view name = row.name;
  return name.starts_with("cum") || name == "logcumsumexp";
}

/// Rows that keep the shape but work along an axis: softmax and its kin, scans.
bool normalises(const OpRow& row) {
  const Param* dim = parameter(row, "dim");
  const bool writes = std::string_view(row.name).ends_with('_');
  return has_axis(row) && !writes && dim->type == "axis" && (parameter(row, "dtype") || scans(row));
}

void add_along_axes(std::vector<Case>& cases) {
  const double bytes = kFloatBytes * count(kMatrix);
  for (const OpRow* row : op_rows()) {
    const bool keeps = normalises(*row);
    if (!reduces(*row) && !keeps) continue;
    const Domain d = row->family == Family::Reduction ? domain_of(*row) : kUnit;
    for (int dim = keeps ? 0 : -1; dim < 2; ++dim) {  // -1: over everything
      const std::string form = dim < 0 ? "full" : "dim" + std::to_string(dim);
      cases.push_back(make(row->name, form, kMatrix, keeps ? 2 * bytes : bytes, d,
                           [row, d, dim](benchmark::State& state) {
                             const Value args[] = {input(kMatrix, kFloat, d), dim};
                             const std::span used(args, dim < 0 ? 1 : 2);
                             timed(state, [&] { return call_boxed(*row, used); });
                           }));
    }
  }
  // One row: the threads share it.
  for (const OpRow* row : op_rows()) {
    if (!normalises(*row) || !scans(*row)) continue;
    cases.push_back(make(row->name, "dim0", {kMany}, 2 * kFloatBytes * double(kMany), kUnit,
                         [row](benchmark::State& state) {
                           const Value args[] = {input({kMany}, kFloat, kUnit), 0};
                           timed(state, [&] { return call_boxed(*row, args); });
                         }));
  }
}

// ---- sorting

void add_sorts(std::vector<Case>& cases) {
  for (const std::int64_t n : {std::int64_t(1) << 20, kMany}) {
    const double bytes =
        4 * kFloatBytes * static_cast<double>(n);  // values, and indices twice as wide
    const auto add = [&](const char* op, const char* form, auto f) {
      cases.push_back(make(op, form, {n}, bytes, kUnit, [n, f](benchmark::State& state) {
        const Tensor& x = input({n}, kFloat, kUnit);
        timed(state, [&] { return f(x); });
      }));
    };
    add("sort", "fresh", [](const Tensor& x) { return sort(x); });
    add("argsort", "fresh", [](const Tensor& x) { return argsort(x); });
    add("topk", "k100", [](const Tensor& x) { return topk(x, 100); });
    add("unique", "fresh", [](const Tensor& x) { return unique(x).values; });
  }
}

// ---- joins and products

void add_joins(std::vector<Case>& cases) {
  const double bytes = 4 * kFloatBytes * static_cast<double>(kMany);  // two read, twice one written
  cases.push_back(make("cat", "fresh", {kMany}, bytes, kUnit, [](benchmark::State& state) {
    const Tensor& x = input({kMany}, kFloat, kUnit);
    const std::vector<Tensor> both{x, x};
    timed(state, [&] { return cat(both); });
  }));
  cases.push_back(make("stack", "fresh", {kMany}, bytes, kUnit, [](benchmark::State& state) {
    const Tensor& x = input({kMany}, kFloat, kUnit);
    const std::vector<Tensor> both{x, x};
    timed(state, [&] { return stack(both); });
  }));
}

/// Both products of attention, 4 times 8 heads of 256 places and 64 features: scores and values.
void add_attention(std::vector<Case>& cases) {
  struct Attention {
    const char* form;
    const char* equation;
    Dims first, second;
  };
  const Attention products[] = {
      {"scores", "bhqd,bhkd->bhqk", {4, 8, 256, 64}, {4, 8, 256, 64}},
      {"scores_by_place", "bqhd,bkhd->bhqk", {4, 256, 8, 64}, {4, 256, 8, 64}},
      {"values", "bhqk,bhkd->bhqd", {4, 8, 256, 256}, {4, 8, 256, 64}},
  };
  for (const Attention& p : products) {
    Case c = make("einsum", p.form, p.first, 0, kUnit, [p](benchmark::State& state) {
      const std::vector<Tensor> operands{input(p.first, kFloat, kUnit), rand(p.second)};
      timed(state, [&] { return einsum(p.equation, operands); });
    });
    c.flops = 2.0 * 4 * 8 * 256 * 256 * 64;
    c.extra = p.equation;
    cases.push_back(std::move(c));
  }
}

/// matmul of x with itself, or with a tensor of the shape `second`, which goes to the peers as
/// text. In the forms "turned" and "turned_vector" x is transposed, in "turned_right" the other.
Case product_case(DType dtype, const std::string& form, const Dims& shape, const Dims& second) {
  Case c = make("matmul", form, shape, 0, kUnit, [=](benchmark::State& state) {
    Tensor x = input(shape, dtype, kUnit);
    Tensor y = second.empty() ? x : filled(second, dtype, kUnit, 8);
    if (form == "turned" || form == "turned_vector") x = x.transpose(-1, -2);
    if (form == "turned_right") y = y.transpose(-1, -2);
    timed(state, [&] { return matmul(x, y); });
  });
  c.dtype = dtype;
  const Dims& other = second.empty() ? shape : second;
  const double columns = other.size() == 1 ? 1 : static_cast<double>(other.back());
  c.flops = 2 * count(shape) * columns;
  for (const std::int64_t s : second) c.extra += (c.extra.empty() ? "" : ",") + std::to_string(s);
  return c;
}

constexpr Domain kBytes{-128, 127};

/// Sums of int8 in int32.
Case int_mm_case(std::int64_t n) {
  Case c = make("int_mm", "fresh", {n, n}, 0, kBytes, [n](benchmark::State& state) {
    const Tensor& x = input({n, n}, DType::int8, kBytes);
    timed(state, [&] { return int_mm(x, x); });
  });
  c.dtype = DType::int8;
  c.flops = 2.0 * static_cast<double>(n * n * n);
  return c;
}

/// The shapes of one dtype: square, odd, transposed, batches, with vectors.
void add_products_of(std::vector<Case>& cases, DType t) {
  const auto add = [&](const char* form, const Dims& shape, const Dims& second) {
    cases.push_back(product_case(t, form, shape, second));
  };
  for (const std::int64_t n : {4, 64, 128, 256, 512, 1024, 2048}) add("fresh", {n, n}, {});
  add("odd", {127, 129}, {129, 131});
  add("odd", {1000, 33}, {33, 1000});
  add("odd", {1000, 37}, {37, 513});
  add("odd", {37, 1000}, {1000, 513});
  add("odd", {1000, 513}, {513, 7});
  add("odd", {2, 1024}, {1024, 1024});
  add("batch", {1024, 64, 64}, {1024, 64, 64});
  for (const std::int64_t n : {256, 1024}) {
    add("turned", {n, n}, {n, n});
    add("turned_right", {n, n}, {n, n});
  }
  add("turned_right", {1024, 64, 64}, {1024, 64, 64});
  for (const std::int64_t n : {64, 256, 1024, 2048, 4096}) {
    add("vector", {n, n}, {n});
    add("turned_vector", {n, n}, {n});
  }
  add("row", {1024}, {1024, 1024});
  add("row", {4096}, {4096, 4096});
  add("row", {1, 1024}, {1024, 1024});
}

void add_products(std::vector<Case>& cases) {
  for (const DType t : {kFloat, dtype_of<double>, dtype_of<BFloat16>}) add_products_of(cases, t);
  for (const DType t : {DType::float16, DType::complex64}) {
    for (const std::int64_t n : {64, 512}) {
      cases.push_back(product_case(t, "fresh", {n, n}, {}));
      cases.push_back(product_case(t, "vector", {n, n}, {n}));
    }
  }
  for (const std::int64_t n : {64, 256, 1024}) cases.push_back(int_mm_case(n));
  // The main job: luma of pictures, one pass over them. What it is held against moves as many
  // bytes.
  const std::string equation = "...chw,c->...hw";
  const double moved = kFloatBytes * count(kFrames) * 4 / 3;
  Case luma = make("einsum", "luma", kFrames, moved, kUnit, [equation](benchmark::State& state) {
    const Tensor& x = input(kFrames, kFloat, kUnit);
    const std::vector<Tensor> operands{x, filled({3}, kFloat, {0, 1}, 7)};
    timed(state, [&] { return einsum(equation, operands); });
  });
  luma.extra = equation;
  cases.push_back(std::move(luma));
  add_attention(cases);
  const auto half = static_cast<std::int64_t>(moved / (2 * kFloatBytes));
  cases.push_back(make("copy_", "luma_bytes", {half}, moved, kUnit, [half](benchmark::State& s) {
    const Tensor& x = input({half}, kFloat, kUnit);
    Tensor out = empty_like(x);
    timed(s, [&] { out.copy_(x); });
  }));
}

// ---- copies and casts

void add_copies(std::vector<Case>& cases) {
  const double bytes = 2 * kFloatBytes * count(kMatrix);
  for (const bool transposed : {false, true}) {
    const std::string suffix = transposed ? "_transposed" : "";
    const auto source = [transposed] {
      const Tensor& x = input(kMatrix, kFloat, kUnit);
      return transposed ? x.t() : x;
    };
    cases.push_back(
        make("copy_", "out" + suffix, kMatrix, bytes, kUnit, [source](benchmark::State& state) {
          const Tensor x = source();
          Tensor out = empty(kMatrix, {.device = place().device});
          timed(state, [&] { out.copy_(x); });
        }));
    cases.push_back(make("clone", "fresh" + suffix, kMatrix, bytes, kUnit,
                         [source, transposed](benchmark::State& state) {
                           const Tensor x = source();
                           timed(state, [&] { return transposed ? x.contiguous() : x.clone(); });
                         }));
  }
}

/// Casts of float32 to the dtypes, and to the usual four.
void add_casts(std::vector<Case>& cases, const std::vector<DType>& dtypes) {
  std::vector<DType> to{dtype_of<Half>, dtype_of<BFloat16>, dtype_of<double>,
                        dtype_of<std::uint8_t>};
  for (const DType t : dtypes) {
    if (t != kFloat && std::find(to.begin(), to.end(), t) == to.end()) to.push_back(t);
  }
  constexpr Domain positive{0, 10};
  for (const DType t : to) {
    const std::string target(name(t));
    const double bytes = (kFloatBytes + static_cast<double>(element_size(t))) * double(kMany);
    Case fresh = make("to", "fresh_" + target, {kMany}, bytes, positive,
                      [t, positive](benchmark::State& state) {
                        const Tensor& x = input({kMany}, kFloat, positive);
                        timed(state, [&] { return x.to(t); });
                      });
    Case out = make("to", "out_" + target, {kMany}, bytes, positive,
                    [t, positive](benchmark::State& state) {
                      const Tensor& x = input({kMany}, kFloat, positive);
                      Tensor y = empty({kMany}, {.dtype = t, .device = place().device});
                      timed(state, [&] { y.copy_(x); });
                    });
    for (Case* c : {&fresh, &out}) {
      c->extra = target;
      cases.push_back(std::move(*c));
    }
  }
}

// ---- what costs no memory traffic: views, allocation, in-place and scalar forms of a small op

template <class F>
void add_small(std::vector<Case>& cases, std::string op, std::string form, Dims shape, F f) {
  cases.push_back(
      make(std::move(op), std::move(form), shape, 0, kUnit, [shape, f](benchmark::State& state) {
        Tensor x = filled(shape, kFloat, kUnit, 1);
        timed(state, [&] { return f(x); });
      }));
}

void add_overheads(std::vector<Case>& cases) {
  const Dims square{16, 16};
  add_small(cases, "select", "view", square, [](const Tensor& x) { return x.select(0, 3); });
  add_small(cases, "narrow", "view", square, [](const Tensor& x) { return x.narrow(0, 2, 4); });
  add_small(cases, "transpose", "view", square, [](const Tensor& x) { return x.transpose(0, 1); });
  add_small(cases, "view", "view", square, [](const Tensor& x) { return x.view({4, 64}); });
  add_small(cases, "unsqueeze", "view", square, [](const Tensor& x) { return x.unsqueeze(0); });
  add_small(cases, "expand", "view", {16, 1}, [](const Tensor& x) { return x.expand({16, 16}); });
  for (const std::int64_t n : {std::int64_t(16), kMany}) {
    cases.push_back(make("empty", "fresh", {n}, 0, kUnit, [n](benchmark::State& state) {
      const Options o{.device = place().device};
      place().on_device() ? timed(state, [&] { return empty({n}, o); })
                          : timed(state, [n] { return empty({n}); });
    }));
  }
  cases.push_back(make("add", "in_place", {16}, 0, kUnit, [](benchmark::State& state) {
    Tensor x = filled({16}, kFloat, kUnit, 1);
    const Tensor y = filled({16}, kFloat, {0, 0}, 1);
    timed(state, [&] { x.add_(y); });
  }));
  add_small(cases, "add", "scalar", {16}, [](const Tensor& x) { return x + 1.5; });
}

/// Sixteen small ops one after the other, called, and replayed as a graph.
void add_graphs(std::vector<Case>& cases) {
  if (!place().on_device()) return;
  const auto chain = [](Tensor& x, const Tensor& y) {
    for (int i = 0; i < 16; ++i) x.add_(y);
  };
  cases.push_back(make("graph", "16_ops_called", {16}, 0, kUnit, [chain](benchmark::State& state) {
    Tensor x = filled({16}, kFloat, kUnit, 1);
    const Tensor y = filled({16}, kFloat, {0, 0}, 1);
    timed(state, [&] { chain(x, y); });
  }));
  cases.push_back(
      make("graph", "16_ops_replayed", {16}, 0, kUnit, [chain](benchmark::State& state) {
        Tensor x = filled({16}, kFloat, kUnit, 1);
        const Tensor y = filled({16}, kFloat, {0, 0}, 1);
        const Graph graph = Graph::capture(Stream::create(place().device), [&] { chain(x, y); });
        timed(state, [&] { graph.replay(); });
      }));
}

}  // namespace

std::vector<Case> other_cases(const std::vector<DType>& dtypes) {
  std::vector<Case> cases;
  add_generators(cases);
  add_draws(cases);
  add_along_axes(cases);
  add_sorts(cases);
  add_joins(cases);
  add_products(cases);
  add_copies(cases);
  add_casts(cases, dtypes);
  add_overheads(cases);
  add_graphs(cases);
  return cases;
}

}  // namespace tandem::perf
