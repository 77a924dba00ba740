// The boxed forms of random.def and of the random rows of generator.def. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "runtime/ops/boxed_ops.h"
#include "tandem/random.h"

namespace tandem::ops {

using MaybeGenerator = std::optional<Generator>;

Tensor rand(IntSpan size, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
            MaybeNames names);
Tensor randn(IntSpan size, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
             MaybeNames names);
Tensor rand_like(const Tensor& x, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                 MaybeNames names);
Tensor randn_like(const Tensor& x, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                  MaybeNames names);
/// randint(high, size), randint(low, high, size): `high` may be the size.
Tensor randint(std::int64_t low, const Value& high, std::optional<Dims> size,
               MaybeGenerator generator, MaybeDType dtype, MaybeDevice device, MaybeNames names);
Tensor randint_like(const Tensor& x, std::int64_t low, std::optional<std::int64_t> high,
                    MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                    MaybeNames names);
Tensor normal(const Arg& mean, const Arg& std, std::optional<Dims> size, MaybeGenerator generator,
              MaybeDType dtype, MaybeDevice device, MaybeNames names);
Tensor uniform_(const Tensor& x, double from, double to, MaybeGenerator generator);
Tensor normal_(const Tensor& x, double mean, double std, MaybeGenerator generator);
Tensor log_normal_(const Tensor& x, double mean, double std, MaybeGenerator generator);
Tensor exponential_(const Tensor& x, double lambd, MaybeGenerator generator);
Tensor cauchy_(const Tensor& x, double median, double sigma, MaybeGenerator generator);
Tensor geometric_(const Tensor& x, double p, MaybeGenerator generator);
/// One bound alone is the upper one.
Tensor random_(const Tensor& x, std::optional<std::int64_t> from, std::optional<std::int64_t> to,
               MaybeGenerator generator);
Tensor bernoulli_(const Tensor& x, const Arg& p, MaybeGenerator generator);
Tensor bernoulli(const Tensor& x, std::optional<double> p, MaybeGenerator generator);
Tensor poisson(const Tensor& x, MaybeGenerator generator);
Tensor binomial(const Arg& count, const Arg& prob, MaybeGenerator generator);
Tensor randperm(std::int64_t n, MaybeGenerator generator, MaybeDType dtype, MaybeDevice device,
                MaybeNames names);
Tensor multinomial(const Tensor& x, std::int64_t num_samples, bool replacement,
                   MaybeGenerator generator);

}  // namespace tandem::ops
