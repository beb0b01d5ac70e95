"""Copy the notebooks into a folder of the reader's own, which no update of the book touches.

    python tools/own_copy.py                         what is not there yet
    python tools/own_copy.py --new 1_3_2_gradient    also the book's present version of this one, beside one's own
    python tools/own_copy.py --here                  none: close the book's own (what Binder does with its copy)

A notebook that is there is never written to. If the book's has changed since it was copied, the command says so.
In a copy the cells that ask for a prediction have no output yet, since it would give the answer away.
"""

import argparse
import contextlib
import hashlib
import json
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ".versions.json"  # in the reader's folder: which version of each notebook was copied


def version(path):
    """What stands in the cells; outputs do not count."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return hashlib.sha256(repr([(c["cell_type"], "".join(c["source"])) for c in cells]).encode()).hexdigest()


def unanswered(path):
    """The notebook without what its cells put out that ask for a prediction."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "prediction" in cell.metadata:
            cell.outputs, cell.execution_count = [], None
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", nargs="+", default=[], metavar="NAME", help="notebooks, without .ipynb")
    parser.add_argument("--here", action="store_true", help="close the notebooks of the book themselves")
    arguments = parser.parse_args()
    if arguments.here:
        for path in (ROOT / "notebooks").glob("*.ipynb"):
            path.write_text(unanswered(path), encoding="utf-8")
        return
    wanted = [name.removesuffix(".ipynb") for name in arguments.new]
    for line in copy(ROOT / "notebooks", ROOT / "my-notebooks", wanted):
        print(line)


if __name__ == "__main__":
    main()
