// Arguments for a call of any op, by its schema.
#include "tools/tandem/accepts.h"

#include <algorithm>

#include "tandem/tandem.h"
#include "tandem/value.h"

namespace tandem::command {
namespace {

/// One way to call: shapes and numbers that some ops take and others refuse.
struct Way {
  Dims shape;
  int number;
  bool lower = false;  // `src` and `source` have the first dimension fewer
  bool invertible = false;
};
const Way kWays[] = {
    {{2, 2}, 1},      {{4}, 1}, {{2, 2}, 0}, {{2, 2}, 2},       {{1, 2, 2}, 1},
    {{1}, 1},         {{}, 1},  {{3}, 3},    {{2, 2}, 1, true}, {{2, 2}, 1, false, true},
    {{1, 1, 1, 1}, 1}};

struct Words {
  const char* words;  // names of parameters, each between blanks
  bool has(const std::string& name) const {
    return std::string(words).find(" " + name + " ") != std::string::npos;
  }
};
constexpr Words kIndices = {" index indices tensor_indices repeats sorter "};
constexpr Words kPivots = {" pivots LU_pivots "};
constexpr Words kFactors = {" tau "};  // of reflectors
constexpr Words kMasks = {" mask condition "};
constexpr Words kMatrices = {" mat mat1 mat2 "};
constexpr Words kBatches = {" batch1 batch2 "};
constexpr Words kSources = {" src source "};
constexpr Words kNeeded = {
    " size high "};  // what a row that makes a tensor of none cannot do without
constexpr Words kSecond = {" dim1 destination dims1 "};

Tensor tensor_for(const std::string& name, bool first, const Way& way, DType t, Device device) {
  if (kMasks.has(name)) return ones(way.shape, {.dtype = DType::bool_, .device = device});
  if (kIndices.has(name) && !first)
    return zeros(way.shape, {.dtype = DType::int64, .device = device});
  if (kPivots.has(name) && !way.shape.empty())
    return ones(Dims(IntSpan(way.shape).first(way.shape.size() - 1)),
                {.dtype = DType::int32, .device = device});
  if (kFactors.has(name) && !way.shape.empty())
    return ones(Dims(IntSpan(way.shape).first(way.shape.size() - 1)),
                {.dtype = t, .device = device});
  Dims shape = way.shape;
  const std::int64_t n = shape.empty() ? 1 : shape[shape.size() - 1];
  if (name == "vec") shape = {n};
  if (kMatrices.has(name)) shape = way.shape.size() == 3 ? Dims{1, n, n} : Dims{n, n};
  if (kBatches.has(name)) shape = {1, n, n};
  if (way.lower && kSources.has(name)) shape = Dims(IntSpan(shape).subspan(1));
  const Tensor x = ones(shape, {.dtype = t, .device = device});
  const bool square = shape.size() > 1 && shape[shape.size() - 1] == shape[shape.size() - 2];
  // Not singular, for who solves; of ones for who wants them.
  return square && way.invertible ? x + eye(n, {}, {.dtype = t, .device = device}) : x;
}

Value text_for(const std::string& name) {
  if (name == "equation") return "...,...->...";
  if (name == "reduce") return "amax";
  return Value();
}

Value ints_for(const std::string& name, const Way& way) {
  if (name == "stride") {
    Dims strides;
    for (std::size_t d = 0; d < way.shape.size(); ++d)
      strides.push_back(way.shape.size() - d == 1 ? 1 : 2);
    return strides;
  }
  if (name == "sizes") return Dims{way.shape.empty() ? 1 : way.shape[0], 1};
  if (name == "pad") return Dims{1, 1};
  if (name == "shifts") return Dims{1};
  if (name == "dims") return way.shape.size() == 2 ? Dims{1, 0} : Dims{0};
  return way.shape;
}

/// An argument for a parameter; none where its default will do.
Value argument(const Param& p, bool first, bool elementwise, const Way& way, DType t,
               Device device) {
  std::string type = p.type;
  if (p.optional()) type.pop_back();
  const bool tensor_like = type == "Tensor" || type == "Arg";
  if (p.name == "device") return device;
  if (p.name == "dtype" && first) return t;
  // Frames of two elements, of real signals too.
  if (p.name == "n_fft") return 2;
  if (p.name == "hop_length") return 1;
  if (p.name == "return_complex" && p.optional()) return true;
  const bool needed = first && kNeeded.has(p.name);
  if (!p.required() && !needed && !(elementwise && tensor_like)) return Value();
  if (tensor_like) return tensor_for(p.name, first, way, t, device);
  if (type == "Tensor[]") {
    const Tensor x = tensor_for(p.name, first, way, t, device);
    return std::vector<Tensor>{x, x};
  }
  if (type == "Tensor?[]")
    return std::vector<Tensor>{zeros({1}, {.dtype = DType::int64, .device = device})};
  if (type == "str") return text_for(p.name);
  if (type == "ints") return ints_for(p.name, way);
  if (type == "axis") return kSecond.has(p.name) ? 1 : 0;
  if (type == "axes")
    return kSecond.has(p.name) ? Dims{1}
           : p.name == "dims"  ? ints_for(p.name, way)
                               : Value(Dims{0});
  if (type == "bool") return false;
  if (type == "float") return 0.5;
  if (type == "dtype") return t;
  return way.number;  // int, Scalar, value
}

bool takes(const OpRow& row, const Way& way, DType t, Device device) {
  std::vector<Value> args;
  bool first = true;  // no tensor yet
  const bool makes = std::none_of(
      schema_of(row).params.begin(), schema_of(row).params.end(),
      [](const Param& p) { return p.type.starts_with("Tensor") || p.type.starts_with("Arg"); });
  for (const Param& p : schema_of(row).params) {
    args.push_back(argument(p, first && (makes || p.name != "dtype"),
                            row.family == Family::Elementwise, way, t, device));
    const Value& v = args.back();
    if ((v.is<Tensor>() && !kMasks.has(p.name)) || v.is<std::vector<Tensor>>()) first = false;
  }
  try {
    (void)call_boxed(row, args);
    if (device.is_cuda()) synchronize(device);
    return true;
  } catch (const DeviceError&) {  // it lacks a library: the arguments were taken
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

DTypeSet accepted(const OpRow& row, Device device) {
  DTypeSet best;
  int most = 0;
  for (const Way& way : kWays) {
    DTypeSet set;
    int count = 0;
    for (int i = 0; i < kNumDTypes; ++i) {
      const auto t = static_cast<DType>(i);
      if (!takes(row, way, t, device)) continue;
      set = set | DTypeSet(t);
      ++count;
    }
    if (count > most) {
      best = set;
      most = count;
    }
    if (count == kNumDTypes) break;
  }
  return best;
}

}  // namespace tandem::command
