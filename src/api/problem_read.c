// From what a caller says of a problem to a job on all ranks.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "api/error.h"
#include "api/host.h"
#include "api/problem.h"
#include "base/memory.h"
#include "mpi/matrix/grid.h"

void tg_api_forget(tracegrad_problem *p)
{
  tg_run_destroy(&p->run);
  tg_evaluator_destroy(&p->evaluator);
  tg_job_destroy(&p->job);
}

// ---- whether the ranks say the same ----

static uint64_t add_text(uint64_t seed, const char *text)
{
  return text != NULL ? XXH64(text, strlen(text) + 1, seed) : seed;
}

static uint64_t hash_setting(const tg_api_setting *s)
{
  return add_text(add_text((uint64_t)s->kind, s->key), s->text);
}

// Leading dimensions are each rank's own, and how its part lies.
static uint64_t hash_array(const tg_api_array *a)
{
  const int64_t facts[3] = {a->is_start, a->given.place, a->given.place == TRACEGRAD_PARTS ? 0 : a->given.order};
  return add_text(XXH64(facts, sizeof facts, 0), a->name);
}

static tg_status compare_with_root(const tracegrad_problem *p, uint64_t mine, const char *what, const char *text)
{
  uint64_t first = mine;
  TG_TRY_MPI(MPI_Bcast(&first, 1, MPI_UINT64_T, 0, p->host));
  const tg_status status =
      first == mine ? TG_OK
                    : tg_error_set(TG_USAGE, TG_HERE,
                                   "the ranks describe different problems: %s of rank %d, %.200s, is not that "
                                   "of rank 0",
                                   what, p->rank, text);
  return tg_agree(p->host, status);
}

static tg_status compare_counts(const tracegrad_problem *p)
{
  int counts[4] = {p->n_settings, -p->n_settings, p->n_arrays, -p->n_arrays};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, counts, 4, MPI_INT, MPI_MAX, p->host));
  if (counts[0] != -counts[1] || counts[2] != -counts[3])
    TG_FAIL(TG_USAGE, "the ranks describe different problems: one has said more of it than another");
  return TG_OK;
}

static tg_status compare(const tracegrad_problem *p)
{
  if (p->size == 1) return TG_OK;
  TG_TRY(compare_counts(p));
  TG_TRY(compare_with_root(p, add_text(0, p->text), "the job", p->path != NULL ? p->path : "none"));
  for (int k = 0; k < p->n_settings; k++)
    TG_TRY(compare_with_root(p, hash_setting(&p->settings[k]), p->settings[k].name, p->settings[k].text));
  for (int k = 0; k < p->n_arrays; k++)
    TG_TRY(compare_with_root(p, hash_array(&p->arrays[k]), "an array", p->arrays[k].name));
  return TG_OK;
}

// ---- the order of the ranks ----

// The process grid to take over: that of the first array whose blocks are square and whose grid has all ranks.
static const tg_array_grid *find_grid(const tracegrad_problem *p)
{
  for (int k = 0; k < p->n_arrays; k++) {
    const tg_array *a = &p->arrays[k].array;
    const tg_array_grid *g = &a->grid;
    const bool is_square = g->row_cuts == NULL && g->row_block == g->col_block && g->row_block <= 65536;
    if (a->place == TG_ARRAY_DEALT && g->rows * g->cols == p->size && is_square) return g;
  }
  return NULL;
}

static bool has_key(const tracegrad_problem *p, const char *key)
{
  const size_t length = strlen(key);
  for (int k = 0; k < p->n_settings; k++) {
    const char *text = p->settings[k].text;
    if (p->settings[k].kind == TG_JOB_SET && strncmp(text, key, length) == 0 &&
        (text[length] == '=' || text[length] == '.'))
      return true;
  }
  return false;
}

// Ranks row by row of the grid, as tg_grid numbers them.
static tg_status order_ranks(tracegrad_problem *p, const tg_array_grid *g)
{
  if (p->comm != p->host) MPI_Comm_free(&p->comm);
  p->comm = p->host;
  p->root = 0;
  const int place = g != NULL ? g->row * g->cols + g->col : p->rank;
  int moves = place != p->rank;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &moves, 1, MPI_INT, MPI_MAX, p->host));
  if (moves == 0) return TG_OK;
  TG_TRY_MPI(MPI_Comm_split(p->host, 0, place, &p->comm));
  p->root = place;
  TG_TRY_MPI(MPI_Bcast(&p->root, 1, MPI_INT, 0, p->host));
  return TG_OK;
}

static tg_status describe_arrays(tracegrad_problem *p)
{
  for (int k = 0; k < p->n_arrays; k++) {
    tg_api_array *a = &p->arrays[k];
    TG_TRY(tg_api_make_array(p, p->comm, a->name, &a->given, a->descriptor, a->places, a->cuts, &a->array));
  }
  return TG_OK;
}

// Twice: the grid that is found numbers the ranks in which the arrays' processes are stated. *grid: taken over.
static tg_status place_arrays(tracegrad_problem *p, bool takes_grid, tg_array_grid *grid, bool *is_taken)
{
  *is_taken = false;
  TG_TRY(order_ranks(p, NULL));
  TG_TRY(describe_arrays(p));
  const tg_array_grid *found = takes_grid ? find_grid(p) : NULL;
  if (found == NULL) return TG_OK;
  *grid = *found;
  *is_taken = true;
  TG_TRY(order_ranks(p, found));
  return describe_arrays(p);
}

// ---- the job ----

static bool is_declaration(const tg_api_setting *s)
{
  return strcmp(s->name, "variable") == 0 || strcmp(s->name, "data") == 0;
}

static tg_job_setting as_setting(const tg_api_setting *s)
{
  return (tg_job_setting){.kind = s->kind, .name = s->name, .key = s->key, .text = s->text};
}

// Declarations first, so that what is said of a name may be said before.
static int list_settings(const tracegrad_problem *p, tg_job_setting *out)
{
  int n = 0;
  for (int k = 0; k < p->n_settings; k++)
    if (is_declaration(&p->settings[k])) out[n++] = as_setting(&p->settings[k]);
  for (int k = 0; k < p->n_settings; k++)
    if (!is_declaration(&p->settings[k])) out[n++] = as_setting(&p->settings[k]);
  return n;
}

static tg_status create_job(const tracegrad_problem *p, const tg_array_grid *grid, tg_job **out)
{
  char text[120] = "";
  tg_job_setting *settings = NULL;
  TG_TRY(TG_NEW(p->n_settings + 1, &settings));
  int n = list_settings(p, settings);
  if (grid != NULL) {
    snprintf(text, sizeof text, "process_grid={rows: %d, columns: %d, block: %" PRId64 "}", grid->rows, grid->cols,
             grid->row_block);
    settings[n++] = (tg_job_setting){.kind = TG_JOB_SET, .name = "process grid", .text = text};
  }
  const char *job = p->text != NULL ? p->text : "";
  const tg_status status =
      tg_job_create_with(p->path != NULL ? p->path : "problem", job, strlen(job), n, settings, out);
  tg_free(settings);
  return status;
}

// Files are written where their folder was asked for.
static void leave_out_files(tg_job *job)
{
  if (tg_yaml_get(tg_yaml_get(job->root, "output"), "directory") != NULL) return;
  job->spec.output_directory = NULL;
  for (int k = 0; k < job->spec.n_variables; k++) job->spec.variables[k].output = NULL;
}

static tg_status attach_arrays(const tracegrad_problem *p, tg_job *job)
{
  tg_spec *spec = &job->spec;
  for (int k = 0; k < p->n_arrays; k++) {
    const tg_api_array *a = &p->arrays[k];
    const int i = a->is_start ? tg_spec_find_variable(spec, a->name) : tg_spec_find_data(spec, a->name);
    // A later setting may have given the name another source.
    if (i < 0) continue;
    if (a->is_start)
      spec->variables[i].start_array = &a->array;
    else
      spec->data[i].array = &a->array;
  }
  return TG_OK;
}

static tg_status read_text(const tracegrad_problem *p, const tg_array_grid *grid, tg_job **out)
{
  tg_api_call call;
  TG_TRY(tg_api_enter(&call));
  tg_status status = create_job(p, grid, out);
  if (status == TG_OK) status = tg_job_read(*out);
  tg_api_leave(&call);
  return status;
}

static tg_status read_job(tracegrad_problem *p, const tg_array_grid *grid)
{
  TG_TRY(read_text(p, grid, &p->job));
  leave_out_files(p->job);
  p->messages = tg_api_warnings(&p->comm);
  p->job->spec.messages = &p->messages;
  return attach_arrays(p, p->job);
}

// A grid of the job's file goes before that of an array.
static bool file_has_grid(const tracegrad_problem *p)
{
  return p->text != NULL && strstr(p->text, "process_grid") != NULL;
}

tg_status tg_api_read(tracegrad_problem *p)
{
  tg_array_grid grid = {0};
  bool is_taken = false;
  int is_read = p->is_read ? 1 : 0;
  // Ranks that described it again compare with those that did not.
  if (p->size > 1) TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &is_read, 1, MPI_INT, MPI_MIN, p->host));
  if (is_read) return TG_OK;
  tg_api_forget(p);
  p->is_read = false;
  TG_TRY(compare(p));
  TG_TRY(place_arrays(p, !has_key(p, "process_grid") && !file_has_grid(p), &grid, &is_taken));
  TG_TRY(tg_agree(p->comm, read_job(p, is_taken ? &grid : NULL)));
  p->is_read = true;
  return TG_OK;
}
