// Generated matrices, entry by entry from counter-based random numbers and closed forms.
//
// Random numbers: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011), key = seed, counter = (i, j): any rank can make any entry.
#include "mpi/matrix/generate.h"

#include <Random123/philox.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { TAKES_SEED = 1, TAKES_SCALE = 2, TAKES_SYMMETRIC = 4, TAKES_RATIO = 8, NEEDS_CONDITION = 16, IS_SQUARE = 32 };

// One generation under way.
typedef struct generation {
  int64_t rows;
  int64_t cols;
  int64_t order; // max(rows, cols)
  uint64_t key;
  tg_generate_options options;
  double *u; // of the reflections: unit vectors of length order
  double *v;
  double *x; // of spd
  double *y;
  double uv; // u'v
} generation;

typedef struct generator {
  const char *label;
  double (*entry)(const generation *g, int64_t i, int64_t j);
  tg_status (*prepare)(generation *g);
  unsigned flags;
  const char *help;
} generator;

// --- random entries ----------------------------------------------------------------------------------

static const double two_pi = 6.283185307179586476925286766559;

// Two uniform numbers in (0, 1), never 0 nor 1, of 52 random bits each.
static void uniform_pair(uint64_t key, int64_t i, int64_t j, double out[2])
{
  const philox4x32_ctr_t counter = {
      {(uint32_t)i, (uint32_t)((uint64_t)i >> 32), (uint32_t)j, (uint32_t)((uint64_t)j >> 32)}};
  const philox4x32_key_t seed = {{(uint32_t)key, (uint32_t)(key >> 32)}};
  const philox4x32_ctr_t bits = philox4x32(counter, seed);
  for (size_t k = 0; k < 2; k++) {
    const uint64_t word = (uint64_t)bits.v[2 * k] << 32 | bits.v[2 * k + 1];
    out[k] = ((double)(word >> 12) + 0.5) * 0x1p-52;
  }
}

// Box and Muller.
static double normal_number(uint64_t key, int64_t i, int64_t j)
{
  double u[2];
  uniform_pair(key, i, j, u);
  return sqrt(-2 * log(u[0])) * cos(two_pi * u[1]);
}

static void order_if_symmetric(const generation *g, int64_t *i, int64_t *j)
{
  if (!g->options.symmetric || *i <= *j) return;
  const int64_t swap = *i;
  *i = *j;
  *j = swap;
}

static double entry_normal(const generation *g, int64_t i, int64_t j)
{
  order_if_symmetric(g, &i, &j);
  return normal_number(g->key, i, j);
}

static double entry_uniform(const generation *g, int64_t i, int64_t j)
{
  order_if_symmetric(g, &i, &j);
  double u[2];
  uniform_pair(g->key, i, j, u);
  return u[0];
}

// --- closed forms ------------------------------------------------------------------------------------

static double entry_identity(const generation *g, int64_t i, int64_t j)
{
  (void)g;
  return i == j ? 1 : 0;
}

static double entry_ones(const generation *g, int64_t i, int64_t j)
{
  (void)g;
  (void)i;
  (void)j;
  return 1;
}

static double entry_zeros(const generation *g, int64_t i, int64_t j)
{
  (void)g;
  (void)i;
  (void)j;
  return 0;
}

// condition^(-k/(n-1)): from 1 down to 1/condition.
static double spectrum(const generation *g, int64_t k)
{
  return g->order > 1 ? pow(g->options.condition, -(double)k / (double)(g->order - 1)) : 1;
}

static double entry_diagonal(const generation *g, int64_t i, int64_t j)
{
  return i == j ? spectrum(g, i) : 0;
}

static double entry_path(const generation *g, int64_t i, int64_t j)
{
  if (i == j) return (i > 0 ? 1 : 0) + (i + 1 < g->rows ? 1 : 0);
  return i - j == 1 || j - i == 1 ? -1 : 0;
}

// One or two nodes have no ring: the path stands in, so that rows always sum to zero.
static double entry_ring(const generation *g, int64_t i, int64_t j)
{
  if (g->rows < 3) return entry_path(g, i, j);
  const int64_t distance = i > j ? i - j : j - i;
  return distance == 0 ? 2 : distance == 1 || distance == g->rows - 1 ? -1 : 0;
}

static double entry_hilbert(const generation *g, int64_t i, int64_t j)
{
  (void)g;
  return 1 / ((double)i + (double)j + 1);
}

static double entry_minij(const generation *g, int64_t i, int64_t j)
{
  (void)g;
  return (double)(i < j ? i : j) + 1;
}

static double entry_lehmer(const generation *g, int64_t i, int64_t j)
{
  (void)g;
  return i < j ? ((double)i + 1) / ((double)j + 1) : ((double)j + 1) / ((double)i + 1);
}

static double entry_kms(const generation *g, int64_t i, int64_t j)
{
  return pow(g->options.ratio, (double)(i > j ? i - j : j - i));
}

// --- reflections -------------------------------------------------------------------------------------

// A random unit vector; the same on all ranks, as all add in the same order.
static tg_status unit_vector(const generation *g, uint64_t salt, double **out)
{
  TG_TRY(tg_alloc_numbers(g->order, out));
  double sum = 0;
  for (int64_t k = 0; k < g->order; k++) {
    (*out)[k] = normal_number(g->key ^ salt, k, 0);
    sum += (*out)[k] * (*out)[k];
  }
  const double factor = 1 / sqrt(sum);
  for (int64_t k = 0; k < g->order; k++) (*out)[k] *= factor;
  return TG_OK;
}

static double dot_of(const double *a, const double *b, int64_t n)
{
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += a[k] * b[k];
  return sum;
}

static tg_status prepare_reflectors(generation *g)
{
  TG_TRY(unit_vector(g, 0x5bd1e995c4ceb9feu, &g->u));
  TG_TRY(unit_vector(g, 0x2545f4914f6cdd1du, &g->v));
  g->uv = dot_of(g->u, g->v, g->order);
  return TG_OK;
}

// (I - 2uu')(I - 2vv') = I - 2uu' - 2vv' + 4(u'v) uv'; its leading columns (rows) when rectangular.
static double entry_orthogonal(const generation *g, int64_t i, int64_t j)
{
  const double *u = g->u;
  const double *v = g->v;
  return (i == j ? 1 : 0) - 2 * u[i] * u[j] - 2 * v[i] * v[j] + 4 * g->uv * u[i] * v[j];
}

// A reflection (I - 2uu') M (I - 2uu') of a symmetric M is M + uy' + yu' with y = 2 (u'Mu) u - 2 Mu. Around
// the diagonal D of the spectrum, first with v (giving x), then with u (giving y):
//   A = D + vx' + xv' + uy' + yu', an O(1) formula for each entry and exactly the spectrum of D.
static tg_status prepare_spd(generation *g)
{
  TG_TRY(prepare_reflectors(g));
  const int64_t n = g->order;
  TG_TRY(tg_alloc_numbers(n, &g->x));
  TG_TRY(tg_alloc_numbers(n, &g->y));
  for (int64_t k = 0; k < n; k++) g->x[k] = spectrum(g, k) * g->v[k];
  const double vdv = dot_of(g->v, g->x, n);
  for (int64_t k = 0; k < n; k++) g->x[k] = 2 * vdv * g->v[k] - 2 * g->x[k];
  const double xu = dot_of(g->x, g->u, n);
  for (int64_t k = 0; k < n; k++) g->y[k] = spectrum(g, k) * g->u[k] + xu * g->v[k] + g->uv * g->x[k];
  const double umu = dot_of(g->u, g->y, n);
  for (int64_t k = 0; k < n; k++) g->y[k] = 2 * umu * g->u[k] - 2 * g->y[k];
  return TG_OK;
}

// The smaller index first: the matrix is symmetric to the last bit, however the compiler fuses the sums.
static double entry_spd(const generation *g, int64_t i, int64_t j)
{
  const int64_t a = i < j ? i : j;
  const int64_t b = i < j ? j : i;
  const double off = g->v[a] * g->x[b] + g->x[a] * g->v[b] + g->u[a] * g->y[b] + g->y[a] * g->u[b];
  return i == j ? spectrum(g, i) + off : off;
}

// --- the table ---------------------------------------------------------------------------------------

static const generator generators[] = {
#define X(label, entry, prepare, flags, help) {label, entry, prepare, flags, help},
#include "mpi/matrix/generate.def"
#undef X
};

enum { GENERATORS = sizeof generators / sizeof *generators };

int tg_generate_count(void)
{
  return GENERATORS;
}

const char *tg_generate_label(int kind)
{
  return generators[kind].label;
}

const char *tg_generate_help(int kind)
{
  return generators[kind].help;
}

bool tg_generate_takes(int kind, const char *option)
{
  static const struct {
    const char *name;
    unsigned flag;
  } options[] = {{"seed", TAKES_SEED},
                 {"scale", TAKES_SCALE},
                 {"condition", NEEDS_CONDITION},
                 {"ratio", TAKES_RATIO},
                 {"symmetric", TAKES_SYMMETRIC}};
  for (size_t k = 0; k < sizeof options / sizeof *options; k++)
    if (strcmp(options[k].name, option) == 0) return (generators[kind].flags & options[k].flag) != 0;
  return false;
}

static tg_status find_generator(const char *kind, const generator **out)
{
  const char *names[GENERATORS];
  *out = NULL;
  for (int k = 0; k < GENERATORS; k++) {
    names[k] = generators[k].label;
    if (strcmp(kind, names[k]) == 0) *out = &generators[k];
  }
  if (*out != NULL) return TG_OK;
  const char *near = tg_nearest_word(kind, names, GENERATORS);
  if (near != NULL) TG_FAIL(TG_NAME, "there is no generated matrix \"%s\"; is \"%s\" meant?", kind, near);
  tg_text kinds;
  tg_text_init(&kinds);
  for (int k = 0; k < GENERATORS; k++) tg_text_addf(&kinds, "%s%s", k == 0 ? "" : ", ", names[k]);
  tg_error_set(TG_NAME, TG_HERE, "there is no generated matrix \"%s\"; the kinds are %s", kind, tg_text_string(&kinds));
  tg_text_fini(&kinds);
  return TG_NAME;
}

static tg_status check_condition(const generator *found, const tg_generate_options *options)
{
  if ((found->flags & NEEDS_CONDITION) == 0) {
    if (options->condition != 0) TG_FAIL(TG_VALUE, "a %s matrix takes no condition number", found->label);
    return TG_OK;
  }
  if (options->condition == 0) TG_FAIL(TG_VALUE, "a %s matrix needs a condition number, such as 1e4", found->label);
  if (!(options->condition >= 1) || isinf(options->condition))
    TG_FAIL(TG_VALUE, "the condition number is %g, it must be finite and at least 1", options->condition);
  return TG_OK;
}

tg_status tg_generate_check(const char *kind, int64_t rows, int64_t cols, const tg_generate_options *options)
{
  const generator *found = NULL;
  TG_TRY(find_generator(kind, &found));
  TG_TRY(check_condition(found, options));
  if (((found->flags & IS_SQUARE) != 0 || options->symmetric) && rows != cols)
    TG_FAIL(TG_SHAPE, "a %s%s matrix is square, %" PRId64 " x %" PRId64 " is not",
            options->symmetric ? "symmetric " : "", found->label, rows, cols);
  if (!isfinite(options->scale)) TG_FAIL(TG_VALUE, "the scale of a generated matrix must be finite");
  if (options->symmetric && (found->flags & TAKES_SYMMETRIC) == 0)
    TG_FAIL(TG_VALUE, "a %s matrix cannot be asked to be symmetric; normal and uniform can", found->label);
  if (options->ratio != 0 && (found->flags & TAKES_RATIO) == 0)
    TG_FAIL(TG_VALUE, "a %s matrix takes no ratio", found->label);
  if (!(fabs(options->ratio) < 1)) TG_FAIL(TG_VALUE, "the ratio is %g, it must lie between -1 and 1", options->ratio);
  return TG_OK;
}

// --- filling -----------------------------------------------------------------------------------------

static void fill_entries(const generation *g, double (*entry)(const generation *, int64_t, int64_t), tg_dmat *out)
{
  const tg_grid *grid = out->grid;
  const double scale = g->options.scale;
#pragma omp parallel for schedule(static)
  for (int64_t lj = 0; lj < out->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, out->block, grid->col, grid->cols);
    for (int64_t li = 0; li < out->local_rows; li++) {
      const int64_t i = tg_layout_global(li, out->block, grid->row, grid->rows);
      out->data[li + lj * out->ld] = scale * entry(g, i, j);
    }
  }
}

static generation generation_of(uint64_t key, const tg_generate_options *options, const tg_dmat *out)
{
  generation g = {.rows = out->rows, .cols = out->cols, .key = key, .options = *options};
  g.order = out->rows > out->cols ? out->rows : out->cols;
  if (g.options.scale == 0) g.options.scale = 1;
  if (g.options.ratio == 0) g.options.ratio = 0.5;
  return g;
}

void tg_generate_normal(uint64_t seed, uint32_t stream, tg_dmat *out)
{
  const tg_generate_options plain = {.seed = seed};
  const generation g = generation_of(seed ^ (uint64_t)stream * 0x9e3779b97f4a7c15u, &plain, out);
  fill_entries(&g, entry_normal, out);
}

tg_status tg_generate(const char *kind, const tg_generate_options *options, tg_dmat *out)
{
  TG_TRY(tg_generate_check(kind, out->rows, out->cols, options));
  const generator *found = NULL;
  TG_TRY(find_generator(kind, &found));
  generation g = generation_of(options->seed, options, out);
  tg_status status = TG_OK;
  if (found->prepare != NULL) TG_TRY_GOTO(tg_agree(out->grid->comm, found->prepare(&g)));
  fill_entries(&g, found->entry, out);
done:
  tg_free(g.u);
  tg_free(g.v);
  tg_free(g.x);
  tg_free(g.y);
  return status;
}
