/* A Cortex-M4F without any C library: vectors, memory, semihosting. The program writes `reset`, which calls `start`. */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

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

static void start(void) {
  *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* CPACR: the FPU is on */
  __asm__ volatile("dsb\nisb" ::: "memory");
  uint32_t *from = &data_load;
  for (uint32_t *to = &data_start; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
}

static void leave(void) {
  semihost(0x18, (void *)0x20026); /* SYS_EXIT: the application is done */
  stop();
}

#endif
