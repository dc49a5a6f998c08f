// Products of neighbours in chains, each made once for all attempts of one lowering: long chains share their runs.
//
// A run is known by the run without its last factor and by that factor, a tree whose branches are found by hashing. So
// equal lists of factors, and only these, give the node that the first one gave.
#include "base/memory.h"
#include "grad/lower/lower_parts.h"

enum { SLOTS_FIRST = 256 };

typedef struct run {
  int32_t before; // the run without the last factor; 0: there is none
  tg_node last;
  tg_node node; // the product
} run;

struct tg_low_runs {
  tg_low_list list; // of run; number 0 is no run
  int32_t *slots;   // by hash: a number, 0 where the slot is free
  uint32_t n_slots; // a power of two
  int64_t n_asked;  // products that were asked for
  int64_t n_made;   // and made
};

tg_status tg_low_runs_create(tg_low_runs **out)
{
  static const run nothing = {0, TG_NONE, TG_NONE};
  *out = NULL;
  TG_TRY(TG_NEW(1, out));
  return tg_low_push(&(*out)->list, sizeof nothing, &nothing);
}

void tg_low_runs_destroy(tg_low_runs **runs)
{
  if (*runs == NULL) return;
  tg_free((*runs)->list.items);
  tg_free((*runs)->slots);
  tg_free(*runs);
  *runs = NULL;
}

void tg_low_runs_count(const tg_low_runs *runs, int64_t *asked, int64_t *made)
{
  *asked = runs->n_asked;
  *made = runs->n_made;
}

static run *at(const tg_low_runs *runs, int32_t number)
{
  return (run *)runs->list.items + number;
}

// The slot of a run, or the free one where it belongs.
static uint32_t find_slot(const tg_low_runs *runs, int32_t before, tg_node last)
{
  const uint64_t mixed = ((uint64_t)(uint32_t)before << 32 | (uint32_t)last) * UINT64_C(0x9E3779B97F4A7C15);
  uint32_t slot = (uint32_t)(mixed >> 32) & (runs->n_slots - 1);
  while (runs->slots[slot] != 0) {
    const run *found = at(runs, runs->slots[slot]);
    if (found->before == before && found->last == last) break;
    slot = (slot + 1) & (runs->n_slots - 1);
  }
  return slot;
}

// At most half of the slots are taken.
static tg_status make_room(tg_low_runs *runs)
{
  if (2 * (runs->list.count + 1) <= runs->n_slots) return TG_OK;
  const uint32_t n_slots = runs->n_slots > 0 ? 2 * runs->n_slots : SLOTS_FIRST;
  int32_t *slots = NULL;
  TG_TRY(TG_NEW(n_slots, &slots));
  tg_free(runs->slots);
  runs->slots = slots;
  runs->n_slots = n_slots;
  for (int32_t k = 1; k < runs->list.count; k++) slots[find_slot(runs, at(runs, k)->before, at(runs, k)->last)] = k;
  return TG_OK;
}

tg_status tg_low_run(tg_lowering *l, int32_t before, int32_t n, const tg_node *factors, int32_t *number, tg_node *out)
{
  tg_low_runs *runs = l->runs;
  const tg_node last = factors[n - 1];
  TG_TRY(make_room(runs));
  runs->n_asked += n > 1;
  uint32_t slot = find_slot(runs, before, last);
  if (runs->slots[slot] == 0) {
    run new_run = {before, last, last};
    if (n > 1) TG_TRY(tg_make_prod(l->graph, n, factors, &new_run.node));
    runs->n_made += n > 1;
    runs->slots[slot] = (int32_t)runs->list.count;
    TG_TRY(tg_low_push(&runs->list, sizeof new_run, &new_run));
  }
  *number = runs->slots[slot];
  *out = at(runs, *number)->node;
  return TG_OK;
}
