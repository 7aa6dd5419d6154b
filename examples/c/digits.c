/*
 * 64 pixels -> 64 units -> 32 units -> 10 classes, rectifiers with dropout between them, softmax.
 * Adam with a cosine schedule, in batches; each layer takes its step on the way back, and no gradient lies in memory.
 *
 * The weights have the same bits as those that Rust learns, on every target:
 * `cargo run --release -p digits -- --optimizer adam --epochs 8 --batch 16 --lr 0.004`.
 */
#include "digits.h"

#include "gradus.h"

enum { PIXELS = 64, UNITS1 = 64, UNITS2 = 32, CLASSES = 10, EPOCHS = 8, BATCH = 16 };
/* Where each layer's parameters begin: biases, then a row of weights for each input. */
enum { LAYER1 = 0, LAYER2 = LAYER1 + (1 + PIXELS) * UNITS1, LAYER3 = LAYER2 + (1 + UNITS1) * UNITS2 };
enum { PARAMS = LAYER3 + (1 + UNITS2) * CLASSES };

/* A sample's pixels and its class, sample after sample. */
static const uint8_t samples[] = {
#include "../../data/digits.csv"
};
enum { SAMPLE = PIXELS + 1, SAMPLES = sizeof samples / SAMPLE };

static float params[PARAMS], state[GRADUS_ADAM_COLUMNS * PARAMS];
static gradus_clock steps;
static gradus_random chance;
static gradus_masks masks;
static uint16_t order[SAMPLES];
/* A batch on its way through the layers, and its gradients on their way back; `scores` become their own. */
static float x[BATCH * PIXELS], h1[BATCH * UNITS1], h2[BATCH * UNITS2], scores[BATCH * CLASSES];
static float dh1[BATCH * UNITS1], dh2[BATCH * UNITS2];
static uint16_t labels[BATCH];

/* A call that fails ends the function that it stands in. */
#define TRY(call)                                   \
  do {                                              \
    const gradus_status status_ = (call);           \
    if (status_ != GRADUS_OK) return status_;       \
  } while (0)

/* Every fifth digit of each class is for testing, and stands behind the others. Returns how many are not. */
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

/* Fisher and Yates. */
static int shuffle(size_t n) {
  for (size_t i = n; i > 0; i--) {
    uint32_t word;
    TRY(gradus_random_words(&chance, 1, &word));
    const size_t k = (size_t)((uint64_t)word * i >> 32);
    const uint16_t swapped = order[i - 1];
    order[i - 1] = order[k];
    order[k] = swapped;
  }
  return GRADUS_OK;
}

/* From the pixels of n samples to their scores. */
static int forward(const uint16_t *which, size_t n, const gradus_dropout *dropout) {
  for (size_t i = 0; i < n; i++) {
    const uint8_t *sample = samples + which[i] * SAMPLE;
    for (size_t k = 0; k < PIXELS; k++) x[i * PIXELS + k] = (float)sample[k] * 0.0625f;
    labels[i] = sample[PIXELS];
  }
  TRY(gradus_dense_forward(PIXELS, UNITS1, n, params + LAYER1, x, h1));
  TRY(gradus_dropout_relu_forward(dropout, n * UNITS1, h1, &masks));
  TRY(gradus_dense_forward(UNITS1, UNITS2, n, params + LAYER2, h1, h2));
  TRY(gradus_dropout_relu_forward(dropout, n * UNITS2, h2, &masks));
  return gradus_dense_forward(UNITS2, CLASSES, n, params + LAYER3, h2, scores);
}

/* And back: Adam acts on the gradients of a layer while they are formed. */
static int backward(size_t n, const gradus_dropout *dropout, const gradus_adam *adam) {
  gradus_step step;
  float loss;
  TRY(gradus_softmax_cross_entropy(CLASSES, n, scores, labels, &loss));
  TRY(gradus_adam_begin(adam, PARAMS, params, state, &steps, &step));
  TRY(gradus_dense_backward_step(UNITS2, CLASSES, n, &step, LAYER3, h2, scores, dh2));
  TRY(gradus_dropout_relu_backward(dropout, n * UNITS2, dh2, h2));
  TRY(gradus_dense_backward_step(UNITS1, UNITS2, n, &step, LAYER2, h1, dh2, dh1));
  TRY(gradus_dropout_relu_backward(dropout, n * UNITS1, dh1, h1));
  return gradus_dense_backward_step(PIXELS, UNITS1, n, &step, LAYER1, x, dh1, (float *)0);
}

/* He et al. (2015). The biases are zeros. */
static int initialize(void) {
  uint32_t words[2];
  TRY(gradus_random_seed(&chance, 1));
  TRY(gradus_random_words(&chance, 2, words));
  TRY(gradus_masks_seed(&masks, (uint64_t)words[1] << 32 | words[0]));
  TRY(gradus_init_he_uniform(&chance, PIXELS, PIXELS * UNITS1, params + LAYER1 + UNITS1));
  TRY(gradus_init_he_uniform(&chance, UNITS1, UNITS1 * UNITS2, params + LAYER2 + UNITS2));
  return gradus_init_he_uniform(&chance, UNITS2, UNITS2 * CLASSES, params + LAYER3 + CLASSES);
}

/* FNV-1a over the bits of all parameters. */
static uint64_t hash(void) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < PARAMS; i++) {
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
  const gradus_dropout dropout = GRADUS_DROPOUT_DROP_PROB(0.1), keep_all = GRADUS_DROPOUT_DROP_PROB(0.0);
  const size_t train = split(), batches = (train + BATCH - 1) / BATCH;
  const gradus_cosine schedule = GRADUS_COSINE(4e-3f, EPOCHS * batches);
  TRY(gradus_adam_check(&adam));
  TRY(gradus_cosine_check(&schedule));
  TRY(initialize());
  for (unsigned epoch = 1; epoch <= EPOCHS; epoch++) {
    TRY(shuffle(train));
    size_t from = 0;
    for (size_t left = batches; left > 0; left--) {
      const size_t n = (train - from) / left; /* equal shares: a last batch of two would throw the weights about */
      TRY(forward(order + from, n, &dropout));
      TRY(gradus_cosine_at(&schedule, steps.t, &adam.lr));
      TRY(backward(n, &dropout, &adam));
      from += n;
    }
    digits_progress progress = {epoch, 0, (unsigned)(SAMPLES - train), hash()};
    for (size_t i = train; i < SAMPLES; i++) {
      size_t best;
      TRY(forward(order + i, 1, &keep_all));
      TRY(gradus_argmax(CLASSES, scores, &best));
      progress.right += best == labels[0];
    }
    report(&progress);
  }
  return GRADUS_OK;
}
