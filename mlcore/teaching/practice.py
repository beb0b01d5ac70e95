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
- `within` (optional): the relative tolerance, by default 1e-6 for what is computed and 0.005 for what is worked out
  by hand; whole numbers must be exact.
- `run` (optional): a class method that says how to use an answer on one of the inputs; by default it is called.

A solution uses no names but those that its module imports: these imports are the first cell of the notebook.
"""

import copy
import difflib
import functools
import importlib
import inspect
import json
import os
import pkgutil
import re
import warnings

import numpy as np

LEVELS = ("recall", "by hand", "implement", "debug", "transfer")
LOGARITHMS = 1 / np.log(2), 1 / np.log(10)  # how many times too large a loss is with another base


class Exercise:
    """What all exercises have in common; the docstring of the module says how to write one."""

    hint = ""
    inputs = [()]
    within = None

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

    Parameters
    ----------
    name : str
        The exercise.
    answer : object
        What the reader has found or written. Whatever it is, nothing is raised: all cells of a notebook can be run.

    Examples
    --------
    >>> check("mean-cross-entropy", ...)
    No answer so far: replace the three dots and run again.
    """
    if exercise := exercises().get(str(name)):
        text = feedback(exercise, answer)
    else:
        near = difflib.get_close_matches(str(name), exercises(), n=1)
        text = f"There is no exercise {show(name)}." + "".join(f" Is it {show(other)}?" for other in near)
    print(" ".join(text.split()))  # one line: the page and JupyterLab wrap it where it has to be


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
    told = show(computed)
    if is_blank(guess):
        text = f"It is {told}. Predict first: replace the three dots and run again."
    elif all(form_fault(a, b) is None and close(a, b, 0.01, within) for _, a, b in pairs(guess, computed)):
        text = f"Right: {told}" + (f" (you predicted {show(guess)})." if show(guess) != told else ".")
    else:
        text = "Not so: you predicted {}, and it is {}.".format(*told_apart(guess, computed))
    print(" ".join(text.split()))
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


def feedback(exercise, answer):
    """What the check says of an answer."""
    called = callable(exercise.solution)
    if is_blank(answer):
        return "No answer so far: replace the three dots and run again."
    if called and not callable(answer):
        return f"Not yet: the check needs what you have defined, without a call; it got {kind(answer)}."
    outcomes = [outcome(exercise, answer, inputs) for inputs in exercise.inputs]
    results = [result for result, _, _ in outcomes]
    if all(is_blank(result) for result in results):
        return "No answer so far: nothing is returned."
    rights = [outcome(exercise, exercise.solution, inputs)[0] for inputs in exercise.inputs]
    fault = difference(exercise, results, rights)
    said = [fault] if fault else []
    for inputs, (_, change, warning) in zip(exercise.inputs, outcomes, strict=True):
        place = "" if said else where(exercise, inputs)
        said += [place + text for text in (change, warning) if text and not any(text in line for line in said)]
    if not said:
        return "Right."
    for words, wrong in exercise.wrong.items():
        if words[-1] in ".?" and words not in " ".join(said) and agrees(exercise, outcomes, wrong):
            said.append(words)
    return "Not yet: " + " ".join(text if text[-1] in ".?" else f"{text}." for text in said)


# -- using an answer --


def outcome(exercise, answer, inputs):
    """Use an answer on a copy of one of the inputs; return what comes of it, what it changes, and NumPy's warning."""
    if not callable(answer):
        return answer, "", ""
    used = copy.deepcopy(inputs)
    result, warning = attempt(exercise, answer, used)
    changed = [name for name, a, b in zip(argument_names(exercise), used, inputs, strict=False) if not unchanged(a, b)]
    return (
        result,
        f"{changed[0]} itself is changed: work on a copy" if changed else "",
        warning or attempt(exercise, answer, watched(copy.deepcopy(inputs)))[1],
    )


def attempt(exercise, answer, inputs):
    """Use an answer on inputs; return the result, which may be an error, and what Python warns of first."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        try:
            result = exercise.run(answer, *inputs)
        except Exception as error:
            result = error
    return result, f"Python warns: {caught[0].message}" if caught else ""


class Watched(np.ndarray):
    """An array that warns of new infinities and nans itself, in NumPy's words.

    For its own warnings NumPy asks the processor. In the Python of a web page it cannot, and gives none.
    """

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        inputs, options = plain(inputs), {name: plain(value) for name, value in options.items()}
        before = copy.deepcopy(inputs)  # the result may be written into one of them
        result = getattr(ufunc, method)(*inputs, **options)
        if method == "__call__" and ufunc.signature is None and ufunc.nout == 1 and "where" not in options:
            warn_of(ufunc, before, np.asarray(result))
        return watched(result)

    def __array_function__(self, *call):
        return watched(super().__array_function__(*call))  # some functions would return a plain array


def watched(value):
    """An array, or those in a list or tuple, as ones that warn themselves, with the same memory."""
    if type(value) in (list, tuple):
        return type(value)(map(watched, value))
    return value.view(Watched) if isinstance(value, np.ndarray) else value


def plain(value):
    """A watched array, or those in a tuple, as usual ones, with the same memory."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def warn_of(ufunc, inputs, result):
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
        if found.any() and np.geterr()[setting] == "warn":
            warnings.warn(f"{words} encountered in {ufunc.__name__}", RuntimeWarning, stacklevel=2)


def trace_layer(solution, layer_class, *inputs):
    """Everything that a layer computes on the inputs: the output, and its gradients for a random upstream gradient."""
    made_of = len(inspect.signature(solution).parameters)
    names = list(inspect.signature(solution.forward).parameters)[1:]
    layer = layer_class(*inputs[:made_of])
    grads = [*getattr(layer, "grads", [])]  # what an optimizer holds: the arrays that are there before backward
    out = layer.forward(*inputs[made_of:])
    if is_blank(out):
        return None
    rng = np.random.default_rng(0)
    outs = out if isinstance(out, tuple) else (out,)
    back = layer.backward(*(rng.standard_normal(np.shape(y)) for y in outs))
    gradients = back if isinstance(back, tuple) else (back,)
    seen = {"forward": out} | {f"the gradient of {n}": g for n, g in zip(names, gradients, strict=False)}
    return seen | {f"grads[{i}]": gradient for i, gradient in enumerate(grads)}


def argument_names(exercise):
    """The names of what stands in one of the inputs."""
    if "run" in vars(exercise):
        return list(inspect.signature(exercise.run).parameters)[1:]
    names = list(inspect.signature(exercise.solution).parameters)
    if inspect.isclass(exercise.solution):
        names += list(inspect.signature(exercise.solution.forward).parameters)[1:]
    return names


def unchanged(a, b):
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(unchanged, a, b))
    return not isinstance(a, np.ndarray) or (a.shape == b.shape and a.tobytes() == b.tobytes())


# -- comparing --


def agrees(exercise, outcomes, wrong):
    """Whether an answer does what a known wrong one does: the same results, the same arguments changed."""
    results, changes, _ = zip(*outcomes, strict=True)
    known, changed, _ = zip(*(outcome(exercise, wrong, inputs) for inputs in exercise.inputs), strict=True)
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
    elif is_list(right) and is_list(answer) and numbers(right) is None and len(answer) == len(right):
        for i, part in enumerate(right):
            yield from pairs(answer[i], part, f"{label}, result {i + 1}" if label else f"result {i + 1}")
    else:
        yield label, answer, right


def is_list(value):
    return isinstance(value, tuple | list)


def describe(exercise, cases):
    """What is wrong with one part of the answer, given its value for each of the inputs."""
    called = callable(exercise.solution)
    within = exercise.within or (1e-6 if called else 0.005)
    for inputs, a, b in cases:
        if fault := form_fault(a, b):
            return where(exercise, inputs) + fault
    failing = [case for case in cases if not close(case[1], case[2], within)]
    if not failing:
        return None
    numeric = [(inputs, numbers(a) * 1.0, numbers(b) * 1.0) for inputs, a, b in cases if is_numeric(b)]
    if len(numeric) == len(cases) and (fault := pattern(exercise, numeric, within)):
        return fault
    inputs, a, b = failing[0]
    others = f" (right for {len(cases) - len(failing)} of {len(cases)} inputs)" if len(cases) > len(failing) else ""
    return where(exercise, inputs) + detail(a, b, within, called) + others


def form_fault(answer, right):
    """What is wrong with the form of an answer: its type or its shape."""
    if isinstance(answer, Exception):
        expected = f", but a {type(right).__name__} is expected" if isinstance(right, Exception) else ""
        return None if isinstance(answer, type(right)) else f"{type(answer).__name__}: {answer}{expected}"
    if isinstance(right, Exception):
        return f"there should be a {type(right).__name__}, but {kind(answer)} is returned"
    if is_blank(answer):
        return "there is no value"
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
    a, b = numbers(answer), numbers(right)
    if b is None:
        return isinstance(right, Exception) or answer.strip().lower() == right.strip().lower()
    if b.dtype.kind in "biu" and absolute is None:
        return np.array_equal(a, b)
    size = np.abs(b[np.isfinite(b)]).max(initial=0)
    absolute, relative = (size * relative / 1000, relative) if absolute is None else (absolute, 0)
    return bool(np.isclose(a, b, rtol=relative, atol=absolute, equal_nan=True).all())


def pattern(exercise, cases, within):
    """What is wrong with all the numbers in the same way."""
    a, b = (np.concatenate([case[i].ravel() for case in cases]) for i in (1, 2))
    if np.iscomplexobj(b) or not (np.isfinite(a).all() and np.isfinite(b).all() and b.any()):
        return None
    if np.abs(a).max() <= 1e-12 * np.abs(b).max():  # zero, or what rounding leaves of it
        return "zero everywhere" if a.size > 1 else None
    if close(-a, b, within):
        return "the sign is wrong" + (" everywhere" if a.size > 1 else "")
    if all(x.ndim == 2 and x.shape == x.T.shape and close(x.T, y, within) for _, x, y in cases):
        return "it is transposed"
    if fault := factor(exercise, cases, a, b, within):
        return fault
    if a.size > 1 and close(a - (a - b).mean(), b, within):
        shift = (a - b).mean()
        return f"{show(abs(shift))} too {'large' if shift > 0 else 'small'} everywhere"
    if a.size > 1 and all(close(np.sort(x, axis=None), np.sort(y, axis=None), within) for _, x, y in cases):
        return "the right numbers, but in another order"
    return None


def factor(exercise, cases, a, b, within):
    """The factor by which all numbers are too large or too small."""
    cases = [case for case in cases if case[1].any() or case[2].any()]  # zero is any number of times zero
    ratios = [np.vdot(y, x) / np.vdot(y, y) for _, x, y in cases]
    if not all(close(x, r * y, within) for r, (_, x, y) in zip(ratios, cases, strict=True)):
        return None
    for axis, what in enumerate(("rows", "columns")):
        for i, name in enumerate(argument_names(exercise) if callable(exercise.solution) else []):
            counts = [np.shape(numbers(inputs[i]))[axis : axis + 1] for inputs, _, _ in cases]
            if all(n and n[0] > 1 and np.isclose(r, n[0]) for r, n in zip(ratios, counts, strict=True)):
                return f"as many times too large as {name} has {what}: is the mean taken?"
            if all(n and n[0] > 1 and np.isclose(r * n[0], 1) for r, n in zip(ratios, counts, strict=True)):
                return f"as many times too small as {name} has {what}: is there a mean too many?"
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


def detail(answer, right, within, called):
    """The first number that is not right; what it should be is told only if it came from a call."""
    if not is_numeric(right):
        return f"{show(answer)} is not right"
    a, b = numbers(answer), numbers(right)
    bad = next(i for i in np.ndindex(a.shape) if not close(a[i], b[i], within))
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


def numbers(value):
    """The value as an array of numbers or truth values, or None."""
    if isinstance(value, dict) or callable(value):
        return None
    try:
        array = np.asarray(value)
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


def told_apart(a, b):
    """Two values in words, with as many digits as it takes to see that they differ."""
    for digits in (4, 7, 10):
        if show(a, digits) != show(b, digits):
            return show(a, digits), show(b, digits)
    return show(a, 17), show(b, 17)


def show(value, digits=4):
    """A value in a few characters, the same on every machine."""
    if isinstance(value, str):
        return f'"{value}"'
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
