// What a solver is, and what it is given: the run with its current point, rays and line search.
#ifndef OPT_SOLVER_H
#define OPT_SOLVER_H

#include "opt/line/line_search.h"
#include "opt/listing.h"
#include "opt/options.h"
#include "opt/problem.h"
#include "opt/vector.h"

// How a step ended. Only MOVED changes the current point.
typedef enum opt_verdict {
  OPT_MOVED,
  OPT_STUCK,        // no step found
  OPT_FALLING,      // f falls without end along a ray
  OPT_OUT_OF_RANGE, // f or its gradient is not finite next to x
  OPT_GIVEN_UP      // opt_run_gives_up said so: the run ends as it was before the step
} opt_verdict;

typedef struct opt_solver opt_solver;

// How far the current point is from stationary, and how far it may be (stationarity.h).
typedef struct opt_stationarity {
  int n;              // variables; 1 where the solver has a measure of its own
  double *norms;      // r of each at the current point
  double *rounding;   // of r, likewise
  double *references; // what the tolerance is relative to
  double cap;         // of the tolerance, where the examination of a point asked for less (examine.h); INFINITY: none
  double *steps;      // scratch: a, and a rounding
  double *squares;    // scratch for two inner products a variable
} opt_stationarity;

// A minimisation in progress. The driver owns it; a solver moves x and keeps f and g up to date through the calls
// below.
typedef struct opt_run {
  opt_problem *problem;
  const opt_space *space;
  const opt_options *options;
  const opt_solver *solver;
  const opt_line_search *search;
  const opt_constraint *constraint; // NULL: none
  const opt_constraint *manifold;   // the same where manifolds are among its sets, else NULL
  int degree;                       // of f along rays: the problem's, -1 on a manifold
  int n_groups;                     // of unknowns, the space's; 1 under constraints but bounds
  double *group_products;           // room for four numbers a group; NULL for one group
  opt_point *feasible;              // left by the stopping test, see opt_run_measure; convex constraints only
  opt_point *x;                     // the current point
  opt_point *g;                     // the gradient there; on a manifold the Riemannian one
  opt_point *hd;                    // H d of the last ray of a quadratic with a Hessian action; else NULL
  opt_point *rooms[2];              // beside hd, for looking for a direction in which a quadratic falls without end
  opt_point *g_old;  // after a move: the gradient before it; NULL for a polynomial when the solver does not keep it
  opt_point *trial;  // x + t d of a line search; after a move: the point before it; NULL along lines and parabolas
  opt_point *spare;  // for the start; then NULL
  opt_point *g_free; // on a manifold: the Euclidean gradient at x, where the solver keeps one; not owned
  double f;
  double g_norm; // |g|, under convex constraints its measure or the solver's own; NAN: to be computed by the driver
  opt_stationarity stationarity;
  double f_start;
  double
      f_scale; // the size of f, its terms or |g| |x| at the start, or the first step's change of f where that is larger
  double g_norm_start;
  double x_reach;      // >= |x|: the start's norm plus all steps
  double rayleigh_max; // largest |<d, H d>| / <d, d> met: the size of H
  bool is_fresh;       // g was computed from x itself, not carried along
  double step;         // t of the last move
  double step_norm;    // |t d|
  int64_t iteration;
  int64_t restarts;
  int64_t renewals;     // of the preconditioner
  const opt_point *ray; // of a verdict or finding that f falls without end: the direction, not owned; NULL: not known
  char reason[512];     // of a verdict other than MOVED
  tg_status (*gives_up)(struct opt_run *run, bool *out); // the driver's; NULL: never
} opt_run;

struct opt_solver {
  const char *name;
  bool needs_hessian;
  bool needs_closed_form; // options.closed_form
  bool needs_blocks;      // options.blocks
  bool needs_constraint;  // has no meaning without one
  bool ignores_start;     // makes a step even from a stationary start, which on a manifold need not be a minimum
  bool is_monotone;
  bool serves_manifolds;
  bool keeps_faces;              // of bounds: a diagonal preconditioner serves it
  bool takes_directions;         // in the interior of a convex set, of a preconditioner that knows its equalities
  bool keeps_gradient;           // uses g_old
  bool remembers_preconditioner; // what it keeps between steps was made with M
  const char *search_polynomial; // what line_search: auto means; "none" where the method has its own rule
  const char *search_general;
  // Points that create makes, and the state itself.
  int64_t (*count_points)(const opt_options *options, int degree);
  tg_status (*create)(opt_run *run, void **state);
  void (*destroy)(const opt_space *space, void **state);
  // One iteration. x, f and g are up to date before and, when MOVED, after.
  tg_status (*step)(opt_run *run, void *state, opt_verdict *verdict);
  // Forgets directions and models: the gradient was recomputed, or the last step found nothing.
  void (*reset)(void *state);
  // Adds all that `step` reads before it writes it, apart from the run's own fields.
  tg_status (*list)(void *state, opt_listing *listing);
  // Sets g_norm from x and g where it is not the one of opt_run_measure; measure_name is what to call it. Both NULL:
  // the gradient norm.
  tg_status (*measure)(opt_run *run);
  const char *measure_name;
};

#define OPT_SOLVER(name, table, help) extern const opt_solver table;
#include "opt/solvers.def"
#undef OPT_SOLVER

const opt_solver *opt_solver_find(const char *name);
// Whether the start says nothing of the end. Without an iteration it is what is returned, whatever the solver would
// have made of it.
bool opt_ignores_start(const opt_options *options, const opt_solver *solver);
// The solvers under convex constraints: what rows of solvers.def mean there (opt_constrained_solver).
extern const opt_solver opt_solver_projected_gradient;
extern const opt_solver opt_solver_proximal_gradient;
extern const opt_solver opt_solver_proximal_newton;
extern const opt_solver opt_solver_bounded_newton;
extern const opt_solver opt_solver_bounded_lbfgs;

// Under convex constraints: x := argmin |z - x|^2 / 2 + a norm1(z) over the set, the projection where there is no
// norm1 term.
tg_status opt_run_proximal(const opt_run *run, double a, opt_point *x);
// f += the norm1 term at x, if the constraint has one: the problem itself knows the smooth part only.
tg_status opt_run_add_norm1(const opt_run *run, const opt_point *x, double *f);
// x := its projection onto the feasible set; f and g are to be recomputed.
tg_status opt_run_make_feasible(opt_run *run);
// f and g recomputed from x itself, g_norm measured.
tg_status opt_run_refresh(opt_run *run);
// v := its image in the tangent space at x, by projection: how a manifold's vectors follow the point. Nothing to do
// elsewhere.
tg_status opt_run_transport(const opt_run *run, opt_point *v);
// hv := the action of the Hessian at x on v; on a manifold of the Riemannian one, v tangent, for which run->g_free must
// be kept.
tg_status opt_run_hessian(const opt_run *run, const opt_point *v, opt_point *hv);
// Whether a quadratic is seen to fall without end along a direction without curvature inside the feasible set, by at
// most 60 Hessian actions; then the reason says so. Uses run->hd and the rooms.
tg_status opt_run_probe_recession(opt_run *run, bool *falls);
// slope := <g, d>, norm := |d|, in one reduction.
tg_status opt_run_slope(const opt_run *run, const opt_point *d, double *slope, double *norm);
// z := M^-1 g, or a copy of g without a preconditioner.
tg_status opt_run_precondition(const opt_run *run, const opt_point *g, opt_point *z);
// Whether the run shall end now, in the middle of a step: for solvers with many products in one. The solver then puts
// back what a resumed run reads of its own, and returns GIVEN_UP. Collective, the same answer everywhere.
tg_status opt_run_gives_up(opt_run *run, bool *out);
// The size below which a difference of two values of f means nothing: 1e-10 |f|, for sums over many entries lose more
// than the last digit (W. Hager and H. Zhang use 1e-6 |f|), and the rounding that the problem knows of; where it knows
// none, that of the value at the start, whose terms may be larger.
double opt_run_noise(const opt_run *run);
// The rounding of one value of f: its bound where the problem knows it.
double opt_run_value_rounding(const opt_run *run);
// A value of f, a slope or a curvature as the user knows it.
double opt_run_shown(const opt_run *run, double value);
// Says in run->reason that no step was found `where` down to this length ("along -g"); the verdict: STUCK, or
// OUT_OF_RANGE where f was finite at none of them.
opt_verdict opt_run_no_step(opt_run *run, bool was_finite, const char *where, double length);
// Writes run->reason. What it says of the objective is in the words of run->options->wording.
__attribute__((format(printf, 2, 3))) void opt_run_explain(opt_run *run, const char *format, ...);

// A ray x + t d, t > 0, from the current point, with slope <g, d>. On a manifold it is the curve R_x(t d), d tangent at
// x, and "x + t d" below means a point of it.
typedef struct opt_ray {
  opt_run *run;
  const opt_point *d;
  double slope;
  double d_norm;
  int degree;                        // -1: f is evaluated at trial points
  double coefs[OPT_DEGREE_MAX + 1];  // else of t -> f(x + t d)
  double errors[OPT_DEGREE_MAX + 1]; // bounds of their rounding, 0 where not known
  double curvature;                  // <d, H d>, where run->hd is kept
  bool falls;                        // the polynomial has no minimum
  double trial_t;                    // run->trial holds x + trial_t d; NAN: nothing
  double noise;                      // of f at x, where trials have not been; 0 of a polynomial
  bool trial_has_gradient;           // run->g_old holds the gradient there
  double trial_f;
} opt_ray;

// Starts a ray; a polynomial's coefficients are computed here: the products of an iteration.
tg_status opt_ray_start(opt_run *run, const opt_point *d, double slope, double d_norm, opt_ray *ray);
// f(x + t d) - f(x), and its derivative unless slope is NULL: on a manifold <g there, d>, the inner product with the
// transported d since g is tangent; right to first order in t. The signature is opt_phi's.
tg_status opt_ray_eval(void *self, double t, double *rise, double *slope);
// Makes x + t d the current point, and leaves g_norm to the caller (NAN). Along a polynomial of degree 3 or more f
// there must be what the polynomial says, as far as its rounding lets tell: else the step is taken back and a shorter
// one tried, from t / 8 on. *verdict: MOVED, or STUCK where none holds, with x as it was.
tg_status opt_ray_move(opt_ray *ray, double t, opt_verdict *verdict);
// Whether <g, d> is above the rounding error of the gradient.
bool opt_ray_is_resolved(const opt_ray *ray);
// The rounding error of a rise along the ray: 0 where it is read off the polynomial.
double opt_ray_noise(const opt_ray *ray);
// What a line search needs to know about the ray.
opt_phi opt_ray_phi(opt_ray *ray);
// Whether the ray's polynomial is known to fall without end.
bool opt_ray_falls(const opt_ray *ray);
// Where a general objective still falls at x + t d, far away: whether its slope has risen by half as much again over
// the last two powers of ten as over the two before, like that of x log(x). Then f has a minimum further on, or falls
// ever more slowly, and nothing is proved. Leaves the trial at t.
tg_status opt_ray_turns(opt_ray *ray, double t, bool *turns);
// The verdict FALLING with its reason, or STUCK where the slope is not resolved.
opt_verdict opt_ray_falling(opt_ray *ray);

// For a line search along the ray: first trial, curvature of the Wolfe conditions, no longer than what is taken for
// infinite.
opt_line_options opt_ray_line_options(const opt_ray *ray, double first, double curvature);
// What a line search found, in the driver's terms; the move itself when a step was found.
tg_status opt_ray_conclude(opt_ray *ray, const opt_line_found *found, opt_verdict *verdict);

// Line search from x along d and the move. first: trial step, 0: what the ray suggests; curvature: of the Wolfe
// conditions. Where the groups step apart d is scaled in each of them.
tg_status opt_run_search(opt_run *run, opt_point *d, double slope, double d_norm, double first, double curvature,
                         opt_verdict *verdict);
// Whether each group of unknowns has a step length of its own: on a quadratic that is a sum over groups, by the exact
// search.
bool opt_run_steps_apart(const opt_run *run);

// A first trial for a direction without a length of its own: as far as the last step went; 0 at the start, where the
// ray tells (opt_ray_natural).
double opt_first_trial(const opt_run *run, double d_norm);
// The length that the ray itself suggests: to the minimiser of the polynomial, or of the quadratic with the slope and
// curvature at x. Takes a Hessian action or a gradient where f is no polynomial; leaves run->g_old to be overwritten.
tg_status opt_ray_natural(opt_ray *ray, double *t);

#endif
