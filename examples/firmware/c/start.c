/* The C example on a Cortex-M4F without any C library: vectors, memory, semihosting. */
#include "../../c/digits.h"
#include "gradus.h"

extern uint32_t data_start, data_end, data_load, bss_start, bss_end;

void reset(void);
void stack_top(void); /* an address of the linker script, not a function */

/* An exception nobody expects: the debugger shows where. */
static void stop(void) {
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    stack_top, reset, stop, stop, stop, stop, stop, 0, 0, 0, 0, stop, stop, 0, stop, stop};

static int semihost(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void print(const char *text) { semihost(4, text); /* SYS_WRITE0 */ }

static void print_number(uint64_t x, unsigned base, int digits) {
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
  *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* CPACR: the FPU is on */
  __asm__ volatile("dsb\nisb" ::: "memory");
  uint32_t *from = &data_load;
  for (uint32_t *to = &data_start; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
  int status = digits_train(report);
  if (status != GRADUS_OK) print(gradus_status_name(status));
  semihost(0x18, (void *)0x20026); /* SYS_EXIT: the application is done */
  stop();
}
