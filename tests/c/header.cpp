// Every initialiser of the header in C++11, with variables of types that would narrow: this only has to compile.
#include "gradus.h"

static double rate = 0.1, factor = 0.5;
static int steps = 100, cycles = 3;
static unsigned long pairs = 5;
static const uint32_t milestones[2] = {5, 9};

gradus_clock nothing = {};
gradus_masks masks = {};
gradus_lbfgs_state run = {};
gradus_transforms transforms = GRADUS_TRANSFORMS;
gradus_epsilon epsilon = GRADUS_EPSILON(rate);

#define ONE(rule, RULE) gradus_##rule rule = GRADUS_##RULE(rate);
GRADUS_OPTIMIZERS(ONE)

gradus_ema ema = GRADUS_EMA(factor);
static float models[3 * 6];
gradus_ensemble ensemble = GRADUS_ENSEMBLE(6, cycles, models);

gradus_lbfgs lbfgs = GRADUS_LBFGS(pairs);
float work[GRADUS_LBFGS_WORK(6, 5)];
unsigned char file[GRADUS_LBFGS_FILE(6, 5, sizeof(float))];

gradus_batch_norm batch_norm = GRADUS_BATCH_NORM;
gradus_group_norm group_norm = GRADUS_GROUP_NORM(steps);
uint32_t mask[GRADUS_MASK_WORDS(33)];
gradus_dropout dropout = GRADUS_DROPOUT_DROP_PROB(rate);
gradus_dropout kept = GRADUS_DROPOUT_KEEP_PROB(factor);

gradus_step_decay step_decay = GRADUS_STEP_DECAY(rate, factor, steps);
gradus_multi_step multi_step = GRADUS_MULTI_STEP(rate, factor, milestones, cycles - 1);
gradus_exponential exponential = GRADUS_EXPONENTIAL(rate, factor);
gradus_inverse_time inverse_time = GRADUS_INVERSE_TIME(rate, factor);
gradus_linear linear = GRADUS_LINEAR(rate, factor, steps);
gradus_cosine cosine = GRADUS_COSINE(rate, steps);
gradus_warm_restarts warm_restarts = GRADUS_WARM_RESTARTS(rate, steps, cycles);
gradus_snapshot_cycle snapshot_cycle = GRADUS_SNAPSHOT_CYCLE(rate, steps, cycles);
gradus_triangular triangular = GRADUS_TRIANGULAR(factor, rate, steps, steps + 1);
gradus_one_cycle one_cycle = GRADUS_ONE_CYCLE(rate, steps);
gradus_inverse_sqrt inverse_sqrt = GRADUS_INVERSE_SQRT(rate, steps);
gradus_polynomial polynomial = GRADUS_POLYNOMIAL(rate, steps, factor);
gradus_stable_decay stable_decay = GRADUS_STABLE_DECAY(rate, steps, cycles);
gradus_plateau plateau = GRADUS_PLATEAU(rate);
