"""Sphinx extension: what a page loads becomes small. Nothing of it changes what one sees.

After the build, every page gets one style sheet, with the rules that some page uses, and one script, in which some
habits of the theme that keep a phone busy are better ones; its icons are drawn in the page, out of the theme's own font
of icons; what only the search needs is loaded by the search page alone; pictures, also those of players, are files that
come when they are about to be seen, with their size known before, and with colours for dark pages beside their own.
"""

import hashlib
import re
import zlib
from functools import cache, partial
from pathlib import Path
from posixpath import normpath, relpath
from urllib.parse import unquote

import tinycss2
from fontTools.misc.transform import Scale
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

from mlcore.teaching.dark import in_dark, keeps_its_ground

STYLES, SCRIPT = "_static/book-styles.css", "_static/book-script.js"
ICON = re.compile(r'<(i|span) class="([^"]*\bfa[srb]?(?:-solid|-brands)? [^"]*)"([^>]*)></\1>')
SHEET = re.compile(r'[ \t]*<link\b[^>]*href="([^"]*\.css)(?:\?[^"]*)?"[^>]*/>\n?')
LOCAL_SCRIPT = re.compile(r'[ \t]*<script\b(?![^>]*data-python)[^>]*\bsrc="([^"?]*)(?:\?[^"]*)?"[^>]*></script>\n?')
PRELOAD = re.compile(r'[ \t]*<link rel="preload" as="script"[^>]*/>\n?')
OF_SEARCH = re.compile(r"/(searchtools|language_data|searchindex)\.js$|^searchindex\.js$")
UNUSED = re.compile(r"/(togglebutton|design-tabs)\.js$")  # nothing of this book is made to toggle or into tabs
OF_CHAPTERS = re.compile(r"/(clipboard\.min|copybutton|players|steps)\.js$")  # of no use where one searches
IN_PAGE = re.compile(r"[ \t]*<script>(let toggle|var togglebutton|DOCUMENTATION_OPTIONS\.)[^<]*</script>\n?")
FRAME = re.compile(r"(<figure><img) src='data:image/svg\+xml,([^']*)'")
DRAWING = re.compile(r'<img\b(?![^>]*loading=)[^>]*? src="([^":]*_images/[^"]*\.svg)"')
FIRST_SCREEN = ["book-serif", "book-mono"]  # the faces that it needs, and "book-math" for a formula as early as this:
EARLY = re.compile(r"<article.{,2200}?<math", re.DOTALL)
PRELOAD_FONT = '<link rel="preload" as="font" type="font/woff2" crossorigin href="{}" />\n'
PRELOADED = re.compile(r'[ \t]*<link rel="preload" as="font"[^>]*/>\n?')
WORD = re.compile(r"[A-Za-z_][\w-]*")

# What the theme does that costs a phone half a second, and what it does here instead: {there: here}, each once.
SCROLLS = "e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
IN_SCRIPT = {  # measure first, then write, and nothing within a closed fold, which would have to be laid out for it
    'const e=()=>{document.querySelectorAll(["pre",': 'const e=()=>{Array.from(document.querySelectorAll(["pre",',
    f".forEach(e=>{{e.tabIndex={SCROLLS}}})}},t=_(e,300);": (
        f').filter(e=>!e.closest("details:not([open])")).map(e=>[e,{SCROLLS}]).forEach(([e,t])=>{{e.tabIndex=t}})}},'
        't=_(e,300);document.addEventListener("toggle",t,!0);'
    ),
    "\nrunWhenDOMLoaded(addCopyButtonToCodeCells);\n": (  # once the page can be read
        '\naddEventListener("load", () => setTimeout(addCopyButtonToCodeCells));\n'
    ),
}
OF_THEME = "dataset.theme = localStorage.getItem("  # at a first visit "auto", and then all is styled a second time
THEME = f'{OF_THEME}"theme") || "auto";'
KNOWN = f'{OF_THEME}"theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");'


# Icons


@cache
def icons(static):
    """The theme's fonts of icons, and {name: character}."""
    folder = static / "vendor/fontawesome"
    css = (static / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    names = {}
    for selectors, code in re.findall(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"\\([0-9a-f]+)"', css):
        names |= dict.fromkeys(re.findall(r"\.(fa-[\w-]+):", selectors), int(code, 16))
    return [TTFont(folder / f"webfonts/fa-{kind}.ttf") for kind in ("solid-900", "brands-400")], names


def drawn(static, match):
    """The icon as a drawing in the page."""
    _, kinds, others = match.groups()
    fonts, names = icons(static)
    name = next(kind for kind in kinds.split() if kind in names)
    font = next(font for font in fonts if names[name] in font.getBestCmap())
    glyphs, glyph = font.getGlyphSet(), font.getBestCmap()[names[name]]
    pen = SVGPathPen(glyphs, ntos=lambda number: f"{number:.0f}")
    glyphs[glyph].draw(TransformPen(pen, Scale(1, -1)))
    top, bottom = font["hhea"].ascent, font["hhea"].descent
    box = f"0 {-top} {glyphs[glyph].width} {top - bottom}"
    kinds = " ".join(
        ["icon", *(kind for kind in kinds.split() if kind not in ("fa-solid", "fas", "fa-brands", "fab", name))]
    )
    return f'<svg class="{kinds}"{others} viewBox="{box}" aria-hidden="true"><path d="{pen.getCommands()}"/></svg>'


# Styles


def used_words(pages, scripts):
    """Every word that may be a class, an id or the name of an element in a page, or be made one by a script."""
    words = {"html", "body"}
    for text in pages:
        for tag in re.findall(r"<[a-zA-Z][^>]*>", text):
            words.update(WORD.findall(tag))
        for script in re.findall(r"<script\b[^>]*>(.*?)</script>", text, re.DOTALL):
            words.update(WORD.findall(script))
    for text in scripts:
        words.update(WORD.findall(text))
    return words


def is_used(selector, words):
    """Whether all classes, ids and elements of a selector occur; what stands in brackets is not looked at."""
    plain = re.sub(r"\\(.)", r"\1", selector)
    while (shorter := re.sub(r"\([^()]*\)|\[[^\]]*\]", "", plain)) != plain:
        plain = shorter
    plain = re.sub(r"::?[\w-]+", "", plain)
    return all(name in words for name in re.findall(r"(?<![\w-])[A-Za-z_][\w-]*", plain))


def needed(rules, words, rebase):
    """The rules that some page uses, as text."""
    found = []
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            inner = needed(tinycss2.parse_rule_list(rule.content, True, True), words, rebase)
            if inner:
                found.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}{{{''.join(inner)}}}")
        elif rule.type == "at-rule":
            text = rebase(rule.serialize())
            found += [text] if rule.lower_at_keyword != "font-face" or "Awesome" not in text else []
        elif rule.type == "qualified-rule":
            selectors = [s.strip() for s in split(rule.prelude)]
            kept = [s for s in selectors if is_used(s, words)]
            if kept:
                found.append(f"{','.join(kept)}{{{rebase(tinycss2.serialize(rule.content).strip())}}}")
        else:
            raise ValueError(f"a style sheet is not understood: {rule.message}")
    return found


def split(prelude):
    """The selectors of a rule: what commas part, those within brackets aside."""
    parts = [[]]
    for token in prelude:
        if token == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return map(tinycss2.serialize, parts)


def sheet(path, root, words):
    """What is used of one style sheet, with the sheets that it imports and addresses as seen from `STYLES`."""

    def rebase(text):
        def moved(match):
            address = match[1].strip("\"'")
            if re.match(r"data:|#|%23|https?:", address):
                return match[0]
            place = normpath((path.parent / address.partition("?")[0]).as_posix())
            return f"url({relpath(place, (root / STYLES).parent.as_posix())})"

        return re.sub(r"url\(\s*(\"[^\"]*\"|'[^']*'|[^)]*?)\s*\)", moved, text)

    text, found = path.read_text(encoding="utf-8"), []
    for address in re.findall(r'@import "([^"]+)";', text):
        found += sheet((path.parent / address).resolve(), root, words)
    text = re.sub(r'@import "[^"]+";|@charset "[^"]+";', "", text)
    return found + needed(tinycss2.parse_stylesheet(text, True, True), words, rebase)


# Pages


def frame_to_file(root, page, match):
    """A player's frame in a file of its own."""
    drawing = unquote(match[2])
    file = root / "_images" / f"frame-{hashlib.sha256(drawing.encode()).hexdigest()[:16]}.svg"
    file.write_text(drawing, encoding="utf-8")
    return f'{match[1]} src="{relpath(file.as_posix(), page.parent.as_posix())}"'


def when_seen(page, match):
    """A drawing is loaded when the reader comes near it, and has its room before."""
    file = page.parent / match[1]
    drawing = file.read_text(encoding="utf-8")
    file.write_text(in_dark(drawing), encoding="utf-8", newline="\n")
    sizes = re.findall(r'\s(width|height)="([\d.]+)(pt)?"', re.search(r"<svg\b[^>]*>", drawing)[0])
    size = "".join(f' {name}="{round(float(n) * (4 / 3 if unit else 1))}"' for name, n, unit in sizes)
    return f'{match[0]}{size}{ground(drawing)} loading="lazy"'


def ground(drawing):
    """The class of a picture that is white on a dark page too."""
    return ' class="on-paper"' if keeps_its_ground(drawing) else ""


def slim_site(app, exception):
    if exception or app.builder.format != "html":
        return
    root = Path(app.outdir).resolve()
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(root.rglob("*.html"))}
    texts = {page: text for page, text in texts.items() if "<head>" in text and "_static/" not in page.as_posix()}
    texts = {page: ICON.sub(lambda match: drawn(root / "_static", match), text) for page, text in texts.items()}

    for page, text in texts.items():
        text = FRAME.sub(partial(frame_to_file, root, page), text)
        texts[page] = DRAWING.sub(partial(when_seen, page), text)

    def local(page, address):
        return Path(normpath((page.parent / address).as_posix()))

    sheets, scripts = {}, {}  # in the order of the pages, each once
    for page, text in texts.items():
        sheets |= {local(page, address): None for address in SHEET.findall(text)}
        found = [address for address in LOCAL_SCRIPT.findall(text) if not OF_SEARCH.search(address)]
        scripts |= {local(page, address): None for address in found if not UNUSED.search(address)}
    sheets.pop(root / STYLES, None)
    scripts.pop(root / SCRIPT, None)
    if not sheets:
        return  # no page was written in this build
    own = Path(app.srcdir) / "book/assets"  # first: where storage is forbidden, the theme's scripts stop at an error
    scripts = sorted(scripts, key=lambda path: not (own / path.relative_to(root / "_static")).is_file())
    code = [path.read_text(encoding="utf-8") for path in scripts]
    modules = [
        path.read_text(encoding="utf-8")
        for path in sorted(p for name in ("keep", "live") for p in (root / "_static" / name).glob("*js"))
    ]
    words = used_words(texts.values(), code + modules)
    sources = " ".join(path.relative_to(root).as_posix() for path in sheets)
    style = "\n".join(
        [f"/* What the pages use of: {sources} */", *(r for s in sheets for r in sheet(s, root, words)), ""]
    )
    script = ";\n".join(re.sub(r"//# sourceMappingURL.*", "", c) for c in code)
    for there, here in IN_SCRIPT.items():
        script = instead(script, there, here)
    (root / STYLES).write_text(style, encoding="utf-8")
    (root / SCRIPT).write_text(script, encoding="utf-8")
    style, script = (f"{name}?v={zlib.crc32(text.encode()):08x}" for name, text in ((STYLES, style), (SCRIPT, script)))
    for page, text in texts.items():
        up = relpath(root.as_posix(), page.parent.as_posix())
        faces = FIRST_SCREEN + (["book-math"] if EARLY.search(text) else [])
        ahead = "".join(PRELOAD_FONT.format(f"{up}/_static/fonts/{name}.woff2") for name in faces)
        text = PRELOADED.sub("", text)
        if "data-theme" in text:  # not the front door, which leads on at once
            text = instead(text, THEME, KNOWN)
        text = put_once(SHEET, f'{ahead}<link rel="stylesheet" href="{up}/{style}" />\n', text)
        if page.name != "search.html":
            text = IN_PAGE.sub("", PRELOAD.sub("", text))
            text = put_once(LOCAL_SCRIPT, f'<script defer src="{up}/{script}"></script>\n', text)
        else:  # whose scripts need each other in their order
            text = LOCAL_SCRIPT.sub(lambda m: "" if UNUSED.search(m[1]) or OF_CHAPTERS.search(m[1]) else m[0], text)
        page.write_text(text, encoding="utf-8", newline="\n")


def instead(text, there, here):
    """Put something in the place of what must stand there once."""
    if text.count(there) != 1:
        raise ValueError(f"the theme has changed: {there!r} stands there {text.count(there)} times, not once")
    return text.replace(there, here)


def put_once(pattern, replacement, text):
    """Put one thing in the place of the first of many."""
    text, count = pattern.subn("\0", text)
    return text.replace("\0", replacement, 1).replace("\0", "") if count else text


def setup(app):
    app.connect("build-finished", slim_site, priority=900)  # after all that changes pages
    return {"parallel_read_safe": True, "parallel_write_safe": True}
