"""Sphinx extension: what search engines and those who pass on a link need: canonical addresses, a map of the site,
a picture and data for each page, and a page for addresses that lead nowhere.

All of it is made from the address that the site is published at: BOOK_ADDRESS, or GitHub's or GitLab's pages of the
repository that `book_ways` finds. Where that is not known, there is nothing of it.
"""

import html
import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import book_card
from book_ways import repository

FACE = "notebooks/1_3_overview"  # whose figure stands for the book
PAGES = {"github.com": "github.io", "gitlab.com": "gitlab.io"}
LOST = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; script-src 'unsafe-inline'; \
style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'">
<meta name="robots" content="noindex">
<meta name="description" content="There is no page at this address; here are those that there are.">
<base href="{path}">
<title>No such page: {book}</title>
<script>
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
</script>
<link rel="stylesheet" href="_static/book.css" />
</head>
<body><main class="bd-article lost">
<h1>No such page</h1>
<p>Nothing of <a href="{root}">{book}</a> is at this address. It may have moved: chapters keep their numbers.</p>
<form action="search.html"><label>Search the book <input type="search" name="q"></label> <button>Search</button></form>
<ul>
{pages}
</ul>
</main></body>
</html>
"""


def address(environment):
    """Where the site is published, with a slash at the end, or None."""
    if known := environment.get("BOOK_ADDRESS"):
        return known.rstrip("/") + "/"
    if not (found := repository(environment)):
        return None
    parts = urlsplit(found[0])
    owner, _, name = parts.path.strip("/").partition("/")
    if parts.netloc not in PAGES or not name:
        return None
    home = f"{owner.lower()}.{PAGES[parts.netloc]}"
    return f"https://{home}/" if name.lower() == home else f"https://{home}/{name}/"


def outcomes(app, pagename):
    """What a chapter is tested to teach."""
    number = re.match(r"notebooks/((?:\d+_)+)(?!\w*_practice)", pagename)
    known = json.loads((Path(app.srcdir) / "tests/outcomes.json").read_text(encoding="utf-8"))
    found = known.get(number[1].strip("_").replace("_", "."), {}) if number else {}
    return [outcome["the reader can"] for outcome in found.get("outcomes", [])]


def data(app, pagename, title, description):
    """The page in the words of schema.org."""
    base, root = app.config.html_baseurl, f"{app.config.html_baseurl}{app.config.root_doc}.html"
    book = {"@type": "Book", "name": app.config.project, "url": root}
    free = {"inLanguage": "en", "isAccessibleForFree": True, "license": "https://creativecommons.org/licenses/by/4.0/"}
    context = {"@context": "https://schema.org"}
    if pagename == app.config.root_doc:
        return context | book | free | {"description": description, "author": app.config.author}
    about = {"@type": "LearningResource", "name": title, "url": f"{base}{pagename}.html", "description": description}
    kind = {"learningResourceType": "exercises" if pagename.endswith("_practice") else "chapter"}
    teaches = {"teaches": taught} if (taught := outcomes(app, pagename)) else {}
    return context | about | (kind if pagename.startswith("notebooks/") else {}) | teaches | {"isPartOf": book} | free


def describe(app, pagename, templatename, context, doctree):
    base = app.config.html_baseurl
    if not base or doctree is None:
        return
    title = re.sub(r"<[^>]*>", "", context["title"])
    known = html.unescape(re.search(r'name="description" content="([^"]*)"', context["metatags"])[1])
    card = f"{base}_images/{book_card.name(pagename)}"
    tags = {
        "og:type": "book" if pagename == app.config.root_doc else "article",
        "og:site_name": app.config.project,
        "og:title": html.unescape(title),
        "og:description": known,
        "og:url": f"{base}{pagename}.html",
        "og:image": card,
        "og:image:width": str(book_card.SIZE[0]),
        "og:image:height": str(book_card.SIZE[1]),
    }
    lines = [f'<meta property="{key}" content="{html.escape(value)}" />' for key, value in tags.items()]
    facts = json.dumps(data(app, pagename, tags["og:title"], known), ensure_ascii=False).replace("<", "\\u003c")
    lines += ['<meta name="twitter:card" content="summary_large_image" />']
    context["metatags"] += "\n" + "\n".join([*lines, f'<script type="application/ld+json">{facts}</script>'])


def write(app, exception):
    """The files that belong to the whole site, and the picture of each page."""
    base = app.config.html_baseurl
    if exception or not base or app.builder.format != "html":
        return
    titles = {name: title.astext() for name, title in sorted(app.env.titles.items())}
    addresses = "".join(f"<url><loc>{html.escape(f'{base}{name}.html')}</loc></url>\n" for name in titles)
    sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{addresses}</urlset>\n'
    links = "\n".join(f'<li><a href="{name}.html">{html.escape(title)}</a></li>' for name, title in titles.items())
    path, root = urlsplit(base).path, f"{app.config.root_doc}.html"
    files = {
        "sitemap.xml": f'<?xml version="1.0" encoding="utf-8"?>\n{sitemap}',
        "robots.txt": f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n",
        "404.html": LOST.format(path=path, root=root, book=html.escape(app.config.project), pages=links),
    }
    for name, text in files.items():
        (app.outdir / name).write_text(text, encoding="utf-8", newline="\n")
    (app.outdir / "_images").mkdir(exist_ok=True)
    for name, title in titles.items():
        of = FACE if name == app.config.root_doc else name
        drawing = book_card.first_figure(app.outdir / f"{of}.html")
        book_card.draw(title, app.config.project, drawing, app.outdir / "_images" / book_card.name(name))


def set_address(app, config):
    config.html_baseurl = address(os.environ) or ""


def setup(app):
    app.connect("config-inited", set_address)
    app.connect("html-page-context", describe, priority=600)  # after the description
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
