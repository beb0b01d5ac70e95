"""What each chapter must reach, and where it does: `outcomes.json` maps every outcome to the cells that serve it."""

import copy
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from measure_chapters import is_folded, measures  # noqa: E402

CHAPTERS = json.loads((ROOT / "tests/outcomes.json").read_text(encoding="utf-8"))
OVERVIEW = "1.3"  # the opening notebook
LONGEST_MAIN_LINE, LONGEST_OVERVIEW = 3400, 1200  # words: some 35 minutes, some 10
MOST_OPEN, LONGEST_OPEN = 1 / 2, 15  # share of the lines of code that are not folded, and lines of one such cell
FEWEST_PREDICTIONS, FEWEST_OF_THE_OVERVIEW = 4, 2
SECTIONS = {  # of the source, each with its heading in the chapter
    "1.3": [],
    "1.3.1": ["1.3.1 Loss Function"],
    "1.3.2": ["1.3.2 Gradient"],
    "1.3.3": ["1.3.3 Chain Rule"],
    "1.3.4": [
        "1.3.4 Computation Graph", "1.3.4.1 Multiplication", "1.3.4.2 Branch", "1.3.4.3 Repeat", "1.3.4.4 Sum",
        "1.3.4.5 MatMul",
    ],
    "1.3.5": ["1.3.5 Backward Propagation", "1.3.5.1 Sigmoid", "1.3.5.2 Affine", "1.3.5.3 Softmax with Loss"],
    "1.3.6": [
        "1.3.6 Updating Weights", "1.3.6.1 SGD", "1.3.6.2 Momentum", "1.3.6.3 Nesterov", "1.3.6.4 AdaGrad",
        "1.3.6.5 RMSprop", "1.3.6.6 Adam",
    ],
    "1.4": [],
    "1.5": [],
}  # fmt: skip
# How many outcomes, known numbers and misconceptions a chapter has at least. What goes has to go here too.
FEWEST = {
    "1.3": (5, 0, 3), "1.3.1": (14, 17, 7), "1.3.2": (15, 10, 11), "1.3.3": (12, 24, 6), "1.3.4": (12, 5, 9),
    "1.3.5": (14, 5, 6), "1.3.6": (15, 27, 14), "1.4": (8, 9, 7), "1.5": (8, 3, 6),
}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


def read(chapter):
    paths = (ROOT / "notebooks").glob(f"{chapter.replace('.', '_')}_[a-z]*.ipynb")
    path = min(paths, key=lambda path: len(path.stem))  # its practice has a longer name
    return json.loads(path.read_text(encoding="utf-8"))


def text_of(cell):
    """What a cell says and what it puts out, without the commas of large numbers."""
    outputs = [output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.get("outputs", [])]
    text = "\n".join("".join(part) for part in (cell["source"], *outputs))
    return re.sub(r"(?<=\d)[,_](?=\d{3})", "", text)


def faults(chapter, notebook):
    """What the map of a chapter promises and its notebook does not keep."""
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    named = [id for outcome in chapter["outcomes"] for id in outcome["cells"]]
    named += [*chapter["numbers"].values(), *chapter["misconceptions"].values()]
    found = [f"no cell {id}" for id in named if id not in cells]
    if found:
        return found
    for outcome in chapter["outcomes"]:
        if not any(cells[id]["cell_type"] == "code" for id in outcome["cells"]):
            found.append(f"nothing is run for: {outcome['the reader can']}")
    for number, id in chapter["numbers"].items():
        if "assert" not in text_of(cells[id]):
            found.append(f"{number} is not asserted in {id}")
        missing = [n for n in NUMBER.findall(number) if n not in text_of(cells[id])]
        found += [f"{n} (of {number}) does not stand in {id}" for n in missing]
    return found


def test_the_map_has_not_shrunk():
    parts = ("outcomes", "numbers", "misconceptions")
    found = {name: tuple(len(chapter[part]) for part in parts) for name, chapter in CHAPTERS.items()}
    assert found.keys() == FEWEST.keys()
    assert {
        n: counts for n, counts in found.items() if any(a < b for a, b in zip(counts, FEWEST[n], strict=True))
    } == {}


@pytest.mark.parametrize("chapter", SECTIONS)
def test_the_sections_of_the_source_have_their_headings(chapter):
    text = "\n".join("".join(c["source"]) for c in read(chapter)["cells"] if c["cell_type"] == "markdown")
    assert re.findall(r"^#+ (1\.3\.\d.*)$", text, re.MULTILINE) == SECTIONS[chapter]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_outcome_number_and_misconception_has_its_cell(chapter):
    assert faults(CHAPTERS[chapter], read(chapter)) == []


def test_a_broken_promise_is_found():
    chapter, notebook = CHAPTERS["1.3.1"], read("1.3.1")
    number, id = next(iter(chapter["numbers"].items()))
    without = copy.deepcopy(notebook)
    without["cells"] = [cell for cell in without["cells"] if cell["id"] != id]
    assert faults(chapter, without) != []
    for cell in notebook["cells"]:
        if cell["id"] == id:
            cell["source"] = "".join(cell["source"]).replace("assert", "print")
    assert f"{number} is not asserted in {id}" in faults(chapter, notebook)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_reads_in_about_thirty_five_minutes_and_the_overview_in_ten(chapter):
    longest = LONGEST_OVERVIEW if chapter == OVERVIEW else LONGEST_MAIN_LINE
    assert measures(read(chapter))["words"] <= longest


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_code_that_only_draws_prepares_or_proves_is_folded(chapter):
    found = measures(read(chapter))
    assert found["longest"] <= LONGEST_OPEN
    if chapter != OVERVIEW:  # its one program is the point
        assert found["open"] <= MOST_OPEN * found["code"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_fold_is_one_on_the_page_and_in_jupyterlab_and_hides_no_question(chapter):
    for cell in read(chapter)["cells"]:
        hidden = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
        assert hidden == is_folded(cell), cell["id"]
        assert not (hidden and "guess = ..." in "".join(cell["source"])), cell["id"]


def test_measures_count_what_is_open():
    def cell(source, kind="code", **metadata):
        return {"cell_type": kind, "source": source, "metadata": metadata, "outputs": []}

    cells = [
        cell("two words <details> not these </details>", "markdown"),
        cell("a = 1\n\nb = 2"),
        cell("c = 3", tags=["hide-input"], mystnb={"figure": {"name": "f"}}),
    ]
    assert measures({"cells": cells}) == {"words": 2, "code": 3, "open": 2, "longest": 2, "figures": 1}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_reader_predicts_before_the_result_appears(chapter):
    sources = ["".join(c["source"]) for c in read(chapter)["cells"] if c["cell_type"] == "code"]
    predictions = [s for s in sources if re.search(r"^\s*predict\(", s, re.MULTILINE)]
    assert len(predictions) >= (FEWEST_OF_THE_OVERVIEW if chapter == OVERVIEW else FEWEST_PREDICTIONS)
    assert [s for s in predictions if not re.search(r"^guess = \.\.\.  # .", s, re.MULTILINE)] == []
