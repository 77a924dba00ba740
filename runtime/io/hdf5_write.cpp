// Writes HDF5: datasets, their dimension labels and shared dimension scales.
#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "runtime/io/atomic_file.h"
#include "runtime/io/hdf5.h"
#include "tandem/check.h"
#include "tandem/io.h"
#include "tandem/ops.h"

namespace tandem::io {
namespace {

constexpr const char* kOp = "save_hdf5";
constexpr std::int64_t kChunkBytes = 1 << 20;

using Tensors = std::vector<std::pair<std::string, Tensor>>;

void check_name(const std::string& name, const std::set<std::string>& taken) {
  const auto fail = [&](const char* expected) {
    throw ValueError(std::string("[save_hdf5] expected the name of a dataset to be ") + expected +
                     ", got '" + name + "'");
  };
  if (name.empty()) fail("not empty");
  if (name.find('\0') != std::string::npos) fail("without zero bytes");
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") {
      fail("parts joined by '/', none of them empty, '.' or '..'");
    }
    begin = end + 1;
  }
  // A dataset cannot be a group as well.
  for (const std::string& other : taken) {
    if (other == name) fail("given once");
    if (other.starts_with(name + "/") || name.starts_with(other + "/")) {
      fail(("other than a group of the dataset '" + other + "'").c_str());
    }
  }
}

void check(const Tensors& tensors, const Hdf5Options& o) {
  std::set<std::string> taken;
  for (const auto& [name, t] : tensors) {
    check_name(name, taken);
    taken.insert(name);
    TANDEM_EXPECTS(t.defined() && !t.is_meta(), ValueError,
                   "[save_hdf5] expected tensor '" + name + "' to hold values, got " +
                       (t.defined() ? "one on the meta device" : "an undefined one"));
    if (o.chunks.empty()) continue;
    bool fits = o.chunks.size() == t.shape().size();
    for (const std::int64_t c : o.chunks) fits = fits && c > 0;
    TANDEM_EXPECTS(fits, ValueError,
                   "[save_hdf5] expected chunks to hold a positive size for each of the " +
                       std::to_string(t.dim()) + " dimensions of '" + name + "', got " +
                       std::to_string(o.chunks.size()) + " sizes");
  }
  TANDEM_EXPECTS(o.gzip >= 0 && o.gzip <= 9, ValueError,
                 "[save_hdf5] expected gzip from 0 to 9, got " + std::to_string(o.gzip));
}

/// About a megabyte, whole along the trailing dimensions.
Dims chunks_for(const Tensor& t, const Hdf5Options& o) {
  Dims chunks(std::span<const std::int64_t>(t.shape()));
  if (!o.chunks.empty()) {
    for (std::size_t d = 0; d < chunks.size(); ++d) chunks[d] = std::min(chunks[d], o.chunks[d]);
    return chunks;
  }
  std::int64_t budget = kChunkBytes / static_cast<std::int64_t>(t.element_size());
  for (std::size_t d = chunks.size(); d-- > 0;) {
    chunks[d] = std::min(chunks[d], std::max<std::int64_t>(1, budget));
    budget /= chunks[d];
  }
  return chunks;
}

class Writer {
 public:
  Writer(AtomicFile& target, const Hdf5Options& options) : target_(target), options_(options) {}

  void write(const Tensors& tensors) {
    open();
    for (const auto& [name, t] : tensors) write_dataset(name, t);
    write_names(tensors);
    if (!file_.close_now() || error_ != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    if (error_ != 0) target_.fail(std::strerror(error_));
    const std::string why = h5::Session::message();
    target_.fail(why.empty() ? "the HDF5 library refused" : "HDF5: " + why);
  }
  h5::Id expect(h5::Id id) const {
    if (!id.ok()) fail();
    return id;
  }
  void expect(herr_t status) const {
    if (status < 0) fail();
  }

  void open() {
    const h5::Id create = expect(h5::plist(H5Pcreate(H5P_FILE_CREATE)));
    expect(H5Pset_obj_track_times(create, false));
    const h5::Id access = expect(h5::sink(target_.descriptor(), &error_));
    // Version 1.8 of the format: its metadata carries checksums, so that damage is noticed.
    expect(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18));
    expect(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG));
    file_ = expect(h5::file(H5Fcreate("tandem", H5F_ACC_TRUNC, create, access)));
    group_properties_ = expect(h5::plist(H5Pcreate(H5P_GROUP_CREATE)));
    expect(H5Pset_obj_track_times(group_properties_, false));
  }

  h5::Id create_dataset(const std::string& name, hid_t type, const Dims& shape, hid_t properties) {
    SmallVector<hsize_t, 6> sizes;
    for (const std::int64_t n : shape) sizes.push_back(static_cast<hsize_t>(n));
    const int rank = static_cast<int>(sizes.size());
    const h5::Id space = expect(h5::space(
        rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, sizes.data(), nullptr)));
    return expect(h5::dataset(
        H5Dcreate2(file_, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT)));
  }

  h5::Id dataset_properties() {
    h5::Id p = expect(h5::plist(H5Pcreate(H5P_DATASET_CREATE)));
    expect(H5Pset_obj_track_times(p, false));
    return p;
  }

  /// Groups made on the way by the library itself would carry time stamps.
  void make_groups(const std::string& name) {
    for (auto end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1)) {
      const std::string group = name.substr(0, end);
      if (H5Lexists(file_, group.c_str(), H5P_DEFAULT) > 0) continue;
      expect(h5::object(
          H5Gcreate2(file_, group.c_str(), H5P_DEFAULT, group_properties_, H5P_DEFAULT)));
    }
  }

  void write_dataset(const std::string& name, const Tensor& t) {
    make_groups(name);
    const h5::Id properties = dataset_properties();
    if ((options_.gzip > 0 || !options_.chunks.empty()) && t.numel() > 0 && t.dim() > 0) {
      SmallVector<hsize_t, 6> chunks;
      for (const std::int64_t n : chunks_for(t, options_)) {
        chunks.push_back(static_cast<hsize_t>(n));
      }
      expect(H5Pset_chunk(properties, static_cast<int>(chunks.size()), chunks.data()));
      if (options_.gzip > 0) {
        if (t.element_size() > 1) expect(H5Pset_shuffle(properties));
        expect(H5Pset_deflate(properties, static_cast<unsigned>(options_.gzip)));
      }
    }
    const h5::Id type = expect(h5::type_of(t.dtype()));
    const h5::Id set =
        create_dataset(name, type, Dims(std::span<const std::int64_t>(t.shape())), properties);
    if (t.numel() > 0) {
      check_host_use(t);
      expect(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, t.data_ptr()));
    }
  }

  h5::Id open_dataset(const std::string& name) {
    return expect(h5::dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT)));
  }

  void write_names(const Tensors& tensors) {
    const std::map<std::string, std::int64_t> shared = shared_lengths(tensors);
    for (const auto& [name, length] : shared) make_scale(name, length, tensors);
    for (const auto& [name, t] : tensors) {
      if (!t.has_names()) continue;
      const h5::Id set = open_dataset(name);
      const bool is_scale = H5DSis_scale(set) > 0;
      const Names names = t.names();
      for (std::size_t d = 0; d < names.size(); ++d) {
        if (names[d].is_none()) continue;
        const std::string label(names[d].str());
        expect(H5DSset_label(set, static_cast<unsigned>(d), label.c_str()));
        if (is_scale || !shared.contains(label)) continue;
        const h5::Id scale = open_dataset(label);
        expect(H5DSattach_scale(set, scale, static_cast<unsigned>(d)));
      }
    }
  }

  /// The names that stand for one length in all tensors and whose place in the root group is free,
  /// or taken by the one-dimensional tensor of that very dimension: its coordinates.
  static std::map<std::string, std::int64_t> shared_lengths(const Tensors& tensors) {
    std::map<std::string, std::int64_t> lengths;
    std::set<std::string> refused;
    for (const auto& [unused, t] : tensors) {
      const Names names = t.names();
      for (std::size_t d = 0; t.has_names() && d < names.size(); ++d) {
        if (names[d].is_none()) continue;
        const std::string label(names[d].str());
        const auto [at, fresh] = lengths.emplace(label, t.shape()[d]);
        if (!fresh && at->second != t.shape()[d]) refused.insert(label);
      }
    }
    for (const auto& [name, t] : tensors) {
      const std::string root = name.substr(0, name.find('/'));
      if (!is_coordinate(name, t)) refused.insert(root);
    }
    for (const std::string& name : refused) lengths.erase(name);
    return lengths;
  }

  static bool is_coordinate(const std::string& name, const Tensor& t) {
    return t.dim() == 1 && t.has_names() && t.names()[0].str() == name;
  }

  /// A scale without values is written as netCDF writes a dimension without coordinates: no values
  /// are stored, and the tools show no variable.
  void make_scale(const std::string& name, std::int64_t length, const Tensors& tensors) {
    for (const auto& [given, t] : tensors) {
      if (given != name || !is_coordinate(given, t)) continue;
      expect(H5DSset_scale(open_dataset(name), name.c_str()));
      return;
    }
    const h5::Id properties = dataset_properties();
    const h5::Id set = create_dataset(name, H5T_IEEE_F32BE, Dims{length}, properties);
    char title[80];
    std::snprintf(title, sizeof(title),
                  "This is a netCDF dimension but not a netCDF variable.%10lld",
                  static_cast<long long>(length));
    expect(H5DSset_scale(set, title));
  }

  AtomicFile& target_;
  const Hdf5Options& options_;
  int error_ = 0;  // errno of the first failed write; before the file, which is closed first
  h5::Id file_;
  h5::Id group_properties_;
};

}  // namespace

void save_hdf5(const std::string& path, const Tensors& tensors, const Hdf5Options& options) {
  check(tensors, options);
  AtomicFile target(kOp, path);
  Tensors host;
  for (const auto& [name, t] : tensors) {
    const Tensor dense = t.cpu().contiguous();  // the file's enumeration knows 0 and 1 alone
    host.emplace_back(name, t.dtype() == DType::bool_ ? ne(dense, 0) : dense);
  }
  {
    const std::lock_guard lock(h5::process_mutex());
    const h5::Session session(kOp, path);
    Writer(target, options).write(host);
  }
  target.commit();
}

void save_hdf5(const std::string& path, const Tensor& tensor, const Hdf5Options& options) {
  save_hdf5(path, {{"data", tensor}}, options);
}

}  // namespace tandem::io
