"""Cut the font of formulas to the characters that the built pages use, and write it into book/assets/fonts.

    make site && .venv/bin/python tools/cut_fonts.py latinmodern-math.otf

The font is Latin Modern Math (GUST Font License; www.gust.org.pl/projects/e-foundry/lm-math). What is cut must not keep
its name. A test says when a page uses a character that is missing.
"""

import html
import re
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
CUT, NAME = ROOT / "book/assets/fonts/book-math.woff2", "Book Math"
ALWAYS = set(map(chr, range(0x20, 0x7F))) | set("αβγδεϵζηθϑκλμνξπρστφϕχψωΓΔΘΛΣΦΨΩ−×·±≤≥≠≈∞∂∇∑∏∫√→←⇒∈…′‖⟨⟩")


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


def cut(source, target, wanted):
    font = TTFont(source)
    options = subset.Options(flavor="woff2", layout_features=["ssty", "dtls"], notdef_outline=True, hinting=False)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(wanted))
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            record.string = NAME.replace(" ", "") if record.nameID == 6 else NAME
    font.flavor = "woff2"
    font.save(target)
    return wanted - set(map(chr, font.getBestCmap()))


def main():
    missing = cut(sys.argv[1], CUT, used(ROOT / "_build/html") | ALWAYS | set(map(italic, ALWAYS)))
    print(f"{CUT.name}: {CUT.stat().st_size / 1000:.0f} kB; not in this font: {sorted(missing)}")


if __name__ == "__main__":
    main()
