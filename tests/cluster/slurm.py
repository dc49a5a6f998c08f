"""Slurm on the hosts of hosts.py: the controller beside the bridge, one node a host. Packages munge, slurmctld, slurmd, slurm-client,
slurm-wlm-basic-plugins."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from hosts import inside

CONF = """ClusterName=tracegrad
SlurmctldHost={host}({address}.254)
SlurmUser=root
SlurmctldPort=6847
SlurmdPort=6848
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
MpiDefault=pmix
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
MinJobAge=3600
SchedulerParameters=batch_sched_delay=1,sched_interval=2
SlurmctldTimeout=30
SlurmdTimeout=30
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmdSpoolDir={folder}/spool-%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def lacking():
    """Why there can be no Slurm here, or None."""
    for program in ("munged", "slurmctld", "slurmd", "sbatch", "scontrol"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return f"Slurm needs {program} (packages munge, slurmctld, slurmd, slurm-client, slurm-wlm-basic-plugins)"
    return None


class Slurm:
    """with Slurm(hosts, folder) as slurm: a cluster of two nodes with two CPUs each. `folder` is seen by all nodes and is not below /tmp,
    which each node has for itself."""

    def __init__(self, hosts, folder):
        self.hosts, self.folder = hosts, pathlib.Path(folder)
        self.daemons = []
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def daemon(self, words, name):
        log = open(self.folder / f"{name}.out", "w")
        self.daemons.append(subprocess.Popen([str(word) for word in words], env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, start_new_session=True))

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        names = self.hosts.names[:2]
        (self.folder / "state").mkdir()
        nodes = [f"NodeName={name} NodeAddr={self.hosts.address(k)} CPUs=2 RealMemory=1000 State=UNKNOWN" for k, name in enumerate(names)]
        (self.folder / "slurm.conf").write_text(CONF.format(host=os.uname().nodename.split(".")[0], address=self.hosts.net,
                                                            folder=self.folder, nodes="\n".join(nodes)))
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        for folder in (self.folder.parent, self.folder):
            folder.chmod(0o755)
        munged = ["munged", "--foreground", f"--key-file={key}", f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                  f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munge.seed", "--force"]
        self.daemon(munged, "munged")
        self.wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        self.daemon(["slurmctld", "-D", "-c", "-f", self.folder / "slurm.conf"], "slurmctld")
        for name in names:
            (self.folder / f"spool-{name}").mkdir()
            own = 'mount --make-rprivate / && mount -t tmpfs tmpfs /tmp && exec "$@"'
            self.daemon([*inside(name), "unshare", "--mount", "sh", "-c", own, "sh", "slurmd", "-D", "-N", name], name)
        self.wait(lambda: self.run("sinfo", "-h", "-o", "%t %D").split() == ["idle", "2"], "two idle nodes")

    def __exit__(self, *_):
        self.run("scancel", "--full", "--user=root")
        for daemon in reversed(self.daemons):
            os.killpg(daemon.pid, signal.SIGTERM)
        for daemon in self.daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()

    def wait(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                logs = "\n".join(f"{path.name}: {path.read_text()[-500:]}" for path in self.folder.glob("*.out"))
                raise RuntimeError(f"waited {seconds} s for {what}\n{logs}")
            time.sleep(0.2)

    def run(self, *words):
        done = subprocess.run([str(word) for word in words], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300, check=False)
        return done.stdout if done.returncode == 0 else f"{done.stdout}{done.stderr}"

    def submit(self, script, *options):
        """The number of the job."""
        path = self.folder / f"script-{len(list(self.folder.glob('script-*')))}"
        path.write_text(script)
        return self.run("sbatch", "--parsable", *options, path).strip().split(";")[0]

    def states(self, job):
        """The states of a job, or of all tasks of an array."""
        shown = self.run("scontrol", "show", "job", "-o", job)
        return [word.removeprefix("JobState=") for word in shown.split() if word.startswith("JobState=")]
