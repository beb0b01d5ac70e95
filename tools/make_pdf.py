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
from io import BytesIO
from pathlib import Path

import yaml
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.varLib.instancer import instantiateVariableFont
from gather_book import OUT, ROOT, SITE, element, gather, key_of
from pypdf import PdfReader

sys.path.append(str(ROOT / "tests"))
from helpers import chromium  # noqa: E402

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
HEADING = '@page {name} {{ @top-right {{ content: "{words}"; font: 9pt "Paper Serif"; color: #4a5560 }} }}\n'
TOO_LONG_TO_COUNT = "000"  # holds the place of a page's number


# Fonts: of a variable font, and of one with cubic curves, a PDF keeps drawings of letters only.


def fonts(folder):
    """Write the faces of text and formulas so that a PDF can hold them; the rules of CSS that name them."""
    folder.mkdir(exist_ok=True)
    rules = []
    for weight in WEIGHTS:
        font = TTFont(FONTS / "book-serif.woff2")
        instantiateVariableFont(font, {"wght": weight}, inplace=True)
        rules.append(face(font, "Paper Serif", f"font-weight: {weight}", folder / f"serif-{weight}.ttf"))
    italic = TTFont(FONTS / "book-serif-italic.woff2")
    rules.append(face(italic, "Paper Serif", "font-style: italic", folder / "serif-italic.ttf"))
    formulas = TTFont(FONTS / "book-math.woff2")
    with_quadratic_curves(formulas)
    rules.append(face(formulas, "Paper Math", "", folder / "math.ttf"))
    return "".join(rules)


def face(font, family, style, path):
    font.flavor = None
    font.save(path)
    return f'@font-face {{ font-family: "{family}"; src: url("{path.as_uri()}"); {style} }}\n'


def with_quadratic_curves(font):
    """Turn the outlines of a font from CFF into TrueType's, in place."""
    glyphs, table = font.getGlyphSet(), newTable("glyf")
    table.glyphs, table.glyphOrder = {}, font.getGlyphOrder()
    for name in table.glyphOrder:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, max_err=0.5, reverse_direction=True))
        table.glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), table
    head = font["maxp"]
    head.tableVersion = 0x00010000
    zero = "Zones TwilightPoints Storage FunctionDefs InstructionDefs StackElements SizeOfInstructions ComponentElements"
    for field in zero.split():
        setattr(head, f"max{field}", 0)
    head.maxZones = 1
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"


# The book as one page of HTML


def document(parts, styles, numbers):
    """The whole book; `numbers` says on which page each id is, as far as it is known."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    front, pages = title_page(parts, settings), [page for _, found in parts for page in found]
    for page in pages:
        styles += HEADING.format(name=named(page), words=page.title.replace('"', "'"))
        for link in page.body.select(".to-solution a"):
            link.insert_after(on_page(link["href"], numbers, " on page "))
    texts = [
        HEAD.format(title=html.escape(settings["title"]), author=settings["author"], site=SITE.as_uri(), styles=styles),
        str(front),
        str(contents(parts, numbers)),
        *(f'<div class="page" style="page: {named(page)}">{page.body}</div>\n' for page in pages),
        "</main></body></html>\n",
    ]
    return re.sub(r'(<img [^>]*?src=")(?!file:)', rf"\g<1>{SITE.as_uri()}/", "".join(texts))
