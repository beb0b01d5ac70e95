"""Controls beside an output: the reader moves them, and a function shows what comes of it.

One description serves two places. Where a notebook runs with somebody in front of it, ipywidgets draws the controls;
in the book's own pages a script does, and `runner.py` of the site calls the function. Where nobody is there, as when
outputs are stored or compared, what is shown first is all there is.
"""

import html
import inspect
from functools import partial
from importlib.util import find_spec
from numbers import Real

import matplotlib as mpl

PROGRAM = "The program that this runs"


class Control:
    """One setting: all that it may be and its start.

    Parameters
    ----------
    name : str
        What it is called.
    start : object
        Its value at the start.
    values : type or dict or iterable
        `int` or `float` for a field that takes any such number; else what it may be, of a dict by their names.
        Numbers get a slider, other values a menu.
    """

    def __init__(self, name, start, values):
        self.name, self.start = name, start
        if isinstance(values, type):
            self.kind, self.type, self.pick = "number", values, start
            return
        named = values if isinstance(values, dict) else {_label(value): value for value in values}
        self.labels, self.values = [str(label) for label in named], list(named.values())
        numbers = all(isinstance(value, Real) for value in self.values) and not isinstance(values, dict)
        self.kind = "slider" if numbers else "menu"
        if start not in self.values:
            raise ValueError(f"{name} must start at one of {', '.join(self.labels)}, not at {start!r}")
        self.pick = self.values.index(start)

    def value(self, pick):
        """The value for what was picked: the number that was written, or that of one of the choices."""
        return self.type(pick) if self.kind == "number" else self.values[pick]

    def described(self):
        """All that a page needs to draw it."""
        more = {"whole": self.type is int} if self.kind == "number" else {"labels": self.labels}
        return {"name": self.name, "kind": self.kind, "pick": self.pick} | more

    def widget(self, widgets):
        """It, drawn by ipywidgets: its `value` is a pick."""
        if self.kind == "number":
            kind = widgets.IntText if self.type is int else widgets.FloatText
            return kind(value=self.start, description=self.name)
        named = {"options": [(label, k) for k, label in enumerate(self.labels)], "description": self.name}
        if self.kind == "menu":
            return widgets.Dropdown(value=self.pick, **named)
        return widgets.SelectionSlider(value=self.pick, continuous_update=False, **named)  # moved when it is let go


def _label(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


class Controls:
    """A function with a control for each of its settings; see :func:`controls`."""

    def __init__(self, show, settings, code=None):
        self.show, self.code = show, code
        self.controls = [Control(name, *setting) for name, setting in settings.items()]
        self.picks = [control.pick for control in self.controls]
        self.runs = inspect.isgeneratorfunction(show)

    def described(self):
        """All that a page needs to draw the controls."""
        return {"controls": [control.described() for control in self.controls], "runs": self.runs}

    def chosen(self, picks):
        """{name of a setting: its value}"""
        return {control.name: control.value(pick) for control, pick in zip(self.controls, picks, strict=True)}

    def steps(self, picks):
        """A function for each step, which shows what there is then and returns what is to be displayed."""
        values = self.chosen(picks)
        return self.show(**values) if self.runs else iter([partial(self.show, **values)])

    def told(self, picks):
        """The program that these picks stand for, or None."""
        return self.code and self.code(**self.chosen(picks))

    def _ipython_display_(self):
        from IPython.display import display

        if somebody_is_there():
            display(self.panel())
        else:
            *_, last = self.steps(self.picks)
            _display(last())

    # -- with ipywidgets --

    def panel(self):
        """The controls and what they show, drawn by ipywidgets."""
        import ipywidgets as widgets

        made = [control.widget(widgets) for control in self.controls]
        self.output, self.program = widgets.Output(), widgets.HTML()

        def move(_=None):
            picks = [widget.value for widget in made]
            self.going, self.program.value = self.steps(picks), _folded(self.told(picks))
            self.step()

        for widget in made:
            widget.observe(move, "value")
        move()
        settings = widgets.Box(made, layout={"flex_flow": "row wrap"})
        return widgets.VBox([settings, *self.buttons(widgets, move), self.output, self.program])

    def buttons(self, widgets, move):
        """Play, Step and Start over, for what goes on by itself."""
        if not self.runs:
            return []
        play = widgets.Play(max=10**6, interval=50, show_repeat=False, tooltip="Run")
        step, again = (widgets.Button(description=name) for name in ("Step", "Start over"))

        def tick(_):  # a message from the reader's side: only what such a message causes is shown in the output
            if play.playing and not self.step():
                play.playing = False

        play.observe(tick, "value")
        step.on_click(lambda _: self.step())
        again.on_click(move)
        return [widgets.HBox([play, step, again])]

    def step(self):
        """Go one step and show it; return whether there was one."""
        draw = None
        with self.output:  # shows also an error
            if draw := next(self.going, None):
                self.output.clear_output(wait=True)
                _display(draw())
        return draw is not None


def somebody_is_there():
    """Whether the cell runs for a reader who can move things: in a kernel, for a front end that could also ask them."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(kernel and kernel.get_parent().get("content", {}).get("allow_stdin") and find_spec("ipywidgets"))


def _display(value):
    """Show a value as the last line of a cell is shown, and the figures that are open."""
    from IPython.display import display
    from matplotlib_inline.backend_inline import flush_figures

    if value is not None:
        display(value)
    if "inline" in mpl.get_backend():  # its name depends on the version
        flush_figures()


def _folded(program):
    """A program below a line that opens it."""
    return f"<details><summary>{PROGRAM}</summary><pre>{html.escape(program)}</pre></details>" if program else ""


def controls(show, settings, code=None):
    """Show what a function shows, with a control for each of its settings: anew whenever one is moved.

    Where no reader is there to move anything, as where outputs are stored, what comes first is shown alone; of a
    function that goes step by step, what comes last.

    Parameters
    ----------
    show : callable
        Takes all settings by name, prints or draws (without `plt.show()`), and returns what is to be displayed, or
        None. A generator goes step by step, with buttons: it yields a function that shows what there is by then.
    settings : dict of str to tuple
        By name of the setting: its value at the start, and all that it may be. Numbers get a slider, other values a
        menu; of a dict the reader sees the keys and `show` gets the values. `int` or `float` stand for a field that
        takes any number.
    code : callable, optional
        Takes the same settings and returns the program that they stand for, as text; it can be opened below.

    Returns
    -------
    Controls
        Shows itself at the end of a notebook cell.
    """
    return Controls(show, settings, code)
