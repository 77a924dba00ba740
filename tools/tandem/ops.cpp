// `tandem ops`: the op table.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "tandem/array_api.h"
#include "tandem/op_alias.h"
#include "tandem/op_table.h"
#include "tandem/value.h"
#include "tools/tandem/accepts.h"
#include "tools/tandem/commands.h"

namespace tandem::command {
namespace {

struct Options {
  std::string filter;
  bool json = false;
  bool markdown = false;
};

const char* text(Family f) {
  constexpr const char* kText[] = {"elementwise", "generator", "reduction", "irregular"};
  return kText[static_cast<int>(f)];
}

const char* text(Result r) {
  constexpr const char* kText[] = {"same", "number", "float", "bool",   "real",
                                   "wide", "index",  "int32", "complex"};
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

bool is_bound(const OpRow& row, DeviceKind kind) {
  return row.kernels[static_cast<int>(kind)].load(std::memory_order_acquire) != nullptr;
}

/// The kernels of its own that the row has; a view or a composition of other ops has none.
std::string bound(const OpRow& row) {
  return std::string(is_bound(row, DeviceKind::CPU) ? "cpu" : "") +
         (is_bound(row, DeviceKind::CUDA) ? " cuda" : "");
}

/// What a row takes where.
struct Support {
  DTypeSet cpu, cuda, meta;
  bool has_cuda = false;

  explicit Support(const OpRow& row)
      : cpu(accepted(row, kCPU)),
        meta(accepted(row, kMeta)),
        has_cuda(is_available(DeviceKind::CUDA)) {
    if (has_cuda) cuda = accepted(row, kCUDA);
  }
};

/// "cpu, cuda, meta"; a backend that takes less than the CPU is named with what it lacks.
std::string backends(const OpRow& row, const Support& s) {
  std::string out = "cpu";
  const auto add = [&](const char* name, DTypeSet set) {
    if (set.empty()) return;
    DTypeSet lacking;
    for (int i = 0; i < kNumDTypes; ++i) {
      const auto t = static_cast<DType>(i);
      if (s.cpu.has(t) && !set.has(t)) lacking = lacking | DTypeSet(t);
    }
    out += std::string(", ") + name;
    if (!lacking.empty()) out += " (not " + text(lacking) + ")";
  };
  if (s.has_cuda) add("cuda", s.cuda);
  add("meta", s.meta);
  return (row.flags & kSyncs) != 0 ? out + "; waits" : out;
}

void print_json(const std::vector<const OpRow*>& rows) {
  nlohmann::json all = nlohmann::json::array();
  for (const OpRow* r : rows) {
    const Support s(*r);
    nlohmann::json dtypes = nlohmann::json::array();
    for (int i = 0; i < kNumDTypes; ++i)
      if (s.cpu.has(static_cast<DType>(i))) dtypes.push_back(name(static_cast<DType>(i)));
    all.push_back({{"name", r->name},
                   {"family", text(r->family)},
                   {"dtypes", dtypes},
                   {"result", text(r->result)},
                   {"max_ulp", r->max_ulp},
                   {"schema", r->schema},
                   {"kernels", bound(*r)},
                   {"backends", backends(*r, s)},
                   {"aliases", aliases(*r)},
                   {"doc", r->doc}});
  }
  fmt::print("{}\n", all.dump(1));
}

void print_one(const OpRow& row) {
  const Support s(row);
  const Schema& schema = schema_of(row);
  const auto line = [](const char* what, const std::string& value) {
    if (!value.empty()) fmt::print("{:<12} {}\n", what, value);
  };
  const std::string text_of = row.schema;
  line("op", row.name);
  line("computes", row.doc);
  line("call", std::string(row.name) + text_of.substr(0, text_of.find(')') + 1));
  std::string results;
  for (const std::string& r : schema.results) results += (results.empty() ? "" : ", ") + r;
  line("gives", results);
  line("also", aliases(row));
  line("family", text(row.family));
  line("dtypes", text(s.cpu));
  if (row.family != Family::Irregular) line("result", text(row.result));
  if (row.max_ulp > 0) line("max ulp", fmt::format("{}", row.max_ulp));
  line("backends", backends(row, s));
  line("kernels", bound(row));
  line("gradient", schema.grad);
  line("hint", schema.hint);
}

const char* const kColumns[] = {"bool", "unsigned", "signed", "f16",
                                "bf16", "f32",      "f64",    "complex"};

/// "x" where all dtypes of the column are taken, those that are where not all are.
std::string column(DTypeSet set, std::string_view which) {
  DTypeSet whole;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    const DTypeInfo& d = info(t);
    std::string own = d.category == Category::Bool      ? "bool"
                      : d.category == Category::Complex ? "complex"
                      : d.category == Category::Integer ? (d.is_signed ? "signed" : "unsigned")
                                                        : "f" + std::to_string(8 * d.size);
    if (t == DType::bfloat16) own = "bf16";
    if (own == which) whole = whole | DTypeSet(t);
  }
  DTypeSet here;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (whole.has(t) && set.has(t)) here = here | DTypeSet(t);
  }
  return here == whole ? "x" : text(here);
}

/// A cell of a table; a bar would end it.
std::string cell(const std::string& s) {
  std::string out;
  for (const char c : s) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

/// A table of the page: a family, or the rows that are a module of their own in Python.
struct Section {
  std::string title, prefix;  // "Linalg", "linalg_"; a family has no prefix
  std::vector<const OpRow*> rows;
};

std::string capital(std::string s) {
  s[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(s[0])));
  return s;
}

/// Families in the table's order, then the modules.
std::vector<Section> sections_of(const std::vector<const OpRow*>& rows) {
  std::vector<Section> families, modules;
  for (const char* module : {"linalg", "fft"})
    modules.push_back({capital(module), std::string(module) + '_', {}});
  for (const OpRow* r : rows) {
    const auto own = std::find_if(modules.begin(), modules.end(), [&](const Section& m) {
      return std::string_view(r->name).starts_with(m.prefix);
    });
    if (own != modules.end()) {
      own->rows.push_back(r);
      continue;
    }
    const std::string title = capital(text(r->family));
    if (families.empty() || families.back().title != title) families.push_back({title, "", {}});
    families.back().rows.push_back(r);
  }
  for (Section& m : modules) {
    if (!m.rows.empty()) families.push_back(std::move(m));
  }
  return families;
}

void print_row(const OpRow& r) {
  const Support s(r);
  fmt::print("| `{}` |", r.name);
  for (const char* c : kColumns) fmt::print(" {} |", column(s.cpu, c));
  const std::string schema = r.schema;
  const std::string also = aliases(r);
  fmt::print(" {} | {} | `{}` | {} |\n", backends(r, s),
             r.max_ulp > 0 ? fmt::format("{}", r.max_ulp) : "",
             cell(schema.substr(0, schema.find(')') + 1)),
             cell(r.doc + (also.empty() ? "" : "; also " + also)));
}

/// What a module has of rows of other sections.
void print_others(const Section& section) {
  if (section.prefix.empty()) return;
  std::string text;
  for (const OpAlias& a : op_aliases()) {
    if (std::string_view(a.name).starts_with(section.prefix))
      text += fmt::format("{}`{}` is `{}`", text.empty() ? "" : ", ", a.name, a.row->name);
  }
  if (!text.empty()) fmt::print("\nOf other sections: {}.\n", text);
}

/// "RealFloating" in words.
std::string words(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool capital = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (capital && !out.empty()) out += ' ';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

/// The section of tandem.array_api: each function of the standard with its op.
void print_array_api() {
  const std::vector<StandardFunction> functions = array_api_functions();
  fmt::print(
      "\n## Array API\n\nThe functions of `tandem.array_api`, the Python Array API standard "
      "2024.12, and the ops above that they are.\nArrays may be of the dtypes of these kinds, "
      "float16 and bfloat16 aside; docs/array_api.md has the rest.\n\n"
      "| function | part | arrays | op |\n|---|---|---|---|\n");
  for (const StandardFunction& f : functions) {
    const std::string_view part = f.part;
    const std::string module = part == "linalg" || part == "fft" ? f.part + std::string(".") : "";
    const std::string op = f.op;
    fmt::print("| `{}{}({})` | {} | {} | {} |\n", module, f.name, f.parameters, part,
               words(f.kinds), op.empty() ? "" : "`" + op + "`");
  }
  fmt::print("\n{} functions.\n", functions.size());
}

void print_markdown(const std::vector<const OpRow*>& rows) {
  fmt::print(
      "# Ops\n\nEvery op, by dtype and backend. Written by `tandem ops --markdown`, which tries "
      "each dtype on each "
      "backend;\ndo not edit. `x`: every dtype of the column (unsigned and signed: 8 to 64 bits; "
      "complex: complex64 "
      "and complex128)\nis taken for the first tensor; integers and bool may become floats by the "
      "rule in "
      "docs/numerics.md. \"waits\": the op\nwaits for the device, since the shape of its result or "
      "an error depends on "
      "values. Ulp: the row's bound; what was\nmeasured is in docs/accuracy.md. All ops carry "
      "dimension names.\n");
  for (const Section& section : sections_of(rows)) {
    fmt::print("\n## {}\n\n| op |", section.title);
    for (const char* c : kColumns) fmt::print(" {} |", c);
    fmt::print(" backends | ulp | call | what it computes |\n|---|");
    for (std::size_t k = 0; k < std::size(kColumns) + 4; ++k) fmt::print("---|");
    fmt::print("\n");
    for (const OpRow* r : section.rows) print_row(*r);
    print_others(section);
  }
  fmt::print("\n{} ops.\n", rows.size());
  print_array_api();
}

void print_table(const std::vector<const OpRow*>& rows) {
  fmt::print("{:<20} {:<12} {:<23} {:<7} {:>7}  {:<16} {}\n", "op", "family", "dtypes", "result",
             "max ulp", "backends", "what it computes");
  for (const OpRow* r : rows) {
    const Support s(*r);
    fmt::print("{:<20} {:<12} {:<23} {:<7} {:>7}  {:<16} {}\n", r->name, text(r->family),
               text(s.cpu), r->family == Family::Irregular ? "" : text(r->result), r->max_ulp,
               backends(*r, s), r->doc + (aliases(*r).empty() ? "" : "; also " + aliases(*r)));
  }
  fmt::print("{} ops\n", rows.size());
}

void run(const Options& o) {
  // Opens the backends, so that the table tells what they bound.
  is_available(DeviceKind::CPU);
  is_available(DeviceKind::CUDA);
  if (const OpRow* one = o.filter.empty() || o.json || o.markdown ? nullptr : find_op(o.filter)) {
    print_one(*one);
    return;
  }
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
  std::stable_sort(rows.begin(), rows.end(),
                   [](const OpRow* a, const OpRow* b) { return a->family < b->family; });
  if (o.json) {
    print_json(rows);
  } else if (o.markdown) {
    print_markdown(rows);
  } else {
    print_table(rows);
  }
}

}  // namespace

void add_ops(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("ops", "Print the table of ops, or all about one");
  sub->add_option("FILTER", o->filter, "An op's name, a part of one, or a family");
  sub->add_flag("--json", o->json, "As JSON, with the schemas");
  sub->add_flag("--markdown", o->markdown, "As docs/ops.md");
  sub->callback([o] { run(*o); });
}

}  // namespace tandem::command
