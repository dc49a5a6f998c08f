// Products of data that the memo helps to: one that it has, in c = alpha A'B + beta c; and of data from which a fold is
// left out A'B = W'V - O'P, of the wholes W, V and what is left out of them, O, P.
//
// The product of the wholes is made once for all folds. The memo says what is a part of what, and leaves out parts for
// which the difference would lose digits.
#include <stdio.h>

#include "mpi/exec/exec_parts.h"

// What a product is made from.
typedef struct downdate {
  const tg_memo_parts *a;
  const tg_memo_parts *b;
  bool trans_a;
  bool trans_b;
} downdate;

// The summation runs over the lines that are cut out, of both alike.
static bool is_over_cut(const downdate *d)
{
  return d->a->cut == (d->trans_a ? TG_CUT_ROWS : TG_CUT_COLUMNS) &&
         d->b->cut == (d->trans_b ? TG_CUT_COLUMNS : TG_CUT_ROWS);
}

// That the summation runs over.
static int64_t lines_of(const tg_dmat *m, bool is_transposed)
{
  return is_transposed ? m->rows : m->cols;
}

static tg_status product(tg_exec *exec, const downdate *d, const tg_dmat *a, const tg_dmat *b, tg_dmat *out)
{
  return tg_product(exec->settings.product, d->trans_a, d->trans_b, 1, a, b, 0, out, exec->workspace, &exec->counters);
}

static tg_memo_key key_of_whole(const tg_exec *exec, const downdate *d)
{
  enum { WHOLE_PRODUCT = 0xd0d0 };
  tg_memo *memo = exec->settings.memo;
  tg_memo_key key = tg_memo_mix((tg_memo_key){.is_known = true}, WHOLE_PRODUCT);
  key = tg_memo_mix_key(tg_memo_mix_key(key, tg_memo_source(memo, d->a->whole)), tg_memo_source(memo, d->b->whole));
  return tg_memo_mix(tg_memo_mix(key, d->trans_a), d->trans_b);
}

// The product of the wholes, held; made where it is not there.
static tg_status find_whole(tg_exec *exec, const downdate *d, const tg_dmat *like, const char *name, tg_dmat **out)
{
  char label[80];
  const tg_memo_key key = key_of_whole(exec, d);
  tg_memo *memo = exec->settings.memo;
  *out = tg_memo_find(memo, key);
  if (*out != NULL) return TG_OK;
  TG_TRY(tg_agree(exec->grid->comm, tg_dmat_create(exec->grid, like->rows, like->cols, out)));
  TG_TRY(product(exec, d, d->a->whole, d->b->whole, *out));
  snprintf(label, sizeof label, "%.50s of all the data", name);
  TG_TRY(tg_agree(exec->grid->comm, tg_memo_keep(memo, key, label, *out, 0, NULL)));
  tg_memo_pin(memo, key);
  return TG_OK;
}

// out = alpha (whole - own) + beta out
static tg_status subtract(tg_exec *exec, const downdate *d, double alpha, double beta, const tg_dmat *whole,
                          tg_dmat *out)
{
  const double coefs[3] = {alpha, -alpha, beta};
  tg_dmat *removed = NULL;
  tg_status status = tg_agree(exec->grid->comm, tg_dmat_create(exec->grid, out->rows, out->cols, &removed));
  if (status == TG_OK) status = product(exec, d, d->a->own, d->b->own, removed);
  const tg_dmat *const terms[3] = {whole, removed, out};
  if (status == TG_OK) status = tg_dmat_lincomb(beta == 0 ? 2 : 3, coefs, terms, out);
  tg_dmat_destroy(&removed);
  return status;
}

static tg_status make_by_parts(tg_exec *exec, const tg_instr *instr, const downdate *d, double alpha, bool *made)
{
  tg_dmat *out = exec->buffers[instr->out];
  tg_dmat *whole = NULL;
  if (d->a == NULL || d->b == NULL || !is_over_cut(d)) return TG_OK;
  if (lines_of(d->a->own, d->trans_a) >= lines_of(exec->in[0], d->trans_a)) return TG_OK;
  tg_status status = find_whole(exec, d, out, exec->plan->buffers[instr->out].name, &whole);
  if (status == TG_OK) status = subtract(exec, d, alpha, instr->beta, whole, out);
  tg_dmat_destroy(&whole);
  *made = status == TG_OK;
  return status;
}

// A constant of another plan: X'X, for X'X + lambda I.
static tg_status use_made(tg_exec *exec, const tg_instr *instr, double alpha, bool *made)
{
  tg_memo_key key;
  const double coefs[2] = {alpha, instr->beta};
  tg_dmat *out = exec->buffers[instr->out];
  if (alpha == 1 && instr->beta == 0) return TG_OK; // recalled as a whole, where it is known
  TG_TRY(tg_agree(exec->grid->comm, tg_exec_plain_key(exec, instr, &key)));
  tg_dmat *found = tg_memo_find(exec->settings.memo, key);
  if (found == NULL) return TG_OK;
  const tg_dmat *const terms[2] = {found, out};
  const tg_status status = tg_dmat_lincomb(instr->beta == 0 ? 1 : 2, coefs, terms, out);
  tg_dmat_destroy(&found);
  *made = status == TG_OK;
  return status;
}

tg_status tg_exec_reuse_product(tg_exec *exec, const tg_instr *instr, bool trans_a, bool trans_b, double alpha,
                                bool *made)
{
  tg_memo *memo = exec->settings.memo;
  *made = false;
  if (memo == NULL || !tg_memo_source(memo, exec->in[0]).is_known || !tg_memo_source(memo, exec->in[1]).is_known)
    return TG_OK;
  TG_TRY(use_made(exec, instr, alpha, made));
  if (*made) return TG_OK;
  const downdate d = {.a = tg_memo_parts_of(memo, exec->in[0]),
                      .b = tg_memo_parts_of(memo, exec->in[1]),
                      .trans_a = trans_a,
                      .trans_b = trans_b};
  return make_by_parts(exec, instr, &d, alpha, made);
}
