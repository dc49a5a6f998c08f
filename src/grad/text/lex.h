// Tokens of the expression language.
#ifndef TG_GRAD_LEX_H
#define TG_GRAD_LEX_H

#include "base/status.h"

typedef enum tg_token_kind {
  TG_TOKEN_END,
  TG_TOKEN_NUMBER,
  TG_TOKEN_NAME,
  TG_TOKEN_SYMBOL // one of + - * / ^ ' ( ) , and x d e for .* ./ .^
} tg_token_kind;

typedef struct tg_token {
  tg_token_kind kind;
  tg_span span;
  char symbol;
  double number;
} tg_token;

// The token at or after *position; advances it past the token.
tg_status tg_lex(const char *text, size_t length, size_t *position, tg_token *out);

#endif
