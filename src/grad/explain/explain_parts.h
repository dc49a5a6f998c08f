// What the files of the derivation share: terms of df, and how they are written, moved and opened.
#ifndef TG_GRAD_EXPLAIN_PARTS_H
#define TG_GRAD_EXPLAIN_PARTS_H

#include "grad/explain/explain.h"

// L of a term: dZ itself, its transpose, or Y .* dZ.
typedef struct tg_explain_term {
  double coef;
  tg_node scalars; // TG_NONE: none
  int32_t n_left;
  const tg_node *left;
  int32_t n_right;
  const tg_node *right;
  tg_node had; // Y of Y .* dZ, or TG_NONE
  bool transposed;
  tg_node z;
} tg_explain_term;

typedef struct tg_explainer {
  tg_graph *g;
  tg_format format;
  int32_t wrt;
  tg_explanation *out;
  int number; // of the term being moved
  int next_number;
  tg_node sum; // of the finished terms' G
  int depth;
} tg_explainer;

// Writing; of what is longer than TG_STEP_BYTES_MAX the beginning.
tg_status tg_explain_print(const tg_explainer *e, tg_node node, bool is_factor, tg_text *out);
tg_status tg_explain_step(tg_explainer *e, int number, const char *text, const char *rule);
// "d", "tr(" and ")" in the format.
const char *tg_explain_d(const tg_explainer *e);
const char *tg_explain_trace(const tg_explainer *e);
const char *tg_explain_right(const tg_explainer *e);
const char *tg_explain_times(const tg_explainer *e);
tg_status tg_explain_write_terms(tg_explainer *e, int32_t n, const tg_explain_term *terms, const char *rule);

// Parts of terms. `beside` is Q*P, what stands beside L(dZ) after a cyclic shift, the identity when nothing does.
bool tg_explain_active(const tg_explainer *e, tg_node node);
tg_status tg_explain_times_scalar(tg_explainer *e, tg_node factor, tg_explain_term *t);
tg_status tg_explain_join(tg_explainer *e, int32_t n, const tg_node *a, int32_t m, const tg_node *b,
                          const tg_node **out);
tg_status tg_explain_push_left(tg_explainer *e, tg_explain_term *t, int32_t n, const tg_node *factors);
tg_status tg_explain_push_right(tg_explainer *e, tg_explain_term *t, int32_t n, const tg_node *factors);
tg_status tg_explain_beside(tg_explainer *e, const tg_explain_term *t, tg_dim size, tg_node *out);

// Writes the terms that a rule made of one, then brings each to its end; several terms get numbers of their own.
tg_status tg_explain_branch(tg_explainer *e, int32_t n, const tg_explain_term *terms, const char *rule);
// tr(P L(dZ) Q) = tr(Q P L(dZ))
tg_status tg_explain_shift(tg_explainer *e, const tg_explain_term *t);
// Opens dZ by the differential rule of Z's outermost operator; open_prod for a product, scalar ones too.
tg_status tg_explain_open(tg_explainer *e, const tg_explain_term *t);
tg_status tg_explain_open_prod(tg_explainer *e, const tg_explain_term *t, const tg_info *info);

#endif
