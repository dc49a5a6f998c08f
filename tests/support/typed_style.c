// The generator draws the same choices for every style, and writes each construct as the style has it.
#include "support/typed_style.h"

#include <string.h>

#include "support/text_eval.h"

// How tightly what is written must hold together.
enum { LEVEL_SUM, LEVEL_PRODUCT, LEVEL_ATOM };

typedef struct writer {
  uint64_t state;
  typed_style style;
  tg_text *out;
} writer;

// '@' is the argument.
typedef const char *const template[STYLES];

static void scalar(writer *w, int depth, int level);
static void column(writer *w, int size, int depth, int level);
static void matrix(writer *w, int rows, int cols, int depth, int level);

static int pick(writer *w, int n)
{
  return (int)(text_random(&w->state) % (uint64_t)n);
}

static void put(writer *w, const char *text)
{
  tg_text_add(w->out, text);
}

static void open_at(writer *w, bool wanted)
{
  if (wanted) put(w, w->style == STYLE_LATEX ? "\\left(" : "(");
}

static void close_at(writer *w, bool wanted)
{
  if (wanted) put(w, w->style == STYLE_LATEX ? "\\right)" : ")");
}

// The text before '@', or behind it.
static void around(writer *w, template t, bool before)
{
  const char *text = t[w->style];
  const char *at = strchr(text, '@');
  tg_text_add_bytes(w->out, before ? text : at + 1, before ? (size_t)(at - text) : strlen(at + 1));
}

static void call_matrix(writer *w, template t, int rows, int cols, int depth)
{
  around(w, t, true);
  if (cols < 0)
    column(w, rows, depth, LEVEL_SUM);
  else
    matrix(w, rows, cols, depth, LEVEL_SUM);
  around(w, t, false);
}

// ---- signs ----

static const char *const times[STYLES] = {"*", "*", " @ ", " %*% ", " ", " "};
static const char *const scales[STYLES] = {"*", "*", " * ", " * ", " ", " "};
static const char *const entrywise[STYLES] = {".*", ".*", " * ", " * ", " \\odot ", " ⊙ "};
static const char *const plus[STYLES] = {" + ", "+", " + ", " + ", " + ", " + "};
static const char *const minus[STYLES] = {" - ", "-", " - ", " - ", " - ", " − "};

static template transposed = {"@'", "@'", "@.T", "t(@)", "@^\\top", "@ᵀ"};
static template inverted = {"inv(@)", "inv(@)", "np.linalg.inv(@)", "solve(@)", "\\left(@\\right)^{-1}", "(@)⁻¹"};
static template traced = {"tr(@)", "trace(@)", "np.trace(@)", "sum(diag(@))", "\\operatorname{tr}\\left(@\\right)",
                          "tr(@)"};
static template summed = {"sum(@)", "sum(sum(@))", "np.sum(@)", "sum(@)", "\\operatorname{sum}\\left(@\\right)",
                          "sum(@)"};
static template logdets = {
    "logdet(@)", "log(det(@))", "np.linalg.slogdet(@)[1]", "log(det(@))", "\\log\\det\\left(@\\right)", "log det(@)"};
static template frobenius = {"sumsq(@)",         "norm(@,'fro')^2",          "np.linalg.norm(@, 'fro')**2",
                             "norm(@, \"F\")^2", "\\left\\|@\\right\\|_F^2", "‖@‖_F²"};
static template euclidean = {"sumsq(@)", "norm(@)^2", "np.linalg.norm(@)**2", "sum((@)^2)", "\\|@\\|_2^2", "‖@‖²"};
static template absolute = {"norm1(@)",    "norm(@,1)",          "np.linalg.norm(@, 1)",
                            "sum(abs(@))", "\\lVert @\\rVert_1", "‖@‖₁"};
static template maps[] = {
    {"exp(@)", "exp(@)", "np.exp(@)", "exp(@)", "\\exp\\left(@\\right)", "exp(@)"},
    {"tanh(@)", "tanh(@)", "np.tanh(@)", "tanh(@)", "\\tanh(@)", "tanh(@)"},
    {"relu(@)", "max(@,0)", "np.maximum(@, 0)", "pmax(@, 0)", "\\operatorname{relu}\\left(@\\right)", "max(0, @)"},
    {"sigmoid(@)", "1./(1+exp(-(@)))", "(1 / (1 + np.exp(-(@))))", "(1/(1 + exp(-(@))))", "\\operatorname{sigmoid}(@)",
     "sigmoid(@)"},
    {"(@).^2", "(@).^2", "np.square(@)", "(@)^2", "\\left(@\\right)^{\\circ 2}", "(@).^2"},
};
static const char *const greek[][STYLES] = {
    {"alpha", "alpha", "alpha", "alpha", "\\alpha", "α"},
    {"mu", "mu", "mu", "mu", "\\mu", "μ"},
    {"gamma", "gamma", "gamma", "gamma", "\\gamma", "γ"},
};
static const char *const halves[STYLES] = {"0.5", "0.5", "0.5", "0.5", "\\frac{1}{2}", "½"};

// ---- expressions by shape ----

static const char *const matrices[3][3] = {{"S", "A", "D"}, {"B", "L", "X"}, {"E", "Y", "W"}};
static const char *const columns[3][2] = {{"y", "v"}, {"x", "u"}, {"z", "w"}};

static void column(writer *w, int size, int depth, int level)
{
  const int choice = depth > 0 ? pick(w, 6) : 0;
  const int other = pick(w, 3);
  const bool is_map = choice == 4;
  const bool parentheses = (choice == 1 && level > LEVEL_PRODUCT) || (choice == 3 && level > LEVEL_PRODUCT) ||
                           (choice == 2 && level > LEVEL_SUM) || (choice == 5 && level > LEVEL_SUM);
  open_at(w, parentheses);
  if (choice == 0) {
    put(w, columns[size][pick(w, 2)]);
  } else if (choice == 1) {
    matrix(w, size, other, depth - 1, LEVEL_ATOM);
    put(w, times[w->style]);
    column(w, other, 0, LEVEL_ATOM);
  } else if (choice == 2) {
    column(w, size, depth - 1, LEVEL_PRODUCT);
    put(w, pick(w, 2) == 0 ? plus[w->style] : minus[w->style]);
    column(w, size, 0, LEVEL_PRODUCT);
  } else if (choice == 3) {
    put(w, greek[pick(w, 3)][w->style]);
    put(w, scales[w->style]);
    column(w, size, depth - 1, LEVEL_ATOM);
  } else if (is_map) {
    open_at(w, true);
    call_matrix(w, maps[pick(w, 4)], size, -1, depth - 1);
    close_at(w, true);
  } else {
    column(w, size, depth - 1, LEVEL_ATOM);
    put(w, entrywise[w->style]);
    column(w, size, 0, LEVEL_ATOM);
  }
  close_at(w, parentheses);
}

static void transposed_name(writer *w, int rows, int cols)
{
  around(w, transposed, true);
  put(w, matrices[cols][rows]);
  around(w, transposed, false);
}

static void identity_shift(writer *w, int size, int depth)
{
  matrix(w, size, size, depth, LEVEL_PRODUCT);
  put(w, plus[w->style]);
  put(w, greek[pick(w, 3)][w->style]);
  put(w, scales[w->style]);
  put(w, w->style == STYLE_OWN ? "eye" : "I");
}

static void matrix(writer *w, int rows, int cols, int depth, int level)
{
  const int choice = depth > 0 ? pick(w, 7) : 0;
  const int other = pick(w, 3);
  const bool parentheses = (choice == 1 && level > LEVEL_PRODUCT) || (choice == 2 && level > LEVEL_SUM) ||
                           (choice == 4 && level > LEVEL_SUM) || (choice == 6 && level > LEVEL_PRODUCT);
  open_at(w, parentheses);
  if (choice == 1) {
    matrix(w, rows, other, depth - 1, LEVEL_ATOM);
    put(w, times[w->style]);
    matrix(w, other, cols, depth - 1, LEVEL_ATOM);
  } else if (choice == 2) {
    matrix(w, rows, cols, depth - 1, LEVEL_PRODUCT);
    put(w, pick(w, 2) == 0 ? plus[w->style] : minus[w->style]);
    transposed_name(w, rows, cols); // never the same name again: X - X has no shape
  } else if (choice == 3) {
    transposed_name(w, rows, cols);
  } else if (choice == 4) {
    matrix(w, rows, cols, depth - 1, LEVEL_ATOM);
    put(w, entrywise[w->style]);
    matrix(w, rows, cols, 0, LEVEL_ATOM);
  } else if (choice == 5 && rows == cols) {
    around(w, inverted, true);
    identity_shift(w, rows, depth - 1);
    around(w, inverted, false);
  } else if (choice == 6) {
    put(w, greek[pick(w, 3)][w->style]);
    put(w, scales[w->style]);
    matrix(w, rows, cols, depth - 1, LEVEL_ATOM);
  } else {
    put(w, matrices[rows][cols]);
  }
  close_at(w, parentheses);
}

// x'*A*y
static void form(writer *w, int depth)
{
  const int rows = pick(w, 3);
  const int cols = pick(w, 3);
  around(w, transposed, true);
  put(w, columns[rows][pick(w, 2)]);
  around(w, transposed, false);
  put(w, times[w->style]);
  matrix(w, rows, cols, depth, LEVEL_ATOM);
  put(w, times[w->style]);
  put(w, columns[cols][pick(w, 2)]);
}

// One of the terms that objectives are made of; all are products or tighter.
static void term(writer *w, int depth)
{
  const int a = pick(w, 3);
  const int b = pick(w, 3);
  switch (pick(w, 8)) {
  case 0:
    call_matrix(w, traced, a, a, depth);
    break;
  case 1:
    call_matrix(w, frobenius, a, b, depth);
    break;
  case 2:
    call_matrix(w, euclidean, a, -1, depth);
    break;
  case 3:
    call_matrix(w, absolute, a, -1, depth);
    break;
  case 4:
    around(w, logdets, true);
    identity_shift(w, a, depth);
    around(w, logdets, false);
    break;
  case 5:
    around(w, summed, true);
    call_matrix(w, maps[pick(w, 5)], a, b, depth);
    around(w, summed, false);
    break;
  case 6:
    around(w, summed, true);
    call_matrix(w, maps[pick(w, 5)], a, -1, depth);
    around(w, summed, false);
    break;
  default:
    form(w, depth);
    break;
  }
}

static void scaled_term(writer *w, int depth)
{
  const int choice = pick(w, 5);
  if (choice == 1) {
    put(w, greek[pick(w, 3)][w->style]);
    put(w, scales[w->style]);
  } else if (choice == 2) {
    put(w, halves[w->style]);
    put(w, scales[w->style]);
  }
  if (choice == 3 && w->style == STYLE_LATEX) {
    put(w, "\\frac{");
    term(w, depth);
    put(w, "}{N}");
    return;
  }
  term(w, depth);
  if (choice == 3) put(w, "/N");
}

static void scalar(writer *w, int depth, int level)
{
  const int n = 1 + pick(w, 3);
  (void)level;
  for (int i = 0; i < n; i++) {
    if (i > 0) put(w, pick(w, 3) == 0 ? minus[w->style] : plus[w->style]);
    scaled_term(w, depth);
  }
}

void typed_objective(uint64_t seed, typed_style style, tg_text *out)
{
  writer w = {.state = seed, .style = style, .out = out};
  scalar(&w, 1 + (int)(seed % 3), LEVEL_SUM);
}
