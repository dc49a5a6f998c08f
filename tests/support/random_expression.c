// A generator that writes an expression of a wanted shape: every production picks operands whose shapes fit.
#include "support/random_expression.h"

#include <string.h>

#include "grad/graph/entry.h"
#include "support/text_eval.h"

const char random_expression_dims[] = "A11=1x1,A12=1x2,A13=1x3,A21=2x1,A22=2x2,A23=2x3,A31=3x1,A32=3x2,A33=3x3,"
                                      "B11=1x1,B12=1x2,B13=1x3,B21=2x1,B22=2x2,B23=2x3,B31=3x1,B32=3x2,B33=3x3,"
                                      "S22=2x2,S33=3x3,P22=2x2,P33=3x3,G22=2x2,G33=3x3,Q22=2x2,Q33=3x3,"
                                      "U11=1x1,U21=2x1,U23=2x3,U33=3x3";
const char random_expression_properties[] =
    "S22:symmetric,S33:symmetric,P22:spd,P33:spd,G22:diagonal,G33:diagonal,Q22:orthogonal,Q33:orthogonal,"
    "U11:positive,U21:positive,U23:positive,U33:positive";

typedef struct writer {
  uint64_t *state;
  const char *focus;
  tg_text *out;
} writer;

static void any(const writer *w, int rows, int cols, int depth);

static int pick(const writer *w, int n)
{
  return (int)(text_random(w->state) % (uint64_t)n);
}

static void put(const writer *w, const char *text)
{
  tg_text_add(w->out, text);
}

// before <any> between <any> after
static void two(const writer *w, const char *before, int rows, int cols, const char *between, int rows2, int cols2,
                const char *after, int depth)
{
  put(w, before);
  any(w, rows, cols, depth - 1);
  put(w, between);
  any(w, rows2, cols2, depth - 1);
  put(w, after);
}

static void one(const writer *w, const char *before, int rows, int cols, const char *after, int depth)
{
  put(w, before);
  any(w, rows, cols, depth - 1);
  put(w, after);
}

static int size_of_focus(const writer *w, int place)
{
  return w->focus[strlen(w->focus) - (size_t)(2 - place)] - '0';
}

static void number(const writer *w)
{
  static const char *const numbers[] = {"2", "3", "0.5", "1", "4", "1.5", "0", "7", "1e-1", "0.25"};
  put(w, numbers[pick(w, 10)]);
}

static void named(const writer *w, const char *letters, int rows, int cols)
{
  tg_text_addf(w->out, "%c%d%d", letters[pick(w, (int)strlen(letters))], rows, cols);
}

static void constant(const writer *w, int rows, int cols)
{
  if (rows == cols && rows == 4 && pick(w, 2) == 0)
    put(w, "comm(2,2)");
  else if (rows == cols && rows == 6 && pick(w, 2) == 0)
    put(w, pick(w, 2) == 0 ? "comm(2,3)" : "comm(3,2)");
  else if (rows == cols && pick(w, 4) != 0)
    tg_text_addf(w->out, "eye(%d)", rows);
  else
    tg_text_addf(w->out, "%s(%d,%d)", pick(w, 6) == 0 ? "zeros" : "ones", rows, cols);
}

static void leaf(const writer *w, int rows, int cols)
{
  const int m = size_of_focus(w, 0);
  const int n = size_of_focus(w, 1);
  const bool straight = m == rows && n == cols;
  const bool turned = m == cols && n == rows;
  const int choice = pick(w, 10);
  if (choice < 5 && (straight || turned)) {
    put(w, w->focus);
    if (!straight || (pick(w, 3) == 0 && m == n)) put(w, "'");
  } else if (rows > 3 || cols > 3 || choice == 9) {
    constant(w, rows, cols);
  } else if (rows == 1 && cols == 1 && choice > 6) {
    number(w);
  } else if (rows == cols && rows > 1 && choice > 6) {
    named(w, "SPGQ", rows, cols);
  } else if (choice % 2 == 0) {
    named(w, "AB", rows, cols);
  } else {
    named(w, "AB", cols, rows);
    put(w, "'");
  }
}

// Entries positive, so that logarithms, roots and divisions are safe.
static void positive(const writer *w, int rows, int cols, int depth)
{
  const bool known =
      (rows == 1 && cols == 1) || (rows == 2 && cols == 1) || (rows == 2 && cols == 3) || (rows == 3 && cols == 3);
  switch (pick(w, 6)) {
  case 0:
    one(w, "exp(0.3*", rows, cols, ")", depth < 2 ? 1 : 2);
    return;
  case 1:
    one(w, "softplus(", rows, cols, ")", depth);
    return;
  case 2:
    one(w, "sigmoid(", rows, cols, ")", depth);
    return;
  case 3:
    tg_text_addf(w->out, "(ones(%d,%d) + ", rows, cols);
    one(w, "(", rows, cols, ").^2)", depth);
    return;
  case 4:
    if (rows == 1 && cols == 1) {
      one(w, "(1 + sumsq(", 1 + pick(w, 3), 1 + pick(w, 3), "))", depth);
      return;
    }
    break;
  default:
    break;
  }
  if (known)
    named(w, "U", rows, cols);
  else
    tg_text_addf(w->out, "(2*ones(%d,%d))", rows, cols);
}

// Symmetric positive definite.
static void definite(const writer *w, int n, int depth)
{
  const int k = 1 + pick(w, 3);
  switch (pick(w, 4)) {
  case 0:
    if (n > 1 && n < 4) {
      named(w, "P", n, n);
      return;
    }
    break;
  case 1:
    put(w, "diag(");
    positive(w, n, 1, depth - 1);
    put(w, ")");
    return;
  default:
    break;
  }
  const size_t begin = w->out->length;
  put(w, "(");
  any(w, n, k, depth < 3 ? depth - 1 : 2);
  put(w, ")");
  // A second copy of the same text: X*X' + eye.
  char copy[400];
  const size_t length = w->out->length - begin;
  if (length >= sizeof copy) {
    tg_text_addf(w->out, "*zeros(%d,%d)", k, n);
    put(w, " + ");
  } else {
    memcpy(copy, w->out->data + begin, length);
    copy[length] = '\0';
    tg_text_addf(w->out, "*%s' + ", copy);
  }
  tg_text_addf(w->out, "eye(%d)", n);
}

static void wrapped_definite(const writer *w, const char *before, int n, const char *after, int depth)
{
  put(w, before);
  definite(w, n, depth);
  put(w, after);
}

static void entrywise(const writer *w, int rows, int cols, int depth)
{
  static const char *const functions[] = {"exp(0.5*",  "sin(",   "cos(",      "tanh(", "sigmoid(",
                                          "softplus(", "relu(",  "abs(",      "sign(", "tan(0.4*tanh(",
                                          "exp(-",     "sin(2*", "softplus(-"};
  const int choice = pick(w, 16);
  if (choice < 13) {
    put(w, functions[choice]);
    one(w, "(", rows, cols, choice == 9 ? ")))" : "))", depth);
    return;
  }
  put(w, choice == 13 ? "log(" : choice == 14 ? "sqrt(" : "(");
  positive(w, rows, cols, depth - 1);
  put(w, choice == 15 ? ").^-0.5" : ")");
}

// One of the entrywise functions of the table, its argument among the row's samples.
static void tabled(const writer *w, int rows, int cols, int depth)
{
  const tg_entry_facts *f = tg_entry((tg_kind)(TG_ENTRY_FIRST + pick(w, TG_ENTRY_END - TG_ENTRY_FIRST)));
  const double middle = 0.5 * (f->samples.low + f->samples.high);
  tg_text_addf(w->out, "%s(%g*ones(%d,%d) + %g*", f->name, middle, rows, cols,
               0.5 * (f->samples.high - f->samples.low));
  one(w, "sin(", rows, cols, "))", depth);
}

// Functions of whole rows, columns and triangles, and of two matrices.
static void reduced(const writer *w, int rows, int cols, int depth)
{
  const int k = 1 + pick(w, 3);
  switch (pick(w, 13)) {
  case 9: // the last rows, the first columns, of something larger
    if (rows < 3) tg_text_addf(w->out, "submatrix(");
    if (rows < 3) {
      any(w, 3, cols, depth - 1);
      tg_text_addf(w->out, ", %d, 3, 1, 0)", 4 - rows);
      return;
    }
    break;
  case 10:
    if (cols < 3) {
      one(w, "(", rows, 3, ")", depth);
      tg_text_addf(w->out, "(:,1:%d)", cols);
      return;
    }
    break;
  case 11:
    if (rows > 1) {
      two(w, "[", rows - 1, cols, "; ", 1, cols, "]", depth);
      return;
    }
    break;
  case 12:
    if (cols > 1) {
      two(w, "[", rows, 1, ", ", rows, cols - 1, "]", depth);
      return;
    }
    break;
  case 0:
    two(w, pick(w, 2) == 0 ? "max(" : "min(", rows, cols, ", ", rows, cols, ")", depth);
    return;
  case 1:
    two(w, pick(w, 2) == 0 ? "max(" : "min(", 1, 1, ", ", rows, cols, ")", depth);
    return;
  case 2:
    one(w, pick(w, 2) == 0 ? "softmax_rows(" : "softmax_columns(", rows, cols, ")", depth);
    return;
  case 3:
    one(w, pick(w, 2) == 0 ? "triu(" : "tril(", rows, cols, ")", depth);
    return;
  case 4:
    two(w, "(sum_rows(", rows, k, ")*sum_columns(", k, cols, "))", depth);
    return;
  case 5:
    two(w, "(logsumexp_rows(", rows, k, ")*logsumexp_columns(", k, cols, "))", depth);
    return;
  case 6:
    two(w, "(mean(", rows, k, ")*(", rows, cols, "))", depth);
    return;
  case 7:
    two(w, "(var(", rows, k, ")*(", rows, cols, "))", depth);
    return;
  default:
    break;
  }
  two(w, "(logsumexp(", k, cols, ")*(", rows, cols, "))", depth);
}

static void scalar(const writer *w, int depth)
{
  const int m = 1 + pick(w, 3);
  const int n = 1 + pick(w, 3);
  switch (pick(w, 17)) {
  case 15:
    one(w, "nuclear_norm(", m, n, ")", depth);
    return;
  case 16:
    one(w, "spectral_norm(", m, n, ")", depth);
    return;
  case 0:
  case 1:
    one(w, "tr(", m, m, ")", depth);
    return;
  case 2:
    one(w, "sum(", m, n, ")", depth);
    return;
  case 3:
    one(w, "sumsq(", m, n, ")", depth);
    return;
  case 4:
    one(w, "norm2(", m, n, ")", depth);
    return;
  case 5:
    one(w, "norm1(", m, n, ")", depth);
    return;
  case 6:
    one(w, "det(", m, m, ")", depth);
    return;
  case 7:
    wrapped_definite(w, "logdet(", m, ")", depth);
    return;
  case 8:
    two(w, "dot(", m, n, ", ", m, n, ")", depth);
    return;
  case 9:
    two(w, "(", 1, n, ")*(", n, 1, ")", depth);
    return;
  case 10:
    one(w, "(", 1, 1, ")/", depth);
    positive(w, 1, 1, depth - 1);
    return;
  case 11:
    positive(w, 1, 1, depth - 1);
    one(w, "^(", 1, 1, ")", depth < 2 ? 1 : 2);
    return;
  case 12: {
    static const char *const exponents[] = {")^2", ")^3", ")^-1", ")^0.5", ")^-2", ")^-1.5", ")^0"};
    const int choice = pick(w, 7);
    put(w, "(");
    if (choice < 2 || choice == 6)
      any(w, 1, 1, depth - 1);
    else
      positive(w, 1, 1, depth - 1);
    put(w, exponents[choice]);
    return;
  }
  case 13:
    wrapped_definite(w, "log(det(", m, "))", depth);
    return;
  default:
    entrywise(w, 1, 1, depth);
    return;
  }
}

// A function of a symmetric positive definite matrix, which moves where the focus has a side of that size.
static void of_symmetric(const writer *w, int n)
{
  static const char *const functions[] = {"sqrtm", "expm", "logm"};
  const bool upright = size_of_focus(w, 0) == n;
  const bool lying = size_of_focus(w, 1) == n;
  tg_text_addf(w->out, "%s(0.3*P%d%d", functions[pick(w, 3)], n, n);
  if (upright || lying)
    tg_text_addf(w->out, " + 0.1*%s%s*%s%s", w->focus, upright ? "" : "'", w->focus, upright ? "'" : "");
  if (pick(w, 2) == 0) tg_text_addf(w->out, " + 0.1*S%d%d^2", n, n);
  put(w, ")");
}

static void square(const writer *w, int n, int depth)
{
  static const char *const exponents[] = {")^2", ")^3", ")^0", ")^1", ")'^2"};
  switch (pick(w, 7)) {
  case 6:
    if (n > 3) break;
    of_symmetric(w, n);
    return;
  case 0:
    wrapped_definite(w, "inv(", n, ")", depth);
    return;
  case 1:
    wrapped_definite(w, "(", n, pick(w, 2) == 0 ? ")^-1" : ")^-2", depth);
    return;
  case 2:
    one(w, "(", n, n, exponents[pick(w, 5)], depth);
    return;
  case 3:
    if (pick(w, 2) == 0)
      one(w, "diag(", n, 1, ")", depth);
    else
      one(w, "diag(", 1, n, ")", depth);
    return;
  case 4:
    tg_text_addf(w->out, "inv(5*eye(%d) + ", n);
    one(w, "tanh(", n, n, "))", depth);
    return;
  default:
    break;
  }
  one(w, "diag(diagvec(", n, n, "))", depth);
}

// vec and kron, where the size is a product.
static void stacked(const writer *w, int rows, int cols, int depth)
{
  const int m = rows % 2 == 0 ? 2 : rows % 3 == 0 ? 3 : 1;
  const int n = cols % 3 == 0 ? 3 : cols % 2 == 0 ? 2 : 1;
  const bool other = pick(w, 2) == 0;
  if (cols == 1 && rows > 1 && rows <= 6 && pick(w, 2) == 0)
    one(w, "vec(", other ? m : rows / m, other ? rows / m : m, ")", depth);
  else if (other)
    two(w, "kron(", m, n, ", ", rows / m, cols / n, ")", depth);
  else
    two(w, "kron(", rows / m, cols / n, ", ", m, n, ")", depth);
}

// A run of operators without parentheses, read from left to right: x'*y*A*B*s/t.*C./D.
static void run(const writer *w, int rows, int cols, int depth)
{
  const int j = 1 + pick(w, 3);
  const int k = 1 + pick(w, 3);
  if (pick(w, 3) == 0) put(w, "-");
  if (pick(w, 3) == 0) one(w, "(", 1, 1, ")*", depth);
  if (pick(w, 2) == 0) {
    leaf(w, 1, j);
    put(w, "*");
    leaf(w, j, 1);
    put(w, "*");
  }
  if (pick(w, 2) == 0) {
    leaf(w, rows, j);
    two(w, "*(", j, k, ")*(", k, cols, ")", depth);
  } else {
    one(w, "(", rows, k, ")*", depth);
    leaf(w, k, cols);
  }
  if (pick(w, 3) == 0) one(w, "*(", 1, 1, ")", depth);
  if (pick(w, 4) == 0) {
    put(w, "/");
    positive(w, 1, 1, depth - 1);
  }
  if (pick(w, 4) == 0) {
    put(w, ".*");
    leaf(w, rows, cols);
  }
  if (pick(w, 4) == 0) {
    put(w, "./");
    positive(w, rows, cols, depth - 1);
  }
  if (pick(w, 4) == 0) {
    put(w, pick(w, 2) == 0 ? " + " : " - ");
    leaf(w, rows, cols);
  }
}

static void general(const writer *w, int rows, int cols, int depth)
{
  const int k = 1 + pick(w, 3);
  switch (pick(w, 15)) {
  case 13:
  case 14:
    put(w, "(");
    run(w, rows, cols, depth);
    put(w, ")");
    return;
  case 0:
  case 1:
  case 2:
    two(w, "(", rows, k, ")*(", k, cols, ")", depth);
    return;
  case 3:
    two(w, "(", rows, cols, ")+(", rows, cols, ")", depth);
    return;
  case 4:
    two(w, "(", rows, cols, ")-(", rows, cols, ")", depth);
    return;
  case 5:
    two(w, "(", 1, 1, ")*(", rows, cols, ")", depth);
    return;
  case 6:
    two(w, "(", rows, cols, ").*(", rows, cols, ")", depth);
    return;
  case 7:
    one(w, "(", rows, cols, ")./", depth);
    positive(w, rows, cols, depth - 1);
    return;
  case 8:
    one(w, "(", cols, rows, ")'", depth);
    return;
  case 9:
    one(w, "(", rows, cols, pick(w, 2) == 0 ? ").^2" : ").^3", depth);
    return;
  case 10:
    one(w, "-(", rows, cols, ")/", depth);
    positive(w, 1, 1, depth - 1);
    return;
  case 11:
    put(w, "(");
    positive(w, rows, cols, depth - 1);
    if (pick(w, 2) == 0)
      one(w, ").^(", rows, cols, ")", 1);
    else
      one(w, ").^(", 1, 1, ")", 1);
    return;
  default:
    entrywise(w, rows, cols, depth);
    return;
  }
}

static void any(const writer *w, int rows, int cols, int depth)
{
  const bool small = w->out->length > 700; // the text stays readable
  const int choice = pick(w, 12);
  if (depth <= 0 || small || choice == 0)
    leaf(w, rows, cols);
  else if (rows == 1 && cols == 1 && choice < 9)
    scalar(w, depth);
  else if (rows == cols && rows > 1 && choice < 5)
    square(w, rows, depth);
  else if ((rows == 1 || cols == 1) && cols <= rows && rows > 1 && choice == 5 && rows <= 3)
    one(w, "diagvec(", rows, rows, ")", depth);
  else if (choice >= 10 && rows * cols > 1)
    stacked(w, rows, cols, depth);
  else if (pick(w, 5) == 0)
    tabled(w, rows, cols, depth);
  else if (pick(w, 5) == 0)
    reduced(w, rows, cols, depth);
  else
    general(w, rows, cols, depth);
}

void random_expression(uint64_t *state, int rows, int cols, int depth, const char *focus, tg_text *out)
{
  const writer w = {state, focus, out};
  any(&w, rows, cols, depth);
}

void random_expression_about(uint64_t *state, int rows, int cols, int depth, const char *focus, tg_text *out)
{
  tg_text_clear(out);
  for (int draw = 0; draw < 50 && strstr(tg_text_string(out), focus) == NULL; draw++) {
    tg_text_clear(out);
    random_expression(state, rows, cols, depth, focus, out);
  }
}
