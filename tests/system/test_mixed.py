"""Manifolds beside convex sets in one job: every variable stationary by its own conditions, recomputed in NumPy."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tracegrad_run import Checks, run_job

checks = Checks()
rng = np.random.default_rng(31)


def solve(folder, name, objective, variables, data, solver, ranks, block=3):
    here = folder / name
    here.mkdir(exist_ok=True)
    for key, value in data.items():
        np.save(here / f"{key}.npy", value)
    listing = "".join(f"  {key}: {{file: {key}.npy}}\n" for key in data)
    lines = "".join(f"  {key}: {{{value}}}\n" for key, value in variables.items())
    outputs = ", ".join(f"{key}: {key}.npy" for key in variables)
    (here / "job.yaml").write_text(f"minimize: {objective}\nvariables:\n{lines}data:\n{listing}"
                                   f"solver: {{{solver}, max_iterations: 20000}}\nprocess_grid: {{block: {block}}}\n"
                                   f"output: {{variables: {{{outputs}}}}}\n")
    finished = run_job(here / "job.yaml", here / "out", ranks=ranks)
    status = finished.report["status"] if finished.report else finished.err.strip()[-300:]
    checks.equal(f"{name}, {solver}, {ranks} ranks: status", status, "converged")
    return finished.report, *(np.load(here / "out" / f"{key}.npy") for key in variables)


def frame_gap(U, G):
    """The Riemannian gradient on U'U = I; what U itself is off by is added."""
    S = U.T @ G
    return np.linalg.norm(G - U @ (S + S.T) / 2) + np.linalg.norm(U.T @ U - np.eye(U.shape[1])) * np.linalg.norm(G)


def sphere_gap(X, G):
    return np.linalg.norm(G - X * (X * G).sum(axis=0)) + np.abs(np.linalg.norm(X, axis=0) - 1).max() * np.linalg.norm(G)


def bounds_gap(V, G, low, high):
    assert (V >= low).all() and (V <= high).all()
    at_low, at_high = V <= low, V >= high
    return np.linalg.norm(np.where(at_low, np.minimum(G, 0), np.where(at_high, np.maximum(G, 0), G)))


def test_orthonormal_nonnegative(folder):
    """Orthonormal U beside nonnegative V, by all methods that serve the mixture."""
    for m, n, p, ranks in ((12, 9, 3, 4), (8, 5, 2, 3), (6, 7, 1, 1)):
        A = rng.random((m, n)) + 0.2 * rng.normal(size=(m, n))
        for method in ("auto", "barzilai-borwein", "alternating"):
            report, U, V = solve(folder, "procrustes", "sumsq(A - U*V')",
                                 {"U": f"rows: {m}, columns: {p}, constraint: orthonormal_columns",
                                  "V": f"rows: {n}, columns: {p}, constraint: nonnegative, start: uniform"},
                                 {"A": A}, f"method: {method}", ranks)
            E = U @ V.T - A
            gaps = frame_gap(U, 2 * E @ V), bounds_gap(V, 2 * E.T @ U, 0, np.inf)
            limit = 1e-6 * np.linalg.norm(2 * A)
            checks.check(max(gaps) <= limit, f"{m} x {n}, {p} by {method}: gaps {gaps}, allowed {limit}")
            checks.close(f"{m} x {n}, {p} by {method}: objective", report["objective"], (E**2).sum(), 1e-9)
            checks.check(report["constraint_violation"] <= 1e-12, f"violation {report['constraint_violation']}")


def test_plateau(folder):
    """A step that takes V to zero leaves f without U: from there the run goes on at another U, to the best term of rank one."""
    left = 0
    for seed in range(1, 13):
        A = np.random.default_rng(seed).random((5, 3)) + 0.01
        report, U, V = solve(folder, "plateau", "sumsq(A - U*V)",
                             {"U": f"rows: 5, columns: 1, constraint: orthonormal_columns, start: normal, seed: {seed}",
                              "V": f"rows: 1, columns: 3, constraint: nonnegative, start: uniform, scale: 1e-3, seed: {seed}"},
                             {"A": A}, "method: barzilai-borwein", (1, 2, 3)[seed % 3])
        least = (np.linalg.svd(A)[1][1:]**2).sum()
        left += report["saddles"]
        checks.check(report["objective"] <= least * (1 + 1e-8), f"plateau, seed {seed}: {report['objective']}, least {least}")
    checks.check(left > 0, "plateau: no start leads there")


def test_spheres_box(folder):
    """Unit columns beside a box with bounds by entries, and a free variable."""
    A, low = rng.normal(size=(9, 7)), -rng.random((3, 7))
    report, D, X, b = solve(folder, "dictionary", "sumsq(A - D*X - b*ones(1,7)) + 0.1*sumsq(X)",
                            {"D": "rows: 9, columns: 3, constraint: unit_columns",
                             "X": "rows: 3, columns: 7, constraint: {box: [low, 0.8]}, start: normal",
                             "b": "rows: 9, columns: 1"}, {"A": A, "low": low}, "method: auto", 3)
    E = D @ X + b - A
    gaps = sphere_gap(D, 2 * E @ X.T), bounds_gap(X, 2 * D.T @ E + 0.2 * X, low, 0.8), np.linalg.norm(2 * E.sum(axis=1))
    checks.check(max(gaps) <= 1e-6 * np.linalg.norm(2 * A), f"dictionary: gaps {gaps}")


def test_sparse_factor(folder):
    """A norm1 of a free variable beside orthonormal columns: proximal steps."""
    A = rng.normal(size=(10, 8))
    for method in ("auto", "alternating"):
        report, U, V = solve(folder, "sparse", "0.5*sumsq(A - U*V') + 0.8*norm1(V)",
                             {"U": "rows: 10, columns: 3, constraint: orthonormal_columns",
                              "V": "rows: 8, columns: 3, start: normal"}, {"A": A}, f"method: {method}", 2)
        E = U @ V.T - A
        G = E.T @ U
        zero = V == 0
        gap = np.linalg.norm(np.where(zero, np.maximum(np.abs(G) - 0.8, 0), G + 0.8 * np.sign(V)))
        checks.check(max(gap, frame_gap(U, E @ V)) <= 1e-6 * np.linalg.norm(A), f"sparse by {method}: {gap}, {frame_gap(U, E @ V)}")
        checks.check(zero.any(), f"sparse by {method}: no zeros")


def test_simplex(folder):
    """Orthonormal columns beside rows on the simplex, whose projection is not entry by entry."""
    A = rng.random((9, 6))
    _, U, W = solve(folder, "simplex", "sumsq(A - U*W)", {"U": "rows: 9, columns: 2, constraint: orthonormal_columns",
                                                          "W": "rows: 2, columns: 6, constraint: {simplex_rows: 3}"},
                    {"A": A}, "method: auto", 4)
    E = U @ W - A
    G = 2 * U.T @ E
    above = np.where(W > 1e-9, G - G.min(axis=1, keepdims=True), 0).max()
    checks.check(max(above, frame_gap(U, 2 * E @ W.T)) <= 1e-6 * np.linalg.norm(2 * A), f"simplex: {above}")
    checks.check(W.min() >= 0 and np.abs(W.sum(axis=1) - 3).max() <= 1e-12, "simplex: sums")


def test_refused(folder):
    job = folder / "refused.yaml"
    job.write_text("minimize: sumsq(eye - U*V')\nvariables:\n  U: {rows: 4, columns: 2, constraint: orthonormal_columns}\n"
                   "  V: {rows: 4, columns: 2, constraint: nonnegative}\nsolver: {method: newton-cg}\n")
    finished = run_job(job, folder / "refused")
    checks.equal("newton-cg: exit status", finished.status, 2)
    for text in ("refused.yaml:5:", "newton-cg does not know manifolds beside convex sets", "alternating"):
        checks.check(text in finished.err, f"newton-cg: no {text!r} in {finished.err.strip()[-300:]}")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-mixed-") as temporary:
        folder = Path(temporary)
        for name, test in list(globals().items()):
            if name.startswith("test_") and (len(sys.argv) == 1 or name in sys.argv[1:]):
                test(folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
