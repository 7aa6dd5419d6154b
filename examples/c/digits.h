/* A network that learns handwritten digits, in plain C over gradus: no heap, no C library. */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>

typedef struct {
  unsigned epoch;   /* epochs so far */
  unsigned right;   /* digits of the test set that are classified right */
  unsigned total;   /* digits in the test set */
  uint64_t weights; /* hash of all parameters */
} digits_progress;

/* Trains, and reports after every epoch. Returns a gradus_status. */
int digits_train(void (*report)(const digits_progress *progress));

#endif
