"""Sphinx extension: every page describes itself, and no page loads a script that it has no use for."""

import html
import re

from docutils import nodes

LONGEST_DESCRIPTION = 160  # what a search engine shows

# 1.5 MB that draw icons as SVG; the theme's style sheet draws the same icons from a font.
USELESS_SCRIPT = re.compile(r"\s*<script[^>]*/fontawesome\.js[^>]*></script>")


def first_paragraph(doctree):
    """The text of the first paragraph of running prose, without its formulas."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, (nodes.section, nodes.document)):
            words = [text.astext() for text in paragraph.findall(nodes.Text) if not isinstance(text.parent, nodes.math)]
            return " ".join("".join(words).split())
    return ""


def shorten(text, longest=LONGEST_DESCRIPTION):
    """Cut at the end of a word."""
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:.(") + "…"


def describe(app, pagename, templatename, context, doctree):
    """Add the description, unless the page brings one of its own."""
    metatags = context.get("metatags", "")
    if 'name="description"' in metatags:
        return
    text = doctree and first_paragraph(doctree)
    text = text or f"{context.get('title', pagename)}: a page of the textbook {app.config.project}"
    content = html.escape(shorten(text))
    context["metatags"] = f'{metatags}\n<meta name="description" content="{content}" />'


def remove_useless_script(app, exception):
    """Take the script out of the pages and out of the site."""
    if exception or app.builder.format != "html":
        return
    for page in app.outdir.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(USELESS_SCRIPT.sub("", text), encoding="utf-8", newline="\n")
    for script in (app.outdir / "_static" / "scripts").glob("fontawesome.js*"):
        script.unlink()


def setup(app):
    app.connect("html-page-context", describe)
    app.connect("build-finished", remove_useless_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
