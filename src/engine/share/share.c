// What the points of a sweep have in common.
#include "engine/share/share.h"

#include <string.h>

#include "base/memory.h"

typedef struct shared_datum {
  const char *name;
  bool are_bounds;
  int fold; // 0: the whole
  bool is_score;
  tg_dmat *matrix;
} shared_datum;

struct tg_share {
  MPI_Comm comm; // not owned
  tg_grid *grid;
  tg_grid_choice choice;
  int64_t n_points;
  tg_memo *memo;
  int n_data;
  shared_datum *data;
  int n_variables;
  int n_starts;
  tg_dmat **starts[TG_SHARE_STARTS]; // newest first
  int64_t points[TG_SHARE_STARTS];
  int n_metric;
  tg_dmat **metric; // NULL: none
  tg_share_metric metric_facts;
  int n_weights;
  double weights[TG_SHARE_STARTS][TG_SHARE_STARTS]; // by their number less one
};

tg_status tg_share_create(MPI_Comm comm, tg_share **out)
{
  TG_TRY(tg_agree_memory(comm, TG_NEW(1, out), out));
  (*out)->comm = comm;
  return tg_agree(comm, tg_memo_create(&(*out)->memo));
}

static void drop_oldest(tg_share *share)
{
  tg_dmat **start = share->starts[--share->n_starts];
  for (int k = 0; k < share->n_variables; k++) tg_dmat_destroy(&start[k]);
  tg_free(start);
}

void tg_share_drop_starts(tg_share *share)
{
  while (share->n_starts > 0) drop_oldest(share);
}

void tg_share_destroy(tg_share **share)
{
  tg_share *s = *share;
  if (s == NULL) return;
  tg_share_drop_starts(s);
  tg_share_drop_metric(s);
  tg_memo_destroy(&s->memo);
  for (int k = 0; k < s->n_data; k++) tg_dmat_destroy(&s->data[k].matrix);
  tg_free(s->data);
  tg_grid_destroy(&s->grid);
  tg_free(s);
  *share = NULL;
}

tg_grid *tg_share_grid(const tg_share *share, tg_grid_choice *choice)
{
  if (share->grid != NULL) *choice = share->choice;
  return share->grid;
}

void tg_share_take_grid(tg_share *share, tg_grid *grid, const tg_grid_choice *choice)
{
  share->grid = grid;
  share->choice = *choice;
}

tg_dmat *tg_share_find(tg_share *share, const char *name, bool are_bounds)
{
  for (int k = 0; k < share->n_data; k++)
    if (share->data[k].fold == 0 && share->data[k].are_bounds == are_bounds && strcmp(share->data[k].name, name) == 0)
      return tg_dmat_hold(share->data[k].matrix);
  return NULL;
}

void tg_share_set_points(tg_share *share, int64_t n)
{
  share->n_points = n;
}

int64_t tg_share_points(const tg_share *share)
{
  return share->n_points;
}

tg_memo *tg_share_memo(const tg_share *share)
{
  return share->memo;
}

tg_status tg_share_keep(tg_share *share, const char *name, bool are_bounds, tg_dmat *matrix)
{
  TG_TRY(tg_grow(share->n_data + 1, sizeof *share->data, (void **)&share->data));
  TG_TRY(tg_memo_add_source(share->memo, name, matrix));
  share->data[share->n_data++] = (shared_datum){name, are_bounds, 0, false, tg_dmat_hold(matrix)};
  return TG_OK;
}

// ---- parts ----

tg_dmat *tg_share_find_part(tg_share *share, const char *name, int fold, bool is_score)
{
  for (int k = 0; k < share->n_data; k++) {
    const shared_datum *d = &share->data[k];
    if (d->fold == fold && d->is_score == is_score && strcmp(d->name, name) == 0) return tg_dmat_hold(d->matrix);
  }
  return NULL;
}

static tg_status keep_parts(tg_share *share, const char *name, int fold, tg_dmat *left, tg_dmat *own)
{
  TG_TRY(tg_grow(share->n_data + 2, sizeof *share->data, (void **)&share->data));
  TG_TRY(tg_memo_add_source(share->memo, name, left));
  share->data[share->n_data++] = (shared_datum){name, false, fold, false, tg_dmat_hold(left)};
  share->data[share->n_data++] = (shared_datum){name, false, fold, true, tg_dmat_hold(own)};
  return TG_OK;
}

tg_status tg_share_keep_parts(tg_share *share, const char *name, int fold, tg_dmat *whole, tg_dmat *left, tg_dmat *own,
                              tg_memo_cut cut)
{
  TG_TRY(tg_agree(share->comm, keep_parts(share, name, fold, left, own)));
  return tg_memo_set_cut(share->memo, left, whole, own, cut);
}

void tg_share_drop_parts(tg_share *share, int but)
{
  int kept = 0;
  for (int k = 0; k < share->n_data; k++) {
    shared_datum *d = &share->data[k];
    if (d->fold == 0 || d->fold == but) {
      share->data[kept++] = *d;
      continue;
    }
    tg_memo_drop_source(share->memo, d->matrix);
    tg_dmat_destroy(&d->matrix);
  }
  share->n_data = kept;
}

void tg_share_add_start(tg_share *share, int64_t point, int n, tg_dmat **start)
{
  if (share->n_starts == TG_SHARE_STARTS) drop_oldest(share);
  for (int k = share->n_starts; k > 0; k--) {
    share->starts[k] = share->starts[k - 1];
    share->points[k] = share->points[k - 1];
  }
  share->starts[0] = start;
  share->points[0] = point;
  share->n_variables = n;
  share->n_starts++;
}

int tg_share_starts(const tg_share *share)
{
  return share->n_starts;
}

tg_dmat *const *tg_share_start(const tg_share *share, int k)
{
  return share->starts[k];
}

int64_t tg_share_start_point(const tg_share *share, int k)
{
  return share->points[k];
}

// ---- the preconditioner's point ----

void tg_share_drop_metric(tg_share *share)
{
  for (int k = 0; share->metric != NULL && k < share->n_metric; k++) {
    tg_memo_drop_source(share->memo, share->metric[k]);
    tg_dmat_destroy(&share->metric[k]);
  }
  tg_free(share->metric);
  share->metric = NULL;
}

tg_status tg_share_set_metric(tg_share *share, int n, tg_dmat **matrices)
{
  tg_status status = TG_OK;
  tg_share_drop_metric(share);
  share->metric = matrices;
  share->n_metric = n;
  share->metric_facts = (tg_share_metric){.made_by = -1};
  for (int k = 0; k < n && status == TG_OK; k++) status = tg_memo_add_source(share->memo, "", matrices[k]);
  if (status != TG_OK) tg_share_drop_metric(share);
  return status;
}

tg_dmat **tg_share_metric_matrices(const tg_share *share)
{
  return share->metric;
}

tg_share_metric *tg_share_metric_facts(tg_share *share)
{
  return &share->metric_facts;
}

void tg_share_follow_metric(tg_share *share, int64_t point, int64_t iterations, double price)
{
  tg_share_metric *facts = &share->metric_facts;
  if (share->metric == NULL) return;
  const bool is_new = facts->made_by < 0;
  if (is_new) facts->made_by = point;
  if (is_new && facts->was_renewed) return;
  facts->points++;
  facts->iterations += iterations;
  if ((double)iterations * (double)facts->points > price + (double)facts->iterations) tg_share_drop_metric(share);
}

void tg_share_set_weights(tg_share *share, int n, const double *weights)
{
  share->n_weights = n;
  for (int k = 0; k < n; k++) share->weights[n - 1][k] = weights[k];
}

int tg_share_most_weights(const tg_share *share)
{
  return share->n_weights;
}

const double *tg_share_weights(const tg_share *share, int n)
{
  return share->weights[n - 1];
}
