// The BLAS against plain loops, and its speed against the clock.
//
// A product C = a op(A) op(B) + b C is tested as C v = a op(A) (op(B) v) + b C0 v for a vector of entries between 1/2
// and 1: plain loops of n^2 steps see an error in any entry. The sizes cross what kernels treat differently: fewer rows
// than a register block, blocks that do not divide, products small enough to be done without packing, more rows,
// columns and steps than a packed panel. Rows beyond the matrix hold a mark that nothing may overwrite.
#include "mpi/blas/self_test.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "mpi/matrix/scalapack_abi.h"

enum { PAD = 3, SIDE_MAX = 421, WORK = 4 * SIDE_MAX, AREA = 256 * 256, RANDOM = 8192 };

static const double mark = 0.8125;

// Room for three matrices and a few vectors, and entries to fill matrices with.
typedef struct bench {
  double *random;
  double *a;
  double *b;
  double *c;
  double *work;
} bench;

// Entries between -1 and 1, without pattern: a few rounds of a mixing function.
static void fill_random(double *out)
{
  for (uint32_t i = 0; i < RANDOM; i++) {
    uint32_t h = (i + 1) * 0x9E3779B1U;
    h ^= h >> 15;
    h *= 0x2C1B3C6DU;
    h ^= h >> 12;
    h *= 0x297A2D39U;
    h ^= h >> 15;
    out[i] = (double)h / 2147483648.0 - 1.0;
  }
}

// Each column is another piece of them.
static void fill(const bench *at, int rows, int cols, int seed, double *out)
{
  for (int j = 0; j < cols; j++) {
    double *column = out + (size_t)j * (size_t)(rows + PAD);
    memcpy(column, at->random + (size_t)(seed * 1013 + j * 601) % (RANDOM - SIDE_MAX), (size_t)rows * sizeof *column);
    for (int i = 0; i < PAD; i++) column[rows + i] = mark;
  }
}

static bool is_marked(int rows, int cols, const double *a)
{
  for (int j = 0; j < cols; j++)
    for (int i = 0; i < PAD; i++)
      if (a[(size_t)j * (size_t)(rows + PAD) + (size_t)(rows + i)] != mark) return false;
  return true;
}

static void fill_vector(int n, double *v)
{
  for (int i = 0; i < n; i++) v[i] = 0.5 + 0.5 * (double)((i * 37) % 64) / 64.0;
}

// y = op(A) v + add y, a rows x cols as it is stored.
static void apply(int rows, int cols, const double *a, bool transposed, const double *v, double *y)
{
  const size_t ld = (size_t)(rows + PAD);
  for (int i = 0; i < (transposed ? cols : rows); i++) y[i] = 0;
  for (int j = 0; j < cols; j++) {
    const double *column = a + (size_t)j * ld;
    if (transposed) {
      double sum = 0;
      for (int i = 0; i < rows; i++) sum += column[i] * v[i];
      y[j] = sum;
    } else {
      for (int i = 0; i < rows; i++) y[i] += column[i] * v[j];
    }
  }
}

// y = A v for a symmetric matrix of which one triangle is stored.
static void apply_symmetric(int n, const double *a, bool lower, const double *v, double *y)
{
  const size_t ld = (size_t)(n + PAD);
  for (int i = 0; i < n; i++) y[i] = 0;
  for (int j = 0; j < n; j++) {
    for (int i = lower ? j : 0; i < (lower ? n : j + 1); i++) {
      const double entry = a[(size_t)j * ld + (size_t)i];
      y[i] += entry * v[j];
      if (i != j) y[j] += entry * v[i];
    }
  }
}

// y = op(T) v for a triangle; the other one is not read.
static void apply_triangle(int n, const double *t, bool lower, bool transposed, const double *v, double *y)
{
  const size_t ld = (size_t)(n + PAD);
  for (int i = 0; i < n; i++) y[i] = 0;
  for (int j = 0; j < n; j++)
    for (int i = lower ? j : 0; i < (lower ? n : j + 1); i++) {
      const double entry = t[(size_t)j * ld + (size_t)i];
      if (transposed)
        y[j] += entry * v[i];
      else
        y[i] += entry * v[j];
    }
}

// The largest difference; NaN where an entry is none.
static double distance(int n, const double *x, const double *y)
{
  double most = 0;
  for (int i = 0; i < n; i++) {
    const double d = fabs(x[i] - y[i]);
    if (!(d <= most)) most = d;
    if (isnan(most)) return most;
  }
  return most;
}

// ---- products ----

static tg_status test_product(const bench *at, const int size[3], bool transa, bool transb)
{
  const int m = size[0];
  const int n = size[1];
  const int k = size[2];
  const int rows_a = transa ? k : m;
  const int rows_b = transb ? n : k;
  const double alpha = 0.75;
  const double beta = -0.5;
  double *v = at->work;
  double *w = v + SIDE_MAX;
  double *expected = w + SIDE_MAX;
  double *found = expected + SIDE_MAX;
  fill(at, rows_a, transa ? m : k, 1, at->a);
  fill(at, rows_b, transb ? k : n, 2, at->b);
  fill(at, m, n, 3, at->c);
  fill_vector(n, v);
  apply(m, n, at->c, false, v, found);
  apply(rows_b, transb ? k : n, at->b, transb, v, w);
  apply(rows_a, transa ? m : k, at->a, transa, w, expected);
  for (int i = 0; i < m; i++) expected[i] = alpha * expected[i] + beta * found[i];
  cblas_dgemm(CblasColMajor, transa ? CblasTrans : CblasNoTrans, transb ? CblasTrans : CblasNoTrans, m, n, k, alpha,
              at->a, rows_a + PAD, at->b, rows_b + PAD, beta, at->c, m + PAD);
  apply(m, n, at->c, false, v, found);
  const double bound = 4.0 * DBL_EPSILON * (k + n) * ((double)k * n + n);
  const double error = distance(m, found, expected);
  if (!(error <= bound) || !is_marked(m, n, at->c))
    TG_FAIL(TG_NUMERIC, "dgemm %c%c of %d x %d x %d is off by %.2g, expected at most %.2g", transa ? 'T' : 'N',
            transb ? 'T' : 'N', m, n, k, error, bound);
  return TG_OK;
}

static tg_status test_products(const bench *at)
{
  static const int sizes[][3] = {{1, 1, 1},     {7, 5, 3},     {17, 33, 29}, {64, 48, 32},
                                 {61, 41, 421}, {421, 41, 61}, {41, 421, 61}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
    for (int form = 0; form < 4; form++) TG_TRY(test_product(at, sizes[s], (form & 1) != 0, (form & 2) != 0));
  return TG_OK;
}

// C = A A' or A' A, one triangle; the other one keeps its marks.
static tg_status test_symmetric(const bench *at, int n, int k, bool lower, bool transposed)
{
  const int rows = transposed ? k : n;
  const int cols = transposed ? n : k;
  double *v = at->work;
  double *w = v + SIDE_MAX;
  double *expected = w + SIDE_MAX;
  double *found = expected + SIDE_MAX;
  fill(at, rows, cols, 4, at->a);
  for (size_t i = 0; i < (size_t)n * (size_t)(n + PAD); i++) at->c[i] = mark;
  fill_vector(n, v);
  apply(rows, cols, at->a, !transposed, v, w);
  apply(rows, cols, at->a, transposed, w, expected);
  cblas_dsyrk(CblasColMajor, lower ? CblasLower : CblasUpper, transposed ? CblasTrans : CblasNoTrans, n, k, 1.0, at->a,
              rows + PAD, 0.0, at->c, n + PAD);
  apply_symmetric(n, at->c, lower, v, found);
  bool is_kept = is_marked(n, n, at->c);
  for (int j = 0; j < n; j++)
    for (int i = lower ? 0 : j + 1; i < (lower ? j : n); i++)
      is_kept = is_kept && at->c[(size_t)j * (size_t)(n + PAD) + (size_t)i] == mark;
  const double bound = 4.0 * DBL_EPSILON * (k + n) * (double)k * n;
  const double error = distance(n, found, expected);
  if (!(error <= bound) || !is_kept)
    TG_FAIL(TG_NUMERIC, "dsyrk %c%c of %d x %d is off by %.2g, expected at most %.2g", lower ? 'L' : 'U',
            transposed ? 'T' : 'N', n, k, error, bound);
  return TG_OK;
}

// ---- triangles ----

// A diagonal that dominates: solutions stay near one.
static void fill_dominant(const bench *at, int n, int seed, double *t)
{
  fill(at, n, n, seed, t);
  for (int j = 0; j < n; j++) {
    double *column = t + (size_t)j * (size_t)(n + PAD);
    for (int i = 0; i < n; i++) column[i] /= n;
    column[j] += 2.0;
  }
}

// op(T) X = B or X op(T) = B.
static tg_status test_triangle(const bench *at, int m, int n, bool left, bool lower, bool transposed)
{
  const int order = left ? m : n;
  double *v = at->work;
  double *w = v + SIDE_MAX;
  double *expected = w + SIDE_MAX;
  double *found = expected + SIDE_MAX;
  fill_dominant(at, order, 5, at->a);
  fill(at, m, n, 6, at->b);
  fill_vector(n, v);
  apply(m, n, at->b, false, v, expected);
  cblas_dtrsm(CblasColMajor, left ? CblasLeft : CblasRight, lower ? CblasLower : CblasUpper,
              transposed ? CblasTrans : CblasNoTrans, CblasNonUnit, m, n, 1.0, at->a, order + PAD, at->b, m + PAD);
  if (left) {
    apply(m, n, at->b, false, v, w);
    apply_triangle(order, at->a, lower, transposed, w, found);
  } else {
    apply_triangle(order, at->a, lower, transposed, v, w);
    apply(m, n, at->b, false, w, found);
  }
  const double bound = 16.0 * DBL_EPSILON * (order + n) * n;
  const double error = distance(m, found, expected);
  if (!(error <= bound) || !is_marked(m, n, at->b))
    TG_FAIL(TG_NUMERIC, "dtrsm %c%c%c of %d x %d is off by %.2g, expected at most %.2g", left ? 'L' : 'R',
            lower ? 'L' : 'U', transposed ? 'T' : 'N', m, n, error, bound);
  return TG_OK;
}

static tg_status test_cholesky(const bench *at, int n, bool lower)
{
  double *v = at->work;
  double *w = v + SIDE_MAX;
  double *expected = w + SIDE_MAX;
  double *found = expected + SIDE_MAX;
  const int ld = n + PAD;
  int info = 0;
  fill(at, n, n, 7, at->a);
  for (int j = 0; j < n; j++) at->a[(size_t)j * (size_t)ld + (size_t)j] += n;
  fill_vector(n, v);
  apply_symmetric(n, at->a, lower, v, expected);
  dpotrf_(lower ? "L" : "U", &n, at->a, &ld, &info, 1);
  apply_triangle(n, at->a, lower, lower, v, w);
  apply_triangle(n, at->a, lower, !lower, w, found);
  const double bound = 16.0 * DBL_EPSILON * n * (double)n * n;
  const double error = distance(n, found, expected);
  if (info != 0 || !(error <= bound) || !is_marked(n, n, at->a))
    TG_FAIL(TG_NUMERIC, "dpotrf %c of %d is off by %.2g, expected at most %.2g", lower ? 'L' : 'U', n, error, bound);
  return TG_OK;
}

static tg_status test_all(const bench *at)
{
  TG_TRY(test_products(at));
  for (int form = 0; form < 4; form++) {
    TG_TRY(test_symmetric(at, 7, 3, (form & 1) != 0, (form & 2) != 0));
    TG_TRY(test_symmetric(at, 131, 97, (form & 1) != 0, (form & 2) != 0));
  }
  for (int form = 0; form < 8; form++) {
    TG_TRY(test_triangle(at, 5, 3, (form & 1) != 0, (form & 2) != 0, (form & 4) != 0));
    TG_TRY(test_triangle(at, 131, 45, (form & 1) != 0, (form & 2) != 0, (form & 4) != 0));
  }
  TG_TRY(test_cholesky(at, 9, true));
  TG_TRY(test_cholesky(at, 197, true));
  return test_cholesky(at, 150, false);
}

tg_status tg_blas_self_test(void)
{
  double *memory = NULL;
  TG_TRY(tg_alloc_numbers(3 * (int64_t)AREA + WORK + RANDOM, &memory));
  double *work = memory + 3 * (size_t)AREA;
  const bench at = {work + WORK, memory, memory + AREA, memory + 2 * (size_t)AREA, work};
  fill_random(at.random);
  // One thread: what is tested are kernels, and starting the others takes longer.
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const tg_status status = test_all(&at);
  omp_set_num_threads(threads);
  tg_free(memory);
  return status;
}

// ---- speed ----

static double processor_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// A chain of multiplications and additions of integers, each waiting for the one before: three cycles and one on all
// x86-64 processors that have vectors wider than 128 bits.
static double cycles_per_second(void)
{
  enum { LINKS = 100000, CYCLES = 4 };
  double best = 0;
  uint64_t x = 1;
  for (int trial = 0; trial < 3; trial++) {
    const double begin = processor_seconds();
    for (int k = 0; k < LINKS; k++) {
      x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
      __asm__ volatile("" : "+r"(x));
    }
    const double seconds = processor_seconds() - begin;
    if (seconds > 0) best = fmax(best, (double)CYCLES * LINKS / seconds);
  }
  return best;
}

double tg_blas_share_of_peak(void)
{
  enum { SIDE = 256 };
  const double width = tg_cpu_flops_per_cycle(tg_cpu_get());
  double *memory = NULL;
  if (width <= 0) return 0;
  if (tg_alloc_numbers(3 * (int64_t)AREA, &memory) != TG_OK) {
    tg_error_clear();
    return 0;
  }
  for (size_t i = 0; i < 2 * (size_t)AREA; i++) memory[i] = 1.0 / (1.0 + (double)(i % 7));
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  double best = HUGE_VAL;
  for (int trial = 0; trial < 4; trial++) {
    const double begin = processor_seconds();
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1.0, memory, SIDE, memory + AREA, SIDE,
                0.0, memory + 2 * (size_t)AREA, SIDE);
    best = fmin(best, processor_seconds() - begin);
  }
  omp_set_num_threads(threads);
  tg_free(memory);
  return best > 0 ? 2.0 * SIDE * SIDE * SIDE / best / (width * cycles_per_second()) : 0;
}

void tg_blas_advise_share(double share, tg_text *out)
{
  // Vectors of half the width, or two threads on one core, reach a half.
  static const double least = 0.4;
  if (share > 0 && share < least)
    tg_text_addf(
        out,
        "a 256 x 256 product runs at %.2f of the least that %s does at this clock: the kernels of the BLAS are "
        "not those of this CPU; see tracegrad info\n",
        share, tg_cpu_label(tg_cpu_get()));
}
