// Printed leaves: names, numbers, sizes, constants.
#include "grad/text/print_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grad/graph/op.h"
#include "grad/text/lex.h"

void tg_print_add(tg_printer *p, const char *text)
{
  tg_text_add(p->out, text);
}

// x_opt as x_{opt}, lambda as \lambda, several letters upright.
static void print_latex_name(tg_printer *p, const char *name)
{
  const char *underscore = strchr(name, '_');
  const size_t length = underscore != NULL && underscore != name ? (size_t)(underscore - name) : strlen(name);
  const bool greek = tg_name_is_greek_letter(name, length);
  if (greek) tg_print_add(p, "\\");
  const bool upright = !greek && (length > 1 || name[0] == '_');
  const bool indexed = name[length] != '\0' && length == 1 && strchr("IK", name[0]) != NULL; // not I_{n}, K_{m,n}
  if (upright) tg_print_add(p, "\\mathrm{");
  if (indexed) tg_print_add(p, "\\mathit{");
  for (size_t i = 0; i < length; i++) {
    if (name[i] == '_') tg_print_add(p, "\\");
    tg_text_add_bytes(p->out, name + i, 1);
  }
  if (indexed || upright) tg_print_add(p, "}");
  if (name[length] == '\0') return;
  tg_print_add(p, "_{\\mathrm{");
  for (const char *c = name + length + 1; *c != '\0'; c++) {
    if (*c == '_') tg_print_add(p, "\\");
    tg_text_add_bytes(p->out, c, 1);
  }
  tg_print_add(p, "}}");
}

// Words that a program in the format cannot use as names: its keywords, and the functions that printed text calls.
static const char *const numpy_words[] = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield",    "np"};
static const char *const octave_words[] = {
    "break",          "case",  "catch",   "continue",  "do",      "else",       "elseif", "end",    "for", "function",
    "global",         "if",    "methods", "otherwise", "parfor",  "persistent", "return", "switch", "try", "until",
    "unwind_protect", "while", "trace",   "norm",      "reshape", "max",        "log1p"};

// Also with underscores behind it, so that `lambda` and `lambda_` stay apart.
static bool is_taken_word(const tg_printer *p, const char *name)
{
  const bool numpy = p->format == TG_FORMAT_NUMPY;
  const char *const *words = numpy ? numpy_words : octave_words;
  const size_t count =
      numpy ? sizeof numpy_words / sizeof numpy_words[0] : sizeof octave_words / sizeof octave_words[0];
  if (!numpy && p->format != TG_FORMAT_OCTAVE) return false;
  for (size_t i = 0; i < count; i++) {
    const size_t length = strlen(words[i]);
    if (strncmp(name, words[i], length) == 0 && strspn(name + length, "_") == strlen(name + length)) return true;
  }
  return false;
}

bool tg_print_is_keyword(const char *name, size_t length)
{
  for (size_t i = 0; i < sizeof numpy_words / sizeof numpy_words[0]; i++)
    if (strlen(numpy_words[i]) == length && strncmp(numpy_words[i], name, length) == 0) return true;
  for (size_t i = 0; i < sizeof octave_words / sizeof octave_words[0]; i++)
    if (strlen(octave_words[i]) == length && strncmp(octave_words[i], name, length) == 0) return true;
  return false;
}

void tg_print_name(tg_printer *p, const char *name)
{
  if (p->format == TG_FORMAT_LATEX)
    print_latex_name(p, name);
  else
    tg_print_add(p, name);
  if (is_taken_word(p, name)) tg_print_add(p, "_");
}

// In LaTeX, 3e-07 as mantissa 3 and power of ten -7, where their product is the number again; false: it is printed
// plain.
static bool find_power_of_ten(const tg_printer *p, double value, double *mantissa, int *exponent)
{
  char text[40];
  const double size = fabs(value);
  const bool is_plain = size < 1e15 && (size == floor(size) || size >= 1e-4);
  if (p->format != TG_FORMAT_LATEX || is_plain) return false;
  snprintf(text, sizeof text, "%.14e", value);
  char *mark = strchr(text, 'e');
  if (mark == NULL || strtod(text, NULL) != value) return false;
  *exponent = (int)strtol(mark + 1, NULL, 10);
  *mark = '\0';
  *mantissa = strtod(text, NULL);
  return tg_coef_product(*mantissa, tg_coef_power(10.0, *exponent)) == value;
}

bool tg_print_has_power_of_ten(const tg_printer *p, double value)
{
  double mantissa = 0.0;
  int exponent = 0;
  return find_power_of_ten(p, value, &mantissa, &exponent);
}

void tg_print_number(tg_printer *p, double value)
{
  double mantissa = 0.0;
  int exponent = 0;
  if (!find_power_of_ten(p, value, &mantissa, &exponent)) {
    tg_text_add_number(p->out, value);
    return;
  }
  if (mantissa == -1.0) tg_print_add(p, "-");
  if (fabs(mantissa) != 1.0) {
    tg_text_add_number(p->out, mantissa);
    tg_print_add(p, " \\cdot ");
  }
  tg_text_addf(p->out, "10^{%d}", exponent);
}

void tg_print_superscript(tg_printer *p, int64_t value)
{
  static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  char text[24];
  const int n = snprintf(text, sizeof text, "%" PRId64, value);
  for (int i = 0; i < n; i++) tg_print_add(p, text[i] == '-' ? "⁻" : digits[text[i] - '0']);
}

// A product of sizes without a sign, 2mn; a name of several letters is upright, with thin spaces.
static void print_latex_product(tg_printer *p, const tg_size_term *term)
{
  const int64_t coef = term->coef < 0 ? -term->coef : term->coef;
  bool is_short = true;
  if (term->n == 0 || coef != 1) tg_text_addf(p->out, "%" PRId64, coef);
  for (int32_t i = 0; i < term->n; i++) is_short = is_short && strlen(tg_dim_name(p->g, term->vars[i])) == 1;
  for (int32_t i = 0; i < term->n; i++) {
    const char *name = tg_dim_name(p->g, term->vars[i]);
    if (!is_short && (i > 0 || coef != 1)) tg_print_add(p, "\\,");
    const bool is_word = strlen(name) > 1;
    if (is_word) tg_print_add(p, "\\mathrm{");
    for (const char *c = name; *c != '\0'; c++) {
      if (*c == '_') tg_print_add(p, "\\");
      tg_text_add_bytes(p->out, c, 1);
    }
    if (is_word) tg_print_add(p, "}");
  }
}

static void print_latex_size(tg_printer *p, tg_dim dim)
{
  const tg_size_form *form = tg_dim_form(p->g, dim);
  bool begun = false;
  for (int pass = 0; pass < 2; pass++) // what is taken off stands behind what is added
    for (int32_t t = 0; t < form->n_terms; t++) {
      if ((form->terms[t].coef < 0) != (pass == 1)) continue;
      tg_print_add(p, pass == 1 ? "-" : begun ? "+" : "");
      print_latex_product(p, &form->terms[t]);
      begun = true;
    }
}

void tg_print_size(tg_printer *p, tg_dim dim)
{
  if (p->format == TG_FORMAT_LATEX)
    print_latex_size(p, dim);
  else
    tg_dim_print(p->g, dim, p->out);
}

void tg_print_two_sizes(tg_printer *p, const char *before, tg_dim a, const char *between, tg_dim b, const char *after)
{
  tg_print_add(p, before);
  tg_print_size(p, a);
  tg_print_add(p, between);
  tg_print_size(p, b);
  tg_print_add(p, after);
}

void tg_print_constant(tg_printer *p, const tg_info *info)
{
  static const char *const names[3] = {"eye", "ones", "zeros"};
  const char *name = names[info->kind == TG_EYE ? 0 : info->kind == TG_ONES ? 1 : 2];
  const bool eye = info->kind == TG_EYE;
  if (p->format == TG_FORMAT_LATEX || (p->format == TG_FORMAT_UNICODE && eye)) {
    tg_print_add(p, eye ? "I" : info->kind == TG_ONES ? "\\mathbf{1}" : "0");
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? "_{" : "(");
    tg_print_size(p, info->rows);
    if (!eye) tg_print_add(p, " \\times ");
    if (!eye) tg_print_size(p, info->cols);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? "}" : ")");
    return;
  }
  if (p->format == TG_FORMAT_NUMPY) tg_print_add(p, "np.");
  tg_print_add(p, name);
  tg_print_add(p, p->format == TG_FORMAT_NUMPY && !eye ? "((" : "(");
  tg_print_size(p, info->rows);
  if (!eye) tg_print_add(p, p->format == TG_FORMAT_NUMPY ? ", " : ",");
  if (!eye) tg_print_size(p, info->cols);
  tg_print_add(p, p->format == TG_FORMAT_NUMPY && !eye ? "))" : ")");
}

void tg_print_comm(tg_printer *p, const tg_info *info)
{
  const tg_dim m = info->dims[0];
  const tg_dim n = info->dims[1];
  switch (p->format) {
  case TG_FORMAT_LATEX:
    tg_print_two_sizes(p, "K_{", m, ",", n, "}");
    break;
  case TG_FORMAT_NUMPY:
    tg_print_add(p, "np.eye(");
    tg_print_size(p, info->rows);
    tg_print_add(p, ")[np.arange(");
    tg_print_size(p, info->rows);
    tg_print_two_sizes(p, ").reshape((", m, ", ", n, "), order=\"F\").ravel()]");
    break;
  case TG_FORMAT_OCTAVE:
    tg_print_add(p, "eye(");
    tg_print_size(p, info->rows);
    tg_print_add(p, ")(reshape(1:");
    tg_print_size(p, info->rows);
    tg_print_two_sizes(p, ",", m, ",", n, ")'(:), :)");
    break;
  default:
    tg_print_two_sizes(p, "comm(", m, ",", n, ")");
    break;
  }
}
