"""Choices that the run itself proves wrong: where the iterations are three times what was forecast, auto takes the other way.

A Poisson loss whose Hessian at zero, by which auto judges, says nothing of the one at the minimum.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()
N, M, K = 10, 200, 4


def write_job(folder):
    random = np.random.default_rng(0)
    a = random.standard_normal((M, N))
    b = np.exp(np.clip(a @ (1.5 * random.standard_normal((N, K))), -30, 12))
    np.save(folder / "A.npy", a)
    np.save(folder / "B.npy", b)
    job = folder / "job.yaml"
    job.write_text(f"minimize: sum(exp(A*X)) - dot(B, A*X)\nvariables: {{X: {{rows: {N}, columns: {K}}}}}\n"
                   f"data: {{A: {{file: {folder}/A.npy}}, B: {{file: {folder}/B.npy}}}}\noutput: {{variables: {{X: X.npy}}}}\n")
    return job


def records(job):
    return [{key: value for key, value in record.items() if key != "seconds"} for record in job.history]


def test_taken(folder, job):
    """Until then the iterates are those without a preconditioner; from then on those of one that is made there."""
    plain = run_job(job, folder / "plain", ranks=0, settings={"solver.preconditioner": "none"})
    revised = run_job(job, folder / "revised", ranks=0)
    report = revised.report
    checks.equal(f"ended {revised.err[-300:]}", report["status"], "converged")
    checks.equal("revisions", (report["revisions"], plain.report["revisions"]), (1, 0))
    words = report["preconditioner"].split()
    if not checks.check(words[:2] == ["kronecker", "after"], f"preconditioner: {report['preconditioner']}"):
        return None
    taken = int(words[2])
    checks.check(report["iterations"] > taken, f"taken after {taken}, ended after {report['iterations']}")
    checks.check("  revised   kronecker after" in revised.err, f"progress: {revised.err}")
    for key in ("objective", "gradient_norm", "step"):
        checks.equal(f"before: {key}", [r[key] for r in revised.history[:taken + 1]], [r[key] for r in plain.history[:taken + 1]])
    checks.check(report["iterations"] <= plain.report["iterations"], f"{report['iterations']} iterations, without {plain.report['iterations']}")
    a, b = np.load(folder / "A.npy"), np.load(folder / "B.npy")
    gradient = a.T @ (np.exp(a @ np.load(revised.folder / "X.npy")) - b)
    checks.check(np.linalg.norm(gradient) <= 1.1 * report["gradient_target"], f"gradient {np.linalg.norm(gradient)}")
    for ranks in (2, 3):
        other = run_job(job, folder / f"on {ranks}", ranks=ranks)
        for key in ("revisions", "preconditioner", "status"):
            checks.equal(f"{ranks} ranks: {key}", other.report[key], report[key])
    return taken


def test_resumed(folder, job, taken):
    """Stopped before, at and after the change, a run goes on with the bits of the one that was not stopped."""
    whole = run_job(job, folder / "whole", ranks=0)
    for stop in (taken - 1, taken, taken + 1, taken + 3):
        settings = {"checkpoint.directory": folder / f"saved-{stop}", "checkpoint.every": "1h"}
        out = folder / f"stopped-{stop}"
        run_job(job, out, ranks=0, settings={**settings, "solver.max_iterations": stop})
        done = run_job(job, out, ranks=0, settings=settings, options=["--resume"])
        if not checks.equal(f"stopped after {stop}: exit status {done.err[-300:]}", done.status, 0):
            continue
        checks.equal(f"stopped after {stop}: history", records(done), records(whole))
        checks.check((done.folder / "X.npy").read_bytes() == (whole.folder / "X.npy").read_bytes(), f"stopped after {stop}: X differs")
        for key in ("revisions", "preconditioner", "iterations"):
            checks.equal(f"stopped after {stop}: {key}", done.report[key], whole.report[key])


def test_kept(folder, job):
    """A forecast that holds is not revised, nor is what the job asks for."""
    for settings in ({"solver.gradient_tolerance": 1e-2}, {"solver.preconditioner": "kronecker"}, {"solver.method": "l-bfgs"}):
        done = run_job(job, folder / "kept", ranks=0, settings=settings)
        checks.equal(f"{settings}: revisions", (done.report["status"], done.report["revisions"]), ("converged", 0))
        checks.check("  revised " not in done.err, f"{settings}: {done.err}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-revised-") as temporary:
        folder = Path(temporary)
        job = write_job(folder)
        taken = test_taken(folder, job)
        if taken is not None:
            test_resumed(folder, job, taken)
        test_kept(folder, job)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
