"""Run notebooks and store their outputs, so that two runs on one machine give the same bytes.

    python tools/execute_notebooks.py notebooks/*.ipynb           store the outputs in place
    python tools/execute_notebooks.py --check notebooks/*.ipynb   only say which notebooks would change

A notebook in which a cell fails is left as it was, unless the cell carries the tag `raises-exception`.
"""

import argparse
import functools
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from figure_data import WATCH, file_away
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
AT_ONCE = 2  # notebooks that run at the same time
SECONDS_A_CELL = 300


def execute(notebook, folder):
    """Run every cell of `notebook` in a new kernel that works in `folder`."""
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name=KERNELSPEC["name"],
        record_timing=False,
        store_widget_state=True,
        extra_arguments=["--log-level=ERROR"],  # the kernel's own warnings are not for the author
        resources={"metadata": {"path": str(folder)}},
    )
    client.on_notebook_start = lambda **_: client.kc.execute(WATCH, silent=True)
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as predictions:
        client.on_cell_executed = functools.partial(note_prediction, predictions)
        client.execute(env=os.environ | {"BOOK_PREDICTIONS": predictions.name})


def note_prediction(predictions, cell, **_):
    """Store with a cell what it asked the reader to predict: the page compares without running anything."""
    cell.metadata.pop("prediction", None)
    for line in predictions.readlines():
        cell.metadata["prediction"] = json.loads(line)


def normalise(notebook):
    """Drop what differs from run to run: timings, the exact Python, the random names of widgets."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        merge_streams(cell)
        for output in cell.get("outputs", []):
            file_away(output)
    drop_unused_widgets(notebook)
    notebook.metadata["kernelspec"] = KERNELSPEC
    notebook.metadata["language_info"] = {"name": "python"}


def merge_streams(cell):
    """Join neighbouring pieces of one stream: where a stream is cut depends on timing."""
    merged = []
    for output in cell.get("outputs", []):
        last = merged[-1] if merged else {}
        if output.output_type == last.get("output_type") == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    if "outputs" in cell:
        cell.outputs = merged


def drop_unused_widgets(notebook):
    """A run that makes no widget stores no widget state, not even an old one."""
    widgets = notebook.metadata.get("widgets", {})
    if not any(state.get("state") for state in widgets.values()):
        notebook.metadata.pop("widgets", None)


def to_text(notebook):
    """The file's text, with widgets numbered in the order in which they were made."""
    widgets = notebook.metadata.get("widgets", {})
    names = [name for widget in widgets.values() for name in widget.get("state", {})]
    text = nbformat.writes(notebook)
    for number, name in enumerate(names):
        text = text.replace(name, f"{number:032x}")
    text = nbformat.writes(nbformat.reads(text, as_version=4))  # writing sorts by name: once more, by the new ones
    return text.rstrip("\n") + "\n"


def run(path):
    """The text that `path` has after a run."""
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, path.parent)
    normalise(notebook)
    nbformat.validate(notebook)
    return to_text(notebook)


def write_whole(path, text):
    """Replace `path` in one step: an interrupted run leaves the old file, never half of a new one."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.stem}-", delete=False
    ) as new:
        new.write(text)
    os.chmod(new.name, path.stat().st_mode)
    os.replace(new.name, path)


def store_or_compare(path, check):
    """Return what happened to `path` and whether that is fine."""
    try:
        text = run(path)
    except CellExecutionError as error:
        return f"FAILED     {path}\n{error}", False
    if text == path.read_text(encoding="utf-8"):
        return f"unchanged  {path}", True
    if check:
        return f"DIFFERS    {path}", False
    write_whole(path, text)
    return f"stored     {path}", True


def main():
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # notebooks run side by side: more threads would wait in turn
    os.environ.pop("MPLBACKEND", None)  # a backend chosen for scripts would keep the notebooks from storing figures
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a notebook would change")
    arguments = parser.parse_args()
    all_fine = True
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for message, fine in pool.map(lambda path: store_or_compare(path, arguments.check), arguments.notebooks):
            print(message, flush=True)
            all_fine &= fine
    sys.exit(0 if all_fine else 1)


if __name__ == "__main__":
    main()
