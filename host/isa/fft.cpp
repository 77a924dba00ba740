// Passes of the built-in Fourier transform at one SIMD level. Note [Lanes are transforms]
//
// The elements of a block of transforms are kept as planes of real and imaginary parts, [element]
// [lane], so that every stage is a loop over neighbouring numbers, whatever its radix and stride.
// The elements are turned on their way in and out, where rows are not neighbours.
#include "host/fft.h"
#include "host/isa/fft_rows.h"
#include "host/isa/fft_stages.h"
#include "host/registry.h"
#include "kernels/functors/fft.h"

namespace tandem::host::TANDEM_ISA {

namespace {

// ---- stages

/// The same of any block.
template <int R, bool Turned, class T>
void butterflies(const Planes<T>& to, const Planes<T>& from, std::int64_t p, std::int64_t n,
                 const Complex<T>* factors) {
  for (std::int64_t q = 0; q < p; ++q) {
    const T* __restrict in_re = from.re + q * n;
    const T* __restrict in_im = from.im + q * n;
    T* __restrict out_re = to.re + q * R * n;
    T* __restrict out_im = to.im + q * R * n;
    Complex<T> w[R];
    for (int k = 0; Turned && k < R; ++k) w[k] = factors[q * R + k];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) {
      Complex<T> x[R];
      for (int j = 0; j < R; ++j) x[j] = {in_re[j * p * n + i], in_im[j * p * n + i]};
      fn::Butterfly<R>::run(x);
      for (int k = 0; k < R; ++k) {
        const Complex<T> y = Turned && k > 0 ? fn::fft_mul(x[k], w[k]) : x[k];
        out_re[k * n + i] = y.re;
        out_im[k * n + i] = y.im;
      }
    }
  }
}

/// A radix without a butterfly: each output is a sum over the inputs, in their order.
template <class T>
void plain_stage(const Planes<T>& to, const Planes<T>& from, int r, std::int64_t p, std::int64_t n,
                 const Complex<T>* roots) {
  const Complex<T>* const factors = roots + r;
  for (std::int64_t q = 0; q < p; ++q) {
    for (int k = 0; k < r; ++k) {
      const std::int64_t at = (q * r + k) * n;
      for (std::int64_t i = 0; i < n; ++i) to.put(at + i, from.at(q * n + i));
      for (int j = 1; j < r; ++j) {
        const Complex<T> w = roots[j * k % r];
        const Planes<T> x{from.re + (j * p + q) * n, from.im + (j * p + q) * n};
        T* __restrict re = to.re + at;
        T* __restrict im = to.im + at;
        for (std::int64_t i = 0; i < n; ++i) {
          const Complex<T> sum = fn::fft_add_mul(Complex<T>{re[i], im[i]}, x.at(i), w);
          re[i] = sum.re;
          im[i] = sum.im;
        }
      }
      if (p == 1 || k == 0) continue;
      const Complex<T> w = factors[q * r + k];
      for (std::int64_t i = 0; i < n; ++i) to.put(at + i, fn::fft_mul(to.at(at + i), w));
    }
  }
}

/// One stage of any block.
struct AnyStage {
  template <int R, class T>
  static void butterfly(const Planes<T>& to, const Planes<T>& from, std::int64_t p, std::int64_t n,
                        const Complex<T>* factors) {
    if (p > 1) {
      butterflies<R, true>(to, from, p, n, factors);
    } else {
      butterflies<R, false>(to, from, p, n, factors);
    }
  }
  template <class T>
  static void plain(const Planes<T>& to, const Planes<T>& from, int r, std::int64_t p,
                    std::int64_t n, const Complex<T>* roots) {
    plain_stage(to, from, r, p, n, roots);
  }
};

/// All stages of a pass of a block of w lanes; which planes hold the result.
template <class T>
int stages(const FftPassLaunch& l, const Planes<T> (&planes)[2], int now, std::int64_t w) {
  return w == kLanes<T> ? all_stages(l, planes, now, kLanes<T>, WholeStage())
                        : all_stages(l, planes, now, w, AnyStage());
}

// ---- the way in and out

/// Where the lanes of a block are at one end: element j of a lane is `step` bytes after element
/// j - 1 and is element first + j * apart of its row.
struct Lanes {
  char* at[kMostLanes];
  std::int64_t first[kMostLanes];
  std::int64_t count, step, apart, across;  // across: bytes from lane to lane, 0 where they differ
  bool side_by_side;                        // first[] goes up by ones
};

void finish(Lanes& lanes) {
  lanes.across = lanes.count > 1 ? lanes.at[1] - lanes.at[0] : 0;
  lanes.side_by_side = true;
  for (std::int64_t i = 1; i < lanes.count; ++i) {
    if (lanes.at[i] - lanes.at[i - 1] != lanes.across) lanes.across = 0;
    if (lanes.first[i] != lanes.first[i - 1] + 1) lanes.side_by_side = false;
  }
}

/// The lanes' addresses: where their rows begin, or element `first` of one row.
void place(Lanes& lanes, const FftPassLaunch& l, const FftSide& side, const FftBlock& b) {
  const bool rows = fft_of_row(l) == 1;
  char* at = static_cast<char*>(side.data) + fft_row_offset(l.shape, side.strides, l.rank, b.row);
  std::int64_t left = 1;  // rows up to the next carry
  if (rows && b.count > 1) {
    left = l.rank > 1 ? l.shape[l.rank - 1] - b.row % l.shape[l.rank - 1] : l.rows - b.row;
  }
  std::int64_t column = l.columns > 1 ? b.u % l.columns : 0;
  for (std::int64_t i = 0; i < lanes.count; ++i) {
    if (rows && i > 0) {
      if (--left > 0) {
        at += side.strides[l.rank - 1];
      } else {
        at = static_cast<char*>(side.data) +
             fft_row_offset(l.shape, side.strides, l.rank, b.row + i);
        left = l.shape[l.rank - 1];
      }
    }
    lanes.at[i] = at + lanes.first[i] * side.stride;
    if (l.columns > 1) {
      lanes.at[i] += column * side.column;
      if (++column == l.columns) column = 0;
    }
  }
  finish(lanes);
}

/// f(i, u): which transform of a column lane i is.
template <class F>
void each_lane(const FftPassLaunch& l, const FftBlock& b, F&& f) {
  if (l.columns == 1) {
    for (std::int64_t i = 0; i < b.count; ++i) f(i, b.u + i);
    return;
  }
  std::int64_t u = b.u / l.columns;
  std::int64_t left = (u + 1) * l.columns - b.u;
  for (std::int64_t i = 0; i < b.count; ++i) {
    f(i, u);
    if (--left == 0) {
      ++u;
      left = l.columns;
    }
  }
}

Lanes input_lanes(const FftPassLaunch& l, const FftBlock& b) {
  Lanes lanes;
  lanes.count = b.count;
  lanes.apart = l.p * l.s;
  lanes.step = lanes.apart * l.in.stride;
  each_lane(l, b,
            [&](std::int64_t i, std::int64_t u) { lanes.first[i] = lanes.apart == 1 ? 0 : u; });
  place(lanes, l, l.in, b);
  return lanes;
}

Lanes output_lanes(const FftPassLaunch& l, const FftBlock& b) {
  Lanes lanes;
  lanes.count = b.count;
  lanes.apart = l.s;
  lanes.step = l.s * l.out.stride;
  each_lane(l, b, [&](std::int64_t i, std::int64_t u) {
    const std::int64_t q = l.p == 1 ? 0 : l.s == 1 ? u : u / l.s;
    lanes.first[i] = l.p * l.s == 1 ? 0 : q * (l.m - 1) * l.s + u;
  });
  place(lanes, l, l.out, b);
  return lanes;
}

/// How many of the m elements of each lane exist; the least of them.
std::int64_t existing(const Lanes& lanes, std::int64_t n, std::int64_t m, std::int64_t* exists) {
  std::int64_t least = m;
  for (std::int64_t i = 0; i < lanes.count; ++i) {
    const std::int64_t left = n - lanes.first[i];
    std::int64_t count = 0;
    if (left > (m - 1) * lanes.apart) {
      count = m;
    } else if (left > 0) {
      count = (left + lanes.apart - 1) / lanes.apart;
    }
    exists[i] = count;
    if (count < least) least = count;
  }
  return least;
}

constexpr std::int64_t kTurned = 64;  // elements of each lane that are turned at a time

template <class T>
DenseRows dense_rows(const FftPassLaunch& l, const FftSide& side, const FftBlock& b,
                     std::int64_t m) {
  DenseRows rows{nullptr, 0, side.n < m ? side.n : m};
  const bool whole = b.count == kLanes<T> && fft_of_row(l) == 1 && l.rank > 0;
  if (!whole || side.stride != sizeof(Complex<T>) || rows.count < NarrowTile<T>::kSide / 2) {
    return rows;
  }
  if (l.rank > 1) {
    const std::int64_t inner = l.shape[l.rank - 1];
    if (inner < b.count || inner - b.row % inner < b.count) return rows;
  }
  rows.across = side.strides[l.rank - 1];
  rows.at = static_cast<char*>(side.data) + fft_row_offset(l.shape, side.strides, l.rank, b.row);
  return rows;
}

/// f(j, i, address) for the elements that exist, in an order that goes along memory; g(j, i) for
/// the others; columns(j, address) for all lanes at once where they are dense, tile(j, address,
/// tile) for some elements of all lanes where those of a lane are.
template <class T, class Element, class Missing, class Columns, class Turned>
void walk(const Lanes& lanes, std::int64_t m, std::int64_t n, std::int64_t dense, bool turns,
          Element&& f, Missing&& g, Columns&& columns, Turned&& tile) {
  std::int64_t exists[kMostLanes];
  const std::int64_t least = existing(lanes, n, m, exists);
  std::int64_t begin = 0;
  if (lanes.across == dense && lanes.count > 1) {
    for (; begin < least; ++begin) columns(begin, lanes.at[0] + begin * lanes.step);
  } else if (lanes.across != 0 && lanes.step == dense && turns) {
    const auto tiles = [&]<class Tile>(Tile t) {
      constexpr std::int64_t kElements = Tile::kSide / 2;
      if (lanes.count % Tile::kSide != 0) return;
      for (; begin + kElements <= least; begin += kElements) {
        tile(begin, lanes.at[0] + begin * dense, t);
      }
    };
    tiles(WideTile<T>{});
    tiles(NarrowTile<T>{});
  }
  for (std::int64_t from = begin; from < m; from += kTurned) {
    const std::int64_t to = from + kTurned < m ? from + kTurned : m;
    for (std::int64_t i = 0; i < lanes.count; ++i) {
      const std::int64_t end = exists[i] < to ? exists[i] : to;
      std::int64_t j = from;
      for (; j < end; ++j) f(j, i, lanes.at[i] + j * lanes.step);
      for (; j < to; ++j) g(j, i);
    }
  }
}

/// The elements times their factors: planes [m][w].
template <class T>
void multiply(const Planes<T>& x, const Lanes& lanes, std::int64_t m, std::int64_t n,
              const void* table) {
  const std::int64_t w = lanes.count;
  for (std::int64_t j = 0; j < m; ++j) {
    const auto* factors = static_cast<const Complex<T>*>(table) + j * lanes.apart;
    T* __restrict re = x.re + j * w;
    T* __restrict im = x.im + j * w;
    const auto turn = [&](std::int64_t i, Complex<T> factor) {
      const Complex<T> y = fn::fft_mul(Complex<T>{re[i], im[i]}, factor);
      re[i] = y.re;
      im[i] = y.im;
    };
    if (lanes.side_by_side && lanes.first[w - 1] + j * lanes.apart < n) {
      if (w == kLanes<T>) {
        times_neighbours(x, j, factors + lanes.first[0]);
        continue;
      }
      for (std::int64_t i = 0; i < w; ++i) turn(i, factors[lanes.first[0] + i]);
      continue;
    }
    if (w == kLanes<T> && lanes.first[0] == lanes.first[w - 1]) {
      if (lanes.first[0] + j * lanes.apart < n) times_one(x, j, factors[lanes.first[0]]);
      continue;
    }
    for (std::int64_t i = 0; i < w; ++i) {
      if (lanes.first[i] + j * lanes.apart < n) turn(i, factors[lanes.first[i]]);
    }
  }
}

/// Apart: parts of an element are real numbers of two places.
template <class T, class Stored, bool Apart>
void load(const FftPassLaunch& l, const FftBlock& b, std::int64_t m, const Planes<T>& x) {
  if constexpr (fn::is_complex_v<Stored>) {
    const DenseRows rows = dense_rows<T>(l, l.in, b, m);
    if (rows.at != nullptr) return load_rows(l, rows, m, x);
  }
  const Lanes lanes = input_lanes(l, b);
  const std::int64_t w = lanes.count;
  const T sign = l.in.conjugate ? T(-1) : T(1);
  [[maybe_unused]] const std::int64_t apart = l.imaginary / static_cast<std::int64_t>(sizeof(T));
  const auto put = [&](std::int64_t at, const Stored* z) {
    if constexpr (fn::is_complex_v<Stored>) {
      x.put(at, {z->re, sign * z->im});
    } else if constexpr (Apart) {
      x.put(at, {*z, sign * z[apart]});
    } else {
      x.put(at, {*z, sign * T(0)});
    }
  };
  walk<T>(
      lanes, m, l.in.n, sizeof(Stored), fn::is_complex_v<Stored>,
      [&](std::int64_t j, std::int64_t i, const char* at) {
        put(j * w + i, reinterpret_cast<const Stored*>(at));
      },
      [&](std::int64_t j, std::int64_t i) {
        x.put(j * w + i, {T(0), T(0)});
      },
      [&](std::int64_t j, const char* at) {
        if constexpr (fn::is_complex_v<Stored>) {
          if (w == kLanes<T>) {
            return gather_neighbours(x, j, reinterpret_cast<const Stored*>(at), sign);
          }
        }
        for (std::int64_t i = 0; i < w; ++i) {
          put(j * w + i, reinterpret_cast<const Stored*>(at) + i);
        }
      },
      [&]<class Tile>(std::int64_t j, const char* at, Tile) {
        if constexpr (fn::is_complex_v<Stored>) gather<Tile>(x, j, w, at, lanes.across, sign);
      });
  if (l.in.table != nullptr) multiply(x, lanes, m, l.in.n, l.in.table);
}

template <class T>
void store(const FftPassLaunch& l, const FftBlock& b, std::int64_t m, const Planes<T>& x) {
  const DenseRows rows = dense_rows<T>(l, l.out, b, m);
  if (rows.at != nullptr) return store_rows(l, rows, x);
  const Lanes lanes = output_lanes(l, b);
  const std::int64_t w = lanes.count;
  if (l.out.table != nullptr) multiply(x, lanes, m, l.out.n, l.out.table);
  const T scale = static_cast<T>(l.scale);
  const T sign = l.out.conjugate ? -scale : scale;
  using Out = Complex<T>;
  walk<T>(
      lanes, m, l.out.n, sizeof(Out), true,
      [&](std::int64_t k, std::int64_t i, char* at) {
        const Out z = x.at(k * w + i);
        *reinterpret_cast<Out*>(at) = {z.re * scale, z.im * sign};
      },
      [](std::int64_t, std::int64_t) {},
      [&](std::int64_t k, char* at) {
        if (w == kLanes<T>) {
          return scatter_neighbours(x, k, reinterpret_cast<Out*>(at), scale, sign);
        }
        for (std::int64_t i = 0; i < w; ++i) {
          const Out z = x.at(k * w + i);
          reinterpret_cast<Out*>(at)[i] = {z.re * scale, z.im * sign};
        }
      },
      [&]<class Tile>(std::int64_t k, char* at, Tile) {
        scatter<Tile>(x, k, w, at, lanes.across, scale, sign);
      });
}

// ---- bins of real rows, in the planes

/// The m + 1 bins of real rows from those of their pairs.
template <class T>
void unpack(const FftPassLaunch& l, const Planes<T>& to, const Planes<T>& from, std::int64_t w) {
  const std::int64_t m = l.m;
  const auto* factors = static_cast<const Complex<T>*>(l.half);
  if (w == kLanes<T>) return whole_unpack(m, to, from, factors);
  for (std::int64_t i = 0; i < w; ++i) {
    to.put(i, fn::fft_unpack(from.at(i), from.at(i), factors[0]));
    to.put(m * w + i, fn::fft_unpack(from.at(i), from.at(i), factors[m]));
  }
  for (std::int64_t i = 0; i < w; ++i) {
#pragma GCC ivdep
    for (std::int64_t k = 1; k < m; ++k) {
      to.put(k * w + i, fn::fft_unpack(from.at(k * w + i), from.at((m - k) * w + i), factors[k]));
    }
  }
}

/// Twice the conjugate of the transform of pairs from m + 1 bins of real rows.
template <class T>
void pack(const FftPassLaunch& l, const Planes<T>& to, const Planes<T>& from, std::int64_t w) {
  const std::int64_t m = l.m;
  const T sign = l.out.conjugate ? T(-1) : T(1);
  const auto* factors = static_cast<const Complex<T>*>(l.half);
  if (w == kLanes<T>) return whole_pack(m, to, from, factors, sign);
  for (std::int64_t i = 0; i < w; ++i) from.im[i] = from.im[m * w + i] = T(0);
  for (std::int64_t i = 0; i < w; ++i) {
#pragma GCC ivdep
    for (std::int64_t k = 0; k < m; ++k) {
      const Complex<T> z = fn::fft_pack(from.at(k * w + i), from.at((m - k) * w + i), factors[k]);
      to.put(k * w + i, {z.re, sign * z.im});
    }
  }
}

/// The factors between passes.
template <class T>
void turn(const FftPassLaunch& l, const FftBlock& b, const Planes<T>& x) {
  const auto* factors = static_cast<const Complex<T>*>(l.twiddles);
  const std::int64_t w = b.count;
  const std::int64_t s = l.s * l.columns;
  std::int64_t group[kMostLanes];
  for (std::int64_t i = 0; i < w; ++i) group[i] = s == 1 ? b.u + i : (b.u + i) / s;
  if (w == kLanes<T> && (s == 1 || group[0] == group[w - 1])) {
    for (std::int64_t k = 0; k < l.m; ++k) {
      const Complex<T>* const line = factors + k * l.p + group[0];
      s == 1 ? times_neighbours(x, k, line) : times_one(x, k, *line);
    }
    return;
  }
  for (std::int64_t k = 0; k < l.m; ++k) {
    T* __restrict re = x.re + k * w;
    T* __restrict im = x.im + k * w;
    const auto times = [&](std::int64_t i, Complex<T> factor) {
      const Complex<T> y = fn::fft_mul(Complex<T>{re[i], im[i]}, factor);
      re[i] = y.re;
      im[i] = y.im;
    };
    const Complex<T>* const line = factors + k * l.p;
    if (s == 1) {
      for (std::int64_t i = 0; i < w; ++i) times(i, line[b.u + i]);
    } else {
      for (std::int64_t i = 0; i < w; ++i) times(i, line[group[i]]);
    }
  }
}

template <class T>
void run_pass(const FftPassLaunch& l, const FftBlock& b, void* scratch) {
  T* memory = static_cast<T*>(scratch);
  const std::int64_t w = b.count;
  const bool packs = l.half != nullptr && l.pack;
  const bool unpacks = l.half != nullptr && !l.pack;
  const std::int64_t size = fft_plane_size(l, w, sizeof(T));
  const Planes<T> planes[2] = {{memory, memory + size}, {memory + 2 * size, memory + 3 * size}};
  if (l.real_in) {
    l.imaginary != 0 ? load<T, T, true>(l, b, l.m, planes[0])
                     : load<T, T, false>(l, b, l.m, planes[0]);
  } else {
    load<T, Complex<T>, false>(l, b, packs ? l.m + 1 : l.m, planes[0]);
  }
  if (packs) pack(l, planes[1], planes[0], w);
  int now = stages(l, planes, packs ? 1 : 0, w);
  if (l.twiddles != nullptr) turn(l, b, planes[now]);
  if (unpacks) {
    unpack(l, planes[1 - now], planes[now], w);
    now = 1 - now;
  }
  store(l, b, unpacks ? l.m + 1 : l.m, planes[now]);
}

// ---- real rows

/// Bins [first, last) of dense rows, none of them 0 or h: blocks whose mirrors are turned first.
template <class T>
void middle_bins(const FftHalfLaunch& l, const Complex<T>* in, Complex<T>* out, std::int64_t first,
                 std::int64_t last) {
  constexpr std::int64_t kBlock = 64;
  const auto* w = static_cast<const Complex<T>*>(l.twiddles);
  const T scale = static_cast<T>(l.scale);
  const T sign = l.out.conjugate ? -scale : scale;
  const T flip = l.in.conjugate ? T(-1) : T(1);
  alignas(64) T re[kBlock];
  alignas(64) T im[kBlock];
  for (std::int64_t k = first; k < last; k += kBlock) {
    const std::int64_t n = last - k < kBlock ? last - k : kBlock;
    for (std::int64_t i = 0; i < n; ++i) {
      re[i] = in[l.h - k - i].re;
      im[i] = flip * in[l.h - k - i].im;
    }
    const auto loop = [&](auto f) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) {
        const Complex<T> z{in[k + i].re, flip * in[k + i].im};
        const Complex<T> y = f(z, Complex<T>{re[i], im[i]}, w[k + i]);
        out[k + i] = {y.re * scale, y.im * sign};
      }
    };
    using Z = Complex<T>;
    if (l.pack) {
      loop([](Z z, Z mirror, Z factor) { return fn::fft_pack(z, mirror, factor); });
    } else {
      loop([](Z z, Z mirror, Z factor) { return fn::fft_unpack(z, mirror, factor); });
    }
  }
}

/// Bins [first, last) of the columns of a row, which are neighbours.
template <class T>
void half_of_columns(const FftHalfLaunch& l, const char* in, char* out, std::int64_t first,
                     std::int64_t last) {
  using Z = Complex<T>;
  const T scale = static_cast<T>(l.scale);
  const T sign = l.out.conjugate ? -scale : scale;
  for (std::int64_t k = first; k < last; ++k) {
    const Z w = static_cast<const Z*>(l.twiddles)[k];
    const Z* x = reinterpret_cast<const Z*>(in + (k == l.h ? 0 : k) * l.in.stride);
    const Z* mirror = reinterpret_cast<const Z*>(in + (k == 0 ? 0 : l.h - k) * l.in.stride);
    Z* y = reinterpret_cast<Z*>(out + k * l.out.stride);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < l.columns; ++i) {
      const Z bin = fn::fft_unpack(x[i], mirror[i], w);
      y[i] = {bin.re * scale, bin.im * sign};
    }
  }
}

template <class T>
void run_half(const FftHalfLaunch& l, std::int64_t row, std::int64_t first, std::int64_t last) {
  using Z = Complex<T>;
  const char* in =
      static_cast<const char*>(l.in.data) + fft_row_offset(l.shape, l.in.strides, l.rank, row);
  char* out = static_cast<char*>(l.out.data) + fft_row_offset(l.shape, l.out.strides, l.rank, row);
  if (l.columns > 1) return half_of_columns<T>(l, in, out, first, last);
  const auto* w = static_cast<const Z*>(l.twiddles);
  const T scale = static_cast<T>(l.scale);
  const T sign = l.out.conjugate ? -scale : scale;
  const auto bin = [&](std::int64_t k) {
    Z z = k < l.in.n ? *reinterpret_cast<const Z*>(in + k * l.in.stride) : Z{T(0), T(0)};
    if (l.in.conjugate) z.im = -z.im;
    if (l.pack && (k == 0 || k == l.h)) z.im = T(0);
    return z;
  };
  const auto one = [&](std::int64_t k) {
    const Z y = l.pack ? fn::fft_pack(bin(k), bin(l.h - k), w[k])
                       : fn::fft_unpack(bin(k == l.h ? 0 : k), bin(k == 0 ? 0 : l.h - k), w[k]);
    *reinterpret_cast<Z*>(out + k * l.out.stride) = {y.re * scale, y.im * sign};
  };
  constexpr auto size = static_cast<std::int64_t>(sizeof(Z));
  std::int64_t k = first;
  const auto general = [&](std::int64_t end) {
    for (; k < end; ++k) one(k);
  };
  if (l.in.stride == size && l.out.stride == size && l.in.n >= l.h) {
    // Neighbours that have mirrors: all but the bins at the ends.
    const std::int64_t end = last < l.h ? last : l.h;
    general(end < 1 ? end : 1);
    middle_bins(l, reinterpret_cast<const Z*>(in), reinterpret_cast<Z*>(out), k, end);
    if (k < end) k = end;
  }
  general(last);
}

const FftLevel kLevel = {
    {&run_pass<float>, &run_pass<double>}, {&run_half<float>, &run_half<double>}, &kFftShortRows};

}  // namespace

void register_fft(HostRegistry& r) {
  r.bind("fft_fft", Kernel{&launch_fft_pass, &kLevel});
  r.bind("fft_rfft", Kernel{&launch_fft_half, &kLevel});
  r.bind("fft_irfft", Kernel{&launch_fft_half, &kLevel});
}

}  // namespace tandem::host::TANDEM_ISA
