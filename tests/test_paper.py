"""The book on paper and on readers: the PDF, the EPUB, and a page that a reader prints. Run `make site` first.

The whole book is gathered once; the PDF of it takes a minute, so here two chapters are printed.
"""

import re
import sys
import zipfile
from collections import Counter
from pathlib import Path
from posixpath import normpath
from urllib.parse import urlsplit
from xml.etree import ElementTree

import numpy as np
import pikepdf
import pypdfium2
import pytest
from bs4 import BeautifulSoup
from test_live import SITE

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import gather_book
import make_epub
import make_pdf

CHAPTERS = "notebooks/1_3_2_gradient_practice", "notebooks/1_5_in_practice"
TEXT_WIDTH = 605  # pixels: 160 mm
XHTML, OPF = "{http://www.w3.org/1999/xhtml}", "{http://www.idpf.org/2007/opf}"

# What stands out of the text's width: words, drawings and formulas.
BEYOND = """() => {
  const right = document.documentElement.clientWidth + 1, found = [], range = document.createRange();
  const words = document.createTreeWalker(document.querySelector(".bd-article"), NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    range.selectNodeContents(words.currentNode);
    if ([...range.getClientRects()].some((box) => box.right > right)) found.push(words.currentNode.data.slice(0, 60));
  }
  for (const image of document.querySelectorAll(".bd-article img")) {
    if (image.getBoundingClientRect().right > right) found.push(image.alt);
  }
  return found;
}"""


# The gathered book


@pytest.fixture(scope="module")
def book():
    return gather_book.gather()


@pytest.fixture(scope="module")
def text(book):
    """The whole book as one page of HTML."""
    return make_pdf.document(book, make_pdf.STYLES.read_text(encoding="utf-8"))


def test_the_whole_book_is_there_in_its_order(text):
    toc = re.findall(r"(?:file|root): (\S+)", (gather_book.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = re.findall(r'<div class="page" style="page: of-([^"]+)">', text)
    assert pages == [name.rpartition("/")[2].replace("_", "-") for name in toc] + ["solutions"]
    assert len(re.findall('<p class="line', text)) == len(pages) > 25


def test_every_link_of_the_book_leads_somewhere_and_none_to_this_machine(text):
    ids = Counter(re.findall(r'<[^>]*? id="([^"]+)"', text))
    assert [name for name, times in ids.items() if times > 1] == []
    links = re.findall(r'<a [^>]*?href="([^"]+)"', text)
    outside = [link for link in links if not link.startswith("#")]
    assert len(links) > 800 and {urlsplit(link).scheme for link in outside} <= {"http", "https"}
    assert [link for link in outside if re.search(r"//(localhost|127\.)", link)] == []
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []
    numbers = set(re.findall(r' to="([^"]+)"', text))
    assert len(numbers) > 150 and numbers <= set(ids)
    cells = {link[1:] for link in links if "--cell-" in link}  # also folded ones
    assert cells and all(re.search(f'id="{cell}">\\s*<div class="cell_input', text) for cell in cells)


def test_nothing_of_the_book_waits_for_a_screen(text):
    left = "<(details|summary|script|button|input)|mlcore-frames|loading=|headerlink"
    chapters = text.partition('style="page: of-api"')[0]  # the reference says what `predict` says
    assert not re.search(left, text) and not re.search("Predict first: replace|No answer so far", chapters)
    images = re.findall(r"<img [^>]*>", text)
    assert len(images) > 60 and all(re.search(r' alt="[^"]+"', image) for image in images)
    assert all(Path(urlsplit(re.search(r'src="([^"]+)"', image)[1]).path).exists() for image in images)


def test_every_exercise_has_its_solution_at_the_end(text):
    links = re.findall(r'<p class="to-solution"><a href="#([^"]+)">', text)
    solutions = re.findall(r'<div class="solution" id="([^"]+)">', text)
    source = "".join(path.read_text(encoding="utf-8") for path in (SITE / "notebooks").glob("*_practice.html"))
    assert links == solutions and len(links) == source.count("<summary>Solution</summary>") > 150
    assert text.index('<div class="solution"') > text.index('style="page: of-solutions"')


def test_solutions_can_be_left_out():
    both = [gather_book.gather(only=CHAPTERS[:1], solutions=kept) for kept in (True, False)]
    with_them, without = ("".join(str(page.body) for page in book.pages) for book in both)
    known = "that is the level set"  # of the first exercise's solution
    assert known in with_them and known not in without
    assert "olution" in with_them and not re.search("<h1>Solutions|to-solution", without)


def test_a_link_to_nothing_is_refused():
    link = BeautifulSoup('<a href="nowhere.html#x">x</a>', "html.parser").a
    with pytest.raises(ValueError, match="leads to nothing"):
        gather_book.lead(link, "book/ways", {"book/ways"}, {"book/ways"})


def test_a_player_shows_a_telling_frame():
    frames = "".join(f'<figure><img src="{k}"/><figcaption>at {k}</figcaption></figure>' for k in range(3))
    for start, shown in (("0", "2"), ("1", "0")):  # the frame to start with stands first
        player = BeautifulSoup(f'<div class="mlcore-frames" data-start="{start}">{frames}</div>', "html.parser").div
        image, words = gather_book.telling_frame(player)
        assert (image["src"], words.get_text()) == (shown, f"at {shown}")


# In print


def test_nothing_of_the_book_is_cut(browser, text, tmp_path):
    path = tmp_path / "book.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": TEXT_WIDTH, "height": 900})
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    assert page.evaluate(BEYOND) == []
    page.evaluate("document.querySelectorAll('pre').forEach((pre) => { pre.style.whiteSpace = 'pre'; })")
    assert len(page.evaluate(BEYOND)) > 10  # what used to be cut
    page.close()


@pytest.fixture(scope="module")
def excerpt():
    return gather_book.gather(only=CHAPTERS)


@pytest.fixture(scope="module")
def pdf(browser, excerpt, tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "book.pdf"
    make_pdf.make(browser, excerpt, path)
    return path


def headings(book, kinds):
    return [heading.get_text().strip() for page in book.pages for heading in page.body.select(kinds)]


def outline(entries):
    for entry in entries:
        yield entry.title
        yield from outline(entry.children)


def test_the_pdf_has_title_language_tags_and_an_outline(pdf, excerpt):
    with pikepdf.open(pdf) as opened:
        root = opened.Root
        assert opened.docinfo["/Title"] == "How a Neural Network Learns" and opened.docinfo["/Author"]
        assert root.Lang == "en" and root.MarkInfo.Marked and "/StructTreeRoot" in root
        assert root.ViewerPreferences.DisplayDocTitle
        with opened.open_outline() as found:
            titles = list(outline(found.root))
    wanted = headings(excerpt, "h1, h2")
    assert len(wanted) > 25 and set(wanted) <= set(titles)


def test_links_of_the_pdf_work_and_its_fonts_are_in_it(pdf):
    with pikepdf.open(pdf) as opened:
        links = [link for page in opened.pages for link in page.get("/Annots", []) if link.Subtype == "/Link"]
        outside = {str(link.A.URI) for link in links if "/A" in link and link.A.S == "/URI"}
        inside = {str(link.Dest) for link in links if "/Dest" in link}
        assert len(outside) > 1 and {urlsplit(address).scheme for address in outside} <= {"http", "https"}
        assert len(inside) > 40 and inside <= set(opened.Root.Dests.keys())
        for page in opened.pages:
            for font in page.Resources.get("/Font", {}).values():
                assert font.Subtype in ("/Type0", "/Type3"), font.Subtype
                if font.Subtype == "/Type0":  # the letters of others are drawings
                    descriptor = font.DescendantFonts[0].FontDescriptor
                    assert any(f"/FontFile{kind}" in descriptor for kind in ("", 2, 3)), descriptor.FontName


def words_of(pdf):
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.get_textpage().get_text_bounded() for page in opened]


def test_the_contents_name_the_right_pages(pdf):
    texts = words_of(pdf)
    lines = re.findall(r"^(1\..*|Solutions|About this book)\s+(\d+)\s*$", texts[1], re.MULTILINE)
    assert len(lines) == 4
    for title, page in lines:
        assert title.strip() in texts[int(page) - 1], (title, page)
    page = int(re.search(r"Solution on page (\d+)", " ".join("".join(texts).split()))[1])
    assert "True of gradients" in texts[page - 1] and page > len(texts) / 2


def test_no_heading_is_the_last_on_its_page(pdf, excerpt):
    wanted = set(headings(excerpt, "h1, h2, h3"))
    last = [[line.strip() for line in text.splitlines() if line.strip()][-2:] for text in words_of(pdf)]
    assert len(last) > 20 and [lines for lines in last if set(lines) & wanted] == []


def ink_in_margins(pdf, millimetres):
    """The pages that have something in the margin left or right."""
    found = []
    with pypdfium2.PdfDocument(pdf) as opened:
        for k, page in enumerate(opened, 1):
            ink = np.asarray(page.render(scale=1).to_numpy()).min(axis=2) < 250
            width = int(millimetres * ink.shape[1] / 210) - 2
            if ink[:, :width].any() or ink[:, -width:].any():
                found.append(k)
        assert k > 1
    return found


def test_nothing_stands_in_the_margins(pdf):
    assert ink_in_margins(pdf, 25) == []
    assert len(ink_in_margins(pdf, 30)) > 10  # the text itself would be seen


def test_a_page_that_a_reader_prints(browser, tmp_path):
    """In the dark, with closed folds: on paper all is light and open, afterwards all is as it was."""
    page = browser.new_page(color_scheme="dark")
    page.goto((SITE / "notebooks/1_3_1_loss_function.html").as_uri())
    state = """() => [document.documentElement.dataset.theme,
      ...[".bd-article details[open]", ".predict-done"].map((kind) => document.querySelectorAll(kind).length)]"""
    before = page.evaluate(state)
    assert before == ["dark", 0, 0]
    page.pdf(path=tmp_path / "page.pdf", format="A4", print_background=True)
    page.wait_for_timeout(100)  # for what opening a fold could have set off
    assert page.evaluate(state) == before
    text = " ".join("".join(words_of(tmp_path / "page.pdf")).split())
    source = BeautifulSoup((SITE / "notebooks/1_3_1_loss_function.html").read_text(encoding="utf-8"), "html.parser")
    answers = [fold.p.get_text() for fold in source.select("details:not(.hide)") if fold.p and not fold.p.math]
    assert len(answers) > 3
    squeezed = re.sub(r"\s", "", text)
    assert [a for a in answers if re.sub(r"\s", "", a)[:30] not in squeezed] == []
    for word in ("Your prediction", "Previous", "Ctrl+K", "Show code cell source", "Back to top", "Practice: Gradient"):
        assert word not in text, word
    assert ink_in_margins(tmp_path / "page.pdf", 20) == []
    page.close()


# The EPUB


@pytest.fixture(scope="module")
def epub(book, text, tmp_path_factory):
    """Made of the same book, after the text has been, since its links change here."""
    path = tmp_path_factory.mktemp("paper") / "book.epub"
    make_epub.make(book, path)
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_epub_says_what_it_is_and_what_is_in_it(epub):
    first = epub.infolist()[0]
    assert (first.filename, first.compress_type, epub.read(first)) == ("mimetype", 0, b"application/epub+zip")
    assert len(epub.namelist()) == len(set(epub.namelist()))
    package = ElementTree.fromstring(epub.read("EPUB/book.opf"))
    items = {item.get("id"): item for item in package.iter(f"{OPF}item")}
    listed = {f"EPUB/{item.get('href')}" for item in items.values()}
    assert listed | {"mimetype", "META-INF/container.xml", "EPUB/book.opf"} == set(epub.namelist())
    read = [items[line.get("idref")].get("href") for line in package.iter(f"{OPF}itemref")]
    assert sorted(read) == sorted(item.get("href") for item in items.values() if "xhtml" in item.get("media-type"))
    properties = {item.get("href"): item.get("properties") for item in items.values()}
    assert properties["nav.xhtml"] == "nav" and properties["cover.png"] == "cover-image"
    for name in read:
        has_formula = b"<math" in epub.read(f"EPUB/{name}")
        assert has_formula == ("mathml" in (properties[name] or "")), name
    described = {meta.get("property") for meta in package.iter(f"{OPF}meta")}
    assert {"dcterms:modified", "schema:accessMode", "schema:accessibilityFeature"} <= described


def test_each_file_of_the_epub_is_well_formed_and_each_link_in_it_works(epub):
    trees = {
        name: ElementTree.fromstring(epub.read(name)) for name in epub.namelist() if name.endswith((".xhtml", ".svg"))
    }
    pages = {name: tree for name, tree in trees.items() if name.endswith(".xhtml")}
    ids = {name: Counter(e.get("id") for e in tree.iter() if e.get("id")) for name, tree in pages.items()}
    assert len(pages) > 25 and all(max(found.values(), default=1) == 1 for found in ids.values())
    checked = 0
    for name, tree in pages.items():
        assert tree.get("lang") == "en" and tree.find(f"{XHTML}head/{XHTML}title").text
        for link in tree.iter(f"{XHTML}a"):
            if not urlsplit(link.get("href")).scheme:
                path, _, fragment = link.get("href").partition("#")
                target = normpath(f"{name}/../{path}")
                assert target in pages and (not fragment or fragment in ids[target]), (name, link.get("href"))
                checked += 1
        for image in tree.iter(f"{XHTML}img"):
            assert image.get("alt") and normpath(f"{name}/../{image.get('src')}") in epub.namelist()
    assert checked > 1000


def test_the_same_pages_make_the_same_epub(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    for name in ("a", "b"):
        make_epub.make(gather_book.gather(only=CHAPTERS[:1]), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_site_offers_what_was_made(tmp_path):
    for name in gather_book.OFFERED_ON:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.html").write_bytes((SITE / f"{name}.html").read_bytes())
    texts = []
    for kind in ("epub", "pdf", None):
        gather_book.offer(tmp_path)
        texts.append((tmp_path / "book/ways.html").read_text(encoding="utf-8"))
        if kind:
            (tmp_path / f"{gather_book.NAME}.{kind}").write_bytes(b"x" * 2_000_000)
    assert "offered" not in texts[0] and ">EPUB</a> (2 MB)" in texts[1] and ">PDF</a> (2 MB), <a" in texts[2]
    assert texts[2].count('class="offered"') == 1
