// The method of conjugate gradients as a ScaLAPACK program written for one kind of objective: a peer of bench/solvers.
//
// scalapack_cg FOLDER SECONDS
// Solves sum_k c_k L_k X R_k = C, or with weights L (W .* (L X R)) R = C, both sides symmetric, from X = 0, each
// product a pdgemm. FOLDER holds terms.txt, a line "c left right" for each k with 0 or 1 for a factor that is there,
// and the matrices rhs.npy, left0.npy, right0.npy, ... and, with weights, weights.npy. It ends when |r| <= 1e-8 |C| or
// SECONDS are over, and prints {"iterations": [to 1e-6, to 1e-8], "seconds": [...], ...}; -1 where it did not come that
// far.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../measure.h"
#include "mpi/file/files.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

enum { TERMS_MAX = 8, N_TOLERANCES = 2 };
static const double tolerances[N_TOLERANCES] = {1e-6, 1e-8};

typedef struct term {
  double coef;
  tg_dmat *left;  // NULL: the identity
  tg_dmat *right; // NULL: the identity
} term;

typedef struct equations {
  int n_terms;
  term terms[TERMS_MAX];
  tg_dmat *weights; // NULL: none
  tg_dmat *rhs;
  tg_dmat *scratch[2];
  tg_workspace *workspace;
  int64_t products;
} equations;

typedef struct outcome {
  int64_t iterations[N_TOLERANCES];
  double seconds[N_TOLERANCES];
  double relative; // |C - A x| / |C|, recomputed from x at the end
} outcome;

// out = beta out + coef a b, the factor a or b possibly NULL for the identity.
static tg_status multiply(equations *e, double coef, const tg_dmat *a, const tg_dmat *b, double beta, tg_dmat *out)
{
  if (a == NULL || b == NULL) {
    const double coefs[2] = {coef, beta};
    const tg_dmat *const terms[2] = {a == NULL ? b : a, out};
    return tg_dmat_lincomb(beta != 0 ? 2 : 1, coefs, terms, out);
  }
  e->products++;
  return tg_product(TG_PRODUCT_SCALAPACK, false, false, coef, a, b, beta, out, e->workspace, NULL);
}

// out = beta out + c L v R.
static tg_status add_term(equations *e, const term *t, const tg_dmat *v, double beta, tg_dmat *out)
{
  if (t->right == NULL) return multiply(e, t->coef, t->left, v, beta, out);
  if (t->left == NULL) return multiply(e, t->coef, v, t->right, beta, out);
  TG_TRY(multiply(e, 1, t->left, v, 0, e->scratch[0]));
  return multiply(e, t->coef, e->scratch[0], t->right, beta, out);
}

static tg_status apply(equations *e, const tg_dmat *v, tg_dmat *out)
{
  if (e->weights == NULL) {
    for (int k = 0; k < e->n_terms; k++) TG_TRY(add_term(e, &e->terms[k], v, k > 0, out));
    return TG_OK;
  }
  tg_dmat *image = e->scratch[1];
  TG_TRY(add_term(e, &e->terms[0], v, 0, image));
  for (int64_t j = 0; j < image->local_cols; j++)
    for (int64_t i = 0; i < image->local_rows; i++)
      image->data[i + j * image->ld] *= e->weights->data[i + j * e->weights->ld];
  return add_term(e, &e->terms[0], image, 0, out);
}

static tg_status update(double a, const tg_dmat *x, double b, tg_dmat *y)
{
  const double coefs[2] = {a, b};
  const tg_dmat *const terms[2] = {x, y};
  return tg_dmat_lincomb(2, coefs, terms, y);
}

// M. Hestenes, E. Stiefel 1952: x, r = C - A x, d. `vectors` are x, r, d, A d. Rank 0's clock ends it.
static tg_status minimise(equations *e, tg_dmat *const vectors[4], double limit, outcome *out)
{
  tg_dmat *x = vectors[0], *r = vectors[1], *d = vectors[2], *q = vectors[3];
  double rr = 0;
  TG_TRY(tg_dmat_copy(e->rhs, r));
  TG_TRY(tg_dmat_copy(r, d));
  TG_TRY(tg_dmat_dot(r, r, &rr));
  const double start = sqrt(rr);
  const double begin = MPI_Wtime();
  for (int k = 0; k < N_TOLERANCES; k++) out->iterations[k] = -1;
  for (int64_t iteration = 1;; iteration++) {
    double curvature = 0;
    double next = 0;
    TG_TRY(apply(e, d, q));
    TG_TRY(tg_dmat_dot(d, q, &curvature));
    TG_TRY(update(rr / curvature, d, 1, x));
    TG_TRY(update(-rr / curvature, q, 1, r));
    TG_TRY(tg_dmat_dot(r, r, &next));
    double elapsed = MPI_Wtime() - begin;
    TG_TRY_MPI(MPI_Bcast(&elapsed, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD));
    for (int k = 0; k < N_TOLERANCES; k++) {
      if (sqrt(next) > tolerances[k] * start || out->iterations[k] >= 0) continue;
      out->iterations[k] = iteration;
      out->seconds[k] = elapsed;
    }
    if (out->iterations[N_TOLERANCES - 1] >= 0 || elapsed > limit) break;
    TG_TRY(update(1, r, next / rr, d));
    rr = next;
  }
  TG_TRY(apply(e, x, q));
  TG_TRY(update(1, e->rhs, -1, q));
  TG_TRY(tg_dmat_dot(q, q, &rr));
  out->relative = sqrt(rr) / start;
  return TG_OK;
}

static tg_status read_matrix(const tg_grid *grid, const char *folder, const char *name, int k, tg_dmat **out)
{
  char path[4096];
  snprintf(path, sizeof path, k < 0 ? "%s/%s.npy" : "%s/%s%d.npy", folder, name, k);
  return tg_file_read(grid, path, NULL, out);
}

// Every rank reads this little file.
static tg_status read_equations(const tg_grid *grid, const char *folder, equations *e)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/terms.txt", folder);
  int flags[TERMS_MAX][2];
  int weighted = 0;
  FILE *file = fopen(path, "r");
  bool good =
      file != NULL && fscanf(file, "%d %d", &e->n_terms, &weighted) == 2 && e->n_terms > 0 && e->n_terms <= TERMS_MAX;
  for (int k = 0; good && k < e->n_terms; k++)
    good = fscanf(file, "%lf %d %d", &e->terms[k].coef, &flags[k][0], &flags[k][1]) == 3;
  if (file != NULL) fclose(file);
  tg_status status = TG_OK;
  if (!good)
    status = tg_error_set(TG_DATA, TG_HERE, "%s: expected the number of terms, 1 for weights, and the terms", path);
  TG_TRY(tg_agree(grid->comm, status));
  TG_TRY(read_matrix(grid, folder, "rhs", -1, &e->rhs));
  if (weighted) TG_TRY(read_matrix(grid, folder, "weights", -1, &e->weights));
  for (int k = 0; k < e->n_terms; k++) {
    if (flags[k][0]) TG_TRY(read_matrix(grid, folder, "left", k, &e->terms[k].left));
    if (flags[k][1]) TG_TRY(read_matrix(grid, folder, "right", k, &e->terms[k].right));
  }
  return TG_OK;
}

static void destroy_equations(equations *e)
{
  for (int k = 0; k < TERMS_MAX; k++) {
    tg_dmat_destroy(&e->terms[k].left);
    tg_dmat_destroy(&e->terms[k].right);
  }
  tg_dmat_destroy(&e->weights);
  tg_dmat_destroy(&e->rhs);
  for (int k = 0; k < 2; k++) tg_dmat_destroy(&e->scratch[k]);
  tg_workspace_destroy(&e->workspace);
}

static void add_json(const equations *e, const outcome *o, tg_text *json)
{
  tg_text_addf(json, "{\"iterations\": [%" PRId64 ", %" PRId64 "], \"seconds\": [%.6f, %.6f], \"relative\": %.3e, ",
               o->iterations[0], o->iterations[1], o->seconds[0], o->seconds[1], o->relative);
  tg_text_addf(json, "\"products\": %" PRId64 ", \"machine\": ", e->products);
  bench_add_machine(MPI_COMM_WORLD, json);
  tg_text_add(json, "}");
}

static tg_status solve(const tg_grid *grid, const char *folder, double limit, tg_text *json)
{
  equations e = {0};
  outcome found = {0};
  tg_dmat *vectors[4] = {NULL};
  tg_status status = TG_OK;
  TG_TRY_GOTO(read_equations(grid, folder, &e));
  for (int k = 0; k < 4 && status == TG_OK; k++) status = tg_dmat_create(grid, e.rhs->rows, e.rhs->cols, &vectors[k]);
  for (int k = 0; k < 2 && status == TG_OK; k++) status = tg_dmat_create(grid, e.rhs->rows, e.rhs->cols, &e.scratch[k]);
  if (status == TG_OK) status = tg_workspace_create(grid, &e.workspace);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  TG_TRY_GOTO(minimise(&e, vectors, limit, &found));
  add_json(&e, &found, json);
done:
  for (int k = 0; k < 4; k++) tg_dmat_destroy(&vectors[k]);
  destroy_equations(&e);
  return status;
}

static tg_status body(int argc, char **argv, tg_text *json)
{
  enum { BLOCK = 128 }; // the best of pdgemm's for these sizes on a machine like ours
  if (argc != 3 || !(atof(argv[2]) > 0)) TG_FAIL(TG_USAGE, "usage: scalapack_cg FOLDER SECONDS");
  int ranks = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  tg_grid_choice choice;
  tg_grid *grid = NULL;
  TG_TRY(tg_grid_choose(ranks, 1000, 1000, &choice));
  TG_TRY(tg_grid_create(MPI_COMM_WORLD, choice.rows, choice.cols, BLOCK, &grid));
  const tg_status status = solve(grid, argv[1], atof(argv[2]), json);
  tg_grid_destroy(&grid);
  return status;
}

int main(int argc, char **argv)
{
  return bench_main(argc, argv, "scalapack_cg", body);
}
