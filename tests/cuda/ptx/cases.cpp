// Walks the op table as kernels/cuda/*_table.h do, for the signatures alone. Compiled with the
// stand-in for CUDA's headers in tests/cuda/sim.
#include "tests/cuda/ptx/cases.h"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <typeinfo>

#include "kernels/cuda/binary_table.h"
#include "kernels/cuda/ternary_table.h"
#include "kernels/cuda/unary_table.h"

namespace tandem::ptx {

namespace {

static_assert(static_cast<int>(How::Vector) == static_cast<int>(cuda::Access::Vector));
static_assert(static_cast<int>(How::Elements) == static_cast<int>(cuda::Access::Elements));
static_assert(static_cast<int>(How::Broadcast) == static_cast<int>(cuda::Access::Broadcast));
static_assert(static_cast<int>(How::Number) == static_cast<int>(cuda::Access::Number));
static_assert(cuda::kThreads == 256);

template <class T>
std::string readable() {
  char* text = abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, nullptr);
  std::string name = text;
  std::free(text);
  return name;
}

template <int A>
std::vector<std::byte> make_params(std::int64_t count, const FlatOperand* operands) {
  cuda::FlatParams<A> p;
  std::memset(static_cast<void*>(&p), 0, sizeof p);
  p.count = count;
  for (int k = 0; k <= A; ++k) {
    p.data[k] = operands[k].data;
    p.number[k] = operands[k].number;
    p.access[k] = static_cast<cuda::Access>(operands[k].how);
  }
  std::vector<std::byte> bytes(sizeof p);
  std::memcpy(bytes.data(), &p, sizeof p);
  return bytes;
}

template <class F, class T, int A, int... K>
KernelCase make_case(const OpRow& row, int dtype, std::integer_sequence<int, K...>) {
  using Sig = cuda::signature_t<F, T, A>;
  KernelCase c;
  c.row = &row;
  c.arity = A;
  c.dtype = static_cast<DType>(dtype);
  c.kernel = "tandem::cuda::flat_kernel<" + readable<F>() + ", " + readable<T>() + ", " +
             std::to_string(A) + ">";
  c.storage[0] = dtype_of<typename Sig::output>;
  ((c.storage[K + 1] = dtype_of<cuda::input_t<F, T, K>>), ...);
  c.vector = Sig::V;
  c.unroll = Sig::U;
  c.params = &make_params<A>;
  return c;
}

template <class F, int A, std::uint32_t Set>
void add_row(std::vector<KernelCase>& list, const OpRow& row) {
  cuda::for_each_dtype<Set>([&]<class T>(int d) {
    list.push_back(
        make_case<fn::on_storage_t<F, T>, T, A>(row, d, std::make_integer_sequence<int, A>()));
  });
}

}  // namespace

std::vector<KernelCase> all_cases() {
  std::vector<KernelCase> list;
#define TANDEM_UNARY(name, functor, set, ...) \
  add_row<functor, 1, cuda::mask(dtypes::set)>(list, op::name);
#define TANDEM_BINARY(name, functor, set, ...) \
  add_row<functor, 2, cuda::mask(dtypes::set)>(list, op::name);
#define TANDEM_TERNARY(name, functor, set, ...) \
  add_row<functor, 3, cuda::mask(dtypes::set)>(list, op::name);
#define TANDEM_QUATERNARY(name, functor, set, ...) \
  add_row<functor, 4, cuda::mask(dtypes::set)>(list, op::name);
#include "tandem/ops/ops.def"
  return list;
}

}  // namespace tandem::ptx
