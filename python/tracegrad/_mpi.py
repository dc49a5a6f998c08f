"""MPI: that of mpi4py where a communicator is given, else this process alone."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import threading
from ctypes import POINTER, byref, c_char_p, c_int, c_void_p
from typing import Any, Iterator, Optional

from ._errors import Error, invalid
from ._library import solver

THREAD_FUNNELED = 1
_lock = threading.Lock()


class _DlInfo(ctypes.Structure):
    _fields_ = [("file", c_char_p), ("base", c_void_p), ("name", c_char_p), ("address", c_void_p)]


def _is_open_mpi() -> bool:
    return hasattr(solver(), "ompi_mpi_comm_self")


def _show_to_plugins() -> None:
    """Open MPI's plugins look for its functions among the global symbols."""
    info = _DlInfo()
    dladdr = ctypes.CDLL(None).dladdr
    dladdr.argtypes = [c_void_p, POINTER(_DlInfo)]
    if dladdr(ctypes.cast(solver().MPI_Init_thread, c_void_p), byref(info)) and info.file:
        ctypes.CDLL(info.file.decode(), mode=ctypes.RTLD_GLOBAL)


def _is_launched() -> bool:
    by_srun = "SLURM_PROCID" in os.environ and "SLURM_STEP_ID" in os.environ
    return by_srun or any(name in os.environ for name in ("OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"))


def _flag(function) -> bool:
    flag = c_int(0)
    function(byref(flag))
    return flag.value != 0


def is_over(library: ctypes.CDLL) -> bool:
    """Whether MPI has been finalised."""
    return _flag(library.MPI_Finalized)


def _finalise() -> None:
    library = solver()
    if _owner == os.getpid() and not is_over(library):
        library.MPI_Finalize()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Where no launcher is, Open MPI need look for neither networks nor a daemon. Programs started later do not inherit this."""
    settings = {"pml": "ob1", "btl": "self", "ess_singleton_isolated": "1", "orte_create_session_dirs": "0"}
    ours = [] if _is_launched() else [f"OMPI_MCA_{name}" for name in settings if f"OMPI_MCA_{name}" not in os.environ]
    for name in ours:
        os.environ[name] = settings[name[len("OMPI_MCA_"):]]
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def start() -> None:
    """Starts MPI where nobody has, and ends it when the interpreter ends."""
    library = solver()
    with _lock:
        if _flag(library.MPI_Finalized):
            raise Error("MPI has been finalised: nothing can be minimised any more in this process")
        if _flag(library.MPI_Initialized):
            return
        _show_to_plugins()
        provided = c_int(0)
        with _alone():
            status = library.MPI_Init_thread(None, None, THREAD_FUNNELED, byref(provided))
        if status != 0:
            raise Error("MPI_Init_thread failed")
        atexit.register(_finalise)


_owner: Optional[int] = None  # the process that has used MPI


def refuse_fork() -> None:
    """Neither MPI nor the threads of OpenMP come along into a forked process: it would never return."""
    global _owner
    if _owner is None:
        _owner = os.getpid()
    elif _owner != os.getpid():
        raise invalid("this process was forked from one that has used tracegrad, whose MPI and threads do not come along: start "
                      "it by multiprocessing.get_context('spawn')")


class Ranks:
    """The ranks of a communicator of mpi4py, or of None: this process."""

    def __init__(self, comm: Any) -> None:
        refuse_fork()
        self.comm = comm
        if comm is None:
            start()
            self.rank, self.size = 0, 1
        else:
            if not hasattr(comm, "Get_rank"):
                raise invalid(f"comm is a {type(comm).__name__}, expected a communicator of mpi4py or None")
            self.rank, self.size = comm.Get_rank(), comm.Get_size()

    def argument(self):
        """The MPI_Comm, as a C function takes it: a pointer of Open MPI, a number of MPICH."""
        if self.comm is not None:
            from mpi4py import MPI  # type: ignore[import-not-found, import-untyped, unused-ignore]

            kind = c_int if MPI._sizeof(MPI.Comm) == ctypes.sizeof(c_int) else c_void_p
            return kind.from_address(MPI._addressof(self.comm))
        if _is_open_mpi():
            return c_void_p(ctypes.addressof(ctypes.c_char.in_dll(solver(), "ompi_mpi_comm_self")))
        return c_int(0x44000001)  # MPI_COMM_SELF of MPICH and its relatives

    def of_all(self, value: Any) -> list[Any]:
        """The values of all ranks."""
        return [value] if self.size == 1 else self.comm.allgather(value)

    def of_root(self, make) -> Any:
        """make() on rank 0, its result on all; its exception, too."""
        if self.size == 1:
            return make()
        outcome: Optional[tuple[Any, Optional[Exception]]] = None
        if self.rank == 0:
            try:
                outcome = (make(), None)
            except Exception as error:  # noqa: BLE001 - raised on all ranks
                outcome = (None, error)
        result, failure = self.comm.bcast(outcome, root=0)
        if failure is not None:
            raise failure
        return result
