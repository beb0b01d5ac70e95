"""What a figure shows, in a few lines of text: stored with its picture, told again and compared at every run.

A picture by Matplotlib differs from one version to the next, what it shows does not. So while the notebooks are run
here (not in a reader's kernel), every output with figures carries one part more, of the type `MIME`, which is stored
in its metadata. It says, for each axes, limits and words, and for each line, bar, image or text where its numbers lie:
0 is the left or lower end of the axes, 1 the right or upper one. `differences` compares two such texts, `drawn_alike`
two pictures of one version of Matplotlib.
"""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np

MIME = "text/x-figure-data"
KEY = "figure-data"
WATCH = f"__import__('runpy').run_path({str(Path(__file__).resolve())!r})['watch'](get_ipython())"  # leaves no names
NUMBER = re.compile(r"(?<![\w#.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]|, )")
WITHIN = 1e-3  # of the length of an axis, or of the largest number
PIXELS = 0.5
RELATIVE = re.compile("(limits|levels|colours from) ")
COLOURS = ("color", "facecolor", "edgecolor")
KINDS = {"Line2D": "line", "Rectangle": "bar", "QuadContourSet": "contours", "AxesImage": "image"}
KINDS |= {"FillBetweenPolyCollection": "filled", "PolyCollection": "filled"}


# -- in the kernel: tell --


def watch(shell):
    """Let every figure that a kernel shows carry what it shows."""
    import matplotlib
    from IPython.core.formatters import BaseFormatter
    from matplotlib.figure import Figure

    save, drawn = Figure.savefig, []  # the frames of a player are saved before it is shown

    def savefig(figure, *arguments, **options):
        save(figure, *arguments, **options)
        drawn.append(told(figure))

    class Formatter(BaseFormatter):
        def __call__(self, shown):
            lines = []
            if isinstance(shown, Figure):
                lines = told(shown)
            elif type(shown).__name__ == "Frames":
                lines = in_turn(drawn[: len(shown.frames)])
                del drawn[: len(shown.frames)]
            text = "\n".join(lines)
            return f"drawn by Matplotlib {matplotlib.__version__}\n{text}" if text else None

    Figure.savefig = savefig
    shell.events.register("pre_run_cell", lambda *_: drawn.clear())
    shell.display_formatter.formatters[MIME] = Formatter(parent=shell.display_formatter)


def in_turn(figures):
    """The lines of each figure, without those that are the same as at this place in the one before it."""
    before = []
    for n, lines in enumerate(figures, 1):
        new = [k for k, line in enumerate(lines) if line not in before[k : k + 1]]
        yield f"frame {n} of {len(lines)} lines, new: {' '.join(map(str, new))}"
        yield from (lines[k] for k in new)
        before = lines


def told(figure):
    """The lines that say what a figure shows."""
    lines = ["figure of {:g} by {:g} inches".format(*figure.get_size_inches())]
    lines += [f"figure: words {text.get_text()!r}" for text in figure.texts if text.get_text()]
    lines += [f"figure: legend {words(legend)}" for legend in figure.legends]
    for n, axes in enumerate(figure.axes, 1):
        lines += [f"axes {n}: {line}" for line in of_axes(axes)]
    return lines


def of_axes(axes):
    for place in ("left", "center", "right"):
        if title := axes.get_title(place):
            yield f"title {title!r}"
    if axes.axison:
        yield from of_axis("x", axes.xaxis)
        yield from of_axis("y", axes.yaxis)
    if axes.get_legend():
        yield f"legend {words(axes.get_legend())}"
    for artist in axes.get_children():
        if artist.get_visible() and artist is not axes.patch and artist not in axes.spines.values():
            yield from of_artist(artist, axes)


def of_axis(name, axis):
    from matplotlib.ticker import FixedLocator, LogFormatter, ScalarFormatter

    scale = axis.get_transform()  # limits are told as they are seen: of a logarithmic axis by their logarithms
    low, high = scale.transform(np.array(axis.get_view_interval(), dtype=float))
    yield f"{name} axis {axis.get_label_text()!r}, {axis.get_scale()}, limits{numbers([low, high])}"
    if isinstance(axis.get_major_locator(), FixedLocator):
        ticks = (scale.transform(np.asarray(axis.get_majorticklocs(), dtype=float)) - low) / (high - low)
        yield f"{name} axis, ticks at{fractions(ticks)}"
        formatter = axis.get_major_formatter()
        if not isinstance(formatter, ScalarFormatter | LogFormatter):  # words that were given
            yield f"{name} axis, ticks {list(map(str, formatter.format_ticks(axis.get_majorticklocs())))}"


def words(legend):
    """The texts of a legend, and how each is marked."""
    marks = [look(handle) for handle in legend.legend_handles]
    return ", ".join(f"{text.get_text()!r} {mark}" for text, mark in zip(legend.get_texts(), marks, strict=True))


def of_artist(artist, axes):
    """What one thing that was drawn shows."""
    from matplotlib import collections, image, lines, patches, text

    name = KINDS.get(type(artist).__name__, type(artist).__name__.lower()) + label(artist)
    if isinstance(artist, text.Text):
        if artist in [label for some in axes.collections for label in getattr(some, "labelTexts", [])]:
            yield f"words {artist.get_text()!r} at a contour"  # each version finds other places for them
        elif artist.get_text() and artist not in (axes.title, axes._left_title, axes._right_title):
            yield f"words {artist.get_text()!r}" + fractions(where(artist, axes))
    elif isinstance(artist, lines.Line2D):
        yield of_points(f"{name} {look(artist)}", within(artist.get_xydata(), artist.get_transform(), axes))
    elif isinstance(artist, image.AxesImage):
        yield f"{name} {shades(artist.get_cmap())}, colours from{numbers(artist.get_clim())}"
        yield of_points(name, within(np.reshape(artist.get_extent(), (2, 2)).T, axes.transData, axes))
        yield f"{name}, shape {np.shape(artist.get_array())}, shades" + summary(artist.norm(artist.get_array()))
    elif isinstance(artist, patches.Patch):
        yield of_points(f"{name} {look(artist)}", within(artist.get_path().vertices, artist.get_transform(), axes))
    elif isinstance(artist, collections.Collection):
        yield from of_collection(f"{name} {look(artist)}", artist, axes)


def of_collection(name, artist, axes):
    from matplotlib.collections import PathCollection
    from matplotlib.contour import ContourSet

    if artist.get_array() is not None:
        yield f"{name}, shades" + summary(artist.norm(artist.get_array()))
    if isinstance(artist, ContourSet):
        yield f"{name}, levels{numbers(artist.levels)}"
    if isinstance(artist, PathCollection):
        yield of_points(name, within(artist.get_offsets(), artist.get_offset_transform(), axes))
        return
    paths = [path.vertices for path in artist.get_paths() if len(path.vertices)]
    if isinstance(artist, ContourSet):  # of how many points a contour is made, and where it begins, nobody sees
        paths = [[path.min(axis=0), path.max(axis=0)] for path in paths]
    yield of_points(name, within(np.concatenate([*paths, np.empty((0, 2))]), artist.get_transform(), axes))


def label(artist):
    """The label of a thing, if it was given one."""
    text = str(artist.get_label())
    return "" if text.startswith("_") or not text else f" {text!r}"


def shades(colours):
    """First, middle and last of a map of colours."""
    from matplotlib.colors import to_hex

    return " ".join(to_hex(colours(part)) for part in (0.0, 0.5, 1.0))


def look(artist):
    """Colours, style and marker, as far as a thing has them."""
    from matplotlib.colors import to_hex, to_rgba_array

    colours = [
        getattr(artist, get)() for get in ("get_color", "get_facecolor", "get_edgecolor") if hasattr(artist, get)
    ]
    found = dict.fromkeys(to_hex(c) for some in colours for c in to_rgba_array(some)[:4] if c[3])
    others = [getattr(artist, get)() for get in ("get_linestyle", "get_marker") if hasattr(artist, get)]
    return " ".join([*found, *(other for other in others if isinstance(other, str) and other != "None")])


def where(text, axes):
    """The place of a text, and of what it points at, where it is given in the axes."""
    transform, places = text.get_transform(), [text.get_position()]
    if hasattr(text, "xy"):
        transform, places = axes.transData, [text.xy] * (text.xycoords == "data")
    if not (transform == axes.transAxes or transform.contains_branch(axes.transData)):
        places = []
    return within(np.reshape(np.array(places, dtype=float), (-1, 2)), transform, axes)


def within(points, transform, axes):
    """Points in units of the axes: (0, 0) is the lower left corner, (1, 1) the upper right one."""
    return (transform + axes.transAxes.inverted()).transform(np.ma.filled(np.ma.asarray(points, dtype=float), np.nan))


def of_points(name, points):
    return f"{name}, {len(points)} points:" + "".join(f" {d}{summary(v)}" for d, v in zip("xy", points.T, strict=True))


def summary(values):
    """Least, greatest and mean, and two sums with waves as weights, which see another order."""
    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()
    seen, k = np.isfinite(values), np.arange(values.size)
    if not seen.any():
        return " nothing"
    values = np.clip(np.where(seen, values, 0), -1, 2)  # what is far outside of the picture is only outside
    waves = [np.cos(1 + 1.9 * k), np.cos(np.pi * (0.2 + 1.3 * k / values.size))]
    missing = "" if seen.all() else f" (missing: {np.sum(~seen)})"
    found = [values[seen].min(), values[seen].max(), values.mean(), *(np.mean(values * wave) for wave in waves)]
    return missing + fractions(found)


def fractions(values):
    return "".join(f" {value + 0.0:.4f}" for value in np.round(np.asarray(values, dtype=float), 4).ravel())


def numbers(values):
    return "".join(f" {value + 0.0:.5g}" for value in values)


# -- in the run that stores, or compares --


def file_away(output):
    """Move what figures show into the metadata of an output, where no page looks for something to show."""
    if text := output.get("data", {}).pop(MIME, None):
        output["metadata"][KEY] = "".join(text).splitlines()


def differences(stored, new, chaotic=None):
    """What two texts about figures do not say alike, one line for each. Of lines that say `chaotic` not the numbers."""
    for frame, (old, fresh) in enumerate(itertools.zip_longest(whole(stored), whole(new), fillvalue=[])):
        for a, b in itertools.zip_longest(old, fresh, fillvalue="nothing"):
            if chaotic and chaotic in a and skeleton(a) == skeleton(b):
                continue
            if not alike(a, b):
                yield (f"frame {frame}, " if frame else "") + f"stored: {a}; now: {b}"
                if skeleton(a) != skeleton(b):  # from here on every line would only say this again
                    return


def whole(text):
    """The lines of each figure, first those of one that stands alone, then of each frame, put together again."""
    figures, places = [{}], itertools.count()
    for line in text.splitlines()[1:]:
        if frame := re.fullmatch(r"frame \d+ of (\d+) lines, new:([ \d]*)", line):
            figures.append({k: old for k, old in figures[-1].items() if k < int(frame[1])})
            places = iter(map(int, frame[2].split()))
        else:
            figures[-1][next(places)] = line
    return [[figure[k] for k in sorted(figure)] for figure in figures]


def skeleton(line):
    return NUMBER.sub("#", line)


def alike(old, fresh):
    """Whether two lines have the same words, and nearly the same numbers."""
    if old == fresh:
        return True
    if skeleton(old) != skeleton(fresh):
        return False
    a, b = (np.array(NUMBER.findall(line), dtype=float) for line in (old, fresh))
    size = np.max(np.abs([a, b])) if RELATIVE.search(old) else 1
    return bool(np.all((np.abs(a - b) <= WITHIN * size) | (a == b)))


def drawings(data):
    """The pictures by Matplotlib in an output."""
    html = "".join(data.get("text/html", ""))
    found = [unquote(address) for address in re.findall(r"src='data:image/svg\+xml,([^']*)'", html)]
    return [svg for svg in [*found, "".join(data.get("image/svg+xml", ""))] if svg]


def drawn_alike(stored, new):
    """Whether two pictures have the same parts at the same places; both are drawn by one version of Matplotlib."""
    if stored == new:
        return True
    stored, new = (re.sub(r'(id="|href="#|url\(#)[a-z][0-9a-f]{10}', r"\1", svg) for svg in (stored, new))
    decimals = r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)"
    (words, found), (others, fresh) = ((t[::2], t[1::2]) for t in (re.split(decimals, svg) for svg in (stored, new)))
    return words == others and bool(np.all(np.abs(np.array(found, float) - np.array(fresh, float)) <= PIXELS))
