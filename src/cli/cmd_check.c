// tracegrad check: a job and its data validated, its derivatives tested.
#include <inttypes.h>
#include <math.h>
#include <mpi.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/job_console.h"
#include "derive/structure_report.h"
#include "engine/engine.h"
#include "engine/model/build.h"
#include "engine/problem/found_use.h"
#include "engine/problem/lagrangian.h"
#include "engine/run/environment.h"
#include "job/confine.h"
#include "job/job_share.h"
#include "mpi/space/space.h"
#include "report/check_json.h"
#include "report/product_report.h"

enum { CHECK_STEPS = 10, CHECK_SEED = 20260101 };

static const tg_option options[] = {
    {"--format", "FORMAT", false, "human (default) or json"},
    {"--set", "KEY=VALUE", true, "override a key of the job; repeatable"},
    {"--confined", NULL, false, "refuse a job that reads or writes outside its folders (docs/job-file.md)"},
};

static const tg_args_spec spec = {
    .command = "check",
    .operands = "JOB",
    .n_operands = 1,
    .summary = "Validates a job and its data, tests gradient and Hessian action by their Taylor remainders and every\n"
               "product by a random vector.",
    .details =
        "The test point is the job's start, moved at random where the start is all zeros, so that no term hides.\n"
        "Exit status 2: job or data are wrong; 1: a derivative or a product is.",
    .n_options = sizeof options / sizeof options[0],
    .options = options,
};

// ---- what the job is ----

static void print_properties(unsigned properties, bool trust, tg_text *out)
{
  static const struct {
    unsigned bit;
    const char *name;
  } rows[] = {{TG_SYMMETRIC, "symmetric"}, {TG_SPD, "spd"}, {TG_DIAGONAL, "diagonal"}, {TG_ORTHOGONAL, "orthogonal"}};
  if (properties == 0) return;
  tg_text_add(out, ",");
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    if ((properties & rows[k].bit) != 0) tg_text_addf(out, " %s", rows[k].name);
  tg_text_add(out, trust ? " (trusted)" : " (verified)");
}

static void print_data(const tg_task *task, tg_text *out)
{
  for (int k = 0; k < task->spec->n_data; k++) {
    const tg_task_data *datum = &task->data[k];
    const tg_spec_data *d = datum->spec;
    if (!datum->used) continue;
    if (d->source == TG_SOURCE_NUMBER) {
      tg_text_addf(out, "  %-12s ", d->name);
      tg_text_add_number(out, d->number);
    } else {
      tg_text_addf(out, "  %-12s %" PRId64 " x %" PRId64 " from %s", d->name, datum->rows, datum->cols,
                   d->source == TG_SOURCE_FILE ? d->file : d->generate);
      print_properties(d->properties, d->trust, out);
      if (tg_found_word(datum) != NULL) tg_text_addf(out, ", %s (found)", tg_found_word(datum));
    }
    tg_text_add(out, "\n");
  }
}

static tg_status print_job(const tg_setup *setup, tg_text *out)
{
  const tg_task *task = setup->task;
  const tg_spec *given = task->spec;
  const tg_plan *plan = setup->model->plan;
  tg_text_addf(out, "%s: %s\n", given->maximize ? "maximize" : "minimize", given->objective.text);
  tg_spec_print_parts(given, "", out);
  tg_lagrangian_print(task, "", out);
  tg_text_add(out, "variables\n");
  for (int k = 0; k < given->n_variables; k++)
    tg_text_addf(out, "  %-12s %" PRId64 " x %" PRId64 "\n", given->variables[k].name, task->variables[k].rows,
                 task->variables[k].cols);
  if (given->n_data > 0) tg_text_add(out, "data\n");
  print_data(task, out);
  if (plan->degree >= 0)
    tg_text_addf(out, "objective is a polynomial of degree %d in the variables\n", (int)plan->degree);
  else
    tg_text_add(out, "objective is not a polynomial in the variables\n");
  const tg_model *model = setup->model;
  for (int k = 0; k < model->n_variables; k++)
    TG_TRY(tg_structure_print(model->graph, model->objective, model->symbols[k], TG_FORMAT_EXPR, out));
  tg_text_addf(out, "grid %s; block %" PRId64 "\n", setup->choice.reason, setup->choice.block);
  return TG_OK;
}

// ---- tables ----

static void print_taylor(const char *title, const tg_taylor *t, tg_text *out)
{
  tg_text_addf(out, "\n%s\n         t     remainder    order\n", title);
  for (int k = 0; k < t->n; k++) {
    const tg_taylor_row *row = &t->rows[k];
    tg_text_addf(out, "  %8.0e  %12.4e   ", row->t, row->remainder);
    if (isfinite(row->order))
      tg_text_addf(out, "%6.2f\n", row->order);
    else
      tg_text_add(out, row->remainder <= row->floor ? "rounding\n"
                       : isfinite(row->remainder)   ? "\n"
                                                    : "no value here\n");
  }
  tg_text_addf(out, "  %s", tg_taylor_verdict_label(t->verdict));
  if (isfinite(t->order) && (t->verdict == TG_TAYLOR_PASSED || t->verdict == TG_TAYLOR_FAILED))
    tg_text_addf(out, ": observed order %.2f, expected 2", t->order);
  if (t->verdict == TG_TAYLOR_UNRESOLVED) tg_text_add(out, ": no step lies between curvature and rounding here");
  tg_text_add(out, "\n");
}

// Moves a start that is exactly zero: at zero whole terms of an objective vanish, and their mistakes with them.
static tg_status choose_point(tg_setup *setup)
{
  const opt_space *space = setup->space;
  double square = 0;
  const opt_point *x = setup->x;
  TG_TRY(space->ops->dots(space, 1, &x, &x, &square));
  if (square > 0) return TG_OK;
  TG_TRY(space->ops->random(space, CHECK_SEED + 1, setup->x));
  return space->ops->axpby(space, 0.0, setup->x, 1.0 / sqrt((double)space->dimension), setup->x);
}

static tg_status judge(const tg_setup *setup, const char *what, const tg_taylor *t)
{
  if (t->verdict == TG_TAYLOR_NOT_FINITE)
    TG_FAIL(TG_NUMERIC,
            "the objective or its gradient is not finite at the test point; give a start inside its domain");
  if (t->verdict != TG_TAYLOR_FAILED) return TG_OK;
  if (!setup->model->is_smooth) {
    tg_cli_warn("%s: order %.2f is seen; the objective has kinks (abs, sign or relu), where that can be right", what,
                t->order);
    return TG_OK;
  }
  TG_FAIL(TG_NUMERIC,
          "the %s does not belong to the objective: its Taylor remainder falls with order %.2f, expected 2; "
          "please report this",
          what, t->order);
}

// A line from the test point, so that its products are probed as well; that of a quadratic is its Hessian action's.
static tg_status probe_line(tg_setup *setup)
{
  const opt_space *space = setup->space;
  opt_point *d = NULL;
  double coefs[OPT_DEGREE_MAX + 1];
  if (setup->problem->degree < 0 || setup->model->plan->line_by_hessian) return TG_OK;
  TG_TRY(space->ops->create(space, &d));
  tg_status status = space->ops->random(space, CHECK_SEED, d);
  if (status == TG_OK) status = setup->problem->ops->line(setup->problem, setup->x, d, coefs);
  space->ops->destroy(space, &d);
  return status;
}

// The tables; in JSON they are part of the one object.
static tg_status print_tests(const tg_setup *setup, const tg_taylor *gradient, const tg_taylor *hessian, tg_text *text)
{
  print_taylor("gradient: |f(X+tH) - f(X) - t<G,H>|", gradient, text);
  if (hessian != NULL) print_taylor("Hessian action: |G(X+tV) - G(X) - t H[V]|", hessian, text);
  tg_product_report(setup->exec, text);
  return tg_text_status(text);
}

static tg_status test_derivatives(tg_setup *setup, bool is_json, tg_text *text)
{
  tg_taylor gradient = {0};
  tg_taylor hessian = {0};
  TG_TRY(choose_point(setup));
  TG_TRY(tg_taylor_gradient(setup->problem, setup->x, CHECK_SEED, CHECK_STEPS, &gradient));
  const tg_taylor *second = setup->problem->has_hessian ? &hessian : NULL;
  if (second != NULL) TG_TRY(tg_taylor_hessian(setup->problem, setup->x, CHECK_SEED, CHECK_STEPS, &hessian));
  TG_TRY(probe_line(setup));
  TG_TRY(is_json ? tg_check_print_json(setup, &gradient, second, text) : print_tests(setup, &gradient, second, text));
  TG_TRY(tg_cli_print(stdout, text));
  tg_text_clear(text);
  // First: with a wrong product no derivative is right.
  TG_TRY(tg_product_judge(setup->exec));
  TG_TRY(judge(setup, "gradient", &gradient));
  if (second != NULL) TG_TRY(judge(setup, "Hessian action", second));
  if (is_json) return TG_OK;
  tg_text_add(text, "\nok\n");
  return tg_cli_print(stdout, text);
}

static tg_status check_filled(tg_engine *engine, bool is_json, tg_text *text)
{
  TG_TRY(tg_engine_fill(engine));
  if (!is_json) {
    TG_TRY(print_job(engine->setup, text));
    TG_TRY(tg_cli_print(stdout, text));
    tg_text_clear(text);
  }
  return test_derivatives(engine->setup, is_json, text);
}

static tg_status check_spec(const tg_spec *given, bool is_json, tg_text *text)
{
  tg_environment environment;
  tg_engine *engine = NULL;
  TG_TRY(tg_environment_get(MPI_COMM_WORLD, &environment));
  const tg_engine_options settings = {.threads = environment.threads, .probes_products = true};
  const tg_memory_room room = {environment.memory, environment.ranks};
  tg_status status = tg_engine_create(MPI_COMM_WORLD, given, &settings, &engine);
  if (status == TG_OK) tg_engine_warn_unused(engine);
  // What run refuses for memory is refused here, before the data are read.
  if (status == TG_OK) status = tg_engine_admit(engine, &room);
  if (status == TG_OK) status = check_filled(engine, is_json, text);
  tg_engine_destroy(&engine);
  return status;
}

static tg_status check_file(const tg_args *args, bool is_json, const char **sets)
{
  const int n_sets = tg_args_values(args, "--set", sets);
  tg_job *job = NULL;
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_job_load_shared(MPI_COMM_WORLD, args->operands[0], n_sets, sets, &job);
  const bool is_confined = tg_args_has(args, "--confined");
  const tg_messages messages = tg_cli_job_messages(job);
  if (job != NULL) job->spec.messages = &messages;
  // What is wrong besides; no file is opened for it that may lie where it must not.
  if (status != TG_OK && job != NULL && job->errors.count > 0 && tg_cli_rank() == 0 && !is_confined)
    tg_model_find_errors(&job->spec, job->is_incomplete);
  if (status == TG_OK && is_confined)
    status = tg_agree(MPI_COMM_WORLD, tg_cli_rank() == 0 ? tg_job_confine(job, false) : TG_OK);
  if (status == TG_OK) status = check_spec(&job->spec, is_json, &text);
  if (status != TG_OK) tg_cli_print_job_errors(job, status);
  tg_text_fini(&text);
  tg_job_destroy(&job);
  return status;
}

tg_status cmd_check(int argc, char **argv, int *exit_status)
{
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  if (args.help) return tg_cli_print_help(&spec);
  const char **sets = NULL;
  bool is_json = false;
  tg_status status = tg_args_json(&args, &is_json);
  if (status == TG_OK) status = TG_NEW(argc, &sets);
  if (status == TG_OK) *exit_status = tg_status_exit(check_file(&args, is_json, sets));
  tg_free((void *)sets);
  tg_args_fini(&args);
  return status;
}
