/* Starts a C program with newlib on a Cortex-M4F; it prints over semihosting. */
#include "bare.h"

int main(void);
void initialise_monitor_handles(void);

void reset(void) {
  start();
  initialise_monitor_handles();
  if (main() != 0) print("FAILED\n");
  leave();
}
