// The parse tree of an expression: spans on every node, sizes filled in by the shape pass.
#ifndef TG_GRAD_AST_H
#define TG_GRAD_AST_H

#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "grad/size_form.h"
#include "grad/text/limits.h"
#include "grad/text/name_index.h"

typedef enum tg_ast_kind {
  TG_AST_NUMBER,
  TG_AST_NAME,
  TG_AST_CALL,      // name(args)
  TG_AST_SUM,       // args with signs in ops: '+' or '-'
  TG_AST_TERM,      // args joined by ops[1..]: '*', '/', 'x' (.*), 'd' (./)
  TG_AST_NEGATIVE,  // -args[0]
  TG_AST_TRANSPOSE, // args[0]'
  TG_AST_POWER,     // args[0] ^ args[1]; ops[0] is '^' or 'e' (.^)
  TG_AST_PART,      // a named part, by its name: definition is what it stands for
  TG_AST_WHERE      // the value is the last argument, the parts that it uses stand before it, each after its own
} tg_ast_kind;

// A size while shapes are being inferred: a number, or a polynomial in size variables (size_form.h).
typedef struct tg_size {
  int64_t number; // where there are no terms
  int32_t n_terms;
  const tg_size_term *terms;
} tg_size;

typedef struct tg_ast tg_ast;
struct tg_ast {
  tg_ast_kind kind;
  tg_span span;
  tg_span operator_span; // of the operator that failed to fit, for sums and terms: the last one
  double number;
  const char *name; // NAME, CALL
  int32_t n_args;
  tg_ast **args;
  char *ops;
  char wants;         // 'v': args[0] must be a vector, as of norm(x); 's': a scalar, as of |s|; 'c': it is
                      // a column itself, as a bold 1; 'r' of TRANSPOSE: a row, of a column alone its transpose;
                      // 0: what the function takes
  char form;          // PART: 's' a scalar by its form, 'm' a matrix; 0: neither
  int32_t part;       // PART: its position among the arguments of WHERE
  tg_ast *definition; // PART: that argument
  bool turned;        // TRANSPOSE: filled by the shape pass, false where 'r' leaves it as it is
  tg_size rows;       // filled by the shape pass
  tg_size cols;
};

// What '*', '/' and '^' mean between matrices: the language's own, that of NumPy or of R, where they are entry by
// entry. Marks of two that differ make it mixed: '*' between matrices is refused then.
typedef enum tg_dialect { TG_DIALECT_OWN, TG_DIALECT_NUMPY, TG_DIALECT_R, TG_DIALECT_MIXED } tg_dialect;

// expression = term { ("+" | "-") term }; see docs/language.md for the whole grammar. declared: names that have a
// declaration, and so no other meaning. notices may be NULL.
tg_status tg_parse(tg_arena *arena, const char *text, size_t length, const tg_name_index *declared, tg_text *notices,
                   tg_ast **out);
// The expression itself: of WHERE the last argument.
const tg_ast *tg_ast_value(const tg_ast *ast);

#endif
