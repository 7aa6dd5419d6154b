/* The classifier on a machine without an accelerometer: it learns three vibrations, is switched off, and goes on. */
#include "classifier.h"

#include <stdio.h>
#include <string.h>

static uint32_t seed = 1;

/* From -1 to 1. */
static float noise(void) {
  seed = seed * 1664525u + 1013904223u;
  return (float)(seed >> 8) / 8388608.0f - 1.0f;
}

/* A triangle wave of this many samples, as a motor's vibration would be, and noise. */
static void window_of(uint16_t label, float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES]) {
  static const int period[CLASSIFIER_CLASSES] = {40, 16, 6};
  static const float size[CLASSIFIER_CLASSES] = {0.05f, 0.5f, 0.4f};
  int start = (int)((noise() + 1.0f) * 20.0f);
  for (int i = 0; i < CLASSIFIER_SAMPLES; i++) {
    int at = (start + i) % period[label], half = period[label] / 2;
    float wave = (float)(at < half ? at : period[label] - at) / (float)half * 2.0f - 1.0f;
    for (int axis = 0; axis < CLASSIFIER_AXES; axis++) {
      window[i][axis] = (axis == 2 ? 1.0f : 0.0f) + size[label] * wave * (axis == 1 ? 0.5f : 1.0f) + 0.1f * noise();
    }
  }
}

int main(void) {
  static float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES];
  static uint8_t file[CLASSIFIER_FILE];
  size_t size = 0, label = 0;
  float loss = 0.0f, probability = 0.0f;
  int right = 0;
  if (classifier_begin(7) != 0) return 1;
  for (int i = 0; i < 600; i++) {
    uint16_t want = (uint16_t)(i % CLASSIFIER_CLASSES);
    window_of(want, window);
    if (classifier_learn(window, want, &loss) != 0) return 2;
  }
  if (classifier_save(file, &size) != 0) return 3;
  /* Off, and on again. */
  if (classifier_begin(0) != 0 || classifier_load(file, size) != 0) return 4;
  file[size / 2] ^= 1;
  if (classifier_load(file, size) == 0) return 5;
  for (int i = 0; i < 300; i++) {
    window_of((uint16_t)(i % CLASSIFIER_CLASSES), window);
    if (classifier_class(window, &label, &probability) != 0) return 6;
    right += label == (size_t)(i % CLASSIFIER_CLASSES);
  }
  printf("%lu windows learnt, a file of %lu bytes, %d of 300 right\n", (unsigned long)classifier_steps(),
         (unsigned long)size, right);
  return right >= 290 ? 0 : 7;
}
