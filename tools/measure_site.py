"""What each page of the built site weighs on a first visit, in kB as a server with gzip sends it, and in requests.

    make site && .venv/bin/python tools/measure_site.py

Counted in the page's own source: itself, its style sheets with their fonts, its scripts with what they import at once,
and its pictures. What comes only when the reader comes near it is in the last column: figures, of players the first
frame. The browser's test of requests says whether that is all.
"""

import gzip
import re
from functools import cache
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
FETCHED = re.compile(
    r'<(?:script|img|source)\b[^>]*?\bsrc="([^"]+)"|<link\b[^>]*?rel="(?:stylesheet|icon)"[^>]*?href="([^"]+)"'
)
LATER = re.compile(r'<img\b[^>]*? src="([^"]+)"[^>]*? loading="lazy"[^>]*>')
FRAMES = re.compile(r"<details><summary>The other frames.*?</details>", re.DOTALL)
IMPORTED = re.compile(r"^import\b[^\n]*?[\"'](\./[^\"']+)[\"']", re.MULTILINE)
FONT = re.compile(r"url\([\"']?([^\"')]+\.woff2?)")
PACKED = {".woff2", ".woff", ".png"}  # already compressed


@cache
def size(path):
    data = path.read_bytes()
    return len(data if path.suffix in PACKED else gzip.compress(data, 6))


def fetched(page):
    """The files that a browser fetches for a page."""
    text = LATER.sub("", page.read_text(encoding="utf-8"))
    addresses = [a or b for a, b in FETCHED.findall(text)]
    files = {page} | {(page.parent / a.partition("?")[0]).resolve() for a in addresses if not a.startswith("data:")}
    for path in list(files):
        if path.suffix == ".css":
            fonts = FONT.findall(path.read_text(encoding="utf-8"))
            files |= {(path.parent / a).resolve() for a in fonts if "math" not in a or "<math" in text}
        elif path.suffix in (".js", ".mjs"):
            files |= {(path.parent / a).resolve() for a in IMPORTED.findall(path.read_text(encoding="utf-8"))}
    return files


def later(page):
    """What the figures weigh that are loaded while one reads."""
    text = FRAMES.sub("", page.read_text(encoding="utf-8"))
    return sum(size((page.parent / address).resolve()) for address in set(LATER.findall(text)))


def kind(path):
    kinds = {".html": "page", ".css": "styles", ".js": "scripts", ".mjs": "scripts", ".woff2": "fonts"}
    return kinds.get(path.suffix, "pictures")


def weights(page):
    """{kind: bytes}"""
    found = dict.fromkeys(["page", "styles", "scripts", "fonts", "pictures"], 0)
    for path in fetched(page):
        found[kind(path)] += size(path)
    return found


def main():
    print(f"{'page':<46} requests    kB   page styles scripts fonts pictures later")
    for page in sorted(SITE.rglob("*.html")):
        if "_static" not in page.parts:
            w = weights(page)
            parts = "".join(f"{n / 1000:7.0f}" for n in [*w.values(), later(page)])
            print(
                f"{page.relative_to(SITE).as_posix():<46} {len(fetched(page)):8} {sum(w.values()) / 1000:5.0f} {parts}"
            )


if __name__ == "__main__":
    main()
