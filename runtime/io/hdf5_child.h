// Reading HDF5 inside a child process; see Note [Isolated reading] in isolated.h. Internal.
#pragma once

#include <string>
#include <vector>

#include "runtime/io/isolated.h"
#include "tandem/index.h"
#include "tandem/io.h"

namespace tandem::io::h5 {

/// A DatasetInfo with names as texts: interning takes a lock, which a child must not.
struct Found {
  DatasetInfo info;
  std::vector<std::string> labels;  // empty, or one a dimension, "" for none
};
void put(Parcel& out, const Found& f);
Found get_found(Parcel& in);

/// What of a dataset is read, and the view of it that an index asks for.
struct Part {
  SmallVector<unsigned long long, 6> start, step;
  Dims count;
  std::vector<Index> view;
};
/// For an index that fits the shape.
Part part_of(const std::vector<Index>& index, const Dims& shape);
bool index_fits(const std::vector<Index>& index, const Dims& shape);

/// Answers with the number of datasets and each of them.
void list(const char* op, const std::string& path, Child& child);
/// Answers with 1 and the dataset, its values in the child's memory; with 0 and the dataset where
/// the index does not fit. An empty name stands for the only dataset.
void load(const char* op, const std::string& path, const std::string& dataset,
          const std::vector<Index>& index, Child& child);

}  // namespace tandem::io::h5
