"""What is installed beside the programs: manual pages and completions that load, a gallery that runs, one version everywhere."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tracegrad_run import PROGRAM, ROOT, Checks, environment_of

checks = Checks()
BUILD = Path(PROGRAM).resolve().parent
COMPLETIONS = ROOT / "packaging" / "completions"


def call(*words, **more):
    return subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=120,
                          stdin=subprocess.DEVNULL, **more)


def has(name):
    if shutil.which(name) is None:
        print(f"no {name}: not tested")
        return False
    return True


def test_version():
    done = call(ROOT / "scripts/version", "--check")
    checks.equal(f"scripts/version --check: {done.stdout}", done.returncode, 0)
    done = call(ROOT / "scripts/version", "1.2")
    checks.equal("a version of two numbers", done.returncode, 2)


def test_installed(folder):
    prefix = folder / "prefix"
    done = call("cmake", "--install", BUILD, "--prefix", prefix)
    checks.equal(f"install: {done.stdout[-500:]}", done.returncode, 0)
    done = call(prefix / "share/tracegrad/scripts/smoke-test", prefix, env=environment_of(LD_LIBRARY_PATH=f"{prefix}/lib"))
    checks.check(done.returncode == 0 and " 0 failed" in done.stdout, f"smoke-test: {done.stdout}")
    # It can fail: a prefix without a manual page.
    (prefix / "share/man/man1/tracegrad.1").unlink()
    done = call(prefix / "share/tracegrad/scripts/smoke-test", prefix)
    checks.check(done.returncode == 1 and "tracegrad.1 is not there" in done.stdout, f"smoke-test of a broken prefix: {done.stdout}")


def test_manual():
    pages = sorted((ROOT / "packaging/man").iterdir())
    checks.check(len(pages) >= 8, f"{len(pages)} manual pages")
    if has("man"):
        done = call("man", "--warnings", "-l", ROOT / "packaging/man/tracegrad-run.1", env=environment_of(MANWIDTH="80", MAN_KEEP_FORMATTING=""))
        if done.returncode == 0:
            for part in ("tracegrad run JOB", "--resume", "EXIT STATUS"):
                checks.check(part in done.stdout, f"man tracegrad-run: no '{part}'")
            checks.check(": warning:" not in done.stdout, f"man tracegrad-run: {done.stdout[:300]}")


def bash_completes(folder, *words):
    line = " ".join(f"'{word}'" for word in words)
    text = (f"source {COMPLETIONS}/tracegrad.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; COMPREPLY=(); _tracegrad; "
            'printf "%s\\n" "${COMPREPLY[@]}"')
    done = call("bash", "--norc", "-c", text, cwd=folder)
    checks.check(done.returncode == 0 and "error" not in done.stdout, f"bash: {line}: {done.stdout}")
    return done.stdout.split()


def test_bash(folder):
    for words, expected in ((("tracegrad", "de"), ["derive"]), (("tracegrad", "run", "--res"), ["--resume"]),
                            (("tracegrad", "derive", "--format", "num"), ["numpy"]), (("tracegrad", "run", "--progress", ""), ["rows", "live", "none"]),
                            (("tracegrad", "run", "j"), ["job.yaml"]), (("tracegrad", "plot", "re"), ["results"]),
                            (("tracegrad", "run", "job.yaml", "--set", "solver.met"), ["solver.method="]),
                            (("tracegrad", "run", "job.yaml", "--set", "solver.method=l-"), ["l-bfgs"]),
                            (("tracegrad", "run", "job.yaml", "--set", "solver.method", "=", "newton"), ["newton-cg"])):
        checks.equal(f"bash completes {' '.join(words)}", bash_completes(folder, *words), expected)
    checks.check("qr" in bash_completes(folder, "tracegrad", "run", "j", "--set", "solver.retraction", "="), "bash: values behind =")
    checks.equal("bash: nothing for an unknown command", bash_completes(folder, "tracegrad", "ruin", "--"), [])


def test_zsh(folder):
    if not has("zsh"):
        return
    done = call("zsh", "-fc", f"autoload -U compinit; compinit -D -u; source {COMPLETIONS}/_tracegrad; print $_comps[tracegrad]", cwd=folder)
    checks.equal("zsh loads it", done.stdout.strip(), "_tracegrad")
    # What it offers, seen on a terminal of zsh's own.
    script = (f"zmodload zsh/zpty; zpty z 'zsh -fi'; zpty -w z 'PS1=; autoload -U compinit; compinit -D -u; fpath=({COMPLETIONS} $fpath); "
              f"source {COMPLETIONS}/_tracegrad; cd {folder}; zstyle \":completion:*\" list-colors \"\"; setopt no_beep no_auto_menu'; sleep 1; "
              "zpty -w -n z $'tracegrad run --set solver.method=newt\\t'; sleep 1; zpty -r -t z all; zpty -r -t z more; print -r -- $all$more; zpty -d z")
    done = call("zsh", "-fc", script, cwd=folder, env=environment_of(TERM="dumb"))
    if "newt" not in done.stdout:
        print("zsh: no terminal of its own here: completion is loaded, not tried")
        return
    checks.check("solver.method=newton-cg" in done.stdout, f"zsh completes a value: {done.stdout!r}")


def test_fish(folder):
    if not has("fish"):
        return
    for line, expected in (("tracegrad de", "derive"), ("tracegrad run --res", "--resume"), ("tracegrad derive --format num", "numpy"),
                           ("tracegrad run --set solver.method=l-", "solver.method=l-bfgs"), ("tracegrad plot re", "results/")):
        done = call("fish", "--no-config", "-c", f"source {COMPLETIONS}/tracegrad.fish; complete -C '{line}'", cwd=folder,
                    env={**os.environ, "HOME": str(folder)})
        offered = [row.split("\t")[0] for row in done.stdout.splitlines()]
        checks.check(expected in offered and len(offered) <= 3, f"fish completes '{line}': {offered}")
    done = call("fish", "--no-config", "-c", f"source {COMPLETIONS}/tracegrad.fish; complete -C 'tracegrad run j'", cwd=folder,
                env={**os.environ, "HOME": str(folder)})
    checks.check("job.yaml" in done.stdout, f"fish completes a job: {done.stdout}")


def test_recipes():
    """Recipes that are Python, YAML or shell can at least be read."""
    for name in ("spack/package.py", "easybuild/tracegrad.eb"):
        compile((ROOT / "packaging" / name).read_text(), name, "exec")
    for name in ("smoke-test", "build-deb"):
        done = call("bash", "-n", ROOT / "packaging" / name)
        checks.equal(f"{name}: {done.stdout}", done.returncode, 0)
    try:
        import yaml
    except ImportError:
        return
    hosted = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    checks.check(any(step.get("run") == ".ci/run" for step in hosted["jobs"]["test"]["steps"]), "the hosted CI does not call .ci/run")


def main():
    with tempfile.TemporaryDirectory(prefix="tracegrad-packaging-") as temporary:
        folder = Path(temporary)
        (folder / "work" / "results").mkdir(parents=True)
        (folder / "work" / "job.yaml").write_text("minimize: sumsq(X)\n")
        (folder / "work" / "other.txt").write_text("")
        test_version()
        test_installed(folder)
        test_manual()
        test_bash(folder / "work")
        test_zsh(folder / "work")
        test_fish(folder / "work")
        test_recipes()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
