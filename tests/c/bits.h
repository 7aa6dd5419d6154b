/* What the files of this test share: checks that count, numbers, hashes. */
#ifndef BITS_H
#define BITS_H

#include "gradus.h"
#include <stdio.h>
#include <string.h>

extern int failures;

#define EXPECT(want, call)                                                                         \
  do {                                                                                             \
    int got_ = (int)(call);                                                                        \
    if (got_ != (int)(want)) {                                                                     \
      printf("FAILED line %d: %d (%s), not %d\n", __LINE__, got_, gradus_status_name(got_), (int)(want)); \
      failures += 1;                                                                               \
    }                                                                                              \
  } while (0)
#define TRUE(condition) EXPECT(1, (condition) ? 1 : 0)
#define OK(call) EXPECT(GRADUS_OK, call)

/* The same numbers as in tests/suite/abi.rs. */
extern uint32_t seed;

static inline float number(void) {
  static const float scale[4] = {1.0f, 1e-3f, 16.0f, 0.25f};
  seed = seed * 1664525u + 1013904223u;
  return ((float)(seed >> 8) / 8388608.0f - 1.0f) * scale[(seed >> 6) & 3];
}

static inline void numbers(float *to, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = number();
}

/* FNV-1a over bytes, the least significant byte of a number first. */
static inline uint64_t hash_bytes(uint64_t hash, const void *from, size_t n) {
  const unsigned char *bytes = (const unsigned char *)from;
  for (size_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

/* Every NaN counts as one and the same: targets form different ones. */
static inline uint64_t hash_of(uint64_t hash, const float *x, size_t n) {
  static const uint32_t nan = 0x7fc00000u;
  for (size_t i = 0; i < n; i++) hash = hash_bytes(hash, x[i] == x[i] ? (const void *)&x[i] : &nan, 4);
  return hash;
}

static const uint64_t START = 0xcbf29ce484222325u;

static inline void line(const char *name, uint64_t hash) {
  printf("%s %08lx%08lx\n", name, (unsigned long)(hash >> 32), (unsigned long)(hash & 0xffffffffu));
}

/* Steps that layers take. */
void fused(void);

#endif
