// A job of somebody else, kept to its folders: every path is resolved before anything is opened.
#include "job/confine.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

// The part of a path that does not exist yet may not climb.
static bool climbs(const char *rest)
{
  while (*rest != '\0') {
    const size_t length = strcspn(rest, "/");
    if (length == 2 && rest[0] == '.' && rest[1] == '.') return true;
    rest += length + (rest[length] == '/');
  }
  return false;
}

// The longest part that exists, without links, and the rest as it is. False where there is none, where the rest climbs,
// and where it begins with a link to nothing, which could be written through.
static bool resolve(const char *path, char out[PATH_MAX])
{
  char head[PATH_MAX];
  char real[PATH_MAX];
  struct stat facts;
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof head) return false;
  while (length > 0 && path[length - 1] == '/') length--;
  for (;;) {
    if (length > 0)
      snprintf(head, sizeof head, "%.*s", (int)length, path);
    else
      snprintf(head, sizeof head, "%s", path[0] == '/' ? "/" : ".");
    if (realpath(head, real) != NULL) break;
    if (length == 0 || lstat(head, &facts) == 0) return false;
    while (length > 0 && path[length - 1] != '/') length--;
    while (length > 0 && path[length - 1] == '/') length--;
  }
  const char *rest = path + length;
  while (*rest == '/') rest++;
  if (climbs(rest)) return false;
  const char *joint = *rest == '\0' || real[1] == '\0' ? "" : "/";
  return snprintf(out, PATH_MAX, "%s%s%s", real, joint, rest) < PATH_MAX;
}

static bool is_below(const char *path, const char *folder)
{
  const size_t length = strlen(folder);
  if (folder[1] == '\0') return true; // the root
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static tg_status require_below(tg_mark mark, const char *path, const char *folder, const char *what)
{
  char real[PATH_MAX];
  if (resolve(path, real) && is_below(real, folder)) return TG_OK;
  TG_FAIL_MARK(TG_JOB, mark, "--confined: %s is not below %s, %s", path, what, folder);
}

static tg_status confine_input(tg_mark mark, const char *path, const char *folder)
{
  return path == NULL ? TG_OK : require_below(mark, path, folder, "the folder of the job file");
}

static tg_status confine_inputs(const tg_job *job)
{
  char folder[PATH_MAX];
  const char *slash = strrchr(job->path, '/');
  const size_t length = slash == NULL ? 0 : slash == job->path ? 1 : (size_t)(slash - job->path);
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%.*s", length > 0 ? (int)length : 1, length > 0 ? job->path : ".");
  if (realpath(name, folder) == NULL) TG_FAIL(TG_DATA, "--confined: the folder of the job file cannot be resolved");
  const tg_spec *spec = &job->spec;
  for (int k = 0; k < spec->n_data; k++) TG_TRY(confine_input(spec->data[k].file_mark, spec->data[k].file, folder));
  for (int k = 0; k < spec->n_variables; k++)
    TG_TRY(confine_input(spec->variables[k].start_mark, spec->variables[k].start_file, folder));
  return TG_OK;
}

// The files of a run in the output's folder: planted links would lead out of it.
static tg_status confine_outputs(const tg_spec *job, tg_mark mark, tg_text *path)
{
  static const char *const own[] = {"report.json", "history.jsonl"};
  char folder[PATH_MAX];
  if (!resolve(job->output_directory, folder))
    TG_FAIL_MARK(TG_JOB, mark, "--confined: the folder %s cannot be resolved", job->output_directory);
  for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
    tg_text_clear(path);
    tg_text_addf(path, "%s/%s", job->output_directory, own[k]);
    TG_TRY(require_below(mark, tg_text_string(path), folder, "the folder of the output"));
  }
  for (int k = 0; k < job->n_variables; k++) {
    const tg_spec_variable *variable = &job->variables[k];
    if (variable->output == NULL) continue;
    tg_text_clear(path);
    if (variable->output[0] != '/') tg_text_addf(path, "%s/", job->output_directory);
    tg_text_add(path, variable->output);
    TG_TRY(require_below(variable->output_mark, tg_text_string(path), folder, "the folder of the output"));
  }
  return TG_OK;
}

// Points of a sweep write into folders below that of the output, whose files are not named here: no link may stand
// there.
static tg_status refuse_links(tg_mark mark, const char *folder, int depth)
{
  tg_status status = TG_OK;
  tg_text path;
  DIR *list = opendir(folder);
  if (list == NULL) return TG_OK; // nothing is there yet
  tg_text_init(&path);
  for (const struct dirent *entry = NULL; status == TG_OK && (entry = readdir(list)) != NULL;) {
    struct stat facts;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    tg_text_clear(&path);
    tg_text_addf(&path, "%s/%s", folder, entry->d_name);
    status = tg_text_status(&path);
    if (status != TG_OK || lstat(tg_text_string(&path), &facts) != 0) continue;
    if (S_ISLNK(facts.st_mode))
      status = tg_error_set_mark(TG_JOB, TG_HERE, mark, "--confined: %s is a link, and points of a sweep write there",
                                 tg_text_string(&path));
    else if (S_ISDIR(facts.st_mode) && depth > 0)
      status = refuse_links(mark, tg_text_string(&path), depth - 1);
  }
  tg_text_fini(&path);
  closedir(list);
  return status;
}

tg_status tg_job_confine(const tg_job *job, bool output_is_given)
{
  char here[PATH_MAX];
  tg_text path;
  if (realpath(".", here) == NULL) TG_FAIL(TG_DATA, "--confined: the working directory cannot be resolved");
  const tg_yaml_node *output = tg_yaml_get(tg_yaml_get(job->root, "output"), "directory");
  const tg_yaml_node *checkpoint = tg_yaml_get(tg_yaml_get(job->root, "checkpoint"), "directory");
  const tg_mark mark = output != NULL ? output->mark : job->root->mark;
  TG_TRY(confine_inputs(job));
  if (!output_is_given) TG_TRY(require_below(mark, job->spec.output_directory, here, "the working directory"));
  if (job->spec.checkpoint_directory != NULL)
    TG_TRY(require_below(checkpoint->mark, job->spec.checkpoint_directory, here, "the working directory"));
  if (job->spec.sweep != NULL) TG_TRY(refuse_links(mark, job->spec.output_directory, 2));
  tg_text_init(&path);
  const tg_status status = confine_outputs(&job->spec, mark, &path);
  tg_text_fini(&path);
  return status;
}
