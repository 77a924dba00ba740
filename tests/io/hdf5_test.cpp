// HDF5: what is saved comes back bit for bit, parts are what indexing gives, damage is an error.
#include <sys/stat.h>

#include <thread>

#include "tandem/io.h"
#include "tests/io/files.h"
#include "tests/support/needs.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const std::string kForeign = test::source_file("tests/data/foreign.h5");

TEST(Hdf5, EveryDTypeAndShapeComesBack) {
  const Folder folder;
  std::vector<std::pair<std::string, Tensor>> all;
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    unsigned k = 0;
    for (const Dims& shape : {Dims{}, Dims{1}, Dims{7}, Dims{2, 3}, Dims{2, 3, 4, 5}, Dims{0, 3}}) {
      all.emplace_back(std::string(name(dtype)) + "/" + std::to_string(k),
                       random_bits(shape, dtype, 100 * static_cast<unsigned>(d) + k));
      ++k;
    }
  }
  const std::string path = folder / "all.h5";
  io::save_hdf5(path, all);
  for (const auto& [name, t] : all) EXPECT_TRUE(same_bits(io::load_hdf5(path, name), t)) << name;
  const auto loaded = io::load_all_hdf5(path);
  EXPECT_EQ(loaded.size(), all.size());
  const auto infos = io::list_hdf5(path);
  ASSERT_EQ(infos.size(), all.size());
  for (const auto& info : infos) {
    EXPECT_TRUE(info.loadable) << info.name;
    EXPECT_EQ(info.type, info.name.substr(0, info.name.find('/')));
  }
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Hdf5, CompressedAndChunked) {
  const Folder folder;
  const Tensor t = arange(100000, {.dtype = DType::int32}).reshape({100, 1000});
  io::save_hdf5(folder / "plain.h5", t);
  io::save_hdf5(folder / "packed.h5", t, {.gzip = 4});
  io::save_hdf5(folder / "chunks.h5", {{"data", t}}, {.chunks = {7, 2000}});
  io::save_hdf5(folder / "small.h5", {{"a", scalar_tensor(3)}, {"b", zeros({0, 4})}}, {.gzip = 9});
  EXPECT_TRUE(same_bits(io::load_hdf5(folder / "packed.h5"), t));
  EXPECT_TRUE(same_bits(io::load_hdf5(folder / "chunks.h5"), t));
  EXPECT_TRUE(same_bits(io::load_hdf5(folder / "small.h5", "a"), scalar_tensor(3)));
  EXPECT_LT(fs::file_size(folder / "packed.h5"), fs::file_size(folder / "plain.h5") / 4);
  EXPECT_EQ(io::list_hdf5(folder / "chunks.h5")[0].chunks, (Dims{7, 1000}));
  EXPECT_TRUE(io::list_hdf5(folder / "plain.h5")[0].chunks.empty());
}

TEST(Hdf5, NamesComeBack) {
  const Folder folder;
  const std::string path = folder / "n.h5";
  const Tensor picture = rand({4, 5, 3}).refine_names({"rows", "columns", "channels"});
  const Tensor rows = arange(4).refine_names({"rows"});
  const Tensor half = rand({2, 5}).refine_names({"...", "columns"});
  const Tensor other = rand({2, 9}).refine_names({"batch", "channels"});
  io::save_hdf5(path, {{"picture", picture},
                       {"rows", rows},
                       {"group/half", half},
                       {"other", other},
                       {"plain", rand({2})}});
  for (const auto& [name, t] : std::vector<std::pair<std::string, Tensor>>{
           {"picture", picture}, {"rows", rows}, {"group/half", half}, {"other", other}}) {
    const Tensor back = io::load_hdf5(path, name);
    EXPECT_EQ(back.names(), t.names()) << name;
    EXPECT_TRUE(same_bits(back, t)) << name;
  }
  EXPECT_FALSE(io::load_hdf5(path, "plain").has_names());
  // The scales that only carry a name are no datasets to the user.
  std::string listed;
  for (const auto& info : io::list_hdf5(path)) listed += info.name + " ";
  EXPECT_EQ(listed, "group/half other picture plain rows ");
  EXPECT_EQ(io::load_hdf5(path, "picture", {0, kEllipsis}).names(), (Names{"columns", "channels"}));
}

TEST(Hdf5, ViewsAreSavedAsTheyLook) {
  const Folder folder;
  const Tensor t = arange(24, {.dtype = DType::float32}).reshape({2, 3, 4});
  for (const Tensor& view : {t.permute({2, 0, 1}), t.slice(2, {}, {}, -1), t.slice(1, 0, 3, 2),
                             t.select(0, 1), t.select(2, 0).unsqueeze(0).expand({3, 2, 3})}) {
    io::save_hdf5(folder / "v.h5", view);
    EXPECT_TRUE(same_bits(io::load_hdf5(folder / "v.h5"), view));
  }
}

/// Every slice with bounds and steps from a small list, over 0, 1 and 5 elements.
TEST(Hdf5, SlicesAreThoseOfTensors) {
  const Folder folder;
  for (const std::int64_t n : {0, 5}) {
    const Tensor t = arange(n * 2).reshape({n, 2});
    io::save_hdf5(folder / "s.h5", t);
    const std::vector<std::optional<std::int64_t>> bounds{{}, -9, -2, 0, 3, 9};
    for (const auto& start : bounds) {
      for (const auto& stop : bounds) {
        for (const std::int64_t step : {std::int64_t(1), std::int64_t(2), std::int64_t(7),
                                        std::int64_t(-1), std::int64_t(-3), INT64_MAX, INT64_MIN}) {
          const std::vector<Index> index{Slice{start, stop, step}};
          EXPECT_TRUE(same_bits(io::load_hdf5(folder / "s.h5", "", index), t.index(index)))
              << n << " " << start.value_or(99) << " " << stop.value_or(99) << " " << step;
        }
      }
    }
  }
}

TEST(Hdf5, PartsAreThoseOfTensors) {
  const Folder folder;
  const Tensor t = rand({6, 5, 4}).refine_names({"a", "b", "c"});
  const Slice all{};
  const std::vector<std::vector<Index>> indices{
      {0},
      {-1, 2},
      {1, 2, 3},
      {kEllipsis, 1},
      {kEllipsis},
      {kEllipsis, kEllipsis},
      {kEllipsis, 0, kEllipsis},
      {kNone, 1, kEllipsis, kNone, Slice{{}, {}, -2}},
      {Slice{4, 1, -1}, Slice{1, 4}, Slice{{}, {}, 3}},
      {all, all, -4},
      {true, 3},
      {false},
      {Slice{{}, {}, -1}, kEllipsis, Slice{{}, {}, -1}},
      {Slice{2, 2}, 0},
  };
  for (const auto& options : {io::Hdf5Options{}, io::Hdf5Options{.gzip = 1, .chunks = {4, 2, 3}}}) {
    io::save_hdf5(folder / "p.h5", t, options);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const Tensor part = io::load_hdf5(folder / "p.h5", "data", indices[i]);
      EXPECT_TRUE(same_bits(part, t.index(indices[i]))) << i;
      EXPECT_EQ(part.names(), t.index(indices[i]).names()) << i;
    }
    EXPECT_THROW(io::load_hdf5(folder / "p.h5", "data", {6}), IndexError);
    EXPECT_THROW(io::load_hdf5(folder / "p.h5", "data", {0, 0, 0, 0}), IndexError);
    EXPECT_THROW(io::load_hdf5(folder / "p.h5", "data", {Slice{{}, {}, 0}}), ValueError);
  }
}

std::uint64_t bytes_read_so_far() {
  std::ifstream file("/proc/self/io");
  std::string word;
  std::uint64_t n = 0;
  file >> word >> n;
  return n;
}

TEST(Hdf5, OnlyTheWantedBytesAreRead) {
  const Folder folder;
  const Tensor t = arange(8 << 20, {.dtype = DType::float32}).reshape({2048, 4096});
  io::save_hdf5(folder / "big.h5", t);
  const std::uint64_t before = bytes_read_so_far();
  const Tensor rows = io::load_hdf5(folder / "big.h5", "data", {Slice{2000, 100, -500}});
  const std::uint64_t read = bytes_read_so_far() - before;
  EXPECT_TRUE(same_bits(rows, t.slice(0, 2000, 100, -500)));
  EXPECT_GE(read, rows.nbytes());
  EXPECT_LT(read, rows.nbytes() + (1u << 20));
}

TEST(Hdf5, EqualTensorsGiveEqualFiles) {
  const Folder folder;
  const Tensor t = rand({30, 40, 3}).refine_names({"rows", "columns", "channels"});
  const auto save = [&](const std::string& name, int gzip) {
    io::save_hdf5(folder / name,
                  {{"g/t", t}, {"first", t.select("channels", 0)}, {"rows", arange(30)}},
                  {.gzip = gzip});
    return bytes_of(folder / name);
  };
  const std::string plain = save("a", 0), packed = save("b", 5);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  // Other memory contents: what is not written must not reach the file.
  std::vector<std::string> noise(1000, std::string(5000, '\xaa'));
  noise.clear();
  EXPECT_EQ(plain, save("c", 0));
  EXPECT_EQ(packed, save("d", 5));
}

TEST(Hdf5, AFailedWriteLeavesTheOldFile) {
  const Folder folder;
  const std::string path = folder / "x.h5";
  io::save_hdf5(path, arange(10));
  const std::string old = bytes_of(path);
  const Tensor big = rand({1 << 20});
  for (const rlim_t limit : {0, 100, 700, 4096, 100000, 4 << 20}) {
    for (const int gzip : {0, 1}) {
      const FileLimit full(limit);
      EXPECT_THROW(io::save_hdf5(path, {{"a", big}, {"b", big}}, {.gzip = gzip}), FileError)
          << limit;
    }
    EXPECT_EQ(bytes_of(path), old);
    EXPECT_EQ(folder.files(), 1u);
  }
  EXPECT_THROW(io::save_hdf5(path, empty({2}, {.device = kMeta})), ValueError);
  EXPECT_THROW(io::save_hdf5(path, {{"a", big}, {"b", Tensor()}}), ValueError);
  EXPECT_EQ(bytes_of(path), old);
  // The library is as usable as before.
  io::save_hdf5(path, big);
  EXPECT_TRUE(same_bits(io::load_hdf5(path), big));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Hdf5, KeepsModeAndLinks) {
  const Folder folder;
  io::save_hdf5(folder / "real.h5", arange(3));
  ::chmod((folder / "real.h5").c_str(), 0640);
  fs::create_symlink("real.h5", folder / "link.h5");
  io::save_hdf5(folder / "link.h5", arange(4));
  EXPECT_TRUE(fs::is_symlink(folder / "link.h5"));
  EXPECT_EQ(io::load_hdf5(folder / "real.h5").numel(), 4);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "real.h5").permissions()), 0640);
}

TEST(Hdf5, RefusesNames) {
  const Folder folder;
  const Tensor t = arange(2);
  using List = std::vector<std::pair<std::string, Tensor>>;
  for (const List& bad :
       {List{{"", t}}, List{{"/a", t}}, List{{"a//b", t}}, List{{"a/", t}}, List{{".", t}},
        List{{"a/../b", t}}, List{{std::string("a\0b", 3), t}}, List{{"a", t}, {"a", t}},
        List{{"a", t}, {"a/b", t}}, List{{"a/b", t}, {"a", t}}}) {
    EXPECT_THROW(io::save_hdf5(folder / "n.h5", bad), ValueError) << bad.back().first;
  }
  EXPECT_THROW(io::save_hdf5(folder / "n.h5", t, {.gzip = 10}), ValueError);
  EXPECT_THROW(io::save_hdf5(folder / "n.h5", t, {.chunks = {0}}), ValueError);
  EXPECT_THROW(io::save_hdf5(folder / "n.h5", t, {.chunks = {1, 1}}), ValueError);
  EXPECT_EQ(folder.files(), 0u);
  io::save_hdf5(folder / "n.h5", {{"a b/ü", t}, {"a b/c", t}});
  EXPECT_TRUE(same_bits(io::load_hdf5(folder / "n.h5", "/a b/ü"), t));
}

template <class F>
void expect_error(F&& f, const std::string& part) {
  try {
    f();
    ADD_FAILURE() << "no error; expected " << part;
  } catch (const FileError& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(Hdf5, SaysWhatIsWrong) {
  const Folder folder;
  expect_error([&] { io::load_hdf5(folder / "none.h5"); }, "No such file");
  expect_error([&] { io::load_hdf5(folder / ""); }, "not a regular file");
  ::mkfifo((folder / "pipe").c_str(), 0600);
  expect_error([&] { io::load_hdf5(folder / "pipe"); }, "not a regular file");
  put(folder / "text", "hello");
  expect_error([&] { io::load_hdf5(folder / "text"); },
               "[load_hdf5] expected path to be an HDF5 file");
  expect_error([&] { io::list_hdf5(folder / "text"); }, "[list_hdf5]");
  expect_error([&] { io::save_hdf5(folder / "no/x.h5", arange(2)); }, "No such file");
  expect_error([&] { io::save_hdf5(folder / "", arange(2)); }, "folder");
  expect_error([&] { io::save_hdf5("/dev/full", arange(2)); }, "not a regular file");
  expect_error([&] { io::save_hdf5(folder / "pipe", arange(2)); }, "not a regular file");
  expect_error([&] { io::load_hdf5(kForeign, "absent"); }, "'absent'");
  expect_error([&] { io::load_hdf5(kForeign); }, "plain");
  expect_error([&] { io::load_hdf5(kForeign, "group"); }, "'group'");
}

TEST(Hdf5, ReadsForeignFiles) {
  EXPECT_TRUE(same_bits(io::load_hdf5(kForeign, "plain"),
                        arange(24, {.dtype = DType::float32}).reshape({2, 3, 4})));
  EXPECT_TRUE(same_bits(io::load_hdf5(kForeign, "soft", {1}),
                        arange(24, {.dtype = DType::float32}).reshape({2, 3, 4}).select(0, 1)));
  const Tensor chunked = arange(300, {.dtype = DType::int32}).reshape({20, 15});
  EXPECT_TRUE(same_bits(io::load_hdf5(kForeign, "chunked"), chunked));
  EXPECT_TRUE(same_bits(io::load_hdf5(kForeign, "chunked", {Slice{{}, {}, -3}, Slice{2, 9, 2}}),
                        chunked(Slice{{}, {}, -3}, Slice{2, 9, 2})));
  const Tensor packed = io::load_hdf5(kForeign, "packed");
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(packed.data<std::int64_t>()[i], i % 7);
  const Tensor big = io::load_hdf5(kForeign, "group/inner/big_endian");
  EXPECT_EQ(big.dtype(), DType::float64);
  EXPECT_EQ(big[1].item<double>(), -2.25);
  EXPECT_EQ(big[2].item<double>(), 1e300);
  const Tensor integers = io::load_hdf5(kForeign, "big_integer");
  EXPECT_EQ(integers.dtype(), DType::int32);
  EXPECT_EQ(integers(1, 1).item<int>(), -70000);
  EXPECT_EQ(io::load_hdf5(kForeign, "big_half").str(),
            "tensor([ 1.5000, -2.0000,     inf], dtype=torch.float16)");
  EXPECT_EQ(io::load_hdf5(kForeign, "bool").str(), "tensor([ True, False,  True])");
  EXPECT_EQ(io::load_hdf5(kForeign, "complex64").str(), "tensor([1.+2.0000j, -0.-3.5000j])");
  EXPECT_EQ(io::load_hdf5(kForeign, "complex128").item().to_complex(), std::complex(1e300, -1.0));
  EXPECT_EQ(io::load_hdf5(kForeign, "uint64").str(),
            "tensor([18446744073709551615,                    1], dtype=torch.uint64)");
  EXPECT_EQ(io::load_hdf5(kForeign, "scalar").item<float>(), 2.5f);
  EXPECT_EQ(io::load_hdf5(kForeign, "no_rows").str(),
            "tensor([], size=(0, 3), dtype=torch.float64)");
  EXPECT_TRUE(
      same_bits(io::load_hdf5(kForeign, "filled"), full({4, 5}, 7, {.dtype = DType::int16})));
}

TEST(Hdf5, ReadsForeignNames) {
  EXPECT_EQ(io::load_hdf5(kForeign, "labelled").names(), (Names{"rows", Name()}));
  EXPECT_EQ(io::load_hdf5(kForeign, "scaled").names(), (Names{"y", "x"}));
  EXPECT_EQ(io::load_hdf5(kForeign, "x").names(), (Names{"x"}));
  EXPECT_FALSE(io::load_hdf5(kForeign, "plain").has_names());
}

TEST(Hdf5, RefusesWhatIsNoTensor) {
  for (const auto& [name, words] :
       std::vector<std::pair<std::string, std::string>>{{"text", "strings"},
                                                        {"fixed_text", "strings"},
                                                        {"records", "records of 2 members"},
                                                        {"lists", "lists of variable length"},
                                                        {"colours", "an enumeration"},
                                                        {"none", "no value"}}) {
    expect_error([&, n = name] { io::load_hdf5(kForeign, n); }, words);
  }
  expect_error([&] { io::load_hdf5(kForeign, "outside"); }, "'outside'");
  std::size_t loadable = 0;
  const auto all = io::list_hdf5(kForeign);
  for (const auto& info : all) loadable += info.loadable;
  EXPECT_EQ(all.size(), loadable + 6);
  EXPECT_EQ(io::load_all_hdf5(kForeign).size(), loadable);
}

/// Lists the file and loads one dataset, another one at each call.
void read_some(const std::string& path) {
  static std::size_t turn = 0;
  const auto all = io::list_hdf5(path);
  if (all.empty()) return;
  const auto& info = all[turn++ % all.size()];
  if (!info.loadable) return;
  const Tensor t = turn % 2 == 0 || info.shape.empty()
                       ? io::load_hdf5(path, info.name)
                       : io::load_hdf5(path, info.name, {Slice{{}, {}, -2}});
  EXPECT_LE(t.nbytes(), 300u << 20);
}

/// TANDEM_TEST_DAMAGE multiplies the number of damaged files.
int damage(int n) {
  const char* more = std::getenv("TANDEM_TEST_DAMAGE");
  return more == nullptr ? n : n * std::atoi(more);
}

TEST(Hdf5, DamagedFilesAreErrors) {
  const Folder folder;
  io::save_hdf5(folder / "good.h5",
                {{"a", rand({3, 4}).refine_names({"rows", "columns"})},
                 {"g/b", arange(200).reshape({10, 20})},
                 {"c", random_bits({5}, DType::bool_, 1)},
                 {"d", random_bits({8}, DType::complex64, 2)}},
                {.gzip = 1});
  const int raised = try_damaged(bytes_of(folder / "good.h5"), folder / "bad.h5",
                                 static_cast<std::size_t>(damage(150)), damage(300), read_some);
  EXPECT_GT(raised, 200);
}

TEST(Hdf5, DamagedForeignFilesAreErrors) {
  const Folder folder;
  const int raised = try_damaged(bytes_of(kForeign), folder / "bad.h5",
                                 static_cast<std::size_t>(damage(150)), damage(600), read_some);
  EXPECT_GT(raised, 150);
}

TEST(Hdf5, ManyThreads) {
  const Folder folder;
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) {
    threads.emplace_back([&, k] {
      for (int i = 0; i < 20; ++i) {
        const std::string path = folder / (std::to_string(i % 2 == 0 ? k : 9) + ".h5");
        const Tensor t = full({50, 50}, k, {.dtype = DType::int32}).refine_names({"r", "c"});
        io::save_hdf5(path, t);
        const Tensor back = io::load_hdf5(path);
        EXPECT_TRUE(same_bits(back, full({50, 50}, back(0, 0).item(), {.dtype = DType::int32})));
        EXPECT_THROW(io::load_hdf5(folder / "none.h5"), FileError);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(folder.files(), 5u);
}

TEST(Hdf5, DevicesGiveTheSameFile) {
  TANDEM_NEEDS_GPU();
  const Folder folder;
  const Tensor t = rand({30, 50}).refine_names({"a", "b"});
  io::save_hdf5(folder / "cpu.h5", t);
  io::save_hdf5(folder / "cuda.h5", t.cuda(0));
  EXPECT_EQ(bytes_of(folder / "cpu.h5"), bytes_of(folder / "cuda.h5"));
  const Tensor back = io::load_hdf5(folder / "cpu.h5", "data", {Slice{{}, {}, -1}}, kCUDA);
  EXPECT_TRUE(back.device().is_cuda());
  EXPECT_TRUE(same_bits(back.cpu(), t.slice(0, {}, {}, -1)));
}

}  // namespace
