// Comparing a claimed derivative with the derived one at sampled points: what the files of the comparison share.
#ifndef TG_DERIVE_CLAIM_PARTS_H
#define TG_DERIVE_CLAIM_PARTS_H

#include "derive/derivation.h"

// ---- points ----

enum { TG_CLAIM_SIZES_MAX = 2 * TG_DERIVE_NAMES_MAX, TG_CLAIM_SCALES_MAX = 48 };

// Numbers for the sizes with names, and values for every symbol of a graph.
typedef struct tg_claim_points {
  const tg_graph *graph;
  tg_sampling sampling; // without noise
  tg_named_size sizes[TG_CLAIM_SIZES_MAX];
  int32_t n_symbols;
  double **values;
  bool *is_whole;   // by symbol: stands in the exponent of a matrix
  int32_t n_scales; // how large entries are, in turn
  double scales[TG_CLAIM_SCALES_MAX];
} tg_claim_points;

// nodes: what will be evaluated; the numbers in it become scales too, where functions turn.
// is_reversed: what is wide otherwise is tall.
tg_status tg_claim_points_init(const tg_graph *graph, int32_t n, const tg_node *nodes, bool is_reversed,
                               tg_claim_points *out);
void tg_claim_points_fini(tg_claim_points *points);
// The trial-th point. Entries have both signs or one; square matrices are dominated by their diagonal in some; what is
// declared holds: symmetric, positive definite, diagonal, orthogonal.
void tg_claim_points_fill(tg_claim_points *points, int32_t trial);

// ---- kinks ----

enum { TG_CLAIM_KINKS_MAX = 8 };

// What stands in abs, sign and relu below the nodes, each once.
tg_status tg_claim_kinks_find(const tg_graph *graph, int32_t n, const tg_node *nodes, tg_node *out, int32_t *count);

// Two points, and the straight line between them.
typedef struct tg_claim_path {
  int32_t n_symbols;
  double **ends; // of symbol s: ends[2*s] and ends[2*s + 1]
} tg_claim_path;

// Moves a filled point into the set that the variable is in.
typedef struct tg_claim_move {
  void *self;
  void (*move)(void *self, tg_claim_points *points);
} tg_claim_move;

tg_status tg_claim_path_init(const tg_claim_points *points, tg_claim_path *out);
void tg_claim_path_fini(tg_claim_path *path);
// The point at from + t*(to - from).
void tg_claim_path_go(const tg_claim_path *path, double t, tg_claim_points *points);
// A path from the trial-th point to another, between which an entry of the node changes its sign: at t, about. move may
// be NULL. *found is false where a few other points have none.
tg_status tg_claim_path_across(tg_graph *graph, tg_claim_points *points, tg_node node, int64_t entry, int32_t trial,
                               tg_claim_move *move, tg_claim_path *path, double *t, bool *found);

// ---- comparison ----

// A value, and how far rounding may have moved each entry.
typedef struct tg_claim_value {
  double *entries;
  double *bounds;
} tg_claim_value;

// What the claim may be instead of the derivative.
typedef enum tg_claim_relation {
  TG_CLAIM_EQUAL,
  TG_CLAIM_MULTIPLE,    // c times it
  TG_CLAIM_TRANSPOSE,   // its transpose
  TG_CLAIM_CONVENTION,  // G + G' - diag(G)
  TG_CLAIM_SYMMETRIZED, // (G + G')/2
  TG_CLAIM_RELATIONS
} tg_claim_relation;

typedef struct tg_claim_tally {
  int64_t rows;
  int64_t cols;
  int32_t *telling;                  // by entry: points where it agrees to several digits, or is zero in both
  bool *is_nonzero;                  // by entry: it was not zero in one of them
  bool differs[TG_CLAIM_RELATIONS];  // by more than rounding, at one point at least
  int32_t holds[TG_CLAIM_RELATIONS]; // points where every entry agrees and one of them tells
  double ratio;                      // of TG_CLAIM_MULTIPLE; 0 before it is known
  bool is_unclear;                   // an entry lay between agreement and a difference
  bool has_counterexample;
  int64_t row;
  int64_t col;
  double claimed;
  double derived;
} tg_claim_tally;

tg_status tg_claim_tally_init(int64_t rows, int64_t cols, tg_claim_tally *out);
void tg_claim_tally_fini(tg_claim_tally *tally);
// One more point; where a value is not finite it says nothing.
void tg_claim_tally_add(tg_claim_tally *tally, const tg_claim_value *claimed, const tg_claim_value *derived);
// A point within the range of every exponential: a claim that is not a number there, where the derivative is one, is
// another function.
void tg_claim_tally_add_undefined(tg_claim_tally *tally, const tg_claim_value *claimed, const tg_claim_value *derived);
// Whether the points settle that the claim is the derivative.
bool tg_claim_tally_is_equal(const tg_claim_tally *tally);

#endif
