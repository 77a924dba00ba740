/* A pipeline in plain C: batches of images from the program's own buffer to probabilities in
   another. It runs on a GPU where there is one, captured once as a graph and replayed for every
   batch, and on the CPU where there is none; on a stream of its own, with the host's pool over an
   allocator of its own; and waits for nothing but that stream, once a batch. pipeline.cpp is the
   same in C++. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tandem/c.h>

enum { BATCHES = 4, IMAGES = 8, CHANNELS = 3, ROWS = 32, COLUMNS = 48, CLASSES = 10 };
enum { PIXELS = IMAGES * CHANNELS * ROWS * COLUMNS };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned char frames[PIXELS];
static float probabilities[IMAGES * CLASSES];
static float classes[ROWS * CLASSES];
static float channel_mean[CHANNELS] = {123.7f, 116.3f, 103.5f};
static float channel_scale[CHANNELS] = {58.4f, 57.1f, 57.4f};
static float channel_weight[CHANNELS] = {0.299f, 0.587f, 0.114f};

/* Ends the program where a call failed: its text says which argument and why. */
static void check(int status) {
  if (status == TANDEM_OK) return;
  fprintf(stderr, "%s: %s\n", tandem_status_name(status), tandem_last_error());
  exit(1);
}

/* Where the program wants its host memory to come from; here the C library, counted. */
static long segments_taken = 0, segments_returned = 0;

static void* take_segment(void* context, size_t bytes, size_t align, void* stream) {
  char* raw = malloc(bytes + align + sizeof raw);
  char* data;
  (void)context;
  (void)stream;
  if (raw == NULL) return NULL;
  data = raw + align - (size_t)raw % align;
  memcpy(data + bytes, &raw, sizeof raw); /* what free() wants, behind the memory */
  ++segments_taken;
  return data;
}

static void return_segment(void* context, void* data, size_t bytes, size_t align, void* stream) {
  char* raw;
  (void)context;
  (void)align;
  (void)stream;
  memcpy(&raw, (char*)data + bytes, sizeof raw);
  free(raw);
  ++segments_returned;
}

static int buffers_given_back = 0;

static void give_back(void* data, void* context) {
  (void)data;
  ++*(int*)context;
}

/* The program's memory as a tensor, without a copy. */
static tandem_tensor* wrap(void* data, const char* dtype, size_t ndim, const int64_t* shape) {
  tandem_tensor* t = NULL;
  check(tandem_wrap(data, dtype, "cpu", ndim, shape, NULL, give_back, &buffers_given_back, &t));
  return t;
}

/* A constant of the pipeline on the device, queued on the current stream. */
static tandem_tensor* constant(float* data, size_t ndim, const int64_t* shape, const char* device) {
  tandem_tensor* host = wrap(data, "float32", ndim, shape);
  tandem_tensor* t = NULL;
  check(tandem_to(host, device, NULL, 1, &t));
  check(tandem_tensor_release(host));
  return t;
}

/* Runs an op that gives one tensor. */
static tandem_tensor* run(const char* op, const tandem_value* args, size_t count) {
  tandem_tensor* out = NULL;
  check(tandem_call_tensor(op, args, count, &out));
  return out;
}

static void run_in_place(const char* op, const tandem_value* args, size_t count) {
  check(tandem_call_tensor(op, args, count, NULL));
}

struct pipeline {
  const char* device;
  tandem_stream* stream;
  tandem_tensor *in, *out; /* the program's buffers */
  tandem_tensor *mean, *scale, *weight, *classes;
  tandem_tensor *pixels, *result; /* on the device, the same for every batch */
  tandem_graph* graph;            /* from one to the other; null on the CPU */
};

/* The work of one batch on the device: from p->pixels to probabilities. */
static tandem_tensor* scores_of(const struct pipeline* p) {
  tandem_tensor *x = NULL, *weighted, *plane, *features, *scores, *soft;
  tandem_value args[3];
  check(tandem_to(p->pixels, NULL, "float32", 1, &x));
  args[0] = tandem_tensor_value(NULL, x);
  args[1] = tandem_tensor_value(NULL, p->mean);
  run_in_place("sub_", args, 2);
  args[1] = tandem_tensor_value(NULL, p->scale);
  run_in_place("div_", args, 2);
  args[1] = tandem_float("min", -2);
  args[2] = tandem_float("max", 2);
  run_in_place("clamp_", args, 3);

  args[1] = tandem_tensor_value(NULL, p->weight);
  weighted = run("mul", args, 2);
  args[0] = tandem_tensor_value(NULL, weighted);
  args[1] = tandem_int("dim", 1);
  plane = run("sum", args, 2);
  args[0] = tandem_tensor_value(NULL, plane);
  args[1] = tandem_int("dim", -1);
  features = run("mean", args, 2);
  args[0] = tandem_tensor_value(NULL, features);
  args[1] = tandem_tensor_value(NULL, p->classes);
  scores = run("matmul", args, 2);
  args[0] = tandem_tensor_value("x", scores);
  args[1] = tandem_int("dim", -1);
  soft = run("softmax", args, 2);
  check(tandem_tensor_release(x));
  check(tandem_tensor_release(weighted));
  check(tandem_tensor_release(plane));
  check(tandem_tensor_release(features));
  check(tandem_tensor_release(scores));
  return soft;
}

static void set_up(struct pipeline* p) {
  const int64_t batch[] = {IMAGES, CHANNELS, ROWS, COLUMNS};
  const int64_t planes[] = {CHANNELS, 1, 1};
  const int64_t matrix[] = {ROWS, CLASSES};
  const int64_t result[] = {IMAGES, CLASSES};
  const char* why = NULL;
  int usable = 0;
  tandem_memory_resource memory = {0};
  check(tandem_check_abi(TANDEM_C_ABI));
  memory.size = sizeof memory;
  memory.allocate = take_segment;
  memory.deallocate = return_segment;
  check(tandem_memory_set_resource("cpu", &memory));
  check(tandem_device_usable("cuda", &usable, &why));
  p->device = usable ? "cuda" : "cpu";
  printf("Tandem %s on %s (%s)\n", tandem_version(), p->device, why);
  /* A program with CUDA streams of its own gives one to tandem_stream_wrap instead. */
  check(tandem_stream_create(p->device, 0, &p->stream));
  check(tandem_stream_push(p->stream));
  p->in = wrap(frames, "uint8", COUNT(batch), batch);
  p->out = wrap(probabilities, "float32", COUNT(result), result);
  p->mean = constant(channel_mean, COUNT(planes), planes, p->device);
  p->scale = constant(channel_scale, COUNT(planes), planes, p->device);
  p->weight = constant(channel_weight, COUNT(planes), planes, p->device);
  p->classes = constant(classes, COUNT(matrix), matrix, p->device);
  check(tandem_empty("uint8", p->device, COUNT(batch), batch, &p->pixels));
  if (usable) {
    tandem_capture* capture = NULL;
    check(tandem_capture_begin(p->stream, &capture));
    p->result = scores_of(p);
    check(tandem_capture_end(capture, &p->graph, NULL));
  }
}

/* Queues the work of one batch; nothing here waits for the device. */
static void queue_batch(struct pipeline* p) {
  tandem_value args[3];
  args[0] = tandem_tensor_value("x", p->pixels);
  args[1] = tandem_tensor_value("source", p->in);
  args[2] = tandem_bool("non_blocking", 1);
  run_in_place("copy_", args, 3);
  if (p->graph != NULL) {
    check(tandem_graph_replay(p->graph, NULL));
  } else {
    check(tandem_tensor_release(p->result));
    p->result = scores_of(p);
  }
  args[0] = tandem_tensor_value("x", p->out);
  args[1] = tandem_tensor_value("source", p->result);
  run_in_place("copy_", args, 3);
}
static void tear_down(struct pipeline* p) {
  check(tandem_graph_release(p->graph));
  check(tandem_tensor_release(p->pixels));
  check(tandem_tensor_release(p->result));
  check(tandem_stream_pop());
  check(tandem_stream_release(p->stream));
  check(tandem_tensor_release(p->in));
  check(tandem_tensor_release(p->out));
  check(tandem_tensor_release(p->mean));
  check(tandem_tensor_release(p->scale));
  check(tandem_tensor_release(p->weight));
  check(tandem_tensor_release(p->classes));
}

/* ---- the program's own data, and the same arithmetic in loops to compare with */

static void fill_frames(unsigned batch) {
  unsigned state = batch * 2654435761u + 1, i;
  for (i = 0; i < PIXELS; ++i) {
    state = state * 1664525u + 1013904223u;
    frames[i] = (unsigned char)(state >> 24);
  }
  for (i = 0; i < ROWS * CLASSES; ++i) classes[i] = (float)((int)(i * 7 % 23) - 11) / 8;
}

static double feature(int image, int row) {
  double sum = 0;
  int channel, column;
  for (channel = 0; channel < CHANNELS; ++channel) {
    for (column = 0; column < COLUMNS; ++column) {
      const int i = ((image * CHANNELS + channel) * ROWS + row) * COLUMNS + column;
      const double x = (frames[i] - channel_mean[channel]) / channel_scale[channel];
      sum += fmax(-2, fmin(2, x)) * channel_weight[channel];
    }
  }
  return sum / COLUMNS;
}

static double worst_difference(void) {
  double worst = 0;
  int image, row, c;
  for (image = 0; image < IMAGES; ++image) {
    double score[CLASSES] = {0}, total = 0;
    for (row = 0; row < ROWS; ++row) {
      const double f = feature(image, row);
      for (c = 0; c < CLASSES; ++c) score[c] += f * classes[row * CLASSES + c];
    }
    for (c = 0; c < CLASSES; ++c) total += exp(score[c]);
    for (c = 0; c < CLASSES; ++c) {
      worst = fmax(worst, fabs(exp(score[c]) / total - probabilities[image * CLASSES + c]));
    }
  }
  return worst;
}

int main(void) {
  struct pipeline p = {0};
  tandem_memory first, last;
  double worst = 0;
  unsigned batch;
  first.size = last.size = sizeof first;
  fill_frames(0);
  set_up(&p);
  for (batch = 0; batch < BATCHES; ++batch) {
    fill_frames(batch);
    queue_batch(&p);
    check(tandem_stream_synchronize(p.stream)); /* the only wait */
    worst = fmax(worst, worst_difference());
    check(tandem_memory_stats(p.device, batch == 0 ? &first : &last));
  }
  tear_down(&p);
  printf("largest difference %.2g, reserved %llu bytes then %llu, buffers given back %d of 6\n",
         worst, (unsigned long long)first.reserved, (unsigned long long)last.reserved,
         buffers_given_back);
  check(tandem_memory_empty_cache("cpu", NULL));
  check(tandem_memory_set_resource("cpu", NULL));
  printf("segments taken %ld, returned %ld\n", segments_taken, segments_returned);
  return worst < 1e-5 && first.reserved == last.reserved && buffers_given_back == 6 &&
                 segments_taken == segments_returned
             ? 0
             : 1;
}
