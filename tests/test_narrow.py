"""The size of pages: on a window of 320 pixels nothing is out of reach, since it fits, or what holds it scrolls; on one
of 1300 no chapter is too long. Run `make site` first."""

import io
import sys
import time

import pytest
from PIL import Image
from test_live import ROOT, SITE

sys.path.insert(0, str(ROOT / "tools"))
from measure_chapters import screens, screens_of_chapters

MOST_SCREENS = 28  # of 1000 pixels, with every fold closed

OUT_OF_REACH = """() => {
  const found = [], width = document.documentElement.clientWidth;
  for (const details of document.querySelectorAll(".bd-article details")) details.open = true;
  for (const element of document.querySelectorAll(".bd-article *, .prev-next-area *")) {
    const {right, width: own, height} = element.getBoundingClientRect();
    if (!own || !height || right <= width + 1 || getComputedStyle(element).visibility === "hidden") continue;
    let holder = element.parentElement;
    const scrolls = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth;
    while (holder && !scrolls(holder)) holder = holder.parentElement;
    if (!holder?.closest(".bd-article")) found.push(`${element.tagName} ${element.textContent.trim().slice(0, 40)}`);
  }
  return found;
}"""


def pages():
    return sorted(path for folder in ("book", "notebooks") for path in (SITE / folder).glob("*.html"))


@pytest.fixture
def narrow(browser):
    page = browser.new_page(viewport={"width": 320, "height": 800})
    yield page
    page.close()


def test_nothing_is_out_of_reach(narrow):
    found = {}
    for path in pages():
        narrow.goto(path.as_uri())
        found[path.name] = narrow.evaluate(OUT_OF_REACH)
    assert len(found) > 20 and {name: what for name, what in found.items() if what} == {}


def test_what_is_cut_would_be_found(narrow):
    narrow.goto((SITE / "book/ways.html").as_uri())
    narrow.evaluate(
        "document.querySelector('.bd-article p').innerHTML += '<b style=\\'white-space: nowrap\\'>' + 'w '.repeat(99)"
    )
    assert any(line.startswith("B w w") for line in narrow.evaluate(OUT_OF_REACH))


# What is read on a page, and how large it is beside what stands around it; all folds open.
READ = """() => {
  for (const details of document.querySelectorAll(".bd-article details")) details.open = true;
  const kinds = ["p", "li", "td", "th", "dt", "dd", "h1", "h2", "h3", "figcaption", "pre", "math"];
  const ofTheScreen = "form, .live-bar, .predicted > summary, .toggle, .headerlink, .copybtn, .mlcore-frames";
  return [...document.querySelectorAll(kinds.map((kind) => `.bd-article ${kind}`).join(", "))]
    .filter((element) => element.textContent.trim() && !element.closest(ofTheScreen))
    .map((element) => {
      const {width, height} = element.getBoundingClientRect();
      const {fontSize, visibility, opacity} = getComputedStyle(element);
      const around = parseFloat(getComputedStyle(element.closest("p, li, td, dd, figcaption, div")).fontSize);
      const seen = width > 1 && height > 1 && visibility === "visible" && Number(opacity) > 0.5;
      return [element.tagName, element.textContent.trim().slice(0, 40), seen, parseFloat(fontSize), around];
    });
}"""


@pytest.mark.parametrize("address", ["notebooks/1_3_1_loss_function.html", "notebooks/1_3_4_computation_graph.html"])
def test_all_that_is_read_is_there_on_a_phone_and_on_paper(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((SITE / address).as_uri())
    wide = page.evaluate(READ)
    page.set_viewport_size({"width": 390, "height": 800})
    narrow = page.evaluate(READ)
    page.emulate_media(media="print")
    printed = page.evaluate(READ)
    page.close()
    assert len(wide) > 200
    for where in (wide, narrow, printed):
        assert [part[:2] for part in where if not part[2]] == []
        assert [part for part in where if not (part[3] >= 10 and 0.65 < part[3] / part[4] < 3)] == []


def test_the_frames_of_a_player_come_before_the_reader(narrow):
    """None is loaded with the page; all are when the player is in sight."""
    narrow.goto((SITE / "notebooks/1_3_overview.html").as_uri())
    loaded = "() => [...document.querySelectorAll('.mlcore-frames img')].filter((i) => i.naturalWidth).length"
    assert narrow.evaluate(loaded) == 0
    narrow.evaluate("document.querySelector('.mlcore-frames').scrollIntoView()")
    end = time.monotonic() + 20
    while narrow.evaluate(loaded) != 14 and time.monotonic() < end:  # wait_for_function is eval, which the page forbids
        narrow.wait_for_timeout(50)
    assert narrow.evaluate(loaded) == 14


def test_a_picture_keeps_its_shape(narrow):
    narrow.goto((SITE / "notebooks/1_3_1_loss_function.html").as_uri())
    shapes = narrow.evaluate(
        "[...document.querySelectorAll('.cell_output img[width]')].filter((i) => i.clientWidth)"
        ".map((i) => [i.getAttribute('width') / i.getAttribute('height'), i.clientWidth / i.clientHeight])"
    )
    assert shapes and all(abs(own / shown - 1) < 0.02 for own, shown in shapes)


def test_no_chapter_is_too_long(browser):
    found = screens_of_chapters(browser, SITE)
    assert len(found) == 9
    assert {path.stem: long for path, long in found.items() if long > MOST_SCREENS} == {}


def test_a_page_is_measured_with_its_pictures(browser):
    """A film below the window has no height until its reader comes."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto((SITE / "notebooks/1_3_overview.html").as_uri())
    at_first = page.evaluate("document.querySelector('article').scrollHeight") / 1000
    assert screens(page) > at_first + 0.1
    page.evaluate("document.querySelector('article').append(document.createElement('hr'))")
    page.add_style_tag(content="article > hr { height: 28000px }")
    assert screens(page) > MOST_SCREENS
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_buttons_of_a_cell_wait_for_pointer_or_focus(browser, scheme):
    page = browser.new_page(viewport={"width": 1300, "height": 800}, color_scheme=scheme)
    page.goto((SITE / "notebooks/1_3_2_gradient_practice.html").as_uri())
    page.add_style_tag(content="* { transition: none !important }")
    bar = page.locator(".live-bar").first
    opacity = "bar => getComputedStyle(bar).opacity"
    assert bar.evaluate(opacity) == "0"
    page.locator(".cell pre").first.hover()
    assert bar.evaluate(opacity) == "1"
    page.mouse.move(0, 0)
    bar.locator("button").first.focus()
    assert bar.evaluate(opacity) == "1"
    page.close()
    touch = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = touch.new_page()
    page.goto((SITE / "notebooks/1_3_2_gradient_practice.html").as_uri())
    assert page.locator(".live-bar").first.evaluate(opacity) == "1"
    touch.close()


def test_a_page_is_styled_once(browser):
    """A first visit knows light from dark before any script has come, and no script puts buttons in afterwards."""
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.route("**/book-script.js*", lambda route: route.abort())
        page.goto((SITE / "notebooks/1_3_2_gradient.html").as_uri())
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        names = page.locator(".cell[id^=cell-] > .live-bar > button:first-child").evaluate_all(
            "all => all.map((one) => one.getAttribute('aria-label'))"
        )
        cells = page.locator(".cell[id^=cell-]").count()
        assert names == [f"Run cell {i + 1}" for i in range(cells)] and cells > 20
        page.close()


def test_what_scrolls_sideways_can_be_reached_by_key_once_it_is_seen(narrow):
    narrow.goto((SITE / "notebooks/1_3_2_gradient.html").as_uri())
    narrow.wait_for_timeout(1000)  # all that happens by itself has happened
    wide = (
        "[...document.querySelectorAll('pre')].filter((one) => one.checkVisibility() && "
        "one.scrollWidth > one.clientWidth).map((one) => one.tabIndex)"
    )
    seen = narrow.evaluate(wide)
    assert seen and set(seen) == {0}
    narrow.evaluate("document.querySelectorAll('details.above-input').forEach((fold) => { fold.open = true; })")
    end = time.monotonic() + 10
    while len(narrow.evaluate(wide)) == len(seen) or set(narrow.evaluate(wide)) != {0}:
        assert time.monotonic() < end
        narrow.wait_for_timeout(50)


def test_figures_follow_the_scheme_of_the_page_and_not_of_the_machine(browser):
    """All but those that hold a picture of points, which are white in the dark too, and dimmed."""
    page = browser.new_page(color_scheme="light", device_scale_factor=1)
    page.goto((SITE / "notebooks/1_3_1_loss_function.html").as_uri())

    def corners(selector, within=".cell_output"):
        found = []
        for image in page.locator(f"{within} {selector}").all():
            image.scroll_into_view_if_needed()
            image.evaluate("image => image.decode()")
            with Image.open(io.BytesIO(image.screenshot())) as picture:
                width, height = picture.size
                found.append(picture.convert("RGB").getpixel((width // 2, height - 2)))
        return found

    plain, points = "img[src$='.svg']:not(.on-paper):visible", "img.on-paper:visible"
    assert set(corners(plain)) == set(corners(points)) == {(255, 255, 255)}
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.add_style_tag(content="* { transition: none !important }")
    assert set(corners(plain)) == {(0x15, 0x18, 0x1C)}
    assert {level for colour in corners(points) for level in colour} == {219}
    page.goto((SITE / "book/index.html").as_uri())
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert corners("img", ".film") == [(0x15, 0x18, 0x1C)]
    page.close()
