// The line search of CG_DESCENT: approximate Wolfe conditions by the double secant step.
//
// W. W. Hager and H. Zhang, A new conjugate gradient method with guaranteed descent and an efficient line search, SIAM
// J. Optim. 16 (2005), section 4; the labels B, U and S below are the paper's. It brackets by the sign of the slope,
// so it goes on where differences of f have drowned in rounding: phi(t) is only asked not to exceed phi(0) + noise.
#include <math.h>

#include "opt/line/line_search.h"

typedef struct hz_point {
  double t;
  double rise;
  double slope;
} hz_point;

typedef struct hz_search {
  const opt_phi *phi;
  const opt_line_options *options;
  opt_line_found *found;
  hz_point best; // the lowest trial that descends enough; t = 0: none
  bool is_done;
} hz_search;

// An interval with phi'(a) < 0, phi(a) <= phi(0) + noise and phi'(b) >= 0.
typedef struct hz_interval {
  hz_point a;
  hz_point b;
} hz_interval;

// Interval reduction less than this factor by the secants calls for a bisection; growth of the bracket.
static const double shrink_factor = 0.66;
static const double growth = 5;
// Trials after which a step that descends enough is taken, whatever its slope.
enum { PATIENCE = 20 };

static bool is_finite(const hz_point *p)
{
  return isfinite(p->rise) && isfinite(p->slope);
}

static bool is_low(const hz_search *search, const hz_point *p)
{
  return is_finite(p) && p->rise <= search->phi->noise;
}

static bool is_rising(const hz_point *p)
{
  return is_finite(p) && p->slope >= 0;
}

// Wolfe (T1) or approximate Wolfe (T2).
static bool is_acceptable(const hz_search *search, const hz_point *p)
{
  const opt_line_options *options = search->options;
  const double slope = search->phi->slope;
  if (!is_finite(p)) return false;
  if (p->rise <= options->decrease * p->t * slope && p->slope >= options->curvature * slope) return true;
  return opt_line_is_approximate_wolfe(search->phi, options, p->rise, p->slope);
}

static void keep_best(hz_search *search, const hz_point *p)
{
  const double enough = search->options->decrease * p->t * search->phi->slope;
  if (is_finite(p) && p->rise <= enough && p->rise < -search->phi->noise && p->rise < search->best.rise)
    search->best = *p;
}

// Evaluates at t; ends the search when the point is acceptable or the budget is spent.
static tg_status probe(hz_search *search, double t, hz_point *p)
{
  opt_line_found *found = search->found;
  p->t = t;
  TG_TRY(search->phi->eval(search->phi->self, t, &p->rise, &p->slope));
  found->evaluations++;
  if (is_finite(p) && found->verdict == OPT_LINE_NOT_FINITE) found->verdict = OPT_LINE_STUCK;
  if (is_acceptable(search, p)) {
    found->verdict = OPT_LINE_FOUND;
    found->t = t;
    found->rise = p->rise;
    search->is_done = true;
  }
  keep_best(search, p);
  if (found->evaluations >= (search->best.t > 0 ? PATIENCE : search->options->max_evaluations)) search->is_done = true;
  return TG_OK;
}

// U3: phi'(a) < 0 and b too high: bisects until the slope at b is not negative.
static tg_status bisect(hz_search *search, hz_interval *i)
{
  while (!search->is_done) {
    const double middle = i->a.t + (i->b.t - i->a.t) / 2;
    if (middle <= i->a.t || middle >= i->b.t) {
      search->is_done = true;
      return TG_OK;
    }
    hz_point d = {0};
    TG_TRY(probe(search, middle, &d));
    if (is_low(search, &d) && d.slope < 0) {
      i->a = d;
    } else {
      i->b = d;
      if (is_rising(&d)) return TG_OK;
    }
  }
  return TG_OK;
}

// U0 - U3: puts c into the interval.
static tg_status update(hz_search *search, hz_interval *i, const hz_point *c)
{
  if (!(c->t > i->a.t && c->t < i->b.t)) return TG_OK; // U0
  if (is_rising(c)) {
    i->b = *c; // U1
  } else if (is_low(search, c)) {
    i->a = *c; // U2
  } else {
    i->b = *c;
    TG_TRY(bisect(search, i)); // U3
  }
  return TG_OK;
}

// B0 - B3: grows the first step until the slope turns or phi is too high.
static tg_status bracket(hz_search *search, hz_interval *i)
{
  double t = fmin(search->options->first, search->options->longest);
  while (!search->is_done) {
    hz_point c = {0};
    TG_TRY(probe(search, t, &c));
    if (search->is_done) return TG_OK;
    i->b = c;
    if (is_rising(&c)) return TG_OK;                   // B1
    if (!is_low(search, &c)) return bisect(search, i); // B2
    i->a = c;                                          // B3
    if (t >= search->options->longest) {
      search->found->verdict = OPT_LINE_FALLING;
      search->found->t = t;
      search->found->rise = c.rise;
      search->is_done = true;
    }
    t = fmin(growth * t, search->options->longest);
  }
  return TG_OK;
}

static double secant(const hz_point *a, const hz_point *b)
{
  return (a->t * b->slope - b->t * a->slope) / (b->slope - a->slope);
}

// One secant step into the interval; *kept tells which end c became: -1 a, 1 b, 0 neither.
static tg_status secant_step(hz_search *search, hz_interval *i, double t, int *kept)
{
  *kept = 0;
  if (search->is_done || !(t > i->a.t && t < i->b.t)) return TG_OK;
  hz_point c = {0};
  TG_TRY(probe(search, t, &c));
  if (search->is_done) return TG_OK;
  TG_TRY(update(search, i, &c));
  if (i->a.t == t) *kept = -1;
  if (i->b.t == t) *kept = 1;
  return TG_OK;
}

// S1 - S4: a secant step, and a second one with the end that it replaced.
static tg_status double_secant(hz_search *search, hz_interval *i)
{
  const hz_interval old = *i;
  int kept = 0;
  TG_TRY(secant_step(search, i, secant(&old.a, &old.b), &kept));
  if (kept == 0 || search->is_done) return TG_OK;
  const double second = kept > 0 ? secant(&old.b, &i->b) : secant(&old.a, &i->a);
  TG_TRY(secant_step(search, i, second, &kept));
  return TG_OK;
}

// The slopes of a curve on a manifold are right to first order in t only: they may stay negative where phi rises again,
// and then none of them is ever accepted.
static void settle(const hz_search *search)
{
  opt_line_found *found = search->found;
  if (found->verdict != OPT_LINE_STUCK || !(search->best.t > 0)) return;
  found->verdict = OPT_LINE_FOUND;
  found->t = search->best.t;
  found->rise = search->best.rise;
}

static tg_status search_hager_zhang(const opt_phi *phi, const opt_line_options *options, opt_line_found *found)
{
  *found = (opt_line_found){.verdict = OPT_LINE_NOT_FINITE};
  hz_search search = {.phi = phi, .options = options, .found = found};
  hz_interval interval = {.a = {0, 0, phi->slope}};
  TG_TRY(bracket(&search, &interval));
  while (!search.is_done) {
    const double width = interval.b.t - interval.a.t;
    TG_TRY(double_secant(&search, &interval));
    if (!search.is_done && interval.b.t - interval.a.t > shrink_factor * width) {
      const double middle = interval.a.t + (interval.b.t - interval.a.t) / 2;
      int kept = 0;
      TG_TRY(secant_step(&search, &interval, middle, &kept));
      if (kept == 0) break; // the interval is down to neighbouring numbers
    }
  }
  settle(&search);
  return TG_OK;
}

const opt_line_search opt_line_search_hager_zhang = {.name = "hager-zhang", .search = search_hager_zhang};
