// A program in a country that writes 0,5: its numbers and the library's do not meet.
#include "tracegrad_solve.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "support/comma_locale.h"

#define OK(call) check_note((call) == 0, __FILE__, __LINE__, "%s: %s", #call, tracegrad_error())

static bool is_with_comma(void)
{
  char text[16];
  snprintf(text, sizeof text, "%.1f", 0.5);
  return strcmp(text, "0,5") == 0 && strtod("0,25", NULL) == 0.25;
}

typedef struct witness {
  int calls;
  int with_comma;
} witness;

static void note(witness *w)
{
  w->calls++;
  w->with_comma += is_with_comma() ? 1 : 0;
}

// A point is read, and another problem is solved, from the callback: both leave the locale as it was.
static int on_iteration(void *self, const tracegrad_figures *figures, const tracegrad_point *x)
{
  double number = 0;
  const tracegrad_array array = {.size = sizeof array, .numbers = &number, .rows = 1, .columns = 1};
  tracegrad_problem *inner = NULL;
  note(self);
  OK(tracegrad_point_get(x, "t", &array));
  if (figures->iteration == 0) {
    OK(tracegrad_problem_create(MPI_COMM_SELF, &inner));
    OK(tracegrad_problem_objective(inner, "sumsq(s - 0.125)", 0));
    OK(tracegrad_problem_variable(inner, "s", 1, 1));
    OK(tracegrad_problem_minimise(inner));
    tracegrad_problem_destroy(&inner);
  }
  note(self);
  return 0;
}

static void on_warning(void *self, const char *text)
{
  (void)text;
  note(self);
}

static void test_numbers(void)
{
  witness calls = {0};
  witness warnings = {0};
  tracegrad_problem *p = NULL;
  tracegrad_result r = {0};
  const char *report = "";
  tracegrad_on_warning(on_warning, &warnings);
  OK(tracegrad_problem_from_text(
      MPI_COMM_WORLD, "job",
      "minimize: sumsq(t - a) + 0.5*sumsq(t - b)\nvariables: {t: {rows: 1, columns: 1, start: "
      "{file: nothing.npy}}}\ndata: {a: 0.75, unused: 1}\n",
      &p));
  OK(tracegrad_problem_number(p, "b", 2.25));
  OK(tracegrad_problem_set(p, "variables.t.start", "zeros"));
  OK(tracegrad_problem_set(p, "solver.gradient_tolerance", "1.5e-9"));
  OK(tracegrad_problem_set(p, "solver.method", "gradient-descent"));
  OK(tracegrad_problem_on_iteration(p, on_iteration, &calls));
  OK(tracegrad_problem_minimise(p));
  OK(tracegrad_problem_result(p, sizeof r, &r));
  OK(tracegrad_problem_report(p, &report));
  // t = 1.25: f = 0.25 + 0.5
  CHECK(fabs(r.objective - 0.75) < 1e-12, "the objective is %.17g", r.objective);
  CHECK(strstr(report, "\"gradient_tolerance\": 1.5e-09") != NULL || strstr(report, "1.5e-9") != NULL, "the report: %s",
        report);
  CHECK(calls.calls > 2 && calls.with_comma == calls.calls, "%d of %d times with a comma in the callback",
        calls.with_comma, calls.calls);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  CHECK((rank > 0 || warnings.calls > 0) && warnings.with_comma == warnings.calls, "%d of %d warnings with a comma",
        warnings.with_comma, warnings.calls);
  tracegrad_problem_destroy(&p);
  CHECK(is_with_comma(), "the locale is left as it was");
  tracegrad_on_warning(NULL, NULL);
}

static void run(void)
{
  int rank = 0;
  int has = comma_locale_set() ? 1 : 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Allreduce(MPI_IN_PLACE, &has, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (has == 0 && rank == 0) printf("no locale with a decimal comma: skipped\n");
  if (has != 0) test_numbers();
  setlocale(LC_ALL, "C");
}

CHECK_PROGRAM(program_api_locale, run)
