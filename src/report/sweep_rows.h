// sweep.jsonl: a row for each point of a sweep that has come to its end, appended as it does.
//
// A row carries the fingerprint of its sweep, so that rows of another one are never taken for its own. Parts of a sweep
// (--points, arrays of Slurm) write files of their own beside it: sweep.10-19.jsonl. Everything here is local: rank 0.
#ifndef TG_REPORT_SWEEP_ROWS_H
#define TG_REPORT_SWEEP_ROWS_H

#include <jansson.h>

#include "engine/spec.h"

// Solutions of no more entries stand in the row as well, for plot.
enum { TG_SWEEP_COEFFICIENTS = 30 };

// How a point ended. Of what has not been done only `point` is set.
typedef struct tg_sweep_row {
  int64_t point;
  bool is_known;
  bool is_earlier; // of a run before this one
  char status[32]; // as report.json words it; "failed": an error ended it
  int exit_class;  // of the status, as the program's
  char reason[640];
  double objective; // in the user's terms; NAN: none
  double gradient_norm;
  double violation;
  int64_t iterations;
  int64_t products;
  double flops;       // of all products, factorisations and decompositions, those of the score included
  double norm;        // of all variables together
  int n_coefficients; // 0: there are more than TG_SWEEP_COEFFICIENTS
  double coefficients[TG_SWEEP_COEFFICIENTS]; // of all variables, column by column
  double seconds;
  double score;    // on the fold; NAN: none
  bool is_warm;    // began where the point before ended
  char folder[40]; // of its files, in that of the sweep; "": none
} tg_sweep_row;

// What identifies the sweep: the job without its stopping rules, axes and values. 17 bytes with the end. TG_MEMORY.
tg_status tg_sweep_fingerprint(const tg_spec *base, char out[17]);

// What identifies its folds. NULL: no memory.
json_t *tg_sweep_folds_json(const tg_spec *base);

// Reads the rows of this sweep from all its files in the folder into rows[0..n_points): the newest row of a point
// counts. *others: the name of a file that holds rows of another sweep, "" where there is none. A last line that is cut
// short is no row. *data: the hashes of the data that the rows name, to be freed; NULL: none. TG_IO.
tg_status tg_sweep_rows_read(const char *folder, const tg_sweep *sweep, const char *fingerprint, tg_sweep_row *rows,
                             char others[64], json_t **data);
// Whether a run that resumes leaves the point as it is: limits, interruptions and failures are tried again.
bool tg_sweep_row_is_final(const tg_sweep_row *row);

// "sweep.jsonl", or "sweep.10-19.jsonl" of a part.
void tg_sweep_file_name(const tg_sweep *sweep, int64_t first, int64_t last, char out[64]);
// A file without rows, or the one there is to go on behind its last whole line. TG_IO.
tg_status tg_sweep_file_begin(const char *path, bool goes_on);
// Appends a row, on the disk when this returns. data: NULL, or the hashes of the data. TG_IO.
tg_status tg_sweep_file_add(const char *path, const tg_sweep *sweep, const char *fingerprint, const tg_sweep_row *row,
                            const json_t *data);
// All rows in their order as sweep.jsonl, which appears whole: for the parts of a sweep that are complete together.
tg_status tg_sweep_file_join(const char *folder, const tg_sweep *sweep, const char *fingerprint,
                             const tg_sweep_row *rows, const json_t *data);

// Removes the files of parts within first..last. TG_IO.
tg_status tg_sweep_parts_remove(const char *folder, int64_t first, int64_t last);
// The same, and sweep.jsonl where all points are within: none of them holds rows of another sweep. TG_IO.
tg_status tg_sweep_files_remove(const char *folder, const tg_sweep *sweep, const char *fingerprint, int64_t first,
                                int64_t last);

#endif
