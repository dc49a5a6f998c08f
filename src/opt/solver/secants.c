// Storage of the pairs and the two loops.
#include "opt/solver/secants.h"

#include "base/memory.h"

tg_status opt_secants_allocate(const opt_run *run, int64_t memory, opt_secants *out)
{
  const int64_t n = run->n_groups;
  *out = (opt_secants){.space = run->space, .n_groups = run->n_groups, .memory = memory};
  TG_TRY(TG_NEW(memory, &out->s));
  TG_TRY(TG_NEW(memory, &out->y));
  TG_TRY(tg_alloc_numbers(memory * n, &out->rho));
  TG_TRY(tg_alloc_numbers(memory * n, &out->a));
  TG_TRY(tg_alloc_numbers(n, &out->gamma));
  TG_TRY(tg_alloc_numbers(n, &out->coefs));
  TG_TRY(tg_alloc_numbers(n, &out->ones));
  for (int64_t q = 0; q < n; q++) out->ones[q] = 1;
  opt_secants_forget(out);
  return TG_OK;
}

tg_status opt_secants_create_points(opt_secants *pairs)
{
  const opt_space *space = pairs->space;
  for (int64_t i = 0; i < pairs->memory; i++) {
    TG_TRY(space->ops->create(space, &pairs->s[i]));
    TG_TRY(space->ops->create(space, &pairs->y[i]));
  }
  return TG_OK;
}

void opt_secants_fini(opt_secants *pairs)
{
  const opt_space *space = pairs->space;
  for (int64_t i = 0; pairs->s != NULL && i < pairs->memory; i++) space->ops->destroy(space, &pairs->s[i]);
  for (int64_t i = 0; pairs->y != NULL && i < pairs->memory; i++) space->ops->destroy(space, &pairs->y[i]);
  tg_free(pairs->s);
  tg_free(pairs->y);
  tg_free(pairs->rho);
  tg_free(pairs->a);
  tg_free(pairs->gamma);
  tg_free(pairs->coefs);
  tg_free(pairs->ones);
}

int64_t opt_secants_slot(const opt_secants *pairs, int64_t i)
{
  return (pairs->next - 1 - i + 2 * pairs->memory) % pairs->memory;
}

void opt_secants_forget(opt_secants *pairs)
{
  pairs->count = 0;
  for (int q = 0; q < pairs->n_groups; q++) pairs->gamma[q] = 1;
}

tg_status opt_secants_fill(const opt_run *run, opt_secants *pairs, const opt_point *d)
{
  opt_point *y = pairs->y[pairs->next];
  TG_TRY(opt_axpby(run->space, run->step, d, 0, pairs->s[pairs->next]));
  TG_TRY(opt_copy(run->space, run->g, y));
  return opt_axpby(run->space, -1, run->g_old, 1, y);
}

void opt_secants_push(opt_secants *pairs)
{
  pairs->next = (pairs->next + 1) % pairs->memory;
  if (pairs->count < pairs->memory) pairs->count++;
}

bool opt_secants_judge(opt_secants *pairs, int64_t k, const double *products, double g_squared)
{
  const int n = pairs->n_groups;
  bool counts = false;
  for (int q = 0; q < n; q++) {
    const double sy = products[OPT_SECANT_SY * n + q];
    const double ss = products[OPT_SECANT_SS * n + q];
    const double yy = products[OPT_SECANT_YY * n + q];
    const bool is_curved = sy > 1e-14 * sqrt(yy * ss) && yy > 1e-28 * g_squared;
    pairs->rho[k * n + q] = is_curved ? 1 / sy : 0;
    counts = counts || is_curved;
  }
  return counts;
}

void opt_secants_take_gamma(opt_secants *pairs, int64_t k, const double *products, bool all)
{
  const int64_t n = pairs->n_groups;
  const double *rho = pairs->rho + k * n;
  const double *sy = products + OPT_SECANT_SY * n;
  const double *yz = products + OPT_SECANT_YZ * n;
  double sums[2] = {0, 0};
  for (int64_t q = 0; q < n; q++) {
    if (rho[q] == 0) continue;
    pairs->gamma[q] = sy[q] / yz[q];
    sums[0] += sy[q];
    sums[1] += yz[q];
  }
  for (int64_t q = 0; q < n && all; q++)
    if (rho[q] == 0) pairs->gamma[q] = sums[0] / sums[1];
}

// out[q] = rho <v, d>_q of the pair at k.
static tg_status weigh(const opt_secants *pairs, int64_t k, const opt_point *v, const opt_point *d, double *out)
{
  TG_TRY(opt_group_dots(pairs->space, pairs->n_groups, 1, &v, &d, out));
  for (int q = 0; q < pairs->n_groups; q++) out[q] *= pairs->rho[k * pairs->n_groups + q];
  return TG_OK;
}

static bool says_nothing(const opt_secants *pairs, int64_t k)
{
  for (int q = 0; q < pairs->n_groups; q++)
    if (pairs->rho[k * pairs->n_groups + q] != 0) return false;
  return true;
}

// d := d + coefs v
static tg_status add(const opt_run *run, const opt_secants *pairs, const opt_point *v, opt_secants_filter *filter,
                     opt_point *d)
{
  TG_TRY(opt_group_axpby(pairs->space, pairs->n_groups, pairs->coefs, v, pairs->ones, d));
  return filter != NULL ? filter(run, d) : TG_OK;
}

tg_status opt_secants_descend(const opt_run *run, opt_secants *pairs, opt_secants_filter *filter, opt_point *d)
{
  for (int64_t i = 0; i < pairs->count; i++) {
    const int64_t k = opt_secants_slot(pairs, i);
    double *a = pairs->a + k * pairs->n_groups;
    if (says_nothing(pairs, k)) continue;
    TG_TRY(weigh(pairs, k, pairs->s[k], d, a));
    for (int q = 0; q < pairs->n_groups; q++) pairs->coefs[q] = -a[q];
    TG_TRY(add(run, pairs, pairs->y[k], filter, d));
  }
  return TG_OK;
}

tg_status opt_secants_ascend(const opt_run *run, opt_secants *pairs, opt_secants_filter *filter, opt_point *d)
{
  for (int64_t i = pairs->count - 1; i >= 0; i--) {
    const int64_t k = opt_secants_slot(pairs, i);
    const double *a = pairs->a + k * pairs->n_groups;
    if (says_nothing(pairs, k)) continue;
    TG_TRY(weigh(pairs, k, pairs->y[k], d, pairs->coefs));
    for (int q = 0; q < pairs->n_groups; q++) pairs->coefs[q] = a[q] - pairs->coefs[q];
    TG_TRY(add(run, pairs, pairs->s[k], filter, d));
  }
  return TG_OK;
}

tg_status opt_secants_scale(const opt_run *run, opt_secants *pairs, opt_point *z, opt_point *d)
{
  for (int q = 0; q < pairs->n_groups; q++) pairs->coefs[q] = 0;
  if (z == NULL) return opt_group_axpby(run->space, pairs->n_groups, pairs->coefs, run->g, pairs->gamma, d);
  TG_TRY(opt_run_precondition(run, d, z));
  return opt_group_axpby(run->space, pairs->n_groups, pairs->gamma, z, pairs->coefs, d);
}

tg_status opt_secants_list(opt_secants *pairs, opt_listing *listing)
{
  TG_TRY(opt_listing_add_count(listing, "pairs", &pairs->count));
  opt_listing_limit(listing, 0, pairs->memory);
  TG_TRY(opt_listing_add_count(listing, "next_pair", &pairs->next));
  opt_listing_limit(listing, 0, pairs->memory - 1);
  for (int q = 0; q < pairs->n_groups; q++) TG_TRY(opt_listing_add_number(listing, "gamma", q, &pairs->gamma[q]));
  for (int64_t i = 0; i < pairs->memory; i++) {
    const bool is_idle = (pairs->next - 1 - i + 2 * pairs->memory) % pairs->memory >= pairs->count;
    TG_TRY(opt_listing_add_vector(listing, "s", i, pairs->s[i]));
    opt_listing_mark(listing, is_idle);
    TG_TRY(opt_listing_add_vector(listing, "y", i, pairs->y[i]));
    opt_listing_mark(listing, is_idle);
  }
  for (int64_t i = 0; i < pairs->memory * pairs->n_groups; i++)
    TG_TRY(opt_listing_add_number(listing, "rho", i, &pairs->rho[i]));
  return TG_OK;
}
