// What an index selects of a dataset.
#include <algorithm>
#include <optional>

#include "runtime/io/hdf5_child.h"

namespace tandem::io::h5 {
namespace {

using Size = unsigned long long;

void add_slice(Part& p, const Slice& s, std::int64_t n) {
  const bool back = s.step < 0;
  const std::int64_t low = back ? -1 : 0, high = back ? n - 1 : n;
  const auto bound = [&](std::optional<std::int64_t> v, std::int64_t otherwise) {
    if (!v) return otherwise;
    return std::clamp(*v < 0 ? *v + n : *v, low, high);
  };
  // A step beyond the length selects one element at most; -INT64_MIN would not exist.
  const std::int64_t step = std::min(back ? -std::max(s.step, -n - 1) : s.step, n + 1);
  const std::int64_t start = bound(s.start, back ? high : low);
  const std::int64_t stop = bound(s.stop, back ? low : high);
  const std::int64_t span = back ? start - stop : stop - start;
  const std::int64_t count = span <= 0 ? 0 : (span - 1) / step + 1;
  const std::int64_t first = back ? start - (count - 1) * step : start;
  p.start.push_back(static_cast<Size>(count == 0 ? 0 : first));
  p.step.push_back(static_cast<Size>(step));
  p.count.push_back(count);
  p.view.emplace_back(back ? Slice{{}, {}, -1} : Slice{});
}

/// Dimensions that a mask or an array of indices takes.
std::size_t taken_by(const Tensor& t) {
  const bool mask = t.dtype() == DType::bool_ || t.dtype() == DType::uint8;
  return mask ? static_cast<std::size_t>(t.dim()) : 1;
}

std::size_t dimensions_of(const std::vector<Index>& index) {
  std::size_t n = 0;
  for (const Index& i : index) {
    if (i.kind() == Index::Kind::Int || i.kind() == Index::Kind::Slice) ++n;
    if (i.kind() == Index::Kind::Tensor) n += taken_by(i.tensor());
  }
  return n;
}

}  // namespace

bool index_fits(const std::vector<Index>& index, const Dims& shape) {
  const std::size_t used = dimensions_of(index);
  if (used > shape.size()) return false;
  std::size_t d = 0;
  for (const Index& i : index) {
    switch (i.kind()) {
      case Index::Kind::Int:
        if (d >= shape.size()) return false;
        if (i.integer() < -shape[d] || i.integer() >= shape[d]) return false;
        ++d;
        break;
      case Index::Kind::Slice:
        if (d >= shape.size() || i.slice().step == 0) return false;
        ++d;
        break;
      case Index::Kind::Ellipsis:
        d = std::min(d + shape.size() - used, shape.size());
        break;
      case Index::Kind::Tensor:
        d += taken_by(i.tensor());
        if (d > shape.size()) return false;
        break;
      case Index::Kind::None:
      case Index::Kind::Bool:
        break;
    }
  }
  return true;
}

Part part_of(const std::vector<Index>& index, const Dims& shape) {
  Part p;
  const std::size_t used = dimensions_of(index);
  const auto whole = [&](std::size_t dims) {
    for (std::size_t k = 0; k < dims; ++k) add_slice(p, Slice{}, shape[p.count.size()]);
  };
  for (const Index& i : index) {
    switch (i.kind()) {
      case Index::Kind::Int: {
        const std::int64_t n = shape[p.count.size()];
        p.start.push_back(static_cast<Size>(i.integer() < 0 ? i.integer() + n : i.integer()));
        p.step.push_back(1);
        p.count.push_back(1);
        p.view.emplace_back(0);
        break;
      }
      case Index::Kind::Slice:
        add_slice(p, i.slice(), shape[p.count.size()]);
        break;
      case Index::Kind::Ellipsis:
        whole(std::min(shape.size() - used, shape.size() - p.count.size()));
        break;
      case Index::Kind::Tensor:  // of what is read: its dimensions are read whole
        for (std::size_t k = 0; k < taken_by(i.tensor()); ++k) {
          p.start.push_back(0);
          p.step.push_back(1);
          p.count.push_back(static_cast<Size>(shape[p.count.size()]));
        }
        p.view.push_back(i);
        break;
      case Index::Kind::None:
      case Index::Kind::Bool:
        p.view.push_back(i);
        break;
    }
  }
  whole(shape.size() - p.count.size());
  return p;
}

}  // namespace tandem::io::h5
