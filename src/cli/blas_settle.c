// Test of the loaded kernels, decision, second start of the program.
#include "cli/blas_settle.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/blas_loaded.h"
#include "mpi/blas/self_test.h"

// A kernel for another processor ends in a signal. A handler can reach nothing but static storage.
static sigjmp_buf before_test;
static const int faults[] = {SIGILL, SIGFPE, SIGSEGV, SIGBUS};
enum { N_FAULTS = sizeof faults / sizeof faults[0] };

static void leave_test(int number)
{
  siglongjmp(before_test, number);
}

static tg_status test_kernels(void)
{
  struct sigaction before[N_FAULTS];
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = leave_test;
  sigemptyset(&action.sa_mask);
  for (int k = 0; k < N_FAULTS; k++) sigaction(faults[k], &action, &before[k]);
  tg_status status = TG_OK;
  const int number = sigsetjmp(before_test, 1);
  if (number == 0)
    status = tg_blas_self_test();
  else
    status = tg_error_set(TG_NUMERIC, TG_HERE, "a call of the BLAS ended with signal %d (%s)", number,
                          number == SIGILL ? "an instruction that this CPU does not have" : "a fault in its memory");
  for (int k = 0; k < N_FAULTS; k++) sigaction(faults[k], &before[k], NULL);
  return status;
}

static tg_status refuse(const tg_blas_kernel *kernel, const tg_blas_record *record, const char *fault)
{
  tg_text names;
  tg_text_init(&names);
  for (int k = 0; k < record->n_tried; k++) tg_text_addf(&names, "%s%s", k > 0 ? ", " : "", record->tried[k].name);
  const bool is_openblas = kernel->loaded.core[0] != '\0';
  const tg_status status =
      tg_error_set(TG_NUMERIC, TG_HERE, "the BLAS computes wrongly%s%s: %s; install another one (%s)",
                   is_openblas ? " with every kernel tried, " : "", tg_text_string(&names), fault,
                   kernel->loaded.config[0] != '\0' ? kernel->loaded.config : "this one does not say its name");
  tg_text_fini(&names);
  return status;
}

// Returns where that is not possible. The name of the file, where it has one: a tool that runs the program in itself,
// as valgrind does, answers for the link but not behind it.
static void execute_again(char **argv)
{
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = '\0';
  execv(path, argv);
}

tg_status tg_blas_settle(char **argv)
{
  tg_blas_kernel kernel;
  tg_blas_record record;
  const char *core = "";
  tg_blas_kernel_get(NULL, &kernel);
  // Kernels that are left anyway need no test.
  tg_blas_step step = tg_blas_kernel_decide(&kernel, false, &record, &core);
  char fault[TG_ERROR_MESSAGE_BYTES] = "";
  if (step != TG_BLAS_EXECUTE_AGAIN) {
    const tg_status tested = test_kernels();
    if (tested == TG_OK && step == TG_BLAS_KEEP) return TG_OK;
    if (tested != TG_OK && tested != TG_NUMERIC) return tested;
    if (tested != TG_OK) snprintf(fault, sizeof fault, "%s", tg_error_get()->message);
    tg_error_clear();
    step = tg_blas_kernel_decide(&kernel, true, &record, &core);
  }
  if (step == TG_BLAS_EXECUTE_AGAIN && tg_blas_kernel_export(&record, core)) execute_again(argv);
  // What cannot be restarted goes on with kernels that are slow, not with wrong ones.
  if (step == TG_BLAS_EXECUTE_AGAIN && fault[0] == '\0') return test_kernels();
  return refuse(&kernel, &record, fault[0] != '\0' ? fault : "they need instructions that this CPU does not have");
}
