/* Prints how many instructions digits_train() takes under QEMU with `-icount shift=7`.
 *
 * An instruction takes 128 ns there, and a clock of the board mps2 counts hundredths of a second, 78125 instructions each.
 * Linked with `-Wl,--wrap=digits_train`. */
#include "../../examples/c/digits.h"

int __real_digits_train(void (*report)(const digits_progress *progress));
int __wrap_digits_train(void (*report)(const digits_progress *progress));

static void print(const char *text) { /* over semihosting */
  register int r0 __asm__("r0") = 4;
  register const void *r1 __asm__("r1") = text;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

int __wrap_digits_train(void (*report)(const digits_progress *progress)) {
  volatile const uint32_t *const hundredths = (volatile const uint32_t *)0x40028014;
  char text[] = "instructions                \n";
  char *at = text + sizeof text - 2; /* the end of the line */
  const uint32_t begin = *hundredths;
  const int status = __real_digits_train(report);
  const uint32_t passed = *hundredths - begin;
  uint32_t thousands = passed * 78 + passed / 8; /* 78.125 each */
  for (int i = 0; i < 3; i++) *--at = '0';
  for (; thousands > 0; thousands /= 10) *--at = (char)('0' + thousands % 10);
  print(text);
  return status;
}
