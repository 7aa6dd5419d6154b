/* Instructions of layers on a Cortex-M4F: a plain loop in C and CMSIS-DSP's matrix functions, per multiply-add of a layer
 * from 64 to 64, and one sample's step of 64-32(ReLU)-10 in plain C.
 *
 * `./ci.sh cmsis` builds it and runs it under QEMU with -icount shift=7, where SysTick counts instructions. */
#include "../../examples/firmware/c/bare.h"
#include "arm_math.h"

enum { SIDE = 64, BATCH = 16, PIXELS = 64, HIDDEN = 32, CLASSES = 10 };
enum { W1 = HIDDEN, B2 = W1 + PIXELS * HIDDEN, W2 = B2 + CLASSES, PARAMS = W2 + HIDDEN * CLASSES };

static float w[SIDE * SIDE], x[BATCH * SIDE], y[BATCH * SIDE];
static float params[PARAMS], grads[PARAMS], m[PARAMS], v[PARAMS];
static float h[HIDDEN], z[CLASSES], dh[HIDDEN];

static void number(uint32_t n, uint32_t digits) {
  char text[12], *at = text + sizeof text - 1;
  *at = 0;
  do {
    *--at = '0' + n % 10;
    n /= 10;
    if (digits && --digits == 0) *--at = '.', n || (*--at = '0');
  } while (n > 0);
  print(at);
}

/* y = b + x w: a row of weights for each input. */
static void dense(int inputs, int outputs, const float *b, const float *w, const float *x, float *y) {
  for (int o = 0; o < outputs; o++) {
    float sum = b[o];
    for (int i = 0; i < inputs; i++) sum += x[i] * w[i * outputs + o];
    y[o] = sum;
  }
}

/* Writes gradients, and that of the inputs if dx is not null. */
static void dense_back(int inputs, int outputs, const float *w, float *gb, float *gw, const float *x, const float *dy,
                       float *dx) {
  for (int o = 0; o < outputs; o++) gb[o] = dy[o];
  for (int i = 0; i < inputs; i++) {
    float sum = 0.0f;
    for (int o = 0; o < outputs; o++) {
      gw[i * outputs + o] = x[i] * dy[o];
      if (dx) sum += dy[o] * w[i * outputs + o];
    }
    if (dx) dx[i] = sum;
  }
}

static void forward(void) {
  dense(PIXELS, HIDDEN, params, params + W1, x, h);
  for (int i = 0; i < HIDDEN; i++) h[i] = h[i] > 0.0f ? h[i] : 0.0f;
  dense(HIDDEN, CLASSES, params + B2, params + W2, h, z);
}

/* 2^n e^r with |r| <= ln(2) / 2, and Taylor's polynomial. */
static float exponential(float x) {
  int n = (int)(x * 1.44269504f - 0.5f);
  float r = x - (float)n * 0.693147181f, sum = 1.0f;
  for (int k = 6; k > 0; k--) sum = 1.0f + sum * r / (float)k;
  for (; n < 0; n++) sum *= 0.5f;
  return sum;
}

static void backward(void) {
  float largest = z[0], sum = 0.0f;
  for (int k = 1; k < CLASSES; k++) largest = z[k] > largest ? z[k] : largest;
  for (int k = 0; k < CLASSES; k++) sum += z[k] = exponential(z[k] - largest);
  for (int k = 0; k < CLASSES; k++) z[k] = z[k] / sum - (k == 3);
  dense_back(HIDDEN, CLASSES, params + W2, grads + B2, grads + W2, h, z, dh);
  for (int i = 0; i < HIDDEN; i++) dh[i] = h[i] > 0.0f ? dh[i] : 0.0f;
  dense_back(PIXELS, HIDDEN, params + W1, grads, grads + W1, x, dh, 0);
}

static void adam(void) {
  for (int i = 0; i < PARAMS; i++) {
    m[i] += 0.1f * (grads[i] - m[i]);
    v[i] = 0.999f * v[i] + 0.001f * grads[i] * grads[i];
    params[i] -= 1e-3f * m[i] / (__builtin_sqrtf(v[i]) + 1e-8f);
  }
}

static void sgd(void) {
  for (int i = 0; i < PARAMS; i++) params[i] -= 1e-2f * grads[i];
}

static void batch_in_c(void) {
  for (int r = 0; r < BATCH; r++) dense(SIDE, SIDE, x, w, x + r * SIDE, y + r * SIDE);
}
static void row_in_c(void) { dense(SIDE, SIDE, x, w, x, y); }

static arm_matrix_instance_f32 mx = {BATCH, SIDE, x}, mw = {SIDE, SIDE, w}, my = {BATCH, SIDE, y};
static void batch_in_cmsis(void) { arm_mat_mult_f32(&mx, &mw, &my); }
static void row_in_cmsis(void) { arm_mat_vec_mult_f32(&mw, x, y); }

static void countdown(void) { __asm__ volatile("mov r0, #1000\n1: subs r0, #1\nbne 1b" ::: "r0", "cc"); }
static void nothing(void) {}

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;

static uint32_t ticks(void (*call)(void)) {
  systick[2] = 0;
  uint32_t start = systick[2];
  call();
  return (start - systick[2]) & 0xffffff;
}

static uint32_t instructions(void (*call)(void)) {
  uint32_t empty = ticks(nothing), unit = ticks(countdown) - empty, taken = ticks(call) - empty;
  return (uint32_t)(((uint64_t)taken * 2000 + unit / 2) / unit);
}

static void products(const char *name, void (*batch)(void), void (*row)(void)) {
  print("| ");
  print(name);
  print(" | ");
  number(instructions(batch) * 100 / (BATCH * SIDE * SIDE), 2);
  print(" | ");
  number(instructions(row) * 100 / (SIDE * SIDE), 2);
  print(" |\n");
}

/* A function of its own: its registers of the FPU are saved, which must be on by then. */
__attribute__((noinline)) static void measure(void) {
  systick[1] = 0xffffff;
  systick[0] = 5; /* on, with the core's clock */
  for (int i = 0; i < BATCH * SIDE; i++) x[i] = (float)(i % 17) / 16.0f;
  for (int i = 0; i < SIDE * SIDE; i++) w[i] = (float)(i % 251) / 125.0f - 0.997f;
  for (int i = 0; i < PARAMS; i++) params[i] = (float)(i % 241) / 960.0f - 0.125f;
  print("\n| instructions per multiply-add, forward, 64 x 64 | batch 16 | batch 1 |\n|---|--:|--:|\n");
  products("loop in C", batch_in_c, row_in_c);
  products("CMSIS-DSP", batch_in_cmsis, row_in_cmsis);
  print("\n| one sample's step of 64-32(ReLU)-10, loop in C | forward | backward | update | whole |\n|---|--:|--:|--:|--:|\n");
  for (int rule = 0; rule < 2; rule++) {
    uint32_t part[3] = {instructions(forward), instructions(backward), instructions(rule ? sgd : adam)};
    print(rule ? "| SGD |" : "| Adam |");
    for (int k = 0; k < 3; k++) print(" "), number(part[k], 0), print(" |");
    print(" ");
    number(part[0] + part[1] + part[2], 0);
    print(" |\n");
  }
}

void reset(void) {
  start();
  measure();
  leave();
}
