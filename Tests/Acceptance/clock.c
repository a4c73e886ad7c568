// clock.so: gives a program (LD_PRELOAD) another time of day than the machine's, which the file
// named by $CLOCK_FILE decides at every moment. The monotonic clocks stay as they are.
//
// A wait until a time of day ends when that time has come, as in the kernel: a clock that is set
// back during the wait makes it longer, one that is set forward ends it. (libfaketime computes the
// end once, and does not know cnd_timedwait, which librdkafka uses.)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

// Nanoseconds since 1970: it is `fake` when the machine says `real`, and goes `rate` times as fast.
struct setting { int64_t real, fake, rate; };

// The setting in force is settings[current]; the other one can be written at leisure.
struct clock { volatile int64_t current; struct setting settings[2]; };

static const struct clock *shared;
static const int64_t second = 1000000000;

__attribute__((constructor)) static void open_clock(void) {
  int descriptor = open(getenv("CLOCK_FILE"), O_RDONLY | O_CLOEXEC);
  void *file = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, descriptor, 0);
  if (file == MAP_FAILED) abort();
  shared = file;
  close(descriptor);
}

static struct timespec machine(clockid_t id) {
  struct timespec time;
  syscall(SYS_clock_gettime, id, &time);
  return time;
}

static struct timespec time_of_day(void) {
  if (!shared) return machine(CLOCK_REALTIME);  // asked by the constructor of another library
  const struct setting *setting = &shared->settings[shared->current];
  struct timespec real = machine(CLOCK_REALTIME);
  int64_t since = real.tv_sec * second + real.tv_nsec - setting->real;
  int64_t fake = setting->fake + since * setting->rate;
  return (struct timespec){.tv_sec = fake / second, .tv_nsec = fake % second};
}

int clock_gettime(clockid_t id, struct timespec *time) {
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) *time = time_of_day();
  else return (int)syscall(SYS_clock_gettime, id, time);
  return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now = time_of_day();
  *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

int timespec_get(struct timespec *time, int base) {
  *time = time_of_day();
  return base;
}

time_t time(time_t *result) {
  time_t now = time_of_day().tv_sec;
  if (result) *result = now;
  return now;
}

static int has_come(const struct timespec *end) {
  struct timespec now = time_of_day();
  return now.tv_sec > end->tv_sec || (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict end) {
  for (;;) {
    struct timespec soon = machine(CLOCK_MONOTONIC);
    soon.tv_nsec += 5000000;
    if (soon.tv_nsec >= second) soon.tv_sec++, soon.tv_nsec -= second;
    int result = pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &soon);
    if (result != ETIMEDOUT || has_come(end)) return result;
  }
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict end) {
  // The C library keeps both kinds in the same form.
  int result = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, end);
  return result == 0 ? thrd_success : result == ETIMEDOUT ? thrd_timedout : thrd_error;
}
