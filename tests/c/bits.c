/* Calls every function from C, checks what it refuses, and prints bits, which tests/suite/abi.rs prints too. */
#include "bits.h"
#include <math.h>

#define N 37
#define COLUMNS 3

int failures;
uint32_t seed;

static float params[N], grads[N], state[COLUMNS * N], before[N];
static gradus_clock rule_clock;

static const gradus_transforms ALL = {GRADUS_STRUCTS, 255, 0.5f, 2.0f, 0.01f, 0.02f, 0.03f, 0.5f, 0.1f, 0.2f, 3.0f};
static const gradus_transforms NONE = GRADUS_TRANSFORMS;

/* What a step has made of the parameters and the state. */
static uint64_t result(void) {
  uint64_t hash = hash_of(START, params, N);
  hash = hash_of(hash, state, COLUMNS * N);
  TRUE(rule_clock.t == 12);
  return hash_of(hash, &rule_clock.carry, 1);
}

/* Twelve steps by `call`, which sees `n`. */
#define TWELVE(columns, call)                                                                      \
  do {                                                                                             \
    seed = 42;                                                                                     \
    numbers(params, N);                                                                            \
    memset(state, 0, sizeof state);                                                                \
    memset(&rule_clock, 0, sizeof rule_clock);                                                     \
    for (size_t turn = 0; turn < 12; turn++) {                                                     \
      size_t n = turn < 6 ? N : turn;                                                              \
      numbers(grads, N);                                                                           \
      memset(state + (columns) * n, 0, sizeof state - sizeof(float) * (columns) * n);              \
      OK(call);                                                                                    \
    }                                                                                              \
  } while (0)

/* Steps of every kind, and everything that must be refused. */
#define RULE(rule, RULE_)                                                                          \
  static void rule_##rule(void) {                                                                  \
    enum { K = GRADUS_##RULE_##_COLUMNS };                                                         \
    const gradus_##rule initial = GRADUS_##RULE_(0.05f);                                           \
    gradus_##rule config = gradus_##rule##_default(0.05f);                                         \
    gradus_transforms transforms = ALL;                                                            \
    gradus_##rule##_state view = {state, &rule_clock};                                             \
    gradus_clock *clock = &rule_clock;                                                             \
    uint64_t plain, with;                                                                          \
    size_t count = 9;                                                                              \
    OK(gradus_##rule##_check(&config));                                                            \
    OK(gradus_##rule##_check_with(&config, &ALL));                                                 \
    TWELVE(K, gradus_##rule##_step(&initial, n, params, grads, state, clock));                     \
    plain = result();                                                                              \
    line(#rule, plain);                                                                            \
    TWELVE(K, gradus_##rule##_step_with(&config, &ALL, n, params, grads, state, clock));           \
    with = result();                                                                               \
    line(#rule " with", with);                                                                     \
    TWELVE(K, gradus_##rule##_update(&config, n, params, grads, view));                            \
    TRUE(result() == plain);                                                                       \
    TWELVE(K, gradus_##rule##_step_with(&config, &NONE, n, params, grads, state, clock));          \
    TRUE(result() == plain);                                                                       \
    TWELVE(K, gradus_##rule##_step_if_finite(&config, n, params, grads, state, clock, &count));    \
    TRUE(result() == plain && count == 0);                                                         \
    gradus_tensor list[2] = {{0, params, grads, state, NULL, NULL}, {0, NULL, NULL, NULL, NULL, &ALL}}; \
    TWELVE(K, (list[0].n = n, gradus_##rule##_step_tensors(&config, list, 2, clock)));             \
    TRUE(result() == plain);                                                                       \
    list[0].clock = clock;                                                                         \
    list[0].transforms = &ALL;                                                                     \
    TWELVE(K, (list[0].n = n, gradus_##rule##_step_tensors(&config, list, 1, NULL)));              \
    TRUE(result() == with);                                                                        \
    memcpy(before, params, sizeof params);                                                         \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step(NULL, N, params, grads, state, clock));         \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step(&config, N, NULL, grads, state, clock));        \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step(&config, N, params, NULL, state, clock));       \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step(&config, N, params, grads, state, NULL));       \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step_with(&config, NULL, N, params, grads, state, clock)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step_if_finite(&config, N, params, grads, state, clock, NULL)); \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_step_tensors(&config, NULL, 1, clock));              \
    EXPECT(K ? GRADUS_ERROR_NULL : GRADUS_OK,                                                      \
           gradus_##rule##_step(&config, K ? N : 0, params, grads, NULL, clock));                  \
    EXPECT(GRADUS_ERROR_ALIGNMENT,                                                                 \
           gradus_##rule##_step(&config, 1, (float *)(void *)((char *)params + 1), grads, state, clock)); \
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_##rule##_step(&config, N - 1, params, params + 1, state, clock)); \
    EXPECT(K ? GRADUS_ERROR_OVERLAP : GRADUS_OK,                                                   \
           gradus_##rule##_step(&config, K ? N : 0, params, grads, params, clock));                \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_step(&config, N, params, grads, state, (gradus_clock *)(void *)params)); \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_step(&config, 1, (float *)(void *)&config.lr, grads, state, clock));    \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_step(&config, 1, params, grads, state, (gradus_clock *)(void *)&config)); \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_step_with(&config, &transforms, 1, &transforms.l2, grads, state, clock)); \
    EXPECT(GRADUS_ERROR_OVERLAP,                                                                   \
           gradus_##rule##_step_if_finite(&config, 1, params, grads, state, clock, (size_t *)(void *)clock)); \
    EXPECT(GRADUS_ERROR_LENGTH, gradus_##rule##_step(&config, SIZE_MAX / 2, params, grads, state, clock)); \
    list[1] = list[0];                                                                             \
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_##rule##_step_tensors(&config, list, 2, NULL));            \
    TRUE(memcmp(before, params, sizeof params) == 0);                                              \
    rule_clock.t = 3;                                                                              \
    OK(gradus_##rule##_step(&config, 0, NULL, NULL, NULL, clock));                                 \
    TRUE(rule_clock.t == 4); /* a step of nothing counts */                                        \
    memcpy(&grads[2], "\0\0\300\177", 4); /* NaN, where the least significant byte comes first */ \
    OK(gradus_##rule##_step_if_finite(&config, N, params, grads, state, clock, &count));           \
    TRUE(count == 1 && rule_clock.t == 4);                                                         \
    config.version = 0;                                                                            \
    EXPECT(GRADUS_ERROR_VERSION, gradus_##rule##_step(&config, N, params, grads, state, clock));   \
    EXPECT(GRADUS_ERROR_VERSION, gradus_##rule##_check(&config));                                  \
    EXPECT(GRADUS_ERROR_NULL, gradus_##rule##_check(NULL));                                        \
    config.version = GRADUS_STRUCTS;                                                               \
    transforms.version = 0;                                                                        \
    EXPECT(GRADUS_ERROR_VERSION, gradus_##rule##_step_with(&config, &transforms, N, params, grads, state, clock)); \
    transforms.version = GRADUS_STRUCTS;                                                           \
    transforms.flags = 512;                                                                        \
    EXPECT(GRADUS_ERROR_ENUM, gradus_##rule##_step_with(&config, &transforms, N, params, grads, state, clock)); \
    list[0].transforms = &transforms;                                                              \
    EXPECT(GRADUS_ERROR_ENUM, gradus_##rule##_step_tensors(&config, list, 1, NULL));               \
    config.lr = -1.0f;                                                                             \
    EXPECT(GRADUS_ERROR_LEARNING_RATE, gradus_##rule##_check(&config));                            \
    config.lr = 0.05f;                                                                             \
    transforms.flags = GRADUS_CLIP_VALUE;                                                          \
    transforms.clip_value = -1.0f;                                                                 \
    EXPECT(GRADUS_ERROR_LIMIT, gradus_##rule##_check_with(&config, &transforms));                  \
    transforms.flags = 0; /* and what is not named is not looked at */                             \
    OK(gradus_##rule##_check_with(&config, &transforms));                                          \
    TRUE(memcmp(before, params, sizeof params) == 0);                                              \
  }
GRADUS_OPTIMIZERS(RULE)

#define CALL(rule, RULE_) rule_##rule();

/* Three tensors by one call: the clock counts a step, not three. */
static void lists(void) {
  gradus_sgd sgd = GRADUS_SGD(1.0f);
  gradus_adam adam = GRADUS_ADAM(1.0f);
  float p[3] = {0}, g[3] = {1.0f, 1.0f, 1.0f}, moments[3][2] = {{0}};
  gradus_clock clock = {0, 0}, clocks[3] = {{0, 0}, {0, 0}, {0, 0}};
  gradus_transforms scale = GRADUS_TRANSFORMS;
  gradus_tensor list[3];
  scale.flags = GRADUS_SCALE; /* a factor of 0 is one */
  for (int i = 0; i < 3; i++) {
    const gradus_tensor tensor = {1, &p[i], &g[i], moments[i], NULL, NULL};
    list[i] = tensor;
  }
  for (int step = 0; step < 10; step++) OK(gradus_adam_step_tensors(&adam, list, 3, &clock));
  for (int i = 0; i < 3; i++) TRUE(p[i] < -9.9999f && p[i] > -10.0001f); /* a constant gradient: lr a step */
  TRUE(clock.t == 10);
  list[1].transforms = &scale;
  memset(p, 0, sizeof p);
  OK(gradus_sgd_step_tensors(&sgd, list, 3, &clock));
  TRUE(p[0] == -1.0f && p[1] == 0.0f && p[2] == -1.0f);
  EXPECT(GRADUS_ERROR_NULL, gradus_adam_step_tensors(&adam, list, 3, NULL));
  for (int i = 0; i < 3; i++) list[i].clock = &clocks[i];
  OK(gradus_sgd_step_tensors(&sgd, list, 3, NULL));
  TRUE(clocks[0].t == 1 && clocks[1].t == 1 && clocks[2].t == 1 && clock.t == 11);
  list[2].clock = &clocks[0];
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_sgd_step_tensors(&sgd, list, 3, NULL));
  list[2].clock = &clocks[2];
  list[2].n = SIZE_MAX / 4;
  EXPECT(GRADUS_ERROR_LENGTH, gradus_sgd_step_tensors(&sgd, list, 3, NULL));
  list[2].n = 1;
  list[2].params = &p[0];
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_sgd_step_tensors(&sgd, list, 3, NULL));
  TRUE(p[0] == -2.0f && clocks[0].t == 1); /* refused before any was touched */
  /* A gradient whose square is infinite would stay in Adam's second moment for ever. */
  size_t count = 9;
  g[0] = 1e30f;
  OK(gradus_adam_step_if_finite(&adam, 1, p, g, moments[0], &clock, &count));
  TRUE(count == 1 && clock.t == 11 && p[0] == -2.0f);
  OK(gradus_sgd_step_if_finite(&sgd, 1, p, g, NULL, &clock, &count));
  TRUE(count == 0 && clock.t == 12);
}

static void rules(void) {
  GRADUS_OPTIMIZERS(CALL)
  lists();

  gradus_adam adam = GRADUS_ADAM(0.05f);
  adam.eps.place = 3;
  EXPECT(GRADUS_ERROR_ENUM, gradus_adam_check(&adam));
  adam.eps.place = GRADUS_EPSILON_ROOT;
  OK(gradus_adam_check(&adam));
  adam.beta2 = 1.0;
  EXPECT(GRADUS_ERROR_BETA2, gradus_adam_check(&adam));
}

#define SCHEDULE(schedule, initial)                                                                \
  do {                                                                                             \
    gradus_##schedule s = initial;                                                                 \
    OK(gradus_##schedule##_check(&s));                                                             \
    float rate = 0.0f;                                                                             \
    uint64_t hash = START;                                                                         \
    for (int turn = 0; turn < 2; turn++) {                                                         \
      for (uint32_t step = 0; step < 120; step++) {                                                \
        OK(gradus_##schedule##_at(&s, step, &rate));                                               \
        hash = hash_of(hash, &rate, 1);                                                            \
      }                                                                                            \
      OK(gradus_##schedule##_at(&s, UINT32_MAX, &rate));                                           \
      hash = hash_of(hash, &rate, 1);                                                              \
      s.warm_up_steps = 5;                                                                         \
      s.warm_up_start = 0.01f;                                                                     \
    }                                                                                              \
    line(#schedule, hash);                                                                         \
    EXPECT(GRADUS_ERROR_NULL, gradus_##schedule##_at(NULL, 0, &rate));                             \
    EXPECT(GRADUS_ERROR_NULL, gradus_##schedule##_at(&s, 0, NULL));                                \
    gradus_##schedule same = s;                                                                    \
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_##schedule##_at(&s, 0, &s.warm_up_start));                 \
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_##schedule##_at(&s, 0, (float *)(void *)&s + 1));          \
    TRUE(memcmp(&same, &s, sizeof s) == 0);                                                        \
    s.version = 7;                                                                                 \
    EXPECT(GRADUS_ERROR_VERSION, gradus_##schedule##_at(&s, 0, &rate));                            \
    EXPECT(GRADUS_ERROR_VERSION, gradus_##schedule##_check(&s));                                   \
  } while (0)

static void schedules(void) {
  static const uint32_t milestones[2] = {5, 9};
  SCHEDULE(step_decay, GRADUS_STEP_DECAY(0.1f, 0.5f, 7));
  SCHEDULE(multi_step, GRADUS_MULTI_STEP(0.1f, 0.3f, milestones, 2));
  SCHEDULE(exponential, GRADUS_EXPONENTIAL(0.1f, 0.01f));
  SCHEDULE(inverse_time, GRADUS_INVERSE_TIME(0.1f, 0.01f));
  SCHEDULE(linear, GRADUS_LINEAR(0.1f, 0.01f, 90));
  SCHEDULE(cosine, GRADUS_COSINE(0.1f, 100));
  SCHEDULE(warm_restarts, GRADUS_WARM_RESTARTS(0.1f, 3, 2));
  SCHEDULE(snapshot_cycle, GRADUS_SNAPSHOT_CYCLE(0.1f, 100, 3));
  SCHEDULE(triangular, GRADUS_TRIANGULAR(0.01f, 0.1f, 10, 20));
  SCHEDULE(one_cycle, GRADUS_ONE_CYCLE(0.1f, 100));
  SCHEDULE(inverse_sqrt, GRADUS_INVERSE_SQRT(0.1f, 30));
  SCHEDULE(polynomial, GRADUS_POLYNOMIAL(0.1f, 100, 0.9f));
  SCHEDULE(stable_decay, GRADUS_STABLE_DECAY(0.1f, 70, 30));
  const gradus_one_cycle of_double = GRADUS_ONE_CYCLE(0.09, 100), of_float = GRADUS_ONE_CYCLE(0.09f, 100);
  TRUE(of_double.start == of_float.start && of_double.max == of_float.max && of_double.end == of_float.end);
  gradus_step_decay decay = GRADUS_STEP_DECAY(0.1f, 0.5f, 0);
  EXPECT(GRADUS_ERROR_STEPS, gradus_step_decay_check(&decay));
  gradus_triangular triangular = GRADUS_TRIANGULAR(0.01f, 0.1f, 10, 20);
  triangular.peaks = 3;
  EXPECT(GRADUS_ERROR_ENUM, gradus_triangular_check(&triangular));
  gradus_stable_decay stable = GRADUS_STABLE_DECAY(0.1f, 70, 30);
  stable.anneal = 3;
  float rate = 7.0f;
  EXPECT(GRADUS_ERROR_ENUM, gradus_stable_decay_at(&stable, 0, &rate));
  TRUE(rate == 7.0f);

  gradus_plateau plateau = GRADUS_PLATEAU(0.1f);
  static gradus_plateau_state state;
  uint64_t hash = START;
  OK(gradus_plateau_check(&plateau));
  plateau.patience = 1;
  plateau.cooldown = 1;
  for (int turn = 0; turn < 30; turn++) {
    OK(gradus_plateau_update(&plateau, turn < 3 ? 1.0f / (float)(1 + turn) : 0.5f, &state, &rate));
    hash = hash_of(hash, &rate, 1);
  }
  OK(gradus_plateau_lr(&plateau, &state, &rate));
  hash = hash_of(hash, &rate, 1);
  line("plateau", hash);
  EXPECT(GRADUS_ERROR_NULL, gradus_plateau_update(&plateau, 1.0f, NULL, &rate));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_plateau_update(&plateau, 1.0f, &state, &state.best));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_plateau_update(&plateau, 1.0f, &state, &plateau.lr));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_plateau_update(&plateau, 1.0f, (gradus_plateau_state *)(void *)&plateau, &rate));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_plateau_lr(&plateau, &state, &plateau.lr));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_plateau_lr(&plateau, &state, &state.best));
  TRUE(plateau.lr == 0.1f);
  uint32_t steps[2] = {5, 9};
  const gradus_multi_step multi = GRADUS_MULTI_STEP(0.1f, 0.3f, steps, 2);
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_multi_step_at(&multi, 0, (float *)(void *)&steps[1]));
  TRUE(steps[1] == 9);
  plateau.goal = 2;
  EXPECT(GRADUS_ERROR_ENUM, gradus_plateau_check(&plateau));
}

static void sums(void) {
  float result[10];
  size_t count = 7;
  seed = 7;
  numbers(params, N);
  numbers(grads, N);
  OK(gradus_l2_norm(N, params, &result[0]));
  OK(gradus_sum_abs(N, params, &result[1]));
  OK(gradus_max_abs(N, params, &result[2]));
  OK(gradus_dot(N, params, grads, &result[3]));
  OK(gradus_l2_value(0.01f, N, params, &result[4]));
  OK(gradus_l1_value(0.02f, N, params, &result[5]));
  OK(gradus_elastic_net_value(0.03f, 0.5f, N, params, &result[6]));
  gradus_tensor tensors[2] = {{N, NULL, params, NULL, NULL, NULL}, {N - 2, NULL, grads, NULL, NULL, NULL}};
  OK(gradus_clip_norm(2.0f, tensors, 2, &result[7]));
  OK(gradus_clip_norm(2.0f, tensors, 0, &result[8]));
  OK(gradus_limit_row_norms(N - 1, params, 4, 5.0f));
  OK(gradus_l2_norm(N, params, &result[9]));
  line("sums", hash_of(START, result, 10));
  const float large = 3e38f;
  const gradus_tensor most = {1, NULL, &large, NULL, NULL, NULL};
  OK(gradus_clip_norm(1e-8f, &most, 1, &result[7]));
  TRUE(result[7] == 0.0f); /* below the smallest float; a scale like any other */
  EXPECT(GRADUS_ERROR_LIMIT, gradus_clip_norm(0.0f, tensors, 2, &result[7]));
  EXPECT(GRADUS_ERROR_NULL, gradus_clip_norm(1.0f, NULL, 2, &result[7]));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_limit_row_norms(N, params, 4, 5.0f));
  EXPECT(GRADUS_ERROR_EMPTY, gradus_limit_row_norms(N, params, 0, 5.0f));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_limit_column_norms(N, params, 4, 5.0f));
  EXPECT(GRADUS_ERROR_EMPTY, gradus_limit_column_norms(N, params, 0, 5.0f));
  EXPECT(GRADUS_ERROR_NULL, gradus_l2_norm(N, NULL, &result[0]));
  EXPECT(GRADUS_ERROR_NULL, gradus_l2_norm(N, params, NULL));
  OK(gradus_l2_norm(0, NULL, &result[0]));
  TRUE(result[0] == 0.0f);
  OK(gradus_count_non_finite(N, params, &count));
  TRUE(count == 0);
  uint32_t nan = 0x7fc00000u;
  memcpy(&params[3], &nan, 4);
  OK(gradus_count_non_finite(N, params, &count));
  TRUE(count == 1);
  EXPECT(GRADUS_ERROR_NON_FINITE, gradus_clip_norm(1.0f, tensors, 2, &result[7]));
}

static void noise(void) {
  enum { INPUTS = 35, OUTPUTS = 3, ROW = GRADUS_MASK_WORDS(INPUTS) };
  static float weights[INPUTS * OUTPUTS], weight_grads[INPUTS * OUTPUTS], y[OUTPUTS], out[INPUTS];
  static uint32_t mask[ROW * OUTPUTS];
  gradus_masks masks, zero = {0}, again;
  gradus_dropout dropout = GRADUS_DROPOUT_DROP_PROB(0.25f);
  uint64_t hash = START;
  float survival = 0.0f;
  OK(gradus_dropout_check(&dropout));
  OK(gradus_masks_seed(&masks, 7));
  for (dropout.vanilla = 0; dropout.vanilla < 2; dropout.vanilla++) {
    seed = 5;
    numbers(params, N);
    again = masks;
    OK(gradus_dropout_forward(&dropout, N, params, &masks));
    hash = hash_of(hash, params, N);
    numbers(params, N);
    memcpy(before, params, sizeof params);
    OK(gradus_dropout_relu_forward(&dropout, N, params, &masks));
    hash = hash_of(hash, params, N);
    OK(gradus_dropout_forward(&dropout, N, grads, &again)); /* the same draws again */
    OK(gradus_dropout_relu_forward(&dropout, N, before, &again));
    TRUE(memcmp(before, params, sizeof params) == 0);
    TRUE(memcmp(&again, &masks, sizeof masks) == 0);
    numbers(grads, N);
    OK(gradus_dropout_relu_backward(&dropout, N, grads, params));
    hash = hash_of(hash, grads, N);
    numbers(params, N);
    OK(gradus_masks_fill(&zero, 0.3f, 2, mask));
    OK(gradus_dropout_forward_mask(&dropout, N, params, mask));
    OK(gradus_dropout_inference(&dropout, N, params));
    hash = hash_of(hash, params, N);
    numbers(params, N);
    OK(gradus_dropout_relu_forward_mask(&dropout, N, params, mask));
    hash = hash_of(hash, params, N);
    OK(gradus_masks_fill(&zero, 0.5f, ROW * OUTPUTS, mask));
    numbers(weights, INPUTS * OUTPUTS);
    numbers(params, INPUTS);
    OK(gradus_dropconnect_forward(&dropout, INPUTS, OUTPUTS, weights, params, y, mask));
    hash = hash_of(hash, y, OUTPUTS);
    OK(gradus_dropconnect_backward_weights(&dropout, INPUTS, OUTPUTS, y, params, weight_grads, mask));
    hash = hash_of(hash, weight_grads, INPUTS * OUTPUTS);
    OK(gradus_dropconnect_backward_input(&dropout, INPUTS, OUTPUTS, weights, y, out, mask));
    hash = hash_of(hash, out, INPUTS);
    OK(gradus_dropconnect_inference(&dropout, INPUTS, OUTPUTS, weights, params, y));
    hash = hash_of(hash, y, OUTPUTS);
    OK(gradus_stochastic_depth_forward(&dropout, INPUTS, params, 5, mask));
    hash = hash_of(hash, params, INPUTS);
  }
  OK(gradus_stochastic_depth_linear(2, 5, 0.5f, &survival));
  hash = hash_of(hash, &survival, 1);
  uint32_t count = 0;
  memset(before, 0, sizeof before);
  memset(grads, 0, sizeof grads);
  for (int pass = 0; pass < 4; pass++) {
    numbers(params, N);
    OK(gradus_monte_carlo_add(N, before, grads, &count, params));
  }
  OK(gradus_monte_carlo_finish(N, grads, count));
  hash = hash_of(hash_of(hash, before, N), grads, N);
  line("noise", hash);

  const gradus_dropout drop = GRADUS_DROPOUT_DROP_PROB(0.1), keep = GRADUS_DROPOUT_KEEP_PROB(0.9);
  TRUE(drop.keep_prob == keep.keep_prob && keep.keep_prob == 0.9f); /* rounded once */
  EXPECT(GRADUS_ERROR_PROBABILITY, gradus_stochastic_depth_linear(1, 2, 7.0f, &survival));
  dropout.vanilla = 0;
  memcpy(before, params, sizeof params);
  EXPECT(GRADUS_ERROR_NULL, gradus_dropout_forward(&dropout, N, NULL, &masks));
  EXPECT(GRADUS_ERROR_NULL, gradus_dropout_forward(&dropout, N, params, NULL));
  EXPECT(GRADUS_ERROR_NULL, gradus_dropout_forward(NULL, N, params, &masks));
  EXPECT(GRADUS_ERROR_NULL, gradus_dropout_forward_mask(&dropout, N, params, NULL));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_relu_backward(&dropout, N, params, params));
  EXPECT(GRADUS_ERROR_OVERLAP,
         gradus_dropconnect_forward(&dropout, INPUTS, OUTPUTS, weights, params, params, mask));
  EXPECT(GRADUS_ERROR_LENGTH,
         gradus_dropconnect_forward(&dropout, SIZE_MAX / 2, 3, weights, params, y, mask));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_stochastic_depth_forward(&dropout, INPUTS, params, 4, mask));
  const gradus_dropout same = dropout;
  float *own = &dropout.keep_prob;
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_forward(&dropout, 1, own, &masks));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_forward_mask(&dropout, 1, own, mask));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_relu_forward(&dropout, 1, own, &masks));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_relu_forward_mask(&dropout, 1, own, mask));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_relu_backward(&dropout, 1, own, params));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropout_inference(&dropout, 1, own));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropconnect_forward(&dropout, INPUTS, 1, weights, params, own, mask));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropconnect_backward_weights(&dropout, 1, 1, params, out, own, mask));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropconnect_backward_input(&dropout, 1, OUTPUTS, weights, y, own, mask));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dropconnect_inference(&dropout, INPUTS, 1, weights, params, own));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_stochastic_depth_forward(&dropout, 1, own, 1, mask));
  TRUE(memcmp(&same, &dropout, sizeof same) == 0);
  dropout.version = 0;
  EXPECT(GRADUS_ERROR_VERSION, gradus_dropout_forward(&dropout, N, params, &masks));
  EXPECT(GRADUS_ERROR_VERSION, gradus_dropout_check(&dropout));
  dropout.version = GRADUS_STRUCTS;
  dropout.keep_prob = 1.5f;
  EXPECT(GRADUS_ERROR_PROBABILITY, gradus_dropout_check(&dropout));
  TRUE(memcmp(before, params, sizeof params) == 0);
}

static void norm(void) {
  enum { CHANNELS = 3, LENGTH = 4 * CHANNELS * 3 };
  const gradus_batch_shape shape = {4, CHANNELS, 3}, empty = {0, CHANNELS, 3};
  gradus_batch_norm config = GRADUS_BATCH_NORM;
  float x[LENGTH], y[LENGTH], weight[CHANNELS], bias[CHANNELS], mean[CHANNELS], variance[CHANNELS];
  float grad_weight[CHANNELS], grad_bias[CHANNELS], running[GRADUS_BATCH_NORM_COLUMNS * CHANNELS] = {0};
  gradus_clock norm_clock = {0, 0};
  uint64_t hash = START;
  OK(gradus_batch_norm_check(&config));
  seed = 13;
  numbers(weight, CHANNELS);
  numbers(bias, CHANNELS);
  for (int turn = 0; turn < 2; turn++, config.track_biased = 1) {
    numbers(x, LENGTH);
    OK(gradus_batch_norm_forward(&config, &shape, x, y, weight, bias, mean, variance));
    hash = hash_of(hash_of(hash_of(hash, y, LENGTH), mean, CHANNELS), variance, CHANNELS);
    OK(gradus_batch_norm_track(&config, &shape, mean, variance, running, &norm_clock));
    OK(gradus_batch_norm_backward(&config, &shape, y, x, weight, mean, variance, grad_weight, grad_bias));
    hash = hash_of(hash_of(hash_of(hash, y, LENGTH), grad_weight, CHANNELS), grad_bias, CHANNELS);
  }
  TRUE(norm_clock.t == 2);
  OK(gradus_batch_norm_inference(&config, &shape, x, weight, bias, running, &norm_clock));
  hash = hash_of(hash_of(hash, x, LENGTH), running, 2 * CHANNELS);
  OK(gradus_batch_norm_fold(&config, CHANNELS, LENGTH / CHANNELS, weight, bias, running, &norm_clock, x, mean));
  hash = hash_of(hash_of(hash, x, LENGTH), mean, CHANNELS);
  OK(gradus_batch_norm_fold_columns(&config, CHANNELS, LENGTH / CHANNELS, weight, bias, running, &norm_clock, x, mean));
  hash = hash_of(hash_of(hash, x, LENGTH), mean, CHANNELS);
  gradus_group_norm group = GRADUS_GROUP_NORM(1);
  float group_mean[4], group_variance[4];
  OK(gradus_group_norm_check(&group));
  numbers(x, LENGTH);
  OK(gradus_group_norm_forward(&group, &shape, x, y, weight, bias, group_mean, group_variance));
  hash = hash_of(hash_of(hash_of(hash, y, LENGTH), group_mean, 4), group_variance, 4);
  OK(gradus_group_norm_backward(&group, &shape, y, x, weight, group_mean, group_variance, grad_weight, grad_bias));
  hash = hash_of(hash_of(hash_of(hash, y, LENGTH), grad_weight, CHANNELS), grad_bias, CHANNELS);
  OK(gradus_group_norm_inference(&group, &shape, x, weight, bias));
  line("norm", hash_of(hash, x, LENGTH));
  group.groups = 2;
  EXPECT(GRADUS_ERROR_SHAPE, gradus_group_norm_inference(&group, &shape, x, weight, bias));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_group_norm_forward(&group, &shape, x, x, weight, bias, group_mean, group_variance));
  group.groups = 0;
  EXPECT(GRADUS_ERROR_SHAPE, gradus_group_norm_check(&group));
  group.version = 0;
  EXPECT(GRADUS_ERROR_VERSION, gradus_group_norm_check(&group));
  EXPECT(GRADUS_ERROR_EMPTY, gradus_batch_norm_inference(&config, &empty, NULL, weight, bias, running, &norm_clock));
  EXPECT(GRADUS_ERROR_NULL, gradus_batch_norm_inference(&config, &shape, NULL, weight, bias, running, &norm_clock));
  EXPECT(GRADUS_ERROR_NULL, gradus_batch_norm_inference(&config, NULL, x, weight, bias, running, &norm_clock));
  EXPECT(GRADUS_ERROR_NULL, gradus_batch_norm_inference(&config, &shape, x, weight, bias, running, NULL));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_forward(&config, &shape, x, x, weight, bias, mean, variance));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_forward(&config, &shape, x, y, weight, bias, mean, mean));
  /* The structures, one element of each output within. */
  gradus_batch_shape one = {1, 1, 1};
  float *outputs[2] = {&config.eps, (float *)(void *)&one.spatial};
  group.version = GRADUS_STRUCTS;
  group.groups = 1;
  for (int k = 0; k < 2; k++) {
    float *own = outputs[k];
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_forward(&config, &one, x, own, weight, bias, mean, variance));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_forward(&config, &one, x, y, weight, bias, own, variance));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_track(&config, &one, mean, variance, own, &norm_clock));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_backward(&config, &one, own, x, weight, mean, variance, grad_weight, grad_bias));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_backward(&config, &one, y, x, weight, mean, variance, own, grad_bias));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_backward(&config, &one, y, x, weight, mean, variance, grad_weight, own));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_inference(&config, &one, own, weight, bias, running, &norm_clock));
    if (k == 0) {
      EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_fold(&config, 1, 1, weight, bias, running, &norm_clock, own, mean));
      EXPECT(GRADUS_ERROR_OVERLAP, gradus_batch_norm_fold_columns(&config, 1, 1, weight, bias, running, &norm_clock, x, own));
      own = &group.eps;
    }
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_group_norm_forward(&group, &one, x, own, weight, bias, group_mean, group_variance));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_group_norm_inference(&group, &one, own, weight, bias));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_group_norm_backward(&group, &one, own, x, weight, mean, variance, grad_weight, grad_bias));
    EXPECT(GRADUS_ERROR_OVERLAP, gradus_group_norm_backward(&group, &one, y, x, weight, mean, variance, grad_weight, own));
  }
  TRUE(one.spatial == 1 && config.eps == 1e-5f && group.eps == 1e-5f && norm_clock.t == 2);
  config.version = 2;
  EXPECT(GRADUS_ERROR_VERSION, gradus_batch_norm_check(&config));
  config.version = GRADUS_STRUCTS;
  config.eps = 0.0f;
  EXPECT(GRADUS_ERROR_EPSILON, gradus_batch_norm_check(&config));
}

/* Runs of L-BFGS on the chain of Rosenbrock functions, then everything that must be refused. */
#define LBFGS(real, name, step, stop_early, save, load)                                            \
  do {                                                                                             \
    enum { PARAMS = 6, PAIRS = 5 };                                                                \
    static const real first[PARAMS] = {-1.2, 1.0, -0.5, 0.75, 2.0, -1.0};                          \
    static const real diagonal[PARAMS] = {0.5, 0.25, 0.125, 0.5, 0.25, 0.125};                     \
    static const real lower[PARAMS] = {-0.5, -1.0, -0.5, -1.0, -2.0, 0.25};                        \
    static const real upper[PARAMS] = {0.75, 2.0, 0.75, INFINITY, 1.5, 0.25};                      \
    static real x[PARAMS], g[PARAMS], works[2][GRADUS_LBFGS_WORK(PARAMS, PAIRS)];                  \
    static unsigned char file[GRADUS_LBFGS_FILE(PARAMS, PAIRS, sizeof(real)) + 1];                 \
    size_t size = 0;                                                                               \
    gradus_lbfgs config = GRADUS_LBFGS(PAIRS);                                                     \
    gradus_lbfgs_state run = {0};                                                                  \
    uint64_t hash = START;                                                                         \
    for (int turn = 0; turn < 7; turn++) {                                                         \
      const gradus_lbfgs initial = GRADUS_LBFGS(PAIRS);                                            \
      gradus_lbfgs_state fresh = {0};                                                              \
      real *work = works[0];                                                                       \
      config = initial;                                                                            \
      config.l1 = turn == 2 ? 0.5 : 0.0;                                                           \
      config.l1_start = turn == 2;                                                                 \
      if (turn == 3) config.line_search = GRADUS_LINE_SEARCH_BACKTRACKING;                         \
      config.max_move = turn == 3 ? 0.25 : 0.0;                                                    \
      if (turn == 4) config.max_evaluations = 7;                                                   \
      run = fresh;                                                                                 \
      memcpy(x, first, sizeof x);                                                                  \
      memset(works, 255, sizeof works);                                                            \
      while (failures == 0 && run.stop == GRADUS_STOP_RUNNING) {                                   \
        real value = 0;                                                                            \
        for (int i = 0; i < PARAMS; i++) g[i] = 0;                                                 \
        for (int i = 0; i < PARAMS - 1; i++) {                                                     \
          real u = 10 * (x[i + 1] - x[i] * x[i]), v = 1 - x[i];                                    \
          g[i] -= 40 * u * x[i] + 2 * v;                                                           \
          g[i + 1] += 20 * u;                                                                      \
          value += u * u + v * v;                                                                  \
        }                                                                                          \
        OK(step(&config, PARAMS, x, value, g, turn == 1 ? diagonal : NULL,                         \
                turn == 6 ? lower : NULL, turn == 6 ? upper : NULL, work, &run));                  \
        if (turn == 5 && run.evaluations == 9) OK(stop_early(&config, PARAMS, x, g, work, &run));  \
        if (run.evaluations == 11) { /* the memory may move */                                     \
          memcpy(works[1], works[0], sizeof works[0]);                                             \
          memset(works[0], 255, sizeof works[0]);                                                  \
          work = works[1];                                                                         \
        }                                                                                          \
        if (run.evaluations == 4) { /* and the run may lie in a file meanwhile */                  \
          OK(save(&config, PARAMS, x, g, work, &run, file, sizeof file, &size));                   \
          TRUE(size == sizeof file - 1);                                                           \
          hash = hash_bytes(hash, file, size);                                                     \
          memset(x, 255, sizeof x);                                                                \
          memset(g, 255, sizeof g);                                                                \
          memset(works, 255, sizeof works);                                                        \
          memset(&run, 255, sizeof run);                                                           \
          OK(load(&config, PARAMS, x, g, work, &run, file, size));                                 \
        }                                                                                          \
      }                                                                                            \
      real value = (real)run.value, gradient = (real)run.gradient;                                 \
      hash = hash_bytes(hash_bytes(hash_bytes(hash, x, sizeof x), &value, sizeof value), &gradient, sizeof value); \
      hash = hash_bytes(hash_bytes(hash, &run.iterations, 4), &run.evaluations, 4);                \
      hash = hash_bytes(hash, &run.stop, 4);                                                       \
      OK(step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run)); /* without effect */       \
      TRUE(value == (real)run.value);                                                              \
    }                                                                                              \
    line(name, hash);                                                                              \
    real *work = works[0];                                                                         \
    gradus_lbfgs_state zero = {0}, kept = run;                                                     \
    memcpy(works[1], work, sizeof works[1]);                                                       \
    size = 77;                                                                                     \
    EXPECT(GRADUS_ERROR_FILE_LENGTH, save(&config, PARAMS, x, g, work, &run, file, sizeof file - 2, &size)); \
    EXPECT(GRADUS_ERROR_FILE_LENGTH, save(&config, PARAMS, x, g, work, &run, NULL, 0, &size));     \
    EXPECT(GRADUS_ERROR_VERSION, save(&config, PARAMS, x, g, work, &zero, file, sizeof file, &size)); \
    EXPECT(GRADUS_ERROR_LENGTH, save(&config, PARAMS - 1, x, g, work, &run, file, sizeof file, &size)); \
    EXPECT(GRADUS_ERROR_OVERLAP, save(&config, PARAMS, x, g, work, &run, (unsigned char *)work, 9, &size)); \
    EXPECT(GRADUS_ERROR_OVERLAP, save(&config, PARAMS, x, x, work, &run, file, sizeof file, &size)); \
    EXPECT(GRADUS_ERROR_NULL, save(&config, PARAMS, x, g, work, NULL, file, sizeof file, &size));  \
    EXPECT(GRADUS_ERROR_NULL, save(&config, PARAMS, x, g, work, &run, NULL, 1, &size));            \
    EXPECT(GRADUS_ERROR_NULL, save(&config, PARAMS, x, g, work, &run, file, sizeof file, NULL));   \
    EXPECT(GRADUS_ERROR_NULL, save(NULL, PARAMS, x, g, work, &run, file, sizeof file, &size));     \
    TRUE(size == 77);                                                                              \
    OK(save(&config, PARAMS, x, g, work, &run, file, sizeof file, &size));                         \
    EXPECT(GRADUS_ERROR_FILE_LENGTH, load(&config, PARAMS, x, g, work, &run, file, size - 1));     \
    EXPECT(GRADUS_ERROR_FILE_LENGTH, load(&config, PARAMS, x, g, work, &run, file, size + 1));     \
    EXPECT(GRADUS_ERROR_FILE_SHAPE, load(&config, PARAMS - 1, x, g, work, &run, file, size));      \
    config.pairs = PAIRS - 1;                                                                      \
    EXPECT(GRADUS_ERROR_FILE_SHAPE, load(&config, PARAMS, x, g, work, &run, file, size));          \
    config.pairs = PAIRS;                                                                          \
    EXPECT(GRADUS_ERROR_OVERLAP, load(&config, PARAMS, x, g, work, &run, (unsigned char *)work, 99)); \
    EXPECT(GRADUS_ERROR_OVERLAP, load(&config, PARAMS, x, x, work, &run, file, size));             \
    EXPECT(GRADUS_ERROR_NULL, load(&config, PARAMS, x, g, work, NULL, file, size));                \
    EXPECT(GRADUS_ERROR_NULL, load(&config, PARAMS, x, g, work, &run, NULL, size));                \
    EXPECT(GRADUS_ERROR_NULL, load(&config, PARAMS, x, g, NULL, &run, file, size));                \
    file[99] ^= 1;                                                                                 \
    EXPECT(GRADUS_ERROR_FILE_CHECKSUM, load(&config, PARAMS, x, g, work, &run, file, size));       \
    file[6] ^= 2;                                                                                  \
    EXPECT(GRADUS_ERROR_FILE_VERSION, load(&config, PARAMS, x, g, work, &run, file, size));        \
    file[0] ^= 1;                                                                                  \
    EXPECT(GRADUS_ERROR_FILE_FOREIGN, load(&config, PARAMS, x, g, work, &run, file, size));        \
    TRUE(memcmp(&run, &kept, sizeof run) == 0 && memcmp(works[0], works[1], sizeof works[0]) == 0); \
    file[0] ^= 1;                                                                                  \
    file[6] ^= 2;                                                                                  \
    file[99] ^= 1;                                                                                 \
    OK(load(&config, PARAMS, x, g, work, &run, file, size));                                       \
    EXPECT(GRADUS_ERROR_LENGTH, step(&config, PARAMS - 1, x, 0, g, NULL, NULL, NULL, work, &run)); \
    config.pairs = PAIRS - 1;                                                                      \
    EXPECT(GRADUS_ERROR_LENGTH, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));     \
    config.pairs = PAIRS;                                                                          \
    run.number = 12 - run.number;                                                                  \
    EXPECT(GRADUS_ERROR_LENGTH, stop_early(&config, PARAMS, x, g, work, &run));                    \
    run.number = 12 - run.number;                                                                  \
    memset(&run.rest, 255, sizeof run.rest);                                                       \
    EXPECT(GRADUS_ERROR_VERSION, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));    \
    memset(x, 0, sizeof x);                                                                        \
    run = zero;                                                                                    \
    EXPECT(GRADUS_ERROR_NULL, step(NULL, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));          \
    EXPECT(GRADUS_ERROR_NULL, step(&config, PARAMS, NULL, 0, g, NULL, NULL, NULL, work, &run));    \
    EXPECT(GRADUS_ERROR_NULL, step(&config, PARAMS, x, 0, NULL, NULL, NULL, NULL, work, &run));    \
    EXPECT(GRADUS_ERROR_NULL, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, NULL, &run));       \
    EXPECT(GRADUS_ERROR_NULL, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, NULL));       \
    EXPECT(GRADUS_ERROR_NULL, stop_early(&config, PARAMS, x, g, NULL, &run));                      \
    EXPECT(GRADUS_ERROR_ALIGNMENT, step(&config, 1, (real *)(void *)((char *)x + 1), 0, g, NULL, NULL, NULL, work, &run)); \
    EXPECT(GRADUS_ERROR_OVERLAP, step(&config, PARAMS, x, 0, x, NULL, NULL, NULL, work, &run));    \
    EXPECT(GRADUS_ERROR_OVERLAP, step(&config, PARAMS, x, 0, g, x, NULL, NULL, work, &run));       \
    EXPECT(GRADUS_ERROR_OVERLAP, step(&config, PARAMS, works[0] + 3, 0, g, NULL, NULL, NULL, work, &run)); \
    EXPECT(GRADUS_ERROR_OVERLAP, stop_early(&config, PARAMS, x, x, work, &run));                   \
    real *own = (real *)(void *)&config.tolerance;                                                 \
    EXPECT(GRADUS_ERROR_OVERLAP, step(&config, 1, own, 0, g, NULL, NULL, NULL, work, &run));       \
    EXPECT(GRADUS_ERROR_OVERLAP, stop_early(&config, 1, x, own, work, &run));                      \
    EXPECT(GRADUS_ERROR_OVERLAP, save(&config, 1, x, g, work, &run, (unsigned char *)own, 1, &size)); \
    EXPECT(GRADUS_ERROR_OVERLAP, load(&config, 1, own, g, work, &run, file, size));                \
    EXPECT(GRADUS_ERROR_LENGTH, step(&config, SIZE_MAX / 2, x, 0, g, NULL, NULL, NULL, work, &run)); \
    EXPECT(GRADUS_ERROR_LENGTH, step(&config, SIZE_MAX / 100, x, 0, g, NULL, NULL, NULL, work, &run)); \
    config.pairs = 0;                                                                              \
    EXPECT(GRADUS_ERROR_EMPTY, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));      \
    config.pairs = GRADUS_LBFGS_MOST_PAIRS + 1;                                                    \
    EXPECT(GRADUS_ERROR_LENGTH, step(&config, 1, x, 0, g, NULL, NULL, NULL, work, &run));           \
    config.pairs = PAIRS;                                                                          \
    EXPECT(GRADUS_ERROR_PRECONDITIONER, step(&config, PARAMS, x, 0, g, first, NULL, NULL, work, &run)); \
    EXPECT(GRADUS_ERROR_BOUNDS, step(&config, PARAMS, x, 0, g, NULL, upper, lower, work, &run));   \
    EXPECT(GRADUS_ERROR_NULL, step(&config, PARAMS, x, 0, g, NULL, lower, NULL, work, &run));      \
    EXPECT(GRADUS_ERROR_OVERLAP, step(&config, PARAMS, x, 0, g, NULL, x, upper, work, &run));      \
    config.line_search = 2;                                                                        \
    EXPECT(GRADUS_ERROR_ENUM, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));       \
    config.line_search = GRADUS_LINE_SEARCH_MORE_THUENTE;                                          \
    config.max_trials = 0;                                                                         \
    EXPECT(GRADUS_ERROR_STEPS, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));      \
    config.max_trials = 20;                                                                        \
    config.l1_start = config.l1_end + 4;                                                           \
    config.l1_end = 3;                                                                             \
    EXPECT(GRADUS_ERROR_SHAPE, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));      \
    config.l1_start = 0;                                                                           \
    config.tolerance = -1;                                                                         \
    EXPECT(GRADUS_ERROR_TOLERANCE, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));  \
    config.tolerance = 0;                                                                          \
    config.curvature = 1;                                                                          \
    EXPECT(GRADUS_ERROR_LINE_SEARCH, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run)); \
    config.version = 0;                                                                            \
    EXPECT(GRADUS_ERROR_VERSION, step(&config, PARAMS, x, 0, g, NULL, NULL, NULL, work, &run));    \
    TRUE(memcmp(&run, &zero, sizeof run) == 0);                                                    \
    for (int i = 0; i < PARAMS; i++) TRUE(x[i] == 0);                                              \
  } while (0)

static void lbfgs(void) {
  LBFGS(float, "lbfgs", gradus_lbfgs_step, gradus_lbfgs_stop, gradus_lbfgs_save, gradus_lbfgs_load);
  LBFGS(double, "lbfgs_f64", gradus_lbfgs_step_f64, gradus_lbfgs_stop_f64, gradus_lbfgs_save_f64, gradus_lbfgs_load_f64);
}

static void files(void) {
  static unsigned char file[1024];
  uint32_t position = 17, loaded = 0;
  size_t size = 0, needed = 0;
  float other[N] = {0}, other_state[2 * N] = {0};
  gradus_clock other_clock = {0, 0};
  seed = 3;
  numbers(params, N);
  numbers(state, 2 * N);
  rule_clock.t = 5;
  rule_clock.carry = 0.5f;
  gradus_masks masks = {0}, other_masks = {0};
  OK(gradus_masks_seed(&masks, 9));
  gradus_item saved[4] = {{GRADUS_ITEM_FLOATS, N, params, NULL},
                          {GRADUS_ITEM_NADAM, N, state, &rule_clock},
                          {GRADUS_ITEM_U32, 1, &position, NULL},
                          {GRADUS_ITEM_MASKS, 1, &masks, NULL}};
  gradus_item items[4] = {{GRADUS_ITEM_FLOATS, N, other, NULL},
                          {GRADUS_ITEM_NADAM, N, other_state, &other_clock},
                          {GRADUS_ITEM_U32, 1, &loaded, NULL},
                          {GRADUS_ITEM_MASKS, 1, &other_masks, NULL}};
  OK(gradus_save_size(saved, 4, &needed));
  EXPECT(GRADUS_ERROR_FILE_LENGTH, gradus_save(saved, 4, file, needed - 1, &size));
  const gradus_item itself = {GRADUS_ITEM_U32, 1, &size, NULL};
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_save_size(saved, 4, &saved[1].n));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_save_size(&itself, 1, &size));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_save(saved, 4, file, sizeof file, &saved[1].n));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_save(&itself, 1, file, sizeof file, &size));
  TRUE(size == 0 && saved[1].n == N && file[0] == 0);
  OK(gradus_save(saved, 4, file, sizeof file, &size));
  TRUE(size == needed);
  line("file", hash_bytes(START, file, size));
  OK(gradus_load(items, 4, file, size));
  TRUE(memcmp(params, other, sizeof params) == 0);
  TRUE(memcmp(state, other_state, sizeof other_state) == 0);
  TRUE(memcmp(&masks, &other_masks, sizeof masks) == 0);
  TRUE(other_clock.t == 5 && other_clock.carry == 0.5f && loaded == 17);
  EXPECT(GRADUS_ERROR_FILE_LENGTH, gradus_load(items, 4, file, size - 1));
  EXPECT(GRADUS_ERROR_FILE_LENGTH, gradus_load(items, 3, file, size));
  items[1].kind = GRADUS_ITEM_ADAM;
  EXPECT(GRADUS_ERROR_FILE_KIND, gradus_load(items, 4, file, size));
  items[1].kind = GRADUS_ITEM_NADAM;
  items[0].n = N - 1;
  EXPECT(GRADUS_ERROR_FILE_SHAPE, gradus_load(items, 4, file, size));
  items[0].n = N;
  items[0].data = other_state;
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_load(items, 4, file, size));
  items[0].data = file;
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_load(items, 4, file, size));
  items[0].data = other;
  items[0].kind = 99;
  EXPECT(GRADUS_ERROR_ENUM, gradus_load(items, 4, file, size));
  gradus_ensemble models = GRADUS_ENSEMBLE(2, 2, other);
  items[0].kind = GRADUS_ITEM_ENSEMBLE;
  items[0].data = &models;
  models.version = 0;
  EXPECT(GRADUS_ERROR_VERSION, gradus_load(items, 4, file, size));
  models.version = GRADUS_STRUCTS;
  models.n = 0;
  EXPECT(GRADUS_ERROR_EMPTY, gradus_save_size(items, 4, &needed));
  models.n = 2;
  models.count = 3;
  EXPECT(GRADUS_ERROR_FULL, gradus_save(items, 4, file, sizeof file, &needed));
  items[0].data = other;
  items[0].kind = GRADUS_ITEM_FLOATS;
  file[30] ^= 1;
  EXPECT(GRADUS_ERROR_FILE_CHECKSUM, gradus_load(items, 4, file, size));
  file[6] ^= 1;
  EXPECT(GRADUS_ERROR_FILE_VERSION, gradus_load(items, 4, file, size));
  file[0] ^= 1;
  EXPECT(GRADUS_ERROR_FILE_FOREIGN, gradus_load(items, 4, file, size));
  TRUE(memcmp(params, other, sizeof params) == 0);
}

/* Every kind of state, saved and loaded again. */
static void states(void) {
#define KIND(name, NAME) {GRADUS_ITEM_##NAME, GRADUS_##NAME##_COLUMNS},
  static const uint32_t kinds[][2] = {
      GRADUS_OPTIMIZERS(KIND){GRADUS_ITEM_BATCH_NORM, 2}, {GRADUS_ITEM_SWA, 1}, {GRADUS_ITEM_EMA, 1},
      {GRADUS_ITEM_COMPENSATED_EMA, 2}, {GRADUS_ITEM_INPUT_NORM, 2}, {GRADUS_ITEM_ACCUMULATE, 1}};
  static unsigned char file[1024];
  static float loaded[COLUMNS * N];
  uint64_t hash = START;
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    gradus_clock clock = {k + 1u, 0.25f}, loaded_clock = {0, 0};
    const gradus_item saved = {kinds[k][0], N, state, &clock}, item = {kinds[k][0], N, loaded, &loaded_clock};
    size_t size = 0, floats = kinds[k][1] * N;
    seed = kinds[k][0];
    numbers(state, floats);
    OK(gradus_save(&saved, 1, file, sizeof file, &size));
    hash = hash_bytes(hash, file, size);
    OK(gradus_load(&item, 1, file, size));
    TRUE(memcmp(loaded, state, 4 * floats) == 0 && loaded_clock.t == clock.t && loaded_clock.carry == clock.carry);
  }
  line("states", hash);
  /* Half the memory is for those whose step takes it. */
#define HALVES(name, NAME) GRADUS_ITEM_##NAME,
  static const uint32_t halved[] = {GRADUS_HALF_OPTIMIZERS(HALVES)};
  static uint16_t half[COLUMNS * N];
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    gradus_clock clock = {1, 0.0f};
    const gradus_item saved = {kinds[k][0] | GRADUS_ITEM_HALF, N, half, &clock};
    size_t size = 0;
    int may = 0;
    for (unsigned i = 0; i < sizeof halved / sizeof *halved; i++) may |= halved[i] == kinds[k][0];
    EXPECT(may ? GRADUS_OK : GRADUS_ERROR_ENUM, gradus_save(&saved, 1, file, sizeof file, &size));
  }
}

/* A file that is written and read through functions. */
typedef struct stream {
  unsigned char bytes[1024];
  size_t size;
  int fails; /* calls from now on */
} stream;

static int32_t stream_write(void *context, const uint8_t *bytes, size_t n) {
  stream *to = (stream *)context;
  if (to->size + n > sizeof to->bytes) {
    return -1;
  }
  memcpy(to->bytes + to->size, bytes, n);
  to->size += n;
  return to->fails-- == 0;
}

static int32_t stream_read(void *context, size_t at, uint8_t *bytes, size_t n) {
  stream *from = (stream *)context;
  memcpy(bytes, from->bytes + at, n);
  return from->fails-- == 0;
}

/* A flash of four blocks in memory, whose power fails. */
typedef struct chip {
  unsigned char bytes[2048];
  long left;
} chip;

static int32_t chip_read(void *context, uint32_t at, uint8_t *bytes, size_t n) {
  memcpy(bytes, ((chip *)context)->bytes + at, n);
  return 0;
}

static int32_t chip_write(void *context, uint32_t at, const uint8_t *bytes, size_t n) {
  chip *flash = (chip *)context;
  for (size_t k = 0; k < n; k++) {
    if (flash->left-- <= 0) {
      return -1;
    }
    flash->bytes[at + k] &= bytes[k];
  }
  return 0;
}

static int32_t chip_erase(void *context, uint32_t from, uint32_t to) {
  chip *flash = (chip *)context;
  for (uint32_t k = from; k < to; k++) {
    if (flash->left-- <= 0) {
      return -1;
    }
    flash->bytes[k] = 0xff;
  }
  return 0;
}

/* Files in pieces, and the journal at a cut of every byte. */
static void streams(void) {
  static stream file;
  static chip flash;
  float loaded[N] = {0};
  gradus_clock clock = {5, 0.5f}, loaded_clock = {0, 0};
  const gradus_item saved = {GRADUS_ITEM_MOMENTUM, N, state, &clock}, item = {GRADUS_ITEM_MOMENTUM, N, loaded, &loaded_clock};
  size_t size = 0;
  uint32_t found = 9;
  seed = 4;
  numbers(state, N);
  file.fails = -1;
  OK(gradus_save_to(&saved, 1, stream_write, &file, &size));
  TRUE(size == file.size);
  line("stream", hash_bytes(START, file.bytes, file.size));
  file.fails = 0;
  EXPECT(GRADUS_ERROR_CALLBACK, gradus_load_from(&item, 1, size, stream_read, &file));
  TRUE(loaded_clock.t == 0);
  file.fails = 1;
  EXPECT(GRADUS_ERROR_FILE_TORN, gradus_load_from(&item, 1, size, stream_read, &file));
  file.fails = -1;
  OK(gradus_load_from(&item, 1, size, stream_read, &file));
  TRUE(memcmp(loaded, state, sizeof loaded) == 0 && loaded_clock.t == 5);
  EXPECT(GRADUS_ERROR_NULL, gradus_load_from(&item, 1, size, NULL, &file));

  const gradus_flash region = {GRADUS_STRUCTS, 0, 2048, 512, 1, 4, chip_read, chip_write, chip_erase, &flash};
  gradus_journal journal = {0, 0, 0, 0, 0, 0};
  EXPECT(GRADUS_ERROR_VERSION, gradus_journal_save(&region, &journal, &saved, 1));
  flash.left = 100000;
  OK(gradus_journal_open(&region, &journal));
  OK(gradus_journal_load(&region, &journal, &item, 1, &found));
  TRUE(found == 0);
  gradus_flash mine = region;
  const gradus_item over = {GRADUS_ITEM_U32, 1, &mine.block, NULL};
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_journal_load(&mine, &journal, &over, 1, &found));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_journal_load(&mine, &journal, &item, 1, &mine.block));
  TRUE(mine.block == 512);
  OK(gradus_journal_save(&region, &journal, &saved, 1));
  long whole = 100000 - flash.left;
  for (long left = 0; left <= whole; left++) {
    chip before = flash;
    clock.t = 6;
    flash.left = left;
    OK(gradus_journal_open(&region, &journal));
    gradus_status status = gradus_journal_save(&region, &journal, &saved, 1);
    TRUE(status == (left < whole ? GRADUS_ERROR_CALLBACK : GRADUS_OK));
    OK(gradus_journal_open(&region, &journal));
    OK(gradus_journal_load(&region, &journal, &item, 1, &found));
    TRUE(found == 1 && loaded_clock.t == (left < whole ? 5u : 6u));
    flash = before;
  }
  line("journal", hash_bytes(START, flash.bytes, 16 + size));
}

static int32_t halve(void *context, size_t n, const float *model, size_t m, float *out) {
  for (size_t k = 0; k < m && k < n; k++) {
    out[k] = model[k] * 0.5f;
  }
  if (context != NULL) {
    ++*(size_t *)context; /* calls that failed */
  }
  return context != NULL;
}

/* Averages of weights and of predictions. */
static void averages(void) {
  static float members[2 * N], mean[N], scratch[N];
  const gradus_ema ema = GRADUS_EMA(0.9);
  gradus_ensemble ensemble = GRADUS_ENSEMBLE(N, 2, members);
  gradus_clock swa_clock = {0, 0}, ema_clock = {0, 0};
  size_t index = 0;
  memset(state, 0, sizeof state);
  seed = 6;
  for (int k = 0; k < 2; k++) {
    numbers(params, N);
    OK(gradus_swa_update(N, params, state, &swa_clock));
    OK(gradus_ema_update(&ema, N, params, state + N, &ema_clock));
    OK(gradus_ensemble_push(&ensemble, params));
  }
  EXPECT(GRADUS_ERROR_FULL, gradus_ensemble_push(&ensemble, params));
  OK(gradus_ensemble_predict(&ensemble, halve, NULL, N, scratch, mean));
  EXPECT(GRADUS_ERROR_CALLBACK, gradus_ensemble_predict(&ensemble, halve, &index, N, scratch, params));
  TRUE(index == 1); /* not called again */
  gradus_ema own = GRADUS_EMA(0.9);
  float *inside = (float *)(void *)&own.decay;
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_ema_update(&own, 1, params, inside, &ema_clock));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_compensated_ema_update(&own, 1, params, inside, &ema_clock));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_ema_update(&own, 1, params, state, (gradus_clock *)(void *)inside));
  TRUE(own.decay == 0.9 && ema_clock.t == 2);
  OK(gradus_argmax(N, mean, &index));
  TRUE(ensemble.count == 2 && index < N);
  line("averages", hash_of(hash_of(START, state, 2 * N), mean, N));
}

/* What is learnt of data as they come, the average of a schedule-free run, and a decay apart from the rate. */
static void online(void) {
  static float average[2 * N], sum[N];
  static const uint16_t labels[3] = {0, 1, 0};
  const gradus_ema ema = GRADUS_EMA(0.9);
  gradus_schedulefree rule = GRADUS_SCHEDULEFREE(0.05f);
  gradus_transforms decay = GRADUS_TRANSFORMS;
  gradus_clock seen = {0, 0}, clock = {0, 0}, ema_clock = {0, 0}, batches = {0, 0};
  float x[6], statistics[6] = {0}, accuracy = 0;
  uint32_t counts[4] = {0};
  uint64_t hash;
  seed = 7;
  numbers(x, 6);
  OK(gradus_input_norm_update(3, 2, x, statistics, &seen));
  x[4] = NAN;
  EXPECT(GRADUS_ERROR_NON_FINITE, gradus_input_norm_update(3, 2, x, statistics, &seen));
  numbers(x, 6);
  EXPECT(GRADUS_ERROR_EPSILON, gradus_input_norm_apply(0, 3, 2, x, statistics, &seen));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_input_norm_apply(1e-7f, 0, 2, NULL, NULL, &seen));
  OK(gradus_input_norm_apply(1e-7f, 3, 2, x, statistics, &seen));
  TRUE(seen.t == 2);
  hash = hash_of(hash_of(START, statistics, 6), x, 6);

  rule.weight_decay = 0.1f;
  decay.flags = GRADUS_INDEPENDENT_DECAY;
  decay.decay = 0.125f;
  numbers(params, N);
  memset(state, 0, sizeof state);
  for (int k = 0; k < 3; k++) {
    numbers(grads, N);
    OK(gradus_schedulefree_step_with(&rule, &decay, N, params, grads, state, &clock));
    OK(gradus_accumulate(N, grads, sum, &batches));
    OK(gradus_compensated_ema_update(&ema, N, params, average, &ema_clock));
  }
  TRUE(batches.t == 3);
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_schedulefree_average(&rule, N, params, params));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_schedulefree_average(&rule, 1, &rule.lr, state));
  OK(gradus_schedulefree_average(&rule, N, params, state));
  decay.flags |= GRADUS_DECAY; /* one or the other */
  EXPECT(GRADUS_ERROR_ENUM, gradus_schedulefree_check_with(&rule, &decay));
  hash = hash_of(hash_of(hash_of(hash, params, N), sum, N), average, 2 * N);

  EXPECT(GRADUS_ERROR_EMPTY, gradus_confusion_accuracy(2, counts, &accuracy));
  numbers(x, 6);
  EXPECT(GRADUS_ERROR_SHAPE, gradus_confusion_add(1, 3, x, labels, counts));
  OK(gradus_confusion_add(2, 3, x, labels, counts));
  OK(gradus_confusion_accuracy(2, counts, &accuracy));
  for (int k = 0; k < 4; k++) {
    const float count = (float)counts[k];
    hash = hash_of(hash, &count, 1);
  }
  line("online", hash_of(hash, &accuracy, 1));
}

/* Random numbers, first weights, layers, activations, losses. */
static void layers(void) {
  enum { INPUTS = 5, OUTPUTS = 4, SAMPLES = 3, PARAMS = (1 + INPUTS) * OUTPUTS };
  static const gradus_conv2d conv = {{5, 4, 2}, 3, {3, 2}, {2, 1}, {1, 0}};
  static const gradus_max_pool2d pool = {{3, 3, 3}, {2, 2}, {1, 1}, {0, 0}};
  static float weights[64], weight_grads[64], x[160], y[160], dy[160], dx[160];
  static const uint16_t labels[SAMPLES] = {3, 0, 2};
  gradus_random random = {{0, 0, 0, 0}}, zero = random;
  uint32_t words[3], more[3];
  uint64_t hash = START;
  float loss = 0.0f;
  size_t best = 9, count = 0, outputs = 0;
  OK(gradus_random_seed(&zero, 0));
  OK(gradus_random_words(&random, 3, words));
  OK(gradus_random_words(&zero, 3, more));
  TRUE(memcmp(words, more, sizeof words) == 0 && memcmp(&random, &zero, sizeof zero) == 0); /* zeros are seed 0 */
  OK(gradus_random_seed(&random, 11));
  OK(gradus_random_words(&random, 3, words));
  hash = hash_bytes(hash, words, sizeof words);
  OK(gradus_init_uniform(&random, -2.0f, 3.0f, 5, weights));
  OK(gradus_init_normal(&random, 1.0f, 0.5f, 7, weights + 5));
  OK(gradus_init_he_uniform(&random, 6, 5, weights + 12));
  OK(gradus_init_he_normal(&random, 6, 5, weights + 17));
  OK(gradus_init_glorot_uniform(&random, 6, 9, 5, weights + 22));
  OK(gradus_init_glorot_normal(&random, 6, 9, 5, weights + 27));
  OK(gradus_init_lecun_uniform(&random, 6, 5, weights + 32));
  OK(gradus_init_lecun_normal(&random, 6, 5, weights + 37));
  hash = hash_of(hash, weights, 42);

  seed = 17;
  numbers(weights, PARAMS);
  numbers(x, SAMPLES * INPUTS);
  memset(weight_grads, 0, sizeof weight_grads);
  OK(gradus_dense_forward(INPUTS, OUTPUTS, SAMPLES, weights, x, y));
  hash = hash_of(hash, y, SAMPLES * OUTPUTS);
  memcpy(dy, y, sizeof y);
  OK(gradus_softmax_cross_entropy(OUTPUTS, SAMPLES, dy, labels, &loss));
  hash = hash_of(hash_of(hash, &loss, 1), dy, SAMPLES * OUTPUTS);
  OK(gradus_dense_backward(INPUTS, OUTPUTS, SAMPLES, weights, weight_grads, x, dy, dx));
  OK(gradus_dense_backward(INPUTS, OUTPUTS, SAMPLES, weights, weight_grads, x, dy, NULL)); /* adds once more */
  hash = hash_of(hash_of(hash, weight_grads, PARAMS), dx, SAMPLES * INPUTS);
  OK(gradus_leaky_relu(0.125f, 12, y));
  OK(gradus_leaky_relu_backward(0.125f, 12, dy, y));
  OK(gradus_tanh(12, y));
  OK(gradus_tanh_backward(12, dy, y));
  OK(gradus_sigmoid(12, y));
  OK(gradus_sigmoid_backward(12, dy, y));
  OK(gradus_relu(12, y));
  OK(gradus_relu_backward(12, dy, y));
  hash = hash_of(hash_of(hash, y, 12), dy, 12);
  OK(gradus_softmax(OUTPUTS, 12, y));
  OK(gradus_argmax(OUTPUTS, y, &best));
  TRUE(best < OUTPUTS);
  hash = hash_of(hash, y, 12);
  OK(gradus_binary_cross_entropy(12, dy, y, &loss));
  hash = hash_of(hash, &loss, 1);
  OK(gradus_mean_squared_error(12, dy, y, &loss));
  hash = hash_of(hash, &loss, 1);
  OK(gradus_huber(0.01f, 12, dy, y, &loss));
  hash = hash_of(hash_of(hash, &loss, 1), dy, 12);

  OK(gradus_conv2d_sizes(&conv, &count, &outputs));
  TRUE(count == (1 + 3 * 2 * 2) * 3 && outputs == 3 * 3 * 3);
  numbers(weights, count);
  numbers(x, 2 * 40);
  memset(weight_grads, 0, sizeof weight_grads);
  OK(gradus_conv2d_forward(&conv, 2, weights, x, y));
  hash = hash_of(hash, y, 2 * outputs);
  OK(gradus_conv2d_backward(&conv, 2, weights, weight_grads, x, y, dx));
  hash = hash_of(hash_of(hash, weight_grads, count), dx, 2 * 40);
  OK(gradus_max_pool2d_forward(&pool, 2, y, x));
  OK(gradus_max_pool2d_backward(&pool, 2, y, x, x, dx));
  hash = hash_of(hash_of(hash, x, 2 * 12), dx, 2 * 27);
  line("layers", hash);

  static const gradus_depthwise_conv2d depthwise = {{5, 4, 2}, {3, 2}, {2, 1}, {1, 0}};
  static const gradus_average_pool2d mean = {{3, 3, 2}, {2, 2}, {1, 1}, {1, 0}};
  hash = START;
  OK(gradus_depthwise_conv2d_sizes(&depthwise, &count, &outputs));
  TRUE(count == (1 + 3 * 2) * 2 && outputs == 3 * 3 * 2);
  numbers(weights, count);
  numbers(x, 2 * 40);
  memset(weight_grads, 0, sizeof weight_grads);
  OK(gradus_depthwise_conv2d_forward(&depthwise, 2, weights, x, y));
  hash = hash_of(hash, y, 2 * outputs);
  OK(gradus_depthwise_conv2d_backward(&depthwise, 2, weights, weight_grads, x, y, dx));
  hash = hash_of(hash_of(hash, weight_grads, count), dx, 2 * 40);
  OK(gradus_average_pool2d_forward(&mean, 2, y, x));
  OK(gradus_average_pool2d_backward(&mean, 2, x, dx));
  OK(gradus_residual_add(2 * 16, x, dx));
  hash = hash_of(hash_of(hash, x, 2 * 16), dx, 2 * 18);
  line("images", hash);
  EXPECT(GRADUS_ERROR_NULL, gradus_depthwise_conv2d_forward(NULL, 2, weights, x, y));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_residual_add(4, x, x));
  gradus_average_pool2d far = mean;
  far.padding[0] = 2;
  EXPECT(GRADUS_ERROR_SHAPE, gradus_average_pool2d_forward(&far, 2, y, x));

  EXPECT(GRADUS_ERROR_SHAPE, gradus_dense_forward(INPUTS, 0, SAMPLES, weights, x, y));
  EXPECT(GRADUS_ERROR_LENGTH, gradus_dense_forward(SIZE_MAX / 2, OUTPUTS, SAMPLES, weights, x, y));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dense_forward(INPUTS, OUTPUTS, SAMPLES, weights, x, x));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_dense_backward(INPUTS, OUTPUTS, SAMPLES, weights, weights, x, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_dense_backward(INPUTS, OUTPUTS, SAMPLES, weights, NULL, x, dy, dx));
  EXPECT(GRADUS_ERROR_NULL, gradus_conv2d_forward(NULL, 2, weights, x, y));
  EXPECT(GRADUS_ERROR_NULL, gradus_random_words(NULL, 3, words));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_random_words(&random, 4, random.state));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_softmax(OUTPUTS, 11, y));
  EXPECT(GRADUS_ERROR_SHAPE, gradus_softmax_cross_entropy(2, SAMPLES, dy, labels, &loss));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_mean_squared_error(12, dy, dy, &loss));
  EXPECT(GRADUS_ERROR_LIMIT, gradus_huber(0.0f, 12, dy, y, &loss));
  /* A mean of nothing. */
  loss = 0.0f;
  OK(gradus_softmax_cross_entropy(OUTPUTS, 0, NULL, NULL, &loss));
  TRUE(loss != loss);
  loss = 0.0f;
  OK(gradus_binary_cross_entropy(0, NULL, NULL, &loss));
  TRUE(loss != loss);
  loss = 0.0f;
  OK(gradus_mean_squared_error(0, NULL, NULL, &loss));
  TRUE(loss != loss);
  loss = 0.0f;
  OK(gradus_huber(0.01f, 0, NULL, NULL, &loss));
  TRUE(loss != loss);
  gradus_conv2d wrong = conv;
  wrong.kernel[0] = 12;
  EXPECT(GRADUS_ERROR_SHAPE, gradus_conv2d_forward(&wrong, 2, weights, x, y));
  wrong = conv;
  wrong.input[0] = SIZE_MAX / 3;
  TRUE(gradus_conv2d_forward(&wrong, 2, weights, x, y) != GRADUS_OK);
}

/* A state in half the memory: the first step has the bits of a whole one, and a step the bits of Rust. */
static void halves(void) {
  static uint16_t half[2 * N];
  static float whole[N];
  const gradus_adam adam = GRADUS_ADAM(0.05f);
  gradus_clock clock = {0, 0.0f};
  seed = 23;
  numbers(params, N);
  memcpy(whole, params, sizeof params);
  memset(state, 0, sizeof state);
  memset(&rule_clock, 0, sizeof rule_clock);
  for (int turn = 0; turn < 12; turn++) {
    numbers(grads, N);
    OK(gradus_adam_half_step(&adam, N, params, grads, half, &clock));
    if (turn == 0) OK(gradus_adam_step(&adam, N, whole, grads, state, &rule_clock));
    TRUE(turn > 0 || memcmp(whole, params, sizeof params) == 0);
  }
  line("halves", hash_bytes(hash_of(START, params, N), half, sizeof half));
  gradus_transforms with = GRADUS_TRANSFORMS;
  with.flags = GRADUS_SCALE | GRADUS_CLIP_VALUE | GRADUS_L2;
  with.scale = 0.25f;
  with.clip_value = 0.2f;
  with.l2 = 0.1f;
  for (int turn = 0; turn < 12; turn++) {
    numbers(grads, N);
    OK(gradus_adam_half_step_with(&adam, &with, N, params, grads, half, &clock));
  }
  line("halves with transforms", hash_bytes(hash_of(START, params, N), half, sizeof half));
  EXPECT(GRADUS_ERROR_NULL, gradus_adam_half_step_with(&adam, NULL, N, params, grads, half, &clock));
  EXPECT(GRADUS_ERROR_OVERLAP, gradus_adam_half_step(&adam, N, params, grads, (uint16_t *)(void *)params, &clock));
  EXPECT(GRADUS_ERROR_NULL, gradus_adam_half_step(&adam, N, params, grads, NULL, &clock));
}

int main(void) {
  rules();
  layers();
  halves();
  fused();
  schedules();
  sums();
  noise();
  norm();
  lbfgs();
  files();
  states();
  streams();
  averages();
  online();
  TRUE(strcmp(gradus_status_name(GRADUS_OK), "success") == 0);
  TRUE(strcmp(gradus_status_name(-9999), "unknown status") == 0);
  TRUE(gradus_version()[0] != 0);
  return failures != 0;
}
