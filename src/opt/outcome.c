// Outcomes by their labels and exit statuses.
#include "opt/outcome.h"

#include "base/status.h"

static const char *const outcome_labels[] = {
#define OPT_OUTCOME_LABEL(name, exit_status, label) label,
    OPT_OUTCOME_LIST(OPT_OUTCOME_LABEL)
#undef OPT_OUTCOME_LABEL
};

static const int outcome_exits[] = {
#define OPT_OUTCOME_EXIT(name, exit_status, label) exit_status,
    OPT_OUTCOME_LIST(OPT_OUTCOME_EXIT)
#undef OPT_OUTCOME_EXIT
};

const char *opt_outcome_label(opt_outcome outcome)
{
  TG_ASSERT(outcome < OPT_OUTCOME_COUNT);
  return outcome_labels[outcome];
}

int opt_outcome_exit(opt_outcome outcome)
{
  TG_ASSERT(outcome < OPT_OUTCOME_COUNT);
  return outcome_exits[outcome];
}
