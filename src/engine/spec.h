// What is to be minimised, as plain data: objective, variables, data, constraints, options, grid, checkpoint, output.
//
// A job file, the C interface and tests fill the same struct, defaults included. The engine reads it and writes nothing
// into it: what it finds out stands in a tg_task (engine/task.h). A tg_mark says where the user wrote a
// value, for messages; a spec that comes from no text has none.
#ifndef TG_ENGINE_SPEC_H
#define TG_ENGINE_SPEC_H

#include "base/errors.h"
#include "base/message.h"
#include "base/source.h"
#include "engine/spec_sweep.h"
#include "mpi/matrix/array.h"
#include "mpi/matrix/generate.h"
#include "opt/options.h"

typedef enum tg_start {
  TG_START_ZEROS,
  TG_START_ONES,
  TG_START_IDENTITY,
  TG_START_NORMAL,
  TG_START_UNIFORM,
  TG_START_FEASIBLE, // normal, then its projection onto the constraint set
  TG_START_MEMORY,   // numbers of the caller
  TG_START_FILE
} tg_start;

// An argument of a constraint: a number, or a datum by its position.
typedef enum tg_spec_argument_kind { TG_ARGUMENT_ABSENT, TG_ARGUMENT_NUMBER, TG_ARGUMENT_DATUM } tg_spec_argument_kind;

typedef struct tg_spec_argument {
  tg_spec_argument_kind kind;
  double number; // may be infinite, as a bound
  int datum;
  tg_mark mark;
} tg_spec_argument;

typedef struct tg_spec_variable {
  const char *name;
  tg_mark mark; // of its declaration
  int64_t rows; // 0: open, the engine infers it
  int64_t cols; // likewise
  tg_start start;
  bool start_is_given;
  const char *start_file;
  const char *start_dataset;
  const tg_array *start_array; // of TG_START_MEMORY; not owned
  tg_mark start_mark;          // of the file's name
  uint64_t seed;
  bool seed_is_given;
  tg_mark seed_mark;
  double scale;
  bool scale_is_given;
  const char *constraint; // name, NULL when free
  tg_mark constraint_mark;
  tg_spec_argument arguments[2]; // of the constraint: a radius, the total or the metric first; an interval's ends
  const char *output;            // file name, NULL when it is not written
  tg_mark output_mark;
  bool output_is_given;
} tg_spec_variable;

// Where the numbers of a datum come from.
typedef enum tg_data_source {
  TG_SOURCE_ENGINE, // its own: another variable, in a half-step of `alternating`
  TG_SOURCE_NUMBER,
  TG_SOURCE_FILE,
  TG_SOURCE_GENERATOR,
  TG_SOURCE_MEMORY // of the caller
} tg_data_source;

typedef struct tg_spec_data {
  const char *name;
  tg_mark mark; // of its declaration
  tg_data_source source;
  double number;
  const char *file; // FILE
  const char *dataset;
  tg_mark file_mark;     // of the file's name
  const char *generate;  // GENERATOR: kind
  const tg_array *array; // MEMORY; not owned, NULL: not given
  int64_t rows;          // 0: of a file
  int64_t cols;
  tg_generate_options options; // of a generated matrix
  unsigned properties;         // of tg_property
  const char *property;        // the first claim of a square matrix among them, in words; NULL: none
  tg_mark property_mark;
  unsigned stated; // likewise: what the user says something about, yes or no
  bool trust;
} tg_spec_data;

typedef enum tg_relation_sign { TG_RELATION_EQUAL, TG_RELATION_AT_MOST, TG_RELATION_AT_LEAST } tg_relation_sign;

// An entry of subject_to: LEFT = RIGHT, LEFT <= RIGHT or LEFT >= RIGHT. The parts are expressions of their own, with
// their places.
typedef struct tg_spec_relation {
  tg_excerpt whole; // as written
  tg_relation_sign sign;
  tg_excerpt left;
  tg_excerpt right;
  tg_excerpt difference; // LEFT -(RIGHT)
} tg_spec_relation;

// A part of the expressions with a name of its own: R: Y - X*W.
typedef struct tg_spec_part {
  const char *name;
  tg_mark mark; // of its declaration
  tg_excerpt value;
} tg_spec_part;

// A number by which the minimum is differentiated.
typedef struct tg_spec_sensitivity {
  const char *name;
  tg_mark mark;
  int datum;
} tg_spec_sensitivity;

// The inverse of the Hessian at the minimum: its diagonal and its determinant.
typedef struct tg_spec_covariance {
  bool is_asked;
  tg_mark mark;
  int64_t probes; // at least 2, where it is estimated
  uint64_t seed;
} tg_spec_covariance;

typedef struct tg_spec {
  const char *name;            // of the job, for messages
  const tg_messages *messages; // receives warnings and notes; NULL: nobody does; not owned
  tg_errors *errors; // receives what is wrong with the spec, so that all of it is found; NULL: the first fault ends;
                     // not owned
  bool maximize;
  tg_excerpt objective;
  int n_parts; // that the objective and the relations may use
  const tg_spec_part *parts;
  int n_variables;
  tg_spec_variable *variables;
  int n_data;
  tg_spec_data *data;
  opt_options solver;
  const tg_mark *option_marks; // by row of opt/options.def: where the option is given; NULL: none is
  tg_mark solver_mark;         // for errors about options that are not given
  int grid_rows;               // 0: auto
  int grid_cols;
  int64_t grid_block; // 0: auto
  tg_mark grid_mark;
  int products;    // a tg_product_kind
  int n_relations; // of subject_to
  tg_spec_relation *relations;
  const char *checkpoint_directory; // NULL: none are written
  double checkpoint_every;          // seconds
  int64_t checkpoint_keep;
  const char *output_directory;
  bool writes_multipliers; // of subject_to, beside the variables
  int n_sensitivities;     // engine/sensitivity
  const tg_spec_sensitivity *sensitivities;
  tg_spec_covariance covariance;
  const tg_sweep *sweep; // NULL: one minimisation
  const tg_folds *folds; // NULL: there are none
  const tg_tune *tune;   // NULL: no number is looked for
  int fold;              // the one at hand, from 1; 0: the data are whole
  bool is_score;         // the data are those of the fold, not those without it
} tg_spec;

// "define R: Y - X*W", a line for each part.
void tg_spec_print_parts(const tg_spec *spec, const char *indent, tg_text *out);

int tg_spec_find_data(const tg_spec *spec, const char *name);     // -1 when unknown
int tg_spec_find_variable(const tg_spec *spec, const char *name); // likewise
bool tg_spec_on_manifold(const char *constraint); // zeros have no nearest point there; NULL: no constraint
// Where a solver option is given, for errors about it; else that of the section.
tg_mark tg_spec_solver_mark(const tg_spec *spec, const char *key);

// The start point of that name (never TG_START_FILE); false when there is none.
bool tg_start_find(const char *name, tg_start *out);
// The name at position k, NULL behind the last.
const char *tg_start_at(int k);
// What it is, in words.
const char *tg_start_help(int k);
// Its name; not of TG_START_FILE.
const char *tg_start_label(tg_start start);
// Whether it depends on a seed.
bool tg_start_is_random(tg_start start);

#endif
