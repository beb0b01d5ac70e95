"""Faults to be planted in a copy of the project, one at a time: `tools/planted.py` does it.

Each is one small edit of one file, with the check that must then be red: a test ("tests/test_nodes.py::..."), one that
looks at the built site ("site tests/test_site.py::..."), the build of the site itself ("site"), "lint", or the
comparison of a notebook with a fresh run ("nbval notebooks/...").
"""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass

KINDS = {  # what a report calls them, in its order
    "code": "code: rules, means, signs, defaults, messages",
    "words": "words: sentences, pages, docstrings",
    "numbers": "numbers in sentences, tables and captions",
    "alts": "alternative texts",
    "figures": "figures",
    "formulas": "formulas",
    "headings": "headings",
    "outputs": "stored outputs of notebooks",
    "outcomes": "the map of outcomes",
    "exercises": "exercises and their checks",
    "players": "players and cells that run in the page",
    "pages": "pages of the site: links, requests, accessibility",
    "documents": "documents, glossary, benchmarks",
    "versions": "versions, citation, changelog",
    "environment": "locks and environments",
    "licences": "licences",
    "workflows": "workflows",
    "gate": "verification switched off, tests removed",
}


@dataclass(frozen=True)
class Fault:
    """One planted fault: `change` takes the text of the file and returns another, or None for a file that is gone."""

    name: str
    kind: str
    file: str
    change: Callable
    check: str
    says: str = ""  # a pattern of what the check must say
    slow: bool = False  # too slow for the gate, though it is a unit test


def swap(old, new):
    """Exchange words that stand there exactly once."""

    def change(text):
        if text.count(old) != 1:
            raise LookupError(f"{old!r} stands there {text.count(old)} times")
        return text.replace(old, new)

    return change


def gone(text):
    """Remove the file."""
    return None


def added(more):
    """Write something behind the last line, or a new file."""
    return lambda text: text + more


def of_json(edit):
    """A file of JSON, changed by `edit`, which gets its content and changes it in place."""

    def change(text):
        content = json.loads(text)
        edit(content)
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    return change


def cell(notebook, id):
    """A cell of a notebook by its id."""
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def first(notebook, wanted):
    """The first cell for which `wanted` is true."""
    return next(cell for cell in notebook["cells"] if wanted(cell))


def all_faults():
    """{name: fault} of all modules of this folder."""
    modules = [
        importlib.import_module(f"{__name__}.{name}")
        for name in ("core", "text", "drawn", "project", "pages", "unseen")
    ]
    faults = [fault for module in modules for fault in module.FAULTS]
    return {fault.name: fault for fault in faults}
