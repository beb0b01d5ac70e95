"""Drawings on dark pages: every colour of the book has a partner that can be told from the dark ground."""

import re
import urllib.parse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from mlcore.graph import Variable
from mlcore.teaching import dark, visual

ROOT = Path(__file__).resolve().parent.parent
FILLS = ["#eeeeee", "#e8e8e8", "#dddddd", "#d5e8f5", "#fde2c8"]  # which lie behind words and curves


def luminance(colour):
    parts = np.array(mpl.colors.to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    """As WCAG 2 defines it, from 1 to 21."""
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def frames_of(page):
    return [urllib.parse.unquote(frame) for frame in dark.FRAME.findall(page)]


def stored_drawings():
    """Every drawing in an output of a notebook."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if "image/svg+xml" in data:
                    yield data["image/svg+xml"]
                yield from frames_of(data.get("text/html", ""))


def test_every_colour_of_a_stored_drawing_has_a_partner():
    drawings = list(stored_drawings())
    assert len(drawings) > 200
    named = {colour for svg in drawings if not dark.keeps_its_ground(svg) for colour in dark.colours(svg)}
    assert {colour for colour in named if dark.partner(colour) == colour} == set() and len(named) > 15
    assert set(visual.COLOURS) <= set(dark.PARTNERS)


@pytest.mark.parametrize("colour", sorted(set(dark.PARTNERS) - {"#ffffff"}))
def test_partners_are_seen_on_the_dark_ground(colour):
    least = 1.05 if colour in FILLS else 3 if colour not in ("#bfbfbf", "#bbbbbb") else 2.5
    assert contrast(dark.PARTNERS[colour], dark.GROUND) >= least
    if colour in FILLS:
        assert contrast(dark.PARTNERS[colour], dark.INK) > 7  # of the words on it


def test_the_ground_is_that_of_dark_pages():
    look = (ROOT / "book/assets/look.css").read_text(encoding="utf-8")
    assert re.search(r"--pst-color-background: (#\w+)", look)[1] == dark.GROUND


def test_the_lines_of_the_book_can_be_told_from_each_other_in_the_dark():
    partners = [dark.partner(colour) for colour in visual.COLOURS]
    lightness = sorted(map(luminance, partners))
    assert len(set(partners)) == len(partners) and min(np.diff(lightness)) > 0.01


def test_a_plot_and_a_graph_have_both_colours(tmp_path):
    with mpl.rc_context():
        visual.use_style()
        plt.plot([0, 1], label="of words")
        plt.savefig(tmp_path / "plot.svg")
        plt.close("all")
    plot = dark.in_dark((tmp_path / "plot.svg").read_text(encoding="utf-8"))
    assert f'[style*="stroke: #0072b2"]{{stroke:{dark.PARTNERS["#0072b2"]}!important}}' in plot
    assert f'[style*="fill: #ffffff"]{{fill:{dark.GROUND}!important}}' in plot and f"svg{{fill:{dark.INK}}}" in plot
    graph = dark.in_dark((Variable(2.0, name="x") * 3).draw()._repr_svg_())
    assert f"rect{{fill:{dark.GROUND};stroke:{dark.INK}}}" in graph.partition(dark.DARK)[2]
    drawing = Variable(2.0, name="x").draw()._repr_svg_()
    page = visual.Frames([drawing] * 2, ["one", "two"], ["1", "2"], "step")._repr_html_()
    assert [urllib.parse.unquote(f) for f in dark.FRAME.findall(page)] == [drawing] * 2
    assert [urllib.parse.unquote(f) for f in dark.FRAME.findall(dark.frames_in_dark(page))] == [
        dark.in_dark(drawing)
    ] * 2


def test_what_holds_a_picture_or_a_sheet_stays():
    picture = '<svg><image href="data:"/><path style="fill: #ffffff"/></svg>'
    assert dark.in_dark(picture) == picture and dark.keeps_its_ground(picture)
    once = dark.in_dark('<svg><path style="fill:#fff" stroke="#000"/></svg>')
    assert dark.in_dark(once) == once
    assert '[style*="fill:#fff"]' in once and '[stroke="#000"]' in once


def test_a_colour_of_the_readers_own_and_a_name_that_looks_like_one_stay():
    svg = '<svg><path id="a" style="fill: #123456"/><use href="#abc"/><path fill="url(#fade)"/></svg>'
    assert dark.partner("#123456") == "#123456"
    assert re.findall(r"#\w+", dark.in_dark(svg).partition("<style>")[2]) == [dark.INK]
