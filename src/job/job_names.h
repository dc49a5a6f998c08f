// Names of data that keys of a job refer to, sweep, folds, sensitivity, tune; and keys that exclude one another.
#ifndef TG_JOB_JOB_NAMES_H
#define TG_JOB_JOB_NAMES_H

#include "job/job.h"

// The datum of the number that the word names, `lambda` or `data.lambda`. Located where there is none: "KEY: ... ;
// expected EXPECTED", with the nearest name. Local.
tg_status tg_job_find_number(const tg_job *job, const tg_yaml_node *word, const char *key, const char *expected,
                             int *out);
// The same of a matrix of data. Local.
tg_status tg_job_find_matrix(const tg_job *job, const tg_yaml_node *word, const char *key, int *out);
// A list of different numbers, each with its place; room for list->n_items. *n: how many were found, also where others
// were not. Local.
tg_status tg_job_find_numbers(tg_job *job, const tg_yaml_node *list, const char *key, int *out, tg_mark *marks, int *n);

// TG_JOB where the job has one of the keys: "KEY WHY". Local.
tg_status tg_job_refuse_keys(const tg_job *job, const char *const *keys, size_t n, const char *why);

#endif
