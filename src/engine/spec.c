// Lookups in a spec.
#include "engine/spec.h"

#include <string.h>

#include "opt/constraint.h"

void tg_spec_print_parts(const tg_spec *spec, const char *indent, tg_text *out)
{
  for (int k = 0; k < spec->n_parts; k++)
    tg_text_addf(out, "%sdefine %s: %s\n", indent, spec->parts[k].name, spec->parts[k].value.text);
}

// ---- lookups ----

int tg_spec_find_data(const tg_spec *spec, const char *name)
{
  for (int k = 0; k < spec->n_data; k++)
    if (strcmp(spec->data[k].name, name) == 0) return k;
  return -1;
}

int tg_spec_find_variable(const tg_spec *spec, const char *name)
{
  for (int k = 0; k < spec->n_variables; k++)
    if (strcmp(spec->variables[k].name, name) == 0) return k;
  return -1;
}

bool tg_spec_on_manifold(const char *constraint)
{
  const opt_constraint_row *row = opt_constraint_find(constraint);
  return row != NULL && row->geometry == OPT_GEOMETRY_MANIFOLD;
}

tg_mark tg_spec_solver_mark(const tg_spec *spec, const char *key)
{
  for (int k = 0; k < opt_option_count() && spec->option_marks != NULL; k++)
    if (strcmp(opt_option_at(k)->key, key) == 0 && spec->option_marks[k].source > 0) return spec->option_marks[k];
  return spec->solver_mark;
}

// ---- starts ----

// By tg_start.
static const char *const start_names[] = {"zeros", "ones", "identity", "normal", "uniform", "feasible", "memory", NULL};
static const char *const start_helps[] = {
    "all entries 0",
    "all entries 1",
    "ones on the diagonal, of a square variable",
    "independent standard normal entries, by `seed`",
    "independent entries uniform on [0, 1), by `seed`",
    "a random point of the constraint set: the projection of the `normal` start onto it",
    "numbers of the program that calls the library",
};

enum { START_NAMES = sizeof start_names / sizeof start_names[0] - 1 };

bool tg_start_find(const char *name, tg_start *out)
{
  for (int k = 0; k < START_NAMES; k++) {
    if (strcmp(start_names[k], name) != 0) continue;
    *out = (tg_start)k;
    return true;
  }
  return false;
}

const char *tg_start_at(int k)
{
  TG_ASSERT(k >= 0 && k <= START_NAMES);
  return start_names[k];
}

const char *tg_start_help(int k)
{
  TG_ASSERT(k >= 0 && k < START_NAMES);
  return start_helps[k];
}

const char *tg_start_label(tg_start start)
{
  TG_ASSERT((int)start < START_NAMES);
  return start_names[start];
}

bool tg_start_is_random(tg_start start)
{
  return start == TG_START_NORMAL || start == TG_START_UNIFORM || start == TG_START_FEASIBLE;
}
