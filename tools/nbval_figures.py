"""A plugin for nbval: what figures show is compared like text, with a tolerance (see figure_data.py).

    python -m pytest --nbval -p tools.nbval_figures ...

Where this run has the Matplotlib by which the stored pictures were drawn, the pictures are compared too: so the stored
one is proved to show these data. (On Linux only, as in the gate: elsewhere letters have other outlines.)
"""

import re
import sys
from itertools import zip_longest

from nbval.plugin import IPyNbCell, IPyNbFile

from tools.figure_data import KEY, WATCH, differences, drawings, drawn_alike, file_away

# A curve that rounding errors change beyond recognition: on another processor it is another one. Its points and its
# picture are not compared.
CHAOTIC = {"faults-switch": "line 'NoMean'"}

set_up, compare = IPyNbFile.setup, IPyNbCell.compare_outputs


def watched(file):
    """Start the kernel, and let it tell what figures show."""
    set_up(file)
    message = file.kernel.execute_cell_input(WATCH, allow_stdin=False)
    file.kernel.await_reply(message, timeout=60)
    file.kernel.await_idle(message, timeout=60)


def compared(cell, test, ref, skip_compare=None):
    """Compare the figures, then all else."""
    for output in test:
        file_away(output)
    place = f"{cell.parent.path.name}, cell {cell.cell.get('id')}: the figure differs"
    chaotic = CHAOTIC.get(cell.cell.get("id"))
    faults = [f"{place}: {fault}" for fault in figure_faults(figures(ref), figures(test), chaotic)]
    if faults:
        cell.comparison_traceback = faults
        return False
    return compare(cell, test, ref, skip_compare)


def figures(outputs):
    """What an output says about its figures, and its pictures."""
    shown = [("\n".join(o.get("metadata", {}).get(KEY, [])), drawings(o.get("data", {}))) for o in outputs]
    return [(text, pictures) for text, pictures in shown if text or pictures]


def figure_faults(stored, new, chaotic=None):
    for n, (old, fresh) in enumerate(zip_longest(stored, new, fillvalue=("", [])), 1):
        name = f"figure {n}: " if max(len(stored), len(new)) > 1 else ""
        said = [name + difference for difference in differences(old[0], fresh[0], chaotic)]
        if bool(old[0]) != bool(fresh[0]):
            said = [f"{name}{'what it shows is not stored' if fresh[0] else 'nothing is drawn any more'}"]
        elif not said and not chaotic and sys.platform == "linux" and version(old[0]) == version(fresh[0]):
            pairs = enumerate(zip_longest(old[1], fresh[1], fillvalue=""), 1)
            wrong = [k for k, pair in pairs if not drawn_alike(*pair)]
            said = [f"{name}picture {k} that is stored is not drawn from these data" for k in wrong]
        yield from said


def version(text):
    return re.match(r"drawn by Matplotlib \S+|", text)[0]


IPyNbFile.setup, IPyNbCell.compare_outputs = watched, compared
