/*
 * 64 pixels -> 64 units -> 32 units -> 10 classes, rectifiers with dropout between them, softmax.
 * Adam with a cosine schedule. digits.inc is data/digits.csv with braces around each line:
 *
 *     sed 's/^/{/; s/$/},/' data/digits.csv > digits.inc
 *
 * The same bits on every target with -ffp-contract=off: the exponential is written out below.
 */
#include "digits.h"

#include "gradus.h"

enum { PIXELS = 64, UNITS1 = 64, UNITS2 = 32, CLASSES = 10, EPOCHS = 8, BATCH = 16 };
enum { W1 = 0, B1 = W1 + UNITS1 * PIXELS, W2 = B1 + UNITS1, B2 = W2 + UNITS2 * UNITS1 };
enum { W3 = B2 + UNITS2, B3 = W3 + CLASSES * UNITS2, PARAMS = B3 + CLASSES };

static const uint8_t samples[][PIXELS + 1] = {
#include "digits.inc"
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static float params[PARAMS], grads[PARAMS], state[GRADUS_ADAM_COLUMNS * PARAMS];
static gradus_clock adam_clock;
static gradus_masks masks;
static uint16_t order[SAMPLES];

/* 32 random bits: with probability 1/2 a word of a mask is one. */
static uint32_t random_bits(void) {
  uint32_t word = 0;
  gradus_masks_fill(&masks, 0.5f, 1, &word);
  return word;
}

/* He et al. (2015): uniform within sqrt(6 / inputs). */
static void initialize(float *w, int outputs, int inputs, float bound) {
  for (int i = 0; i < outputs * inputs; i++) {
    w[i] = bound * ((float)(random_bits() >> 8) / 8388608.0f - 1.0f);
  }
}

/* e^x for x <= 0: 2^n * e^r with |r| <= ln(2) / 2, and Taylor's polynomial. */
static float exponential(float x) {
  if (x < -80.0f) return 0.0f;
  int n = (int)(x * 1.44269504f - 0.5f);
  float r = x - (float)n * 0.693145752f - (float)n * 1.42860677e-6f;
  float sum = 1.0f;
  for (int k = 7; k > 0; k--) sum = 1.0f + sum * r / (float)k;
  for (; n < 0; n++) sum *= 0.5f;
  return sum;
}

static void dense(const float *w, const float *b, const float *x, float *y, int outputs, int inputs) {
  for (int o = 0; o < outputs; o++) {
    gradus_dot((size_t)inputs, w + o * inputs, x, &y[o]);
    y[o] += b[o];
  }
}

/* Adds the gradients of a layer, and writes the one of its input if dx is not null. */
static void dense_back(const float *w, float *gw, float *gb, const float *x, const float *dy, float *dx,
                       int outputs, int inputs) {
  for (int i = 0; dx && i < inputs; i++) dx[i] = 0.0f;
  for (int o = 0; o < outputs; o++) {
    gb[o] += dy[o];
    for (int i = 0; i < inputs; i++) {
      gw[o * inputs + i] += dy[o] * x[i];
      if (dx) dx[i] += dy[o] * w[o * inputs + i];
    }
  }
}

/* From pixels to scores; h1 and h2 are what the backward pass needs. */
static int forward(const uint8_t *sample, const gradus_dropout *dropout, float *x, float *h1, float *h2,
                   float *scores) {
  int status;
  for (int i = 0; i < PIXELS; i++) x[i] = (float)sample[i] * 0.0625f;
  dense(params + W1, params + B1, x, h1, UNITS1, PIXELS);
  if ((status = gradus_dropout_relu_forward(dropout, UNITS1, h1, &masks)) != GRADUS_OK) return status;
  dense(params + W2, params + B2, h1, h2, UNITS2, UNITS1);
  if ((status = gradus_dropout_relu_forward(dropout, UNITS2, h2, &masks)) != GRADUS_OK) return status;
  dense(params + W3, params + B3, h2, scores, CLASSES, UNITS2);
  return GRADUS_OK;
}

static int best(const float *scores) {
  int k = 0;
  for (int i = 1; i < CLASSES; i++) {
    if (scores[i] > scores[k]) k = i;
  }
  return k;
}

static int learn(const uint8_t *sample, const gradus_dropout *dropout) {
  float x[PIXELS], h1[UNITS1], h2[UNITS2], p[CLASSES], d1[UNITS1], d2[UNITS2], sum = 0.0f;
  int status = forward(sample, dropout, x, h1, h2, p);
  if (status != GRADUS_OK) return status;
  float largest = p[best(p)];
  for (int i = 0; i < CLASSES; i++) sum += p[i] = exponential(p[i] - largest);
  for (int i = 0; i < CLASSES; i++) p[i] = p[i] / sum - (i == sample[PIXELS] ? 1.0f : 0.0f);
  dense_back(params + W3, grads + W3, grads + B3, h2, p, d2, CLASSES, UNITS2);
  if ((status = gradus_dropout_relu_backward(dropout, UNITS2, d2, h2)) != GRADUS_OK) return status;
  dense_back(params + W2, grads + W2, grads + B2, h1, d2, d1, UNITS2, UNITS1);
  if ((status = gradus_dropout_relu_backward(dropout, UNITS1, d1, h1)) != GRADUS_OK) return status;
  dense_back(params + W1, grads + W1, grads + B1, x, d1, (float *)0, UNITS1, PIXELS);
  return GRADUS_OK;
}

/* FNV-1a over the bits of all parameters. */
static uint64_t hash(void) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < PARAMS; i++) {
    union {
      float value;
      uint32_t bits;
    } p;
    p.value = params[i];
    for (int k = 0; k < 32; k += 8) hash = (hash ^ (p.bits >> k & 255)) * 0x100000001b3u;
  }
  return hash;
}

int digits_train(void (*report)(const digits_progress *progress)) {
  gradus_adam adam = GRADUS_ADAM(4e-3f);
  gradus_dropout dropout = GRADUS_DROPOUT_DROP_PROB(0.1f), keep_all = GRADUS_DROPOUT_DROP_PROB(0.0f);
  gradus_transforms mean = GRADUS_TRANSFORMS;
  unsigned train = 0, test = SAMPLES, seen[CLASSES] = {0};
  int status;
  /* Every fifth digit of each class, from the end of the list on, is for testing. */
  for (uint16_t i = 0; i < SAMPLES; i++) {
    if (++seen[samples[i][PIXELS]] % 5 == 0) order[--test] = i;
    else order[train++] = i;
  }
  gradus_cosine schedule = GRADUS_COSINE(4e-3f, EPOCHS * ((train + BATCH - 1) / BATCH));
  if ((status = gradus_adam_check(&adam)) != GRADUS_OK) return status;
  if ((status = gradus_cosine_check(&schedule)) != GRADUS_OK) return status;
  if ((status = gradus_masks_seed(&masks, 1)) != GRADUS_OK) return status;
  initialize(params + W1, UNITS1, PIXELS, 0.306186218f);
  initialize(params + W2, UNITS2, UNITS1, 0.306186218f);
  initialize(params + W3, CLASSES, UNITS2, 0.433012702f);

  for (unsigned epoch = 1; epoch <= EPOCHS; epoch++) {
    for (unsigned i = train; i > 1; i--) { /* Fisher and Yates */
      unsigned k = (unsigned)((uint64_t)random_bits() * i >> 32);
      uint16_t swapped = order[i - 1];
      order[i - 1] = order[k];
      order[k] = swapped;
    }
    for (unsigned from = 0; from < train; from += BATCH) {
      unsigned to = from + BATCH < train ? from + BATCH : train;
      for (int i = 0; i < PARAMS; i++) grads[i] = 0.0f;
      for (unsigned i = from; i < to; i++) {
        if ((status = learn(samples[order[i]], &dropout)) != GRADUS_OK) return status;
      }
      if ((status = gradus_cosine_at(&schedule, adam_clock.t, &adam.lr)) != GRADUS_OK) return status;
      mean.flags = GRADUS_SCALE;
      mean.scale = 1.0f / (float)(to - from);
      status = gradus_adam_step_with(&adam, &mean, PARAMS, params, grads, state, &adam_clock);
      if (status != GRADUS_OK) return status;
    }
    digits_progress progress = {epoch, 0, SAMPLES - train, hash()};
    for (unsigned i = train; i < SAMPLES; i++) {
      float x[PIXELS], h1[UNITS1], h2[UNITS2], scores[CLASSES];
      if ((status = forward(samples[order[i]], &keep_all, x, h1, h2, scores)) != GRADUS_OK) return status;
      progress.right += best(scores) == samples[order[i]][PIXELS];
    }
    report(&progress);
  }
  return GRADUS_OK;
}
