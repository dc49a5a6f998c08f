// A claimed derivative against the derived one.
#ifndef TG_DERIVE_CLAIM_H
#define TG_DERIVE_CLAIM_H

#include "derive/derivation.h"

typedef enum tg_claim_verdict { TG_VERDICT_EQUAL, TG_VERDICT_DIFFERENT, TG_VERDICT_UNDECIDED } tg_claim_verdict;

// Compares a claimed derivative by the k-th name (in the input language) with the derived one: the verdict, and in
// `out` lines that say so or show the shapes or an entry where they differ. Names that the expression does not have may
// occur; sizes that are open take the shape of the derivative. Symbolic sizes get small distinct numbers. What is wrong
// with the text of the claim is kept in d->errors, and the verdict is undecided.
tg_status tg_claim_check(tg_derivation *d, int32_t k, const char *claim, tg_claim_verdict *verdict, tg_text *out);

#endif
