"""Each rule that stands in a docstring or a chapter as a formula gives the numbers that the code gives."""

import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from formula_values import NO_RULE, VALUES, Numbers  # noqa: E402
from formulas import Unreadable, check, equations  # noqa: E402

MATHS = re.compile(r"^( *)\.\. math:: ?(.*(?:\n(?:\1 +\S.*| *(?=\n)))*)", re.MULTILINE)
INLINE = re.compile(r"(?<![\\$])\$([^$]*(?:\\partial[^$]*=|\\leftarrow)[^$]*)\$(?!\$)")


def of_docstrings():
    """(place, formula) of each formula that is displayed in a docstring."""
    for path in sorted((ROOT / "mlcore").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                for found in MATHS.finditer(ast.get_docstring(node) or ""):
                    yield f"{path.stem}.{node.name}", found[2].split("\n\n")[0]


def of_chapters():
    """(place, formula) of each displayed formula of a chapter, and of derivatives and rules among the words."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if path.stem.endswith("_practice") and path.stem != "1_5_in_practice":
            continue
        chapter = re.match(r"[\d_]+(?=_)", path.stem)[0]
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                for formula in re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL):
                    yield f"{chapter} {cell['id']}", formula
                for formula in INLINE.findall(re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)):
                    yield f"{chapter} {cell['id']}", formula


ALL = [(place, e) for place, formula in [*of_docstrings(), *of_chapters()] for e in equations(formula)]


def of(table, place, equation):
    """What a table says about an equation: under words from it, or about its whole place."""
    special = [key for key in table if key.startswith(f"{place}: ") and key.removeprefix(f"{place}: ") in equation]
    return table.get(special[0] if special else place)
