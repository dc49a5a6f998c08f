// What the files of the export share: the two plans of an objective, its names in a language, templates.
#ifndef TG_DERIVE_EXPORT_PARTS_H
#define TG_DERIVE_EXPORT_PARTS_H

#include "derive/export/export.h"
#include "grad/plan/plan.h"

// ---- operations ----

// The operations of a plan, one row for each text that a language may need.
#define TG_EXPORT_OP_LIST(X)                                                     \
  X(GEMM)             /* $o = $s op($0) op($1) */                                \
  X(GEMM_ADD)         /* $o = $o + $s op($0) op($1) */                           \
  X(LINCOMB)          /* $o = $e */                                              \
  X(TRANSPOSE)        /* $o = $s $0' */                                          \
  X(ENTRYWISE)        /* $o = $e */                                              \
  X(EWSUM)            /* $o = sum of $e over $m x $n */                          \
  X(DOT)              /* $o = <$0, $1> */                                        \
  X(TRACE)            /* $o = tr $0 */                                           \
  X(FETCH)            /* $o = $0(0,0) */                                         \
  X(STORE)            /* $o = [$a] */                                            \
  X(SCALAR)           /* $o = $e */                                              \
  X(FILL)             /* $o = $a ones($r, $c) */                                 \
  X(EYE)              /* $o = $a eye($r) */                                      \
  X(UPPER)            /* $o = ones on and above the diagonal */                  \
  X(LOWER)            /* $o = ones on and below the diagonal */                  \
  X(LOGSUMEXP)        /* $o = log sum exp of all entries */                      \
  X(LOGSUMEXP_ROWS)   /* of each row */                                          \
  X(LOGSUMEXP_COLS)   /* of each column */                                       \
  X(PICK)             /* $o(k, k + $i) = 1 */                                    \
  X(SLICE)            /* $o(k, l) = $0(k + $i, l + $j), 0 outside */             \
  X(COMM)             /* $o = K($i, $j) */                                       \
  X(CHOLESKY)         /* factor $f of $0, n = $h */                              \
  X(LU)               /* likewise */                                             \
  X(EIGEN)            /* likewise */                                             \
  X(SVD)              /* factor $f of $0, $h x $w */                             \
  X(EIGENVECTORS)     /* $o = of the factor $f */                                \
  X(LEFT_VECTORS)     /* $o = U of the factor $f */                              \
  X(RIGHT_VECTORS)    /* $o = V' of the factor $f */                             \
  X(EIGENVALUES)      /* $o = of the factor $f, a column */                      \
  X(EIGENVALUES_PSD)  /* the same, not below zero */                             \
  X(EIGENVALUES_SPD)  /* the same, above zero */                                 \
  X(SINGULAR_VALUES)  /* $o = of the factor $f, a column */                      \
  X(CHOLESKY_SOLVE)   /* $o = F^-1 $0 */                                         \
  X(CHOLESKY_RIGHT)   /* $o = $0 F^-1 */                                         \
  X(CHOLESKY_INVERSE) /* $o = F^-1 */                                            \
  X(CHOLESKY_LOGDET)  /* $o = log det F */                                       \
  X(CHOLESKY_DET)     /* $o = det F */                                           \
  X(LU_SOLVE)         /* $o = F^-1 $0 */                                         \
  X(LU_SOLVE_TRANS)   /* $o = F'^-1 $0 */                                        \
  X(LU_RIGHT)         /* $o = $0 F^-1 */                                         \
  X(LU_RIGHT_TRANS)   /* $o = $0 F'^-1 */                                        \
  X(LU_INVERSE)       /* $o = F^-1 */                                            \
  X(LU_INVERSE_TRANS) /* $o = F'^-1 */                                           \
  X(LU_DET)           /* $o = det F */                                           \
  X(DIAG)             /* $o = diagonal matrix of the vector $0 */                \
  X(DIAGVEC)          /* $o = diagonal of $0, a column */                        \
  X(RESHAPE)          /* $o = the entries of $0, column by column, as $r x $c */ \
  X(KRON)             /* $o = kron($0, $1) */                                    \
  X(KRON_LEFT)        /* $o(i, j) = <block (i, j) of $0, $1> */                  \
  X(KRON_RIGHT)       /* $o = sum of $1(i, j) block (i, j) of $0 */

typedef enum tg_export_op {
#define TG_EXPORT_OP_ENUM(name) TG_EXPORT_##name,
  TG_EXPORT_OP_LIST(TG_EXPORT_OP_ENUM)
#undef TG_EXPORT_OP_ENUM
      TG_EXPORT_OP_COUNT
} tg_export_op;

// Templates are texts with these marks:
//   $o           what is assigned
//   $0 $1        operands; $A $B the same, transposed where the plan says so; $T $U the word for "transposed" or not
//   $s $( $)     the factor in front, "2*" or "" for 1, and parentheses where there is one; $a the factor as a number
//   $e           an expression of entries or of numbers
//   $r $c        rows and columns of the result; $m $n of operand 0, $p $q of operand 1; $k the inner size of a product
//   $i $j        sizes of the operation; $f the number of a factor, $h x $w its matrix
//   $x           the first variable

// ---- languages ----

enum { TG_EXPORT_WORDS_MAX = 96, TG_EXPORT_HELPERS_MAX = 64 };

// A function that texts may call: it is printed, before them, where its name stands in one.
typedef struct tg_export_helper {
  const char *name;
  const char *text;
} tg_export_helper;

// An entry function that the default of the language does not say.
typedef struct tg_export_entry {
  const char *name; // in the input language
  const char *text; // '@' the argument
} tg_export_entry;

struct tg_export;

typedef struct tg_export_language {
  const char *title;
  const char *module; // that has the functions of arrays, in Python
  const char *indent; // of a statement
  const char *comment;
  size_t width;      // of a line, where the language has a limit
  const char *plain; // "transposed" and not, for $T and $U
  const char *transposed;
  const char *turn;             // suffix of a transposed operand
  const char *real;             // an integer size as a number: "(double)@"
  const char *power_of_ten;     // "e", "d"
  const char *load;             // entry of the matrix $0 in an expression
  const char *row, *row_turned; // entry i of a vector that is a column, or a row
  const char *col, *col_turned; // entry j of a vector that is a row, or a column
  const char *spread;           // $e, which depends on less than all entries, over $r x $c; NULL with has_entries
  const char *ops[TG_EXPORT_OP_COUNT];
  const char *add, *sub, *mul, *div, *pow, *max, *min, *square, *sqrt; // '@' and '$' the operands
  const char *divided[TG_DIVIDED_COUNT];                               // likewise; NULL: the language has none
  // The function of a row of entrywise.def, '@' the argument: from `entries`, else from `entry`.
  const tg_export_entry *entries;
  void (*entry)(int row, tg_text *out);
  const tg_export_helper *helpers;
  const char *const *words; // that are not to be used as names
  int n_entries;
  int n_helpers;
  int n_words;
  bool folds_case;   // X and x are one name
  bool helpers_last; // behind the functions
  bool has_entries;  // an expression is one of entries, inside of a loop: shapes need no care
  bool wants_point;  // 2 is written 2.0
  // The frame around the statements.
  void (*head)(const struct tg_export *e, tg_text *out);                // of the whole text
  void (*begin)(const struct tg_export *e, bool hessian, tg_text *out); // of one function
  void (*end)(const struct tg_export *e, bool hessian, tg_text *out);
  void (*foot)(const struct tg_export *e, tg_text *out);
} tg_export_language;

extern const tg_export_language tg_export_numpy, tg_export_jax, tg_export_pytorch, tg_export_octave, tg_export_matlab,
    tg_export_julia, tg_export_c, tg_export_fortran;

// ---- the objective in a language ----

// A name of the expression: an argument of the functions.
typedef struct tg_export_argument {
  const char *name; // in the language
  const char *own;  // in the expression
  int32_t symbol;   // of the derivation's graph
  int32_t variable; // its block of the point, or -1
  const char *rows; // in the language: "m", "3"
  const char *cols;
  unsigned properties;
} tg_export_argument;

typedef struct tg_export_size {
  const char *own;  // in the derivation
  const char *name; // in the language
  int64_t nominal[2];
  int32_t argument; // whose size it is
  bool of_columns;
  bool is_rest; // p of an argument with n+p rows: `less` is n
  tg_dim less;
} tg_export_size;

// A sum of sizes, without a factor that all terms share.
typedef struct tg_export_sum {
  tg_size_form form;
  const char *name; // in the language, "(n+p)"
  int64_t nominal[2];
} tg_export_sum;

enum { TG_EXPORT_SIZES_MAX = 16 };

typedef struct tg_export {
  const tg_derivation *d;
  const tg_export_language *language;
  tg_export_target target;
  tg_arena arena;
  tg_derivation *nominal[2]; // the same with numbers for its sizes
  tg_plan *plans[2];         // one plan with these two; the same object twice where no size is open
  int32_t n_sizes;
  tg_export_size sizes[TG_EXPORT_SIZES_MAX];
  int32_t n_sums;
  tg_export_sum sums[TG_EXPORT_SIZES_MAX];
  int32_t n_arguments;
  tg_export_argument *arguments;
  const char **buffers; // by buffer: its name in the language
  const char *directions[TG_TARGETS_MAX];
  const char **registers;   // by register
  int32_t *factors;         // by factor: its number
  int32_t *kept_factor_ops; // by factor: the tg_export_op that makes it
  int64_t products;         // in the value and gradient, and in the Hessian product
  int64_t hessian_products;
  tg_text body; // of the function that is being written
  int32_t n_live;
  const tg_instr **live; // the instructions of that function, of both plans in turn
} tg_export;

// ---- sizes ----

// Gives the sizes nominal numbers, reads the derivation again with them and lowers it.
tg_status tg_export_plan(tg_export *e);
void tg_export_unplan(tg_export *e);
// A number that both plans agree on, or the product of sizes that it is. is_size: an integer of the language.
tg_status tg_export_number(const tg_export *e, double first, double second, bool is_size, tg_text *out);
tg_status tg_export_name_sums(tg_export *e);
// " - n" behind the size of an argument, where that is more than the size.
tg_status tg_export_rest(const tg_export *e, const tg_export_size *size, tg_text *out);
// A size of the derivation in the language.
tg_status tg_export_dim(const tg_export *e, tg_dim dim, tg_text *out);

// ---- statements ----

// The statements of a function, into e->body.
tg_status tg_export_statements(tg_export *e, bool hessian);
// Replaces '@' by the text.
void tg_export_put(const char *text, const char *argument, tg_text *out);
// The rows and columns of a buffer in the language.
tg_status tg_export_buffer_size(const tg_export *e, int32_t buffer, bool columns, tg_text *out);

// ---- frames ----

// Lines of the description, each behind the comment mark: what is computed, arguments, products, nominal sizes.
void tg_export_describe(const tg_export *e, bool hessian, const char *margin, tg_text *out);
// "G_X": the name of an output in the language.
const char *tg_export_output(const tg_export *e, bool hessian, int32_t variable);
const char *tg_export_direction(const tg_export *e, int32_t variable);
const tg_export_argument *tg_export_variable(const tg_export *e, int32_t variable);
// Whether a name stands in a text.
bool tg_export_has_word(const char *text, const char *word);
// The name of f, a register or a number.
tg_status tg_export_value(const tg_export *e, tg_text *out);

#endif
