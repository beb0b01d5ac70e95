"""Mutation testing of the exercises: change one thing in a solution at a time, and see whether its check notices.

    python tools/mutate_exercises.py                  all of them; writes the outcome into tests/MUTANTS_EXERCISES.md
    python tools/mutate_exercises.py mean-loss relu   those of some exercises; writes nothing there

Each exercise is asked in a process of its own. A mutant that does not end is stopped by the check itself, and counts as
refused. What a mutant may be says `alternatives` in `tools/mutants.py`.
"""

import argparse
import contextlib
import inspect
import io
import multiprocessing
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import make_practice
from mutants import mutants_of_source
from mutate import GOAL, report

from mlcore.teaching import practice

REPORT = Path(__file__).resolve().parent.parent / "tests/MUTANTS_EXERCISES.md"
SECONDS = 2  # for one use of a mutant
PATIENCE = 600  # seconds for all mutants of an exercise, should one of them be deaf to the check's time limit
HEAD = """# Mutation testing of the exercises

`make mutants-exercises` changes one thing at a time in the solution of each exercise: an operator, a number, an
argument, a condition, a statement. Then it hands the changed solution to the check of its exercise. A change that the
check calls right survives: it shows a wrong answer that the inputs do not tell from a right one, or it is a right
answer as well. The last table says why it is the latter. The command writes this page and fails if of those that are
no right answers less than {goal} % are refused, or a reason is missing; reasons are kept from one run to the next.

"""


def section_of(exercise):
    return inspect.getmodule(exercise).__name__.rpartition(".")[2]


def mutants_of(exercise):
    """All mutants of the solution, under the name that it has in the notebook."""
    name = make_practice.answer_name(exercise)
    source = make_practice.Source(exercise).code("solution", name)
    return list(mutants_of_source(source.encode(), section_of(exercise), outermost=name))


def verdict(exercise, mutant):
    """What the check says of a mutant, or of one that cannot even be defined."""
    namespace = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(make_practice.imports(inspect.getmodule(exercise)), namespace)
        try:
            exec(mutant.text, namespace)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return practice.feedback(exercise, namespace[make_practice.answer_name(exercise)])


def judge(name):
    """What the check says of each mutant of an exercise."""
    practice.SECONDS = SECONDS
    exercise = practice.exercises()[name]
    return [(mutant, verdict(exercise, mutant)) for mutant in mutants_of(exercise)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    mutants, results = [], {}
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
        asked = [(name, pool.apply_async(judge, [name])) for name in options.names or practice.exercises()]
        for name, answer in asked:
            judged = answer.get(PATIENCE)
            survivors = [mutant for mutant, said in judged if said == "Right."]
            print(f"{name}: {len(judged) - len(survivors)} of {len(judged)} refused", flush=True)
            print(*(f"    SURVIVED: {mutant}" for mutant in survivors), sep="\n", end="\n" if survivors else "")
            mutants += [mutant for mutant, _ in judged]
            results |= {mutant.key: {"killer": None if said == "Right." else said} for mutant, said in judged}
    text, score, unexplained = report(mutants, results, REPORT, "{}")
    if options.names:
        return
    REPORT.write_text(HEAD.format(goal=GOAL) + text, encoding="utf-8")
    print(text.partition("\n\n")[0])
    if score < GOAL or unexplained:
        sys.exit(f"score {score:.1f} %, goal {GOAL} %; survivors without a reason in {REPORT}: {unexplained}")


if __name__ == "__main__":
    main()
