"""Drawings that know dark pages: each colour of the book has a partner, chosen for a dark ground.

A drawing holds both; which of them is seen depends on the page that shows it (CSS `color-scheme`), and where that
cannot be told the light ones stay. Photographs and maps of colours have a scale that means something, so what holds one
keeps its white ground.
"""

import re
from urllib.parse import quote, unquote

GROUND, INK = "#15181c", "#dfe3e8"
PARTNERS = {
    "#ffffff": GROUND,
    "#000000": INK,
    "#eeeeee": "#23282e",
    "#e8e8e8": "#2a3037",
    "#dddddd": "#31373e",
    "#bfbfbf": "#59616a",
    "#bbbbbb": "#59616a",
    "#aaaaaa": "#7d858d",
    "#999999": "#8e959c",
    "#808080": "#8e959c",
    "#d5e8f5": "#17364a",
    "#fde2c8": "#4a2d14",
    "#0072b2": "#3f95cf",
    "#d55e00": "#f0803c",
    "#a84300": "#f0803c",
    "#009e73": "#2fc79a",
    "#cc79a7": "#e9a9cf",
    "#56b4e9": "#a6dcff",
    "#e69f00": "#ffc04d",
}
COLOUR = re.compile(r"(?<![&\w(])#(?:[0-9a-f]{6}|[0-9a-f]{3})(?![\w-])")
FRAME = re.compile(r"(?<=<img src='data:image/svg\+xml,)[^']*")  # of a player: mlcore.teaching.visual
PLAIN = ' "=:;,/()*{}'  # characters that stand in an address as they are
DARK = "@media (prefers-color-scheme:dark)"


def partner(colour):
    """The colour for a dark ground; one that is not of the book is its own partner."""
    long = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    return PARTNERS.get(long, colour)


def colours(svg):
    """The colours that a drawing names, in order."""
    return sorted(set(COLOUR.findall(svg)))


def keeps_its_ground(svg):
    """Whether a drawing holds a picture of points, which stays as it is."""
    return "<image" in svg


def in_dark(svg):
    """Return the drawing with a style sheet that gives it the partners of its colours on a dark page.

    Parameters
    ----------
    svg : str
        A drawing: a plot, or one of :mod:`mlcore.teaching.graph_drawing`.

    Returns
    -------
    str
        The same with the sheet, or as it was if it holds a picture of points or has a sheet already.

    Examples
    --------
    >>> in_dark('<svg><path style="stroke: #000000"/></svg>')
    '<svg><path style="stroke: #000000"/><style>@media (prefers-color-scheme:dark){svg{fill:#dfe3e8}\
[style*="stroke: #000000"]{stroke:#dfe3e8!important}}</style></svg>'

    References
    ----------
    CSS Color Adjustment Module Level 1, section 2.3: an embedded drawing takes the scheme of the element that shows it.
    """
    before, end, after = svg.rpartition("</svg>")
    if keeps_its_ground(svg) or DARK in svg or not end:
        return svg
    sheets = [sheet for sheet in re.findall(r"<style\b[^>]*>(.*?)</style>", svg, re.DOTALL) if COLOUR.search(sheet)]
    rules = [COLOUR.sub(lambda found: partner(found[0]), sheet) for sheet in sheets]
    for colour in colours(svg):
        for kind in ("fill", "stroke"):
            places = [f'[style*="{kind}:{gap}{colour}"]' for gap in ("", " ") if f"{kind}:{gap}{colour}" in svg]
            places += [f'[{kind}="{colour}"]'] if f'{kind}="{colour}"' in svg else []
            if places and partner(colour) != colour:
                rules.append(f"{','.join(places)}{{{kind}:{partner(colour)}!important}}")
    return f"{before}<style>{DARK}{{svg{{fill:{INK}}}{''.join(rules)}}}</style>{end}{after}"


def frames_in_dark(page):
    """The same for each frame of a player, which stands in HTML as an address.

    Parameters
    ----------
    page : str
        HTML, with or without a player.

    Returns
    -------
    str
        The same; frames that changed are quoted anew.

    Examples
    --------
    >>> "prefers-color-scheme" in frames_in_dark("<img src='data:image/svg+xml,<svg/></svg>'>")
    True
    """
    return FRAME.sub(lambda frame: quote(in_dark(unquote(frame[0])), safe=PLAIN), page)
