// The table of `tracegrad check` on products: what random vectors found out about them.
#ifndef TG_REPORT_PRODUCT_REPORT_H
#define TG_REPORT_PRODUCT_REPORT_H

#include "mpi/exec/exec.h"

// A product whose residual (mpi/exec/probe.h) is larger is wrong: rounding alone does not reach 2.
enum { TG_PRODUCT_RESIDUAL = 30 };

// One line for each product that was probed; nothing when there is none.
void tg_product_report(const tg_exec *exec, tg_text *out);
// TG_NUMERIC names the worst product when its residual is beyond the limit. Local; alike on all ranks.
tg_status tg_product_judge(const tg_exec *exec);

#endif
