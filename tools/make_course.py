"""Write the exercises as a course for nbgrader, in a folder of its own: an assignment for each chapter.

    python tools/make_course.py            into course/
    python tools/make_course.py FOLDER     into another folder

- `source/`: the assignments. Each answer has its solution in a region that nbgrader cuts from the students' version,
  each exercise a locked test in another: the book's own check, and points if it says "Right."
- `solutions/`: the same for the teacher to read, with the reasons.
- `nbgrader_config.py`: what nbgrader has to know. Neither this tool nor the book needs nbgrader itself.

What stands in these two folders is written anew; what nbgrader keeps beside them (`release`, `submitted`,
`gradebook.db`) is left alone. Where the address of the site is known (`book/ext/book_found.py`), links lead there.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "book" / "ext"))
import make_practice
from book_found import address
from execute_notebooks import KERNELSPEC

from mlcore.teaching.practice import exercises_of, name_of

ROOT = Path(__file__).resolve().parent.parent
POINTS = {"recall": 1, "by hand": 2, "implement": 3, "debug": 3, "transfer": 4}  # for an exercise of each level
LINK = re.compile(r"\[([^\]]+)\]\(([\w./]+\.(?:ipynb|md))(#[\w-]+)?\)")  # to another page of the book
HOW_TO = """Run the first code cell, then write your answers in the place of the three dots. The check below an answer
says whether it is right, and if not, what is wrong with it. An exercise gives all of its points or none; together they
give {total}. You can change only the cells with answers: others are put back before the grading."""

CONFIG = """# What nbgrader has to know of this course; run its commands in this folder.
c = get_config()
c.CourseDirectory.course_id = "neural-network"
c.ClearSolutions.code_stub = {"python": ""}  # what students start from stands above each solution
c.Execute.timeout = 120  # seconds for a cell: a check tries an answer on several inputs
"""

TEST = """# {points} for the answer above
### BEGIN HIDDEN TESTS
from mlcore.teaching.practice import exercises, feedback

said = feedback(exercises()["{name}"], {answer})
assert said == "Right.", said
### END HIDDEN TESTS"""


def marked(cell, **facts):
    """The cell with what nbgrader has to know of it."""
    known = {"schema_version": 3, "grade_id": cell.id, "grade": False, "solution": False, "task": False}
    cell.metadata["nbgrader"] = known | {"locked": not facts.get("solution", False)} | facts
    return cell


def linked(text):
    """The text, with links to the published site, or with none: the chapters are not beside an assignment."""
    home = address(os.environ)

    def replaced(link):
        words, page, place = link.groups()
        url = home and urljoin(f"{home}notebooks/", str(Path(page).with_suffix(".html"))) + (place or "")
        return f"[{words}]({url})" if home else words

    return LINK.sub(replaced, text)


def points_of(exercise):
    points = POINTS[exercise.level]
    return f"{points} point{'s' * (points > 1)}"


def assigned(exercise, number):
    """The cells of one exercise: task, answer with its solution, test with its points; and the reasons."""
    task, answer, worked = make_practice.cells_of(exercise, number)
    name, variable = name_of(exercise), make_practice.answer_name(exercise)
    task.source = linked(task.source.replace(f"*Level: {exercise.level}*", f"*{points_of(exercise)}*", 1))
    stub, called, check = answer.source.rpartition("check(")
    region = f"### BEGIN SOLUTION\n{make_practice.solution_code(exercise)}\n### END SOLUTION"
    answer.source = f"{stub.rstrip()}\n{region}\n{called}{check}"
    test = TEST.format(points=points_of(exercise), name=name, answer=variable)
    graded = marked(new_code_cell(test, id=f"{name}-test"), grade=True, points=POINTS[exercise.level])
    worked.source = linked(worked.source)
    return [marked(task), marked(answer, solution=True), graded], worked


def assignment_of(module):
    """The name of an assignment, its cells, and those of its solutions."""
    page, intro, _ = make_practice.mixed(module) if hasattr(module, "PAGE") else make_practice.of_chapter(module)
    found = exercises_of(module)
    how_to = make_practice.prose(HOW_TO.format(total=sum(POINTS[exercise.level] for exercise in found)))
    title, about = linked(intro).strip().split("\n\n")[:2]  # what follows is about the page of the book
    opening = [
        marked(new_markdown_cell(f"{title}\n\n{about}\n\n{how_to}", id="title")),
        marked(new_code_cell(make_practice.setup(module), id="setup")),
    ]
    cells, solutions = [*opening], [*opening]
    for number, exercise in enumerate(found, start=1):
        made, worked = assigned(exercise, number)
        cells += made
        solutions += [made[0], worked]
    return page.removesuffix("_practice"), cells, solutions


def write(folder):
    """Write the course; return the names of its assignments."""
    names = []
    for part in ("source", "solutions"):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / "solutions").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    for module in make_practice.modules():
        name, cells, solutions = assignment_of(module)
        (folder / "source" / name).mkdir(parents=True)
        nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / "source" / name / f"{name}.ipynb")
        nbformat.write(new_notebook(cells=solutions, metadata=metadata), folder / "solutions" / f"{name}.ipynb")
        names.append(name)
    return names


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "course")
    for assignment in sorted(write(target)):
        print(target / "source" / assignment)
