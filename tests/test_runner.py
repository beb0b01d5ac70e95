"""What runs the cells of a page, in plain Python: the page itself is tried in `test_live.py`."""

import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parent.parent / "book" / "assets" / "live" / "runner.py"
spec = importlib.util.spec_from_file_location("runner", FILE)
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)


@pytest.fixture
def page():
    said = []
    page = runner.Page(lambda kind, value: said.append((kind, value)))
    page.said = said
    return page


def put_out(page, source):
    page.said.clear()
    page.run([source], 0)
    return page.said


def test_what_is_put_out_comes_in_order(page):
    source = "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c', end='')\n1 + 1"
    assert put_out(page, source) == [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c"), ("text", "2")]


def test_a_line_comes_before_the_cell_ends(page):
    page.names["said"] = page.said
    assert put_out(page, "print('begun')\nprint(len(said))") == [("stdout", "begun\n"), ("stdout", "1\n")]


def test_the_richest_form_is_shown(page):
    source = "class A:\n    def _repr_svg_(self): return '<svg/>'\n    def _repr_markdown_(self): return 'x'\nA()"
    assert put_out(page, source) == [("svg", "<svg/>")]
    assert put_out(page, "A") == [("text", "<class '__main__.A'>")]
    assert put_out(page, "None") == put_out(page, "x = 1") == put_out(page, "") == []


def test_too_much_output_is_cut(page):
    put_out(page, "for _ in range(10_000): print('x' * 99)")
    text = "".join(value for _, value in page.said)
    assert len(text) < runner.LONGEST_OUTPUT + 200 and text.endswith("it is not shown.\n")
    assert len(page.said) < 2 * runner.AT_ONCE


def test_figures_stand_where_they_are_shown_and_say_what_is_in_them(page):
    pytest.importorskip("matplotlib.pyplot").switch_backend("agg")
    source = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2], label='a line')\nplt.xlabel('x')\nplt.show()\nprint(1)\n"
    )
    figure, number, last = put_out(page, source + "plt.plot([3])\nNone")
    assert (figure[0], number, last[0]) == ("figure", ("stdout", "1\n"), "figure")
    assert "<title>x axis: x; 1 line; a line</title>" in figure[1]
    assert put_out(page, "plt.figure()")[0][0] == "figure"
    assert [kind for kind, _ in put_out(page, "plt.figure()\n1 / 0")] == ["error"]
    assert not sys.modules["matplotlib.pyplot"].get_fignums()


def test_a_traceback_has_the_readers_lines_only(page):
    ((kind, text),) = put_out(page, "import json\ndef f():\n    json.loads('{')\nf()")
    assert kind == "error" and text.count("File ") == 2 == text.count('File "<cell 1>"')
    assert text.splitlines()[-1].startswith("json.decoder.JSONDecodeError: ")
    source = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('no') from e"
    assert "direct cause" in put_out(page, source)[0][1] and put_out(page, source)[0][1].count("<cell 1>") == 2
    assert "SyntaxError" in put_out(page, "x = (")[0][1]
    assert "SystemExit" in put_out(page, "exit = None\nraise SystemExit")[0][1]


@pytest.mark.parametrize(
    ("cells", "needed"),
    [
        (["import math", "x = 1", "y = 2", "math.sqrt(x)"], [0, 1]),  # what makes a name that is used
        (["x = []", "x.append(1)", "y = 1", "x"], [0, 1]),  # what may have changed it
        (["x = 1", "x.append(1)", "x = 2", "x"], [2]),  # not what is made anew afterwards
        (["x = 1", "if y:\n    x = 2", "y = 1", "x"], [0, 1]),  # perhaps it is not
        (["x = 1", "x += 1", "x"], [0, 1]),
        (["w = 1", "def f():\n    return w", "w = 2", "f()"], [1, 2]),  # what a function uses when it is called
        (["w = 1", "def f():\n    return w\nf()"], [0]),
        (["x = []", "def f():\n    x.append(1)", "f()", "x"], [0, 1, 2]),  # or changes
        (["w = 1", "def f():\n    return g()", "def g():\n    return w", "f()"], [0, 1, 2]),
        (["name = 1", "for name in 'ab':\n    print(name)"], []),
        (["x = 1", "[x for x in range(3)]"], []),
        (["import numpy as np", "np.zeros(3)", "np.ones(3)"], [0]),  # a module is not changed by its use
        (["x = (", "y = 1"], [0]),  # an error in an earlier cell must come to light
        (["x = 1", "del x", "x"], [0, 1]),
    ],
)
def test_needed_cells(cells, needed):
    assert runner.needs(cells, len(cells) - 1) == needed


def test_cells_run_once_and_again_when_they_or_what_they_need_has_changed(page):
    cells = ["x = 1", "y = x", "y"]
    assert page.plan(cells, 2) == [0, 1, 2]
    for i in page.plan(cells, 2):
        assert page.run(cells, i)
    assert page.plan(cells, 2) == [2]
    cells[0] = "x = 2"
    assert page.plan(cells, 2) == [0, 1, 2]
    page.run(cells, 0)
    assert page.plan(cells, 2) == [1, 2]
    assert not page.run(["1 / 0"], 0) and 0 not in page.ran


@pytest.mark.parametrize(
    "source", ["return 1", "break", "def f():\n    yield x\n    nonlocal y", "await f()", "x = '\0'", "1 = x"]
)
def test_what_cannot_be_compiled_is_the_readers_error_and_nothing_is_lost(page, source):
    page.run(["x = 1"], 0)
    assert runner.needs(["x = 1", source, "x"], 2) == [0, 1]  # it has to come to light
    assert not page.run(["x = 1", source], 1)
    kind, text = page.said[-1]
    assert kind == "error" and ("SyntaxError" in text or "ValueError" in text)
    assert page.names["x"] == 1 and page.run(["x = 1", source, "x"], 2)


HIDDEN = """
import math
class Base:
    shared = 1
class Box(Base):
    def __init__(self): self.inside, self.part = 1, math
    @property
    def costly(self): asked.append(1); return math
    def __getattr__(self, name): asked.append(name)
    def __dir__(self): asked.append("dir"); return []
    def opened(self): return 1
class Tight: __slots__ = ("held",)
box, tight, asked, _own = Box(), Tight(), [], 1
"""


def test_names_that_may_follow_are_seen_without_running_anything(page):
    page.run([HIDDEN], 0)
    assert {"box", "math", "print", "lambda"} <= set(page.complete("bo")) and "_own" not in page.complete("")
    assert "_own" in page.complete("_o") and "__init__" in page.complete("box._")
    assert page.complete("box.") == ["costly", "inside", "opened", "part", "shared"]
    assert page.complete("Box.") == ["costly", "opened", "shared"]
    assert "sqrt" in page.complete("box.part.sq") and page.complete("tight.") == ["held"]
    for words in ("box.costly.", "tight.held.", "nothing.", "box.missing.", "box.opened.x", "1.", ".", "a..b"):
        assert page.complete(words) == []
    assert page.names["asked"] == []


def test_what_readers_know_from_notebooks(page):
    assert put_out(page, "%matplotlib inline\nprint(1)") == [("stdout", "1\n")]
    assert "microseconds (the best of 3" in put_out(page, "%timeit sum([1, 2])")[0][1]
    assert "Return the sum" in "".join(value for _, value in put_out(page, "sum?"))
    assert put_out(page, "display('a', 2)") == [("text", "'a'"), ("text", "2")]
    for source in ("!pip install torch", "%load_ext x"):
        assert "which a page does not have" in put_out(page, source)[0][1]
    assert "This page has NumPy" in put_out(page, "import no_such_module")[0][1]
    assert "write the value into the code" in put_out(page, "input('?')")[0][1]
