// The extension module tandem._tandem: puts its parts together.
#include "objects.h"

NB_MODULE(_tandem, m) {
  using namespace tandem::python;
  m.doc() = "Tensors and the op table; import tandem instead.";
  // The dtypes and the op table's functions live as long as the process, on purpose.
  nb::set_leak_warnings(false);
  m.attr("__version__") = TANDEM_VERSION;
  init_errors(m);
  init_kinds(m);
  init_tensor(m);
  init_functions(m);
  // The table first: what is written by hand may stand over a row's own form.
  init_table(m);
  init_storage(m);
  init_creation();
  init_methods();
  init_indexing();
  init_names();
  init_numpy();
  init_buffer();
  init_dlpack(m);
  init_io(m);
  init_printing(m);
  init_runtime(m);
  init_memory(m);
  init_testing();
  init_generator(m);
  init_cuda_streams(m);
  init_array_api(m);
  init_default_device(m);
  init_source_kernel(m);
  init_interrupt();
  init_strict(m);
}
