// einsum: a pair of operands at a time, in the order that einsum_path.h finds.
//
// A pair is contracted over the labels that neither the output nor another operand needs. Where
// both sides keep labels of their own it is a batch of matrix products; where only one does (luma's
// '...chw,c->...hw') it is a sum of products in one pass, on the fixed tree; without a summed
// label, a product.
#include "tandem/einsum.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/contract.h"
#include "runtime/ops/einsum_operands.h"
#include "runtime/ops/einsum_report.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

using detail::has;
using detail::Labelled;
using detail::Labels;

/// Labels of a pair by what becomes of them.
struct Groups {
  Labels batch, left, right, summed;
};

/// The dimensions of `order`, by permuting and inserting sizes of 1.
Tensor arrange(const Labelled& t, const Labels& order) {
  SmallVector<Axis, 6> axes;
  for (const std::int32_t l : order) {
    const auto* at = std::find(t.labels.begin(), t.labels.end(), l);
    if (at != t.labels.end())
      axes.push_back(Axis(static_cast<std::int64_t>(at - t.labels.begin())));
  }
  bool in_order = true;
  for (std::size_t d = 0; d < axes.size(); ++d)
    in_order = in_order && axes[d].index() == static_cast<std::int64_t>(d);
  Tensor out = in_order ? t.tensor : t.tensor.permute(Axes(axes));
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!has(t.labels, order[i])) out = out.unsqueeze(static_cast<std::int64_t>(i));
  }
  return out;
}

Labels join(std::initializer_list<const Labels*> parts) {
  Labels out;
  for (const Labels* p : parts) {
    for (const std::int32_t l : *p) out.push_back(l);
  }
  return out;
}

/// Strides of a tensor by its labels.
std::int64_t stride_of(const Labelled& t, std::int32_t label) {
  return t.tensor.strides()[static_cast<std::size_t>(
      std::find(t.labels.begin(), t.labels.end(), label) - t.labels.begin())];
}
std::int64_t size_of(const Labelled& t, std::int32_t label) {
  return t.tensor.shape()[static_cast<std::size_t>(
      std::find(t.labels.begin(), t.labels.end(), label) - t.labels.begin())];
}

/// Whether the labels in this order are one dimension of the tensor without a copy.
bool is_one(const Labelled& t, const Labels& order) {
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    if (stride_of(t, order[i]) != stride_of(t, order[i + 1]) * size_of(t, order[i + 1]))
      return false;
  }
  return true;
}

/// The labels from the greatest stride to the least.
Labels in_memory_order(const Labelled& t, Labels labels) {
  std::stable_sort(labels.begin(), labels.end(), [&](std::int32_t a, std::int32_t b) {
    return std::abs(stride_of(t, a)) > std::abs(stride_of(t, b));
  });
  return labels;
}

/// Orders of the labels within their groups such that the least is copied to make matrices of a and
/// b; those given, the output's, where that is as good.
void settle_orders(const Labelled& a, const Labelled& b, Groups& g) {
  if (const Labels own = in_memory_order(a, g.left); !is_one(a, g.left) && is_one(a, own))
    g.left = own;
  if (const Labels own = in_memory_order(b, g.right); !is_one(b, g.right) && is_one(b, own))
    g.right = own;
  const bool left_is_one = is_one(a, g.left);
  const bool right_is_one = is_one(b, g.right);
  const Labels batches[] = {g.batch, in_memory_order(a, g.batch), in_memory_order(b, g.batch)};
  const Labels sums[] = {in_memory_order(a, g.summed), in_memory_order(b, g.summed)};
  std::int64_t least = INT64_MAX;
  for (const Labels& batch : batches) {
    for (const Labels& summed : sums) {
      const bool keeps_a = left_is_one && is_one(a, batch) && is_one(a, summed);
      const bool keeps_b = right_is_one && is_one(b, batch) && is_one(b, summed);
      const std::int64_t copied =
          (keeps_a ? 0 : a.tensor.numel()) + (keeps_b ? 0 : b.tensor.numel());
      if (copied >= least) continue;
      least = copied;
      g.batch = batch;
      g.summed = summed;
    }
  }
}

/// A product is worth a call of its own from so many multiplications on.
constexpr std::int64_t kOwnCall = std::int64_t(1) << 20;
constexpr std::int64_t kMostCalls = 64;

/// How many of the batch's labels, from the left, do not join the others to one dimension of both
/// tensors: 0 where all do.
std::size_t apart(const Labelled& a, const Labelled& b, const Labels& batch) {
  std::size_t n = 0;
  for (std::size_t i = 0; i + 1 < batch.size(); ++i) {
    const Labels pair{batch[i], batch[i + 1]};
    if (!is_one(a, pair) || !is_one(b, pair)) n = i + 1;
  }
  return n;
}

detail::LabelSet set_of(const Labels& labels) {
  detail::LabelSet set;
  for (const std::int32_t l : labels) set[static_cast<std::size_t>(l)] = true;
  return set;
}

class Einsum {
 public:
  Einsum(const std::string& equation, const std::vector<Tensor>& operands,
         const EinsumOptions& options)
      : e_(op::einsum, equation, operands), steps_(detail::steps_of(op::einsum, e_, options)) {}

  Tensor run() const {
    std::vector<Labelled> list;
    for (std::size_t i = 0; i < e_.terms().size(); ++i) list.push_back(drop_sums(i));
    for (const detail::Step& s : steps_) {
      Labelled a = std::move(list[s.first]);
      Labelled b = std::move(list[s.second]);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(s.second));
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(s.first));
      // With several steps layouts and bits are those of any other order of the operands.
      if (steps_.size() > 1 && detail::comes_before(set_of(b.labels), set_of(a.labels)))
        std::swap(a, b);
      list.push_back(contract(a, b, list));
    }
    return finish(list[0]);
  }

 private:
  /// Sums labels that only this operand has and nobody needs, in one pass.
  Labelled drop_sums(std::size_t term) const {
    const Labelled& t = e_.terms()[term];
    SmallVector<Axis, 6> axes;
    Labels kept;
    for (std::size_t d = 0; d < t.labels.size(); ++d) {
      if (e_.needed(t.labels[d], term))
        kept.push_back(t.labels[d]);
      else
        axes.push_back(Axis(static_cast<std::int64_t>(d)));
    }
    if (axes.empty()) return t;
    return {sum(t.tensor, Axes(axes), false, t.tensor.dtype()), kept};
  }

  Labelled contract(const Labelled& a, const Labelled& b, const std::vector<Labelled>& rest) const {
    const auto needed = [&](std::int32_t l) {
      return has(e_.output(), l) || std::any_of(rest.begin(), rest.end(), [&](const Labelled& t) {
               return has(t.labels, l);
             });
    };
    Labels summed;
    for (const std::int32_t l : a.labels) {
      if (has(b.labels, l) && !needed(l)) summed.push_back(l);
    }
    const Labels kept = product_labels(a, b, summed, rest);
    if (summed.empty()) return {mul(arrange(a, kept), arrange(b, kept)), kept};
    Groups g{{}, {}, {}, summed};
    for (const std::int32_t l : kept) {
      const bool in_a = has(a.labels, l);
      (in_a && has(b.labels, l) ? g.batch : in_a ? g.left : g.right).push_back(l);
    }
    if (g.left.empty() || g.right.empty()) return sum_products(a, b, kept, summed);
    // What is last in the output is last in memory.
    if (!has(g.left, kept.back())) return matrix_product(a, b, g);
    std::swap(g.left, g.right);
    return matrix_product(b, a, g);
  }

  /// Labels of a product in the order of the output; behind them the others, those together that
  /// the same operands wait for.
  Labels product_labels(const Labelled& a, const Labelled& b, const Labels& without,
                        const std::vector<Labelled>& rest) const {
    Labels out;
    for (const std::int32_t l : e_.output()) {
      if (has(a.labels, l) || has(b.labels, l)) out.push_back(l);
    }
    struct Other {
      detail::LabelSet where;  // all labels of the operands that have it
      std::int32_t label;
    };
    std::vector<Other> others;
    const detail::LabelSet both = set_of(a.labels) | set_of(b.labels);
    for (std::size_t bit = both._Find_first(); bit < both.size(); bit = both._Find_next(bit)) {
      const auto l = static_cast<std::int32_t>(bit);
      if (has(out, l) || has(without, l)) continue;
      others.push_back({{}, l});
      for (const Labelled& t : rest) {
        if (has(t.labels, l)) others.back().where |= set_of(t.labels);
      }
    }
    std::stable_sort(others.begin(), others.end(), [](const Other& x, const Other& y) {
      return detail::comes_before(x.where, y.where);
    });
    for (const Other& o : others) out.push_back(o.label);
    return out;
  }

  Labelled sum_products(const Labelled& a, const Labelled& b, const Labels& kept,
                        const Labels& summed) const {
    const Labels full = join({&kept, &summed});
    const Dims shape = e_.sizes(full);
    return {
        detail::product_sum(op::einsum, arrange(a, full).expand(shape),
                            arrange(b, full).expand(shape), static_cast<std::int64_t>(kept.size())),
        kept};
  }

  std::int64_t product(const Labels& labels) const {
    std::int64_t n = 1;
    for (const std::int32_t l : labels) n *= e_.size(l);
    return n;
  }

  Labelled matrix_product(const Labelled& a, const Labelled& b, Groups& g) const {
    settle_orders(a, b, g);
    const Tensor x = arrange(a, join({&g.batch, &g.left, &g.summed}));
    const Tensor y = arrange(b, join({&g.batch, &g.summed, &g.right}));
    const Labels out = join({&g.batch, &g.left, &g.right});
    const Dims shape = e_.sizes(out);
    const std::int64_t k = product(g.summed);
    if (where_it_lies(a, b, g)) {
      const Dims places = e_.sizes(g.batch);
      const auto matrices = [&](const Tensor& t, std::int64_t rows, std::int64_t columns) {
        Dims whole = places;
        whole.push_back(rows);
        whole.push_back(columns);
        return t.reshape(whole);
      };
      const Tensor p = matrices(x, product(g.left), k);
      const Tensor q = matrices(y, k, product(g.right));
      return {detail::product_of_places(op::einsum, p, q, {}).view(shape), out};
    }
    const std::int64_t batch = product(g.batch);
    return {detail::batched_product(op::einsum, x.reshape({batch, product(g.left), k}),
                                    y.reshape({batch, k, product(g.right)}))
                .view(shape),
            out};
  }

  /// Whether batch labels that no stride joins are read where they lie, which spares a copy of a or
  /// b: by one launch on a device, on the host by a few calls of much work each.
  bool where_it_lies(const Labelled& a, const Labelled& b, const Groups& g) const {
    const std::size_t n = apart(a, b, g.batch);
    if (n == 0 || !is_one(a, g.left) || !is_one(a, g.summed) || !is_one(b, g.summed) ||
        !is_one(b, g.right)) {
      return false;
    }
    std::int64_t calls = 1;
    for (std::size_t i = 0; i < n; ++i) calls *= e_.size(g.batch[i]);
    const double work = elements_of({&g.batch, &g.left, &g.right, &g.summed});
    if (a.tensor.device().is_cuda()) {
      // Matrices without a dense axis are for our own kernel, which is worth a copy less.
      const auto dense = [](const Labelled& t, const Labels& p, const Labels& q) {
        return stride_of(t, p.back()) == 1 || stride_of(t, q.back()) == 1;
      };
      return work > 0 && dense(a, g.left, g.summed) && dense(b, g.summed, g.right);
    }
    return calls > 0 && calls <= kMostCalls && work / static_cast<double>(calls) >= kOwnCall;
  }

  double elements_of(std::initializer_list<const Labels*> parts) const {
    double n = 1;
    for (const Labels* p : parts) n *= static_cast<double>(product(*p));
    return n;
  }

  Tensor finish(const Labelled& t) const {
    Tensor out = arrange(t, e_.output());  // of a body of its own
    const Names names = e_.names();
    if (names.empty()) return out;
    return out.rename_(names);
  }

  detail::Expression e_;
  detail::Steps steps_;
};

std::string equation_of(const std::vector<EinsumOperand>& operands,
                        const std::optional<std::vector<std::int64_t>>& output) {
  std::string text;
  for (const EinsumOperand& o : operands)
    text += (text.empty() && &o == &operands.front() ? "" : ",") + detail::letters_of(o.subscripts);
  return output ? text + "->" + detail::letters_of(*output) : text;
}

}  // namespace

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands,
              const EinsumOptions& options) {
  return Einsum(equation, operands, options).run();
}

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands) {
  return Einsum(equation, operands, {}).run();
}

Tensor einsum(const std::vector<EinsumOperand>& operands,
              const std::optional<std::vector<std::int64_t>>& output,
              const EinsumOptions& options) {
  std::vector<Tensor> tensors;
  for (const EinsumOperand& o : operands) tensors.push_back(o.tensor);
  return Einsum(equation_of(operands, output), tensors, options).run();
}

EinsumPath einsum_path(const std::string& equation, const std::vector<Tensor>& operands,
                       const EinsumOptions& options) {
  const detail::Expression e(op::einsum_path, equation, operands);
  return detail::report_path(e, detail::steps_of(op::einsum_path, e, options));
}

namespace ops {

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands,
              const std::string& optimize, std::optional<std::int64_t> memory_limit) {
  return tandem::einsum(equation, operands, {optimize, memory_limit});
}

std::vector<Value> einsum_path(const std::string& equation, const std::vector<Tensor>& operands,
                               const std::string& optimize,
                               std::optional<std::int64_t> memory_limit) {
  const EinsumPath path = tandem::einsum_path(equation, operands, {optimize, memory_limit});
  Dims places;
  for (const auto& pair : path.contractions) {
    for (const std::int64_t p : pair) places.push_back(p);
  }
  return {Value(places), Value(path.report)};
}

}  // namespace ops

}  // namespace tandem
