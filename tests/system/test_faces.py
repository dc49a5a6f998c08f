"""newton-cg under bounds finds the face of ill-conditioned least squares in tens of iterations, whatever the rounding; KKT recomputed."""

import pathlib
import sys
import tempfile

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()


def problem(rng, condition):
    """A 120 x 60 with A'A of this condition, B 120 x 5."""
    left = np.linalg.qr(rng.standard_normal((120, 60)))[0]
    right = np.linalg.qr(rng.standard_normal((60, 60)))[0]
    return left * 10 ** -np.linspace(0, np.log10(condition) / 2, 60) @ right.T, rng.standard_normal((120, 5))


def left_to_gain(A, B, X, low, high):
    """The largest entry of the gradient that a step into the bounds descends along, beside that at zero."""
    G = A.T @ (A @ X - B)
    pulled = np.where(X <= low, np.minimum(G, 0), np.where(X >= high, np.maximum(G, 0), G))
    return abs(pulled).max() / abs(A.T @ B).max()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for seed in range(3):
            A, B = problem(np.random.default_rng(seed), 1e6)
            np.save(folder / "A.npy", A)
            np.save(folder / "B.npy", B)
            for constraint, low, high in (("nonnegative", 0, np.inf), ("{box: [-3, 5]}", -3, 5)):
                job = folder / "job.yaml"
                job.write_text(f"minimize: sumsq(A*X - B)\nvariables: {{X: {{rows: 60, columns: 5, constraint: {constraint}}}}}\n"
                               "data: {A: {file: A.npy}, B: {file: B.npy}}\nsolver: {method: newton-cg}\n")
                for ranks in (1, 3):
                    done = run_job(job, folder / "out", ranks=ranks)
                    what = f"{constraint}, {seed} on {ranks}"
                    if not checks.equal(f"{what}: exit status {done.err[-300:]}", done.status, 0):
                        continue
                    gain = left_to_gain(A, B, np.load(done.folder / "X.npy"), low, high)
                    checks.check(gain <= 1e-6, f"{what}: {gain:.1e} of the gradient is left")
                    checks.check(done.report["iterations"] <= 100, f"{what}: {done.report['iterations']} iterations")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
