// Where an expression of real entries is defined: what logarithms, roots and the like ask of their arguments.
#ifndef TG_GRAD_REAL_DOMAIN_H
#define TG_GRAD_REAL_DOMAIN_H

#include "grad/graph/graph.h"

enum { TG_CONDITIONS_MAX = 8 };

typedef enum tg_condition_kind {
  TG_CONDITION_INTERVAL,     // every entry lies between low and high
  TG_CONDITION_DEFINITE,     // symmetric positive definite
  TG_CONDITION_SEMIDEFINITE, // symmetric positive semidefinite
} tg_condition_kind;

typedef struct tg_condition {
  tg_condition_kind kind;
  tg_node node;
  double low;
  double high;      // HUGE_VAL: no bound
  bool is_closed;   // low is allowed
  tg_node exponent; // of an open power, which a whole number defines elsewhere too; TG_NONE: none
} tg_condition;

// The conditions on what depends on the symbols wrt[0..n) that are not proved by rules of signs or declared: arguments
// of logarithms, of fractional and open powers, of asin and the like, of logdet, logm and sqrtm. Poles and kinks are
// none: 1./X, inv(X), norm2(X). *count are all of them, at most TG_CONDITIONS_MAX are in out.
tg_status tg_real_domain_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_condition *out,
                              int32_t *count);

// "X > 0 entry by entry; S is positive definite"; nothing where there are none.
tg_status tg_real_domain_print(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_format format,
                               tg_text *out);

#endif
