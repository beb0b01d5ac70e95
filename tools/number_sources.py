"""Tie every number in the text of a chapter to the cell that computes it.

    .venv/bin/python tools/number_sources.py           # what is new or has changed, with the cell in which it was found
    .venv/bin/python tools/number_sources.py --write   # and store it in tests/numbers.json

tests/numbers.json says, for each cell of text, each caption and each alternative text, where its numbers come from: the
id of a cell whose code or output has the number, or a reason why it is no result. A number for which no cell is found
has to be given a reason there by hand. The test compares all of it with the notebooks as they are.
"""

import argparse
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "tests" / "numbers.json"
NUMBER = re.compile(r"(?<![\w.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
SECTION = re.compile(r"\b1\.[345](?:\.\d)*\b")
YEAR = re.compile(r"(?<![\d.,])(?:1[89]\d\d|20[0-2]\d)(?![\d.,])")
SMALL = "a small whole number"
SCALES = (1, -1, 100, 1000, 1e-3, 1e-6, 1e-9)  # per cent, thousands, MB, GB


def value(text):
    return float(text.replace(",", "").replace("−", "-"))


def prose(text):
    """Text without addresses, code, names of sections and years of publications."""
    text = re.sub(r"\]\([^)]*\)|<https?:[^>]*>|https?:\S+", "]", text)
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return YEAR.sub("", SECTION.sub("", text))


def numbers(text):
    """The numbers of a text, as they are written, each once."""
    return list(dict.fromkeys(NUMBER.findall(text)))


def computed(cell):
    """All that the code of a cell contains and all that it puts out, as numbers."""
    texts = ["".join(cell["source"])]
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += ["".join(output.get("text", "")), "".join(data.get("text/plain", ""))]
        texts.append(re.sub(r"(src|href)=(['\"])data:.*?\2", "", "".join(data.get("text/html", ""))))
    found = {value(n.rstrip(",")) for text in texts for n in NUMBER.findall(text.replace("_", ""))}
    found |= {value(f"{a}e{b}") for text in texts for a, b in re.findall(r"(\d+(?:\.\d+)?)\s*\*\s*10\*\*(-?\d+)", text)}
    return found


def stands_in(text, cell):
    """Whether a number of the text is one of the cell, rounded as it is written, or in other units."""
    wanted, digits = value(text), len(text.partition(".")[2].partition("e")[0])
    unit = 10.0**-digits if "e" not in text.lower() else abs(wanted) / 10
    for x in computed(cell):
        for scale in SCALES:
            if abs(x * scale - wanted) <= 1e-9 * abs(wanted) or (
                digits and abs(x * scale - wanted) <= unit * 0.5000001
            ):
                return True
    return False


def texts(notebook):
    """{id: text} of all that a reader reads: text cells, and captions with alternative texts of code cells."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield cell["id"], prose("".join(cell["source"]))
            continue
        shown = cell["metadata"].get("mystnb", {})
        text = " ".join([shown.get("image", {}).get("alt", ""), shown.get("figure", {}).get("caption", "")])
        if text.strip():
            yield cell["id"], prose(text)


def found(notebook, id, text):
    """The nearest cell that has the number, or SMALL, or None."""
    cells = notebook["cells"]
    place = next(i for i, cell in enumerate(cells) if cell["id"] == id)
    code = [i for i, cell in enumerate(cells) if cell["cell_type"] == "code"]
    for i in sorted(code, key=lambda i: (abs(i - place), i)):
        if stands_in(text, cells[i]):
            return cells[i]["id"]
    return SMALL if re.fullmatch(r"[-−]?\d|10|100", text) else None


def chapters():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if not path.stem.endswith("_practice") or path.stem == "1_5_in_practice":
            yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def faults(name, notebook, stored):
    """What the text of a chapter says and its cells do not: one line for each."""
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    said = []
    for id, text in texts(notebook):
        known = stored.get(id, {})
        for number in numbers(text):
            source = known.get(number)
            if source is None:
                said.append(f"{name}, cell {id}: where does {number} come from?")
            elif source in cells and not stands_in(number, cells[source]):
                said.append(f"{name}, cell {id}: {number} is not what cell {source} computes")
            elif source not in cells and " " not in source:
                said.append(f"{name}, cell {id}: {number} comes from cell {source}, which does not exist")
        said += [f"{name}, cell {id}: {number} is gone" for number in known if number not in numbers(text)]
    return said


def renewed(notebook, stored):
    """What is stored of a chapter, with what can be found for new numbers and without what is gone."""
    cells, new = {cell["id"]: cell for cell in notebook["cells"]}, {}
    for id, text in texts(notebook):
        known = stored.get(id, {})
        for number in numbers(text):
            source = known.get(number)
            if source is None or (source in cells and not stands_in(number, cells[source])):
                source = found(notebook, id, number)
            if source is not None:
                new.setdefault(id, {})[number] = source
    return new


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store what was found")
    write = parser.parse_args().write
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    new = {name: renewed(notebook, stored.get(name, {})) for name, notebook in chapters()}
    for name, notebook in chapters():
        for id, known in new[name].items():
            before = stored.get(name, {}).get(id, {})
            for number, source in known.items():
                if before.get(number) != source:
                    print(f"{name}, cell {id}: {number} from {source}")
        print(*faults(name, notebook, new[name]), sep="\n")
    if write:
        STORED.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
