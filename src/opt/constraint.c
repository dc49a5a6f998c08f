// The table of feasible sets, and what they have in common.
#include "opt/constraint.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const opt_constraint_row rows[] = {
#define OPT_CONSTRAINT(id, row_name, row_geometry, square, bounds, nonnegative, symmetry, oracle, family, \
                       row_argument, row_help)                                                            \
  {.kind = OPT_CONSTRAINT_##id,                                                                           \
   .name = row_name,                                                                                      \
   .argument = OPT_ARGUMENT_##row_argument,                                                               \
   .help = row_help,                                                                                      \
   .geometry = OPT_GEOMETRY_##row_geometry,                                                               \
   .is_square = square,                                                                                   \
   .is_bounds = bounds,                                                                                   \
   .is_nonnegative = nonnegative,                                                                         \
   .keeps_symmetry = symmetry,                                                                            \
   .has_oracle = oracle},
#include "opt/constraints.def"
#undef OPT_CONSTRAINT
};

int opt_constraint_count(void)
{
  return (int)(sizeof rows / sizeof rows[0]);
}

const opt_constraint_row *opt_constraint_at(int index)
{
  TG_ASSERT(index >= 0 && index < opt_constraint_count());
  return &rows[index];
}

const opt_constraint_row *opt_constraint_row_of(opt_constraint_kind kind)
{
  TG_ASSERT(kind > OPT_CONSTRAINT_FREE && kind < OPT_CONSTRAINT_COUNT);
  return &rows[kind - 1];
}

const opt_constraint_row *opt_constraint_find(const char *name)
{
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (name != NULL && strcmp(rows[i].name, name) == 0) return &rows[i];
  }
  return NULL;
}

tg_status opt_traits_find(int n_blocks, const opt_constraint_block *blocks, opt_traits *out)
{
  const opt_constraint_row *first = NULL;
  *out = (opt_traits){.geometry = OPT_GEOMETRY_CONVEX, .is_bounds = true, .has_oracle = true};
  out->is_entrywise = true;
  for (int k = 0; k < n_blocks; k++) {
    if (blocks[k].norm1 > 0) out->has_any = out->has_norm1 = true;
    if (blocks[k].kind == OPT_CONSTRAINT_FREE) {
      out->has_oracle = false;
      continue;
    }
    const opt_constraint_row *row = opt_constraint_row_of(blocks[k].kind);
    if (first == NULL) first = row;
    out->has_any = true;
    out->geometry =
        row->geometry == first->geometry && out->geometry != OPT_GEOMETRY_MIXED ? row->geometry : OPT_GEOMETRY_MIXED;
    out->is_bounds = out->is_bounds && row->is_bounds;
    out->is_entrywise = out->is_bounds;
    const bool is_open = row->kind == OPT_CONSTRAINT_BOX && !(isfinite(blocks[k].low) && isfinite(blocks[k].high));
    out->has_oracle = out->has_oracle && row->has_oracle && !is_open;
    if (blocks[k].norm1 > 0 && !row->is_bounds)
      TG_FAIL(TG_UNSUPPORTED, "norm1 has no proximal step under the constraint %s, only under bounds or none",
              row->name);
  }
  if (out->has_norm1 && out->geometry == OPT_GEOMETRY_MANIFOLD) out->geometry = OPT_GEOMETRY_MIXED;
  if (out->geometry == OPT_GEOMETRY_MIXED) out->is_entrywise = false;
  if (out->has_norm1) out->is_bounds = out->has_oracle = false;
  return TG_OK;
}

tg_status opt_constraint_random(const opt_constraint *constraint, uint64_t seed, opt_point *x)
{
  TG_TRY(constraint->space->ops->random(constraint->space, seed, x));
  TG_TRY(constraint->ops->project(constraint, x));
  return TG_OK;
}
