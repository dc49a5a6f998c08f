// Comparing a claimed derivative with the derived one at sampled points.
#ifndef TG_CLI_CLAIM_H
#define TG_CLI_CLAIM_H

#include "cli/derive/derive.h"

// ---- points ----

enum { CLAIM_SIZES_MAX = 2 * DERIVE_NAMES_MAX, CLAIM_SCALES_MAX = 48 };

// Numbers for the sizes with names, and values for every symbol of a graph.
typedef struct claim_points {
  const tg_graph *graph;
  tg_sampling sampling; // without noise
  tg_named_size sizes[CLAIM_SIZES_MAX];
  int32_t n_symbols;
  double **values;
  int32_t n_scales; // how large entries are, in turn
  double scales[CLAIM_SCALES_MAX];
} claim_points;

// nodes: what will be evaluated; the numbers in it become scales too, where functions turn.
tg_status claim_points_init(const tg_graph *graph, int32_t n, const tg_node *nodes, claim_points *out);
void claim_points_fini(claim_points *points);
// The trial-th point. Entries have both signs or one; square matrices are dominated by their diagonal in some; what is
// declared holds: symmetric, positive definite, diagonal, orthogonal.
void claim_points_fill(claim_points *points, int32_t trial);

// ---- kinks ----

enum { CLAIM_KINKS_MAX = 8 };

// What stands in abs, sign and relu below the nodes, each once.
tg_status claim_kinks_find(const tg_graph *graph, int32_t n, const tg_node *nodes, tg_node *out, int32_t *count);

// Two points, and the straight line between them.
typedef struct claim_path {
  int32_t n_symbols;
  double **ends; // of symbol s: ends[2*s] and ends[2*s + 1]
} claim_path;

// Moves a filled point into the set that the variable is in.
typedef struct claim_move {
  void *self;
  void (*move)(void *self, claim_points *points);
} claim_move;

tg_status claim_path_init(const claim_points *points, claim_path *out);
void claim_path_fini(claim_path *path);
// The point at from + t*(to - from).
void claim_path_go(const claim_path *path, double t, claim_points *points);
// A path from the trial-th point to another, between which an entry of the node changes its sign: at t, about. move may
// be NULL. *found is false where a few other points have none.
tg_status claim_path_across(tg_graph *graph, claim_points *points, tg_node node, int64_t entry, int32_t trial,
                            claim_move *move, claim_path *path, double *t, bool *found);

// ---- comparison ----

// A value, and how far rounding may have moved each entry.
typedef struct claim_value {
  double *entries;
  double *bounds;
} claim_value;

// What the claim may be instead of the derivative.
typedef enum claim_relation {
  CLAIM_EQUAL,
  CLAIM_MULTIPLE,    // c times it
  CLAIM_TRANSPOSE,   // its transpose
  CLAIM_CONVENTION,  // G + G' - diag(G)
  CLAIM_SYMMETRIZED, // (G + G')/2
  CLAIM_RELATIONS
} claim_relation;

typedef struct claim_tally {
  int64_t rows;
  int64_t cols;
  int32_t *telling;               // by entry: points where it agrees to several digits, or is zero in both
  bool *is_nonzero;               // by entry: it was not zero in one of them
  bool differs[CLAIM_RELATIONS];  // by more than rounding, at one point at least
  int32_t holds[CLAIM_RELATIONS]; // points where every entry agrees and one of them tells
  double ratio;                   // of CLAIM_MULTIPLE; 0 before it is known
  bool is_unclear;                // an entry lay between agreement and a difference
  bool has_counterexample;
  int64_t row;
  int64_t col;
  double claimed;
  double derived;
} claim_tally;

tg_status claim_tally_init(int64_t rows, int64_t cols, claim_tally *out);
void claim_tally_fini(claim_tally *tally);
// One more point; where a value is not finite it says nothing.
void claim_tally_add(claim_tally *tally, const claim_value *claimed, const claim_value *derived);
// A point within the range of every exponential: a claim that is not a number there, where the derivative is one, is
// another function.
void claim_tally_add_undefined(claim_tally *tally, const claim_value *claimed, const claim_value *derived);
// Whether the points settle that the claim is the derivative.
bool claim_tally_is_equal(const claim_tally *tally);

#endif
