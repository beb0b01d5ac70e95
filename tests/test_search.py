"""What a learner types into the search of the site leads to the right page, among the first three results.

This is the site's own search, in a browser. Run `make site` first: only a site that is built from nothing has the whole
index. Where there is no browser the tests are skipped, but not in a gate (the environment variable CI).
"""

import re
from functools import cache
from urllib.parse import quote

import pytest
from test_live import SITE, serve
from test_pages import entries

# Words that learners were seen to type, and where they should lead: an entry of the glossary, or a page.
TYPED = {
    "logsumexp": "log-sum-exp",
    "elementwise": "element-by-element",
    "unbroadcast": "broadcasting",
    "topological": "topological-order",
    "Hadamard": "element-by-element",
    "analytic": "analytic-gradient",
    "autodiff": "automatic-differentiation",
    "VJP": "reverse-mode",
    "Hessian": "hessian",
    "XOR": "xor",
    "plateau": "plateau",
    "global minimum": "local-and-global-minimum",
    "leaky ReLU": "relu",
    "loss not decreasing": "loss-that-does-not-fall",
    "Kaiming": "xavier-and-he-initialisation",
    "He": "xavier-and-he-initialisation",
    "Xavier": "xavier-and-he-initialisation",
    "Glorot": "xavier-and-he-initialisation",
    "fan-in": "xavier-and-he-initialisation",
    "schedule": "learning-rate-schedule",
    "warmup": "warm-up",
    "cosine annealing": "learning-rate-schedule",
    "MAE": "absolute-error",
    "BCE": "binary-cross-entropy",
    "NLL": "negative-log-likelihood",
    "normalisation": "normalisation",
    "calibration": "calibration",
    "temperature": "temperature",
    "AdamW": "book/api",  # the class itself
    "decoupled": "weight-decay",
    "softmax": "softmax",
    "gradient": "notebooks/1_3_2_gradient",
    "chain rule": "notebooks/1_3_3_chain_rule",
    "computation graph": "notebooks/1_3_4_computation_graph",
    "Adam": "adam",
    "momentum": "momentum",
    "loss function": "notebooks/1_3_1_loss_function",
    "initialization": "xavier-and-he-initialisation",
    "weight initialization": "notebooks/1_3_5_backward_propagation",
    "numerator layout": "notebooks/1_3_3_chain_rule",
}


@pytest.fixture(scope="module")
def site():
    if not (SITE / "search.html").is_file():
        pytest.fail("There is no built site: run `make site` first.")
    with serve(SITE) as server:
        yield server.address


@pytest.fixture(scope="module")
def tab(browser, site):
    """The search page, which fetches nothing for the excerpts that it shows."""
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_())
    page.goto(f"{site}search.html")
    yield page
    page.close()


def results(tab):
    """Where the results lead, when all are there."""
    tab.locator("#search-results .search-summary", has_text=re.compile("finished|did not match")).wait_for()
    links = tab.locator("#search-results ul.search > li > a")
    return links.evaluate_all("links => links.map(link => link.getAttribute('href'))")


# Search for words, wait until all results are there, and return where the first three lead. (In the page: to look at it
# from outside takes longer than the search.)
SEARCH = """async (words) => {
  const place = document.querySelector("#search-results"), done = /finished|did not match/;
  place.replaceChildren();
  Search.performSearch(words);
  for (const end = Date.now() + 45000; !done.test(place.querySelector(".search-summary")?.textContent);) {
    if (Date.now() > end) throw new Error(`no answer to ${words}`);
    await new Promise((later) => setTimeout(later, 5));
  }
  return [...place.querySelectorAll("ul.search > li > a")].slice(0, 3).map((link) => link.getAttribute("href"));
}"""


def first_three(tab, words):
    """The pages, and in the glossary the entries, to which the first three results lead."""
    return list(map(place, tab.evaluate(SEARCH, words)))


def place(address):
    page, _, anchor = address.partition("#")
    page = page.removesuffix(".html")
    return sections()[anchor] if page == "book/glossary" and anchor else page


@cache
def sections():
    """{anchor: the section of the glossary that it is in}"""
    page, found, current = (SITE / "book" / "glossary.html").read_text(encoding="utf-8"), {}, ""
    for section, inside in re.findall(r'<section id="([^"]+)"|<p id="(index-\d+)"', page):
        current = section or current
        found[inside or section] = current
    return found


@pytest.mark.parametrize("words", TYPED)
def test_what_learners_type_leads_to_the_right_page(tab, words):
    assert TYPED[words] in first_three(tab, words)


def test_every_name_in_the_glossary_leads_to_its_entry_or_its_chapter(tab):
    right = {}
    for title, (_, text) in entries().items():
        slug = re.sub(r"[^\w\s-]", "", title.lower()).replace(" ", "-")
        chapters = set(re.findall(r"notebooks/\w+(?=\.ipynb)", text))
        names = re.sub(r" \([^)]*\)|`", "", text.split("*Also called:* ")[1].strip().removesuffix(".")).split(", ")
        for name in [title, *names]:
            right.setdefault(name, {"book/glossary"}).update({slug} | chapters)
    found = {name: first_three(tab, name) for name in right}
    assert {name: places for name, places in found.items() if not right[name] & set(places)} == {}
    assert len(right) > 200


def test_what_the_book_does_not_say_is_not_found(tab):
    assert first_three(tab, "transubstantiation") == []


def test_a_reader_who_searches_arrives_at_the_entry(browser, site):
    page = browser.new_page()
    page.goto(f"{site}search.html?q={quote('fan-in')}")
    assert results(page)
    page.locator("#search-results ul.search > li > a").first.click()
    entry = page.locator("#xavier-and-he-initialisation > p").first
    entry.wait_for()
    page.wait_for_timeout(500)
    assert 0 <= entry.bounding_box()["y"] < page.viewport_size["height"]
    page.close()
