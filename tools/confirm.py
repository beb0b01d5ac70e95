"""What no program can judge must at least not change unseen: it is confirmed, item by item, in tests/confirmed.json.

    .venv/bin/python tools/confirm.py           # what has changed since
    .venv/bin/python tools/confirm.py --write   # it was looked at (git diff), and is meant

Confirmed are: every cell of a chapter and their order; the sections of the book's pages, of the README and of what is
signed with a name; the docstrings; the exercises; the map of outcomes; pictures that no cell draws; what runs the tests
and decides whether they count; and the tests themselves, of which new ones need no confirmation.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

from measure_chapters import chapters as all_chapters

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "tests" / "confirmed.json"
GATE = [
    ".ci/run", "Makefile", "tests/conftest.py", "tools/nbval.cfg", "tools/nbval_figures.py", "tools/build_site.py",
    "tools/planted.py", "tools/set_up.py", "tools/confirm.py", ".github/workflows/*.yml", ".devcontainer/*", "binder/*",
    "hub/*", "requirements.txt", "benchmarks/*.py",
]  # fmt: skip
PAGES = [
    "book/*.md", "README.md", "SECURITY.md", "LICENSE*", "CITATION.cff", "_toc.yml",
    "tools/make_practice.py",
]  # fmt: skip
PICTURES = ["book/assets/*.png", "book/assets/*.svg"]


def short(*parts):
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:12]


def read(path):
    return path.read_text(encoding="utf-8")


def paths(patterns):
    return {path.relative_to(ROOT).as_posix(): path for pattern in patterns for path in sorted(ROOT.glob(pattern))}


def gate():
    settings = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]
    files = {name: short(read(path)) for name, path in paths(GATE).items()}
    return files | {f"pyproject.toml, {name}": short(part) for name, part in settings.items()}


def statements(path):
    """(name, text) of each statement of a module, but for imports."""
    text = read(path)
    lines = text.splitlines()
    for node in ast.parse(text).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        said = "\n".join(lines[first - 1 : node.end_lineno])
        if not isinstance(node, ast.Import | ast.ImportFrom):
            yield getattr(node, "name", said.partition("\n")[0][:40]), said


def modules(pattern):
    found = {}
    for path in sorted(ROOT.glob(pattern)):
        for name, text in statements(path):
            found.setdefault(f"{path.stem}, {name}", []).append(text)
    return {name: short(*texts) for name, texts in found.items()}


def empty_tests():
    """Tests that do nothing: no assertion, and no call of anything that could make one."""
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.walk(ast.parse(read(path))):
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            parts = [part for line in node.body for part in ast.walk(line)] if is_test else []
            if is_test and not any(isinstance(part, ast.Assert | ast.Call) for part in parts):
                yield f"{path.stem}::{node.name}"


def chapters():
    """Each cell as it is read: its source, and what is said of its figure. (Practice is made from the exercises.)"""
    found = {}
    for path, notebook in all_chapters().items():
        cells = notebook["cells"]
        found[f"{path.stem}, order"] = short([cell["id"] for cell in cells])
        for cell in cells:
            about = {name: told for name, told in cell["metadata"].items() if name != "prediction"}
            found[f"{path.stem}, {cell['id']}"] = short(cell["source"], about)
    return found


def pages():
    """Each section of a page."""
    found = {}
    for name, path in paths(PAGES).items():
        for section in re.split(r"^(?=#+ )", read(path), flags=re.MULTILINE):
            found.setdefault(f"{name}, {section.partition(chr(10))[0][:60]}", []).append(section)
    return {name: short(*sections) for name, sections in found.items()}


def docstrings():
    def of(node, name):
        if words := ast.get_docstring(node):
            found[name] = short(words)
        for part in node.body:
            if isinstance(part, ast.ClassDef | ast.FunctionDef):
                of(part, f"{name}.{part.name}")

    found = {}
    for path in sorted([*(ROOT / "mlcore").glob("*.py"), *(ROOT / "mlcore/teaching").glob("*.py")]):
        of(ast.parse(read(path)), path.stem)
    return found


def outcomes():
    return {name: short(told) for name, told in json.loads(read(ROOT / "tests/outcomes.json")).items()}


def reasons():
    """Why numbers of the text are no results of a cell."""
    cells = {cell.split(", ", 1)[1] for cell in chapters()}
    told = json.loads(read(ROOT / "tests/numbers.json"))
    return {
        f"{chapter}, {place}": short(own)
        for chapter, places in told.items()
        for place, numbers in places.items()
        if (own := {number: why for number, why in numbers.items() if why not in cells})
    }


KINDS = {
    "gate": gate,
    "tests": lambda: modules("tests/*.py"),
    "chapters": chapters,
    "pages": pages,
    "docstrings": docstrings,
    "exercises": lambda: modules("mlcore/teaching/exercises/*.py"),
    "outcomes": outcomes,
    "reasons": reasons,
    "pictures": lambda: {
        name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for name, path in paths(PICTURES).items()
    },
}


def changes(stored):
    """What is not as it was confirmed, one line for each; a test that is new needs nobody's word."""
    for kind, look in KINDS.items():
        now, then = look(), stored.get(kind, {})
        for name in [*now, *(name for name in then if name not in now)]:
            if now.get(name) != then.get(name) and (kind != "tests" or name in then):
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
