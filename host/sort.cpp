// Sorts rows on the host: one long row by all threads, many rows a thread each. A row that is not
// dense in memory is made so, with its neighbours.
#include "host/sort_row.h"
#include "tandem/tensor.h"

namespace tandem::host {

namespace {

/// Whether so few of a row's elements are wanted, from its start, that it need not be sorted.
bool takes_few(const SortLaunch& l) {
  return l.pick == SortLaunch::Pick::Range && l.first == 0 && l.n > 64 && l.count < l.n / 8;
}
/// Whether one element of a row is wanted, somewhere within.
bool takes_one(const SortLaunch& l) { return l.count == 1 && l.n > 64 && !takes_few(l); }

/// Neighbouring rows that are gathered together: those of a cache line.
constexpr std::int64_t kMostGathered = std::int64_t(1) << 20;

struct Job {
  const SortLaunch& l;
  Order order;
  std::int64_t item;      // bytes of an element
  std::int64_t group;     // rows of a unit of work: neighbours along the last outer dimension
  std::int64_t per_line;  // units along that dimension
  std::int64_t units;
  int threads;        // of a row
  std::int64_t room;  // pairs that a thread's part of a row may keep, where few are wanted

  std::int64_t line() const { return l.rank > 0 ? l.shape[l.rank - 1] : 1; }
  bool dense(std::int64_t stride, std::int64_t size) const { return stride == size || l.n == 1; }
};

/// A thread's memory within one block, in bytes.
struct Layout {
  std::int64_t pairs[2] = {0, 0}, counts = 0, in = 0, values = 0, indices = 0, bytes = 0;

  std::int64_t take(std::int64_t size) {
    const std::int64_t at = bytes;
    bytes += (size + 63) / 64 * 64;
    return at;
  }
};

template <class U, class E>
Layout layout_of(const Job& j) {
  const SortLaunch& l = j.l;
  Layout m;
  const auto pair = static_cast<std::int64_t>(sizeof(E));
  const std::int64_t pairs = takes_few(l) ? j.room * j.threads : l.n;
  m.pairs[0] = m.take(pairs * pair);
  m.pairs[1] = takes_few(l) ? m.pairs[0] : m.take(pairs * pair);
  m.counts = m.take(static_cast<std::int64_t>(sizeof(RadixCounts)) * j.threads);
  if (!j.dense(l.in_stride, j.item)) m.in = m.take(j.group * l.n * j.item);
  if (l.values.data != nullptr) m.values = m.take(j.group * l.count * j.item);
  if (l.indices.data != nullptr) m.indices = m.take(j.group * l.count * 8);
  return m;
}

/// Byte offset of a unit's first row in an operand.
std::int64_t offset_of(const Job& j, std::int64_t unit, const std::int64_t* strides) {
  const SortLaunch& l = j.l;
  if (l.rank == 0) return 0;
  std::int64_t offset = unit % j.per_line * j.group * strides[l.rank - 1];
  std::int64_t rest = unit / j.per_line;
  for (int d = l.rank - 2; d >= 0; --d) {
    offset += rest % l.shape[d] * strides[d];
    rest /= l.shape[d];
  }
  return offset;
}

template <class U, class E>
void take_few(const Job& j, const U* x, const RowMemory<E>& memory, const RowOut<U>& out) {
  const SortLaunch& l = j.l;
  E* kept = memory.pairs[0];
  std::int64_t found[kMaxRadixThreads];
  const std::int64_t part = (l.n + j.threads - 1) / j.threads;
  parallel_for(j.threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      found[t] = take_first(x, std::min(t * part, l.n), std::min((t + 1) * part, l.n), j.order,
                            l.count, kept + t * j.room, j.room);
    }
  });
  std::int64_t all = found[0];
  for (int t = 1; t < j.threads; ++t) {
    std::copy_n(kept + t * j.room, found[t], kept + all);
    all += found[t];
  }
  if (j.threads > 1) std::sort(kept, kept + all);
  store_pairs(x, kept, 0, l.count, j.order, out);
}

template <class U, class E>
void one_row(const Job& j, const U* x, const RowMemory<E>& memory, const RowOut<U>& out) {
  const SortLaunch& l = j.l;
  if (l.count == 0) return;
  if (takes_few(l)) return take_few(j, x, memory, out);
  if (takes_one(l)) {
    const E e = select_one(x, l, j.order, j.threads, memory);
    return store_pairs(x, &e, 0, 1, j.order, out);
  }
  const E* sorted = sort_row(x, l.n, j.order, j.threads, memory);
  std::int64_t first = l.first;
  if (l.pick != SortLaunch::Pick::Range) {
    std::int64_t nans = 0;
    while (j.order.rule.inf != 0 && nans < l.n && sorted[l.n - 1 - nans].key() == j.order.nan()) {
      ++nans;
    }
    first = picked(l, nans);
  }
  parallel_for(l.count, j.threads > 1 ? kSortGrain : l.count,
               [&](std::int64_t begin, std::int64_t end) {
                 store_pairs(x, sorted + first, begin, end, j.order, out);
               });
}

/// Where a row of an output is written: in place where it is dense there, else in the thread's
/// memory.
template <class T>
T* place_of(const OperandDesc& o, std::int64_t offset, bool dense, char* memory, std::int64_t k,
            std::int64_t count) {
  if (o.data == nullptr) return nullptr;
  if (dense) return reinterpret_cast<T*>(static_cast<char*>(o.data) + offset);
  return reinterpret_cast<T*>(memory) + k * count;
}

template <class U, class E>
void one_unit(const Job& j, const Layout& layout, char* base, std::int64_t unit) {
  const SortLaunch& l = j.l;
  const LevelTable& moves = level();
  const int width = width_index(sizeof(U));
  const std::int64_t in_unit = unit % j.per_line * j.group;
  const std::int64_t rows = std::min(j.group, j.line() - in_unit);
  const auto stride = [&](const OperandDesc& o) {
    return l.rank > 0 && o.data != nullptr ? o.strides[l.rank - 1] : 0;
  };
  char* in = static_cast<char*>(l.in.data) + offset_of(j, unit, l.in.strides);
  const bool in_dense = j.dense(l.in_stride, j.item);
  if (!in_dense) {
    moves.gather[width](base + layout.in, in, rows, l.n, stride(l.in), l.in_stride);
  }
  const bool values_dense = j.dense(l.values_stride, j.item);
  const bool indices_dense = j.dense(l.indices_stride, 8);
  const RowMemory<E> memory{
      {reinterpret_cast<E*>(base + layout.pairs[0]), reinterpret_cast<E*>(base + layout.pairs[1])},
      reinterpret_cast<RadixCounts*>(base + layout.counts)};
  const std::int64_t values_at =
      l.values.data != nullptr ? offset_of(j, unit, l.values.strides) : 0;
  const std::int64_t indices_at =
      l.indices.data != nullptr ? offset_of(j, unit, l.indices.strides) : 0;
  for (std::int64_t k = 0; k < rows; ++k) {
    const auto* x = reinterpret_cast<const U*>(in_dense ? in + k * stride(l.in)
                                                        : base + layout.in + k * l.n * j.item);
    RowOut<U> out{};
    out.values = place_of<U>(l.values, values_at + k * stride(l.values), values_dense,
                             base + layout.values, k, l.count);
    out.indices = place_of<std::int64_t>(l.indices, indices_at + k * stride(l.indices),
                                         indices_dense, base + layout.indices, k, l.count);
    one_row<U, E>(j, x, memory, out);
  }
  if (l.values.data != nullptr && !values_dense) {
    moves.scatter[width](base + layout.values, static_cast<char*>(l.values.data) + values_at, rows,
                         l.count, stride(l.values), l.values_stride);
  }
  if (l.indices.data != nullptr && !indices_dense) {
    moves.scatter[width_index(8)](base + layout.indices,
                                  static_cast<char*>(l.indices.data) + indices_at, rows, l.count,
                                  stride(l.indices), l.indices_stride);
  }
}

/// How the work is shared: rows among threads, or the threads along each row.
Job plan(const SortLaunch& l) {
  const fn::KeyRule rule = key_rule_of(l.dtype);
  Job j{l, {rule, l.descending ? rule.mask : 0}, 0, 1, 0, 0, 1, 0};
  j.item = static_cast<std::int64_t>(element_size(l.dtype));
  const bool strided = !j.dense(l.in_stride, j.item) || !j.dense(l.values_stride, j.item);
  if (strided) {
    j.group =
        std::clamp<std::int64_t>(kMostGathered / std::max<std::int64_t>(l.n, 1), 1, 64 / j.item);
    j.group = std::min(j.group, j.line());
  }
  j.per_line = (j.line() + j.group - 1) / std::max<std::int64_t>(j.group, 1);
  j.units = l.rank == 0 ? 1 : l.rows / std::max<std::int64_t>(j.line(), 1) * j.per_line;
  const std::int64_t most = std::min(get_num_threads(), kMaxRadixThreads);
  if (j.units < most) {
    j.threads = static_cast<int>(std::clamp<std::int64_t>(l.n / kSortGrain, 1, most));
  }
  j.room = std::max<std::int64_t>(4 * l.count, 1024);
  return j;
}

template <class U, class E>
void run(const Job& j) {
  const Layout layout = layout_of<U, E>(j);
  const auto one = static_cast<std::size_t>(layout.bytes);
  if (j.threads > 1 || j.units == 1) {
    const Tensor memory = empty({layout.bytes}, {.dtype = DType::uint8});
    auto* base = static_cast<char*>(memory.data_ptr());
    for (std::int64_t u = 0; u < j.units; ++u) one_unit<U, E>(j, layout, base, u);
    return;
  }
  // Work per unit decides how many are worth a thread.
  const std::int64_t elements = j.group * j.l.n;
  const std::int64_t grain =
      std::max<std::int64_t>(kSortGrain / std::max<std::int64_t>(elements, 1), 1);
  const std::int64_t team =
      std::clamp<std::int64_t>(j.units / grain, 1, std::max(get_num_threads(), 1));
  const Tensor memory = empty({static_cast<std::int64_t>(one) * team}, {.dtype = DType::uint8});
  auto* base = static_cast<char*>(memory.data_ptr());
  const std::int64_t part = (j.units + team - 1) / team;
  parallel_for(team, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      for (std::int64_t u = t * part; u < std::min((t + 1) * part, j.units); ++u) {
        one_unit<U, E>(j, layout, base + t * layout.bytes, u);
      }
    }
  });
}

}  // namespace

void launch_sort(const void* desc, const void*) {
  const auto& l = *static_cast<const SortLaunch*>(desc);
  if (l.rows == 0 || l.count == 0) return;
  const Job j = plan(l);
  by_width(l.dtype, [&]<class U>() {
    if constexpr (sizeof(U) < 8) {
      if (l.n >> 32 == 0) return run<U, Packed>(j);
    }
    run<U, Wide>(j);
  });
}

}  // namespace tandem::host
