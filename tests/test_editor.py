"""Writing in the page: the editor, its keys, all cells in turn, and a reader's work in a file. It needs a site."""

import gzip
import json
import re
import time

import nbformat
import pytest
from test_accessible import faults
from test_live import CHAPTER, PRACTICE, ROOT, SITE, Reader, cdn, serve, site  # noqa: F401

LIVE = ROOT / "book" / "assets" / "live"
BUNDLE = LIVE / "codemirror" / "codemirror.min.js"
WAYS = "book/ways.html"
FOCUSED = "document.activeElement.getAttribute('aria-label')"


# The bundle


def versions(text):
    return dict(re.findall(r"((?:@[\w-]+/)?[\w-]+) (\d+\.\d+\.\d+)\b", text))


def bundle_faults(code, licence, lock, names):
    """Where the bundle, its licences, the lock and the list of what is used do not agree."""
    packages = {path.removeprefix("node_modules/"): p for path, p in lock["packages"].items() if path}
    head = versions(code.partition("\n")[0])
    yield from (f"{name} is not locked" for name in head if packages.get(name, {}).get("version") != head[name])
    yield from (f"{name}: no checksum" for name, p in packages.items() if not p.get("integrity"))
    if versions(licence) != head or licence.count("Permission is hereby granted") < 1:
        yield "the licences are of others"
    if set(re.findall(r"\w+ as (\w+)", re.search(r"export\{([^}]*)\};?\s*$", code)[1])) != names:
        yield "it was not made of this list"
    if len(gzip.compress(code.encode())) > 150_000:
        yield "it is too large"


def test_the_bundle_its_licences_and_the_lock_agree():
    code, licence = BUNDLE.read_text(encoding="utf-8"), (BUNDLE.parent / "LICENSE").read_text(encoding="utf-8")
    lock = json.loads((ROOT / "tools/editor/package-lock.json").read_text(encoding="utf-8"))
    source = (ROOT / "tools/editor/codemirror.mjs").read_text(encoding="utf-8")
    names = {n for part in re.findall(r"export \{([^}]*)\}", source) for n in re.findall(r"\w+", part)}
    assert list(bundle_faults(code, licence, lock, names)) == [] and len(versions(code.partition("\n")[0])) > 10
    older = code.replace("@codemirror/view 6", "@codemirror/view 5", 1)
    assert list(bundle_faults(older, licence, lock, names)) == [
        "@codemirror/view is not locked",
        "the licences are of others",
    ]
    assert list(bundle_faults(code, licence, lock, names | {"lint"})) == ["it was not made of this list"]
    lock["packages"]["node_modules/crelt"].pop("integrity")
    assert list(bundle_faults(code, licence, lock, names)) == ["crelt: no checksum"]
    assert not re.search(r"https?:", json.dumps([p.get("resolved", "") for p in lock["packages"].values()]))


# Writing, without Python


@pytest.fixture(scope="module")
def plain():
    with serve(SITE) as server:
        yield server


@pytest.fixture
def writer(browser, plain):
    someone = Reader(browser, plain.address + PRACTICE, accept_downloads=True)
    yield someone
    assert someone.said == []
    someone.context.close()


FIRST, SECOND = "setup", "choose-the-loss-answer"


def press(reader, *keys):
    for key in keys:
        reader.tab.keyboard.press(key)


def kept(reader):
    return reader.tab.evaluate("() => Object.fromEntries(Object.entries(localStorage))")


def until(reader, condition):
    """Wait until a condition in Python holds: what Playwright would evaluate again and again, the policy forbids."""
    end = time.monotonic() + 40
    while not condition() and time.monotonic() < end:
        reader.tab.wait_for_timeout(50)
    assert condition()


def test_the_editor_comes_at_the_first_edit_and_writes_as_python_is_written(writer):
    writer.tab.wait_for_load_state("networkidle")
    assert not any("codemirror" in address or ".mjs" in address for address in writer.requests)
    writer.button(SECOND, "Edit").click()
    box = writer.code(SECOND)
    box.wait_for()
    assert sum("codemirror" in address for address in writer.requests) == 1
    assert "Escape, then Tab leaves" in box.get_attribute("aria-description")
    press(writer, "Control+a")
    writer.tab.keyboard.type("for i in range(2):\nprint(i")  # indented and closed by itself
    assert writer.text(SECOND) == "for i in range(2):\n    print(i)"
    press(writer, "Home", "Tab")  # at a name that is offered, Tab would take it
    assert writer.text(SECOND) == "for i in range(2):\n        print(i)"
    press(writer, "Shift+Tab")
    assert writer.text(SECOND) == "for i in range(2):\n    print(i)"
    assert box.locator(".k, .ow").all_inner_texts() == ["for", "in"] and "print" in box.locator(".nb").all_inner_texts()
    listing = writer.cell(FIRST).locator(".highlight .kn").first.evaluate("e => getComputedStyle(e).color")
    assert box.locator(".k").first.evaluate("e => getComputedStyle(e).color") == listing
    press(writer, "Escape")
    writer.tab.wait_for_timeout(2500)  # nobody has to be quick
    press(writer, "Tab")
    assert writer.tab.evaluate(FOCUSED) == "Run cell 2"
    box.focus()
    press(writer, "Control+a", "Delete")
    assert writer.text(SECOND) == ""
    press(writer, "Control+z")
    assert writer.text(SECOND).startswith("for i")
    press(writer, "Control+f")
    assert writer.tab.get_by_role("textbox", name="Find").is_visible()


def test_without_the_bundle_there_is_a_text_box(browser, plain):
    someone = Reader(browser, plain.address + PRACTICE)
    someone.tab.route("**/codemirror.min.js", lambda route: route.abort())
    someone.edit(SECOND, "x = 1")
    assert someone.code(SECOND).evaluate("box => box.tagName") == "TEXTAREA"
    someone.code(SECOND).press("Shift+Enter")
    assert someone.tab.evaluate(FOCUSED) == "Run cell 3"
    assert "kept in this browser" in someone.cell(SECOND).inner_text()
    someone.tab.reload()
    assert someone.text(SECOND) == "x = 1"
    someone.context.close()


def test_edits_of_an_earlier_visit_and_of_another_tab(browser, plain, writer):
    old = {
        f"live /{PRACTICE} cell-{FIRST}": '{"code": "mine = 1", "book": "older"}',  # as it was kept before `when`
        f"live /{PRACTICE} cell-{SECOND}": "{damaged",
    }
    writer.tab.evaluate("(old) => Object.entries(old).forEach(([key, value]) => localStorage.setItem(key, value))", old)
    writer.tab.reload()
    assert writer.text(FIRST) == "mine = 1" and writer.button(SECOND, "Edit").is_visible()
    other = Reader(browser, plain.address + PRACTICE, context=writer.context)
    writer.edit(SECOND, "x = 1")
    until(other, lambda: other.code(SECOND).count() and other.text(SECOND) == "x = 1")
    other.edit(SECOND, "x = 2")
    until(writer, lambda: writer.text(SECOND) == "x = 2")
    writer.code(SECOND).focus()
    press(writer, "Control+z")
    until(other, lambda: other.text(SECOND) == "x = 1")  # nothing is lost
    other.button(SECOND, "Reset").click()
    until(writer, lambda: writer.button(SECOND, "Edit").is_visible())
    assert writer.code(SECOND).count() == 0


def test_what_is_changed_is_marked_in_the_contents(writer, plain):
    marks = writer.tab.locator(".changed-count:not(:empty)")
    assert marks.count() == 0
    writer.edit(SECOND, "x = 1")
    writer.edit(FIRST, "y = 1")
    assert "2 changed" in writer.tab.locator(".bd-links a.current .changed-count").last.inner_text()
    writer.tab.locator("#pst-page-toc-nav .changed-count:not(:empty)").first.wait_for()
    writer.tab.goto(plain.address + WAYS)
    link = writer.tab.locator(f".bd-links a[href$='{PRACTICE.split('/')[1]}'] .changed-count")
    assert link.text_content().strip() == "2 changed"
    writer.tab.go_back()
    writer.button(SECOND, "Reset").click()
    writer.button(FIRST, "Reset").click()
    assert marks.count() == 0


def test_the_list_of_shortcuts(writer):
    dialog = writer.tab.get_by_role("dialog", name="Keyboard shortcuts")
    press(writer, "?")
    dialog.wait_for()
    told = dict(zip(dialog.locator("dt").all_inner_texts(), dialog.locator("dd").all_inner_texts(), strict=True))
    # As test_live.py and this file press them.
    assert told["Control Enter"] == "run the cell" and told["Shift Enter"] == "run the cell and go to the next"
    assert told["Control Z"].startswith("undo") and told["Control F"].startswith("find") and len(told) == 9
    press(writer, "Escape")
    assert dialog.is_hidden()
    writer.edit(SECOND, "")
    writer.tab.keyboard.type("?")
    assert writer.text(SECOND) == "?" and dialog.is_hidden()
    more = writer.cell(SECOND).get_by_role("button", name="More for cell")
    more.click()
    assert more.get_attribute("aria-expanded") == "true"
    press(writer, "Escape")
    assert writer.tab.evaluate(FOCUSED) == "More for cell 2" and more.get_attribute("aria-expanded") == "false"
    press(writer, "Enter", "ArrowUp", "Enter")
    dialog.wait_for()
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    press(writer, "?")
    writer.tab.wait_for_timeout(300)
    assert dialog.is_hidden()


def test_the_page_as_a_notebook_with_the_edits(writer, tmp_path):
    writer.edit(SECOND, "first = 1\nprint(first)")
    writer.cell(SECOND).get_by_role("button", name="More for cell").click()
    with writer.tab.expect_download() as download:
        writer.tab.get_by_role("button", name="Download as a notebook").click()
    assert download.value.suggested_filename == "1_3_1_loss_function_practice_mine.ipynb"
    download.value.save_as(tmp_path / "mine.ipynb")
    mine = nbformat.read(tmp_path / "mine.ipynb", as_version=4)
    nbformat.validate(mine)
    book = nbformat.read(SITE / "_sources" / PRACTICE.replace(".html", ".ipynb"), as_version=4)
    (changed,) = (new for new, old in zip(mine.cells, book.cells, strict=True) if new != old)
    assert (changed.id, changed.source, changed.outputs) == (SECOND, "first = 1\nprint(first)", [])


# A reader's work as one file


def load(reader, file):
    reader.tab.locator("[data-work] button").first.wait_for()
    reader.tab.set_input_files("[data-work] input[type=file]", file)
    said = reader.tab.locator("[data-work] [role=status]")
    until(reader, lambda: said.inner_text() != "")
    return said.inner_text()


FULL = """() => {
  const set = Storage.prototype.setItem;
  let count = 0;
  Storage.prototype.setItem = function (key, value) {
    if (key.startsWith("live") && ++count > 1) throw new Error("full");
    set.call(this, key, value);
  };
}"""


def test_work_is_saved_cleared_and_loaded_again(browser, plain, writer, tmp_path):
    writer.edit(SECOND, "x = 1")
    writer.tab.evaluate("solved('true-or-false')")
    writer.tab.evaluate(f"localStorage.setItem('predict /{CHAPTER} cell-staircase-step', '0.5')")
    writer.tab.evaluate("localStorage.setItem('unrelated', '1')")
    before = kept(writer)
    writer.tab.goto(plain.address + WAYS)
    told = writer.tab.locator("[data-work] p").first
    until(writer, lambda: told.count() and told.inner_text())
    assert told.inner_text() == "In this browser: 1 changed cell, 1 prediction, 1 solved exercise."
    with writer.tab.expect_download() as download:
        writer.tab.get_by_role("button", name="Save as a file").click()
    path = tmp_path / "work.json"
    download.value.save_as(path)
    writer.tab.evaluate("localStorage.clear()")
    assert load(writer, path) == "Loaded: 1 changed cell, 1 prediction, 1 solved exercise."
    unrelated = ("unrelated", "mode", "theme")
    assert kept(writer) == {key: value for key, value in before.items() if key not in unrelated}
    writer.tab.reload()
    assert load(writer, path) == "There was nothing new in it."

    # What is foreign, damaged or too much changes nothing, and is told why.
    work, now = json.loads(path.read_text()), kept(writer)
    assert work["edits"] == {PRACTICE: {f"cell-{SECOND}": work["edits"][PRACTICE][f"cell-{SECOND}"]}}
    page = {"cell-a": {"code": "1", "book": "2", "when": 3}}
    bad = {
        "damaged": path.read_text()[:-30],
        "another": "[1, 2]",
        "does not come from this book": json.dumps({"cells": [], "nbformat": 4}),
        "another version": json.dumps(work | {"version": 2}),
        "is missing": json.dumps(work | {"edits": None}),
        "page": json.dumps(work | {"edits": {"../x.html": page}}),
        "is damaged": json.dumps(work | {"edits": {"b/a.html": page | {"cell-b": {"code": 1, "book": "2"}}}}),
        "exercise": json.dumps(work | {"solved": {"x y": "1"}}),
        "prediction": json.dumps(work | {"predictions": {"b/a.html": {"cell-a": 1}}}),
    }
    for name, text in bad.items():
        (tmp_path / "bad.json").write_text(text)
        writer.tab.reload()
        said = load(writer, tmp_path / "bad.json")
        assert said.startswith("Nothing was changed. bad.json: "), (name, said)
        assert kept(writer) == now, name
    writer.tab.reload()
    more = work | {"edits": {"b/a.html": page, "b/b.html": page}}
    (tmp_path / "more.json").write_text(json.dumps(more))
    writer.tab.evaluate(FULL)
    assert "no room" in load(writer, tmp_path / "more.json") and kept(writer) == now

    # Of two edits the later one stays, and what is loaded shows in a page that is open.
    writer.tab.reload()
    key = f"live /{PRACTICE} cell-{SECOND}"
    writer.tab.evaluate("([k, v]) => localStorage.setItem(k, v)", [key, '{"code": "old", "book": "x", "when": 1}'])
    other = Reader(browser, plain.address + PRACTICE, context=writer.context)
    assert load(writer, path).startswith("Loaded: 1 changed cell, 0 predictions")
    until(other, lambda: other.text(SECOND) == "x = 1")
    later = json.dumps({"code": "new", "book": "x", "when": 1e14})
    writer.tab.evaluate("([k, v]) => localStorage.setItem(k, v)", [key, later])
    writer.tab.reload()
    assert "changed them later: 1 cell" in load(writer, path) and kept(writer)[key] == later


# With Python


@pytest.fixture(scope="module")
def reader(browser, site):  # noqa: F811
    """A reader in whose page Python has started."""
    someone = Reader(browser, site.address + PRACTICE)
    someone.edit(SECOND, "import math\nmine = 41\nclass Box:\n    inside = 1\nbox = Box()")
    someone.run(SECOND)
    yield someone
    assert someone.said == []
    someone.context.close()


def options(reader, *typed):
    for text in typed:
        reader.tab.keyboard.type(text)
    return reader.tab.get_by_role("option")


def test_names_come_from_the_running_python(reader):
    reader.edit(SECOND, "")
    reader.code(SECOND).focus()
    found = options(reader, "box.")
    until(reader, lambda: found.all_inner_texts() == ["inside"])
    press(reader, "Enter")  # a new line, since nobody has chosen
    assert reader.text(SECOND).split("\n")[0] == "box."
    options(reader, "mi")
    until(reader, lambda: "mine" in found.all_inner_texts())
    reader.tab.wait_for_timeout(200)  # who has seen the names; what is pressed sooner was meant for the code
    press(reader, "Tab")
    assert reader.text(SECOND).split("\n")[-1].strip() in ("min", "mine")


def test_nothing_waits_for_names_while_a_cell_runs_nor_starts_python(reader, writer):
    reader.edit(SECOND, "while True:\n    pass")
    reader.button(SECOND, "Run").click()
    reader.button(SECOND, "Stop").wait_for()
    reader.code(SECOND).focus()
    press(reader, "Control+End")
    before = time.monotonic()
    options(reader, "\nbox.x")
    assert reader.text(SECOND).endswith("box.x") and time.monotonic() - before < 20
    reader.button(SECOND, "Stop").click()
    writer.edit(SECOND, "")
    options(writer, "ma")
    writer.tab.wait_for_timeout(500)
    assert not any("worker" in address for address in writer.requests)


def test_the_line_of_an_error_is_marked(reader):
    failed = reader.cell(SECOND).locator(".cm-failed")
    reader.edit(SECOND, "x = 1\ndef f():\n    return x / 0\nf()\n")
    reader.run(SECOND)
    assert [text.strip() for text in failed.all_inner_texts()] == ["return x / 0"]
    assert reader.status() == "Cell 2 stopped at an error in line 3."
    reader.code(SECOND).focus()
    press(reader, "Control+End")
    reader.tab.keyboard.type("#")
    assert failed.count() == 0
    reader.edit(SECOND, "x = 1\nx = (")
    reader.run(SECOND)
    assert failed.all_inner_texts() == ["x = ("]


def test_all_cells_run_until_an_error_and_shift_enter_goes_on(reader):
    names = reader.tab.evaluate("[...document.querySelectorAll('div.cell[id^=cell-]')].map((c) => c.id.slice(5))")
    reader.edit(names[0], "start = 1")
    reader.edit(SECOND, "print('second')")
    reader.edit(names[2], "1 / 0")
    reader.edit(names[3], "print('fourth')")
    reader.button(names[0], "Run").press("Shift+Enter")
    assert reader.code(SECOND).evaluate("box => box === document.activeElement")
    reader.wait(names[0])
    reader.cell(names[3]).get_by_role("button", name="More for cell").click()
    reader.tab.get_by_role("button", name="Run all cells", exact=True).click()
    until(reader, lambda: "The cells after it have not run." in reader.status())
    assert reader.status().startswith("Cell 3 stopped at an error in line 1.") and reader.output(SECOND) == "second"
    assert "fourth" not in reader.output(names[3]) and reader.button(names[-1], "Run").count() == 1
    reader.edit(names[2], "print('third')")
    reader.cell(names[3]).get_by_role("button", name="More for cell").click()
    reader.tab.get_by_role("button", name="Run all cells above").click()
    until(reader, lambda: reader.output(names[2]) == "third")
    reader.wait(names[2])
    assert "fourth" not in reader.output(names[3])
    reader.code(names[3]).press("Shift+Enter")
    reader.wait(names[3])
    assert reader.output(names[3]) == "fourth"


# What a screen reader gets


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_fault_while_one_writes(browser, plain, theme, width):
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    someone = Reader(browser, plain.address + PRACTICE, context=context)
    someone.edit(SECOND, "for i in range(3):\n    print(f'{i} {i!r}', self)  # a comment\nraise ValueError")
    someone.code(SECOND).focus()
    press(someone, "Control+f")
    someone.tab.get_by_role("textbox", name="Find").wait_for()
    assert faults(someone.tab) == []
    assert someone.tab.evaluate("document.documentElement.scrollWidth") <= width
    someone.cell(SECOND).get_by_role("button", name="More for cell").click()
    assert faults(someone.tab) == []
    press(someone, "End", "ArrowUp", "Enter")
    someone.tab.get_by_role("dialog").wait_for()
    assert faults(someone.tab) == []
    context.close()
