// The compiled plan: straight-line programs over a table of buffers and a file of scalar registers.
//
// A plan is plain data and immutable once built. It knows sizes and operations but no processes and no
// numbers: src/mpi/exec runs it on block-cyclic matrices, tests/support/serial_exec on plain arrays, and
// grad/plan/cost.h prices it for any process grid. All matrices are real, all formulas column-major.
#ifndef TG_GRAD_PLAN_H
#define TG_GRAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "grad/divided.h"

// What a buffer holds and who fills it.
typedef enum tg_buffer_kind {
  TG_BUFFER_DATA,      // an operand of the job, index = position in tg_plan.data; read only
  TG_BUFFER_VARIABLE,  // the current point, index = block of the point
  TG_BUFFER_DIRECTION, // the direction D of a line or V of a Hessian action, index = block
  TG_BUFFER_GRADIENT,  // output of TG_PROGRAM_GRADIENT, index = block
  TG_BUFFER_HESSIAN,   // output H[V] of TG_PROGRAM_HESSIAN, index = block
  TG_BUFFER_CONSTANT,  // made once by TG_PROGRAM_SETUP, read only afterwards
  TG_BUFFER_STATE,     // linear image of the point: kept between programs
  TG_BUFFER_TEMP       // dead outside the program that fills it
} tg_buffer_kind;

typedef struct tg_plan_buffer {
  tg_buffer_kind kind;
  int32_t index;   // block or data position for the kinds that have one, else -1
  int32_t storage; // CONSTANT, STATE and TEMP buffers of equal storage id share memory (disjoint lives, equal shape)
  int64_t rows;
  int64_t cols;
  const char *name; // the user's name, or the expression it holds: "A*X"
} tg_plan_buffer;

// A scalar coefficient: value * registers[reg], or value alone where reg < 0.
typedef struct tg_coef {
  double value;
  int32_t reg;
} tg_coef;

// Postfix code for entrywise and scalar arithmetic: a small stack machine, depth at most TG_CODE_DEPTH.
typedef enum tg_code_op {
  TG_CODE_LOAD,    // push entry (i,j) of input buffer `operand`   (scalar code: never)
  TG_CODE_ROW,     // push entry i of the column vector in input `operand`: broadcast along the row
  TG_CODE_COL,     // push entry j of the row vector in input `operand`: broadcast down the column
  TG_CODE_REG,     // push registers[operand]
  TG_CODE_NUMBER,  // push value
  TG_CODE_ADD,     // a b -> a + b
  TG_CODE_SUB,     // a b -> a - b
  TG_CODE_MUL,     // a b -> a * b
  TG_CODE_DIV,     // a b -> a / b
  TG_CODE_POW,     // a b -> a ^ b
  TG_CODE_MAX,     // a b -> the larger
  TG_CODE_MIN,     // a b -> the smaller
  TG_CODE_DIVIDED, // a b -> the divided difference `operand` of them (grad/divided.h)
  TG_CODE_SQUARE,  // a -> a * a
  TG_CODE_NEG,
  TG_CODE_SQRT,
  TG_CODE_ENTRY_FIRST, // the rows of entrywise.def
  TG_CODE_ENTRY_BEFORE = TG_CODE_ENTRY_FIRST - 1,
#define TG_ENTRYWISE(KIND, ...) TG_CODE_##KIND,
#include "grad/entrywise.def"
  TG_CODE_COUNT
} tg_code_op;

enum { TG_CODE_DEPTH = 16 };

typedef struct tg_code {
  tg_code_op op;
  int32_t operand;
  double value;
} tg_code;

// Operations. `in` are buffers, `out` is a buffer unless the comment says register or factor.
// Aliasing: LINCOMB and ENTRYWISE may write in place over an input; no other operation may.
#define TG_OPCODE_LIST(X)                                                                                              \
  X(GEMM, "gemm")             /* out = alpha op(in0) op(in1) + beta out; op by trans[0], trans[1] */                   \
  X(LINCOMB, "lincomb")       /* out = sum_k coefs[k] in[k]; n_in = 1 copies or scales */                              \
  X(TRANSPOSE, "transpose")   /* out = alpha in0' */                                                                   \
  X(ENTRYWISE, "entrywise")   /* out(i,j) = code(in..., i, j) */                                                       \
  X(EWSUM, "ewsum")           /* register out = sum_ij code(in..., i, j) over the shape of in[0] */                    \
  X(DOT, "dot")               /* register out = <in0, in1> */                                                          \
  X(TRACE, "trace")           /* register out = tr in0 */                                                              \
  X(FETCH, "fetch")           /* register out = in0(0,0) of a 1 x 1 buffer */                                          \
  X(STORE, "store")           /* out(0,0) = alpha, out 1 x 1 */                                                        \
  X(SCALAR, "scalar")         /* register out = code() over registers */                                               \
  X(FILL, "fill")             /* out = alpha * ones (0 fills zeros) */                                                 \
  X(EYE, "eye")               /* out = alpha * identity */                                                             \
  X(TRIANGLE, "triangle")     /* out = 1 on and above the diagonal, on and below it if trans[0]; 0 elsewhere */        \
  X(LOGSUMEXP, "logsumexp")   /* out = log sum exp of in0: of all (1 x 1), its rows (m x 1), its columns (1 x n) */    \
  X(PICK, "pick")             /* out(i, i + dims[0]) = 1, 0 elsewhere: rows of an identity */                          \
  X(SLICE, "slice")           /* out(i, j) = in0(i + dims[0], j + dims[1]), 0 where in0 has no such entry */           \
  X(COMM, "comm")             /* out = commutation matrix K(m,n), m = dims[0], n = dims[1] */                          \
  X(CHOLESKY, "cholesky")     /* factor out = Cholesky of in0 (symmetric positive definite) */                         \
  X(LU, "lu")                 /* factor out = LU with partial pivoting of in0 */                                       \
  X(EIGEN, "eigen")           /* factor out = eigenvalues and eigenvectors of in0 (symmetric) */                       \
  X(SVD, "svd")               /* factor out = singular values and vectors of in0 */                                    \
  X(VECTORS, "vectors")       /* out = eigenvectors of F, or its left singular vectors; V' of the right if trans[0] */ \
  X(VALUES, "values")         /* out (k x 1) = values of F; NUMERIC error outside the tg_domain dims[0] */             \
  X(SOLVE, "solve")           /* out = op(F)^-1 in0, or in0 op(F)^-1 if right; F = factor, op by trans[0] */           \
  X(INVERSE, "inverse")       /* out = F^-1, transposed if trans[0] */                                                 \
  X(LOGDET, "logdet")         /* register out = log det F; NUMERIC error if det <= 0 */                                \
  X(DET, "det")               /* register out = det F; NUMERIC error on overflow or underflow */                       \
  X(DIAG, "diag")             /* out (n x n) = diagonal matrix of the vector in0 (n x 1 or 1 x n) */                   \
  X(DIAGVEC, "diagvec")       /* out (n x 1) = diagonal of in0 */                                                      \
  X(RESHAPE, "reshape")       /* out = in0's entries in column-major order, other shape */                             \
  X(KRON, "kron")             /* out = kron(in0, in1) */                                                               \
  X(KRON_LEFT, "kron-left")   /* out (m x n): out(i,j) = <block (i,j) of in0, in1>, in1 p x q, in0 mp x nq */          \
  X(KRON_RIGHT, "kron-right") /* out (p x q) = sum_ij in1(i,j) * block (i,j) of in0, in1 m x n, in0 mp x nq */

typedef enum tg_opcode {
#define TG_OPCODE_ENUM(name, label) TG_OP_##name,
  TG_OPCODE_LIST(TG_OPCODE_ENUM)
#undef TG_OPCODE_ENUM
      TG_OPCODE_COUNT
} tg_opcode;

typedef struct tg_instr {
  tg_opcode op;
  int32_t out;    // buffer, register or factor, by the operation
  int32_t factor; // VECTORS, VALUES, SOLVE, INVERSE, LOGDET, DET: the factor read; else -1
  int32_t n_in;
  const int32_t *in;    // input buffers
  const tg_coef *coefs; // LINCOMB: n_in of them
  tg_coef alpha;
  double beta; // GEMM: 0 or 1
  bool trans[2];
  bool symmetric[2]; // GEMM: operand known symmetric; a hint
  bool right;        // SOLVE from the right
  int32_t n_code;
  const tg_code *code; // ENTRYWISE, EWSUM, SCALAR
  int64_t dims[2];     // COMM, PICK, SLICE; VALUES: the tg_domain
} tg_instr;

// What a factorisation is made for, of a matrix rows x cols.
typedef enum tg_factor_use { TG_FACTOR_OF_SYSTEM, TG_FACTOR_OF_EIGEN, TG_FACTOR_OF_SVD } tg_factor_use;
typedef struct tg_plan_factor {
  tg_factor_use use;
  int64_t rows;
  int64_t cols;
} tg_plan_factor;

typedef enum tg_program_id {
  TG_PROGRAM_SETUP,            // once: constants
  TG_PROGRAM_REFRESH,          // STATE buffers from the point; before VALUE/GRADIENT/DIRECTION/HESSIAN at a new point
  TG_PROGRAM_VALUE,            // f
  TG_PROGRAM_GRADIENT,         // f and its gradient
  TG_PROGRAM_DIRECTION,        // coefficients of t -> f(X + tD), at a refreshed point; images of D
  TG_PROGRAM_ADVANCE,          // after DIRECTION, X already moved by t D: STATE += t * image, t in register step
  TG_PROGRAM_HESSIAN,          // H[V], V in the DIRECTION buffers
  TG_PROGRAM_GRADIENT_AT_ZERO, // f and its gradient at X = 0, where most runs start: GRADIENT without what vanishes
                               // there. With line_by_hessian only; reads no VARIABLE
  TG_PROGRAM_COUNT
} tg_program_id;

// Rules of reading and writing; tg_plan_verify holds every plan to them.
// - DATA, VARIABLE and DIRECTION are never written. VARIABLE is not read by SETUP; DIRECTION is read by
//   DIRECTION, ADVANCE and HESSIAN only. GRADIENT and HESSIAN are written, each of their buffers, by the program
//   of that name, GRADIENT by GRADIENT_AT_ZERO too, which may read them afterwards.
// - CONSTANT is written by SETUP only. STATE is either an image of the point, written by REFRESH and ADVANCE and
//   read by all but SETUP, or an image of the direction, written by DIRECTION and read by DIRECTION and ADVANCE.
//   Where there is a line, ADVANCE writes every image of the point.
// - A TEMP buffer is read only where its own content stands in its storage. Only TEMPs share storage.
// - A register or a factor is read after a write in the same program or in SETUP; registers may also be read
//   when they have an initial content, and in ADVANCE the step. What SETUP or the initial content fixes, no other
//   program writes.
typedef struct tg_program {
  int32_t n_instrs;
  const tg_instr *instrs;
} tg_program;

typedef struct tg_plan_data {
  const char *name;
  int64_t rows;
  int64_t cols;
} tg_plan_data;

// Initial content of a register: literals and the job's scalars; all others start at 0.
typedef struct tg_register_init {
  int32_t reg;
  double value;
} tg_register_init;

enum { TG_LINE_DEGREE_MAX = 8 };

typedef struct tg_plan {
  tg_arena arena; // owns everything below
  int32_t n_buffers;
  const tg_plan_buffer *buffers;
  int32_t n_registers;
  int32_t n_factors;
  const tg_plan_factor *factors;
  int32_t n_inits;
  const tg_register_init *inits;
  int32_t n_data; // matrices only; scalars are register inits
  const tg_plan_data *data;
  int32_t n_variables; // blocks of the point
  const tg_plan_data *variables;
  tg_program programs[TG_PROGRAM_COUNT];
  int32_t value_register;                         // f, after VALUE and GRADIENT
  int32_t step_register;                          // t, set before ADVANCE
  int32_t degree;                                 // of f jointly in all variables; -1: not polynomial
  int32_t line_registers[TG_LINE_DEGREE_MAX + 1]; // coefficient of t^k after DIRECTION, k = 1..degree
  bool has_line;                                  // f is a polynomial along lines, 1 <= degree <= TG_LINE_DEGREE_MAX
  bool line_by_hessian; // degree 2: f(X + tD) = f + t <G, D> + t^2 <D, H[D]> / 2 and the gradient moves by t H[D], for
                        // which HESSIAN is all that is needed: DIRECTION and ADVANCE are empty, nothing is STATE
  bool has_state;       // REFRESH and ADVANCE are not empty
  bool has_hessian;
} tg_plan;

// Frees the plan and everything it owns.
void tg_plan_destroy(tg_plan **plan);
// Names for dumps and reports.
const char *tg_opcode_label(tg_opcode op);
const char *tg_program_label(tg_program_id id);
// What an operation takes and gives.
typedef enum tg_result { TG_RESULT_BUFFER, TG_RESULT_REGISTER, TG_RESULT_FACTOR } tg_result;

typedef struct tg_opcode_info {
  tg_result result; // what `out` is
  int8_t n_in;      // number of inputs; -1: one or more; -2: any number
  bool uses_alpha;  // the others ignore alpha
  bool uses_factor; // reads `factor`
  bool uses_code;   // runs `code`
  bool in_place;    // `out` may stand in the storage of an input
} tg_opcode_info;

const tg_opcode_info *tg_opcode_traits(tg_opcode op);
// Operands popped by one step of code (each pushes one result), and its name: 2 and "+" for TG_CODE_ADD.
int tg_code_arity(tg_code_op op);
const char *tg_code_label(tg_code_op op);
// Number of storage ids: one more than the largest.
int32_t tg_plan_storage_count(const tg_plan *plan);
// The buffer of a kind that has an index; -1 when the plan has none.
int32_t tg_plan_find_buffer(const tg_plan *plan, tg_buffer_kind kind, int32_t index);
// Whether the instruction counts as a large product: GEMM, SOLVE, INVERSE.
bool tg_instr_is_product(const tg_instr *instr);
// How many of a program's instructions do.
int64_t tg_program_products(const tg_program *program);
// Checks the invariants above (operands exist, shapes agree, registers written before read, aliasing);
// TG_INTERNAL names the first instruction that breaks one. Local.
tg_status tg_plan_verify(const tg_plan *plan);
// Prints one line per instruction with operands, shapes and flops, for `tracegrad plan`.
void tg_plan_dump(const tg_plan *plan, tg_text *out);
// "  T1 (64x10) = X' * R            gemm       ", without the end of the line: columns of a cost may follow.
void tg_plan_dump_instr(const tg_plan *plan, const tg_instr *instr, tg_text *out);
// "T1 (64x10) = X' * R".
void tg_plan_dump_assignment(const tg_plan *plan, const tg_instr *instr, tg_text *out);
// Its right side alone: "X' * R", "sum log(X)".
void tg_plan_dump_formula(const tg_plan *plan, const tg_instr *instr, tg_text *out);
// A 64-bit fingerprint of everything that is executed: all ranks compare it before running.
uint64_t tg_plan_hash(const tg_plan *plan);
// The same without the numbers that registers begin with: the job's.
uint64_t tg_plan_shape(const tg_plan *plan);

#endif
