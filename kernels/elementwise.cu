// Binds the elementwise rows of the op table to their kernels.
#include "kernels/cuda/binary_table.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/ternary_table.h"
#include "kernels/cuda/unary_table.h"
#include "tandem/cuda/plan.h"

namespace tandem::cuda {

namespace {

/// Kernel::launch of a row of A inputs; `self` is its RowTable.
template <int A>
void launch_row(const void* desc, const void* self) {
  const auto& l = *static_cast<const ElementwiseLaunch*>(desc);
  const auto& row = *static_cast<const RowTable<A>*>(self);
  check(run_elementwise<A>(l, row.by_dtype[static_cast<int>(l.dtype)]), l.row->name);
}

template <int A>
int bind(const char* name, const RowTable<A>& row) {
  return host().bind(name, DeviceKind::CUDA, Kernel{&launch_row<A>, &row});
}

struct ElementwiseTables {
  UnaryTable unary;
  BinaryTable binary;
  TernaryTable ternary;
};

ElementwiseTables* make_tables() {
  auto* t = new ElementwiseTables();  // lives as long as the kernels are bound: to the end
  fill_unary_float32(t->unary);
  fill_unary_float64(t->unary);
  fill_unary_complex64(t->unary);
  fill_unary_complex128(t->unary);
  fill_unary_integers(t->unary);
  fill_binary_float32(t->binary);
  fill_binary_float64(t->binary);
  fill_binary_complex(t->binary);
  fill_binary_signed(t->binary);
  fill_binary_unsigned(t->binary);
  fill_ternary_inexact(t->ternary);
  fill_ternary_integers(t->ternary);
  return t;
}

}  // namespace

int bind_elementwise() {
  static const ElementwiseTables& t = *make_tables();
  int unknown = 0;
#define TANDEM_UNARY(name, ...) unknown += bind(#name, t.unary.rows[unary_##name]);
#define TANDEM_BINARY(name, ...) unknown += bind(#name, t.binary.rows[binary_##name]);
#define TANDEM_TERNARY(name, ...) unknown += bind(#name, t.ternary.rows[ternary_##name]);
#define TANDEM_QUATERNARY(name, ...) \
  unknown += bind(#name, t.ternary.quaternary[quaternary_##name]);
#include "tandem/ops/ops.def"
  return unknown;
}

}  // namespace tandem::cuda
