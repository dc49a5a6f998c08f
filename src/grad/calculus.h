// Text to gradient: the interface of the grad layer for the command line, the job and the planner.
#ifndef TG_GRAD_CALCULUS_H
#define TG_GRAD_CALCULUS_H

#include "base/errors.h"
#include "base/source.h"
#include "grad/graph/graph.h"

// A declared name. rows/cols: a number >= 1, or 0 with the size's name in rows_name/cols_name, or 0 and NULL
// when the size is to be inferred.
typedef struct tg_declaration {
  const char *name;
  int64_t rows;
  int64_t cols;
  const char *rows_name;
  const char *cols_name;
  unsigned properties;
  bool is_free;    // a variable: differentiated by
  bool has_number; // of a scalar: what it is, where the exponent of a matrix needs it
  double number;
} tg_declaration;

// A part of an expression with a name of its own: R of sumsq(R), defined as Y - X*W.
typedef struct tg_part {
  const char *name;
  tg_excerpt value; // without a source, errors name the part
} tg_part;

typedef struct tg_compile_options {
  int32_t n_declarations;
  const tg_declaration *declarations;
  bool infer_undeclared; // names without a declaration get symbolic sizes (derive); else they are TG_NAME errors
  tg_node like; // or TG_NONE: a node of the graph; sizes that are open are such that the shapes agree, if they can
  bool require_scalar; // the expression must be 1 x 1 (an objective)
  // Or NULL: every failure that does not follow from another is kept here, places into the text. The first of them is
  // recorded and returned as well.
  tg_errors *errors;
  tg_text *notices; // or NULL: lines on what was read otherwise than its letters suggest
  int32_t n_parts;  // that the expression may use
  const tg_part *parts;
  bool *parts_used; // or NULL: set to true for those that it does use
} tg_compile_options;

// Parses, checks shapes and builds the node of an expression. Errors carry a span into text[0..length).
// Declared names become symbols of the graph; a name already a symbol of the graph keeps its shape.
tg_status tg_compile(tg_graph *graph, const char *text, size_t length, const tg_compile_options *options, tg_node *out);

// Gradients of the scalar f: out[k] has the shape of wrt[k]. Reverse accumulation.
tg_status tg_gradient(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_node *out);
// Directional derivative of any node: d/dt node(wrt[k] + t * along[k]) at t = 0. Forward accumulation.
tg_status tg_forward(tg_graph *graph, tg_node node, int32_t n, const int32_t *wrt, const tg_node *along, tg_node *out);
// d vec(F) / d vec(X)', column-major.
tg_status tg_jacobian(tg_graph *graph, tg_node f, int32_t wrt, tg_node *out);
// Common left and right factors taken out of sums: A*B + A*B' to A*(B + B').
tg_status tg_factor_common(tg_graph *graph, tg_node node, tg_node *out);
// Degree of the node as a polynomial jointly in the given symbols; -1 when it is not one.
tg_status tg_degree_find(const tg_graph *graph, tg_node node, int32_t n, const int32_t *symbols, int *out);
// The same; -1 also where memory runs out: for what is only worth less without the degree.
int tg_degree(const tg_graph *graph, tg_node node, int32_t n, const int32_t *symbols);
// Coefficients of t -> f(X + tD): out[0..degree], out[0] = f; directions are symbols' nodes. Polynomial f only.
tg_status tg_line_polynomial(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_node *directions,
                             int degree, tg_node *out);

enum { TG_PRINT_BYTES_MAX = 4000000 };
// Prints a node; TG_FORMAT_EXPR parses back to the same node. TG_LIMIT: a graph of few nodes that share much, such as
// the derivative of a tower of powers, is longer than TG_PRINT_BYTES_MAX when written out.
tg_status tg_print(tg_graph *graph, tg_node node, tg_format format, tg_text *out);
// A node as a factor beside others: in parentheses unless it holds together beside `*`. At most some more bytes than
// `bytes` are printed.
tg_status tg_print_factor(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out);

typedef struct tg_printed_part {
  const char *name;
  const char *text;
  tg_node node;
} tg_printed_part;

// A result and the parts that it uses, each behind those that use it.
typedef struct tg_printed {
  tg_arena arena;
  const char *text;
  int32_t n_parts;
  tg_printed_part *parts;
} tg_printed;

// A result longer than `bytes` with the parts that it shares named T1, T2, ..., where that makes it shorter.
tg_status tg_print_shared(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_printed *out);
void tg_printed_fini(tg_printed *printed);
// The same as one text in the notation of the format, which tg_compile reads: "... where T1 = ..., T2 = ...", an
// aligned environment in LaTeX, assignments before the result in NumPy and Octave.
tg_status tg_print_with_parts(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out);
// The beginning of it, at least so many bytes where there are as many: for a label.
tg_status tg_print_start(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out);

// Value of a node on small matrices, plain loops: an oracle for claims, samples and tests, never for real sizes.
// values[s] is the column-major content of symbol s; all sizes must be numbers. *out has rows*cols entries, tg_free it.
tg_status tg_sample(tg_graph *graph, tg_node node, const double *const *values, double **out);

typedef struct tg_named_size {
  const char *name;
  int64_t number;
} tg_named_size;

typedef struct tg_sampling {
  int32_t n_sizes; // numbers for sizes with names
  const tg_named_size *sizes;
  // Or NULL: the state of a generator. Every operand of every operator, and its result, is then changed by some units
  // in the last place: the spread of a few such samples is what rounding does to a value (stochastic arithmetic).
  uint64_t *noise;
} tg_sampling;
tg_status tg_sample_as(tg_graph *graph, tg_node node, const double *const *values, const tg_sampling *how,
                       double **out);
// Sizes and positions of the nodes that are marked up to `top` can be negative, as n-p, or beyond the size they lie in:
// the numbers of the names change places, and grow, until none is. TG_SHAPE where no such numbers are found.
tg_status tg_sample_find_sizes(const tg_graph *graph, tg_node top, const uint8_t *below, int32_t n,
                               tg_named_size *sizes);
// The number of a size; -1 when one of its names has none, or it is no size.
int64_t tg_sample_size(const tg_graph *graph, const tg_sampling *how, tg_dim dim);

#endif
