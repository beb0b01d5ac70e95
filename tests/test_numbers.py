"""Every number in the text of a chapter comes from a cell, or it is said why it is no result: `numbers.json`."""

import copy
import json
import random
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from number_sources import STORED, faults, named, numbers, prose, stands_in, texts  # noqa: E402

KNOWN = json.loads(STORED.read_text(encoding="utf-8"))
NOTEBOOKS = dict(named())


def test_every_chapter_is_looked_at():
    assert KNOWN.keys() == NOTEBOOKS.keys()


@pytest.mark.parametrize("chapter", NOTEBOOKS)
def test_every_number_in_the_text_comes_from_a_cell_or_says_why_not(chapter):
    assert faults(chapter, NOTEBOOKS[chapter], KNOWN[chapter]) == []


def test_most_numbers_are_computed():
    sources = [source for cells in KNOWN.values() for known in cells.values() for source in known.values()]
    given = [source for source in sources if " " in source and not source.startswith("= ")]
    assert len(sources) > 1200 and len(given) < len(sources) / 8
    assert all(len(source) > 8 for source in given)


def cell(id, source, kind="code", output="", **metadata):
    outputs = [{"output_type": "stream", "text": output}] if output else []
    return {"id": id, "cell_type": kind, "source": source, "metadata": metadata, "outputs": outputs}


@pytest.mark.parametrize(
    ("text", "output", "agrees"),
    [
        ("0.69", "0.6931", True), ("0.70", "0.6931", False), ("97.5", "0.9750", True), ("-3", "3", True),
        ("−3", "-3", True), ("1,797", "1797", True), ("1,799", "1797", False), ("81", "8e10", False),
        ("2e-7", "2.1e-07", True), ("12", "0.12", True),
    ],
)  # fmt: skip
def test_rounded_or_in_other_units_a_number_is_the_same(text, output, agrees):
    assert stands_in(text, cell("a", "", output=output)) == agrees


def test_addresses_code_sections_and_years_are_no_results():
    assert numbers(prose("See [1.3.2](a_1_3.ipynb#x-7), `x = 5`, Kingma & Ba (2015), <https://doi.org/10.1>: 0.5")) == [
        "0.5"
    ]


def test_a_changed_digit_is_found_wherever_it_stands():
    random.seed(0)
    for name, notebook in NOTEBOOKS.items():
        places = [(i, c) for i, c in enumerate(notebook["cells"]) if c["id"] in KNOWN[name]]
        for i, c in random.sample(places, 8):
            changed = copy.deepcopy(notebook)
            number = next(iter(KNOWN[name][c["id"]]))
            wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
            if c["cell_type"] == "markdown":
                changed["cells"][i]["source"] = "".join(c["source"]).replace(number, wrong)
            else:
                shown = json.dumps(c["metadata"]["mystnb"], ensure_ascii=False).replace(number, wrong)
                changed["cells"][i]["metadata"]["mystnb"] = json.loads(shown)
            assert any(f"cell {c['id']}: " in fault for fault in faults(name, changed, KNOWN[name])), (c["id"], number)


def test_a_changed_result_is_found():
    notebook = {"cells": [cell("a", "print(x)", output="0.6931"), cell("t", "It is 0.69.", "markdown")]}
    assert faults("n", notebook, {"t": {"0.69": "a"}}) == []
    notebook["cells"][0]["outputs"][0]["text"] = "0.7031"
    assert faults("n", notebook, {"t": {"0.69": "a"}}) == ["n, cell t: 0.69 is not what cell a computes"]
    assert faults("n", notebook, {"t": {"0.69": "b"}}) == ["n, cell t: 0.69 comes from cell b, which does not exist"]
    assert faults("n", notebook, {"t": {"0.69": "= np.log(2)"}}) == []
    assert faults("n", notebook, {"t": {"0.69": "= np.log(3)"}}) == ["n, cell t: 0.69 is not np.log(3)"]
    assert faults("n", notebook, {}) == ["n, cell t: where does 0.69 come from?"]
    assert faults("n", notebook, {"t": {"0.69": "given in the text", "5": "a"}}) == ["n, cell t: 5 is gone"]


def test_captions_and_alternative_texts_are_read():
    figure = cell("f", "1", mystnb={"image": {"alt": "Falls to 3.5"}, "figure": {"caption": "At 0.25."}})
    assert dict(texts({"cells": [figure]})) == {"f": "Falls to 3.5 At 0.25."}
