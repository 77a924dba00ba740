// Sorts and merges the dimensions of an elementwise launch.
#include "runtime/dispatch/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::detail {

namespace {

struct Builder {
  ElementwiseLaunch& launch;
  PlanStorage& s;
  int n;  // operands
  int rank = 0;

  void load(IntSpan shape, std::span<const Tensor* const> tensors) {
    const std::size_t full = shape.size();
    for (std::size_t d = 0; d < full; ++d) {
      if (shape[d] == 1) continue;
      s.shape[rank] = shape[d];
      for (int i = 0; i < n; ++i) {
        s.strides[i][rank] = 0;
        if (tensors[static_cast<std::size_t>(i)] == nullptr) continue;
        const auto* b = tensors[static_cast<std::size_t>(i)]->body_ptr();
        const std::size_t lead = full - b->shape.size();
        if (d < lead || b->shape[d - lead] == 1) continue;
        s.strides[i][rank] =
            b->strides[d - lead] * static_cast<std::int64_t>(element_size(b->dtype));
      }
      ++rank;
    }
  }

  /// Walks every dimension in the direction in which the output's addresses rise.
  void flip() {
    for (int d = 0; d < rank; ++d) {
      if (s.strides[0][d] >= 0) continue;
      for (int i = 0; i < n; ++i) {
        auto& op = launch.operands[i];
        if (op.data == nullptr) continue;
        op.data = static_cast<char*>(op.data) + (s.shape[d] - 1) * s.strides[i][d];
        s.strides[i][d] = -s.strides[i][d];
      }
    }
  }

  /// Whether dimension a belongs inside b: the first operand that tells has the smaller stride in
  /// a.
  bool inner(int a, int b) const {
    for (int i = 0; i < n; ++i) {
      const std::int64_t x = std::abs(s.strides[i][a]);
      const std::int64_t y = std::abs(s.strides[i][b]);
      if (x == 0 || y == 0 || x == y) continue;
      return x < y;
    }
    return a > b;
  }

  void swap_dims(int a, int b) {
    std::swap(s.shape[a], s.shape[b]);
    for (int i = 0; i < n; ++i) std::swap(s.strides[i][a], s.strides[i][b]);
  }

  /// Insertion sort, outermost first; stable where no operand tells.
  void sort() {
    for (int d = 1; d < rank; ++d) {
      for (int e = d; e > 0 && inner(e - 1, e) && !inner(e, e - 1); --e) swap_dims(e - 1, e);
    }
  }

  void merge() {
    int w = 0;
    for (int d = 1; d < rank; ++d) {
      bool nest = true;
      for (int i = 0; i < n; ++i) nest = nest && s.strides[i][w] == s.strides[i][d] * s.shape[d];
      if (nest) {
        s.shape[w] *= s.shape[d];
      } else {
        ++w;
        s.shape[w] = s.shape[d];
      }
      for (int i = 0; i < n; ++i) s.strides[i][w] = s.strides[i][d];
    }
    rank = rank == 0 ? 0 : w + 1;
  }

  bool contiguous() const {
    if (rank > 1) return false;
    for (int i = 0; i < n; ++i) {
      const OperandDesc& op = launch.operands[i];
      if (op.data == nullptr) continue;
      if (op.dtype != op.kernel) return false;
      if (rank == 1 && s.strides[i][0] != static_cast<std::int64_t>(element_size(op.dtype)))
        return false;
    }
    return true;
  }
};

}  // namespace

void plan_elementwise(ElementwiseLaunch& launch, PlanStorage& storage, IntSpan shape,
                      std::span<const Tensor* const> tensors) {
  Builder b{launch, storage, launch.n_out + launch.n_in};
  for (int i = 0; i < b.n; ++i) {
    const Tensor* t = tensors[static_cast<std::size_t>(i)];
    launch.operands[i].data = t == nullptr ? nullptr : t->data_ptr();
    launch.operands[i].strides = storage.strides[i];
  }
  b.load(shape, tensors);
  launch.numel = 1;
  for (const std::int64_t size : shape) launch.numel *= size;
  if (launch.numel > 0) {
    b.flip();
    b.sort();
    b.merge();
  }
  launch.shape = storage.shape;
  launch.rank = b.rank;
  launch.contiguous = b.contiguous();
}

void byte_strides(const Tensor& t, std::int64_t* out) {
  const IntSpan strides = t.strides();
  const auto size = static_cast<std::int64_t>(t.element_size());
  for (std::size_t i = 0; i < strides.size(); ++i) out[i] = strides[i] * size;
}

Dims broadcast_shape(std::span<const Tensor* const> tensors, const char* op) {
  Dims shape;
  for (const Tensor* t : tensors) {
    if (t == nullptr) continue;
    const IntSpan s = t->shape();
    while (shape.size() < s.size()) shape.insert(0, 1);
    const std::size_t lead = shape.size() - s.size();
    for (std::size_t d = 0; d < s.size(); ++d) {
      std::int64_t& have = shape[lead + d];
      TANDEM_EXPECTS(
          have == s[d] || have == 1 || s[d] == 1, ShapeError,
          fmt::format("[{}] The size of tensor a ({}) must match the size of tensor b ({}) at "
                      "non-singleton dimension {}",
                      op, have, s[d], lead + d));
      if (have == 1) have = s[d];
    }
  }
  return shape;
}

Dims output_strides(IntSpan shape, std::span<const Tensor* const> inputs) {
  const int rank = static_cast<int>(shape.size());
  int order[kMaxRank];  // outermost first
  for (int d = 0; d < rank; ++d) order[d] = d;
  const auto stride = [&](const Tensor* t, int d) -> std::int64_t {
    const auto* b = t->body_ptr();
    const int lead = rank - static_cast<int>(b->shape.size());
    return d < lead || b->shape[static_cast<std::size_t>(d - lead)] == 1
               ? 0
               : std::abs(b->strides[static_cast<std::size_t>(d - lead)]);
  };
  const auto inner = [&](int a, int b) {  // a varies faster than b
    for (const Tensor* t : inputs) {
      if (t == nullptr) continue;
      const std::int64_t x = stride(t, a);
      const std::int64_t y = stride(t, b);
      if (x == 0 || y == 0) continue;
      if (x != y) return x < y;
      if (shape[static_cast<std::size_t>(a)] != shape[static_cast<std::size_t>(b)]) {
        return shape[static_cast<std::size_t>(a)] < shape[static_cast<std::size_t>(b)] && a < b;
      }
    }
    return false;
  };
  for (int d = 1; d < rank; ++d) {
    for (int e = d; e > 0 && inner(order[e - 1], order[e]); --e) std::swap(order[e - 1], order[e]);
  }
  Dims strides(shape.size());
  std::int64_t step = 1;
  for (int k = rank - 1; k >= 0; --k) {
    const auto d = static_cast<std::size_t>(order[k]);
    strides[d] = step;
    step *= std::max<std::int64_t>(shape[d], 1);
  }
  return strides;
}

}  // namespace tandem::detail
