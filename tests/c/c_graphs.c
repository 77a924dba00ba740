/* Captures, graphs and streams that end through tandem/c.h, from C99. On the simulated device in
   CTest; without a device the errors alone. */
#include "check.h"

static void without_a_device(void) {
  tandem_stream* host = NULL;
  tandem_capture* capture = NULL;
  tandem_graph* graph = NULL;
  size_t nodes = 0;
  OK(tandem_stream_current("cpu", &host));
  FAILS(tandem_capture_begin(host, &capture), TANDEM_DEVICE_ERROR, "cpu");
  CHECK(capture == NULL);
  FAILS(tandem_capture_begin(NULL, &capture), TANDEM_VALUE_ERROR, "'stream'");
  FAILS(tandem_capture_begin(host, NULL), TANDEM_VALUE_ERROR, "'out'");
  FAILS(tandem_capture_end(NULL, &graph, NULL), TANDEM_VALUE_ERROR, "'capture'");
  FAILS(tandem_graph_replay(NULL, NULL), TANDEM_VALUE_ERROR, "'graph'");
  FAILS(tandem_graph_nodes(NULL, &nodes), TANDEM_VALUE_ERROR, "'graph'");
  OK(tandem_capture_abandon(NULL));
  OK(tandem_graph_release(NULL));
  OK(tandem_stream_destroy(host)); /* nothing to do on the CPU */
  OK(tandem_stream_retire(host));
  FAILS(tandem_stream_destroy(NULL), TANDEM_VALUE_ERROR, "'stream'");
  OK(tandem_stream_release(host));
}

/* y = x * factor, into what the capture keeps. */
static tandem_tensor* times(tandem_tensor* x, double factor) {
  tandem_value args[2];
  tandem_tensor* y = NULL;
  args[0] = tandem_tensor_value(NULL, x);
  args[1] = tandem_float(NULL, factor);
  OK(tandem_call_tensor("mul", args, 2, &y));
  return y;
}

static void expect(tandem_tensor* t, float first, float step) {
  float got[6];
  int i;
  OK(tandem_copy_to_host(t, got, sizeof got));
  for (i = 0; i < 6; ++i) CHECK(got[i] == first + step * (float)i);
}

static void capture_and_replay(void) {
  tandem_stream* stream = NULL;
  tandem_capture* capture = NULL;
  tandem_graph* graph = NULL;
  tandem_tensor *host = counted(), *x = NULL, *y, *z;
  float read[6];
  size_t nodes = 0;
  int kept = -1;
  OK(tandem_stream_create_owned("cuda", 0, &stream));
  OK(tandem_to(host, "cuda", NULL, 0, &x));
  OK(tandem_tensor_release(host));
  OK(tandem_capture_begin(stream, &capture));
  y = times(x, 2);
  OK(tandem_capture_end(capture, &graph, &kept));
  CHECK(kept == 0);
  OK(tandem_graph_nodes(graph, &nodes));
  CHECK(nodes == 1);
  OK(tandem_graph_replay(graph, stream));
  OK(tandem_stream_synchronize(stream));
  expect(y, 0, 2);

  OK(tandem_capture_begin(stream, &capture));
  z = times(x, 3);
  OK(tandem_capture_end(capture, &graph, &kept));
  CHECK(kept == 1);
  OK(tandem_stream_push(stream));
  OK(tandem_graph_replay(graph, NULL));
  expect(z, 0, 3);
  OK(tandem_stream_pop());

  OK(tandem_capture_begin(stream, &capture));
  FAILS(tandem_copy_to_host(z, read, sizeof read), TANDEM_DEVICE_ERROR, "captured into a graph");
  FAILS(tandem_capture_end(capture, &graph, NULL), TANDEM_DEVICE_ERROR, "captured into a graph");
  OK(tandem_graph_replay(graph, stream)); /* as it was */
  OK(tandem_capture_begin(stream, &capture));
  OK(tandem_capture_abandon(capture));

  OK(tandem_tensor_release(x));
  OK(tandem_tensor_release(y));
  OK(tandem_graph_release(graph));
  OK(tandem_stream_synchronize(stream));
  expect(z, 0, 3);
  OK(tandem_tensor_release(z));
  OK(tandem_stream_destroy(stream));
  FAILS(tandem_stream_synchronize(stream), TANDEM_DEVICE_ERROR, "that lives");
  OK(tandem_stream_release(stream));
}

int main(void) {
  int usable = 0;
  without_a_device();
  OK(tandem_device_usable("cuda", &usable, NULL));
  if (usable) capture_and_replay();
  printf("%s on %s\n", failures == 0 ? "passed" : "FAILED", usable ? "a device" : "the CPU alone");
  return failures == 0 ? 0 : 1;
}
