"""Sphinx extension: under the title of a chapter, how long it takes and how much of it the reader does."""

import json
import re
from pathlib import Path

from docutils import nodes

WORDS_A_MINUTE = 85  # with formulas to follow, pictures to look at and predictions to make


def sources(path, kind):
    """The source of each cell of a kind, with the cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [("".join(cell["source"]), cell) for cell in cells if cell["cell_type"] == kind]


def what_it_takes(chapter):
    """Such as "About 40 minutes, 17 predictions, 25 exercises" for a notebook."""
    text = " ".join(re.sub("(?s)<details>.*?</details>", "", source) for source, _ in sources(chapter, "markdown"))
    minutes = max(5, 5 * round(len(text.split()) / WORDS_A_MINUTE / 5))
    practice = chapter.with_name(f"{chapter.stem}_practice.ipynb")
    counts = {
        "prediction": sum("prediction" in cell["metadata"] for _, cell in sources(chapter, "code")),
        "exercise": practice.exists() and sum("\ncheck(" in f"\n{code}" for code, _ in sources(practice, "code")),
    }
    said = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
    return ", ".join([f"About {minutes} minutes", *said])


def open_chapter(app, doctree):
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix == ".ipynb" and "prediction" in (counted := what_it_takes(source)):  # a chapter
        title = next(iter(doctree.findall(nodes.title)))
        title.parent.insert(1, nodes.paragraph("", counted + ".", classes=["takes"]))


def setup(app):
    app.connect("doctree-read", open_chapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
