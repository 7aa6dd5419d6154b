/*
 * The network of examples/c/digits.c without gradus, as one writes it over a C library: the flash of both is compared.
 *
 * The same layers, batches, dropout, optimizer and schedule; numbers are drawn by another generator, and the gradients of a
 * batch lie in memory.
 */
#include "../../examples/c/digits.h"

#include <math.h>
#include <string.h>

enum { PIXELS = 64, UNITS1 = 64, UNITS2 = 32, CLASSES = 10, EPOCHS = 8, BATCH = 16 };
enum { LAYER1 = 0, LAYER2 = LAYER1 + (1 + PIXELS) * UNITS1, LAYER3 = LAYER2 + (1 + UNITS1) * UNITS2 };
enum { PARAMS = LAYER3 + (1 + UNITS2) * CLASSES };

static const uint8_t samples[] = {
#include "../../data/digits.csv"
};
enum { SAMPLE = PIXELS + 1, SAMPLES = sizeof samples / SAMPLE };

static float params[PARAMS], grads[PARAMS], moment1[PARAMS], moment2[PARAMS];
static uint16_t order[SAMPLES];
static uint32_t chance = 1;

/* Marsaglia (2003). */
static uint32_t random_bits(void) {
  chance ^= chance << 13;
  chance ^= chance >> 17;
  return chance ^= chance << 5;
}

static float random_number(void) { return (float)(random_bits() >> 8) / 16777216.0f; }

static size_t split(void) {
  size_t at = 0, train = 0;
  for (int test = 0; test < 2; test++) {
    unsigned seen[CLASSES] = {0};
    for (uint16_t i = 0; i < SAMPLES; i++) {
      if ((++seen[samples[i * SAMPLE + PIXELS]] % 5 == 0) == test) order[at++] = i;
    }
    if (!test) train = at;
  }
  return train;
}

static void shuffle(size_t n) {
  for (size_t i = n; i > 0; i--) {
    const size_t k = (size_t)((uint64_t)random_bits() * i >> 32);
    const uint16_t swapped = order[i - 1];
    order[i - 1] = order[k];
    order[k] = swapped;
  }
}

static void initialize(float *layer, int inputs, int outputs) {
  const float bound = sqrtf(6.0f / (float)inputs);
  for (int i = outputs; i < (1 + inputs) * outputs; i++) layer[i] = bound * (2.0f * random_number() - 1.0f);
}

static void dense(const float *layer, int inputs, int outputs, const float *x, float *y) {
  for (int o = 0; o < outputs; o++) y[o] = layer[o];
  for (int i = 0; i < inputs; i++) {
    for (int o = 0; o < outputs; o++) y[o] += x[i] * layer[(1 + i) * outputs + o];
  }
}

static void dense_back(const float *layer, float *grad, int inputs, int outputs, const float *x, const float *dy, float *dx) {
  for (int o = 0; o < outputs; o++) grad[o] += dy[o];
  for (int i = 0; i < inputs; i++) {
    float sum = 0.0f;
    for (int o = 0; o < outputs; o++) {
      grad[(1 + i) * outputs + o] += x[i] * dy[o];
      sum += dy[o] * layer[(1 + i) * outputs + o];
    }
    if (dx) dx[i] = sum;
  }
}

static void dropout_relu(float drop, int n, float *h) {
  for (int i = 0; i < n; i++) {
    if (h[i] < 0.0f || (drop > 0.0f && random_number() < drop)) h[i] = 0.0f;
    h[i] *= 1.0f / (1.0f - drop);
  }
}

static void dropout_relu_back(float drop, int n, float *dh, const float *h) {
  for (int i = 0; i < n; i++) dh[i] = h[i] > 0.0f ? dh[i] * (1.0f / (1.0f - drop)) : 0.0f;
}

static void forward(const uint8_t *sample, float drop, float *x, float *h1, float *h2, float *scores) {
  for (int i = 0; i < PIXELS; i++) x[i] = (float)sample[i] * 0.0625f;
  dense(params + LAYER1, PIXELS, UNITS1, x, h1);
  dropout_relu(drop, UNITS1, h1);
  dense(params + LAYER2, UNITS1, UNITS2, h1, h2);
  dropout_relu(drop, UNITS2, h2);
  dense(params + LAYER3, UNITS2, CLASSES, h2, scores);
}

static int best(const float *scores) {
  int k = 0;
  for (int i = 1; i < CLASSES; i++) {
    if (scores[i] > scores[k]) k = i;
  }
  return k;
}

static void learn(const uint8_t *sample, float drop, float share) {
  float x[PIXELS], h1[UNITS1], h2[UNITS2], p[CLASSES], d1[UNITS1], d2[UNITS2], sum = 0.0f;
  forward(sample, drop, x, h1, h2, p);
  const float largest = p[best(p)];
  for (int i = 0; i < CLASSES; i++) sum += p[i] = expf(p[i] - largest);
  for (int i = 0; i < CLASSES; i++) p[i] = share * (p[i] / sum - (i == sample[PIXELS] ? 1.0f : 0.0f));
  dense_back(params + LAYER3, grads + LAYER3, UNITS2, CLASSES, h2, p, d2);
  dropout_relu_back(drop, UNITS2, d2, h2);
  dense_back(params + LAYER2, grads + LAYER2, UNITS1, UNITS2, h1, d2, d1);
  dropout_relu_back(drop, UNITS1, d1, h1);
  dense_back(params + LAYER1, grads + LAYER1, PIXELS, UNITS1, x, d1, 0);
}

static void adam(float lr) {
  static float power1 = 1.0f, power2 = 1.0f;
  const float beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f;
  const float c1 = 1.0f - (power1 *= beta1), c2 = sqrtf(1.0f - (power2 *= beta2));
  for (int i = 0; i < PARAMS; i++) {
    moment1[i] += (1.0f - beta1) * (grads[i] - moment1[i]);
    moment2[i] = beta2 * moment2[i] + (1.0f - beta2) * grads[i] * grads[i];
    params[i] -= lr / c1 * moment1[i] / (sqrtf(moment2[i]) / c2 + eps);
  }
}

static uint64_t hash(void) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < PARAMS; i++) {
    uint32_t bits;
    memcpy(&bits, &params[i], sizeof bits);
    for (int k = 0; k < 32; k += 8) hash = (hash ^ (bits >> k & 255)) * 0x100000001b3u;
  }
  return hash;
}

/* What main.c and start.c ask for where a call fails. */
const char *gradus_status_name(int32_t status);
const char *gradus_version(void);
const char *gradus_status_name(int32_t status) { return status == 0 ? "" : "?"; }
const char *gradus_version(void) { return ""; }

int digits_train(void (*report)(const digits_progress *progress)) {
  const size_t train = split(), batches = (train + BATCH - 1) / BATCH;
  const float drop = 0.1f;
  int t = 0;
  initialize(params + LAYER1, PIXELS, UNITS1);
  initialize(params + LAYER2, UNITS1, UNITS2);
  initialize(params + LAYER3, UNITS2, CLASSES);
  for (unsigned epoch = 1; epoch <= EPOCHS; epoch++) {
    shuffle(train);
    size_t from = 0;
    for (size_t left = batches; left > 0; left--) {
      const size_t n = (train - from) / left;
      memset(grads, 0, sizeof grads);
      for (size_t i = from; i < from + n; i++) learn(samples + order[i] * SAMPLE, drop, 1.0f / (float)n);
      const float lr = 2e-3f * (1.0f + cosf(3.14159265f * (float)t++ / (float)(EPOCHS * batches)));
      adam(lr);
      from += n;
    }
    digits_progress progress = {epoch, 0, (unsigned)(SAMPLES - train), hash()};
    for (size_t i = train; i < SAMPLES; i++) {
      float x[PIXELS], h1[UNITS1], h2[UNITS2], scores[CLASSES];
      forward(samples + order[i] * SAMPLE, 0.0f, x, h1, h2, scores);
      progress.right += best(scores) == samples[order[i] * SAMPLE + PIXELS];
    }
    report(&progress);
  }
  return 0;
}
