/* To be preloaded: calls on files and pipes are interrupted every third time, and move a part of what is asked for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>

static atomic_uint calls;

static int concerned(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode));
}

static int interrupted(int fd) {
  if (!concerned(fd) || atomic_fetch_add(&calls, 1) % 3 != 0) return 0;
  errno = EINTR;
  return 1;
}

static size_t part(int fd, size_t count) { return count > 1000 && concerned(fd) ? count / 2 + 1 : count; }

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void* to, size_t count) { return interrupted(fd) ? -1 : NEXT(read)(fd, to, part(fd, count)); }
ssize_t write(int fd, const void* from, size_t count) {
  return interrupted(fd) ? -1 : NEXT(write)(fd, from, part(fd, count));
}
ssize_t pread64(int fd, void* to, size_t count, off64_t at) {
  return interrupted(fd) ? -1 : NEXT(pread64)(fd, to, part(fd, count), at);
}
ssize_t pwrite64(int fd, const void* from, size_t count, off64_t at) {
  return interrupted(fd) ? -1 : NEXT(pwrite64)(fd, from, part(fd, count), at);
}
int fdatasync(int fd) { return interrupted(fd) ? -1 : NEXT(fdatasync)(fd); }
int fsync(int fd) { return interrupted(fd) ? -1 : NEXT(fsync)(fd); }
