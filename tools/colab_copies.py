"""Write the copies of the notebooks that Colab opens.

    python tools/colab_copies.py FOLDER      for the repository and branch that `book/ext/book_ways.py` finds

Colab takes a notebook from a repository, and alone: nothing that lies beside it. So a copy installs the book's package
in a cell of its own, below the title; the chapters need no such cell. The workflow puts the copies on a branch of
their own, and the buttons of the pages lead there.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "book" / "ext"))
from book_ways import repository
from own_copy import unanswered

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
INSTALL = """# Colab does not know the book's package yet: this installs it. Run it first.
%pip install --quiet git+{}@{}"""


def copy(path, found):
    """The text of a copy: nothing given away that is to be predicted, and the package installed from `found`."""
    notebook = nbformat.reads(unanswered(path), as_version=4)
    notebook.cells.insert(1, new_code_cell(INSTALL.format(*found), id="install"))
    return nbformat.writes(notebook) + "\n"


def write(folder, found):
    (folder / "notebooks").mkdir(parents=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        (folder / "notebooks" / path.name).write_text(copy(path, found), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), repository(os.environ) or sys.exit("The address of the repository is not known."))
