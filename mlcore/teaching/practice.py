"""The way of practising: predictions and exercises, and words that say what is wrong with an answer.

How to write an exercise
------------------------
An exercise is a class in the module of its section in `mlcore/teaching/exercises`, from which its task, its stub, its
check and its solution all come. Copy one that is there; `make practice` writes the notebooks anew.

- The docstring: in the first line the title, then the task, in Markdown. The name of the class is the name in the
  notebook: `MeanLoss` asks for `mean_loss` and is checked by `check("mean-loss", mean_loss)`.
- `level`: one of `LEVELS`.
- `solution`: a function (its signature and docstring are the stub), a class with `forward` and `backward`, or a value:
  a number, a text such as "b", an array, a tuple, or a dict of these. Write values as formulas.
- `given`, to debug: the faulty function or class that the reader gets instead of a stub.
- `inputs`, unless the solution is a value: a list of tuples, each the arguments of one call. Those of a layer are the
  arguments of its constructor, followed by those of `forward`. Arrays of different lengths tell more faults apart.
  Where the solution raises an error, an answer must raise one of the same type.
- `worked`: why the solution is what it is, in Markdown; `hint` (optional): both are folded in the notebook.
- `same`: another right answer, differently written (of a value: as a reader rounds it).
- `wrong`: a dict of at least two typical wrong answers. A key that is a sentence is added to what the check says of
  this answer ("You divided twice."); any other is a part of what it says by itself ("2 times too large").
- `within` (optional): the relative tolerance, by default 1e-9 for what is computed and 0.005 for what is worked out
  by hand; whole numbers must be exact. Besides, each number may be off by `absolute`, by default a thousandth of
  `within` times the largest number of its array; 0 where tiny numbers have to be right as well.
- `nothing_hidden` (optional): True if a warning counts also where the answer tells NumPy or Python to be silent.
- `run` (optional): a class method that says how to use an answer on one of the inputs, and returns all that is to be
  compared. By default a function is called, and a layer goes forward and backward as `trace_layer` says.

A solution uses no names but those that its module imports: these imports are the first cell of the notebook.
"""

import builtins
import contextlib
import copy
import datetime
import difflib
import functools
import importlib
import inspect
import io
import json
import math
import os
import pkgutil
import random
import re
import signal
import sys
import threading
import warnings
from dataclasses import dataclass
from numbers import Number
from pathlib import Path
from typing import NamedTuple

import numpy as np

LEVELS = ("recall", "by hand", "implement", "debug", "transfer")
SECONDS = 10  # for one use of an answer; where a process cannot be interrupted from within there is no limit
DEEPEST = 10  # lists in lists that are looked at
LONGEST = 2000  # characters of what an answer prints that are shown
SHARED = np, np.linalg, np.random, math, warnings, builtins  # what an answer might replace for everybody
LOGARITHMS = 1 / np.log(2), 1 / np.log(10)  # how many times too large a loss is with another base


class Exercise:
    """What all exercises have in common; the docstring of the module says how to write one."""

    hint = ""
    inputs = [()]
    within = absolute = None
    nothing_hidden = False

    @classmethod
    def run(cls, answer, *inputs):
        """What `answer` makes of one of the inputs."""
        return trace_layer(cls.solution, answer, *inputs) if inspect.isclass(cls.solution) else answer(*inputs)


def name_of(exercise, separator="-"):
    """The name of an exercise: that of its class in small letters."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", separator, exercise.__name__).lower()


@functools.cache
def exercises():
    """All exercises by name, in the order in which their modules define them."""
    package = importlib.import_module("mlcore.teaching.exercises")
    modules = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    return {name_of(exercise): exercise for module in modules for exercise in exercises_of(module)}


def exercises_of(module):
    """The exercises that a module defines."""
    things = vars(module).values()
    return [t for t in things if inspect.isclass(t) and issubclass(t, Exercise) and t.__module__ == module.__name__]


# -- what the notebooks call --


def check(name, answer):
    """Say whether the answer to an exercise is right, and if not, what is wrong with it.

    Whatever the answer is or does, nothing is raised, and what it may have changed for everybody (NumPy's settings and
    functions, the state of its random numbers) is put back: all cells of a notebook can be run. What the answer prints
    is shown once, for the first of the inputs that it is tried on. An answer that never ends is stopped after some
    seconds where Python can interrupt itself: on the main thread, but neither on Windows nor in a web page, where the
    reader has to stop it.

    Parameters
    ----------
    name : str
        The exercise.
    answer : object
        What the reader has found or written.

    Examples
    --------
    >>> check("mean-cross-entropy", ...)
    No answer so far: replace the three dots and run again.
    """
    try:
        if exercise := exercises().get(str(name)):
            text = feedback(exercise, answer)
        else:
            near = difflib.get_close_matches(str(name), exercises(), n=1)
            text = f"There is no exercise {show(name)}." + "".join(f" Is it {show(other)}?" for other in near)
    except Exception as error:
        text = f"Not yet: the check cannot read this answer ({type(error).__name__})."
    say(text)
    if text == "Right.":
        record(str(name))


RECORD = Path(".solved.json")  # in the folder of a reader's copies, which has the other file


def record(name):
    """Keep in the reader's own folder that an exercise is solved."""
    if Path(".versions.json").exists():
        solved = read_record() | {name: datetime.date.today().isoformat()}
        with contextlib.suppress(OSError):  # a folder that cannot be written to keeps no record
            RECORD.write_text(json.dumps(solved, indent=0), encoding="utf-8")


def read_record(path=RECORD):
    """{exercise: day} of what has been solved; nothing if there is no record, or none that can be read."""
    try:
        solved = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return solved if isinstance(solved, dict) else {}


def solved(path=RECORD):
    """Print how many exercises of each section have been solved: what the checks in a folder of copies kept.

    Parameters
    ----------
    path : str or path-like, optional
        The record, ``.solved.json`` in the folder of the notebooks.

    Examples
    --------
    >>> solved("no-such-folder/.solved.json")  # doctest: +ELLIPSIS
    backward propagation    0 of ...
    """
    known = read_record(path)
    sections = {}
    for name, exercise in exercises().items():
        sections.setdefault(exercise.__module__.rpartition(".")[2], []).append(name)
    for section, names in sections.items():
        done = [name for name in names if name in known]
        print(
            f"{section.replace('_', ' '):22} {len(done):2} of {len(names)}" + (f": {', '.join(done)}" if done else "")
        )


def predict(guess, computed, within=None):
    """Compare a prediction with what was computed.

    Parameters
    ----------
    guess : object
        A number, an array, a shape, a text or a truth value; ``...`` as long as there is no prediction.
    computed : object
        The value.
    within : float, optional
        How far a number may be off; by default one per cent, and not at all for whole numbers.

    Examples
    --------
    >>> predict(0.69, np.log(2))
    Right: 0.6931 (you predicted 0.69).
    >>> predict((4,), (4, 4))
    Not so: you predicted (4,), and it is (4, 4).
    >>> predict(..., "b")
    It is "b". Predict first: replace the three dots and run again.
    """
    told, tolerance = show(computed), (0.01, None) if within is None else (0, within)
    if is_too_deep(guess):
        text = f"Not so: you predicted a {type(guess).__name__} that contains itself, and it is {told}."
    elif is_blank(guess):
        text = f"It is {told}. Predict first: replace the three dots and run again."
    elif all(form_fault(a, b) is None and close(a, b, *tolerance) for _, a, b in pairs(guess, computed)):
        text = f"Right: {told}" + (f" (you predicted {show(guess)})." if show(guess) != told else ".")
    else:
        text = "Not so: you predicted {}, and it is {}.".format(*told_apart(guess, computed))
    say(text)
    if "BOOK_PREDICTIONS" in os.environ:  # the tool that runs the chapters asks what the pages have to know
        with open(os.environ["BOOK_PREDICTIONS"], "a", encoding="utf-8") as file:
            print(json.dumps({"truth": facts(computed), "within": within}), file=file)


def facts(value):
    """A value as JSON has it, with floats the same on every machine; whole numbers stay apart from other ones."""
    array = numbers(value)
    if array is None:
        return list(map(facts, value)) if is_list(value) else str(value)
    if array.dtype.kind == "f":
        return {"float": np.vectorize(lambda x: f"{x + 0:.6g}", otypes=[str])(array).tolist()}
    return array.tolist()


def say(text):
    """Print a text on one line: the page and JupyterLab wrap it where it has to be."""
    print(" ".join(text.split()).encode("utf-8", "backslashreplace").decode())


def feedback(exercise, answer):
    """What the check says of an answer; what the answer prints for the first of the inputs is printed."""
    called = callable(exercise.solution)
    if is_too_deep(answer):
        return f"Not yet: expected {kind(exercise.solution)}, but got a {type(answer).__name__} that contains itself."
    if is_blank(answer):
        return "No answer so far: replace the three dots and run again."
    if called and not callable(answer):
        return f"Not yet: the check needs what you have defined, without a call; it got {kind(answer)}."
    outcomes = []
    for inputs in exercise.inputs:
        outcomes.append(outcome(exercise, answer, inputs))
        if len(outcomes) == 1 and outcomes[0].printed:
            print(outcomes[0].printed[:LONGEST].rstrip("\n"), *["…"] * (len(outcomes[0].printed) > LONGEST), sep="\n")
        if is_stopped(outcomes[-1].result):
            return not_yet([where(exercise, inputs) + form_fault(outcomes[-1].result, None)])
    results = [result for result, *_ in outcomes]
    if all(is_blank(result) for result in results):
        return "No answer so far: it does nothing yet."
    rights = [outcome(exercise, exercise.solution, inputs).result for inputs in exercise.inputs]
    fault = difference(exercise, results, rights)
    said = [fault] if fault else []
    for inputs, (_, change, warning, _) in zip(exercise.inputs, outcomes, strict=True):
        place = "" if said else where(exercise, inputs)
        said += [place + text for text in (change, warning) if text and not any(text in line for line in said)]
    if not said:
        return "Right."
    for words, wrong in exercise.wrong.items():
        if words[-1] in ".?" and words not in " ".join(said) and agrees(exercise, outcomes, wrong):
            said.append(words)
    return not_yet(said)


def not_yet(said):
    return "Not yet: " + " ".join(text if text[-1] in ".?" else f"{text}." for text in said)


# -- using an answer --


class Outcome(NamedTuple):
    """What comes of an answer that is used on one of the inputs."""

    result: object  # what is returned, or what is raised
    change: str = ""  # which argument is changed, in words
    warning: str = ""  # what Python warns of first
    printed: str = ""


@dataclass(frozen=True)
class Raised:
    """An error that an answer raises, to be told from one that it returns."""

    error: BaseException


class TimeUp(BaseException):
    """The time for an answer is over. No `Exception`, so that an answer which catches those does not catch it."""


def outcome(exercise, answer, inputs):
    """Use an answer on a copy of one of the inputs; say what comes of it."""
    if not callable(answer):
        return Outcome(answer)
    used = copy.deepcopy(inputs)
    first = attempt(exercise, answer, used)
    changed = [name for name, a, b in zip(argument_names(exercise), used, inputs, strict=False) if not unchanged(a, b)]
    if is_stopped(first.result):
        return first
    kind_of_array = Strict if exercise.nothing_hidden else Watched
    second = attempt(exercise, answer, watched(copy.deepcopy(inputs), kind_of_array))
    return first._replace(
        change=f"{changed[0]} itself is changed: work on a copy" if changed else "",
        warning=first.warning or second.warning,
    )


def attempt(exercise, answer, inputs):
    """Use an answer on inputs."""
    printed = io.StringIO()
    with put_back(), warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        with np.errstate(all="warn", under="ignore"):
            if exercise.nothing_hidden:
                np.errstate = warnings.catch_warnings = NothingHappens
                np.seterr = lambda **_: np.geterr()
                warnings.simplefilter = warnings.filterwarnings = lambda *_, **__: None
            try:
                with time_limit(SECONDS):
                    result = snapshot(exercise.run(answer, *inputs))
            except BaseException as error:
                result = Raised(error)
    if is_too_deep(result):
        result = Raised(RecursionError("what is returned contains itself"))
    faults = [warning.message for warning in caught if issubclass(warning.category, RuntimeWarning)]
    text = "" if printed.closed else printed.getvalue()
    return Outcome(result, warning=f"Python warns: {faults[0]}" if faults else "", printed=text)


def snapshot(result):
    """A copy of a result, since an answer may go on to change what it has returned."""
    try:
        return copy.deepcopy(result)
    except Exception:  # not everything can be copied
        return result


def is_stopped(result):
    """Whether an answer has been stopped, by the time limit or by the reader."""
    return isinstance(result, Raised) and isinstance(result.error, TimeUp | KeyboardInterrupt)


@contextlib.contextmanager
def time_limit(seconds):
    """Raise `TimeUp` if this takes longer, where the platform can: on the main thread, if it has alarms."""
    able = hasattr(signal, "setitimer") and sys.platform != "emscripten"
    if not able or threading.current_thread() is not threading.main_thread():
        yield
        return
    running = [True]

    def stop(*_):
        if running:
            raise TimeUp

    handler = signal.signal(signal.SIGALRM, stop)
    rest = signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)  # again and again, as an answer may catch the first
    try:
        try:
            yield
        finally:
            running.clear()
    finally:  # also if the alarm came just before it was to be switched off
        running.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *rest)


@contextlib.contextmanager
def put_back():
    """Put back what an answer changes for everybody, and let `exit()` raise SystemExit, which ends the answer only."""
    names = [dict(vars(module)) for module in SHARED]
    numpy_state = np.random.get_state()  # noqa: NPY002  an answer may draw from it
    python_state, deepest = random.getstate(), sys.getrecursionlimit()
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None:
        shell.ask_exit = sys.exit  # what exit() calls in a notebook; its own would stop the kernel a moment later
    try:
        with np.printoptions():
            yield
    finally:
        for module, before in zip(SHARED, names, strict=True):
            for name, value in before.items():
                if vars(module).get(name) is not value:
                    setattr(module, name, value)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
        sys.setrecursionlimit(deepest)
        if shell is not None:
            del shell.ask_exit


class NothingHappens(contextlib.ContextDecorator):
    """What the ways of hiding warnings do where none may be hidden."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


class Watched(np.ndarray):
    """An array that warns of new infinities and nans itself, in NumPy's words.

    For its own warnings NumPy asks the processor. In the Python of a web page it cannot, and gives none.
    """

    def is_heard(self, setting):
        """Whether the answer wants to be warned of this kind of fault."""
        return np.geterr()[setting] == "warn"

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        inputs, options = plain(inputs), {name: plain(value) for name, value in options.items()}
        before = copy.deepcopy(inputs)  # the result may be written into one of them
        result = getattr(ufunc, method)(*inputs, **options)
        if method == "__call__" and ufunc.signature is None and ufunc.nout == 1 and "where" not in options:
            warn_of(ufunc, before, np.asarray(result), self.is_heard)
        return watched(result, type(self))

    def __array_function__(self, *call):
        return watched(super().__array_function__(*call), type(self))  # some functions would return a plain array


class Strict(Watched):
    """An array that warns also where the answer has told NumPy to be silent."""

    def is_heard(self, setting):
        return True


def watched(value, kind_of_array=Watched):
    """An array, or those in a list, tuple or dict, as ones that warn themselves, with the same memory."""
    if type(value) in (list, tuple):
        return type(value)(watched(part, kind_of_array) for part in value)
    if type(value) is dict:
        return {key: watched(part, kind_of_array) for key, part in value.items()}
    return value.view(kind_of_array) if isinstance(value, np.ndarray) else value


def plain(value):
    """A watched array, or those in a tuple, as usual ones, with the same memory."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def warn_of(ufunc, inputs, result, is_heard):
    """Warn of infinities that come from finite numbers, and of nans that come from numbers."""
    if result.dtype.kind not in "fc":
        return
    infinite = np.isinf(result) & functools.reduce(np.logical_and, map(np.isfinite, inputs))
    pole = functools.reduce(np.logical_or, (np.equal(value, -1 if ufunc is np.log1p else 0) for value in inputs))
    nan = np.isnan(result) & ~functools.reduce(np.logical_or, map(np.isnan, inputs))
    faults = [
        ("divide", "divide by zero", infinite & pole),
        ("over", "overflow", infinite & ~pole),
        ("invalid", "invalid value", nan),
    ]
    for setting, words, found in faults:
        if found.any() and is_heard(setting):
            warnings.warn(f"{words} encountered in {ufunc.__name__}", RuntimeWarning, stacklevel=2)


def trace_layer(solution, layer_class, *inputs):
    """Everything that a layer computes in three batches: the inputs, other numbers, and the inputs once more.

    It gets a random upstream gradient, which it must not change. The gradients of parameters are read from the arrays
    that it held at first, as an optimizer does. After the other batch all must be as it was.
    """
    made_of = len(inspect.signature(solution).parameters)
    layer = layer_class(*inputs[:made_of])
    held = [*getattr(layer, "grads", [])]
    batch = inputs[made_of:]
    seen = trace_pass(solution, layer, held, batch, seed=0)
    if seen is None:
        return None
    other = [0.75 * np.flip(x, axis=0) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in batch]
    trace_pass(solution, layer, held, other, seed=1)
    again = trace_pass(solution, layer, held, batch, seed=0)
    return seen | {f"after another batch, {label}": value for label, value in again.items()}


def trace_pass(solution, layer, held, batch, seed):
    """Go forward and backward once; return a copy of all that comes of it, or None if there is nothing."""
    out = layer.forward(*batch)
    if is_blank(out):
        return None
    rng = np.random.default_rng(seed)
    outs = out if isinstance(out, tuple) else (out,)
    upstream = [rng.standard_normal(np.shape(y)) for y in outs]
    back = layer.backward(*upstream)
    names = list(inspect.signature(solution.forward).parameters)[1:]
    gradients = back if isinstance(back, tuple) and len(names) > 1 else (back,)
    seen = {"forward": out} | {f"the gradient of {n}": g for n, g in zip(names, gradients, strict=False)}
    seen |= {f"grads[{i}]": gradient for i, gradient in enumerate(held)}
    seen |= {"the number of gradients": len(gradients), "the upstream gradient afterwards": upstream}
    return snapshot(seen)


def argument_names(exercise):
    """The names of what stands in one of the inputs."""
    if "run" in vars(exercise):
        return list(inspect.signature(exercise.run).parameters)[1:]
    names = list(inspect.signature(exercise.solution).parameters)
    if inspect.isclass(exercise.solution):
        names += list(inspect.signature(exercise.solution.forward).parameters)[1:]
    return names


def unchanged(a, b):
    """Whether an argument still is what it was; of objects only numbers, texts, and lists and dicts of these tell."""
    if isinstance(b, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(unchanged, a, b))
    if isinstance(b, dict):
        return list(a) == list(b) and all(unchanged(a[key], b[key]) for key in b)
    if isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return not isinstance(b, Number | str) or a == b or a != a


# -- comparing --


def agrees(exercise, outcomes, wrong):
    """Whether an answer does what a known wrong one does: the same results, the same arguments changed."""
    results, changes, *_ = zip(*outcomes, strict=True)
    known, changed, *_ = zip(*(outcome(exercise, wrong, inputs) for inputs in exercise.inputs), strict=True)
    return changes == changed and difference(exercise, results, known) is None


@np.errstate(all="ignore")
def difference(exercise, results, rights):
    """The first thing in which the results for all inputs are not right, in words, or None."""
    parts = {}
    for inputs, result, right in zip(exercise.inputs, results, rights, strict=True):
        for label, a, b in pairs(result, right):
            parts.setdefault(label, []).append((inputs, a, b))
    for label, cases in parts.items():
        if fault := describe(exercise, cases):
            return f"{label}: {fault}" if label else fault
    return None


def pairs(answer, right, label=""):
    """Take an answer of several parts apart: yield the name of each part, the part, and what it should be."""
    if isinstance(right, dict) and isinstance(answer, dict):
        for key in right:
            yield from pairs(answer.get(key), right[key], f"{label}, {key}" if label else str(key))
    elif is_list(right) and is_list(answer) and has_parts(right) and len(answer) == len(right):
        for i, part in enumerate(right):
            yield from pairs(answer[i], part, f"{label}, result {i + 1}" if label else f"result {i + 1}")
    else:
        yield label, answer, right


def is_list(value):
    return isinstance(value, tuple | list)


def has_parts(value):
    """Whether a list or tuple holds several results; a list of numbers, or of such lists, is one."""
    return numbers(value) is None or any(isinstance(part, np.ndarray) for part in value)


def describe(exercise, cases):
    """What is wrong with one part of the answer, given its value for each of the inputs."""
    called = callable(exercise.solution)
    within = exercise.within or (1e-9 if called else 0.005)
    tolerance = within, exercise.absolute
    for inputs, a, b in cases:
        if fault := form_fault(a, b):
            return where(exercise, inputs) + fault
    failing = [case for case in cases if not close(case[1], case[2], *tolerance)]
    if not failing:
        return None
    nearly = called and all(is_numeric(b) and close(a, b, 1e-5, exercise.absolute) for _, a, b in failing)
    numeric = [(inputs, numbers(a) * 1.0, numbers(b) * 1.0) for inputs, a, b in cases if is_numeric(b)]
    loose = max(within, 1e-6)  # a pattern is seen also if rounding blurs it
    if len(numeric) == len(cases) and not nearly and (fault := pattern(exercise, numeric, loose)):
        return fault
    inputs, a, b = failing[0]
    others = f" (right for {len(cases) - len(failing)} of {len(cases)} inputs)" if len(cases) > len(failing) else ""
    more = ": nearly right, so look for what is not exact enough" if nearly else ""
    return where(exercise, inputs) + detail(a, b, tolerance, called) + others + more


def form_fault(answer, right):
    """What is wrong with the form of an answer: its type or its shape."""
    if isinstance(answer, Raised):
        expected = f", but a {type(right.error).__name__} is expected" if isinstance(right, Raised) else ""
        same = isinstance(right, Raised) and isinstance(answer.error, type(right.error))
        return None if same else told_error(answer.error) + expected
    if isinstance(right, Raised):
        return f"there should be a {type(right.error).__name__}, but {kind(answer)} is returned"
    if is_blank(answer):
        return None if is_blank(right) else "there is no value"
    a, b = numbers(answer), numbers(right)
    if a is None or b is None or (a.dtype == bool) != (b.dtype == bool):
        return None if kind(answer) == kind(right) else f"expected {kind(right)}, but got {kind(answer)}"
    if a.shape == b.shape:
        complex_only = np.iscomplexobj(a) and np.isrealobj(b)
        return "this is complex: which part is meant, the real or the imaginary one?" if complex_only else None
    if a.ndim == 0 or b.ndim == 0:
        return f"expected {kind(right)}, but got {kind(answer)}"
    hint = ", the transpose" if a.T.shape == b.shape else ""
    if a.size > b.size:
        hint = ": is a sum missing, or did two arrays broadcast?"
    return f"the shape is {show(a.shape)}, but {show(b.shape)} is expected{hint}"


def close(answer, right, relative, absolute=None):
    """Whether two values of the same form agree."""
    if numbers(right) is None:
        return not isinstance(right, str) or answer.strip().lower() == right.strip().lower()
    return bool(agreeing(numbers(answer), numbers(right), relative, absolute).all())


def agreeing(a, b, relative, absolute=None):
    """Which numbers of two arrays agree: whole ones only if they are equal, but for what rounding leaves of them."""
    size = np.abs(b[np.isfinite(b)]).max(initial=0)
    if b.dtype.kind in "biu" and absolute is None:
        return a == b if a.dtype.kind in "biu" else np.isclose(a, b, rtol=1e-9, atol=1e-12 * size)
    absolute = size * relative / 1000 if absolute is None else absolute
    return np.isclose(a, b, rtol=relative, atol=absolute, equal_nan=True)


def pattern(exercise, cases, within):
    """What is wrong with all the numbers in the same way."""
    same = functools.partial(close, relative=within, absolute=exercise.absolute)
    a, b = (np.concatenate([case[i].ravel() for case in cases]) for i in (1, 2))
    if np.iscomplexobj(b) or not (np.isfinite(a).all() and np.isfinite(b).all() and b.any()):
        return None
    if np.abs(a).max() <= 1e-12 * np.abs(b).max():  # zero, or what rounding leaves of it
        return "zero everywhere" if a.size > 1 else None
    if same(-a, b):
        return "the sign is wrong" + (" everywhere" if a.size > 1 else "")
    if all(x.ndim == 2 and x.shape == x.T.shape and same(x.T, y) for _, x, y in cases):
        return "it is transposed"
    if fault := factor(exercise, cases, a, b, within):
        return fault
    if a.size > 1 and same(a - (a - b).mean(), b):
        shift = (a - b).mean()
        return f"{show(abs(shift))} too {'large' if shift > 0 else 'small'} everywhere"
    if a.size > 1 and all(same(np.sort(x, axis=None), np.sort(y, axis=None)) for _, x, y in cases):
        return "the right numbers, but in another order"
    return None


def factor(exercise, cases, a, b, within):
    """The factor by which all numbers are too large or too small."""
    same = functools.partial(close, relative=within, absolute=exercise.absolute)
    cases = [case for case in cases if case[1].any() or case[2].any()]  # zero is any number of times zero
    ratios = [np.vdot(y, x) / np.vdot(y, y) for _, x, y in cases]
    if not all(same(x, r * y) for r, (_, x, y) in zip(ratios, cases, strict=True)):
        return None
    for axis, what in enumerate(("rows", "columns")):
        for i, name in enumerate(argument_names(exercise) if callable(exercise.solution) else []):
            counts = [np.shape(numbers(inputs[i]))[axis : axis + 1] for inputs, _, _ in cases]
            if all(n and n[0] > 1 and np.isclose(r, n[0]) for r, n in zip(ratios, counts, strict=True)):
                return f"as many times too large as {name} has {what}: is the mean taken?"
            if all(n and n[0] > 1 and np.isclose(r * n[0], 1) for r, n in zip(ratios, counts, strict=True)):
                return f"as many times too small as {name} has {what}: is there one mean too many?"
    ratio = ratios[0]
    if ratio == 0 or not np.allclose(ratios, ratio, rtol=within, atol=0):
        return None
    times = max(abs(ratio), 1 / abs(ratio))
    base = next((log for log in LOGARITHMS if np.isclose(ratio, log, rtol=within)), None)
    whole = 2 <= round(times) <= 10 and np.isclose(times, round(times), rtol=within)
    if np.count_nonzero(b) < 2 and not base and not whole:
        return None  # any wrong number is some number of times too large
    sign = "the sign is wrong, and it is " if ratio < 0 else ""
    question = ": is the logarithm natural?" if base else ""
    return f"{sign}{show(times)} times too {'large' if abs(ratio) > 1 else 'small'}{question}"


def detail(answer, right, tolerance, called):
    """The first number that is not right; what it should be is told only if it came from a call."""
    if not is_numeric(right):
        return f"{show(answer)} is not right"
    a, b = numbers(answer), numbers(right)
    bad = tuple(map(int, np.argwhere(~agreeing(a, b, *tolerance))[0]))
    place = f"entry {list(bad)}" if bad else "the number"
    shown, expected = told_apart(a[bad], b[bad])
    told = f", but {expected} is expected" if called else ""
    if not called and np.isfinite(a[bad]) and np.isrealobj(b):
        rounded = b.dtype.kind == "f" and close(a[bad], b[bad], 0.05)
        told = ", which is not right to three digits" if rounded else ""
        told = told or f", which is too {'large' if a[bad] > b[bad] else 'small'}"
    return f"{place} is {shown}{told}"


# -- words --


def where(exercise, inputs):
    """For which input something happens: "for x = [0, 1000]: "."""
    named = zip(argument_names(exercise), inputs, strict=False) if inputs else []
    shown = ", ".join(f"{name} = {show(value)}" for name, value in named)
    return f"for {shown}: " if shown else ""


def is_blank(value):
    """Whether there is no answer yet: None, three dots, or nothing else in all parts."""
    if isinstance(value, dict | tuple | list) and len(value):
        return all(map(is_blank, value.values() if isinstance(value, dict) else value))
    return value is None or value is ...


def is_too_deep(value, depth=0):
    """Whether lists, tuples or dicts are nested deeper than anybody means, as in a list that contains itself."""
    if not isinstance(value, dict | tuple | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return depth == DEEPEST or any(is_too_deep(part, depth + 1) for part in parts)


def numbers(value):
    """The value as an array of numbers or truth values, or None; a fraction is a number, too."""
    if isinstance(value, dict) or callable(value):
        return None
    try:
        array = np.asarray(value)
        if array.dtype == object and array.size and all(isinstance(part, Number) for part in array.flat):
            array = array.astype(complex if any(isinstance(part, complex) for part in array.flat) else float)
    except Exception:  # rows of different lengths, or whatever else a reader may return
        return None
    return array if array.dtype.kind in "biufc" else None


def is_numeric(value):
    """Whether a value is a number or an array of numbers; truth values are none."""
    return numbers(value) is not None and numbers(value).dtype != bool


def kind(value):
    """What a value is, in words."""
    if inspect.isclass(value) or callable(value):
        return "a class" if inspect.isclass(value) else "a function"
    array = numbers(value)
    if array is None:
        name = "text" if isinstance(value, str) else type(value).__name__
        return f"a {name} of {len(value)} parts" if is_list(value) else f"a {name}"
    if array.shape:
        return f"an array of {'True and False' if array.dtype == bool else f'shape {show(array.shape)}'}"
    return "True or False" if array.dtype == bool else "a number"


def told_error(error):
    """An error in words."""
    if isinstance(error, TimeUp):
        return f"no result after {SECONDS} seconds: does a loop never end?"
    if isinstance(error, SystemExit):
        return "this ends the program, as exit() does: return a result instead"
    return ": ".join(filter(None, [type(error).__name__, shortened(str(error), 300)]))


def shortened(text, longest):
    return text if len(text) <= longest else f"{text[:longest]} …"


def told_apart(a, b):
    """Two values in words, with as many digits as it takes to see that they differ."""
    for digits in (4, 7, 10):
        if show(a, digits) != show(b, digits):
            return show(a, digits), show(b, digits)
    return show(a, 17), show(b, 17)


def show(value, digits=4):
    """A value in a few characters, the same on every machine."""
    if isinstance(value, str):
        return f'"{shortened(value, 80)}"'
    if isinstance(value, dict | tuple) and len(value) > 12:
        return f"a {type(value).__name__} of {len(value)} parts"
    if isinstance(value, tuple):
        return f"({', '.join(show(part, digits) for part in value)}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{show(key)}: {show(part, digits)}' for key, part in value.items())}}}"
    array = numbers(value)
    if array is None and isinstance(value, list):
        return f"[{', '.join(show(part, digits) for part in value)}]"
    if array is None:
        return getattr(value, "__name__", type(value).__name__)
    if array.size > 12:
        return f"an array of shape {show(array.shape)}"
    if array.shape:
        return f"[{', '.join(show(part, digits) for part in array)}]"
    return f"{array + 0:.{digits}g}" if array.dtype.kind in "fc" else str(array)  # -0 + 0 is 0
