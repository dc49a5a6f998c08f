// What the files of the printer share: the printer itself and the leaves.
#ifndef TG_GRAD_PRINT_PARTS_H
#define TG_GRAD_PRINT_PARTS_H

#include "grad/calculus.h"

typedef struct tg_printer {
  tg_graph *g;
  tg_format format;
  tg_text *out;
  size_t longest;     // of out: nothing is begun beyond it
  bool is_cut;        // something was not
  bool has_entrywise; // NumPy's '*' or '/' between matrices
  bool spell;         // the first of them is still to be spelled np.multiply
} tg_printer;

enum { FORMATS = 5 };

// A keyword of NumPy's or Octave's language, or a function that printed text calls.
bool tg_print_is_keyword(const char *name, size_t length);
void tg_print_add(tg_printer *p, const char *text);
void tg_print_name(tg_printer *p, const char *name); // x_opt is x_{opt} in LaTeX, lambda is \lambda
void tg_print_number(tg_printer *p, double value);
void tg_print_superscript(tg_printer *p, int64_t value); // in Unicode
void tg_print_size(tg_printer *p, tg_dim dim);
void tg_print_two_sizes(tg_printer *p, const char *before, tg_dim a, const char *between, tg_dim b, const char *after);
void tg_print_constant(tg_printer *p, const tg_info *info); // eye, ones, zeros
void tg_print_comm(tg_printer *p, const tg_info *info);

#endif
