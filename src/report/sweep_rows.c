// sweep.jsonl: a row for each point of a sweep that has come to its end.
#include "report/sweep_rows.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/checkpoint/identity.h"
#include "engine/sweep/points.h"

// ---- which sweep ----

static json_t *axes(const tg_sweep *sweep)
{
  json_t *out = json_array();
  for (int k = 0; k < sweep->n_axes && out != NULL; k++) {
    const tg_sweep_axis *axis = &sweep->axes[k];
    json_t *entry = json_pack("[s]", axis->name);
    for (int i = 0; i < axis->n && entry != NULL; i++) json_array_append_new(entry, json_string(axis->values[i].text));
    json_array_append_new(out, entry);
  }
  return out;
}

json_t *tg_sweep_folds_json(const tg_spec *base)
{
  static const char *const kinds[] = {
      [TG_FOLD_ROWS] = "rows", [TG_FOLD_COLUMNS] = "columns", [TG_FOLD_ENTRIES] = "entries"};
  const tg_folds *f = base->folds;
  json_t *of = json_array();
  for (int k = 0; k < f->n_of; k++) json_array_append_new(of, json_string(base->data[f->of[k]].name));
  return json_pack("{s:s, s:i, s:o, s:s, s:b, s:I}", "kind", kinds[f->kind], "n", f->n, "of", of, "score",
                   f->score.text, "shuffle", (int)f->is_shuffled, "seed", (json_int_t)f->seed);
}

tg_status tg_sweep_fingerprint(const tg_spec *base, char out[17])
{
  tg_spec *first = NULL;
  json_t *identity = NULL;
  uint64_t hash = 0;
  // What is swept has no value of its own.
  TG_TRY(tg_sweep_spec_at(base, 0, &first));
  tg_status status = tg_identity_of_job(first, &identity);
  if (status == TG_OK && json_object_set_new(identity, "sweep", axes(base->sweep)) != 0)
    status = tg_error_set(TG_MEMORY, TG_HERE, "not enough memory for the identity of the sweep");
  if (status == TG_OK && base->folds != NULL && json_object_set_new(identity, "folds", tg_sweep_folds_json(base)) != 0)
    status = tg_error_set(TG_MEMORY, TG_HERE, "not enough memory for the identity of the folds");
  if (status == TG_OK) status = tg_identity_hash(identity, &hash);
  json_decref(identity);
  tg_sweep_destroy_spec(&first);
  snprintf(out, 17, "%016" PRIx64, hash);
  return status;
}

// ---- reading ----

static void copy_text(const json_t *row, const char *key, char *out, size_t room)
{
  const char *text = json_string_value(json_object_get(row, key));
  snprintf(out, room, "%s", text != NULL ? text : "");
}

static bool read_row(const json_t *json, int64_t n_points, tg_sweep_row *out)
{
  const json_t *point = json_object_get(json, "point");
  const json_t *status = json_object_get(json, "status");
  if (!json_is_integer(point) || !json_is_string(status)) return false;
  *out = (tg_sweep_row){.point = json_integer_value(point), .is_known = true, .is_earlier = true};
  copy_text(json, "status", out->status, sizeof out->status);
  copy_text(json, "reason", out->reason, sizeof out->reason);
  out->exit_class = (int)json_integer_value(json_object_get(json, "exit_status"));
  out->objective = tg_json_member(json, "objective");
  out->gradient_norm = tg_json_member(json, "gradient_norm");
  out->violation = tg_json_member(json, "constraint_violation");
  out->iterations = json_integer_value(json_object_get(json, "iterations"));
  out->products = json_integer_value(json_object_get(json, "products"));
  out->seconds = tg_json_member(json, "seconds");
  out->flops = tg_json_member(json, "flops");
  out->norm = tg_json_member(json, "norm");
  out->score = tg_json_member(json, "score");
  const json_t *coefficients = json_object_get(json, "coefficients");
  const size_t n = json_array_size(coefficients);
  out->n_coefficients = n <= TG_SWEEP_COEFFICIENTS ? (int)n : 0;
  for (int k = 0; k < out->n_coefficients; k++)
    out->coefficients[k] = tg_json_value(json_array_get(coefficients, (size_t)k));
  out->is_warm = json_is_true(json_object_get(json, "warm"));
  copy_text(json, "folder", out->folder, sizeof out->folder);
  return out->point >= 0 && out->point < n_points;
}

bool tg_sweep_row_is_final(const tg_sweep_row *row)
{
  static const char *const open[] = {"iteration_limit", "time_limit", "interrupted", "failed"};
  for (size_t k = 0; k < sizeof open / sizeof open[0]; k++)
    if (strcmp(row->status, open[k]) == 0) return false;
  return row->is_known;
}

// What the rows of a folder are read into.
typedef struct reading {
  const tg_sweep *sweep;
  const char *fingerprint;
  tg_sweep_row *rows;
  char *others;
  json_t **data;
} reading;

static void take(const reading *r, const json_t *json, const char *name)
{
  tg_sweep_row row;
  const char *theirs = json_string_value(json_object_get(json, "sweep"));
  if (theirs == NULL || strcmp(theirs, r->fingerprint) != 0) {
    if (json_is_object(json)) snprintf(r->others, 64, "%.63s", name);
    return;
  }
  if (!read_row(json, r->sweep->n_points, &row)) return;
  json_t *data = json_object_get(json, "data");
  if (data != NULL) json_object_update_missing(*r->data, data);
  tg_sweep_row *mine = &r->rows[row.point];
  if (!tg_sweep_row_is_final(mine) || tg_sweep_row_is_final(&row)) *mine = row;
}

static tg_status read_lines(const reading *r, const char *path, const char *name)
{
  FILE *file = fopen(path, "r");
  char *line = NULL;
  size_t room = 0;
  if (file == NULL) TG_FAIL(TG_IO, "cannot read %s: %s", path, strerror(errno));
  for (ssize_t length = 0; (length = getline(&line, &room, file)) > 0;) {
    if (line[length - 1] != '\n') break; // cut short
    json_t *json = json_loadb(line, (size_t)length, 0, NULL);
    if (json != NULL) take(r, json, name);
    json_decref(json);
  }
  const bool failed = ferror(file) != 0;
  free(line);
  fclose(file);
  if (failed) TG_FAIL(TG_IO, "cannot read %s", path);
  return TG_OK;
}

static bool is_ours(const char *name)
{
  const size_t length = strlen(name);
  return strncmp(name, "sweep.", 6) == 0 && length >= 11 && strcmp(name + length - 6, ".jsonl") == 0;
}

tg_status tg_sweep_rows_read(const char *folder, const tg_sweep *sweep, const char *fingerprint, tg_sweep_row *rows,
                             char others[64], json_t **data)
{
  const reading r = {sweep, fingerprint, rows, others, data};
  tg_status status = TG_OK;
  others[0] = '\0';
  *data = json_object();
  if (*data == NULL) TG_FAIL(TG_MEMORY, "not enough memory to read the rows of the sweep");
  DIR *list = opendir(folder);
  if (list == NULL && errno == ENOENT) return TG_OK;
  if (list == NULL) TG_FAIL(TG_IO, "cannot read the folder %s: %s", folder, strerror(errno));
  for (const struct dirent *entry = NULL; status == TG_OK && (entry = readdir(list)) != NULL;) {
    tg_text path;
    if (!is_ours(entry->d_name)) continue;
    tg_text_init(&path);
    tg_text_addf(&path, "%s/%s", folder, entry->d_name);
    status = tg_text_status(&path);
    if (status == TG_OK) status = read_lines(&r, tg_text_string(&path), entry->d_name);
    tg_text_fini(&path);
  }
  closedir(list);
  return status;
}

// ---- writing ----

void tg_sweep_file_name(const tg_sweep *sweep, int64_t first, int64_t last, char out[64])
{
  if (first == 0 && last == sweep->n_points - 1)
    snprintf(out, 64, "sweep.jsonl");
  else
    snprintf(out, 64, "sweep.%" PRId64 "-%" PRId64 ".jsonl", first, last);
}

static json_t *parameters(const tg_sweep *sweep, int64_t point)
{
  int positions[TG_SWEEP_AXES_MAX];
  json_t *out = json_object();
  tg_sweep_positions(sweep, point, positions);
  for (int k = 0; k < sweep->n_axes && out != NULL; k++) {
    const tg_sweep_value *value = &sweep->axes[k].values[positions[k]];
    json_object_set_new(out, sweep->axes[k].name,
                        isnan(value->number) ? json_string(value->text) : json_real(value->number));
  }
  return out;
}

static tg_status print_row(const tg_sweep *sweep, const char *fingerprint, const tg_sweep_row *row, const json_t *data,
                           tg_text *out)
{
  json_t *json = json_pack(
      "{s:I, s:o, s:s, s:s, s:i, s:o, s:o, s:o, s:I, s:I, s:o, s:b, s:s?, s:s}", "point", (json_int_t)row->point,
      "parameters", parameters(sweep, row->point), "status", row->status, "reason", row->reason, "exit_status",
      row->exit_class, "objective", tg_json_number(row->objective), "gradient_norm", tg_json_number(row->gradient_norm),
      "constraint_violation", tg_json_number(row->violation), "iterations", (json_int_t)row->iterations, "products",
      (json_int_t)row->products, "seconds", tg_json_number(row->seconds), "warm", row->is_warm ? 1 : 0, "folder",
      row->folder[0] != '\0' ? row->folder : NULL, "sweep", fingerprint);
  if (json != NULL) json_object_set_new(json, "flops", tg_json_number(row->flops));
  if (json != NULL) json_object_set_new(json, "norm", tg_json_number(row->norm));
  json_t *coefficients = row->n_coefficients > 0 ? json_array() : NULL;
  for (int k = 0; k < row->n_coefficients; k++)
    json_array_append_new(coefficients, tg_json_number(row->coefficients[k]));
  if (coefficients != NULL) json_object_set_new(json, "coefficients", coefficients);
  if (json != NULL && tg_sweep_fold_axis(sweep) >= 0) json_object_set_new(json, "score", tg_json_number(row->score));
  if (json != NULL && data != NULL) json_object_set_new(json, "data", json_deep_copy(data));
  char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(json);
  if (text == NULL) TG_FAIL(TG_MEMORY, "not enough memory for a row of the sweep");
  tg_text_addf(out, "%s\n", text);
  free(text);
  return tg_text_status(out);
}

// Bytes up to the end of the last whole line.
static tg_status find_end(const char *path, int file, off_t *out)
{
  char byte = 0;
  *out = lseek(file, 0, SEEK_END);
  while (*out > 0) {
    if (pread(file, &byte, 1, *out - 1) != 1) TG_FAIL(TG_IO, "cannot read %s: %s", path, strerror(errno));
    if (byte == '\n') break;
    --*out;
  }
  return TG_OK;
}

tg_status tg_sweep_file_begin(const char *path, bool goes_on)
{
  off_t end = 0;
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) TG_FAIL(TG_IO, "cannot create %s: %s", path, strerror(errno));
  tg_status status = goes_on ? find_end(path, file, &end) : TG_OK;
  if (status == TG_OK && ftruncate(file, end) != 0)
    status = tg_error_set(TG_IO, TG_HERE, "cannot shorten %s: %s", path, strerror(errno));
  close(file);
  return status;
}

static tg_status append(const char *path, const char *bytes, size_t length)
{
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) TG_FAIL(TG_IO, "cannot open %s: %s", path, strerror(errno));
  const off_t before = lseek(file, 0, SEEK_END);
  const ssize_t written = write(file, bytes, length);
  const int reason = written < 0 ? errno : ENOSPC;
  const bool failed = written != (ssize_t)length || (fsync(file) != 0 && errno != EINVAL);
  // Half a line is no row.
  const bool is_cut = failed && before >= 0 && ftruncate(file, before) == 0;
  close(file);
  if (failed)
    TG_FAIL(TG_IO, "cannot append to %s: %s%s", path, strerror(reason), is_cut ? "" : "; its last line may be cut");
  return TG_OK;
}

tg_status tg_sweep_file_add(const char *path, const tg_sweep *sweep, const char *fingerprint, const tg_sweep_row *row,
                            const json_t *data)
{
  tg_text line;
  tg_text_init(&line);
  tg_status status = print_row(sweep, fingerprint, row, data, &line);
  if (status == TG_OK) status = append(path, tg_text_string(&line), line.length);
  tg_text_fini(&line);
  return status;
}

tg_status tg_sweep_file_join(const char *folder, const tg_sweep *sweep, const char *fingerprint,
                             const tg_sweep_row *rows, const json_t *data)
{
  tg_text path;
  tg_text all;
  tg_status status = TG_OK;
  tg_text_init(&path);
  tg_text_init(&all);
  for (int64_t k = 0; k < sweep->n_points && status == TG_OK; k++)
    status = print_row(sweep, fingerprint, &rows[k], k == 0 ? data : NULL, &all);
  tg_text_addf(&path, "%s/sweep.jsonl", folder);
  if (status == TG_OK) status = tg_text_status(&path);
  if (status == TG_OK) status = tg_write_whole(tg_text_string(&path), tg_text_string(&all), all.length);
  tg_text_fini(&all);
  tg_text_fini(&path);
  return status;
}

// ---- removing ----

// Goes past `prefix` and the digits behind it; false: it is not what stands there.
static bool read_number(const char **at, const char *prefix, int64_t *out)
{
  const size_t length = strlen(prefix);
  char *end = NULL;
  if (strncmp(*at, prefix, length) != 0 || !isdigit((unsigned char)(*at)[length])) return false;
  *out = strtoll(*at + length, &end, 10);
  *at = end;
  return true;
}

// Whether the file is that of a part within first..last.
static bool is_part_within(const char *name, int64_t first, int64_t last)
{
  int64_t low = 0;
  int64_t high = 0;
  const bool is_part =
      read_number(&name, "sweep.", &low) && read_number(&name, "-", &high) && strcmp(name, ".jsonl") == 0;
  return is_part && first <= low && high <= last;
}

tg_status tg_sweep_parts_remove(const char *folder, int64_t first, int64_t last)
{
  tg_status status = TG_OK;
  DIR *list = opendir(folder);
  if (list == NULL && errno == ENOENT) return TG_OK;
  if (list == NULL) TG_FAIL(TG_IO, "cannot read the folder %s: %s", folder, strerror(errno));
  for (const struct dirent *entry = NULL; status == TG_OK && (entry = readdir(list)) != NULL;)
    if (is_part_within(entry->d_name, first, last) && unlinkat(dirfd(list), entry->d_name, 0) != 0 && errno != ENOENT)
      status = tg_error_set(TG_IO, TG_HERE, "cannot remove %s/%s: %s", folder, entry->d_name, strerror(errno));
  closedir(list);
  return status;
}

tg_status tg_sweep_files_remove(const char *folder, const tg_sweep *sweep, const char *fingerprint, int64_t first,
                                int64_t last)
{
  char others[64];
  tg_sweep_row *rows = NULL;
  json_t *data = NULL;
  tg_text whole;
  TG_TRY(TG_NEW(sweep->n_points, &rows));
  tg_status status = tg_sweep_rows_read(folder, sweep, fingerprint, rows, others, &data);
  json_decref(data);
  tg_free(rows);
  // Rows of another sweep: the run refuses them, or leaves them where they are.
  if (status != TG_OK || others[0] != '\0') return status;
  TG_TRY(tg_sweep_parts_remove(folder, first, last));
  if (first > 0 || last < sweep->n_points - 1) return TG_OK;
  tg_text_init(&whole);
  tg_text_addf(&whole, "%s/sweep.jsonl", folder);
  status = tg_text_status(&whole);
  if (status == TG_OK && unlink(tg_text_string(&whole)) != 0 && errno != ENOENT)
    status = tg_error_set(TG_IO, TG_HERE, "cannot remove %s: %s", tg_text_string(&whole), strerror(errno));
  tg_text_fini(&whole);
  return status;
}
