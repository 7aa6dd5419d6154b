/* Trains on a computer. */
#include "digits.h"
#include "gradus.h"

#include <inttypes.h>
#include <stdio.h>

static void report(const digits_progress *p) {
  printf("epoch %u: %u of %u right, weights %016" PRIx64 "\n", p->epoch, p->right, p->total, p->weights);
}

int main(void) {
  int status = digits_train(report);
  if (status != GRADUS_OK) fprintf(stderr, "gradus %s: %s\n", gradus_version(), gradus_status_name(status));
  return status != GRADUS_OK;
}
