"""Sphinx extension: the cells of a notebook's page can be run in the page, in the reader's own browser.

It adds the script to the pages that have cells, gives each cell its name, puts the book's package beside the script,
and says in every page from where the browser may load what: all from this site, and Python from one place more.
"""

import html
import itertools
import json
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from docutils import nodes

import mlcore

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
from own_copy import unanswered, waiting

PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/"
# Below each cell, and in the page from the start: put in by a script, they would have all laid out a second time.
BUTTONS = {"Run": "Run", "Edit": "Edit", "More for": "⋯"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # of all files in the archive, so that the same package makes the same archive


def name_cells(app, doctree):
    """Give each code cell its buttons, and the id that it has in the notebook: under it the reader's edits are kept."""
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix != ".ipynb":
        return
    notebook, number = nbformat.read(source, as_version=4), itertools.count(1)
    waits = waiting(notebook.cells)
    for container in list(doctree.findall(nodes.container)):
        if container.get("nb_element") == "cell_code":
            cell = notebook.cells[container["cell_index"]]
            if cell.source.strip():
                container["ids"].append(f"cell-{cell.id}")
                container.insert(1, nodes.raw("", bar(next(number)), format="html"))  # below the code
            if container["cell_index"] in waits:
                close_output(container, cell.metadata.get("prediction"))


def bar(number):
    """The buttons of a cell, and the room for what is said of it."""
    buttons = "".join(
        f'<button type="button" aria-label="{name} cell {number}">{words}</button>' for name, words in BUTTONS.items()
    )
    return f'<div class="live-bar">{buttons}<span></span></div>'


def close_output(container, known):
    """Fold the output of a cell that asks for a prediction, or goes on after one; predict.js opens it."""
    kind = "predicted later" if known is None else "predicted"
    facts = "" if known is None else f' data-prediction="{html.escape(json.dumps(known), quote=True)}"'
    fold = f'<details class="{kind}"{facts}><summary>What comes out: predict first</summary><div>'
    for output in [node for node in container.children if node.get("nb_element") == "cell_code_output"]:
        output.insert(0, nodes.raw("", fold, format="html"))
        output.append(nodes.raw("", "</div></details>", format="html"))


def add_to_page(app, pagename, templatename, context, doctree):
    """Add the script and its style to a page with cells, and the Content-Security-Policy to every page."""
    cells = doctree is not None and any(c.get("nb_element") == "cell_code" for c in doctree.findall(nodes.container))
    if cells:
        app.add_css_file("live/live.css")
        app.add_js_file("live/predict.js", loading_method="defer")
        app.add_js_file("live/live.js", loading_method="defer", **{"data-python": app.config.live_python})
    if doctree is not None:
        app.add_js_file("print.js", loading_method="defer")
    policy = security_policy(app.config.live_python if cells else "")
    tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}" />'
    context["metatags"] = f"{tag}\n{context.get('metatags', '')}"


def security_policy(python):
    """What a page may load: of this site everything, of other origins only Python, where it runs cells."""
    parts = urlsplit(python)
    origin = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    wasm = " 'wasm-unsafe-eval'" if python else ""
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' 'unsafe-inline'{wasm}{origin}",  # the theme and the frames have scripts in the page
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": f"'self'{origin}",
        "worker-src": "'self' blob:",  # a worker from a blob obeys this policy, one from a file would not
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def pack(app, exception):
    """Put the package beside the script."""
    if exception or app.builder.format != "html":
        return
    package = Path(mlcore.__file__).parent
    with zipfile.ZipFile(app.outdir / "_static" / "live" / "mlcore.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            name = path.relative_to(package.parent).as_posix()
            archive.writestr(zipfile.ZipInfo(name, EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)


def close_downloads(app, exception):
    """The notebooks that the pages offer do not give away what is to be predicted."""
    if not exception and app.builder.format == "html":
        for path in (app.outdir / "_sources").rglob("*.ipynb"):
            path.write_text(unanswered(path), encoding="utf-8", newline="\n")


def list_exercises(app, exception):
    """Tell the script that marks what is solved which exercises there are, by page."""
    if exception or app.builder.format != "html":
        return
    names = {}
    for path in sorted((Path(app.srcdir) / "notebooks").glob("*_practice.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        names[path.stem] = [cell.id.removesuffix("-answer") for cell in cells if cell.id.endswith("-answer")]
    names = {page: found for page, found in names.items() if found}
    source = (Path(app.srcdir) / "book/assets/solved.js").read_text(encoding="utf-8")
    script = f"window.exercises = {json.dumps(names)};\n{source}"
    (app.outdir / "_static" / "solved.js").write_text(script, encoding="utf-8", newline="\n")


def setup(app):
    app.add_config_value("live_python", PYODIDE, "env")
    app.add_js_file("solved.js")
    app.add_js_file("steps.js")
    app.connect("doctree-read", name_cells)
    app.connect("html-page-context", add_to_page)
    app.connect("build-finished", pack)
    app.connect("build-finished", close_downloads)
    app.connect("build-finished", list_exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
