#define _GNU_SOURCE
#include "CLinux.h"
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void clinux_set_thread_name(const char *name) {
  char cut[16];
  strncpy(cut, name, sizeof cut - 1);
  cut[sizeof cut - 1] = '\0';
  pthread_setname_np(pthread_self(), cut);
}

const char *clinux_error_name(int number) {
  const char *name = strerrorname_np(number);
  return name ? name : "errno";
}

void clinux_release_free_memory(void) { malloc_trim(0); }
