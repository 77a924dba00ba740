// Elementwise kernels from source on the host: bits of the table's ops, dtypes, layouts, errors,
// and what is kept on disk.
#include "tandem/source_kernel.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/source/program.h"
#include "runtime/source/store.h"
#include "tests/support/expect_error.h"
#include "tests/support/outcome.h"
#include "tests/support/source_kernels.h"

using namespace tandem;
using namespace tandem::test;

namespace fs = std::filesystem;
using Folder = KernelFolder;

namespace {

[[maybe_unused]] auto* const g_folder = ::testing::AddGlobalTestEnvironment(new Folder);

std::size_t files(const char* end) {
  std::size_t n = 0;
  for (const auto& f : fs::directory_iterator(Folder::path))
    n += f.path().extension() == end ? 1 : 0;
  return n;
}

const char* const kTwice = "template <class T> T twice(T x) { return x + x; }";

}  // namespace

TEST(SourceKernel, OpsOfTheTableHaveTheirNamesAndBits) {
  const SourceKernel f(source_of_all_rows(), {.numbers = {{"which", 0}}});
  manual_seed(3);
  float values[] = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 1e-40f};
  const Tensor special = from_blob(values, {8}, DType::float32).clone();
  const Tensor x = cat({(rand({500}) - 0.3) * 8, special});
  const Tensor y = cat({(rand({500}) - 0.3) * 6, flip(special)});
  int i = 0;
  for (const OpRow* row : callable_rows()) {
    std::vector<Value> args = {Value(x)};
    if (row->arity == 2) args.emplace_back(y);
    const Tensor expected = call_boxed(*row, args)[0].as<Tensor>().to(DType::float32);
    EXPECT_TRUE(same_bits(f({x, y}, {{"which", i++}}), expected)) << row->name;
  }
  EXPECT_GT(i, 70);
}

TEST(SourceKernel, EqualsTheSameExpressionOfOps) {
  manual_seed(5);
  const Tensor x = rand({300, 5}), t = rand({5}), rate = full({}, 0.25);
  const SourceKernel f("template <class T> T f(T x, T t, T rate) { return x * exp(-rate * t); }",
                       {.numbers = {{"rate", 0.5}}});
  EXPECT_TRUE(same_bits(f({x, t}), x * exp(t * -0.5)));
  EXPECT_TRUE(same_bits(f({x, t}, {{"rate", 0.25}}), x * exp(t * -0.25)));
  EXPECT_TRUE(same_bits(f({x.to(DType::float64), t}),
                        x.to(DType::float64) * exp(t.to(DType::float64) * -0.5)));
  // The 16-bit floats are computed in float and rounded once.
  const Tensor h = x.to(DType::float16);
  EXPECT_TRUE(
      same_bits(f({h, t.to(DType::bfloat16)}),
                h.to(DType::float32) * exp(t.to(DType::bfloat16).to(DType::float32) * -0.5)));
}

TEST(SourceKernel, EveryLayoutGivesWhatDenseInputsGive) {
  for (const SourceCase& c : source_cases()) {
    const SourceKernel f(c.source, {.numbers = c.numbers, .result = c.result});
    for (const auto& inputs : source_inputs(c)) {
      const Tensor out = f(inputs);
      std::vector<Tensor> dense;
      for (const Tensor& t : broadcast_tensors(inputs)) dense.push_back(t.contiguous());
      EXPECT_TRUE(same_bits(out, f(dense))) << c.source << " of rank " << out.dim();
      if (c.result) {
        EXPECT_EQ(out.dtype(), *c.result);
      }
    }
  }
}

TEST(SourceKernel, ThreadsDoNotChangeBits) {
  const SourceKernel f(kTwice);
  const Tensor x = rand({100'003}).slice(0, {}, {}, 3);
  const int before = get_num_threads();
  set_num_threads(1);
  const Tensor one = f({x});
  set_num_threads(3);
  EXPECT_TRUE(same_bits(f({x}), one));
  set_num_threads(before);
  EXPECT_TRUE(same_bits(one, x + x));
}

TEST(SourceKernel, NamesAndMetaTensors) {
  Tensor x = ones({2, 3});
  x.rename_({Name("N"), Name("C")});
  const SourceKernel f(kTwice);
  EXPECT_EQ(f({x}).names()[1], Name("C"));
  const Tensor meta = f({empty({4}, {.dtype = DType::float64, .device = kMeta})});
  EXPECT_TRUE(meta.is_meta());
  EXPECT_EQ(meta.dtype(), DType::float64);
}

TEST(SourceKernel, FindsTheLastFunction) {
  EXPECT_EQ(source::function_of("template <class T> T f(T x) { return x; }"), "f");
  EXPECT_EQ(source::function_of(
                "int a(int x) { return x; } int b ( int x )\n{ if (x) { } return a(x); }"),
            "b");
  EXPECT_EQ(source::function_of("// int c(int) {\nint a(int x) { return '{'; } /* int d() { */"),
            "a");
  EXPECT_EQ(source::function_of(
                "struct S { int x; }; int a(S s) noexcept { return s.x; } struct U { int y; };"),
            "a");
  EXPECT_EQ(source::function_of("int a(int x) { return x + 1'000 + '}' + 0xf'f; }"), "a");
  for (const char* f : {
           "const char* text() { return R\"(} \" { )\"; } float f(float x) { return x; }",
           "const char* t() { return u8R\"x( )\" } )x\"; } float f(float x) { return x; }",
           "float f(float x) noexcept(noexcept(x + x)) { return x; }",
           "float f(float x) noexcept { return x; }",
           "template <class T> requires(sizeof(T) > 1) T f(T x) { return x; }",
           "template <class T> T f(T x) requires(sizeof(T) > 1) { return x; }",
           "template <class T> requires requires(T x) { x + x; } T f(T x) { return x; }",
           "template <class T> T f(T x) requires requires { typename T; } { return x; }",
           "template <class T> concept C = requires(T x) { x + x; }; "
           "template <C T> T f(T x) { return x; }",
           "template <class T> auto f(T x) -> decltype(exp(x)) { return exp(x); }",
           "template <class T, class U = Complex<Complex<T>>> auto f(T x) -> U { return x; }",
           "template <class T> decltype(auto) f(T x) { return x; }",
           "[[nodiscard]] __attribute__((const)) float f(float x) [[gnu::hot]] { return x; }",
           "float f(float x, float y = {}) { return x + y; } struct alignas(16) S { int x; };",
           "float f(float x) { return x; } constexpr auto g = [](float x) { return x; };",
           "struct S { int x; }; bool operator==(S a, S b) { return a.x == b.x; } "
           "S operator()(S a) { return a; } float f(float x) { return x; }",
           "#define g(x) \\\n { x\nfloat f(float x) { return x; }\n#undef g",
           "// a line that goes on \\\n float g(float x) { }\nfloat f(float x) { return x; }",
           "float f(float x) { return x; } namespace n { float g(float x) { return x; } }",
           "float f(float x) { return x; } enum class E : decltype(1) { a = 1 };",
           "float f(float x) { return x; } int table[] = {1, 2}; static_assert(sizeof(int) == 4);",
       })
    EXPECT_EQ(source::function_of(f), "f") << f;
  tandem::testing::expect_error<ValueError>(
      [] { source::function_of("namespace n { float f(float x) { return x; } }"); },
      "name it by argument 'function'");
  for (const char* bad : {"", "int x;", "struct S { int x; };", "int f(int x);", "int f(int x) { ",
                          "int f(int x) { } }", "#include <cmath>\nint f(int x) { return x; }",
                          " #  include \"a\"\nint f(int x) { return x; }"})
    EXPECT_THROW(source::function_of(bad), ValueError) << bad;
  const SourceKernel f("float a(float x) { return x + 1; } float b(float x) { return x; }",
                       {.function = "a"});
  EXPECT_EQ(f({ones({1})}).item<float>(), 2);
  // Where the name is given, none is looked for.
  const SourceKernel made(
      "#if 1\nfloat f(float x) {\n#else\ndouble f(double x) {\n#endif\n"
      "return x + 2; }",
      {.function = "f"});
  EXPECT_EQ(made({ones({1})}).item<float>(), 3);
  EXPECT_THROW(SourceKernel("#include <cmath>\nfloat f(float x) { return x; }", {.function = "f"}),
               ValueError);
}

TEST(SourceKernel, Errors) {
  const SourceKernel f("template <class T> T f(T x, T n) { return x * n; }",
                       {.numbers = {{"n", 0.5}}});
  tandem::testing::expect_error<TypeError>(
      [&] {
        (void)f({ones({2}), ones({2}), ones({2}), ones({2}), ones({2}), ones({2})});
      },
      "1 to 5 tensors");
  tandem::testing::expect_error<TypeError>([&] { (void)f(std::span<const Tensor>()); },
                                           "1 to 5 tensors");
  tandem::testing::expect_error<TypeError>([&] { (void)f({ones({2})}, {{"m", 1}}); }, "'m'");
  tandem::testing::expect_error<TypeError>([&] { (void)f({arange(3)}); },
                                           "'n'");  // 0.5 is no int64
  tandem::testing::expect_error<TypeError>(
      [&] {
        (void)f({ones({2})}, {{"n", std::complex<double>(0, 1)}});
      },
      "'n'");
  EXPECT_EQ(f({arange(3)}, {{"n", 2.0}}).sum().item<std::int64_t>(), 6);
  const Tensor bytes = ones({2}, {.dtype = DType::uint8});
  for (const Scalar& n : {Scalar(256), Scalar(-1), Scalar(~std::uint64_t(0)), Scalar(1e30)}) {
    tandem::testing::expect_error<ValueError>(
        [&] {
          (void)f({bytes}, {{"n", n}});
        },
        "[f] argument 'n': value " + n.str());
  }
  const Tensor words = ones({2}, {.dtype = DType::uint64});
  for (const Scalar& n : {Scalar(std::uint64_t(1) << 63), Scalar(0x1p63)}) {
    EXPECT_EQ(f({words}, {{"n", n}}).data<std::uint64_t>()[1], std::uint64_t(1) << 63);
  }
  const SourceKernel wrong("template <class T> T g(T x) {\n  return x +;\n}");
  tandem::testing::expect_error<ValueError>([&] { (void)wrong({ones({2})}); },
                                            "g:2:");  // the line of the source
  const SourceKernel two("template <class T> T two(T x, T y) { return x + y; }");
  tandem::testing::expect_error<ShapeError>([&] { (void)two({ones({2}), ones({3})}); }, "[two]");
  tandem::testing::expect_error<ValueError>([&] { (void)two({ones({2})}); }, "argument 'source'");
  EXPECT_THROW(SourceKernel(kTwice, {.numbers = std::vector<SourceKernel::Number>(9, {"n", 1})}),
               ValueError);
}

TEST(SourceKernel, WhatIsKeptIsUsedAndDamageIsMended) {
  const std::string source = "template <class T> T kept(T x) { return x * 41; }";
  const Tensor x = ones({3});
  const std::size_t before = files(".so");
  EXPECT_EQ(SourceKernel(source)({x}).sum().item<float>(), 123);
  EXPECT_EQ(files(".so"), before + 1);
  EXPECT_EQ(SourceKernel(source)({x}).sum().item<float>(), 123);
  EXPECT_EQ(files(".so"), before + 1);
  // A damaged text is not taken for what it was, and is written anew.
  for (const auto& f : fs::directory_iterator(Folder::path)) {
    if (f.path().extension() == ".cpp") std::ofstream(f.path(), std::ios::app) << "//";
  }
  EXPECT_EQ(
      SourceKernel("template <class T> T kept(T x) { return x * 41; } ")({x}).sum().item<float>(),
      123);
  EXPECT_EQ(SourceKernel(source)({x}).sum().item<float>(), 123);
  // Nothing is left over.
  EXPECT_EQ(files(".log"), 0U);
}

TEST(SourceKernel, WhatWasCutShortIsNotRead) {
  const source::Store& store = source::Store::process();
  const std::string text("a program\0and what was made of it", 33);
  store.write_sealed("sealed", text, "test");
  EXPECT_EQ(store.read_sealed("sealed"), text);
  const std::string whole = store.read("sealed").value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    fs::resize_file(store.path("sealed"), size);
    EXPECT_EQ(store.read_sealed("sealed"), std::nullopt) << size;
    store.write("sealed", whole, "test");
  }
  std::string changed = whole;
  changed[12] ^= 1;
  store.write("sealed", changed, "test");
  EXPECT_EQ(store.read_sealed("sealed"), std::nullopt);
  EXPECT_EQ(store.read_sealed("none"), std::nullopt);
  fs::remove(store.path("sealed"));
}

TEST(SourceKernel, AFolderThatOthersCanWriteToIsNotUsed) {
  // In a process of its own, since a process has one folder.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const fs::path open = Folder::path / "open";
  fs::create_directory(open);
  ASSERT_EQ(chmod(open.c_str(), 0777), 0);
  EXPECT_EXIT(
      {
        setenv("TANDEM_CACHE_DIR", open.c_str(), 1);
        const bool elsewhere = source::Store::process().folder() != open.string();
        const bool there = fs::exists(source::Store::process().folder());
        const bool empty = fs::is_empty(open);
        fs::remove_all(Folder::path);
        std::exit(elsewhere && there && empty ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(SourceKernel, WithoutACompilerItSaysSo) {
  setenv("TANDEM_CXX", "/nonexistent/c++", 1);
  const SourceKernel f("template <class T> T never(T x) { return x; }");
  tandem::testing::expect_error<NotImplemented>([&] { (void)f({ones({2})}); }, "/nonexistent/c++");
  unsetenv("TANDEM_CXX");
  EXPECT_EQ(f({ones({2})}).sum().item<float>(), 2);
}
