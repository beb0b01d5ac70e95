"""What no program can judge does not change unseen: the gate, outlines, outcomes, exercises, words of figures, ..."""

import json
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import confirm  # noqa: E402

HOW = "look at each (git diff), and if it is meant run .venv/bin/python tools/confirm.py --write"


def test_nothing_has_changed_that_was_not_confirmed():
    found = list(confirm.changes(json.loads(confirm.STORED.read_text(encoding="utf-8"))))
    assert not found, "\n".join([HOW, *found])


def test_no_test_is_empty():
    assert list(confirm.empty_tests()) == []


CHANGES = [
    (".ci/run", "make clean", "make() { command make $@ || true; }\nmake clean", "gate: .ci/run has changed"),
    ("Makefile", ".PHONY:", ".IGNORE:\n.PHONY:", "gate: Makefile has changed"),
    ("pyproject.toml", '"F",', "", "gate: pyproject.toml, ruff has changed"),
    ("tests/test_layers.py", "def test_gradient_of_sigmoid(", "def sigmoid(", "test_gradient_of_sigmoid is gone"),
    ("notebooks/1_3_6_updating_weights.ipynb", "## Comparing fairly", "## Comparing fairy", "headings: 1_3_6"),
    ("notebooks/1_3_3_chain_rule.ipynb", "### Gates, sign and force", "## Gates, sign and force", "headings: 1_3_3"),
    ("notebooks/1_3_6_updating_weights.ipynb", "2(1+\\\\mu)", "2(1-\\\\mu)", "numbers and formulas: 1_3_6"),
    ("tests/outcomes.json", '"1075"', '"5"', "outcomes: "),
    ("mlcore/optimizers.py", r"\vartheta + \mu v", r"\vartheta - \mu v", "formulas of docstrings: optimizers.Nesterov"),
    ("book/bibliography.md", "10.", "11.", "bibliography: "),
    ("mlcore/teaching/exercises/gradient.py", "-0.2", "2.2", "exercises: gradient, SlopesByHand"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), CHANGES, ids=[f"{c[0]}-{c[3][:24]}" for c in CHANGES])
def test_a_change_is_told(tmp_path, monkeypatch, file, old, new, said):
    for part in (".ci", ".github", "Makefile", "pyproject.toml", "tests", "tools", "notebooks", "mlcore", "book"):
        source = ROOT / part
        (tmp_path / part).symlink_to(source) if part != file.split("/")[0] else None
    top = file.split("/")[0]
    if (ROOT / top).is_dir():
        shutil.copytree(
            ROOT / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__", "assets", "data", "vendor")
        )
    text = (ROOT / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(confirm, "ROOT", tmp_path)
    found = list(confirm.changes(json.loads(confirm.STORED.read_text(encoding="utf-8"))))
    assert any(said in line for line in found), found


def test_a_new_test_needs_nobodys_word():
    stored = json.loads(confirm.STORED.read_text(encoding="utf-8"))
    stored["tests"]["test_layers"].pop()
    assert list(confirm.changes(stored)) == []
