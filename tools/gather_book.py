"""The built pages as one book, in the order of _toc.yml, for paper and readers: without what only a screen can do.

Every fold is open; of a player there is one frame, with its words; code that the site folds is left out, since it only
draws, prepares or proves. Solutions of exercises stand at the end. Each id is made unique, and every link to another
page leads to it. make_pdf.py and make_epub.py make files of this, and the site offers them.
"""

import re
import tomllib
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
NAME = "how-a-neural-network-learns"  # of the files, before the dot
LEFT_OUT = ".headerlink, script, style, .live-bar, .toctree-wrapper, .offered, [data-solved]"
ARTICLE = re.compile(r'<article class="bd-article">.*?</article>', re.DOTALL)
UNCOLOURED = re.compile(r'<span(?: class="(?:n|p|w|o|pre)")?>([^<]*)</span>')  # set as all other code
LINK = re.compile(r'<a [^>]*?href="([^":#]*)#([^"]+)"')
NOT_ANSWERED = "No answer so far"  # what a check says below each exercise
HERE_ONLY = re.compile(r" Predict first: replace the three dots and run again\.")
NO_ADDRESS = re.compile(r"https?://(localhost|127\.)")  # means something only to who has started a server there
OFFERED_ON = "book/index", "book/ways"
OFFER = re.compile(r"(<!-- for paper -->).*?(<!-- /for paper -->)", re.DOTALL)
WHOSE = "{author}. Version {version}. Text and figures: CC BY 4.0. Code: MIT licence."
HOW_IT_DIFFERS = (
    "This is the book of the site, without what takes a screen: moving figures stand still, and code that only draws, "
    "prepares or proves is left out. On the site every cell runs in the page."
)


@dataclass
class Page:
    name: str  # such as notebooks/1_3_2_gradient
    title: str
    body: Tag  # its sections; the first thing in it has the id `key`
    level: int = 1  # 2 for a page that belongs to the one before

    @property
    def key(self):
        return key_of(self.name)


@dataclass
class Book:
    title: str
    author: str
    front: Tag  # the title page
    parts: list  # [(caption, [Page])]

    @property
    def pages(self):
        return [page for _, pages in self.parts for page in pages]


def key_of(name):
    return name.rpartition("/")[2]


def contents(toc):
    """[(caption of the part, [(name, level)])] as _toc.yml has it; the first part has no caption."""
    parts = [("", [(toc["root"], 1)])]
    for part in toc["parts"]:
        names = []
        for chapter in part["chapters"]:
            names += [(chapter["file"], 1), *((section["file"], 2) for section in chapter.get("sections", []))]
        parts.append((part["caption"], names))
    return parts


def gather(site=SITE, only=None, solutions=True):
    """The Book; with `only` no other pages than these and the first. Pictures are named by their place in the site."""
    settings, toc = (yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in ("_config.yml", "_toc.yml"))
    parts = contents(toc)
    names = [name for _, part in parts for name, _ in part]
    texts = {name: ARTICLE.search((site / f"{name}.html").read_text(encoding="utf-8"))[0] for name in names}
    linked = {(goal(name, path), to) for name in names for path, to in LINK.findall(texts[name])}
    wanted = {names[0], *(only or names)}
    parts = [
        (caption, [read(texts, name, level, linked, wanted) for name, level in part if name in wanted])
        for caption, part in parts
    ]
    found = [answers for _, pages in parts for page in pages if (answers := take_solutions(page, solutions))]
    if found:
        body = element("section", id="solutions")
        body.extend([element("h1", "Solutions"), *found])
        parts.append(("Solutions", [Page("solutions", "Solutions", body)]))
    title = front(parts[0][1][0], settings)
    return Book(settings["title"], settings["author"], title, [part for part in parts if part[1]])


def goal(name, path):
    """The page that an address leads to from the page `name`."""
    return normpath(f"{name}/../{path}").removesuffix(".html") if path else name


def front(landing, settings):
    """The title page, made of what the landing page begins with; what is left of that page is about the book."""
    page = element("section", class_="title-page")
    page.append(element("h1", settings["title"]))
    for found in (landing.body.p, landing.body.figure):
        page.append(found.extract())
    landing.body.h1.string = landing.title = "About this book"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    page.append(element("p", WHOSE.format(author=settings["author"], version=version), class_="small"))
    page.append(element("p", HOW_IT_DIFFERS, class_="small"))
    return page


def offer(site=SITE):
    """On the page of ways to run the book, and on the landing page, name the files that there are."""
    made = [(kind, path) for kind in ("PDF", "EPUB") if (path := site / f"{NAME}.{kind.lower()}").exists()]
    links = [f'<a href="../{path.name}">{kind}</a> ({path.stat().st_size / 1e6:.0f} MB)' for kind, path in made]
    words = f'<p class="offered">The whole book for paper and readers: {", ".join(links)}.</p>' if made else ""
    for name in OFFERED_ON:
        page = site / f"{name}.html"
        text, times = OFFER.subn(rf"\1{words}\2", page.read_text(encoding="utf-8"))
        if times != 1:
            raise ValueError(f"{name}: no place for the links to the files")
        page.write_text(text, encoding="utf-8", newline="\n")


def element(tag, text="", **attributes):
    made = Tag(name=tag, attrs={name.rstrip("_"): value for name, value in attributes.items()})
    if text:
        made.string = text
    return made


def read(texts, name, level, linked, wanted):
    """A page of the site, ready for paper. Folded code stays where a link leads to it."""
    text = UNCOLOURED.sub(r"\1", UNCOLOURED.sub(r"\1", texts[name]))
    body, key = BeautifulSoup(text, "html.parser").article.section.extract(), key_of(name)
    for found in body.select(LEFT_OUT):
        found.decompose()
    for player in body.select(".mlcore-frames"):
        player.replace_with(*telling_frame(player))
    for program in body.select(".cell_output details:not(.predicted)"):
        program.decompose()
    for code in body.select("details.hide"):
        code.summary.decompose()
        code.unwrap() if (name, code.find_parent(class_="cell")["id"]) in linked else code.decompose()
    for output in body.select(".cell_output"):
        if output.get_text().strip().startswith(NOT_ANSWERED):
            output.decompose()
    for cell in body.select("div.cell"):
        if not cell.get_text(strip=True) and not cell.img:
            cell.decompose()
    for fold in body.select("details"):
        open_fold(fold)
    for paragraph in body.select("p:has(> ul)"):  # which Sphinx writes, and no paragraph may hold
        paragraph.unwrap()
    for image in body.select("img"):
        image["src"] = normpath(f"{name}/../{image['src']}")
        image.attrs.pop("loading", None)
    for link in body.select("a[href]"):
        lead(link, name, texts, wanted)
    for found in [body, *body.select("[id]")]:
        found["id"] = f"{key}--{found['id']}"
    body.insert(0, element("span", id=key))  # where a link to the page leads
    return Page(name, body.h1.get_text(), body, level)


def telling_frame(player):
    """One frame and its words: that which the author lets one see first; of what begins empty, the last."""
    frame = player.select("figure")[-1 if player["data-start"] == "0" else 0]
    words = frame.figcaption.extract()
    words.name = "p"
    words["class"] = ["frame-words"]
    return frame.img.extract(), words


def open_fold(fold):
    """A fold becomes a box with a title; what comes out of a cell needs none."""
    title = fold.summary.extract()
    if "predicted" in fold.get("class", []):
        for text in fold.find_all(string=HERE_ONLY):
            text.replace_with(HERE_ONLY.sub("", text))
        fold.unwrap()
        return
    title.name, title["class"] = "p", ["fold-title"]
    fold.name, fold.attrs = "div", {"class": ["fold"]}
    fold.insert(0, title)


def take_solutions(page, keep):
    """What solves the exercises of a page, as a section; links take its place. Or nothing, if it is not kept."""
    folds = [fold for fold in page.body.select("div.fold") if fold.p.get_text() == "Solution"]
    if not keep:
        for fold in folds:
            fold.decompose()
        return None
    if not folds:
        return None
    found = element("section", id=f"{page.key}--solutions")
    found.append(element("h2", page.title))
    for fold in folds:
        exercise = fold.find_parent("section")
        heading, name = copy(exercise.find(["h2", "h3"])), f"{exercise['id']}--solution"
        heading.name, heading.attrs = "h3", {}
        words = [*heading.contents]
        back = element("a", href=f"#{exercise['id']}")
        back.extend(words)
        heading.append(back)
        there = element("p", class_="to-solution")
        there.append(element("a", "Solution", href=f"#{name}"))
        fold.insert_before(there)
        fold.p.decompose()
        fold["class"], fold["id"] = ["solution"], name
        fold.insert(0, heading)
        found.append(fold.extract())
    return found


def lead(link, name, names, wanted):
    """Let a link of the page `name` lead to a place in the book, or to the outside; to a page left out, nowhere."""
    href = link["href"]
    link.attrs = {"href": href}
    if NO_ADDRESS.match(href):
        link.unwrap()
    elif not urlsplit(href).scheme:
        path, _, fragment = unquote(href).partition("#")
        page = goal(name, path)
        if page not in names:
            raise ValueError(f"{name}: {href} leads to nothing in the book")
        link["href"] = f"#{key_of(page)}" + (f"--{fragment}" if fragment else "")
        if page not in wanted:
            link.unwrap()
