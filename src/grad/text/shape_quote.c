// Parts of the user's text in messages: shortened, with the parentheses that they need.
#include "base/utf8.h"
#include "grad/text/shape.h"

enum { QUOTE_BYTES_MAX = 40 };

// Whether the parenthesis at the beginning is closed at the end: not so in (A)*(B).
static bool is_enclosed(const char *text, size_t begin, size_t end)
{
  int depth = 0;
  if (end - begin <= 2 || text[begin] != '(' || text[end - 1] != ')') return false;
  for (size_t i = begin; i + 1 < end; i++) {
    depth += (text[i] == '(') - (text[i] == ')');
    if (depth == 0) return false;
  }
  return true;
}

static void quote_range(const tg_shaper *shaper, size_t begin, size_t end, tg_text *out)
{
  const bool shortened = end - begin > QUOTE_BYTES_MAX;
  if (shortened) end = begin + QUOTE_BYTES_MAX;
  while (shortened && tg_utf8_continues(shaper->text[end])) end--; // not within a character
  tg_text_add_bytes(out, shaper->text + begin, end - begin);
  if (shortened) tg_text_add(out, "...");
}

void tg_shape_quote(const tg_shaper *shaper, const tg_ast *ast, tg_text *out)
{
  // Parentheses around the whole say nothing in a sentence.
  const bool enclosed = ast->kind != TG_AST_CALL && is_enclosed(shaper->text, ast->span.begin, ast->span.end);
  quote_range(shaper, ast->span.begin + enclosed, ast->span.end - enclosed, out);
}

void tg_shape_quote_factor(const tg_shaper *shaper, const tg_ast *ast, tg_text *out)
{
  const bool is_sum = ast->kind == TG_AST_SUM || ast->kind == TG_AST_NEGATIVE;
  if (!is_sum || is_enclosed(shaper->text, ast->span.begin, ast->span.end)) {
    quote_range(shaper, ast->span.begin, ast->span.end, out);
    return;
  }
  tg_text_add(out, "(");
  tg_shape_quote(shaper, ast, out);
  tg_text_add(out, ")");
}

void tg_shape_describe(tg_shaper *shaper, const tg_ast *ast, tg_text *out)
{
  if (tg_shape_is_scalar(shaper, ast)) {
    tg_text_add(out, "a scalar");
    return;
  }
  tg_size_print_shape(&shaper->sizes, ast->rows, ast->cols, out);
}
