"""Where the buttons of a page lead, and the words about what differs in the browser."""

import re
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "book" / "ext"))
sys.path.append(str(ROOT / "tools"))
import book_ways  # noqa: E402
import colab_copies  # noqa: E402

HOME = {"BOOK_REPOSITORY": "https://gitlab.com/me/book.git"}
ACTIONS = {"GITHUB_REPOSITORY": "fork/book", "GITHUB_REF": "refs/heads/main"}


@pytest.mark.parametrize(
    "environment, found",
    [
        ({}, None),
        (ACTIONS, ("https://github.com/fork/book", "main")),
        (ACTIONS | {"GITHUB_REF": "refs/heads/a/b"}, ("https://github.com/fork/book", "a/b")),
        (ACTIONS | {"GITHUB_SERVER_URL": "https://git.example"}, ("https://git.example/fork/book", "main")),
        (ACTIONS | {"GITHUB_REF": "refs/pull/7/merge"}, None),
        (ACTIONS | HOME, ("https://gitlab.com/me/book", "main")),
        (HOME | {"BOOK_BRANCH": "next"}, ("https://gitlab.com/me/book", "next")),
        ({"BOOK_REPOSITORY": ""}, None),
    ],
)
def test_the_address_is_that_of_the_copy_that_is_published(environment, found):
    assert book_ways.repository(environment) == found
    assert book_ways.buttons(found).get("repository_url") == (found and found[0])


def test_the_reference_leads_to_the_source(monkeypatch):
    for name in HOME | ACTIONS:
        monkeypatch.delenv(name, raising=False)
    info = {"module": "mlcore.layers", "fullname": "Affine.forward"}
    assert book_ways.source_of("py", info) is None
    monkeypatch.setenv("BOOK_REPOSITORY", HOME["BOOK_REPOSITORY"])
    path, _, lines = (
        book_ways.source_of("py", info).removeprefix("https://gitlab.com/me/book/blob/main/").partition("#")
    )
    first, last = (int(line) for line in lines.replace("L", "").split("-"))
    source = (book_ways.ROOT / path).read_text(encoding="utf-8").splitlines()[first - 1 : last]
    assert source[0].strip() == "def forward(self, x):" and source[-1].strip() == "return x @ W + b"
    assert book_ways.source_of("py", {"module": "mlcore.nodes", "fullname": "Node.params"}) is None


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The folder of a small book: one notebook, of which the second cell differs in the browser."""
    cells = [nbformat.v4.new_markdown_cell("# 1 Title"), *(nbformat.v4.new_code_cell(source) for source in "12")]
    cells[2].metadata["differs_in_browser"] = "NumPy is silent there."
    folder = tmp_path_factory.mktemp("book")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "chapter.ipynb")
    return folder


def page(folder, out):
    """The folder's notebook as a page, made by the theme and this extension."""
    settings = {
        "extensions": ["myst_nb", "book_ways"],
        "html_theme": "sphinx_book_theme",
        "nb_execution_mode": "off",
        "root_doc": "chapter",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the theme and its helpers deprecate
        Sphinx(folder, None, out, out / "trees", "html", settings, status=None, warning=None).build()
    return (out / "chapter.html").read_text(encoding="utf-8")


def test_the_buttons_open_this_very_chapter_of_the_copy_and_lead_to_its_repository(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY", "https://github.com/me/book")
    text = page(notebook, tmp_path)
    assert 'href="https://mybinder.org/v2/gh/me/book/main?urlpath=lab/tree/chapter.ipynb"' in text
    assert 'href="https://colab.research.google.com/github/me/book/blob/colab/chapter.ipynb"' in text
    assert 'href="https://vscode.dev/github/me/book/blob/main/chapter.ipynb"' in text
    assert 'href="https://github.com/me/book"' in text and "https://github.com/me/book/issues/new" in text
    assert 'href="_sources/chapter.ipynb"' in text  # the download


def test_without_an_address_there_is_no_dead_link_but_the_download(notebook, tmp_path, monkeypatch):
    for name in ("BOOK_REPOSITORY", "GITHUB_REPOSITORY", "GITHUB_REF"):
        monkeypatch.delenv(name, raising=False)
    text = page(notebook, tmp_path)
    assert (
        "mybinder" not in text
        and "colab" not in text
        and "vscode" not in text
        and "github.com/me" not in text
        and "/issues" not in text
    )
    assert 'href="_sources/chapter.ipynb"' in text
    assert text.count("Run in this page, the cell differs: NumPy is silent there.") == 1


def test_elsewhere_than_on_github_there_is_only_binder():
    assert book_ways.elsewhere(("https://gitlab.com/me/book", "main"), "chapter") == []


def test_a_copy_for_colab_installs_the_package_and_gives_no_prediction_away(tmp_path):
    colab_copies.write(tmp_path, ("https://github.com/me/book", "main"))
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [path.name for path in sorted(tmp_path.glob("notebooks/*"))] == [path.name for path in paths]
    for path in paths:
        book, copy = (nbformat.read(p, as_version=4) for p in (path, tmp_path / "notebooks" / path.name))
        nbformat.validate(copy)
        title, install, *rest = copy.cells
        assert install.source.endswith("%pip install --quiet git+https://github.com/me/book@main")
        unlinked = [re.sub(r"\]\([^)]*\)", "]", cell.source) for cell in book.cells]  # links to sections are others
        own = [cell for cell in [title, *rest] if not cell.id.endswith("-caption")]
        assert [re.sub(r"\]\([^)]*\)", "]", cell.source) for cell in own] == unlinked
        assert not any(cell.outputs for cell in rest if "prediction" in cell.metadata)


def test_the_link_for_a_hub_is_that_of_the_copy_where_it_is_known(monkeypatch):
    written = (ROOT / "book" / "teachers.md").read_text(encoding="utf-8")
    for name in ("BOOK_REPOSITORY", "GITHUB_REPOSITORY", "GITHUB_REF"):
        monkeypatch.delenv(name, raising=False)
    book_ways.fill_in(None, "book/teachers", source := [written])
    assert source == [written]
    monkeypatch.setenv("BOOK_REPOSITORY", "https://github.com/me/book")
    book_ways.fill_in(None, "book/teachers", source)
    repo = "repo=https%3A%2F%2Fgithub.com%2Fme%2Fbook&branch=main"
    assert f"/git-pull?{repo}&urlpath=lab/tree/book/notebooks/1_3_overview.ipynb" in source[0]
