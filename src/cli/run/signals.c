// Signals that ask a run to stop.
#include "cli/run/signals.h"

#include <signal.h>
#include <string.h>

// A handler can reach nothing but static storage.
static volatile sig_atomic_t seen;

static const struct {
  int number;
  const char *name;
} watched[] = {{SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGTERM, "SIGTERM"},
               {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},   {SIGXCPU, "SIGXCPU"}};
enum { N_WATCHED = sizeof watched / sizeof watched[0] };

static void note(int number)
{
  seen = number;
}

static void mask(int how)
{
  sigset_t set;
  sigemptyset(&set);
  for (int k = 0; k < N_WATCHED; k++) sigaddset(&set, watched[k].number);
  sigprocmask(how, &set, NULL);
}

void tg_signals_block(void)
{
  mask(SIG_BLOCK);
}

void tg_signals_watch(void)
{
  for (int k = 0; k < N_WATCHED; k++) {
    struct sigaction action;
    struct sigaction before;
    // nohup, and a shell for what it starts in the background, have some of them ignored.
    if (sigaction(watched[k].number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    // Interrupted reads and writes go on. Whoever presses Ctrl-C twice means it; a batch system may well send
    // the others more than once.
    action.sa_flags = SA_RESTART;
    if (watched[k].number == SIGINT) action.sa_flags |= (int)SA_RESETHAND;
    sigaction(watched[k].number, &action, NULL);
  }
  // A reader of our output that has gone is no reason to stop.
  signal(SIGPIPE, SIG_IGN);
  mask(SIG_UNBLOCK);
}

bool tg_signals_seen(void)
{
  return seen != 0;
}

const char *tg_signals_name(void)
{
  for (int k = 0; k < N_WATCHED; k++)
    if (seen == watched[k].number) return watched[k].name;
  return "";
}
