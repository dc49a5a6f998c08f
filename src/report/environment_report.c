// What report.json says of the libraries that a run ran on.
#include "report/environment_report.h"

#include "base/version.h"
#include "job/yaml.h"

json_t *tg_environment_versions(const tg_environment *e)
{
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "tracegrad", TG_VERSION, "mpi", e->mpi_library, "blas",
                   e->blas.loaded.config, "blas_core", e->blas.loaded.core, "hdf5", e->hdf5, "libfyaml",
                   tg_yaml_version(), "jansson", jansson_version_str());
}

json_t *tg_environment_blas_kernel(const tg_environment *e)
{
  tg_text reason;
  tg_text_init(&reason);
  tg_blas_kernel_explain(&e->blas, &reason);
  const char *natural = NULL; // null in the report where it is not known
  if (e->blas.source == TG_BLAS_BY_LIBRARY) natural = e->blas.loaded.core;
  if (e->blas.source == TG_BLAS_BY_US && e->blas.record.natural[0] != '\0') natural = e->blas.record.natural;
  json_t *out = json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s}", "core", e->blas.loaded.core, "chosen_by",
                          tg_blas_source_label(e->blas.source), "reason", tg_text_string(&reason), "by_itself", natural,
                          "cpu", tg_cpu_label(e->blas.cpu), "on_ranks", e->blas_cores);
  tg_text_fini(&reason);
  return out;
}
