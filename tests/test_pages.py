"""What the plain pages say: the form of the glossary, the tables of conventions, the words of the page on speed."""

import inspect
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import mlcore

ROOT = Path(__file__).resolve().parent.parent
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")}
PAGES["README"] = (ROOT / "README.md").read_text(encoding="utf-8")
LIBRARIES = json.loads((ROOT / "tests" / "reference" / "conventions.json").read_text(encoding="utf-8"))


def test_every_page_is_in_the_table_of_contents():
    contents = re.findall(r"(?:root|file): book/(\w+)$", (ROOT / "_toc.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(contents) == sorted(PAGES.keys() - {"README"})


# The language

UNENGLISH = re.compile(
    r"\b(whoever|mend(s|ed|ing)?|dearer|hangs? on|stands? in (?!for)|comes? true|by heart)\b"
    r"|\b(derivative|gradient|slope)s?( of (a |the )?[\w$]+)? by (every|all|each|its|the|\$|`|[b-z]\b)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_reads_as_english(name):
    assert [match.group() for match in UNENGLISH.finditer(PAGES[name])] == []


@pytest.mark.parametrize(
    "text", ["the gradient of a loss by every weight", "the derivative by $x$", "Whoever reads", "mended"]
)
def test_words_that_read_as_translated_are_found(text):
    assert UNENGLISH.search(text)


# The glossary


def entries():
    """{title: (the words it is indexed under, its text with its other names)}"""
    found = {}
    for entry in PAGES["glossary"].split("\n## ")[1:]:
        title, text = entry.split("\n", 1)
        index = re.search(r"```\{index\} (.*)\n```\n", text)
        words = re.findall(r"! ([^,\n]+)", index.group(1)) if index else []
        found[title] = words, text.replace(index.group(), "") if index else text
    return found


def entry_faults(title, words, text):
    """What an entry of the glossary lacks."""
    definition, _, names = text.strip().partition("\n\n*Also called:* ")
    if not re.search(r"\[1\.\d(\.\d)?\]\(\.\./notebooks/\w+\.ipynb\)$", definition):
        yield "does not end with its chapter"
    if not re.fullmatch(r"[^\n]+\.\n?", names):
        yield "has no other names"
    seen = f"{title} {text}".replace("*", "").casefold()
    yield from (f"is indexed under {word!r}, which it does not say" for word in words if word.casefold() not in seen)


def test_every_entry_of_the_glossary_has_its_chapter_and_its_other_names():
    found = {title: list(entry_faults(title, *entry)) for title, entry in entries().items()}
    assert {title: faults for title, faults in found.items() if faults} == {}
    assert len(found) > 80


def test_a_faulty_entry_is_found():
    fine = "One number. [1.4](../notebooks/1_4_putting_it_together.ipynb)\n\n*Also called:* figure."
    assert list(entry_faults("Sum", ["figure"], fine)) == []
    assert len(list(entry_faults("Sum", ["figure"], "One number.\n\nA figure."))) == 2
    assert len(list(entry_faults("Sum", ["total"], fine))) == 1


def test_the_glossary_is_in_order():
    titles = list(entries())
    assert titles == sorted(titles, key=str.casefold)


# Conventions


def table(heading):
    """The rows of the table below a heading of the page of conventions, as lists of cells."""
    section = PAGES["conventions"].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows if not row.startswith("---")]


def number(cell):
    """The number in a cell, or None."""
    power = re.fullmatch(r"\$10\^\{(-\d+)\}\$", cell)
    return float(f"1e{power.group(1)}") if power else None if cell in ("", "–", "none") else float(cell)


def default(rule, setting):
    """A default of `mlcore`."""
    names = {"η": "lr", "μ": "momentum", "ρ": "decay_rate", "β1": "beta1", "β2": "beta2", "ε": "eps"}
    rule = mlcore.Momentum if setting == "μ" else getattr(mlcore, rule)
    return inspect.signature(rule).parameters[names[setting]].default


def test_the_defaults_are_those_of_the_libraries():
    (_, *columns), *rows = table("Optimizers: defaults")[:12]
    assert columns == ["`mlcore`", "PyTorch", "Keras", "Optax", "scikit-learn"]
    for name, *cells in rows:
        symbol, _, rule = name.partition(", ")
        setting = symbol.strip("$").replace("\\", "").replace("_", "")
        setting = {"eta": "η", "mu": "μ", "rho": "ρ", "beta1": "β1", "beta2": "β2", "epsilon": "ε"}[setting]
        theirs = LIBRARIES["defaults"][rule or "SGD"][setting]
        expected = [default(rule, setting), *(theirs.get(library) for library in columns[1:])]
        assert [number(cell) for cell in cells] == expected, name
    assert len(rows) == 11


FIRST = {  # the first step with the gradient g, divided by the learning rate, where no library has computed it
    "AdaGrad, Saito": lambda g: g / (g + 1e-7),
    "Adam, Saito": lambda g: math.sqrt(0.001) * g / (math.sqrt(0.001) * g + 1e-7),
}


def first_steps(rule, library):
    if library != "`mlcore`":
        return LIBRARIES["first step"][rule].get(library) or [FIRST[f"{rule}, {library}"](g) for g in (1, 1e-4, 1e-8)]
    x = np.zeros(3)
    getattr(mlcore, rule)(lr=1.0).update([x], [np.array([1, 1e-4, 1e-8])])
    return list(-x)


def test_the_first_steps_are_those_of_the_libraries():
    rows = table("Optimizers: defaults")[13:]
    for name, *cells in rows:
        rule, libraries = name.split(", ", 1)
        for library in re.split(", | and ", libraries):
            assert [f"{step:.2f}" for step in first_steps(rule, library)] == cells, (rule, library)
    assert len(rows) == 10


def test_the_highest_losses_are_those_of_the_libraries():
    rows = {name.split()[0]: cell for name, _, cell in table("Epsilon in a loss")[1:]}
    known = {**LIBRARIES["highest loss"], "Saito": -math.log(1e-7)}
    assert {name: float(rows[name]) for name in known} == {name: round(loss, 3) for name, loss in known.items()}


def test_the_loss_of_two_softmaxes_is_what_the_page_says():
    for classes, loss in LIBRARIES["softmax twice"].items():
        assert round(math.log(1 + (int(classes) - 1) / math.e), 4) == loss
        assert re.search(rf"{loss} for {classes}\b", PAGES["conventions"])


def test_where_the_rate_sits_matters_as_the_page_says():
    x, inside, outside = np.zeros(1), mlcore.Momentum(0.1, 0.9), 0.0
    for step in range(1, 102):
        inside.lr = 0.1 if step <= 100 else 0.01
        inside.update([x], [np.ones(1)])
        outside = 0.9 * outside + 1
    assert f"step 101 is {-inside.v[0][0]:.2f} long inside and {0.01 * outside:.2f} outside" in PAGES["conventions"]


def test_the_two_epsilons_of_adam_differ_as_the_page_says():
    x = np.zeros(1)
    mlcore.Adam(lr=0.01).update([x], [np.array([1e-8])])
    quick = [0.01 * math.sqrt(0.001) * 1e-8 / (math.sqrt(0.001) * 1e-8 + eps) for eps in (1e-8, 1e-7)]
    times = [f"{-x[0] / step:.0f}" for step in quick]
    assert f"{-x[0]:.3f} long" in PAGES["conventions"] and times[0] == "16" and abs(int(times[1]) - 160) < 5
    assert re.search(rf"{times[0]} times shorter .*, and about 160 times with", PAGES["conventions"])


def test_the_strengths_of_weight_decay_are_those_of_the_libraries():
    rows = {name: text for name, _, text in table("Weight decay and L2 penalty")[1:]}
    decay = LIBRARIES["defaults"]["AdamW"]["decay"]
    assert rows["PyTorch `AdamW`"].startswith(f"{decay['PyTorch']};")
    assert f"{decay['Keras']} in `AdamW`" in rows["Keras, `weight_decay` of **every** optimizer"]
    assert rows["Optax `adamw`"].startswith(f"{decay['Optax']:.4f};")
    alpha = LIBRARIES["defaults"]["SGD"]["decay"]["scikit-learn"]
    assert rows["scikit-learn `MLPClassifier`, `alpha`"].startswith(f"{alpha:.4f},")
    assert {LIBRARIES["defaults"][rule]["decay"]["PyTorch"] for rule in ("SGD", "AdaGrad", "RMSprop", "Adam")} == {0}


def test_the_page_names_the_versions_that_were_asked():
    for name, version in {
        "PyTorch": "torch",
        "Keras": "keras",
        "Optax": "optax",
        "scikit-learn": "scikit-learn",
    }.items():
        full = LIBRARIES["versions"][version].partition("+")[0]
        assert f"### {name} {full}" in PAGES["bibliography"]
        assert f"{name} {full.rpartition('.')[0]}" in PAGES["conventions"]


# Speed


def test_the_page_on_speed_says_how_far_the_textbook_is_ahead_in_float32():
    rows = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))["rows"]
    ratios = [r["ratio"] for r in rows if r["rival"] == "textbook, float32" and r["what"].endswith("SGD")]
    more = [100 * (1 / ratio - 1) for ratio in ratios if ratio < 1]
    assert f"{min(more):.0f} to {max(more):.0f} % more time" in PAGES["speed"]
    (products,) = [r["ratio"] for r in rows if r["rival"] == "products only"]
    assert abs(products - 0.8) < 0.05 and "four fifths of the step are matrix products" in PAGES["speed"]
