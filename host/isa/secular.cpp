// The secular equation at one SIMD level: a root in each lane. Each root is found as a distance
// from its nearer pole, by interpolation of the two sums beside it (R.-C. Li, "Solving secular
// equations stably and efficiently", LAPACK Working Note 89, 1993: the middle way), within a
// bracket that every value narrows; a step that leaves it is a bisection.
#include "host/secular.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/registry.h"

namespace TANDEM_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int kRootBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kRootBytes = 32;
#else
inline constexpr int kRootBytes = 16;
#endif

template <class R>
struct RootVector {
  using type __attribute__((vector_size(kRootBytes))) = R;
};

template <class R>
class Roots {
 public:
  using V = typename RootVector<R>::type;
  static constexpr int kLanes = kRootBytes / static_cast<int>(sizeof(R));

  Roots(const SecularProblem<R>& p, std::int64_t first)
      : p_(p), first_(first), inverse_(R(1) / p.rho) {
    for (int l = 0; l < kLanes; ++l) {
      const std::int64_t j = std::min(first + l, p.k - 1);
      last_[l] = j == p.k - 1;
      // The last root is right of all poles: between its two sums stands the last pole but one.
      split_[l] = static_cast<R>(last_[l] ? std::max<std::int64_t>(p.k - 2, 0) : j);
      left_[l] = p.d[static_cast<std::int64_t>(split_[l])];
      right_[l] = p.d[last_[l] ? p.k - 1 : j + 1];
      const R below = p.d[j];
      origin_[l] = below;
      lo_[l] = 0;
      hi_[l] = last_[l] ? reach() : right_[l] - below;
      tau_[l] = hi_[l] / 2;
    }
  }

  void run() {
    choose_origins();
    constexpr int kMost = 1200;  // bisection alone ends before, wherever a root lies
    for (int i = 0; i < kMost && step(); ++i) evaluate();
  }

  void store(std::int64_t first) const {
    const int count = static_cast<int>(std::min<std::int64_t>(kLanes, p_.k - first));
    for (int l = 0; l < count; ++l) {
      p_.values[first + l] = origin_[l] + tau_[l];
      R* to = p_.differences + (first + l) * p_.leading;
      for (std::int64_t i = 0; i < p_.k; ++i) to[i] = (p_.d[i] - origin_[l]) - tau_[l];
    }
  }

 private:
  /// The last root is at most rho |z|^2 right of the last pole.
  R reach() const {
    R sum = 0;
    for (std::int64_t i = 0; i < p_.k; ++i) sum += p_.z[i] * p_.z[i];
    return p_.rho * sum * (1 + 4 * std::numeric_limits<R>::epsilon() * static_cast<R>(p_.k));
  }

  /// The sums left (psi) and right (phi) of the split, their derivatives, and what their rounding
  /// may have made of them. Poles before the first lane's root are left of all splits but the last
  /// root's, those after the last lane's right of all.
  void evaluate() {
    V origin, tau, split;
    __builtin_memcpy(&origin, origin_, sizeof origin);
    __builtin_memcpy(&tau, tau_, sizeof tau);
    __builtin_memcpy(&split, split_, sizeof split);
    V psi{}, phi{}, dpsi{}, dphi{}, error{};
    const V zero{};
    const std::int64_t right = std::min(first_ + kLanes, p_.k);
    for (std::int64_t i = 0; i < first_ - 1; ++i) {
      const V t = p_.z[i] / ((p_.d[i] - origin) - tau);
      psi += p_.z[i] * t;
      dpsi += t * t;
      error -= psi;
    }
    for (std::int64_t i = std::max<std::int64_t>(first_ - 1, 0); i < right; ++i) {
      const V t = p_.z[i] / ((p_.d[i] - origin) - tau);
      const V part = p_.z[i] * t, slope = t * t;
      const auto left = (zero + static_cast<R>(i)) <= split;
      psi += left ? part : zero;
      dpsi += left ? slope : zero;
      phi += left ? zero : part;
      dphi += left ? zero : slope;
      error += (phi < 0 ? -phi : phi) - psi;
    }
    for (std::int64_t i = right; i < p_.k; ++i) {
      const V t = p_.z[i] / ((p_.d[i] - origin) - tau);
      phi += p_.z[i] * t;
      dphi += t * t;
      error += phi;
    }
    __builtin_memcpy(psi_, &psi, sizeof psi);
    __builtin_memcpy(phi_, &phi, sizeof phi);
    __builtin_memcpy(dpsi_, &dpsi, sizeof dpsi);
    __builtin_memcpy(dphi_, &dphi, sizeof dphi);
    __builtin_memcpy(error_, &error, sizeof error);
  }

  /// The pole nearer to the root is its origin, by the sign in the middle.
  void choose_origins() {
    evaluate();
    for (int l = 0; l < kLanes; ++l) {
      const R f = inverse_ + psi_[l] + phi_[l];
      const R half = tau_[l];
      if (f >= 0) {
        hi_[l] = half;
      } else if (last_[l]) {
        lo_[l] = half;
      } else {
        origin_[l] = right_[l];
        lo_[l] = half - hi_[l];
        hi_[l] = 0;
        tau_[l] = lo_[l];
      }
    }
  }

  /// The next distances; false where all are found.
  bool step() {
    constexpr R kEps = std::numeric_limits<R>::epsilon() / 2;
    bool more = false;
    for (int l = 0; l < kLanes; ++l) {
      const R f = inverse_ + psi_[l] + phi_[l];
      const R slope = dpsi_[l] + dphi_[l];
      const R bound = kEps * (8 * (std::abs(psi_[l]) + std::abs(phi_[l])) + error_[l] + inverse_ +
                              std::abs(tau_[l]) * slope);
      if (!(std::abs(f) > bound)) continue;
      (f < 0 ? lo_[l] : hi_[l]) = tau_[l];
      R next = tau_[l] + change(l, f, slope);
      if (!(next > lo_[l] && next < hi_[l])) next = (lo_[l] + hi_[l]) / 2;
      more = more || next != tau_[l];
      tau_[l] = next;
    }
    return more;
  }

  R change(int l, R f, R slope) const {
    const R a1 = (left_[l] - origin_[l]) - tau_[l], a2 = (right_[l] - origin_[l]) - tau_[l];
    const R c = f - a1 * dpsi_[l] - a2 * dphi_[l];
    const R a = (a1 + a2) * f - a1 * a2 * slope;
    const R b = a1 * a2 * f;
    const R root = std::sqrt(std::abs(a * a - 4 * b * c));
    if (last_[l]) return a >= 0 ? (a + root) / (2 * c) : 2 * b / (a - root);
    return a <= 0 ? (a - root) / (2 * c) : 2 * b / (a + root);
  }

  const SecularProblem<R>& p_;
  std::int64_t first_;
  R inverse_;
  bool last_[kLanes];
  R split_[kLanes], left_[kLanes], right_[kLanes], origin_[kLanes], tau_[kLanes];
  R lo_[kLanes], hi_[kLanes];
  R psi_[kLanes], phi_[kLanes], dpsi_[kLanes], dphi_[kLanes], error_[kLanes];
};

/// The weights of which the roots are exact (Loewner's formula): near z, so that vectors made of
/// them are orthogonal.
template <class R>
void fit(const SecularProblem<R>& p) {
  for (std::int64_t i = 0; i < p.k; ++i) p.fitted[i] = p.differences[i * p.leading + i];
  for (std::int64_t j = 0; j < p.k; ++j) {
    const R* away = p.differences + j * p.leading;
    const R pole = p.d[j];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < j; ++i) p.fitted[i] *= away[i] / (p.d[i] - pole);
#pragma GCC ivdep
    for (std::int64_t i = j + 1; i < p.k; ++i) p.fitted[i] *= away[i] / (p.d[i] - pole);
  }
  for (std::int64_t i = 0; i < p.k; ++i)
    p.fitted[i] = std::copysign(std::sqrt(std::abs(p.fitted[i])), p.z[i]);
}

template <class R>
void secular_roots(const SecularProblem<R>& p) {
  if (p.k == 1) {
    const R tau = p.rho * p.z[0] * p.z[0];
    p.values[0] = p.d[0] + tau;
    p.differences[0] = -tau;
    p.fitted[0] = p.z[0];
    return;
  }
  for (std::int64_t first = 0; first < p.k; first += Roots<R>::kLanes) {
    Roots<R> roots(p, first);
    roots.run();
    roots.store(first);
  }
  fit(p);
}

void register_secular(HostRegistry&) {
  secular_loop(0.0F) = &secular_roots<float>;
  secular_loop(0.0) = &secular_roots<double>;
}

}  // namespace TANDEM_ISA_NAMESPACE
