// A user's program against an installed Tandem: it must build with nothing but the installed files.
#include <tandem/tandem.h>

#include <cstdio>

namespace td = tandem;

int main() {
  td::Tensor x = td::arange(12).reshape({3, 4}).refine_names({"rows", "columns"});
  td::Tensor sums = x.sum("columns");
  const double expected[] = {6, 22, 38};
  for (int i = 0; i < 3; ++i) {
    if (sums[i].item<double>() != expected[i]) {
      std::printf("row %d: expected %g, got %g\n", i, expected[i], sums[i].item<double>());
      return 1;
    }
  }
  try {
    x.sum("channels");
    std::puts("expected an error for an axis that is not there");
    return 1;
  } catch (const td::Error& error) {
    std::printf("%s\n", error.what());
  }
  return 0;
}
