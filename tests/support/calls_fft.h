// lint: oracle table. Calls of the rows of fft.def: see row_calls.h.
#pragma once

#include "tandem/fft.h"
#include "tests/support/call_data.h"

namespace tandem::test {

/// The walks compare bits, which are those of the built-in transform; libraries have tests of their
/// own (tests/host/fft_provider_test.cpp, tests/cuda/fft_library_test.cpp,
/// tests/python/test_fft.py).
inline const bool kBuiltInTransforms = (fft::set_provider("built-in"), true);

inline void add_fft_calls(Calls& c) {
  Tensor z = varied_complex({2, 3, 4}, DType::complex64, 1);
  z.rename_({"n", "h", "c"});
  Tensor x = varied({2, 3, 4}, DType::float32, 2);
  x.rename_({"n", "h", "c"});
  const Tensor d = varied_complex({5, 12}, DType::complex128, 3);
  const Tensor i = varied({6, 7}, DType::int16, 4);
  const Tensor h = varied({30}, DType::float16, 5);
  const Tensor none = ones_of({0, 4}, DType::complex64);
  for (const char* name : {"fft_fft", "fft_ifft", "fft_irfft", "fft_hfft"}) {
    c[name] = {{z},
               {z, Value(), "h"},
               {z, 7, 0, "ortho"},
               {z, 6, "c", "forward"},
               {d, 37},
               {d.t(), 5, 0, "backward"},
               {i},
               {h, 11},
               {x, 2, 1},
               {none},
               {d, 0},
               {d, 4, 2},
               {d, 4, 0, "none"},
               {ones_of({}, DType::float32)},
               {ones_of({3, 0}, DType::complex64)}};
  }
  for (const char* name : {"fft_rfft", "fft_ihfft"}) {
    c[name] = {{x},
               {x, Value(), "h"},
               {x, 7, 0, "ortho"},
               {x, 10, "c", "forward"},
               {i, 74},
               {i.t(), 5, 0, "backward"},
               {h},
               {ones_of({0, 4}, DType::float64)},
               {z},
               {x, -2},
               {x, 4, 3}};
  }
  for (const char* name : {"fft_fft2", "fft_ifft2", "fft_irfft2", "fft_hfft2", "fft_fftn",
                           "fft_ifftn", "fft_irfftn", "fft_hfftn"}) {
    c[name] = {{z},
               {z, Dims{5, 6}, Strings{"n", "c"}, "ortho"},
               {z, Dims{2, 3}, Dims{1, 0}, "forward"},
               {d, Dims{-1, 9}},
               {i},
               {x, Value(), Dims{0, 1}},
               {none},
               {d, Dims{1, 2, 3}},
               {d, Dims{4}, Dims{0, 1}},
               {d, Value(), Dims{1, 1}},
               {d, Dims{0, 4}},
               {d, Value(), Dims{0, 3}}};
  }
  for (const char* name : {"fft_rfft2", "fft_ihfft2", "fft_rfftn", "fft_ihfftn"}) {
    c[name] = {{x},
               {x, Dims{5, 6}, Strings{"n", "c"}, "ortho"},
               {x, Dims{2, 3}, Dims{1, 0}, "forward"},
               {i, Dims{-1, 9}},
               {i.t(), Value(), Dims{0, 1}},
               {d},
               {x, Dims{0, 4}}};
  }
  for (const char* name : {"fft_fftfreq", "fft_rfftfreq"}) {
    c[name] = {{9, 1.0, Value(), kCPU},     {8, 0.5, DType::float16, kCPU},
               {1, 1.0, Value(), kCPU},     {10, 2.0, DType::float64, kCPU},
               {0, 1.0, Value(), kCPU},     {-1, 1.0, Value(), kCPU},
               {4, 1.0, DType::int32, kCPU}};
  }
  for (const char* name : {"fft_fftshift", "fft_ifftshift"}) {
    c[name] = {{x}, {z, "h"}, {i, Dims{1}}, {d, Dims{0, 1}}, {i, 2}};
  }
}

inline void add_fft_long_calls(Calls& c) {
  const Tensor z = varied_complex({130'000}, DType::complex64, 1);
  const Tensor prime = varied_complex({30'011}, DType::complex64, 2);
  const Tensor rows = varied_complex({130, 1240}, DType::complex64, 3);
  const Tensor wide = varied_complex({40, 4096}, DType::complex128, 4);
  const Tensor real = varied({160, 1010}, DType::float32, 5);
  const Tensor doubles = varied({3, 50'000}, DType::float64, 6);
  const Tensor cube = varied_complex({40, 70, 60}, DType::complex64, 7);
  // Columns of several passes: whole blocks, parts of one, convolutions, steps, in several rows.
  const Tensor columns = varied_complex({2100, 50}, DType::complex64, 8);
  const Tensor real_columns = varied({4300, 24}, DType::float32, 10);
  const Tensor few = varied_complex({2, 3000, 9}, DType::complex128, 9);
  for (const char* name : {"fft_fft", "fft_ifft"}) {
    c[name] = {{z},
               {prime},
               {rows},
               {rows, Value(), 0},
               {rows.t(), 1024, -1, "ortho"},
               {wide},
               {real, 1021},
               {columns, Value(), 0},
               {columns, 1049, 0},
               {columns.slice(1, 1, 38), 2300, 0},
               {few, Value(), 1},
               {few.slice(2, {}, {}, 2), 2049, 1}};
  }
  for (const char* name : {"fft_irfft", "fft_hfft"}) {
    c[name] = {{z, 150'001}, {prime}, {rows}, {rows, 129, 0}, {wide, Value(), 0, "ortho"}};
  }
  for (const char* name : {"fft_rfft", "fft_ihfft"}) {
    c[name] = {{real},
               {real, 999, 1},
               {real, Value(), 0},
               {doubles},
               {doubles.t(), 3001, 0},
               {real_columns, Value(), 0},
               {real_columns, 4102, 0}};
  }
  for (const char* name : {"fft_fft2", "fft_ifft2", "fft_irfft2", "fft_hfft2", "fft_fftn",
                           "fft_ifftn", "fft_irfftn", "fft_hfftn"}) {
    c[name] = {{cube}, {rows, Dims{128, 1300}}};
  }
  for (const char* name : {"fft_rfft2", "fft_ihfft2", "fft_rfftn", "fft_ihfftn"}) {
    c[name] = {{real}, {doubles, Dims{4, 40'000}}};
  }
  for (const char* name : {"fft_fftfreq", "fft_rfftfreq"})
    c[name] = {{400'001, 1.0, Value(), kCPU}};
  for (const char* name : {"fft_fftshift", "fft_ifftshift"}) c[name] = {{cube}, {real, 1}};
}

/// Kernels that the first call of a row launches on a device, where not one.
inline void add_fft_launches(Launches& l) {
  for (const char* name : {"fft_rfft", "fft_irfft", "fft_hfft", "fft_ihfft"}) {
    l[name] = 2;  // a pass, and between its bins and those of pairs
  }
  l["fft_fft2"] = l["fft_ifft2"] = 2;  // one an axis
  l["fft_fftn"] = l["fft_ifftn"] = 3;
  for (const char* name : {"fft_rfft2", "fft_irfft2", "fft_hfft2", "fft_ihfft2"}) l[name] = 3;
  for (const char* name : {"fft_rfftn", "fft_irfftn", "fft_hfftn", "fft_ihfftn"}) l[name] = 4;
  l["fft_fftfreq"] = 5;   // two ranges, joined, times the step
  l["fft_rfftfreq"] = 2;  // a range times the step
}

}  // namespace tandem::test
