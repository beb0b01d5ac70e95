"""What search engines and those who pass on a link get, and that there is nothing of it without an address."""

import json
import re
import sys
from pathlib import Path

import pydata_sphinx_theme
import pytest
from PIL import Image
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "book" / "ext"))
import book_card  # noqa: E402
import book_film  # noqa: E402
import book_found  # noqa: E402
import book_slim  # noqa: E402

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100">'
    '<defs><path id="a" d="M 0 0 L 10 0 L 10 10 z"/><clipPath id="c"><rect x="0" y="0" width="100" height="100"/>'
    '</clipPath></defs><g transform="translate(50 50) scale(2)"><use xlink:href="#a" x="1" y="1" style="fill: #f00"/>'
    '</g><path d="M 0 0 Q 5 5 9 9 C 1 1 2 2 3 3" clip-path="url(#c)" style="fill: none; stroke: #0000ff"/></svg>'
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"BOOK_ADDRESS": "https://book.example"}, "https://book.example/"),
        ({"BOOK_REPOSITORY": "https://github.com/Me/book.git"}, "https://me.github.io/book/"),
        ({"BOOK_REPOSITORY": "https://github.com/Me/me.github.io"}, "https://me.github.io/"),
        ({"BOOK_REPOSITORY": "https://gitlab.com/me/book"}, "https://me.gitlab.io/book/"),
        ({"BOOK_REPOSITORY": "https://git.example/me/book"}, None),
        ({"GITHUB_REPOSITORY": "me/book", "GITHUB_REF": "refs/heads/main"}, "https://me.github.io/book/"),
        ({"GITHUB_REPOSITORY": "me/book", "GITHUB_REF": "refs/pull/7/merge"}, None),
    ],
)
def test_the_address_is_that_of_the_published_copy(environment, expected):
    assert book_found.address(environment) == expected


def site(tmp_path, monkeypatch, **environment):
    """A book of two pages, made with this extension; returns the folder of the site."""
    for name in ("BOOK_ADDRESS", "BOOK_REPOSITORY", "GITHUB_REPOSITORY", "GITHUB_REF"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(book_found, "FACE", "index")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/outcomes.json").write_text('{"1.3.1": {"outcomes": [{"the reader can": "measure"}]}}')
    (tmp_path / "notebooks").mkdir()
    first, second = "A book that says what a loss is, and how to make it small enough.", "notebooks/1_3_1_loss"
    (tmp_path / "index.rst").write_text(f"Book\n====\n\n{first}\n\n.. toctree::\n\n   {second}\n")
    (tmp_path / f"{second}.rst").write_text(f"1.3.1 Loss & more\n=================\n\n{first}\n")
    extensions = ["sphinx.ext.autodoc", "book_site", "book_found"]
    settings = {"extensions": extensions, "project": "Book", "author": "Me", "html_title": "Book"}
    Sphinx(tmp_path, None, tmp_path / "out", tmp_path / "trees", "html", settings, status=None, warning=None).build()
    return tmp_path / "out"


def test_a_page_says_where_it_is_and_what_it_teaches(tmp_path, monkeypatch):
    out = site(tmp_path, monkeypatch, BOOK_ADDRESS="https://book.example/b")
    page = (out / "notebooks/1_3_1_loss.html").read_text(encoding="utf-8")
    own = "https://book.example/b/notebooks/1_3_1_loss.html"
    assert f'<link rel="canonical" href="{own}"' in page
    assert '<meta property="og:title" content="1.3.1 Loss &amp; more" />' in page
    image = re.search(r'og:image" content="https://book.example/b/([^"]+)"', page)[1]
    with Image.open(out / image) as picture:
        assert picture.size == book_card.SIZE
    facts = json.loads(re.search(r'ld\+json">(.*?)</script>', page)[1])
    assert (facts["@type"], facts["url"], facts["teaches"]) == ("LearningResource", own, ["measure"])
    assert facts["isPartOf"]["url"] == "https://book.example/b/index.html"
    book = json.loads(re.search(r'ld\+json">(.*?)</script>', (out / "index.html").read_text(encoding="utf-8"))[1])
    assert book["@type"] == "Book" and book["name"] == "Book"


def test_the_site_has_a_map_and_a_page_for_the_lost(tmp_path, monkeypatch):
    out = site(tmp_path, monkeypatch, BOOK_ADDRESS="https://book.example/b")
    assert (out / "sitemap.xml").read_text().count("<loc>https://book.example/b/") == 2
    assert "Sitemap: https://book.example/b/sitemap.xml" in (out / "robots.txt").read_text()
    lost = (out / "404.html").read_text(encoding="utf-8")
    assert '<base href="/b/">' in lost and "noindex" in lost
    links = re.findall(r'<(?:a|form)[^>]* (?:href|action)="([^"]+)"', lost)
    assert len(links) > 3 and all((out / link).is_file() for link in links)


def test_without_an_address_there_is_nothing_of_it(tmp_path, monkeypatch):
    out = site(tmp_path, monkeypatch)
    assert not any((out / name).exists() for name in ("sitemap.xml", "robots.txt", "404.html"))
    page = (out / "notebooks/1_3_1_loss.html").read_text(encoding="utf-8")
    assert not re.search(r'canonical|property="og:|ld\+json', page)


def test_a_card_shows_the_figure(tmp_path):
    for svg, red in ((SVG, True), (None, False)):
        book_card.draw("A title", "Book", svg, tmp_path / "card.png")
        with Image.open(tmp_path / "card.png") as picture:
            colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
        assert ((255, 0, 0) in colours) == red and (0, 0x65, 0x9E) in colours


def test_a_drawing_that_is_not_understood_is_refused(tmp_path):
    with pytest.raises(ValueError, match="skewX"):
        book_card.draw("A", "Book", SVG.replace("scale(2)", "skewX(2)"), tmp_path / "card.png")


@pytest.mark.parametrize("kinds", ["fa-solid fa-download", "fab fa-github", "fa-brands fa-gitlab"])
def test_the_icons_of_the_buttons_can_be_drawn(kinds):
    """Those of the repository stand in another font, and only a site with an address has them."""
    static = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
    drawn = book_slim.ICON.sub(lambda match: book_slim.drawn(static, match), f'<i class="{kinds}"></i>')
    assert drawn.startswith('<svg class="icon"') and len(drawn) > 200


def test_the_film_shows_one_frame_at_a_time_and_rests_on_the_last():
    frames = book_film.frames(ROOT / "notebooks/1_3_overview.ipynb")
    film = book_film.film(frames)
    assert film.count('<g class="f"') == len(frames) - 1 and film.count('<g class="last"') == 1
    assert "prefers-reduced-motion:no-preference" in film and len(frames) * book_film.SECONDS < 5
    ids, used = re.findall(r'\bid="([^"]+)"', film), re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', film)
    assert len(set(ids)) == len(ids) and {a or b for a, b in used} <= set(ids)


def test_the_landing_page_says_what_the_film_shows():
    told = (ROOT / "book/index.md").read_text(encoding="utf-8")
    stored = (ROOT / "notebooks/1_3_overview.ipynb").read_text(encoding="utf-8")
    captions = re.findall(r"(\d+) of 300 points are right, the loss is ([\d.]+):", stored)
    (right, loss), (last_right, last_loss) = (max(captions, key=f) for f in (lambda c: -int(c[0]), lambda c: int(c[0])))
    assert f"from {loss} to {last_loss}" in told and f"from {right} to {last_right} of 300" in told
