"""Nonnegative factorisations sumsq(M - U*V): seconds until the same objective, ours beside scikit-learn's NMF.

nmf.py FOLDER SECONDS     the peer: factorises FOLDER/M.npy from FOLDER/U.npy and V.npy and prints its course as JSON

Where a start leads is chance, for there are many local minima. So both run from several starts, one thread each, and what counts is the
geometric mean of the ratios of the seconds to an objective that both came to: REACHED times the higher of their ends.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

import ours

NAMES = {"nmf-digits": ("load_digits", 16), "nmf-wine": ("load_wine", 5)}  # where the data are, and the rank
SEEDS = range(6)
REACHED = 1.001
PIECE = 10  # iterations of the peer between two looks at its objective, which are not timed


def data(name):
    """(matrix, rank) of a problem; ImportError where the peer that brings the data is not installed."""
    import sklearn.datasets
    load, rank = NAMES[name]
    return np.ascontiguousarray(getattr(sklearn.datasets, load)().data, dtype=float), rank


def write(folder, m, rank, seed):
    """The job from a random start whose product has the size of the data; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    size = np.sqrt(m.mean() / rank)
    shapes = {"U": (m.shape[0], rank), "V": (rank, m.shape[1])}
    np.save(folder / "M.npy", m)
    for key, shape in shapes.items():
        np.save(folder / f"{key}.npy", size * np.abs(rng.standard_normal(shape)))
    lines = ["minimize: sumsq(M - U*V)", "variables:"]
    lines += [f"  {key}: {{rows: {shape[0]}, columns: {shape[1]}, start: {{file: {key}.npy}}, constraint: nonnegative}}"
              for key, shape in shapes.items()]
    (folder / "job.yaml").write_text("\n".join(lines + ["data: {M: {file: M.npy}}"]) + "\n")
    return folder / "job.yaml"


def course_of_ours(options, job, folder):
    report, history = ours.run(options.build / "tracegrad", job, folder / "ours", 1, {}, options.limit)
    if isinstance(report, str):
        ours.fail("solvers", report)
    return [(record["seconds"], record["objective"]) for record in history]


def course_of_peer(options, folder):
    done = subprocess.run([sys.executable, "-B", __file__, folder, str(options.limit)], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def first(course, f):
    """The seconds at which the objective is at most f for the first time."""
    return next(seconds for seconds, objective in course if objective <= f)


def bench(options, name):
    """Both from all starts; a row of the benchmark, or None where the peer is not installed."""
    try:
        m, rank = data(name)
    except ImportError as error:
        print(f"\n{name}\n  skipped: {error}", flush=True)
        return None
    print(f"\n{name}: |M - U V|^2, U and V nonnegative, {m.shape[0]} x {m.shape[1]}, rank {rank}, one thread each\n"
          f"  {'start':>6} {'end, ours':>13} {'scikit-learn':>13} {'seconds':>9} {'its':>9} {'ratio':>7}", flush=True)
    threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")}
    os.environ["OMP_NUM_THREADS"] = "1"
    rows = []
    for seed in SEEDS:
        folder = options.output / name / str(seed)
        job = write(folder, m, rank, seed)
        mine, its = course_of_ours(options, job, folder), course_of_peer(options, folder)
        f = REACHED * max(mine[-1][1], its[-1][1])
        row = {"seed": seed, "ours": mine[-1][1], "peer": its[-1][1], "seconds": first(mine, f), "peer_seconds": first(its, f)}
        rows.append(row)
        print(f"  {seed:6d} {row['ours']:13.8g} {row['peer']:13.8g} {row['seconds']:9.3f} {row['peer_seconds']:9.3f} "
              f"{row['seconds'] / row['peer_seconds']:7.2f}", flush=True)
    os.environ.update({key: value for key, value in threads.items() if value is not None})
    mean = float(np.exp(np.mean([np.log(max(row["seconds"], 1e-6) / row["peer_seconds"]) for row in rows])))
    target = {"what": "seconds to the same objective, in those of scikit-learn", "found": round(mean, 3), "bound": 1,
              "holds": mean <= 1}
    print(f"  {target['what']}: {target['found']}, at most 1: {'met' if target['holds'] else 'MISSED'}", flush=True)
    return {"problem": name, "rows": {f"start-{row['seed']}": row for row in rows}, "targets": [target]}


def main():
    import warnings
    from sklearn.decomposition import NMF
    warnings.simplefilter("ignore")  # each piece ends at its limit of iterations
    folder, limit = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    m, u, v = (np.load(folder / f"{key}.npy") for key in "MUV")
    method = NMF(n_components=u.shape[1], solver="cd", init="custom", tol=0, max_iter=PIECE)
    seconds, course = 0.0, [(0.0, float(np.sum((m - u @ v) ** 2)))]
    patience = 0
    while seconds < limit and patience < 20:
        begin = time.perf_counter()
        u = method.fit_transform(m, W=u, H=v)
        v = method.components_
        seconds += time.perf_counter() - begin
        course.append((seconds, float(np.sum((m - u @ v) ** 2))))
        patience = patience + 1 if course[-1][1] > (1 - 1e-6) * course[-2][1] else 0
    print(json.dumps(course))


if __name__ == "__main__":
    main()
