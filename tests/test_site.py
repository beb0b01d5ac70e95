"""Checks of the built site: run `make site` first. Each check is itself tested on a small page that it must refuse."""

import os
import re
import sys
from fnmatch import fnmatch
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from fontTools.ttLib import TTFont

import mlcore
from mlcore.teaching.practice import LEVELS

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "book" / "ext"), str(ROOT / "tools")]
from book_math import mathml  # noqa: E402
from book_opening import what_it_takes  # noqa: E402
from book_ways import repository  # noqa: E402
from cut_fonts import characters  # noqa: E402
from measure_site import fetched, weights  # noqa: E402

HTML = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html"))
PYTHON = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]["live_python"]

# Attributes by which a page makes the browser fetch something. An <a href> only does when the reader follows it.
FETCHED = {"src", "srcset", "data", "poster", "href", "xlink:href", "action"}
NOT_PROSE = {"script", "style", "pre", "code", "noscript"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
CSS_ADDRESS = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])([^"')\s]+)""")
FILE_NAME = re.compile(r"\.(svg|png|jpe?g|gif|webp|ipynb)$", re.IGNORECASE)
NOISE = [
    re.compile(r"```|^:{3,}", re.MULTILINE),  # a fence that was not understood
    re.compile(r"\{[a-z][a-z:-]*\}[`\s]"),  # a role or directive
    re.compile(r"\$[^$]+\$"),  # mathematics between dollars
    re.compile(r"\]\([^)\s]+\)"),  # a Markdown link
    re.compile(r"\*\*\w"),  # bold
]


class Page(HTMLParser):
    """What the checks need to know of one page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.ids, self.styles, self.open = [], set(), [], []
        self.prose, self.title, self.headings = "", "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        self.tags.append((tag, attributes))
        self.ids |= {attributes[name] for name in ("id", "name") if name in attributes and tag != "meta"}
        self.styles.append(attributes.get("style", ""))
        if tag == "h1":
            self.headings.append("")
        if tag not in VOID:
            self.open.append((tag, attributes.get("class", "").split()))

    def handle_endtag(self, tag):
        while tag in [name for name, _ in self.open] and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        inside = {name for name, _ in self.open}
        classes = {c for _, names in self.open for c in names}
        if "style" in inside:
            self.styles.append(data)
        if "title" in inside and "svg" not in inside:
            self.title += data
        if "h1" in inside and "headerlink" not in classes:
            self.headings[-1] += data
        if not inside & NOT_PROSE and "math" not in classes:
            self.prose += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def is_foreign(address):
    """Whether an address leads to another origin."""
    parts = urlsplit(address.strip())
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def foreign_in_css(text):
    return [address for address in CSS_ADDRESS.findall(text) if is_foreign(address)]


def foreign_in_page(page):
    """What the browser would fetch from elsewhere."""
    found = []
    for tag, attributes in page.tags:
        for name in FETCHED & attributes.keys():
            if tag in ("a", "area") or attributes.get("rel") == "canonical":
                continue
            addresses = attributes[name].split(",") if name == "srcset" else [attributes[name]]
            found += [f"<{tag} {name}={a.strip()}>" for a in addresses if is_foreign(a)]
        if attributes.get("http-equiv", "").lower() == "refresh":
            found += [a for a in re.findall(r"url=(\S+)", attributes.get("content", ""), re.I) if is_foreign(a)]
    return found + [a for style in page.styles for a in foreign_in_css(style)]


def policy_faults(page, allowed=""):
    """What a page's Content-Security-Policy lets through, other than what comes from this site and `allowed`."""
    places = [i for i, (tag, a) in enumerate(page.tags) if a.get("http-equiv", "") == "Content-Security-Policy"]
    if len(places) != 1 or "script" in [tag for tag, _ in page.tags[: places[0]]]:
        return [f"policies before all scripts: {len(places)}"]
    policy = page.tags[places[0]][1]["content"]
    rules = {name: sources for name, *sources in (rule.split() for rule in policy.split(";"))}
    own = {"'self'", "'none'", "'unsafe-inline'", "'wasm-unsafe-eval'", "data:", "blob:"}
    faults = [f"{name} {s}" for name, sources in rules.items() for s in sources if s not in own | {allowed}]
    return faults + [name for name in ("default-src", "object-src", "base-uri", "form-action") if name not in rules]


def has_cells(page):
    return any(div.get("class", "").startswith("cell ") for div in page.all("div"))


def bad_alts(page):
    """Pictures without words for those who cannot see them."""
    alts = [(image.get("src"), image.get("alt", "").strip()) for image in page.all("img")]
    return [f"{src}: alt={alt!r}" for src, alt in alts if not alt or FILE_NAME.search(alt)]


def bad_head(page, language="en"):
    """What a page does not say about itself."""
    descriptions = [m.get("content", "").strip() for m in page.all("meta") if m.get("name") == "description"]
    faults = []
    if not page.title.strip():
        faults.append("no title")
    if len(descriptions) != 1 or len(descriptions[0]) < 20:
        faults.append(f"descriptions: {descriptions}")
    if [h.get("lang") for h in page.all("html")] != [language]:
        faults.append("no language")
    return faults


def noise(page):
    """Markup that reached the reader."""
    return [match.group() for pattern in NOISE for match in pattern.finditer(page.prose)]


def broken_links(place, page, pages, root):
    """Links and sources that lead to no file, or to no place in it."""
    found = []
    for tag, attributes in page.tags:
        for name in {"href", "src"} & attributes.keys():
            address = attributes[name]
            if is_foreign(address) or address.startswith("data:") or (tag == "use" and address.startswith("#")):
                continue
            parts = urlsplit(address)
            target = (place.parent / unquote(parts.path)).resolve() if parts.path else place
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                found.append(f"{address}: no such file below {root.name}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                found.append(f"{address}: no such place in the page")
    return found


def formula_faults(text, drawn):
    """Formulas that a browser would show raw, or with a letter of another font."""
    found = ["a raw formula"] if re.search(r'class="math notranslate|\\\(|\\begin\{', text) else []
    for formula in re.findall(r"<math\b.*?</math>", text, re.DOTALL):
        found += ["a formula that is not understood"] if "<merror" in formula else []
        found += [f"no {c!r} in the font of formulas" for c in sorted(characters(formula) - drawn)]
    return found


def invalid_html(text):
    """What a validator or axe would say of a page, of the faults that this book's pages have had."""
    page, found = Page(text), []
    found += [] if text.lstrip().lower().startswith("<!doctype html>") else ["no doctype"]
    viewports = [m for m in page.all("meta") if m.get("name") == "viewport"]
    found += [] if len(viewports) == 1 else [f"viewports: {len(viewports)}"]
    addresses = [tag.get("src", "") for tag in page.all("img")]
    found += [f"spaces in an address: {a[:40]}" for a in addresses if re.search(r"[\s\"<>]", a)]
    summaries = re.findall(r"<summary\b[^>]*>.*?</summary>", text, re.DOTALL)
    found += ["a paragraph in a summary" for summary in summaries if re.search(r"<(p|div)\b", summary)]
    nameless = [s for s in summaries if "aria-label=" not in s and not re.sub(r"<[^>]*>", "", s).strip()]
    found += ["a summary without a name"] * len(nameless)
    return found + ["an empty heading of a table"] * len(re.findall(r"<th[^>]*>\s*(?:<p>\s*</p>)?\s*</th>", text))


# The checks refuse what they should.


def test_invalid_html_is_found():
    head = '<!DOCTYPE html><meta name="viewport" content="width=device-width">'
    assert invalid_html(head + "<details><summary>Answer</summary></details><table><th>x</th></table>") == []
    assert invalid_html(head[15:]) == ["no doctype"]
    assert invalid_html(head + head[15:]) == ["viewports: 2"]
    assert invalid_html(head + "<img src='data:image/svg+xml,%3Csvg width=1'>") != []
    assert invalid_html(head + "<summary><p>Show</p></summary>") == ["a paragraph in a summary"]
    assert invalid_html(head + "<summary><span><svg></svg></span></summary>") == ["a summary without a name"]
    assert invalid_html(head + "<th></th><th><p> </p></th>") == ["an empty heading of a table"] * 2


def test_foreign_addresses_are_found():
    bad = Page(
        '<link href="https://fonts.example/a.css"><script src="//cdn.example/a.js"></script>'
        '<img srcset="a.png 1x, http://x.example/b.png 2x"><iframe src="https://x.example"></iframe>'
        '<p style="background: url(https://x.example/c.png)"></p><style>@import "https://x.example/d.css";</style>'
        '<meta http-equiv="refresh" content="0; url=https://x.example/">'
    )
    assert len(foreign_in_page(bad)) == 7
    fine = Page('<a href="https://x.example">x</a><script src="a.js"></script><img src="data:image/png;base64,AA">')
    assert foreign_in_page(fine) == []


def test_foreign_addresses_in_css_are_found():
    assert foreign_in_css("a{src:url('https://x.example/f.woff')} b{src:url(f.woff)} @import '//x.example/c'") == [
        "https://x.example/f.woff",
        "//x.example/c",
    ]


def test_a_lax_policy_is_found():
    def page(policy, before=""):
        return Page(f'{before}<meta http-equiv="Content-Security-Policy" content="{policy}"><script></script>')

    fine = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
    assert policy_faults(page(fine)) == []
    assert policy_faults(page(f"{fine}; script-src 'self' https://a.example"), "https://a.example") == []
    assert policy_faults(page(f"{fine}; script-src 'self' https://a.example")) == ["script-src https://a.example"]
    assert policy_faults(page(f"{fine}; img-src *; font-src https:")) == ["img-src *", "font-src https:"]
    assert policy_faults(page(fine.replace("object-src 'none'; ", ""))) == ["object-src"]
    assert policy_faults(page(fine, "<script></script>")) and policy_faults(Page("<p>none</p>"))


def test_bad_alts_are_found():
    bad = Page('<img src="a"><img src="b" alt=" "><img src="c" alt="../_images/loss.svg"><img src="d" alt="A loss">')
    assert [b.split(":")[0] for b in bad_alts(bad)] == ["a", "b", "c"]


def test_a_silent_head_is_found():
    silent = Page("<html><head><title> </title></head></html>")
    assert bad_head(silent) == ["no title", "descriptions: []", "no language"]
    description = '<meta name="description" content="What a gradient is and how to check it.">'
    assert bad_head(Page(f'<html lang="en"><head><title>Gradient</title>{description}</head></html>')) == []


@pytest.mark.parametrize("text", ["```{note}", ":::{tip}", "{ref}`x`", "so $x^2$ is", "[here](a.md)", "**bold**"])
def test_noise_is_found(text):
    assert noise(Page(f"<p>{text}</p>"))
    assert not noise(Page(f"<pre>{text}</pre><p>fine</p>"))


def test_mathematics_is_not_noise():
    assert not noise(Page(r'<p><span class="math">$x$</span>, at $5</p>'))


def test_broken_links_are_found(tmp_path):
    place, other = tmp_path / "a.html", tmp_path / "b.html"
    page = Page('<a href="c.html">1</a><a href="b.html#no">2</a><a href="b.html#yes">3</a><a href="#no">4</a>')
    pages = {place: page, other: Page('<h1 id="yes">x</h1>')}
    for path in pages:
        path.touch()
    assert [f.split(":")[0] for f in broken_links(place, page, pages, tmp_path)] == ["c.html", "b.html#no", "#no"]


def test_a_formula_that_cannot_be_shown_is_found():
    assert formula_faults("<p>no formula</p>", set()) == []
    assert formula_faults("<math><mi>x</mi><mtext>ok</mtext></math>", set("xok𝑥")) == []
    assert formula_faults("<math><mi>x</mi></math>", set("x")) == ["no '𝑥' in the font of formulas"]
    assert formula_faults(r'<span class="math notranslate">\(x\)</span>', set()) == ["a raw formula"]
    assert formula_faults("<math><merror><mtext></mtext></merror></math>", set()) != []
    with pytest.raises(ValueError, match="Undefined control sequence"):
        mathml(r"\nonsense")


# The site passes them.


@cache
def site():
    if not (HTML / "index.html").exists():
        pytest.fail("There is no built site: run `make site` first.")
    return {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in HTML.rglob("*.html") if is_page(path)}


def is_page(path):
    """Not the front door, which only leads on, and not the page for the lost, of which tests/test_found.py knows."""
    return "_static" not in path.parts and path not in (HTML / "index.html", HTML / "404.html")


def faults(check):
    """{page: what the check says} for all pages about which it says something."""
    found = {path.relative_to(HTML.resolve()).as_posix(): check(path, page) for path, page in site().items()}
    return {name: what for name, what in found.items() if what}


def toc_files():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"]] + [page["file"] for chapter in chapters for page in (chapter, *chapter.get("sections", ()))]


def test_every_page_of_the_table_of_contents_is_there_and_no_other():
    expected = {f"{name}.html" for name in toc_files()} | {"search.html"}
    assert {path.relative_to(HTML.resolve()).as_posix() for path in site()} == expected


def test_every_notebook_is_in_the_table_of_contents():
    notebooks = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks == sorted(Path(name).name for name in toc_files() if name.startswith("notebooks/"))
    assert len(notebooks) >= 7


OVERVIEW = {  # what is named by what it is, not by its subject
    "1_3_overview": "1.3 A Whole Network on One Page",
    "1_6_test_of_the_whole_book_practice": "1.6 Practice: A Test of the Whole Book",
}


def heading_of(name):
    """'1_3_1_loss_function' has the heading '1.3.1 Loss Function'; its practice says so behind the number."""
    if name in OVERVIEW:
        return OVERVIEW[name]
    chapter = name.removesuffix("_practice")
    practice = chapter != name and (ROOT / "notebooks" / f"{chapter}.ipynb").exists()  # 1_5_in_practice is none
    digits, words = re.fullmatch(r"((?:\d+_)+)(\w+)", chapter if practice else name).groups()
    number = digits.strip("_").replace("_", ".") + (" Practice:" if practice else "")
    return number + " " + words.replace("_", " ").title()


def test_every_chapter_has_its_heading():
    # A set: the theme writes the heading a second time, for print.
    chapters = {path.stem: set(page.headings) for path, page in site().items() if path.parent.name == "notebooks"}
    assert chapters == {name: {heading_of(name)} for name in chapters}


def test_the_front_door_leads_to_the_landing_page():
    site()
    address = re.search(r"url=([^\"]+)", (HTML / "index.html").read_text()).group(1)
    assert (HTML / address).resolve() in site()


def test_no_page_asks_another_origin_for_anything():
    assert faults(lambda path, page: foreign_in_page(page)) == {}


def test_no_page_may_ask_another_origin_but_for_the_python_of_its_cells():
    """Nothing is fetched before a click; what may be fetched after one, the policy says."""
    parts = urlsplit(PYTHON)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    assert faults(lambda path, page: policy_faults(page, origin if has_cells(page) else "")) == {}


def test_every_cell_has_its_name_and_its_page_the_script():
    for path, page in site().items():
        ids = [div.get("id", "") for div in page.all("div") if div.get("class", "").startswith("cell ")]
        assert all(name.startswith("cell-") for name in ids) and len(set(ids)) == len(ids), path.name
        scripts = [script for script in page.all("script") if "live/live.js" in script.get("src", "")]
        assert [script.get("data-python") for script in scripts] == [PYTHON] * has_cells(page), path.name


def test_no_style_sheet_asks_another_origin_for_anything():
    site()
    sheets = {path.name: foreign_in_css(path.read_text(encoding="utf-8")) for path in HTML.rglob("*.css")}
    assert len(sheets) > 3
    assert {name: found for name, found in sheets.items() if found} == {}


def test_every_picture_has_an_alternative_text():
    assert faults(lambda path, page: bad_alts(page)) == {}


def test_frames_are_shown_with_their_script_and_not_as_plain_text():
    divs = {path.stem: [div.get("class") for div in page.all("div")] for path, page in site().items()}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        stored = path.read_text(encoding="utf-8").count('<div class=\\"mlcore-frames\\"')
        page = (HTML / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert divs[path.stem].count("mlcore-frames") == page.count('querySelectorAll(".mlcore-frames') == stored


def test_every_page_says_what_it_is():
    assert faults(lambda path, page: bad_head(page)) == {}


def test_every_page_is_valid():
    assert faults(lambda path, page: invalid_html(path.read_text(encoding="utf-8"))) == {}
    assert list(HTML.rglob("*macros.html")) == []


def test_the_front_door_says_what_it_is():
    door = (HTML / "index.html").read_text(encoding="utf-8")
    assert door.startswith("<!DOCTYPE html>") and bad_head(Page(door)) == []


def test_titles_and_descriptions_differ_from_page_to_page():
    titles = [page.title for page in site().values()]
    assert len(set(titles)) == len(titles)


def test_every_internal_link_leads_somewhere():
    pages = site()
    assert faults(lambda path, page: broken_links(path, page, pages, HTML)) == {}


def test_no_markup_reaches_the_reader():
    assert faults(lambda path, page: noise(page)) == {}


def test_every_formula_is_shown_in_its_own_font():
    drawn = set(map(chr, TTFont(HTML / "_static/fonts/book-math.woff2").getBestCmap()))
    assert faults(lambda path, page: formula_faults(path.read_text(encoding="utf-8"), drawn)) == {}
    assert sum(path.read_text(encoding="utf-8").count("<math") for path in site()) > 1000


def test_every_text_is_shown_in_the_faces_of_the_book():
    """But for a few signs, and titles in Japanese; the page begins to load the faces before its style sheet."""
    fonts = HTML / "_static/fonts"
    drawn = set(map(chr, TTFont(fonts / "book-serif.woff2").getBestCmap()))
    texts = [re.sub(r"<math\b.*?</math>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL) for path in site()]
    rare = {c for text in texts for c in Page(text).prose if c not in drawn and ord(c) < 0x3000} - set("\n\u200b\xa0")
    assert len(rare) < 20, rare
    for page in site().values():
        ahead = [unquote(a["href"]).rpartition("/")[2] for a in page.all("link") if a.get("as") == "font"]
        assert ahead[:2] == ["book-serif.woff2", "book-mono.woff2"] and ahead[2:] in ([], ["book-math.woff2"])
    assert sum(path.stat().st_size for path in fonts.glob("*.woff2") if "math" not in path.name) < 70_000


def test_the_tables_for_teachers_count_the_exercises():
    told = (ROOT / "book/teachers.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*_practice.ipynb")):
        levels = re.findall(r"\*Level: ([\w ]+)\*", path.read_text(encoding="utf-8"))
        if not levels:
            continue  # 1.5 In Practice is no practice
        counts = [levels.count(level) for level in LEVELS]
        assert f"{path.name}) | {' | '.join(map(str, [*counts, len(levels)]))} |" in told, (path.name, counts)


def test_a_chapter_is_light():
    for path in site():
        assert sum(weights(path).values()) < 300_000 and len(fetched(path)) <= 22, path.name


def test_a_name_of_a_function_keeps_its_distance():
    assert '</msub><mspace width="0.1667em" /><mrow><mi>log' in mathml(r"t_k \log y")
    assert "</mrow><mspace" not in mathml(r"\frac{a b}{\exp x}")  # numerator and denominator are no factors


def test_no_page_loads_a_script_that_it_has_no_use_for():
    scripts = {s.get("src", "") for page in site().values() for s in page.all("script")}
    assert not [src for src in scripts if re.search("(?i)fontawesome|thebe|require|embed-amd|mathjax", src)]


OURS = {"book-script.js", "book-styles.css", "film.svg", "live/mlcore.zip"}  # written when the site is built


def test_every_file_by_others_on_the_site_is_listed_with_its_licence():
    listed = re.findall("`([^`]+)`", (ROOT / "LICENSES.md").read_text(encoding="utf-8").partition("## On the built")[2])
    ours = OURS | {p.relative_to(ROOT / "book/assets").as_posix() for p in (ROOT / "book/assets").rglob("*")}
    static = {p.relative_to(HTML / "_static").as_posix() for p in (HTML / "_static").rglob("*") if p.is_file()}
    assert len(static) > 30
    assert [name for name in sorted(static - ours) if not any(fnmatch(name, pattern) for pattern in listed)] == []
    assert [
        pattern for pattern in listed if pattern != "_static" and not any(fnmatch(n, pattern) for n in static)
    ] == []


def test_what_the_theme_leaves_nameless_has_a_name():
    """What one presses is called what it reads; the side bar with the logo is a named region."""
    for page in site().values():
        buttons = [b for b in page.all("button") if "search-button-field" in b.get("class", "")]
        side_bars = [d for d in page.all("div") if d.get("id") == "pst-primary-sidebar"]
        named = [pressed["aria-label"] for pressed in buttons + page.all("summary") if "aria-label" in pressed]
        assert buttons and all(name.startswith("Pages below ") for name in named)  # these show a sign, no words
        assert [bar.get("role") for bar in side_bars] == ["complementary"]


# A formula and the full stop or comma behind it, not held together: a line may end between them.
LOOSE = re.compile(r"</math>[.,;:?!)”]++(?!</span>)")


def test_no_line_ends_between_a_formula_and_its_full_stop():
    pages = {path: path.read_text(encoding="utf-8") for path in site()}
    assert [path.name for path, page in pages.items() if LOOSE.search(page)] == []
    assert LOOSE.search("<math><mi>x</mi></math>, y")
    assert any('class="docutils literal notranslate unbroken"' in page for page in pages.values())


def test_every_public_name_is_in_the_reference():
    reference = site()[(HTML / "book" / "api.html").resolve()]
    names = {f"{getattr(mlcore, name).__module__}.{name}" for name in mlcore.__all__}
    assert names - reference.ids == set()


def described(text):
    """The part of the reference that belongs to each public name."""
    parts = re.split(r'<dt class="sig sig-object py" id="mlcore\.\w+\.(\w+)">', text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_a_name_of_the_package_leads_to_its_chapter_and_back():
    reference = described((HTML / "book/api.html").read_text(encoding="utf-8"))
    chapters = "".join(path.read_text(encoding="utf-8") for path in site() if path.parent.name == "notebooks")
    there = {name for name in mlcore.__all__ if 'href="../notebooks/1_' not in reference[name]}
    back = {name for name in mlcore.__all__ if not re.search(rf'href="../book/api.html#mlcore\.\w+\.{name}"', chapters)}
    assert (there, back) == (set(), set())


def test_a_term_leads_to_the_glossary_where_a_chapter_uses_it_first():
    for path, page in site().items():
        terms = [a["href"] for a in page.all("a") if "term" in a.get("class", "").split()]
        is_chapter = path.parent.name == "notebooks" and not path.stem.removeprefix("1_5_in_practice").endswith(
            "_practice"
        )
        assert len(terms) == len(set(terms)) and (len(terms) >= 10) == is_chapter, path.name


def test_an_entry_of_the_bibliography_leads_to_the_pages_that_cite_it():
    text, cited = (HTML / "book/bibliography.html").read_text(encoding="utf-8"), {}
    for anchor, entry in re.findall(r'<section id="([\w-]+)">((?:(?!<section).)*?)</section>', text, re.DOTALL):
        addresses = re.findall(r'href="([^"#]+\.html)"', entry.partition("Cited in ")[2])
        cited[anchor] = {(HTML / "book" / address).resolve() for address in addresses}
    citing = {anchor: set() for anchor in cited}
    for path, page in site().items():
        for a in page.all("a"):
            page_of, _, anchor = a.get("href", "").rpartition("#")
            if page_of.endswith("bibliography.html") and anchor in citing:
                citing[anchor].add(path)
    assert cited == citing and sum(map(bool, cited.values())) > 20


def test_a_chapter_says_what_it_takes(tmp_path):
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        page = (HTML / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        said = re.findall(r'<p class="takes">(.*?)\.</p>', page)
        is_practice = path.stem.removeprefix("1_5_in_practice").endswith("_practice")
        assert said == ([] if is_practice else [what_it_takes(path)])
    words = nbformat.v4.new_markdown_cell("word " * 849 + "<details>" + "word " * 999 + "</details>")
    guess, other = (
        nbformat.v4.new_code_cell(c, metadata=m) for c, m in (("guess = ...", {"prediction": {}}), ("1", {}))
    )
    tasks = [nbformat.v4.new_code_cell(f'check("{name}", answer)') for name in "ab"]
    nbformat.write(nbformat.v4.new_notebook(cells=[words, guess, other]), tmp_path / "a.ipynb")
    assert what_it_takes(tmp_path / "a.ipynb") == "About 10 minutes, 1 prediction"
    nbformat.write(nbformat.v4.new_notebook(cells=tasks), tmp_path / "a_practice.ipynb")
    assert what_it_takes(tmp_path / "a.ipynb") == "About 10 minutes, 1 prediction, 2 exercises"


def test_the_buttons_lead_to_the_copy_that_is_published_or_are_not_there():
    found = repository(os.environ)
    for path, page in site().items():
        binder = [a["href"] for a in page.all("a") if "mybinder.org/v2/" in a.get("href", "")]
        if found and path.parent.name == "notebooks":
            assert binder and all(address.endswith(f"lab/tree/notebooks/{path.stem}.ipynb") for address in binder)
        else:
            assert binder == []


def test_pictures_come_when_they_are_about_to_be_seen_and_their_size_is_known_before():
    pages = [(path, page) for path, page in site().items() if path.parent.name == "notebooks"]
    for path, page in pages:
        for image in page.all("img"):
            if "_images/" in image["src"]:
                assert (image.get("loading"), image["src"].startswith("data:")) == ("lazy", False), path.name
                assert int(image["width"]) > 0 < int(image["height"])
    frames = [image for _, page in pages for image in page.all("img") if "/frame-" in image["src"]]
    assert len(frames) > 100 and all((HTML / "_images" / Path(image["src"]).name).is_file() for image in frames)


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem) for p in sorted((ROOT / "notebooks").glob("*.ipynb"))])
def test_a_page_is_light(path):
    """What a first visit takes, gzipped: at most 300 kB in 22 requests; the page itself 100 kB."""
    page = HTML / "notebooks" / f"{path.stem}.html"
    found = weights(page)
    assert sum(found.values()) < 300_000 and found["page"] < 100_000 and len(fetched(page)) <= 22, found
