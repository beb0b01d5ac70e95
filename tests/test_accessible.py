"""axe-core looks at every page of the built site: light and wide, dark and narrow, with all folds open.

Run `make site` first. axe-core is served to the pages by this test only; the site does not have it.
"""

import os
from pathlib import Path

import pytest
from helpers import IN_FULL
from test_live import serve

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html"))
AXE = (ROOT / "tests/vendor/axe.min.js").read_text(encoding="utf-8")
PAGES = [path.relative_to(SITE).as_posix() for path in sorted(SITE.glob("*/*.html")) if path.parts[-2][0] != "_"]
# Colours change with the theme and places with the width: each of both is seen once.
VIEWS = [("light", 1280), ("dark", 390)]

# The rules that are not asked, and why.
RULES = {
    "empty-table-header": {"enabled": False},  # takes a formula (MathML) for nothing, and wants words in a corner
    "scrollable-region-focusable": {"enabled": False},  # a wide formula on a phone: Chromium and Firefox focus it
}
# Two thirds of the time go into contrast. Dark colours come from the style sheets that all pages share.
CONTRAST_IN_THE_DARK = PAGES if IN_FULL else PAGES[::3]
OPEN_FOLDS = """() => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.getAnimations().forEach((motion) => motion.finish()); // a colour on its way is no colour
}"""
LOOK = """async (rules) => {
  const {violations} = await axe.run(document, {resultTypes: ["violations"], elementRef: false, rules});
  return violations.flatMap(({id, nodes}) => nodes.map(({target, failureSummary, html}) =>
    `${id} (${target.join(" ")}): ${failureSummary.split("\\n").slice(1).join("; ").trim()} ${html.slice(0, 200)}`));
}"""


def faults(tab, rules=None):
    """What axe-core says about the page that is open."""
    tab.evaluate(AXE)
    tab.evaluate(OPEN_FOLDS)
    return tab.evaluate(LOOK, RULES | (rules or {}))


@pytest.fixture(scope="module")
def address():
    if not PAGES:
        pytest.fail("There is no built site: run `make site` first.")
    with serve(SITE) as server:
        yield server.address


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]}")
def view(browser, request):
    """A tab, and whether it is dark."""
    theme, width = request.param
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    yield context.new_page(), theme == "dark"
    context.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_fault(view, address, page):
    tab, dark = view
    tab.goto(address + page)
    without = {"color-contrast": {"enabled": False}} if dark and page not in CONTRAST_IN_THE_DARK else {}
    assert faults(tab, without) == []


GREY = "<p style='color: #aaa; background: #fff'>grey text</p>"
PLANTED = {
    "<button></button>": "button-name",
    "<input>": "label",
    GREY: "color-contrast",
    f"<details><summary>More</summary>{GREY}</details>": "color-contrast",
    "<img src=x>": "image-alt",
    "<iframe></iframe>": "frame-title",
}


@pytest.mark.parametrize("body, rule", PLANTED.items(), ids=PLANTED.values())
def test_a_planted_fault_is_found(browser, body, rule):
    tab = browser.new_page()
    tab.set_content(f"<html lang=en><title>A page</title><main><h1>A page</h1>{body}</main></html>")
    found = [fault.split()[0] for fault in faults(tab)]
    tab.close()
    assert found == [rule]


OUTLINE = """(() => {
  const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  return [outlineStyle, parseFloat(outlineWidth)];
})()"""


@pytest.mark.parametrize("page", ["book/index.html", "notebooks/1_3_2_gradient.html"])
def test_where_the_keyboard_is_can_be_seen(view, address, page):
    tab, _ = view
    tab.goto(address + page)
    seen = set()
    for _ in range(12):
        tab.keyboard.press("Tab")
        style, width = tab.evaluate(OUTLINE)
        assert style != "none" and width >= 2, tab.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        seen.add(tab.evaluate("document.activeElement.outerHTML"))
    assert len(seen) > 5


def test_what_says_how_far_python_is_has_no_fault_and_tells_the_time_that_is_left(view, address):
    tab, _ = view
    tab.goto(address + "notebooks/1_3_2_gradient.html")
    told = tab.evaluate(
        """async () => {
          const {Status} = await import(new URL("../_static/live/status.mjs", location.href).href);
          const status = new Status(new URL("../_static/live/", location.href).href);
          status.show({stop() {}, restart() {}});
          status.running(true);
          const now = performance.now;
          performance.now = () => 1000;
          status.progress("Python", 0.01);
          performance.now = () => 11000; // a quarter in ten seconds: thirty are left
          status.progress("Python", 0.25);
          performance.now = now;
          return document.querySelector(".live-wait").textContent;
        }"""
    )
    assert told == "Python: 25 %, 30 s left"
    assert tab.get_by_role("progressbar", name="Loading Python").is_visible()
    assert faults(tab, {"color-contrast": {"enabled": False}}) == []
