"""Hosts on one machine: network namespaces with a host name each, on one bridge. Needs root and iproute2.

Open MPI takes them for nodes: ranks on different ones talk by TCP, and a link can be cut or made slow. hosts.py is also the
agent by which mpirun starts its daemon on a host: hosts.py HOST COMMAND...
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from tracegrad_run import environment_of

SELF = pathlib.Path(__file__).resolve()
PREFIX = "tgh"  # of namespaces and links, followed by the process that made them


def ip(*words, check=True):
    return subprocess.run(["ip", *map(str, words)], check=check, capture_output=True, text=True)


def lacking():
    """Why there can be no hosts here, or None."""
    if os.geteuid() != 0:
        return "hosts need root"
    for program, package in (("ip", "iproute2"), ("nsenter", "util-linux"), ("mpirun", "openmpi-bin")):
        if shutil.which(program) is None:
            return f"hosts need {program} (package {package})"
    made = ip("netns", "add", f"{PREFIX}{os.getpid()}try", check=False)
    ip("netns", "del", f"{PREFIX}{os.getpid()}try", check=False)
    return f"no network namespaces: {made.stderr.strip()}" if made.returncode != 0 else None


def inside(name):
    """The words before a command that runs on host `name`."""
    return ["nsenter", f"--net=/run/netns/{name}", "unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh"]


class Hosts:
    """with Hosts(2) as hosts: two hosts, gone afterwards with all that runs on them."""

    def __init__(self, count):
        process = os.getpid()
        self.bridge = f"{PREFIX}{process}b"
        self.names = [f"{PREFIX}{process}n{k}" for k in range(count)]
        self.links = [f"{PREFIX}{process}l{k}" for k in range(count)]  # their ends on the bridge
        self.net = f"10.{64 + process % 128}.{process // 128 % 256}"

    def address(self, k):
        return f"{self.net}.{k + 1}"

    def __enter__(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.net}.254/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for k, (name, link) in enumerate(zip(self.names, self.links)):
            ip("netns", "add", name)
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", link, "master", self.bridge, "up")
            ip("-n", name, "addr", "add", f"{self.address(k)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for k, (name, link) in enumerate(zip(self.names, self.links)):
            self.lose(k)
            ip("netns", "del", name, check=False)
            ip("link", "del", link, check=False)
        ip("link", "del", self.bridge, check=False)

    def cut(self, k):
        ip("link", "set", self.links[k], "down")

    def heal(self, k):
        ip("link", "set", self.links[k], "up")

    def slow(self, k, rate):
        """What host k sends goes at `rate` at most, such as 100mbit."""
        subprocess.run(["tc", "-n", self.names[k], "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "256kb",
                        "latency", "100ms"], check=True)

    def lose(self, k):
        """All processes of host k are killed at once."""
        for pid in ip("netns", "pids", self.names[k], check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def start(self, placement, command, folder, flags=()):
        """mpirun in the background, with so many ranks on each host as `placement` says; its output goes to files in `folder`."""
        hostfile = folder / "hosts"
        hostfile.write_text("".join(f"{self.address(k)} slots={ranks}\n" for k, ranks in enumerate(placement) if ranks > 0))
        agent = folder / "agent"
        # mpirun gives the host's address, then the words of a shell command.
        agent.write_text(f'#!/bin/sh\nexport PYTHONPATH={os.environ.get("PYTHONPATH", "")}\nexec {sys.executable} -B {SELF} '
                         + " ".join(f"{self.address(k)}={name}" for k, name in enumerate(self.names)) + ' -- "$@"\n')
        agent.chmod(0o755)
        words = ["mpirun", "--hostfile", hostfile, "-n", sum(placement), "--bind-to", "none", "--mca", "mpi_yield_when_idle", 1,
                 "--mca", "plm_rsh_agent", agent, "--mca", "pml", "ob1", "--mca", "btl", "self,vader,tcp",
                 "--mca", "btl_tcp_if_include", f"{self.net}.0/24", "--mca", "oob_tcp_if_include", f"{self.net}.0/24",
                 "-x", "OMP_NUM_THREADS", *flags, *command]
        with open(folder / "stdout", "w") as out, open(folder / "stderr", "w") as err:
            return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    env=environment_of(OMP_NUM_THREADS="1"))


def agent(arguments):
    """ADDRESS=NAME... -- ADDRESS COMMAND...: runs the command by a shell on that host."""
    split = arguments.index("--")
    names = dict(pair.split("=") for pair in arguments[:split])
    address, *command = arguments[split + 1:]
    words = [*inside(names[address]), "sh", "-c", " ".join(command)]
    os.execvp(words[0], words)


if __name__ == "__main__":
    agent(sys.argv[1:])
