// The bytes of tensors, and whether two share any.
#include "runtime/tensor/region.h"

#include <algorithm>

namespace tandem::detail {

namespace {

using Dim = Region::Dim;

/// The bytes from the first to the last of a run of runs, less one.
std::uint64_t reach(std::span<const Dim> dims) {
  std::uint64_t sum = 0;
  for (const Dim& d : dims) sum += (d.count - 1) * d.step;
  return sum;
}

/// Walks down both at once: where their ranges meet, the one of wider steps is taken apart, and of
/// its parts only those in the other's range are looked at.
bool meet(std::uint64_t a, std::span<const Dim> da, std::uint64_t b, std::span<const Dim> db,
          int& steps) {
  const std::uint64_t a_last = a + reach(da);
  const std::uint64_t b_last = b + reach(db);
  if (a_last < b || b_last < a) return false;
  if ((da.size() == 1 && db.size() == 1) || a == b || --steps < 0) return true;
  if (da.size() == 1 || (db.size() > 1 && db[0].step > da[0].step))
    return meet(b, db, a, da, steps);
  const std::span<const Dim> rest = da.subspan(1);
  const std::uint64_t length = reach(rest);
  const std::uint64_t step = da[0].step;
  // Part i is [a + i * step, a + i * step + length].
  const std::uint64_t from = b > a + length ? (b - a - length + step - 1) / step : 0;
  const std::uint64_t to = std::min(da[0].count - 1, (b_last - a) / step);
  for (std::uint64_t i = from; i <= to; ++i) {
    if (meet(a + i * step, rest, b, db, steps)) return true;
  }
  return false;
}

}  // namespace

Region region_of(const TensorBody& t) {
  Region r;
  r.first = reinterpret_cast<std::uintptr_t>(t.storage->data);
  r.last = r.first - 1;
  if (t.numel == 0 || t.storage->data == nullptr) return r;
  const auto size = static_cast<std::int64_t>(element_size(t.dtype));
  r.first += static_cast<std::uint64_t>(t.offset * size);
  SmallVector<Dim, 6> all;
  for (std::size_t d = 0; d < t.shape.size(); ++d) {
    const std::int64_t step = t.strides[d] * size;
    if (step == 0 || t.shape[d] == 1) continue;
    if (step < 0) r.first -= static_cast<std::uint64_t>((t.shape[d] - 1) * -step);
    all.push_back({static_cast<std::uint64_t>(step < 0 ? -step : step),
                   static_cast<std::uint64_t>(t.shape[d])});
  }
  std::sort(all.begin(), all.end(), [](const Dim& a, const Dim& b) { return a.step > b.step; });
  all.push_back({1, static_cast<std::uint64_t>(size)});
  for (const Dim& d : all) {
    if (!r.dims.empty() && r.dims.back().step == d.step * d.count) {
      r.dims.back() = {d.step, d.count * r.dims.back().count};
    } else {
      r.dims.push_back(d);
    }
  }
  r.last = r.first + reach(std::span(r.dims.data(), r.dims.size()));
  return r;
}

Region region_of(const void* data, std::size_t bytes) {
  Region r;
  r.first = reinterpret_cast<std::uintptr_t>(data);
  r.last = r.first + bytes - 1;
  r.dims.push_back({1, bytes});
  return r;
}

bool share_bytes(const Region& a, const Region& b) {
  if (a.empty() || b.empty()) return false;
  int steps = 1'000'000;
  return meet(a.first, std::span(a.dims.data(), a.dims.size()), b.first,
              std::span(b.dims.data(), b.dims.size()), steps);
}

bool covers(const Region& a, const Region& b) {
  if (a.first > b.first || a.last < b.last) return false;
  return a.dense() || (a.first == b.first && std::ranges::equal(a.dims, b.dims));
}

}  // namespace tandem::detail
