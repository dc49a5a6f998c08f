// The job file as typed values, each with its place in the text.
#ifndef TG_JOB_JOB_H
#define TG_JOB_JOB_H

#include "base/errors.h"
#include "base/message.h"
#include "job/yaml.h"
#include "mpi/matrix/generate.h"
#include "opt/options.h"

typedef enum tg_start {
  TG_START_ZEROS,
  TG_START_ONES,
  TG_START_IDENTITY,
  TG_START_NORMAL,
  TG_START_UNIFORM,
  TG_START_FEASIBLE, // normal, then its projection onto the constraint set
  TG_START_FILE
} tg_start;

typedef struct tg_job_variable {
  const char *name;
  const tg_yaml_node *key; // where it is declared
  const tg_yaml_node *node;
  int64_t rows;
  int64_t cols;
  tg_start start;
  bool start_is_chosen; // by default_start.h: the job leaves it open, and zeros would stay where they are
  const char *start_file;
  const char *start_dataset;
  uint64_t seed;
  double scale;
  const char *constraint; // name, NULL when free
  const tg_yaml_node *constraint_node;
  unsigned domain;      // of tg_property: what logdet and inv in the objective ask of it (model/domain.h)
  const char *open_set; // a constraint that this domain meets by itself, so that none is left; NULL: there is none
  double norm1;         // weight of norm1(X), taken out of the objective for proximal steps (penalty.h); 0: none
  const char *output;   // file name, NULL when it is not written
  const tg_yaml_node *output_node;
} tg_job_variable;

typedef struct tg_job_data {
  const char *name;
  const tg_yaml_node *key;
  const tg_yaml_node *node;
  bool is_number;
  double number;
  const char *file;
  const char *dataset;
  const char *generate; // kind; NULL when read from a file
  int64_t rows;         // of a generated matrix; of a file 0 until it was probed
  int64_t cols;
  tg_generate_options options; // of a generated matrix
  unsigned properties;         // of tg_property
  unsigned found;              // likewise, seen in the numbers where the job says nothing (problem/found.h)
  bool trust;
  bool used;           // occurs in the objective
  bool is_nonnegative; // no entry is negative: seen in the numbers, false before
} tg_job_data;

typedef enum tg_relation_sign { TG_RELATION_EQUAL, TG_RELATION_AT_MOST, TG_RELATION_AT_LEAST } tg_relation_sign;

// An entry of subject_to: LEFT = RIGHT, LEFT <= RIGHT or LEFT >= RIGHT. The parts are expressions of their own, with
// their places in the job.
typedef struct tg_job_relation {
  tg_excerpt whole; // as written
  tg_relation_sign sign;
  tg_excerpt left;
  tg_excerpt right;
  tg_excerpt difference; // LEFT -(RIGHT)
} tg_job_relation;

typedef struct tg_job {
  tg_arena arena;              // owns everything below
  const tg_messages *messages; // receives warnings and notes; NULL: nobody does; not owned
  const char *path;
  int n_sources; // the file and each --set
  tg_source *sources;
  tg_yaml_node *root; // the effective job: the file with --set applied
  bool maximize;
  bool is_noted; // what its objective was taken to mean has been told
  tg_excerpt objective;
  int n_variables;
  tg_job_variable *variables;
  int n_data;
  tg_job_data *data;
  opt_options solver;
  int grid_rows; // 0: auto
  int grid_cols;
  int64_t grid_block;            // 0: auto
  int products;                  // a tg_product_kind
  const tg_yaml_node *grid_node; // NULL: not given
  int n_relations;               // of subject_to
  tg_job_relation *relations;
  const tg_yaml_node *checkpoint; // NULL: none are written
  const char *checkpoint_directory;
  double checkpoint_every; // seconds
  int64_t checkpoint_keep;
  const char *output_directory;
  tg_errors errors;   // found so far, each with its place
  bool is_incomplete; // one of them is in variables or data: what the expressions mean cannot be said
} tg_job;

// The bytes of a job file, of standard input where the path is "-"; TG_DATA says what is wrong with the file: missing,
// a directory, unreadable, too large. Local.
tg_status tg_job_load(const char *path, char **text, size_t *length);

// A job that holds copies of the text and of the --set arguments; nothing is read yet. Local.
tg_status tg_job_create(const char *path, const char *text, size_t length, int n_sets, const char *const *sets,
                        tg_job **out);
// Parses, applies --set, validates against the table and fills the typed fields. On failure job->errors has all that
// was found, the first of which is returned; tg_job_error_source tells where. Local; the same on all ranks for the same
// text.
tg_status tg_job_read(tg_job *job);
void tg_job_destroy(tg_job **job);

// A located error at a node of the job.
#define TG_FAIL_NODE(where, code, ...) TG_FAIL_MARK(code, (where)->mark, __VA_ARGS__)

// The text of an id: 1 is the file, 2 and more the --set arguments.
const tg_source *tg_job_source(const tg_job *job, int32_t id);
// The current error as text, located where it can be: "job.yaml:3:18: error: ...", the line, a caret.
void tg_job_diagnose(const tg_job *job, tg_status status, tg_text *out);
// The text that the place of the current error is in; NULL where it has no place. job may be NULL.
const tg_source *tg_job_error_source(const tg_job *job);
// A warning at a node, to job->messages.
__attribute__((format(printf, 3, 4))) void tg_job_warn(const tg_job *job, const tg_yaml_node *node, const char *format,
                                                       ...);

// The text of a scalar with its places. In the job's arena.
tg_status tg_job_excerpt(tg_job *job, const tg_yaml_node *scalar, tg_excerpt *out);
// path itself when absolute, else relative to the folder of the job file; in the job's arena.
tg_status tg_job_path(tg_job *job, const char *path, const char **out);
int tg_job_find_data(const tg_job *job, const char *name);     // -1 when unknown
int tg_job_find_variable(const tg_job *job, const char *name); // likewise
bool tg_job_on_manifold(const tg_job_variable *variable); // its constraint is one: zeros have no nearest point there
bool tg_job_starts_randomly(const tg_job_variable *variable); // its start depends on a seed
// The node of a solver key, for errors about it; that of the section, or of the job, where it is not given.
const tg_yaml_node *tg_job_solver_node(const tg_job *job, const char *key);

#endif
