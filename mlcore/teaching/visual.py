"""What the chapters draw and print with: the only module that imports Matplotlib.

Every picture is drawn from arrays that were computed, tells its parts apart by shape as well as by colour, and
has an opaque white ground, so that it is legible wherever it is shown; the site's pages know more (`dark.py`).
"""

import ast
import html
import inspect
import io
import itertools
import re
import textwrap
from importlib.resources import files
from urllib.parse import quote

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from mlcore.teaching.controls import controls as controls
from mlcore.teaching.dark import PLAIN

# Okabe and Ito's palette: distinct with every kind of colour vision; line styles and markers say the same in grey.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
LINES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))]
MARKERS = ["o", "^", "s", "D", "v", "P", "X", "*", "<", ">"]


def use_style():
    """Set the look of all figures of the book; in a notebook also crisp SVG, the same at every run."""
    mpl.rcParams.update(
        {
            "axes.grid": True,
            "axes.prop_cycle": mpl.cycler(color=COLOURS, linestyle=LINES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "figure.figsize": (6.4, 3.6),
            "font.size": 11,
            "grid.color": "#dddddd",
            "legend.frameon": False,
            "lines.linewidth": 2,
            "svg.hashsalt": "mlcore",
        }
    )
    try:
        shell = get_ipython()  # IPython puts this name among the builtins
    except NameError:
        return
    if hasattr(shell, "kernel"):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None})


class Listing:
    """Source code that shows itself highlighted where that is possible, and as plain text elsewhere."""

    def __init__(self, code):
        self.code = code

    def __repr__(self):
        return self.code

    def _repr_markdown_(self):
        return f"```python\n{self.code}\n```"


def listing(*objects):
    """Return the source of functions or classes as it runs, docstrings cut down to their summaries.

    Parameters
    ----------
    *objects : function or class
        What to list.

    Returns
    -------
    Listing
        Shows itself at the end of a notebook cell.

    Examples
    --------
    >>> from mlcore import softmax
    >>> print(str(listing(softmax)).splitlines()[-1].strip())
    return e / e.sum(axis=-1, keepdims=True)
    """
    return Listing("\n\n\n".join(_source_without_reference(o) for o in objects))


def _source_without_reference(thing):
    """Source of `thing`, each docstring cut down to its summary: the equations stand in the text around it."""
    source = textwrap.dedent(inspect.getsource(thing))
    lines = source.splitlines()
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    documented = [node for node in nodes if ast.get_docstring(node) is not None]
    for node in sorted(documented, key=lambda node: node.lineno, reverse=True):  # from the end: line numbers stay right
        docstring = node.body[0]
        lines[docstring.lineno - 1 : docstring.end_lineno] = [" " * docstring.col_offset + _summary(node)]
    return "\n".join(lines)


def _summary(node):
    """First paragraph of the docstring of a class or function, in its quotes."""
    summary = " ".join(ast.get_docstring(node).split("\n\n")[0].split())
    return f'r"""{summary}"""' if "\\" in summary else f'"""{summary}"""'


class Frames:
    """Pictures that differ by one value, shown with a slider and buttons, each with its text.

    This is the mechanism behind :func:`frames`, for pictures that were not drawn with Matplotlib. Where no script may
    run, the first frame is seen and the others are folded below it; the script in `player.html` makes them a
    player. It never plays by itself: a page on which something moves is hard to read.

    Parameters
    ----------
    pictures : sequence of str
        Whole SVG documents, all with the same `viewBox`, so that nothing moves but what they show.
    texts : sequence of str
        What is seen in each picture, with its numbers.
    labels : sequence of str
        What each frame is called, such as "h = 0.1".
    name : str
        What the slider changes.
    start : int, default 0
        Index of the frame that is seen first; a negative one counts from the end.
    play : bool, default False
        Whether there is a Play button, for what is a motion.
    """

    def __init__(self, pictures, texts, labels, name, *, start=0, play=False):
        self.frames = list(zip(labels, texts, pictures, strict=True))
        self.name, self.start, self.play = name, range(len(self.frames))[start], play
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError("every frame needs a text that says what is seen in it")
        sizes = {re.search('viewBox="[^"]*"|$', picture).group() for picture in pictures}
        if len(sizes) != 1 or "" in sizes:
            raise ValueError(f"all pictures must have one and the same viewBox, not {sorted(sizes)}")

    def __repr__(self):
        return "\n".join(f"{label}: {text}" for label, text, _ in self.frames)

    def _repr_html_(self):
        name, figures = html.escape(self.name), [self._figure(*frame) for frame in self.frames]
        first = figures.pop(self.start)
        attributes = f'role="group" aria-label="{name}" data-start="{self.start}"' + " data-play" * self.play
        others = [f"<details><summary>The other frames: {len(figures)}</summary>", *figures, "</details>"]
        player = (files("mlcore.teaching") / "player.html").read_text(encoding="utf-8")
        return "\n".join([f'<div class="mlcore-frames" {attributes}>', first, *others, "</div>", player])

    @staticmethod
    def _figure(label, text, picture):
        address = quote(picture, safe=PLAIN)  # unlike base64 it compresses well, alike as frames are
        label, text = html.escape(label), html.escape(text)
        image = f"<img src='data:image/svg+xml,{address}' alt=\"{text}\">"
        return f"<figure>{image}<figcaption><b>{label}</b><br> {text}</figcaption></figure>"


def frames(draw, values, name, *, start=0, play=False):
    """Draw one frame for each value; the reader moves between them by a slider, buttons or keys.

    Parameters
    ----------
    draw : callable
        `draw(value)` opens one figure with Matplotlib, does not show it, and returns what is seen in it as a string.
        All figures have the same size and, so that only the idea moves, the same limits.
    values : iterable
        What is drawn, at most about twenty: numbers, words or small arrays.
    name : str
        What the values are; the frames are called "name = value".
    start, play
        See :class:`Frames`.

    Returns
    -------
    Frames
        Shows itself at the end of a notebook cell.

    Examples
    --------
    >>> def draw(h):
    ...     plt.subplots(figsize=(2, 1))[1].plot([0, 1], [0, h])
    ...     return f"A line that rises by {h}."
    >>> frames(draw, [1, 0.5], "h")
    h = 1: A line that rises by 1.
    h = 0.5: A line that rises by 0.5.
    """
    values = list(values)
    texts, pictures = zip(*(_frame(draw, value) for value in values), strict=True)
    labels = [f"{name} = {value if isinstance(value, str) else _short(value)}" for value in values]
    return Frames(pictures, texts, labels, name, start=start, play=play)


def race(f, paths, box):
    """Draw how paths run over the contours of a function, and print how high they have come; one figure is left open.

    Parameters
    ----------
    f : callable
        `f(x)` is the height at a point `x`, and also that of two arrays of coordinates.
    paths : dict of str to ndarray
        The points of each path, of shape (T, 2), by its name.
    box : tuple of float
        The part of the plane that is seen: left, right, bottom, top.

    Examples
    --------
    >>> race(lambda x: x[0] ** 2 + x[1] ** 2, {"a": np.array([[0, 1], [0, 2]]), "b": np.ones((1, 2))}, (-1, 1, -1, 1))
    Height: a out of the picture, b at 2.00.
    """
    left, right, bottom, top = box
    u, v = np.meshgrid(np.linspace(left, right, 30), np.linspace(bottom, top, 30))
    heights = f([u, v])
    levels = np.unique(np.quantile(heights, [0.03, 0.12, 0.3, 0.5, 0.7, 0.9]))
    fig, ax = plt.subplots(figsize=(6.4, 3.4), layout="none")
    fig.subplots_adjust(left=0.09, right=0.71, bottom=0.15, top=0.97)
    ax.contour(u, v, heights, levels, colors="#aaaaaa", linewidths=0.7)
    told = []
    for (name, path), marker in zip(paths.items(), itertools.cycle(MARKERS)):
        (line,) = ax.plot(*path.T, linewidth=1.2)
        x = path[-1]
        ax.plot(*x, marker, color=line.get_color(), markeredgecolor="black", label=name)
        seen = left <= x[0] <= right and bottom <= x[1] <= top
        told.append(f"{name} at {round(float(f(x)), 2) + 0.0:.2f}" if seen else f"{name} out of the picture")
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=box[:2], ylim=box[2:], xticks=box[:2], yticks=box[2:])
    ax.grid(False)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
    print(f"Height: {', '.join(told)}.")


def _frame(draw, value):
    """What `draw` returns, and its figure as a short SVG; the figure is closed, so that it is not shown as well."""
    before = set(plt.get_fignums())
    try:
        text = draw(value)
        opened = set(plt.get_fignums()) - before
        if len(opened) != 1:
            raise ValueError(f"draw({value!r}) must open one figure and not show it; open: {len(opened)}")
        svg = io.StringIO()
        plt.figure(*opened).savefig(svg, format="svg", metadata={"Date": None})
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
    return text, _slim(svg.getvalue())


def _slim(svg):
    """An SVG of Matplotlib without what is not seen: head, comments, names of groups, thousandths of a point."""
    svg = re.sub("<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub('<g id="[^"]*"', "<g", svg)
    svg = re.sub(' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), svg)
    return re.sub(r"\s+", " ", svg).replace("> <", "><")


def plot_history(history, title=""):
    """Draw loss and accuracy by epoch, side by side, from the dict that :func:`~mlcore.network.fit` returns."""
    _, panels = plt.subplots(1, 2, figsize=(6.4, 2.9))
    for panel, name in zip(panels, ["loss", "accuracy"], strict=True):
        for key, label in [(name, "training"), (f"test_{name}", "test")]:
            if key in history:
                panel.plot(range(1, len(history[key]) + 1), history[key], label=label)
        panel.set(xlabel="epoch", ylabel=name)
        if f"test_{name}" in history:
            panel.legend()
    panels[0].figure.suptitle(title)
    plt.show()


def plot_decision_boundary(predict, x, t, title="", ax=None):
    """Draw which class `predict` gives to each point of the plane, and the points (x, t) on top.

    `predict` maps (N, 2) to scores (N, C); `x` has shape (N, 2) and `t` holds index labels. A class reaches as far as
    its score is ahead of all others. Between the points of a grid the border is interpolated, which is more exact for
    logits than for probabilities.
    """
    own = ax is None
    ax = plt.subplots(figsize=(4.8, 4.4))[1] if own else ax
    low, high = x.min(axis=0) - 0.1, x.max(axis=0) + 0.1
    u, v = np.meshgrid(np.linspace(low[0], high[0], 48), np.linspace(low[1], high[1], 48))
    scores = predict(np.stack([u.ravel(), v.ravel()], axis=1)).T.reshape(-1, *u.shape)
    for k, score in enumerate(scores):
        ahead = score - np.delete(scores, k, axis=0).max(axis=0)
        if ahead.max() > 0:
            ax.contourf(u, v, ahead, levels=[0, ahead.max() + 1], colors=[COLOURS[k]], alpha=0.25)
        if ahead.min() < 0 < ahead.max() and k < len(scores) - 1:  # the last class has its borders from the others
            ax.contour(u, v, ahead, levels=[0], colors="black", linewidths=0.8)
    for k in range(int(t.max()) + 1):
        ax.plot(*x[t == k].T, MARKERS[k], color=COLOURS[k], ms=4, mec="black", mew=0.4, label=f"class {k}")
    ax.set(title=title, xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.grid(False)
    if own:
        ax.legend(loc="upper right", frameon=True)
        plt.show()


def plot_confusion(counts, title=""):
    """Draw a confusion matrix: rows are the true classes, columns the predicted ones, every count written out."""
    _, ax = plt.subplots(figsize=(5, 4.6))
    off_diagonal = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    ax.imshow(off_diagonal, cmap="Oranges", vmin=0, vmax=max(1, off_diagonal.max()) * 1.5)
    for (i, j), n in np.ndenumerate(counts):
        ax.text(j, i, n, ha="center", va="center", weight="bold" if i == j else "normal", color="black")
    ticks = range(len(counts))
    ax.set(title=title, xlabel="predicted", ylabel="true", xticks=ticks, yticks=ticks)
    ax.grid(False)
    plt.show()


def plot_images(images, titles, columns=8):
    """Draw square grey images, one for each row of `images` (N, pixels), each with its title."""
    images = images.reshape(len(images), -1)
    side = round(images.shape[1] ** 0.5)
    count = -(-len(images) // columns)
    _, panels = plt.subplots(count, columns, figsize=(columns, 1.35 * count), squeeze=False)
    for panel in panels.flat:
        panel.axis("off")
    for panel, image, title in zip(panels.flat, images, titles, strict=False):
        panel.imshow(image.reshape(side, side), cmap="gray_r")
        panel.set_title(title, fontsize=9)
    plt.show()


def draw_node(node, inputs, upstream, names=None):
    """Run a node forward and backward and draw it with the numbers of that run.

    Forward values stand above the arrows, in upright type; gradients stand below, in italics, on dashed arrows that
    point back.

    Parameters
    ----------
    node : node
        Any object with `forward(*inputs)` and `backward(*upstream)`.
    inputs, upstream : tuple
        Its inputs, and the gradients that arrive at its outputs.
    names : tuple of str, optional
        Names of the inputs and then of the outputs.
    """
    outputs, gradients = node.forward(*inputs), node.backward(*upstream)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    names = names or (*(f"x{i + 1}" for i in range(len(inputs))), *(f"y{i + 1}" for i in range(len(outputs))))
    height = max(len(inputs), len(outputs))
    _, ax = plt.subplots(figsize=(7, 0.3 + 0.65 * height))
    ax.set(xlim=(-5, 5), ylim=(-0.5, height - 0.5))
    ax.axis("off")
    ax.add_patch(plt.Rectangle((-1, -0.35), 2, height - 0.3, facecolor="#eeeeee", edgecolor="black"))
    ax.text(0, (height - 1) / 2, type(node).__name__, ha="center", va="center", weight="bold")
    sides = [(-4.9, -1.05, inputs, gradients, names), (1.05, 4.9, outputs, upstream, names[len(inputs) :])]
    for start, end, values, back, labels in sides:
        for i, (value, gradient, label) in enumerate(zip(values, back, labels, strict=False)):
            y = (height + len(values)) / 2 - 1 - i
            _draw_edge(ax, start, end, y, f"{label} = {_short(value)}", f"∂L/∂{label} = {_short(gradient)}")
    plt.show()


def _draw_edge(ax, start, end, y, value, gradient):
    """Two arrows with their texts: the value goes forward (solid), the gradient comes back (dashed, in italics)."""
    arrow = {"arrowstyle": "-|>", "mutation_scale": 12, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end, y + 0.04), (start, y + 0.04), arrowprops=arrow | {"color": COLOURS[0]})
    ax.annotate("", (start, y - 0.06), (end, y - 0.06), arrowprops=arrow | {"color": COLOURS[1], "linestyle": "--"})
    middle = (start + end) / 2
    ax.text(middle, y + 0.1, value, ha="center", va="bottom", color=COLOURS[0])
    ax.text(middle, y - 0.12, gradient, ha="center", va="top", style="italic", color=COLOURS[1])


def _short(value):
    """A number or a small array in a few characters; of a large array its shape."""
    value = np.asarray(value)
    if value.size > 6:
        return f"array {value.shape}"
    return np.array2string(value, separator=", ", formatter={"float": lambda v: f"{v:.4g}"}).replace("\n", "")
