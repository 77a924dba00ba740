// The plan of an indexing launch: which dimensions are positions, merged where all operands allow
// it; index arrays broadcast and placed; checks of indices.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/indexing.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::detail {

namespace {

/// One dimension of a walk with the strides of all operands: x, other, then the arrays.
struct WalkDim {
  std::int64_t size;
  int group;  // 0 outer, 1 positions, 2 inner
  std::vector<std::int64_t> strides;

  bool moves_arrays() const {
    return std::any_of(strides.begin() + 2, strides.end(), [](auto s) { return s != 0; });
  }
};

std::vector<WalkDim> walk_dims(const IndexPlan& plan) {
  std::vector<WalkDim> dims;
  for (std::size_t d = 0; d < plan.shape.size(); ++d) {
    WalkDim w{plan.shape[d], d < plan.begin ? 0 : (d < plan.end ? 1 : 2), {}};
    w.strides = {plan.x_strides[d], plan.other_strides.empty() ? 0 : plan.other_strides[d]};
    for (const PlannedArray& a : plan.arrays) {
      const std::int64_t stride = w.group == 1 ? a.index.strides()[d - plan.begin] : 0;
      w.strides.push_back(stride * static_cast<std::int64_t>(sizeof(std::int64_t)));
    }
    if (w.size != 1) dims.push_back(std::move(w));
  }
  return dims;
}

/// Position dimensions at the ends along which no array moves are like any others, as long as no
/// place of x is met twice along them.
void free_ends(std::vector<WalkDim>& dims, bool reads) {
  const auto is_free = [&](const WalkDim& w) {
    return w.group == 1 && !w.moves_arrays() && (reads || w.strides[0] != 0);
  };
  for (auto& w : dims) {
    if (w.group != 0 && !is_free(w)) break;
    w.group = 0;
  }
  for (auto w = dims.rbegin(); w != dims.rend(); ++w) {
    if (w->group != 2 && !is_free(*w)) break;
    w->group = 2;
  }
}

std::vector<WalkDim> merged(const std::vector<WalkDim>& dims) {
  std::vector<WalkDim> out;
  for (const WalkDim& w : dims) {
    bool joins = !out.empty() && out.back().group == w.group;
    for (std::size_t k = 0; joins && k < w.strides.size(); ++k) {
      joins = out.back().strides[k] == w.strides[k] * w.size;
    }
    if (!joins) {
      out.push_back(w);
      continue;
    }
    out.back().size *= w.size;
    out.back().strides = w.strides;
  }
  return out;
}

}  // namespace

void plan_index(IndexLaunch& l, IndexStorage& storage, const IndexPlan& plan, const Tensor& x,
                const Tensor& other) {
  std::vector<WalkDim> dims = walk_dims(plan);
  free_ends(dims, l.mode == IndexMode::Read || l.mode == IndexMode::Check);
  dims = merged(dims);
  int* ranks[] = {&l.rank_outer, &l.rank_positions, &l.rank_inner};
  std::int64_t* sizes[] = {&l.outer, &l.positions, &l.inner};
  for (int g = 0; g < 3; ++g) {
    *ranks[g] = 0;
    *sizes[g] = 1;
  }
  std::vector<const WalkDim*> positions;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const WalkDim& w = dims[d];
    storage.shape[d] = w.size;
    storage.x[d] = w.strides[0];
    storage.other[d] = w.strides[1];
    ++*ranks[w.group];
    *sizes[w.group] *= w.size;
    if (w.group == 1) positions.push_back(&w);
  }
  for (std::size_t k = 0; k < plan.arrays.size(); ++k) {
    for (const WalkDim* w : positions) storage.array_strides.push_back(w->strides[k + 2]);
  }
  for (std::size_t k = 0; k < plan.arrays.size(); ++k) {
    const PlannedArray& a = plan.arrays[k];
    storage.arrays.push_back({static_cast<const std::int64_t*>(a.index.data_ptr()),
                              storage.array_strides.data() + k * positions.size(), a.size, a.step,
                              a.dimension});
  }
  l.shape = storage.shape;
  l.arrays = storage.arrays.data();
  l.n_arrays = static_cast<int>(storage.arrays.size());
  l.x = {x.data_ptr(), storage.x, {}, x.dtype(), x.dtype()};
  l.other = {other.defined() ? other.data_ptr() : nullptr, storage.other, {}, x.dtype(), x.dtype()};
  l.device = x.device();
  std::vector<const Tensor*> read;
  for (const PlannedArray& a : plan.arrays) read.push_back(&a.index);
  const bool writes = l.mode > IndexMode::Read;
  if (l.mode != IndexMode::Check) read.push_back(writes ? &other : &x);
  const Tensor* written = writes ? &x : l.mode == IndexMode::Read ? &other : nullptr;
  l.stream = launch_stream(l.device, {written}, read);
}

void check_indices(const OpRow& row, const IndexPlan& plan, const Tensor& x) {
  if (!x.device().is_cpu()) return;
  IndexLaunch l{};
  IndexStorage storage;
  l.row = &row;
  l.mode = IndexMode::Check;
  plan_index(l, storage, plan, x, {});
  if (l.positions > 0) launch(op::index, l.device, &l);
}

void read_at(const OpRow& row, const IndexPlan& plan, const Tensor& x, const Tensor& out) {
  check_indices(row, plan, x);
  if (out.numel() == 0) return;
  if (plan.arrays.empty()) return copy_elements(out, x);
  IndexPlan whole = plan;
  whole.other_strides.resize(out.shape().size());
  byte_strides(out, whole.other_strides.data());
  IndexLaunch l{};
  IndexStorage storage;
  l.row = &row;
  l.mode = IndexMode::Read;
  plan_index(l, storage, whole, x, out);
  launch(op::index, l.device, &l);
}

DType joined_dtype(DType t) {
  if (category(t) == Category::Bool) return DType::uint64;
  if (is_integer(t)) return info(t).is_signed ? DType::int64 : DType::uint64;
  return info(t).compute;
}

namespace {

/// Values of a write: a tensor of x's dtype, expanded, or the launch's number.
Tensor spread_values(IndexLaunch& l, const IndexPlan& plan, const Tensor& x, const Arg& values) {
  std::optional<Scalar> number;
  if (!values.is_tensor()) {
    number = values.scalar();
  } else if (values.tensor().device() != x.device()) {
    number = values.tensor().item();  // 0-d, on the host
  }
  if (!number) {
    if (l.mode == IndexMode::Write && values.tensor().numel() == 1) l.distinct = true;
    return apart_from(values.tensor(), x).rename(std::nullopt).expand(plan.shape);
  }
  visit(x.dtype(), [&]<class T>() {
    const T v = number->to<T>();
    __builtin_memcpy(l.value, &v, sizeof v);
  });
  if (l.mode == IndexMode::Write) l.distinct = true;
  return {};
}

ScalarBits bits_of(const Scalar& s, DType computed) {
  ScalarBits bits{};
  visit(computed, [&]<class T>() {
    const auto v = s.to<compute_t<T>>();
    __builtin_memcpy(&bits, &v, sizeof v);
  });
  return bits;
}

}  // namespace

namespace {

/// Without arrays every element is a place.
void write_all(const Tensor& x, const Arg& values, const Join& join) {
  Tensor all = x.rename(std::nullopt);
  if (join.mode == IndexMode::Plus) {
    all.add_(values);
  } else if (values.is_tensor()) {
    all.copy_(values.tensor().rename(std::nullopt));
  } else {
    all.fill_(values.scalar());
  }
}

}  // namespace

void write_at(const OpRow& row, const IndexPlan& plan, const Tensor& x, const Arg& values,
              const Join& join) {
  check_indices(row, plan, x);
  std::int64_t numel = 1;
  for (const std::int64_t n : plan.shape) numel *= n;
  if (numel == 0) return;
  if (plan.arrays.empty()) return write_all(x, values, join);
  IndexPlan whole = plan;
  for (PlannedArray& a : whole.arrays) a.index = apart_from(a.index, x);
  IndexLaunch l{};
  IndexStorage storage;
  l.row = &row;
  l.mode = join.mode;
  l.distinct = join.distinct;
  l.include_self = join.include_self;
  l.computed = joined_dtype(x.dtype());
  l.scaled = join.alpha.has_value();
  if (join.alpha) l.alpha = bits_of(*join.alpha, l.computed);
  const Tensor from = spread_values(l, plan, x, values);
  if (from.defined()) {
    whole.other_strides.resize(from.shape().size());
    byte_strides(from, whole.other_strides.data());
  }
  plan_index(l, storage, whole, x, from);
  launch(op::index_put, l.device, &l);
}

Tensor as_indices(const OpRow& row, const char* argument, const Tensor& index) {
  TANDEM_EXPECTS(is_integer(index.dtype()), TypeError,
                 fmt::format("[{}] argument '{}': expected integers, got {}", row.name, argument,
                             name(index.dtype())));
  if (index.dtype() == DType::int64) return index;
  // What int64 cannot hold is out of range, not negative.
  if (index.dtype() == DType::uint64) return minimum(index, INT64_MAX).to(DType::int64);
  return index.to(DType::int64);
}

namespace {

bool is_mask(const Tensor& t) { return t.dtype() == DType::bool_ || t.dtype() == DType::uint8; }

void check_mask(const Tensor& mask, std::size_t at, const Tensor& x, std::size_t dim) {
  const std::size_t rank = mask.shape().size();
  for (std::size_t d = 0; d < rank; ++d) {
    TANDEM_EXPECTS(
        dim + d < x.shape().size() && mask.shape()[d] == x.shape()[dim + d], IndexError,
        fmt::format("The shape of the mask [{}] at index {} does not match the shape of the "
                    "indexed tensor [{}] at index {}",
                    fmt::join(mask.shape(), ", "), at, fmt::join(x.shape(), ", "), dim + d));
  }
  Names own;
  for (std::size_t d = 0; d < rank && x.has_names(); ++d) {
    own.push_back(x.body_ptr()->names[dim + d]);
  }
  (void)unify_names(own, rank, mask.body_ptr()->names, rank, "index");
}

}  // namespace

Arrays expand_indices(const OpRow& row, const Tensor& x, const std::vector<Tensor>& indices) {
  // All checks come before a mask makes the caller wait.
  std::size_t dim = 0;
  int given = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Tensor& t = indices[i];
    const bool mask = t.defined() && is_mask(t);
    TANDEM_EXPECTS(!t.defined() || mask || is_integer(t.dtype()), IndexError,
                   fmt::format("[{}] tensors used as indices must be long, int, byte or bool "
                               "tensors, got {}",
                               row.name, name(t.dtype())));
    TANDEM_EXPECTS(!t.defined() || t.device() == x.device(), DeviceError,
                   fmt::format("[{}] argument 'indices': expected tensors on {}, got one on {}",
                               row.name, x.device().str(), t.device().str()));
    TANDEM_EXPECTS(!mask || t.dim() > 0, IndexError,
                   fmt::format("[{}] expected masks with dimensions, got a 0-d one", row.name));
    if (mask) check_mask(t, i, x, dim);
    given += t.defined() ? 1 : 0;
    dim += mask ? t.shape().size() : 1;
  }
  TANDEM_EXPECTS(dim <= x.shape().size(), IndexError,
                 fmt::format("too many indices for tensor of dimension {}", x.dim()));
  Arrays out;
  for (const Tensor& t : indices) {
    if (!t.defined() || !is_mask(t)) {
      out.of_dim.push_back(t.defined() ? as_indices(row, "indices", t) : t);
      continue;
    }
    const Tensor c = coordinates(row, t);
    for (std::int64_t d = 0; d < t.dim(); ++d) out.of_dim.push_back(c.select(1, d));
    out.distinct = given == 1;
  }
  out.of_dim.resize(x.shape().size());
  return out;
}

namespace {

/// The shape that the arrays broadcast to.
Dims array_shape(const std::vector<Tensor>& arrays) {
  std::vector<const Tensor*> given;
  std::string shapes;
  for (const Tensor& t : arrays) {
    if (!t.defined()) continue;
    given.push_back(&t);
    shapes += fmt::format("{}[{}]", shapes.empty() ? "" : ", ", fmt::join(t.shape(), ", "));
  }
  try {
    return broadcast_shape(given, "index");
  } catch (const ShapeError&) {
    fail<IndexError>(
        "shape mismatch: indexing tensors could not be broadcast together with shapes " + shapes);
  }
}

}  // namespace

IndexPlan plan_arrays(const OpRow& row, const Tensor& x, const Arrays& arrays, Names& names) {
  const std::size_t rank = x.shape().size();
  std::size_t first = rank;
  std::size_t last = 0;
  std::size_t count = 0;
  for (std::size_t d = 0; d < rank; ++d) {
    if (!arrays.of_dim[d].defined()) continue;
    first = std::min(first, d);
    last = d;
    ++count;
  }
  // Neighbours stay where they are; arrays apart from each other go to the front.
  const bool together = count > 0 && last - first + 1 == count;
  const Dims block = array_shape(arrays.of_dim);
  const auto size = static_cast<std::int64_t>(x.element_size());
  IndexPlan plan;
  const auto add_block = [&] {
    plan.begin = plan.shape.size();
    for (const std::int64_t n : block) {
      plan.shape.push_back(n);
      plan.x_strides.push_back(0);
      names.push_back(Name());
    }
    plan.end = plan.shape.size();
  };
  if (!together) add_block();
  for (std::size_t d = 0; d < rank; ++d) {
    if (together && d == first) add_block();
    if (arrays.of_dim[d].defined()) {
      plan.arrays.push_back({arrays.of_dim[d].rename(std::nullopt).expand(block), x.shape()[d],
                             x.strides()[d] * size, static_cast<int>(d)});
      continue;
    }
    plan.shape.push_back(x.shape()[d]);
    plan.x_strides.push_back(x.strides()[d] * size);
    names.push_back(x.has_names() ? x.body_ptr()->names[d] : Name());
  }
  names = simplified(names);
  (void)checked_numel(plan.shape, x.element_size(), row.name);
  return plan;
}

Tensor on_device_of(const Tensor& index, const Tensor& x) {
  if (index.device() == x.device()) return index;
  TANDEM_EXPECTS(index.device().is_cpu(), DeviceError,
                 fmt::format("[index] expected indices on {} or on the CPU, got some on {}",
                             x.device().str(), index.device().str()));
  return index.to(x.device());
}

}  // namespace tandem::detail
