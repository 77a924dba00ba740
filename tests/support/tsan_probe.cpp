// Shows that the thread sanitizer of the preset tsan sees OpenMP's order (no argument: no race,
// must pass) and still finds a race inside a parallel region (any argument: must fail).
#include <cstdio>
#include <vector>

int main(int argc, char**) {
  std::vector<long> values(1000);
  long sum = 0, unguarded = 0;
  const bool race = argc > 1;
  for (int round = 0; round < 20; ++round) {
#pragma omp parallel for num_threads(4) schedule(dynamic, 10)
    for (long i = 0; i < 1000; ++i) values[static_cast<std::size_t>(i)] = i + round;
#pragma omp parallel num_threads(3)
    {
#pragma omp for reduction(+ : sum)
      for (long i = 0; i < 1000; ++i) sum += values[static_cast<std::size_t>(999 - i)];
#pragma omp critical
      sum += 1;
      if (race) ++unguarded;
    }
  }
  std::printf("%ld\n", sum);
  return sum == 20 * 499500 + 1000 * 190 + 60 ? 0 : 2;
}
