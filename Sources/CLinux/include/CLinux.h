// The few Linux calls that the Glibc module of Swift does not show because they are GNU extensions.
#pragma once
#include <signal.h>
#include <sys/types.h>

/// eventfd(2) with EFD_CLOEXEC | EFD_NONBLOCK; -1 and errno on failure.
int clinux_eventfd(void);

/// pthread_setname_np(3) for the calling thread; names longer than 15 bytes are cut.
void clinux_set_thread_name(const char *name);

/// strerrorname_np(3): "EIO" for EIO; "errno" for a number that has no name.
const char *clinux_error_name(int number);

/// renameat2(2) with RENAME_EXCHANGE: both names change places in one step; -1 and errno else.
int clinux_exchange(const char *path, const char *other);

/// malloc_trim(3): gives freed heap pages back to the kernel, so that an idle daemon is small.
void clinux_release_free_memory(void);

/// Starts a program in a process group of its own, with no signal blocked or ignored and no
/// descriptor of ours; its standard output is /dev/null. `*input` gets the writing end of its
/// standard input and `*error` the reading end of its standard error. An error number on failure.
int clinux_spawn(pid_t *child, char *const argv[], char *const envp[], int *input, int *error);

/// signalfd(2) with SFD_CLOEXEC | SFD_NONBLOCK for signals that are blocked; -1 and errno else.
int clinux_signalfd(const sigset_t *signals);

/// The next signal that a descriptor of clinux_signalfd holds; 0 when there is none.
int clinux_take_signal(int descriptor);

/// accept4(2) with SOCK_CLOEXEC | SOCK_NONBLOCK, without the peer's address.
int clinux_accept(int descriptor);

/// The user at the other end of a connected socket of AF_UNIX (SO_PEERCRED); -1 and errno else.
int clinux_peer_user(int descriptor, uid_t *user);
