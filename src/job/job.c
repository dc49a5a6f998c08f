// The job: loading its text, its errors in their place, small lookups.
#include "job/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { JOB_MAX_BYTES = 4 << 20, SHOWN_SET_BYTES = 60 };

// ---- loading ----

static tg_status read_whole(int file, const char *path, char *text, size_t length)
{
  for (size_t done = 0; done < length;) {
    const ssize_t got = read(file, text + done, length - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) TG_FAIL(TG_DATA, "cannot read the job file %s: %s", path, strerror(errno));
    if (got == 0) TG_FAIL(TG_DATA, "the job file %s became shorter while it was read", path);
    done += (size_t)got;
  }
  return TG_OK;
}

static tg_status load_open(int file, const char *path, char **text, size_t *length)
{
  struct stat info;
  if (fstat(file, &info) != 0) TG_FAIL(TG_DATA, "cannot examine the job file %s: %s", path, strerror(errno));
  if (S_ISDIR(info.st_mode)) TG_FAIL(TG_DATA, "%s is a directory; give the job file inside it", path);
  if (!S_ISREG(info.st_mode)) TG_FAIL(TG_DATA, "%s is no regular file", path);
  if (info.st_size > JOB_MAX_BYTES)
    TG_FAIL(TG_LIMIT, "%s has %lld bytes, a job file at most %d; is it the right file?", path, (long long)info.st_size,
            JOB_MAX_BYTES);
  void *memory = NULL;
  TG_TRY(tg_alloc(info.st_size + 1, 1, &memory));
  const tg_status status = read_whole(file, path, memory, (size_t)info.st_size);
  if (status != TG_OK) {
    tg_free(memory);
    return status;
  }
  *text = memory;
  *length = (size_t)info.st_size;
  return TG_OK;
}

// Standard input, which has no size beforehand.
static tg_status load_stream(char **text, size_t *length)
{
  void *memory = NULL;
  TG_TRY(tg_alloc(JOB_MAX_BYTES + 1, 1, &memory));
  size_t done = 0;
  ssize_t got = 1;
  while (got > 0 && done <= JOB_MAX_BYTES) {
    got = read(STDIN_FILENO, (char *)memory + done, JOB_MAX_BYTES + 1 - done);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      done += (size_t)got;
  }
  tg_status status = TG_OK;
  if (got < 0)
    status = tg_error_set(TG_DATA, TG_HERE, "cannot read the job from standard input: %s", strerror(errno));
  else if (done > JOB_MAX_BYTES)
    status = tg_error_set(TG_LIMIT, TG_HERE, "standard input has more than %d bytes, a job has at most as many",
                          JOB_MAX_BYTES);
  if (status != TG_OK) {
    tg_free(memory);
    return tg_error_pass(status, TG_HERE);
  }
  *text = memory;
  *length = done;
  return TG_OK;
}

tg_status tg_job_load(const char *path, char **text, size_t *length)
{
  if (strcmp(path, "-") == 0) return load_stream(text, length);
  *text = NULL;
  *length = 0;
  // Without O_NONBLOCK a pipe given by mistake would wait for a writer.
  const int file = open(path, O_RDONLY | O_NONBLOCK);
  if (file < 0) TG_FAIL(TG_DATA, "cannot open the job file %s: %s", path, strerror(errno));
  const tg_status status = load_open(file, path, text, length);
  close(file);
  return status;
}

// ---- life ----

static tg_status copy_source(tg_job *job, tg_source *source, const char *name, const char *text, size_t length)
{
  source->name = name;
  source->length = length;
  source->id = (int32_t)(source - job->sources) + 1;
  return tg_arena_string(&job->arena, text, length, &source->text);
}

static tg_status copy_string(tg_job *job, const char *text, const char **out)
{
  *out = NULL;
  return text != NULL ? tg_arena_string(&job->arena, text, strlen(text), out) : TG_OK;
}

static tg_status copy_setting(tg_job *job, const tg_job_setting *setting, int k)
{
  tg_job_setting *copy = &job->settings[k];
  copy->kind = setting->kind;
  TG_TRY(copy_string(job, setting->name, &copy->name));
  TG_TRY(copy_string(job, setting->key, &copy->key));
  TG_TRY(copy_source(job, &job->sources[k + 1], copy->name, setting->text, strlen(setting->text)));
  copy->text = job->sources[k + 1].text;
  return TG_OK;
}

static tg_status fill(tg_job *job, const char *path, const char *text, size_t length, int n,
                      const tg_job_setting *settings)
{
  TG_TRY(tg_arena_string(&job->arena, path, strlen(path), &job->path));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)n + 1, &job->sources));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)n + 1, &job->settings));
  job->n_sources = n + 1;
  const char *shown = strcmp(path, "-") == 0 ? "<stdin>" : job->path;
  TG_TRY(copy_source(job, &job->sources[0], shown, text, length));
  for (int k = 0; k < n; k++) TG_TRY(copy_setting(job, &settings[k], k));
  return TG_OK;
}

tg_status tg_job_create_with(const char *path, const char *text, size_t length, int n, const tg_job_setting *settings,
                             tg_job **out)
{
  *out = NULL;
  tg_job *job = NULL;
  TG_TRY(TG_NEW(1, &job));
  tg_arena_init(&job->arena);
  const tg_status status = fill(job, path, text, length, n, settings);
  if (status != TG_OK) {
    tg_job_destroy(&job);
    return tg_error_pass(status, TG_HERE);
  }
  *out = job;
  return TG_OK;
}

// "--set solver.memory=5"; a long value is cut in the name, the line below shows it.
static tg_status name_set(tg_arena *arena, const char *argument, const char **out)
{
  char name[SHOWN_SET_BYTES + 16];
  size_t shown = strcspn(argument, "\r\n");
  if (shown > SHOWN_SET_BYTES) shown = SHOWN_SET_BYTES;
  const bool cut = argument[shown] != '\0';
  const int length = snprintf(name, sizeof name, "--set %.*s%s", (int)shown, argument, cut ? "..." : "");
  return tg_arena_string(arena, name, (size_t)length, out);
}

static tg_status list_sets(tg_arena *arena, int n, const char *const *sets, tg_job_setting **out)
{
  TG_TRY(TG_ARENA_NEW(arena, (size_t)n + 1, out));
  for (int k = 0; k < n; k++) {
    (*out)[k] = (tg_job_setting){.kind = TG_JOB_SET, .text = sets[k]};
    TG_TRY(name_set(arena, sets[k], &(*out)[k].name));
  }
  return TG_OK;
}

tg_status tg_job_create(const char *path, const char *text, size_t length, int n_sets, const char *const *sets,
                        tg_job **out)
{
  tg_arena arena;
  tg_job_setting *settings = NULL;
  *out = NULL;
  tg_arena_init(&arena);
  tg_status status = list_sets(&arena, n_sets, sets, &settings);
  if (status == TG_OK) status = tg_job_create_with(path, text, length, n_sets, settings, out);
  tg_arena_fini(&arena);
  return status;
}

void tg_job_destroy(tg_job **job)
{
  if (*job == NULL) return;
  tg_arena_fini(&(*job)->arena);
  tg_free(*job);
  *job = NULL;
}

// ---- messages ----

const tg_source *tg_job_source(const tg_job *job, int32_t id)
{
  TG_ASSERT(id >= 1 && id <= job->n_sources);
  return &job->sources[id - 1];
}

// Failures while running (disk, memory, numbers) carry no span: they are not the job file's fault.
const tg_source *tg_job_error_source(const tg_job *job)
{
  const tg_error *error = tg_error_get();
  return job != NULL && error->has_span && error->source > 0 ? tg_job_source(job, error->source) : NULL;
}

void tg_job_diagnose(const tg_job *job, tg_status status, tg_text *out)
{
  tg_error_diagnose(status, tg_job_error_source(job), out);
}

// ---- lookups ----

tg_status tg_job_excerpt(tg_job *job, const tg_yaml_node *scalar, tg_excerpt *out)
{
  size_t *offsets = NULL;
  TG_TRY(tg_yaml_offsets(&job->arena, tg_job_source(job, scalar->mark.source), scalar, &offsets));
  *out = (tg_excerpt){.text = scalar->text, .length = scalar->length, .offsets = offsets, .mark = scalar->mark};
  return TG_OK;
}

tg_status tg_job_path(tg_job *job, const char *path, const char **out)
{
  const char *slash = strrchr(job->path, '/');
  const size_t folder = path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - job->path) + 1;
  tg_text text;
  tg_text_init(&text);
  tg_text_add_bytes(&text, job->path, folder);
  tg_text_add(&text, path);
  tg_status status = tg_text_status(&text);
  if (status == TG_OK) status = tg_arena_string(&job->arena, tg_text_string(&text), text.length, out);
  tg_text_fini(&text);
  return status;
}
