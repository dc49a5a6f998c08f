// The log of a run's operations.
#include "report/log_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { NAME_COLUMNS = 44, NAME_SHOWN = 200 };

static const tg_instr *instr_of(const tg_log_row *row)
{
  return &row->plan->programs[row->program].instrs[row->operation];
}

static void add_name(const tg_log_row *row, tg_text *out)
{
  if (row->operation >= 0)
    tg_plan_dump_assignment(row->plan, instr_of(row), out);
  else
    tg_text_addf(out, "%s%s%s", tg_program_label(row->program), row->variable != NULL ? " of " : "",
                 row->variable != NULL ? row->variable : "");
}

// ---- text ----

// The name in its column; a longer one is cut.
static void print_name(const tg_log_row *row, tg_text *out)
{
  tg_text name;
  tg_text_init(&name);
  add_name(row, &name);
  const char *text = tg_text_string(&name);
  const int width = NAME_COLUMNS - (row->operation >= 0 ? 13 : 0);
  const bool is_long = strlen(text) > (size_t)width;
  if (row->operation >= 0) tg_text_addf(out, "  %-10s ", tg_opcode_label(instr_of(row)->op));
  tg_text_addf(out, "%-*.*s%s", is_long ? width - 3 : width, is_long ? width - 3 : width, text, is_long ? "..." : "");
  tg_text_fini(&name);
}

static void print_row(const tg_log_row *row, double solve, tg_text *out)
{
  print_name(row, out);
  tg_text_addf(out, " %8" PRId64 " %11.4g %6.2f %7.1f %10.3g %9.3g  ", row->calls, row->seconds,
               tg_log_row_imbalance(row), solve > 0 ? 100 * row->seconds / solve : 0, row->flops,
               row->seconds > 0 ? 1e-9 * row->flops / row->seconds : 0);
  tg_text_add_bytes_unit(out, row->bytes);
  tg_text_add(out, "\n");
}

void tg_log_print(const tg_engine *engine, int ranks, tg_text *out)
{
  const tg_run_log *log = &engine->log;
  const double solve = engine->seconds.solve;
  const double inside = tg_run_log_seconds(log);
  tg_text_addf(out,
               "log of %d rank%s: seconds of the slowest, over the mean of all (ratio); flops and bytes sent of all "
               "together\n%-*s %8s %11s %6s %7s %10s %9s  %s\n",
               ranks, ranks == 1 ? "" : "s", NAME_COLUMNS, "program, operation", "calls", "seconds", "ratio", "% solve",
               "flops", "Gflop/s", "sent");
  for (int32_t k = 0; k < log->n_rows; k++) print_row(&log->rows[k], solve, out);
  tg_text_addf(out, "%-*s %8s %11.4g %6s %7.1f\n", NAME_COLUMNS, "all programs", "", inside, "",
               solve > 0 ? 100 * inside / solve : 0);
  tg_text_addf(out, "%-*s %8s %11.4g %6s %7.1f\n", NAME_COLUMNS, "else: method, constraint, vectors, history", "",
               fmax(0, solve - inside), "", solve > 0 ? 100 * fmax(0, solve - inside) / solve : 0);
  tg_text_addf(out, "%-*s %8s %11.4g\n%-*s %8s %11.4g\n", NAME_COLUMNS, "reading data", "", engine->seconds.read,
               NAME_COLUMNS, "setup", "", engine->seconds.setup);
}

// ---- JSON ----

// What sort of work an operation is; products by their form.
static const char *kind_of(const tg_instr *instr)
{
  switch (instr->op) {
  case TG_OP_GEMM:
    if (instr->trans[0]) return instr->trans[1] ? "product A'B'" : "product A'B";
    return instr->trans[1] ? "product AB'" : "product AB";
  case TG_OP_KRON:
  case TG_OP_KRON_LEFT:
  case TG_OP_KRON_RIGHT:
    return "Kronecker product";
  case TG_OP_CHOLESKY:
  case TG_OP_LU:
  case TG_OP_EIGEN:
  case TG_OP_SVD:
    return "factorisation";
  case TG_OP_SOLVE:
  case TG_OP_INVERSE:
    return "solve";
  case TG_OP_DOT:
  case TG_OP_TRACE:
  case TG_OP_EWSUM:
  case TG_OP_LOGSUMEXP:
    return "sum";
  case TG_OP_TRANSPOSE:
  case TG_OP_RESHAPE:
  case TG_OP_SLICE:
    return "rearrangement";
  default:
    return "entrywise";
  }
}

static json_t *row_report(const tg_log_row *row)
{
  tg_text name;
  tg_text_init(&name);
  add_name(row, &name);
  json_t *out = json_pack("{s:I, s:o, s:o, s:o, s:o}", "calls", (json_int_t)row->calls, "seconds",
                          tg_json_number(row->seconds), "imbalance", tg_json_number(tg_log_row_imbalance(row)), "flops",
                          tg_json_number(row->flops), "bytes", tg_json_number(row->bytes));
  int failed = out == NULL || tg_text_status(&name) != TG_OK;
  if (failed == 0 && row->operation >= 0) {
    failed = json_object_set_new(out, "operation", json_string(tg_opcode_label(instr_of(row)->op)));
    if (failed == 0) failed = json_object_set_new(out, "kind", json_string(kind_of(instr_of(row))));
    if (failed == 0) failed = json_object_set_new(out, "result", json_string(tg_text_string(&name)));
  } else if (failed == 0) {
    failed = json_object_set_new(out, "program", json_string(tg_program_label(row->program)));
    if (failed == 0 && row->variable != NULL) failed = json_object_set_new(out, "variable", json_string(row->variable));
    if (failed == 0) failed = json_object_set_new(out, "operations", json_array());
  }
  tg_text_fini(&name);
  if (failed == 0) return out;
  json_decref(out);
  return NULL;
}

json_t *tg_log_report(const tg_run_log *log)
{
  json_t *list = json_array();
  json_t *operations = NULL; // of the program at hand
  for (int32_t k = 0; k < log->n_rows && list != NULL; k++) {
    const tg_log_row *row = &log->rows[k];
    json_t *entry = row_report(row);
    json_t *inside = entry != NULL ? json_object_get(entry, "operations") : NULL;
    if (json_array_append_new(row->operation < 0 ? list : operations, entry) != 0) {
      json_decref(list);
      return NULL;
    }
    if (row->operation < 0) operations = inside;
  }
  return list;
}
