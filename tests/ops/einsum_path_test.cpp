// einsum's orders of contractions against every order there is: the fewest operations, within a
// limit, whatever the order of the terms. And the C++ forms of einsum.
#include "runtime/ops/einsum_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "tandem/tandem.h"
#include "tests/support/expect_error.h"

using namespace tandem;
using tandem::detail::Contraction;
using tandem::detail::LabelSet;
using tandem::detail::Step;
using tandem::detail::StepCosts;
using tandem::detail::Steps;
using tandem::testing::expect_error;

namespace {

/// Terms of one to four of the labels, every label of a term in another one or in the output.
Contraction random_contraction(std::mt19937& random, std::size_t terms) {
  Contraction c;
  const std::size_t labels = 2 + random() % (terms + 3);
  for (std::size_t l = 0; l < labels; ++l) c.sizes.push_back(static_cast<double>(2 + random() % 9));
  for (std::size_t t = 0; t < terms; ++t) {
    LabelSet set;
    for (std::size_t k = 0; k < 1 + random() % 3; ++k) set[random() % labels] = true;
    c.terms.push_back(set);
  }
  for (std::size_t l = 0; l < labels; ++l) {
    const auto holders =
        std::count_if(c.terms.begin(), c.terms.end(), [&](const LabelSet& t) { return t[l]; });
    c.output[l] = holders == 1 || (holders > 1 && random() % 3 == 0);
  }
  return c;
}

/// Costs of every order, by trying all pairs at every step. Written for sets as lists.
struct Order {
  double flops = 0, largest = 0;
};
void all_orders(const Contraction& c, std::vector<std::vector<std::size_t>> terms, Order so_far,
                const std::function<void(const Order&)>& visit) {
  if (terms.size() == 1) return visit(so_far);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    for (std::size_t j = i + 1; j < terms.size(); ++j) {
      std::vector<std::vector<std::size_t>> rest;
      for (std::size_t k = 0; k < terms.size(); ++k) {
        if (k != i && k != j) rest.push_back(terms[k]);
      }
      double all = 1;
      double kept = 1;
      std::vector<std::size_t> product;
      for (std::size_t l = 0; l < c.sizes.size(); ++l) {
        const auto holds = [&](const auto& t) { return std::count(t.begin(), t.end(), l) > 0; };
        if (!holds(terms[i]) && !holds(terms[j])) continue;
        all *= c.sizes[l];
        if (!c.output[l] && std::none_of(rest.begin(), rest.end(), holds)) continue;
        kept *= c.sizes[l];
        product.push_back(l);
      }
      Order next = so_far;
      next.flops += kept == all ? all : 2 * all;
      if (!rest.empty()) next.largest = std::max(next.largest, kept);
      rest.push_back(product);
      all_orders(c, rest, next, visit);
    }
  }
}
std::vector<std::vector<std::size_t>> lists_of(const Contraction& c) {
  std::vector<std::vector<std::size_t>> lists;
  for (const LabelSet& t : c.terms) {
    lists.emplace_back();
    for (std::size_t l = 0; l < c.sizes.size(); ++l) {
      if (t[l]) lists.back().push_back(l);
    }
  }
  return lists;
}

/// The fewest operations within a limit, and the least limit that has an order.
struct Best {
  double flops = INFINITY, least_limit = INFINITY;
};
Best best_of(const Contraction& c, double limit) {
  Best best;
  all_orders(c, lists_of(c), {}, [&](const Order& o) {
    best.least_limit = std::min(best.least_limit, o.largest);
    if (o.largest <= limit) best.flops = std::min(best.flops, o.flops);
  });
  return best;
}

void expect_complete(const Steps& steps, std::size_t terms) {
  ASSERT_EQ(steps.size(), terms - 1);
  for (const Step& s : steps) {
    EXPECT_LT(s.first, s.second);
    EXPECT_LT(s.second, terms--);
  }
}

TEST(EinsumPath, OptimalIsTheLeastOfAllOrders) {
  std::mt19937 random(7);
  int within = 0;
  int beyond = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::size_t terms = 2 + random() % (round % 20 == 0 ? 5 : 4);
    const Contraction c = random_contraction(random, terms);
    const Best free = best_of(c, INFINITY);
    const Steps steps = detail::optimal_steps(c);
    expect_complete(steps, terms);
    const StepCosts costs = detail::costs_of(c, steps);
    ASSERT_EQ(costs.flops, free.flops);
    if (terms == 2) continue;
    // A limit between the least and what the cheapest order takes, and one that nothing keeps.
    const double tight = std::max(free.least_limit, std::floor(costs.largest / 2));
    const StepCosts limited = detail::costs_of(c, detail::optimal_steps(c, tight));
    ASSERT_LE(limited.largest, tight);
    ASSERT_EQ(limited.flops, best_of(c, tight).flops);
    within += limited.largest < costs.largest;
    const StepCosts least = detail::costs_of(c, detail::optimal_steps(c, 0));
    ASSERT_EQ(least.largest, free.least_limit);
    ASSERT_EQ(least.flops, best_of(c, free.least_limit).flops);
    beyond += least.largest > 0;
  }
  EXPECT_GT(within, 20);
  EXPECT_GT(beyond, 100);
}

TEST(EinsumPath, CostsDoNotDependOnTheOrderOfTerms) {
  std::mt19937 random(8);
  for (int round = 0; round < 60; ++round) {
    const std::size_t terms = 3 + random() % 6;
    Contraction c = random_contraction(random, terms);
    for (const double limit : {detail::kNoLimit, 50.0}) {
      const auto costs = [&](const auto& search) { return detail::costs_of(c, search(c, limit)); };
      const StepCosts optimal = costs(detail::optimal_steps);
      const StepCosts greedy = costs(detail::greedy_steps);
      EXPECT_LE(limit == detail::kNoLimit ? optimal.flops : 0, greedy.flops);
      EXPECT_LE(limit == detail::kNoLimit ? 0 : optimal.largest, std::max(greedy.largest, limit));
      for (int turn = 0; turn < 5; ++turn) {
        std::shuffle(c.terms.begin(), c.terms.end(), random);
        EXPECT_EQ(costs(detail::optimal_steps).flops, optimal.flops);
        EXPECT_EQ(costs(detail::optimal_steps).peak, optimal.peak);
        EXPECT_EQ(costs(detail::greedy_steps).flops, greedy.flops);
        EXPECT_EQ(costs(detail::greedy_steps).largest, greedy.largest);
      }
    }
  }
}

TEST(EinsumPath, GreedyStepsAreComplete) {
  std::mt19937 random(9);
  for (const std::size_t terms : {2u, 9u, 17u, 30u}) {
    const Contraction c = random_contraction(random, terms);
    expect_complete(detail::greedy_steps(c), terms);
    expect_complete(detail::greedy_steps(c, 1), terms);
    expect_complete(detail::left_steps(terms), terms);
  }
}

Tensor counted(IntSpan shape) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  return arange(0, n, 1, {.dtype = DType::int64}).remainder(7).reshape(shape);
}

TEST(Einsum, ListsOfNumbers) {
  const Tensor a = counted({3, 4});
  const Tensor b = counted({4, 5});
  const Tensor want = matmul(a, b);
  EXPECT_TRUE(equal(einsum({{a, {0, 1}}, {b, {1, 2}}}), want));
  EXPECT_TRUE(equal(einsum({{a, {0, 1}}, {b, {1, 51}}}, {{51, 0}}), want.t()));
  EXPECT_TRUE(equal(einsum({{a, {kEinsumEllipsis, 1}}}, {{kEinsumEllipsis}}), sum(a, 1)));
  EXPECT_TRUE(equal(einsum({{a, {0, 1}}, {b, {1, 2}}}, std::vector<std::int64_t>{}), want.sum()));
  expect_error<ValueError>([&] { einsum({{a, {0, 52}}}); }, "0 to 51");
}

TEST(Einsum, PathsByOption) {
  const std::vector<Tensor> chain{counted({2, 30}), counted({30, 3}), counted({3, 40}),
                                  counted({40, 2})};
  const Tensor want = matmul(matmul(chain[0], chain[1]), matmul(chain[2], chain[3]));
  for (const char* how : {"auto", "optimal", "greedy", "left", "(0, 1), (0, 1), (0, 1)",
                          "(1, 2), (1, 2), (0, 1)", "(0, 1, 3), (0, 1)", "(0,1,2,3)"}) {
    EXPECT_TRUE(equal(einsum("ab,bc,cd,de->ae", chain, {.optimize = how}), want)) << how;
  }
  const EinsumPath path = einsum_path("ab,bc,cd,de->ae", chain);
  EXPECT_EQ(path.contractions.size(), 3u);
  // [2 x 30][30 x 3], [3 x 40][40 x 2], then [2 x 3][3 x 2].
  EXPECT_EQ(path.flops, 2.0 * (2 * 30 * 3 + 3 * 40 * 2 + 2 * 3 * 2));
  EXPECT_EQ(path.naive_flops, 4.0 * 2 * 30 * 3 * 40 * 2);
  EXPECT_EQ(path.largest, 6);
  EXPECT_NE(path.report.find("Optimized FLOP count:  864"), std::string::npos) << path.report;
  EXPECT_NE(path.report.find("ab,bc,cd,de->ae"), std::string::npos) << path.report;
}

}  // namespace
