"""Each rule that stands in a docstring or a chapter as a formula gives the numbers that the code gives."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

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


ALL = [(place, formula, e) for place, formula in [*of_docstrings(), *of_chapters()] for e in equations(formula)]


def of(table, place, formula, equation):
    """What a table says about an equation: "place: words from it", "place / words from its formula", or "place"."""
    for key in table:
        name, mark, words = key.partition(": ") if ": " in key else key.partition(" / ")
        if mark and name == place and words in (equation if mark == ": " else formula):
            return table[key]
    return table.get(place)


def checked():
    """(place, equation, whether it holds, values before it) of each equation that is computed."""
    known = {}
    for place, formula, equation in ALL:
        make = of(VALUES, place, formula, equation)
        if make and not of(NO_RULE, place, formula, equation):
            before = known.get((place, make)) or make(Numbers())
            holds, known[place, make] = check(equation, before)
            yield place, equation, holds, before


def test_every_rule_gives_the_numbers_of_the_code():
    assert [f"{place}: {equation}" for place, equation, holds, _ in checked() if not holds] == []


def test_every_equation_is_computed_or_it_is_said_why_not():
    unknown = [(p, e) for p, f, e in ALL if not of(VALUES, p, f, e) and not of(NO_RULE, p, f, e)]
    assert unknown == [], "give their symbols values in formula_values.py, or a reason there"
    assert len(list(checked())) > 140


def test_what_is_known_of_formulas_is_about_formulas_that_are_there():
    def used(key):
        name, mark, words = key.partition(": ") if ": " in key else key.partition(" / ")
        return any(p == name and words in (e if mark == ": " else f if mark else "") for p, f, e in ALL)

    assert [key for key in [*VALUES, *NO_RULE] if not used(key)] == []


LETTER = r"(?:\\(?:eta|mu|rho|beta|lambda|epsilon|sigma|theta|vartheta|delta)|(?<![a-zA-Z\\_])[a-zA-Z])(?![a-zA-Z])"


def mutants(equation):
    """The equation with one sign, factor, exponent, number or order of indices changed."""
    right = re.search(r"=|\\leftarrow|\\le", equation).end()
    kept, text = equation[:right], equation[right:]
    changes = [(r"(?<![{(])[+-](?![^{]*\\mathsf)", lambda m: "-" if m[0] == "+" else "+")]
    changes += [(r"(?<=\^)\d|(?<=frac)\d|(?<=frac\{)\d|\b\d\b", lambda m: str(int(m[0]) + 1))]
    changes += [(r"_\{([a-z])([a-z])\}", lambda m: f"_{{{m[2]}{m[1]}}}")]
    changes += [(r"\^(\\top|\{\\mathsf T\})", lambda m: "")]
    for pattern, change in changes:
        for found in re.finditer(pattern, text):
            yield kept + text[: found.start()] + change(found) + text[found.end() :]
    yield f"{kept} - ({text})" if len(re.findall(r"=|\\le", text)) == 0 else f"{kept} - {text}"
    yield f"{kept} 2 ({text})" if len(re.findall(r"=|\\le", text)) == 0 else f"{kept} 2 {text}"


@pytest.mark.parametrize("part", range(4))
def test_a_rule_with_something_changed_is_noticed(part):
    seen, survivors = 0, []
    for place, equation, _, values in list(checked())[part::4]:
        for mutant in mutants(equation):
            try:
                holds = check(mutant, values)[0]
            except (Unreadable, ValueError, TypeError, ZeroDivisionError):
                continue
            seen += 1
            survivors += [f"{place}: {mutant}"] * holds
    assert survivors == [] and seen > 100
