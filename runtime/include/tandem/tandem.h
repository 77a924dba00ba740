// The whole public interface for the host compiler. CUDA users add tandem/cuda.h.
#pragma once

#include "tandem/exact.h"
#include "tandem/graph.h"
#include "tandem/indexing.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"
#include "tandem/products.h"
#include "tandem/random.h"
#include "tandem/scan.h"
#include "tandem/sorting.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"
#include "tandem/tf32.h"
