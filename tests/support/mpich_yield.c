// Preloaded by tests on MPICH, which spins while it waits: with more ranks than cores, or beside other work, each small
// message would cost a time slice. Open MPI has an option for this; MPICH over UCX has none, so it sleeps here.
#define _GNU_SOURCE // RTLD_NEXT
#include <dlfcn.h>
#include <string.h>
#include <time.h>

typedef unsigned (*progress)(void *worker);

unsigned ucp_worker_progress(void *worker);

unsigned ucp_worker_progress(void *worker)
{
  enum { IDLE_CALLS = 50 };
  static progress next;
  static int idle;
  if (next == NULL) {
    void *found = dlsym(RTLD_NEXT, "ucp_worker_progress");
    memcpy(&next, &found, sizeof next);
  }
  const unsigned events = next(worker);
  idle = events == 0 ? idle + 1 : 0;
  if (idle >= IDLE_CALLS) {
    const struct timespec moment = {.tv_nsec = 1000};
    nanosleep(&moment, NULL);
  }
  return events;
}
