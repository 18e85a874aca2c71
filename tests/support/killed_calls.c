/* To be preloaded: SIGKILL comes just before call number $AIRGAP_KILL_AT, counted from 1, of those that change names, lengths or
 * bytes of files, or see to it that they are stored. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>

static atomic_long calls;

static void count(void) {
  const char* at = getenv("AIRGAP_KILL_AT");
  if (at && atomic_fetch_add(&calls, 1) + 1 == atol(at)) raise(SIGKILL);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int renameat(int from, const char* old, int to, const char* new) {
  count();
  return NEXT(renameat)(from, old, to, new);
}
int unlinkat(int in, const char* name, int flags) {
  count();
  return NEXT(unlinkat)(in, name, flags);
}
int openat64(int in, const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (flags & O_CREAT) count();
  return NEXT(openat64)(in, name, flags, mode);
}
int ftruncate64(int fd, off64_t length) {
  count();
  return NEXT(ftruncate64)(fd, length);
}
ssize_t pwrite64(int fd, const void* from, size_t length, off64_t at) {
  count();
  return NEXT(pwrite64)(fd, from, length, at);
}
int fdatasync(int fd) {
  count();
  return NEXT(fdatasync)(fd);
}
int fsync(int fd) {
  count();
  return NEXT(fsync)(fd);
}
