"""Plant faults in a copy of the project, one at a time, and see whether the check that should notice is red.

    python tools/planted.py                       all of them; writes the outcome into tests/PLANTED.md
    python tools/planted.py --quick               those whose check takes about a second; writes nothing there
    python tools/planted.py --kind figures alts   those of some kinds; writes nothing there
    python tools/planted.py --only NAME           some of them, with what their checks say

The faults stand in tests/planted_faults. All checks must be green in a copy without a fault, so that a red one is red
because of its fault. Each fault gets a copy and a process of its own, forked from one that has imported what is slow.
"""

import argparse
import multiprocessing
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mutate import preload, table
from set_up import NBVAL

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from planted_faults import KINDS, all_faults  # noqa: E402

REPORT = ROOT / "tests/PLANTED.md"
NOT_COPIED = ["_build", "build", "dist", ".git", ".venv*", "__pycache__", "my-notebooks", "*.egg-info", ".*_cache"]
SECONDS = 1800  # for one check
WAYS = {  # what a check begins with: what the report calls it
    "unit": "unit tests",
    "lint": "style and schemas",
    "nbval": "comparison of the notebooks",
    "site": "build of the site",
    "page": "checks of the site",
    "browser": "tests in the browser",
}
HEAD = """# Planted faults

`make planted` plants these faults in a copy of the project, one at a time, and runs the check that should notice. All
checks are green without a fault. The command writes this page, and fails if a fault is not noticed.

"""


def way_of(check):
    """(way, targets): how a check is run, and on what."""
    way, *targets = check.split()
    if way.startswith(("tests/", "mlcore/")):
        return "unit", [check]
    if way == "site" and targets:
        return ("page" if targets[0].startswith("tests/test_site.py") else "browser"), targets
    return way, targets


def run_check(way, targets, folder):
    """(exit code, what was said) of a check in a copy of the project; 1 is red, and all else but 0 is no answer."""
    leave_the_project()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    if way == "unit":
        return in_this_process(targets, folder)
    for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "MPLBACKEND"):  # for the tests in this process alone
        os.environ.pop(name, None)
    if way == "lint":
        return program("make", "--old-file", "setup", "lint")  # without `setup`: it would make the environment anew
    if way == "nbval":
        return program(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NBVAL, *targets)
    code, said = program(sys.executable, "tools/build_site.py")
    if way == "site":
        return code, said
    return (
        (3, said) if code else program(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *targets)
    )


def leave_the_project():
    """Forget what was imported from the project itself: a check has to find it in its copy."""
    sys.path[:] = [place for place in sys.path if not Path(place).is_relative_to(ROOT) or "site-packages" in place]
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or ""
        if place.startswith(str(ROOT)) and "site-packages" not in place and name != "__main__":
            del sys.modules[name]


def program(*command):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")
    made = command[0] == "make" or command[-1].endswith("build_site.py")
    return (min(run.returncode, 1) if made else run.returncode), run.stdout


def in_this_process(targets, folder):
    import pytest

    said = folder / "said.txt"
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"]
        code = int(pytest.main([*options, "--hypothesis-profile", "mutants", *targets]))
        sys.stdout.flush()
    return code, said.read_text(encoding="utf-8", errors="replace")


def plant(fault, folder):
    """Write the changed file into a copy, whose files are links: the old one is taken away first."""
    path = folder / fault.file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = fault.change(before)
    if after == before:
        raise LookupError(f"{fault.name} changes nothing")
    mode = path.stat().st_mode if path.exists() else None
    path.unlink(missing_ok=True)
    if after is not None:
        path.write_text(after, encoding="utf-8")
        if mode:
            path.chmod(mode)


def judge(base, name, way, targets):
    """Exit code, words and seconds of a check in a copy of `base`, with the fault of that name planted, or none."""
    with tempfile.TemporaryDirectory(dir=base.parent) as place:
        folder = Path(place, "book")
        shutil.copytree(base, folder, symlinks=True, copy_function=os.link)
        try:
            if name:
                plant(all_faults()[name], folder)
            return *run_check(way, targets, folder), seconds()
        except (LookupError, ValueError, StopIteration) as error:
            return 4, f"cannot be planted: {error!r}", seconds()
        finally:
            os.chdir(ROOT)


def seconds():
    """What this process and those that it started have taken of the processor."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def green(faults):
    """The checks of all faults, put together: [(way, targets)]"""
    together = {}
    for fault in faults:
        way, targets = way_of(fault.check)
        together.setdefault(way, {}).update(dict.fromkeys(targets))
    return [(way, list(targets)) for way, targets in together.items()]


def seen(fault, code, said):
    """Whether the check is red, and says what it should."""
    return code == 1 and bool(re.search(fault.says, said))


def is_quick(fault):
    return way_of(fault.check)[0] == "unit" and not fault.slow


def report(faults, missed):
    """The page about all faults."""
    rows = []
    for kind, words in KINDS.items():
        of_kind = [fault for fault in faults if fault.kind == kind]
        ways = Counter(WAYS[way_of(fault.check)[0]] for fault in of_kind)
        by = ", ".join(f"{way} {n}" for way, n in ways.most_common())
        rows.append((words, len(of_kind), sum(fault.name not in missed for fault in of_kind), by))
    rows.append(("all", len(faults), len(faults) - len(missed), ""))
    text = HEAD + table(["kind", "planted", "noticed", "by"], rows) + "\n## Each of them\n\n"
    return text + table(
        ["fault", "planted in", "noticed by"],
        [(f.name.replace("-", " "), f"`{f.file}`", f"`{f.check}`") for f in faults],
    )


def chosen(arguments):
    faults = all_faults()
    if arguments.only:
        return [faults[name] for name in arguments.only]
    found = [f for f in faults.values() if not arguments.kind or f.kind in arguments.kind]
    return [f for f in found if is_quick(f)] if arguments.quick else found


def run(faults, jobs, loud=False):
    """Names of the faults that were not noticed."""
    missed = []
    with (
        tempfile.TemporaryDirectory() as place,
        multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool,
    ):
        base = Path(place, "base")
        shutil.copytree(ROOT, base, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        (base / ".venv").symlink_to(Path(sys.executable).parent.parent)
        without = [(way, pool.apply_async(judge, [base, None, way, targets])) for way, targets in green(faults)]
        planted = [(f, pool.apply_async(judge, [base, f.name, *way_of(f.check)])) for f in faults]
        for way, answer in without:
            code, said, took = answer.get(SECONDS)
            if code:
                pool.terminate()
                sys.exit(f"{said}\nNot all is well without a fault: {WAYS[way]}")
            print(f"without a fault: {WAYS[way]} ({took:.1f} s)")
        for fault, answer in planted:
            code, said, took = answer.get(SECONDS)
            fine = seen(fault, code, said)
            missed += [] if fine else [fault.name]
            print(
                f"{'red' if fine else f'NOT NOTICED ({code})'}: {fault.name}, by {fault.check} ({took:.1f} s)",
                flush=True,
            )
            if loud or not fine:
                print(said[-3000:])
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", choices=KINDS)
    parser.add_argument("--only", nargs="+", choices=all_faults(), metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    preload()
    faults = chosen(arguments)
    missed = run(faults, arguments.jobs, loud=bool(arguments.only))
    print(f"{len(faults) - len(missed)} of {len(faults)} noticed")
    if not (arguments.kind or arguments.only or arguments.quick):
        REPORT.write_text(report(faults, missed), encoding="utf-8")
    sys.exit(f"not noticed: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
