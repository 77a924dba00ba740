/* Calls of ops through tandem/c.h, from C99: arguments of every kind, results, errors. The walk
   over all ops is walk_test.cpp. */
#include <math.h>

#include "check.h"

static void listing(void) {
  size_t count = 0, i, found = 0;
  const char *name = NULL, *schema = NULL, *doc = NULL;
  OK(tandem_op_count(&count));
  CHECK(count > 100);
  for (i = 0; i < count; ++i) {
    OK(tandem_op_at(i, &name, &schema, &doc));
    CHECK(schema[0] == '(' && doc[0] != '\0');
    found += strcmp(name, "softmax") == 0;
  }
  CHECK(found == 1);
  OK(tandem_op_at(0, NULL, NULL, NULL));
  FAILS(tandem_op_at(count, &name, NULL, NULL), TANDEM_INDEX_ERROR, "[tandem_op_at]");
  FAILS(tandem_op_count(NULL), TANDEM_VALUE_ERROR, "'count'");
}

static void calling(void) {
  tandem_tensor *t = counted(), *soft = NULL, *out = NULL;
  float got[6] = {0};
  double sum = 0;
  int i;
  tandem_value args[4];
  args[0] = tandem_int("dim", -1);
  args[1] = tandem_tensor_value("x", t);
  args[2] = tandem_none("dtype");
  OK(tandem_call_tensor("softmax", args, 3, &soft));
  OK(tandem_copy_to_host(soft, got, sizeof got));
  for (i = 0; i < 3; ++i) sum += got[i];
  CHECK(fabs(sum - 1) < 1e-6 && fabs(got[2] / got[1] - exp(1)) < 1e-5);
  OK(tandem_tensor_release(soft));
  args[2] = tandem_text("dtype", "float64");
  OK(tandem_call_tensor("softmax", args, 3, &soft));
  OK(tandem_tensor_release(soft));
  args[2] = tandem_dtype("dtype", "float64");
  OK(tandem_call_tensor("softmax", args, 3, &soft));
  OK(tandem_empty("float64", "cpu", 2, kShape, &out));
  args[3] = tandem_tensor_value("out", out);
  {
    tandem_tensor* again = NULL;
    OK(tandem_call_tensor("softmax", args, 4, &again));
    CHECK(again == out);
    OK(tandem_tensor_release(again));
  }
  OK(tandem_tensor_release(out));
  OK(tandem_tensor_release(soft));
  OK(tandem_tensor_release(t));
}

static void calling_wrong(void) {
  tandem_tensor *t = counted(), *out = NULL;
  tandem_results* results = NULL;
  tandem_value args[3];
  args[0] = tandem_tensor_value(NULL, t);
  args[1] = tandem_int("dim", 0);
  FAILS(tandem_call_tensor("soft_max", args, 2, &out), TANDEM_VALUE_ERROR, "[soft_max]");
  FAILS(tandem_call_tensor(NULL, args, 2, &out), TANDEM_VALUE_ERROR, "'op'");
  FAILS(tandem_call_tensor("softmax", NULL, 2, &out), TANDEM_VALUE_ERROR, "'args'");
  FAILS(tandem_call("softmax", args, 2, NULL), TANDEM_VALUE_ERROR, "'results'");
  FAILS(tandem_call_tensor("softmax", args, 1, &out), TANDEM_TYPE_ERROR,
        "[softmax] missing argument 'dim'");
  FAILS(tandem_call_tensor("softmax", NULL, 0, &out), TANDEM_TYPE_ERROR,
        "[softmax] missing argument 'x'");
  args[2] = tandem_int("dim", 1);
  FAILS(tandem_call_tensor("softmax", args, 3, &out), TANDEM_TYPE_ERROR, "'dim': given twice");
  args[2] = tandem_int("axis", 1);
  FAILS(tandem_call_tensor("softmax", args, 3, &out), TANDEM_TYPE_ERROR, "got 'axis'");
  args[1] = tandem_float("dim", 0.5);
  FAILS(tandem_call_tensor("softmax", args, 2, &out), TANDEM_TYPE_ERROR,
        "[softmax] argument 'dim': expected an axis");
  args[1] = tandem_int("dim", 5);
  FAILS(tandem_call_tensor("softmax", args, 2, &out), TANDEM_INDEX_ERROR, "softmax");
  args[1] = tandem_int("dim", 0);
  args[1].kind = 99;
  FAILS(tandem_call_tensor("softmax", args, 2, &out), TANDEM_TYPE_ERROR, "kind 99");
  args[1] = tandem_text("dim", NULL);
  FAILS(tandem_call_tensor("softmax", args, 2, &out), TANDEM_VALUE_ERROR,
        "[softmax] argument 'dim': expected a pointer, got null");
  args[0] = tandem_tensor_value(NULL, NULL);
  FAILS(tandem_call_tensor("softmax", args, 1, &out), TANDEM_VALUE_ERROR, "argument 0");
  args[0] = tandem_ints(NULL, NULL, 2);
  FAILS(tandem_call_tensor("exp", args, 1, &out), TANDEM_VALUE_ERROR, "argument 0");
  args[0] = tandem_generator_value(NULL, NULL);
  FAILS(tandem_call_tensor("exp", args, 1, &out), TANDEM_VALUE_ERROR, "argument 0");
  args[0] = tandem_tensor_value(NULL, t);
  FAILS(tandem_call_tensor("sort", args, 1, &out), TANDEM_TYPE_ERROR, "[sort]");
  CHECK(out == NULL && results == NULL);
  OK(tandem_tensor_release(t));
}

static void results(void) {
  tandem_tensor *t = counted(), *kept = NULL;
  tandem_results* r = NULL;
  tandem_value args[2], v;
  size_t count = 0;
  float got[3] = {0};
  args[0] = tandem_tensor_value(NULL, t);
  args[1] = tandem_bool("descending", 1);
  OK(tandem_call("sort", args, 2, &r));
  OK(tandem_results_count(r, &count));
  CHECK(count == 2);
  OK(tandem_results_at(r, 1, &v));
  CHECK(v.kind == TANDEM_TENSOR && strcmp(v.name, "indices") == 0);
  FAILS(tandem_results_at(r, 2, &v), TANDEM_INDEX_ERROR, "below 2, got 2");
  FAILS(tandem_results_at(NULL, 0, &v), TANDEM_VALUE_ERROR, "'results'");
  FAILS(tandem_results_at(r, 0, NULL), TANDEM_VALUE_ERROR, "'value'");
  FAILS(tandem_results_count(r, NULL), TANDEM_VALUE_ERROR, "'count'");
  OK(tandem_results_release(r));
  args[1] = tandem_int(NULL, 1);
  OK(tandem_call("unbind", args, 2, &r));
  OK(tandem_results_at(r, 0, &v));
  CHECK(v.kind == TANDEM_TENSORS && v.count == 3);
  FAILS(tandem_results_tensor(r, 0, &kept), TANDEM_TYPE_ERROR, "result 0 is no tensor");
  /* The tensors of a list can be joined again without taking them out of the results. */
  args[0] = tandem_tensors_value("tensors", v.as.tensors, v.count);
  OK(tandem_call_tensor("cat", args, 1, &kept));
  OK(tandem_tensor_release(kept));
  OK(tandem_results_release(r));
  args[0] = tandem_tensor_value(NULL, t);
  args[1] = tandem_int("dim", 0);
  OK(tandem_call("sum", args, 2, &r));
  OK(tandem_results_tensor(r, 0, &kept));
  FAILS(tandem_results_tensor(r, 0, NULL), TANDEM_VALUE_ERROR, "'out'");
  OK(tandem_results_release(r));
  OK(tandem_results_release(NULL));
  OK(tandem_copy_to_host(kept, got, sizeof got)); /* outlives the results */
  CHECK(got[0] == 3 && got[2] == 7);
  OK(tandem_tensor_release(kept));
  OK(tandem_tensor_release(t));
}

/* A value of every kind in an op that takes it. */
static void kinds(void) {
  static const int64_t axes[] = {0, 1};
  static const double range[] = {0, 5};
  static const char* const names[] = {"rows", NULL};
  tandem_tensor *t = counted(), *out = NULL;
  tandem_generator* g = NULL;
  tandem_results* r = NULL;
  tandem_value args[4];
  double parts[2] = {0, 0};
  uint64_t natural = 0;
  float first[6], second[6];
  args[0] = tandem_ints("size", NULL, 0);
  args[1] = tandem_complex("fill_value", 1, -2);
  args[2] = tandem_dtype("dtype", "complex128");
  OK(tandem_call_tensor("fill", args, 3, &out));
  OK(tandem_copy_to_host(out, parts, sizeof parts));
  CHECK(parts[0] == 1 && parts[1] == -2);
  OK(tandem_tensor_release(out));
  args[1] = tandem_uint("fill_value", UINT64_MAX);
  args[2] = tandem_dtype("dtype", "uint64");
  args[3] = tandem_device("device", "cpu");
  OK(tandem_call_tensor("fill", args, 4, &out));
  OK(tandem_copy_to_host(out, &natural, sizeof natural));
  CHECK(natural == UINT64_MAX);
  OK(tandem_tensor_release(out));
  args[0] = tandem_tensor_value(NULL, t);
  args[1] = tandem_ints("dim", axes, 2);
  OK(tandem_call_tensor("sum", args, 2, &out));
  OK(tandem_tensor_release(out));
  args[1] = tandem_int("bins", 5);
  args[2] = tandem_floats("range", range, 2);
  OK(tandem_call("histogram", args, 3, &r));
  OK(tandem_results_release(r));
  args[0] = tandem_ints("size", kShape, 2);
  args[1] = tandem_texts("names", names, 2);
  OK(tandem_generator_create(7, &g));
  args[2] = tandem_generator_value("generator", g);
  OK(tandem_call_tensor("rand", args, 3, &out));
  OK(tandem_copy_to_host(out, first, sizeof first));
  OK(tandem_tensor_release(out));
  OK(tandem_generator_release(g));
  OK(tandem_generator_release(NULL));
  FAILS(tandem_generator_create(7, NULL), TANDEM_VALUE_ERROR, "'out'");
  OK(tandem_manual_seed(7));
  OK(tandem_call_tensor("rand", args, 1, &out));
  OK(tandem_copy_to_host(out, second, sizeof second));
  CHECK(memcmp(first, second, sizeof first) == 0);
  OK(tandem_tensor_release(out));
  OK(tandem_tensor_release(t));
}

int main(void) {
  listing();
  calling();
  calling_wrong();
  results();
  kinds();
  printf("%s\n", failures == 0 ? "passed" : "FAILED");
  return failures == 0 ? 0 : 1;
}
