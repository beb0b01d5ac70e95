"""The assignments for nbgrader: what they hold, what their tests refuse, and, where nbgrader is, the points it gives.

The last needs nbgrader in this Python, or NBGRADER set to a folder with its program (the `bin` of an environment with
nbgrader and NumPy); it takes some minutes.
"""

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mlcore.teaching.practice import exercises

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import make_course  # noqa: E402
from make_course import make_practice  # noqa: E402

EXERCISES = exercises()
GRADER = os.environ.get("NBGRADER") or (importlib.util.find_spec("nbgrader") and Path(sys.executable).parent)
KEYS = {"schema_version", "grade_id", "grade", "solution", "locked", "task"}  # those of version 3 of its cells


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    (folder / "source" / "gone").mkdir(parents=True)
    (folder / "submitted").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("BOOK_ADDRESS", "BOOK_REPOSITORY", "GITHUB_REPOSITORY"):
            patch.delenv(name, raising=False)
        make_course.write(folder)
    return folder


@pytest.fixture(scope="module")
def assignments(course):
    paths = sorted(course.glob("source/*/*.ipynb"))
    return {path.stem: nbformat.read(path, as_version=4) for path in paths}


def cut(source, region):
    """A cell without the lines of a region, as nbgrader makes the students' version."""
    return re.sub(rf"### BEGIN {region}\n.*?### END {region}\n?", "", source, flags=re.DOTALL)


def fact(cell, name):
    return cell.metadata.nbgrader[name]


def variable(answer):
    """The name that an answer has in its cell, which ends with the check of it."""
    return re.search(r"""check\("[\w-]+", (\w+)\)$""", answer.source)[1]


def answers(notebook):
    """The name of each exercise of an assignment, with its answer and its test."""
    cells = {cell.id: cell for cell in notebook.cells}
    return {name[:-5]: (cells[f"{name[:-5]}-answer"], cell) for name, cell in cells.items() if name.endswith("-test")}


def test_there_is_an_assignment_for_each_practice_with_all_its_exercises(assignments):
    pages = [make_practice.notebook_of(module)[0].stem for module in make_practice.modules()]
    assert list(assignments) == sorted(page.removesuffix("_practice") for page in pages)
    assert sorted(name for notebook in assignments.values() for name in answers(notebook)) == sorted(EXERCISES)


def test_what_nbgrader_keeps_stays_and_what_is_no_longer_made_goes(course):
    assert (course / "submitted").is_dir() and not (course / "source" / "gone").exists()


def test_the_cells_are_valid_for_nbgrader(assignments):
    for notebook in assignments.values():
        nbformat.validate(notebook)
        ids = [fact(cell, "grade_id") for cell in notebook.cells]
        assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[\w-]+", name) for name in ids)
        for cell in notebook.cells:
            facts = cell.metadata.nbgrader
            assert set(facts) == KEYS | ({"points"} if facts.grade else set()) and facts.schema_version == 3
            assert facts.locked != facts.solution and not (facts.grade and facts.solution) and not facts.task
            assert cell.cell_type == "code" or not (facts.grade or facts.solution)
            assert ("BEGIN SOLUTION" in cell.source) == facts.solution
            assert ("BEGIN HIDDEN" in cell.source) == facts.grade


def test_students_get_the_stub_and_neither_solution_nor_test(assignments):
    modules = make_practice.modules()
    stubs = {cell.id: cell.source for module in modules for cell in make_practice.notebook_of(module)[1]}
    for notebook in assignments.values():
        assert all("<summary>Solution" not in cell.source for cell in notebook.cells)
        for name, (answer, test) in answers(notebook).items():
            assert cut(answer.source, "SOLUTION").split() == stubs[f"{name}-answer"].split()
            points = make_course.POINTS[EXERCISES[name].level]
            assert fact(test, "points") == points
            assert re.fullmatch(rf"# {points} points? for the answer above\n", cut(test.source, "HIDDEN TESTS"))


def run(*sources, space=None):
    """What cells define, one after another; what they print is not looked at."""
    space = {} if space is None else space
    with contextlib.redirect_stdout(io.StringIO()):
        for source in sources:
            exec(source, space)
    return space


def test_a_solution_gets_its_points_and_neither_a_stub_nor_a_wrong_answer_does(assignments):
    for notebook in assignments.values():
        setup = notebook.cells[1].source
        for name, (answer, test) in list(answers(notebook).items())[::4]:  # the trial below takes all
            space = run(setup, answer.source, test.source)
            with pytest.raises(AssertionError, match="No answer so far|Not yet"):
                run(setup, cut(answer.source, "SOLUTION"), test.source)
            space[variable(answer)] = next(iter(EXERCISES[name].wrong.values()))
            with pytest.raises(AssertionError, match="Not yet"):
                run(test.source, space=space)


def test_teachers_are_told_the_points():
    told = (ROOT / "book" / "teachers.md").read_text(encoding="utf-8")
    assert make_course.POINTS["implement"] == make_course.POINTS["debug"]
    by_level = "1 for *recall*, 2 for *by hand*, 3 for *implement* and *debug*, 4 for *transfer*"
    assert by_level in told and [int(n) for n in by_level if n.isdigit()] == sorted(set(make_course.POINTS.values()))


def test_a_missing_answer_gets_no_points(assignments):
    (_, test) = answers(assignments["1_3_1_loss_function"])["choose-the-loss"]
    with pytest.raises(NameError):
        run(test.source)


def test_links_lead_to_the_site_or_nowhere(assignments, monkeypatch):
    assert not any(re.search(r"\]\((?!https?:)", cell.source) for n in assignments.values() for cell in n.cells)
    monkeypatch.setenv("BOOK_ADDRESS", "https://me.example/book")
    text = make_course.linked("[1.4](1_4_x.ipynb), [R](../book/b.md#r-1), [w](https://a.b/c.md)")
    home = "https://me.example/book"
    assert text == f"[1.4]({home}/notebooks/1_4_x.html), [R]({home}/book/b.html#r-1), [w](https://a.b/c.md)"


# -- nbgrader itself --

WRONG = 'from mlcore.teaching.practice import exercises\n{0} = next(iter(exercises()["{1}"].wrong.values()))'
STUDENTS = {  # which of the exercises of an assignment they solve, by number, and what stands in the others
    "all": (lambda i: True, None),
    "half": (lambda i: i % 2 == 0, None),
    "wrong": (lambda i: i % 3 == 0, WRONG),
}


def hand_in(course, student, name):
    """A student's copy of a released assignment, with solutions, stubs and wrong answers; return its points."""
    solves, otherwise = STUDENTS[student]
    source = answers(nbformat.read(course / "source" / name / f"{name}.ipynb", as_version=4))
    released = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    assert not any("SOLUTION" in cell.source or "feedback" in cell.source for cell in released.cells)
    points = 0
    for i, (exercise, (answer, test)) in enumerate(answers(released).items()):
        solution = source[exercise][0].source
        if solves(i):
            answer.source = solution
            points += fact(test, "points")
        elif otherwise:
            answer.source = otherwise.format(variable(answer), exercise)
        test.source = "pass  # a student cannot grade"
    folder = course / "submitted" / student / name
    folder.mkdir(parents=True)
    nbformat.write(released, folder / f"{name}.ipynb")
    return points


@pytest.mark.skipif(not GRADER, reason="nbgrader is not installed: set NBGRADER to the bin folder of an environment")
def test_nbgrader_gives_the_right_points(course, assignments):
    def nbgrader(*arguments):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{GRADER}{os.pathsep}{os.environ['PATH']}"}
        command = [Path(GRADER) / "nbgrader", *arguments]
        done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    due = {}
    nbgrader("generate_assignment", "--assignment=*")
    for name in assignments:
        due |= {(student, name): hand_in(course, student, name) for student in STUDENTS}
        nbgrader("autograde", name)
    nbgrader("export")
    lines = (course / "grades.csv").read_text(encoding="utf-8").splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    given = {(row["student_id"], row["assignment"]): float(row["score"]) for row in rows}
    assert given == due and all(0 < due["half", name] < due["all", name] for name in assignments)
