"""The exercises, one by one, and the words of the check for every kind of fault."""

import contextlib
import copy
import functools
import inspect
import itertools
import json
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from mlcore import gradient_check
from mlcore.teaching import practice
from mlcore.teaching.exercises import whole_book
from mlcore.teaching.practice import LEVELS, Exercise, check, exercises, exercises_of, feedback, predict

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import make_practice  # noqa: E402

SECTIONS = {module.__name__.rpartition(".")[2]: module for module in make_practice.modules()}
EXERCISES = exercises()
notebook_of = functools.cache(make_practice.notebook_of)  # it takes a second or two
WRONG = [(name, words) for name, exercise in EXERCISES.items() for words in exercise.wrong]
CHAPTERS = {*(f"1.3.{i}" for i in range(1, 7)), "1.4", "1.5"}
DEBUG = [name for name, exercise in EXERCISES.items() if exercise.level == "debug"]
LAYERS = [name for name, exercise in EXERCISES.items() if inspect.isclass(exercise.solution)]
FUNCTIONS = [name for name, exercise in EXERCISES.items() if callable(exercise.solution) and name not in LAYERS]


@functools.cache
def cells():
    """The cells of all practice notebooks, as the tool makes them, by their ids."""
    return {cell.id: cell.source for module in SECTIONS.values() for cell in notebook_of(module)[1]}


def printed(name, code, capsys):
    """What code prints in the notebook of an exercise, after the first cell."""
    namespace = {}
    exec(make_practice.setup(inspect.getmodule(EXERCISES[name])), namespace)
    capsys.readouterr()
    exec(code, namespace)
    return " ".join(capsys.readouterr().out.split())


# -- every exercise --


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_complete(name):
    exercise = EXERCISES[name]
    assert exercise.level in LEVELS
    assert (exercise.level == "debug") == hasattr(exercise, "given")
    title, _, task = inspect.getdoc(exercise).partition("\n\n")
    assert len(title) < 60 and "\n" not in title and title[-1] != "." and len(task) > 30 and len(exercise.worked) > 30
    assert callable(exercise.solution) == (exercise.inputs != [()])
    assert len(exercise.wrong) >= 2


@pytest.mark.parametrize("name", EXERCISES)
def test_the_stub_does_not_pass(name, capsys):
    said = printed(name, cells()[f"{name}-answer"], capsys)
    assert said.startswith("Not yet: " if name in DEBUG else "No answer so far")


@pytest.mark.parametrize("name", DEBUG)
def test_the_faulty_code_does_not_pass(name):
    assert feedback(EXERCISES[name], EXERCISES[name].given).startswith("Not yet: ")


@pytest.mark.parametrize("name, words", WRONG)
def test_a_wrong_answer_does_not_pass_and_is_told_why(name, words):
    said = feedback(EXERCISES[name], EXERCISES[name].wrong[words])
    assert said.startswith("Not yet: ") and words in said


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_passes(name):
    assert feedback(EXERCISES[name], EXERCISES[name].solution) == "Right."


@pytest.mark.parametrize("name", [*LAYERS, *FUNCTIONS])
def test_the_solution_raises_no_error_but_one_that_is_asked_for(name):
    results = [practice.outcome(EXERCISES[name], EXERCISES[name].solution, i).result for i in EXERCISES[name].inputs]
    errors = {type(result.error).__name__ for result in results if isinstance(result, practice.Raised)}
    assert all(error in inspect.getdoc(EXERCISES[name]) for error in errors) and len(errors) < len(results)


@pytest.mark.parametrize("name", EXERCISES)
def test_another_right_answer_passes(name):
    same, solution = EXERCISES[name].same, EXERCISES[name].solution
    assert same is not solution
    assert feedback(EXERCISES[name], same) == "Right."


@pytest.mark.parametrize("name", EXERCISES)
def test_the_printed_solution_passes(name, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", cells()[f"{name}-solution"], re.DOTALL)
    call = cells()[f"{name}-answer"].splitlines()[-1]
    assert call.startswith("check(")
    assert printed(name, f"{code}\n{call}", capsys) == "Right."


@pytest.mark.parametrize("name", LAYERS)
def test_the_gradients_of_a_layer_are_right(name):
    solution, inputs = EXERCISES[name].solution, EXERCISES[name].inputs
    made_of = len(inspect.signature(solution).parameters)
    for values in inputs:
        assert max(gradient_check(solution(*values[:made_of]), *values[made_of:]).values()) < 1e-6


@pytest.mark.parametrize("name", [*LAYERS, *FUNCTIONS])
def test_a_solution_does_what_the_book_teaches(name):
    source = inspect.getsource(EXERCISES[name].solution)
    assert not re.search(r"1 / \(1 \+ np\.exp\(-|np\.log\(\w+\[", source)  # both are wrong for large scores


def spoil(value):
    """Change all numbers of an array, or of those in a list, in place."""
    if isinstance(value, np.ndarray):
        value[...] = value * 2 + 1
    elif isinstance(value, list):
        list(map(spoil, value))


def returns_nothing(function):
    return lambda self, *arrays: function(self, *arrays) and None


def twice_too_large(function):
    def changed(self, *arrays):
        result = function(self, *arrays)
        return tuple(2 * part for part in result) if isinstance(result, tuple) else 2 * result

    return changed


def spoils_its_arguments(function):
    def changed(self, *arrays):
        result = copy.deepcopy(function(self, *arrays))
        spoil([*arrays])
        return result

    return changed


def one_gradient_too_many(function):
    def changed(self, *arrays):
        result = function(self, *arrays)
        return *(result if isinstance(result, tuple) else (result,)), 0

    return changed


@pytest.mark.parametrize("fault", [returns_nothing, twice_too_large, spoils_its_arguments, one_gradient_too_many])
@pytest.mark.parametrize("method", ["forward", "backward"])
@pytest.mark.parametrize("name", LAYERS)
def test_what_a_method_returns_and_changes_is_compared(name, method, fault):
    solution = EXERCISES[name].solution
    faulty = type("Faulty", (solution,), {method: fault(getattr(solution, method))})
    assert feedback(EXERCISES[name], faulty) != "Right."


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_must_not_spoil_its_arguments(name):
    exercise = EXERCISES[name]
    for i, parameter in enumerate(inspect.signature(exercise.solution).parameters):
        spoilt = []

        def spoiling(*arguments, i=i, spoilt=spoilt):
            before = copy.deepcopy(arguments[i])
            result = copy.deepcopy(exercise.solution(*arguments))
            if practice.unchanged(arguments[i], before):  # it is not what the answer is to change
                spoil(arguments[i])
                spoilt.append(not practice.unchanged(arguments[i], before))
            return result

        said = feedback(exercise, spoiling)
        allowed = name == "price-on-everything" and parameter == "grads"  # as the chapter does it
        assert (said == "Right.") == (allowed or not any(spoilt))


# -- right and wrong answers that readers gave --


def in_place_price(params, grads, r):
    for p, g in zip(params, grads, strict=True):
        if p.ndim == 2:
            g += 2 * r * p
    return grads


def rate_by_the_hint(steps, nearer):
    def largest_rate(rule):
        low, high = 0.0, 8.0
        while high - low > 0.01 * high:
            lr = (low + high) / 2
            x, optimizer = np.array([1.0]), rule(lr)
            for _ in range(steps):
                optimizer.update([x], [x])
            low, high = (lr, high) if abs(x[0]) < nearer else (low, lr)
        return low

    return largest_rate


def deprecated(x, t):
    warnings.warn("some day this goes", DeprecationWarning, stacklevel=2)
    return EXERCISES["mean-cross-entropy"].solution(x, t)


@pytest.mark.parametrize(
    "name, answer",
    [
        ("first-loss", {"factor": 221.05 / np.log(1000)}),
        ("first-loss", {"factor": 32}),
        ("step-for-float32", {"error": 2.5e-5}),
        ("three-ways", {"direct": Fraction(4), "through_u": np.float32(8)}),
        ("three-scores", {"gradient": [Fraction(1, 10), Fraction(2, 5), Fraction(-1, 2)]}),
        ("price-on-everything", in_place_price),
        ("largest-rate", rate_by_the_hint(200, 1)),
        ("largest-rate", rate_by_the_hint(300, 1e-3)),
        ("largest-rate", rate_by_the_hint(500, 1e3)),
        ("mean-cross-entropy", deprecated),
    ],
)
def test_a_right_answer_is_right_in_any_form(name, answer):
    if isinstance(answer, dict):
        answer = EXERCISES[name].solution | answer
    assert feedback(EXERCISES[name], answer) == "Right."


def affine_without(line):
    """The layer of an exercise without one line, or with another one in its place."""
    old, arrow, new = line.partition(" -> ")

    def change(solution):
        source = textwrap.dedent(inspect.getsource(solution))
        assert old in source
        namespace = {"np": np}
        exec(source.replace(old, new if arrow else "pass"), namespace)
        return namespace["solution"]

    return change


GLOBAL = {}


def state_in_a_global(w, gradient, state, lr, momentum):
    GLOBAL["v"] = momentum * GLOBAL.get("v", 0.0) - lr * gradient
    w += GLOBAL["v"]


def gradient_destroyed(w, gradient, state, lr, momentum):
    state["v"] = momentum * state.get("v", 0.0) - lr * gradient
    w += state["v"]
    gradient[...] = 0


def up_and_down(f, x):
    gradient, h = np.zeros(len(x)), 1e-5
    for i in range(len(x)):
        x[i] += h
        above = f(x)
        x[i] -= h
        x[i] -= h
        gradient[i] = (above - f(x)) / (2 * h)
        x[i] += h
    return gradient


def forward_difference(h):
    return lambda f, x, u: (f(x + h * u / np.linalg.norm(u)) - f(x)) / h


def central_slope(h):
    def answer(x, n):
        below, value, above = (EXERCISES["logistic-slope"].solution(point, n)[0] for point in (x - h, x, x + h))
        return value, (above - below) / (2 * h)

    return answer


def central_nudge(h):
    return lambda x, v, A, B: (np.tanh((x + h * v) @ A) @ B - np.tanh((x - h * v) @ A) @ B) / (2 * h)


def axes_only(a, b):
    if a.ndim != b.ndim:
        raise ValueError
    return EXERCISES["honest-error"].solution(*np.broadcast_arrays(a, b))


def equal_for_same(params, grads, state, lr):
    EXERCISES["shared-twice"].wrong["Two arrays with the same numbers are still two arrays."](params, grads, state, lr)


@pytest.mark.parametrize(
    "name, answer",
    [
        ("unseen-gradient", affine_without("return dout @ self.params[0].T")),
        ("unseen-gradient", affine_without("return x @ self.params[0] -> return 2 * (x @ self.params[0])")),
        ("second-batch", affine_without("return dout @ self.params[0].T")),
        ("second-batch", affine_without(" + self.params[1] -> ")),
        ("keep-the-values", affine_without("return x * y -> return x + y")),
        ("two-names-one-array", affine_without("return x + y -> return x - y")),
        ("weight-used-twice", affine_without("return self.h @ self.params[0] -> return self.h")),
        ("any-number-of-axes", lambda x: EXERCISES["any-number-of-axes"].solution(x) if x.ndim <= 3 else x),
        ("silent-sigmoid", np.errstate(over="ignore")(lambda x: 1 / (1 + np.exp(-x)))),
        ("silent-sigmoid", lambda x: 1 / (1 + np.exp(-np.clip(x, -30, 30)))),
        ("silent-sigmoid", lambda x: 1 / (1 + np.exp(-np.clip(x, -700, 700)))),
        ("step-back", up_and_down),
        *(("directional-slope", forward_difference(h)) for h in (1e-4, 1e-6, 1e-8)),
        *(("logistic-slope", central_slope(h)) for h in (1e-4, 1e-5, 1e-6)),
        *(("nudge-through", central_nudge(h)) for h in (1e-4, 1e-5, 1e-6)),
        ("honest-error", axes_only),
        ("shared-twice", equal_for_same),
        ("momentum-in-place", gradient_destroyed),
        ("momentum-in-place", state_in_a_global),
    ],
)
def test_a_wrong_answer_is_refused_with_words(name, answer):
    GLOBAL.clear()
    if inspect.isclass(EXERCISES[name].solution):
        answer = answer(EXERCISES[name].solution)
    said = feedback(EXERCISES[name], answer)
    assert said.startswith("Not yet: ") and len(said) > 20


# -- every section --


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_has_ten_exercises_on_four_levels(section):
    levels = [exercise.level for exercise in exercises_of(SECTIONS[section])]
    assert len(levels) >= 10
    assert {"recall", "by hand", "transfer"} < set(levels) and {"implement", "debug"} & set(levels)


def test_a_text_names_what_its_stub_defines():
    asked = {name: re.findall(r"\b[Ww]rite\s+`(\w+)\(", inspect.getdoc(e)) for name, e in exercises().items()}
    others = {n: found for n, found in asked.items() if set(found) - {make_practice.answer_name(exercises()[n])}}
    assert sum(map(len, asked.values())) >= 2 and others == {}


def test_names_are_unique():
    assert len(EXERCISES) == sum(len(exercises_of(module)) for module in SECTIONS.values())


@pytest.mark.parametrize("section", SECTIONS)
def test_the_stored_notebook_is_what_the_tool_makes(section):
    path, made = notebook_of(SECTIONS[section])
    stored = nbformat.read(path, as_version=4).cells
    assert make_practice.sources(stored) == make_practice.sources(made)


def test_a_practice_notebook_follows_its_chapter():
    overview, *files, test = re.findall(r"file: notebooks/(\w+)", (ROOT / "_toc.yml").read_text())
    assert overview == "1_3_overview"  # a first look, with nothing to practise
    assert [test] == [module.PAGE for module in SECTIONS.values() if hasattr(module, "PAGE")]  # of all chapters
    chapters, practice = files[::2], files[1::2]
    assert practice == [f"{chapter}_practice" for chapter in chapters]
    of_one = {section for section, module in SECTIONS.items() if not hasattr(module, "PAGE")}
    assert {chapter.lstrip("0123456789_") for chapter in chapters} == of_one


def test_the_test_of_the_whole_book_mixes_all_chapters():
    mixed = exercises_of(whole_book)
    levels = Counter(exercise.level for exercise in mixed)
    assert len(mixed) == 40 and levels["transfer"] >= 4 and levels["implement"] + levels["debug"] >= 10
    links = [re.findall(make_practice.LINK, exercise.read_again) for exercise in mixed]
    assert all(links) and {number for each in links for number, _ in map(parts, each)} == CHAPTERS
    assert all(name.startswith(number.replace(".", "_") + "_") for each in links for number, name in map(parts, each))
    assert not any(set(a) & set(b) for a, b in itertools.pairwise(links))  # never the same chapter twice in a row
    _, cells = notebook_of(whole_book)
    assert all(f"Read again: {exercise.read_again}." in cells[3 * i + 4].source for i, exercise in enumerate(mixed))
    table = dict(re.findall(rf"^\| ({make_practice.LINK}) \| ([\d, ]+) \|$", cells[-1].source, re.MULTILINE))
    counted = {link: [str(i) for i, each in enumerate(links, 1) if link in each] for link in table}
    assert len(table) == len(CHAPTERS) and {link: text.split(", ") for link, text in table.items()} == counted


def parts(link):
    return link.strip("[)").split("](")


def test_practice_is_only_imported_when_it_is_needed():
    code = "import sys, mlcore; print([name for name in sys.modules if name.startswith('mlcore.')])"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "mlcore.functions" in imported and "practice" not in imported and "exercises" not in imported


# -- the words of the check --

X = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
Y = np.array([[0.5, 1.0, 1.5], [2.0, 2.5, 3.0], [-1.0, 0.0, 1.0], [7.0, 8.0, 8.5]])


def about(solution, *inputs, **settings):
    """An exercise with this solution."""
    base = {"level": "implement", "solution": solution, "wrong": {}, "inputs": list(inputs) or [()]}
    return type("AnExercise", (Exercise,), base | settings)


def square(x):
    return x**2


def fill_with_zeros(x):
    right = x**2
    x[...] = 0
    return right


def warn(x):
    _ = np.array([1.0]) / np.array([0.0])
    return x**2


SQUARE = about(square, (X,), (Y,))


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda x: -(x**2), "Not yet: the sign is wrong everywhere."),
        (lambda x: 2 * x**2, "Not yet: 2 times too large."),
        (lambda x: x**2 / 1.5, "Not yet: 1.5 times too small."),
        (lambda x: -3 * x**2, "Not yet: the sign is wrong, and it is 3 times too large."),
        (lambda x: x**2 / np.log(2), "1.443 times too large: is the logarithm natural?"),
        (lambda x: x**2 * len(x), "as many times too large as x has rows: is the mean taken?"),
        (lambda x: x**2 / x.shape[0], "as many times too small as x has rows: is there one mean too many?"),
        (lambda x: x**2 * x.shape[1], "as many times too large as x has columns: is the mean taken?"),
        (lambda x: x**2 + 1, "Not yet: 1 too large everywhere."),
        (lambda x: x**2 - 0.5, "Not yet: 0.5 too small everywhere."),
        (lambda x: 0 * x, "Not yet: zero everywhere."),
        (lambda x: x[::-1] ** 2, "Not yet: the right numbers, but in another order."),
        (
            lambda x: x.T**2,
            "for x = [[1, -2, 3], [4, 5, -6]]: the shape is (3, 2), but (2, 3) is expected, the transpose.",
        ),
        (lambda x: x.ravel() ** 2, "the shape is (6,), but (2, 3) is expected."),
        (lambda x: x[:, np.newaxis] ** 2 + 0 * x, "is a sum missing, or did two arrays broadcast?"),
        (lambda x: 3.0, "expected an array of shape (2, 3), but got a number."),
        (lambda x: "b", "expected an array of shape (2, 3), but got a text."),
        (lambda x: {"a": 1}, "expected an array of shape (2, 3), but got a dict."),
        (lambda x: [[1, 2], [3]], "expected an array of shape (2, 3), but got a list of 2 parts."),
        (lambda x: x > 0, "expected an array of shape (2, 3), but got an array of True and False."),
        (lambda x: square, "but got a function."),
        (lambda x: Exercise, "but got a class."),
        (lambda x: np.where(x == 8, 9, x**2), "entry [3, 1] is 9, but 64 is expected (right for 1 of 2 inputs)."),
        (lambda x: np.where(x == 8, np.nan, x**2), "entry [3, 1] is nan, but 64 is expected"),
        (lambda x: x**2 if len(x) == 2 else None, "there is no value."),
        (
            lambda x: x**2 / min(1, len(x) - 2),
            "entry [0, 0] is inf, but 1 is expected (right for 1 of 2 inputs). Python warns",
        ),
        (lambda x: x**2 + [1 / 0], "for x = [[1, -2, 3], [4, 5, -6]]: ZeroDivisionError: division by zero."),
        (lambda x: x * 1e-300, "Not yet: zero everywhere."),
        (lambda: 1, "takes 0 positional arguments but 1 was given."),
        (fill_with_zeros, "for x = [[1, -2, 3], [4, 5, -6]]: x itself is changed: work on a copy."),
        (warn, "for x = [[1, -2, 3], [4, 5, -6]]: Python warns: divide by zero encountered in divide."),
        (np.ones(3), "Not yet: the check needs what you have defined, without a call; it got an array of shape (3,)."),
        (lambda x: None, "No answer so far: it does nothing yet."),
        (lambda x: ..., "No answer so far: it does nothing yet."),
        (..., "No answer so far: replace the three dots and run again."),
        (None, "No answer so far: replace the three dots and run again."),
        (np.square, "Right."),
        (lambda x: [[v * v for v in row] for row in x.tolist()], "Right."),
    ],
)
def test_the_check_says_what_is_wrong_with_a_function(answer, words):
    said = feedback(SQUARE, answer)
    assert words in said
    assert said == "Right." or said.startswith(("Not yet: ", "No answer so far"))


def in_place(x):
    x *= 1e200
    return x


@pytest.mark.parametrize(
    "use, x",
    [
        (lambda x: 1 / (1 + np.exp(-x)), [-1000.0, 0.0, 1000.0]),
        (lambda x: np.where(x > 0, np.log(x), 0), [0.0, 1.0]),
        (np.log, [[-1.0, 0.0], [1.0, 0.0]]),
        (lambda x: np.log1p(-x), [1.0, 0.0]),
        (lambda x: np.sqrt(x - x.mean(axis=0)), [[1.0], [2.0]]),
        (lambda x: x / x.sum(axis=1, keepdims=True), [[0.0, 0.0]]),
        (lambda x: x / (x - 1), [0, 1]),
        (lambda x: x.copy()[x > 0] / 0, [1.0, -1.0]),
        (lambda x: 1e300 / x, [1e-300]),
        (lambda x: x**2, [1e200]),
        (lambda x: np.concatenate([x, x]) * 1e38, np.array([9.0], np.float32)),
        (lambda x: 1 / (x * x), [1e-200]),  # too small is no fault by itself, but 0 it is
        (in_place, [1e200]),
        (lambda x: np.exp(x, out=x), [1000.0]),
    ],
)
def test_an_array_warns_as_numpy_does(use, x):
    assert (said := warnings_of(use, np.array(x)))
    assert warnings_of(use, practice.watched(np.array(x))) == sorted(said * 2)  # NumPy's own, and the array's


@pytest.mark.parametrize(
    "use",
    [
        lambda x: np.divide(x, 0, out=np.zeros(3), where=x < 0),
        lambda x: np.maximum(x, -np.inf) + x.max(initial=-np.inf),
        lambda x: np.exp(x) @ x - np.inf / (1 + x),
        lambda x: np.frexp(x)[0] / np.exp(x * 1000 - 2000.0).sum(),
        lambda x: x.astype(object) / 3,
        lambda x: np.add.at(x, [0], np.nan) or x + np.nan,
        np.errstate(over="ignore", divide="ignore")(lambda x: np.exp(1000 * x) + 1 / x),
    ],
)
def test_an_array_does_not_warn_where_numpy_does_not(use):
    x = np.array([0.0, 1.0, 2.0])
    assert warnings_of(use, x) == warnings_of(use, practice.watched(x.copy())) == []


def warnings_of(use, x):
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        use(x)
    return sorted(str(warning.message) for warning in caught)


def test_each_number_counts_and_not_each_rounding():
    exercise = about(lambda x: np.array([1e-30, 1.0, 0.0]) * x, (1.0,))
    assert feedback(exercise, lambda x: np.array([1e-30, 1.0, 1e-12])) == "Right."
    assert "entry [2]" in feedback(exercise, lambda x: np.array([1e-30, 1.0, 1e-6]))
    assert feedback(about(lambda x: x, (1e-30,)), lambda x: 0.0) != "Right."
    assert feedback(about(lambda x: x, (np.inf,)), lambda x: 1e300) != "Right."
    assert feedback(about(lambda x: x, (np.nan,)), lambda x: x) == "Right."
    assert feedback(about(lambda x: x, (1.0,), within=0.5), lambda x: 1.4) == "Right."
    assert feedback(about(lambda x: x, (3,)), lambda x: 3.0) == "Right."
    assert feedback(about(lambda x: x, (3_000_000,)), lambda x: 3_000_001) != "Right."


def test_a_square_matrix_is_transposed_and_one_number_may_be_any_times_too_large():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert feedback(about(square, (matrix,)), lambda x: x.T**2) == "Not yet: it is transposed."
    exercise = about(lambda x: x, (2.0,), (3.0,))
    assert feedback(exercise, lambda x: 1.37 * x) == "Not yet: 1.37 times too large."
    assert feedback(exercise, lambda x: x**2) == "Not yet: for x = 2: the number is 4, but 2 is expected."
    assert feedback(exercise, lambda x: 2 * x) == "Not yet: 2 times too large."
    assert feedback(exercise, lambda x: x + 1) == "Not yet: 1 too large everywhere."
    assert feedback(exercise, lambda x: 0.0) == "Not yet: zero everywhere."
    assert "is 1, but 0 is expected" in feedback(about(lambda x: 0 * x, (2.0,)), lambda x: 1.0)


def test_a_factor_is_found_beside_zeros_and_in_numbers_of_any_size():
    exercise = about(lambda x: x, (0.0,), (2.0,), (7.0,))
    assert feedback(exercise, lambda x: 1.5 * x) == "Not yet: 1.5 times too large."
    assert "is 1, but 0 is expected" in feedback(exercise, lambda x: 1.5 * x if x else 1.0)
    huge = about(lambda x: x, (np.array([1e200, 3e300]),))
    assert feedback(huge, lambda x: x[::-1]) == "Not yet: the right numbers, but in another order."


def test_numbers_that_look_alike_are_told_apart():
    exercise = about(lambda x: x, (6.5,), (2.0,))
    assert "is 6.50002, but 6.5 is expected" in feedback(exercise, lambda x: x + 2e-5 if x > 3 else x)
    assert "is 2.00000000003, but 2 is" in feedback(about(lambda x: x, (2.0,), within=1e-15), lambda x: x + 3e-11)


def test_what_rounding_leaves_of_zero_is_zero_with_one_sign():
    exercise = about(lambda x: x, (2.0,), (3.0,))
    assert (
        feedback(exercise, lambda x: x * 1e-17) == feedback(exercise, lambda x: 0.0 * x) == "Not yet: zero everywhere."
    )
    assert "is 1, but 0 is expected" in feedback(about(lambda x: x, (np.array([-0.0, 1.0]),)), lambda x: x + [1, 0])
    tiny = feedback(exercise, lambda x: 0.0 if x == 2 else 1e-9)
    assert tiny == "Not yet: for x = 2: the number is 0, but 2 is expected."


def test_an_input_may_be_a_list_of_unequal_parts():
    exercise = about(lambda rows: np.array([len(row) for row in rows]), ([[1], [2, 3]],))
    assert feedback(exercise, lambda rows: np.array([2, 4])) == "Not yet: 2 times too large."


def test_a_complex_number_is_told_from_its_parts():
    step = about(lambda x: 2 * x, (1.0,))
    assert "which part is meant" in feedback(step, lambda x: (x + 1e-20j) ** 2)
    assert feedback(about(2 + 1j), 2 - 1j) == "Not yet: the number is 2-1j."
    assert feedback(about(2 + 1j), 2) == "Not yet: the number is 2."


@pytest.mark.parametrize(
    "right, answer, words",
    [
        (0.6931, 0.69, "Right."),
        (0.6931, 0.7, "Not yet: the number is 0.7, which is not right to three digits."),
        (0.6931, 0.8, "Not yet: the number is 0.8, which is too large."),
        (0.6931, -0.693, "Not yet: the sign is wrong."),
        (0.6931, 1.0, "Not yet: 1.443 times too large: is the logarithm natural?"),
        (0.6931, 0.301, "Not yet: 2.303 times too small: is the logarithm natural?"),
        (6.0, 2.0, "Not yet: 3 times too small."),
        (6.0, 0.0, "Not yet: the number is 0, which is too small."),
        (6.0, np.nan, "Not yet: the number is nan."),
        (12, 12.0, "Right."),
        (12, 12.01, "which is too large"),
        ("b", " B ", "Right."),
        ("b", "a", 'Not yet: "a" is not right.'),
        ("b", 2, "Not yet: expected a text, but got a number."),
        (True, False, "Not yet: False is not right."),
        (True, True, "Right."),
        ([True, False], [False, False], "Not yet: [False, False] is not right."),
        (True, 1, "Not yet: expected True or False, but got a number."),
        ((4, 1), (4, 1), "Right."),
        ((4, 1), (1, 4), "Not yet: the right numbers, but in another order."),
        ((4, 1), (4,), "Not yet: the shape is (1,), but (2,) is expected."),
        (((4, 1), "a"), ((4, 2), "a"), "Not yet: result 1: entry [1] is 2, which is too large."),
        (((4, 1), "a"), ((4, 1), "b"), 'Not yet: result 2: "b" is not right.'),
        (((4, 1), "a"), (4, 1, "a"), "Not yet: expected a tuple of 2 parts, but got a tuple of 3 parts."),
        ({"x": 1.0, "y": 2.0}, {"x": 1, "y": 2}, "Right."),
        ({"x": 1.0, "y": 2.0}, {"x": 1, "y": -2}, "Not yet: y: the sign is wrong."),
        ({"x": 1.0, "y": 2.0}, {"x": 1, "y": ...}, "Not yet: y: there is no value."),
        ({"x": 1.0, "y": 2.0}, {"x": 1, "z": 2}, "Not yet: y: there is no value."),
        ({"x": {"a": 1, "b": "c"}}, {"x": {"a": 1, "b": "d"}}, 'Not yet: x, b: "d" is not right.'),
        ({"x": (1.0, "a")}, {"x": (1.0, "b")}, 'Not yet: x, result 2: "b" is not right.'),
        ({"x": 1.0}, 1.0, "Not yet: expected a dict, but got a number."),
        ({"x": 1.0, "y": 2.0}, {"x": ..., "y": ...}, "No answer so far"),
    ],
)
def test_the_check_says_what_is_wrong_with_a_value(right, answer, words):
    assert words in feedback(about(right), answer)


def test_an_error_may_be_the_right_answer():
    def refuse(x):
        if x < 0:
            raise ValueError("negative")
        return x

    exercise = about(refuse, (1,), (-1,))
    assert feedback(exercise, refuse) == "Right."
    assert (
        feedback(exercise, lambda x: x)
        == "Not yet: for x = -1: there should be a ValueError, but a number is returned."
    )
    said = feedback(exercise, lambda x: [x][x - 1])
    assert said == "Not yet: for x = -1: IndexError: list index out of range, but a ValueError is expected."


def test_an_exercise_has_words_of_its_own_for_a_known_wrong_answer():
    exercise = about(lambda x: x**2, (3.0,), wrong={"You have doubled.": lambda x: 2 * x, "too large": lambda x: 9 * x})
    assert feedback(exercise, lambda x: x + x).endswith("is 6, but 9 is expected. You have doubled.")
    assert "doubled" not in feedback(exercise, lambda x: 10.0)
    in_place = about(square, (X,), wrong={"Two names, one array.": lambda x: np.add(x, 1, out=x)})
    assert "Two names" in feedback(in_place, lambda x: np.add(x, 1, out=x))
    assert "Two names" not in feedback(in_place, lambda x: x + 1)
    raising = about(lambda x: x, (3.0,), wrong={"You index a number.": lambda x: x[0]})
    assert feedback(raising, lambda x: x[1]).endswith("You index a number.")


def test_what_lists_of_arrays_hold_must_not_change_either():
    exercise = about(lambda arrays: arrays[0].sum(), ([np.ones(2)],))
    assert "arrays itself is changed" in feedback(exercise, lambda arrays: arrays.pop().sum())
    assert "arrays itself is changed" in feedback(
        exercise, lambda arrays: 0 * np.add(*arrays, 1, out=arrays[0]).sum() + 2
    )


class Scale:
    """A layer with two factors, used as solution and, with a fault, as answer."""

    fault = ""

    def __init__(self, w):
        self.params, self.grads = [w], [np.zeros_like(w)]

    def forward(self, x):
        self.x = x
        return None if self.fault == "empty" else self.params[0] * x

    def backward(self, dout):
        self.grads[0][...] = dout if self.fault == "grads" else (dout * self.x).sum(axis=0)
        return {"sign": -1, "": 1}.get(self.fault, 1) * dout * self.params[0]


@pytest.mark.parametrize(
    "fault, words",
    [
        ("", "Right."),
        ("sign", "Not yet: the gradient of x: the sign is wrong everywhere."),
        ("grads", "ValueError: could not broadcast"),
        ("empty", "No answer so far: it does nothing yet."),
    ],
)
def test_a_layer_is_checked_with_a_random_upstream_gradient(fault, words):
    exercise = about(Scale, (np.array([2.0, 3.0, 4.0]), X), (np.array([1.0, 2.0, 3.0]), Y))
    assert words in feedback(exercise, type("Mine", (Scale,), {"fault": fault}))


class Sum2:
    def forward(self, x, y):
        return x + y, x * 1.0

    def backward(self, dsum, dx):
        return dsum + dx, dsum


def test_a_layer_may_have_several_inputs_and_outputs():
    class Forgetful(Sum2):
        def backward(self, dsum, dx):
            return dsum, dsum

    exercise = about(Sum2, (X, X + 1))
    assert feedback(exercise, Sum2) == "Right."
    assert "the gradient of x: for x = " in feedback(exercise, Forgetful)
    assert "for x = [[1, -2, 3], [4, 5, -6]], y = " in feedback(exercise, Forgetful)


def test_an_exercise_may_say_how_an_answer_is_used():
    class Twice(Exercise):
        inputs = [(1.0,), (2.0,)]
        wrong = {}

        def solution(x):
            return 3 * x

        @classmethod
        def run(cls, answer, start):
            return answer(answer(start))

    assert feedback(Twice, lambda x: x * 3) == "Right."
    assert feedback(Twice, lambda x: x + 1) == "Not yet: for start = 1: the number is 3, but 9 is expected."


def test_check_prints_and_never_raises(capsys):
    check("mean-cross-entropy", lambda x, t: np.zeros((len(t), 1000)))
    said = capsys.readouterr().out
    assert said.startswith("Not yet: for x =") and said.count("\n") == 1
    check("mean-cross-entropi", 1)
    check([7], 1)
    said = capsys.readouterr().out
    assert said == 'There is no exercise "mean-cross-entropi". Is it "mean-cross-entropy"?\nThere is no exercise [7].\n'


# -- nothing that an answer does breaks the check --


class Hostile(dict):
    def values(self):
        raise ValueError("nobody reads me")


def endless_list(depth=3):
    inner = [1.0]
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    "answer, words",
    [
        (endless_list(), "expected a function, but got a list that contains itself."),
        (lambda x: endless_list(), "RecursionError: what is returned contains itself."),
        (lambda x: {"a": endless_list()}, "RecursionError: what is returned contains itself."),
        (lambda x: functools.reduce(lambda inner, _: [inner], range(50), x), "what is returned contains itself."),
        (lambda x: sys.exit(), "this ends the program, as exit() does: return a result instead."),
        (lambda x: exit(), "this ends the program"),
        (lambda x: quit(), "this ends the program"),
        (lambda x, f=lambda f: f(f): f(f), "RecursionError: maximum recursion depth exceeded"),
        (lambda x: [][len("a" * 10**6) :][0], "IndexError: list index out of range."),
        (lambda x: {}["a" * 1000], f"KeyError: '{'a' * 299} …"),
        (lambda x: (_ for _ in ()).throw(MemoryError), ": MemoryError."),
        (lambda x: (_ for _ in ()).throw(GeneratorExit), ": GeneratorExit."),
        (lambda x: (_ for _ in x), "expected an array of shape (2, 3), but got a generator."),
        (lambda x: threading.Lock(), "expected an array of shape (2, 3), but got a lock."),
        (lambda x: np.array([x, None], dtype=object), "but got a ndarray."),
        (lambda x: ValueError("returned, not raised"), "but got a ValueError."),
        (lambda x: "\udcff", "but got a text."),
    ],
)
def test_whatever_an_answer_does_is_told_in_words(answer, words, monkeypatch, capsys):
    monkeypatch.setitem(EXERCISES, "square", about(square, (X,), (Y,)))
    monkeypatch.setattr("sys.stdin", None)  # which exit() closes
    check("square", answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet: ") and words in said and said.count("\n") == 1


def test_what_cannot_even_be_looked_at_is_refused(capsys):
    check("choose-the-loss", Hostile(a="categorical"))
    assert capsys.readouterr().out == "Not yet: the check cannot read this answer (ValueError).\n"
    predict(endless_list(), 2)
    predict("\udcff", "b")
    assert capsys.readouterr().out.splitlines() == [
        "Not so: you predicted a list that contains itself, and it is 2.",
        'Not so: you predicted "\\udcff", and it is "b".',
    ]


def for_ever(x):
    while True:
        pass


def deaf(x):
    for _ in range(3):
        with contextlib.suppress(BaseException):  # not even this keeps it alive: the alarm comes again
            for_ever(x)
    for_ever(x)


@pytest.mark.parametrize("answer", [for_ever, deaf])
def test_an_endless_answer_is_stopped_and_an_alarm_of_others_stays(answer, monkeypatch):
    monkeypatch.setattr(practice, "SECONDS", 0.2)
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        said = feedback(SQUARE, answer)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
        signal.raise_signal(signal.SIGALRM)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    place = "for x = [[1, -2, 3], [4, 5, -6]]"
    assert said == f"Not yet: {place}: no result after 0.2 seconds: does a loop never end?"
    assert heard == ["alarm"]


def test_an_answer_that_the_reader_interrupts_is_not_tried_again():
    calls = []

    def interrupted(x):
        calls.append(x)
        raise KeyboardInterrupt

    assert feedback(SQUARE, interrupted).endswith(": KeyboardInterrupt.")
    assert len(calls) == 1


def test_without_alarms_there_is_no_limit(monkeypatch):
    monkeypatch.setattr(practice, "SECONDS", 0.05)
    slow = lambda x: time.sleep(0.1) or x**2  # noqa: E731
    said = []
    thread = threading.Thread(target=lambda: said.append(feedback(SQUARE, slow)))
    thread.start()
    thread.join()
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert [*said, feedback(SQUARE, slow)] == ["Right."] * 2


def test_an_alarm_that_comes_too_late_is_not_heard():
    with practice.time_limit(1000):
        stop = signal.getsignal(signal.SIGALRM)
        with pytest.raises(practice.TimeUp):
            stop()
    stop()


def test_what_an_answer_changes_for_everybody_is_put_back():
    def vandal(x):
        np.exp = np.log = warnings.warn = len
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        sys.setrecursionlimit(5000)
        return x**2

    def state():
        drawn = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
        return np.exp, np.log, warnings.warn, np.geterr(), np.get_printoptions(), drawn, sys.getrecursionlimit()

    before = state()
    assert feedback(SQUARE, vandal) == "Right."
    assert state() == before


def test_exit_in_a_notebook_ends_only_the_answer(monkeypatch):
    class Shell:
        def ask_exit(self):
            pytest.fail("the kernel would stop")

    shell = Shell()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert "this ends the program" in feedback(SQUARE, lambda x: shell.ask_exit())
    assert "ask_exit" not in vars(shell)


def test_a_kernel_survives_all_answers():
    cells = [
        "from mlcore.teaching import check",
        *(f"check('three-ways', {value})" for value in ("[x := [], x.append(x)]", "exit", "print")),
        *(f"check('wrong-point', lambda x: {end})" for end in ("exit()", "quit()", "__import__('sys').exit()")),
        "print('alive')",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    said = [cell.outputs[0].text for cell in notebook.cells[1:]]
    assert said[-1] == "alive\n" and all(text.startswith("Not yet: ") for text in said[:-1])


def test_what_an_answer_prints_is_shown_once(capsys):
    assert feedback(SQUARE, lambda x: print("at", x[0, 0]) or x**2) == "Right."
    assert capsys.readouterr().out == "at 1.0\n"
    assert feedback(SQUARE, lambda x: print("a" * 3000) or x**2) == "Right."
    assert capsys.readouterr().out == "a" * 2000 + "\n…\n"
    assert feedback(SQUARE, lambda x: sys.stdout.close() or x**2) == "Right."
    assert capsys.readouterr().out == ""


def test_a_result_that_is_changed_later_counts_as_it_was():
    store = []

    def one_array_for_all(x):
        store[:] = [x**2]
        return store

    exercise = about(lambda x: [x**2], (X,), (Y,))
    assert feedback(exercise, one_array_for_all) == "Right."


def test_an_argument_that_is_a_dict_must_not_change_either():
    exercise = about(lambda table: sum(table.values()), ({"a": 1.0, "b": np.ones(2)},))
    assert feedback(exercise, lambda table: table["a"] + table["b"]) == "Right."
    for answer in (lambda table: table.pop("a") + table["b"], lambda table: sum(table.values()) + table.update(a=0)):
        assert "table itself is changed" in feedback(exercise, answer) or "TypeError" in feedback(exercise, answer)
    assert "table itself" in feedback(exercise, lambda table: table.setdefault("c", 0.0) + table["a"] + table["b"])


def test_nothing_may_be_hidden_where_the_exercise_forbids_it():
    loud = about(lambda x: np.exp(-np.abs(x)), (np.array([-1000.0, 1.0]),), nothing_hidden=True)
    hidden = [
        np.errstate(over="ignore")(lambda x: np.minimum(np.exp(x), np.exp(-x))),
        lambda x: np.seterr(all="ignore") and np.minimum(np.exp(x), np.exp(-x)),
        lambda x: warnings.simplefilter("ignore") or np.minimum(np.exp(x), np.exp(-x)),
    ]
    for answer in hidden:
        assert feedback(loud, answer) == "Not yet: for x = [-1000, 1]: Python warns: overflow encountered in exp."
    with_ignore = np.errstate(over="ignore")(lambda x: np.minimum(np.exp(x), np.exp(-x)))
    assert feedback(about(loud.solution, *loud.inputs), with_ignore) == "Right."


@pytest.mark.parametrize(
    "right, answer, said",
    [
        (3.5, Fraction(7, 2), "Right."),
        (3.5, Fraction(5, 2), "Not yet: the number is 2.5, which is too small."),
        (3, Fraction(3), "Right."),
        (3, 3 + 1e-12, "Right."),
        (3, 3.01, "Not yet: the number is 3.01, which is too large."),
        ((0.5, 0.25), [Fraction(1, 2), Fraction(1, 4)], "Right."),
        (2 + 1j, np.array(2 + 1j, dtype=object), "Right."),
        (True, [], "Not yet: expected True or False, but got an array of shape (0,)."),
    ],
)
def test_a_number_may_have_any_type(right, answer, said):
    assert feedback(about(right), answer) == said


def test_nearly_right_is_said_of_what_is_not_exact_enough():
    exercise = about(lambda x: x**3, (np.array([1.0, 2.0]),))
    said = feedback(exercise, lambda x: x**3 + 1e-7 * x)
    assert said.endswith("but 1 is expected: nearly right, so look for what is not exact enough.")


def test_many_parts_are_shown_in_few_words():
    assert practice.show({i: i for i in range(20)}) == "a dict of 20 parts"
    assert practice.show("a" * 100) == '"' + "a" * 80 + ' …"'


# -- predictions --


@pytest.mark.parametrize(
    "guess, computed, said",
    [
        (..., 0.69313, "It is 0.6931. Predict first: replace the three dots and run again."),
        (..., np.ones((4, 5)), "It is an array of shape (4, 5). Predict first"),
        (0.69, 0.69313, "Right: 0.6931 (you predicted 0.69)."),
        (0.68, 0.69313, "Not so: you predicted 0.68, and it is 0.6931."),
        (0, 1e-9, "Not so"),
        (1075, 1075, "Right: 1075."),
        (1074, 1075, "Not so: you predicted 1074, and it is 1075."),
        (4, np.int64(4), "Right: 4."),
        ("a", "a", 'Right: "a".'),
        ("a", "b", 'Not so: you predicted "a", and it is "b".'),
        (1, "b", "Not so"),
        (True, np.True_, "Right: True."),
        (False, True, "Not so: you predicted False, and it is True."),
        ((4, 4), (4, 4), "Right: (4, 4)."),
        ((4,), (4, 4), "Not so: you predicted (4,), and it is (4, 4)."),
        ([0.2, 0.3], np.array([0.2, 0.301]), "Right: [0.2, 0.301] (you predicted [0.2, 0.3])."),
        (("a", 1), ("a", 2), 'Not so: you predicted ("a", 1), and it is ("a", 2).'),
        (["a", "c"], ("a", "c"), "Right"),
        (["a"], ["a", "c"], 'Not so: you predicted ["a"], and it is ["a", "c"].'),
        ({"x": 1}, {"x": 1}, 'Right: {"x": 1}.'),
        (print, 2, "Not so: you predicted print, and it is 2."),
        (2 + 3j, 2 + 3j, "Right: 2+3j."),
    ],
)
def test_a_prediction_is_compared(guess, computed, said, capsys):
    assert predict(guess, computed) is None
    assert capsys.readouterr().out.startswith(said)


def test_a_prediction_may_be_off_by_what_the_book_allows(capsys):
    predict(40, 42, within=2)
    predict(39, 42, within=2)
    predict(0.1, 0.0, within=0.1)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["Right", "Not so", "Right"]


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (3, 3),
        (np.array([1, 2]), [1, 2]),
        (True, True),
        ("falls", "falls"),
        (2 / 3, {"float": "0.666667"}),
        (np.array([[0.1 + 0.2, -0.0]]), {"float": [["0.3", "0"]]}),
        (((4,), "x"), [[4], "x"]),
        (np.inf, {"float": "inf"}),
    ],
)
def test_what_a_page_knows_of_a_value(value, known, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_PREDICTIONS", str(tmp_path / "known"))
    practice.predict(..., value, within=0.5)
    assert json.loads((tmp_path / "known").read_text()) == {"truth": known, "within": 0.5}
    assert capsys.readouterr().out.startswith("It is ")


def test_what_is_solved_is_recorded_in_the_readers_own_folder_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    right = exercises()["true-or-false"].solution
    check("true-or-false", right)
    assert list(tmp_path.iterdir()) == []  # not a folder of copies
    (tmp_path / ".versions.json").write_text("{}")
    check("true-or-false", {key: not value for key, value in right.items()})
    assert practice.read_record() == {}
    (tmp_path / ".solved.json").write_text("damaged")
    check("true-or-false", right)
    assert list(practice.read_record()) == ["true-or-false"]
    (tmp_path / "list.json").write_text("[]")
    assert practice.read_record(tmp_path / "list.json") == {}
    capsys.readouterr()
    practice.solved()
    said = capsys.readouterr().out
    assert re.search(r"^loss function +1 of \d+: true-or-false$", said, re.MULTILINE)
    assert re.search(r"^gradient +0 of \d+$", said, re.MULTILINE)
