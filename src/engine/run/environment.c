// Facts about ranks, threads, cores and libraries.
#define _GNU_SOURCE // sched_getaffinity
#include "engine/run/environment.h"

#include <mpi.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#if TG_HAS_HDF5
#include <hdf5.h>
#endif

#include "base/memory.h"
#include "mpi/matrix/grid.h"

// Cut at the end of the text or of its first line.
static void copy_line(char *out, size_t capacity, const char *text)
{
  const size_t length = strcspn(text, "\n\r");
  snprintf(out, capacity, "%.*s", (int)length, text);
}

static void get_versions(tg_environment *out)
{
  char library[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(library, &length);
  char *comma = strchr(library, ',');
  if (comma != NULL) *comma = '\0';
  // "Open MPI v4.1.4", but "MPICH Version:\t4.0.2"
  char *label = strstr(library, " Version:");
  if (label != NULL) {
    const char *number = label + strlen(" Version:");
    number += strspn(number, " \t");
    memmove(label + 1, number, strlen(number) + 1);
  }
  copy_line(out->mpi_library, sizeof out->mpi_library, library);
  tg_blas_kernel_get(NULL, &out->blas);
  // What the program was built with: the library itself is loaded when a file needs it.
#if TG_HAS_HDF5
  snprintf(out->hdf5, sizeof out->hdf5, "%d.%d.%d", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
#else
  snprintf(out->hdf5, sizeof out->hdf5, "none");
#endif
}

// "model name : AMD EPYC 7B13" of Linux on x86-64; other machines say less.
static void get_machine(tg_environment *out)
{
  char line[512];
  snprintf(out->cpu, sizeof out->cpu, "unknown");
  if (gethostname(out->host, sizeof out->host - 1) != 0) snprintf(out->host, sizeof out->host, "unknown");
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (file == NULL) return;
  while (fgets(line, sizeof line, file) != NULL) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || colon == NULL) continue;
    copy_line(out->cpu, sizeof out->cpu, colon + 1 + strspn(colon + 1, " "));
    break;
  }
  fclose(file);
}

enum { MASK_BYTES = CPU_SETSIZE / 8 };

static void get_cores(tg_environment *out, cpu_set_t *mine)
{
  CPU_ZERO(mine);
  if (sched_getaffinity(0, sizeof *mine, mine) != 0) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    for (size_t k = 0; (long)k < online && k < CPU_SETSIZE; k++) CPU_SET(k, mine);
  }
  out->cores_bound = out->cores_here = CPU_COUNT(mine);
}

static bool is_set(const char *variable)
{
  const char *value = getenv(variable);
  return value != NULL && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

// Each MPI has words of its own for the same.
#ifdef OPEN_MPI
static const char yield_advice[] = ", or --mca mpi_yield_when_idle 1";
static void print_binding_advice(int threads, tg_text *out)
{
  tg_text_addf(out, "start it with mpirun --map-by slot:PE=%d, or --bind-to none\n", threads);
}
#else
static const char yield_advice[] = "";
static void print_binding_advice(int threads, tg_text *out)
{
  tg_text_addf(out, "give each rank %d cores, or start it without binding: mpiexec -bind-to none of MPICH\n", threads);
}
#endif

void tg_environment_print_warnings(const tg_environment *e, tg_text *out)
{
  static const char *const kinds[] = {"without threads", "with pthreads"};
  const int parallel = e->blas.loaded.parallel;
  if (parallel >= 0 && parallel < 2)
    tg_text_addf(out,
                 "OpenBLAS is built %s, not with OpenMP: its threads and ours will fight or stay idle; "
                 "install libopenblas0-openmp and remove the other\n",
                 kinds[parallel]);
  const bool bound = e->threads > e->cores_bound && e->cores_bound < e->cores_here;
  if (bound) {
    tg_text_addf(out, "each rank runs %d threads but is bound to %d core%s: ", e->threads, e->cores_bound,
                 e->cores_bound == 1 ? "" : "s");
    print_binding_advice(e->threads, out);
  }
  // Ranks of one thread that yield while they wait share cores at little cost.
  const char *yields = getenv("OMPI_MCA_mpi_yield_when_idle");
  const bool yield =
      yields != NULL ? is_set("OMPI_MCA_mpi_yield_when_idle") : is_set("OMPI_MCA_rmaps_base_oversubscribe");
  const bool shared = e->threads == 1 && yield;
  if ((int64_t)e->ranks_here * e->threads > e->cores_here && !bound && !shared) {
    const int fitting = e->cores_here / e->ranks_here;
    tg_text_addf(out, "%d rank%s x %d thread%s share %d core%s of a node: ", e->ranks_here,
                 e->ranks_here == 1 ? "" : "s", e->threads, e->threads == 1 ? "" : "s", e->cores_here,
                 e->cores_here == 1 ? "" : "s");
    if (fitting >= 1)
      tg_text_addf(out, "set OMP_NUM_THREADS=%d\n", fitting);
    else
      tg_text_addf(out, "use at most %d ranks a node%s\n", e->cores_here,
                   e->threads > 1 ? " and OMP_NUM_THREADS=1" : yield_advice);
  }
}

void tg_environment_print_kernel(const tg_environment *e, const char *label, tg_text *out)
{
  const char *core = e->blas.loaded.core[0] != '\0' ? e->blas.loaded.core : "BLAS";
  tg_text_addf(out, "%s%s, ", label, core);
  tg_blas_kernel_explain(&e->blas, out);
  if (e->blas_cores[0] != '\0') tg_text_addf(out, "; the ranks differ: %s", e->blas_cores);
  tg_text_add(out, "\n");
}

// "VmHWM:   143260 kB" of this program. getrusage counts from before exec as well: what started it, a large one
// perhaps.
int64_t tg_environment_peak_bytes(void)
{
  static const char label[] = "VmHWM:";
  long long kibibytes = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (file != NULL) {
    char line[256];
    while (fgets(line, sizeof line, file) != NULL && kibibytes == 0)
      if (strncmp(line, label, sizeof label - 1) == 0) kibibytes = strtoll(line + sizeof label - 1, NULL, 10);
    fclose(file);
  }
  if (kibibytes > 0) return (int64_t)kibibytes * 1024;
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return (int64_t)usage.ru_maxrss * 1024; // Linux counts in KiB
}

// A number from a one-line file of the kernel; 0 when there is none ("max").
static double read_limit(const char *path)
{
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  char line[64] = "";
  const double value = fgets(line, sizeof line, file) != NULL ? strtod(line, NULL) : 0;
  fclose(file);
  return value;
}

static double smaller_limit(double a, double b)
{
  if (b <= 0) return a;
  return a <= 0 || b < a ? b : a;
}

// The limits of a control group and of those above it, up to the root that this process sees.
static double group_limit(const char *mount, const char *group, const char *file)
{
  char path[4096];
  double bytes = 0;
  size_t length = strlen(group);
  while (true) {
    snprintf(path, sizeof path, "%s%.*s/%s", mount, (int)length, group, file);
    bytes = smaller_limit(bytes, read_limit(path));
    if (length == 0) return bytes;
    while (length > 0 && group[--length] != '/') continue;
  }
}

// Lines "0::/user.slice/job" (version 2) and "7:memory:/slurm/job" (version 1).
static double control_group_bytes(void)
{
  char line[2048];
  double bytes = smaller_limit(group_limit("/sys/fs/cgroup", "", "memory.max"),
                               group_limit("/sys/fs/cgroup/memory", "", "memory.limit_in_bytes"));
  FILE *file = fopen("/proc/self/cgroup", "r");
  if (file == NULL) return bytes;
  while (fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    const char *group = strstr(line, ":/");
    if (group == NULL) continue;
    if (strncmp(line, "0::", 3) == 0)
      bytes = smaller_limit(bytes, group_limit("/sys/fs/cgroup", group + 1, "memory.max"));
    else if (strstr(line, ":memory:") != NULL)
      bytes = smaller_limit(bytes, group_limit("/sys/fs/cgroup/memory", group + 1, "memory.limit_in_bytes"));
  }
  fclose(file);
  return bytes;
}

static double slurm_bytes(void)
{
  const double mib = 1048576.0;
  const char *node = getenv("SLURM_MEM_PER_NODE");
  const char *core = getenv("SLURM_MEM_PER_CPU");
  const char *cores = getenv("SLURM_CPUS_ON_NODE");
  if (node != NULL) return mib * strtod(node, NULL);
  return core != NULL && cores != NULL ? mib * strtod(core, NULL) * strtod(cores, NULL) : 0;
}

double tg_environment_memory_bytes(void)
{
  const double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  return smaller_limit(smaller_limit(machine, control_group_bytes()), slurm_bytes());
}

// What ulimit -v leaves, in terms of resident memory: address space that libraries map and never touch is taken
// already.
static double address_space_bytes(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
  char line[128] = ""; // pages: mapped, resident, ...
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL) return (double)limit.rlim_cur;
  const bool is_read = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  char *rest = line;
  const double mapped = is_read ? strtod(line, &rest) : 0;
  const double resident = is_read ? strtod(rest, NULL) : 0;
  const double left = (double)limit.rlim_cur - (mapped - resident) * (double)sysconf(_SC_PAGESIZE);
  return left > 1 ? left : 1;
}

static double rank_memory(int ranks_here)
{
  return smaller_limit(tg_environment_memory_bytes() / ranks_here, address_space_bytes());
}

// ---- all of it ----

// Ranks of the same node: how many, and the union of their cores.
static tg_status ask_node(MPI_Comm comm, tg_environment *out, const cpu_set_t *mine)
{
  MPI_Comm node = MPI_COMM_NULL;
  if (MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) != MPI_SUCCESS)
    TG_FAIL(TG_MPI, "cannot find the ranks of this node");
  MPI_Comm_size(node, &out->ranks_here);
  cpu_set_t all = *mine;
  MPI_Allreduce(MPI_IN_PLACE, &all, MASK_BYTES, MPI_UNSIGNED_CHAR, MPI_BOR, node);
  out->cores_here = CPU_COUNT(&all);
  MPI_Comm_free(&node);
  int most[2] = {out->ranks_here, out->threads};
  int fewest[2] = {out->cores_bound, out->cores_here};
  MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT, MPI_MAX, comm);
  MPI_Allreduce(MPI_IN_PLACE, fewest, 2, MPI_INT, MPI_MIN, comm);
  out->ranks_here = most[0];
  out->threads = most[1];
  out->cores_bound = fewest[0];
  out->cores_here = fewest[1];
  out->memory = rank_memory(out->ranks_here);
  MPI_Allreduce(MPI_IN_PLACE, &out->memory, 1, MPI_DOUBLE, MPI_MIN, comm);
  return TG_OK;
}

// Each rank has the core that fits its own CPU: where they differ, how many ranks have which.
static tg_status compare_cores(MPI_Comm comm, tg_environment *out)
{
  enum { WIDTH = TG_BLAS_NAME_BYTES };
  char *all = NULL;
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  TG_TRY(tg_agree_memory(comm, TG_NEW((int64_t)out->ranks * WIDTH, &all), &all));
  MPI_Allgather(out->blas.loaded.core, WIDTH, MPI_CHAR, all, WIDTH, MPI_CHAR, comm);
  size_t used = 0;
  for (int first = 0; first < out->ranks; first++) {
    const char *core = all + (size_t)first * WIDTH;
    int count = 0;
    bool is_new = true;
    for (int k = 0; k < out->ranks; k++) {
      const bool is_same = strcmp(all + (size_t)k * WIDTH, core) == 0;
      if (is_same && k < first) is_new = false;
      count += is_same;
    }
    if (count == out->ranks) break;
    if (!is_new || used >= sizeof out->blas_cores) continue;
    used += (size_t)snprintf(out->blas_cores + used, sizeof out->blas_cores - used, "%s%s on %d rank%s (from rank %d)",
                             used > 0 ? ", " : "", core, count, count == 1 ? "" : "s", first);
  }
  tg_free(all);
  return TG_OK;
}

tg_status tg_environment_get(MPI_Comm comm, tg_environment *out)
{
  *out = (tg_environment){.ranks = 1, .ranks_here = 1, .threads = omp_get_max_threads()};
  if (comm != MPI_COMM_NULL) MPI_Comm_size(comm, &out->ranks);
  get_versions(out);
  get_machine(out);
  cpu_set_t mine;
  get_cores(out, &mine);
  out->memory = rank_memory(1);
  if (out->ranks == 1) return TG_OK;
  TG_TRY(compare_cores(comm, out));
  return ask_node(comm, out, &mine);
}
