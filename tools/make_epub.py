"""The book as an EPUB 3, made of the built pages: _build/html/how-a-neural-network-learns.epub.

    make epub        (or, for teachers: .venv/bin/python tools/make_epub.py --no-solutions --to exam.epub)

Formulas stay MathML and drawings SVG; nothing in it comes from elsewhere. The same pages make the same file: its date
is SOURCE_DATE_EPOCH, if that is set.
"""

import argparse
import html
import io
import os
import re
import sys
import time
import uuid
import zipfile
from pathlib import Path

import matplotlib as mpl
from gather_book import NAME, ROOT, SITE, Page, gather, offer
from matplotlib.figure import Figure

sys.path.append(str(ROOT / "book" / "ext"))
from book_card import ACCENT, INK, PAPER, Drawing, first_figure

STYLES = ROOT / "book" / "paper" / "epub.css"
FONT = ROOT / "book" / "assets" / "fonts" / "book-math.woff2"
FACE = "notebooks/1_3_overview"  # whose figure is on the cover
COVER = 1200, 1800
EPOCH = (1980, 1, 1, 0, 0, 0)  # of all files in the archive
TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".css": "text/css", ".woff2": "font/woff2"}
TYPES[".xhtml"] = "application/xhtml+xml"
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="en" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>en</dc:language>
<dc:description>{description}</dc:description>
<dc:rights>Text and figures: CC BY 4.0. Code: MIT licence.</dc:rights>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessModeSufficient">textual,visual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">displayTransformability</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every figure has an alternative text, every formula is MathML.</meta>
<meta name="cover" content="cover"/>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><meta charset="utf-8"/><title>{title}</title><link rel="stylesheet" href="book.css"/></head>
<body>
{body}
</body>
</html>
"""


def cover(title, author):
    """The title and the book's figure, as PNG."""
    svg = first_figure(SITE / f"{FACE}.html")
    width, height = COVER
    with mpl.rc_context({"path.simplify": True}):
        figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        Drawing(svg, axes, (100, 720, width - 200, 820))
        axes.add_patch(mpl.patches.Rectangle((0, 0), 28, height, color=ACCENT))
        words = {"family": ["DejaVu Serif"], "va": "top"}
        lines = re.sub("(How a|Network) ", r"\1\n", title)
        axes.text(110, 150, lines, size=62, weight="bold", linespacing=1.3, color=INK, **words)
        axes.text(110, 1660, author, size=22, color=ACCENT, **words)
        made = io.BytesIO()
        figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()


def documents(book):
    """{file: page} in reading order, all links within the book as a reader follows them."""
    pages = [Page("title", book.title, book.front), *book.pages]
    files = {f"{page.key}.xhtml": page for page in pages}
    home = {place["id"]: file for file, page in files.items() for place in page.body.select("[id]")}
    home |= {page.body["id"]: file for file, page in files.items() if page.body.get("id")}
    for page in pages:
        for link in page.body.select('a[href^="#"]'):
            link["href"] = home[link["href"][1:]] + link["href"]
        for image in page.body.select("img"):
            image["src"] = Path(image["src"]).name
        for formula in page.body.select("math"):
            formula["xmlns"] = "http://www.w3.org/1998/Math/MathML"
    return files


def entry(page):
    """A line of the contents: a page with its sections."""
    below = [
        f'<li><a href="{page.key}.xhtml#{section["id"]}">{html.escape(section.h2.get_text())}</a></li>'
        for section in page.body.find_all("section", id=True)
        if section.find(["h1", "h2", "h3"], recursive=False) is section.h2 and section.h2
    ]
    inner = f"<ol>{''.join(below)}</ol>" if below else ""
    return f'<li><a href="{page.key}.xhtml">{html.escape(page.title)}</a>{inner}</li>'


def navigation(book):
    lines = []
    for caption, pages in book.parts:
        found = "\n".join(map(entry, pages))
        lines.append(f"<li><span>{caption}</span><ol>{found}</ol></li>" if caption and len(pages) > 1 else found)
    body = f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'
    return DOCUMENT.format(title="Contents", body=body)


def package(files, order, book):
    """What is in the archive, in which order it is read, and what it is about."""

    def item(name):
        data = files[name] if isinstance(files[name], str) else ""
        properties = [kind for kind in ("math", "svg") if f"<{kind}" in data and name.endswith(".xhtml")]
        properties = ["mathml" if kind == "math" else kind for kind in properties]
        properties += {"nav.xhtml": ["nav"], "cover.png": ["cover-image"]}.get(name, [])
        more = f' properties="{" ".join(properties)}"' if properties else ""
        return f'<item id="{identifier(name)}" href="{name}" media-type="{TYPES[Path(name).suffix]}"{more}/>'

    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    return PACKAGE.format(
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, book.title),
        title=html.escape(book.title),
        author=html.escape(book.author),
        description=html.escape(book.front.p.get_text()),
        modified=time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
        manifest="\n".join(map(item, files)),
        spine="\n".join(f'<itemref idref="{identifier(name)}"/>' for name in order),
    )


def identifier(name):
    return "cover" if name == "cover.png" else "i-" + re.sub(r"\W", "-", name)


def make(book, target):
    """Write the EPUB."""
    bodies = [book.front, *(page.body for page in book.pages)]
    shown = {image["src"] for body in bodies for image in body.select("img")}
    pages = documents(book)
    files = {"nav.xhtml": navigation(book), "cover.png": cover(book.title, book.author)}
    for name, page in pages.items():
        files[name] = DOCUMENT.format(title=html.escape(page.title), body=page.body)
    files["book.css"] = STYLES.read_text(encoding="utf-8")
    files["book-math.woff2"] = FONT.read_bytes()
    files |= {Path(place).name: (SITE / place).read_bytes() for place in sorted(shown)}
    first, *others = pages
    with zipfile.ZipFile(target, "w") as archive:
        add(archive, "mimetype", "application/epub+zip", zipfile.ZIP_STORED)  # first, so that a file says what it is
        add(archive, "META-INF/container.xml", CONTAINER)
        add(archive, "EPUB/book.opf", package(files, [first, "nav.xhtml", *others], book))
        for name, data in files.items():
            add(archive, f"EPUB/{name}", data)


def add(archive, name, data, how=zipfile.ZIP_DEFLATED):
    archive.writestr(zipfile.ZipInfo(name, EPOCH), data, how)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-solutions", action="store_true", help="leave out what solves the exercises")
    parser.add_argument("--to", type=Path, default=SITE / f"{NAME}.epub", help="the file to write")
    options = parser.parse_args()
    make(gather(solutions=not options.no_solutions), options.to)
    offer()
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
