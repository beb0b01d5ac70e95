"""Each rule that stands in a docstring or a chapter as a formula gives the numbers that the code gives."""

import ast
import functools
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from formula_values import NO_RULE, VALUES, Numbers  # noqa: E402
from formulas import check, equations  # noqa: E402

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


@functools.cache
def checked():
    """{(place, equation): whether it holds, and the values before it, for each draw of numbers} of what is computed."""
    found = {}
    for draw in range(3):
        known = {}
        for place, formula, equation in ALL:
            make = of(VALUES, place, formula, equation)
            if make and not of(NO_RULE, place, formula, equation):
                before = known.get((place, make)) or make(Numbers(draw))
                holds, known[place, make] = check(equation, before)
                found.setdefault((place, equation), []).append((holds, before))
    return found


def test_every_rule_gives_the_numbers_of_the_code():
    assert [" ".join(e) for e, draws in checked().items() if not all(holds for holds, _ in draws)] == []


def test_every_equation_is_computed_or_it_is_said_why_not():
    unknown = [(p, e) for p, f, e in ALL if not of(VALUES, p, f, e) and not of(NO_RULE, p, f, e)]
    assert unknown == [], "give their symbols values in formula_values.py, or a reason there"
    assert len(checked()) > 140


def test_what_is_known_of_formulas_is_about_formulas_that_are_there():
    def used(key):
        name, mark, words = key.partition(": ") if ": " in key else key.partition(" / ")
        return any(p == name and words in (e if mark == ": " else f if mark else "") for p, f, e in ALL)

    assert [key for key in [*VALUES, *NO_RULE] if not used(key)] == []


# Changes that change nothing: a symmetric matrix, the order of a sum's indices, a multiple of 0, a bound left wider.
THE_SAME = {
    r"-\mathrm{KL}(t \| y) = \sum_k t_k \log \frac{y_k}{t_k} \le \sum_k t_k (\frac{y_k}{t_k} - 1 ) "
    r"= \sum_k y_k - 1 \le 1",
    r"\partial y_j / \partial x_k = y_j (\delta_{kj} - y_k)",
    r"c = \frac{g H g}{\lVert g \rVert^2}",
    r"(uJ)_j = \sum_i u_i p_i (\delta_{ji} - p_j) = p_j (u_j - \sum_i u_i p_i )",
    r"\langle Ax,u\rangle=\sum_{ji}u_iA_{ij}x_j=\langle x,A^{\mathsf T}u\rangle",
    r"r^2 - (1 + \mu - \eta\lambda) r + \mu = - ( 0)",
    r"r^2 - (1 + \mu - \eta\lambda) r + \mu = 2 ( 0)",
    r"\theta \leftarrow - ( \theta - H^{-1} g)",
    r"\theta \leftarrow 2 ( \theta - H^{-1} g)",
}
FACTOR = (
    r"\\(?:eta|mu|rho|epsilon|lambda|sigma|vartheta|theta|beta_\d|frac1N|frac\{1\}\{N\})(?![a-z_'])"
    r"|(?<![a-zA-Z\\_^{])[a-zA-Z](?![a-zA-Z_({'])"
)


def mutants(equation):
    """The equation with one sign, factor, exponent, number or order of indices changed."""
    right = re.search(r"=|\\leftarrow|\\le", equation).end()
    kept, text = equation[:right], equation[right:]
    changes = [(r"(?<![{(])[+-](?![^{]*\\mathsf)", lambda m: "-" if m[0] == "+" else "+")]
    changes += [(r"(?<=\^)\d|(?<=frac)\d|(?<=frac\{)\d|\b\d\b", lambda m: str(int(m[0]) + 1))]
    changes += [(r"_\{([a-z])([a-z])\}", lambda m: f"_{{{m[2]}{m[1]}}}")]
    changes += [(FACTOR, lambda m: " 1 ")]
    changes += [(r"\^(\\top|\{\\mathsf T\})", lambda m: "")]
    for pattern, change in changes:
        for found in re.finditer(pattern, text):
            yield kept + text[: found.start()] + change(found) + text[found.end() :]
    yield f"{kept} - ({text})" if len(re.findall(r"=|\\le", text)) == 0 else f"{kept} - {text}"
    yield f"{kept} 2 ({text})" if len(re.findall(r"=|\\le", text)) == 0 else f"{kept} 2 {text}"


def still_holds(mutant, draws):
    """Whether a changed equation holds for all numbers, or cannot be read any more."""
    try:
        with np.errstate(all="ignore"):
            return all(check(mutant, values)[0] for _, values in draws)
    except (ValueError, TypeError, AttributeError, ArithmeticError, LookupError):
        return None


def test_a_rule_with_something_changed_is_noticed():
    changed = [(place, m, draws) for (place, equation), draws in checked().items() for m in mutants(equation)]
    verdicts = [still_holds(mutant, draws) for _, mutant, draws in changed]
    survivors = [mutant for (_, mutant, _), held in zip(changed, verdicts, strict=True) if held]
    survivors = [mutant for mutant in survivors if mutant not in THE_SAME]
    assert survivors == []
    assert verdicts.count(False) > 800


def test_what_cannot_be_read_is_refused():
    for equation in ["x", "x = z", "x = y +", "x = (y", r"x = \pm y", "x = y_{ij}", "x = y_4"]:
        with pytest.raises(ValueError):
            check(equation, {"x": 1.0, "y": np.arange(3.0), "sizes": {"i": 1, "j": 1}})
