// Names of the files of a run.
#include "report/output_names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

tg_status tg_output_path(const char *folder, const char *name, tg_text *out)
{
  tg_text_clear(out);
  if (name[0] != '/') tg_text_addf(out, "%s/", folder);
  tg_text_add(out, name);
  return tg_text_status(out);
}

// The name without links: of the file itself where it exists, else of its folder, which does.
static bool resolve(const char *path, char out[PATH_MAX])
{
  char folder[PATH_MAX];
  if (realpath(path, out) != NULL) return true;
  const char *slash = strrchr(path, '/');
  const size_t length = slash != NULL ? (size_t)(slash - path) : 1;
  if (length >= sizeof folder) return false;
  memcpy(folder, slash != NULL ? path : ".", length);
  folder[length] = '\0';
  char *real = realpath(length > 0 ? folder : "/", NULL);
  if (real == NULL) return false;
  const int used = snprintf(out, PATH_MAX, "%s/%s", real, slash != NULL ? slash + 1 : path);
  free(real);
  return used < PATH_MAX;
}

static bool is_same_file(const char *a, const char *b)
{
  struct stat facts_a;
  struct stat facts_b;
  char name_a[PATH_MAX];
  char name_b[PATH_MAX];
  if (stat(a, &facts_a) == 0 && stat(b, &facts_b) == 0)
    return facts_a.st_dev == facts_b.st_dev && facts_a.st_ino == facts_b.st_ino;
  return resolve(a, name_a) && resolve(b, name_b) && strcmp(name_a, name_b) == 0;
}

static void note_use(const char *path, const char *other, const char *what, tg_file_use *out)
{
  if (out->other == NULL && other != NULL && is_same_file(path, other)) *out = (tg_file_use){other, what};
}

tg_status tg_output_find_use(const tg_spec *spec, int mine, int before, const char *path, tg_text *room,
                             tg_file_use *out)
{
  static const char *const own[] = {"report.json", "history.jsonl"};
  *out = (tg_file_use){NULL, NULL};
  note_use(path, spec->name, "the job file", out);
  for (int i = 0; i < spec->n_data; i++) note_use(path, spec->data[i].file, "a data file of the job", out);
  for (int i = 0; i < spec->n_variables; i++)
    if (i != mine) note_use(path, spec->variables[i].start_file, "a start of the job", out);
  for (size_t i = 0; i < sizeof own / sizeof own[0] && out->other == NULL; i++) {
    TG_TRY(tg_output_path(spec->output_directory, own[i], room));
    note_use(path, tg_text_string(room), "a file of every run", out);
  }
  for (int i = 0; i < before && out->other == NULL; i++) {
    if (spec->variables[i].output == NULL) continue;
    TG_TRY(tg_output_path(spec->output_directory, spec->variables[i].output, room));
    note_use(path, tg_text_string(room), "the file of another variable", out);
  }
  return TG_OK;
}
