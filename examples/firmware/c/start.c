/* The C example on a Cortex-M4F. */
#include "../../c/digits.h"
#include "bare.h"
#include "gradus.h"

/* Once, not at each call. */
__attribute__((noinline)) static void print_number(uint64_t x, unsigned base, int digits) {
  char text[21];
  char *at = text + sizeof text - 1;
  *at = 0;
  do {
    *--at = "0123456789abcdef"[x % base];
    x /= base;
  } while (--digits > 0 || x > 0);
  print(at);
}

static void report(const digits_progress *p) {
  print("epoch ");
  print_number(p->epoch, 10, 1);
  print(": ");
  print_number(p->right, 10, 1);
  print(" of ");
  print_number(p->total, 10, 1);
  print(" right, weights ");
  print_number(p->weights, 16, 16);
  print("\n");
}

void reset(void) {
  start();
  int status = digits_train(report);
  if (status != GRADUS_OK) {
    /* Its number: the texts of gradus_status_name() are 2 KB. */
    print("gradus -");
    print_number((uint64_t)-(int64_t)status, 10, 1);
    print("\n");
  }
  leave();
}
