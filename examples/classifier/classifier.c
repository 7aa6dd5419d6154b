#include "classifier.h"

#include "gradus.h"

enum { FEATURES = 4 * CLASSIFIER_AXES, UNITS = 16, CLASSES = CLASSIFIER_CLASSES };
enum { PARAMS1 = (1 + FEATURES) * UNITS, PARAMS = PARAMS1 + (1 + UNITS) * CLASSES };

static float params[PARAMS], grads[PARAMS], state[GRADUS_ADAM_COLUMNS * PARAMS];
static gradus_clock steps;
static const gradus_adam adam = GRADUS_ADAM(0.01f);

#define TRY(call)                                                                                  \
  do {                                                                                             \
    gradus_status status_ = (call);                                                                \
    if (status_ != GRADUS_OK) return status_;                                                      \
  } while (0)

/* What a file holds, in this order. */
static void contents(gradus_item items[2]) {
  items[0].kind = GRADUS_ITEM_FLOATS;
  items[0].n = PARAMS;
  items[0].data = params;
  items[0].clock = NULL;
  items[1].kind = GRADUS_ITEM_ADAM;
  items[1].n = PARAMS;
  items[1].data = state;
  items[1].clock = &steps;
}

int classifier_begin(uint32_t seed) {
  gradus_random random;
  const gradus_clock start = {0, 0.0f};
  for (size_t i = 0; i < PARAMS; i++) params[i] = 0.0f;
  for (size_t i = 0; i < GRADUS_ADAM_COLUMNS * PARAMS; i++) state[i] = 0.0f;
  steps = start;
  TRY(gradus_random_seed(&random, seed));
  /* The biases of a layer stand before its weights, and stay 0. */
  TRY(gradus_init_he_uniform(&random, FEATURES, FEATURES * UNITS, params + UNITS));
  return gradus_init_he_uniform(&random, UNITS, UNITS * CLASSES, params + PARAMS1 + CLASSES);
}

/* For each axis: the mean, the spread, the largest change from one sample to the next, and how often it crosses the mean. */
static void features(float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES], float *x) {
  for (size_t axis = 0; axis < CLASSIFIER_AXES; axis++, x += 4) {
    float mean = 0.0f, spread = 0.0f, change = 0.0f, crossings = 0.0f;
    for (size_t i = 0; i < CLASSIFIER_SAMPLES; i++) mean += window[i][axis];
    mean /= (float)CLASSIFIER_SAMPLES;
    for (size_t i = 0; i < CLASSIFIER_SAMPLES; i++) {
      float d = window[i][axis] - mean;
      spread += d < 0.0f ? -d : d;
      if (i > 0) {
        float before = window[i - 1][axis] - mean, step = d - before;
        if (step < 0.0f) step = -step;
        if (step > change) change = step;
        if ((d < 0.0f) != (before < 0.0f)) crossings += 1.0f;
      }
    }
    x[0] = mean;
    x[1] = spread / (float)CLASSIFIER_SAMPLES;
    x[2] = change;
    x[3] = crossings / (float)CLASSIFIER_SAMPLES;
  }
}

/* From a window to the scores of the classes; x and h are what the way back needs. */
static int forward(float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES], float *x, float *h, float *scores) {
  features(window, x);
  TRY(gradus_dense_forward(FEATURES, UNITS, 1, params, x, h));
  TRY(gradus_relu(UNITS, h));
  return gradus_dense_forward(UNITS, CLASSES, 1, params + PARAMS1, h, scores);
}

int classifier_class(float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES], size_t *label, float *probability) {
  float x[FEATURES], h[UNITS], scores[CLASSES];
  TRY(forward(window, x, h, scores));
  TRY(gradus_softmax(CLASSES, CLASSES, scores));
  TRY(gradus_argmax(CLASSES, scores, label));
  *probability = scores[*label];
  return GRADUS_OK;
}

int classifier_learn(float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES], uint16_t label, float *loss) {
  float x[FEATURES], h[UNITS], scores[CLASSES], dh[UNITS];
  size_t broken;
  TRY(forward(window, x, h, scores));
  TRY(gradus_softmax_cross_entropy(CLASSES, 1, scores, &label, loss)); /* scores is its gradient now */
  for (size_t i = 0; i < PARAMS; i++) grads[i] = 0.0f;
  TRY(gradus_dense_backward(UNITS, CLASSES, 1, params + PARAMS1, grads + PARAMS1, h, scores, dh));
  TRY(gradus_relu_backward(UNITS, dh, h));
  TRY(gradus_dense_backward(FEATURES, UNITS, 1, params, grads, x, dh, NULL));
  /* A sensor that fails must not spoil what was learnt: a step with NaN is skipped. */
  return gradus_adam_step_if_finite(&adam, PARAMS, params, grads, state, &steps, &broken);
}

int classifier_save(uint8_t file[CLASSIFIER_FILE], size_t *size) {
  gradus_item items[2];
  contents(items);
  return gradus_save(items, 2, file, CLASSIFIER_FILE, size);
}

int classifier_load(const uint8_t *file, size_t size) {
  gradus_item items[2];
  contents(items);
  return gradus_load(items, 2, file, size);
}

uint32_t classifier_steps(void) { return steps.t; }
