// Input tensors of the benchmark.
#include "perf/inputs.h"

#include <algorithm>
#include <cstring>

#include "perf/device.h"
#include "tandem/value.h"

namespace tandem::perf {
namespace {

/// A small generator with a long enough period for a block of values (splitmix64, Steele, Lea and
/// Flood 2014).
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  double operator()(Domain d) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return d.lo + (d.hi - d.lo) * (static_cast<double>(z >> 11) * 0x1p-53);
  }

 private:
  std::uint64_t state_;
};

constexpr std::int64_t kBlock = 1 << 16;  // elements drawn; the rest repeats them

struct Kept {
  std::string key;
  std::vector<Tensor> tensors;
};
Kept& kept() {
  static Kept k;
  return k;
}

template <class Make>
const std::vector<Tensor>& keep(const std::string& key, const Make& make) {
  Kept& k = kept();
  if (k.key != key) {
    k.tensors.clear();  // before making others: they are large
    k.tensors = make();
    k.key = key;
  }
  return k.tensors;
}

}  // namespace

Domain domain_of(const OpRow& row) {
  if (row.lo == row.hi) return {0, 8};
  return {std::max(row.lo, -10.0), std::min(row.hi, 10.0)};
}

Tensor filled(IntSpan shape, DType dtype, Domain domain, std::uint64_t seed) {
  Tensor t = empty(shape, {.dtype = dtype});
  visit(dtype, [&]<class T>() {
    T* const data = t.data<T>();
    const std::int64_t n = t.numel(), block = std::min(n, kBlock);
    Draw draw(seed);
    for (std::int64_t i = 0; i < block; ++i) {
      if constexpr (fn::is_complex_v<T>) {
        const auto re = fn::cast<fn::real_t<T>>(draw(domain));
        data[i] = T{re, fn::cast<fn::real_t<T>>(draw(domain))};
      } else if constexpr (fn::is_bool_v<T>) {
        data[i] = draw({0, 1}) < 0.5;
      } else {
        data[i] = fn::cast<T>(draw(domain));
      }
    }
    for (std::int64_t i = block; i < n; i += block) {
      std::memcpy(data + i, data, sizeof(T) * static_cast<std::size_t>(std::min(block, n - i)));
    }
  });
  return place().on_device() ? t.to(place().device) : t;
}

int tensors_of(const OpRow& row) {
  const auto& params = schema_of(row).params;
  return static_cast<int>(std::count_if(params.begin(), params.end(), [](const Param& p) {
    return p.type.starts_with("Arg") || p.type.starts_with("Tensor");
  }));
}

const std::vector<Tensor>& inputs_of(const OpRow& row, DType dtype, std::int64_t n) {
  const Domain d = domain_of(row);
  const bool condition = (row.flags & kFirstIsBool) != 0;
  std::string key(name(dtype));
  for (const double part : {double(n), d.lo, d.hi, double(tensors_of(row)), double(condition)}) {
    key += ' ' + std::to_string(part);
  }
  return keep(key, [&] {
    std::vector<Tensor> made;
    for (int i = 0; i < tensors_of(row); ++i) {
      made.push_back(filled({n}, condition && i == 0 ? dtype_of<bool> : dtype, d,
                            static_cast<std::uint64_t>(i) + 1));
    }
    return made;
  });
}

const Tensor& input(IntSpan shape, DType dtype, Domain domain) {
  std::string key = "one " + std::string(name(dtype));
  for (const std::int64_t s : shape) key += 'x' + std::to_string(s);
  key += ' ' + std::to_string(domain.lo) + ' ' + std::to_string(domain.hi);
  return keep(key, [&] { return std::vector<Tensor>{filled(shape, dtype, domain, 1)}; })[0];
}

void forget_inputs() { kept() = Kept{}; }

std::string size_name(IntSpan shape) {
  std::string text;
  for (const std::int64_t s : shape) {
    if (!text.empty()) text += 'x';
    const bool mega = s >= (1 << 20) && s % (1 << 20) == 0;
    text += mega ? std::to_string(s >> 20) + 'M' : std::to_string(s);
  }
  return text.empty() ? "scalar" : text;
}

}  // namespace tandem::perf
