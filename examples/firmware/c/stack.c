/* Bytes of stack that calls from C take on a Cortex-M4F, below the caller's frame: painted before, looked at after. */
#include "bare.h"
#include "gradus.h"

enum { N = 67, PAINTED = 4096 /* words */, INPUTS = 33, OUTPUTS = 2, PAIRS = GRADUS_LBFGS_MOST_PAIRS };
static const uint32_t PAINT = 0xa5a55a5a;

static uint32_t most, failed;

/* Paints up to its own frame; volatile, so that no loop becomes a call. */
static __attribute__((noinline)) void paint(volatile uint32_t *top) {
  volatile uint32_t *sp;
  __asm__ volatile("mov %0, sp" : "=r"(sp));
  for (volatile uint32_t *at = top - PAINTED; at < sp; at++) *at = PAINT;
}

static __attribute__((noinline)) uint32_t written(volatile uint32_t *top) {
  volatile uint32_t *at = top - PAINTED;
  while (at < top && *at == PAINT) at++;
  return (uint32_t)(top - at) * 4;
}

/* The most that one of several calls takes. */
#define MEASURE(call)                                   \
  do {                                                  \
    volatile uint32_t *top;                             \
    __asm__ volatile("mov %0, sp" : "=r"(top));         \
    paint(top);                                         \
    failed |= (call) != GRADUS_OK;                      \
    const uint32_t bytes = written(top);                \
    if (bytes > most) most = bytes;                     \
  } while (0)

static void row(const char *name, const char *with) {
  char text[11], *at = text + sizeof text - 1;
  *at = 0;
  do *--at = (char)('0' + most % 10);
  while (most /= 10);
  print("| ");
  print(name);
  print(with);
  print(failed ? " | FAILED |\n" : " | ");
  print(at);
  print(" |\n");
  failed = 0;
}

#define STACK(name, call) \
  do {                    \
    MEASURE(call);        \
    row(name, "");        \
  } while (0)

static float params[N], grads[N], state[3 * N], work[INPUTS * OUTPUTS];
static uint32_t mask[GRADUS_MASK_WORDS(INPUTS) * OUTPUTS];
static unsigned char file[16384];

static void fill(float *to, int n) {
  for (int i = 0; i < n; i++) to[i] = (float)(i % 7 + 1) * 0.25f;
}

#define RULE(rule, RULE_)                                                                          \
  do {                                                                                             \
    static const gradus_transforms all = {GRADUS_STRUCTS, 255, 0.5f, 2.0f, 0.01f, 0.02f, 0.03f, 0.5f, 0.1f, 0.2f, 3.0f}; \
    const gradus_##rule config = GRADUS_##RULE_(0.01);                                             \
    gradus_clock steps = {0, 0};                                                                   \
    for (int i = 0; i < 3 * N; i++) state[i] = 0;                                                  \
    MEASURE(gradus_##rule##_step(&config, N, params, grads, state, &steps));                       \
    row("gradus_" #rule "_step", "");                                                              \
    MEASURE(gradus_##rule##_step_with(&config, &all, N, params, grads, state, &steps));            \
    row("gradus_" #rule "_step_with", "");                                                         \
  } while (0);

static void rules(void) {
  fill(params, N);
  fill(grads, N);
  GRADUS_OPTIMIZERS(RULE)
}

static void noise(void) {
  const gradus_dropout dropout = GRADUS_DROPOUT_DROP_PROB(0.1);
  gradus_masks masks;
  float y[OUTPUTS], x[INPUTS];
  STACK("gradus_masks_seed", gradus_masks_seed(&masks, 1));
  STACK("gradus_masks_fill", gradus_masks_fill(&masks, 0.9f, sizeof mask / 4, mask));
  STACK("gradus_dropout_forward", gradus_dropout_forward(&dropout, N, params, &masks));
  STACK("gradus_dropout_forward_mask", gradus_dropout_forward_mask(&dropout, INPUTS, params, mask));
  STACK("gradus_dropout_relu_forward", gradus_dropout_relu_forward(&dropout, N, params, &masks));
  STACK("gradus_dropout_relu_backward", gradus_dropout_relu_backward(&dropout, N, grads, params));
  fill(work, INPUTS * OUTPUTS);
  fill(x, INPUTS);
  STACK("gradus_dropconnect_forward", gradus_dropconnect_forward(&dropout, INPUTS, OUTPUTS, work, x, y, mask));
  STACK("gradus_dropconnect_backward_weights",
        gradus_dropconnect_backward_weights(&dropout, INPUTS, OUTPUTS, y, x, work, mask));
  STACK("gradus_dropconnect_backward_input",
        gradus_dropconnect_backward_input(&dropout, INPUTS, OUTPUTS, work, y, x, mask));
}

static void norm(void) {
  enum { CHANNELS = 4, LENGTH = 64 };
  const gradus_batch_norm config = GRADUS_BATCH_NORM;
  const gradus_batch_shape shape = {4, CHANNELS, 4};
  float weight[CHANNELS], mean[CHANNELS], variance[CHANNELS], bias[CHANNELS], running[2 * CHANNELS] = {0};
  gradus_clock steps = {0, 0};
  fill(weight, CHANNELS);
  fill(bias, CHANNELS);
  fill(params, LENGTH);
  STACK("gradus_batch_norm_forward",
        gradus_batch_norm_forward(&config, &shape, params, grads, weight, bias, mean, variance));
  STACK("gradus_batch_norm_track", gradus_batch_norm_track(&config, &shape, mean, variance, running, &steps));
  STACK("gradus_batch_norm_backward",
        gradus_batch_norm_backward(&config, &shape, grads, params, weight, mean, variance, state, state + CHANNELS));
  STACK("gradus_batch_norm_inference",
        gradus_batch_norm_inference(&config, &shape, params, weight, bias, running, &steps));
}

/* A whole training step of a network with Adam: forward, loss, and back, where each layer takes the step itself. */
enum { PIXELS = 64, UNITS = 32, CLASSES = 10, DENSE = (PIXELS + 1) * UNITS };

static gradus_status dense_step(const gradus_adam *adam, gradus_clock *steps) {
  static float weights[DENSE + (UNITS + 1) * CLASSES], moments[2 * (DENSE + (UNITS + 1) * CLASSES)];
  static float x[PIXELS], h[UNITS], dh[UNITS], scores[CLASSES];
  static const uint16_t label = 3;
  gradus_step step;
  float loss;
  gradus_status status = gradus_dense_forward(PIXELS, UNITS, 1, weights, x, h);
  if (!status) status = gradus_relu(UNITS, h);
  if (!status) status = gradus_dense_forward(UNITS, CLASSES, 1, weights + DENSE, h, scores);
  if (!status) status = gradus_softmax_cross_entropy(CLASSES, 1, scores, &label, &loss);
  if (!status) status = gradus_adam_begin(adam, sizeof weights / 4, weights, moments, steps, &step);
  if (!status) status = gradus_dense_backward_step(UNITS, CLASSES, 1, &step, DENSE, h, scores, dh);
  if (!status) status = gradus_relu_backward(UNITS, dh, h);
  if (!status) status = gradus_dense_backward_step(PIXELS, UNITS, 1, &step, 0, x, dh, 0);
  return status;
}

static gradus_status conv_step(const gradus_adam *adam, gradus_clock *steps) {
  enum { FILTERS = 4, MAPS = PIXELS * FILTERS, CONV = 10 * FILTERS };
  static const gradus_conv2d layer = {{8, 8, 1}, FILTERS, {3, 3}, {1, 1}, {1, 1}};
  static float weights[CONV + (MAPS + 1) * CLASSES], moments[2 * (CONV + (MAPS + 1) * CLASSES)];
  static float x[PIXELS], h[MAPS], dh[MAPS], scores[CLASSES];
  static const uint16_t label = 3;
  gradus_step step;
  float loss;
  gradus_status status = gradus_conv2d_forward(&layer, 1, weights, x, h);
  if (!status) status = gradus_relu(MAPS, h);
  if (!status) status = gradus_dense_forward(MAPS, CLASSES, 1, weights + CONV, h, scores);
  if (!status) status = gradus_softmax_cross_entropy(CLASSES, 1, scores, &label, &loss);
  if (!status) status = gradus_adam_begin(adam, sizeof weights / 4, weights, moments, steps, &step);
  if (!status) status = gradus_dense_backward_step(MAPS, CLASSES, 1, &step, CONV, h, scores, dh);
  if (!status) status = gradus_relu_backward(MAPS, dh, h);
  if (!status) status = gradus_conv2d_backward_step(&layer, 1, &step, 0, x, dh, 0);
  return status;
}

static void networks(void) {
  const gradus_adam adam = GRADUS_ADAM(0.001);
  gradus_clock dense = {0, 0}, conv = {0, 0};
  for (int i = 0; i < 3; i++) MEASURE(dense_step(&adam, &dense));
  row("a whole step, 64-32-10, Adam", "");
  for (int i = 0; i < 3; i++) MEASURE(conv_step(&adam, &conv));
  row("a whole step, convolution and dense layer, Adam", "");
}

static void files(void) {
  gradus_clock steps = {1, 0};
  float scale;
  size_t size;
  const gradus_tensor tensors[2] = {{N, params, params, state, 0, 0}, {N, params, grads, state, 0, 0}};
  const gradus_item items[2] = {{GRADUS_ITEM_FLOATS, N, params, 0}, {GRADUS_ITEM_ADAM, N, state, &steps}};
  STACK("gradus_clip_norm", gradus_clip_norm(1.0f, tensors, 2, &scale));
  STACK("gradus_save, 2 items", gradus_save(items, 2, file, sizeof file, &size));
  STACK("gradus_load, 2 items", gradus_load(items, 2, file, size));
}

/* The chain of Rosenbrock functions, until all pairs are in use. */
#define LBFGS(real, suffix)                                                                        \
  do {                                                                                             \
    enum { PARAMS = 8 };                                                                           \
    static real x[PARAMS], g[PARAMS], memory[GRADUS_LBFGS_WORK(PARAMS, PAIRS)];                    \
    gradus_lbfgs config = GRADUS_LBFGS(PAIRS);                                                     \
    gradus_lbfgs_state run = {0};                                                                  \
    size_t size;                                                                                   \
    config.tolerance = 0;                                                                          \
    while (run.stop == GRADUS_STOP_RUNNING && run.iterations < PAIRS + 5) {                        \
      real value = 0;                                                                              \
      for (int i = 0; i < PARAMS; i++) g[i] = 0;                                                   \
      for (int i = 0; i < PARAMS - 1; i++) {                                                       \
        const real u = 10 * (x[i + 1] - x[i] * x[i]), v = 1 - x[i];                                \
        g[i] -= 40 * u * x[i] + 2 * v;                                                             \
        g[i + 1] += 20 * u;                                                                        \
        value += u * u + v * v;                                                                    \
      }                                                                                            \
      MEASURE(gradus_lbfgs_step##suffix(&config, PARAMS, x, value, g, 0, 0, 0, memory, &run));           \
      if (failed) break;                                                                           \
    }                                                                                              \
    row("gradus_lbfgs_step" #suffix, "");                                                          \
    STACK("gradus_lbfgs_save" #suffix,                                                             \
          gradus_lbfgs_save##suffix(&config, PARAMS, x, g, memory, &run, file, sizeof file, &size)); \
    STACK("gradus_lbfgs_load" #suffix, gradus_lbfgs_load##suffix(&config, PARAMS, x, g, memory, &run, file, size)); \
    STACK("gradus_lbfgs_stop" #suffix, gradus_lbfgs_stop##suffix(&config, PARAMS, x, g, memory, &run)); \
  } while (0)

/* Not part of `reset`, which may not touch the FPU before it is on. */
static __attribute__((noinline)) void all(void) {
  rules();
  noise();
  norm();
  networks();
  files();
  LBFGS(float, );
  LBFGS(double, _f64);
}

void reset(void) {
  start();
  all();
  leave();
}
