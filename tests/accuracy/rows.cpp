// The accuracy report's measurements, a part of a row at a time; tools/accuracy.py drives them.
//   accuracy_rows --list                 "PART ROW" of all there is to measure
//   accuracy_rows PART ROW [--stride N] [--samples N] [--threads N] [--near X]...
// prints what it found as one line of JSON; exit status 1 beyond the budget.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/accuracy/rows.h"

namespace {

using namespace tandem;
using namespace tandem::testing;

constexpr DType kFloats[] = {DType::float32, DType::float64, DType::float16, DType::bfloat16};

void list() {
  for (const OpRow* row : op_rows()) {
    const Oracle* o = oracle_of(*row);
    if (o != nullptr && !o->real && !is_exact(*o)) continue;  // of complex results: sampled_complex
    for (const DType t : kFloats) {
      const std::string dtype(name(t));
      if (takes(*row, t)) {
        std::printf("%s %s\n", dtype.c_str(), row->name);
        std::printf("special.%s %s\n", dtype.c_str(), row->name);
      }
      if (is_summed(*row)) std::printf("sums.%s %s\n", dtype.c_str(), row->name);
    }
  }
}

DType dtype_of_part(const std::string& part) {
  const std::string word =
      part.substr(part.find('.') == std::string::npos ? 0 : part.find('.') + 1);
  for (const DType t : kFloats)
    if (name(t) == word) return t;
  throw ValueError("[accuracy_rows] expected a part of --list, got " + part);
}

Finding measure(const std::string& part, const OpRow& row, const Effort& o) {
  const DType t = dtype_of_part(part);
  if (part.starts_with("special.")) return check_specials(row, t);
  if (part.starts_with("sums.")) return check_sums(row, t, o);
  if (t == DType::float64) return check_float64(row, o);
  if (row.arity > 1 || schema_of(row).params[0].type == "Scalar") return check_samples(row, t, o);
  return t == DType::float32 ? check_float32(row, o) : check_half(row, t);
}

int run(const std::string& part, const std::string& name, const Effort& o) {
  const OpRow* row = find_op(name);
  if (row == nullptr) throw ValueError("[accuracy_rows] expected a row of the table, got " + name);
  const Finding f = measure(part, *row, o);
  std::printf(
      "{\"part\": \"%s\", \"row\": \"%s\", \"reference\": \"%s\", \"worst\": %.4f, "
      "\"budget\": %g, \"count\": %llu, \"at\": \"%s\", \"got\": \"%s\", \"expected\": \"%s\", "
      "\"note\": \"%s\", \"ok\": %s}\n",
      part.c_str(), row->name, f.reference.c_str(), std::isfinite(f.worst) ? f.worst : 1e9,
      f.budget, static_cast<unsigned long long>(f.count), f.at.c_str(), f.got.c_str(),
      f.expected.c_str(), f.note.c_str(), f.ok() ? "true" : "false");
  return f.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Effort o;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (arg == "--list") {
      list();
      return 0;
    }
    if (arg == "--stride") {
      o.stride = std::max<std::uint64_t>(1, number());
    } else if (arg == "--samples") {
      o.samples = std::max<std::uint64_t>(1, number());
    } else if (arg == "--near" && i + 1 < argc) {
      o.near.push_back(std::strtof(argv[++i], nullptr));
    } else if (arg == "--threads") {
      set_num_threads(static_cast<int>(number()));
    } else {
      words.push_back(arg);
    }
  }
  if (words.size() != 2) {
    std::fprintf(stderr,
                 "usage: accuracy_rows --list | PART ROW [--stride N] [--samples N] [--threads N] "
                 "[--near X]...\n");
    return 2;
  }
  try {
    return run(words[0], words[1], o);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
