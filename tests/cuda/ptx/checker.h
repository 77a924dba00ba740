// One kernel against the host backend: launches that take every path of it, compared bit for bit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/cuda/ptx/cases.h"
#include "tests/cuda/ptx/inputs.h"
#include "tests/cuda/ptx/machine.h"

namespace tandem::ptx {

class Checker {
 public:
  /// `seeds`: of the errors of estimates; 0 where the kernel may hold none.
  Checker(const KernelCase& c, const Module& module, const std::string& symbol, std::int64_t random,
          std::uint32_t seeds);

  void run();

  std::int64_t elements() const { return elements_; }
  std::int64_t wrong() const { return wrong_; }
  const Program& program() const { return program_; }

 private:
  /// How the operands of one launch lie, which elements it takes, on how many blocks.
  struct Shape {
    std::int64_t first, count;
    unsigned blocks;
    How how[5];
  };
  using Elements = std::vector<std::vector<char>>;  // of each input

  Shape part(std::int64_t n, unsigned blocks);
  void run_paths();
  std::vector<char> expected_of(const Shape& s, const Elements& in) const;
  void launch(const Shape& s);
  void compare(const Shape& s, const char* got, const std::vector<char>& expected,
               const Elements& in);
  void report(const std::string& what);

  const KernelCase& c_;
  Program program_;
  Inputs inputs_;
  std::vector<char> expected_;
  std::uint32_t seeds_;
  std::int64_t next_ = 0, elements_ = 0, wrong_ = 0;
};

}  // namespace tandem::ptx
