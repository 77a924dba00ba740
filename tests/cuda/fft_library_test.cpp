// lint: oracle table. Transforms by cuFFT: what the front asks of the library, in plans, strides,
// streams and work areas, and that what comes back is right; captures. With the stand-in of
// tests/cuda/sim/fake_cufft.cpp, whose sums follow the definition; the calls that it counts are
// skipped where it is not there.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tandem/testing.h"
#include "tests/cuda/sim/fake_cufft.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::message_of;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

using Notes = void (*)(FakeCufft*, int);
Notes fake() {
  const char* folder = std::getenv("TANDEM_VENDOR_LIBRARIES");
  if (folder == nullptr || fft::provider(kDevice) != "cufft") return nullptr;
  void* library = dlopen((std::string(folder) + "/libcufft.so.0").c_str(), RTLD_NOW | RTLD_NOLOAD);
  return library == nullptr ? nullptr : reinterpret_cast<Notes>(dlsym(library, "fake_cufft_notes"));
}
FakeCufft notes(bool reset = true) {
  FakeCufft n;
  fake()(&n, reset ? 1 : 0);
  return n;
}

#define TANDEM_NEEDS_FAKE() \
  TANDEM_NEEDS_GPU();       \
  if (fake() == nullptr) GTEST_SKIP() << "needs the stand-in of cuFFT"

Tensor numbers(Dims shape, DType dtype) {
  std::int64_t n = 1;
  for (const std::int64_t s : shape) n *= s;
  const bool complex = is_complex(dtype);
  Tensor t = arange(0, static_cast<double>(complex ? 2 * n : n), 1, {.dtype = DType::float64});
  t = (t * 0.7).sin() + 0.25;
  if (complex) t = t.view_as(DType::complex128);
  return t.reshape(shape).to(dtype);
}

/// The host's built-in transform in double precision, which has tests of its own.
template <class F>
Tensor expected(const F& f, const Tensor& x) {
  const fft::ProviderGuard own("built-in");
  return f(x.to(is_complex(x.dtype()) ? DType::complex128 : DType::float64));
}

/// The distance of the parts of a result from what is expected, over the greatest.
double error_of(const Tensor& got, const Tensor& want) {
  const Tensor wide = got.to(kCPU).to(want.dtype());
  return (wide - want).abs().amax().item<double>() / (want.abs().amax().item<double>() + 1e-300);
}

template <class F>
void check(const char* what, const F& f, const Tensor& x_host, const Tensor& x) {
  const Tensor got = f(x);
  const Tensor want = expected(f, x_host);
  ASSERT_EQ(Dims(got.shape()), Dims(want.shape())) << what;
  const bool wide = got.dtype() == DType::float64 || got.dtype() == DType::complex128;
  // One rounding of each result, of each intermediate axis and by the factor.
  EXPECT_LE(error_of(got, want), 8 * (wide ? 0x1p-52 : 0x1p-23) * 2) << what;
}

struct Named {
  const char* name;
  Tensor (*f)(const Tensor&, std::optional<std::int64_t>, Axis, const fft::Norm&);
  bool real_in;
};
const Named kRows[] = {{"fft", &fft::fft, false},   {"ifft", &fft::ifft, false},
                       {"rfft", &fft::rfft, true},  {"irfft", &fft::irfft, false},
                       {"hfft", &fft::hfft, false}, {"ihfft", &fft::ihfft, true}};

TEST(FftLibrary, EveryRowOverAxesLengthsNormsAndViews) {
  TANDEM_NEEDS_GPU();
  for (const Named& row : kRows) {
    for (const DType dtype : {DType::float32, DType::float64, DType::complex64, DType::complex128,
                              DType::float16, DType::int32}) {
      if (row.real_in && is_complex(dtype)) continue;
      const Tensor host = numbers({4, 6, 5}, dtype);
      const Tensor device = host.to(kDevice);
      const auto views = [](const Tensor& t) {
        return std::vector<Tensor>{t,
                                   t.permute({2, 0, 1}),
                                   flip(t, Axes{0}),
                                   t.slice(1, 0, 6, 2),
                                   t.narrow(2, 1, 4),
                                   t.narrow(0, 0, 1).expand({3, 6, 5})};
      };
      const std::vector<Tensor> a = views(host), b = views(device);
      for (std::size_t v = 0; v < a.size(); ++v) {
        for (int axis = 0; axis < 3; ++axis) {
          for (const fft::Length n : {fft::Length{}, fft::Length{3}, fft::Length{8}}) {
            const char* norm = v % 3 == 0 ? "backward" : v % 3 == 1 ? "ortho" : "forward";
            const auto f = [&](const Tensor& x) { return row.f(x, n, Axis(axis), norm); };
            check(row.name, f, a[v], b[v]);
          }
        }
      }
    }
  }
}

TEST(FftLibrary, SeveralAxes) {
  TANDEM_NEEDS_GPU();
  const Tensor z = numbers({3, 4, 5}, DType::complex128), x = numbers({3, 4, 5}, DType::float64);
  check(
      "fftn", [](const Tensor& t) { return fft::fftn(t); }, z, z.to(kDevice));
  check(
      "fft2",
      [](const Tensor& t) {
        return fft::fft2(t, Dims{6, 3});
      },
      z, z.to(kDevice));
  check(
      "rfftn", [](const Tensor& t) { return fft::rfftn(t); }, x, x.to(kDevice));
  check(
      "irfftn",
      [](const Tensor& t) {
        return fft::irfftn(t, Dims{3, 4, 9});
      },
      z, z.to(kDevice));
  check(
      "hfft2", [](const Tensor& t) { return fft::hfft2(t); }, z, z.to(kDevice));
}

TEST(FftLibrary, InputsAreNotChanged) {
  TANDEM_NEEDS_GPU();
  for (const Named& row : kRows) {
    const Tensor host = numbers({3, 8}, row.real_in ? DType::float32 : DType::complex64);
    const Tensor x = host.to(kDevice);
    static_cast<void>(row.f(x, {}, Axis(-1), {}));
    EXPECT_TRUE(equal(x.to(kCPU), host)) << row.name;
  }
}

TEST(FftLibrary, OnePlanAnswersForAShapeAndAStream) {
  TANDEM_NEEDS_FAKE();
  const Tensor x = numbers({6, 10}, DType::complex64).to(kDevice);
  static_cast<void>(fft::fft(x));
  synchronize(kDevice);
  static_cast<void>(notes());
  static_cast<void>(fft::fft(x));
  static_cast<void>(fft::ifft(x));  // the same plan the other way
  FakeCufft n = notes();
  EXPECT_EQ(n.planned, 0);
  EXPECT_EQ(n.executed, 2);
  const Stream other = Stream::create(kDevice);
  {
    const StreamGuard guard(other);
    static_cast<void>(fft::fft(x));
    n = notes();
    EXPECT_EQ(n.planned, 1);  // which must not run on two streams at once
    EXPECT_EQ(n.stream, other.native());
    EXPECT_NE(n.area, nullptr);
    static_cast<void>(fft::fft(x));
    EXPECT_EQ(notes().planned, 0);
  }
  synchronize(kDevice);
}

TEST(FftLibrary, StridesGoToTheLibraryWithoutCopies) {
  TANDEM_NEEDS_FAKE();
  const Tensor x = numbers({6, 10, 7}, DType::complex64).to(kDevice);
  static_cast<void>(notes());
  static_cast<void>(fft::fft(x));  // all rows one after the other
  FakeCufft n = notes();
  EXPECT_EQ(n.n, 7);
  EXPECT_EQ(n.batch, 60);
  EXPECT_EQ(n.in_stride, 1);
  EXPECT_EQ(n.in_distance, 7);
  static_cast<void>(fft::fft(x, {}, 0));  // columns
  n = notes();
  EXPECT_EQ(n.n, 6);
  EXPECT_EQ(n.batch, 70);
  EXPECT_EQ(n.in_stride, 70);
  EXPECT_EQ(n.in_distance, 1);
  EXPECT_EQ(n.executed, 1);
  static_cast<void>(fft::fft(x, {}, 1));  // of each of six matrices
  n = notes();
  EXPECT_EQ(n.batch, 7);
  EXPECT_EQ(n.in_stride, 7);
  EXPECT_EQ(n.out_stride, 7);
  EXPECT_EQ(n.executed, 6);
  static_cast<void>(fft::fft(x.transpose(0, 2)));  // a view: rows 70 apart
  n = notes();
  EXPECT_EQ(n.in_stride, 70);
  EXPECT_EQ(n.out_stride, 1);
}

TEST(FftLibrary, ManyMatricesAreCopiedForOneCall) {
  TANDEM_NEEDS_FAKE();
  const Tensor host = numbers({40, 3, 41}, DType::complex128);
  static_cast<void>(notes());
  check(
      "fft", [](const Tensor& t) { return fft::fft(t, {}, 1); }, host, host.to(kDevice));
  const FakeCufft n = notes();
  EXPECT_EQ(n.executed, 1);
  EXPECT_EQ(n.batch, 1640);
}

/// Real rows that do not begin where complex elements may are copied, not left to another provider.
TEST(FftLibrary, WhereRowsBeginDoesNotDecide) {
  TANDEM_NEEDS_FAKE();
  const Tensor host = numbers({13}, DType::float32);
  const Tensor x = host.to(kDevice).narrow(0, 1, 12);
  static_cast<void>(notes());
  check(
      "rfft", [](const Tensor& t) { return fft::rfft(t); }, host.narrow(0, 1, 12), x);
  EXPECT_EQ(notes().executed, 1);
}

TEST(FftLibrary, PlansAreLetGo) {
  TANDEM_NEEDS_FAKE();
  const Tensor x = numbers({400}, DType::complex64).to(kDevice);
  for (std::int64_t n = 14; n < 200; ++n) static_cast<void>(fft::fft(x, n));
  FakeCufft n = notes();
  EXPECT_LE(n.living, 128);
  EXPECT_GT(n.destroyed, 0);
  static_cast<void>(fft::fft(x, 199));
  EXPECT_EQ(notes().planned, 0);
  check(
      "fft", [](const Tensor& t) { return fft::fft(t, 14); }, numbers({400}, DType::complex64), x);
  EXPECT_EQ(notes().planned, 1);
}

TEST(FftLibrary, WithoutAPlanTheBuiltInOneComputes) {
  TANDEM_NEEDS_FAKE();
  const Tensor host = numbers({4, 13}, DType::complex128);
  static_cast<void>(notes());
  check(
      "fft", [](const Tensor& t) { return fft::fft(t); }, host, host.to(kDevice));
  EXPECT_EQ(notes().executed, 0);
}

TEST(FftLibrary, ExactModeAndNamesDecide) {
  TANDEM_NEEDS_FAKE();
  const Tensor host = numbers({4, 12}, DType::complex64);
  const Tensor x = host.to(kDevice);
  static_cast<void>(notes());
  {
    const ExactGuard exact;
    EXPECT_EQ(fft::provider(kDevice), "built-in");
    EXPECT_TRUE(equal(fft::fft(x).to(kCPU), fft::fft(host)));
  }
  {
    const fft::ProviderGuard own("built-in");
    EXPECT_TRUE(equal(fft::fft(x).to(kCPU), fft::fft(host)));
  }
  EXPECT_EQ(notes().executed, 0);
  {
    const fft::ProviderGuard library("cufft");
    EXPECT_EQ(fft::provider(kDevice), "cufft");
    EXPECT_NE(fft::provider_reason(kDevice).find("cuFFT 11.7"), std::string::npos);
    static_cast<void>(fft::fft(x));
  }
  EXPECT_EQ(notes().executed, 1);
}

TEST(FftLibrary, GraphsUsePlansThatWereMadeBefore) {
  TANDEM_NEEDS_FAKE();
  const Stream stream = Stream::create(kDevice);
  const Tensor host = numbers({3, 20}, DType::complex64);
  Tensor x = host.to(kDevice);
  Tensor y;
  synchronize(kDevice);
  {
    const StreamGuard guard(stream);
    static_cast<void>(fft::fft(x));
  }
  synchronize(kDevice);
  static_cast<void>(notes());
  const Graph graph = Graph::capture(stream, [&] { y = fft::fft(x); });
  EXPECT_EQ(notes().executed, 1);
  // The graph's plan stays, whatever else is planned.
  for (std::int64_t n = 20; n < 300; ++n) {
    const StreamGuard guard(stream);
    static_cast<void>(fft::fft(x, n));
  }
  for (const double factor : {1.0, 3.0}) {
    const StreamGuard guard(stream);
    x.copy_(host.to(kDevice) * factor);
    graph.replay();
    const Tensor want = expected([](const Tensor& t) { return fft::fft(t); }, host) * factor;
    EXPECT_LE(error_of(y, want), 8 * 0x1p-23);
  }
  static_cast<void>(notes());
  {
    const StreamGuard guard(stream);
    static_cast<void>(fft::fft(x));
  }
  EXPECT_EQ(notes().planned, 0);
}

TEST(FftLibrary, NothingIsPlannedInACapture) {
  TANDEM_NEEDS_FAKE();
  const Stream stream = Stream::create(kDevice);
  const Tensor host = numbers({3, 22}, DType::complex64);
  const Tensor x = host.to(kDevice);
  synchronize(kDevice);
  static_cast<void>(notes());
  Tensor y;
  const Graph graph = Graph::capture(stream, [&] { y = fft::fft(x); });  // the built-in one
  EXPECT_EQ(notes().planned, 0);
  {
    const StreamGuard guard(stream);
    graph.replay();
    EXPECT_LE(error_of(y, expected([](const Tensor& t) { return fft::fft(t); }, host)),
              16 * 0x1p-23);
  }
  const fft::ProviderGuard library("cufft");
  const std::string said =
      message_of([&] { static_cast<void>(Graph::capture(stream, [&] { y = fft::fft(x, 23); })); });
  EXPECT_NE(said.find("ran once before its stream is captured"), std::string::npos) << said;
}

/// Tables of the built-in transform that are made and uploaded at the first use, inside a capture:
/// they are there when the graph is replayed, and for work that is not of the graph.
TEST(FftTables, AreUploadedBesideACapture) {
  TANDEM_NEEDS_GPU();
  const fft::ProviderGuard own("built-in");
  for (const std::int64_t n : {1848, 1009, 6006}) {
    const Stream stream = Stream::create(kDevice);
    const Tensor host = numbers({2, n}, DType::complex64);
    const Tensor real = numbers({2, n}, DType::float32);
    Tensor x = host.to(kDevice), r = real.to(kDevice);
    Tensor y, z;
    synchronize(kDevice);
    const Graph graph = Graph::capture(stream, [&] {
      y = fft::fft(x);
      z = fft::rfft(r);
    });
    {  // before the graph ever ran
      const StreamGuard guard(stream);
      EXPECT_TRUE(equal(fft::fft(x).to(kCPU), fft::fft(host))) << n;
      EXPECT_TRUE(equal(fft::rfft(r).to(kCPU), fft::rfft(real))) << n;
    }
    for (int turn = 0; turn < 2; ++turn) {
      const StreamGuard guard(stream);
      graph.replay();
      EXPECT_TRUE(equal(y.to(kCPU), fft::fft(host))) << n;
      EXPECT_TRUE(equal(z.to(kCPU), fft::rfft(real))) << n;
    }
  }
}

TEST(FftLibrary, ThreadsAndStreams) {
  TANDEM_NEEDS_GPU();
  const Tensor host = numbers({5, 18}, DType::complex64);
  const Tensor want = expected([](const Tensor& t) { return fft::fft(t); }, host);
  const Tensor x = host.to(kDevice);
  synchronize(kDevice);
  std::vector<std::thread> threads;
  std::vector<double> errors(4, 1);
  for (double& e : errors) {
    threads.emplace_back([&] {
      const Stream stream = Stream::create(kDevice);
      const StreamGuard guard(stream);
      e = 0;
      for (int i = 0; i < 20; ++i) e = std::max(e, error_of(fft::fft(x), want));
    });
  }
  for (std::thread& t : threads) t.join();
  for (const double e : errors) EXPECT_LE(e, 16 * 0x1p-23);
}

}  // namespace
