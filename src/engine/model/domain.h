// Where an objective with logdet and inv is defined: what that asks of its variables.
//
// logdet(X) is defined for symmetric positive definite X, so that a variable under it lives among the symmetric
// matrices: its gradient and its directions are the symmetric parts, its start is symmetric, and a point where a
// Cholesky factorisation fails is outside. The same holds for logdet(X + C), and for inv(X) where the job's set says
// that X is semidefinite.
#ifndef TG_ENGINE_DOMAIN_H
#define TG_ENGINE_DOMAIN_H

#include "engine/model/model.h"

// Sets `domain` of the job's variables by the objective that the model holds, compiled without: TG_SYMMETRIC, with
// TG_SPD where a factorisation of the variable itself decides. A set that the domain meets by itself
// (positive_definite, or a semidefinite one under logdet(X), nonnegative under log(X)) is taken out of the job:
// `open_set` keeps its name. *found: some variable has a domain, the objective is to be compiled again. TG_UNSUPPORTED,
// located: positive_definite without logdet or inv of the variable, or a set that does not keep X symmetric. Local.
tg_status tg_domain_find(tg_task *task, tg_model *model, bool *found);
// As the job was read, before tg_domain_find. Local.
void tg_domain_forget(tg_task *task);
// By variable, as tg_space_set_symmetric takes it: whether it lives among symmetric matrices. To be freed. Local.
tg_status tg_domain_flags(const tg_task *task, bool **out);
// A line for each variable with a domain.
void tg_domain_print(const tg_task *task, const char *indent, tg_text *out);

#endif
