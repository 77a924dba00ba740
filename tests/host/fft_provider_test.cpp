// Who computes transforms on the host: FFTW's plug-in found, missing, switched off or of another
// version; its results against sums in long double; threads, plans, forks; that bits which are
// promised do not depend on it.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "runtime/ops/fft_provider.h"
#include "tandem/tandem.h"
#include "tandem/testing.h"
#include "tandem/threads.h"
#include "tests/support/message_of.h"

using namespace tandem;
using test::message_of;

namespace {

bool has_fftw() { return fft::provider_reason().find("fftw-3") != std::string::npos; }

#define TANDEM_NEEDS_FFTW() \
  if (!has_fftw()) GTEST_SKIP() << fft::provider_reason()

Tensor numbers(Dims shape, DType dtype) {
  std::int64_t n = is_complex(dtype) ? 2 : 1;
  for (const std::int64_t s : shape) n *= s;
  const Tensor t = (arange(0, static_cast<double>(n), 1, {.dtype = DType::float64}) * 0.7).sin();
  const Tensor x = t + t * t * 0.5;
  return (is_complex(dtype) ? x.view_as(DType::complex128) : x).reshape(shape).to(dtype);
}

using Wide = std::complex<long double>;

/// Rows along the last axis by the definition.
std::vector<Wide> sums(const Tensor& x, int sign) {
  const Tensor z = x.to(DType::complex128).contiguous();
  const auto n = z.shape().back();
  const auto* p = static_cast<const std::complex<double>*>(z.data_ptr());
  std::vector<Wide> out(static_cast<std::size_t>(z.numel()));
  std::vector<Wide> roots;
  for (std::int64_t j = 0; j < n; ++j) {
    const long double angle = sign * 2 * std::numbers::pi_v<long double> *
                              static_cast<long double>(j) / static_cast<long double>(n);
    roots.emplace_back(std::cos(angle), std::sin(angle));
  }
  for (std::int64_t row = 0; row < z.numel() / n; ++row) {
    for (std::int64_t k = 0; k < n; ++k) {
      long double re = 0, im = 0;  // a product of std::complex looks for infinities
      for (std::int64_t j = 0; j < n; ++j) {
        const Wide y(p[row * n + j]);
        const Wide& w = roots[static_cast<std::size_t>(j * k % n)];
        re += y.real() * w.real() - y.imag() * w.imag();
        im += y.real() * w.imag() + y.imag() * w.real();
      }
      const Wide sum(re, im);
      out[static_cast<std::size_t>(row * n + k)] = sum;
    }
  }
  return out;
}

double error_of(const Tensor& got, const std::vector<Wide>& want) {
  const Tensor z = got.to(DType::complex128).contiguous();
  const auto* p = static_cast<const std::complex<double>*>(z.data_ptr());
  long double distance = 0, size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    distance += std::norm(Wide(p[i]) - want[i]);
    size += std::norm(want[i]);
  }
  return static_cast<double>(std::sqrt(distance / size));
}

/// What a fresh process prints in Child.Reports: one line a question.
std::string ask(const std::string& environment) {
  const std::string command = environment + " TANDEM_FFT_CHILD=1 /proc/" +
                              std::to_string(getpid()) +
                              "/exe --gtest_filter=Child.Reports --gtest_brief=1 2>&1";
  FILE* out = popen(command.c_str(), "r");
  std::string text;
  char line[1024];
  while (out != nullptr && std::fgets(line, sizeof line, out) != nullptr) {
    if (std::string(line).starts_with("answer ")) text += line;
  }
  EXPECT_EQ(pclose(out), 0) << environment;
  return text;
}

std::uint64_t hash_of(const Tensor& t) {
  const Tensor dense = t.contiguous();
  const auto* p = static_cast<const unsigned char*>(dense.data_ptr());
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (std::size_t i = 0; i < dense.nbytes(); ++i) h = (h ^ p[i]) * 0x100000001b3ull;
  return h;
}

}  // namespace

TEST(Child, Reports) {
  if (std::getenv("TANDEM_FFT_CHILD") == nullptr) GTEST_SKIP() << "only as a child process";
  std::printf("answer %s\n", message_of([] {
                               std::printf("answer %s: %s\n", fft::provider().c_str(),
                                           fft::provider_reason().c_str());
                               fft::set_provider("fftw");
                             }).c_str());
  try {
    static_cast<void>(fft::fft(numbers({1009}, DType::complex64)));  // tables of Bluestein's
    const ExactGuard exact;
    std::uint64_t h = 0;
    for (const std::int64_t n : {64, 1009, 30030}) {
      h ^= hash_of(fft::fft(numbers({3, n}, DType::complex64)));
      h = h * 31 + hash_of(fft::rfft(numbers({3, n}, DType::float64)));
      h = h * 31 + hash_of(fft::irfft2(numbers({40, n}, DType::complex64)));
    }
    std::printf("answer bits %llx\n", static_cast<unsigned long long>(h));
  } catch (const std::exception& e) {
    std::printf("answer %s\n", e.what());
  }
}

TEST(FftProvider, SaysWhyThereIsNoLibrary) {
  const auto says = [](const std::string& environment, const std::string& what) {
    const std::string text = ask(environment);
    EXPECT_NE(text.find(what), std::string::npos) << text;
    EXPECT_NE(text.find("answer built-in: no fftw: "), std::string::npos) << text;
    EXPECT_NE(text.find("[fft.set_provider] expected a provider that can be used, got 'fftw': "),
              std::string::npos)
        << text;
  };
  says("TANDEM_FFTW_LIBRARY=", "switched off: TANDEM_FFTW_LIBRARY is empty");
  says("TANDEM_FFTW_LIBRARY=/nowhere/libtandem_fftw.so", "/nowhere/libtandem_fftw.so: cannot open");
  says("TANDEM_FFTW_LIBRARY=libm.so.6", "no entry point tandem_fftw_open");
  says(std::string("TANDEM_FFTW_LIBRARY=") + TANDEM_FAKE_FFTW, "another interface version");
  const std::string wrong = ask("TANDEM_FFT_PROVIDER=none");
  EXPECT_NE(wrong.find(
                "[TANDEM_FFT_PROVIDER] expected 'auto', 'built-in', 'fftw' or 'cufft', got 'none'"),
            std::string::npos)
      << wrong;
  // What was asked for stays what is told, and so does why it does not work.
  const std::string missing = ask("TANDEM_FFT_PROVIDER=fftw TANDEM_FFTW_LIBRARY=");
  for (const char* text :
       {"answer fftw: it was asked for, but transforms raise a DeviceError: switched off",
        "[fft_fft] expected a provider that can be used, got 'fftw', which TANDEM_FFT_PROVIDER, "
        "fft.set_provider or a scope asks for: switched off"}) {
    EXPECT_NE(missing.find(text), std::string::npos) << missing;
  }
}

TEST(FftProvider, TheBuildHasIt) {
#if defined(TANDEM_HAS_FFTW)
  if (std::getenv("TANDEM_FFTW_LIBRARY") != nullptr) GTEST_SKIP() << "another one is asked for";
  EXPECT_TRUE(has_fftw()) << fft::provider_reason();
#else
  GTEST_SKIP() << "built without FFTW";
#endif
}

TEST(FftProvider, ExactBitsDoNotDependOnLibraries) {
  const auto bits = [](const std::string& environment) {
    const std::string text = ask(environment);
    const auto at = text.find("answer bits ");
    EXPECT_NE(at, std::string::npos) << text;
    return at == std::string::npos ? text : text.substr(at);
  };
  const std::string without = bits("TANDEM_FFTW_LIBRARY=");
  EXPECT_EQ(bits(""), without);
  EXPECT_EQ(bits("TANDEM_FFT_PROVIDER=built-in"), without);
}

TEST(FftProvider, FftwAgainstLongDouble) {
  TANDEM_NEEDS_FFTW();
  const fft::ProviderGuard library("fftw");
  for (const std::int64_t n : {1, 2, 3, 7, 16, 45, 97, 128, 500, 1024, 1155}) {
    for (const DType dtype : {DType::complex64, DType::complex128}) {
      const double eps = dtype == DType::complex64 ? 0x1p-23 : 0x1p-52;
      const double bound = eps * 3 * (std::log2(static_cast<double>(n)) + 3);
      const Tensor x = numbers({3, n}, dtype);
      EXPECT_LE(error_of(fft::fft(x), sums(x, -1)), bound) << n;
      EXPECT_LE(error_of(fft::ifft(x, {}, -1, "forward"), sums(x, 1)), bound) << n;
      const Tensor columns = x.t().contiguous().t();
      EXPECT_LE(error_of(fft::fft(columns), sums(x, -1)), bound) << n;
      const Tensor real = numbers({3, n}, real_part(dtype));
      const std::vector<Wide> all = sums(real, -1);
      std::vector<Wide> bins;
      for (std::int64_t row = 0; row < 3; ++row) {
        for (std::int64_t k = 0; k <= n / 2; ++k)
          bins.push_back(all[static_cast<std::size_t>(row * n + k)]);
      }
      EXPECT_LE(error_of(fft::rfft(real), bins), bound) << n;
      EXPECT_LE(error_of(fft::fft(real), all), bound) << n;
      EXPECT_LE(error_of(fft::irfft(fft::rfft(real), n),
                         [&] {
                           std::vector<Wide> back;
                           const Tensor wide = real.to(DType::float64).contiguous();
                           const auto* p = static_cast<const double*>(wide.data_ptr());
                           for (std::int64_t i = 0; i < wide.numel(); ++i) back.emplace_back(p[i]);
                           return back;
                         }()),
                2 * bound)
          << n;
    }
  }
}

TEST(FftProvider, RowsByEveryNumberOfThreads) {
  TANDEM_NEEDS_FFTW();
  const int before = get_num_threads();
  const Tensor one = numbers({120'000}, DType::complex64);    // FFTW's own threads
  const Tensor large = numbers({400'000}, DType::complex64);  // in two steps
  const Tensor many = numbers({70, 1000}, DType::complex64);
  const Tensor real = numbers({90'000}, DType::float32);
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const auto check = [&](auto&& f, const Tensor& x) {
      const fft::ProviderGuard own("built-in");
      const Tensor want = f(x.to(is_complex(x.dtype()) ? DType::complex128 : DType::float64));
      const fft::ProviderGuard library("fftw");
      const Tensor got = f(x);
      const double error = (got.to(want.dtype()) - want).abs().amax().template item<double>() /
                           want.abs().amax().template item<double>();
      EXPECT_LE(error, 60 * 0x1p-23) << threads;  // 3 eps (log2 n + 3)
    };
    check([](const Tensor& x) { return fft::fft(x); }, one);
    check([](const Tensor& x) { return fft::ifft(x, 90'000); }, one);
    check([](const Tensor& x) { return fft::fft(x); }, large);
    check([](const Tensor& x) { return fft::ifft(x.slice(0, 0, 393'216, 2), {}, -1, "ortho"); },
          large);
    check([](const Tensor& x) { return fft::irfft(x, 200'000); }, one);
    check([](const Tensor& x) { return fft::hfft(x, 100'001); }, one);
    check([](const Tensor& x) { return fft::rfft(x); }, real);
    check([](const Tensor& x) { return fft::ihfft(x, 131'072); }, real);
    check([](const Tensor& x) { return fft::fft(x); }, real);
    check([](const Tensor& x) { return fft::fft(x.slice(0, 0, 90'000, 2)); }, real);
    check([](const Tensor& x) { return fft::fft2(x); }, many);
    check([](const Tensor& x) { return fft::irfft2(x); }, many);
  }
  set_num_threads(before);
}

TEST(FftProvider, InputsAreNotChanged) {
  TANDEM_NEEDS_FFTW();
  const fft::ProviderGuard library("fftw");
  const Tensor z = numbers({12, 90}, DType::complex64), x = numbers({12, 90}, DType::float64);
  const Tensor z_before = z.clone(), x_before = x.clone();
  for (const char* effort : {"measure", "estimate"}) {
    fft::set_planning(effort);
    EXPECT_EQ(fft::planning(), effort);
    for (const Axis axis : {Axis(0), Axis(1)}) {
      static_cast<void>(fft::fft(z, {}, axis));
      static_cast<void>(fft::irfft(z, {}, axis));
      static_cast<void>(fft::hfft(z, {}, axis));
      static_cast<void>(fft::rfft(x, {}, axis));
      static_cast<void>(fft::ihfft(x, {}, axis));
    }
    static_cast<void>(fft::irfft2(z));
  }
  EXPECT_TRUE(equal(z, z_before));
  EXPECT_TRUE(equal(x, x_before));
}

TEST(FftProvider, ZeroExtentsAndViewsWithoutOrder) {
  TANDEM_NEEDS_FFTW();
  const fft::ProviderGuard library("fftw");
  EXPECT_EQ(fft::fft(numbers({0, 5}, DType::complex64)).numel(), 0);
  EXPECT_EQ(fft::rfft(numbers({3, 0, 4}, DType::float32), {}, 2).numel(), 0);
  const Tensor x = numbers({6, 8}, DType::complex128);
  for (const Tensor& v : {x.narrow(0, 0, 1).expand({5, 8}), flip(x, Axes{0}), flip(x, Axes{1}),
                          x.narrow(1, 0, 1).expand({6, 9})}) {
    EXPECT_LE(error_of(fft::fft(v), sums(v, -1)), 40 * 0x1p-52);
  }
}

TEST(FftProvider, PlansAreLetGo) {
  TANDEM_NEEDS_FFTW();
  const fft::ProviderGuard library("fftw");
  for (std::int64_t n = 2; n < 300; ++n)
    static_cast<void>(fft::fft(numbers({n}, DType::complex64)));
  EXPECT_EQ(host::fftw_plans_kept(), detail::kFftLibraryPlans);
  const Tensor x = numbers({2}, DType::complex64);
  EXPECT_LE(error_of(fft::fft(x), sums(x, -1)), 4 * 0x1p-23);
}

TEST(FftProvider, OneProcessRepeatsItsBits) {
  TANDEM_NEEDS_FFTW();
  const fft::ProviderGuard library("fftw");
  const Tensor x = numbers({7, 720}, DType::complex64);
  const Tensor first = fft::fft(x);
  for (std::int64_t n = 300; n < 450; ++n) static_cast<void>(fft::fft(x, n));  // its plan is gone
  EXPECT_TRUE(equal(fft::fft(x), first));
}

TEST(FftProvider, ThreadsPlanAndTransformAtOnce) {
  TANDEM_NEEDS_FFTW();
  std::vector<std::thread> threads;
  std::vector<int> wrong(6, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&wrong, t] {
      const fft::ProviderGuard library("fftw");
      for (std::int64_t n = 20; n < 60; ++n) {
        const Tensor x = numbers({3, n + static_cast<std::int64_t>(t % 3)}, DType::complex64);
        if (error_of(fft::fft(x), sums(x, -1)) > 30 * 0x1p-23) ++wrong[t];
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (const int w : wrong) EXPECT_EQ(w, 0);
}

TEST(FftProvider, TheChildOfAForkTransforms) {
  TANDEM_NEEDS_FFTW();
  const fft::ProviderGuard library("fftw");
  const auto right = [](std::int64_t n) {
    const Tensor x = ones({2, n}, {.dtype = DType::complex64});
    return std::abs(fft::fft(x).abs().sum().item<double>() / (2.0 * static_cast<double>(n)) - 1) <
           1e-4;
  };
  EXPECT_TRUE(right(1 << 16));  // with a team
  const pid_t child = fork();
  if (child == 0) _exit(right(1 << 16) && right(70'000) ? 0 : 1);
  int status = -1;
  for (int tenths = 0; tenths < 300 && waitpid(child, &status, WNOHANG) == 0; ++tenths)
    usleep(100'000);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(FftProvider, GuardsNest) {
  const std::string outside = fft::provider();
  {
    const fft::ProviderGuard own("built-in");
    EXPECT_EQ(fft::provider(), "built-in");
    std::thread([&] { EXPECT_EQ(fft::provider(), outside); }).join();  // of its own thread
    {
      const fft::ProviderGuard any("auto");
      EXPECT_EQ(fft::provider(), has_fftw() ? "fftw" : "built-in");
      const ExactGuard exact;
      EXPECT_EQ(fft::provider(), "built-in");
    }
    EXPECT_EQ(fft::provider(), "built-in");
  }
  EXPECT_EQ(fft::provider(), outside);
  EXPECT_THROW(fft::set_provider("mkl"), ValueError);
  EXPECT_THROW(fft::ProviderGuard("cufft2"), ValueError);
  EXPECT_EQ(fft::provider(), outside);
}
