// A user's elementwise function from C++ source, compiled at run time: for the host by the system's
// compiler, for a GPU by NVRTC, from the same text and with the same bits.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tandem/tensor.h"

namespace tandem {

/// An elementwise op of one's own:
///
///     SourceKernel f("template <class T> T damped(T x, T t, T rate) { return x * exp(-rate * t);
///     }",
///                    {.numbers = {{"rate", 0.5}}});
///     Tensor y = f({x, t});               // broadcasts and promotes as any op
///     Tensor z = f({x, t}, {{"rate", 2}});
///
/// The function is the last one in the source. It takes 1 to 5 elements of the inputs' promoted
/// dtype T (float for the 16-bit floats, Complex64 and Complex128 for complex ones) and then the
/// numbers, in T too; what it returns is cast to that dtype, or to `result`. In the source, the
/// elementwise ops of the table have their names (exp, lgamma, where, clamp, ...) and their bits,
/// and there is no standard library. Compiled at the first call for each combination of dtypes and
/// kept in a folder (TANDEM_CACHE_DIR, else the user's cache).
class TANDEM_API SourceKernel {
 public:
  /// An argument that is a number, with its default in the constructor.
  struct Number {
    std::string name;
    Scalar value;
  };
  struct Options {
    std::string function = {};         // empty: the last one that the source defines
    std::vector<Number> numbers = {};  // at most 8
    std::optional<DType> result = {};  // none: the promoted dtype
  };

  /// Raises ValueError for a source without a function, brackets that do not match, an #include, or
  /// too many numbers.
  explicit SourceKernel(std::string source) : SourceKernel(std::move(source), Options{}) {}
  SourceKernel(std::string source, Options options);

  /// The inputs on one device, of shapes that broadcast. Raises ShapeError and TypeError as any op,
  /// ValueError where the source does not compile (with the compiler's words) and for a number
  /// beyond T's range, TypeError for a number of an unknown name or of a kind that T does not hold,
  /// NotImplemented where there is no compiler.
  Tensor operator()(std::span<const Tensor> inputs, std::span<const Number> numbers = {}) const;
  Tensor operator()(std::initializer_list<Tensor> inputs,
                    std::initializer_list<Number> numbers = {}) const {
    return (*this)(std::span(inputs.begin(), inputs.size()),
                   std::span(numbers.begin(), numbers.size()));
  }

  const std::string& function() const;
  const std::vector<Number>& numbers() const;
  /// What it was made of, for another like it.
  const std::string& source() const;
  const std::optional<DType>& result() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tandem
