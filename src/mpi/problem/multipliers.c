// Violations and multiplier updates, entry by entry.
#include "mpi/problem/multipliers.h"

#include <math.h>

#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

static double size_of(double entry)
{
  return isnan(entry) ? (double)INFINITY : fabs(entry);
}

// Adds entry g or h with its multiplier to what was found so far.
static void add_entry(const tg_multiplier *c, double penalty, double value, double shift, tg_violation *part)
{
  const bool is_equality = isinf(c->low) != 0;
  const bool is_kink = isfinite(c->high) != 0;
  const double outside = is_kink ? 0 : is_equality || !(value <= 0) ? value : 0.0;
  double slack = is_equality || !(value <= c->low / penalty - shift) ? value : c->low / penalty - shift;
  if (is_kink && slack > c->high / penalty - shift) slack = c->high / penalty - shift;
  part->largest = fmax(part->largest, size_of(outside));
  part->complementarity = fmax(part->complementarity, size_of(slack));
  part->square += outside * outside;
  part->size = fmax(part->size, size_of(value));
  part->typical += sqrt(size_of(value));
}

tg_status tg_multiplier_measure(const tg_multiplier *c, double penalty, tg_violation *out)
{
  const tg_dmat *h = c->value;
  const tg_dmat *m = c->multiplier;
  tg_violation part = {0};
  for (int64_t j = 0; j < h->local_cols; j++) {
    for (int64_t i = 0; i < h->local_rows; i++)
      add_entry(c, penalty, h->data[i + j * h->ld], m->data[i + j * m->ld] / penalty, &part);
  }
  double most[3] = {part.largest, part.complementarity, part.size};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 3, MPI_DOUBLE, MPI_MAX, h->grid->comm));
  *out = (tg_violation){.largest = most[0], .complementarity = most[1], .size = most[2]};
  double sums[2] = {part.square, part.typical};
  TG_TRY(tg_reduce_sum(h->grid, 2, sums, sums));
  const double mean = sums[1] / (double)h->rows / (double)h->cols;
  out->square = sums[0];
  out->typical = mean * mean;
  return TG_OK;
}

tg_status tg_multiplier_size(const tg_multiplier *c, double *out)
{
  const tg_dmat *h = c->value;
  double parts[2] = {0, 0};
  for (int64_t j = 0; j < h->local_cols; j++)
    for (int64_t i = 0; i < h->local_rows; i++) {
      const double entry = h->data[i + j * h->ld];
      if (!isfinite(entry)) continue;
      parts[0] += entry * entry;
      parts[1]++;
    }
  TG_TRY(tg_reduce_sum(h->grid, 2, parts, parts));
  *out = parts[1] > 0 ? sqrt(parts[0] / parts[1]) : 0;
  return TG_OK;
}

tg_status tg_multiplier_update(const tg_multiplier *c, double penalty, double limit, double *square)
{
  const tg_dmat *h = c->value;
  tg_dmat *m = c->multiplier;
  const double low = isfinite(c->low) ? c->low : -limit;
  const double high = isfinite(c->high) ? c->high : limit;
  for (int64_t j = 0; j < h->local_cols; j++) {
    for (int64_t i = 0; i < h->local_rows; i++) {
      double *entry = &m->data[i + j * m->ld];
      *entry = fmin(fmax(*entry + penalty * h->data[i + j * h->ld], low), high);
    }
  }
  return tg_dmat_dot(m, m, square);
}

void tg_multiplier_set_slope(const tg_multiplier *kink)
{
  const tg_dmat *e = kink->value;
  tg_dmat *m = kink->multiplier;
  for (int64_t j = 0; j < e->local_cols; j++) {
    for (int64_t i = 0; i < e->local_rows; i++) {
      const double value = e->data[i + j * e->ld];
      m->data[i + j * m->ld] = value < 0 ? kink->low : kink->high;
    }
  }
}
