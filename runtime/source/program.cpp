#include "runtime/source/program.h"

#include <fmt/format.h>

namespace tandem::source {

namespace {

/// The element type of a dtype in a program.
std::string type_of(DType t) {
  static constexpr const char* kTypes[] = {
#define TANDEM_DTYPE(id, ctype, ...) #ctype,
#include "tandem/dtypes.def"
  };
  return kTypes[static_cast<int>(t)];
}

/// What both programs have: the source in a namespace where the ops' names come first, and one
/// call of the function with elements as they lie in memory.
std::string common_part(std::string_view source, const std::string& function, const Types& types) {
  std::string text = "#include \"kernels/functors/source_kernel.h\"\n";
  text += "namespace tandem::fn::source_ops::user {\n#line 1 \"" + function + "\"\n";
  text += source;
  text += "\n#line 1 \"tandem\"\n}\nnamespace tandem {\n";
  text += "using T = " + type_of(types.computed) + ";\nusing C = compute_t<T>;\n";
  std::string parameters = "const SourceNumber* numbers", arguments;
  for (std::size_t k = 0; k < types.operands.size(); ++k) {
    text += fmt::format("using E{} = {};\n", k, type_of(types.operands[k]));
    if (k == 0) continue;
    parameters += fmt::format(", E{0} x{0}", k);
    arguments += fmt::format("{}fn::load(fn::cast<T>(x{}))", k == 1 ? "" : ", ", k);
  }
  for (std::size_t k = 0; k < types.numbers; ++k)
    arguments += fmt::format(", source_number<C>(numbers[{}])", k);
  text += fmt::format(
      "TANDEM_FN E0 element({}) {{\n  return fn::cast<E0>(fn::source_ops::user::{}({}));\n}}\n",
      parameters, function, arguments);
  return text;
}

/// ", *(const E1*)(p1 + i * step1)", one an input, by a pattern with {0} for the operand's number.
std::string for_inputs(const Types& types, const char* pattern) {
  std::string text;
  for (std::size_t k = 1; k < types.operands.size(); ++k)
    text += fmt::format(fmt::runtime(pattern), k);
  return text;
}

}  // namespace

std::string host_program(std::string_view source, const std::string& function, const Types& types) {
  const std::size_t n = types.operands.size();
  std::string text = common_part(source, function, types);
  text += fmt::format(R"(
static void row(const SourceArgs& a, const std::int64_t* at, std::int64_t n) {{
  const int inner = a.rank - 1;
  bool dense = inner < 0 || a.operands[0].strides[inner] == sizeof(E0);
)",
                      n);
  text +=
      "  char* const p0 = a.operands[0].data + at[0];\n"
      "  const std::int64_t s0 = inner < 0 ? 0 : a.operands[0].strides[inner];\n";
  text += for_inputs(types,
                     "  const char* const p{0} = a.operands[{0}].data + at[{0}];\n"
                     "  const std::int64_t s{0} = inner < 0 ? 0 : a.operands[{0}].strides[inner];\n"
                     "  dense = dense && s{0} == sizeof(E{0});\n");
  text += "  if (dense) {\n    E0* const __restrict d0 = (E0*)p0;\n";
  text += for_inputs(types, "    const E{0}* const __restrict d{0} = (const E{0}*)p{0};\n");
  text += "    for (std::int64_t i = 0; i < n; ++i) d0[i] = element(a.numbers" +
          for_inputs(types, ", fn::element_at(d{0} + i)") + ");\n    return;\n  }\n";
  text += "  for (std::int64_t i = 0; i < n; ++i)\n    *(E0*)(p0 + i * s0) = element(a.numbers" +
          for_inputs(types, ", fn::element_at((const E{0}*)(p{0} + i * s{0}))") + ");\n}\n}\n";
  text += fmt::format(R"(
extern "C" __attribute__((visibility("default")))
void tandem_source_run(const tandem::SourceArgs* a, std::int64_t first, std::int64_t last) {{
  const std::int64_t columns = a->rank == 0 ? 1 : a->shape[a->rank - 1];
  while (first < last) {{
    const std::int64_t column = first % columns;
    const std::int64_t n = last - first < columns - column ? last - first : columns - column;
    std::int64_t at[{0}];
    tandem::source_offsets<{0}>(*a, first, a->rank, at);
    tandem::row(*a, at, n);
    first += n;
  }}
}}
)",
                      n);
  return text;
}

std::string device_program(std::string_view source, const std::string& function,
                           const Types& types) {
  const std::size_t n = types.operands.size();
  std::string text = common_part(source, function, types) + "}\n";
  text += fmt::format(
      R"(
extern "C" __global__ void __launch_bounds__(256) tandem_source_kernel(
    const __grid_constant__ tandem::SourceArgs a) {{
  using namespace tandem;
  const std::int64_t step = std::int64_t(gridDim.x) * blockDim.x;
  for (std::int64_t i = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < a.numel;
       i += step) {{
    std::int64_t at[{0}];
    source_offsets<{0}>(a, i, a.rank, at);
    *(E0*)(a.operands[0].data + at[0]) = element(a.numbers{1});
  }}
}}
)",
      n, for_inputs(types, ", fn::element_at((const E{0}*)(a.operands[{0}].data + at[{0}]))"));
  return text;
}

}  // namespace tandem::source
