// crashpoints: names every file-changing system call of a program, and kills it at a chosen one, or
// makes that one fail.
//
//   crashpoints --under DIR --log FILE [--reads yes] [--kill THREAD:CALL:N | --kill-at N]
//               [--fail THREAD:CALL:N --errno NUMBER] -- COMMAND [ARG]...
//
// A point is a call that would change what is below DIR (create, write, sync, link, rename, unlink,
// truncate, mkdir, the close of a file open for writing, ...), made by any thread; with `--reads`
// also one that reads it. Each is one line of FILE before it is carried out:
//
//   NUMBER THREAD CALL N PATH      all counts from 1; N counts per thread and call
//   NUMBER ! ERRNO                 follows the line of a point that was made to fail
//
// Threads are numbered by their first point, because the order in which a client library starts
// its own threads is chance and none of them touches DIR. `--kill` and `--kill-at` send SIGKILL
// while the chosen call waits at its entry, so it has no effect and nothing after it runs.
// strace's `inject=CALL:signal=KILL:when=N` counts writes to sockets and wake-up pipes as well,
// in every thread, and so often hits another call than the one that was meant: this does not.
//
// `--fail` lets the call return -1 with that errno and does nothing of it, once; only a close is
// carried out, as Linux does when it fails. SIGTERM is passed on to COMMAND.
//
// Exit: COMMAND's code; 137 when it was killed at the point; 70 tracing failed; 64 usage.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 64, TRACING_FAILED = 70, MAX_THREADS = 256 };

// What a call's arguments say about the file that it changes. DESTINATION: the second path counts.
// The last three are of calls that only read.
enum target {
  DESCRIPTOR, PATH, PATH_AT, OPEN, OPEN_AT, DESTINATION, DESTINATION_AT, TARGET_AT, CLOSE,
  READ_DESCRIPTOR, READ_PATH, READ_PATH_AT
};

struct call {
  long number;
  const char *name;
  enum target target;
};

static const struct call calls[] = {
#ifdef SYS_open  // the calls that newer architectures no longer have
    {SYS_open, "open", OPEN},
    {SYS_creat, "creat", PATH},
    {SYS_rename, "rename", DESTINATION},
    {SYS_link, "link", DESTINATION},
    {SYS_symlink, "symlink", DESTINATION},
    {SYS_unlink, "unlink", PATH},
    {SYS_mkdir, "mkdir", PATH},
    {SYS_rmdir, "rmdir", PATH},
    {SYS_chmod, "chmod", PATH},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "renameat", DESTINATION_AT},
#endif
    {SYS_openat, "openat", OPEN_AT},
    {SYS_renameat2, "renameat2", DESTINATION_AT},
    {SYS_linkat, "linkat", DESTINATION_AT},
    {SYS_symlinkat, "symlinkat", TARGET_AT},
    {SYS_unlinkat, "unlinkat", PATH_AT},
    {SYS_mkdirat, "mkdirat", PATH_AT},
    {SYS_fchmodat, "fchmodat", PATH_AT},
    {SYS_utimensat, "utimensat", PATH_AT},
    {SYS_truncate, "truncate", PATH},
    {SYS_write, "write", DESCRIPTOR},
    {SYS_writev, "writev", DESCRIPTOR},
    {SYS_pwrite64, "pwrite64", DESCRIPTOR},
    {SYS_pwritev, "pwritev", DESCRIPTOR},
    {SYS_pwritev2, "pwritev2", DESCRIPTOR},
    {SYS_ftruncate, "ftruncate", DESCRIPTOR},
    {SYS_fallocate, "fallocate", DESCRIPTOR},
    {SYS_fchmod, "fchmod", DESCRIPTOR},
    {SYS_sendfile, "sendfile", DESCRIPTOR},
    {SYS_fsync, "fsync", DESCRIPTOR},
    {SYS_fdatasync, "fdatasync", DESCRIPTOR},
    {SYS_sync_file_range, "sync_file_range", DESCRIPTOR},
    {SYS_close, "close", CLOSE},
#ifdef SYS_stat
    {SYS_stat, "stat", READ_PATH},
#endif
#ifdef SYS_newfstatat
    {SYS_newfstatat, "newfstatat", READ_PATH_AT},
#endif
    {SYS_read, "read", READ_DESCRIPTOR},
    {SYS_pread64, "pread64", READ_DESCRIPTOR},
    {SYS_getdents64, "getdents64", READ_DESCRIPTOR},
};
enum { CALL_COUNT = sizeof calls / sizeof *calls };

struct options {
  char under[PATH_MAX];
  const char *log;
  char kill[128];   // "THREAD:CALL:N", empty for none
  long kill_at;     // a point's number, 0 for none
  char fail[128];   // as `kill`
  int error;        // the errno of `fail`
  int reads;        // whether calls that only read are points, too
  char **command;
};

struct thread {
  pid_t id;
  long counts[CALL_COUNT];
};

static struct thread threads[MAX_THREADS];
static int thread_count;
static long point_count;
static pid_t child;

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "crashpoints: %s: %s\n", what, strerror(errno));
  exit(TRACING_FAILED);
}

static _Noreturn void usage(const char *what) {
  fprintf(stderr, "crashpoints: %s (usage: the head of crashpoints.c)\n", what);
  exit(USAGE);
}

static struct options parse(int argc, char **argv) {
  struct options options = {0};
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i += 2) {
    if (i + 1 >= argc) usage("an option without its value");
    const char *value = argv[i + 1];
    if (!strcmp(argv[i], "--under")) {
      if (!realpath(value, options.under)) usage("--under wants a directory that exists");
    } else if (!strcmp(argv[i], "--log")) {
      options.log = value;
    } else if (!strcmp(argv[i], "--kill")) {
      snprintf(options.kill, sizeof options.kill, "%s", value);
    } else if (!strcmp(argv[i], "--kill-at")) {
      options.kill_at = strtol(value, NULL, 10);
    } else if (!strcmp(argv[i], "--fail")) {
      snprintf(options.fail, sizeof options.fail, "%s", value);
    } else if (!strcmp(argv[i], "--errno")) {
      options.error = (int)strtol(value, NULL, 10);
    } else if (!strcmp(argv[i], "--reads")) {
      options.reads = !strcmp(value, "yes");
    } else {
      usage("an unknown option");
    }
  }
  options.command = argv + i + 1;
  if (!*options.under || !options.log || i + 1 >= argc) usage("--under, --log, -- COMMAND");
  if (!*options.fail != !options.error) usage("--fail goes with --errno");
  return options;
}

static int only_reads(const struct call *call) { return call->target >= READ_DESCRIPTOR; }

// In the child: only the listed calls stop for the tracer, so the rest runs at full speed.
static void trace_listed_calls(int reads) {
  struct sock_filter program[CALL_COUNT + 3];
  int length = 0;
  program[length++] = (struct sock_filter)BPF_STMT(
      BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  int count = 0;
  while (count < CALL_COUNT && (reads || !only_reads(&calls[count]))) count++;
  for (int i = 0; i < count; i++)
    program[length++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, (uint8_t)(count - i), 0);
  program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  struct sock_fprog filter = {.len = (unsigned short)length, .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("PR_SET_NO_NEW_PRIVS");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) fail("PR_SET_SECCOMP");
}

static void pass_on(int signal) { kill(child, signal); }

static void start(const struct options *options) {
  char **command = options->command;
  child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0)) fail("PTRACE_TRACEME");
    raise(SIGSTOP);
    trace_listed_calls(options->reads);
    execvp(command[0], command);
    fail(command[0]);
  }
  int status;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) fail("waitpid");
  long wanted = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, wanted)) fail("PTRACE_SETOPTIONS");
  if (ptrace(PTRACE_CONT, child, 0, 0)) fail("PTRACE_CONT");
  signal(SIGTERM, pass_on);
}

static void read_string(pid_t id, uint64_t address, char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", id);
  int memory = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = memory < 0 ? -1 : pread(memory, text, PATH_MAX - 1, (off_t)address);
  // A read that runs into an unmapped page comes back short, behind the string's end.
  text[got > 0 ? got : 0] = 0;
  if (memory >= 0) close(memory);
}

// The absolute path of `relative` (may be empty) at a descriptor or the working directory.
static void resolve(pid_t id, int descriptor, const char *relative, char *path) {
  char link[64], base[PATH_MAX];
  if (relative[0] == '/') {
    snprintf(path, PATH_MAX, "%s", relative);
    return;
  }
  if (descriptor == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", id);
  else snprintf(link, sizeof link, "/proc/%d/fd/%d", id, descriptor);
  ssize_t length = readlink(link, base, sizeof base - 1);
  base[length > 0 ? length : 0] = 0;
  int written = snprintf(path, PATH_MAX, *relative ? "%s/%s" : "%s%s", base, relative);
  if (written >= PATH_MAX) path[0] = 0;
}

// Whether an opening with these flags can change the directory or the file.
static int changes(uint64_t flags) {
  return (flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE;
}

static int is_open_for_writing(pid_t id, int descriptor) {
  char link[64];
  struct stat status;
  snprintf(link, sizeof link, "/proc/%d/fd/%d", id, descriptor);
  return lstat(link, &status) == 0 && (status.st_mode & S_IWUSR);
}

// The path that the stopped call would change, or read; empty when it does neither.
static void target_path(
    pid_t id, const struct call *call, const uint64_t *args, int reads, char *path) {
  char name[PATH_MAX] = "";
  int descriptor = AT_FDCWD;
  path[0] = 0;
  switch (call->target) {
    case CLOSE:
      if (!is_open_for_writing(id, (int)args[0])) return;
      descriptor = (int)args[0];
      break;
    case DESCRIPTOR: case READ_DESCRIPTOR: descriptor = (int)args[0]; break;
    case PATH: case READ_PATH: read_string(id, args[0], name); break;
    case PATH_AT: case READ_PATH_AT:
      descriptor = (int)args[0];
      read_string(id, args[1], name);
      break;
    case OPEN:
      if (!reads && !changes(args[1])) return;
      read_string(id, args[0], name);
      break;
    case OPEN_AT:
      if (!reads && !changes(args[2])) return;
      descriptor = (int)args[0];
      read_string(id, args[1], name);
      break;
    case DESTINATION: read_string(id, args[1], name); break;
    case DESTINATION_AT: descriptor = (int)args[2]; read_string(id, args[3], name); break;
    case TARGET_AT: descriptor = (int)args[1]; read_string(id, args[2], name); break;
  }
  resolve(id, descriptor, name, path);
}

static struct thread *thread_of(pid_t id) {
  for (int i = 0; i < thread_count; i++)
    if (threads[i].id == id) return &threads[i];
  if (thread_count == MAX_THREADS) usage("too many threads change files");
  threads[thread_count].id = id;
  return &threads[thread_count++];
}

static void set_registers(pid_t id, int set, void *data, size_t size) {
  struct iovec place = {.iov_base = data, .iov_len = size};
  if (ptrace(PTRACE_SETREGSET, id, (void *)(intptr_t)set, &place)) fail("PTRACE_SETREGSET");
}

// Gives the stopped call, which is entered (`skip`) or done, the result -1 with `error`.
static void set_result(pid_t id, int error, int skip) {
  struct user_regs_struct registers;
  struct iovec place = {.iov_base = &registers, .iov_len = sizeof registers};
  if (ptrace(PTRACE_GETREGSET, id, (void *)NT_PRSTATUS, &place)) fail("PTRACE_GETREGSET");
#if defined(__x86_64__)
  if (skip) registers.orig_rax = (unsigned long long)-1;
  registers.rax = (unsigned long long)-error;
#elif defined(__aarch64__)
  int none = -1;
  if (skip) set_registers(id, NT_ARM_SYSTEM_CALL, &none, sizeof none);
  registers.regs[0] = (unsigned long long)-error;
#else
#error "the registers of system calls are not known for this architecture"
#endif
  set_registers(id, NT_PRSTATUS, &registers, sizeof registers);
}

static void make_fail(pid_t id, const struct call *call, int error, FILE *log) {
  fprintf(log, "%ld ! %d\n", point_count, error);
  fflush(log);
  if (call->target == CLOSE) {
    int status;
    if (ptrace(PTRACE_SYSCALL, id, 0, 0)) fail("PTRACE_SYSCALL");
    if (waitpid(id, &status, __WALL) != id || !WIFSTOPPED(status)) fail("waitpid");
  }
  set_result(id, error, call->target != CLOSE);
}

// Logs the point that thread `id` stands at and makes it fail if it is to; true when it is the one
// to die at.
static int is_kill_point(pid_t id, const struct options *options, FILE *log) {
  struct __ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof info, &info) < 0) return 0;
  int which = 0;
  while (which < CALL_COUNT && calls[which].number != (long)info.seccomp.nr) which++;
  if (which == CALL_COUNT) return 0;
  uint64_t arguments[6];
  for (int i = 0; i < 6; i++) arguments[i] = info.seccomp.args[i];
  char path[PATH_MAX];
  target_path(id, &calls[which], arguments, options->reads, path);
  size_t length = strlen(options->under);
  if (strncmp(path, options->under, length) || (path[length] && path[length] != '/')) return 0;
  struct thread *thread = thread_of(id);
  char name[128];
  snprintf(name, sizeof name, "%d:%s:%ld", (int)(thread - threads) + 1, calls[which].name,
           ++thread->counts[which]);
  fprintf(log, "%ld %d %s %ld %s\n", ++point_count, (int)(thread - threads) + 1,
          calls[which].name, thread->counts[which], path + length);
  fflush(log);
  if (!strcmp(name, options->fail)) make_fail(id, &calls[which], options->error, log);
  return point_count == options->kill_at || !strcmp(name, options->kill);
}

// One stop of a thread: what to pass on to it.
static int signal_to_deliver(int status) {
  int event = status >> 16;
  int signal = WSTOPSIG(status);
  // A new thread begins with a SIGSTOP that is the tracing's, not the program's.
  return event || signal == SIGSTOP || signal == SIGTRAP ? 0 : signal;
}

int main(int argc, char **argv) {
  struct options options = parse(argc, argv);
  FILE *log = fopen(options.log, "w");
  if (!log) fail(options.log);
  start(&options);
  for (;;) {
    int status;
    pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0 && errno == EINTR) continue;
    if (id < 0) fail("waitpid");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (id != child) continue;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8)) &&
        is_kill_point(id, &options, log)) {
      kill(child, SIGKILL);
      continue;
    }
    ptrace(PTRACE_CONT, id, 0, (void *)(intptr_t)signal_to_deliver(status));
  }
}
