"""The picture that goes with a link to a page: its title, and its first figure that Matplotlib has drawn.

Matplotlib draws it again, out of its own SVG: paths, their copies and texts, with their transforms, styles and clips.
"""

import re
import textwrap
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

SIZE = 1200, 630
BOX = 560, 60, 590, 510  # of the figure: left, top, width, height
ACCENT, INK, PAPER = "#00659e", "#222832", "#ffffff"
HREF = "{http://www.w3.org/1999/xlink}href"
CODES = {"M": [Path.MOVETO], "L": [Path.LINETO], "Q": [Path.CURVE3] * 2, "C": [Path.CURVE4] * 3}


def name(pagename):
    return f"card-{pagename.rpartition('/')[2]}.png"


def first_figure(page):
    """The first figure that can be drawn here, as SVG; `page` is a file."""
    for file in re.findall(r'_images/([0-9a-f]{64}\.svg)"', page.read_text(encoding="utf-8")):
        svg = (page.parents[1] / "_images" / file).read_text(encoding="utf-8")
        if "Matplotlib" in svg and not re.search(r"<(image|text|pattern)\b", svg):
            return svg
    return None


def path_of(text):
    vertices, codes = [], []
    for letter, numbers in re.findall(r"([MLQCz])([^MLQCz]*)", text):
        points = [float(number) for number in numbers.split()]
        pairs = list(zip(points[::2], points[1::2], strict=True)) or [(0, 0)]
        vertices += pairs
        codes += CODES.get(letter, [Path.CLOSEPOLY])
    return Path(np.reshape(vertices, (-1, 2)), codes)


def transform_of(text):
    """`translate(1 2) scale(3)`: the last one is done first."""
    whole = Affine2D()
    for kind, numbers in reversed(re.findall(r"(\w+)\(([^)]*)\)", text or "")):
        a = [float(number) for number in re.split(r"[ ,]+", numbers.strip())]
        if kind == "translate":
            whole.translate(a[0], a[1] if len(a) > 1 else 0)
        elif kind == "scale":
            whole.scale(*a)
        elif kind == "rotate":
            whole.rotate_deg(a[0])
        else:
            raise ValueError(f"a transform is not known: {kind}")
    return whole


def style_of(element, inherited):
    pairs = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    return inherited | {key.strip(): value.strip() for key, value in pairs}


class Drawing:
    def __init__(self, svg, axes, box):
        self.axes, tree = axes, ElementTree.fromstring(svg)
        self.known = {element.get("id"): element for element in tree.iter() if element.get("id")}
        _, _, width, height = map(float, tree.get("viewBox").split())
        self.scale = min(box[2] / width, box[3] / height)
        left, top = box[0] + (box[2] - self.scale * width) / 2, box[1] + (box[3] - self.scale * height) / 2
        self.whole = Affine2D().scale(self.scale).translate(left, top)
        self.walk(tree, self.whole, {})

    def walk(self, element, outer, inherited):
        tag, style = element.tag.rpartition("}")[2], style_of(element, inherited)
        inner = transform_of(element.get("transform")) + outer
        if tag == "path":
            self.add(path_of(element.get("d", "")), inner, style, element.get("clip-path"))
        elif tag == "use":
            moved = Affine2D().translate(float(element.get("x", 0)), float(element.get("y", 0))) + inner
            self.walk(self.known[element.get(HREF)[1:]], moved, style)
        elif tag in ("svg", "g"):
            for child in element:
                self.walk(child, inner, style | {"clip": element.get("clip-path", style.get("clip"))})

    def add(self, path, transform, style, clip):
        if not len(path.vertices):
            return  # a blank
        line = style.get("stroke", "none")
        patch = PathPatch(
            path,
            transform=transform + self.axes.transData,
            facecolor=style.get("fill", "#000000"),
            edgecolor=line,
            linewidth=float(style.get("stroke-width", 1)) * self.scale * 72 / 100 if line != "none" else 0,
            alpha=float(style.get("opacity", style.get("fill-opacity", 1))),
            capstyle="butt",
        )
        if (dashes := style.get("stroke-dasharray", "none")) != "none":
            width = float(style.get("stroke-width", 1))
            patch.set_linestyle((0, [float(n) / width for n in re.split(r"[ ,]+", dashes)]))
        self.axes.add_patch(patch)
        if clip := clip or style.get("clip"):
            x, y, w, h = (float(self.known[clip[5:-1]][0].get(key)) for key in ("x", "y", "width", "height"))
            patch.set_clip_path(
                Path([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)]), self.whole + self.axes.transData
            )


def draw(title, book, svg, target):
    """Write the picture: the title, the figure if there is one, and the name of the book."""
    with mpl.rc_context({"path.simplify": True}):
        size = SIZE[0] / 100, SIZE[1] / 100
        figure = Figure(figsize=size, dpi=100, facecolor=PAPER, layout="none")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))
        axes.axis("off")
        if svg:
            Drawing(svg, axes, BOX)
        axes.add_patch(mpl.patches.Rectangle((0, 0), 18, SIZE[1], color=ACCENT))
        words = {"family": ["DejaVu Serif"], "color": INK, "va": "top"}
        lines = textwrap.wrap(title, 15 if svg else 32)
        axes.text(70, 90, "\n".join(lines), size=36, weight="bold", linespacing=1.25, **words)
        axes.text(70, 550, book, size=18, **(words | {"color": ACCENT}))
        FigureCanvasAgg(figure)
        figure.savefig(target, metadata={"Software": None})
