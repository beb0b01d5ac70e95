"""A learner's answers survive: the copy of the notebooks is never written to, and says when the book has moved on."""

import contextlib
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import own_copy  # noqa: E402


def write(path, source, *outputs):
    nbformat.write(new_notebook(cells=[new_code_cell(source, id="a", outputs=list(outputs))]), path)


@pytest.fixture(autouse=True)
def no_trust_beyond_the_test(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


@pytest.fixture
def book(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write(folder / "a.ipynb", "1")
    write(folder / "b.ipynb", "2")
    return folder


@pytest.fixture
def own(tmp_path, book):
    """The reader's folder, with an answer in the first notebook."""
    folder = tmp_path / "mine"
    assert list(own_copy.copy(book, folder)) == ["a.ipynb copied to mine/a.ipynb", "b.ipynb copied to mine/b.ipynb"]
    assert (folder / "a.ipynb").read_bytes() == (book / "a.ipynb").read_bytes()
    write(folder / "a.ipynb", "my answer")
    return folder


def test_what_is_there_is_never_overwritten(book, own):
    before = (own / "a.ipynb").read_bytes()
    assert list(own_copy.copy(book, own)) == []
    write(book / "a.ipynb", "a new text")
    (said,) = own_copy.copy(book, own)
    assert said.startswith("a.ipynb has changed in the book; yours stays as it is.")
    assert said.endswith("python tools/own_copy.py --new a")
    assert (own / "a.ipynb").read_bytes() == before


def test_the_new_version_is_put_beside_when_asked_for(book, own):
    before = (own / "a.ipynb").read_bytes()
    write(book / "a.ipynb", "a new text")
    assert list(own_copy.copy(book, own, ["a"])) == ["a.ipynb copied to mine/a_new.ipynb"]
    assert list(own_copy.copy(book, own)) == []
    assert list(own_copy.copy(book, own, ["a"])) == ["a.ipynb copied to mine/a_new_2.ipynb"]
    assert (own / "a.ipynb").read_bytes() == before
    assert (own / "a_new.ipynb").read_bytes() == (book / "a.ipynb").read_bytes()


def test_new_outputs_are_no_new_version(book, own):
    write(book / "a.ipynb", "1", new_output("stream", text="1"))
    assert list(own_copy.copy(book, own)) == []


def test_a_notebook_that_is_new_in_the_book_or_was_removed_is_copied(book, own):
    write(book / "c.ipynb", "3")
    (own / "b.ipynb").unlink()
    assert list(own_copy.copy(book, own)) == ["b.ipynb copied to mine/b.ipynb", "c.ipynb copied to mine/c.ipynb"]


def test_without_its_record_the_copy_is_safe_too(book, own):
    before = (own / "a.ipynb").read_bytes()
    (own / own_copy.VERSIONS).unlink()
    assert len(list(own_copy.copy(book, own))) == 2
    assert (own / "a.ipynb").read_bytes() == before


def test_an_aborted_copy_knows_what_it_has_copied(book, tmp_path):
    said = own_copy.copy(book, tmp_path / "mine")
    assert next(said) == "a.ipynb copied to mine/a.ipynb"
    said.close()
    assert list(own_copy.copy(book, tmp_path / "mine")) == ["b.ipynb copied to mine/b.ipynb"]


def test_a_wrong_name_is_told(book, own):
    assert list(own_copy.copy(book, own, ["x"])) == ["There is no notebook x."]


def test_git_ignores_the_copies_and_make_lab_opens_them():
    assert "my-notebooks/" in (ROOT / ".gitignore").read_text().splitlines()
    lab = re.search(r"^lab:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    assert lab.index("tools/own_copy.py") < lab.index("my-notebooks/1_3_1_loss_function.ipynb")


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_links_lead_to_the_same_files_from_a_copy(path):
    text = "".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    assert links
    assert [
        a for a in links if not (a.startswith("../") and (ROOT / a[3:]).exists()) and not (path.parent / a).exists()
    ] == []
    assert [a for a in links if "/" in a and not a.startswith("../")] == []


def test_copies_are_trusted_and_only_they(book, own):
    write(own / "elsewhere.ipynb", "not from the book")
    notary = NotebookNotary()
    with contextlib.closing(notary.store):
        trusted = [
            notary.check_signature(nbformat.read(own / f"{n}.ipynb", as_version=4)) for n in ("a", "b", "elsewhere")
        ]
    assert trusted == [False, True, False]  # a is the reader's answer, not run yet


def test_what_is_to_be_predicted_is_not_in_the_copy(book, tmp_path, monkeypatch):
    cell = new_code_cell("predict(guess, 3)", id="p", metadata={"prediction": {"truth": 3}}, execution_count=1)
    cell.outputs = [new_output("stream", text="It is 3.\n")]
    other = new_code_cell("print(1)", id="o", outputs=[new_output("stream", text="1\n")], execution_count=2)
    nbformat.write(new_notebook(cells=[cell, other]), book / "c.ipynb")
    list(own_copy.copy(book, tmp_path / "mine"))
    closed, kept = nbformat.read(tmp_path / "mine" / "c.ipynb", as_version=4).cells
    assert (closed.outputs, closed.execution_count, closed.source) == ([], None, "predict(guess, 3)")
    assert kept.outputs == other.outputs
    monkeypatch.setattr(own_copy, "ROOT", tmp_path)
    settled = []
    monkeypatch.setattr(own_copy, "settle", settled.append)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "of-the-reader"))
    monkeypatch.setattr(sys, "argv", ["own_copy.py"])
    own_copy.main()
    assert settled == []
    monkeypatch.setattr(sys, "argv", ["own_copy.py", "--here"])
    own_copy.main()
    assert settled == [tmp_path / "of-the-reader"]
    assert (book / "c.ipynb").read_text() == (tmp_path / "mine" / "c.ipynb").read_text()


def figure(name, tags=(), source="draw()", caption="A curve of $x$,\nand a line."):
    metadata = {"mystnb": {"figure": {"caption": caption}}, "tags": list(tags)}
    return new_code_cell(source, id=name, metadata=metadata, outputs=[new_output("stream", text="drawn")])


def test_a_figure_has_its_caption_and_what_goes_on_after_a_prediction_waits_too(tmp_path):
    asks = new_code_cell("predict(guess, 3)", id="asks", metadata={"prediction": {"truth": 3}})
    cells = [
        figure("first"), asks, figure("later", ["hide-input"]), figure("open"),
        figure("moves", ["hide-input"], "visual.controls(f)"), new_markdown_cell("So.", id="text"),
        figure("last", ["hide-input"]),
    ]  # fmt: skip
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    copy = nbformat.reads(own_copy.unanswered(tmp_path / "a.ipynb"), as_version=4)
    found = {cell.id: cell for cell in copy.cells}
    assert [name for name, cell in found.items() if cell.cell_type == "code" and not cell.outputs] == ["asks", "later"]
    assert found["first-caption"].source == "> A curve of $x$, and a line."
    assert found["later-caption"].source.startswith("<details>") and "A curve" in found["later-caption"].source
    assert list(found)[:2] == ["first", "first-caption"]
    assert sum(name.endswith("-caption") for name in found) == 5


def test_links_to_sections_are_those_that_jupyterlab_follows():
    """It takes the words of a heading with hyphens for spaces, and minds capitals."""
    links = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.reads(own_copy.unanswered(path), as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        headings = re.findall("^#+ (.*)$", text, re.MULTILINE)
        links[path.name] = (
            re.findall(r"\]\(([\w.]*)#([^)]*)\)", text),
            {h.replace(" ", "-").replace("`", "") for h in headings},
        )
    found = [(name or page, anchor) for page, (all_of_them, _) in links.items() for name, anchor in all_of_them]
    assert len(found) >= 10 and [one for one in found if one[1] not in links[one[0]][1]] == []


def test_pages_of_the_book_are_shown_and_not_their_source(tmp_path):
    own_copy.settle(tmp_path)
    (file,) = tmp_path.rglob("*.json")
    assert json.loads(file.read_text()) == own_copy.SETTINGS and file.parent.name == "labconfig"
    file.write_text("{}")  # the reader's own
    own_copy.settle(tmp_path)
    assert file.read_text() == "{}"
