"""Controls in the page: sliders, menus and fields that call the page's Python, and the playground."""

import re

import pytest
from test_accessible import faults
from test_live import Reader, cdn, site  # noqa: F401

CHAPTER, CELL = "notebooks/1_4_putting_it_together.html", "spiral-data"
OWN = """
import time
from mlcore.teaching.controls import controls

calls = []

def show(a, kind, n):
    calls.append(a)
    time.sleep(0.2)
    while kind == "endless":
        pass
    if kind == "bad":
        raise ValueError("no such kind")
    print(f"a {a}, {kind}, n {n}; calls: {len(calls)}")

controls(show, {"a": (0.5, [0, 0.5, *range(1, 11)]), "kind": ("good", ["good", "bad", "endless"]), "n": (1, int)})
"""


@pytest.fixture(scope="module")
def reader(browser, site):  # noqa: F811
    someone = Reader(browser, site.address + CHAPTER, color_scheme="dark")
    yield someone
    assert someone.said == []
    someone.context.close()


def box(reader, name):
    return reader.cell(name).locator(".live-controls")


def shows(reader, name, words):
    box(reader, name).locator(".live-shown").get_by_text(words).wait_for()
    return box(reader, name).locator(".live-shown").inner_text()


def test_controls_call_the_function_and_the_latest_value_wins(reader):
    reader.edit(CELL, OWN)
    reader.run(CELL)
    assert "a 0.5, good, n 1; calls: 1" in shows(reader, CELL, "calls")
    group = reader.cell(CELL).get_by_role("group", name="Controls: a, kind, n")
    slider = group.get_by_role("slider", name="a", exact=True)
    assert slider.get_attribute("aria-valuetext") == "0.5"
    slider.focus()
    for _ in range(10):
        reader.tab.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "10"
    calls = int(shows(reader, CELL, "a 10, good").split()[-1])
    assert calls < 11  # what was picked while a call was under way has waited, and only the last of it counts
    assert slider.evaluate("field => field === document.activeElement")
    assert group.locator(".live-shown").get_attribute("aria-live") == "polite"
    group.get_by_role("spinbutton", name="n", exact=True).fill("7")
    shows(reader, CELL, re.compile("a 10, good, n 7"))
    menu = group.get_by_role("combobox", name="kind")
    menu.select_option("bad")
    text = shows(reader, CELL, "ValueError: no such kind")
    assert "good" not in text and 'File "<cell 2>"' in text and "runner" not in text
    menu.select_option("good")
    assert "Error" not in shows(reader, CELL, "a 10, good, n 7")
    assert faults(reader.tab) == []


def test_a_call_that_does_not_end_is_stopped_and_reset_removes_the_controls(reader):
    box(reader, CELL).get_by_role("combobox").select_option("endless")
    reader.tab.locator(".live-stop").click()
    assert "is lost" in reader.status()
    assert "run this cell again" in box(reader, CELL).inner_text()
    assert box(reader, CELL).get_by_role("slider").is_disabled()
    reader.run(CELL)
    assert "a 0.5, good, n 1; calls: 1" in reader.output(CELL), reader.status()
    box(reader, CELL).get_by_role("slider").press("ArrowRight")
    shows(reader, CELL, re.compile("a 1, good"))
    reader.button(CELL, "Reset").click()
    assert box(reader, CELL).count() == 0 and "points in each class" in reader.output(CELL)


def test_the_playground_trains_steps_and_stops(reader):
    assert "epoch 300" in reader.output("playground")  # what the book stores is the end
    reader.run("playground")
    shows(reader, "playground", "before training: loss 1.")
    group = box(reader, "playground")
    assert group.get_by_role("img").get_attribute("alt").startswith("Figure drawn with the settings above. Its words:")
    for _ in range(2):
        group.get_by_role("button", name="Step").click()
        group.get_by_text(re.compile("epoch [12]0: ")).wait_for()
    shows(reader, "playground", "epoch 20: ")
    run = group.get_by_role("button", name="Run", exact=True)
    run.click()
    group.get_by_role("button", name="Stop").click()  # at once: it may be faster than we look
    run.wait_for()
    reader.tab.wait_for_timeout(3000)
    before = group.locator(".live-shown").inner_text()
    reader.tab.wait_for_timeout(1000)
    assert group.locator(".live-shown").inner_text() == before and "epoch 300" not in before and run.is_visible()
    group.get_by_role("button", name="Start over").click()
    assert before != shows(reader, "playground", "before training: loss 1.")
    group.get_by_role("combobox", name="data").select_option("moons")
    run.click()
    line = shows(reader, "playground", "epoch 300: ").splitlines()[0]
    run.wait_for()
    assert float(re.search(r"([\d.]+)% right", line)[1]) > 95
    assert faults(reader.tab) == []
    program = group.locator(".live-program pre").text_content()
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    group.locator(".live-program").evaluate("fold => { fold.open = true; }")
    group.get_by_role("button", name="Copy").click()
    group.get_by_role("button", name="Copied").wait_for()
    assert reader.tab.evaluate("navigator.clipboard.readText()") == program
    reader.edit(CELL, program)
    reader.run(CELL)
    assert line in reader.output(CELL).splitlines()  # the program that is shown is the one that ran
    reader.button(CELL, "Reset").click()


STEPS = """
from functools import partial
from mlcore.teaching.controls import controls

def count(last):
    yield from (partial(print, "at", k) for k in range(last + 1))

controls(count, {"last": (2, int)})
"""


def test_what_has_come_to_its_end_stops_and_begins_again(reader):
    reader.edit(CELL, STEPS)
    reader.run(CELL)
    run = box(reader, CELL).get_by_role("button", name="Run")
    for last in ("2", "1"):
        run.click()
        shows(reader, CELL, f"at {last}")
        run.wait_for()
        box(reader, CELL).get_by_role("spinbutton").fill("1")
        shows(reader, CELL, "at 0")
    reader.button(CELL, "Reset").click()
