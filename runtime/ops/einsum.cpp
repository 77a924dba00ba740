// einsum: the grammar, and a plan of pairwise contractions from left to right.
//
// A pair of operands is contracted over the letters that neither the output nor a later operand
// needs. Where both sides keep letters of their own it is a batch of matrix products; where only
// one does (luma's
// '...chw,c->...hw') it is a sum of products in one pass, on the fixed tree; without a summed
// letter, a product.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/contract.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

/// Letters are 0..51; the dimensions of the ellipsis are 52 and up, right-aligned.
constexpr int kLetters = 52;
constexpr int kMaxLabels = kLetters + 32;
using Labels = SmallVector<std::int32_t, 8>;
using LabelSet = std::array<bool, kMaxLabels>;

[[noreturn]] void bad(const std::string& text) {
  detail::fail<ValueError>("[einsum] argument 'equation': " + text);
}

std::int32_t label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  bad(fmt::format("expected letters, '...', ',' and '->', got '{}'", c));
}

/// One subscript as written; -1 stands for the ellipsis.
Labels parse_subscript(std::string_view s) {
  Labels out;
  bool dots = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == ' ') continue;
    if (s[i] != '.') {
      out.push_back(label_of(s[i]));
      continue;
    }
    if (s.substr(i, 3) != "...") bad(fmt::format("expected '...', got a lone '.' in '{}'", s));
    if (dots) bad(fmt::format("expected one '...' in '{}', got two", s));
    dots = true;
    out.push_back(-1);
    i += 2;
  }
  return out;
}

std::vector<std::string_view> split_at_commas(std::string_view s) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const auto comma = s.find(',', start);
    parts.push_back(s.substr(start, comma - start));
    if (comma == std::string_view::npos) return parts;
    start = comma + 1;
  }
}

/// What is known of a label: its size and its name.
struct Extent {
  std::int64_t size = 1;
  Name name;
  bool used = false;
};

/// A tensor whose dimensions carry distinct labels, without names.
struct Labelled {
  Tensor tensor;
  Labels labels;
};

class Einsum {
 public:
  Einsum(const std::string& equation, const std::vector<Tensor>& operands) {
    const auto arrow = equation.find("->");
    const auto inputs = split_at_commas(std::string_view(equation).substr(0, arrow));
    TANDEM_EXPECTS(!operands.empty(), ValueError,
                   "[einsum] argument 'operands': expected at least one Tensor");
    if (inputs.size() != operands.size()) {
      bad(fmt::format("expected a subscript for each of {} operands, got {}", operands.size(),
                      inputs.size()));
    }
    std::vector<Labels> written;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      written.push_back(parse_subscript(inputs[i]));
      measure(written[i], operands[i], i);
    }
    for (std::size_t i = 0; i < operands.size(); ++i)
      terms_.push_back(load(written[i], operands[i], i));
    output_ = arrow == std::string::npos
                  ? implicit_output(written)
                  : explicit_output(std::string_view(equation).substr(arrow + 2));
  }

  Tensor run() {
    Labelled acc = drop_sums(terms_[0], 0);
    for (std::size_t i = 1; i < terms_.size(); ++i) {
      acc = contract(std::move(acc), drop_sums(terms_[i], i), i);
    }
    return finish(acc);
  }

 private:
  void measure(const Labels& s, const Tensor& t, std::size_t i) {
    const bool dots = std::find(s.begin(), s.end(), -1) != s.end();
    const auto named = static_cast<std::int64_t>(s.size()) - (dots ? 1 : 0);
    TANDEM_EXPECTS(
        dots ? t.dim() >= named : t.dim() == named, ShapeError,
        fmt::format("[einsum] operand {}: the subscript has {} letters, the tensor {} dimensions",
                    i, named, t.dim()));
    ellipsis_ = std::max(ellipsis_, t.dim() - named);
  }

  /// Labels of an operand's dimensions; its ellipsis stands for its last `count` ones.
  Labels spread(const Labels& s, std::int64_t count) const {
    Labels out;
    for (const std::int32_t l : s) {
      if (l >= 0) out.push_back(l);
      for (std::int64_t k = 0; l < 0 && k < count; ++k) {
        out.push_back(kLetters + static_cast<std::int32_t>(ellipsis_ - count + k));
      }
    }
    return out;
  }

  /// Checks sizes and names against what is known, and takes diagonals of repeated labels.
  Labelled load(const Labels& s, const Tensor& t, std::size_t i) {
    const bool dots = std::find(s.begin(), s.end(), -1) != s.end();
    const Labels all = spread(s, dots ? t.dim() - static_cast<std::int64_t>(s.size()) + 1 : 0);
    const Names names = t.names();
    for (std::size_t d = 0; d < all.size(); ++d)
      note(all[d], t.shape()[d], names[d], i, all[d] >= kLetters);
    Labelled out{t.rename(std::nullopt), all};
    for (std::size_t a = 0; a < out.labels.size(); ++a) {
      for (std::size_t b = out.labels.size() - 1; b > a; --b) {
        if (out.labels[a] != out.labels[b]) continue;
        const IntSpan sizes = out.tensor.shape();
        TANDEM_EXPECTS(sizes[a] == sizes[b], ShapeError,
                       fmt::format("[einsum] operand {}: '{}' is repeated with the sizes {} and {}",
                                   i, letter(out.labels[a]), sizes[a], sizes[b]));
        out.tensor =
            out.tensor.diagonal(0, static_cast<std::int64_t>(a), static_cast<std::int64_t>(b))
                .movedim(-1, static_cast<std::int64_t>(a));
        out.labels.erase(b);
      }
    }
    return out;
  }

  void note(std::int32_t label, std::int64_t size, Name name, std::size_t operand,
            bool broadcasts) {
    Extent& e = extents_[static_cast<std::size_t>(label)];
    const bool fits = !e.used || e.size == size || e.size == 1 || size == 1;
    TANDEM_EXPECTS(
        fits, ShapeError,
        fmt::format("[einsum] operand {}: {} has size {}, but size {} in an earlier operand",
                    operand,
                    broadcasts ? "a dimension of '...'" : fmt::format("'{}'", letter(label)), size,
                    e.size));
    TANDEM_EXPECTS(
        e.name.is_none() || name.is_none() || e.name == name, ShapeError,
        fmt::format("[einsum] operand {}: {} is named '{}', but '{}' in an earlier operand",
                    operand,
                    broadcasts ? "a dimension of '...'" : fmt::format("'{}'", letter(label)),
                    name.str(), e.name.str()));
    e.size = !e.used || e.size == 1 ? size : e.size;
    if (e.name.is_none()) e.name = name;
    e.used = true;
  }

  static char letter(std::int32_t label) {
    return static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26);
  }

  Labels implicit_output(const std::vector<Labels>& written) const {
    std::array<int, kLetters> seen{};
    for (const Labels& s : written) {
      for (const std::int32_t l : s) {
        if (l >= 0) ++seen[static_cast<std::size_t>(l)];
      }
    }
    Labels out = spread(Labels{-1}, ellipsis_);
    for (std::int32_t l = 0; l < kLetters; ++l) {
      if (seen[static_cast<std::size_t>(l)] == 1) out.push_back(l);
    }
    return out;
  }

  Labels explicit_output(std::string_view text) const {
    const Labels out = spread(parse_subscript(text), ellipsis_);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!extents_[static_cast<std::size_t>(out[i])].used) {
        bad(fmt::format("output letter '{}' does not appear in any input", letter(out[i])));
      }
      if (std::find(out.begin(), out.begin() + i, out[i]) != out.begin() + i) {
        bad(fmt::format("output letter '{}' appears more than once", letter(out[i])));
      }
    }
    return out;
  }

  bool needed_after(std::int32_t label, std::size_t term) const {
    if (std::find(output_.begin(), output_.end(), label) != output_.end()) return true;
    for (std::size_t i = term + 1; i < terms_.size(); ++i) {
      if (has(terms_[i].labels, label)) return true;
    }
    return false;
  }

  static bool has(const Labels& labels, std::int32_t label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  }

  /// Sums letters that only this operand has and nobody needs. `term` is its place in the list.
  Labelled drop_sums(Labelled t, std::size_t term) const {
    SmallVector<Axis, 6> axes;
    Labels kept;
    for (std::size_t d = 0; d < t.labels.size(); ++d) {
      bool elsewhere = std::find(output_.begin(), output_.end(), t.labels[d]) != output_.end();
      for (std::size_t i = 0; i < terms_.size(); ++i)
        elsewhere = elsewhere || (i != term && has(terms_[i].labels, t.labels[d]));
      if (elsewhere) {
        kept.push_back(t.labels[d]);
      } else {
        axes.push_back(Axis(static_cast<std::int64_t>(d)));
      }
    }
    if (axes.empty()) return t;
    const DType dtype = t.tensor.dtype();
    return {sum(t.tensor, Axes(axes), false, dtype), kept};
  }

  /// The dimensions of `order`, by permuting and inserting sizes of 1.
  static Tensor arrange(const Labelled& t, const Labels& order) {
    SmallVector<Axis, 6> axes;
    for (const std::int32_t l : order) {
      const auto* at = std::find(t.labels.begin(), t.labels.end(), l);
      if (at != t.labels.end())
        axes.push_back(Axis(static_cast<std::int64_t>(at - t.labels.begin())));
    }
    Tensor out = axes.empty() ? t.tensor : t.tensor.permute(Axes(axes));
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (!has(t.labels, order[i])) out = out.unsqueeze(static_cast<std::int64_t>(i));
    }
    return out;
  }

  Dims sizes(const Labels& labels) const {
    Dims out;
    for (const std::int32_t l : labels) out.push_back(extents_[static_cast<std::size_t>(l)].size);
    return out;
  }

  /// Contracts the accumulated operand with term i.
  Labelled contract(Labelled a, Labelled b, std::size_t i) const {
    TANDEM_EXPECTS(a.tensor.dtype() == b.tensor.dtype(), TypeError,
                   fmt::format("[einsum] expected scalar type {} but found {}",
                               info(a.tensor.dtype()).title, info(b.tensor.dtype()).title));
    Labels batch, left, right, summed;
    for (const std::int32_t l : a.labels) {
      const bool both = has(b.labels, l);
      (!both ? left : needed_after(l, i) ? batch : summed).push_back(l);
    }
    for (const std::int32_t l : b.labels) {
      if (!has(a.labels, l)) right.push_back(l);
    }
    if (summed.empty()) return multiply(a, b);
    if (left.empty() || right.empty()) return sum_products(a, b, summed);
    return matrix_product(a, b, batch, left, right, summed);
  }

  /// Labels of a product in the order of the output, others behind.
  Labels product_labels(const Labelled& a, const Labelled& b, const Labels& without) const {
    Labels out;
    for (const std::int32_t l : output_) {
      if ((has(a.labels, l) || has(b.labels, l)) && !has(without, l)) out.push_back(l);
    }
    for (const Labels* side : {&a.labels, &b.labels}) {
      for (const std::int32_t l : *side) {
        if (!has(out, l) && !has(without, l)) out.push_back(l);
      }
    }
    return out;
  }

  Labelled multiply(const Labelled& a, const Labelled& b) const {
    const Labels order = product_labels(a, b, {});
    return {mul(arrange(a, order), arrange(b, order)), order};
  }

  Labelled sum_products(const Labelled& a, const Labelled& b, const Labels& summed) const {
    const Labels kept = product_labels(a, b, summed);
    Labels full = kept;
    for (const std::int32_t l : summed) full.push_back(l);
    const Dims shape = sizes(full);
    return {
        detail::product_sum(op::einsum, arrange(a, full).expand(shape),
                            arrange(b, full).expand(shape), static_cast<std::int64_t>(kept.size())),
        kept};
  }

  static std::int64_t product(const Dims& d) {
    std::int64_t n = 1;
    for (const std::int64_t s : d) n *= s;
    return n;
  }

  Labelled matrix_product(const Labelled& a, const Labelled& b, const Labels& batch,
                          const Labels& left, const Labels& right, const Labels& summed) const {
    const auto join = [](std::initializer_list<const Labels*> parts) {
      Labels out;
      for (const Labels* p : parts) {
        for (const std::int32_t l : *p) out.push_back(l);
      }
      return out;
    };
    const Labels la = join({&batch, &left, &summed});
    const Labels lb = join({&batch, &summed, &right});
    const std::int64_t nb = product(sizes(batch));
    const std::int64_t m = product(sizes(left));
    const std::int64_t k = product(sizes(summed));
    const std::int64_t n = product(sizes(right));
    const Tensor x = arrange(a, la).expand(sizes(la)).reshape({nb, m, k});
    const Tensor y = arrange(b, lb).expand(sizes(lb)).reshape({nb, k, n});
    const Labels out = join({&batch, &left, &right});
    return {detail::batched_product(op::einsum, x, y).view(sizes(out)), out};
  }

  Tensor finish(const Labelled& t) const {
    Tensor out = arrange(t, output_).expand(sizes(output_));
    Names names;
    for (const std::int32_t l : output_)
      names.push_back(extents_[static_cast<std::size_t>(l)].name);
    detail::check_unique(names, "einsum");
    names = detail::simplified(names);
    if (names.empty()) return out;
    return out.rename_(names);
  }

  std::int64_t ellipsis_ = 0;  // dimensions that '...' stands for at most
  std::array<Extent, kMaxLabels> extents_{};
  std::vector<Labelled> terms_;
  Labels output_;
};

}  // namespace

Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands) {
  return Einsum(equation, operands).run();
}

namespace ops {
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands) {
  return tandem::einsum(equation, operands);
}
}  // namespace ops

}  // namespace tandem
