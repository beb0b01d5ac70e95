"""The opening notebook: its program is short, stands alone and learns, and what the text says is what came out."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest

from mlcore import load_spiral

ROOT = Path(__file__).resolve().parent.parent
CELLS = json.loads((ROOT / "notebooks" / "1_3_overview.ipynb").read_text(encoding="utf-8"))["cells"]
SOURCES = {cell["id"]: "".join(cell["source"]) for cell in CELLS}
PROGRAM = "\n".join(SOURCES[name] for name in ["data", "start", "forward", "loss", "backward", "step", "loop"])
LINES = [line for line in PROGRAM.splitlines() if line.strip()]
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)")


def output(cell):
    """What a cell prints, or the text of what it shows."""
    parts = [part.get("text", part.get("data", {}).get("text/plain", "")) for part in cell.get("outputs", [])]
    return "\n".join("".join(part) for part in parts)


@pytest.fixture(scope="module")
def ran():
    """The names that the program leaves behind, run alone."""
    names = {}
    exec(PROGRAM, names)
    return names


def test_the_program_is_as_short_as_the_page_says_and_needs_numpy_alone():
    assert "fewer than sixty lines" in SOURCES["title"] and 40 < len(LINES) < 60
    imports = [n for n in ast.walk(ast.parse(PROGRAM)) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]


def test_whatever_its_functions_make_is_named_in_the_text():
    text = " ".join(SOURCES[cell["id"]] for cell in CELLS if cell["cell_type"] == "markdown")
    told = {name for code in re.findall("`([^`]+)`", text) for name in re.findall(r"\w+", code)}
    functions = [node for node in ast.parse(PROGRAM).body if isinstance(node, ast.FunctionDef)]
    names = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    assert len(functions) == 6 and len(made) > 15 and made - told == set()


def test_it_learns_the_spiral_of_the_book(ran):
    assert np.array_equal(ran["x"], load_spiral(seed=0)[0]) and np.array_equal(ran["arm"], load_spiral(seed=0)[1])
    assert ran["right"] / 300 >= 0.98
    assert ran["losses"][-1] < 0.1 < 1 < ran["losses"][0]
    assert len(ran["film"]) == len(ran["losses"]) == 1001


@pytest.mark.parametrize("index", range(4))
def test_each_slope_is_the_measured_one(ran, index):
    x, t, params = ran["x"], ran["t"], ran["film"][100]
    computed = ran["backward"](x, t, params, *ran["forward"](x, params))[index]
    for place in [(0,) * computed.ndim, (-1,) * computed.ndim]:
        sides = []
        for change in (1e-6, -1e-6):
            moved = [p.copy() for p in params]
            moved[index][place] += change
            sides.append(ran["loss_of"](ran["forward"](x, moved)[1], t))
        assert computed[place] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5, abs=1e-9)


def test_what_a_reader_is_told_to_break_breaks(ran):
    for words, least, most, old, new in [
        ("* (h > 0)", 200, 270, r" \* \(h > 0\)", ""),
        ("3 units instead of 50", 150, 270, r"\b50\b", "3"),
        ("0.01 or 10", 120, 200, r"lr=1\.0", "lr=0.01"),
        ("0.01 or 10", 60, 120, r"lr=1\.0", "lr=10.0"),
    ]:
        program, count = re.subn(old, new, PROGRAM)
        assert words in SOURCES["next"] and count
        names = {}
        exec(program, names)
        assert least < names["right"] < most < ran["right"], words


def unshown(cells):
    """Numbers in text, captions and alternative texts that no cell holds or puts out."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    shown = " ".join("".join(cell["source"]) + " " + output(cell) for cell in code)
    told = [
        re.sub(r"\[[\d.]+[^]]*\]\([^)]*\)", "", "".join(c["source"])) for c in cells if c["cell_type"] == "markdown"
    ]
    told += [json.dumps(cell["metadata"].get("mystnb", {})).replace("fig-13", "") for cell in code]
    numbers = set(NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3})", "", " ".join(told))))
    return numbers - set(NUMBER.findall(re.sub(r"(?<=\d)[,_](?=\d{3})", "", shown)))


def test_every_number_in_the_text_is_shown_by_a_cell():
    headings = {"1.3"}
    assert unshown(CELLS) - headings == set()
    wrong = [c | {"source": "It got 296 right."} if c["id"] == "missed" else c for c in CELLS]
    assert "296" in unshown(wrong)


def test_the_page_is_light_and_its_open_cells_are_short():
    (film,) = (cell["outputs"][0]["data"]["text/html"] for cell in CELLS if cell["id"] == "watch-figure")
    assert 100_000 < len("".join(film)) < 400_000
    for cell in CELLS:
        folded = "hide-input" in cell["metadata"].get("tags", [])
        assert folded == bool(cell["metadata"].get("jupyter", {}).get("source_hidden"))
        if cell["cell_type"] == "code" and not folded:
            assert len(SOURCES[cell["id"]].splitlines()) <= 15
