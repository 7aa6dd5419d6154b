/*
 * gradus: kernels for training neural networks, from C and C++.
 *
 * The caller owns all memory; structures are plain; states start as zeros. A function returns
 * GRADUS_OK, or a negative status and has written nothing. No heap, no C library, no threads, no
 * global state: calls on different memory may run at the same time.
 *
 *     static const gradus_adam adam = GRADUS_ADAM(1e-3f);
 *     static float params[N], grads[N], state[GRADUS_ADAM_COLUMNS * N];
 *     static gradus_clock steps;
 *
 *     gradus_status status = gradus_adam_step(&adam, N, params, grads, state, &steps);
 *     if (status != GRADUS_OK) puts(gradus_status_name(status));
 *
 * A pointer points at as many elements as the function's text says; `config` at one structure, and what
 * is no array at one of its type. Null, misaligned and overlapping pointers and structures of another
 * version are refused. Zeros are written `= {0}` in C, and `= {}` in C++.
 *
 * Results have the same bits on every target, and as from Rust. Compilers fuse multiplications and
 * additions of your own code unless told otherwise: -ffp-contract=off.
 */

#ifndef GRADUS_H
#define GRADUS_H

/* Made by cbindgen from src/ffi: ./ci.sh c. Do not edit. */

#include <stddef.h>
#include <stdint.h>

// Version of the structures with a field `version`: an initialiser of this header writes it there.
#define GRADUS_STRUCTS 1

// Columns of state of gradus_swa_update(): floats per parameter.
#define GRADUS_SWA_COLUMNS 1

// Columns of state of gradus_ema_update(): floats per parameter.
#define GRADUS_EMA_COLUMNS 1

// Pairs of gradus_lbfgs at most.
#define GRADUS_LBFGS_MOST_PAIRS 20

// Line search: strong Wolfe conditions (More and Thuente, 1994).
#define GRADUS_LINE_SEARCH_MORE_THUENTE 0

// Line search: sufficient decrease alone (Armijo, 1966), or a flatter gradient where rounding hides
// any decrease; always so with an L1 penalty.
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

// Columns of the running statistics: floats per channel.
#define GRADUS_BATCH_NORM_COLUMNS 2

// Place of the stabiliser: added to the corrected root, as in PyTorch.
#define GRADUS_EPSILON_OUTSIDE 0

// Place of the stabiliser: added to the root before its correction, as in Keras' Adam.
#define GRADUS_EPSILON_HAT 1

// Place of the stabiliser: `inside` is added under the root, `eps` outside of it.
#define GRADUS_EPSILON_ROOT 2

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_SGD_COLUMNS 0

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_MOMENTUM_COLUMNS 1

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_NESTEROV_COLUMNS 1

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_ADAGRAD_COLUMNS 1

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_RMSPROP_COLUMNS 1

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_RMSPROP_CENTERED_COLUMNS 2

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_RMSPROP_MOMENTUM_COLUMNS 2

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_RMSPROP_CENTERED_MOMENTUM_COLUMNS 3

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_ADAM_COLUMNS 2

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_ADAMW_COLUMNS 2

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_AMSGRAD_COLUMNS 3

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_NADAM_COLUMNS 2

// Columns of state of the step of the same name: floats per parameter.
#define GRADUS_LION_COLUMNS 1

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

// Floats: `n` of them, such as parameters.
#define GRADUS_ITEM_FLOATS 0

// One uint32_t, such as the position in a schedule.
#define GRADUS_ITEM_U32 1

// One gradus_masks.
#define GRADUS_ITEM_MASKS 2

// One gradus_ensemble: its members, as many as the file has, if there is room for them.
#define GRADUS_ITEM_ENSEMBLE 3

// State of gradus_adagrad_step().
#define GRADUS_ITEM_ADAGRAD 16

// State of gradus_adam_step().
#define GRADUS_ITEM_ADAM 17

// State of gradus_adamw_step().
#define GRADUS_ITEM_ADAMW 18

// State of gradus_amsgrad_step().
#define GRADUS_ITEM_AMSGRAD 19

// State of gradus_rmsprop_centered_step().
#define GRADUS_ITEM_RMSPROP_CENTERED 20

// State of gradus_rmsprop_centered_momentum_step().
#define GRADUS_ITEM_RMSPROP_CENTERED_MOMENTUM 21

// State of gradus_lion_step().
#define GRADUS_ITEM_LION 22

// State of gradus_momentum_step().
#define GRADUS_ITEM_MOMENTUM 23

// State of gradus_nadam_step().
#define GRADUS_ITEM_NADAM 24

// State of gradus_nesterov_step().
#define GRADUS_ITEM_NESTEROV 25

// State of gradus_rmsprop_step().
#define GRADUS_ITEM_RMSPROP 26

// State of gradus_rmsprop_momentum_step().
#define GRADUS_ITEM_RMSPROP_MOMENTUM 27

// State of gradus_sgd_step(): the clock alone.
#define GRADUS_ITEM_SGD 28

// Running statistics of gradus_batch_norm_track(); `n` is the number of channels.
#define GRADUS_ITEM_BATCH_NORM 29

// Mean of gradus_swa_update().
#define GRADUS_ITEM_SWA 48

// Average of gradus_ema_update().
#define GRADUS_ITEM_EMA 49

// What a function returns: 0, or why it was refused.
enum gradus_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
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
  // First decay factor: at least 0, below 1.
  GRADUS_ERROR_BETA1 = -17,
  // Second decay factor: at least 0, below 1.
  GRADUS_ERROR_BETA2 = -18,
  // Decay factor of one running average: at least 0, below 1.
  GRADUS_ERROR_RHO = -19,
  // Dampening: at least 0, at most 1.
  GRADUS_ERROR_DAMPENING = -20,
  // Stabiliser of a denominator: finite, positive somewhere in it.
  GRADUS_ERROR_EPSILON = -21,
  // Weight decay: finite, at least 0, and `lr * weight_decay` below 1.
  GRADUS_ERROR_WEIGHT_DECAY = -22,
  // Momentum decay of Nadam: finite and at least 0.
  GRADUS_ERROR_MOMENTUM_DECAY = -23,
  // Strength of a penalty: finite and at least 0.
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
  // Number of steps, or of steps in a cycle: at least 1.
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
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum gradus_status gradus_status;
#else
typedef int32_t gradus_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The part of a state that does not grow with the parameters.
typedef struct {
  // Steps taken; it stays at `u32::MAX` once there.
  uint32_t t;
  // One number that a rule carries from step to step; 0 at the start. Nadam needs it.
  float carry;
} gradus_clock;

// Exponential moving average of weights: `average += (1 - decay) * (p - average)`.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Weight of the old average: at least 0, below 1.
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
typedef int32_t (*gradus_model)(void *context,
                                size_t n,
                                const float *params,
                                size_t m,
                                float *predictions);

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
  // Bytes of a block that is erased as a whole.
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

// Where a journal stands: written by gradus_journal_open(), and not to be changed.
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

// One value of a file. The values of a file are saved and loaded in the order of their list.
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
  // Stop when max |g| is at most this; 1e-5.
  double tolerance;
  // Stop when an iteration lowers the value by at most this times max(|f|, 1); 0: never.
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
  // Weight of an L1 penalty: minimises f(x) + l1 * sum |x| by OWL-QN (Andrew and Gao, 2007); 0.
  double l1;
  // The first parameter that the penalty reaches.
  size_t l1_start;
  // One past the last parameter that the penalty reaches, at least l1_start; 0: all.
  size_t l1_end;
} gradus_lbfgs;

// All of a run between two evaluations but its vectors: zeros before the start.
typedef struct {
  uint32_t words[20];
  double numbers[26];
} gradus_lbfgs_rest;

// A run of L-BFGS; `= {0}` before its first step. May be moved or copied, with x and work, between steps.
typedef struct {
  // The objective at the best point so far, with the L1 penalty if there is one.
  double value;
  // max |g| there; with an L1 penalty of the pseudo-gradient.
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

// Generator of masks; `= {0}` is the one of seed 0.
typedef struct {
  // Eight generators of xoshiro128++.
  uint32_t generators[8][4];
} gradus_masks;

// Dropout (Srivastava et al., 2014), and the probability of its relatives.
//
// ```text
//              training                        test
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
  // Whether to scale at test time instead of in training: 0, or 1 for yes.
  uint32_t vanilla;
} gradus_dropout;

// Batch normalisation (Ioffe and Szegedy, 2015).
//
// ```text
// training    mean = first + sum (x - first) / n                         over batch and positions
//             mean = mean + sum (x - mean) / n                           first: the channel's first value
//             variance = sum (x - mean)^2 / n
//             y = (x - mean) * (weight / sqrt(variance + eps)) + bias
//             running = running_decay * running + (1 - running_decay) * new, variance unbiased: n / (n - 1)
// inference   the same with the running statistics
// ```
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Stabiliser of the root; 1e-5.
  float eps;
  // Weight of the old running statistics; 0.9 (PyTorch's momentum is 0.1).
  double running_decay;
  // Whether the running variance takes the batch's by n, as Keras does; 0 is by n - 1, as PyTorch does.
  uint32_t track_biased;
} gradus_batch_norm;

// How activations lie in memory: batch x channels x spatial, the last one contiguous.
typedef struct {
  // Samples.
  size_t batch;
  // Channels: the features of a dense layer, the maps of a convolution.
  size_t channels;
  // Positions in a channel of a sample: height x width, 1 after a dense layer.
  size_t spatial;
} gradus_shape;

// What acts on gradients before a rule and on parameters after it; 0 leaves a transform out.
//
// They act in the order of the fields, in registers: gradients are never written. `= {0}` is none
// of them, and costs nothing.
typedef struct {
  // g = scale * g: 1 / batch size for a mean, or what gradus_clip_norm() returns, which is never 0.
  float scale;
  // g within [-clip_value, clip_value].
  float clip_value;
  // g = g + 2 * l2 * p. PyTorch's weight_decay is twice this.
  float l2;
  // g = g + l1 * sign(p).
  float l1;
  // g = g + elastic_net * (2 * elastic_net_beta * p + sign(p)).
  float elastic_net;
  // Weight of the squares in elastic_net.
  float elastic_net_beta;
  // p = rule(p) - lr * decay * p: decoupled weight decay.
  float decay;
  // p = sign(p) * max(|p| - lr * prox_l1, 0): exact zeros.
  float prox_l1;
  // p within [-clamp_params, clamp_params].
  float clamp_params;
} gradus_transforms;

// Stochastic gradient descent: `p -= lr * g`. No column of state.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_sgd;

// Momentum: `v = rho * v + (1 - dampening) * g; p -= lr * v`. State: v.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the velocity that a step keeps; 0.9.
  double rho;
  // Share of the gradient that does not enter the velocity, from the second step on; 0.
  double dampening;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_momentum;

// Nesterov momentum: `v = rho * v + g; p -= lr * (g + rho * v)`. State: v.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the velocity that a step keeps; 0.9.
  double rho;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_nesterov;

// Place and size of the stabiliser in the denominator of an adaptive rule.
typedef struct {
  // GRADUS_EPSILON_OUTSIDE, GRADUS_EPSILON_HAT or GRADUS_EPSILON_ROOT.
  uint32_t place;
  // Added outside of the root.
  float eps;
  // Added under the root; for GRADUS_EPSILON_ROOT alone.
  float inside;
} gradus_epsilon;

// AdaGrad: `s += g * g; p -= lr * g / (sqrt(s) + eps)`. State: s.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Stabiliser; 1e-10 outside of the root.
  gradus_epsilon eps;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_adagrad;

// RMSProp: `s = rho * s + (1 - rho) * g * g; p -= lr * g / (sqrt(s) + eps)`. State: s.
//
// The centred step divides by the deviation from the mean `a`, sqrt(max(0, s - a * a)), and has
// the state s, a. The steps with momentum move by `v = momentum * v + g / (..)`, and have the
// states s, v and s, a, v.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the running averages; 0.99.
  double rho;
  // Stabiliser; 1e-8 outside of the root.
  gradus_epsilon eps;
  // Share of the velocity that a step with momentum keeps.
  float momentum;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_rmsprop;

// Adam (Kingma and Ba, 2015). State: m, v.
//
// ```text
// m = beta1 * m + (1 - beta1) * g            c1 = 1 - beta1^t
// v = beta2 * v + (1 - beta2) * g * g        c2 = 1 - beta2^t
// p -= lr * (m / c1) / (sqrt(v / c2) + eps)
// ```
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9.
  double beta1;
  // Decay of the second moment; 0.999.
  double beta2;
  // Stabiliser; 1e-8 outside of the root.
  gradus_epsilon eps;
  // Whether the moments are corrected for their start at 0: 1, or 0 for no.
  uint32_t bias_correction;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_adam;

// AdamW (Loshchilov and Hutter, 2019): Adam, and `p *= 1 - lr * weight_decay`. State: m, v.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9.
  double beta1;
  // Decay of the second moment; 0.999.
  double beta2;
  // Stabiliser; 1e-8 outside of the root.
  gradus_epsilon eps;
  // Share of a weight that decays per step and unit of learning rate; 1e-2.
  float weight_decay;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_adamw;

// AMSGrad (Reddi, Kale and Kumar, 2018): Adam over the largest v so far. State: m, v, vmax.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Decay of the first moment; 0.9.
  double beta1;
  // Decay of the second moment; 0.999.
  double beta2;
  // Stabiliser; 1e-8 outside of the root.
  gradus_epsilon eps;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_amsgrad;

// Nadam (Dozat, 2016): Adam with Nesterov's look ahead. State: m, v.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Limit of the decay of the first moment; 0.9.
  double beta1;
  // Decay of the second moment; 0.999.
  double beta2;
  // Stabiliser; 1e-8 outside of the root.
  gradus_epsilon eps;
  // How fast the decay of the first moment grows from half of beta1 to beta1; 4e-3.
  float momentum_decay;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_nadam;

// Lion (Chen et al., 2023): the sign of an interpolated momentum. State: m.
typedef struct {
  // GRADUS_STRUCTS.
  uint32_t version;
  // Learning rate.
  float lr;
  // Share of the momentum in the step's direction; 0.9.
  double beta1;
  // Decay of the momentum; 0.99.
  double beta2;
  // Share of a weight that decays per step and unit of learning rate; 1e-3.
  float weight_decay;
  // What acts before and after.
  gradus_transforms transforms;
} gradus_lion;

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

// Takes the next `n` bytes of a file; returns 0, or another value if it failed.
typedef int32_t (*gradus_sink)(void *context, const uint8_t *bytes, size_t n);

// Fills `bytes` with `n` bytes of a file, from its byte `at` on; returns 0, or another value if it failed.
typedef int32_t (*gradus_source)(void *context, size_t at, uint8_t *bytes, size_t n);

// Gradients of one tensor: `n` floats.
typedef struct {
  // The first of them.
  const float *data;
  // How many.
  size_t n;
} gradus_tensor;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Takes the `n` floats of `params` into the mean of all that it was given (SWA; Izmailov et al., 2018).
//
// `state` is GRADUS_SWA_COLUMNS * n floats, of which the first `n` are the mean; state and clock start as zeros.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_swa_update(size_t n,
                                const float *params,
                                float *state,
                                gradus_clock *clock);

// Takes the `n` floats of `params` into the moving average.
//
// `state` is GRADUS_EMA_COLUMNS * n floats, of which the first `n` are the average; state and clock start as zeros.
// The decay is not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_ema_update(const gradus_ema *config,
                                size_t n,
                                const float *params,
                                float *state,
                                gradus_clock *clock);

// Whether the decay of `config` is in range: ask once, before training.
//
// Errors: GRADUS_ERROR_RHO, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION.
gradus_status gradus_ema_check(const gradus_ema *config);

// Adds the ensemble's `n` floats of `params` as one more model.
//
// Errors: GRADUS_ERROR_FULL if there is no room, GRADUS_ERROR_EMPTY if `n` is 0, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_ensemble_push(gradus_ensemble *ensemble,
                                   const float *params);

// Writes the mean of what the members predict to the `m` floats of `mean`.
//
// `model` fills `m` floats, which are `scratch`: the classes of one sample, or of many samples in a row. gradus_argmax()
// of each row is the ensemble's answer.
//
// Errors: GRADUS_ERROR_EMPTY if there is no member, GRADUS_ERROR_CALLBACK if `model` failed, after which `mean` holds
// nothing of use, GRADUS_ERROR_VERSION, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_ensemble_predict(const gradus_ensemble *ensemble,
                                      gradus_model model,
                                      void *context,
                                      size_t m,
                                      float *scratch,
                                      float *mean);

// Writes the index of the largest of `n` floats to `index`, the first of equals; NaN is passed over.
//
// Errors: GRADUS_ERROR_EMPTY if there is none, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_argmax(size_t n,
                            const float *values,
                            size_t *index);

// Finds the newest complete file in the region of `flash`: once at every start.
//
// A journal keeps the newest complete file, whatever a power cut tears: a save erases the slot of the older file, writes
// the data and last its header. Slots and files are those of the Rust crate.
//
// Errors: GRADUS_ERROR_FLASH_REGION if the halves of the region are not whole blocks or the words are too long,
// GRADUS_ERROR_CALLBACK if neither slot can be read, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_VERSION.
gradus_status gradus_journal_open(const gradus_flash *flash,
                                  gradus_journal *journal);

// Saves the `count` elements of `items` to the slot of the older file, in pieces of at most 256 bytes.
//
// If it fails, the newest file is what it was; after a restart it is that file or the new one, whole in either case.
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
// Errors: those of gradus_load_from(), GRADUS_ERROR_VERSION if the journal is not open.
gradus_status gradus_journal_load(const gradus_flash *flash,
                                  const gradus_journal *journal,
                                  const gradus_item *items,
                                  size_t count,
                                  uint32_t *found);

// Writes `n` bytes of any content to the slot of the older file.
//
// Errors: those of gradus_journal_save().
gradus_status gradus_journal_write(const gradus_flash *flash,
                                   gradus_journal *journal,
                                   const uint8_t *bytes,
                                   size_t n);

// Reads the newest complete file to `buffer` of `capacity` bytes, and writes its bytes to `size`; 0 if there is none.
//
// Errors: GRADUS_ERROR_FILE_LENGTH if the buffer is too short, GRADUS_ERROR_CALLBACK, GRADUS_ERROR_FLASH_DAMAGED if
// the file has changed, GRADUS_ERROR_VERSION, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP.
gradus_status gradus_journal_read(const gradus_flash *flash,
                                  const gradus_journal *journal,
                                  uint8_t *buffer,
                                  size_t capacity,
                                  size_t *size);

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
//   status = gradus_lbfgs_step(&lbfgs, N, x, f, g, NULL, work, &state);
// } while (status == GRADUS_OK && state.stop == GRADUS_STOP_RUNNING);
// ```
//
// `x` and `grads` are `n` floats, `work` GRADUS_LBFGS_WORK(n, pairs), which need not be zeros;
// `grads` is overwritten. `diagonal` is null, or `n` floats that estimate the diagonal of the inverse
// Hessian, positive and finite. `value` and `grads` may be infinite or NaN, but not at the start: the
// step becomes shorter.
//
// On a Cortex-M4F it takes up to 3928 bytes of stack with 20 pairs, with doubles 6400.
//
// Errors: GRADUS_ERROR_EMPTY if config has no or too many pairs; at the start
// GRADUS_ERROR_TOLERANCE, GRADUS_ERROR_STEPS, GRADUS_ERROR_LINE_SEARCH, GRADUS_ERROR_LIMIT,
// GRADUS_ERROR_LAMBDA, GRADUS_ERROR_ENUM and, if l1_end lies before l1_start, GRADUS_ERROR_EMPTY
// for its other fields, later GRADUS_ERROR_LENGTH if `n`, the pairs or the type of number differ
// from the start; GRADUS_ERROR_PRECONDITIONER if an element of `diagonal` is not positive and
// finite; GRADUS_ERROR_VERSION if config or state are none; GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_lbfgs_step(const gradus_lbfgs *config,
                                size_t n,
                                float *x,
                                float value,
                                float *grads,
                                const float *diagonal,
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
gradus_status gradus_dropout_forward(const gradus_dropout *config,
                                     size_t n,
                                     float *x,
                                     gradus_masks *masks);

// Training pass over the `n` floats of `x` in place, with the caller's `mask`.
//
// `mask` has GRADUS_MASK_WORDS(n) words. The backward pass is the same call over the gradients.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_forward_mask(const gradus_dropout *config,
                                          size_t n,
                                          float *x,
                                          const uint32_t *mask);

// Training pass of the rectifier over the `n` floats of `x` in place, with a mask drawn on the
// way.
//
// The rectifier is max(0, x); `masks` draws what it draws for gradus_dropout_forward().
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_relu_forward(const gradus_dropout *config,
                                          size_t n,
                                          float *x,
                                          gradus_masks *masks);

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
gradus_status gradus_dropout_relu_backward(const gradus_dropout *config,
                                           size_t n,
                                           float *grads,
                                           const float *y);

// Pass at test time over the `n` floats of `x` in place; for stochastic depth too.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_dropout_test(const gradus_dropout *config, size_t n, float *x);

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

// The product of DropConnect at test time.
//
// `w` has `outputs` rows of `inputs` weights; `x` has `inputs` floats, `y` has `outputs`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_VERSION.
gradus_status gradus_dropconnect_test(const gradus_dropout *config,
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
// Errors: GRADUS_ERROR_SIZE if `samples` does not divide `n`, GRADUS_ERROR_NULL,
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
gradus_status gradus_monte_carlo_add(size_t n,
                                     float *mean,
                                     float *m2,
                                     uint32_t *count,
                                     const float *prediction);

// Turns the `n` floats of `m2` into the variance of `count` passes; 0 for one pass.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH.
gradus_status gradus_monte_carlo_finish(size_t n, float *m2, uint32_t count);

// Writes the survival of block `block` of `blocks`, counted from 1, to `keep_prob`: the linear rule.
//
// The last block, and any that is past it, has the survival `last`.
//
// Errors: GRADUS_ERROR_PROBABILITY if `last` is none, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
gradus_status gradus_stochastic_depth_linear(uint32_t block,
                                             uint32_t blocks,
                                             float last,
                                             float *keep_prob);

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
// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_forward(const gradus_batch_norm *config,
                                        const gradus_shape *layout,
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
// At test time they are `running` and `running + channels`.
//
// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_track(const gradus_batch_norm *config,
                                      const gradus_shape *layout,
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
// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_backward(const gradus_batch_norm *config,
                                         const gradus_shape *layout,
                                         float *grads,
                                         const float *x,
                                         const float *weight,
                                         const float *mean,
                                         const float *variance,
                                         float *grad_weight,
                                         float *grad_bias);

// Pass at test time in place, with the running statistics.
//
// `x` is a tensor of the shape `layout`; `weight`, `bias`, `mean` and `variance` have a float per
// channel, the last two `running` and `running + channels` of gradus_batch_norm_track().
// Track a batch first: in statistics that are still zeros the variance is read as 0, not as 1.
//
// Errors: GRADUS_ERROR_SIZE if the shape has a 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_inference(const gradus_batch_norm *config,
                                          const gradus_shape *layout,
                                          float *x,
                                          const float *weight,
                                          const float *bias,
                                          const float *mean,
                                          const float *variance);

// Folds the normalisation into the layer before it, which then needs none.
//
// `layer_weights` has `channels` rows of `inputs` floats, `layer_bias` a float per channel, as
// have `weight`, `bias`, and `mean` and `variance`: `running` and `running + channels` of
// gradus_batch_norm_track().
// Track a batch first: in statistics that are still zeros the variance is read as 0, not as 1.
//
// Errors: GRADUS_ERROR_SIZE if one of both is 0, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_batch_norm_fold(const gradus_batch_norm *config,
                                     size_t channels,
                                     size_t inputs,
                                     const float *weight,
                                     const float *bias,
                                     const float *mean,
                                     const float *variance,
                                     float *layer_weights,
                                     float *layer_bias);

// Updates `params` by one step of stochastic gradient descent; `state` may be null.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_sgd_step(const gradus_sgd *config,
                              size_t n,
                              float *params,
                              const float *grads,
                              float *state,
                              gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_sgd_check(const gradus_sgd *config);

// Updates `params` by one step with momentum. State: v.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_momentum_step(const gradus_momentum *config,
                                   size_t n,
                                   float *params,
                                   const float *grads,
                                   float *state,
                                   gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_DAMPENING;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_momentum_check(const gradus_momentum *config);

// Updates `params` by one step with Nesterov's momentum. State: v.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_nesterov_step(const gradus_nesterov *config,
                                   size_t n,
                                   float *params,
                                   const float *grads,
                                   float *state,
                                   gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_nesterov_check(const gradus_nesterov *config);

// Updates `params` by one step of AdaGrad. State: s.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adagrad_step(const gradus_adagrad *config,
                                  size_t n,
                                  float *params,
                                  const float *grads,
                                  float *state,
                                  gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_adagrad_check(const gradus_adagrad *config);

// Updates `params` by one step of RMSProp. State: s.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_step(const gradus_rmsprop *config,
                                  size_t n,
                                  float *params,
                                  const float *grads,
                                  float *state,
                                  gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_check(const gradus_rmsprop *config);

// Updates `params` by one step of centred RMSProp. State: s, a.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_centered_step(const gradus_rmsprop *config,
                                           size_t n,
                                           float *params,
                                           const float *grads,
                                           float *state,
                                           gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_centered_check(const gradus_rmsprop *config);

// Updates `params` by one step of RMSProp with momentum. State: s, v.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_momentum_step(const gradus_rmsprop *config,
                                           size_t n,
                                           float *params,
                                           const float *grads,
                                           float *state,
                                           gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_momentum_check(const gradus_rmsprop *config);

// Updates `params` by one step of centred RMSProp with momentum. State: s, a, v.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_centered_momentum_step(const gradus_rmsprop *config,
                                                    size_t n,
                                                    float *params,
                                                    const float *grads,
                                                    float *state,
                                                    gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RHO, GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_rmsprop_centered_momentum_check(const gradus_rmsprop *config);

// Updates `params` by one step of Adam. State: m, v.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adam_step(const gradus_adam *config,
                               size_t n,
                               float *params,
                               const float *grads,
                               float *state,
                               gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
// GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_adam_check(const gradus_adam *config);

// Updates `params` by one step of AdamW. State: m, v.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_adamw_step(const gradus_adamw *config,
                                size_t n,
                                float *params,
                                const float *grads,
                                float *state,
                                gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
// GRADUS_ERROR_EPSILON, GRADUS_ERROR_WEIGHT_DECAY;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_adamw_check(const gradus_adamw *config);

// Updates `params` by one step of AMSGrad. State: m, v, vmax.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_amsgrad_step(const gradus_amsgrad *config,
                                  size_t n,
                                  float *params,
                                  const float *grads,
                                  float *state,
                                  gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
// GRADUS_ERROR_EPSILON;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_amsgrad_check(const gradus_amsgrad *config);

// Updates `params` by one step of Nadam. State: m, v; the clock carries a number for it.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_nadam_step(const gradus_nadam *config,
                                size_t n,
                                float *params,
                                const float *grads,
                                float *state,
                                gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
// GRADUS_ERROR_EPSILON, GRADUS_ERROR_MOMENTUM_DECAY;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_nadam_check(const gradus_nadam *config);

// Updates `params` by one step of Lion. State: m.
//
// `params` and `grads` are `n` floats, `state` as many for each column, one column after the
// other; state and clock start as zeros. The hyper-parameters of `config` are not checked here.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_LENGTH if the memory exceeds the address space,
// GRADUS_ERROR_OVERLAP, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_lion_step(const gradus_lion *config,
                               size_t n,
                               float *params,
                               const float *grads,
                               float *state,
                               gradus_clock *clock);

// Whether all hyper-parameters and transforms of `config` are in range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_BETA1, GRADUS_ERROR_BETA2,
// GRADUS_ERROR_WEIGHT_DECAY;
// of its transforms GRADUS_ERROR_FACTOR, GRADUS_ERROR_LIMIT, GRADUS_ERROR_LAMBDA,
// GRADUS_ERROR_WEIGHT_DECAY; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_VERSION,
// GRADUS_ERROR_ENUM.
gradus_status gradus_lion_check(const gradus_lion *config);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_step_decay_at(const gradus_step_decay *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_step_decay_check(const gradus_step_decay *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_multi_step_at(const gradus_multi_step *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_multi_step_check(const gradus_multi_step *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_exponential_at(const gradus_exponential *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_exponential_check(const gradus_exponential *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_time_at(const gradus_inverse_time *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_RATE,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_time_check(const gradus_inverse_time *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_sqrt_at(const gradus_inverse_sqrt *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_inverse_sqrt_check(const gradus_inverse_sqrt *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_linear_at(const gradus_linear *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_linear_check(const gradus_linear *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_polynomial_at(const gradus_polynomial *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_POWER,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_polynomial_check(const gradus_polynomial *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_cosine_at(const gradus_cosine *schedule, uint32_t step, float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_cosine_check(const gradus_cosine *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_warm_restarts_at(const gradus_warm_restarts *schedule,
                                      uint32_t step,
                                      float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_warm_restarts_check(const gradus_warm_restarts *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_snapshot_cycle_at(const gradus_snapshot_cycle *schedule,
                                       uint32_t step,
                                       float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_snapshot_cycle_check(const gradus_snapshot_cycle *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_stable_decay_at(const gradus_stable_decay *schedule,
                                     uint32_t step,
                                     float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_stable_decay_check(const gradus_stable_decay *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_triangular_at(const gradus_triangular *schedule,
                                   uint32_t step,
                                   float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_GAMMA, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_triangular_check(const gradus_triangular *schedule);

// Writes the learning rate that `schedule` has after `step` updates to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_one_cycle_at(const gradus_one_cycle *schedule,
                                  uint32_t step,
                                  float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_STEPS, GRADUS_ERROR_FRACTION, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_one_cycle_check(const gradus_one_cycle *schedule);

// Takes one more metric into `state`, zeros at the start, and writes the rate of the steps that follow to `lr`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_plateau_update(const gradus_plateau *schedule,
                                    float metric,
                                    gradus_plateau_state *state,
                                    float *lr);

// Writes the rate of `state` to `lr`: after a restart, or before the first metric.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION, GRADUS_ERROR_ENUM.
gradus_status gradus_plateau_lr(const gradus_plateau *schedule,
                                const gradus_plateau_state *state,
                                float *lr);

// Whether every parameter of `schedule` lies in its range: ask once, before training.
//
// Errors: GRADUS_ERROR_LEARNING_RATE, GRADUS_ERROR_GAMMA, GRADUS_ERROR_TOLERANCE, GRADUS_ERROR_ENUM,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_LENGTH, GRADUS_ERROR_VERSION.
gradus_status gradus_plateau_check(const gradus_plateau *schedule);

// Text for people of a status, never null; `"unknown status"` for other numbers.
const char *gradus_status_name(int32_t status);

// Version of the library, such as `"0.1.0"`; never null.
const char *gradus_version(void);

// Writes how many bytes the file of the `count` elements of `items` has to `size`.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_ENUM.
gradus_status gradus_save_size(const gradus_item *items, size_t count, size_t *size);

// Saves the `count` elements of `items` as a file in `buffer`, and writes its bytes to `size`.
//
// `buffer` has `capacity` bytes; gradus_save_size() says how many are needed.
// The format is that of the Rust crate, with a checksum: bytes are the same on every target.
//
// Errors: GRADUS_ERROR_FILE_LENGTH if the file is longer than `capacity`, GRADUS_ERROR_NULL,
// GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH, GRADUS_ERROR_ENUM.
gradus_status gradus_save(const gradus_item *items,
                          size_t count,
                          uint8_t *buffer,
                          size_t capacity,
                          size_t *size);

// Loads the `count` elements of `items` from the `size` bytes of `file`.
//
// The file must hold the same kinds and shapes. All memory and clocks are written, or none if it
// is refused.
//
// Errors: GRADUS_ERROR_FILE_FOREIGN, GRADUS_ERROR_FILE_VERSION, GRADUS_ERROR_FILE_LENGTH,
// GRADUS_ERROR_FILE_CHECKSUM, GRADUS_ERROR_FILE_KIND, GRADUS_ERROR_FILE_SHAPE, GRADUS_ERROR_FILE_VALUE,
// GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH,
// GRADUS_ERROR_ENUM.
gradus_status gradus_load(const gradus_item *items,
                          size_t count,
                          const uint8_t *file,
                          size_t size);

// Saves the `count` elements of `items` as a file that is handed to `sink` in pieces of 256 bytes, the last one shorter.
//
// `size` gets the bytes of the file. `context` is handed on. The file is that of gradus_save(). `sink` is not called
// again after it has failed, and may not touch the memory of the items.
//
// Errors: GRADUS_ERROR_CALLBACK if `sink` failed, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH, GRADUS_ERROR_ENUM, GRADUS_ERROR_EMPTY, GRADUS_ERROR_FILE_SHAPE.
gradus_status gradus_save_to(const gradus_item *items,
                             size_t count,
                             gradus_sink sink,
                             void *context,
                             size_t *size);

// Loads the `count` elements of `items` from a file of `size` bytes that `source` reads.
//
// The file is read twice from its beginning to its end, in pieces of 256 bytes, the last one shorter: the first time to
// compare its checksum and its shape, the second time into the items. `source` may not touch their memory.
//
// Errors: those of gradus_load(), and GRADUS_ERROR_CALLBACK if `source` failed: nothing was written.
// GRADUS_ERROR_FILE_TORN if it failed or gave other bytes the second time: the items hold a part of the file.
gradus_status gradus_load_from(const gradus_item *items,
                               size_t count,
                               size_t size,
                               gradus_source source,
                               void *context);

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

// Writes the L2 penalty of `transforms` for `n` weights, `l2 * sum w^2`, to `value`: for the loss.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_l2_value(const gradus_transforms *transforms,
                              size_t n,
                              const float *weights,
                              float *value);

// Writes the L1 penalty of `transforms` for `n` weights, `l1 * sum |w|`, to `value`: for the loss.
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_l1_value(const gradus_transforms *transforms,
                              size_t n,
                              const float *weights,
                              float *value);

// Writes the elastic net of `transforms` for `n` weights to `value`: for the loss.
//
// ```text
// value = elastic_net * sum (elastic_net_beta * w^2 + |w|)
// ```
//
// Errors: GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP, GRADUS_ERROR_LENGTH.
gradus_status gradus_elastic_net_value(const gradus_transforms *transforms,
                                       size_t n,
                                       const float *weights,
                                       float *value);

// Writes the factor that clips the gradients of all tensors together to a Euclidean norm.
//
// ```text
// scale = min(1, max_norm / (norm + 1e-6))        as PyTorch's clip_grad_norm_
// ```
//
// Put it into gradus_transforms.scale: the scaling itself is fused into the step. A factor that
// rounds to 0, which stands for no scale there, becomes the smallest positive float. `tensors` has
// `count` elements.
//
// Errors: GRADUS_ERROR_LIMIT if `max_norm` is not positive; GRADUS_ERROR_NON_FINITE if the norm is
// infinite or NaN: skip the step; GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT, GRADUS_ERROR_OVERLAP,
// GRADUS_ERROR_LENGTH.
gradus_status gradus_clip_norm(float max_norm,
                               const gradus_tensor *tensors,
                               size_t count,
                               float *scale);

// Scales each row of `row` floats whose Euclidean norm exceeds `limit` back to it.
//
// `params` has `n` floats, whole rows one after the other.
//
// Errors: GRADUS_ERROR_LIMIT, GRADUS_ERROR_SIZE if `row` is 0, GRADUS_ERROR_LENGTH if `n` is not a
// whole number of rows, GRADUS_ERROR_NULL, GRADUS_ERROR_ALIGNMENT.
gradus_status gradus_limit_row_norms(size_t n, float *params, size_t row, float limit);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GRADUS_H */

/*
 * Initialisers with the defaults of the Rust types; the other fields may be changed afterwards.
 * Arguments are cast to the types of the fields first: a double counts as the float nearest to it.
 */

#define GRADUS_TRANSFORMS_NONE {0, 0, 0, 0, 0, 0, 0, 0, 0}
#define GRADUS_EPSILON(eps_) {GRADUS_EPSILON_OUTSIDE, (float)(eps_), 0}

#define GRADUS_SGD(lr_) {GRADUS_STRUCTS, (float)(lr_), GRADUS_TRANSFORMS_NONE}
#define GRADUS_MOMENTUM(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, 0.0, GRADUS_TRANSFORMS_NONE}
#define GRADUS_NESTEROV(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, GRADUS_TRANSFORMS_NONE}
#define GRADUS_ADAGRAD(lr_) {GRADUS_STRUCTS, (float)(lr_), GRADUS_EPSILON(1e-10f), GRADUS_TRANSFORMS_NONE}
#define GRADUS_RMSPROP(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.99, GRADUS_EPSILON(1e-8f), 0.9f, GRADUS_TRANSFORMS_NONE}
#define GRADUS_ADAM(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, 0.999, GRADUS_EPSILON(1e-8f), 1, GRADUS_TRANSFORMS_NONE}
#define GRADUS_ADAMW(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, 0.999, GRADUS_EPSILON(1e-8f), 1e-2f, GRADUS_TRANSFORMS_NONE}
#define GRADUS_AMSGRAD(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, 0.999, GRADUS_EPSILON(1e-8f), GRADUS_TRANSFORMS_NONE}
#define GRADUS_NADAM(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, 0.999, GRADUS_EPSILON(1e-8f), 4e-3f, GRADUS_TRANSFORMS_NONE}
#define GRADUS_LION(lr_) {GRADUS_STRUCTS, (float)(lr_), 0.9, 0.99, 1e-3f, GRADUS_TRANSFORMS_NONE}

#define GRADUS_LBFGS(pairs_) \
  {GRADUS_STRUCTS, (uint32_t)(pairs_), 1000, 10000, 20, GRADUS_LINE_SEARCH_MORE_THUENTE, \
   1e-5, 0.0, 1e-4, 0.6, 0.1, 1e-20, 1e20, 0.0, 0.0, 0, 0}
#define GRADUS_LBFGS_WORK(n_, pairs_) \
  ((2 * (size_t)(pairs_) + 3) * (size_t)(n_) + ((size_t)(pairs_) + 4) * (size_t)(pairs_))
#define GRADUS_LBFGS_FILE(n_, pairs_, bytes_of_a_number_) \
  (124 + (bytes_of_a_number_) * \
   (26 + (2 * (size_t)(pairs_) + 5) * (size_t)(n_) + ((size_t)(pairs_) + 1) * (size_t)(pairs_)))

#define GRADUS_EMA(decay_) {GRADUS_STRUCTS, (double)(decay_)}
#define GRADUS_ENSEMBLE(n_, room_, members_) {GRADUS_STRUCTS, 0, (uint32_t)(room_), (size_t)(n_), (members_)}

#define GRADUS_BATCH_NORM {GRADUS_STRUCTS, 1e-5f, 0.9, 0}
#define GRADUS_MASK_WORDS(n_) ((n_) / 32 + ((n_) % 32 != 0))
#define GRADUS_DROPOUT(drop_prob_) {GRADUS_STRUCTS, 1.0f - (float)(drop_prob_), 0}

#define GRADUS_STEP_DECAY(lr_, gamma_, every_) \
  {GRADUS_STRUCTS, (float)(lr_), (double)(gamma_), (uint32_t)(every_), 0, 0}
#define GRADUS_MULTI_STEP(lr_, gamma_, milestones_, count_) \
  {GRADUS_STRUCTS, (float)(lr_), (double)(gamma_), (milestones_), (size_t)(count_), 0, 0}
#define GRADUS_EXPONENTIAL(lr_, k_) {GRADUS_STRUCTS, (float)(lr_), (float)(k_), 0, 0}
#define GRADUS_INVERSE_TIME(lr_, k_) {GRADUS_STRUCTS, (float)(lr_), (float)(k_), 0, 0}
#define GRADUS_LINEAR(start_, end_, steps_) \
  {GRADUS_STRUCTS, (float)(start_), (float)(end_), (uint32_t)(steps_), 0, 0}
#define GRADUS_COSINE(lr_, steps_) {GRADUS_STRUCTS, (float)(lr_), 0, (uint32_t)(steps_), 0, 0}
#define GRADUS_WARM_RESTARTS(lr_, first_, mult_) \
  {GRADUS_STRUCTS, (float)(lr_), 0, (uint32_t)(first_), (uint32_t)(mult_), 0, 0}
#define GRADUS_SNAPSHOT_CYCLE(lr_, steps_, cycles_) \
  {GRADUS_STRUCTS, (float)(lr_), (uint32_t)(steps_), (uint32_t)(cycles_), 0, 0}
#define GRADUS_TRIANGULAR(min_, max_, up_, down_) \
  {GRADUS_STRUCTS, (float)(min_), (float)(max_), (uint32_t)(up_), (uint32_t)(down_), \
   GRADUS_PEAKS_EQUAL, 0, 0, 0}
#define GRADUS_ONE_CYCLE(max_, steps_) \
  {GRADUS_STRUCTS, (float)(max_) / 25.0f, (float)(max_), (float)(max_) / 25.0f / 1e4f, (uint32_t)(steps_), \
   0.3f, 0, GRADUS_ANNEAL_COSINE, 0, 0}
#define GRADUS_INVERSE_SQRT(lr_, shift_) {GRADUS_STRUCTS, (float)(lr_), (uint32_t)(shift_), 0, 0}
#define GRADUS_POLYNOMIAL(lr_, steps_, power_) \
  {GRADUS_STRUCTS, (float)(lr_), 0, (uint32_t)(steps_), (float)(power_), 0, 0}
#define GRADUS_STABLE_DECAY(lr_, stable_, fall_) \
  {GRADUS_STRUCTS, (float)(lr_), 0, (uint32_t)(stable_), (uint32_t)(fall_), GRADUS_ANNEAL_LINEAR, 0, 0}
#define GRADUS_PLATEAU(lr_) \
  {GRADUS_STRUCTS, (float)(lr_), 0.1, 1e-4, GRADUS_THRESHOLD_RELATIVE, GRADUS_GOAL_MIN, 10, 0, 0, 1e-8f}

