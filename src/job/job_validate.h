// The table of job keys: lookup, validation of a tree against it, typed values.
#ifndef TG_JOB_JOB_VALIDATE_H
#define TG_JOB_JOB_VALIDATE_H

#include "job/job.h"
#include "opt/constraint.h"

typedef enum tg_job_type {
  TG_JOB_EXPRESSION,
  TG_JOB_EXPRESSIONS, // a list of them
  TG_JOB_NAMES,       // a mapping whose keys are the user's names
  TG_JOB_MAPPING,
  TG_JOB_SIZE,  // a whole number >= 1
  TG_JOB_WHOLE, // a whole number >= 0
  TG_JOB_NUMBER,
  TG_JOB_BOOLEAN,
  TG_JOB_TEXT,
  TG_JOB_DURATION,
  TG_JOB_START,
  TG_JOB_CONSTRAINT,
  TG_JOB_DATA,
  TG_JOB_SOLVER,
  TG_JOB_GRID,
  TG_JOB_FILES, // of variables, by name, or none of them
  TG_JOB_SWEEP, // what job_sweep.c reads
  TG_JOB_WORDS
} tg_job_type;

typedef struct tg_job_key {
  const char *path;
  tg_job_type type;
  double smallest;
  double largest;
  const char *initial;
  const char *help;
} tg_job_key;

int tg_job_key_count(void);
const tg_job_key *tg_job_key_at(int index);
const char *tg_job_type_label(tg_job_type type); // "a whole number"
// How the argument of a constraint is written in a job: "[low, high]", "" for none.
const char *tg_constraint_argument_label(opt_constraint_argument argument);

// Whether the text can be the name of a variable or of data. TG_NAME, without a place.
tg_status tg_job_check_name(const char *name);
// Checks every key and value of the tree against the table; the first fault is located. Values of the solver section
// go into job->solver at once.
tg_status tg_job_validate(tg_job *job);

#endif
