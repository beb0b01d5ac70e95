"""Faults in what a reader reads and looks at: sentences, captions, alternative texts, headings, stored outputs."""

import json
import re
import sys
from pathlib import Path

from planted_faults import Fault, cell, first, of_json, swap

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from number_sources import numbers, prose

NUMBERS = "tests/test_numbers.py::test_every_number_in_the_text_comes_from_a_cell_or_says_why_not"
FORM = "tests/test_project.py::test_every_notebook_has_the_right_form"
EVERY = "tests/test_outcomes.py::test_every_outcome_number_and_misconception_has_its_cell"
DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")


def path(chapter):
    return f"notebooks/{chapter}.ipynb"


def misread(text):
    """The first decimal number that a reader reads, with another last digit wherever it stands."""
    number = next(n for n in numbers(prose(text)) if DECIMAL.fullmatch(n))
    return re.sub(rf"(?<![\d.]){re.escape(number)}(?!\d)", number[:-1] + str((int(number[-1]) + 4) % 10), text)


def has_decimal(text):
    return any(DECIMAL.fullmatch(n) for n in numbers(prose(text)))


def misread_where(wanted):
    """Change a number in the first cell of text for which `wanted` is true."""

    def edit(notebook):
        found = first(notebook, lambda c: c["cell_type"] == "markdown" and wanted("".join(c["source"])))
        found["source"] = misread("".join(found["source"]))

    return of_json(edit)


def sentence(text):
    return has_decimal(text) and "|" not in text and "<details" not in text


def table(text):
    return any(has_decimal(line) for line in text.splitlines() if line.startswith("|")) and has_decimal(text)


def fold(text):
    return "<details" in text and has_decimal(text)


def shown(kind):
    """How a code cell describes its figure: its caption or its alternative text."""
    place = {"caption": ("figure", "caption"), "alt": ("image", "alt")}[kind]
    return lambda c: c["metadata"].get("mystnb", {}).get(place[0], {}).get(place[1], "")


def described(kind, wanted, change):
    """Change the caption or the alternative text of the first figure for which `wanted` is true."""

    def edit(notebook):
        text = shown(kind)
        found = first(notebook, lambda c: text(c) and wanted(text(c)))
        part, key = ("figure", "caption") if kind == "caption" else ("image", "alt")
        found["metadata"]["mystnb"][part][key] = change(text(found))

    return of_json(edit)


def exchange_alts(notebook):
    """Give two figures the alternative texts of each other."""
    one, other, *_ = (c for c in notebook["cells"] if has_decimal(shown("alt")(c)))
    images = [c["metadata"]["mystnb"]["image"] for c in (one, other)]
    images[0]["alt"], images[1]["alt"] = images[1]["alt"], images[0]["alt"]


def printed(notebook):
    """The stored output of the first cell that prints a decimal number."""

    def prints(c):
        return any(DECIMAL.search("".join(o.get("text", ""))) for o in c.get("outputs", []))

    return next(o for o in first(notebook, prints)["outputs"] if DECIMAL.search("".join(o.get("text", ""))))


def stale(notebook):
    output = printed(notebook)
    text = "".join(output["text"])
    number = DECIMAL.search(text)[0]
    output["text"] = text.replace(number, number[:-1] + str((int(number[-1]) + 1) % 10), 1)


def silent(notebook):
    first(notebook, lambda c: c.get("outputs"))["outputs"] = []


def warned(notebook):
    first(notebook, lambda c: c.get("outputs"))["outputs"].append(
        {"name": "stderr", "output_type": "stream", "text": "RuntimeWarning: overflow encountered in exp\n"}
    )


def out_of_order(notebook):
    first(notebook, lambda c: c["cell_type"] == "code")["execution_count"] = 7


def source_of(id, old, new):
    def edit(notebook):
        found = cell(notebook, id)
        found["source"] = swap(old, new)("".join(found["source"]))

    return of_json(edit)


def heading(old, new):
    def edit(notebook):
        found = first(notebook, lambda c: old in "".join(c["source"]))
        found["source"] = swap(old, new)("".join(found["source"]))

    return of_json(edit)


def other_listing(notebook):
    """A listing of code that is no longer what the package says."""
    cells = [c for c in notebook["cells"] for o in c.get("outputs", []) if "text/markdown" in o.get("data", {})]
    output = next(o for o in cells[0]["outputs"] if "text/markdown" in o.get("data", {}))
    output["data"]["text/markdown"] = "".join(output["data"]["text/markdown"]).replace("return", "return 2 *", 1)


def fails(notebook):
    """A cell whose last line raises, while its stored output says that all was well."""
    found = first(notebook, lambda c: c["cell_type"] == "code" and c.get("outputs"))
    found["source"] = "".join(found["source"]) + "\nraise ValueError('planted')"


def number_fault(name, kind, chapter, change):
    return Fault(name, kind, path(chapter), change, f"{NUMBERS}[{chapter}]", "cell [a-z0-9-]+: ")


FIRST = "1_3_1_loss_function"
FAULTS = [
    number_fault("number-in-a-sentence", "numbers", FIRST, misread_where(sentence)),
    number_fault("number-in-a-sentence-2", "numbers", "1_3_3_chain_rule", misread_where(sentence)),
    number_fault("number-in-a-sentence-3", "numbers", "1_4_putting_it_together", misread_where(sentence)),
    number_fault("number-in-a-table", "numbers", "1_3_6_updating_weights", misread_where(table)),
    number_fault("number-in-a-fold", "numbers", "1_3_2_gradient", misread_where(fold)),
    number_fault(
        "number-in-a-caption", "numbers", "1_3_6_updating_weights", described("caption", has_decimal, misread)
    ),
    number_fault(
        "number-that-nothing-computes",
        "numbers",
        "1_5_in_practice",
        of_json(lambda n: n["cells"][0].update(source="".join(n["cells"][0]["source"]) + "\n\nIt reaches 98.7654 %.")),
    ),
    number_fault("alt-with-another-number", "alts", "1_3_2_gradient", described("alt", has_decimal, misread)),
    number_fault("alts-exchanged", "alts", FIRST, of_json(exchange_alts)),
    Fault(
        "alt-empty",
        "alts",
        path("1_3_2_gradient"),
        described("alt", bool, lambda text: ""),
        FORM,
        "alternative text",
    ),
    Fault("alt-a-file-name", "alts", path(FIRST), described("alt", bool, lambda text: "loss.svg"), FORM, "alternative"),
    Fault(
        "figure-without-a-caption",
        "figures",
        path(FIRST),
        described("caption", bool, lambda text: ""),
        FORM,
        "without a caption",
    ),
    Fault(
        "heading-gone",
        "headings",
        path("1_3_4_computation_graph"),
        heading("## 1.3.4.3 Repeat", "## Repeat"),
        "tests/test_outcomes.py::test_the_sections_of_the_source_have_their_headings[1.3.4]",
    ),
    Fault(
        "heading-misnumbered",
        "headings",
        path("1_3_6_updating_weights"),
        heading("## 1.3.6.5 RMSprop", "## 1.3.6.6 RMSprop"),
        "tests/test_outcomes.py::test_the_sections_of_the_source_have_their_headings[1.3.6]",
    ),
    Fault(
        "heading-of-a-page",
        "headings",
        path(FIRST),
        heading("# 1.3.1 Loss Function", "# 1.3.1 Loss Functions"),
        "tests/test_outcomes.py::test_the_sections_of_the_source_have_their_headings[1.3.1]",
    ),
    Fault(
        "output-with-another-digit", "outputs", path("1_3_overview"), of_json(stale), f"nbval {path('1_3_overview')}"
    ),
    Fault("output-missing", "outputs", path(FIRST), of_json(silent), f"nbval {path(FIRST)}"),
    Fault(
        "output-of-an-older-listing",
        "outputs",
        path("1_3_5_backward_propagation"),
        of_json(other_listing),
        f"nbval {path('1_3_5_backward_propagation')}",
    ),
    Fault("cell-that-raises", "outputs", path("1_3_overview"), of_json(fails), f"nbval {path('1_3_overview')}"),
    Fault("output-with-a-warning", "outputs", path("1_3_3_chain_rule"), of_json(warned), FORM, "warning"),
    Fault(
        "cells-run-out-of-order", "outputs", path("1_3_5_backward_propagation"), of_json(out_of_order), FORM, "order"
    ),
    Fault("notebook-cut-off", "outputs", path("1_3_3_chain_rule"), lambda text: text[: len(text) // 2], FORM, "JSON"),
    Fault(
        "outcome-gone",
        "outcomes",
        "tests/outcomes.json",
        of_json(lambda m: m["1.3.4"]["outcomes"].pop()),
        "tests/test_outcomes.py::test_the_map_has_not_shrunk",
    ),
    Fault(
        "chapter-gone-from-the-map",
        "outcomes",
        "tests/outcomes.json",
        of_json(lambda m: m.pop("1.3.2")),
        "tests/test_outcomes.py::test_the_map_has_not_shrunk",
    ),
    Fault(
        "known-numbers-emptied",
        "outcomes",
        "tests/outcomes.json",
        of_json(lambda m: m["1.3.3"]["numbers"].clear()),
        "tests/test_outcomes.py::test_the_map_has_not_shrunk",
    ),
    Fault(
        "outcome-without-its-cell",
        "outcomes",
        "tests/outcomes.json",
        of_json(lambda m: m["1.4"]["outcomes"][0]["cells"].append("no-such-cell")),
        f"{EVERY}[1.4]",
        "no cell no-such-cell",
    ),
    Fault(
        "known-number-not-asserted",
        "outcomes",
        path("1_3_6_updating_weights"),
        lambda text: json.dumps(json.loads(text), indent=1, ensure_ascii=False).replace("assert ", "print(1), ") + "\n",
        f"{EVERY}[1.3.6]",
        "is not asserted",
    ),
]
