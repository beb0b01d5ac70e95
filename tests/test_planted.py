"""The planted faults: each can still be planted, the quick ones are noticed, and the page tells of all of them."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from planted_faults import KINDS, Fault, added, all_faults, swap

ROOT = Path(__file__).resolve().parent.parent
FAULTS = all_faults()


def load(name, folder, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / folder)
    return importlib.import_module(name)


@pytest.fixture
def planted(monkeypatch):
    return load("planted", "tools", monkeypatch)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_can_be_planted(name):
    fault = FAULTS[name]
    path = ROOT / fault.file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    assert fault.change(before) != before
    assert fault.kind in KINDS


def test_there_are_faults_of_every_kind_and_the_report_tells_of_all(planted):
    assert {fault.kind for fault in FAULTS.values()} == KINDS.keys() and len(FAULTS) > 90
    assert planted.REPORT.read_text(encoding="utf-8") == planted.report(list(FAULTS.values()), [])


def test_the_quick_ones_are_noticed():
    """In a process of its own, since each fault gets a fork of it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}
    command = [sys.executable, ROOT / "tools/planted.py", "--quick", "--jobs", "1"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr
    assert run.stdout.count("red: ") > 60


def test_what_is_not_noticed_is_told(planted):
    fault = Fault("nothing", "code", "README.md", added("x"), "tests/test_a.py", "a reason")
    assert planted.seen(fault, 1, "for a reason")
    assert not planted.seen(fault, 1, "for another") and not planted.seen(fault, 0, "a reason")
    assert not planted.seen(fault, 2, "a reason")  # tests that could not even begin
    assert "| all | 1 | 0 |" in planted.report([fault], ["nothing"])


def test_a_fault_that_changes_nothing_is_refused_and_the_original_stays(planted, tmp_path):
    base, copy = tmp_path / "base.txt", tmp_path / "copy"
    base.write_text("right right wrong")
    copy.mkdir()
    os.link(base, copy / "a.txt")
    with pytest.raises(LookupError):
        planted.plant(Fault("a", "code", "a.txt", lambda text: text, ""), copy)
    with pytest.raises(LookupError):
        swap("right", "left")("right right wrong")
    planted.plant(Fault("a", "code", "a.txt", swap("wrong", "left"), ""), copy)
    assert (copy / "a.txt").read_text() == "right right left" and base.read_text() == "right right wrong"


@pytest.mark.parametrize(
    ("check", "way", "targets"),
    [
        ("lint", "lint", []),
        ("site", "site", []),
        ("site tests/test_site.py::a", "page", ["tests/test_site.py::a"]),
        ("site tests/test_live.py::a", "browser", ["tests/test_live.py::a"]),
        ("nbval notebooks/a.ipynb", "nbval", ["notebooks/a.ipynb"]),
        ("tests/test_a.py::b[two words]", "unit", ["tests/test_a.py::b[two words]"]),
    ],
)
def test_how_a_check_is_run(planted, check, way, targets):
    assert planted.way_of(check) == (way, targets)


def test_the_page_counts_what_is_there(planted, monkeypatch):
    tested = load("book_tested", "book/ext", monkeypatch)
    figures = tested.figures()
    assert figures["faults planted, and noticed"] == f"{len(FAULTS)}, {len(FAULTS)}"
    assert all(word.isdigit() for value in figures.values() for word in value.split(", "))
    assert tested.of_kinds().count("\n") == len(KINDS) + 2  # a heading, a rule, and all together
    page = (ROOT / "book/tested.md").read_text(encoding="utf-8")
    assert "```{tested} figures" in page and "```{tested} kinds" in page
