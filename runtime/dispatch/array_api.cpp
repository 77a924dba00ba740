// The functions of the Python Array API standard.
#include "tandem/array_api.h"

namespace tandem {

std::vector<StandardFunction> array_api_functions() {
  return {
#define TANDEM_ARRAY_API(part, name, op, kinds, parameters) {#part, #name, op, #kinds, parameters},
#include "tandem/ops/array_api.def"
#undef TANDEM_ARRAY_API
  };
}

}  // namespace tandem
