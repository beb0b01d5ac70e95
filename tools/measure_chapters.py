"""Measure how long each chapter is: words of its main line, lines of code that stand open, figures, and screens.

    .venv/bin/python tools/measure_chapters.py             # from the notebooks
    .venv/bin/python tools/measure_chapters.py --screens   # also from the built site, in Chromium (after `make site`)

A screen is 1000 px high and 1300 px wide, with every fold closed.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPENING = "1_3_overview"  # the one chapter without exercises
# A picture that waits for its reader has no height yet.
LOAD_PICTURES = """() => Promise.all([...document.querySelectorAll("article img")].map((image) => {
  image.loading = "eager";
  return image.decode().catch(() => {});
}))"""


def chapters():
    """{number: notebook} of all chapters, the opening one included, without the practice."""
    paths = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    paths = [path for name, path in paths.items() if f"{name}_practice" in paths or name == OPENING]
    return {path: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def main_line(notebook):
    """The text of a chapter without what is folded."""
    text = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")
    return re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)


def is_folded(cell):
    """Whether the code of a cell is hidden until the reader asks for it."""
    return "hide-input" in cell["metadata"].get("tags", [])


def code_lines(cell):
    return sum(bool(line.strip()) for line in "".join(cell["source"]).splitlines())


def measures(notebook):
    """{what: how many} for one chapter."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    still_open = [code_lines(cell) for cell in code if not is_folded(cell)]
    return {
        "words": len(main_line(notebook).split()),
        "code": sum(map(code_lines, code)),
        "open": sum(still_open),
        "longest": max(still_open),
        "figures": sum("figure" in cell["metadata"].get("mystnb", {}) for cell in code),
    }


def screens(page):
    """How many screens of 1000 px the page in a browser is long."""
    page.evaluate(LOAD_PICTURES)
    return page.evaluate("document.querySelector('article').scrollHeight") / 1000


def screens_of_chapters(browser, site=ROOT / "_build/html"):
    """{path: screens} of the built pages."""
    page, found = browser.new_page(viewport={"width": 1300, "height": 1000}), {}
    for path in chapters():
        page.goto((site / "notebooks" / f"{path.stem}.html").as_uri())
        found[path] = screens(page)
    page.close()
    return found


def built():
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers import chromium

    with chromium() as browser:
        return screens_of_chapters(browser)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", action="store_true", help="measure the built pages too")
    heights = built() if parser.parse_args().screens else {}
    print(f"{'chapter':<28}  words   code   open  longest  figures" + "  screens" * bool(heights))
    for path, notebook in chapters().items():
        m = measures(notebook)
        line = f"{path.stem:<28} {m['words']:6} {m['code']:6} {m['open']:6} {m['longest']:8} {m['figures']:8}"
        print(line + (f"{heights[path]:9.1f}" if heights else ""))


if __name__ == "__main__":
    main()
