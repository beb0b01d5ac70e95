"""Sphinx extension: every page describes itself, the reference lists public names only, and the theme is mended."""

import html
import re

from docutils import nodes

import mlcore

LONGEST_DESCRIPTION = 160  # what a search engine shows
SHORTEST_DESCRIPTION = 60  # less is no sentence about the page

# What the theme writes and the book mends in every page: (pattern, replacement).
MENDED = [
    # 1.5 MB that draw icons as SVG; the theme's style sheet draws the same icons from a font.
    (re.compile(r"\s*<script[^>]*/fontawesome\.js[^>]*></script>"), ""),
    # The button reads "Search Ctrl+K", so its name for a screen reader or a spoken command must not be another.
    (re.compile(r'(<button class="btn search-button-field [^>]*?) title="Search" aria-label="Search"'), r"\1"),
    # The same with the line that opens a hidden cell.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # What unfolds the sections of a chapter in the side bar is drawn only.
    (
        re.compile(r'(>\s*([^<>]+?)\s*</a><details[^>]*>)<summary>(?=<span class="toctree-toggle")'),
        r'\1<summary aria-label="Pages below \2">',
    ),
    # What is below the logo would move when that comes.
    (re.compile(r'<img (?=[^>]*class="logo__image)'), '<img width="120" height="80" '),
    # The logo stands in a part of the page that has no name.
    (re.compile(r'<div id="pst-primary-sidebar"'), r'\g<0> role="complementary" aria-label="The book"'),
    # What a `summary` may hold is words, not paragraphs.
    (
        re.compile(r"(<summary>\s*)<p (class=\"collapsed[^>]*>.*?)</p>\s*<p (.*?)</p>"),
        r"\1<span \2</span><span \3</span>",
    ),
    # Said again, by the page and by two themes.
    (re.compile(r'(?<!<meta charset="utf-8" />\n    )<meta name="viewport"[^>]*>\s*'), ""),
    # A corner of a table that heads nothing.
    (re.compile(r"<th[^>]*>\s*(<p>\s*</p>)?\s*</th>"), "<td></td>"),
    # A line must not end between a formula and its full stop, nor within a few words of code.
    (re.compile(r"[(“]?<math>((?!</math>).)*</math>[.,;:?!)”]+"), r'<span class="unbroken">\g<0></span>'),
    # A long one scrolls where the window is narrow.
    (re.compile(r'<span class="unbroken(?=">.?<math>((?!</math>).){150})'), r"\g<0> long"),
    (re.compile(r'(?<!n">)(?<!long">)(?<![(“])<math>((?!</math>).){150,}?</math>'), r'<span class="long">\g<0></span>'),
    (re.compile(r'literal notranslate(?=">(<span class="pre">[^<]{1,9}</span> ?){2,3}</code>)'), r"\g<0> unbroken"),
]

FRONT_DOOR = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="description" content="{title}: this page leads on to the first one.">
<meta http-equiv="Refresh" content="0; url={page}">
</head>
<body><p><a href="{page}">{title}</a></p></body>
</html>
"""


def first_sentences(doctree):
    """The text of the first paragraph that says something, without its formulas."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = [text.astext() for text in paragraph.findall(nodes.Text) if not isinstance(text.parent, nodes.math)]
        prose = " ".join("".join(words).split())
        if len(prose) >= SHORTEST_DESCRIPTION:
            return prose
    return ""


def shorten(text, longest=LONGEST_DESCRIPTION):
    """Cut at the end of a word."""
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:.(") + "…"


def describe(app, pagename, templatename, context, doctree):
    """Add the description, unless the page brings one of its own."""
    metatags = context.get("metatags", "")
    if 'name="description"' in metatags:
        return
    text = doctree and first_sentences(doctree)
    text = text or f"{context.get('title', pagename)}: a page of the textbook {app.config.project}"
    content = html.escape(shorten(text))
    context["metatags"] = f'{metatags}\n<meta name="description" content="{content}" />'


def mend_pages(app, exception):
    """Mend the theme's part of every page, and take the useless script out of the site."""
    if exception or app.builder.format != "html":
        return
    for template in (app.outdir / "_static").rglob("*macros.html"):
        template.unlink()
    for page in app.outdir.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for pattern, replacement in MENDED:
            text = pattern.sub(replacement, text)
        page.write_text(text, encoding="utf-8", newline="\n")
    if app.config.root_doc != "index":
        front = FRONT_DOOR.format(title=app.config.project, page=f"{app.config.root_doc}.html")
        (app.outdir / "index.html").write_text(front, encoding="utf-8", newline="\n")
    for script in (app.outdir / "_static" / "scripts").glob("fontawesome.js*"):
        script.unlink()


def hide_helpers(app, what, name, obj, skip, options):
    """Of a module's functions and classes, list those that `mlcore` exports; two modules have their own."""
    module = getattr(obj, "__module__", "")
    is_helper = what == "module" and module.startswith("mlcore.") and name not in mlcore.__all__
    return True if is_helper and not module.startswith("mlcore.teaching.") else skip


def setup(app):
    app.connect("autodoc-skip-member", hide_helpers)
    app.connect("html-page-context", describe)
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
