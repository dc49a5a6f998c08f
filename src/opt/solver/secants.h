// The pairs s_i = x_{i+1} - x_i, y_i = g_{i+1} - g_i of limited-memory BFGS and the two loops over them.
//
// J. Nocedal, Math. Comp. 35 (1980). The estimate H of the inverse Hessian is applied to d in place, newest last:
//     newest to oldest:  a_i := rho_i <s_i, d>,  d := d - a_i y_i
//     the owner's:       d := gamma M^-1 d
//     oldest to newest:  d := d + s_i (a_i - rho_i <y_i, d>)
// Where f is a sum of functions of disjoint groups of unknowns no curvature couples two groups, and each of them has a
// rho_i = 1 / <s_i, y_i>_q, a_i and gamma of its own, with inner products over the group alone. One estimate for all
// would spread what a pair says of one group over all of them (A. Griewank and Ph. L. Toint, Numer. Math. 39 (1982),
// for sums of functions that share unknowns).
#ifndef OPT_SECANTS_H
#define OPT_SECANTS_H

#include "opt/solver.h"

typedef struct opt_secants {
  const opt_space *space;
  int n_groups;
  int64_t memory;
  int64_t count; // pairs in use
  int64_t next;  // where the next pair goes: the newest stands before it
  opt_point **s;
  opt_point **y;
  double *rho;   // of pair k and group q at k n_groups + q; 0: the pair says nothing of the group
  double *gamma; // by groups, like the next two
  double *coefs;
  double *ones;
  double *a; // like rho
} opt_secants;

// What is done to d after each change by a pair, such as to keep entries at zero.
typedef tg_status opt_secants_filter(const opt_run *run, opt_point *d);

// Room for so many pairs, all but the points. On failure opt_secants_fini frees what there is. Local.
tg_status opt_secants_allocate(const opt_run *run, int64_t memory, opt_secants *out);
// Their points. Collective.
tg_status opt_secants_create_points(opt_secants *pairs);
void opt_secants_fini(opt_secants *pairs);
// Position of the i-th newest pair.
int64_t opt_secants_slot(const opt_secants *pairs, int64_t i);
// No pairs, and gamma = 1.
void opt_secants_forget(opt_secants *pairs);
// s := step d and y := g - g_old where the next pair stands, which push makes the newest.
tg_status opt_secants_fill(const opt_run *run, opt_secants *pairs, const opt_point *d);
void opt_secants_push(opt_secants *pairs);
// What a pair is judged by, each of them by groups: products[which * n_groups + q].
typedef enum opt_secant_product { OPT_SECANT_SY, OPT_SECANT_YZ, OPT_SECANT_SS, OPT_SECANT_YY } opt_secant_product;
// rho of the pair at k, from <s, y>, <y, z>, z = M^-1 y, <s, s>, <y, y> and g_squared = |g|^2: only where s is curved
// upwards beyond rounding, of the product and of y, a difference of gradients. Whether it is so in any group. Local.
bool opt_secants_judge(opt_secants *pairs, int64_t k, const double *products, double g_squared);
// gamma := <s, y> / <y, z> where the pair at k counts; with `all` elsewhere what it is for those groups together.
// Local.
void opt_secants_take_gamma(opt_secants *pairs, int64_t k, const double *products, bool all);
// The loops; filter may be NULL. Collective.
tg_status opt_secants_descend(const opt_run *run, opt_secants *pairs, opt_secants_filter *filter, opt_point *d);
tg_status opt_secants_ascend(const opt_run *run, opt_secants *pairs, opt_secants_filter *filter, opt_point *d);
// d := gamma M^-1 d with z for M^-1 d; z is NULL without a preconditioner. Collective.
tg_status opt_secants_scale(const opt_run *run, opt_secants *pairs, opt_point *z, opt_point *d);
// What a resumed run needs.
tg_status opt_secants_list(opt_secants *pairs, opt_listing *listing);

#endif
