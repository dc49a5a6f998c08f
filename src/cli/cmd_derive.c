// tracegrad derive: the gradient of an expression.
#include "cli/cli.h"

tg_status cmd_derive(int argc, char **argv, int *exit_status)
{
  (void)argc;
  (void)argv;
  (void)exit_status;
  TG_FAIL(TG_UNSUPPORTED, "derive: not available yet");
}
