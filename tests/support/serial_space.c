// Points as one array each: the simplest space there is.
#include "support/serial_space.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

struct opt_point {
  const serial_space *space;
  int64_t offsets[SERIAL_BLOCKS_MAX];
  double *data;
};

double *serial_block(opt_point *point, int k)
{
  return point->data + point->offsets[k];
}

const double *serial_block_const(const opt_point *point, int k)
{
  return point->data + point->offsets[k];
}

static void destroy(const opt_space *base, opt_point **point)
{
  serial_space *space = base->self;
  if (*point == NULL) return;
  space->live--;
  tg_free((*point)->data);
  tg_free(*point);
  *point = NULL;
}

static tg_status create(const opt_space *base, opt_point **out)
{
  serial_space *space = base->self;
  tg_status status = TG_OK;
  opt_point *point = NULL;
  *out = NULL;
  TG_TRY_GOTO(TG_NEW(1, &point));
  TG_TRY_GOTO(tg_alloc(base->dimension, sizeof *point->data, (void **)&point->data));
  point->space = space;
  for (int k = 1; k < base->n_blocks; k++)
    point->offsets[k] = point->offsets[k - 1] + space->rows[k - 1] * space->cols[k - 1];
  space->live++;
  space->created++;
  *out = point;
  point = NULL;
done:
  tg_free(point);
  return status;
}

static tg_status copy(const opt_space *space, const opt_point *source, opt_point *target)
{
  memcpy(target->data, source->data, (size_t)space->dimension * sizeof *source->data);
  return TG_OK;
}

static tg_status axpby(const opt_space *space, double a, const opt_point *x, double b, opt_point *y)
{
  // b = 0 must not read y: it may hold anything, NaN too.
  for (int64_t i = 0; i < space->dimension; i++) y->data[i] = a * x->data[i] + (b == 0 ? 0 : b * y->data[i]);
  return TG_OK;
}

static tg_status dots(const opt_space *space, int count, const opt_point *const *x, const opt_point *const *y,
                      double *out)
{
  for (int k = 0; k < count; k++) {
    double sum = 0;
    for (int64_t i = 0; i < space->dimension; i++) sum += x[k]->data[i] * y[k]->data[i];
    out[k] = sum;
  }
  return TG_OK;
}

static tg_status group_dots(const opt_space *base, int count, const opt_point *const *x, const opt_point *const *y,
                            double *out)
{
  const serial_space *space = base->self;
  for (int i = 0; i < count * base->n_groups; i++) out[i] = 0;
  for (int d = 0; d < count; d++)
    for (int k = 0; k < base->n_blocks; k++)
      for (int64_t i = 0; i < space->rows[k] * space->cols[k]; i++)
        out[d * base->n_groups + i / space->rows[k]] += serial_block_const(x[d], k)[i] * serial_block_const(y[d], k)[i];
  return TG_OK;
}

static tg_status group_axpby(const opt_space *base, const double *a, const opt_point *x, const double *b, opt_point *y)
{
  const serial_space *space = base->self;
  for (int k = 0; k < base->n_blocks; k++)
    for (int64_t i = 0; i < space->rows[k] * space->cols[k]; i++) {
      const int64_t q = i / space->rows[k];
      double *to = &serial_block(y, k)[i];
      *to = a[q] * serial_block_const(x, k)[i] + (b[q] == 0 ? 0 : b[q] * *to);
    }
  return TG_OK;
}

static tg_status block_dots(const opt_space *base, int count, const opt_point *const *x, const opt_point *const *y,
                            double *out)
{
  const serial_space *space = base->self;
  for (int d = 0; d < count; d++)
    for (int k = 0; k < base->n_blocks; k++) {
      double sum = 0;
      for (int64_t i = 0; i < space->rows[k] * space->cols[k]; i++)
        sum += serial_block_const(x[d], k)[i] * serial_block_const(y[d], k)[i];
      out[d * base->n_blocks + k] = sum;
    }
  return TG_OK;
}

static tg_status block_axpy(const opt_space *base, const double *a, const opt_point *x, opt_point *y)
{
  const serial_space *space = base->self;
  for (int k = 0; k < base->n_blocks; k++)
    for (int64_t i = 0; i < space->rows[k] * space->cols[k]; i++)
      serial_block(y, k)[i] += a[k] * serial_block_const(x, k)[i];
  return TG_OK;
}

static tg_status block_scale(const opt_space *base, const double *a, opt_point *y)
{
  const serial_space *space = base->self;
  for (int k = 0; k < base->n_blocks; k++)
    for (int64_t i = 0; i < space->rows[k] * space->cols[k]; i++) serial_block(y, k)[i] *= a[k];
  return TG_OK;
}

static tg_status scale_entries(const opt_space *space, const opt_point *y, opt_point *x)
{
  for (int64_t i = 0; i < space->dimension; i++) x->data[i] *= y->data[i];
  return TG_OK;
}

static tg_status divide_entries(const opt_space *space, const opt_point *y, opt_point *x)
{
  for (int64_t i = 0; i < space->dimension; i++) x->data[i] /= y->data[i];
  return TG_OK;
}

// A 64-bit mixing function (the finaliser of splitmix64): independent bits for neighbouring inputs.
static uint64_t mix(uint64_t z)
{
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Box and Muller's normal deviate of entry `index`.
static tg_status fill_random(const opt_space *space, uint64_t seed, opt_point *x)
{
  for (int64_t i = 0; i < space->dimension; i++) {
    const uint64_t key = mix(seed) + 2 * (uint64_t)i;
    const double u = ((double)(mix(key) >> 11) + 0.5) * 0x1p-53;
    const double v = (double)(mix(key + 1) >> 11) * 0x1p-53;
    x->data[i] = sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
  }
  return TG_OK;
}

static tg_status agree(const opt_space *base, tg_status local)
{
  (void)base;
  return local;
}

static const opt_space_ops operations = {.agree = agree,
                                         .create = create,
                                         .destroy = destroy,
                                         .copy = copy,
                                         .axpby = axpby,
                                         .dots = dots,
                                         .group_dots = group_dots,
                                         .group_axpby = group_axpby,
                                         .block_dots = block_dots,
                                         .block_axpy = block_axpy,
                                         .block_scale = block_scale,
                                         .scale_entries = scale_entries,
                                         .divide_entries = divide_entries,
                                         .random = fill_random};

void serial_space_init(serial_space *space, int n_blocks, const int64_t *rows, const int64_t *cols)
{
  TG_ASSERT(n_blocks >= 1 && n_blocks <= SERIAL_BLOCKS_MAX);
  *space = (serial_space){.base = {.ops = &operations, .n_blocks = n_blocks, .n_groups = 1}};
  for (int k = 0; k < n_blocks; k++) {
    space->rows[k] = rows[k];
    space->cols[k] = cols[k];
    space->base.dimension += rows[k] * cols[k];
  }
  space->base.self = space;
}

void serial_space_group_columns(serial_space *space)
{
  for (int k = 0; k < space->base.n_blocks; k++) TG_ASSERT(space->cols[k] == space->cols[0]);
  space->base.n_groups = (int)space->cols[0];
}
