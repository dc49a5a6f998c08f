"""Graphical lassos tr(S*X) - logdet(X) + w*norm1(X): seconds to 1e-6 of the objective, ours beside scikit-learn's graphical_lasso.

glasso.py FOLDER F        the peer: minimises with FOLDER/S.npy and w.npy and prints the seconds of its runs as JSON

S is the correlation matrix of 3n samples of a chain of n variables. scikit-learn leaves the diagonal out of the penalty, so that it is given
S + w*eye. Its tolerances are lowered tenfold until its answer is within 1e-6 of the least objective known, F; that run is timed.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

import ours

NAMES = {f"glasso-{n}-{w}": (n, w) for n in (60, 200) for w in (0.1, 0.2)}  # the variables, the weight
RUNS = 5
REACHED = 1e-6


def data(n):
    chain = np.eye(n) + 0.4 * (np.eye(n, k=1) + np.eye(n, k=-1))
    z = np.random.default_rng(n).multivariate_normal(np.zeros(n), np.linalg.inv(chain), size=3 * n)
    return np.corrcoef(z.T)


def write(folder, n, w):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "S.npy", data(n))
    np.save(folder / "w.npy", np.array([[w]]))
    (folder / "job.yaml").write_text(f"minimize: tr(S*X) - logdet(X) + w*norm1(X)\nvariables: {{X: {{rows: {n}, columns: {n}}}}}\n"
                                     f"data: {{S: {{file: S.npy}}, w: {w}}}\n")
    return folder / "job.yaml"


def run_ours(options, job, folder):
    """(seconds and products to REACHED, the least objective, the share of entries that are not zero)."""
    report, history = ours.run(options.build / "tracegrad", job, folder / "ours", 1, {"output.variables.X": "X.npy"}, options.limit)
    if isinstance(report, str):
        ours.fail("solvers", report)
    f = report["objective"]
    record = next(record for record in history if record["objective"] <= f + REACHED * abs(f))
    return record["seconds"], record["products"], f, float((np.load(folder / "ours" / "X.npy") != 0).mean())


def run_peer(folder, f):
    done = subprocess.run([sys.executable, "-B", __file__, folder, repr(f)], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def bench(options, name):
    """Both in turns; a row of the benchmark, or None where the peer is not installed."""
    n, w = NAMES[name]
    try:
        import sklearn.covariance  # noqa: F401
    except ImportError as error:
        print(f"\n{name}\n  skipped: {error}", flush=True)
        return None
    folder = options.output / name
    job = write(folder, n, w)
    threads = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    f = run_ours(options, job, folder)[2]
    pairs = [(run_ours(options, job, folder), run_peer(folder, f)) for _ in range(RUNS)]
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = threads
    seconds = float(np.median([mine[0] for mine, _ in pairs]))
    peer = float(np.median([its["seconds"] for _, its in pairs]))
    row = {"seconds": seconds, "products": pairs[0][0][1], "peer_seconds": peer, "peer_tolerance": pairs[0][1]["tolerance"],
           "nonzero": pairs[0][0][3], "objective": f}
    target = {"what": "seconds to 1e-6 of the objective, in those of scikit-learn", "found": round(seconds / peer, 3), "bound": 1,
              "holds": seconds <= peer}
    print(f"\n{name}: tr(S X) - logdet(X) + {w} |X|_1, n = {n}, {100 * row['nonzero']:.1f} % of X not zero, one thread each\n"
          f"  ours {seconds:.4f} s, {row['products']} products; scikit-learn {peer:.4f} s with a tolerance of {row['peer_tolerance']:.0e}\n"
          f"  {target['what']}: {target['found']}, at most 1: {'met' if target['holds'] else 'MISSED'}", flush=True)
    return {"problem": name, "rows": {"ours": row}, "targets": [target]}


def main():
    import warnings
    from sklearn.covariance import graphical_lasso
    warnings.simplefilter("ignore")
    folder, f = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    s, w = np.load(folder / "S.npy"), float(np.load(folder / "w.npy").item())
    shifted, tolerance = s + w * np.eye(len(s)), 1.0
    while tolerance > 1e-9:
        tolerance /= 10
        begin = time.perf_counter()
        x = graphical_lasso(shifted, w, tol=tolerance, enet_tol=min(1e-4, tolerance), max_iter=1000)[1]
        seconds = time.perf_counter() - begin
        x = (x + x.T) / 2
        if (s * x).sum() - np.linalg.slogdet(x)[1] + w * np.abs(x).sum() <= f + REACHED * abs(f):
            break
    print(json.dumps({"seconds": seconds, "tolerance": tolerance}))


if __name__ == "__main__":
    main()
