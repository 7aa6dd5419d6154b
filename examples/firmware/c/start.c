/* The C example on a Cortex-M4F. */
#include "../../c/digits.h"
#include "bare.h"
#include "gradus.h"

static void print_decimal(uint32_t x) {
  char text[11];
  char *at = text + sizeof text - 1;
  *at = 0;
  do {
    *--at = (char)('0' + x % 10);
    x /= 10;
  } while (x > 0);
  print(at);
}

static void print_hexadecimal(uint64_t x) {
  char text[17];
  text[16] = 0;
  for (int i = 16; i-- > 0; x >>= 4) text[i] = "0123456789abcdef"[x & 15];
  print(text);
}

static void report(const digits_progress *p) {
  print("epoch ");
  print_decimal(p->epoch);
  print(": ");
  print_decimal(p->right);
  print(" of ");
  print_decimal(p->total);
  print(" right, weights ");
  print_hexadecimal(p->weights);
  print("\n");
}

void reset(void) {
  start();
  int status = digits_train(report);
  if (status != GRADUS_OK) {
    /* Its number: the texts of gradus_status_name() are 2 KB. */
    print("gradus -");
    print_decimal((uint32_t)-status);
    print("\n");
  }
  leave();
}
