"""Measure how long a reader waits for Python in the page, and how much comes over the wire.

Prints the time from the click to the first printed result and to the first plot, on loopback, with an empty cache and
with a full one, and the parts of it that the worker has marked; and the sizes, as a server sends them. From the
project's root, after `make site`:

    PYODIDE_DIR=... .venv/bin/python tools/measure_live.py
"""

import os
import sys
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import test_live as live  # noqa: E402
from helpers import chromium  # noqa: E402
from test_pyodide import sizes  # noqa: E402

PLACES = {"first print": (live.PRACTICE, "true-or-false-answer"), "first plot": (live.CHAPTER, "staircase")}

PRESS = """button => new Promise((done) => {
  const now = () => performance.timeOrigin + performance.now(), start = now();
  new MutationObserver(() => button.textContent === "Run" && done([start, now()]))
    .observe(button, {childList: true});
  button.click();
})"""
MARKS = "performance.getEntriesByType('mark').map((mark) => [mark.name, performance.timeOrigin + mark.startTime])"


def seconds(reader, name):
    """{part: seconds} from the click until the cell has run, with all that it needs, by their clocks."""
    start, end = reader.button(name, "Run").evaluate(PRESS)
    marks = [(mark, time) for mark, time in reader.tab.workers[0].evaluate(MARKS) if start < time < end]
    marks = [("click", start), *marks, ("the cells", end)]
    parts = {mark: (time - before) / 1000 for (_, before), (mark, time) in pairwise(marks)}
    return {"in all": (end - start) / 1000, **parts}


def waits(browser, address):
    """{what: {part: seconds}} for each kind of cell with an empty cache, from a new page, and again there."""
    found = {}
    for what, (page, cell) in PLACES.items():
        cold = live.Reader(browser, address + page)
        found[what, "cold"] = seconds(cold, cell)
        cold.tab.close()
        warm = live.Reader(browser, address + page, cold.context)
        found[what, "warm"] = seconds(warm, cell)
        found[what, "again"] = seconds(warm, cell)
        cold.context.close()
    return found


def main():
    folder = Path(os.environ["PYODIDE_DIR"])
    with ExitStack() as stack, chromium() as browser:
        python = stack.enter_context(live.serve(folder))
        site = stack.enter_context(live.serve(live.SITE, python.address))
        found = waits(browser, site.address)
    for (what, when), parts in found.items():
        print(f"{what}, {when}: " + ", ".join(f"{part} {wait:.2f} s" for part, wait in parts.items()))
    parts = sizes(folder, live.SITE / "_static" / "live")
    for name, size in sorted(parts.items(), key=lambda part: -part[1]):
        print(f"{size / 1e6:8.2f} MB  {name}")
    print(f"{sum(parts.values()) / 1e6:8.2f} MB  together")


if __name__ == "__main__":
    main()
