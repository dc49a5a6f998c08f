// The metric of orthonormal columns: X'SX = I taken out of the problem by a change of variables.
//
// S = L L', Q = inv(L'), X = Q Y: then X'SX = Y'Y, and f(Q Y) is minimised over Y with Y'Y = I. The symbol X of the
// model stands for Y from the substitution on; Q is a matrix of the plan like the job's data, so that products such as
// Q'AQ are made once. At the end X = Q Y.
#ifndef TG_ENGINE_METRIC_CHANGE_H
#define TG_ENGINE_METRIC_CHANGE_H

#include "engine/model/model.h"

// The datum that is the metric of the variable's constraint; -1: it has none. Local.
int tg_metric_change_datum(const tg_task_variable *variable);
// Whether the datum is the metric of a variable. Local.
bool tg_metric_change_needs(const tg_task *task, int datum);

// Finds the metrics of the job and puts Q X for X in the objective. TG_SHAPE, TG_VALUE or TG_UNSUPPORTED, located at
// the metric, where it is no symmetric matrix of the variable's rows. task->data must have their sizes. Local.
tg_status tg_metric_change_substitute(const tg_task *task, tg_model *model);
// The position among model->changes of the matrix the plan calls `name`, -1: none of them. Local.
int tg_metric_change_find(const tg_model *model, const char *name);
// A line for each metric: the label, "X'*S*X = eye by X = Q_S*Y ...". Local.
void tg_metric_change_print(const tg_task *task, const tg_model *model, const char *label, tg_text *out);

#endif
