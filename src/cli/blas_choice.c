// The choice of OpenBLAS' kernels on its way through the environment.
#include "cli/blas_choice.h"

#include <dlfcn.h>
#include <string.h>

#include "base/blas_loaded.h"

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
  if (tg_blas_kernel_decide(&kernel, false, &record, &core) == TG_BLAS_EXECUTE_AGAIN)
    tg_blas_kernel_export(&record, core);
}
