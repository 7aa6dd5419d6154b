/*
 * A classifier of vibrations that learns on the device: windows of an accelerometer with a label, one at a time.
 *
 * 64 samples of three axes -> 12 features -> 16 units with rectifiers -> 3 classes. Its weights and the state of Adam are
 * 3 kB of static memory; saved they are a file of the same size with a checksum, for any flash that keeps bytes.
 */
#ifndef CLASSIFIER_H
#define CLASSIFIER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CLASSIFIER_SAMPLES = 64, CLASSIFIER_AXES = 3, CLASSIFIER_CLASSES = 3, CLASSIFIER_FILE = 3200 };

/* Begins with random weights of this seed. All functions return a gradus_status, which is 0 for success. */
int classifier_begin(uint32_t seed);

/* The class of a window, and how sure that is, from 0 to 1. */
int classifier_class(float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES], size_t *label, float *probability);

/* Learns that this window is of this class; writes how wrong the answer was before, 0 for not at all. */
int classifier_learn(float window[CLASSIFIER_SAMPLES][CLASSIFIER_AXES], uint16_t label, float *loss);

/* Everything that it has learnt, as bytes: writes at most CLASSIFIER_FILE of them, and how many. */
int classifier_save(uint8_t file[CLASSIFIER_FILE], size_t *size);

/* Goes on from saved bytes. Bytes that are damaged, or of another classifier, are refused, and nothing changes. */
int classifier_load(const uint8_t *file, size_t size);

/* Windows learnt from, over all runs. */
uint32_t classifier_steps(void);

#ifdef __cplusplus
}
#endif

#endif
