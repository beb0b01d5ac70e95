"""Copy the notebooks into a folder of the reader's own, which no update of the book touches.

    python tools/own_copy.py                         what is not there yet
    python tools/own_copy.py --new 1_3_2_gradient    also the book's present version of this one, beside one's own
    python tools/own_copy.py --here                  none: close the book's own (what Binder does with its copy)

A notebook that is there is never written to. If the book's has changed since it was copied, the command says so.
In a copy the cells that ask for a prediction have no output yet, since it would give the answer away; a figure has its
caption below it, and links to sections are such that JupyterLab follows them.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {  # of the book's JupyterLab: pages are shown, not their source, and nobody asks the network for news
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
VERSIONS = ".versions.json"  # in the reader's folder: which version of each notebook was copied


def version(path):
    """What stands in the cells; outputs do not count."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return hashlib.sha256(repr([(c["cell_type"], "".join(c["source"])) for c in cells]).encode()).hexdigest()


def waiting(cells):
    """Indices of the cells whose output waits for a prediction: those that ask, and the folded ones that go on."""
    found, asked = [], False
    for i, cell in enumerate(cells):
        if "prediction" in cell.metadata:
            asked = True
            found.append(i)
        elif cell.cell_type != "code":
            asked = False
        elif asked and "hide-input" in cell.metadata.get("tags", []) and "visual.controls" not in cell.source:
            found.append(i)
    return found


def caption(cell, waits):
    """The caption of a cell's figure as a cell of its own, if it has one; folded, if it would give something away."""
    text = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption")
    if text:
        text = " ".join(text.split())
        fold = f"<details><summary>What the figure shows</summary>\n\n{text}\n\n</details>"
        yield new_markdown_cell(fold if waits else f"> {text}", id=f"{cell.id}-caption")


def followed(text, path):
    """Links to sections as JupyterLab knows them: by the words of the heading, not in the usual short form."""

    def link(match):
        cells = nbformat.read(path.with_name(match[1] or path.name), as_version=4).cells
        headings = re.findall(
            "^#+ (.*)$", "\n".join(c.source for c in cells if c.cell_type == "markdown"), re.MULTILINE
        )
        (words,) = (h for h in headings if re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") == match[2])
        return f"]({match[1]}#{words.replace('`', '').replace(' ', '-')})"

    return re.sub(r"\]\(([\w.]*)#([\w-]+)\)", link, text)


def unanswered(path):
    """The notebook as a reader begins with it: see above."""
    notebook = nbformat.read(path, as_version=4)
    cells, waits = notebook.cells, waiting(notebook.cells)
    notebook.cells = []
    for i, cell in enumerate(cells):
        if i in waits:
            cell.outputs, cell.execution_count = [], None
        elif cell.cell_type == "markdown":
            cell.source = followed(cell.source, path)
        notebook.cells += [cell, *caption(cell, i in waits)]
    return nbformat.writes(notebook) + "\n"


def trust(path):
    """Tell Jupyter that these outputs are ours: of a notebook that it does not trust it shows no picture."""
    notary = NotebookNotary()
    with contextlib.closing(notary.store):
        notary.sign(nbformat.read(path, as_version=4))


def free_name(path):
    """This path, or the first with a number that is not taken."""
    paths = [path, *(path.with_stem(f"{path.stem}_{n}") for n in range(2, 1000))]
    return next(p for p in paths if not p.exists())


def copy(book, own, wanted=()):
    """Copy what is missing, and what is wanted, from folder `book` to `own`; yield what there is to say."""
    own.mkdir(exist_ok=True)
    record = own / VERSIONS
    versions = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    unknown = set(wanted) - {path.stem for path in book.glob("*.ipynb")}
    yield from (f"There is no notebook {name}." for name in sorted(unknown))
    for path in sorted(book.glob("*.ipynb")):
        target = own / path.name
        if target.exists() and path.stem in wanted:
            target = free_name(own / f"{path.stem}_new.ipynb")
        elif target.exists():
            if versions.get(path.name) != version(path):
                yield (
                    f"{path.name} has changed in the book; yours stays as it is.\n"
                    f"    To get the new one beside it: python tools/own_copy.py --new {path.stem}"
                )
            continue
        target.write_text(unanswered(path), encoding="utf-8")
        trust(target)
        versions[path.name] = version(path)
        record.write_text(json.dumps(versions, indent=0), encoding="utf-8")  # at once: the next copy may fail
        yield f"{path.name} copied to {own.name}/{target.name}"


def settle(prefix):
    """Give the JupyterLab of this environment the book's settings, unless it has some."""
    file = prefix / "etc/jupyter/labconfig/default_setting_overrides.json"
    if not file.exists() and os.access(prefix, os.W_OK):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(SETTINGS), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", nargs="+", default=[], metavar="NAME", help="notebooks, without .ipynb")
    parser.add_argument("--here", action="store_true", help="close the notebooks of the book themselves")
    arguments = parser.parse_args()
    if arguments.here or Path(sys.prefix) == ROOT / ".venv":  # an environment of the book's own, not the reader's
        settle(Path(sys.prefix))
    if arguments.here:
        for path in (ROOT / "notebooks").glob("*.ipynb"):
            path.write_text(unanswered(path), encoding="utf-8")
        return
    wanted = [name.removesuffix(".ipynb") for name in arguments.new]
    for line in copy(ROOT / "notebooks", ROOT / "my-notebooks", wanted):
        print(line)


if __name__ == "__main__":
    main()
