"""The book as one PDF, made by Chromium of the built pages: _build/html/book.pdf.

    make pdf        (or, for teachers: .venv/bin/python tools/make_pdf.py --no-solutions --to exam.pdf)

Chromium, since it is what readers see: it draws MathML, which WeasyPrint does not, with the fonts and styles of the
site, and writes outline, tags and links by itself. It prints twice: the first time to learn on which page each place
of the book is, the second with these numbers in the contents and beside the links to solutions.
"""

import argparse
import html
import re
import sys
import tempfile
from pathlib import Path

import pikepdf
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from gather_book import NAME, ROOT, SITE, element, gather, offer

sys.path.append(str(ROOT / "tests"))
from helpers import chromium

STYLES = ROOT / "book" / "paper" / "pdf.css"
FONTS = ROOT / "book" / "assets" / "fonts"
WEIGHTS = 400, 600, 700
HEAD = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="author" content="{author}">
<link rel="stylesheet" href="{site}/_static/book-styles.css">
<style>
{styles}
</style>
</head>
<body>
<main class="bd-article">
"""
FACE = '@font-face {{ font-family: "Paper Serif"; src: url("{place}"); {style} }}\n'
HEADING = '@page {name} {{ @top-right {{ content: "{words}"; font: 9pt "Paper Serif"; color: #4a5560 }} }}\n'
TO_SOLUTION = re.compile(r'<p class="to-solution"><a href="#([^"]+)">[^<]*</a>')
NUMBER = r'<span class="on-page" to="\1">000</span>'
TIMES = 4  # that it is printed, at most: numbers of pages could move what they number


def fonts(folder):
    """Rules for the faces of the text, one file for each weight: a variable font is no font in a PDF, but drawings."""
    rules = [FACE.format(place=(FONTS / "book-serif-italic.woff2").as_uri(), style="font-style: italic")]
    for weight in WEIGHTS:
        font, path = TTFont(FONTS / "book-serif.woff2"), folder / f"serif-{weight}.ttf"
        instantiateVariableFont(font, {"wght": weight}, inplace=True)
        font.flavor = None
        font.save(path)
        rules.append(FACE.format(place=path.as_uri(), style=f"font-weight: {weight}"))
    return "".join(rules)


def document(book, styles):
    """The whole book as one page of HTML, with a place for each number of a page."""
    for page in book.pages:
        styles += HEADING.format(name=named(page), words=page.title.replace('"', "'"))
    title, author = html.escape(book.title), html.escape(book.author)
    texts = [
        HEAD.format(title=title, author=author, site=SITE.as_uri(), styles=styles),
        f"{book.front}{contents(book.parts)}",
        *(f'<div class="page" style="page: {named(page)}">{page.body}</div>\n' for page in book.pages),
        "</main></body></html>\n",
    ]
    text = re.sub(r'(<img [^>]*?src=")', rf"\1{SITE.as_uri()}/", "".join(texts))
    return TO_SOLUTION.sub(rf"\g<0> on page {NUMBER}", text)


def named(page):
    return "of-" + page.key.replace("_", "-")


def contents(parts):
    made = element("section", class_="contents")
    made.append(element("h1", "Contents"))
    for caption, pages in parts:
        if caption and len(pages) > 1:
            made.append(element("p", caption, class_="part"))
        for page in pages:
            line = element("p", class_="line" if page.level == 1 else "line below")
            line.append(element("a", page.title, href=f"#{page.key}"))
            line.append(element("span", "000", class_="on-page", to=page.key))
            made.append(line)
    return made


def places(path):
    """{id: the number of its page} for every id that is linked to."""
    with pikepdf.open(path) as pdf:
        numbers = {page.objgen: k for k, page in enumerate(pdf.pages, 1)}
        return {name.lstrip("/"): numbers[to[0].objgen] for name, to in pdf.Root.Dests.items()}


def finish(path, headings, author):
    """Give back to the outline the spaces where a heading goes on in a new line, name the author, and pack it all."""
    words = {re.sub(r"\s", "", heading): heading for heading in headings}

    def mend(entries):
        for entry in entries:
            entry.title = words.get(re.sub(r"\s", "", entry.title), entry.title)
            mend(entry.children)

    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        with pdf.open_outline() as outline:
            mend(outline.root)
        pdf.docinfo["/Author"] = author
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def numbered(text, known):
    """The document, with the numbers of pages filled in."""
    return re.sub(r'(<span class="on-page" to="([^"]+)">)\d+', lambda m: f"{m[1]}{known[m[2]]}", text)


def print_book(browser, folder, text, target):
    """Print, and again with the numbers of pages, until these are right."""
    known, source = {}, folder / "book.html"
    for _ in range(TIMES):
        source.write_text(numbered(text, known) if known else text, encoding="utf-8")
        page = browser.new_page(reduced_motion="reduce", color_scheme="light")
        page.goto(source.as_uri())
        page.pdf(path=target, tagged=True, outline=True, prefer_css_page_size=True, print_background=True)
        page.close()
        before, known = known, places(target)
        if known == before:
            return
    raise RuntimeError("the numbers of pages do not come to rest")


def make(browser, book, target):
    """Write the PDF."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        styles = fonts(folder) + STYLES.read_text(encoding="utf-8")
        print_book(browser, folder, document(book, styles), target)
    headings = [h.get_text() for page in book.pages for h in page.body.select("h1, h2, h3, h4")]
    finish(target, [book.title, *headings], book.author)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-solutions", action="store_true", help="leave out what solves the exercises")
    parser.add_argument("--to", type=Path, default=SITE / f"{NAME}.pdf", help="the file to write")
    options = parser.parse_args()
    with chromium() as browser:
        make(browser, gather(solutions=not options.no_solutions), options.to)
    offer()
    with pikepdf.open(options.to) as pdf:
        print(f"{options.to}: {len(pdf.pages)} pages, {options.to.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
