// What the stand-in of cuFFT notes: counts since they were reset, the last plan, the last
// execution.
#pragma once

struct FakeCufft {
  int planned = 0, destroyed = 0, executed = 0, living = 0;
  long long n = 0, batch = 0, in_stride = 0, in_distance = 0, out_stride = 0, out_distance = 0;
  void* stream = nullptr;
  void* area = nullptr;
};
