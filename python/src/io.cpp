// tandem.io: HDF5 files and pictures.
#include "tandem/io.h"

#include <nanobind/stl/string.h>

#include <string>

#include "convert.h"
#include "errors.h"
#include "function.h"

namespace tandem::python {
namespace {

/// A str or an os.PathLike.
std::string path_of(nb::handle path) {
  const nb::object text = steal(PyOS_FSPath(path.ptr()));
  TANDEM_EXPECTS(PyUnicode_Check(text.ptr()), TypeError,
                 "[io] expected a path that is a str, got bytes");
  // As Python's own open() does it, whatever the bytes of the name.
  const nb::object bytes = steal(PyUnicode_EncodeFSDefault(text.ptr()));
  return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}

Device device_argument(nb::handle o) {
  if (o.is_none()) return kCPU;
  const auto d = to_device(o.ptr());
  TANDEM_EXPECTS(d.has_value(), TypeError, "[io] expected a device, got " + type_name(o.ptr()));
  return *d;
}

const Tensor& tensor_argument(nb::handle o, const char* op) {
  if (!is_tensor(o.ptr())) {
    detail::fail<TypeError>(std::string("[") + op + "] expected a tensor, got " +
                            type_name(o.ptr()));
  }
  return as_tensor(o.ptr());
}

void save_hdf5(nb::handle path, nb::handle data, int gzip, nb::handle chunks) {
  io::Hdf5Options options;
  options.gzip = gzip;
  if (!chunks.is_none()) {
    const auto sizes = to_ints(chunks.ptr());
    TANDEM_EXPECTS(sizes.has_value(), TypeError,
                   "[save_hdf5] expected chunks to be a tuple of integers");
    options.chunks = *sizes;
  }
  const std::string file = path_of(path);
  if (is_tensor(data.ptr())) {
    const Tensor t = as_tensor(data.ptr());
    const nb::gil_scoped_release release;
    io::save_hdf5(file, t, options);
    return;
  }
  TANDEM_EXPECTS(
      PyDict_Check(data.ptr()), TypeError,
      "[save_hdf5] expected a tensor or a dict of tensors, got " + type_name(data.ptr()));
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const auto [key, value] : nb::borrow<nb::dict>(data)) {
    TANDEM_EXPECTS(
        PyUnicode_Check(key.ptr()), TypeError,
        "[save_hdf5] expected names of datasets that are str, got " + type_name(key.ptr()));
    tensors.emplace_back(text_of(key.ptr()), tensor_argument(value, "save_hdf5"));
  }
  const nb::gil_scoped_release release;
  io::save_hdf5(file, tensors, options);
}

Tensor load_hdf5(nb::handle path, const std::string& dataset, nb::handle index, nb::handle device) {
  const std::vector<Index> part = index.is_none() ? std::vector<Index>() : index_list(index.ptr());
  const std::string file = path_of(path);
  const Device to = device_argument(device);
  const nb::gil_scoped_release release;
  return io::load_hdf5(file, dataset, part, to);
}

nb::dict load_all_hdf5(nb::handle path, nb::handle device) {
  const std::string file = path_of(path);
  const Device to = device_argument(device);
  std::vector<std::pair<std::string, Tensor>> tensors;
  {
    const nb::gil_scoped_release release;
    tensors = io::load_all_hdf5(file, to);
  }
  nb::dict out;
  for (auto& [name, t] : tensors) out[nb::str(name.c_str(), name.size())] = nb::steal(wrap(t));
  return out;
}

/// A dict a dataset.
nb::list list_hdf5(nb::handle path) {
  nb::list out;
  for (const auto& d : io::list_hdf5(path_of(path))) {
    nb::dict entry;
    entry["name"] = d.name;
    entry["type"] = d.type;
    entry["dtype"] = d.loadable ? nb::steal(dtype_object(d.dtype)) : nb::none();
    entry["shape"] = nb::steal(size_object(d.shape));
    nb::list names;
    for (std::size_t i = 0; i < d.shape.size(); ++i) {
      names.append(nb::steal(wrap(i < d.names.size() ? d.names[i] : Name())));
    }
    entry["names"] = nb::tuple(names);
    entry["chunks"] = d.chunks.empty() ? nb::none() : nb::steal(int_tuple(d.chunks));
    entry["stored_bytes"] = d.stored_bytes;
    out.append(entry);
  }
  return out;
}

template <class F>
void write_picture(nb::handle path, nb::handle picture, const char* op, F&& write) {
  const std::string file = path_of(path);
  const Tensor t = tensor_argument(picture, op);
  const nb::gil_scoped_release release;
  write(file, t);
}

}  // namespace

void init_io(nb::module_& m) {
  using nb::arg;
  nb::module_ files = m.def_submodule("_io", "HDF5 files and pictures.");
  files.def(
      "save_hdf5", &save_hdf5, arg("path"), arg("data"), nb::kw_only(), arg("gzip") = 0,
      arg("chunks") = nb::none(),
      R"(Writes a tensor (as the dataset "data") or a dict of tensors, with their dimension names. gzip: level
from 0 (none) to 9; chunks: sizes of the parts that are packed. FileError where the file cannot be
written, which leaves the old one as it was; TypeError for what is no tensor.

>>> tandem.io.save_hdf5('x.h5', {'a': tandem.tensor([1, 2]), 'b': tandem.ones(3, names=('x',))})
>>> tandem.io.load_all_hdf5('x.h5')['b'].names
('x',))");
  files.def(
      "load_hdf5", &load_hdf5, arg("path"), arg("dataset") = "", arg("index") = nb::none(),
      nb::kw_only(), arg("device") = nb::none(),
      R"(Reads a dataset, the only one without a name, or with an index (as between the brackets of t[...]) the
part of it, onto a device. FileError where the file or the dataset is missing or malformed; IndexError
for an index out of range.

>>> tandem.io.save_hdf5('x.h5', tandem.arange(6).reshape(2, 3))
>>> tandem.io.load_hdf5('x.h5', 'data', index=(1, slice(0, 2)))
tensor([3, 4]))");
  files.def(
      "load_all_hdf5", &load_all_hdf5, arg("path"), nb::kw_only(), arg("device") = nb::none(),
      R"(Every loadable dataset, as a dict by name. FileError where the file is missing or malformed.

>>> tandem.io.save_hdf5('x.h5', {'a': tandem.tensor([1, 2])})
>>> tandem.io.load_all_hdf5('x.h5')
{'a': tensor([1, 2])})");
  files.def(
      "list_hdf5", &list_hdf5, arg("path"),
      R"(What the file holds: one dict a dataset with name, type, dtype, shape, names, chunks and stored_bytes.
FileError where the file is missing or malformed.

>>> tandem.io.save_hdf5('x.h5', tandem.zeros(2, 3))
>>> [(d['name'], d['shape'], d['stored_bytes']) for d in tandem.io.list_hdf5('x.h5')]
[('data', tandem.Size([2, 3]), 24)])");
  files.def(
      "read_image",
      [](nb::handle path) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release release;
        return io::read_image(file);
      },
      arg("path"),
      R"(A PNG or JPEG picture as uint8 (uint16 of 16 bits) [rows, columns, channels], with these names. FileError where the file
is missing or no such picture.

>>> tandem.io.write_png('x.png', tandem.zeros(2, 3, 3, dtype=tandem.uint8))
>>> tandem.io.read_image('x.png').shape
tandem.Size([2, 3, 3]))");
  files.def(
      "write_image",
      [](nb::handle path, nb::handle picture) {
        write_picture(path, picture, "write_image",
                      [](auto& file, auto& t) { io::write_image(file, t); });
      },
      arg("path"), arg("picture"),
      R"(Writes uint8 [rows, columns, channels] as PNG or JPEG, by the path's ending. FileError where the file
cannot be written; ValueError for another shape or ending, TypeError for another dtype.

>>> tandem.io.write_image('x.jpg', tandem.zeros(2, 3, 3, dtype=tandem.uint8))
>>> tandem.io.read_image('x.jpg').shape
tandem.Size([2, 3, 3]))");
  files.def(
      "write_png",
      [](nb::handle path, nb::handle picture, int level) {
        write_picture(path, picture, "write_png",
                      [&](auto& file, auto& t) { io::write_png(file, t, level); });
      },
      arg("path"), arg("picture"), arg("level") = 1,
      R"(Writes uint8 (or uint16) [rows, columns, channels] as PNG; level 0 packs nothing, 1 suits photographs,
2 to 9 are zlib's. FileError where the file cannot be written.

>>> x = tandem.tensor([[[0], [255]]], dtype=tandem.uint8)
>>> tandem.io.write_png('x.png', x, level=9)
>>> tandem.io.read_image('x.png').equal(x)
True)");
  files.def(
      "write_jpeg",
      [](nb::handle path, nb::handle picture, int quality) {
        write_picture(path, picture, "write_jpeg",
                      [&](auto& file, auto& t) { io::write_jpeg(file, t, quality); });
      },
      arg("path"), arg("picture"), arg("quality") = 90,
      R"(Writes uint8 [rows, columns, channels] as JPEG; quality 1 to 100. FileError where the file cannot be
written.

>>> tandem.io.write_jpeg('x.jpg', tandem.full((8, 8, 1), 128, dtype=tandem.uint8), quality=95)
>>> tandem.io.read_image('x.jpg')[0, 0].tolist()
[128])");
}

}  // namespace tandem::python
