// Paths of einsum: read, chosen, printed.
#include "runtime/ops/einsum_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tandem::detail {

namespace {

[[noreturn]] void bad_optimize(const OpRow& row, const std::string& got) {
  fail<ValueError>(
      fmt::format("[{}] argument 'optimize': expected auto, optimal, greedy, left or a "
                  "path as '(0, 1), (0, 1)', got '{}'",
                  row.name, got));
}

/// The numbers of every pair of parentheses.
std::vector<std::vector<std::size_t>> parse_path(const OpRow& row, const std::string& text) {
  std::vector<std::vector<std::size_t>> path;
  bool inside = false;
  for (const char *p = text.data(), *end = p + text.size(); p < end;) {
    std::size_t place = 0;
    if (*p == '(' && !inside) {
      path.emplace_back();
      inside = true;
      ++p;
    } else if (*p == ')' && inside) {
      inside = false;
      ++p;
    } else if (*p == ',' || *p == ' ') {
      ++p;
    } else {
      const auto read = std::from_chars(p, end, place);
      if (!inside || read.ec != std::errc()) bad_optimize(row, text);
      path.back().push_back(place);
      p = read.ptr;
    }
  }
  if (inside) bad_optimize(row, text);
  return path;
}

/// Several terms at once are joined pair by pair, in their order.
Steps checked_path(const OpRow& row, const std::string& text, std::size_t terms) {
  Steps steps;
  std::size_t left = terms;
  for (std::vector<std::size_t>& group : parse_path(row, text)) {
    std::sort(group.begin(), group.end());
    const bool distinct = std::adjacent_find(group.begin(), group.end()) == group.end();
    if (group.empty() || !distinct || group.back() >= left) bad_optimize(row, text);
    for (std::size_t k = 1; k < group.size(); ++k, --left) {
      // Of those before, k are gone; their product is last.
      if (k == 1)
        steps.push_back({group[0], group[1]});
      else
        steps.push_back({group[k] - k, left - 1});
    }
  }
  TANDEM_EXPECTS(left == 1, ValueError,
                 fmt::format("[{}] argument 'optimize': expected a path that leaves one of {} "
                             "operands, got '{}', which leaves {}",
                             row.name, terms, text, left));
  return steps;
}

std::string grouped(double n) {
  if (!(n < 1e15)) return fmt::format("{:.3e}", n);
  std::string s = fmt::format("{:.0f}", n);
  for (auto at = static_cast<std::ptrdiff_t>(s.size()) - 3; at > 0; at -= 3)
    s.insert(static_cast<std::size_t>(at), ",");
  return s;
}

/// Labels of a product: those of the output in its order, then the others in theirs.
Labels listed(const Expression& e, const LabelSet& set) {
  Labels labels;
  for (const std::int32_t l : e.output()) {
    if (set[static_cast<std::size_t>(l)]) labels.push_back(l);
  }
  for (std::int32_t l = 0; l < kMaxLabels; ++l) {
    if (set[static_cast<std::size_t>(l)] && !has(labels, l)) labels.push_back(l);
  }
  return labels;
}

std::string joined(const Expression& e, const std::vector<Labels>& terms) {
  std::string s;
  for (std::size_t i = 0; i < terms.size(); ++i)
    s += (i == 0 ? "" : ",") + e.equation().str(terms[i]);
  return s + "->" + e.equation().str(e.output());
}

LabelSet set_of(const Labels& labels) {
  LabelSet set;
  for (const std::int32_t l : labels) set[static_cast<std::size_t>(l)] = true;
  return set;
}

/// A line a contraction, as NumPy prints them; fills in the largest number of labels.
std::string lines(const Expression& e, const Contraction& c, const Steps& steps,
                  std::size_t& scaling) {
  std::string out;
  std::vector<Labels> list;
  for (std::size_t i = 0; i < c.terms.size(); ++i) {
    list.emplace_back();
    for (const std::int32_t l : e.terms()[i].labels) {
      if (c.terms[i][static_cast<std::size_t>(l)]) list.back().push_back(l);
    }
  }
  for (const Step& s : steps) {
    const Labels a = list[s.first];
    const Labels b = list[s.second];
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(s.second));
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(s.first));
    LabelSet others = c.output;
    for (const Labels& t : list) others |= set_of(t);
    list.push_back(listed(e, kept_labels(set_of(a), set_of(b), others)));
    const std::size_t all = (set_of(a) | set_of(b)).count();
    scaling = std::max(scaling, all);
    const Equation& q = e.equation();
    const std::string current = q.str(a) + "," + q.str(b) + "->" + q.str(list.back());
    out += fmt::format("{:4}    {:>24} {:>40}\n", all, current, joined(e, list));
  }
  return out;
}

}  // namespace

Steps steps_of(const OpRow& row, const Expression& e, const EinsumOptions& options) {
  const std::size_t terms = e.terms().size();
  const std::string& how = options.optimize;
  TANDEM_EXPECTS(!options.memory_limit || *options.memory_limit >= 0, ValueError,
                 fmt::format("[{}] argument 'memory_limit': expected a number of elements, got {}",
                             row.name, options.memory_limit.value_or(0)));
  if (!how.empty() && how[0] == '(') return checked_path(row, how, terms);
  const double limit = options.memory_limit ? static_cast<double>(*options.memory_limit) : kNoLimit;
  if (how == "left") return left_steps(terms);
  if (how == "greedy") return greedy_steps(e.contraction(), limit);
  if (how != "auto" && how != "optimal") bad_optimize(row, how);
  TANDEM_EXPECTS(
      how == "auto" || terms <= kMostOptimalTerms, ValueError,
      fmt::format("[{}] argument 'optimize': expected at most {} operands for an optimal "
                  "order, got {}",
                  row.name, kMostOptimalTerms, terms));
  if (terms <= 2) return left_steps(terms);
  return how == "optimal" || terms <= kOptimalTerms ? optimal_steps(e.contraction(), limit)
                                                    : greedy_steps(e.contraction(), limit);
}

EinsumPath report_path(const Expression& e, const Steps& steps) {
  const Contraction c = e.contraction();
  const StepCosts costs = costs_of(c, steps);
  EinsumPath path;
  for (const Step& s : steps) {
    path.contractions.push_back(
        {static_cast<std::int64_t>(s.first), static_cast<std::int64_t>(s.second)});
  }
  if (steps.empty()) path.contractions.push_back({0});
  LabelSet all = c.output;
  double sums = 0;
  for (std::size_t i = 0; i < e.terms().size(); ++i) {
    const LabelSet own = set_of(e.terms()[i].labels);
    if (own != c.terms[i]) sums += elements(c, own);  // summed before anything else
    all |= own;
  }
  const double factors = std::max<double>(1, static_cast<double>(e.terms().size()) - 1);
  path.naive_flops = elements(c, all) * (factors + (all == c.output ? 0 : 1));
  path.flops = costs.flops + sums;
  path.largest = costs.largest;
  path.peak = costs.peak;
  std::size_t scaling = 0;
  const std::string table = lines(e, c, steps, scaling);
  const std::string rule(74, '-');
  path.report = fmt::format(
      "  Complete contraction:  {}\n         Naive scaling:  {}\n     Optimized scaling:  {}\n"
      "      Naive FLOP count:  {}\n  Optimized FLOP count:  {}\n   Theoretical speedup:  {:.4g}\n"
      "  Largest intermediate:  {} elements\n    Most alive at once:  {} elements\n"
      "{}\nscaling                  current                                remaining\n{}\n{}",
      joined(e, e.equation().inputs), all.count(),
      std::max(scaling, steps.empty() ? all.count() : 0), grouped(path.naive_flops),
      grouped(path.flops), path.flops > 0 ? path.naive_flops / path.flops : 1.0,
      grouped(path.largest), grouped(path.peak), rule, rule, table);
  return path;
}

}  // namespace tandem::detail
