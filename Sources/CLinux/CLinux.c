#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

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

static int spawn(pid_t *child, char *const argv[], char *const envp[], int input, int error) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETPGROUP);
  int status = posix_spawnp(child, argv[0], &actions, &attributes, argv, envp);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

int clinux_spawn(pid_t *child, char *const argv[], char *const envp[], int *input, int *error) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0) return errno;
  if (pipe2(from, O_CLOEXEC) != 0) {
    int status = errno;
    close(to[0]);
    close(to[1]);
    return status;
  }
  int status = spawn(child, argv, envp, to[0], from[1]);
  close(to[0]);
  close(from[1]);
  if (status != 0) {
    close(to[1]);
    close(from[0]);
    return status;
  }
  *input = to[1];
  *error = from[0];
  return 0;
}

int clinux_exchange(const char *path, const char *other) {
  return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE);
}

void clinux_release_free_memory(void) { malloc_trim(0); }

int clinux_signalfd(const sigset_t *signals) {
  return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_take_signal(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int clinux_accept(int descriptor) {
  return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_peer_user(int descriptor, uid_t *user) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  int status = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  if (status == 0) *user = credentials.uid;
  return status;
}
