// What the files of the printer share: the printer itself and the leaves.
#ifndef TG_GRAD_PRINT_PARTS_H
#define TG_GRAD_PRINT_PARTS_H

#include "grad/calculus.h"

typedef struct tg_printer {
  tg_graph *g;
  tg_format format;
  tg_text *out;
  size_t longest;       // of out: nothing is begun beyond it
  bool is_cut;          // something was not
  bool has_entrywise;   // NumPy's '*' or '/' between matrices
  int32_t turned;       // of the product that is printed next: the factor that takes its sign; -1: none
  const int32_t *parts; // NULL, or by node the number of a part that is printed by a name; n_parts of them
  tg_node n_parts;
  int32_t *uses;      // with parts: counts how often each is printed by its name
  const char *prefix; // of those names
  tg_node defined;    // the part that is written out all the same
  bool spell;         // the first of them is still to be spelled np.multiply
} tg_printer;

enum { FORMATS = TG_FORMAT_COUNT };

// How tightly a printed expression holds together.
typedef enum precedence { PREC_SUM, PREC_TERM, PREC_UNARY, PREC_POWER, PREC_ATOM } precedence;

// Operators by format: matrix product, product with a scalar.
extern const char *const tg_times_ops[FORMATS];

// A node, in parentheses where it holds together less tightly than `least`.
void tg_print_node(tg_printer *p, tg_node node, precedence least, tg_status *status);
// '@' in the template stands for the argument, printed as a whole expression.
void tg_print_template(tg_printer *p, const char *template, tg_node arg, tg_status *status);

// print.c: triu(inside), tril(inside).
void tg_print_triangle(tg_printer *p, tg_kind kind, tg_node inside, tg_status *status);

// print_shared.c: whether a node is printed by the name of a part; that name.
bool tg_print_is_part(const tg_printer *p, tg_node node);
void tg_print_part(tg_printer *p, tg_node node);
// print.c: "np." behind no letter of a name, or " @ ".
bool tg_print_shows_numpy(const char *text);

// print_product.c: sums, products and quotients; coef > 0 stands before what is printed.
void tg_print_lin(tg_printer *p, const tg_info *info, tg_status *status);
void tg_print_prod(tg_printer *p, double coef, tg_node node, tg_status *status);
void tg_print_had(tg_printer *p, double coef, const tg_info *info, tg_status *status);
// base^-k as a divisor behind the operator op.
void tg_print_divisor(tg_printer *p, tg_node node, const char *op, tg_status *status);
extern const char *const tg_quotient_ops[FORMATS];

// print_power.c: powers, transposes, inverses; the squared norms that traces and 1 x 1 chains are.
bool tg_print_is_reciprocal(const tg_graph *g, tg_node node, double *exponent);
bool tg_print_is_sqrt(const tg_graph *g, const tg_info *info);
bool tg_print_is_one_power(const tg_info *info); // a product that is written as one power
void tg_print_pow(tg_printer *p, double coef, tg_node node, tg_status *status);
void tg_print_mpow(tg_printer *p, tg_node base, int64_t exponent, tg_status *status);
void tg_print_mpower(tg_printer *p, const tg_info *info, tg_status *status);
void tg_print_trans(tg_printer *p, const tg_info *info, tg_status *status);
void tg_print_inv(tg_printer *p, const tg_info *info, tg_status *status);
bool tg_print_is_squared_norm(const tg_printer *p, tg_node chain); // a 1 x 1 chain u'u that is shown as one
// Prints a trace or a 1 x 1 chain as a squared norm; false: it is none, and nothing was printed.
bool tg_print_squared_norm(tg_printer *p, tg_node node, tg_status *status);

// print_index.c: rows of an identity, eye(n)(i:j,:), or their transpose; P X Q' from factor i of a chain on as
// X(i:j,k:l), the number of factors it is, 0: it is none and nothing was printed. Rows and columns of
// a whole product, (...)(i:j,k:l); false: it has none.
void tg_print_pick(tg_printer *p, const tg_info *pick, bool transposed, tg_status *status);
int32_t tg_print_submatrix(tg_printer *p, const tg_info *chain, int32_t i, tg_status *status);
bool tg_print_rest(tg_printer *p, const tg_info *chain, tg_status *status);

// print_blocks.c: a sum or product whose terms are put among zeros, as [A, B; C, D]; false: it is none, and nothing was
// printed.
bool tg_print_blocks(tg_printer *p, tg_node node, tg_status *status);
bool tg_print_is_blocks(const tg_printer *p, tg_node node); // a sum that is printed so

// print_kron.c
void tg_print_kron(tg_printer *p, const tg_info *info, tg_status *status);
void tg_print_unvec(tg_printer *p, const tg_info *info, tg_status *status);
// An adjoint of kron by its definition, which the language can write.
tg_status tg_print_spell_adjoint(tg_graph *g, const tg_info *info, tg_node *out);

// A keyword of NumPy's or Octave's language, or a function that printed text calls.
bool tg_print_is_keyword(const char *name, size_t length);
void tg_print_add(tg_printer *p, const char *text);
void tg_print_name(tg_printer *p, const char *name); // x_opt is x_{opt} in LaTeX, lambda is \lambda
void tg_print_number(tg_printer *p, double value);
bool tg_print_has_power_of_ten(const tg_printer *p, double value); // printed as 3 \cdot 10^{-7}
void tg_print_superscript(tg_printer *p, int64_t value);           // in Unicode
void tg_print_size(tg_printer *p, tg_dim dim);
void tg_print_two_sizes(tg_printer *p, const char *before, tg_dim a, const char *between, tg_dim b, const char *after);
void tg_print_constant(tg_printer *p, const tg_info *info); // eye, ones, zeros
void tg_print_comm(tg_printer *p, const tg_info *info);

#endif
