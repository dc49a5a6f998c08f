/* tracegrad: the calculus. Gradients, Jacobians and Hessian actions of matrix expressions, derived symbolically.
 *
 * This header needs neither MPI nor BLAS. tracegrad_solve.h minimises. Link with tracegrad-calculus, or with tracegrad,
 * which contains it; never with both.
 *
 * Return values. Functions of type int return an exit class: 0 success, 1 a failure while running (memory), 2 invalid
 * input. After 1 or 2, tracegrad_error() has the message of the calling thread, and tracegrad_error_get() its parts.
 * Results go out through the last parameter; a pointer there is NULL after a failure.
 *
 * Texts are UTF-8. Numbers in them are written with a point, whatever the locale of the process.
 *
 * Threads. An object may be used by one thread at a time; different objects may be used at the same time. Nothing is
 * kept outside of objects but the failure of each thread. The process is never ended, nothing is printed. A thread
 * needs 1 MiB of stack. */
#ifndef TRACEGRAD_H
#define TRACEGRAD_H

#include <stddef.h>
#include <stdint.h>

#define TRACEGRAD_VERSION_MAJOR 0
#define TRACEGRAD_VERSION_MINOR 1
#define TRACEGRAD_VERSION_PATCH 0

#if defined(__GNUC__)
#define TRACEGRAD_API __attribute__((visibility("default")))
#else
#define TRACEGRAD_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library ---- */

/* The version of the library that is linked: "0.1.0". */
TRACEGRAD_API const char *tracegrad_version(void);

/* Frees a text whose description says so. NULL is fine. */
TRACEGRAD_API void tracegrad_free(void *memory);

/* ---- failures ---- */

/* What was wrong. Numbers stay as they are in later versions; new ones may be added. */
enum tracegrad_code {
  TRACEGRAD_OK = 0,
  TRACEGRAD_USAGE = 1,        /* an argument of a function, or an option, is wrong */
  TRACEGRAD_SYNTAX = 2,       /* a text is not in the grammar */
  TRACEGRAD_NAME = 3,         /* an unknown or misused name */
  TRACEGRAD_SHAPE = 4,        /* sizes do not agree */
  TRACEGRAD_VALUE = 5,        /* a number or option is out of its range */
  TRACEGRAD_LIMIT = 6,        /* a stated limit is exceeded */
  TRACEGRAD_UNSUPPORTED = 7,  /* meaningful, but cannot be done */
  TRACEGRAD_JOB = 8,          /* the structure of a job file */
  TRACEGRAD_DATA = 9,         /* an input file: missing, short, wrong */
  TRACEGRAD_IO = 10,          /* reading or writing failed */
  TRACEGRAD_MEMORY = 11,      /* memory ran out */
  TRACEGRAD_MPI_FAILURE = 12, /* the message passing layer */
  TRACEGRAD_NUMERIC = 13,     /* a factorisation or a value failed */
  TRACEGRAD_INTERNAL = 14     /* a mistake of the library */
};

/* One thing that was wrong. */
typedef struct tracegrad_failure {
  int32_t code;        /* enum tracegrad_code */
  int32_t line;        /* in the text, from 1; 0: the failure has no place */
  int32_t column;      /* from 1, in characters */
  int32_t reserved;    /* 0 */
  const char *label;   /* of the code: "shape" */
  const char *message; /* one sentence or two, without place and caret */
  const char
      *source;   /* the text at fault: "expression", the name of an option such as "dims", a file; NULL: no place */
  size_t begin;  /* offset of the place in that text, in bytes from 0 */
  size_t length; /* of the place, in bytes; 0 at the end of the text */
} tracegrad_failure;

/* The failures of the calling thread's last failed call, ready to be shown: for each "source:line:column: error: ...",
 * the line and a caret below the place. "" before the first failure. The text is valid until the next failure on this
 * thread. */
TRACEGRAD_API const char *tracegrad_error(void);

/* How many things were wrong in the calling thread's last failed call: several mistakes of a text are found at once. */
TRACEGRAD_API int tracegrad_error_count(void);

/* The k-th of them, from 0. bytes: sizeof(tracegrad_failure) as the caller was compiled. Texts are valid until the next
 * failure on this thread. Returns 2, and leaves *out and the failures as they are, where k or bytes is out of range. */
TRACEGRAD_API int tracegrad_error_get(int k, size_t bytes, tracegrad_failure *out);

/* ---- derivations ---- */

/* An expression with what is declared of its names, and its derivatives by some of them. */
typedef struct tracegrad_derivation tracegrad_derivation;

/* Makes an empty derivation, owned by the caller. */
TRACEGRAD_API int tracegrad_derivation_create(tracegrad_derivation **out);

/* Frees it with every text that was read from it, and sets *d to NULL. d or *d may be NULL. */
TRACEGRAD_API void tracegrad_derivation_destroy(tracegrad_derivation **d);

/* Sets an option before tracegrad_derivation_derive. Both texts are copied. The names are those of the command
 * `tracegrad derive`; a list is separated by commas, and an option that takes one may be set several times.
 *
 *   wrt         X,Y'      names to differentiate by; X' by the transpose of X. At least one
 *   dims        A=3x4,x=5,B=mxn   sizes, numbers or names; a single size is a column. Other sizes are inferred
 *   symmetric, spd, psd, diagonal, orthogonal   A,B   properties of square matrices; Q'*Q = eye of an orthogonal one
 *   positive    c,w       names whose entries are positive
 *   within      symmetric | diagonal | skew | lower   the set that G and H stay in
 *   define      R=Y - X*W   a part that the expression and claims use by its name; set once for each part
 *   hessian     true | false      also the Hessian action
 *   max_nodes   100000    LIMIT where the expression and its derivatives have more distinct subexpressions than this
 *   max_bytes   1000000   LIMIT where the expression, or a text that is read, is longer than so many bytes
 *
 * A wrong option is a failure here, and once more in tracegrad_derivation_derive, together with everything else. */
TRACEGRAD_API int tracegrad_derivation_set(tracegrad_derivation *d, const char *option, const char *value);

/* Derives. A scalar expression f gives its gradient G by each name X of wrt, an m x n matrix like X. It satisfies
 * f(X+H) = f(X) + <G,H> + o(|H|), <G,H> = tr(G'H). The entries of X are independent, or inside the set of `within`. A
 * matrix expression F, p x q, gives the Jacobian d vec(F) / d vec(X)', pq x mn, columns stacked. The other names of
 * wrt are held. May be called once for an object. */
TRACEGRAD_API int tracegrad_derivation_derive(tracegrad_derivation *d, const char *expression);

/* The four calls above in one. options: texts "NAME=VALUE", "wrt=X" and "symmetric=A,B" for example, NULL behind the
 * last. *out is owned by the caller. */
TRACEGRAD_API int tracegrad_derive(const char *expression, const char *const *options, tracegrad_derivation **out);

/* ---- what came out ---- */

enum tracegrad_part {
  TRACEGRAD_EVERYTHING = 0, /* what the command prints; k is not used */
  TRACEGRAD_EXPRESSION = 1, /* the expression in normal form; k is not used */
  TRACEGRAD_DERIVATIVE = 2, /* gradient or Jacobian by the k-th name */
  TRACEGRAD_HESSIAN = 3,    /* H[V], the derivative of the gradient along V: the option hessian; scalar expressions */
  TRACEGRAD_STEPS = 4,      /* the derivation by the k-th name, a line for each step with its rule */
  TRACEGRAD_STRUCTURE = 5,  /* degree, homogeneity, Hessian as an operator, convexity; scalar expressions */
  TRACEGRAD_NOTES = 6,      /* what was read otherwise than its letters suggest; a line for each; k is not used */
  TRACEGRAD_FUNCTION = 7    /* a program: value, gradient and, with the option hessian, H[V] of a scalar expression by
                             * all names together, with the fewest products; k is not used. In the formats NUMPY, OCTAVE
                             * and those behind JSON */
};

enum tracegrad_format {
  TRACEGRAD_HUMAN = 0,  /* with Unicode signs */
  TRACEGRAD_ASCII = 1,  /* the same without them */
  TRACEGRAD_EXPR = 2,   /* the input language: can be read again */
  TRACEGRAD_LATEX = 3,  /* of amsmath, without $; steps as align* */
  TRACEGRAD_NUMPY = 4,  /* Python, with numpy as np and scipy.linalg or scipy.special where needed */
  TRACEGRAD_OCTAVE = 5, /* Octave and MATLAB */
  TRACEGRAD_JSON = 6,   /* steps and structure of scalar expressions only */
  TRACEGRAD_JULIA = 7,  /* this and the following: TRACEGRAD_FUNCTION only */
  TRACEGRAD_MATLAB = 8,
  TRACEGRAD_PYTORCH = 9,
  TRACEGRAD_JAX = 10,
  TRACEGRAD_C = 11,
  TRACEGRAD_FORTRAN = 12
};

/* A part as text. The text belongs to the derivation and is valid until it is destroyed; the same part read again is
 * the same text. It has no end of line behind it, unless it has several lines. What a long result shares has names of
 * its own: "... where T1 = ..." in EXPR, which can be read again, lines before the last one in NUMPY and OCTAVE. LIMIT:
 * the text would be longer than `max_bytes`, or than 4,000,000 bytes. */
TRACEGRAD_API int tracegrad_derivation_text(tracegrad_derivation *d, int part, int k, int format, const char **out);

/* 1 where the expression is scalar, 0 where it is a matrix or nothing was derived. */
TRACEGRAD_API int tracegrad_derivation_is_scalar(const tracegrad_derivation *d);

/* How many names there are in wrt; 0 before anything was derived. */
TRACEGRAD_API int tracegrad_derivation_count(const tracegrad_derivation *d);

/* The k-th name of wrt as it was given, "X" or "X'"; NULL where k is out of range. Valid like the derivation. */
TRACEGRAD_API const char *tracegrad_derivation_wrt(const tracegrad_derivation *d, int k);

/* The name of V in the Hessian action by the k-th name; NULL without the option hessian. Valid like the derivation. */
TRACEGRAD_API const char *tracegrad_derivation_direction(const tracegrad_derivation *d, int k);

/* A size: its number, or -1 and an expression of names. */
typedef struct tracegrad_size {
  int64_t number;
  const char *text; /* "3", "n", "m*p" */
} tracegrad_size;

enum tracegrad_property {
  TRACEGRAD_SYMMETRIC = 1,
  TRACEGRAD_SPD = 2, /* and symmetric */
  TRACEGRAD_PSD = 4, /* and symmetric */
  TRACEGRAD_DIAGONAL = 8,
  TRACEGRAD_ORTHOGONAL = 16,
  TRACEGRAD_POSITIVE = 32
};

/* A name of the expression, or the V of a Hessian action. */
typedef struct tracegrad_symbol {
  const char *name;
  tracegrad_size rows;
  tracegrad_size columns;
  uint32_t properties; /* enum tracegrad_property, combined */
  int32_t wrt;         /* its place in wrt; -1 where it is not among them */
} tracegrad_symbol;

/* Number of symbols; 0 before anything was derived. */
TRACEGRAD_API int tracegrad_derivation_symbol_count(const tracegrad_derivation *d);

/* The k-th symbol. bytes: sizeof(tracegrad_symbol) as the caller was compiled. Texts are valid like the derivation. */
TRACEGRAD_API int tracegrad_derivation_symbol(tracegrad_derivation *d, int k, size_t bytes, tracegrad_symbol *out);

/* Rows and columns of TRACEGRAD_EXPRESSION, TRACEGRAD_DERIVATIVE or TRACEGRAD_HESSIAN. Texts are valid like the
 * derivation. */
TRACEGRAD_API int tracegrad_derivation_shape(tracegrad_derivation *d, int part, int k, tracegrad_size *rows,
                                             tracegrad_size *columns);

/* ---- claims ---- */

enum tracegrad_verdict { TRACEGRAD_EQUAL = 0, TRACEGRAD_DIFFERENT = 1, TRACEGRAD_UNDECIDED = 3 };

/* Compares a derivative of your own by the k-th name, in the input language, with the derived one: by its normal form,
 * then at some hundred random points. *verdict is an enum tracegrad_verdict. *text (may be NULL) are lines that say
 * why, with a counterexample where it is different; valid like the derivation. */
TRACEGRAD_API int tracegrad_derivation_claim(tracegrad_derivation *d, int k, const char *claim, int *verdict,
                                             const char **text);

#ifdef __cplusplus
}
#endif

#endif
