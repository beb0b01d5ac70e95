"""Sphinx extension: pages that know each other.

In a chapter the first use of a term of the glossary leads to its entry, and the first use of a name of `mlcore` to its
description. A description leads to the chapters that its docstring names, and an entry of the bibliography to the pages
that cite it.
"""

import inspect
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.nodes import clean_astext

import mlcore

GLOSSARY, BIBLIOGRAPHY, REFERENCE = "book/glossary", "book/bibliography", "book/api"
NO_TERM_IN_A_SENTENCE = {"Branch", "Loss that does not fall", "Moment", "Repeat", "Temperature"}  # words of every day
CHAPTER = re.compile(r"[Ss]ections? (1\.\d(?:\.\d)?)(?:\.\d)*")
CITATION = re.compile(r"bibliography\.(?:md|ipynb)#([\w-]+)")


def sections(app, docname):
    """The sections of a page, each with its title and anchor."""
    for section in app.env.get_doctree(docname).findall(nodes.section):
        yield section, clean_astext(section[0]), section["ids"][0]


def is_practice(docname):
    return docname.endswith("_practice") and docname != "notebooks/1_5_in_practice"


@cache
def terms(app):
    """What a term of the glossary looks like in a sentence, with its page and anchor; long ones first."""
    found = []
    for section, title, anchor in sections(app, GLOSSARY):
        if isinstance(section.parent, nodes.section) and title not in NO_TERM_IN_A_SENTENCE:
            words = "|".join(re.escape(name) for name in title.split(", "))
            pattern = re.compile(rf"(?<![\w-])(?:{words})s?(?![\w-])", re.IGNORECASE)
            found.append((pattern, (GLOSSARY, anchor)))
    return sorted(found, key=lambda term: len(term[0].pattern), reverse=True)


@cache
def names(app):
    """The public names of the package, with the page and the anchor of their description."""
    objects = app.env.get_domain("py").objects
    return {name.rpartition(".")[2]: (entry.docname, entry.node_id) for name, entry in objects.items()
            if entry.objtype in ("class", "function") and entry.docname == REFERENCE}  # fmt: skip


@cache
def chapters(app):
    """The page of each chapter by its number, and the title of every page that is listed."""
    titles = {docname: clean_astext(title) for docname, title in app.env.titles.items()}
    pages = {}
    for docname, title in titles.items():
        if (number := re.match(r"1\.\d(\.\d)?(?= )", title)) and not is_practice(docname):
            pages[number[0]] = docname
    return pages, titles


@cache
def citing(app):
    """For each entry of the bibliography the pages that cite it, in the order of the book."""
    found, order = {}, list(app.env.found_docs)
    for docname in sorted(order, key=lambda name: (name.startswith("book/"), name)):
        for anchor in CITATION.findall(Path(app.env.doc2path(docname)).read_text(encoding="utf-8")):
            found.setdefault(anchor, {})[docname] = None
    return {anchor: list(pages) for anchor, pages in found.items()}


def link(app, here, target, *inside, kind=""):
    page, anchor = target
    address = app.builder.get_relative_uri(here, page) if page != here else ""
    return nodes.reference("", "", *inside, refuri=f"{address}#{anchor}" if anchor else address, internal=True,
                           classes=[kind] if kind else [])  # fmt: skip


def is_prose(node):
    """Whether this stands in a sentence, and is no part of a heading, a link, a caption, a table or code."""
    within = nodes.title, nodes.reference, addnodes.pending_xref, nodes.caption, nodes.literal, nodes.table, nodes.math
    parent, prose = node.parent, False
    while parent is not None:
        if isinstance(parent, within):
            return False
        prose = prose or isinstance(parent, nodes.paragraph)
        parent = parent.parent
    return prose


def link_first_uses(app, doctree, here):
    """Terms and names, each where a chapter uses it first."""
    left = dict(names(app))
    for code in [node for node in doctree.findall(nodes.literal) if is_prose(node)]:
        if target := left.pop(code.astext(), None):
            code.replace_self(link(app, here, target, code.deepcopy(), kind="term"))
    for pattern, target in terms(app):
        for text in [node for node in doctree.findall(nodes.Text) if is_prose(node)]:
            if found := pattern.search(text):
                before, after = text[: found.start()], text[found.end() :]
                term = link(app, here, target, nodes.Text(found[0]), kind="term")
                parts = [nodes.Text(before), term, nodes.Text(after)]
                text.parent.replace(text, [part for part in parts if part.astext()])
                break


def link_chapters(app, doctree, here):
    """What a docstring says of a section of the book leads there."""
    pages, _ = chapters(app)
    for text in [node for node in doctree.findall(nodes.Text) if CHAPTER.search(node) and is_prose(node)]:
        parts, end = [], 0
        for found in CHAPTER.finditer(text):
            if target := pages.get(found[1]):
                parts += [nodes.Text(text[end : found.start()]), link(app, here, (target, ""), nodes.Text(found[0]))]
                end = found.end()
        text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def list_citing(app, doctree, here):
    """Below an entry of the bibliography, the pages that cite it."""
    _, titles = chapters(app)
    for section in doctree.findall(nodes.section):
        if pages := [page for page in citing(app).get(section["ids"][0], []) if page != here]:
            line = nodes.paragraph("", "Cited in ", classes=["cited"])
            for i, page in enumerate(pages):
                line += [nodes.Text(", ")] * bool(i) + [link(app, here, (page, ""), nodes.Text(titles[page]))]
            section += line


def list_names(app, doctree, here):
    """At the end of a chapter, what `mlcore` has of it."""
    described = [(name, CHAPTER.search(inspect.getdoc(getattr(mlcore, name)).rpartition("References\n")[2]))
                 for name in mlcore.__all__]  # fmt: skip
    pages, _ = chapters(app)
    if found := [name for name, section in described if section and pages[section[1]] == here]:
        line = nodes.paragraph("", "In the reference: ", classes=["cited"])
        for i, name in enumerate(found):
            code = link(app, here, names(app)[name], nodes.literal(text=name))
            line += [nodes.Text(", ")] * bool(i) + [code]
        list(doctree.findall(nodes.section))[-1].append(line)


def connect(app, doctree, docname):
    if docname.startswith("notebooks/") and not is_practice(docname):
        link_first_uses(app, doctree, docname)
        list_names(app, doctree, docname)
    elif docname == REFERENCE:
        link_chapters(app, doctree, docname)
    elif docname == BIBLIOGRAPHY:
        list_citing(app, doctree, docname)


def setup(app):
    app.connect("doctree-resolved", connect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
