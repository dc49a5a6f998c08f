"""Runs tracegrad on a job and reads what it needed from its report and history: for bench/solvers and bench/methods."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def cores():
    """The cores that this process may use, as all scripts here count them."""
    return int(subprocess.run([ROOT / "scripts" / "cores"], stdout=subprocess.PIPE, check=True, text=True).stdout)


def number(kind, lowest, what):
    """A converter of command-line arguments to numbers of this kind above `lowest`, for argparse."""
    def convert(text):
        value = kind(text)
        if not value > lowest:
            raise ValueError
        return value
    convert.__name__ = what
    return convert


def run(program, job, folder, ranks, settings, seconds):
    """`tracegrad run` with these settings; (report, history), or a sentence instead of the report when there is none."""
    folder = pathlib.Path(folder)
    for name in ("report.json", "history.jsonl"):
        (folder / name).unlink(missing_ok=True)
    command = [ROOT / "scripts" / "mpirun-local", ranks, program, "run", job, "--output", folder, "--quiet"]
    for key, value in {"solver.max_iterations": 10 ** 9, "solver.time_limit": seconds, **settings}.items():
        command += ["--set", f"{key}={value}"]
    try:
        # Reading and the first evaluation come on top of the limit on the minimisation.
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", timeout=5 * seconds + 120, check=False)
    except subprocess.TimeoutExpired:
        return "did not end in time", []
    if not (folder / "report.json").exists():
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return lines[0], []
    report = json.loads((folder / "report.json").read_text())
    return report, [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def reached(report, history, tolerance):
    """Iterations, products and seconds to the first record with |g| <= tolerance |g at the start|; None: not reached.

    What stands in the report beyond the last record counts in full: factorisations before the first step, the final
    recomputation from the data.
    """
    more_products = report["products"] - history[-1]["products"]
    more_seconds = report["seconds"]["solve"] - history[-1]["seconds"]
    target = tolerance * report["gradient_norm_start"]
    # A closed form starts from the beginning, from its own start: its record 0 is none of an iteration.
    for record in history:
        if record["gradient_norm"] <= target:
            return {"iterations": record["iteration"], "products": record["products"] + more_products,
                    "seconds": record["seconds"] + more_seconds}
    return None


def fail(name, message, status=1):
    print(f"{name}: {message}", file=sys.stderr)
    sys.exit(status)
