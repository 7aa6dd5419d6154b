/* Instructions of a step from C on a Cortex-M4F: of a parameter, and what a call costs beside them.
 *
 * `./ci.sh steps_from_c` builds it and runs it under QEMU with -icount shift=7, where SysTick counts instructions. */
#include "bare.h"
#include "gradus.h"

enum { N = 1024 };

static float params[N], grads[N], state[3 * N];
static uint32_t loop_ticks, empty_ticks, failed;

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;

/* Instructions of a call: of ticks a loop of 2000 instructions takes `loop_ticks`. */
#define COUNT(to, call)                                                                                 \
  do {                                                                                                  \
    systick[2] = 0;                                                                                     \
    const uint32_t begin = systick[2];                                                                  \
    failed |= (call) != GRADUS_OK;                                                                      \
    const uint32_t ticks = ((begin - systick[2]) & 0xffffff) - empty_ticks;                             \
    (to) = (uint32_t)(((uint64_t)ticks * 2000 + loop_ticks / 2) / loop_ticks);                          \
  } while (0)

static void number(uint32_t x, int tenths) { /* in decimal; with `tenths` the last digit stands behind the point */
  char text[12], *at = text + sizeof text - 1;
  *at = 0;
  if (tenths) {
    *--at = (char)('0' + x % 10);
    *--at = '.';
    x /= 10;
  }
  do *--at = (char)('0' + x % 10);
  while (x /= 10);
  print(at);
}

/* Of the same call with half of the parameters and with all: tenths for a parameter, and what is left. */
#define MEASURE(per, fixed, call)                                                                       \
  do {                                                                                                  \
    uint32_t half, whole;                                                                               \
    int n = N;                                                                                          \
    for (int i = 0; i < 6; i++) failed |= (call) != GRADUS_OK; /* the first steps may differ */         \
    n = N / 2;                                                                                          \
    COUNT(half, call);                                                                                  \
    n = N;                                                                                              \
    COUNT(whole, call);                                                                                 \
    (per) = ((whole - half) * 10 + N / 4) / (N / 2);                                                    \
    (fixed) = 2 * half - whole;                                                                         \
  } while (0)

#define RULE(rule, RULE_)                                                                               \
  do {                                                                                                  \
    const gradus_##rule config = GRADUS_##RULE_(0.01);                                                  \
    gradus_clock steps = {0, 0};                                                                        \
    uint32_t per, fixed, per_with, fixed_with;                                                          \
    fill();                                                                                             \
    MEASURE(per, fixed, gradus_##rule##_step(&config, (size_t)n, params, grads, state, &steps));        \
    MEASURE(per_with, fixed_with,                                                                       \
            gradus_##rule##_step_with(&config, &transforms, (size_t)n, params, grads, state, &steps));  \
    print("| gradus_" #rule "_step | ");                                                                \
    number(per, 1);                                                                                     \
    print(" | ");                                                                                       \
    number(per_with, 1);                                                                                \
    print(" | ");                                                                                       \
    number(fixed, 0);                                                                                   \
    print(" | ");                                                                                       \
    number(fixed_with, 0);                                                                              \
    print(failed ? " | FAILED |\n" : " |\n");                                                           \
  } while (0);

static void fill(void) {
  for (int i = 0; i < N; i++) params[i] = 1.0f, grads[i] = 0.5f;
  for (int i = 0; i < 3 * N; i++) state[i] = 0.25f;
}

/* Not part of `reset`, which may not touch the FPU before it is on. */
static __attribute__((noinline)) void all(void) {
  gradus_transforms transforms = GRADUS_TRANSFORMS;
  transforms.flags = GRADUS_SCALE | GRADUS_L2;
  transforms.scale = 1.0f / 32;
  transforms.l2 = 1e-4f;
  systick[1] = 0xffffff;
  systick[0] = 5; /* on, with the core's clock */
  systick[2] = 0;
  uint32_t begin = systick[2];
  empty_ticks = (begin - systick[2]) & 0xffffff;
  systick[2] = 0;
  begin = systick[2];
  __asm__ volatile("mov r0, #1000\n1: subs r0, #1\nbne 1b" ::: "r0", "cc");
  loop_ticks = ((begin - systick[2]) & 0xffffff) - empty_ticks;
  GRADUS_OPTIMIZERS(RULE)
}

void reset(void) {
  start();
  all();
  leave();
}
