r"""Sphinx extension: formulas become MathML while the book is built, so that no engine has to run where it is read.

Temml (book/ext/temml) does it, in the JavaScript engine that the package mini-racer brings.
"""

import functools
import json
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.util import logging

TEMML = Path(__file__).parent / "temml" / "temml.min.js"
ROWS = {"math", "mrow", "mtd"}  # what holds symbols in a row
BEFORE_NAMES = {"msub", "msup", "msubsup", "mfrac", "msqrt", "mrow"}  # Temml leaves a space after single letters only


@functools.cache
def engine():
    context = MiniRacer()
    context.eval(TEMML.read_text(encoding="utf-8"))
    return context


@functools.cache
def mathml(tex, display=False):
    """The formula as MathML; a ValueError says what Temml does not understand."""
    options = {"displayMode": display, "throwOnError": True, "wrap": "none"}
    try:
        found = engine().eval(f"temml.renderToString({json.dumps(tex)}, {json.dumps(options)})")
    except JSEvalException as error:
        raise ValueError(str(error).partition("\n    at ")[0]) from error
    tree = ElementTree.fromstring(found.replace("‾", "¯"))  # a bar that the font has
    for row in tree.iter():
        if row.tag in ROWS:
            space_names(row)
    return ElementTree.tostring(tree, encoding="unicode")


def space_names(row):
    """Put a thin space between a factor and the name of a function: t log y, not tlog y."""
    for left, right in reversed(list(zip(row, row[1:], strict=False))):
        is_name = right.tag == "mrow" and len(right) > 1 and right[0].tag == "mi" and len(right[0].text or "") > 1
        if is_name and left.tag in BEFORE_NAMES and not (len(left) and left[-1].tag == "mspace"):
            row.insert(list(row).index(right), ElementTree.Element("mspace", width="0.1667em"))


def write_formula(writer, node, display):
    try:
        writer.body.append(mathml(node.astext(), display))
    except ValueError as error:
        logging.getLogger(__name__).warning("a formula is not understood: %s", error, location=node)
    raise nodes.SkipNode


def write_inline(writer, node):
    write_formula(writer, node, display=False)


def write_block(writer, node):
    writer.body.append('<div class="math-block">')
    try:
        write_formula(writer, node, display=True)
    finally:
        writer.body.append("</div>\n")


def setup(app):
    app.add_html_math_renderer("temml", (write_inline, None), (write_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
