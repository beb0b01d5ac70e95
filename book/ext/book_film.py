"""Sphinx extension: the film of the landing page, one drawing that moves by itself, made of the overview's frames.

It plays once, in less than five seconds, and rests on its last frame; who wants no motion sees only that one.
"""

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat

from mlcore.teaching.dark import in_dark

SECONDS = 0.35  # a frame


def frames(notebook):
    """The drawings of the first player of a notebook, in order, the one it starts with first."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            if "mlcore-frames" in (html := output.get("data", {}).get("text/html", "")):
                return [unquote(found) for found in re.findall(r"<img src='data:image/svg\+xml,([^']*)'", html)]
    raise ValueError(f"{notebook}: no player")


def film(drawings):
    """One drawing that shows one after the other."""
    head = re.search(r"<svg[^>]*>", drawings[0])[0]
    last, parts = len(drawings) - 1, []
    for k, drawing in enumerate(drawings):
        inner = re.sub(r'\bid="|url\(#|href="#', rf"\g<0>f{k}-", drawing.partition(">")[2].rpartition("</svg>")[0])
        parts.append(
            f'<g class="{"last" if k == last else "f"}" style="animation-delay:{k * SECONDS:.2f}s">{inner}</g>'
        )
    parts[-1] = parts[-1].replace(f"animation-delay:{last * SECONDS:.2f}s", f"animation-duration:{last * SECONDS:.2f}s")
    style = (
        ".f{visibility:hidden}@media (prefers-reduced-motion:no-preference){"
        f".f{{animation:on {SECONDS}s step-end}}.last{{animation:off 1s step-end}}}}"
        "@keyframes on{from,to{visibility:visible}}@keyframes off{from,to{visibility:hidden}}"
    )
    return f"{head}<style>{style}</style>{''.join(parts)}</svg>"


def write(app, exception):
    if not exception and app.builder.format == "html":
        drawings = frames(Path(app.srcdir) / "notebooks/1_3_overview.ipynb")
        (app.outdir / "_static/film.svg").write_text(in_dark(film(drawings)), encoding="utf-8", newline="\n")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
