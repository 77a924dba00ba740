// Passes of the built-in Fourier transform at one SIMD level. Note [Lanes are transforms]
//
// The elements of a block of transforms are kept as planes of real and imaginary parts, [element]
// [lane], so that every stage is a loop over neighbouring numbers, whatever its radix and stride.
// The elements are turned on their way in and out, where rows are not neighbours.
#include "host/fft.h"
#include "host/isa/transpose.h"
#include "host/registry.h"
#include "kernels/functors/fft.h"

namespace tandem::host::TANDEM_ISA {

namespace {

constexpr std::int64_t kMostLanes = 16;

/// Planes of m elements of w lanes.
template <class T>
struct Planes {
  T* re;
  T* im;
  TANDEM_FN Complex<T> at(std::int64_t i) const { return {re[i], im[i]}; }
  TANDEM_FN void put(std::int64_t i, Complex<T> z) const {
    re[i] = z.re;
    im[i] = z.im;
  }
};

// ---- stages

/// Butterflies of one radix: n = s w neighbouring numbers for each of p groups.
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

template <int R, class T>
void stage(const Planes<T>& to, const Planes<T>& from, std::int64_t p, std::int64_t n,
           const Complex<T>* factors) {
  if (p > 1) {
    butterflies<R, true>(to, from, p, n, factors);
  } else {
    butterflies<R, false>(to, from, p, n, factors);
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

/// All stages of a pass; the planes that hold the result.
template <class T>
const Planes<T>* stages(const FftPassLaunch& l, Planes<T> (&planes)[2], std::int64_t w) {
  const auto* factors = static_cast<const Complex<T>*>(l.stages);
  std::int64_t p = l.m, n = w;
  int now = 0;
  for (int i = 0; i < l.n_radices; ++i) {
    const int r = l.radices[i];
    p /= r;
    const Planes<T>& from = planes[now];
    const Planes<T>& to = planes[1 - now];
    switch (r) {
      case 2:
        stage<2>(to, from, p, n, factors);
        break;
      case 3:
        stage<3>(to, from, p, n, factors);
        break;
      case 4:
        stage<4>(to, from, p, n, factors);
        break;
      case 5:
        stage<5>(to, from, p, n, factors);
        break;
      case 8:
        stage<8>(to, from, p, n, factors);
        break;
      default:
        plain_stage(to, from, r, p, n, factors);
    }
    factors += fft_stage_table(r, p);
    n *= r;
    now = 1 - now;
  }
  return &planes[now];
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

Lanes input_lanes(const FftPassLaunch& l, const FftBlock& b) {
  Lanes lanes;
  lanes.count = b.count;
  lanes.apart = l.p * l.s;
  lanes.step = lanes.apart * l.in.stride;
  const bool rows = lanes.apart == 1;
  for (std::int64_t i = 0; i < b.count; ++i) {
    lanes.first[i] = rows ? 0 : b.u + i;
    lanes.at[i] = static_cast<char*>(l.in.data) +
                  fft_row_offset(l.shape, l.in.strides, l.rank, b.row + (rows ? i : 0)) +
                  lanes.first[i] * l.in.stride;
  }
  finish(lanes);
  return lanes;
}

Lanes output_lanes(const FftPassLaunch& l, const FftBlock& b) {
  Lanes lanes;
  lanes.count = b.count;
  lanes.apart = l.s;
  lanes.step = l.s * l.out.stride;
  const bool rows = l.p * l.s == 1;
  for (std::int64_t i = 0; i < b.count; ++i) {
    const std::int64_t u = b.u + i;
    lanes.first[i] = rows ? 0 : u / l.s * l.m * l.s + u % l.s;
    lanes.at[i] = static_cast<char*>(l.out.data) +
                  fft_row_offset(l.shape, l.out.strides, l.rank, b.row + (rows ? i : 0)) +
                  lanes.first[i] * l.out.stride;
  }
  finish(lanes);
  return lanes;
}

/// Elements of lane i that exist, of m.
std::int64_t existing(const Lanes& lanes, std::int64_t i, std::int64_t n, std::int64_t m) {
  if (lanes.first[i] >= n) return 0;
  const std::int64_t count = (n - lanes.first[i] + lanes.apart - 1) / lanes.apart;
  return count < m ? count : m;
}

constexpr std::int64_t kTurned = 64;  // elements of each lane that are turned at a time

constexpr int kTile = 8;  // elements of 16 lanes that are turned in registers: a line of each
struct Tile {
  alignas(64) Complex64 at[kTile][kMostLanes];
};

/// A tile from lanes whose elements are dense, `across` bytes from lane to lane; and back.
void gather(Tile& tile, const char* from, std::int64_t across) {
  for (int i = 0; i < kMostLanes; i += 4) {
    for (int j = 0; j < kTile; j += 4) {
      transpose_block<Words4, 4>(reinterpret_cast<char*>(&tile.at[j][i]), sizeof(tile.at[0]),
                                 from + i * across + j * 8, across);
    }
  }
}
void scatter(const Tile& tile, char* to, std::int64_t across) {
  for (int i = 0; i < kMostLanes; i += 4) {
    for (int j = 0; j < kTile; j += 4) {
      transpose_block<Words4, 4>(to + i * across + j * 8, across,
                                 reinterpret_cast<const char*>(&tile.at[j][i]), sizeof(tile.at[0]));
    }
  }
}

/// f(j, i, address) for the elements that exist, in an order that goes along memory; g(j, i) for
/// the others; columns(j, address) for all lanes at once where they are dense, tile(j, address) for
/// kTile elements of complex64 of all lanes where those of a lane are.
template <class Element, class Missing, class Columns, class Turned>
void walk(const Lanes& lanes, std::int64_t m, std::int64_t n, std::int64_t dense, bool turns,
          Element&& f, Missing&& g, Columns&& columns, Turned&& tile) {
  std::int64_t exists[kMostLanes];
  std::int64_t least = m;
  for (std::int64_t i = 0; i < lanes.count; ++i) {
    exists[i] = existing(lanes, i, n, m);
    if (exists[i] < least) least = exists[i];
  }
  std::int64_t begin = 0;
  if (lanes.across == dense && lanes.count > 1) {
    for (; begin < least; ++begin) columns(begin, lanes.at[0] + begin * lanes.step);
  } else if (lanes.across != 0 && lanes.count == kMostLanes && lanes.step == dense && turns) {
    for (; begin + kTile <= least; begin += kTile) tile(begin, lanes.at[0] + begin * dense);
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
      for (std::int64_t i = 0; i < w; ++i) turn(i, factors[lanes.first[0] + i]);
      continue;
    }
    for (std::int64_t i = 0; i < w; ++i) {
      if (lanes.first[i] + j * lanes.apart < n) turn(i, factors[lanes.first[i]]);
    }
  }
}

template <class T, class Stored>
void load(const FftPassLaunch& l, const Lanes& lanes, const Planes<T>& x) {
  const std::int64_t w = lanes.count;
  const T sign = l.in.conjugate ? T(-1) : T(1);
  const auto put = [&](std::int64_t at, Stored z) {
    if constexpr (fn::is_complex_v<Stored>) {
      x.put(at, {z.re, sign * z.im});
    } else {
      x.put(at, {z, sign * T(0)});
    }
  };
  walk(
      lanes, l.m, l.in.n, sizeof(Stored), fn::same_v<Stored, Complex64>,
      [&](std::int64_t j, std::int64_t i, const char* at) {
        put(j * w + i, *reinterpret_cast<const Stored*>(at));
      },
      [&](std::int64_t j, std::int64_t i) {
        x.put(j * w + i, {T(0), T(0)});
      },
      [&](std::int64_t j, const char* at) {
        for (std::int64_t i = 0; i < w; ++i) {
          put(j * w + i, reinterpret_cast<const Stored*>(at)[i]);
        }
      },
      [&](std::int64_t j, const char* at) {
        if constexpr (fn::same_v<Stored, Complex64>) {
          Tile tile;
          gather(tile, at, lanes.across);
          const Complex64* from = &tile.at[0][0];
          for (int i = 0; i < kTile * kMostLanes; ++i) put(j * kMostLanes + i, from[i]);
        }
      });
  if (l.in.table != nullptr) multiply(x, lanes, l.m, l.in.n, l.in.table);
}

template <class T>
void store(const FftPassLaunch& l, const Lanes& lanes, const Planes<T>& x) {
  const std::int64_t w = lanes.count;
  if (l.out.table != nullptr) multiply(x, lanes, l.m, l.out.n, l.out.table);
  const T scale = static_cast<T>(l.scale);
  const T sign = l.out.conjugate ? -scale : scale;
  using Out = Complex<T>;
  walk(
      lanes, l.m, l.out.n, sizeof(Out), fn::same_v<Out, Complex64>,
      [&](std::int64_t k, std::int64_t i, char* at) {
        const Out z = x.at(k * w + i);
        *reinterpret_cast<Out*>(at) = {z.re * scale, z.im * sign};
      },
      [](std::int64_t, std::int64_t) {},
      [&](std::int64_t k, char* at) {
        for (std::int64_t i = 0; i < w; ++i) {
          const Out z = x.at(k * w + i);
          reinterpret_cast<Out*>(at)[i] = {z.re * scale, z.im * sign};
        }
      },
      [&](std::int64_t k, char* at) {
        if constexpr (fn::same_v<T, float>) {
          Tile tile;
          Complex64* to = &tile.at[0][0];
          for (int i = 0; i < kTile * kMostLanes; ++i) {
            const Out z = x.at(k * kMostLanes + i);
            to[i] = {z.re * scale, z.im * sign};
          }
          scatter(tile, at, lanes.across);
        }
      });
}

/// The factors between passes.
template <class T>
void turn(const FftPassLaunch& l, const FftBlock& b, const Planes<T>& x) {
  const auto* factors = static_cast<const Complex<T>*>(l.twiddles);
  const std::int64_t w = b.count;
  for (std::int64_t k = 0; k < l.m; ++k) {
    T* __restrict re = x.re + k * w;
    T* __restrict im = x.im + k * w;
    for (std::int64_t i = 0; i < w; ++i) {
      const std::int64_t q = l.s == 1 ? b.u + i : (b.u + i) / l.s;
      const Complex<T> y = fn::fft_mul(Complex<T>{re[i], im[i]}, factors[k * l.p + q]);
      re[i] = y.re;
      im[i] = y.im;
    }
  }
}

template <class T>
void run_pass(const FftPassLaunch& l, const FftBlock& b, void* scratch) {
  T* memory = static_cast<T*>(scratch);
  const std::int64_t size = l.m * b.count;
  Planes<T> planes[2] = {{memory, memory + size}, {memory + 2 * size, memory + 3 * size}};
  if (l.real_in) {
    load<T, T>(l, input_lanes(l, b), planes[0]);
  } else {
    load<T, Complex<T>>(l, input_lanes(l, b), planes[0]);
  }
  const Planes<T>& x = *stages(l, planes, b.count);
  if (l.twiddles != nullptr) turn(l, b, x);
  store(l, output_lanes(l, b), x);
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

template <class T>
void run_half(const FftHalfLaunch& l, std::int64_t row, std::int64_t first, std::int64_t last) {
  using Z = Complex<T>;
  const char* in =
      static_cast<const char*>(l.in.data) + fft_row_offset(l.shape, l.in.strides, l.rank, row);
  char* out = static_cast<char*>(l.out.data) + fft_row_offset(l.shape, l.out.strides, l.rank, row);
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

const FftLevel kLevel = {{&run_pass<float>, &run_pass<double>},
                         {&run_half<float>, &run_half<double>}};

}  // namespace

void register_fft(HostRegistry& r) {
  r.bind("fft_fft", Kernel{&launch_fft_pass, &kLevel});
  r.bind("fft_rfft", Kernel{&launch_fft_half, &kLevel});
  r.bind("fft_irfft", Kernel{&launch_fft_half, &kLevel});
}

}  // namespace tandem::host::TANDEM_ISA
