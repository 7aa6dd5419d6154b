/* Prints how many instructions digits_train() takes under QEMU with `-icount shift=7`.
 *
 * An instruction takes 128 ns then, and a clock of the board counts hundredths of a second: 78125 instructions each. Linked
 * with `-Wl,--wrap=digits_train`. */
#include "../../examples/c/digits.h"
#include "../../examples/firmware/c/bare.h"

int __real_digits_train(void (*report)(const digits_progress *progress));
int __wrap_digits_train(void (*report)(const digits_progress *progress));

int __wrap_digits_train(void (*report)(const digits_progress *progress)) {
  volatile const uint32_t *const hundredths = (volatile const uint32_t *)0x40028014;
  const uint32_t begin = *hundredths;
  const int status = __real_digits_train(report);
  uint64_t instructions = (uint64_t)(*hundredths - begin) * 78125;
  char text[] = "instructions            ";
  for (char *at = text + sizeof text - 3; instructions > 0; instructions /= 10) *--at = (char)('0' + instructions % 10);
  text[sizeof text - 2] = '\n';
  print(text);
  return status;
}
