// The job file: its texts, its tree, and the spec that it describes.
#ifndef TG_JOB_JOB_H
#define TG_JOB_JOB_H

#include "base/errors.h"
#include "base/source.h"
#include "engine/spec.h"
#include "job/yaml.h"

// What is written over the tree of a job, one after the other.
typedef enum tg_job_setting_kind {
  TG_JOB_SET,   // the text is KEY=VALUE: a dotted path and a value in YAML
  TG_JOB_WRITE, // the text, as it is, is the value of the key
  TG_JOB_ADD    // and is one more entry of the list under the key
} tg_job_setting_kind;

typedef struct tg_job_setting {
  tg_job_setting_kind kind;
  const char *name; // of the text, for messages
  const char *key;  // at the top of the job; NULL: of the text itself
  const char *text;
} tg_job_setting;

typedef struct tg_job {
  tg_arena arena; // owns everything below
  const char *path;
  int n_sources; // the file and each setting
  tg_source *sources;
  tg_job_setting *settings; // of sources[1] and those behind it
  tg_yaml_node *root;       // the effective job: the file with --set applied
  tg_spec spec;             // what it means; its marks are places in the sources
  tg_errors errors;         // found so far, each with its place
  bool is_incomplete;       // one of them is in variables or data: what the expressions mean cannot be said
} tg_job;

// The bytes of a job file, of standard input where the path is "-"; TG_DATA says what is wrong with the file: missing,
// a directory, unreadable, too large. Local.
tg_status tg_job_load(const char *path, char **text, size_t *length);

// A job that holds copies of the text and of the --set arguments; nothing is read yet. Local.
tg_status tg_job_create(const char *path, const char *text, size_t length, int n_sets, const char *const *sets,
                        tg_job **out);
// The same with settings of any kind; the file is shown under the name of the path. Local.
tg_status tg_job_create_with(const char *path, const char *text, size_t length, int n, const tg_job_setting *settings,
                             tg_job **out);
// Parses, applies the settings, validates against the table and fills the typed fields. On failure job->errors has all
// that was found, the first of which is returned; tg_job_error_source tells where. Local; the same on all ranks for the
// same text.
tg_status tg_job_read(tg_job *job);
// Validates the settings of a job by themselves, whatever else the job may lack; failures as above. Local.
tg_status tg_job_validate_settings(tg_job *job);
void tg_job_destroy(tg_job **job);

// A located error at a node of the job.
#define TG_FAIL_NODE(where, code, ...) TG_FAIL_MARK(code, (where)->mark, __VA_ARGS__)

// The text of an id: 1 is the file, 2 and more the settings.
const tg_source *tg_job_source(const tg_job *job, int32_t id);
// The current error as text, located where it can be: "job.yaml:3:18: error: ...", the line, a caret.
void tg_job_diagnose(const tg_job *job, tg_status status, tg_text *out);
// The text that the place of the current error is in; NULL where it has no place. job may be NULL.
const tg_source *tg_job_error_source(const tg_job *job);
// The text of a scalar with its places. In the job's arena.
tg_status tg_job_excerpt(tg_job *job, const tg_yaml_node *scalar, tg_excerpt *out);
// path itself when absolute, else relative to the folder of the job file; in the job's arena.
tg_status tg_job_path(tg_job *job, const char *path, const char **out);

#endif
