// The facts about entrywise functions, by kind: rows of grad/entrywise.def.
#ifndef TG_GRAD_ENTRY_H
#define TG_GRAD_ENTRY_H

#include <math.h>

#include "grad/graph/graph.h"

typedef enum tg_entry_sign_fact {
  TG_SIGN_ANY = 1, // a missing fact is none of these
  TG_SIGN_OF_ARGUMENT,
  TG_SIGN_NONNEGATIVE,
  TG_SIGN_POSITIVE
} tg_entry_sign_fact;

typedef enum tg_entry_monotone { TG_NOT_MONOTONE = 1, TG_INCREASING, TG_DECREASING } tg_entry_monotone;

typedef enum tg_entry_curvature { TG_BENDS_BOTH = 1, TG_BENDS_UP, TG_BENDS_DOWN } tg_entry_curvature;

typedef enum tg_entry_kink_kind { TG_KINK_NONE = 1, TG_KINK_AT_ZERO, TG_KINK_STEP } tg_entry_kink_kind;

typedef struct tg_entry_kink {
  tg_entry_kink_kind kind;
  double low; // KINK_AT_ZERO: the slope below 0, above 0
  double high;
} tg_entry_kink;

typedef struct tg_entry_interval {
  double low;
  double high;
} tg_entry_interval;

// Templates: '@' stands for the argument. Language and Unicode write name(@).
typedef struct tg_entry_facts {
  tg_status (*slope)(tg_graph *g, tg_node node, tg_node x, tg_node *out); // s'(x); node is s(x)
  double (*value)(double x);
  double (*rate)(double x, double y); // |s'(x)|, or a bound of it, where s(x) = y
  const char *name;
  const char *signature; // name(X)
  const char *help;
  const char *rule;
  const char *aliases;
  const char *latex;
  const char *numpy;
  const char *octave;
  tg_entry_interval domain; // open
  tg_entry_sign_fact sign;
  tg_entry_monotone monotone;
  tg_entry_curvature curvature;
  tg_entry_kink kink;
  double homogeneity; // NAN: none
  tg_entry_interval samples;
  double points[3][2]; // x, s(x)
} tg_entry_facts;

// NULL where the kind is no entrywise function.
const tg_entry_facts *tg_entry(tg_kind kind);
// The kind of a function by its name or one of its aliases; TG_KIND_COUNT: none.
tg_kind tg_entry_find(const char *name, size_t length);

#endif
