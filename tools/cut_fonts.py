"""Cut the fonts of the site to the characters that its pages use, and write them into book/assets/fonts.

    make site && .venv/bin/python tools/cut_fonts.py FILE...

Each file is one of `SOURCES`, by its name: Latin Modern Math (GUST Font License; gust.org.pl)
and, in the packages @fontsource-variable/source-serif-4 and source-code-pro of npm, Source Serif and Source Code Pro
(SIL Open Font License). What is cut must not keep its name. A test says when a
page uses a character that is missing.
"""

import html
import re
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "book/assets/fonts"
SOURCES = {  # file: (name of the cut font, its features, its weights)
    "latinmodern-math.otf": ("Book Math", ["ssty", "dtls"], None),
    "source-serif-4-latin-wght-normal.woff2": ("Book Serif", ["kern", "liga"], (400, 700)),
    "source-serif-4-latin-wght-italic.woff2": ("Book Serif Italic", ["kern", "liga"], 400),
    "source-code-pro-latin-wght-normal.woff2": ("Book Mono", [], 400),
}
ALWAYS = set(map(chr, range(0x20, 0x7F))) | set("αβγδεϵζηθϑκλμνξπρστφϕχψωΓΔΘΛΣΦΨΩ−×·±≤≥≠≈∞∂∇∑∏∫√→←⇒∈…′‖⟨⟩")


LATIN = set(map(chr, [*range(0x20, 0x7F), *range(0xA1, 0x100)])) | set("ıŒœ–—‘’“”…•−€")  # English, and names
INVISIBLE = set("\n\u2061\u2062\u2063\u200b")


def characters(formula):
    """All characters that a browser draws for a formula in MathML."""
    plain = html.unescape(re.sub(r"<[^>]*>", "", formula))
    return (set(plain) | {italic(letter) for letter in re.findall(r"<mi>(.)</mi>", formula)}) - INVISIBLE


def used(folder):
    """All characters in formulas of the pages in a folder."""
    pages = [page.read_text(encoding="utf-8") for page in folder.rglob("*.html")]
    formulas = {formula for page in pages for formula in re.findall(r"<math\b.*?</math>", page, re.DOTALL)}
    return set().union(*map(characters, formulas))


def italic(letter):
    """The character that a browser draws for a name of one letter."""
    if letter == "h":
        return "ℎ"
    for first, last, start in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("Α", "Ω", 0x1D6E2), ("α", "ω", 0x1D6FC)):
        if first <= letter <= last:
            return chr(start + ord(letter) - ord(first))
    return {"∂": "𝜕", "ϵ": "𝜖", "ϑ": "𝜗", "ϕ": "𝜙"}.get(letter, letter)


def cut(source, name, features, weights, wanted):
    """Write one font; the characters that its source does not have are returned."""
    font = TTFont(source)
    if weights:
        font = instancer.instantiateVariableFont(font, {"wght": weights})
    options = subset.Options(flavor="woff2", layout_features=features, notdef_outline=True, hinting=False)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(wanted))
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16, 25):
            record.string = name.replace(" ", "") if record.nameID in (6, 25) else name
    font.flavor = "woff2"
    font.save(path(name))
    return wanted - set(map(chr, font.getBestCmap()))


def path(name):
    return FONTS / f"{name.lower().replace(' ', '-')}.woff2"


def main():
    of_formulas = used(ROOT / "_build/html") | ALWAYS | set(map(italic, ALWAYS))
    for source in map(Path, sys.argv[1:]):
        name, features, weights = SOURCES[source.name]
        missing = cut(source, name, features, weights, of_formulas if name == "Book Math" else LATIN)
        print(f"{name}: {path(name).stat().st_size / 1000:.0f} kB; not in this font: {sorted(missing)}")


if __name__ == "__main__":
    main()
