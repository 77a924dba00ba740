// `tandem ops`: the op table.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "tandem/op_alias.h"
#include "tandem/op_table.h"
#include "tandem/value.h"
#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

struct Options {
  std::string filter;
  bool json = false;
};

const char* text(Family f) {
  constexpr const char* kText[] = {"elementwise", "generator", "reduction", "irregular"};
  return kText[static_cast<int>(f)];
}

const char* text(Result r) {
  constexpr const char* kText[] = {"same", "float", "bool",  "real",
                                   "wide", "index", "int32", "complex"};
  return kText[static_cast<int>(r)];
}

/// "bool int float complex", or the dtypes' own names where a category is not whole.
std::string text(DTypeSet set) {
  constexpr std::pair<Category, const char*> kCategories[] = {{Category::Bool, "bool"},
                                                              {Category::Integer, "int"},
                                                              {Category::Float, "float"},
                                                              {Category::Complex, "complex"}};
  std::string out;
  const auto add = [&](std::string_view word) {
    if (!out.empty()) out += ' ';
    out += word;
  };
  for (const auto& [category, word] : kCategories) {
    const DTypeSet whole = DTypeSet::of(category);
    if ((set | whole) == set) {
      add(word);
      continue;
    }
    for (int i = 0; i < kNumDTypes; ++i) {
      const auto d = static_cast<DType>(i);
      if (whole.has(d) && set.has(d)) add(name(d));
    }
  }
  return out;
}

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return s;
}

/// Other names of a row: "multiply", "divide, true_divide".
std::string aliases(const OpRow& row) {
  std::string out;
  for (const OpAlias& a : op_aliases()) {
    if (a.row == &row) out += (out.empty() ? "" : ", ") + std::string(a.name);
  }
  return out;
}

std::string backends(const OpRow& row) {
  const auto bound = [&](DeviceKind kind) {
    return row.kernels[static_cast<int>(kind)].load(std::memory_order_acquire) != nullptr;
  };
  return std::string(bound(DeviceKind::CPU) ? "cpu" : "") +
         (bound(DeviceKind::CUDA) ? " cuda" : "");
}

void run(const Options& o) {
  // Opens the backends, so that the table tells what they bound.
  is_available(DeviceKind::CPU);
  is_available(DeviceKind::CUDA);
  std::vector<const OpRow*> rows;
  for (const OpRow* row : op_rows()) {
    if (lower(row->name + (", " + aliases(*row))).find(lower(o.filter)) != std::string::npos ||
        lower(o.filter) == text(row->family)) {
      rows.push_back(row);
    }
  }
  if (rows.empty()) {
    throw BadInput("expected FILTER to be a part of an op's name or a family, got '" + o.filter +
                   "'");
  }
  if (o.json) {
    nlohmann::json all = nlohmann::json::array();
    for (const OpRow* r : rows) {
      all.push_back({{"name", r->name},
                     {"family", text(r->family)},
                     {"dtypes", text(r->dtypes)},
                     {"result", text(r->result)},
                     {"max_ulp", r->max_ulp},
                     {"schema", r->schema},
                     {"backends", backends(*r)},
                     {"aliases", aliases(*r)},
                     {"doc", r->doc}});
    }
    fmt::print("{}\n", all.dump(1));
    return;
  }
  fmt::print("{:<16} {:<12} {:<23} {:<7} {:>7}  {:<9} {}\n", "op", "family", "dtypes", "result",
             "max ulp", "backends", "what it computes");
  for (const OpRow* r : rows) {
    fmt::print("{:<16} {:<12} {:<23} {:<7} {:>7}  {:<9} {}\n", r->name, text(r->family),
               text(r->dtypes), text(r->result), r->max_ulp, backends(*r),
               r->doc + (aliases(*r).empty() ? "" : "; also " + aliases(*r)));
  }
  fmt::print("{} ops\n", rows.size());
}

}  // namespace

void add_ops(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("ops", "Print the table of ops");
  sub->add_option("FILTER", o->filter, "Part of a name, or a family");
  sub->add_flag("--json", o->json, "As JSON, with the schemas");
  sub->callback([o] { run(*o); });
}

}  // namespace tandem::command
