/* Instructions of one Adam step on a Cortex-M4F: gradus, a loop in C, and CMSIS-DSP's vector functions in a row.
 *
 * `./ci.sh cmsis` builds it and runs it under QEMU with -icount shift=7, where SysTick counts instructions. */
#include "../../examples/firmware/c/bare.h"
#include "arm_math.h"
#include "gradus.h"

#define N 1024

static void print_tenths(uint32_t x) {
  char text[12];
  char *at = text + sizeof text - 1;
  *at = 0;
  *--at = '0' + x % 10;
  *--at = '.';
  x /= 10;
  do {
    *--at = '0' + x % 10;
    x /= 10;
  } while (x > 0);
  print(at);
}

static float params[N], grads[N], state[GRADUS_ADAM_COLUMNS * N], x[N], y[N];
static gradus_clock steps;
static const gradus_adam adam = GRADUS_ADAM(1e-3f);

static void with_gradus(void) { gradus_adam_step(&adam, N, params, grads, state, &steps); }

static void with_c(void) {
  float *m = state, *v = state + N;
  for (int i = 0; i < N; i++) {
    m[i] = 0.9f * m[i] + 0.1f * grads[i];
    v[i] = 0.999f * v[i] + 0.001f * grads[i] * grads[i];
    params[i] -= 1e-3f * m[i] / (__builtin_sqrtf(v[i]) + 1e-8f);
  }
}

/* CMSIS-DSP has no quotient of two vectors and no root of one: those are a loop over its scalar root. */
static void with_cmsis_dsp(void) {
  float *m = state, *v = state + N;
  arm_scale_f32(m, 0.9f, m, N);
  arm_scale_f32(grads, 0.1f, x, N);
  arm_add_f32(m, x, m, N);
  arm_scale_f32(v, 0.999f, v, N);
  arm_mult_f32(grads, grads, x, N);
  arm_scale_f32(x, 0.001f, x, N);
  arm_add_f32(v, x, v, N);
  for (int i = 0; i < N; i++) {
    float root;
    arm_sqrt_f32(v[i], &root);
    x[i] = root;
  }
  arm_offset_f32(x, 1e-8f, x, N);
  for (int i = 0; i < N; i++) y[i] = m[i] / x[i];
  arm_scale_f32(y, 1e-3f, y, N);
  arm_sub_f32(params, y, params, N);
}

static void countdown(void) { __asm__ volatile("mov r0, #1000\n1: subs r0, #1\nbne 1b" ::: "r0", "cc"); }
static void nothing(void) {}

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;

static uint32_t ticks(void (*call)(void)) {
  systick[2] = 0;
  uint32_t start = systick[2];
  call();
  return (start - systick[2]) & 0xffffff;
}

static void row(const char *name, void (*step)(void)) {
  for (int i = 0; i < N; i++) {
    params[i] = 0.5f;
    grads[i] = (float)(i % 251) / 125.0f - 0.997f;
    state[i] = state[N + i] = 0.01f;
  }
  uint32_t empty = ticks(nothing), unit = ticks(countdown) - empty, taken = ticks(step) - empty;
  print("| ");
  print(name);
  print(" | ");
  print_tenths((uint32_t)((uint64_t)taken * 2000 * 10 / unit + N / 2) / N);
  print(" |\n");
}

void reset(void) {
  start();
  systick[1] = 0xffffff;
  systick[0] = 5; /* on, with the core's clock */
  print("| one Adam step | instructions per parameter |\n|---|--:|\n");
  row("gradus", with_gradus);
  row("loop in C", with_c);
  row("CMSIS-DSP", with_cmsis_dsp);
  leave();
}
