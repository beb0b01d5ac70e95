"""Runs the cells of one page: what a notebook's kernel does, in a few functions and without Jupyter.

The page runs this in Pyodide (`worker.mjs`), a test runs it in plain Python and in Node. It knows of no page: what a
cell puts out goes to `emit(kind, value)`, in order. Kinds: "stdout", "stderr" (pieces of text); "html", "svg",
"markdown", "text" (what the last expression of the cell shows itself as, the first that it can); "figure" (an SVG that
Matplotlib drew, whose title says what is in it); "error" (a traceback, of the reader's own code only); "controls"
(JSON: what mlcore.teaching.controls describes, with an id); from "moved" (the id) to "settled" (JSON: the id, whether
there was a step, the program) all is shown beside these controls.
"""

import ast
import builtins
import contextlib
import dis
import functools
import inspect
import io
import itertools
import json
import keyword
import linecache
import re
import sys
import time
import timeit
import traceback

LONGEST_OUTPUT = 200_000  # characters that one cell prints; more would only freeze the page
AT_ONCE, EVERY = 500, 0.05  # so many lines are put out at once, later ones every so many seconds
HERE = "This page has NumPy, Matplotlib and mlcore; what else there is runs in JupyterLab or in Binder."
NO_INPUT = "input() cannot ask in this page: write the value into the code."
RICH = {"_repr_html_": "html", "_repr_svg_": "svg", "_repr_markdown_": "markdown"}


class Page:
    """The cells of one page and the names that they have made.

    Parameters
    ----------
    emit : callable
        `emit(kind, value)` takes what a cell puts out.
    names : dict, optional
        Where the cells' names live; a new place by default.
    """

    def __init__(self, emit, names=None):
        self.emit = emit
        self.names = {"__name__": "__main__"} if names is None else names
        self.live = {}  # id of controls: [the controls, their steps]
        self.ran = {}  # index of a cell: the source that it last ran with, as long as that still counts

    def plan(self, sources, index):
        """Indices of the cells to run so that cell `index` has all it needs; itself the last."""
        todo = []
        for i in needs(sources, index):
            if self.ran.get(i) != sources[i] or set(needs(sources, i)) & set(todo):
                todo.append(i)
        return [*todo, index]

    def run(self, sources, index):
        """Run one cell; return whether it came to its end."""
        for later in [i for i in self.ran if i > index and index in needs(sources, i)]:
            del self.ran[later]  # what it computed is no longer what it would compute
        self.ran.pop(index, None)
        if run(sources[index], f"<cell {index + 1}>", self.names, self.emit, self.live):
            self.ran[index] = sources[index]
        return index in self.ran

    def move(self, key, picks):
        """Show what comes of new picks (JSON: a list, or null for the next step) of the controls with this id."""
        move(self.live, key, json.loads(picks), self.emit)

    def complete(self, words):
        """Names that may stand at the end of dotted words."""
        return complete(self.names, words)


# -- running a cell --


def run(source, name, names, emit, live=None):
    """Run the source of a cell among `names` and emit what it puts out; return whether it came to its end."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return put_out(functools.partial(execute, source, name, names), emit, {} if live is None else live)


def put_out(function, emit, live):
    """Emit what a function prints, draws and returns; return whether it came to its end."""
    printed = Printed(emit, live)
    with contextlib.redirect_stdout(printed.stream("stdout")), contextlib.redirect_stderr(printed.stream("stderr")):
        listen(printed)
        try:
            value = function()
            printed.flush()
            if value is not None:
                show(value, printed)
            show_figures(printed)
        except BaseException as error:  # also SystemExit: the reader's exit() must not end the page's Python
            close_figures()
            printed.emit("error", own_traceback(error))
            return False
        finally:
            printed.flush()
    return True


def listen(printed):
    """Let what a notebook's kernel gives its cells go to `printed`."""
    catch_figures(printed)
    builtins.display, builtins.input = functools.partial(display, printed), no_input
    builtins.display.timed = timed


def execute(source, name, names):
    """Run all statements; return the value of the last one if it is an expression."""
    tree = parsed(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names) if last else None


def parsed(source, name):
    """The statements of a cell; of what only a notebook's kernel understands, the part that makes sense here."""
    try:
        return ast.parse(source, name)
    except SyntaxError as error:
        lines = source.split("\n")
        plain = [re.sub(r"^%matplotlib\b.*", "", line) for line in lines]
        plain = [re.sub(r"^%timeit\s+(.+)", lambda m: f"display.timed({m[1]!r}, globals())", line) for line in plain]
        plain = [re.sub(r"^([\w.]+)\?{1,2}$", r"help(\1)", line) for line in plain]
        if plain != lines:
            return parsed("\n".join(plain), name)
        if lines[(error.lineno or 1) - 1].lstrip()[:1] in ("%", "!"):
            error.msg += f" (a command of the notebook's kernel or of the system, which a page does not have). {HERE}"
        raise


def display(printed, *values):
    """Show values, as the last line of a cell is shown."""
    for value in values:
        show(value, printed)


def timed(statement, names):
    """Print how long a statement takes: what %timeit does, shorter."""
    timer = timeit.Timer(statement, globals=names)
    number, _ = timer.autorange()
    best = min(timer.repeat(3, number)) / number
    print(f"{best * 1e6:.3g} microseconds (the best of 3, {number} times each)")


def no_input(*_):
    raise RuntimeError(NO_INPUT)


class Printed:
    """Keeps printed text in order with all else that is put out, and gathers it into pieces where it is much."""

    def __init__(self, target, live):
        self.target, self.live = target, live
        self.pieces, self.kind, self.length = [], None, 0
        self.sent, self.since = 0, time.monotonic()

    def stream(self, kind):
        stream = io.StringIO()
        stream.write = functools.partial(self.write, kind)
        return stream

    def write(self, kind, text):
        if kind != self.kind:
            self.flush()
        if self.length < LONGEST_OUTPUT:
            self.kind = kind
            self.pieces.append(text)
            if self.length + len(text) >= LONGEST_OUTPUT:
                self.pieces.append("\n… more was printed; it is not shown.\n")
        self.length += len(text)
        # A line comes at once, so that it is seen even if the cell never ends; of very many lines, several together.
        if "\n" in text and (self.sent < AT_ONCE or time.monotonic() - self.since > EVERY):
            self.flush()
        return len(text)

    def flush(self):
        if self.pieces:
            self.target(self.kind, "".join(self.pieces))
            self.sent += 1
        self.pieces, self.since = [], time.monotonic()

    def emit(self, kind, value):
        self.flush()
        self.target(kind, value)


def own_traceback(error):
    """The traceback without the lines of this module and of libraries."""
    report = traceback.TracebackException.from_exception(error)
    part, seen = report, []
    while part and part not in seen:  # an error may have come while another one was handled
        part.stack[:] = [frame for frame in part.stack if frame.filename.startswith("<cell ")]
        seen.append(part)
        part = part.__cause__ or part.__context__
    hint = f"\n{HERE}\n" if isinstance(error, ModuleNotFoundError) else ""
    return "".join(report.format()) + hint


# -- showing what comes out --


def show(value, printed):
    """Emit the richest form of a value that a page can show."""
    if type(value).__module__ == "matplotlib.figure":
        return  # it is still open, and shown as all figures are
    if type(value).__name__ == "Controls" and hasattr(value, "steps"):
        show_controls(value, printed)
        return
    for method, kind in RICH.items():
        if not isinstance(value, type) and (form := getattr(value, method, None)) and (text := form()):
            printed.emit(kind, for_dark_pages(kind, text))
            return
    printed.emit("text", repr(value))


def for_dark_pages(kind, text):
    """What is shown, with the colours that dark pages want, if the book's package is there."""
    try:
        from mlcore.teaching import dark
    except ImportError:
        return text
    add = {"figure": dark.in_dark, "svg": dark.in_dark, "html": dark.frames_in_dark}.get(kind)
    return add(text) if add else text


def pyplot():
    """Matplotlib's module of open figures, if the reader has imported it."""
    return sys.modules.get("matplotlib.pyplot")


def catch_figures(printed):
    """Let `plt.show()` put the figures out here and now, between what is printed before and after."""
    if pyplot():
        pyplot().show = lambda *args, **kwargs: show_figures(printed)


def show_figures(printed):
    for number in pyplot().get_fignums() if pyplot() else ():
        figure, file = pyplot().figure(number), io.StringIO()
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None, "Title": in_words(figure)})
        printed.emit("figure", for_dark_pages("figure", file.getvalue()))
    close_figures()


def close_figures():
    if pyplot():
        pyplot().close("all")


def in_words(figure):
    """What is in a figure, as far as its own words tell: titles, axes, labels and the number of lines."""
    panels = []
    for ax in figure.axes:
        axes = [f"{name} axis: {text}" for name, text in (("x", ax.get_xlabel()), ("y", ax.get_ylabel())) if text]
        labels = [text for text in ax.get_legend_handles_labels()[1] if not text.startswith("_")]
        lines = [f"{len(ax.lines)} line{'s' * (len(ax.lines) > 1)}"] if ax.lines else []
        panels.append("; ".join(filter(None, [ax.get_title(), *axes, *lines, ", ".join(labels)])))
    return ". ".join(filter(None, panels)) or "no words in it"


# -- controls --

NUMBERS = itertools.count()


def show_controls(controls, printed):
    """Emit controls, and what they show at the start."""
    show_figures(printed)
    key = next(NUMBERS)
    printed.live[key] = [controls, iter(())]
    printed.emit("controls", json.dumps({"id": key, **controls.described()}))
    move(printed.live, key, controls.picks, printed.target)
    listen(printed)


def move(live, key, picks, emit):
    """Show what comes of new picks or, without, of the next step."""
    told = {"id": key, "step": False}

    def step():
        controls = live[key][0]
        if picks is not None:
            live[key][1] = iter(())  # of picks that fail nothing is left to step on
            live[key][1] = controls.steps(picks)
            told["program"] = controls.told(picks)
        draw = next(live[key][1], None)
        told["step"] = draw is not None
        return draw and draw()

    emit("moved", key)
    put_out(step, emit, live)
    emit("settled", json.dumps(told))


# -- what may follow --


def complete(names, words):
    """Names that may stand at the end of dotted words. Nothing of the reader's runs for it: no property, no method."""
    first, *path = words.split(".")
    if not path:
        return shown({*names, *vars(builtins), *keyword.kwlist}, first)
    value = names.get(first, vars(builtins).get(first))
    for name in path[:-1]:
        value = inspect.getattr_static(value, name, None)
    if value is None or hasattr(type(value), "__get__"):  # there is no such thing, or it would have to be computed
        return []
    return shown(attributes(value), path[-1])


def attributes(value):
    """The names of all attributes, as far as they can be seen without asking the value."""
    classes = (value if issubclass(type(value), type) else type(value)).__mro__
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = ()
    return set(own).union(*map(vars, classes))


def shown(names, begun):
    """In their order; those with an underscore only if one was typed."""
    return sorted(name for name in names if not name.startswith("_") or begun.startswith("_"))


# -- what a cell needs --


def needs(sources, index):
    """Indices of the earlier cells without which a cell would not do the same, in their order.

    These are the cells that make a name which it uses, or which may have changed such a variable, and what they in
    turn need. Whatever is not certain counts as needed.
    """
    cells = [names_of(source) for source in sources[: index + 1]]
    variables = set().union(*(cell.made - cell.fixed for cell in cells))
    inside = {}  # what a function uses when it is called
    for cell in cells:
        for name, used in cell.inside.items():
            inside[name] = inside.get(name, frozenset()) | used
    found, wanted = [], with_inside(cells[index].used, inside)
    for i in reversed(range(index)):
        cell = cells[i]
        used = with_inside(cell.used, inside)
        if cell.broken or cell.made & wanted or used & wanted & variables:
            found.append(i)
            wanted = wanted - cell.surely | used
    return found[::-1]


def with_inside(names, inside):
    """The names, and those that the functions among them use, and so on."""
    names, new = set(), set(names)
    while new:
        names |= new
        new = set().union(*(inside.get(name, ()) for name in new)) - names
    return names


class Names:
    """The names in a cell: used from outside, made (some only perhaps, some as fixed things), used inside functions."""

    def __init__(self):
        self.used, self.made, self.surely, self.fixed, self.inside, self.broken = set(), set(), set(), set(), {}, False


@functools.cache
def names_of(source):
    cell = Names()
    try:
        statements = parsed(source, "<names>").body
        compiled = [compile(ast.Module([statement], []), "<names>", "exec") for statement in statements]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        cell.broken = True  # the reader has to hear of it
        return cell
    for statement, code in zip(statements, compiled, strict=True):
        loaded, stored, inner = names_in(code, in_order=isinstance(statement, ast.For | ast.With))
        if not isinstance(statement, ast.FunctionDef):
            loaded |= inner  # of a comprehension, a lambda or a class: used now; of a function: when it is called
        cell.used |= with_inside(loaded, cell.inside) - cell.surely
        cell.made |= stored
        if not isinstance(statement, ast.If | ast.For | ast.While | ast.Try | ast.Match):
            cell.surely |= stored
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
            cell.fixed |= stored
        for name in stored:
            cell.inside[name] = cell.inside.get(name, frozenset()) | inner
    return cell


def names_in(code, in_order=False):
    """Global names that code loads (`in_order`: and has not stored before), that it stores, that its functions load."""
    loaded, stored, inner = set(), set(), set()
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS", "DELETE_NAME"):
            loaded |= {step.argval} - (stored if in_order else set())
        elif step.opname in ("STORE_NAME", "STORE_GLOBAL"):
            stored.add(step.argval)
    for part in code.co_consts:
        if hasattr(part, "co_code"):
            inner |= names_in(part)[0] | names_in(part)[2]
    return loaded, stored, inner - stored if in_order else inner
