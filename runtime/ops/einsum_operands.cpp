// Checks of einsum's operands.
#include "runtime/ops/einsum_operands.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/dispatch/funnel.h"
#include "tandem/ops.h"

namespace tandem::detail {

namespace {

bool has_dots(const Labels& s) { return has(s, kDots); }

/// One device and one dtype.
void check_alike(const OpRow& row, const std::vector<Tensor>& operands) {
  std::vector<const Tensor*> all;
  for (const Tensor& t : operands) all.push_back(&t);
  (void)common_device(row, all);
  const DType first = operands[0].dtype();
  for (std::size_t i = 1; i < operands.size(); ++i) {
    TANDEM_EXPECTS(operands[i].dtype() == first, TypeError,
                   fmt::format("[{}] operand {}: expected scalar type {} but found {}", row.name, i,
                               info(first).title, info(operands[i].dtype()).title));
  }
}

}  // namespace

Expression::Expression(const OpRow& row, const std::string& equation,
                       const std::vector<Tensor>& operands)
    : op_(row.name), equation_(parse_equation(row.name, equation, operands)) {
  check_alike(row, operands);
  const std::vector<Labels>& written = equation_.inputs;
  for (std::size_t i = 0; i < operands.size(); ++i) measure(written[i], operands[i], i);
  for (std::size_t i = 0; i < operands.size(); ++i)
    terms_.push_back(load(written[i], operands[i], i));
  output_ = equation_.output ? explicit_output() : implicit_output();
  (void)names();
}

void Expression::measure(const Labels& s, const Tensor& t, std::size_t i) {
  const bool dots = has_dots(s);
  const auto named = static_cast<std::int64_t>(s.size()) - (dots ? 1 : 0);
  TANDEM_EXPECTS(dots ? t.dim() >= named : t.dim() == named, ShapeError,
                 fmt::format("[{}] operand {}: the subscript has {} {}, the tensor {} dimensions",
                             op_, i, named, equation_.by_names() ? "names" : "letters", t.dim()));
  ellipsis_ = std::max(ellipsis_, t.dim() - named);
}

/// Labels of an operand's dimensions; its ellipsis stands for the last `count` of all ellipses.
Labels Expression::spread(const Labels& s, std::int64_t count) const {
  Labels out;
  for (const std::int32_t l : s) {
    if (l >= 0) out.push_back(l);
    for (std::int64_t k = 0; l < 0 && k < count; ++k)
      out.push_back(kFirstDot + static_cast<std::int32_t>(ellipsis_ - count + k));
  }
  return out;
}

/// Checks sizes and names against what is known, takes diagonals of repeated labels and drops
/// dimensions of size 1.
Labelled Expression::load(const Labels& s, const Tensor& t, std::size_t i) {
  const std::int64_t rest = t.dim() - static_cast<std::int64_t>(s.size()) + 1;
  const Names names = t.names();
  Labelled out{t.rename(std::nullopt), spread(s, has_dots(s) ? rest : 0)};
  for (std::size_t d = 0; d < out.labels.size(); ++d)
    note(out.labels[d], t.shape()[d], names[d], i);
  for (std::size_t a = 0; a < out.labels.size(); ++a) {
    for (std::size_t b = out.labels.size() - 1; b > a; --b) {
      if (out.labels[a] != out.labels[b]) continue;
      const IntSpan sizes = out.tensor.shape();
      TANDEM_EXPECTS(sizes[a] == sizes[b], ShapeError,
                     fmt::format("[{}] operand {}: {} is repeated with the sizes {} and {}", op_, i,
                                 shown(out.labels[a]), sizes[a], sizes[b]));
      out.tensor =
          out.tensor.diagonal(0, static_cast<std::int64_t>(a), static_cast<std::int64_t>(b))
              .movedim(-1, static_cast<std::int64_t>(a));
      out.labels.erase(b);
    }
  }
  for (std::size_t d = out.labels.size(); d-- > 0;) {
    if (out.tensor.shape()[d] != 1) continue;
    out.tensor = out.tensor.select(static_cast<std::int64_t>(d), 0);
    out.labels.erase(d);
  }
  return out;
}

std::string Expression::shown(std::int32_t label) const {
  return label >= kFirstDot ? "a dimension of '...'" : fmt::format("'{}'", equation_.str(label));
}

void Expression::note(std::int32_t label, std::int64_t size, Name name, std::size_t operand) {
  Extent& e = extents_[at(label)];
  const bool fits = !e.used || e.size == size || e.size == 1 || size == 1;
  TANDEM_EXPECTS(fits, ShapeError,
                 fmt::format("[{}] operand {}: {} has size {}, but size {} in an earlier operand",
                             op_, operand, shown(label), size, e.size));
  if (equation_.by_names() && label < kFirstDot && e.name.is_none())
    e.name = Name(equation_.words[at(label)]);
  TANDEM_EXPECTS(
      e.name.is_none() || name.is_none() || e.name == name, ShapeError,
      fmt::format("[{}] operand {}: {} is named '{}'{}", op_, operand, shown(label), name.str(),
                  equation_.by_names() && label < kFirstDot
                      ? std::string(" by the tensor")
                      : fmt::format(", but '{}' in an earlier operand", e.name.str())));
  e.size = !e.used || e.size == 1 ? size : e.size;
  if (e.name.is_none()) e.name = name;
  e.used = true;
}

/// The ellipsis and what occurs once: letters in their order, names as they come.
Labels Expression::implicit_output() const {
  std::array<int, kMaxLabels> seen{};
  Labels labels;
  for (const Labels& s : equation_.inputs) {
    for (const std::int32_t l : s) {
      if (l >= 0 && ++seen[at(l)] == 1) labels.push_back(l);
    }
  }
  if (!equation_.by_names()) std::sort(labels.begin(), labels.end());
  Labels out = spread(Labels{kDots}, ellipsis_);
  for (const std::int32_t l : labels) {
    if (seen[at(l)] == 1) out.push_back(l);
  }
  return out;
}

Labels Expression::explicit_output() const {
  Labels out = spread(*equation_.output, ellipsis_);
  const char* what = equation_.by_names() ? "name" : "letter";
  for (std::size_t i = 0; i < out.size(); ++i) {
    TANDEM_EXPECTS(extents_[at(out[i])].used, ValueError,
                   fmt::format("[{}] argument 'equation': output {} '{}' does not appear in any "
                               "input",
                               op_, what, equation_.str(out[i])));
    TANDEM_EXPECTS(std::find(out.begin(), out.begin() + i, out[i]) == out.begin() + i, ValueError,
                   fmt::format("[{}] argument 'equation': output {} '{}' appears more than once",
                               op_, what, equation_.str(out[i])));
  }
  return out;
}

Dims Expression::sizes(const Labels& labels) const {
  Dims out;
  for (const std::int32_t l : labels) out.push_back(size(l));
  return out;
}

Names Expression::names() const {
  Names names;
  for (const std::int32_t l : output_) names.push_back(extents_[at(l)].name);
  check_unique(names, op_);
  return simplified(names);
}

bool Expression::needed(std::int32_t label, std::size_t term) const {
  if (has(output_, label)) return true;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    if (i != term && has(terms_[i].labels, label)) return true;
  }
  return false;
}

Contraction Expression::contraction() const {
  Contraction c;
  for (const Extent& e : extents_) c.sizes.push_back(static_cast<double>(e.size));
  for (const std::int32_t l : output_) c.output[at(l)] = true;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    LabelSet labels;
    for (const std::int32_t l : terms_[i].labels) labels[at(l)] = needed(l, i);
    c.terms.push_back(labels);
  }
  return c;
}

}  // namespace tandem::detail
