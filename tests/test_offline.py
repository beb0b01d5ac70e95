"""The book on the reader's device: kept whole, read and run without a network, renewed and removed at a wish.

Run `make site` first. Each test has a site of its own, below a path, as a host of many sites has it.
"""

import json
import re
import shutil
import sys
import time

import pytest
from helpers import browser_options
from test_live import CHAPTER, PYTHON, ROOT, SITE, Reader, cdn, origin, serve, stored_output  # noqa: F401

sys.path.append(str(ROOT / "book" / "ext"))
import book_keep

WAYS, INDEX = "book/ways.html", "book/index.html"
CACHES = "caches.keys().then((names) => names.sort())"
WORKERS = "navigator.serviceWorker.getRegistrations().then((found) => found.map((one) => one.scope))"


def copied(folder, python, *left_out):
    """A copy of the site whose pages load Python from another place."""
    shutil.copytree(SITE, folder, ignore=shutil.ignore_patterns("locales", "vendor", "*.map", *left_out))
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(PYTHON, python).replace(origin(PYTHON), origin(python)), encoding="utf-8")
    book_keep.write(folder, python)
    return folder


@pytest.fixture
def small(tmp_path):
    """A site without most of its pages and pictures: (folder, server)."""
    folder = copied(tmp_path / "repo", "https://python.example/", "_images", "_sources", "notebooks", "*.whl")
    with serve(tmp_path) as server:
        yield folder, server


def box(reader):
    return reader.tab.locator("[data-keep]")


def until(reader, words, inside="[data-keep]", seconds=40):
    """Wait until these words stand there."""
    place, end = reader.tab.locator(inside), time.monotonic() + seconds
    while not place.count() or words not in place.inner_text():
        assert time.monotonic() < end, place.inner_text() if place.count() else f"no {inside}"
        reader.tab.wait_for_timeout(100)


def press(reader, name):
    reader.tab.get_by_role("button", name=re.compile(name)).click()


def keep(reader):
    press(reader, "^Keep this book")
    until(reader, "on your device (")


def test_kept_it_is_read_and_run_without_a_network_and_removed_with_a_click(browser, cdn, tmp_path):  # noqa: F811
    site, profile = tmp_path / "site", tmp_path / "profile"
    copied(site / "repo", cdn or PYTHON)

    def session(**options):
        return browser.browser_type.launch_persistent_context(profile, **browser_options(), **options)

    with serve(site) as server:
        home = server.address + "repo/"
        reader = Reader(browser, home + WAYS, session())
        reader.context.set_default_timeout(120_000)  # Python starts twice in it
        until(reader, "Keep this book on my device")
        assert reader.tab.evaluate(CACHES) == reader.tab.evaluate(WORKERS) == []  # nothing before the reader asks
        told = int(re.search(r"\((\d+) MB\)", box(reader).inner_text())[1])
        assert told - 1 <= sum(p.stat().st_size for p in site.rglob("*") if p.is_file()) / 1e6 <= told + 1
        keep(reader)
        until(reader, "Python will be kept when you next run a cell")
        assert reader.tab.evaluate(WORKERS) == [home]
        reader.tab.goto(home + CHAPTER)
        reader.run("staircase")
        reader.tab.goto(home + WAYS)
        until(reader, "Python, too")
        asked = {origin(address) for address in reader.requests if address.startswith("http")}
        assert asked == {origin(home), origin(cdn or PYTHON)}
        assert reader.said == []
        reader.context.close()

    reader = Reader(browser, home + "notebooks/1_3_2_gradient.html", session(offline=True))  # never visited before
    reader.context.set_default_timeout(120_000)
    failed, refused = set(), []
    reader.tab.on("requestfailed", lambda request: failed.add(request.url.partition("?")[0].removeprefix(home)))
    reader.tab.on(
        "console",
        lambda message: refused.append((message.text, message.location["url"])) if message.type == "error" else None,
    )
    assert reader.tab.title().startswith("1.3.2 Gradient")
    pictures = "[...document.images].map((image) => {image.loading = 'eager'; return image.decode()})"
    assert reader.tab.evaluate(f"Promise.all({pictures}).then((all) => all.length)") > 5
    notebook = "../_sources/notebooks/1_3_2_gradient.ipynb"
    assert reader.tab.evaluate(f"fetch('{notebook}').then((answer) => answer.json()).then((n) => n.nbformat)") == 4
    reader.run("setup")
    assert reader.output("setup") == stored_output("1_3_2_gradient", "setup")
    reader.tab.goto(home + CHAPTER)
    reader.run("staircase")
    assert reader.cell("staircase").locator("figure img").get_attribute("src").startswith("data:image/svg+xml")
    assert failed <= {"keep.json"}  # whether there is a new version
    reader.tab.goto(home + "search.html?q=softmax")
    until(reader, "1.3.1 Loss Function", "#search-results")
    reader.tab.goto(home)  # the front door leads on
    reader.tab.wait_for_url(home + INDEX)
    # The browser says so of what it could not fetch, in words that depend on the moment: it may be keep.json alone.
    assert [one for one in refused if not one[1].startswith(home + "keep.json?")] == []
    assert [words for words in reader.said if "Failed to load resource" not in words] == []
    reader.tab.goto(home + WAYS)
    press(reader, "^Remove it")
    until(reader, "no network just now")
    assert reader.tab.evaluate(CACHES) == reader.tab.evaluate(WORKERS) == []
    reader.context.close()


def change(folder, words):
    """Publish another version of the book, of which one page has changed."""
    page = folder / INDEX
    page.write_text(page.read_text(encoding="utf-8").replace("</h1>", f" {words}</h1>"), encoding="utf-8")
    book_keep.write(folder, "https://python.example/")


def test_a_new_version_is_announced_and_never_forced(browser, small):
    folder, server = small
    home = server.address + "repo/"
    reader = Reader(browser, home + WAYS)
    keep(reader)
    reader.tab.goto(home + INDEX)
    assert reader.tab.locator(".keep-news").count() == 0
    change(folder, "Anew")
    for _ in range(2):
        reader.tab.reload()
        until(reader, "A new version of the book is there.", ".keep-news")
        assert "Anew" not in reader.tab.locator(".bd-article h1").inner_text()
    other = Reader(browser, home + WAYS, reader.context)
    server.asked.clear()
    press(reader, "^Load it")
    until(reader, "Close the other tabs", ".keep-news")
    asked = {path.partition("?")[0].removeprefix("/repo/") for path in server.asked}
    assert asked - {"keep.json"} == {"keep-files.json", INDEX}  # what has not changed is not fetched again
    other.tab.goto(home + INDEX)
    assert "Anew" not in other.tab.locator(".bd-article h1").inner_text()  # never a mixture of two
    other.tab.close()
    press(reader, "^Use it")
    reader.tab.get_by_role("heading", name="Anew").wait_for()
    assert reader.tab.locator(".keep-news").count() == 0
    assert len(reader.tab.evaluate(CACHES)) == 2  # the note of the version in use, and its files
    assert reader.said == []
    reader.context.close()


def nothing_is_kept(reader):
    """Nothing of the book is on the device, the page says why, and it can be asked for again."""
    until(reader, "Keep this book on my device")
    return reader.tab.evaluate(CACHES) == reader.tab.evaluate(WORKERS) == []


def test_what_did_not_arrive_whole_is_never_used(browser, small):
    folder, server = small
    reader = Reader(browser, server.address + "repo/" + WAYS)
    page = folder / INDEX
    content = page.read_bytes()

    for damage, words in (
        (page.unlink, "book/index.html: 404"),
        (lambda: page.write_bytes(content + b" "), "the book has just been changed (book/index.html)"),
    ):
        damage()
        press(reader, "^Keep this book")
        until(reader, words)
        assert nothing_is_kept(reader)
        page.write_bytes(content)

    reader.context.route(re.compile("film.svg"), lambda route: route.abort())
    press(reader, "^Keep this book")
    until(reader, "did not arrive whole")
    assert nothing_is_kept(reader)

    reader.context.unroute_all()
    reader.context.route(re.compile("film.svg"), lambda route: None)  # an answer that never comes
    press(reader, "^Keep this book")
    end = time.monotonic() + 20
    while not reader.tab.evaluate(CACHES) and time.monotonic() < end:
        reader.tab.wait_for_timeout(50)
    other = Reader(browser, server.address + "repo/" + WAYS, reader.context)
    press(other, "^Keep this book")
    until(other, "another tab fetches it already")
    other.tab.close()
    reader.tab.close()  # in the middle of it
    reader = Reader(browser, server.address + "repo/" + WAYS, reader.context)
    assert nothing_is_kept(reader)
    reader.context.unroute_all()
    keep(reader)
    assert box(reader).get_by_role("button", name="Remove it").is_visible()
    reader.context.close()


def test_a_full_device_keeps_nothing_and_says_so(browser, small):
    _, server = small
    reader = Reader(browser, server.address + "repo/" + WAYS)
    quota = {"origin": server.address, "quotaSize": 1_000_000}
    reader.context.new_cdp_session(reader.tab).send("Storage.overrideQuotaForOrigin", quota)
    press(reader, "^Keep this book")
    until(reader, "not enough room")
    assert nothing_is_kept(reader)
    reader.context.close()


def test_where_it_cannot_be_kept_the_page_says_why(browser, small):
    folder, server = small
    reader = Reader(browser, (folder / WAYS).as_uri())
    until(reader, "opened from a file")
    reader.context.add_init_script("delete Navigator.prototype.serviceWorker")
    reader.tab.goto(server.address + "repo/" + WAYS)
    until(reader, "This browser cannot keep sites")
    assert not reader.tab.locator("[data-keep] button").is_visible()
    reader.context.close()
    reader = Reader(browser, server.address + "repo/" + WAYS, java_script_enabled=False)
    assert "a button stands here" in box(reader).inner_text()
    reader.context.close()


def test_every_file_of_a_page_is_kept():
    """Also those that are fetched later: what is left out by its name is asked for by no page and no style sheet."""
    listed = book_keep.kept(SITE, PYTHON)
    left_out = {p.relative_to(SITE).as_posix() for p in SITE.rglob("*") if p.is_file()} - listed.keys()
    assert len(left_out) > 50 and not [name for name in left_out if name.endswith((".html", ".ipynb", ".svg"))]
    texts = [p.read_text(encoding="utf-8") for p in [*SITE.glob("*.html"), *SITE.glob("*/*.html")]]
    styles = [p.read_text(encoding="utf-8") for p in SITE.glob("_static/*.css")]
    asked = {a or b for t in texts + styles for a, b in re.findall(r'(?:src|href)="([^"?#]+)|url\("?([^")]+)', t)}
    names = {name.removeprefix("_static/") for name in left_out}
    assert [address for address in asked if any(address.endswith(f"/{name}") for name in names)] == []


def test_the_book_can_be_put_among_the_apps_of_a_device(browser, small):
    folder, server = small
    home = server.address + "repo/"
    reader = Reader(browser, home + WAYS)
    devtools = reader.context.new_cdp_session(reader.tab)
    told = devtools.send("Page.getAppManifest")
    known = json.loads((folder / "_static/book.webmanifest").read_text(encoding="utf-8"))
    assert told["errors"] == [] and told["manifest"]["startUrl"] == home + INDEX
    assert known["name"] == re.search("^title: (.*)$", (ROOT / "_config.yml").read_text(encoding="utf-8"), re.M)[1]
    assert all((folder / "_static" / icon["src"]).is_file() for icon in known["icons"])
    hindrances = {error["errorId"] for error in devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert hindrances <= {"in-incognito"}
    reader.context.close()
