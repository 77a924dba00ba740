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
/// 0 to n - 1 in random order; int64 where no dtype is given. ValueError where the dtype does not
/// hold n.
TANDEM_API Tensor randperm(std::int64_t n, const Options& options = {},
                           const Generator& generator = default_generator());
/// 1 with the probability that the element of p is, else 0; in p's dtype, a float. Where a number
/// is outside [0, 1]: ValueError on the CPU; on a device, which is not waited for, it counts as 0
/// or 1 (NaN as 0).
TANDEM_API Tensor bernoulli(const Tensor& p, const Generator& generator = default_generator());
/// Poisson numbers of the means, in their dtype, a float. A mean below 0 or NaN: ValueError on the
/// CPU, NaN on a device.
TANDEM_API Tensor poisson(const Tensor& mean, const Generator& generator = default_generator());
/// Successes among `count` trials of probability `prob`, broadcast; floats. No such count or
/// probability: ValueError on the CPU, NaN on a device.
TANDEM_API Tensor binomial(const Arg& count, const Arg& prob,
                           const Generator& generator = default_generator());
/// Places along the last of one or two dimensions, drawn by the weights there, int64; without
/// replacement in the order in which they were drawn. Weights below 0, NaN, infinite, or too few of
/// them: ValueError on the CPU; on a device those count as 0, and where too few are left the rest
/// are any.
TANDEM_API Tensor multinomial(const Tensor& weights, std::int64_t num_samples,
                              bool replacement = false,
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
/// The same with a probability an element, broadcast to x.
TANDEM_API Tensor bernoulli_(const Tensor& x, const Tensor& p,
                             const Generator& generator = default_generator());

}  // namespace tandem
