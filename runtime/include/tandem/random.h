// Random numbers: every distribution, from a generator. Element i of a call is a function of the
// generator's state and of i alone: the same on every device, at any number of threads, and the
// first elements of a longer call. docs/numerics.md has the bits. manual_seed, rand and randn of
// the default generator: tandem/ops.h.
#pragma once

#include <optional>

#include "tandem/generator.h"
#include "tandem/tensor.h"

namespace tandem {

// ---- fresh tensors; default dtype where none is given, int64 for integers
/// Uniform in [0, 1).
TANDEM_API Tensor rand(IntSpan shape, const Generator& generator, const Options& options = {});
/// Standard normal; complex numbers have variance 1/2 in each part.
TANDEM_API Tensor randn(IntSpan shape, const Generator& generator, const Options& options = {});
/// The same with the shape, dtype, device and names of x unless options differ.
TANDEM_API Tensor rand_like(const Tensor& x, const Options& options = {},
                            const Generator& generator = default_generator());
TANDEM_API Tensor randn_like(const Tensor& x, const Options& options = {},
                             const Generator& generator = default_generator());
/// Integers in [low, high), each as likely as any other to the last bit. ValueError where there is
/// none, or where the dtype does not reach them all; a float dtype rounds.
TANDEM_API Tensor randint(std::int64_t low, std::int64_t high, IntSpan shape,
                          const Options& options = {},
                          const Generator& generator = default_generator());
TANDEM_API Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high,
                               const Options& options = {},
                               const Generator& generator = default_generator());
/// z * std + mean of standard normal numbers z: of the broadcast shape of mean and std.
TANDEM_API Tensor normal(const Arg& mean, const Arg& std,
                         const Generator& generator = default_generator());
TANDEM_API Tensor normal(double mean, double std, IntSpan shape, const Options& options = {},
                         const Generator& generator = default_generator());

// ---- in place, into a tensor of any layout; they give x back
/// Uniform in [from, to). ValueError where from > to.
TANDEM_API Tensor uniform_(const Tensor& x, double from = 0, double to = 1,
                           const Generator& generator = default_generator());
TANDEM_API Tensor normal_(const Tensor& x, double mean = 0, double std = 1,
                          const Generator& generator = default_generator());
/// exp of a normal number.
TANDEM_API Tensor log_normal_(const Tensor& x, double mean = 1, double std = 2,
                              const Generator& generator = default_generator());
/// Density lambd * exp(-lambd * x); never 0.
TANDEM_API Tensor exponential_(const Tensor& x, double lambd = 1,
                               const Generator& generator = default_generator());
TANDEM_API Tensor cauchy_(const Tensor& x, double median = 0, double sigma = 1,
                          const Generator& generator = default_generator());
/// Trials up to the first success: 1, 2, ...
TANDEM_API Tensor geometric_(const Tensor& x, double p,
                             const Generator& generator = default_generator());
/// Integers in [from, to); without `to`, up to the greatest integer of the dtype (of floats, up to
/// 2^significand bits).
TANDEM_API Tensor random_(const Tensor& x, std::int64_t from = 0,
                          std::optional<std::int64_t> to = {},
                          const Generator& generator = default_generator());
/// 1 with probability p, else 0.
TANDEM_API Tensor bernoulli_(const Tensor& x, double p = 0.5,
                             const Generator& generator = default_generator());

}  // namespace tandem
