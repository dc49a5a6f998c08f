// Named parts of an expression: "sumsq(R) where R = Y - X*W", "R = Y - X*W; sumsq(R)", and parts given beside it.
#ifndef TG_GRAD_PARTS_H
#define TG_GRAD_PARTS_H

#include "grad/text/ast.h"

// A part whose text stands elsewhere in the same buffer.
typedef struct tg_given_part {
  const char *name;
  tg_span text;
} tg_given_part;

typedef struct tg_parse_request {
  tg_arena *arena;
  const char *text;
  tg_span expression; // with the parts that it defines itself
  int32_t n_given;
  const tg_given_part *given;
  bool *is_used; // or NULL: receives of each of them whether the expression uses it
  const tg_name_index *declared;
  tg_text *notices;
} tg_parse_request;

// The expression; TG_AST_WHERE where it uses parts. One that it defines itself and does not use is TG_NAME, as is one
// that is declared, defined twice or in terms of itself.
tg_status tg_parse_with_parts(const tg_parse_request *request, tg_ast **out);

#endif
