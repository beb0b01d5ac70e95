"""What no program can judge does not change unseen: words, figures, outlines, outcomes, exercises, the gate, tests."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import confirm  # noqa: E402

HOW = "look at each (git diff), and if it is meant run .venv/bin/python tools/confirm.py --write"


def test_nothing_has_changed_that_was_not_confirmed():
    found = list(confirm.changes(json.loads(confirm.STORED.read_text(encoding="utf-8"))))
    assert not found, "\n".join([HOW, *found])


def test_no_test_is_empty():
    assert list(confirm.empty_tests()) == []


# That each kind of change is told is proved by the planted faults (tests/planted_faults/unseen.py).


def test_a_new_test_needs_nobodys_word():
    stored = json.loads(confirm.STORED.read_text(encoding="utf-8"))
    stored["tests"].pop("test_layers, test_gradient_of_sigmoid")
    assert list(confirm.changes(stored)) == []
