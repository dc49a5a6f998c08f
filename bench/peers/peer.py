"""Runs one peer on one problem in a process of its own and prints what it needed, as one line of JSON.

peer.py PEER PROBLEM SCALE SECONDS FOLDER [OMM]     started by bench/solvers; FOLDER holds the matrices

Every peer minimises through the same hand-written value and gradient (problems.py), so that only the method differs.
Each evaluation is counted and its gradient looked at: the first one at which |g| <= tolerance |g at the start| is what the peer
needed, trial points of its line search included. At 1e-8, or when SECONDS are over, it is stopped.
"""

import json
import pathlib
import sys
import time

import numpy as np

import problems

TOLERANCES = (1e-6, 1e-8)


class Stop(Exception):
    """Raised out of an evaluation: enough."""


class Monitor:
    """Counts evaluations; remembers when each tolerance was first met, and the point with the least gradient."""

    def __init__(self, problem, matrices, seconds):
        self.problem, self.matrices = problem, matrices
        self.start = problem.start if problem.peer_start is None else problem.peer_start
        self.first = None
        self.evaluations = 0
        self.reached = {}
        self.best = np.inf
        self.objective = np.nan
        problem.evaluate(matrices, self.start)  # pages in, threads awake
        self.begin = time.perf_counter()
        self.end = self.begin + seconds

    def __call__(self, x):
        """x: a flat array. The value and the flat gradient."""
        f, gradient = self.problem.evaluate(self.matrices, x.reshape(self.start.shape))
        self.evaluations += 1
        norm = float(np.linalg.norm(gradient))
        now = time.perf_counter()
        if self.first is None:
            self.first = norm
        relative = norm / self.first
        if relative < self.best:
            self.best, self.objective = relative, f
        for tolerance in TOLERANCES:
            if relative <= tolerance and tolerance not in self.reached:
                self.reached[tolerance] = (self.evaluations, now - self.begin)
        if TOLERANCES[-1] in self.reached or now > self.end:
            raise Stop
        return f, gradient.ravel()


def run_scipy(method):
    import scipy.optimize
    options = {"maxiter": 10 ** 9, "gtol": 0}
    if method == "L-BFGS-B":
        options.update(maxfun=10 ** 9, ftol=0)

    def run(monitor):
        result = scipy.optimize.minimize(monitor, monitor.start.ravel(), jac=True, method=method, options=options)
        return str(result.message)
    return run, scipy.__version__


def run_torch():
    import torch
    torch.set_default_dtype(torch.float64)

    def run(monitor):
        x = torch.from_numpy(monitor.start.ravel().copy()).requires_grad_(True)
        # Its default memory is 100 pairs; all the other methods here keep 5 to 10.
        method = torch.optim.LBFGS([x], lr=1, max_iter=10 ** 9, max_eval=10 ** 9, tolerance_grad=0, tolerance_change=0,
                                   history_size=100, line_search_fn="strong_wolfe")

        def closure():
            f, gradient = monitor(x.detach().numpy())
            x.grad = torch.from_numpy(gradient)
            return torch.tensor(f)
        method.step(closure)
        return "its line search ended"
    return run, torch.__version__


def run_tao(kind):
    import petsc4py
    petsc4py.init([])
    from petsc4py import PETSc

    def run(monitor):
        x = PETSc.Vec().createSeq(monitor.start.size)
        x.setArray(monitor.start.ravel())

        def value_and_gradient(tao, point, gradient):
            f, g = monitor(point.getArray(readonly=True))
            gradient.setArray(g)
            return f
        tao = PETSc.TAO().create(PETSc.COMM_SELF)
        tao.setType(kind)
        tao.setObjectiveGradient(value_and_gradient, None)
        tao.setSolution(x)
        tao.setTolerances(gatol=1e-300, grtol=0, gttol=0)
        tao.setMaximumIterations(10 ** 9)
        tao.setMaximumFunctionEvaluations(10 ** 9)
        tao.solve()
        return f"ended with reason {tao.getConvergedReason()}"
    return run, ".".join(str(v) for v in PETSc.Sys.getVersion())


PEERS = {
    "scipy-lbfgsb": lambda: run_scipy("L-BFGS-B"),
    "scipy-cg": lambda: run_scipy("CG"),
    "torch-lbfgs": run_torch,
    "tao-lmvm": lambda: run_tao("lmvm"),
    "tao-bncg": lambda: run_tao("bncg"),
}


def main():
    peer, name, scale, seconds, folder = sys.argv[1:6]
    problem = problems.catalogue(float(scale), sys.argv[6] if len(sys.argv) > 6 else "")[name]()
    matrices = {key: np.load(pathlib.Path(folder) / f"{key}.npy") for key in problem.matrices}
    try:
        run, version = PEERS[peer]()
    except ImportError as error:
        print(json.dumps({"skipped": str(error)}))
        return
    monitor = Monitor(problem, matrices, float(seconds))
    try:
        with np.errstate(all="ignore"):
            why = "gave up: " + run(monitor)
    except Stop:
        why = "converged" if TOLERANCES[-1] in monitor.reached else f"stopped after {seconds} s"
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        why = f"broke: {error}"
    reached = {str(t): {"evaluations": e, "products": e * problem.products, "seconds": s} for t, (e, s) in monitor.reached.items()}
    print(json.dumps({"version": version, "status": why, "evaluations": monitor.evaluations, "gradient": monitor.best,
                      "objective": monitor.objective, "reached": reached}))


if __name__ == "__main__":
    main()
