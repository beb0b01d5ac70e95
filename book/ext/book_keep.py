"""Sphinx extension: a reader can keep the whole book on the device, and read and run it there without a network.

Once all else of the site is written it adds `keep-files.json`, the checksum and size of every file that is kept;
`keep.json`, the version (the checksum of that list) with what is to be known before anything is fetched; and the
service worker, at the root of the site, because it answers for what lies beside and below it only.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

# What no page asks for: the sources from which the theme's scripts and styles were made, and their translations.
NOT_KEPT = re.compile(r"\.map$|^_static/(locales|vendor)/|^\.|^keep(-files\.json|\.json|-worker\.js)$")
CORE = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]


def kept(site, python):
    """{path: [size, checksum]} of the files of the book; those of Python are kept when they are used."""
    files = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.is_file()}
    contents = {
        name: path.read_bytes()
        for name, path in files.items()
        if not NOT_KEPT.search(name) and not name.startswith(python)
    }
    return {name: [len(content), hashlib.sha256(content).hexdigest()] for name, content in contents.items()}


def write(site, python):
    """Write the two lists for a site whose pages load Python from the address `python`."""
    files = kept(site, python)
    listing = json.dumps(files, separators=(",", ":")).encode()
    lock = (site / "_static/live/pyodide-lock.json").read_bytes()
    packages = [package["file_name"] for package in json.loads(lock)["packages"].values()]
    known = {
        "version": hashlib.sha256(listing).hexdigest(),
        "bytes": sum(size for size, _ in files.values()),
        "python": python,
        "pythonVersion": hashlib.sha256(lock + python.encode()).hexdigest()[:16],
        "pythonFiles": [*CORE, *packages],
    }
    (site / "keep-files.json").write_bytes(listing)
    (site / "keep.json").write_text(json.dumps(known) + "\n", encoding="utf-8")


def add_to_page(app, pagename, templatename, context, doctree):
    """Say in every page where a device finds the name and the picture of the book, to put it among its apps."""
    path = context["pathto"]("_static/book.webmanifest", resource=True)
    context["metatags"] = f'{context.get("metatags", "")}\n<link rel="manifest" href="{path}" />'


def add(app, exception):
    if not exception and app.builder.format == "html":
        shutil.copy(app.outdir / "_static/keep/worker.js", app.outdir / "keep-worker.js")
        write(Path(app.outdir), app.config.live_python)


def setup(app):
    app.add_js_file("keep.js")
    app.add_css_file("keep/keep.css")
    app.connect("html-page-context", add_to_page)
    app.connect("build-finished", add, priority=950)  # after all that writes files
    return {"parallel_read_safe": True, "parallel_write_safe": True}
