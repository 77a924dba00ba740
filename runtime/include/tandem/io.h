// Files: tensors in HDF5 with their dimension names, and pictures in PNG and JPEG.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tandem/export.h"
#include "tandem/tensor.h"

/// Every function raises FileError where a file is missing, malformed or cannot be written. A file
/// is replaced as a whole or not at all: what stood at the path stays until the new one is
/// complete and on the disk. Calls may come from several threads; those on HDF5 run one at a time.
namespace tandem::io {

// ---- HDF5
// ----------------------------------------------------------------------------------------

struct Hdf5Options {
  int gzip = 0;  // 0: not compressed; 1 (fast) to 9 (small). Chunked either way if chunks are set
  Dims chunks = {};  // empty: contiguous, or chosen where gzip is set
};

/// Writes tensors as datasets of a new file, each under its name ("a/b" is b in group a). Dimension
/// names become HDF5 dimension labels and, where a name has one length in all tensors, shared
/// dimension scales, which xarray and netCDF tools read as dimensions. No time stamps: equal
/// tensors give equal files. bfloat16 is stored as a float type of its own, bool and complex as
/// h5py does. Raises ValueError for bad dataset names or options.
TANDEM_API void save_hdf5(const std::string& path,
                          const std::vector<std::pair<std::string, Tensor>>& tensors,
                          const Hdf5Options& options = {});
/// One tensor, as the dataset "data".
TANDEM_API void save_hdf5(const std::string& path, const Tensor& tensor,
                          const Hdf5Options& options = {});

/// What is known of a dataset before reading it.
struct DatasetInfo {
  std::string name;
  std::string type;  // Tandem's dtype, or in words what kind of data stands in the way of loading
  bool loadable = false;
  DType dtype = DType::kCount;  // where loadable
  Dims shape;
  Names names;  // empty, or one a dimension
  Dims chunks;  // empty where the data is contiguous
  std::uint64_t stored_bytes = 0;
};

/// The datasets of a file in the order of their names; scales without values of their own are left
/// out.
TANDEM_API std::vector<DatasetInfo> list_hdf5(const std::string& path);

/// Reads a dataset or, with an index, the part of it that t.index(index) would give: only that
/// part's bytes (for chunked data, its chunks) are read. Steps may be negative. An empty dataset
/// name stands for the only one of the file. Integers, floats, complex and bool of either byte
/// order; strings and records are refused. Raises IndexError for an index out of range, as index()
/// does.
TANDEM_API Tensor load_hdf5(const std::string& path, const std::string& dataset = "",
                            const std::vector<Index>& index = {}, Device device = kCPU);

/// Every loadable dataset with its name.
TANDEM_API std::vector<std::pair<std::string, Tensor>> load_all_hdf5(const std::string& path,
                                                                     Device device = kCPU);

// ---- pictures
// ------------------------------------------------------------------------------------

/// Reads a PNG or JPEG picture, told apart by its first bytes, as a tensor of shape rows x columns
/// x channels with these names: uint8, or uint16 for a PNG of 16 bits a sample. Channels: 1 grey, 2
/// grey and alpha, 3 RGB, 4 RGB and alpha. Palettes are expanded; samples are given as stored, no
/// colour profile or orientation is applied. A damaged or cut-off picture is an error.
TANDEM_API Tensor read_image(const std::string& path);

/// Writes uint8 or uint16 of shape rows x columns or rows x columns x (1 to 4) as PNG. `level` 0
/// packs nothing, 1 filters by averages and packs runs only: photographs come out within some
/// per cent of level 6 in a tenth of the time; 2 to 9 are zlib's. Raises ValueError or TypeError
/// for other tensors.
TANDEM_API void write_png(const std::string& path, const Tensor& picture, int level = 1);
/// Writes uint8 of shape rows x columns or rows x columns x (1 or 3) as JPEG; quality 1 to 100.
TANDEM_API void write_jpeg(const std::string& path, const Tensor& picture, int quality = 90);
/// write_png or write_jpeg, by the path's ending: .png, .jpg or .jpeg in any case.
TANDEM_API void write_image(const std::string& path, const Tensor& picture);

}  // namespace tandem::io
