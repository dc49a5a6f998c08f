// What to minimise with, as data: a ranked list of ways, the conditions that only numbers can settle, and the reasons.
//
// tg_strategize decides by the symbols, the options and the costs alone: no data, no processes, no sentences. The
// method (engine/method) realises the list: it takes the first way whose conditions hold for the numbers.
// strategy_words.h makes sentences of both. This room is a library of its own, which sees neither MPI nor the rest of
// the engine.
#ifndef TG_ENGINE_STRATEGY_H
#define TG_ENGINE_STRATEGY_H

#include "grad/plan/cost.h"
#include "grad/structure/closed_form.h"
#include "grad/structure/precondition.h"
#include "opt/constraint.h"
#include "opt/options.h"

// Terms of a Kronecker preconditioner; what it evaluates at most: two factors each, a weight each, the mismatch.
enum { TG_STRATEGY_TERMS = 4, TG_STRATEGY_NODES = 3 * TG_STRATEGY_TERMS + 1, TG_STRATEGY_WAYS = 8 };

// ---- what is known ----

typedef struct tg_strategy_variable {
  int32_t symbol;
  unsigned domain;          // of tg_property: what logdet and inv ask of it
  opt_constraint_block set; // OPT_CONSTRAINT_FREE: none. Bounds that are matrices are not known
  bool has_matrix_bounds;
  bool has_metric; // orthonormal columns in a metric: X stands for Q Y
} tg_strategy_variable;

typedef struct tg_strategy_datum {
  int32_t symbol;
  bool is_number;
  double number;
} tg_strategy_datum;

// The rounds of an augmented Lagrangian around the minimisation.
typedef struct tg_strategy_rounds {
  bool has_relations; // entries of subject_to
  bool has_envelopes; // terms of the objective that are split
  int32_t penalty;    // symbol
} tg_strategy_rounds;

typedef struct tg_strategy_facts {
  tg_node objective;
  const tg_plan *plan; // of the objective
  int n_variables;
  const int32_t *symbols; // of the variables
  const tg_strategy_variable *variables;
  int n_data; // that the objective depends on
  const tg_strategy_datum *data;
  int64_t n_groups;                 // of unknowns, of which the objective is a sum of functions; 1: not seen to be
  bool has_kinks;                   // abs, norm1 or relu of an expression that no split took away
  const tg_strategy_rounds *rounds; // NULL: none
  const opt_options *options;       // of the job: auto where it leaves the choice
} tg_strategy_facts;

// Where one way becomes dearer than another. The defaults are what the program uses.
typedef struct tg_strategy_costs {
  double most_factorising;      // of a closed form, in Hessian actions; beyond it auto iterates
  double most_half_factorising; // the same of a half-step, whose factors change with each
  int64_t coupled_iterations;   // expected of conjugate gradients on a polynomial that couples variables
  int64_t longest_line;         // of a bounded half-step: its small matrix is on every rank
} tg_strategy_costs;

tg_strategy_costs tg_strategy_costs_default(void);

// ---- the decision ----

typedef enum tg_preconditioner_kind {
  TG_PRECONDITIONER_NONE,
  TG_PRECONDITIONER_LOGDET,    // X G X: of -logdet at the point
  TG_PRECONDITIONER_KRONECKER, // of terms L V R of the Hessian
  TG_PRECONDITIONER_DIAGONAL
} tg_preconditioner_kind;

// What only numbers can say. A way is taken where all of its conditions hold.
typedef enum tg_condition {
  TG_IF_DEFINITE = 1,       // what the closed form factorises is positive definite
  TG_IF_NONNEGATIVE = 2,    // the matrices `signed_symbols` have no negative entry, by which the objective is convex
  TG_IF_REST_IS_LIGHT = 4,  // what stands beside -logdet weighs little against it at the start
  TG_IF_TERMS_DEFINITE = 8, // one or two terms of the Hessian have positive definite factors
  TG_IF_IT_PAYS = 16,       // the products that the preconditioner saves are more than those that it takes
  TG_IF_POSITIVE = 32       // the diagonal of the Hessian is
} tg_condition;

// Why a method stands where it does.
typedef enum tg_way_reason {
  TG_WAY_ASKED,      // the job names it
  TG_WAY_ASKED_SET,  // the job names it, and the set makes another solver of it
  TG_WAY_DIRECT,     // `form`
  TG_WAY_HALF_STEPS, // `halves`
  TG_WAY_QUADRATIC,  // of degree at most 2, and `form` is none
  TG_WAY_EXACT,      // exact steps along the line polynomial
  TG_WAY_ENVELOPES,  // the pieces of the envelopes are nearly quadratic
  TG_WAY_GENERAL,    // not a polynomial of small degree
  TG_WAY_SET,        // serves the constraints
  TG_WAY_PROXIMAL    // takes norm1 of a variable by its proximal step
} tg_way_reason;

typedef struct tg_way {
  const struct opt_solver *solver;
  int32_t method; // its row of the options: never auto
  int32_t line_search;
  tg_preconditioner_kind preconditioner;
  unsigned conditions; // of tg_condition
  tg_way_reason reason;
  int64_t n_groups; // of unknowns that the solver tells apart, 1: none
  int32_t second;   // the method that takes over where the forecast is wrong, its row of the options; 0: none
  int64_t after;    // so many iterations
} tg_way;

// Why there is no closed form to begin with.
typedef enum tg_no_form {
  TG_NO_FORM_NOT_LOOKED, // the job names another method
  TG_NO_FORM_SYMBOLS,    // form.why
  TG_NO_FORM_NORM1,
  TG_NO_FORM_SETS,
  TG_NO_FORM_COST // there is one, for form_cost iterations
} tg_no_form;

// What auto sees in the variables one at a time.
typedef enum tg_halves { TG_HALVES_CLOSED, TG_HALVES_WEIGHTED, TG_HALVES_LINES } tg_halves;

// Preconditioners as expressions: candidates, of which numbers choose.
typedef struct tg_offer {
  tg_node quadratic; // what they are made of: the objective, or its Hessian at zero; TG_NONE: nothing
  int n_terms;       // of KRONECKER
  tg_closed_group terms[TG_STRATEGY_TERMS];
  int n_moving; // the same of the Hessian at the point, where it depends on it: by what the preconditioner is renewed
  tg_closed_group moving[TG_STRATEGY_TERMS];
  tg_weights weighting; // of the quadratic's Hessian
  int n_weights;        // to judge by whether the terms that stand in for them serve
  tg_node weights[TG_STRATEGY_TERMS];
  tg_node mismatch;  // of the diagonals of the Hessian and of these terms
  bool is_too_large; // factors with separable weights are larger than the data: left out
  int n_diagonals;   // of DIAGONAL, the Hessian's diagonals as expressions: 0 or all variables
  tg_node *diagonals;
  bool diagonals_follow; // they are those of the Hessian at the point, whatever it is
  double logdet;  // c of a term -c logdet(X), X the one variable and all else of degree 2 at most; 0: there is none
  tg_node linear; // the linear part of all else; TG_NONE: it vanishes
  int n_rest;     // the terms of the Hessian of all else
  tg_closed_group rest[TG_STRATEGY_TERMS];
} tg_offer;

typedef struct tg_strategy {
  int n_ways; // at least one
  tg_way ways[TG_STRATEGY_WAYS];
  tg_closed_form form;
  tg_no_form no_form; // where the first way is not direct
  double form_cost;   // of its factorisations, in Hessian actions
  tg_halves halves;   // of HALF_STEPS
  tg_offer offer;
  int n_signed; // of TG_IF_NONNEGATIVE: the matrices that are to have no negative entry
  int32_t *signed_symbols;
  int64_t pairs;   // of l-bfgs
  int degree;      // of the line polynomial, -1: there is none
  int plan_degree; // of the objective as a polynomial, -1: it is none
  int n_variables;
  int32_t *symbols; // of the variables
  bool has_kinks;
  bool has_jumps;          // tg_kinks_find_jumps
  bool is_nonnegative;     // the objective, by its symbols and the job's numbers: nothing makes it fall without end
  opt_constraint_kind set; // the last variable's that has one; FREE: none
  bool has_rounds;
  tg_strategy_rounds rounds;
  bool is_asked; // the job names the method
} tg_strategy;

// The key of `solver:` at fault, where a job asks for what there is not.
typedef enum tg_strategy_key { TG_KEY_NONE, TG_KEY_METHOD, TG_KEY_LINE_SEARCH, TG_KEY_PRECONDITIONER } tg_strategy_key;

// TG_UNSUPPORTED, with *key, where the job wants what the structure or the constraints do not give. Adds nodes and
// symbols to the graph. Local, no data, the same on all ranks.
tg_status tg_strategize(tg_graph *graph, const tg_strategy_facts *facts, const tg_strategy_costs *costs,
                        tg_strategy_key *key, tg_strategy **out);
// NULL is fine.
void tg_strategy_destroy(tg_strategy **strategy);

bool tg_way_is_direct(const tg_way *way);
// nodes[0..return): what KRONECKER evaluates, at most TG_STRATEGY_NODES: the left and right factor of each of the
// terms, the weights, the mismatch.
int tg_offer_nodes(const tg_offer *offer, tg_node *nodes);

// ---- what the numbers said ----

// Least squares by orthogonal factors, where the Gram matrix is too ill-conditioned for Cholesky's.
typedef enum tg_orthogonal {
  TG_ORTHOGONAL_UNUSED,
  TG_ORTHOGONAL_NO_ROOM,  // memory has no room for them, whatever the condition
  TG_ORTHOGONAL_FULL,     // of `condition`, the Gram matrix having `gram` (infinite: not positive definite)
  TG_ORTHOGONAL_DEFICIENT // of `rank` for so many `unknowns`
} tg_orthogonal;

// What was found of the preconditioners that were tried.
typedef enum tg_preconditioner_note {
  TG_PRECONDITIONER_NOTE_NOTHING,
  TG_PRECONDITIONER_NOTE_LIGHT,      // figures: weight of the rest against -logdet
  TG_PRECONDITIONER_NOTE_HEAVY,      // the same, too much
  TG_PRECONDITIONER_NOTE_INDEFINITE, // the linear part of the rest is not semidefinite; figures as above
  TG_PRECONDITIONER_NOTE_NO_TERM,    // none has positive definite factors, stand-ins for weights included
  TG_PRECONDITIONER_NOTE_LOSS,       // does not pay; figures: condition, iterations expected without it
  TG_PRECONDITIONER_NOTE_WEIGHTS     // does not pay; figures: condition, unknowns that a weight determines, factor of
                                     // diagonals
} tg_preconditioner_note;

// A variable of alternating, and what minimises over it.
typedef struct tg_half_way {
  const char *variable;
  const char *solver;
} tg_half_way;

typedef struct tg_verdict {
  int way;           // position of the way that was taken; before the numbers are known, of the first
  char refused[512]; // what they say against direct; "": nothing
  bool has_signs;    // TG_IF_NONNEGATIVE holds
  tg_orthogonal orthogonal;
  int64_t rank;
  int64_t unknowns;
  double condition;
  double gram;
  tg_preconditioner_note note;
  double figures[3];
  int64_t from;      // iterations after which the forecast without KRONECKER has proved wrong: it is taken after all
  int64_t until;     // or the forecast with it: it is dropped; 0: never
  int64_t revisions; // how often that was done
  int64_t exchanges; // how often a way's second method has taken over: in each of several attempts
  int n_halves;
  const tg_half_way *halves; // not owned
} tg_verdict;

// The way that the verdict speaks of.
const tg_way *tg_strategy_way(const tg_strategy *strategy, const tg_verdict *verdict);
// The preconditioner that there may be for the verdict's solver: that of its first way whose signs are known.
tg_preconditioner_kind tg_strategy_offered(const tg_strategy *strategy, const tg_verdict *verdict);
// Names: of the row of the options, and of the line search ("none": a rule of its own).
const char *tg_way_method(const tg_way *way);
// Name of the method that may take over; NULL: none.
const char *tg_way_second(const tg_way *way);
// Whether `memory` is its option.
bool tg_way_keeps_pairs(const tg_way *way);
const char *tg_way_search(const tg_strategy *strategy, const tg_way *way);

// ---- options without use ----

typedef enum tg_unused_reason {
  TG_UNUSED_OTHER_METHOD, // an option of `owner`
  TG_UNUSED_OWN_STEP,     // the method has a step rule
  TG_UNUSED_NOT_FIXED,    // a length for line_search: fixed
  TG_UNUSED_NO_COLUMNS,   // for orthonormal_columns
  TG_UNUSED_NO_ROUNDS     // for subject_to
} tg_unused_reason;

typedef struct tg_unused {
  const char *key;
  tg_unused_reason reason;
  const char *owner;
} tg_unused;

enum { TG_UNUSED_MAX = 12 };

// out[0..return): options that the job sets to something and the way does not use. Local.
int tg_strategy_find_unused(const tg_strategy_facts *facts, const tg_strategy *strategy, const tg_way *way,
                            tg_unused out[TG_UNUSED_MAX]);

// ---- one variable ----

// Whether f in the variable is convex with H[V] = V G or G V, under bounds that are numbers: coordinate descent on its
// lines makes a half-step of alternating (mpi/factor/line_descent.h).
typedef struct tg_strategy_lines {
  bool serves;
  bool by_rows; // V G
  double low;
  double high;
} tg_strategy_lines;

// Local.
tg_status tg_strategy_find_lines(tg_graph *graph, const tg_strategy_facts *facts, const tg_strategy_costs *costs,
                                 int variable, tg_strategy_lines *out);

#endif
