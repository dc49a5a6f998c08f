// What a run takes of memory on its fullest rank, known before anything is allocated.
#ifndef TG_ENGINE_FORECAST_H
#define TG_ENGINE_FORECAST_H

#include "engine/method/method.h"
#include "grad/plan/cost.h"

// Bytes. The peak is the libraries and the largest phase; phases count everything that lives in them.
typedef struct tg_forecast {
  double data;       // operands
  double points;     // the current point and what solver, line search and problem keep beside it
  double storage;    // constants, images, results of the plan
  double factors;    // of the plan
  double workspace;  // panels, messages and scratch of the operations
  double constraint; // scratch of the feasible sets
  double method;     // of a closed form or a preconditioner
  double libraries;  // program, MPI, BLAS and its threads' buffers
  double reading;    // phase: files come in through slabs, claims are verified
  double preparing;  // phase: setup, Taylor probe, factorisations of the method
  double solving;    // phase: the iterations
  double writing;    // phase: variables go out through slabs
  double total;      // the peak
  double orthogonal; // the peak where a Gram matrix proves ill-conditioned and orthogonal factors are made; 0: never
} tg_forecast;

// The forecast for a job on a grid, with the method chosen for it. The job's data have their sizes. Local, no data;
// adds auxiliary symbols to the model's graph.
tg_status tg_forecast_make(const tg_task *task, tg_model *model, const tg_method *method, const tg_cost_grid *grid,
                           tg_forecast *out);

// The peak of a run whose method has met the numbers.
double tg_forecast_peak(const tg_forecast *forecast, const tg_method *method);

// The table of `tracegrad plan`.
void tg_forecast_print(const tg_forecast *forecast, tg_text *out);

// Where a rank may run: what it may take, and how many share a node.
typedef struct tg_memory_room {
  double rank_bytes; // 0: unknown
  int ranks;         // of the job
} tg_memory_room;

// Refuses (TG_MEMORY) a forecast above the room of a rank, and says how many ranks of as much room would do, if any
// number does. Local; alike on all ranks for the same arguments.
tg_status tg_forecast_check(const tg_task *task, tg_model *model, const tg_method *method, const tg_cost_grid *grid,
                            const tg_memory_room *room, const tg_forecast *forecast);

#endif
