// Merging and sorting a reduction's dimensions; dense runs of strided inputs.
#include "host/reduce_plan.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "host/registry.h"

namespace tandem::host {

namespace {

std::int64_t magnitude(std::int64_t x) { return x < 0 ? -x : x; }

/// Where a dimension sorts: by the first input's stride, by the second's where that is constant.
std::int64_t sort_key(const ReducePlan& p, int d) {
  for (int k = 0; k < p.n_in; ++k) {
    if (p.in_outer[k][d] != 0) return magnitude(p.in_outer[k][d]);
  }
  return std::numeric_limits<std::int64_t>::max();
}

void swap_outer(ReducePlan& p, int a, int b) {
  std::swap(p.outer_size[a], p.outer_size[b]);
  for (int k = 0; k < p.n_in; ++k) std::swap(p.in_outer[k][a], p.in_outer[k][b]);
  for (int k = 0; k < p.n_out; ++k) std::swap(p.out_outer[k][a], p.out_outer[k][b]);
}

void sort_outer(ReducePlan& p) {
  for (int i = 1; i < p.outer; ++i) {
    for (int j = i; j > 0 && sort_key(p, j - 1) < sort_key(p, j); --j) swap_outer(p, j - 1, j);
  }
}

bool outer_merges(const ReducePlan& p, int a, int b) {
  const std::int64_t size = p.outer_size[b];
  for (int k = 0; k < p.n_in; ++k) {
    if (p.in_outer[k][a] != p.in_outer[k][b] * size) return false;
  }
  for (int k = 0; k < p.n_out; ++k) {
    if (p.out_outer[k][a] != p.out_outer[k][b] * size) return false;
  }
  return true;
}

void copy_outer(ReducePlan& p, int to, int from) {
  for (int k = 0; k < p.n_in; ++k) p.in_outer[k][to] = p.in_outer[k][from];
  for (int k = 0; k < p.n_out; ++k) p.out_outer[k][to] = p.out_outer[k][from];
}

void merge_outer(ReducePlan& p) {
  int last = 0;
  for (int d = 1; d < p.outer; ++d) {
    if (outer_merges(p, last, d)) {
      p.outer_size[last] *= p.outer_size[d];
    } else {
      ++last;
      p.outer_size[last] = p.outer_size[d];
    }
    copy_outer(p, last, d);
  }
  if (p.outer > 0) p.outer = last + 1;
}

void add_reduced(ReducePlan& p, std::int64_t size, const std::int64_t* strides) {
  if (size == 1) return;
  const int last = p.reduced - 1;
  bool merges = last >= 0;
  for (int k = 0; merges && k < p.n_in; ++k) {
    merges = p.in_reduced[k][last] == strides[k] * size;
  }
  const int to = merges ? last : p.reduced++;
  p.reduced_size[to] = merges ? p.reduced_size[to] * size : size;
  for (int k = 0; k < p.n_in; ++k) p.in_reduced[k][to] = strides[k];
}

}  // namespace

ReducePlan plan_of(const ReduceLaunch& l) {
  ReducePlan p;
  p.numel = l.numel;
  p.n = l.n;
  p.n_in = l.n_in;
  p.n_out = l.n_out;
  for (int d = 0; d < l.rank_outer; ++d) {
    if (l.shape[d] == 1) continue;
    p.outer_size[p.outer] = l.shape[d];
    for (int k = 0; k < l.n_in; ++k) {
      p.in_outer[k][p.outer] = l.operands[l.n_out + k].strides[d];
    }
    for (int k = 0; k < l.n_out; ++k) p.out_outer[k][p.outer] = l.operands[k].strides[d];
    ++p.outer;
  }
  sort_outer(p);
  merge_outer(p);
  for (int d = l.rank_outer; d < l.rank_outer + l.rank_reduced; ++d) {
    std::int64_t strides[kMaxInputs];
    for (int k = 0; k < l.n_in; ++k) strides[k] = l.operands[l.n_out + k].strides[d];
    add_reduced(p, l.shape[d], strides);
  }
  return p;
}

ReducePlan plan_of(const RowLaunch& l) {
  ReducePlan p;
  p.numel = l.numel;
  p.n = l.n;
  p.n_in = p.n_out = 1;
  for (int d = 0; d < l.rank; ++d) {
    if (l.shape[d] == 1) continue;
    p.outer_size[p.outer] = l.shape[d];
    p.in_outer[0][p.outer] = l.in.strides[d];
    p.out_outer[0][p.outer] = l.out.strides[d];
    ++p.outer;
  }
  sort_outer(p);
  merge_outer(p);
  add_reduced(p, l.n, &l.in_stride);
  return p;
}

std::int64_t ReducePlan::rest_offset(const std::int64_t* strides, std::int64_t i) const {
  std::int64_t offset = 0;
  for (int d = outer - 2; d >= 0; --d) {
    offset += i % outer_size[d] * strides[d];
    i /= outer_size[d];
  }
  return offset;
}

std::int64_t ReducePlan::reduced_offset(int input, std::int64_t i) const {
  if (reduced == 0) return 0;
  std::int64_t offset = 0;
  for (int d = reduced - 1; d > 0; --d) {
    offset += i % reduced_size[d] * in_reduced[input][d];
    i /= reduced_size[d];
  }
  return offset + i * in_reduced[input][0];
}

bool ReducePlan::is_constant_along_reduced(int input) const {
  return std::all_of(in_reduced[input], in_reduced[input] + reduced,
                     [](std::int64_t s) { return s == 0; });
}

const void* reduced_run(const ReducePlan& p, int input, const Source& source, const char* base,
                        std::int64_t start, std::int64_t count, void* buffer) {
  const char* at = base + p.reduced_offset(input, start);
  const std::int64_t stride = p.run_stride(input);
  if (p.reduced <= 1) return source.run(at, stride, count, buffer);
  const std::int64_t length = p.reduced_size[p.reduced - 1];
  std::int64_t in_run = start % length;
  if (in_run + count <= length) return source.run(at, stride, count, buffer);
  auto* to = static_cast<char*>(buffer);
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t part = std::min(length - in_run, count - done);
    source.convert(to + done * source.size, source.size, at, stride, part);
    done += part;
    in_run = 0;
    at = base + p.reduced_offset(input, start + done);
  }
  return buffer;
}

Scratch& scratch() {
  static thread_local const std::unique_ptr<Scratch> mine(new Scratch);
  return *mine;
}

Buffer make_buffer(std::int64_t bytes) {
  const auto rounded = (static_cast<std::size_t>(bytes) + 63) / 64 * 64 + 64;
  auto* p = static_cast<char*>(std::aligned_alloc(64, rounded));
  if (p == nullptr) throw std::bad_alloc();
  return Buffer(p);
}

std::int64_t grain_of(std::int64_t items, std::int64_t elements) {
  constexpr std::int64_t kElements = 16384;
  const std::int64_t each = std::max<std::int64_t>(elements / std::max<std::int64_t>(items, 1), 1);
  return std::max<std::int64_t>(kElements / each, 1);
}

void Convert::operator()(void* dst, std::int64_t dst_stride, const void* src,
                         std::int64_t src_stride, std::int64_t count) const {
  const LevelTable& loops = level();
  const std::size_t from_size = element_size(from), to_size = element_size(to);
  const bool dense_in = src_stride == static_cast<std::int64_t>(from_size);
  const bool dense_out = dst_stride == static_cast<std::int64_t>(to_size);
  Scratch& s = scratch();
  char* x = const_cast<char*>(static_cast<const char*>(src));  // the moves read it only
  if (!dense_in) {
    char* gathered = from == to && dense_out ? static_cast<char*>(dst) : s.convert[0];
    loops.gather[width_index(from_size)](gathered, x, 1, count, 0, src_stride);
    x = gathered;
  }
  if (from != to) {
    char* cast = dense_out ? static_cast<char*>(dst) : s.convert[1];
    loops.cast[static_cast<int>(to)][static_cast<int>(from)](cast, x, count);
    x = cast;
  }
  if (!dense_out) {
    loops.scatter[width_index(to_size)](x, static_cast<char*>(dst), 1, count, 0, dst_stride);
  } else if (x != dst) {
    std::memcpy(dst, x, static_cast<std::size_t>(count) * to_size);
  }
}

Source source_of(const OperandDesc& d, DType seen) {
  return {static_cast<const char*>(d.data),
          {d.dtype, seen},
          static_cast<std::int64_t>(element_size(seen)),
          d.dtype != seen};
}

}  // namespace tandem::host
