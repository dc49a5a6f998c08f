"""Jobs on two and three hosts over TCP: the same bits as on one, slow links, links that are cut, nodes that are lost.

Skipped (exit status 77) where there can be no network namespaces.
"""

import json
import pathlib
import sys
import tempfile
import time

import numpy as np

from hosts import Hosts, lacking
from tracegrad_run import PROGRAM, Checks, run

SKIPPED = 77
LIMIT = 120  # seconds until a run counts as hanging
ITERATIONS = 15000  # of a run that is disturbed: some seconds
# docs/environment.md, "Signals and links"
KEEPALIVE = ["--mca", "oob_tcp_keepalive_time", 5, "--mca", "oob_tcp_keepalive_intvl", 2, "--mca", "oob_tcp_keepalive_probes", 3]

# Gradient descent with a fixed count of iterations: there is time to disturb it, and the last bits tell whether it was.
JOB = """minimize: tr(A*X*B*X') - 2*tr(C'*X)
variables: {X: {rows: 90, columns: 70}}
data:
  A: {generate: spd, rows: 90, condition: 1e6, seed: 1}
  B: {generate: spd, rows: 70, condition: 1e6, seed: 2}
  C: {generate: normal, rows: 90, columns: 70, seed: 3}
solver: {method: gradient-descent, max_iterations: COUNT, gradient_tolerance: 1e-14, preconditioner: none}
process_grid: {block: 16}
checkpoint: {directory: CKPT, every: 0.3}
output: {variables: {X: X.npy}}
"""


def wait(process, folder):
    """The exit status, or None: it hangs; and what it printed."""
    try:
        process.wait(LIMIT)
    except Exception:
        process.kill()
        process.wait()
        return None, "hangs"
    return process.returncode, (folder / "stderr").read_text()[-600:]


class Trial:
    """One job in a folder of its own, with the point that an undisturbed run on one host reaches."""

    def __init__(self, folder, name, count, ranks):
        self.folder = folder / name.replace(" ", "-")  # mpirun takes no spaces in the path of its agent
        self.folder.mkdir()
        self.job = self.folder / "job.yaml"
        self.job.write_text(JOB.replace("COUNT", str(count)).replace("CKPT", str(self.folder / "ckpt")))
        self.out = self.folder / "out"
        self.command = [PROGRAM, "run", self.job, "--output", self.out, "--quiet"]
        straight = self.folder / "straight"
        done = run([*self.command[1:3], "--output", straight, "--quiet", "--set", f"checkpoint.directory={self.folder}/ckpt-straight"],
                   ranks=ranks)
        assert done.status == 3, done.err
        self.expected = np.load(straight / "X.npy")

    def at_iteration(self, wanted, process):
        """Waits until a checkpoint of at least that iteration is there; False: the run ended before."""
        while process.poll() is None:
            for manifest in (self.folder / "ckpt").glob("[0-9]*/manifest.json"):
                if int(manifest.parent.name.split("-")[-1]) >= wanted:
                    return True
            time.sleep(0.02)
        return False

    def check_bits(self, checks, what):
        found = np.load(self.out / "X.npy")
        checks.check(np.array_equal(found, self.expected), f"{what}: off by {np.abs(found - self.expected).max():.1e}")


def test_same_bits(checks, hosts, folder):
    """Ranks on hosts of their own give the bits of ranks on one machine, whatever the speed of the link."""
    for placement, rate in (((1, 1, 0), None), ((1, 1, 1), None), ((2, 2, 0), "100mbit")):
        what = f"{placement}, {rate or 'full speed'}"
        trial = Trial(folder, f"bits-{len(placement)}-{sum(placement)}-{rate}", 60, sum(placement))
        if rate:
            hosts.slow(0, rate)
            hosts.slow(1, rate)
        status, err = wait(hosts.start(placement, trial.command, trial.folder), trial.folder)
        if checks.equal(f"{what}: exit status {err}", status, 3):
            trial.check_bits(checks, what)
            report = json.loads((trial.out / "report.json").read_text())
            checks.equal(f"{what}: ranks", report["ranks"], sum(placement))


def disturbed(checks, hosts, folder, name, disturb, flags, after):
    """A run of many iterations, disturbed when a checkpoint is there, then resumed as `after` says: the bits of a straight one."""
    trial = Trial(folder, name, ITERATIONS, 2)
    process = hosts.start((1, 1), trial.command, trial.folder, flags)
    if not checks.check(trial.at_iteration(200, process), f"{name}: ended before it could be disturbed"):
        return
    disturb()
    begin = time.monotonic()
    status, err = wait(process, trial.folder)
    print(f"{name}: ended after {time.monotonic() - begin:.1f} s with status {status}", flush=True)
    checks.check(status not in (None, 0, 3), f"{name}: status {status} {err}")
    partial = [path.name for path in trial.out.glob("*.npy")] if trial.out.exists() else []
    checks.equal(f"{name}: no result is left of half a run", partial, [])
    hosts.heal(1)
    status, err = wait(hosts.start(after, [*trial.command, "--resume"], trial.folder), trial.folder)
    if checks.equal(f"{name}, resumed: exit status {err}", status, 3):
        trial.check_bits(checks, f"{name}, resumed")


def test_short_cut(checks, hosts, folder):
    """A link that is gone for three seconds costs nothing but these."""
    trial = Trial(folder, "short-cut", ITERATIONS, 2)
    process = hosts.start((1, 1), trial.command, trial.folder)
    if not checks.check(trial.at_iteration(200, process), "short cut: ended before it could be disturbed"):
        return
    hosts.cut(1)
    time.sleep(3)
    hosts.heal(1)
    status, err = wait(process, trial.folder)
    if checks.equal(f"short cut: exit status {err}", status, 3):
        trial.check_bits(checks, "short cut")


def main():
    reason = lacking()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="tracegrad-cluster-") as temporary, Hosts(3) as hosts:
        folder = pathlib.Path(temporary)
        test_short_cut(checks, hosts, folder)
        disturbed(checks, hosts, folder, "cut link", lambda: hosts.cut(1), KEEPALIVE, (1, 1))
        disturbed(checks, hosts, folder, "lost node", lambda: hosts.lose(1), [], (2, 0))
        test_same_bits(checks, hosts, folder)  # the last: links stay slow
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
