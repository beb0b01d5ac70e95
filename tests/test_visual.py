"""What the figures show: the data that was drawn is compared with the data that went in."""

import ast
import builtins
import functools
import inspect
import re
import sys
import types
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import mlcore
from mlcore import Add, Affine, Branch, MatMul, Multiply, Sigmoid, SoftmaxWithLoss, softmax
from mlcore.teaching import visual

PUBLIC = [getattr(mlcore, name) for name in mlcore.__all__]


@pytest.fixture(autouse=True)
def figures(monkeypatch):
    """The figures shown during a test; all are closed after it, and the settings restored."""
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    with mpl.rc_context():
        yield shown
    plt.close("all")


def texts(ax):
    return [t.get_text() for t in ax.texts]


# -- listings --


def without_docstrings(source):
    """The tree of some code without its docstrings: equal trees are equal code."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def docstrings(source):
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.ClassDef, ast.FunctionDef))]
    return [ast.get_docstring(n) for n in nodes]


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_a_listing_is_the_code_that_runs(thing):
    source, shown = inspect.getsource(thing), str(visual.listing(thing))
    assert without_docstrings(shown) == without_docstrings(source)
    comments = [line for line in source.splitlines() if "#" in line and ">>>" not in line]
    assert set(comments) <= set(shown.splitlines())
    for short, whole in zip(docstrings(shown), docstrings(source), strict=True):
        assert (short is None) == (whole is None)
        if short is not None:
            assert short == " ".join(whole.split("\n\n")[0].split())


def plain():
    """One line."""
    return 1  # a comment at the end


def bare():
    # a comment in front
    return 2


class Sectioned:
    """First.

    Text with a line of dashes in it:

    a -- b

    Parameters
    ----------
    x : float
    """

    def method(self, x):
        r"""Second: \alpha.

        Returns
        -------
        float
        """
        return x

    # between the methods
    def other(self):
        """Third."""


def test_a_listing_keeps_comments_and_cuts_each_docstring_down_to_its_summary():
    assert str(visual.listing(plain, bare)) == (
        'def plain():\n    """One line."""\n    return 1  # a comment at the end\n\n\n'
        "def bare():\n    # a comment in front\n    return 2"
    )
    assert str(visual.listing(Sectioned)) == (
        'class Sectioned:\n    """First."""\n\n'
        '    def method(self, x):\n        r"""Second: \\alpha."""\n        return x\n\n'
        '    # between the methods\n    def other(self):\n        """Third."""'
    )


def test_a_listing_of_a_method_is_moved_to_the_left():
    assert str(visual.listing(Sectioned.other)) == 'def other(self):\n    """Third."""'


def test_a_listing_shows_itself_highlighted_or_plain():
    listing = visual.listing(plain)
    assert repr(listing) == listing.code
    assert listing._repr_markdown_() == f"```python\n{listing.code}\n```"


def test_what_has_no_source_is_refused():
    with pytest.raises(TypeError):
        visual.listing(3)


# -- style --


def test_style_outside_a_notebook():
    visual.use_style()
    assert mpl.rcParams["figure.facecolor"] == "white" and mpl.rcParams["svg.hashsalt"] == "mlcore"
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()
    assert cycle["color"] == visual.COLOURS
    assert len(set(map(str, cycle["linestyle"]))) == len(visual.COLOURS) == len(set(visual.COLOURS))
    assert len(set(visual.MARKERS)) == 10


def test_style_in_a_terminal_and_in_a_notebook(monkeypatch):
    calls = []
    inline = types.SimpleNamespace(set_matplotlib_formats=lambda *args, **kwargs: calls.append((args, kwargs)))
    monkeypatch.setitem(sys.modules, "matplotlib_inline.backend_inline", inline)
    monkeypatch.setattr(builtins, "get_ipython", lambda: object(), raising=False)
    visual.use_style()
    assert calls == []
    monkeypatch.setattr(builtins, "get_ipython", lambda: types.SimpleNamespace(kernel=1), raising=False)
    visual.use_style()
    assert calls == [(("svg",), {"metadata": {"Date": None}})]


# -- frames --


def draw_line(h):
    _, ax = plt.subplots(figsize=(3, 2))
    ax.plot(np.linspace(0, 1, 7), np.linspace(0, 1, 7) ** 2 * h)
    ax.set(ylim=(0, 1), title="$h^2$", ylabel="a & b")
    return f'A curve that ends at {h}: "<1" & more.'


class Parts(HTMLParser):
    """Opening tags and texts of some HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data.strip())

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def svg_of(image):
    head, picture = image["src"].split(",", 1)
    assert head == "data:image/svg+xml"
    return unquote(picture)


def test_frames_show_each_value_with_its_text_and_leave_no_figure_open(figures):
    open_before = plt.figure()
    frames = visual.frames(draw_line, [0.25, 1e-05, 1], "h", start=1)
    assert figures == [] and plt.get_fignums() == [open_before.number]
    texts, labels = [draw_line(h) for h in (0.25, 1e-05, 1)], ["h = 0.25", "h = 1e-05", "h = 1"]
    assert repr(frames).splitlines() == [f"{label}: {text}" for label, text in zip(labels, texts, strict=True)]
    page = Parts(frames._repr_html_())
    images, order = page.all("img"), [1, 0, 2]  # the frame to start with stands first, before the folded ones
    assert [image["alt"] for image in images] == [texts[i] for i in order]
    assert [text for text in page.texts if text in labels] == [labels[i] for i in order]
    assert [text for text in page.texts if text in texts] == [texts[i] for i in order]
    assert len({svg_of(image) for image in images}) == 3
    (group,) = (d for d in page.all("div") if d.get("class") == "mlcore-frames")
    assert group == {"class": "mlcore-frames", "role": "group", "aria-label": "h", "data-start": "1"}
    names = [tag for tag, _ in page.tags]
    assert names.index("img") < names.index("details") < names.index("style") < names.index("script")


def bowl(x):
    return x[0] ** 2 + 4 * x[1] ** 2


def test_a_race_shows_every_path_and_tells_where_it_ends(figures, capsys):
    paths = {f"rule {k}": np.array([[-2.0, 1.0], [0.0, 0.25], [k, -0.5]]) for k in range(12)}
    visual.race(bowl, paths, (-3, 3, -1, 2))
    told = capsys.readouterr().out
    assert told.startswith("Height: rule 0 at 1.00, rule 1 at 2.00, ") and told.endswith(
        "rule 11 out of the picture.\n"
    )
    assert "rule 3 at 10.00, rule 4 out of the picture, " in told
    (ax,) = plt.gcf().axes
    assert ax.get_xlim() == (-3, 3) and ax.get_ylim() == (-1, 2)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(paths)
    trails, heads = ax.lines[::2], ax.lines[1::2]
    for trail, head, path in zip(trails, heads, paths.values(), strict=True):
        assert np.array_equal(trail.get_xydata(), path)
        assert np.array_equal(head.get_xydata(), path[-1:])
        assert trail.get_color() == head.get_color()
    assert len({head.get_marker() for head in heads}) == len(visual.MARKERS)
    (contours,) = ax.collections
    for level, curves in zip(contours.levels, contours.allsegs, strict=True):
        assert all(np.allclose(bowl(curve.T), level, atol=0.3) for curve in curves)
    assert len(contours.levels) == 6


def test_a_race_calls_only_what_is_beyond_the_edge_out_of_the_picture(figures, capsys):
    corners = {
        str(k): np.array([x]) for k, x in enumerate([(-3.0, -1.0), (3.0, 2.0), (3.1, 0.0), (0.0, -1.1), (0.0, 2.1)])
    }
    visual.race(lambda x: 0 * x[0] - 0.001, corners, (-3, 3, -1, 2))
    gone = ", ".join(f"{k} out of the picture" for k in "234")
    assert capsys.readouterr().out == f"Height: 0 at 0.00, 1 at 0.00, {gone}.\n"


def test_frames_are_the_same_at_every_run():
    visual.use_style()
    first, second = (visual.frames(draw_line, [0.25, 1], "h")._repr_html_() for _ in range(2))
    assert first == second


def test_frames_ask_for_nothing_from_elsewhere():
    page = visual.frames(draw_line, [0.25, 1], "h")._repr_html_()
    addresses = set(re.findall("https?://[^\"']+", unquote(page)))
    assert addresses == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}  # names, not places
    assert not any("src" in script for script in Parts(page).all("script"))


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def drawn(svg):
    """What an SVG draws: its elements, the numbers of their paths apart."""
    found = []
    for element in ElementTree.fromstring(svg).iter():
        name, attributes = element.tag.split("}")[1], dict(element.attrib)
        if name == "g":
            attributes.pop("id", None)
        path = attributes.pop("d", "")
        found.append((name, NUMBER.sub("n", " ".join(path.split())), attributes, NUMBER.findall(path)))
    return found


def test_a_slim_picture_draws_the_same(tmp_path):
    visual.use_style()
    text, slim = visual._frame(draw_line, 0.5)
    draw_line(0.5)
    plt.savefig(tmp_path / "a.svg", metadata={"Date": None})
    whole = (tmp_path / "a.svg").read_text(encoding="utf-8")
    metadata = re.compile("<metadata>.*</metadata>", re.DOTALL)
    assert metadata.search(whole) and len(slim) < 0.85 * len(whole)
    before, after = drawn(metadata.sub("", whole)), drawn(slim)
    assert len(after) > 50 and [element[:3] for element in before] == [element[:3] for element in after]
    numbers = [np.array([float(n) for *_, path in elements for n in path]) for elements in (before, after)]
    np.testing.assert_allclose(*numbers, rtol=0, atol=0.01)


@pytest.mark.parametrize(("value", "label"), [("Adam", "rule = Adam"), (3, "rule = 3"), (np.ones(2), "rule = [1, 1]")])
def test_a_frame_is_called_by_its_value(value, label):
    assert repr(visual.frames(lambda _: draw_line(1), [value], "rule")).startswith(f"{label}: ")


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} 1"/>'


def test_frames_may_be_pictures_from_elsewhere_and_say_whether_they_play():
    frames = visual.Frames(
        [SVG.format(1)] * 3, ["one", "two", "three"], ["a", "b", "c"], 'x < "y"', start=-1, play=True
    )
    page = Parts(frames._repr_html_())
    assert [svg_of(image) for image in page.all("img")] == [SVG.format(1)] * 3
    group = page.all("div")[0]
    assert (group["aria-label"], group["data-start"], "data-play" in group) == ('x < "y"', "2", True)


def test_what_makes_no_frames_is_refused():
    one, two = SVG.format(1), SVG.format(2)
    for texts in (["a", " "], ["a", None]):
        with pytest.raises(ValueError, match="text"):
            visual.Frames([one, one], texts, ["x", "y"], "h")
    for pictures in ([one, two], [one, "<svg/>"], ["<svg/>", "<svg/>"]):
        with pytest.raises(ValueError, match="viewBox"):
            visual.Frames(pictures, ["a", "b"], ["x", "y"], "h")
    with pytest.raises(ValueError, match="shorter"):
        visual.Frames([one, one], ["a"], ["x", "y"], "h")
    with pytest.raises(IndexError):
        visual.Frames([one, one], ["a", "b"], ["x", "y"], "h", start=2)


@pytest.mark.parametrize("count", [0, 2])
def test_a_frame_is_one_figure(count):
    with pytest.raises(ValueError, match=f"open one figure.*{count}"):
        visual.frames(lambda h: [plt.figure() for _ in range(count)], [1], "h")
    assert plt.get_fignums() == []


# -- controls --


def test_controls_show_anew_what_is_chosen(capsys):
    heights = {"low": 1, "high": 5}
    settings = {"height": (5, heights), "end": (0.5, [0.25, 0.5, 1]), "paint": ("none", [1, "none"])}
    settings |= {"doors": (2, int), "width": (3, float)}

    def wall(height, end, paint, doors, width):
        return f"a wall of {height}, up to {end}, {doors} doors, {width} wide"

    controls = visual.controls(wall, settings, code=lambda **chosen: f"wall(<{chosen['height']}>)")
    box = controls.panel()
    assert "a wall of 5, up to 0.5, 2 doors, 3.0 wide" in capsys.readouterr().out
    (height, end, paint, doors, width), shown, program = box.children[0].children, *box.children[1:]
    assert type(shown).__name__ == "Output" and "wall(&lt;5&gt;)" in program.value
    assert (type(height).__name__, height.description, height.label) == ("Dropdown", "height", "high")
    assert type(paint).__name__ == "Dropdown"  # not all are numbers
    assert (type(end).__name__, end.description, end.label) == ("SelectionSlider", "end", "0.5")
    assert not end.continuous_update
    assert (type(doors).__name__, type(width).__name__, width.value) == ("IntText", "FloatText", 3)
    height.label = "low"
    assert "a wall of 1, up to 0.5" in capsys.readouterr().out and "1" in program.value
    end.label, doors.value = "1", 7
    assert "a wall of 1, up to 1, 7 doors" in capsys.readouterr().out
    described = controls.described()
    assert not described["runs"]
    assert [(c["kind"], c["pick"], c.get("labels", c.get("whole"))) for c in described["controls"]] == [
        ("menu", 1, ["low", "high"]),
        ("slider", 1, ["0.25", "0.5", "1"]),
        ("menu", 1, ["1", "none"]),
        ("number", 2, True),
        ("number", 3, False),
    ]


def count_to(last):
    for k in range(last + 1):
        yield functools.partial(print, "now", k)


def test_what_goes_step_by_step_has_buttons(capsys):
    controls = visual.controls(count_to, {"last": (3, [1, 3])})
    _, buttons, _, _ = controls.panel().children
    play, step, again = buttons.children
    for _ in range(2):
        step.click()
    again.click()
    play.value = 1  # it does not play
    play.playing = True
    for tick in range(2, 6):
        play.value = tick
    said = [int(k) for k in re.findall(r"now (\d)", capsys.readouterr().out)]
    assert said == [0, 1, 2, 0, 1, 2, 3] and not play.playing


def test_controls_refuse_a_start_that_is_no_choice():
    with pytest.raises(ValueError, match="end must start at one of 0.25, 0.5, not at 3"):
        visual.controls(str, {"end": (3, [0.25, 0.5])})


@pytest.mark.parametrize("there", [True, False])
def test_only_a_reader_gets_controls(there, monkeypatch, capsys):
    kernel = types.SimpleNamespace(get_parent=lambda: {"content": {"allow_stdin": there}})
    monkeypatch.setattr("IPython.get_ipython", lambda: types.SimpleNamespace(kernel=kernel))
    controls = visual.controls(count_to, {"last": (3, [1, 3])})
    monkeypatch.setattr(type(controls), "panel", lambda self: print("a panel"))
    controls._ipython_display_()
    assert capsys.readouterr().out.split("\n")[0] == ("a panel" if there else "now 3")
    monkeypatch.undo()
    controls._ipython_display_()  # in plain Python nobody is there
    assert capsys.readouterr().out == "now 3\n"


def test_figures_of_controls_are_put_out_where_notebooks_show_them(figures, monkeypatch):
    flushed = []
    monkeypatch.setattr("matplotlib_inline.backend_inline.flush_figures", lambda: flushed.append(plt.get_fignums()))
    monkeypatch.setattr("matplotlib.get_backend", lambda: "module://matplotlib_inline.backend_inline")
    visual.controls(lambda: plt.figure() and None, {})._ipython_display_()
    assert len(flushed) == 1


# -- figures --


def test_history_draws_what_fit_returns(figures):
    history = {"loss": [3.0, 2.0, 1.0], "accuracy": [0.1, 0.5, 0.9]}
    history |= {"test_loss": [3.0, 2.5, 2.0], "test_accuracy": [0.0, 0.4, 0.6]}
    visual.plot_history(history, "A title")
    (figure,) = figures
    assert figure.get_suptitle() == "A title"
    for ax, name in zip(figure.axes, ["loss", "accuracy"], strict=True):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", name)
        for line, key, label in zip(ax.lines, [name, f"test_{name}"], ["training", "test"], strict=True):
            assert list(line.get_xdata()) == [1, 2, 3] and list(line.get_ydata()) == history[key]
            assert line.get_label() == label
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["training", "test"]


def test_history_without_test_data_needs_no_legend(figures):
    visual.plot_history({"loss": [1.0], "accuracy": [0.5]})
    for ax in figures[0].axes:
        assert len(ax.lines) == 1 and ax.get_legend() is None


def halves(points):
    """Scores of two classes: the sign of the first coordinate decides."""
    return np.stack([-points[:, 0], points[:, 0]], axis=1)


POINTS, LABELS = np.array([[-1.0, 0.0], [-2.0, 1.0], [1.0, 0.0], [3.0, -1.0]]), np.array([0, 0, 1, 0])


def corners(drawn):
    """All corners of a region or of a border."""
    return np.concatenate([path.vertices for path in drawn.get_paths()])


def test_decision_boundary_draws_regions_and_points(figures):
    visual.plot_decision_boundary(halves, POINTS, LABELS, "Halves")
    (ax,) = figures[0].axes
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("Halves", "$x_1$", "$x_2$")
    for k, line in enumerate(ax.lines):
        np.testing.assert_array_equal(line.get_xydata(), POINTS[k == LABELS])
        assert line.get_color() == visual.COLOURS[k] and line.get_marker() == visual.MARKERS[k]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["class 0", "class 1"]
    left, on_boundary, right = map(corners, ax.collections)
    colours = [mpl.colors.to_hex(ax.collections[i].get_facecolor()[0]) for i in (0, 2)]
    assert colours == visual.COLOURS[:2]
    assert abs(on_boundary[:, 0]).max() < 0.03
    assert on_boundary[:, 1].min() == pytest.approx(-1.1) and on_boundary[:, 1].max() == pytest.approx(1.1)
    left, right = left[:, 0], right[:, 0]
    assert left.min() == pytest.approx(-2.1) and left.max() < 0.03
    assert right.max() == pytest.approx(3.1) and right.min() > -0.03


def thirds(points):
    """Scores of three classes: left, middle and right, but below the first axis there is no middle."""
    left, right = -points[:, 0], points[:, 0]
    return np.stack([left, np.where(points[:, 1] < 0, -9, 0.5), right], axis=1)


def test_decision_boundary_shows_no_class_between_two_that_touch(figures):
    square = np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 1.0]])
    visual.plot_decision_boundary(thirds, square, np.array([0, 2, 1]))
    left, _, middle, _, right = map(corners, figures[0].axes[0].collections)
    assert middle[:, 1].min() > -0.05 and middle[:, 1].max() == pytest.approx(1.1)
    assert left[:, 1].min() == right[:, 1].min() == pytest.approx(-1.1)
    above = middle[middle[:, 1] > 0.1]
    assert above[:, 0].min() == pytest.approx(-0.5) and above[:, 0].max() == pytest.approx(0.5)


def test_decision_boundary_into_given_axes_leaves_showing_to_the_caller(figures):
    _, ax = plt.subplots()
    visual.plot_decision_boundary(halves, POINTS, LABELS, ax=ax)
    assert figures == [] and len(ax.lines) == 2 and ax.get_legend() is None


@pytest.mark.parametrize("labels", [LABELS, np.zeros(4, int), LABELS + 1])
def test_decision_boundary_of_a_classifier_that_always_says_the_same(figures, labels):
    visual.plot_decision_boundary(lambda points: np.eye(3)[np.zeros(len(points), int)], POINTS, labels)
    figures[0].canvas.draw()
    assert len(figures[0].axes[0].lines) == labels.max() + 1
    (everywhere,) = figures[0].axes[0].collections  # and no border
    low, high = POINTS.min(axis=0) - 0.1, POINTS.max(axis=0) + 0.1
    assert np.allclose(corners(everywhere).min(axis=0), low) and np.allclose(corners(everywhere).max(axis=0), high)


def test_confusion_writes_every_count_in_its_place(figures):
    counts = np.array([[50, 2, 0], [1, 40, 9], [0, 0, 30]])
    visual.plot_confusion(counts, "Confusion")
    (ax,) = figures[0].axes
    assert {(t.get_position(), t.get_text()) for t in ax.texts} == {
        ((j, i), str(counts[i, j])) for i in range(3) for j in range(3)
    }
    assert [t.get_weight() for t in ax.texts] == ["bold" if i == j else "normal" for i in range(3) for j in range(3)]
    np.testing.assert_array_equal(ax.images[0].get_array(), counts * (1 - np.eye(3)))
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("Confusion", "predicted", "true")


def test_confusion_of_a_perfect_classifier_is_blank(figures):
    visual.plot_confusion(np.diag([3, 4]))
    image = figures[0].axes[0].images[0]
    assert not image.get_array().any() and image.get_clim() == (0, 1.5)


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 1), (4, 2)])
def test_images_are_drawn_square_with_their_titles(figures, count, rows):
    images = np.arange(count * 16.0).reshape(count, 16)
    visual.plot_images(images, [f"number {k}" for k in range(count)], columns=3)
    panels = figures[0].axes
    assert len(panels) == 3 * rows
    for k, ax in enumerate(panels):
        assert not ax.axison
        assert [image.get_array().tolist() for image in ax.images] == (
            [images[k].reshape(4, 4).tolist()] if k < count else []
        )
        assert ax.get_title() == (f"number {k}" if k < count else "")


def test_images_may_come_as_squares(figures):
    visual.plot_images(np.ones((2, 4, 4)), ["a", "b"])
    assert figures[0].axes[0].images[0].get_array().shape == (4, 4)


@pytest.mark.parametrize(
    ("node", "inputs", "upstream", "names", "expected"),
    [
        (
            Multiply(),
            (np.array([2.0]), np.array([3.0])),
            (np.array([10.0]),),
            None,
            ["Multiply", "x1 = [2]", "∂L/∂x1 = [30]", "x2 = [3]", "∂L/∂x2 = [20]", "y1 = [6]", "∂L/∂y1 = [10]"],
        ),
        (
            Add(),
            (1.5, 2.0),
            (4.0,),
            ("a", "b", "c"),
            ["Add", "a = 1.5", "∂L/∂a = 4", "b = 2", "∂L/∂b = 4", "c = 3.5", "∂L/∂c = 4"],
        ),
        (
            Branch(2),
            (np.array([1.0, 2.0]),),
            (np.array([10.0, 20.0]), np.array([1.0, 1.0])),
            ("x", "y", "z"),
            [
                "Branch",
                "x = [1, 2]",
                "∂L/∂x = [11, 21]",
                "y = [1, 2]",
                "∂L/∂y = [10, 20]",
                "z = [1, 2]",
                "∂L/∂z = [1, 1]",
            ],
        ),
        (
            Sigmoid(),
            (np.zeros((2, 4)),),
            (np.ones((2, 4)),),
            None,
            ["Sigmoid", "x1 = array (2, 4)", "∂L/∂x1 = array (2, 4)", "y1 = array (2, 4)", "∂L/∂y1 = array (2, 4)"],
        ),
        (
            MatMul(np.eye(2)),
            (np.array([[1.0, 2.0]]),),
            (np.array([[3.0, 1 / 3]]),),
            ("x", "y"),
            ["MatMul", "x = [[1, 2]]", "∂L/∂x = [[3, 0.3333]]", "y = [[1, 2]]", "∂L/∂y = [[3, 0.3333]]"],
        ),
    ],
    ids=["Multiply", "Add", "Branch", "Sigmoid", "MatMul"],
)
def test_a_node_is_drawn_with_the_numbers_of_its_run(figures, node, inputs, upstream, names, expected):
    visual.draw_node(node, inputs, upstream, names)
    (ax,) = figures[0].axes
    assert [t for t in texts(ax) if t] == expected
    arrows = [t for t in ax.texts if not t.get_text()]
    assert len(arrows) == len(expected) - 1  # one forward and one back on each edge
    for forward, back in zip(arrows[::2], arrows[1::2], strict=True):
        assert forward.xy[0] > forward.xyann[0] and back.xy[0] < back.xyann[0]
        assert back.arrowprops["linestyle"] == "--" and "linestyle" not in forward.arrowprops
    assert all((t.get_style() == "italic") == t.get_text().startswith("∂") for t in ax.texts if t.get_text())


def test_every_figure_can_be_drawn(figures):
    visual.use_style()
    visual.plot_history({"loss": [1.0, 0.5], "accuracy": [0.5, 1.0]})
    visual.plot_decision_boundary(halves, POINTS, LABELS)
    visual.plot_confusion(np.eye(10, dtype=int))
    visual.plot_images(np.ones((9, 64)), list("123456789"))
    visual.draw_node(Add(), (1.0, 2.0), (3.0,))
    for figure in figures:
        figure.canvas.draw()
    assert len(figures) == 5
    assert str(visual.listing(softmax, Affine, SoftmaxWithLoss)).count("\n\n\n") == 2
