// Constants of plans that other plans compute in the same way.
#include "mpi/exec/memo.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct source {
  const tg_dmat *matrix;
  tg_memo_key key;
  tg_memo_parts parts; // cut = TG_CUT_NONE: it is none
} source;

typedef struct entry {
  tg_memo_key key;
  tg_dmat *matrix; // NULL: it has gone
  double *numbers;
  bool is_used;   // by the point at hand
  bool is_shared; // by a point that has not made it
  bool is_new;    // made by the point at hand
  bool is_pinned;
  char label[80];
} entry;

struct tg_memo {
  int n_sources;
  int64_t serial; // of the source that comes next: no two have the same
  source *sources;
  const char *label; // of what is kept; NULL: its own
  int n;
  entry *entries;
};

tg_status tg_memo_create(tg_memo **out)
{
  return TG_NEW(1, out);
}

static void drop(entry *e)
{
  tg_dmat_destroy(&e->matrix);
  tg_free(e->numbers);
  e->numbers = NULL;
}

void tg_memo_destroy(tg_memo **memo)
{
  tg_memo *m = *memo;
  if (m == NULL) return;
  for (int k = 0; k < m->n; k++) drop(&m->entries[k]);
  tg_free(m->entries);
  tg_free(m->sources);
  tg_free(m);
  *memo = NULL;
}

// ---- keys ----

// The finaliser of splitmix64.
static uint64_t scramble(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

tg_memo_key tg_memo_mix(tg_memo_key key, uint64_t value)
{
  key.words[0] = scramble(key.words[0] + UINT64_C(0x9e3779b97f4a7c15) + value);
  key.words[1] = scramble((key.words[1] ^ UINT64_C(0xd1b54a32d192ed03)) + scramble(value + 1));
  return key;
}

tg_memo_key tg_memo_mix_double(tg_memo_key key, double value)
{
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  return tg_memo_mix(key, bits);
}

tg_memo_key tg_memo_mix_key(tg_memo_key key, tg_memo_key other)
{
  const bool is_known = key.is_known && other.is_known;
  key = tg_memo_mix(tg_memo_mix(key, other.words[0]), other.words[1]);
  key.is_known = is_known;
  return key;
}

bool tg_memo_is_same(tg_memo_key a, tg_memo_key b)
{
  return a.is_known && b.is_known && a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

// ---- sources ----

tg_status tg_memo_add_source(tg_memo *memo, const char *name, const tg_dmat *matrix)
{
  tg_memo_key key = {.is_known = true};
  TG_TRY(tg_grow(memo->n_sources + 1, sizeof *memo->sources, (void **)&memo->sources));
  for (; *name != '\0'; name++) key = tg_memo_mix(key, (uint64_t)(unsigned char)*name);
  key = tg_memo_mix(tg_memo_mix(key, (uint64_t)memo->serial++), 0x50);
  memo->sources[memo->n_sources++] = (source){.matrix = matrix, .key = key};
  return TG_OK;
}

static source *find_source(const tg_memo *memo, const tg_dmat *matrix)
{
  for (int k = 0; k < memo->n_sources; k++)
    if (memo->sources[k].matrix == matrix) return &memo->sources[k];
  return NULL;
}

void tg_memo_drop_source(tg_memo *memo, const tg_dmat *matrix)
{
  source *s = find_source(memo, matrix);
  if (s == NULL) return;
  *s = memo->sources[--memo->n_sources];
}

tg_memo_key tg_memo_source(const tg_memo *memo, const tg_dmat *matrix)
{
  const source *s = find_source(memo, matrix);
  return s != NULL ? s->key : (tg_memo_key){.is_known = false};
}

// ---- parts ----

// sums[k] += |line k|^2 of this rank's part of the columns (rows) that a difference of products is made of.
static void add_squares(const tg_dmat *m, bool is_columns, double *sums)
{
  for (int64_t j = 0; j < m->local_cols; j++) {
    const double *column = m->data + j * m->ld;
    double total = 0;
    for (int64_t i = 0; i < m->local_rows; i++) {
      const double square = column[i] * column[i];
      total += square;
      if (!is_columns) sums[tg_layout_global(i, m->block, m->grid->row, m->grid->rows)] += square;
    }
    if (is_columns) sums[tg_layout_global(j, m->block, m->grid->col, m->grid->cols)] += total;
  }
}

// Whether every line keeps a hundredth of its square.
static tg_status is_sound(const tg_dmat *left, const tg_dmat *whole, bool is_columns, bool *out)
{
  static const double least = 0.01;
  const int64_t n = is_columns ? whole->cols : whole->rows;
  double *sums = NULL;
  TG_TRY(tg_agree_memory(whole->grid->comm, TG_NEW(2 * n, &sums), &sums));
  add_squares(left, is_columns, sums);
  add_squares(whole, is_columns, sums + n);
  const tg_status status =
      tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, sums, (int)(2 * n), MPI_DOUBLE, MPI_SUM, whole->grid->comm), TG_HERE);
  *out = status == TG_OK;
  // Not a number is none either.
  for (int64_t k = 0; k < n && *out; k++) *out = sums[k] >= least * sums[n + k];
  tg_free(sums);
  return status;
}

tg_status tg_memo_set_cut(tg_memo *memo, const tg_dmat *left, const tg_dmat *whole, const tg_dmat *own, tg_memo_cut cut)
{
  bool sound = false;
  source *s = find_source(memo, left);
  if (cut == TG_CUT_NONE || s == NULL) return TG_OK;
  if (2 * (cut == TG_CUT_ROWS ? whole->cols : whole->rows) > INT32_MAX) return TG_OK;
  TG_TRY(is_sound(left, whole, cut == TG_CUT_ROWS, &sound));
  if (sound) s->parts = (tg_memo_parts){.whole = whole, .own = own, .cut = cut};
  return TG_OK;
}

const tg_memo_parts *tg_memo_parts_of(const tg_memo *memo, const tg_dmat *matrix)
{
  const source *s = find_source(memo, matrix);
  return s != NULL && s->parts.cut != TG_CUT_NONE ? &s->parts : NULL;
}

// ---- results ----

static entry *find(const tg_memo *memo, tg_memo_key key)
{
  for (int k = 0; k < memo->n && key.is_known; k++)
    if (tg_memo_is_same(memo->entries[k].key, key)) return &memo->entries[k];
  return NULL;
}

tg_dmat *tg_memo_find(tg_memo *memo, tg_memo_key key)
{
  entry *e = find(memo, key);
  if (e == NULL) return NULL;
  e->is_used = true;
  e->is_shared = e->is_shared || !e->is_new;
  return tg_dmat_hold(e->matrix);
}

const double *tg_memo_numbers(const tg_memo *memo, tg_memo_key key)
{
  const entry *e = find(memo, key);
  return e != NULL ? e->numbers : NULL;
}

tg_status tg_memo_keep(tg_memo *memo, tg_memo_key key, const char *label, tg_dmat *matrix, int64_t n_numbers,
                       const double *numbers)
{
  double *copy = NULL;
  if (!key.is_known || find(memo, key) != NULL) return TG_OK;
  if (n_numbers > 0) TG_TRY(TG_NEW(n_numbers, &copy));
  if (n_numbers > 0) memcpy(copy, numbers, (size_t)n_numbers * sizeof *copy);
  const tg_status status = tg_grow(memo->n + 1, sizeof *memo->entries, (void **)&memo->entries);
  if (status != TG_OK) {
    tg_free(copy);
    return status;
  }
  entry *e = &memo->entries[memo->n++];
  *e = (entry){.key = key, .matrix = tg_dmat_hold(matrix), .numbers = copy, .is_used = true, .is_new = true};
  snprintf(e->label, sizeof e->label, "%.79s", memo->label != NULL ? memo->label : label);
  return TG_OK;
}

void tg_memo_set_label(tg_memo *memo, const char *label)
{
  memo->label = label;
}

void tg_memo_pin(tg_memo *memo, tg_memo_key key)
{
  entry *e = find(memo, key);
  if (e != NULL) e->is_pinned = true;
}

void tg_memo_end_point(tg_memo *memo)
{
  int kept = 0;
  for (int k = 0; k < memo->n; k++) {
    entry *e = &memo->entries[k];
    if (!e->is_used && !e->is_pinned) {
      drop(e);
      continue;
    }
    e->is_used = e->is_new = false;
    memo->entries[kept++] = *e;
  }
  memo->n = kept;
}

static bool is_printed(const tg_memo *memo, int before)
{
  for (int k = 0; k < before; k++)
    if (memo->entries[k].is_shared && strcmp(memo->entries[k].label, memo->entries[before].label) == 0) return true;
  return false;
}

void tg_memo_print_shared(const tg_memo *memo, tg_text *out)
{
  const char *between = "";
  for (int k = 0; k < memo->n; k++) {
    if (!memo->entries[k].is_shared || is_printed(memo, k)) continue;
    tg_text_addf(out, "%s%s", between, memo->entries[k].label);
    between = ", ";
  }
}
