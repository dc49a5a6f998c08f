// Problems: their life, and what a caller says of them.
#include "api/problem.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/error.h"
#include "api/host.h"
#include "base/memory.h"
#include "job/job_validate.h"
#include "mpi/matrix/grid.h"

// ---- collective calls and failures ----

tg_status tg_api_meet(const tracegrad_problem *p, tg_api_call_id call, tg_status local)
{
  if (p->size == 1) return local;
  TG_TRY(tg_agree(p->host, local));
  int range[2] = {(int)call, -(int)call};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_INT, MPI_MAX, p->host));
  if (range[0] != -range[1])
    TG_FAIL(TG_USAGE, "the ranks of the problem's communicator make different calls: all of them need the same");
  return TG_OK;
}

tg_status tg_api_check_problem(const tracegrad_problem *p)
{
  if (p == NULL) TG_FAIL(TG_USAGE, "the problem is NULL");
  if (p->is_running) TG_FAIL(TG_USAGE, "the problem is being minimised: its callback may read the point it is given");
  return TG_OK;
}

tg_status tg_api_check_place(const tracegrad_problem *p, const void *place)
{
  TG_TRY(tg_api_check_problem(p));
  if (place == NULL) TG_FAIL(TG_USAGE, "the place for the result is NULL");
  return TG_OK;
}

int tg_api_end(tracegrad_problem *p, tg_status status)
{
  if (status == TG_OK) return 0;
  tg_job *job = p != NULL ? p->job : NULL;
  const int exit_class = tg_api_fail_job(job, status);
  // A failure that is reported is not found again with the next one.
  if (job != NULL) job->errors = (tg_errors){0};
  return exit_class;
}

// ---- life ----

static tg_status copy_text(const char *text, char **out)
{
  if (text == NULL) TG_FAIL(TG_USAGE, "a text is NULL");
  const size_t bytes = strlen(text) + 1;
  TG_TRY(tg_alloc((int64_t)bytes, 1, (void **)out));
  memcpy(*out, text, bytes);
  return TG_OK;
}

static tg_status check_out(tracegrad_problem **out)
{
  if (out == NULL) TG_FAIL(TG_USAGE, "the place for the problem is NULL");
  return TG_OK;
}

static tg_status create(MPI_Comm comm, tracegrad_problem **out)
{
  if (out != NULL) *out = NULL;
  TG_TRY(tg_api_check_host(comm));
  TG_TRY(tg_agree(comm, check_out(out)));
  TG_TRY(tg_api_examine_blas(comm));
  tracegrad_problem *p = NULL;
  const tg_status status = tg_agree(comm, TG_NEW(1, &p));
  if (status != TG_OK) {
    tg_free(p);
    return tg_error_pass(status, TG_HERE);
  }
  MPI_Comm_dup(comm, &p->host);
  MPI_Comm_rank(p->host, &p->rank);
  MPI_Comm_size(p->host, &p->size);
  p->comm = p->host;
  tg_text_init(&p->plan);
  tg_text_init(&p->report);
  tg_text_init(&p->method_reason);
  tg_text_init(&p->preconditioner);
  *out = p;
  return TG_OK;
}

int tracegrad_problem_create(MPI_Comm comm, tracegrad_problem **out)
{
  return tg_api_end(NULL, create(comm, out));
}

int tracegrad_problem_create_fortran(MPI_Fint comm, tracegrad_problem **out)
{
  if (tg_api_check_host(MPI_COMM_WORLD) != TG_OK) return tracegrad_problem_create(MPI_COMM_NULL, out);
  return tracegrad_problem_create(MPI_Comm_f2c(comm), out);
}

// The job's text on rank 0, which the others get with the description.
static tg_status keep_job(tracegrad_problem *p, const char *name, const char *text, size_t length)
{
  TG_TRY(copy_text(name, &p->path));
  TG_TRY(tg_alloc((int64_t)length + 1, 1, (void **)&p->text));
  memcpy(p->text, text, length);
  return TG_OK;
}

static tg_status share_length(const tracegrad_problem *p, int64_t *length)
{
  return tg_mpi_check(MPI_Bcast(length, 1, MPI_INT64_T, 0, p->host), TG_HERE);
}

static tg_status load(tracegrad_problem *p, const char *path)
{
  char *text = NULL;
  size_t bytes = 0;
  tg_status status = path == NULL ? tg_error_set(TG_USAGE, TG_HERE, "the path of the job is NULL") : TG_OK;
  if (status == TG_OK && p->rank == 0) status = tg_job_load(path, &text, &bytes);
  int64_t length = (int64_t)bytes;
  TG_TRY_GOTO(tg_agree(p->host, status));
  TG_TRY_GOTO(share_length(p, &length));
  if (p->rank != 0) status = tg_alloc(length + 1, 1, (void **)&text);
  TG_TRY_GOTO(tg_agree(p->host, status));
  TG_TRY_GOTO(tg_mpi_check(MPI_Bcast(text, (int)length, MPI_CHAR, 0, p->host), TG_HERE));
  status = tg_agree(p->host, keep_job(p, path, text, (size_t)length));
done:
  tg_free(text);
  return status;
}

int tracegrad_problem_from_job(MPI_Comm comm, const char *path, tracegrad_problem **out)
{
  int exit_class = tracegrad_problem_create(comm, out);
  if (exit_class != 0) return exit_class;
  exit_class = tg_api_end(NULL, load(*out, path));
  if (exit_class != 0) tracegrad_problem_destroy(out);
  return exit_class;
}

static tg_status keep_text(tracegrad_problem *p, const char *name, const char *text)
{
  if (text == NULL) TG_FAIL(TG_USAGE, "the text of the job is NULL");
  return keep_job(p, name != NULL ? name : "job", text, strlen(text));
}

int tracegrad_problem_from_text(MPI_Comm comm, const char *name, const char *text, tracegrad_problem **out)
{
  int exit_class = tracegrad_problem_create(comm, out);
  if (exit_class != 0) return exit_class;
  tracegrad_problem *p = *out;
  exit_class = tg_api_end(NULL, tg_agree(p->host, keep_text(p, name, text)));
  if (exit_class != 0) tracegrad_problem_destroy(out);
  return exit_class;
}

static void free_array(tg_api_array *a)
{
  tg_free(a->name);
  tg_free(a->places);
  tg_free(a->cuts);
}

void tracegrad_problem_destroy(tracegrad_problem **problem)
{
  if (problem == NULL || *problem == NULL) return;
  tracegrad_problem *p = *problem;
  *problem = NULL;
  if (tg_api_check_host(p->host) != TG_OK) return; // what is made of communicators went with them
  tg_api_forget(p);
  if (p->comm != p->host) MPI_Comm_free(&p->comm);
  MPI_Comm_free(&p->host);
  for (int k = 0; k < p->n_settings; k++) tg_free(p->settings[k].text);
  for (int k = 0; k < p->n_arrays; k++) free_array(&p->arrays[k]);
  tg_free(p->settings);
  tg_free(p->arrays);
  tg_free(p->path);
  tg_free(p->text);
  tg_text_fini(&p->plan);
  tg_text_fini(&p->report);
  tg_text_fini(&p->method_reason);
  tg_text_fini(&p->preconditioner);
  tg_free(p);
}

// ---- settings ----

// Whether the problem may be described now.
static tg_status begin_description(tracegrad_problem *p)
{
  TG_TRY(tg_api_check_problem(p));
  if (p->n_points > 0)
    TG_FAIL(TG_USAGE, "the problem has %d point%s, which hold to its description: destroy them first", p->n_points,
            p->n_points == 1 ? "" : "s");
  return TG_OK;
}

// The path of KEY=VALUE, with what ends it.
static size_t key_length(const char *text)
{
  return strcspn(text, "=") + 1;
}

// Whether the new setting stands for the old one: the same key, or an objective for an objective.
static bool replaces(const tg_api_setting *old, const tg_api_setting *new)
{
  if (old->kind != new->kind || new->kind == TG_JOB_ADD) return false;
  if (new->kind == TG_JOB_WRITE) return true;
  const size_t length = key_length(new->text);
  return key_length(old->text) == length && strncmp(old->text, new->text, length) == 0;
}

// Takes over the text, on failure too.
static tg_status add_setting(tracegrad_problem *p, tg_api_setting new)
{
  p->is_read = false;
  for (int k = 0; k < p->n_settings; k++) {
    if (!replaces(&p->settings[k], &new)) continue;
    tg_free(p->settings[k].text);
    p->settings[k] = new;
    return TG_OK;
  }
  void *grown = p->settings;
  const tg_status status = tg_grow(p->n_settings + 1, sizeof *p->settings, &grown);
  if (status != TG_OK) {
    tg_free(new.text);
    return tg_error_pass(status, TG_HERE);
  }
  p->settings = grown;
  p->settings[p->n_settings++] = new;
  return TG_OK;
}

// KEY=VALUE
__attribute__((format(printf, 3, 4))) static tg_status set_path(tracegrad_problem *p, const char *name,
                                                                const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = NULL;
  TG_TRY(tg_alloc((int64_t)length + 1, 1, (void **)&text));
  va_start(arguments, format);
  vsnprintf(text, (size_t)length + 1, format, arguments);
  va_end(arguments);
  return add_setting(p, (tg_api_setting){.kind = TG_JOB_SET, .name = name, .text = text});
}

static tg_status set_text(tracegrad_problem *p, tg_job_setting_kind kind, const char *name, const char *key,
                          const char *given)
{
  char *text = NULL;
  TG_TRY(begin_description(p));
  if (given == NULL) TG_FAIL(TG_USAGE, "the text of %s is NULL", name);
  TG_TRY(copy_text(given, &text));
  return add_setting(p, (tg_api_setting){.kind = kind, .name = name, .key = key, .text = text});
}

int tracegrad_problem_objective(tracegrad_problem *p, const char *expression, int maximize)
{
  const char *key = maximize != 0 ? "maximize" : "minimize";
  return tg_api_end(NULL, set_text(p, TG_JOB_WRITE, "objective", key, expression));
}

int tracegrad_problem_subject_to(tracegrad_problem *p, const char *relation)
{
  return tg_api_end(NULL, set_text(p, TG_JOB_ADD, "subject_to", "subject_to", relation));
}

// ---- options ----

// What can be judged without the names of the problem.
static bool stands_alone(const char *key)
{
  static const char *const named[] = {"variables", "data", "minimize", "maximize", "subject_to", "output.variables"};
  for (size_t k = 0; k < sizeof named / sizeof named[0]; k++)
    if (strncmp(key, named[k], strlen(named[k])) == 0) return false;
  return true;
}

// A job of this setting alone: what is wrong with it is wrong in any.
static tg_status judge(const char *text)
{
  tg_job *job = NULL;
  const tg_job_setting setting = {.kind = TG_JOB_SET, .name = "option", .text = text};
  tg_api_call call;
  TG_TRY(tg_api_enter(&call));
  tg_status status = tg_job_create_with("option", "", 0, 1, &setting, &job);
  if (status == TG_OK) status = tg_job_validate_settings(job);
  tg_api_leave(&call);
  if (status != TG_OK) tg_api_fail_job(job, status);
  tg_job_destroy(&job);
  return status;
}

// *is_kept: the failure was located where its text is known.
static tg_status set_option(tracegrad_problem *p, const char *key, const char *value, bool *is_kept)
{
  TG_TRY(begin_description(p));
  if (key == NULL || value == NULL) TG_FAIL(TG_USAGE, "the %s of the option is NULL", key == NULL ? "key" : "value");
  if (strchr(key, '=') != NULL) TG_FAIL(TG_USAGE, "the key '%.80s' has a = in it: key and value are two texts", key);
  TG_TRY(set_path(p, "option", "%s=%s", key, value));
  if (!stands_alone(key)) return TG_OK;
  const tg_api_setting *last = &p->settings[p->n_settings - 1];
  for (int k = 0; k < p->n_settings; k++)
    if (p->settings[k].kind == TG_JOB_SET && strncmp(p->settings[k].text, key, strlen(key)) == 0 &&
        p->settings[k].text[strlen(key)] == '=')
      last = &p->settings[k];
  *is_kept = true;
  return judge(last->text);
}

int tracegrad_problem_set(tracegrad_problem *p, const char *key, const char *value)
{
  bool is_kept = false;
  const tg_status status = set_option(p, key, value, &is_kept);
  return is_kept ? tg_status_exit(status) : tg_api_end(NULL, status);
}

// ---- variables and data ----

static tg_status check_name(const char *name)
{
  if (name == NULL) TG_FAIL(TG_USAGE, "the name is NULL");
  return tg_job_check_name(name);
}

static tg_status declare(tracegrad_problem *p, const char *name, int64_t rows, int64_t columns)
{
  TG_TRY(begin_description(p));
  TG_TRY(check_name(name));
  if (rows < 0 || columns < 0)
    TG_FAIL(TG_SHAPE, "%s is %" PRId64 " x %" PRId64 ", expected sizes of at least 1, or 0 where they follow", name,
            rows, columns);
  char size[2][40] = {"", ""};
  if (rows > 0) snprintf(size[0], sizeof size[0], "rows: %" PRId64, rows);
  if (columns > 0) snprintf(size[1], sizeof size[1], "columns: %" PRId64, columns);
  const bool has_both = rows > 0 && columns > 0;
  return set_path(p, "variable", "variables.%s={%s%s%s}", name, size[0], has_both ? ", " : "", size[1]);
}

int tracegrad_problem_variable(tracegrad_problem *p, const char *name, int64_t rows, int64_t columns)
{
  return tg_api_end(NULL, declare(p, name, rows, columns));
}

static tg_api_array *find_array(const tracegrad_problem *p, const char *name, bool is_start)
{
  for (int k = 0; k < p->n_arrays; k++)
    if (p->arrays[k].is_start == is_start && strcmp(p->arrays[k].name, name) == 0) return &p->arrays[k];
  return NULL;
}

static void drop_array(tracegrad_problem *p, const char *name, bool is_start)
{
  tg_api_array *a = find_array(p, name, is_start);
  if (a == NULL) return;
  free_array(a);
  *a = p->arrays[--p->n_arrays];
}

static tg_status set_number(tracegrad_problem *p, const char *name, double value)
{
  TG_TRY(begin_description(p));
  TG_TRY(check_name(name));
  if (!isfinite(value)) TG_FAIL(TG_VALUE, "%s is %g, expected a finite number", name, value);
  drop_array(p, name, false);
  tg_api_call call;
  TG_TRY(tg_api_enter(&call));
  const tg_status status = set_path(p, "data", "data.%s=%.17g", name, value);
  tg_api_leave(&call);
  return status;
}

int tracegrad_problem_number(tracegrad_problem *p, const char *name, double value)
{
  return tg_api_end(NULL, set_number(p, name, value));
}

static tg_status make_entry(tracegrad_problem *p, const char *name, bool is_start, tg_api_array **out)
{
  *out = find_array(p, name, is_start);
  if (*out != NULL) return TG_OK;
  tg_api_array new = {.is_start = is_start};
  void *grown = p->arrays;
  TG_TRY(tg_grow(p->n_arrays + 1, sizeof *p->arrays, &grown));
  p->arrays = grown;
  TG_TRY(copy_text(name, &new.name));
  const tg_status status = tg_api_make_room(p, &new.places, &new.cuts);
  if (status != TG_OK) {
    free_array(&new);
    return tg_error_pass(status, TG_HERE);
  }
  *out = &p->arrays[p->n_arrays++];
  **out = new;
  return TG_OK;
}

static tg_status give(tracegrad_problem *p, const char *name, bool is_start, const tracegrad_array *array)
{
  tracegrad_array copy;
  int descriptor[9] = {0};
  tg_api_array *entry = NULL;
  TG_TRY(begin_description(p));
  TG_TRY(check_name(name));
  TG_TRY(tg_api_copy_array(name, array, &copy, descriptor));
  TG_TRY(make_entry(p, name, is_start, &entry));
  entry->given = copy;
  memcpy(entry->descriptor, descriptor, sizeof descriptor);
  if (is_start) return set_path(p, "start", "variables.%s.start=memory", name);
  return set_path(p, "data", "data.%s={memory: true, rows: %" PRId64 ", columns: %" PRId64 "}", name, copy.rows,
                  copy.columns);
}

int tracegrad_problem_start(tracegrad_problem *p, const char *name, const tracegrad_array *array)
{
  return tg_api_end(NULL, give(p, name, true, array));
}

int tracegrad_problem_data(tracegrad_problem *p, const char *name, const tracegrad_array *array)
{
  return tg_api_end(NULL, give(p, name, false, array));
}

// ---- how to minimise ----

int tracegrad_problem_on_iteration(tracegrad_problem *p, tracegrad_callback callback, void *self)
{
  const tg_status status = tg_api_check_problem(p);
  if (status != TG_OK) return tg_api_end(NULL, status);
  p->callback = callback;
  p->callback_self = self;
  return 0;
}

int tracegrad_problem_resume(tracegrad_problem *p, int resume)
{
  const tg_status status = tg_api_check_problem(p);
  if (status != TG_OK) return tg_api_end(NULL, status);
  p->resumes = resume != 0;
  return 0;
}
