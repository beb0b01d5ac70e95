"""What a figure shows is told with its picture: anything that a reader would see to be wrong changes it."""

import json
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from mlcore.teaching import visual

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from figure_data import KEY, NUMBER, differences, drawings, drawn_alike, in_turn, told  # noqa: E402

CURVES = """
x = np.linspace(0, 3, 40)
_, (left, right) = plt.subplots(1, 2)
left.plot(x, np.exp(-x), label="loss")
left.plot(x, x / 3, "o", label="accuracy")
left.set(xlabel="epoch", ylabel="loss", ylim=(0, 1.2), title="Training")
left.legend()
left.annotate("here", (1, 0.4))
right.semilogy(x, np.exp(-5 * x))
right.fill_between(x, 1e-4, 1e-2)
"""
OTHERS = """
x = np.arange(12.0).reshape(3, 4)
_, (one, two, three, four) = plt.subplots(1, 4)
one.imshow(x, cmap="Oranges")
one.set_xticks([0, 3], ["a", "b"])
two.bar(range(4), x[1])
three.contour(np.add.outer(np.arange(9.0) ** 2, np.arange(8.0)), [5, 20])
three.text(2, 3, "valley")
four.scatter(x[0], x[1], c=x[2])
four.vlines([1, 2], 0, 5)
"""
FAULTS = [
    (CURVES, 'np.exp(-x), label="loss"', '0 * x, label="loss"', "axes 1: line 'loss' #0072b2 -, 40 points"),
    (CURVES, "np.exp(-x)", "np.exp(-1.05 * x)", "axes 1: line 'loss'"),
    (CURVES, "np.exp(-x)", "np.exp(-x)[::-1]", "axes 1: line 'loss'"),
    (CURVES, "x / 3", "np.where(x == x[7], 0.9, x / 3)", "axes 1: line 'accuracy'"),
    (CURVES, "x / 3", "x / 3 + 0.05 * np.random.default_rng().normal(size=40)", "axes 1: line 'accuracy'"),
    (CURVES, "x / 3", "np.where(x == x[7], np.nan, x / 3)", "missing: 1"),
    (CURVES, "ylim=(0, 1.2)", "ylim=(0, 1.3)", "axes 1: y axis 'loss', linear, limits 0 1.3"),
    (CURVES, "left.legend()", "", "axes 1: legend 'loss' #0072b2 -, 'accuracy' #d55e00 o; now:"),
    (CURVES, 'label="accuracy"', 'label="error"', "'error'"),
    (CURVES, 'xlabel="epoch"', 'xlabel="step"', "x axis 'step'"),
    (CURVES, "semilogy", "plot", "axes 2: y axis '', log"),
    (CURVES, "-5 * x", "-5.2 * x", "axes 2:"),
    (CURVES, "1e-4, 1e-2", "1e-4, 2e-2", "axes 2: filled"),
    (CURVES, "(1, 0.4)", "(1, 0.5)", "axes 1: words 'here'"),
    (CURVES, '"Training"', '"Test"', "axes 1: title 'Test'"),
    (CURVES, 'left.plot(x, x / 3, "o", label="accuracy")', "", "axes 1:"),
    (OTHERS, "one.imshow(x", "one.imshow(x[::-1]", "axes 1: image, shape (3, 4), shades"),
    (OTHERS, 'cmap="Oranges"', 'cmap="gray"', "axes 1: image #000000 #808080 #ffffff, colours"),
    (OTHERS, '["a", "b"]', '["b", "a"]', "axes 1: x axis, ticks ['a', 'b']; now"),
    (OTHERS, "x[1])\nthree", "x[2])\nthree", "axes 2:"),
    (OTHERS, "two.bar(range(4), x[1])", "", "axes 2:"),
    (OTHERS, "[5, 20]", "[5, 25]", "axes 3: contours #440154 #fde725, levels 5 20; now"),
    (OTHERS, "** 2", "** 1.9", "axes 3: contours"),
    (OTHERS, "2, 3, ", "2, 4, ", "axes 3: words 'valley'"),
    (OTHERS, "c=x[2]", "c=x[2][::-1]", "axes 4:"),
    (OTHERS, "x[0], x[1], c", "x[0], x[1][::-1], c", "axes 4: pathcollection"),
    (OTHERS, "vlines([1, 2]", "vlines([1, 2.5]", "axes 4: linecollection"),
]


def shown(source):
    """What the figure shows that this code draws."""
    with mpl.rc_context():
        visual.use_style()
        exec(source, {"np": np, "plt": plt})
        lines = told(plt.gcf())
        plt.close("all")
    return "\n".join(["drawn by Matplotlib", *lines])


@pytest.mark.parametrize("source, old, new, words", FAULTS, ids=[f"{old}-{new}" for _, old, new, _ in FAULTS])
def test_what_is_wrong_in_a_figure_is_said(source, old, new, words):
    assert source.count(old) == 1
    before = shown(source)
    assert list(differences(before, shown(source))) == []
    said = "\n".join(differences(before, shown(source.replace(old, new))))
    assert words in said


def test_an_empty_figure_and_one_that_is_swapped_differ():
    assert list(differences(shown(CURVES), shown("plt.figure()")))
    assert list(differences(shown(CURVES), shown(OTHERS)))
    assert list(differences(shown(CURVES), ""))


def test_of_a_chaotic_curve_the_points_are_not_compared():
    before, after = shown(CURVES), shown(CURVES.replace("np.exp(-x)", "np.sin(x)"))
    assert list(differences(before, after)) and not list(differences(before, after, "line 'loss'"))
    assert list(differences(before, after.replace("'loss' #0072b2", "'other' #0072b2"), "line 'loss'"))


def test_rounding_errors_are_no_difference():
    for source in (CURVES, OTHERS):
        assert list(differences(shown(source), shown(source.replace("x)", "x * (1 + 1e-12))")))) == []
    noise = "plt.plot([0, 1, 2], [0.{}, 0.5, 1])"
    assert list(differences(shown(noise.format("25")), shown(noise.format("250001")))) == []


def test_frames_are_compared_one_by_one():
    def player(heights):
        lines = [shown(f"plt.plot([0, {h}])\nplt.ylim(0, 3)").splitlines()[1:] for h in heights]
        return "\n".join(["drawn by Matplotlib", *in_turn(lines)])

    before = player([1, 2, 2, 3])
    assert before.count("line #0072b2") == 3
    assert list(differences(before, player([1, 2, 2.000001, 3]))) == []
    (said,) = differences(before, player([1, 2, 1, 3]))
    assert said.startswith("frame 3, stored: axes 1: line #0072b2 -, 2 points: x 0.0455 0.9545")
    assert list(differences(before, player([1, 2, 2]))) and list(differences(before, player([1, 2, 2, 3, 3])))


def test_pictures_of_one_version_are_compared_up_to_half_a_pixel():
    svg = '<path id="m0123456789" d="M 1.25 -2 L 300 7.5"/><use xlink:href="#m0123456789"/>'
    assert drawn_alike(svg, svg)
    assert drawn_alike(svg, svg.replace("300", "300.2").replace("m0123456789", "mabcdef0123"))
    assert not drawn_alike(svg, svg.replace("300", "301"))
    assert not drawn_alike(svg, svg.replace("-2", "2"))
    assert not drawn_alike(svg, svg.replace("/><use", ' style="x"/><use'))
    assert not drawn_alike(svg, "")


def outputs():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                yield f"{path.stem} {cell['id']}", output


def test_what_is_shown_is_stored_with_every_figure_by_matplotlib():
    by_matplotlib = [
        (name, "\n".join(output["metadata"].get(KEY, [])))
        for name, output in outputs()
        if any("xlink" in svg for svg in drawings(output.get("data", {})))
    ]
    assert len(by_matplotlib) > 50
    assert [name for name, text in by_matplotlib if len(NUMBER.findall(text)) < 6 or " nothing" in text] == []
    assert len([name for name, output in outputs() if KEY in output.get("metadata", {})]) == len(by_matplotlib)
