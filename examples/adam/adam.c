/* The smallest program: Adam finds the lowest point of (x - 1)^2 + (y + 2)^2. */
#include "gradus.h"
#include <stdio.h>

int main(void) {
  float params[2] = {0}, grads[2], state[GRADUS_ADAM_COLUMNS * 2] = {0};
  gradus_clock clock = {0};
  const gradus_adam adam = GRADUS_ADAM(0.1f);
  for (int step = 0; step < 500; step++) {
    grads[0] = 2.0f * (params[0] - 1.0f);
    grads[1] = 2.0f * (params[1] + 2.0f);
    gradus_status status = gradus_adam_step(&adam, 2, params, grads, state, &clock);
    if (status != GRADUS_OK) return puts(gradus_status_name(status)), 1;
  }
  printf("%.3f %.3f\n", (double)params[0], (double)params[1]);
}
