// Reads HDF5: a child process looks into the file, this one makes tensors of what it found.
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/io/hdf5.h"
#include "runtime/io/hdf5_child.h"
#include "tandem/io.h"

namespace tandem::io {
namespace {

Isolated run(const char* op, const std::string& path, const std::function<void(Child&)>& work) {
  struct stat st;
  const std::uint64_t bytes =
      ::stat(path.c_str(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
  const std::string crashed = "[" + std::string(op) +
                              "] expected path to be an intact HDF5 file, got '" + path +
                              "', on which the HDF5 library does not come to an end";
  return run_isolated(op, crashed, bytes, work);
}

Names names_of(const std::vector<std::string>& labels) {
  Names names;
  for (const std::string& s : labels) names.push_back(s.empty() ? Name() : Name(s));
  return names;
}

std::vector<DatasetInfo> list(const char* op, const std::string& path) {
  Isolated r = run(op, path, [&](Child& child) { h5::list(op, path, child); });
  std::vector<DatasetInfo> out;
  for (std::int64_t n = r.answer.number(); n > 0; --n) {
    h5::Found f = h5::get_found(r.answer);
    f.info.names = names_of(f.labels);
    out.push_back(std::move(f.info));
  }
  return out;
}

Tensor load(const char* op, const std::string& path, const std::string& dataset,
            const std::vector<Index>& index) {
  Isolated r = run(op, path, [&](Child& child) { h5::load(op, path, dataset, index, child); });
  const bool fits = r.answer.number() != 0;
  const h5::Found f = h5::get_found(r.answer);
  if (!fits) {
    // The checks of an index, and their messages, are those of a tensor.
    empty(f.info.shape, {.dtype = f.info.dtype, .device = kMeta}).index(index);
    throw IndexError("[" + std::string(op) + "] expected an index that fits '" + f.info.name + "'");
  }
  const h5::Part part = h5::part_of(index, f.info.shape);
  const Options options{.dtype = f.info.dtype, .device = kCPU, .names = names_of(f.labels)};
  const Tensor out = r.data == nullptr
                         ? empty(part.count, options)
                         : from_blob(r.data, part.count, f.info.dtype, options,
                                     [bytes = r.bytes](void* p) { ::munmap(p, bytes); });
  return index.empty() ? out : out.index(part.view);
}

}  // namespace

std::vector<DatasetInfo> list_hdf5(const std::string& path) { return list("list_hdf5", path); }

Tensor load_hdf5(const std::string& path, const std::string& dataset,
                 const std::vector<Index>& index, Device device) {
  const std::string name = dataset.substr(std::min(dataset.find_first_not_of('/'), dataset.size()));
  return load("load_hdf5", path, name, index).to(device);
}

std::vector<std::pair<std::string, Tensor>> load_all_hdf5(const std::string& path, Device device) {
  constexpr const char* kOp = "load_all_hdf5";
  std::vector<std::pair<std::string, Tensor>> out;
  for (const DatasetInfo& info : list(kOp, path)) {
    if (info.loadable) out.emplace_back(info.name, load(kOp, path, info.name, {}).to(device));
  }
  return out;
}

}  // namespace tandem::io
