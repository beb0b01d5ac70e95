"""Write the practice notebooks from the exercises in `mlcore/teaching/exercises`, and store their outputs.

    python tools/make_practice.py                          all of them
    python tools/make_practice.py loss_function gradient   those of two sections

A notebook is run only if its text has changed.
"""

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.insert(0, str(Path(__file__).parent))
import execute_notebooks

from mlcore.teaching import exercises
from mlcore.teaching.practice import exercises_of, name_of, show

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDEST = 90  # characters of a stub on one line: as many as the column of the site holds
HOW_TO = """
Run the first code cell, then write your answers in place of the three dots. The check below an answer says whether
it is right, and if not, what is wrong with it. Hints, typical mistakes and the solution are folded below it.

To keep your answers, work in a copy of your own: `make lab` makes one in `my-notebooks`, and never overwrites it."""

LINK = r"\[[\d.]+\]\([\w.]+\)"  # to a chapter, by its number
COUNT = """How many were right at the first try? Cross out the others: a chapter with two or more of them is worth
reading again, and its own practice after that."""


@functools.cache  # to find the text of a class, Python reads its whole module
class Source:
    """The text of an exercise, and the places in it of what its class defines."""

    def __init__(self, exercise):
        self.text = textwrap.dedent(inspect.getsource(exercise))
        self.lines = self.text.splitlines()
        self.parts = {}
        for node in ast.parse(self.text).body[0].body:
            names = [target.id for target in node.targets] if isinstance(node, ast.Assign) else []
            self.parts |= dict.fromkeys(names or [getattr(node, "name", None)], node)

    def code(self, part, name):
        """A function, class or value of the exercise, under the name that it has in the notebook."""
        node = self.parts[part]
        lines = [*self.lines[node.lineno - 1 : node.end_lineno]]
        lines[0] = lines[0].replace(part, name, 1)
        return textwrap.dedent("\n".join(lines))

    def stub(self, name):
        """The solution without what the reader is to write."""
        code = self.code("solution", name)
        definition = ast.parse(code).body[0]
        functions = definition.body if isinstance(definition, ast.ClassDef) else [definition]
        lines, start, kept = code.splitlines(), 0, []
        for function in functions:
            if not isinstance(function, ast.FunctionDef):
                continue
            first = function.body[0]
            documented = ast.get_docstring(function) is not None
            kept += lines[start : first.end_lineno if documented else first.lineno - 1]
            if documented:
                kept.append(" " * first.col_offset + "...")
            else:
                kept[-1] += " ..."
            start = function.end_lineno
        return "\n".join(kept)


def value_stub(name, solution):
    """An empty answer of the form of the solution."""
    if not isinstance(solution, dict):
        return f"{name} = ..."
    entries = [f"{show(key)}: ..." for key in solution]
    short = f"{name} = {{{', '.join(entries)}}}"
    return short if len(short) <= WIDEST else "\n".join([f"{name} = {{", *(f"    {e}," for e in entries), "}"])


def prose(text):
    """Markdown from a text in the source: without its indentation, each paragraph on one line."""
    blocks = textwrap.dedent(text).strip().split("\n\n")
    return "\n\n".join(
        b if b.lstrip().startswith(("-", "|", "$$", "```", "1.")) else b.replace("\n", " ") for b in blocks
    )


def folded(summary, text):
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def answer_name(exercise):
    """The name of the answer in the notebook: that of a class for a class, else in small letters."""
    return exercise.__name__ if inspect.isclass(exercise.solution) else name_of(exercise, "_")


def solution_code(exercise):
    """The solution as the notebook prints it; of a value that is written as a formula also what it comes to."""
    source = Source(exercise)
    code = source.code("solution", answer_name(exercise))
    if callable(exercise.solution) or is_literal(source.parts["solution"].value):
        return code
    return f"{code}\n# {show(exercise.solution)}"


def is_literal(node):
    """Whether an expression of Python is nothing but its value."""
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def cells_of(exercise, number):
    """Task, answer and solution."""
    name, variable = name_of(exercise), answer_name(exercise)
    title, _, task = inspect.getdoc(exercise).partition("\n")
    if hasattr(exercise, "given"):
        answer = Source(exercise).code("given", variable)
    elif callable(exercise.solution):
        answer = Source(exercise).stub(variable)
    else:
        answer = value_stub(variable, exercise.solution)
    gap = "\n\n\n" if callable(exercise.solution) else "\n"
    steps = [folded("Hint", exercise.hint)] if exercise.hint else []
    if mistakes := typical_mistakes(exercise):
        steps.append(folded("Typical mistakes", mistakes))
    solution = f"```python\n{solution_code(exercise)}\n```\n\n{prose(exercise.worked)}"
    if chapters := read_again(exercise):
        solution += f"\n\nNot right? Read again: {chapters}."
    yield new_markdown_cell("\n\n".join([f"## {number}. {title}", f"*Level: {exercise.level}*", prose(task)]), id=name)
    yield new_code_cell(f'{answer}{gap}check("{name}", {variable})', id=f"{name}-answer")
    yield new_markdown_cell("\n\n".join([*steps, folded("Solution", solution)]), id=f"{name}-solution")


def typical_mistakes(exercise):
    """The wrong answers of which only this exercise knows what to say, and what the check says of them, as a list."""
    said = {words: answer for words, answer in exercise.wrong.items() if is_advice(words)}
    return "\n".join(f"- {place(exercise, answer)}{words}" for words, answer in said.items())


def is_advice(words):
    """Whether words about a wrong answer are a sentence of their own, not a part of what the check says by itself."""
    return words[-1] in ".?" and not (words[0].islower() and words[-1] == "?")


def place(exercise, answer):
    """Which part of an answer of several parts is wrong, with what stands there if that gives nothing away."""
    if not isinstance(exercise.solution, dict):
        return ""
    parts = {key: value for key, value in answer.items() if show(value) != show(exercise.solution[key])}
    numbers = [f"`{key} = {show(value)}`" for key, value in parts.items() if not isinstance(value, bool | str)]
    return ", ".join(numbers if len(numbers) == len(parts) else [f"`{key}`" for key in parts]) + ": "


def read_again(exercise):
    """The links to the chapters of an exercise that stands in no practice of theirs, or nothing."""
    return getattr(exercise, "read_again", "")


def count(numbered):
    """The last cell of a page of mixed exercises: which of them belong to which chapter."""
    links = sorted({link for _, exercise in numbered for link in re.findall(LINK, read_again(exercise))})
    rows = [(link, [str(i) for i, exercise in numbered if link in read_again(exercise)]) for link in links]
    table = "\n".join(["| chapter | questions |", "| --- | --- |", *(f"| {a} | {', '.join(b)} |" for a, b in rows)])
    return f"## Count\n\n{prose(COUNT)}\n\n{table}"


def setup(module):
    """The first cell: what an answer may use, and the check."""
    return f'{imports(module)}\n\nprint("ready")'


def imports(module):
    """The imports of the module of exercises, and that of the check."""
    source = inspect.getsource(module)
    imports = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    text = "\n".join(source.splitlines()[imports[0].lineno - 1 : imports[-1].end_lineno])
    return re.sub(r"from mlcore\.teaching\.practice import .+", "from mlcore.teaching import check", text)


def notebook_of(module):
    """The path and the cells of the notebook for one module of exercises."""
    page, intro, last = mixed(module) if hasattr(module, "PAGE") else of_chapter(module)
    cells = [new_markdown_cell(intro + prose(HOW_TO), id="title"), new_code_cell(setup(module), id="setup")]
    for i, exercise in enumerate(exercises_of(module), start=1):
        cells += cells_of(exercise, i)
    return NOTEBOOKS / f"{page}.ipynb", cells + last


def of_chapter(module):
    """Name, opening and last cells of the page that practises one chapter."""
    section = module.__name__.rpartition(".")[2]
    (chapter,) = NOTEBOOKS.glob(f"*_{section}.ipynb")
    number, _, title = nbformat.read(chapter, as_version=4).cells[0].source.splitlines()[0][2:].partition(" ")
    intro = f"# {number} Practice: {title}\n\nExercises for [{number} {title}]({chapter.name}). "
    return f"{chapter.stem}_practice", intro, []


def mixed(module):
    """Name, opening and last cells of a page that belongs to no chapter: the module itself says the first two."""
    numbered = list(enumerate(exercises_of(module), start=1))
    return module.PAGE, f"{prose(module.OPENING)}\n\n", [new_markdown_cell(count(numbered), id=f"{module.PAGE}-count")]


def sources(cells):
    return [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in cells]


def modules():
    names = [module.name for module in pkgutil.iter_modules(exercises.__path__)]
    return [importlib.import_module(f"{exercises.__name__}.{name}") for name in names]


def main(sections):
    for module in modules():
        path, cells = notebook_of(module)
        if sections and module.__name__.rpartition(".")[2] not in sections:
            continue
        if not path.exists() or sources(nbformat.read(path, as_version=4).cells) != sources(cells):
            nbformat.write(new_notebook(cells=cells), path)
        print(execute_notebooks.store_or_compare(path, check=False)[0], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
