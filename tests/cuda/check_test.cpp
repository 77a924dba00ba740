// lint: oracle table. Debug mode on a device: uses without order between streams are found whatever
// op makes them, orders of every kind are known, freed memory is poisoned. Without a GPU the
// backend is the simulated one.
#include "tandem/check.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tandem/call.h"
#include "tandem/memory.h"
#include "tandem/print.h"
#include "tandem/tandem.h"
#include "tests/support/device_calls.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::Args;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

constexpr Checks kOn{.streams = true, .memory = true};
// Before there is memory.
[[maybe_unused]] const bool g_on = (set_checks(kOn), true);

/// What a call raises as a mistake, empty where it is none.
std::string mistake_in(const std::function<void()>& f) { return test::message_of<CheckError>(f); }

std::string mistake_on(const Stream& s, const std::function<void()>& f) {
  return mistake_in([&] {
    const StreamGuard guard(s);
    f();
  });
}

/// Makes work of `after` wait for what `before` has got by now.
void order(const Stream& before, const Stream& after) {
  Event e;
  e.record(before);
  e.wait(after);
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

class Check : public ::testing::Test {
 protected:
  void SetUp() override {
    TANDEM_NEEDS_GPU();
    set_checks(kOn);
    a_ = current_stream(kDevice);
    b_ = Stream::create(kDevice);
    c_ = Stream::create(kDevice);
    synchronize(kDevice);
  }
  void TearDown() override {
    if (is_available(DeviceKind::CUDA)) synchronize(kDevice);
  }
  Tensor fresh(IntSpan shape = Dims{64, 32}) const { return ones(shape, {.device = kDevice}); }

  Stream a_, b_, c_;
};

TEST_F(Check, AReadWithoutOrderNamesBothOpsAndStreams) {
  const Tensor x = fresh();
  Tensor(x).mul_(2);
  const std::string text = mistake_on(b_, [&] { exp(x); });
  EXPECT_SAYS(text, "[exp] expected memory that stream ");
  EXPECT_SAYS(text, "float32 [64, 32]");
  EXPECT_SAYS(text, "'mul' wrote on the default stream of cuda:0");
  EXPECT_SAYS(text, "record an Event on the default stream of cuda:0 after 'mul'");
  EXPECT_EQ(x.cpu().sum().item<float>(), 2 * 64 * 32.0f);  // nothing has changed
  EXPECT_EQ(mistake_on(b_, [&] { exp(x); }), "");          // the host waited
}

TEST_F(Check, AWriteBesideAReadAndBesideAWrite) {
  Tensor x = fresh();
  synchronize(kDevice);
  {
    const StreamGuard guard(b_);
    (void)exp(x);
  }
  EXPECT_EQ(mistake_on(c_, [&] { sin(x); }), "");                    // two may read
  EXPECT_SAYS(mistake_on(a_, [&] { x.add_(1); }), "'sin' read on");  // the newest
  order(c_, a_);
  EXPECT_SAYS(mistake_on(a_, [&] { x.add_(1); }), "'exp' read on");
  order(b_, a_);
  EXPECT_EQ(mistake_on(a_, [&] { x.add_(1); }), "");
  EXPECT_SAYS(mistake_on(b_, [&] { x.fill_(1); }), "'add' wrote on");
}

TEST_F(Check, EveryKindOfOrderIsKnown) {
  Tensor x = fresh();
  const auto write = [&] { x.add_(1); };
  const auto read = [&] { return mistake_on(b_, [&] { exp(x); }); };
  const auto again = [&] {
    order(b_, a_);
    write();
    ASSERT_NE(read(), "");
  };
  write();
  again();
  order(a_, b_);
  EXPECT_EQ(read(), "");
  again();
  a_.synchronize();
  EXPECT_EQ(read(), "");
  again();
  synchronize(kDevice);
  EXPECT_EQ(read(), "");
  again();
  Event e;
  e.record(a_);
  EXPECT_NE(read(), "");
  e.synchronize();
  EXPECT_EQ(read(), "");
  again();
  e.record(a_);
  while (!e.query()) continue;
  EXPECT_EQ(read(), "");
  again();
  while (!a_.query()) continue;
  EXPECT_EQ(read(), "");
  again();
  order(a_, c_);  // by way of a third stream
  EXPECT_NE(read(), "");
  order(c_, b_);
  EXPECT_EQ(read(), "");
  again();
  order(a_, c_);
  c_.synchronize();  // which waited for a
  EXPECT_EQ(read(), "");
  again();
  e.record(a_);
  write();  // after the event
  e.wait(b_);
  EXPECT_NE(read(), "");
}

TEST_F(Check, WhatThePoolFindsOutIsNoOrder) {
  const Tensor x = fresh();
  Tensor(x).add_(1);
  for (int i = 0; i < 20; ++i) {  // memory goes between the streams; the pool asks for their work
    Tensor big = empty({1 << 20}, {.device = kDevice});
    set_checks({.memory = true});
    {
      const StreamGuard guard(b_);
      big.fill_(1);
    }
    big = {};
    trim_memory(kDevice);
    set_checks(kOn);
  }
  EXPECT_NE(mistake_on(b_, [&] { exp(x); }), "");
}

TEST_F(Check, PartsOfOneStorageAreApart) {
  const Tensor x = fresh({8, 64});
  Tensor left = x.slice(1, 0, 32), right = x.slice(1, 32, 64), top = x.slice(0, 0, 4);
  synchronize(kDevice);
  left.add_(1);
  EXPECT_EQ(mistake_on(b_, [&] { right.add_(1); }), "");
  EXPECT_NE(mistake_on(b_, [&] { top.add_(1); }), "");
  EXPECT_NE(mistake_on(b_, [&] { x.slice(1, 31, 33).add(1); }), "");
  EXPECT_EQ(mistake_on(b_, [&] { x.slice(1, 32, 64, 3).add(1); }), "");
  const Tensor even = x.slice(1, 0, 64, 2), odd = x.slice(1, 1, 64, 2);
  synchronize(kDevice);
  Tensor(even).mul_(2);
  EXPECT_EQ(mistake_on(b_, [&] { Tensor(odd).mul_(2); }), "");
  EXPECT_NE(mistake_on(c_, [&] { x.sum(); }), "");
}

TEST_F(Check, MemoryIsOfTheStreamItWasAllocatedOn) {
  Tensor x = empty({100}, {.device = kDevice});
  EXPECT_SAYS(mistake_on(b_, [&] { x.fill_(1); }), "'empty' allocated on the default stream");
  order(a_, b_);
  EXPECT_EQ(mistake_on(b_, [&] { x.fill_(1); }), "");
}

TEST_F(Check, TheUsersOwnWork) {
  const Tensor x = fresh();
  EXPECT_SAYS(mistake_in([&] { x.data(b_); }), "[data(stream)]");
  order(a_, b_);
  EXPECT_EQ(mistake_in([&] { x.data(b_); }), "");
  EXPECT_SAYS(mistake_on(a_, [&] { exp(x); }), "'data(stream)' wrote on stream");
  order(b_, a_);
  EXPECT_EQ(mistake_on(a_, [&] { exp(x); }), "");
}

TEST_F(Check, WrappedMemoryIsOfItsStream) {
  const Tensor own = fresh({256});
  order(a_, b_);
  {
    const Tensor x = from_blob(own.data_ptr(), {256}, DType::float32, {}, b_, nullptr);
    EXPECT_SAYS(mistake_on(a_, [&] { exp(x); }), "'from_blob' wrapped on stream");
    EXPECT_SAYS(mistake_on(a_, [&] { exp(own); }), "'from_blob' wrapped on stream");
    EXPECT_EQ(mistake_on(b_, [&] { exp(x); }), "");
    order(b_, a_);
    EXPECT_EQ(mistake_on(a_, [&] { Tensor(own).add_(1); }), "");
    EXPECT_SAYS(mistake_on(b_, [&] { exp(x); }), "'add' wrote on");  // the same bytes
  }
  EXPECT_SAYS(mistake_on(b_, [&] { exp(own); }), "'add' wrote on");
}

TEST_F(Check, Copies) {
  const Tensor x = fresh();
  EXPECT_NE(mistake_on(b_, [&] { x.cpu(); }), "");
  EXPECT_NE(mistake_on(b_, [&] { (void)x.select(0, 0).select(0, 0).item(); }), "");
  EXPECT_NE(mistake_on(b_, [&] { (void)str(x, print_options()); }), "");
  EXPECT_NE(mistake_on(b_, [&] { Tensor(x).copy_(ones({64, 32})); }), "");
  order(a_, b_);
  EXPECT_EQ(mistake_on(b_, [&] { x.cpu(); }), "");
  EXPECT_EQ(mistake_on(b_, [&] { Tensor(x).copy_(ones({64, 32})); }), "");
  order(b_, a_);  // the host's memory was read at once, but the device's may not be written yet
  EXPECT_EQ(mistake_on(a_, [&] { x.add(1); }), "");
}

TEST_F(Check, TheHostReadsWhatACopyStillWrites) {
  const Tensor x = fresh({16});
  Tensor h = empty({16});
  h.copy_(x, true);
  const auto all = [&] {
    return std::vector<std::string>{mistake_in([&] { h.add(1); }),
                                    mistake_in([&] { h.slice(0, 3, 9, 2).sum(); }),
                                    mistake_in([&] { h.fill_(0); }),
                                    mistake_in([&] { (void)str(h, print_options()); }),
                                    mistake_in([&] { (void)h.select(0, 3).item(); }),
                                    mistake_in([&] { check_host_use(h); })};
  };
  for (const std::string& text : all()) {
    EXPECT_SAYS(text, "expected memory that the host may ");
    EXPECT_SAYS(text, "'copy_' wrote on the default stream");
    EXPECT_SAYS(text, "wait for the default stream");
  }
  EXPECT_NE(mistake_on(b_, [&] { Tensor(empty({16}, {.device = kDevice})).copy_(h, true); }), "");
  EXPECT_EQ(mistake_in([&] { empty({16}).add(1); }), "");
  a_.synchronize();
  for (const std::string& text : all()) EXPECT_EQ(text, "");
  EXPECT_EQ(x.to(kCPU).add(1).sum().item<float>(), 32.0f);  // a copy that blocks is waited for
}

TEST_F(Check, ReportsAloneGoOn) {
  set_checks({.streams = true, .memory = true, .report = true});
  const Tensor x = fresh();
  const std::uint64_t before = mistakes_found();
  ::testing::internal::CaptureStderr();
  Tensor y;
  {
    const StreamGuard guard(b_);
    y = add(x, 1);
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(mistakes_found(), before + 1);
  EXPECT_SAYS(text, "[tandem] check: [add] expected memory that stream");
  synchronize(kDevice);
  EXPECT_EQ(y.cpu().sum().item<float>(), 2 * 64 * 32.0f);
  set_checks(kOn);
}

TEST_F(Check, NothingIsFoundWhereNothingIsLookedFor) {
  set_checks({.memory = true});
  const Tensor x = fresh();
  EXPECT_EQ(mistake_on(b_, [&] { exp(x); }), "");
  EXPECT_THROW(set_checks({}), ValueError);  // there are pools
  EXPECT_TRUE(checks().memory);
  set_checks(kOn);
}

// ---- every row

/// The tensors of a call, lists taken apart; each of its own.
std::vector<Tensor> take_apart(Args& args) {
  std::vector<Tensor> all;
  const auto own = [&](const Tensor& t) {
    if (!t.defined()) return t;
    all.push_back(t.clone());
    return all.back();
  };
  for (Value& v : args) {
    if (v.is<Tensor>()) {
      v = own(v.as<Tensor>());
    } else if (v.is<std::vector<Tensor>>()) {
      std::vector<Tensor> list;
      for (const Tensor& t : v.as<std::vector<Tensor>>()) list.push_back(own(t));
      v = std::move(list);
    }
  }
  return all;
}

std::vector<Tensor> tensors_in(const std::vector<Value>& values) {
  std::vector<Tensor> all;
  for (const Value& v : values) {
    if (v.is<Tensor>()) all.push_back(v.as<Tensor>());
    if (v.is<std::vector<Tensor>>())
      all.insert(all.end(), v.as<std::vector<Tensor>>().begin(), v.as<std::vector<Tensor>>().end());
  }
  return all;
}

void rewrite(const Tensor& t) { Tensor(t).copy_(t.clone()); }

/// Whether the row's device_call looks at no element of the tensors it is given: it gives views of
/// them, or wants the shape alone.
bool looks_at_nothing(const OpRow& row) {
  static const std::set<std::string> none = {"reshape",  "flatten",    "contiguous", "adjoint",
                                             "positive", "rand_like",  "randn_like", "randint_like",
                                             "isreal",   "einsum_path"};
  return (row.flags & kView) != 0 || none.contains(row.name);
}

/// Rows whose result is written by no one.
bool is_unset(const OpRow& row) {
  const std::string name = row.name;
  return name == "empty" || name == "empty_like";
}

/// Calls a row into tensors: into `out` of what it gave, and in place. Whether there is such a
/// form.
bool check_writes(const OpRow& row, const Args& given, const std::vector<Value>& made,
                  const Stream& a, const Stream& b) {
  std::vector<Tensor> results = tensors_in(made);
  if (results.empty() || results.size() != made.size()) return false;
  std::vector<Tensor*> out;
  for (Tensor& t : results) {
    if (!t.defined() || t.device() != kDevice || t.numel() == 0) return false;
    t = t.clone();
    out.push_back(&t);
  }
  std::vector<NamedValue> named;
  for (std::size_t i = 0; i < given.size(); ++i)
    named.push_back({schema_of(row).params[i].name, given[i]});
  const std::vector<Value> args = arguments_by_name(row, named);
  const RowCall calls(row);
  for (Tensor& t : results) {
    synchronize(kDevice);
    rewrite(t);
    EXPECT_NE(mistake_on(b, [&] { calls.write(args, out); }), "") << row.name << " into a tensor";
    order(a, b);
    EXPECT_EQ(mistake_on(b, [&] { calls.write(args, out); }), "") << row.name << " into a tensor";
    EXPECT_NE(mistake_on(a, [&] { t.clone(); }), "") << row.name << " into a tensor";
  }
  if (!has_in_place(row) || !args[0].is<Tensor>()) return true;
  Tensor first = args[0].as<Tensor>();
  Tensor* into[] = {&first};
  synchronize(kDevice);
  try {
    calls.write(args, into, true);
  } catch (const Error& e) {  // the result has another shape or dtype
    EXPECT_EQ(dynamic_cast<const CheckError*>(&e), nullptr) << e.what();
    return true;
  }
  synchronize(kDevice);
  {
    const StreamGuard guard(a);
    (void)exp(first.to(DType::float32));
  }  // reads it
  EXPECT_NE(mistake_on(b, [&] { calls.write(args, into, true); }), "") << row.name << " in place";
  order(a, b);
  EXPECT_EQ(mistake_on(b, [&] { calls.write(args, into, true); }), "") << row.name << " in place";
  EXPECT_NE(mistake_on(a, [&] { first.clone(); }), "") << row.name << " in place";
  return true;
}

TEST_F(Check, EveryRowsInputsOutputsAndFormsAreSeen) {
  int rows = 0, inputs = 0, outputs = 0, forms = 0, left_out = 0;
  for (const OpRow* row : op_rows()) {
    if (test::needs_absent_library(*row, kDevice)) {
      ++left_out;
      continue;
    }
    Args args = test::device_call(*row, kDevice);
    const std::vector<Tensor> given = take_apart(args);
    std::vector<Value> made;
    const auto call = [&] { made = call_boxed(*row, args); };
    ++rows;
    for (const Tensor& t : given) {
      if (t.numel() == 0 || looks_at_nothing(*row)) continue;
      synchronize(kDevice);
      rewrite(t);
      EXPECT_NE(mistake_on(b_, call), "") << row->name;
      order(a_, b_);
      ASSERT_EQ(mistake_on(b_, call), "") << row->name;
      if ((row->flags & kSyncs) == 0) {  // else the host may have waited
        EXPECT_NE(mistake_on(c_, [&] { rewrite(t); }), "") << row->name;
      }
      ++inputs;
    }
    synchronize(kDevice);
    ASSERT_EQ(mistake_on(b_, call), "") << row->name;
    for (const Tensor& t : tensors_in(made)) {
      const bool own = t.defined() && t.device() == kDevice && t.numel() > 0 &&
                       std::none_of(given.begin(), given.end(),
                                    [&](const Tensor& g) { return g.shares_storage(t); });
      if (!own) continue;
      const std::string text = mistake_on(a_, [&] { t.clone(); });
      // One that says which matrix has no result has waited for all it wrote.
      if (text.empty() && test::is_factorisation(*row) && (row->flags & kSyncs) != 0) continue;
      // Else a write that is taken for a read would hide behind the allocation.
      EXPECT_NE(text.find(is_unset(*row) ? "allocated on" : "wrote on"), std::string::npos)
          << row->name << ": " << text;
      ++outputs;
    }
    synchronize(kDevice);
    if ((row->flags & kView) == 0) forms += check_writes(*row, args, made, a_, b_) ? 1 : 0;
  }
  std::printf("%d rows, %d inputs, %d outputs, %d written into; %d left out: they need cuSOLVER\n",
              rows, inputs, outputs, forms, left_out);
  EXPECT_EQ(rows + left_out, static_cast<int>(op_rows().size()));
  EXPECT_GT(inputs, 400);
  EXPECT_GT(outputs, 250);
  EXPECT_GT(forms, 200);
}

// ---- memory that was freed

TEST_F(Check, MemoryThatWasFreedIsNamed) {
  void* p = nullptr;
  {
    const Tensor x = fresh({1000});
    p = mul(x, 2).data_ptr();  // of a tensor that is gone
  }
  const Tensor stale = from_blob(p, {1000}, DType::float32, {.device = kDevice});
  const std::string text = mistake_in([&] { exp(stale); });
  EXPECT_SAYS(text, "[exp] expected memory that is alive, got a tensor of float32 [1000]");
  EXPECT_SAYS(text, "allocated in 'mul'");
  EXPECT_SAYS(text, "freed after 'mul'");
  EXPECT_NE(mistake_in([&] { stale.data(a_); }), "");
  EXPECT_NE(mistake_in([&] { stale.cpu(); }), "");
}

TEST_F(Check, MemoryThatAnotherTensorGotIsNoOnesToWrap) {
  Tensor x = fresh({1 << 20});
  const Tensor wrapped = from_blob(x.data_ptr(), {1 << 20}, DType::float32, {.device = kDevice});
  EXPECT_EQ(mistake_in([&] { exp(wrapped); }), "");
  const void* at = x.data_ptr();
  x = {};
  trim_memory(kDevice, ~std::size_t{0});  // gives up what is held back, and keeps it
  x = fresh({1 << 20});
  ASSERT_EQ(x.data_ptr(), at);
  EXPECT_SAYS(mistake_in([&] { exp(wrapped); }), "given out again");
}

TEST_F(Check, FreedMemoryIsPoisonedInStreamOrder) {
  float* p = nullptr;
  {
    const Tensor x = fresh({1000});
    p = x.data<float>();
  }
  set_checks({.memory = true, .report = true});
  ::testing::internal::CaptureStderr();
  const Tensor left = from_blob(p, {1000}, DType::float32, {.device = kDevice}).cpu();
  EXPECT_SAYS(::testing::internal::GetCapturedStderr(), "memory that is alive");
  set_checks(kOn);
  EXPECT_TRUE(isnan(left).all().item<bool>());
}

TEST_F(Check, AWriteAfterFreeIsFoundByEmptyCache) {
  empty_cache(kDevice);
  float* p = nullptr;
  {
    const Tensor x = fresh({100000});
    p = x.data<float>();
    sin(x);
  }
  EXPECT_EQ(mistake_in([&] { empty_cache(kDevice); }), "");
  {
    const Tensor x = fresh({100000});
    p = x.data<float>();
    sin(x);
  }
  set_checks({.memory = true, .report = true});
  ::testing::internal::CaptureStderr();
  from_blob(p, {100000}, DType::float32, {.device = kDevice}).select(0, 77777).fill_(1);
  ::testing::internal::GetCapturedStderr();
  set_checks(kOn);
  const std::string text = mistake_in([&] { empty_cache(kDevice); });
  EXPECT_SAYS(text, "expected freed memory as it was left, got byte " + std::to_string(4 * 77777));
  EXPECT_SAYS(text, "allocated in 'fill'");
  EXPECT_SAYS(text, "last used in 'sin'");
  EXPECT_EQ(mistake_in([&] { empty_cache(kDevice); }), "");
}

}  // namespace
