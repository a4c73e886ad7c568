// gate.so: lets a program (LD_PRELOAD) wait in fsync and fdatasync while the file $GATE_FILE is
// there, deaf to signals that are blocked or ignored, as in front of a disk that hangs.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_gate(void) {
  const char *gate = getenv("GATE_FILE");
  const struct timespec pause = {.tv_nsec = 5000000};
  while (gate && access(gate, F_OK) == 0) nanosleep(&pause, NULL);
}

int fsync(int descriptor) {
  wait_for_gate();
  return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor) {
  wait_for_gate();
  return (int)syscall(SYS_fdatasync, descriptor);
}
