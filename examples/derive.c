/* Derives an expression and shows what came out. Needs neither MPI nor BLAS.
 *
 *     cc derive.c -o derive $(pkg-config --cflags --libs tracegrad-calculus)
 *     ./derive "tr(A*X*B*X')" X symmetric=A,B hessian=true
 *
 * or by CMake: see CMakeLists.txt beside this file. */
#include <stdio.h>
#include <stdlib.h>
#include <tracegrad.h>

enum { OPTIONS_MAX = 30 };

static void show(tracegrad_derivation *d, const char *title, int part, int k)
{
  const char *text = NULL;
  if (tracegrad_derivation_text(d, part, k, TRACEGRAD_EXPR, &text) == 0) printf("%s%s\n", title, text);
}

static void show_symbols(tracegrad_derivation *d)
{
  for (int k = 0; k < tracegrad_derivation_symbol_count(d); k++) {
    tracegrad_symbol symbol;
    if (tracegrad_derivation_symbol(d, k, sizeof symbol, &symbol) == 0)
      printf("%s is %s x %s\n", symbol.name, symbol.rows.text, symbol.columns.text);
  }
}

/* Every mistake of the texts is found at once, each with its place. */
static void show_failures(void)
{
  fprintf(stderr, "%s\n", tracegrad_error());
  for (int k = 0; k < tracegrad_error_count(); k++) {
    tracegrad_failure failure;
    if (tracegrad_error_get(k, sizeof failure, &failure) == 0 && failure.source != NULL)
      fprintf(stderr, "%s: %zu bytes from %zu of the %s\n", failure.label, failure.length, failure.begin,
              failure.source);
  }
}

int main(int argc, char **argv)
{
  if (argc < 3 || argc > OPTIONS_MAX) {
    fprintf(stderr, "usage: derive EXPRESSION NAME [OPTION=VALUE]...\n");
    return 2;
  }
  char wrt[256];
  const char *options[OPTIONS_MAX] = {wrt}; /* NULL behind the last */
  snprintf(wrt, sizeof wrt, "wrt=%s", argv[2]);
  for (int k = 3; k < argc; k++) options[k - 2] = argv[k];

  tracegrad_derivation *d = NULL;
  const int exit_class = tracegrad_derive(argv[1], options, &d);
  if (exit_class != 0) {
    show_failures();
    return exit_class;
  }
  show_symbols(d);
  for (int k = 0; k < tracegrad_derivation_count(d); k++) {
    printf("by %s:\n", tracegrad_derivation_wrt(d, k));
    show(d, tracegrad_derivation_is_scalar(d) ? "gradient " : "Jacobian ", TRACEGRAD_DERIVATIVE, k);
    if (tracegrad_derivation_direction(d, k) != NULL) show(d, "Hessian action ", TRACEGRAD_HESSIAN, k);
  }
  tracegrad_derivation_destroy(&d);
  return 0;
}
