"""Sphinx extension: the directive `{tested}` shows tables of how the book is tested, counted when the site is built."""

import json
import re
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent.parent


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def last_row(page):
    """The numbers in the row "all" of a report: [planted or made, noticed, ...]"""
    return re.findall(r"\d+(?:\.\d+)?", re.search(r"^\| all \|(.*)$", read(page), re.MULTILINE)[1])


def figures():
    """{what: how many}, in the order of the table."""
    notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    cells = sum(cell["cell_type"] == "code" for notebook in notebooks for cell in notebook["cells"])
    sources = [
        s
        for cells in json.loads(read("tests/numbers.json")).values()
        for known in cells.values()
        for s in known.values()
    ]
    given = sum(" " in source and not source.startswith("= ") for source in sources)
    outcomes = json.loads(read("tests/outcomes.json")).values()
    functions = sum(
        len(re.findall(r"^def test_", p.read_text("utf-8"), re.MULTILINE)) for p in (ROOT / "tests").glob("test_*.py")
    )
    made, killed, *_ = last_row("tests/MUTANTS.md")
    wrong, refused, *_ = last_row("tests/MUTANTS_EXERCISES.md")
    planted, noticed = last_row("tests/PLANTED.md")
    return {
        "faults planted, and noticed": f"{planted}, {noticed}",
        "small changes in the code of the package that were drawn at random, and noticed": f"{made}, {killed}",
        "small changes in the solutions of exercises, and refused by their checks": f"{wrong}, {refused}",
        "test functions, most of them run with many inputs": str(functions),
        "cells of notebooks whose printed output is compared with a fresh run": str(cells),
        "numbers in sentences, captions and alternative texts that are tied to a cell or an expression": str(
            len(sources) - given
        ),
        "numbers there that are given, each with its reason": str(given),
        "outcomes of chapters that are tied to their cells": str(sum(len(chapter["outcomes"]) for chapter in outcomes)),
    }


def of_kinds():
    """The first table of the report on planted faults, as Markdown."""
    text = read("tests/PLANTED.md")
    start = text.index("| kind ")
    return text[start : text.index("\n\n", start)]


def as_markdown(rows):
    return "\n".join(["| what | how many |", "| --- | --- |", *(f"| {what} | {n} |" for what, n in rows.items())])


class Tested(SphinxDirective):
    """```{tested} figures``` or ```{tested} kinds```"""

    required_arguments = 1

    def run(self):
        text = as_markdown(figures()) if self.arguments == ["figures"] else of_kinds()
        for name in ("tests/numbers.json", "tests/outcomes.json", "tests/PLANTED.md"):
            self.env.note_dependency(str(ROOT / name))
        return self.parse_text_to_nodes(text)


def setup(app):
    app.add_directive("tested", Tested)
    return {"version": "1", "parallel_read_safe": True}
