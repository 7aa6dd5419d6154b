/* Steps that layers take: against backward and step apart, and the bits of Rust; sums of gradients and lists in half the memory. */
#include "bits.h"

enum { INPUTS = 5, OUTPUTS = 6, SAMPLES = 2, LAYER = (1 + INPUTS) * OUTPUTS, MOST = 3 };
enum { AT = 5, ALL_PARAMS = AT + LAYER + 7 }; /* other layers lie before and behind it */

static const gradus_transforms WEIGHTS = {GRADUS_STRUCTS, 255, 0.5f, 2.0f, 0.01f, 0.02f, 0.03f, 0.5f, 0.1f, 0.2f, 3.0f};
static const gradus_transforms BIASES = {GRADUS_STRUCTS, GRADUS_SCALE, 0.5f, 0, 0, 0, 0, 0, 0, 0, 0};

static float params[ALL_PARAMS], state[MOST * ALL_PARAMS], x[SAMPLES * INPUTS], dy[SAMPLES * OUTPUTS], dx[SAMPLES * INPUTS];
/* The same without the other layers, by gradients in memory. */
static float apart[LAYER], grads[LAYER], columns[MOST * LAYER], apart_dx[SAMPLES * INPUTS];
static uint16_t half[MOST * ALL_PARAMS], half_columns[MOST * LAYER];
static gradus_clock steps, apart_steps;

static void start(void) {
  seed = 29;
  numbers(params, ALL_PARAMS);
  memcpy(apart, params + AT, sizeof apart);
  memset(state, 0, sizeof state);
  memset(columns, 0, sizeof columns);
  memset(half, 0, sizeof half);
  memset(half_columns, 0, sizeof half_columns);
  memset(&steps, 0, sizeof steps);
  memset(&apart_steps, 0, sizeof apart_steps);
}

/* A batch, and its gradients in memory. */
static void batch(void) {
  numbers(x, SAMPLES * INPUTS);
  numbers(dy, SAMPLES * OUTPUTS);
  memset(grads, 0, sizeof grads);
  OK(gradus_dense_backward(INPUTS, OUTPUTS, SAMPLES, apart, grads, x, dy, apart_dx));
}

/* Both ways have the same bits; the other layers are as they were. */
static void same(size_t count, const void *all, const void *own, size_t size) {
  float other;
  TRUE(memcmp(params + AT, apart, sizeof apart) == 0 && memcmp(dx, apart_dx, sizeof dx) == 0);
  for (size_t k = 0; k < count; k++) {
    const char *column = (const char *)all + (k * ALL_PARAMS + AT) * size;
    TRUE(memcmp(column, (const char *)own + k * LAYER * size, LAYER * size) == 0);
  }
  seed = 29;
  for (size_t i = 0; i < ALL_PARAMS; i++) {
    other = number();
    TRUE((i >= AT && i < AT + LAYER) || params[i] == other);
  }
}

#define TURNS 4

/* A number of turns by both ways; `seed` is one of the numbers between them. */
#define BOTH(begin, unfused)                                                                       \
  do {                                                                                             \
    start();                                                                                       \
    for (int turn = 0; turn < TURNS; turn++) {                                                     \
      gradus_step step;                                                                            \
      batch();                                                                                     \
      OK(begin);                                                                                   \
      TRUE(steps.t == (uint32_t)turn + 1);                                                         \
      OK(gradus_dense_backward_step(INPUTS, OUTPUTS, SAMPLES, &step, AT, x, dy, dx));              \
      OK(unfused);                                                                                 \
    }                                                                                              \
  } while (0)

#define FUSED(rule, RULE)                                                                          \
  static void fused_##rule(void) {                                                                 \
    enum { K = GRADUS_##RULE##_COLUMNS };                                                          \
    gradus_##rule config = GRADUS_##RULE(0.05f);                                                   \
    BOTH(gradus_##rule##_begin(&config, ALL_PARAMS, params, state, &steps, &step),                 \
         gradus_##rule##_step(&config, LAYER, apart, grads, columns, &apart_steps));               \
    line(#rule " fused", hash_of(hash_of(START, params, ALL_PARAMS), state, K * ALL_PARAMS));      \
    same(K, state, columns, sizeof(float));                                                        \
    BOTH(gradus_##rule##_begin_with(&config, &WEIGHTS, NULL, ALL_PARAMS, params, state, &steps, &step), \
         gradus_##rule##_step_with(&config, &WEIGHTS, LAYER, apart, grads, columns, &apart_steps)); \
    same(K, state, columns, sizeof(float));                                                        \
    const gradus_tensor list[2] = {                                                                \
        {OUTPUTS, apart, grads, columns, NULL, &BIASES},                                           \
        {LAYER - OUTPUTS, apart + OUTPUTS, grads + OUTPUTS, columns + K * OUTPUTS, NULL, &WEIGHTS}}; \
    BOTH(gradus_##rule##_begin_with(&config, &WEIGHTS, &BIASES, ALL_PARAMS, params, state, &steps, &step), \
         gradus_##rule##_step_tensors(&config, list, 2, &apart_steps));                            \
    line(#rule " fused with", hash_of(hash_of(START, params, ALL_PARAMS), state, K * ALL_PARAMS)); \
    same(0, NULL, NULL, 0); /* a list has other columns */                                         \
    gradus_step step;                                                                              \
    memset(&step, 0, sizeof step);                                                                 \
    steps.t = 3;                                                                                   \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_begin(NULL, ALL_PARAMS, params, state, &steps, &step)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_begin(&config, ALL_PARAMS, NULL, state, &steps, &step)); \
    if (K) EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_begin(&config, ALL_PARAMS, params, NULL, &steps, &step)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_begin(&config, ALL_PARAMS, params, state, NULL, &step)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_begin(&config, ALL_PARAMS, params, state, &steps, NULL)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_begin_with(&config, NULL, NULL, ALL_PARAMS, params, state, &steps, &step)); \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_begin(&config, 1, (float *)(void *)&config.lr, state, &steps, &step));  \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_begin(&config, 1, (float *)(void *)&step.n, state, &steps, &step));     \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_begin(&config, ALL_PARAMS, params, state, (gradus_clock *)(void *)params, &step)); \
    EXPECT(GRADUS_ERROR_LENGTH, gradus_##rule##_begin(&config, SIZE_MAX / 2, params, state, &steps, &step)); \
    config.version = 0;                                                                            \
    EXPECT(GRADUS_ERROR_VERSION, gradus_##rule##_begin(&config, ALL_PARAMS, params, state, &steps, &step)); \
    TRUE(steps.t == 3 && step.version == 0); /* refused before anything is written */              \
  }
GRADUS_OPTIMIZERS(FUSED)

/* States in half the memory: the layer alone, since their rounding depends on the place in the array. */
#define HALF(rule, RULE)                                                                           \
  static void half_##rule(void) {                                                                  \
    enum { K = GRADUS_##RULE##_COLUMNS };                                                          \
    const gradus_##rule config = GRADUS_##RULE(0.05f);                                             \
    gradus_half_tensor one = {LAYER, apart, grads, half_columns, NULL, NULL};                      \
    start();                                                                                       \
    memcpy(apart, params, sizeof apart);                                                           \
    for (int turn = 0; turn < TURNS; turn++) {                                                     \
      gradus_step step;                                                                            \
      batch();                                                                                     \
      if (turn % 2 == 0) {                                                                         \
        OK(gradus_##rule##_half_begin(&config, LAYER, params, half, &steps, &step));               \
      } else {                                                                                     \
        OK(gradus_##rule##_half_begin_with(&config, &WEIGHTS, NULL, LAYER, params, half, &steps, &step)); \
      }                                                                                            \
      OK(gradus_dense_backward_step(INPUTS, OUTPUTS, SAMPLES, &step, 0, x, dy, dx));               \
      one.transforms = turn % 2 == 0 ? NULL : &WEIGHTS;                                            \
      if (turn / 2 == 0) {                                                                         \
        OK(gradus_##rule##_half_step_tensors(&config, &one, 1, &apart_steps));                     \
      } else if (turn % 2 == 0) {                                                                  \
        OK(gradus_##rule##_half_step(&config, LAYER, apart, grads, half_columns, &apart_steps));   \
      } else {                                                                                     \
        OK(gradus_##rule##_half_step_with(&config, &WEIGHTS, LAYER, apart, grads, half_columns, &apart_steps)); \
      }                                                                                            \
    }                                                                                              \
    TRUE(memcmp(params, apart, sizeof apart) == 0 && memcmp(dx, apart_dx, sizeof dx) == 0);        \
    TRUE(memcmp(half, half_columns, sizeof(uint16_t) * K * LAYER) == 0);                           \
    line(#rule " fused half", hash_bytes(hash_of(START, params, LAYER), half, sizeof(uint16_t) * K * LAYER)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_half_step_tensors(&config, NULL, 1, &apart_steps));  \
    gradus_half_tensor two[2];                                                                     \
    two[0] = two[1] = one;                                                                         \
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_##rule##_half_step_tensors(&config, two, 2, &apart_steps)); \
    one.state = (uint16_t *)(void *)((char *)half_columns + 1);                                    \
    EXPECT(GRADUS_ERROR_ALIGNMENT, gradus_##rule##_half_step_tensors(&config, &one, 1, &apart_steps)); \
    TRUE(apart_steps.t == TURNS && memcmp(params, apart, sizeof apart) == 0);                      \
  }
GRADUS_HALF_OPTIMIZERS(HALF)

/* What a layer refuses, before anything is written. */
static void refused(void) {
  const gradus_adam adam = GRADUS_ADAM(0.05f);
  static float before[ALL_PARAMS], large[LAYER];
  gradus_step step = {0, 0, 0, NULL, NULL, 0, NULL, {0}}, other;
  start();
  batch();
  memcpy(before, params, sizeof before);
#define STEP(at, samples, x, dy, dx) gradus_dense_backward_step(INPUTS, OUTPUTS, samples, &step, at, x, dy, dx)
  EXPECT(GRADUS_ERROR_VERSION, STEP(AT, SAMPLES, x, dy, dx)); /* it was not begun */
  EXPECT(GRADUS_ERROR_NULL, gradus_dense_backward_step(INPUTS, OUTPUTS, SAMPLES, NULL, AT, x, dy, dx));
  OK(gradus_adam_begin(&adam, ALL_PARAMS, params, state, &steps, &step));
  EXPECT(GRADUS_ERROR_NULL, STEP(AT, SAMPLES, NULL, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, STEP(AT, SAMPLES, x, NULL, dx));
  EXPECT(GRADUS_ERROR_LENGTH, STEP(ALL_PARAMS - LAYER + 1, SAMPLES, x, dy, dx));
  EXPECT(GRADUS_ERROR_LENGTH, STEP(SIZE_MAX, SAMPLES, x, dy, dx));
  EXPECT(GRADUS_ERROR_LENGTH, STEP(AT, SIZE_MAX / 2, x, dy, dx));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_dense_backward_step(SIZE_MAX / 2, OUTPUTS, SAMPLES, &step, 0, x, dy, dx));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_dense_backward_step(INPUTS, 0, SAMPLES, &step, AT, x, dy, dx));
  EXPECT(GRADUS_ERROR_OVERLAP, STEP(AT, SAMPLES, x, dy, params)); /* the parameters of another layer, too */
  EXPECT(GRADUS_ERROR_OVERLAP, STEP(AT, SAMPLES, x, dy, state + 2 * ALL_PARAMS - 1));
  EXPECT(GRADUS_ERROR_OVERLAP, STEP(AT, SAMPLES, params + AT + LAYER, dy, dx));
  EXPECT(GRADUS_ERROR_OVERLAP, STEP(AT, SAMPLES, x, state, dx));
  EXPECT(GRADUS_ERROR_OVERLAP, STEP(AT, SAMPLES, x, dy, x));
  EXPECT(GRADUS_ERROR_OVERLAP, STEP(AT, SAMPLES, x, dy, (float *)(void *)step.rule));
  EXPECT(GRADUS_ERROR_ALIGNMENT, STEP(AT, SAMPLES, (float *)(void *)((char *)large + 1), dy, dx));
  gradus_conv2d conv = {{2, 2, 1}, 2, {2, 2}, {1, 1}, {0, 0}};
  gradus_depthwise_conv2d depthwise = {{2, 2, 1}, {2, 2}, {1, 1}, {0, 0}};
  EXPECT(GRADUS_ERROR_NULL, gradus_conv2d_backward_step(NULL, SAMPLES, &step, AT, x, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_depthwise_conv2d_backward_step(NULL, SAMPLES, &step, AT, x, dy, dx));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_conv2d_backward_step(&conv, SAMPLES, &step, ALL_PARAMS - 9, x, dy, dx));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_depthwise_conv2d_backward_step(&depthwise, SAMPLES, &step, ALL_PARAMS - 4, x, dy, dx));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_conv2d_backward_step(&conv, 1, &step, AT, x, dy, (float *)(void *)conv.input));
  conv.stride[0] = depthwise.stride[0] = 0;
  EXPECT(GRADUS_ERROR_SHAPE, gradus_conv2d_backward_step(&conv, SAMPLES, &step, AT, x, dy, dx));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_depthwise_conv2d_backward_step(&depthwise, SAMPLES, &step, AT, x, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_step_half_grads(&step, NULL));
  EXPECT(GRADUS_ERROR_NULL, gradus_step_half_grads(NULL, half));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_step_half_grads(&step, (uint16_t *)(void *)state));
  EXPECT(GRADUS_ERROR_NULL, gradus_dense_backward_half(INPUTS, OUTPUTS, SAMPLES, apart, NULL, 1, 0, x, dy, dx));
  EXPECT(GRADUS_ERROR_OVERLAP,
         gradus_dense_backward_half(INPUTS, OUTPUTS, SAMPLES, apart, (uint16_t *)(void *)x, 1, 0, x, dy, dx));
  memset(&other, 0, sizeof other);
  EXPECT(GRADUS_ERROR_VERSION, gradus_step_half_grads(&other, half));
  TRUE(memcmp(before, params, sizeof before) == 0);
  for (size_t i = 0; i < MOST * ALL_PARAMS; i++) TRUE(state[i] == 0.0f);
  /* A step of no parameters has no memory, and a layer without any is none. */
  OK(gradus_adam_begin(&adam, 0, NULL, NULL, &steps, &other));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_bias_step(0, SAMPLES, &other, 0, dy));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_dense_backward_step(INPUTS, 0, SAMPLES, &other, 0, x, dy, dx));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_bias_step(1, SAMPLES, &other, 0, dy));
  OK(gradus_step_half_grads(&other, NULL));
  /* Of no samples the gradient is 0, and the step is one. */
  OK(STEP(AT, 0, NULL, NULL, NULL));
  OK(STEP(AT, SAMPLES, x, dy, NULL));
  TRUE(memcmp(before, params, sizeof before) != 0);
#undef STEP
}

/* A convolution, a depthwise one and a dense layer in one array. */
static void images(void) {
  static const gradus_conv2d conv = {{5, 4, 2}, 3, {3, 2}, {2, 1}, {1, 0}};           /* to 3 x 3 x 3 */
  static const gradus_depthwise_conv2d depthwise = {{3, 3, 3}, {2, 2}, {1, 1}, {0, 0}}; /* to 2 x 2 x 3 */
  enum { FIRST = 39, SECOND = 15, THIRD = (1 + 12) * 4, N = FIRST + SECOND + THIRD };
  enum { X = 2 * 40, H = 2 * 27, G = 2 * 12, Y = 2 * 4 };
  static float p[N], unfused[N], g[N], m[2 * N], n[2 * N], in[X], h[H], k[G], y[Y], dh[H], dk[G], din[X];
  static float eh[H], ek[G], apart_din[X];
  static uint16_t sums[N], moments[2 * N];
  const gradus_adam adam = GRADUS_ADAM(0.05f);
  gradus_clock a = {0, 0}, b = {0, 0}, c = {0, 0};
  gradus_step step;
  uint64_t hash = START;
  uint32_t pass = 0;
  seed = 31;
  numbers(p, N);
  memcpy(unfused, p, sizeof p);
  for (int turn = 0; turn < TURNS; turn++) {
    numbers(in, X);
    OK(gradus_conv2d_forward(&conv, 2, p, in, h));
    OK(gradus_depthwise_conv2d_forward(&depthwise, 2, p + FIRST, h, k));
    OK(gradus_dense_forward(12, 4, 2, p + FIRST + SECOND, k, y));
    memset(g, 0, sizeof g);
    OK(gradus_dense_backward(12, 4, 2, unfused + FIRST + SECOND, g + FIRST + SECOND, k, y, dk));
    OK(gradus_depthwise_conv2d_backward(&depthwise, 2, unfused + FIRST, g + FIRST, h, dk, dh));
    OK(gradus_conv2d_backward(&conv, 2, unfused, g, in, dh, apart_din));
    OK(gradus_adam_step(&adam, N, unfused, g, n, &b));
    OK(gradus_adam_begin(&adam, N, p, m, &a, &step));
    OK(gradus_dense_backward_step(12, 4, 2, &step, FIRST + SECOND, k, y, dk));
    OK(gradus_depthwise_conv2d_backward_step(&depthwise, 2, &step, FIRST, h, dk, dh));
    OK(gradus_conv2d_backward_step(&conv, 2, &step, 0, in, dh, din));
    TRUE(memcmp(p, unfused, sizeof p) == 0 && memcmp(m, n, sizeof m) == 0 && memcmp(din, apart_din, sizeof din) == 0);
    /* The way back through layers that do not learn is the same. */
    OK(gradus_dense_backward(12, 4, 2, p + FIRST + SECOND, g + FIRST + SECOND, k, y, dk));
    OK(gradus_depthwise_conv2d_backward(&depthwise, 2, p + FIRST, g + FIRST, h, dk, dh));
    OK(gradus_conv2d_backward(&conv, 2, p, g, in, dh, din));
    OK(gradus_dense_backward_input(12, 4, 2, p + FIRST + SECOND, y, ek));
    OK(gradus_depthwise_conv2d_backward_input(&depthwise, 2, p + FIRST, ek, eh));
    OK(gradus_conv2d_backward_input(&conv, 2, p, eh, apart_din));
    TRUE(memcmp(ek, dk, sizeof ek) == 0 && memcmp(eh, dh, sizeof eh) == 0 && memcmp(apart_din, din, sizeof din) == 0);
  }
  line("fused images", hash_of(hash_of(hash, p, N), m, 2 * N));
  /* Sums in half the memory, sample by sample; the counter goes on from batch to batch. */
  for (int turn = 0; turn < TURNS; turn++) {
    memset(sums, 0, sizeof sums);
    for (int sample = 0; sample < 2; sample++) {
      const float *in1 = in + sample * X / 2, *h1 = h + sample * H / 2, *k1 = k + sample * G / 2, *y1 = y + sample * Y / 2;
      pass++;
      OK(gradus_dense_backward_half(12, 4, 1, p + FIRST + SECOND, sums + FIRST + SECOND, pass, FIRST + SECOND, k1, y1, dk));
      OK(gradus_depthwise_conv2d_backward_half(&depthwise, 1, p + FIRST, sums + FIRST, pass, FIRST, h1, dk, dh));
      OK(gradus_conv2d_backward_half(&conv, 1, p, sums, pass, 0, in1, dh, din));
    }
    hash = hash_bytes(hash, sums, sizeof sums);
    OK(gradus_adam_half_begin_with(&adam, &WEIGHTS, NULL, N, p, moments, &c, &step));
    OK(gradus_step_half_grads(&step, sums));
  }
  TRUE(pass == 2 * TURNS && c.t == TURNS);
  line("half gradients", hash_bytes(hash_of(hash_of(hash, p, N), din, X / 2), moments, sizeof moments));
}

/* Biases learn, weights stay. */
static void biases(void) {
  const gradus_adam adam = GRADUS_ADAM(0.05f);
  float column[2 * OUTPUTS];
  gradus_step step;
  memset(column, 0, sizeof column);
  start();
  for (int turn = 0; turn < TURNS; turn++) {
    batch();
    OK(gradus_adam_begin(&adam, OUTPUTS, params + AT, state, &steps, &step));
    OK(gradus_bias_step(OUTPUTS, SAMPLES, &step, 0, dy));
    OK(gradus_adam_step(&adam, OUTPUTS, apart, grads, column, &apart_steps));
  }
  memcpy(dx, apart_dx, sizeof dx);
  same(0, NULL, NULL, 0);
  TRUE(memcmp(state, column, sizeof column) == 0 && steps.t == TURNS);
  line("biases alone", hash_of(hash_of(START, params, ALL_PARAMS), column, 2 * OUTPUTS));
  memcpy(apart, params + AT, sizeof apart);
  EXPECT(GRADUS_ERROR_SHAPE, gradus_bias_step(0, SAMPLES, &step, 0, dy));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_bias_step(OUTPUTS, SAMPLES, &step, 1, dy));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_bias_step(OUTPUTS, SIZE_MAX / 2, &step, 0, dy));
  EXPECT(GRADUS_ERROR_NULL, gradus_bias_step(OUTPUTS, SAMPLES, NULL, 0, dy));
  EXPECT(GRADUS_ERROR_NULL, gradus_bias_step(OUTPUTS, SAMPLES, &step, 0, NULL));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_bias_step(1, SAMPLES, &step, 0, params + AT));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_bias_step(1, SAMPLES, &step, 0, state));
  EXPECT(GRADUS_ERROR_NULL, gradus_dense_backward_input(INPUTS, OUTPUTS, SAMPLES, NULL, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_dense_backward_input(INPUTS, OUTPUTS, SAMPLES, apart, dy, NULL));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dense_backward_input(INPUTS, OUTPUTS, SAMPLES, apart, dy, dy));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_dense_backward_input(INPUTS, 0, SAMPLES, apart, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_conv2d_backward_input(NULL, SAMPLES, apart, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_depthwise_conv2d_backward_input(NULL, SAMPLES, apart, dy, dx));
  TRUE(memcmp(params + AT, apart, sizeof apart) == 0 && memcmp(dx, apart_dx, sizeof dx) == 0);
}

#define CALL_FUSED(rule, RULE) fused_##rule();
#define CALL_HALF(rule, RULE) half_##rule();

void fused(void) {
  GRADUS_OPTIMIZERS(CALL_FUSED)
  GRADUS_HALF_OPTIMIZERS(CALL_HALF)
  images();
  biases();
  refused();
}
