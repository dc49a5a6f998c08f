// The k-th call of a kind that rank r's program makes fails: preloaded by tests/faults/run_faults.py.
//
// FAULT_KIND alloc, read, write, fsync, rename, mpi or factor; FAULT_AT k, from 1, or 0 to count only; FAULT_RANK r;
// FAULT_TRACE: says where; FAULT_COUNTS a file to which the rank adds "kind calls" when it ends. Calls that libraries
// make on their own are left alone: the promise is about what the program makes of a failure.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <mpi.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desc, int *info);

static uintptr_t base;
static uintptr_t begin;
static uintptr_t end;
static char kind[16];
static long fails_at;
static atomic_long calls;

static int find_program(struct dl_phdr_info *info, size_t size, void *data)
{
  (void)size, (void)data;
  for (int k = 0; k < info->dlpi_phnum; k++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[k];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0) continue;
    base = info->dlpi_addr;
    begin = info->dlpi_addr + part->p_vaddr;
    end = begin + part->p_memsz;
  }
  return 1; // the program is the first one
}

// The front program only starts the other one.
static bool is_program(void)
{
  static const char name[] = "/tracegrad-mpi";
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length < (ssize_t)sizeof name) return false;
  path[length] = '\0';
  return strcmp(path + length - (sizeof name - 1), name) == 0;
}

__attribute__((constructor)) static void start(void)
{
  const char *rank = getenv("OMPI_COMM_WORLD_RANK");
  const char *wanted = getenv("FAULT_RANK");
  const char *chosen = getenv("FAULT_KIND");
  const char *at = getenv("FAULT_AT");
  if (chosen == NULL || at == NULL || !is_program()) return;
  if (strcmp(rank != NULL ? rank : "0", wanted != NULL ? wanted : "0") != 0) return;
  dl_iterate_phdr(find_program, NULL);
  snprintf(kind, sizeof kind, "%s", chosen);
  fails_at = strtol(at, NULL, 10);
}

__attribute__((destructor)) static void stop(void)
{
  const char *path = getenv("FAULT_COUNTS");
  if (path == NULL || kind[0] == '\0') return;
  FILE *file = fopen(path, "a");
  if (file == NULL) return;
  fprintf(file, "%s %ld\n", kind, atomic_load(&calls));
  fclose(file);
}

// Offsets inside the program, for addr2line.
static void trace(void)
{
  void *frames[24];
  const int count = backtrace(frames, 24);
  for (int k = 0; k < count; k++)
    if ((uintptr_t)frames[k] >= begin && (uintptr_t)frames[k] < end)
      fprintf(stderr, "fault at %#lx\n", (unsigned long)((uintptr_t)frames[k] - base));
}

static bool is_due(const char *this_kind, const void *caller)
{
  const uintptr_t place = (uintptr_t)caller;
  if (kind[0] == '\0' || strcmp(kind, this_kind) != 0 || place < begin || place >= end) return false;
  if (atomic_fetch_add(&calls, 1) + 1 != fails_at) return false;
  if (getenv("FAULT_TRACE") != NULL) trace();
  return true;
}

#define CALLER __builtin_return_address(0)
// The next definition of a function, whose type the assignment gives.
#define NEXT(pointer, name) *(void **)&(pointer) = dlsym(RTLD_NEXT, name)

void *calloc(size_t count, size_t bytes)
{
  return is_due("alloc", CALLER) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *pointer, size_t bytes)
{
  return is_due("alloc", CALLER) ? NULL : __libc_realloc(pointer, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
  return is_due("alloc", CALLER) ? NULL : __libc_memalign(alignment, bytes);
}

ssize_t pread64(int fd, void *buffer, size_t bytes, off64_t offset)
{
  ssize_t (*next)(int, void *, size_t, off64_t) = NULL;
  NEXT(next, "pread64");
  if (!is_due("read", CALLER)) return next(fd, buffer, bytes, offset);
  errno = EIO;
  return -1;
}

ssize_t pwrite64(int fd, const void *buffer, size_t bytes, off64_t offset)
{
  ssize_t (*next)(int, const void *, size_t, off64_t) = NULL;
  NEXT(next, "pwrite64");
  if (!is_due("write", CALLER)) return next(fd, buffer, bytes, offset);
  errno = ENOSPC;
  return -1;
}

ssize_t write(int fd, const void *buffer, size_t bytes)
{
  ssize_t (*next)(int, const void *, size_t) = NULL;
  struct stat facts;
  NEXT(next, "write");
  const bool is_file = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
  if (!is_file || !is_due("write", CALLER)) return next(fd, buffer, bytes);
  errno = ENOSPC;
  return -1;
}

int fsync(int fd)
{
  int (*next)(int) = NULL;
  NEXT(next, "fsync");
  if (!is_due("fsync", CALLER)) return next(fd);
  errno = EIO;
  return -1;
}

int rename(const char *from, const char *to)
{
  int (*next)(const char *, const char *) = NULL;
  NEXT(next, "rename");
  if (!is_due("rename", CALLER)) return next(from, to);
  errno = EIO;
  return -1;
}

// As MPI does it: the handler of the communicator is called first.
static int fail_on(MPI_Comm comm)
{
  PMPI_Comm_call_errhandler(comm, MPI_ERR_OTHER);
  return MPI_ERR_OTHER;
}

// The call takes part, for the others wait for it, and then fails.
int MPI_Allreduce(const void *in, void *out, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  const bool fails = is_due("mpi", CALLER);
  const int code = PMPI_Allreduce(in, out, count, type, op, comm);
  return fails ? fail_on(comm) : code;
}

int MPI_Bcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  const bool fails = is_due("mpi", CALLER);
  const int code = PMPI_Bcast(buffer, count, type, root, comm);
  return fails ? fail_on(comm) : code;
}

int MPI_Alltoallv(const void *in, const int *in_counts, const int *in_starts, MPI_Datatype in_type, void *out,
                  const int *out_counts, const int *out_starts, MPI_Datatype out_type, MPI_Comm comm)
{
  const bool fails = is_due("mpi", CALLER);
  const int code = PMPI_Alltoallv(in, in_counts, in_starts, in_type, out, out_counts, out_starts, out_type, comm);
  return fails ? fail_on(comm) : code;
}

// The factorisation is done, and says that the matrix is not definite.
void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desc, int *info)
{
  void (*next)(const char *, const int *, double *, const int *, const int *, const int *, int *) = NULL;
  NEXT(next, "pdpotrf_");
  const bool fails = is_due("factor", CALLER);
  next(uplo, n, a, ia, ja, desc, info);
  if (fails) *info = 1;
}
