// The parse tree of an expression: spans on every node, sizes filled in by the shape pass.
#ifndef TG_GRAD_AST_H
#define TG_GRAD_AST_H

#include <stdint.h>

#include "base/arena.h"
#include "grad/text/names.h"

// Stated limits of an expression text (docs/language.md).
enum { TG_TEXT_BYTES_MAX = 1 << 20, TG_NESTING_MAX = 200, TG_OPERANDS_MAX = 100000 };

typedef enum tg_ast_kind {
  TG_AST_NUMBER,
  TG_AST_NAME,
  TG_AST_CALL,      // name(args)
  TG_AST_SUM,       // args with signs in ops: '+' or '-'
  TG_AST_TERM,      // args joined by ops[1..]: '*', '/', 'x' (.*), 'd' (./)
  TG_AST_NEGATIVE,  // -args[0]
  TG_AST_TRANSPOSE, // args[0]'
  TG_AST_POWER      // args[0] ^ args[1]; ops[0] is '^' or 'e' (.^)
} tg_ast_kind;

// A size while shapes are being inferred: coef * product of size variables.
enum { TG_SIZE_FACTORS_MAX = 8 };
typedef struct tg_size {
  int64_t coef;
  int32_t n_vars;
  int32_t vars[TG_SIZE_FACTORS_MAX]; // ascending
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
  tg_size rows; // filled by the shape pass
  tg_size cols;
};

// expression = term { ("+" | "-") term }; see language.md for the whole grammar.
tg_status tg_parse(tg_arena *arena, const char *text, size_t length, tg_ast **out);

#endif
