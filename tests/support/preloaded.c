/* To be preloaded: NO_LOCKS=1 in the environment takes locks from the file systems, CLOCK=N sets the clock to N seconds
 * since 1970. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int flock(int fd, int operation) {
  if (getenv("NO_LOCKS") == NULL) return (int)syscall(SYS_flock, fd, operation);
  errno = ENOLCK;
  return -1;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int done = (int)syscall(SYS_clock_gettime, clock, now);
  const char* seconds = getenv("CLOCK");
  if (clock == CLOCK_REALTIME && seconds != NULL) now->tv_sec = atoll(seconds);
  return done;
}
