"""The one small style sheet of the site shows every page just as the many large ones would. Run `make site` first."""

import re

import pytest
from test_live import PRACTICE, SITE

PAGES = ["book/index.html", PRACTICE, "book/notation.html", "search.html"]

STILL = "*, ::before, ::after { transition: none !important; animation: none !important; }"

# How each element and pseudo-element looks: the values of all properties. Returns how many these are; called again,
# what has changed since.
LOOKS = """() => {
  const keys = [...getComputedStyle(document.body)].filter((key) => !key.startsWith("--"));
  const looks = [...document.querySelectorAll("body, body *")].flatMap((element) =>
    ["", "::before", "::after"].flatMap((part) => {
      const style = getComputedStyle(element, part);
      const name = `${element.tagName}.${element.getAttribute("class")}${part}`;
      return part && style.content === "none" ? [] : [{name, values: keys.map((key) => style.getPropertyValue(key))}];
    }));
  const before = window.looks;
  window.looks = looks;
  if (!before) return looks.length * keys.length;
  if (looks.length !== before.length) return [`${before.length} elements with a look, then ${looks.length}`];
  return looks.flatMap(({name, values}, i) => values.flatMap((value, k) => {
    const was = before[i].values[k];
    return value === was ? [] : [`${before[i].name}: ${keys[k]}: ${was} / ${name}: ${value}`];
  }));
}"""

# Put the sheets that it was made of in the place of the one.
EXCHANGE = """(sheets) => {
  const small = document.querySelector("link[href*='book-styles.css']");
  return Promise.all(sheets.map((sheet) => new Promise((done, fail) => {
    const link = Object.assign(document.createElement("link"), {rel: "stylesheet", onload: done, onerror: fail});
    link.href = small.href.replace(/_static\\/book-styles\\.css.*/, sheet);
    small.before(link);
  }))).then(() => small.remove());
}"""


def sheets():
    first = (SITE / "_static/book-styles.css").read_text(encoding="utf-8").partition("\n")[0]
    return re.findall(r"\S+\.css", first)


@pytest.mark.parametrize(("address", "width"), [(address, 1300) for address in PAGES] + [("book/index.html", 390)])
def test_no_rule_that_a_page_uses_is_missing(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.goto((SITE / address).as_uri())
    page.add_style_tag(content=STILL)
    assert page.evaluate(LOOKS) > 10_000
    page.evaluate(EXCHANGE, sheets())
    assert page.evaluate(LOOKS)[:5] == []
    page.close()


def test_a_missing_rule_would_be_seen(browser):
    page = browser.new_page()
    page.goto((SITE / "search.html").as_uri())
    page.add_style_tag(content=STILL)
    page.evaluate(LOOKS)
    page.add_style_tag(content="h1 { letter-spacing: 3px }")
    assert any("letter-spacing: normal / H1" in look for look in page.evaluate(LOOKS))
    page.close()
