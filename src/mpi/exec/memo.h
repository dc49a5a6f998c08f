// Constants of plans that other plans compute in the same way: made once.
//
// A result is known by how it is made: a key from the operations of SETUP, their numbers, and the matrices at their
// beginning, which are those that the memo was told of. Two plans whose expressions have a part in common, X'X beside
// different multiples of the identity, have the same key there. Keys are 128 bits: no two are ever taken for each
// other. All calls are local; the ranks make the same, for their plans are the same.
#ifndef TG_MPI_MEMO_H
#define TG_MPI_MEMO_H

#include "base/text.h"
#include "mpi/matrix/dmat.h"

typedef struct tg_memo tg_memo;

typedef struct tg_memo_key {
  uint64_t words[2];
  bool is_known; // false: of something that the memo knows nothing of, or that changes
} tg_memo_key;

tg_status tg_memo_create(tg_memo **out);
// NULL is fine.
void tg_memo_destroy(tg_memo **memo);

// A matrix that never changes while the memo lives, and what it is called.
tg_status tg_memo_add_source(tg_memo *memo, const char *name, const tg_dmat *matrix);
// It is going: nothing is made of it from now on.
void tg_memo_drop_source(tg_memo *memo, const tg_dmat *matrix);

// Lines that are cut out of a matrix: A'A is whole'whole - own'own where rows are, A A' likewise with columns.
typedef enum tg_memo_cut { TG_CUT_NONE, TG_CUT_ROWS, TG_CUT_COLUMNS } tg_memo_cut;

typedef struct tg_memo_parts {
  const tg_dmat *whole;
  const tg_dmat *own; // what is left out
  tg_memo_cut cut;
} tg_memo_parts;

// The source `left` is `whole` without `own`, all of them sources or parts that live as long. Where a difference of
// products would lose more than two digits to one of the matrix itself, for a column (a row) of it is nearly all in
// what is left out, that is not remembered. Collective.
tg_status tg_memo_set_cut(tg_memo *memo, const tg_dmat *left, const tg_dmat *whole, const tg_dmat *own,
                          tg_memo_cut cut);
// Local; NULL: it is no part.
const tg_memo_parts *tg_memo_parts_of(const tg_memo *memo, const tg_dmat *matrix);

tg_memo_key tg_memo_source(const tg_memo *memo, const tg_dmat *matrix);
// The key of what is made of `key`; by a number, and by the bits of another key.
tg_memo_key tg_memo_mix(tg_memo_key key, uint64_t value);
tg_memo_key tg_memo_mix_double(tg_memo_key key, double value);
tg_memo_key tg_memo_mix_key(tg_memo_key key, tg_memo_key other);

bool tg_memo_is_same(tg_memo_key a, tg_memo_key b); // and both known

// The matrix, held (tg_dmat_hold) for the caller; NULL: not made yet.
tg_dmat *tg_memo_find(tg_memo *memo, tg_memo_key key);
// Keeps a matrix that nobody writes into from now on; beside it may stand numbers, which are copied.
// label: what it is called.
tg_status tg_memo_keep(tg_memo *memo, tg_memo_key key, const char *label, tg_dmat *matrix, int64_t n_numbers,
                       const double *numbers);
// What all that is kept from now on is called, in the place of its own label; NULL: by that again. The text must stay.
void tg_memo_set_label(tg_memo *memo, const char *label);
// Keeps it beyond the points that use it: for other folds. Local.
void tg_memo_pin(tg_memo *memo, tg_memo_key key);
// The numbers that stand beside it; NULL: none.
const double *tg_memo_numbers(const tg_memo *memo, tg_memo_key key);

// A point is done: what it has neither made nor used goes, such as results that depend on the numbers that change.
void tg_memo_end_point(tg_memo *memo);
// Appends the labels of what has served more than one point, each once: "X'*X, X'*Y".
void tg_memo_print_shared(const tg_memo *memo, tg_text *out);

#endif
