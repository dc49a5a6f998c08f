// Random well-shaped expressions over all operators of the language.
#ifndef TESTS_SUPPORT_RANDOM_EXPRESSION_H
#define TESTS_SUPPORT_RANDOM_EXPRESSION_H

#include <stdint.h>

#include "base/text.h"

// Names that the expressions use, for calculus_open: A23 and B23 are 2 x 3, and so on for sizes 1, 2, 3; S are
// symmetric, P positive definite, G diagonal, Q orthogonal, U positive.
extern const char random_expression_dims[];
extern const char random_expression_properties[];

// Appends an expression of rows x cols, nested to about depth levels, in which the name `focus` (its shape in its last
// two digits) stands wherever its shape fits more often than others.
void random_expression(uint64_t *state, int rows, int cols, int depth, const char *focus, tg_text *out);
// The same, repeated until `focus` stands in it, at most 50 times: one without the variable tests little. out is
// replaced.
void random_expression_about(uint64_t *state, int rows, int cols, int depth, const char *focus, tg_text *out);

#endif
