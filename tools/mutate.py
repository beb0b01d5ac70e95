"""Mutation testing: change one thing in mlcore at a time, and see whether a test notices.

    python tools/mutate.py                       every mutant; writes the outcome into tests/MUTANTS.md
    python tools/mutate.py --sample 900          so many of them, drawn at random, and says so there
    python tools/mutate.py --modules nodes       those of some modules; writes nothing there

Verdicts are kept in build/mutants.json, so that a run can be stopped and continued: mutants of a function that has
not changed and that were killed stay so, all others are asked again. Remove the file to begin anew. Each mutant gets
a copy of the project and a process of its own, forked from one in which everything slow is imported already. There
the tests of its module run, until one fails or the time is up: first those that reach the changed line, as one run with
coverage has shown, and the others only where that run cannot know (the line also runs outside of a test).

What a mutant may be says `alternatives`. Messages of errors and docstrings stay as they are.
"""

import argparse
import functools
import gc
import importlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mutants import mutants_of

ROOT = Path(__file__).resolve().parent.parent
RESULTS, REPORT = ROOT / "build/mutants.json", ROOT / "tests/MUTANTS.md"
NEEDED = "mlcore", "tests", "tools", "pyproject.toml"  # by the tests
SECONDS = 600  # for one mutant, which then counts as killed: all tests of a module take up to 150
GOAL = 95  # per cent
SLOW = "numpy", "numpy.testing", "pytest", "hypothesis", "hypothesis.extra.numpy", "matplotlib.pyplot", "tqdm.auto"
TESTS = {  # which test files are about a module; without an entry that of its name
    "__init__": ["package"],
    "_checks": ["functions", "nodes", "losses", "layers", "contract", "optimizers", "network", "gradients", "storage"],
    "_layout": ["optimizers", "storage"],
    "_interrupt": ["interrupt", "network"],
    "contract": ["contract", "nodes", "layers", "losses", "functions", "network", "gradients", "endurance"],
    "functions": ["functions", "losses"],
    "graph": ["graph", "contract"],
    "layers": ["layers", "network"],
    "network": ["network", "contract", "tuning", "endurance"],
    "nodes": ["nodes", "gradients", "network"],
    "optimizers": ["optimizers", "storage", "tuning"],
}
OF_ALL = ["inherited_faults", "hard_cases"]
HEAD = """# Mutation testing of mlcore

`make mutants` changes one thing in the core of `mlcore` (all but what teaches) at a time: an operator, a number, an
argument, a condition, a statement. Then it runs the tests. A change that none of them notices survives: it shows what
is not tested, or it changes nothing that could be tested. The last table says why it is the latter. The command writes
this page and fails if of those that a test could notice less than {goal} % are killed, or a reason is missing; reasons
are kept from one run to the next.

"""
UNKNOWN = "Not yet looked into: a test may be missing."  # in place of a reason


def copy_project(project, folder):
    for name in NEEDED:
        source, copy = project / name, folder / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy)


def test_files(module):
    """The doctests of a module and the files that test it, those first that are likely to notice."""
    first, *others = [f"tests/test_{name}.py" for name in TESTS.get(module, [module]) + OF_ALL]
    return [first, f"mlcore/{module}.py", *others]


def reached_lines(project, modules):
    """Which tests reach a line: names of tests by module and line, "" among them if something else does too."""
    import coverage

    with tempfile.TemporaryDirectory() as folder:
        copy_project(project, Path(folder))
        files = {name for module in modules for name in test_files(module)}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_cov", "-p", "_hypothesis_pytestplugin"]
        command += ["-p", "no:cacheprovider", "--cov=mlcore", "--cov-context=test", "--cov-report="]
        command += ["--cov-fail-under=0", *sorted(files)]
        subprocess.run(command, cwd=folder, check=True, env=os.environ | {"PYTHONPATH": folder})
        data = coverage.CoverageData(str(Path(folder) / ".coverage"))
        data.read()
        found = {Path(name).stem: data.contexts_by_lineno(name) for name in data.measured_files()}
    return {m: {line: {test_of(c) for c in contexts} for line, contexts in found[m].items()} for m in modules}


def test_of(context):
    """The test of a context of coverage; what a fixture runs may serve other tests too."""
    name, _, phase = context.rpartition("|")
    return name if phase == "run" else ""


class Only:
    """Let pytest run some tests only, or only the others."""

    def __init__(self, names, others=False):
        self.names, self.others = names, others

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if (item.nodeid in self.names) != self.others]


def first_failure(folder, tests, reaching):
    """Run one file after the other in this process; return the first that fails, or None."""
    import pytest

    os.chdir(folder)
    sys.path[:0] = [str(folder)]
    options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"]
    options += ["--hypothesis-profile", "mutants"]
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    plans = [Only(reaching)] + [Only(reaching, others=True)] * ("" in reaching or not reaching)
    for plan in plans:
        for name in tests:
            if not plan.others and not any(test.startswith(f"{name}::") for test in reaching):
                continue
            code = pytest.main([*options, name], plugins=[plan])
            if code == pytest.ExitCode.INTERRUPTED:
                return "time"
            if code not in (0, 5):  # 5: it holds no tests
                return name
    return None


def judge(project, reached, mutant):
    """Return the mutant and what killed it, or None; runs in a process of its own."""
    multiprocessing.current_process()._config["daemon"] = False  # a test starts processes, as those of a pool may not
    signal.signal(signal.SIGALRM, signal.default_int_handler)  # pytest ends at a KeyboardInterrupt
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)
    with tempfile.TemporaryDirectory() as folder:
        copy_project(project, Path(folder))
        if mutant is not None:
            (Path(folder) / f"mlcore/{mutant.module}.py").write_bytes(mutant.text)
        try:
            most_tested = max(reached, key=lambda module: len(test_files(module)))
            module, lines = (mutant.module, mutant.lines) if mutant else (most_tested, ())
            reaching = set().union(*(reached[module].get(line, ()) for line in lines))
            killer = first_failure(folder, test_files(module), reaching)
        except KeyboardInterrupt:
            killer = "time"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.chdir(ROOT)
    return mutant, killer


def preload():
    """Import once what every mutant needs, and settle what must be settled before that."""
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"}
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # one core for each mutant
    sys.dont_write_bytecode = True
    for name in SLOW:
        importlib.import_module(name)
    hypothesis = sys.modules["hypothesis"]
    hypothesis.settings.register_profile(  # as in tests/conftest.py, but fewer, and no search for the smallest
        "mutants",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=10,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    gc.freeze()  # the collector in each mutant need not look at all that


def run(project, mutants, results, jobs):
    """Judge the mutants that were not killed before, and keep every verdict at once."""
    todo = [m for m in mutants if results.get(m.key, {}).get("digest") != m.digest or not results[m.key]["killer"]]
    RESULTS.parent.mkdir(exist_ok=True)
    reached = reached_lines(project, sorted({m.module for m in todo}))
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        _, failing = pool.apply(judge, [project, reached, None])
        if failing:
            sys.exit(f"{failing} fails without any mutant")  # or "time": SECONDS are too few
        verdicts = pool.imap_unordered(functools.partial(judge, project, reached), todo)
        for n, (mutant, killer) in enumerate(verdicts, start=1):
            results[mutant.key] = {"digest": mutant.digest, "killer": killer}
            RESULTS.write_text(json.dumps(results, indent=0))
            print(f"{n}/{len(todo)} {'killed' if killer else 'SURVIVED'}: {mutant}", flush=True)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def known_reasons(page):
    """The reasons in a report, by what stands to the left of them."""
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("| `")]
    rows = [[cell.strip().replace("\\|", "|") for cell in row] for row in rows]
    return {tuple(row[:-1]): row[-1] for row in rows}


def report(mutants, results, page=None, module="mlcore/{}.py"):
    """Return the tables, the share of the killed in per cent, and how many survivors the page does not explain.

    What no test can notice, for a reason that is given, is no change, and counts neither way.
    """
    survivors = [m for m in mutants if not results[m.key]["killer"]]
    modules = {m.module: None for m in mutants}
    counts = [(module.format(name), *(sum(m.module == name for m in group) for group in (mutants, survivors)))
              for name in modules]  # fmt: skip
    counts.append(("all", len(mutants), len(survivors)))
    rows = [(name, n, n - alive, alive, f"{100 * (n - alive) / n:.1f} %") for name, n, alive in counts]
    text = table(["module", "mutants", "killed", "survived", "score"], rows)
    reasons, text = known_reasons(page or REPORT), text + "\n## Survivors\n\n"
    explained = [(*m.cells, reasons.get(m.cells, "")) for m in survivors]
    text += table(["module", "where", "source", "change", "why no test can notice"], explained)
    open_ones = sum(row[-1] in ("", UNKNOWN) for row in explained)
    killed = len(mutants) - len(survivors)
    text += f"\n{open_ones} of them might be noticed by a test: {100 * killed / (killed + open_ones):.1f} % killed.\n"
    return text, 100 * killed / (killed + open_ones), sum(not row[-1] for row in explained)


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it; some tests send it
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--modules", nargs="+")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    preload()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as snapshot:  # whoever goes on working does not disturb the run
        project = Path(snapshot)
        copy_project(ROOT, project)
        names = sorted(path.stem for path in (project / "mlcore").glob("*.py"))
        mutants = [m for name in options.modules or names for m in mutants_of(project / f"mlcore/{name}.py")]
        drawn, every = "", mutants
        if options.sample:
            mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
            mutants.sort(key=every.index)
            drawn = f"Of {len(every)} such changes, {len(mutants)} were drawn at random for this page.\n\n"
        run(project, random.Random(0).sample(mutants, len(mutants)), results, options.jobs)
    text, score, unexplained = report(mutants, results)
    print(text)
    if not options.modules:
        known = known_reasons(REPORT)
        earlier = [(*m.cells, known[m.cells]) for m in every if m not in mutants and known.get(m.cells)]
        if earlier:
            text += "\n## Survivors of earlier runs, which were not drawn\n\n"
            text += table(["module", "where", "source", "change", "why no test can notice"], earlier)
        REPORT.write_text(HEAD.format(goal=GOAL) + drawn + text, encoding="utf-8")
        if score < GOAL or unexplained:
            sys.exit(f"score {score:.1f} %, goal {GOAL} %; survivors without a reason in {REPORT}: {unexplained}")


if __name__ == "__main__":
    main()
