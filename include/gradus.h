/* Made from src/ffi by `./ci.sh generate`: do not edit. */

/*
 * gradus: kernels for training neural networks, from C and C++.
 *
 *     #include "gradus.h"
 *
 *     enum { N = 1000 };
 *     static float params[N], grads[N], state[GRADUS_ADAM_COLUMNS * N];
 *     static gradus_clock steps;
 *
 *     const gradus_adam adam = GRADUS_ADAM(1e-3f);
 *     gradus_status status = gradus_adam_step(&adam, N, params, grads, state, &steps);
 *     if (status != GRADUS_OK) puts(gradus_status_name(status));
 *
 * The caller owns all memory, and the structures are plain. Every state begins as zeros. Static memory is zero by itself;
 * clear other memory by memset() or `= {0}`, in C++ by `= {}`. A function that returns a gradus_status returns GRADUS_OK, or
 * a negative status. Then it has written nothing, unless its text says what a failure leaves, as where a function of the
 * caller may fail. The library needs no heap, no C library and no threads, and has no global state: calls on different
 * memory may run at the same time.
 *
 * A pointer points at as many elements as the text of its function says, `config` and `transforms` at one structure, other
 * pointers at one value. A call is refused if a pointer is null or misaligned, if memory that would be written overlaps with
 * other memory of the call, or if a structure is of another version of this header or was never initialised. Nothing can
 * check that the memory is there.
 *
 * With n = 0 arrays may be null. Nothing is computed, and the call succeeds. A step still counts: the clock moves by one.
 *
 * Results have the same bits on every target, and the same as from Rust. If your own arithmetic should have them too,
 * compile it with -ffp-contract=off: GCC fuses multiplications and additions unless told otherwise. Do not link with
 * -ffast-math: with GCC it makes the whole process flush subnormal numbers to zero, also within this library.
 */

#ifndef GRADUS_H
#define GRADUS_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header; gradus_version() is that of the library. */
#define GRADUS_VERSION "0.1.0"
#define GRADUS_VERSION_MAJOR 0
#define GRADUS_VERSION_MINOR 1
#define GRADUS_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#define GRADUS_CAST(type, x) static_cast<type>(x)
#else
#define GRADUS_CAST(type, x) ((type)(x))
#endif

/* An argument of an initialiser: a double counts as the float nearest to it. */
#define GRADUS_FLOAT(x) GRADUS_CAST(float, x)

// Version of the structures with a field `version`: an initialiser of this header writes it there.
#define GRADUS_STRUCTS 1

// The count of steps, and one more number: the part of a state that does not grow with the parameters.
typedef struct {
  // Steps taken; it stays at the largest `u32` once there.
  uint32_t t;
  // One number that a rule carries from step to step; 0 at the start. Nadam and the schedule-free rule need it.
  float carry;
} gradus_clock;

/* ---- What a function returns ---- */

// What a function returns: 0, or why it was refused.
enum {
  // The call has done what it says.
  GRADUS_OK = 0,
  // A pointer is null.
  GRADUS_ERROR_NULL = -1,
  // Lengths do not fit together, or do not fit the address space.
  GRADUS_ERROR_LENGTH = -2,
  // Two pieces of memory overlap, and at least one of them would be written.
  GRADUS_ERROR_OVERLAP = -3,
  // A pointer is not aligned for its type.
  GRADUS_ERROR_ALIGNMENT = -4,
  // A structure was not initialised, or by another version of the header.
  GRADUS_ERROR_VERSION = -5,
  // A value that must be finite is NaN or infinite.
  GRADUS_ERROR_NON_FINITE = -6,
  // An enumeration has no such value.
  GRADUS_ERROR_ENUM = -7,
  // There is nothing to compute with: no element, no member, a side of 0.
  GRADUS_ERROR_EMPTY = -8,
  // There is no room for one more.
  GRADUS_ERROR_FULL = -9,
  // Sizes do not fit each other.
  GRADUS_ERROR_SHAPE = -10,
  // The state is that of another optimizer.
  GRADUS_ERROR_KIND = -11,
  // The bytes do not begin as a file of this library does.
  GRADUS_ERROR_FILE_FOREIGN = -48,
  // The file has a format that this version does not know.
  GRADUS_ERROR_FILE_VERSION = -49,
  // The file is cut off or too long, or the buffer too small for it.
  GRADUS_ERROR_FILE_LENGTH = -50,
  // The checksum is wrong: a byte of the file has changed.
  GRADUS_ERROR_FILE_CHECKSUM = -51,
  // The file holds another kind of value.
  GRADUS_ERROR_FILE_KIND = -52,
  // The file's value has another number of columns or elements.
  GRADUS_ERROR_FILE_SHAPE = -53,
  // The file is whole, but holds a value that none of its kind can have.
  GRADUS_ERROR_FILE_VALUE = -54,
  // The file was good, but changed or could not be read when it was read for the second time: what was to be loaded
  // holds a part of it.
  GRADUS_ERROR_FILE_TORN = -55,
  // A function of the caller returned another value than 0.
  GRADUS_ERROR_CALLBACK = -56,
  // The region of a journal is not two slots of whole blocks, or the words of its flash are none.
  GRADUS_ERROR_FLASH_REGION = -57,
  // The flash does not hold what was written to it.
  GRADUS_ERROR_FLASH_DAMAGED = -58,
  // Learning rate: finite and at least 0.
  GRADUS_ERROR_LEARNING_RATE = -16,
  // First decay factor: at least 0, at most `1 - 2^-20`, which is about 0.999999; above 0 in the schedule-free rule.
  GRADUS_ERROR_BETA1 = -17,
  // Second decay factor: at least 0, at most `1 - 2^-20`.
  GRADUS_ERROR_BETA2 = -18,
  // Decay of a running average, or share of a velocity: from 0 to `1 - 2^-20`; to `1 - 2^-33` if it is compensated.
  GRADUS_ERROR_RHO = -19,
  // Dampening: at least 0, at most 1.
  GRADUS_ERROR_DAMPENING = -20,
  // Stabiliser of a denominator: finite, and not so small that it may vanish beside a warm-up.
  GRADUS_ERROR_EPSILON = -21,
  // Weight decay: finite, at least 0, and `lr * weight_decay` below 1.
  GRADUS_ERROR_WEIGHT_DECAY = -22,
  // Momentum decay of Nadam: finite and at least 0.
  GRADUS_ERROR_MOMENTUM_DECAY = -23,
  // Strength of a penalty: at least 0, and twice it finite.
  GRADUS_ERROR_LAMBDA = -24,
  // Bound of a clip or clamp: positive.
  GRADUS_ERROR_LIMIT = -25,
  // Factor of a scaling: finite. Area, ratio or strength of an augmentation: in its range.
  GRADUS_ERROR_FACTOR = -26,
  // Factor of a schedule: finite and at least 0; at most 1 in a cycle, below 1 on a plateau.
  GRADUS_ERROR_GAMMA = -27,
  // Decay of a schedule per step: finite, and at least 0 where it only decays.
  GRADUS_ERROR_RATE = -28,
  // Share of a whole: between 0 and 1, and in proportion to the others.
  GRADUS_ERROR_FRACTION = -29,
  // Probability: between 0 and 1.
  GRADUS_ERROR_PROBABILITY = -30,
  // Number of steps, or of steps in a cycle: at least 1, and no fewer than there are cycles.
  GRADUS_ERROR_STEPS = -31,
  // Tolerance of a stopping rule: at least 0.
  GRADUS_ERROR_TOLERANCE = -33,
  // Damping of a Hessian: finite and at least 0.
  GRADUS_ERROR_DAMPING = -34,
  // Constants of a line search: `0 < sufficient decrease < curvature < 1`, ordered step bounds.
  GRADUS_ERROR_LINE_SEARCH = -35,
  // Every element of a diagonal preconditioner: finite and positive.
  GRADUS_ERROR_PRECONDITIONER = -36,
  // Power of a polynomial: finite and positive.
  GRADUS_ERROR_POWER = -37,
  // Bounds: the lower at most the upper, with a finite number between them, and none beside an L1 penalty.
  GRADUS_ERROR_BOUNDS = -38,
};
typedef int32_t gradus_status;

// Text for people of a status, never null; `"unknown status"` for other numbers.
const char *gradus_status_name(int32_t status);

// Version of the library, such as `"0.1.0"`; never null.
const char *gradus_version(void);

/* ---- What optimizers share ---- */

#define GRADUS_EPSILON(eps) {GRADUS_EPSILON_OUTSIDE, GRADUS_FLOAT(eps), 0.0f}

// Place and size of the stabiliser in the denominator of an adaptive rule.
typedef struct {
  // GRADUS_EPSILON_OUTSIDE, GRADUS_EPSILON_HAT or GRADUS_EPSILON_ROOT.
  uint32_t place;
  // Added outside of the root.
  float eps;
  // Added under the root; for GRADUS_EPSILON_ROOT alone.
  float inside;
} gradus_epsilon;

/*
 * What acts on gradients before a step, and on parameters after it:
 *
 *     gradus_transforms transforms = GRADUS_TRANSFORMS;
 *     transforms.flags = GRADUS_SCALE | GRADUS_DECAY;
 *     transforms.scale = 1.0f / 32.0f;
 *     transforms.decay = 0.01f;
 *     status = gradus_sgd_step_with(&sgd, &transforms, n, params, grads, state, &clock);
 */
#define GRADUS_TRANSFORMS {GRADUS_STRUCTS, 0, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}

// What acts on gradients before a rule and on parameters after it: what `flags` names, and nothing else.
//
// They act in the order of the fields, in registers: gradients are never written.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Which of the fields act: GRADUS_SCALE | GRADUS_CLIP_VALUE | ..; 0 for none.
  uint32_t flags;
  // Factor of the gradient: 1 / batch size for a mean, or what gradus_clip_norm() returns.
  float scale;
  // Largest size of a gradient.
  float clip_value;
  // Strength of the squared penalty.
  float l2;
  // Strength of the absolute penalty.
  float l1;
  // Strength of both penalties in one.
  float elastic_net;
  // Weight of the squares in elastic_net.
  float elastic_net_beta;
  // Share of a weight that decays per step and, with GRADUS_DECAY, unit of learning rate.
  float decay;
  // Strength of the proximal step of the absolute penalty.
  float prox_l1;
  // Largest size of a parameter.
  float clamp_params;
} gradus_transforms;

// Place of the stabiliser: `sqrt(v / c2) + eps`, as in PyTorch; c2 is the bias correction, 1 where a rule has none.
#define GRADUS_EPSILON_OUTSIDE 0

// Place of the stabiliser: `(sqrt(v) + eps) / sqrt(c2)`, as in Keras' Adam.
#define GRADUS_EPSILON_HAT 1

// Place of the stabiliser: `sqrt(v / c2 + inside) + eps`, as in Keras' RMSProp.
#define GRADUS_EPSILON_ROOT 2

// One tensor of a model, for the calls on lists: what a step takes, and transforms of its own.
typedef struct {
  // How many parameters it has.
  size_t n;
  // The parameters.
  float *params;
  // Their gradients.
  const float *grads;
  // The columns of state, one after the other.
  float *state;
  // A clock of its own, for a call without a common one.
  gradus_clock *clock;
  // What acts before and after the rule, on this tensor alone; null for nothing. Tensors may share it.
  const gradus_transforms *transforms;
} gradus_tensor;

// gradus_tensor with a state in half the memory, and otherwise the same.
typedef struct {
  // How many parameters it has.
  size_t n;
  // The parameters.
  float *params;
  // Their gradients.
  const float *grads;
  // The columns of state, one after the other, bfloat16.
  uint16_t *state;
  // A clock of its own, for a call without a common one.
  gradus_clock *clock;
  // What acts before and after the rule, on this tensor alone; null for nothing. Tensors may share it.
  const gradus_transforms *transforms;
} gradus_half_tensor;

// Transform: `g = scale * g`.
#define GRADUS_SCALE 1

// Transform: g within `[-clip_value, clip_value]`.
#define GRADUS_CLIP_VALUE 2

// Transform: `g = g + 2 * l2 * p`. PyTorch's weight_decay is twice this l2.
#define GRADUS_L2 4

// Transform: `g = g + l1 * sign(p)`.
#define GRADUS_L1 8

// Transform: `g = g + elastic_net * (2 * elastic_net_beta * p + sign(p))`.
#define GRADUS_ELASTIC_NET 16

// Transform: `p = rule(p) - lr * decay * p`: decoupled weight decay.
#define GRADUS_DECAY 32

// Transform: `p = sign(p) * max(|p| - lr * prox_l1, 0)`: exact zeros.
#define GRADUS_PROX_L1 64

// Transform: p within `[-clamp_params, clamp_params]`.
#define GRADUS_CLAMP_PARAMS 128

// Transform: `p = rule(p) - decay * p`, in place of GRADUS_DECAY: independent of the learning rate.
#define GRADUS_INDEPENDENT_DECAY 256

// Writes the L2 penalty of `n` weights, `lambda * sum w^2`, to `value`: for the loss.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_l2_value(float lambda, size_t n, const float *weights, float *value);

// Writes the L1 penalty of `n` weights, `lambda * sum |w|`, to `value`: for the loss.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_l1_value(float lambda, size_t n, const float *weights, float *value);

// Writes the elastic net of `n` weights, `lambda * sum (beta * w^2 + |w|)`, to `value`: for the loss.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_elastic_net_value(float lambda, float beta, size_t n, const float *weights, float *value);

// Writes the factor that clips the gradients of all tensors together to a Euclidean norm.
//
// ```text
// scale = min(1, max_norm / (norm + 1e-6))        as PyTorch's clip_grad_norm_
// ```
//
// Put it into gradus_transforms.scale, with the flag GRADUS_SCALE: the scaling itself is part of the step. Of the
// `count` tensors, `n` and `grads` are read alone.
//
// Errors: GRADUS_ERROR_LIMIT if `max_norm` is not positive; GRADUS_ERROR_NON_FINITE if the norm is infinite or NaN:
// skip the step; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_clip_norm(float max_norm, const gradus_tensor *tensors, size_t count, float *scale);

// Scales each row of `row` floats whose Euclidean norm exceeds `limit` back to it.
//
// `params` has `n` floats, whole rows one after the other.
//
// Errors: GRADUS_ERROR_LIMIT, GRADUS_ERROR_EMPTY if `row` is 0, GRADUS_ERROR_SHAPE if `n` is not a whole number of
// rows, GRADUS_ERROR_LENGTH, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
gradus_status gradus_limit_row_norms(size_t n, float *params, size_t row, float limit);

// gradus_limit_row_norms() where the `row` weights that enter one unit are a column: `params` are `row` rows of one float
// for each unit, as gradus_dense_forward() reads them behind its biases.
//
// Errors: those of gradus_limit_row_norms().
gradus_status gradus_limit_column_norms(size_t n,
                                        float *params,
                                        size_t row,
                                        float limit);

// Words of gradus_step.rule: room for the constants of any rule with transforms of weights and of biases.
#define GRADUS_STEP_WORDS 32

// A step that was begun, by gradus_adam_begin() or another optimizer's. Its fields are the library's own.
//
// Layers take it by their `_backward_step`, each for its own parameters: they form the gradients of a few weights at a
// time, and the optimizer acts on them at once, so that no array of gradients exists. The clock has moved on already.
// `config`, transforms and clock may be changed meanwhile, the parameters and the state must stay where they are.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // The number of the step, from 1 on.
  uint32_t t;
  // Parameters of all layers.
  size_t n;
  // The parameters.
  float *params;
  // The columns of state.
  void *state;
  // Bytes of them.
  size_t size;
  // What acts on `n` gradients of parameters from `at` on.
  void (*act)(const void *step, size_t at, size_t n, const float *grads, uint32_t biases);
  // The constants of the step.
  uint64_t rule[GRADUS_STEP_WORDS];
} gradus_step;

/*
 * ---- Optimizers ----
 *
 * Each has a structure, an initialiser GRADUS_ADAM(lr) with the usual values, and the same value from a function,
 * gradus_adam_default(lr), for where a brace cannot stand. Its fields may be changed at any time, the learning rate at
 * every step. gradus_adam_check() says whether they are in their ranges; a step does not check them.
 *
 * A step takes `n` parameters `params`, as many gradients `grads`, and the `state`: GRADUS_ADAM_COLUMNS columns of `n`
 * floats, one column after the other. It may be null for an optimizer without columns. The state of one optimizer is of no
 * use to another. If the compiler should check that, use the typed views: gradus_adam_update() takes a gradus_adam_state and
 * no other. `config` and `transforms` are only read.
 *
 * The `clock` counts steps, one clock for each state. A model in several `tensors` is best stepped by one call,
 * gradus_adam_step_tensors(): calls that share a clock would each count as a step. With one clock for all tensors, one that
 * joins late, with zeros for its state, is treated as if its gradients had been 0 until then: for Adam its first steps are
 * too long, up to 2.15 times the learning rate where it joins at step 100, and 5.24 times at step 1000. With a null clock
 * each tensor counts by its own.
 *
 * gradus_adam_begin() begins a `step` without gradients, for layers: see gradus_dense_backward_step(). With transforms,
 * `biases` may point at others than those of the weights, or be null for the same.
 *
 * Errors of a step: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space, GRADUS_ERROR_OVERLAP,
 * GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
 */

// Adam (Kingma and Ba, 2015): momentum over the root of the running second moment.
//
// ```text
// m = m + (1 - beta1) * (g - m)              c1 = 1 - beta1^t
// v = beta2 * v + (1 - beta2) * g * g        c2 = 1 - beta2^t
// p -= lr * (m / c1) / (sqrt(v / c2) + eps)
// ```
//
// State: `m`, `v`. The corrections are folded into the learning rate and the stabiliser, so that
// an element costs one square root and one division. Without them (`bias_correction: false`,
// `c1 = c2 = 1`) it is the lecture's "Adam (almost)".
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9 by default.
  double beta1;
  // Decay of the second moment; 0.999 by default.
  double beta2;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
  // Whether the moments are corrected for their start at 0; true by default. 1 for true, 0 for false.
  uint32_t bias_correction;
} gradus_adam;

// Columns of state of gradus_adam: floats per parameter.
#define GRADUS_ADAM_COLUMNS 2

// The state of gradus_adam in a file: gradus_item.kind.
#define GRADUS_ITEM_ADAM 16

#define GRADUS_ADAM(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}, 1}

// Adam with its defaults, for a place where the initialiser GRADUS_ADAM(lr) cannot stand.
gradus_adam gradus_adam_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adam_check(const gradus_adam *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_adam_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_adam_check_with(const gradus_adam *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Adam. State: `m`, `v`.
gradus_status gradus_adam_step(const gradus_adam *config,
                               size_t n,
                               float *params,
                               const float *grads,
                               float *state,
                               gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adam_step_with(const gradus_adam *config,
                                    const gradus_transforms *transforms,
                                    size_t n,
                                    float *params,
                                    const float *grads,
                                    float *state,
                                    gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_adam_step_if_finite(const gradus_adam *config,
                                         size_t n,
                                         float *params,
                                         const float *grads,
                                         float *state,
                                         gradus_clock *clock,
                                         size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_adam_step_tensors(const gradus_adam *config,
                                       const gradus_tensor *tensors,
                                       size_t count,
                                       gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_adam_begin(const gradus_adam *config,
                                size_t n,
                                float *params,
                                float *state,
                                gradus_clock *clock,
                                gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_adam_begin_with(const gradus_adam *config,
                                     const gradus_transforms *transforms,
                                     const gradus_transforms *biases,
                                     size_t n,
                                     float *params,
                                     float *state,
                                     gradus_clock *clock,
                                     gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adam_step().
gradus_status gradus_adam_half_step(const gradus_adam *config,
                                    size_t n,
                                    float *params,
                                    const float *grads,
                                    uint16_t *state,
                                    gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adam_half_step_with(const gradus_adam *config,
                                         const gradus_transforms *transforms,
                                         size_t n,
                                         float *params,
                                         const float *grads,
                                         uint16_t *state,
                                         gradus_clock *clock);

// gradus_adam_begin() with a state in half the memory.
gradus_status gradus_adam_half_begin(const gradus_adam *config,
                                     size_t n,
                                     float *params,
                                     uint16_t *state,
                                     gradus_clock *clock,
                                     gradus_step *step);

// gradus_adam_begin_with() with a state in half the memory.
gradus_status gradus_adam_half_begin_with(const gradus_adam *config,
                                          const gradus_transforms *transforms,
                                          const gradus_transforms *biases,
                                          size_t n,
                                          float *params,
                                          uint16_t *state,
                                          gradus_clock *clock,
                                          gradus_step *step);

// gradus_adam_step_tensors() of states in half the memory.
gradus_status gradus_adam_half_step_tensors(const gradus_adam *config,
                                            const gradus_half_tensor *tensors,
                                            size_t count,
                                            gradus_clock *clock);

// A state of gradus_adam, and of no other optimizer.
typedef struct gradus_adam_state {
  float *columns;
  gradus_clock *clock;
} gradus_adam_state;

// gradus_adam_step() with a state of its own type.
static inline gradus_status gradus_adam_update(const gradus_adam *config, size_t n, float *params,
                                                 const float *grads, gradus_adam_state state) {
  return gradus_adam_step(config, n, params, grads, state.columns, state.clock);
}

// Stochastic gradient descent (Robbins and Monro, 1951): straight down the gradient.
//
// ```text
// p -= lr * g
// ```
//
// State: none but the count of steps.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
} gradus_sgd;

// Columns of state of gradus_sgd: floats per parameter.
#define GRADUS_SGD_COLUMNS 0

// The state of gradus_sgd in a file: gradus_item.kind.
#define GRADUS_ITEM_SGD 17

#define GRADUS_SGD(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr)}

// Sgd with its defaults, for a place where the initialiser GRADUS_SGD(lr) cannot stand.
gradus_sgd gradus_sgd_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_sgd_check(const gradus_sgd *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_sgd_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_sgd_check_with(const gradus_sgd *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Sgd. State: none but the count of steps.
gradus_status gradus_sgd_step(const gradus_sgd *config,
                              size_t n,
                              float *params,
                              const float *grads,
                              float *state,
                              gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_sgd_step_with(const gradus_sgd *config,
                                   const gradus_transforms *transforms,
                                   size_t n,
                                   float *params,
                                   const float *grads,
                                   float *state,
                                   gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_sgd_step_if_finite(const gradus_sgd *config,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        float *state,
                                        gradus_clock *clock,
                                        size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_sgd_step_tensors(const gradus_sgd *config,
                                      const gradus_tensor *tensors,
                                      size_t count,
                                      gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_sgd_begin(const gradus_sgd *config,
                               size_t n,
                               float *params,
                               float *state,
                               gradus_clock *clock,
                               gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_sgd_begin_with(const gradus_sgd *config,
                                    const gradus_transforms *transforms,
                                    const gradus_transforms *biases,
                                    size_t n,
                                    float *params,
                                    float *state,
                                    gradus_clock *clock,
                                    gradus_step *step);

// A state of gradus_sgd, and of no other optimizer.
typedef struct gradus_sgd_state {
  float *columns;
  gradus_clock *clock;
} gradus_sgd_state;

// gradus_sgd_step() with a state of its own type.
static inline gradus_status gradus_sgd_update(const gradus_sgd *config, size_t n, float *params,
                                                 const float *grads, gradus_sgd_state state) {
  return gradus_sgd_step(config, n, params, grads, state.columns, state.clock);
}

// Momentum (Polyak, 1964): a velocity that keeps a share `rho` of itself at each step.
//
// ```text
// v = rho * v + (1 - dampening) * g        (v = g at the first step, or where rho is 0, as in PyTorch)
// p -= lr * v
// ```
//
// State: `v`. The learning rate stands outside of the velocity, so that a change of it acts at
// once on the whole velocity, as in PyTorch.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the velocity that a step keeps; 0.9 by default.
  double rho;
  // Share of the gradient that does not enter the velocity, from the second step on; 0 by default.
  double dampening;
} gradus_momentum;

// Columns of state of gradus_momentum: floats per parameter.
#define GRADUS_MOMENTUM_COLUMNS 1

// The state of gradus_momentum in a file: gradus_item.kind.
#define GRADUS_ITEM_MOMENTUM 18

#define GRADUS_MOMENTUM(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.0}

// Momentum with its defaults, for a place where the initialiser GRADUS_MOMENTUM(lr) cannot stand.
gradus_momentum gradus_momentum_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_DAMPENING;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_momentum_check(const gradus_momentum *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_momentum_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_momentum_check_with(const gradus_momentum *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Momentum. State: `v`.
gradus_status gradus_momentum_step(const gradus_momentum *config,
                                   size_t n,
                                   float *params,
                                   const float *grads,
                                   float *state,
                                   gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_momentum_step_with(const gradus_momentum *config,
                                        const gradus_transforms *transforms,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        float *state,
                                        gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_momentum_step_if_finite(const gradus_momentum *config,
                                             size_t n,
                                             float *params,
                                             const float *grads,
                                             float *state,
                                             gradus_clock *clock,
                                             size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_momentum_step_tensors(const gradus_momentum *config,
                                           const gradus_tensor *tensors,
                                           size_t count,
                                           gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_momentum_begin(const gradus_momentum *config,
                                    size_t n,
                                    float *params,
                                    float *state,
                                    gradus_clock *clock,
                                    gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_momentum_begin_with(const gradus_momentum *config,
                                         const gradus_transforms *transforms,
                                         const gradus_transforms *biases,
                                         size_t n,
                                         float *params,
                                         float *state,
                                         gradus_clock *clock,
                                         gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_momentum_step().
gradus_status gradus_momentum_half_step(const gradus_momentum *config,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        uint16_t *state,
                                        gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_momentum_half_step_with(const gradus_momentum *config,
                                             const gradus_transforms *transforms,
                                             size_t n,
                                             float *params,
                                             const float *grads,
                                             uint16_t *state,
                                             gradus_clock *clock);

// gradus_momentum_begin() with a state in half the memory.
gradus_status gradus_momentum_half_begin(const gradus_momentum *config,
                                         size_t n,
                                         float *params,
                                         uint16_t *state,
                                         gradus_clock *clock,
                                         gradus_step *step);

// gradus_momentum_begin_with() with a state in half the memory.
gradus_status gradus_momentum_half_begin_with(const gradus_momentum *config,
                                              const gradus_transforms *transforms,
                                              const gradus_transforms *biases,
                                              size_t n,
                                              float *params,
                                              uint16_t *state,
                                              gradus_clock *clock,
                                              gradus_step *step);

// gradus_momentum_step_tensors() of states in half the memory.
gradus_status gradus_momentum_half_step_tensors(const gradus_momentum *config,
                                                const gradus_half_tensor *tensors,
                                                size_t count,
                                                gradus_clock *clock);

// A state of gradus_momentum, and of no other optimizer.
typedef struct gradus_momentum_state {
  float *columns;
  gradus_clock *clock;
} gradus_momentum_state;

// gradus_momentum_step() with a state of its own type.
static inline gradus_status gradus_momentum_update(const gradus_momentum *config, size_t n, float *params,
                                                 const float *grads, gradus_momentum_state state) {
  return gradus_momentum_step(config, n, params, grads, state.columns, state.clock);
}

// Nesterov momentum (Nesterov, 1983; Sutskever et al., 2013): the velocity looks one step ahead.
//
// ```text
// v = rho * v + g
// p -= lr * (g + rho * v)
// ```
//
// State: `v`. The lecture takes the gradient ahead of the parameters, `v' = rho*v - lr*g(p + rho*v)`,
// `p += v'`; in terms of the point ahead, and with a constant learning rate, that is the rule here:
// `v' = rho*v - lr*g; p += -rho*v + (1 + rho)*v'`. This is PyTorch's `SGD(nesterov=True)`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the velocity that a step keeps; 0.9 by default.
  double rho;
} gradus_nesterov;

// Columns of state of gradus_nesterov: floats per parameter.
#define GRADUS_NESTEROV_COLUMNS 1

// The state of gradus_nesterov in a file: gradus_item.kind.
#define GRADUS_ITEM_NESTEROV 19

#define GRADUS_NESTEROV(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9}

// Nesterov with its defaults, for a place where the initialiser GRADUS_NESTEROV(lr) cannot stand.
gradus_nesterov gradus_nesterov_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_nesterov_check(const gradus_nesterov *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_nesterov_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_nesterov_check_with(const gradus_nesterov *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Nesterov. State: `v`.
gradus_status gradus_nesterov_step(const gradus_nesterov *config,
                                   size_t n,
                                   float *params,
                                   const float *grads,
                                   float *state,
                                   gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_nesterov_step_with(const gradus_nesterov *config,
                                        const gradus_transforms *transforms,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        float *state,
                                        gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_nesterov_step_if_finite(const gradus_nesterov *config,
                                             size_t n,
                                             float *params,
                                             const float *grads,
                                             float *state,
                                             gradus_clock *clock,
                                             size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_nesterov_step_tensors(const gradus_nesterov *config,
                                           const gradus_tensor *tensors,
                                           size_t count,
                                           gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_nesterov_begin(const gradus_nesterov *config,
                                    size_t n,
                                    float *params,
                                    float *state,
                                    gradus_clock *clock,
                                    gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_nesterov_begin_with(const gradus_nesterov *config,
                                         const gradus_transforms *transforms,
                                         const gradus_transforms *biases,
                                         size_t n,
                                         float *params,
                                         float *state,
                                         gradus_clock *clock,
                                         gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_nesterov_step().
gradus_status gradus_nesterov_half_step(const gradus_nesterov *config,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        uint16_t *state,
                                        gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_nesterov_half_step_with(const gradus_nesterov *config,
                                             const gradus_transforms *transforms,
                                             size_t n,
                                             float *params,
                                             const float *grads,
                                             uint16_t *state,
                                             gradus_clock *clock);

// gradus_nesterov_begin() with a state in half the memory.
gradus_status gradus_nesterov_half_begin(const gradus_nesterov *config,
                                         size_t n,
                                         float *params,
                                         uint16_t *state,
                                         gradus_clock *clock,
                                         gradus_step *step);

// gradus_nesterov_begin_with() with a state in half the memory.
gradus_status gradus_nesterov_half_begin_with(const gradus_nesterov *config,
                                              const gradus_transforms *transforms,
                                              const gradus_transforms *biases,
                                              size_t n,
                                              float *params,
                                              uint16_t *state,
                                              gradus_clock *clock,
                                              gradus_step *step);

// gradus_nesterov_step_tensors() of states in half the memory.
gradus_status gradus_nesterov_half_step_tensors(const gradus_nesterov *config,
                                                const gradus_half_tensor *tensors,
                                                size_t count,
                                                gradus_clock *clock);

// A state of gradus_nesterov, and of no other optimizer.
typedef struct gradus_nesterov_state {
  float *columns;
  gradus_clock *clock;
} gradus_nesterov_state;

// gradus_nesterov_step() with a state of its own type.
static inline gradus_status gradus_nesterov_update(const gradus_nesterov *config, size_t n, float *params,
                                                 const float *grads, gradus_nesterov_state state) {
  return gradus_nesterov_step(config, n, params, grads, state.columns, state.clock);
}

// AdaGrad (Duchi, Hazan and Singer, 2011): each parameter slows down by what it has seen.
//
// ```text
// s += g * g
// p -= lr * g / (sqrt(s) + eps)
// ```
//
// State: `s`. It may be filled with an initial accumulator before the first step.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Stabiliser of the denominator; 1e-10 outside of the root by default.
  gradus_epsilon eps;
} gradus_adagrad;

// Columns of state of gradus_adagrad: floats per parameter.
#define GRADUS_ADAGRAD_COLUMNS 1

// The state of gradus_adagrad in a file: gradus_item.kind.
#define GRADUS_ITEM_ADAGRAD 20

#define GRADUS_ADAGRAD(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), {GRADUS_EPSILON_OUTSIDE, 1e-10f, 0.0f}}

// AdaGrad with its defaults, for a place where the initialiser GRADUS_ADAGRAD(lr) cannot stand.
gradus_adagrad gradus_adagrad_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adagrad_check(const gradus_adagrad *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_adagrad_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_adagrad_check_with(const gradus_adagrad *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of AdaGrad. State: `s`.
gradus_status gradus_adagrad_step(const gradus_adagrad *config,
                                  size_t n,
                                  float *params,
                                  const float *grads,
                                  float *state,
                                  gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adagrad_step_with(const gradus_adagrad *config,
                                       const gradus_transforms *transforms,
                                       size_t n,
                                       float *params,
                                       const float *grads,
                                       float *state,
                                       gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_adagrad_step_if_finite(const gradus_adagrad *config,
                                            size_t n,
                                            float *params,
                                            const float *grads,
                                            float *state,
                                            gradus_clock *clock,
                                            size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_adagrad_step_tensors(const gradus_adagrad *config,
                                          const gradus_tensor *tensors,
                                          size_t count,
                                          gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_adagrad_begin(const gradus_adagrad *config,
                                   size_t n,
                                   float *params,
                                   float *state,
                                   gradus_clock *clock,
                                   gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_adagrad_begin_with(const gradus_adagrad *config,
                                        const gradus_transforms *transforms,
                                        const gradus_transforms *biases,
                                        size_t n,
                                        float *params,
                                        float *state,
                                        gradus_clock *clock,
                                        gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adagrad_step().
gradus_status gradus_adagrad_half_step(const gradus_adagrad *config,
                                       size_t n,
                                       float *params,
                                       const float *grads,
                                       uint16_t *state,
                                       gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adagrad_half_step_with(const gradus_adagrad *config,
                                            const gradus_transforms *transforms,
                                            size_t n,
                                            float *params,
                                            const float *grads,
                                            uint16_t *state,
                                            gradus_clock *clock);

// gradus_adagrad_begin() with a state in half the memory.
gradus_status gradus_adagrad_half_begin(const gradus_adagrad *config,
                                        size_t n,
                                        float *params,
                                        uint16_t *state,
                                        gradus_clock *clock,
                                        gradus_step *step);

// gradus_adagrad_begin_with() with a state in half the memory.
gradus_status gradus_adagrad_half_begin_with(const gradus_adagrad *config,
                                             const gradus_transforms *transforms,
                                             const gradus_transforms *biases,
                                             size_t n,
                                             float *params,
                                             uint16_t *state,
                                             gradus_clock *clock,
                                             gradus_step *step);

// gradus_adagrad_step_tensors() of states in half the memory.
gradus_status gradus_adagrad_half_step_tensors(const gradus_adagrad *config,
                                               const gradus_half_tensor *tensors,
                                               size_t count,
                                               gradus_clock *clock);

// A state of gradus_adagrad, and of no other optimizer.
typedef struct gradus_adagrad_state {
  float *columns;
  gradus_clock *clock;
} gradus_adagrad_state;

// gradus_adagrad_step() with a state of its own type.
static inline gradus_status gradus_adagrad_update(const gradus_adagrad *config, size_t n, float *params,
                                                 const float *grads, gradus_adagrad_state state) {
  return gradus_adagrad_step(config, n, params, grads, state.columns, state.clock);
}

// Adadelta (Zeiler, 2012): steps in the units of the parameters, from the sizes of the steps before.
//
// ```text
// s = rho * s + (1 - rho) * g * g
// step = sqrt(d + eps) / sqrt(s + eps) * g
// d = rho * d + (1 - rho) * step * step
// p -= lr * step
// ```
//
// State: `s`, `d`. The paper has no learning rate: it is 1 there, and PyTorch's default. Both stabilisers stand under
// their roots; they set the size of the first steps, `sqrt(eps)` each.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate: 1 in the paper.
  float lr;
  // Decay of both running averages; 0.9 by default.
  double rho;
  // Stabiliser under both roots, at least 1.2e-38; 1e-6 by default.
  float eps;
} gradus_adadelta;

// Columns of state of gradus_adadelta: floats per parameter.
#define GRADUS_ADADELTA_COLUMNS 2

// The state of gradus_adadelta in a file: gradus_item.kind.
#define GRADUS_ITEM_ADADELTA 21

#define GRADUS_ADADELTA(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 1e-6f}

// Adadelta with its defaults, for a place where the initialiser GRADUS_ADADELTA(lr) cannot stand.
gradus_adadelta gradus_adadelta_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adadelta_check(const gradus_adadelta *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_adadelta_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_adadelta_check_with(const gradus_adadelta *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Adadelta. State: `s`, `d`.
gradus_status gradus_adadelta_step(const gradus_adadelta *config,
                                   size_t n,
                                   float *params,
                                   const float *grads,
                                   float *state,
                                   gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adadelta_step_with(const gradus_adadelta *config,
                                        const gradus_transforms *transforms,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        float *state,
                                        gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_adadelta_step_if_finite(const gradus_adadelta *config,
                                             size_t n,
                                             float *params,
                                             const float *grads,
                                             float *state,
                                             gradus_clock *clock,
                                             size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_adadelta_step_tensors(const gradus_adadelta *config,
                                           const gradus_tensor *tensors,
                                           size_t count,
                                           gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_adadelta_begin(const gradus_adadelta *config,
                                    size_t n,
                                    float *params,
                                    float *state,
                                    gradus_clock *clock,
                                    gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_adadelta_begin_with(const gradus_adadelta *config,
                                         const gradus_transforms *transforms,
                                         const gradus_transforms *biases,
                                         size_t n,
                                         float *params,
                                         float *state,
                                         gradus_clock *clock,
                                         gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adadelta_step().
gradus_status gradus_adadelta_half_step(const gradus_adadelta *config,
                                        size_t n,
                                        float *params,
                                        const float *grads,
                                        uint16_t *state,
                                        gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adadelta_half_step_with(const gradus_adadelta *config,
                                             const gradus_transforms *transforms,
                                             size_t n,
                                             float *params,
                                             const float *grads,
                                             uint16_t *state,
                                             gradus_clock *clock);

// gradus_adadelta_begin() with a state in half the memory.
gradus_status gradus_adadelta_half_begin(const gradus_adadelta *config,
                                         size_t n,
                                         float *params,
                                         uint16_t *state,
                                         gradus_clock *clock,
                                         gradus_step *step);

// gradus_adadelta_begin_with() with a state in half the memory.
gradus_status gradus_adadelta_half_begin_with(const gradus_adadelta *config,
                                              const gradus_transforms *transforms,
                                              const gradus_transforms *biases,
                                              size_t n,
                                              float *params,
                                              uint16_t *state,
                                              gradus_clock *clock,
                                              gradus_step *step);

// gradus_adadelta_step_tensors() of states in half the memory.
gradus_status gradus_adadelta_half_step_tensors(const gradus_adadelta *config,
                                                const gradus_half_tensor *tensors,
                                                size_t count,
                                                gradus_clock *clock);

// A state of gradus_adadelta, and of no other optimizer.
typedef struct gradus_adadelta_state {
  float *columns;
  gradus_clock *clock;
} gradus_adadelta_state;

// gradus_adadelta_step() with a state of its own type.
static inline gradus_status gradus_adadelta_update(const gradus_adadelta *config, size_t n, float *params,
                                                 const float *grads, gradus_adadelta_state state) {
  return gradus_adadelta_step(config, n, params, grads, state.columns, state.clock);
}

// RMSProp (Tieleman and Hinton, 2012): AdaGrad that forgets.
//
// ```text
// s = rho * s + (1 - rho) * g * g
// p -= lr * g / (sqrt(s) + eps)
// ```
//
// State: `s`. `centered` and `with_momentum` are types
// of their own, because they need more state.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the running averages; 0.99 by default.
  double rho;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
} gradus_rmsprop;

// Columns of state of gradus_rmsprop: floats per parameter.
#define GRADUS_RMSPROP_COLUMNS 1

// The state of gradus_rmsprop in a file: gradus_item.kind.
#define GRADUS_ITEM_RMSPROP 22

#define GRADUS_RMSPROP(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.99, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}}

// RmsProp with its defaults, for a place where the initialiser GRADUS_RMSPROP(lr) cannot stand.
gradus_rmsprop gradus_rmsprop_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_check(const gradus_rmsprop *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_rmsprop_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_rmsprop_check_with(const gradus_rmsprop *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of RmsProp. State: `s`.
gradus_status gradus_rmsprop_step(const gradus_rmsprop *config,
                                  size_t n,
                                  float *params,
                                  const float *grads,
                                  float *state,
                                  gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_rmsprop_step_with(const gradus_rmsprop *config,
                                       const gradus_transforms *transforms,
                                       size_t n,
                                       float *params,
                                       const float *grads,
                                       float *state,
                                       gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_rmsprop_step_if_finite(const gradus_rmsprop *config,
                                            size_t n,
                                            float *params,
                                            const float *grads,
                                            float *state,
                                            gradus_clock *clock,
                                            size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_rmsprop_step_tensors(const gradus_rmsprop *config,
                                          const gradus_tensor *tensors,
                                          size_t count,
                                          gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_rmsprop_begin(const gradus_rmsprop *config,
                                   size_t n,
                                   float *params,
                                   float *state,
                                   gradus_clock *clock,
                                   gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_rmsprop_begin_with(const gradus_rmsprop *config,
                                        const gradus_transforms *transforms,
                                        const gradus_transforms *biases,
                                        size_t n,
                                        float *params,
                                        float *state,
                                        gradus_clock *clock,
                                        gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_rmsprop_step().
gradus_status gradus_rmsprop_half_step(const gradus_rmsprop *config,
                                       size_t n,
                                       float *params,
                                       const float *grads,
                                       uint16_t *state,
                                       gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_rmsprop_half_step_with(const gradus_rmsprop *config,
                                            const gradus_transforms *transforms,
                                            size_t n,
                                            float *params,
                                            const float *grads,
                                            uint16_t *state,
                                            gradus_clock *clock);

// gradus_rmsprop_begin() with a state in half the memory.
gradus_status gradus_rmsprop_half_begin(const gradus_rmsprop *config,
                                        size_t n,
                                        float *params,
                                        uint16_t *state,
                                        gradus_clock *clock,
                                        gradus_step *step);

// gradus_rmsprop_begin_with() with a state in half the memory.
gradus_status gradus_rmsprop_half_begin_with(const gradus_rmsprop *config,
                                             const gradus_transforms *transforms,
                                             const gradus_transforms *biases,
                                             size_t n,
                                             float *params,
                                             uint16_t *state,
                                             gradus_clock *clock,
                                             gradus_step *step);

// gradus_rmsprop_step_tensors() of states in half the memory.
gradus_status gradus_rmsprop_half_step_tensors(const gradus_rmsprop *config,
                                               const gradus_half_tensor *tensors,
                                               size_t count,
                                               gradus_clock *clock);

// A state of gradus_rmsprop, and of no other optimizer.
typedef struct gradus_rmsprop_state {
  float *columns;
  gradus_clock *clock;
} gradus_rmsprop_state;

// gradus_rmsprop_step() with a state of its own type.
static inline gradus_status gradus_rmsprop_update(const gradus_rmsprop *config, size_t n, float *params,
                                                 const float *grads, gradus_rmsprop_state state) {
  return gradus_rmsprop_step(config, n, params, grads, state.columns, state.clock);
}

// RMSProp over the deviation from the mean: `sqrt(max(0, s - a * a))` in place of `sqrt(s)`.
//
// ```text
// s = rho * s + (1 - rho) * g * g
// a = a + (1 - rho) * (g - a)
// p -= lr * g / (sqrt(max(0, s - a * a)) + eps)
// ```
//
// State: `s`, `a`. Where the gradient is constant, rounding makes the difference negative; it
// counts as 0 then.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the running averages; 0.99 by default.
  double rho;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
} gradus_centered_rmsprop;

// Columns of state of gradus_centered_rmsprop: floats per parameter.
#define GRADUS_CENTERED_RMSPROP_COLUMNS 2

// The state of gradus_centered_rmsprop in a file: gradus_item.kind.
#define GRADUS_ITEM_CENTERED_RMSPROP 23

#define GRADUS_CENTERED_RMSPROP(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.99, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}}

// CenteredRmsProp with its defaults, for a place where the initialiser GRADUS_CENTERED_RMSPROP(lr) cannot stand.
gradus_centered_rmsprop gradus_centered_rmsprop_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_centered_rmsprop_check(const gradus_centered_rmsprop *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_centered_rmsprop_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_centered_rmsprop_check_with(const gradus_centered_rmsprop *config,
                                                 const gradus_transforms *transforms);

// Updates `n` parameters by one step of CenteredRmsProp. State: `s`, `a`.
gradus_status gradus_centered_rmsprop_step(const gradus_centered_rmsprop *config,
                                           size_t n,
                                           float *params,
                                           const float *grads,
                                           float *state,
                                           gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_centered_rmsprop_step_with(const gradus_centered_rmsprop *config,
                                                const gradus_transforms *transforms,
                                                size_t n,
                                                float *params,
                                                const float *grads,
                                                float *state,
                                                gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_centered_rmsprop_step_if_finite(const gradus_centered_rmsprop *config,
                                                     size_t n,
                                                     float *params,
                                                     const float *grads,
                                                     float *state,
                                                     gradus_clock *clock,
                                                     size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_centered_rmsprop_step_tensors(const gradus_centered_rmsprop *config,
                                                   const gradus_tensor *tensors,
                                                   size_t count,
                                                   gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_centered_rmsprop_begin(const gradus_centered_rmsprop *config,
                                            size_t n,
                                            float *params,
                                            float *state,
                                            gradus_clock *clock,
                                            gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_centered_rmsprop_begin_with(const gradus_centered_rmsprop *config,
                                                 const gradus_transforms *transforms,
                                                 const gradus_transforms *biases,
                                                 size_t n,
                                                 float *params,
                                                 float *state,
                                                 gradus_clock *clock,
                                                 gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_centered_rmsprop_step().
gradus_status gradus_centered_rmsprop_half_step(const gradus_centered_rmsprop *config,
                                                size_t n,
                                                float *params,
                                                const float *grads,
                                                uint16_t *state,
                                                gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_centered_rmsprop_half_step_with(const gradus_centered_rmsprop *config,
                                                     const gradus_transforms *transforms,
                                                     size_t n,
                                                     float *params,
                                                     const float *grads,
                                                     uint16_t *state,
                                                     gradus_clock *clock);

// gradus_centered_rmsprop_begin() with a state in half the memory.
gradus_status gradus_centered_rmsprop_half_begin(const gradus_centered_rmsprop *config,
                                                 size_t n,
                                                 float *params,
                                                 uint16_t *state,
                                                 gradus_clock *clock,
                                                 gradus_step *step);

// gradus_centered_rmsprop_begin_with() with a state in half the memory.
gradus_status gradus_centered_rmsprop_half_begin_with(const gradus_centered_rmsprop *config,
                                                      const gradus_transforms *transforms,
                                                      const gradus_transforms *biases,
                                                      size_t n,
                                                      float *params,
                                                      uint16_t *state,
                                                      gradus_clock *clock,
                                                      gradus_step *step);

// gradus_centered_rmsprop_step_tensors() of states in half the memory.
gradus_status gradus_centered_rmsprop_half_step_tensors(const gradus_centered_rmsprop *config,
                                                        const gradus_half_tensor *tensors,
                                                        size_t count,
                                                        gradus_clock *clock);

// A state of gradus_centered_rmsprop, and of no other optimizer.
typedef struct gradus_centered_rmsprop_state {
  float *columns;
  gradus_clock *clock;
} gradus_centered_rmsprop_state;

// gradus_centered_rmsprop_step() with a state of its own type.
static inline gradus_status gradus_centered_rmsprop_update(const gradus_centered_rmsprop *config, size_t n, float *params,
                                                 const float *grads, gradus_centered_rmsprop_state state) {
  return gradus_centered_rmsprop_step(config, n, params, grads, state.columns, state.clock);
}

// RMSProp with momentum.
//
// ```text
// s = rho * s + (1 - rho) * g * g
// v = momentum * v + g / (sqrt(s) + eps)
// p -= lr * v
// ```
//
// State: `s`, `v`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the running averages; 0.99 by default.
  double rho;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
  // Share of the velocity that a step keeps.
  float momentum;
} gradus_rmsprop_momentum;

// Columns of state of gradus_rmsprop_momentum: floats per parameter.
#define GRADUS_RMSPROP_MOMENTUM_COLUMNS 2

// The state of gradus_rmsprop_momentum in a file: gradus_item.kind.
#define GRADUS_ITEM_RMSPROP_MOMENTUM 24

#define GRADUS_RMSPROP_MOMENTUM(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.99, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}, 0.9f}

// RmsPropMomentum with its defaults, for a place where the initialiser GRADUS_RMSPROP_MOMENTUM(lr) cannot stand.
gradus_rmsprop_momentum gradus_rmsprop_momentum_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON, GRADUS_ERROR_RHO;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_momentum_check(const gradus_rmsprop_momentum *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_rmsprop_momentum_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_rmsprop_momentum_check_with(const gradus_rmsprop_momentum *config,
                                                 const gradus_transforms *transforms);

// Updates `n` parameters by one step of RmsPropMomentum. State: `s`, `v`.
gradus_status gradus_rmsprop_momentum_step(const gradus_rmsprop_momentum *config,
                                           size_t n,
                                           float *params,
                                           const float *grads,
                                           float *state,
                                           gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_rmsprop_momentum_step_with(const gradus_rmsprop_momentum *config,
                                                const gradus_transforms *transforms,
                                                size_t n,
                                                float *params,
                                                const float *grads,
                                                float *state,
                                                gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_rmsprop_momentum_step_if_finite(const gradus_rmsprop_momentum *config,
                                                     size_t n,
                                                     float *params,
                                                     const float *grads,
                                                     float *state,
                                                     gradus_clock *clock,
                                                     size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_rmsprop_momentum_step_tensors(const gradus_rmsprop_momentum *config,
                                                   const gradus_tensor *tensors,
                                                   size_t count,
                                                   gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_rmsprop_momentum_begin(const gradus_rmsprop_momentum *config,
                                            size_t n,
                                            float *params,
                                            float *state,
                                            gradus_clock *clock,
                                            gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_rmsprop_momentum_begin_with(const gradus_rmsprop_momentum *config,
                                                 const gradus_transforms *transforms,
                                                 const gradus_transforms *biases,
                                                 size_t n,
                                                 float *params,
                                                 float *state,
                                                 gradus_clock *clock,
                                                 gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_rmsprop_momentum_step().
gradus_status gradus_rmsprop_momentum_half_step(const gradus_rmsprop_momentum *config,
                                                size_t n,
                                                float *params,
                                                const float *grads,
                                                uint16_t *state,
                                                gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_rmsprop_momentum_half_step_with(const gradus_rmsprop_momentum *config,
                                                     const gradus_transforms *transforms,
                                                     size_t n,
                                                     float *params,
                                                     const float *grads,
                                                     uint16_t *state,
                                                     gradus_clock *clock);

// gradus_rmsprop_momentum_begin() with a state in half the memory.
gradus_status gradus_rmsprop_momentum_half_begin(const gradus_rmsprop_momentum *config,
                                                 size_t n,
                                                 float *params,
                                                 uint16_t *state,
                                                 gradus_clock *clock,
                                                 gradus_step *step);

// gradus_rmsprop_momentum_begin_with() with a state in half the memory.
gradus_status gradus_rmsprop_momentum_half_begin_with(const gradus_rmsprop_momentum *config,
                                                      const gradus_transforms *transforms,
                                                      const gradus_transforms *biases,
                                                      size_t n,
                                                      float *params,
                                                      uint16_t *state,
                                                      gradus_clock *clock,
                                                      gradus_step *step);

// gradus_rmsprop_momentum_step_tensors() of states in half the memory.
gradus_status gradus_rmsprop_momentum_half_step_tensors(const gradus_rmsprop_momentum *config,
                                                        const gradus_half_tensor *tensors,
                                                        size_t count,
                                                        gradus_clock *clock);

// A state of gradus_rmsprop_momentum, and of no other optimizer.
typedef struct gradus_rmsprop_momentum_state {
  float *columns;
  gradus_clock *clock;
} gradus_rmsprop_momentum_state;

// gradus_rmsprop_momentum_step() with a state of its own type.
static inline gradus_status gradus_rmsprop_momentum_update(const gradus_rmsprop_momentum *config, size_t n, float *params,
                                                 const float *grads, gradus_rmsprop_momentum_state state) {
  return gradus_rmsprop_momentum_step(config, n, params, grads, state.columns, state.clock);
}

// Centred RMSProp with momentum: `CenteredRmsProp` and `RmsPropMomentum` in one.
//
// ```text
// s, a as CenteredRmsProp
// v = momentum * v + g / (sqrt(max(0, s - a * a)) + eps)
// p -= lr * v
// ```
//
// State: `s`, `a`, `v`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the running averages; 0.99 by default.
  double rho;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
  // Share of the velocity that a step keeps.
  float momentum;
} gradus_centered_rmsprop_momentum;

// Columns of state of gradus_centered_rmsprop_momentum: floats per parameter.
#define GRADUS_CENTERED_RMSPROP_MOMENTUM_COLUMNS 3

// The state of gradus_centered_rmsprop_momentum in a file: gradus_item.kind.
#define GRADUS_ITEM_CENTERED_RMSPROP_MOMENTUM 25

#define GRADUS_CENTERED_RMSPROP_MOMENTUM(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.99, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}, 0.9f}

// CenteredRmsPropMomentum with its defaults, for a place where the initialiser GRADUS_CENTERED_RMSPROP_MOMENTUM(lr) cannot stand.
gradus_centered_rmsprop_momentum gradus_centered_rmsprop_momentum_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON, GRADUS_ERROR_RHO;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_centered_rmsprop_momentum_check(const gradus_centered_rmsprop_momentum *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_centered_rmsprop_momentum_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_centered_rmsprop_momentum_check_with(const gradus_centered_rmsprop_momentum *config,
                                                          const gradus_transforms *transforms);

// Updates `n` parameters by one step of CenteredRmsPropMomentum. State: `s`, `a`, `v`.
gradus_status gradus_centered_rmsprop_momentum_step(const gradus_centered_rmsprop_momentum *config,
                                                    size_t n,
                                                    float *params,
                                                    const float *grads,
                                                    float *state,
                                                    gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_centered_rmsprop_momentum_step_with(const gradus_centered_rmsprop_momentum *config,
                                                         const gradus_transforms *transforms,
                                                         size_t n,
                                                         float *params,
                                                         const float *grads,
                                                         float *state,
                                                         gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_centered_rmsprop_momentum_step_if_finite(const gradus_centered_rmsprop_momentum *config,
                                                              size_t n,
                                                              float *params,
                                                              const float *grads,
                                                              float *state,
                                                              gradus_clock *clock,
                                                              size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_centered_rmsprop_momentum_step_tensors(const gradus_centered_rmsprop_momentum *config,
                                                            const gradus_tensor *tensors,
                                                            size_t count,
                                                            gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_centered_rmsprop_momentum_begin(const gradus_centered_rmsprop_momentum *config,
                                                     size_t n,
                                                     float *params,
                                                     float *state,
                                                     gradus_clock *clock,
                                                     gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_centered_rmsprop_momentum_begin_with(const gradus_centered_rmsprop_momentum *config,
                                                          const gradus_transforms *transforms,
                                                          const gradus_transforms *biases,
                                                          size_t n,
                                                          float *params,
                                                          float *state,
                                                          gradus_clock *clock,
                                                          gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_centered_rmsprop_momentum_step().
gradus_status gradus_centered_rmsprop_momentum_half_step(const gradus_centered_rmsprop_momentum *config,
                                                         size_t n,
                                                         float *params,
                                                         const float *grads,
                                                         uint16_t *state,
                                                         gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_centered_rmsprop_momentum_half_step_with(const gradus_centered_rmsprop_momentum *config,
                                                              const gradus_transforms *transforms,
                                                              size_t n,
                                                              float *params,
                                                              const float *grads,
                                                              uint16_t *state,
                                                              gradus_clock *clock);

// gradus_centered_rmsprop_momentum_begin() with a state in half the memory.
gradus_status gradus_centered_rmsprop_momentum_half_begin(const gradus_centered_rmsprop_momentum *config,
                                                          size_t n,
                                                          float *params,
                                                          uint16_t *state,
                                                          gradus_clock *clock,
                                                          gradus_step *step);

// gradus_centered_rmsprop_momentum_begin_with() with a state in half the memory.
gradus_status gradus_centered_rmsprop_momentum_half_begin_with(const gradus_centered_rmsprop_momentum *config,
                                                               const gradus_transforms *transforms,
                                                               const gradus_transforms *biases,
                                                               size_t n,
                                                               float *params,
                                                               uint16_t *state,
                                                               gradus_clock *clock,
                                                               gradus_step *step);

// gradus_centered_rmsprop_momentum_step_tensors() of states in half the memory.
gradus_status gradus_centered_rmsprop_momentum_half_step_tensors(const gradus_centered_rmsprop_momentum *config,
                                                                 const gradus_half_tensor *tensors,
                                                                 size_t count,
                                                                 gradus_clock *clock);

// A state of gradus_centered_rmsprop_momentum, and of no other optimizer.
typedef struct gradus_centered_rmsprop_momentum_state {
  float *columns;
  gradus_clock *clock;
} gradus_centered_rmsprop_momentum_state;

// gradus_centered_rmsprop_momentum_step() with a state of its own type.
static inline gradus_status gradus_centered_rmsprop_momentum_update(const gradus_centered_rmsprop_momentum *config, size_t n, float *params,
                                                 const float *grads, gradus_centered_rmsprop_momentum_state state) {
  return gradus_centered_rmsprop_momentum_step(config, n, params, grads, state.columns, state.clock);
}

// AdamW (Loshchilov and Hutter, 2019): Adam, with the decay of the weights apart from it.
//
// ```text
// p = adam(p) - lr * weight_decay * p
// ```
//
// State: `m`, `v`. It is `Adam` with the transform `Decay`, to the bit. An L2 penalty would pass through the moments and be divided like any gradient;
// the decay here acts on the weights alone, also where the gradient is 0.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9 by default.
  double beta1;
  // Decay of the second moment; 0.999 by default.
  double beta2;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
  // Share of a weight that decays per step and unit of learning rate; 1e-2 by default.
  float weight_decay;
} gradus_adamw;

// Columns of state of gradus_adamw: floats per parameter.
#define GRADUS_ADAMW_COLUMNS 2

// The state of gradus_adamw in a file: gradus_item.kind.
#define GRADUS_ITEM_ADAMW 26

#define GRADUS_ADAMW(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}, 0.01f}

// AdamW with its defaults, for a place where the initialiser GRADUS_ADAMW(lr) cannot stand.
gradus_adamw gradus_adamw_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON,
// GRADUS_ERROR_WEIGHT_DECAY;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adamw_check(const gradus_adamw *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_adamw_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_adamw_check_with(const gradus_adamw *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of AdamW. State: `m`, `v`.
gradus_status gradus_adamw_step(const gradus_adamw *config,
                                size_t n,
                                float *params,
                                const float *grads,
                                float *state,
                                gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adamw_step_with(const gradus_adamw *config,
                                     const gradus_transforms *transforms,
                                     size_t n,
                                     float *params,
                                     const float *grads,
                                     float *state,
                                     gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_adamw_step_if_finite(const gradus_adamw *config,
                                          size_t n,
                                          float *params,
                                          const float *grads,
                                          float *state,
                                          gradus_clock *clock,
                                          size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_adamw_step_tensors(const gradus_adamw *config,
                                        const gradus_tensor *tensors,
                                        size_t count,
                                        gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_adamw_begin(const gradus_adamw *config,
                                 size_t n,
                                 float *params,
                                 float *state,
                                 gradus_clock *clock,
                                 gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_adamw_begin_with(const gradus_adamw *config,
                                      const gradus_transforms *transforms,
                                      const gradus_transforms *biases,
                                      size_t n,
                                      float *params,
                                      float *state,
                                      gradus_clock *clock,
                                      gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adamw_step().
gradus_status gradus_adamw_half_step(const gradus_adamw *config,
                                     size_t n,
                                     float *params,
                                     const float *grads,
                                     uint16_t *state,
                                     gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adamw_half_step_with(const gradus_adamw *config,
                                          const gradus_transforms *transforms,
                                          size_t n,
                                          float *params,
                                          const float *grads,
                                          uint16_t *state,
                                          gradus_clock *clock);

// gradus_adamw_begin() with a state in half the memory.
gradus_status gradus_adamw_half_begin(const gradus_adamw *config,
                                      size_t n,
                                      float *params,
                                      uint16_t *state,
                                      gradus_clock *clock,
                                      gradus_step *step);

// gradus_adamw_begin_with() with a state in half the memory.
gradus_status gradus_adamw_half_begin_with(const gradus_adamw *config,
                                           const gradus_transforms *transforms,
                                           const gradus_transforms *biases,
                                           size_t n,
                                           float *params,
                                           uint16_t *state,
                                           gradus_clock *clock,
                                           gradus_step *step);

// gradus_adamw_step_tensors() of states in half the memory.
gradus_status gradus_adamw_half_step_tensors(const gradus_adamw *config,
                                             const gradus_half_tensor *tensors,
                                             size_t count,
                                             gradus_clock *clock);

// A state of gradus_adamw, and of no other optimizer.
typedef struct gradus_adamw_state {
  float *columns;
  gradus_clock *clock;
} gradus_adamw_state;

// gradus_adamw_step() with a state of its own type.
static inline gradus_status gradus_adamw_update(const gradus_adamw *config, size_t n, float *params,
                                                 const float *grads, gradus_adamw_state state) {
  return gradus_adamw_step(config, n, params, grads, state.columns, state.clock);
}

// Adamax (Kingma and Ba, 2015, section 7.1): Adam over the largest gradient in place of the mean square.
//
// ```text
// m = m + (1 - beta1) * (g - m)
// u = max(beta2 * u, |g| + eps)
// p -= lr / (1 - beta1^t) * m / u
// ```
//
// State: `m`, `u`. The stabiliser is inside of the maximum, as in PyTorch. An element costs a division and no root.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9 by default.
  double beta1;
  // Decay of the largest gradient; 0.999 by default.
  double beta2;
  // Stabiliser, added to the size of a gradient, at least 1.2e-38; 1e-8 by default.
  float eps;
} gradus_adamax;

// Columns of state of gradus_adamax: floats per parameter.
#define GRADUS_ADAMAX_COLUMNS 2

// The state of gradus_adamax in a file: gradus_item.kind.
#define GRADUS_ITEM_ADAMAX 27

#define GRADUS_ADAMAX(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, 1e-8f}

// Adamax with its defaults, for a place where the initialiser GRADUS_ADAMAX(lr) cannot stand.
gradus_adamax gradus_adamax_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adamax_check(const gradus_adamax *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_adamax_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_adamax_check_with(const gradus_adamax *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Adamax. State: `m`, `u`.
gradus_status gradus_adamax_step(const gradus_adamax *config,
                                 size_t n,
                                 float *params,
                                 const float *grads,
                                 float *state,
                                 gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adamax_step_with(const gradus_adamax *config,
                                      const gradus_transforms *transforms,
                                      size_t n,
                                      float *params,
                                      const float *grads,
                                      float *state,
                                      gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_adamax_step_if_finite(const gradus_adamax *config,
                                           size_t n,
                                           float *params,
                                           const float *grads,
                                           float *state,
                                           gradus_clock *clock,
                                           size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_adamax_step_tensors(const gradus_adamax *config,
                                         const gradus_tensor *tensors,
                                         size_t count,
                                         gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_adamax_begin(const gradus_adamax *config,
                                  size_t n,
                                  float *params,
                                  float *state,
                                  gradus_clock *clock,
                                  gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_adamax_begin_with(const gradus_adamax *config,
                                       const gradus_transforms *transforms,
                                       const gradus_transforms *biases,
                                       size_t n,
                                       float *params,
                                       float *state,
                                       gradus_clock *clock,
                                       gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_adamax_step().
gradus_status gradus_adamax_half_step(const gradus_adamax *config,
                                      size_t n,
                                      float *params,
                                      const float *grads,
                                      uint16_t *state,
                                      gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_adamax_half_step_with(const gradus_adamax *config,
                                           const gradus_transforms *transforms,
                                           size_t n,
                                           float *params,
                                           const float *grads,
                                           uint16_t *state,
                                           gradus_clock *clock);

// gradus_adamax_begin() with a state in half the memory.
gradus_status gradus_adamax_half_begin(const gradus_adamax *config,
                                       size_t n,
                                       float *params,
                                       uint16_t *state,
                                       gradus_clock *clock,
                                       gradus_step *step);

// gradus_adamax_begin_with() with a state in half the memory.
gradus_status gradus_adamax_half_begin_with(const gradus_adamax *config,
                                            const gradus_transforms *transforms,
                                            const gradus_transforms *biases,
                                            size_t n,
                                            float *params,
                                            uint16_t *state,
                                            gradus_clock *clock,
                                            gradus_step *step);

// gradus_adamax_step_tensors() of states in half the memory.
gradus_status gradus_adamax_half_step_tensors(const gradus_adamax *config,
                                              const gradus_half_tensor *tensors,
                                              size_t count,
                                              gradus_clock *clock);

// A state of gradus_adamax, and of no other optimizer.
typedef struct gradus_adamax_state {
  float *columns;
  gradus_clock *clock;
} gradus_adamax_state;

// gradus_adamax_step() with a state of its own type.
static inline gradus_status gradus_adamax_update(const gradus_adamax *config, size_t n, float *params,
                                                 const float *grads, gradus_adamax_state state) {
  return gradus_adamax_step(config, n, params, grads, state.columns, state.clock);
}

// AMSGrad (Reddi, Kale and Kumar, 2018): Adam over the largest second moment so far.
//
// ```text
// m, v as Adam
// vmax = max(vmax, v)
// p -= lr * (m / c1) / (sqrt(vmax / c2) + eps)
// ```
//
// State: `m`, `v`, `vmax`. The maximum is taken before the correction, as in PyTorch. Once NaN, `v`
// stays so, and `vmax` with it.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9 by default.
  double beta1;
  // Decay of the second moment; 0.999 by default.
  double beta2;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
} gradus_amsgrad;

// Columns of state of gradus_amsgrad: floats per parameter.
#define GRADUS_AMSGRAD_COLUMNS 3

// The state of gradus_amsgrad in a file: gradus_item.kind.
#define GRADUS_ITEM_AMSGRAD 28

#define GRADUS_AMSGRAD(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}}

// AmsGrad with its defaults, for a place where the initialiser GRADUS_AMSGRAD(lr) cannot stand.
gradus_amsgrad gradus_amsgrad_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_amsgrad_check(const gradus_amsgrad *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_amsgrad_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_amsgrad_check_with(const gradus_amsgrad *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of AmsGrad. State: `m`, `v`, `vmax`.
gradus_status gradus_amsgrad_step(const gradus_amsgrad *config,
                                  size_t n,
                                  float *params,
                                  const float *grads,
                                  float *state,
                                  gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_amsgrad_step_with(const gradus_amsgrad *config,
                                       const gradus_transforms *transforms,
                                       size_t n,
                                       float *params,
                                       const float *grads,
                                       float *state,
                                       gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_amsgrad_step_if_finite(const gradus_amsgrad *config,
                                            size_t n,
                                            float *params,
                                            const float *grads,
                                            float *state,
                                            gradus_clock *clock,
                                            size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_amsgrad_step_tensors(const gradus_amsgrad *config,
                                          const gradus_tensor *tensors,
                                          size_t count,
                                          gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_amsgrad_begin(const gradus_amsgrad *config,
                                   size_t n,
                                   float *params,
                                   float *state,
                                   gradus_clock *clock,
                                   gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_amsgrad_begin_with(const gradus_amsgrad *config,
                                        const gradus_transforms *transforms,
                                        const gradus_transforms *biases,
                                        size_t n,
                                        float *params,
                                        float *state,
                                        gradus_clock *clock,
                                        gradus_step *step);

// A state of gradus_amsgrad, and of no other optimizer.
typedef struct gradus_amsgrad_state {
  float *columns;
  gradus_clock *clock;
} gradus_amsgrad_state;

// gradus_amsgrad_step() with a state of its own type.
static inline gradus_status gradus_amsgrad_update(const gradus_amsgrad *config, size_t n, float *params,
                                                 const float *grads, gradus_amsgrad_state state) {
  return gradus_amsgrad_step(config, n, params, grads, state.columns, state.clock);
}

// Nadam (Dozat, 2016): Adam with Nesterov's look ahead.
//
// ```text
// mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)        q(t) = mu(1) * ... * mu(t)
// m, v as Adam
// p -= lr * ((1 - mu(t)) / (1 - q(t)) * g + mu(t+1) / (1 - q(t) * mu(t+1)) * m)
//      / (sqrt(v / c2) + eps)
// ```
//
// State: `m`, `v`; the clock carries `1 - q(t)`, which starts at 0.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Limit of the decay of the first moment; 0.9 by default.
  double beta1;
  // Decay of the second moment; 0.999 by default.
  double beta2;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
  // How fast `mu` grows from half of `beta1` to `beta1`; 4e-3 by default.
  float momentum_decay;
} gradus_nadam;

// Columns of state of gradus_nadam: floats per parameter.
#define GRADUS_NADAM_COLUMNS 2

// The state of gradus_nadam in a file: gradus_item.kind.
#define GRADUS_ITEM_NADAM 30

#define GRADUS_NADAM(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}, 0.004f}

// Nadam with its defaults, for a place where the initialiser GRADUS_NADAM(lr) cannot stand.
gradus_nadam gradus_nadam_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON,
// GRADUS_ERROR_MOMENTUM_DECAY;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_nadam_check(const gradus_nadam *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_nadam_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_nadam_check_with(const gradus_nadam *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Nadam. State: `m`, `v`.
gradus_status gradus_nadam_step(const gradus_nadam *config,
                                size_t n,
                                float *params,
                                const float *grads,
                                float *state,
                                gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_nadam_step_with(const gradus_nadam *config,
                                     const gradus_transforms *transforms,
                                     size_t n,
                                     float *params,
                                     const float *grads,
                                     float *state,
                                     gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_nadam_step_if_finite(const gradus_nadam *config,
                                          size_t n,
                                          float *params,
                                          const float *grads,
                                          float *state,
                                          gradus_clock *clock,
                                          size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_nadam_step_tensors(const gradus_nadam *config,
                                        const gradus_tensor *tensors,
                                        size_t count,
                                        gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_nadam_begin(const gradus_nadam *config,
                                 size_t n,
                                 float *params,
                                 float *state,
                                 gradus_clock *clock,
                                 gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_nadam_begin_with(const gradus_nadam *config,
                                      const gradus_transforms *transforms,
                                      const gradus_transforms *biases,
                                      size_t n,
                                      float *params,
                                      float *state,
                                      gradus_clock *clock,
                                      gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_nadam_step().
gradus_status gradus_nadam_half_step(const gradus_nadam *config,
                                     size_t n,
                                     float *params,
                                     const float *grads,
                                     uint16_t *state,
                                     gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_nadam_half_step_with(const gradus_nadam *config,
                                          const gradus_transforms *transforms,
                                          size_t n,
                                          float *params,
                                          const float *grads,
                                          uint16_t *state,
                                          gradus_clock *clock);

// gradus_nadam_begin() with a state in half the memory.
gradus_status gradus_nadam_half_begin(const gradus_nadam *config,
                                      size_t n,
                                      float *params,
                                      uint16_t *state,
                                      gradus_clock *clock,
                                      gradus_step *step);

// gradus_nadam_begin_with() with a state in half the memory.
gradus_status gradus_nadam_half_begin_with(const gradus_nadam *config,
                                           const gradus_transforms *transforms,
                                           const gradus_transforms *biases,
                                           size_t n,
                                           float *params,
                                           uint16_t *state,
                                           gradus_clock *clock,
                                           gradus_step *step);

// gradus_nadam_step_tensors() of states in half the memory.
gradus_status gradus_nadam_half_step_tensors(const gradus_nadam *config,
                                             const gradus_half_tensor *tensors,
                                             size_t count,
                                             gradus_clock *clock);

// A state of gradus_nadam, and of no other optimizer.
typedef struct gradus_nadam_state {
  float *columns;
  gradus_clock *clock;
} gradus_nadam_state;

// gradus_nadam_step() with a state of its own type.
static inline gradus_status gradus_nadam_update(const gradus_nadam *config, size_t n, float *params,
                                                 const float *grads, gradus_nadam_state state) {
  return gradus_nadam_step(config, n, params, grads, state.columns, state.clock);
}

// RAdam (Liu et al., 2020): Adam that takes plain momentum steps until its second moment is worth dividing by.
//
// ```text
// m, v as Adam                                  c1 = 1 - beta1^t, c2 = 1 - beta2^t
// n = 2 / (1 - beta2) - 1                       length of the running average
// n(t) = n - 2 * t * beta2^t / c2               the part of it that is filled
// r = sqrt((n(t) - 4) * (n(t) - 2) * n / ((n - 4) * (n - 2) * n(t)))
// p -= lr * r * (m / c1) * sqrt(c2) / (sqrt(v) + eps)        where n(t) > 5
// p -= lr * (m / c1)                                         before
// ```
//
// State: `m`, `v`. The stabiliser stands where PyTorch puts it for this rule, outside of the root before its
// correction (GRADUS_EPSILON_HAT). With the default `beta2` the first five steps are plain. `r` is formed once a step
// in `f64`, since `n(t)` is a small difference of large numbers; an FPU of single precision computes that in software.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9 by default.
  double beta1;
  // Decay of the second moment; 0.999 by default.
  double beta2;
  // Stabiliser of the denominator; 1e-8 outside of the uncorrected root by default.
  gradus_epsilon eps;
} gradus_radam;

// Columns of state of gradus_radam: floats per parameter.
#define GRADUS_RADAM_COLUMNS 2

// The state of gradus_radam in a file: gradus_item.kind.
#define GRADUS_ITEM_RADAM 31

#define GRADUS_RADAM(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, {GRADUS_EPSILON_HAT, 1e-8f, 0.0f}}

// RAdam with its defaults, for a place where the initialiser GRADUS_RADAM(lr) cannot stand.
gradus_radam gradus_radam_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_radam_check(const gradus_radam *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_radam_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_radam_check_with(const gradus_radam *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of RAdam. State: `m`, `v`.
gradus_status gradus_radam_step(const gradus_radam *config,
                                size_t n,
                                float *params,
                                const float *grads,
                                float *state,
                                gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_radam_step_with(const gradus_radam *config,
                                     const gradus_transforms *transforms,
                                     size_t n,
                                     float *params,
                                     const float *grads,
                                     float *state,
                                     gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_radam_step_if_finite(const gradus_radam *config,
                                          size_t n,
                                          float *params,
                                          const float *grads,
                                          float *state,
                                          gradus_clock *clock,
                                          size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_radam_step_tensors(const gradus_radam *config,
                                        const gradus_tensor *tensors,
                                        size_t count,
                                        gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_radam_begin(const gradus_radam *config,
                                 size_t n,
                                 float *params,
                                 float *state,
                                 gradus_clock *clock,
                                 gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_radam_begin_with(const gradus_radam *config,
                                      const gradus_transforms *transforms,
                                      const gradus_transforms *biases,
                                      size_t n,
                                      float *params,
                                      float *state,
                                      gradus_clock *clock,
                                      gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_radam_step().
gradus_status gradus_radam_half_step(const gradus_radam *config,
                                     size_t n,
                                     float *params,
                                     const float *grads,
                                     uint16_t *state,
                                     gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_radam_half_step_with(const gradus_radam *config,
                                          const gradus_transforms *transforms,
                                          size_t n,
                                          float *params,
                                          const float *grads,
                                          uint16_t *state,
                                          gradus_clock *clock);

// gradus_radam_begin() with a state in half the memory.
gradus_status gradus_radam_half_begin(const gradus_radam *config,
                                      size_t n,
                                      float *params,
                                      uint16_t *state,
                                      gradus_clock *clock,
                                      gradus_step *step);

// gradus_radam_begin_with() with a state in half the memory.
gradus_status gradus_radam_half_begin_with(const gradus_radam *config,
                                           const gradus_transforms *transforms,
                                           const gradus_transforms *biases,
                                           size_t n,
                                           float *params,
                                           uint16_t *state,
                                           gradus_clock *clock,
                                           gradus_step *step);

// gradus_radam_step_tensors() of states in half the memory.
gradus_status gradus_radam_half_step_tensors(const gradus_radam *config,
                                             const gradus_half_tensor *tensors,
                                             size_t count,
                                             gradus_clock *clock);

// A state of gradus_radam, and of no other optimizer.
typedef struct gradus_radam_state {
  float *columns;
  gradus_clock *clock;
} gradus_radam_state;

// gradus_radam_step() with a state of its own type.
static inline gradus_status gradus_radam_update(const gradus_radam *config, size_t n, float *params,
                                                 const float *grads, gradus_radam_state state) {
  return gradus_radam_step(config, n, params, grads, state.columns, state.clock);
}

// Lion (Chen et al., 2023): the sign of a momentum, with decoupled decay; half of Adam's memory.
//
// ```text
// u = sign(beta1 * m + (1 - beta1) * g)        sign(0) = 0
// p -= lr * (u + weight_decay * p)
// m = m + (1 - beta2) * (g - m)
// ```
//
// State: `m`. A learning rate three to ten times below Adam's is usual.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the momentum in the direction; 0.9 by default.
  double beta1;
  // Decay of the momentum; 0.99 by default.
  double beta2;
  // Share of a weight that decays per step and unit of learning rate; 1e-3 by default.
  float weight_decay;
} gradus_lion;

// Columns of state of gradus_lion: floats per parameter.
#define GRADUS_LION_COLUMNS 1

// The state of gradus_lion in a file: gradus_item.kind.
#define GRADUS_ITEM_LION 32

#define GRADUS_LION(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.99, 0.001f}

// Lion with its defaults, for a place where the initialiser GRADUS_LION(lr) cannot stand.
gradus_lion gradus_lion_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_WEIGHT_DECAY;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_lion_check(const gradus_lion *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_lion_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_lion_check_with(const gradus_lion *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of Lion. State: `m`.
gradus_status gradus_lion_step(const gradus_lion *config,
                               size_t n,
                               float *params,
                               const float *grads,
                               float *state,
                               gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_lion_step_with(const gradus_lion *config,
                                    const gradus_transforms *transforms,
                                    size_t n,
                                    float *params,
                                    const float *grads,
                                    float *state,
                                    gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_lion_step_if_finite(const gradus_lion *config,
                                         size_t n,
                                         float *params,
                                         const float *grads,
                                         float *state,
                                         gradus_clock *clock,
                                         size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_lion_step_tensors(const gradus_lion *config,
                                       const gradus_tensor *tensors,
                                       size_t count,
                                       gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_lion_begin(const gradus_lion *config,
                                size_t n,
                                float *params,
                                float *state,
                                gradus_clock *clock,
                                gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_lion_begin_with(const gradus_lion *config,
                                     const gradus_transforms *transforms,
                                     const gradus_transforms *biases,
                                     size_t n,
                                     float *params,
                                     float *state,
                                     gradus_clock *clock,
                                     gradus_step *step);

// The same step of a state in half the memory: bfloat16, rounded with a dither that is right on average.
//
// `state` has as many columns of `n` uint16_t. Its first step has the bits of gradus_lion_step().
gradus_status gradus_lion_half_step(const gradus_lion *config,
                                    size_t n,
                                    float *params,
                                    const float *grads,
                                    uint16_t *state,
                                    gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_lion_half_step_with(const gradus_lion *config,
                                         const gradus_transforms *transforms,
                                         size_t n,
                                         float *params,
                                         const float *grads,
                                         uint16_t *state,
                                         gradus_clock *clock);

// gradus_lion_begin() with a state in half the memory.
gradus_status gradus_lion_half_begin(const gradus_lion *config,
                                     size_t n,
                                     float *params,
                                     uint16_t *state,
                                     gradus_clock *clock,
                                     gradus_step *step);

// gradus_lion_begin_with() with a state in half the memory.
gradus_status gradus_lion_half_begin_with(const gradus_lion *config,
                                          const gradus_transforms *transforms,
                                          const gradus_transforms *biases,
                                          size_t n,
                                          float *params,
                                          uint16_t *state,
                                          gradus_clock *clock,
                                          gradus_step *step);

// gradus_lion_step_tensors() of states in half the memory.
gradus_status gradus_lion_half_step_tensors(const gradus_lion *config,
                                            const gradus_half_tensor *tensors,
                                            size_t count,
                                            gradus_clock *clock);

// A state of gradus_lion, and of no other optimizer.
typedef struct gradus_lion_state {
  float *columns;
  gradus_clock *clock;
} gradus_lion_state;

// gradus_lion_step() with a state of its own type.
static inline gradus_status gradus_lion_update(const gradus_lion *config, size_t n, float *params,
                                                 const float *grads, gradus_lion_state state) {
  return gradus_lion_step(config, n, params, grads, state.columns, state.clock);
}

// Schedule-free AdamW (Defazio et al., 2024): an average of the weights in place of a falling learning rate.
//
// ```text
// v = beta2 * v + (1 - beta2) * g * g                     g: the gradient at y
// u = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * y
// z = z - lr * u                                          the fast weights
// x = (1 - c) * x + c * z        c = lr^2 / (lr_1^2 + .. + lr_t^2)
// y = (1 - beta1) * z + beta1 * x
// ```
//
// The parameters of a step are `y`; those to evaluate and to deploy are `x`, which `average` makes of
// them.
//
// State: `d`, `v`. The distance `d = y - z` is 0 at the start; the clock carries the mean of `lr^2`. In these terms a step is
//
// ```text
// y = y - (c * d + lr * (1 - beta1 * (1 - c)) * u)
// d = (1 - c) * (d + lr * beta1 * u)
// x = y + (1 / beta1 - 1) * d
// ```
//
// It takes a constant rate, after a `WarmUp`, whose small rates weigh little in the average. The
// run may end at any step. The weight decay is its own: a transform `Decay` would shrink
// `y`, `z` and the average alike, which is more. Batch normalisation keeps statistics of `y`: take them anew for `x`.
//
// It has no state in half the memory: late in a run `d` changes by less than the last digit of a `Bf16` in
// every step, and forgets what rounding adds only as slowly, by `1 / t`; after 100 000 steps of a noisy quadratic the average's loss was 1.2 times as large.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the average in the point where gradients are taken, at least 2^-32; 0.9 by default. The distance that the
  // state keeps is in its measure: it stays what it is in a run.
  double beta1;
  // Decay of the second moment; 0.999 by default.
  double beta2;
  // Stabiliser of the denominator; 1e-8 outside of the root by default.
  gradus_epsilon eps;
  // Share of a weight that decays per step and unit of learning rate; 0 by default.
  float weight_decay;
} gradus_schedulefree;

// Columns of state of gradus_schedulefree: floats per parameter.
#define GRADUS_SCHEDULEFREE_COLUMNS 2

// The state of gradus_schedulefree in a file: gradus_item.kind.
#define GRADUS_ITEM_SCHEDULEFREE 33

#define GRADUS_SCHEDULEFREE(lr) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.9, 0.999, {GRADUS_EPSILON_OUTSIDE, 1e-8f, 0.0f}, 0.0f}

// ScheduleFree with its defaults, for a place where the initialiser GRADUS_SCHEDULEFREE(lr) cannot stand.
gradus_schedulefree gradus_schedulefree_default(float lr);

// Whether every hyper-parameter of `config` is in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2, GRADUS_ERROR_EPSILON,
// GRADUS_ERROR_WEIGHT_DECAY;
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_schedulefree_check(const gradus_schedulefree *config);

// The same, and whether every one of the transforms is in its range.
//
// Errors: those of gradus_schedulefree_check(), GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY.
gradus_status gradus_schedulefree_check_with(const gradus_schedulefree *config, const gradus_transforms *transforms);

// Updates `n` parameters by one step of ScheduleFree. State: `d`, `v`.
gradus_status gradus_schedulefree_step(const gradus_schedulefree *config,
                                       size_t n,
                                       float *params,
                                       const float *grads,
                                       float *state,
                                       gradus_clock *clock);

// The same step with transforms of gradients and parameters, in one pass over memory.
gradus_status gradus_schedulefree_step_with(const gradus_schedulefree *config,
                                            const gradus_transforms *transforms,
                                            size_t n,
                                            float *params,
                                            const float *grads,
                                            float *state,
                                            gradus_clock *clock);

// The same step if every gradient is finite, and its square where the rule forms it; else it is skipped, with GRADUS_OK.
// `count`: how many are not.
gradus_status gradus_schedulefree_step_if_finite(const gradus_schedulefree *config,
                                                 size_t n,
                                                 float *params,
                                                 const float *grads,
                                                 float *state,
                                                 gradus_clock *clock,
                                                 size_t *count);

// Updates `count` tensors by one step, by one clock for all, or by each tensor's own where `clock` is null.
gradus_status gradus_schedulefree_step_tensors(const gradus_schedulefree *config,
                                               const gradus_tensor *tensors,
                                               size_t count,
                                               gradus_clock *clock);

// Begins a step that layers take, each for its own parameters: see gradus_dense_backward_step(). The clock goes on by one.
gradus_status gradus_schedulefree_begin(const gradus_schedulefree *config,
                                        size_t n,
                                        float *params,
                                        float *state,
                                        gradus_clock *clock,
                                        gradus_step *step);

// The same with transforms, and with others for `biases`; where that pointer is null they have those of the weights.
gradus_status gradus_schedulefree_begin_with(const gradus_schedulefree *config,
                                             const gradus_transforms *transforms,
                                             const gradus_transforms *biases,
                                             size_t n,
                                             float *params,
                                             float *state,
                                             gradus_clock *clock,
                                             gradus_step *step);

// A state of gradus_schedulefree, and of no other optimizer.
typedef struct gradus_schedulefree_state {
  float *columns;
  gradus_clock *clock;
} gradus_schedulefree_state;

// gradus_schedulefree_step() with a state of its own type.
static inline gradus_status gradus_schedulefree_update(const gradus_schedulefree *config, size_t n, float *params,
                                                 const float *grads, gradus_schedulefree_state state) {
  return gradus_schedulefree_step(config, n, params, grads, state.columns, state.clock);
}

// Calls X(name, NAME) for every optimizer: in text that is the same for all of them.
#define GRADUS_OPTIMIZERS(X) \
  X(adam, ADAM) \
  X(sgd, SGD) \
  X(momentum, MOMENTUM) \
  X(nesterov, NESTEROV) \
  X(adagrad, ADAGRAD) \
  X(adadelta, ADADELTA) \
  X(rmsprop, RMSPROP) \
  X(centered_rmsprop, CENTERED_RMSPROP) \
  X(rmsprop_momentum, RMSPROP_MOMENTUM) \
  X(centered_rmsprop_momentum, CENTERED_RMSPROP_MOMENTUM) \
  X(adamw, ADAMW) \
  X(adamax, ADAMAX) \
  X(amsgrad, AMSGRAD) \
  X(nadam, NADAM) \
  X(radam, RADAM) \
  X(lion, LION) \
  X(schedulefree, SCHEDULEFREE)

// Calls X(name, NAME) for every optimizer that has states in half the memory.
#define GRADUS_HALF_OPTIMIZERS(X) \
  X(adam, ADAM) \
  X(momentum, MOMENTUM) \
  X(nesterov, NESTEROV) \
  X(adagrad, ADAGRAD) \
  X(adadelta, ADADELTA) \
  X(rmsprop, RMSPROP) \
  X(centered_rmsprop, CENTERED_RMSPROP) \
  X(rmsprop_momentum, RMSPROP_MOMENTUM) \
  X(centered_rmsprop_momentum, CENTERED_RMSPROP_MOMENTUM) \
  X(adamw, ADAMW) \
  X(adamax, ADAMAX) \
  X(nadam, NADAM) \
  X(radam, RADAM) \
  X(lion, LION)

/* ---- Sums, in one fixed order on every target ---- */

// Writes the Euclidean norm of the `n` floats of `x` to `result`.
//
// Without overflow or underflow on the way.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_l2_norm(size_t n, const float *x, float *result);

// Writes the sum of the absolute values of the `n` floats of `x` to `result`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_sum_abs(size_t n, const float *x, float *result);

// Writes the largest absolute value of the `n` floats of `x` to `result`.
//
// That is 0 of nothing; NaN is passed over.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_max_abs(size_t n, const float *x, float *result);

// Writes how many of the `n` floats of `x` are infinite or NaN to `result`.
//
// Skip a step of whose gradients any is.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_count_non_finite(size_t n, const float *x, size_t *result);

// Writes the sum of `x[i] * y[i]` over the `n` floats of each to `result`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_dot(size_t n, const float *x, const float *y, float *result);

/* ---- Random numbers, and first weights of them ---- */

// A generator of random numbers, xoshiro128++ (Blackman and Vigna, 2021); `= {0}` is the one of seed 0.
typedef struct {
  // Its state.
  uint32_t state[4];
} gradus_random;

// Begins the numbers of `seed` in `random`: the same ones as Xoshiro128PlusPlus::seed_from_u64() in Rust.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
gradus_status gradus_random_seed(gradus_random *random, uint64_t seed);

// Fills the `n` elements of `words` with 32 random bits each, from `random`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_random_words(gradus_random *random, size_t n, uint32_t *words);

// Fills the `n` floats of `weights` with uniform numbers from `low` to `high`, which is left out, from `random`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_init_uniform(gradus_random *random, float low, float high, size_t n, float *weights);

// Fills the `n` floats of `weights` with normal numbers of this mean and deviation, from `random`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_init_normal(gradus_random *random, float mean, float deviation, size_t n, float *weights);

// Fills the `n` floats of `weights` with uniform numbers of variance 2 / fan_in, for rectifiers (He et al., 2015), from
// `random`. `fan_in` is how many weights lead to an output.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_init_he_uniform(gradus_random *random,
                                     size_t fan_in,
                                     size_t n,
                                     float *weights);

// As gradus_init_he_uniform(), with normal numbers.
gradus_status gradus_init_he_normal(gradus_random *random, size_t fan_in, size_t n, float *weights);

// Fills the `n` floats of `weights` with uniform numbers of variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot
// and Bengio, 2010), from `random`. `fan_out` is how many weights an input leads to.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_init_glorot_uniform(gradus_random *random,
                                         size_t fan_in,
                                         size_t fan_out,
                                         size_t n,
                                         float *weights);

// As gradus_init_glorot_uniform(), with normal numbers.
gradus_status gradus_init_glorot_normal(gradus_random *random,
                                        size_t fan_in,
                                        size_t fan_out,
                                        size_t n,
                                        float *weights);

// Fills the `n` floats of `weights` with uniform numbers of variance 1 / fan_in (LeCun et al., 1998), from `random`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_init_lecun_uniform(gradus_random *random, size_t fan_in, size_t n, float *weights);

// As gradus_init_lecun_uniform(), with normal numbers.
gradus_status gradus_init_lecun_normal(gradus_random *random, size_t fan_in, size_t n, float *weights);

/* ---- Layers, activations and losses ---- */

// Writes the outputs of a dense layer, `y = x W + b`, for `samples` samples.
//
// `params` are `outputs` biases and, for each input, a row of `outputs` weights; `x` has `samples * inputs` floats, `y`
// `samples * outputs`.
//
// Errors: GRADUS_ERROR_SHAPE without inputs or outputs, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_dense_forward(size_t inputs,
                                   size_t outputs,
                                   size_t samples,
                                   const float *params,
                                   const float *x,
                                   float *y);

// Adds the gradients of a dense layer to `grads`, and writes that of its inputs to `dx`, which may be null.
//
// `x` is what the forward pass read, `dy` the gradient of what it wrote; `grads` has as many floats as `params`, `dx` as
// `x`. All other sizes are those of gradus_dense_forward().
//
// Errors: those of gradus_dense_forward().
gradus_status gradus_dense_backward(size_t inputs,
                                    size_t outputs,
                                    size_t samples,
                                    const float *params,
                                    float *grads,
                                    const float *x,
                                    const float *dy,
                                    float *dx);

// Writes the gradient of a dense layer's inputs alone: the way back through a layer that does not learn.
//
// `params`, `dy` and `dx` are those of gradus_dense_backward(), and so are the bits of `dx`.
//
// Errors: those of gradus_dense_forward().
gradus_status gradus_dense_backward_input(size_t inputs,
                                          size_t outputs,
                                          size_t samples,
                                          const float *params,
                                          const float *dy,
                                          float *dx);

// gradus_dense_backward() in which an optimizer acts on the gradients at once, so that no array of them exists.
//
// The layer's parameters are those of `step` from element `at` on; `x`, `dy` and `dx` are as above, and `dx` comes of the
// parameters before the step. Begin a step once for all layers, and let each take it once. The bits are those of
// gradus_dense_backward() to zeros, and a step.
//
// ```text
// gradus_step step;
// status = gradus_adam_begin(&adam, N, params, state, &clock, &step);
// status = gradus_dense_backward_step(32, 10, samples, &step, SECOND, h, dy, dh);
// status = gradus_relu_backward(samples * 32, dh, h);
// status = gradus_dense_backward_step(64, 32, samples, &step, 0, x, dh, NULL);
// ```
//
// Errors: those of gradus_dense_forward(), GRADUS_ERROR_VERSION if the step was not begun; GRADUS_ERROR_LENGTH also where
// it has fewer parameters.
gradus_status gradus_dense_backward_step(size_t inputs,
                                         size_t outputs,
                                         size_t samples,
                                         const gradus_step *step,
                                         size_t at,
                                         const float *x,
                                         const float *dy,
                                         float *dx);

// gradus_dense_backward() to sums in half the memory: `grads` are bfloat16, rounded with a dither that is right on
// average. gradus_step_half_grads() takes the step; then zeros begin the next sum.
//
// `params`, `x`, `dy` and `dx` are those of gradus_dense_backward(), `grads` as many uint16_t as `params`.
// `pass` is the running number of backward passes, from 1 on, over the whole training: a number that began anew with each
// batch would repeat the errors of the last. `first` is the place of the layer's first sum among those of all layers.
//
// Errors: those of gradus_dense_forward().
gradus_status gradus_dense_backward_half(size_t inputs,
                                         size_t outputs,
                                         size_t samples,
                                         const float *params,
                                         uint16_t *grads,
                                         uint32_t pass,
                                         uint32_t first,
                                         const float *x,
                                         const float *dy,
                                         float *dx);

// Takes an optimizer's step of the biases of a layer alone; its weights stay.
//
// The `outputs` biases of any layer (`filters` of a convolution) are the parameters of `step` from element `at` on; `dy`
// is the gradient of what the layer wrote, `samples` rows of `outputs` floats, for a convolution a row for each place of
// each image. The way on to the layer before is gradus_dense_backward_input() or its kin, before the step.
//
// Errors: those of gradus_dense_backward_step().
gradus_status gradus_bias_step(size_t outputs,
                               size_t samples,
                               const gradus_step *step,
                               size_t at,
                               const float *dy);

// Takes the step with sums of gradients in half the memory, `grads`: as many uint16_t as `step` has parameters, which
// gradus_dense_backward_half() and its kin have added up. Transforms of weights act on all of them.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_step_half_grads(const gradus_step *step, const uint16_t *grads);

// A convolution over images that lie row by row, column by column, channel by channel.
//
// A signal is an image of one row. The image that it writes has (side + 2 * padding - kernel) / stride + 1 places on a
// side, rounded down, and `filters` channels. Parameters: a bias for each filter, then the weights
// `[kernel row][kernel column][input channel][filter]`.
typedef struct {
  // Height, width and channels of an image that it reads.
  size_t input[3];
  // Channels of an image that it writes.
  size_t filters;
  // Height and width of the kernel: 1 to 11.
  size_t kernel[2];
  // Places between two windows, vertical and horizontal: 1 or more.
  size_t stride[2];
  // Zeros on each side, vertical and horizontal: fewer than the kernel has places.
  size_t padding[2];
} gradus_conv2d;

// A convolution with a kernel for each channel: channels do not mix.
//
// The image that it writes has (side + 2 * padding - kernel) / stride + 1 places on a side, rounded down, and as many
// channels as the one that it reads. Parameters: a bias for each channel, then the weights
// `[kernel row][kernel column][channel]`.
typedef struct {
  // Height, width and channels of an image that it reads.
  size_t input[3];
  // Height and width of the kernel: 1 to 11.
  size_t kernel[2];
  // Places between two windows, vertical and horizontal: 1 or more.
  size_t stride[2];
  // Zeros on each side, vertical and horizontal: fewer than the kernel has places.
  size_t padding[2];
} gradus_depthwise_conv2d;

// Largest values of images over windows, side by side or `stride` places apart.
typedef struct {
  // Height, width and channels of an image that it reads.
  size_t input[3];
  // Height and width of a window.
  size_t window[2];
  // Places between two windows, vertical and horizontal: 1 or more.
  size_t stride[2];
  // Places around the image that windows may cover: fewer than a window has.
  size_t padding[2];
} gradus_max_pool2d;

// Means of images over windows, side by side or `stride` places apart; padding does not count.
typedef struct {
  // Height, width and channels of an image that it reads.
  size_t input[3];
  // Height and width of a window.
  size_t window[2];
  // Places between two windows, vertical and horizontal: 1 or more.
  size_t stride[2];
  // Places around the image that windows may cover: fewer than a window has.
  size_t padding[2];
} gradus_average_pool2d;

// Writes how many parameters the convolution `layer` has to `params`, and how many floats of an image it writes to
// `outputs`.
//
// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_conv2d_sizes(const gradus_conv2d *layer, size_t *params, size_t *outputs);

// Writes the convolutions of `samples` images. `params`, `x` and `y` are as long as the sizes of `layer` say.
//
// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_conv2d_forward(const gradus_conv2d *layer,
                                    size_t samples,
                                    const float *params,
                                    const float *x,
                                    float *y);

// Adds the gradients of a convolution to `grads`, and writes that of the images to `dx`, which may be null.
//
// `params`, `x` and `dy` are what the forward pass had, `dy` the gradient of what it wrote; `grads` is as long as
// `params`.
//
// Errors: those of gradus_conv2d_forward(). `layer` is read only.
gradus_status gradus_conv2d_backward(const gradus_conv2d *layer,
                                     size_t samples,
                                     const float *params,
                                     float *grads,
                                     const float *x,
                                     const float *dy,
                                     float *dx);

// Writes the gradient of the images alone: see gradus_dense_backward_input().
//
// `layer`, `params`, `dy` and `dx` are those of gradus_conv2d_backward().
//
// Errors: those of gradus_conv2d_forward().
gradus_status gradus_conv2d_backward_input(const gradus_conv2d *layer,
                                           size_t samples,
                                           const float *params,
                                           const float *dy,
                                           float *dx);

// gradus_conv2d_backward() in which an optimizer acts on the gradients at once: see gradus_dense_backward_step().
//
// The parameters of `layer` are those of `step` from element `at` on; `x`, `dy` and `dx` are as above.
//
// Errors: those of gradus_dense_backward_step(), GRADUS_ERROR_SHAPE as above.
gradus_status gradus_conv2d_backward_step(const gradus_conv2d *layer,
                                          size_t samples,
                                          const gradus_step *step,
                                          size_t at,
                                          const float *x,
                                          const float *dy,
                                          float *dx);

// gradus_conv2d_backward() to sums in half the memory: see gradus_dense_backward_half().
//
// `grads` are as many uint16_t as `layer` has `params`; `x`, `dy` and `dx` are as above.
//
// Errors: those of gradus_conv2d_forward().
gradus_status gradus_conv2d_backward_half(const gradus_conv2d *layer,
                                          size_t samples,
                                          const float *params,
                                          uint16_t *grads,
                                          uint32_t pass,
                                          uint32_t first,
                                          const float *x,
                                          const float *dy,
                                          float *dx);

// Writes how many parameters the depthwise convolution `layer` has to `params`, and how many floats of an image it
// writes to `outputs`.
//
// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_depthwise_conv2d_sizes(const gradus_depthwise_conv2d *layer, size_t *params, size_t *outputs);

// Writes the depthwise convolutions of `samples` images. `params`, `x` and `y` are as long as the sizes of `layer` say.
//
// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_depthwise_conv2d_forward(const gradus_depthwise_conv2d *layer,
                                              size_t samples,
                                              const float *params,
                                              const float *x,
                                              float *y);

// Adds the gradients of a depthwise convolution to `grads`, and writes that of the images to `dx`, which may be null.
//
// `params`, `x` and `dy` are what the forward pass had, `dy` the gradient of what it wrote; `grads` is as long as
// `params`.
//
// Errors: those of gradus_depthwise_conv2d_forward(). `layer` is read only.
gradus_status gradus_depthwise_conv2d_backward(const gradus_depthwise_conv2d *layer,
                                               size_t samples,
                                               const float *params,
                                               float *grads,
                                               const float *x,
                                               const float *dy,
                                               float *dx);

// Writes the gradient of the images alone: see gradus_dense_backward_input().
//
// `layer`, `params`, `dy` and `dx` are those of gradus_depthwise_conv2d_backward().
//
// Errors: those of gradus_depthwise_conv2d_forward().
gradus_status gradus_depthwise_conv2d_backward_input(const gradus_depthwise_conv2d *layer,
                                                     size_t samples,
                                                     const float *params,
                                                     const float *dy,
                                                     float *dx);

// gradus_depthwise_conv2d_backward() in which an optimizer acts on the gradients at once: see gradus_dense_backward_step().
//
// The parameters of `layer` are those of `step` from element `at` on; `x`, `dy` and `dx` are as above.
//
// Errors: those of gradus_dense_backward_step(), GRADUS_ERROR_SHAPE as above.
gradus_status gradus_depthwise_conv2d_backward_step(const gradus_depthwise_conv2d *layer,
                                                    size_t samples,
                                                    const gradus_step *step,
                                                    size_t at,
                                                    const float *x,
                                                    const float *dy,
                                                    float *dx);

// gradus_depthwise_conv2d_backward() to sums in half the memory: see gradus_dense_backward_half().
//
// `grads` are as many uint16_t as `layer` has `params`; `x`, `dy` and `dx` are as above.
//
// Errors: those of gradus_depthwise_conv2d_forward().
gradus_status gradus_depthwise_conv2d_backward_half(const gradus_depthwise_conv2d *layer,
                                                    size_t samples,
                                                    const float *params,
                                                    uint16_t *grads,
                                                    uint32_t pass,
                                                    uint32_t first,
                                                    const float *x,
                                                    const float *dy,
                                                    float *dx);

// Writes the largest values of the windows of `samples` images `x` to `y`. `layer` says how many floats both have.
//
// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_max_pool2d_forward(const gradus_max_pool2d *layer, size_t samples, const float *x, float *y);

// Writes the gradient of the images to `dx`, given what the forward pass of `layer` read, `x`, and wrote, `y`, and the
// gradient `dy` of that.
//
// Errors: those of gradus_max_pool2d_forward().
gradus_status gradus_max_pool2d_backward(const gradus_max_pool2d *layer,
                                         size_t samples,
                                         const float *x,
                                         const float *y,
                                         const float *dy,
                                         float *dx);

// Writes the means of the windows of `samples` images `x` to `y`. `layer` says how many floats both have.
//
// Errors: GRADUS_ERROR_SHAPE if its sizes do not fit each other, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_average_pool2d_forward(const gradus_average_pool2d *layer,
                                            size_t samples,
                                            const float *x,
                                            float *y);

// Writes the gradient of the images to `dx`, given the gradient `dy` of what the forward pass of `layer` wrote.
//
// Errors: those of gradus_average_pool2d_forward().
gradus_status gradus_average_pool2d_backward(const gradus_average_pool2d *layer,
                                             size_t samples,
                                             const float *dy,
                                             float *dx);

// Adds a branch that went around some layers: `y += x`, `n` floats each. Its backward pass is `dx += dy`, the same call.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_residual_add(size_t n,
                                  float *y,
                                  const float *x);

// Puts the `n` floats of `x` through the activation relu, in place: `max(0, x)`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
gradus_status gradus_relu(size_t n, float *x);

// Turns the gradient `dy` of the `n` floats `y` that gradus_relu() made into that of what it read, in place.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_relu_backward(size_t n, float *dy, const float *y);

// Puts the `n` floats of `x` through the activation leaky relu, in place: x where it is positive, `slope * x` elsewhere.
//
// `slope` is finite and at least 0: of a negative one gradus_leaky_relu_backward() would be wrong. Of a slope of 0 negative
// infinity becomes NaN.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
gradus_status gradus_leaky_relu(float slope,
                                size_t n,
                                float *x);

// Turns the gradient `dy` of the `n` floats `y` that gradus_leaky_relu() made into that of what it read, in place.
//
// `slope` is at least 0. A negative one turns the sign of `y`, and the gradient is `dy` where `slope * dy` would be right.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_leaky_relu_backward(float slope,
                                         size_t n,
                                         float *dy,
                                         const float *y);

// Puts the `n` floats of `x` through the activation tanh, in place: `tanh(x)`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
gradus_status gradus_tanh(size_t n, float *x);

// Turns the gradient `dy` of the `n` floats `y` that gradus_tanh() made into that of what it read, in place.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_tanh_backward(size_t n, float *dy, const float *y);

// Puts the `n` floats of `x` through the activation sigmoid, in place: `1 / (1 + exp(-x))`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
gradus_status gradus_sigmoid(size_t n, float *x);

// Turns the gradient `dy` of the `n` floats `y` that gradus_sigmoid() made into that of what it read, in place.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_sigmoid_backward(size_t n, float *dy, const float *y);

// Turns each row of `classes` floats of the `n` of `scores` into probabilities, `exp(z) / sum exp(z)`.
//
// Errors: GRADUS_ERROR_SHAPE if that is no whole number of rows, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_softmax(size_t classes, size_t n, float *scores);

// Writes the cross entropy of `samples` rows of `classes` scores to `loss`: the mean of `-ln p[label]` of their softmax.
//
// `scores` become their own gradient, `(p - onehot(label)) / samples`. `labels` has a class for each sample. Of no samples
// the mean is NaN.
//
// Errors: GRADUS_ERROR_SHAPE if a label is no class, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_softmax_cross_entropy(size_t classes,
                                           size_t samples,
                                           float *scores,
                                           const uint16_t *labels,
                                           float *loss);

// Writes the mean binary cross entropy of the `n` logits `scores`, for `targets` between 0 and 1, to `loss`.
//
// `scores` become their own gradient, `(sigmoid(z) - t) / n`. Of no scores the mean is NaN.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_binary_cross_entropy(size_t n, float *scores, const float *targets, float *loss);

// Writes the mean square of what separates the `n` predictions `scores` from `targets`, to `loss`.
//
// `scores` become their own gradient, `2 (z - t) / n`. Of no predictions the mean is NaN.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_mean_squared_error(size_t n, float *scores, const float *targets, float *loss);

// Writes the mean of Huber's loss of the `n` predictions `scores`: a square near the target, a line from `delta` on, to `loss`.
//
// `targets` has as many. `scores` become their own gradient, the difference within `delta`, over n. Of no predictions the
// mean is NaN.
//
// Errors: GRADUS_ERROR_LIMIT if `delta` is not positive, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_huber(float delta,
                           size_t n,
                           float *scores,
                           const float *targets,
                           float *loss);

/* ---- Schedules of the learning rate ---- */

#define GRADUS_STEP_DECAY(lr, gamma, every) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), GRADUS_CAST(double, gamma), GRADUS_CAST(uint32_t, every), 0, 0.0f}
#define GRADUS_MULTI_STEP(lr, gamma, milestones, count) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), GRADUS_CAST(double, gamma), (milestones), GRADUS_CAST(size_t, count), 0, 0.0f}
#define GRADUS_EXPONENTIAL(lr, k) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), GRADUS_FLOAT(k), 0, 0.0f}
#define GRADUS_INVERSE_TIME(lr, k) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), GRADUS_FLOAT(k), 0, 0.0f}
#define GRADUS_LINEAR(start, end, steps) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(start), GRADUS_FLOAT(end), GRADUS_CAST(uint32_t, steps), 0, 0.0f}
#define GRADUS_COSINE(lr, steps) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.0f, GRADUS_CAST(uint32_t, steps), 0, 0.0f}
#define GRADUS_WARM_RESTARTS(lr, first, mult) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.0f, GRADUS_CAST(uint32_t, first), GRADUS_CAST(uint32_t, mult), 0, 0.0f}
#define GRADUS_SNAPSHOT_CYCLE(lr, steps, cycles) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), GRADUS_CAST(uint32_t, steps), GRADUS_CAST(uint32_t, cycles), 0, 0.0f}
#define GRADUS_TRIANGULAR(min, max, up, down) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(min), GRADUS_FLOAT(max), GRADUS_CAST(uint32_t, up), GRADUS_CAST(uint32_t, down), \
   GRADUS_PEAKS_EQUAL, 0, 0, 0.0f}
#define GRADUS_ONE_CYCLE(max, steps) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(max) / 25.0f, GRADUS_FLOAT(max), GRADUS_FLOAT(max) / 25.0f / 1e4f, \
   GRADUS_CAST(uint32_t, steps), 0.3f, 0, GRADUS_ANNEAL_COSINE, 0, 0.0f}
#define GRADUS_INVERSE_SQRT(lr, shift) {GRADUS_STRUCTS, GRADUS_FLOAT(lr), GRADUS_CAST(uint32_t, shift), 0, 0.0f}
#define GRADUS_POLYNOMIAL(lr, steps, power) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.0f, GRADUS_CAST(uint32_t, steps), GRADUS_FLOAT(power), 0, 0.0f}
#define GRADUS_STABLE_DECAY(lr, stable, fall) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.0f, GRADUS_CAST(uint32_t, stable), GRADUS_CAST(uint32_t, fall), \
   GRADUS_ANNEAL_LINEAR, 0, 0.0f}
#define GRADUS_PLATEAU(lr) \
  {GRADUS_STRUCTS, GRADUS_FLOAT(lr), 0.1, 1e-4, GRADUS_THRESHOLD_RELATIVE, GRADUS_GOAL_MIN, 10, 0, 0.0f, 1e-8f}

// What [`Plateau`] remembers of the metrics: all zero bits at the start.
typedef struct {
  // The best metric, where there is one.
  float best;
  // How often a metric was the best one; 0: none yet.
  uint32_t improvements;
  // Metrics since the best one that were no better.
  uint32_t bad;
  // Metrics that are not counted any more as bad.
  uint32_t cooldown;
  // Falls of the rate.
  uint32_t falls;
} gradus_plateau_state;

// The metric of a plateau is to become small: a loss.
#define GRADUS_GOAL_MIN 0

// The metric of a plateau is to become large: an accuracy.
#define GRADUS_GOAL_MAX 1

// A metric is better by a share of the best one.
#define GRADUS_THRESHOLD_RELATIVE 0

// A metric is better by a difference.
#define GRADUS_THRESHOLD_ABSOLUTE 1

// The way from one rate to another: half a cosine wave.
#define GRADUS_ANNEAL_COSINE 0

// The way from one rate to another: a straight line.
#define GRADUS_ANNEAL_LINEAR 1

// The way from one rate to another: the square root of the part that has passed.
#define GRADUS_ANNEAL_ROOT 2

// The tops of triangles are equal.
#define GRADUS_PEAKS_EQUAL 0

// Each triangle is half as high as the last one.
#define GRADUS_PEAKS_HALVED 1

// The tops fall at every step by a factor gamma.
#define GRADUS_PEAKS_EXPONENTIAL 2

// Step decay: `lr * gamma^floor(step / every)`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start.
  float lr;
  // Factor of each change.
  double gamma;
  // Steps from one change to the next.
  uint32_t every;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_step_decay;

// Step decay at chosen steps: `lr * gamma^k`, `k` the number of milestones up to `step`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start.
  float lr;
  // Factor of each change.
  double gamma;
  // Steps from which on the rate has changed, in any order.
  const uint32_t *milestones;
  // How many.
  size_t count;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_multi_step;

// Exponential decay, or growth where `k` is below 0: `lr * e^(-k * step)`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start.
  float lr;
  // Decay per step.
  float k;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_exponential;

// Inverse-time decay: `lr / (1 + k * step)`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start.
  float lr;
  // Decay per step.
  float k;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_inverse_time;

// Inverse square root of time: `lr * sqrt(shift / (shift + step))` (Vaswani et al., 2017).
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start.
  float lr;
  // Steps after which the rate has fallen to lr / sqrt(2).
  uint32_t shift;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_inverse_sqrt;

// Straight line from `start` to `end` in `steps` steps, and `end` after them.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate of step 0.
  float start;
  // Learning rate from `steps` on.
  float end;
  // Steps from one to the other.
  uint32_t steps;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_linear;

// Polynomial decay: `end + (lr - end) * (1 - step / steps)^power`, and `end` after it.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate of step 0.
  float lr;
  // Learning rate from `steps` on; 0.
  float end;
  // Steps from one to the other.
  uint32_t steps;
  // Power of the part that is left.
  float power;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_polynomial;

// Half a cosine wave from `lr` to `min` in `steps` steps (Loshchilov and Hutter, 2017).
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate of step 0.
  float lr;
  // Learning rate from `steps` on.
  float min;
  // Steps from one to the other.
  uint32_t steps;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_cosine;

// Cosine waves with restarts, SGDR (Loshchilov and Hutter, 2017).
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at each restart.
  float lr;
  // Learning rate at the end of each wave.
  float min;
  // Steps of the first wave.
  uint32_t first;
  // Factor from the length of one wave to the next.
  uint32_t mult;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_warm_restarts;

// Cosine cycles of a snapshot ensemble (Huang et al., 2017).
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start of each cycle.
  float lr;
  // Steps of the whole run.
  uint32_t steps;
  // Cycles in it.
  uint32_t cycles;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_snapshot_cycle;

// The same rate, and a short fall at the end (Hu et al., 2024): with a warm-up, warm-up-stable-decay.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate before the fall.
  float lr;
  // Learning rate after the fall; 0.
  float end;
  // Steps before the fall.
  uint32_t stable;
  // Steps of the fall.
  uint32_t fall;
  // The way down: GRADUS_ANNEAL_LINEAR, GRADUS_ANNEAL_COSINE or GRADUS_ANNEAL_ROOT.
  uint32_t anneal;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_stable_decay;

// Up and down between two rates, again and again (Smith, 2017).
//
// With min and max exchanged it is the momentum that goes with such a rate.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the bottom.
  float min;
  // Learning rate at the top.
  float max;
  // Steps up.
  uint32_t up;
  // Steps down.
  uint32_t down;
  // How the tops change: GRADUS_PEAKS_EQUAL, GRADUS_PEAKS_HALVED or GRADUS_PEAKS_EXPONENTIAL.
  uint32_t peaks;
  // Factor of the tops at every step, at most 1, with GRADUS_PEAKS_EXPONENTIAL.
  double gamma;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_triangular;

// One cycle (Smith and Topin, 2018), as PyTorch's OneCycleLR.
//
// With 0.95 as start and end and 0.85 as max it is the momentum that goes with such a rate.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate of step 0; max / 25.
  float start;
  // Learning rate at the top.
  float max;
  // Learning rate of the last step, and of all after it; start / 10000.
  float end;
  // Steps of the whole run.
  uint32_t steps;
  // Share of the steps before the top; 0.3.
  float rise;
  // Whether the fall goes back to start as fast as it rose, and from there to end: 0, or 1 for yes.
  uint32_t three_phase;
  // The way from one rate to the next: GRADUS_ANNEAL_COSINE, GRADUS_ANNEAL_LINEAR or GRADUS_ANNEAL_ROOT.
  uint32_t anneal;
  // Steps of a linear warm-up before the schedule; 0 for none.
  uint32_t warm_up_steps;
  // Learning rate of step 0, if there is a warm-up.
  float warm_up_start;
} gradus_one_cycle;

// A rate that falls where a metric no longer improves, as PyTorch's ReduceLROnPlateau.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate at the start.
  float lr;
  // Factor of each fall, below 1; 0.1.
  double factor;
  // By how much a metric must be better to count; 1e-4.
  double threshold;
  // GRADUS_THRESHOLD_RELATIVE or GRADUS_THRESHOLD_ABSOLUTE.
  uint32_t threshold_mode;
  // GRADUS_GOAL_MIN or GRADUS_GOAL_MAX.
  uint32_t goal;
  // Metrics in a row that may be no better; 10.
  uint32_t patience;
  // Metrics after a fall that are not counted as bad; 0.
  uint32_t cooldown;
  // The rate does not fall below it; 0.
  float min;
  // Falls by no more than this do not take place; 1e-8.
  float eps;
} gradus_plateau;

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_step_decay_at(const gradus_step_decay *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_step_decay_check(const gradus_step_decay *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_multi_step_at(const gradus_multi_step *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_multi_step_check(const gradus_multi_step *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_exponential_at(const gradus_exponential *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_exponential_check(const gradus_exponential *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_time_at(const gradus_inverse_time *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_time_check(const gradus_inverse_time *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_sqrt_at(const gradus_inverse_sqrt *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_sqrt_check(const gradus_inverse_sqrt *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_linear_at(const gradus_linear *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_linear_check(const gradus_linear *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_polynomial_at(const gradus_polynomial *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_POWER,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_polynomial_check(const gradus_polynomial *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_cosine_at(const gradus_cosine *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_cosine_check(const gradus_cosine *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_warm_restarts_at(const gradus_warm_restarts *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_warm_restarts_check(const gradus_warm_restarts *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_snapshot_cycle_at(const gradus_snapshot_cycle *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_snapshot_cycle_check(const gradus_snapshot_cycle *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_stable_decay_at(const gradus_stable_decay *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_stable_decay_check(const gradus_stable_decay *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_triangular_at(const gradus_triangular *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_GAMMA, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_triangular_check(const gradus_triangular *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_one_cycle_at(const gradus_one_cycle *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_FRACTION, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_one_cycle_check(const gradus_one_cycle *schedule);

// Takes one more metric into `state`, zeros at the start, and writes the rate of the steps that follow, by `schedule`, to
// `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_plateau_update(const gradus_plateau *schedule,
                                    float metric,
                                    gradus_plateau_state *state,
                                    float *lr);

// Writes the rate of `state` under `schedule` to `lr`: after a restart, or before the first metric.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_plateau_lr(const gradus_plateau *schedule, const gradus_plateau_state *state, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_TOLERANCE, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_plateau_check(const gradus_plateau *schedule);

/* ---- Masks and dropout ---- */

#define GRADUS_MASK_WORDS(n) ((n) / 32 + ((n) % 32 != 0))

/*
 * Dropout by the probability to drop a unit, and by the probability to keep it, which is what the structure holds. Write
 * `drop_prob` as a double: 1.0 - 0.999f is 0.000999987, since the float is not 0.999.
 */
#define GRADUS_DROPOUT_DROP_PROB(drop_prob) {GRADUS_STRUCTS, GRADUS_FLOAT(1.0 - (drop_prob)), 0}
#define GRADUS_DROPOUT_KEEP_PROB(keep_prob) {GRADUS_STRUCTS, GRADUS_FLOAT(keep_prob), 0}

// Generator of masks; `= {0}` is the one of seed 0.
typedef struct {
  // Eight generators of xoshiro128++.
  uint32_t generators[8][4];
} gradus_masks;

// Dropout (Srivastava et al., 2014), and the probability of its relatives.
//
// ```text
//              training                        inference
// inverted     y = keep ? x / keep_prob : 0    y = x
// vanilla      y = keep ? x : 0                y = x * keep_prob
// ```
//
// A mask has one bit per element, GRADUS_MASK_WORDS(n) words of 32 bits; a bit of 1 keeps.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Probability that an element is kept.
  float keep_prob;
  // Whether to scale at inference instead of in training: 0, or 1 for yes.
  uint32_t vanilla;
} gradus_dropout;

// Makes `masks` a generator whose stream has nothing to do with that of another seed.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
gradus_status gradus_masks_seed(gradus_masks *masks, uint64_t seed);

// Fills `words` words of `mask` with bits of `masks`, each 1 with probability `keep_prob`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_masks_fill(gradus_masks *masks, float keep_prob, size_t words, uint32_t *mask);

// Whether the probability of `config` is one: ask once, before training.
//
// Errors: GRADUS_ERROR_PROBABILITY, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_check(const gradus_dropout *config);

// Training pass over the `n` floats of `x` in place, with a mask drawn on the way.
//
// A copy of `masks`, taken before, draws the same mask for the backward pass: the same call over
// the gradients.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_forward(const gradus_dropout *config, size_t n, float *x, gradus_masks *masks);

// Training pass over the `n` floats of `x` in place, with the caller's `mask`.
//
// `mask` has GRADUS_MASK_WORDS(n) words. The backward pass is the same call over the gradients.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_forward_mask(const gradus_dropout *config, size_t n, float *x, const uint32_t *mask);

// Training pass of the rectifier over the `n` floats of `x` in place, with a mask drawn on the
// way.
//
// The rectifier is max(0, x); `masks` draws what it draws for gradus_dropout_forward().
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_relu_forward(const gradus_dropout *config, size_t n, float *x, gradus_masks *masks);

// Training pass of the rectifier over the `n` floats of `x` in place, with the caller's `mask`.
//
// `mask` has GRADUS_MASK_WORDS(n) words.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_relu_forward_mask(const gradus_dropout *config,
                                               size_t n,
                                               float *x,
                                               const uint32_t *mask);

// Gradient of the rectifier's training pass in place, given its output `y`: no mask is needed.
//
// `grads` are `n` floats, those of the output and then those of the input; `y` has `n` floats.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_relu_backward(const gradus_dropout *config, size_t n, float *grads, const float *y);

// Pass of inference over the `n` floats of `x` in place; for stochastic depth too.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_inference(const gradus_dropout *config, size_t n, float *x);

// DropConnect (Wan et al., 2013): `y = W x` of one sample, in which weights are dropped.
//
// `w` has `outputs` rows of `inputs` weights, and `mask` as many rows of GRADUS_MASK_WORDS(inputs)
// words; `x` has `inputs` floats, `y` has `outputs`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropconnect_forward(const gradus_dropout *config,
                                         size_t inputs,
                                         size_t outputs,
                                         const float *w,
                                         const float *x,
                                         float *y,
                                         const uint32_t *mask);

// Adds the gradient of gradus_dropconnect_forward() with respect to the weights to `grad_w`.
//
// `grad_y` has `outputs` floats, `x` has `inputs`, and `grad_w` has `outputs` rows of `inputs`;
// `x` and `mask` are those of the forward pass.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropconnect_backward_weights(const gradus_dropout *config,
                                                  size_t inputs,
                                                  size_t outputs,
                                                  const float *grad_y,
                                                  const float *x,
                                                  float *grad_w,
                                                  const uint32_t *mask);

// Writes the gradient of gradus_dropconnect_forward() with respect to the input to `grad_x`.
//
// `grad_y` has `outputs` floats, `grad_x` has `inputs`; `w` and `mask` are those of the forward
// pass.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropconnect_backward_input(const gradus_dropout *config,
                                                size_t inputs,
                                                size_t outputs,
                                                const float *w,
                                                const float *grad_y,
                                                float *grad_x,
                                                const uint32_t *mask);

// The product of DropConnect at inference.
//
// `w` has `outputs` rows of `inputs` weights; `x` has `inputs` floats, `y` has `outputs`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropconnect_inference(const gradus_dropout *config,
                                           size_t inputs,
                                           size_t outputs,
                                           const float *w,
                                           const float *x,
                                           float *y);

// Stochastic depth (Huang et al., 2016): training pass over the branches of `samples` samples.
//
// `branch` has `n` floats, `mask` one bit for each sample; the same for the gradients. Fill the mask
// with gradus_masks_fill(), or all words with 0 or UINT32_MAX for one draw per batch.
//
// Errors: GRADUS_ERROR_SHAPE if `samples` does not divide `n`, GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_stochastic_depth_forward(const gradus_dropout *config,
                                              size_t n,
                                              float *branch,
                                              size_t samples,
                                              const uint32_t *mask);

// Adds the prediction of one pass to the average over masks; all three start as zeros.
//
// ```text
// d = y - mean;  mean += d / count;  m2 += d * (y - mean);  variance = m2 / (count - 1)
// ```
//
// `mean`, `m2` and the `prediction` y have `n` floats, `count` is one number.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_monte_carlo_add(size_t n, float *mean, float *m2, uint32_t *count, const float *prediction);

// Turns the `n` floats of `m2` into the variance of `count` passes; 0 for one pass.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
gradus_status gradus_monte_carlo_finish(size_t n, float *m2, uint32_t count);

// Writes the survival of block `block` of `blocks`, counted from 1, to `keep_prob`: the linear rule.
//
// The last block, and any that is past it, has the survival `last`.
//
// Errors: GRADUS_ERROR_PROBABILITY if `last` is none, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
gradus_status gradus_stochastic_depth_linear(uint32_t block, uint32_t blocks, float last, float *keep_prob);

/* ---- Batch, group and layer normalisation ---- */

#define GRADUS_BATCH_NORM {GRADUS_STRUCTS, 1e-5f, 0.9, 0}
#define GRADUS_GROUP_NORM(groups) {GRADUS_STRUCTS, 1e-5f, GRADUS_CAST(size_t, groups)}

// Columns of the running statistics: floats per channel.
#define GRADUS_BATCH_NORM_COLUMNS 2

// Batch normalisation (Ioffe and Szegedy, 2015).
//
// ```text
// training    near = first + sum (x - first) / n                         over batch and positions
//             mean = near + d                                            d = sum (x - near) / n
//             variance = sum (x - near)^2 / n - d^2                      first: the channel's first value
//             y = (x - mean) * (weight / sqrt(variance + eps)) + bias
//             running = running_decay * running + (1 - running_decay) * new, variance unbiased: n / (n - 1)
// inference   the same with the running statistics
// ```
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Stabiliser of the root; 1e-5.
  float eps;
  // Weight of the old running statistics, at most 1 - 2^-20; 0.9 (PyTorch's momentum is 0.1).
  double running_decay;
  // Whether the running variance takes the batch's by n, as Keras does; 0 is by n - 1, as PyTorch does.
  uint32_t track_biased;
} gradus_batch_norm;

// How activations lie in memory: batch x channels x spatial, the last one contiguous.
//
// Images lie channel by channel so, which gradus_conv2d_forward() does not write: its channels lie side by side (NHWC), and
// each position is a row of channels. Behind a convolution from `batch` images to `h` x `w` positions of `filters` channels:
//
// ```c
// gradus_batch_shape layout = {.batch = batch * h * w, .channels = filters, .spatial = 1};
// ```
//
// That is the right shape for batch normalisation. Group normalisation takes its groups from each position alone then: over
// all positions of such an image it is not offered.
typedef struct {
  // Samples.
  size_t batch;
  // Channels: the features of a dense layer, the maps of a convolution.
  size_t channels;
  // Positions in a channel of a sample: height x width, 1 after a dense layer.
  size_t spatial;
} gradus_batch_shape;

// Group normalisation (Wu and He, 2018), and layer normalisation (Ba et al., 2016): each sample by itself.
//
// ```text
// near = first + sum (x - first) / n                          over the channels of a group and their positions
// mean = near + d                                             d = sum (x - near) / n
// variance = sum (x - near)^2 / n - d^2
// y = (x - mean) * (1 / sqrt(variance + eps)) * weight + bias
// ```
//
// Layer normalisation over rows of features is that of one group: `batch` rows, `channels` features, `spatial` 1.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Stabiliser of the root; 1e-5.
  float eps;
  // Groups of channels; it divides their number.
  size_t groups;
} gradus_group_norm;

// Whether the hyper-parameters of `config` lie in their ranges: ask once, before training.
//
// Errors: GRADUS_ERROR_EPSILON, GRADUS_ERROR_RHO, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_check(const gradus_batch_norm *config);

// Training pass: writes `y`, and the batch's `mean` and biased `variance`, which the backward pass needs.
//
// `x` and `y` are tensors of the shape `layout`; `weight`, `bias`, `mean`, `variance` have a float
// per channel.
//
// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_forward(const gradus_batch_norm *config,
                                        const gradus_batch_shape *layout,
                                        const float *x,
                                        float *y,
                                        const float *weight,
                                        const float *bias,
                                        float *mean,
                                        float *variance);

// Updates the running statistics by the `mean` and `variance` of a training pass.
//
// `layout` is that of the pass, `mean` and `variance` have a float per channel. `running` has two,
// all means and then all variances; it and `clock` start as zeros, where the variance counts as 1.
// A channel whose mean or variance is not finite leaves its running statistics as they are.
//
// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_track(const gradus_batch_norm *config,
                                      const gradus_batch_shape *layout,
                                      const float *mean,
                                      const float *variance,
                                      float *running,
                                      gradus_clock *clock);

// Backward pass: turns `grads` of `y` in place into those of `x`, and writes those of weight and bias.
//
// `grads` and `x` are tensors of the shape `layout`; `weight`, `mean`, `variance`, `grad_weight`
// and `grad_bias` have a float per channel. `x`, `mean` and `variance` are those of the training
// pass.
//
// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_backward(const gradus_batch_norm *config,
                                         const gradus_batch_shape *layout,
                                         float *grads,
                                         const float *x,
                                         const float *weight,
                                         const float *mean,
                                         const float *variance,
                                         float *grad_weight,
                                         float *grad_bias);

// Pass of inference in place, with the running statistics.
//
// `x` is a tensor of the shape `layout`; `weight` and `bias` have a float per channel, `running` and `clock` are
// those of gradus_batch_norm_track(). Where no batch was tracked every variance counts as 1.
//
// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_inference(const gradus_batch_norm *config,
                                          const gradus_batch_shape *layout,
                                          float *x,
                                          const float *weight,
                                          const float *bias,
                                          const float *running,
                                          const gradus_clock *clock);

// Folds the normalisation into the layer before it, which then needs none.
//
// `layer_weights` has `channels` rows of `inputs` floats, `layer_bias`, `weight` and `bias` a float per channel;
// `running` and `clock` are those of gradus_batch_norm_track(). Where no batch was tracked every variance counts as 1.
//
// Errors: GRADUS_ERROR_SHAPE if one of both is 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_fold(const gradus_batch_norm *config,
                                     size_t channels,
                                     size_t inputs,
                                     const float *weight,
                                     const float *bias,
                                     const float *running,
                                     const gradus_clock *clock,
                                     float *layer_weights,
                                     float *layer_bias);

// As gradus_batch_norm_fold(), for a layer whose `layer_weights` are `inputs` rows of `channels` floats.
//
// Errors: those of gradus_batch_norm_fold().
gradus_status gradus_batch_norm_fold_columns(const gradus_batch_norm *config,
                                             size_t channels,
                                             size_t inputs,
                                             const float *weight,
                                             const float *bias,
                                             const float *running,
                                             const gradus_clock *clock,
                                             float *layer_weights,
                                             float *layer_bias);

// Whether the hyper-parameters of `config` lie in their ranges: ask once, before training.
//
// Errors: GRADUS_ERROR_SHAPE without a group, GRADUS_ERROR_EPSILON, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_VERSION.
gradus_status gradus_group_norm_check(const gradus_group_norm *config);

// Training pass: writes `y`, and the `mean` and biased `variance` of every group, which the backward pass needs.
//
// `x` and `y` are tensors of the shape `layout`; `weight` and `bias` have a float per channel, `mean` and `variance` one
// for each group of each sample.
//
// Errors: GRADUS_ERROR_EMPTY if the shape has a 0, GRADUS_ERROR_SHAPE if the groups do not divide the channels,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_group_norm_forward(const gradus_group_norm *config,
                                        const gradus_batch_shape *layout,
                                        const float *x,
                                        float *y,
                                        const float *weight,
                                        const float *bias,
                                        float *mean,
                                        float *variance);

// Pass of inference in place: what gradus_group_norm_forward() computes, without statistics to keep.
//
// `x` is a tensor of the shape `layout`; `weight` and `bias` have a float per channel.
//
// Errors: those of gradus_group_norm_forward().
gradus_status gradus_group_norm_inference(const gradus_group_norm *config,
                                          const gradus_batch_shape *layout,
                                          float *x,
                                          const float *weight,
                                          const float *bias);

// Backward pass: turns `grads` of `y` in place into those of `x`, and writes those of weight and bias.
//
// `grads` and `x` are tensors of the shape `layout`; `weight`, `grad_weight` and `grad_bias` have a float per channel.
// `x`, `mean` and `variance` are those of the training pass.
//
// Errors: those of gradus_group_norm_forward().
gradus_status gradus_group_norm_backward(const gradus_group_norm *config,
                                         const gradus_batch_shape *layout,
                                         float *grads,
                                         const float *x,
                                         const float *weight,
                                         const float *mean,
                                         const float *variance,
                                         float *grad_weight,
                                         float *grad_bias);

/* ---- L-BFGS: the whole objective at once ---- */

#define GRADUS_LBFGS(pairs) \
  {GRADUS_STRUCTS, GRADUS_CAST(uint32_t, pairs), 1000, 10000, 20, GRADUS_LINE_SEARCH_MORE_THUENTE, \
   1e-5, 0.0, 1e-4, 0.6, 0.1, 1e-20, 1e20, 0.0, 0.0, 0, 0}
#define GRADUS_LBFGS_WORK(n, pairs) \
  ((2 * GRADUS_CAST(size_t, pairs) + 3) * GRADUS_CAST(size_t, n) + \
   (GRADUS_CAST(size_t, pairs) + 4) * GRADUS_CAST(size_t, pairs))
#define GRADUS_LBFGS_FILE(n, pairs, bytes_of_a_number) \
  (128 + (bytes_of_a_number) * \
   (27 + (2 * GRADUS_CAST(size_t, pairs) + 5) * GRADUS_CAST(size_t, n) + \
    (GRADUS_CAST(size_t, pairs) + 1) * GRADUS_CAST(size_t, pairs)))

// All of a run between two evaluations but its vectors: zeros before the start.
typedef struct {
  uint32_t words[20];
  double numbers[27];
} gradus_lbfgs_rest;

// Pairs of gradus_lbfgs at most.
#define GRADUS_LBFGS_MOST_PAIRS 20

// Line search: strong Wolfe conditions (More and Thuente, 1994).
#define GRADUS_LINE_SEARCH_MORE_THUENTE 0

// Line search: sufficient decrease alone (Armijo, 1966), or a flatter gradient where rounding hides
// any decrease.
#define GRADUS_LINE_SEARCH_BACKTRACKING 1

// L-BFGS has not stopped.
#define GRADUS_STOP_RUNNING 0

// L-BFGS stopped: the gradient is as small as asked for.
#define GRADUS_STOP_GRADIENT 1

// L-BFGS stopped: the value hardly decreased any more.
#define GRADUS_STOP_DECREASE 2

// L-BFGS stopped: the iterations are used up.
#define GRADUS_STOP_ITERATIONS 3

// L-BFGS stopped: the evaluations are used up.
#define GRADUS_STOP_EVALUATIONS 4

// L-BFGS stopped: gradus_lbfgs_stop() said so.
#define GRADUS_STOP_CALLER 5

// L-BFGS stopped: no step lowers the value; the gradient is wrong, or rounding hides any decrease.
#define GRADUS_STOP_LINE_SEARCH 6

// L-BFGS stopped: the value or the gradient at the start is infinite or NaN.
#define GRADUS_STOP_NON_FINITE 7

// L-BFGS stopped: the value still falls at the longest step.
#define GRADUS_STOP_UNBOUNDED 8

// L-BFGS (Nocedal, 1980): when to stop, and how far to step.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Correction pairs, 1 to GRADUS_LBFGS_MOST_PAIRS; 5 to 10 are usual.
  uint32_t pairs;
  // Iterations at most; 1000.
  uint32_t max_iterations;
  // Evaluations of the objective at most: never one more; 10000.
  uint32_t max_evaluations;
  // Trials of one line search at most; 20.
  uint32_t max_trials;
  // GRADUS_LINE_SEARCH_MORE_THUENTE or GRADUS_LINE_SEARCH_BACKTRACKING.
  uint32_t line_search;
  // Stop when max |g| is at most this, with an L1 penalty of the pseudo-gradient, between bounds of the
  // projected gradient; 1e-5.
  double tolerance;
  // Stop when an iteration lowers the value by at most this times max(|f|, |f before|, 1); 0: never.
  double decrease;
  // Sufficient decrease, between 0 and `curvature`; 1e-4.
  double sufficient_decrease;
  // Curvature condition, below 1; 0.6.
  double curvature;
  // A bracket that is narrower than this, relative to its upper end, ends the search; 0.1.
  double width_tolerance;
  // Shortest step, as a multiple of the direction; 1e-20.
  double step_min;
  // Longest step, as a multiple of the direction; 1e20.
  double step_max;
  // No step moves a parameter further than this; 0: no limit.
  double max_move;
  // Weight of an L1 penalty: minimises f(x) + l1 * sum |x|, orthant by orthant (after Andrew and Gao,
  // 2007); 0.
  double l1;
  // The first parameter that the penalty reaches.
  size_t l1_start;
  // One past the last parameter that the penalty reaches, at least l1_start; 0: all.
  size_t l1_end;
} gradus_lbfgs;

// A run of L-BFGS; `= {0}` before its first step. May be moved or copied, with x and work, between steps.
typedef struct {
  // The objective at the best point so far, with the L1 penalty if there is one.
  double value;
  // max |g| there; with an L1 penalty of the pseudo-gradient, between bounds of the projected gradient.
  double gradient;
  // Accepted steps.
  uint32_t iterations;
  // Evaluations of the objective.
  uint32_t evaluations;
  // Why it stopped: one of the GRADUS_STOP_ constants.
  uint32_t stop;
  // Bytes of a number, 0 before the start.
  uint32_t number;
  // Parameters.
  size_t n;
  // Correction pairs.
  size_t pairs;
  // The rest, of no use to the caller.
  gradus_lbfgs_rest rest;
} gradus_lbfgs_state;

// Tells L-BFGS the `value` and the `grads` at `x`, and writes to `x` where to evaluate next.
//
// Once `state->stop` is not GRADUS_STOP_RUNNING, `x` is the best point, and further calls have no
// effect. A new run begins with a state of zeros, from any `x`, with the settings that `config` has
// then.
//
// ```text
// static const gradus_lbfgs lbfgs = GRADUS_LBFGS(5);
// static float x[N], g[N], work[GRADUS_LBFGS_WORK(N, 5)];
// gradus_lbfgs_state state = {0};
// do {
//   float f = objective(x, g);
//   status = gradus_lbfgs_step(&lbfgs, N, x, f, g, NULL, NULL, NULL, work, &state);
// } while (status == GRADUS_OK && state.stop == GRADUS_STOP_RUNNING);
// ```
//
// `x` and `grads` are `n` floats, `work` GRADUS_LBFGS_WORK(n, pairs), which need not be zeros;
// `grads` is overwritten. `diagonal` is null, or `n` floats that estimate the diagonal of the inverse
// Hessian, positive and finite. `lower` and `upper` are both null, or `n` floats each: the bounds of the
// parameters, infinite where there is none, in every call of a run or in none, and not beside an L1
// penalty. A first `x` outside is moved to the nearest point inside; NaN stays. `value` and `grads` may be
// infinite or NaN, but not at the start: the step becomes shorter.
//
// On a Cortex-M4F it takes up to 4280 bytes of stack with 20 pairs, with doubles 6404.
//
// Errors: GRADUS_ERROR_EMPTY if config has no pairs, GRADUS_ERROR_LENGTH if it has too many; at the start
// GRADUS_ERROR_TOLERANCE, GRADUS_ERROR_STEPS, GRADUS_ERROR_LINE_SEARCH, GRADUS_ERROR_LIMIT,
// GRADUS_ERROR_LAMBDA, GRADUS_ERROR_ENUM and, if l1_end lies before l1_start, GRADUS_ERROR_SHAPE
// for its other fields, later GRADUS_ERROR_LENGTH if `n`, the pairs or the type of number differ
// from the start; GRADUS_ERROR_PRECONDITIONER if an element of `diagonal` is not positive and
// finite; GRADUS_ERROR_BOUNDS if a lower bound lies above its upper one, if no finite number lies between
// them, if one is NaN, or beside a penalty; GRADUS_ERROR_VERSION if config or state are none;
// GRADUS_ERROR_NULL, also if one of two bounds is, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_lbfgs_step(const gradus_lbfgs *config,
                                size_t n,
                                float *x,
                                float value,
                                float *grads,
                                const float *diagonal,
                                const float *lower,
                                const float *upper,
                                float *work,
                                gradus_lbfgs_state *state);

// Stops a run early, and writes the best point so far to `x`.
//
// `config`, `x`, `grads`, `work` and `state` are those of gradus_lbfgs_step(), with the same `n`.
//
// Errors: those of gradus_lbfgs_step().
gradus_status gradus_lbfgs_stop(const gradus_lbfgs *config,
                                size_t n,
                                float *x,
                                float *grads,
                                float *work,
                                gradus_lbfgs_state *state);

// Saves a run as a file at the start of `buffer`, between two steps, and writes its bytes to `size`.
//
// `buffer` has `capacity` bytes. The file has GRADUS_LBFGS_FILE(n, pairs, sizeof(float)) of them,
// and is the one of the Rust crate: bytes are the same on every target. `x`, `grads`, `work` and
// `state` are those of gradus_lbfgs_step(); nothing of them changes, and of `config` only `pairs`
// counts.
//
// Errors: GRADUS_ERROR_FILE_LENGTH if the file is longer than `capacity`; GRADUS_ERROR_VERSION if config
// or state are none, or the run has not begun; GRADUS_ERROR_LENGTH if `n`, the pairs or the type of
// number are not those of the run; GRADUS_ERROR_EMPTY, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP.
gradus_status gradus_lbfgs_save(const gradus_lbfgs *config,
                                size_t n,
                                float *x,
                                float *grads,
                                float *work,
                                const gradus_lbfgs_state *state,
                                uint8_t *buffer,
                                size_t capacity,
                                size_t *size);

// Loads a run from the `size` bytes of `file`: it goes on with the same bits and settings.
//
// `x` and `grads` are `n` floats, `work` GRADUS_LBFGS_WORK(n, pairs); they and `state` are
// overwritten. Of `config` only `pairs` counts. A run that had not begun when it was saved, which
// Rust can do, is a state of zeros.
//
// Errors: GRADUS_ERROR_FILE_FOREIGN, GRADUS_ERROR_FILE_VERSION, GRADUS_ERROR_FILE_LENGTH,
// GRADUS_ERROR_FILE_CHECKSUM, GRADUS_ERROR_FILE_KIND if the file has another type of number,
// GRADUS_ERROR_FILE_SHAPE if it has another `n` or other pairs, GRADUS_ERROR_FILE_VALUE;
// GRADUS_ERROR_VERSION, GRADUS_ERROR_EMPTY, GRADUS_ERROR_LENGTH, GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP.
gradus_status gradus_lbfgs_load(const gradus_lbfgs *config,
                                size_t n,
                                float *x,
                                float *grads,
                                float *work,
                                gradus_lbfgs_state *state,
                                const uint8_t *file,
                                size_t size);

// As gradus_lbfgs_step(), with doubles.
//
// Errors: those of gradus_lbfgs_step().
gradus_status gradus_lbfgs_step_f64(const gradus_lbfgs *config,
                                    size_t n,
                                    double *x,
                                    double value,
                                    double *grads,
                                    const double *diagonal,
                                    const double *lower,
                                    const double *upper,
                                    double *work,
                                    gradus_lbfgs_state *state);

// As gradus_lbfgs_stop(), with doubles.
//
// Errors: those of gradus_lbfgs_step().
gradus_status gradus_lbfgs_stop_f64(const gradus_lbfgs *config,
                                    size_t n,
                                    double *x,
                                    double *grads,
                                    double *work,
                                    gradus_lbfgs_state *state);

// As gradus_lbfgs_save(), with doubles.
//
// Errors: those of gradus_lbfgs_save().
gradus_status gradus_lbfgs_save_f64(const gradus_lbfgs *config,
                                    size_t n,
                                    double *x,
                                    double *grads,
                                    double *work,
                                    const gradus_lbfgs_state *state,
                                    uint8_t *buffer,
                                    size_t capacity,
                                    size_t *size);

// As gradus_lbfgs_load(), with doubles.
//
// Errors: those of gradus_lbfgs_load().
gradus_status gradus_lbfgs_load_f64(const gradus_lbfgs *config,
                                    size_t n,
                                    double *x,
                                    double *grads,
                                    double *work,
                                    gradus_lbfgs_state *state,
                                    const uint8_t *file,
                                    size_t size);

/* ---- Averages of weights, and ensembles ---- */

#define GRADUS_EMA(decay) {GRADUS_STRUCTS, GRADUS_CAST(double, decay)}
#define GRADUS_ENSEMBLE(n, room, members) \
  {GRADUS_STRUCTS, 0, GRADUS_CAST(uint32_t, room), GRADUS_CAST(size_t, n), (members)}

// Columns of state of gradus_swa_update(): floats per parameter.
#define GRADUS_SWA_COLUMNS 1

// Columns of state of gradus_ema_update(): floats per parameter.
#define GRADUS_EMA_COLUMNS 1

// Columns of state of gradus_compensated_ema_update(): floats per parameter.
#define GRADUS_COMPENSATED_EMA_COLUMNS 2

// Exponential moving average of weights: `average += (1 - decay) * (p - average)`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Weight of the old average: at least 0, at most 1 - 2^-20; 1 - 2^-33 for gradus_compensated_ema_update().
  double decay;
} gradus_ema;

// The weights of several models of one size, in the caller's memory.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Models that are there: 0 at the start.
  uint32_t count;
  // Models that there is room for.
  uint32_t room;
  // Parameters of a model.
  size_t n;
  // room * n floats, one model after the other.
  float *members;
} gradus_ensemble;

// Turns the `n` parameters of a model into `m` predictions; returns 0, or another value if it failed.
typedef int32_t (*gradus_model)(void *context, size_t n, const float *params, size_t m, float *predictions);

// Turns the `n` floats of `params` of a schedule-free run, or a copy of them, into their average: those to evaluate and
// deploy.
//
// `config` and `state` are those of gradus_schedulefree_step(). A run that goes on needs its parameters as they were: give
// it a copy then.
//
// Errors: those of gradus_schedulefree_check(), GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_schedulefree_average(const gradus_schedulefree *config,
                                          size_t n,
                                          float *params,
                                          const float *state);

// Takes the `n` floats of `params` into the mean of all that it was given (SWA; Izmailov et al., 2018).
//
// `state` is GRADUS_SWA_COLUMNS * n floats, of which the first `n` are the mean; `state` and `clock` start as zeros.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_swa_update(size_t n, const float *params, float *state, gradus_clock *clock);

// Takes the `n` floats of `params` into the moving average.
//
// `state` is GRADUS_EMA_COLUMNS * n floats, of which the first `n` are the average; `state` and `clock` start as zeros.
// The decay of `config` is not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_ema_update(const gradus_ema *config,
                                size_t n,
                                const float *params,
                                float *state,
                                gradus_clock *clock);

// As gradus_ema_update(), and it keeps what rounding takes from the average.
//
// The decay of `config` is at most 1 - 2^-33, which is not checked here.
// `state` is GRADUS_COMPENSATED_EMA_COLUMNS * n floats, of which the first `n` are the average.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_compensated_ema_update(const gradus_ema *config,
                                            size_t n,
                                            const float *params,
                                            float *state,
                                            gradus_clock *clock);

// Whether the decay of `config` is in the range of gradus_ema_update(): ask once, before training.
//
// Errors: GRADUS_ERROR_RHO, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION.
gradus_status gradus_ema_check(const gradus_ema *config);

// Adds the `n` floats of `params` to `ensemble` as one more model.
//
// Errors: GRADUS_ERROR_FULL if there is no room, GRADUS_ERROR_EMPTY if `n` is 0, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_ensemble_push(gradus_ensemble *ensemble, const float *params);

// Writes the mean of what the members of `ensemble` predict to the `m` floats of `mean`.
//
// `model` is handed `context`, and fills the `m` floats of `scratch`: the classes of one sample, or of many samples in a
// row. gradus_argmax() of each row is the ensemble's answer.
//
// Errors: GRADUS_ERROR_EMPTY if there is no member, GRADUS_ERROR_CALLBACK if `model` failed, after which it is not called
// again and `mean` holds nothing of use, GRADUS_ERROR_VERSION, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_ensemble_predict(const gradus_ensemble *ensemble,
                                      gradus_model model,
                                      void *context,
                                      size_t m,
                                      float *scratch,
                                      float *mean);

// Writes the index of the largest of the `n` floats of `values` to `index`, the first of equals.
//
// NaN is passed over; where there is nothing else the index is 0.
//
// Errors: GRADUS_ERROR_EMPTY if there is none, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_argmax(size_t n, const float *values, size_t *index);

/* ---- Data as they come: standardised inputs, sums of gradients, counts ---- */

// Columns of state of gradus_input_norm_update(): floats per feature.
#define GRADUS_INPUT_NORM_COLUMNS 2

// Takes the `samples` rows of `features` floats in `x` into the statistics of the inputs.
//
// From sample 2^20 on each sample weighs 2^-20, so that the statistics follow data that drift.
//
// `state` is GRADUS_INPUT_NORM_COLUMNS * features floats: the means, and behind them the variances; `state` and `clock`
// start as zeros. The clock counts samples.
//
// Errors: GRADUS_ERROR_NON_FINITE if a float of `x` is NaN or beyond 2^62, after which nothing was changed,
// GRADUS_ERROR_SHAPE if there is no feature, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_input_norm_update(size_t features,
                                       size_t samples,
                                       const float *x,
                                       float *state,
                                       gradus_clock *clock);

// Standardises the `samples` rows of `features` floats in `x`: `(x - mean) / max(sqrt(variance), eps)`; `eps` is usually 1e-7.
//
// `state` and `clock` are those of gradus_input_norm_update(), and only read; before the first sample `x` stays as it is.
//
// Errors: GRADUS_ERROR_EPSILON, GRADUS_ERROR_SHAPE if there is no feature, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_input_norm_apply(float eps,
                                      size_t features,
                                      size_t samples,
                                      float *x,
                                      const float *state,
                                      const gradus_clock *clock);

// Adds `grads`, the `n` gradients of one batch, to `sum`, for one step with several batches.
//
// `sum` and `clock` start as zeros; the clock counts batches. A step takes `sum` with GRADUS_SCALE of 1 / clock.t, and both
// are zeros again behind it.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_accumulate(size_t n,
                                const float *grads,
                                float *sum,
                                gradus_clock *clock);

// Counts samples in a confusion matrix: `scores` has a row of `classes` for each, `labels` its class, and the class with the
// largest score is what it is taken for. NaN is passed over; a row of nothing else is taken for class 0.
//
// `counts` is classes * classes uint32_t, which start as zeros: a row for each label, a column for what it was taken for.
//
// Errors: GRADUS_ERROR_SHAPE if a label is no class, after which nothing was counted, GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_confusion_add(size_t classes,
                                   size_t samples,
                                   const float *scores,
                                   const uint16_t *labels,
                                   uint32_t *counts);

// Writes the share of samples that were recognised to `result`: of `counts`, a confusion matrix, the diagonal.
//
// Errors: GRADUS_ERROR_EMPTY if there is no sample, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_confusion_accuracy(size_t classes, const uint32_t *counts, float *result);

/* ---- Saving and loading ---- */

// Floats: `n` of them, such as parameters.
#define GRADUS_ITEM_FLOATS 0

// One uint32_t, such as the position in a schedule.
#define GRADUS_ITEM_U32 1

// One gradus_masks.
#define GRADUS_ITEM_MASKS 2

// One gradus_ensemble: its members, as many as the file has, if there is room for them.
#define GRADUS_ITEM_ENSEMBLE 3

// Added to the kind of an optimizer's state: one in half the memory, whose columns are `uint16_t`. Optimizers without
// gradus_adam_half_step() of their own have none.
#define GRADUS_ITEM_HALF 256

// Running statistics of gradus_batch_norm_track(); `n` is the number of channels.
#define GRADUS_ITEM_BATCH_NORM 29

// Mean of gradus_swa_update().
#define GRADUS_ITEM_SWA 48

// Average of gradus_ema_update().
#define GRADUS_ITEM_EMA 49

// Average of gradus_compensated_ema_update().
#define GRADUS_ITEM_COMPENSATED_EMA 50

// Statistics of gradus_input_norm_update(); `n` is the number of features.
#define GRADUS_ITEM_INPUT_NORM 51

// Sum of gradus_accumulate().
#define GRADUS_ITEM_ACCUMULATE 52

// One value of a file. The values of a file are saved and loaded in the order of their list.
//
// A call refuses a list for any of its values: GRADUS_ERROR_ENUM if there is no such kind, GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, and for an ensemble also GRADUS_ERROR_VERSION,
// GRADUS_ERROR_EMPTY without parameters and GRADUS_ERROR_FULL if it has more members than room.
typedef struct {
  // One of the GRADUS_ITEM_ constants.
  uint32_t kind;
  // Parameters of a state, or floats.
  size_t n;
  // The columns of a state, one after the other; the floats; the uint32_t; the gradus_masks; or the gradus_ensemble.
  void *data;
  // The clock of a state; else null.
  gradus_clock *clock;
} gradus_item;

// Writes how many bytes the file of the `count` elements of `items` has to `size`; SIZE_MAX if there are more.
//
// Errors: those of gradus_item.
gradus_status gradus_save_size(const gradus_item *items, size_t count, size_t *size);

// Saves the `count` elements of `items` as a file in `buffer`, and writes its bytes to `size`.
//
// `buffer` has `capacity` bytes; gradus_save_size() says how many are needed.
// The format is that of the Rust crate, with a checksum: bytes are the same on every target.
//
// Errors: GRADUS_ERROR_FILE_LENGTH if the file is longer than `capacity`, and those of gradus_item.
gradus_status gradus_save(const gradus_item *items, size_t count, uint8_t *buffer, size_t capacity, size_t *size);

// Loads the `count` elements of `items` from the `size` bytes of `file`.
//
// The file must hold the same kinds and shapes. All memory and clocks are written, or none if it
// is refused.
//
// Errors: GRADUS_ERROR_FILE_FOREIGN, GRADUS_ERROR_FILE_VERSION, GRADUS_ERROR_FILE_LENGTH,
// GRADUS_ERROR_FILE_CHECKSUM, GRADUS_ERROR_FILE_KIND, GRADUS_ERROR_FILE_SHAPE, GRADUS_ERROR_FILE_VALUE, and those of
// gradus_item.
gradus_status gradus_load(const gradus_item *items, size_t count, const uint8_t *file, size_t size);

// Takes the next `n` bytes of a file; returns 0, or another value if it failed.
typedef int32_t (*gradus_sink)(void *context, const uint8_t *bytes, size_t n);

// Fills `bytes` with `n` bytes of a file, from its byte `at` on; returns 0, or another value if it failed.
typedef int32_t (*gradus_source)(void *context, size_t at, uint8_t *bytes, size_t n);

// Saves the `count` elements of `items` as a file that is handed to `sink` in pieces of 256 bytes, the last one shorter.
//
// `size` gets the bytes of the file. `context` is handed on. The file is that of gradus_save(). `sink` is not called
// again after it has failed, and may not touch the memory of the items.
//
// Errors: GRADUS_ERROR_CALLBACK if `sink` failed: what it was given is no file. GRADUS_ERROR_FILE_LENGTH if items in
// the same memory make a file that is longer than memory can be. Those of gradus_item.
gradus_status gradus_save_to(const gradus_item *items,
                             size_t count,
                             gradus_sink sink,
                             void *context,
                             size_t *size);

// Loads the `count` elements of `items` from a file of `size` bytes that `source` reads.
//
// The file is read twice from its beginning to its end, in pieces of 256 bytes, the last one shorter: the first time to
// compare its checksum and its shape, the second time into the items. `context` is handed on to `source`, which may not
// touch the memory of the items.
//
// Errors: those of gradus_load(), and GRADUS_ERROR_CALLBACK if `source` failed: nothing was written.
// GRADUS_ERROR_FILE_TORN if it failed or gave other bytes the second time: the items hold a part of the file.
gradus_status gradus_load_from(const gradus_item *items,
                               size_t count,
                               size_t size,
                               gradus_source source,
                               void *context);

// A region of flash for a journal: two slots of whole blocks, and how they are read, written and erased.
//
// The functions return 0, or another value if they failed; `context` is handed to each.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // First address of the region.
  uint32_t start;
  // First address behind it.
  uint32_t end;
  // Bytes of a block that is erased as a whole: a multiple of both words.
  uint32_t block;
  // Bytes of a word that is read: a power of two of at most 256.
  uint32_t read_word;
  // Bytes of a word that is written once after its block was erased: a power of two of at most 256.
  uint32_t write_word;
  // Fills `bytes` from address `at` on: `n` bytes of whole words.
  int32_t (*read)(void *context, uint32_t at, uint8_t *bytes, size_t n);
  // Writes `n` bytes of whole words to address `at`.
  int32_t (*write)(void *context, uint32_t at, const uint8_t *bytes, size_t n);
  // Erases the blocks from address `from` to the one before `to`.
  int32_t (*erase)(void *context, uint32_t from, uint32_t to);
  // What the functions are given.
  void *context;
} gradus_flash;

// Where a journal stands: written by gradus_journal_open(), and not to be changed. Values that no journal has are refused
// with GRADUS_ERROR_VERSION.
typedef struct {
  // GRADUS_STRUCTS once it is open.
  uint32_t version;
  // Whether there is a file: 1, or 0 for no.
  uint32_t found;
  // Where the slot of the newest file begins.
  uint32_t newest;
  // Its sequence number.
  uint32_t sequence;
  // Its bytes.
  uint32_t length;
  // Where the slot begins that is written next.
  uint32_t next;
} gradus_journal;

// Finds the newest complete file in the region of `flash`, and notes it in `journal`: once at every start.
//
// A journal keeps the newest complete file, whatever a power cut tears: a save erases the slot of the older file, writes
// the data and last its header. Slots and files are those of the Rust crate.
//
// Errors: GRADUS_ERROR_FLASH_REGION if the halves of the region are not whole blocks, blocks are not whole words, or words
// are too long, GRADUS_ERROR_CALLBACK if neither slot can be read, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_VERSION.
gradus_status gradus_journal_open(const gradus_flash *flash,
                                  gradus_journal *journal);

// Saves the `count` elements of `items` to the slot of the older file, in pieces of at most 256 bytes.
//
// `flash` and `journal` are those of gradus_journal_open().
// If it fails, the newest file is what it was; after a restart it is that file or the new one, whole in either case.
// Where a read finds that the newest file has changed, open the journal again before the next save, which would else
// erase the older file: it may be the last one that is whole.
//
// Errors: GRADUS_ERROR_FILE_LENGTH if the file does not fit into a slot, GRADUS_ERROR_CALLBACK,
// GRADUS_ERROR_FLASH_DAMAGED if the flash does not hold it afterwards, GRADUS_ERROR_VERSION if the journal is not open,
// and those of gradus_save_to().
gradus_status gradus_journal_save(const gradus_flash *flash,
                                  gradus_journal *journal,
                                  const gradus_item *items,
                                  size_t count);

// Loads the `count` elements of `items` from the newest complete file, and writes 1 to `found`; 0 if there is none.
//
// `flash` and `journal` are those of gradus_journal_open().
//
// Errors: those of gradus_load_from(), GRADUS_ERROR_VERSION if the journal is not open.
gradus_status gradus_journal_load(const gradus_flash *flash,
                                  const gradus_journal *journal,
                                  const gradus_item *items,
                                  size_t count,
                                  uint32_t *found);

// Writes the `n` bytes of `bytes`, of any content, to the slot of the older file.
//
// `flash` and `journal` are those of gradus_journal_open().
//
// Errors: those of gradus_journal_save().
gradus_status gradus_journal_write(const gradus_flash *flash,
                                   gradus_journal *journal,
                                   const uint8_t *bytes,
                                   size_t n);

// Reads the newest complete file to `buffer` of `capacity` bytes, and writes its bytes to `size`; 0 if there is none.
//
// `flash` and `journal` are those of gradus_journal_open(). A file of no bytes is one too: `journal->found` is 1 then.
//
// Errors: GRADUS_ERROR_CALLBACK, and GRADUS_ERROR_FLASH_DAMAGED if the file has changed: `buffer` may hold a part of it.
// GRADUS_ERROR_FILE_LENGTH if the buffer is too short, GRADUS_ERROR_VERSION, GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP.
gradus_status gradus_journal_read(const gradus_flash *flash,
                                  const gradus_journal *journal,
                                  uint8_t *buffer,
                                  size_t capacity,
                                  size_t *size);

#ifdef __cplusplus
}
#endif

#endif
