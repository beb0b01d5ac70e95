"""What no program can judge must at least not change unseen: it is confirmed, item by item, in tests/confirmed.json.

    .venv/bin/python tools/confirm.py           # what has changed since
    .venv/bin/python tools/confirm.py --write   # it was looked at, and is meant

Confirmed are: what runs the tests and decides whether they count, and which tests there are; the outlines of chapters;
the map of outcomes; the exercises; the order of numbers and the formulas in every text cell, page and docstring (that
each number is right is `number_sources.py`'s business, that each equation is, `formulas.py`'s; that two have not
changed places is nobody's but this one's); the words that describe a figure; the entries of the bibliography.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

from number_sources import NUMBER, prose

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "tests" / "confirmed.json"
GATE = [
    ".ci/run", "Makefile", "tests/conftest.py", "tools/nbval.cfg", "tools/nbval_figures.py", "tools/build_site.py",
    "tools/planted.py", "tools/set_up.py", "tools/confirm.py", ".github/workflows/*.yml",
]  # fmt: skip
MATHS = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|:math:`[^`]*`|\.\. math::.*?(?=\n\s*\n\s*\S)", re.DOTALL)


def short(*parts):
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:12]


def figures_of(text):
    """Numbers and formulas of a text, in their order."""
    return short(NUMBER.findall(prose(text)), [" ".join(found.split()) for found in MATHS.findall(text)])


def read(path):
    return path.read_text(encoding="utf-8")


def gate():
    settings = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]
    files = {path.relative_to(ROOT).as_posix(): short(read(path)) for name in GATE for path in sorted(ROOT.glob(name))}
    return files | {f"pyproject.toml, {name}": short(part) for name, part in settings.items()}


def tests():
    """The names of all tests, by file."""
    found = {}
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        names = [node.name for node in ast.walk(ast.parse(read(path))) if isinstance(node, ast.FunctionDef)]
        found[path.stem] = sorted(name for name in names if name.startswith("test_"))
    return found


def empty_tests():
    """Tests that do nothing: no assertion, and no call of anything that could make one."""
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.walk(ast.parse(read(path))):
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            parts = [part for line in node.body for part in ast.walk(line)] if is_test else []
            if is_test and not any(isinstance(part, ast.Assert | ast.Call) for part in parts):
                yield f"{path.stem}::{node.name}"


def notebooks():
    return {path.stem: json.loads(read(path))["cells"] for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}


def text_cells():
    for name, cells in notebooks().items():
        yield from ((name, cell["id"], "".join(cell["source"])) for cell in cells if cell["cell_type"] == "markdown")


def headings():
    outlines = {}
    for name, _, text in text_cells():
        outlines.setdefault(name, []).extend(re.findall("^#+ .*$", re.sub("```.*?```", "", text, flags=re.S), re.M))
    return outlines


def numbers():
    cells = {f"{name}, {id}": text for name, id, text in text_cells() if NUMBER.search(prose(text)) or "$" in text}
    pages = {f"book/{path.name}": read(path) for path in sorted((ROOT / "book").glob("*.md"))}
    return {place: figures_of(text) for place, text in (cells | pages).items()}


def docstrings():
    found = {}
    for path in sorted((ROOT / "mlcore").glob("*.py")):
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and MATHS.search(
                words := ast.get_docstring(node) or ""
            ):
                found[f"{path.stem}.{node.name}"] = figures_of(words)
    return found


def words_of_figures():
    found = {}
    for name, cells in notebooks().items():
        for cell in cells:
            shown = cell["metadata"].get("mystnb", {})
            words = [shown.get("image", {}).get("alt"), shown.get("figure", {}).get("caption")]
            if any(words):
                found[f"{name}, {cell['id']}"] = short(words)
    return found


def outcomes():
    return {name: short(told) for name, told in json.loads(read(ROOT / "tests/outcomes.json")).items()}


def exercises():
    found = {}
    for path in sorted((ROOT / "mlcore/teaching/exercises").glob("*.py")):
        for node in ast.parse(read(path)).body:
            if isinstance(node, ast.ClassDef):
                found[f"{path.stem}, {node.name}"] = short(ast.unparse(node))
    return found


def bibliography():
    return {line[:60]: short(line) for line in read(ROOT / "book/bibliography.md").splitlines() if line.strip()}


KINDS = {
    "gate": gate,
    "tests": tests,
    "headings": headings,
    "outcomes": outcomes,
    "exercises": exercises,
    "numbers and formulas": numbers,
    "formulas of docstrings": docstrings,
    "words of figures": words_of_figures,
    "bibliography": bibliography,
}


def changes(stored):
    """What is not as it was confirmed, one line for each; a test that is new needs nobody's word."""
    for kind, look in KINDS.items():
        now, then = look(), stored.get(kind, {})
        for name in [*now, *(name for name in then if name not in now)]:
            if kind == "tests":
                yield from (
                    f"tests: {name}::{gone} is gone" for gone in sorted({*then.get(name, [])} - {*now.get(name, [])})
                )
            elif now.get(name) != then.get(name):
                told = "is gone" if name not in now else "is new" if name not in then else "has changed"
                yield f"{kind}: {name} {told}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        told = {kind: look() for kind, look in KINDS.items()}
        STORED.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    found = list(changes(json.loads(read(STORED))))
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main()
