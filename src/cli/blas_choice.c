// The choice of OpenBLAS' kernels on its way through the environment.
#include "cli/blas_choice.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

bool tg_blas_choice_matters(int argc, char **argv)
{
  static const char *const commands[] = {"run", "check", "info"};
  bool computes = false;
  for (size_t k = 0; argc > 1 && k < sizeof commands / sizeof commands[0]; k++)
    computes = computes || strcmp(argv[1], commands[k]) == 0;
  for (int k = 2; k < argc; k++)
    if (strcmp(argv[k], "--help") == 0) return false;
  return computes;
}

bool tg_blas_choice_export(const tg_blas_record *record, const char *core)
{
  tg_text text;
  tg_text_init(&text);
  tg_blas_record_print(record, &text);
  bool done = tg_text_status(&text) == TG_OK && setenv(TG_BLAS_RECORD_VARIABLE, tg_text_string(&text), 1) == 0;
  if (core[0] == '\0')
    done = done && unsetenv(TG_BLAS_CORE_VARIABLE) == 0;
  else
    done = done && setenv(TG_BLAS_CORE_VARIABLE, core, 1) == 0;
  tg_text_fini(&text);
  return done;
}

void tg_blas_choice_foresee(void)
{
  // The name of every OpenBLAS so far. It stays loaded: exec ends it.
  void *library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL) return;
  tg_blas_kernel kernel;
  tg_blas_record record;
  const char *core = "";
  tg_blas_kernel_get(library, &kernel);
  if (kernel.has_record) return;
  if (tg_blas_kernel_decide(&kernel, false, &record, &core) == TG_BLAS_RESTART) tg_blas_choice_export(&record, core);
}
