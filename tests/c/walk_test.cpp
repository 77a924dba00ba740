// Every row of the op table through tandem/c.h: the bits of the C++ boxed call, or its error.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <set>
#include <thread>

#include "tandem/c.h"
#include "tandem/c_handles.h"
#include "tandem/call.h"
#include "tests/support/outcome.h"
#include "tests/support/row_calls.h"

using namespace tandem;
using test::Args;
using test::Outcome;

namespace {

/// One call's arguments as C has them, and what keeps them alive.
class CArgs {
 public:
  ~CArgs() {
    for (tandem_tensor* t : tensors_) tandem_tensor_release(t);
  }
  CArgs() = default;
  CArgs(const CArgs&) = delete;
  CArgs& operator=(const CArgs&) = delete;

  tandem_value of(const char* name, const Value& v) {
    return std::visit([&](const auto& x) { return make(name, x); }, v.variant());
  }

 private:
  tandem_value make(const char* name, const std::monostate&) { return tandem_none(name); }
  tandem_value make(const char* name, const Tensor& t) {
    return tandem_tensor_value(name, handle(t));
  }
  tandem_value make(const char* name, const std::vector<Tensor>& list) {
    auto& handles = lists_.emplace_back();
    for (const Tensor& t : list) handles.push_back(handle(t));
    return tandem_tensors_value(name, handles.data(), handles.size());
  }
  static tandem_value make(const char* name, const Scalar& s) {
    switch (s.kind()) {
      case Scalar::Kind::Bool:
        return tandem_bool(name, s.to_bool());
      case Scalar::Kind::Int:
        return tandem_int(name, s.to_int());
      case Scalar::Kind::UInt:
        return tandem_uint(name, s.to<std::uint64_t>());
      case Scalar::Kind::Float:
        return tandem_float(name, s.to_double());
      case Scalar::Kind::Complex:
        return tandem_complex(name, s.to_complex().real(), s.to_complex().imag());
    }
    return tandem_none(name);
  }
  static tandem_value make(const char* name, const std::string& s) {
    return tandem_text(name, s.c_str());
  }
  static tandem_value make(const char* name, const Dims& dims) {
    return tandem_ints(name, dims.data(), dims.size());
  }
  tandem_value make(const char* name, const std::vector<std::string>& texts) {
    auto& list = texts_.emplace_back();
    for (const std::string& s : texts) list.push_back(s.empty() ? nullptr : s.c_str());
    return tandem_texts(name, list.data(), list.size());
  }
  tandem_value make(const char* name, const SmallVector<Axis, 6>& axes) {
    std::vector<std::string>& names = names_.emplace_back();
    Dims& numbers = numbers_.emplace_back();
    for (const Axis& a : axes) {
      if (a.is_named()) {
        names.emplace_back(a.name().str());
      } else {
        numbers.push_back(a.index());
      }
    }
    EXPECT_TRUE(names.empty() || numbers.empty()) << "axes of both kinds";
    return names.empty() ? make(name, numbers) : make(name, names);
  }
  static tandem_value make(const char* name, const DType& t) {
    for (std::size_t i = 0;; ++i) {
      const char* text = nullptr;
      if (tandem_dtype_at(i, &text, nullptr) != TANDEM_OK) return tandem_none(name);
      if (dtype_by_name(text) == t) return tandem_dtype(name, text);
    }
  }
  tandem_value make(const char* name, const Device& d) {
    return tandem_device(name, names_.emplace_back(1, d.str())[0].c_str());
  }
  /// A generator at the same place as the C++ one.
  tandem_value make(const char* name, const Generator& g) {
    tandem_generator* fresh = nullptr;
    EXPECT_EQ(tandem_generator_create(g.initial_seed(), &fresh), TANDEM_OK);
    generators_.emplace_back(fresh, &tandem_generator_release);
    return tandem_generator_value(name, fresh);
  }

  tandem_tensor* handle(const Tensor& t) {
    if (!t.defined()) return nullptr;
    return tensors_.emplace_back(to_c(t));
  }

  std::vector<tandem_tensor*> tensors_;
  std::deque<std::vector<tandem_tensor*>> lists_;
  std::deque<std::vector<const char*>> texts_;
  std::deque<std::vector<std::string>> names_;
  std::deque<Dims> numbers_;
  std::vector<std::unique_ptr<tandem_generator, int (*)(tandem_generator*)>> generators_;
};

Value value_of(const tandem_value& v) {
  switch (v.kind) {
    case TANDEM_BOOL:
      return v.as.integer != 0;
    case TANDEM_INT:
      return v.as.integer;
    case TANDEM_FLOAT:
      return v.as.number;
    case TANDEM_COMPLEX:
      return Scalar(std::complex<double>(v.as.complex_parts[0], v.as.complex_parts[1]));
    case TANDEM_TEXT:
      return v.as.text;
    case TANDEM_INTS:
      return Dims(IntSpan(v.as.integers, v.count));
    default:
      ADD_FAILURE() << "a result of kind " << v.kind;
      return {};
  }
}

void take(Outcome& out, const tandem_results* results) {
  std::size_t count = 0;
  EXPECT_EQ(tandem_results_count(results, &count), TANDEM_OK);
  for (std::size_t i = 0; i < count; ++i) {
    tandem_value v;
    ASSERT_EQ(tandem_results_at(results, i, &v), TANDEM_OK);
    if (v.kind == TANDEM_TENSOR) {
      out.tensors.push_back(from_c(v.as.tensor));
    } else if (v.kind == TANDEM_TENSORS) {
      out.rest += std::to_string(v.count) + " tensors;";
      for (std::size_t k = 0; k < v.count; ++k) out.tensors.push_back(from_c(v.as.tensors[k]));
    } else {
      out.rest += test::str(value_of(v)) + ";";
    }
  }
}

/// The call with a copy of its arguments; `named`: every argument by its name, the last first.
Outcome c_outcome(const OpRow& row, const Args& given, bool named) {
  const Args args = test::moved(row, given, kCPU);
  const auto& params = schema_of(row).params;
  CArgs keep;
  std::vector<tandem_value> list;
  for (std::size_t k = 0; k < args.size(); ++k) {
    const bool by_name = named || params[k].keyword_only;
    list.push_back(keep.of(by_name ? params[k].name.c_str() : nullptr, args[k]));
  }
  if (named) std::reverse(list.begin(), list.end());
  Outcome out;
  tandem_manual_seed(99);
  tandem_results* results = nullptr;
  const int status = tandem_call(row.name, list.data(), list.size(), &results);
  if (status != TANDEM_OK) {
    EXPECT_EQ(results, nullptr);
    return {.tensors = {},
            .rest = tandem_last_error(),
            .raised = true,
            .unbound = status == TANDEM_NOT_IMPLEMENTED};
  }
  take(out, results);
  tandem_results_release(results);
  if (test::in_place(row) && !args.empty() && args[0].is<Tensor>())
    out.tensors.push_back(args[0].as<Tensor>());
  return out;
}

void compare(const OpRow& row, const Args& args, const std::string& what) {
  const Outcome expected = test::outcome(row, args);
  for (const bool named : {false, true}) {
    const Outcome got = c_outcome(row, args, named);
    EXPECT_EQ(test::difference(row, args, expected, got), "")
        << row.name << ", " << what << (named ? ", named" : "");
  }
}

/// Arguments of a row whose inputs are all alike.
Args regular_args(const OpRow& row, DType t, std::size_t inputs) {
  Args args;
  for (std::size_t k = 0; k < inputs; ++k) {
    const bool first_bool = k == 0 && (row.flags & kFirstIsBool) != 0;
    if (schema_of(row).params[k].type == "Scalar") {
      args.push_back(3);
    } else {
      args.push_back(test::varied({5, 7}, first_bool ? DType::bool_ : t, k + 1, true));
    }
  }
  return args;
}

TEST(CWalk, EveryRow) {
  const test::Calls own = test::irregular_calls();
  std::set<std::string> walked;
  for (const OpRow* row : op_rows()) {
    const auto found = own.find(row->name);
    if (found != own.end()) {
      for (std::size_t i = 0; i < found->second.size(); ++i)
        compare(*row, found->second[i], "call " + std::to_string(i));
      walked.insert(row->name);
      continue;
    }
    for (int i = 0; i < kNumDTypes; ++i) {
      const auto t = static_cast<DType>(i);
      const std::string what(name(t));
      if (row->family == Family::Generator) {
        compare(*row, test::generator_call(*row, t, kCPU), what);
      } else if (row->family == Family::Elementwise) {
        compare(*row, regular_args(*row, t, static_cast<std::size_t>(row->arity)), what);
      } else {  // works along an axis
        Args args = regular_args(*row, t, 1);
        args.emplace_back(1);
        compare(*row, args, what);
        if (row->family != Family::Reduction) continue;
        args[1] = Dims{0, 1};
        args.emplace_back(true);
        compare(*row, args, what + ", both axes");
      }
    }
    walked.insert(row->name);
  }
  EXPECT_EQ(walked.size(), op_rows().size());
}

/// Every row that has such forms: NAME_ and `out` give the bits of the plain call.
TEST(CWalk, OutAndInPlace) {
  for (const OpRow* row : op_rows()) {
    if (row->family != Family::Elementwise) continue;
    const Args args = regular_args(*row, dtype_of<float>, static_cast<std::size_t>(row->arity));
    const Outcome plain = test::outcome(*row, args);
    if (plain.raised) continue;
    CArgs keep;
    std::vector<tandem_value> list;
    const auto& params = schema_of(*row).params;
    for (std::size_t k = 0; k < args.size(); ++k)
      list.push_back(keep.of(params[k].keyword_only ? params[k].name.c_str() : nullptr, args[k]));
    const Tensor out = empty(plain.tensors[0].shape(), {.dtype = plain.tensors[0].dtype()});
    list.push_back(keep.of("out", out));
    tandem_tensor* result = nullptr;
    ASSERT_EQ(tandem_call_tensor(row->name, list.data(), list.size(), &result), TANDEM_OK)
        << tandem_last_error();
    EXPECT_EQ(from_c(result).body_ptr(), out.body_ptr());
    tandem_tensor_release(result);
    EXPECT_TRUE(test::same_bits(out, plain.tensors[0])) << row->name;
    const bool fits = args[0].is<Tensor>() && has_in_place(*row) &&
                      can_cast(plain.tensors[0].dtype(), args[0].as<Tensor>().dtype());
    if (!fits) continue;
    const Tensor self = args[0].as<Tensor>().clone();
    list.pop_back();
    list[0] = keep.of(nullptr, self);
    const std::string in_place = std::string(row->name) + "_";
    ASSERT_EQ(tandem_call_tensor(in_place.c_str(), list.data(), list.size(), nullptr), TANDEM_OK)
        << tandem_last_error();
    EXPECT_TRUE(test::same_bits(self, plain.tensors[0].to(self.dtype()))) << in_place;
  }
}

/// Errors and pushed streams belong to a thread; a tensor may be read by all and let go by any.
TEST(CWalk, Threads) {
  constexpr int kThreads = 4;
  tandem_tensor* shared = to_c(test::varied({40, 50}, dtype_of<double>));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int k = 0; k < kThreads; ++k) {
    tandem_tensor_retain(shared);
    threads.emplace_back([shared, k, &wrong] {
      const std::string op = "no_op_" + std::to_string(k);
      for (int i = 0; i < 200; ++i) {
        const tandem_value args[] = {tandem_tensor_value("x", shared), tandem_int("dim", k % 2)};
        tandem_tensor* out = nullptr;
        const bool failed = tandem_call_tensor(op.c_str(), args, 2, &out) == TANDEM_VALUE_ERROR;
        if (tandem_call_tensor("softmax", args, 2, &out) != TANDEM_OK) ++wrong;
        tandem_tensor_release(out);
        if (!failed || std::string(tandem_last_error()).find(op) == std::string::npos) ++wrong;
        if (tandem_stream_pop() != TANDEM_VALUE_ERROR) ++wrong;
      }
      tandem_tensor_release(shared);
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(from_c(shared).body_ptr()->refs, 2U);  // the handle's and that of this line
  tandem_tensor_release(shared);
}

TEST(CWalk, HandlesAreTensors) {
  const Tensor t = ones({2, 3});
  tandem_tensor* handle = to_c(t);
  EXPECT_EQ(from_c(handle).body_ptr(), t.body_ptr());
  EXPECT_EQ(tandem_tensor_release(handle), TANDEM_OK);
  EXPECT_EQ(to_c(Tensor()), nullptr);
  EXPECT_FALSE(from_c(nullptr).defined());
}

}  // namespace
