// The search for an order of contractions.
#include "runtime/ops/einsum_path.h"

#include <algorithm>
#include <tuple>

namespace tandem::detail {

double elements(const Contraction& c, const LabelSet& labels) {
  double n = 1;
  for (std::size_t l = labels._Find_first(); l < kMaxLabels; l = labels._Find_next(l))
    n *= c.sizes[l];
  return n;
}

LabelSet kept_labels(const LabelSet& a, const LabelSet& b, const LabelSet& others) {
  return (a | b) & others;
}

bool comes_before(const LabelSet& a, const LabelSet& b) {
  const LabelSet differ = a ^ b;
  return differ.any() && b[differ._Find_first()];
}

double step_flops(const Contraction& c, const LabelSet& a, const LabelSet& b,
                  const LabelSet& kept) {
  const LabelSet all = a | b;
  return elements(c, all) * (all == kept ? 1.0 : 2.0);
}

Steps left_steps(std::size_t terms) {
  Steps steps;
  // The result is at the end of the list, so that it is the second of the next pair.
  for (std::size_t left = terms; left > 1; --left)
    steps.push_back({0, left == terms ? 1 : left - 1});
  return steps;
}

namespace {

/// The labels outside of a list of terms without places i and j: of the others and the output.
LabelSet outside(const Contraction& c, const std::vector<LabelSet>& terms, std::size_t i,
                 std::size_t j) {
  LabelSet all = c.output;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    if (k != i && k != j) all |= terms[k];
  }
  return all;
}

/// Puts the product in place of terms i < j.
template <class T>
void replace_pair(std::vector<T>& list, std::size_t i, std::size_t j, T product) {
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(j));
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
  list.push_back(std::move(product));
}

/// The search over subsets, as bit masks of terms in their own order: of several orders as good as
/// each other the same is found wherever the terms stand.
class Subsets {
 public:
  explicit Subsets(const Contraction& c) : c_(c), all_((1u << c.terms.size()) - 1) {
    for (std::size_t k = 0; k < c.terms.size(); ++k) places_.push_back(k);
    std::stable_sort(places_.begin(), places_.end(), [&](std::size_t i, std::size_t j) {
      return comes_before(c.terms[i], c.terms[j]);
    });
    nodes_.resize(all_ + 1);
    for (std::uint32_t s = 1; s <= all_; ++s) {
      LabelSet inside;
      LabelSet outside = c.output;
      for (std::size_t k = 0; k < c.terms.size(); ++k)
        ((s >> k & 1) != 0 ? inside : outside) |= c.terms[places_[k]];
      nodes_[s].labels = is_term(s) ? inside : inside & outside;
      nodes_[s].elements = elements(c, nodes_[s].labels);
    }
  }

  /// Whether the whole has an order within the limit; then it is known.
  bool solve(double limit) {
    for (std::uint32_t s = 1; s <= all_; ++s) {
      Node& node = nodes_[s];
      node.known = is_term(s);
      node.flops = node.peak = 0;
      if (is_term(s) || (s != all_ && node.elements > limit)) continue;
      // The half with the highest term, so that each split comes once.
      for (std::uint32_t part = (s - 1) & s; part > (s & ~part); part = (part - 1) & s)
        consider(s, part);
    }
    return nodes_[all_].known;
  }

  /// The least limit within which an order stays: one of the subsets' sizes.
  double least_limit() {
    std::vector<double> sizes{0};
    for (std::uint32_t s = 1; s < all_; ++s) sizes.push_back(nodes_[s].elements);
    std::sort(sizes.begin(), sizes.end());
    const auto at = std::partition_point(sizes.begin(), sizes.end(),
                                         [&](double limit) { return !solve(limit); });
    return *at;
  }

  Steps steps() const {
    std::vector<std::uint32_t> list(places_.size());
    for (std::size_t k = 0; k < places_.size(); ++k) list[places_[k]] = 1u << k;
    Steps out;
    walk(all_, list, out);
    return out;
  }

 private:
  struct Node {
    LabelSet labels;  // of the product
    double elements = 0;
    bool known = false;
    double flops = 0;
    double peak = 0;          // elements alive while it is made, its own among them
    std::uint32_t first = 0;  // the part that is made first
  };

  static bool is_term(std::uint32_t s) { return (s & (s - 1)) == 0; }
  /// What a part holds once it is made: terms are there anyway.
  double held(std::uint32_t s) const { return is_term(s) ? 0 : nodes_[s].elements; }

  void consider(std::uint32_t s, std::uint32_t part) {
    const std::uint32_t other = s & ~part;
    const Node& a = nodes_[part];
    const Node& b = nodes_[other];
    Node& node = nodes_[s];
    if (!a.known || !b.known) return;
    const double flops = a.flops + b.flops + step_flops(c_, a.labels, b.labels, node.labels);
    if (node.known && flops > node.flops) return;
    const double join = held(part) + held(other) + node.elements;
    const double part_first = std::max({a.peak, held(part) + b.peak, join});
    const double other_first = std::max({b.peak, held(other) + a.peak, join});
    const double peak = std::min(part_first, other_first);
    if (node.known && flops == node.flops && peak >= node.peak) return;
    node.known = true;
    node.flops = flops;
    node.peak = peak;
    node.first = part_first <= other_first ? part : other;
  }

  void walk(std::uint32_t s, std::vector<std::uint32_t>& list, Steps& out) const {
    if (is_term(s)) return;
    const std::uint32_t first = nodes_[s].first;
    walk(first, list, out);
    walk(s & ~first, list, out);
    const auto place = [&](std::uint32_t part) {
      return static_cast<std::size_t>(std::find(list.begin(), list.end(), part) - list.begin());
    };
    const auto [i, j] = std::minmax({place(first), place(s & ~first)});
    replace_pair(list, i, j, s);
    out.push_back({i, j});
  }

  const Contraction& c_;
  std::vector<std::size_t> places_;  // of the terms in the list, by bit
  std::uint32_t all_;
  std::vector<Node> nodes_;
};

/// How good a pair is, the least first.
struct Score {
  bool beyond;  // the limit
  double growth;
  double flops;
  LabelSet low, high;  // of the two terms; whatever their places
  bool operator<(const Score& o) const {
    const auto key = [](const Score& s) { return std::tie(s.beyond, s.growth, s.flops); };
    if (key(*this) != key(o)) return key(*this) < key(o);
    if (low != o.low) return comes_before(low, o.low);
    return comes_before(high, o.high);
  }
};

}  // namespace

Steps optimal_steps(const Contraction& c, double limit) {
  if (c.terms.size() < 2) return {};
  if (c.terms.size() == 2) return {{0, 1}};
  Subsets subsets(c);
  if (!subsets.solve(limit)) subsets.solve(subsets.least_limit());
  return subsets.steps();
}

Steps greedy_steps(const Contraction& c, double limit) {
  std::vector<LabelSet> list = c.terms;
  Steps steps;
  while (list.size() > 1) {
    Step best{0, 1};
    Score least{};
    LabelSet product;
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (std::size_t j = i + 1; j < list.size(); ++j) {
        const LabelSet kept = kept_labels(list[i], list[j], outside(c, list, i, j));
        const double made = elements(c, kept);
        const bool beyond = made > limit && list.size() > 2;
        const bool swap = comes_before(list[j], list[i]);
        const double gone = beyond ? 0 : elements(c, list[i]) + elements(c, list[j]);
        const Score score{beyond, made - gone, step_flops(c, list[i], list[j], kept),
                          list[swap ? j : i], list[swap ? i : j]};
        if ((i != 0 || j != 1) && !(score < least)) continue;
        least = score;
        best = {i, j};
        product = kept;
      }
    }
    replace_pair(list, best.first, best.second, product);
    steps.push_back(best);
  }
  return steps;
}

StepCosts costs_of(const Contraction& c, const Steps& steps) {
  StepCosts costs;
  std::vector<LabelSet> list = c.terms;
  std::vector<double> held(list.size(), 0);  // operands are not counted
  double alive = 0;
  for (const Step& s : steps) {
    const LabelSet a = list[s.first];
    const LabelSet b = list[s.second];
    const LabelSet kept = kept_labels(a, b, outside(c, list, s.first, s.second));
    const double made = elements(c, kept);
    costs.flops += step_flops(c, a, b, kept);
    costs.peak = std::max(costs.peak, alive + made);
    alive += made - held[s.first] - held[s.second];
    if (list.size() > 2) costs.largest = std::max(costs.largest, made);
    replace_pair(list, s.first, s.second, kept);
    replace_pair(held, s.first, s.second, made);
  }
  return costs;
}

}  // namespace tandem::detail
