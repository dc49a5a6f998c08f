// The files of what is differentiated at the minimum.
#include "report/derivative_files.h"

#include <string.h>

#include "mpi/file/files.h"
#include "mpi/space/space.h"
#include "report/output_names.h"

// Behind the derivatives by numbers: standard errors, and what they may be off by.
enum { N_COVARIANCE = 2 };

// How many such files a variable may have, numbered from 0.
static int count_of(const tg_spec *spec)
{
  return spec->n_sensitivities + (spec->covariance.is_asked ? N_COVARIANCE : 0);
}

static const char *suffix_of(const tg_spec *spec, int which)
{
  return which == spec->n_sensitivities ? ".stderr" : ".stderr.error";
}

// What the file holds; NULL: it is not made.
static const opt_point *point_of(const tg_run *run, int which)
{
  const tg_engine *engine = run->engine;
  const int n = engine->spec->n_sensitivities;
  if (which < n) return engine->sensitivity != NULL ? engine->sensitivity->rows[which].point : NULL;
  if (engine->covariance == NULL) return NULL;
  return which == n ? engine->covariance->errors : engine->covariance->deviation;
}

// Of X and lambda: dX_dlambda; X.stderr.
static void add_name(const tg_spec *spec, const char *stem, size_t length, int which, tg_text *out)
{
  const bool is_derivative = which < spec->n_sensitivities;
  if (is_derivative) tg_text_add(out, "d");
  tg_text_add_bytes(out, stem, length);
  if (is_derivative)
    tg_text_addf(out, "_d%s", spec->sensitivities[which].name);
  else
    tg_text_add(out, suffix_of(spec, which));
}

// dir/dX_dlambda.npy, dir/X.stderr.npy or dir/X.stderr.error.npy of dir/X.npy.
static tg_status find_name(const tg_spec *spec, int variable, int which, tg_text *out)
{
  const char *name = spec->variables[variable].output;
  const char *slash = strrchr(name, '/');
  const size_t folder = slash != NULL ? (size_t)(slash - name) + 1 : 0;
  const char *dot = strrchr(name + folder, '.');
  const size_t stem = dot != NULL ? (size_t)(dot - name) : strlen(name);
  tg_text_clear(out);
  tg_text_add_bytes(out, name, folder);
  add_name(spec, name + folder, stem - folder, which, out);
  if (dot != NULL) tg_text_add(out, dot);
  return tg_text_status(out);
}

json_t *tg_derivative_files_of(const tg_run *run, int which)
{
  const tg_spec *spec = run->engine->spec;
  tg_text name;
  tg_text_init(&name);
  json_t *out = json_object();
  for (int k = 0; k < spec->n_variables && out != NULL; k++)
    if (point_of(run, which) != NULL && spec->variables[k].output != NULL && spec->output_directory != NULL &&
        find_name(spec, k, which, &name) == TG_OK)
      json_object_set_new(out, spec->variables[k].name, json_string(tg_text_string(&name)));
  tg_text_fini(&name);
  return out;
}

// ---- checks ----

static tg_status refuse_clash(const tg_spec *spec, int k, int which, tg_text *path, tg_text *room)
{
  tg_file_use found = {NULL, NULL};
  const bool is_derivative = which < spec->n_sensitivities;
  TG_TRY(find_name(spec, k, which, room));
  TG_TRY(tg_output_path(spec->output_directory, tg_text_string(room), path));
  TG_TRY(tg_output_find_use(spec, -1, spec->n_variables, tg_text_string(path), room, &found));
  if (found.other == NULL) return TG_OK;
  TG_FAIL_MARK(TG_JOB, is_derivative ? spec->sensitivities[which].mark : spec->covariance.mark,
               "%s of %s is already %s, %s", tg_text_string(path), is_derivative ? "sensitivity" : "covariance",
               found.what, found.other);
}

tg_status tg_derivative_files_check(const tg_spec *spec, tg_text *path)
{
  tg_text room;
  tg_status status = TG_OK;
  tg_text_init(&room);
  for (int k = 0; k < spec->n_variables; k++)
    for (int i = 0; i < count_of(spec) && status == TG_OK; i++)
      if (spec->variables[k].output != NULL) status = refuse_clash(spec, k, i, path, &room);
  tg_text_fini(&room);
  return status;
}

// ---- writing ----

// "dX_dlambda.npy" as the dataset "/dX_dlambda" where the format has datasets. Collective.
static tg_status write_one(const tg_run *run, int which, int k, tg_text *path, tg_text *dataset)
{
  const tg_spec *spec = run->engine->spec;
  const tg_spec_variable *variable = &spec->variables[k];
  const tg_file_format *format = NULL;
  TG_TRY(tg_file_find_target_format(variable->output, &format));
  tg_status status = find_name(spec, k, which, dataset);
  if (status == TG_OK) status = tg_output_path(spec->output_directory, tg_text_string(dataset), path);
  tg_text_clear(dataset);
  tg_text_add(dataset, "/");
  add_name(spec, variable->name, strlen(variable->name), which, dataset);
  TG_TRY(tg_agree(run->comm, status));
  return tg_file_write(tg_space_block(point_of(run, which), k), tg_text_string(path),
                       format->holds_datasets ? tg_text_string(dataset) : NULL);
}

tg_status tg_derivative_files_write(const tg_run *run)
{
  const tg_spec *spec = run->engine->spec;
  tg_text path;
  tg_text dataset;
  tg_status status = TG_OK;
  tg_text_init(&path);
  tg_text_init(&dataset);
  for (int i = 0; i < count_of(spec); i++)
    for (int k = 0; k < spec->n_variables && point_of(run, i) != NULL && status == TG_OK; k++)
      if (spec->variables[k].output != NULL) status = write_one(run, i, k, &path, &dataset);
  tg_text_fini(&dataset);
  tg_text_fini(&path);
  return status;
}

void tg_derivative_files_list(const tg_run *run, json_t *out)
{
  const tg_spec *spec = run->engine->spec;
  for (int i = 0; i < count_of(spec); i++) {
    json_t *files = tg_derivative_files_of(run, i);
    const char *name = NULL;
    json_t *file = NULL;
    json_object_foreach(files, name, file) json_array_append(out, file);
    json_decref(files);
  }
}
