// lint: oracle table. Calls of the rows of random.def: see row_calls.h. They draw from the
// default generator: manual_seed before each call that is to give the same bits.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

inline void add_random_calls(Calls& c) {
  const Tensor x = ones_of({2, 3, 4}, DType::float32, {"n", "h", "c"});
  const Tensor z = ones_of({3, 4}, DType::complex64);
  const Tensor i = ones_of({3, 4}, DType::int32);
  const Tensor h = ones_of({3, 4}, DType::float16);
  const Value none;
  c["uniform_"] = {{x}, {x, -2.0, 3.0}, {h, 0.0, 100.0}, {x, 1.0, 0.0}, {i}, {x, 0.0, 1.0, 3}};
  c["normal_"] = {{x}, {x, 1.5, 2.0}, {z}, {h, 0.0, 0.0}, {x, 0.0, -1.0}, {i}};
  c["log_normal_"] = {{x}, {h, 0.0, 0.5}, {x, 0.0, 0.0}, {z}};
  c["exponential_"] = {{x}, {x, 2.5}, {x, 0.0}, {i}};
  c["cauchy_"] = {{x}, {x, 1.0, 2.0}, {x, 0.0, -1.0}, {i}};
  c["geometric_"] = {{x, 0.25}, {i, 0.5}, {x, 1.0}, {z, 0.5}, {x}};
  c["random_"] = {{x}, {i}, {i, 10}, {i, -5, 7}, {x, 3, 3}, {z}, {ones_of({2}, DType::int8), 300}};
  c["bernoulli_"] = {{x}, {i, 0.25}, {x, 1.5}, {z}};
  c["rand_like"] = {{x}, {h}, {i}, {i, none, DType::float64}};
  c["randn_like"] = {{x}, {z}, {i}, {x, none, DType::complex128}};
  c["randint_like"] = {{x, 10}, {i, -3, 4}, {x, 4, 4}, {z, 3}, {i, 0, 1 << 20, none, DType::uint8}};
  // A device among the arguments is moved as a tensor is.
  const Value cpu = kCPU;
  c["randint"] = {
      {0, 10, Dims{2, 3}, none, none, cpu},      {10, Dims{2, 3}, none, none, DType::float16, cpu},
      {-5, 5, Dims{4}, none, DType::uint8, cpu}, {7, none, Dims{4}, none, none, cpu},
      {7, 7, Dims{4}, none, none, cpu},          {7, none, none, none, none, cpu}};
  const Tensor half = ones_of({3, 4}, DType::float16, {"n", "c"});
  const Tensor weights = abs(varied({3, 9}, DType::float32)).add(0.5);
  c["bernoulli_"].insert(
      c["bernoulli_"].end(),
      {{i, x.select(0, 0).rename(std::nullopt)}, {x, i}, {i, ones_of({2, 3, 4}, DType::float32)}});
  c["bernoulli"] = {{x}, {half}, {i}, {i, 0.5}, {i, 1.5}};
  c["poisson"] = {{x}, {half}, {i}, {ones_of({}, DType::float64)}};
  c["binomial"] = {{x, x}, {10.0, x}, {half, 0.5}, {i, 0.5}, {x, ones_of({5}, DType::float32)}};
  c["randperm"] = {{10, none, none, cpu},
                   {10, none, DType::float16, cpu},
                   {300, none, DType::uint8, cpu},
                   {-1, none, none, cpu},
                   {0, none, none, cpu}};
  c["multinomial"] = {{weights, 4}, {weights, 40, true}, {weights, 40}, {half, 2, true}, {x, 2},
                      {i, 2},       {weights, 0}};
  c["normal"] = {{x, x},
                 {0.5, x},
                 {x, 2.0},
                 {x, -1.0},
                 {x, ones_of({3}, DType::float64)},
                 {i, 1.0},
                 {x, ones_of({5}, DType::float32)}};
}

inline void add_random_long_calls(Calls& c) {
  const Dims shape{407, 401};
  const Tensor x = ones_of(shape, DType::float32);
  const Tensor d = ones_of(shape, DType::float64);
  const Tensor turned = ones_of({401, 407}, DType::float32).t();
  const Tensor h = ones_of(shape, DType::bfloat16);
  const Tensor i = ones_of(shape, DType::int64);
  const Tensor z = ones_of(shape, DType::complex64);
  for (const Tensor& t : {x, d, turned, h}) {
    c["uniform_"].push_back({t, -2.0, 3.0});
    c["normal_"].push_back({t, 1.0, 2.0});
    c["log_normal_"].push_back({t, 0.5, 0.25});
    c["exponential_"].push_back({t, 2.5});
    c["cauchy_"].push_back({t, 1.0, 2.0});
    c["geometric_"].push_back({t, 0.01});
    c["bernoulli_"].push_back({t, 0.3});
    c["random_"].push_back({t, 0, 1000});
    c["rand_like"].push_back({t});
    c["randn_like"].push_back({t});
    c["randint_like"].push_back({t, -3, 100});
  }
  c["normal_"].push_back({z, 1.0, 2.0});
  const Tensor means = varied(shape, DType::float32).add(16.0);
  const Tensor wide = varied(shape, DType::float64, 3).add(16.0);
  const Tensor shares = varied(shape, DType::float32, 2).add(16.0).mul(1.0 / 32);
  c["bernoulli"] = {{shares}, {shares.to(DType::float64).t()}};
  c["bernoulli_"].push_back({i, shares});
  c["poisson"] = {{means}, {wide}, {means.mul(1e6)}, {wide.mul(0.1)}};
  c["binomial"] = {{means, shares}, {wide.mul(1e5).floor(), shares}, {1000.0, shares}};
  c["randperm"] = {{200'003, Value(), Value(), kCPU}, {150'000, Value(), DType::float32, kCPU}};
  c["multinomial"] = {{means.narrow(1, 0, 300), 200'000 / 407, true},
                      {means.narrow(1, 0, 300), 250},
                      {means.reshape({-1}).to(DType::float64), 150'000, true},
                      {means.reshape({-1}).add(0.5), 150'000}};
  c["randint"].push_back({-3, 100, shape, Value(), Value(), kCPU});
  // Half of the draws are rejected; intervals of more than 32 bits; all integers.
  c["random_"].push_back({i, -(1 << 30), (1 << 30) + 1});
  c["random_"].push_back({i, -5, (std::int64_t(1) << 62) + 1});
  c["random_"].push_back({i});
  c["normal"].push_back({varied(shape, DType::float32), abs(varied(shape, DType::float32, 2))});
}

/// Kernels that the first call of a row launches on a device, where not one (none for a view).
inline void add_random_launches(Launches& l) {
  l["normal"] = 3;
  // CUB's own launches are not counted.
  l["multinomial"] = 3;  // keys; rows between their sorts; the first of each
}

}  // namespace tandem::test
