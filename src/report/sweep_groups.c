// A sweep whose ranks are split into groups that take points side by side.
#include "report/sweep_groups.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/run/environment.h"
#include "engine/sweep/points.h"
#include "report/outputs.h"
#include "report/sweep_report.h"

// ---- how many ----

// Seconds of the whole sweep on so many groups by the model; infinite where a rank has not the memory.
static tg_status price(const tg_spec *first, int ranks, int threads, double rank_bytes, int64_t n_points, int n_groups,
                       double *out)
{
  // What the model does not price: plans are made and files are written, on each rank of a group alike.
  static const double point_seconds = 5e-3;
  static const double iterations = 30;
  const tg_lower_options options = {.want_hessian = true, .expected_iterations = first->solver.max_iterations};
  const double points = (double)((n_points + n_groups - 1) / n_groups);
  tg_preview *preview = NULL;
  tg_sweep_price one;
  *out = (double)INFINITY;
  tg_status status = tg_preview_create(first, &options, ranks / n_groups, threads, &preview);
  if (status == TG_OK) status = tg_sweep_price_point(preview, threads, &one);
  if (status == TG_OK && !(rank_bytes > 0 && preview->forecast.total > rank_bytes))
    *out = one.once_seconds + points * (point_seconds + one.each_seconds * (one.is_direct ? 1 : iterations));
  tg_preview_destroy(&preview);
  return status;
}

static tg_status choose(const tg_spec *base, int ranks, int threads, double rank_bytes, int64_t n_points, int *out)
{
  tg_spec *first = NULL;
  double least = 0;
  *out = 1;
  if (base->grid_rows > 0) return TG_OK; // the grid is all of the ranks
  tg_status status = tg_sweep_spec_at(base, 0, &first);
  if (status == TG_OK) {
    first->errors = NULL;
    first->messages = NULL;
  }
  for (int groups = 1; groups <= ranks && groups <= n_points && status == TG_OK; groups++) {
    double seconds = 0;
    if (ranks % groups != 0) continue;
    status = price(first, ranks, threads, rank_bytes, n_points, groups, &seconds);
    if (groups > 1 && !(seconds < least)) continue;
    least = seconds;
    *out = groups;
  }
  tg_sweep_destroy_spec(&first);
  return status;
}

tg_status tg_sweep_count_groups(const tg_spec *base, int ranks, int threads, double rank_bytes, int64_t n_points,
                                int *out)
{
  const tg_sweep *sweep = base->sweep;
  if (sweep->n_groups == TG_SWEEP_GROUPS_AUTO) return choose(base, ranks, threads, rank_bytes, n_points, out);
  *out = sweep->n_groups;
  if (*out > 1 && *out > ranks)
    TG_FAIL_MARK(TG_VALUE, sweep->groups_mark, "sweep_groups: %d groups need as many ranks, there are %d", *out, ranks);
  if (*out > 1 && base->grid_rows > 0 && (int64_t)base->grid_rows * base->grid_cols * *out != ranks)
    TG_FAIL_MARK(TG_VALUE, base->grid_mark, "process_grid %d x %d in %d groups needs %lld ranks, there are %d",
                 base->grid_rows, base->grid_cols, *out, (long long)base->grid_rows * base->grid_cols * *out, ranks);
  if (*out > n_points) *out = (int)n_points;
  return TG_OK;
}

// ---- the run ----

// The part of the points that a group takes: neighbours.
static void take_part(const tg_sweep_options *all, int group, int n_groups, tg_sweep_options *out)
{
  const int64_t n = all->last - all->first + 1;
  *out = *all;
  out->first = all->first + group * n / n_groups;
  out->last = all->first + (group + 1) * n / n_groups - 1;
  out->group = group;
  out->n_groups = n_groups;
  out->run.warns = out->run.warns && group == 0;
  if (group == 0) return;
  out->watch.first = out->watch.others;
  out->watch.begun = NULL;
}

// Rows that an earlier run has left of the points that are run again, as a file of their own or within the whole.
// Rank 0.
static tg_status forget_earlier(const tg_job *job, const tg_sweep_options *options)
{
  char fingerprint[17];
  TG_TRY(tg_sweep_fingerprint(&job->spec, fingerprint));
  return tg_sweep_files_remove(job->spec.output_directory, job->spec.sweep, fingerprint, options->first, options->last);
}

// The rows of all groups, on all ranks.
static tg_status gather(MPI_Comm world, int rank, tg_sweep_run *s)
{
  char others[64];
  const tg_sweep *sweep = s->job->spec.sweep;
  json_t *data = NULL;
  tg_status status = TG_OK;
  if (rank == 0) {
    status = tg_sweep_rows_read(s->job->spec.output_directory, sweep, s->fingerprint, s->rows, others, &data);
    if (data != NULL) json_object_update_missing(s->data, data);
    json_decref(data);
  }
  TG_TRY(tg_agree(world, status));
  return tg_mpi_check(MPI_Bcast(s->rows, (int)(sweep->n_points * (int64_t)sizeof *s->rows), MPI_BYTE, 0, world),
                      TG_HERE);
}

// From the group's part to the whole. Rank 0 of all writes the joint file and the scores.
static tg_status come_together(MPI_Comm world, int rank, const tg_sweep_options *options, tg_sweep_run *s)
{
  int64_t sums[2] = {s->rank == 0 ? s->n_done : 0, s->is_interrupted};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_INT64_T, MPI_SUM, world));
  TG_TRY(gather(world, rank, s));
  s->n_done = sums[0];
  s->is_interrupted = sums[1] != 0;
  s->options = options;
  s->rank = rank;
  s->world = world;
  tg_sweep_file_name(s->job->spec.sweep, options->first, options->last, s->file);
  if (s->is_interrupted) return TG_OK;
  tg_status status = rank == 0 ? tg_sweep_finish(s) : TG_OK;
  return tg_agree(world, status);
}

static tg_status execute(MPI_Comm world, int rank, const tg_job *job, const tg_sweep_options *options, int n_groups,
                         tg_sweep_run **out)
{
  int ranks = 1;
  MPI_Comm comm = MPI_COMM_NULL;
  tg_sweep_options part;
  MPI_Comm_size(world, &ranks);
  tg_environment environment;
  TG_TRY(tg_environment_get(world, &environment));
  const int group = (int)(((int64_t)rank * n_groups) / ranks);
  take_part(options, group, n_groups, &part);
  part.run.rank_bytes = environment.memory; // all groups take from it
  TG_TRY_MPI(MPI_Comm_split(world, group, rank, &comm));
  tg_status status = tg_sweep_execute(comm, job, &part, out);
  if (*out != NULL) {
    (*out)->owned = comm;
    (*out)->options = options;
  }
  status = tg_agree(world, status);
  return status == TG_OK ? come_together(world, rank, options, *out) : status;
}

tg_status tg_sweep_execute_groups(MPI_Comm comm, const tg_job *job, const tg_sweep_options *options, int n_groups,
                                  tg_sweep_run **out)
{
  int rank = 0;
  *out = NULL;
  if (n_groups <= 1) return tg_sweep_execute(comm, job, options, out);
  MPI_Comm_rank(comm, &rank);
  tg_status status = TG_OK;
  if (rank == 0 && !options->run.resume) status = forget_earlier(job, options);
  TG_TRY(tg_agree(comm, status));
  const double begin = options->run.begin > 0 ? options->run.begin : MPI_Wtime();
  status = execute(comm, rank, job, options, n_groups, out);
  if (*out != NULL) (*out)->seconds = MPI_Wtime() - begin;
  return status;
}
