// PNG and JPEG: recorded pictures of every kind, writing and reading back, damage.
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tandem/io.h"
#include "tests/io/files.h"
#include "tests/support/needs.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const nlohmann::json& recorded() {
  static const nlohmann::json all =
      nlohmann::json::parse(std::ifstream(test::source_file("tests/data/pictures.json")));
  return all;
}

std::string unhex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

/// A smooth picture, which JPEG keeps well.
Tensor smooth(std::int64_t rows, std::int64_t columns, std::int64_t channels) {
  Tensor t = empty({rows, columns, channels}, {.dtype = DType::uint8});
  auto* p = t.data<std::uint8_t>();
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      for (std::int64_t k = 0; k < channels; ++k) {
        *p++ = static_cast<std::uint8_t>(30 + 40 * k + 90 * r / rows + 20 * c / columns);
      }
    }
  }
  return t;
}

TEST(Image, ReadsEveryKindOfPng) {
  const Folder folder;
  ASSERT_GT(recorded().size(), 20u);
  for (const auto& c : recorded()) {
    put(folder / "p", unhex(c["file"]));
    const Tensor t = io::read_image(folder / "p");
    const std::string what = c["what"];
    EXPECT_EQ(name(t.dtype()), c["dtype"].get<std::string>()) << what;
    EXPECT_EQ(t.names(), (Names{"rows", "columns", "channels"})) << what;
    const auto shape = c["shape"].get<std::vector<std::int64_t>>();
    ASSERT_TRUE(std::equal(shape.begin(), shape.end(), t.shape().begin(), t.shape().end())) << what;
    const auto pixels = c["pixels"].get<std::vector<int>>();
    std::vector<int> got;
    visit(t.dtype(), [&]<class T>() {
      if constexpr (fn::is_int_v<T>) {
        for (std::int64_t i = 0; i < t.numel(); ++i)
          got.push_back(static_cast<int>(t.data<T>()[i]));
      }
    });
    EXPECT_EQ(got, pixels) << what;
  }
}

TEST(Image, PngComesBack) {
  const Folder folder;
  for (const DType dtype : {DType::uint8, DType::uint16}) {
    for (const std::int64_t channels : {1, 2, 3, 4}) {
      const Tensor t = random_bits({13, 7, channels}, dtype, 3);
      io::write_png(folder / "a.png", t, static_cast<int>(channels));
      EXPECT_TRUE(same_bits(io::read_image(folder / "a.png"), t));
    }
    const Tensor flat = random_bits({5, 6}, dtype, 4);
    io::write_image(folder / "b.PNG", flat);
    EXPECT_TRUE(same_bits(io::read_image(folder / "b.PNG"), flat.unsqueeze(2)));
    const Tensor view = random_bits({3, 5, 4}, dtype, 5).permute({2, 1, 0}).slice(0, {}, {}, -1);
    io::write_png(folder / "c.png", view);
    EXPECT_TRUE(same_bits(io::read_image(folder / "c.png"), view));
  }
  EXPECT_EQ(folder.files(), 3u);
}

TEST(Image, EveryPngLevelKeepsThePixels) {
  const Folder folder;
  const Tensor t = smooth(61, 83, 3);
  std::vector<std::size_t> sizes;
  for (int level = 0; level <= 9; ++level) {
    io::write_png(folder / "a.png", t, level);
    EXPECT_TRUE(same_bits(io::read_image(folder / "a.png"), t)) << level;
    sizes.push_back(std::filesystem::file_size(folder / "a.png"));
  }
  EXPECT_GT(sizes[0], static_cast<std::size_t>(t.numel()));
  for (int level = 1; level <= 9; ++level) EXPECT_LT(sizes[level] * 4, sizes[0]) << level;
}

TEST(Image, EqualPicturesGiveEqualFiles) {
  const Folder folder;
  const Tensor t = random_bits({50, 60, 3}, DType::uint8, 1);
  for (const char* end : {".png", ".jpg"}) {
    io::write_image(folder / (std::string("a") + end), t);
    ::sleep(1);
    io::write_image(folder / (std::string("b") + end), t);
    EXPECT_EQ(bytes_of(folder / (std::string("a") + end)),
              bytes_of(folder / (std::string("b") + end)));
  }
}

TEST(Image, JpegComesBackNearly) {
  const Folder folder;
  for (const std::int64_t channels : {1, 3}) {
    const Tensor t = smooth(37, 53, channels);
    io::write_jpeg(folder / "a.jpg", t, 95);
    const Tensor back = io::read_image(folder / "a.jpg");
    ASSERT_EQ(back.shape()[2], channels);
    EXPECT_EQ(back.names(), (Names{"rows", "columns", "channels"}));
    int far = 0;
    for (std::int64_t i = 0; i < t.numel(); ++i) {
      far = std::max(far, std::abs(back.data<std::uint8_t>()[i] - t.data<std::uint8_t>()[i]));
    }
    EXPECT_LE(far, 6);
    io::write_jpeg(folder / "b.jpeg", t, 10);
    EXPECT_LT(fs::file_size(folder / "b.jpeg"), fs::file_size(folder / "a.jpg"));
  }
  const Tensor flat = full({16, 16}, 200, {.dtype = DType::uint8});
  io::write_image(folder / "c.jpg", flat);
  EXPECT_TRUE(same_bits(io::read_image(folder / "c.jpg"), flat.unsqueeze(2)));
}

TEST(Image, ReadsThePhotograph) {
  const Tensor t = io::read_image(test::source_file("docs/photo/dandelions.jpg"));
  EXPECT_GT(t.size("rows") * t.size("columns"), 1000000);
  EXPECT_EQ(t.size("channels"), 3);
  const auto* p = t.data<std::uint8_t>();
  EXPECT_NE(*std::max_element(p, p + t.numel()), *std::min_element(p, p + t.numel()));
}

TEST(Image, RefusesTensors) {
  const Folder folder;
  const std::string png = folder / "x.png", jpeg = folder / "x.jpg";
  const auto u8 = [](Dims shape) { return zeros(shape, {.dtype = DType::uint8}); };
  EXPECT_THROW(io::write_png(png, zeros({2, 2})), TypeError);
  EXPECT_THROW(io::write_jpeg(jpeg, zeros({2, 2}, {.dtype = DType::uint16})), TypeError);
  for (const Dims& shape :
       {Dims{2}, Dims{2, 2, 5}, Dims{2, 2, 0}, Dims{0, 2}, Dims{2, 0, 3}, Dims{1, 2, 2, 2}}) {
    EXPECT_THROW(io::write_png(png, u8(shape)), ValueError);
    EXPECT_THROW(io::write_jpeg(jpeg, u8(shape)), ValueError);
  }
  EXPECT_THROW(io::write_jpeg(jpeg, u8({2, 2, 4})), ValueError);
  EXPECT_THROW(io::write_jpeg(jpeg, u8({65501, 1})), ValueError);
  EXPECT_THROW(io::write_png(png, u8({1, 1000001})), ValueError);
  EXPECT_THROW(io::write_png(png, u8({2, 2}), 10), ValueError);
  EXPECT_THROW(io::write_jpeg(jpeg, u8({2, 2}), 0), ValueError);
  EXPECT_THROW(io::write_image(folder / "x.gif", u8({2, 2})), ValueError);
  EXPECT_THROW(io::write_png(png, empty({2, 2}, {.dtype = DType::uint8, .device = kMeta})),
               ValueError);
  EXPECT_THROW(io::write_png(folder / "no/x.png", u8({2, 2})), FileError);
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Image, AFailedWriteLeavesTheOldFile) {
  const Folder folder;
  const std::string path = folder / "x.png";
  io::write_png(path, zeros({2, 2}, {.dtype = DType::uint8}));
  const std::string old = bytes_of(path);
  {
    const FileLimit full(5000);
    EXPECT_THROW(io::write_png(path, random_bits({200, 200}, DType::uint8, 1)), FileError);
    EXPECT_THROW(io::write_jpeg(path, random_bits({200, 200}, DType::uint8, 1)), FileError);
  }
  EXPECT_EQ(bytes_of(path), old);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Image, RefusesFiles) {
  const Folder folder;
  EXPECT_THROW(io::read_image(folder / "none.png"), FileError);
  EXPECT_THROW(io::read_image(folder / ""), FileError);
  ::mkfifo((folder / "pipe").c_str(), 0600);
  EXPECT_THROW(io::read_image(folder / "pipe"), FileError);
  for (const char* bytes :
       {"", "\x89", "GIF89a", "\xff\xd8", "\xff\xd8\xff", "\x89PNG\r\n\x1a\n"}) {
    put(folder / "p", bytes);
    EXPECT_THROW(io::read_image(folder / "p"), FileError) << bytes;
  }
}

std::uint32_t crc(const std::string& bytes) {
  std::uint32_t c = ~0u;
  for (const char b : bytes) {
    c ^= static_cast<unsigned char>(b);
    for (int k = 0; k < 8; ++k) c = (c >> 1) ^ ((c & 1) ? 0xedb88320u : 0u);
  }
  return ~c;
}

std::string big_endian(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

/// A header that promises more pixels than the file can hold must not be believed.
TEST(Image, ChecksTheSizeFirst) {
  const Folder folder;
  io::write_png(folder / "a.png", zeros({4, 4, 3}, {.dtype = DType::uint8}));
  std::string png = bytes_of(folder / "a.png");
  const std::string head = "IHDR" + big_endian(60000) + big_endian(60000) + png.substr(24, 5);
  png.replace(12, 21, head + big_endian(crc(head)));
  put(folder / "a.png", png);
  io::write_jpeg(folder / "a.jpg", smooth(8, 8, 3));
  std::string jpeg = bytes_of(folder / "a.jpg");
  const auto frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xea\x60\xea\x60");
  put(folder / "a.jpg", jpeg);
  for (const char* file : {"a.png", "a.jpg"}) {
    try {
      io::read_image(folder / file);
      ADD_FAILURE() << file;
    } catch (const FileError& e) {
      EXPECT_NE(std::string(e.what()).find("60000 x 60000"), std::string::npos) << e.what();
    }
  }
}

TEST(Image, DamagedFilesAreErrors) {
  const Folder folder;
  const auto read = [](const std::string& path) {
    const Tensor t = io::read_image(path);
    EXPECT_LE(t.nbytes(), 64u << 20);
  };
  io::write_png(folder / "a.png", random_bits({9, 11, 3}, DType::uint8, 1));
  EXPECT_GT(try_damaged(bytes_of(folder / "a.png"), folder / "p", 10000, 1500, read), 1000);
  for (const std::size_t i : {std::size_t(1), recorded().size() - 1}) {
    EXPECT_GT(try_damaged(unhex(recorded()[i]["file"]), folder / "p", 10000, 1000, read), 500);
  }
  for (const std::int64_t channels : {1, 3}) {
    io::write_jpeg(folder / "a.jpg", smooth(33, 41, channels), 80);
    const std::string jpeg = bytes_of(folder / "a.jpg");
    EXPECT_GT(try_damaged(jpeg, folder / "p", 10000, 1500, read), 200);
    // A cut-off picture is never taken for a whole one; the last two bytes are only an end mark.
    for (std::size_t n = 0; n + 8 < jpeg.size(); ++n) {
      put(folder / "p", jpeg.substr(0, n));
      EXPECT_THROW(io::read_image(folder / "p"), FileError) << n << " of " << jpeg.size();
    }
  }
}

TEST(Image, CutPhotographsAreErrors) {
  const Folder folder;
  const std::string photo = bytes_of(test::source_file("docs/photo/dandelions.jpg"));
  for (const double part : {0.001, 0.3, 0.9}) {
    put(folder / "p",
        photo.substr(0, static_cast<std::size_t>(part * static_cast<double>(photo.size()))));
    EXPECT_THROW(io::read_image(folder / "p"), FileError) << part;
  }
}

}  // namespace
