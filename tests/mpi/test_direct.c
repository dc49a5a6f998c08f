// Direct solution of structured systems: H z = r checked by applying H with plain loops; definiteness refused by name.
#include "check.h"
#include "grad/plan/closed_cost.h"
#include "mpi/factor/direct.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"
#include "mpi/space/space.h"

enum { M = 11, N = 6 };

// Two points of one M x N block.
typedef struct pair {
  opt_space *space;
  opt_point *r;
  opt_point *z;
} pair;

static void open_pair(const tg_grid *grid, int64_t rows, int64_t cols, pair *p)
{
  REQUIRE_OK(tg_space_create(grid, 1, &rows, &cols, &p->space));
  REQUIRE_OK(p->space->ops->create(p->space, &p->r));
  REQUIRE_OK(p->space->ops->create(p->space, &p->z));
  REQUIRE_OK(p->space->ops->random(p->space, 9, p->r));
}

static void close_pair(pair *p)
{
  p->space->ops->destroy(p->space, &p->z);
  p->space->ops->destroy(p->space, &p->r);
  tg_space_destroy(&p->space);
}

static tg_dmat *new_spd(const tg_grid *grid, int64_t n, uint64_t seed)
{
  const tg_generate_options options = {.seed = seed, .condition = 50};
  tg_dmat *a = check_matrix(grid, n, n, 1);
  REQUIRE_OK(tg_generate("spd", &options, a));
  return a;
}

// The plan and its matrices by their places: LEFT + TG_CLOSED_BASE.
enum { LEFT = 0, RIGHT = TG_CLOSED_PARTS, EXTRA = TG_CLOSED_MATRICES };

typedef struct made {
  tg_closed_plan plan;
  tg_dmat *matrices[TG_CLOSED_MATRICES + 2];
} made;

static made of_kind(tg_closed_kind kind, double scale)
{
  return (made){.plan = {.kind = kind, .rows = M, .cols = N, .scale = scale}};
}

// The plan with what its matrices are.
static tg_closed_plan plan_of(const made *m)
{
  tg_closed_plan plan = m->plan;
  for (int side = 0; side < 2; side++) {
    tg_dmat *const *own = &m->matrices[side == 0 ? LEFT : RIGHT];
    for (int part = 0; part < TG_CLOSED_PARTS; part++) plan.sides[side].has[part] = own[part] != NULL;
    if (own[TG_CLOSED_WIDE] != NULL) plan.sides[side].wide_rows = own[TG_CLOSED_WIDE]->rows;
  }
  return plan;
}

// What it takes is what `plan` says beforehand.
static tg_status create(const tg_grid *grid, const made *m, tg_direct **out)
{
  const tg_closed_plan plan = plan_of(m);
  TG_TRY(tg_direct_create(grid, &plan, m->matrices, out));
  const double flops = tg_closed_flops(&plan, TG_CLOSED_MAKE);
  CHECK(fabs(tg_direct_flops(*out) - flops) <= 1e-12 * flops, "made by %.17g flops, priced %.17g",
        tg_direct_flops(*out), flops);
  return TG_OK;
}

// One use, counted and priced.
static void check_use(tg_direct *direct, const made *m, const opt_point *r, opt_point *z)
{
  const tg_closed_plan plan = plan_of(m);
  const double before = tg_direct_flops(direct);
  const double flops = tg_closed_flops(&plan, TG_CLOSED_USE);
  REQUIRE_OK(tg_direct_apply(direct, r, z));
  CHECK(fabs(tg_direct_flops(direct) - before - flops) <= 1e-12 * flops, "used by %.17g flops, priced %.17g",
        tg_direct_flops(direct) - before, flops);
}

static made by_factors(double scale, tg_dmat *left, tg_dmat *right)
{
  made m = of_kind(TG_CLOSED_CHOLESKY, scale);
  m.matrices[LEFT + TG_CLOSED_BASE] = left;
  m.matrices[RIGHT + TG_CLOSED_BASE] = right;
  return m;
}

static made by_bases(tg_dmat *left, tg_dmat *right, int n_terms, const tg_closed_term *terms)
{
  made m = by_factors(1, left, right);
  m.plan.kind = TG_CLOSED_SPECTRAL;
  m.plan.n_terms = n_terms;
  for (int k = 0; k < n_terms; k++) m.plan.terms[k] = terms[k];
  return m;
}

// out += c L V R, gathered matrices, NULL the identity.
static void add_term(double c, const double *l, const double *v, const double *r, double *out)
{
  for (int64_t i = 0; i < M; i++)
    for (int64_t j = 0; j < N; j++)
      for (int64_t p = 0; p < M; p++)
        for (int64_t q = 0; q < N; q++) {
          const double left = l != NULL ? l[i + p * M] : (double)(i == p);
          const double right = r != NULL ? r[q + j * N] : (double)(q == j);
          out[i + j * M] += c * left * v[p + q * M] * right;
        }
}

typedef struct term {
  double c;
  const tg_dmat *left;
  const tg_dmat *right;
} term;

// z = H^-1 r: H z must be r; and x - H^-1 g from x = z, g = r is zero.
static void check_inverse(tg_direct *direct, const made *m, int n_terms, const term *terms, const tg_grid *grid,
                          const char *what)
{
  pair p = {0};
  open_pair(grid, M, N, &p);
  check_use(direct, m, p.r, p.z);
  double *z = check_gather(tg_space_block(p.z, 0));
  double *hz = check_array(M, N, 1);
  memset(hz, 0, sizeof *hz * M * N);
  for (int k = 0; k < n_terms; k++) {
    double *left = terms[k].left != NULL ? check_gather(terms[k].left) : NULL;
    double *right = terms[k].right != NULL ? check_gather(terms[k].right) : NULL;
    add_term(terms[k].c, left, z, right, hz);
    tg_free(left);
    tg_free(right);
  }
  CHECK_MATRIX(tg_space_block(p.r, 0), hz, 1e-11, what);
  opt_point *out = NULL;
  double norm = 0;
  REQUIRE_OK(p.space->ops->create(p.space, &out));
  REQUIRE_OK(tg_direct_solve(direct, p.z, p.r, out));
  REQUIRE_OK(p.space->ops->dots(p.space, 1, (const opt_point *const[]){out}, (const opt_point *const[]){out}, &norm));
  CHECK(norm == 0, "%s: x - H^-1 g is %g away from zero", what, norm);
  CHECK(tg_direct_flops(direct) > 0 && tg_direct_products(direct) > 0, "%s: %g flops", what, tg_direct_flops(direct));
  p.space->ops->destroy(p.space, &out);
  tg_free(hz);
  tg_free(z);
  close_pair(&p);
}

static void test_cholesky(const tg_grid *grid)
{
  tg_dmat *a = new_spd(grid, M, 1);
  tg_dmat *b = new_spd(grid, N, 2);
  for (int sides = 1; sides < 4; sides++) {
    tg_dmat *left = (sides & 1) != 0 ? a : NULL;
    tg_dmat *right = (sides & 2) != 0 ? b : NULL;
    tg_direct *direct = NULL;
    const made given = by_factors(2.5, left, right);
    REQUIRE_OK(create(grid, &given, &direct));
    check_inverse(direct, &given, 1, &(term){2.5, left, right}, grid, "one term");
    // Conditions of 50 a side, from below.
    double condition = 0;
    const double exact = sides == 3 ? 2500 : 50;
    REQUIRE_OK(tg_direct_estimate_condition(direct, left, right, &condition));
    CHECK(condition > exact / 2 && condition < exact * (1 + 1e-9), "condition %g, expected %g", condition, exact);
    tg_direct_destroy(&direct);
  }
  tg_direct *none = NULL;
  made both = by_factors(-1, a, b);
  CHECK_FAILS(create(grid, &both, &none), TG_NUMERIC, "expected a positive one");
  tg_dmat_eye(-1, b);
  both.plan.scale = 1;
  CHECK_FAILS(create(grid, &both, &none), TG_NUMERIC, "the right factor");
  CHECK(none == NULL, "something is left after a failure");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
}

// K'K of few rows in K beside a ridge: the same answer by the smaller Gram matrix.
static void test_wide(const tg_grid *grid)
{
  enum { FEW = 2 };
  const int64_t sizes[2] = {M, N};
  tg_dmat *wide[2];
  tg_dmat *factors[2];
  tg_dmat *smaller[2];
  tg_dmat *ridge = check_matrix(grid, 1, 1, 1);
  tg_dmat *gain = check_matrix(grid, 1, 1, 1);
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  for (int k = 0; k < 2; k++) {
    wide[k] = check_matrix(grid, FEW, sizes[k], 5 + (uint64_t)k);
    factors[k] = check_matrix(grid, sizes[k], sizes[k], 1);
    smaller[k] = check_matrix(grid, FEW, FEW, 1);
    tg_dmat_eye(0.5, factors[k]);
    tg_dmat_eye(0.5, smaller[k]);
    REQUIRE_OK(tg_product(TG_PRODUCT_AUTO, true, false, 3, wide[k], wide[k], 1, factors[k], workspace, NULL));
    REQUIRE_OK(tg_product(TG_PRODUCT_AUTO, false, true, 3, wide[k], wide[k], 1, smaller[k], workspace, NULL));
  }
  tg_dmat_fill(0.5, ridge);
  tg_dmat_fill(3, gain);
  made given = of_kind(TG_CLOSED_CHOLESKY, 2.5);
  for (int which = 1; which < 4; which++) {
    for (int k = 0; k < 2; k++) {
      const bool has = (which >> k & 1) != 0;
      tg_dmat **own = &given.matrices[k == 0 ? LEFT : RIGHT];
      own[TG_CLOSED_BASE] = has ? smaller[k] : NULL;
      own[TG_CLOSED_WIDE] = has ? wide[k] : NULL;
      own[TG_CLOSED_RIDGE] = has ? ridge : NULL;
      own[TG_CLOSED_GAIN] = has ? gain : NULL;
    }
    tg_direct *direct = NULL;
    REQUIRE_OK(create(grid, &given, &direct));
    check_inverse(direct, &given, 1,
                  &(term){2.5, (which & 1) != 0 ? factors[0] : NULL, (which & 2) != 0 ? factors[1] : NULL}, grid,
                  "a wide factor");
    tg_direct_destroy(&direct);
  }
  tg_direct *direct = NULL;
  tg_dmat_fill(-1, ridge);
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC, "the ridge -1, expected a positive one");
  tg_dmat_fill(0, ridge);
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC, "the ridge 0, expected a positive one");
  tg_dmat_fill(0.5, ridge);
  tg_dmat_fill(-3, gain);
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC,
              "the left factor of the Hessian action is 0.5 I + -3 K'K with K 2 x 11");
  CHECK(direct == NULL, "something is left after a failure");
  tg_workspace_destroy(&workspace);
  tg_dmat_destroy(&ridge);
  tg_dmat_destroy(&gain);
  for (int k = 0; k < 2; k++) {
    tg_dmat_destroy(&wide[k]);
    tg_dmat_destroy(&factors[k]);
    tg_dmat_destroy(&smaller[k]);
  }
}

// (A V + V B) and squares of it: 2 A^2 V + 4 A V B + 2 V B^2 has the eigenvalues 2 (a_i + b_j)^2.
static void test_spectral(const tg_grid *grid)
{
  tg_dmat *a = new_spd(grid, M, 1);
  tg_dmat *b = new_spd(grid, N, 2);
  const tg_closed_term terms[2] = {{{0, 1}, {1}}, {{1}, {0, 1}}};
  made given = by_bases(a, b, 2, terms);
  tg_direct *direct = NULL;
  REQUIRE_OK(create(grid, &given, &direct));
  check_inverse(direct, &given, 2, (const term[]){{1, a, NULL}, {1, NULL, b}}, grid, "A V + V B");
  // Both spectra reach from 1 to 1/50.
  CHECK(fabs(tg_direct_condition(direct) - 50) < 1e-9, "condition %.17g", tg_direct_condition(direct));
  tg_direct_destroy(&direct);
  const tg_closed_term squares[3] = {{{0, 0, 2}, {1}}, {{0, 4}, {0, 1}}, {{2}, {0, 0, 1}}};
  given = by_bases(a, b, 3, squares);
  REQUIRE_OK(create(grid, &given, &direct));
  CHECK(fabs(tg_direct_condition(direct) - 2500) < 1e-6, "condition of squares %.17g", tg_direct_condition(direct));
  tg_direct_destroy(&direct);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
}

// A V B + D V E by two pencils, and an extra term that happens to be one of the two: exact as well.
static void test_pencils(const tg_grid *grid)
{
  tg_dmat *a = new_spd(grid, M, 1);
  tg_dmat *b = new_spd(grid, N, 2);
  tg_dmat *d = new_spd(grid, M, 3);
  tg_dmat *e = new_spd(grid, N, 4);
  const tg_closed_term terms[2] = {{{1}, {1}}, {{0, 3}, {0, 1}}};
  made given = by_bases(d, e, 2, terms);
  given.matrices[LEFT + TG_CLOSED_METRIC] = a;
  given.matrices[RIGHT + TG_CLOSED_METRIC] = b;
  tg_direct *direct = NULL;
  REQUIRE_OK(create(grid, &given, &direct));
  check_inverse(direct, &given, 2, (const term[]){{1, a, b}, {3, d, e}}, grid, "A V B + 3 D V E");
  tg_direct_destroy(&direct);
  given.plan.n_extras = 1;
  given.plan.extras[0] = (tg_closed_extra){.coef = 0.5, .has = {true, true}};
  given.matrices[EXTRA] = d;
  given.matrices[EXTRA + 1] = b;
  REQUIRE_OK(create(grid, &given, &direct));
  check_inverse(direct, &given, 3, (const term[]){{1, a, b}, {3, d, e}, {0.5, d, b}}, grid, "with an extra");
  double parts[2] = {0};
  REQUIRE_OK(tg_direct_share(direct, 1 | 4, &parts[0]));
  REQUIRE_OK(tg_direct_share(direct, 2, &parts[1]));
  CHECK(parts[0] > 0 && parts[1] > 0 && fabs(parts[0] + parts[1] - 1) < 1e-12, "shares %.17g and %.17g", parts[0],
        parts[1]);
  tg_direct_destroy(&direct);
  // A V B + A V B by pencils (A, A) and (B, B): every share is 1/2, and the Rayleigh quotients know the condition.
  const tg_closed_term halves[2] = {{{1}, {1}}, {{0, 1}, {0, 1}}};
  made equal = by_bases(a, b, 2, halves);
  equal.matrices[LEFT + TG_CLOSED_METRIC] = a;
  equal.matrices[RIGHT + TG_CLOSED_METRIC] = b;
  REQUIRE_OK(create(grid, &equal, &direct));
  REQUIRE_OK(tg_direct_share(direct, 1, &parts[0]));
  CHECK(fabs(parts[0] - 0.5) < 1e-10, "the share of one of two equal terms is %.17g", parts[0]);
  CHECK(tg_direct_condition(direct) > 2 && tg_direct_condition(direct) < 2500 * (1 + 1e-9), "condition %g",
        tg_direct_condition(direct));
  tg_direct_destroy(&direct);
  tg_dmat_eye(-1, a);
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC, "should be positive definite has eigenvalues from -1 to -1");
  CHECK(direct == NULL, "something is left after a failure");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&d);
  tg_dmat_destroy(&e);
}

static void test_definiteness(const tg_grid *grid)
{
  tg_dmat *a = check_matrix(grid, M, M, 1);
  tg_dmat *b = check_matrix(grid, N, N, 1);
  const tg_closed_term terms[2] = {{{0, 1}, {1}}, {{1}, {0, 1}}};
  made given = by_bases(a, b, 2, terms);
  tg_direct *direct = NULL;
  tg_dmat_eye(1, a);
  tg_dmat_eye(-1, b);
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC, "singular");
  tg_dmat_eye(-3, b);
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC, "indefinite: its eigenvalues reach from -2 to -2");
  given = by_factors(1, b, NULL);
  given.plan.kind = TG_CLOSED_INVERSE;
  given.plan.rows = N;
  CHECK_FAILS(create(grid, &given, &direct), TG_NUMERIC, "S of tr(S*X) - logdet(X)");
  given.plan.kind = TG_CLOSED_NONE;
  CHECK_FAILS(create(grid, &given, &direct), TG_INTERNAL, "no closed form");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
}

static void test_inverse(const tg_grid *grid)
{
  tg_dmat *s = new_spd(grid, M, 1);
  tg_dmat *one = check_matrix(grid, M, M, 1);
  tg_workspace *workspace = NULL;
  tg_direct *direct = NULL;
  pair p = {0};
  open_pair(grid, M, M, &p);
  tg_dmat_eye(3, one);
  double *expected = check_gather(one);
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  made given = by_factors(3, s, NULL);
  given.plan.kind = TG_CLOSED_INVERSE;
  given.plan.cols = M;
  REQUIRE_OK(create(grid, &given, &direct));
  check_use(direct, &given, p.r, p.z);
  REQUIRE_OK(tg_product(TG_PRODUCT_SCALAPACK, false, false, 1, s, tg_space_block(p.z, 0), 0, one, workspace, NULL));
  CHECK_MATRIX(one, expected, 1e-11, "S times 3 inv(S)");
  tg_direct_destroy(&direct);
  tg_workspace_destroy(&workspace);
  tg_free(expected);
  close_pair(&p);
  tg_dmat_destroy(&one);
  tg_dmat_destroy(&s);
}

static void run(void)
{
  const int64_t blocks[] = {2, 64, 0};
  check_on_grids(blocks, test_cholesky);
  check_on_grids(blocks, test_wide);
  check_on_grids(blocks, test_spectral);
  check_on_grids(blocks, test_pencils);
  check_on_grids(blocks, test_definiteness);
  check_on_grids(blocks, test_inverse);
}

CHECK_PROGRAM(program_direct, run)
